package surface

import (
	"math"
	"runtime"
)

// candidate is an event near a lattice, in the lattice's own columns.
type candidate struct {
	col, lat float64
	scale    float64 // weight · c/h²
}

// sumKernels adds to dst (row-major, lattice shape) the kernel sums of the
// candidates, per m². All candidates share one bandwidth hM.
//
// Along a row the squared distance is quadratic in the column, so a
// polynomial kernel is, for each event, one polynomial on one interval of
// columns. The sweep adds the polynomial's coefficients where the interval
// starts, takes them away behind its end, and evaluates the running sum once a
// cell, whatever the number of events. Source: Chan et al., SLAM, SIGMOD 2022,
// here with per-row ellipsoidal metrics, and in blocks of columns so that
// large rasters lose no digits. Other kernels, and reaches of a few columns,
// are stamped cell by cell.
// Cost O(events · rows reached + cells); stamped: times the columns reached.
func sumKernels(dst []float64, l Lattice, k Kernel, cs []candidate, job sumJob) {
	if len(cs) == 0 || len(l.Lats) == 0 || l.NX == 0 {
		return
	}
	memory := job.memory
	if memory == nil {
		memory = &scratch{}
	}
	rows := memory.bucketRows(l, cs, job.hM*k.Reach())
	workers := max(1, min(job.threads, len(l.Lats)))
	inParallel(workers, func(w int) {
		s := newRowSweep(l, k, job.hM)
		for r := w; r < len(l.Lats); r += workers {
			s.row(dst[r*l.NX:(r+1)*l.NX], r, rows.near(r))
		}
	})
}

type sumJob struct {
	hM      float64
	threads int      // 0 and 1: one
	memory  *scratch // nil: new
}

// scratch is memory that one sum after another uses.
type scratch struct {
	near, sorted []candidate
	bands, first []int32
}

// sized returns a slice of n elements, in the memory of s if that is enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// rowBuckets holds candidates sorted by latitude band, so that the ones that
// can reach a row are one run.
type rowBuckets struct {
	cs      []candidate
	first   []int32 // run of each band
	lat0    float64
	perDeg  float64
	reach   float64 // degrees of latitude, an upper bound
	lattice Lattice
}

func (m *scratch) bucketRows(l Lattice, cs []candidate, reachM float64) rowBuckets {
	lo, hi := l.Lats[0], l.Lats[0]
	for _, lat := range l.Lats {
		lo, hi = min(lo, lat), max(hi, lat)
	}
	b := rowBuckets{lattice: l, reach: reachM, lat0: lo}
	if !l.Planar {
		b.reach = reachM / minMetresPerDegreeLat
	}
	b.lat0 = lo - b.reach
	span := hi - lo + 2*b.reach
	bands := max(1, bandsPerRow*len(l.Lats))
	b.perDeg = float64(bands) / math.Max(span, 1e-300)
	// Counts two places ahead: while the events are put in order, the place
	// behind moves on to where the next band begins.
	m.first = sized(m.first, bands+3)
	clear(m.first)
	m.bands = sized(m.bands, len(cs))
	for i := range cs {
		band := int32(max(0, min(float64(bands), (cs[i].lat-b.lat0)*b.perDeg)))
		m.bands[i] = band
		m.first[band+2]++
	}
	for i := 1; i < len(m.first); i++ {
		m.first[i] += m.first[i-1]
	}
	m.sorted = sized(m.sorted, len(cs))
	for i := range cs {
		at := &m.first[m.bands[i]+1]
		m.sorted[*at] = cs[i]
		*at++
	}
	b.first, b.cs = m.first[:bands+2], m.sorted
	return b
}

// minMetresPerDegreeLat is the least length of a degree of latitude on WGS 84,
// at the equator (110,574 m), rounded down.
const minMetresPerDegreeLat = 110_500.0

// bandsPerRow makes bands narrow, so that few candidates of a row's run miss it.
const bandsPerRow = 4

func (b *rowBuckets) near(row int) []candidate {
	const slack = 1e-6 // of a band, for what rounding may do
	lat := b.lattice.Lats[row]
	last := float64(len(b.first) - 2)
	from := max(0, min(last, math.Floor((lat-b.reach-b.lat0)*b.perDeg-slack)))
	to := max(0, min(last, math.Floor((lat+b.reach-b.lat0)*b.perDeg+slack)))
	return b.cs[b.first[int(from)]:b.first[int(to)+1]]
}

// rowSweep sums the kernels of one row after another. One of the slices of
// changes holds what a row's sweep changes at each column of each block: the
// coefficients of t⁰…t⁽ᵈ⁻¹⁾.
type rowSweep struct {
	l       Lattice
	kernel  Kernel
	blocks  blocks
	invH2   float64
	flat    []float64 // for d = 1, uniform
	square  [][3]float64
	quartic [][5]float64
	sum     float64 // of the leading coefficients that were added to the row
	// reachColumns is the kernel's radius in columns, at the equator.
	reachColumns float64
	spans        [spanBatch]span
	rest         []span // what of spans is beyond the block where they start
}

// blocks are parts of a row, each with running sums of its own about its middle.
// One starts each 1<<shift columns and is width columns wide, so far over the
// next ones that what starts in it mostly ends in it. It has one place more,
// where what goes on to its end is taken away.
type blocks struct{ shift, width, middle int }

// places is how many places for changes so many columns need.
func (b *blocks) places(columns int) int { return ((columns-1)>>b.shift + 1) * (b.width + 1) }

// span is what one event does to columns of one row: from place at up to, not
// including, place end, its kernel is scale·a·(half2 - x²), or scale times the
// square of the rest, with x the distance in columns from col, which counts from
// the middle of the block.
type span struct {
	at, end              int
	col, half2, a, scale float64
}

// spanBatch is how many spans are made at once: their square roots overlap, and
// they stay in the nearest cache.
const spanBatch = 256

// newRowSweep makes blocks of 4 to 8 bandwidths: rounding left in the running
// coefficients grows with the fourth power of the distance from where it was
// made, so every block begins afresh.
func newRowSweep(l Lattice, k Kernel, hM float64) *rowSweep {
	columnM := l.DLon
	if !l.Planar {
		columnM *= equatorM / 360
	}
	s := &rowSweep{l: l, kernel: k, invH2: 1 / (hM * hM), reachColumns: hM * k.Reach() / columnM}
	b := blocks{shift: 4}
	for float64(int(1)<<b.shift) < 4*s.reachColumns && 1<<b.shift < l.NX {
		b.shift++
	}
	b.width = min(l.NX, 1<<b.shift)
	if b.width < l.NX {
		b.width += int(2.25 * s.reachColumns) // a chord, as far as 27 degrees from the equator
	}
	b.middle = b.width / 2
	s.blocks = b
	switch k {
	case Quartic:
		s.quartic = make([][5]float64, b.places(l.NX))
	case Epanechnikov:
		s.square = make([][3]float64, b.places(l.NX))
	case Uniform:
		s.flat = make([]float64, b.places(l.NX))
	}
	return s
}

func (s *rowSweep) row(dst []float64, r int, cs []candidate) {
	m := newRowMetric(s.l.Lats[r], s.l.Planar)
	dcol2 := s.l.DLon * s.l.DLon
	m.south, m.east = m.south.times(s.invH2), m.east.times(dcol2*s.invH2)
	m.inverseEast = m.inverseEast.times(1 / (dcol2 * s.invH2))
	in, stamped := s.blocks, s.stampIsCheaper(len(cs))
	if stamped {
		in = blocks{shift: 62, width: s.l.NX}
	}
	for len(cs) > 0 {
		n := min(len(cs), spanBatch)
		spans := s.spansOf(cs[:n], s.l.Lats[r], &m, in)
		cs = cs[n:]
		if stamped {
			for i := range spans {
				s.stamp(dst[spans[i].at:spans[i].end], &spans[i])
			}
			continue
		}
		s.add(spans)
		s.add(s.rest)
		s.rest = s.rest[:0]
	}
	if !stamped {
		s.run(dst)
	}
}

// stampIsCheaper compares what it costs to stamp so many spans of a row, whose
// mean length is that of a disc's chords, with a sweep over the whole row. The
// weights are nanoseconds, measured for Epanechnikov and quartic.
func (s *rowSweep) stampIsCheaper(spans int) bool {
	const stampColumn, sweepSpan, sweepColumn = 1.4, 9.0, 2.0
	chord := math.Pi / 2 * s.reachColumns
	return s.kernel.Stamped() || stampColumn*chord*float64(spans) < sweepSpan*float64(spans)+sweepColumn*float64(s.l.NX)
}

// spansOf returns the spans of candidates in a row. A column on the kernel's
// very edge may or may not be in.
func (s *rowSweep) spansOf(cs []candidate, lat float64, m *rowMetric, in blocks) []span {
	reach := s.kernel.Reach()
	reach2 := reach * reach
	south, east, inverse := m.south, m.east, m.inverseEast
	const inside = 1 - 1e-12 // so that no rounding makes a kernel negative at its edge
	nx, shift := s.l.NX, in.shift&63
	further := in.width + 1 - 1<<shift // so much further is a place than its column, for each block
	n := 0
	for i := range cs {
		c := &cs[i]
		d := c.lat - lat
		rest := reach2 - south.at(d)*d*d
		if rest <= 0 {
			continue
		}
		half2 := rest * inverse.at(d)
		half := math.Sqrt(half2) * inside
		// Cutting off rounds down from -1 on; what is further west ends up at 0.
		behind := c.col + 1
		from, to := max(int(behind-half), 0), min(int(behind+half), nx)
		block := from >> shift
		first := block << shift
		if from >= to {
			continue
		}
		p := &s.spans[n]
		p.at, p.end = from+block*further, to+block*further
		n++
		p.col, p.half2, p.a, p.scale = c.col-float64(first+in.middle), half2, east.at(d), c.scale
		if to > first+in.width {
			s.cut(p, first+in.width, to, in)
		}
	}
	return s.spans[:n]
}

// cut ends a span at a column and puts what it does from there up to another
// into the rest.
func (s *rowSweep) cut(p *span, from, to int, in blocks) {
	q := *p
	was := from - in.width // where the block starts
	p.end -= to - from
	for from < to {
		block := from >> in.shift
		first := block << in.shift
		q.col -= float64(first - was)
		was = first
		until := min(to, first+in.width)
		q.at = from - first + block*(in.width+1)
		q.end = q.at + until - from
		s.rest = append(s.rest, q)
		from = until
	}
}

// stamp adds one event's kernel to its columns.
func (s *rowSweep) stamp(dst []float64, p *span) {
	x := float64(p.at) - p.col
	switch s.kernel {
	case Quartic:
		scale := p.scale * p.a * p.a
		for t := range dst {
			v := p.half2 - x*x
			dst[t] += scale * v * v
			x++
		}
	case Epanechnikov:
		scale := p.scale * p.a
		for t := range dst {
			dst[t] += scale * (p.half2 - x*x)
			x++
		}
	case Uniform:
		for t := range dst {
			dst[t] += p.scale
		}
	case Gaussian: // each value by the one before: e^(-a(x+1)²/2) = e^(-ax²/2)·e^(-ax-a/2)
		v := p.scale * s.kernel.At(GaussianCut*GaussianCut-p.a*(p.half2-x*x))
		step, change := math.Exp(-p.a*(x+0.5)), math.Exp(-p.a)
		for t := range dst {
			dst[t] += v
			v *= step
			step *= change
		}
	default:
		reach2 := s.kernel.Reach() * s.kernel.Reach()
		for t := range dst {
			dst[t] += p.scale * s.kernel.At(max(0, reach2-p.a*(p.half2-x*x)))
			x++
		}
	}
}

// add puts the events' polynomials on their columns: the coefficients are added
// where each starts and taken away behind its end.
func (s *rowSweep) add(spans []span) {
	sum := s.sum
	switch s.kernel {
	case Quartic: // scale·a²·(half2 - x²)²
		changes := s.quartic
		for i := range spans {
			p := &spans[i]
			c, k4 := p.col, p.scale*p.a*p.a
			u := p.half2 - c*c
			k4u, k3 := k4*u, 4*k4*c
			k0, k1, k2 := k4u*u, k3*u, k3*c-(k4u+k4u)
			b := &changes[p.at]
			b[0], b[1], b[2], b[3], b[4] = b[0]+k0, b[1]+k1, b[2]+k2, b[3]-k3, b[4]+k4
			e := &changes[p.end]
			e[0], e[1], e[2], e[3], e[4] = e[0]-k0, e[1]-k1, e[2]-k2, e[3]+k3, e[4]-k4
			sum += k4
		}
	case Epanechnikov: // scale·a·(half2 - x²)
		changes := s.square
		for i := range spans {
			p := &spans[i]
			c, k2 := p.col, p.scale*p.a
			k0, k1 := k2*(p.half2-c*c), 2*k2*c
			b := &changes[p.at]
			b[0], b[1], b[2] = b[0]+k0, b[1]+k1, b[2]+k2
			e := &changes[p.end]
			e[0], e[1], e[2] = e[0]-k0, e[1]-k1, e[2]-k2
			sum += k2
		}
	default: // scale
		for i := range spans {
			p := &spans[i]
			s.flat[p.at] += p.scale
			s.flat[p.end] -= p.scale
			sum += p.scale
		}
	}
	s.sum = sum
}

// leftOver is the share of all that was added to a row's leading coefficients
// that rounding may leave of them once every event has ended. Its terms are all
// positive, so that less than that means nothing.
const leftOver = 1e-14

// run evaluates the running polynomials over the row, block by block, and clears
// the changes. Nothing is ever negative: what rounding leaves is dropped. A
// column that no event reaches is exactly zero.
func (s *rowSweep) run(dst []float64) {
	least := s.sum * leftOver
	if s.sum == 0 {
		return
	}
	s.sum = 0
	b := &s.blocks
	x := -float64(b.middle)
	for first, place := 0, 0; first < len(dst); first, place = first+1<<b.shift, place+b.width+1 {
		out := dst[first:min(first+b.width, len(dst))]
		switch s.kernel {
		case Quartic:
			runQuartic(out, s.quartic[place:][:len(out)+1], x, least)
		case Epanechnikov:
			runSquare(out, s.square[place:][:len(out)+1], x, least)
		default:
			runFlat(out, s.flat[place:][:len(out)+1], least)
		}
	}
}

func runQuartic(dst []float64, changes [][5]float64, x, least float64) {
	var c0, c1, c2, c3, c4 float64
	for t := range dst {
		d := &changes[t]
		c0, c1, c2, c3, c4 = c0+d[0], c1+d[1], c2+d[2], c3+d[3], c4+d[4]
		if v := c0 + x*(c1+x*(c2+x*(c3+x*c4))); c4 > least && v > 0 {
			dst[t] += v
		}
		x++
	}
	clear(changes)
}

func runSquare(dst []float64, changes [][3]float64, x, least float64) {
	var c0, c1, c2 float64
	for t := range dst {
		d := &changes[t]
		c0, c1, c2 = c0+d[0], c1+d[1], c2+d[2]
		if v := c0 + x*(c1-x*c2); c2 > least && v > 0 {
			dst[t] += v
		}
		x++
	}
	clear(changes)
}

func runFlat(dst, changes []float64, least float64) {
	c := 0.0
	for t := range dst {
		if c += changes[t]; c > least {
			dst[t] += c
		}
	}
	clear(changes)
}

// Threads returns how many threads a job of that many cells is worth.
func Threads(cells int) int {
	return max(1, min(runtime.GOMAXPROCS(0), cells/65536))
}
