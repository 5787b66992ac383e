package gpkg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// logged returns the path of a closed store with a layer, a snapshot and, after
// that, a log of so many entries, several pages of them.
func logged(t *testing.T, before, after int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.gpkg")
	s := openTest(t, path, Options{})
	l := points(300)
	info := mustCommit(t, s, data.Replace, l)
	if before > 0 {
		appendEntries(t, s, before)
	}
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{l.WithInfo(info)}); err != nil || !written {
		t.Fatal(written, err)
	}
	if after > 0 {
		appendEntries(t, s, after)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// entries reads the log's numbers and its verdict.
func entries(t *testing.T, s *Store) (numbers []int64, last data.AuditEntry) {
	t.Helper()
	err := s.ReadAudit(context.Background(), data.AuditFilter{}, func(e data.AuditEntry) error {
		numbers, last = append(numbers, e.N), e
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return numbers, last
}

func TestRecoverKeepsTheAuditLog(t *testing.T) {
	path := logged(t, 20, 480)
	overwrite(t, path, rootOf(t, path, "incidents")+8, 2000)
	s, _ := recovered(t, path)
	if v := auditVerdict(t, s); !v.OK || v.Entries != 501 {
		t.Fatalf("%+v, %v", v, v.Fault)
	}
	if _, last := entries(t, s); last.Action != data.AuditRecover || last.Count != 500 {
		t.Errorf("the last entry is %+v", last)
	}
	appendEntries(t, s, 3)
	if v := auditVerdict(t, s); !v.OK || v.Entries != 504 {
		t.Errorf("gone on with: %+v", v)
	}
}

// A damaged page of the log itself is a gap, which verification names; what is
// before and behind it is there as it stood.
func TestRecoverTellsTheGapInTheAuditLog(t *testing.T) {
	path := logged(t, 20, 480)
	page := leafOf(t, path, 250)
	overwrite(t, path, page, 4096)
	s, _ := recovered(t, path)
	numbers, last := entries(t, s)
	v := auditVerdict(t, s)
	if v.OK || v.Fault.N > 250 || v.Fault.N < 200 {
		t.Fatalf("%+v, %v", v, v.Fault)
	}
	if last.Action != data.AuditRecover || last.N != 502 || int(last.Count) != len(numbers)-1 {
		t.Errorf("the last of %d entries is %+v", len(numbers), last)
	}
	if len(numbers) < 400 || numbers[0] != 1 || numbers[len(numbers)-2] != 500 {
		t.Errorf("%d entries, %v", len(numbers), numbers)
	}
	if s.audit.known = false; true { // the log goes on behind the break
		appendEntries(t, s, 2)
	}
	if _, last := entries(t, s); last.N != 504 {
		t.Errorf("goes on with entry %d", last.N)
	}
}

// leafOf is the offset of the page with an entry of the log.
func leafOf(t *testing.T, path string, n int) int64 {
	t.Helper()
	b := readFile(t, path)
	s := openTest(t, path, Options{ReadOnly: true})
	var hash []byte
	if err := s.reader.QueryRow(`SELECT hash FROM sempadan_audit WHERE n = ?`, n).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	s.Close()
	return int64(strings.Index(string(b), string(hash)) / 4096 * 4096)
}

func TestRecoverWithoutTheAuditLog(t *testing.T) {
	for _, test := range []struct {
		before, after int
		n             int64 // of the one entry; 0: none
	}{{0, 0, 0}, {7, 0, 9}, {7, 5, 14}} {
		t.Run(fmt.Sprint(test.before, "+", test.after), func(t *testing.T) {
			path := logged(t, test.before, test.after)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			s, _ := recovered(t, path)
			numbers, _ := entries(t, s)
			v := auditVerdict(t, s)
			if test.n == 0 {
				if len(numbers) != 0 || !v.OK {
					t.Errorf("a log out of nothing: %v", numbers)
				}
			} else if len(numbers) != 1 || numbers[0] != test.n || v.OK || v.Fault.N != 1 {
				t.Errorf("entries %v, %+v", numbers, v.Fault)
			}
		})
	}
}

// An older copy of the file in its place is told in the log as well.
func TestFallenBehindBreaksTheAuditLog(t *testing.T) {
	path := logged(t, 3, 0)
	old := readFile(t, path)
	s := openTest(t, path, Options{})
	appendEntries(t, s, 4)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, old)
	s, _ = recovered(t, path)
	if v := auditVerdict(t, s); v.OK || v.Fault.N != 4 {
		t.Errorf("%+v", v)
	}
	if _, last := entries(t, s); last.Action != data.AuditRecover || last.N != 5 {
		t.Errorf("the last entry is %+v", last)
	}
}

// Entries of the log alone leave the snapshot as it is, and good for the next
// start; a change of rows does not.
func TestAuditLeavesTheSnapshot(t *testing.T) {
	path := logged(t, 0, 5)
	for round := range 3 {
		s := openTest(t, path, Options{})
		if s.snap == nil {
			t.Fatalf("round %d: the snapshot is void", round)
		}
		appendEntries(t, s, 2)
		if s.Commits() != 0 || !s.snapFresh.Load() {
			t.Error("entries count as a change")
		}
		if l := s.fromSnapshot(t.Context(), mustInfo(t, s)); l == nil || l.Len() != 300 {
			t.Error("the layer is not taken from the snapshot while the log goes on")
		}
		if written, err := s.Snapshot(t.Context(), nil); written || err != nil {
			t.Error(written, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := openTest(t, path, Options{})
	if v := auditVerdict(t, s); !v.OK || v.Entries != 11 {
		t.Errorf("%+v", v)
	}
	appendEntries(t, s, 1)
	mustCommit(t, s, data.Replace, points(301))
	if s.fromSnapshot(t.Context(), mustInfo(t, s)) != nil {
		t.Error("the layer as it was before its change is taken from the snapshot")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s = openTest(t, path, Options{}); s.snap != nil {
		t.Error("a changed store takes the snapshot")
	}
}

func mustInfo(t *testing.T, s *Store) geo.LayerInfo {
	t.Helper()
	list, err := s.Layers(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, errors.Join(err))
	}
	return list[0]
}
