package geo_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/sempadan/sempadan/geo"
)

// star is the polygon of n points on an ellipse of 10° by 9° that joins each
// to the one nearly opposite: all edges are long and nearly all cross.
func star(n int) orb.Polygon {
	step := n/2 - 1
	for gcd(n, step) != 1 {
		step--
	}
	ring := make(orb.Ring, 0, n+1)
	for k := range n {
		at := 2 * math.Pi * float64(k) * float64(step) / float64(n)
		ring = append(ring, orb.Point{110 + 5*math.Cos(at), 2 + 4.5*math.Sin(at)})
	}
	return orb.Polygon{append(ring, ring[0])}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// The memory is bounded by the edges, however long they are.
func TestAreaOfAStarIsSmall(t *testing.T) {
	const n = 200_000
	g := star(n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := geo.NewArea(g)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 160*n {
		t.Errorf("%d bytes for %d edges, want at most 160 each", got, n)
	}
	if a.Covers(orb.Point{115.1, 2}) {
		t.Error("the area covers a point outside")
	}
}

// The brute-force twin on polygons that cross themselves.
func TestAreaOfStarsAgainstEveryEdge(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for _, n := range []int{5, 8, 101, 3001} {
		g := star(n)
		if n == 8 { // and one of random points
			for i := range g[0] {
				g[0][i] = orb.Point{105 + 10*r.Float64(), -2.5 + 9*r.Float64()}
			}
			g[0][len(g[0])-1] = g[0][0]
		}
		a := geo.NewArea(g)
		for range 2000 {
			p := orb.Point{104.5 + 11*r.Float64(), -3 + 10*r.Float64()}
			if got, want := a.Covers(p), planar.PolygonContains(g, p); got != want {
				t.Fatalf("n = %d, %v: %v, want %v", n, p, got, want)
			}
			along := make([]bool, 1)
			if a.CoversAlong(p[1], []float64{p[0]}, along); along[0] != a.Covers(p) {
				t.Fatalf("n = %d, %v: along its parallel %v", n, p, along[0])
			}
		}
	}
}

// Points that go east, evenly spaced and not, are answered as each alone.
func TestCoversAlongOfAStar(t *testing.T) {
	a := geo.NewArea(star(1001))
	for _, bend := range []float64{1, 3} {
		lons, along := make([]float64, 300), make([]bool, 300)
		for i := range lons {
			lons[i] = 104.5 + 11*math.Pow(float64(i)/300, bend)
		}
		lons[7] = lons[6]
		for lat := -3.0; lat < 7; lat += 0.37 {
			a.CoversAlong(lat, lons, along)
			for i, got := range along {
				if want := a.Covers(orb.Point{lons[i], lat}); got != want {
					t.Fatalf("at %v, %v: %v, want %v", lons[i], lat, got, want)
				}
			}
		}
	}
}

func BenchmarkNewAreaStar(b *testing.B) {
	g := star(200_000)
	for b.Loop() {
		geo.NewArea(g)
	}
}

func BenchmarkAreaCoversStar(b *testing.B) {
	a := geo.NewArea(star(200_000))
	for b.Loop() {
		a.Covers(orb.Point{110.3, 1.2})
	}
}
