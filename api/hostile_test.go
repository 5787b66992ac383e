package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// No parameter can take the service down, and none that cannot be assessed is
// there after a restart.
func TestModelCannotHangTheService(t *testing.T) {
	s := start(t, "", true)
	before := s.want(200, "/v1/model")
	for _, body := range []string{
		`{"coverage":{"window_days":1e9}}`, `{"half_life_days":1e-300}`, `{"window_days":1e-320}`, `{"window_days":0.5}`, `{"density_window_days":1e300}`,
		`{"severity":{"weights":{"tip":-1}}}`, `{"kinds":["nope"]}`, `{"excluded_kinds":["nope"]}`, `{"version":""}`, `null`, `5`, `{"section_km":1e-9}`,
		`{"domain_km":1e9}`, `{"coverage":{"max_speed_ms":-1}}`, `{"coverage":{"sweep_widths":[{"mode":"foot","low_m":1,"mid_m":2,"high_m":1e12}]}}`,
	} {
		if a := s.do("PUT", "/v1/model", []byte(body), nil); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d %.200s", body, a.status, a.body)
		}
	}
	if after := s.want(200, "/v1/model"); !bytes.Equal(before.body, after.body) {
		t.Error("a refused model changed the one in force")
	}
	for _, q := range []string{"/v1/gaps?window_days=1e-320", "/v1/gaps?window_days=0.2", "/tiles/risk/5/25/15.png?half_life_days=0.01", "/tiles/density/5/25/15.png?kinds=nonsense", "/v1/gaps?country=XX"} {
		s.want(400, q)
	}
}

func TestPostsCannotHangTheService(t *testing.T) {
	s := start(t, "", false)
	a := s.put("/v1/layers/posts?kind=post", "text/csv", "id,lon,lat,agency,country,radius_m\np1,110.3,1,PGA,MY,8000000\np2,110.3,1,PGA,MY,90000\n")
	rep := a.json(t)
	if a.status != 201 || rep["accepted"] != 1.0 || rep["quarantined"] != 1.0 || !strings.Contains(string(a.body), "radius_m") {
		t.Errorf("%d %s", a.status, a.body)
	}
	world := `{"type":"Feature","properties":{"country":"MY"},"geometry":{"type":"Polygon","coordinates":[[[-179,-80],[179,-80],[179,80],[-179,80],[-179,-80]]]}}`
	if a := s.put("/v1/layers/world?kind=post", "application/geo+json", world); a.status != 201 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if n := s.want(200, "/v1/gaps").json(t)["annex"].(map[string]any)["posts_too_large"]; n != 1.0 {
		t.Errorf("%v posts too large", n)
	}
}

// What was refused does not reach the disk by way of the receipt, the file's
// name or the title.
func TestReceiptHoldsNoValues(t *testing.T) {
	s := start(t, "", false)
	a := s.do("PUT", "/v1/layers/mine?kind=incident", []byte("id,lat,lon,occurred_from,persons_total,medium\n"+
		"A1,1.45,112.2,2022-11-05,Siti Aminah 081234567890,sea\nA2,1.45,112.2,NIK 3201014501900001 Budi,2,sea\nA3,1.4,112.2,2022-11-05,2,Bambang Susilo\n"),
		map[string]string{"Content-Type": "text/csv", "Idempotency-Key": "k1", "X-Filename": "Budi_Santoso_081299998888.csv"})
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if title := s.put("/v1/layers/other?kind=incident&title=Budi%20081234567890", "text/csv", "lat,lon\n1,110\n"); title.status != 400 {
		t.Errorf("a title with a phone number: %d %s", title.status, title.body)
	}
	versions := s.want(200, "/v1/layers/mine/versions")
	s.stop()
	for _, suffix := range []string{"", "-wal"} {
		stored, err := os.ReadFile(s.path + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		for _, canary := range []string{"Siti", "Budi", "Bambang", "0812", "3201014501900001"} {
			if bytes.Contains(stored, []byte(canary)) || bytes.Contains(versions.body, []byte(canary)) {
				t.Errorf("%q is in the store%s or the versions", canary, suffix)
			}
		}
	}
}

func (s *service) searchCoverage(lon, lat float64) float64 {
	s.t.Helper()
	return s.want(200, "/v1/risk?lon="+num(lon)+"&lat="+num(lat)+"&as_of=2026-11-22").json(s.t)["search_coverage"].(float64)
}

func num(v float64) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// A post without an end is still there, one that closed is not.
func TestPostsWithoutAnEnd(t *testing.T) {
	s := start(t, "", false)
	a := s.put("/v1/layers/posts?kind=post&tz=Asia/Kuching", "text/csv", "id,lon,lat,agency,country,radius_m,from,to\n"+
		"p1,110.30,1.00,PGA,MY,1000,2026-10-01,\np2,111.30,1.00,PGA,MY,1000,2026-10-01T00:00:00Z,\n"+
		"p3,112.30,1.00,PGA,MY,1000,,2026-09-01T00:00:00Z\np4,113.30,1.00,PGA,MY,1000,,\np5,114.30,1.00,PGA,MY,1000,2026-01-01,2026-10-10\n")
	if a.status != 201 || a.json(t)["accepted"] != 5.0 {
		t.Fatalf("%s", a.body)
	}
	for lon, there := range map[float64]bool{110.3: true, 111.3: true, 112.3: false, 113.3: true, 114.3: false} {
		if c := s.searchCoverage(lon, 1); (c > 0.5) != there {
			t.Errorf("at %g: %g", lon, c)
		}
	}
}

func TestTrackAcrossTheDateline(t *testing.T) {
	s := start(t, "", false)
	track := `{"type":"Feature","properties":{"mode":"sea_boat","country":"MY","times":["2026-11-20T02:00:00Z","2026-11-20T02:20:00Z"]},"geometry":{"type":"LineString","coordinates":[[179.95,10],[-179.95,10]]}}`
	if a := s.put("/v1/layers/t?kind=patrol_track", "application/geo+json", track); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	for lon, covered := range map[float64]bool{0: false, -90: false, 179.97: true, -179.97: true} {
		if c := s.searchCoverage(lon, 10); (c > 0) != covered {
			t.Errorf("at %g: %g", lon, c)
		}
	}
}

func TestGapsWithoutIncidents(t *testing.T) {
	s := start(t, "", true)
	if a := s.do("DELETE", "/v1/layers/reported_incidents", nil, nil); a.status != 204 {
		t.Fatal(a.status)
	}
	for _, format := range []string{"json", "csv", "geojson"} {
		if a := s.want(200, "/v1/gaps?format="+format); bytes.Contains(a.body, []byte("NaN")) {
			t.Errorf("%s has NaN", format)
		}
	}
}

// One rule decides which built-in layers are there, now and after a restart.
func TestHiddenLayers(t *testing.T) {
	s := start(t, "", true)
	id := "/v1/layers/reported_incidents"
	s.do("DELETE", id, nil, nil)
	s.want(404, id)
	if a := s.do("POST", id+"/rollback", []byte(`{"version":0}`), nil); a.status != 200 {
		t.Errorf("bring it back: %d %s", a.status, a.body)
	}
	s.want(200, id)
	s.do("DELETE", id, nil, nil)
	s.put(id+"?kind=incident", "text/csv", incidentsCSV(3))
	s.do("DELETE", id, nil, nil)
	now := s.want(200, id).json(t)["features"]
	s.stop()
	s = start(t, s.path, true)
	if n := s.want(200, id).json(t)["features"]; n != now || n != 189.0 {
		t.Errorf("%v before the restart, %v after it", now, n)
	}
}

func TestPreconditionsOfEveryChange(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(2))
	s.put("/v1/layers/mine?mode=append", "text/csv", incidentsCSV(3))
	stale := map[string]string{"If-Match": `"1"`}
	if a := s.do("DELETE", "/v1/layers/mine", nil, stale); a.status != 412 {
		t.Errorf("delete: %d", a.status)
	}
	if a := s.do("POST", "/v1/layers/mine/rollback", []byte(`{"version":1}`), stale); a.status != 412 {
		t.Errorf("rollback: %d", a.status)
	}
	if a := s.do("PUT", "/v1/layers/none?kind=incident", []byte(incidentsCSV(1)), map[string]string{"If-Match": "*", "Content-Type": "text/csv"}); a.status != 412 {
		t.Errorf("must exist, but does not: %d", a.status)
	}
	etag := s.want(200, "/v1/layers/mine").header.Get("ETag")
	if a := s.do("PUT", "/v1/layers/mine?mode=append", []byte(incidentsCSV(1)), map[string]string{"If-Match": etag, "Content-Type": "text/csv"}); a.status != 200 {
		t.Errorf("with the layer's own tag %s: %d %s", etag, a.status, a.body)
	}
	key := map[string]string{"Idempotency-Key": "k", "Content-Type": "text/csv"}
	s.do("PUT", "/v1/layers/mine?mode=append", []byte(incidentsCSV(2)), key)
	if a := s.do("PUT", "/v1/layers/mine?mode=replace", []byte(incidentsCSV(2)), key); a.status != 422 {
		t.Errorf("the key for another mode: %d", a.status)
	}
}

// The number under the pointer is the one that the tile draws.
func TestValueIsWhatTheTileDraws(t *testing.T) {
	s := start(t, "", true)
	const z, x, y = 8, 206, 127
	for _, surface := range []string{"density", "hazard", "risk", "coverage", "knowledge", "gaps", "hotspots"} {
		img := decode(t, s.want(200, "/tiles/"+surface+"/8/206/127.png"))
		known, unknown, classes := 0, 0, surface == "gaps" || surface == "hotspots"
		for py := 5; py < 256; py += 31 {
			for px := 5; px < 256; px += 31 {
				n := math.Exp2(z + 8)
				lon := (x*256+float64(px)+.5)/n*360 - 180
				lat := math.Atan(math.Sinh(math.Pi*(1-2*(y*256+float64(py)+.5)/n))) * 180 / math.Pi
				value := s.want(200, "/tiles/"+surface+"/value?lon="+num(lon)+"&lat="+num(lat)).json(t)["value"]
				index := img.ColorIndexAt(px, py)
				hatched := !classes && index >= 254
				if (value == nil) != hatched && !classes || classes && (value == nil) != (index == 0) {
					t.Errorf("%s at %v: the value is %v, the pixel has colour %d", surface, orb.Point{lon, lat}, value, index)
				}
				if value == nil {
					unknown++
				} else {
					known++
				}
			}
		}
		if known == 0 {
			t.Errorf("%s: %d known, %d unknown places", surface, known, unknown)
		}
	}
}

// The explanation names the patrols that lower the number, too.
func TestBecauseNamesPatrols(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(20))
	s.put("/v1/layers/posts?kind=post", "text/csv", "id,lon,lat,agency,country,radius_m,from\np1,110.30,1.00,PGA,MY,3000,2026-10-01T00:00:00Z\n")
	r := s.want(200, "/v1/risk?lon=110.3&lat=1.0").json(t)
	product := 1.0
	for _, b := range r["because"].([]any) {
		if m := b.(map[string]any); m["type"] == "coverage" {
			product *= m["factor"].(float64)
		}
	}
	hazard, residual := r["hazard"].(map[string]any)["mean"].(float64), r["residual"].(map[string]any)["mean"].(float64)
	if product >= 1 || math.Abs(residual-hazard*30/365.25*product) > 1e-9*hazard {
		t.Errorf("the factors give %g, hazard %g, residual %g", product, hazard, residual)
	}
	if r["presence"].(float64) <= 0 {
		t.Error("no presence at a post")
	}
}

func TestOddPaths(t *testing.T) {
	s := start(t, "", false)
	for _, path := range []string{"//", "/v1/layers//features", "/assets/../index.html", "/v1/layers/%2e%2e/features", "/tiles/density/3/1/1.png/"} {
		if a := s.get(path); a.status != 404 || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, a.status, a.header.Get("Content-Type"))
		}
	}
}

// The schema of patrol tracks knows the targets and terrains that coverage
// knows.
func TestSchemaKnowsTheSweepWidths(t *testing.T) {
	for name, want := range map[string][]string{"target": surface.Targets(), "terrain": surface.Terrains()} {
		fields := data.Fields(geo.KindPatrolTrack)
		i := slices.IndexFunc(fields, func(f data.Field) bool { return f.Name == name })
		if i < 0 || !slices.Equal(fields[i].Codes, append(slices.Clone(want), "unknown")) {
			t.Errorf("%s: %+v, want %v", name, fields, want)
		}
	}
}

// A bandwidth of a few metres makes no tile slow, also where no record has a
// rougher place, and instants out of the calendar are refused.
func TestNarrowBandwidthAndFarInstants(t *testing.T) {
	s := start(t, "", false)
	csv := "lon,lat,occurred_from,kind\n"
	for i := range 500 {
		csv += fmt.Sprintf("%.4f,%.4f,2026-10-01T00:00:00Z,irr.exit\n", 110+float64(i)/300, 1+float64(i*37%500)/400)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", csv); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, path := range []string{"/tiles/hazard/8/206/127.png?bandwidth_m=10", "/tiles/hazard/2/3/1.png?bandwidth_m=10", "/tiles/density/4/12/7.png?bandwidth_m=10", "/tiles/risk/0/0/0.png?bandwidth_m=33"} {
		s.want(200, path)
	}
	for _, at := range []string{"0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"} {
		s.want(400, "/tiles/hazard/value?lon=110.5&lat=1.5&as_of="+at)
	}
	for _, at := range []string{"1901-01-01", "1970-01-01"} {
		if v := s.want(200, "/tiles/hazard/value?lon=110.5&lat=1.1&as_of="+at).json(t)["value"]; v != 0.0 {
			t.Errorf("as of %s the hazard is %v", at, v)
		}
	}
}
