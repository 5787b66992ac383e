package api

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reachable are the addresses of all that somebody may ask for by GET, about a
// place and the layers there are, as the route table has them.
func reachable(t *testing.T, g *guarded, who string, at [2]float64) (out []string) {
	t.Helper()
	p, err := g.s.gate.who(requestOf(g, who))
	if err != nil {
		t.Fatal(err)
	}
	point := fmt.Sprintf("lon=%.3f&lat=%.3f", at[0]+0.1, at[1]+0.1)
	var cells []string
	for _, z := range []int{0, 5, 8, 10, 12} {
		x, y, _, _ := tileAt(at, z)
		cells = append(cells, fmt.Sprintf("%d %d %d", z, x, y))
	}
	var all []string
	for _, rt := range g.s.ways {
		if rt.method != http.MethodGet || !p.mayDo(routeActions()[rt.method+" "+rt.path]) {
			continue
		}
		paths := []string{rt.path}
		expand := func(pattern string, values ...string) {
			var next []string
			re := regexp.MustCompile(pattern)
			for _, path := range paths {
				if !re.MatchString(path) {
					next = append(next, path)
					continue
				}
				for _, v := range values {
					next = append(next, re.ReplaceAllLiteralString(path, v))
				}
			}
			paths = next
		}
		expand(`\{surface\}`, "density", "hazard", "risk", "coverage", "hotspots")
		expand(`\{id\}`, "cases", releaseLayer, "line", "none", "S1")
		expand(`\{fid\}`, "1", "fid:1", "EXTRA")
		expand(`\{retina[^/]*\}`, "", "@2x")
		expand(`\{ext:json\|svg\|png\}`, "json", "svg", "png")
		expand(`\{ext:mvt\|pbf\}`, "mvt")
		expand(`\{tms\}`, "WebMercatorQuad")
		expand(`\{style\}`, "default")
		expand(`\{name\}`, "light", "dark")
		expand(`\{kind\}`, "incident")
		for _, path := range paths {
			if !strings.Contains(path, "{z}") {
				all = append(all, pathParameter.ReplaceAllString(path, "none"))
				continue
			}
			for _, c := range cells {
				f := strings.Fields(c)
				one := strings.ReplaceAll(path, "{z}", f[0])
				one = regexp.MustCompile(`\{x[^/]*?\}`).ReplaceAllString(one, f[1])
				all = append(all, regexp.MustCompile(`\{y(:\[[^\]]*\]\+)?\}`).ReplaceAllString(one, f[2]))
			}
		}
	}
	box := fmt.Sprintf("crs=CRS:84&bbox=%.1f,%.1f,%.1f,%.1f&width=64&height=64", at[0]-1, at[1]-1, at[0]+1, at[1]+1)
	for _, path := range all {
		if file := strings.HasPrefix(path, "/surfaces/"); file && !strings.HasPrefix(path, "/surfaces/density.") {
			continue // dear, and the same as in tiles
		}
		out = append(out, path)
		switch {
		case strings.HasSuffix(path, "/value"), strings.HasSuffix(path, "/near"), path == "/v1/risk":
			out = append(out, path+"?"+point)
		case strings.HasSuffix(path, "/within"):
			out = append(out, path+"?radius_m=20000&"+point)
		case strings.HasSuffix(path, ".pmtiles"):
			out[len(out)-1] = path + "?maxzoom=1"
		case strings.HasSuffix(path, "/features"):
			out = append(out, path+"?limit=1", path+"?format=csv", path+"?format=pmtiles&maxzoom=6", path+"?bbox=109,0,112,2")
		case path == "/wms":
			out = append(out, path+"?request=GetMap&layers=density&"+box, path+"?request=GetFeatureInfo&i=9&j=9&layers=hazard&"+box, path+"?request=GetLegendGraphic&layer=density")
		case path == "/v1/gaps", path == "/v1/sections":
			out = append(out, path+"?format=geojson")
		}
	}
	return out
}

// exportID is the mark of an export: random, another each time.
var exportID = regexp.MustCompile(`x-[a-z2-7]{16}`)

// answers are all bytes of answers to somebody, with their headers.
func (g *guarded) answers(who string, paths []string) map[string]string {
	out := map[string]string{}
	for _, path := range paths {
		w := g.do(who, "GET", path, "")
		out[path] = exportID.ReplaceAllString(fmt.Sprintf("%d %v\n%s", w.Code, w.Header(), w.Body), "x-any")
	}
	return out
}

// Two stores that differ by one incident: who may see only released counts gets
// the same bytes and headers from both, when the cell has too few and no release
// is due; the public, too, until the next quarter.
func TestAttackTwoStores(t *testing.T) {
	const extra = "EXTRA,111.31417,1.20913,2026-05-05T03:00:00Z,irr.exit,public_aggregate,POLRI,reported_public\n"
	at := [2]float64{111.31417, 1.20913}
	csv := publicCases(400, nil)
	everyone := []string{"viewer", "viewer my", "ngo", "planner my", "nobody"}
	start := func(csv string) *guarded {
		g := newPublic(t, 9)
		g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
		g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
		return g
	}
	compare := func(name string, a, b *guarded, people []string) {
		for _, who := range people {
			paths := reachable(t, a, who, at)
			if name == "from the start" { // the one that has noise for this
				paths = slices.DeleteFunc(paths, func(p string) bool { return p == "/v1/public-release" })
			}
			x, y := a.answers(who, paths), b.answers(who, paths)
			bytes, differ, good := 0, 0, 0
			for _, path := range paths {
				bytes += len(x[path])
				if strings.HasPrefix(x[path], "200") {
					good++
				}
				if x[path] != y[path] {
					if differ++; differ < 4 {
						t.Errorf("%s, %s as %s:\n%.400s\n%.400s", name, path, who, x[path], y[path])
					}
				}
			}
			t.Logf("(b) two stores, %s, as %s: %d of %d answers (%d good, %d bytes) differ", name, who, differ, len(paths), good, bytes)
			if good < 40 && who != "nobody" || good < 20 {
				t.Errorf("%s: only %d good answers", who, good)
			}
		}
	}
	// The same keys, so that what is marked with who took it is marked alike.
	pair := func(first, second string) (a, b *guarded) {
		a, b = start(first), start(second)
		b.s.gate, b.token = a.s.gate, a.token
		return a, b
	}
	a, b := pair(csv, csv+extra)
	compare("from the start", a, b, everyone[:4])
	a, b = pair(csv, csv)
	for _, g := range []*guarded{a, b} { // the releases are made
		for _, who := range everyone {
			g.want(200, who, "GET", "/tiles/density/8/206/127.png", "")
		}
	}
	b.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident&mode=append", strings.Split(csv, "\n")[0]+"\n"+extra)
	compare("one more between releases", a, b, everyone)
	// The test can fail: the owner's analyst sees it.
	if x, y := a.answers("polri", []string{"/v1/layers/cases"}), b.answers("polri", []string{"/v1/layers/cases"}); x["/v1/layers/cases"] == y["/v1/layers/cases"] {
		t.Error("the stores do not differ")
	}
}

// What an embed token is not for answers as what is empty.
func TestForbiddenTilesAreBlank(t *testing.T) {
	g := newPublic(t, 10)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", publicCases(400, nil))
	token, _, err := g.s.gate.embeds.sign(embedGrantFor(t, g), g.now, longestEmbed)
	if err != nil {
		t.Fatal(err)
	}
	g.token["embed"] = token
	shown := g.do("embed", "GET", "/tiles/density/8/206/127.png", "")
	empty := g.do("embed", "GET", "/tiles/density/8/206/128.png", "")
	if shown.Body.String() == empty.Body.String() {
		t.Fatal("the tile shows nothing")
	}
	for _, path := range []string{"/tiles/density/3/6/3.png", "/tiles/density/8/209/127.png", "/wmts/density/default/GoogleMapsCompatible/8/127/209.png",
		"/ogc/styles/density/map/tiles/WebMercatorQuad/8/127/209"} {
		w := g.do("embed", "GET", path, "")
		if w.Code != empty.Code || w.Body.String() != empty.Body.String() || fmt.Sprint(w.Header()) != fmt.Sprint(empty.Header()) {
			t.Errorf("%s: %d %v, an empty tile %d %v", path, w.Code, w.Header(), empty.Code, empty.Header())
		}
	}
}

func embedGrantFor(t *testing.T, g *guarded) EmbedGrant {
	t.Helper()
	p, err := g.s.gate.who(requestOf(g, "viewer"))
	if err != nil {
		t.Fatal(err)
	}
	grant := embedGrant()
	grant.KeyID = p.ID
	return grant
}
