package risk_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// longBorder is 1,000 km along latitude 1: 40 × 50 cells of 24 km² and more.
func longBorder() *geo.Layer {
	return layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: orb.LineString{{105, 1}, {114, 1}}, Properties: map[string]any{"countries": "IDN-MYS"}})
}

// somewhere is a place within 20 km of the long border.
func somewhere(r *rand.Rand) orb.Point {
	return orb.Point{105.1 + 8.8*r.Float64(), 0.82 + 0.36*r.Float64()}
}

func incidentsAt(version int64, places ...orb.Point) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident, Version: version})
	for _, p := range places {
		b.Add(incident(p[0], p[1], now, nil))
	}
	return b.Layer()
}

// Thirty incidents in one place among fifty all along: hot there, and the
// numbers are those of a count by hand.
func TestHotSpotIsFound(t *testing.T) {
	const seed = 81
	r := rand.New(rand.NewPCG(seed, 1))
	var places []orb.Point
	for range 50 {
		places = append(places, somewhere(r))
	}
	centre := orb.Point{110.5, 1}
	for range 30 {
		places = append(places, orb.Point{centre[0] + 0.03*r.NormFloat64(), centre[1] + 0.03*r.NormFloat64()})
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{longBorder(), incidentsAt(1, places...)}}, nil)
	h := a.HotSpotAt(centre)
	if h.Class != risk.Hot99 || !h.Significant || h.Z < 5 || h.P > 1e-6 || h.InDomain != 80 || h.Why != "" {
		t.Fatalf("seed %d: %+v", seed, h)
	}
	// By hand: incidents in cells whose centre is within the band, cells 4.9 km wide.
	cellOf := func(p orb.Point) orb.Point {
		x, y := surface.PixelAt(13, p)
		l := surface.TileLattice(13, int(x), int(y), 1)
		return orb.Point{l.Lon0, l.Lats[0]}
	}
	inBand := 0.0
	for _, p := range places {
		if geo.LocalDistanceM(cellOf(centre), cellOf(p)) <= 25_000 {
			inBand++
		}
	}
	// 25 km on each side of 1,002 km, and round both ends, in cells of 23.8 km².
	if cells := (1002*50 + math.Pi*25*25) / 23.77; math.Abs(float64(h.Cells)-cells) > 0.03*cells {
		t.Errorf("%d cells in the domain, want about %.0f", h.Cells, cells)
	}
	expected := 80 / float64(h.Cells) * float64(h.CellsInBand)
	if h.Incidents != inBand || math.Abs(h.Expected-expected) > 1e-12 || math.Abs(h.CellM-4891.97) > 0.01 || h.BandM != 25_000 {
		t.Errorf("seed %d: %+v; by hand %g in the band, %g expected", seed, h, inBand, expected)
	}
	if far := a.HotSpotAt(orb.Point{106, 1}); far.Class != risk.NotSignificant || far.Significant {
		t.Errorf("far away: %+v", far)
	}
	if out := a.HotSpotAt(orb.Point{110.5, 3}); out.Class != "" || out.Z != 0 {
		t.Errorf("outside: %+v", out)
	}
	classes := []risk.HotSpotClass{risk.Hot99, risk.NotSignificant}
	x, y := surface.PixelAt(15, centre)
	if tile := a.HotSpotTile(classes, 15, int(x), int(y), 4); tile[0] != 1 {
		t.Errorf("the tile has %v", tile)
	}
	l := surface.Lattice{Lon0: 106, DLon: 4.5, NX: 2, Lats: []float64{1, 3}}
	raster, err := a.Raster("hotspots", a.DefaultView(), l, 1)
	if err != nil || raster[0] != 0 || raster[1] != 3 || !math.IsNaN(raster[3]) {
		t.Errorf("raster %v, %v", raster, err)
	}
}

// Incidents thrown at random have no hot spots but in a few maps of a hundred,
// however few they are: the scores alone would find some in most.
func TestHotSpotsOfChance(t *testing.T) {
	const seed, maps = 82, 50
	r := rand.New(rand.NewPCG(seed, 1))
	for _, n := range []int{30, 60, 300} {
		wrong := 0
		var before *risk.Assessment
		for k := range maps {
			var places []orb.Point
			for range n {
				places = append(places, somewhere(r))
			}
			a := assess(t, risk.Inputs{AsOf: now, Previous: before, Layers: []*geo.Layer{longBorder(), incidentsAt(int64(1+k), places...)}}, nil)
			before = a
			found := false
			for lon := 105.0; lon < 114; lon += 0.04 {
				for _, lat := range []float64{0.85, 0.95, 1, 1.05, 1.15} {
					found = found || a.HotSpotAt(orb.Point{lon, lat}).Significant
				}
			}
			if found {
				wrong++
			}
		}
		if wrong > maps/10 {
			t.Errorf("seed %d: %d incidents at random have hot spots in %d of %d maps", seed, n, wrong, maps)
		}
	}
}

// What is not enough is said, not shown: few incidents, old ones, ones whose
// place is not known, a domain that is too large.
func TestHotSpotsNeedData(t *testing.T) {
	const seed = 83
	r := rand.New(rand.NewPCG(seed, 1))
	var few, old, rough []geo.Feature
	for range 29 {
		p := somewhere(r)
		few = append(few, incident(p[0], p[1], now, nil))
	}
	p := somewhere(r)
	old = append(slices.Clone(few), incident(p[0], p[1], now.AddDate(-5, 0, 0), nil))
	rough = append(slices.Clone(few), incident(p[0], p[1], now, map[string]any{"kind": "irr.exit", "location_precision_m": 30_000.0}))
	enough := append(slices.Clone(few), incident(p[0], p[1], now, nil))
	for name, c := range map[string]struct {
		features []geo.Feature
		change   func(*risk.Model)
		want     risk.HotSpotClass
	}{
		"29":               {few, nil, risk.NotEnoughData},
		"29 and an old":    {old, nil, risk.NotEnoughData},
		"29 and a rough":   {rough, nil, risk.NotEnoughData},
		"30":               {enough, nil, risk.NotSignificant},
		"30 by severity":   {enough, func(m *risk.Model) { m.SeverityWeighted = true }, risk.NotSignificant},
		"29, when allowed": {few, func(m *risk.Model) { m.HotSpots.LeastIncidents = 0 }, risk.NotSignificant},
		"none":             {nil, nil, risk.NotEnoughData},
		"none, allowed":    {nil, func(m *risk.Model) { m.HotSpots.LeastIncidents = 0 }, risk.NotSignificant},
	} {
		a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{longBorder(), incidents(c.features...)}}, c.change)
		h := a.HotSpotAt(orb.Point{105.5, 1})
		if h.Class != c.want || (h.Why == "") != (c.want != risk.NotEnoughData) || h.Significant {
			t.Errorf("seed %d: %s: %+v", seed, name, h)
		}
	}
	if h := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{incidents(enough...)}}, nil).HotSpotAt(p); h.Class != "" || h.Why == "" {
		t.Errorf("without a border: %+v", h)
	}
	world := layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: orb.LineString{{-179, -60}, {-178.9, -60}}, Properties: map[string]any{"countries": "IDN-MYS"}},
		geo.Feature{Geometry: orb.LineString{{178, 60}, {178.1, 60}}, Properties: map[string]any{"countries": "IDN-MYS"}})
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{world, incidents(enough...)}}, nil)
	if h := a.HotSpotAt(orb.Point{178, 60}); h.Why == "" || h.Significant {
		t.Errorf("round the world: %+v", h)
	}
}
