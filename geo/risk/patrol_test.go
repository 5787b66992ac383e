package risk_test

import (
	"math"
	"testing"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// The report says how much was seen, by whom, and how long receivers were
// silent.
func TestReportOfPatrols(t *testing.T) {
	f := walk(110.2, 110.3, 3, "ID")
	last := len(f.VertexTimes) - 1
	f.VertexTimes[last] = f.VertexTimes[last].Add(45 * 60e9) // a hole of an hour
	f.To = f.VertexTimes[last]
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	b.Add(f)
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), b.Layer()}}, nil)
	x := a.Annex()
	if math.Abs(x.NoDataHours-1) > 1e-9 || x.SilentLegs != 1 || x.SeenKM2 <= 0 || x.SeenUnmergedKM2 <= 0 {
		t.Errorf("%+v", x)
	}
	if len(x.Effort) != 1 || x.Effort[0].Country != "ID" || x.Effort[0].Agency != "A" || math.Abs(x.Effort[0].KM2-x.SeenUnmergedKM2) > 1e-6 {
		t.Errorf("effort %+v, want %g km²", x.Effort, x.SeenUnmergedKM2)
	}
	hours, visible := 0.0, 0
	for _, s := range a.Sections {
		hours += s.NoDataHours
		if s.PercentVisible > 0 {
			visible++
		}
		if math.Abs(s.PercentVisible+s.PercentBlind-100) > 1e-9 {
			t.Errorf("section %s: %g %% visible, %g %% blind", s.ID, s.PercentVisible, s.PercentBlind)
		}
	}
	if math.Abs(hours-1) > 1e-9 || visible == 0 || visible == len(a.Sections) {
		t.Errorf("%g hours of no data, %d sections seen", hours, visible)
	}
}

// Parallel sweeps find more with the same effort.
func TestPODLawOfModel(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	f := walk(110.2, 110.3, 3, "ID")
	f.Properties["sweep_width_m"] = 1000.0
	b.Add(f)
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), b.Layer()}}
	at := f.Geometry.Bound().Center()
	random := assess(t, in, nil).At(at).SearchCoverage
	parallel := assess(t, in, func(m *risk.Model) { m.Coverage.PODLaw = surface.ParallelLaw }).At(at).SearchCoverage
	c := -math.Log1p(-random)
	if math.Abs(parallel-math.Erf(math.Sqrt(math.Pi)/2*c)) > 1e-9 || parallel <= random {
		t.Errorf("coverage %g: %g at random, %g in parallel", c, random, parallel)
	}
}

func TestCoverageModelIsChecked(t *testing.T) {
	if err := risk.DefaultModel().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*surface.CoverageModel){
		"law":     func(c *surface.CoverageModel) { c.PODLaw = "definite" },
		"still":   func(c *surface.CoverageModel) { c.StillM = -1 },
		"fatigue": func(c *surface.CoverageModel) { c.Fatigue = 2 },
		"weather": func(c *surface.CoverageModel) { c.Weather[1].Small = math.NaN() },
		"target":  func(c *surface.CoverageModel) { c.SweepWidths[0].Target = "whale" },
		"terrain": func(c *surface.CoverageModel) { c.SweepWidths[0].Terrain = "moon" },
	} {
		m := risk.DefaultModel()
		change(&m.Coverage)
		if m.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
