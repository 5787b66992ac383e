package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// A patrol that goes slowly sweeps what a fast one does; what could not count is
// refused.
func TestAddedPatrolsCount(t *testing.T) {
	g := newTravelled(t, false)
	lowers := func(kmh float64) float64 {
		var out WhatIfAnswer
		question := fmt.Sprintf(`{"add":{"patrols":[{"line":[[110.1,1],[110.12,1]],"mode":"foot","country":"ID","sweep_width_m":500,"speed_kmh":%g,"times":3}]}}`, kmh)
		if err := json.Unmarshal([]byte(g.want(200, "planner id", "POST", "/v1/routes/whatif", question)), &out); err != nil {
			t.Fatal(err)
		}
		return out.ResidualBefore - out.ResidualAfter
	}
	usual := lowers(4)
	for _, kmh := range []float64{0.2, 0.9, 40} {
		if v := lowers(kmh); !(v > 0.5*usual) || v > 2*usual {
			t.Errorf("at %g km/h the residual falls by %g, at 4 by %g", kmh, v, usual)
		}
	}
	for question, says := range map[string]string{
		`"patrols":[{"line":[[110.1,1],[110.3,1]],"mode":"aircraft","country":"ID","speed_kmh":250}]`: "0.1 to 216",
		`"patrols":[{"line":[[110.1,1],[110.1,1]],"mode":"foot","country":"ID"}]`:                     "no line",
		`"posts":[{"at":[110,1],"country":"ID","bearing_deg":10,"fov_deg":0}]`:                        "fov_deg",
		`"posts":[{"at":[110,1],"country":"ID","bearing_deg":10,"fov_deg":-60}]`:                      "fov_deg",
		`"posts":[{"at":[110,1],"country":"ID","bearing_deg":4000,"fov_deg":60}]`:                     "bearing_deg",
	} {
		if w := g.do("planner id", "POST", "/v1/routes/whatif", `{"add":{`+question+`}}`); w.Code != 400 || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s, want %q", question, w.Code, w.Body, says)
		}
	}
}
