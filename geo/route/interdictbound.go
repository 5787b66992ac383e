package route

import (
	"cmp"
	"math"
	"slices"
	"sort"
)

// bound is no more than the evasion that any choice of k elements leaves; greedy
// is a choice that helps to find it.
func (p *Interdiction) bound(k int, greedy []int) float64 {
	if p.bounded() {
		return p.blindBound(k, greedy)
	}
	sum, weights := 0.0, 0.0
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		sum += s.Weight * p.leastBest(s, k)
		weights += s.Weight
	}
	return sum / weights
}

// leastBest is no more than what k elements of its own leave to a traveller who
// takes his best way.
//
// A way keeps at least what its k best protected elements leave. Of ways that have
// no element in common each needs elements of its own to be brought down, so that
// the best of them stays above every level for which they need more than k
// together.
func (p *Interdiction) leastBest(s *Scenario, k int) float64 {
	ways := slices.Clone(s.Ways)
	slices.SortStableFunc(ways, func(x, y Option) int { return cmp.Compare(y.Evasion, x.Evasion) })
	least := 0.0
	taken := map[int]bool{}
	var apart [][]float64 // what the first, second … elements leave of each way
	for _, w := range ways {
		left := p.leavings(w, k)
		least = max(least, left[len(left)-1])
		if !slices.ContainsFunc(w.Passes, func(e int) bool { return taken[e] }) {
			apart = append(apart, left)
			for _, e := range w.Passes {
				taken[e] = true
			}
		}
	}
	need := func(level float64) (n int) {
		for _, left := range apart {
			for j := 0; left[j] > level; j++ {
				if n++; n > k || j+1 == len(left) {
					return k + 1
				}
			}
		}
		return n
	}
	levels := []float64{}
	for _, left := range apart {
		levels = append(levels, left...)
	}
	slices.Sort(levels)
	if i := sort.Search(len(levels), func(i int) bool { return need(levels[i]) <= k }); i < len(levels) {
		least = max(least, levels[i])
	}
	return least
}

// leavings are the evasions of a way with none, one … up to k of its elements
// protected, the most effective first.
func (p *Interdiction) leavings(w Option, k int) []float64 {
	passes := slices.Sorted(slices.Values(w.Passes))
	var keeps []float64
	for i, e := range passes {
		if i > 0 && e == passes[i-1] {
			keeps[len(keeps)-1] *= 1 - p.Protect[e]
		} else {
			keeps = append(keeps, 1-p.Protect[e])
		}
	}
	slices.Sort(keeps)
	out := []float64{w.Evasion}
	for j := range min(k, len(keeps)) {
		out = append(out, out[j]*keeps[j])
	}
	return out
}

// blindBound is for quantal travellers, who do no worse than one who picks a way
// blindly: what he loses is submodular in the elements, so that k of them take no
// more than they do with those of any choice and the k that add most to it.
//
// Source: G. Nemhauser, L. Wolsey and M. Fisher, Math. Programming 14 (1978).
func (p *Interdiction) blindBound(k int, greedy []int) float64 {
	best := 0.0
	for _, base := range [][]int{nil, greedy} {
		on := make([]bool, len(p.Protect))
		for _, e := range base {
			on[e] = true
		}
		left, gains := p.blind(on)
		slices.SortFunc(gains, func(x, y float64) int { return cmp.Compare(y, x) })
		for _, gain := range gains[:min(k, len(gains))] {
			left -= gain
		}
		best = max(best, left)
	}
	all := make([]bool, len(p.Protect))
	for e := range all {
		all[e] = true
	}
	left, _ := p.blind(all)
	return max(best, left)
}

// blind is the evasion of travellers who take each way as often, and by how much
// each element more lowers it.
func (p *Interdiction) blind(on []bool) (left float64, gains []float64) {
	gains = make([]float64, len(on))
	weights := 0.0
	for _, s := range p.Scenarios {
		weights += s.Weight
	}
	for _, s := range p.Scenarios {
		for _, w := range s.Ways {
			u := w.Evasion * s.Weight / weights / float64(len(s.Ways))
			for _, e := range w.Passes {
				if on[e] {
					u *= 1 - p.Protect[e]
				}
			}
			left += u
			for _, e := range w.Passes {
				if !on[e] {
					gains[e] += u * p.Protect[e]
				}
			}
		}
	}
	return math.Max(0, left), gains
}
