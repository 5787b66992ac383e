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
	unmet    float64   // their sum
	spentH   []int     // by team
	exploreH int
}

func newRoster(n *network) *roster {
	r := &roster{network: n, spentH: make([]int, len(n.teams))}
	r.exposure, r.left = make([]float64, len(n.expected)), make([]float64, len(n.expected))
	copy(r.left, n.expected)
	r.unmet = n.total
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
	r.expose(s, func(i int, e float64) {
		r.exposure[i] = max(0, r.exposure[i]+sign*e)
		left := r.expected[i] * math.Exp(-r.exposure[i])
		r.unmet += left - r.left[i]
		r.left[i] = left
	})
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
	sums [][]float64 // see sumLeft
	pods []float64
	free []bool
}

// front is how many hours before the window sums begin, with zeros: incidents that
// would begin there are none of the plan's.
const front = mostLastsH

// sumLeft sums what is left unmet on each span of a beat over its pieces and the
// hours before each, by group of conditions: sums[span·groups + group].
func (r *roster) sumLeft(team int, b *beat, m *scratch) {
	t := &r.teams[team]
	groups := len(t.factors)
	m.sums = sized(m.sums, groups*len(b.spans), front+r.hours+1)
	for k, at := range b.spans {
		part := m.sums[k*groups : (k+1)*groups]
		whole := part[0][front+1:]
		for i := at.from; i < at.to; i++ {
			for h, v := range r.row(r.left, i) {
				whole[h] += v
			}
		}
		if groups > 1 {
			for h, c := range r.row8(r.condition, at.from) {
				if g := t.group[c]; g > 0 {
					part[g][front+1+h], whole[h] = whole[h], 0
				}
			}
		}
		for _, sums := range part {
			add(sums[front:])
		}
	}
}

// sized returns so many empty rows, in place of old ones if they fit.
func sized(rows [][]float64, n, length int) [][]float64 {
	if len(rows) > 0 && len(rows[0]) != length {
		rows = nil
	}
	for len(rows) < n {
		rows = append(rows, make([]float64, length))
	}
	for _, r := range rows[:n] {
		clear(r)
	}
	return rows
}

// add puts in the place of each value the sum up to it.
func add(sums []float64) {
	for h := 1; h < len(sums); h++ {
		sums[h] += sums[h-1]
	}
}

// gain is what a shape that starts at an hour adds, by the sums of its beat.
func (t *team) gain(b *beat, s *shape, m *scratch, start int) (sum float64) {
	groups := len(t.factors)
	at := front + start
	for _, run := range s.runs {
		k := b.grades[run.grade].span * groups
		for c := range groups {
			sums := m.sums[k+c]
			sum += m.pods[run.grade*groups+c] * (sums[at+run.to] - sums[at+run.from])
		}
	}
	return sum
}

// pods are the chances to meet an incident, by grade and group of conditions.
func (t *team) pods(b *beat, dst []float64) []float64 {
	dst = dst[:0]
	for _, g := range b.grades {
		for _, f := range t.factors {
			dst = append(dst, -math.Expm1(-g.exposure*f))
		}
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
	t := &r.teams[team]
	r.sumLeft(team, b, m)
	m.pods = t.pods(b, m.pods)
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
			gain := t.gain(b, s, m, start)
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
