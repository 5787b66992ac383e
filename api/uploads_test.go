package api_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
)

const roadAtSea = "id,lat,lon,occurred_from,kind,medium,location_precision_m\n" +
	"A1,3.5012,110.5012,2026-10-05T04:00:00Z,irr.exit,road,100\nA2,1.5572,110.3441,2026-10-06T04:00:00Z,irr.exit,road,100\n"

// A road at sea is a warning with its row, and a fault when the layer's owner
// makes it one.
func TestChecksOnMeaning(t *testing.T) {
	s := start(t, "", false)
	a := s.put("/v1/layers/a?kind=incident", "text/csv", roadAtSea)
	var found map[string]any
	for _, w := range a.json(t)["warnings"].([]any) {
		if w := w.(map[string]any); w["code"] == "at_sea" {
			found = w
		}
	}
	if a.status != 201 || found == nil || found["count"] != 1.0 || found["rows"].([]any)[0] != 2.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = s.put("/v1/layers/b?kind=incident&hard=at_sea,duplicate_id", "text/csv", roadAtSea)
	if r := a.json(t); r["accepted"] != 1.0 || r["rows"].([]any)[0].(map[string]any)["code"] != "at_sea" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a = s.put("/v1/layers/c?kind=incident&hard=nonsense", "text/csv", roadAtSea); a.status != 422 || !strings.Contains(string(a.body), "duplicate_place_time") {
		t.Errorf("%d %s", a.status, a.body)
	}
	a = s.put("/v1/layers/a?kind=incident&mode=append", "text/csv", roadAtSea)
	if !strings.Contains(string(a.body), "already_stored") {
		t.Errorf("%s", a.body)
	}
}

// GPX goes in and out; a layer of areas does not fit into it.
func TestGPXAndKMLThroughTheService(t *testing.T) {
	s := start(t, "", false)
	gpx := `<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg><trkpt lat="4.1" lon="117.7"><time>2026-01-01T00:00:00Z</time></trkpt>` +
		`<trkpt lat="4.11" lon="117.71"><time>2026-01-01T00:05:00Z</time></trkpt></trkseg></trk></gpx>`
	if a := s.put("/v1/layers/p?kind=patrol_track", "application/gpx+xml", gpx); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for format, wanted := range map[string]string{"gpx": "<time>2026-01-01T00:05:00Z</time>", "kml": "<when>2026-01-01T00:05:00Z</when>"} {
		a := s.want(200, "/v1/layers/p/features?format="+format)
		if !strings.Contains(string(a.body), wanted) || !strings.Contains(a.header.Get("Content-Type"), format) {
			t.Errorf("%s: %s", format, a.body)
		}
	}
	area := `{"type":"Polygon","coordinates":[[[110,1],[111,1],[111,2],[110,1]]]}`
	if a := s.put("/v1/layers/q", "application/geo+json", area); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a := s.want(422, "/v1/layers/q/features?format=gpx")
	if !strings.Contains(string(a.body), "format_too_narrow") {
		t.Errorf("%s", a.body)
	}
}

// Counts of areas come in by their profile, without a place, and survive a
// restart; nothing that draws or scores trips over them.
func TestProfilesAndStatistics(t *testing.T) {
	s := start(t, "", true)
	stats := "area,admin_code,month,measure,value\nNunukan,65.70,2026-09,deportation_arrivals,282\nNunukan,65.70,2026-10,deportation_arrivals,518\n"
	if a := s.put("/v1/layers/stats?profile=aggregate_statistics", "text/csv", stats); a.status != 201 || !strings.Contains(string(a.body), `"accepted":2`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	path := s.path
	s.stop()
	s = start(t, path, true)
	if a := s.want(200, "/v1/layers/stats"); !strings.Contains(string(a.body), `"bounds":null`) || !strings.Contains(string(a.body), `"kind":"incident"`) {
		t.Errorf("%.300s", a.body)
	}
	if a := s.want(200, "/v1/layers/stats/features"); strings.Count(string(a.body), `"geometry":null`) != 2 {
		t.Errorf("%s", a.body)
	}
	for _, ok := range []string{"/v1/layers/stats/features?bbox=-180,-90,180,90", "/v1/layers/stats/features?limit=1", "/v1/layers/stats/near?lon=0&lat=0&k=5", "/tiles/layers/stats.json",
		"/tiles/layers/stats/0/0/0.mvt", "/v1/sections", "/v1/risk?lon=0.5&lat=0.5", "/v1/layers/stats/features?format=kml", "/v1/layers"} {
		a := s.get(ok)
		if a.status != 200 && a.status != 204 {
			t.Errorf("%s: %d %.200s", ok, a.status, a.body)
		}
	}
	if a := s.want(200, "/v1/layers/stats/near?lon=0&lat=0&k=5"); strings.Contains(string(a.body), "deportation") {
		t.Errorf("a count of an area is near somewhere: %s", a.body)
	}

	own := `{"kind":"incident","map":{"occurred_from":"tanggal","kind":["jenis"],"lat":"y","lon":"x"},"values":{"kind":{"perahu":"obs.hidden_boat"}},"tz":"Asia/Pontianak","date_order":"dmy"}`
	if a := s.put("/v1/profiles/pos-kita", "application/json", own); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.want(200, "/v1/profiles"); !strings.Contains(string(a.body), "pos-kita") || strings.Count(string(a.body), `"builtin":true`) != 5 {
		t.Errorf("%s", a.body)
	}
	a := s.put("/v1/layers/own?profile=pos-kita", "text/csv", "x,y,tanggal,jenis\n110.3441,1.5572,04/05/2026 07:00,Perahu\n")
	got := s.want(200, "/v1/layers/own/features")
	if a.status != 201 || !strings.Contains(string(got.body), "obs.hidden_boat") || !strings.Contains(string(got.body), "2026-05-04T00:00:00Z") {
		t.Errorf("%d %s %s", a.status, a.body, got.body)
	}
	if a := s.put("/v1/profiles/bad", "application/json", `{"map":{"kind":["=a","b"]}}`); a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.put("/v1/profiles/bad", "application/json", `{"kind":"incident","map":{"occured_from":"a"}}`); a.status != 422 || !strings.Contains(string(a.body), "occured_from") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.put("/v1/layers/x?profile=none", "text/csv", stats); a.status != 422 || !strings.Contains(string(a.body), "missing_migrants") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// The page asks for the fields of a kind before there is a layer of it.
func TestSchemaOfAKind(t *testing.T) {
	s := start(t, "", false)
	a := s.want(200, "/v1/schemas/incident")
	if !strings.Contains(string(a.body), `"name":"occurred_from"`) || !strings.Contains(string(a.body), "irr.entry") {
		t.Errorf("%s", a.body)
	}
	s.want(404, "/v1/schemas/none")
}

// Uploads at the same time are each in the assessment when they are answered,
// though one assessment may make up for several.
func TestUploadsAtTheSameTime(t *testing.T) {
	s := start(t, "", false)
	var wg sync.WaitGroup
	const layers, each = 12, 20
	for i := range layers {
		wg.Go(func() {
			var b strings.Builder
			b.WriteString("lon,lat,occurred_from\n")
			for k := range each {
				fmt.Fprintf(&b, "%g,%g,2026-01-01\n", 110+float64(i), 1+float64(k)/100)
			}
			if a := s.put(fmt.Sprintf("/v1/layers/at-%d?kind=incident", i), "text/csv", b.String()); a.status != 201 {
				t.Errorf("%d %s", a.status, a.body)
				return
			}
			at := fmt.Sprintf("/tiles/density/value?lon=%g&lat=1.1", 110+float64(i))
			if v, _ := s.get(at).json(t)["value"].(float64); v <= 0 {
				t.Errorf("layer %d is answered, but not assessed", i)
			}
		})
	}
	wg.Wait()
	together := s.get("/tiles/density/value?lon=115&lat=1.1").json(t)["value"].(float64)
	s.stop()
	alone := start(t, s.path, false)
	if again := alone.get("/tiles/density/value?lon=115&lat=1.1").json(t)["value"].(float64); math.Abs(together-again) > 1e-9*again {
		t.Errorf("%g, made anew %g", together, again)
	}
}
