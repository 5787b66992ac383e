package api

import (
	"fmt"
	"strings"
	"testing"
)

// Who takes ways out as a file is named in it and on the log, as with other exports.
func TestExportedWaysAreMarked(t *testing.T) {
	g := newTravelled(t, true)
	for _, format := range []string{"gpx", "geojson"} {
		w := g.do("planner id", "POST", "/v1/routes/find?format="+format, `{`+ends+`}`)
		id := w.Header().Get(exportHeader)
		if w.Code != 200 || id == "" || !strings.Contains(w.Body.String(), id) || !strings.Contains(w.Body.String(), "ID/POLAIRUD") {
			t.Errorf("%s: %d %q %.400s", format, w.Code, id, w.Body)
		}
		if log := fmt.Sprint(g.log()); !strings.Contains(log, id) {
			t.Errorf("the log does not have %s: %.400s", id, log)
		}
	}
}

// A plan of which a part is asked for that there is not is not made.
func TestNoPlanForUnknownUnit(t *testing.T) {
	g := bordered(t)
	g.want(400, "planner id", "POST", "/v1/plans?unit=KP-9", fmt.Sprintf(planBody, `,"keep":true`))
	if list := g.want(200, "planner id", "GET", "/v1/plans", ""); strings.Contains(list, `"id"`) {
		t.Errorf("a plan was kept all the same: %s", list)
	}
	g.want(200, "planner id", "POST", "/v1/plans?unit=KP-1", fmt.Sprintf(planBody, ""))
}
