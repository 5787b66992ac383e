package plan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
)

// smallNetwork is a few pieces of border and a day, with two slow teams.
func smallNetwork(seed uint64) *network {
	r := rand.New(rand.NewPCG(seed, 2))
	p := Problem{Options: DefaultOptions(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))}
	p.Options.WindowDays, p.Options.RestH, p.Options.Rounds, p.Options.ExplorationShare = 1, 3, 12, 0.3*r.Float64()
	for i := range 4 {
		b := Piece{Section: fmt.Sprint(i), Line: orb.LineString{{110 + 0.009*float64(i), 1}, {110 + 0.009*float64(i+1), 1}}, LengthKM: 1, AreaKM2: 5, Medium: risk.Land,
			Countries: []string{"ID", "MY"}, TransientH: 3, Profile: make([]float64, 24), Expected: risk.Estimate{Mean: r.ExpFloat64()}, Unknown: r.Float64()}
		for h := range b.Profile {
			b.Profile[h] = r.ExpFloat64() / 24
		}
		p.Pieces = append(p.Pieces, b)
	}
	for k := range 2 {
		p.Units = append(p.Units, Unit{ID: fmt.Sprint("U", k), Country: "ID", Base: orb.Point{110 + 0.03*r.Float64(), 1}, Mode: "motorcycle",
			Hours: 6, EnduranceH: 3, SpeedKMH: 15, SweepWidthM: 200 + 500*r.Float64(), NightFactor: 0.4 * float64(seed%2), WeatherFactors: [2]float64{0.5, 0.25}})
	}
	if seed%3 == 0 {
		p.Options.Weather = []Spell{{From: p.Options.Start.Add(5 * time.Hour), Until: p.Options.Start.Add(9 * time.Hour), State: Worse}}
	}
	return newNetwork(p)
}

// enumerate returns the most that any roster meets.
func (n *network) enumerate() (best float64) {
	var all [][]sortie // by team
	for t := range n.teams {
		all = append(all, nil)
		for b := range n.teams[t].beats {
			for k, s := range n.teams[t].beats[b].shapes {
				for start := 0; start+s.dutyH <= n.hours; start++ {
					all[t] = append(all[t], sortie{t, b, start, k})
				}
			}
		}
	}
	r := newRoster(n)
	var free []bool
	var try func(team, from int)
	try = func(team, from int) {
		if team == len(n.teams) {
			if r.exploreH >= n.quotaH {
				best = max(best, r.met())
			}
			return
		}
		try(team+1, 0)
		for k := from; k < len(all[team]); k++ {
			s := all[team][k]
			d := n.shapeOf(s).dutyH
			if free = r.free(team, d, free); r.spentH[team]+d > n.teams[team].hours || !free[s.start] {
				continue
			}
			r.add(s)
			try(team, k+1)
			r.remove(len(r.sorties) - 1)
		}
	}
	try(0, 0)
	return best
}

// The best of all rosters lies between the plan and each of its bounds.
func TestPlanAgainstEnumeration(t *testing.T) {
	worst := 0.0
	for seed := range uint64(6) {
		n := smallNetwork(seed)
		for k := range n.teams { // fewer choices, so that all can be tried
			n.teams[k].hours = 3
		}
		n.rankBeats()
		n.setQuota()
		r, premium := n.search(t.Context())
		best := n.enumerate()
		if r.exploreH < n.quotaH || r.met() > best*(1+1e-9) || r.met() < (0.95-0.05*float64(seed%2))*best {
			t.Errorf("seed %d: the plan meets %g and explores %d of %d h, the best %g", seed, r.met(), r.exploreH, n.quotaH, best)
		}
		marginal, _ := n.dual(reference{exposure: r.exposure, marginal: true, premium: premium})
		lagrangian := n.lower(t.Context(), reference{exposure: r.exposure, premium: premium}, 0, func([][]sortie, float64) {})
		continuous, err := n.continuous()
		if err != nil {
			t.Fatal(err)
		}
		for what, bound := range map[string]float64{"marginal": marginal, "lagrangian": lagrangian, "continuous": continuous.UpperBound,
			"any route": n.newRelaxation().lower(t.Context(), reference{exposure: r.exposure, premium: premium}, 6)} {
			if bound < best*(1-1e-9) {
				t.Errorf("seed %d: the %s bound is %g, the best roster meets %g", seed, what, bound, best)
			}
		}
		worst = max(worst, lagrangian/best-1)
	}
	t.Logf("the bound is at most %.2f %% above the best", 100*worst)
}

// fixed + Σ value bounds what is met for every reference and set of exposures.
func TestBoundInequality(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		f := reference{marginal: r.IntN(2) == 0}
		y := 3 * r.ExpFloat64() * float64(r.IntN(2))
		sum, right := 0.0, f.fixed(y)
		for range r.IntN(5) {
			e := r.ExpFloat64()
			sum += e
			switch {
			case f.marginal:
				right -= math.Exp(-y) * math.Expm1(-e)
			case e <= y:
				right += math.Exp(-y) * e
			default:
				right += -math.Expm1(-e) - f.fixed(y)
			}
		}
		if left := -math.Expm1(-sum); left > right+1e-12 {
			t.Fatalf("y %g, exposures %g: %g > %g", y, sum, left, right)
		}
	}
}

// One motorcycle 0 km away on a beat of 1 km², 3 h: rate 0.2·15/5 = 0.6 an hour. An
// incident that begins with it is there for all 3 h: 1-e^-1.8.
func TestExposureByHand(t *testing.T) {
	n := smallNetwork(1)
	u := n.Units[0]
	u.Base, u.SweepWidthM = n.Pieces[0].Line[0], 200
	b, ok := n.newBeat(u, 0, 1, []int{3})
	if !ok || math.Abs(b.rate-0.6) > 1e-9 || b.tripH != 0 {
		t.Fatalf("%+v", b)
	}
	got := map[int]float64{}
	for _, run := range b.shapes[0].runs {
		for h := run.from; h < run.to; h++ {
			got[h] = b.grades[run.grade].exposure
		}
	}
	for h, want := range map[int]float64{-2: 0.6, -1: 1.2, 0: 1.8, 1: 1.2, 2: 0.6} {
		if math.Abs(got[h]-want) > 1e-9 {
			t.Errorf("hour %d: exposure %g, want %g", h, got[h], want)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d hours, want 5", len(got))
	}
}
