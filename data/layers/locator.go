package layers

import (
	"math"
	"math/bits"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Locator tells which labelled area holds a point. It keeps the edges of all
// rings in bands of latitude, so that a question looks only at the edges near
// its parallel, and the answers for the cells of a grid that no edge enters.
// It is immutable and safe for concurrent use.
type Locator struct {
	bound  orb.Bound
	bands  [][]locatorEdge
	cols   int
	cells  []uint8 // rows of the bands by cols: label index+1, or a special value
	labels []string
}

type locatorEdge struct {
	x0, y0, slope float64 // slope is dx/dy; never horizontal
	y1            float64
	label         uint8
}

const (
	cellDeg   = 0.02 // side of a cell, height of a band
	maxLabels = 64
	cellMixed = 0 // an edge enters the cell
	cellNone  = maxLabels + 1
)

// NewLocator returns a locator over the polygons and multipolygons of a layer,
// labelled by a text property (rows without it are left out, and so is a label
// past the 64th). Areas of one label must not overlap: a point in two of them
// counts as outside. Cost: proportional to the vertices and to the cells of
// 0.02 degrees in the layer's box.
func NewLocator(l *geo.Layer, property string) *Locator {
	loc := &Locator{bound: l.Bound()}
	if l.Len() == 0 {
		return loc
	}
	loc.cols = int((loc.bound.Max[0]-loc.bound.Min[0])/cellDeg) + 1
	loc.bands = make([][]locatorEdge, int((loc.bound.Max[1]-loc.bound.Min[1])/cellDeg)+1)
	codes := map[string]uint8{}
	for row := range l.Len() {
		name := l.Text(row, property)
		code, seen := codes[name]
		if !seen {
			if name == "" || len(loc.labels) == maxLabels {
				continue
			}
			code = uint8(len(loc.labels))
			codes[name] = code
			loc.labels = append(loc.labels, name)
		}
		switch g := l.Geometry(row).(type) {
		case orb.Polygon:
			loc.add(g, code)
		case orb.MultiPolygon:
			for _, p := range g {
				loc.add(p, code)
			}
		}
	}
	loc.fillCells()
	return loc
}

func (loc *Locator) add(p orb.Polygon, label uint8) {
	for _, ring := range p {
		for i := 1; i < len(ring); i++ {
			a, b := ring[i-1], ring[i]
			if a[1] == b[1] {
				continue // a level edge never decides the even-odd rule
			}
			if a[1] > b[1] {
				a, b = b, a
			}
			e := locatorEdge{a[0], a[1], (b[0] - a[0]) / (b[1] - a[1]), b[1], label}
			for k := loc.row(a[1]); k <= loc.row(b[1]); k++ {
				loc.bands[k] = append(loc.bands[k], e)
			}
		}
	}
}

func (loc *Locator) row(lat float64) int {
	return min(int((lat-loc.bound.Min[1])/cellDeg), len(loc.bands)-1)
}

func (loc *Locator) col(lon float64) int {
	return min(int((lon-loc.bound.Min[0])/cellDeg), loc.cols-1)
}

// fillCells marks the cells that edges enter and answers for the others: in a
// row, neighbours without an edge between them have the same answer.
func (loc *Locator) fillCells() {
	loc.cells = make([]uint8, loc.cols*len(loc.bands))
	mixed := make([]bool, loc.cols)
	for r, edges := range loc.bands {
		clear(mixed)
		south := loc.bound.Min[1] + float64(r)*cellDeg
		for _, e := range edges {
			lo := e.x0 + (max(south, e.y0)-e.y0)*e.slope
			hi := e.x0 + (min(south+cellDeg, e.y1)-e.y0)*e.slope
			const slack = 1e-6 // rounding must never hide an edge from a cell
			first := loc.col(max(min(lo, hi)-slack, loc.bound.Min[0]))
			for c := first; c <= loc.col(max(lo, hi)+slack); c++ {
				mixed[c] = true
			}
		}
		answer := uint8(cellMixed)
		for c, m := range mixed {
			switch {
			case m:
				answer = cellMixed
			case answer == cellMixed:
				centre := orb.Point{loc.bound.Min[0] + (float64(c)+0.5)*cellDeg, min(south+cellDeg/2, loc.bound.Max[1])}
				answer = cellNone
				if inside := loc.inside(centre); inside != 0 {
					answer = uint8(bits.TrailingZeros64(inside)) + 1
				}
			}
			loc.cells[r*loc.cols+c] = answer
		}
	}
}

// inside returns a bit for each label whose areas hold p.
func (loc *Locator) inside(p orb.Point) uint64 {
	var inside uint64
	for _, e := range loc.bands[loc.row(p[1])] {
		if e.y0 <= p[1] && p[1] < e.y1 && p[0] < e.x0+(p[1]-e.y0)*e.slope {
			inside ^= 1 << e.label
		}
	}
	return inside
}

// At returns the label of the area that holds p, by the even-odd rule, the
// first in layer order when several do, and "" when none does.
func (loc *Locator) At(p orb.Point) string {
	if len(loc.bands) == 0 || math.IsNaN(p[0]+p[1]) || !loc.bound.Contains(p) {
		return ""
	}
	switch cell := loc.cells[loc.row(p[1])*loc.cols+loc.col(p[0])]; cell {
	case cellMixed:
		if inside := loc.inside(p); inside != 0 {
			return loc.labels[bits.TrailingZeros64(inside)]
		}
		return ""
	case cellNone:
		return ""
	default:
		return loc.labels[cell-1]
	}
}
