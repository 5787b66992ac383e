package route

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
)

// gate is an edge whose ends are in two countries, or one of them in none.
type gate struct{ a, b int32 }

func (g *Graph) findGates() {
	steps := g.steps()
	for node := range g.ground {
		if g.ground[node] == Closed {
			continue
		}
		for d := 0; d < directions; d += 2 { // each edge once
			v := node + steps[d]
			if g.ground[v] != Closed && g.country[v] != g.country[node] {
				g.gates = append(g.gates, gate{int32(node), int32(v)})
			}
		}
	}
}

// MatrixQuery asks for the ways between all origins and destinations by each
// crossing.
type MatrixQuery struct {
	Origins, Destinations []orb.Point
	// Crossings are places that the ways pass. Without any they are the border
	// sections at which a way can enter the destination's country.
	Crossings []orb.Point
	Modes     []string
	Theta     float64
	SnapM     float64
	// Stretch leaves out ways that cost more than so many times the least of their
	// pair, and saves looking for them; 0: none.
	Stretch float64
}

// The largest matrix.
const (
	MaxMatrixEnds    = 200
	MaxMatrixEntries = 200_000
)

// Entry is the best way of one origin and destination by one crossing.
type Entry struct {
	Origin      int       `json:"origin"`
	Destination int       `json:"destination"`
	Crossing    int       `json:"crossing"` // in Matrix.Crossings
	At          orb.Point `json:"at"`
	Cost        float64   `json:"cost"` // hours + theta · -ln(1-p)
	Hours       float64   `json:"hours"`
	PDetected   float64   `json:"p_detected"`
	Evasion     float64   `json:"evasion"`
}

// MatrixCrossing is a crossing of a matrix: a place that was given, or a section;
// "" is the border away from all sections.
type MatrixCrossing struct {
	At        *orb.Point `json:"at,omitempty"`
	SectionID string     `json:"section_id"`
}

// Matrix is ways by origin, crossing and destination. Entries are in the order of
// origins, then destinations, then crossings; those that no way joins are left
// out, and Ends says why an end has none.
type Matrix struct {
	Crossings []MatrixCrossing `json:"crossings"`
	Entries   []Entry          `json:"entries"`
	// EndErrors are by origin, then destination: "" or why it cannot be used.
	EndErrors []string `json:"end_errors"`
	Pairs     int      `json:"pairs"` // origins times destinations
}

// toll is what the way from an end to a node comes to.
type toll struct{ cost, hours, met float64 }

// Matrix finds the ways. Ends that cannot be used are told in EndErrors; it fails
// when none can. Cost: a search over the whole graph for each end.
func (g *Graph) Matrix(ctx context.Context, q MatrixQuery) (*Matrix, error) {
	ends := slices.Concat(q.Origins, q.Destinations)
	pairs := len(q.Origins) * len(q.Destinations)
	switch {
	case pairs == 0:
		return nil, fmt.Errorf("matrix of ways: %d origins and %d destinations; give at least one of each", len(q.Origins), len(q.Destinations))
	case len(ends) > MaxMatrixEnds:
		return nil, fmt.Errorf("matrix of ways: %d origins and destinations, more than %d; ask for fewer", len(ends), MaxMatrixEnds)
	case !(q.Theta >= 0):
		return nil, fmt.Errorf("matrix of ways: theta is %g: use 0 or more", q.Theta)
	case !(q.Stretch == 0 || q.Stretch >= 1):
		return nil, fmt.Errorf("matrix of ways: stretch is %g: use 0 (no limit) or 1 and more", q.Stretch)
	}
	modes, err := pickModes(g.Options.Modes, q.Modes)
	if err != nil {
		return nil, fmt.Errorf("matrix of ways: %w", err)
	}
	m := &Matrix{EndErrors: make([]string, len(ends)), Pairs: pairs}
	b := &matrixBuild{g: g, q: q, m: m, f: &find{modes: modes, costs: g.costsOf(modes, q.Theta, 1)}, places: map[int32]int{}}
	if err := b.crossings(); err != nil {
		return nil, err
	}
	if n := pairs * len(m.Crossings); n > MaxMatrixEntries {
		return nil, fmt.Errorf("matrix of ways: %w: with %d crossings they make %d entries, more than %d; ask for fewer ends or crossings", ErrEnds, len(m.Crossings), n, MaxMatrixEntries)
	}
	if err := b.tolls(ctx, ends); err != nil {
		return nil, err
	}
	for i := range q.Origins {
		for j := range q.Destinations {
			b.pair(i, j)
		}
	}
	return m, nil
}

// matrixBuild is a matrix on its way.
type matrixBuild struct {
	g *Graph
	q MatrixQuery
	m *Matrix
	f *find

	nodes  []int32       // whose tolls are needed
	places map[int32]int // of nodes in nodes
	byEnd  [][]toll
	ends   []int32 // nodes of the ends; -1: cannot be used

	edges []matrixEdge
	given []int32 // nodes of given crossings; -1: cannot be used
}

// matrixEdge is a gate that the modes can pass, with the crossings that it
// belongs to when passed from a to b and back.
type matrixEdge struct {
	a, b             int
	there, backwards int
	edge             toll
}

func (b *matrixBuild) place(node int32) int {
	k, known := b.places[node]
	if !known {
		k = len(b.nodes)
		b.places[node] = k
		b.nodes = append(b.nodes, node)
	}
	return k
}

func (b *matrixBuild) crossings() error {
	g, c := b.g, b.f.costs
	for i := range b.q.Crossings {
		node, err := g.end(fmt.Sprintf("crossing %d", i+1), b.q.Crossings[i], c, b.q.SnapM)
		if err != nil {
			node = -1
		} else {
			b.place(node)
		}
		b.given = append(b.given, node)
		at := b.q.Crossings[i]
		entry := MatrixCrossing{At: &at}
		if node >= 0 {
			entry.SectionID = g.sectionID(node)
		}
		b.m.Crossings = append(b.m.Crossings, entry)
	}
	if len(b.given) > 0 {
		if !slices.ContainsFunc(b.given, func(n int32) bool { return n >= 0 }) {
			return fmt.Errorf("matrix of ways: %w: no crossing is on ground that these modes can pass", ErrEnds)
		}
		return nil
	}
	numbers := map[int16]int{}
	number := func(node int32) int {
		s := g.section[node]
		if int(s) >= len(g.a.Sections) {
			s = -1
		}
		k, known := numbers[s]
		if !known {
			k = len(b.m.Crossings)
			numbers[s] = k
			b.m.Crossings = append(b.m.Crossings, MatrixCrossing{SectionID: g.sectionID(node)})
		}
		return k
	}
	for _, e := range g.gates {
		cost, hours, met, ok := g.edgeCost(c, e.a, e.b)
		if ok {
			b.edges = append(b.edges, matrixEdge{b.place(e.a), b.place(e.b), number(e.b), number(e.a), toll{cost, hours, met}})
		}
	}
	if len(b.edges) == 0 {
		return fmt.Errorf("matrix of ways: %w: these modes pass no border inside the graph; name crossings or other modes", ErrNoPath)
	}
	return nil
}

// edgeCost prices the edge between two neighbours; ok is false when it is barred.
func (g *Graph) edgeCost(c *costs, u, v int32) (cost, hours, met float64, ok bool) {
	half := g.edgeM(u, v) / 2
	cost = half * (float64(c.perM[u]) + float64(c.perM[v]))
	changed := false
	if c.mixed && c.on[u] != c.on[v] {
		extra := g.change(c, int(u), int(v))
		changed = extra > 0
		cost += extra
	}
	if math.IsInf(cost, 1) {
		return 0, 0, 0, false
	}
	hours, met = g.edgeToll(c, u, v, half, changed)
	return cost, hours, met, true
}

// tolls searches from every end, two at a time, and keeps what the crossings need.
func (b *matrixBuild) tolls(ctx context.Context, ends []orb.Point) error {
	b.byEnd, b.ends = make([][]toll, len(ends)), make([]int32, len(ends))
	usable, unusable := [2]int{}, [2]error{}
	for i, p := range ends {
		name := fmt.Sprintf("origin %d", i+1)
		side := 0
		if i >= len(b.q.Origins) {
			name, side = fmt.Sprintf("destination %d", i-len(b.q.Origins)+1), 1
		}
		node, err := b.g.end(name, p, b.f.costs, b.q.SnapM)
		if err != nil {
			b.m.EndErrors[i], unusable[side], node = err.Error(), err, -1
		} else {
			usable[side]++
		}
		b.ends[i] = node
	}
	for side, n := range usable {
		if n == 0 {
			return fmt.Errorf("matrix of ways: no end on one side can be used: %w", unusable[side])
		}
	}
	const workers = 2
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			t := b.g.takeTree()
			defer b.g.putTree(t)
			for i := w; i < len(ends) && ctx.Err() == nil; i += workers {
				if b.ends[i] >= 0 {
					b.g.grow(t, b.f.costs, b.ends[i], b.goalOf(i))
					b.byEnd[i] = b.read(t)
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("matrix of ways: %w", err)
	}
	return nil
}

// goalOf is how far to look from an end: to all on the other side, and as much
// further as the stretch says.
func (b *matrixBuild) goalOf(end int) goal {
	if b.q.Stretch == 0 {
		return goal{}
	}
	n := len(b.q.Origins)
	others := b.ends[:n]
	if end < n {
		others = b.ends[n:]
	}
	return goal{slices.DeleteFunc(slices.Clone(others), func(node int32) bool { return node < 0 }), b.q.Stretch}
}

// read walks back from each node that is needed, as far as the walks before.
func (b *matrixBuild) read(t *tree) []toll {
	g := b.g
	steps := g.steps()
	if t.sums == nil {
		t.sums = make([]passed, len(t.nodes))
	}
	for i := range t.nodes {
		t.nodes[i].goal = false // from here on: its sum is known
	}
	t.nodes[t.root].goal, t.sums[t.root] = true, passed{}
	out := make([]toll, len(b.nodes))
	var walk []uint8
	for k, node := range b.nodes {
		if !t.nodes[node].done {
			out[k] = toll{cost: math.Inf(1)}
			continue
		}
		walk = walk[:0]
		at := node
		for !t.nodes[at].goal {
			d := t.nodes[at].came
			walk = append(walk, d)
			at -= int32(steps[d])
		}
		for i := len(walk) - 1; i >= 0; i-- {
			next := at + int32(steps[walk[i]])
			half := g.lengthM(int(at)/g.nx, int(walk[i])) / 2
			changed := b.f.costs.mixed && t.nodes[at].on != t.nodes[next].on && g.change(b.f.costs, int(at), int(next)) > 0
			hours, met := g.edgeToll(b.f.costs, at, next, half, changed)
			t.sums[next] = passed{t.sums[at].hours + hours, t.sums[at].met + met}
			t.nodes[next].goal = true
			at = next
		}
		out[k] = toll{t.nodes[node].cost, t.sums[node].hours, t.sums[node].met}
	}
	return out
}

// pair adds the entries of an origin and a destination.
func (b *matrixBuild) pair(i, j int) {
	from, to := b.byEnd[i], b.byEnd[len(b.q.Origins)+j]
	if from == nil || to == nil {
		return
	}
	best := make([]Entry, len(b.m.Crossings))
	for k := range best {
		best[k].Cost = math.Inf(1)
	}
	offer := func(k int, a, e, c toll, at func() orb.Point) {
		if cost := a.cost + e.cost + c.cost; cost < best[k].Cost {
			met := a.met + e.met + c.met
			best[k] = Entry{Origin: i, Destination: j, Crossing: k, At: at(), Cost: cost, Hours: a.hours + e.hours + c.hours,
				PDetected: pAtLeastOne(met), Evasion: math.Exp(-met)}
		}
	}
	for k, node := range b.given {
		if node >= 0 {
			p := b.places[node]
			offer(k, from[p], toll{}, to[p], func() orb.Point { return b.g.point(node) })
		}
	}
	goal := b.g.country[b.ends[len(b.q.Origins)+j]]
	for _, e := range b.edges {
		at := func() orb.Point {
			p, q := b.g.point(b.nodes[e.a]), b.g.point(b.nodes[e.b])
			return orb.Point{(p[0] + q[0]) / 2, (p[1] + q[1]) / 2}
		}
		if b.g.country[b.nodes[e.b]] == goal {
			offer(e.there, from[e.a], e.edge, to[e.b], at)
		} else if b.g.country[b.nodes[e.a]] == goal {
			offer(e.backwards, from[e.b], e.edge, to[e.a], at)
		}
	}
	limit := math.Inf(1)
	for _, e := range best {
		if b.q.Stretch > 0 {
			limit = min(limit, e.Cost*b.q.Stretch)
		}
	}
	for _, e := range best {
		if !math.IsInf(e.Cost, 1) && e.Cost <= limit {
			if math.IsInf(b.q.Theta, 1) {
				e.Cost = -math.Log(e.Evasion)
			}
			b.m.Entries = append(b.m.Entries, e)
		}
	}
}
