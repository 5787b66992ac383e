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
func (g *Graph) lengthM(row, d int) float64 {
	switch d {
	case 0, 1:
		return g.east[row]
	case 2:
		return g.north[row]
	case 3:
		return g.north[row-1]
	case 4, 6:
		return g.slant[row]
	}
	return g.slant[row-1]
}

// costs are what a query pays: for each metre in a node, and to change between
// land and water. Times are in units of t0.
type costs struct {
	perM     []float32 // +Inf: a barrier
	on       []aboard
	gaits    [grounds]gait
	t0H      float64
	timeW    float64 // of time
	theta    float64 // of -ln(1 - detection)
	least    float64 // of perM
	transfer float64 // hours
	mixed    bool    // both land and water are travelled
}

// stealthTime is how much time counts where only detection should: it decides
// between ways that are the same otherwise.
const stealthTime = 1e-9

// costsOf prices the graph for some modes.
func (g *Graph) costsOf(modes []Mode, theta, t0H float64) *costs {
	c := &costs{gaits: gaits(modes), t0H: t0H, timeW: 1, theta: theta, transfer: g.Options.TransferMin / 60,
		perM: make([]float32, len(g.ground)), on: make([]aboard, len(g.ground))}
	if math.IsInf(theta, 1) {
		c.timeW, c.theta = stealthTime, 1
	}
	least := float32(math.Inf(1))
	barrier := float32(math.Inf(1))
	var seen [atSea + 1]bool
	for node, ground := range g.ground {
		gait := &c.gaits[ground]
		if gait.hoursPerM == 0 {
			c.perM[node] = barrier
			continue
		}
		v := float32(gait.hoursPerM * (c.timeW/t0H + c.theta*float64(g.met[node])))
		c.perM[node], c.on[node] = v, gait.on
		least = min(least, v)
		seen[gait.on] = true
	}
	c.least = float64(least)
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
	return c.transfer * (c.timeW/c.t0H + c.theta*(float64(g.met[u])+float64(g.met[v]))/2)
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

// buckets are a priority queue over a ring of widths, of which the lowest is kept
// as a heap. Source: R. Dial, CACM 12 (1969), algorithm 360, for the ring.
type buckets struct {
	ring    [][]queued
	now     int
	perUnit float64 // buckets a unit of cost
	n       int
}

type queued struct {
	key  float64
	node int32
}

const ringSize = 1 << 14

func (q *buckets) reset(width float64) {
	if q.ring == nil {
		q.ring = make([][]queued, ringSize)
	}
	for i := range q.ring {
		q.ring[i] = q.ring[i][:0]
	}
	q.now, q.n, q.perUnit = 0, 0, 1/width
}

// push adds a node. Keys beyond the ring wait in its last bucket.
func (q *buckets) push(key float64, node int32) {
	k := max(q.now, min(q.now+ringSize-1, int(key*q.perUnit)))
	b := &q.ring[k&(ringSize-1)]
	*b = append(*b, queued{key, node})
	q.n++
	if k == q.now {
		siftUp(*b)
	}
}

// pop takes out the least; there must be one.
func (q *buckets) pop() queued {
	for {
		b := &q.ring[q.now&(ringSize-1)]
		if n := len(*b); n > 0 {
			e := (*b)[0]
			(*b)[0] = (*b)[n-1]
			*b = (*b)[:n-1]
			siftDown(*b, 0)
			q.n--
			return e
		}
		q.now++
		b = &q.ring[q.now&(ringSize-1)]
		for i := len(*b)/2 - 1; i >= 0; i-- {
			siftDown(*b, i)
		}
	}
}

func siftUp(h []queued) {
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[up].key <= h[i].key {
			return
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
}

func siftDown(h []queued, i int) {
	for {
		down := 2*i + 1
		if down >= len(h) {
			return
		}
		if down+1 < len(h) && h[down+1].key < h[down].key {
			down++
		}
		if h[i].key <= h[down].key {
			return
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}

// search finds the least costs from a node to another, or to all where to is
// negative, and reports whether it was reached.
//
// It is A* with the least cost a metre times the shortest grid way as the bound,
// which is consistent: each node is settled once. Source: P. Hart, N. Nilsson and B. Raphael, IEEE
// Trans. SSC 4 (1968).
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
	var lengths [directions]float64
	nx := g.nx
	bound, limit := lowerBound{}, math.Inf(1)
	if len(to.nodes) == 1 && to.stretch == 1 {
		bound = g.bound(c, to.nodes[0])
	}
	left := 0
	for _, node := range to.nodes {
		if !nodes[node].goal {
			nodes[node].goal = true
			left++
		}
	}
	q := &t.queue
	q.reset(g.bucketWidth(c))
	nodes[from].cost = 0
	q.push(bound.at(int(from)%nx, int(from)/nx), from)
	for q.n > 0 {
		e := q.pop()
		u := int(e.node)
		here := &nodes[u]
		if here.done {
			continue
		}
		here.done = true
		if here.goal {
			if left--; left == 0 {
				limit = here.cost * to.stretch
			}
		}
		if e.key >= limit {
			break
		}
		row, col := u/nx, u%nx
		for d := range lengths {
			lengths[d] = g.lengthM(row, d) / 2
		}
		perM := float64(here.perM)
		for d, step := range steps {
			v := u + step
			there := &nodes[v]
			cost := here.cost + lengths[d]*(perM+float64(there.perM)) // +Inf into barriers
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
			there.cost, there.came = cost, uint8(d)
			q.push(cost+bound.at(col+columnStep[d], row+rowStep[d]), int32(v))
		}
	}
	return left == 0
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

// bucketWidth is a part of the cheapest edge, so that heaps are small, or as much
// as the ring needs to hold the dearest.
func (g *Graph) bucketWidth(c *costs) float64 {
	most, inf := float32(0), float32(math.Inf(1))
	for _, v := range c.perM {
		if v != inf {
			most = max(most, v)
		}
	}
	dearest := 3 * g.slant[len(g.slant)/2] * float64(most)
	if c.mixed {
		dearest += c.transfer * (c.timeW/c.t0H + float64(most)/c.leastHours())
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
