package surface_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

func pyramid(t testing.TB, events []surface.Event, k surface.Kernel, bandwidthM float64) *surface.Pyramid {
	t.Helper()
	p, err := surface.NewPyramid(surface.NewPoints(events, false), k, bandwidthM)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Up to the finest level a tile of the pyramid has the exact density at the
// centres, or the mean of it over the pixel where the kernel is narrower.
func TestPyramidIsExact(t *testing.T) {
	events := clustered(4, 800, 104, 1.2, 0.4)
	for i := range events {
		events[i].PrecisionM = float64(i%3) * 7000
	}
	for _, k := range kernels {
		p := pyramid(t, events, k, 5000)
		d, err := surface.NewDensity(surface.NewPoints(events, false), k, 5000)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []int{16, 17} {
			px, py := pixelOf(104, 1.2, level)
			got := p.Tile(level, px-77, py-30, 200)
			if e := worst(got, d.Raster(surface.TileLattice(level, px-77, py-30, 200), 1)); !(e < 1e-11) {
				t.Errorf("%s level %d: %g of the peak from the exact raster", k, level, e)
			}
		}
		for _, level := range []int{9, 11, 12} {
			if p.Tile(level, 0, 0, 1); k == surface.Gaussian && level > 9 {
				continue // it reaches two pixels there
			}
			fine := 16 - level
			px, py := pixelOf(104, 1.2, level)
			got := p.Tile(level, px-2, py-2, 4)
			want := make([]float64, 16)
			side := 1 << fine
			values := d.Raster(surface.TileLattice(16, (px-2)*side, (py-2)*side, 4*side), 2)
			for i, v := range values {
				r, c := i/(4*side)/side, i%(4*side)/side
				want[r*4+c] += v / float64(side*side)
			}
			if e := worst(got, want); !(e < 4e-3) { // the fine sum is not exact itself
				t.Errorf("%s level %d: %g of the peak from the mean of finer values", k, level, e)
			}
		}
	}
}

// After 100,000 random edits in the presence of decay the resident blocks agree
// with a pyramid made anew to 1e-9 of the peak, at every level.
func TestPyramidAfterManyEdits(t *testing.T) {
	const seed = 21
	r := rand.New(rand.NewPCG(seed, 0))
	edits := 100_000
	if testing.Short() {
		edits = 10_000
	}
	place := func() surface.Event {
		e := surface.Event{Lon: 104 + 0.1*r.NormFloat64(), Lat: 1.2 + 0.1*r.NormFloat64(), Weight: 0.1 + r.Float64()}
		if r.IntN(10) == 0 {
			e.PrecisionM = 12_000
		}
		return e
	}
	var live []surface.Event // by their weights of now
	for range 500 {
		live = append(live, place())
	}
	p := pyramid(t, live, surface.Quartic, 5000)
	tiles := func(p *surface.Pyramid) (out [][]float64) {
		for _, level := range []int{9, 12, 15, 17, 19} {
			px, py := pixelOf(104, 1.2, level)
			out = append(out, p.Tile(level, px-128, py-128, 256))
		}
		return out
	}
	tiles(p) // make the blocks resident
	decayed := 0.0
	for done := 0; done < edits; {
		n := 1 + r.IntN(300)
		var added, removed []surface.Event
		for range n {
			if len(live) > 300 && r.IntN(2) == 0 {
				i := r.IntN(len(live))
				removed = append(removed, live[i])
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
			} else {
				added = append(added, place())
			}
		}
		live = append(live, added...)
		p = p.With(added, removed)
		done += n
		if r.IntN(10) == 0 {
			f := math.Exp2(-10 * r.Float64())
			decayed -= math.Log2(f)
			p = p.Decayed(f)
			for i := range live {
				live[i].Weight *= f
			}
		}
	}
	if decayed < 200 && !testing.Short() {
		t.Fatalf("the sums decayed by 2^-%.0f only: re-basing was not tried", decayed)
	}
	got, want := tiles(p), tiles(pyramid(t, live, surface.Quartic, 5000))
	for i := range got {
		if e := worst(got[i], want[i]); !(e < 1e-9) {
			t.Errorf("seed %d, tile %d: %g of the peak from a full recompute", seed, i, e)
		}
	}
	if p.Len() != len(live) {
		t.Errorf("%d events, want %d", p.Len(), len(live))
	}
	at, fresh := p.At(104, 1.2), pyramid(t, live, surface.Quartic, 5000).At(104, 1.2)
	if math.Abs(at-fresh) > 1e-9*fresh {
		t.Errorf("at the centre %g, anew %g", at, fresh)
	}
}

// Where all events were removed nothing is left, not a trace.
func TestPyramidForgets(t *testing.T) {
	keep := clustered(1, 50, 110, 1, 0.1)
	gone := clustered(2, 3000, 104, 1, 0.1)
	p := pyramid(t, keep, surface.Quartic, 5000)
	for _, level := range []int{9, 13, 17} {
		px, py := pixelOf(104, 1, level)
		p.Tile(level, px-128, py-128, 256)
	}
	p = p.With(gone, nil).With(nil, gone[:1500]).With(nil, gone[1500:])
	for _, level := range []int{9, 13, 17} {
		px, py := pixelOf(104, 1, level)
		for i, v := range p.Tile(level, px-8, py-8, 16) {
			if v != 0 {
				t.Fatalf("level %d: pixel %d still has %g", level, i, v)
			}
		}
	}
	if v := p.At(104, 1); v != 0 {
		t.Errorf("the density is still %g", v)
	}
}

// An event at the dateline and one near the pole show on both sides of it, and
// the older pyramid is as it was.
func TestPyramidEditsAcrossDateline(t *testing.T) {
	old := pyramid(t, clustered(1, 20, 179, 0, 0.1), surface.Epanechnikov, 5000)
	for _, at := range [][2]float64{{179.999, 0.5}, {-179.999, -1}, {20, 84.9}} {
		e := surface.Event{Lon: at[0], Lat: at[1], Weight: 3}
		levels := []int{8, 10, 12, 14, 17}
		tile := func(p *surface.Pyramid, level int) []float64 {
			px, py := pixelOf(at[0], at[1], level)
			return p.Tile(level, px-40, py-40, 80)
		}
		for _, level := range levels {
			tile(old, level)
		}
		before := tile(old, 17)
		edited := old.With([]surface.Event{e}, nil)
		for _, level := range levels {
			want := pyramid(t, append(clustered(1, 20, 179, 0, 0.1), e), surface.Epanechnikov, 5000)
			if err := worst(tile(edited, level), tile(want, level)); !(err < 1e-12) {
				t.Errorf("at %v, level %d: %g of the peak", at, level, err)
			}
		}
		for i, v := range tile(old, 17) {
			if v != before[i] {
				t.Fatal("the edit changed the older pyramid")
			}
		}
	}
}

// One event appended to a million: the resident blocks of all levels that it
// reaches are restamped. 500 blocks are resident.
func BenchmarkPyramidAppend(b *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		p := pyramid(b, clustered(3, n, 104, 1.2, 0.5), surface.Quartic, 5000)
		blocks := 0
		for level := 8; level <= 17; level++ {
			px, py := pixelOf(104, 1.2, level)
			size := 1 << max(0, level-10) * 128
			size = min(size, 2048)
			p.Tile(level, px-size/2, py-size/2, size)
			blocks += (size/256 + 1) * (size/256 + 1)
		}
		for _, k := range []int{1, 100} {
			b.Run(fmt.Sprintf("n=%d/k=%d/blocks=%d", n, k, blocks), func(b *testing.B) {
				events := clustered(9, k, 104, 1.2, 0.5)
				for b.Loop() {
					p.With(events, nil)
				}
			})
		}
	}
}
