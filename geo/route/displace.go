package route

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Interdiction is the question of a matrix: its crossings are the elements, each
// pair of ends a scenario of the same weight, and protection meets who passes with
// the chance protect.
func (m *Matrix) Interdiction(protect float64) *Interdiction {
	p := &Interdiction{Protect: make([]float64, len(m.Crossings))}
	for e := range p.Protect {
		p.Protect[e] = protect
	}
	for _, pair := range m.byPair() {
		s := Scenario{Weight: 1}
		for _, e := range pair {
			s.Ways = append(s.Ways, Option{e.Evasion, []int{e.Crossing}})
		}
		p.Scenarios = append(p.Scenarios, s)
	}
	return p
}

// Shift is how often a crossing is chosen before and after a change.
type Shift struct {
	Crossing  int     `json:"crossing"`
	SectionID string  `json:"section_id"`
	Before    float64 `json:"share_before"`
	After     float64 `json:"share_after"`
}

// Displacement is what a change of patrols does to where travellers cross.
type Displacement struct {
	Shifts []Shift `json:"shifts"` // those chosen more than one time in a million
	// Diverted is the share of travellers who cross elsewhere: half the sum of the
	// shares' changes, by pair of ends.
	Diverted      float64 `json:"diverted_share"`
	EvasionBefore float64 `json:"evasion_before"`
	EvasionAfter  float64 `json:"evasion_after"`
	// Stayed is the evasion after if nobody moved: it promises more than is had.
	Stayed float64 `json:"evasion_if_nobody_moved"`
}

// Displace compares two matrices of the same question, over the pairs of ends
// that both join. Of each pair a crossing is chosen with the chance e^(-cost/η)
// over the sum, η = spread times the pair's least cost before.
func Displace(before, after *Matrix, spread float64) (*Displacement, error) {
	n := len(before.Crossings)
	if n != len(after.Crossings) || before.Pairs != after.Pairs {
		return nil, fmt.Errorf("displacement: the matrices are of different questions")
	}
	if !(spread > 0) {
		return nil, fmt.Errorf("displacement: spread is %g: use more than 0", spread)
	}
	d := &Displacement{Shifts: []Shift{}}
	from, to := make([]float64, n), make([]float64, n)
	old, pairs := before.byPair(), 0.0
	now := after.byPair()
	for i, k := 0, 0; i < len(old) && k < len(now); {
		switch comparePairs(old[i][0], now[k][0]) {
		case -1:
			i++
		case 1:
			k++
		default:
			d.add(old[i], now[k], shares{from, to, spread})
			pairs++
			i, k = i+1, k+1
		}
	}
	if pairs == 0 {
		return nil, fmt.Errorf("displacement: %w that joins any pair of ends by a crossing; name other ends, crossings or modes", ErrNoPath)
	}
	for _, v := range []*float64{&d.Diverted, &d.EvasionBefore, &d.EvasionAfter, &d.Stayed} {
		*v /= pairs
	}
	for c := range from {
		if s := (Shift{c, before.Crossings[c].SectionID, from[c] / pairs, to[c] / pairs}); max(s.Before, s.After) > 1e-6 {
			d.Shifts = append(d.Shifts, s)
		}
	}
	return d, nil
}

// shares are sums of chances by crossing.
type shares struct {
	from, to []float64
	spread   float64
}

// add adds a pair of ends. Who used a crossing that is too dear to be told after
// the change has, staying there, no chance to get through.
func (d *Displacement) add(old, now []Entry, s shares) {
	least := math.Inf(1)
	for _, e := range old {
		least = min(least, e.Cost)
	}
	η := s.spread * max(least, 1e-12)
	p, q := logit(old, η), logit(now, η)
	moved := map[int]float64{}
	for i, e := range old {
		s.from[e.Crossing] += p[i]
		moved[e.Crossing] -= p[i]
		d.EvasionBefore += p[i] * e.Evasion
		if k := slices.IndexFunc(now, func(o Entry) bool { return o.Crossing == e.Crossing }); k >= 0 {
			d.Stayed += p[i] * now[k].Evasion
		}
	}
	for i, e := range now {
		s.to[e.Crossing] += q[i]
		moved[e.Crossing] += q[i]
		d.EvasionAfter += q[i] * e.Evasion
	}
	for _, c := range slices.Sorted(maps.Keys(moved)) {
		d.Diverted += math.Abs(moved[c]) / 2
	}
}

// byPair cuts the entries by pair of ends.
func (m *Matrix) byPair() (out [][]Entry) {
	first := 0
	for i := range m.Entries {
		if i+1 == len(m.Entries) || comparePairs(m.Entries[i], m.Entries[i+1]) != 0 {
			out = append(out, m.Entries[first:i+1])
			first = i + 1
		}
	}
	return out
}

func comparePairs(x, y Entry) int {
	return cmp.Or(cmp.Compare(x.Origin, y.Origin), cmp.Compare(x.Destination, y.Destination))
}

func logit(entries []Entry, η float64) []float64 {
	least := math.Inf(1)
	for _, e := range entries {
		least = min(least, e.Cost)
	}
	p, sum := make([]float64, len(entries)), 0.0
	for i, e := range entries {
		p[i] = math.Exp(-(e.Cost - least) / η)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
