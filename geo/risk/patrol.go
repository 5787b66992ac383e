package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// coverageStep is how finely coverage knows the time: it speaks of AsOf rounded
// up to the next full hour UTC, so that a new incident within the hour leaves
// it, and the sections' weeks, as they are. What patrols did in the rest of that
// hour counts.
const coverageStep = time.Hour

func (a *Assessment) coverageAsOf() time.Time {
	hour := a.AsOf.Truncate(coverageStep)
	if hour.Before(a.AsOf) {
		hour = hour.Add(coverageStep)
	}
	return hour
}

// Cover is what patrols and posts did in the strip along a section.
type Cover struct {
	SearchPOD       float64            `json:"search_coverage"`
	Presence        float64            `json:"presence"` // Σ POD of passes, halved with age (METHODS 7)
	SearchBySide    map[string]float64 `json:"coverage_by_country"`
	Effort          []AgencyKM2        `json:"swept_by_agency"`
	PercentVisible  float64            `json:"percent_visible"` // of the strip, seen at least once in the window
	PercentBlind    float64            `json:"percent_blind"`
	NoDataHours     float64            `json:"hours_no_data"` // of devices that were silent, jumped across the strip, or were out of order
	DaysSince       *float64           `json:"days_since_presence"`
	DaysSinceBySide map[string]float64 `json:"days_since_presence_by_country"`

	beforePOD     float64 // search coverage in the window before
	silent        bool    // nobody was there, as far as is known: a device was silent
	week, unknown Week
}

// AgencyKM2 is the area that an agency swept in the window; sums over agencies
// are the effort of their country, and sums over sections that of the border.
// Of a cell with more than four agencies the others are surface.OtherAgencies.
type AgencyKM2 struct {
	Country string  `json:"country"`
	Agency  string  `json:"agency"`
	KM2     float64 `json:"swept_km2"`
}

// coverStrips sums the coverage of each section's strip.
func (a *Assessment) coverStrips() []Cover {
	out := make([]Cover, len(a.stretches))
	for i := range out {
		out[i] = a.coverStrip(a.domain.strips[i], a.stretches[i].medium)
		out[i].week, out[i].unknown = a.presence.weeks(i, a.stretches[i].zoneH())
	}
	return out
}

// coverStrip takes the mean search coverage over a strip, by area. The mean is
// of probabilities: a post that watches one cell well does not cover the rest.
func (a *Assessment) coverStrip(strip []surface.Cell, medium Medium) Cover {
	m := a.Model.Coverage
	var pod [surface.Sides]float64
	var last [surface.Sides]int64
	s := Cover{SearchBySide: map[string]float64{}, DaysSinceBySide: map[string]float64{}}
	area, visited := 0.0, false
	effort := map[surface.AgencyEffort]float64{}
	for _, c := range strip {
		m2 := c.AreaM2()
		e := a.Coverage.Cells().At(c)
		total, bySide := a.Coverage.Search(c)
		area += m2
		s.SearchPOD += m2 * m.POD(total)
		s.beforePOD += m2 * m.POD(e.BeforeM2/m2)
		s.Presence += m2 * a.presenceAt(c, medium)
		s.NoDataHours += e.NoDataS / 3600
		for side, coverage := range bySide {
			pod[side] += m2 * m.POD(coverage)
			last[side] = max(last[side], e.LastMS[side])
		}
		visited = visited || a.Coverage.Knowledge(c) == surface.Visited
		s.silent = s.silent || e.NoDataLegs > 0
		for _, by := range a.Coverage.AgenciesIn(c) {
			effort[surface.AgencyEffort{Side: by.Side, Agency: by.Agency}] += by.SweptM2
		}
	}
	s.silent = s.silent && !visited
	for side := range surface.Sides {
		if area > 0 {
			s.SearchBySide[side.String()] = pod[side] / area
		}
		if last[side] > 0 {
			days := float64(a.Coverage.AsOf.UnixMilli()-last[side]) / 86.4e6
			s.DaysSinceBySide[side.String()] = days
			if s.DaysSince == nil || days < *s.DaysSince {
				s.DaysSince = &days
			}
		}
	}
	if area > 0 {
		s.SearchPOD /= area
		s.beforePOD /= area
		s.Presence /= area
	}
	seen := a.Coverage.Swath(slices.Values(strip))
	s.PercentVisible, s.PercentBlind = seen.PercentVisible(), seen.PercentBlind()
	s.Effort = listEffort(effort)
	return s
}

// listEffort lists effort by agency, the most first.
func listEffort(m2 map[surface.AgencyEffort]float64) []AgencyKM2 {
	out := []AgencyKM2{}
	for by, swept := range m2 {
		out = append(out, AgencyKM2{by.Side.String(), by.Agency, swept / 1e6})
	}
	slices.SortFunc(out, func(x, y AgencyKM2) int {
		return cmp.Or(cmp.Compare(y.KM2, x.KM2), cmp.Compare(x.Country, y.Country), cmp.Compare(x.Agency, y.Agency))
	})
	return out
}

// coverSections gives each section its coverage.
func (a *Assessment) coverSections() {
	for i := range a.Sections {
		s := &a.Sections[i]
		s.Cover = a.covers[i]
		s.Profile.ZoneHours = a.stretches[i].zoneH()
		s.Profile.Coverage, s.Profile.NoData = s.week, s.unknown
	}
}

// presence keeps, for each section, in which hours of the window a patrol was
// in its strip, and in which one may have been.
type presence struct {
	startMS  int64
	hours    int
	sections []sectionPresence
}

// sectionPresence is by hour of the window; nil: never.
type sectionPresence struct{ there, silent []bool }

func newPresence(sections int, asOf time.Time, windowDays float64) *presence {
	hours := int(math.Ceil(windowDays * 24))
	return &presence{
		startMS:  asOf.UnixMilli() - int64(hours)*3_600_000,
		hours:    hours,
		sections: make([]sectionPresence, sections),
	}
}

func (p *presence) add(section int, pass surface.Pass) {
	p.mark(&p.sections[section].there, pass.StartMS, pass.EndMS)
}

func (p *presence) miss(section int, hole surface.Hole) {
	p.mark(&p.sections[section].silent, hole.StartMS, hole.EndMS)
}

func (p *presence) mark(slots *[]bool, startMS, endMS int64) {
	if *slots == nil {
		*slots = make([]bool, p.hours)
	}
	from := max(0, (startMS-p.startMS)/3_600_000)
	to := min(int64(p.hours)-1, (endMS-p.startMS)/3_600_000)
	for h := from; h <= to; h++ {
		(*slots)[h] = true
	}
}

// weeks returns, for a section, the share of each hour of the week in which
// anyone was present, and in which nobody was but a device was silent.
func (p *presence) weeks(section int, zoneH int) (there, silent Week) {
	var n Week
	s := &p.sections[section]
	for h := range p.hours {
		day, hour := weekSlot(p.startMS+int64(h)*3_600_000, zoneH)
		n[day][hour]++
		switch {
		case s.there != nil && s.there[h]:
			there[day][hour]++
		case s.silent != nil && s.silent[h]:
			silent[day][hour]++
		}
	}
	for d := range n {
		for h := range n[d] {
			if n[d][h] > 0 {
				there[d][h] /= n[d][h]
				silent[d][h] /= n[d][h]
			}
		}
	}
	return there, silent
}
