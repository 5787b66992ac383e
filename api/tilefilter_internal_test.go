package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// openLayer makes a layer public, as two people do.
func (g *guarded) openLayer(owner, second, id string) {
	g.t.Helper()
	const body = `{"classification":"public"}`
	ask := g.held(owner, "PATCH", "/v1/layers/"+id, body)
	g.want(200, second, "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, owner, "PATCH", "/v1/layers/"+id, body); w.Code != 200 {
		g.t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// Whoever sees what is released sees it as it is published: there is no filter
// whose answer less another's could be a few records. A layer that is not there for
// them says so, with a filter as without.
func TestTileFiltersOfReleasedLayers(t *testing.T) {
	g := newGuarded(t, signedAgreement())
	csv, _ := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.openLayer("polri", "imi", "line")
	questions := []string{"filter=nosuch=1", "filter=(", "filter=" + url.QueryEscape(`"from" > 5`), "filter=TRUE", "datetime=2026-05-01", "filter=TRUE&datetime=../2026-01-01"}
	addresses := []string{"/tiles/layers/#/6/51/31.mvt?", "/tiles/layers/#.json?", "/ogc/collections/#/tiles/WebMercatorQuad/6/31/51?"}
	asked := 0
	for _, c := range []struct {
		layer  string
		people []string
		status int
	}{
		{releaseLayer, []string{"viewer", "viewer my", "ngo", "planner my", "pdrm"}, http.StatusForbidden},
		{"line", []string{"viewer", "viewer my", "ngo"}, http.StatusForbidden},
		{"cases", []string{"viewer", "viewer my", "ngo", "planner my", "pdrm"}, http.StatusNotFound},
	} {
		for _, who := range c.people {
			for _, address := range addresses {
				path := strings.ReplaceAll(address, "#", c.layer)
				if plain := g.do(who, "GET", strings.TrimSuffix(path, "?"), ""); plain.Code >= 400 != (c.status == 404) {
					t.Errorf("%s as %s: %d", path, who, plain.Code)
				}
				for _, q := range questions {
					asked++
					w := g.do(who, "GET", path+q, "")
					if w.Code != c.status || c.status == 403 && !strings.Contains(w.Body.String(), "without filter and datetime") {
						t.Errorf("%s%s as %s: %d %s", path, q, who, w.Code, w.Body)
					}
					if c.status == 404 {
						absent := g.do(who, "GET", strings.ReplaceAll(address, "#", "nosuch")+q, "")
						if absent.Code != 404 || strings.ReplaceAll(w.Body.String(), c.layer, "nosuch") != absent.Body.String() {
							t.Errorf("hidden: %s\nabsent: %s", w.Body, absent.Body)
						}
					}
				}
			}
		}
	}
	t.Logf("%d questions about released layers, none answered by rows", asked)
}

// Of a layer of which somebody sees some records a filter finds some of those, and
// knows nothing of the others: every answer is what it is where they are not, and a
// property that only hidden records have is none.
func TestTileFiltersOfHiddenRecords(t *testing.T) {
	row := func(id, kind, release string, severity float64, at float64) geo.Feature {
		day := time.Date(2026, 5, int(severity), 3, 0, 0, 0, time.UTC)
		return geo.Feature{ID: id, Geometry: orb.Point{at, 1.1}, From: day, To: day, Properties: map[string]any{"kind": kind, "release": release, "severity": severity}}
	}
	shown := []geo.Feature{row("a", "irr.exit", "bilateral", 2, 110), row("b", "mar.landing", "bilateral", 4, 110.1)}
	hidden := []geo.Feature{row("c", "irr.exit", "national", 5, 110.2), row("d", "som.attempt", "national", 2, 110.3)}
	hidden[0].Properties["squad"] = "north"
	layer := func(features ...geo.Feature) *geo.Layer {
		b := geo.NewBuilder(geo.LayerInfo{ID: "cases", Kind: geo.KindIncident, Version: 1})
		for _, f := range features {
			b.Add(f)
		}
		return b.Layer()
	}
	all := layer(append(shown, hidden...)...)
	narrowed, alone := newEntry(all.Without(map[int64]bool{3: true, 4: true}), true), newEntry(layer(shown...), true)
	g := newGuarded(t)
	found := map[float64]bool{}
	for _, f := range []string{"severity=2", "severity>=4", "severity=5", "kind='irr.exit'", "kind LIKE 'som%'", "kind IN ('mar.landing','som.attempt')", "release='national'",
		"release='bilateral'", "occurred_from < DATE('2026-05-04')", "NOT (severity=2)", "severity IS NULL", "id='c'", "squad='north'", "squad IS NULL", "TRUE", "FALSE"} {
		var answers []string
		for _, e := range []*entry{narrowed, alone} {
			r := newRequest("GET", "/tiles/layers/cases/6/51/31.mvt?filter="+url.QueryEscape(f), nil)
			q, err := g.s.readTileQuery(r, e)
			if strings.HasPrefix(f, "squad") != (err != nil) {
				t.Fatalf("%s: %v", f, err)
			} else if err != nil {
				answers = append(answers, err.Error())
				continue
			}
			g.s.filtered.cache.InvalidateAll() // both entries have one tag
			tile, err := g.s.layerTile(t.Context(), e, tiles.Tile{Z: 6, X: 51, Y: 31}, q)
			if err != nil {
				t.Fatal(err)
			}
			answers = append(answers, tile.tag+tile.note+string(tile.body))
			if tile.body != nil {
				layers, err := mvt.Unmarshal(tile.body)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range layers[0].Features {
					found[f.ID.(float64)] = true
				}
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s: with hidden records %q, without them %q", f, answers[0], answers[1])
		}
	}
	if len(found) != 2 || !found[1] || !found[2] {
		t.Errorf("filters find %v", found)
	}
}

// What a filter leaves out counts as read: it is known of it that it was left out.
func TestTileFiltersCountAllRows(t *testing.T) {
	g := newGuarded(t)
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,release,reporter_agency,discovery,severity\n")
	for i := range rawRows + 1 {
		fmt.Fprintf(&b, "r%d,%.4f,1.1,2026-05-02T03:00:00Z,irr.exit,national,POLRI,patrol,%d\n", i, 110+float64(i)/10000, 1+i%5)
	}
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", b.String())
	for _, q := range []string{"", "?filter=severity=1", "?filter=FALSE", "?datetime=1999-01-01"} {
		if w := g.do("imi", "GET", "/tiles/layers/cases/6/51/31.mvt"+q, ""); w.Code != http.StatusAccepted {
			t.Errorf("%q: %d", q, w.Code)
		}
	}
}

// However many filters are asked for, the tiles without one stay, and the bytes
// kept for filters have their bound.
func TestManyFiltersDriveOutNoTile(t *testing.T) {
	s := newSignedIn(t, func(o *Options) { o.SignIn, o.TileCacheBytes = SignIn{}, 1<<20 })
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind\n")
	for i := range 500 {
		fmt.Fprintf(&b, "r%d,%.4f,%.4f,2026-05-02T03:00:00Z,irr.exit\n", i, 110+float64(i%40)/100, 1+float64(i)/1000)
	}
	s.want(201, "nobody", "PUT", "/v1/layers/cases?kind=incident", b.String())
	const tile = "/tiles/layers/cases/6/51/31.mvt"
	s.want(200, "nobody", "GET", tile, "")
	size := len(s.want(200, "nobody", "GET", tile, ""))
	for i := range 400 { // more bytes than both caches have
		s.want(200, "nobody", "GET", fmt.Sprintf("%s?filter=id<>'r%d'", tile, i), "")
	}
	if size*400 < 2<<20 {
		t.Fatalf("a tile of %d bytes is too small for this test", size)
	}
	kept := 0
	for key := range s.s.tiles.cache.All() {
		if strings.Contains(key, "filter=") {
			t.Errorf("%s is among the tiles without a filter", key)
		}
		kept++
	}
	if kept != 1 {
		t.Errorf("%d tiles without a filter are kept", kept)
	}
	s.s.filtered.cache.CleanUp()
	if w := s.s.filtered.cache.WeightedSize(); w == 0 || w > 1<<17 {
		t.Errorf("%d bytes of filters are kept", w)
	}
}
