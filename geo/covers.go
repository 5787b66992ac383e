package geo

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Area answers quickly whether a polygonal geometry holds a point, by the
// even-odd rule with edges straight in longitude and latitude, as maps draw
// them (Contains is the same with geodesic edges, and slower). It keeps the
// edges in bands of latitude, so that a question looks only at those near its
// parallel. It is immutable.
type Area struct {
	bound  orb.Bound
	perDeg float64
	bands  [][]areaEdge
}

// areaEdge runs from south to north; slope is degrees of longitude a degree.
type areaEdge struct{ y0, y1, x0, slope float64 }

// edgesPerBand sets how many bands there are.
const edgesPerBand = 8

// NewArea prepares a polygon, multipolygon or collection of them; of other
// geometries the area is empty. Cost: proportional to the edges.
func NewArea(g orb.Geometry) *Area {
	var edges []areaEdge
	eachRing(g, func(r orb.Ring) {
		for i := range r {
			p, q := r[i], r[(i+1)%len(r)]
			if p[1] > q[1] {
				p, q = q, p
			}
			if p[1] != q[1] {
				edges = append(edges, areaEdge{p[1], q[1], p[0], (q[0] - p[0]) / (q[1] - p[1])})
			}
		}
	})
	a := &Area{}
	if len(edges) == 0 {
		return a
	}
	a.bound = g.Bound()
	n := 1 + len(edges)/edgesPerBand
	a.bands = make([][]areaEdge, n)
	a.perDeg = float64(n) / (a.bound.Max[1] - a.bound.Min[1])
	for _, e := range edges {
		for k := a.band(e.y0); k <= a.band(e.y1); k++ {
			a.bands[k] = append(a.bands[k], e)
		}
	}
	return a
}

func (a *Area) band(lat float64) int {
	return min(len(a.bands)-1, int(math.Floor((lat-a.bound.Min[1])*a.perDeg)))
}

// Covers reports whether the area holds the point.
func (a *Area) Covers(p orb.Point) bool {
	if len(a.bands) == 0 || !a.bound.Contains(p) {
		return false
	}
	inside := false
	for _, e := range a.bands[a.band(p[1])] {
		if e.y0 <= p[1] && p[1] < e.y1 && p[0] < e.x0+(p[1]-e.y0)*e.slope {
			inside = !inside
		}
	}
	return inside
}

// CoversAlong sets dst[i] to whether the area holds the point at longitude
// lons[i] of a parallel, in degrees, as Covers does for each. Cost: the edges
// near the parallel once, and one step a point, where longitudes go east.
func (a *Area) CoversAlong(lat float64, lons []float64, dst []bool) {
	clear(dst)
	if len(a.bands) == 0 || lat < a.bound.Min[1] || lat > a.bound.Max[1] {
		return
	}
	var crossings []float64
	for _, e := range a.bands[a.band(lat)] {
		if e.y0 <= lat && lat < e.y1 {
			crossings = append(crossings, e.x0+(lat-e.y0)*e.slope)
		}
	}
	slices.Sort(crossings)
	west := 0 // crossings that are not east of the point
	for i, lon := range lons {
		if i > 0 && lon < lons[i-1] {
			west = 0
		}
		for west < len(crossings) && crossings[west] <= lon {
			west++
		}
		dst[i] = (len(crossings)-west)%2 == 1
	}
}

func eachRing(g orb.Geometry, yield func(orb.Ring)) {
	switch g := g.(type) {
	case orb.Polygon:
		for _, r := range g {
			yield(r)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			eachRing(p, yield)
		}
	case orb.Collection:
		for _, part := range g {
			eachRing(part, yield)
		}
	}
}
