package api

import (
	"strconv"
	"strings"
	"testing"
)

// What is not public leaves with a mark that the answer names, in every format;
// what is public, and what the person at this machine takes, without one.
func TestExportsAreMarked(t *testing.T) {
	a := signedAgreement()
	g := newGuarded(t, a)
	csv, _ := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	seen := map[string]bool{}
	for _, q := range []string{"", "?format=geojsonseq", "?format=csv", "?format=gpx", "?format=kml", "?format=fgb", "?format=parquet", "?limit=3"} {
		w := g.do("polri", "GET", "/v1/layers/cases/features"+q, "")
		id := w.Header().Get(exportHeader)
		if w.Code != 200 || len(id) != 18 || seen[id] || !strings.Contains(w.Body.String(), id) {
			t.Errorf("%s: %d, export %q", q, w.Code, id)
		}
		if cache := w.Header().Get("Cache-Control"); w.Header().Get("ETag") != "" || q != "?limit=3" && !strings.Contains(cache, "no-store") {
			t.Errorf("%s: an answer that is never the same may be kept: %v", q, w.Header())
		}
		seen[id] = true
	}
	body := g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	keyID := strings.Split(g.token["polri"], "_")[1]
	for _, want := range []string{"ID/POLRI", keyID, "2026-11-22T10:00:00Z", "agreement none"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in the mark: %.300s", want, body)
		}
	}
	if strings.Contains(body, g.token["polri"]) {
		t.Error("the mark has the key's secret")
	}
	if body := g.want(200, "planner my", "GET", "/v1/layers/released_counts/features", ""); !strings.Contains(body, "agreement a-1") || !strings.Contains(body, "MY/MMEA") {
		t.Errorf("counts by agreement without its name: %.300s", body)
	}
	// A marked file is read back as it was: nothing of the mark stays.
	g.want(201, "polri", "PUT", "/v1/layers/again?kind=incident", g.want(200, "polri", "GET", "/v1/layers/cases/features?format=csv", ""))
	if body := g.want(200, "polri", "GET", "/v1/layers/again", ""); strings.Contains(body, "spd_export") {
		t.Errorf("the mark became a column: %s", body)
	}
	// On paper: in the foot, in the language of the report.
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.want(201, "pdrm", "PUT", "/v1/layers/garis?kind=boundary", borderFile)
	for lang, words := range map[string]string{"en": "for MY/MMEA, key", "id": "Tidak untuk diteruskan", "ms": "Bukan untuk diedarkan"} {
		w := g.do("planner my", "GET", "/v1/gaps?format=html&lang="+lang, "")
		if id := w.Header().Get(exportHeader); len(id) != 18 || !strings.Contains(w.Body.String(), id) || !strings.Contains(w.Body.String(), words) || !strings.Contains(w.Body.String(), "a-1") {
			t.Errorf("%s: the report has no mark %q", lang, id)
		}
	}
	if w := g.do("planner my", "GET", "/v1/gaps?format=pdf", ""); w.Code != 200 || len(w.Header().Get(exportHeader)) != 18 || w.Header().Get("ETag") != "" {
		t.Errorf("pdf: %d %v", w.Code, w.Header())
	}
	if w := g.do("planner my", "GET", "/v1/gaps", ""); w.Header().Get(exportHeader) != "" || w.Header().Get("ETag") == "" {
		t.Errorf("json: %v", w.Header())
	}
	a1, a2 := g.do("polri", "HEAD", "/v1/layers/cases/features", ""), g.do("polri", "GET", "/v1/layers/cases/features", "")
	if a1.Header().Get("Content-Length") == "" || a1.Header().Get("Content-Length") != strconv.Itoa(a2.Body.Len()) {
		t.Errorf("HEAD says %s, GET sends %d", a1.Header().Get("Content-Length"), a2.Body.Len())
	}
}
