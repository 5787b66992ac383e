package surface_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// wavyGround is land and sea with headlands, bays and islets of a few km.
func wavyGround(lat float64, lons []float64, dst []surface.Medium) {
	for i, lon := range lons {
		dst[i] = surface.Sea
		lon -= 360 * math.Floor((lon+180)/360)
		if math.Sin(lon*71)+math.Sin(lat*83)+0.7*math.Sin((lon+lat)*190) > 0.4 {
			dst[i] = surface.Land
		}
	}
}

func mediumAt(g surface.Ground, lon, lat float64) surface.Medium {
	var m [1]surface.Medium
	g(lat, []float64{lon}, m[:])
	return m[0]
}

func smoothed(t testing.TB, d *surface.Density, by surface.Smoothing) *surface.Smoothed {
	t.Helper()
	m, err := surface.NewSmoothed(d, surface.SmoothedOptions{By: by, Ground: wavyGround})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scattered are events round a place, some of them known only roughly.
func scattered(r *rand.Rand, n int, at orb.Point, spreadDeg float64) []surface.Event {
	events := make([]surface.Event, n)
	for i := range events {
		events[i] = surface.Event{Lon: at[0] + spreadDeg*r.NormFloat64(), Lat: at[1] + spreadDeg*r.NormFloat64(), Weight: 0.5 + r.Float64()}
		events[i].Lon -= 360 * math.Floor((events[i].Lon+180)/360)
		if i%7 == 0 {
			events[i].PrecisionM = 9000
		}
	}
	return events
}

func totalWeight(events []surface.Event) (sum float64) {
	for _, e := range events {
		sum += e.Weight
	}
	return sum
}

// massOn adds up a surface over a rectangle of the world raster.
func massOn(m interface {
	Tile(level, px, py, n int) []float64
}, level int, centre orb.Point, cells int) float64 {
	x, y := surface.PixelAt(level, centre)
	px, py := int(x)-cells/2, int(y)-cells/2
	sum := 0.0
	values := m.Tile(level, px, py, cells)
	for row := range cells {
		edge := func(y int) float64 { return latitudeOf(float64(y) / math.Exp2(float64(level))) }
		area := geo.CellAreaM2(orb.Bound{Min: orb.Point{0, edge(py + row + 1)}, Max: orb.Point{360 / math.Exp2(float64(level)), edge(py + row)}})
		for _, v := range values[row*cells : (row+1)*cells] {
			sum += v * area
		}
	}
	return sum
}

// Every event adds its weight, whatever the coast, on the grid and on each
// coarser raster; also with a bandwidth for each event, and over the dateline.
func TestSmoothedConservesMass(t *testing.T) {
	const seed = 91
	r := rand.New(rand.NewPCG(seed, 1))
	for _, at := range []orb.Point{{104, 1.2}, {179.97, -8}} {
		events := scattered(r, 40, at, 0.12)
		points := surface.NewPoints(events, false)
		plain, err := surface.NewDensity(points, surface.Quartic, 4000)
		if err != nil {
			t.Fatal(err)
		}
		adaptive, err := surface.NewAdaptiveDensity(points, surface.Quartic, 4000)
		if err != nil {
			t.Fatal(err)
		}
		for name, d := range map[string]*surface.Density{"plain": plain, "adaptive": adaptive} {
			for by, levels := range map[surface.Smoothing][]int{surface.SmoothEdge: {10, 15}, surface.SmoothBarrier: {13}} {
				m := smoothed(t, d, by)
				for _, level := range levels {
					got, want := massOn(m, level, at, 1<<max(6, level-6)), totalWeight(events)
					if math.Abs(got-want) > 1e-9*want {
						t.Errorf("seed %d: %s %s at %v, level %d: mass %.12g, want %.12g", seed, name, by, at, level, got, want)
					}
				}
			}
		}
	}
}

// On its grid it is what one mask over everything gives, block by block.
func TestSmoothedIsTheWholeMask(t *testing.T) {
	const seed, level, n, px, py = 92, 16, 520, 51600, 32300
	r := rand.New(rand.NewPCG(seed, 1))
	l := surface.TileLattice(level, px, py, n)
	middle := orb.Point{l.Lon0 + n/2*l.DLon, l.Lats[n/2]}
	events := scattered(r, 80, middle, 0.25)
	for i := range events {
		events[i].PrecisionM = 0
	}
	holds := map[surface.Medium]map[[2]int]bool{surface.Sea: {}, surface.Land: {}}
	byMedium := map[surface.Medium][]surface.Event{}
	for _, e := range events {
		medium := mediumAt(wavyGround, e.Lon, e.Lat)
		byMedium[medium] = append(byMedium[medium], e)
		x, y := surface.PixelAt(level, orb.Point{e.Lon, e.Lat})
		holds[medium][[2]int{int(x), int(y)}] = true
	}
	for _, by := range []surface.Smoothing{surface.SmoothEdge, surface.SmoothBarrier} {
		d := densityOf(t, events, false, surface.Epanechnikov, 5000)
		got := smoothed(t, d, by).Tile(level, px, py, n)
		want := make([]float64, n*n)
		for medium, part := range byMedium {
			cells := mask(t, l, func(lon, lat float64) surface.Medium {
				x, y := surface.PixelAt(level, orb.Point{lon, lat})
				if mediumAt(wavyGround, lon, lat) == medium || holds[medium][[2]int{int(x), int(y)}] {
					return medium
				}
				return surface.Outside
			})
			d := densityOf(t, part, false, surface.Epanechnikov, 5000)
			values := edgeCorrected(t, d, cells, 1)
			if by == surface.SmoothBarrier {
				values = barrierSmoothed(t, d, cells, 1)
			}
			for i, v := range values {
				want[i] += v
			}
		}
		peak, worst := 0.0, 0.0
		for i := range want {
			peak, worst = max(peak, want[i]), max(worst, math.Abs(got[i]-want[i]))
		}
		if !(peak > 0) || worst > 1e-9*peak {
			t.Errorf("seed %d: %s is off by %g of the peak %g", seed, by, worst/peak, peak)
		}
	}
}

// An event at sea gives exactly nothing on land, at any place and in any
// picture that is finer than the grid; and the other way round.
func TestSmoothedKeepsToItsSide(t *testing.T) {
	const seed = 93
	r := rand.New(rand.NewPCG(seed, 1))
	all := scattered(r, 200, orb.Point{104, 1.2}, 0.1)
	for _, side := range []surface.Medium{surface.Sea, surface.Land} {
		var events []surface.Event
		for _, e := range all {
			if mediumAt(wavyGround, e.Lon, e.Lat) == side {
				events = append(events, e)
			}
		}
		for _, by := range []surface.Smoothing{surface.SmoothEdge, surface.SmoothBarrier} {
			m := smoothed(t, densityOf(t, events, false, surface.Quartic, 4000), by)
			zero, positive := 0, 0
			x, y := surface.PixelAt(19, orb.Point{104, 1.2})
			l := surface.TileLattice(19, int(x)-256, int(y)-256, 512)
			values := m.Tile(19, int(x)-256, int(y)-256, 512)
			for i, v := range values {
				lon, lat := l.Lon0+float64(i%512)*l.DLon, l.Lats[i/512]
				switch same := mediumAt(wavyGround, lon, lat) == side; {
				case !same && v != 0:
					t.Fatalf("seed %d: %s: %g on the other side at %g %g", seed, by, v, lon, lat)
				case !same:
					zero++
				case v > 0:
					positive++
				}
				if i%4999 == 0 && math.Abs(m.At(lon, lat)-v) > 1e-9*max(v, 1e-12) {
					t.Fatalf("%s: At %g, tile %g", by, m.At(lon, lat), v)
				}
			}
			if zero < 10_000 || positive < 10_000 {
				t.Fatalf("the test looks at %d and %d places", zero, positive)
			}
		}
	}
}

func TestSmoothedTilesMeet(t *testing.T) {
	const seed = 94
	r := rand.New(rand.NewPCG(seed, 1))
	m := smoothed(t, densityOf(t, scattered(r, 100, orb.Point{104, 1.2}, 0.2), false, surface.Quartic, 4000), surface.SmoothBarrier)
	for _, level := range []int{13, 16, 17, 20} {
		x, y := surface.PixelAt(level, orb.Point{104, 1.2})
		px, py := int(x)-97, int(y)-41
		whole := m.Tile(level, px, py, 512)
		peak := 0.0
		for _, v := range whole {
			peak = max(peak, v)
		}
		for k, part := range [][]float64{m.Tile(level, px, py, 256), m.Tile(level, px+256, py+256, 256)} {
			for i, v := range part {
				if w := whole[(i/256+k*256)*512+i%256+k*256]; math.Abs(v-w) > 1e-12*peak {
					t.Fatalf("seed %d level %d part %d pixel %d: %g and %g", seed, level, k, i, v, w)
				}
			}
		}
		again := m.Raster(surface.TileLattice(level, px, py, 512), 3)
		for i := range whole {
			if whole[i] != again[i] {
				t.Fatalf("threads change pixel %d: %g and %g", i, whole[i], again[i])
			}
		}
	}
}

// The parts of a place add up to its density, and each is what its event
// alone would give.
func TestSmoothedContributions(t *testing.T) {
	const seed = 95
	r := rand.New(rand.NewPCG(seed, 1))
	events := scattered(r, 40, orb.Point{104, 1.2}, 0.06)
	for _, by := range []surface.Smoothing{surface.SmoothEdge, surface.SmoothBarrier} {
		m := smoothed(t, densityOf(t, events, false, surface.Quartic, 4000), by)
		seen := 0
		for range 80 {
			lon, lat := 104+0.06*r.NormFloat64(), 1.2+0.06*r.NormFloat64()
			total, sum := m.At(lon, lat), 0.0
			for _, c := range m.Contributions(lon, lat) {
				e := events[c.Event]
				sum += c.PerM2
				seen++
				if d := geo.LocalDistanceM(orb.Point{lon, lat}, orb.Point{e.Lon, e.Lat}); math.Abs(d-c.DistanceM) > 1e-3 || c.Weight != e.Weight {
					t.Fatalf("event %d at %g m with weight %g, want %g m and %g", c.Event, c.DistanceM, c.Weight, d, e.Weight)
				}
				// Alone it may lack cells that only hold other events.
				alone := smoothed(t, densityOf(t, []surface.Event{e}, false, surface.Quartic, 4000), by).At(lon, lat)
				if math.Abs(alone-c.PerM2) > 0.1*total {
					t.Fatalf("seed %d: %s: event %d adds %g, alone %g of %g", seed, by, c.Event, c.PerM2, alone, total)
				}
			}
			if math.Abs(sum-total) > 1e-9*total {
				t.Fatalf("seed %d: %s: parts add up to %g, want %g", seed, by, sum, total)
			}
		}
		if seen < 100 {
			t.Fatalf("only %d parts", seen)
		}
	}
}

// Many events are merged; the picture stays within the error of display, and
// their parts still add up.
func TestSmoothedOfManyEvents(t *testing.T) {
	const seed = 96
	r := rand.New(rand.NewPCG(seed, 1))
	at := orb.Point{104, 1.2}
	few := scattered(r, 1990, at, 0.05)
	for i := range few {
		few[i].PrecisionM = 0
	}
	var many []surface.Event
	for _, e := range few {
		e.Weight /= 2
		many = append(many, e, e)
	}
	exact := smoothed(t, densityOf(t, few, false, surface.Quartic, 4000), surface.SmoothEdge)
	merged := smoothed(t, densityOf(t, many, false, surface.Quartic, 4000), surface.SmoothEdge)
	peak, worst := 0.0, 0.0
	x, y := surface.PixelAt(17, at)
	a, b := exact.Tile(17, int(x)-128, int(y)-128, 256), merged.Tile(17, int(x)-128, int(y)-128, 256)
	for i := range a {
		peak, worst = max(peak, a[i]), max(worst, math.Abs(a[i]-b[i]))
	}
	if worst > 0.01*peak || worst == 0 {
		t.Errorf("seed %d: merging moves %g of the peak", seed, worst/peak)
	}
	parts := merged.Contributions(104.01, 1.21)
	numbers, sum := map[int]bool{}, 0.0
	for _, c := range parts {
		numbers[c.Event] = true
		sum += c.PerM2
	}
	if total := merged.At(104.01, 1.21); len(numbers) != len(parts) || len(parts) < 100 || math.Abs(sum-total) > 1e-9*total {
		t.Errorf("%d parts of %d events add up to %g, want %g", len(parts), len(numbers), sum, total)
	}
}

// A cache that holds next to nothing, asked from several sides at once, changes
// no number.
func TestSmoothedWithAFullCache(t *testing.T) {
	const seed = 98
	r := rand.New(rand.NewPCG(seed, 1))
	d := densityOf(t, scattered(r, 60, orb.Point{104, 1.2}, 0.3), false, surface.Quartic, 4000)
	x, y := surface.PixelAt(16, orb.Point{104, 1.2})
	want := smoothed(t, d, surface.SmoothEdge).Tile(16, int(x)-256, int(y)-256, 512)
	m, err := surface.NewSmoothed(d, surface.SmoothedOptions{By: surface.SmoothEdge, Ground: wavyGround, Cache: surface.NewBlockCache(100_000)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			left, top := k%2*256, k/2*256
			for i, v := range m.Tile(16, int(x)-256+left, int(y)-256+top, 256) {
				if w := want[(top+i/256)*512+left+i%256]; v != w {
					t.Errorf("seed %d: part %d pixel %d: %g, want %g", seed, k, i, v, w)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestSmoothedRefuses(t *testing.T) {
	flat := densityOf(t, []surface.Event{{Lon: 1, Lat: 1, Weight: 1}}, true, surface.Quartic, 100)
	if _, err := surface.NewSmoothed(flat, surface.SmoothedOptions{By: surface.SmoothEdge, Ground: wavyGround}); err == nil {
		t.Error("a plane has no coast")
	}
	one := densityOf(t, []surface.Event{{Lon: 104, Lat: 1, Weight: 1}}, false, surface.Quartic, 4000)
	if _, err := surface.NewSmoothed(one, surface.SmoothedOptions{By: surface.SmoothNone, Ground: wavyGround}); err == nil {
		t.Error("none is no way of smoothing")
	}
	// A Gaussian near the equator and in the far north: one grid for both.
	var events []surface.Event
	for i := range 1900 {
		events = append(events, surface.Event{Lon: 100 + float64(i)*0.01, Lat: 84 * float64(i%2), Weight: 1})
	}
	wide := densityOf(t, events, false, surface.Gaussian, 5000)
	if _, err := surface.NewSmoothed(wide, surface.SmoothedOptions{By: surface.SmoothBarrier, Ground: wavyGround}); err == nil {
		t.Error("too many cells were not refused")
	}
	if _, err := surface.ParseSmoothing("blur"); err == nil {
		t.Error("blur was taken")
	}
	empty := smoothed(t, densityOf(t, nil, false, surface.Quartic, 4000), surface.SmoothEdge)
	if empty.At(104, 1) != 0 || empty.Contributions(104, 1) != nil || empty.Tile(10, 800, 500, 4)[0] != 0 {
		t.Error("no events give something")
	}
}

func BenchmarkSmoothedTile(b *testing.B) {
	r := rand.New(rand.NewPCG(97, 1))
	d := densityOf(b, scattered(r, 200, orb.Point{104, 1.2}, 0.3), false, surface.Quartic, 5000)
	x, y := surface.PixelAt(17, orb.Point{104, 1.2})
	for _, by := range []surface.Smoothing{surface.SmoothEdge, surface.SmoothBarrier} {
		b.Run(string(by)+"/cold", func(b *testing.B) {
			for range b.N {
				smoothed(b, d, by).Tile(17, int(x)&^255, int(y)&^255, 256)
			}
		})
		m := smoothed(b, d, by)
		b.Run(string(by)+"/kept", func(b *testing.B) {
			for range b.N {
				m.Tile(17, int(x)&^255, int(y)&^255, 256)
			}
		})
	}
}
