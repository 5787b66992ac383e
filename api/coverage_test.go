package api_test

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// What a file says of outages, silence and agencies reaches the sections, the
// gap report and its annex.
func TestCoverageIsReported(t *testing.T) {
	s := start(t, "", false)
	for path, file := range map[string][2]string{
		"border?kind=boundary": {"application/geo+json",
			`{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[110,1],[110.9,1]]}}`},
		"incidents?kind=incident": {"text/csv", "occurred_from,lon,lat\n2026-11-20T00:00:00Z,110.05,1\n" + strings.Repeat("2026-11-20T00:00:00Z,110.41,1\n", 6)},
		"posts?kind=post": {"text/csv", "name,lon,lat,agency,country,radius_m,from,outages\n" +
			"camera,110.05,1,PGA,MY,2000,2026-01-01,2026-10-01T00:00:00Z/..\n" +
			"tower,110.85,1,PGA,MY,2000,2026-01-01,2026-11-20T00:00:00Z/2026-11-21T00:00:00Z\n"},
		"tracks?kind=patrol_track": {"text/csv", "track_id,time,lon,lat,agency,country,mode\n" +
			"T,2026-11-20T02:00:00Z,110.60,1,TNI,ID,vehicle\nT,2026-11-20T02:10:00Z,110.62,1,TNI,ID,vehicle\nT,2026-11-20T02:20:00Z,110.64,1,TNI,ID,vehicle\n"},
	} {
		if a := s.put("/v1/layers/"+path, file[0], file[1]); a.status != 201 || a.json(t)["quarantined"] != 0.0 {
			t.Fatalf("%s: %s", path, a.body)
		}
	}
	sectionAt := func(lon string) map[string]any {
		id := s.want(200, "/v1/risk?lat=1&lon="+lon).json(t)["section_id"].(string)
		return s.want(200, "/v1/sections/"+id).json(t)
	}
	down, tower, walked, empty := sectionAt("110.05"), sectionAt("110.85"), sectionAt("110.62"), sectionAt("110.41")
	near := func(got any, want float64) bool { v, ok := got.(float64); return ok && math.Abs(v-want) < 1e-6 }
	also, _ := down["also"].([]any)
	if down["class"] != "no_report" || !near(down["days_since_presence"], 52+10.0/24) || !near(down["hours_no_data"], 720) || !near(down["percent_blind"], 100) || slices.Contains(also, any("fading")) {
		t.Errorf("where the camera is out of order: %v", down)
	}
	if tower["class"] == "no_report" || !near(tower["hours_no_data"], 24) || tower["days_since_presence"] != 0.0 || tower["percent_visible"].(float64) <= 0 {
		t.Errorf("where the tower stands: %v", tower)
	}
	if by := walked["swept_by_agency"].([]any); len(by) != 1 || by[0].(map[string]any)["country"] != "ID" || by[0].(map[string]any)["agency"] != "TNI" || by[0].(map[string]any)["swept_km2"].(float64) <= 0 {
		t.Errorf("where a vehicle went: %v", by)
	}
	if empty["class"] != "blind_spot_priority" || empty["hours_no_data"] != 0.0 || len(empty["swept_by_agency"].([]any)) != 0 {
		t.Errorf("where nobody was: %v", empty)
	}
	for lang, words := range map[string][2]string{"en": {"No report received", "out of order for 720 hours"}, "id": {"Laporan tidak diterima", "720 jam"}, "ms": {"Laporan tidak diterima", "720 jam"}} {
		found := false
		for _, g := range s.want(200, "/v1/gaps?lang="+lang).json(t)["gaps"].([]any) {
			gap := g.(map[string]any)
			if reason := gap["reason"].(string); gap["section_id"] == down["id"] {
				found = strings.HasPrefix(reason, words[0]) && strings.Contains(reason, words[1]) && gap["hours_no_data"] == down["hours_no_data"]
				for _, c := range []string{"nobody has looked", "belum ada yang memeriksa"} {
					found = found && !strings.Contains(reason, c)
				}
			}
		}
		if !found {
			t.Errorf("the report in %s does not tell of the camera", lang)
		}
	}
	annex := s.want(200, "/v1/gaps").json(t)["annex"].(map[string]any)
	if annex["device_outages"] != 2.0 || !near(annex["track_hours_no_data"], 744) || annex["coverage_as_of"] != "2026-11-22T10:00:00Z" {
		t.Errorf("%v", annex)
	}
	schema := string(s.want(200, "/v1/layers/posts").body)
	if !strings.Contains(schema, `"outages"`) {
		t.Error("the schema of posts does not know outages")
	}
}
