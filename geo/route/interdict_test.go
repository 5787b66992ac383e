package route_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo/route"
)

func sameAs(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

// Two travellers, three crossings. Unprotected, the first takes A (0.9), the
// second B (0.8). Protection halves. One element: A leaves max(.45, .6) = .6 and
// .8, mean .7; B leaves .9 and max(.4, .5) = .5, mean .7; C leaves .85. Two:
// A and B leave max(.45, .6) and max(.4, .5): mean .55; A and C: max(.45, .3) and
// .8, mean .625; B and C: .9 and .4, .65.
func TestInterdictByHand(t *testing.T) {
	p := &route.Interdiction{
		Protect: []float64{0.5, 0.5, 0.5},
		Scenarios: []route.Scenario{
			{Weight: 1, Ways: []route.Option{{Evasion: 0.9, Passes: []int{0}}, {Evasion: 0.6, Passes: []int{2}}}},
			{Weight: 1, Ways: []route.Option{{Evasion: 0.8, Passes: []int{1}}, {Evasion: 0.5, Passes: []int{2}}}},
		},
	}
	for k, want := range []float64{0.85, 0.7, 0.55} {
		got, err := p.Exact(k)
		if err != nil || !sameAs(got.After, want) || !got.Exact || !sameAs(got.Bound, want) || !sameAs(got.Before, 0.85) {
			t.Errorf("exact, k = %d: %+v, %v; want %g", k, got, err, want)
		}
		greedy, err := p.Greedy(k)
		if err != nil || !sameAs(greedy.After, want) || len(greedy.Elements) != k {
			t.Errorf("greedy, k = %d: %+v, %v; want %g", k, greedy, err, want)
		}
	}
	all, err := p.Solve(9)
	if err != nil || len(all.Elements) != 3 || !sameAs(all.After, (0.45+0.4)/2) {
		t.Errorf("all: %+v, %v", all, err)
	}
	// γ = 2: the first takes A with e^1.8/(e^1.8+e^1.2).
	p.Gamma = 2
	wa := math.Exp(1.8) / (math.Exp(1.8) + math.Exp(1.2))
	wb := math.Exp(1.6) / (math.Exp(1.6) + math.Exp(1.0))
	if want := (wa*0.9 + (1-wa)*0.6 + wb*0.8 + (1-wb)*0.5) / 2; !sameAs(p.Evasion(nil), want) {
		t.Errorf("quantal response: %g, want %g", p.Evasion(nil), want)
	}
}

// Ways A (0.9, by 0 and 1), B (0.8, by 2 and 3) and C (0.7, by 0 and 2); protection
// halves. A and B have nothing in common: one element leaves the other of them at
// 0.8 or more, two leave 0.45 at best, and 0 and 2 do. Three: A by 0 and 1 is 0.225,
// but B needs one too and keeps 0.4. A fourth, D (0.6, by none), cannot be lowered.
func TestInterdictBoundByHand(t *testing.T) {
	p := &route.Interdiction{Protect: []float64{0.5, 0.5, 0.5, 0.5}, Scenarios: []route.Scenario{{Weight: 1, Ways: []route.Option{
		{Evasion: 0.9, Passes: []int{0, 1}}, {Evasion: 0.8, Passes: []int{2, 3}}, {Evasion: 0.7, Passes: []int{0, 2}}}}}}
	for k, want := range []float64{0.9, 0.8, 0.45, 0.4} {
		got, err := p.Greedy(k)
		if err != nil || !sameAs(got.Bound, want) || !sameAs(got.After, want) {
			t.Errorf("k = %d: %+v, %v; want %g", k, got, err, want)
		}
	}
	p.Scenarios[0].Ways = append(p.Scenarios[0].Ways, route.Option{Evasion: 0.6})
	if got, err := p.Greedy(3); err != nil || !sameAs(got.Bound, 0.6) {
		t.Errorf("%+v, %v", got, err)
	}
	// Elements that do the same: the lowest numbers.
	same := &route.Interdiction{Protect: []float64{0.5, 0.5, 0.5}, Scenarios: []route.Scenario{{Weight: 1, Ways: []route.Option{{Evasion: 1, Passes: []int{2, 1, 0}}}}}}
	for name, solve := range map[string]func(int) (*route.Protection, error){"greedy": same.Greedy, "exact": same.Exact} {
		if got, err := solve(2); err != nil || !slices.Equal(got.Elements, []int{0, 1}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// Greedy is never better than enumeration, seldom much worse, and its curve and
// bound hold. Ways pass several elements here, as segments do.
func TestInterdictGreedyAgainstEnumeration(t *testing.T) {
	const seed = 13
	r := rand.New(rand.NewPCG(seed, 0))
	worst, sum, n, slack := 0.0, 0.0, 0, 0.0
	for round := range 150 {
		p := &route.Interdiction{Protect: make([]float64, 8+r.IntN(23))}
		if round%3 == 0 {
			p.Gamma = 5
		}
		for e := range p.Protect {
			p.Protect[e] = r.Float64()
		}
		for range 1 + r.IntN(6) {
			s := route.Scenario{Weight: r.Float64()}
			order, segments := r.Perm(len(p.Protect)), 4
			if round%2 == 0 { // the bipartite case
				segments = 1
			}
			for i := range 1 + r.IntN(8) {
				w := route.Option{Evasion: r.Float64()}
				for range 1 + r.IntN(segments) {
					e := r.IntN(len(p.Protect))
					if segments == 1 {
						e = order[i]
					}
					if !slices.Contains(w.Passes, e) {
						w.Passes = append(w.Passes, e)
					}
				}
				s.Ways = append(s.Ways, w)
			}
			p.Scenarios = append(p.Scenarios, s)
		}
		k := 1 + r.IntN(3)
		exact, err := p.Exact(k)
		if err != nil {
			t.Fatal(err)
		}
		greedy, err := p.Greedy(k)
		if err != nil {
			t.Fatal(err)
		}
		if greedy.After < exact.After-1e-12 || greedy.Bound > exact.After+1e-12 || !sameAs(greedy.Curve[k-1], greedy.After) || !sameAs(p.Evasion(exact.Elements), exact.After) {
			t.Fatalf("seed %d, round %d: greedy %+v, exact %+v", seed, round, greedy, exact)
		}
		if k == 1 && !sameAs(greedy.After, exact.After) {
			t.Fatalf("seed %d, round %d: one element: greedy %g, exact %g", seed, round, greedy.After, exact.After)
		}
		if exact.Before > exact.After {
			lost := (greedy.After - exact.After) / (exact.Before - exact.After)
			worst, sum, n = max(worst, lost), sum+lost, n+1
			slack += (exact.After - greedy.Bound) / (exact.Before - exact.After)
		}
	}
	t.Logf("greedy with exchanges gives up %.2f %% of the best reduction on average, %.0f %% at worst, of %d cases", 100*sum/float64(n), 100*worst, n)
	t.Logf("the bound promises %.0f %% more than the best reduction on average", 100*slack/float64(n))
	if slack/float64(n) > 1 {
		t.Errorf("the bound is %g reductions below the best", slack/float64(n))
	}
	if sum/float64(n) > 0.05 {
		t.Errorf("greedy gives up %g on average", sum/float64(n))
	}
}

func TestInterdictErrors(t *testing.T) {
	ok := []route.Scenario{{Weight: 1, Ways: []route.Option{{Evasion: 0.5, Passes: []int{0}}}}}
	for want, p := range map[string]*route.Interdiction{
		"no scenarios":   {Protect: []float64{1}},
		"protection of":  {Protect: []float64{2}, Scenarios: ok},
		"element 0 of 0": {Scenarios: ok},
		"gamma":          {Protect: []float64{1}, Scenarios: ok, Gamma: math.NaN()},
		"the evasion":    {Protect: []float64{1}, Scenarios: []route.Scenario{{Weight: 1, Ways: []route.Option{{Evasion: math.NaN()}}}}},
		"the weight":     {Protect: []float64{1}, Scenarios: []route.Scenario{{Weight: math.Inf(1)}}},
	} {
		if _, err := p.Solve(1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := (&route.Interdiction{Protect: make([]float64, 60), Scenarios: ok}).Exact(10); err == nil || !strings.Contains(err.Error(), "greedy") {
		t.Errorf("too many choices: %v", err)
	}
	if _, err := (&route.Interdiction{Protect: []float64{1}, Scenarios: ok}).Greedy(-1); err == nil {
		t.Error("k = -1 is taken")
	}
}

// Shares by hand: costs 1 and 1.1 with η = 0.1 become 1.2 and 1.1.
func TestDisplaceByHand(t *testing.T) {
	matrix := func(a, b, evasion float64) *route.Matrix {
		return &route.Matrix{Crossings: []route.MatrixCrossing{{SectionID: "L1"}, {SectionID: "L2"}}, Pairs: 1, Entries: []route.Entry{
			{Crossing: 0, Cost: a, Evasion: evasion}, {Crossing: 1, Cost: b, Evasion: 0.8}}}
	}
	d, err := route.Displace(matrix(1, 1.1, 0.9), matrix(1.2, 1.1, 0.5), 0.1)
	if err != nil {
		t.Fatal(err)
	}
	p := 1 / (1 + math.Exp(-1))
	q := 1 - p
	if !near9(d.Shifts[0].Before, p) || !near9(d.Shifts[0].After, q) || !near9(d.Diverted, p-q) || d.Shifts[1].SectionID != "L2" {
		t.Errorf("%+v", d)
	}
	if !near9(d.EvasionBefore, p*0.9+q*0.8) || !near9(d.EvasionAfter, q*0.5+p*0.8) || !near9(d.Stayed, p*0.5+q*0.8) {
		t.Errorf("%+v", d)
	}
	if _, err := route.Displace(matrix(1, 1, 1), &route.Matrix{}, 0.1); err == nil {
		t.Error("matrices of different questions are compared")
	}
}

func near9(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func BenchmarkInterdictGreedy(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 0))
	p := &route.Interdiction{Protect: make([]float64, 200)}
	for e := range p.Protect {
		p.Protect[e] = 0.7
	}
	for range 50 {
		s := route.Scenario{Weight: 1}
		for e := range p.Protect {
			s.Ways = append(s.Ways, route.Option{Evasion: r.Float64(), Passes: []int{e}})
		}
		p.Scenarios = append(p.Scenarios, s)
	}
	for b.Loop() {
		if _, err := p.Greedy(10); err != nil {
			b.Fatal(err)
		}
	}
}
