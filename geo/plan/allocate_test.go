package plan_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/sempadan/sempadan/geo/plan"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %.15g, want %.15g", what, got, want)
	}
}

func TestAllocateGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/koopman.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Tolerance struct {
			X      float64 `json:"x_relative_to_total_effort"`
			Value  float64 `json:"objective"`
			Lambda float64 `json:"lambda_relative"`
		} `json:"abs_tolerance"`
		Allocation []struct {
			Name      string
			P         []float64 `json:"p"`
			A         []float64 `json:"a_per_effort"`
			Total     float64   `json:"total_effort"`
			X         []float64 `json:"x"`
			Lambda    float64   `json:"lambda"`
			Objective float64   `json:"objective"`
		}
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Allocation) < 10 {
		t.Fatalf("%d cases", len(g.Allocation))
	}
	for _, c := range g.Allocation {
		cells := make([]plan.Cell, len(c.P))
		for i := range cells {
			cells[i] = plan.Cell{Weight: c.P[i], Rate: c.A[i]}
		}
		got, err := plan.Allocate(cells, c.Total)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range c.X {
			near(t, c.Name+" effort", got.Effort[i], x, g.Tolerance.X*c.Total)
		}
		near(t, c.Name+" value", got.Value, c.Objective, g.Tolerance.Value)
		near(t, c.Name+" price", got.Price, c.Lambda, g.Tolerance.Lambda*c.Lambda)
		if gap := got.Gap(); gap < -1e-12 || gap > 1e-9 {
			t.Errorf("%s: duality gap %g", c.Name, gap)
		}
	}
}

// Two cells of weight 1 and rate 1, one with room for half an hour: of two
// hours, 1.5 go to the other.
func TestAllocateCapByHand(t *testing.T) {
	got, err := plan.Allocate([]plan.Cell{{Weight: 1, Rate: 1, Cap: 0.5}, {Weight: 1, Rate: 1}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "capped", got.Effort[0], 0.5, 1e-12)
	near(t, "other", got.Effort[1], 1.5, 1e-12)
	near(t, "price", got.Price, math.Exp(-1.5), 1e-12)
	got, err = plan.Allocate([]plan.Cell{{Weight: 1, Rate: 1, Cap: 0.5}, {Weight: 0, Rate: 1}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "unused", got.Unused, 1.5, 1e-12)
	near(t, "gap", got.Gap(), 0, 1e-12)
}

// The twin gives effort away in small steps, each where it adds most.
func TestAllocateBruteForce(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		cells := make([]plan.Cell, 1+r.IntN(6))
		for i := range cells {
			cells[i] = plan.Cell{Weight: r.Float64(), Rate: 0.1 + 2*r.Float64()}
			if r.IntN(3) == 0 {
				cells[i].Cap = r.Float64()
			}
		}
		total := 5 * r.Float64()
		got, err := plan.Allocate(cells, total)
		if err != nil {
			t.Fatal(err)
		}
		const steps = 20_000
		effort, value := make([]float64, len(cells)), 0.0
		for range steps {
			best, most := -1, 0.0
			for i, c := range cells {
				step := total / steps
				if c.Cap > 0 {
					step = min(step, c.Cap-effort[i])
				}
				if gain := c.Weight * (math.Exp(-c.Rate*effort[i]) - math.Exp(-c.Rate*(effort[i]+step))); gain > most {
					best, most = i, gain
				}
			}
			if best < 0 {
				break
			}
			step := total / steps
			if cells[best].Cap > 0 {
				step = min(step, cells[best].Cap-effort[best])
			}
			effort[best] += step
			value += most
		}
		if got.Value < value-1e-9 || got.Value > value+1e-3 {
			t.Errorf("seed %d: value %g, twin %g", seed, got.Value, value)
		}
		if gap := got.Gap(); gap < -1e-12 || gap > 1e-9 {
			t.Errorf("seed %d: duality gap %g", seed, gap)
		}
		sum := got.Unused
		for _, e := range got.Effort {
			sum += e
		}
		near(t, "all effort", sum, total, 1e-9*total)
	}
}

func TestAllocateRefuses(t *testing.T) {
	for _, c := range []plan.Cell{{Weight: -1, Rate: 1}, {Weight: 1, Rate: math.NaN()}, {Weight: 1, Rate: 1, Cap: math.Inf(1)}} {
		if _, err := plan.Allocate([]plan.Cell{c}, 1); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if _, err := plan.Allocate(nil, math.NaN()); err == nil {
		t.Error("NaN hours are taken")
	}
}

func BenchmarkAllocate(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	cells := make([]plan.Cell, 2000*168)
	for i := range cells {
		cells[i] = plan.Cell{Weight: r.ExpFloat64(), Rate: 0.1 + r.Float64()}
	}
	for b.Loop() {
		if _, err := plan.Allocate(cells, 10_000); err != nil {
			b.Fatal(err)
		}
	}
}
