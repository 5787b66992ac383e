package surface

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Medium is what a cell of a mask is made of.
type Medium uint8

// The media. A caller may number more of its own, such as one for each basin.
const (
	Outside Medium = iota // not in the domain: takes no density, and its events do not count
	Sea
	Land
)

// Mask says what the cells of a lattice are made of. What is beyond the
// lattice is outside, so a lattice should reach a bandwidth further than the
// part of it that is shown; columns do not wrap round the globe. Immutable.
type Mask struct {
	lattice Lattice
	media   []Medium
	edges   []float64   // latitudes between rows, one more than rows
	areaM2  []float64   // of a cell, by row
	metric  []rowMetric // by row
	rowOf   func(lat float64) int
}

// NewMask asks the medium at each cell's centre, once, row by row. Longitudes
// are asked from -180 up to 180 degrees, also those of columns beyond the
// dateline; on a plane as they are. A cell goes half-way to its neighbours.
//
// Fails on a lattice without cells, with columns that do not go east or more
// than once round the globe, or with rows out of order.
// Cost: one question and one byte for each cell.
func NewMask(l Lattice, medium func(lon, lat float64) Medium) (*Mask, error) {
	if err := l.checkMask(); err != nil {
		return nil, err
	}
	l.Lats = slices.Clone(l.Lats)
	m := &Mask{lattice: l, media: make([]Medium, 0, l.NX*len(l.Lats)), edges: l.rowEdges(), rowOf: l.rowFinder()}
	for r, lat := range l.Lats {
		south, north := min(m.edges[r], m.edges[r+1]), max(m.edges[r], m.edges[r+1])
		area := (north - south) * l.DLon
		if !l.Planar {
			area = geo.CellAreaM2(orb.Bound{Min: orb.Point{0, south}, Max: orb.Point{l.DLon, north}})
		}
		m.areaM2 = append(m.areaM2, area)
		m.metric = append(m.metric, newRowMetric(lat, l.Planar))
		for c := range l.NX {
			lon := l.Lon0 + float64(c)*l.DLon
			if !l.Planar {
				lon -= 360 * math.Floor((lon+180)/360)
			}
			m.media = append(m.media, medium(lon, lat))
		}
	}
	return m, nil
}

func (l *Lattice) checkMask() error {
	if l.NX < 1 || len(l.Lats) < 1 {
		return fmt.Errorf("mask of %d columns and %d rows: use at least one of each", l.NX, len(l.Lats))
	}
	if !(l.DLon > 0) || math.IsNaN(l.Lon0-l.Lon0) || !l.Planar && l.DLon*float64(l.NX) > 360*(1+1e-9) {
		return fmt.Errorf("mask of %d columns from %g by %g: go east, at most once round the globe", l.NX, l.Lon0, l.DLon)
	}
	for r, lat := range l.Lats {
		if math.IsNaN(lat-lat) || !l.Planar && math.Abs(lat) > 90 {
			return fmt.Errorf("row %d of the mask at latitude %g: use -90 to 90", r, lat)
		}
		if r > 0 && (lat == l.Lats[r-1] || (lat > l.Lats[r-1]) != (l.Lats[1] > l.Lats[0])) {
			return errors.New("rows of the mask are out of order: sort them by latitude")
		}
	}
	return nil
}

// rowEdges returns the latitudes where rows begin and the last one ends.
func (l *Lattice) rowEdges() []float64 {
	n := len(l.Lats)
	edges := make([]float64, n+1)
	if l.world {
		for r := range edges {
			edges[r] = latOf(worldY(l.Lats[0]) + (float64(r)-0.5)*l.DLon/360)
		}
		return edges
	}
	for r := 1; r < n; r++ {
		edges[r] = (l.Lats[r-1] + l.Lats[r]) / 2
	}
	edges[0], edges[n] = l.Lats[0]-l.DLon/2, l.Lats[0]+l.DLon/2
	if n > 1 {
		edges[0], edges[n] = 2*l.Lats[0]-edges[1], 2*l.Lats[n-1]-edges[n-1]
	}
	if !l.Planar {
		for r := range edges {
			edges[r] = max(-90, min(90, edges[r]))
		}
	}
	return edges
}

// Lattice returns where the mask's cells are. Its rows are not to be changed.
func (m *Mask) Lattice() Lattice { return m.lattice }

// Medium returns what the cell in a row and column is made of.
func (m *Mask) Medium(row, column int) Medium { return m.media[row*m.lattice.NX+column] }

// AreaM2 returns the area of a cell in a row, in m² on the ellipsoid.
func (m *Mask) AreaM2(row int) float64 { return m.areaM2[row] }

// Weight returns the weight of the events inside: those in a cell that is not
// Outside.
func (m *Mask) Weight(p *Points) float64 {
	sum := 0.0
	for i := range p.sets {
		for _, at := range m.places(&p.sets[i]) {
			sum += at.weight
		}
	}
	return sum
}

// place is a position with the weight of all its events. x and y are in
// columns and rows from the outer corner of the first cell, so that the cell
// is their whole part.
type place struct {
	x, y, lat, weight float64
	row, col          int
	medium            Medium
}

// places returns the positions inside the mask, sorted by row and column.
func (m *Mask) places(s *pointSet) []place {
	shifts := []float64{0, -360, 360}
	if m.lattice.Planar {
		shifts = shifts[:1]
	}
	var out []place
	for k, lat := range s.lat {
		row := m.rowOf(lat)
		if row < 0 {
			continue
		}
		for _, shift := range shifts {
			x := m.lattice.column(s.lon[k]+shift) + 0.5
			if x < 0 || x >= float64(m.lattice.NX) {
				continue
			}
			if medium := m.Medium(row, int(x)); medium != Outside {
				part := (lat - m.edges[row]) / (m.edges[row+1] - m.edges[row])
				y := float64(row) + max(0, min(1-1e-12, part))
				out = append(out, place{x, y, lat, s.weight[k], row, int(x), medium})
			}
			break
		}
	}
	slices.SortStableFunc(out, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.row, b.row), cmp.Compare(a.x, b.x), cmp.Compare(a.lat, b.lat))
	})
	merged := out[:0]
	for _, p := range out {
		if n := len(merged); n > 0 && merged[n-1].x == p.x && merged[n-1].lat == p.lat {
			merged[n-1].weight += p.weight
			continue
		}
		merged = append(merged, p)
	}
	return merged
}

// EdgeCorrected returns the density at the mask's cells with each event kept
// in its own medium, per m², row-major; 0 where no event reaches and outside.
//
//	λ(x) = Σ_e w_e · K_h(d(x, x_e)) / Σ_cells A · K_h(d(cell, x_e))
//
// over the events and cells of the medium of x; A is the area of a cell. The
// sum of λ·A is the weight of the events inside, whatever the cells and the
// kernel; an event whose kernel meets no centre of a cell fills its own cell.
// Far from edges an event adds what it adds to Raster, but for the sum over
// cells in place of the integral: at 5 cells a bandwidth 0.07 % of it (quartic),
// 6 % (uniform), and the Gaussian's cut is not lost. A kernel still reaches over
// a barrier to the same medium behind it; see BarrierSmoothed.
//
// Source: Jones (1993); Diggle (1985, 2010), "diggle" in spatstat; METHODS
// section 2. Fails when one of events and mask is on a plane and the other is
// not. Cost O(distinct places · cells reached), at any number of threads the
// same numbers.
func EdgeCorrected(d *Density, m *Mask, threads int) ([]float64, error) {
	if err := m.fits(d); err != nil {
		return nil, err
	}
	return m.smooth(d, threads, (*footprint).straight), nil
}

// EdgeCorrectedEvenly returns the density at the mask's cells divided by the
// part of a kernel at the cell that is in the medium, per m², row-major:
//
//	λ(x) = Σ_h Σ_e w_e · K_h(d(x, x_e)) / Σ_cells A · K_h(d(cell, x))
//
// over the events and cells of the medium of x, for each bandwidth. An even
// density stays even up to the edge; mass is not conserved.
//
// Source: Diggle (1985), "uniform" in spatstat. Fails as EdgeCorrected.
// Cost O((events + cells) · rows reached) for each bandwidth and medium.
func EdgeCorrectedEvenly(d *Density, m *Mask, threads int) ([]float64, error) {
	if err := m.fits(d); err != nil {
		return nil, err
	}
	media := slices.Clone(m.media)
	slices.Sort(media)
	media = slices.DeleteFunc(slices.Compact(media), func(v Medium) bool { return v == Outside })
	n := len(m.media)
	dst, sum, inside := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range d.points.sets {
		s := &d.points.sets[i]
		h := d.bandwidth(s)
		scale := d.Kernel.Constant() / (h * h)
		places := m.places(s)
		for _, medium := range media {
			var events, cells []candidate
			for _, p := range places {
				if p.medium == medium {
					events = append(events, candidate{p.x - 0.5, p.lat, p.weight * scale})
				}
			}
			if events == nil {
				continue
			}
			for k, v := range m.media {
				if row := k / m.lattice.NX; v == medium {
					cells = append(cells, candidate{float64(k % m.lattice.NX), m.lattice.Lats[row], m.areaM2[row] * scale})
				}
			}
			clear(sum)
			clear(inside)
			sumKernels(sum, m.lattice, d.Kernel, events, sumJob{hM: h, threads: threads})
			sumKernels(inside, m.lattice, d.Kernel, cells, sumJob{hM: h, threads: threads})
			for k, v := range m.media {
				if v == medium && sum[k] > 0 {
					dst[k] += sum[k] / inside[k]
				}
			}
		}
	}
	return dst, nil
}

// BarrierOptions bound the work of BarrierSmoothed.
type BarrierOptions struct {
	Threads int // 0 and 1: one
	// MaxVisits is how many cells may be visited, over all places; 0:
	// DefaultBarrierVisits.
	MaxVisits int
}

// DefaultBarrierVisits is some ten seconds of work of one thread.
const DefaultBarrierVisits = 50_000_000

// BarrierSmoothed returns the density at the mask's cells with distance
// measured inside the medium, per m², row-major: what EdgeCorrected returns,
// with d the length of the shortest path from the event through cells of its
// own medium. Nothing crosses a barrier, not at a corner where its cells
// touch, and mass is conserved in the same way.
//
// A cell that is seen from the event, along a straight line in columns and
// rows, has its straight distance: far from barriers the result is that of
// EdgeCorrected. Behind a corner the way goes on from a seen cell by steps to
// 16 neighbours, of their true length, and is at most 2.8 % too long in
// square cells; a passage narrower than a cell is closed.
//
// Source: Dijkstra (1959); METHODS section 2. Fails as EdgeCorrected, and when
// the rectangles of cells in reach of all places add up to more than
// MaxVisits. Cost: for each place that has a barrier in reach,
// O(cells · columns reached), 0.1 to 0.2 µs a cell up to 300 columns;
// memory about 10 MB, or one rectangle for each thread, beside the result.
func BarrierSmoothed(d *Density, m *Mask, o BarrierOptions) ([]float64, error) {
	if err := m.fits(d); err != nil {
		return nil, err
	}
	limit, visits := o.MaxVisits, 0
	if limit == 0 {
		limit = DefaultBarrierVisits
	}
	for i := range d.points.sets {
		s := &d.points.sets[i]
		for _, p := range m.places(s) {
			f := m.window(p, d.bandwidth(s)*d.Kernel.Reach())
			if visits += f.nx * f.ny; visits > limit {
				return nil, fmt.Errorf("barrier-aware smoothing visits more than %d cells: use larger cells, a smaller bandwidth or fewer events", limit)
			}
		}
	}
	return m.smooth(d, o.Threads, (*footprint).byPath), nil
}

func (m *Mask) fits(d *Density) error {
	if d.points.n > 0 && d.points.planar != m.lattice.Planar {
		return errors.New("mask and events do not match: give both in degrees or both in metres on a plane")
	}
	return nil
}

// heldCells bounds the cells of the footprints that are kept before they are
// added up.
const heldCells = 1 << 20

// smooth spreads each place over the cells that measure finds near it. A batch
// of footprints is made by place, then added by row in the order of places, so
// that the number of threads changes no digit.
func (m *Mask) smooth(d *Density, threads int, measure func(*footprint, place, float64)) []float64 {
	dst := make([]float64, len(m.media))
	workers := max(1, threads)
	held, pool := []footprint{}, []float64{}
	for i := range d.points.sets {
		s := &d.points.sets[i]
		h := d.bandwidth(s)
		reach := h * d.Kernel.Reach()
		places := m.places(s)
		for len(places) > 0 {
			n, cells := 0, 0
			for held = held[:0]; n < len(places); n++ {
				f := m.window(places[n], reach)
				if n >= workers && cells+f.nx*f.ny > heldCells {
					break
				}
				held, cells = append(held, f), cells+f.nx*f.ny
			}
			pool = slices.Grow(pool[:0], cells)[:cells]
			for k, free := 0, pool; k < n; k++ {
				size := held[k].nx * held[k].ny
				held[k].value, free = free[:size], free[size:]
			}
			inParallel(workers, func(w int) {
				for k := w; k < n; k += workers {
					measure(&held[k], places[k], reach)
					held[k].weigh(places[k], d.Kernel, h)
				}
			})
			inParallel(workers, func(w int) {
				for k := range n {
					held[k].addRows(dst, w, workers)
				}
			})
			places = places[n:]
		}
	}
	return dst
}

func inParallel(workers int, do func(w int)) {
	if workers == 1 {
		do(0)
		return
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { do(w) })
	}
	wg.Wait()
}

// footprint is a rectangle of cells around a place: the square of the distance
// to each, infinite where it does not reach, then its density.
type footprint struct {
	m                  *Mask
	row0, col0, nx, ny int
	value              []float64
}

// window returns the rectangle of the cells within reach, the place's own
// always among them.
func (m *Mask) window(p place, reachM float64) footprint {
	first, last, left, right := p.row, p.row, p.col, p.col
	half := m.halfWidth(p, p.row, reachM)
	for first > 0 && m.halfWidth(p, first-1, reachM) >= 0 {
		first--
		half = max(half, m.halfWidth(p, first, reachM))
	}
	for last < len(m.lattice.Lats)-1 && m.halfWidth(p, last+1, reachM) >= 0 {
		last++
		half = max(half, m.halfWidth(p, last, reachM))
	}
	if half >= 0 {
		left = min(left, max(0, int(math.Ceil(p.x-0.5-half))))
		right = max(right, min(m.lattice.NX-1, int(math.Floor(p.x-0.5+half))))
	}
	return footprint{m: m, row0: first, col0: left, nx: right - left + 1, ny: last - first + 1}
}

// halfWidth returns how many columns the reach is in a row, -1 for none.
func (m *Mask) halfWidth(p place, row int, reachM float64) float64 {
	d := p.lat - m.lattice.Lats[row]
	south, east := m.metric[row].squares(d)
	rest := reachM*reachM - south*d*d
	if rest < 0 {
		return -1
	}
	return min(float64(m.lattice.NX), math.Sqrt(rest/max(east, 1e-300))/m.lattice.DLon)
}

// straight sets the distances to the cells of the place's medium as the crow
// flies.
func (f *footprint) straight(p place, reachM float64) {
	l := &f.m.lattice
	for r := range f.ny {
		d := p.lat - l.Lats[f.row0+r]
		south, east := f.m.metric[f.row0+r].squares(d)
		south, east = max(0, south*d*d), max(0, east*l.DLon*l.DLon)
		media := f.m.media[(f.row0+r)*l.NX+f.col0:]
		for c := range f.nx {
			x := float64(f.col0+c) + 0.5 - p.x
			d2 := south + east*x*x
			if media[c] != p.medium || d2 > reachM*reachM {
				d2 = math.Inf(1)
			}
			f.value[r*f.nx+c] = d2
		}
	}
}

// weigh turns distances into the densities that the place adds.
func (f *footprint) weigh(p place, k Kernel, hM float64) {
	mass := 0.0
	for r := range f.ny {
		sum, row := 0.0, f.value[r*f.nx:(r+1)*f.nx]
		for c, d2 := range row {
			row[c] = 0
			if !math.IsInf(d2, 1) {
				row[c] = k.At(d2 / (hM * hM))
			}
			sum += row[c]
		}
		mass += sum * f.m.areaM2[f.row0+r]
	}
	if mass == 0 {
		f.value[(p.row-f.row0)*f.nx+p.col-f.col0] = p.weight / f.m.areaM2[p.row]
		return
	}
	for i := range f.value {
		f.value[i] *= p.weight / mass
	}
}

// addRows adds every step-th row of the mask from the w-th.
func (f *footprint) addRows(dst []float64, w, step int) {
	for row := f.row0 + (w-f.row0%step+step)%step; row < f.row0+f.ny; row += step {
		out := dst[row*f.m.lattice.NX+f.col0:]
		for c, v := range f.value[(row-f.row0)*f.nx : (row-f.row0+1)*f.nx] {
			out[c] += v
		}
	}
}

// byPath sets the distances to the cells of the place's medium on the shortest
// way inside it.
func (f *footprint) byPath(p place, reachM float64) {
	f.straight(p, reachM)
	if f.allOf(p.medium) {
		return
	}
	// Unseen cells wait as -1 until a way to them is found.
	hidden, distance := false, make([]float64, len(f.value))
	for i, d2 := range f.value {
		distance[i] = math.Inf(1)
		if d2 < distance[i] && !f.m.sees(p, f.row0+i/f.nx, f.col0+i%f.nx) {
			f.value[i], hidden = -1, true
		}
	}
	if !hidden {
		return
	}
	s := pathSearch{f, p.medium, reachM, distance, make([][]int32, max(f.nx, f.ny)+1)}
	for i, d2 := range f.value {
		if d2 >= 0 && !math.IsInf(d2, 1) {
			s.distance[i] = math.Sqrt(d2)
			s.open(i)
		}
	}
	for ring := range s.rings {
		for k := 0; k < len(s.rings[ring]); k++ { // it may grow
			if cell := int(s.rings[ring][k]); s.ring(s.distance[cell]) == ring {
				s.open(cell)
			}
		}
	}
	for i, way := range s.distance {
		if f.value[i] < 0 {
			f.value[i] = way * way
		}
	}
}

func (f *footprint) allOf(medium Medium) bool {
	for r := range f.ny {
		row := f.m.media[(f.row0+r)*f.m.lattice.NX+f.col0:][:f.nx]
		if slices.ContainsFunc(row, func(v Medium) bool { return v != medium }) {
			return false
		}
	}
	return true
}

// sees reports whether the line from a place to the middle of a cell stays in
// the place's medium. Through a corner of cells it passes if one of the two
// beside it is of the medium. Source: the walk of Amanatides and Woo (1987).
func (m *Mask) sees(p place, row, col int) bool {
	c, r := p.col, p.row
	dx, dy := float64(col)+0.5-p.x, float64(row)+0.5-p.y
	stepC, nextX := crossing(p.x, dx, c)
	stepR, nextY := crossing(p.y, dy, r)
	for c != col || r != row {
		tx, ty := math.Inf(1), math.Inf(1)
		if c != col {
			tx = (nextX - p.x) / dx
		}
		if r != row {
			ty = (nextY - p.y) / dy
		}
		alongX, alongY := tx < ty+1e-9, ty < tx+1e-9
		if alongX && alongY && m.Medium(r, c+stepC) != p.medium && m.Medium(r+stepR, c) != p.medium {
			return false
		}
		if alongX {
			c, nextX = c+stepC, nextX+float64(stepC)
		}
		if alongY {
			r, nextY = r+stepR, nextY+float64(stepR)
		}
		if m.Medium(r, c) != p.medium {
			return false
		}
	}
	return true
}

// crossing returns which way a line goes from a cell along one axis, and where
// it leaves the cell.
func crossing(from, by float64, cell int) (step int, at float64) {
	if by < 0 {
		return -1, float64(cell)
	}
	return 1, float64(cell) + 1
}

// pathSearch is Dijkstra's search from the seen cells over the hidden ones.
// Cells wait in rings of equal width around the place, a simple order that
// may visit a cell again (delta-stepping, Meyer and Sanders 2003).
type pathSearch struct {
	*footprint
	medium   Medium
	reachM   float64
	distance []float64 // the least found
	rings    [][]int32
}

func (s *pathSearch) ring(wayM float64) int { return int(wayM / s.reachM * float64(len(s.rings)-1)) }

// open offers the way through a cell to its hidden neighbours.
func (s *pathSearch) open(cell int) {
	row, col := cell/s.nx, cell%s.nx
	for dr := -2; dr <= 2; dr++ {
		for dc := -2; dc <= 2; dc++ {
			if r, c := row+dr, col+dc; r >= 0 && c >= 0 && r < s.ny && c < s.nx && isStep(dr, dc) && s.value[r*s.nx+c] < 0 {
				s.offer(cell, dr, dc)
			}
		}
	}
}

// isStep tells the 16 neighbours: a king's and a knight's moves.
func isStep(dr, dc int) bool {
	return dr*dr+dc*dc == 5 || max(dr*dr, dc*dc) == 1
}

func (s *pathSearch) offer(cell, dr, dc int) {
	row, col := s.row0+cell/s.nx, s.col0+cell%s.nx
	l := &s.m.lattice
	dLat, dLon := l.Lats[row+dr]-l.Lats[row], float64(dc)*l.DLon
	south, east := s.m.metric[row].squares(dLat)
	way := s.distance[cell] + math.Sqrt(max(0, south*dLat*dLat+east*dLon*dLon))
	to := cell + dr*s.nx + dc
	if way > s.reachM || way >= s.distance[to] {
		return
	}
	from := place{x: float64(col) + 0.5, y: float64(row) + 0.5, row: row, col: col, medium: s.medium}
	if s.m.sees(from, row+dr, col+dc) {
		s.distance[to] = way
		s.rings[s.ring(way)] = append(s.rings[s.ring(way)], int32(to))
	}
}
