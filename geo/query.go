package geo

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// Hit is a row that a search found, and its distance.
type Hit struct {
	Row       int
	DistanceM float64
}

// Near returns the k rows nearest to p by geodesic distance to their geometry
// (zero inside a polygon), nearest first, ties by row.
//
// The index offers rows by a lower bound of their distance, at most 1.1 % under
// it; the exact distance is taken of those only that the bound does not rule
// out.
func (l *Layer) Near(p orb.Point, k int) []Hit {
	if k <= 0 {
		return nil
	}
	return l.nearest(p, math.Inf(1), k)
}

// Within returns the rows within radiusM metres of p, nearest first, ties by
// row; the first limit of them, or all when limit is not over zero. See Near.
func (l *Layer) Within(p orb.Point, radiusM float64, limit int) []Hit {
	if limit <= 0 {
		limit = l.n
	}
	return l.nearest(p, radiusM, limit)
}

func (l *Layer) nearest(p orb.Point, reachM float64, k int) []Hit {
	var hits []Hit
	v := newVantage(p)
	l.Index().Nearest(p, func(row int, atLeastM float64) bool {
		if !(atLeastM-l.bulgeM <= reachM) {
			return false
		}
		hit := Hit{row, l.distanceM(&v, row, reachM)}
		if !(hit.DistanceM <= reachM) {
			return true
		}
		at, _ := slices.BinarySearchFunc(hits, hit, compareHits)
		if at == k { // a tie with a higher row
			return true
		}
		if len(hits) == k {
			hits = hits[:k-1]
		}
		hits = slices.Insert(hits, at, hit)
		if len(hits) == k {
			reachM = hits[k-1].DistanceM
		}
		return true
	})
	return hits
}

// distanceM returns the distance to a row when it is at most reachM.
func (l *Layer) distanceM(v *vantage, row int, reachM float64) float64 {
	c, i := l.at(row)
	if c.shapes == nil || c.shapes[i] == nil {
		return DistanceM(v.p, c.points[i])
	}
	return v.distanceM(c.shapes[i], math.Nextafter(reachM, math.Inf(1)))
}

func compareHits(a, b Hit) int {
	return cmp.Or(cmp.Compare(a.DistanceM, b.DistanceM), cmp.Compare(a.Row, b.Row))
}

// Window returns the rows whose box touches b, in ascending order; a box whose
// west is east of its east crosses the 180th meridian.
func (l *Layer) Window(b orb.Bound) []int {
	var rows []int
	l.Index().Window(b, func(row int) bool {
		rows = append(rows, row)
		return true
	})
	slices.Sort(rows)
	return rows
}
