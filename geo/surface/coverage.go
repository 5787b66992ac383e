package surface

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Side is whose patrol it was.
type Side int

// The sides.
const (
	Indonesia Side = iota
	Malaysia
	OtherSide
	Sides // how many
)

// SideOf reads a country code: ID, MY, or anything else.
func SideOf(country string) Side {
	switch country {
	case "ID", "IDN":
		return Indonesia
	case "MY", "MYS":
		return Malaysia
	}
	return OtherSide
}

func (s Side) String() string { return [...]string{"ID", "MY", "other", ""}[s] }

// Effort is what patrols did in a cell.
type Effort struct {
	// SweptM2 is Σ sweep width · track length in the window, plus what posts
	// looked over.
	SweptM2 [Sides]float64
	// LowM2 and HighM2 are the same of all sides with the low and high widths.
	LowM2, HighM2 float64
	// BeforeM2 is the same of all sides in the window before.
	BeforeM2 float64
	// HistoryM2 is the same of all sides over CoverageInputs.History, faded.
	HistoryM2 float64
	// Presence is q = Σ POD of each pass · 2^(-age/half-life) (METHODS 7),
	// with the half-life of land and that of water.
	Presence [2]float64
	// LastMS is the latest presence, unix milliseconds; 0: none.
	LastMS [Sides]int64
	// NoDataS is how long devices in the window gave no data, in seconds:
	// tracks that were silent or jumped, on their straight way through the cell,
	// and posts and tracks that were out of order, by the share of their area or
	// way that is in the cell; NoDataLegs is in how many holes. Where a silent
	// patrol really was is not known.
	NoDataS    float64
	NoDataLegs int32
}

// Knowledge says what is known of patrols in a cell.
type Knowledge int

// What is known of a cell in the window.
const (
	Unvisited Knowledge = iota // no patrol has been there
	NoData                     // a patrol may have been there, or a device may have seen it, but was silent
	Visited
)

// Pass is one stay of a patrol in one cell, of at most six hours.
type Pass struct {
	Cell           Cell
	Side           Side
	Agency         string
	StartMS, EndMS int64
	LengthM        float64 // of track in the cell
	SweptM2        float64
	LowM2, HighM2  float64 // swept with the low and the high width

	agency uint16
	part   bool // of a watch that goes on after an outage: it is there once
	fixed  bool // of a post
}

// Coverage is where patrols have been and how hard they looked.
type Coverage struct {
	Model CoverageModel
	AsOf  time.Time
	cells *Field[Effort]
	// LengthM is the track length counted; SilentLegs, Jumps and Untimed are
	// legs and tracks left out as no data, Outages the times in the window that
	// devices were out of order, NoDataS the seconds in the window of all these.
	LengthM                             float64
	SilentLegs, Jumps, Untimed, Outages int
	NoDataS                             float64
	Tracks, Posts                       int
	Oversized                           int // posts left out for their size

	trails   trails
	near     []*trail // scratch of see
	agencies []AgencyEffort
	asOfMS   int64
	windowMS int64

	visit     func(Pass) // while it is made
	visitHole func(Hole)

	spread bool // the effort of what is being added is that of a block of cells

	areasM2 []float64 // of the cells by row, while it is made; 0: not known yet
	history Fading
}

// CoverageInputs are the layers that coverage is made of.
type CoverageInputs struct {
	Tracks, Posts []*geo.Layer
	// Spread are layers whose effort is told no finer than by blocks of
	// SpreadSide² cells, even in each.
	Spread func(*geo.Layer) bool
	AsOf   time.Time
	// History is the time over which Effort.HistoryM2 sums.
	History Fading
	// Visit, when not nil, is told of every pass inside the window, VisitHole
	// of every time inside it without data, for each cell that it concerns.
	Visit     func(Pass)
	VisitHole func(Hole)
}

// NewCoverage sums the effort of timed tracks and posts before AsOf. Cost:
// vertices plus cells passed and seen; memory does not grow with the vertices.
func NewCoverage(in CoverageInputs, m CoverageModel) *Coverage {
	c := &Coverage{
		Model: m, AsOf: in.AsOf, cells: NewField[Effort](), trails: trails{places: NewField[int32]()},
		asOfMS: in.AsOf.UnixMilli(), windowMS: int64(m.WindowDays * 86.4e6),
		history: in.History, visit: in.Visit, visitHole: in.VisitHole, areasM2: make([]float64, 1<<CellLevel),
	}
	names := map[agencyKey]uint16{}
	for _, l := range in.Tracks {
		c.spread = in.Spread != nil && in.Spread(l)
		for row := range l.Len() {
			c.addTrack(l, row, c.agencyOf(names, l, row))
		}
	}
	for _, l := range in.Posts {
		c.spread = in.Spread != nil && in.Spread(l)
		for row := range l.Len() {
			c.addPost(l, row, c.agencyOf(names, l, row))
		}
	}
	c.visit, c.visitHole, c.areasM2, c.near = nil, nil, nil, nil
	return c
}

// Cells returns the effort by cell.
func (c *Coverage) Cells() *Field[Effort] { return c.cells }

// inWindow says whether something that ended at ms counts as effort.
func (c *Coverage) inWindow(ms int64) bool { return c.asOfMS-ms <= c.windowMS }

// SpreadSide is how many cells a side a block of spread effort has: 4.9 km at
// the equator.
const SpreadSide = 4

// add takes over a pass.
func (c *Coverage) add(p Pass) {
	if !c.spread {
		c.addTo(p)
		if c.visit != nil && c.inWindow(p.EndMS) {
			c.visit(p)
		}
		return
	}
	part := p
	part.SweptM2 /= SpreadSide * SpreadSide
	part.LowM2 /= SpreadSide * SpreadSide
	part.HighM2 /= SpreadSide * SpreadSide
	x0, y0 := p.Cell.X&^(SpreadSide-1), p.Cell.Y&^(SpreadSide-1)
	for i := range int32(SpreadSide * SpreadSide) {
		part.Cell = Cell{x0 + i%SpreadSide, y0 + i/SpreadSide}
		c.addTo(part)
		if c.visit != nil && c.inWindow(p.EndMS) {
			c.visit(part)
		}
	}
}

func (c *Coverage) addTo(p Pass) {
	e := c.cells.Ref(p.Cell)
	e.LastMS[p.Side] = max(e.LastMS[p.Side], p.EndMS)
	if p.SweptM2 > 0 && !p.part {
		ageDays := float64(c.asOfMS-p.EndMS) / 86.4e6
		pod := c.Model.POD(p.SweptM2 / c.areaOf(p.Cell))
		e.Presence[0] += pod * math.Exp2(-ageDays/c.Model.PresenceDaysLand)
		e.Presence[1] += pod * math.Exp2(-ageDays/c.Model.PresenceDaysSea)
	}
	if !p.fixed {
		e.HistoryM2 += p.SweptM2 * c.history.fade(c.asOfMS-(p.StartMS+p.EndMS)/2)
	}
	if !c.inWindow(p.EndMS) {
		if c.asOfMS-p.EndMS <= 2*c.windowMS {
			e.BeforeM2 += p.SweptM2
		}
		return
	}
	e.SweptM2[p.Side] += p.SweptM2
	e.LowM2 += p.LowM2
	e.HighM2 += p.HighM2
	if p.SweptM2 > 0 {
		c.trails.of(p.Cell).addAgency(p.agency, p.SweptM2)
		c.agencies[p.agency].SweptM2 += p.SweptM2
	}
}

func (c *Coverage) areaOf(cell Cell) float64 {
	m2 := &c.areasM2[cell.Y]
	if *m2 == 0 {
		*m2 = cell.AreaM2()
	}
	return *m2
}

// Knowledge tells a cell where nobody was in the window from one where a
// patrol may have been unseen.
func (c *Coverage) Knowledge(cell Cell) Knowledge {
	e := c.cells.At(cell)
	switch {
	case slices.ContainsFunc(e.LastMS[:], func(ms int64) bool { return ms != 0 && c.inWindow(ms) }):
		return Visited
	case e.NoDataLegs > 0:
		return NoData
	}
	return Unvisited
}

// NoDataCells counts the cells of which Knowledge says no data.
func (c *Coverage) NoDataCells() (n int) {
	c.cells.Each(func(cell Cell, e *Effort) {
		if e.NoDataLegs > 0 && c.Knowledge(cell) == NoData {
			n++
		}
	})
	return n
}

// Search returns the coverage C of a cell in the window, by side and in all.
func (c *Coverage) Search(cell Cell) (total float64, bySide [Sides]float64) {
	e := c.cells.At(cell)
	area := 0.0
	for s, swept := range e.SweptM2 {
		if swept > 0 {
			if area == 0 {
				area = cell.AreaM2()
			}
			bySide[s] = swept / area
			total += bySide[s]
		}
	}
	return total, bySide
}

// SearchBand returns the coverage C of a cell with the low, mid and high sweep
// widths, of all sides.
func (c *Coverage) SearchBand(cell Cell) (low, mid, high float64) {
	e := c.cells.At(cell)
	area := cell.AreaM2()
	for _, swept := range e.SweptM2 {
		mid += swept / area
	}
	return e.LowM2 / area, mid, e.HighM2 / area
}

// AgencyEffort is the effort of one agency of one side in the window.
type AgencyEffort struct {
	Side    Side
	Agency  string
	SweptM2 float64
}

// OtherAgencies stands for the agencies of a side that are not kept apart: the
// fifth and later of one cell, and those after the first thousand.
const OtherAgencies = "(other)"

const (
	mostAgencies = 1000
	cellAgencies = 4
)

type agencyKey struct {
	side Side
	name string
}

// agencyOf returns the row's agency as its place in c.agencies.
func (c *Coverage) agencyOf(names map[agencyKey]uint16, l *geo.Layer, row int) uint16 {
	key := agencyKey{SideOf(l.Text(row, "country")), l.Text(row, "agency")}
	if i, known := names[key]; known {
		return i
	}
	if len(c.agencies) >= mostAgencies {
		key.name = OtherAgencies
		if i, known := names[key]; known {
			return i
		}
	}
	i := uint16(len(c.agencies))
	c.agencies = append(c.agencies, AgencyEffort{Side: key.side, Agency: key.name})
	names[key] = i
	return i
}

// Agencies returns the effort of each agency over all cells, the most first.
// The sum over a side's agencies is the side's effort.
func (c *Coverage) Agencies() []AgencyEffort {
	return sortEffort(slices.DeleteFunc(slices.Clone(c.agencies), func(a AgencyEffort) bool { return a.SweptM2 == 0 }))
}

// AgenciesIn returns the effort in one cell by agency, the most first; the sum
// over a side's agencies is the side's SweptM2.
func (c *Coverage) AgenciesIn(cell Cell) []AgencyEffort {
	t := c.trails.find(cell)
	if t == nil {
		return nil
	}
	e := c.cells.At(cell)
	rest := e.SweptM2
	var out []AgencyEffort
	for i, swept := range t.swept {
		if swept > 0 {
			a := c.agencies[t.agency[i]]
			a.SweptM2 = swept
			rest[a.Side] -= swept
			out = append(out, a)
		}
	}
	for s, swept := range rest {
		if swept > 1e-9*e.SweptM2[s] {
			out = append(out, AgencyEffort{Side(s), OtherAgencies, swept})
		}
	}
	return sortEffort(out)
}

func sortEffort(list []AgencyEffort) []AgencyEffort {
	slices.SortFunc(list, func(a, b AgencyEffort) int {
		return cmp.Or(cmp.Compare(b.SweptM2, a.SweptM2), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Agency, b.Agency))
	})
	return list
}
