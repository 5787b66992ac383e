package surface

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Smoothing is what a kernel does at the edge of its event's medium.
type Smoothing string

// The ways of smoothing.
const (
	SmoothNone    Smoothing = "none"    // goes over it
	SmoothEdge    Smoothing = "edge"    // keeps its mass on its own side, see EdgeCorrected
	SmoothBarrier Smoothing = "barrier" // and reaches only what a path inside the medium does, see BarrierSmoothed
)

// ParseSmoothing finds a way of smoothing by its name; "" is none.
func ParseSmoothing(name string) (Smoothing, error) {
	switch s := Smoothing(name); s {
	case "":
		return SmoothNone, nil
	case SmoothNone, SmoothEdge, SmoothBarrier:
		return s, nil
	}
	return "", fmt.Errorf("unknown smoothing %q: use none, edge or barrier", name)
}

// Ground sets dst[i] to the medium at longitude lons[i] of a parallel, in
// degrees; longitudes may be beyond 180. It must be safe for concurrent use
// and always answer the same.
type Ground func(lat float64, lons []float64, dst []Medium)

// GridCells is the least number of cells in a bandwidth on the grid where a
// Smoothed density is computed; there are less than twice as many, at the
// latitude of the events that is nearest to the equator.
const GridCells = 8

// MostEdgeVisits and DefaultBarrierVisits bound the cells that a Smoothed
// density may visit in all: some seconds of one thread.
const MostEdgeVisits = 1_000_000_000

// SmoothedOptions say how to smooth and against what.
type SmoothedOptions struct {
	By     Smoothing // SmoothEdge or SmoothBarrier
	Ground Ground
	Cache  *BlockCache // of this ground; nil: one of its own
}

// Smoothed is a density whose kernels know the ground: incidents per m², each
// event's mass inside its own medium. It stands where a Density does.
//
// The events of each bandwidth and medium are smoothed on their own, over the
// cells of the world raster (GridCells a bandwidth) whose centre is of the
// medium and those that hold such an event, in blocks of 256 × 256 cells made
// when asked for. A block is computed with all that its kernels reach, so that
// neighbours agree and each event adds its weight to the cells exactly.
//
//   - Between cells, a place has the density of its own medium, by cubic
//     convolution where all sixteen cells round it are of the medium, else by
//     those of the nearest four (else sixteen) that are. So an event at sea
//     gives exactly nothing on land, up to the coast as the ground draws it.
//   - Where a cell of the picture is as wide as one of the grid or wider, it
//     has the sum of both media, its mean: mass is kept, and one cell may show
//     both sides of a coast.
//   - More than 2,000 events are merged to cells of 1/16 of a bandwidth, as in
//     Density.Tile. Over the dateline and up to 85 degrees all is as elsewhere,
//     but for kernels that reach round the globe or 1024 cells, which are cut.
//
// It is safe for concurrent use, and the same inputs give the same numbers at
// any number of threads. Cost: EdgeCorrected's or BarrierSmoothed's for each
// block, kept in the cache.
type Smoothed struct {
	by     Smoothing
	kernel Kernel
	ground Ground
	groups []smoothedGroup
	cache  *BlockCache
}

// smoothedGroup is the events of one bandwidth and medium.
type smoothedGroup struct {
	medium Medium
	hM     float64
	level  int        // of the grid
	events []pointSet // all of them
	places *Density   // the same, merged where they are many
}

// NewSmoothed prepares a density. Fails on events on a plane, a way of
// smoothing that is none, and when more cells would be visited than
// MostEdgeVisits or DefaultBarrierVisits allow.
// Cost: one question to the ground for each event.
func NewSmoothed(d *Density, o SmoothedOptions) (*Smoothed, error) {
	if d.points.planar {
		return nil, errors.New("smoothing against the ground needs events in degrees, not on a plane")
	}
	limit := map[Smoothing]float64{SmoothEdge: MostEdgeVisits, SmoothBarrier: DefaultBarrierVisits}[o.By]
	if limit == 0 {
		return nil, fmt.Errorf("smoothing %q against the ground: use edge or barrier", o.By)
	}
	m := &Smoothed{by: o.By, kernel: d.Kernel, ground: o.Ground, cache: o.Cache}
	if m.cache == nil {
		m.cache = NewBlockCache(defaultBlockBytes)
	}
	m.split(d)
	visits := 0.0
	for i := range m.groups {
		m.groups[i].prepare(d)
		visits += m.groups[i].visits()
	}
	if visits > limit {
		return nil, fmt.Errorf("smoothing by %s would visit %.2g cells, more than %.2g: use a smaller bandwidth, a simpler smoothing or fewer events", o.By, visits, limit)
	}
	return m, nil
}

// split sorts the events into groups, in order of bandwidth and medium.
func (m *Smoothed) split(d *Density) {
	type key struct {
		hM     float64
		medium Medium
	}
	groups := map[key]*smoothedGroup{}
	var lon [1]float64
	var at [1]Medium
	for i := range d.points.sets {
		s := &d.points.sets[i]
		parts := map[Medium]*pointSet{}
		for j := range s.keys {
			lon[0] = s.lon[j]
			m.ground(s.lat[j], lon[:], at[:])
			part := parts[at[0]]
			if part == nil {
				part = &pointSet{precisionM: s.precisionM, first: s.first, leastLat: s.leastLat}
				parts[at[0]] = part
			}
			part.add(s.keys[j], s.lon[j], s.lat[j], s.weight[j])
			part.event = append(part.event, s.event[j])
		}
		for medium, part := range parts {
			k := key{d.bandwidth(s), medium}
			if groups[k] == nil {
				groups[k] = &smoothedGroup{medium: medium, hM: k.hM}
			}
			groups[k].events = append(groups[k].events, *part)
		}
	}
	for _, g := range groups {
		if g.medium != Outside {
			m.groups = append(m.groups, *g)
		}
	}
	slices.SortFunc(m.groups, func(a, b smoothedGroup) int {
		return cmp.Or(cmp.Compare(a.hM, b.hM), cmp.Compare(a.medium, b.medium))
	})
}

// prepare chooses the grid and merges events where they are many.
func (g *smoothedGroup) prepare(d *Density) {
	least := maxLat
	for _, s := range g.events {
		least = min(least, s.leastLat)
	}
	widestM := equatorM * math.Cos(least*math.Pi/180)
	g.level = max(blockBits, min(keyLevel-2, int(math.Ceil(math.Log2(GridCells*widestM/g.hM)-1e-9))))
	p := &Points{}
	for _, s := range g.events {
		place := s
		if d.points.n > scoredPlaces {
			place = *s.aggregate(g.level + 1)
		}
		p.sets = append(p.sets, place)
		p.n += len(place.keys)
	}
	g.places = &Density{Kernel: d.Kernel, BandwidthM: g.hM, points: p}
}

// visits estimates the cells that the kernels of all places cover.
func (g *smoothedGroup) visits() float64 {
	sum := 0.0
	for _, s := range g.places.points.sets {
		for _, lat := range s.lat {
			side := 2*g.reachM()/cellM(g.level, lat) + 1
			sum += side * side
		}
	}
	return sum
}

func (g *smoothedGroup) reachM() float64 { return g.hM * g.places.Kernel.Reach() }

// cellM is the width of a cell of the world raster in metres, at a latitude.
func cellM(level int, lat float64) float64 {
	return equatorM / math.Exp2(float64(level)) * math.Cos(min(math.Abs(lat), maxLat)*math.Pi/180)
}

// CellM returns the width in metres, at the equator, of the finest and the
// coarsest grid in use; zeros without events.
func (m *Smoothed) CellM() (least, most float64) {
	for i, g := range m.groups {
		c := cellM(g.level, 0)
		if i == 0 {
			least = c
		}
		least, most = min(least, c), max(most, c)
	}
	return least, most
}

// mask says which cells of the world raster are of the group's medium: by their
// centres, and those that hold one of its events.
func (m *Smoothed) mask(g *smoothedGroup, r cellsOf) *Mask {
	l := TileLattice(r.level, r.x0, r.y0, max(r.nx, r.ny))
	l.NX, l.Lats = r.nx, l.Lats[:r.ny]
	holds := map[int]bool{}
	rowOf := l.rowFinder()
	for i := range g.places.points.sets {
		s := &g.places.points.sets[i]
		g.places.near(s, l, 2*cellM(r.level, 0)/g.places.Kernel.Reach(), func(k int, shift float64) {
			row, col := rowOf(s.lat[k]), int(math.Floor(l.column(s.lon[k]+shift)+0.5))
			if row >= 0 && col >= 0 && col < r.nx {
				holds[row*r.nx+col] = true
			}
		})
	}
	media := m.media(r)
	cell := 0
	mask, err := NewMask(l, func(_, _ float64) Medium {
		medium := media[cell]
		if medium != g.medium {
			medium = Outside
		}
		if len(holds) > 0 && holds[cell] {
			medium = g.medium
		}
		cell++
		return medium
	})
	if err != nil {
		panic(err) // rows and columns are those of the world raster
	}
	return mask
}

// media returns the medium at the centres of cells; Outside beyond the poles'
// rows.
func (m *Smoothed) media(r cellsOf) []Medium {
	out := make([]Medium, r.nx*r.ny)
	blocks := 1 << (r.level - blockBits)
	for by := max(0, r.y0>>blockBits); by <= min(blocks-1, (r.y0+r.ny-1)>>blockBits); by++ {
		for bx := r.x0 >> blockBits; bx <= (r.x0+r.nx-1)>>blockBits; bx++ {
			b := Block{int32((bx%blocks + blocks) % blocks), int32(by)}
			from := m.cache.get(smoothedKey{nil, r.level, b}, func(e *blockEntry) { e.media = m.groundBlock(r.level, b) }).media
			part := r.in(cellRect{x0: bx * BlockSide, y0: by * BlockSide, nx: BlockSide, ny: BlockSide})
			for y := part.y0; y < part.y0+part.ny; y++ {
				at := (y-by*BlockSide)*BlockSide + part.x0 - bx*BlockSide
				copy(out[(y-r.y0)*r.nx+part.x0-r.x0:], from[at:at+part.nx])
			}
		}
	}
	return out
}

func (m *Smoothed) groundBlock(level int, b Block) []Medium {
	l := TileLattice(level, int(b.X)*BlockSide, int(b.Y)*BlockSide, BlockSide)
	lons, out := columnLons(l), make([]Medium, BlockSide*BlockSide)
	for r, lat := range l.Lats {
		m.ground(lat, lons, out[r*BlockSide:(r+1)*BlockSide])
	}
	return out
}

func columnLons(l Lattice) []float64 {
	lons := make([]float64, l.NX)
	for c := range lons {
		lons[c] = l.Lon0 + float64(c)*l.DLon
	}
	return lons
}

// mostMargin bounds the cells by which a block is computed wider than it is.
const mostMargin = 1024

// marginCells is how far all that reaches a square of cells reaches on.
func (g *smoothedGroup) marginCells(r cellsOf) int {
	side := math.Exp2(float64(r.level))
	out := 0
	for range 2 { // the cells beyond are narrower still
		lat := max(math.Abs(latOf(float64(r.y0-out)/side)), math.Abs(latOf(float64(r.y0+r.ny+out)/side)))
		out = min(mostMargin, 2*int(math.Ceil(g.reachM()/cellM(r.level, lat)))+2)
	}
	return out
}

// block returns the part of a block of cells that the group reaches, per m²; NaN
// where a cell is not of the medium.
func (m *Smoothed) block(g *smoothedGroup, level int, b Block) cellRect {
	return m.cache.get(smoothedKey{g, level, b}, func(e *blockEntry) {
		block := cellsOf{level, cellRect{x0: int(b.X) * BlockSide, y0: int(b.Y) * BlockSide, nx: BlockSide, ny: BlockSide}}
		around, found := g.around(block, g.marginCells(block)/2)
		if !found {
			return
		}
		mask := m.mask(g, around)
		values := m.smooth(g, mask)
		l := mask.Lattice()
		e.cells = around.in(block.cellRect)
		e.cells.values = make([]float64, e.cells.nx*e.cells.ny)
		for k := range e.cells.values {
			row, col := e.cells.y0+k/e.cells.nx-around.y0, e.cells.x0+k%e.cells.nx-l.first
			if e.cells.values[k] = values[row*l.NX+col]; mask.Medium(row, col) == Outside {
				e.cells.values[k] = math.NaN()
			}
		}
	}).cells
}

// around returns the cells that are reached by the places that reach a square,
// whole; found is false when none does.
func (g *smoothedGroup) around(of cellsOf, reachCells int) (r cellsOf, found bool) {
	l := TileLattice(of.level, of.x0, of.y0, max(of.nx, of.ny))
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	side := math.Exp2(float64(of.level))
	for i := range g.places.points.sets {
		s := &g.places.points.sets[i]
		g.places.near(s, l, g.hM+2*cellM(of.level, 0), func(k int, shift float64) {
			x, y := math.Floor(l.column(s.lon[k]+shift)+0.5)+float64(of.x0), math.Floor(worldY(s.lat[k])*side)
			if x < float64(of.x0-reachCells) || x >= float64(of.x0+of.nx+reachCells) ||
				y < float64(of.y0-reachCells) || y >= float64(of.y0+of.ny+reachCells) {
				return
			}
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
		})
	}
	if x1 < x0 {
		return r, false
	}
	r = cellsOf{of.level, cellRect{x0: int(x0) - reachCells, y0: max(0, int(y0)-reachCells)}}
	r.nx, r.ny = int(x1)+reachCells+1-r.x0, min(int(side), int(y1)+reachCells+1)-r.y0
	if r.nx > int(side) {
		r.x0, r.nx = 0, int(side)
	}
	core := r.in(of.cellRect)
	return r, core.nx > 0 && core.ny > 0
}

func (m *Smoothed) smooth(g *smoothedGroup, mask *Mask) []float64 {
	threads := Threads(len(mask.media))
	var values []float64
	var err error
	if m.by == SmoothBarrier {
		values, err = BarrierSmoothed(g.places, mask, BarrierOptions{Threads: threads, MaxVisits: math.MaxInt})
	} else {
		values, err = EdgeCorrected(g.places, mask, threads)
	}
	if err != nil {
		panic(err) // NewSmoothed has looked
	}
	return values
}

// Tile returns the density of n × n pixels of the world raster, as
// Density.Tile does; see Smoothed for the difference.
func (m *Smoothed) Tile(level, px, py, n int) []float64 {
	return m.Raster(TileLattice(level, px, py, n), 1)
}

// Raster returns the density at the lattice's cells, per m², row-major; the
// lattice must be in degrees.
func (m *Smoothed) Raster(l Lattice, threads int) []float64 {
	dst := make([]float64, l.NX*len(l.Lats))
	lons := columnLons(l)
	const square = 256
	across := (l.NX + square - 1) / square
	down := (len(l.Lats) + square - 1) / square
	workers := max(1, min(threads, across*down))
	inParallel(workers, func(w int) {
		for k := w; k < across*down; k += workers {
			c, r := k%across*square, k/across*square
			m.add(readings{dst[r*l.NX+c:], l.NX, l.Lats[r:min(len(l.Lats), r+square)], lons[c:min(l.NX, c+square)], math.Abs(l.DLon)})
		}
	})
	return dst
}

// At returns the density at a place, per m².
func (m *Smoothed) At(lon, lat float64) float64 {
	var out [1]float64
	m.add(readings{out[:], 1, []float64{lat}, []float64{lon}, 0})
	return out[0]
}

// readings is a part of a raster that is being filled; stepDeg is 0 for places.
type readings struct {
	dst        []float64
	stride     int
	lats, lons []float64
	stepDeg    float64
}

// add adds what each group gives at the window's places.
func (m *Smoothed) add(w readings) {
	var media []Medium
	for i := range m.groups {
		g := &m.groups[i]
		level, whole := g.levelFor(w.stepDeg)
		p := newPatch(level, w)
		if !m.gather(g, &p, !whole) {
			continue
		}
		if !whole && media == nil {
			media = make([]Medium, len(w.lats)*len(w.lons))
			for r, lat := range w.lats {
				m.ground(lat, w.lons, media[r*len(w.lons):(r+1)*len(w.lons)])
			}
		}
		for r := range w.lats {
			for c := range w.lons {
				switch {
				case whole:
					w.dst[r*w.stride+c] += p.mean(r, c)
				case media[r*len(w.lons)+c] == g.medium:
					w.dst[r*w.stride+c] += max(0, p.at(r, c))
				}
			}
		}
	}
}

// levelFor returns the grid for a step of a picture. Where the step is a cell
// of the group's grid or more, cells of at least half of it do, and whole says
// that a value is the mean of both media.
func (g *smoothedGroup) levelFor(stepDeg float64) (level int, whole bool) {
	if stepDeg <= 0 {
		return g.level, false
	}
	l := math.Log2(360/stepDeg) + 1e-9 // a whole number for pictures of the world
	if l < float64(g.level)+2e-9 {
		return max(blockBits, min(g.level, int(math.Floor(l))+1)), true
	}
	return g.level, false
}

// gather fills a patch from its blocks; false when nothing reaches it. Without
// media, cells of another medium are 0.
func (m *Smoothed) gather(g *smoothedGroup, p *patch, withMedia bool) bool {
	blocks := 1 << (p.level - blockBits)
	for by := max(0, p.y0>>blockBits); by <= min(blocks-1, (p.y0+p.ny-1)>>blockBits); by++ {
		for bx := p.x0 >> blockBits; bx <= (p.x0+p.nx-1)>>blockBits; bx++ {
			column := (bx%blocks + blocks) % blocks
			cells := m.block(g, p.level, Block{int32(column), int32(by)})
			if cells.values == nil {
				continue
			}
			if p.values == nil {
				p.values = make([]float64, p.nx*p.ny)
				if withMedia {
					for i, medium := range m.media(p.cellsOf) {
						if medium != g.medium {
							p.values[i] = math.NaN()
						}
					}
				}
			}
			cells.x0 += (bx - column) * BlockSide
			p.take(cells)
		}
	}
	return p.values != nil
}
