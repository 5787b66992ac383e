package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Helmert turns geocentric coordinates of one datum into those of another, by
// the position vector convention (EPSG Guidance Note 7-2, method 1033): the
// coordinate frame convention has the rotations with the other sign.
type Helmert struct {
	XM, YM, ZM        float64 // translation
	XArcSec, YArcSec  float64 // rotation
	ZArcSec, ScalePPM float64
	From, To          Ellipsoid
}

// Shift returns the longitude and latitude in degrees, on To, of a place at
// height zero whose longitude and latitude are given on From.
func (h Helmert) Shift(p orb.Point) orb.Point {
	x, y, z := geocentric(h.From, p)
	const arcSec = degree / 3600
	rx, ry, rz, m := h.XArcSec*arcSec, h.YArcSec*arcSec, h.ZArcSec*arcSec, 1+h.ScalePPM*1e-6
	return geographic(h.To,
		h.XM+m*(x-rz*y+ry*z),
		h.YM+m*(rz*x+y-rx*z),
		h.ZM+m*(-ry*x+rx*y+z))
}

// geocentric returns the metres from the centre of the ellipsoid, towards 0°E,
// 90°E and the north pole.
func geocentric(e Ellipsoid, p orb.Point) (x, y, z float64) {
	sinLat, cosLat := math.Sincos(p[1] * degree)
	sinLon, cosLon := math.Sincos(p[0] * degree)
	e2 := e.Flattening * (2 - e.Flattening)
	n := e.RadiusM / math.Sqrt(1-e2*sinLat*sinLat)
	return n * cosLat * cosLon, n * cosLat * sinLon, n * (1 - e2) * sinLat
}

// geographic is the inverse of geocentric near the surface; the height is left
// out (EPSG Guidance Note 7-2, method 9602, iterated to the last digits).
func geographic(e Ellipsoid, x, y, z float64) orb.Point {
	e2 := e.Flattening * (2 - e.Flattening)
	r := math.Hypot(x, y)
	lat := math.Atan2(z, r*(1-e2))
	for range 6 {
		sin := math.Sin(lat)
		lat = math.Atan2(z+e2*e.RadiusM/math.Sqrt(1-e2*sin*sin)*sin, r)
	}
	return orb.Point{math.Atan2(y, x) / degree, lat / degree}
}
