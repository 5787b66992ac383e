package surface

import (
	"math"
	"slices"
)

// SweepWidth is the effective sweep width of one mode of patrol, by default
// against small parties and small craft: twice the lateral range at which as
// many are missed inside as are seen outside. Low, Mid and High bracket what
// is not known. A row with a target or a terrain serves only tracks that state
// it.
type SweepWidth struct {
	Mode    string  `json:"mode"`
	LowM    float64 `json:"low_m"`
	MidM    float64 `json:"mid_m"`
	HighM   float64 `json:"high_m"`
	Night   float64 `json:"night"`             // factor between 18 and 6 hours local time
	Target  string  `json:"target,omitempty"`  // person, small_boat, vehicle; "": any
	Terrain string  `json:"terrain,omitempty"` // forest, open, road, river, sea; "": any
}

// Targets lists the targets that a row of the table may name.
func Targets() []string { return []string{"person", "small_boat", "vehicle"} }

// Terrains lists the terrains that a row of the table may name.
func Terrains() []string { return []string{"forest", "open", "road", "river", "sea"} }

// WeatherFactor narrows the sweep width on water in wind above WindOverKT or
// in waves from SeaFromFT on.
type WeatherFactor struct {
	WindOverKT float64 `json:"wind_over_kt"`
	SeaFromFT  float64 `json:"sea_from_ft"`
	Small      float64 `json:"small"` // person or small boat, and a target that is not stated
	Other      float64 `json:"other"` // any other target
}

// The laws that turn coverage into a probability of detection.
const (
	RandomLaw   = "random"   // RandomSearchPOD; also what "" means
	ParallelLaw = "parallel" // ParallelSweepPOD
)

// CoverageModel holds the parameters of coverage; METHODS section 6 calls the
// widths placeholders to be calibrated.
type CoverageModel struct {
	WindowDays         float64          `json:"window_days"`                // effort counts that many days back
	SweepWidths        []SweepWidth     `json:"sweep_widths"`               // by mode; "unknown" serves the rest
	Weather            [2]WeatherFactor `json:"weather"`                    // rough, then worse
	Fatigue            float64          `json:"fatigue"`                    // factor for a track marked "fatigued"
	PODLaw             string           `json:"pod_law"`                    // random or parallel
	PostSweepsPerHour  float64          `json:"post_sweeps_per_hour"`       // how often a post looks over its whole disc
	PostRadiusM        float64          `json:"post_radius_m"`              // of a post that states none
	MaxSilenceMin      float64          `json:"max_silence_min"`            // a longer hole in a track is no data
	MaxSpeedMS         float64          `json:"max_speed_ms"`               // a faster leg is a jump: no data
	StillM             float64          `json:"still_m"`                    // a fix nearer than that to the last place has not moved
	PresenceDaysLand   float64          `json:"presence_half_life_land_d"`  // presence halves in so many days on land
	PresenceDaysSea    float64          `json:"presence_half_life_water_d"` // and on water
	TransientHoursLand float64          `json:"transient_hours_land"`       // how long a crossing is there to be met
	TransientHoursSea  float64          `json:"transient_hours_water"`      // the same on water
}

// DefaultCoverageModel returns METHODS section 6's proposals (mid widths, the
// factors of JP 3-50) and section 7's half-life for land. The rows with a
// target or a terrain are placeholders of the same kind: cover hides as much
// from the road or the air as it hides from a walker, and a person in the
// water is seen from a third as far as a small boat.
func DefaultCoverageModel() CoverageModel {
	return CoverageModel{
		WindowDays: 30,
		SweepWidths: []SweepWidth{
			{"foot", 50, 100, 200, 0.5, "", ""},
			{"motorcycle", 100, 200, 400, 0.5, "", ""},
			{"vehicle", 200, 400, 800, 0.5, "", ""},
			{"river_boat", 100, 200, 400, 0.5, "", ""},
			{"sea_boat", 1000, 2000, 4000, 0.3, "", ""},
			{"aircraft", 1000, 2000, 4000, 0.3, "", ""},
			{"drone", 500, 1000, 2000, 0.5, "", ""},
			{"unknown", 50, 100, 200, 0.5, "", ""},
			{"foot", 100, 200, 400, 0.5, "", "open"},
			{"foot", 200, 400, 800, 0.5, "vehicle", "open"},
			{"motorcycle", 50, 100, 200, 0.5, "", "forest"},
			{"vehicle", 50, 100, 200, 0.5, "", "forest"},
			{"river_boat", 50, 100, 200, 0.5, "person", "river"},
			{"sea_boat", 300, 600, 1200, 0.3, "person", "sea"},
			{"aircraft", 300, 600, 1200, 0.3, "person", "sea"},
			{"aircraft", 50, 100, 200, 0.3, "", "forest"},
			{"drone", 50, 100, 200, 0.5, "", "forest"},
			{"drone", 150, 300, 600, 0.5, "person", "sea"},
		},
		Weather: [2]WeatherFactor{{15, 2, 0.5, 0.9}, {25, 4.01, 0.25, 0.9}},
		Fatigue: 0.9, PODLaw: RandomLaw,
		PostSweepsPerHour: 1, PostRadiusM: 1000,
		MaxSilenceMin: 30, MaxSpeedMS: 60,
		PresenceDaysLand: 7, PresenceDaysSea: 2, TransientHoursLand: 3, TransientHoursSea: 2,
	}
}

// Conditions are what a patrol looked for, where and how. The zero value, but
// for Mode, states nothing; NaN wind and sea are not stated either.
type Conditions struct {
	Mode, Target, Terrain string
	WindKT, SeaFT         float64
	Fatigued, Night       bool
}

// Widths are a sweep width in metres and the bracket round it.
type Widths struct{ LowM, MidM, HighM float64 }

func (w Widths) times(f float64) Widths { return Widths{w.LowM * f, w.MidM * f, w.HighM * f} }

// Width returns a mode's mid sweep width in metres at an hour of the day.
func (m *CoverageModel) Width(mode string, localHour int) float64 {
	return m.WidthsIn(Conditions{Mode: mode, Night: isNight(localHour)}).MidM
}

// WidthsIn returns the sweep width in metres under the conditions:
// W = W₀ · f_night · f_weather · f_fatigue, W₀ from the row of the table that
// fits best: the mode always, then terrain before target. A mode without a
// fitting row is looked up as "unknown"; without that the width is 0. Weather
// counts on water only. Source: METHODS section 6; factors of JP 3-50.
func (m *CoverageModel) WidthsIn(c Conditions) Widths {
	row := m.row(c)
	if row == nil {
		c.Mode = "unknown"
		if row = m.row(c); row == nil {
			return Widths{}
		}
	}
	f := m.weather(c)
	if c.Night {
		f *= row.Night
	}
	if c.Fatigued {
		f *= m.Fatigue
	}
	return Widths{row.LowM, row.MidM, row.HighM}.times(f)
}

func (m *CoverageModel) row(c Conditions) (best *SweepWidth) {
	score := -1
	for i := range m.SweepWidths {
		r := &m.SweepWidths[i]
		if r.Mode != c.Mode || r.Target != "" && r.Target != c.Target || r.Terrain != "" && r.Terrain != c.Terrain {
			continue
		}
		s := 0
		if r.Terrain != "" {
			s += 2
		}
		if r.Target != "" {
			s++
		}
		if s > score {
			best, score = r, s
		}
	}
	return best
}

func (m *CoverageModel) weather(c Conditions) float64 {
	if !c.onWater() {
		return 1
	}
	f := 1.0
	for _, w := range m.Weather {
		// A row of zeros is one that was not given.
		if (w == WeatherFactor{}) || !(c.WindKT > w.WindOverKT || c.SeaFT >= w.SeaFromFT && c.SeaFT > 0) {
			continue
		}
		if c.Target == "vehicle" {
			f = min(f, w.Other)
		} else {
			f = min(f, w.Small)
		}
	}
	return f
}

func (c Conditions) onWater() bool {
	if c.Terrain != "" && c.Terrain != "unknown" {
		return c.Terrain == "river" || c.Terrain == "sea"
	}
	return !slices.Contains([]string{"foot", "motorcycle", "vehicle"}, c.Mode)
}

func isNight(localHour int) bool { return localHour < 6 || localHour >= 18 }

// POD returns the probability of detection of coverage C by the model's law.
func (m *CoverageModel) POD(coverage float64) float64 {
	if m.PODLaw == ParallelLaw {
		return ParallelSweepPOD(coverage)
	}
	return RandomSearchPOD(coverage)
}

// RandomSearchPOD returns the probability that a stationary object is found,
// 1 - e^(-C), for coverage C = swept area / area. Source: Koopman (1946), by
// METHODS section 6; planned tracks degrade to it in practice.
func RandomSearchPOD(coverage float64) float64 { return -math.Expm1(-coverage) }

// ParallelSweepPOD returns erf(√π/2 · C), the inverse-cube law for evenly
// spaced parallel tracks.
func ParallelSweepPOD(coverage float64) float64 {
	return math.Erf(math.Sqrt(math.Pi) / 2 * coverage)
}

// InterceptionPOD returns the chance to meet one crossing that is there for
// transientH hours when effort adds up to coverage C over windowH hours:
// 1 - e^(-C·τ/T). Derived in METHODS section 6, not from a published source.
func InterceptionPOD(coverage, transientH, windowH float64) float64 {
	return -math.Expm1(-coverage * transientH / windowH)
}
