package tiles_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
	"github.com/sempadan/sempadan/tiles"
)

// A million points to a finished PNG of 256 pixels: all tiles that hold data of
// zoom 4 to 7, and of zoom 8 to 14 sixty each where the data are, as people pan;
// each made once. The points lie in clusters along a border and straits,
// a tenth anywhere. The levels of merged events are made before, as at start.
func BenchmarkTileOfMillion(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 0))
	events := make([]surface.Event, 1_000_000)
	type cluster struct{ lon, lat, spread float64 }
	clusters := make([]cluster, 240)
	for i := range clusters {
		u := r.Float64()
		clusters[i] = cluster{98 + 20*u, 3*math.Sin(9*u) + 1.5, 0.12 * (0.15 + 0.9*r.Float64())}
	}
	for i := range events {
		e := surface.Event{Lon: 95 + 25*r.Float64(), Lat: -4 + 12*r.Float64(), Weight: 1}
		if c := clusters[r.IntN(len(clusters))]; i%10 != 0 {
			e.Lon, e.Lat = c.lon+c.spread*r.NormFloat64(), c.lat+c.spread*r.NormFloat64()
		}
		events[i] = e
	}
	points := surface.NewPoints(events, false)
	points.Merge()
	s, _ := tiles.SurfaceByID("density")
	ramp, err := tiles.RampNamed(s.Ramp)
	if err != nil {
		b.Fatal(err)
	}
	raster, err := tiles.NewRaster(s.DefaultScale(10), ramp)
	if err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, bandwidthM func(z int) float64) {
		var took []float64
		for range b.N {
			for z := 4; z <= 14; z++ {
				d, err := surface.NewDensity(points, surface.Quartic, bandwidthM(z))
				if err != nil {
					b.Fatal(err)
				}
				for _, at := range asked(r, events, z) {
					began := time.Now()
					values := d.Tile(z+8, at[0]*256, at[1]*256, 256)
					if _, _, err := raster.PNG(values, 256); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(began).Seconds()*1000)
				}
			}
		}
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2], "median-ms")
		b.ReportMetric(took[len(took)*99/100], "p99-ms")
	}
	b.Run("20px", func(b *testing.B) {
		run(b, func(z int) float64 { return 20 * 2 * math.Pi * 6378137 / math.Exp2(float64(z+8)) })
	})
	b.Run("5km", func(b *testing.B) { run(b, func(int) float64 { return 5000 }) })
}

func asked(r *rand.Rand, events []surface.Event, z int) (out [][2]int) {
	seen := map[[2]int]bool{}
	tries := len(events)
	if z <= 7 {
		tries = 4000 // enough to find all
	}
	for range tries {
		e := events[r.IntN(len(events))]
		x, y := surface.PixelAt(z, [2]float64{e.Lon, e.Lat})
		if at := [2]int{int(x), int(y)}; !seen[at] {
			seen[at] = true
			if out = append(out, at); z > 7 && len(out) == 60 {
				break
			}
		}
	}
	return out
}
