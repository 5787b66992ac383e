package api

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/plan"
)

// The assessment that a plan asks for sees as far as its units do: twice the sweep
// width brings the residual down about twice as much, and rough weather less.
func TestPlanWhatIfSeesAsItsUnits(t *testing.T) {
	g := bordered(t)
	falls := func(widthM float64, factors, weather string) float64 {
		t.Helper()
		p := planOf(t, g.want(200, "planner id", "POST", "/v1/plans", fmt.Sprintf(`{"start":"2026-11-30T00:00:00Z","window_days":2,"cut_km":10,"what_if":true,"weather":[%s],"units":[
			{"id":"KP-1","country":"ID","base":[110,0.95],"mode":"vehicle","hours":8,"speed_kmh":40,"sweep_width_m":%g%s}]}`, weather, widthM, factors)))
		return p.WhatIf.Before - p.WhatIf.After
	}
	narrow, wide := falls(20, "", ""), falls(40, "", "")
	if !(narrow > 0) || wide < 1.5*narrow || wide > 2.5*narrow {
		t.Errorf("with 20 m the residual falls by %g, with 40 m by %g", narrow, wide)
	}
	if rough := falls(20, `,"weather_factors":[0.1,0.1]`, `{"from":"2026-11-20T00:00:00Z","until":"2026-12-03T00:00:00Z","wind_kt":20}`); !(rough < narrow) {
		t.Errorf("in calm the residual falls by %g, in rough weather by %g", narrow, rough)
	}
}

// By hand: at noon and at midnight UTC on the equator at 0 degrees, an hour each.
func TestSeenWidthByHand(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 3, 20, h, 0, 0, 0, time.UTC) }
	visits := []plan.Visit{{Arrives: at(12), Leaves: at(13)}, {Arrives: at(23), Leaves: at(24)}}
	u := plan.Unit{SweepWidthM: 1000, NightFactor: 0.2, WeatherFactors: [2]float64{0.5, 0.25}}
	p := &PlanAnswer{}
	if got := p.seenM(u, visits, orb.Point{0, 0}); math.Abs(got-600) > 1e-9 {
		t.Errorf("%g m, want the mean of 1000 and 200", got)
	}
	p.Weather = []plan.Spell{{From: at(0), Until: at(24), State: plan.Rough}, {From: at(20), Until: at(24), State: plan.Worse}}
	if got := p.seenM(u, visits, orb.Point{0, 0}); math.Abs(got-275) > 1e-9 {
		t.Errorf("%g m, want the mean of 1000·0.5 and 1000·0.2·0.25", got)
	}
}
