package surface_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

var allKernels = []surface.Kernel{surface.Uniform, surface.Triangular, surface.Epanechnikov, surface.Quartic, surface.Gaussian}

func mask(t testing.TB, l surface.Lattice, medium func(lon, lat float64) surface.Medium) *surface.Mask {
	t.Helper()
	m, err := surface.NewMask(l, medium)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawn is a mask of cells of 1 km from lines of text, the first one in the
// north: '.' sea, '#' land, ' ' outside.
func drawn(t testing.TB, lines ...string) *surface.Mask {
	return mask(t, surface.PlanarLattice(0, 0, 1000, len(lines[0]), len(lines)), func(x, y float64) surface.Medium {
		switch lines[len(lines)-1-int(y/1000)][int(x/1000)] {
		case '.':
			return surface.Sea
		case '#':
			return surface.Land
		}
		return surface.Outside
	})
}

func densityOf(t testing.TB, events []surface.Event, planar bool, k surface.Kernel, bandwidthM float64) *surface.Density {
	t.Helper()
	d, err := surface.NewDensity(surface.NewPoints(events, planar), k, bandwidthM)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func edgeCorrected(t testing.TB, d *surface.Density, m *surface.Mask, threads int) []float64 {
	t.Helper()
	v, err := surface.EdgeCorrected(d, m, threads)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func barrierSmoothed(t testing.TB, d *surface.Density, m *surface.Mask, threads int) []float64 {
	t.Helper()
	v, err := surface.BarrierSmoothed(d, m, surface.BarrierOptions{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// massOf returns Σ value · area over the cells of each medium.
func massOf(m *surface.Mask, values []float64) map[surface.Medium]float64 {
	l, mass := m.Lattice(), map[surface.Medium]float64{}
	for i, v := range values {
		mass[m.Medium(i/l.NX, i%l.NX)] += v * m.AreaM2(i/l.NX)
	}
	return mass
}

// blobs is a coast of islands and holes, from sums of waves.
func blobs(seed uint64, wave float64) func(lon, lat float64) surface.Medium {
	r := rand.New(rand.NewPCG(seed, 1))
	var a [6][3]float64
	for i := range a {
		a[i] = [3]float64{(2*r.Float64() - 1) * wave, (2*r.Float64() - 1) * wave, 2 * math.Pi * r.Float64()}
	}
	return func(lon, lat float64) surface.Medium {
		v := 0.0
		for _, w := range a {
			v += math.Sin(w[0]*lon + w[1]*lat + w[2])
		}
		switch {
		case v > 0.2:
			return surface.Land
		case v > -2.2:
			return surface.Sea
		}
		return surface.Outside
	}
}

func degreeLattice(lon0, lat0, step float64, nx, ny int) surface.Lattice {
	l := surface.Lattice{Lon0: lon0, DLon: step, NX: nx}
	for r := range ny {
		l.Lats = append(l.Lats, lat0-float64(r)*step) // from the north
	}
	return l
}

// The uniform kernel of 1.2 km round the middle cell of three meets all their
// centres: a third of the mass each without a mask, a half each with one of
// them land. The second event has no company in its medium.
func TestEdgeCorrectedByHand(t *testing.T) {
	events := []surface.Event{{1500, 500, 3, 0}, {1500, 500, 1, 0}, {2500, 500, 5, 0}, {-10, 500, 7, 0}, {1500, 1001, 7, 0}}
	d := densityOf(t, events, true, surface.Uniform, 1200)
	m := drawn(t, "..#")
	for name, got := range map[string][]float64{"edge": edgeCorrected(t, d, m, 1), "barrier": barrierSmoothed(t, d, m, 1)} {
		for i, want := range []float64{2e-6, 2e-6, 5e-6} {
			if math.Abs(got[i]-want) > 1e-18 {
				t.Errorf("%s: cell %d has %v per m², want %v", name, i, got[i], want)
			}
		}
	}
	if w := m.Weight(d.Points()); w != 9 {
		t.Errorf("weight inside %v, want 9", w)
	}
	// By place: the kernel 1/(π 1.2²) over each of two cells, of two that are in reach.
	even, err := surface.EdgeCorrectedEvenly(d, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2e-6, 2e-6, 5e-6} {
		if math.Abs(even[i]-want) > 1e-18 {
			t.Errorf("evenly: cell %d has %v per m², want %v", i, even[i], want)
		}
	}
}

func TestEdgeAndBarrierConserveMass(t *testing.T) {
	lattices := map[string]surface.Lattice{
		"degrees": degreeLattice(109.6, 1.9, 0.01, 90, 70),
		"tile":    surface.TileLattice(15, 26360, 16200, 64),
		"plane":   surface.PlanarLattice(0, 0, 1000, 80, 60),
	}
	worstRel := 0.0
	for name, l := range lattices {
		wave, lon, lat, spread := 25.0, l.Lon0+float64(l.NX)/2*l.DLon, l.Lats[len(l.Lats)/2], 0.5
		if l.Planar {
			wave, spread = 25.0/111_000, 50_000
		}
		m := mask(t, l, blobs(3, wave))
		events := withDuplicatesAndWeights(clustered(7, 300, lon, lat, spread), 7)
		for i := range events {
			if i%11 == 0 {
				events[i].PrecisionM = 9000
			}
		}
		inside := map[surface.Medium]float64{}
		counts := surface.Counts(l, surface.NewPoints(events, l.Planar))
		for i, w := range counts {
			inside[m.Medium(i/l.NX, i%l.NX)] += w
		}
		if inside[surface.Sea] == 0 || inside[surface.Land] == 0 {
			t.Fatalf("%s: nothing to test: %v", name, inside)
		}
		for _, k := range allKernels {
			for _, h := range []float64{100, 1500, 6000} {
				d := densityOf(t, events, l.Planar, k, h)
				for way, values := range map[string][]float64{"edge": edgeCorrected(t, d, m, 2), "barrier": barrierSmoothed(t, d, m, 2)} {
					mass := massOf(m, values)
					for _, medium := range []surface.Medium{surface.Sea, surface.Land} {
						rel := math.Abs(mass[medium]/inside[medium] - 1)
						worstRel = max(worstRel, rel)
						if rel > 1e-9 {
							t.Errorf("%s, %s, %s of %g m: mass %v in medium %d, want %v", name, way, k, h, mass[medium], medium, inside[medium])
						}
					}
					if mass[surface.Outside] != 0 {
						t.Errorf("%s, %s, %s of %g m: mass %v outside", name, way, k, h, mass[surface.Outside])
					}
					if i := slices.IndexFunc(values, func(v float64) bool { return !(v >= 0) }); i >= 0 {
						t.Errorf("%s, %s: value %v", name, way, values[i])
					}
				}
			}
		}
	}
	t.Logf("mass conserved to %.1e", worstRel)
}

// bruteEdge sums over all pairs of events and cells.
func bruteEdge(m *surface.Mask, events []surface.Event, k surface.Kernel, hM float64, distance func(a, b surface.Event) float64) (edge, evenly []float64) {
	l := m.Lattice()
	n := l.NX * len(l.Lats)
	cell := func(i int) surface.Event {
		return surface.Event{Lon: l.Lon0 + float64(i%l.NX)*l.DLon, Lat: l.Lats[i/l.NX]}
	}
	of := func(a, b surface.Event, h float64) float64 {
		u := distance(a, b) / h
		return k.Constant() / (h * h) * k.At(u*u)
	}
	edge, evenly = make([]float64, n), make([]float64, n)
	for _, e := range events {
		c := int(math.Floor((e.Lon-l.Lon0)/l.DLon + 0.5))
		r := int(math.Floor((e.Lat-l.Lats[0])/(l.Lats[1]-l.Lats[0]) + 0.5))
		if c < 0 || r < 0 || c >= l.NX || r >= len(l.Lats) || m.Medium(r, c) == surface.Outside {
			continue
		}
		h, mass := max(hM, e.PrecisionM), 0.0
		for i := range n {
			if m.Medium(i/l.NX, i%l.NX) == m.Medium(r, c) {
				mass += of(e, cell(i), h) * m.AreaM2(i/l.NX)
			}
		}
		if mass == 0 {
			edge[r*l.NX+c] += e.Weight / m.AreaM2(r)
		}
		for i := range n {
			if v := of(e, cell(i), h); v > 0 && m.Medium(i/l.NX, i%l.NX) == m.Medium(r, c) {
				edge[i] += e.Weight * v / mass
				inside := 0.0
				for j := range n {
					if m.Medium(j/l.NX, j%l.NX) == m.Medium(r, c) {
						inside += of(cell(i), cell(j), h) * m.AreaM2(j/l.NX)
					}
				}
				evenly[i] += e.Weight * v / inside
			}
		}
	}
	return edge, evenly
}

func TestEdgeMatchesBruteForce(t *testing.T) {
	for _, k := range allKernels {
		for _, planar := range []bool{false, true} {
			l, wave, distance, spread := degreeLattice(110, 1.5, 0.01, 24, 18), 40.0, localDistance, 0.12
			at := orb.Point{110.12, 1.41}
			if planar {
				l, wave, distance, spread = surface.PlanarLattice(0, 0, 1113, 24, 18), 40.0/111_000, planarDistance, 13_000
				at = orb.Point{13_000, 10_000}
			}
			m := mask(t, l, blobs(5, wave))
			events := clustered(9, 25, at[0], at[1], spread)
			for i := range events {
				events[i].Weight = 1 + float64(i%4)
				if i%6 == 0 {
					events[i].PrecisionM = 5100
				}
			}
			d := densityOf(t, events, planar, k, 3210)
			want, wantEvenly := bruteEdge(m, events, k, 3210, distance)
			const tolerance = 1e-6 // of the peak
			if got := edgeCorrected(t, d, m, 1); worst(got, want) > tolerance {
				t.Errorf("%s, planar %v: off by %v of the peak", k, planar, worst(got, want))
			}
			got, err := surface.EdgeCorrectedEvenly(d, m, 2)
			if err != nil {
				t.Fatal(err)
			}
			if worst(got, wantEvenly) > tolerance {
				t.Errorf("%s, planar %v, evenly: off by %v of the peak", k, planar, worst(got, wantEvenly))
			}
		}
	}
}

// A straight coast a bandwidths away from an event leaves of its kernel
//
//	1/2 + ∫_0^a p(x) dx,  p = 2/π √(1-x²) (uniform), 16/5π (1-x²)^(5/2) (quartic)
//
// in the half-plane: 1/2 for an event on the coast, 1 from a bandwidth on.
func TestEdgeMassAtStraightCoast(t *testing.T) {
	const h, cell = 5000.0, 50.0
	marginal := map[surface.Kernel]func(x float64) float64{
		surface.Uniform: func(x float64) float64 { return 2 / math.Pi * math.Sqrt(1-x*x) },
		surface.Quartic: func(x float64) float64 { return 16 / (5 * math.Pi) * math.Pow(1-x*x, 2.5) },
	}
	m := mask(t, surface.PlanarLattice(-6000, -6000, cell, 340, 240), func(x, y float64) surface.Medium {
		if x > 0 {
			return surface.Sea
		}
		return surface.Land
	})
	for k, p := range marginal {
		for _, a := range []float64{0, 0.1, 0.5, 0.9, 1} {
			mass := 0.5
			for i := range 10_000 {
				mass += p((float64(i)+0.5)*a/10_000) * a / 10_000
			}
			d := densityOf(t, []surface.Event{{a * h, 0, 1, 0}}, true, k, h)
			got, plain := edgeCorrected(t, d, m, 1), d.Raster(m.Lattice(), 1)
			i := 120*340 + 120 + int(a*h/cell)
			if ratio := plain[i] / got[i]; math.Abs(ratio-mass) > 0.002 {
				t.Errorf("%s at %g bandwidths from the coast: edge mass %.5f, want %.5f", k, a, ratio, mass)
			}
			if path := barrierSmoothed(t, d, m, 1); worst(path, got) > 1e-9 {
				t.Errorf("%s: a straight coast hides something: %v", k, worst(path, got))
			}
		}
	}
}

// One event of its own area in each cell is a density of 1 everywhere; divided
// by place it stays 1 to the very edge.
func TestEvenDensityStaysEven(t *testing.T) {
	for _, k := range allKernels {
		m := mask(t, degreeLattice(110, 1.5, 0.01, 60, 50), blobs(8, 30))
		l := m.Lattice()
		var events []surface.Event
		for i := range l.NX * len(l.Lats) {
			events = append(events, surface.Event{Lon: l.Lon0 + float64(i%l.NX)*l.DLon, Lat: l.Lats[i/l.NX], Weight: m.AreaM2(i / l.NX)})
		}
		got, err := surface.EdgeCorrectedEvenly(densityOf(t, events, false, k, 4321), m, 2)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			want := 1.0
			if m.Medium(i/l.NX, i%l.NX) == surface.Outside {
				want = 0
			}
			if math.Abs(v-want) > 1e-9 {
				t.Fatalf("%s: cell %d has %v, want %v", k, i, v, want)
			}
		}
	}
}

// How far an event's sum over cells is from its integral, at 5 cells a
// bandwidth, wherever in its cell it is.
func TestFarFromEdgesIsPlainDensity(t *testing.T) {
	const seed = 12
	r := rand.New(rand.NewPCG(seed, 0))
	bound := map[surface.Kernel]float64{surface.Uniform: 0.06, surface.Triangular: 0.005, surface.Epanechnikov: 0.01, surface.Quartic: 0.0007, surface.Gaussian: 0.0004}
	m := mask(t, degreeLattice(110, 1.5, 0.01, 61, 61), func(lon, lat float64) surface.Medium { return surface.Sea })
	for _, k := range allKernels {
		far := 0.0
		for range 100 {
			event := surface.Event{Lon: 110.3 + 0.01*r.Float64(), Lat: 1.2 + 0.01*r.Float64(), Weight: 1}
			d := densityOf(t, []surface.Event{event}, false, k, 5*1110)
			edge, path := edgeCorrected(t, d, m, 1), barrierSmoothed(t, d, m, 1)
			far = max(far, worst(edge, d.Raster(m.Lattice(), 1)))
			if worst(path, edge) != 0 {
				t.Fatalf("seed %d, %s: path off by %v", seed, k, worst(path, edge))
			}
		}
		t.Logf("%s: within %.2e of an event's density", k, far)
		if far > bound[k] {
			t.Errorf("seed %d, %s: edge corrected off by %v of the peak", seed, k, far)
		}
	}
}

func TestNothingCrossesABarrier(t *testing.T) {
	for name, m := range map[string]*surface.Mask{
		"wall":     drawn(t, "....#....", "....#....", "....#....", "....#...."),
		"outside":  drawn(t, ".... ....", ".... ....", ".... ....", ".... ...."),
		"diagonal": drawn(t, "....#....", "...#.....", "..#......", ".#.......", "#........"),
	} {
		l := m.Lattice()
		d := densityOf(t, []surface.Event{{500, 3400, 1, 0}}, true, surface.Quartic, 20_000)
		edge, path := edgeCorrected(t, d, m, 1), barrierSmoothed(t, d, m, 1)
		over, filled := 0.0, 0
		for i, v := range path {
			r, c := i/l.NX, i%l.NX
			behind := c > 4
			if name == "diagonal" {
				behind = c >= r
			}
			if behind && v != 0 {
				t.Errorf("%s: %v in column %d of row %d, behind the barrier", name, v, c, r)
			}
			if behind {
				over += edge[i]
			}
			if v > 0 {
				filled++
			}
		}
		if over == 0 || filled < 10 {
			t.Errorf("%s: nothing to test: %v behind without the barrier, %d cells filled", name, over, filled)
		}
	}
}

// distances reads distances from a triangular kernel: value/peak = 1 - d/h, for
// one event in the middle of a cell.
func distances(values []float64, hM float64) []float64 {
	peak, out := maxOf(values), make([]float64, len(values))
	for i, v := range values {
		out[i] = hM * (1 - v/peak)
	}
	return out
}

// A headland of one column from the south ends at row 40. The way from (20, 20)
// to a cell east of it leads round the tip, whose western and eastern corners
// are at (29.5, 40.5) and (30.5, 40.5) in cells.
func TestPathRoundAHeadland(t *testing.T) {
	const h = 60.0
	m := mask(t, surface.PlanarLattice(-0.5, -0.5, 1, 61, 61), func(x, y float64) surface.Medium {
		if x == 30 && y <= 40 {
			return surface.Land
		}
		return surface.Sea
	})
	d := densityOf(t, []surface.Event{{20, 20, 1, 0}}, true, surface.Triangular, h)
	values := barrierSmoothed(t, d, m, 1)
	got := distances(values, h)
	low, high := 0.0, 0.0
	for i, v := range values {
		x, y := float64(i%61), float64(i/61)
		if x == 30 && y <= 40 {
			if v != 0 {
				t.Fatalf("%v on the headland", v)
			}
			continue
		}
		want := math.Hypot(x-20, y-20)
		west, east := math.Hypot(9.5, 20.5), math.Hypot(x-30.5, y-40.5)
		switch {
		case x <= 29: // seen
		case x > 30 && y <= 40 && want < h:
			want = west + 1 + east
			if (y-40.5)/(x-29.5) > 0 {
				want = west + math.Hypot(x-29.5, y-40.5)
			}
		case (40.5-20)/(9.5)*(x-20)+20 > y+0.5:
			want = west + math.Hypot(x-29.5, y-40.5)
		}
		if want >= h-0.5 || v == 0 {
			if v > 0 && want > h+1e-9 {
				t.Errorf("cell (%g, %g) is reached, at %g", x, y, want)
			}
			continue
		}
		low, high = min(low, (got[i]-want)/max(want, 1)), max(high, (got[i]-want)/max(want, 1))
	}
	t.Logf("ways round the headland are %.4f to %.4f longer", low, high)
	if low < -1e-9 || high > 0.028 {
		t.Errorf("ways are %v to %v longer than the shortest", low, high)
	}
	// Straight across it is 20 cells, round it 22.59 + 1 + 22.59.
	if v := got[20*61+40]; v < 46.19 || v > 47.2 {
		t.Errorf("way across the headland %v, want 46.19 or little more", v)
	}
}

// A strait with an opening: what passes is what the opening lets through.
func TestOpeningInABarrier(t *testing.T) {
	closed := []string{".....#.....", ".....#.....", ".....#.....", ".....#.....", ".....#....."}
	open := slices.Clone(closed)
	open[0] = "..........."
	d := densityOf(t, []surface.Event{{3500, 500, 1, 0}}, true, surface.Quartic, 12_000)
	shut, through := barrierSmoothed(t, d, drawn(t, closed...), 1), barrierSmoothed(t, d, drawn(t, open...), 1)
	edge := edgeCorrected(t, d, drawn(t, open...), 1)
	// Right across the wall, 4 km from the event as the crow flies.
	i := 0*11 + 7
	if shut[i] != 0 || !(through[i] > 0) || !(through[i] < edge[i]/2) {
		t.Errorf("across the wall %v shut, %v open, %v straight", shut[i], through[i], edge[i])
	}
}

// clearLine tells by clipping whether a line keeps out of the inside of every
// cell of another medium, and does not slip between two that touch at a corner.
func clearLine(m *surface.Mask, medium surface.Medium, a, b orb.Point) bool {
	l := m.Lattice()
	other := func(r, c int) bool {
		return r >= 0 && c >= 0 && r < len(l.Lats) && c < l.NX && m.Medium(r, c) != medium
	}
	for r := range l.Lats {
		for c := range l.NX {
			t0, t1 := 0.0, 1.0
			for axis, at := range []float64{float64(c), float64(r)} {
				d, lo, hi := b[axis]-a[axis], at-a[axis], at+1-a[axis]
				if d == 0 {
					if lo >= 0 || hi <= 0 {
						t1 = -1
					}
					continue
				}
				t0, t1 = max(t0, min(lo/d, hi/d)), min(t1, max(lo/d, hi/d))
			}
			if other(r, c) && t1-t0 > 1e-9 {
				return false
			}
			// The corner north-east of the cell.
			d := orb.Point{b[0] - a[0], b[1] - a[1]}
			p := orb.Point{float64(c+1) - a[0], float64(r+1) - a[1]}
			along := (p[0]*d[0] + p[1]*d[1]) / (d[0]*d[0] + d[1]*d[1])
			if along > 0 && along < 1 && math.Abs(p[0]*d[1]-p[1]*d[0]) < 1e-9 {
				if other(r, c) && other(r+1, c+1) || other(r, c+1) && other(r+1, c) {
					return false
				}
			}
		}
	}
	return true
}

// brutePath relaxes every pair of cells until nothing changes.
func brutePath(m *surface.Mask, e surface.Event, k surface.Kernel, hM float64) []float64 {
	l := m.Lattice()
	n, cellM := l.NX*len(l.Lats), l.DLon
	middle := func(i int) orb.Point { return orb.Point{float64(i%l.NX) + 0.5, float64(i/l.NX) + 0.5} }
	from := orb.Point{e.Lon / cellM, e.Lat / cellM}
	medium := m.Medium(int(from[1]), int(from[0]))
	metres := func(a, b orb.Point) float64 { return cellM * math.Hypot(a[0]-b[0], a[1]-b[1]) }
	way, seen := make([]float64, n), make([]bool, n)
	for i := range way {
		way[i] = math.Inf(1)
		if m.Medium(i/l.NX, i%l.NX) == medium && clearLine(m, medium, from, middle(i)) {
			way[i], seen[i] = metres(from, middle(i)), true
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range n {
			for j := range n {
				dx, dy := i%l.NX-j%l.NX, i/l.NX-j/l.NX
				step := dx*dx+dy*dy == 5 || max(dx*dx, dy*dy) == 1
				if !step || seen[j] || m.Medium(j/l.NX, j%l.NX) != medium || math.IsInf(way[i], 1) {
					continue
				}
				if to := way[i] + metres(middle(i), middle(j)); to < way[j]-1e-9 && clearLine(m, medium, middle(i), middle(j)) {
					way[j], changed = to, true
				}
			}
		}
	}
	mass := 0.0
	for i, d := range way {
		way[i] = 0
		if d <= hM*k.Reach() {
			way[i] = k.At(d * d / (hM * hM))
		}
		mass += way[i] * cellM * cellM
	}
	for i := range way {
		way[i] *= e.Weight / mass
	}
	return way
}

func TestBarrierMatchesBruteForce(t *testing.T) {
	const seed = 21
	r := rand.New(rand.NewPCG(seed, 0))
	hidden := 0
	for round := range 12 {
		m := mask(t, surface.PlanarLattice(0, 0, 1000, 14, 11), func(x, y float64) surface.Medium {
			return surface.Medium(1 + r.IntN(5)/4)
		})
		e := surface.Event{Lon: 14_000 * r.Float64(), Lat: 11_000 * r.Float64(), Weight: 2}
		k, h := allKernels[round%5], 3000+5000*r.Float64()
		if k == surface.Gaussian {
			h /= 3
		}
		d := densityOf(t, []surface.Event{e}, true, k, h)
		got, want := barrierSmoothed(t, d, m, 1), brutePath(m, e, k, h)
		if worst(got, want) > 1e-9 {
			t.Errorf("seed %d, round %d, %s of %g m: off by %v of the peak", seed, round, k, h, worst(got, want))
		}
		if worst(got, edgeCorrected(t, d, m, 1)) > 1e-3 {
			hidden++
		}
	}
	if hidden < 6 {
		t.Errorf("barriers matter in only %d rounds", hidden)
	}
}

// The same coast and events by the Greenwich meridian and by the dateline.
func TestMaskAcrossDateline(t *testing.T) {
	shape, events := blobs(6, 30), clustered(4, 60, 0, 1, 0.3)
	here := mask(t, degreeLattice(-0.3, 1.25, 0.01, 60, 50), shape)
	there := mask(t, degreeLattice(179.7, 1.25, 0.01, 60, 50), func(lon, lat float64) surface.Medium {
		if lon < -180 || lon >= 180 {
			t.Fatalf("asked at longitude %v", lon)
		}
		return shape(math.Remainder(lon-180, 360), lat)
	})
	moved := slices.Clone(events)
	for i := range moved {
		moved[i].Lon = math.Remainder(moved[i].Lon+180, 360)
	}
	d, dMoved := densityOf(t, events, false, surface.Quartic, 6000), densityOf(t, moved, false, surface.Quartic, 6000)
	if a, b := edgeCorrected(t, d, here, 1), edgeCorrected(t, dMoved, there, 1); worst(a, b) > 1e-9 || maxOf(a) == 0 {
		t.Errorf("edge corrected: off by %v of the peak", worst(a, b))
	}
	if a, b := barrierSmoothed(t, d, here, 1), barrierSmoothed(t, dMoved, there, 1); worst(a, b) > 1e-9 {
		t.Errorf("barrier: off by %v of the peak", worst(a, b))
	}
}

func TestThreadsChangeNoDigit(t *testing.T) {
	m := mask(t, degreeLattice(109.6, 1.9, 0.005, 300, 260), blobs(3, 25))
	// 50 places of some 300 x 260 cells do not fit one batch.
	d := densityOf(t, clustered(7, 70, 110.3, 1.3, 0.2), false, surface.Quartic, 90_000)
	edge := edgeCorrected(t, d, m, 1)
	narrow := densityOf(t, clustered(7, 200, 110.3, 1.3, 0.4), false, surface.Quartic, 8000)
	path := barrierSmoothed(t, narrow, m, 0)
	for _, threads := range []int{2, 3, 7} {
		if worst(edge, edgeCorrected(t, d, m, threads)) != 0 || worst(path, barrierSmoothed(t, narrow, m, threads)) != 0 {
			t.Errorf("%d threads give other numbers than 1", threads)
		}
	}
	if rel := math.Abs((massOf(m, edge)[surface.Sea]+massOf(m, edge)[surface.Land])/m.Weight(d.Points()) - 1); rel > 1e-9 {
		t.Errorf("mass off by %v", rel)
	}
}

func TestMaskAreas(t *testing.T) {
	sea := func(lon, lat float64) surface.Medium { return surface.Sea }
	m := mask(t, surface.TileLattice(8, 200, 120, 16), sea)
	box := orb.Bound{Min: orb.Point{200./256*360 - 180, latitudeOf(136. / 256)}, Max: orb.Point{216./256*360 - 180, latitudeOf(120. / 256)}}
	sum := 0.0
	for r := range 16 {
		sum += 16 * m.AreaM2(r)
	}
	if want := geo.CellAreaM2(box); math.Abs(sum/want-1) > 1e-9 {
		t.Errorf("tile of %v m², want %v", sum, want)
	}
	one := mask(t, surface.Lattice{Lon0: 110, DLon: 0.1, NX: 1, Lats: []float64{1}}, sea)
	box = orb.Bound{Min: orb.Point{109.95, 0.95}, Max: orb.Point{110.05, 1.05}}
	if want := geo.CellAreaM2(box); math.Abs(one.AreaM2(0)/want-1) > 1e-9 {
		t.Errorf("one cell of %v m², want %v", one.AreaM2(0), want)
	}
}

func latitudeOf(worldY float64) float64 {
	return math.Atan(math.Sinh(math.Pi*(1-2*worldY))) * 180 / math.Pi
}

func TestMaskRefuses(t *testing.T) {
	sea := func(lon, lat float64) surface.Medium { return surface.Sea }
	for name, l := range map[string]surface.Lattice{
		"no cells":       {Lon0: 110, DLon: 1},
		"no rows":        {Lon0: 110, DLon: 1, NX: 3},
		"to the west":    {Lon0: 110, DLon: -1, NX: 3, Lats: []float64{1}},
		"nowhere":        {Lon0: math.NaN(), DLon: 1, NX: 3, Lats: []float64{1}},
		"twice round":    {DLon: 1, NX: 361, Lats: []float64{1}},
		"over the pole":  {DLon: 1, NX: 3, Lats: []float64{91}},
		"no number":      {DLon: 1, NX: 3, Lats: []float64{math.NaN()}, Planar: true},
		"rows unsorted":  {DLon: 1, NX: 3, Lats: []float64{1, 3, 2}},
		"rows unsorted2": {DLon: 1, NX: 3, Lats: []float64{3, 1, 2}},
		"rows equal":     {DLon: 1, NX: 3, Lats: []float64{1, 1}},
	} {
		if _, err := surface.NewMask(l, sea); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m := drawn(t, "...", "...")
	degrees := densityOf(t, []surface.Event{{1, 1, 1, 0}}, false, surface.Quartic, 1000)
	plane := densityOf(t, []surface.Event{{1500, 500, 1, 0}, {500, 500, 1, 0}}, true, surface.Quartic, 5000)
	if _, err := surface.EdgeCorrected(degrees, m, 1); err == nil {
		t.Error("degrees on a plane: no error")
	}
	if _, err := surface.EdgeCorrectedEvenly(degrees, m, 1); err == nil {
		t.Error("degrees on a plane: no error")
	}
	if _, err := surface.BarrierSmoothed(degrees, m, surface.BarrierOptions{}); err == nil {
		t.Error("degrees on a plane: no error")
	}
	if _, err := surface.BarrierSmoothed(plane, m, surface.BarrierOptions{MaxVisits: 11}); err == nil {
		t.Error("12 visits of 11 allowed: no error")
	}
	if _, err := surface.BarrierSmoothed(plane, m, surface.BarrierOptions{MaxVisits: 12}); err != nil {
		t.Error(err)
	}
	// Places are counted once, in whatever order their events come.
	again := densityOf(t, []surface.Event{{1500, 500, 1, 0}, {500, 500, 1, 0}, {1500, 500, 2, 0}}, true, surface.Quartic, 5000)
	if _, err := surface.BarrierSmoothed(again, m, surface.BarrierOptions{MaxVisits: 12}); err != nil {
		t.Error(err)
	}
	none := densityOf(t, nil, false, surface.Quartic, 1000)
	if v := edgeCorrected(t, none, m, 1); maxOf(v) != 0 {
		t.Errorf("no events make %v", v)
	}
}

// A mask of 256 x 256 cells of 1.1 km with ragged coasts, quartic.
func BenchmarkEdge(b *testing.B) {
	m := mask(b, degreeLattice(109, 2.5, 0.01, 256, 256), blobs(3, 8))
	for _, n := range []int{200, 5000} {
		for _, h := range []float64{5000, 20_000} {
			events := clustered(2, n, 110.3, 1.2, 0.8)
			d := densityOf(b, events, false, surface.Quartic, h)
			run := func(name string, do func() error) {
				b.Run(fmt.Sprintf("%s/%d/%gkm", name, n, h/1000), func(b *testing.B) {
					for b.Loop() {
						if err := do(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			run("events", func() error { _, err := surface.EdgeCorrected(d, m, 1); return err })
			run("evenly", func() error { _, err := surface.EdgeCorrectedEvenly(d, m, 1); return err })
			run("barrier", func() error { _, err := surface.BarrierSmoothed(d, m, surface.BarrierOptions{}); return err })
		}
	}
}

func BenchmarkNewMask(b *testing.B) {
	l := degreeLattice(109, 2.5, 0.01, 256, 256)
	for b.Loop() {
		mask(b, l, func(lon, lat float64) surface.Medium { return surface.Sea })
	}
}
