package route

import (
	"math"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
)

// newSectionWeek reads how a section's patrols are spread over the hours.
func newSectionWeek(a *risk.Assessment, section int) *sectionWeek {
	week, zone := a.WeekOf(section)
	w := &sectionWeek{even: true}
	for h := range w.factor {
		local := ((h+zone)%weekH + weekH) % weekH
		w.factor[h] = week[local/24][local%24]
		w.even = w.even && math.Abs(w.factor[h]-1) < 1e-12
	}
	return w
}

// hourOfWeek is the hour since Monday 0 h UTC.
func hourOfWeek(at time.Time) float64 {
	t := at.UTC()
	day := (int(t.Weekday()) + 6) % 7
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return float64(day*24) + t.Sub(midnight).Hours()
}

func (g *Graph) readWeeks() {
	g.weeks = make([]*sectionWeek, len(g.a.Sections))
	for i := range g.weeks {
		g.weeks[i] = newSectionWeek(g.a, i)
	}
}

// uneven reports whether patrols at a node come at some hours more than at others.
func (g *Graph) uneven(node int32) bool {
	s := int(g.section[node])
	return g.met[node] > 0 && s >= 0 && s < len(g.weeks) && !g.weeks[s].even
}

// factor is how many times the mean hour's sweeps a node has at an hour of the week.
func (g *Graph) factor(node int32, hour float64) float64 {
	if !g.uneven(node) {
		return 1
	}
	if hour >= weekH {
		hour = math.Mod(hour, weekH)
	}
	return g.weeks[g.section[node]].factor[int(hour)%weekH]
}

// departure is a find that begins at an hour of the week, with the ways that
// were tried: the best by their own hours is taken.
type departure struct {
	hour  float64
	tries [][]int32
}

// hourly is how often the hours at places are found anew.
const hourly = 2

// departAt prices the ground by the hours at which the traveller would be there,
// so that every search that follows is one of fixed costs. Which hour that is
// depends on the way: it is that of the fastest way first, then that of the
// cheapest, and what a search does not reach keeps the one that it had. So the
// ways found are good, and their chances are by their own hours, but nobody
// proves that no other way is better.
func (g *Graph) departAt(f *find, q Query) {
	f.departs = &departure{hour: hourOfWeek(q.Depart)}
	t := g.takeTree()
	defer g.putTree(t)
	try := func() bool {
		found := g.search(t, f.costs, f.from, f.to)
		if found {
			f.departs.tries = append(f.departs.tries, g.way(t, f.to))
		}
		return found
	}
	if !try() || q.Theta == 0 {
		return
	}
	at := make([]float32, len(g.ground))
	fastest := g.costsOf(f.modes, 0, 1)
	g.grow(t, fastest, f.from, goal{})
	g.arrivals(t, fastest, at)
	for range hourly {
		met := make([]float32, len(g.met))
		for node, r := range g.met {
			if r > 0 {
				met[node] = r * float32(g.factor(int32(node), f.departs.hour+float64(at[node])))
			}
		}
		f.costs = g.pricedBy(met, f.modes, q.Theta, 1)
		try()
		g.arrivals(t, f.costs, at)
	}
}

// arrivals writes after how many hours a tree comes to the nodes that it has
// settled.
func (g *Graph) arrivals(t *tree, c *costs, at []float32) {
	steps := g.steps()
	for i := range t.nodes {
		t.nodes[i].goal = false // from here on: its hours are written
	}
	t.nodes[t.root].goal, at[t.root] = true, 0
	var walk []uint8
	for node := range t.nodes {
		if !t.nodes[node].done {
			continue
		}
		walk = walk[:0]
		u := int32(node)
		for !t.nodes[u].goal {
			d := t.nodes[u].came
			walk = append(walk, d)
			u -= int32(steps[d])
		}
		for i := len(walk) - 1; i >= 0; i-- {
			v := u + int32(steps[walk[i]])
			changed := c.mixed && t.nodes[u].on != t.nodes[v].on && g.change(c, int(u), int(v)) > 0
			hours, _ := g.edgeToll(c, u, v, g.halfM[int(u)/g.nx][walk[i]], changed)
			at[v], t.nodes[v].goal = at[u]+float32(hours), true
			u = v
		}
	}
}

// bestTry describes the ways that were tried and returns the one of least cost,
// or, where theta is infinite, the one that is met least.
func (g *Graph) bestTry(f *find, theta float64) *Way {
	var best *Way
	for _, nodes := range f.departs.tries {
		w := g.describe(f, nodes, theta)
		if best == nil || w.Cost < best.Cost && w.Theta != nil || w.Theta == nil && w.PDetected.Mean < best.PDetected.Mean {
			best = w
		}
	}
	return best
}
