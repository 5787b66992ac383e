package route

import (
	"fmt"
	"math"
	"slices"
)

// Interdiction asks which elements (crossings, stretches of ways) to protect so
// that the fewest get through. Each scenario is a traveller who knows the ways and
// the protection, and takes the way with the best chance; with a finite Gamma, way
// i with the chance e^(γ·uᵢ) over the sum, u being its evasion (quantal response).
//
// Ways that pass one element each are the bipartite case of sensors at one
// country's crossings. Source: D. Morton, F. Pan and K. Saeger, IIE Transactions
// 39 (2007).
type Interdiction struct {
	Scenarios []Scenario
	// Protect is, by element, the chance that its protection meets who passes.
	Protect []float64
	// Gamma is how rational travellers are; 0 or +Inf: wholly.
	Gamma float64
}

// Scenario is a traveller.
type Scenario struct {
	Weight float64
	Ways   []Option
}

// Option is a way of a scenario: the chance to get through without protection,
// and the elements that it passes.
type Option struct {
	Evasion float64
	Passes  []int
}

// Protection is a choice of elements.
type Protection struct {
	Elements []int     `json:"elements"` // in the order in which they were chosen
	Before   float64   `json:"evasion_before"`
	After    float64   `json:"evasion_after"`
	Curve    []float64 `json:"curve"` // evasion after the first, the first two, …
	// Exact: no other choice of as many does better.
	Exact bool `json:"exact"`
	// Bound is no more than what any choice of as many leaves. Of choices that do
	// as well the one with the lowest numbers is taken: crossings are numbered as
	// in the matrix, squares in the order in which the ways, the best first, pass
	// them.
	Bound float64 `json:"bound"`
}

// exactChoices is up to how many choices are all tried.
const exactChoices = 200_000

// Evasion is the chance to get through, by weight of the scenarios, with elements
// protected.
func (p *Interdiction) Evasion(protected []int) float64 {
	on := make([]bool, len(p.Protect))
	for _, e := range protected {
		on[e] = true
	}
	return p.evasion(on)
}

func (p *Interdiction) evasion(on []bool) float64 {
	sum, weights := 0.0, 0.0
	for _, s := range p.Scenarios {
		best, total, value := 0.0, 0.0, 0.0
		for _, w := range s.Ways {
			u := w.Evasion
			for _, e := range w.Passes {
				if on[e] {
					u *= 1 - p.Protect[e]
				}
			}
			best = max(best, u)
			if p.bounded() {
				x := math.Exp(p.Gamma * (u - 1))
				total += x
				value += x * u
			}
		}
		if p.bounded() && total > 0 {
			best = value / total
		}
		sum += s.Weight * best
		weights += s.Weight
	}
	return sum / weights
}

func (p *Interdiction) bounded() bool { return p.Gamma > 0 && !math.IsInf(p.Gamma, 1) }

func (p *Interdiction) validate(k int) error {
	if k < 0 {
		return fmt.Errorf("interdict: k is %d: use 0 or more", k)
	}
	weights := 0.0
	for i, s := range p.Scenarios {
		if !(s.Weight >= 0) || math.IsInf(s.Weight, 0) {
			return fmt.Errorf("interdict: scenario %d has the weight %g: use 0 or more", i+1, s.Weight)
		}
		weights += s.Weight
		for _, w := range s.Ways {
			if !(w.Evasion >= 0 && w.Evasion <= 1) {
				return fmt.Errorf("interdict: a way of scenario %d has the evasion %g: use 0 to 1", i+1, w.Evasion)
			}
			for _, e := range w.Passes {
				if e < 0 || e >= len(p.Protect) {
					return fmt.Errorf("interdict: a way of scenario %d passes element %d of %d", i+1, e, len(p.Protect))
				}
			}
		}
	}
	if !(weights > 0) {
		return fmt.Errorf("interdict: there are no scenarios with a weight; give at least one pair of ends that a way joins")
	}
	for e, v := range p.Protect {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("interdict: protection of element %d is %g: use 0 to 1", e, v)
		}
	}
	if p.Gamma < 0 || math.IsNaN(p.Gamma) {
		return fmt.Errorf("interdict: gamma is %g: use more than 0, or 0 for wholly rational travellers", p.Gamma)
	}
	return nil
}

// Greedy protects one element after another, each the one that leaves the least
// evasion; where none lowers it, the one that lowers the mean over all ways most,
// for travellers move to the next best. Then single elements are exchanged while
// that helps. Of elements that do as well the one with the lowest number is taken.
// It promises nothing, for the objective is not submodular, but Bound says how much
// better any choice could be at most.
// Cost: k · elements · ways, and as much for each round of exchanges.
func (p *Interdiction) Greedy(k int) (*Protection, error) {
	if err := p.validate(k); err != nil {
		return nil, err
	}
	out, on := p.newProtection(), make([]bool, len(p.Protect))
	for range min(k, len(p.Protect)) {
		e := p.bestOf(on)
		on[e] = true
		out.Elements = append(out.Elements, e)
	}
	p.exchange(out.Elements, on)
	p.finish(out)
	return out, nil
}

func (p *Interdiction) newProtection() *Protection {
	return &Protection{Elements: []int{}, Before: p.evasion(make([]bool, len(p.Protect)))}
}

// bestOf returns the element whose protection on top of others leaves least.
func (p *Interdiction) bestOf(on []bool) int {
	best, least, leastMean := -1, math.Inf(1), math.Inf(1)
	for e := range on {
		if on[e] {
			continue
		}
		on[e] = true
		v := p.evasion(on)
		if best < 0 || v < least-1e-12 {
			best, least, leastMean = e, v, p.meanEvasion(on)
		} else if v < least+1e-12 {
			if mean := p.meanEvasion(on); mean < leastMean-1e-12 {
				best, least, leastMean = e, min(v, least), mean
			}
		}
		on[e] = false
	}
	return best
}

// meanEvasion is the mean over scenarios of the sum of evasions to a high power:
// it tells choices apart that leave the same best way.
func (p *Interdiction) meanEvasion(on []bool) float64 {
	sum := 0.0
	for _, s := range p.Scenarios {
		for _, w := range s.Ways {
			u := w.Evasion
			for _, e := range w.Passes {
				if on[e] {
					u *= 1 - p.Protect[e]
				}
			}
			sum += s.Weight * math.Pow(u, 8)
		}
	}
	return sum
}

func (p *Interdiction) exchange(chosen []int, on []bool) {
	now := p.evasion(on)
	for improved, round := true, 0; improved && round < 10; round++ {
		improved = false
		for i, e := range chosen {
			on[e] = false
			if other := p.bestOf(on); other != e {
				on[other] = true
				if v := p.evasion(on); v < now-1e-12 {
					chosen[i], now, improved = other, v, true
					continue
				}
				on[other] = false
			}
			on[e] = true
		}
	}
}

// finish fills the curve and the bound.
func (p *Interdiction) finish(out *Protection) {
	on := make([]bool, len(p.Protect))
	for _, e := range out.Elements {
		on[e] = true
		out.Curve = append(out.Curve, p.evasion(on))
	}
	out.After = p.evasion(on)
	if out.Bound = out.After; !out.Exact {
		out.Bound = min(out.After, p.bound(len(out.Elements), out.Elements))
	}
}

// Exact tries all choices of k elements; it refuses more than 200,000. Of choices
// that leave as little the first in the order of their numbers is taken.
func (p *Interdiction) Exact(k int) (*Protection, error) {
	if err := p.validate(k); err != nil {
		return nil, err
	}
	k = min(k, len(p.Protect))
	if n := choices(len(p.Protect), k); n > exactChoices {
		return nil, fmt.Errorf("interdict: %.3g choices of %d among %d, more than %d; use the greedy answer", n, k, len(p.Protect), exactChoices)
	}
	out, on := p.newProtection(), make([]bool, len(p.Protect))
	least := math.Inf(1)
	var try func(from int, chosen []int)
	try = func(from int, chosen []int) {
		if len(chosen) == k {
			if v := p.evasion(on); v < least-1e-15 {
				least, out.Elements = v, slices.Clone(chosen)
			}
			return
		}
		for e := from; e <= len(on)-(k-len(chosen)); e++ {
			on[e] = true
			try(e+1, append(chosen, e))
			on[e] = false
		}
	}
	try(0, nil)
	out.Exact = true
	p.finish(out)
	return out, nil
}

// Solve is Exact where that is little work, else Greedy.
func (p *Interdiction) Solve(k int) (*Protection, error) {
	ways := 0
	for _, s := range p.Scenarios {
		ways += len(s.Ways)
	}
	if choices(len(p.Protect), max(0, min(k, len(p.Protect))))*float64(ways+1) <= 20e6 {
		if out, err := p.Exact(k); err == nil {
			return out, nil
		}
	}
	return p.Greedy(k)
}

func choices(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}
