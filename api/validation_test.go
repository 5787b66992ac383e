package api_test

import (
	"strings"
	"testing"
	"time"
)

// validated asks until the back-test is done.
func (s *service) validated(path string) answer {
	s.t.Helper()
	for range 100 {
		a := s.get(path)
		if a.status != 202 {
			return a
		}
		if a.header.Get("Location") != path || a.header.Get("Retry-After") == "" {
			s.t.Fatalf("202 without the way on: %v", a.header)
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.t.Fatal("the back-test does not end")
	return answer{}
}

func TestValidation(t *testing.T) {
	s := start(t, "", true)
	v := s.validated("/v1/validation").json(t)
	result, ok := v["result"].(map[string]any)
	if !ok || len(v["missing"].([]any)) != 0 {
		t.Fatalf("no back-test of the public record: %v", v)
	}
	models := result["models"].(map[string]any)
	for _, name := range []string{"count", "kde", "count2kde", "sempadan"} {
		share := models[name].(map[string]any)["shares"].(map[string]any)["20"].(map[string]any)
		rate, ci := share["hit_rate"].(float64), share["ci95"].([]any)
		if rate < ci[0].(float64) || rate > ci[1].(float64) || rate <= 0.2 {
			t.Errorf("%s: %v", name, share)
		}
	}
	if v["version"] != s.want(200, "/version").json(t)["assessment"] {
		t.Error("the back-test is of another assessment")
	}
	svg := s.validated("/v1/validation?format=svg&lang=ms")
	if svg.status != 200 || svg.header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(string(svg.body), "diramalkan") {
		t.Errorf("%d %v %.200s", svg.status, svg.header, svg.body)
	}
	s.want(400, "/v1/validation?format=png")
	s.want(400, "/v1/validation?lang=fr")

	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(100)); a.status != 201 {
		t.Fatalf("upload: %d %s", a.status, a.body)
	}
	if after := s.validated("/v1/validation").json(t); after["version"] == v["version"] {
		t.Error("an upload did not make a new back-test")
	}
}

// Without enough incidents the answer says what is wanted.
func TestValidationOfTooLittle(t *testing.T) {
	s := start(t, "", false)
	check := func(says string) {
		t.Helper()
		v := s.validated("/v1/validation").json(t)
		if missing := v["missing"].([]any); v["result"] != nil || len(missing) != 1 || !strings.Contains(missing[0].(string), says) {
			t.Errorf("%v; want %q", v, says)
		}
		if svg := s.validated("/v1/validation?format=svg"); !strings.Contains(string(svg.body), "Not enough incidents") {
			t.Errorf("%.300s", svg.body)
		}
	}
	check("no incident is dated")
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(20))
	check("20 dated incidents")
	old := strings.ReplaceAll(incidentsCSV(40), "2026-", "2020-")
	s.put("/v1/layers/mine?kind=incident", "text/csv", old)
	check("40 dated incidents")
}
