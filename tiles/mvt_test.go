package tiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/planar"
	"github.com/sempadan/sempadan/geo"
)

const testSeed = 20261122

func newRand(t testing.TB) *rand.Rand {
	t.Logf("seed %d", testSeed)
	return rand.New(rand.NewPCG(testSeed, 1))
}

func layerOf(kind geo.LayerKind, features ...geo.Feature) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "things", Title: "Things", Kind: kind})
	for _, f := range features {
		b.Add(f)
	}
	return b.Layer()
}

func geometries(g ...orb.Geometry) *geo.Layer {
	var f []geo.Feature
	for _, x := range g {
		f = append(f, geo.Feature{Geometry: x})
	}
	return layerOf(geo.KindOther, f...)
}

func mustTile(t testing.TB, v *Vector, id Tile, opt MVTOptions) ([]byte, Stats) {
	t.Helper()
	b, stats, err := v.Tile(t.Context(), id, opt)
	if err != nil {
		t.Fatal(err)
	}
	return b, stats
}

// decode reads a tile with orb's decoder, the foreign judge.
func decode(t testing.TB, b []byte) []*geojson.Feature {
	t.Helper()
	if b == nil {
		return nil
	}
	layers, err := mvt.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 1 || layers[0].Version != 2 || layers[0].Extent != Extent || layers[0].Name != "things" {
		t.Fatalf("layers %+v", layers)
	}
	return layers[0].Features
}

// incidents returns n seeded points in clusters with properties like those of
// an incident layer.
func incidents(n int) *geo.Layer {
	r := rand.New(rand.NewPCG(7, 7))
	kinds := []string{"irr.entry", "irr.exit", "som.attempt", "som.transport", "mar.interception", "obs.hidden_boat"}
	start := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	b := geo.NewBuilder(geo.LayerInfo{ID: "things", Kind: geo.KindIncident})
	for i := range n {
		p := orb.Point{95 + 25*r.Float64(), -4 + 12*r.Float64()}
		if k := r.IntN(60); i%10 > 0 {
			p = orb.Point{109.5 + float64(k)*0.13 + 0.1*r.NormFloat64(), 1 + 0.02*float64(k) + 0.1*r.NormFloat64()}
		}
		at := start.Add(time.Duration(r.IntN(3*365*86400)) * time.Second)
		b.Add(geo.Feature{Geometry: p, From: at, To: at, Properties: map[string]any{
			"id": float64(i + 1), "ref": fmt.Sprintf("inc-%06d", i+1), "kind": kinds[r.IntN(len(kinds))], "severity": float64(1 + r.IntN(5)),
		}})
	}
	return b.Layer()
}

// coast returns the outline of an island with about n vertices, by midpoint
// displacement.
func coast(r *rand.Rand, centre orb.Point, radius float64, n int) orb.Ring {
	ring := orb.Ring{}
	for i := range 8 {
		a := 2 * math.Pi * float64(i) / 8
		ring = append(ring, orb.Point{centre[0] + radius*math.Cos(a), centre[1] + radius*math.Sin(a)})
	}
	ring = append(ring, ring[0])
	for len(ring) < n {
		next := make(orb.Ring, 0, 2*len(ring))
		for i := 1; i < len(ring); i++ {
			a, b := ring[i-1], ring[i]
			k := 0.22 * r.NormFloat64()
			next = append(next, a, orb.Point{(a[0]+b[0])/2 - k*(b[1]-a[1]), (a[1]+b[1])/2 + k*(b[0]-a[0])})
		}
		ring = append(next, ring[len(ring)-1])
	}
	return ring
}

// mercator is the projection written the other way round, for the twins.
func mercator(p orb.Point, id Tile) (x, y float64) {
	n := math.Exp2(float64(id.Z)) * Extent
	lat := p[1] * math.Pi / 180
	return (p[0]+180)/360*n - float64(id.X)*Extent, (1-math.Asinh(math.Tan(lat))/math.Pi)/2*n - float64(id.Y)*Extent
}

// TestByHand: Entikong, 109.8717 E 0.9906 N, at zoom 0 lies at
// (109.8717+180)/360·4096 = 3298.1 and (0.5-0.9906/360·1.00005)·4096 = 2036.7.
func TestByHand(t *testing.T) {
	l := geometries(orb.Point{109.8717, 0.9906})
	b, stats := mustTile(t, NewVector(l), Tile{}, MVTOptions{})
	want := []byte{
		0x1a, 33, // a layer of 33 bytes
		0x0a, 6, 't', 'h', 'i', 'n', 'g', 's',
		0x12, 11, // a feature
		0x08, 1, // id 1
		0x18, 1, // a point
		0x22, 5, 9, 0xc4, 0x33, 0xea, 0x1f, // move to 3298, 2037: zigzag 6596, 4074
		0x28, 0x80, 0x20, // extent 4096
		0x78, 2, // version 2
	}
	want[1] = byte(len(want) - 2)
	if !bytes.Equal(b, want) {
		t.Errorf("got  % x\nwant % x", b, want)
	}
	if stats != (Stats{Total: 1, Features: 1}) {
		t.Errorf("stats %+v", stats)
	}
}

func TestProperties(t *testing.T) {
	from := time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC)
	l := layerOf(geo.KindIncident,
		geo.Feature{FID: 7, Geometry: orb.Point{110, 1}, From: from, To: from.Add(1500 * time.Millisecond), Properties: map[string]any{
			"text": "Sei Kelik <b>\"x\"</b> \u00e9\u4e2d\n\x00", "int": 42.0, "neg": -42.0, "float": 0.25, "yes": true, "no": false,
			"big": json.Number("9007199254740993"), "huge": json.Number("123456789012345678901234567890"),
			"list": json.RawMessage(`["a",1]`), "object": json.RawMessage(`{"a":1}`), "occurred_from": "shadow",
		}},
		geo.Feature{FID: 9, Geometry: orb.Point{110, 1}, From: from, To: from},
		geo.Feature{FID: 8, Geometry: orb.Point{110, 1}})
	b, _ := mustTile(t, NewVector(l), Tile{}, MVTOptions{})
	got := decode(t, b)
	if len(got) != 3 || got[0].ID != 7.0 || got[1].ID != 8.0 || got[2].ID != 9.0 {
		t.Fatalf("features are not in order of FID: %v", got)
	}
	want := map[string]any{
		"text": "Sei Kelik <b>\"x\"</b> \u00e9\u4e2d\n\uFFFD", "int": 42.0, "neg": -42.0, "float": 0.25, "yes": true, "no": false,
		"big": 9007199254740992.0, "huge": 123456789012345678901234567890.0,
		"list": `["a",1]`, "object": `{"a":1}`,
		"occurred_from": "2026-03-01T04:05:06Z", "occurred_to": "2026-03-01T04:05:07.500Z",
	}
	for k, w := range want {
		g := got[0].Properties[k]
		if n, ok := toFloat(g); ok {
			g = n
		}
		if g != w {
			t.Errorf("%s: got %#v, want %#v", k, g, w)
		}
	}
	if len(got[0].Properties) != len(want) || len(got[1].Properties) != 0 || len(got[2].Properties) != 1 {
		t.Errorf("properties %v %v %v", got[0].Properties, got[1].Properties, got[2].Properties)
	}
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// TestPointsBruteForce compares tiles all over the world with every point
// projected one by one.
func TestPointsBruteForce(t *testing.T) {
	r := newRand(t)
	var points []orb.Geometry
	for range 4000 {
		p := orb.Point{360*r.Float64() - 180, 180*r.Float64() - 90}
		switch r.IntN(6) {
		case 0:
			p[0] = []float64{-180, 180, 179.999, -179.999}[r.IntN(4)]
		case 1:
			p = orb.Point{110 + 0.5*r.NormFloat64(), 1 + 0.5*r.NormFloat64()}
		case 2:
			p[0] = 180/64*float64(r.IntN(64)) - 90
		}
		points = append(points, p)
	}
	v := NewVector(geometries(points...))
	const buffer = 64
	seen := 0
	for range 300 {
		id := Tile{Z: uint32(r.IntN(11))}
		p := points[r.IntN(len(points))].(orb.Point)
		x, y := mercator(p, Tile{Z: id.Z})
		limit := float64(uint32(1)<<id.Z - 1)
		id.X = uint32(min(max(math.Floor(x/Extent), 0), limit))
		id.Y = uint32(min(max(math.Floor(y/Extent), 0), limit))
		var want []string
		for i, g := range points {
			x, y := mercator(g.(orb.Point), id)
			for _, shift := range []float64{-1, 0, 1} {
				gx, gy := math.Floor(x+shift*math.Exp2(float64(id.Z))*Extent+0.5), math.Floor(y+0.5)
				if gx >= -buffer && gx <= Extent+buffer && gy >= -buffer && gy <= Extent+buffer {
					want = append(want, fmt.Sprint(i+1, gx, gy))
				}
			}
		}
		b, stats := mustTile(t, v, id, MVTOptions{})
		var got []string
		for _, f := range decode(t, b) {
			list, ok := f.Geometry.(orb.MultiPoint)
			if !ok {
				list = orb.MultiPoint{f.Geometry.(orb.Point)}
			}
			for _, p := range list {
				got = append(got, fmt.Sprint(f.ID, p[0], p[1]))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("tile %s: got %d points %.200v, want %d %.200v", id, len(got), got, len(want), want)
		}
		if stats.Total != stats.Features || stats.Thinned != 0 {
			t.Fatalf("stats %+v", stats)
		}
		seen += len(got)
	}
	if seen < 3000 {
		t.Fatalf("only %d points were compared", seen)
	}
}

func TestDeterministic(t *testing.T) {
	r := newRand(t)
	l := geometries(orb.Polygon{coast(r, orb.Point{110, 1}, 2, 3000)}, orb.LineString(coast(r, orb.Point{112, 1}, 2, 3000)), orb.Point{110, 1})
	var first []byte
	for range 3 {
		v := NewVector(l)
		mustTile(t, v, Tile{7, 103, 63}, MVTOptions{})
		var wait sync.WaitGroup
		got := make([][]byte, 8)
		for i := range got {
			wait.Go(func() { got[i], _, _ = v.Tile(t.Context(), Tile{5, 25, 15}, MVTOptions{}) })
		}
		wait.Wait()
		for _, b := range got {
			if first == nil {
				first = b
			}
			if !bytes.Equal(first, b) || len(b) == 0 {
				t.Fatal("two runs differ")
			}
		}
	}
}

func TestThinningIsNested(t *testing.T) {
	v := NewVector(incidents(30_000))
	opt := MVTOptions{MaxFeatures: 500}
	parent := Tile{5, 25, 15}
	b, stats := mustTile(t, v, parent, opt)
	if stats.Features != 500 || stats.Thinned != stats.Total-500 || stats.Total < 5000 {
		t.Fatalf("stats %+v", stats)
	}
	kept := decode(t, b)
	for range 4 {
		child := Tile{parent.Z + 1, parent.X*2 + 1, parent.Y*2 + 1}
		b, _ := mustTile(t, v, child, opt)
		ids := map[any]bool{}
		for _, f := range decode(t, b) {
			ids[f.ID] = true
		}
		inside := 0
		for _, f := range kept {
			if p, ok := f.Geometry.(orb.Point); ok && p[0] > 2049 && p[0] < 4095 && p[1] > 2049 && p[1] < 4095 {
				inside++
				if !ids[f.ID] {
					t.Fatalf("feature %v is in %s but not in %s", f.ID, parent, child)
				}
			}
		}
		t.Logf("%s: %d of the parent's features, %d in all", child, inside, len(ids))
		kept, parent = decode(t, b), child
	}
}

func TestThinningKeepsTheLargest(t *testing.T) {
	var g []orb.Geometry
	for i := range 100 {
		w := 0.1 * float64(1+i)
		g = append(g, orb.LineString{{100, float64(i) / 20}, {100 + w, float64(i) / 20}}, orb.Point{100, 1})
	}
	b, stats := mustTile(t, NewVector(geometries(g...)), Tile{4, 12, 7}, MVTOptions{MaxFeatures: 10})
	if stats.Features != 10 || stats.Thinned+10 != stats.Total {
		t.Fatalf("stats %+v", stats)
	}
	for _, f := range decode(t, b) {
		if f.ID.(float64) < 181 {
			t.Errorf("feature %v stayed and a longer one did not", f.ID)
		}
	}
}

// TestNeighboursAgree: two tiles have the same vertices where their buffers
// overlap.
func TestNeighboursAgree(t *testing.T) {
	r := newRand(t)
	ring := coast(r, orb.Point{110, 1}, 3, 20_000)
	for _, g := range []orb.Geometry{orb.LineString(ring), orb.Polygon{ring}} {
		v := NewVector(geometries(g))
		compared := 0
		for z := uint32(4); z <= 12; z++ {
			for range 20 {
				p := ring[r.IntN(len(ring))]
				x, y := mercator(p, Tile{Z: z})
				id := Tile{z, uint32(x / Extent), uint32(y / Extent)}
				here, _ := mustTile(t, v, id, MVTOptions{})
				east, _ := mustTile(t, v, Tile{z, id.X + 1, id.Y}, MVTOptions{})
				a := overlap(decode(t, here), 0)
				b := overlap(decode(t, east), Extent)
				if !slices.Equal(a, b) {
					t.Fatalf("%T %s: %d vertices here, %d in the tile to the east: %v %v", g, id, len(a), len(b), a, b)
				}
				compared += len(a)
			}
		}
		t.Logf("%T: %d vertices compared", g, compared)
		if compared < 100 {
			t.Error("too few to tell")
		}
	}
}

// overlap lists the vertices near the east edge of a tile, moved by shift.
func overlap(features []*geojson.Feature, shift float64) []string {
	var out []string
	for _, f := range features {
		for _, p := range vertices(f.Geometry) {
			x := p[0] + shift
			if x > Extent-62 && x < Extent+62 && p[1] > -62 && p[1] < Extent+62 {
				out = append(out, fmt.Sprint(x, p[1]))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func vertices(g orb.Geometry) []orb.Point {
	switch g := g.(type) {
	case orb.LineString:
		return g
	case orb.MultiLineString:
		var out []orb.Point
		for _, l := range g {
			out = append(out, l...)
		}
		return out
	case orb.Polygon:
		var out []orb.Point
		for _, r := range g {
			out = append(out, r...)
		}
		return out
	case orb.MultiPolygon:
		var out []orb.Point
		for _, p := range g {
			out = append(out, vertices(p)...)
		}
		return out
	}
	return nil
}

// TestPolygonsCover: away from its outline, a tile's polygon covers what the
// original covers, holes included.
func TestPolygonsCover(t *testing.T) {
	r := newRand(t)
	ring := coast(r, orb.Point{110, 1}, 3, 5000)
	lake := coast(r, orb.Point{110, 1}, 0.8, 500)
	lake.Reverse()
	g := orb.MultiPolygon{{ring, lake}, {coast(r, orb.Point{110, 1}, 0.3, 300)}}
	v := NewVector(geometries(g))
	checked := 0
	for z := uint32(3); z <= 10; z++ {
		for range 12 {
			p := ring[r.IntN(len(ring))]
			if r.IntN(2) == 0 {
				p = lake[r.IntN(len(lake))]
			}
			x, y := mercator(p, Tile{Z: z})
			id := Tile{z, uint32(x / Extent), uint32(y / Extent)}
			b, _ := mustTile(t, v, id, MVTOptions{})
			var got orb.MultiPolygon
			for _, f := range decode(t, b) {
				got = append(got, polygons(f.Geometry)...)
			}
			for _, poly := range got {
				for i, ring := range poly {
					if area := planar.Area(ring); len(ring) < 4 || ring[0] != ring[len(ring)-1] || (area > 0) != (i == 0) || math.Abs(area) < 64 {
						t.Fatalf("%s: ring %d with %d vertices has area %g", id, i, len(ring), area)
					}
				}
			}
			projected := project(g, id)
			for range 40 {
				q := orb.Point{Extent * r.Float64(), Extent * r.Float64()}
				if planar.DistanceFrom(outlines(projected), q) < 12 {
					continue
				}
				checked++
				if in, want := planar.MultiPolygonContains(got, q), planar.MultiPolygonContains(projected, q); in != want {
					t.Fatalf("%s at %v: covered %v, want %v", id, q, in, want)
				}
			}
		}
	}
	t.Logf("%d positions", checked)
}

func polygons(g orb.Geometry) orb.MultiPolygon {
	switch g := g.(type) {
	case orb.Polygon:
		return orb.MultiPolygon{g}
	case orb.MultiPolygon:
		return g
	}
	return nil
}

func project(g orb.MultiPolygon, id Tile) orb.MultiPolygon {
	out := g.Clone()
	for _, p := range out {
		for _, r := range p {
			for i := range r {
				x, y := mercator(r[i], id)
				r[i] = orb.Point{x, y}
			}
		}
	}
	return out
}

func outlines(g orb.MultiPolygon) orb.MultiLineString {
	var out orb.MultiLineString
	for _, p := range g {
		for _, r := range p {
			out = append(out, orb.LineString(r))
		}
	}
	return out
}

// TestRingsDoNotCross looks at every pair of segments of a rough coast with
// narrow inlets, whose banks simplification would make cross.
func TestRingsDoNotCross(t *testing.T) {
	r := newRand(t)
	ring := coast(r, orb.Point{110, 1}, 3, 4000)
	rings := 0
	for _, tolerance := range []float64{0.5, 2, 8} {
		v := NewVector(geometries(orb.Polygon{ring}))
		for _, id := range []Tile{{3, 6, 3}, {5, 25, 15}, {6, 51, 31}, {6, 52, 31}, {7, 103, 64}} {
			b, _ := mustTile(t, v, id, MVTOptions{TolerancePx: tolerance})
			for _, f := range decode(t, b) {
				for _, p := range polygons(f.Geometry) {
					open := make([]vertex, len(p[0])-1)
					for i := range open {
						open[i] = snap(p[0][i])
					}
					rings++
					for i := range open {
						for j := range i {
							if cross(open, int32(j), int32(i)) {
								t.Errorf("%s, tolerance %g: segments %d and %d of %d cross", id, tolerance, j, i, len(open))
							}
						}
					}
				}
			}
		}
	}
	if rings < 8 {
		t.Errorf("only %d rings were looked at", rings)
	}
}

func TestUncross(t *testing.T) {
	bow := []vertex{{0, 0}, {10, 10}, {10, 0}, {0, 10}} // the first and third segment cross
	new(uncrosser).uncross(bow)
	if area := doubleArea(bow); area != 200 && area != -200 {
		t.Errorf("%v has twice the area %d", bow, area)
	}
}

// TestSimplificationStaysNear: no vertex of the original is farther from the
// line in the tile than the tolerance and the rounding.
func TestSimplificationStaysNear(t *testing.T) {
	r := newRand(t)
	ring := coast(r, orb.Point{110, 1}, 3, 20_000)
	v := NewVector(geometries(orb.LineString(ring)))
	for _, id := range []Tile{{4, 12, 7}, {6, 51, 31}, {7, 103, 63}} {
		b, _ := mustTile(t, v, id, MVTOptions{})
		var got orb.MultiLineString
		for _, f := range decode(t, b) {
			if l, ok := f.Geometry.(orb.LineString); ok {
				got = append(got, l)
			} else {
				got = append(got, f.Geometry.(orb.MultiLineString)...)
			}
		}
		kept := len(vertices(got))
		for i := 0; i < len(ring); i += 7 {
			x, y := mercator(ring[i], id)
			if x < 10 || y < 10 || x > Extent-10 || y > Extent-10 {
				continue
			}
			if d := planar.DistanceFrom(got, orb.Point{x, y}); d > 4+0.75 {
				t.Fatalf("%s: vertex %d is %.2f units off", id, i, d)
			}
		}
		t.Logf("%s: %d vertices kept", id, kept)
	}
}

// TestKeepToIsDouglasPeucker compares with the recursive definition.
func TestKeepToIsDouglasPeucker(t *testing.T) {
	r := newRand(t)
	for range 200 {
		v := make([]orb.Point, 2+r.IntN(60))
		for i := range v {
			v[i] = orb.Point{float64(i) * 0.01, 0.05 * r.NormFloat64()}
		}
		keep := keepTo(v)
		for _, tolerance := range []float64{0.001, 0.02, 0.1, 1} {
			want := map[int]bool{0: true, len(v) - 1: true}
			var split func(lo, hi int)
			split = func(lo, hi int) {
				if at, d := farthest(v, lo, hi); d > tolerance*tolerance {
					want[at] = true
					split(lo, at)
					split(at, hi)
				}
			}
			split(0, len(v)-1)
			for i := range v {
				if kept := float64(keep[i]) > tolerance*tolerance; kept != want[i] {
					t.Fatalf("vertex %d at tolerance %g: kept %v", i, tolerance, kept)
				}
			}
		}
	}
}

// TestCostlyLine: a line whose splits are as uneven as can be stays within
// the bound on work, here counted by the test's own time limit.
func TestCostlyLine(t *testing.T) {
	v := make([]orb.Point, 300_000)
	for i := range v {
		v[i] = orb.Point{0, math.Pow(0.99999, float64(i)) * float64(1-2*(i%2))}
	}
	kept := 0
	for _, k := range keepTo(v) {
		if k > 1e-12 {
			kept++
		}
	}
	t.Logf("%d of %d vertices matter", kept, len(v))
}

func TestSmallShapesAreDropped(t *testing.T) {
	tiny := orb.Polygon{{{110, 1}, {110.001, 1}, {110.001, 1.001}, {110, 1.001}, {110, 1}}}
	dot := orb.LineString{{110, 1}, {110.0001, 1}}
	b := geo.NewBuilder(geo.LayerInfo{ID: "things", Base: true})
	b.Add(geo.Feature{Geometry: tiny})
	b.Add(geo.Feature{Geometry: dot})
	l := b.Layer()
	if b, stats := mustTile(t, NewVector(l), Tile{4, 12, 7}, MVTOptions{}); b != nil || stats != (Stats{Total: 2}) {
		t.Errorf("%d bytes, %+v", len(b), stats)
	}
	near, _ := mustTile(t, NewVector(l), Tile{15, 26396, 16292}, MVTOptions{})
	if got := decode(t, near); len(got) != 2 {
		t.Errorf("at zoom 15 %d features", len(got))
	}
	far, _ := mustTile(t, NewVector(geometries(tiny, dot)), Tile{4, 12, 7}, MVTOptions{})
	if got := decode(t, far); len(got) != 1 || len(got[0].Geometry.(orb.LineString)) != 2 {
		t.Errorf("a short line that is not of the base map: %v", got)
	}
}

func TestAntimeridian(t *testing.T) {
	l := geometries(
		orb.MultiLineString{{{179, -16}, {180, -17}}, {{-180, -17}, {-179, -18}}},
		orb.MultiPolygon{{{{178, -18}, {180, -18}, {180, -16}, {178, -16}, {178, -18}}}, {{{-180, -18}, {-178, -18}, {-178, -16}, {-180, -16}, {-180, -18}}}},
		orb.Point{180, -17}, orb.Point{-180, -17},
	)
	v := NewVector(l)
	for _, id := range []Tile{{0, 0, 0}, {4, 15, 8}, {4, 0, 8}, {6, 63, 35}, {6, 0, 35}} {
		b, _ := mustTile(t, v, id, MVTOptions{})
		got := decode(t, b)
		if len(got) != 4 {
			t.Errorf("%s: %d features, want 4", id, len(got))
		}
		for _, f := range got {
			box := f.Geometry.Bound()
			if box.Min[0] < -64 || box.Max[0] > Extent+64 || (id.Z > 0 && box.Max[0]-box.Min[0] > Extent*0.99) {
				t.Errorf("%s: %v reaches across the tile: %v", id, f.Geometry.GeoJSONType(), box)
			}
		}
	}
	if b, _ := mustTile(t, v, Tile{4, 7, 8}, MVTOptions{}); b != nil {
		t.Error("something is drawn on the other side of the world")
	}
}

func TestCollection(t *testing.T) {
	l := geometries(orb.Collection{orb.Point{110, 1}, orb.LineString{{110, 1}, {111, 2}}, orb.Polygon{{{110, 1}, {111, 1}, {111, 2}, {110, 1}}}})
	b, stats := mustTile(t, NewVector(l), Tile{6, 51, 31}, MVTOptions{})
	if got := decode(t, b); len(got) != 3 || stats.Features != 1 {
		t.Errorf("%d parts, %+v", len(got), stats)
	}
}

func TestRefusals(t *testing.T) {
	v := NewVector(geometries(orb.Point{110, 1}))
	if _, _, err := v.Tile(t.Context(), Tile{3, 8, 0}, MVTOptions{}); err == nil {
		t.Error("a tile that does not exist was made")
	}
	if _, _, err := v.Tile(t.Context(), Tile{}, MVTOptions{Buffer: 300}); err == nil {
		t.Error("a buffer of 300 units was taken")
	}
	if b, stats, err := EncodeMVT(t.Context(), geometries(), Tile{}, MVTOptions{}); b != nil || err != nil || stats != (Stats{}) {
		t.Errorf("empty layer: %v %+v %v", b, stats, err)
	}
}

// FuzzRoundTrip: what is written decodes, whatever the shape and property.
func FuzzRoundTrip(f *testing.F) {
	f.Add("name", "va\"lue", 110.0, 1.0, 111.0, 2.0, uint8(5))
	f.Add("", "\x00", -180.0, 90.0, 180.0, -90.0, uint8(0))
	f.Fuzz(func(t *testing.T, name, text string, a, b, c, d float64, z uint8) {
		for _, v := range []*float64{&a, &c} {
			if !(*v >= -180 && *v <= 180) {
				return
			}
		}
		for _, v := range []*float64{&b, &d} {
			if !(*v >= -90 && *v <= 90) {
				return
			}
		}
		l := layerOf(geo.KindOther,
			geo.Feature{Geometry: orb.LineString{{a, b}, {c, d}}, Properties: map[string]any{name: text}},
			geo.Feature{Geometry: orb.Polygon{{{a, b}, {c, d}, {a, d}, {a, b}}}},
			geo.Feature{Geometry: orb.Point{a, b}})
		x, y := mercator(orb.Point{a, min(max(b, -85), 85)}, Tile{Z: uint32(z % 23)})
		id := Tile{Z: uint32(z % 23)}
		id.X, id.Y = min(uint32(x/Extent), 1<<id.Z-1), min(uint32(y/Extent), 1<<id.Z-1)
		out, stats, err := EncodeMVT(t.Context(), l, id, MVTOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, out); len(got) != stats.Features {
			t.Fatalf("%d features, stats say %d", len(got), stats.Features)
		}
	})
}
