package risk

import (
	"math"
	"slices"
	"sort"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a mean with its 80 % interval.
type Estimate struct {
	Mean float64 `json:"mean"`
	Lo80 float64 `json:"lo80"`
	Hi80 float64 `json:"hi80"`
}

func (e Estimate) times(f float64) Estimate { return Estimate{e.Mean * f, e.Lo80 * f, e.Hi80 * f} }

// Class says what is known of a place and what follows (METHODS section 10).
type Class string

// The classes that this version tells apart.
const (
	Gap               Class = "gap"                 // high residual risk, and known
	BlindSpotPriority Class = "blind_spot_priority" // high residual risk, nobody looked
	BlindSpot         Class = "blind_spot"          // nobody looked: unknown, not safe
	NoReport          Class = "no_report"           // devices were silent: whether anybody looked is not known
	Mismatch          Class = "mismatch"            // one side watched, the other not
	Fading            Class = "fading"              // coverage fell by half
	Quiet             Class = "quiet"               // looked at, low residual risk
)

// Level is a section's level, of four as in EUROSUR (METHODS section 11).
type Level string

// The levels. Critical is only ever set by a person.
const (
	Low      Level = "low"
	Elevated Level = "medium"
	High     Level = "high"
	Critical Level = "critical"
)

// Section is a stretch of border or coast with all that is known of it.
type Section struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Medium    Medium         `json:"medium"`
	Zone      string         `json:"zone,omitempty"`
	Countries []string       `json:"countries"`
	LengthKM  float64        `json:"length_km"`
	Line      orb.LineString `json:"-"`

	Authorities []Authority      `json:"authorities"`
	Agencies    []string         `json:"agencies"`
	Crossing    *NearestCrossing `json:"nearest_crossing"`

	// Incidents is the weight of recorded incidents in the domain of the
	// section, decayed as the model says; AnnualRate what that means a year.
	Incidents  float64  `json:"incidents_weighted"`
	AnnualRate Estimate `json:"incidents_per_year"`
	// Undetected is the expected number of incidents in 30 days that no
	// patrol meets.
	Undetected Estimate `json:"expected_undetected_30d"`

	Cover
	InterceptionPOD float64 `json:"interception_pod"`
	// ReportingRate is the share of incidents that somebody reports.
	ReportingRate ReportingRate `json:"reporting_rate"`

	Class   Class   `json:"class"`
	Also    []Class `json:"also,omitempty"`
	Level   Level   `json:"level_by_index"` // of this assessment alone; see Model.Review
	Index   float64 `json:"index"`
	Profile Profile `json:"profile"`

	expected      bool           // something is on record as far as the hazard looks
	Trend         Trend          `json:"trend"`          // of all incidents
	TrendReported Trend          `json:"trend_reported"` // of those that need no patrol to be known
	CriticalSigns []CriticalSign `json:"critical_signs"`

	reported bool   // someone reported from here in the window
	place    string // that Place returns
}

// Profile is a section's week: weights of incidents with a known hour, and the
// share of hours with a patrol present, by weekday (Monday first) and hour; of
// the others, the share in which a device was silent or out of order.
type Profile struct {
	ZoneHours int  `json:"utc_offset_h"`
	Incidents Week `json:"incidents"`
	Coverage  Week `json:"coverage"`
	NoData    Week `json:"no_data"`
}

// NearestCrossing is the official crossing nearest to the middle of a section.
type NearestCrossing struct {
	Name     string  `json:"name"`
	KM       float64 `json:"km"`
	Verified bool    `json:"verified"` // its position
}

// hazardView is the view that the hazard is made of.
func (a *Assessment) hazardView() View {
	m := a.Model
	return View{AsOf: a.AsOf, WindowDays: m.WindowDays, HalfLifeDays: m.HalfLifeDays, BandwidthM: a.Bandwidth.BandwidthM}
}

// scoreSections gives every section its rate, coverage, class and level.
func (a *Assessment) scoreSections() {
	a.Sections = slices.Clone(a.unscored)
	sums := a.sumHazard()
	if a.hazard.plain() {
		a.estimatePlain(sums)
	} else {
		a.estimate(sums)
	}
	for i := range a.Sections {
		a.Sections[i].ReportingRate = a.Reporting.in(i)
	}
	a.coverSections()
	a.profileIncidents()
	a.classify()
	a.level()
	a.followSections()
}

// describeSections says of each stretch what does not change with incidents
// and patrols.
func (a *Assessment) describeSections() {
	areas := a.in.jurisdictionAreas()
	a.unscored = make([]Section, len(a.stretches))
	for i, s := range a.stretches {
		a.unscored[i] = Section{
			ID: s.id, Name: s.name, Medium: s.medium, Zone: s.zone,
			Countries: append([]string{}, s.countries...), LengthKM: s.lengthKM, Line: s.line,
			Authorities: []Authority{}, Agencies: []string{},
		}
		a.unscored[i].place = a.unscored[i].Place()
		a.unscored[i].assign(areas, 2000)
		a.locate(&a.unscored[i])
	}
}

// dropForeignShores leaves out coasts where neither side has anyone who may
// act: they are another country's.
func (a *Assessment) dropForeignShores() {
	if len(a.in.jurisdictions()) == 0 {
		return
	}
	kept := 0
	for i, s := range a.unscored {
		if s.Zone != "" && len(s.Authorities) == 0 {
			continue
		}
		a.unscored[kept], a.stretches[kept] = s, a.stretches[i]
		kept++
	}
	a.unscored, a.stretches = a.unscored[:kept], a.stretches[:kept]
}

// assign says who may act at the section: on its line, and so far to both sides.
func (s *Section) assign(areas []jurisdiction, offM float64) {
	for _, p := range acrossLine(s.Line, offM) {
		for _, j := range areas {
			if !j.area.Covers(p) {
				continue
			}
			if !slices.Contains(s.Authorities, j.Authority) {
				s.Authorities = append(s.Authorities, j.Authority)
			}
			if !slices.Contains(s.Agencies, j.Agency) {
				s.Agencies = append(s.Agencies, j.Agency)
			}
			if s.Medium == Shore && !slices.Contains(s.Countries, j.Country) {
				s.Countries = append(s.Countries, j.Country)
			}
		}
	}
	sort.Strings(s.Agencies)
	sort.Strings(s.Countries)
}

// locate finds the nearest official crossing and settlement.
func (a *Assessment) locate(s *Section) {
	mid := s.Line[len(s.Line)/2]
	for _, l := range a.in.crossings() {
		hit, found := nearestOfficial(l, mid)
		km := math.Round(hit.DistanceM/100) / 10
		if found && (s.Crossing == nil || km < s.Crossing.KM) {
			verified, _ := l.Value(hit.Row, "verified").(bool)
			s.Crossing = &NearestCrossing{l.Text(hit.Row, "name"), km, verified}
		}
	}
	a.nameByPlace(s, mid)
}

// nameByPlace adds the nearest settlement to a section's name.
func (a *Assessment) nameByPlace(s *Section, mid orb.Point) {
	if places := a.in.places(); places != nil {
		for _, hit := range places.Near(mid, 1) {
			if hit.DistanceM < 60_000 {
				s.Name += ", near " + places.Text(hit.Row, "name")
			}
		}
	}
}

// assignAcross adds who may act on the water before a coast as far as the domain
// goes: in a strait that is the other side, too.
func (a *Assessment) assignAcross() {
	areas := a.in.jurisdictionAreas()
	for i := range a.unscored {
		s := &a.unscored[i]
		for offM := 8000.0; s.Medium == Shore && offM <= a.Model.DomainKM*1000; offM += 8000 {
			s.assign(areas, offM)
		}
	}
}

// acrossLine returns the middle of a line and the places that far to its left
// and right.
func acrossLine(line orb.LineString, metres float64) []orb.Point {
	i := max(1, len(line)/2)
	p, q := line[i-1], line[i]
	mid := orb.Point{(p[0] + q[0]) / 2, (p[1] + q[1]) / 2}
	lonM, latM := geo.MetresPerDegree(mid.Lat())
	dx, dy := (q[0]-p[0])*lonM, (q[1]-p[1])*latM
	length := math.Hypot(dx, dy)
	if length == 0 {
		return []orb.Point{mid}
	}
	ox, oy := -dy/length*metres/lonM, dx/length*metres/latM
	return []orb.Point{mid, {mid[0] + ox, mid[1] + oy}, {mid[0] - ox, mid[1] - oy}}
}

// sectionSums are the hazard over a section's part of the domain.
type sectionSums struct {
	rate       float64 // ∫ λ: incidents a year
	undetected float64 // ∫ λ·(1 - P): of those that no patrol meets
	expected   bool    // something is on record as far as the prior looks
}

// sumHazard adds up the hazard over each section, and its incidents on record.
func (a *Assessment) sumHazard() []sectionSums {
	sums := make([]sectionSums, len(a.Sections))
	const n = surface.BlockSide
	for _, b := range a.domain.nearest.Blocks() {
		owner := a.domain.nearest.Values(b)
		near := a.hazard.near.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		means := a.hazard.tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		far := near
		if !a.hazard.plain() {
			far = a.hazard.far.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		}
		areaM2, row := 0.0, int32(-1)
		for i, v := range means {
			if owner[i].section == 0 {
				continue
			}
			cell := b.Cell(i)
			if cell.Y != row {
				areaM2, row = cell.AreaM2(), cell.Y
			}
			s := &sums[owner[i].section-1]
			section := &a.Sections[owner[i].section-1]
			section.Incidents += near[i] * areaM2
			s.expected = s.expected || !a.hazard.silent(near[i], far[i])
			s.rate += v * areaM2
			s.undetected += v * areaM2 * (1 - a.interception(cell, section.Medium))
		}
	}
	return sums
}

// presenceAt returns the presence of patrols in a cell, faded with age.
func (a *Assessment) presenceAt(c surface.Cell, medium Medium) float64 {
	p := a.Coverage.Cells().At(c).Presence
	if medium == Shore {
		return p[1]
	}
	return p[0]
}

// interception returns the chance that a crossing in the cell meets a patrol.
func (a *Assessment) interception(c surface.Cell, medium Medium) float64 {
	total, _ := a.Coverage.Search(c)
	return surface.InterceptionPOD(total, a.transientH(medium), a.Model.Coverage.WindowDays*24)
}

func (a *Assessment) transientH(medium Medium) float64 {
	if medium == Shore {
		return a.Model.Coverage.TransientHoursSea
	}
	return a.Model.Coverage.TransientHoursLand
}

// estimate turns the sums into rates with intervals: a section's rate has a
// Gamma distribution with the shape of its incidents and the prior's weight,
// widened by what is not known of the prior and of reporting in its middle.
// Source: METHODS section 8.
func (a *Assessment) estimate(sums []sectionSums) {
	quantiles := map[float64]Estimate{} // of shapes at rate 1: many sections share one
	for i := range a.Sections {
		s := &a.Sections[i]
		middle := a.hazardAtCell(surface.CellAt(s.Line[len(s.Line)/2]))
		shape := roundedUp(1 / (1/(a.hazard.weight+s.Incidents) + middle.spread))
		unit, seen := quantiles[shape]
		if !seen {
			unit = gammaEstimate(shape)
			quantiles[shape] = unit
		}
		s.expected = sums[i].expected
		missed := 1 - a.stripInterception(i)
		if sums[i].rate > 0 {
			missed = sums[i].undetected / sums[i].rate
		}
		s.AnnualRate = unit.times(sums[i].rate / shape)
		s.InterceptionPOD = 1 - missed
		s.Undetected = s.AnnualRate.times(periodFactor * missed)
	}
}

// estimatePlain turns recorded incidents into rates. With μ the mean rate per km
// of the sections of one medium, a section of length L with n incidents in T
// years has the rate Gamma(a + n, a/(μL) + T): the average counts as much as a
// incidents. Source: METHODS section 8, with one channel and a fixed shape
// a = Model.PriorShape; kernel weights are too smooth to fit it by moments.
func (a *Assessment) estimatePlain(sums []sectionSums) {
	for _, medium := range []Medium{Land, Shore} {
		mean := a.meanRate(medium)
		for i := range a.Sections {
			s := &a.Sections[i]
			if s.Medium != medium {
				continue
			}
			if mean > 0 {
				unit := gammaEstimate(a.Model.PriorShape + s.Incidents)
				s.AnnualRate = unit.times(1 / (a.Model.PriorShape/(mean*s.LengthKM) + a.exposureY))
			}
			missed := 1 - a.stripInterception(i)
			if s.expected = s.Incidents > 0; s.expected {
				missed = sums[i].undetected / sums[i].rate
			}
			s.InterceptionPOD = 1 - missed
			s.Undetected = s.AnnualRate.times(periodFactor * missed)
		}
	}
}

// meanRate is the rate of all sections of a medium, per km and year.
func (a *Assessment) meanRate(medium Medium) float64 {
	weight, km := 0.0, 0.0
	for _, s := range a.Sections {
		if s.Medium == medium {
			weight += s.Incidents
			km += s.LengthKM
		}
	}
	if km == 0 {
		return 0
	}
	return weight / km / a.exposureY
}

// gammaEstimate returns the mean and the 10 and 90 % quantiles of the Gamma
// distribution of a positive shape and rate 1.
func gammaEstimate(shape float64) Estimate {
	g := distuv.Gamma{Alpha: shape, Beta: 1}
	return Estimate{shape, g.Quantile(0.1), g.Quantile(0.9)}
}

// stripInterception is the mean interception probability of a section's strip.
func (a *Assessment) stripInterception(section int) float64 {
	cells := a.domain.strips[section]
	if len(cells) == 0 {
		return 0
	}
	sum := 0.0
	for _, c := range cells {
		sum += a.interception(c, a.Sections[section].Medium)
	}
	return sum / float64(len(cells))
}

// profileIncidents fills the week of each section, and notes who reports.
func (a *Assessment) profileIncidents() {
	asOf := a.AsOf.UnixMilli()
	from := int64(math.MinInt64 + 1)
	if a.Model.WindowDays > 0 {
		from = asOf - int64(a.Model.WindowDays*86.4e6)
	}
	for _, p := range a.Incidents.parts {
		for i, section := range p.sectionsIn(a.domain) {
			if section < 0 || p.ms[i] == noTime || p.ms[i] > asOf || p.ms[i] < from {
				continue
			}
			s := &a.Sections[section]
			s.reported = s.reported || p.traits[i]&reportedTrait != 0
			if p.traits[i]&hourKnownTrait != 0 {
				day, hour := weekSlot(p.ms[i], s.Profile.ZoneHours)
				s.Profile.Incidents[day][hour]++
			}
		}
	}
}

// classify applies METHODS section 10. The first class that fits is the
// section's; the others are kept beside it.
func (a *Assessment) classify() {
	perKM := make([]float64, len(a.Sections))
	for i, s := range a.Sections {
		perKM[i] = s.Undetected.Mean / s.LengthKM
	}
	top := topBand(perKM, a.Model.TopShare)
	m := a.Model
	for i := range a.Sections {
		s := &a.Sections[i]
		known := s.SearchPOD >= m.KnownPOD || s.reported
		var fits []Class
		if s.silent && !known {
			fits = append(fits, NoReport)
		}
		if perKM[i] >= top && s.expected {
			fits = append(fits, map[bool]Class{true: Gap, false: BlindSpotPriority}[known])
		}
		id, my := s.SearchBySide[surface.Indonesia.String()], s.SearchBySide[surface.Malaysia.String()]
		shared := slices.Contains(s.Countries, surface.Indonesia.String()) && slices.Contains(s.Countries, surface.Malaysia.String())
		if shared && max(id, my) >= m.MismatchHigh && min(id, my) < m.MismatchLow {
			fits = append(fits, Mismatch)
		}
		if !s.silent && s.beforePOD >= m.KnownPOD && s.SearchPOD <= s.beforePOD/2 {
			fits = append(fits, Fading)
		}
		if !known {
			fits = append(fits, BlindSpot)
		}
		fits = append(fits, Quiet)
		s.Class, s.Also = fits[0], fits[1:]
		s.Also = slices.DeleteFunc(slices.Clone(s.Also), func(c Class) bool { return c == Quiet || c == BlindSpot })
	}
}

// topBand returns the value from which a share of the positive values lies.
func topBand(values []float64, share float64) float64 {
	positive := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v <= 0 })
	if len(positive) == 0 {
		return math.Inf(1)
	}
	slices.Sort(positive)
	k := int(math.Floor(float64(len(positive)) * (1 - share)))
	return positive[min(k, len(positive)-1)]
}

// level computes the index I = (T·V·M)^(1/3) of METHODS section 11: threat (the
// upper bound of the rate per km), vulnerability (1 - P, more with every week
// of absence) and impact, each by its rank among the sections. A section never
// visited is as vulnerable as can be; one without records has no impact.
// Critical is not given by the index: a person sets it.
func (a *Assessment) level() {
	n := len(a.Sections)
	threat, open, impact := make([]float64, n), make([]float64, n), make([]float64, n)
	harm := a.SectionSeverity()
	for i, s := range a.Sections {
		threat[i] = s.AnnualRate.Hi80 / s.LengthKM
		weeks := a.Model.Coverage.WindowDays / 7
		if s.DaysSince != nil {
			weeks = min(weeks, *s.DaysSince/7)
		}
		open[i] = 1 - s.SearchPOD + 0.1*weeks
		impact[i] = harm[i]
	}
	t, v, m := sharesBelow(threat), sharesNotAbove(open), sharesBelow(impact)
	for i := range a.Sections {
		s := &a.Sections[i]
		s.Index = math.Cbrt(t[i] * v[i] * m[i])
		switch {
		case s.Index < a.Model.LevelCuts[0]:
			s.Level = Low
		case s.Index < a.Model.LevelCuts[1]:
			s.Level = Elevated
		default:
			s.Level = High
		}
	}
}

// SectionSeverity is the mean severity weight of each section's records, in the
// order of Sections; 0 where there are none.
func (a *Assessment) SectionSeverity() []float64 {
	sum, n := make([]float64, len(a.Sections)), make([]float64, len(a.Sections))
	for _, p := range a.Incidents.parts {
		weight := make([]float64, len(p.kinds))
		for k, kind := range p.kinds {
			weight[k] = a.Model.Severity.Weight(kind)
		}
		for i, section := range p.sectionsIn(a.domain) {
			if section >= 0 {
				sum[section] += weight[p.kind[i]]
				n[section]++
			}
		}
	}
	for i := range sum {
		if n[i] > 0 {
			sum[i] /= n[i]
		}
	}
	return sum
}

// sharesBelow returns, for each value, the share of the others that are
// smaller: the least has 0.
func sharesBelow(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(values))
	for i, v := range values {
		k, _ := slices.BinarySearch(sorted, v)
		out[i] = float64(k) / max(1, float64(len(values)-1))
	}
	return out
}

// sharesNotAbove returns the share of the others that are not larger: all that
// share the greatest value have 1.
func sharesNotAbove(values []float64) []float64 {
	negated := make([]float64, len(values))
	for i, v := range values {
		negated[i] = -v
	}
	out := sharesBelow(negated)
	for i := range out {
		out[i] = 1 - out[i]
	}
	return out
}
