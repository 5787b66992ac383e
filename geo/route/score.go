package route

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
)

// Options say what a line is scored for.
type Options struct {
	CorridorM  float64 // full width of the corridor along the line
	PeriodDays float64 // in which incidents are expected
	SpeedKMH   float64 // of the traveller
	// Depart is when the traveller starts; zero: at no hour in particular, so
	// that patrols count with their mean over the week.
	Depart time.Time
	StepM  float64 // length of the steps of the profile, about
	Top    int     // how many steps are told as the top ones
	// ByTime also makes Hours and Months.
	ByTime bool
}

// DefaultOptions are a kilometre's corridor, 30 days and a walker.
func DefaultOptions() Options {
	return Options{CorridorM: 1000, PeriodDays: 30, SpeedKMH: 4, StepM: 5000, Top: 3}
}

// Validate reports the first option that cannot be used.
func (o Options) Validate() error {
	for _, c := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"corridor_m", o.CorridorM, 1, 100_000},
		{"period_days", o.PeriodDays, 0.01, 3653},
		{"speed_kmh", o.SpeedKMH, 0.1, 1000},
		{"step_m", o.StepM, 100, 1_000_000},
		{"top", float64(o.Top), 0, mostSteps},
	} {
		if !(c.v >= c.lo && c.v <= c.hi) {
			return fmt.Errorf("%s is %g: use %g to %g", c.name, c.v, c.lo, c.hi)
		}
	}
	return nil
}

// Risk is what a line or a part of it carries.
type Risk struct {
	LengthM float64 `json:"length_m"`
	// Hazard is ∫ λ ds: incidents a year for each km of the corridor's width.
	// The ends of its intervals are the integrals of the cells' ends: places
	// along a line share their records, so their errors are taken as one.
	Hazard risk.Interval `json:"hazard"`
	// PIncident is the chance of at least one incident in the corridor in the
	// period, 1 - e^(-T·w·∫λ ds) (METHODS section 12).
	PIncident         float64       `json:"p_incident"`
	PIncidentInterval risk.Interval `json:"p_incident_interval"`
	// PDetected is the chance that a patrol meets the traveller, 1 - e^(-∫r dt)
	// with r the sweeps an hour of the coverage's window; low and high with the
	// low and high sweep widths.
	PDetected     float64 `json:"p_detected"`
	PDetectedBand Band    `json:"p_detected_band"`
}

// Band is a number with a low and a high one.
type Band struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Leg is the line from one vertex to the next, or, where there are more than
// MaxLegs, several of them.
type Leg struct {
	From orb.Point `json:"from"`
	To   orb.Point `json:"to"`
	Risk
	Jurisdictions []risk.Authority `json:"jurisdictions"`
}

// MaxLegs is how many legs are told at most.
const MaxLegs = 1000

// Step is one of the equal parts of the profile.
type Step struct {
	FromM float64   `json:"from_m"`
	ToM   float64   `json:"to_m"`
	From  orb.Point `json:"from"`
	To    orb.Point `json:"to"`
	Risk
	Share float64 `json:"share"` // of the line's hazard
	// Unknown is the share of the step's length of which nothing is known.
	Unknown float64 `json:"unknown_share"`
}

// Mark is the risk from the start of the line to the end of a step.
type Mark struct {
	AlongM float64   `json:"along_m"`
	At     orb.Point `json:"at"`
	Risk
}

// Jurisdiction is the part of a line in which one agency may act; where several
// may, it counts for each.
type Jurisdiction struct {
	risk.Authority
	LengthM     float64 `json:"length_m"`
	LengthShare float64 `json:"length_share"`
	HazardShare float64 `json:"hazard_share"`
}

// Crossing is the official crossing nearest to the line.
type Crossing struct {
	Layer     string    `json:"layer"`
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Country   string    `json:"country"`
	Verified  bool      `json:"verified"`
	At        orb.Point `json:"at"`
	DistanceM float64   `json:"distance_m"`
	AlongM    float64   `json:"along_m"` // where on the line it is nearest
}

// Score is what is known of a line.
type Score struct {
	Risk
	CorridorM  float64    `json:"corridor_m"`
	PeriodDays float64    `json:"period_days"`
	SpeedKMH   float64    `json:"speed_kmh"`
	Depart     *time.Time `json:"depart,omitempty"`
	Hours      float64    `json:"hours"` // on the way

	// UnknownShare is the share of the length of which nothing is known; the
	// numbers are of the rest, and Partial says so. UnwatchedShare is the share
	// where hardly anybody looked and nobody reported: the hazard there is an
	// estimate from around.
	UnknownShare   float64 `json:"unknown_share"`
	UnwatchedShare float64 `json:"unwatched_share"`
	Partial        bool    `json:"partial"`
	// SeverityWeighted: the model weighs incidents, and the chances are of
	// weighted ones.
	SeverityWeighted bool `json:"severity_weighted"`

	Legs          []Leg          `json:"legs"`
	LegsMerged    bool           `json:"legs_merged"`
	Top           []Step         `json:"top"` // of the steps, by hazard
	Profile       []Mark         `json:"profile"`
	Jurisdictions []Jurisdiction `json:"jurisdictions"`
	Crossing      *Crossing      `json:"nearest_crossing"`
	ByTime        *ByTime        `json:"by_time,omitempty"`

	Field     string `json:"field"`
	Model     string `json:"model"`
	Version   string `json:"version"`
	Synthetic bool   `json:"synthetic"`
}

const fieldNote = "exact integral over analysis cells of about 1.2 km, each with the value at its middle"

// ScoreLine scores a line of geodesics. It fails on options and lines that cannot be
// used (ErrLine), when nothing is known anywhere on it (ErrUnknown), and when ctx
// ends. It is the same for the line drawn backwards unless Depart is set, and for
// the line with more vertices on it, up to rounding.
func ScoreLine(ctx context.Context, a *risk.Assessment, line orb.LineString, o Options) (*Score, error) {
	s, err := newScorer(a, o)
	if err != nil {
		return nil, err
	}
	return s.score(ctx, line)
}

// Scored is the score of one of many lines, or why there is none.
type Scored struct {
	*Score
	Err error
}

// ScoreAll scores lines, on all processors, and returns what ScoreLine does for each.
func ScoreAll(ctx context.Context, a *risk.Assessment, lines []orb.LineString, o Options) ([]Scored, error) {
	if _, err := newScorer(a, o); err != nil {
		return nil, err
	}
	out := make([]Scored, len(lines))
	workers := max(1, min(runtime.GOMAXPROCS(0), len(lines)/16))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			s, _ := newScorer(a, o)
			for i := w; i < len(lines) && ctx.Err() == nil; i += workers {
				out[i].Score, out[i].Err = s.score(ctx, lines[i])
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("score lines: %w", err)
	}
	return out, nil
}

// scorer scores lines one after another.
type scorer struct {
	a     *risk.Assessment
	o     Options
	rates *risk.Rates
	cut   cutter
	weeks map[int]*sectionWeek
	// perWidth turns a hazard into incidents in the corridor and period.
	perWidth float64
}

const daysPerYear = 365.25

func newScorer(a *risk.Assessment, o Options) (*scorer, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("score a line: %w", err)
	}
	rates := a.Rates()
	return &scorer{
		a: a, o: o, rates: rates, cut: cutter{read: rates.Reader()}, weeks: map[int]*sectionWeek{},
		perWidth: o.CorridorM / 1000 * o.PeriodDays / daysPerYear,
	}, nil
}

func (s *scorer) score(ctx context.Context, line orb.LineString) (*Score, error) {
	if err := s.cut.cut(ctx, line, s.o.StepM); err != nil {
		return nil, err
	}
	m := s.a.Model
	out := &Score{
		CorridorM: s.o.CorridorM, PeriodDays: s.o.PeriodDays, SpeedKMH: s.o.SpeedKMH, Hours: s.cut.lengthM / 1000 / s.o.SpeedKMH,
		SeverityWeighted: m.SeverityWeighted, Field: fieldNote, Model: m.Version, Version: s.a.Version, Synthetic: s.a.Synthetic,
	}
	if !s.o.Depart.IsZero() {
		depart := s.o.Depart.UTC()
		out.Depart = &depart
	}
	s.sum(line, out)
	if out.UnknownShare > 1-1e-12 {
		return nil, fmt.Errorf("%w: the assessment speaks of the border and coasts within %g km, and of places near records; draw the line there or load layers of its surroundings",
			ErrUnknown, m.DomainKM)
	}
	out.Crossing = s.nearestCrossing(line)
	if s.o.ByTime {
		out.ByTime = s.byTime(line, out)
	}
	return out, nil
}

func pAtLeastOne(expected float64) float64 { return -math.Expm1(-expected) }
