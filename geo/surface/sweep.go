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
	invH2    float64
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
const stampBelow = 5.0

// rowSweep holds what one row's sweep changes at each column: the coefficients
// of t⁰…t⁽ᵈ⁻¹⁾, d of them a column, and how many events start less how many end.
type rowSweep struct {
	l       Lattice
	kernel  Kernel
	degrees int       // d: 1, 3 or 5; 0 for kernels that are stamped
	changes []float64 // d·(NX + 1)
	active  []int32   // NX + 1
	block   int       // columns that share running sums, a power of two; their middle is the origin
}

// newRowSweep makes blocks a few bandwidths wide: rounding left in the running
// coefficients grows with the fourth power of the distance from where it was
// made, so every block begins afresh.
func newRowSweep(l Lattice, k Kernel, hM float64) *rowSweep {
	columnM := l.DLon
	if !l.Planar {
		columnM *= equatorM / 360
	}
	s := &rowSweep{l: l, kernel: k, block: 16}
	switch k {
	case Quartic:
		s.degrees = 5
	case Epanechnikov:
		s.degrees = 3
	case Uniform:
		s.degrees = 1
	}
	s.changes = make([]float64, s.degrees*(l.NX+1))
	s.active = make([]int32, l.NX+1)
	for float64(s.block)*columnM < 4*hM && s.block < l.NX {
		s.block *= 2
	}
	return s
}

func (s *rowSweep) row(dst []float64, r int, cs []candidate) {
	metric := newRowMetric(s.l.Lats[r], s.l.Planar)
	dcol2 := s.l.DLon * s.l.DLon
	reach2 := s.kernel.Reach() * s.kernel.Reach()
	swept := false
	for i := range cs {
		c := &cs[i]
		d := c.lat - s.l.Lats[r]
		south, east := metric.squares(d)
		rest := reach2 - south*d*d*c.invH2
		if rest <= 0 {
			continue
		}
		a := east * dcol2 * c.invH2
		half := math.Sqrt(rest / a)
		from, to := max(ceil(c.col-half), 0), min(floor(c.col+half), s.l.NX-1)
		if from > to {
			continue
		}
		if half < stampBelow || s.degrees == 0 {
			s.stamp(dst[from:to+1], c.col-float64(from), c.scale, [2]float64{rest, a})
			continue
		}
		swept = true
		s.add(from, to, c, [2]float64{rest, a})
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

// stamp adds one event's kernel to columns, of which col is its own; u2 is
// {rest, a} as in add.
func (s *rowSweep) stamp(dst []float64, col, scale float64, u2 [2]float64) {
	rest, a := u2[0], u2[1]
	x := -col
	switch s.kernel {
	case Quartic:
		for t := range dst {
			if v := rest - a*x*x; v > 0 {
				dst[t] += scale * v * v
			}
			x++
		}
	case Epanechnikov:
		for t := range dst {
			if v := rest - a*x*x; v > 0 {
				dst[t] += scale * v
			}
			x++
		}
	default:
		reach2 := s.kernel.Reach() * s.kernel.Reach()
		for t := range dst {
			dst[t] += scale * s.kernel.At(reach2-rest+a*x*x)
			x++
		}
	}
}

// add puts an event's polynomial on columns from..to: quartic (rest - a·x²)²,
// Epanechnikov rest - a·x², uniform 1, with x the distance in columns; u2 is
// {rest, a}. Each block that the interval meets gets it afresh.
func (s *rowSweep) add(from, to int, e *candidate, u2 [2]float64) {
	rest, a := u2[0], u2[1]
	for block := from &^ (s.block - 1); block <= to; block += s.block {
		c := e.col - float64(block+s.block/2)
		first, end := max(from, block), to+1
		d := s.changes[first*s.degrees : (first+1)*s.degrees]
		s.active[first]++
		ends := end < block+s.block
		var back []float64
		if ends {
			back = s.changes[end*s.degrees : (end+1)*s.degrees]
			s.active[end]--
		}
		switch top := rest - a*c*c; s.degrees {
		case 5:
			qa := e.scale * a
			k0, k1, k2, k3, k4 := e.scale*top*top, 4*qa*c*top, 2*qa*(2*a*c*c-top), -4*qa*a*c, qa*a
			d[0], d[1], d[2], d[3], d[4] = d[0]+k0, d[1]+k1, d[2]+k2, d[3]+k3, d[4]+k4
			if ends {
				back[0], back[1], back[2], back[3], back[4] = back[0]-k0, back[1]-k1, back[2]-k2, back[3]-k3, back[4]-k4
			}
		case 3:
			k0, k1, k2 := e.scale*top, 2*e.scale*a*c, -e.scale*a
			d[0], d[1], d[2] = d[0]+k0, d[1]+k1, d[2]+k2
			if ends {
				back[0], back[1], back[2] = back[0]-k0, back[1]-k1, back[2]-k2
			}
		default:
			d[0] += e.scale
			if ends {
				back[0] -= e.scale
			}
		}
	}
}

// run evaluates the running polynomial over the row and clears the changes. A
// column that no event reaches is exactly zero, and nothing is ever negative:
// what rounding leaves is dropped.
func (s *rowSweep) run(dst []float64) {
	var c [5]float64
	active := int32(0)
	for t := range dst {
		k := t & (s.block - 1)
		if k == 0 {
			active, c = 0, [5]float64{}
		}
		active += s.active[t]
		d := s.changes[t*s.degrees : (t+1)*s.degrees]
		for i := range d {
			c[i] += d[i]
		}
		if active == 0 {
			c = [5]float64{}
			continue
		}
		x := float64(k - s.block/2)
		if v := c[0] + x*(c[1]+x*(c[2]+x*(c[3]+x*c[4]))); v > 0 {
			dst[t] += v
		}
	}
	clear(s.changes)
	clear(s.active)
}

// Threads returns how many threads a job of that many cells is worth.
func Threads(cells int) int {
	return max(1, min(runtime.GOMAXPROCS(0), cells/65536))
}
