package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
)

// lateBody is a body before which something else happens.
type lateBody struct {
	io.Reader
	before func()
}

func (b *lateBody) Read(p []byte) (int, error) {
	if b.before != nil {
		before := b.before
		b.before = nil
		before()
	}
	return b.Reader.Read(p)
}

// late sends a request whose body comes after something else has happened.
func (g *guarded) late(who, method, path, body string, before func()) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, path, &lateBody{strings.NewReader(body), before})
	r.Header.Set("Authorization", "Bearer "+g.token[who])
	r.Header.Set("Content-Type", map[bool]string{true: "text/csv", false: "application/geo+json"}[strings.HasPrefix(body, "id,")])
	w := httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	return w
}

// A layer that came while the body of a request did is as safe from it as one
// that was there before.
func TestOwnershipIsCheckedAfterTheBody(t *testing.T) {
	g := newGuarded(t)
	feature := `{"type":"Feature","geometry":{"type":"Point","coordinates":[110,1]},"properties":{"kind":"irr.exit"}}`
	for k, c := range []struct{ method, path, body string }{
		{"PUT", "/v1/layers/%s?kind=incident", manyRows(3)}, {"PUT", "/v1/layers/%s?kind=incident&mode=append", manyRows(3)},
		{"PUT", "/v1/layers/%s?kind=incident&mode=upsert", manyRows(3)}, {"POST", "/v1/layers/%s/rollback", `{"version":1}`},
		{"PATCH", "/v1/layers/%s", `{"classification":"internal"}`}, {"PATCH", "/v1/layers/%s/features/M1", `{"properties":{"kind":"irr.entry"},"reason":"x"}`},
		{"POST", "/ogc/collections/%s/items", feature}, {"PUT", "/ogc/collections/%s/items/1", feature}, {"PATCH", "/ogc/collections/%s/items/1", `{"properties":{}}`},
	} {
		id := fmt.Sprintf("held%d", k)
		gone := "/v1/layers/" + id + "?reason=duplicate"
		if c.method != "PUT" || strings.HasPrefix(c.path, "/ogc") { // of what is not there they answer before the body
			g.want(201, "pdrm", "PUT", "/v1/layers/"+id+"?kind=incident", manyRows(2))
		}
		w := g.late("pdrm", c.method, fmt.Sprintf(c.path, id), c.body, func() {
			if g.s.current().byID[id] != nil {
				ask := g.held("pdrm", "DELETE", gone, "")
				g.want(200, "admin my", "POST", "/v1/approvals/"+ask, yes)
				g.with(ask, "pdrm", "DELETE", gone, "")
			}
			g.want(201, "polri", "PUT", "/v1/layers/"+id+"?kind=incident&classification=secret", manyRows(5))
		})
		if w.Code != 404 || strings.Contains(w.Body.String(), "irr.exit") {
			t.Errorf("%s %s: %d %.300s", c.method, c.path, w.Code, w.Body)
		}
		if l := g.s.current().byID[id].layer; l.Info.Version != 1 || l.Len() != 5 || l.Info.Owner != "ID/POLRI" {
			t.Errorf("%s %s changed the layer: %+v", c.method, c.path, l.Info)
		}
	}
	w := g.late("pdrm", "PUT", "/v1/layers/dry?kind=incident&dry_run=true", manyRows(3), func() {
		g.want(201, "polri", "PUT", "/v1/layers/dry?kind=incident&classification=secret", manyRows(5))
	})
	if body := w.Body.String(); w.Code != 200 || strings.Contains(body, `"before"`) || !strings.Contains(body, `"added":3`) || !strings.Contains(body, `"version":1`) {
		t.Errorf("a dry run tells of the layer: %d %.300s", w.Code, body)
	}
}

// Nobody alone lets stored records go further than they may.
func TestWideningTakesTwo(t *testing.T) {
	g := newGuarded(t)
	national := strings.ReplaceAll(manyRows(4), "bilateral", "national")
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", national)
	wide := strings.ReplaceAll(national, "national", "public_aggregate")
	noID := strings.ReplaceAll(wide, "\nM", "\nZ")
	for _, mode := range []string{"replace", "upsert", "append"} {
		for _, body := range []string{wide, noID} {
			g.held("polri", "PUT", "/v1/layers/cases?mode="+mode, body)
		}
	}
	g.held("polri", "PUT", "/v1/layers/cases?mode=upsert&map=release:%3Dbilateral", national)
	g.held("polri", "PATCH", "/v1/layers/cases/features/M1", `{"properties":{"release":"bilateral"},"reason":"agreed"}`)
	g.held("polri", "PATCH", "/v1/layers/cases/features/M1", `{"properties":{"handling":"TLP:CLEAR"},"reason":"agreed"}`)
	if v := g.s.current().byID["cases"].layer.Info.Version; v != 1 {
		t.Fatalf("version %d", v)
	}
	r := httptest.NewRequest("PATCH", "/ogc/collections/cases/items/1", strings.NewReader(`{"properties":{"release":"bilateral"}}`))
	r.Header.Set("Authorization", "Bearer "+g.token["polri"])
	r.Header.Set("Content-Type", mediaMergePatch)
	r.Header.Set("If-Match", "*")
	w := httptest.NewRecorder()
	if g.h.ServeHTTP(w, r); w.Code != 202 {
		t.Errorf("OGC edit: %d %s", w.Code, w.Body)
	}
	ask := g.held("polri", "PATCH", "/v1/layers/cases/features/M1", `{"properties":{"release":"joint_plus_ngo"},"reason":"agreed"}`)
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	if w := g.with(ask, "polri", "PATCH", "/v1/layers/cases/features/M1", `{"properties":{"release":"joint_plus_ngo"},"reason":"agreed"}`); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	// The way back is free, the way forth by a rollback is not.
	g.want(200, "polri", "PATCH", "/v1/layers/cases/features/M1", `{"properties":{"release":"national"},"reason":"ended"}`)
	g.held("polri", "POST", "/v1/layers/cases/rollback", `{"version":2}`)
	// A job says what it waits for.
	r = httptest.NewRequest("PUT", "/v1/layers/cases?mode=upsert", strings.NewReader(wide))
	r.Header.Set("Authorization", "Bearer "+g.token["polri"])
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Prefer", "respond-async")
	w = httptest.NewRecorder()
	g.h.ServeHTTP(w, r)
	for _, j := range g.s.jobs.byID {
		<-j.done
		if body := string(j.answer.Problem); !strings.Contains(body, "approval_needed") {
			t.Errorf("the job ended with %s", body)
		}
	}
}

// Nobody alone leaves out most of a layer; what somebody changes can be gone
// back to for a month, however many versions follow.
func TestReplacingMostTakesTwo(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(9))
	g.held("polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(1))
	g.held("polri", "PUT", "/v1/layers/cases?kind=incident", strings.ReplaceAll(manyRows(9), "\nM", "\nN"))
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident&dry_run=true", manyRows(1))
	g.want(200, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(8))
	for k := range 21 {
		g.want(200, "polri", "PATCH", "/v1/layers/cases/features/M1", fmt.Sprintf(`{"properties":{"n":%d},"reason":"count"}`, k))
	}
	if list, err := g.s.opts.Store.Versions(t.Context(), "cases"); err != nil || len(list) != 23 {
		t.Fatalf("%d versions are kept: %v", len(list), err)
	}
	if w := g.do("polri", "POST", "/v1/layers/cases/rollback", `{"version":1}`); w.Code != 200 {
		t.Errorf("the first version is gone: %d %s", w.Code, w.Body)
	}
	list, err := g.s.opts.Store.Versions(t.Context(), "cases")
	if err != nil || list[0].Provenance.User == "local" || list[0].Provenance.User == "" {
		t.Errorf("who went back is not kept: %+v %v", list[0].Provenance, err)
	}
}

// What is there for others only answers as what is not there.
func TestUnseenLayersAnswerAsAbsent(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/hid?kind=incident&classification=restricted", manyRows(5))
	for _, who := range []string{"pdrm", "imi", "ngo"} {
		for _, c := range []struct{ method, path string }{
			{"PUT", "/v1/layers/%s?kind=incident&mode=append&dry_run=true"}, {"POST", "/ogc/collections/%s/items"},
			{"DELETE", "/v1/layers/%s"}, {"DELETE", "/v1/layers/%s/features/M1?reason=x"}, {"GET", "/v1/layers/%s"},
		} {
			answer := func(id string) string {
				w := g.late(who, c.method, fmt.Sprintf(c.path, id), manyRows(2), nil)
				body := strings.ReplaceAll(w.Body.String(), id, "LAYER")
				if at := strings.Index(body, `"took_ms"`); at >= 0 {
					body = body[:at]
				}
				return fmt.Sprint(w.Code, body)
			}
			if hidden, absent := answer("hid"), answer("gone"); hidden != absent {
				t.Errorf("%s %s as %s:\n%s\n%s", c.method, c.path, who, hidden, absent)
			}
		}
		g.want(404, who, "PUT", "/v1/layers/hid?kind=incident&mode=append", manyRows(2))
	}
}

// Whoever adds to a layer without seeing it is told of their own file.
func TestContributorsLearnNothingOfRows(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "ngo", "PUT", "/v1/layers/own?kind=incident&mode=append", manyRows(5))
	for _, dry := range []string{"&dry_run=true", ""} {
		body := g.want(200, "ngo", "PUT", "/v1/layers/own?mode=append"+dry, manyRows(2))
		if strings.Contains(body, data.CheckAlreadyStored) || strings.Contains(body, `"unchanged":5`) {
			t.Errorf("told of stored rows: %s", body)
		}
	}
}

// A good key is good whatever others at its address try, and idempotency keys
// are each agency's own.
func TestGoodKeysAfterGuesses(t *testing.T) {
	g := newGuarded(t)
	g.token["guess"] = keyPrefix + "0123456789_" + strings.Repeat("A", 43)
	for range 40 {
		g.do("guess", "GET", "/v1/layers", "")
	}
	g.want(http.StatusTooManyRequests, "guess", "GET", "/v1/layers", "")
	g.want(200, "polri", "GET", "/v1/layers", "")
	for _, who := range []string{"polri", "pdrm"} {
		r := httptest.NewRequest("PUT", "/v1/layers/of-"+who+"?kind=incident", strings.NewReader(manyRows(2)))
		r.Header.Set("Authorization", "Bearer "+g.token[who])
		r.Header.Set("Content-Type", "text/csv")
		r.Header.Set("Idempotency-Key", "1")
		w := httptest.NewRecorder()
		if g.h.ServeHTTP(w, r); w.Code != 201 {
			t.Errorf("%s: %d %s", who, w.Code, w.Body)
		}
	}
}

// A key that is pasted where words go is not stored.
func TestKeysAreNotStoredAsWords(t *testing.T) {
	g := newGuarded(t)
	key := g.token["polri"]
	g.want(400, "polri", "PUT", "/v1/layers/"+key+"?kind=incident", manyRows(1))
	g.want(400, "polri", "PUT", "/v1/layers/a?kind=incident&title=my+"+key, manyRows(1))
	g.want(201, "polri", "PUT", "/v1/layers/a?kind=incident", manyRows(2))
	g.want(400, "polri", "DELETE", "/v1/layers/a/features/M1?reason="+key, "")
	for _, kind := range []string{"incident", "other"} {
		g.want(201, "polri", "PUT", "/v1/layers/b"+kind+"?kind="+kind, "id,lon,lat,occurred_from,kind,label\nA,110,1,2026-05-01T00:00:00Z,irr.exit,"+key+"\n")
		if body := g.want(200, "polri", "GET", "/v1/layers/b"+kind+"/features", ""); strings.Contains(body, key) {
			t.Errorf("%s: the key is stored: %s", kind, body)
		}
	}
}

// The log names a layer that came while the body did, at the time of writing.
func TestLateEntriesNameTheLayer(t *testing.T) {
	g := newAudited(t, AuditOptions{every: 1 << 40, retry: 1 << 40})
	began := g.now
	g.late("pdrm", "PUT", "/v1/layers/late?kind=incident", manyRows(3), func() {
		g.now = g.now.Add(60e9)
		g.want(201, "polri", "PUT", "/v1/layers/late?kind=incident&classification=secret", manyRows(5))
	})
	log := g.log()
	last := log[len(log)-1]
	if last.Object != "late" || last.Country != "MY" || last.Outcome != data.AuditRefused || !last.At.Equal(began.Add(60e9)) {
		t.Errorf("%+v", last)
	}
	g.late("polri", "PUT", "/v1/layers/later?kind=incident", manyRows(3), func() { g.now = g.now.Add(60e9) })
	log = g.log()
	if last = log[len(log)-1]; last.Object != "later" || !last.At.Equal(began.Add(120e9)) {
		t.Errorf("%+v", last)
	}
}
