package api

import (
	"encoding/json"
	"strings"
	"testing"
)

// An agency makes itself no second agency: its keys for others are approved by
// those, and one that was not never decides on what the maker asks for.
func TestNobodyMakesTheirSecondAgency(t *testing.T) {
	g := newGuarded(t)
	for name, q := range map[string]KeyRequest{"bnpp": {Role: Analyst, Agency: "BNPP", Country: "ID", Days: 30}, "kemenlu": {Role: Admin, Agency: "KEMENLU", Country: "ID", Days: 30}} {
		_, token, err := g.s.opts.SignIn.Keys.Create(q, keyNow)
		if err != nil {
			t.Fatal(err)
		}
		g.token[name] = token
	}
	g.now = g.now.Add(keyPoll)
	made := func(who, approver, agency, name string) {
		t.Helper()
		ask := `{"role":"admin","agency":"` + agency + `","country":"ID","days":30}`
		held := g.held(who, "POST", "/v1/keys", ask)
		g.want(200, approver, "POST", "/v1/approvals/"+held, yes)
		w := g.with(held, who, "POST", "/v1/keys", ask)
		var k struct{ Key string }
		if err := json.Unmarshal(w.Body.Bytes(), &k); err != nil || w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		g.token[name] = k.Key
		g.now = g.now.Add(keyPoll)
	}
	// IMI has a key that may decide: only IMI approves another of it.
	held := g.held("admin", "POST", "/v1/keys", `{"role":"analyst","agency":"IMI","country":"ID","days":30}`)
	g.want(403, "polri", "POST", "/v1/approvals/"+held, yes)
	g.want(403, "kemenlu", "POST", "/v1/approvals/"+held, yes)
	g.want(200, "imi", "POST", "/v1/approvals/"+held, yes)
	// BAKAMLA has none: an administrator of a third agency does, no analyst.
	held = g.held("admin", "POST", "/v1/keys", `{"role":"admin","agency":"BAKAMLA","country":"ID","days":30}`)
	g.want(403, "polri", "POST", "/v1/approvals/"+held, yes)
	made("admin", "kemenlu", "BAKAMLA", "puppet")
	g.want(201, "bnpp", "PUT", "/v1/layers/cases?kind=incident", manyRows(3))
	g.want(201, "polri", "PUT", "/v1/layers/theirs?kind=incident", manyRows(3))
	held = g.held("bnpp", "DELETE", "/v1/layers/cases?reason=duplicate", "")
	if body := g.want(403, "puppet", "POST", "/v1/approvals/"+held, yes); !strings.Contains(body, "not_independent") {
		t.Error(body)
	}
	// Nor does a key that the first made; for others both are a second agency's.
	made("puppet", "kemenlu", "BASARNAS", "puppet 2")
	g.want(403, "puppet 2", "POST", "/v1/approvals/"+held, yes)
	g.want(200, "imi", "POST", "/v1/approvals/"+held, yes)
	held = g.held("polri", "DELETE", "/v1/layers/theirs?reason=duplicate", "")
	g.want(200, "puppet 2", "POST", "/v1/approvals/"+held, yes)
	list, err := g.s.opts.SignIn.Keys.List()
	if err != nil || list[len(list)-1].Made == nil || list[len(list)-1].Made.By.Agency != "BAKAMLA" {
		t.Errorf("where the key is from is not kept: %+v %v", list[len(list)-1], err)
	}
}
