package api_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
)

const fourPlaces = "id,lat,lon,note\nsubject-31415,1.1234567,110.7654321,canary-one\nb,1.2,110.2,two\n,1.3,110.3,canary-three\nd,1.4,110.4,four\n"

// TestReceiptAfterErasure: sending the file again after an erasure does not
// answer with the place of what was erased.
func TestReceiptAfterErasure(t *testing.T) {
	s := start(t, "", false)
	head := map[string]string{"Content-Type": "text/csv", "Idempotency-Key": "k1"}
	if a := s.do("PUT", "/v1/layers/mine?kind=other", []byte(fourPlaces), head); a.status != 201 || !bytes.Contains(a.body, []byte("110.7654321")) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.do("DELETE", "/v1/layers/mine/features/subject-31415?erase=true&reason=asked+for", nil, nil); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := s.do("PUT", "/v1/layers/mine?kind=other", []byte(fourPlaces), head)
	if a.status != http.StatusGone || a.json(t)["code"] != "content_erased" || bytes.Contains(a.body, []byte("110.76")) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if n := s.want(200, "/v1/layers/mine").json(t)["features"]; n != 3.0 {
		t.Errorf("%v features", n)
	}
}

// TestRestoreKeepsErasures: what was erased after a backup is erased again
// after its restore, by identifier and, where there is none, by FID.
func TestRestoreKeepsErasures(t *testing.T) {
	s := start(t, "", false)
	if a := s.put("/v1/layers/mine?kind=other", "text/csv", fourPlaces); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.put("/v1/layers/gone?kind=other", "text/csv", fourPlaces); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.stop()
	store, err := gpkg.Open(t.Context(), s.path, gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "b.gpkg")
	if err := store.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, s.path, false)
	for _, path := range []string{"mine/features/subject-31415?erase=true&reason=asked+for", "mine/features/3?erase=true&reason=asked+for", "gone"} {
		if a := s.do("DELETE", "/v1/layers/"+path, nil, nil); a.status/100 != 2 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
	}
	s.stop()
	replaced, err := gpkg.Restore(t.Context(), backup, s.path)
	if err != nil {
		t.Fatal(err)
	}
	reerase := func() api.Reerased {
		old, err := gpkg.Open(t.Context(), replaced, gpkg.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		restored, err := gpkg.Open(t.Context(), s.path, gpkg.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := api.Reerase(t.Context(), old, restored, clock)
		if err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Error(err)
		}
		if err := restored.Close(); err != nil {
			t.Error(err)
		}
		return got
	}
	if got := reerase(); got.Rows != 2 || got.Unknown != 0 || len(got.Layers) != 1 || got.Layers[0] != "gone" {
		t.Errorf("%+v, want 2 rows and the layer gone", got)
	}
	if _, err := os.Stat(replaced); err != nil {
		t.Error(err)
	}
	s = start(t, s.path, false)
	if n := s.want(200, "/v1/layers/mine").json(t)["features"]; n != 2.0 {
		t.Errorf("%v features", n)
	}
	if list := s.want(200, "/v1/tombstones").json(t)["tombstones"].([]any); len(list) < 3 {
		t.Errorf("%d tombstones, want those of the replaced store", len(list))
	}
	s.stop()
	b, err := os.ReadFile(s.path)
	if err != nil || !bytes.Contains(b, []byte("canary-one")) { // the layer that is there again
		t.Error("the layer that was deleted is not there", err)
	}
	if got := reerase(); got.Rows != 0 {
		t.Errorf("a second time: %+v", got)
	}
}
