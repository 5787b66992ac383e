package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// joint is a service in which everything that the parties keep together is
// there, with the ids.
func joint(t *testing.T) (g *guarded, ids map[string]string) {
	g = newGuarded(t, signedAgreement())
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(rawRows+2))
	g.want(201, "pdrm", "PUT", "/v1/layers/kes?kind=incident", manyRows(20))
	ids = map[string]string{"agreement": "a-1"}
	ids["approval"] = g.held("polri", "GET", "/v1/layers/cases/features", "")
	due := keyNow.AddDate(0, 0, 7).Format(time.DateOnly)
	ids["request"] = id(t, g.want(201, "polri", "POST", "/v1/requests", fmt.Sprintf(`{"to":"MY/PDRM","kind":"statistics","subject":"S-1","due":%q}`, due)))
	for _, k := range g.s.gate.keys.byID {
		if k.Agency == "IMI" {
			ids["key"] = k.ID
		}
	}
	g.want(200, "polri", "DELETE", "/v1/layers/cases/features/M1?reason=entered+twice", "")
	return g, ids
}

// What belongs to others answers like what is not there: same status, body and
// headers.
func TestOthersIDsAreNotThere(t *testing.T) {
	g, ids := joint(t)
	for _, c := range []struct{ who, method, path, id, body string }{
		{"planner my", "GET", "/v1/approvals/%s", ids["approval"], ""}, {"pdrm", "GET", "/v1/approvals/%s", ids["approval"], ""},
		{"admin my", "POST", "/v1/approvals/%s", ids["approval"], yes}, {"pdrm", "POST", "/v1/approvals/%s", ids["approval"], yes},
		{"planner id", "GET", "/v1/approvals/%s", ids["approval"], ""},
		{"imi", "GET", "/v1/requests/%s", ids["request"], ""}, {"planner my", "GET", "/v1/requests/%s", ids["request"], ""},
		{"imi", "PATCH", "/v1/requests/%s", ids["request"], `{"status":"withdrawn"}`}, {"planner my", "PATCH", "/v1/requests/%s", ids["request"], `{"status":"answered"}`},
		{"admin my", "DELETE", "/v1/keys/%s", ids["key"], ""},
		{"pdrm", "PATCH", "/v1/layers/%s", "cases", `{"classification":"internal"}`}, {"polri", "PATCH", "/v1/layers/%s", "kes", `{"classification":"internal"}`},
		{"pdrm", "DELETE", "/v1/layers/%s", "cases", ""}, {"pdrm", "PUT", "/v1/layers/%s/features/M2/status", "cases", `{"status":"rejected"}`},
	} {
		const none = "zz-none"
		hidden, absent := g.do(c.who, c.method, fmt.Sprintf(c.path, c.id), c.body), g.do(c.who, c.method, fmt.Sprintf(c.path, none), c.body)
		same := func(w *httptest.ResponseRecorder) string {
			h := w.Header().Clone()
			h.Del("Content-Length")
			return fmt.Sprint(w.Code, h, strings.ReplaceAll(w.Body.String(), c.id, none))
		}
		if hidden.Code != 404 || same(hidden) != same(absent) {
			t.Errorf("%s %s as %s:\n%s\n%s", c.method, c.path, c.who, same(hidden), same(absent))
		}
	}
}

// A walk as everyone through what the parties keep together: what each role and
// agency reads of it.
func TestWalkThroughJointWork(t *testing.T) {
	g, ids := joint(t)
	sees := map[string]map[string]bool{}
	for _, who := range []string{"polri", "polri 2", "imi", "pdrm", "planner id", "planner my", "admin", "admin my", "viewer", "ngo"} {
		sees[who] = map[string]bool{}
		for what, path := range map[string]string{"agreement": "/v1/agreements", "approval": "/v1/approvals", "request": "/v1/requests", "key": "/v1/keys", "tombstone": "/v1/tombstones", "pair": "/v1/collaboration"} {
			w := g.do(who, "GET", path, "")
			mark := ids[what]
			switch what {
			case "tombstone":
				mark = `"M1"`
			case "pair":
				mark = `"my":"MY/PDRM"`
			}
			if w.Code != 200 && w.Code != 403 {
				t.Errorf("%s as %s: %d", path, who, w.Code)
			}
			sees[who][what] = w.Code == 200 && strings.Contains(w.Body.String(), mark)
		}
	}
	want := map[string]string{
		"polri": "agreement approval request tombstone pair", "polri 2": "agreement approval request tombstone pair", "imi": "agreement approval",
		"pdrm": "agreement request pair", "planner id": "agreement", "planner my": "agreement", "admin": "agreement approval key", "admin my": "agreement",
		"viewer": "", "ngo": "",
	}
	for who, list := range want {
		got := []string{}
		for _, what := range []string{"agreement", "approval", "request", "key", "tombstone", "pair"} {
			if sees[who][what] {
				got = append(got, what)
			}
		}
		if strings.Join(got, " ") != list {
			t.Errorf("%s sees %q, want %q", who, got, list)
		}
	}
}

// What the new routes answer is what the document says.
func TestJointAnswersAreDocumented(t *testing.T) {
	g, ids := joint(t)
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	check := func(who, method, path, route, body string, status int) {
		t.Helper()
		op := doc.Paths.Value(route).GetOperation(method)
		var v any
		if err := json.Unmarshal([]byte(g.want(status, who, method, path, body)), &v); err != nil {
			t.Fatal(err)
		}
		if err := op.Responses.Status(status).Value.Content.Get("application/json").Schema.Value.VisitJSON(v); err != nil {
			t.Errorf("%s %s: %v", method, route, err)
		}
	}
	for _, c := range []struct{ who, path, route string }{
		{"polri", "/v1/agreements", ""}, {"polri", "/v1/agreements/a-1", "/v1/agreements/{id}"}, {"polri", "/v1/approvals", ""},
		{"polri", "/v1/approvals/" + ids["approval"], "/v1/approvals/{id}"}, {"polri", "/v1/requests", ""}, {"polri", "/v1/requests/" + ids["request"], "/v1/requests/{id}"},
		{"polri", "/v1/tombstones", ""}, {"polri", "/v1/collaboration", ""}, {"admin", "/v1/keys", ""},
	} {
		if c.route == "" {
			c.route = c.path
		}
		check(c.who, "GET", c.path, c.route, "", 200)
	}
	expires := keyNow.AddDate(0, 1, 0).Format(time.RFC3339)
	check("admin", "POST", "/v1/agreements", "/v1/agreements", fmt.Sprintf(proposal, expires, ""), 201)
	check("polri", "GET", "/v1/layers/cases/features", "/v1/layers/{id}/features", "", 202)
	check("admin", "POST", "/v1/keys", "/v1/keys", `{"role":"viewer","agency":"X","country":"ID","days":3}`, 202)
	check("polri", "PATCH", "/v1/layers/cases", "/v1/layers/{id}", `{"classification":"secret"}`, 202)
	check("polri", "DELETE", "/v1/layers/cases", "/v1/layers/{id}", "", 202)
	check("imi", "POST", "/v1/approvals/"+ids["approval"], "/v1/approvals/{id}", no, 200)
	check("pdrm", "PATCH", "/v1/requests/"+ids["request"], "/v1/requests/{id}", `{"status":"declined"}`, 200)
	check("polri", "PUT", "/v1/layers/cases/features/M2/status", "/v1/layers/{id}/features/{fid}/status", `{"status":"presumed"}`, 200)
}
