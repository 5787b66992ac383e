package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// guarded is a service that asks for keys, with some people.
type guarded struct {
	t     *testing.T
	h     http.Handler
	s     *Server
	now   time.Time
	token map[string]string
}

func newGuarded(t *testing.T, agreements ...Agreement) *guarded {
	t.Helper()
	dir := t.TempDir()
	store, err := gpkg.Open(context.Background(), filepath.Join(dir, "s.gpkg"), gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	g := &guarded{t: t, now: keyNow, token: map[string]string{"nobody": ""}}
	keys := KeyFile{filepath.Join(dir, "s.keys")}
	for name, q := range map[string]KeyRequest{
		"viewer": {Viewer, "MEDIA", "ID", 300}, "viewer my": {Viewer, "MEDIA", "MY", 300}, "ngo": {Contributor, "NGO", "ID", 300},
		"planner id": {Planner, "POLAIRUD", "ID", 300}, "planner my": {Planner, "MMEA", "MY", 300},
		"admin my": {Admin, "MAPO", "MY", 300}, "polri": {Analyst, "POLRI", "ID", 300}, "polri 2": {Analyst, "POLRI", "ID", 300}, "imi": {Analyst, "IMI", "ID", 300}, "pdrm": {Analyst, "PDRM", "MY", 300}, "admin": {Admin, "BNPP", "ID", 300},
	} {
		if _, g.token[name], err = keys.Create(q, keyNow.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	g.s, err = New(context.Background(), Options{Store: store, Model: risk.DefaultModel(), Now: func() time.Time { return g.now },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry(), MaxBody: 8 << 20,
		SignIn: SignIn{Keys: &keys, EmbedSecret: filepath.Join(dir, "s.embed")}})
	if err != nil {
		t.Fatal(err)
	}
	g.agree(agreements...)
	g.h = g.s.Handler()
	return g
}

func (g *guarded) do(who, method, path, body string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	token, known := g.token[who]
	if !known {
		g.t.Fatalf("nobody is called %s", who)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if strings.HasPrefix(body, "id,") {
		r.Header.Set("Content-Type", "text/csv")
	}
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	return w
}

func (g *guarded) want(status int, who, method, path, body string) string {
	g.t.Helper()
	w := g.do(who, method, path, body)
	if w.Code != status {
		g.t.Fatalf("%s %s as %s: %d, want %d: %.300s", method, path, who, w.Code, status, w.Body)
	}
	return w.Body.String()
}

// borderFile is a boundary along the equator's first degree.
const borderFile = `{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[109,1],[112,1]]}}`

var pathParameter = regexp.MustCompile(`\{[^{}]*(\{[^{}]*\}[^{}]*)*\}`)

// Every route against every role: who may not do what it does is refused, and
// nobody gets past without a key. The table is the policy's.
func TestAuthorisationMatrix(t *testing.T) {
	g := newGuarded(t)
	actions := routeActions()
	seen := map[string]bool{}
	var table strings.Builder
	for _, rt := range g.s.ways {
		name := rt.method + " " + rt.path
		do, listed := actions[name]
		if !listed {
			t.Errorf("%s has no action", name)
		}
		seen[name] = true
		path := examplePath(rt, "none")
		row := []string{}
		for _, who := range []string{"nobody", "viewer", "ngo", "planner my", "polri", "admin"} {
			p, err := g.s.gate.who(requestOf(g, who))
			if err != nil {
				t.Fatal(err)
			}
			if name == "PUT /v1/layers/{id}" {
				path = "/v1/layers/none?mode=append&kind=incident" // a contributor's way
			}
			got := g.do(who, rt.method, path, "").Code
			allowed := p.mayDo(do)
			refused := got == http.StatusUnauthorized || got == http.StatusForbidden
			if who == "nobody" && !allowed && got != http.StatusUnauthorized || who != "nobody" && !allowed && got != http.StatusForbidden || allowed && refused {
				t.Errorf("%s as %s: %d, allowed %v", name, who, got, allowed)
			}
			row = append(row, map[bool]string{true: "yes", false: "-"}[allowed])
		}
		fmt.Fprintf(&table, "%-75s %-8s %s\n", name, do, strings.Join(row, "\t"))
	}
	for name := range actions {
		if !seen[name] {
			t.Errorf("the policy speaks of %s, which is no route", name)
		}
	}
	t.Log("nobody, viewer, contributor, planner, analyst, admin\n" + table.String())
}

func requestOf(g *guarded, who string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if g.token[who] != "" {
		r.Header.Set("Authorization", "Bearer "+g.token[who])
	}
	return r
}

// What each circle sees of a layer of every class, and of records of every
// release.
func TestWhoSeesWhat(t *testing.T) {
	for _, c := range []struct {
		who   principal
		class string
		want  sight
	}{
		{principal{Role: Viewer, Country: "ID"}, classPublic, exactRows}, {principal{Role: Viewer, Country: "ID"}, classInternal, released},
		{principal{Role: Viewer, Country: "MY"}, classRestricted, released}, {principal{Role: Viewer, Country: "ID"}, classSecret, unseen},
		{principal{Role: Contributor, Country: "ID"}, classInternal, released},
		{principal{Role: Planner, Country: "ID", Agency: "X"}, classInternal, exactRows}, {principal{Role: Planner, Country: "ID", Agency: "X"}, classRestricted, exactMap},
		{principal{Role: Planner, Country: "ID", Agency: "POLRI"}, classSecret, unseen}, {principal{Role: Planner, Country: "MY"}, classInternal, unseen},
		{principal{Role: Analyst, Country: "ID", Agency: "POLRI"}, classSecret, exactRows}, {principal{Role: Analyst, Country: "ID", Agency: "IMI"}, classRestricted, released},
		{principal{Role: Analyst, Country: "ID", Agency: "IMI"}, classSecret, unseen}, {principal{Role: Analyst, Country: "MY", Agency: "POLRI"}, classRestricted, unseen},
		{principal{Role: Admin, Country: "ID", Agency: "POLRI"}, classInternal, unseen}, {principal{Embed: &EmbedGrant{}}, classInternal, unseen},
		{principal{Local: true}, classSecret, exactRows},
	} {
		l := incidentLayer(c.class)
		if got := c.who.layerSight(l, false); got != c.want {
			t.Errorf("%+v of a %s layer: %s, want %s", c.who, c.class, got, c.want)
		}
	}
	own := owner{"ID", "POLRI"}
	for _, c := range []struct {
		who     principal
		release string
		want    sight
	}{
		{principal{Role: Planner, Country: "MY"}, "national", unseen}, {principal{Role: Planner, Country: "MY"}, "bilateral", released},
		{principal{Role: Viewer, Country: "MY"}, "bilateral", unseen}, {principal{Role: Viewer, Country: "MY"}, "joint_plus_ngo", released},
		{principal{Role: Viewer, Country: "ID"}, "national", released}, {principal{Role: Contributor, Country: "ID"}, "national", unseen},
		{principal{Role: Planner, Country: "MY"}, "", unseen},
	} {
		if got := c.who.recordSight(released, own, c.release); got != c.want {
			t.Errorf("%+v of a record for %q: %s, want %s", c.who, c.release, got, c.want)
		}
	}
}

func incidentLayer(class string) geo.LayerInfo {
	return geo.LayerInfo{ID: "l", Kind: geo.KindIncident, Owner: "ID/POLRI", Classification: class}
}

// spots are isolated incidents, and a place with many, months old.
func spots(seed uint64) (csv string, isolated [][2]float64) {
	r := rand.New(rand.NewPCG(seed, 4))
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,release,reporter_agency,discovery\n")
	row := func(k int, lon, lat float64) {
		fmt.Fprintf(&b, "S%d,%.5f,%.5f,2026-0%d-%02dT03:00:00Z,irr.exit,joint_plus_ngo,%s,reported_public\n", k, lon, lat, 2+r.IntN(7), 1+r.IntN(28), []string{"POLRI", "IMI"}[k%2])
	}
	for k := range 60 {
		row(k, 110.5+0.004*r.NormFloat64(), 1+0.004*r.NormFloat64())
	}
	for k := range 8 {
		p := [2]float64{109.1 + 0.35*float64(k) + 0.05*r.Float64(), 0.9 + 0.2*r.Float64()}
		isolated = append(isolated, p)
		row(100+k, p[0], p[1])
	}
	return b.String(), isolated
}

// A walk through as everyone: the owner sees rows, a planner of the country maps
// and rows, the partner nothing but what is released, viewers cells of many.
func TestWalkAsEveryone(t *testing.T) {
	agreement := signedAgreement()
	g := newGuarded(t, agreement)
	csv, isolated := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	if owner := g.want(200, "polri", "GET", "/v1/layers", ""); !strings.Contains(owner, `"owner":"ID/POLRI"`) {
		t.Errorf("no owner: %s", owner)
	}
	rows := func(who string) int {
		w := g.do(who, "GET", "/v1/layers/cases/features", "")
		if w.Code == http.StatusNotFound {
			return -1
		}
		var fc struct{ Features []any }
		if err := json.Unmarshal(w.Body.Bytes(), &fc); err != nil {
			t.Fatalf("%s: %s", who, w.Body)
		}
		return len(fc.Features)
	}
	for who, want := range map[string]int{"polri": 68, "imi": 68, "planner id": 68, "planner my": -1, "pdrm": -1, "viewer": -1, "viewer my": -1, "ngo": -1} {
		if got := rows(who); got != want {
			t.Errorf("%s reads %d rows, want %d", who, got, want)
		}
	}
	// A layer that is not for somebody is as one that is not there.
	hidden, absent := g.do("pdrm", "GET", "/v1/layers/cases", ""), g.do("pdrm", "GET", "/v1/layers/nosuch", "")
	if hidden.Code != 404 || strings.ReplaceAll(hidden.Body.String(), "cases", "nosuch") != absent.Body.String() {
		t.Errorf("hidden: %s\nabsent: %s", hidden.Body, absent.Body)
	}
	g.want(403, "imi", "PUT", "/v1/layers/cases?kind=incident", csv)
	g.want(404, "pdrm", "DELETE", "/v1/layers/cases", "")
	g.want(403, "planner id", "DELETE", "/v1/layers/cases", "")
	g.want(403, "ngo", "PUT", "/v1/layers/own?kind=incident", csv)
	g.want(201, "ngo", "PUT", "/v1/layers/own?kind=incident&mode=append", csv)
	g.want(403, "viewer", "GET", "/v1/gaps", "")
	g.want(403, "viewer", "GET", "/tiles/coverage/8/206/127.png", "")
	g.want(403, "viewer", "GET", "/tiles/density/8/206/127.png?bandwidth_m=100", "")
	g.want(404, "viewer", "GET", "/tiles/density/11/1650/1018.png", "")
	g.want(200, "viewer", "GET", "/tiles/density/8/206/127.png", "")
	g.want(200, "planner my", "GET", "/v1/gaps", "")
	if w := g.do("viewer", "GET", "/tiles/density/8/206/127.png", ""); !strings.HasPrefix(w.Header().Get("Cache-Control"), "private") || !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Authorization") {
		t.Errorf("a viewer's tile may be shared: %v", w.Header())
	}
	value := func(who string, p [2]float64) float64 {
		var v struct{ Value *float64 }
		if err := json.Unmarshal([]byte(g.want(200, who, "GET", fmt.Sprintf("/tiles/density/value?lon=%g&lat=%g", p[0], p[1]), "")), &v); err != nil || v.Value == nil {
			return 0
		}
		return *v.Value
	}
	many := [2]float64{110.5, 1}
	for _, who := range []string{"viewer", "viewer my", "ngo", "planner my", "pdrm"} {
		if v := value(who, many); !(v > 0) {
			t.Errorf("%s sees nothing where there are many", who)
		}
		for _, p := range isolated {
			if v := value(who, p); v != 0 {
				t.Errorf("%s sees %g where there is one", who, v)
			}
		}
	}
	for _, p := range isolated {
		if v := value("planner id", p); !(v > 0) {
			t.Error("a planner does not see the own country's records")
		}
	}
	// What comes between two releases changes nothing that a viewer can fetch.
	before := g.do("viewer", "GET", "/tiles/density/8/206/127.png", "").Body.String() + g.want(200, "viewer", "GET", "/v1/layers", "")
	more, _ := spots(2)
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident&mode=append", strings.ReplaceAll(more, "\nS", "\nT"))
	if after := g.do("viewer", "GET", "/tiles/density/8/206/127.png", "").Body.String() + g.want(200, "viewer", "GET", "/v1/layers", ""); after != before {
		t.Error("a viewer notices an upload between two releases")
	}
	g.now = keyNow.AddDate(0, 1, 0)
	if v := value("viewer", many); !(v > 0) {
		t.Error("the next release is empty")
	}
}

// Attack: all numbers that a viewer can fetch near planted isolated incidents
// have no peak within a kilometre of any.
func TestZoomSweepFindsNobody(t *testing.T) {
	found := 0
	for seed := range uint64(5) {
		g := newGuarded(t)
		csv, isolated := spots(10 + seed)
		g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
		for _, p := range isolated {
			best, at := 0.0, [2]float64{}
			for i := range 21 {
				for j := range 21 {
					q := [2]float64{p[0] + 0.01*float64(i-10), p[1] + 0.01*float64(j-10)}
					var v struct{ Value float64 }
					_ = json.Unmarshal([]byte(g.want(200, "viewer", "GET", fmt.Sprintf("/tiles/density/value?lon=%g&lat=%g", q[0], q[1]), "")), &v)
					if v.Value > best {
						best, at = v.Value, q
					}
				}
			}
			if best > 0 && math.Hypot(at[0]-p[0], at[1]-p[1])*111 < 1 {
				found++
			}
		}
	}
	if found != 0 {
		t.Errorf("%d of 40 isolated incidents were found", found)
	}
}

func TestEmbedTokensOverHTTP(t *testing.T) {
	g := newGuarded(t)
	g.want(403, "polri", "POST", "/v1/embed-tokens", "{}")
	var granted struct {
		Token string `json:"token"`
	}
	body := `{"surface":"density","area":[109,0,112,2],"min_zoom":4,"max_zoom":8,"origin":"https://dash.example.org"}`
	if err := json.Unmarshal([]byte(g.want(201, "viewer", "POST", "/v1/embed-tokens", body)), &granted); err != nil {
		t.Fatal(err)
	}
	g.want(422, "viewer", "POST", "/v1/embed-tokens", strings.Replace(body, "density", "none", 1))
	g.token["embed"] = granted.Token
	for path, want := range map[string]int{
		"/tiles/density/8/206/127.png": 200, "/tiles/density/9/412/254.png": 404, "/tiles/density/3/6/3.png": 200, "/tiles/density/8/212/127.png": 200, "/tiles/coverage/8/206/127.png": 200,
		"/tiles/hazard/8/206/127.png": 200, "/tiles/hazard/legend.json": 403, "/v1/layers": 403, "/v1/gaps": 403, "/tiles/density/legend.json": 200, "/tiles/density.json": 200,
	} {
		if got := g.do("embed", "GET", path, "").Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if w := g.do("nobody", "GET", "/tiles/density/8/206/127.png?token="+granted.Token, ""); w.Code != 200 {
		t.Errorf("token in the address: %d %s", w.Code, w.Body)
	}
	if w := g.do("nobody", "GET", "/v1/layers?token="+g.token["polri"], ""); w.Code != 401 {
		t.Errorf("a key in the address: %d", w.Code)
	}
	g.now = keyNow.Add(15*time.Minute + time.Second)
	if got := g.do("embed", "GET", "/tiles/density/8/206/127.png", "").Code; got != 401 {
		t.Errorf("a second after its end: %d", got)
	}
}

// Whoever tries keys is slowed down.
func TestGuessingIsSlowedDown(t *testing.T) {
	g := newGuarded(t)
	g.token["guess"] = keyPrefix + "0123456789_" + strings.Repeat("A", 43)
	codes := map[int]int{}
	for range 40 {
		codes[g.do("guess", "GET", "/v1/layers", "").Code]++
	}
	if codes[401] < 15 || codes[429] < 10 {
		t.Errorf("%v", codes)
	}
}

func BenchmarkAuthorisation(b *testing.B) {
	f := KeyFile{filepath.Join(b.TempDir(), "k")}
	_, token, err := f.Create(KeyRequest{Viewer, "X", "ID", 1}, keyNow)
	if err != nil {
		b.Fatal(err)
	}
	g, err := newGate(SignIn{Keys: &f}, func() time.Time { return keyNow }, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/tiles/density/8/206/127.png", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	for b.Loop() {
		p, err := g.who(r)
		if err != nil || p.check(doMap) != nil || p.mayAsk(r, map[string]string{"surface": "density", "z": "8", "x": "206", "y": "127"}) != nil {
			b.Fatal(err)
		}
	}
}
