package surface

import (
	"math"
	"runtime"
	"sync"
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
	rows := bucketRows(l, cs, job.hM*k.Reach())
	workers := max(1, min(job.threads, len(l.Lats)))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := newRowSweep(l, k, job.hM)
			for r := w; r < len(l.Lats); r += workers {
				s.row(dst[r*l.NX:(r+1)*l.NX], r, rows.near(r))
			}
		}()
	}
	wg.Wait()
}

type sumJob struct {
	hM      float64
	threads int // 0 and 1: one
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

func bucketRows(l Lattice, cs []candidate, reachM float64) rowBuckets {
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
	bands := max(1, 2*len(l.Lats))
	b.perDeg = float64(bands) / math.Max(span, 1e-300)
	count := make([]int32, bands+2)
	band := make([]int32, len(cs))
	for i, c := range cs {
		band[i] = int32(max(0, min(float64(bands), (c.lat-b.lat0)*b.perDeg)))
		count[band[i]+1]++
	}
	for i := 1; i < len(count); i++ {
		count[i] += count[i-1]
	}
	b.first = append([]int32(nil), count...)
	b.cs = make([]candidate, len(cs))
	for i, c := range cs {
		b.cs[count[band[i]]] = c
		count[band[i]]++
	}
	return b
}

// minMetresPerDegreeLat is the least length of a degree of latitude on WGS 84,
// at the equator (110,574 m), rounded down.
const minMetresPerDegreeLat = 110_500.0

func (b *rowBuckets) near(row int) []candidate {
	lat := b.lattice.Lats[row]
	last := float64(len(b.first) - 2)
	from := max(0, min(last, math.Floor((lat-b.reach-b.lat0)*b.perDeg)-1))
	to := max(0, min(last, math.Floor((lat+b.reach-b.lat0)*b.perDeg)+1))
	return b.cs[b.first[int(from)]:b.first[int(to)+1]]
}

// stampBelow is the half-width in columns under which stamping is cheaper.
const stampBelow = 4.0

// rowSweep holds what one row's sweep changes at each column: the coefficients
// of t⁰…t⁽ᵈ⁻¹⁾, d of them a column, and how many events start less how many end.
type rowSweep struct {
	l       Lattice
	kernel  Kernel
	degrees int       // d: 3 or 5; 0 for kernels that are stamped
	changes []float64 // d·(NX + 1)
	active  []int32   // NX + 1
	block   int       // columns that share running sums, a power of two; their middle is the origin
	invH2   float64
}

// span is what one event does to one row: from column from to column to, its
// kernel is rest - a·x², or the square of that, times scale, with x the distance
// from col in columns.
type span struct {
	from, to            int
	col, rest, a, scale float64
}

// newRowSweep makes blocks a few bandwidths wide: rounding left in the running
// coefficients grows with the fourth power of the distance from where it was
// made, so every block begins afresh.
func newRowSweep(l Lattice, k Kernel, hM float64) *rowSweep {
	columnM := l.DLon
	if !l.Planar {
		columnM *= equatorM / 360
	}
	s := &rowSweep{l: l, kernel: k, block: 16, invH2: 1 / (hM * hM)}
	switch k {
	case Quartic:
		s.degrees = 5
	case Epanechnikov, Uniform:
		s.degrees = 3
	}
	s.changes = make([]float64, s.degrees*(l.NX+1))
	s.active = make([]int32, l.NX+1)
	for float64(s.block)*columnM < 4*hM && s.block < l.NX {
		s.block *= 2
	}
	return s
}

func (s *rowSweep) row(dst []float64, r int, cs []candidate) {
	lat := s.l.Lats[r]
	metric := newRowMetric(lat, s.l.Planar)
	reach2 := s.kernel.Reach() * s.kernel.Reach()
	dcol2 := s.l.DLon * s.l.DLon
	south := metric.south.times(s.invH2)
	east := metric.east.times(dcol2 * s.invH2)
	inverse := metric.inverseEast.times(1 / (dcol2 * s.invH2))
	last := s.l.NX - 1
	swept := false
	for i := range cs {
		c := &cs[i]
		d := c.lat - lat
		rest := reach2 - south.at(d)*d*d
		if rest <= 0 {
			continue
		}
		half := math.Sqrt(rest * inverse.at(d))
		p := span{max(ceil(c.col-half), 0), min(floor(c.col+half), last), c.col, rest, east.at(d), c.scale}
		switch {
		case p.from > p.to:
		case half < stampBelow || s.degrees == 0:
			s.stamp(dst[p.from:p.to+1], p)
		case s.degrees == 5:
			swept = true
			s.addQuartic(p)
		default:
			swept = true
			s.addQuadratic(p)
		}
	}
	if swept {
		s.run(dst)
	}
}

// ceil and floor are those of math for numbers of the size of columns, without
// their care for infinities.
func ceil(v float64) int {
	i := int(v)
	if v > float64(i) {
		i++
	}
	return i
}

func floor(v float64) int {
	i := int(v)
	if v < float64(i) {
		i--
	}
	return i
}

// stamp adds one event's kernel to its columns.
func (s *rowSweep) stamp(dst []float64, p span) {
	x := float64(p.from) - p.col
	switch s.kernel {
	case Quartic:
		for t := range dst {
			if v := p.rest - p.a*x*x; v > 0 {
				dst[t] += p.scale * v * v
			}
			x++
		}
	case Epanechnikov:
		for t := range dst {
			if v := p.rest - p.a*x*x; v > 0 {
				dst[t] += p.scale * v
			}
			x++
		}
	default:
		reach2 := s.kernel.Reach() * s.kernel.Reach()
		for t := range dst {
			dst[t] += p.scale * s.kernel.At(reach2-p.rest+p.a*x*x)
			x++
		}
	}
}

// addQuartic puts an event's (rest - a·x²)² on its columns: the coefficients are
// added where it starts and taken away behind its end, in each block afresh.
func (s *rowSweep) addQuartic(p span) {
	qa := p.scale * p.a
	for block := p.from &^ (s.block - 1); block <= p.to; block += s.block {
		c := p.col - float64(block+s.block/2)
		top := p.rest - p.a*c*c
		k0, k1, k2, k3, k4 := p.scale*top*top, 4*qa*c*top, 2*qa*(2*p.a*c*c-top), -4*qa*p.a*c, qa*p.a
		first, end := max(p.from, block), p.to+1
		d := s.changes[first*5 : first*5+5 : first*5+5]
		s.active[first]++
		d[0], d[1], d[2], d[3], d[4] = d[0]+k0, d[1]+k1, d[2]+k2, d[3]+k3, d[4]+k4
		if end < block+s.block {
			d := s.changes[end*5 : end*5+5 : end*5+5]
			s.active[end]--
			d[0], d[1], d[2], d[3], d[4] = d[0]-k0, d[1]-k1, d[2]-k2, d[3]-k3, d[4]-k4
		}
	}
}

// addQuadratic does the same for rest - a·x² (Epanechnikov) and 1 (uniform).
func (s *rowSweep) addQuadratic(p span) {
	for block := p.from &^ (s.block - 1); block <= p.to; block += s.block {
		c := p.col - float64(block+s.block/2)
		k0, k1, k2 := p.scale*(p.rest-p.a*c*c), 2*p.scale*p.a*c, -p.scale*p.a
		if s.kernel == Uniform {
			k0, k1, k2 = p.scale, 0, 0
		}
		first, end := max(p.from, block), p.to+1
		d := s.changes[first*3 : first*3+3 : first*3+3]
		s.active[first]++
		d[0], d[1], d[2] = d[0]+k0, d[1]+k1, d[2]+k2
		if end < block+s.block {
			d := s.changes[end*3 : end*3+3 : end*3+3]
			s.active[end]--
			d[0], d[1], d[2] = d[0]-k0, d[1]-k1, d[2]-k2
		}
	}
}

// run evaluates the running polynomial over the row, block by block, and clears
// the changes. A column that no event reaches is exactly zero, and nothing is
// ever negative: what rounding leaves is dropped.
func (s *rowSweep) run(dst []float64) {
	for from := 0; from < len(dst); from += s.block {
		to := min(from+s.block, len(dst))
		out, active := dst[from:to], s.active[from:to]
		if s.degrees == 5 {
			runQuartic(out, active, s.changes[from*5:to*5], s.block/2)
		} else {
			runQuadratic(out, active, s.changes[from*3:to*3], s.block/2)
		}
	}
	clear(s.changes)
	clear(s.active)
}

func runQuartic(dst []float64, active []int32, changes []float64, origin int) {
	var c0, c1, c2, c3, c4 float64
	n := int32(0)
	for t := range dst {
		d := changes[t*5 : t*5+5 : t*5+5]
		c0, c1, c2, c3, c4 = c0+d[0], c1+d[1], c2+d[2], c3+d[3], c4+d[4]
		if n += active[t]; n == 0 {
			c0, c1, c2, c3, c4 = 0, 0, 0, 0, 0
			continue
		}
		x := float64(t - origin)
		if v := c0 + x*(c1+x*(c2+x*(c3+x*c4))); v > 0 {
			dst[t] += v
		}
	}
}

func runQuadratic(dst []float64, active []int32, changes []float64, origin int) {
	var c0, c1, c2 float64
	n := int32(0)
	for t := range dst {
		d := changes[t*3 : t*3+3 : t*3+3]
		c0, c1, c2 = c0+d[0], c1+d[1], c2+d[2]
		if n += active[t]; n == 0 {
			c0, c1, c2 = 0, 0, 0
			continue
		}
		x := float64(t - origin)
		if v := c0 + x*(c1+x*c2); v > 0 {
			dst[t] += v
		}
	}
}

// Threads returns how many threads a job of that many cells is worth.
func Threads(cells int) int {
	return max(1, min(runtime.GOMAXPROCS(0), cells/65536))
}
