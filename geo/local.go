package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// RadiiM returns the radii of curvature of the ellipsoid at a latitude in
// metres: of the meridian, M = a(1-e²)/(1-e² sin²φ)^(3/2), and of the prime
// vertical, N = a/(1-e² sin²φ)^(1/2).
//
// Source: Snyder, USGS Professional Paper 1395 (1987), equations 4-18, 4-20.
func RadiiM(latDeg float64) (meridianM, primeVerticalM float64) {
	s := math.Sin(latDeg * degree)
	w2 := 1 - e2*s*s
	w := math.Sqrt(w2)
	return EquatorialRadiusM * (1 - e2) / (w2 * w), EquatorialRadiusM / w
}

// MetresPerDegree returns the length of a degree of longitude and of a degree
// of latitude at a latitude, in metres: N cos φ and M, times π/180.
func MetresPerDegree(latDeg float64) (lonM, latM float64) {
	m, n := RadiiM(latDeg)
	return n * math.Cos(latDeg*degree) * degree, m * degree
}

// LocalDistanceM returns the distance between two points near each other, in
// metres: hypot(N cos φ Δλ, M Δφ) with the radii at their middle latitude φ
// and the short way round in longitude.
//
// Source: the mid-latitude formula, G. Bomford, Geodesy (1980), to first order.
//
// Within 8° of the equator its error is under 1 ppm at 50 km (the tests print
// the figure); it grows with the square of the distance and of tan φ, and it
// is no use near a pole. Thirty times faster than DistanceM.
func LocalDistanceM(p, q orb.Point) float64 {
	lonM, latM := MetresPerDegree((p[1] + q[1]) / 2)
	Δλ := q[0] - p[0]
	if Δλ >= 180 || Δλ < -180 {
		Δλ -= 360 * math.Floor((Δλ+180)/360)
	}
	x, y := lonM*Δλ, latM*(q[1]-p[1])
	return math.Sqrt(x*x + y*y)
}
