package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const dash, evil, atHome = "https://dash.example.org", "https://evil.example.org", "http://example.com"

// from sends a request as a page of an origin does.
func (g *guarded) from(origin, who, method, path string, headers ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	if token := g.token[who]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return record(g.h, r)
}

func varies(w *httptest.ResponseRecorder, name string) bool {
	return slices.ContainsFunc(w.Header().Values("Vary"), func(v string) bool { return strings.Contains(v, name) })
}

// Every route of an open service with one layer that is not public: whoever may
// read an answer may read its errors, its 304 and what is asked ahead, and a
// route that is not in this table is for the service's own pages.
func TestReadersOfEveryRoute(t *testing.T) {
	s := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} })
	s.want(201, "nobody", "PUT", "/v1/layers/none?kind=incident", incidentRows)
	open := []string{"/healthz", "/readyz", "/version", "/openapi.json", "/docs", "/", "/embed", "/auth", "/auth/login", callbackPath, "/auth/logout", "/favicon.ico",
		"/assets/{file:.+}", "/v1/schemas/{kind}", "/ogc/tileMatrixSets", "/ogc/tileMatrixSets/{tms}", "/v1/layers",
		"/ogc", "/ogc/", "/ogc/conformance", "/ogc/collections", "/ogc/api", "/ogc/api.html"}
	check := func(w *httptest.ResponseRecorder, name, want string) {
		t.Helper()
		if got := w.Header().Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != want {
			t.Errorf("%s (%d) is for %v, want %s", name, w.Code, got, want)
		}
	}
	for _, rt := range s.s.ways {
		path, want := examplePath(rt, "none"), atHome
		if slices.Contains(open, rt.path) {
			want = "*"
		}
		if rt.method == http.MethodGet {
			w := s.from(dash, "nobody", "GET", path)
			check(w, "GET "+rt.path, want)
			check(s.from(dash, "nobody", "GET", path+"?nothing=1"), "an error of "+rt.path, want)
			if tag := w.Header().Get("ETag"); tag != "" {
				again := s.from(dash, "nobody", "GET", path, "If-None-Match", tag)
				if check(again, "GET again "+rt.path, want); again.Code == 304 && again.Body.Len() > 0 {
					t.Errorf("%s: a 304 with a body", rt.path)
				}
			}
			if c := w.Header().Get("Cache-Control"); want != "*" && w.Code < 300 && c != noStore && !strings.HasPrefix(c, "private, ") {
				t.Errorf("%s: cache %q", rt.path, c)
			}
		}
		ahead := s.from(dash, "nobody", "OPTIONS", path)
		check(ahead, "OPTIONS "+rt.path, want)
		for m := range strings.SplitSeq(ahead.Header().Get("Access-Control-Allow-Methods"), ", ") {
			if m != "" && m != "GET" && m != "HEAD" && m != "OPTIONS" {
				t.Errorf("a page elsewhere may %s %s", m, rt.path)
			}
		}
		if own := s.from(atHome, "nobody", "OPTIONS", path); !strings.Contains(own.Header().Get("Access-Control-Allow-Methods"), rt.method) {
			t.Errorf("an own page may not %s %s", rt.method, rt.path)
		}
	}
	// What is public alone is for all; so is what is made of it.
	s.want(200, "nobody", "PATCH", "/v1/layers/none", `{"classification":"public"}`)
	for _, path := range []string{"/v1/layers/none/features", "/tiles/layers/none.json", "/tiles/density/8/206/127.png", "/v1/layers/none/features?bbox=x"} {
		w := s.from(dash, "nobody", "GET", path)
		if check(w, path, "*"); strings.Contains(w.Header().Get("Cache-Control"), "private") {
			t.Errorf("%s: cache %q", path, w.Header().Get("Cache-Control"))
		}
	}
}

const incidentRows = "id,lon,lat,occurred_from,kind,release,reporter_agency,discovery\na,110,1.1,2026-05-02T03:00:00Z,irr.exit,bilateral,POLRI,patrol\n"

// The owner of a layer names the origins: more of them with the word of a second
// person, fewer without.
func TestLayerOrigins(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/mine?kind=incident", incidentRows)
	const path = "/v1/layers/mine/features"
	for _, bad := range []string{`{"origins":["dash.example.org"]}`, `{"origins":["https://dash.example.org/"]}`, `{"origins":["*"]}`, `{"origins":["null"]}`,
		`{"origins":["https://u:p@dash.example.org"]}`, `{"classification":"secret","origins":["https://dash.example.org"]}`, `{}`} {
		g.want(422, "polri", "PATCH", "/v1/layers/mine", bad)
	}
	const body = `{"origins":["https://dash.example.org","https://b.example.org","https://dash.example.org"]}`
	ask := g.held("polri", "PATCH", "/v1/layers/mine", body)
	if o := g.from(dash, "polri", "GET", path).Header().Get("Access-Control-Allow-Origin"); o != atHome {
		t.Errorf("before it is approved: %s", o)
	}
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/mine", `{"origins":["https://evil.example.org"]}`); w.Code != 409 {
		t.Errorf("other origins than were approved: %d", w.Code)
	}
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/mine", body); w.Code != 200 || !strings.Contains(w.Body.String(), `"origins":["https://b.example.org","https://dash.example.org"]`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for origin, want := range map[string]string{dash: dash, evil: atHome, "": atHome, "null": atHome, "https://dash.example.org.evil.org": atHome} {
		for _, p := range []string{path, path + "?limit=x", "/tiles/layers/mine.json", "/tiles/density/6/51/31.png"} {
			w := g.from(origin, "polri", "GET", p)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || !varies(w, "Origin") {
				t.Errorf("%s from %q: %s, Vary %v, want %s", p, origin, got, w.Header().Values("Vary"), want)
			}
		}
	}
	// Asked ahead nobody is known yet: a layer that is there and one that is not
	// answer alike.
	for _, origin := range []string{dash, evil} {
		there, absent := g.from(origin, "nobody", "OPTIONS", path).Header(), g.from(origin, "nobody", "OPTIONS", "/v1/layers/nothing/features").Header()
		if want := map[string]string{dash: dash, evil: atHome}[origin]; there.Get("Access-Control-Allow-Origin") != want || absent.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("preflight from %s: %v, %v", origin, there, absent)
		}
		hidden, gone := g.from(origin, "pdrm", "GET", path), g.from(origin, "pdrm", "GET", "/v1/layers/nothing/features")
		if hidden.Code != gone.Code || hidden.Header().Get("Access-Control-Allow-Origin") != gone.Header().Get("Access-Control-Allow-Origin") || varies(hidden, "Origin") != varies(gone, "Origin") {
			t.Errorf("another's layer: %v\nnone: %v", hidden.Header(), gone.Header())
		}
	}
	// Lists tell a page of what it may read.
	for origin, want := range map[string]bool{dash: true, evil: false, "": true, atHome: true} {
		if w := g.from(origin, "polri", "GET", "/v1/layers"); strings.Contains(w.Body.String(), `"id":"mine"`) != want || !varies(w, "Origin") {
			t.Errorf("the list from %q: %.200s", origin, w.Body)
		}
	}
	g.want(200, "polri", "PATCH", "/v1/layers/mine", `{"origins":["https://b.example.org"]}`)
	if o := g.from(dash, "polri", "GET", path).Header().Get("Access-Control-Allow-Origin"); o != atHome {
		t.Errorf("after it was taken back: %s", o)
	}
	g.want(403, "imi", "PATCH", "/v1/layers/mine", `{"origins":[]}`)
	g.want(200, "polri", "PATCH", "/v1/layers/mine", `{"origins":[]}`)
}

// An edit makes a new entry, a role has its own, an unchanged one is 304, and
// an error is never kept.
func TestEntriesOfCaches(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/mine?kind=incident", incidentRows)
	paths := []string{"/tiles/layers/mine/8/206/127.mvt", "/v1/layers/mine/features?limit=5", "/v1/layers/mine", "/tiles/density/8/206/127.png"}
	before := map[string]string{}
	for _, p := range paths {
		w := g.do("polri", "GET", p, "")
		before[p] = w.Header().Get("ETag")
		if !strings.HasPrefix(w.Header().Get("Cache-Control"), "private, ") || !varies(w, "Authorization") {
			t.Errorf("%s: %v", p, w.Header())
		}
		if before[p] == "" {
			continue // a marked export is never the same twice
		}
		if again := g.from("", "polri", "GET", p, "If-None-Match", before[p]); again.Code != 304 || again.Header().Get("ETag") != before[p] || !varies(again, "Authorization") {
			t.Errorf("%s unchanged: %d %v", p, again.Code, again.Header())
		}
		if other := g.from("", "viewer", "GET", p, "If-None-Match", before[p]); other.Code == 304 || other.Header().Get("ETag") == before[p] {
			t.Errorf("%s: a viewer has the analyst's entry: %d", p, other.Code)
		}
	}
	g.want(200, "polri", "PUT", "/v1/layers/mine?kind=incident&mode=append", strings.ReplaceAll(incidentRows, "a,110,1.1", "b,110.1,1.2"))
	for _, p := range paths {
		if w := g.from("", "polri", "GET", p, "If-None-Match", before[p]); w.Code != 200 || before[p] != "" && w.Header().Get("ETag") == before[p] {
			t.Errorf("%s after the edit: %d %s", p, w.Code, w.Header().Get("ETag"))
		}
	}
	for p, status := range map[string]int{"/tiles/density/8/206/127.png?palette=rainbow": 400, "/tiles/density/40/0/0.png": 404, "/v1/layers/nothing": 404, "/tiles/density/8/206/127.png?v=x&v=y": 400} {
		for range 2 {
			w := g.from("", "polri", "GET", p, "If-None-Match", "*")
			if w.Code != status || w.Header().Get("ETag") != "" || !strings.HasSuffix(w.Header().Get("Cache-Control"), noStore) {
				t.Errorf("%s: %d %v", p, w.Code, w.Header())
			}
		}
	}
}
