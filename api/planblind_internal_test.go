package api

import (
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// Where the model says that nothing is seen by night or in bad weather, a plan does
// not take the whole sweep width.
func TestPlanOfTheBlind(t *testing.T) {
	m := surface.DefaultCoverageModel()
	for i := range m.SweepWidths {
		m.SweepWidths[i].Night = 0
	}
	m.Weather[1].Small, m.Weather[1].Other = 0, 0
	at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	q := PlanRequest{Units: []PlanUnit{{ID: "a", Country: "ID", Mode: "sea_boat"}}, Weather: []PlanWeather{{From: at, Until: at.Add(time.Hour), WindKT: 30}}}
	u := q.units(&m)[0]
	for name, f := range map[string]float64{"night": u.NightFactor, "worse weather": u.WeatherFactors[1]} {
		if !(f > 0 && f < 1e-9) {
			t.Errorf("%s leaves %g of the sweep width; 0 would be all of it", name, f)
		}
	}
	if u.WeatherFactors[0] != 0.5 {
		t.Errorf("rough weather leaves %g", u.WeatherFactors[0])
	}
	if s := q.spells(&m); len(s) != 1 || s[0].State != 2 {
		t.Errorf("30 knots are %v", s)
	}
}
