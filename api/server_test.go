package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// clock is the time that every test server has.
var clock = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// builtin loads the layers that ship with the program and the demo, once.
var builtin = sync.OnceValues(func() ([]*geo.Layer, error) {
	var out []*geo.Layer
	for _, info := range layers.Builtin() {
		l, err := layers.Load(info.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	demo, err := layers.Demo(layers.DemoOptions{Seed: 1, AsOf: clock.Truncate(24 * time.Hour), Days: 60})
	return append(out, demo...), err
})

// assessed is the assessment that a new store with these layers has, made once:
// it is most of the time that a server takes to start.
var assessed = sync.OnceValues(func() (*risk.Assessment, error) {
	ls, err := builtin()
	if err != nil {
		return nil, err
	}
	ls = slices.SortedFunc(slices.Values(ls), func(a, b *geo.Layer) int { return strings.Compare(a.Info.ID, b.Info.ID) }) // as a server has them
	return risk.Assess(context.Background(), risk.Inputs{Layers: ls, Now: clock, Program: "test"}, risk.DefaultModel())
})

type service struct {
	t      testing.TB
	url    string
	path   string
	server *api.Server
	stop   func()
}

// start runs a server on a store; path "" makes a new one. withBuiltin adds
// the built-in layers and the demo; a server that comes up again on a store
// assesses them anew.
func start(t testing.TB, path string, withBuiltin bool) *service {
	t.Helper()
	return startWith(t, path, withBuiltin, func(*api.Options) {})
}

// startWith is start with other options.
func startWith(t testing.TB, path string, withBuiltin bool, set func(*api.Options)) *service {
	t.Helper()
	anew := path != ""
	if !anew {
		path = filepath.Join(t.TempDir(), "s.gpkg")
	}
	store, err := gpkg.Open(context.Background(), path, gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ls []*geo.Layer
	if withBuiltin {
		if ls, err = builtin(); err != nil {
			t.Fatal(err)
		}
	}
	opts := api.Options{
		Store: store, GeoPackage: gpkg.Files{}, Builtin: ls, Model: risk.DefaultModel(), LocalOnly: true, Version: "test",
		Now: func() time.Time { return clock }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Registry: prometheus.NewRegistry(), MaxBody: 8 << 20, Check: layers.Checker(),
	}
	if withBuiltin && !anew {
		a, err := assessed()
		if err != nil {
			t.Fatal(err)
		}
		opts.Lend(a)
	}
	set(&opts)
	srv, err := api.New(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(srv.Handler())
	s := &service{t: t, url: h.URL, path: path, server: srv}
	s.stop = sync.OnceFunc(func() {
		h.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("not JSON (%d): %.200s", a.status, a.body)
	}
	return v
}

func (s *service) do(method, path string, body []byte, header map[string]string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for k, v := range header {
		if k == "Host" {
			r.Host = v
		}
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, b}
}

func (s *service) get(path string) answer { s.t.Helper(); return s.do("GET", path, nil, nil) }

// want gets a path that must be answered with a status.
func (s *service) want(status int, path string) answer {
	s.t.Helper()
	a := s.get(path)
	if a.status != status {
		s.t.Fatalf("GET %s: %d, want %d: %.300s", path, a.status, status, a.body)
	}
	return a
}

func (s *service) put(path, contentType string, body string) answer {
	s.t.Helper()
	return s.do("PUT", path, []byte(body), map[string]string{"Content-Type": contentType})
}

// incidentsCSV is n incidents on a line along the border.
func incidentsCSV(n int) string {
	var b strings.Builder
	b.WriteString("id,lat,lon,occurred_from,kind,severity\n")
	for i := range n {
		fmt.Fprintf(&b, "A%d,%.4f,%.4f,2026-10-%02dT04:00:00Z,irr.exit,2\n", i, 1.0+float64(i%10)/100, 110.3+float64(i/10%100)/100, 1+i%28)
	}
	return b.String()
}

func TestUploadChangesTileAndReport(t *testing.T) {
	s := start(t, "", true)
	const tile = "/tiles/density/8/206/127.png"
	before := s.want(200, tile)
	if again := s.want(200, tile); again.header.Get("ETag") != before.header.Get("ETag") {
		t.Error("an unchanged tile changed its ETag")
	}
	a := s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(1000))
	if a.status != 201 {
		t.Fatalf("upload: %d %s", a.status, a.body)
	}
	rep := a.json(t)
	if rep["accepted"] != 1000.0 || rep["quarantined"] != 0.0 || rep["version"] != 1.0 || rep["layer"] != "mine" {
		t.Errorf("report %v", rep)
	}
	after := s.want(200, tile)
	if after.header.Get("ETag") == before.header.Get("ETag") || bytes.Equal(after.body, before.body) {
		t.Error("the tile did not change with the upload")
	}
	if _, err := png.Decode(bytes.NewReader(after.body)); err != nil {
		t.Error(err)
	}
	list := s.want(200, "/v1/layers").json(t)["layers"].([]any)
	found := false
	for _, l := range list {
		m := l.(map[string]any)
		found = found || m["id"] == "mine" && m["features"] == 1000.0 && m["kind"] == "incident"
	}
	if !found {
		t.Error("the layer is not listed")
	}
	risk := s.want(200, "/v1/risk?lon=110.35&lat=1.05").json(t)
	if risk["hazard"].(map[string]any)["mean"].(float64) <= 0 {
		t.Errorf("no hazard where the incidents are: %v", risk)
	}
	sum := 0.0
	for _, b := range risk["because"].([]any) {
		sum += b.(map[string]any)["share"].(float64)
	}
	if sum < 1-1e-9 || sum > 1+1e-9 {
		t.Errorf("the shares add up to %g", sum)
	}
}

func TestUploadSurvivesRestart(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(50))
	want := s.want(200, "/v1/layers/mine/features")
	tile := s.want(200, "/tiles/density/8/206/127.png")
	s.stop()
	s = start(t, s.path, false)
	if got := s.want(200, "/v1/layers/mine/features"); !bytes.Equal(got.body, want.body) || got.header.Get("ETag") != want.header.Get("ETag") {
		t.Error("the features are not the same after a restart")
	}
	if got := s.want(200, "/tiles/density/8/206/127.png"); !bytes.Equal(got.body, tile.body) {
		t.Error("the tile is not the same after a restart")
	}
}

func TestBadUploadsLeaveNothing(t *testing.T) {
	s := start(t, "", false)
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		says                    string
	}{
		{"cut", "application/geo+json", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[112,1]}},{"type":"Fea`, 0, ""},
		{"swapped", "application/geo+json", `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1.4,112.2]}}]}`, 422, "swap"},
		{"wrongtype", "text/csv", `{"type":"FeatureCollection","features":[]}`, 0, ""},
		{"empty", "application/geo+json", ``, 0, ""},
		{"nothing", "application/geo+json", `{"type":"FeatureCollection","features":[]}`, 422, ""},
		{"nolat", "text/csv", "id,lon\nA,112\n", 0, "lon"},
		{"unknownformat", "application/pdf", "%PDF-1.7", 415, ""},
		{"cutarchive", "application/zip", "PK\x03\x04", 400, ""},
	} {
		a := s.put("/v1/layers/"+c.name+"?kind=incident", c.contentType, c.body)
		if a.status < 400 || a.status > 499 || c.status != 0 && a.status != c.status {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
		p := a.json(t)
		if p["detail"] == "" || p["code"] == "" || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", c.name, a.body)
		}
		if !strings.Contains(string(a.body), c.says) {
			t.Errorf("%s does not say %q: %s", c.name, c.says, a.body)
		}
		s.want(404, "/v1/layers/"+c.name)
	}
	if n := len(s.want(200, "/v1/layers").json(t)["layers"].([]any)); n != 0 {
		t.Errorf("%d layers are left", n)
	}
	if a := s.do("PUT", "/v1/layers/big?kind=incident", make([]byte, 9<<20), map[string]string{"Content-Type": "text/csv"}); a.status != 413 {
		t.Errorf("a body over the limit: %d", a.status)
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	s := start(t, "", false)
	a := s.put("/v1/layers/mine?kind=incident", "text/csv",
		"id,lat,lon,occurred_from,kind,nama,no_hp\nA1,1.45,112.2,2022-11-05T04:00:00Z,irr.exit,Budi,0812345678\nA2,145,112.2,2022-11-05T04:00:00Z,irr.exit,Siti,081\n")
	rep := a.json(t)
	rows := rep["rows"].([]any)
	if a.status != 201 || rep["quarantined"] != 1.0 || len(rows) != 1 || rows[0].(map[string]any)["row"] != 3.0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, path := range []string{"/v1/layers/mine/features", "/v1/layers/mine", "/v1/layers/mine/features?format=csv", "/tiles/layers/mine/0/0/0.mvt"} {
		if body := s.want(200, path).body; bytes.Contains(body, []byte("Budi")) || bytes.Contains(body, []byte("0812345678")) {
			t.Errorf("%s shows what must never be stored", path)
		}
	}
	for _, column := range []string{"nama", "no_hp"} {
		if !strings.Contains(string(a.body), column) {
			t.Errorf("no warning names %s: %s", column, a.body)
		}
	}
	if a := s.put("/v1/layers/other?kind=incident&strict=true", "text/csv", "lat,lon,nama\n1,110,Budi\n"); a.status != 422 {
		t.Errorf("strict: %d %s", a.status, a.body)
	}
}

func TestDryRunStoresNothing(t *testing.T) {
	s := start(t, "", false)
	a := s.put("/v1/layers/mine?kind=incident&dry_run=true", "text/csv", incidentsCSV(10))
	if a.status != 200 || a.json(t)["accepted"] != 10.0 || a.json(t)["dry_run"] != true {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.want(404, "/v1/layers/mine")
}

func TestIdempotencyAndPreconditions(t *testing.T) {
	s := start(t, "", false)
	put := func(path, body string, h map[string]string) answer {
		h["Content-Type"] = "text/csv"
		return s.do("PUT", path, []byte(body), h)
	}
	first := put("/v1/layers/mine?kind=incident&mode=append", incidentsCSV(5), map[string]string{"Idempotency-Key": "k1"})
	again := put("/v1/layers/mine?kind=incident&mode=append", incidentsCSV(5), map[string]string{"Idempotency-Key": "k1"})
	if first.status != 201 || again.status != 201 || again.header.Get("Idempotent-Replay") != "true" {
		t.Fatalf("%d, then %d", first.status, again.status)
	}
	if again.json(t)["accepted"] != 5.0 {
		t.Errorf("the replay says %s", again.body)
	}
	if n := s.want(200, "/v1/layers/mine").json(t)["features"]; n != 5.0 {
		t.Errorf("%v features after the same upload twice", n)
	}
	if a := put("/v1/layers/mine?mode=append", incidentsCSV(6), map[string]string{"Idempotency-Key": "k1"}); a.status != 422 {
		t.Errorf("the key for another file: %d", a.status)
	}
	if a := put("/v1/layers/mine?mode=append", incidentsCSV(6), map[string]string{"If-Match": `"7"`}); a.status != 412 {
		t.Errorf("a wrong version: %d %s", a.status, a.body)
	}
	if a := put("/v1/layers/mine?mode=append", incidentsCSV(6), map[string]string{"If-Match": `"1"`}); a.status != 200 || a.json(t)["version"] != 2.0 {
		t.Errorf("the right version: %d %s", a.status, a.body)
	}
	changed := put("/v1/layers/mine?mode=append", incidentsCSV(6), map[string]string{})
	etag := changed.header.Get("ETag")
	if got := s.want(200, "/v1/layers/mine").header.Get("ETag"); strings.TrimSuffix(got, "-gz\"") != strings.TrimSuffix(etag, "-gz\"") {
		t.Errorf("the change is tagged %s, the layer %s", etag, got)
	}
	if a := put("/v1/layers/mine?mode=append", incidentsCSV(6), map[string]string{"If-Match": etag}); a.status != 200 {
		t.Errorf("with the tag of the change before, %s: %d %s", etag, a.status, a.body)
	}
	if a := put("/v1/layers/mine?mode=append&dry_run=true", incidentsCSV(6), map[string]string{}); a.status != 200 || a.header.Get("ETag") != "" {
		t.Errorf("a dry run is tagged: %d %s", a.status, a.header.Get("ETag"))
	}
	if a := put("/v1/layers/mine", incidentsCSV(6), map[string]string{"If-None-Match": "*"}); a.status != 412 {
		t.Errorf("must not exist, but does: %d", a.status)
	}
}

func TestVersionsRollbackDelete(t *testing.T) {
	s := start(t, "", true)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(5))
	s.put("/v1/layers/mine?mode=append", "text/csv", incidentsCSV(7))
	if n := s.want(200, "/v1/layers/mine").json(t)["features"]; n != 12.0 {
		t.Fatalf("%v features", n)
	}
	a := s.do("POST", "/v1/layers/mine/rollback", []byte(`{"version":1}`), nil)
	if a.status != 200 || a.json(t)["features"] != 5.0 || a.json(t)["version"] != 3.0 {
		t.Errorf("rollback: %d %s", a.status, a.body)
	}
	if v := s.want(200, "/v1/layers/mine/versions").json(t)["versions"].([]any); len(v) != 3 {
		t.Errorf("%d versions", len(v))
	}
	if a := s.do("POST", "/v1/layers/mine/rollback", []byte(`{"version":9}`), nil); a.status != 404 {
		t.Errorf("rollback to nowhere: %d %s", a.status, a.body)
	}
	if a := s.do("DELETE", "/v1/layers/mine", nil, nil); a.status != 204 {
		t.Errorf("delete: %d %s", a.status, a.body)
	}
	s.want(404, "/v1/layers/mine")
	// A built-in layer is hidden, also after a restart; one that was replaced
	// comes back when its replacement goes.
	s.do("DELETE", "/v1/layers/rivers", nil, nil)
	s.want(404, "/v1/layers/rivers")
	s.put("/v1/layers/illegal_ports?kind=illegal_port", "text/csv", "name,lat,lon\nA,1.2,104.1\n")
	if n := s.want(200, "/v1/layers/illegal_ports").json(t)["features"]; n != 1.0 {
		t.Errorf("replaced: %v features", n)
	}
	s.do("DELETE", "/v1/layers/illegal_ports", nil, nil)
	if n := s.want(200, "/v1/layers/illegal_ports").json(t)["features"]; n != 80.0 {
		t.Errorf("come back: %v features", n)
	}
	s.put("/v1/layers/reported_incidents?mode=append", "text/csv", incidentsCSV(3))
	if n := s.want(200, "/v1/layers/reported_incidents").json(t)["features"]; n != 192.0 {
		t.Errorf("appended to a built-in layer: %v features", n)
	}
	s.stop()
	s = start(t, s.path, true)
	s.want(404, "/v1/layers/rivers")
	if n := s.want(200, "/v1/layers/reported_incidents").json(t)["features"]; n != 192.0 {
		t.Errorf("after a restart: %v features", n)
	}
}

func TestFeaturesPagesAndFilters(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(95))
	seen := map[string]bool{}
	path := "/v1/layers/mine/features?limit=10"
	for pages := 0; path != ""; pages++ {
		page := s.want(200, path).json(t)
		for _, f := range page["features"].([]any) {
			id := f.(map[string]any)["id"].(string)
			if seen[id] {
				t.Fatalf("%s comes twice", id)
			}
			seen[id] = true
		}
		path, _ = page["next"].(string)
		if pages > 20 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != 95 {
		t.Errorf("%d of 95 features", len(seen))
	}
	count := func(query string) int {
		return len(s.want(200, "/v1/layers/mine/features?"+query).json(t)["features"].([]any))
	}
	if n := count("bbox=110.295,0.995,110.305,1.005"); n != 1 {
		t.Errorf("bbox: %d", n)
	}
	if n := count("datetime=2026-10-05"); n != 4 {
		t.Errorf("datetime: %d", n)
	}
	if n := count("datetime=../2026-10-02T23:00:00Z"); n != 8 {
		t.Errorf("open interval: %d", n)
	}
	for _, q := range []string{"bbox=1,2,3", "bbox=1,5,2,4", "bbox=a,b,c,d", "bbox=-200,-10,-170,10", "bbox=0,-91,1,0", "datetime=yesterday", "limit=0", "limit=1.5", "cursor=zz", "format=docx", "what=1"} {
		if a := s.get("/v1/layers/mine/features?" + q); a.status != 400 {
			t.Errorf("%s: %d", q, a.status)
		}
	}
	csv := s.want(200, "/v1/layers/mine/features?format=csv")
	if lines := strings.Count(string(csv.body), "\n"); lines != 96 {
		t.Errorf("%d lines of CSV", lines)
	}
	gz := s.do("GET", "/v1/layers/mine/features", nil, map[string]string{"Accept-Encoding": "gzip"})
	z, err := gzip.NewReader(bytes.NewReader(gz.body))
	if err != nil || gz.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("not packed: %v", err)
	}
	raw, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(raw, s.want(200, "/v1/layers/mine/features").body) {
		t.Errorf("the packed answer differs: %v", err)
	}
}
