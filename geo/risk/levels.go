package risk

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"
)

// LevelModel says when a section's level is proposed to change (METHODS
// section 11). The cuts of the index are Model.LevelCuts.
type LevelModel struct {
	// Hysteresis is how far the index must be below a level's cut to fall.
	Hysteresis float64 `json:"hysteresis"`
	// ReviewsToFall is in how many reviews, one after the other, it must be.
	ReviewsToFall int `json:"reviews_to_fall"`
	// CriticalIndex is the index from which critical can be proposed, where a
	// sign of the last RecentDays days asks for it.
	CriticalIndex float64 `json:"critical_index"`
	RecentDays    float64 `json:"recent_days"`
	// MassPersons in one incident are a mass event.
	MassPersons float64 `json:"mass_persons"`
	// DoublingLeast is the number of incidents in the last RecentDays days
	// below which twice as many as before say nothing.
	DoublingLeast int `json:"doubling_least_incidents"`
}

func defaultLevelModel() LevelModel {
	return LevelModel{Hysteresis: 0.05, ReviewsToFall: 2, CriticalIndex: 0.9, RecentDays: 30, MassPersons: 10, DoublingLeast: 6}
}

func (m LevelModel) validate() (errs []error) {
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(m.Hysteresis >= 0 && m.Hysteresis < 0.5, "levels.hysteresis is %g: use 0 to less than 0.5", m.Hysteresis)
	check(m.ReviewsToFall >= 1 && m.ReviewsToFall <= 100, "levels.reviews_to_fall is %d: use 1 to 100", m.ReviewsToFall)
	check(m.CriticalIndex > 0 && m.CriticalIndex <= 1, "levels.critical_index is %g: use more than 0 and at most 1", m.CriticalIndex)
	check(m.RecentDays >= 1 && m.RecentDays <= 366, "levels.recent_days is %g: use 1 to 366", m.RecentDays)
	check(m.MassPersons >= 1, "levels.mass_persons is %g: use 1 or more", m.MassPersons)
	check(m.DoublingLeast >= 2, "levels.doubling_least_incidents is %d: use 2 or more", m.DoublingLeast)
	return errs
}

// CriticalSign is what asks for the level critical, beside the index.
type CriticalSign string

// The signs, of the last LevelModel.RecentDays days.
const (
	DeathSign    CriticalSign = "death"
	MassSign     CriticalSign = "mass_event"
	DoublingSign CriticalSign = "doubling"
)

// LevelMemory is what one review of a section leaves to the next. The zero
// value is that of a section never reviewed.
type LevelMemory struct {
	Proposed Level `json:"proposed"`
	// ReviewedOn is the day (UTC) that the last review speaks of.
	ReviewedOn string `json:"reviewed_on"`
	// Below counts the reviews, one after the other, that found the index
	// below the proposed level; LowerTo is the highest level that they found.
	Below   int   `json:"below,omitempty"`
	LowerTo Level `json:"lower_to,omitempty"`
	// Model is the version of the model of the last review; another's reviews
	// are not gone by.
	Model string `json:"model,omitempty"`
}

// Review returns the level proposed for a section. It rises as soon as the
// index reaches a cut. It falls when the index was below the cut by more than
// the hysteresis in LevelModel.ReviewsToFall reviews one after the other, to
// the highest level that any of them found. A review is the first assessment
// that speaks of a new day (UTC); later ones of that day can only raise.
// Source: METHODS section 11.
func (m Model) Review(before LevelMemory, s Section, asOf time.Time) LevelMemory {
	day := asOf.UTC().Format(time.DateOnly)
	up := m.levelFor(s, 0)
	if before.Model != "" && before.Model != m.Version {
		return LevelMemory{Proposed: up, ReviewedOn: day, Model: m.Version}
	}
	before.Model = m.Version
	if before.Proposed == "" || levelRank(up) > levelRank(before.Proposed) {
		return LevelMemory{Proposed: up, ReviewedOn: max(day, before.ReviewedOn), Model: m.Version}
	}
	if day <= before.ReviewedOn {
		return before
	}
	after := before
	after.ReviewedOn = day
	down := m.levelFor(s, m.Levels.Hysteresis)
	if levelRank(down) >= levelRank(before.Proposed) {
		after.Below, after.LowerTo = 0, ""
		return after
	}
	after.Below++
	if levelRank(down) > levelRank(after.LowerTo) {
		after.LowerTo = down
	}
	if after.Below >= m.Levels.ReviewsToFall {
		after.Proposed, after.Below, after.LowerTo = after.LowerTo, 0, ""
	}
	return after
}

// levelFor is the level of a section's index and signs with cuts lower by slack.
func (m Model) levelFor(s Section, slack float64) Level {
	switch {
	case s.Index >= m.Levels.CriticalIndex-slack && len(s.CriticalSigns) > 0:
		return Critical
	case s.Index >= m.LevelCuts[1]-slack:
		return High
	case s.Index >= m.LevelCuts[0]-slack:
		return Elevated
	}
	return Low
}

// Levels lists the levels from the lowest.
func Levels() []Level { return []Level{Low, Elevated, High, Critical} }

// Place names the line that a section runs along, whatever its number: what is
// remembered of it holds as long as the line is the same.
func (s Section) Place() string {
	if s.place != "" {
		return s.place
	}
	return digest(orb.Round(s.Line.Clone(), 1e5))
}

// InsufficientKnowledge reports whether more than half of the section's strip
// was not seen in the window: its level says little.
func (s Section) InsufficientKnowledge() bool { return s.PercentBlind > 50 }

// recent counts what signs of a crisis are made of.
type recent struct {
	now, before int // incidents in the last days, and in as many before
	death, mass bool
}

func (r recent) signs(m LevelModel) []CriticalSign {
	out := []CriticalSign{}
	if r.death {
		out = append(out, DeathSign)
	}
	if r.mass {
		out = append(out, MassSign)
	}
	if r.now >= m.DoublingLeast && r.now >= 2*r.before {
		out = append(out, DoublingSign)
	}
	return out
}

// followSections gives every section its trend and its signs of a crisis.
func (a *Assessment) followSections() {
	asOf := a.AsOf.UnixMilli()
	recentMS := int64(a.Model.Levels.RecentDays * 86.4e6)
	states := make([]recent, len(a.Sections))
	all, reported := a.newSeries(), a.newSeries()
	for _, p := range a.Incidents.parts {
		for i, section := range p.sectionsIn(a.domain) {
			age := asOf - p.ms[i]
			if section < 0 || p.ms[i] == noTime || age < 0 {
				continue
			}
			all.add(section, age)
			if p.traits[i]&reportedTrait != 0 {
				reported.add(section, age)
			}
			switch r := &states[section]; {
			case age < recentMS:
				r.now++
				p.look(i, r, a.Model.Levels)
			case age < 2*recentMS:
				r.before++
			}
		}
	}
	for i := range a.Sections {
		s := &a.Sections[i]
		s.CriticalSigns = states[i].signs(a.Model.Levels)
		s.Trend, s.TrendReported = all.trend(i, a.Model.TrendLeast), reported.trend(i, a.Model.TrendLeast)
	}
}

// look notes a death or a mass event of a record.
func (p *recordPart) look(i int, r *recent, m LevelModel) {
	row := int(p.rows[i])
	r.death = r.death || p.layer.Number(row, "deaths") > 0 || p.kinds[p.kind[i]] == "res.recovered_body"
	r.mass = r.mass || leastOf(p.layer.Value(row, "persons_total")) >= m.MassPersons
}

// leastOf is the least number that a count or a band such as 10-19 or 50+
// stands for; 0 for anything else.
func leastOf(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		n := 0.0
		if _, err := fmt.Sscanf(v, "%f", &n); err == nil && !math.IsNaN(n) {
			return n
		}
	}
	return 0
}
