package surface

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// ReleaseCell is a cell of the fixed grid that generalised records are released
// on: a pixel of the world raster of Level. The cells of a level are nested in
// those of any coarser one.
type ReleaseCell struct {
	Level int
	X, Y  int32
}

// in returns the cell of a coarser level that holds this one.
func (c ReleaseCell) in(level int) ReleaseCell {
	by := c.Level - level
	return ReleaseCell{level, c.X >> by, c.Y >> by}
}

// In returns the cell of a level no finer than its own that holds it.
func (c ReleaseCell) In(level int) ReleaseCell { return c.in(level) }

// ReleaseCellAt returns the cell of a level at a place in degrees.
func ReleaseCellAt(lon, lat float64, level int) ReleaseCell {
	c := CellAt(orb.Point{lon, lat})
	return ReleaseCell{CellLevel, c.X, c.Y}.in(level)
}

// Bound returns the cell's box in degrees.
func (c ReleaseCell) Bound() orb.Bound {
	by := CellLevel - c.Level
	nw, se := Cell{c.X << by, c.Y << by}, Cell{(c.X+1)<<by - 1, (c.Y+1)<<by - 1}
	return nw.Bound().Union(se.Bound())
}

// ReleaseRule says when a cell may be shown.
type ReleaseRule struct {
	// Levels are those of the grid, finest first, none above CellLevel. Records of
	// a cell that may not be shown go to the cell around it of the next.
	Levels []int
	// Least is how many distinct incidents a cell must have, of two sources or two
	// days at least.
	Least int
}

// ReleaseRecord is an incident as the rule sees it. Records that agree in all
// are one incident.
type ReleaseRecord struct {
	Lon, Lat float64
	Day      int32
	Kind     string
	Source   string
}

// ReleaseGroup is the incidents that are shown, or carried on, as one cell's.
type ReleaseGroup struct {
	Cell ReleaseCell
	N    int

	source            string
	day               int32
	sources, days     bool // more than one
	hasSource, hasDay bool
}

// add takes over what another group has.
func (g *ReleaseGroup) add(o ReleaseGroup) {
	g.N += o.N
	g.sources = g.sources || o.sources || g.hasSource && o.hasSource && g.source != o.source
	g.days = g.days || o.days || g.hasDay && o.hasDay && g.day != o.day
	if !g.hasSource {
		g.source, g.hasSource = o.source, o.hasSource
	}
	if !g.hasDay {
		g.day, g.hasDay = o.day, o.hasDay
	}
}

// Groups makes each distinct incident a group of its own, in the cell of the
// finest level that holds it.
func (r ReleaseRule) Groups(records []ReleaseRecord) []ReleaseGroup {
	seen := make(map[ReleaseRecord]bool, len(records))
	out := make([]ReleaseGroup, 0, len(records))
	for _, e := range records {
		if seen[e] {
			continue
		}
		seen[e] = true
		out = append(out, ReleaseGroup{Cell: ReleaseCellAt(e.Lon, e.Lat, r.Levels[0]), N: 1,
			source: e.Source, hasSource: e.Source != "", day: e.Day, hasDay: true})
	}
	return out
}

// Apply returns the groups that may be shown: those of a cell together, each
// with at least the rule's number of incidents. What one cell lacks goes up to
// the cell around it, with all else that was not shown there; what does not
// reach the number in the coarsest is dropped. So no cell tells of fewer
// incidents than Least, nor does what a cell has beside those inside it that
// are shown for themselves. Groups may be those that another rule let through:
// a rule with more incidents and the same levels then shows only sums of what
// that one shows.
//
// Source: SECURITY section 3, rules 1 and 4; k-anonymous counts in a nested
// grid with remainders (Lagonigro et al. 2017). The result is in order of
// level, row and column. Cost O(n) a level.
func (r ReleaseRule) Apply(groups []ReleaseGroup) (shown []ReleaseGroup) {
	pending := groups
	for _, level := range r.Levels {
		cells := map[ReleaseCell]*ReleaseGroup{}
		var later []ReleaseGroup
		for _, g := range pending {
			if g.Cell.Level < level {
				later = append(later, g) // coarser than this level: its turn comes
				continue
			}
			at := g.Cell.in(level)
			if cells[at] == nil {
				cells[at] = &ReleaseGroup{Cell: at}
			}
			cells[at].add(g)
		}
		pending = later
		for _, g := range cells {
			if g.N >= r.Least && (g.sources || g.days) {
				shown = append(shown, *g)
			} else {
				pending = append(pending, *g)
			}
		}
		slices.SortFunc(pending, compareGroups)
	}
	slices.SortFunc(shown, compareGroups)
	return shown
}

func compareGroups(a, b ReleaseGroup) int {
	return cmp.Or(-cmp.Compare(a.Cell.Level, b.Cell.Level), cmp.Compare(a.Cell.Y, b.Cell.Y), cmp.Compare(a.Cell.X, b.Cell.X))
}

// Steady repeats what a cell showed before unless at least the rule's number of
// incidents came or went: two releases must not tell of fewer. before and the
// result are counts by cell; a cell that is not shown counts none.
func (r ReleaseRule) Steady(shown []ReleaseGroup, before map[ReleaseCell]int) map[ReleaseCell]int {
	out := map[ReleaseCell]int{}
	now := map[ReleaseCell]int{}
	for _, g := range shown {
		now[g.Cell] = g.N
	}
	for c, n := range now {
		if was := before[c]; was > 0 && n-was < r.Least && was-n < r.Least {
			n = was
		}
		out[c] = n
	}
	return out
}

// ReleaseBand is how a number of incidents is told: 5 to 9, 10 to 19, 20 to 49, 50 to
// 99 and on by halves of a decade. Shown is the number that stands for the band
// in sums.
type ReleaseBand struct{ From, To, Shown int }

// BandOf returns the band of a number of incidents from 5 on.
func BandOf(n int) ReleaseBand {
	b := ReleaseBand{5, 9, 7}
	for unit := 10; n > b.To; unit *= 10 {
		for _, next := range [...]ReleaseBand{{unit, 2*unit - 1, 14 * unit / 10}, {2 * unit, 5*unit - 1, 32 * unit / 10}, {5 * unit, 10*unit - 1, 7 * unit}} {
			if b = next; n <= b.To {
				break
			}
		}
	}
	return b
}

// SortedReleaseCells are the cells that are counted, in one order.
func SortedReleaseCells(counts map[ReleaseCell]int) []ReleaseCell {
	out := make([]ReleaseCell, 0, len(counts))
	for c := range counts {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b ReleaseCell) int { return compareGroups(ReleaseGroup{Cell: a}, ReleaseGroup{Cell: b}) })
	return out
}
