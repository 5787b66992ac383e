package surface_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
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
	rule := surface.NoiseRule{Epsilon: surface.Epsilon{Num: 1, Den: 1}, Levels: []int{11}, Least: 10}
	seen := func(count int, seed uint64) map[int]float64 {
		dice, out := seededDice(seed), map[int]float64{}
		for range n {
			noisy, err := surface.NoisyCounts(grid, map[surface.ReleaseCell]int{cell: count}, rule.Epsilon, dice)
			if err != nil {
				t.Fatal(err)
			}
			out[rule.Show(grid, noisy)[cell]]++
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
	grid := surface.ReleaseGrid(orb.Bound{Min: orb.Point{95, -4}, Max: orb.Point{119.5, 8}}, 11)
	if len(grid) < 9000 || len(grid) > 10000 {
		t.Fatalf("%d cells", len(grid))
	}
	counts := map[surface.ReleaseCell]int{{Level: 11, X: -5, Y: 0}: 1000, grid[700]: 400}
	rule := surface.NoiseRule{Epsilon: surface.Epsilon{Num: 9, Den: 10}, Levels: []int{11, 10, 9}, Least: 10}
	noisy, err := surface.NoisyCounts(grid, counts, rule.Epsilon, seededDice(3))
	if err != nil {
		t.Fatal(err)
	}
	shown := rule.Show(grid, noisy)
	for c, n := range shown {
		if n < 10 || c.X < 0 {
			t.Errorf("%+v: %d", c, n)
		}
	}
	if n := shown[grid[700]]; n < 380 || n > 420 {
		t.Errorf("400 came out as %d", n)
	}
	if len(shown) > 8 {
		t.Errorf("%d cells are shown, one of them holds anything", len(shown))
	}
	if _, err := surface.NoisyCounts(grid, counts, surface.Epsilon{}, seededDice(3)); !errors.Is(err, surface.ErrBudget) {
		t.Errorf("without a budget: %v", err)
	}
}

// What one cell has too few of goes up, once: a case is in one cell that is
// shown, or in none.
func TestShowIsNested(t *testing.T) {
	box := orb.Bound{Min: orb.Point{108, 0}, Max: orb.Point{112, 3}}
	grid := surface.ReleaseGrid(box, 11)
	rule := surface.NoiseRule{Epsilon: surface.Epsilon{Num: 50, Den: 1}, Levels: []int{11, 10, 9}, Least: 10}
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		counts, total := make([]int, len(grid)), 0
		for i := range counts {
			counts[i] = r.IntN(14)
			total += counts[i]
		}
		shown, sum := rule.Show(grid, counts), 0
		for c, n := range shown {
			sum += n
			inside := 0
			for i, g := range grid {
				up := g
				for level := 11; level > c.Level && shown[up] == 0; level-- {
					up = g.In(level - 1)
				}
				if shown[up] == 0 || up == c {
					if g.In(c.Level) == c {
						inside += counts[i]
					}
				}
			}
			if n != inside {
				t.Fatalf("%+v shows %d, holds %d that are not shown inside", c, n, inside)
			}
		}
		if sum > total {
			t.Fatalf("%d of %d cases are shown", sum, total)
		}
	}
}
