package risk

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Occurrence is an incident as a back-test sees it: its calendar day and place.
type Occurrence struct {
	Day  int     // days since 1970-01-01
	X, Y float64 // longitude and latitude in degrees, or coordinates of a plane
}

// GridOptions lay the cells of a back-test.
type GridOptions struct {
	// CellM is the edge of a cell in metres, with Planar in the unit of the
	// plane; CellDeg is it in degrees. One of them is given.
	CellM   float64
	CellDeg float64
	Planar  bool
	// Area is the study area: a cell belongs to it when its centre is inside
	// an odd number of rings. Without it the area is every cell with an
	// incident before the first fold and all within Ring cells of one.
	Area []orb.Ring
	Ring int
	// MaxCells bounds the cells of the box; 0: 20 million.
	MaxCells int
}

// maxGridCells bounds the box of a grid: a surface of it is 160 MB.
const maxGridCells = 20_000_000

var errTooManyCells = errors.New("the box has too many cells")

func (o GridOptions) mostCells() float64 {
	if o.MaxCells > 0 {
		return float64(o.MaxCells)
	}
	return maxGridCells
}

// parts is how finely the place of an incident in its cell is kept for
// smoothing: to a quarter of the cell's edge.
const parts = 4

// CellGrid is equal cells over a study area with the incidents in them, by
// day. All cells weigh the same.
type CellGrid struct {
	NX, NY  int
	Edge    float64 // of a cell, in the unit of the plane
	Dropped int     // incidents outside the area

	cells []int32 // numbers (row × NX + column) of the cells of the area
	sites []site  // incidents in the area, by place, then day
	first int     // day of the earliest
	// others is the same cells with the incidents of other kinds; nil: none.
	others *CellGrid
}

// site is an incident by the quarter of a cell that it lies in.
type site struct {
	row, column int32 // in quarters
	day         int32
}

func (g *CellGrid) cellOf(s site) int { return int(s.row/parts)*g.NX + int(s.column/parts) }

// Cells returns the number of cells of the area.
func (g *CellGrid) Cells() int { return len(g.cells) }

// plane is where cells are laid: x and y are degrees times a factor each.
type plane struct{ kx, ky, x0, y0, edge float64 }

func (p plane) position(x, y float64) (column, row float64) {
	return (x*p.kx - p.x0) / p.edge, (y*p.ky - p.y0) / p.edge
}

// binned is the position for choosing a cell: a point that rounding left just
// short of an edge belongs to the cell beyond.
func (p plane) binned(x, y float64) (column, row float64) {
	column, row = p.position(x, y)
	return math.Floor((column+1e-9)*parts) / parts, math.Floor((row+1e-9)*parts) / parts
}

// NewCellGrid lays the cells and puts the incidents into them, and those of
// other kinds apart. Without an area the incidents before the day from say
// where cells are; others do not.
//
// On a plane of longitude and latitude x = N₀ cos φ₀ λ and y = M₀ φ, with the
// radii of curvature of WGS 84 at the middle latitude φ₀ of the box.
func NewCellGrid(incidents, others []Occurrence, from int, o GridOptions) (*CellGrid, error) {
	if err := o.check(incidents); err != nil {
		return nil, err
	}
	box, err := o.box(incidents, from)
	if err != nil {
		return nil, err
	}
	p := o.plane(box)
	column, row := p.position(box.Max[0], box.Max[1])
	if most := o.mostCells(); !((column+1)*(row+1) <= most) {
		return nil, fmt.Errorf("%w: %.0f × %.0f, more than %.0f; use larger cells or an area", errTooManyCells, column+1, row+1, most)
	}
	g := &CellGrid{NX: int(column) + 1, NY: int(row) + 1, Edge: p.edge}
	inArea := g.mask(o, p, incidents, from)
	for i, in := range inArea {
		if in {
			g.cells = append(g.cells, int32(i))
		}
	}
	if len(g.cells) == 0 {
		return nil, errors.New("no cell has its centre in the area")
	}
	g.place(incidents, p, inArea)
	if len(others) > 0 {
		with := *g
		with.Dropped, with.sites = 0, nil
		with.place(others, p, inArea)
		g.others = &with
	}
	return g, nil
}

func (o GridOptions) check(incidents []Occurrence) error {
	size := o.CellM + o.CellDeg
	if (o.CellM == 0) == (o.CellDeg == 0) || !(size > 0) || math.IsInf(size, 0) {
		return errors.New("give the edge of a cell, in metres or in degrees, above 0")
	}
	if o.Ring < 0 {
		return fmt.Errorf("a ring of %d cells: use 0 or more", o.Ring)
	}
	if o.Planar && o.CellDeg != 0 {
		return errors.New("cells in degrees are not for points of a plane")
	}
	for i, e := range incidents {
		if math.IsNaN(e.X-e.X) || math.IsNaN(e.Y-e.Y) {
			return fmt.Errorf("incident %d has no place: %g, %g", i+1, e.X, e.Y)
		}
		if !o.Planar && (math.Abs(e.X) > 360 || math.Abs(e.Y) > 90) {
			return fmt.Errorf("incident %d is at %g, %g, which is no longitude and latitude", i+1, e.X, e.Y)
		}
	}
	return nil
}

// box is the box of the area, or of the incidents before the day from.
func (o GridOptions) box(incidents []Occurrence, from int) (orb.Bound, error) {
	box := orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	extend := func(p orb.Point) {
		if box.IsEmpty() {
			box = p.Bound()
		}
		box = box.Extend(p)
	}
	for _, ring := range o.Area {
		for _, p := range ring {
			extend(p)
		}
	}
	if o.Area == nil {
		for _, e := range incidents {
			if e.Day < from {
				extend(orb.Point{e.X, e.Y})
			}
		}
	}
	if box.IsEmpty() {
		if o.Area != nil {
			return box, errors.New("the area has no points")
		}
		return box, ErrNoHistory
	}
	return box, nil
}

// ErrNoHistory is a back-test without incidents before its first fold.
var ErrNoHistory = errors.New("no incident is dated before the first fold: there is nothing to learn from")

func (o GridOptions) plane(box orb.Bound) plane {
	p := plane{kx: 1, ky: 1, edge: o.CellM}
	if !o.Planar && o.CellDeg == 0 {
		p.kx, p.ky = geo.MetresPerDegree((box.Min[1] + box.Max[1]) / 2)
	}
	p.x0, p.y0 = box.Min[0]*p.kx, box.Min[1]*p.ky
	if o.CellDeg != 0 {
		p.edge = o.CellDeg
		p.x0, p.y0 = math.Floor(p.x0/p.edge)*p.edge, math.Floor(p.y0/p.edge)*p.edge
	}
	return p
}

func (g *CellGrid) mask(o GridOptions, p plane, incidents []Occurrence, from int) []bool {
	in := make([]bool, g.NX*g.NY)
	if o.Area != nil {
		g.fill(in, o.Area, p)
		return in
	}
	for _, e := range incidents {
		if c, ok := g.cellAt(p.binned(e.X, e.Y)); ok && e.Day < from {
			in[c] = true
		}
	}
	return g.widened(in, o.Ring)
}

func (g *CellGrid) cellAt(column, row float64) (int, bool) {
	if !(column >= 0 && row >= 0 && column < float64(g.NX) && row < float64(g.NY)) {
		return 0, false
	}
	return int(row)*g.NX + int(column), true
}

// fill marks the cells whose centre is inside an odd number of rings.
func (g *CellGrid) fill(in []bool, rings []orb.Ring, p plane) {
	crossings := make([][]float64, g.NY) // of each row's middle, in cells
	for _, ring := range rings {
		for i, a := range ring {
			b := ring[(i+1)%len(ring)]
			ax, ay := p.position(a[0], a[1])
			bx, by := p.position(b[0], b[1])
			lowest := max(0, int(math.Floor(min(ay, by)-0.5)))
			highest := min(g.NY-1, int(math.Ceil(max(ay, by))))
			for row := lowest; row <= highest; row++ {
				if y := float64(row) + 0.5; (ay > y) != (by > y) {
					crossings[row] = append(crossings[row], ax+(y-ay)*(bx-ax)/(by-ay))
				}
			}
		}
	}
	for row, xs := range crossings {
		slices.Sort(xs)
		passed := 0
		for column := range g.NX {
			for passed < len(xs) && xs[passed] <= float64(column)+0.5 {
				passed++
			}
			in[row*g.NX+column] = passed%2 == 1
		}
	}
}

// widened adds every cell within a number of cells of a marked one, along rows
// first and then along columns.
func (g *CellGrid) widened(in []bool, ring int) []bool {
	rows, both := make([]bool, len(in)), make([]bool, len(in))
	for y := range g.NY {
		lineOfCells{first: y * g.NX, step: 1, length: g.NX}.widen(rows, in, ring)
	}
	for x := range g.NX {
		lineOfCells{first: x, step: g.NX, length: g.NY}.widen(both, rows, ring)
	}
	return both
}

// lineOfCells is a row or a column of a grid.
type lineOfCells struct{ first, step, length int }

// widen marks in out the cells of the line within ring of one marked in in.
func (l lineOfCells) widen(out, in []bool, ring int) {
	ring = min(ring, l.length)
	until := 0 // cells before it are settled
	for i := range l.length {
		if in[l.first+i*l.step] {
			from := max(until, i-ring)
			until = min(l.length, i+ring+1)
			for k := from; k < until; k++ {
				out[l.first+k*l.step] = true
			}
		}
	}
}

// place sorts the incidents of the area by place, so that sums over them do
// not depend on the order in which they came.
func (g *CellGrid) place(incidents []Occurrence, p plane, inArea []bool) {
	for _, e := range incidents {
		column, row := p.binned(e.X, e.Y)
		c, ok := g.cellAt(column, row)
		if !ok || !inArea[c] {
			g.Dropped++
			continue
		}
		g.sites = append(g.sites, site{int32(row * parts), int32(column * parts), int32(e.Day)})
		if len(g.sites) == 1 || e.Day < g.first {
			g.first = e.Day
		}
	}
	slices.SortFunc(g.sites, func(a, b site) int {
		if a.row != b.row {
			return int(a.row - b.row)
		}
		if a.column != b.column {
			return int(a.column - b.column)
		}
		return int(a.day - b.day)
	})
}

// span is a time window in days, to not included, in which an incident counts
// 2^(-age/HalfLifeDays) at its end; 0: one.
type span struct {
	from, to     int
	halfLifeDays float64
}

func (s span) weight(day int) float64 {
	if s.halfLifeDays == 0 {
		return 1
	}
	return math.Exp2(-float64(s.to-day) / s.halfLifeDays)
}

// counts returns the incidents of a window in each cell of the area.
func (g *CellGrid) counts(s span) []float64 {
	all := make([]float64, g.NX*g.NY)
	for _, e := range g.sites {
		if day := int(e.day); day >= s.from && day < s.to {
			all[g.cellOf(e)] += s.weight(day)
		}
	}
	return g.ofArea(all)
}

// ofArea picks the cells of the area from a surface over the box.
func (g *CellGrid) ofArea(all []float64) []float64 {
	out := make([]float64, len(g.cells))
	for i, c := range g.cells {
		out[i] = all[c]
	}
	return out
}
