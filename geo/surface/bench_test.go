package surface_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

// A cold tile over 182,860 points with a radius of 20 pixels at its own zoom.
// The aggregate of the level is resident, as it is after the level's first
// tile; BenchmarkAggregate has its price.
func BenchmarkTile20px(b *testing.B) {
	points := surface.NewPoints(clustered(1, 182_860, -90.26, 38.65, 0.2), false)
	for _, z := range []int{8, 10, 11, 12, 13, 14} {
		b.Run(fmt.Sprintf("z%d", z), func(b *testing.B) {
			d, err := surface.NewDensity(points, surface.Quartic, 20*pixelM(z+8)*0.78)
			if err != nil {
				b.Fatal(err)
			}
			px, py := pixelOf(-90.26, 38.65, z+8)
			px, py = px/256*256, py/256*256
			d.Tile(z+8, px, py, 256)
			b.ResetTimer()
			for range b.N {
				d.Tile(z+8, px, py, 256)
			}
		})
	}
}

func BenchmarkTile5km(b *testing.B) {
	points := surface.NewPoints(clustered(1, 182_860, -90.26, 38.65, 0.2), false)
	d, err := surface.NewDensity(points, surface.Quartic, 5000)
	if err != nil {
		b.Fatal(err)
	}
	for _, z := range []int{0, 4, 6, 8, 10, 12, 14, 16} {
		b.Run(fmt.Sprintf("z%d", z), func(b *testing.B) {
			px, py := pixelOf(-90.26, 38.65, z+8)
			px, py = px/256*256, py/256*256
			d.Tile(z+8, px, py, 256)
			b.ResetTimer()
			for range b.N {
				d.Tile(z+8, px, py, 256)
			}
		})
	}
}

func BenchmarkNewPoints(b *testing.B) {
	events := clustered(1, 182_860, -90.26, 38.65, 0.2)
	for b.Loop() {
		surface.NewPoints(events, false)
	}
}

func BenchmarkAggregate(b *testing.B) {
	points := surface.NewPoints(clustered(1, 182_860, -90.26, 38.65, 0.2), false)
	for b.Loop() {
		d, _ := surface.NewDensity(points, surface.Quartic, 5000)
		d.Tile(20, 0, 0, 8)
	}
}

// 1024 x 1024 cells of 98 m, as the usual comparison of kernel densities has
// it, on one thread: the six planar jobs, other kernels, metric rows in degrees
// at the same scale, and two threads.
func BenchmarkRaster(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		events := comparisonEvents(7, n)
		for _, h := range []float64{1000, 5000} {
			job := fmt.Sprintf("%dk/%gkm/", n/1000, h/1000)
			planar := surface.PlanarLattice(0, 0, 100_000/1024.0, 1024, 1024)
			b.Run(job+"epanechnikov", func(b *testing.B) { sumEvents(b, planar, events, surface.Epanechnikov, h, 1) })
			b.Run(job+"quartic", func(b *testing.B) { sumEvents(b, planar, events, surface.Quartic, h, 1) })
			b.Run(job+"two-threads", func(b *testing.B) { sumEvents(b, planar, events, surface.Epanechnikov, h, 2) })
			lonlat := planar
			lonlat.Planar = false
			lonlat.Lon0, lonlat.DLon = planar.Lon0*degreesPerM, planar.DLon*degreesPerM
			lonlat.Lats = make([]float64, len(planar.Lats))
			for i, y := range planar.Lats {
				lonlat.Lats[i] = y * degreesPerM
			}
			inDegrees := slices.Clone(events)
			for i := range inDegrees {
				inDegrees[i].Lon *= degreesPerM
				inDegrees[i].Lat *= degreesPerM
			}
			b.Run(job+"metric", func(b *testing.B) { sumEvents(b, lonlat, inDegrees, surface.Epanechnikov, h, 1) })
		}
	}
}

const degreesPerM = 1 / 111_000.0

func sumEvents(b *testing.B, l surface.Lattice, events []surface.Event, k surface.Kernel, hM float64, threads int) {
	sheet := surface.NewSheet(l, threads)
	for b.Loop() {
		if err := surface.AddEvents(sheet, events, k, hM); err != nil {
			b.Fatal(err)
		}
	}
}

// comparisonEvents are 70 % in 200 clusters with a standard deviation of 2 km
// and unequal sizes, the rest anywhere, in a square of 100 km.
func comparisonEvents(seed uint64, n int) []surface.Event {
	r := rand.New(rand.NewPCG(seed, 0))
	type cluster struct{ x, y, share float64 }
	clusters := make([]cluster, 200)
	total := 0.0
	for i := range clusters {
		g := r.NormFloat64() // its square is Gamma(1/2), as of a Dirichlet(1/2)
		total += g * g
		clusters[i] = cluster{r.Float64() * 1e5, r.Float64() * 1e5, total}
	}
	events := make([]surface.Event, n)
	for i := range events {
		x, y := r.Float64()*1e5, r.Float64()*1e5
		if i%10 < 7 {
			at := r.Float64() * total
			k := sort.Search(len(clusters), func(k int) bool { return clusters[k].share > at })
			x, y = clusters[k].x+2000*r.NormFloat64(), clusters[k].y+2000*r.NormFloat64()
		}
		events[i] = surface.Event{Lon: x, Lat: y, Weight: 1}
	}
	return events
}
