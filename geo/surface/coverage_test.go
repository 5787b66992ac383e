package surface_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

var asOf = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// trackLayer makes one patrol layer; each track has a fix every step.
func trackLayer(tracks ...geo.Feature) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	for _, f := range tracks {
		b.Add(f)
	}
	return b.Layer()
}

func track(line orb.LineString, start time.Time, step time.Duration, props map[string]any) geo.Feature {
	f := geo.Feature{Geometry: line, Properties: props}
	for i := range line {
		f.VertexTimes = append(f.VertexTimes, start.Add(time.Duration(i)*step))
	}
	f.From, f.To = f.VertexTimes[0], f.VertexTimes[len(line)-1]
	return f
}

func cover(tracks, posts *geo.Layer) *surface.Coverage {
	in := surface.CoverageInputs{AsOf: asOf}
	if tracks != nil {
		in.Tracks = []*geo.Layer{tracks}
	}
	if posts != nil {
		in.Posts = []*geo.Layer{posts}
	}
	return surface.NewCoverage(in, surface.DefaultCoverageModel())
}

// One day patrol on foot along 2 km: Z = 100 m · 2 km, shared out over the
// cells that it passes, each with the length that lies in it.
func TestCoverageOfOneTrack(t *testing.T) {
	line := orb.LineString{{110.301, 1.004}, {110.31, 1.004}, {110.319, 1.004}}
	noon := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	c := cover(trackLayer(track(line, noon, 10*time.Minute, map[string]any{"mode": "foot", "country": "ID"})), nil)
	want := 0.0
	for i := 1; i < len(line); i++ {
		want += geo.DistanceM(line[i-1], line[i])
	}
	if math.Abs(c.LengthM-want) > 0.01 {
		t.Errorf("length %g m, want %g", c.LengthM, want)
	}
	swept, cells := 0.0, 0
	c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
		if e.SweptM2[surface.Indonesia] == 0 {
			return
		}
		cells++
		swept += e.SweptM2[surface.Indonesia]
		b := cell.Bound()
		// By hand: the part of the parallel inside the cell.
		inside := min(b.Max[0], 110.319) - max(b.Min[0], 110.301)
		lonM, _ := geo.MetresPerDegree(1.004)
		if got := e.SweptM2[surface.Indonesia] / 100; math.Abs(got-inside*lonM) > 0.05 {
			t.Errorf("cell %v: %g m of track, want %g", cell, got, inside*lonM)
		}
		if e.SweptM2[surface.Malaysia] != 0 || e.LastMS[surface.Indonesia] == 0 {
			t.Errorf("cell %v: %+v", cell, e)
		}
	})
	if cells != 3 || math.Abs(swept-100*want) > 1 {
		t.Errorf("%d cells, %g m² swept, want %g", cells, swept, 100*want)
	}
}

// The brute-force twin: a thousand short steps, each counted where it is.
func TestCoverageAgainstSteps(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 7))
	for range 40 {
		a := orb.Point{104 + r.Float64(), 1 + r.Float64()}
		b := orb.Point{a[0] + (r.Float64()-.5)*.08, a[1] + (r.Float64()-.5)*.08}
		c := cover(trackLayer(track(orb.LineString{a, b}, asOf.Add(-48*time.Hour).Add(4*time.Hour), 20*time.Minute, map[string]any{"sweep_width_m": 1.0, "country": "MY"})), nil)
		want := map[surface.Cell]float64{}
		const n = 5000
		at := func(k int) orb.Point {
			f := float64(k) / n
			return orb.Point{a[0] + f*(b[0]-a[0]), a[1] + f*(b[1]-a[1])}
		}
		total := 0.0
		for k := range n {
			m := geo.LocalDistanceM(at(k), at(k+1))
			p, q := at(k), at(k+1)
			want[surface.CellAt(orb.Point{(p[0] + q[0]) / 2, (p[1] + q[1]) / 2})] += m
			total += m
		}
		sum := 0.0
		c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
			got := e.SweptM2[surface.Malaysia]
			sum += got
			if math.Abs(got-want[cell]) > 3*total/n {
				t.Errorf("cell %v: %g m, want %g", cell, got, want[cell])
			}
		})
		if math.Abs(sum-total) > 1e-5*total {
			t.Errorf("sum %g, want %g", sum, total)
		}
	}
}

// Holes and jumps are no data; what is after AsOf or before the window does
// not count; night halves a foot patrol; untimed tracks have no part.
func TestCoverageLeavesOut(t *testing.T) {
	line := orb.LineString{{110.30, 1}, {110.31, 1}}
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC) // 11 h local
	foot := map[string]any{"mode": "foot", "country": "ID"}
	swept := func(f geo.Feature) float64 {
		sum := 0.0
		cover(trackLayer(f), nil).Cells().Each(func(_ surface.Cell, e *surface.Effort) { sum += e.SweptM2[surface.Indonesia] })
		return sum
	}
	full := swept(track(line, day, 20*time.Minute, foot))
	if full <= 0 {
		t.Fatal("nothing swept")
	}
	for name, c := range map[string]struct {
		f    geo.Feature
		want float64
	}{
		"silence":       {track(line, day, 40*time.Minute, foot), 0},
		"jump":          {track(line, day, time.Second, foot), 0},
		"stands still":  {track(orb.LineString{{110.3, 1}, {110.3, 1}}, day, time.Minute, foot), 0},
		"backwards":     {track(line, day, -time.Minute, foot), 0},
		"future":        {track(line, asOf.Add(time.Hour), 20*time.Minute, foot), 0},
		"before window": {track(line, day.AddDate(0, 0, -40), 20*time.Minute, foot), 0},
		"night":         {track(line, day.Add(12*time.Hour), 20*time.Minute, foot), full / 2},
		"untimed":       {geo.Feature{Geometry: line, Properties: foot}, 0},
		"own width":     {track(line, day, 20*time.Minute, map[string]any{"mode": "foot", "country": "ID", "sweep_width_m": 300.0}), 3 * full},
	} {
		if got := swept(c.f); math.Abs(got-c.want) > 1e-6*full {
			t.Errorf("%s: %g m², want %g", name, got, c.want)
		}
	}
	c := cover(trackLayer(track(line, day, 40*time.Minute, foot), track(line, day, time.Second, foot), geo.Feature{Geometry: line}), nil)
	if c.SilentLegs != 1 || c.Jumps != 1 || c.Untimed != 1 || c.Tracks != 3 {
		t.Errorf("counted %+v", c)
	}
}

// A post sweeps its disc once an hour.
func TestCoverageOfPost(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "posts", Kind: geo.KindPost})
	b.Add(geo.Feature{Geometry: orb.Point{110.35, 1.0}, From: asOf.AddDate(0, 0, -10), To: asOf, Properties: map[string]any{"country": "MY", "radius_m": 5000.0}})
	c := cover(nil, b.Layer())
	sum := 0.0
	c.Cells().Each(func(_ surface.Cell, e *surface.Effort) { sum += e.SweptM2[surface.Malaysia] })
	want := math.Pi * 25e6 * 240
	if math.Abs(sum/want-1) > 0.01 {
		t.Errorf("%g m² in ten days, want %g", sum, want)
	}
	closed := cover(nil, postLayer(geo.Feature{Geometry: orb.Point{110.35, 1.0}, From: geo.OpenStart(), To: asOf.AddDate(0, 0, -20), Properties: map[string]any{"country": "MY", "radius_m": 5000.0}}))
	if got := sumSwept(closed); math.Abs(got/want-1) > 0.01 {
		t.Errorf("%g m² until it closed, want %g", got, want)
	}
	total, bySide := c.Search(surface.CellAt(orb.Point{110.35, 1.0}))
	if math.Abs(total-240) > 1 || bySide[surface.Malaysia] != total {
		t.Errorf("the cell of the post is covered %g times", total)
	}
}

func TestCells(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 1000 {
		p := orb.Point{r.Float64()*360 - 180, r.Float64()*160 - 80}
		c := surface.CellAt(p)
		if !c.Bound().Contains(p) || surface.CellAt(c.Center()) != c {
			t.Fatalf("%v: cell %v with %v", p, c, c.Bound())
		}
	}
	f := surface.NewField[int]()
	c := surface.CellAt(orb.Point{110, 1})
	*f.Ref(c) = 5
	if f.At(c) != 5 || f.At(surface.Cell{X: c.X + 1, Y: c.Y}) != 0 || len(f.Blocks()) != 1 {
		t.Error("a field does not keep its value")
	}
	n := 0
	f.Each(func(at surface.Cell, v *int) {
		if *v != 0 {
			n++
			if at != c {
				t.Errorf("value at %v, want %v", at, c)
			}
		}
	})
	if n != 1 {
		t.Errorf("%d values", n)
	}
}

func BenchmarkCoverage(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	line := orb.LineString{{110, 1}}
	for range 99_999 {
		last := line[len(line)-1]
		line = append(line, orb.Point{last[0] + (r.Float64()-.5)*.004, last[1] + (r.Float64()-.5)*.004})
	}
	tracks := trackLayer(track(line, asOf.AddDate(0, 0, -20), 10*time.Second, map[string]any{"mode": "foot", "country": "ID"}))
	b.ResetTimer()
	for b.Loop() {
		cover(tracks, nil)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "vertices/s")
}

// Spread effort is the same in all cells of a block, and as much in all.
func TestSpreadEffort(t *testing.T) {
	line := orb.LineString{{110.301, 1.004}, {110.34, 1.004}, {110.38, 1.004}}
	l := trackLayer(track(line, asOf.AddDate(0, 0, -2), 10*time.Minute, map[string]any{"mode": "vehicle", "country": "ID"}))
	exact := cover(l, nil)
	spread := surface.NewCoverage(surface.CoverageInputs{Tracks: []*geo.Layer{l}, AsOf: asOf, Spread: func(*geo.Layer) bool { return true }},
		surface.DefaultCoverageModel())
	sum := func(c *surface.Coverage) (m2 float64) {
		c.Cells().Each(func(_ surface.Cell, e *surface.Effort) {
			for _, v := range e.SweptM2 {
				m2 += v
			}
		})
		return m2
	}
	if a, b := sum(exact), sum(spread); !(a > 0) || math.Abs(a-b) > 1e-9*a {
		t.Errorf("%g m² exactly, %g spread", a, b)
	}
	blocks := map[surface.Cell]float64{}
	spread.Cells().Each(func(c surface.Cell, e *surface.Effort) {
		v := e.SweptM2[surface.Indonesia]
		if v == 0 {
			return
		}
		b := surface.Cell{X: c.X / surface.SpreadSide, Y: c.Y / surface.SpreadSide}
		if first, seen := blocks[b]; seen && math.Abs(first-v) > 1e-9*v {
			t.Errorf("cells of one block have %g and %g m²", first, v)
		}
		blocks[b] = v
	})
	if len(blocks) < 2 {
		t.Errorf("%d blocks", len(blocks))
	}
}
