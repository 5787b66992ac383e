package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// authalicRadius2 is c², the square of the radius of the sphere with the area
// of the ellipsoid, in m²: a²/2 + b²/2 · atanh(e)/e.
func authalicRadius2() float64 {
	e := math.Sqrt(e2)
	return EquatorialRadiusM*EquatorialRadiusM/2 + polarRadiusM*polarRadiusM/2*math.Atanh(e)/e
}

// RingAreaM2 returns the area inside a ring whose edges are geodesics, in m²:
// positive when the ring runs anticlockwise, negative when clockwise. The ring
// need not repeat its first point. Each edge takes the short way round, so a
// ring may cross the 180th meridian or go round a pole; of the two parts into
// which a ring cuts the globe the smaller counts.
//
// The area is the sum over the edges of the area between edge and equator,
// S = c²(α2-α1) + e²a² cos α0 sin α0 (I4(σ2)-I4(σ1)).
//
// Source: Karney (2013), section 6. The error is of the order of 0.1 m² for
// rings as large as continents, less for small ones. An edge between exactly
// opposite points is not defined.
func RingAreaM2(ring orb.Ring) float64 {
	if len(ring) < 3 {
		return 0
	}
	c2 := authalicRadius2()
	sum, turns := 0.0, 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		g := solveInverse(p, q)
		sum -= g.areaM2(c2)
		turns += wrapDeg(q[0] - p[0])
	}
	whole := 4 * math.Pi * c2
	if n := math.Round(turns / 360); math.Remainder(n, 2) != 0 {
		sum += math.Copysign(whole/2, n) // round a pole: count from the pole, not from the equator
	}
	return math.Remainder(sum, whole)
}

// areaM2 returns the area between the geodesic and the equator, in m²:
// positive for a line eastwards in the north.
func (g *solution) areaM2(c2 float64) float64 {
	α0 := angle{g.α1.sin * g.β1.cos, math.Hypot(g.α1.cos, g.α1.sin*g.β1.sin)}
	area := 0.0
	if !g.special && α0.sin != 0 && α0.cos != 0 {
		σ1 := angle{g.β1.sin, g.α1.cos * g.β1.cos}.unit()
		s, c := math.Sincos(g.σ12) // for short lines surer than σ2 from β2 and α2
		σ2 := σ1.plus(angle{s, c})
		C4 := c4(epsilon(α0))
		area = EquatorialRadiusM * EquatorialRadiusM * e2 * α0.cos * α0.sin *
			(C4.cosineOdd(σ2) - C4.cosineOdd(σ1))
	}
	return g.turned * (area + c2*g.excess())
}

// excess returns α2-α1 on the auxiliary sphere, which is the spherical area
// between the great circle and the equator.
func (g *solution) excess() float64 {
	if !g.special && g.ω12.cos <= -0.7 && g.β2.sin-g.β1.sin >= 1.75 {
		// Long and steep: the half-angle form loses its footing.
		d := g.α2.minus(g.α1)
		if d.sin == 0 && d.cos < 0 {
			return -math.Pi * math.Copysign(1, g.α1.cos)
		}
		return d.rad()
	}
	// tan(E/2) = tan(ω12/2) (tan β1/2 + tan β2/2) / (1 + tan β1/2 tan β2/2)
	u, v1, v2 := 1+g.ω12.cos, 1+g.β1.cos, 1+g.β2.cos
	return 2 * math.Atan2(g.ω12.sin*(g.β1.sin*v2+g.β2.sin*v1),
		u*(g.β1.sin*g.β2.sin+v1*v2))
}

// PolygonAreaM2 returns the area of a polygon less its holes in m², never
// negative, whatever way its rings run. See RingAreaM2.
func PolygonAreaM2(polygon orb.Polygon) float64 {
	area := 0.0
	for i, ring := range polygon {
		a := math.Abs(RingAreaM2(ring))
		if i > 0 {
			a = -a
		}
		area += a
	}
	return math.Max(0, area)
}

// MultiPolygonAreaM2 returns the sum of the areas of the polygons in m²; what
// two of them share counts twice.
func MultiPolygonAreaM2(polygons orb.MultiPolygon) float64 {
	area := 0.0
	for _, p := range polygons {
		area += PolygonAreaM2(p)
	}
	return area
}

// LengthM returns the length of a line in metres, each segment a geodesic.
func LengthM(line orb.LineString) float64 {
	length := 0.0
	for i := 1; i < len(line); i++ {
		length += DistanceM(line[i-1], line[i])
	}
	return length
}

// CellAreaM2 returns the area of a box in longitude and latitude on the
// ellipsoid, in m². Its north and south edges are parallels, not geodesics. A
// box whose west is east of its east crosses the 180th meridian.
//
// A = b²/2 Δλ [ sin φ / (1 - e² sin² φ) + atanh(e sin φ) / e ], between the
// two latitudes: the closed form behind the authalic latitude.
//
// Source: J. P. Snyder, Map projections, a working manual, USGS Professional
// Paper 1395 (1987), equation 3-12.
func CellAreaM2(box orb.Bound) float64 {
	width := box.Max[0] - box.Min[0]
	if width < 0 {
		width += 360
	}
	return polarRadiusM * polarRadiusM / 2 * width * degree *
		(authalic(box.Max[1]) - authalic(box.Min[1]))
}

func authalic(latDeg float64) float64 {
	e, s := math.Sqrt(e2), direction(latDeg).sin
	return s/(1-e2*s*s) + math.Atanh(e*s)/e
}
