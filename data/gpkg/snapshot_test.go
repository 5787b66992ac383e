package gpkg

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func reopened(t *testing.T, s *Store) *Store {
	t.Helper()
	path := s.path
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// snapshotted returns a store with a snapshot and the layer in both.
func snapshotted(t *testing.T) (*Store, *geo.Layer) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "s.gpkg"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l := points(2_000)
	info, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l})
	if err != nil {
		t.Fatal(err)
	}
	// An upsert in memory moves a row to the end; in the store it stays.
	one := geo.NewBuilder(info)
	f := l.Feature(7)
	f.Properties["kind"] = "unknown"
	one.Add(f)
	if info, err = s.Commit(t.Context(), data.Change{Info: info, Mode: data.Upsert, Rows: one.Layer()}); err != nil {
		t.Fatal(err)
	}
	l = l.Upsert(one.Layer()).WithInfo(info)
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{l}); err != nil || !written {
		t.Fatalf("written %v, %v", written, err)
	}
	return s, l
}

func sameRows(t *testing.T, s *Store, want *geo.Layer) {
	t.Helper()
	got, err := s.Load(t.Context(), want.Info.ID)
	if err != nil {
		t.Fatal(err)
	}
	want = want.ByFID()
	if got.Info != want.Info || got.Len() != want.Len() {
		t.Fatalf("%+v with %d rows, want %+v with %d", got.Info, got.Len(), want.Info, want.Len())
	}
	for row := range want.Len() {
		a, b := want.AppendProperties(nil, row), got.AppendProperties(nil, row)
		if string(a) != string(b) || got.FID(row) != want.FID(row) || got.OwnID(row) != want.OwnID(row) {
			t.Fatalf("row %d: %s, want %s", row, b, a)
		}
	}
}

func TestSnapshot(t *testing.T) {
	s, l := snapshotted(t)
	if st, err := os.Stat(s.snapshotPath()); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", st, err)
	}
	s = reopened(t, s)
	if s.snap == nil || s.fromSnapshot(t.Context(), l.Info) == nil {
		t.Fatal("the snapshot of an unchanged store is not used")
	}
	sameRows(t, s, l)
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{l}); written || err != nil {
		t.Errorf("written again: %v, %v", written, err)
	}
	if err := s.SetSetting(t.Context(), "a", []byte(`1`)); err != nil {
		t.Fatal(err)
	}
	if s.snapFresh.Load() {
		t.Error("a change left the snapshot fresh")
	}
	if s.fromSnapshot(t.Context(), l.Info) != nil {
		t.Error("a void snapshot is used")
	}
	sameRows(t, s, l)
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{l.WithInfo(geo.LayerInfo{ID: l.Info.ID, Version: 1})}); written || err != nil {
		t.Errorf("of another version: written %v, %v", written, err)
	}
}

// TestSnapshotAndOthers: what another program changes is seen, before and
// after the next start.
func TestSnapshotAndOthers(t *testing.T) {
	edit := func(path string, severity int) {
		db, err := sql.Open("sqlite", fileURL(path))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, k := range []string{"2", "4", "5", "6", "7"} { // they need functions that are not here
			if _, err := db.Exec(`DROP TRIGGER IF EXISTS rtree_incidents_geom_update` + k); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec(`UPDATE incidents SET severity = ? WHERE fid = 3`, severity); err != nil {
			t.Fatal(err)
		}
	}
	s, l := snapshotted(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	edit(s.path, 9)
	s, err := Open(t.Context(), s.path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	got, err := s.Load(t.Context(), l.Info.ID)
	if err != nil || s.snap != nil || got.Number(2, "severity") != 9 {
		t.Fatalf("severity %v, %v", got.Number(2, "severity"), err)
	}
	edit(s.path, 8)
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{got}); written || err != nil {
		t.Errorf("after a foreign change: written %v, %v", written, err)
	}
}

// TestSnapshotDamage: a snapshot with a flipped byte or a lost end is not used.
func TestSnapshotDamage(t *testing.T) {
	s, l := snapshotted(t)
	whole, err := os.ReadFile(s.snapshotPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{9, len(whole) / 3, len(whole) / 2, len(whole) - 40, len(whole) - 1} {
		bad := slices.Clone(whole)
		bad[at] ^= 4
		if err := os.WriteFile(s.snapshotPath(), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s = reopened(t, s)
		if s.fromSnapshot(t.Context(), l.Info) != nil {
			t.Errorf("byte %d of %d is wrong, but the snapshot is used", at, len(whole))
		}
		sameRows(t, s, l)
	}
	if err := os.WriteFile(s.snapshotPath(), whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s = reopened(t, s)
	sameRows(t, s, l)
}
