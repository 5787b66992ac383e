package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
)

// The command line lists the agreements beside a running service, and ends one
// when none runs.
func TestAgreementsCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.gpkg")
	store, err := gpkg.Open(t.Context(), path, gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	word := api.PartyWord{Country: "ID", Agency: "BNPP", KeyID: "k", At: time.Now()}
	other := word
	other.Country = "MY"
	raw, err := json.Marshal([]api.Agreement{
		{ID: "a-old", From: "MY", To: "ID", Purpose: "trial", CellKM: 5, K: 5, ExpiresAt: time.Now().Add(-time.Hour), Signatures: []api.PartyWord{word, other}},
		{ID: "a-new", From: "ID", To: "MY", Purpose: "joint patrols", Layers: []string{"cases"}, CellKM: 10, K: 7, ExpiresAt: time.Now().Add(time.Hour), Signatures: []api.PartyWord{word, other}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SetSetting(t.Context(), "agreements", raw); err != nil {
		t.Fatal(err)
	}
	list := must(t, "agreements", "list", "--store", path)
	if lines := strings.Split(list, "\n"); len(lines) < 3 || !strings.Contains(lines[1], "a-new") || !strings.Contains(lines[1], "in_force") || !strings.Contains(lines[2], "expired") {
		t.Errorf("list:\n%s", list)
	}
	if out, code := sempadan(t, "agreements", "end", "a-new", "--store", path, "--country", "MY", "--agency", "MAPO"); code != 1 || !strings.Contains(out, "DELETE /v1/agreements/a-new") {
		t.Errorf("beside a service: %d %s", code, out)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][]string{{}, {"--country", "MY"}} {
		if out, code := sempadan(t, append([]string{"agreements", "end", "a-new", "--store", path}, wrong...)...); code != 2 {
			t.Errorf("%v: %d %s", wrong, code, out)
		}
	}
	if out, code := sempadan(t, "agreements", "end", "a-new", "--store", path, "--country", "SG", "--agency", "X"); code == 0 {
		t.Error(out)
	}
	must(t, "agreements", "end", "a-new", "--store", path, "--country", "MY", "--agency", "MAPO")
	if out, code := sempadan(t, "agreements", "end", "a-new", "--store", path, "--country", "MY", "--agency", "MAPO"); code != 1 {
		t.Errorf("ended twice: %s", out)
	}
	var doc struct{ Agreements []api.AgreementAnswer }
	if err := json.Unmarshal([]byte(must(t, "agreements", "list", "--store", path, "--json")), &doc); err != nil || doc.Agreements[0].Status != "ended" || doc.Agreements[0].Ended.Agency != "MAPO" {
		t.Errorf("%+v %v", doc, err)
	}
}
