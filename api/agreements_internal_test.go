package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// agree puts agreements into the service's book, as they are.
func (g *guarded) agree(agreements ...Agreement) {
	g.t.Helper()
	err := g.s.books.agreements.change(g.t.Context(), func(list []Agreement) ([]Agreement, error) {
		return append(slices.Clone(list), agreements...), nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
}

// signedAgreement is one by which Malaysia sees what Indonesia shares.
func signedAgreement() Agreement {
	word := func(country, agency string) PartyWord { return PartyWord{country, agency, "k", keyNow} }
	return Agreement{ID: "a-1", From: "ID", To: "MY", Purpose: "joint patrols", Layers: []string{}, Kinds: []geo.LayerKind{}, Fields: []string{}, CellKM: 5, K: 5, ProposedAt: keyNow,
		ExpiresAt: keyNow.AddDate(1, 0, 0), Signatures: []PartyWord{word("ID", "BNPP"), word("MY", "MAPO")}}
}

// cellsOf are the released cells that somebody sees: their widths in degrees and
// their properties.
func (g *guarded) cellsOf(who string) (widths []float64, properties []map[string]any) {
	g.t.Helper()
	w := g.do(who, "GET", "/v1/layers/released_counts/features", "")
	if w.Code == 404 {
		return nil, nil
	}
	var fc struct {
		Features []struct {
			Geometry   struct{ Coordinates [][][2]float64 }
			Properties map[string]any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &fc); err != nil {
		g.t.Fatalf("%v: %.200s", err, w.Body)
	}
	for _, f := range fc.Features {
		ring := f.Geometry.Coordinates[0]
		lo, hi := ring[0][0], ring[0][0]
		for _, p := range ring {
			lo, hi = min(lo, p[0]), max(hi, p[0])
		}
		widths, properties = append(widths, hi-lo), append(properties, f.Properties)
	}
	return widths, properties
}

func id(t *testing.T, body string) string {
	t.Helper()
	var v struct{ ID string }
	if err := json.Unmarshal([]byte(body), &v); err != nil || v.ID == "" {
		t.Fatalf("no id in %s", body)
	}
	return v.ID
}

const proposal = `{"from":"ID","to":"MY","purpose":"joint patrols","expires_at":"%s"%s}`

// An agreement is proposed by one country and signed by the other; the partner's
// planners see counts while it is in force, and nothing a moment after.
func TestAgreementLife(t *testing.T) {
	g := newGuarded(t)
	csv, _ := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	propose := func(who, more string) string {
		return id(t, g.want(201, who, "POST", "/v1/agreements", fmt.Sprintf(proposal, keyNow.AddDate(0, 0, 10).Format(time.RFC3339), more)))
	}
	sees := func(who string) bool { widths, _ := g.cellsOf(who); return len(widths) > 0 }
	one := propose("admin", "")
	if sees("planner my") {
		t.Error("a proposal is in force")
	}
	g.want(403, "admin", "POST", "/v1/agreements/"+one, `{"decision":"approve"}`)
	g.want(403, "polri", "POST", "/v1/agreements/"+one, `{"decision":"approve"}`)
	g.want(403, "planner my", "POST", "/v1/agreements", "{}")
	g.want(403, "viewer", "GET", "/v1/agreements", "")
	if body := g.want(200, "admin my", "POST", "/v1/agreements/"+one, `{"decision":"approve"}`); !strings.Contains(body, `"status":"in_force"`) {
		t.Error(body)
	}
	g.want(409, "admin my", "POST", "/v1/agreements/"+one, `{"decision":"approve"}`)
	if !sees("planner my") || !sees("pdrm") {
		t.Error("the partner sees nothing")
	}
	// Until the instant it ends, and not one second longer.
	g.now = keyNow.AddDate(0, 0, 10).Add(-time.Second)
	if !sees("planner my") {
		t.Error("it ended early")
	}
	g.now = g.now.Add(time.Second)
	if sees("planner my") || sees("pdrm") {
		t.Error("it did not end")
	}
	if body := g.want(200, "planner my", "GET", "/v1/agreements/"+one, ""); !strings.Contains(body, `"status":"expired"`) {
		t.Error(body)
	}
	// Either party ends one at once.
	g.now = keyNow
	for _, by := range []string{"admin", "admin my"} {
		two := propose("admin my", "")
		g.want(200, "admin", "POST", "/v1/agreements/"+two, `{"decision":"approve"}`)
		g.want(204, "admin", "DELETE", "/v1/agreements/"+one, "")
		if !sees("planner my") {
			t.Error("the second agreement does not count")
		}
		g.want(204, by, "DELETE", "/v1/agreements/"+two, "")
		if sees("planner my") {
			t.Errorf("%s ended it, and it goes on", by)
		}
		one = propose("admin my", "")
	}
	g.want(404, "admin", "DELETE", "/v1/agreements/a-none", "")
	g.want(200, "admin", "POST", "/v1/agreements/"+one, `{"decision":"reject"}`)
	for _, bad := range []string{`,"cell_km":3`, `,"k":4`, `,"fields":["name"]`, `,"kinds":["boundary"]`, `,"layers":["../x"]`, `,"from":"MY"`} {
		g.want(422, "admin", "POST", "/v1/agreements", fmt.Sprintf(proposal, keyNow.AddDate(0, 0, 10).Format(time.RFC3339), bad))
	}
	g.want(422, "admin", "POST", "/v1/agreements", fmt.Sprintf(proposal, keyNow.AddDate(3, 0, 0).Format(time.RFC3339), ""))
}

// The terms of an agreement are in what the partner sees: cells, K, fields and
// layers.
func TestAgreementTerms(t *testing.T) {
	g := newGuarded(t)
	csv, _ := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	for _, c := range []struct {
		name   string
		change func(*Agreement)
		cells  bool
		width  float64 // of the finest cell, degrees
		kind   string
	}{
		{"as it comes", func(*Agreement) {}, true, 360.0 / 8192, ""},
		{"ten kilometres", func(a *Agreement) { a.CellKM = 10 }, true, 360.0 / 4096, ""},
		{"twenty", func(a *Agreement) { a.CellKM = 20 }, true, 360.0 / 2048, ""},
		{"too few", func(a *Agreement) { a.K = 100 }, false, 0, ""},
		{"another layer", func(a *Agreement) { a.Layers = []string{"other"} }, false, 0, ""},
		{"patrols only", func(a *Agreement) { a.Kinds = sharedKinds()[1:2] }, false, 0, ""},
		{"this layer, with kinds", func(a *Agreement) { a.Layers, a.Fields = []string{"cases"}, []string{"kind", "discovery"} }, true, 360.0 / 8192, "irr.exit"},
		{"the other way", func(a *Agreement) { a.From, a.To = "MY", "ID" }, false, 0, ""},
	} {
		a := signedAgreement()
		a.ID = "a-" + c.name
		c.change(&a)
		if err := g.s.books.agreements.change(t.Context(), func([]Agreement) ([]Agreement, error) { return []Agreement{a}, nil }); err != nil {
			t.Fatal(err)
		}
		widths, properties := g.cellsOf("planner my")
		if len(widths) > 0 != c.cells {
			t.Errorf("%s: %d cells", c.name, len(widths))
		}
		if !c.cells {
			continue
		}
		if got := slices.Min(widths); got < c.width*0.999 || got > c.width*1.001 {
			t.Errorf("%s: cells of %g degrees, want %g", c.name, got, c.width)
		}
		kinds := ""
		for _, p := range properties {
			if k, has := p["kind"].(string); has {
				kinds = k
			}
		}
		if kinds != c.kind {
			t.Errorf("%s: tells kind %q, want %q", c.name, kinds, c.kind)
		}
	}
	// A viewer's cells do not depend on agreements.
	before, _ := g.cellsOf("viewer my")
	if err := g.s.books.agreements.change(t.Context(), func([]Agreement) ([]Agreement, error) { return []Agreement{}, nil }); err != nil {
		t.Fatal(err)
	}
	if after, _ := g.cellsOf("viewer my"); len(before) == 0 || len(after) != len(before) {
		t.Errorf("a viewer saw %d cells and sees %d", len(before), len(after))
	}
}

// Property: whatever the terms, what a planner sees by an agreement less what a
// viewer sees inside it is no incident or at least as many as may be shown.
func TestAgreementTermsAreNested(t *testing.T) {
	for seed := range uint64(6) {
		g := newGuarded(t)
		csv, _ := spots(20 + seed)
		g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
		l := g.s.current().byID["cases"].layer
		viewer, planner := circle{Role: Viewer, Country: "MY"}, circle{Planner, "MY", "MMEA"}
		at := planner.terms().start(keyNow)
		exact := func(c circle, p pool) releaseCounts {
			_, list := splitRecords(l, c.member(), released, owner{"ID", "POLRI"})
			return c.release(map[pool][]pooled{p: list}, releaseCounts{}, releaseCounts{at: at})
		}
		wide := exact(viewer, pool{owner: owner{"ID", "POLRI"}})
		for _, km := range []float64{5, 10, 20} {
			for _, k := range []int{5, 10, 25} {
				a := Agreement{ID: "a", CellKM: km, K: k}
				for cell, n := range exact(planner, poolOf(owner{"ID", "POLRI"}, a, true)).counts {
					inside := 0
					for fine, m := range wide.counts {
						if fine.Level >= cell.Level && fine.In(cell.Level) == cell {
							inside += m
						}
					}
					if rest := n - inside; n < k || rest > 0 && rest < leastOfPartner {
						t.Errorf("seed %d, %g km, k %d: %+v has %d, of which a viewer sees %d", seed, km, k, cell, n, inside)
					}
				}
			}
		}
	}
}

// A value is told of a cell when K of its incidents there have it, not before.
func TestAgreementFieldsNeedK(t *testing.T) {
	g := newGuarded(t)
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,release,reporter_agency,discovery\n")
	for k := range 11 {
		kind := "irr.exit"
		if k >= 7 {
			kind = "som.attempt" // four
		}
		fmt.Fprintf(&b, "K%d,110.5%02d,1.0,2026-05-%02dT03:00:00Z,%s,bilateral,POLRI,patrol\n", k, k, 1+k, kind)
	}
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", b.String())
	a := signedAgreement()
	a.Fields = []string{"kind"}
	g.agree(a)
	_, properties := g.cellsOf("planner my")
	if len(properties) != 1 || properties[0]["kind"] != "irr.exit" || properties[0]["from"] != 10.0 {
		t.Errorf("%v", properties)
	}
}
