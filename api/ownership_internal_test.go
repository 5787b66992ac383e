package api

import (
	"encoding/json"
	"strings"
	"testing"
)

const oldTrack = "track_id,time,lon,lat,agency,country,mode\n" +
	"CANARY,2026-11-01T01:00:00Z,110.30,1.00,POLRI,ID,foot\nCANARY,2026-11-01T01:20:00Z,110.31,1.00,POLRI,ID,foot\nCANARY,2026-11-01T01:40:00Z,110.32,1.01,POLRI,ID,foot\n"

// Tracks are raw for the agency whose they are alone, whatever the class of
// their layer; others of the country have them over blocks, after the embargo.
func TestTracksAreOfTheirAgency(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.want(201, "polri", "PUT", "/v1/layers/tracks?kind=patrol_track", oldTrack)
	for who, status := range map[string]int{"polri": 200, "imi": 404, "planner id": 404, "planner my": 404, "pdrm": 404, "viewer": 404, "ngo": 404} {
		for _, path := range []string{"/v1/layers/tracks/features", "/v1/layers/tracks", "/tiles/layers/tracks/8/206/127.mvt", "/tiles/layers/tracks.json", "/ogc/collections/tracks/items"} {
			if w := g.do(who, "GET", path, ""); w.Code != status {
				t.Errorf("%s as %s: %d, want %d", path, who, w.Code, status)
			}
		}
	}
	var report struct {
		Annex struct {
			Inputs []struct{ Layer string }
			Tracks int     `json:"patrol_tracks"`
			KM     float64 `json:"patrol_track_km"`
			Latest string  `json:"latest_presence"`
		}
	}
	body := g.want(200, "planner id", "GET", "/v1/gaps", "")
	if err := json.Unmarshal([]byte(body), &report); err != nil {
		t.Fatal(err)
	}
	if a := report.Annex; a.Tracks != 0 || a.KM != 0 || strings.Contains(a.Latest, "T01:") || a.Latest == "" {
		t.Errorf("the annex tells of the tracks of others: %+v", a)
	}
	for _, in := range report.Annex.Inputs {
		if in.Layer == "tracks" {
			t.Error("the annex names a layer that is not there")
		}
	}
}

// An explanation names the records of layers that one sees, and of no others.
func TestExplanationsNameNoHiddenLayer(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	g.want(201, "polri", "PUT", "/v1/layers/closed?kind=incident&classification=restricted", "id,lon,lat,occurred_from,kind\nONE0,110.3,1.0,2026-10-01,irr.exit\n")
	const at = "/v1/risk?lon=110.3&lat=1.0"
	if body := g.want(200, "polri", "GET", at, ""); !strings.Contains(body, "ONE0") {
		t.Fatalf("its own agency is not told: %s", body)
	}
	for _, path := range []string{at, "/v1/gaps", "/v1/sections", "/v1/crossings"} {
		if body := g.want(200, "planner id", "GET", path, ""); strings.Contains(body, "ONE0") || strings.Contains(body, "closed") {
			t.Errorf("%s names what is not there: %s", path, body)
		}
	}
	if body := g.want(200, "planner id", "GET", at, ""); !strings.Contains(body, `"share"`) {
		t.Errorf("the incident does not count: %s", body)
	}
}

// What works on everybody's data is of one agency, or takes two.
func TestSharedSettingsHaveOwners(t *testing.T) {
	g := newGuarded(t)
	const profile = `{"kind":"incident","map":{"lat":"y","lon":"x"}}`
	g.want(200, "polri", "PUT", "/v1/profiles/std", profile)
	g.want(200, "polri", "PUT", "/v1/profiles/std", profile)
	for _, who := range []string{"imi", "pdrm"} {
		g.want(409, who, "PUT", "/v1/profiles/std", `{"kind":"incident","map":{"lat":"y","lon":"x","release":"=public_aggregate"}}`)
	}
	const model = `{"window_days":31}`
	ask := g.held("polri", "PUT", "/v1/model", model)
	g.want(403, "polri 2", "POST", "/v1/approvals/"+ask, yes)
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "PUT", "/v1/model", model); w.Code != 200 || !strings.Contains(w.Body.String(), `"window_days":31`) {
		t.Errorf("approved: %d %.200s", w.Code, w.Body)
	}
}

// An NGO reports incidents; it draws no border and patrols nowhere.
func TestContributorsReportIncidents(t *testing.T) {
	g := newGuarded(t)
	g.want(403, "ngo", "PUT", "/v1/layers/t?kind=patrol_track&mode=append", oldTrack)
	g.want(403, "ngo", "PUT", "/v1/layers/b?kind=boundary&mode=append", borderFile)
	g.want(403, "ngo", "PUT", "/v1/layers/b?mode=append", borderFile)
	g.want(201, "ngo", "PUT", "/v1/layers/i?kind=incident&mode=append", "id,lon,lat,occurred_from,kind\nN1,110.3,1.0,2026-10-01,irr.exit\n")
}

// The other country's administrators verify the log of both, and read theirs.
func TestAuditIsReadByCountry(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	g.want(201, "polri", "PUT", "/v1/layers/hush?kind=incident&classification=secret", tenRows)
	g.want(200, "polri", "DELETE", "/v1/layers/hush/features/r1?reason=twice", "")
	g.want(200, "pdrm", "GET", "/v1/gaps", "")
	if body := g.want(200, "admin", "GET", "/v1/audit", ""); !strings.Contains(body, "hush") || strings.Contains(body, "PDRM") {
		t.Errorf("an Indonesian administrator reads %s", body)
	}
	if body := g.want(200, "admin my", "GET", "/v1/audit", ""); strings.Contains(body, "hush") || strings.Contains(body, "POLRI") || !strings.Contains(body, "PDRM") {
		t.Errorf("a Malaysian administrator reads %s", body)
	}
	for _, id := range []string{"r0", "fid:1", "none"} {
		g.want(404, "admin my", "GET", "/v1/audit/exposure?layer=hush&id="+id, "")
	}
	g.want(200, "admin", "GET", "/v1/audit/exposure?layer=hush&id=r0", "")
	if body := g.want(200, "pdrm", "GET", "/v1/retention", ""); strings.Contains(body, "hush") {
		t.Errorf("the partner is told %s", body)
	}
}

func TestOriginsOfEmbeds(t *testing.T) {
	for text, good := range map[string]bool{
		"https://example.org": true, "http://localhost:8080": true, "https://a-b.example.org:8443": true, "http://[::1]:80": true,
		"https://*": false, "https://*.example.org": false, "https://a.example;sandbox": false, "https://a.example 'self'": false, "https://": false,
		"https://a.example/": false, "https://a.example\nx": false, "null": false, "https://-a.example": false, "HTTPS://a.example": false, "ftp://a.example": false,
		"https://a.example,b": false, "https://a@b.example": false,
	} {
		if isOrigin(text) != good {
			t.Errorf("%q: %v, want %v", text, !good, good)
		}
	}
}
