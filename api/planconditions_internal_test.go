package api

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/surface"
	"github.com/sempadan/sempadan/tiles"
)

// Each thing that cannot be met is told by a code, in the reader's language, and the
// rest is planned.
func TestPlanTellsWhatCannotBeMet(t *testing.T) {
	g := bordered(t)
	g.want(201, "polri", "PUT", "/v1/layers/lands?kind=area&classification=internal",
		`{"type":"Feature","properties":{"country":"MY"},"geometry":{"type":"Polygon","coordinates":[[[109,1.02],[112,1.02],[112,2],[109,2],[109,1.02]]]}}`)
	const rest = `,"country":"ID","mode":"vehicle","speed_kmh":40`
	for name, c := range map[string]struct{ unit, reason, code string }{
		"no hours":      {`"base":[110,0.95],"hours":0`, "no_hours", "units_unused"},
		"no base":       {`"hours":16`, "no_base", "units_unused"},
		"over there":    {`"base":[110,1.05],"hours":16`, "base_in_other_country", "units_unused"},
		"too far":       {`"base":[100,-5],"hours":16`, "out_of_reach", "units_unused"},
		"no endurance":  {`"base":[110,0.95],"hours":16,"endurance_h":0.5`, "no_endurance", "units_unused"},
		"too many":      {`"base":[110,0.95],"hours":47`, "", "hours_too_many"},
		"below nothing": {`"base":[110,0.95],"hours":-4`, "no_hours", "units_unused"},
	} {
		body := fmt.Sprintf(`{"start":"2026-11-30T00:00:00Z","window_days":2,"cut_km":10,"exploration_share":0,"units":[{"id":"OK-1"%s,"base":[110,0.95],"hours":16},{"id":"X-1"%s,%s}]}`, rest, rest, c.unit)
		texts := map[string]bool{}
		for _, lang := range []string{"en", "id", "ms"} {
			p := planOf(t, g.want(200, "planner id", "POST", "/v1/plans?lang="+lang, body))
			if !p.Partial || len(p.Sorties) == 0 || len(p.Because) != 1 || p.Because[0].Code != c.code || p.Because[0].Text == "" {
				t.Fatalf("%s: partial %v, %d sorties, %+v", name, p.Partial, len(p.Sorties), p.Because)
			}
			said := p.Because[0].Text
			if c.reason != "" {
				if len(p.Unused) != 1 || p.Unused[0].Unit != "X-1" || string(p.Unused[0].Reason) != c.reason {
					t.Fatalf("%s: %+v", name, p.Unused)
				}
				said += p.Unused[0].Text
			}
			if strings.Contains(said, "%!") {
				t.Error(said)
			}
			texts[said+p.BoundFor+p.NightIs] = true
		}
		if len(texts) != 3 {
			t.Errorf("%s: three languages say %v", name, texts)
		}
	}
	// More exploration than any unit can reach.
	body := `{"start":"2026-11-30T00:00:00Z","window_days":2,"cut_km":10,"exploration_share":1,"units":[{"id":"F-1","country":"ID","base":[110,0.99],"mode":"foot","hours":20,"endurance_h":4,"speed_kmh":4}]}`
	p := planOf(t, g.want(200, "planner id", "POST", "/v1/plans", body))
	if got := p.Because; !p.Partial || len(got) != 1 || got[0].Code != plan.ExplorationShort && got[0].Code != plan.UnitsUnused {
		t.Errorf("%+v", got)
	}
	g.want(400, "planner id", "POST", "/v1/plans?lang=fr", body)
	for bad, says := range map[string]string{
		`[{"id":"A","country":"ID","sweep_width_night_m":-1}]`:                                                                                  "units[0].sweep_width_night_m",
		`[{"id":"A","country":"ID","weather_factors":[0.5]}]`:                                                                                   "units[0].weather_factors",
		`{"units":[{"id":"A","country":"ID"}],"weather":[{"from":"2026-11-30T00:00:00Z","until":"2026-11-29T00:00:00Z","wind_kt":20}]}`:         "weather[0]",
		`{"units":[{"id":"A","country":"ID"}],"weather":[{"from":"2026-11-30T00:00:00Z","until":"2026-12-01T00:00:00Z","wind_kt":2000}]}`:       "weather[0]",
		`{"units":[{"id":"A","country":"ID"}],"weather":[{"from":"2026-11-30T00:00:00Z","until":"2026-12-01T00:00:00Z","wind_kt":2,"rain":1}]}`: "",
	} {
		status := 422
		if says == "" {
			status = 400
		}
		if got := g.want(status, "planner id", "POST", "/v1/plans", bad); !strings.Contains(got, says) {
			t.Error(got)
		}
	}
}

// Every code and reason has words in both other languages.
func TestPlanWordsAreWhole(t *testing.T) {
	for _, code := range []string{plan.UnitsUnused, plan.HoursTooMany, plan.ExplorationShort, plan.NothingExpected} {
		for _, lang := range []tiles.Lang{tiles.Indonesian, tiles.Malay} {
			if planBecauses[code].In(lang) == "" {
				t.Errorf("%s has no words in %s", code, lang)
			}
		}
	}
	for _, reason := range []plan.Reason{plan.NoHours, plan.NoBase, plan.ForeignBase, plan.NoSpeed, plan.NoSight, plan.NoEndurance, plan.NoMedium, plan.NoMandate, plan.TooFar, plan.NoNeed} {
		if w := unusedWords[reason]; w.ID == "" || w.MS == "" {
			t.Errorf("%s has no words", reason)
		}
	}
}

// By hand: a sea boat sees 2,000 m, by night 0.3 of it, in wind over 15 kt half, over 25
// kt a quarter (the model's defaults); weather is nothing to a patrol on foot; what a
// unit says itself counts.
func TestPlanConditions(t *testing.T) {
	q, err := ReadPlanRequest([]byte(`{"units":[{"id":"B","country":"ID","mode":"sea_boat"},{"id":"F","country":"ID","mode":"foot"},
		{"id":"R","country":"ID","mode":"sea_boat","sweep_width_m":5000,"sweep_width_night_m":4000,"weather_factors":[0.9,0.8]}],
		"weather":[{"from":"2026-11-30T00:00:00+08:00","until":"2026-12-01T00:00:00Z","wind_kt":16},{"from":"2026-12-01T00:00:00Z","until":"2026-12-02T00:00:00Z","sea_ft":5},
		{"from":"2026-12-02T00:00:00Z","until":"2026-12-03T00:00:00Z","wind_kt":15}]}`))
	if err != nil {
		t.Fatal(err)
	}
	m := surface.DefaultCoverageModel()
	want := [][3]float64{{0.3, 0.5, 0.25}, {0.5, 1, 1}, {0.8, 0.9, 0.8}}
	for i, u := range q.units(&m) {
		for k, got := range []float64{u.NightFactor, u.WeatherFactors[0], u.WeatherFactors[1]} {
			if math.Abs(got-want[i][k]) > 1e-12 {
				t.Errorf("%s: %g %g", u.ID, u.NightFactor, u.WeatherFactors)
			}
		}
	}
	s := q.spells(&m)
	if len(s) != 3 || s[0].State != plan.Rough || s[1].State != plan.Worse || s[2].State != plan.Calm || !s[0].From.Equal(time.Date(2026, 11, 29, 16, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", s)
	}
}
