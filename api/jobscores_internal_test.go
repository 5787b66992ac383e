package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// What a job has found is kept by no cache, as the answer itself is not.
func TestScoresOfJobsAreNotCached(t *testing.T) {
	g := newTravelled(t, false)
	r := httptest.NewRequest("POST", "/v1/routes/score", strings.NewReader(`{"type":"LineString","coordinates":[[110.4,1],[110.6,1.01]]}`))
	r.Header.Set("Authorization", "Bearer "+g.token["planner id"])
	r.Header.Set("Content-Type", "application/geo+json")
	r.Header.Set("Prefer", "respond-async")
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	at := w.Header().Get("Location")
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for range 500 {
		if w = g.do("planner id", "GET", at, ""); strings.Contains(w.Body.String(), `"done"`) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !strings.Contains(w.Body.String(), `"p_incident"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{at, "/v1/jobs"} {
		w := g.do("planner id", "GET", path, "")
		if !strings.Contains(w.Header().Get("Cache-Control"), "no-store") || path == at && w.Header().Get("ETag") != "" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}
