package api_test

import (
	"strings"
	"testing"
)

// Files with several routes, altitudes, folders and parts that are none have an
// answer for each, or say what is wrong.
func TestScoreOddFiles(t *testing.T) {
	s := routed(t)
	part := func(points string) string { return "<trkseg>" + points + "</trkseg>" }
	two := `<trkpt lat="1" lon="110.2"><ele>12</ele></trkpt><trkpt lat="1.01" lon="110.5"><ele>-3</ele></trkpt>`
	gpx := `<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk>` + part(two) + part(strings.ReplaceAll(two, "110", "111")) + `</trk><trk>` + part(two) + `</trk><trk>` +
		part(`<trkpt lat="1" lon="110.2"/>`) + `</trk><rte><rtept lat="1" lon="110.2"/><rtept lat="1.01" lon="110.5"/></rte></gpx>`
	mark := func(coordinates string) string {
		return "<Placemark><LineString><coordinates>" + coordinates + "</coordinates></LineString></Placemark>"
	}
	kml := `<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Folder>` + mark("110.2,1,5 110.5,1.01,5") + `<Folder>` + mark("110.2,1 110.6,1") + `</Folder></Folder></Document></kml>`
	for name, c := range map[string]struct {
		body         string
		routes, lost int
		partial      bool
	}{
		"tracks":    {gpx, 4, 1, true},
		"folders":   {kml, 2, 0, false},
		"altitudes": {`{"type":"MultiLineString","coordinates":[[[110.2,1,7],[110.5,1.01,1e300]],[[110.2,1,0,9],[110.5,1.01]]]}`, 2, 0, false},
	} {
		got := s.post(200, "/v1/routes/score", "", c.body).json(t)
		routes := got["routes"].([]any)
		if len(routes) != c.routes || got["quarantined"] != float64(c.lost) || got["partial"] != c.partial {
			t.Errorf("%s: %d routes, %v lost, partial %v", name, len(routes), got["quarantined"], got["partial"])
		}
		first := routes[0].(map[string]any)
		if want := s.post(200, "/v1/routes/score", "", `{"type":"LineString","coordinates":[[110.2,1],[110.5,1.01]]}`).json(t); first["p_incident"] != want["p_incident"] || first["length_m"] != want["length_m"] {
			t.Errorf("%s: %v and %v m, want %v and %v", name, first["p_incident"], first["length_m"], want["p_incident"], want["length_m"])
		}
	}
	line := `{"type":"LineString","coordinates":[[110.2,1],[110.5,1]]}` + "\n"
	for name, c := range map[string]struct {
		contentType, body, says string
		status                  int
	}{
		"NaN":        {"", `{"type":"LineString","coordinates":[[110,NaN],[111,1]]}`, "not valid JSON", 400},
		"null":       {"", `{"type":"LineString","coordinates":[[110,null],[111,1]]}`, "not a number", 422},
		"swapped":    {"", `{"type":"LineString","coordinates":[[1,110],[1,111]]}`, "longitude must come first", 422},
		"many":       {"application/geo+json-seq", strings.Repeat(line, 10_001), "more than 10000 lines; split it", 413},
		"lines":      {"application/json", line + line, "application/geo+json-seq", 400},
		"cut gpx":    {"", gpx[:len(gpx)-10], "cut off", 400},
		"GPX of NaN": {"", `<gpx version="1.1"><trk>` + part(`<trkpt lat="NaN" lon="110"/><trkpt lat="1" lon="110"/>`) + `</trk></gpx>`, "NaN", 422},
	} {
		if a := s.post(c.status, "/v1/routes/score", c.contentType, c.body); !strings.Contains(string(a.body), c.says) {
			t.Errorf("%s: %.300s", name, a.body)
		}
	}
}
