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

var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC) // at 110° east

// timed makes a track of fixes at so many seconds from noon.
func timed(line orb.LineString, seconds ...int) geo.Feature {
	f := track(line, noon, 0, map[string]any{"country": "ID", "sweep_width_m": 100.0})
	for i, s := range seconds {
		f.VertexTimes[i] = noon.Add(time.Duration(s) * time.Second)
	}
	f.From, f.To = f.VertexTimes[0], f.VertexTimes[len(line)-1]
	return f
}

// What becomes of tracks that no patrol can have made, or that hardly are any.
func TestBadTracks(t *testing.T) {
	a, b, c := orb.Point{110.30, 1.004}, orb.Point{110.302, 1.004}, orb.Point{110.304, 1.004}
	far := orb.Point{114.80, 1.004} // 500 km
	ab, bc := geo.DistanceM(a, b), geo.DistanceM(b, c)
	for name, k := range map[string]struct {
		f             geo.Feature
		lengthM       float64
		silent, jumps int
		noDataS       float64
		seen          []orb.Point // where a patrol was
		unknown       []orb.Point // where one may have been
	}{
		"one vertex":          {timed(orb.LineString{a}, 0), 0, 0, 0, 0, []orb.Point{a}, nil},
		"one vertex in time":  {timed(orb.LineString{a, b}, 0, 9e5), 0, 0, 0, 0, []orb.Point{a}, nil},
		"no vertex in time":   {timed(orb.LineString{a, b}, 8e5, 9e5), 0, 0, 0, 0, nil, nil},
		"stands still":        {timed(orb.LineString{a, a, a}, 0, 60, 120), 0, 0, 0, 0, []orb.Point{a}, nil},
		"zero-length legs":    {timed(orb.LineString{a, a, b, b, c}, 0, 60, 120, 180, 240), ab + bc, 0, 0, 0, []orb.Point{a, c}, nil},
		"two fixes at once":   {timed(orb.LineString{a, {110.3004, 1.004}}, 0, 0), geo.DistanceM(a, orb.Point{110.3004, 1.004}), 0, 0, 0, []orb.Point{a}, nil},
		"two places at once":  {timed(orb.LineString{a, b}, 0, 0), 0, 0, 1, 0, nil, []orb.Point{a}},
		"back in time":        {timed(orb.LineString{a, b, c}, 0, 600, 60), ab, 1, 0, 0, []orb.Point{a}, nil},
		"a fix in the future": {timed(orb.LineString{a, far, b}, 0, 9e5, 600), ab, 0, 0, 0, []orb.Point{a}, nil},
		"jumps 500 km":        {timed(orb.LineString{a, b, far}, 0, 600, 660), ab, 0, 1, 60, []orb.Point{a}, []orb.Point{far}},
		"jumps and returns":   {timed(orb.LineString{a, far, a, b}, 0, 60, 120, 720), ab, 0, 2, 120, []orb.Point{a}, []orb.Point{far}},
		"too fast by far":     {timed(orb.LineString{a, {-70, 1}, {20, -80}, {179, 85}}, 0, 1, 2, 3), 0, 0, 3, 3, nil, []orb.Point{a}},
		"silent for days":     {timed(orb.LineString{a, c}, -400_000, 0), 0, 1, 0, 400_000, nil, []orb.Point{a, c}},
		"over the dateline":   {timed(orb.LineString{{179.99, 1}, {-179.99, 1}}, 0, 600), geo.DistanceM(orb.Point{179.99, 1}, orb.Point{-179.99, 1}), 0, 0, 0, []orb.Point{{179.995, 1}, {-179.995, 1}}, nil},
		"jumps over it":       {timed(orb.LineString{{179.5, 1}, {-179.5, 1}}, 0, 60), 0, 0, 1, 60, nil, []orb.Point{{179.9, 1}, {-179.9, 1}}},
	} {
		got := cover(trackLayer(k.f), nil)
		if math.Abs(got.LengthM-k.lengthM) > 1e-3 || math.Abs(sumSwept(got)-100*k.lengthM) > 0.1 {
			t.Errorf("%s: %g m long, %g m² swept, want %g m", name, got.LengthM, sumSwept(got), k.lengthM)
		}
		if got.SilentLegs != k.silent || got.Jumps != k.jumps || got.Untimed != 0 || math.Abs(got.NoDataS-k.noDataS) > 1e-6 {
			t.Errorf("%s: %d silent, %d jumps, %d untimed, %g s no data", name, got.SilentLegs, got.Jumps, got.Untimed, got.NoDataS)
		}
		for want, places := range map[surface.Knowledge][]orb.Point{surface.Visited: k.seen, surface.NoData: k.unknown, surface.Unvisited: {{50, 50}}} {
			for _, p := range places {
				if is := got.Knowledge(surface.CellAt(p)); is != want {
					t.Errorf("%s: %v is %d, want %d", name, p, is, want)
				}
			}
		}
		if n := got.NoDataCells(); n > 3*360 && name != "too fast by far" { // cells are small in the far south
			t.Errorf("%s: %d cells of no data", name, n)
		}
	}
}

// A place with a time is a patrol that stood there: for as long as it says, and
// not after AsOf.
func TestStays(t *testing.T) {
	at := orb.Point{110.35, 1}
	for name, c := range map[string]struct {
		from, to      time.Time
		hours, passes int
	}{
		"one fix":      {noon, noon, 0, 1},
		"ten hours":    {noon, noon.Add(10 * time.Hour), 10, 2},
		"has no end":   {noon, geo.OpenEnd(), 44, 8},
		"in the past":  {noon.AddDate(-1, 0, 0), noon.AddDate(-1, 0, 1), 0, 0},
		"always there": {geo.OpenStart(), geo.OpenEnd(), 30 * 24, 120},
		"later":        {asOf.Add(time.Hour), asOf.Add(2 * time.Hour), 0, 0},
		"not dated":    {time.Time{}, time.Time{}, 0, 0},
	} {
		var ms int64
		passes := 0
		got := surface.NewCoverage(surface.CoverageInputs{AsOf: asOf, Visit: func(p surface.Pass) {
			passes++
			ms += p.EndMS - p.StartMS
			if p.Cell != surface.CellAt(at) || p.SweptM2 != 0 {
				t.Errorf("%s: %+v", name, p)
			}
		}, Tracks: []*geo.Layer{trackLayer(geo.Feature{Geometry: at, From: c.from, To: c.to, Properties: map[string]any{"country": "MY", "mode": "fixed"}})}}, surface.DefaultCoverageModel())
		if hours := float64(ms) / 3.6e6; hours < float64(c.hours) || hours > float64(c.hours+6) || passes < c.passes || passes > c.passes+1 {
			t.Errorf("%s: %g hours in %d passes, want %d in %d", name, hours, passes, c.hours, c.passes)
		}
		if unvisited := got.Cells().At(surface.CellAt(at)).LastMS[surface.Malaysia] == 0; unvisited != (name == "later" || name == "not dated") || got.LengthM != 0 {
			t.Errorf("%s: %+v", name, got.Cells().At(surface.CellAt(at)))
		}
		if untimed := got.Untimed == 1; untimed != (name == "not dated") {
			t.Errorf("%s: %d untimed", name, got.Untimed)
		}
	}
}

// A million fixes at one place are a stay of eleven days, in passes of six
// hours, and its disc is seen once.
func TestMillionFixesAtOnePlace(t *testing.T) {
	line := make(orb.LineString, 1_000_000)
	for i := range line {
		line[i] = orb.Point{110.35, 1}
	}
	passes := 0
	c := surface.NewCoverage(surface.CoverageInputs{AsOf: asOf, Visit: func(surface.Pass) { passes++ },
		Tracks: []*geo.Layer{trackLayer(track(line, asOf.AddDate(0, 0, -12), time.Second, map[string]any{"sweep_width_m": 800.0}))}}, surface.DefaultCoverageModel())
	if c.LengthM != 0 || sumSwept(c) != 0 || passes != 47 || c.NoDataS != 0 {
		t.Errorf("%g m, %g m², %d passes, %g s no data", c.LengthM, sumSwept(c), passes, c.NoDataS)
	}
	if got, want := c.TotalSwath().MergedM2, math.Pi*400*400; math.Abs(got/want-1) > 0.02 {
		t.Errorf("a disc of %g m², want %g", got, want)
	}
}

// Whatever the fixes, what is swept is the length that counts times the width,
// nothing is negative or NaN, and no leg is lost.
func TestWildTracks(t *testing.T) {
	const seed = 17
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 40 {
		n := 2 + r.IntN(40)
		line, seconds := make(orb.LineString, n), make([]int, n)
		for i := range n {
			if line[i] = (orb.Point{r.Float64()*360 - 180, r.Float64()*180 - 90}); i > 0 && r.IntN(4) > 0 {
				p, size := line[i-1], math.Pow(10, -5*r.Float64())
				line[i] = orb.Point{max(-180, min(180, p[0]+size*(r.Float64()-.5))), max(-90, min(90, p[1]+size*(r.Float64()-.5)))}
			}
			if i > 0 {
				seconds[i] = seconds[i-1] + r.IntN(3000) - 300
			}
		}
		c := cover(trackLayer(timed(line, seconds...)), nil)
		legs := c.SilentLegs + c.Jumps
		if legs > n-1 || math.Abs(sumSwept(c)-100*c.LengthM) > 1e-9*max(1, c.LengthM)*100 {
			t.Errorf("%v at %v: %d of %d legs left out, %g m², %g m", line, seconds, legs, n-1, sumSwept(c), c.LengthM)
		}
		noDataS := 0.0
		c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
			noDataS += e.NoDataS
			if !(e.SweptM2[0] >= 0 && e.NoDataS >= 0 && e.Presence[0] >= 0 && e.LowM2 >= 0) {
				t.Fatalf("%v: %+v", cell, e)
			}
		})
		if s := c.TotalSwath(); !(s.MergedM2 >= 0) || s.MergedM2 > s.AreaM2*(1+1e-9) || noDataS > c.NoDataS*(1+1e-9) {
			t.Errorf("%v at %v: %+v, %g s of %g", line, seconds, s, noDataS, c.NoDataS)
		}
	}
}
