package gpkg

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
)

// What somebody who signed in changed can be gone back to for KeepDays, however
// many versions follow; what only came to it, and what the machine changed, counts
// by number alone.
func TestKeepDays(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		user string
		mode data.Mode
		gap  time.Duration
		want int
	}{
		"key": {"0123456789", data.Replace, time.Hour, 8}, "machine": {"local", data.Replace, time.Hour, 3},
		"retention": {"retention", data.Replace, time.Hour, 3}, "a month ago": {"0123456789", data.Replace, 31 * 24 * time.Hour, 3},
		"some days ago": {"0123456789", data.Replace, 7 * 24 * time.Hour, 6},
	} {
		s := openTest(t, filepath.Join(t.TempDir(), "k.gpkg"), Options{KeepVersions: 3})
		for k := range 8 {
			l := storetest.Random(uint64(k), "k", 20)
			p := data.Provenance{At: day.Add(time.Duration(k) * c.gap), User: c.user}
			if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: c.mode, Rows: l, Provenance: p}); err != nil {
				t.Fatal(err)
			}
		}
		if list, err := s.Versions(t.Context(), "k"); err != nil || len(list) != c.want {
			t.Errorf("%s: %d versions are kept, want %d: %v", name, len(list), c.want, err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
