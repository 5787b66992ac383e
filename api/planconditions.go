package api

import (
	"fmt"
	"math"
	"time"

	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/surface"
)

// PlanWeather is a forecast for a part of the window: the whole border, or as much of
// it as the units are at.
type PlanWeather struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	WindKT float64   `json:"wind_kt"`
	SeaFT  float64   `json:"sea_ft"`
}

const mostSpells = 100

// seesNothing is the factor of a unit that sees nothing: 0 is one that is not stated.
const seesNothing = 1e-12

// checkConditions names what is wrong with night and weather.
func (q PlanRequest) checkConditions(bad func(name, format string, args ...any)) {
	for i, u := range q.Units {
		name := fmt.Sprintf("units[%d]", i)
		if u.SweepNightM != 0 && !(u.SweepNightM > 0 && u.SweepNightM <= 1e5) {
			bad(name+".sweep_width_night_m", "give more than 0 and up to 100000 m")
		}
		if f := u.WeatherFactors; f != nil && (len(f) != 2 || !(f[0] > 0 && f[0] <= 1 && f[1] > 0 && f[1] <= 1)) {
			bad(name+".weather_factors", "give what share of the sweep width is left in rough and in worse weather, [0.5,0.25]: two numbers over 0 and up to 1")
		}
	}
	for i, w := range q.Weather {
		if !w.From.Before(w.Until) || !(w.WindKT >= 0 && w.WindKT <= 200) || !(w.SeaFT >= 0 && w.SeaFT <= 100) {
			bad(fmt.Sprintf("weather[%d]", i), "give from, a later until, wind_kt of 0 to 200 and sea_ft of 0 to 100")
		}
	}
	if len(q.Weather) > mostSpells {
		bad("weather", "give up to %d spells", mostSpells)
	}
}

// spells are the weather of a request by the thresholds of the model.
func (q PlanRequest) spells(m *surface.CoverageModel) []plan.Spell {
	var out []plan.Spell
	for _, w := range q.Weather {
		s := plan.Spell{From: w.From.UTC(), Until: w.Until.UTC()}
		for k, f := range m.Weather {
			if (f != surface.WeatherFactor{}) && (w.WindKT > f.WindOverKT || w.SeaFT >= f.SeaFromFT && w.SeaFT > 0) {
				s.State = plan.Weather(k + 1)
			}
		}
		out = append(out, s)
	}
	return out
}

// light fills in what night and weather leave of a unit's sweep width: what it says
// itself, else the model's factors of its mode (METHODS section 6, JP 3-50).
func (u PlanUnit) light(p *plan.Unit, m *surface.CoverageModel) {
	in := surface.Conditions{Mode: u.Mode, WindKT: math.NaN(), SeaFT: math.NaN()}
	day := m.WidthsIn(in).MidM
	share := func(c surface.Conditions) float64 {
		if day == 0 {
			return 0
		}
		return max(seesNothing, m.WidthsIn(c).MidM/day)
	}
	night := in
	night.Night = true
	p.NightFactor = share(night)
	if u.SweepNightM > 0 && p.SweepWidthM > 0 {
		p.NightFactor = min(10, u.SweepNightM/p.SweepWidthM)
	}
	for k, f := range m.Weather {
		if len(u.WeatherFactors) == 2 {
			p.WeatherFactors[k] = u.WeatherFactors[k]
			continue
		}
		in.WindKT = f.WindOverKT + 1
		p.WeatherFactors[k] = share(in)
	}
}
