package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const twoPoints = "id,lat,lon,n\nx,1.1,110.1,1\ny,1.2,110.2,2\n"

func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	store, backup := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg")
	must(t, "import", "--store", store, "p", write(t, "a.csv", twoPoints))
	must(t, "backup", "--store", store, backup)
	if _, code := sempadan(t, "backup", "--store", store, backup); code != 1 {
		t.Errorf("over a backup: exit %d", code)
	}
	must(t, "import", "--store", store, "p", write(t, "b.csv", "id,lat,lon\nz,1.3,110.3\n"))
	var done struct{ Replaced string }
	if err := json.Unmarshal([]byte(must(t, "restore", "--json", "--store", store, backup)), &done); err != nil || done.Replaced != store+".replaced" {
		t.Errorf("%v, %v", done, err)
	}
	if out := must(t, "export", "--store", store, "p", "--format", "csv"); !strings.Contains(out, "x,") || strings.Contains(out, "z,") {
		t.Errorf("restored: %s", out)
	}
}

// TestDryRunOfImport names what would change, and makes no store.
func TestDryRunOfImport(t *testing.T) {
	store := filepath.Join(t.TempDir(), "s.gpkg")
	file := write(t, "a.csv", twoPoints)
	if out := must(t, "import", "--dry-run", "--store", store, "p", file); !strings.Contains(out, "2 would be added, 0 changed, 0 removed") {
		t.Error(out)
	}
	if _, err := os.Stat(store); !os.IsNotExist(err) {
		t.Errorf("a dry run made a store: %v", err)
	}
	must(t, "import", "--store", store, "p", file)
	out := must(t, "import", "--dry-run", "--mode", "upsert", "--store", store, "p", write(t, "b.csv", "id,lat,lon,n\nx,1.1,110.1,7\nw,1,110,1\n"))
	if !strings.Contains(out, "1 would be added, 1 changed, 0 removed, 1 stay") || !strings.Contains(out, "changed x (n)") {
		t.Error(out)
	}
	var report struct {
		Diff struct{ Added, Changed, Removed int }
	}
	if err := json.Unmarshal([]byte(must(t, "import", "--json", "--dry-run", "--store", store, "p", write(t, "c.csv", "id,lat,lon\nq,1,110\n"))), &report); err != nil || report.Diff.Added != 1 || report.Diff.Removed != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}
