package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
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
	if v["judges"] != "forecast" || v["made_at"] != clock.Format(time.RFC3339) || len(v["data"].([]any)) == 0 {
		t.Errorf("judges %v, made %v, of %v", v["judges"], v["made_at"], v["data"])
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
	s.want(400, "/v1/validation?of=sections")
	s.want(400, "/v1/validation?of=hazard&format=svg")

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

// The hazard is judged apart from the forecast, and the answer is the one that
// is documented.
func TestValidationOfTheHazard(t *testing.T) {
	s := start(t, "", false)
	const line = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.6,1]]},"properties":{"countries":"IDN-MYS"}}]}`
	if a := s.put("/v1/layers/line?kind=boundary", "application/geo+json", line); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	empty := s.validated("/v1/validation?of=hazard").json(t)
	if empty["judges"] != "hazard" || empty["all"] != nil || len(empty["missing"].([]any)) != 1 {
		t.Errorf("without incidents: %v", empty)
	}
	csv := "id,lat,lon,occurred_from,kind,discovery\n"
	for i := range 100 {
		day := clock.AddDate(0, 0, -7*i).Format(time.DateOnly)
		csv += fmt.Sprintf("R%d,1.%02d,110.2,%s,irr.exit,hotline\n", i, i%5, day)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", csv); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	a := s.validated("/v1/validation?of=hazard")
	v := a.json(t)
	for _, by := range []string{"all", "reported"} {
		result := v[by].(map[string]any)
		for _, m := range []string{"records", "hazard"} {
			if rate := result["models"].(map[string]any)[m].(map[string]any)["shares"].(map[string]any)["5"].(map[string]any)["hit_rate"].(float64); rate < 0.99 {
				t.Errorf("%s by %s: %g at 5 %%", m, by, rate)
			}
		}
		if n := result["judged"].(float64); n < 50 || n > 52 {
			t.Errorf("%g incidents of a year, one a week", n)
		}
	}
	doc, err := openapi3.NewLoader().LoadFromData(s.want(200, "/openapi.json").body)
	if err != nil {
		t.Fatal(err)
	}
	checkDocumented(t, "/v1/validation?of=hazard", doc.Paths.Value("/v1/validation").Get, a)
}
