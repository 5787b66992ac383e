package geo

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Covers reports whether a polygonal geometry holds the point, by the even-odd
// rule with edges straight in longitude and latitude, as maps draw them; false
// for points and lines. Contains is the same with geodesic edges, and slower.
func Covers(g orb.Geometry, p orb.Point) bool {
	switch g := g.(type) {
	case orb.Polygon:
		return g.Bound().Contains(p) && planar.PolygonContains(g, p)
	case orb.MultiPolygon:
		for _, poly := range g {
			if Covers(poly, p) {
				return true
			}
		}
	case orb.Collection:
		for _, part := range g {
			if Covers(part, p) {
				return true
			}
		}
	}
	return false
}
