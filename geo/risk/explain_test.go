package risk_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// Any place taken apart adds up again: shares to the hazard, and what each
// reason adds to the residual risk.
func TestReasonsAddUp(t *testing.T) {
	in := twoDistricts(20, 10)
	post := layer(geo.LayerInfo{ID: "posts", Kind: geo.KindPost, Version: 1}, geo.Feature{Geometry: orb.Point{111, 1.2}, From: now.AddDate(0, -1, 0), To: now,
		Properties: map[string]any{"country": "MY", "agency": "P", "radius_m": 1500.0}})
	in.Layers = append(in.Layers, post)
	r := rand.New(rand.NewPCG(8, 8))
	for name, edit := range map[string]func(*risk.Model){"by effort": nil, "of the record": uncorrected} {
		a := assess(t, in, edit)
		patrolled := 0
		for range 60 {
			p := orb.Point{110.3 + 3*r.Float64(), 1.2 + 0.1*r.NormFloat64()}
			if r.IntN(3) == 0 {
				p = orb.Point{111, 1.2}
			}
			got := a.At(p)
			share, adds := 0.0, 0.0
			for _, b := range got.Because {
				share += b.Share
				adds += b.Adds
				if b.Type == "coverage" {
					patrolled++
					if b.Adds > 0 || *b.Factor >= 1 {
						t.Errorf("%s, %v: a patrol that adds %g: %+v", name, p, b.Adds, b)
					}
				}
			}
			if math.Abs(adds-got.Residual.Mean) > 1e-9*got.Residual.Mean || got.Hazard.Mean > 0 && math.Abs(share-1) > 1e-12 {
				t.Errorf("%s, %v: shares %g, what is added %g of %g", name, p, share, adds, got.Residual.Mean)
			}
		}
		if patrolled == 0 {
			t.Error("no patrol: nothing is tested")
		}
	}
}
