package surface

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// GiOptions are the parameters of a hot-spot test.
type GiOptions struct {
	// BandM is the distance in metres up to which cells are neighbours; a
	// billionth more still counts. Only HotSpotsOn reads it.
	BandM float64
	// WithoutSelf leaves the cell itself out of its own sum: Gi, not Gi*.
	WithoutSelf bool
	// Q is the share of false discoveries allowed among the significant cells;
	// 0: 0.05.
	Q float64
}

// HotSpots says where values are high or low together. All slices are by cell.
type HotSpots struct {
	Z          []float64 // standard score; NaN where the value is NaN
	P          []float64 // two-sided probability of such a score or more by chance; NaN likewise
	Neighbours []int32   // cells that count in the sum, itself included except without self
	// Bin is +3, +2, +1 for hot cells and -3, -2, -1 for cold ones that are
	// significant when 1, 5 or 10 % of false discoveries are allowed (99, 95
	// and 90 % in usual maps); 0 for the rest.
	Bin []int8
	// CriticalP is the greatest p that is significant at Q; negative: none is.
	CriticalP float64
	Q         float64
	Cells     int // with a value
}

// Hot reports whether the cell is significantly high at Q.
func (h *HotSpots) Hot(cell int) bool { return h.P[cell] <= h.CriticalP && h.Z[cell] > 0 }

// Cold reports whether the cell is significantly low at Q.
func (h *HotSpots) Cold(cell int) bool { return h.P[cell] <= h.CriticalP && h.Z[cell] < 0 }

// HotSpotsOn returns Getis and Ord's Gi* of values on a lattice (row-major,
// lattice shape), each cell's neighbours being those whose centres are within
// BandM, the cell itself included, with weight 1:
//
//	z_i = (Σ_j x_j - x̄ W_i) / (S √((n W_i - W_i²) / (n-1))),  S² = mean(x²) - x̄²
//
// summed over the W_i neighbours j. Without self, n, x̄ and S leave cell i out
// too. Significance is by Benjamini and Hochberg over all cells; scores of
// neighbours go together, which the procedure is known to bear in practice.
//
// Cells whose value is NaN are outside: they count nowhere. Where the score
// has no meaning it is 0 and p is 1: all values equal, all cells neighbours of
// each other, no neighbour but itself (Gi), fewer than two cells. Columns do
// not wrap round the globe. With few incidents the scores are skewed and p is
// rough.
//
// Source: Getis and Ord (1992), Ord and Getis (1995) equation 14; Benjamini
// and Hochberg (1995), for local statistics Caldas de Castro and Singer (2006).
// Fails on a wrong number of values, infinite ones, rows out of order, or a
// band that is not positive.
// Cost O(cells · rows within the band), by sums along rows, + O(n log n).
func HotSpotsOn(l Lattice, values []float64, o GiOptions) (*HotSpots, error) {
	if len(values) != l.NX*len(l.Lats) {
		return nil, fmt.Errorf("%d values for %d columns and %d rows: give one for each cell", len(values), l.NX, len(l.Lats))
	}
	if !(o.BandM > 0) || math.IsInf(o.BandM, 0) {
		return nil, fmt.Errorf("distance band of %g m: use more than 0", o.BandM)
	}
	if !slices.IsSorted(l.Lats) && !slices.IsSortedFunc(l.Lats, func(a, b float64) int { return sign(b - a) }) {
		return nil, errors.New("rows of the lattice are out of order: sort them by latitude")
	}
	g, err := newGiSums(values, o)
	if err != nil {
		return nil, err
	}
	rows := newRowSums(l, g.y, g.outside)
	workers := Threads(len(values))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sum, count := make([]float64, l.NX), make([]int32, l.NX)
			for r := w; r < len(l.Lats); r += workers {
				rows.within(r, o.BandM, sum, count)
				for c := range l.NX {
					i, weight := r*l.NX+c, float64(count[c])
					g.out.Neighbours[i] = count[c]
					g.score(i, sum[c], weight, weight)
				}
			}
		}()
	}
	wg.Wait()
	return g.finish(), nil
}

// Neighbour is a cell that counts in another one's sum, with its weight.
type Neighbour struct {
	Cell   int
	Weight float64
}

// HotSpotsAmong returns Gi* of values under any weights, as HotSpotsOn does
// for a lattice:
//
//	z_i = (Σ_j w_ij x_j - x̄ W_i) / (S √((n Σ_j w_ij² - W_i²) / (n-1)))
//
// neighbours yields each neighbour j of a cell once; the cell itself has the
// weight that is yielded for it, or else 1, and is left out without self.
// Cost O(neighbours + n log n).
func HotSpotsAmong(values []float64, neighbours func(cell int, yield func(Neighbour)), o GiOptions) (*HotSpots, error) {
	g, err := newGiSums(values, o)
	if err != nil {
		return nil, err
	}
	for i := range values {
		self, sum, w1, w2, n := 1.0, 0.0, 0.0, 0.0, int32(0)
		bad := false
		add := func(cell int, weight float64) {
			sum, w1, w2, n = sum+weight*g.y[cell], w1+weight, w2+weight*weight, n+1
		}
		neighbours(i, func(v Neighbour) {
			switch {
			case v.Cell < 0 || v.Cell >= len(values) || math.IsNaN(v.Weight-v.Weight):
				bad = true
			case v.Cell == i:
				self = v.Weight
			case !math.IsNaN(values[v.Cell]):
				add(v.Cell, v.Weight)
			}
		})
		if bad {
			return nil, fmt.Errorf("neighbours of cell %d: name cells from 0 to %d with finite weights", i, len(values)-1)
		}
		if !math.IsNaN(values[i]) {
			add(i, self)
		}
		if o.WithoutSelf { // score takes it out again, with weight 1 as on a lattice
			sum, w1, w2 = sum+(1-self)*g.y[i], w1+1-self, w2+1-self*self
		}
		g.out.Neighbours[i] = n
		g.score(i, sum, w1, w2)
	}
	return g.finish(), nil
}

// giSums turns sums over neighbours into scores.
type giSums struct {
	o           GiOptions
	y           []float64 // values less their mean; 0 outside
	outside     []bool
	n, squares  float64 // cells and Σ y²
	allTheSame  bool
	out         *HotSpots
	leastSquare float64 // of a variance that is more than rounding
}

func newGiSums(values []float64, o GiOptions) (*giSums, error) {
	if o.Q == 0 {
		o.Q = 0.05
	}
	if !(o.Q > 0 && o.Q < 1) {
		return nil, fmt.Errorf("share of false discoveries %g: use more than 0 and less than 1", o.Q)
	}
	g := &giSums{o: o, y: make([]float64, len(values)), outside: make([]bool, len(values))}
	total, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
	for i, v := range values {
		if math.IsInf(v, 0) {
			return nil, fmt.Errorf("value of cell %d is infinite: use numbers, or NaN outside", i)
		}
		if math.IsNaN(v) {
			g.outside[i] = true
			continue
		}
		g.n++
		total += v
		lo, hi = min(lo, v), max(hi, v)
	}
	g.allTheSame = !(lo < hi)
	for i, v := range values {
		if !g.outside[i] {
			g.y[i] = v - total/g.n
			g.squares += g.y[i] * g.y[i]
		}
	}
	g.leastSquare = 1e-14 * g.squares / max(1, g.n)
	g.out = &HotSpots{
		Z: make([]float64, len(values)), P: make([]float64, len(values)),
		Neighbours: make([]int32, len(values)), Bin: make([]int8, len(values)),
		Q: o.Q, Cells: int(g.n),
	}
	return g, nil
}

// score sets a cell's z and p from Σ w y, Σ w and Σ w² over its neighbours, it
// included.
func (g *giSums) score(i int, sum, w1, w2 float64) {
	if g.outside[i] {
		g.out.Z[i], g.out.P[i] = math.NaN(), math.NaN()
		return
	}
	n, mean, square := g.n, 0.0, g.squares
	if g.o.WithoutSelf {
		n, mean, square = n-1, -g.y[i]/(g.n-1), square-g.y[i]*g.y[i]
		sum, w1, w2 = sum-g.y[i], w1-1, w2-1
		g.out.Neighbours[i]--
	}
	g.out.P[i] = 1
	variance := square/n - mean*mean
	spread := (n*w2 - w1*w1) / (n - 1)
	if g.allTheSame || n < 2 || !(variance > g.leastSquare) || !(spread > 1e-12*n*w2) {
		return
	}
	z := (sum - mean*w1) / math.Sqrt(variance*spread)
	g.out.Z[i], g.out.P[i] = z, math.Erfc(math.Abs(z)/math.Sqrt2)
}

func (g *giSums) finish() *HotSpots {
	h := g.out
	sorted := make([]float64, 0, h.Cells)
	for _, p := range h.P {
		if !math.IsNaN(p) {
			sorted = append(sorted, p)
		}
	}
	slices.Sort(sorted)
	h.CriticalP = criticalP(sorted, h.Q)
	levels := [...]float64{criticalP(sorted, 0.10), criticalP(sorted, 0.05), criticalP(sorted, 0.01)}
	for i, p := range h.P {
		for _, critical := range levels {
			if p <= critical {
				h.Bin[i] += int8(sign(h.Z[i]))
			}
		}
	}
	return h
}

// BenjaminiHochberg returns the greatest of the p-values that is significant
// when a share q of false discoveries is allowed, -1 when none is: the
// greatest p_(k) ≤ q·k/m, sorted, k from 1 to m.
//
// Source: Benjamini and Hochberg (1995). NaN are left out. Cost O(m log m).
func BenjaminiHochberg(p []float64, q float64) float64 {
	sorted := slices.DeleteFunc(slices.Clone(p), math.IsNaN)
	slices.Sort(sorted)
	return criticalP(sorted, q)
}

func criticalP(sorted []float64, q float64) float64 {
	for k := len(sorted); k > 0; k-- {
		if sorted[k-1] <= q*float64(k)/float64(len(sorted)) {
			return sorted[k-1]
		}
	}
	return -1
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// rowSums holds the running sums of each row, so that any run of columns is
// one difference.
type rowSums struct {
	l     Lattice
	sum   []float64 // rows of NX+1
	count []int32
}

func newRowSums(l Lattice, y []float64, outside []bool) *rowSums {
	s := &rowSums{l: l, sum: make([]float64, (l.NX+1)*len(l.Lats)), count: make([]int32, (l.NX+1)*len(l.Lats))}
	for r := range l.Lats {
		at := r * (l.NX + 1)
		for c := range l.NX {
			i, one := r*l.NX+c, int32(1)
			if outside[i] {
				one = 0
			}
			s.sum[at+c+1] = s.sum[at+c] + y[i]
			s.count[at+c+1] = s.count[at+c] + one
		}
	}
	return s
}

// within sets sum and count to those of the cells within bandM of each cell of
// row r.
func (s *rowSums) within(r int, bandM float64, sum []float64, count []int32) {
	clear(sum)
	clear(count)
	metric := newRowMetric(s.l.Lats[r], s.l.Planar)
	band2 := bandM * bandM * (1 + 2e-9)
	for _, step := range [...]int{-1, 1} {
		from := r
		if step > 0 {
			from = r + 1
		}
		for row := from; row >= 0 && row < len(s.l.Lats); row += step {
			d := s.l.Lats[row] - s.l.Lats[r]
			south, east := metric.squares(d)
			rest := band2 - south*d*d
			if rest < 0 {
				break
			}
			half := math.Sqrt(rest / (east * s.l.DLon * s.l.DLon))
			s.addRow(row, int(min(half, float64(s.l.NX))), sum, count)
		}
	}
}

func (s *rowSums) addRow(row, half int, sum []float64, count []int32) {
	nx := s.l.NX
	at := row * (nx + 1)
	sums, counts := s.sum[at:at+nx+1], s.count[at:at+nx+1]
	for c := range sum {
		lo, hi := max(0, c-half), min(nx, c+half+1)
		sum[c] += sums[hi] - sums[lo]
		count[c] += counts[hi] - counts[lo]
	}
}

// Counts returns the weight of events in each cell of a lattice, row-major;
// where weights are 1, their number. A cell goes half-way to its neighbours,
// and its lower edge in column and row is its own. Events outside are left
// out. The rows must be in order of latitude. Cost O(n log rows).
func Counts(l Lattice, p *Points) []float64 {
	out := make([]float64, l.NX*len(l.Lats))
	if len(out) == 0 {
		return out
	}
	rowOf := l.rowFinder()
	shifts := []float64{0, -360, 360}
	if l.Planar {
		shifts = shifts[:1]
	}
	for _, s := range p.sets {
		for k, w := range s.weight {
			r := rowOf(s.lat[k])
			if r < 0 {
				continue
			}
			for _, shift := range shifts {
				if c := math.Floor(l.column(s.lon[k]+shift) + 0.5); c >= 0 && c < float64(l.NX) {
					out[r*l.NX+int(c)] += w
					break
				}
			}
		}
	}
	return out
}

// rowFinder returns what finds the row of a latitude, -1 outside. Rows of the
// world raster are even in Web Mercator, others as their latitudes say.
func (l *Lattice) rowFinder() func(lat float64) int {
	scale := func(lat float64) float64 { return lat }
	if l.world {
		scale = func(lat float64) float64 { return -worldY(lat) }
	}
	n := len(l.Lats)
	flip := n > 1 && l.Lats[0] > l.Lats[n-1]
	at := make([]float64, n)
	for r, lat := range l.Lats {
		if flip {
			r = n - 1 - r
		}
		at[r] = scale(lat)
	}
	edges := make([]float64, n+1)
	for r := 1; r < n; r++ {
		edges[r] = (at[r-1] + at[r]) / 2
	}
	step := math.Abs(l.DLon) / 2
	if l.world {
		step /= 360
	}
	edges[0], edges[n] = at[0]-step, at[n-1]+step
	if n > 1 {
		edges[0], edges[n] = at[0]-(edges[1]-at[0]), at[n-1]+(at[n-1]-edges[n-1])
	}
	return func(lat float64) int {
		r, exact := slices.BinarySearch(edges, scale(lat))
		if !exact {
			r--
		}
		if r < 0 || r >= n {
			return -1
		}
		if flip {
			return n - 1 - r
		}
		return r
	}
}
