package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A request between two agencies is seen by these two alone, moves on by whoever
// may move it, and says how old and how late it is.
func TestRequestLog(t *testing.T) {
	g := newGuarded(t)
	ask := func(to, kind, subject, due string) string {
		return fmt.Sprintf(`{"to":%q,"kind":%q,"subject":%q,"due":%q}`, to, kind, subject, due)
	}
	due := keyNow.AddDate(0, 0, 14).Format(time.DateOnly)
	for _, bad := range []string{
		ask("ID/IMI", "record_check", "B-1", due), ask("MY/", "record_check", "B-1", due), ask("MY/PDRM", "gossip", "B-1", due),
		ask("MY/PDRM", "record_check", "a man called x", due), ask("MY/PDRM", "record_check", "A1234567", due),
		ask("MY/PDRM", "record_check", "3171234567890001", due), ask("MY/PDRM", "record_check", "900101-13-5678", due),
		ask("MY/PDRM", "record_check", "B-1", "2020-01-01"), ask("MY/PDRM", "record_check", "B-1", "soon"),
	} {
		g.want(422, "polri", "POST", "/v1/requests", bad)
	}
	g.want(400, "polri", "POST", "/v1/requests", strings.Replace(ask("MY/PDRM", "record_check", "B-1", due), "{", `{"note":"free text",`, 1))
	g.want(403, "admin", "GET", "/v1/requests", "")
	g.want(403, "ngo", "POST", "/v1/requests", "{}")
	one := id(t, g.want(201, "polri", "POST", "/v1/requests", ask("MY/PDRM", "record_check", "LP/12/2026", due)))
	for _, other := range []string{"imi", "planner id", "planner my"} {
		if body := g.want(200, other, "GET", "/v1/requests", ""); strings.Contains(body, one) {
			t.Errorf("%s sees %s", other, body)
		}
		for _, method := range []string{"GET", "PATCH"} {
			hidden, absent := g.do(other, method, "/v1/requests/"+one, `{"status":"answered"}`), g.do(other, method, "/v1/requests/q-none", `{"status":"answered"}`)
			if hidden.Code != 404 || strings.ReplaceAll(hidden.Body.String(), one, "q-none") != absent.Body.String() {
				t.Errorf("hidden: %s\nabsent: %s", hidden.Body, absent.Body)
			}
		}
	}
	state := func(who string) (q InfoRequest) {
		if err := json.Unmarshal([]byte(g.want(200, who, "GET", "/v1/requests/"+one, "")), &q); err != nil {
			t.Fatal(err)
		}
		return q
	}
	g.want(422, "polri", "PATCH", "/v1/requests/"+one, `{"status":"answered"}`)
	g.want(422, "pdrm", "PATCH", "/v1/requests/"+one, `{"status":"withdrawn"}`)
	g.want(200, "pdrm", "PATCH", "/v1/requests/"+one, `{"status":"accepted"}`)
	// The due day counts to its end.
	end := time.Date(keyNow.Year(), keyNow.Month(), keyNow.Day(), 0, 0, 0, 0, time.UTC).AddDate(0, 0, 15)
	g.now = end
	if q := state("pdrm"); q.Overdue {
		t.Errorf("overdue on its day: %+v", q)
	}
	g.now = end.Add(time.Second)
	if q := state("polri"); !q.Overdue || q.AgeDays < 14 || q.AgeDays > 15 {
		t.Errorf("%+v", q)
	}
	g.want(200, "pdrm", "PATCH", "/v1/requests/"+one, `{"status":"answered"}`)
	g.now = end.AddDate(0, 1, 0)
	if q := state("polri"); q.Status != requestAnswered || !q.Overdue || q.AgeDays > 15.1 || len(q.Steps) != 3 {
		t.Errorf("answered late: %+v", q)
	}
	g.want(409, "polri", "PATCH", "/v1/requests/"+one, `{"status":"withdrawn"}`)
}

// Each country sets its own legal status of a record, and neither the other's
// upload, correction nor rollback changes it.
func TestTwoLegalStatuses(t *testing.T) {
	a := signedAgreement()
	a.Fields = []string{statusField}
	g := newGuarded(t, a)
	rows := func(my string) string {
		return "id,lon,lat,occurred_from,kind,release,reporter_agency,discovery,status_id,status_my\n" +
			"R1,110.1,1.1,2026-05-01T03:00:00Z,tip.presumed,bilateral,POLRI,patrol,identified," + my + "\n" +
			"R2,110.2,1.1,2026-05-01T03:00:00Z,tip.presumed,national,POLRI,patrol,presumed," + my + "\n"
	}
	if body := g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", rows("rejected")); !strings.Contains(body, `"status_of_partner"`) {
		t.Errorf("Indonesia set a status of Malaysia: %s", body)
	}
	statuses := func(fid string) (out statusesAnswer) {
		var f struct{ Statuses statusesAnswer }
		if err := json.Unmarshal([]byte(g.want(200, "polri", "GET", "/v1/layers/cases/features/"+fid, "")), &f); err != nil {
			t.Fatal(err)
		}
		return f.Statuses
	}
	if st := statuses("R1"); st.ID != "identified" || st.MY != "unknown" || st.Crosswalk != idVictimOpen {
		t.Errorf("%+v", st)
	}
	const path = "/v1/layers/cases/features/R1/status"
	g.want(403, "planner my", "PUT", path, `{"status":"rejected"}`)
	g.want(422, "pdrm", "PUT", path, `{"status":"guilty"}`)
	g.want(404, "imi", "PUT", path, `{"status":"rejected"}`)
	g.want(404, "pdrm", "PUT", "/v1/layers/none/features/R1/status", `{"status":"rejected"}`)
	if body := g.want(200, "pdrm", "PUT", path, `{"status":"rejected"}`); !strings.Contains(body, `"victim_in_id_only"`) || strings.Contains(body, "110.1") {
		t.Errorf("%s", body)
	}
	// A national record does not leave its country, and is as one that is not there.
	hidden, absent := g.do("pdrm", "PUT", "/v1/layers/cases/features/R2/status", `{"status":"rejected"}`), g.do("pdrm", "PUT", "/v1/layers/cases/features/R9/status", `{"status":"rejected"}`)
	if hidden.Code != 404 || strings.ReplaceAll(hidden.Body.String(), "R2", "R9") != absent.Body.String() {
		t.Errorf("%s\n%s", hidden.Body, absent.Body)
	}
	check := func(what string) {
		t.Helper()
		if st := statuses("R1"); st.MY != "rejected" || !strings.HasPrefix(st.BasisMY, "PDRM 20") {
			t.Errorf("%s: %+v", what, st)
		}
	}
	check("set")
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident", rows("identified"))
	check("after a replacement")
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident&mode=upsert", rows("presumed"))
	check("after an upsert")
	g.want(403, "polri", "PATCH", "/v1/layers/cases/features/R1", `{"properties":{"status_my":"identified"},"reason":"wrong"}`)
	g.want(403, "polri", "PATCH", "/v1/layers/cases/features/R1", `{"properties":{"status_basis_my":null},"reason":"wrong"}`)
	g.want(200, "polri", "PATCH", "/v1/layers/cases/features/R1", `{"properties":{"status_id":"presumed"},"reason":"reviewed"}`)
	check("after a correction")
	g.want(409, "polri", "POST", "/v1/layers/cases/rollback", `{"version":1}`)
	g.want(200, "polri", "POST", "/v1/layers/cases/rollback", `{"version":4}`)
	check("after a rollback")
	g.want(200, "polri", "PUT", path, `{"status":"not_applicable"}`)
	if st := statuses("R1"); st.ID != "not_applicable" || st.MY != "rejected" || st.Crosswalk != neitherVictim {
		t.Errorf("%+v", st)
	}
	// The counts of both are in the report.
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	var report struct {
		Annex struct {
			Statuses statusCounts `json:"legal_statuses"`
			Notes    []string
		}
	}
	if err := json.Unmarshal([]byte(g.want(200, "polri", "GET", "/v1/gaps", "")), &report); err != nil {
		t.Fatal(err)
	}
	c := report.Annex.Statuses
	if c.Records != 2 || c.VictimID != 1 || c.VictimMY != 0 || c.ID["presumed"] != 1 || c.MY["rejected"] != 1 || c.Walk[idVictimOpen] != 1 || c.Walk[neitherVictim] != 1 {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(strings.Join(report.Annex.Notes, "\n"), "victims in 1 records by Indonesia and in 0 by Malaysia") {
		t.Errorf("%q", report.Annex.Notes)
	}
	// Without the agreement the record is not there.
	g.want(204, "admin", "DELETE", "/v1/agreements/a-1", "")
	g.want(404, "pdrm", "PUT", path, `{"status":"identified"}`)
}

// Every pair of statuses has one relation, which is the mirror of the pair turned
// round.
func TestCrosswalk(t *testing.T) {
	mirror := map[Crosswalk]Crosswalk{bothVictim: bothVictim, idVictim: myVictim, myVictim: idVictim, idVictimOpen: myVictimOpen,
		myVictimOpen: idVictimOpen, neitherVictim: neitherVictim, openInBoth: openInBoth}
	seen := map[Crosswalk]bool{}
	for _, a := range statusCodes() {
		for _, b := range statusCodes() {
			seen[crosswalkOf(a, b)] = true
			if mirror[crosswalkOf(a, b)] != crosswalkOf(b, a) {
				t.Errorf("%s, %s: %s, turned round %s", a, b, crosswalkOf(a, b), crosswalkOf(b, a))
			}
		}
	}
	if len(seen) != len(mirror) || len(statusCodes()) != 6 {
		t.Errorf("%d relations of %d statuses", len(seen), len(statusCodes()))
	}
}

// The stage of a pair of agencies is measured by what happened, one step at a
// time, and falls when it no longer does.
func TestCollaborationIsMeasured(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(20))
	g.want(201, "pdrm", "PUT", "/v1/layers/kes?kind=incident", manyRows(20))
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.want(201, "pdrm", "PUT", "/v1/layers/garis?kind=boundary", borderFile)
	g.want(200, "planner my", "GET", "/v1/sections", "")
	pair := func(who, id, my string) pairAnswer {
		t.Helper()
		var v struct{ Pairs []pairAnswer }
		if err := json.Unmarshal([]byte(g.want(200, who, "GET", "/v1/collaboration", "")), &v); err != nil {
			t.Fatal(err)
		}
		for _, p := range v.Pairs {
			if p.ID == id && p.MY == my {
				return p
			}
		}
		return pairAnswer{}
	}
	stage := func(want int, why string) {
		t.Helper()
		if p := pair("polri", "ID/POLRI", "MY/PDRM"); p.Stage != want || p.Name != polnerStages[want-1] {
			t.Errorf("%s: %+v, want stage %d", why, p, want)
		}
	}
	stage(1, "both are there")
	if p := pair("imi", "ID/POLRI", "MY/PDRM"); p.Stage != 0 {
		t.Error("another agency sees the pair")
	}
	request := func(kind string) string {
		body := fmt.Sprintf(`{"to":"MY/PDRM","kind":%q,"subject":"B-1","due":%q}`, kind, keyNow.AddDate(0, 0, 7).Format(time.DateOnly))
		return id(t, g.want(201, "polri", "POST", "/v1/requests", body))
	}
	answer := func(q string) { g.want(200, "pdrm", "PATCH", "/v1/requests/"+q, `{"status":"answered"}`) }
	one := request("record_check")
	stage(1, "a request is open")
	answer(one)
	stage(2, "it is answered")
	there, back := signedAgreement(), signedAgreement()
	back.ID, back.From, back.To = "a-2", "MY", "ID"
	g.agree(there)
	stage(3, "one shares")
	g.agree(back)
	stage(3, "both share")
	// Levels are signed by planners, of agencies of their own.
	sections := struct{ Sections []struct{ ID string } }{}
	if err := json.Unmarshal([]byte(g.want(200, "planner id", "GET", "/v1/sections", "")), &sections); err != nil || len(sections.Sections) == 0 {
		t.Fatal("no sections")
	}
	level := "/v1/sections/" + sections.Sections[0].ID + "/level"
	g.want(200, "planner id", "POST", level, `{"level":"high","party":"ID"}`)
	g.want(200, "planner my", "POST", level, `{"level":"high","party":"MY"}`)
	if p := pair("planner id", "ID/POLAIRUD", "MY/MMEA"); p.Stage != 1 || len(p.Evidence) != 1 || p.Evidence[0].Stage != 4 {
		t.Errorf("signatures without the steps before: %+v", p)
	}
	// The same with the agencies of the pair.
	for place, e := range g.s.levels.current.byPlace {
		for party, agency := range map[string]string{"ID": "POLRI", "MY": "PDRM"} {
			if sig, ok := e.Signatures[party]; ok {
				sig.Agency = agency
				e.Signatures[party] = sig
			}
		}
		g.s.levels.current.byPlace[place] = e
	}
	stage(4, "both signed a level")
	answer(request(requestJointPatrol))
	stage(4, "one joint patrol")
	answer(request(requestJointPlan))
	stage(5, "two")
	late := request("record_check")
	g.now = keyNow.AddDate(0, 0, 9)
	stage(4, "a request is overdue")
	answer(late)
	stage(5, "it is answered")
	g.want(204, "admin my", "DELETE", "/v1/agreements/a-2", "")
	stage(3, "one way has ended")
	g.now = keyNow.AddDate(1, 1, 0)
	if p := g.s.pairOf("ID/POLRI", "MY/PDRM"); p.Stage != 1 || len(p.Evidence) != 0 {
		t.Errorf("all is long ago: %+v", p)
	}
}
