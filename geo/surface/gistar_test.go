package surface_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

func hotSpots(t testing.TB, l surface.Lattice, values []float64, o surface.GiOptions) *surface.HotSpots {
	t.Helper()
	h, err := surface.HotSpotsOn(l, values, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestGiStarGolden(t *testing.T) {
	var g struct {
		NX, NY    int
		Values    []float64
		Tolerance float64 `json:"abs_tolerance"`
		Cases     []struct {
			Band       float64   `json:"distance_band"`
			Neighbours []int32   `json:"neighbours_incl_self"`
			Star       []float64 `json:"gi_star_z"`
			Without    []float64 `json:"gi_z_without_self"`
		}
	}
	golden(t, "gi_star", &g)
	l := surface.PlanarLattice(0, 0, 1, g.NX, g.NY)
	if len(g.Cases) == 0 || g.Tolerance != 1e-9 {
		t.Fatalf("%d cases to %g", len(g.Cases), g.Tolerance)
	}
	for _, c := range g.Cases {
		among := func(cell int, yield func(surface.Neighbour)) {
			for j := range g.Values {
				if math.Hypot(float64(cell%g.NX-j%g.NX), float64(cell/g.NX-j/g.NX)) <= c.Band {
					yield(surface.Neighbour{Cell: j, Weight: 1})
				}
			}
		}
		for _, without := range []bool{false, true} {
			want, self := c.Star, int32(0)
			if without {
				want, self = c.Without, 1
			}
			o := surface.GiOptions{BandM: c.Band, WithoutSelf: without}
			on := hotSpots(t, l, g.Values, o)
			general, err := surface.HotSpotsAmong(g.Values, among, o)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Abs(on.Z[i]-want[i]) > g.Tolerance || math.Abs(general.Z[i]-want[i]) > g.Tolerance {
					t.Fatalf("band %g without self %v cell %d: %v and %v, want %v", c.Band, without, i, on.Z[i], general.Z[i], want[i])
				}
				if on.Neighbours[i] != c.Neighbours[i]-self || general.Neighbours[i] != on.Neighbours[i] {
					t.Fatalf("band %g cell %d: %d neighbours, want %d", c.Band, i, on.Neighbours[i], c.Neighbours[i]-self)
				}
				if p := 2 * (1 - normal(math.Abs(want[i]))); math.Abs(on.P[i]-p) > 1e-9 {
					t.Fatalf("p of z %v: %v, want %v", want[i], on.P[i], p)
				}
			}
		}
	}
}

func normal(z float64) float64 { return (1 + math.Erf(z/math.Sqrt2)) / 2 }

// Five cells in a row, values 0 0 0 0 5, neighbours one cell off: x̄ = 1,
// S² = 5 - 1 = 4. The last cell has Σ = 5, W = 2:
// z = (5 - 2) / (2·√((5·2 - 4)/4)) = 3/√6 = 1.2247.
func TestGiStarByHand(t *testing.T) {
	h := hotSpots(t, surface.PlanarLattice(0, 0, 1, 5, 1), []float64{0, 0, 0, 0, 5}, surface.GiOptions{BandM: 1})
	if math.Abs(h.Z[4]-3/math.Sqrt(6)) > 1e-15 || h.Neighbours[4] != 2 || h.Neighbours[2] != 3 {
		t.Errorf("%+v", h)
	}
	// Weights 2 for the neighbour and 3 for itself: Σ = 15, W = 5, Σw² = 13:
	// z = (15 - 5) / (2·√((5·13 - 25)/4)) = 5/√10.
	w, err := surface.HotSpotsAmong([]float64{0, 0, 0, 0, 5}, func(cell int, yield func(surface.Neighbour)) {
		yield(surface.Neighbour{Cell: cell, Weight: 3})
		yield(surface.Neighbour{Cell: (cell + 4) % 5, Weight: 2})
	}, surface.GiOptions{})
	if err != nil || math.Abs(w.Z[4]-5/math.Sqrt(10)) > 1e-15 {
		t.Errorf("%v, %v", w.Z, err)
	}
}

// On the globe with cells outside, against every pair.
func TestGiStarMatchesBruteForce(t *testing.T) {
	const seed = 61
	r := rand.New(rand.NewPCG(seed, 1))
	mercator := surface.TileLattice(15, 26_400, 16_200, 24)
	lonLat := surface.Lattice{Lon0: 179.8, DLon: 0.02, NX: 31}
	for i := range 17 {
		lonLat.Lats = append(lonLat.Lats, -7.5+0.03*float64(i))
	}
	for name, l := range map[string]surface.Lattice{"mercator": mercator, "lonlat": lonLat} {
		n := l.NX * len(l.Lats)
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(r.IntN(5))
			if r.IntN(6) == 0 {
				values[i] = math.NaN()
			}
		}
		centre := func(i int) orb.Point { return orb.Point{l.Lon0 + float64(i%l.NX)*l.DLon, l.Lats[i/l.NX]} }
		for _, bandM := range []float64{500, 3700, 9900, 1e6} {
			for _, without := range []bool{false, true} {
				o := surface.GiOptions{BandM: bandM, WithoutSelf: without}
				got := hotSpots(t, l, values, o)
				want, err := surface.HotSpotsAmong(values, func(cell int, yield func(surface.Neighbour)) {
					for j := range n {
						if geo.LocalDistanceM(centre(cell), centre(j)) <= bandM {
							yield(surface.Neighbour{Cell: j, Weight: 1})
						}
					}
				}, o)
				if err != nil {
					t.Fatal(err)
				}
				for i := range values {
					if math.IsNaN(values[i]) {
						if !math.IsNaN(got.Z[i]) || !math.IsNaN(got.P[i]) || got.Bin[i] != 0 || got.Hot(i) || got.Cold(i) {
							t.Fatalf("%s: cell %d is outside: %v", name, i, got.Z[i])
						}
						continue
					}
					if got.Neighbours[i] != want.Neighbours[i] || math.Abs(got.Z[i]-want.Z[i]) > 1e-9 {
						t.Fatalf("%s %g m cell %d (seed %d): %v with %d, want %v with %d", name, bandM, i, seed, got.Z[i], got.Neighbours[i], want.Z[i], want.Neighbours[i])
					}
				}
			}
		}
	}
}

func TestGiStarDegenerate(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		values []float64
		bandM  float64
	}{
		{"none", nil, 1},
		{"one", []float64{7}, 1},
		{"all outside", []float64{nan, nan, nan}, 1},
		{"one inside", []float64{nan, 4, nan}, 1},
		{"two", []float64{1, 2}, 1},
		{"equal", []float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 1},
		{"everyone's neighbour", []float64{1, 2, 3, 4}, 10},
	} {
		for _, without := range []bool{false, true} {
			h := hotSpots(t, surface.PlanarLattice(0, 0, 1, len(c.values), 1), c.values, surface.GiOptions{BandM: c.bandM, WithoutSelf: without})
			for i, v := range c.values {
				if math.IsNaN(v) {
					continue
				}
				if h.Z[i] != 0 || h.P[i] != 1 || h.Bin[i] != 0 || h.Hot(i) || h.Cold(i) {
					t.Errorf("%s, without self %v: z %v p %v", c.name, without, h.Z[i], h.P[i])
				}
			}
		}
	}
	// All others equal: without self there is nothing to compare.
	if h := hotSpots(t, surface.PlanarLattice(0, 0, 1, 6, 1), []float64{.3, .3, .3, 900.7, .3, .3}, surface.GiOptions{BandM: 1, WithoutSelf: true}); h.Z[3] != 0 || h.Z[2] <= 0 {
		t.Errorf("%v", h.Z)
	}
	for name, f := range map[string]func() error{
		"length": func() error {
			_, err := surface.HotSpotsOn(surface.PlanarLattice(0, 0, 1, 2, 2), []float64{1}, surface.GiOptions{BandM: 1})
			return err
		},
		"band": func() error {
			_, err := surface.HotSpotsOn(surface.PlanarLattice(0, 0, 1, 1, 1), []float64{1}, surface.GiOptions{})
			return err
		},
		"infinite": func() error {
			_, err := surface.HotSpotsOn(surface.PlanarLattice(0, 0, 1, 1, 1), []float64{math.Inf(1)}, surface.GiOptions{BandM: 1})
			return err
		},
		"q": func() error {
			_, err := surface.HotSpotsOn(surface.PlanarLattice(0, 0, 1, 1, 1), []float64{1}, surface.GiOptions{BandM: 1, Q: 2})
			return err
		},
		"order": func() error {
			_, err := surface.HotSpotsOn(surface.Lattice{DLon: 1, NX: 1, Lats: []float64{1, 3, 2}}, []float64{1, 2, 3}, surface.GiOptions{BandM: 1})
			return err
		},
		"neighbour": func() error {
			_, err := surface.HotSpotsAmong([]float64{1, 2}, func(_ int, yield func(surface.Neighbour)) { yield(surface.Neighbour{Cell: 2, Weight: 1}) }, surface.GiOptions{})
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The example in Benjamini and Hochberg (1995), section 3: 15 p-values of
// which q = 0.05 rejects the four smallest.
func TestBenjaminiHochbergPublished(t *testing.T) {
	p := []float64{0.4262, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.5719, 0.6528, 0.7590, 1.0000}
	if got := surface.BenjaminiHochberg(p, 0.05); got != 0.0095 {
		t.Errorf("critical p %v, want 0.0095", got)
	}
	if got := surface.BenjaminiHochberg([]float64{0.2, math.NaN(), 0.9}, 0.05); got != -1 {
		t.Errorf("critical p %v, want none", got)
	}
}

// The expected share of false discoveries is q times the share of true nulls.
func TestBenjaminiHochbergHoldsItsShare(t *testing.T) {
	const runs, m, q, seed = 2000, 300, 0.1, 71
	r := rand.New(rand.NewPCG(seed, 1))
	for _, real := range []int{0, 60} {
		share := 0.0
		p := make([]float64, m)
		for range runs {
			for i := range p {
				p[i] = r.Float64()
				if i < real {
					p[i] *= 1e-4
				}
			}
			critical := surface.BenjaminiHochberg(p, q)
			found, wrong := 0, 0
			for i, v := range p {
				if v <= critical {
					found++
					if i >= real {
						wrong++
					}
				}
			}
			share += float64(wrong) / float64(max(1, found)) / runs
		}
		want := q * float64(m-real) / m
		if math.Abs(share-want) > 4*math.Sqrt(want/runs) {
			t.Errorf("seed %d, %d real of %d: a share of %v false, want %v", seed, real, m, share, want)
		}
	}
}

// Noise has hardly a significant cell; a planted cluster is found, a planted
// hole is cold, and the bins agree with Hot and Cold.
func TestHotSpotsFindWhatIsThere(t *testing.T) {
	const n, runs, seed = 40, 60, 81
	r := rand.New(rand.NewPCG(seed, 1))
	l := surface.PlanarLattice(0, 0, 1000, n, n)
	maps := 0
	for range runs {
		values := make([]float64, n*n)
		for i := range values {
			values[i] = 10 + 3*r.NormFloat64()
		}
		if hotSpots(t, l, values, surface.GiOptions{BandM: 2500}).CriticalP >= 0 {
			maps++
		}
	}
	if maps > 8 { // 5 % of 60 are 3
		t.Errorf("seed %d: %d of %d maps of noise have significant cells", seed, maps, runs)
	}
	values := make([]float64, n*n)
	for i := range values {
		values[i] = 10 + 3*r.NormFloat64()
		x, y := i%n, i/n
		if x >= 8 && x < 14 && y >= 8 && y < 14 {
			values[i] += 8
		}
		if x >= 25 && x < 31 && y >= 25 && y < 31 {
			values[i] -= 8
		}
	}
	h := hotSpots(t, l, values, surface.GiOptions{BandM: 2500})
	hot, cold := 11*n+11, 28*n+28
	if !h.Hot(hot) || h.Cold(hot) || h.Bin[hot] != 3 || !h.Cold(cold) || h.Bin[cold] != -3 {
		t.Errorf("planted: z %v bin %d, z %v bin %d", h.Z[hot], h.Bin[hot], h.Z[cold], h.Bin[cold])
	}
	for i := range values {
		if (h.Bin[i] >= 2) != h.Hot(i) || (h.Bin[i] <= -2) != h.Cold(i) {
			t.Fatalf("cell %d: bin %d, hot %v, cold %v", i, h.Bin[i], h.Hot(i), h.Cold(i))
		}
	}
}

func TestCountsOnLattices(t *testing.T) {
	// Planar cells of 10 m from 0, 0: edges belong to the upper cell.
	events := []surface.Event{{0, 0, 1, 0}, {9.99, 9.99, 1, 0}, {10, 5, 1, 0}, {25, 15, 2.5, 0}, {30, 5, 1, 0}, {5, 20, 1, 0}, {-0.01, 5, 1, 0}}
	got := surface.Counts(surface.PlanarLattice(0, 0, 10, 3, 2), surface.NewPoints(events, true))
	for i, want := range []float64{2, 1, 0, 0, 0, 2.5} {
		if got[i] != want {
			t.Errorf("cell %d: %v, want %v", i, got[i], want)
		}
	}
	// The cells of tiles are Cells.
	scattered := clustered(91, 2000, 110.3, 1.2, 0.3)
	c := surface.CellAt(orb.Point{110.3, 1.2})
	px, py := int(c.X)-12, int(c.Y)-12
	counts := surface.Counts(surface.TileLattice(surface.CellLevel, px, py, 24), surface.NewPoints(scattered, false))
	want := make([]float64, 24*24)
	for _, e := range scattered {
		at := surface.CellAt(orb.Point{e.Lon, e.Lat})
		if x, y := int(at.X)-px, int(at.Y)-py; x >= 0 && y >= 0 && x < 24 && y < 24 {
			want[y*24+x]++
		}
	}
	for i := range want {
		if counts[i] != want[i] {
			t.Fatalf("cell %d: %v, want %v", i, counts[i], want[i])
		}
	}
	// Past the dateline, rows from the north.
	l := surface.Lattice{Lon0: 179.5, DLon: 1, NX: 2, Lats: []float64{1, 0, -1}}
	over := surface.Counts(l, surface.NewPoints([]surface.Event{{-179.2, 1.2, 1, 0}, {179.9, -1.4, 1, 0}, {0, 0, 1, 0}, {-179.2, 1.6, 1, 0}}, false))
	for i, want := range []float64{0, 1, 0, 0, 1, 0} {
		if over[i] != want {
			t.Errorf("dateline: cell %d has %v, want %v", i, over[i], want)
		}
	}
	if n := len(surface.Counts(surface.Lattice{}, surface.NewPoints(nil, false))); n != 0 {
		t.Errorf("%d cells", n)
	}
}

func BenchmarkGiStar(b *testing.B) {
	for _, n := range []int{256, 1024} {
		values := make([]float64, n*n)
		r := rand.New(rand.NewPCG(1, 1))
		for i := range values {
			values[i] = float64(r.IntN(6))
		}
		l := surface.TileLattice(15, 26_000, 16_000, n)
		b.Run(map[int]string{256: "256x256/5km", 1024: "1024x1024/5km"}[n], func(b *testing.B) {
			for b.Loop() {
				if _, err := surface.HotSpotsOn(l, values, surface.GiOptions{BandM: 5000}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCounts(b *testing.B) {
	points := surface.NewPoints(clustered(1, 182_860, 110, 1, 2), false)
	c := surface.CellAt(orb.Point{110, 1})
	l := surface.TileLattice(surface.CellLevel, int(c.X)-128, int(c.Y)-128, 256)
	for b.Loop() {
		surface.Counts(l, points)
	}
}
