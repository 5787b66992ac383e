package plan

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// relaxation bounds what sorties over any beats in any order can meet. It lets a unit
// be on the best of its beats at every moment of a sortie, from when it could have
// come there from the base until it must go back: the way from beat to beat takes no
// time, and what is met is counted by the tangent at a reference exposure y,
//
//	p(1-e^(-e)) ≤ p(1-e^(-y)(1+y)) + p·e^(-y)·e
//
// in which time at a beat is worth the same however it is divided. An hour is as light
// and as calm as on any piece. Sorties leave on
// full hours and last full hours up to the endurance. A sortie explores when all its
// beats do. Derived here; for the tangent see M. Frank and P. Wolfe, Naval Research
// Logistics Quarterly 3 (1956).
type relaxation struct {
	*network
	beats   [][]int               // by team, nearest first, no routes
	weights [][conditions]float64 // factors of the sweep width that are told apart
	weight  []int                 // of these, by team
	slope   []float64
	light   [][]float64 // by weight and hour: the largest factor on any piece
	prefix  [][]float64 // by weight: over the pieces before each, what an hour there is worth
}

const mostWeights = 4

// mostRelaxedH bounds the work: with longer sorties there is no such bound.
const mostRelaxedH = 48

func (n *network) newRelaxation() *relaxation {
	r := &relaxation{network: n, slope: make([]float64, len(n.expected))}
	all := [conditions]float64{}
	for t := range n.teams {
		beats := n.teams[t].beats
		var order []int
		for b := range beats {
			if beats[b].visits == nil {
				order = append(order, b)
			}
		}
		slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(beats[x].tripH, beats[y].tripH) })
		r.beats = append(r.beats, order)
		var w [conditions]float64
		for c, g := range n.teams[t].group {
			w[c] = n.teams[t].factors[g]
			all[c] = max(all[c], w[c])
		}
		if k := slices.Index(r.weights, w); k >= 0 {
			r.weight = append(r.weight, k)
		} else {
			r.weight = append(r.weight, len(r.weights))
			r.weights = append(r.weights, w)
		}
	}
	if len(r.weights) > mostWeights { // more than any has
		r.weights = [][conditions]float64{all}
		clear(r.weight)
	}
	for _, w := range r.weights {
		light := make([]float64, n.hours)
		for i, c := range n.condition {
			light[i%n.hours] = max(light[i%n.hours], w[c])
		}
		r.light = append(r.light, light)
	}
	r.prefix = sized(nil, len(r.weights), (len(n.Pieces)+1)*n.hours)
	return r
}

// refer takes in a reference exposure and returns the constant part of the bound. An
// hour h on a piece meets incidents of the hours h-lasts+1 … h.
func (r *relaxation) refer(y []float64) (fixed float64) {
	for i, p := range r.expected {
		if r.slope[i] = p; y[i] > 0 {
			q := math.Exp(-y[i])
			r.slope[i] = p * q
			fixed += p * (1 - q*(1+y[i]))
		}
	}
	for k, light := range r.light {
		for i, p := range r.Pieces {
			slope := r.row(r.slope, i)
			before, after := r.row(r.prefix[k], i), r.row(r.prefix[k], i+1)
			lasts := int(math.Ceil(p.TransientH - 1e-9))
			sum := 0.0
			for h, v := range slope {
				sum += v * light[h]
				if old := h - lasts; old >= 0 {
					sum -= slope[old] * light[old]
				}
				after[h] = before[h] + max(0, sum)
			}
		}
	}
	return fixed
}

// worth is what an hour on a beat is worth, by hour of the window.
func (r *relaxation) worth(team int, b *beat, hour int) float64 {
	p := r.prefix[r.weight[team]]
	return b.rate * (r.row(p, b.to)[hour] - r.row(p, b.from)[hour])
}

// stay is what each half hour of a sortie is worth by how far it is, in half hours,
// from the nearer end: the integral of the best beat's worth.
type stay struct {
	*relaxation
	team      int
	exploring bool
	half      [][]float64 // by half hour from the end, then hour of the window
	nearest   float64
}

func (r *relaxation) stay(team int, exploring bool) stay {
	t := &r.teams[team]
	s := stay{r, team, exploring, sized(nil, t.longest(r.Units[t.unit]), r.hours), math.Inf(1)}
	best := make([]float64, r.hours)
	upTo := 0.0 // halves are filled up to here
	fill := func(to float64) {
		for upTo < to && int(2*upTo) < len(s.half) {
			k := int(2 * upTo)
			end := min(to, float64(k+1)/2)
			for h, v := range best {
				s.half[k][h] += (end - upTo) * v
			}
			upTo = end
		}
	}
	for _, k := range r.beats[team] {
		b := &t.beats[k]
		if exploring && !b.explores {
			continue
		}
		s.nearest = min(s.nearest, b.tripH)
		fill(b.tripH)
		p := r.prefix[r.weight[team]]
		from, to := r.row(p, b.from), r.row(p, b.to)
		for h := range best {
			if v := b.rate * (to[h] - from[h]); v > best[h] {
				best[h] = v
			}
		}
	}
	fill(float64(len(s.half)) / 2)
	return s
}

// longest is the most hours of a sortie.
func (t *team) longest(u Unit) int {
	return int(math.Min(math.Floor(u.EnduranceH), float64(t.hours)))
}

// value of a sortie that leaves at an hour for so many.
func (s *stay) value(start, dutyH int) (sum float64) {
	for j := range 2 * dutyH {
		sum += s.half[min(j, 2*dutyH-1-j)][start+j/2]
	}
	return sum
}

// leg is time on a beat within an hour of the window.
type leg struct {
	team, beat, hour int
	time             float64
}

// legs are what value counts.
func (s *stay) legs(start, dutyH int) (out []leg) {
	beats := s.teams[s.team].beats
	for j := range 2 * dutyH {
		h, d := start+j/2, min(j, 2*dutyH-1-j)
		from, end := float64(d)/2, float64(d+1)/2
		best, at := 0.0, -1
		for _, k := range s.beats[s.team] {
			b := &beats[k]
			if b.tripH >= end {
				break
			}
			v := s.worth(s.team, b, h)
			if s.exploring && !b.explores || v <= best {
				continue
			}
			if b.tripH > from {
				if at >= 0 {
					out = append(out, leg{s.team, at, h, b.tripH - from})
				}
				from = b.tripH
			}
			best, at = v, k
		}
		if at >= 0 {
			out = append(out, leg{s.team, at, h, end - from})
		}
	}
	return out
}

// relaxed is what the teams do in a relaxation.
type relaxed struct {
	value    float64
	exploreH int
	legs     []leg
}

// best is a team's best schedule by the reference.
func (r *relaxation) best(team int, premium float64) (out relaxed) {
	t := &r.teams[team]
	kinds := [2]stay{r.stay(team, false), r.stay(team, true)}
	table := &table{network: r.network, team: team}
	for d := 1; d <= len(kinds[0].half); d++ {
		value, choice := make([]float64, r.hours), make([]sortie, r.hours)
		for start := 0; start+d <= r.hours; start++ {
			for k := range kinds {
				v := premium * float64(d*k)
				if 2*kinds[k].nearest < float64(d) {
					v += kinds[k].value(start, d)
				} else if k == 1 {
					continue
				}
				if v > value[start] {
					value[start], choice[start] = v, sortie{team, k, start, d}
				}
			}
		}
		table.dutyH, table.value, table.choice = append(table.dutyH, d), append(table.value, value), append(table.choice, choice)
	}
	value, schedule := table.best(t.hours)
	out.value = value
	for _, s := range schedule {
		out.legs = append(out.legs, kinds[s.beat].legs(s.start, s.shape)...)
		out.exploreH += s.beat * s.shape
	}
	return out
}

// lower brings the bound down by Frank and Wolfe's steps of the reference, and of the
// premium as in network.lower.
func (r *relaxation) lower(ctx context.Context, f reference, rounds int) float64 {
	y := slices.Clone(f.exposure)
	target := make([]float64, len(y))
	for t := range r.teams {
		if r.teams[t].longest(r.Units[r.teams[t].unit]) > mostRelaxedH {
			return math.Inf(1)
		}
	}
	least, perHour := math.Inf(1), r.total/float64(max(1, r.dutyH()))
	for k := 0; k < rounds && ctx.Err() == nil; k++ {
		bound := r.refer(y) - f.premium*float64(r.quotaH)
		teams := make([]relaxed, len(r.teams))
		each(len(teams), func(t int) { teams[t] = r.best(t, f.premium) })
		clear(target)
		exploreH := 0
		for _, t := range teams {
			bound += t.value
			exploreH += t.exploreH
			for _, l := range t.legs {
				r.expose(l, target)
			}
		}
		least = min(least, bound)
		step := 1 / float64(k+2)
		for i := range y {
			y[i] += step * (target[i] - y[i])
		}
		if r.quotaH > 0 {
			short := float64(r.quotaH-exploreH) / float64(r.quotaH)
			f.premium = max(0, f.premium+0.1*perHour*step*max(-1, min(1, short)))
		}
	}
	return least
}

// expose adds the exposure of a leg.
func (r *relaxation) expose(l leg, exposure []float64) {
	b, light := &r.teams[l.team].beats[l.beat], r.light[r.weight[l.team]]
	lasts := int(math.Ceil(b.lastsH - 1e-9))
	for i := b.from; i < b.to; i++ {
		row := r.row(exposure, i)
		for h := max(0, l.hour-lasts+1); h <= l.hour; h++ {
			row[h] += b.rate * l.time * light[h]
		}
	}
}
