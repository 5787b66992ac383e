package plan_test

import (
	"testing"

	"github.com/sempadan/sempadan/geo/plan"
)

func TestPlanOfDemoSize(t *testing.T) {
	for seed := range uint64(3) {
		p := bigProblem(seed)
		got, err := plan.Make(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %d sorties of %d units meet %.3f of %.1f; bounds %+v, gap %.2f %%, exploring %.0f of %.0f h; %+v", seed, len(got.Sorties), len(got.Units), got.Met, got.Before.Mean,
			got.Bounds, got.GapPercent, got.Exploration.Hours, got.Exploration.WantedH, got.Respond(4))
		t.Log(got.Curve, got.Because, got.After)
		if got.GapPercent > 5 {
			t.Errorf("seed %d: gap %.2f %%", seed, got.GapPercent)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	p := bigProblem(1)
	for b.Loop() {
		if _, err := plan.Make(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
