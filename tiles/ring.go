package tiles

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// vertex is a position in tile units.
type vertex struct{ x, y int32 }

func snap(p orb.Point) vertex {
	return vertex{int32(math.Floor(p[0] + 0.5)), int32(math.Floor(p[1] + 0.5))}
}

// snapLine returns, in memory of dst, the line on the tile's grid, without
// repeated vertices.
func snapLine(dst []vertex, v []orb.Point) []vertex {
	dst = dst[:0]
	for _, p := range v {
		if q := snap(p); len(dst) == 0 || q != dst[len(dst)-1] {
			dst = append(dst, q)
		}
	}
	return dst
}

// snapRing returns, in memory of dst, the open ring on the tile's grid,
// without repeated vertices, spikes and crossings, wound as the area's sign
// says: positive for outer rings, negative for holes (MVT 2.1, section
// 4.3.4.4). It is empty when the area is below leastArea.
func (u *uncrosser) snapRing(dst []vertex, v []orb.Point, hole bool, leastArea int64) []vertex {
	dst = dst[:0]
	for _, p := range v {
		dst = pushRing(dst, snap(p))
	}
	ring := dst[:copy(dst, trimSeam(dst))]
	if len(ring) > 3 {
		u.uncross(ring)
	}
	area := doubleArea(ring)
	if len(ring) < 3 || max(area, -area) < 2*leastArea || area == 0 {
		return dst[:0]
	}
	if (area < 0) != hole {
		for i, j := 0, len(ring)-1; i < j; i, j = i+1, j-1 {
			ring[i], ring[j] = ring[j], ring[i]
		}
	}
	return ring
}

// pushRing appends a vertex unless it repeats the last; going straight back
// to the one before takes the spike out.
func pushRing(dst []vertex, q vertex) []vertex {
	n := len(dst)
	if n > 0 && dst[n-1] == q {
		return dst
	}
	if n > 1 && dst[n-2] == q {
		return dst[:n-1]
	}
	return append(dst, q)
}

// trimSeam takes out repeats and spikes where the end of an open ring meets
// its beginning.
func trimSeam(r []vertex) []vertex {
	for n := len(r); n > 2; n = len(r) {
		switch {
		case r[n-1] == r[0], r[n-2] == r[0]:
			r = r[:n-1]
		case r[n-1] == r[1]:
			r = r[1:]
		default:
			return r
		}
	}
	return r
}

// doubleArea returns twice the signed area of an open ring in square units;
// positive is clockwise on the screen, where y grows down.
func doubleArea(r []vertex) int64 {
	var sum int64
	for i, p := range r {
		q := r[(i+1)%len(r)]
		sum += int64(p.x)*int64(q.y) - int64(q.x)*int64(p.y)
	}
	return sum
}

// uncrosser takes out the crossings that simplification and rounding leave in
// rings. It holds scratch memory.
type uncrosser struct {
	edges []edge
	found [][2]int32
	ends  []int32 // a Fenwick tree of how many ends of found are at a vertex
	left  int     // comparisons that the ring may still cost
	ended func() bool
}

// edge is the box of the ring's segment from vertex i to the next.
type edge struct{ x0, x1, y0, y1, i int32 }

// Rings that cost more than these are made to be costly, and far from what
// natural ones take.
const (
	uncrossRounds = 12
	// uncrossTests bounds the comparisons for each edge in a round,
	// uncrossAllTests in all rounds.
	uncrossTests    = 200
	uncrossAllTests = 600
	// uncrossFew is how many crossings any ring may have; others have fewer
	// than half as many as they have vertices.
	uncrossFew = 64
)

// uncross reorders the vertices of an open ring until no two of its segments
// cross: where segments i and j do, the vertices from i+1 to j are reversed
// (the 2-opt move; Croes, Operations Research 6:791, 1958), which makes the
// ring shorter and so comes to an end. The crossings here are as small as the
// tolerance, so the area stays. A ring that crosses itself all over, as only
// made ones do, is left and drawn with its crossings: the work is bounded by
// the vertices (n log n of them, with the constants above).
func (u *uncrosser) uncross(r []vertex) {
	u.left = uncrossAllTests * len(r)
	for range uncrossRounds {
		if u.ended != nil && u.ended() || !u.find(r) || len(u.found) == 0 {
			return
		}
		slices.SortFunc(u.found, func(a, b [2]int32) int {
			return cmp.Or(cmp.Compare(a[1]-a[0], b[1]-b[0]), cmp.Compare(a[0], b[0]))
		})
		u.ends = append(u.ends[:0], make([]int32, len(r)+1)...)
		for _, c := range u.found {
			// Those before are no longer, so that one which touches this has
			// an end within it.
			if u.endsUpTo(c[1]) == u.endsUpTo(c[0]-1) {
				slices.Reverse(r[c[0]+1 : c[1]+1])
			}
			u.addEnd(c[0])
			u.addEnd(c[1])
		}
	}
}

func (u *uncrosser) addEnd(vertex int32) {
	for k := int(vertex) + 1; k < len(u.ends); k += k & -k {
		u.ends[k]++
	}
}

// endsUpTo counts the ends at vertices 0 to the given one.
func (u *uncrosser) endsUpTo(vertex int32) (n int32) {
	for k := vertex + 1; k > 0; k -= k & -k {
		n += u.ends[k]
	}
	return n
}

// find fills u.found with the pairs of segments that cross, by a sweep from
// west to east; false when there are too many or it would cost too much.
func (u *uncrosser) find(r []vertex) bool {
	u.edges, u.found = u.edges[:0], u.found[:0]
	for i, p := range r {
		q := r[(i+1)%len(r)]
		u.edges = append(u.edges, edge{min(p.x, q.x), max(p.x, q.x), min(p.y, q.y), max(p.y, q.y), int32(i)})
	}
	slices.SortFunc(u.edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.x0, b.x0), cmp.Compare(a.i, b.i)) })
	left := min(uncrossTests*len(u.edges), u.left)
	u.left -= left
	most := uncrossFew + len(r)/2
	for k, a := range u.edges {
		for _, b := range u.edges[k+1:] {
			if b.x0 > a.x1 {
				break
			}
			if left--; left < 0 {
				return false
			}
			if b.y0 <= a.y1 && a.y0 <= b.y1 && cross(r, a.i, b.i) {
				if u.found = append(u.found, [2]int32{min(a.i, b.i), max(a.i, b.i)}); len(u.found) > most {
					return false
				}
			}
		}
	}
	u.left += left
	return true
}

// cross reports whether two segments of an open ring have a point in common
// that is an end of neither.
func cross(r []vertex, i, j int32) bool {
	n := int32(len(r))
	a, b, c, d := r[i], r[(i+1)%n], r[j], r[(j+1)%n]
	return side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0
}

// side returns 1, 0 or -1 as c lies to the one side of a line from a to b, on
// it or to the other.
func side(a, b, c vertex) int {
	return cmp.Compare(int64(b.x-a.x)*int64(c.y-a.y), int64(b.y-a.y)*int64(c.x-a.x))
}
