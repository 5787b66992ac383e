package surface

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sempadan/sempadan/geo"
)

// blockKey names a block: 256 × 256 pixels of a level, counted from 180° W and
// the north.
type blockKey struct {
	level int
	x, y  int32
}

func (k blockKey) window() tileWindow {
	return tileWindow{k.level, int(k.x) << blockBits, int(k.y) << blockBits, BlockSide, BlockSide}
}

// sums are the values of a block, by row; a row of nothing is nil. Rows may be
// shared with other blocks and are never written once they are in one.
type sums struct {
	rows [BlockSide][]float64
	most float64 // the largest value, or kernel of one event, that it has had
}

// add adds sign times the values of a window, or the part of it in the block.
func (s *sums) add(block tileWindow, w exactSums, sign float64) {
	s.most = max(s.most, w.highest)
	left, right := max(w.px, block.px), min(w.px+w.nx, block.px+block.nx)
	for y := max(w.py, block.py); y < min(w.py+w.ny, block.py+block.ny); y++ {
		from := w.values[(y-w.py)*w.nx+left-w.px:][:max(0, right-left)]
		first := 0
		for first < len(from) && from[first] == 0 {
			first++
		}
		if first == len(from) {
			continue
		}
		row := make([]float64, BlockSide)
		copy(row, s.rows[y-block.py])
		to := row[left-block.px:]
		for i := first; i < len(from); i++ {
			if v := from[i]; v != 0 {
				to[i] += sign * v
				if sign < 0 {
					to[i] = settled(to[i], s.most)
				}
				s.most = max(s.most, to[i])
			}
		}
		s.rows[y-block.py] = row
	}
}

// times returns the block with all values times f.
func (s *sums) times(f float64) *sums {
	out := &sums{most: s.most * f}
	for y, row := range s.rows {
		if row != nil {
			out.rows[y] = make([]float64, BlockSide)
			for i, v := range row {
				out.rows[y][i] = v * f
			}
		}
	}
	return out
}

// spent reports whether so little is left of what the block once held that it
// had better be made anew.
func (s *sums) spent() bool {
	largest := 0.0
	for _, row := range s.rows {
		for _, v := range row {
			largest = max(largest, v)
		}
	}
	return largest < 1e-3*s.most
}

func (s *sums) bytes() int64 {
	n := int64(BlockSide * 24)
	for _, row := range s.rows {
		n += int64(len(row)) * 8
	}
	return n
}

// blockSet is the resident blocks of one pyramid. Callers that want the same
// missing block wait for one of them to make it.
type blockSet struct {
	mu    sync.Mutex
	all   map[blockKey]*resident
	bytes int64
	clock atomic.Int64
}

type resident struct {
	making sync.Mutex
	sums   *sums // nil until made
	bytes  int64
	used   int64
}

func newBlockSet() *blockSet { return &blockSet{all: map[blockKey]*resident{}} }

func (b *blockSet) get(key blockKey, fill func() *sums) *sums {
	b.mu.Lock()
	r := b.all[key]
	if r == nil {
		r = &resident{}
		b.all[key] = r
	}
	r.used = b.clock.Add(1)
	made := r.sums
	b.mu.Unlock()
	if made != nil {
		return made
	}
	r.making.Lock()
	defer r.making.Unlock()
	if r.sums != nil {
		return r.sums
	}
	made = fill()
	b.mu.Lock()
	defer b.mu.Unlock()
	r.sums, r.bytes = made, made.bytes()
	b.bytes += r.bytes
	b.makeRoom()
	return made
}

// makeRoom drops the blocks that were not asked for longest, down to 7/8 of
// what is allowed.
func (b *blockSet) makeRoom() {
	if b.bytes <= residentBytes {
		return
	}
	keys := make([]blockKey, 0, len(b.all))
	for k, r := range b.all {
		if r.sums != nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y blockKey) int { return cmp.Compare(b.all[x].used, b.all[y].used) })
	for _, k := range keys {
		if b.bytes <= residentBytes*7/8 {
			break
		}
		b.bytes -= b.all[k].bytes
		delete(b.all, k)
	}
}

// edited returns the set with events added to and removed from every block that
// is made. What is not touched is shared.
func (b *blockSet) edited(add, remove *Density) *blockSet {
	out := newBlockSet()
	b.mu.Lock()
	out.clock.Store(b.clock.Load())
	levels := map[int]bool{}
	for k, r := range b.all {
		if r.sums != nil {
			out.all[k] = &resident{sums: r.sums, bytes: r.bytes, used: r.used}
			levels[k.level] = true
		}
	}
	out.bytes = b.bytes
	b.mu.Unlock()
	touched := map[blockKey]tileWindow{}
	for level := range levels {
		for _, d := range []*Density{add, remove} {
			d.eachWindow(level, func(w tileWindow) { w.eachBlock(out.all, touched) })
		}
	}
	for k, w := range touched {
		r := out.all[k]
		s := *r.sums
		if add.points.n > 0 {
			s.add(k.window(), add.exact(w), 1)
		}
		if remove.points.n > 0 {
			s.add(k.window(), remove.exact(w), -1)
		}
		out.bytes -= r.bytes
		if remove.points.n > 0 && s.spent() {
			delete(out.all, k)
			continue
		}
		r.sums, r.bytes = &s, s.bytes()
		out.bytes += r.bytes
	}
	return out
}

// times returns the set with all values times f.
func (b *blockSet) times(f float64) *blockSet {
	out := newBlockSet()
	b.mu.Lock()
	defer b.mu.Unlock()
	out.clock.Store(b.clock.Load())
	for k, r := range b.all {
		if r.sums != nil {
			out.all[k] = &resident{sums: r.sums.times(f), bytes: r.bytes, used: r.used}
			out.bytes += r.bytes
		}
	}
	return out
}

// eachWindow yields, for each event, the pixels of a level that it may reach.
func (d *Density) eachWindow(level int, yield func(tileWindow)) {
	side := math.Exp2(float64(level))
	for i := range d.points.sets {
		s := &d.points.sets[i]
		reachM := d.bandwidth(s) * d.Kernel.Reach()
		dLat := reachM / minMetresPerDegreeLat
		for k, lat := range s.lat {
			y0, y1 := worldY(lat+dLat)*side, worldY(lat-dLat)*side
			lonM, _ := geo.MetresPerDegree(min(90, math.Abs(lat)+dLat))
			x, dx := worldX(s.lon[k])*side, min(side/2, reachM/max(lonM, 1e-9)*side/360)
			w := tileWindow{level: level, px: int(math.Floor(x-dx)) - 1, py: max(0, int(math.Floor(y0))-1)}
			w.nx = int(math.Floor(x+dx)) + 2 - w.px
			w.ny = min(int(side), int(math.Floor(y1))+2) - w.py
			yield(w)
		}
	}
}

// eachBlock notes, for each block among all that a window meets, the part of
// the block that windows meet so far.
func (w tileWindow) eachBlock(all map[blockKey]*resident, touched map[blockKey]tileWindow) {
	side := 1 << w.level
	blocks := max(1, side>>blockBits)
	for by := w.py >> blockBits; by <= (w.py+w.ny-1)>>blockBits; by++ {
		for bx := w.px >> blockBits; bx <= (w.px+w.nx-1)>>blockBits; bx++ {
			k := blockKey{w.level, int32(bx & (blocks - 1)), int32(by)}
			if all[k] == nil {
				continue
			}
			part := w
			part.px -= (bx - int(k.x)) << blockBits // the turn of the globe that the block is on
			part = part.within(k.window())
			if before, seen := touched[k]; seen {
				part = part.union(before)
			}
			touched[k] = part
		}
	}
}

func (w tileWindow) within(o tileWindow) tileWindow {
	px, py := max(w.px, o.px), max(w.py, o.py)
	return tileWindow{w.level, px, py, min(w.px+w.nx, o.px+o.nx) - px, min(w.py+w.ny, o.py+o.ny) - py}
}

func (w tileWindow) union(o tileWindow) tileWindow {
	px, py := min(w.px, o.px), min(w.py, o.py)
	return tileWindow{w.level, px, py, max(w.px+w.nx, o.px+o.nx) - px, max(w.py+w.ny, o.py+o.ny) - py}
}
