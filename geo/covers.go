package geo

import (
	"math"
	"math/bits"
	"slices"

	"github.com/paulmach/orb"
)

// Area answers quickly whether a polygonal geometry holds a point, by the
// even-odd rule with edges straight in longitude and latitude, as maps draw
// them (Contains is the same with geodesic edges, and slower). It keeps the
// edges in bands of latitude, so that a question looks only at those near its
// parallel. There are several levels of bands, each half as high as those of
// the level before, and an edge is in the level where it spans at most two: that
// bounds the memory by the number of edges, whatever their lengths. It is
// immutable.
type Area struct {
	bound  orb.Bound
	last   int        // of the lowest bands that can be
	perDeg float64    // of those
	levels []areaBand // that have edges, from the lowest bands up
}

// areaBand is one level: the edges of band k are edges[start[k]:start[k+1]],
// and a band holds 1<<shift of the lowest that can be.
type areaBand struct {
	shift int
	start []int32
	edges []areaEdge
}

// areaEdge runs from south to north; slope is degrees of longitude a degree.
type areaEdge struct{ y0, y1, x0, slope float64 }

// edgesPerBand sets how many bands there are.
const edgesPerBand = 8

// NewArea prepares a polygon, multipolygon or collection of them; of other
// geometries the area is empty. Cost: at most 160 bytes an edge, and time in
// proportion to the edges.
func NewArea(g orb.Geometry) *Area {
	count := 0
	EachRing(g, func(r orb.Ring) { count += len(r) })
	edges := make([]areaEdge, 0, count)
	EachRing(g, func(r orb.Ring) {
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
	top := bits.Len(uint(len(edges) / edgesPerBand))
	a.levels = make([]areaBand, top+1)
	a.last = 1<<top - 1
	a.perDeg = float64(int(1)<<top) / (a.bound.Max[1] - a.bound.Min[1])
	for level := range a.levels {
		a.levels[level] = areaBand{shift: level, start: make([]int32, 1<<(top-level)+1)}
	}
	for _, e := range edges { // count, then place
		level, first, last := a.place(e)
		a.levels[level].start[first]++
		if last != first {
			a.levels[level].start[last]++
		}
	}
	for _, b := range a.levels {
		for k := range len(b.start) - 1 {
			b.start[k+1] += b.start[k]
		}
	}
	for level := range a.levels {
		b := &a.levels[level]
		b.edges = make([]areaEdge, b.start[len(b.start)-1])
	}
	for _, e := range edges {
		level, first, last := a.place(e)
		b := a.levels[level]
		for k := first; k <= last; k++ {
			b.start[k]--
			b.edges[b.start[k]] = e
		}
	}
	a.levels = slices.DeleteFunc(a.levels, func(b areaBand) bool { return len(b.edges) == 0 })
	return a
}

// place returns the level whose bands an edge spans two of at most, and those.
func (a *Area) place(e areaEdge) (level, first, last int) {
	first, last = a.band(e.y0), a.band(e.y1)
	for last-first > 1 {
		level, first, last = level+1, first>>1, last>>1
	}
	return level, first, last
}

// band returns the number of the lowest band at a latitude within the bound.
func (a *Area) band(lat float64) int {
	return min(a.last, int(math.Floor((lat-a.bound.Min[1])*a.perDeg)))
}

// near returns the edges of a level that a parallel can cross, given the
// lowest band that it is in.
func (b *areaBand) near(band int) []areaEdge {
	k := band >> b.shift
	return b.edges[b.start[k]:b.start[k+1]]
}

// Covers reports whether the area holds the point.
func (a *Area) Covers(p orb.Point) bool {
	if len(a.levels) == 0 || !a.bound.Contains(p) {
		return false
	}
	inside := false
	band := a.band(p[1])
	for i := range a.levels {
		for _, e := range a.levels[i].near(band) {
			if e.y0 <= p[1] && p[1] < e.y1 && p[0] < e.x0+(p[1]-e.y0)*e.slope {
				inside = !inside
			}
		}
	}
	return inside
}

// CoversAlong sets dst[i] to whether the area holds the point at longitude
// lons[i] of a parallel, in degrees, as Covers does for each; the longitudes go
// east. Cost: the edges near the parallel once, and one step a point; a search
// more for each crossing where the points are not evenly spaced.
func (a *Area) CoversAlong(lat float64, lons []float64, dst []bool) {
	clear(dst)
	if len(a.levels) == 0 || len(lons) == 0 || lat < a.bound.Min[1] || lat > a.bound.Max[1] {
		return
	}
	if !slices.IsSorted(lons) {
		for i, lon := range lons {
			dst[i] = a.Covers(orb.Point{lon, lat})
		}
		return
	}
	last := len(lons) - 1
	west, east := lons[0], lons[last]
	perStep := float64(last) / (east - west)
	inside := false // at the last point
	band := a.band(lat)
	for i := range a.levels {
		for _, e := range a.levels[i].near(band) {
			if e.y0 <= lat && lat < e.y1 {
				x := e.x0 + (lat-e.y0)*e.slope
				switch {
				case x > east:
					inside = !inside
				case x > west: // the first point that is not west of it
					k := min(last, 1+int((x-west)*perStep))
					if !(lons[k-1] < x && x <= lons[k]) {
						k, _ = slices.BinarySearch(lons, x)
					}
					dst[k] = !dst[k]
				}
			}
		}
	}
	for i := last; i >= 0; i-- {
		crossed := dst[i]
		dst[i] = inside
		inside = inside != crossed
	}
}

// EachRing calls yield with each ring of an area, outer ones before their holes;
// other geometries have none.
func EachRing(g orb.Geometry, yield func(orb.Ring)) {
	switch g := g.(type) {
	case orb.Polygon:
		for _, r := range g {
			yield(r)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			EachRing(p, yield)
		}
	case orb.Collection:
		for _, part := range g {
			EachRing(part, yield)
		}
	}
}

// MeanCrossings is how many edges of an area a parallel through it meets in the
// mean. A coast with all its islands has tens to hundreds.
// Cost: proportional to the edges.
func MeanCrossings(g orb.Geometry) float64 {
	height := g.Bound().Max[1] - g.Bound().Min[1]
	if !(height > 0) {
		return 0
	}
	sum := 0.0
	EachRing(g, func(r orb.Ring) {
		for i := range r {
			sum += math.Abs(r[(i+1)%len(r)][1] - r[i][1])
		}
	})
	return sum / height
}
