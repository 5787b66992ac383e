package plan

import "math"

// sortie is one of a team's: a beat, the hour of leaving the base, and a shape.
type sortie struct {
	team, beat, start, shape int
}

// roster is a set of sorties with what they leave unmet.
type roster struct {
	*network
	sorties  []sortie
	exposure []float64 // by piece and hour: coverage that an incident there meets
	left     []float64 // expected incidents that nobody meets
	spentH   []int     // by team
	exploreH int
}

func newRoster(n *network) *roster {
	r := &roster{network: n, spentH: make([]int, len(n.teams))}
	r.exposure, r.left = make([]float64, len(n.expected)), make([]float64, len(n.expected))
	copy(r.left, n.expected)
	return r
}

func (n *network) beatOf(s sortie) *beat   { return &n.teams[s.team].beats[s.beat] }
func (n *network) shapeOf(s sortie) *shape { return &n.beatOf(s).shapes[s.shape] }

// met is the expected number of incidents that the sorties meet.
func (r *roster) met() float64 {
	left := 0.0
	for _, v := range r.left {
		left += v
	}
	return r.total - left
}

// add takes a sortie in, or out again with sign -1.
func (r *roster) change(s sortie, sign float64) {
	b, sh := r.beatOf(s), r.shapeOf(s)
	for i := b.from; i < b.to; i++ {
		exposure, left, expected := r.row(r.exposure, i), r.row(r.left, i), r.row(r.expected, i)
		for _, run := range sh.runs {
			e := sign * b.grades[run.grade]
			for h := max(0, s.start+run.from); h < min(r.hours, s.start+run.to); h++ {
				exposure[h] = max(0, exposure[h]+e)
				left[h] = expected[h] * math.Exp(-exposure[h])
			}
		}
	}
	h := int(sign) * sh.dutyH
	r.spentH[s.team] += h
	if b.explores {
		r.exploreH += h
	}
}

func (r *roster) add(s sortie) {
	r.change(s, 1)
	r.sorties = append(r.sorties, s)
}

// remove takes out the sortie at k; the last one takes its place.
func (r *roster) remove(k int) sortie {
	s := r.sorties[k]
	r.change(s, -1)
	last := len(r.sorties) - 1
	r.sorties[k] = r.sorties[last]
	r.sorties = r.sorties[:last]
	return s
}

// free tells from which hours a team could leave for a sortie of dutyH hours.
func (r *roster) free(team, dutyH int, dst []bool) []bool {
	dst = dst[:0]
	for s := range r.hours {
		dst = append(dst, s+dutyH <= r.hours)
	}
	for _, o := range r.sorties {
		if o.team != team {
			continue
		}
		before := o.start - dutyH - r.restH
		after := o.start + r.shapeOf(o).dutyH + r.restH
		for s := max(0, before+1); s < min(r.hours, after); s++ {
			dst[s] = false
		}
	}
	return dst
}

// scratch is what looking for a sortie needs besides.
type scratch struct {
	sums []float64 // of the hours before, over the pieces of a beat
	free []bool
}

// sumLeft sums what is left unmet on a beat, over its pieces and the hours before
// each.
func (r *roster) sumLeft(b *beat, m *scratch) {
	if len(m.sums) != r.hours+1 {
		m.sums = make([]float64, r.hours+1)
	}
	clear(m.sums)
	sums := m.sums[1:]
	for i := b.from; i < b.to; i++ {
		for h, v := range r.row(r.left, i) {
			sums[h] += v
		}
	}
	for h := 1; h < len(m.sums); h++ {
		m.sums[h] += m.sums[h-1]
	}
}

// gain is what a shape that starts at an hour adds, by the sums of its beat.
func (b *beat) gain(s *shape, pods, sums []float64, start int) (sum float64) {
	hours := len(sums) - 1
	for _, run := range s.runs {
		from, to := max(0, start+run.from), min(hours, start+run.to)
		if from < to {
			sum += pods[run.grade] * (sums[to] - sums[from])
		}
	}
	return sum
}

// pods are the chances to meet an incident that is exposed so much.
func (b *beat) pods(dst []float64) []float64 {
	dst = dst[:0]
	for _, e := range b.grades {
		dst = append(dst, -math.Expm1(-e))
	}
	return dst
}

// found is a sortie with what it adds.
type found struct {
	sortie
	gain  float64
	value float64 // what it is chosen by
}

// limits narrow the search for a sortie.
type limits struct {
	perHour   bool // by gain per hour on duty, else by gain
	exploring bool // only beats that explore
	hours     int  // at most so long
}

// bestOn finds the best sortie on one beat; ok is false when none fits.
func (r *roster) bestOn(team, beat int, l limits, m *scratch) (best found, ok bool) {
	b := &r.teams[team].beats[beat]
	if l.exploring && !b.explores {
		return best, false
	}
	r.sumLeft(b, m)
	var buf [16]float64
	pods := b.pods(buf[:0])
	for k := range b.shapes {
		s := &b.shapes[k]
		if s.dutyH > l.hours {
			continue
		}
		m.free = r.free(team, s.dutyH, m.free)
		for start, free := range m.free {
			if !free {
				continue
			}
			gain := b.gain(s, pods, m.sums, start)
			value := gain
			if l.perHour {
				value /= float64(s.dutyH)
			}
			if value > best.value {
				best, ok = found{sortie{team, beat, start, k}, gain, value}, true
			}
		}
	}
	return best, ok
}
