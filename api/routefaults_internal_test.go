package api

import (
	"fmt"
	"strings"
	"testing"
)

// Ends and sizes that a matrix cannot have are faults of the question, in a
// comparison too.
func TestMatrixThatCannotBe(t *testing.T) {
	g := newTravelled(t, false)
	list := func(n int, lat float64) string {
		var places []string
		for i := range n {
			places = append(places, fmt.Sprintf("[%g,%g]", 110+0.01*float64(i), lat))
		}
		return "[" + strings.Join(places, ",") + "]"
	}
	post := `{"at":[110.15,1],"radius_m":5000,"country":"ID"}`
	for _, c := range []struct{ path, question, says string }{
		{"find", `{"mode":"foot","matrix":{"origins":[[10,1]],"destinations":[[110.5,1.2]]}}`, "outside of the graph"},
		{"find", `{"mode":"foot","matrix":{"origins":[[110.5,0.8]],"destinations":[[10,1],[10,2]]}}`, "outside of the graph"},
		{"find", `{"mode":"foot","matrix":{"origins":` + list(100, 0.8) + `,"destinations":` + list(100, 1.2) + `,"crossings":` + list(21, 1) + `}}`, "ask for fewer"},
		{"whatif", `{"add":{"posts":[` + post + `]},"ways":{"mode":"foot","origins":[[10,1]],"destinations":[[110.5,1.2]]}}`, "outside of the graph"},
	} {
		w := g.do("planner id", "POST", "/v1/routes/"+c.path, c.question)
		if w.Code != 422 || !strings.Contains(w.Body.String(), c.says) || !strings.Contains(w.Body.String(), "invalid_ends") {
			t.Errorf("%.120s: %d %s, want %q", c.question, w.Code, w.Body, c.says)
		}
	}
	if w := g.do("planner id", "POST", "/v1/routes/find", `{`+ends+`,"front":true,"interdict":{"k":1}}`); w.Code != 400 || !strings.Contains(w.Body.String(), "leave out front") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
