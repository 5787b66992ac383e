package surface_test

import (
	"fmt"
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

// 1024 x 1024 cells of 98 m, as the usual comparison of kernel densities has it.
func BenchmarkRaster(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		events := clustered(2, n, 0, 0, 1)
		for i := range events {
			events[i].Lon = (events[i].Lon + .5) * 100_000
			events[i].Lat = (events[i].Lat + .5) * 100_000
		}
		points := surface.NewPoints(events, true)
		for _, h := range []float64{1000, 5000} {
			b.Run(fmt.Sprintf("%dk/%gkm", n/1000, h/1000), func(b *testing.B) {
				d, _ := surface.NewDensity(points, surface.Epanechnikov, h)
				l := surface.PlanarLattice(0, 0, 100_000/1024.0, 1024, 1024)
				for b.Loop() {
					d.Raster(l, 1)
				}
			})
		}
	}
}
