package gpkg

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// traces names the places where the needles stand in the files beside a store.
func traces(t *testing.T, s *Store, needles map[string][]byte) []string {
	t.Helper()
	var out []string
	files, err := filepath.Glob(filepath.Join(filepath.Dir(s.path), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, needle := range needles {
			if bytes.Contains(b, needle) {
				out = append(out, name+" in "+strings.TrimPrefix(file, s.path))
			}
		}
	}
	return out
}

// TestEraseBytes: after an erasure no file of the store has a byte of the row:
// not its text, not its identifier, not its place, in no version, neither in
// the index nor in the bounds, the log, the snapshot and old copies.
func TestEraseBytes(t *testing.T) {
	s := newStore(t)
	place, placeBefore := orb.Point{118.7654321, 7.1234567}, orb.Point{118.7111111, 7.2222222}
	victim := func(p orb.Point) geo.Feature {
		return geo.Feature{ID: "subject-2718281828", Geometry: p, Properties: map[string]any{"about": "canary-3141592653", "nested": "x"}}
	}
	content := func(p orb.Point) *geo.Layer {
		b := geo.NewBuilder(geo.LayerInfo{ID: "e", Kind: geo.KindIncident})
		l := points(2_000)
		for row := range l.Len() / 2 {
			b.Add(l.Feature(row))
		}
		f := victim(p)
		f.FID = int64(l.Len()) + 7
		b.Add(f)
		for row := l.Len() / 2; row < l.Len(); row++ {
			b.Add(l.Feature(row))
		}
		return b.Layer()
	}
	mustCommit(t, s, data.Replace, content(placeBefore))
	mustCommit(t, s, data.Replace, content(place)) // the first is history
	one := geo.NewBuilder(geo.LayerInfo{ID: "e", Kind: geo.KindIncident})
	f := victim(place)
	f.FID = 2_000 + 7
	f.Properties["nested"] = "canary-3141592653 again"
	one.Add(f)
	bounds := `"bounds":[109.1415926,1.2718281,118.7654321,7.1234567]`
	receipt := data.Change{Info: one.Layer().Info, Mode: data.Upsert, Rows: one.Layer(), IdempotencyKey: "subject-2718281828 of today",
		Answer: json.RawMessage(`{` + bounds + `}`), Provenance: data.Provenance{SHA256: "cafe3141592653"}}
	if _, err := s.Commit(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	if written, err := s.Snapshot(t.Context(), []*geo.Layer{mustLoad(t, s, "e")}); !written || err != nil {
		t.Fatalf("snapshot: %v, %v", written, err)
	}
	if err := s.Backup(t.Context(), s.upgradeBackup(1)); err != nil {
		t.Fatal(err)
	}
	needles := map[string][]byte{"text": []byte("canary-3141592653"), "identifier": []byte("subject-2718281828"), "bounds in a receipt": []byte(bounds)}
	for name, p := range map[string]orb.Point{"place": place, "place before": placeBefore} {
		for i, axis := range []string{" x", " y"} {
			needles[name+axis] = binary.LittleEndian.AppendUint64(nil, math.Float64bits(p[i]))
			needles[name+axis+" in a bound"] = binary.BigEndian.AppendUint64(nil, math.Float64bits(p[i]))
			for _, round := range []func(float64) float32{roundDown, roundUp} {
				needles[name+axis+" in the index"] = binary.BigEndian.AppendUint32(nil, math.Float32bits(round(p[i])))
			}
		}
	}
	if found := traces(t, s, needles); len(found) < 8 {
		t.Fatalf("before the erasure only: %v", found)
	}
	n, _, err := s.Erase(t.Context(), "e", data.Erasure{IDs: []string{"subject-2718281828"}, Provenance: data.Provenance{Reason: "asked for"}})
	if err != nil || n != 3 {
		t.Fatalf("%d rows, %v", n, err)
	}
	if found := traces(t, s, needles); found != nil {
		t.Errorf("still there: %v", found)
	}
	if r, err := s.Receipt(t.Context(), receipt.IdempotencyKey); err != nil || r.Layer != "e" || r.SHA256 != "" || r.Answer != nil {
		t.Errorf("receipt %+v, %v, want one without content", r, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, s.path)
}

// TestPlainReceipt: a key that an older program has kept as it was given is
// found, is not taken again, and is not left by an erasure.
func TestPlainReceipt(t *testing.T) {
	s := newStore(t)
	mustCommit(t, s, data.Replace, points(3))
	const key = "patrol at 118.76543"
	if _, err := s.writer.ExecContext(t.Context(), `INSERT INTO sempadan_receipts VALUES (?, 'incidents', 1, 'ab12', '{"bounds":[1,2,3,4]}')`, key); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Receipt(t.Context(), key); err != nil || r.SHA256 != "ab12" {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	again := data.Change{Info: points(3).Info, Mode: data.Replace, Rows: points(3), IdempotencyKey: key}
	if _, err := s.Commit(t.Context(), again); err == nil {
		t.Error("the key was taken twice")
	}
	if _, _, err := s.Erase(t.Context(), points(3).Info.ID, data.Erasure{FIDs: []int64{1}}); err != nil {
		t.Fatal(err)
	}
	if found := traces(t, s, map[string][]byte{"key": []byte(key)}); found != nil {
		t.Errorf("still there: %v", found)
	}
	if r, err := s.Receipt(t.Context(), key); err != nil || r.Answer != nil {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

// TestUpgrade: a store of schema version 1 is copied, then upgraded, and has
// what it had; a program that only reads leaves it as it is.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.gpkg")
	s := openTest(t, path, Options{})
	l := storetest.Random(4, "a", 200)
	mustCommit(t, s, data.Replace, storetest.Random(3, "a", 100))
	mustCommit(t, s, data.Replace, l)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", fileURL(path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DROP TABLE sempadan_erasures; DROP TABLE sempadan_audit; DELETE FROM gpkg_extensions WHERE table_name IN ('sempadan_erasures', 'sempadan_audit');
		UPDATE sempadan_store SET schema_version = 1, program = 'sempadan 0.1'`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	reader := openTest(t, path, Options{ReadOnly: true})
	storetest.Equal(t, mustLoad(t, reader, "a"), l)
	reader.Close()
	// Where the copy cannot be made the store stays as it is and says why.
	if err := os.MkdirAll(path+".schema-1/x", 0o700); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "schema version 1") {
		t.Errorf("%v, %v", s, err)
	}
	if err := os.RemoveAll(path + ".schema-1"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = openTest(t, path, Options{})
		wantText(t, s, `SELECT schema_version FROM sempadan_store`, "3")
		storetest.Equal(t, mustLoad(t, s, "a"), l)
		if _, _, err := s.Erase(t.Context(), "a", data.Erasure{FIDs: []int64{-1}}); !errors.Is(err, data.ErrNotFound) {
			t.Error(err)
		}
		s.Close()
		checkFile(t, path)
	}
	old := openTest(t, path+".schema-1", Options{ReadOnly: true})
	wantText(t, old, `SELECT schema_version FROM sempadan_store`, "1")
	storetest.Equal(t, mustLoad(t, old, "a"), l)
	old.Close()
	s = openTest(t, path, Options{})
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".schema-1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the copy outlives a deletion: %v", err)
	}
}
