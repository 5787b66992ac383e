package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// with sends a request with an approval.
func (g *guarded) with(approval, who, method, path, body string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+g.token[who])
	r.Header.Set(approvalHeader, approval)
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	return w
}

// held asks for what takes two persons and returns the approval's id.
func (g *guarded) held(who, method, path, body string) string {
	g.t.Helper()
	w := g.do(who, method, path, body)
	if w.Code != 202 || !strings.HasPrefix(w.Header().Get("Location"), "/v1/approvals/p-") {
		g.t.Fatalf("%s %s: %d %v %.200s", method, path, w.Code, w.Header(), w.Body)
	}
	return strings.TrimPrefix(w.Header().Get("Location"), "/v1/approvals/")
}

// approved does what takes two persons, with the approval of another agency.
func (g *guarded) approved(status int, who, method, path string) {
	g.t.Helper()
	ask := g.held(who, method, path, "")
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, who, method, path, ""); w.Code != status {
		g.t.Fatalf("%s %s as %s, approved: %d, want %d: %.300s", method, path, who, w.Code, status, w.Body)
	}
}

const yes, no = `{"decision":"approve"}`, `{"decision":"reject"}`

// manyRows is more incidents than one person may read at once.
func manyRows(n int) string {
	var b strings.Builder
	b.WriteString("id,lon,lat,occurred_from,kind,release,reporter_agency,discovery\n")
	for k := range n {
		fmt.Fprintf(&b, "M%d,%.4f,%.4f,2026-05-%02dT03:00:00Z,irr.exit,bilateral,POLRI,patrol\n", k, 109.5+0.001*float64(k%900), 1.1+0.01*float64(k/900), 1+k%28)
	}
	return b.String()
}

// A raw export takes a second person of another agency, and then works once, for
// that very request, within an hour.
func TestRawExportTakesTwo(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/many?kind=incident", manyRows(rawRows+1))
	const path = "/v1/layers/many/features?format=csv"
	ask := g.held("polri", "GET", path, "")
	if again := g.held("polri", "GET", path, ""); again != ask {
		t.Errorf("asked twice: %s, %s", ask, again)
	}
	if w := g.do("polri", "GET", path, ""); strings.Contains(w.Body.String(), "irr.exit") || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("rows before approval: %v", w.Header())
	}
	// Nobody else's page, box or smaller part needs one; all pages do.
	g.want(200, "polri", "GET", "/v1/layers/many/features?limit=1000", "")
	var page struct{ Next string }
	if err := json.Unmarshal([]byte(g.want(200, "polri", "GET", "/v1/layers/many/features?limit=600", "")), &page); err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	g.held("polri", "GET", page.Next, "")
	g.held("polri", "GET", "/v1/layers/many/features?limit=10000", "")
	g.held("polri", "GET", "/v1/layers/many/within?lon=110&lat=1&radius_m=500000", "")
	g.held("polri", "GET", "/v1/layers/many/near?lon=110&lat=1&k=5000", "")
	g.want(200, "polri", "GET", "/v1/layers/many/near?lon=110&lat=1&k=20", "")
	for _, format := range []string{"geojson", "geojsonseq", "csv", "gpx", "kml", "kmz", "shp", "fgb", "parquet"} {
		g.held("polri", "GET", "/v1/layers/many/features?format="+format, "")
	}
	g.held("polri", "HEAD", path, "")
	// Who may not decide.
	g.want(403, "polri", "POST", "/v1/approvals/"+ask, yes)
	g.want(403, "polri 2", "POST", "/v1/approvals/"+ask, yes)
	g.want(403, "planner id", "POST", "/v1/approvals/"+ask, yes)
	hidden, absent := g.do("pdrm", "POST", "/v1/approvals/"+ask, yes), g.do("pdrm", "POST", "/v1/approvals/p-none", yes)
	if hidden.Code != 404 || strings.ReplaceAll(hidden.Body.String(), ask, "p-none") != absent.Body.String() {
		t.Errorf("hidden: %s\nabsent: %s", hidden.Body, absent.Body)
	}
	if w := g.with(ask, "polri", "GET", path, ""); w.Code != 202 {
		t.Errorf("before it is decided: %d", w.Code)
	}
	if body := g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes); !strings.Contains(body, `"status":"approved"`) {
		t.Error(body)
	}
	g.want(409, "admin", "POST", "/v1/approvals/"+ask, no)
	// For that request, of that person.
	for _, c := range []struct {
		who, method, path string
		want              int
	}{
		{"polri 2", "GET", path, 404}, {"imi", "GET", path, 404}, {"polri", "GET", "/v1/layers/many/features?format=kml", 409},
		{"polri", "GET", "/v1/layers/many/features", 409}, {"polri", "DELETE", "/v1/layers/many", 409},
	} {
		if w := g.with(ask, c.who, c.method, c.path, ""); w.Code != c.want {
			t.Errorf("%s %s as %s: %d, want %d: %s", c.method, c.path, c.who, w.Code, c.want, w.Body)
		}
	}
	w := g.with(ask, "polri", "GET", path, "")
	if w.Code != 200 || strings.Count(w.Body.String(), "irr.exit") != rawRows+1 {
		t.Fatalf("approved: %d %.200s", w.Code, w.Body)
	}
	if w := g.with(ask, "polri", "GET", path, ""); w.Code != 409 || !strings.Contains(w.Body.String(), "approval_used") {
		t.Errorf("twice: %d %s", w.Code, w.Body)
	}
	// Within its time.
	ask = g.held("polri", "GET", path, "")
	g.want(200, "admin", "POST", "/v1/approvals/"+ask, yes)
	g.now = g.now.Add(useWithin + time.Second)
	if w := g.with(ask, "polri", "GET", path, ""); w.Code != 409 || !strings.Contains(w.Body.String(), "approval_expired") {
		t.Errorf("late: %d %s", w.Code, w.Body)
	}
	ask = g.held("polri", "GET", path, "")
	g.want(200, "admin", "POST", "/v1/approvals/"+ask, no)
	if w := g.with(ask, "polri", "GET", path, ""); w.Code != 403 {
		t.Errorf("refused: %d", w.Code)
	}
	ask = g.held("polri", "GET", path, "")
	g.now = g.now.Add(decideWithin + time.Second)
	g.want(409, "admin", "POST", "/v1/approvals/"+ask, yes)
}

// What is public is read by anyone, whatever its size.
func TestPublicExportTakesOne(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/many?kind=incident", manyRows(rawRows+1))
	g.want(403, "polri", "PUT", "/v1/layers/other?kind=incident&classification=public", manyRows(2))
	ask := g.held("polri", "PATCH", "/v1/layers/many", `{"classification":"public"}`)
	g.want(404, "viewer my", "GET", "/v1/layers/many", "")
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	for _, body := range []string{`{"classification":"secret"}`, `{"classification":"public","release":"bilateral"}`} {
		if w := g.with(ask, "polri", "PATCH", "/v1/layers/many", body); w.Code != 409 {
			t.Errorf("another body: %d %s", w.Code, w.Body)
		}
	}
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/many", `{"classification":"public"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if n := strings.Count(g.want(200, "viewer my", "GET", "/v1/layers/many/features", ""), "irr.exit"); n != rawRows+1 {
		t.Errorf("a viewer reads %d rows of a public layer", n)
	}
}

// A layer's class and its records' release change with two persons, as a new
// version; an upload gives a class to a new layer only.
func TestReclassification(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident&classification=restricted", manyRows(20))
	g.want(400, "polri", "PUT", "/v1/layers/x?classification=hidden", manyRows(2))
	g.want(409, "polri", "PUT", "/v1/layers/cases?mode=append&classification=internal", strings.ReplaceAll(manyRows(2), "\nM", "\nN"))
	g.want(200, "polri", "PUT", "/v1/layers/cases?mode=append", strings.ReplaceAll(manyRows(2), "\nM", "\nN"))
	g.want(404, "imi", "GET", "/v1/layers/cases", "")
	g.want(422, "polri", "PATCH", "/v1/layers/cases", `{}`)
	g.want(422, "polri", "PATCH", "/v1/layers/cases", `{"classification":"hidden"}`)
	g.want(404, "pdrm", "PATCH", "/v1/layers/cases", `{"classification":"internal"}`)
	g.want(404, "imi", "PATCH", "/v1/layers/cases", `{"classification":"internal"}`)
	const body = `{"classification":"internal","release":"joint_plus_ngo"}`
	ask := g.held("polri", "PATCH", "/v1/layers/cases", body)
	g.want(200, "admin", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/cases", body); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if n := strings.Count(g.want(200, "imi", "GET", "/v1/layers/cases/features", ""), `"joint_plus_ngo"`); n != 22 {
		t.Errorf("%d records of 22 have the new release", n)
	}
	// As the store has it, too.
	l, err := g.s.opts.Store.Load(t.Context(), "cases")
	if err != nil || l.Info.Classification != classInternal || l.Len() != 22 || l.Text(0, "release") != "joint_plus_ngo" {
		t.Errorf("stored: %+v %v", l.Info, err)
	}
	ask = g.held("polri", "PATCH", "/v1/layers/cases", `{"classification":"secret"}`)
	g.want(200, "admin", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/cases", `{"classification":"secret"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if l, err = g.s.opts.Store.Load(t.Context(), "cases"); err != nil || l.Info.Classification != classSecret || l.Len() != 22 {
		t.Errorf("stored: %+v %v", l.Info, err)
	}
	g.want(404, "imi", "GET", "/v1/layers/cases", "")
}

// A layer is deleted by two persons and leaves a tombstone, which its owner sees
// and which an upload of the same name tells of.
func TestDeletionLeavesTombstone(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(5))
	g.want(200, "polri", "DELETE", "/v1/layers/cases/features/M1?reason=entered+twice", "")
	erase := g.held("polri", "DELETE", "/v1/layers/cases/features/M2?reason=on+request&erase=true", "")
	g.want(200, "imi", "POST", "/v1/approvals/"+erase, yes)
	if w := g.with(erase, "polri", "DELETE", "/v1/layers/cases/features/M2?reason=on+request&erase=true", ""); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if body := g.want(200, "polri", "PUT", "/v1/layers/cases?mode=append", manyRows(3)); !strings.Contains(body, "record_was_withdrawn") || !strings.Contains(body, "2 records") {
		t.Errorf("records come back unnoticed: %s", body)
	}
	g.want(400, "polri", "DELETE", "/v1/layers/cases?reason=because", "")
	g.want(404, "pdrm", "DELETE", "/v1/layers/cases", "")
	ask := g.held("polri", "DELETE", "/v1/layers/cases?reason=duplicate", "")
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "DELETE", "/v1/layers/cases?reason=error", ""); w.Code != 409 {
		t.Errorf("another reason: %d", w.Code)
	}
	if w := g.with(ask, "polri", "DELETE", "/v1/layers/cases?reason=duplicate", ""); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var list struct{ Tombstones []Tombstone }
	if err := json.Unmarshal([]byte(g.want(200, "polri", "GET", "/v1/tombstones?layer=cases", "")), &list); err != nil || len(list.Tombstones) != 3 {
		t.Fatalf("%+v %v", list, err)
	}
	if at := list.Tombstones[0]; at.Action != tombDelete || at.Reason != "duplicate" || at.By != "ID/POLRI" || at.Owner != "ID/POLRI" || !at.At.Equal(keyNow) {
		t.Errorf("%+v", at)
	}
	if e := list.Tombstones[1]; e.Record != "" || e.RecordSHA256 != recordDigest("cases", "M2") {
		t.Errorf("an erased record is named: %+v", e)
	}
	for _, other := range []string{"imi", "pdrm"} {
		if body := g.want(200, other, "GET", "/v1/tombstones", ""); strings.Contains(body, "cases") {
			t.Errorf("%s sees %s", other, body)
		}
	}
	if body := g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(1)); !strings.Contains(body, "layer_was_deleted") {
		t.Errorf("the layer comes back unnoticed: %s", body)
	}
}

// An administrator makes keys of the own country with a second administrator or
// analyst, and cannot make the one who would approve.
func TestKeysTakeTwo(t *testing.T) {
	g := newGuarded(t)
	const ask = `{"role":"analyst","agency":"BNPP","country":"ID","days":30}`
	g.want(403, "polri", "POST", "/v1/keys", ask)
	g.want(403, "admin", "POST", "/v1/keys", strings.Replace(ask, `"ID"`, `"MY"`, 1))
	g.want(422, "admin", "POST", "/v1/keys", strings.Replace(ask, "30", "400", 1))
	held := g.held("admin", "POST", "/v1/keys", ask)
	g.held("admin", "POST", "/v1/keys", strings.Replace(ask, "analyst", "admin", 1))
	g.want(403, "admin", "POST", "/v1/approvals/"+held, yes)
	g.want(404, "admin my", "POST", "/v1/approvals/"+held, yes)
	g.want(200, "polri", "POST", "/v1/approvals/"+held, yes)
	w := g.with(held, "admin", "POST", "/v1/keys", strings.Replace(ask, "30", "31", 1))
	if w.Code != 409 {
		t.Errorf("another key: %d", w.Code)
	}
	w = g.with(held, "admin", "POST", "/v1/keys", ask)
	if w.Code != http.StatusCreated || w.Header().Get("Cache-Control") != "private, no-store" {
		t.Fatalf("%d %s %v", w.Code, w.Body, w.Header())
	}
	var made struct{ ID, Key string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(keyPoll)
	g.token["new"] = made.Key
	g.want(200, "new", "GET", "/v1/layers", "")
	list := g.want(200, "admin", "GET", "/v1/keys", "")
	if !strings.Contains(list, made.ID) || strings.Contains(list, "sha256") || strings.Contains(list, "PDRM") {
		t.Errorf("keys: %s", list)
	}
	g.want(404, "admin my", "DELETE", "/v1/keys/"+made.ID, "")
	g.want(204, "admin", "DELETE", "/v1/keys/"+made.ID, "")
	g.now = g.now.Add(keyPoll)
	g.want(401, "new", "GET", "/v1/layers", "")
}

// Approvals outlast the service, and a small installation is told what to do.
func TestApprovalsAreKept(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "pdrm", "PUT", "/v1/layers/many?kind=incident", manyRows(rawRows+1))
	w := g.do("pdrm", "GET", "/v1/layers/many/features", "")
	if w.Code != 202 || strings.Contains(w.Body.String(), "No key here") { // MAPO's administrator may
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, k := range g.s.gate.keys.byID {
		if k.Agency == "MAPO" {
			g.want(204, "admin my", "DELETE", "/v1/keys/"+k.ID, "")
		}
	}
	if body := g.do("pdrm", "GET", "/v1/layers/many/features", "").Body.String(); !strings.Contains(body, "sempadan keys create --role admin") {
		t.Error(body)
	}
	before := g.want(200, "pdrm", "GET", "/v1/approvals", "")
	g.s.loadBooks(t.Context())
	if after := g.want(200, "pdrm", "GET", "/v1/approvals", ""); after != before || !strings.Contains(after, twoExport) {
		t.Errorf("%s\n%s", before, after)
	}
	if body := g.want(200, "planner id", "GET", "/v1/approvals", ""); strings.Contains(body, "p-") {
		t.Errorf("a planner of the partner sees %s", body)
	}
}
