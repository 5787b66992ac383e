package plan

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sort"
)

// Cell is a place, or a place at an hour, that effort can go to.
type Cell struct {
	Weight float64 // p: what is expected there, such as incidents or probability
	Rate   float64 // a: coverage per unit of effort
	Cap    float64 // most effort that the cell takes; 0: no limit
}

// Allocation is how effort is best divided over cells.
type Allocation struct {
	Effort     []float64 // t, as the cells came
	Value      float64   // Σ p(1-e^(-a·t))
	Price      float64   // μ, what one more unit of effort would add
	UpperBound float64   // the dual's value: no division can reach more
	Unused     float64   // effort that found every cell at its cap or of no use
}

// Gap is the duality gap, in the unit of the cells' weight.
func (a Allocation) Gap() float64 { return a.UpperBound - a.Value }

// Allocate divides a total of effort over cells so that Σ p(1-e^(-a·t)) is
// largest, for Σt ≤ total and 0 ≤ t ≤ cap:
//
//	t = min(cap, max(0, ln(p·a/μ)/a))
//
// Between the values of μ at which a cell gets its first effort (p·a) or
// reaches its cap (p·a·e^(-a·cap)), Σt is linear in ln μ, so μ is exact after
// one sort. The dual is μ·total + Σ max over t of p(1-e^(-a·t)) - μ·t.
//
// Source: B. O. Koopman, Operations Research 5 (1957); A. Charnes and W. W.
// Cooper, Management Science 5 (1958). It fails on numbers below 0 or not finite.
func Allocate(cells []Cell, total float64) (Allocation, error) {
	if !(total >= 0) || math.IsInf(total, 0) {
		return Allocation{}, errors.New("allocate effort: give a finite total of 0 or more")
	}
	for _, c := range cells {
		if !(c.Weight >= 0) || !(c.Rate >= 0) || !(c.Cap >= 0) || math.IsInf(c.Weight+c.Rate+c.Cap, 0) {
			return Allocation{}, errors.New("allocate effort: weights, rates and caps must be finite and 0 or more")
		}
	}
	begins := make([]float64, len(cells)) // ln μ at which each takes its first effort
	for i, c := range cells {
		begins[i] = math.Log(c.Weight) + math.Log(c.Rate)
	}
	logPrice := waterLevel(cells, begins, total)
	out := Allocation{Effort: make([]float64, len(cells)), Price: math.Exp(logPrice)}
	used := 0.0
	for i, c := range cells {
		out.Effort[i] = c.effort(begins[i], logPrice)
		used += out.Effort[i]
	}
	if math.IsInf(logPrice, -1) {
		out.Unused = total - used
	}
	out.UpperBound = out.Price * total
	for i, c := range cells {
		met := -c.Weight * math.Expm1(-c.Rate*out.Effort[i])
		out.Value += met
		out.UpperBound += met - out.Price*out.Effort[i]
	}
	return out, nil
}

// effort is what a cell gets at a price.
func (c Cell) effort(begins, logPrice float64) float64 {
	if !(begins > logPrice) {
		return 0
	}
	t := (begins - logPrice) / c.Rate
	if c.Cap > 0 && t > c.Cap {
		return c.Cap
	}
	if c.Cap == 0 && math.IsInf(t, 1) {
		return 0 // no price is low enough for a total: none is placed here
	}
	return t
}

// waterLevel returns ln μ; -Inf when no price is low enough to place the total.
func waterLevel(cells []Cell, begins []float64, total float64) float64 {
	var turns []float64 // ln μ at which a cell begins to take effort, or stops
	for i, c := range cells {
		if math.IsInf(begins[i], -1) {
			continue
		}
		turns = append(turns, begins[i])
		if c.Cap > 0 {
			turns = append(turns, begins[i]-c.Rate*c.Cap)
		}
	}
	if len(turns) == 0 {
		return math.Inf(-1)
	}
	slices.SortFunc(turns, func(x, y float64) int { return cmp.Compare(y, x) })
	placed := func(logPrice float64) (sum float64) {
		for i, c := range cells {
			sum += c.effort(begins[i], logPrice)
		}
		return sum
	}
	k := sort.Search(len(turns), func(k int) bool { return placed(turns[k]) >= total })
	if k == 0 {
		return turns[0]
	}
	level, width, below := turns[k-1], 0.0, math.Inf(-1) // width: effort per fall of ln μ
	if k < len(turns) {
		below = turns[k]
	}
	for i, c := range cells {
		if begins[i] >= level && (c.Cap == 0 || begins[i]-c.Rate*c.Cap < level) {
			width += 1 / c.Rate
		}
	}
	if width == 0 {
		return below // all are at their caps
	}
	return max(below, level-(total-placed(level))/width)
}
