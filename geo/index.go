package geo

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

// Index is an R-tree over boxes in degrees, each with a number: one that can be
// written, above a packed one of the points that a layer had when it was indexed. Longitudes
// count modulo 360; a box whose west is east of its east crosses the 180th
// meridian. Any number of goroutines may read and Clone an index at the same
// time; Insert and Delete need it to themselves, but never disturb its clones.
type Index struct {
	tree   rtree.RTreeGN[float64, int32]
	shared atomic.Bool // nodes may belong to a clone as well
	base   *packed     // never written; nil when there is none
	fresh  int         // items inserted since the base was packed
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{} }

// Clone returns a copy in constant time; the two share nodes until one of them
// is written.
func (x *Index) Clone() *Index {
	// Copy gives both trees a new mark of ownership and so writes to its
	// receiver, which readers may be cloning at this moment. It gets a copy of
	// its own; x takes a new mark when it is next written.
	x.shared.Store(true)
	tree := x.tree
	return &Index{tree: *tree.Copy(), base: x.base, fresh: x.fresh}
}

func (x *Index) own() {
	if x.shared.Swap(false) {
		x.tree = *x.tree.Copy()
	}
}

// Insert adds an item. A box that is empty or not finite is left out.
func (x *Index) Insert(b orb.Bound, item int) {
	if lo, hi, ok := unwrap(b); ok {
		x.own()
		x.tree.Insert(lo, hi, int32(item))
		x.fresh++
	}
}

// Delete removes an item that was inserted with the same box, and reports
// whether it was there.
func (x *Index) Delete(b orb.Bound, item int) bool {
	lo, hi, ok := unwrap(b)
	if !ok {
		return false
	}
	x.own()
	x.unpack()
	n := x.tree.Len()
	x.tree.Delete(lo, hi, int32(item))
	return x.tree.Len() < n
}

// unpack moves the items of the base to the tree. Layers never delete from an
// index; they make another.
func (x *Index) unpack() {
	if x.base == nil {
		return
	}
	for i, p := range x.base.points {
		x.tree.Insert(p, p, x.base.items[i])
	}
	x.base = nil
}

// Len returns the number of items.
func (x *Index) Len() int { return x.tree.Len() + x.base.len() }

// Bound returns the box around all items; it is empty (Min beyond Max) when
// there are none. Its east is over 180 when a box crosses that meridian.
func (x *Index) Bound() orb.Bound {
	if x.tree.Len() == 0 {
		return x.base.bound()
	}
	lo, hi := x.tree.Bounds()
	return union(orb.Bound{Min: lo, Max: hi}, x.base.bound())
}

// Window calls yield with every item whose box has a point in common with b,
// edges included, until yield returns false. The order is that of the tree.
func (x *Index) Window(b orb.Bound, yield func(item int) bool) {
	lo, hi, ok := unwrap(b)
	if !ok {
		return
	}
	turns := [...]float64{0, -360, 360}
	more := true
	for k, turn := range turns {
		if !more {
			return
		}
		fresh := func(west, east float64, item int32) bool {
			for _, t := range turns[:k] { // a box as wide as this was met before
				if west <= hi[0]+t && east >= lo[0]+t {
					return true
				}
			}
			more = yield(int(item))
			return more
		}
		lo, hi := [2]float64{lo[0] + turn, lo[1]}, [2]float64{hi[0] + turn, hi[1]}
		if x.base.search(lo, hi, func(p orb.Point, item int32) bool { return fresh(p[0], p[0], item) }) {
			x.tree.Search(lo, hi, func(min, max [2]float64, item int32) bool { return fresh(min[0], max[0], item) })
		}
	}
}

// Nearest calls yield with the items in the order of a lower bound, in metres,
// of the geodesic distance from p to any place in their box, until yield
// returns false. The bound is zero inside a box and otherwise falls short of
// the true distance by at most 1.1 %; rounding moves the order by less than a
// micrometre.
func (x *Index) Nearest(p orb.Point, yield func(item int, atLeastM float64) bool) {
	if !finite(p) {
		return
	}
	v := newVantage(p)
	more := true
	before := func(float64) {} // yields the points of the base that are nearer
	if x.base != nil {
		points := x.base.nearby(&v)
		defer points.done()
		before = func(mostM float64) {
			for more {
				item, atLeastM, ok := points.next(mostM)
				if !ok {
					return
				}
				more = yield(int(item), atLeastM)
			}
		}
	}
	x.nearestWritable(&v, func(item int, atLeastM float64) bool {
		if before(atLeastM); more {
			more = yield(item, atLeastM)
		}
		return more
	})
	before(math.Inf(1))
}

// nearestWritable is Nearest for the items of the tree that can be written.
func (x *Index) nearestWritable(v *vantage, yield func(item int, atLeastM float64) bool) {
	if x.tree.Len() > 0 {
		x.tree.Nearby(
			func(min, max [2]float64, _ int32, _ bool) float64 { return v.toBoxM(min, max) },
			func(_, _ [2]float64, item int32, atLeastM float64) bool { return yield(int(item), atLeastM) })
	}
}

// noBound is the box of nothing.
func noBound() orb.Bound { return orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}} }

// unwrap turns a box into one with west <= east; ok is false when it is empty
// or not finite.
func unwrap(b orb.Bound) (lo, hi [2]float64, ok bool) {
	lo, hi = b.Min, b.Max
	if hi[0] < lo[0] {
		hi[0] += 360
	}
	return lo, hi, lo[0] <= hi[0] && lo[1] <= hi[1] && finite(b.Min) && finite(b.Max)
}

func finite(p orb.Point) bool {
	return !math.IsNaN(p[0]-p[0]) && !math.IsNaN(p[1]-p[1]) // Inf-Inf is NaN
}

// insertAll inserts the rows of chunks, numbered from first.
func (x *Index) insertAll(chunks []*chunk, first int) {
	for _, c := range chunks {
		for i := range c.len() {
			x.Insert(c.box(i), first+i)
		}
		first += c.len()
	}
}

// packedIndex returns the index of the rows of chunks: points packed, all else in
// the tree.
func packedIndex(chunks []*chunk) *Index {
	x, n := NewIndex(), rowsOf(chunks)
	points, items := make([]orb.Point, 0, n), make([]int32, 0, n)
	first := 0
	for _, c := range chunks {
		for i, p := range c.points {
			switch {
			case c.shapes != nil && c.shapes[i] != nil:
				x.Insert(c.box(i), first+i)
			case finite(p):
				points, items = append(points, p), append(items, int32(first+i))
			}
		}
		first += c.len()
	}
	x.base, x.fresh = pack(points, items), 0
	return x
}

// lazyIndex is the index of a layer, made when somebody asks for it: a program
// that only moves rows never does.
type lazyIndex struct {
	once   sync.Once
	made   atomic.Pointer[Index]
	chunks []*chunk // until it is made
}

func indexOf(chunks []*chunk) *lazyIndex { return &lazyIndex{chunks: chunks} }

func (x *lazyIndex) get() *Index {
	x.once.Do(func() {
		if x.made.Load() != nil {
			return
		}
		index := packedIndex(x.chunks)
		x.chunks = nil
		x.made.Store(index)
	})
	return x.made.Load()
}

// extended returns the index of chunks, which hold the rows of x and then
// those of more, numbered from first. Once as many rows were added as were
// packed, all are to be packed anew.
func (x *lazyIndex) extended(chunks, more []*chunk, first int) *lazyIndex {
	out := indexOf(chunks)
	if old := x.made.Load(); old != nil && old.fresh+rowsOf(more) <= max(first-old.fresh, repackFrom) {
		index := old.Clone()
		index.insertAll(more, first)
		out.chunks = nil
		out.made.Store(index)
	}
	return out
}

// repackFrom is how many rows may be added at least before all are packed anew.
const repackFrom = 1024

func rowsOf(chunks []*chunk) (n int) {
	for _, c := range chunks {
		n += c.len()
	}
	return n
}

// union is the box around two boxes, either of which may be empty.
func union(a, b orb.Bound) orb.Bound {
	switch {
	case a.Min[0] > a.Max[0]:
		return b
	case b.Min[0] > b.Max[0]:
		return a
	}
	return orb.Bound{
		Min: orb.Point{min(a.Min[0], b.Min[0]), min(a.Min[1], b.Min[1])},
		Max: orb.Point{max(a.Max[0], b.Max[0]), max(a.Max[1], b.Max[1])},
	}
}
