package plan

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// Piece is a short stretch of border that patrols watch.
type Piece struct {
	Section   string         `json:"section_id"`
	Line      orb.LineString `json:"-"`
	LengthKM  float64        `json:"length_km"`
	AreaKM2   float64        `json:"area_km2"` // of the strip that a crossing passes
	Medium    risk.Medium    `json:"medium"`
	Countries []string       `json:"countries"` // whose units may act
	// TransientH is for how many hours an incident is there to be met.
	TransientH float64 `json:"transient_h"`
	// Expected is how many incidents the window brings that nobody meets without
	// the plan.
	Expected risk.Estimate `json:"expected"`
	// Profile is how they spread over the hours of the window: one share an hour.
	Profile []float64 `json:"-"`
	// Unknown is how much there is to learn: the variance of Expected times the
	// severity of its incidents.
	Unknown float64 `json:"unknown"`
	Blind   bool    `json:"blind"` // nobody has looked, or nobody knows whether anybody has
}

// Unit is a patrol that can be sent.
type Unit struct {
	ID         string    `json:"id"`
	Country    string    `json:"country"`
	Agency     string    `json:"agency,omitempty"`
	Base       orb.Point `json:"base"`
	Mode       string    `json:"mode"`
	Hours      float64   `json:"hours"`       // on duty in the window, with the way there and back
	EnduranceH float64   `json:"endurance_h"` // of one sortie, with the way there and back
	SpeedKMH   float64   `json:"speed_kmh"`
	// SweepWidthM is the effective width that it sees by day in calm weather.
	SweepWidthM float64 `json:"sweep_width_m"`
	// SweepLowM and SweepHighM bracket it, for the interval of what is left; 0: it
	// is taken as certain.
	SweepLowM  float64 `json:"sweep_low_m,omitempty"`
	SweepHighM float64 `json:"sweep_high_m,omitempty"`
	// NightFactor is what share of it is left while the sun is down, WeatherFactors in
	// rough and worse weather; 0: all of it.
	NightFactor    float64    `json:"night_factor,omitempty"`
	WeatherFactors [2]float64 `json:"weather_factors,omitzero"`
}

// Options are what a planner decides; DefaultOptions says what is usual.
type Options struct {
	Start      time.Time `json:"start"`       // the first hour
	WindowDays int       `json:"window_days"` // 1 to 14
	// JointSections are sections where units of both countries may act.
	JointSections []string `json:"joint_sections"`
	// JointAreas are areas where they may, too: pieces with their middle inside.
	JointAreas []orb.Geometry `json:"-"`
	// ExplorationShare of the hours on duty goes to pieces of which least is known.
	ExplorationShare float64 `json:"exploration_share"`
	RestH            float64 `json:"rest_h"` // between two sorties of a unit
	// DetourFactor is how much longer the way to a piece is than the geodesic.
	DetourFactor float64 `json:"detour_factor"`
	// Seed is for Draw; the plan itself has no chance in it.
	Seed uint64 `json:"seed"`
	// Gamma is how sharply an adversary avoids what he learned; see Respond.
	Gamma float64 `json:"gamma"`
	// Weather is how rough it will be; where no spell says, it is calm.
	Weather []Spell `json:"weather,omitempty"`
	// Rounds bounds the search for a lower upper bound; 0: 20.
	Rounds int `json:"rounds"`
	// CountriesAt tells whose units may have a base at a place, none where that is
	// not known; nil: bases are not checked.
	CountriesAt func(orb.Point) []string `json:"-"`
}

// MostDays bounds the window of a plan.
const MostDays = 14

// DefaultOptions are a week from the given hour, a tenth of the effort for what
// is not known (METHODS section 8), eight hours of rest and ways a third longer
// than the geodesic. Rest, detour and gamma are placeholders to be agreed on.
func DefaultOptions(start time.Time) Options {
	return Options{Start: start.UTC().Truncate(time.Hour), WindowDays: 7, ExplorationShare: 0.10, RestH: 8, DetourFactor: 1.3, Gamma: 4, Rounds: 20}
}

// Problem is what a plan is made for.
type Problem struct {
	Pieces  []Piece // those that follow each other on the ground stand next to each other
	Units   []Unit
	Options Options
}

// Reason says why a unit has no sorties.
type Reason string

// The reasons.
const (
	NoHours     Reason = "no_hours"
	NoBase      Reason = "no_base"
	ForeignBase Reason = "base_in_other_country"
	NoSpeed     Reason = "no_speed"
	NoSight     Reason = "no_sweep_width"
	NoEndurance Reason = "no_endurance"
	NoMedium    Reason = "mode_cannot_reach"
	NoMandate   Reason = "no_jurisdiction"
	TooFar      Reason = "out_of_reach"
	NoNeed      Reason = "nothing_left_to_meet"
)

// Unused is a unit that could not be used, and why.
type Unused struct {
	Unit   string `json:"unit"`
	Reason Reason `json:"reason"`
	Text   string `json:"text"`
}

// Validate tells what in a problem no plan can be made of. A unit that cannot be
// used is no error: the plan says why.
func (p Problem) Validate() error {
	o := p.Options
	switch {
	case o.WindowDays < 1 || o.WindowDays > MostDays:
		return fmt.Errorf("window_days is %d: give 1 to %d", o.WindowDays, MostDays)
	case !(o.ExplorationShare >= 0 && o.ExplorationShare <= 1):
		return errors.New("exploration_share must be 0 to 1")
	case !(o.RestH >= 0) || !(o.DetourFactor >= 1) || o.DetourFactor > 10 || o.RestH > 1e4:
		return errors.New("rest_h must be 0 or more, detour_factor 1 to 10")
	case !(o.Gamma >= 0) || o.Gamma > 1000:
		return errors.New("gamma must be 0 to 1000")
	case len(p.Units) == 0:
		return errors.New("there are no units: list at least one")
	case len(p.Units) > mostUnits || len(p.Pieces) > mostPieces || len(p.Units)*len(p.Pieces) > mostPairs:
		return fmt.Errorf("%d units and %d pieces of border are too many: up to %d units, %d pieces and %d pairs of them can be planned at once", len(p.Units), len(p.Pieces), mostUnits, mostPieces, mostPairs)
	case o.Rounds < 0 || o.Rounds > 1000:
		return errors.New("rounds must be 0 to 1000")
	}
	for _, s := range o.Weather {
		if s.State >= weathers || !s.From.Before(s.Until) || len(o.Weather) > mostSpells {
			return fmt.Errorf("weather: give up to %d spells that end after they begin", mostSpells)
		}
	}
	seen := map[string]bool{}
	for _, u := range p.Units {
		for _, f := range append(u.WeatherFactors[:], u.NightFactor) {
			if !(f >= 0 && f <= 10) {
				return fmt.Errorf("unit %s: the factors of the sweep width must be 0 to 10", u.ID)
			}
		}
		if u.ID == "" || seen[u.ID] {
			return fmt.Errorf("each unit needs an id of its own; %q is there twice or empty", u.ID)
		}
		seen[u.ID] = true
	}
	for _, b := range p.Pieces {
		if len(b.Profile) != 24*o.WindowDays {
			return fmt.Errorf("piece of section %s: the profile has %d hours, the window %d", b.Section, len(b.Profile), 24*o.WindowDays)
		}
		if len(b.Line) < 2 || !(b.AreaKM2 > 0) || !(b.TransientH > 0 && b.TransientH <= mostLastsH) || !(b.Expected.Mean >= 0) || math.IsInf(b.Expected.Mean, 0) {
			return fmt.Errorf("piece of section %s: give a line, an area, 0 to 48 hours that an incident lasts and a finite expectation", b.Section)
		}
	}
	return nil
}

const (
	mostLastsH = 48 // of an incident
	mostUnits  = 500
	mostPieces = 20_000
	mostSpells = 100
	mostPairs  = 1_000_000
)

// fault tells why a unit cannot leave its base at all.
func (u Unit) fault(o Options) (Reason, string) {
	positive := func(v float64) bool { return v > 0 && !math.IsInf(v, 0) }
	lon, lat := u.Base[0], u.Base[1]
	switch {
	case !positive(u.Hours):
		return NoHours, "give it hours on duty"
	case !(math.Abs(lon) <= 180 && math.Abs(lat) <= 90) || lon == 0 && lat == 0:
		return NoBase, "give the longitude and latitude of its base"
	case !positive(u.SpeedKMH):
		return NoSpeed, "give its speed in km/h"
	case !positive(u.SweepWidthM):
		return NoSight, "give its sweep width in metres"
	case !(u.EnduranceH >= 1) || math.IsInf(u.EnduranceH, 0):
		return NoEndurance, "give at least an hour of endurance"
	case len(mediaOf(u.Mode)) == 0:
		return NoMedium, fmt.Sprintf("the mode %q is not known: use foot, motorcycle, vehicle, river_boat, sea_boat, aircraft or drone", u.Mode)
	}
	if o.CountriesAt != nil {
		if c := o.CountriesAt(u.Base); len(c) > 0 && !slices.Contains(c, u.Country) {
			return ForeignBase, fmt.Sprintf("its base is in %s: move it, or correct its country", strings.Join(c, ", "))
		}
	}
	return "", ""
}

// mediaOf are the media of border that a mode of patrol can watch.
func mediaOf(mode string) []risk.Medium {
	switch mode {
	case "foot", "motorcycle", "vehicle":
		return []risk.Medium{risk.Land}
	case "river_boat", "sea_boat":
		return []risk.Medium{risk.Shore}
	case "aircraft", "drone":
		return []risk.Medium{risk.Land, risk.Shore}
	}
	return nil
}

// mayAct tells whether a unit may act at a piece.
func (n *network) mayAct(u Unit, piece int) bool {
	return slices.Contains(n.Pieces[piece].Countries, u.Country) || n.joint[piece]
}

// joint marks the pieces where units of both countries may act.
func (p Problem) joint() []bool {
	var areas []*geo.Area
	for _, g := range p.Options.JointAreas {
		areas = append(areas, geo.NewArea(g))
	}
	out := make([]bool, len(p.Pieces))
	for i, b := range p.Pieces {
		middle := geo.Interpolate(b.Line, geo.LengthM(b.Line)/2)
		out[i] = slices.Contains(p.Options.JointSections, b.Section) ||
			slices.ContainsFunc(areas, func(a *geo.Area) bool { return a.Covers(middle) })
	}
	return out
}
