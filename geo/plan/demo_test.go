package plan_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
)

// demoPieces cuts the border of the demo to about 1 km.
func demoPieces(t testing.TB) (*risk.Assessment, plan.Options, []plan.Piece) {
	t.Helper()
	var all []*geo.Layer
	for _, info := range layers.Builtin() {
		l, err := layers.Load(info.ID)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	day := start.Truncate(24 * time.Hour)
	demo, err := layers.Demo(layers.DemoOptions{Seed: 1, AsOf: day})
	if err != nil {
		t.Fatal(err)
	}
	a, err := risk.Assess(t.Context(), risk.Inputs{Layers: append(all, demo...), AsOf: day, Now: day}, risk.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	o := plan.DefaultOptions(start)
	o.CountriesAt = plan.CountriesAt(a)
	return a, o, plan.Pieces(a, o, 1)
}

// demoUnits are forty units of the two countries along the border of the demo.
func demoUnits(pieces []plan.Piece, seed uint64) (out []plan.Unit) {
	r := rand.New(rand.NewPCG(seed, 9))
	kinds := []plan.Unit{
		{Mode: "foot", SpeedKMH: 4, SweepWidthM: 100, EnduranceH: 10},
		{Mode: "motorcycle", SpeedKMH: 20, SweepWidthM: 200, EnduranceH: 8},
		{Mode: "vehicle", SpeedKMH: 30, SweepWidthM: 400, EnduranceH: 8},
		{Mode: "sea_boat", SpeedKMH: 30, SweepWidthM: 2000, EnduranceH: 12},
	}
	for len(out) < 40 {
		u := kinds[len(out)%len(kinds)]
		u.Country = []string{"ID", "MY"}[len(out)/4%2]
		p := pieces[r.IntN(len(pieces))]
		if (u.Mode == "sea_boat") != (p.Medium == risk.Shore) || len(p.Countries) == 1 && p.Countries[0] != u.Country {
			continue
		}
		u.ID, u.Base, u.Hours = fmt.Sprintf("%s-%02d", u.Country, len(out)), p.Line[0], 40
		out = append(out, u)
	}
	return out
}

func TestPlanOfDemo(t *testing.T) {
	_, o, pieces := demoPieces(t)
	o.CountriesAt = nil // bases are on the line itself
	for seed := range uint64(2) {
		got, err := plan.Make(t.Context(), plan.Problem{Pieces: pieces, Units: demoUnits(pieces, seed), Options: o})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %d pieces, %d sorties of %d units meet %.3f of %.2f expected incidents, at most %.3f could be met (%.2f %% more); bounds %+v; %.0f h explore; %v",
			seed, len(pieces), len(got.Sorties), len(got.Units), got.Met, got.Before.Mean, got.UpperBound, got.GapPercent, got.Bounds, got.Exploration.Hours, got.Because)
		if got.GapPercent > 5 {
			t.Errorf("seed %d: the plan is %.2f %% from its bound, want 5", seed, got.GapPercent)
		}
		t.Logf("%+v %+v", got.Respond(4), got.Curve)
	}
}

func BenchmarkPlanOfDemo(b *testing.B) {
	_, o, pieces := demoPieces(b)
	o.CountriesAt = nil
	p := plan.Problem{Pieces: pieces, Units: demoUnits(pieces, 0), Options: o}
	for b.Loop() {
		if _, err := plan.Make(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
