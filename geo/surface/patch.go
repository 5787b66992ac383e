package surface

import (
	"math"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// cellRect is a rectangle of cells of a world raster, counted from the
// north-west; columns may go on beyond the dateline.
type cellRect struct {
	x0, y0, nx, ny int
	values         []float64 // row-major, or none
}

// cellsOf says of which world raster: 2^level cells a side.
type cellsOf struct {
	level int
	cellRect
}

// in returns what two rectangles have in common, without values.
func (r cellRect) in(o cellRect) cellRect {
	x0, y0 := max(r.x0, o.x0), max(r.y0, o.y0)
	return cellRect{x0: x0, y0: y0, nx: min(r.x0+r.nx, o.x0+o.nx) - x0, ny: min(r.y0+r.ny, o.y0+o.ny) - y0}
}

// take copies the values that another rectangle has of the same cells.
func (r *cellRect) take(from cellRect) {
	part := r.in(from)
	if part.nx <= 0 {
		return
	}
	for y := part.y0; y < part.y0+part.ny; y++ {
		at := (y-from.y0)*from.nx + part.x0 - from.x0
		copy(r.values[(y-r.y0)*r.nx+part.x0-r.x0:], from.values[at:at+part.nx])
	}
}

// patch is a rectangle of cells with the places that are to be read from it. A
// value is NaN where a cell is not of the medium.
type patch struct {
	cellsOf
	xs, ys []float64 // of the places' columns and rows, in cells; centres are whole
	areaM2 []float64 // of a cell, by row; made for mean
}

// newPatch is as large as the places of a window need.
func newPatch(level int, w readings) patch {
	side := math.Exp2(float64(level))
	p := patch{cellsOf: cellsOf{level: level}, xs: make([]float64, len(w.lons)), ys: make([]float64, len(w.lats))}
	for c, lon := range w.lons {
		p.xs[c] = worldX(lon)*side - 0.5
	}
	for r, lat := range w.lats {
		p.ys[r] = worldY(lat)*side - 0.5
	}
	p.x0, p.nx = cellsRound(p.xs)
	p.y0, p.ny = cellsRound(p.ys)
	return p
}

// cellsRound returns the cells from one before the first to two after the last.
func cellsRound(at []float64) (first, n int) {
	lo, hi := at[0], at[0]
	for _, v := range at {
		lo, hi = min(lo, v), max(hi, v)
	}
	first = int(math.Floor(lo)) - 1
	return first, int(math.Floor(hi)) + 3 - first
}

// mean weighs the four nearest cells and their areas; others than those of the
// medium count as 0. In the middle of four it is their mass over their area.
func (p *patch) mean(r, c int) float64 {
	if p.areaM2 == nil {
		p.measure()
	}
	x, y := math.Floor(p.xs[c]), math.Floor(p.ys[r])
	tx, ty := p.xs[c]-x, p.ys[r]-y
	row := int(y) - p.y0
	k := row*p.nx + int(x) - p.x0
	north, south := (1-ty)*p.areaM2[row], ty*p.areaM2[row+1]
	sum := 0.0
	for j, weight := range [4]float64{(1 - tx) * north, tx * north, (1 - tx) * south, tx * south} {
		if v := p.values[k+j/2*p.nx+j%2]; v > 0 {
			sum += weight * v
		}
	}
	return sum / (north + south)
}

func (p *patch) measure() {
	side := math.Exp2(float64(p.level))
	p.areaM2 = make([]float64, p.ny)
	for r := range p.areaM2 {
		y := max(0, min(side-1, float64(p.y0+r)))
		p.areaM2[r] = geo.CellAreaM2(orb.Bound{Min: orb.Point{0, latOf((y + 1) / side)}, Max: orb.Point{360 / side, latOf(y / side)}})
	}
}

// at returns the density of the medium at a place.
func (p *patch) at(r, c int) float64 {
	s := p.stencil(r, c)
	sum := 0.0
	for j, weight := range s.weight {
		if weight != 0 {
			sum += weight * p.values[s.first+j/4*p.nx+j%4]
		}
	}
	return sum
}

// stencil is the sixteen cells round a place, by row, with their weights.
type stencil struct {
	first  int
	weight [16]float64
}

// stencil weighs the cells of the medium: by cubic convolution (Keys 1981)
// where all are, else by nearness.
func (p *patch) stencil(r, c int) stencil {
	x, y := math.Floor(p.xs[c]), math.Floor(p.ys[r])
	tx, ty := p.xs[c]-x, p.ys[r]-y
	s := stencil{first: (int(y)-1-p.y0)*p.nx + int(x) - 1 - p.x0}
	whole := true
	for j := range s.weight {
		whole = whole && !math.IsNaN(p.values[s.first+j/4*p.nx+j%4])
	}
	if whole {
		along, down := cubicWeights(tx), cubicWeights(ty)
		for j := range s.weight {
			s.weight[j] = along[j%4] * down[j/4]
		}
		return s
	}
	for _, reach := range [...]float64{1, 2} {
		sum := 0.0
		for j := range s.weight {
			s.weight[j] = 0
			if !math.IsNaN(p.values[s.first+j/4*p.nx+j%4]) {
				dx, dy := math.Abs(float64(j%4-1)-tx), math.Abs(float64(j/4-1)-ty)
				s.weight[j] = max(0, reach-dx) * max(0, reach-dy)
			}
			sum += s.weight[j]
		}
		if sum > 1e-6 { // less is a place on the very edge of the nearest cells
			for j := range s.weight {
				s.weight[j] /= sum
			}
			return s
		}
	}
	return stencil{first: s.first}
}

// cubicWeights are those of four neighbours at the part t between the middle
// two (Keys 1981).
func cubicWeights(t float64) [4]float64 {
	return [4]float64{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
}

// BlockCache keeps the blocks of Smoothed densities over one ground, and the
// media of their cells, those used last, up to a number of bytes. It is safe
// for concurrent use; callers that want the same missing block wait for one of
// them to make it.
type BlockCache struct {
	mostBytes int

	mu      sync.Mutex
	bytes   int
	clock   int64
	entries map[smoothedKey]*blockEntry
}

type smoothedKey struct {
	group *smoothedGroup // nil: the ground
	level int
	block Block
}

type blockEntry struct {
	once  sync.Once
	cells cellRect
	media []Medium
	bytes int
	used  int64
}

const (
	defaultBlockBytes = 128 << 20
	entryBytes        = 4096 // also of a block that nothing reaches: their number has a bound
)

// NewBlockCache returns an empty cache.
func NewBlockCache(mostBytes int) *BlockCache {
	return &BlockCache{mostBytes: mostBytes, entries: map[smoothedKey]*blockEntry{}}
}

// get returns a block, filled on first use.
func (c *BlockCache) get(key smoothedKey, fill func(*blockEntry)) *blockEntry {
	c.mu.Lock()
	e := c.entries[key]
	if e == nil {
		e = &blockEntry{}
		c.entries[key] = e
	}
	c.clock++
	e.used = c.clock
	c.mu.Unlock()
	e.once.Do(func() {
		fill(e)
		c.mu.Lock()
		defer c.mu.Unlock()
		e.bytes = entryBytes + 8*len(e.cells.values) + len(e.media)
		c.bytes += e.bytes
		c.evict(e)
	})
	return e
}

// evict lets go of what was used longest ago, but not of the newest.
func (c *BlockCache) evict(newest *blockEntry) {
	for c.bytes > c.mostBytes {
		var oldest smoothedKey
		var found *blockEntry
		for k, e := range c.entries {
			if e != newest && e.bytes > 0 && (found == nil || e.used < found.used) {
				oldest, found = k, e
			}
		}
		if found == nil {
			return
		}
		delete(c.entries, oldest)
		c.bytes -= found.bytes
	}
}
