package surface

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Lattice is where a surface is evaluated: NX columns evenly spaced in
// longitude and one row for each latitude, both at cell centres, in degrees.
// Web Mercator tiles and longitude-latitude rasters are both lattices. With
// Planar, the numbers are metres on a plane.
type Lattice struct {
	Lon0, DLon float64 // centre of the first column; step to the next
	NX         int
	Lats       []float64
	Planar     bool

	world bool // a part of the world raster: columns count from 180° W,
	first int  // so that neighbours see the same event in the same place
}

// column returns the column coordinate of a longitude; cell centres are whole.
func (l *Lattice) column(lon float64) float64 {
	if l.world {
		return (lon+180)/l.DLon - (float64(l.first) + 0.5)
	}
	return (lon - l.Lon0) / l.DLon
}

// PlanarLattice returns the centres of nx × ny square cells of cellM metres
// whose lower left corner is x0, y0; the first row is the lowest.
func PlanarLattice(x0, y0, cellM float64, nx, ny int) Lattice {
	l := Lattice{Lon0: x0 + cellM/2, DLon: cellM, NX: nx, Lats: make([]float64, ny), Planar: true}
	for r := range l.Lats {
		l.Lats[r] = y0 + (float64(r)+0.5)*cellM
	}
	return l
}

// TileLattice returns the pixel centres of the square of n × n pixels whose
// upper left pixel is (px, py) in the world raster of 2^level pixels a side
// (Web Mercator). Pixels beyond the poles' rows do not exist; columns beyond
// the dateline continue past 180 degrees.
func TileLattice(level, px, py, n int) Lattice { return WindowLattice(level, px, py, n, n) }

// WindowLattice is TileLattice of nx × ny pixels.
func WindowLattice(level, px, py, nx, ny int) Lattice {
	side := math.Exp2(float64(level))
	l := Lattice{DLon: 360 / side, NX: nx, Lats: make([]float64, ny), world: true, first: px}
	l.Lon0 = (float64(px)+0.5)*l.DLon - 180
	for r := range l.Lats {
		l.Lats[r] = latOf((float64(py) + float64(r) + 0.5) / side)
	}
	return l
}

// PixelAt returns where a position lies in the world raster of 2^level pixels a
// side (Web Mercator), counted from the north-west.
func PixelAt(level int, p orb.Point) (x, y float64) {
	side := math.Exp2(float64(level))
	return worldX(p.Lon()) * side, worldY(p.Lat()) * side
}

// worldX and worldY place a position in the unit square of Web Mercator,
// x to the east from 180° W, y to the south from 85.05° N.
func worldX(lon float64) float64 { return lon/360 + 0.5 }

func worldY(lat float64) float64 {
	lat = max(-maxLat, min(maxLat, lat))
	s := math.Sin(lat * math.Pi / 180)
	return 0.5 - math.Log((1+s)/(1-s))/(4*math.Pi)
}

func latOf(worldY float64) float64 {
	return math.Atan(math.Sinh(math.Pi*(1-2*worldY))) * 180 / math.Pi
}

// maxLat is where Web Mercator's square ends.
const maxLat = 85.0511287798066

// rowMetric is the ellipsoid as seen from one row: the squares of metres per
// degree along the meridian and the parallel, as quadratics in the latitude
// difference d (degrees) from the row to a point, taken at the pair's
// mid-latitude. Squared distance = south(d)·d² + east(d)·dlon².
// The mid-latitude rule errs by less than 1 ppm at 50 km within 8 degrees of
// the equator (see geo.LocalDistanceM); the quadratic adds less than 1e-6
// while d is below 3 degrees.
type rowMetric struct {
	south, east, inverseEast quadratic
}

// quadratic is c[0] + c[1]·d + c[2]·d².
type quadratic [3]float64

func (q *quadratic) at(d float64) float64 { return q[0] + d*(q[1]+d*q[2]) }

func (q quadratic) times(f float64) quadratic { return quadratic{q[0] * f, q[1] * f, q[2] * f} }

func newRowMetric(lat float64, planar bool) rowMetric {
	if planar {
		return rowMetric{quadratic{1}, quadratic{1}, quadratic{1}}
	}
	// Differences over a step of half a degree in d, that is a quarter in
	// mid-latitude, give the quadratic exactly at three points.
	const step = 0.5
	at := func(d float64) (south, east float64) {
		lonM, latM := geo.MetresPerDegree(lat + d/2)
		return latM * latM, max(lonM*lonM, 1) // at the poles a degree has no length
	}
	s0, e0 := at(0)
	sm, em := at(-step)
	sp, ep := at(step)
	fit := func(m, z, p float64) quadratic {
		return quadratic{z, (p - m) / (2 * step), (p - 2*z + m) / (2 * step * step)}
	}
	return rowMetric{fit(sm, s0, sp), fit(em, e0, ep), fit(1/em, 1/e0, 1/ep)}
}

func (m *rowMetric) squares(d float64) (south, east float64) { return m.south.at(d), m.east.at(d) }
