package geo

import (
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
)

// packed is a static R-tree of points, filled in the order of a Hilbert curve
// (Kamel and Faloutsos, On packing R-trees, CIKM 1993). A point takes 22 bytes
// in it, in a tree that can be written 70.
type packed struct {
	points []orb.Point
	items  []int32
	levels [][]orb.Bound // around each packedFan points, around each packedFan of those boxes, ..., around all
	heaps  sync.Pool
}

const packedFan = 16

// pack makes the tree of points and their items, which it reorders. The points
// are finite.
func pack(points []orb.Point, items []int32) *packed {
	if len(points) == 0 {
		return nil
	}
	all := orb.Bound{Min: points[0], Max: points[0]}
	for _, p := range points {
		all = union(all, orb.Bound{Min: p, Max: p})
	}
	const side = 1<<16 - 1
	scale := [2]float64{side / max(all.Max[0]-all.Min[0], 1e-9), side / max(all.Max[1]-all.Min[1], 1e-9)}
	order := make([]uint64, len(points))
	for i, p := range points {
		order[i] = uint64(hilbert(uint32((p[0]-all.Min[0])*scale[0]), uint32((p[1]-all.Min[1])*scale[1])))<<32 | uint64(i)
	}
	slices.Sort(order)
	t := &packed{points: make([]orb.Point, len(points)), items: make([]int32, len(points))}
	for k, o := range order {
		t.points[k], t.items[k] = points[uint32(o)], items[uint32(o)]
	}
	boxes := make([]orb.Bound, 0, (len(points)+packedFan-1)/packedFan)
	for part := range slices.Chunk(t.points, packedFan) {
		b := orb.Bound{Min: part[0], Max: part[0]}
		for _, p := range part[1:] {
			b = union(b, orb.Bound{Min: p, Max: p})
		}
		boxes = append(boxes, b)
	}
	t.levels = append(t.levels, boxes)
	for len(boxes) > 1 {
		var above []orb.Bound
		for part := range slices.Chunk(boxes, packedFan) {
			b := part[0]
			for _, o := range part[1:] {
				b = union(b, o)
			}
			above = append(above, b)
		}
		t.levels, boxes = append(t.levels, above), above
	}
	return t
}

// hilbert returns the place of a cell of a raster of 65,536 a side along the
// Hilbert curve.
func hilbert(x, y uint32) (d uint32) {
	for s := uint32(1) << 15; s > 0; s >>= 1 {
		right, up := x&s != 0, y&s != 0
		switch {
		case right && up:
			d += 2 * s * s
		case right:
			d += 3 * s * s
		case up:
			d += s * s
		}
		if !up {
			if right {
				x, y = ^x, ^y
			}
			x, y = y, x
		}
	}
	return d
}

func (t *packed) len() int {
	if t == nil {
		return 0
	}
	return len(t.points)
}

// bound is the box around all points.
func (t *packed) bound() orb.Bound {
	if t == nil {
		return noBound()
	}
	return t.levels[len(t.levels)-1][0]
}

// search calls yield with the points of a box until it returns false, and
// reports whether it never did.
func (t *packed) search(lo, hi [2]float64, yield func(p orb.Point, item int32) bool) bool {
	if t == nil {
		return true
	}
	return t.visit(len(t.levels)-1, 0, 1, orb.Bound{Min: lo, Max: hi}, yield)
}

// visit searches the boxes from first to end of a level; level -1 is that of the
// points.
func (t *packed) visit(level, first, end int, w orb.Bound, yield func(orb.Point, int32) bool) bool {
	if level < 0 {
		for i := first; i < min(end, len(t.points)); i++ {
			p := t.points[i]
			if p[0] >= w.Min[0] && p[0] <= w.Max[0] && p[1] >= w.Min[1] && p[1] <= w.Max[1] && !yield(p, t.items[i]) {
				return false
			}
		}
		return true
	}
	boxes := t.levels[level]
	for i := first; i < min(end, len(boxes)); i++ {
		b := &boxes[i]
		if b.Min[0] > w.Max[0] || b.Max[0] < w.Min[0] || b.Min[1] > w.Max[1] || b.Max[1] < w.Min[1] {
			continue
		}
		if !t.visit(level-1, i*packedFan, (i+1)*packedFan, w, yield) {
			return false
		}
	}
	return true
}

// nearby is where a search by distance has come to.
type nearby struct {
	tree *packed
	from *vantage
	heap []nearbyNode // the nearest first
}

// nearbyNode is a box of a level, or a point at level -1.
type nearbyNode struct {
	atLeastM float64
	level, i int32
}

func (t *packed) nearby(from *vantage) *nearby {
	n, ok := t.heaps.Get().(*nearby)
	if !ok {
		n = &nearby{}
	}
	n.tree, n.from, n.heap = t, from, n.heap[:0]
	n.push(nearbyNode{0, int32(len(t.levels) - 1), 0})
	return n
}

func (n *nearby) done() { n.tree.heaps.Put(n) }

// next takes the nearest point off when it is at most mostM away, by its bound.
func (n *nearby) next(mostM float64) (item int32, atLeastM float64, ok bool) {
	for len(n.heap) > 0 && n.heap[0].atLeastM <= mostM {
		top := n.pop()
		if top.level < 0 {
			return n.tree.items[top.i], top.atLeastM, true
		}
		first := int(top.i) * packedFan
		if top.level == 0 {
			for i, p := range n.tree.points[first:min(first+packedFan, len(n.tree.points))] {
				n.push(nearbyNode{n.from.toPointM(p[0], p[1]), -1, int32(first + i)})
			}
			continue
		}
		boxes := n.tree.levels[top.level-1]
		for i := first; i < min(first+packedFan, len(boxes)); i++ {
			n.push(nearbyNode{n.from.toBoxM(boxes[i].Min, boxes[i].Max), top.level - 1, int32(i)})
		}
	}
	return 0, math.Inf(1), false
}

func (n *nearby) push(v nearbyNode) {
	n.heap = append(n.heap, v)
	i := len(n.heap) - 1
	for ; i > 0 && v.atLeastM < n.heap[(i-1)/2].atLeastM; i = (i - 1) / 2 {
		n.heap[i] = n.heap[(i-1)/2]
	}
	n.heap[i] = v
}

func (n *nearby) pop() nearbyNode {
	top, last := n.heap[0], n.heap[len(n.heap)-1]
	n.heap = n.heap[:len(n.heap)-1]
	i, size := 0, len(n.heap)
	if size == 0 {
		return top
	}
	for {
		child := 2*i + 1
		if child+1 < size && n.heap[child+1].atLeastM < n.heap[child].atLeastM {
			child++
		}
		if child >= size || n.heap[child].atLeastM >= last.atLeastM {
			break
		}
		n.heap[i] = n.heap[child]
		i = child
	}
	n.heap[i] = last
	return top
}
