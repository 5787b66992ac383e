package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// GapRow is one line of the patrol-gap report.
type GapRow struct {
	Rank    int
	Section Section
	Hours   []HourSpan // of the week without any patrol, and without any doubt of that
	Effect  Effect
	Share   float64 // of the undetected incidents of all sections

	at int // in Assessment.Sections
}

// HourSpan is a run of hours on a weekday, in the section's zone; From and To
// are 0 to 24.
type HourSpan struct {
	Weekday string `json:"weekday"` // mon … sun
	From    int    `json:"from"`
	To      int    `json:"to"`
}

// Effect is what one patrol along the section would change.
type Effect struct {
	Mode           string  `json:"mode"`
	TrackKM        float64 `json:"track_km"`
	SearchBefore   float64 `json:"search_coverage_before"`
	SearchAfter    float64 `json:"search_coverage_after"`
	ResidualBefore float64 `json:"residual_30d_before"`
	ResidualAfter  float64 `json:"residual_30d_after"`
}

// GapFilter narrows the report; zero values narrow nothing.
type GapFilter struct {
	Country, Agency string
	MinLevel        Level
	Limit           int
	// LevelOf tells the level that a section has beside the index, by
	// agreement; nil: Section.Level.
	LevelOf func(Section) Level
}

func (f GapFilter) levelOf(s Section) Level {
	if f.LevelOf == nil {
		return s.Level
	}
	return f.LevelOf(s)
}

// Gaps ranks the sections that want a patrol by their residual risk: gaps,
// blind spots where risk is expected, mismatches, fading coverage, and those where
// devices were silent.
func (a *Assessment) Gaps(f GapFilter) []GapRow {
	var rows []GapRow
	total := 0.0
	for i, s := range a.Sections {
		total += s.Undetected.Mean
		if s.Class != Quiet && s.Class != BlindSpot {
			rows = append(rows, GapRow{Section: s, at: i})
		}
	}
	slices.SortFunc(rows, func(x, y GapRow) int {
		return cmp.Or(-cmp.Compare(x.Section.Undetected.Mean, y.Section.Undetected.Mean),
			cmp.Compare(x.Section.ID, y.Section.ID))
	})
	for i := range rows {
		rows[i].Rank = i + 1
	}
	rows = slices.DeleteFunc(rows, func(r GapRow) bool { return !f.keeps(r.Section) })
	if f.Limit > 0 && len(rows) > f.Limit {
		rows = rows[:f.Limit]
	}
	for i := range rows {
		s := rows[i].Section
		rows[i].Hours = uncovered(s.Profile)
		rows[i].Effect = a.effectOfOnePatrol(rows[i].at)
		if total > 0 {
			rows[i].Share = s.Undetected.Mean / total
		}
	}
	return rows
}

func (f GapFilter) keeps(s Section) bool {
	return (f.Country == "" || slices.Contains(s.Countries, f.Country)) &&
		(f.Agency == "" || slices.Contains(s.Agencies, f.Agency)) &&
		(f.MinLevel == "" || levelRank(f.levelOf(s)) >= levelRank(f.MinLevel))
}

func levelRank(l Level) int { return slices.Index([]Level{Low, Elevated, High, Critical}, l) }

// ParseLevel finds a level by its name.
func ParseLevel(s string) (Level, bool) { return Level(s), levelRank(Level(s)) >= 0 }

var weekdays = [7]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// uncovered lists the hours in which nobody was present; an hour in which a
// device was silent is none, for one may have been.
func uncovered(p Profile) []HourSpan {
	out := []HourSpan{}
	open := func(d, h int) bool { return p.Coverage[d][h] == 0 && p.NoData[d][h] == 0 }
	for d := range p.Coverage {
		for h := 0; h < 24; {
			if !open(d, h) {
				h++
				continue
			}
			from := h
			for h < 24 && open(d, h) {
				h++
			}
			out = append(out, HourSpan{weekdays[d], from, h})
		}
	}
	return out
}

// effectOfOnePatrol adds one pass along the whole line, by day, on foot on
// land and by sea boat on the coast.
func (a *Assessment) effectOfOnePatrol(section int) Effect {
	s := a.Sections[section]
	e := Effect{Mode: "foot", TrackKM: s.LengthKM, SearchBefore: s.SearchPOD, ResidualBefore: s.Undetected.Mean}
	if s.Medium == Shore {
		e.Mode = "sea_boat"
	}
	area := 0.0
	for _, c := range a.domain.strips[section] {
		area += c.AreaM2()
	}
	added := 0.0
	if area > 0 {
		added = a.Model.Coverage.Width(e.Mode, 12) * s.LengthKM * 1000 / area
	}
	e.SearchAfter = 1 - (1-s.SearchPOD)*(1-a.Model.Coverage.POD(added))
	met := surface.InterceptionPOD(added, a.transientH(s.Medium), a.Model.Coverage.WindowDays*24)
	e.ResidualAfter = e.ResidualBefore * (1 - met)
	return e
}

// Annex is what the report says of the data behind it.
type Annex struct {
	Bandwidth          surface.Choice `json:"bandwidth"` // which, by what rule, and why
	Smoothing          Smoothing      `json:"smoothing"` // the same, with the range of adaptive bandwidths
	Access             *Access        `json:"access"`    // how the hazard depends on how a place can be reached
	Reporting          *Reporting     `json:"reporting"` // what share of incidents somebody reports
	Incidents          int            `json:"incidents"`
	Undated            int            `json:"incidents_undated"`
	OutsideWindow      int            `json:"incidents_outside_window"`
	ExcludedByKind     int            `json:"incidents_excluded_by_kind"`
	MedianPrecisionM   float64        `json:"median_location_precision_m"`
	ShareWithoutHour   float64        `json:"share_without_hour"`
	ShareWithoutTime   float64        `json:"share_without_time"`               // of any kind
	SharePrecise       float64        `json:"share_precision_within_bandwidth"` // of records that state a precision
	WithoutPrecision   int            `json:"incidents_without_precision"`
	PossibleDuplicates int            `json:"possible_duplicates"`
	ShareDuplicates    float64        `json:"share_possible_duplicates"`
	Feeds              []Feed         `json:"feeds"`
	SilentFeeds        int            `json:"feeds_silent"`
	Missing            []Missing      `json:"missing"`
	NoJurisdiction     int            `json:"sections_without_jurisdiction"`
	CoverageAsOf       time.Time      `json:"coverage_as_of"` // the next full hour
	Tracks             int            `json:"patrol_tracks"`
	TrackKM            float64        `json:"patrol_track_km"`
	UntimedTracks      int            `json:"patrol_tracks_without_times"`
	OversizedPosts     int            `json:"posts_too_large"`
	SilentLegs         int            `json:"track_legs_silent"`
	JumpLegs           int            `json:"track_legs_jumping"`
	Outages            int            `json:"device_outages"`
	NoDataHours        float64        `json:"track_hours_no_data"` // of outages too
	NoDataCells        int            `json:"cells_no_data"`
	SeenKM2            float64        `json:"swath_merged_km2"`
	SeenUnmergedKM2    float64        `json:"swath_unmerged_km2"`
	Effort             []AgencyKM2    `json:"swept_by_agency"`
	Posts              int            `json:"posts"`
	LatestIncident     *time.Time     `json:"latest_incident"`
	LatestPresence     *time.Time     `json:"latest_presence"`
	BorderKM           float64        `json:"border_km"`
	BlindKM            float64        `json:"border_km_blind"`
	ShareBlind         float64        `json:"share_of_border_blind"`
	Classes            map[Class]int  `json:"sections_by_class"`
	Synthetic          []string       `json:"synthetic_layers"`
	ExposureYears      float64        `json:"exposure_years"`
	Sources            []InputDigest  `json:"inputs"`
}

// Annex describes the quality of the data that went in. It is made once and
// must not be changed.
func (a *Assessment) Annex() Annex { return a.annex() }

func (a *Assessment) describeData() Annex {
	c := a.Coverage
	x := Annex{
		Incidents: a.Incidents.Len(), Undated: a.Incidents.Undated, ExcludedByKind: a.Incidents.Excluded,
		Tracks: c.Tracks, TrackKM: c.LengthM / 1000, UntimedTracks: c.Untimed,
		OversizedPosts: c.Oversized, SilentLegs: c.SilentLegs, JumpLegs: c.Jumps, Posts: c.Posts,
		Classes: map[Class]int{}, Synthetic: []string{}, ExposureYears: a.exposureY, Sources: a.Inputs,
	}
	a.describeRecords(&x)
	a.describeEffort(&x)
	var last int64
	c.Cells().Each(func(_ surface.Cell, e *surface.Effort) {
		for _, ms := range e.LastMS {
			last = max(last, ms)
		}
	})
	x.LatestPresence = instant(last)
	x.Bandwidth = a.Bandwidth
	x.Bandwidth.Candidates = nil // the model's business, not the reader's
	x.Smoothing, x.Access, x.Reporting = a.Smoothing, a.Access, a.Reporting
	x.LatestIncident = instant(a.Incidents.LatestMS)
	for _, s := range a.Sections {
		x.Classes[s.Class]++
		x.BorderKM += s.LengthKM
		if len(s.Authorities) == 0 {
			x.NoJurisdiction++
		}
		if s.Class == BlindSpot || s.Class == BlindSpotPriority || s.Class == NoReport {
			x.BlindKM += s.LengthKM
		}
	}
	if x.BorderKM > 0 {
		x.ShareBlind = x.BlindKM / x.BorderKM
	}
	for _, l := range a.in.Layers {
		if l.Info.Synthetic && l.Len() > 0 {
			x.Synthetic = append(x.Synthetic, l.Info.ID)
		}
	}
	x.Feeds = a.feeds()
	for _, f := range x.Feeds {
		if f.Silent {
			x.SilentFeeds++
		}
	}
	x.Missing = a.missing(x)
	if len(a.in.Spread) > 0 {
		x.generalise()
	}
	return x
}

func (a *Assessment) describeEffort(x *Annex) {
	c := a.Coverage
	x.CoverageAsOf, x.Outages = c.AsOf, c.Outages
	x.NoDataHours, x.NoDataCells = c.NoDataS/3600, c.NoDataCells()
	seen := c.TotalSwath()
	x.SeenKM2, x.SeenUnmergedKM2 = seen.MergedM2/1e6, seen.UnmergedM2/1e6
	x.Effort = []AgencyKM2{}
	for _, e := range c.Agencies() {
		x.Effort = append(x.Effort, AgencyKM2{e.Side.String(), e.Agency, e.SweptM2 / 1e6})
	}
}

func instant(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}

// describeRecords counts what the annex says of incident records. Records of
// the same kind, day and place are possible duplicates.
func (a *Assessment) describeRecords(x *Annex) {
	type same struct {
		kind     string
		day      int64
		lon, lat float64
	}
	seen := map[same]bool{}
	var precision []float64
	withoutHour := 0
	asOf := a.AsOf.UnixMilli()
	from := asOf - int64(a.Model.WindowDays*86.4e6)
	for _, p := range a.Incidents.parts {
		for i, row := range p.rows {
			at, _ := p.layer.Point(int(row))
			if v := p.layer.Number(int(row), "location_precision_m"); v > 0 {
				precision = append(precision, v)
			}
			if p.traits[i]&hourKnownTrait == 0 {
				withoutHour++
			}
			ms := p.ms[i]
			if ms == noTime {
				continue
			}
			if ms > asOf || (a.Model.WindowDays > 0 && ms < from) {
				x.OutsideWindow++
			}
			k := same{p.kinds[p.kind[i]], ms / 86_400_000, at[0], at[1]}
			if seen[k] {
				x.PossibleDuplicates++
			}
			seen[k] = true
		}
	}
	if len(precision) > 0 {
		slices.Sort(precision)
		x.MedianPrecisionM = precision[len(precision)/2]
		beyond, _ := slices.BinarySearch(precision, math.Nextafter(a.Bandwidth.BandwidthM, math.Inf(1)))
		x.SharePrecise = float64(beyond) / float64(len(precision))
	}
	if n := float64(a.Incidents.n); n > 0 {
		x.WithoutPrecision = a.Incidents.n - len(precision)
		x.ShareWithoutHour = float64(withoutHour) / n
		x.ShareWithoutTime = float64(a.Incidents.Undated) / n
		x.ShareDuplicates = float64(x.PossibleDuplicates) / n
	}
}

// Section finds a section by its identifier.
func (a *Assessment) Section(id string) (Section, bool) {
	for _, s := range a.Sections {
		if s.ID == id {
			return s, true
		}
	}
	return Section{}, false
}

// Layers returns the layers that went in.
func (a *Assessment) Layers() []*geo.Layer { return a.in.Layers }
