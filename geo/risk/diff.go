package risk

import (
	"cmp"
	"slices"
	"time"
)

// GapChange says what became of a section between two gap reports.
type GapChange string

// The changes.
const (
	Opened GapChange = "opened" // in the later report only
	Closed GapChange = "closed" // in the earlier report only
	Moved  GapChange = "moved"  // in both, with another rank, class or level
)

// GapState is what one report says of a section.
type GapState struct {
	Rank     int      `json:"rank,omitempty"` // 0: not in the report
	Class    Class    `json:"class"`
	Level    Level    `json:"level"`
	Residual Estimate `json:"residual_30d"`
}

// Shift is a difference of two estimates. The later interval's ends less the
// earlier's opposite ends bound it: whatever the dependence between the two, it
// is no wider than that.
type Shift struct {
	Mean float64 `json:"mean"`
	Lo   float64 `json:"lo"`
	Hi   float64 `json:"hi"`
}

// GapDiff is the change of one section.
type GapDiff struct {
	Change   GapChange `json:"change"`
	Section  Section   `json:"-"` // as it is later
	Row      *GapRow   `json:"-"` // of the report that it is in, the later before the earlier
	From     GapState  `json:"from"`
	To       GapState  `json:"to"`
	Residual Shift     `json:"residual_change"`
	// Incidents and Coverage are what the mean changed by because of another
	// rate of incidents, and of another chance that they are met; their sum is
	// Residual.Mean.
	Incidents float64 `json:"because_of_incidents"`
	Coverage  float64 `json:"because_of_coverage"`
}

// Diff is what changed between two assessments of the same border.
type Diff struct {
	From, To time.Time
	Changes  []GapDiff
	// Unchanged sections are in both reports, the same in rank, class and level.
	Unchanged int
}

// Side is one of two assessments that are compared, with the levels that its
// sections had by agreement; nil: those by the index.
type Side struct {
	*Assessment
	LevelOf func(Section) Level
}

// CompareGaps tells two gap reports apart, section by section: what opened,
// closed and moved, each the largest change first. Sections that only one of
// the assessments has are left out. Of the filter, the least level and the limit
// do not count: what they hide has neither opened nor closed.
//
// The mean residual is r·m, with r the rate of incidents and m the chance that
// none is met. Its change is split at the middle: (r₁-r₀)(m₀+m₁)/2 because of
// incidents and (m₁-m₀)(r₀+r₁)/2 because of coverage.
func CompareGaps(from, to Side, f GapFilter) Diff {
	f.MinLevel, f.Limit = "", 0
	before, after := rowsByID(from.Gaps(f)), rowsByID(to.Gaps(f))
	d := Diff{From: from.AsOf, To: to.AsOf, Changes: []GapDiff{}}
	for _, later := range to.Sections {
		earlier, known := from.Section(later.ID)
		was, is := before[later.ID], after[later.ID]
		if !known || was == nil && is == nil {
			continue
		}
		c := changeOf(earlier, later)
		c.From.Level, c.To.Level = GapFilter{LevelOf: from.LevelOf}.levelOf(earlier), GapFilter{LevelOf: to.LevelOf}.levelOf(later)
		if was != nil {
			c.From.Rank, c.Row = was.Rank, was
		}
		if is != nil {
			c.To.Rank, c.Row = is.Rank, is
		}
		switch {
		case was == nil:
			c.Change = Opened
		case is == nil:
			c.Change = Closed
		case c.From.Rank != c.To.Rank || c.From.Class != c.To.Class || c.From.Level != c.To.Level:
			c.Change = Moved
		default:
			d.Unchanged++
			continue
		}
		d.Changes = append(d.Changes, c)
	}
	order := []GapChange{Opened, Closed, Moved}
	slices.SortStableFunc(d.Changes, func(x, y GapDiff) int {
		return cmp.Or(cmp.Compare(slices.Index(order, x.Change), slices.Index(order, y.Change)),
			-cmp.Compare(max(x.Residual.Mean, -x.Residual.Mean), max(y.Residual.Mean, -y.Residual.Mean)),
			cmp.Compare(x.Section.ID, y.Section.ID))
	})
	return d
}

func changeOf(earlier, later Section) GapDiff {
	u, v := earlier.Undetected, later.Undetected
	c := GapDiff{
		Section:  later,
		From:     GapState{Class: earlier.Class, Residual: u},
		To:       GapState{Class: later.Class, Residual: v},
		Residual: Shift{v.Mean - u.Mean, v.Lo80 - u.Hi80, v.Hi80 - u.Lo80},
	}
	r0, r1 := earlier.AnnualRate.Mean*periodFactor, later.AnnualRate.Mean*periodFactor
	m0, m1 := missedShare(earlier), missedShare(later)
	c.Incidents = (r1 - r0) * (m0 + m1) / 2
	c.Coverage = (m1 - m0) * (r0 + r1) / 2
	return c
}

// missedShare is the share of a section's incidents that no patrol meets.
func missedShare(s Section) float64 {
	if all := s.AnnualRate.Mean * periodFactor; all > 0 {
		return s.Undetected.Mean / all
	}
	return 1 - s.InterceptionPOD
}

func rowsByID(rows []GapRow) map[string]*GapRow {
	out := map[string]*GapRow{}
	for i := range rows {
		out[rows[i].Section.ID] = &rows[i]
	}
	return out
}
