package risk

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Known values. Without ties: 1..10 has S = 45, V = 125, p = erfc(44/√250).
// With ties, by hand: 1 1 2 2 has S = 4 and 18·V = 4·3·13 - 2·(2·1·9) = 120.
func TestMannKendallByHand(t *testing.T) {
	for _, c := range []struct {
		x      []int
		s      int
		tau, p float64
	}{
		{[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 45, 1, math.Erfc(44 / math.Sqrt(125) / math.Sqrt2)},
		{[]int{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, -45, -1, math.Erfc(44 / math.Sqrt(125) / math.Sqrt2)},
		{[]int{1, 1, 2, 2}, 4, 4 / math.Sqrt(6*4), math.Erfc(3 / math.Sqrt(120.0/18) / math.Sqrt2)},
		{[]int{3, 3, 3, 3, 3}, 0, 0, 1},
		{[]int{2, 1, 2, 1, 2}, 0, 0, 1},
		{nil, 0, 0, 1},
	} {
		s, tau, p := mannKendall(c.x)
		if s != c.s || math.Abs(tau-c.tau) > 1e-12 || math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%v: S %d τ %g p %g, want %d %g %g", c.x, s, tau, p, c.s, c.tau, c.p)
		}
	}
}

// Against all orders of the values: p is near the share of shuffles with an S
// at least as far from 0, and the variance is that of the shuffles.
func TestMannKendallAgainstShuffles(t *testing.T) {
	const seed, shuffles = 11, 20_000
	r := rand.New(rand.NewPCG(seed, 1))
	for range 6 {
		x := make([]int, 24)
		for i := range x {
			x[i] = r.IntN(4) + i/(4+r.IntN(8))
		}
		s, _, p := mannKendall(x)
		y := slices.Clone(x)
		extreme, squares := 0, 0.0
		for range shuffles {
			r.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
			k, _, _ := mannKendall(y)
			squares += float64(k * k)
			if max(k, -k) >= max(s, -s) {
				extreme++
			}
		}
		if share := float64(extreme) / shuffles; math.Abs(share-p) > 0.02 {
			t.Errorf("seed %d: p %g, by shuffles %g (%v)", seed, p, share, x)
		}
		if z := max(0, math.Abs(float64(s))-1) / math.Sqrt(squares/shuffles); math.Abs(math.Erfc(z/math.Sqrt2)-p) > 0.02 {
			t.Errorf("seed %d: p %g, with the variance of the shuffles %g", seed, p, math.Erfc(z/math.Sqrt2))
		}
	}
}

func TestTrendClasses(t *testing.T) {
	of := func(steps int, count func(month int) int) Trend {
		s := series{steps: steps, counts: make([][trendMonths]int, 1)}
		for k := range steps {
			s.counts[0][k] = count(steps - 1 - k) // months count from the oldest
		}
		return s.trend(0, 20)
	}
	rising := of(24, func(month int) int { return month / 4 })
	// 0…5, four months each: 12 in the older half (0,1,2), 48 in the newer.
	if rising.Class != Rising || *rising.ChangePercent != 300 || rising.Incidents != 60 || rising.Months[0] != 0 || rising.Months[23] != 5 {
		t.Errorf("%+v", rising)
	}
	if f := of(24, func(month int) int { return (23 - month) / 4 }); f.Class != Falling || *f.P != *rising.P || *f.ChangePercent != -75 {
		t.Errorf("%+v", f)
	}
	if s := of(24, func(month int) int { return 2 + month%2 }); s.Class != Steady || s.P == nil {
		t.Errorf("%+v", s)
	}
	if s := of(24, func(int) int { return 3 }); s.Class != Steady || *s.P != 1 || *s.ChangePercent != 0 {
		t.Errorf("%+v", s)
	}
	for name, few := range map[string]Trend{
		"nine months":        of(9, func(int) int { return 10 }),
		"nineteen incidents": of(24, func(month int) int { return min(1, max(0, month-4)) }),
		"no month":           of(0, nil),
	} {
		if few.Class != TooFewToTell || few.P != nil || few.ChangePercent != nil || few.Months == nil {
			t.Errorf("%s: %+v", name, few)
		}
	}
	if s := of(24, func(month int) int { return 5 * (month / 12) }); s.ChangePercent != nil || s.Class != Rising {
		t.Errorf("nothing before: %+v", s)
	}
}
