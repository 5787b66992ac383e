package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// PlanRequest asks for a plan: units, and what the planner decides. What is left
// out is as in plan.DefaultOptions.
type PlanRequest struct {
	Units            []PlanUnit      `json:"units"`
	Start            *time.Time      `json:"start"` // cut to the hour; none: the next full hour
	WindowDays       *int            `json:"window_days"`
	JointCorridors   []JointCorridor `json:"joint_corridors"`
	Weather          []PlanWeather   `json:"weather"` // calm where none is given
	ExplorationShare *float64        `json:"exploration_share"`
	CutKM            *float64        `json:"cut_km"` // length of a piece of border; 0: the sections as they are
	RestH            *float64        `json:"rest_h"`
	DetourFactor     *float64        `json:"detour_factor"`
	Gamma            *float64        `json:"gamma"`
	Seed             uint64          `json:"seed"`
	Draw             int             `json:"draw"`      // how many windows are drawn at random
	Marginals        bool            `json:"marginals"` // list what is drawn from
	WhatIf           bool            `json:"what_if"`   // assess anew as if the sorties were patrols
	Keep             bool            `json:"keep"`      // in the store, for the planners of the own agency
}

// PlanUnit is a patrol unit. Without endurance_h it is out for eight hours at
// most; without sweep_width_m it sees as its mode does in the model.
type PlanUnit struct {
	ID          string    `json:"id"`
	Country     string    `json:"country"`
	Agency      string    `json:"agency"`
	Base        []float64 `json:"base"` // longitude, latitude
	Mode        string    `json:"mode"`
	Hours       float64   `json:"hours"`
	EnduranceH  float64   `json:"endurance_h"`
	SpeedKMH    float64   `json:"speed_kmh"`
	SweepWidthM float64   `json:"sweep_width_m"`
	SweepLowM   float64   `json:"sweep_low_m"`
	SweepHighM  float64   `json:"sweep_high_m"`
	// SweepNightM is the sweep width by night, WeatherFactors what is left of either in
	// rough and in worse weather; as in the model where they are left out.
	SweepNightM    float64   `json:"sweep_width_night_m"`
	WeatherFactors []float64 `json:"weather_factors"`
}

// JointCorridor is where units of both countries may act. Request names the
// request for a joint plan or patrol by which the two agreed on it.
type JointCorridor struct {
	Request  string    `json:"request"`
	Sections []string  `json:"sections"`
	BBox     []float64 `json:"bbox"` // west, south, east, north: what has its middle inside
}

const (
	usualEnduranceH = 8
	usualCutKM      = 1
	mostDrawn       = 12
	mostCorridors   = 100
)

var unitPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$`)

// ReadPlanRequest reads a request from JSON: an object, or just the array of
// units.
func ReadPlanRequest(raw []byte) (PlanRequest, error) {
	var q PlanRequest
	var into any = &q
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		into = &q.Units
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		if _, end := dec.Token(); end != io.EOF {
			err = fmt.Errorf("there is something behind the JSON value")
		}
	}
	if err != nil {
		return q, problem{Status: http.StatusBadRequest, Code: "invalid_body",
			Detail: `this is not the JSON that is wanted here, {"units":[{"id":…,"country":…,"base":[lon,lat],"mode":…,"hours":…,"speed_kmh":…}],"window_days":7}: ` + err.Error()}
	}
	return q, q.check()
}

// check names each thing that cannot be asked for. A unit that cannot be used is
// none: the plan says why.
func (q PlanRequest) check() error {
	var errs []paramError
	bad := func(name, format string, args ...any) {
		errs = append(errs, paramError{name, fmt.Sprintf(format, args...)})
	}
	for i, u := range q.Units {
		name := fmt.Sprintf("units[%d]", i)
		switch {
		case !unitPattern.MatchString(u.ID) || data.LooksPersonal(u.ID) || personNumber.MatchString(u.ID):
			bad(name+".id", "give a call sign of up to 40 letters, digits, spaces and . _ / -, no name or number of a person")
		case u.Agency != "" && !agencyPattern.MatchString(u.Agency):
			bad(name+".agency", "give the agency's code in capital letters")
		case !slices.Contains(countries[:], u.Country):
			bad(name+".country", "%q is not ID or MY", u.Country)
		case u.SpeedKMH > 1000:
			bad(name+".speed_kmh", "give up to 1000 km/h")
		case u.SweepWidthM > 1e5:
			bad(name+".sweep_width_m", "give up to 100000 m")
		case (u.SweepLowM != 0 || u.SweepHighM != 0) && !(u.SweepLowM > 0 && u.SweepLowM <= u.SweepWidthM && u.SweepWidthM <= u.SweepHighM && u.SweepHighM <= 1e5):
			bad(name, "give 0 < sweep_low_m <= sweep_width_m <= sweep_high_m <= 100000")
		}
	}
	for i, c := range q.JointCorridors {
		name := fmt.Sprintf("joint_corridors[%d]", i)
		b := c.BBox
		switch {
		case len(c.Sections) == 0 && len(b) == 0:
			bad(name, "give sections or a bbox")
		case len(b) != 0 && (len(b) != 4 || !(b[0] < b[2] && b[1] < b[3] && math.Abs(b[0]) <= 180 && b[2] <= 180 && b[1] >= -90 && b[3] <= 90)):
			bad(name+".bbox", "give west, south, east and north in degrees")
		}
	}
	q.checkConditions(bad)
	if len(q.JointCorridors) > mostCorridors {
		bad("joint_corridors", "give up to %d", mostCorridors)
	}
	if q.Draw < 0 || q.Draw > mostDrawn {
		bad("draw", "give 0 to %d windows", mostDrawn)
	}
	if q.CutKM != nil && !(*q.CutKM == 0 || *q.CutKM >= 0.5 && *q.CutKM <= 100) {
		bad("cut_km", "give 0.5 to 100 km, or 0 for whole sections")
	}
	if q.Start != nil && (q.Start.Year() < 2000 || q.Start.Year() > 2200) {
		bad("start", "give an instant between 2000 and 2200")
	}
	if errs == nil {
		return nil
	}
	return unplannable(errs...)
}

func unplannable(errs ...paramError) problem {
	return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_plan", Detail: errs[0].Parameter + ": " + errs[0].Detail, Errors: errs}
}

// options are the planner's decisions, with what is usual for the rest.
func (q PlanRequest) options(now time.Time) plan.Options {
	start := now.UTC().Truncate(time.Hour)
	if start.Before(now) {
		start = start.Add(time.Hour)
	}
	if q.Start != nil {
		start = *q.Start
	}
	o := plan.DefaultOptions(start)
	o.Seed = q.Seed
	if q.WindowDays != nil {
		o.WindowDays = *q.WindowDays
	}
	for _, f := range []struct{ to, from *float64 }{{&o.ExplorationShare, q.ExplorationShare}, {&o.RestH, q.RestH}, {&o.DetourFactor, q.DetourFactor}, {&o.Gamma, q.Gamma}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	for _, c := range q.JointCorridors {
		o.JointSections = append(o.JointSections, c.Sections...)
		if len(c.BBox) == 4 {
			o.JointAreas = append(o.JointAreas, orb.Bound{Min: orb.Point{c.BBox[0], c.BBox[1]}, Max: orb.Point{c.BBox[2], c.BBox[3]}}.ToPolygon())
		}
	}
	return o
}

// units are those of the request, with the usual for what it leaves out.
func (q PlanRequest) units(m *surface.CoverageModel) []plan.Unit {
	out := make([]plan.Unit, len(q.Units))
	for i, u := range q.Units {
		p := plan.Unit{ID: u.ID, Country: u.Country, Agency: u.Agency, Mode: u.Mode, Hours: u.Hours, EnduranceH: u.EnduranceH,
			SpeedKMH: u.SpeedKMH, SweepWidthM: u.SweepWidthM, SweepLowM: u.SweepLowM, SweepHighM: u.SweepHighM}
		if len(u.Base) == 2 {
			p.Base = orb.Point{u.Base[0], u.Base[1]}
		}
		if p.EnduranceH == 0 {
			p.EnduranceH = usualEnduranceH
		}
		w := m.WidthsIn(surface.Conditions{Mode: u.Mode, WindKT: math.NaN(), SeaFT: math.NaN()})
		if p.SweepWidthM == 0 {
			p.SweepWidthM = w.MidM
		}
		if p.SweepLowM == 0 && p.SweepHighM == 0 && w.MidM > 0 {
			p.SweepLowM, p.SweepHighM = p.SweepWidthM*w.LowM/w.MidM, p.SweepWidthM*w.HighM/w.MidM
		}
		u.light(&p, m)
		out[i] = p
	}
	return out
}

// Make makes the plan on an assessment. now settles where the window begins when
// the request does not say.
func (q PlanRequest) Make(ctx context.Context, a *risk.Assessment, now time.Time) (*PlanAnswer, error) {
	p, err := q.problem(a, now)
	if err != nil {
		return nil, err
	}
	made, err := plan.Make(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return q.answer(ctx, a, made)
}

func (q PlanRequest) problem(a *risk.Assessment, now time.Time) (plan.Problem, error) {
	o := q.options(now)
	m := a.Model.Coverage
	o.Weather = q.spells(&m)
	p := plan.Problem{Units: q.units(&m), Options: o}
	for _, id := range o.JointSections {
		if _, ok := a.Section(id); !ok {
			return p, unplannable(paramError{"joint_corridors", fmt.Sprintf("there is no section %s; GET /v1/sections lists them", quoted(id))})
		}
	}
	if err := p.Validate(); err != nil {
		return p, problem{Status: http.StatusUnprocessableEntity, Code: "invalid_plan", Detail: err.Error()}
	}
	if len(a.Sections) == 0 {
		return p, problem{Status: http.StatusConflict, Code: "no_border", Detail: "there are no sections of border to plan for; load a boundary layer first"}
	}
	cutKM := float64(usualCutKM)
	if q.CutKM != nil {
		cutKM = *q.CutKM
	}
	p.Options.CountriesAt = plan.CountriesAt(a)
	p.Pieces = plan.Pieces(a, o, cutKM)
	if err := p.Validate(); err != nil {
		return p, problem{Status: http.StatusUnprocessableEntity, Code: "invalid_plan", Detail: strings.TrimSpace(err.Error())}
	}
	return p, nil
}
