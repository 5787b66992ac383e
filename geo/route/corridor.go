package route

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// CorridorOptions say how travellers spread.
type CorridorOptions struct {
	// Spread is how much dearer, as a share of the least cost, a way is that is
	// chosen e times less often.
	Spread float64
	// Reach is how many times the least cost a way may cost at most.
	Reach float64
	// Least is the passages from which an edge is told; MostEdges how many are.
	Least     float64
	MostEdges int
	// PinchM is the side of the squares that pinch points are looked for in; Pinch
	// how many are told.
	PinchM float64
	Pinch  int
}

// DefaultCorridor is a moderate spread.
func DefaultCorridor() CorridorOptions {
	return CorridorOptions{Spread: 0.01, Reach: 1.25, Least: 0.001, MostEdges: 20_000, PinchM: 5000, Pinch: 10}
}

func (o CorridorOptions) validate() error {
	for _, c := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"spread", o.Spread, 1e-6, 10},
		{"reach", o.Reach, 1, 3},
		{"least", o.Least, 0, 1},
		{"most_edges", float64(o.MostEdges), 0, 1_000_000},
		{"pinch_m", o.PinchM, 100, 100_000},
		{"pinch", float64(o.Pinch), 0, 1000},
	} {
		if !(c.v >= c.lo && c.v <= c.hi) {
			return fmt.Errorf("%s is %g: use %g to %g", c.name, c.v, c.lo, c.hi)
		}
	}
	return nil
}

// Passage is an edge with how many of one traveller's ways pass it.
type Passage struct {
	From     orb.Point `json:"from"`
	To       orb.Point `json:"to"`
	Passages float64   `json:"passages"`
}

// PinchPoint is a square of ground that many ways pass. Passages is how often one
// traveller enters it: a way that leaves it and comes back counts twice.
type PinchPoint struct {
	Box       orb.Bound `json:"box"`
	At        orb.Point `json:"at"`
	Passages  float64   `json:"passages"`
	SectionID string    `json:"section_id,omitempty"`
}

// BorderShare is how many of the ways pass into the destination's country at a
// section; "" stands for elsewhere.
type BorderShare struct {
	SectionID string  `json:"section_id"`
	Passages  float64 `json:"passages"`
}

// Corridor is how one traveller's ways spread between two places.
type Corridor struct {
	Edges   []Passage     `json:"edges"`
	Pinch   []PinchPoint  `json:"pinch"`
	Borders []BorderShare `json:"borders"`
	// MinCut is the fewest squares that all ways within Reach pass, from a start to
	// its goal.
	MinCut *MinCut `json:"min_cut"`
	// Evasion is the chance to get through, Hours the mean time, Cost the mean
	// cost, over all ways by how often they are chosen.
	Evasion float64 `json:"evasion"`
	Hours   float64 `json:"hours"`
	Cost    float64 `json:"cost"`
	Least   float64 `json:"least_cost"`
	Nodes   int     `json:"nodes"` // that ways pass
	Cut     bool    `json:"cut"`   // there are more edges than are told
}

// Corridor spreads ways over all that lead on: each way that comes away from the
// start and nearer to the goal with every edge has the chance e^(-cost/η) over
// the sum of all, η = Spread times the least cost.
//
// Source: R. Dial, Transportation Research 5 (1971), for the assignment without
// naming the ways, in logarithms; a randomised shortest path over efficient
// edges. It has no loops. Cost: two searches and eight exponentials for each node
// within Reach, three times, and a greatest flow over squares.
func (g *Graph) Corridor(ctx context.Context, q Query, o CorridorOptions) (*Corridor, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("map a corridor: %w", err)
	}
	w := g.newWatch(o)
	out, err := g.corridor(ctx, q, o, w)
	if err == nil {
		out.MinCut = w.cut(1)
	}
	return out, err
}

func (g *Graph) corridor(ctx context.Context, q Query, o CorridorOptions, w *watch) (*Corridor, error) {
	f, err := g.prepare(q)
	if err != nil {
		return nil, err
	}
	two, err := g.bothTrees(ctx, f, o.Reach)
	if err != nil {
		return nil, err
	}
	defer two.release()
	if f.from == f.to {
		return nil, fmt.Errorf("map a corridor: %w: both are in one cell of the graph", ErrEnds)
	}
	s := &spread{trees: two, η: o.Spread * two.least(), logW: make([]float64, len(g.ground)),
		flow: make([]float64, len(g.ground)), rank: make([]int32, len(g.ground))}
	s.collect(two.least() * o.Reach)
	s.forward()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("map a corridor: %w", err)
	}
	out := s.backward(o, w)
	w.add(s)
	mean := s.mean[s.rank[f.to]]
	out.Evasion, out.Hours, out.Cost = mean.evasion, mean.hours, mean.cost
	out.Least = two.least()
	return out, nil
}

// spread is an assignment on its way.
type spread struct {
	*trees
	η     float64
	order []int32   // nodes by their cost from the start
	logW  []float64 // of the sum over ways from the start; -Inf: none
	flow  []float64
	rank  []int32    // of nodes in order
	mean  []expected // by rank
}

// expected are means over the ways from the start to a node.
type expected struct{ evasion, hours, cost float64 }

// collect finds the nodes within reach.
func (s *spread) collect(limit float64) {
	var within []via
	for node := range s.g.ground {
		s.logW[node] = math.Inf(-1)
		if s.sum(node) <= limit*(1+1e-12) {
			within = append(within, via{int32(node), s.from.nodes[node].cost})
		}
	}
	slices.SortFunc(within, compareVias)
	s.order = make([]int32, len(within))
	for i, v := range within {
		s.order[i] = v.node
	}
}

// inflow is an edge into a node with its weight in logarithms.
type inflow struct {
	node    int32
	logW    float64
	hours   float64
	met     float64
	surplus float64
}

// into lists the efficient edges into a node.
func (s *spread) into(v int32, dst []inflow) []inflow {
	g, c := s.g, s.f.costs
	from, to := s.from.nodes, s.to.nodes
	for d, step := range g.steps() {
		u := int(v) - step // the edge u to v goes in direction d
		a, b := &from[u], &from[v]
		if math.IsInf(s.logW[u], -1) || !(a.cost < b.cost) || !(to[u].cost > to[v].cost) || math.IsInf(float64(a.perM), 1) {
			continue
		}
		if d >= 4 && g.pinched(from, u, d) {
			continue
		}
		m := g.lengthM(u/g.nx, d) / 2
		cost := m * (float64(a.perM) + float64(b.perM))
		changed := false
		if c.mixed && a.on != b.on {
			extra := g.change(c, u, int(v))
			if math.IsInf(extra, 1) {
				continue
			}
			changed = extra > 0
			cost += extra
		}
		hours, met := g.edgeToll(c, int32(u), v, m, changed)
		dst = append(dst, inflow{int32(u), s.logW[u] - (cost-(b.cost-a.cost))/s.η, hours, met, cost})
	}
	return dst
}

// edgeToll is the time of an edge of twice halfM metres and its sweeps.
func (g *Graph) edgeToll(c *costs, u, v int32, halfM float64, changed bool) (hours, met float64) {
	hu, hv := g.edgeHours(c, u, v, halfM, changed)
	return hu + hv, hu*float64(c.met[u]) + hv*float64(c.met[v])
}

// edgeHours is the time of an edge of twice halfM metres in each of its ends.
func (g *Graph) edgeHours(c *costs, u, v int32, halfM float64, changed bool) (hu, hv float64) {
	hu, hv = halfM*c.gaits[g.ground[u]].hoursPerM, halfM*c.gaits[g.ground[v]].hoursPerM
	if changed {
		hu, hv = hu+c.transfer/2, hv+c.transfer/2
	}
	return hu, hv
}

func (s *spread) forward() {
	s.mean = make([]expected, len(s.order))
	for i, node := range s.order {
		s.rank[node] = int32(i)
	}
	s.logW[s.f.from] = 0
	s.mean[s.rank[s.f.from]] = expected{evasion: 1}
	var edges []inflow
	for i, v := range s.order {
		if v == s.f.from {
			continue
		}
		if edges = s.into(v, edges[:0]); len(edges) == 0 {
			continue
		}
		w := logSum(edges)
		s.logW[v] = w
		var mean expected
		for _, e := range edges {
			p, before := math.Exp(e.logW-w), s.mean[s.rank[e.node]]
			mean.evasion += p * before.evasion * math.Exp(-e.met)
			mean.hours += p * (before.hours + e.hours)
			mean.cost += p * (before.cost + e.surplus)
		}
		s.mean[i] = mean
	}
}

func logSum(edges []inflow) float64 {
	most := math.Inf(-1)
	for _, e := range edges {
		most = max(most, e.logW)
	}
	sum := 0.0
	for _, e := range edges {
		sum += math.Exp(e.logW - most)
	}
	return most + math.Log(sum)
}

// backward sends one traveller back from the goal and tells what passes where.
func (s *spread) backward(o CorridorOptions, w *watch) *Corridor {
	g, out := s.g, &Corridor{Edges: []Passage{}, Pinch: []PinchPoint{}, Borders: []BorderShare{}}
	borders := map[string]float64{}
	goal := g.country[s.f.to]
	s.flow[s.f.to] = 1
	through := make([]float64, len(s.order)) // of those who get through, by rank
	through[s.rank[s.f.to]] = 1
	var edges []inflow
	for i := len(s.order) - 1; i >= 0; i-- {
		v := s.order[i]
		if s.flow[v] == 0 || v == s.f.from {
			continue
		}
		out.Nodes++
		edges = s.into(v, edges[:0])
		for _, e := range edges {
			p := math.Exp(e.logW - s.logW[v])
			x := s.flow[v] * p
			s.flow[e.node] += x
			w.pass(e.node, v, x)
			if all := s.mean[i].evasion; all > 0 {
				u := s.rank[e.node]
				y := through[i] * p * s.mean[u].evasion / all
				if e.met > 0 {
					y *= math.Exp(-e.met)
				}
				through[u] += y
				w.evade(e.node, v, y)
			}
			if goal != 0 && g.country[v] == goal && g.country[e.node] != goal {
				borders[g.sectionID(v)] += x
			}
			if x >= o.Least {
				out.Edges = append(out.Edges, Passage{g.point(e.node), g.point(v), x})
			}
		}
	}
	slices.SortFunc(out.Edges, func(x, y Passage) int {
		return cmp.Or(cmp.Compare(y.Passages, x.Passages), slices.Compare(x.From[:], y.From[:]), slices.Compare(x.To[:], y.To[:]))
	})
	if out.Cut = len(out.Edges) > o.MostEdges; out.Cut {
		out.Edges = slices.Clone(out.Edges[:o.MostEdges])
	}
	for id, x := range borders {
		out.Borders = append(out.Borders, BorderShare{id, x})
	}
	slices.SortFunc(out.Borders, func(x, y BorderShare) int {
		return cmp.Or(cmp.Compare(y.Passages, x.Passages), cmp.Compare(x.SectionID, y.SectionID))
	})
	out.Pinch = w.top(s, o.Pinch)
	return out
}

// top lists the squares that most ways enter, those near the ends left out: where
// less than a tenth of the way lies behind or before.
func (q *squares) top(s *spread, n int) []PinchPoint {
	least := s.least()
	out := []PinchPoint{}
	for b, x := range q.passed {
		if x < 0.01 {
			continue
		}
		x0, y0 := q.corner(b)
		behind, before := math.Inf(1), math.Inf(1)
		for y := y0; y < min(q.g.ny, y0+q.side); y++ {
			for x := x0; x < min(q.g.nx, x0+q.side); x++ {
				node := y*q.g.nx + x
				behind, before = min(behind, s.from.nodes[node].cost), min(before, s.to.nodes[node].cost)
			}
		}
		if behind < least/10 || before < least/10 {
			continue
		}
		box := q.box(b)
		out = append(out, PinchPoint{box, box.Center(), x, q.g.sectionID(q.middle(b))})
	}
	slices.SortStableFunc(out, func(x, y PinchPoint) int { return cmp.Compare(y.Passages, x.Passages) })
	return out[:min(n, len(out))]
}
