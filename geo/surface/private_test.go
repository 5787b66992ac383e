package surface_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

func seededDice(seed uint64) surface.Dice { return rand.New(rand.NewPCG(seed, 21)).Uint64 }

// The frequencies of draws are those of the formula, (1-q)/(1+q)·q^|k| with
// q = e^-ε, within five standard deviations.
func TestLaplaceIsExact(t *testing.T) {
	const n = 400_000
	for _, e := range []surface.Epsilon{{1, 1}, {1, 2}, {3, 2}, {1, 10}} {
		dice := seededDice(5)
		seen := map[int64]float64{}
		for range n {
			seen[dice.Laplace(e)]++
		}
		q := math.Exp(-e.Value())
		for k := int64(-6); k <= 6; k++ {
			p := (1 - q) / (1 + q) * math.Pow(q, math.Abs(float64(k)))
			if sd := math.Sqrt(n * p * (1 - p)); math.Abs(seen[k]-n*p) > 5*sd {
				t.Errorf("ε %g: %d came %.0f times, want %.0f ± %.0f", e.Value(), k, seen[k], n*p, sd)
			}
		}
	}
}

// One case more or less: of all outcomes of one cell, the logarithm of the ratio
// of their chances stays within 1.1 ε, measured by 100,000 releases each way.
func TestMeasuredEpsilon(t *testing.T) {
	const n = 100_000
	cell := surface.ReleaseCell{Level: 11, X: 1650, Y: 1015}
	grid := []surface.ReleaseCell{cell, {Level: 11, X: 1651, Y: 1015}}
	rule := surface.NoiseRule{Epsilon: surface.Epsilon{Num: 1, Den: 1}, Least: 10}
	seen := func(count int, seed uint64) map[int]float64 {
		dice, out := seededDice(seed), map[int]float64{}
		for range n {
			noisy, err := surface.NoisyCounts(grid, map[surface.ReleaseCell]int{cell: count}, rule, dice)
			if err != nil {
				t.Fatal(err)
			}
			out[noisy[cell]]++
		}
		return out
	}
	with, without := seen(12, 1), seen(11, 2)
	for k, a := range with {
		b := without[k]
		if a < 500 || b < 500 {
			continue
		}
		sd := math.Sqrt(1/a + 1/b)
		if got := math.Abs(math.Log(a / b)); got-2*sd > 1.1*rule.Epsilon.Value() {
			t.Errorf("outcome %d: %.3f ± %.3f, want at most 1.1", k, got, sd)
		}
	}
}

func TestNoisyCountsShowNothingSmall(t *testing.T) {
	var grid []surface.ReleaseCell
	counts := map[surface.ReleaseCell]int{{Level: 11, X: -5, Y: 0}: 1000}
	for x := range int32(200) {
		grid = append(grid, surface.ReleaseCell{Level: 11, X: x, Y: 7})
	}
	counts[grid[3]] = 400
	rule := surface.NoiseRule{Epsilon: surface.Epsilon{Num: 1, Den: 1}, Least: 10}
	noisy, err := surface.NoisyCounts(grid, counts, rule, seededDice(3))
	if err != nil {
		t.Fatal(err)
	}
	for c, n := range noisy {
		if n < 10 || c.X < 0 {
			t.Errorf("%+v: %d", c, n)
		}
	}
	if n := noisy[grid[3]]; n < 380 || n > 420 {
		t.Errorf("400 came out as %d", n)
	}
	if _, err := surface.NoisyCounts(grid, counts, surface.NoiseRule{Least: 10}, seededDice(3)); !errors.Is(err, surface.ErrBudget) {
		t.Errorf("without a budget: %v", err)
	}
}
