package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// vantage is a point from which lower bounds of geodesic distances are taken.
//
// On the ellipsoid ds² = M² dφ² + N² cos²φ dλ², and neither radius of curvature
// is anywhere under that of the meridian at the equator, M(0) = a(1-e²). So no
// path is shorter than on a sphere of that radius with the same latitudes and
// longitudes. The bound is at most 1.1 % under the true distance, and holds
// over poles and the 180th meridian because spherical distance does.
type vantage struct {
	p              orb.Point
	sinLat, cosLat float64
}

const (
	// leastRadiusM is M(0) = 6 335 439.327 m, rounded down.
	leastRadiusM = 6335439
	// roundingM is taken off every bound, to be safe from its rounding errors.
	roundingM = 1e-6
)

func newVantage(p orb.Point) vantage {
	s, c := math.Sincos(p[1] * degree)
	return vantage{p, s, c}
}

// toPointM bounds the distance to a point from below, in metres: the haversine
// formula.
func (v *vantage) toPointM(lon, lat float64) float64 {
	return boundM(v.haversine(wrapDeg(lon-v.p[0]), lat))
}

// boundM turns sin²(d/2) into metres.
func boundM(h float64) float64 {
	return math.Max(0, 2*leastRadiusM*math.Asin(math.Sqrt(math.Min(1, h)))-roundingM)
}

// haversine returns sin²(d/2) for the point at a difference of longitude.
func (v *vantage) haversine(Δlon, lat float64) float64 {
	y := math.Sin((lat - v.p[1]) * (degree / 2))
	x := math.Sin(Δlon * (degree / 2))
	return y*y + v.cosLat*math.Cos(lat*degree)*x*x
}

// toBoxM bounds the distance to a box from below, in metres. Longitudes count
// modulo 360. West or east of the box its nearest place is on the nearer of
// the two meridians that end it: where the great circle square to that
// meridian meets it, or at one of its ends.
func (v *vantage) toBoxM(lo, hi [2]float64) float64 {
	if lo == hi {
		return v.toPointM(lo[0], lo[1])
	}
	offset := math.Mod(v.p[0]-lo[0], 360)
	if offset < 0 {
		offset += 360
	}
	width := hi[0] - lo[0]
	if offset <= width {
		gap := math.Max(0, math.Max(lo[1]-v.p[1], v.p[1]-hi[1]))
		return math.Max(0, leastRadiusM*degree*gap-roundingM)
	}
	Δlon := math.Min(offset-width, 360-offset)
	h := math.Min(v.haversine(Δlon, lo[1]), v.haversine(Δlon, hi[1]))
	if Δlon < 90 {
		s, c := math.Sincos(Δlon * degree)
		if foot := math.Atan2(v.sinLat, v.cosLat*c) / degree; foot > lo[1] && foot < hi[1] {
			return math.Max(0, leastRadiusM*math.Asin(v.cosLat*s)-roundingM)
		}
	}
	return boundM(h)
}

// toSegmentM bounds the distance to the geodesic between a and b from below.
func (v *vantage) toSegmentM(a, b orb.Point) float64 {
	Δlon := wrapDeg(b[0] - a[0])
	west := a[0] + math.Min(0, Δlon)
	lo := [2]float64{west, math.Min(a[1], b[1])}
	hi := [2]float64{west + math.Abs(Δlon), math.Max(a[1], b[1])}
	return math.Max(0, v.toBoxM(lo, hi)-bulgeM(math.Abs(Δlon)))
}

// bulgeM returns how far, at most, a geodesic leaves the box of its two ends,
// in metres, when their longitudes differ by ΔlonDeg.
//
// A great circle over Δω between two points of latitude β rises to
// atan(tan β / cos Δω/2); over all β it rises most, π/2 - 2 atan √cos Δω/2, at
// tan β = √cos Δω/2. On the auxiliary sphere Δω exceeds Δλ by no more than one
// part in 1/f, and reduced latitudes and metres stretch by no more than that.
func bulgeM(ΔlonDeg float64) float64 {
	const stretch = 1 / (1 - Flattening)
	rise := math.Pi / 2
	if half := ΔlonDeg * degree / 2 * stretch; half < math.Pi/2 {
		rise -= 2 * math.Atan(math.Sqrt(math.Cos(half)))
	}
	return rise * EquatorialRadiusM * stretch * stretch
}
