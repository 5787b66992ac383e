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

func sumSwept(c *surface.Coverage) (sum float64) {
	c.Cells().Each(func(_ surface.Cell, e *surface.Effort) {
		for _, m2 := range e.SweptM2 {
			sum += m2
		}
	})
	return sum
}

// The brute-force twin: long legs are walked in 20,000 steps along the
// geodesic, each counted in the cell where it is.
func TestLongLegsAgainstSteps(t *testing.T) {
	const seed = 21
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for k := range 12 {
		a := orb.Point{104 + 6*r.Float64(), 1 + 6*r.Float64()}
		if k == 0 {
			a = orb.Point{179.9, 5} // over the dateline
		}
		azimuth, lengthM := r.Float64()*360, 8_000+90_000*r.Float64()
		if k == 0 {
			azimuth = 80
		}
		b, _ := geo.Direct(a, azimuth, lengthM)
		c := cover(trackLayer(track(orb.LineString{a, b}, asOf.Add(-44*time.Hour), 29*time.Minute, map[string]any{"sweep_width_m": 1.0, "country": "MY"})), nil)
		const n = 20_000
		want := map[surface.Cell]float64{}
		for i := range n {
			p, _ := geo.Direct(a, azimuth, (float64(i)+.5)/n*lengthM)
			want[surface.CellAt(p)] += lengthM / n
		}
		if math.Abs(c.LengthM/lengthM-1) > 1e-9 || math.Abs(sumSwept(c)/lengthM-1) > 1e-9 {
			t.Errorf("length %.3f m, swept %.3f, want %.3f", c.LengthM, sumSwept(c), lengthM)
		}
		c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
			if got := e.SweptM2[surface.Malaysia]; math.Abs(got-want[cell]) > 2.5*lengthM/n {
				t.Errorf("leg %d, cell %v: %g m, want %g", k, cell, got, want[cell])
			}
		})
	}
}

// A hole of 40 minutes over 11 km: each cell on the straight way gets its share
// of the time, the cell where it was heard is visited, another is neither.
func TestHolesAreNoData(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	foot := map[string]any{"mode": "foot", "country": "ID"}
	f := geo.Feature{Geometry: orb.LineString{{110.300, 1.004}, {110.302, 1.004}, {110.402, 1.004}}, Properties: foot,
		VertexTimes: []time.Time{day, day.Add(5 * time.Minute), day.Add(45 * time.Minute)}}
	f.From, f.To = f.VertexTimes[0], f.VertexTimes[2]
	c := cover(trackLayer(f), nil)
	sum, cells := 0.0, 0
	c.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
		sum += e.NoDataS
		if e.NoDataLegs == 0 {
			return
		}
		cells++
		b := cell.Bound()
		want := (min(b.Max[0], 110.402) - max(b.Min[0], 110.302)) / 0.1 * 2400
		if e.NoDataLegs != 1 || math.Abs(e.NoDataS-want) > 1 {
			t.Errorf("cell %v: %d legs, %g s, want %g", cell, e.NoDataLegs, e.NoDataS, want)
		}
	})
	if math.Abs(sum-2400) > 1e-6 || c.NoDataS != 2400 || cells < 9 || cells > 11 {
		t.Errorf("%g s in %d cells, %g in all", sum, cells, c.NoDataS)
	}
	if c.SilentLegs != 1 || c.NoDataCells() != cells-1 {
		t.Errorf("%d silent legs, %d cells of no data, want %d", c.SilentLegs, c.NoDataCells(), cells-1)
	}
	for p, want := range map[orb.Point]surface.Knowledge{
		{110.301, 1.004}: surface.Visited, {110.35, 1.004}: surface.NoData, {110.35, 1.104}: surface.Unvisited, {20, 1}: surface.Unvisited,
	} {
		if got := c.Knowledge(surface.CellAt(p)); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
}

// Holes count only as far as they are in the window, a very long one marks at
// most the cells of 200 km, and a jump is a hole as well.
func TestHoleBounds(t *testing.T) {
	foot := map[string]any{"mode": "foot", "country": "ID"}
	begin := asOf.AddDate(0, 0, -30)
	for name, c := range map[string]struct {
		line      orb.LineString
		start     time.Time
		step      time.Duration
		seconds   float64
		low, high int // cells
	}{
		"half in the window": {orb.LineString{{110, 1}, {110.05, 1}}, begin.Add(-time.Hour), 2 * time.Hour, 3600, 5, 7},
		"before the window":  {orb.LineString{{110, 1}, {110.05, 1}}, begin.Add(-3 * time.Hour), 2 * time.Hour, 0, 0, 0},
		"in its place":       {orb.LineString{{110, 1}, {110, 1}}, begin.Add(time.Hour), 2 * time.Hour, 7200, 1, 1},
		"across the world":   {orb.LineString{{100, 1}, {-90, 1}}, begin.Add(time.Hour), 2 * time.Hour, 7200, 150, 360},
		"jump":               {orb.LineString{{110, 1}, {110.05, 1}}, begin.Add(time.Hour), 10 * time.Second, 10, 5, 7},
		"backwards":          {orb.LineString{{110, 1}, {110.05, 1}}, begin.Add(time.Hour), -time.Minute, 0, 5, 7},
	} {
		got := cover(trackLayer(track(c.line, c.start, c.step, foot)), nil)
		if math.Abs(got.NoDataS-c.seconds) > 1e-6 || got.NoDataCells() < c.low || got.NoDataCells() > c.high || sumSwept(got) != 0 {
			t.Errorf("%s: %g s in %d cells, want %g s and %d to %d", name, got.NoDataS, got.NoDataCells(), c.seconds, c.low, c.high)
		}
	}
}

// A patrol that stands still is present and sees its disc, but sweeps nothing;
// with StillM the noise of its receiver adds no track.
func TestStandingStill(t *testing.T) {
	const seed = 3
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	still, noisy := orb.LineString{}, orb.LineString{}
	for range 200 {
		still = append(still, orb.Point{110.35, 1})
		noisy = append(noisy, orb.Point{110.35 + r.Float64()*5e-5, 1 + r.Float64()*5e-5})
	}
	props := map[string]any{"mode": "foot", "country": "MY", "sweep_width_m": 800.0}
	passes := 0
	in := surface.CoverageInputs{AsOf: asOf, Visit: func(surface.Pass) { passes++ }}
	in.Tracks = []*geo.Layer{trackLayer(track(still, day, time.Minute, props))}
	m := surface.DefaultCoverageModel()
	c := surface.NewCoverage(in, m)
	cell := surface.CellAt(still[0])
	if c.LengthM != 0 || sumSwept(c) != 0 || passes != 1 || c.Knowledge(cell) != surface.Visited ||
		c.Cells().At(cell).LastMS[surface.Malaysia] != day.Add(199*time.Minute).UnixMilli() {
		t.Errorf("%g m, %g m², %d passes", c.LengthM, sumSwept(c), passes)
	}
	if got, want := c.TotalSwath().MergedM2, math.Pi*400*400; math.Abs(got/want-1) > 0.02 {
		t.Errorf("a disc of %g m², want %g", got, want)
	}
	in.Tracks = []*geo.Layer{trackLayer(track(noisy, day, time.Minute, props))}
	if c = surface.NewCoverage(in, m); c.LengthM < 100 {
		t.Errorf("noise of %g m", c.LengthM)
	}
	m.StillM = 15
	if c = surface.NewCoverage(in, m); c.LengthM != 0 || sumSwept(c) != 0 {
		t.Errorf("noise of %g m remains", c.LengthM)
	}
}

// A stay is one pass: its presence is one POD, faded by its own age.
func TestStayIsOnePass(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	line := orb.LineString{}
	for i := range 11 {
		line = append(line, orb.Point{110.3535 + float64(i)*2e-4, 1})
	}
	var passes []surface.Pass
	c := surface.NewCoverage(surface.CoverageInputs{AsOf: asOf, Visit: func(p surface.Pass) { passes = append(passes, p) },
		Tracks: []*geo.Layer{trackLayer(track(line, day, time.Minute, map[string]any{"mode": "foot", "country": "ID", "agency": "A"}))}},
		surface.DefaultCoverageModel())
	if len(passes) != 1 {
		t.Fatalf("%d passes in %v", len(passes), passes)
	}
	p := passes[0]
	if p.StartMS != day.UnixMilli() || p.EndMS != day.Add(10*time.Minute).UnixMilli() || p.Agency != "A" ||
		math.Abs(p.LengthM-geo.DistanceM(line[0], line[10])) > 1e-3 || p.LowM2 != p.SweptM2/2 || p.HighM2 != 2*p.SweptM2 {
		t.Errorf("%+v", p)
	}
	age := asOf.Sub(day.Add(10*time.Minute)).Hours() / 24
	want := surface.RandomSearchPOD(p.SweptM2/p.Cell.AreaM2()) * math.Exp2(-age/7)
	if got := c.Cells().At(p.Cell).Presence[0]; math.Abs(got/want-1) > 1e-9 {
		t.Errorf("presence %g, want %g", got, want)
	}
	low, mid, high := c.SearchBand(p.Cell)
	if total, _ := c.Search(p.Cell); mid != total || math.Abs(low-mid/2) > 1e-12 || math.Abs(high-2*mid) > 1e-12 {
		t.Errorf("band %g %g %g", low, mid, high)
	}
}

// Five agencies of two sides in one cell: the sums are those of the sides.
func TestAgenciesAdd(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	line := orb.LineString{{110.3535, 1}, {110.3555, 1}}
	var tracks []geo.Feature
	for i, a := range []string{"A", "B", "C", "D", "E", "F", "A"} {
		country := []string{"ID", "MY"}[i%2]
		tracks = append(tracks, track(line, day, 20*time.Minute, map[string]any{"country": country, "agency": a, "sweep_width_m": 100.0 * float64(i+1)}))
	}
	c := cover(trackLayer(tracks...), nil)
	cell := surface.CellAt(line[0])
	e := c.Cells().At(cell)
	unit := geo.DistanceM(line[0], line[1]) * 100
	want := map[string]float64{"IDA": 8, "IDC": 3, "IDE": 5, "MYB": 2, "MYD": 4, "MYF": 6}
	for _, a := range c.Agencies() {
		if key := a.Side.String() + a.Agency; math.Abs(a.SweptM2/unit-want[key]) > 1e-6 {
			t.Errorf("%s %g, want %g", key, a.SweptM2/unit, want[key])
		}
	}
	inCell := c.AgenciesIn(cell)
	var sums, all [surface.Sides]float64
	for _, a := range inCell {
		sums[a.Side] += a.SweptM2
	}
	for _, a := range c.Agencies() {
		all[a.Side] += a.SweptM2
	}
	for s := range sums {
		if math.Abs(sums[s]-e.SweptM2[s]) > 1e-6 || math.Abs(all[s]-e.SweptM2[s]) > 1e-6 {
			t.Errorf("side %d: %g in the cell, %g in all, want %g", s, sums[s], all[s], e.SweptM2[s])
		}
	}
	if len(inCell) != 6 || len(c.Agencies()) != 6 || inCell[0].Agency != "A" {
		t.Errorf("%+v", inCell)
	}
	if c.AgenciesIn(surface.Cell{}) != nil {
		t.Error("agencies where nobody was")
	}
}

// More agencies than are kept apart add up all the same.
func TestManyAgencies(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	var tracks []geo.Feature
	for i := range 1300 {
		tracks = append(tracks, track(orb.LineString{{110.3535, 1}, {110.3555, 1}}, day, 20*time.Minute,
			map[string]any{"country": "ID", "agency": string(rune(0x4e00 + i)), "mode": "foot"}))
	}
	c := cover(trackLayer(tracks...), nil)
	sum := 0.0
	for _, a := range c.Agencies() {
		sum += a.SweptM2
	}
	list := c.Agencies()
	if math.Abs(sum/sumSwept(c)-1) > 1e-9 || len(list) != 1001 || list[0].Agency != surface.OtherAgencies {
		t.Errorf("%d agencies with %g m², want %g", len(list), sum, sumSwept(c))
	}
}
