package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

const planBody = `{"start":"2026-11-30T00:00:00Z","window_days":2,"cut_km":10%s,"units":[
	{"id":"KP-1","country":"ID","base":[110,0.95],"mode":"vehicle","hours":16,"speed_kmh":40},
	{"id":"KP 2","country":"ID","base":[111,0.95],"mode":"foot","hours":0,"speed_kmh":4},
	{"id":"KP 3","country":"ID","mode":"foot","hours":9,"speed_kmh":4}]}`

// bordered is a service with a border and a few incidents near it.
func bordered(t *testing.T) *guarded {
	g := newGuarded(t)
	g.border()
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident&classification=internal", manyRows(30))
	return g
}

// border loads the boundary layer as the reference layers are.
func (g *guarded) border() {
	g.t.Helper()
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary&classification=internal", borderFile)
}

func planOf(t *testing.T, body string) (p PlanAnswer) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanOfPlanner(t *testing.T) {
	g := bordered(t)
	w := g.do("planner id", "POST", "/v1/plans", fmt.Sprintf(planBody, `,"draw":2,"marginals":true,"what_if":true,"seed":3`))
	if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") || w.Header().Get("ETag") != "" || w.Header().Get(exportHeader) == "" {
		t.Fatalf("%d %v %.400s", w.Code, w.Header(), w.Body)
	}
	p := planOf(t, w.Body.String())
	if len(p.Sorties) == 0 || p.Sorties[0].Unit != "KP-1" || !p.Partial || len(p.Unused) != 2 || p.Unused[0].Reason != "no_hours" || p.Unused[1].Reason != "no_base" {
		t.Fatalf("%+v", p)
	}
	if p.Met <= 0 || p.UpperBound < p.Met || p.After.Mean >= p.Before.Mean || len(p.Residuals) == 0 || len(p.Draw) != 2 || len(p.Marginals) == 0 || p.WhatIf == nil || p.WhatIf.After > p.WhatIf.Before {
		t.Errorf("%+v", p)
	}
	if got := p.Draw[1][0].Departs.Sub(p.Start); got < 48*time.Hour {
		t.Errorf("the second window's first sortie leaves %v after the start", got)
	}
	for _, s := range p.Sorties {
		at, sections := s.Departs, 0
		for _, v := range s.Visits {
			hours := 0.0
			for _, x := range v.Sections {
				hours += x.Hours
				sections++
			}
			if v.Arrives.Before(at) || math.Abs(hours-v.Leaves.Sub(v.Arrives).Hours()) > 1e-3 {
				t.Errorf("%v: %+v", at, v)
			}
			at = v.Leaves
		}
		if at.After(s.Returns) || sections < len(s.Sections) || len(s.Visits) == 0 {
			t.Errorf("%+v", s)
		}
		if last := s.TrackS[len(s.TrackS)-1]; s.Departs.Add(time.Duration(last)*time.Second) != s.Returns {
			t.Errorf("track ends %d s after departure, the sortie %v", last, s.Returns.Sub(s.Departs))
		}
	}
	at := w.Header().Get("Location")
	if again := planOf(t, g.want(200, "planner id", "GET", at, "")); again.ID != p.ID || len(again.Sorties) != len(p.Sorties) || again.Met != p.Met {
		t.Errorf("read again: %+v", again)
	}
	if csv := g.want(200, "planner id", "GET", at+"?format=csv&unit=KP-1", ""); strings.Count(csv, "\n") != len(p.Sorties)+1 {
		t.Error(csv)
	}
	g.want(400, "planner id", "GET", at+"?unit=none", "")
	g.want(400, "planner id", "GET", at+"?format=shp", "")
	opensInGDAL(t, "plan.gpx", "tracks", g.want(200, "planner id", "GET", at+"?format=gpx&unit=KP-1", ""), len(p.Sorties))
	opensInGDAL(t, "plan.kml", "", g.want(200, "planner id", "GET", at+"?format=kml", ""), len(p.Sorties))
	opensInGDAL(t, "plan.geojson", "", g.want(200, "planner id", "GET", at+"?format=geojson", ""), len(p.Sorties))

	// A draft is for who made it.
	g.want(404, "planner my", "GET", at, "")
	g.want(404, "planner my", "DELETE", at, "")
	g.want(409, "planner id", "PATCH", at, `{"status":"released"}`)
	g.want(404, "planner my", "PATCH", at, `{"status":"kept"}`)
	g.want(204, "planner id", "DELETE", at, "")
	g.want(404, "planner id", "GET", at, "")
	g.want(404, "planner id", "PATCH", at, `{"status":"kept"}`)
}

// A draft that is kept is the same plan, past its hour as a draft and a start anew.
func TestDraftIsKept(t *testing.T) {
	g := bordered(t)
	body := fmt.Sprintf(planBody, "")
	draft := func() string {
		return "/v1/plans/" + planOf(t, g.want(200, "planner id", "POST", "/v1/plans", body)).ID
	}
	at := draft()
	before := planOf(t, g.want(200, "planner id", "GET", at, ""))
	if got := g.want(200, "planner id", "PATCH", at, `{"status":"kept"}`); !strings.Contains(got, `"status":"kept"`) || !strings.Contains(got, `"expires_at":"2026-12-05T00:00:00Z"`) {
		t.Error(got)
	}
	if got := g.want(409, "planner id", "PATCH", at, `{"status":"kept"}`); !strings.Contains(got, "plan_status") {
		t.Error(got)
	}
	if got := g.want(200, "planner id", "GET", "/v1/plans", ""); strings.Count(got, before.ID) != 1 {
		t.Errorf("the draft is still there: %s", got)
	}
	g.now = g.now.Add(2 * draftLasts)
	if after := planOf(t, g.want(200, "planner id", "GET", at, "")); after.Met != before.Met || len(after.Sorties) != len(before.Sorties) {
		t.Errorf("%v, was %v", after.Met, before.Met)
	}
	// One that finds no room stays a draft.
	list := g.s.books.plans.all()
	if err := g.s.books.plans.change(t.Context(), func([]keptPlan) ([]keptPlan, error) {
		full := slices.Clone(list)
		for len(full) < mostKeptPlans {
			full = append(full, keptPlan{ID: fmt.Sprint(len(full)), Status: planKept, ExpiresAt: full[0].ExpiresAt})
		}
		return full, nil
	}); err != nil {
		t.Fatal(err)
	}
	at = draft()
	g.want(409, "planner id", "PATCH", at, `{"status":"kept"}`)
	g.want(200, "planner id", "GET", at, "")
	// Nor is one kept whose days are over.
	body = strings.Replace(body, "2026-11-30", "2020-11-30", 1)
	g.want(422, "planner id", "PATCH", draft(), `{"status":"kept"}`)
}

// opensInGDAL counts the features that GDAL finds.
func opensInGDAL(t *testing.T, name, layer, body string, want int) {
	t.Helper()
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ogrinfo is missing: install gdal-bin")
		}
		t.Logf("SKIPPED: %s was not opened in GDAL, there is no ogrinfo", name)
		return
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-ro", "-so", "-al", path}
	if layer != "" {
		args = []string{"-ro", "-so", path, layer}
	}
	out, err := exec.Command("ogrinfo", args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("Feature Count: %d\n", want)) {
		t.Errorf("%s: %v, want %d features\n%s", name, err, want, out)
	}
}

func TestPlansAreForPlannersOfTheirCountry(t *testing.T) {
	g := bordered(t)
	body := fmt.Sprintf(planBody, "")
	for who, want := range map[string]int{"nobody": 401, "viewer": 403, "ngo": 403, "polri": 403, "admin": 403} {
		g.want(want, who, "POST", "/v1/plans", body)
		g.want(want, who, "GET", "/v1/plans", "")
	}
	for body, want := range map[string]struct {
		status int
		says   string
	}{
		``:                            {400, "units"},
		`{"units":[],"colour":1}`:     {400, "colour"},
		`{"units":[]}`:                {422, "list at least one"},
		`[{"id":"A","country":"XX"}]`: {422, "units[0].country"},
		`[{"id":"A","country":"ID","speed_kmh":1e300}]`:                                    {422, "1000 km/h"},
		`[{"id":"A","country":"ID","sweep_low_m":5}]`:                                      {422, "sweep_low_m"},
		`[{"id":"3174051234567890","country":"ID"}]`:                                       {422, "call sign"},
		`[{"id":"A","country":"ID"},{"id":"A","country":"ID"}]`:                            {422, "twice"},
		`{"units":[{"id":"A","country":"ID"}],"window_days":60}`:                           {422, "window_days"},
		`{"units":[{"id":"A","country":"ID"}],"exploration_share":2}`:                      {422, "exploration_share"},
		`{"units":[{"id":"A","country":"ID"}],"cut_km":0.01}`:                              {422, "cut_km"},
		`{"units":[{"id":"A","country":"ID"}],"draw":99}`:                                  {422, "draw"},
		`{"units":[{"id":"A","country":"MY"}]}`:                                            {403, "joint_corridors"},
		`{"units":[{"id":"A","country":"ID"}],"joint_corridors":[{}]}`:                     {422, "sections or a bbox"},
		`{"units":[{"id":"A","country":"ID"}],"joint_corridors":[{"bbox":[110,0,111,2]}]}`: {409, "POST /v1/requests"},
	} {
		if got := g.want(want.status, "planner id", "POST", "/v1/plans", body); !strings.Contains(got, want.says) {
			t.Errorf("%s\n%s", body, got)
		}
	}
	// Nothing that can be used is a plan without sorties, and says so.
	p := planOf(t, g.want(200, "planner id", "POST", "/v1/plans", `[{"id":"A","country":"ID"}]`))
	if len(p.Sorties) != 0 || !p.Partial || len(p.Because) == 0 || p.Unused[0].Reason != "no_hours" {
		t.Errorf("%+v", p)
	}
}

// A joint plan: agreed on by a request, kept, released to the partner, agreed to,
// counted as evidence, forgotten when its time is over.
func TestJointPlan(t *testing.T) {
	g := bordered(t)
	due := keyNow.AddDate(0, 0, 7).Format(time.DateOnly)
	q := id(t, g.want(201, "planner id", "POST", "/v1/requests", fmt.Sprintf(`{"to":"MY/MMEA","kind":"joint_plan","subject":"JP-1","due":%q}`, due)))
	start := keyNow.Add(24 * time.Hour).Format(time.RFC3339)
	body := fmt.Sprintf(`{"start":%q,"window_days":2,"cut_km":10,"keep":true,"joint_corridors":[{"request":%q,"bbox":[109,0,112,2]}],"units":[
		{"id":"KP-1","country":"ID","base":[110,0.95],"mode":"vehicle","hours":16,"speed_kmh":40},{"id":"M-1","country":"MY","base":[111,1.05],"mode":"vehicle","hours":16,"speed_kmh":40}]}`, start, q)
	g.want(409, "planner id", "POST", "/v1/plans", body)
	g.want(200, "planner my", "PATCH", "/v1/requests/"+q, `{"status":"answered"}`)
	p := planOf(t, g.want(200, "planner id", "POST", "/v1/plans", body))
	if len(p.Units) != 2 {
		t.Fatalf("both units have a part: %+v %+v", p.Units, p.Unused)
	}
	at := "/v1/plans/" + p.ID
	g.want(404, "planner my", "GET", at, "")
	g.want(409, "planner id", "PATCH", at, `{"status":"agreed"}`)
	g.want(200, "planner id", "PATCH", at, `{"status":"released"}`)
	if got := g.want(200, "planner my", "GET", "/v1/plans", ""); !strings.Contains(got, `"may_agree":true`) || strings.Contains(got, "packed") || strings.Contains(got, "key_id") {
		t.Error(got)
	}
	g.want(403, "planner my", "DELETE", at, "")
	g.want(403, "polri", "GET", at, "")
	g.want(200, "planner my", "PATCH", at, `{"status":"agreed"}`)
	g.want(200, "planner my", "GET", at+"?format=gpx", "")
	if got := g.want(200, "planner id", "GET", "/v1/collaboration", ""); !strings.Contains(got, `"plan_agreed"`) || strings.Contains(got, `"what":"joint_plan"`) {
		t.Error(got)
	}
	g.now = g.now.AddDate(0, 0, 10)
	if got := g.want(200, "planner id", "GET", "/v1/plans", ""); strings.Contains(got, p.ID) {
		t.Errorf("a plan whose time is over is listed: %s", got)
	}
	g.want(404, "planner id", "GET", at, "")
	if raw, err := g.s.opts.Store.Setting(t.Context(), plansSetting); err != nil || strings.Contains(string(raw), "packed") {
		t.Errorf("its sorties are still stored: %v %.200s", err, raw)
	}
}

func TestPlanAsJob(t *testing.T) {
	g := bordered(t)
	r := httptest.NewRequest("POST", "/v1/plans", strings.NewReader(fmt.Sprintf(planBody, "")))
	r.Header.Set("Authorization", "Bearer "+g.token["planner id"])
	r.Header.Set("Prefer", "respond-async")
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	if w.Code != 202 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var j jobAnswer
	for range 600 {
		if err := json.Unmarshal([]byte(g.want(200, "planner id", "GET", w.Header().Get("Location"), "")), &j); err != nil {
			t.Fatal(err)
		}
		if j.Status == jobDone || j.Status == jobFailed {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if j.Status != jobDone || j.Plan == "" {
		t.Fatalf("%+v", j)
	}
	g.want(404, "planner my", "GET", w.Header().Get("Location"), "")
	if p := planOf(t, g.want(200, "planner id", "GET", j.Plan, "")); len(p.Sorties) == 0 {
		t.Errorf("%+v", p)
	}
}

// What the plan routes answer is what the document says.
func TestPlansInDocument(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	g := bordered(t)
	body := g.want(200, "planner id", "POST", "/v1/plans", fmt.Sprintf(planBody, `,"draw":1,"marginals":true,"what_if":true`))
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	if err := doc.Components.Schemas["Plan"].Value.VisitJSON(v); err != nil {
		t.Error(err)
	}
}
