package surface

import (
	"errors"
	"fmt"
)

// Epsilon is a privacy budget as a fraction: how far the chance of any outcome
// may differ, in logarithm, for one case more or less.
type Epsilon struct{ Num, Den uint32 }

// Value is the budget as a number.
func (e Epsilon) Value() float64 { return float64(e.Num) / float64(e.Den) }

// ErrBudget: a budget that is no fraction above 0.
var ErrBudget = errors.New("the privacy budget must be above 0")

// Dice draws 64 random bits; what is released to the public must come from a
// source that nobody can foresee.
type Dice func() uint64

// below draws an integer from 0 to n-1, each with the same chance.
func (d Dice) below(n uint64) uint64 {
	for {
		if v := d(); v < -n-(-n)%n { // a multiple of n
			return v % n
		}
	}
}

// expMinus is true with the chance e^(-num/den), num ≤ den.
//
// Source: C. L. Canonne, G. Kamath, T. Steinke, NeurIPS 33 (2020), algorithm 1.
func (d Dice) expMinus(num, den uint64) bool {
	k := uint64(1)
	for d.below(den*k) < num {
		k++
	}
	return k%2 == 1
}

// Laplace draws an integer k with a chance that falls as e^(-ε|k|), exactly:
// no floating point number is in it whose low bits could tell.
//
// Source: Canonne, Kamath and Steinke, algorithm 2. Cost: a few draws, 1/ε of
// them on average at most.
func (d Dice) Laplace(e Epsilon) int64 {
	s, t := uint64(e.Num), uint64(e.Den)
	for {
		u := d.below(t)
		if !d.expMinus(u, t) {
			continue
		}
		v := uint64(0)
		for d.expMinus(1, 1) {
			v++
		}
		y := int64((u + t*v) / s)
		if d.below(2) == 0 {
			return y
		}
		if y != 0 {
			return -y
		}
	}
}

// NoiseRule says with what budget counts are told, and from what number on.
type NoiseRule struct {
	Epsilon Epsilon
	Least   int
}

// NoisyCounts is what the public may see of counts: each cell of a fixed grid,
// counted or not, with noise of its own, and of those the ones with at least
// the rule's number. One case is in one cell, so that the whole is ε-differentially private;
// leaving out small numbers afterwards costs nothing. The grid must not depend
// on the counts; counts outside it are left out.
//
// Source: Ghosh, Roughgarden, Sundararajan, SIAM J. Comput. 41 (2012), the
// two-sided geometric mechanism.
func NoisyCounts(grid []ReleaseCell, counts map[ReleaseCell]int, rule NoiseRule, dice Dice) (map[ReleaseCell]int, error) {
	if rule.Epsilon.Num == 0 || rule.Epsilon.Den == 0 {
		return nil, fmt.Errorf("noise for %d cells: %w", len(grid), ErrBudget)
	}
	out := map[ReleaseCell]int{}
	for _, c := range grid {
		if n := counts[c] + int(dice.Laplace(rule.Epsilon)); n >= rule.Least {
			out[c] = n
		}
	}
	return out, nil
}
