package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data"
)

// audited runs a command and returns what it printed.
func audited(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	c := root()
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

// The log is verified against checkpoints, tampering is exit 1, and a restore
// keeps every entry.
func TestAuditCommands(t *testing.T) {
	dir := t.TempDir()
	store, backup, rows := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg"), filepath.Join(dir, "r.csv")
	if err := os.WriteFile(rows, []byte("id,lon,lat,occurred_from,kind\nr1,110.1,1,2026-03-01,irr.exit\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audited(t, "audit", "verify", "--store", store); err == nil || !strings.Contains(err.Error(), "--keys says where") {
		t.Fatal(err)
	}
	if err := os.WriteFile(store+".keys.audit", []byte(strings.Repeat("ab", 32)), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := audited(t, "audit", "key", "--store", store); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Fatal("a key that a group may read is taken", err)
	}
	if err := os.Chmod(store+".keys.audit", 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(t.Context(), store, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AppendAudit(t.Context(), []data.AuditEntry{{At: time.Now(), Actor: "service", Action: "service.start"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := audited(t, append(args, "--store", store)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	must("import", "cases", rows, "--kind", "incident")
	must("backup", backup)
	must("import", "cases", rows, "--kind", "incident", "--mode", "append")
	must("restore", backup)
	var report api.AuditReport
	if err := json.Unmarshal([]byte(must("audit", "verify", "--json")), &report); err != nil || !report.OK || report.Entries != 4 || len(report.Restores) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	if out := must("audit", "exposure", "--layer", "cases", "--id", "r1"); !strings.Contains(out, "record 1 of cases") || !strings.Contains(out, "4 entries") {
		t.Error(out)
	}
	sink := filepath.Join(dir, "sink")
	key, err := api.ReadAuditKey(store + ".keys.audit")
	if err != nil {
		t.Fatal(err)
	}
	later := report.Head
	later.N += 3
	line, err := json.Marshal(key.Checkpoint(later, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sink, line, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := audited(t, "audit", "verify", "--store", store, "--checkpoint", sink); err == nil || !strings.Contains(out, "entry 5: is missing") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := audited(t, "audit", "verify", "--store", store, "--checkpoint", sink+"x"); err == nil {
		t.Error("a file of checkpoints that is not there is taken")
	}
	if _, err := audited(t, "audit", "exposure", "--store", store, "--layer", "cases", "--id", "r1", "--from", "2026-03-02", "--to", "2026-03-01"); err == nil {
		t.Error("a period that ends before it begins")
	}
}
