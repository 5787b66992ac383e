package geo

import (
	"math"
	"math/big"

	"github.com/paulmach/orb"
)

// Shape answers whether geometries have a point in common with one, edges and
// boundaries included, with edges straight in longitude and latitude as maps
// draw them. A box whose west is east of its east crosses the 180th meridian.
// The answer is exact for the coordinates as they are. It is immutable.
type Shape struct {
	parts []orb.Geometry // points, lines and polygons
	boxes []orb.Bound
}

// NewShape prepares a geometry.
func NewShape(g orb.Geometry) *Shape {
	s := &Shape{}
	eachPart(g, func(part orb.Geometry) bool {
		s.parts, s.boxes = append(s.parts, part), append(s.boxes, part.Bound())
		return true
	})
	return s
}

// Meets reports whether a geometry has a point in common with the shape. Cost:
// the product of the edges of each that lie in the box of the other.
func (s *Shape) Meets(g orb.Geometry) bool {
	if p, isPoint := g.(orb.Point); isPoint {
		for k, part := range s.parts {
			if s.boxes[k].Contains(p) && partsMeet(p, part) {
				return true
			}
		}
		return false
	}
	return !eachPart(g, func(part orb.Geometry) bool {
		box := part.Bound()
		for k, mine := range s.parts {
			if s.boxes[k].Intersects(box) && partsMeet(part, mine) {
				return false
			}
		}
		return true
	})
}

// Intersects reports whether two geometries have a point in common, see Shape.
func Intersects(a, b orb.Geometry) bool { return NewShape(b).Meets(a) }

// eachPart calls yield with the points, lines and polygons of a geometry until
// it returns false.
func eachPart(g orb.Geometry, yield func(orb.Geometry) bool) bool {
	switch g := g.(type) {
	case orb.Point, orb.Polygon:
		return yield(g)
	case orb.LineString:
		return len(g) == 0 || yield(g)
	case orb.Ring:
		return yield(orb.Polygon{g})
	case orb.MultiPoint:
		return everyPart(g, yield)
	case orb.MultiLineString:
		return everyPart(g, yield)
	case orb.MultiPolygon:
		return everyPart(g, yield)
	case orb.Collection:
		return everyPart(g, yield)
	case orb.Bound:
		if g.Min[0] <= g.Max[0] {
			return yield(g.ToPolygon())
		}
		west, east := g, g
		west.Min[0], east.Max[0] = -180, 180
		return yield(east.ToPolygon()) && yield(west.ToPolygon())
	}
	return true
}

func everyPart[T orb.Geometry](parts []T, yield func(orb.Geometry) bool) bool {
	for _, part := range parts {
		if !eachPart(part, yield) {
			return false
		}
	}
	return true
}

func partsMeet(a, b orb.Geometry) bool {
	if a.Dimensions() > b.Dimensions() {
		a, b = b, a
	}
	switch b := b.(type) {
	case orb.Point:
		return a.(orb.Point) == b
	case orb.LineString:
		if p, isPoint := a.(orb.Point); isPoint {
			return onLine(p, b)
		}
		return linesMeet(a.(orb.LineString), b)
	case orb.Polygon:
		return meetsPolygon(a, b)
	}
	return false
}

// meetsPolygon: a point, line or polygon meets a polygon where its first place
// is inside, where edges cross, or where it holds the whole polygon.
func meetsPolygon(a orb.Geometry, b orb.Polygon) bool {
	if len(b) == 0 || len(b[0]) == 0 {
		return false
	}
	var lines []orb.LineString
	switch a := a.(type) {
	case orb.Point:
		return inPolygon(a, b)
	case orb.LineString:
		lines = []orb.LineString{a}
	case orb.Polygon:
		if len(a) == 0 || len(a[0]) == 0 {
			return false
		}
		if inPolygon(b[0][0], a) {
			return true
		}
		for _, ring := range a {
			lines = append(lines, closed(ring))
		}
	}
	if inPolygon(lines[0][0], b) {
		return true
	}
	for _, line := range lines {
		for _, ring := range b {
			if linesMeet(line, closed(ring)) {
				return true
			}
		}
	}
	return false
}

// linesMeet compares only the edges that lie in the box of the other line.
func linesMeet(a, b orb.LineString) bool {
	near := b.Bound()
	if len(a) == 1 {
		return onLine(a[0], b)
	}
	for i := 1; i < len(a); i++ {
		p, q := a[i-1], a[i]
		if !edgeInBox(p, q, near) {
			continue
		}
		box := orb.Bound{Min: orb.Point{min(p[0], q[0]), min(p[1], q[1])}, Max: orb.Point{max(p[0], q[0]), max(p[1], q[1])}}
		if len(b) == 1 && onEdge(b[0], p, q) {
			return true
		}
		for k := 1; k < len(b); k++ {
			if edgeInBox(b[k-1], b[k], box) && edgesMeet(p, q, b[k-1], b[k]) {
				return true
			}
		}
	}
	return false
}

// edgeInBox reports whether the box of an edge touches a box.
func edgeInBox(p, q orb.Point, b orb.Bound) bool {
	return min(p[0], q[0]) <= b.Max[0] && max(p[0], q[0]) >= b.Min[0] && min(p[1], q[1]) <= b.Max[1] && max(p[1], q[1]) >= b.Min[1]
}

// edgesMeet reports whether two edges whose boxes touch have a point in common.
func edgesMeet(a, b, c, d orb.Point) bool {
	ab1, ab2 := turn(a, b, c), turn(a, b, d)
	cd1, cd2 := turn(c, d, a), turn(c, d, b)
	if ab1*ab2 > 0 || cd1*cd2 > 0 {
		return false
	}
	if ab1 != 0 || ab2 != 0 || cd1 != 0 || cd2 != 0 {
		return true
	}
	return onEdge(a, c, d) || onEdge(b, c, d) || onEdge(c, a, b) || onEdge(d, a, b)
}

// onEdge reports whether p lies on the edge from a to b.
func onEdge(p, a, b orb.Point) bool {
	return edgeInBox(a, b, orb.Bound{Min: p, Max: p}) && turn(a, b, p) == 0
}

func onLine(p orb.Point, line orb.LineString) bool {
	if len(line) == 1 {
		return line[0] == p
	}
	for i := 1; i < len(line); i++ {
		if onEdge(p, line[i-1], line[i]) {
			return true
		}
	}
	return false
}

// inPolygon reports whether p is inside a polygon by the even-odd rule, or on
// one of its edges.
func inPolygon(p orb.Point, polygon orb.Polygon) bool {
	in := false
	for _, ring := range polygon {
		n := len(ring)
		for i := range ring {
			a, b := ring[i], ring[(i+1)%n]
			if a[1] > b[1] {
				a, b = b, a
			}
			if p[1] < a[1] || p[1] > b[1] || p[0] > max(a[0], b[0]) {
				continue
			}
			if p[0] < min(a[0], b[0]) {
				in = in != (p[1] < b[1] && a[1] < b[1])
				continue
			}
			side := turn(a, b, p)
			if side == 0 {
				return true
			}
			if side > 0 && p[1] < b[1] {
				in = !in
			}
		}
	}
	return in
}

// turn is 1 when a, b and c turn left, -1 when they turn right and 0 when they
// are in line; exactly. The bound on the rounding is Shewchuk's (Adaptive
// Precision Floating-Point Arithmetic, 1997, section 4.3).
func turn(a, b, c orb.Point) int {
	left, right := (a[0]-c[0])*(b[1]-c[1]), (a[1]-c[1])*(b[0]-c[0])
	det := left - right
	const unsure = (3 + 16*0x1p-53) * 0x1p-53
	if math.Abs(det) > unsure*(math.Abs(left)+math.Abs(right)) && math.Abs(det) > 0x1p-900 {
		if det > 0 {
			return 1
		}
		return -1
	}
	if a == c || b == c || a == b || a[0] == b[0] && b[0] == c[0] || a[1] == b[1] && b[1] == c[1] {
		return 0
	}
	exactly := func(v float64) *big.Rat {
		r := new(big.Rat)
		r.SetFloat64(v)
		return r
	}
	minus := func(p, q float64) *big.Rat { return new(big.Rat).Sub(exactly(p), exactly(q)) }
	l := new(big.Rat).Mul(minus(a[0], c[0]), minus(b[1], c[1]))
	r := new(big.Rat).Mul(minus(a[1], c[1]), minus(b[0], c[0]))
	return l.Cmp(r)
}
