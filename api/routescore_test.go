package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// patrolsCSV is a walk at noon along latitude 1 on each of the last days.
func patrolsCSV(days int) string {
	var b strings.Builder
	b.WriteString("track_id,time,lon,lat,agency,country,mode,sweep_width_m\n")
	for d := range days {
		at := clock.AddDate(0, 0, -d-1)
		for k := range 41 {
			fmt.Fprintf(&b, "t%d,%s,%.3f,1.0%d,A,ID,foot,500\n", d, at.Add(time.Duration(k)*15*time.Minute).Format(time.RFC3339), 110.3+float64(k)*0.01, d%2)
		}
	}
	return b.String()
}

// routed is a small border with incidents and patrols.
func routed(t testing.TB) *service {
	t.Helper()
	s := start(t, "", false)
	for _, l := range [][3]string{
		{"line?kind=boundary", "application/geo+json", `{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[110,1],[111.8,1]]}}`},
		{"cases?kind=incident", "text/csv", incidentsCSV(200)}, {"walks?kind=patrol_track", "text/csv", patrolsCSV(10)},
		{"posts?kind=crossing", "application/geo+json", `{"type":"Feature","properties":{"kind":"plbn","name":"West"},"geometry":{"type":"Point","coordinates":[110.4,1]}}`},
		{"areas?kind=area", "application/geo+json", `{"type":"Feature","properties":{"agency":"BC","country":"ID","powers":"customs"},"geometry":{"type":"Polygon","coordinates":[[[109,0],[113,0],[113,2],[109,2],[109,0]]]}}`},
	} {
		if a := s.put("/v1/layers/"+l[0], l[1], l[2]); a.status != 201 {
			t.Fatalf("%s: %d %s", l[0], a.status, a.body)
		}
	}
	return s
}

func (s *service) post(status int, path, contentType, body string) answer {
	s.t.Helper()
	a := s.do("POST", path, []byte(body), map[string]string{"Content-Type": contentType})
	if a.status != status {
		s.t.Fatalf("POST %s: %d, want %d: %.400s", path, a.status, status, a.body)
	}
	return a
}

func lineText(line orb.LineString) string {
	b, _ := json.Marshal(map[string]any{"type": "LineString", "coordinates": line})
	return string(b)
}

// Along a meridian through three cells the chances follow by hand from what the
// service says of the middle of each.
func TestScoreByHandOverHTTP(t *testing.T) {
	s := routed(t)
	mid := surface.CellAt(orb.Point{110.5, 1})
	lon := mid.Center().Lon()
	up, down := surface.Cell{X: mid.X, Y: mid.Y - 1}, surface.Cell{X: mid.X, Y: mid.Y + 1}
	from, to := orb.Point{lon, down.Center().Lat()}, orb.Point{lon, up.Center().Lat()}
	hazard, swept := 0.0, 0.0
	for _, part := range []struct {
		cell surface.Cell
		a, b orb.Point
	}{{down, from, orb.Point{lon, mid.Bound().Min[1]}}, {mid, orb.Point{lon, mid.Bound().Min[1]}, orb.Point{lon, mid.Bound().Max[1]}}, {up, orb.Point{lon, mid.Bound().Max[1]}, to}} {
		km := geo.DistanceM(part.a, part.b) / 1000
		p := part.cell.Center()
		known := s.want(200, fmt.Sprintf("/v1/risk?lon=%v&lat=%v", p.Lon(), p.Lat())).json(t)
		hazard += known["hazard"].(map[string]any)["mean"].(float64) * km
		perHour := -math.Log(1-known["search_coverage"].(float64)) / (30 * 24)
		swept += perHour * km / 5
	}
	a := s.post(200, "/v1/routes/score?speed_kmh=5&corridor_m=2000&period_days=60", "application/geo+json", lineText(orb.LineString{from, to}))
	got := a.json(t)
	want := 1 - math.Exp(-60/365.25*2*hazard)
	if p := got["p_incident"].(float64); hazard == 0 || math.Abs(p-want) > 1e-7*want {
		t.Errorf("p_incident %g, by hand %g", p, want)
	}
	if p, want := got["p_detected"].(float64), 1-math.Exp(-swept); swept == 0 || math.Abs(p-want) > 1e-6*want {
		t.Errorf("p_detected %g, by hand %g", p, want)
	}
	leg := got["legs"].([]any)[0].(map[string]any)
	if j := leg["jurisdictions"].([]any); len(j) != 1 || j[0].(map[string]any)["agency"] != "BC" {
		t.Errorf("jurisdictions %v", j)
	}
	if x := got["nearest_crossing"].(map[string]any); x["name"] != "West" {
		t.Errorf("nearest crossing %v", x)
	}
	if c := a.header.Get("Cache-Control"); !strings.Contains(c, "no-store") || a.header.Get("ETag") != "" {
		t.Errorf("Cache-Control %q, ETag %q", c, a.header.Get("ETag"))
	}
}

// The same line is the same route in every format, direction and cut.
func TestScoreFormatsAgree(t *testing.T) {
	s := routed(t)
	kml := `<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><LineString><coordinates>110.2,1.02 110.9,0.98</coordinates></LineString></Placemark></kml>`
	gpx := `<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><%s><trkseg>` + `</trkseg></%[1]s></gpx>`
	points := `<%[1]spt lat="1.02" lon="110.2"/><%[1]spt lat="0.98" lon="110.9"/>`
	track := strings.Replace(fmt.Sprintf(gpx, "trk"), "</trkseg>", fmt.Sprintf(points, "trk")+"</trkseg>", 1)
	course := `<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><rte>` + fmt.Sprintf(points, "rte") + `</rte></gpx>`
	line := `{"type":"LineString","coordinates":[[110.2,1.02],[110.9,0.98]]}`
	want := s.post(200, "/v1/routes/score", "application/json", line).json(t)
	for name, c := range map[string][2]string{
		"feature":    {"application/geo+json", `{"type":"Feature","properties":{},"geometry":` + line + `}`},
		"collection": {"", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":null,"geometry":` + line + `}]}`},
		"parts":      {"", `{"type":"MultiLineString","coordinates":[[[110.2,1.02],[110.9,0.98]]]}`},
		"backwards":  {"", `{"type":"LineString","coordinates":[[110.9,0.98],[110.2,1.02]]}`},
		"kml":        {"application/vnd.google-earth.kml+xml", kml}, "track": {"application/gpx+xml", track}, "course": {"", course},
	} {
		got := s.post(200, "/v1/routes/score", c[0], c[1]).json(t)
		for _, key := range []string{"length_m", "p_incident", "p_detected"} {
			if a, b := got[key].(float64), want[key].(float64); math.Abs(a-b) > 1e-9*b {
				t.Errorf("%s: %s is %g, want %g", name, key, a, b)
			}
		}
	}
	two := s.post(200, "/v1/routes/score", "", `{"type":"MultiLineString","coordinates":[[[110.2,1.02],[110.5,1]],[[110.6,1],[110.9,0.98]]]}`).json(t)
	if n := len(two["routes"].([]any)); n != 2 || two["partial"] != false {
		t.Errorf("%d routes of a line in two parts: %v", n, two["partial"])
	}
	drawn := s.post(200, "/v1/routes/score?format=geojson&step_m=10000&by_time=true", "", line).json(t)["features"].([]any)
	kinds := map[string]int{}
	share := 0.0
	for _, f := range drawn {
		p := f.(map[string]any)["properties"].(map[string]any)
		kinds[p["kind"].(string)]++
		if v, ok := p["share"].(float64); ok {
			share += v
		}
	}
	if kinds["route"] != 1 || kinds["step"] != 8 || kinds["nearest_crossing"] != 1 || math.Abs(share-1) > 1e-9 {
		t.Errorf("%v with %g of the hazard", kinds, share)
	}
	timed := s.post(200, "/v1/routes/score?by_time=true&depart=2026-11-22T20:00:00%2B08:00", "", line).json(t)["by_time"].(map[string]any)
	if len(timed["hours"].([]any)) != 24 || len(timed["months"].([]any)) != 12 {
		t.Errorf("%v", timed)
	}
}

// What is no route is refused with what to do.
func TestScoreRefuses(t *testing.T) {
	s := routed(t)
	long := strings.Repeat("[110,1],[110.1,1],", 60_000)
	for name, c := range map[string]struct {
		path, body string
		status     int
		code, says string
	}{
		"nothing":      {"", "", 422, "", ""},
		"one point":    {"", `{"type":"LineString","coordinates":[[110,1]]}`, 422, "", "two positions"},
		"a point":      {"", `{"type":"Point","coordinates":[110,1]}`, 422, "no_line", "LineString"},
		"one place":    {"", `{"type":"LineString","coordinates":[[110,1],[110,1]]}`, 422, "invalid_line", "in one place"},
		"no features":  {"", `{"type":"FeatureCollection","features":[]}`, 422, "no_line", "LineString"},
		"vertices":     {"", `{"type":"LineString","coordinates":[` + long + `[110,1]]}`, 422, "invalid_line", "120001 vertices"},
		"nowhere":      {"", `{"type":"LineString","coordinates":[[10,50],[11,50]]}`, 422, "nothing_known", "draw the line"},
		"dateline":     {"", `{"type":"LineString","coordinates":[[179.5,1],[-179.5,1]]}`, 422, "nothing_known", ""},
		"not on earth": {"", `{"type":"LineString","coordinates":[[110,1],[110,91]]}`, 422, "", ""},
		"text":         {"", `hello`, 0, "", ""},
		"corridor":     {"?corridor_m=0", `{"type":"LineString","coordinates":[[110,1],[111,1]]}`, 400, "invalid_parameter", "corridor_m"},
		"speed":        {"?speed_kmh=NaN", `{"type":"LineString","coordinates":[[110,1],[111,1]]}`, 400, "invalid_parameter", "speed_kmh"},
		"depart":       {"?depart=tonight", `{"type":"LineString","coordinates":[[110,1],[111,1]]}`, 400, "invalid_parameter", "2026-11-22T20"},
		"unknown":      {"?corridor=5", `{"type":"LineString","coordinates":[[110,1],[111,1]]}`, 400, "unknown_parameter", "corridor_m"},
	} {
		a := s.do("POST", "/v1/routes/score"+c.path, []byte(c.body), nil)
		p := a.json(t)
		if a.status < 400 || a.status >= 500 || c.status != 0 && a.status != c.status || c.code != "" && p["code"] != c.code || !strings.Contains(p["detail"].(string), c.says) {
			t.Errorf("%s: %d %.300s", name, a.status, a.body)
		}
	}
}

// Many lines are a job; those that have no score say why, and the rest are scored.
func TestScoreOfManyLinesIsAJob(t *testing.T) {
	s := routed(t)
	var b strings.Builder
	for i := range 600 {
		lon := 110.0
		if i == 7 {
			lon = 10
		}
		fmt.Fprintf(&b, `{"type":"LineString","coordinates":[[%.3f,1],[%.3f,1.01]]}`+"\n", lon, lon+0.5+float64(i)/1000)
	}
	a := s.post(202, "/v1/routes/score", "application/geo+json-seq", b.String())
	job := a.header.Get("Location")
	var state map[string]any
	for range 200 {
		if state = s.want(200, job).json(t); state["status"] == "done" || state["status"] == "failed" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	scores := state["scores"].(map[string]any)
	routes := scores["routes"].([]any)
	if state["status"] != "done" || len(routes) != 600 || scores["failed"] != 1.0 || scores["partial"] != true {
		t.Fatalf("%v: %d routes, %v failed", state["status"], len(routes), scores["failed"])
	}
	if bad := routes[7].(map[string]any); bad["code"] != "nothing_known" {
		t.Errorf("%v", bad)
	}
	one := s.post(200, "/v1/routes/score", "", `{"type":"LineString","coordinates":[[110,1],[110.509,1.01]]}`).json(t)
	if got := routes[9].(map[string]any)["p_incident"]; got != one["p_incident"] {
		t.Errorf("%v in the batch, %v alone", got, one["p_incident"])
	}
	if list := s.want(200, "/v1/jobs"); strings.Contains(string(list.body), `"scores":{`) {
		t.Error("the list of jobs has their results")
	}
}
