package tiles

import (
	"math"

	"github.com/paulmach/orb"
)

// geomType is the geometry type of a vector tile feature.
type geomType uint64

const (
	pointType   geomType = 1
	lineType    geomType = 2
	polygonType geomType = 3
)

// shape is a line or area made ready for tiles of every zoom: its vertices in
// world coordinates, each with the tolerance up to which it stays.
type shape struct {
	points []orb.Point
	lines  []part
	rings  []part
	bound  orb.Bound
}

// part is a line or a ring.
type part struct {
	vertices []orb.Point
	// keepTo is, for each vertex, the square of the tolerance up to which
	// simplification keeps it; infinite for the ends.
	keepTo []float32
	// blocks are the boxes of blockLen vertices each, so that what lies far
	// outside of a tile is passed over.
	blocks []orb.Bound
	bound  orb.Bound
	hole   bool
}

const blockLen = 64

func newShape(g orb.Geometry) *shape {
	s := &shape{}
	s.add(g)
	s.bound = orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	for _, p := range s.points {
		s.bound = grow(s.bound, p.Bound())
	}
	for _, parts := range [][]part{s.lines, s.rings} {
		for i := range parts {
			s.bound = grow(s.bound, parts[i].bound)
		}
	}
	return s
}

func grow(a, b orb.Bound) orb.Bound {
	if a.Min[0] > a.Max[0] {
		return b
	}
	return a.Union(b)
}

func (s *shape) add(g orb.Geometry) {
	switch g := g.(type) {
	case orb.Point:
		s.points = append(s.points, world(g))
	case orb.MultiPoint:
		for _, p := range g {
			s.points = append(s.points, world(p))
		}
	case orb.LineString:
		s.addLine(g)
	case orb.MultiLineString:
		for _, l := range g {
			s.addLine(l)
		}
	case orb.Ring:
		s.addPolygon(orb.Polygon{g})
	case orb.Polygon:
		s.addPolygon(g)
	case orb.MultiPolygon:
		for _, p := range g {
			s.addPolygon(p)
		}
	case orb.Bound:
		s.addPolygon(g.ToPolygon())
	case orb.Collection:
		for _, m := range g {
			s.add(m)
		}
	}
}

func (s *shape) addLine(l orb.LineString) {
	if len(l) > 1 {
		s.lines = append(s.lines, newPart(l, false))
	}
}

func (s *shape) addPolygon(p orb.Polygon) {
	for i, r := range p {
		if len(r) < 3 {
			if i == 0 {
				return
			}
			continue
		}
		if r[0] != r[len(r)-1] {
			r = append(r[:len(r):len(r)], r[0])
		}
		s.rings = append(s.rings, newPart(orb.LineString(r), i > 0))
	}
}

func newPart(l orb.LineString, hole bool) part {
	p := part{vertices: make([]orb.Point, len(l)), hole: hole}
	for i, v := range l {
		p.vertices[i] = world(v)
	}
	for i := 0; i < len(l); i += blockLen {
		p.blocks = append(p.blocks, orb.MultiPoint(p.vertices[i:min(i+blockLen, len(l))]).Bound())
	}
	p.bound = p.blocks[0]
	for _, b := range p.blocks[1:] {
		p.bound = p.bound.Union(b)
	}
	p.keepTo = keepTo(p.vertices)
	return p
}

const (
	// finest is below the square of half a pixel at MaxZoom.
	finest = 1e-20
	// evenDepth is where splitting goes over to halves, which bounds the
	// cost on lines made to be costly.
	evenDepth = 48
)

// keepTo returns, for each vertex, the square of the greatest tolerance at
// which Douglas and Peucker's simplification (Cartographica 10:112, 1973)
// keeps it, in the unit of the vertices squared: the vertex's distance from
// the chord at which it is split off, but no more than that of the splits
// before it. Keeping the vertices whose value exceeds t² is the
// simplification with tolerance t, so one pass serves every zoom.
// Cost: O(n log n) on natural lines, at most 48 n more.
func keepTo(v []orb.Point) []float32 {
	type span struct {
		lo, hi, depth int
		most          float64
	}
	n := len(v)
	out := make([]float32, n)
	out[0], out[n-1] = float32(math.Inf(1)), float32(math.Inf(1))
	for stack := []span{{0, n - 1, 0, math.Inf(1)}}; len(stack) > 0; {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		at, far := farthest(v, s.lo, s.hi)
		if far < finest {
			continue
		}
		far = min(far, s.most)
		if s.depth > evenDepth {
			at = (s.lo + s.hi) / 2
		}
		out[at] = float32(far)
		if at-s.lo > 1 {
			stack = append(stack, span{s.lo, at, s.depth + 1, far})
		}
		if s.hi-at > 1 {
			stack = append(stack, span{at, s.hi, s.depth + 1, far})
		}
	}
	return out
}

// farthest returns the vertex strictly between lo and hi that is farthest
// from the segment between them, and its squared distance; -1 when none is.
func farthest(v []orb.Point, lo, hi int) (at int, far float64) {
	a := v[lo]
	dx, dy := v[hi][0]-a[0], v[hi][1]-a[1]
	inv := 0.0
	if l2 := dx*dx + dy*dy; l2 > 0 {
		inv = 1 / l2
	}
	far = -1
	for i := lo + 1; i < hi; i++ {
		px, py := v[i][0]-a[0], v[i][1]-a[1]
		t := min(max((px*dx+py*dy)*inv, 0), 1)
		px, py = px-t*dx, py-t*dy
		if d := px*px + py*py; d > far {
			at, far = i, d
		}
	}
	return at, far
}

// frame maps world coordinates to the units of one tile.
type frame struct {
	scale, x, y float64   // unit = world·scale - x
	window      orb.Bound // the tile with its buffer, in units
	tolerance2  float32   // squared, in world units
}

func (f *frame) units(p orb.Point) orb.Point {
	return orb.Point{p[0]*f.scale - f.x, p[1]*f.scale - f.y}
}

func (f *frame) box(b orb.Bound) orb.Bound {
	return orb.Bound{Min: f.units(b.Min), Max: f.units(b.Max)}
}

// outside reports whether a box lies wholly on one side of the window.
func (f *frame) outside(b orb.Bound) bool { return !f.window.Intersects(f.box(b)) }

func (f *frame) inside(b orb.Bound) bool {
	b = f.box(b)
	return f.window.Contains(b.Min) && f.window.Contains(b.Max)
}

// simplified appends the part's vertices at the frame's tolerance to dst, in
// tile units. Of a block that lies outside of the window only the first and
// last kept vertex remain: what is drawn inside is the same.
func (f *frame) simplified(dst []orb.Point, p *part) []orb.Point {
	for k, box := range p.blocks {
		lo, hi := k*blockLen, min((k+1)*blockLen, len(p.vertices))
		if !f.outside(box) {
			for i := lo; i < hi; i++ {
				if p.keepTo[i] > f.tolerance2 {
					dst = append(dst, f.units(p.vertices[i]))
				}
			}
			continue
		}
		for lo < hi && p.keepTo[lo] <= f.tolerance2 {
			lo++
		}
		if lo == hi {
			continue
		}
		for p.keepTo[hi-1] <= f.tolerance2 {
			hi--
		}
		dst = append(dst, f.units(p.vertices[lo]))
		if hi-lo > 1 {
			dst = append(dst, f.units(p.vertices[hi-1]))
		}
	}
	return dst
}
