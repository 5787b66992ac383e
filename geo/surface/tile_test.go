package surface_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

// clustered returns n events in towns round lon, lat, spreadDeg wide, a third
// of them at repeated places, as address data are.
func clustered(seed uint64, n int, lon, lat, spreadDeg float64) []surface.Event {
	r := rand.New(rand.NewPCG(seed, 1))
	type town struct{ x, y, sd float64 }
	towns := make([]town, 40)
	for i := range towns {
		towns[i] = town{lon + (r.Float64()-.5)*spreadDeg, lat + (r.Float64()-.5)*spreadDeg, spreadDeg * (0.01 + 0.05*r.Float64())}
	}
	out := make([]surface.Event, 0, n)
	for range n {
		t := towns[r.IntN(len(towns))]
		e := surface.Event{Lon: t.x + t.sd*r.NormFloat64(), Lat: t.y + t.sd*r.NormFloat64(), Weight: 1}
		if len(out) > 0 && r.IntN(3) == 0 {
			old := out[r.IntN(len(out))]
			e.Lon, e.Lat = old.Lon, old.Lat
		}
		out = append(out, e)
	}
	return out
}

func density(t testing.TB, events []surface.Event, bandwidthM float64) *surface.Density {
	t.Helper()
	d, err := surface.NewDensity(surface.NewPoints(events, false), surface.Quartic, bandwidthM)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const equatorM = 2 * math.Pi * 6378137.0

func pixelM(level int) float64 { return equatorM / math.Exp2(float64(level)) }

func pixelOf(lon, lat float64, level int) (px, py int) {
	side := math.Exp2(float64(level))
	s := math.Sin(lat * math.Pi / 180)
	return int((lon/360 + .5) * side), int((0.5 - math.Log((1+s)/(1-s))/(4*math.Pi)) * side)
}

// A tile is within DisplayError of the exact raster, whether it is evaluated
// at its own pixels or interpolated, and never negative.
func TestTileAgreesWithExactRaster(t *testing.T) {
	events := clustered(7, 3000, 110.3, 1.1, 0.4)
	for i := range events { // a few coarse positions, as public records have
		if i%50 == 0 {
			events[i].PrecisionM = 9000
		}
	}
	for _, c := range []struct {
		level      int
		bandwidthM float64
	}{{16, 5000}, {18, 5000}, {20, 5000}, {22, 1000}, {17, 3000}, {15, 4 * pixelM(15)}, {17, 20 * pixelM(17)}, {19, 20 * pixelM(19)}, {22, 20 * pixelM(22)}} {
		d := density(t, events, c.bandwidthM)
		px, py := pixelOf(110.3, 1.1, c.level)
		const n = 128
		got := d.Tile(c.level, px-n/2, py-n/2, n)
		want := d.Raster(surface.TileLattice(c.level, px-n/2, py-n/2, n), 1)
		peak := 0.0
		for _, e := range events[:400] {
			peak = max(peak, d.At(e.Lon, e.Lat))
		}
		off := 0.0
		for i := range want {
			off = max(off, math.Abs(got[i]-want[i]))
			if got[i] < 0 {
				t.Fatalf("negative density %g", got[i])
			}
		}
		t.Logf("level %d, %.0f m: %.4f %% of the peak", c.level, c.bandwidthM, 100*off/peak)
		if off > surface.DisplayError*peak {
			t.Errorf("level %d, %g m: %g of the peak away", c.level, c.bandwidthM, off/peak)
		}
	}
}

// A lone event is the worst case of interpolation.
func TestTileOfOneEvent(t *testing.T) {
	d := density(t, []surface.Event{{Lon: 109.671, Lat: 1.6123, Weight: 1}}, 5000)
	peak := 3 / math.Pi / 25e6
	for level := 13; level <= 24; level++ {
		px, py := pixelOf(109.671+0.03, 1.6123, level)
		got := d.Tile(level, px-64, py-64, 128)
		want := d.Raster(surface.TileLattice(level, px-64, py-64, 128), 1)
		off := 0.0
		for i := range want {
			off = max(off, math.Abs(got[i]-want[i]))
		}
		t.Logf("level %d: %.4f %% of the peak", level, 100*off/peak)
		if pixelM(level) < 2500 && off > surface.DisplayError*peak {
			t.Errorf("level %d: %g of the peak away", level, off/peak)
		}
	}
}

// One pass over a double-size square equals the tiles that it is cut into.
func TestTilesMeetWithoutSeam(t *testing.T) {
	events := clustered(3, 5000, 104.0, 1.2, 0.5)
	for _, c := range []struct {
		level      int
		bandwidthM float64
	}{{12, 5000}, {15, 5000}, {16, 5000}, {19, 5000}, {17, 20 * pixelM(17)}} {
		d := density(t, events, c.bandwidthM)
		px, py := pixelOf(104, 1.2, c.level)
		const n = 64
		whole := d.Tile(c.level, px-n, py-n, 2*n)
		peak := maxOf(whole)
		for q := range 4 {
			ox, oy := q%2*n, q/2*n
			part := d.Tile(c.level, px-n+ox, py-n+oy, n)
			for r := range n {
				for x := range n {
					a, b := part[r*n+x], whole[(r+oy)*2*n+x+ox]
					if math.Abs(a-b) > 1e-11*peak { // they sum the events in another order
						t.Fatalf("level %d, %g m, quarter %d at %d,%d: %g and %g, %g of the peak", c.level, c.bandwidthM, q, x, r, a, b, math.Abs(a-b)/peak)
					}
				}
			}
		}
	}
}

// The integral over the plane is the total weight, at every zoom.
func TestTileConservesMass(t *testing.T) {
	events := clustered(11, 500, 117.6, 4.1, 0.3)
	for level := 9; level <= 14; level++ {
		d := density(t, events, 5000)
		px, py := pixelOf(117.6, 4.1, level)
		const n = 512
		values := d.Tile(level, px-n/2, py-n/2, n)
		l := surface.TileLattice(level, px-n/2, py-n/2, n)
		mass := 0.0
		for i, v := range values {
			lat := l.Lats[i/n] * math.Pi / 180
			const a, e2 = 6378137.0, 0.0066943799901413165
			w := 1 - e2*math.Sin(lat)*math.Sin(lat)
			// height of a Mercator pixel row in radians of latitude
			dLat := l.DLon * math.Pi / 180 * math.Cos(lat)
			mass += v * a * (1 - e2) / math.Pow(w, 1.5) * dLat * a / math.Sqrt(w) * math.Cos(lat) * l.DLon * math.Pi / 180
		}
		t.Logf("level %d: mass %.3f of 500", level, mass)
		if math.Abs(mass-500) > 2.5 {
			t.Errorf("level %d: mass %g, want 500", level, mass)
		}
	}
}

// Property: nothing negative, whatever the data, the zoom and the bandwidth.
func TestNothingNegative(t *testing.T) {
	const seed = 20261122
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for round := range 60 {
		lon, lat := r.Float64()*360-180, r.Float64()*120-60
		events := clustered(r.Uint64(), 1+r.IntN(400), lon, lat, math.Pow(10, 1-4*r.Float64()))
		for i := range events {
			events[i].Weight = math.Pow(10, 6*r.Float64()-3)
			if r.IntN(5) == 0 {
				events[i].PrecisionM = math.Pow(10, 5*r.Float64())
			}
		}
		level := 8 + r.IntN(19)
		k, h := kernels[round%len(kernels)], math.Pow(10, 2.5+2.5*r.Float64())
		d, err := surface.NewDensity(surface.NewPoints(events, false), k, h)
		if err != nil {
			t.Fatal(err)
		}
		px, py := pixelOf(lon, lat, level)
		check := func(what string, values []float64) {
			for i, v := range values {
				if !(v >= 0) || math.IsInf(v, 0) {
					t.Fatalf("seed %d round %d, %s %g m, %s, level %d pixel %d: %g", seed, round, k, h, what, level, i, v)
				}
			}
		}
		check("tile", d.Tile(level, px-32, py-32, 64))
		if k.Stamped() && h > 10_000 {
			continue // exact blocks of so wide stamps take seconds
		}
		p := pyramid(t, events, k, h)
		check("pyramid", p.Tile(level, px-32, py-32, 64))
		p = p.With(clustered(r.Uint64(), 20, lon, lat, 1), events[:len(events)/2])
		check("edited pyramid", p.Tile(level, px-32, py-32, 64))
	}
}

// The planar sweep on a large raster with a distant origin, against the sum
// term by term: where moment methods lose their digits.
func TestSweepKeepsDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var events []surface.Event
	for range 400 {
		events = append(events, surface.Event{Lon: 11_500_000 + r.Float64()*100_000, Lat: 300_000 + r.Float64()*3_000, Weight: 1})
	}
	p := surface.NewPoints(events, true)
	for _, kernel := range []surface.Kernel{surface.Uniform, surface.Epanechnikov, surface.Quartic} {
		for _, h := range []float64{600, 1000, 5000} {
			d, _ := surface.NewDensity(p, kernel, h)
			got := d.Raster(surface.PlanarLattice(11_500_000, 300_000, 100, 1000, 30), 2)
			peak := maxOf(got)
			for i, v := range got {
				want := d.At(11_500_000+(float64(i%1000)+.5)*100, 300_000+(float64(i/1000)+.5)*100)
				if math.Abs(v-want) > 1e-12*peak {
					t.Fatalf("%s %g m cell %d: %g, want %g: %g of the peak", kernel, h, i, v, want, math.Abs(v-want)/peak)
				}
			}
		}
	}
}

func TestDensityAcrossDateline(t *testing.T) {
	d := density(t, []surface.Event{{Lon: 179.99, Lat: 1, Weight: 1}}, 5000)
	if v := d.At(-179.99, 1); v <= 0 {
		t.Errorf("just across the dateline: %g", v)
	}
	level := 16
	tile := d.Tile(level, 0, 1<<15-300, 128)
	if maxOf(tile) <= 0 {
		t.Error("the tile at 180° W does not see an event at 179.99° E")
	}
}

// Rasters up to the poles stay finite.
func TestDensityAtThePoles(t *testing.T) {
	d := density(t, []surface.Event{{Lon: 20, Lat: 84.9, Weight: 1}, {Lon: 20, Lat: 89.9, Weight: 1}, {Lon: -100, Lat: -90, Weight: 1}}, 50_000)
	l := surface.Lattice{Lon0: -180, DLon: 1, NX: 361, Lats: []float64{-90, -89.75, -89.5, 0, 84.5, 85, 89.5, 89.75, 90}}
	for i, v := range d.Raster(l, 1) {
		if !(v >= 0) || math.IsInf(v, 0) {
			t.Fatalf("cell %d: %g", i, v)
		}
	}
}

func TestNewDensityRefuses(t *testing.T) {
	p := surface.NewPoints(nil, false)
	for _, h := range []float64{0, -1, math.NaN(), math.Inf(1), 1e9} {
		if _, err := surface.NewDensity(p, surface.Quartic, h); err == nil {
			t.Errorf("bandwidth %g was taken", h)
		}
	}
	if _, err := surface.NewDensity(p, "cubic", 5); err == nil {
		t.Error("kernel cubic was taken")
	}
	d := density(t, nil, 5000)
	if v := maxOf(d.Tile(10, 0, 0, 64)); v != 0 {
		t.Errorf("no events, density %g", v)
	}
	if n := surface.NewPoints([]surface.Event{{Weight: math.NaN()}, {Lon: math.NaN(), Weight: 1}, {Weight: 1}}, false).Len(); n != 1 {
		t.Errorf("%d of 3 events kept, want the one that is sound", n)
	}
}
