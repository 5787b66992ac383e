package plan_test

import (
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/plan"
)

// Sunrise by L. Strous's table of sunrise by latitude (Astronomy Answers: local mean time
// 6:03 at 2° and 6:07 at 4° north on 1 January) at the longitudes of Kuching and Tawau,
// and by H. Aslaksen's times of Singapore, the earliest and latest of the year.
func TestSunAtKnownPlaces(t *testing.T) {
	kuching, tawau, singapore := orb.Point{110.344, 1.557}, orb.Point{117.894, 4.258}, orb.Point{103.85, 1.29}
	for _, c := range []struct {
		name  string
		at    orb.Point
		local string
		dawn  bool
	}{
		{"Kuching", kuching, "2026-01-01T06:41:00+08:00", true},
		{"Tawau", tawau, "2026-01-01T06:15:30+08:00", true},
		{"Singapore", singapore, "2026-11-01T06:46:00+08:00", true},
		{"Singapore", singapore, "2026-02-09T07:17:00+08:00", true},
		{"Singapore", singapore, "2026-11-05T18:50:00+08:00", false},
		{"Singapore", singapore, "2026-02-13T19:21:00+08:00", false},
	} {
		want, err := time.Parse(time.RFC3339, c.local)
		if err != nil {
			t.Fatal(err)
		}
		got := want.Add(-time.Hour)
		for plan.Night(c.at, got) == c.dawn {
			got = got.Add(10 * time.Second)
		}
		if d := got.Sub(want).Abs(); d > 90*time.Second {
			t.Errorf("%s: the sun crosses the horizon at %v, want %v", c.name, got, want)
		}
	}
	highest := func(at orb.Point, day time.Time) (deg float64) {
		deg = -90
		for m := range 24 * 60 {
			deg = max(deg, plan.SunElevationDeg(at, day.Add(time.Duration(m)*time.Minute)))
		}
		return deg
	}
	near(t, "noon of the June solstice", highest(kuching, time.Date(2026, 6, 21, 0, 0, 0, 0, time.UTC)), 90-(23.437-1.557), 0.02)
	near(t, "noon of the December solstice", highest(kuching, time.Date(2026, 12, 21, 0, 0, 0, 0, time.UTC)), 90-(23.437+1.557), 0.02)
}

// A boat that sees a third as far by night and a quarter in bad weather is sent out by
// day and when it is calm, and meets less by that; what it has to do with neither
// stays as it is.
func TestNightAndWeather(t *testing.T) {
	p := small()
	p.Options.WindowDays, p.Options.ExplorationShare = 2, 0
	for i := range p.Pieces {
		p.Pieces[i].Profile = make([]float64, 48)
		for h := range p.Pieces[i].Profile {
			p.Pieces[i].Profile[h] = 1.0 / 48
		}
	}
	p.Units = p.Units[:1]
	p.Units[0].Hours = 8
	plain := make1(t, p)
	for name, change := range map[string]func(*plan.Problem){
		"night": func(p *plan.Problem) { p.Units[0].NightFactor = 0.3 },
		"storm": func(p *plan.Problem) {
			p.Units[0].WeatherFactors = [2]float64{0.5, 0.25}
			p.Options.Weather = []plan.Spell{{From: start, Until: start.Add(36 * time.Hour), State: plan.Worse}}
		},
	} {
		q := p
		q.Units = append([]plan.Unit{}, p.Units...)
		change(&q)
		got := make1(t, q)
		if got.Met > plain.Met*(1+1e-9) || got.Met < 0.7*plain.Met || got.GapPercent > 5 || got.Bounds.AnyRoute < got.Met {
			t.Errorf("%s: meets %g, %g without; %+v", name, got.Met, plain.Met, got.Bounds)
		}
		for _, s := range got.Sorties {
			middle := s.OnBeat.Add(s.OffBeat.Sub(s.OnBeat) / 2)
			at := p.Units[0].Base
			if name == "night" && plan.Night(at, middle) || name == "storm" && middle.Before(start.Add(35*time.Hour)) {
				t.Errorf("%s: a sortie is on its beat at %v", name, middle)
			}
		}
	}
	q := p
	q.Units = append([]plan.Unit{}, p.Units...)
	q.Units[0].WeatherFactors = [2]float64{0.5, 0.25}
	q.Options.Weather = []plan.Spell{{From: start, Until: start.AddDate(0, 0, 2), State: plan.Rough}}
	narrow := p
	narrow.Units = append([]plan.Unit{}, p.Units...)
	narrow.Units[0].SweepWidthM /= 2
	narrow.Units[0].SweepLowM, narrow.Units[0].SweepHighM = 0, 0
	if rough, half := make1(t, q).Met, make1(t, narrow).Met; rough > 1.1*half || rough < 0.9*half {
		t.Errorf("rough all along meets %g, half the sweep width %g", rough, half)
	}
	q = p
	q.Units = append([]plan.Unit{}, p.Units...)
	q.Units[0].NightFactor, q.Units[0].WeatherFactors = 1, [2]float64{1, 1}
	near(t, "factors of 1", make1(t, q).Met, plain.Met, 1e-12)
}
