package risk

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
	"gonum.org/v1/gonum/stat/distuv"
)

// HotSpotModel are the parameters of the hot-spot test.
type HotSpotModel struct {
	// CellLevel is the grid: cells of the world raster of 2^CellLevel a side,
	// 8 to 15. 13 are 4.9 km at the equator; 15 are the analysis cells, 1.2 km.
	CellLevel int `json:"cell_level"`
	// BandM is the distance in metres, from centre to centre, up to which cells
	// count as neighbours. It should hold several incidents on average.
	BandM float64 `json:"band_m"`
	// LeastIncidents is the number of incidents in the domain below which there
	// is not enough data to test; 0: test always.
	LeastIncidents int `json:"least_incidents"`
}

func (m HotSpotModel) validate() (errs []error) {
	if m.CellLevel < 8 || m.CellLevel > surface.CellLevel {
		errs = append(errs, fmt.Errorf("hotspots.cell_level is %d: use 8 to %d", m.CellLevel, surface.CellLevel))
	}
	if !(m.BandM >= 100 && m.BandM <= 1_000_000) {
		errs = append(errs, fmt.Errorf("hotspots.band_m is %g: use 100 to 1000000", m.BandM))
	}
	if m.LeastIncidents < 0 || m.LeastIncidents > 1_000_000 {
		errs = append(errs, fmt.Errorf("hotspots.least_incidents is %d: use 0 (test always) to 1000000", m.LeastIncidents))
	}
	return errs
}

// HotSpotClass says whether more or fewer incidents lie round a place than
// chance explains.
type HotSpotClass string

// The classes, in the order in which legends list them. The number is the
// confidence in per cent: 100 less the share of false discoveries that is
// allowed among all cells of the class and above.
const (
	Hot99          HotSpotClass = "hot_99"
	Hot95          HotSpotClass = "hot_95"
	Hot90          HotSpotClass = "hot_90"
	NotSignificant HotSpotClass = "not_significant"
	Cold90         HotSpotClass = "cold_90"
	Cold95         HotSpotClass = "cold_95"
	Cold99         HotSpotClass = "cold_99"
	NotEnoughData  HotSpotClass = "not_enough_data"
)

func hotSpotClasses() []HotSpotClass {
	return []HotSpotClass{Hot99, Hot95, Hot90, NotSignificant, Cold90, Cold95, Cold99, NotEnoughData}
}

// HotSpot is the test at one place. Outside the border's domain the class is
// "" and the numbers of the place are 0.
type HotSpot struct {
	Class HotSpotClass `json:"class"`
	Why   string       `json:"why,omitempty"` // of not enough data
	Z     float64      `json:"z"`             // Getis and Ord's Gi*
	P     float64      `json:"p"`             // two-sided, of the score or of the count, whichever is greater
	// Significant: at a share of 5 % of false discoveries (Benjamini and
	// Hochberg), that is the classes of 95 and 99 %.
	Significant bool `json:"significant"`
	// Incidents are those of the cells within the band, and Expected as many
	// as those cells would hold if all in the domain were alike.
	Incidents   float64 `json:"incidents_in_band"`
	Expected    float64 `json:"expected_in_band"`
	CellsInBand int     `json:"cells_in_band"`

	InDomain int     `json:"incidents_in_domain"`
	Cells    int     `json:"cells_in_domain"`
	CellM    float64 `json:"cell_m"` // width at the equator
	BandM    float64 `json:"band_m"`
}

// mostHotSpotCells bounds the box of cells round the domain.
const mostHotSpotCells = 4 << 20

// hotSpotGrid is the test over all cells of the domain.
type hotSpotGrid struct {
	model   HotSpotModel
	x0, y0  int
	lattice surface.Lattice
	values  []float64 // incidents in each cell; NaN outside the domain
	mean    float64
	n       int // incidents in the domain
	cells   int
	why     string // it was not done; "": it was
	test    *surface.HotSpots

	inBand, p []float64 // by cell
	bins      []int8    // 3, 2, 1: hot; -1, -2, -3: cold
}

// findHotSpots counts the incidents of the hazard's window, without decay, in
// the cells of the domain and tests them. Incidents whose place is known less
// well than the band do not count. Source: METHODS section 5; see judge for
// what differs.
func (a *Assessment) findHotSpots() *hotSpotGrid {
	g := &hotSpotGrid{model: a.Model.HotSpots}
	if !g.layOut(a.domain) {
		return g
	}
	a.countInto(g)
	if g.n < g.model.LeastIncidents {
		g.why = fmt.Sprintf("%d incidents in the domain, fewer than %d", g.n, g.model.LeastIncidents)
		return g
	}
	test, err := surface.HotSpotsOn(g.lattice, g.values, surface.GiOptions{BandM: g.model.BandM})
	if err != nil {
		g.why = err.Error()
		return g
	}
	g.test = test
	g.judge()
	return g
}

// layOut finds the cells at least half of which is in the domain.
func (g *hotSpotGrid) layOut(d *domain) bool {
	shift := surface.CellLevel - g.model.CellLevel
	inside := map[[2]int]int{}
	west, north, east, south := math.MaxInt, math.MaxInt, -1, -1
	d.nearest.Each(func(c surface.Cell, n *nearestSection) {
		if n.section == 0 {
			return
		}
		x, y := int(c.X)>>shift, int(c.Y)>>shift
		inside[[2]int{x, y}]++
		west, north, east, south = min(west, x), min(north, y), max(east, x), max(south, y)
	})
	if len(inside) == 0 {
		g.why = "there is no border, and so no domain"
		return false
	}
	nx, ny := east-west+1, south-north+1
	if nx*ny > mostHotSpotCells {
		g.why = fmt.Sprintf("the domain spans %d × %d cells; choose a coarser hotspots.cell_level", nx, ny)
		return false
	}
	g.x0, g.y0 = west, north
	g.lattice = surface.TileLattice(g.model.CellLevel, west, north, max(nx, ny))
	g.lattice.NX, g.lattice.Lats = nx, g.lattice.Lats[:ny]
	g.values = make([]float64, nx*ny)
	for i := range g.values {
		g.values[i] = math.NaN()
	}
	for c, n := range inside {
		if 2*n >= 1<<(2*shift) {
			g.values[(c[1]-north)*nx+c[0]-west] = 0
			g.cells++
		}
	}
	return true
}

// countInto counts the incidents of the window in their cells, each as one.
func (a *Assessment) countInto(g *hotSpotGrid) {
	asOf := a.AsOf.UnixMilli()
	for event := range a.Incidents.Len() {
		l, row, kind := a.Incidents.Record(event)
		from, to, dated := l.TimesMS(row)
		age := float64(asOf-from-(to-from)/2) / 86.4e6
		if dated && (age < 0 || a.Model.WindowDays > 0 && age > a.Model.WindowDays) || !dated && a.Model.WindowDays > 0 {
			continue
		}
		e := eventOf(l, row, kind, a.Model)
		i := g.cellOf(surface.CellAt(orb.Point{e.Lon, e.Lat}))
		if i < 0 || math.IsNaN(g.values[i]) || e.PrecisionM > g.model.BandM {
			continue
		}
		g.values[i]++
		g.n++
	}
	g.mean = float64(g.n) / float64(max(1, g.cells))
}

// cellOf returns the cell of the grid that holds an analysis cell, or -1.
func (g *hotSpotGrid) cellOf(c surface.Cell) int {
	shift := surface.CellLevel - g.model.CellLevel
	x, y := int(c.X)>>shift-g.x0, int(c.Y)>>shift-g.y0
	if x < 0 || y < 0 || x >= g.lattice.NX || y >= len(g.lattice.Lats) {
		return -1
	}
	return y*g.lattice.NX + x
}

// bin is 3, 2, 1 where it is hot with 99, 95, 90 %, -3 to -1 where cold, 0
// where not significant, NaN outside the domain and without enough data.
func (g *hotSpotGrid) bin(c surface.Cell) float64 {
	i := g.cellOf(c)
	if g.test == nil || i < 0 || math.IsNaN(g.values[i]) {
		return math.NaN()
	}
	return float64(g.bins[i])
}

func (g *hotSpotGrid) class(c surface.Cell) HotSpotClass {
	i := g.cellOf(c)
	switch {
	case i < 0 || math.IsNaN(g.values[i]):
		return ""
	case g.test == nil:
		return NotEnoughData
	}
	return hotSpotClasses()[3-g.bins[i]]
}

// HotSpotTile returns the class of each pixel's place as its place in classes,
// counting from 1; 0 outside the border's domain.
func (a *Assessment) HotSpotTile(classes []HotSpotClass, level, px, py, n int) []float64 {
	number := map[HotSpotClass]float64{}
	for i, c := range classes {
		number[c] = float64(i + 1)
	}
	g := a.hotSpots()
	return a.cellTile(func(c surface.Cell) float64 { return number[g.class(c)] }, level, px, py, n)
}

// HotSpotAt returns the test at a place.
func (a *Assessment) HotSpotAt(p orb.Point) HotSpot {
	g, c := a.hotSpots(), surface.CellAt(p)
	h := HotSpot{Class: g.class(c), Why: g.why, InDomain: g.n, Cells: g.cells, BandM: g.model.BandM,
		CellM: 2 * math.Pi * geo.EquatorialRadiusM / math.Exp2(float64(g.model.CellLevel))}
	if h.Class == "" || g.test == nil {
		return h
	}
	i := g.cellOf(c)
	h.Z, h.P = g.test.Z[i], g.p[i]
	h.Significant = g.bins[i] >= 2 || g.bins[i] <= -2
	h.CellsInBand = int(g.test.Neighbours[i])
	h.Expected = g.mean * float64(h.CellsInBand)
	h.Incidents = g.inBand[i]
	return h
}

// judge settles significance. With few incidents the scores are skewed, and the
// normal distribution finds hot spots in most random maps; so p is the greater
// of its p and the exact one of incidents that fall on the cells one by one,
// where the number in a band is binomial.
func (g *hotSpotGrid) judge() {
	n, square := float64(g.cells), 0.0
	for _, v := range g.values {
		if !math.IsNaN(v) {
			square += v * v
		}
	}
	sd := math.Sqrt(max(0, square/n-g.mean*g.mean))
	g.inBand, g.p, g.bins = make([]float64, len(g.values)), make([]float64, len(g.values)), make([]int8, len(g.values))
	type band struct{ incidents, cells float64 }
	known := map[band]float64{}
	for i, z := range g.test.Z {
		if g.p[i] = math.NaN(); math.IsNaN(z) {
			continue
		}
		w := float64(g.test.Neighbours[i])
		g.inBand[i] = math.Round(g.mean*w + z*sd*math.Sqrt(max(0, n*w-w*w)/max(1, n-1)))
		b := band{g.inBand[i], w}
		exact, seen := known[b]
		if !seen {
			exact = binomialP(b.incidents, distuv.Binomial{N: float64(g.n), P: w / n})
			known[b] = exact
		}
		g.p[i] = max(g.test.P[i], exact)
	}
	for _, share := range hotSpotShares() {
		critical := surface.BenjaminiHochberg(g.p, share)
		for i, p := range g.p {
			if p <= critical {
				g.bins[i] += int8(math.Copysign(1, g.test.Z[i]))
			}
		}
	}
}

// hotSpotShares are the shares of false discoveries allowed at 90, 95, 99 %.
func hotSpotShares() [3]float64 { return [3]float64{0.10, 0.05, 0.01} }

// binomialP is the two-sided p of a number: twice the smaller tail.
func binomialP(k float64, b distuv.Binomial) float64 {
	if b.P >= 1 {
		return 1
	}
	return min(1, 2*min(b.CDF(k), 1-b.CDF(k-1)))
}
