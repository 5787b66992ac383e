package gpkg

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
)

// TestRollbackBytes: a change that is given up leaves nothing in any file, also
// when it was too large for memory.
func TestRollbackBytes(t *testing.T) {
	s := newStore(t)
	mustCommit(t, s, data.Replace, points(10))
	needles := map[string][]byte{"canary": []byte("canary-2718281828")}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.write(ctx, func(x *txn) error {
		text := strings.Repeat("canary-2718281828 ", 500)
		for i := range 20_000 {
			if err := x.exec(`INSERT INTO sempadan_settings VALUES (?, ?)`, i, text); err != nil {
				return err
			}
		}
		if len(traces(t, s, needles)) == 0 {
			t.Error("the change fits in memory; make it larger")
		}
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if found := traces(t, s, needles); found != nil {
		t.Errorf("left behind: %v", found)
	}
	if l := mustLoad(t, s, "incidents"); l.Len() != 10 {
		t.Errorf("%d rows", l.Len())
	}
	mustCommit(t, s, data.Append, oneMore(points(10)))
}
