package risk_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// coast is a base map where all south of latitude 1 is land, and a river of
// water 600 m wide runs through it along longitude 110.45.
func coast() *geo.Layer {
	box := func(w, s, e, n float64) orb.Ring { return orb.Ring{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}} }
	return layer(geo.LayerInfo{ID: "land", Kind: geo.KindArea, Base: true, Version: 1},
		geo.Feature{Geometry: orb.Polygon{box(109, 0, 110.447, 1)}},
		geo.Feature{Geometry: orb.Polygon{box(110.453, 0, 112, 1)}},
		geo.Feature{Geometry: orb.Polygon{box(109, 2, 109.1, 2.1)}}) // so that the box reaches over the sea
}

func smoothing(s surface.Smoothing) func(*risk.Model) {
	return func(m *risk.Model) { m.Smoothing, m.Hazard.Correction = s, risk.CorrectNone }
}

// sectionSum is what the sections count, in all.
func sectionSum(a *risk.Assessment) (sum float64) {
	for _, s := range a.Sections {
		sum += s.Incidents
	}
	return sum
}

// One incident 1 km off a straight coast: without a mask a part of it lies on
// land, with one nothing does, in no surface, and its weight stays one.
func TestSmoothingKeepsIncidentsAtSea(t *testing.T) {
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{coast(), border(), incidents(incident(110.3, 1.009, now, nil))}}
	onLand, atSea := orb.Point{110.3, 0.985}, orb.Point{110.3, 1.02}
	plain := assess(t, in, uncorrected)
	if plain.At(onLand).Hazard.Mean <= 0 || plain.Smoothing.Rule != surface.SmoothNone || plain.Smoothing.Why == "" {
		t.Fatalf("without a mask: %+v, %+v", plain.At(onLand).Hazard, plain.Smoothing)
	}
	for _, rule := range []surface.Smoothing{surface.SmoothEdge, surface.SmoothBarrier} {
		corrected := assess(t, in, func(m *risk.Model) { m.Smoothing = rule })
		if land, sea := corrected.At(onLand).Hazard.Mean, corrected.At(atSea).Hazard.Mean; !(land < sea/4) {
			t.Errorf("%s, by effort: %g on land, %g at sea", rule, land, sea)
		}
		a := assess(t, in, smoothing(rule))
		if s := a.Annex().Smoothing; s.Rule != rule || s.Asked != rule || s.GridM < 300 || s.GridM > 650 || s.Why == "" {
			t.Errorf("annex %+v", s)
		}
		for _, id := range []string{"density", "hazard"} {
			land, err := a.Value(id, a.DefaultView(), onLand)
			sea, _ := a.Value(id, a.DefaultView(), atSea)
			before, _ := plain.Value(id, plain.DefaultView(), atSea)
			if err != nil || land != 0 || !(sea > 1.2*before) {
				t.Errorf("%s %s: %g on land, %g at sea (%g without a mask), %v", rule, id, land, sea, before, err)
			}
			l := surface.Lattice{Lon0: onLand[0], DLon: 0.001, NX: 1, Lats: []float64{onLand[1], atSea[1]}}
			if raster, err := a.Raster(id, a.DefaultView(), l, 1); err != nil || raster[0] != 0 || math.Abs(raster[1]-sea) > 1e-12*sea {
				t.Errorf("%s: raster %v, value %g, %v", id, raster, sea, err)
			}
		}
		p := a.At(atSea)
		if len(p.Because) == 0 || math.Abs(p.Because[0].Share-1) > 1e-9 || a.At(onLand).Hazard.Mean != 0 {
			t.Errorf("explained by %+v", p.Because)
		}
		if v, _ := a.Value("hazard", a.DefaultView(), atSea); math.Abs(p.Hazard.Mean-v) > 1e-9*v {
			t.Errorf("explained %g, value %g", p.Hazard.Mean, v)
		}
		if sum := sectionSum(a); math.Abs(sum-1) > 1e-6 {
			t.Errorf("%s: the sections count %g of one incident", rule, sum)
		}
		if reflect.DeepEqual(a.HazardTile(15, 26400, 16290, 64), plain.HazardTile(15, 26400, 16290, 64)) || a.Version == plain.Version {
			t.Error("the tile or the version is the same with a mask")
		}
		risky := a.RiskTile(18, 211340, 130328, 256)
		if again := assess(t, in, smoothing(rule)).RiskTile(18, 211340, 130328, 256); !sameValues(risky, again) {
			t.Error("the same inputs give another tile")
		}
	}
}

func sameValues(a, b []float64) bool {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// A kernel reaches over a river to the land behind it, a path does not.
func TestBarrierStopsAtARiver(t *testing.T) {
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{coast(), border(), incidents(incident(110.43, 0.9, now, nil))}}
	behind := orb.Point{110.465, 0.9}
	edge, barrier := assess(t, in, smoothing(surface.SmoothEdge)), assess(t, in, smoothing(surface.SmoothBarrier))
	e, _ := edge.Value("density", edge.DefaultView(), behind)
	b, _ := barrier.Value("density", barrier.DefaultView(), behind)
	if !(e > 0) || b != 0 {
		t.Errorf("behind the river: edge %g, barrier %g", e, b)
	}
}

// What cannot be had falls back and says why; a view that costs too much is
// refused before any work.
func TestSmoothingFallsBack(t *testing.T) {
	one := incidents(incident(110.3, 1.009, now, nil))
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), one}}, smoothing(surface.SmoothEdge))
	if s := a.Smoothing; s.Rule != surface.SmoothNone || s.Asked != surface.SmoothEdge || !strings.Contains(s.Why, "layer land is not here") {
		t.Errorf("%+v", s)
	}
	const seed = 71
	r := rand.New(rand.NewPCG(seed, 1))
	var many []geo.Feature
	for i := range 60_000 {
		lat := 1.5 * r.Float64()
		if i%2 == 0 {
			lat = 84 + 0.5*r.Float64() // where the cells of a grid made for the equator are tiny
		}
		many = append(many, incident(109+3*r.Float64(), lat, now, nil))
	}
	a = assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{coast(), border(), incidents(many...)}}, smoothing(surface.SmoothBarrier))
	if s := a.Smoothing; s.Rule != surface.SmoothEdge || !strings.Contains(s.Why, "would visit") {
		t.Errorf("seed %d: %+v", seed, s)
	}
	v := a.DefaultView()
	v.BandwidthM = 4800 // on a grid of half the cells
	if err := a.CheckView(v); err == nil || !strings.Contains(err.Error(), "too much work") {
		t.Errorf("seed %d: a view on a finer grid: %v", seed, err)
	}
	if err := a.CheckView(a.DefaultView()); err != nil {
		t.Error(err)
	}
}

// Incidents in one place get narrower kernels than lone ones, the report says
// how narrow, and nothing is lost, with a mask or without.
func TestAdaptiveBandwidths(t *testing.T) {
	var features []geo.Feature
	for i := range 30 {
		features = append(features, incident(110.2+0.001*float64(i%6), 1.05+0.001*float64(i/6), now, nil))
	}
	features = append(features, incident(110.6, 1.1, now, nil), incident(110.75, 0.95, now, nil))
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{coast(), border(), incidents(features...)}}
	fixed := assess(t, in, nil)
	for _, rule := range []surface.Smoothing{surface.SmoothNone, surface.SmoothEdge} {
		a := assess(t, in, func(m *risk.Model) { m.AdaptiveBandwidth, m.Smoothing = true, rule })
		s := a.Annex().Smoothing
		if !s.Adaptive || s.LeastBandwidthM < 5000/3.0-1e-6 || s.LeastBandwidthM > 4900 || s.MostBandwidthM < 5500 || s.MostBandwidthM > 15000+1e-6 {
			t.Fatalf("%+v", s)
		}
		crowd, lone := orb.Point{110.2025, 1.052}, orb.Point{110.6, 1.1}
		if a.At(crowd).Density <= 1.1*fixed.At(crowd).Density || a.At(lone).Density >= 0.8*fixed.At(lone).Density {
			t.Errorf("%s: crowd %g, fixed %g; lone %g, fixed %g", rule, a.At(crowd).Density, fixed.At(crowd).Density, a.At(lone).Density, fixed.At(lone).Density)
		}
		// 300 km round all of it: Σ density · area.
		const level, n = 14, 128
		x, y := surface.PixelAt(level, orb.Point{110.45, 1})
		px, py := int(x)-n/2, int(y)-n/2
		sum := 0.0
		for i, v := range a.DensityTile(a.DefaultView(), level, px, py, n) {
			c := surface.Cell{X: int32(px+i%n) * 2, Y: int32(py+i/n) * 2}
			b := c.Bound().Union(surface.Cell{X: c.X + 1, Y: c.Y + 1}.Bound())
			sum += v / 1e6 * geo.CellAreaM2(b)
		}
		if math.Abs(sum-32) > 0.002*32 {
			t.Errorf("%s: the tile holds %g of 32 incidents", rule, sum)
		}
		p, shares := a.At(crowd), 0.0
		for _, b := range p.Because {
			shares += b.Share
		}
		v, _ := a.Value("hazard", a.DefaultView(), crowd)
		if math.Abs(shares-1) > 1e-9 || math.Abs(p.Hazard.Mean-v) > 1e-9*v {
			t.Errorf("%s: shares %g; explained %g, value %g", rule, shares, p.Hazard.Mean, v)
		}
	}
	if s := fixed.Annex().Smoothing; s.Adaptive || s.LeastBandwidthM != 5000 || s.MostBandwidthM != 5000 {
		t.Errorf("fixed: %+v", s)
	}
}

// So many incidents that each view would take seconds keep one bandwidth, and
// the report says so.
func TestTooManyToAdapt(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident, Version: 1})
	for i := range 300_001 {
		b.Add(incident(110+0.001*float64(i%500), 1+0.001*float64(i/1000), now, nil))
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{b.Layer()}}, func(m *risk.Model) { m.AdaptiveBandwidth = true })
	if s := a.Smoothing; s.Adaptive || s.MostBandwidthM != 5000 || s.WhyNotAdaptive != "300001 incidents are more than 300000" {
		t.Errorf("%+v", s)
	}
}

func TestSmoothingParametersAreChecked(t *testing.T) {
	for _, change := range []func(*risk.Model){
		smoothing("blur"),
		func(m *risk.Model) { m.HotSpots.CellLevel = 16 },
		func(m *risk.Model) { m.HotSpots.CellLevel = 7 },
		func(m *risk.Model) { m.HotSpots.BandM = math.NaN() },
		func(m *risk.Model) { m.HotSpots.BandM = 1e7 },
		func(m *risk.Model) { m.HotSpots.LeastIncidents = -1 },
	} {
		m := risk.DefaultModel()
		change(&m)
		if m.Validate() == nil {
			t.Errorf("taken: smoothing %q, %+v", m.Smoothing, m.HotSpots)
		}
	}
	m := risk.DefaultModel()
	m.Smoothing = ""
	if err := m.Validate(); err != nil {
		t.Errorf("a model of an earlier version: %v", err)
	}
}
