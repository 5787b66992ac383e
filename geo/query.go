package geo

import (
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
// The index offers rows by a lower bound of their distance; distances are taken
// of those only that the bound does not rule out. They are good to a micrometre,
// and round to the millimetre to which the geodesic does; the order is exact.
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
	s := search{layer: l, from: newVantage(p), reachM: reachM, k: k, found: make([]found, 0, min(k, 512))}
	s.run(p)
	return s.hits()
}

// distanceM returns the distance to a row when it is at most reachM.
func (l *Layer) distanceM(v *vantage, row int, reachM float64) float64 {
	c, i := l.at(row)
	if c.shapes == nil || c.shapes[i] == nil {
		return DistanceM(v.p, c.points[i])
	}
	return v.distanceM(c.shapes[i], math.Nextafter(reachM, math.Inf(1)))
}

// Window returns the rows whose box touches b, in ascending order; a box whose
// west is east of its east crosses the 180th meridian.
func (l *Layer) Window(b orb.Bound) []int {
	var rows []int
	l.Index().Window(b, func(row int) bool {
		rows = append(rows, row)
		return true
	})
	return sortRows(rows)
}

// sortRows sorts rows, which are not negative, digit by digit from the last.
func sortRows(rows []int) []int {
	const few, digits = 256, 11
	if len(rows) < few {
		slices.Sort(rows)
		return rows
	}
	other, most := make([]int, len(rows)), slices.Max(rows)
	for shift := 0; most>>shift > 0; shift += digits {
		var ends [1 << digits]int
		for _, row := range rows {
			ends[row>>shift&(1<<digits-1)]++
		}
		end := 0
		for d, n := range ends {
			ends[d], end = end, end+n
		}
		for _, row := range rows {
			d := row >> shift & (1<<digits - 1)
			other[ends[d]] = row
			ends[d]++
		}
		rows, other = other, rows
	}
	return rows
}
