package plan

import (
	"math"
	"slices"
)

// tune settles how long each visit of a route lasts: water-filling on what visits of
// one and two least lengths meet, then quarters of an hour from one visit to another
// while that meets more, then the same without one of the visits or the other way
// round.
func (w *window) tune(visits []visit) []visit {
	best := w.refine(visits)
	most := w.gain(best)
	for again := true; again && len(best) > 1; {
		again = false
		turned := slices.Clone(best)
		slices.Reverse(turned)
		tries := [][]visit{turned}
		for k := range best {
			tries = append(tries, slices.Delete(slices.Clone(best), k, k+1))
		}
		for _, try := range tries {
			if got := w.refine(try); w.gain(got) > most*(1+1e-9) {
				best, most, again = got, w.gain(got), true
			}
		}
	}
	return best
}

// refine divides the time of a route over its visits; nil if it does not fit.
func (w *window) refine(order []visit) []visit {
	if len(order) == 0 {
		return nil
	}
	least := make([]float64, len(order))
	spare := float64(w.dutyH) - w.travelH(order)
	cells := make([]Cell, len(order))
	for i, v := range order {
		least[i] = w.leastH(w.team.beats[v.beat])
		spare -= least[i]
		cells[i] = w.fit(v.beat, least[i])
	}
	if spare < 0 {
		return nil
	}
	stays := slices.Clone(least)
	if a, err := Allocate(cells, spare); err == nil {
		for i, more := range a.Effort {
			stays[i] += more
			spare -= more
		}
	}
	stays[0] += max(0, spare)
	out := w.schedule(order, stays)
	most := w.gain(out)
	for step := 1.0; step >= 0.25; step /= 2 {
		for again := true; again; {
			again = false
			for i := range stays {
				for j := range stays {
					if i == j || stays[i]-step < least[i] {
						continue
					}
					stays[i] -= step
					stays[j] += step
					if try := w.schedule(order, stays); w.gain(try) > most*(1+1e-9) {
						out, most, again = try, w.gain(try), true
						continue
					}
					stays[i] += step
					stays[j] -= step
				}
			}
		}
	}
	return out
}

// fit is weight·(1-e^(-rate·t)) for t more hours than the least on a beat, through
// what visits of one and two least lengths meet.
func (w *window) fit(beat int, least float64) Cell {
	one, two := w.visitGain(w.middle(beat, least)), w.visitGain(w.middle(beat, 2*least))
	ratio := min(0.999, two/one-1)
	if !(ratio > 1e-6) {
		return Cell{}
	}
	rate := -math.Log(ratio) / least
	return Cell{Weight: one / (1 - ratio) * ratio, Rate: rate}
}

// travelH is the time that a route spends between base and beats.
func (w *window) travelH(order []visit) float64 {
	beats := w.team.beats
	sum := beats[order[0].beat].tripH + beats[order[len(order)-1].beat].tripH
	for i := 1; i < len(order); i++ {
		gap, _, _ := w.gapH(w.unit, beats[order[i-1].beat].span, beats[order[i].beat].span)
		sum += gap
	}
	return sum
}

// schedule times the visits of a route.
func (w *window) schedule(order []visit, stays []float64) []visit {
	out := slices.Clone(order)
	beats := w.team.beats
	at := beats[order[0].beat].tripH
	for i := range out {
		if i > 0 {
			gap, _, _ := w.gapH(w.unit, beats[order[i-1].beat].span, beats[order[i].beat].span)
			at += gap
		}
		out[i].begin, out[i].end = at, at+stays[i]
		at += stays[i]
	}
	return out
}

// beat is a route as its team keeps it.
func (w *window) beat(visits []visit) beat {
	first := w.team.beats[visits[0].beat]
	b := beat{span: first.span, visits: visits, entry: first.entry, tripH: first.tripH, explores: true}
	s := shape{dutyH: w.dutyH}
	for k, v := range visits {
		o := w.team.beats[v.beat]
		b.spans = append(b.spans, o.span)
		b.explores = b.explores && o.explores
		b.addRuns(&s, k, v)
	}
	b.shapes = []shape{s}
	return b
}
