package route

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// WithBarriers returns the same graph with more areas where nobody passes, however
// narrow they are. Cost: some nanoseconds a node.
func (g *Graph) WithBarriers(areas ...*geo.Layer) *Graph {
	out := *g
	out.ground, out.gates = slices.Clone(g.ground), nil
	for _, l := range areas {
		out.bar(l)
	}
	out.findGates()
	return &out
}

// bar closes the nodes in the areas of a layer, and those from which an edge would
// lead into one.
func (g *Graph) bar(l *geo.Layer) {
	if l == nil {
		return
	}
	g.cover(l, func(node int, _ uint8) { g.ground[node] = Closed })
	for _, row := range l.Window(g.Box()) {
		eachRing(l.Geometry(row), g.fence)
	}
}

func eachRing(shape orb.Geometry, yield func(orb.Ring)) {
	switch s := shape.(type) {
	case orb.Polygon:
		for _, ring := range s {
			yield(ring)
		}
	case orb.MultiPolygon:
		for _, p := range s {
			eachRing(p, yield)
		}
	case orb.Collection:
		for _, part := range s {
			eachRing(part, yield)
		}
	}
}

// fence closes every node of which a half of an edge crosses a ring, so that no way
// does: an edge is made of a half of either end.
func (g *Graph) fence(ring orb.Ring) {
	for k := 1; k < len(ring); k++ {
		a, b := g.inCells(ring[k-1]), g.inCells(ring[k])
		south, north := math.Min(a[1], b[1]), math.Max(a[1], b[1])
		for j := int(max(1, math.Floor(south+0.5))); j <= g.ny-2 && float64(j)-0.5 <= north; j++ {
			p, q, ok := clip(a, b, 1, float64(j)-halfCell, float64(j)+halfCell)
			if !ok {
				continue
			}
			west, east := math.Min(p[0], q[0]), math.Max(p[0], q[0])
			for i := int(max(1, math.Floor(west+0.5))); i <= g.nx-2 && float64(i)-0.5 <= east; i++ {
				if from, to, ok := clip(p, q, 0, float64(i)-halfCell, float64(i)+halfCell); ok && crossesStar(from, to, orb.Point{float64(i), float64(j)}) {
					g.ground[j*g.nx+i] = Closed
				}
			}
		}
	}
}

// halfCell is a little less than a half: what runs along a cell's side is in none.
const halfCell = 0.5 - 1e-6

// inCells is a place in cells, whole numbers being nodes.
func (g *Graph) inCells(p orb.Point) orb.Point {
	return orb.Point{(p[0]-g.west)/g.dLon + 0.5, (p[1]-g.south)/g.dLat + 0.5}
}

// clip is the part of a segment between two values of a coordinate.
func clip(a, b orb.Point, axis int, low, high float64) (p, q orb.Point, ok bool) {
	if a[axis] > b[axis] {
		a, b = b, a
	}
	if b[axis] < low || a[axis] > high {
		return p, q, false
	}
	at := func(v float64) orb.Point {
		s := (v - a[axis]) / (b[axis] - a[axis])
		return orb.Point{a[0] + s*(b[0]-a[0]), a[1] + s*(b[1]-a[1])}
	}
	p, q = a, b
	if p[axis] < low {
		p = at(low)
	}
	if q[axis] > high {
		q = at(high)
	}
	return p, q, true
}

// crossesStar reports whether a segment within a cell crosses a row, a column or a
// diagonal through its node.
func crossesStar(a, b, node orb.Point) bool {
	ax, ay, bx, by := a[0]-node[0], a[1]-node[1], b[0]-node[0], b[1]-node[1]
	return ax*bx <= 0 || ay*by <= 0 || (ax-ay)*(bx-by) <= 0 || (ax+ay)*(bx+by) <= 0
}
