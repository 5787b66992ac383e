package surface_test

import (
	"math"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

// Two events far apart and two at one place: f is c/h², c/h², 2c/h², 2c/h², so
// G = √2·c/h² and the factors are 2^(1/4) = 1.189 and 2^(-1/4) = 0.841; the
// next steps up of 3^(k/12) are 3^(2/12) = 1.201 and 3^(-1/12) = 0.913.
func TestAdaptiveByHand(t *testing.T) {
	events := []surface.Event{{0, 0, 1, 0}, {90_000, 0, 1, 0}, {0, 90_000, 1, 0}, {0, 90_000, 1, 0}, {5, 5, 0, 0}, {200_000, 0, math.NaN(), 0}}
	got, err := surface.AdaptiveBandwidths(surface.NewPoints(events, true), surface.Quartic, 1000)
	if err != nil {
		t.Fatal(err)
	}
	lone, pair := 1000*math.Pow(3, 2.0/12), 1000*math.Pow(3, -1.0/12)
	for i, want := range []float64{lone, lone, pair, pair, 0, 0} {
		if math.Abs(got[i]-want) > 1e-9 {
			t.Errorf("event %d: %v m, want %v", i, got[i], want)
		}
	}
}

// bruteAdaptive is Abramson's formula without steps.
func bruteAdaptive(events []surface.Event, k surface.Kernel, pilotM float64, distance func(a, b surface.Event) float64) []float64 {
	f := make([]float64, len(events))
	log, total := 0.0, 0.0
	for i, e := range events {
		for _, o := range events {
			h := max(pilotM, o.PrecisionM)
			u := distance(e, o) / h
			f[i] += o.Weight * k.Constant() / (h * h) * k.At(u*u)
		}
		log += e.Weight * math.Log(f[i])
		total += e.Weight
	}
	g := math.Exp(log / total)
	for i := range f {
		f[i] = max(pilotM*max(1./3, min(3, math.Sqrt(g/f[i]))), events[i].PrecisionM)
	}
	return f
}

func TestAdaptiveMatchesBruteForce(t *testing.T) {
	for _, k := range []surface.Kernel{surface.Uniform, surface.Triangular, surface.Epanechnikov, surface.Quartic, surface.Gaussian} {
		events := withDuplicatesAndWeights(clustered(41, 400, 110.2, 1.3, 0.6), 41)
		for i := range events {
			if i%9 == 0 {
				events[i].PrecisionM = 4000
			}
		}
		points := surface.NewPoints(events, false)
		got, err := surface.AdaptiveBandwidths(points, k, 2000)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range bruteAdaptive(events, k, 2000, localDistance) {
			if got[i] < want*(1-1e-6) || got[i] > want*1.0959 {
				t.Errorf("%s event %d: %v m, want %v or a step up", k, i, got[i], want)
			}
		}
		d, err := surface.NewAdaptiveDensity(points, k, 2000)
		if err != nil {
			t.Fatal(err)
		}
		if d.Points().Len() != len(events) || d.BandwidthM > 2000./3+1e-9 {
			t.Errorf("%s: %d events, base of %g m", k, d.Points().Len(), d.BandwidthM)
		}
		l := surface.Lattice{Lon0: 109.9, DLon: 0.05, NX: 13, Lats: []float64{1.0, 1.07, 1.2, 1.31, 1.5}}
		raster := d.Raster(l, 1)
		peak, want := maxOf(raster), make([]float64, len(raster))
		for i := range want {
			at := surface.Event{Lon: l.Lon0 + float64(i%l.NX)*l.DLon, Lat: l.Lats[i/l.NX]}
			for j, e := range events {
				u := localDistance(at, e) / got[j]
				want[i] += e.Weight * k.Constant() / (got[j] * got[j]) * k.At(u*u)
			}
			sum := 0.0
			for _, c := range d.Contributions(at.Lon, at.Lat) {
				if events[c.Event].Weight == 0 {
					t.Fatalf("no event %d", c.Event)
				}
				sum += c.PerM2
			}
			if k != surface.Uniform && math.Abs(sum-want[i]) > 1e-6*peak {
				t.Errorf("%s: parts add up to %v, want %v", k, sum, want[i])
			}
		}
		if e := worst(raster, want); k != surface.Uniform && e > 1e-6 { // an edge may be a micrometre off
			t.Errorf("%s: %g of the peak away", k, e)
		}
	}
}

// Adaptive smoothing moves no mass: the raster adds up to the weights.
func TestAdaptiveConservesMass(t *testing.T) {
	for seed := range uint64(3) {
		events := withDuplicatesAndWeights(mixture(seed, 500, 5, 900), seed)
		total := 0.0
		for i := range events {
			if i%7 == 0 {
				events[i].PrecisionM = 2500
			}
			total += events[i].Weight
		}
		d, err := surface.NewAdaptiveDensity(surface.NewPoints(events, true), surface.Quartic, 1500)
		if err != nil {
			t.Fatal(err)
		}
		mass := 0.0
		const cell = 100.0
		for _, v := range d.Raster(surface.PlanarLattice(-10_000, -10_000, cell, 1300, 600), 1) {
			mass += v * cell * cell
		}
		if math.Abs(mass/total-1) > 1e-4 {
			t.Errorf("seed %d: mass %v of %v", seed, mass, total)
		}
	}
}

// Above 2,000 events the pilot is taken at merged cells; bandwidths stay
// within a step of the exact ones.
func TestAdaptiveOfManyIsWithinAStep(t *testing.T) {
	events := mixture(51, 4000, 6, 900)
	got, err := surface.AdaptiveBandwidths(surface.NewPoints(events, true), surface.Quartic, 800)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range bruteAdaptive(events, surface.Quartic, 800, planarDistance) {
		if got[i] < want/1.0959 || got[i] > want*1.0959*1.0959 {
			t.Errorf("event %d: %v m, want %v", i, got[i], want)
		}
	}
}

func TestAdaptiveDegenerate(t *testing.T) {
	for _, planar := range []bool{false, true} {
		d, err := surface.NewAdaptiveDensity(surface.NewPoints(nil, planar), surface.Quartic, 1000)
		if err != nil || d.At(0, 0) != 0 {
			t.Errorf("no events: %v", err)
		}
		same := []surface.Event{{1, 1, 2, 0}, {1, 1, 2, 0}, {1, 1, 3, 0}}
		if got, err := surface.AdaptiveBandwidths(surface.NewPoints(same, planar), surface.Quartic, 1000); err != nil || math.Abs(got[0]-1000) > 1e-9 {
			t.Errorf("one place keeps the pilot bandwidth: %v %v", got, err)
		}
		parts := surface.Union(surface.NewPoints(same[:1], planar), surface.NewPoints([]surface.Event{{3, 2, 1, 0}, {3, 2, -1, 0}, {3, 2.5, 1, 0}}, planar))
		got, err := surface.AdaptiveBandwidths(parts, surface.Gaussian, 5)
		if err != nil || len(got) != 4 || got[0] == 0 || got[1] == 0 || got[2] != 0 || got[3] == 0 {
			t.Errorf("a union: %v %v", got, err)
		}
	}
	if _, err := surface.NewAdaptiveDensity(surface.NewPoints(nil, false), surface.Quartic, 0); err == nil {
		t.Error("a pilot of 0 m")
	}
}

func BenchmarkAdaptive(b *testing.B) {
	for _, n := range []int{2000, 100_000, 1_000_000} {
		points := surface.NewPoints(clustered(1, n, 110, 1, 4), false)
		b.Run(map[int]string{2000: "2k", 100_000: "100k", 1_000_000: "1000k"}[n], func(b *testing.B) {
			for b.Loop() {
				if _, err := surface.NewAdaptiveDensity(points, surface.Quartic, 5000); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAdaptiveTile(b *testing.B) {
	d, err := surface.NewAdaptiveDensity(surface.NewPoints(clustered(1, 182_860, -90.26, 38.65, 0.2), false), surface.Quartic, 2000)
	if err != nil {
		b.Fatal(err)
	}
	px, py := pixelOf(-90.26, 38.65, 19)
	px, py = px/256*256, py/256*256
	d.Tile(19, px, py, 256)
	for b.Loop() {
		d.Tile(19, px, py, 256)
	}
}
