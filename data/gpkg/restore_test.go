package gpkg

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
)

// TestRestore: a backup made while the store is open takes its place, but not
// while it is open; what was there is kept.
func TestRestore(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg")
	s := openTest(t, path, Options{})
	first, second := storetest.Random(1, "a", 300), storetest.Random(2, "a", 200)
	mustCommit(t, s, data.Replace, first)
	reader := openTest(t, path, Options{ReadOnly: true}) // as another process would
	if err := reader.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	reader.Close()
	mustCommit(t, s, data.Replace, second)
	if _, err := Restore(t.Context(), backup, path); err == nil || !strings.Contains(err.Error(), "has the store open") {
		t.Fatalf("over an open store: %v", err)
	}
	storetest.Equal(t, mustLoad(t, s, "a"), second)
	s.Close()
	for _, bad := range []string{path, filepath.Join(dir, "none.gpkg"), dir} {
		if _, err := Restore(t.Context(), bad, path); err == nil {
			t.Errorf("%s was restored", bad)
		}
	}
	replaced, err := Restore(t.Context(), backup, path)
	if err != nil || replaced != path+".replaced" {
		t.Fatal(replaced, err)
	}
	checkFile(t, path)
	checkFile(t, replaced)
	s = openTest(t, path, Options{})
	storetest.Equal(t, mustLoad(t, s, "a"), first)
	s.Close()
	old := openTest(t, replaced, Options{ReadOnly: true})
	storetest.Equal(t, mustLoad(t, old, "a"), second)
	old.Close()
	// Into an empty place.
	if replaced, err = Restore(t.Context(), backup, filepath.Join(dir, "new.gpkg")); err != nil || replaced != "" {
		t.Error(replaced, err)
	}
	storetest.Equal(t, mustLoad(t, openTest(t, filepath.Join(dir, "new.gpkg"), Options{}), "a"), first)
}

// TestRestoreDamage: a damaged backup is refused and leaves the store alone; a
// damaged store is replaced, its log is not read into the new one.
func TestRestoreDamage(t *testing.T) {
	dir := t.TempDir()
	path, backup, bad := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg"), filepath.Join(dir, "bad.gpkg")
	s := openTest(t, path, Options{})
	l := storetest.Random(1, "a", 2000)
	mustCommit(t, s, data.Replace, l)
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	s.Close()
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	broken := append([]byte(nil), whole...)
	for i := len(broken) / 2; i < len(broken)/2+4096; i++ {
		broken[i] = 0xff
	}
	for _, content := range [][]byte{broken, whole[:len(whole)-4096], whole[:50], []byte("text")} {
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), bad, path); err == nil {
			t.Errorf("a damaged backup of %d bytes was restored", len(content))
		}
		if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
			t.Error("a copy is left behind")
		}
	}
	s = openTest(t, path, Options{})
	storetest.Equal(t, mustLoad(t, s, "a"), l)
	s.Close()
	if err := os.WriteFile(path, broken[:len(broken)/3], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-wal", []byte("what is left of a log"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), backup, path); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path, Options{})
	storetest.Equal(t, mustLoad(t, s, "a"), l)
}
