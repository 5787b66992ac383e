package risk_test

import (
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// Rivers cross the border every 40 km, and incidents are where they do, but for
// the last two rivers, of which nothing is on record: the hazard is higher there
// than between them.
func TestAccessSeesRivers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var line orb.LineString
	for lon := 109.0; lon <= 113; lon += 0.01 {
		line = append(line, orb.Point{lon, 1.2})
	}
	border := layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: line, Properties: map[string]any{"countries": "IDN-MYS"}})
	var rivers, records []geo.Feature
	var last float64
	for k := range 13 {
		last = 109.2 + 0.2*float64(k)
		rivers = append(rivers, geo.Feature{Geometry: orb.LineString{{last, 0.9}, {last, 1.5}}})
		for range 12 {
			if k < 12 {
				records = append(records, incident(last+0.004*r.NormFloat64(), 1.2+0.05*r.NormFloat64(), now.AddDate(0, 0, -r.IntN(300)),
					map[string]any{"kind": "irr.exit", "discovery": "reported_public"}))
			}
		}
	}
	base := layer(geo.LayerInfo{ID: "rivers", Kind: geo.KindOther, Base: true, Version: 1}, rivers...)
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border, incidents(records...), base}}, nil)
	terms := map[string]float64{}
	for _, term := range a.Access.Terms {
		if term.Of == "rivers" && term.DistanceKM == 0 {
			terms["river"] = term.Coefficient
			if !(term.Coefficient > 2*term.SD && term.SD > 0) {
				t.Errorf("at a river %+v", term)
			}
		}
	}
	if _, fitted := terms["river"]; !fitted {
		t.Fatalf("no term of rivers: %+v", a.Access)
	}
	at, between := a.At(orb.Point{last, 1.2}).Hazard.Mean, a.At(orb.Point{last - 0.08, 1.2}).Hazard.Mean
	if !(at > 2*between) {
		t.Errorf("hazard %.4g at the last river and %.4g between, want more than twice as much", at, between)
	}
	none := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border, incidents(records...)}}, nil)
	for _, term := range none.Access.Terms {
		if term.Of == "rivers" || term.Of == "villages" {
			t.Errorf("a term of what is not there: %+v", term)
		}
	}
}
