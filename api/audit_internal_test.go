package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
)

// newAudited is a guarded service that keeps an audit log.
func newAudited(t *testing.T, o AuditOptions) *guarded {
	t.Helper()
	g := newGuarded(t)
	o.KeyFile = filepath.Join(t.TempDir(), "audit")
	if o.every == 0 { // with less, tests cannot move the clock meanwhile
		o.every, o.retry = 10*time.Millisecond, 5*time.Millisecond
	}
	if err := g.s.startAudit(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.s.Close)
	return g
}

func (g *guarded) log() (out []data.AuditEntry) {
	g.t.Helper()
	if err := g.s.opts.Store.ReadAudit(context.Background(), data.AuditFilter{}, func(e data.AuditEntry) error { out = append(out, e); return nil }); err != nil {
		g.t.Fatal(err)
	}
	return out
}

// told are the entries of people without notes, as actor action object outcome count.
func (g *guarded) told() (out []string) {
	for _, e := range g.log() {
		if e.Actor != "service" && !strings.HasPrefix(e.Action, "note.") {
			out = append(out, fmt.Sprintf("%s %s %s %s %d %s", e.Role, e.Action, e.Object, e.Outcome, e.Count, e.Detail))
		}
	}
	return out
}

func (g *guarded) verified() AuditReport {
	g.t.Helper()
	var report AuditReport
	if err := json.Unmarshal([]byte(g.want(200, "admin", "GET", "/v1/audit/verify", "")), &report); err != nil {
		g.t.Fatal(err)
	}
	return report
}

const tenRows = "id,lon,lat,occurred_from,kind\n" +
	"r0,110.11,1.01,2026-03-01,irr.exit\nr1,110.12,1.01,2026-03-01,irr.exit\nr2,110.13,1.01,2026-03-01,irr.exit\nr3,110.14,1.01,2026-03-01,irr.exit\n" +
	"r4,110.15,1.01,2026-03-01,irr.exit\nr5,110.16,1.01,2026-03-01,irr.exit\nr6,110.17,1.01,2026-03-01,irr.exit\nr7,110.18,1.01,2026-03-01,irr.exit\n" +
	"r8,110.19,1.01,2026-03-01,irr.exit\nr9,110.2,1.01,2026-03-01,irr.exit\n"

// Reads of rows, changes, refusals and what administrators read are on the log,
// in order, and maps are not.
func TestAuditTellsOfEverything(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	for _, c := range []struct {
		status            int
		who, method, path string
	}{
		{200, "polri", "GET", "/v1/layers/cases/features"}, {200, "polri", "GET", "/v1/layers/cases/features?limit=3"},
		{200, "polri", "GET", "/v1/layers/cases/features/r4"}, {200, "polri", "GET", "/v1/layers/cases/near?lon=110.1&lat=1&k=2"},
		{200, "polri", "GET", "/v1/layers/cases/within?lon=110.11&lat=1.01&radius_m=10"}, {200, "polri", "GET", "/tiles/layers/cases/10/825/509.mvt"},
		{200, "polri", "GET", "/v1/gaps"}, {404, "viewer", "GET", "/v1/layers/cases/features"}, {404, "viewer", "GET", "/v1/layers/none/features"},
		{403, "viewer", "GET", "/v1/gaps"}, {403, "admin", "GET", "/v1/layers/cases/features"}, {403, "imi", "DELETE", "/v1/layers/cases"},
		{200, "viewer", "GET", "/tiles/density.json"}, {401, "nobody", "GET", "/v1/layers/cases/features"},
		{200, "polri", "DELETE", "/v1/layers/cases/features/r4?reason=twice"}, {200, "admin", "GET", "/v1/audit?limit=1"},
	} {
		g.want(c.status, c.who, c.method, c.path, "")
	}
	g.approved(204, "polri", "DELETE", "/v1/layers/cases")
	grant := "owner=ID/POLRI class=internal"
	want := []string{
		"analyst layer.replace cases done 10 version=1 " + grant, "analyst rows.read cases done 10 rows=all", "analyst rows.read cases done 3 rows=part",
		"analyst rows.one cases done 1 rows=part", "analyst rows.near cases done 2 rows=part", "analyst rows.within cases done 1 rows=part",
		"analyst rows.tile cases done 10 rows=part", "analyst gaps.read  done 0 ", "viewer rows.read cases refused 0 layer_not_found",
		"viewer rows.read  refused 0 layer_not_found", "viewer gaps.read  refused 0 not_for_this_role", "admin rows.read cases refused 0 not_for_this_role",
		"analyst layer.delete cases refused 0 not_your_layer", "analyst layer.withdraw cases done 1 version=2 " + grant, "admin audit.read  done 0 ",
		"analyst POST /v1/approvals/{id}  done 0 ", "analyst layer.delete cases done 9 version=2 " + grant,
	}
	got := g.told()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if v := g.verified(); !v.OK {
		t.Errorf("%+v", v)
	}
}

// A public layer is nobody's secret: reading it leaves no entry.
func TestAuditLeavesPublicOut(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	g.want(201, "polri", "PUT", "/v1/layers/line?kind=boundary", borderFile)
	l := g.s.current().byID["line"].layer
	info := l.Info
	info.Classification = classPublic
	g.s.replaceEntry("line", newEntry(l.WithInfo(info), true))
	for _, path := range []string{"/v1/layers/line/features", "/v1/layers/line/features?limit=1", "/v1/layers/line/near?lon=110&lat=1", "/tiles/layers/line/1/1/0.mvt"} {
		g.want(200, "viewer", "GET", path, "")
	}
	if got := g.told(); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// What people send, and what is in the rows, never stands in the log or the
// sinks: coordinates, names, keys.
func TestAuditCanaries(t *testing.T) {
	sink := filepath.Join(t.TempDir(), "sink")
	g := newAudited(t, AuditOptions{Sinks: []string{sink}})
	rows := strings.ReplaceAll(tenRows, "r4,110.15", "SitiAminah,110.34719")
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident&title=Siti+Aminah", rows)
	key := g.token["polri"]
	for _, path := range []string{
		"/v1/layers/cases/features/SitiAminah", "/v1/layers/cases/features/SitiAminahX", "/v1/layers/SitiAminah/features", "/v1/layers/" + key + "/features",
		"/v1/layers/cases/near?lon=110.34719&lat=1.54321&k=1", "/v1/layers/cases/features?bbox=110.34719,1,111,1.54321", "/v1/sections/SitiAminah",
		"/v1/risk?lon=110.34719&lat=1.54321", "/v1/layers/cases/features/" + key, "/v1/layers/cases/features?cursor=" + key,
	} {
		g.do("polri", "GET", path, "")
	}
	g.do("polri", "PATCH", "/v1/layers/cases/features/SitiAminah", `{"properties":{"kind":"unknown"},"reason":"Siti Aminah asked"}`)
	g.do("polri", "DELETE", "/v1/layers/cases/features/SitiAminah?reason=Siti+Aminah+asked&erase=true", "")
	g.do("viewer", "POST", "/v1/embed-tokens", `{"surface":"density","area":[110.34719,1,111,1.54321],"origin":"https://siti.example"}`)
	g.token["forged"] = "spd_SitiAminah"
	g.do("forged", "GET", "/v1/layers/cases/features", "")
	g.s.Close()
	text := fmt.Sprintf("%+v", g.log())
	out, err := os.ReadFile(sink)
	if err != nil || len(out) == 0 {
		t.Fatal(err)
	}
	text += string(out)
	for _, canary := range []string{"Siti", "siti", "Aminah", "110.34", "1.543", "110.1", keyPrefix, key, strings.SplitN(key, "_", 3)[2]} {
		if strings.Contains(text, canary) {
			i := strings.Index(text, canary)
			t.Errorf("%q is in the log: …%.200s", canary, text[max(0, i-100):])
		}
	}
	if !strings.Contains(text, "rows.near") || !strings.Contains(text, "embed.grant") || !strings.Contains(text, "unknown") {
		t.Errorf("too little is on the log: %s", text)
	}
}

// waitFor waits for what another goroutine does.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("in vain: " + what)
}

// With every sink full no data are answered and the service says why; one sink
// that takes checkpoints again ends that, without a restart.
func TestAuditSinksFull(t *testing.T) {
	dir := t.TempDir()
	full, other := filepath.Join(dir, "full"), filepath.Join(dir, "other")
	if _, err := os.Stat("/dev/full"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: no /dev/full on this machine")
	}
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	g := newAudited(t, AuditOptions{Sinks: []string{full, other}})
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "") // one of two takes them
	if err := errors.Join(os.Remove(other), os.Symlink("/dev/full", other)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the log to be down", func() bool {
		g.do("polri", "GET", "/v1/layers/cases/features", "")
		return g.s.audit.why.Load() != nil
	})
	for _, c := range []struct{ who, method, path string }{
		{"polri", "GET", "/v1/layers/cases/features"}, {"polri", "PUT", "/v1/layers/cases?kind=incident"}, {"viewer", "GET", "/tiles/density.json"}, {"nobody", "GET", "/readyz"},
	} {
		if body := g.want(503, c.who, c.method, c.path, tenRows); !strings.Contains(body, "no outside sink takes its checkpoints") || !strings.Contains(body, "audit_down") {
			t.Errorf("%s %s: %s", c.method, c.path, body)
		}
	}
	if body := g.want(200, "nobody", "GET", "/healthz", ""); !strings.Contains(body, "no outside sink") {
		t.Error(body)
	}
	g.want(200, "admin", "GET", "/v1/audit", "")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the log to be kept", func() bool { return g.s.audit.why.Load() == nil })
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	g.want(200, "nobody", "GET", "/readyz", "")
	g.s.Close()
	report, err := VerifyAudit(t.Context(), g.s.opts.Store, g.s.audit.key, []string{other})
	if err != nil || !report.OK || report.Checkpoints < 1 || report.Unreadable != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// fullStore has no room for entries while full is set.
type fullStore struct {
	data.Store
	full atomic.Bool
}

func (s *fullStore) AppendAudit(ctx context.Context, list []data.AuditEntry) (data.AuditHead, error) {
	if s.full.Load() {
		return data.AuditHead{}, fmt.Errorf("append: %w", data.ErrFull)
	}
	return s.Store.AppendAudit(ctx, list)
}

// Without room for its entry a read is not answered; with room it is again.
func TestAuditStoreFull(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	g.s.Close()
	store := &fullStore{Store: g.s.opts.Store}
	g.s.opts.Store = store
	a := g.s.audit
	g.s.audit = &auditor{AuditOptions: a.AuditOptions, log: store, key: a.key, now: a.now, slog: a.slog, metrics: a.metrics, budgets: a.budgets, notices: a.notices,
		asks: make(chan auditAsk), quit: make(chan struct{}), ended: make(chan struct{})}
	go g.s.audit.run()
	t.Cleanup(g.s.Close)
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	store.full.Store(true)
	for range 3 {
		body := g.want(503, "polri", "GET", "/v1/layers/cases/features", "")
		if strings.Contains(body, "110.1") || !strings.Contains(body, "no room left") {
			t.Error(body)
		}
	}
	if body := g.want(503, "nobody", "GET", "/readyz", ""); !strings.Contains(body, "no room left") {
		t.Error(body)
	}
	store.full.Store(false)
	waitFor(t, "the log to be kept", func() bool { return g.s.audit.why.Load() == nil })
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	if v := g.verified(); !v.OK {
		t.Errorf("%+v", v)
	}
}

// Many readers at once: every answer has its entry, in one chain.
func TestAuditConcurrent(t *testing.T) {
	g := newAudited(t, AuditOptions{Sinks: []string{filepath.Join(t.TempDir(), "sink")}})
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	const readers, each = 8, 20
	var wg sync.WaitGroup
	for k := range readers {
		wg.Go(func() {
			for i := range each {
				path := []string{"/v1/layers/cases/features", "/v1/layers/cases/features/r1", "/v1/layers/cases/near?lon=110&lat=1&k=1"}[(k+i)%3]
				if w := g.do("polri", "GET", path, ""); w.Code != http.StatusOK {
					t.Errorf("%d", w.Code)
				}
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			if w := g.do("polri", "PUT", "/v1/layers/cases?kind=incident", tenRows); w.Code != http.StatusOK {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
		}
	})
	wg.Wait()
	count := map[string]int{}
	for _, e := range g.log() {
		count[strings.SplitN(e.Action, ".", 2)[0]+" "+e.Outcome+" "+e.Role]++
	}
	if count["rows done analyst"] != readers*each || count["layer done analyst"] != 6 {
		t.Errorf("%v", count)
	}
	if v := g.verified(); !v.OK {
		t.Errorf("%+v", v)
	}
}

// A map that a role may not see is refused on the log by every service.
func TestAuditRefusalsOfMapServices(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	const view = "&styles=&crs=CRS:84&bbox=109,0,110,1&width=9&height=9"
	for _, path := range []string{"/tiles/risk/6/51/31.png", "/wms?request=GetMap&layers=risk" + view,
		"/wmts?request=GetTile&layer=risk&style=&tilematrixset=WebMercatorQuad&tilematrix=6&tilerow=31&tilecol=51"} {
		before := len(g.told())
		g.want(403, "viewer", "GET", path, "")
		if got := g.told()[before:]; len(got) != 1 || !strings.Contains(got[0], data.AuditRefused) {
			t.Errorf("%s: %v", path, got)
		}
	}
}
