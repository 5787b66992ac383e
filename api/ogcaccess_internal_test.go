package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Circles see through the OGC API what they see elsewhere; whoever sees what is
// published filters nothing.
func TestOGCAsEveryone(t *testing.T) {
	g := newGuarded(t)
	csv, _ := spots(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", csv)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.want(401, "nobody", "GET", "/ogc", "")
	g.want(200, "nobody", "GET", "/ogc/conformance", "")
	g.want(403, "admin", "GET", "/ogc/collections", "")
	const items = "/ogc/collections/cases/items"
	if own := g.want(200, "polri", "GET", items+"?filter=kind+LIKE+%27irr%25%27", ""); !strings.Contains(own, `"numberMatched":68`) {
		t.Errorf("%.200s", own)
	}
	for _, who := range []string{"viewer", "planner my", "pdrm", "ngo"} {
		g.want(404, who, "GET", items, "")
		g.want(404, who, "GET", items+"/1", "")
		for _, path := range []string{"/ogc/collections", "/ogc/api", "/ogc"} {
			if body := g.want(200, who, "GET", path, ""); strings.Contains(body, "cases") {
				t.Errorf("%s is told of the layer by %s", who, path)
			}
		}
		hidden, absent := g.do(who, "GET", items, "").Body.String(), g.do(who, "GET", "/ogc/collections/nosuch/items", "").Body.String()
		if strings.ReplaceAll(hidden, "cases", "nosuch") != absent {
			t.Errorf("hidden: %s\nabsent: %s", hidden, absent)
		}
	}
	g.want(200, "viewer", "GET", "/ogc/collections/released_counts/items", "")
	g.want(403, "viewer", "GET", "/ogc/collections/released_counts/items?filter=%22from%22%3E10", "")
	g.want(403, "viewer", "GET", "/v1/layers/released_counts/features?filter=%22from%22%3E10", "")
	for who, allow := range map[string]string{"polri": "GET, HEAD, OPTIONS, POST", "viewer": "GET, HEAD, OPTIONS", "pdrm": "GET, HEAD, OPTIONS", "nobody": "GET, HEAD, OPTIONS"} {
		if got := g.do(who, "OPTIONS", items, "").Header().Get("Allow"); got != allow {
			t.Errorf("%s may %s, want %s", who, got, allow)
		}
	}
	feature := `{"type":"Feature","geometry":{"type":"Point","coordinates":[110,1]},"properties":{}}`
	g.want(404, "pdrm", "POST", items, feature)
	g.want(403, "imi", "POST", items, feature)
	g.want(403, "viewer", "POST", items, feature)
	g.want(403, "planner id", "DELETE", items+"/1", "")
	g.want(428, "polri", "DELETE", items+"/1", "")
}

// Whoever adds records without seeing any is told by POST of items, as by an
// upload, nothing of those that are there.
func TestOGCCreateUnseen(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "ngo", "PUT", "/v1/layers/own?kind=incident&mode=append", "id,lon,lat,occurred_from,kind\nN1,110.3,1.25,2026-10-01T00:00:00Z,irr.exit\n")
	r := httptest.NewRequest("POST", "/ogc/collections/own/items", strings.NewReader(
		`{"type":"Feature","geometry":{"type":"Point","coordinates":[110.3,1.25]},"properties":{"kind":"irr.exit","occurred_from":"2026-10-01T00:00:00Z"}}`))
	r.Header.Set("Content-Type", mediaGeoJSON)
	r.Header.Set("Authorization", "Bearer "+g.token["ngo"])
	w := record(g.h, r)
	if body := w.Body.String(); w.Code != 201 || strings.Contains(body, "already_stored") {
		t.Errorf("%d %s", w.Code, body)
	}
	for _, name := range []string{"Location", "ETag"} {
		if got := w.Header().Get(name); got != "" {
			t.Errorf("%s counts the features: %s", name, got)
		}
	}
}

// What OPTIONS lists may be done: contributors add and change nothing.
func TestOGCMethodsOfContributors(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "ngo", "PUT", "/v1/layers/own?kind=incident&mode=append", "id,lon,lat,occurred_from,kind\nN1,110.3,1.25,2026-10-01T00:00:00Z,irr.exit\n")
	for path, allow := range map[string]string{"": "GET, HEAD, OPTIONS, POST", "/1": "GET, HEAD, OPTIONS"} {
		if got := g.do("ngo", "OPTIONS", "/ogc/collections/own/items"+path, "").Header().Get("Allow"); got != allow {
			t.Errorf("items%s: %s, want %s", path, got, allow)
		}
	}
}
