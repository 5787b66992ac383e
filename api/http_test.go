package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// examples fill the path parameters of the documented paths.
var examples = strings.NewReplacer("{z}", "6", "{x}", "51", "{y}", "31", "{surface}", "risk", "{retina}", "", "{name}", "light", "{fid}", "fid:1", "{version}", "1", "{kind}", "incident", "{tms}", "WebMercatorQuad", "{style}", "default")

// exampleJob stands for a job of the service under test.
const exampleJob = "JOB"

func concrete(path, method string) string {
	p := examples.Replace(path)
	switch {
	case strings.HasPrefix(path, "/ogc/"):
		return strings.NewReplacer("{id}", "reported_incidents", "fid:1", "1").Replace(p)
	case path == "/v1/gaps/diff":
		return path + "?from=2026-10-01&to=2026-11-01"
	case strings.HasPrefix(path, "/v1/jobs/"):
		return strings.Replace(p, "{id}", exampleJob, 1)
	case strings.HasPrefix(path, "/v1/sections/"):
		return strings.Replace(p, "{id}", "L0001", 1)
	case strings.HasPrefix(path, "/tiles/layers/{id}/"):
		return strings.NewReplacer("{id}", "land", "{ext}", "mvt").Replace(p)
	case strings.HasSuffix(path, ".pmtiles"):
		return p + "?maxzoom=1"
	case strings.Contains(path, "legend"):
		return strings.Replace(p, "{ext}", "json", 1)
	case strings.Contains(path, "/near"), strings.Contains(path, "/v1/risk"), strings.Contains(path, "/value"):
		return strings.Replace(p, "{id}", "places", 1) + "?lon=110.35&lat=1.0"
	case strings.Contains(path, "/exposure"):
		return p + "?layer=places&id=fid:1"
	case strings.Contains(path, "/within"):
		return strings.Replace(p, "{id}", "places", 1) + "?lon=110.35&lat=1.0&radius_m=50000"
	}
	return strings.Replace(p, "{id}", "official_crossings", 1)
}

// The document describes what is served: every documented path answers as it
// says, and every parameter of the document is taken.
func TestOpenAPIIsTrue(t *testing.T) {
	s := start(t, "", true)
	raw := s.want(200, "/openapi.json")
	doc, err := openapi3.NewLoader().LoadFromData(raw.body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	job := s.startJob("/v1/layers/documented", `{"type":"Point","coordinates":[110,1]}`)["id"].(string)
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if ids[op.OperationID] {
				t.Errorf("operation %s is there twice", op.OperationID)
			}
			ids[op.OperationID] = true
			if method != http.MethodGet || path == "/assets/{file}" || path == "/favicon.ico" || path == "/embed" || path == "/" || strings.HasPrefix(path, "/auth/") ||
				path == "/v1/agreements/{id}" || path == "/v1/approvals/{id}" || path == "/v1/requests/{id}" || path == "/v1/plans/{id}" || path == "/v1/public-release" { // a service without keys has none, a new one no plans
				continue
			}
			url := strings.Replace(concrete(path, method), exampleJob, job, 1)
			a := s.get(url)
			for range 3000 { // long work on a slow machine
				if a.status != 202 {
					break
				}
				time.Sleep(100 * time.Millisecond)
				a = s.get(url)
			}
			if a.status != 200 {
				t.Errorf("GET %s: %d %.200s", url, a.status, a.body)
				continue
			}
			checkDocumented(t, url, op, a)
			sep := "?"
			if strings.Contains(url, "?") {
				sep = "&"
			}
			if path == "/wms" || path == "/wmts" { // clients put parameters of their own there
				continue
			}
			if bad := s.get(url + sep + "no_such_parameter=1"); bad.status != 400 {
				t.Errorf("GET %s with an unknown parameter: %d", url, bad.status)
			}
			for _, p := range op.Parameters {
				if p.Value.In != "query" || strings.Contains(url, p.Value.Name+"=") {
					continue
				}
				if a := s.get(url + sep + p.Value.Name + "="); bytes.Contains(a.body, []byte("is not a parameter of this path")) {
					t.Errorf("GET %s does not take its documented parameter %s", url, p.Value.Name)
				}
			}
		}
	}
	if len(ids) < 25 {
		t.Errorf("only %d operations", len(ids))
	}
}

func checkDocumented(t *testing.T, url string, op *openapi3.Operation, a answer) {
	t.Helper()
	media := a.header.Get("Content-Type")
	content := op.Responses.Status(200).Value.Content
	entry := content.Get(media)
	if entry == nil {
		t.Errorf("GET %s answers %s, which is not documented", url, media)
		return
	}
	if !strings.Contains(media, "json") || entry.Schema == nil {
		return
	}
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Errorf("GET %s: %v", url, err)
		return
	}
	if err := entry.Schema.Value.VisitJSON(v); err != nil {
		t.Errorf("GET %s: %v", url, err)
	}
}

// Every served route is documented. The table of routes is private, so the
// test walks what 405 and OPTIONS say.
func TestMethods(t *testing.T) {
	s := start(t, "", true)
	doc, err := openapi3.NewLoader().LoadFromData(s.want(200, "/openapi.json").body)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		url, _, _ := strings.Cut(concrete(path, ""), "?")
		if path == "/assets/{file}" {
			url = "/assets/none"
		}
		options := s.do("OPTIONS", url, nil, map[string]string{"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "GET"})
		if options.status != 204 || options.header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("OPTIONS %s: %d", url, options.status)
		}
		allow := strings.Split(options.header.Get("Allow"), ", ")
		want := []string{"OPTIONS"}
		for method := range item.Operations() {
			want = append(want, method)
			if method == "GET" {
				want = append(want, "HEAD")
			}
		}
		slices.Sort(want)
		if !slices.Equal(allow, want) {
			t.Errorf("%s allows %v, documented are %v", url, allow, want)
		}
		if slices.Contains(want, "PATCH") {
			continue
		}
		if a := s.do("PATCH", url, nil, nil); a.status != 405 || a.header.Get("Allow") == "" || a.json(t)["code"] != "method_not_allowed" {
			t.Errorf("PATCH %s: %d", url, a.status)
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	s := start(t, "", true)
	for _, path := range []string{"/v1/layers", "/tiles/risk/6/51/31.png", "/tiles/layers/land/6/51/31.mvt", "/v1/layers/places/features", "/tiles/risk.json", "/v1/gaps"} {
		get, head := s.want(200, path), s.do("HEAD", path, nil, nil)
		if head.status != 200 || len(head.body) != 0 || head.header.Get("ETag") != get.header.Get("ETag") {
			t.Errorf("HEAD %s: %d, %d bytes, ETag %s against %s", path, head.status, len(head.body), head.header.Get("ETag"), get.header.Get("ETag"))
		}
		if n := head.header.Get("Content-Length"); n != fmt.Sprint(len(get.body)) {
			t.Errorf("HEAD %s says %s bytes, GET has %d", path, n, len(get.body))
		}
	}
}

func TestCachingAndErrors(t *testing.T) {
	s := start(t, "", true)
	for _, path := range []string{"/tiles/density/8/206/127.png", "/v1/layers", "/tiles/layers/places/6/51/31.mvt", "/styles/light.json"} {
		a := s.want(200, path)
		etag := a.header.Get("ETag")
		if etag == "" || a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: %v", path, a.header)
		}
		for _, tag := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
			if b := s.do("GET", path, nil, map[string]string{"If-None-Match": tag}); b.status != 304 || len(b.body) != 0 || b.header.Get("ETag") != etag || b.header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("%s with If-None-Match %s: %d", path, tag, b.status)
			}
		}
		gz := s.do("GET", path, nil, map[string]string{"Accept-Encoding": "gzip"})
		if strings.HasSuffix(path, ".png") {
			if gz.header.Get("Content-Encoding") != "" {
				t.Errorf("%s is packed twice", path)
			}
		} else if len(a.body) > 1024 && (gz.header.Get("Content-Encoding") != "gzip" || gz.header.Get("ETag") == etag || !strings.Contains(gz.header.Get("Vary"), "Accept-Encoding")) {
			t.Errorf("%s packed: %v", path, gz.header)
		}
	}
	v := s.want(200, "/tiles/density.json").json(t)["v"].(string)
	if a := s.want(200, "/tiles/density/8/206/127.png?v="+v); !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("with its version: %s", a.header.Get("Cache-Control"))
	}
	if a := s.want(200, "/tiles/density/8/206/127.png?v=old"); a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("with another version: %s", a.header.Get("Cache-Control"))
	}
	for path, status := range map[string]int{
		"/tiles/density/3/8/0.png": 404, "/tiles/density/40/0/0.png": 404, "/tiles/density/a/0/0.png": 404, "/tiles/density/-1/0/0.png": 404,
		"/tiles/nothing/3/1/1.png": 404, "/tiles/layers/nothing/3/1/1.mvt": 404, "/tiles/nothing.json": 404, "/styles/nothing.json": 404,
		"/nowhere": 404, "/v1/layers/nothing": 404, "/v1/layers/nothing/features": 404, "/v1/sections/X1": 404,
		"/tiles/density/3/1/1.png?palette=rainbow": 400, "/tiles/density/3/1/1.png?bandwidth_m=0": 400, "/tiles/density/3/1/1.png?bandwidth_m=nan": 400,
		"/tiles/density/3/1/1.png?as_of=soon": 400, "/tiles/density/3/1/1.png?x=1": 400, "/tiles/density/3/1/1.png?v=1&v=2": 400,
		"/v1/risk": 400, "/v1/risk?lon=200&lat=0": 400, "/v1/risk?lon=110&lat=x": 400, "/v1/gaps?format=docx": 400, "/v1/gaps?min_level=huge": 400,
		"/v1/gaps?lang=fr": 400, "/v1/gaps?section_km=0": 400, "/v1/layers/places/near?lon=1&lat=1&k=0": 400, "/v1/layers/places/within?lon=1&lat=1": 400,
	} {
		a := s.get(path)
		if a.status != status || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: %d (%s), want %d", path, a.status, a.header.Get("Content-Type"), status)
			continue
		}
		p := a.json(t)
		for _, member := range []string{"type", "title", "status", "detail", "instance", "code", "description", "errors"} {
			if _, ok := p[member]; !ok {
				t.Errorf("%s: the problem has no %s", path, member)
			}
		}
	}
	if a := s.do("GET", "/v1/layers", nil, map[string]string{"Host": "evil.example"}); a.status != http.StatusMisdirectedRequest {
		t.Errorf("under a foreign name: %d", a.status)
	}
	if a := s.do("PUT", "/v1/layers/x?kind=incident", []byte("lat,lon\n1,110\n"), map[string]string{"Content-Type": "text/csv", "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}); a.status != 403 {
		t.Errorf("a foreign page writes: %d", a.status)
	}
}

// What is not public may be read by this origin's own pages only.
func TestForeignPagesReadOnlyPublicLayers(t *testing.T) {
	s := start(t, "", true)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(3))
	if o := s.want(200, "/v1/layers/mine/features").header.Get("Access-Control-Allow-Origin"); o != s.url {
		t.Errorf("an internal layer allows %s", o)
	}
	if o := s.want(200, "/v1/layers/places/features").header.Get("Access-Control-Allow-Origin"); o != "*" {
		t.Errorf("a public layer allows %s", o)
	}
}

func decode(t *testing.T, a answer) *image.Paletted {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return img.(*image.Paletted)
}

// The same number has the same colour at every zoom: where the surface is flat
// at the size of a pixel, the place keeps its colour from zoom 9 to 15, give or
// take the neighbouring steps of the ramp.
func TestSameColourAtEveryZoom(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(1000))
	for _, p := range []orb.Point{{110.5, 1.045}, {110.83, 1.05}, {111.1, 1.06}} {
		var first color.NRGBA
		for z := 9; z <= 15; z++ {
			n := math.Exp2(float64(z))
			x := (p[0] + 180) / 360 * n
			sin := math.Sin(p[1] * math.Pi / 180)
			y := (0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)) * n
			img := decode(t, s.want(200, fmt.Sprintf("/tiles/density/%d/%d/%d.png", z, int(x), int(y))))
			c := color.NRGBAModel.Convert(img.At(int((x-math.Floor(x))*256), int((y-math.Floor(y))*256))).(color.NRGBA)
			if z == 9 {
				first = c
			}
			if c.A == 0 || diff(c.R, first.R)+diff(c.G, first.G)+diff(c.B, first.B) > 24 {
				t.Errorf("%v at zoom %d is %v, at zoom 9 %v", p, z, c, first)
			}
		}
	}
}

func diff(a, b uint8) int { return int(math.Abs(float64(a) - float64(b))) }

// A tile of twice the pixels shows the same surface, and its halves meet the
// neighbouring tile without a seam: the step over the edge is no larger than
// the steps beside it.
func TestNoSeams(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(1000))
	left := decode(t, s.want(200, "/tiles/density/10/826/508.png"))
	right := decode(t, s.want(200, "/tiles/density/10/827/508.png"))
	for y := range 256 {
		over := diff(left.ColorIndexAt(255, y), right.ColorIndexAt(0, y))
		beside := max(diff(left.ColorIndexAt(254, y), left.ColorIndexAt(255, y)), diff(right.ColorIndexAt(0, y), right.ColorIndexAt(1, y)))
		if over > 2*beside+4 {
			t.Fatalf("row %d: %d steps over the edge, %d beside it", y, over, beside)
		}
	}
	if big := decode(t, s.want(200, "/tiles/density/10/826/508@2x.png")); big.Rect.Dx() != 512 {
		t.Errorf("@2x has %d pixels", big.Rect.Dx())
	}
}

// near and within against every feature.
func TestNearAndWithinAgainstBruteForce(t *testing.T) {
	s := start(t, "", true)
	ls, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	places := ls[slices.IndexFunc(ls, func(l *geo.Layer) bool { return l.Info.ID == "places" })]
	for _, p := range []orb.Point{{110.35, 1.0}, {104.0, 1.1}, {117.6, 4.1}, {96, -3.5}} {
		var all []float64
		for row := range places.Len() {
			q, _ := places.Point(row)
			all = append(all, geo.DistanceM(p, q))
		}
		slices.Sort(all)
		check := func(query string, want []float64) {
			got := s.want(200, fmt.Sprintf("/v1/layers/places/%s&lon=%g&lat=%g", query, p[0], p[1])).json(t)["features"].([]any)
			if len(got) != len(want) {
				t.Fatalf("%v %s: %d features, want %d", p, query, len(got), len(want))
			}
			for i, f := range got {
				d := f.(map[string]any)["properties"].(map[string]any)["distance_m"].(float64)
				if math.Abs(d-want[i]) > 0.002 {
					t.Errorf("%v %s: number %d at %g m, want %g", p, query, i, d, want[i])
				}
			}
		}
		check("near?k=20", all[:20])
		n, _ := slices.BinarySearch(all, 80_000)
		check("within?radius_m=80000", all[:n])
	}
}

var foreign = regexp.MustCompile(`https?://[^"\s]+`)

func TestDocumentsNameOnlyThisHost(t *testing.T) {
	s := start(t, "", true)
	for _, path := range []string{"/styles/light.json", "/styles/risk.json", "/tiles/risk.json", "/tiles/layers/land.json"} {
		for _, url := range foreign.FindAllString(string(s.want(200, path).body), -1) {
			if !strings.HasPrefix(url, s.url) && !strings.HasPrefix(url, "https://opendatacommons.org") {
				t.Errorf("%s names %s", path, url)
			}
		}
	}
}

func TestGapReport(t *testing.T) {
	s := start(t, "", true)
	rep := s.want(200, "/v1/gaps").json(t)
	gaps := rep["gaps"].([]any)
	if len(gaps) == 0 || rep["synthetic"] != true || rep["notice"] == "" {
		t.Fatalf("%d gaps, synthetic %v", len(gaps), rep["synthetic"])
	}
	last := math.Inf(1)
	for i, g := range gaps {
		m := g.(map[string]any)
		r := m["residual_30d"].(map[string]any)
		mean, lo, hi := r["mean"].(float64), r["lo80"].(float64), r["hi80"].(float64)
		if m["rank"] != float64(i+1) || mean > last || lo > mean || hi < mean || m["reason"] == "" || len(m["countries"].([]any)) == 0 {
			t.Errorf("gap %d, %v: %v after %g, reason %v", i+1, m["section_id"], r, last, m["reason"])
		}
		if e := m["effect_of_one_patrol"].(map[string]any); e["residual_30d_after"].(float64) > mean {
			t.Errorf("gap %d: a patrol makes it worse", i+1)
		}
		last = mean
	}
	if n := len(s.want(200, "/v1/gaps?limit=3").json(t)["gaps"].([]any)); n != 3 {
		t.Errorf("limit 3: %d gaps", n)
	}
	for _, g := range s.want(200, "/v1/gaps?country=MY").json(t)["gaps"].([]any) {
		if !slices.Contains(g.(map[string]any)["countries"].([]any), any("MY")) {
			t.Error("country=MY gives a gap without MY")
		}
	}
	fc := s.want(200, "/v1/gaps?format=geojson").json(t)
	if len(fc["features"].([]any)) != len(gaps) {
		t.Error("the GeoJSON has other gaps")
	}
	csv := string(s.want(200, "/v1/gaps?format=csv").body)
	if strings.Count(csv, "\n") != len(gaps)+1 || !strings.HasPrefix(csv, "rank,section_id") {
		t.Error("the CSV has other gaps")
	}
	id, ms := string(s.want(200, "/v1/gaps?lang=id").body), string(s.want(200, "/v1/gaps?lang=ms").body)
	if !strings.Contains(id, "Risiko sisa tinggi") || !strings.Contains(ms, "Baki risiko tinggi") {
		t.Error("the reasons are not in Indonesian and Malay")
	}
	if strings.Contains(id, "mangsa") || strings.Contains(ms, "korban") {
		t.Error("a word of the other country")
	}
	if n := len(s.want(200, "/v1/sections?section_km=50").json(t)["sections"].([]any)); n == 0 || n >= len(s.want(200, "/v1/sections").json(t)["sections"].([]any)) {
		t.Errorf("%d sections of 50 km", n)
	}
}

func TestModelChangesTheAssessment(t *testing.T) {
	s := start(t, "", true)
	before := s.want(200, "/version").json(t)["assessment"]
	a := s.do("PUT", "/v1/model", []byte(`{"bandwidth_m":8000}`), nil)
	if a.status != 200 || a.json(t)["bandwidth_m"] != 8000.0 || a.json(t)["half_life_days"] != 365.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if s.want(200, "/version").json(t)["assessment"] == before {
		t.Error("the assessment is the same")
	}
	for _, bad := range []string{`{"bandwidth_m":0}`, `{"no_such":1}`, `{"bandwidth_m":8000}{}`, `[]`, ``} {
		if a := s.do("PUT", "/v1/model", []byte(bad), nil); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	s.stop()
	s = start(t, s.path, true)
	if s.want(200, "/v1/model").json(t)["bandwidth_m"] != 8000.0 {
		t.Error("the model did not survive a restart")
	}
}

func TestOperation(t *testing.T) {
	s := start(t, "", true)
	s.want(200, "/healthz")
	s.want(200, "/readyz")
	s.want(200, "/tiles/density/8/206/127.png")
	s.want(200, "/tiles/density/8/206/127.png")
	text := string(s.want(200, "/metrics").body)
	for _, name := range []string{"sempadan_http_request_duration_seconds_bucket", "sempadan_assessment_age_seconds", "sempadan_assessment_duration_seconds_count",
		`sempadan_layer_features{kind="incident",layer="reported_incidents"} 189`, `sempadan_tile_cache_total{result="hit"} 1`, "go_goroutines"} {
		if !strings.Contains(text, name) {
			t.Errorf("no %s in the metrics", name)
		}
	}
	if body := string(s.want(200, "/docs").body); !strings.Contains(body, "/v1/gaps") || strings.Contains(body, "<script") {
		t.Error("the page of the interface is not right")
	}
}
