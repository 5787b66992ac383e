package plan

import (
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Track returns the way of a sortie and when it is at each place: from the base to
// the nearest end of a piece of the beat, along the beat to and fro at the unit's
// speed, and back from where it came on. It is a proposal, straight between base
// and border. Passes beyond so many vertices are left out: the unit then stays where
// it came on.
func (p *Plan) Track(s Sortie, vertices int) (orb.LineString, []time.Time) {
	n := p.network
	b, u := n.beatOf(s.pick), n.Units[n.teams[s.pick.team].unit]
	way, entry := n.beatLine(b, u)
	onBeat := s.OffBeat.Sub(s.OnBeat)
	t := tour{way: way, kmh: u.SpeedKMH, at: s.OnBeat}
	for i := 1; i < len(way); i++ {
		t.along = append(t.along, geo.LocalDistanceM(way[i-1], way[i])/1000)
	}
	t.visit(entry)
	distance := u.SpeedKMH * onBeat.Hours()
	length := 0.0
	for _, km := range t.along {
		length += km
	}
	if length > 0 {
		for ; distance >= 2*length && len(t.line) < vertices; distance -= 2 * length {
			t.walk(entry, len(way)-1)
			t.walk(len(way)-1, 0)
			t.walk(0, entry)
		}
	}
	line := append(orb.LineString{u.Base}, t.line...)
	times := append([]time.Time{s.Departs}, t.times...)
	// What is left of the time is spent where it came on.
	line = append(line, way[entry], u.Base)
	times = append(times, s.OffBeat, s.Returns)
	return line, times
}

// beatLine joins the lines of a beat and finds where it is entered.
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

// tour is a walk along the vertices of a line at a steady speed.
type tour struct {
	way   orb.LineString
	along []float64 // km from each vertex to the next
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
		next, km := v+1, 0.0
		if to < v {
			next = v - 1
		}
		km = t.along[min(v, next)]
		t.at = t.at.Add(time.Duration(km / t.kmh * float64(time.Hour)))
		v = next
		if km > 0 {
			t.visit(v)
		}
	}
}
