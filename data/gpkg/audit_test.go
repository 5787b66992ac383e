package gpkg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
)

func auditVerdict(t *testing.T, s *Store) data.AuditVerdict {
	t.Helper()
	v := data.NewAuditVerifier(nil, nil)
	err := s.ReadAudit(context.Background(), data.AuditFilter{}, func(e data.AuditEntry) error { v.Add(e); return nil })
	var fault *data.AuditFault
	switch {
	case errors.As(err, &fault):
		v.Fail(fault)
	case err != nil:
		t.Fatal(err)
	}
	return v.Verdict()
}

func appendEntries(t *testing.T, s *Store, n int) {
	t.Helper()
	var list []data.AuditEntry
	for i := range n {
		list = append(list, data.AuditEntry{At: time.UnixMilli(int64(i)), Actor: "k", Action: "a", Count: int64(i), Values: []string{"ab"}})
	}
	if _, err := s.AppendAudit(context.Background(), list); err != nil {
		t.Fatal(err)
	}
}

// Every column of every entry in the file counts, whatever is written into it.
func TestAuditTamperedFile(t *testing.T) {
	s := newStore(t)
	appendEntries(t, s, 9)
	if v := auditVerdict(t, s); !v.OK || v.Entries != 9 {
		t.Fatalf("%+v", v)
	}
	columns := []string{"at", "actor", "agency", "country", "role", "action", "object", "outcome", "count", "detail", "digests", "hash"}
	tried := 0
	for n := 1; n <= 9; n++ {
		for _, change := range []func(column string) string{
			func(c string) string { return c + ` || '1'` }, func(c string) string { return `x'00ff'` }, func(c string) string { return `'x y'` },
		} {
			for _, c := range columns {
				damage(t, s, fmt.Sprintf(`CREATE TABLE kept AS SELECT * FROM sempadan_audit; UPDATE sempadan_audit SET %s = %s WHERE n = %d`, c, change(c), n))
				if v := auditVerdict(t, s); v.OK || v.Fault.N != int64(n) {
					t.Errorf("%s of entry %d = %s: %+v", c, n, change(c), v.Fault)
				}
				damage(t, s, `DELETE FROM sempadan_audit; INSERT INTO sempadan_audit SELECT * FROM kept; DROP TABLE kept`)
				tried++
			}
		}
	}
	if v := auditVerdict(t, s); !v.OK {
		t.Fatalf("%+v", v)
	}
	t.Logf("%d of %d found", tried, tried)
}

func damage(t *testing.T, s *Store, sql string) {
	t.Helper()
	if _, err := s.writer.Exec(sql); err != nil {
		t.Fatal(sql, err)
	}
}

// A log that somebody else has cut off or gone on with stops every change that
// is to be told of.
func TestAuditBrokenUnderway(t *testing.T) {
	s := newStore(t)
	mustCommit(t, s, data.Replace, storetest.Random(1, "a", 20))
	appendEntries(t, s, 5)
	damage(t, s, `DELETE FROM sempadan_audit WHERE n = 5`)
	if _, err := s.AppendAudit(t.Context(), []data.AuditEntry{{}}); !errors.Is(err, data.ErrAuditBroken) {
		t.Errorf("append: %v", err)
	}
	l := storetest.Random(2, "a", 20)
	if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l}); !errors.Is(err, data.ErrAuditBroken) {
		t.Errorf("change: %v", err)
	}
	if v := auditVerdict(t, s); v.Entries != 4 {
		t.Errorf("%+v", v)
	}
}

// Without room for its entry a change is not made; with room again the log goes on.
func TestAuditFull(t *testing.T) {
	s := newStore(t)
	appendEntries(t, s, 1)
	var pages int
	if err := s.writer.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	damage(t, s, fmt.Sprintf(`PRAGMA max_page_count = %d`, pages))
	var err error
	n := 1
	for ; err == nil && n < 1000; n++ {
		_, err = s.AppendAudit(t.Context(), []data.AuditEntry{{Detail: string(bytes.Repeat([]byte("x"), 500))}})
	}
	if !errors.Is(err, data.ErrFull) {
		t.Fatal(err)
	}
	before := auditVerdict(t, s)
	damage(t, s, `PRAGMA max_page_count = 1000000`)
	appendEntries(t, s, 1)
	if v := auditVerdict(t, s); !before.OK || !v.OK || v.Entries != before.Entries+1 {
		t.Errorf("%+v, then %+v", before, v)
	}
}

// The log is in backups, outlives erasures and deletions, and a restore brings
// it back as it was.
func TestAuditBackupRestore(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg")
	s := openTest(t, path, Options{})
	appendEntries(t, s, 3)
	mustCommit(t, s, data.Replace, points(50))
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Erase(t.Context(), "incidents", data.Erasure{FIDs: []int64{1}, Provenance: data.Provenance{At: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "incidents"); err != nil {
		t.Fatal(err)
	}
	if v := auditVerdict(t, s); !v.OK || v.Entries != 6 {
		t.Errorf("%+v", v)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	if _, err := Restore(t.Context(), backup, path); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path, Options{})
	appendEntries(t, s, 1)
	if v := auditVerdict(t, s); !v.OK || v.Entries != 5 {
		t.Errorf("%+v", v)
	}
}

// What is in the rows of a layer, and what names them, is not in its entries.
func TestAuditCanary(t *testing.T) {
	s := newStore(t)
	appendEntries(t, s, 1)
	l := points(50)
	mustCommit(t, s, data.Replace, l)
	if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Append, Provenance: data.Provenance{At: time.Now(), User: "Siti Aminah",
		Filename: "siti.csv", Reason: "Siti Aminah of Kampung Lundu", Action: "correct Siti"}}); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	if err := s.ReadAudit(t.Context(), data.AuditFilter{}, func(e data.AuditEntry) error {
		_, err := fmt.Fprintf(&all, "%+v\n", e)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, canary := range []string{"Siti", "siti", "Lundu", "Kampung"} {
		if bytes.Contains(all.Bytes(), []byte(canary)) {
			t.Errorf("%s is in the log: %s", canary, all.Bytes())
		}
	}
	if !bytes.Contains(all.Bytes(), []byte("layer.replace")) {
		t.Errorf("%s", all.Bytes())
	}
}

func BenchmarkAppendAudit(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "s.gpkg")
			s, err := Open(b.Context(), path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			list := make([]data.AuditEntry, n)
			for i := range list {
				list[i] = data.AuditEntry{Actor: "0123456789", Agency: "POLRI", Country: "ID", Role: "analyst", Action: "rows.read", Object: "incidents", Outcome: data.AuditDone}
			}
			for b.Loop() {
				if _, err := s.AppendAudit(b.Context(), list); err != nil {
					b.Fatal(err)
				}
			}
			st, err := os.Stat(path)
			if err == nil {
				b.ReportMetric(float64(st.Size()), "bytes")
			}
		})
	}
}

// Restoring a backup loses no entry of the log, where the log goes on from it.
func TestCarryAudit(t *testing.T) {
	dir := t.TempDir()
	open := func(name string) *Store { return openTest(t, filepath.Join(dir, name), Options{}) }
	s := open("s.gpkg")
	appendEntries(t, s, 4)
	if err := s.Backup(t.Context(), filepath.Join(dir, "b.gpkg")); err != nil {
		t.Fatal(err)
	}
	appendEntries(t, s, 3)
	want, err := s.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := open("b.gpkg")
	if n, ok, err := data.CarryAudit(t.Context(), s, b); err != nil || !ok || n != 3 {
		t.Fatalf("%d, %v, %v", n, ok, err)
	}
	if v := auditVerdict(t, b); !v.OK || v.Head != want {
		t.Errorf("%+v, want %+v", v, want)
	}
	if n, ok, err := data.CarryAudit(t.Context(), s, b); err != nil || !ok || n != 0 {
		t.Errorf("again: %d, %v, %v", n, ok, err)
	}
	other := open("other.gpkg")
	appendEntries(t, other, 9)
	damage(t, other, `UPDATE sempadan_audit SET count = 99 WHERE n = 8`)
	for name, from := range map[string]*Store{"of another store": other, "shorter": open("empty.gpkg")} {
		if n, ok, err := data.CarryAudit(t.Context(), from, b); err != nil || ok || n != 0 {
			t.Errorf("%s: %d, %v, %v", name, n, ok, err)
		}
	}
	if v := auditVerdict(t, b); !v.OK || v.Head != want {
		t.Errorf("%+v, want %+v", v, want)
	}
}
