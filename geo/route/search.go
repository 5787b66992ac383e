package route

import (
	"math"
)

// directions are the steps to neighbours: first along rows and columns, then
// slanting; the opposite of d is d^1.
const directions = 8

func (g *Graph) steps() [directions]int {
	return [directions]int{1, -1, g.nx, -g.nx, g.nx + 1, -g.nx - 1, g.nx - 1, -g.nx + 1}
}

// lengthM is the length of the edge that leaves a row in a direction.
func (g *Graph) lengthM(row, d int) float64 { return 2 * g.halfM[row][d] }

// costs are what a query pays: for each metre in a node, and to change between
// land and water. Times are in units of t0.
type costs struct {
	perM     []float32 // +Inf: a barrier
	on       []aboard
	met      []float32 // sweeps an hour
	gaits    [grounds]gait
	t0H      float64
	timeW    float64 // of time
	theta    float64 // of -ln(1 - detection)
	least    float64 // of perM
	most     float64 // of what is no barrier
	transfer float64 // hours
	mixed    bool    // both land and water are travelled
}

// stealthTime is how much time counts where only detection should: it decides
// between ways that are the same otherwise.
const stealthTime = 1e-9

// costsOf prices the graph for some modes, with patrols by their mean over the week.
func (g *Graph) costsOf(modes []Mode, theta, t0H float64) *costs {
	return g.pricedBy(g.met, modes, theta, t0H)
}

// pricedBy is costsOf with other sweeps an hour, by node.
func (g *Graph) pricedBy(met []float32, modes []Mode, theta, t0H float64) *costs {
	c := &costs{met: met, gaits: gaits(modes), t0H: t0H, timeW: 1, theta: theta, transfer: g.Options.TransferMin / 60,
		perM: make([]float32, len(g.ground)), on: make([]aboard, len(g.ground))}
	if math.IsInf(theta, 1) {
		c.timeW, c.theta = stealthTime, 1
	}
	least, most := float32(math.Inf(1)), float32(0)
	barrier := float32(math.Inf(1))
	var seen [atSea + 1]bool
	for node, ground := range g.ground {
		gait := &c.gaits[ground]
		if gait.hoursPerM == 0 {
			c.perM[node] = barrier
			continue
		}
		v := float32(gait.hoursPerM * (c.timeW/t0H + c.theta*float64(met[node])))
		c.perM[node], c.on[node] = v, gait.on
		least, most = min(least, v), max(most, v)
		seen[gait.on] = true
	}
	c.least, c.most = float64(least), float64(most)
	c.mixed = seen[ashore] && (seen[onRiver] || seen[atSea])
	return c
}

// change is the cost of going between two nodes of which one is travelled on
// land and one on water; +Inf where no boat lands.
func (g *Graph) change(c *costs, u, v int) float64 {
	a, b := c.on[u], c.on[v]
	switch {
	case a == b || a != ashore && b != ashore:
		return 0
	case (a == atSea || b == atSea) && !g.landing[u] && !g.landing[v]:
		return math.Inf(1)
	}
	return c.transfer * (c.timeW/c.t0H + c.theta*(float64(c.met[u])+float64(c.met[v]))/2)
}

// tree is the least costs from a node, with the way that each was reached.
type tree struct {
	root  int32
	nodes []spot
	queue buckets
	sums  []passed // of the ways to nodes; made when a matrix needs it
}

// passed is the time and the sweeps of a way.
type passed struct{ hours, met float64 }

// spot is what a search needs of a node, together so that it is fetched once.
type spot struct {
	cost float64
	perM float32
	came uint8 // direction from the node before
	on   aboard
	done bool
	goal bool
}

const notReached = 255

// takeTree returns scratch memory for a search; give it back with putTree.
func (g *Graph) takeTree() *tree {
	t, _ := g.memory.Get().(*tree)
	if t == nil || len(t.nodes) != len(g.ground) {
		t = &tree{nodes: make([]spot, len(g.ground))}
	}
	return t
}

func (g *Graph) putTree(t *tree) { g.memory.Put(t) }

// buckets are a priority queue of nodes over a ring of widths. Nodes of one width
// come in no order, so that one may have to be taken out again when it is reached
// at less cost. Source: R. Dial, CACM 12 (1969), algorithm 360, for the ring;
// U. Meyer and P. Sanders, J. Algorithms 49 (2003), for widths above the
// cheapest edge.
type buckets struct {
	ring    [][]int32
	now     int // the width that is taken out
	taken   int // how many of it are out
	perUnit float64
	n       int
}

const ringSize = 1 << 16

func (q *buckets) reset(width float64) {
	if q.ring == nil {
		q.ring = make([][]int32, ringSize)
	}
	for i := range q.ring {
		q.ring[i] = q.ring[i][:0]
	}
	q.now, q.taken, q.n, q.perUnit = 0, 0, 0, 1/width
}

// push adds a node. Keys beyond the ring wait in its last bucket.
func (q *buckets) push(key float64, node int32) {
	k := max(q.now, min(q.now+ringSize-1, int(key*q.perUnit)))
	b := &q.ring[k&(ringSize-1)]
	*b = append(*b, node)
	q.n++
}

// pop takes out one of the nodes of the least width; there must be one. least is no more
// than the key of any that is still to come.
func (q *buckets) pop() (node int32, least float64) {
	b := &q.ring[q.now&(ringSize-1)]
	for q.taken == len(*b) {
		*b = (*b)[:0]
		q.now, q.taken = q.now+1, 0
		b = &q.ring[q.now&(ringSize-1)]
	}
	node = (*b)[q.taken]
	q.taken++
	q.n--
	return node, float64(q.now) / q.perUnit
}

// search finds the least costs from a node to another, or to all where to is
// negative, and reports whether it was reached.
//
// It is A* with the least cost a metre times the shortest grid way as the bound,
// which is consistent: what costs less than the width that is taken out is final.
// Source: P. Hart, N. Nilsson and B. Raphael, IEEE Trans. SSC 4 (1968).
func (g *Graph) search(t *tree, c *costs, from, to int32) bool {
	if to < 0 {
		return g.grow(t, c, from, goal{})
	}
	return g.grow(t, c, from, goal{[]int32{to}, 1})
}

// goal says when a search ends: when all of some nodes are reached, and all that
// costs up to stretch times as much as the dearest of them is settled; without
// nodes, when all is.
type goal struct {
	nodes   []int32
	stretch float64
}

// grow is search for a goal; it reports whether all its nodes were reached.
func (g *Graph) grow(t *tree, c *costs, from int32, to goal) bool {
	nodes := t.nodes
	for i := range nodes {
		nodes[i] = spot{cost: math.Inf(1), perM: c.perM[i], came: notReached, on: c.on[i]}
	}
	t.root = from
	steps := g.steps()
	nx := g.nx
	bound, limit := lowerBound{}, math.Inf(1)
	if len(to.nodes) == 1 && to.stretch == 1 {
		bound = g.bound(c, to.nodes[0])
	}
	for _, node := range to.nodes {
		nodes[node].goal = true
	}
	q := &t.queue
	q.reset(g.bucketWidth(c))
	nodes[from].cost = 0
	q.push(bound.at(int(from)%nx, int(from)/nx), from)
	for q.n > 0 {
		node, least := q.pop()
		if least >= limit {
			break
		}
		u := int(node)
		here := &nodes[u]
		if here.done {
			continue
		}
		here.done = true
		if here.goal {
			limit = to.limit(nodes)
		}
		row, col := u/nx, u%nx
		lengths := &g.halfM[row]
		base, perM := here.cost, float64(here.perM)
		for d, step := range steps {
			v := u + step
			there := &nodes[v]
			cost := base + lengths[d]*(perM+float64(there.perM)) // +Inf into barriers
			if !(cost < there.cost) {
				continue
			}
			if d >= 4 && g.pinched(nodes, u, d) {
				continue
			}
			if c.mixed && here.on != there.on {
				if cost += g.change(c, u, v); !(cost < there.cost) {
					continue
				}
			}
			there.cost, there.came, there.done = cost, uint8(d), false
			q.push(cost+bound.at(col+columnStep[d], row+rowStep[d]), int32(v))
		}
	}
	return len(to.nodes) == 0 || !math.IsInf(to.limit(nodes), 1)
}

// limit is the cost up to which nodes are to be settled; it may fall until all that
// cost less are.
func (g goal) limit(nodes []spot) float64 {
	dearest := 0.0
	for _, node := range g.nodes {
		dearest = max(dearest, nodes[node].cost)
	}
	return dearest * g.stretch
}

var (
	columnStep = [directions]int{1, -1, 0, 0, 1, -1, -1, 1}
	rowStep    = [directions]int{0, 0, 1, -1, 1, -1, 1, -1}
)

// pinched reports whether a slanting step would pass between two barriers.
func (g *Graph) pinched(nodes []spot, u, d int) bool {
	inf := float32(math.Inf(1))
	return nodes[u+columnStep[d]].perM == inf && nodes[u+rowStep[d]*g.nx].perM == inf
}

// bucketWidth is a part of the cheapest edge, so that little is taken out twice, or as much
// as the ring needs to hold the dearest.
//
// With an infinite theta the costs of unpatrolled ground differ by less than a
// width, and its nodes are taken out some four times on the default domain.
func (g *Graph) bucketWidth(c *costs) float64 {
	dearest := 3 * g.slant[len(g.slant)/2] * c.most
	if c.mixed {
		dearest += c.transfer * (c.timeW/c.t0H + c.most/c.leastHours())
	}
	return max(c.least*g.minLen/16, dearest/(ringSize/2), 1e-300)
}

// leastHours is the least time a metre.
func (c *costs) leastHours() float64 {
	least := math.Inf(1)
	for _, gait := range c.gaits {
		if gait.hoursPerM > 0 {
			least = min(least, gait.hoursPerM)
		}
	}
	return least
}

// lowerBound is what the way to a node costs at least.
type lowerBound struct {
	x, y         int
	dx, dy, diag float64
}

func (g *Graph) bound(c *costs, to int32) lowerBound {
	b := lowerBound{x: int(to) % g.nx, y: int(to) / g.nx, dx: math.Inf(1), dy: math.Inf(1), diag: math.Inf(1)}
	for j := range g.ny {
		b.dx, b.dy, b.diag = min(b.dx, g.east[j]), min(b.dy, g.north[j]), min(b.diag, g.slant[j])
	}
	scale := c.least * (1 - 1e-6) // rounding must not make it too high
	b.dx, b.dy, b.diag = b.dx*scale, b.dy*scale, b.diag*scale
	return b
}

func (b *lowerBound) at(x, y int) float64 {
	dx, dy := float64(max(x-b.x, b.x-x)), float64(max(y-b.y, b.y-y))
	if dx > dy {
		return dy*b.diag + (dx-dy)*b.dx
	}
	return dx*b.diag + (dy-dx)*b.dy
}

// way returns the nodes from the root of a tree to a node.
func (g *Graph) way(t *tree, to int32) []int32 {
	steps := g.steps()
	var out []int32
	for node := to; ; node -= int32(steps[t.nodes[node].came]) {
		out = append(out, node)
		if t.nodes[node].came == notReached || node == t.root {
			break
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out
}
