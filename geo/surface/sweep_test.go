package surface_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

var kernels = []surface.Kernel{surface.Uniform, surface.Triangular, surface.Epanechnikov, surface.Quartic, surface.Gaussian}

// bruteForce sums kernels cell by cell from their definition.
func bruteForce(l surface.Lattice, k surface.Kernel, events []surface.Event, hM float64) []float64 {
	out := make([]float64, 0, l.NX*len(l.Lats))
	for _, lat := range l.Lats {
		for c := range l.NX {
			at := [2]float64{l.Lon0 + float64(c)*l.DLon, lat}
			sum := 0.0
			for _, e := range events {
				h := max(hM, e.PrecisionM)
				d := math.Hypot(e.Lon-at[0], e.Lat-at[1])
				if !l.Planar {
					d = geo.LocalDistanceM([2]float64{e.Lon, e.Lat}, at)
				}
				sum += e.Weight * k.Constant() / (h * h) * k.At(d*d/(h*h))
			}
			out = append(out, sum)
		}
	}
	return out
}

// Every kernel, on a plane and in degrees, from reaches of less than a cell to
// several rasters, at any density of events: the same as the definition.
func TestSweepAgainstBruteForce(t *testing.T) {
	const seed = 21
	r := rand.New(rand.NewPCG(seed, 0))
	for trial := range 120 {
		planar, k := trial%2 == 0, kernels[trial/2%len(kernels)]
		cell := math.Exp(r.Float64()*6 - 1) // metres
		l := surface.PlanarLattice(1e6*r.Float64(), 1e6*r.Float64(), cell, 20+r.IntN(150), 1+r.IntN(40))
		if !planar {
			l = surface.PlanarLattice(-179+300*r.Float64(), -8+16*r.Float64(), cell/111_000, 20+r.IntN(150), 1+r.IntN(40))
			l.Planar = false
		}
		h := cell * math.Exp(r.Float64()*7-1.5)
		events := make([]surface.Event, 1+r.IntN(200))
		for i := range events {
			events[i] = surface.Event{
				Lon:    l.Lon0 + l.DLon*(r.Float64()*1.4-0.2)*float64(l.NX),
				Lat:    l.Lats[0] + l.DLon*(r.Float64()*1.4-0.2)*float64(len(l.Lats)),
				Weight: r.Float64() * 10,
			}
			if i%3 == 0 { // repeated coordinates
				events[i].Lon, events[i].Lat = events[i/2].Lon, events[i/2].Lat
			}
			if i%5 == 0 && trial%3 == 0 {
				events[i].PrecisionM = 1.5 * h
			}
		}
		want := bruteForce(l, k, events, h)
		sheet := surface.NewSheet(l, 1+trial%3)
		if err := surface.AddEvents(sheet, events, k, h); err != nil {
			t.Fatal(err)
		}
		peak := maxOf(want)
		if peak == 0 {
			continue
		}
		bound := 1e-9 // of the peak
		if !planar {
			bound = 1e-7 // the metric of a row is a quadratic in the latitude
		}
		for i, v := range sheet.Values {
			if math.Abs(v-want[i]) > bound*peak || v < 0 || (want[i] == 0 && v > 1e-12*peak) {
				t.Fatalf("seed %d trial %d, %s, planar %v, %g cells a bandwidth: cell %d is %g, by definition %g, peak %g",
					seed, trial, k, planar, h/cell, i, v, want[i], peak)
			}
		}
	}
}

// Where no event reaches, the surface is exactly zero, also beside a place
// with a million times as much.
func TestSweepLeavesNothingBehind(t *testing.T) {
	l := surface.PlanarLattice(0, 0, 100, 1024, 3)
	r := rand.New(rand.NewPCG(3, 0))
	var events []surface.Event
	for range 50_000 {
		events = append(events, surface.Event{Lon: 20_000 + 500*r.Float64(), Lat: 300 * r.Float64(), Weight: 1e6 * r.Float64()})
	}
	events = append(events, surface.Event{Lon: 31_000, Lat: 150, Weight: 1})
	for _, k := range []surface.Kernel{surface.Uniform, surface.Epanechnikov, surface.Quartic} {
		sheet := surface.NewSheet(l, 1)
		if err := surface.AddEvents(sheet, events, k, 2000); err != nil {
			t.Fatal(err)
		}
		for i, v := range sheet.Values {
			x := float64(i%1024)*100 + 50
			switch out := x < 18_000 || x > 22_500 && x < 29_000 || x > 33_000; {
			case out && v != 0:
				t.Fatalf("%s: %g at x = %g, where nothing reaches", k, v, x)
			case x > 29_100 && x < 32_900 && v == 0:
				t.Fatalf("%s: the lone event does not show at x = %g", k, x)
			}
		}
	}
}

func TestAddEventsIsRaster(t *testing.T) {
	events := clustered(5, 3000, 179.9, 1, 0.3)
	for i := range events {
		events[i].PrecisionM = float64(i%4) * 2000
	}
	events = append(events, surface.Event{Lon: math.NaN(), Lat: 1, Weight: 1}, surface.Event{Lon: 179, Lat: 1, Weight: math.Inf(1)})
	for _, level := range []int{13, 15, 16} {
		px, py := pixelOf(179.99, 1, level)
		l := surface.TileLattice(level, px-100, py-100, 256)
		d, err := surface.NewDensity(surface.NewPoints(events, false), surface.Quartic, 3000)
		if err != nil {
			t.Fatal(err)
		}
		sheet := surface.NewSheet(l, 2)
		if err := surface.AddEvents(sheet, events, surface.Quartic, 3000); err != nil {
			t.Fatal(err)
		}
		if e := worst(sheet.Values, d.Raster(l, 1)); !(e < 1e-11) {
			t.Errorf("level %d: %g of the peak apart", level, e)
		}
	}
	if err := surface.AddEvents(surface.NewSheet(surface.PlanarLattice(0, 0, 1, 1, 1), 1), nil, surface.Quartic, math.NaN()); err == nil {
		t.Error("a bandwidth of NaN is taken")
	}
}

// The estimate grows with what is asked, and more work than a sheet may take is
// refused before any is done.
func TestWorkIsEstimated(t *testing.T) {
	var events []surface.Event
	for i := range 2000 {
		events = append(events, surface.Event{Lon: float64(i), Lat: float64(i * 7 % 2000), Weight: 1})
	}
	small, large := surface.PlanarLattice(0, 0, 10, 200, 200), surface.PlanarLattice(0, 0, 0.4, 5000, 5000)
	work := func(k surface.Kernel, hM float64, l surface.Lattice) float64 {
		d, err := surface.NewDensity(surface.NewPoints(events, true), k, hM)
		if err != nil {
			t.Fatal(err)
		}
		return d.WorkNS(l)
	}
	if a, b, c := work(surface.Quartic, 100, small), work(surface.Quartic, 1000, small), work(surface.Triangular, 1000, small); !(a < b && b < c) {
		t.Errorf("estimates %g, %g, %g do not rise", a, b, c)
	}
	many := make([]surface.Event, 0, 100_000)
	for i := range 100_000 {
		many = append(many, surface.Event{Lon: float64(i) / 50, Lat: float64(i*7%100_003) / 50, Weight: 1})
	}
	if err := surface.AddEvents(surface.Sheet{Lattice: large}, many, surface.Triangular, 100_000); err == nil {
		t.Error("hours of work were not refused")
	}
}
