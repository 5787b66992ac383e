package risk

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Model is every parameter of an assessment. It is data: versioned, printed in
// every report, changed through the API. DefaultModel says where the defaults
// come from.
type Model struct {
	Version string `json:"version"` // a name for this set of values

	Kernel     surface.Kernel `json:"kernel"`
	BandwidthM float64        `json:"bandwidth_m"`
	// BandwidthRule chooses the bandwidth from the incidents: scott, cv or
	// diggle; fixed takes BandwidthM. The report says which, and why.
	BandwidthRule surface.Rule `json:"bandwidth_rule"`
	// AdaptiveBandwidth gives each incident a bandwidth of its own, Abramson's:
	// narrow where incidents are many, wide where they are few, from a third to
	// three times the one above; false, and with more than 300,000 incidents:
	// all have that one. METHODS section 2.
	AdaptiveBandwidth bool `json:"adaptive_bandwidth"`
	// Smoothing is what a kernel does at a coast, as the layer land draws it:
	// none (and ""): goes over it; edge: keeps its mass on the incident's side;
	// barrier: also reaches only what a path on that side does, within the
	// bandwidth. METHODS section 2.
	Smoothing surface.Smoothing `json:"smoothing"`
	// HotSpots are the parameters of the hot-spot test.
	HotSpots HotSpotModel `json:"hotspots"`
	// DensityWindowDays is how far back the density surface looks; 0: all
	// records, undated ones included.
	DensityWindowDays float64 `json:"density_window_days"`
	// WindowDays is how far back the hazard looks; 0: to the first record.
	WindowDays float64 `json:"window_days"`
	// HalfLifeDays halves the weight of an incident each time; 0: no decay.
	HalfLifeDays float64 `json:"half_life_days"`

	// Kinds are the kinds of incident that count; empty: all but the excluded.
	Kinds []string `json:"kinds"`

	SeverityWeighted bool              `json:"severity_weighted"` // false: each incident counts one
	Severity         geo.SeverityTable `json:"severity"`
	// ExcludedKinds never enter a surface: they tell of enforcement or of
	// aggregates, not of where people cross.
	ExcludedKinds []string `json:"excluded_kinds"`

	Hazard HazardModel `json:"hazard"`

	Coverage surface.CoverageModel `json:"coverage"`

	SectionKM float64 `json:"section_km"` // length that border and coast are cut to
	DomainKM  float64 `json:"domain_km"`  // how far from the line a section's incidents count
	StripKM   float64 `json:"strip_km"`   // how far from the line its coverage is looked at
	// BorderCountries picks the boundary lines that make land sections;
	// lines without a property countries always do.
	BorderCountries string  `json:"border_countries"`
	Coasts          []Coast `json:"coasts"`

	// PriorShape is the shape of the Gamma distribution of the sections'
	// rates: how much the average weighs, in incidents.
	PriorShape float64 `json:"prior_shape"`
	// KnownPOD is the search coverage from which a place counts as known.
	KnownPOD float64 `json:"known_pod"`
	// TopShare of the sections, by residual risk per km, are the top band.
	TopShare float64 `json:"top_share"`
	// MismatchHigh and MismatchLow: one side's search coverage at least the
	// first, the other's below the second.
	MismatchHigh float64 `json:"mismatch_high_pod"`
	MismatchLow  float64 `json:"mismatch_low_pod"`
	// LevelCuts are the index values where medium, high and the upper part of
	// high begin; critical is proposed from Levels.CriticalIndex.
	LevelCuts [3]float64 `json:"level_cuts"`
	// Levels say when the level of a section is proposed to rise and fall.
	Levels LevelModel `json:"levels"`
	// Responses are what each level asks for.
	Responses ResponseModel `json:"responses"`
	// TrendLeast is the number of incidents in 24 months below which a
	// section's trend is not judged.
	TrendLeast int `json:"trend_least_incidents"`
	// CrossingRadiusM is how far from a crossing its incidents are.
	CrossingRadiusM float64 `json:"crossing_radius_m"`
}

// Coast names a stretch of coast or strait by its box, in degrees.
type Coast struct {
	Name  string  `json:"name"`
	West  float64 `json:"west"`
	South float64 `json:"south"`
	East  float64 `json:"east"`
	North float64 `json:"north"`
}

// DefaultModel returns the defaults: kernel and bandwidth as in METHODS
// section 2, half-life and window of section 4 and its replay, coverage of
// section 6, classes of section 10, levels of section 11.
func DefaultModel() Model {
	return Model{
		Version:       "default-1",
		Kernel:        surface.Quartic,
		BandwidthM:    5000,
		BandwidthRule: surface.RuleFixed,
		Smoothing:     surface.SmoothNone,
		HotSpots:      HotSpotModel{CellLevel: 13, BandM: 25_000, LeastIncidents: 30},
		WindowDays:    1096,
		HalfLifeDays:  365,
		Severity:      geo.DefaultSeverityTable(),
		Kinds:         []string{},
		ExcludedKinds: []string{"ret.deportation_arrival", "agg.statistic"},
		Hazard: HazardModel{Correction: CorrectEffort, Access: AccessFitted, Reporting: ReportingFitted, ReportingRate: 0.15, ReportingCV: 0.45, ReportingBandwidthM: 40_000, MostPerFound: 100,
			PriorBandwidthM: 35_000, PriorWeight: 4},
		Coverage:  surface.DefaultCoverageModel(),
		SectionKM: 10, DomainKM: 25, StripKM: 2.5,
		BorderCountries: "IDN-MYS",
		Coasts: []Coast{
			{"Singapore Strait and Riau Islands", 103.25, 0.5, 105.0, 1.55},
			{"Johor", 103.3, 1.2, 104.7, 2.8},
			{"Malacca Strait", 98.8, 0.9, 103.5, 4.7},
			{"Natuna and Anambas", 105.3, 2.3, 108.6, 4.9},
			{"West Borneo", 108.8, 0.9, 110.6, 2.2},
			{"North-east Borneo", 117.2, 3.0, 119.2, 5.2},
		},
		PriorShape: 0.1, KnownPOD: 0.05, TopShare: 0.2,
		MismatchHigh: 0.3, MismatchLow: 0.05,
		LevelCuts: [3]float64{0.25, 0.5, 0.75}, Levels: defaultLevelModel(), Responses: defaultResponses(),
		TrendLeast: 20, CrossingRadiusM: 5000,
	}
}

// longestDays is a century; bandwidths run from a house to a sea.
const (
	longestDays     = 36525.0
	leastBandwidthM = 10.0
	mostBandwidthM  = 200_000.0
)

// Span reports whether a number of days can be a window or a half-life: 0, or
// a day to a century.
func Span(days float64) bool { return days == 0 || days >= 1 && days <= longestDays }

// Validate reports every parameter that cannot be used.
func (m Model) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	_, kernelErr := surface.ParseKernel(string(m.Kernel))
	check(kernelErr == nil, "kernel: %v", kernelErr)
	_, ruleErr := surface.ParseRule(string(m.BandwidthRule))
	check(ruleErr == nil, "bandwidth_rule: %v", ruleErr)
	check(m.BandwidthM >= leastBandwidthM && m.BandwidthM <= mostBandwidthM, "bandwidth_m is %g: use %g to %g", m.BandwidthM, leastBandwidthM, mostBandwidthM)
	_, smoothingErr := surface.ParseSmoothing(string(m.Smoothing))
	check(smoothingErr == nil, "smoothing: %v", smoothingErr)
	errs = append(errs, slices.Concat(m.HotSpots.validate(), m.Responses.validate())...)
	check(m.Version != "" && len(m.Version) <= 100, "version is %q: give these values a name of at most 100 characters", m.Version)
	check(Span(m.DensityWindowDays), "density_window_days is %g: use 0 (all records) or 1 to %g", m.DensityWindowDays, longestDays)
	check(Span(m.WindowDays), "window_days is %g: use 0 (to the first record) or 1 to %g", m.WindowDays, longestDays)
	check(Span(m.HalfLifeDays), "half_life_days is %g: use 0 (no decay) or 1 to %g", m.HalfLifeDays, longestDays)
	for kind, w := range m.Severity.Weights {
		check(w >= 0 && w <= 1000, "severity.weights.%s is %g: use 0 to 1000", kind, w)
	}
	check(m.Severity.Default >= 0 && m.Severity.Default <= 1000, "severity.default is %g: use 0 to 1000", m.Severity.Default)
	check(len(m.Coasts) <= 100, "%d coasts: use at most 100", len(m.Coasts))
	check(m.SectionKM >= 1 && m.SectionKM <= 1000, "section_km is %g: use 1 to 1000", m.SectionKM)
	check(m.DomainKM >= 1 && m.DomainKM <= 100, "domain_km is %g: use 1 to 100", m.DomainKM)
	check(isPair(m.BorderCountries), "border_countries is %q: use two codes of three letters such as IDN-MYS", m.BorderCountries)
	check(m.StripKM > 0 && m.StripKM <= m.DomainKM, "strip_km is %g: use more than 0 and at most domain_km", m.StripKM)
	check(m.PriorShape >= 0.05 && m.PriorShape <= 10, "prior_shape is %g: use 0.05 to 10", m.PriorShape)
	check(m.KnownPOD > 0 && m.KnownPOD < 1, "known_pod is %g: use a value between 0 and 1", m.KnownPOD)
	check(m.TopShare > 0 && m.TopShare <= 1, "top_share is %g: use more than 0 and at most 1", m.TopShare)
	check(m.MismatchLow >= 0 && m.MismatchLow < m.MismatchHigh && m.MismatchHigh <= 1,
		"mismatch_low_pod %g and mismatch_high_pod %g: use 0 to 1, the first below the second", m.MismatchLow, m.MismatchHigh)
	check(m.LevelCuts[0] > 0 && m.LevelCuts[0] < m.LevelCuts[1] && m.LevelCuts[1] < m.LevelCuts[2] && m.LevelCuts[2] <= 1,
		"level_cuts are %v: use three numbers above 0 that rise to 1 at most, as the index does", m.LevelCuts)
	errs = append(errs, m.Hazard.validate()...)
	errs = append(errs, m.Levels.validate()...)
	check(m.TrendLeast >= 1, "trend_least_incidents is %d: use 1 or more", m.TrendLeast)
	check(m.CrossingRadiusM >= 100 && m.CrossingRadiusM <= 50_000, "crossing_radius_m is %g: use 100 to 50000", m.CrossingRadiusM)
	errs = append(errs, m.validateCoverage()...)
	for _, c := range m.Coasts {
		check(c.West >= -180 && c.West < c.East && c.East <= 180 && c.South >= -90 && c.South < c.North && c.North <= 90 && c.Name != "",
			"coast %q: give a name, and a box in degrees with west below east and south below north", c.Name)
	}
	return errors.Join(errs...)
}

// isPair reports whether a text names two countries, as boundary layers do.
func isPair(text string) bool {
	a, b, ok := strings.Cut(text, "-")
	capitals := func(s string) bool { return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }
	return ok && capitals(a) && capitals(b) && a != b
}

func (m Model) validateCoverage() (errs []error) {
	c := m.Coverage
	for _, p := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"window_days", c.WindowDays, 1, 3653},
		{"presence_half_life_land_d", c.PresenceDaysLand, 0.01, longestDays},
		{"presence_half_life_water_d", c.PresenceDaysSea, 0.01, longestDays},
		{"transient_hours_land", c.TransientHoursLand, 0.01, 8766},
		{"transient_hours_water", c.TransientHoursSea, 0.01, 8766},
		{"max_silence_min", c.MaxSilenceMin, 0.1, 14400},
		{"max_speed_ms", c.MaxSpeedMS, 0.1, 1000},
		{"post_radius_m", c.PostRadiusM, 1, 100_000},
		{"post_sweeps_per_hour", c.PostSweepsPerHour, 0, 3600},
		{"still_m", c.StillM, 0, 1000},
		{"fatigue", c.Fatigue, 0, 1},
	} {
		if !(p.v >= p.lo && p.v <= p.hi) {
			errs = append(errs, fmt.Errorf("coverage.%s is %g: use %g to %g", p.name, p.v, p.lo, p.hi))
		}
	}
	if len(c.SweepWidths) == 0 {
		errs = append(errs, errors.New("coverage.sweep_widths is empty: give at least one; without any no patrol sees anything"))
	}
	for _, w := range c.SweepWidths {
		if !(w.LowM >= 0 && w.LowM <= w.MidM && w.MidM <= w.HighM && w.HighM <= 100_000 && w.Night >= 0 && w.Night <= 1) {
			errs = append(errs, fmt.Errorf("coverage.sweep_widths %q: use 0 <= low_m <= mid_m <= high_m <= 100000 and night from 0 to 1", w.Mode))
		}
		if w.Target != "" && !slices.Contains(surface.Targets(), w.Target) || w.Terrain != "" && !slices.Contains(surface.Terrains(), w.Terrain) {
			errs = append(errs, fmt.Errorf("coverage.sweep_widths %q: use a target of %s and a terrain of %s, or none", w.Mode,
				strings.Join(surface.Targets(), ", "), strings.Join(surface.Terrains(), ", ")))
		}
	}
	for _, w := range c.Weather {
		if !(w.WindOverKT >= 0 && w.SeaFromFT >= 0 && w.Small >= 0 && w.Small <= 1 && w.Other >= 0 && w.Other <= 1) {
			errs = append(errs, errors.New("coverage.weather: use wind_over_kt and sea_from_ft from 0, small and other from 0 to 1"))
		}
	}
	if !slices.Contains([]string{"", surface.RandomLaw, surface.ParallelLaw}, c.PODLaw) {
		errs = append(errs, fmt.Errorf("coverage.pod_law is %q: use random or parallel", c.PODLaw))
	}
	return errs
}
