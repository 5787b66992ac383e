package geo_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/sempadan/sempadan/geo"
)

func TestAreaByHand(t *testing.T) {
	square := orb.Ring{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}}
	hole := orb.Ring{{1, 1}, {1, 3}, {3, 3}, {3, 1}, {1, 1}}
	a := geo.NewArea(orb.Collection{orb.Polygon{square, hole}, orb.Point{9, 9}})
	for p, want := range map[orb.Point]bool{
		{0.5, 0.5}: true, {2, 2}: false, {2, 0.5}: true, {5, 2}: false, {-1, 2}: false, {9, 9}: false,
	} {
		if got := a.Covers(p); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
	if geo.NewArea(orb.LineString{{0, 0}, {1, 1}}).Covers(orb.Point{0.5, 0.5}) {
		t.Error("a line covers a point")
	}
}

// The brute-force twin: orb's ray casting over every edge.
func TestAreaAgainstEveryEdge(t *testing.T) {
	const seed = 42
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 30 {
		var mp orb.MultiPolygon
		for k := range 4 {
			cx, n := 3*float64(k), 5+r.IntN(200)
			ring := orb.Ring{}
			for i := range n {
				at, far := 2*math.Pi*float64(i)/float64(n), 0.3+r.Float64()
				ring = append(ring, orb.Point{cx + far*math.Cos(at), far * math.Sin(at)})
			}
			mp = append(mp, orb.Polygon{append(ring, ring[0])})
		}
		a := geo.NewArea(mp)
		for range 500 {
			p := orb.Point{14*r.Float64() - 2, 3*r.Float64() - 1.5}
			if got, want := a.Covers(p), planar.MultiPolygonContains(mp, p); got != want {
				t.Fatalf("%v: %v, want %v", p, got, want)
			}
		}
		lons, along := make([]float64, 200), make([]bool, 200)
		for range 20 {
			lat := 3*r.Float64() - 1.5
			for i := range lons {
				lons[i] = 14*r.Float64() - 2
			}
			a.CoversAlong(lat, lons, along)
			for i, got := range along {
				if want := a.Covers(orb.Point{lons[i], lat}); got != want {
					t.Fatalf("along %v at %v: %v, want %v", lat, lons[i], got, want)
				}
			}
		}
	}
}

func BenchmarkAreaCovers(b *testing.B) {
	ring := orb.Ring{}
	for i := range 20_000 {
		at := 2 * math.Pi * float64(i) / 20_000
		ring = append(ring, orb.Point{110 + math.Cos(at), 1 + math.Sin(at)})
	}
	a := geo.NewArea(orb.Polygon{append(ring, ring[0])})
	for b.Loop() {
		a.Covers(orb.Point{110.3, 1.2})
	}
}
