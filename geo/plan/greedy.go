package plan

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"slices"
)

// fill adds sorties, each time the one that adds most per hour on duty, while
// hours are left. A sortie adds no more when others have been added (what is met
// is a monotone submodular function of the set of sorties), so that a beat whose
// last known value is below another's present one need not be looked at.
//
// Source: M. Minoux, Lecture Notes in Control and Information Sciences 7 (1978).
func (r *roster) fill(ctx context.Context, exploring bool) {
	var q queue
	m := &scratch{}
	look := func(team, beat int) (entry, bool) {
		l := limits{perHour: true, exploring: exploring, hours: r.teams[team].hours - r.spentH[team]}
		if exploring {
			l.hours = min(l.hours, max(r.quotaH-r.exploreH, shortest(&r.teams[team].beats[beat])))
		}
		f, ok := r.bestOn(team, beat, l, m)
		return entry{f, len(r.sorties)}, ok && f.gain > 1e-12*r.total
	}
	for t := range r.teams {
		for b := range r.teams[t].beats {
			if e, ok := look(t, b); ok {
				q = append(q, e)
			}
		}
	}
	heap.Init(&q)
	for len(q) > 0 && ctx.Err() == nil {
		if exploring && r.exploreH >= r.quotaH {
			return
		}
		e := q[0]
		if e.seen == len(r.sorties) {
			r.add(e.sortie)
			continue
		}
		if e, ok := look(e.team, e.beat); ok {
			q[0] = e
			heap.Fix(&q, 0)
		} else {
			heap.Pop(&q)
		}
	}
}

func shortest(b *beat) int { return b.shapes[len(b.shapes)-1].dutyH }

// entry is the best sortie on a beat when so many had been added.
type entry struct {
	found
	seen int
}

type queue []entry

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(entry)) }
func (q queue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.team, b.team), cmp.Compare(a.beat, b.beat)) < 0
}
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// rankBeats puts each team's beats in the order of what their best sortie adds
// when there is no other: no sortie there ever adds more.
func (n *network) rankBeats() {
	empty := newRoster(n)
	each(len(n.teams), func(t int) {
		team, m := &n.teams[t], &scratch{}
		team.byGain = make([]int, len(team.beats))
		for b := range team.beats {
			f, _ := empty.bestOn(t, b, limits{hours: team.hours}, m)
			team.beats[b].bestAlone = f.gain
			team.byGain[b] = b
		}
		slices.SortStableFunc(team.byGain, func(x, y int) int {
			return cmp.Compare(team.beats[y].bestAlone, team.beats[x].bestAlone)
		})
	})
}

// bestOf finds the sortie of a team that adds most.
func (r *roster) bestOf(team int, l limits, m *scratch) (best found, ok bool) {
	t := &r.teams[team]
	l.hours = min(l.hours, t.hours-r.spentH[team])
	for _, b := range t.byGain {
		if t.beats[b].bestAlone <= best.gain {
			break
		}
		if f, fits := r.bestOn(team, b, l, m); fits && f.gain > best.gain {
			best, ok = f, true
		}
	}
	return best, ok && best.gain > 1e-12*r.total
}

// improve puts one sortie after the other where it adds most, with what else then
// fits, until nothing moves or passes run out.
func (r *roster) improve(ctx context.Context, passes int) {
	m := &scratch{}
	for range passes {
		moved := false
		for k := 0; k < len(r.sorties) && ctx.Err() == nil; k++ {
			moved = r.move(k, m) || moved
		}
		if !moved {
			return
		}
	}
}

// move takes out a sortie and puts in what adds most instead.
func (r *roster) move(k int, m *scratch) bool {
	before := r.gainOf(r.sorties[k])
	old := r.remove(k)
	gain, added := 0.0, 0
	for {
		must := r.exploreH < r.quotaH
		f, ok := r.bestOf(old.team, limits{exploring: must, hours: r.hours}, m)
		if !ok {
			break
		}
		r.add(f.sortie)
		gain += f.gain
		added++
	}
	if gain > before*(1+1e-9) && r.exploreH >= r.quotaH {
		return true
	}
	for range added {
		r.remove(len(r.sorties) - 1)
	}
	r.add(old)
	last := len(r.sorties) - 1
	r.sorties[k], r.sorties[last] = r.sorties[last], r.sorties[k]
	return false
}

// gainOf is what one of the sorties adds to the others.
func (r *roster) gainOf(s sortie) (sum float64) {
	r.expose(s, func(i int, e float64) { sum += r.left[i] * math.Expm1(e) })
	return sum
}
