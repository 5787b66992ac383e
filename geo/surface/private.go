package surface

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
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

// NoisyCounts adds noise of its own to the count of each cell of a fixed grid,
// counted or not. One case is in one cell, so that the whole is ε-differentially
// private, and so is all that is made of it. The grid must not depend on the
// counts; counts outside it are left out. Noisy counts may be below 0.
//
// Source: Ghosh, Roughgarden, Sundararajan, SIAM J. Comput. 41 (2012), the
// two-sided geometric mechanism.
func NoisyCounts(grid []ReleaseCell, counts map[ReleaseCell]int, e Epsilon, dice Dice) ([]int, error) {
	if e.Num == 0 || e.Den == 0 {
		return nil, fmt.Errorf("noise for %d cells: %w", len(grid), ErrBudget)
	}
	out := make([]int, len(grid))
	for i, c := range grid {
		out[i] = counts[c] + int(dice.Laplace(e))
	}
	return out, nil
}

// NoiseRule says from what number on noisy counts are shown.
type NoiseRule struct {
	Epsilon Epsilon
	// Levels are those of the cells, finest first. What a cell has too few of goes
	// up to the cell around it of the next.
	Levels []int
	Least  int
}

// noiseSDs is how many standard deviations of the noise in it a sum must reach.
// At ε 0.9, with 10 cases at least, one cell in 11,000 that holds nothing is
// shown all the same.
const noiseSDs = 4

// least is the number from which a sum of so many noisy counts is shown.
func (r NoiseRule) least(cells int) int {
	q := math.Exp(-r.Epsilon.Value())
	sd := math.Sqrt(2*q*float64(cells)) / (1 - q)
	return max(r.Least, int(math.Ceil(noiseSDs*sd)))
}

// Show returns the cells whose noisy counts are large enough. It looks at
// nothing but noisy counts, so that it costs no budget. noisy is as NoisyCounts
// returns it, for a grid of cells of the finest level.
func (r NoiseRule) Show(grid []ReleaseCell, noisy []int) map[ReleaseCell]int {
	type sum struct{ n, cells int }
	pending, out := map[ReleaseCell]sum{}, map[ReleaseCell]int{}
	for i, c := range grid {
		pending[c] = sum{noisy[i], 1}
	}
	for _, level := range r.Levels {
		around := map[ReleaseCell]sum{}
		for c, s := range pending {
			at := c.in(level)
			around[at] = sum{around[at].n + s.n, around[at].cells + s.cells}
		}
		for c, s := range around {
			if s.n >= r.least(s.cells) {
				out[c] = s.n
				delete(around, c)
			}
		}
		pending = around
	}
	return out
}

// ReleaseGrid lists the cells of a level that a box of degrees touches, by row
// and column.
func ReleaseGrid(box orb.Bound, level int) []ReleaseCell {
	nw, se := ReleaseCellAt(box.Min[0], box.Max[1], level), ReleaseCellAt(box.Max[0], box.Min[1], level)
	var out []ReleaseCell
	for y := nw.Y; y <= se.Y; y++ {
		for x := nw.X; x <= se.X; x++ {
			out = append(out, ReleaseCell{level, x, y})
		}
	}
	return out
}
