package geo

import (
	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

// Index is an R-tree over boxes in degrees.
type Index struct {
	tree rtree.RTreeGN[float64, int32]
}

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{} }

// Clone returns a copy-on-write copy.
func (x *Index) Clone() *Index { return &Index{tree: *x.tree.Copy()} }

// Insert adds an item.
func (x *Index) Insert(b orb.Bound, item int) {
	x.tree.Insert([2]float64(b.Min), [2]float64(b.Max), int32(item))
}

// Bound returns the box around all items.
func (x *Index) Bound() orb.Bound {
	if x.tree.Len() == 0 {
		return orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	}
	lo, hi := x.tree.Bounds()
	return orb.Bound{Min: lo, Max: hi}
}
