package geo

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// extent returns the box around a geometry whose segments take the short way
// round, and the widest of them in degrees of longitude. Geodesics may leave
// the box by bulgeM of that. What crosses the 180th meridian without being cut
// there gets a box all round; a ring about a pole the whole globe.
func extent(g orb.Geometry) (box orb.Bound, widestDeg float64) {
	box = g.Bound()
	eachLine(g, func(line orb.LineString) {
		turns, across := 0.0, false
		for i := 1; i < len(line); i++ {
			Δlon := line[i][0] - line[i-1][0]
			short := wrapDeg(Δlon)
			across = across || short != Δlon
			widestDeg = math.Max(widestDeg, math.Abs(short))
			turns += short
		}
		if across {
			box.Min[0], box.Max[0] = math.Min(box.Min[0], -180), math.Max(box.Max[0], 180)
		}
		if math.Abs(turns) > 180 && len(line) > 2 && line[0] == line[len(line)-1] {
			box.Min[1], box.Max[1] = -90, 90
		}
	})
	return box, widestDeg
}

// eachLine calls yield with every line and ring of a geometry.
func eachLine(g orb.Geometry, yield func(line orb.LineString)) {
	switch g := g.(type) {
	case orb.LineString:
		yield(g)
	case orb.Ring:
		yield(closed(g))
	case orb.MultiLineString:
		for _, line := range g {
			yield(line)
		}
	case orb.Polygon:
		for _, ring := range g {
			yield(closed(ring))
		}
	case orb.MultiPolygon:
		for _, polygon := range g {
			eachLine(polygon, yield)
		}
	case orb.Bound:
		eachLine(g.ToRing(), yield)
	case orb.Collection:
		for _, part := range g {
			eachLine(part, yield)
		}
	}
}

// closed returns a ring as a line that ends where it starts.
func closed(ring orb.Ring) orb.LineString {
	line := orb.LineString(ring)
	if n := len(ring); n > 1 && ring[0] != ring[n-1] {
		line = append(line[:n:n], ring[0])
	}
	return line
}

// GeometryDistanceM returns the geodesic distance from p to a geometry, whose
// edges are geodesics, in metres: zero inside a polygon, +Inf for an empty
// geometry. See NearestOnLine for its accuracy.
func GeometryDistanceM(p orb.Point, g orb.Geometry) float64 {
	v := newVantage(p)
	return v.distanceM(g, math.Inf(1))
}

// distanceM is GeometryDistanceM for distances under limitM; another answer,
// not under limitM, says only that the geometry is no nearer.
func (v *vantage) distanceM(g orb.Geometry, limitM float64) float64 {
	switch g := g.(type) {
	case orb.Point:
		return DistanceM(v.p, g)
	case orb.MultiPoint:
		for _, q := range g {
			if v.toPointM(q[0], q[1]) < limitM {
				limitM = math.Min(limitM, DistanceM(v.p, q))
			}
		}
		return limitM
	case orb.LineString:
		return nearestOn(v, g, limitM).DistanceM
	case orb.MultiLineString:
		for _, line := range g {
			limitM = nearestOn(v, line, limitM).DistanceM
		}
		return limitM
	case orb.Ring:
		return v.distanceM(orb.Polygon{g}, limitM)
	case orb.Polygon:
		if v.inside(g) {
			return 0
		}
		for _, ring := range g {
			limitM = nearestOn(v, closed(ring), limitM).DistanceM
		}
		return limitM
	case orb.MultiPolygon:
		for _, polygon := range g {
			limitM = math.Min(limitM, v.distanceM(polygon, limitM))
		}
		return limitM
	case orb.Bound:
		return v.distanceM(g.ToRing(), limitM)
	case orb.Collection:
		for _, part := range g {
			limitM = math.Min(limitM, v.distanceM(part, limitM))
		}
		return limitM
	}
	return limitM
}

// Contains reports whether p is inside a polygonal geometry whose edges are
// geodesics; false for points and lines. A ring about a pole contains the pole
// on the side of its smaller part. On the edge itself either answer is
// possible.
func Contains(g orb.Geometry, p orb.Point) bool {
	v := newVantage(p)
	return v.insideAny(g)
}

func (v *vantage) insideAny(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Ring:
		return v.inside(orb.Polygon{g})
	case orb.Bound:
		return v.inside(g.ToPolygon())
	case orb.Polygon:
		return v.inside(g)
	case orb.MultiPolygon:
		return slices.ContainsFunc(g, v.inside)
	case orb.Collection:
		return slices.ContainsFunc(g, v.insideAny)
	}
	return false
}

// inside counts the edges that the meridian from p to the north pole crosses.
func (v *vantage) inside(polygon orb.Polygon) bool {
	in := false
	for _, ring := range polygon {
		line := closed(ring)
		turns := 0.0
		for i := 1; i < len(line); i++ {
			if v.under(line[i-1], line[i]) {
				in = !in
			}
			turns += wrapDeg(line[i][0] - line[i-1][0])
		}
		// An odd number of turns is a ring about a pole: anticlockwise
		// eastwards about the north pole, clockwise about the south pole.
		if math.Abs(turns) > 180 && turns*RingAreaM2(ring) > 0 {
			in = !in
		}
	}
	return in
}

// under reports whether the geodesic from a to b crosses the meridian of p
// between p and the north pole.
func (v *vantage) under(a, b orb.Point) bool {
	da, db := wrapDeg(a[0]-v.p[0]), wrapDeg(b[0]-v.p[0])
	if (da < 0) == (db < 0) || math.Abs(db-da) > 180 {
		return false
	}
	bulge := bulgeM(math.Abs(db-da)) / (leastRadiusM * degree)
	if math.Min(a[1], b[1])-bulge > v.p[1] {
		return true
	}
	if math.Max(a[1], b[1])+bulge < v.p[1] {
		return false
	}
	west, east := a, b
	if db < da {
		west, east = b, a
	}
	toP := solveInverse(west, v.p).from
	return toP.minus(solveInverse(west, east).from).sin > 0 // p is to the right
}
