package surface

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// CellLevel is the world raster of analysis cells: 2^15 a side, 1.2 km at the
// equator. They are the pixels of zoom 7 tiles, and nest in the cells of the
// release rules (zoom 11 tiles divided by 16).
const CellLevel = 15

// Cell is one analysis cell, counted from the north-west.
type Cell struct{ X, Y int32 }

// CellAt returns the cell that holds a position.
func CellAt(p orb.Point) Cell {
	clamp := func(v float64) int32 { return int32(max(0, min(1<<CellLevel-1, math.Floor(v)))) }
	x, y := PixelAt(CellLevel, p)
	return Cell{clamp(x), clamp(y)}
}

// Center returns the middle of the cell.
func (c Cell) Center() orb.Point {
	const n = 1 << CellLevel
	return orb.Point{(float64(c.X)+0.5)/n*360 - 180, latOf((float64(c.Y) + 0.5) / n)}
}

// Lon returns the longitude of the middle of the cell.
func (c Cell) Lon() float64 { return (float64(c.X)+0.5)/(1<<CellLevel)*360 - 180 }

// Bound returns the cell's box in degrees.
func (c Cell) Bound() orb.Bound {
	const n = 1 << CellLevel
	lon, lat := float64(c.X)/n*360-180, latOf(float64(c.Y+1)/n)
	return orb.Bound{Min: orb.Point{lon, lat}, Max: orb.Point{lon + 360.0/n, latOf(float64(c.Y) / n)}}
}

// AreaM2 returns the cell's area on the ellipsoid.
func (c Cell) AreaM2() float64 { return geo.CellAreaM2(c.Bound()) }

// BlockSide is the side of a block in cells.
const BlockSide = 1 << blockBits

const blockBits = 8

// Block is a square of 256 × 256 cells: one zoom 7 tile.
type Block struct{ X, Y int32 }

// Block returns the block that holds the cell.
func (c Cell) Block() Block { return Block{c.X >> blockBits, c.Y >> blockBits} }

func (c Cell) offset() int {
	return int(c.Y&(BlockSide-1))<<blockBits | int(c.X&(BlockSide-1))
}

// Field holds a value for each cell, zero where nothing was set; memory is
// spent only on blocks that hold something. It is for one writer; once
// written it may be read by many.
type Field[T any] struct {
	blocks map[Block]*[BlockSide * BlockSide]T

	// The block that the writer used last: patrols stay near where they were.
	lastAt Block
	last   *[BlockSide * BlockSide]T
}

// NewField returns an empty field.
func NewField[T any]() *Field[T] {
	return &Field[T]{blocks: map[Block]*[BlockSide * BlockSide]T{}}
}

// At returns the value of a cell.
func (f *Field[T]) At(c Cell) T {
	if b := f.blocks[c.Block()]; b != nil {
		return b[c.offset()]
	}
	var zero T
	return zero
}

// Ref returns the place of a cell's value, made on first use.
func (f *Field[T]) Ref(c Cell) *T {
	at := c.Block()
	if f.last == nil || f.lastAt != at {
		if f.blocks[at] == nil {
			f.blocks[at] = new([BlockSide * BlockSide]T)
		}
		f.last, f.lastAt = f.blocks[at], at
	}
	return &f.last[c.offset()]
}

// find is Ref that makes nothing: nil where no block is.
func (f *Field[T]) find(c Cell) *T {
	if at := c.Block(); f.last == nil || f.lastAt != at {
		b := f.blocks[at]
		if b == nil {
			return nil
		}
		f.last, f.lastAt = b, at
	}
	return &f.last[c.offset()]
}

// Blocks lists the blocks that hold something, in a fixed order.
func (f *Field[T]) Blocks() []Block {
	out := make([]Block, 0, len(f.blocks))
	for b := range f.blocks {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b Block) int {
		return cmp.Or(cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X))
	})
	return out
}

// Values returns the block's values, row-major from the north-west; nil when
// it holds nothing.
func (f *Field[T]) Values(b Block) []T {
	if v := f.blocks[b]; v != nil {
		return v[:]
	}
	return nil
}

// Each calls yield with every cell of every block that holds something, in a
// fixed order.
func (f *Field[T]) Each(yield func(Cell, *T)) {
	for _, b := range f.Blocks() {
		values := f.blocks[b]
		for i := range values {
			yield(b.Cell(i), &values[i])
		}
	}
}

// Cell returns the i-th cell of the block, row-major from the north-west.
func (b Block) Cell(i int) Cell {
	return Cell{b.X<<blockBits | int32(i&(BlockSide-1)), b.Y<<blockBits | int32(i>>blockBits)}
}
