package plan

import (
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Track returns the way of a sortie and when it is at each place: from the base to
// the nearest end of a piece of the first beat, along each beat to and fro at the
// unit's speed, from beat to beat between their nearest ends, and back from the last.
// It is a proposal, straight where it is not on a beat. Passes beyond so many vertices
// are left out: the unit then stays where it leaves the beat.
func (p *Plan) Track(s Sortie, vertices int) (orb.LineString, []time.Time) {
	n := p.network
	u := n.Units[n.teams[s.pick.team].unit]
	visits := n.visitsOf(s.pick)
	line, times := orb.LineString{u.Base}, []time.Time{s.Departs}
	for k, v := range visits {
		way, entry := n.beatLine(&n.teams[s.pick.team].beats[v.beat], u)
		exit := entry
		end := func(last bool) int {
			if last {
				return len(way) - 1
			}
			return 0
		}
		beats := n.teams[s.pick.team].beats
		if k > 0 {
			_, _, last := n.gapH(u, beats[visits[k-1].beat].span, beats[v.beat].span)
			entry = end(last)
		}
		if k+1 < len(visits) {
			_, last, _ := n.gapH(u, beats[v.beat].span, beats[visits[k+1].beat].span)
			exit = end(last)
		}
		t := newTour(way, u.SpeedKMH, s.Visits[k].Arrives)
		t.patrol(entry, exit, u.SpeedKMH*(v.end-v.begin), (vertices-len(line))/(len(visits)-k))
		for i, at := range t.times { // gaps between pieces are on no clock
			if at.After(s.Visits[k].Leaves) {
				t.times[i] = s.Visits[k].Leaves
			}
		}
		line = append(append(line, t.line...), way[exit]) // it spends there what is left of the time
		times = append(append(times, t.times...), s.Visits[k].Leaves)
	}
	return append(line, u.Base), append(times, s.Returns)
}

// beatLine joins the lines of a beat and finds where it is entered from the base.
func (n *network) beatLine(b *beat, u Unit) (way orb.LineString, entry int) {
	for i := b.from; i < b.to; i++ {
		line := n.Pieces[i].Line
		if i == b.entry {
			entry = len(way)
			if geo.LocalDistanceM(u.Base, line[len(line)-1]) < geo.LocalDistanceM(u.Base, line[0]) {
				entry += len(line) - 1
			}
		}
		way = append(way, line...)
	}
	return way, entry
}

func newTour(way orb.LineString, kmh float64, at time.Time) *tour {
	t := &tour{way: way, kmh: kmh, at: at, along: []float64{0}}
	for i := 1; i < len(way); i++ {
		t.along = append(t.along, t.along[i-1]+geo.LocalDistanceM(way[i-1], way[i])/1000)
	}
	return t
}

// patrol goes up and down from entry to exit in a distance of at least twice the
// length, over all of it.
func (t *tour) patrol(entry, exit int, km float64, vertices int) {
	last := len(t.way) - 1
	length := t.along[last]
	t.visit(entry)
	if length == 0 {
		return
	}
	direct := math.Abs(t.along[exit] - t.along[entry])
	if km < 2*length+direct {
		turn := []int{0, last, exit}
		if t.along[entry]-t.along[exit] > 0 { // the shorter way over all of it
			turn = []int{last, 0, exit}
		}
		at := entry
		for _, to := range turn {
			t.walk(at, to)
			at = to
		}
		return
	}
	for ; km >= 2*length+direct && len(t.line) < vertices; km -= 2 * length {
		t.walk(entry, last)
		t.walk(last, 0)
		t.walk(0, entry)
	}
	t.walk(entry, exit)
}

// tour is a walk along the vertices of a line at a steady speed.
type tour struct {
	way   orb.LineString
	along []float64 // km from the first vertex
	kmh   float64
	at    time.Time
	line  orb.LineString
	times []time.Time
}

func (t *tour) visit(vertex int) {
	t.line = append(t.line, t.way[vertex])
	t.times = append(t.times, t.at.Round(time.Second))
}

func (t *tour) walk(from, to int) {
	for v := from; v != to; {
		next := v + 1
		if to < v {
			next = v - 1
		}
		km := math.Abs(t.along[next] - t.along[v])
		t.at = t.at.Add(time.Duration(km / t.kmh * float64(time.Hour)))
		v = next
		if km > 0 {
			t.visit(v)
		}
	}
}
