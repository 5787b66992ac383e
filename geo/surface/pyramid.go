package surface

import (
	"math"
)

// Pyramid is a density that is kept up to date. Its values are exact sums on
// blocks of 256 × 256 pixels of the world rasters up to the finest level that
// the bandwidth calls for; a block is made when it is first asked for and then
// stays. A pyramid is immutable: With and Decayed return another one, which
// shares every block, and every row of a block, that did not change.
//
//   - Where the kernel reaches at least two pixels of a level, a pixel has the
//     density at its centre, below that the exact mean over the pixel.
//   - Above the finest level, at whose pixels the bandwidth is 16 to 32, tiles
//     are interpolated within DisplayError.
//   - Exponential decay is one factor for all: an event that is added weighs its
//     weight by the factor. The factor is worked into the sums before it gets so
//     small that sums could overflow.
//   - What rounding leaves where events were taken away is less than 1e-12 of
//     the largest value that the block has had, and is dropped there.
type Pyramid struct {
	added, removed *Density // removed: events that are in added and no longer count
	factor         float64
	finest         int
	blocks         *blockSet
}

// residentBytes bounds the blocks of a pyramid; those not asked for longest
// make room.
const residentBytes = 24 << 20

// rebaseBelow is the decay from which it is worked into the sums.
const rebaseBelow = 0x1p-200

// NewPyramid returns the pyramid of points, with the errors of NewDensity.
func NewPyramid(p *Points, k Kernel, bandwidthM float64) (*Pyramid, error) {
	d, err := NewDensity(p, k, bandwidthM)
	if err != nil {
		return nil, err
	}
	none := &Density{Kernel: k, BandwidthM: bandwidthM, points: &Points{}}
	finest := max(8, int(math.Ceil(math.Log2(16*equatorM/bandwidthM))))
	return &Pyramid{added: d, removed: none, factor: 1, finest: finest, blocks: newBlockSet()}, nil
}

// Bandwidth returns the kernel and its bandwidth in metres.
func (p *Pyramid) Bandwidth() (Kernel, float64) { return p.added.Kernel, p.added.BandwidthM }

// BandwidthRangeM is Density.BandwidthRangeM.
func (p *Pyramid) BandwidthRangeM() (least, most float64) { return p.added.BandwidthRangeM() }

// Len returns the number of events that count.
func (p *Pyramid) Len() int { return p.added.points.n - p.removed.points.n }

// With returns the pyramid with events added and removed, by their weights of
// now. An event to remove must be one that is there. Cost: the pixels that the
// events reach on resident blocks, and the list of those blocks.
func (p *Pyramid) With(added, removed []Event) *Pyramid {
	q := *p
	a, r := p.prepare(added), p.prepare(removed)
	q.added, q.removed = p.added.of(p.added.points.with(a)), p.removed.of(p.removed.points.with(r))
	if q.removed.points.n > 1000+q.added.points.n/4 {
		left, unmatched := q.added.points.without(q.removed.points)
		q.added, q.removed = p.added.of(left), p.added.of(unmatched)
	}
	q.blocks = p.blocks.edited(p.added.of(a), p.added.of(r))
	return &q
}

// prepare turns weights of now into those of the sums.
func (p *Pyramid) prepare(events []Event) *Points {
	scaled := make([]Event, len(events))
	for i, e := range events {
		e.Weight /= p.factor
		scaled[i] = e
	}
	return NewPoints(scaled, false)
}

// Decayed returns the pyramid with every event weighing factor times as much;
// factor is positive.
func (p *Pyramid) Decayed(factor float64) *Pyramid {
	q := *p
	if q.factor *= factor; q.factor < rebaseBelow {
		q.added, q.removed = p.added.of(p.added.points.scaled(q.factor)), p.removed.of(p.removed.points.scaled(q.factor))
		q.blocks = p.blocks.times(q.factor)
		q.factor = 1
	}
	return &q
}

// Tile returns what Density.Tile does, exact up to the finest level.
func (p *Pyramid) Tile(level, px, py, n int) []float64 {
	dst := make([]float64, n*n)
	w := tileWindow{level, px, py, n, n}
	if level <= p.finest {
		p.read(dst, w)
	} else {
		addInterpolated(dst, p.finest, w, p.read)
	}
	for i := range dst {
		dst[i] *= p.factor
	}
	return dst
}

// Raster returns the exact density at the lattice's cell centres, per m²,
// row-major.
func (p *Pyramid) Raster(l Lattice, threads int) []float64 {
	dst := p.added.Raster(l, threads)
	if p.removed.points.n > 0 {
		takeAway(dst, p.removed.Raster(l, threads))
	}
	for i := range dst {
		dst[i] *= p.factor
	}
	return dst
}

// WorkNS is Density.WorkNS.
func (p *Pyramid) WorkNS(l Lattice) float64 { return p.added.WorkNS(l) + p.removed.WorkNS(l) }

// At returns the exact density at a place, per m².
func (p *Pyramid) At(lon, lat float64) float64 {
	v := p.added.At(lon, lat)
	if p.removed.points.n > 0 {
		v = settled(v-p.removed.At(lon, lat), v)
	}
	return v * p.factor
}

// settled drops what rounding leaves of a difference of sums up to most.
func settled(v, most float64) float64 {
	if v < 1e-12*most {
		return 0
	}
	return v
}

func takeAway(dst, less []float64) {
	most := 0.0
	for _, v := range dst {
		most = max(most, v)
	}
	for i, v := range less {
		if v > 0 {
			dst[i] = settled(dst[i]-v, most)
		}
	}
}

// read adds a window of the blocks' values to dst.
func (p *Pyramid) read(dst []float64, w tileWindow) {
	side := 1 << w.level
	for y := max(0, w.py); y < min(side, w.py+w.ny); {
		by := y >> blockBits
		rows := min((by+1)<<blockBits, w.py+w.ny) - y
		for x := w.px; x < w.px+w.nx; {
			bx := x >> blockBits
			columns := min((bx+1)<<blockBits, w.px+w.nx) - x
			b := p.block(blockKey{w.level, int32(bx & (side>>blockBits - 1)), int32(by)})
			for r := range rows {
				if row := b.rows[(y+r)&(BlockSide-1)]; row != nil {
					out := dst[(y+r-w.py)*w.nx+x-w.px:][:columns]
					for i, v := range row[x&(BlockSide-1):][:columns] {
						out[i] += v
					}
				}
			}
			x += columns
		}
		y += rows
	}
}

func (p *Pyramid) block(key blockKey) *sums {
	return p.blocks.get(key, func() *sums {
		w := key.window()
		s := &sums{}
		s.add(w, p.added.exact(w), 1)
		if p.removed.points.n > 0 {
			s.add(w, p.removed.exact(w), -1)
		}
		return s
	})
}

// exactSums is the values of a window, and the greatest height of any one kernel
// that may reach it.
type exactSums struct {
	tileWindow
	values  []float64
	highest float64
}

// exact returns a window's values from the events as they are.
func (d *Density) exact(w tileWindow) exactSums {
	out := exactSums{tileWindow: w, values: make([]float64, w.nx*w.ny)}
	for i := range d.points.sets {
		s := d.points.sets[i].places()
		if d.narrow(s, w.level) {
			d.addMeans(out.values, s, w)
		} else {
			d.sumNear(out.values, w.lattice(), s, keyLevel, 1)
		}
		h := d.bandwidth(s)
		d.near(s, w.lattice(), h, func(k int, _ float64) {
			out.highest = max(out.highest, s.weight[k]*d.Kernel.Constant()/(h*h))
		})
	}
	return out
}

// of returns the density of other points.
func (d *Density) of(p *Points) *Density {
	return &Density{Kernel: d.Kernel, BandwidthM: d.BandwidthM, points: p}
}
