package tiles

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

const (
	// Extent is the number of units along a side of a vector tile.
	Extent = 4096
	// pixel is a pixel's width in units where a tile is drawn 512 wide.
	pixel = Extent / 512
	// maxBuffer keeps the copies of features in neighbouring tiles few.
	maxBuffer = 256
)

// MVTOptions say how a vector tile is made; zero values take the defaults.
type MVTOptions struct {
	// Buffer is how far beyond the tile features are kept, in units of
	// 1/4096 tile, so that symbols at the edge are whole: default 64, at
	// most 256.
	Buffer int
	// MaxFeatures is the most features in a tile, default 20,000.
	MaxFeatures int
	// MaxBytes bounds the features further, by the mean size of a feature's
	// properties in the layer: default 400,000.
	MaxBytes int
	// TolerancePx is the tolerance of simplification in pixels of a tile
	// drawn 512 pixels wide, default 0.5.
	TolerancePx float64
	// Keep, when not nil, reports whether a row of the layer is in the tile at
	// all. It is called from one goroutine, with rows that ascend.
	Keep func(row int) bool
}

// DefaultMVTOptions returns the defaults.
func DefaultMVTOptions() MVTOptions {
	return MVTOptions{Buffer: 64, MaxFeatures: 20_000, MaxBytes: 400_000, TolerancePx: 0.5}
}

func (o MVTOptions) filled() (MVTOptions, error) {
	d := DefaultMVTOptions()
	if o.Buffer == 0 {
		o.Buffer = d.Buffer
	}
	if o.MaxFeatures == 0 {
		o.MaxFeatures = d.MaxFeatures
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = d.MaxBytes
	}
	if o.TolerancePx == 0 {
		o.TolerancePx = d.TolerancePx
	}
	if o.Buffer < 0 || o.Buffer > maxBuffer || o.MaxFeatures < 0 || o.MaxBytes < 0 || !(o.TolerancePx > 0) {
		return o, fmt.Errorf("vector tile options: a buffer of %d, %d features, %d bytes, a tolerance of %g: the buffer is 0 to %d units, the others are positive",
			o.Buffer, o.MaxFeatures, o.MaxBytes, o.TolerancePx, maxBuffer)
	}
	return o, nil
}

// Stats counts what became of the features whose boxes touch a tile and its
// buffer, of those that MVTOptions.Keep keeps.
type Stats struct {
	Total    int // touched the tile
	Features int // were written
	Thinned  int // were left out because of MaxFeatures; the rest was too small to see
}

// Vector makes the vector tiles of one layer. It keeps the simplified form of
// the lines and areas that it has met, about 21 bytes a vertex, and scratch
// memory. It is safe for concurrent use.
type Vector struct {
	layer     *geo.Layer
	shapes    atomic.Pointer[[]atomic.Pointer[shape]] // by row; nil until a shape is met
	pool      sync.Pool
	restricts bool       // it may hold what geo.CollusionField says never leaves
	secret    bool       // or what geo.CollusionKind says is never drawn
	meanBytes func() int // of a feature in a tile, less the geometry of shapes
}

// NewVector returns the tile maker of a layer.
func NewVector(l *geo.Layer) *Vector {
	v := &Vector{layer: l, restricts: l.Info.Kind == geo.KindIncident, secret: l.MayTellOfCollusion()}
	v.pool.New = func() any { return newEncoder() }
	v.meanBytes = sync.OnceValue(v.sampleBytes)
	return v
}

// EncodeMVT makes one tile of a layer. Whoever makes several keeps a Vector.
func EncodeMVT(ctx context.Context, l *geo.Layer, t Tile, opt MVTOptions) ([]byte, Stats, error) {
	return NewVector(l).Tile(ctx, t, opt)
}

// Tile returns a vector tile (Mapbox Vector Tile 2.1) with one layer, named
// as the geo.Layer's ID, or nil when nothing is in it. Features are in order
// of FID, which is their id.
//
// When more touch the tile than MaxFeatures and MaxBytes let in, the largest lines and areas
// remain and, of the points, a fixed pseudo-random choice. A feature that
// remains does so too in the tiles below: zooming in only adds. What is on
// record of collusion is never drawn (geo.CollusionKind). Areas smaller
// than a pixel are left out, and so are such lines of base maps; the lines of
// other layers, like the track of a short patrol, stay as dots. Rings are drawn
// without crossings, but for those made to cross themselves all over. It fails
// when ctx ends.
func (v *Vector) Tile(ctx context.Context, t Tile, opt MVTOptions) ([]byte, Stats, error) {
	if !t.Valid() {
		return nil, Stats{}, fmt.Errorf("vector tile %s: there is no such tile", t)
	}
	opt, err := opt.filled()
	if err != nil {
		return nil, Stats{}, err
	}
	e := v.pool.Get().(*encoder)
	defer v.pool.Put(e)
	e.reset(frames(t, opt), !v.layer.Info.Base)
	e.uncrosser.ended = func() bool { return ctx.Err() != nil }
	defer func() { e.uncrosser.ended = nil }()
	stats := v.choose(e, opt)
	if err := ctx.Err(); err != nil {
		return nil, stats, fmt.Errorf("vector tile %s: %w", t, err)
	}
	e.gather(v.layer)
	for i, c := range e.candidates {
		if err := ctx.Err(); err != nil {
			return nil, stats, fmt.Errorf("vector tile %s: %w", t, err)
		}
		if v.encode(e, i, c) {
			stats.Features++
		}
	}
	if stats.Features == 0 {
		return nil, stats, nil
	}
	return e.tile(v.layer.Info.ID), stats, nil
}

// sampleBytes returns the mean size of a feature in a tile of a thousand rows,
// evenly taken from the layer.
func (v *Vector) sampleBytes() int {
	const point, sample = 14, 1000 // a point's number, type and place take 14 bytes
	n := v.layer.Len()
	if n == 0 {
		return point
	}
	e := newEncoder()
	e.reset(nil, false)
	for row := 0; row < n; row += max(n/sample, 1) {
		e.candidates = append(e.candidates, candidate{row: int32(row)})
	}
	e.gather(v.layer)
	tags := 0
	for i := range e.candidates {
		e.tags = e.tags[:0]
		v.tag(e, i)
		tags += len(e.tags)
	}
	return point + (tags+len(e.values.buf))/len(e.candidates)
}

// most is how many features a tile may have.
func (v *Vector) most(opt MVTOptions) int {
	return min(opt.MaxFeatures, max(opt.MaxBytes/v.meanBytes(), 1))
}

// frames returns the tile's frame and, where its buffer crosses longitude
// 180, that of the next copy of the world.
func frames(t Tile, opt MVTOptions) []frame {
	n := float64(uint32(1) << t.Z)
	buffer := float64(opt.Buffer)
	tolerance := opt.TolerancePx * pixel / (n * Extent)
	f := frame{
		scale:      n * Extent,
		x:          float64(t.X) * Extent,
		y:          float64(t.Y) * Extent,
		window:     orb.Bound{Min: orb.Point{-buffer, -buffer}, Max: orb.Point{Extent + buffer, Extent + buffer}},
		tolerance2: float32(tolerance * tolerance),
	}
	out := []frame{f}
	if t.X == 0 {
		f.x += f.scale
		out = append(out, f)
	}
	if t.X == 1<<t.Z-1 {
		f.x = float64(t.X)*Extent - f.scale
		out = append(out, f)
	}
	return out
}

// degrees returns the box of the frame's window, grown by some units on each
// side, within longitude -180 to 180.
func (f *frame) degrees(grown float64) orb.Bound {
	lo := orb.Point{(f.window.Min[0] - grown + f.x) / f.scale, (f.window.Min[1] - grown + f.y) / f.scale}
	hi := orb.Point{(f.window.Max[0] + grown + f.x) / f.scale, (f.window.Max[1] + grown + f.y) / f.scale}
	return orb.Bound{
		Min: orb.Point{max(lonOf(lo[0]), -180), latOf(hi[1])},
		Max: orb.Point{min(lonOf(hi[0]), 180), latOf(lo[1])},
	}
}

// candidate is a row that may be in the tile. Lower keys stay when there are
// too many: shapes by size, then points by a hash of the FID.
type candidate struct {
	key uint64
	fid int64
	at  orb.Point // NaN for a shape
	row int32
}

// blockRows is how many rows are looked at together: those of a block are read
// column by column, and stay in the cache.
const blockRows = 1024

// block is rows in their order, with their places.
type block struct {
	rows []int32
	fids [blockRows]int64
	at   [blockRows]orb.Point
}

// choose fills e.candidates in order of FID.
func (v *Vector) choose(e *encoder, opt MVTOptions) Stats {
	for i := range e.frames {
		v.layer.Index().Window(e.frames[i].degrees(1), func(row int) bool {
			e.rows.set(row)
			return true
		})
	}
	var stats Stats
	sure, most := e.frames[0].degrees(-1), v.most(opt)
	thin := func() {
		if over := len(e.candidates) - most; over > 0 {
			stats.Thinned += over
			selectLowest(e.candidates, most)
			e.candidates = e.candidates[:most]
		}
	}
	look := func() {
		b := &e.block
		v.keep(b, e.uncrosser.ended, opt.Keep)
		v.layer.Places(b.rows, b.fids[:len(b.rows)], b.at[:len(b.rows)])
		for i, row := range b.rows {
			c := candidate{row: row, fid: b.fids[i], at: b.at[i]}
			if !math.IsNaN(c.at[0]) {
				if !sure.Contains(c.at) && !e.sees(c.at) {
					continue
				}
				c.key = 1<<63 | hash(uint64(c.fid))>>1
			} else {
				s := v.shape(int(row))
				if s == nil || !e.seesBox(s.bound) {
					continue
				}
				if c.key = e.sizeKey(s); c.key == tooSmall {
					stats.Total++
					continue
				}
			}
			stats.Total++
			e.candidates = append(e.candidates, c)
		}
		b.rows = b.rows[:0]
		if len(e.candidates) > 2*most+blockRows { // those that stay are among the lowest so far
			thin()
		}
	}
	e.rows.drain(func(row int) {
		if e.block.rows = append(e.block.rows, int32(row)); len(e.block.rows) == blockRows {
			look()
		}
	})
	look()
	byFID := func(a, b candidate) int { return cmp.Compare(a.fid, b.fid) }
	thin()
	if !slices.IsSortedFunc(e.candidates, byFID) {
		slices.SortFunc(e.candidates, byFID)
	}
	return stats
}

// keep leaves the rows of a block that stay, none when ended. What is never drawn
// is not counted either, for a choice of rows could count that alone.
func (v *Vector) keep(b *block, ended func() bool, stays func(row int) bool) {
	if stays == nil {
		return
	}
	if ended() {
		b.rows = b.rows[:0]
	}
	b.rows = slices.DeleteFunc(b.rows, func(row int32) bool {
		return v.secret && v.layer.OfCollusion(int(row)) || !stays(int(row))
	})
}

// shape returns the prepared form of a row, nil for a point or a place that is
// none.
func (v *Vector) shape(row int) *shape {
	shapes := v.shapes.Load()
	if shapes != nil {
		if s := (*shapes)[row].Load(); s != nil {
			return s
		}
	}
	if _, ok := v.layer.Point(row); ok {
		return nil
	}
	if shapes == nil {
		fresh := make([]atomic.Pointer[shape], v.layer.Len())
		v.shapes.CompareAndSwap(nil, &fresh)
		shapes = v.shapes.Load()
	}
	s := newShape(v.layer.Geometry(row))
	(*shapes)[row].Store(s)
	return s
}

// rowSet is a set of row numbers that comes out in order.
type rowSet []uint64

func (r *rowSet) set(row int) {
	for row>>6 >= len(*r) {
		*r = append(*r, 0)
	}
	(*r)[row>>6] |= 1 << (row & 63)
}

// drain empties the set.
func (r *rowSet) drain(yield func(row int)) {
	for k, word := range *r {
		for ; word != 0; word &= word - 1 {
			yield(k<<6 + bits.TrailingZeros64(word))
		}
		(*r)[k] = 0
	}
}

// hash is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): one
// to one, so that no two features have the same rank.
func hash(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// selectLowest moves the k candidates with the lowest keys to the front
// (Hoare's selection). Cost: O(n) on average; the keys of points are hashed.
func selectLowest(c []candidate, k int) {
	less := func(a, b candidate) bool {
		return a.key < b.key || a.key == b.key && hash(uint64(a.fid)) < hash(uint64(b.fid))
	}
	lo, hi := 0, len(c)-1
	for lo < hi {
		pivot := c[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for less(c[i], pivot) {
				i++
			}
			for less(pivot, c[j]) {
				j--
			}
			if i <= j {
				c[i], c[j] = c[j], c[i]
				i++
				j--
			}
		}
		switch {
		case k-1 <= j:
			hi = j
		case k-1 >= i:
			lo = i
		default:
			return
		}
	}
}
