package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sempadan/sempadan/data"
)

// problemAt checks that an address is refused as a problem, with the status and
// naming the parameter, if one is given.
func (s *service) problemAt(status int, path, parameter string) {
	s.t.Helper()
	a := s.get(path)
	if a.status != status || a.header.Get("Content-Type") != "application/problem+json" {
		s.t.Errorf("%.120s: %d (%s), want %d", path, a.status, a.header.Get("Content-Type"), status)
		return
	}
	p := a.json(s.t)
	if p["detail"] == "" || p["code"] == "" || p["status"] != float64(status) {
		s.t.Errorf("%.120s: %.300s", path, a.body)
	}
	if errs := p["errors"].([]any); parameter != "" && (len(errs) != 1 || errs[0].(map[string]any)["parameter"] != parameter) {
		s.t.Errorf("%.120s does not name %s: %.300s", path, parameter, a.body)
	}
}

// Tiles that are not on the grid are not there, in every service that has tiles.
func TestTilesOffTheGrid(t *testing.T) {
	s := ogcService(t)
	cells := [][3]string{{"5", "32", "0"}, {"5", "0", "32"}, {"0", "1", "0"}, {"40", "0", "0"}, {"23", "0", "0"}, {"5", "-1", "0"}, {"-1", "0", "0"}, {"5", "0", "-0"}, {"x", "0", "0"}, {"5", "x", "15"},
		{"5", "1.5", "15"}, {"5", "1e1", "15"}, {"5", "0x19", "15"}, {"5", "025", "15"}, {"+5", "25", "15"}, {"5", "99999999999999999999", "15"}, {"5", "4294967321", "15"}, {"5", "25", "18446744073709551631"},
		{"NaN", "25", "15"}, {"5", "Inf", "15"}, {"5", "%00", "15"}, {"5", "25", "15%20"}, {"5", "٢٥", "15"}, {strings.Repeat("9", 2000), "25", "15"}}
	for _, c := range cells {
		for _, address := range []string{"/tiles/density/%[1]s/%[2]s/%[3]s.png", "/tiles/layers/cases/%[1]s/%[2]s/%[3]s.mvt", "/tiles/layers/cases/%[1]s/%[2]s/%[3]s.pbf",
			"/ogc/tiles/WebMercatorQuad/%[1]s/%[3]s/%[2]s", "/ogc/collections/cases/tiles/WebMercatorQuad/%[1]s/%[3]s/%[2]s", "/ogc/styles/density/map/tiles/WebMercatorQuad/%[1]s/%[3]s/%[2]s"} {
			s.problemAt(404, fmt.Sprintf(address, c[0], c[1], c[2]), "")
		}
		for _, address := range []string{"/wmts/density/default/GoogleMapsCompatible/%[1]s/%[3]s/%[2]s.png",
			"/wmts?service=WMTS&request=GetTile&version=1.0.0&layer=density&style=default&format=image/png&tilematrixset=GoogleMapsCompatible&tilematrix=%[1]s&tilerow=%[3]s&tilecol=%[2]s"} {
			if a := s.get(fmt.Sprintf(address, c[0], c[1], c[2])); a.status < 400 || a.status > 499 {
				t.Errorf("%s %v: %d %.200s", address, c, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/ogc/tiles/EuropeanETRS89_LAEAQuad", "/ogc/tiles/nosuch/5/15/25", "/ogc/collections/cases/tiles/nosuch", "/ogc/collections/nosuch/tiles", "/ogc/styles/nosuch/map/tiles", "/ogc/tileMatrixSets/nosuch"} {
		s.problemAt(404, path, "")
	}
}

func TestBadBoxesAndSystems(t *testing.T) {
	s := ogcService(t)
	for _, base := range []string{items + "?", "/v1/layers/cases/features?"} {
		for _, box := range []string{"110,2,111,1", "110,NaN,111,2", "nan,0,1,1", "110,0,Inf,2", "-Infinity,0,1,1", "110,0,111", "110,0,111,2,3", "110,0,111,2,3,4,5", "a,b,c,d", ",,,", "110 0 111 2",
			"110,0,111,91", "110,-91,111,2", "181,0,182,1", "-181,0,1,1", "1e999,0,1,1", "110;0;111;2", strings.Repeat("1,", 5000) + "1"} {
			s.problemAt(400, base+"bbox="+url.QueryEscape(box), "bbox")
		}
	}
	for _, name := range []string{"crs", "bbox-crs", "filter-crs"} {
		for _, crs := range []string{"EPSG:4326", "http://www.opengis.net/def/crs/EPSG/0/1", "http://www.opengis.net/def/crs/EPSG/0/99999999999999999999", "4326", "file:///etc/passwd", "http://evil.example/crs", strings.Repeat("x", 5000)} {
			q := url.Values{name: {crs}, "bbox": {"110,0,111,2"}, "filter": {"TRUE"}}
			s.problemAt(400, items+"?"+q.Encode(), name)
		}
	}
	for _, c := range []string{"EPSG:9999", "nonsense", "EPSG:4326;DROP"} {
		for _, version := range []string{"1.3.0", "1.1.1"} {
			path := "/wms?service=WMS&request=GetMap&version=" + version + "&layers=density&styles=&format=image/png&width=64&height=64&bbox=0,0,1,1&crs=" + url.QueryEscape(c) + "&srs=" + url.QueryEscape(c)
			if a := s.get(path); a.status < 400 || a.status > 499 {
				t.Errorf("%s: %d %.200s", path, a.status, a.body)
			}
		}
	}
}

// A parameter that a path does not take is refused on every path, and so is an
// address of ten thousand bytes, in its path and in its query.
func TestUnknownParametersAndLongAddresses(t *testing.T) {
	s := ogcService(t)
	for _, path := range []string{"/healthz", "/readyz", "/version", "/v1/layers", "/v1/layers/cases", "/v1/layers/cases/features", "/v1/risk", "/v1/gaps", "/tiles/density.json", "/tiles/layers/cases.json",
		"/tiles/layers/cases/5/25/15.mvt", "/tiles/density/5/25/15.png", "/ogc", "/ogc/conformance", "/ogc/collections", "/ogc/collections/cases", items, items + "/1", "/ogc/tiles", "/ogc/tiles/WebMercatorQuad", "/ogc/collections/cases/tiles/WebMercatorQuad/5/15/25"} {
		s.problemAt(400, path+"?nosuch=1", "nosuch")
		s.problemAt(400, path+"?%00=1", "\x00")
		s.problemAt(400, path+"?"+strings.Repeat("x", 10_000)+"=1", "")
		s.problemAt(404, path+"/"+strings.Repeat("x", 10_000), "")
		s.problemAt(414, path+"?x="+strings.Repeat("x", 27<<10), "")
	}
	s.problemAt(404, "/"+strings.Repeat("x/", 5000), "")
	s.problemAt(404, "/v1/layers/"+strings.Repeat("x", 10_000)+"/features", "")
	s.problemAt(404, items+"/"+strings.Repeat("9", 10_000), "")
	s.problemAt(400, items+"?severity="+strings.Repeat("9", 10_000), "severity")
	s.problemAt(400, items+"?datetime="+strings.Repeat("2", 10_000), "datetime")
	s.problemAt(400, items+"?cursor="+strings.Repeat("A", 10_000), "cursor")
}

// cqlBombs are filters that are dear to read or to ask, by what bounds them.
func cqlBombs() map[string][2]string {
	deep := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	many := func(one, sep string, n int) string { return strings.Repeat(one+sep, n) + one }
	return map[string][2]string{
		"parentheses": {data.CQL2Text, deep("(", "severity=1", ")", 10_000)}, "open parentheses": {data.CQL2Text, strings.Repeat("(", 8000)}, "NOT": {data.CQL2Text, strings.Repeat("NOT ", 2000) + "severity=1"},
		"OR": {data.CQL2Text, many("severity=1", " OR ", 10_000)}, "mixed": {data.CQL2Text, deep("(severity=1 AND (severity=2 OR ", "severity=3", "))", 200)}, "functions": {data.CQL2Text, deep("s_intersects(", "geometry", ")", 500)},
		"collections": {data.CQL2Text, "s_intersects(geometry," + deep("GEOMETRYCOLLECTION(", "POINT(1 2)", ")", 350) + ")"}, "huge number": {data.CQL2Text, "severity = " + strings.Repeat("9", 8000)},
		"huge exponent": {data.CQL2Text, "severity = 1e" + strings.Repeat("9", 8000)}, "long name": {data.CQL2Text, strings.Repeat("a", 8000) + " = 1"}, "long IN": {data.CQL2Text, "severity IN (" + many("1", ",", 9000) + ")"},
		"patterns": {data.CQL2Text, "kind LIKE '" + strings.Repeat("%a", 4000) + "'"}, "escapes": {data.CQL2Text, "kind LIKE '" + strings.Repeat(`\%`, 4000) + "'"}, "quotes": {data.CQL2Text, "kind = '" + strings.Repeat("'", 8000)},
		"1 MB of JSON": {data.CQL2JSON, `{"op":"or","args":[` + many(`{"op":"=","args":[{"property":"severity"},1]}`, ",", 22_000) + `]}`}, "deep JSON": {data.CQL2JSON, deep(`{"op":"not","args":[`, "true", "]}", 300)},
		"deep lists": {data.CQL2JSON, deep("[", "1", "]", 4000)}, "open lists": {data.CQL2JSON, strings.Repeat("[", 8000)}, "wide JSON": {data.CQL2JSON, `{"op":"in","args":[{"property":"severity"},[` + many("1", ",", 9000) + `]]}`},
		"number of JSON": {data.CQL2JSON, `{"op":"=","args":[{"property":"severity"},` + strings.Repeat("9", 8000) + `]}`},
	}
}

// CQL2 bombs are refused on items, on features and on tiles, while the service
// answers others; reading one takes no more pieces of memory than its bytes allow.
func TestFilterBombs(t *testing.T) {
	s := ogcService(t)
	var wait sync.WaitGroup
	for name, bomb := range cqlBombs() {
		if n := testing.AllocsPerRun(1, func() { _, _ = data.ParseFilter(bomb[0], bomb[1], nil) }); n > 30_000 {
			t.Errorf("%s takes %.0f allocations", name, n)
		}
		wait.Go(func() {
			for _, base := range []string{items, "/v1/layers/cases/features", "/tiles/layers/cases/5/25/15.mvt", "/tiles/layers/cases.json", "/ogc/collections/cases/tiles/WebMercatorQuad/5/15/25"} {
				r, err := http.NewRequest("GET", s.url+base+"?"+url.Values{"filter": {bomb[1]}, "filter-lang": {bomb[0]}}.Encode(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				a, err := http.DefaultTransport.RoundTrip(r)
				if err != nil {
					if len(bomb[1]) < 100_000 { // longer ones are cut off with 431
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				_ = a.Body.Close()
				if a.StatusCode != 400 && a.StatusCode != 414 && a.StatusCode != 431 {
					t.Errorf("%s on %s: %d", name, base, a.StatusCode)
				}
			}
		})
	}
	for range 50 {
		for _, path := range []string{"/healthz", "/readyz"} {
			if a := s.get(path); a.status != 200 {
				t.Errorf("%s while bombs come: %d", path, a.status)
			}
		}
	}
	wait.Wait()
}
