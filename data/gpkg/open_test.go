package gpkg

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	database := func(name, script string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", fileURL(path))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec(script); err != nil {
			t.Fatal(err)
		}
		return path
	}
	newer := filepath.Join(dir, "newer.gpkg")
	if err := create(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	database("newer.gpkg", `UPDATE sempadan_store SET schema_version = 99, program = 'sempadan 9'`)
	file("lost.gpkg-wal", "the log of a file that is gone")
	for _, test := range []struct{ name, path, want string }{
		{"folder", dir, "folder"},
		{"no folder", filepath.Join(dir, "none", "x.gpkg"), "no such file"},
		{"text", file("a.geojson", `{"type":"FeatureCollection","features":[]}`+strings.Repeat(" ", 100)), "not a GeoPackage"},
		{"short", file("b.gpkg", "x"), "not a GeoPackage"},
		{"SQLite", database("c.db", `CREATE TABLE t(x)`), "not a GeoPackage"},
		{"GeoPackage of others", database("d.gpkg", `PRAGMA application_id = 1196444487; CREATE TABLE t(x)`), "not a store"},
		{"newer", newer, "schema version 99, written by sempadan 9"},
		{"lost", filepath.Join(dir, "lost.gpkg"), "its log (-wal) is there"},
		{"device", "/dev/null", "not a regular file"},
	} {
		s, err := Open(t.Context(), test.path, Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", test.name)
		} else if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "open store") {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	_, err := Open(t.Context(), filepath.Join(dir, "absent.gpkg"), Options{ReadOnly: true})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read-only: %v", err)
	}
}

// TestOpenAgain: a path may hold anything; an empty file is an empty store.
func TestOpenAgain(t *testing.T) {
	for _, name := range []string{"plain.gpkg", "with space.gpkg", "50%25?#&=+;é'.gpkg"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		l := storetest.Random(9, "a", 20)
		for k := range 2 {
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if k == 0 {
				mustCommit(t, s, data.Replace, l)
			}
			storetest.Equal(t, mustLoad(t, s, "a"), l)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := s.Ping(t.Context()); err == nil {
				t.Error("a closed store answers")
			}
			checkFile(t, path)
		}
	}
}

func TestOneWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.gpkg")
	s := openTest(t, path, Options{})
	link := filepath.Join(t.TempDir(), "link.gpkg")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		if _, err := Open(t.Context(), name, Options{}); err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())+" has the store open") {
			t.Errorf("second: %v", err)
		}
	}
	l := storetest.Random(1, "a", 30)
	mustCommit(t, s, data.Replace, l)
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if st, err := os.Stat(path + suffix); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s: %v, %v", suffix, st, err)
		}
	}
	reader := openTest(t, path, Options{ReadOnly: true})
	storetest.Equal(t, mustLoad(t, reader, "a"), l)
	mustCommit(t, s, data.Replace, storetest.Random(2, "a", 30))
	storetest.Equal(t, mustLoad(t, reader, "a"), storetest.Random(2, "a", 30))
	if _, err := reader.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l}); !errors.Is(err, data.ErrReadOnly) {
		t.Errorf("Commit: %v", err)
	}
	if err := reader.Delete(t.Context(), "a"); !errors.Is(err, data.ErrReadOnly) {
		t.Errorf("Delete: %v", err)
	}
	if _, err := reader.reader.Exec(`DELETE FROM sempadan_layers`); err == nil {
		t.Error("a reading connection wrote")
	}
}

// TestPragmas: every connection of the pools has the settings.
func TestPragmas(t *testing.T) {
	s := newStore(t)
	for _, db := range []*sql.DB{s.writer, s.reader} {
		var conns []*sql.Conn
		for range db.Stats().MaxOpenConnections {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
			for pragma, want := range map[string]string{
				"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "trusted_schema": "0",
				"cell_size_check": "1", "secure_delete": "1", "temp_store": "2", "mmap_size": "0", "wal_autocheckpoint": "1000", "journal_size_limit": "67108864",
				"query_only": map[bool]string{true: "0", false: "1"}[db == s.writer],
			} {
				var got string
				if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s = %q, %v; want %q", pragma, got, err, want)
				}
			}
		}
		for _, conn := range conns {
			conn.Close()
		}
	}
}

func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.gpkg")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, data.Replace, points(5000))
	var page int64
	if err := s.reader.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'incidents'`).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 2000), (page-1)*4096+8); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "sempadan restore") {
		t.Errorf("Open: %v", err)
	}
}

// TestFull: a change that has no room fails with ErrFull and leaves nothing;
// reads go on, and so do writes when there is room again.
func TestFull(t *testing.T) {
	s := newStore(t)
	small := storetest.Random(1, "a", 50)
	mustCommit(t, s, data.Replace, small)
	limit := func(pages string) {
		if _, err := s.writer.Exec(`PRAGMA max_page_count = ` + pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("200")
	_, err := s.Commit(t.Context(), data.Change{Info: small.Info, Mode: data.Replace, Rows: points(20_000)})
	if !errors.Is(err, data.ErrFull) {
		t.Errorf("got %v", err)
	}
	storetest.Equal(t, mustLoad(t, s, "a"), small)
	limit("1000000")
	mustCommit(t, s, data.Replace, storetest.Random(2, "a", 50))
}

func TestReadOnlyDisk(t *testing.T) {
	s := newStore(t)
	l := storetest.Random(1, "a", 50)
	mustCommit(t, s, data.Replace, l)
	if _, err := s.writer.Exec(`PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l}); !errors.Is(err, data.ErrReadOnly) {
		t.Errorf("got %v", err)
	}
	storetest.Equal(t, mustLoad(t, s, "a"), l)
}

// TestOtherWriter: while another program writes, a change fails in time and
// reads go on.
func TestOtherWriter(t *testing.T) {
	s := newStore(t)
	l := storetest.Random(1, "a", 50)
	mustCommit(t, s, data.Replace, l)
	if _, err := s.writer.Exec(`PRAGMA busy_timeout = 20`); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", fileURL(s.Path()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	_, err = s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l})
	if !errors.Is(err, data.ErrReadOnly) || !strings.Contains(err.Error(), "another program") {
		t.Errorf("got %v", err)
	}
	storetest.Equal(t, mustLoad(t, s, "a"), l)
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, data.Replace, l)
}

// TestCancelledBegin: a context that ends while a transaction begins must not
// leave the one writing connection inside it.
func TestCancelledBegin(t *testing.T) {
	s := newStore(t)
	l := storetest.Random(1, "a", 5)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, _ = s.Commit(ctx, data.Change{Info: l.Info, Mode: data.Replace, Rows: l})
	}
	mustCommit(t, s, data.Replace, l)
}

// TestErasure: what is deleted is gone from the bytes of file and log.
func TestErasure(t *testing.T) {
	s := newStore(t)
	l := storetest.Random(1, "a", 500)
	l.Info.Note = "canary-3141592653"
	mustCommit(t, s, data.Replace, l)
	mustCommit(t, s, data.Replace, storetest.Random(2, "a", 500)) // the first is history now
	find := func() bool {
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(s.Path() + suffix)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("canary-3141592653")) || bytes.Contains(b, []byte("Selat Melaka")) {
				return true
			}
		}
		return false
	}
	if !find() {
		t.Fatal("the canary is not in the file at all")
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if find() {
		t.Error("deleted content is still in the file")
	}
}

func TestKeepVersions(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "k.gpkg"), Options{KeepVersions: 3})
	for k := range 8 {
		mode := data.Upsert
		if k%3 == 0 {
			mode = data.Replace
		}
		mustCommit(t, s, mode, storetest.Random(uint64(k), "k", 40))
	}
	list, err := s.Versions(t.Context(), "k")
	if err != nil || len(list) != 3 || list[0].Version != 8 || list[2].Version != 6 {
		t.Errorf("Versions = %v, %v", list, err)
	}
	// Versions 6, 7 and 8 are kept: only what 7 and 8 removed is history.
	wantText(t, s, `SELECT group_concat(removed) FROM sempadan_history`, "7,8")
	wantText(t, s, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name GLOB 'sempadan_history_[0-9]*'`, "2")
	if _, err := s.Rollback(t.Context(), "k", 5, data.Provenance{}); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("Rollback: %v", err)
	}
	if _, err := s.Rollback(t.Context(), "k", 6, data.Provenance{}); err != nil {
		t.Error(err)
	}
}

func TestBackup(t *testing.T) {
	s := newStore(t)
	l := storetest.Random(6, "a", 300)
	mustCommit(t, s, data.Replace, storetest.Random(5, "a", 300))
	mustCommit(t, s, data.Replace, l)
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "it's a backup.gpkg")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second backup: %v", err)
	}
	b := openTest(t, path, Options{})
	storetest.Equal(t, mustLoad(t, b, "a"), l)
	if _, err := b.Rollback(t.Context(), "a", 1, data.Provenance{}); err != nil {
		t.Error(err)
	}
}
