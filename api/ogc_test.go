package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// ogcService has a layer of twelve incidents, E0 to E11, along a parallel, and
// one of areas.
func ogcService(t *testing.T) *service {
	s := start(t, "", false)
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,severity\n")
	for i := range 12 {
		fmt.Fprintf(&b, "E%d,%g,1,2026-%02d-01T03:00:00Z,%s,%d\n", i, 110+float64(i)/10, 1+i%10, []string{"irr.exit", "mar.landing"}[i%2], 1+i%5)
	}
	if a := s.put("/v1/layers/cases?kind=incident", "text/csv", b.String()); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	if a := s.put("/v1/layers/areas?kind=area", "application/geo+json",
		`{"type":"Feature","properties":{"name":"<script>alert(1)</script>","country":"ID"},"geometry":{"type":"Polygon","coordinates":[[[110,0],[111,0],[111,1],[110,0]]]}}`); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	return s
}

// ids are the ids of the items that an address answers.
func (s *service) ids(path string) (out []string) {
	s.t.Helper()
	for _, f := range s.want(200, path).json(s.t)["features"].([]any) {
		out = append(out, fmt.Sprint(f.(map[string]any)["id"]))
	}
	return out
}

const items = "/ogc/collections/cases/items"

func TestOGCResources(t *testing.T) {
	s := ogcService(t)
	conforms := fmt.Sprint(s.want(200, "/ogc/conformance").json(t)["conformsTo"])
	for _, class := range []string{"ogcapi-features-1/1.0/conf/core", "ogcapi-features-2/1.0/conf/crs", "ogcapi-features-3/1.0/conf/filter", "cql2/1.0/conf/cql2-json"} {
		if !strings.Contains(conforms, class) {
			t.Errorf("%s is not declared", class)
		}
	}
	// Every link of every resource answers, in the form that it says.
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		if seen[path] || len(seen) > 200 {
			return
		}
		seen[path] = true
		a := s.want(200, path)
		if strings.Contains(a.header.Get("Content-Type"), "html") {
			return
		}
		var walk func(v any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, x := range v {
					walk(x)
				}
			case map[string]any:
				if href, ok := v["href"].(string); ok {
					if v["rel"] == "" || v["type"] == "" {
						t.Errorf("%s has the link %v", path, v)
					}
					to := strings.TrimPrefix(href, s.url)
					if v["templated"] == true || !strings.HasPrefix(to, "/ogc") {
						return
					}
					follow(to)
					if got := s.want(200, to).header.Get("Content-Type"); !strings.HasPrefix(got, strings.Split(v["type"].(string), ";")[0]) {
						t.Errorf("%s is said to be %v and is %s", to, v["type"], got)
					}
					return
				}
				for _, x := range v {
					walk(x)
				}
			}
		}
		walk(a.json(t))
	}
	follow("/ogc")
	if len(seen) < 20 {
		t.Errorf("only %d resources: %v", len(seen), seen)
	}
	list := s.want(200, "/ogc/collections").json(t)["collections"].([]any)
	for _, c := range list {
		c := c.(map[string]any)
		one := s.want(200, "/ogc/collections/"+c["id"].(string)).json(t)
		for _, name := range []string{"id", "title", "description", "extent"} {
			if fmt.Sprint(one[name]) != fmt.Sprint(c[name]) {
				t.Errorf("%v: %s differs between the list and the collection", c["id"], name)
			}
		}
	}
	for path, status := range map[string]int{"/ogc/collections/none": 404, items + "/none": 404, items + "/0": 404, items + "/01": 404, items + "/99999999999999999999": 404,
		items + "?limit=0": 400, items + "?limit=-1": 400, items + "?limit=1.5": 400, items + "?limit=unlimited": 400, items + "?limit=99999999999999999999": 200,
		items + "?bbox=1,2,3": 400, items + "?bbox=0,10,10,0": 400, items + "?bbox=177,65,-177,70": 200, items + "?unknown=1": 400, items + "?severity=x": 400,
		items + "?crs=http://www.opengis.net/def/crs/0/unsupported": 400, items + "?f=xml": 400, items + "?cursor=x": 400, items + "?limit=1&limit=2": 400,
		items + "?datetime=yesterday": 400, items + "?datetime=2026-02-01/P2D": 200, items + "?datetime=P2D/2026-02-01": 200, items + "?datetime=2026-02-01/P": 400,
		items + "?datetime=2026-02-01/2026-01-01": 400, items + "?datetime=../2026-02-01": 200, items + "?datetime=/": 400,
		items + "?filter=severity": 400, items + "?filter=nosuch=1": 400, items + "?filter=severity=1&filter-lang=sql": 400, items + "?filter-lang=sql": 400,
		items + "?filter=" + strings.Repeat("(", 100): 400, items + "?filter=" + strings.Repeat("x", 9000): 400, "/ogc/collections/areas/items?filter=name%3D1": 400} {
		if a := s.get(path); a.status != status || status >= 400 && a.json(t)["detail"] == "" {
			t.Errorf("%.80s: %d, want %d: %.200s", path, a.status, status, a.body)
		}
	}
	page := string(s.want(200, "/ogc/collections/areas/items?f=html").body) + string(s.want(200, "/ogc/collections/areas/items/1?f=html").body)
	if strings.Contains(page, "<script") || !strings.Contains(page, "&lt;script&gt;") {
		t.Error("a page does not escape what is stored")
	}
	if a := s.do("GET", "/ogc/collections", nil, map[string]string{"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}); !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("a browser gets %s", a.header.Get("Content-Type"))
	}
}

func TestOGCItems(t *testing.T) {
	s := ogcService(t)
	if got := s.ids(items + "?limit=5"); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Errorf("%v", got)
	}
	// Forwards to the end and back again.
	link := func(doc map[string]any, rel string) string {
		for _, l := range doc["links"].([]any) {
			if l := l.(map[string]any); l["rel"] == rel {
				return strings.TrimPrefix(l["href"].(string), s.url)
			}
		}
		return ""
	}
	for _, query := range []string{"?limit=5", "?limit=5&bbox=109,0,112,2&datetime=2026-01-01/..", "?limit=5&filter=severity+%3E+0"} {
		var all, back []string
		path := items + query
		for last := ""; path != ""; {
			a := s.want(200, path)
			doc := a.json(t)
			if doc["numberMatched"] != 12.0 || int(doc["numberReturned"].(float64)) != len(doc["features"].([]any)) || a.header.Get("Content-Crs") == "" {
				t.Fatalf("%s: %v of %v", path, doc["numberReturned"], doc["numberMatched"])
			}
			all = append(all, s.ids(path)...)
			last, path = path, link(doc, "next")
			if path == "" {
				for path = last; path != ""; path = link(s.want(200, path).json(t), "prev") {
					back = append(s.ids(path), back...)
				}
			}
		}
		if len(all) != 12 || !slices.Equal(all, back) {
			t.Errorf("%s: %v, and back %v", query, all, back)
		}
	}
	for query, want := range map[string]string{
		"bbox=110.05,0,110.25,2": "2 3",
		"bbox=0.5,110.05,1.5,110.25&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326":            "2 3",
		"bbox=12250710,0,12272974,222684&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857":       "2 3",
		"bbox=394000,100000,417000,120000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/32649":     "2 3",
		"bbox=394000,10100000,417000,10120000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/32749": "2 3",
		"severity=2&kind=irr.exit":                              "7",
		"datetime=2026-01-01":                                   "1 11",
		"datetime=2026-01-31/P2D":                               "2 12",
		"filter=S_INTERSECTS(geometry,BBOX(110.05,0,110.25,2))": "2 3",
		"filter=S_INTERSECTS(geometry,POINT(1+110.1))&filter-crs=http://www.opengis.net/def/crs/EPSG/0/4326":  "2",
		"filter-lang=cql2-json&filter=" + url.QueryEscape(`{"op":"in","args":[{"property":"severity"},[5]]}`): "5 10",
		"filter=kind+LIKE+'mar%25'+AND+severity+BETWEEN+1+AND+2&bbox=110,0,110.5,2":                           "2 6",
		"filter=T_BEFORE(occurred_from,DATE('2026-02-01'))":                                                   "1 11",
		"occurred_from=2026-03-01T03:00:00Z":                                                                  "3",
	} {
		if got := strings.Join(s.ids(items+"?"+query), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	// The layers' own address knows the same filters.
	if n := len(s.want(200, "/v1/layers/cases/features?filter=severity=5").json(t)["features"].([]any)); n != 2 {
		t.Errorf("/v1 finds %d", n)
	}
	if n := s.want(200, "/v1/layers/cases/features?filter=severity=5&limit=1").json(t)["numberMatched"]; n != 2.0 {
		t.Errorf("a page of /v1 finds %v", n)
	}
	s.want(400, "/v1/layers/cases/features?filter=severity")
	// The triangle's box touches this one; the triangle does not.
	if got := s.ids("/ogc/collections/areas/items?bbox=110.1,0.8,110.2,0.9"); len(got) != 0 {
		t.Errorf("a box beside the triangle: %v", got)
	}
	at := func(crs string) [2]float64 {
		c := s.want(200, items+"/1?crs=http://www.opengis.net/def/crs/"+crs).json(t)["geometry"].(map[string]any)["coordinates"].([]any)
		return [2]float64{c[0].(float64), c[1].(float64)}
	}
	// By gdaltransform -s_srs OGC:CRS84 -t_srs EPSG:… of 110 1.
	for crs, want := range map[string][2]float64{"OGC/1.3/CRS84": {110, 1}, "EPSG/0/4326": {1, 110}, "EPSG/0/3857": {12245143.987, 111325.143}, "EPSG/0/32649": {388736.188, 110547.106}} {
		if got := at(crs); max(got[0]-want[0], want[0]-got[0], got[1]-want[1], want[1]-got[1]) > 0.002 {
			t.Errorf("%s: %v, want %v", crs, got, want)
		}
	}
	a := s.want(200, items+"?limit=3")
	if b := s.do("GET", items+"?limit=3", nil, map[string]string{"If-None-Match": a.header.Get("ETag")}); b.status != 304 || b.header.Get("ETag") != a.header.Get("ETag") || len(b.body) != 0 {
		t.Errorf("%d %v", b.status, b.header)
	}
	if h := s.do("HEAD", items+"?limit=3", nil, nil); h.status != 200 || h.header.Get("Content-Length") != fmt.Sprint(len(a.body)) || h.header.Get("Link") != a.header.Get("Link") || h.header.Get("Link") == "" {
		t.Errorf("%v", h.header)
	}
}

// The definition is valid OpenAPI 3.0, and QGIS finds in it what it looks for.
func TestOGCDefinition(t *testing.T) {
	s := ogcService(t)
	a := s.want(200, "/ogc/api")
	doc, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	limit := doc.Components.Parameters["limit"].Value.Schema.Value
	if *limit.Max != 10000 || *limit.Min != 1 || limit.Default != 100.0 {
		t.Errorf("%v", limit)
	}
	for _, path := range []string{"/collections/cases/items", "/collections/areas/items"} {
		op := doc.Paths.Value(path).Get
		names := map[string]bool{}
		for _, p := range op.Parameters {
			names[p.Value.Name] = true
			if p.Value.In == "query" && (p.Value.Style != "form" || p.Value.Explode == nil || *p.Value.Explode || p.Value.Schema.Value.Type == nil) {
				t.Errorf("%s: %s is not written out", path, p.Value.Name)
			}
		}
		if !names["country"] && !names["severity"] || !names["bbox-crs"] {
			t.Errorf("%s: %v", path, names)
		}
	}
	if doc.Paths.Value("/collections/cases/items").Post == nil || doc.Paths.Value("/collections/areas/items").Post != nil {
		t.Error("incidents alone can be edited")
	}
	q := s.want(200, "/ogc/collections/cases/queryables").json(t)
	p := q["properties"].(map[string]any)
	if q["type"] != "object" || q["additionalProperties"] != false || p["geometry"].(map[string]any)["format"] != "geometry-point" || p["severity"].(map[string]any)["type"] != "integer" {
		t.Errorf("%v", q)
	}
}

func TestOGCEdits(t *testing.T) {
	s := ogcService(t)
	const gj = "application/geo+json"
	do := func(method, path, media, match, body string) answer {
		h := map[string]string{"Content-Type": media}
		if match != "" {
			h["If-Match"] = match
		}
		return s.do(method, path, []byte(body), h)
	}
	feature := func(lon float64, severity string) string {
		return fmt.Sprintf(`{"type":"Feature","geometry":{"type":"Point","coordinates":[%g,0.5]},"properties":{"kind":"irr.exit","severity":%s,"occurred_from":"2026-10-01T00:00:00Z"}}`, lon, severity)
	}
	if allow := s.do("OPTIONS", items, nil, nil).header.Get("Allow"); allow != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("%s", allow)
	}
	if allow := s.do("OPTIONS", "/ogc/collections/areas/items/1", nil, nil).header.Get("Allow"); allow != "GET, HEAD, OPTIONS" {
		t.Errorf("%s", allow)
	}
	a := do("POST", items, gj, "", feature(110.5, "2"))
	if a.status != 201 || a.header.Get("Location") != s.url+items+"/13" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	one := items + "/13"
	read := s.want(200, one)
	first := read.header.Get("ETag")
	if first == "" || read.json(t)["properties"].(map[string]any)["release"] != "national" {
		t.Errorf("%s", read.body)
	}
	for _, c := range []struct {
		method, path, media, match, body string
		status                           int
	}{
		{"POST", items, "text/plain", "", "x", 415},
		{"POST", items, gj, "", "{", 400},
		{"POST", items, gj, "", `[]`, 400},
		{"POST", items, gj, "", `{"type":"FeatureCollection","features":[]}`, 422},
		{"POST", items, gj, "", `{"type":"Feature","geometry":null,"properties":{}}`, 422},
		{"POST", items, gj, "", `{"type":"Feature","geometry":{"type":"Point","coordinates":["x"]},"properties":{}}`, 422},
		{"POST", items, gj, "", `{"type":"Feature","geometry":{"type":"Point","coordinates":[200,1]},"properties":{}}`, 422},
		{"POST", items, gj, "", feature(110.5, `"many"`), 422},
		{"POST", items, gj, "", strings.Replace(feature(110, "1"), `"kind"`, `"victim_name":"Siti","kind"`, 1), 422},
		{"POST", items, gj, "", `{"pad":"` + strings.Repeat("x", 9<<20) + `"}`, 413},
		{"POST", "/ogc/collections/areas/items", gj, "", feature(110, "1"), 405},
		{"POST", "/ogc/collections/areas/items", "text/plain", "", "x", 405},
		{"POST", "/ogc/collections/none/items", gj, "", feature(110, "1"), 404},
		{"PUT", one, gj, "", feature(110.75, "3"), 428},
		{"PUT", one, gj, `"wrong"`, feature(110.75, "3"), 412},
		{"PUT", items + "/99", gj, "*", feature(110.75, "3"), 404},
		{"PUT", one, "text/plain", "*", "x", 415},
		{"PATCH", one, "application/merge-patch+json", "", `{"properties":{"severity":4}}`, 428},
		{"PATCH", one, "application/merge-patch+json", "*", `{"geometry":null}`, 422},
		{"PATCH", one, "application/merge-patch+json", "*", `{"nosuch":1}`, 422},
		{"DELETE", one, gj, "", "", 428},
		{"DELETE", one, gj, `"wrong"`, "", 412},
	} {
		a := do(c.method, c.path, c.media, c.match, c.body)
		if a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %.120s: %d, want %d: %.300s", c.method, c.path, c.body, a.status, c.status, a.body)
		}
		if strings.Contains(string(a.body), "Siti") {
			t.Errorf("a name is echoed: %s", a.body)
		}
	}
	bad := do("POST", items, gj, "", feature(110.5, `"many"`)).json(t)
	if errs := bad["errors"].([]any); len(errs) != 1 || errs[0].(map[string]any)["parameter"] != "/properties/severity" {
		t.Errorf("no pointer: %v", bad)
	}
	if s.want(200, one).header.Get("ETag") != first || len(s.ids(items)) != 13 {
		t.Error("a refused edit changed something")
	}
	put := do("PUT", one, gj, first, feature(110.75, "3"))
	if put.status != 204 || put.header.Get("ETag") == "" || put.header.Get("ETag") == first {
		t.Fatalf("%d %v %s", put.status, put.header, put.body)
	}
	if a := do("PUT", one, gj, first, feature(110.8, "3")); a.status != 412 {
		t.Errorf("an old state is changed: %d", a.status)
	}
	got := s.want(200, one)
	if got.header.Get("ETag") != put.header.Get("ETag") || !strings.Contains(string(got.body), "[110.75,0.5]") {
		t.Errorf("%v %s", got.header, got.body)
	}
	if a := do("PATCH", one, "application/merge-patch+json", got.header.Get("ETag"), `{"geometry":{"type":"Point","coordinates":[110.25,0.5]},"properties":{"severity":5,"kind":null}}`); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	after := s.want(200, one).json(t)["properties"].(map[string]any)
	if after["severity"] != 5.0 || after["kind"] != "unknown" || after["occurred_from"] != "2026-10-01T00:00:00Z" {
		t.Errorf("%v", after)
	}
	// The tag of another form of the feature names the same state.
	other := s.want(200, one+"?crs=http://www.opengis.net/def/crs/EPSG/0/3857").header.Get("ETag")
	if a := do("DELETE", one, gj, other, ""); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.want(404, one)
	if log, err := json.Marshal(s.want(200, "/v1/layers/cases/versions").json(t)["versions"]); err != nil || !strings.Contains(string(log), "edited by OGC API Features") || strings.Contains(string(log), "Siti") {
		t.Errorf("%s %v", log, err)
	}
	// What is read can be sent back as it is.
	own := s.want(200, items+"/1")
	if a := do("PUT", items+"/1", gj, own.header.Get("ETag"), string(own.body)); a.status != 204 || a.header.Get("ETag") != own.header.Get("ETag") {
		t.Errorf("%d %v %s\n%s", a.status, a.header, own.body, s.get(items+"/1").body)
	}
}

// Lists are text for clients that know tables, and come back as text from
// those that edit.
// Content-Crs names the system of the places in a body: what is read in a system
// can be sent back in it.
func TestOGCEditsInOtherSystems(t *testing.T) {
	s := ogcService(t)
	send := func(method, path, crs, geometry string) answer {
		return s.do(method, path, []byte(`{"type":"Feature","geometry":`+geometry+`,"properties":{"kind":"irr.exit","occurred_from":"2026-10-01T00:00:00Z"}}`),
			map[string]string{"Content-Type": "application/geo+json", "If-Match": "*", "Content-Crs": crs})
	}
	const epsg = "http://www.opengis.net/def/crs/EPSG/0/"
	place := func(path string) (out [2]float64) {
		for i, v := range s.want(200, path).json(t)["geometry"].(map[string]any)["coordinates"].([]any)[:2] {
			out[i] = v.(float64)
		}
		return out
	}
	one := strings.TrimPrefix(send("POST", items, "<"+epsg+"4326>", `{"type":"Point","coordinates":[1.5,80.25]}`).header.Get("Location"), s.url)
	if got := place(one); got != [2]float64{80.25, 1.5} {
		t.Errorf("latitude first was read as %v", got)
	}
	// By PROJ: 104.125, 1.5 in EPSG:32648 and EPSG:3857.
	for crs, at := range map[string]string{"32648": "402663.7450338319,165814.90642209628", "3857": "11591141.97884961,166998.31375292226"} {
		if a := send("PUT", one, epsg+crs, `{"type":"Point","coordinates":[`+at+`]}`); a.status != 204 {
			t.Fatalf("%s: %d %s", crs, a.status, a.body)
		}
		if got := place(one); math.Abs(got[0]-104.125) > 1e-8 || math.Abs(got[1]-1.5) > 1e-8 {
			t.Errorf("EPSG:%s was read as %v", crs, got)
		}
	}
	for crs, status := range map[string]int{epsg + "9999": 400, "<" + epsg + "32648>": 422} {
		if a := send("PUT", one, crs, `{"type":"Point","coordinates":[1e300,5]}`); a.status != status {
			t.Errorf("%s: %d %s", crs, a.status, a.body)
		}
	}
}

// A list of a header may come in several lines.
func TestListsInSeveralLines(t *testing.T) {
	s := ogcService(t)
	tag := s.want(200, items+"/1").header.Get("ETag")
	send := func(h http.Header) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+items+"/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = h
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := send(http.Header{"Accept": {"image/png", "text/html"}}); !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the second line of Accept: %v", a.Header)
	}
	if a := send(http.Header{"If-None-Match": {`"other"`, tag}, "Accept-Encoding": {"identity"}}); a.StatusCode != 304 {
		t.Errorf("the second line of If-None-Match: %d", a.StatusCode)
	}
	if a := s.get(items + "?filter-crs=nowhere"); a.status != 400 {
		t.Errorf("a filter-crs that is not known, without a filter: %d", a.status)
	}
}

func TestOGCListsAsText(t *testing.T) {
	s := ogcService(t)
	headers := map[string]string{"Content-Type": "application/geo+json", "If-Match": "*"}
	one := items + "/1"
	patch := func(properties string) {
		t.Helper()
		h := map[string]string{"Content-Type": "application/merge-patch+json", "If-Match": "*"}
		if a := s.do("PATCH", one, []byte(`{"properties":`+properties+`}`), h); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	lists := func() string {
		p := s.want(200, "/v1/layers/cases/features?limit=1").json(t)["features"].([]any)[0].(map[string]any)["properties"].(map[string]any)
		return fmt.Sprint(p["exploitation"], p["persons_by_sex"])
	}
	patch(`{"exploitation":["sexual","begging"],"persons_by_sex":{"female":3}}`)
	const want = "[sexual begging] map[female:3]"
	if lists() != want {
		t.Fatalf("%s", lists())
	}
	read := s.want(200, one).json(t)
	properties := read["properties"].(map[string]any)
	if properties["exploitation"] != `["sexual","begging"]` || properties["persons_by_sex"] != `{"female":3}` {
		t.Errorf("%v", properties)
	}
	if tag, list := s.want(200, one).header.Get("ETag"), s.want(200, items+"?limit=1").body; tag == "" || !strings.Contains(string(list), `"exploitation":"[\"sexual\",\"begging\"]"`) {
		t.Errorf("%s %s", tag, list)
	}
	delete(read, "links")
	body, err := json.Marshal(read)
	if err != nil {
		t.Fatal(err)
	}
	if a := s.do("PUT", one, body, headers); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if lists() != want {
		t.Errorf("after a round through a client: %s", lists())
	}
	schema := s.want(200, "/ogc/collections/cases/schema").json(t)["properties"].(map[string]any)["exploitation"].(map[string]any)
	if schema["type"] != "string" || schema["contentMediaType"] != "application/json" {
		t.Errorf("%v", schema)
	}
}
