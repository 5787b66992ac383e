package gpkg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// saved returns the path of a closed store with two layers, a setting and a
// receipt, all in its snapshot too, and the layers.
func saved(t *testing.T) (path string, a, b *geo.Layer) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s.gpkg")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a = points(3000)
	infoA := mustCommit(t, s, data.Replace, a)
	b = storetest.Random(4, "b", 200)
	infoB, err := s.Commit(t.Context(), data.Change{Info: b.Info, Mode: data.Replace, Rows: b, IdempotencyKey: "once", Answer: json.RawMessage(`{"x":1}`), Provenance: data.Provenance{User: "somebody"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetSetting(t.Context(), "model", json.RawMessage(`{"m":2}`)); err != nil {
		t.Fatal(err)
	}
	a, b = a.WithInfo(infoA), b.WithInfo(infoB)
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{a, b}); err != nil || !written {
		t.Fatal(written, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, a, b
}

// rootOf is the offset of a table's first page.
func rootOf(t *testing.T, path, table string) int64 {
	t.Helper()
	s := openTest(t, path, Options{ReadOnly: true})
	var page int64
	if err := s.reader.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = ?`, table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	s.Close()
	return (page - 1) * 4096
}

// overwrite spoils bytes of a file.
func overwrite(t *testing.T, path string, at int64, n int) {
	t.Helper()
	b := readFile(t, path)
	for i := at; i < min(at+int64(n), int64(len(b))); i++ {
		b[i] = 0xa5
	}
	writeFile(t, path, b)
}

// recovered opens a damaged store and returns it with what it told.
func recovered(t *testing.T, path string) (*Store, string) {
	t.Helper()
	var told []string
	s := openTest(t, path, Options{Notify: func(m string) { told = append(told, m) }})
	if s.Recovery() == nil {
		t.Fatalf("nothing was recovered; told: %q", told)
	}
	return s, strings.Join(told, "\n")
}

// sameContent compares rows; a recovered layer has a version of its own.
func sameContent(t *testing.T, s *Store, want *geo.Layer) {
	t.Helper()
	got := mustLoad(t, s, want.Info.ID)
	if got.Info.Version <= want.Info.Version {
		t.Errorf("layer %s is at version %d, which was given before", want.Info.ID, got.Info.Version)
	}
	if got.Info.NextFID < want.Info.NextFID {
		t.Errorf("next FID %d, was %d", got.Info.NextFID, want.Info.NextFID)
	}
	want.Info = got.Info
	storetest.Equal(t, got, want)
}

// TestRecover damages a closed store in every way: it opens, with all that it
// had, and the damaged file is kept.
func TestRecover(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
	}{
		{"cut in half", func(t *testing.T, path string) { b := readFile(t, path); writeFile(t, path, b[:len(b)/2]) }},
		{"last page cut off", func(t *testing.T, path string) { b := readFile(t, path); writeFile(t, path, b[:len(b)-4096]) }},
		{"cut to 50 bytes", func(t *testing.T, path string) { b := readFile(t, path); writeFile(t, path, b[:50]) }},
		{"empty", func(t *testing.T, path string) { writeFile(t, path, nil) }},
		{"gone", func(t *testing.T, path string) { _ = os.Remove(path) }},
		{"header", func(t *testing.T, path string) { overwrite(t, path, 0, 100) }},
		{"first page", func(t *testing.T, path string) { overwrite(t, path, 100, 3900) }},
		{"zeros", func(t *testing.T, path string) { writeFile(t, path, make([]byte, len(readFile(t, path)))) }},
		{"a layer", func(t *testing.T, path string) { overwrite(t, path, rootOf(t, path, "incidents")+8, 2000) }},
		{"list of layers", func(t *testing.T, path string) { overwrite(t, path, rootOf(t, path, "sempadan_layers"), 4096) }},
		{"settings", func(t *testing.T, path string) { overwrite(t, path, rootOf(t, path, "sempadan_settings"), 4096) }},
		{"receipts", func(t *testing.T, path string) { overwrite(t, path, rootOf(t, path, "sempadan_receipts"), 4096) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, a, b := saved(t)
			test.spoil(t, path)
			was, _ := os.ReadFile(path)
			s, told := recovered(t, path)
			sameContent(t, s, a)
			sameContent(t, s, b)
			r := s.Recovery()
			if r.LostCommits != 0 || len(r.Lost) != 0 || !strings.Contains(told, "RECOVERED") {
				t.Errorf("%+v\n%s", r, told)
			}
			if got, err := s.Setting(t.Context(), "model"); err != nil || string(got) != `{"m":2}` {
				t.Errorf("setting: %s, %v", got, err)
			}
			if got, err := s.Receipt(t.Context(), "once"); err != nil || string(got.Answer) != `{"x":1}` {
				t.Errorf("receipt: %+v, %v", got, err)
			}
			if len(was) > 0 {
				if len(r.Kept) != 1 || string(readFile(t, r.Kept[0])) != string(was) {
					t.Errorf("kept: %v", r.Kept)
				} else if st, err := os.Stat(r.Kept[0]); err != nil || st.Mode().Perm() != 0o600 {
					t.Errorf("mode of what is kept: %v, %v", st, err)
				}
			}
			// It goes on as any store, and opens again without a word.
			mustCommit(t, s, data.Upsert, storetest.Random(8, "b", 20))
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			checkFile(t, path)
			if again := openTest(t, path, Options{}); again.Recovery() != nil {
				t.Errorf("recovered again: %+v", again.Recovery())
			}
		})
	}
}

// TestRecoverNewer: a layer that the damage has spared is taken as it was last,
// another as the snapshot has it, and what is missing is told.
func TestRecoverNewer(t *testing.T) {
	path, a, _ := saved(t)
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	newer := storetest.Random(12, "b", 150)
	info := mustCommit(t, s, data.Replace, newer)
	mustCommit(t, s, data.Append, oneMore(a))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, rootOf(t, path, "incidents")+8, 2000)
	s, told := recovered(t, path)
	sameContent(t, s, newer.WithInfo(info))
	sameContent(t, s, a)
	r := s.Recovery()
	if !slices.Equal(r.Older, []string{"incidents"}) || !slices.Equal(r.Unverified, []string{"b"}) || !strings.Contains(told, "as in the last snapshot") {
		t.Errorf("%+v\n%s", r, told)
	}
}

func oneMore(l *geo.Layer) *geo.Layer {
	b := geo.NewBuilder(l.Info)
	f := l.Feature(0)
	f.FID = 0
	b.Add(f)
	return b.Layer()
}

// TestNothingToRecover: without anything whole the store is left as it is.
func TestNothingToRecover(t *testing.T) {
	path, _, _ := saved(t)
	if err := errors.Join(os.Remove(path+".snapshot"), os.Truncate(path, 50)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "sempadan restore") {
		t.Errorf("%v", err)
	}
	if kept, _ := filepath.Glob(path + ".*"); len(kept) != 2 || len(readFile(t, path)) != 50 { // the lock and the mark
		t.Errorf("left: %v", kept)
	}
	// A damaged file is not touched by who only reads.
	path, _, _ = saved(t)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{ReadOnly: true}); !errors.Is(err, ErrDamaged) {
		t.Errorf("read-only: %v", err)
	}
	if kept, _ := filepath.Glob(path + ".damaged-*"); len(kept) != 0 {
		t.Errorf("read-only: %v", kept)
	}
}

// killed returns a copy of a store as a kill would leave it, its changes in the
// log, and what its last two layers of changes are.
func killed(t *testing.T) (path string) {
	t.Helper()
	path, _, _ = saved(t)
	s := openTest(t, path, Options{})
	hold, err := s.reader.Conn(t.Context()) // or the log would start anew
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if _, err := hold.ExecContext(t.Context(), `BEGIN; SELECT count(*) FROM sempadan_layers`); err != nil {
		t.Fatal(err)
	}
	for k := range uint64(6) {
		mustCommit(t, s, data.Replace, storetest.Random(20+k, "b", 40))
	}
	to := filepath.Join(t.TempDir(), "k.gpkg")
	for _, suffix := range []string{"", "-wal", ".commits", ".snapshot"} {
		writeFile(t, to+suffix, readFile(t, path+suffix))
	}
	return to
}

// TestDamagedLog: SQLite silently goes back to before a damage in its log. That
// is told, and the log is kept; a log that a kill left whole is not a loss.
func TestDamagedLog(t *testing.T) {
	path := killed(t)
	if s := openTest(t, path, Options{}); s.Recovery() != nil {
		t.Fatalf("whole: %+v", s.Recovery())
	} else if got := mustLoad(t, s, "b"); got.Info.Version != 7 {
		t.Fatalf("version %d", got.Info.Version)
	}
	for _, test := range []struct {
		name  string
		spoil func(t *testing.T, path string)
	}{
		{"middle", func(t *testing.T, path string) {
			overwrite(t, path+"-wal", int64(len(readFile(t, path+"-wal")))/2, 10)
		}},
		{"header", func(t *testing.T, path string) { overwrite(t, path+"-wal", 0, 32) }},
		{"cut", func(t *testing.T, path string) {
			b := readFile(t, path+"-wal")
			writeFile(t, path+"-wal", b[:len(b)*2/3])
		}},
		{"gone", func(t *testing.T, path string) { _ = os.Remove(path + "-wal") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := killed(t)
			test.spoil(t, path)
			log, _ := os.ReadFile(path + "-wal")
			s, told := recovered(t, path)
			r := s.Recovery()
			if r.LostCommits < 1 || r.LostCommits > 6 || !strings.Contains(told, "acknowledged changes are missing") {
				t.Errorf("%+v\n%s", r, told)
			}
			if len(log) > 0 && (len(r.Kept) != 1 || string(readFile(t, r.Kept[0])) != string(log)) {
				t.Errorf("kept: %v", r.Kept)
			}
			// What is there is one whole version, under a number of its own.
			got := mustLoad(t, s, "b")
			if got.Info.Version <= 7 {
				t.Errorf("version %d was given before", got.Info.Version)
			}
			at := 7 - uint64(r.LostCommits)
			want := storetest.Random(19+at-1, "b", 40)
			if at == 1 {
				want = storetest.Random(4, "b", 200)
			}
			want.Info = got.Info
			storetest.Equal(t, got, want)
			if list, err := s.Versions(t.Context(), "b"); err != nil || list[0].Provenance.Action != "recover" {
				t.Errorf("%v, %v", list, err)
			}
			mustCommit(t, s, data.Upsert, storetest.Random(8, "b", 20))
			s.Close()
			checkFile(t, path)
			if again := openTest(t, path, Options{}); again.Recovery() != nil {
				t.Errorf("recovered again: %+v", again.Recovery())
			}
		})
	}
}

// TestDamagedValue: what only Load finds is recovered when it is handed back.
func TestDamagedValue(t *testing.T) {
	path, a, b := saved(t)
	s := openTest(t, path, Options{})
	if _, err := s.writer.Exec(`DROP TRIGGER rtree_b_geom_update6; DROP TRIGGER rtree_b_geom_update2; DROP TRIGGER rtree_b_geom_update7; DROP TRIGGER rtree_b_geom_update4; DROP TRIGGER rtree_b_geom_update5; UPDATE b SET geom = x'4750' WHERE fid = 3`); err != nil {
		t.Fatal(err)
	}
	_, err := s.Load(t.Context(), "b")
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("Load: %v", err)
	}
	s.Close()
	s, err = Open(context.Background(), path, Options{Damaged: err})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sameContent(t, s, a)
	sameContent(t, s, b)
}

// TestRestoreIsNoLoss: a backup that is put in place is older, and that is no
// damage.
func TestRestoreIsNoLoss(t *testing.T) {
	path, _, b := saved(t)
	backup := filepath.Join(t.TempDir(), "b.gpkg")
	s := openTest(t, path, Options{})
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, data.Replace, storetest.Random(5, "b", 20))
	s.Close()
	if _, err := Restore(t.Context(), backup, path); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path, Options{})
	if s.Recovery() != nil {
		t.Errorf("%+v", s.Recovery())
	}
	storetest.Equal(t, mustLoad(t, s, "b"), b)
}

// TestRecoverWrongValue: a value that was changed in a damaged file is not
// taken for true when the snapshot has the same version of the layer, and is
// called unverified when it has not.
func TestRecoverWrongValue(t *testing.T) {
	for _, snapshot := range []bool{true, false} {
		path := filepath.Join(t.TempDir(), "s.gpkg")
		s := openTest(t, path, Options{})
		b := geo.NewBuilder(geo.LayerInfo{ID: "v", Kind: geo.KindOther})
		for range 200 {
			b.Add(geo.Feature{Geometry: orb.Point{110, 1}, Properties: map[string]any{"word": "canary-truth"}})
		}
		mustCommit(t, s, data.Replace, b.Layer())
		mustCommit(t, s, data.Replace, points(5_000))
		l := mustLoad(t, s, "v")
		if snapshot {
			if ok, err := s.Snapshot(t.Context(), []*geo.Layer{l, mustLoad(t, s, "incidents")}); !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(file, []byte("canary-truth"))
		if at < 0 {
			t.Fatal("the value is not in the file")
		}
		copy(file[at:], "canary-wrong")
		if !snapshot { // Close has written one
			_ = os.Remove(path + ".snapshot")
		}
		root := rootOf(t, path, "incidents")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, root+8, 2000)
		s, told := recovered(t, path)
		r := s.Recovery()
		if snapshot {
			sameContent(t, s, l)
			if !slices.Contains(r.Whole, "v") || slices.Contains(r.Unverified, "v") {
				t.Errorf("%+v", r)
			}
		} else if !slices.Contains(r.Unverified, "v") || !strings.Contains(told, "unverified: v") {
			t.Errorf("%+v\n%s", r, told)
		}
	}
}
