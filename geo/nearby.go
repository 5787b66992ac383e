package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// surroundings measure distances from a point to what lies within
// surroundingsM of it without solving a geodesic.
type surroundings struct {
	p              orb.Point
	sinLat, cosLat float64
	lonM, latM     float64 // the least length of a degree within surroundingsDeg of its latitude
}

const (
	surroundingsM = 10_000
	// surroundingsDeg of latitude are at least 11,057 m.
	surroundingsDeg = 0.1
	// surroundingsErrorM is a hundred times the largest error that tests find of
	// surroundings.distanceM.
	surroundingsErrorM = 1e-6
)

// newSurroundings is not ok where the formula is not good enough: far from the
// equator, and near the 180th meridian, which it does not know.
func newSurroundings(p orb.Point) (n surroundings, ok bool) {
	if !(math.Abs(p[1]) <= 60 && math.Abs(p[0]) <= 179) {
		return n, false
	}
	n.p = p
	n.sinLat, n.cosLat = math.Sincos(p[1] * degree)
	away := math.Abs(p[1])
	n.lonM, _ = MetresPerDegree(away + surroundingsDeg)
	_, n.latM = MetresPerDegree(math.Max(0, away-surroundingsDeg))
	const rounding = 1 - 1e-12
	n.lonM, n.latM = n.lonM*rounding, n.latM*rounding
	return n, true
}

// toPoint2 bounds the square of the distance to a point from below, in m², up
// to the square of surroundingsM. A path that stays within surroundingsDeg of
// the latitude is at least as long east and north as in a plane where degrees
// have their least lengths there; any other is longer than surroundingsM.
func (n *surroundings) toPoint2(q orb.Point) float64 {
	x, y := (q[0]-n.p[0])*n.lonM, (q[1]-n.p[1])*n.latM
	return x*x + y*y
}

// toBox2 is toPoint2 for any place in a box.
func (n *surroundings) toBox2(b *orb.Bound) float64 {
	x := max(b.Min[0]-n.p[0], n.p[0]-b.Max[0], 0) * n.lonM
	y := max(b.Min[1]-n.p[1], n.p[1]-b.Max[1], 0) * n.latM
	return x*x + y*y
}

// distanceM returns the geodesic distance to a point whose toPoint2 is not over
// the square of surroundingsM, to surroundingsErrorM.
//
// Source: Gauss's mid-latitude formulas with terms of the third order; W.
// Großmann, Geodätische Rechnungen und Abbildungen in der Landesvermessung, 3rd
// ed. (1976).
func (n *surroundings) distanceM(q orb.Point) float64 {
	Δφ, Δλ := (q[1]-n.p[1])*degree, (q[0]-n.p[0])*degree
	half := Δφ / 2
	u := half * half
	sin, cos := half*(1-u/6*(1-u/20)), 1-u/2*(1-u/12) // of half, which is under 0.001
	s, c := n.sinLat*cos+n.cosLat*sin, n.cosLat*cos-n.sinLat*sin
	s2, c2 := s*s, c*c
	t2, η2 := s2/c2, ep2*c2
	v2 := 1 + η2
	primeVerticalM := EquatorialRadiusM / math.Sqrt(1-e2*s2)
	Δφ2, Δλ2 := Δφ*Δφ, Δλ*Δλ
	x := primeVerticalM * c * Δλ * (1 - s2*Δλ2/24 + (1+η2-9*η2*t2)*Δφ2/(24*v2*v2))
	y := primeVerticalM / v2 * Δφ * (1 - (2*c2+3*s2+2*η2*c2)*Δλ2/24 + η2*(1-t2+η2+4*η2*t2)*Δφ2/(8*v2*v2))
	return math.Sqrt(x*x + y*y)
}

// within calls yield with the points that may be at most *mostM away, boxes in
// the order of their distance; *mostM may shrink meanwhile.
func (t *packed) within(n *surroundings, mostM *float64, yield func(p orb.Point, item int32)) {
	heap, ok := t.heaps.Get().(*nearby)
	if !ok {
		heap = &nearby{}
	}
	defer t.heaps.Put(heap)
	heap.heap = heap.heap[:0]
	heap.push(nearbyNode{0, int32(len(t.levels) - 1), 0})
	for len(heap.heap) > 0 {
		top := heap.pop() // of squares of distances
		most2 := *mostM * *mostM
		if top.atLeastM > most2 {
			return
		}
		first := int(top.i) * packedFan
		if top.level == 0 {
			for i := first; i < min(first+packedFan, len(t.points)); i++ {
				if p := t.points[i]; n.toPoint2(p) <= most2 {
					yield(p, t.items[i])
					most2 = *mostM * *mostM
				}
			}
			continue
		}
		boxes := t.levels[top.level-1]
		for i := first; i < min(first+packedFan, len(boxes)); i++ {
			if least2 := n.toBox2(&boxes[i]); least2 <= most2 {
				heap.push(nearbyNode{least2, top.level - 1, int32(i)})
			}
		}
	}
}
