package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// The WGS 84 ellipsoid: NIMA TR8350.2, third edition, table 3.1.
const (
	// EquatorialRadiusM is the semi-major axis a in metres.
	EquatorialRadiusM = 6378137.0
	// Flattening is f = (a-b)/a.
	Flattening = 1 / 298.257223563

	polarRadiusM = EquatorialRadiusM * (1 - Flattening)       // b
	e2           = Flattening * (2 - Flattening)              // first eccentricity squared
	ep2          = e2 / ((1 - Flattening) * (1 - Flattening)) // second eccentricity squared
	third        = Flattening / (2 - Flattening)              // third flattening n

	degree = math.Pi / 180
)

// DistanceM returns the length of the shortest geodesic between p and q
// (longitude, latitude in degrees) on the WGS 84 ellipsoid, in metres. See
// Inverse.
func DistanceM(p, q orb.Point) float64 { return solveInverse(p, q).distanceM }

// Inverse returns the length in metres of the shortest geodesic from p to q,
// and its azimuths at p and at q, both in the direction of travel, in degrees
// clockwise from north, -180 to 180.
//
// The geodesic is mapped to a great circle on the auxiliary sphere; its
// azimuth at p is found by Newton's method and its length by series to sixth
// order in the third flattening. Nearly antipodal points start from the
// solution of the astroid problem.
//
// Source: C. F. F. Karney, Algorithms for geodesics, Journal of Geodesy
// 87:43-55 (2013), sections 2 to 5.
//
// The distance is good to well under a micrometre for any pair of points. The
// azimuths of coincident points mean nothing; from a pole they count from the
// meridian of the pole's own longitude; where several geodesics are equally
// short (exactly opposite points) one of them is chosen. NaN coordinates give
// NaN.
func Inverse(p, q orb.Point) (distanceM, azi1Deg, azi2Deg float64) {
	g := solveInverse(p, q)
	return g.distanceM, azimuthDeg(g.from), azimuthDeg(g.to)
}

// Direct returns the point at distanceM metres from p along the geodesic that
// leaves it at azimuth aziDeg (degrees clockwise from north), and the azimuth
// of the geodesic there. The longitude is in [-180, 180]. A negative distance
// goes backwards.
//
// The distance is turned into an arc of the great circle on the auxiliary
// sphere by the reverted series of the distance integral.
//
// Source: Karney (2013), section 2, as for Inverse; good to well under a
// micrometre.
func Direct(p orb.Point, aziDeg, distanceM float64) (q orb.Point, azi2Deg float64) {
	g := newGeodesic(p, direction(aziDeg))
	q, to := g.at(distanceM)
	return q, azimuthDeg(to)
}

// angle is an angle by its sine and cosine, which keep their precision where
// the angle itself would lose it.
type angle struct{ sin, cos float64 }

// direction returns the sine and cosine of an angle in degrees, exact at the
// multiples of 90.
func direction(deg float64) angle {
	r := math.Remainder(deg, 360)
	k := math.Round(r / 90)
	s, c := math.Sincos((r - 90*k) * degree)
	switch int(k) & 3 {
	case 1:
		s, c = c, -s
	case 2:
		s, c = -s, -c
	case 3:
		s, c = -c, s
	}
	return angle{s, c}
}

func azimuthDeg(a angle) float64 { return math.Atan2(a.sin, a.cos) / degree }

// unit scales the pair to length one.
func (a angle) unit() angle {
	h := math.Hypot(a.sin, a.cos)
	return angle{a.sin / h, a.cos / h}
}

func (a angle) rad() float64 { return math.Atan2(a.sin, a.cos) }

// minus returns the difference of two angles.
func (a angle) minus(b angle) angle {
	return angle{a.sin*b.cos - a.cos*b.sin, a.cos*b.cos + a.sin*b.sin}
}

// plus returns the sum of two angles.
func (a angle) plus(b angle) angle {
	return angle{a.sin*b.cos + a.cos*b.sin, a.cos*b.cos - a.sin*b.sin}
}

// tiny keeps the cosine of a pole's latitude from being zero, so that azimuths
// there stay defined.
const tiny = 1e-150

// reduced returns the reduced latitude, tan β = (1-f) tan φ.
func reduced(latDeg float64) angle {
	φ := direction(latDeg)
	β := angle{(1 - Flattening) * φ.sin, φ.cos}.unit()
	β.cos = math.Max(tiny, β.cos)
	return β
}

// wrapDeg brings a longitude or a difference of longitudes into [-180, 180].
func wrapDeg(deg float64) float64 {
	if deg >= -180 && deg <= 180 {
		return deg
	}
	return math.Remainder(deg, 360)
}

// geodesic is a line that starts at a point with an azimuth.
type geodesic struct {
	lonDeg float64
	α0     angle // azimuth where the line crosses the equator northwards
	σ1, ω1 angle // arc from that crossing to the start, and longitude on the sphere
	a1, a3 float64
	c1p    series
	c3     series
	start  float64 // I1(σ1)/A1: the start on the scale of distance
}

func newGeodesic(p orb.Point, α1 angle) geodesic {
	β1 := reduced(p[1])
	g := geodesic{lonDeg: p[0]}
	g.α0 = angle{α1.sin * β1.cos, math.Hypot(α1.cos, α1.sin*β1.sin)}
	g.σ1 = angle{β1.sin, β1.cos * α1.cos}
	if β1.sin == 0 && α1.cos == 0 {
		g.σ1.cos = 1
	}
	g.ω1 = angle{g.α0.sin * g.σ1.sin, g.σ1.cos}
	g.σ1 = g.σ1.unit()
	ε := epsilon(g.α0)
	c1 := c1(ε)
	g.a1, g.a3, g.c1p, g.c3 = a1(ε), a3(ε), c1Reverted(ε), c3(ε)
	g.start = g.σ1.rad() + c1.sine(g.σ1)
	return g
}

// at returns the point and azimuth at a distance from the start.
func (g *geodesic) at(distanceM float64) (orb.Point, angle) {
	if distanceM == 0 {
		return g.place(g.σ1, 0)
	}
	τ := g.start + distanceM/(polarRadiusM*g.a1)
	s, c := math.Sincos(τ)
	δ := distanceM/(polarRadiusM*g.a1) + g.start - g.σ1.rad() + g.c1p.sine(angle{s, c})
	s, c = math.Sincos(δ) // δ = σ2-σ1
	return g.place(g.σ1.plus(angle{s, c}), δ)
}

// place returns where the line is at σ2, which lies δ radians after the start.
func (g *geodesic) place(σ2 angle, δ float64) (orb.Point, angle) {
	α2 := angle{g.α0.sin, g.α0.cos * σ2.cos}
	cosβ2 := math.Hypot(g.α0.sin, g.α0.cos*σ2.cos)
	if cosβ2 == 0 {
		cosβ2, α2.cos = tiny, tiny
	}
	lat := math.Atan2(g.α0.cos*σ2.sin, (1-Flattening)*cosβ2) / degree
	ω2 := angle{g.α0.sin * σ2.sin, σ2.cos}
	λ12 := ω2.minus(g.ω1).rad() -
		Flattening*g.α0.sin*g.a3*(δ+g.c3.sine(σ2)-g.c3.sine(g.σ1))
	return orb.Point{wrapDeg(g.lonDeg + λ12/degree), lat}, α2
}
