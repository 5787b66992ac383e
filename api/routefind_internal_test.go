package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/paulmach/orb"
)

// newTravelled is a service with two countries on land that a border divides, a
// layer of posts of the own agency, and planners. The land is public.
func newTravelled(t *testing.T, audited bool) *guarded {
	t.Helper()
	g := newGuarded(t)
	if audited {
		g = newAudited(t, AuditOptions{})
	}
	square := func(s, n float64, country string) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"country":%q},"geometry":{"type":"Polygon","coordinates":[[[109.5,%g],[111.5,%g],[111.5,%g],[109.5,%[4]g],[109.5,%[2]g]]]}}`, country, s, s, n)
	}
	g.want(201, "polri", "PUT", "/v1/layers/land?kind=area", `{"type":"FeatureCollection","features":[`+square(0.5, 1, "ID")+","+square(1, 1.5, "MY")+`]}`)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", `{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[109.6,1],[111.4,1]]}}`)
	g.want(201, "polri", "PUT", "/v1/layers/wall?kind=area", square(0.9, 1.1, ""))
	for _, id := range []string{"land", "line", "wall"} {
		l := g.s.current().byID[id].layer
		info := l.Info
		info.Classification = classPublic
		g.s.replaceEntry(id, newEntry(l.WithInfo(info), true))
	}
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	g.want(201, "polri", "PUT", "/v1/layers/huts?kind=post", `{"type":"FeatureCollection","features":[`+
		`{"type":"Feature","id":"h1","properties":{"country":"ID","agency":"POLRI","radius_m":4000,"from":"2026-01-01T00:00:00Z"},"geometry":{"type":"Point","coordinates":[110.5,1]}}]}`)
	huts := g.s.current().byID["huts"].layer // of the planner's own agency
	info := huts.Info
	info.Owner = "ID/POLAIRUD"
	g.s.replaceEntry("huts", newEntry(huts.WithInfo(info), true))
	if err := g.s.reassess(context.Background()); err != nil {
		t.Fatal(err)
	}
	return g
}

const ends = `"from":[110.5,0.8],"to":[110.5,1.2],"mode":"foot"`

// Ways are for planners; nobody else is told, and each question is on the log with
// who asked, not with its places.
func TestWaysAreForPlanners(t *testing.T) {
	g := newTravelled(t, true)
	question := `{` + ends + `,"front":true}`
	for who, status := range map[string]int{"nobody": 401, "viewer": 403, "ngo": 403, "polri": 403, "admin": 403} {
		for _, path := range []string{"/v1/routes/find", "/v1/routes/whatif"} {
			if w := g.do(who, "POST", path, question); w.Code != status || strings.Contains(w.Body.String(), "ways") {
				t.Errorf("%s as %s: %d %s", path, who, w.Code, w.Body)
			}
		}
	}
	if w := g.do("nobody", "POST", "/v1/routes/find?token=abc", question); w.Code != 401 {
		t.Errorf("with a token: %d", w.Code)
	}
	var answers []*httptest.ResponseRecorder
	for range 2 {
		w := g.do("planner id", "POST", "/v1/routes/find", question)
		if c := w.Header().Get("Cache-Control"); w.Code != 200 || c != "private, no-store" || w.Header().Get("ETag") != "" {
			t.Fatalf("%d, Cache-Control %q: %.300s", w.Code, c, w.Body)
		}
		answers = append(answers, w)
	}
	if answers[0].Body.String() != answers[1].Body.String() {
		t.Error("the same question has two answers")
	}
	g.want(200, "planner id", "POST", "/v1/routes/score", `{"type":"LineString","coordinates":[[110.1,1],[110.3,1.01]]}`)
	var digests []string
	for _, e := range g.log() {
		if e.Action == "routes.find" && e.Outcome == "done" {
			digests = append(digests, strings.Join(e.Values, " "))
			if e.Role != "planner" || e.Agency != "POLAIRUD" || e.Detail != "front" || e.Actor == "" {
				t.Errorf("%+v", e)
			}
		}
		if raw, _ := json.Marshal(e); strings.Contains(string(raw), "110.5") {
			t.Errorf("the log has a place: %s", raw)
		}
	}
	if len(digests) != 2 || digests[0] == "" || digests[0] != digests[1] {
		t.Errorf("digests %q", digests)
	}
	told := strings.Join(g.told(), "\n")
	if !strings.Contains(told, "planner routes.score  done") || !strings.Contains(told, "analyst routes.find  refused 0 not_for_this_role") {
		t.Errorf("%s", told)
	}
	for _, rt := range g.s.ways {
		if strings.Contains(rt.path, "routes") && (rt.method != "POST" || strings.HasPrefix(rt.path, "/tiles") || strings.HasPrefix(rt.path, "/ogc")) {
			t.Errorf("%s %s", rt.method, rt.path)
		}
	}
}

func (g *guarded) asked(t *testing.T, status int, path, question string) (out RouteAnswer) {
	t.Helper()
	if err := json.Unmarshal([]byte(g.want(status, "planner id", "POST", path, question)), &out); status == 200 && err != nil {
		t.Fatal(err)
	}
	return out
}

// Each kind of question has its answer.
func TestFindAnswers(t *testing.T) {
	g := newTravelled(t, false)
	find := func(question string) RouteAnswer { return g.asked(t, 200, "/v1/routes/find", "{"+question+"}") }
	if two := find(ends).Ways; len(two) != 2 || two[0].Kind != "fastest" || two[1].Kind != "least_met" || two[0].Hours > two[1].Hours || len(two[0].Borders) != 1 || two[0].PIncident == nil {
		t.Errorf("%+v", two)
	}
	if k := find(ends + `,"k":3`); len(k.Ways) < 2 || k.Evasion == nil || k.Ways[0].P == nil {
		t.Errorf("%d ways", len(k.Ways))
	}
	if c := find(ends + `,"theta":10,"corridor":true`); len(c.Ways) != 1 || c.Corridor == nil || len(c.Corridor.Edges) == 0 || c.Corridor.MinCut == nil || c.Corridor.MinCut.Why == "" {
		t.Errorf("%+v", c)
	}
	m := find(`"mode":["foot","motorcycle"],"matrix":{"origins":[[110.5,0.8],[110.6,0.8]],"destinations":[[110.5,1.2]],"min_cut":true},"interdict":{"k":1}`)
	if m.Matrix == nil || m.Matrix.Pairs != 2 || len(m.Matrix.Entries) == 0 || m.Interdict == nil || len(m.Interdict.Crossings) != 1 || m.Interdict.After > m.Interdict.Before || m.MinCut == nil || len(m.MinCut.Squares) == 0 {
		t.Errorf("%+v", m)
	}
	cut := find(ends + `,"k":3,"interdict":{"k":2,"protect":1}`).Interdict
	if cut == nil || len(cut.Segments) != 2 || cut.After >= cut.Before {
		t.Fatalf("%+v", cut)
	}
	for _, s := range cut.Segments {
		if s.Box.Contains(orb.Point{110.5, 0.8}) || s.Box.Contains(orb.Point{110.5, 1.2}) {
			t.Error("an end is protected, which every way passes")
		}
	}
	if gpx := g.want(200, "planner id", "POST", "/v1/routes/find?format=gpx", "{"+ends+"}"); !strings.Contains(gpx, "<rte>") {
		t.Errorf("%.300s", gpx)
	}
	if drawn := g.want(200, "planner id", "POST", "/v1/routes/find?format=geojson", "{"+ends+`,"corridor":true}`); !strings.Contains(drawn, `"least_met"`) || !strings.Contains(drawn, `"pinch"`) {
		t.Errorf("%.300s", drawn)
	}
	round := find(ends + `,"theta":0,"avoid":[{"type":"Polygon","coordinates":[[[110.2,0.95],[110.8,0.95],[110.8,1.05],[110.2,1.05],[110.2,0.95]]]}]`)
	if straight := find(ends + `,"theta":0`); round.Ways[0].LengthM < 1.2*straight.Ways[0].LengthM {
		t.Errorf("%g m round the barrier, %g m straight", round.Ways[0].LengthM, straight.Ways[0].LengthM)
	}
}

// What cannot be answered says why, and what to do.
func TestFindRefuses(t *testing.T) {
	g := newTravelled(t, false)
	for question, want := range map[string]string{
		`{}`: "400 invalid_question from and to", `[]`: "400 invalid_body object", `{"from":[110.5,0.8]}`: "400 invalid_question from and to",
		`{"from":[0.8,110.5],"to":[110.5,1.2]}`: "400 invalid_body in this order", `{` + ends + `,"theta":-1}`: "400 invalid_question theta",
		`{` + ends + `,"k":11}`: "400 invalid_question 0 to 10", `{"from":[110.5,0.8],"to":[110.5,1.2],"mode":"horse"}`: "400 invalid_question river_boat",
		`{` + ends + `,"front":true,"theta":1}`: "400 invalid_question leave out", `{` + ends + `,"speed":1}`: "400 invalid_body speed",
		`{` + ends + `,"avoid":["wall"]}`: "422 no_way there is no way", `{` + ends + `,"avoid":["huts2"]}`: "422 no_such_barrier GET /v1/layers",
		`{` + ends + `,"avoid":[{"type":"Point","coordinates":[1,1]}]}`:      "400 invalid_body no area",
		`{"from":[10,0.8],"to":[110.5,1.2]}`:                                 "422 invalid_ends outside of the graph",
		`{"from":[110.5,0.8],"to":[110.5,1.2],"mode":"sea_boat"}`:            "422 invalid_ends another mode",
		`{"matrix":{"origins":[],"destinations":[[1,1]]}}`:                   "400 invalid_question at least one",
		`{` + ends + `,"interdict":{"k":0}}`:                                 "400 invalid_question 1 to 20",
		`{` + ends + `,"theta":"inf","k":4}`:                                 "400 invalid_question one way",
		`{` + ends + `,"matrix":{"origins":[[1,1]],"destinations":[[1,1]]}}`: "400 invalid_question ends of its own",
	} {
		w := g.do("planner id", "POST", "/v1/routes/find", question)
		var p problem
		_ = json.Unmarshal(w.Body.Bytes(), &p)
		parts := strings.SplitN(want, " ", 3)
		if fmt.Sprint(w.Code) != parts[0] || p.Code != parts[1] || !strings.Contains(p.Detail, parts[2]) {
			t.Errorf("%s: %d %s %s, want %s", question, w.Code, p.Code, p.Detail, want)
		}
	}
	empty := newGuarded(t)
	w := empty.do("planner id", "POST", "/v1/routes/find", `{`+ends+`}`)
	if w.Code != 409 || !strings.Contains(w.Body.String(), "load a boundary") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A post lowers what is undetected around it, and what a planner does not see can
// no more be taken away than what is not there.
func TestWhatIfOverHTTP(t *testing.T) {
	g := newTravelled(t, false)
	ask := func(who, question string, status int) (out WhatIfAnswer) {
		t.Helper()
		if err := json.Unmarshal([]byte(g.want(status, who, "POST", "/v1/routes/whatif", question)), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	post := `{"at":[110.15,1],"radius_m":5000,"country":"ID","agency":"POLRI"}`
	more := ask("planner id", `{"add":{"posts":[`+post+`]},"ways":{"origins":[[110.2,0.8]],"destinations":[[110.2,1.2]],"mode":"foot"}}`, 200)
	if more.ResidualAfter >= more.ResidualBefore || len(more.Sections) == 0 || more.Added != 1 || more.VersionAfter == more.VersionBefore || more.Displacement == nil {
		t.Errorf("%+v", more)
	}
	patrol := ask("planner id", `{"add":{"patrols":[{"line":[[110.1,1],[110.3,1]],"mode":"foot","country":"ID","times":20}],"sensors":[`+post+`]}}`, 200)
	if patrol.ResidualAfter >= more.ResidualAfter || patrol.Added != 21 {
		t.Errorf("%g with a patrol too, %g without; %d added", patrol.ResidualAfter, more.ResidualAfter, patrol.Added)
	}
	less := ask("planner id", `{"remove":[{"layer":"huts","id":"h1"}]}`, 200)
	if less.ResidualAfter <= less.ResidualBefore || less.Removed != 1 {
		t.Errorf("%+v", less)
	}
	hidden := g.do("planner my", "POST", "/v1/routes/whatif", `{"remove":[{"layer":"huts","id":"h1"}]}`)
	absent := g.do("planner my", "POST", "/v1/routes/whatif", `{"remove":[{"layer":"hutz","id":"h1"}]}`)
	if hidden.Code != 400 || hidden.Body.String() != strings.ReplaceAll(absent.Body.String(), "hutz", "huts") {
		t.Errorf("%d %s\n%d %s", hidden.Code, hidden.Body, absent.Code, absent.Body)
	}
	for question, says := range map[string]string{
		`{}`: "nothing is changed", `{"add":{"posts":[{"country":"ID"}]}}`: "no place", `{"add":{"posts":[{"at":[1,1],"country":"FR"}]}}`: "FR",
		`{"add":{"patrols":[{"line":[[1,1]],"mode":"foot","country":"ID"}]}}`:                          "two or more",
		`{"add":{"patrols":[{"line":[[1,1],[90,1]],"mode":"foot","country":"ID","times":500}]}}`:       "too much",
		`{"add":{"patrols":[{"line":[[1,1],[1,2]],"mode":"fixed","country":"ID"}]}}`:                   "drone",
		`{"remove":[{"layer":"huts","id":"h9"}]}`:                                                      "no such feature",
		`{"remove":[{"layer":"cases","id":"r1"}]}`:                                                     "posts or patrol tracks",
		`{"add":{"posts":[` + post + `]},"ways":{"origins":[[110.2,0.8]],"destinations":[]}}`:          "at least one",
		`{"add":{"posts":[{"at":[110,1],"country":"ID","from":"2026-01-02T00:00:00Z"}]}}`:              "to after it",
		`{"add":{"posts":[{"at":[110,1],"country":"ID","radius_m":1e9}]}}`:                             "100000",
		`{"add":{"patrols":[{"line":[[179,1],[-179,1]],"mode":"foot","country":"ID","times":1}]}}`:     "180th",
		`{"add":{"patrols":[{"line":[[1,1],[1,2]],"mode":"foot","country":"ID","every_h":-1}]}}`:       "every_h",
		`{"add":{"patrols":[{"line":[[1,1],[1,2]],"mode":"foot","country":"ID","speed_kmh":0.0001}]}}`: "speed_kmh",
	} {
		w := g.do("planner id", "POST", "/v1/routes/whatif", question)
		if w.Code != 400 || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s", question, w.Code, w.Body)
		}
	}
}

// Many who ask at once share one graph; a newer assessment takes its place, and
// there are never more than a few.
func TestGraphsAreSharedAndForgotten(t *testing.T) {
	g := newTravelled(t, false)
	a := g.s.assessment.Load()
	var wg sync.WaitGroup
	got := make([]any, 20)
	for i := range got {
		wg.Go(func() {
			graph, err := g.s.graphOf(context.Background(), a, fineCellM)
			if err != nil {
				t.Error(err)
			}
			got[i] = graph
		})
	}
	wg.Wait()
	for _, graph := range got {
		if graph != got[0] {
			t.Fatal("two graphs were laid")
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := g.s.graphOf(stopped, a, 20_000); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, cellM := range []float64{2000, 3000, 4000, 5000} {
		if _, err := g.s.graphOf(context.Background(), a, cellM); err != nil {
			t.Error(err)
		}
	}
	if n := len(g.s.graphs.made); n != mostGraphs {
		t.Errorf("%d graphs are kept, want %d", n, mostGraphs)
	}
	g.want(201, "polri", "PUT", "/v1/layers/cases2?kind=incident", tenRows)
	if _, err := g.s.graphOf(context.Background(), g.s.assessment.Load(), fineCellM); err != nil || len(g.s.graphs.made) != 1 {
		t.Errorf("%d graphs are kept after a new assessment, %v", len(g.s.graphs.made), err)
	}
	for key, k := range g.s.graphs.made {
		g.s.graphs.forget(key, k)
	}
	if len(g.s.graphs.made) != 0 {
		t.Error("an idle graph is not forgotten")
	}
}

// What is answered is what the OpenAPI document says.
func TestRouteAnswersAreDocumented(t *testing.T) {
	g := newTravelled(t, false)
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	for path, questions := range map[string][]string{
		"/v1/routes/score":  {`{"type":"LineString","coordinates":[[110.1,1],[110.3,1.01]]}`, `{"type":"MultiLineString","coordinates":[[[110.1,1],[110.3,1.01]],[[10,1],[11,1]]]}`},
		"/v1/routes/find":   {`{` + ends + `,"k":3,"corridor":true,"interdict":{"k":1}}`, `{"matrix":{"origins":[[110.5,0.8]],"destinations":[[110.5,1.2]]}}`},
		"/v1/routes/whatif": {`{"add":{"posts":[{"at":[110.15,1],"country":"ID"}]}}`},
	} {
		op := doc.Paths.Value(path).Post
		for _, question := range questions {
			var v any
			if err := json.Unmarshal([]byte(g.want(200, "planner id", "POST", path, question)), &v); err != nil {
				t.Fatal(err)
			}
			if err := op.Responses.Status(200).Value.Content.Get("application/json").Schema.Value.VisitJSON(v); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// No question brings the service down, and what passes the check has ends.
func FuzzRouteQuestion(f *testing.F) {
	f.Add(`{` + ends + `,"theta":"inf","k":2,"avoid":["a",{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]]]}]}`)
	f.Add(`{"matrix":{"origins":[[1,1]],"destinations":[[2,2]],"stretch":1},"interdict":{"k":1,"gamma":2}}`)
	f.Add(`{` + ends + `,"depart":"2026-11-22T20:00:00+08:00","corridor":true}`)
	f.Add(`{"matrix":{"origins":[[1,1]],"destinations":[[2,2]],"min_cut":true},"depart":"9999-12-31T23:59:60Z"}`)
	f.Add(`{"avoid":[{"type":"GeometryCollection","geometries":[]}],"from":[1e999,1],"mode":[null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var q RouteQuestion
		if json.Unmarshal([]byte(text), &q) != nil || q.Check() != nil {
			return
		}
		if q.Matrix == nil && (q.From == nil || q.To == nil) || len(q.Mode) == 0 || !(q.theta() >= 0) || q.kind() == "" {
			t.Errorf("%q passes the check", text)
		}
	})
}
