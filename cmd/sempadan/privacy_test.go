package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
)

// A restored store knows of the releases of the one that it replaces.
func TestRestoreKeepsThePrivacyLedger(t *testing.T) {
	dir := t.TempDir()
	path, backup := filepath.Join(dir, "s.gpkg"), filepath.Join(dir, "b.gpkg")
	store, err := gpkg.Open(t.Context(), path, gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	book := `{"ledger":[{"quarter":"2026-10-01T00:00:00Z","made_at":"2026-10-02T00:00:00Z","from":"2025-07-03T00:00:00Z","until":"2026-07-03T00:00:00Z","epsilon":1,"sha256":"x"}]}`
	if err := store.SetSetting(t.Context(), "public_releases", []byte(book)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	replaced, err := gpkg.Restore(t.Context(), backup, path)
	if err == nil {
		err = noteRestore(t.Context(), path, replaced)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := openStore(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ledger, err := api.StoredPrivacyLedger(t.Context(), s, privacyPath("", path))
	if err != nil || len(ledger) != 1 || ledger[0].Quarter.Format(time.DateOnly) != "2026-10-01" {
		t.Errorf("%+v %v", ledger, err)
	}
}
