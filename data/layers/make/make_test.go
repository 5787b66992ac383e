package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/sempadan/sempadan/geo"
)

func gridOf(picture ...string) *grid {
	g := newGrid(orb.Bound{Max: orb.Point{float64(len(picture[0])), float64(len(picture))}}, 1)
	for r, line := range picture {
		for c, ch := range line {
			if ch == '#' {
				g.set(orb.Point{float64(c) + 0.5, float64(len(picture)-1-r) + 0.5})
			}
		}
	}
	return g
}

func TestOutlines(t *testing.T) {
	for _, c := range []struct {
		name         string
		picture      []string
		minCells     int
		shapes, ring int // polygons, and rings in all
		area         float64
	}{
		{"nothing", []string{"..", ".."}, 1, 0, 0, 0},
		{"one cell", []string{"...", ".#.", "..."}, 1, 1, 1, 1},
		{"a hole", []string{"#####", "#...#", "#...#", "#####"}, 1, 1, 2, 14},
		{"a hole too small to count", []string{"###", "#.#", "###"}, 2, 1, 1, 9},
		{"cells that meet at a corner are two", []string{"#.", ".#"}, 1, 2, 2, 2},
		{"an island in a lake", []string{"#####", "#...#", "#.#.#", "#...#", "#####"}, 1, 2, 3, 17},
		{"a speck left out", []string{"##.#", "##.."}, 3, 1, 1, 4},
	} {
		got := gridOf(c.picture...).outlines(0.01, c.minCells)
		rings, area := 0, 0.0
		for _, p := range got {
			rings += len(p)
			area += planar.Area(p)
			if p[0].Orientation() != orb.CCW || !p[0].Closed() {
				t.Errorf("%s: outer ring %v", c.name, p[0])
			}
		}
		if len(got) != c.shapes || rings != c.ring || math.Abs(area-c.area) > 1e-9 {
			t.Errorf("%s: %d shapes, %d rings, area %v", c.name, len(got), rings, area)
		}
	}
}

// Any pattern of cells has outlines of the same area as its cells.
func TestOutlinesKeepArea(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		g := newGrid(orb.Bound{Max: orb.Point{20, 20}}, 1)
		want := 0.0
		g.fill(func(orb.Point) bool {
			on := rng.IntN(2) == 0
			want += float64(b2i(on))
			return on
		})
		got := 0.0
		for _, ring := range g.rings() {
			got += planar.Area(ring)
		}
		if math.Abs(got-float64(countOn(g))) > 1e-9 || want < got {
			t.Errorf("area %v, want %v", got, countOn(g))
		}
	}
}

func TestKeepConnected(t *testing.T) {
	g := gridOf("##..#", "..#..", "#...#", "#...#")
	g.keepConnected(orb.Point{0.5, 3.5})
	g.and(func(p orb.Point) bool { return p[0] > 1 })
	if got := countOn(g); got != 2 {
		t.Errorf("%d cells are left, want 2", got)
	}
}

func countOn(g *grid) int {
	n := 0
	for _, on := range g.on {
		n += b2i(on)
	}
	return n
}

func TestConvert(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.geojson")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"features":[{"properties":{"id":"a","kind":"planned_land","accuracy_m":8000,"name":"X (ICQS)","note":null},"geometry":{"type":"Point","coordinates":[110,1]}}]}`)
	got, err := geoJSON(crossing)(path)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	p := got[0].Properties
	if got[0].ID != "a" || p["kind"] != "plbn" || p["kind_my"] != "icqs" || p["status"] != "planned" || p["location_precision_m"] != 8000.0 || len(p) != 6 {
		t.Errorf("%+v", got[0])
	}
	write(`{"features":[{"id":"i","properties":{"occurred_from":"2024-01-02T00:00:00+08:00","occurred_to":"2024-01-02T23:59:59+08:00","sources":[{"title":"T"}],"deaths":null},"geometry":{"type":"Point","coordinates":[110,1]}}]}`)
	got, err = geoJSON(incident)(path)
	if err != nil || got[0].From != time.Date(2024, 1, 1, 16, 0, 0, 0, time.UTC) || len(got[0].Properties) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if raw, ok := got[0].Properties["sources"].(json.RawMessage); !ok || string(raw) != `[{"title":"T"}]` {
		t.Errorf("sources %s", raw)
	}
	write(`{"features":[{"properties":{"A3":"IDN"},"geometry":{"type":"MultiPolygon","coordinates":[[[[100,0],[100,1],[101,1],[100,0]]],[[[10,0],[10,1],[11,1],[10,0]]]]}}]}`)
	got, err = geoJSON(countryPolygons)(path)
	if err != nil || len(got) != 1 || got[0].Properties["country"] != "ID" || got[0].Geometry.(orb.Polygon)[0].Orientation() != orb.CCW {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{``, `{"features":[{"geometry":{"type":"Circle"}}]}`, `{"features":[{"properties":{"kind":"tunnel"},"geometry":{"type":"Point","coordinates":[1,1]}}]}`} {
		write(bad)
		if _, err := geoJSON(crossing)(path); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestInformalLayer(t *testing.T) {
	for kind, want := range map[string]string{
		"jalan_tikus": "informal_paths", "water_crossing": "water_crossings", "river_ford": "water_crossings",
		"pelabuhan_tikus": "illegal_ports", "jeti_unregistered": "illegal_ports", "beach_landing": "illegal_ports",
	} {
		if got := informalLayer(geo.Feature{Properties: map[string]any{"kind": kind}}); got != want {
			t.Errorf("%s goes to %s, want %s", kind, got, want)
		}
	}
}

func BenchmarkOutlines(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	g := newGrid(orb.Bound{Max: orb.Point{200, 200}}, 1)
	g.fill(func(p orb.Point) bool { return math.Hypot(p[0]-100, p[1]-100) < 60+20*rng.Float64() })
	for b.Loop() {
		g.outlines(1, 1)
	}
}
