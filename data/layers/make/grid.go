package main

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// grid is a raster of yes and no over a box in degrees, with a free margin of
// one cell all round.
type grid struct {
	origin     orb.Point
	cell       float64
	cols, rows int
	on         []bool
}

func newGrid(b orb.Bound, cell float64) *grid {
	g := &grid{origin: orb.Point{b.Min[0] - cell, b.Min[1] - cell}, cell: cell}
	g.cols = int(math.Ceil((b.Max[0]-b.Min[0])/cell)) + 2
	g.rows = int(math.Ceil((b.Max[1]-b.Min[1])/cell)) + 2
	g.on = make([]bool, g.cols*g.rows)
	return g
}

func (g *grid) fill(in func(centre orb.Point) bool) {
	for r := 1; r < g.rows-1; r++ {
		for c := 1; c < g.cols-1; c++ {
			g.on[r*g.cols+c] = in(orb.Point{g.origin[0] + (float64(c)+0.5)*g.cell, g.origin[1] + (float64(r)+0.5)*g.cell})
		}
	}
}

func (g *grid) set(p orb.Point) {
	c, r := int((p[0]-g.origin[0])/g.cell), int((p[1]-g.origin[1])/g.cell)
	if c > 0 && r > 0 && c < g.cols-1 && r < g.rows-1 {
		g.on[r*g.cols+c] = true
	}
}

// keepConnected turns off what cannot be reached from p over sides and corners
// of cells that are on.
func (g *grid) keepConnected(p orb.Point) {
	start := int((p[1]-g.origin[1])/g.cell)*g.cols + int((p[0]-g.origin[0])/g.cell)
	reached := make([]bool, len(g.on))
	reached[start] = g.on[start]
	for queue := []int{start}; len(queue) > 0; {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, step := range []int{-1, 1, -g.cols, g.cols, -g.cols - 1, -g.cols + 1, g.cols - 1, g.cols + 1} {
			// The margin is off, so no step from a cell that is on leaves the grid.
			if to := at + step; g.on[to] && !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	g.on = reached
}

// and turns off the cells for whose centre keep does not hold.
func (g *grid) and(keep func(centre orb.Point) bool) {
	for i, on := range g.on {
		g.on[i] = on && keep(orb.Point{g.origin[0] + (float64(i%g.cols)+0.5)*g.cell, g.origin[1] + (float64(i/g.cols)+0.5)*g.cell})
	}
}

// outlines returns the shapes of the cells that are on, simplified by
// tolerance degrees: outer rings anticlockwise, holes in the polygon that
// holds them. Rings round fewer than minCells cells are left out.
func (g *grid) outlines(tolerance float64, minCells int) orb.MultiPolygon {
	var out orb.MultiPolygon
	var holes []orb.Ring
	for _, ring := range g.rings() {
		if math.Abs(planar.Area(ring)) < (float64(minCells)-0.5)*g.cell*g.cell {
			continue
		}
		outer := ring.Orientation() == orb.CCW
		s := simplify.DouglasPeucker(tolerance).Ring(ring.Clone())
		if len(s) < 5 { // a speck: keep its box of cells
			s = ring
		}
		if outer {
			out = append(out, orb.Polygon{s})
		} else {
			holes = append(holes, s)
		}
	}
	for _, h := range holes {
		best, area := -1, math.Inf(1)
		for i, p := range out {
			if a := p.Bound(); a.Contains(h[0]) && boundArea(a) < area && planar.RingContains(p[0], h[0]) {
				best, area = i, boundArea(a)
			}
		}
		if best >= 0 {
			out[best] = append(out[best], h)
		}
	}
	return out
}

func boundArea(b orb.Bound) float64 { return (b.Max[0] - b.Min[0]) * (b.Max[1] - b.Min[1]) }

type corner struct{ c, r int }

// rings walks along the edges between on and off with on at the left. At a
// corner where four edges meet it turns left, so that rings never touch
// themselves.
func (g *grid) rings() []orb.Ring {
	at := func(c, r int) bool { return g.on[r*g.cols+c] }
	next := map[corner][]corner{}
	var starts []corner
	edge := func(a, b corner) {
		if len(next[a]) == 0 {
			starts = append(starts, a)
		}
		next[a] = append(next[a], b)
	}
	for r := 1; r < g.rows; r++ {
		for c := 1; c < g.cols; c++ {
			switch here, below := at(c, r), at(c, r-1); {
			case here && !below:
				edge(corner{c, r}, corner{c + 1, r})
			case below && !here:
				edge(corner{c + 1, r}, corner{c, r})
			}
			switch here, west := at(c, r), at(c-1, r); {
			case here && !west:
				edge(corner{c, r + 1}, corner{c, r})
			case west && !here:
				edge(corner{c, r}, corner{c, r + 1})
			}
		}
	}
	var out []orb.Ring
	for _, start := range starts {
		for len(next[start]) > 0 {
			out = append(out, g.walk(start, next))
		}
	}
	return out
}

func (g *grid) walk(start corner, next map[corner][]corner) orb.Ring {
	ring := orb.Ring{}
	before, at := corner{}, start
	for len(ring) == 0 || at != start {
		to := next[at]
		k := 0
		if len(to) == 2 && len(ring) > 0 {
			in := corner{at.c - before.c, at.r - before.r}
			for i, t := range to {
				if in.c*(t.r-at.r)-in.r*(t.c-at.c) > 0 {
					k = i
				}
			}
		}
		step := to[k]
		next[at] = slices.Delete(slices.Clone(to), k, k+1)
		ring = append(ring, orb.Point{g.origin[0] + float64(at.c)*g.cell, g.origin[1] + float64(at.r)*g.cell})
		before, at = at, step
	}
	return append(ring, ring[0])
}

// pointGrid answers whether one of many points lies within a radius, in
// degrees of latitude.
type pointGrid struct {
	radius float64
	cells  map[corner][]orb.Point
}

func newPointGrid(points []orb.Point, radius float64) *pointGrid {
	g := &pointGrid{radius: radius, cells: map[corner][]orb.Point{}}
	for _, p := range points {
		g.cells[g.cellOf(p)] = append(g.cells[g.cellOf(p)], p)
	}
	return g
}

func (g *pointGrid) cellOf(p orb.Point) corner {
	return corner{int(math.Floor(p[0] / g.radius)), int(math.Floor(p[1] / g.radius))}
}

func (g *pointGrid) within(p orb.Point) bool {
	at, scale := g.cellOf(p), math.Cos(p[1]*math.Pi/180)
	for dc := -1; dc <= 1; dc++ {
		for dr := -1; dr <= 1; dr++ {
			for _, q := range g.cells[corner{at.c + dc, at.r + dr}] {
				if math.Hypot((p[0]-q[0])*scale, p[1]-q[1]) <= g.radius {
					return true
				}
			}
		}
	}
	return false
}
