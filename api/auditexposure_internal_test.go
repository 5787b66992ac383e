package api

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/gpkg"
)

// Beyond the budget of an hour rows are refused with the time to wait, half of
// it is an alert, and a restart forgets neither.
func TestReadBudget(t *testing.T) {
	g := newAudited(t, AuditOptions{Budget: ReadBudget{Hour: 25, Day: 40}, every: time.Hour, retry: time.Hour})
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	alerts := func() (n int) {
		for _, e := range g.log() {
			if e.Action == "budget.half" && e.Outcome == data.AuditAlert {
				n++
			}
		}
		return n
	}
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	if alerts() != 0 {
		t.Error("10 of 25 is no half")
	}
	g.want(200, "polri", "GET", "/v1/layers/cases/features?format=csv", "")
	if alerts() != 1 {
		t.Errorf("%d alerts", alerts())
	}
	w := g.do("polri", "GET", "/v1/layers/cases/features", "")
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "110.1") || w.Header().Get("ETag") != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if got := g.told(); got[len(got)-1] != "analyst rows.read cases refused 10 budget" {
		t.Errorf("%q", got)
	}
	g.want(200, "polri", "GET", "/v1/layers/cases/features?limit=5", "") // fewer
	g.want(200, "imi", "GET", "/v1/layers/cases/features", "")           // somebody else
	g.now = g.now.Add(time.Hour)
	g.want(200, "polri", "GET", "/v1/layers/cases/features", "")
	if alerts() != 1 {
		t.Errorf("%d alerts", alerts())
	}
	// A service that starts anew reads from the log what was read today.
	b := newBudgets(ReadBudget{Hour: 25, Day: 40})
	again := *g.s.audit.key
	a := &auditor{log: g.s.opts.Store, key: &again, now: func() time.Time { return g.now }, budgets: b}
	if _, err := a.recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	for actor, used := range g.s.audit.budgets.used {
		if got := b.used[actor]; got == nil || got.inDay != used.inDay {
			t.Errorf("%s: %+v, want %+v", actor, got, used)
		}
	}
	w = g.do("polri", "GET", "/v1/layers/cases/features?limit=6", "")
	if w.Code != 429 { // 35 + 6 of 40 in the day
		t.Errorf("%d", w.Code)
	}
}

func TestParseReadBudget(t *testing.T) {
	if b, err := ParseReadBudget("10/20"); err != nil || b != (ReadBudget{10, 20}) {
		t.Error(b, err)
	}
	for _, bad := range []string{"", "10", "0/5", "10/5", "a/b", "1/2/3", "-1/5"} {
		if _, err := ParseReadBudget(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Who read a record, and who could have, by the keys and grants of then.
func TestExposure(t *testing.T) {
	g := newAudited(t, AuditOptions{every: time.Hour, retry: time.Hour})
	start := g.now
	at := func(h int) { g.now = start.Add(time.Duration(h) * time.Minute) }
	at(1)
	g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", tenRows)
	at(2)
	g.want(200, "polri", "GET", "/v1/layers/cases/features/r4", "")
	at(3)
	g.want(200, "imi", "GET", "/v1/layers/cases/features", "")
	at(4)
	g.want(200, "planner id", "GET", "/v1/layers/cases/near?lon=110.11&lat=1.01&k=1", "") // of r0
	g.want(404, "viewer", "GET", "/v1/layers/cases/features", "")
	at(5)
	g.want(200, "planner id", "GET", "/v1/layers/cases/near?lon=110.15&lat=1.01&k=1", "") // of r4
	at(6)
	g.approved(200, "polri", "DELETE", "/v1/layers/cases/features/r4?reason=x&erase=true")
	g.approved(204, "polri", "DELETE", "/v1/layers/cases")
	ask := func(query string) (out Exposure) {
		t.Helper()
		if err := json.Unmarshal([]byte(g.want(200, "admin", "GET", "/v1/audit/exposure?layer=cases&"+query, "")), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	id := func(who string) string { return strings.SplitN(g.token[who], "_", 3)[1] }
	when := func(h int) string { return start.Add(time.Duration(h) * time.Minute).UTC().Format(time.RFC3339) }
	out := ask("id=fid:5&from=" + when(0) + "&to=" + when(9)) // r4, which is gone
	got := map[string]string{}
	for _, r := range out.Read {
		got[r.Actor] += fmt.Sprint(r.How, r.Times)
	}
	want := map[string]string{id("polri"): "named1", id("imi"): "whole1", id("planner id"): "named1"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read by %v, want %v", got, want)
	}
	could := map[string]string{}
	for _, c := range out.Could {
		could[c.Actor] += c.Sees
	}
	want = map[string]string{id("polri"): "rows", id("polri 2"): "rows", id("imi"): "rows", id("planner id"): "rows"}
	if fmt.Sprint(could) != fmt.Sprint(want) || out.Public {
		t.Errorf("could %v, want %v", could, want)
	}
	if out := ask("id=fid:5&from=" + when(4) + "&to=" + when(5)); len(out.Read) != 0 || len(out.Could) != 4 {
		t.Errorf("between 4 and 5: %+v", out)
	}
	if out := ask("id=fid:5&from=" + when(7) + "&to=" + when(9)); len(out.Read) != 0 || len(out.Could) != 0 {
		t.Errorf("after the layer was deleted: %+v", out)
	}
	g.want(404, "admin", "GET", "/v1/audit/exposure?layer=cases&id=r4", "")
	g.want(400, "admin", "GET", "/v1/audit/exposure?layer=cases&id=fid:0", "")
	g.want(400, "admin", "GET", "/v1/audit/exposure?layer=cases&id=fid:5&from=2026-02-01&to=2026-01-01", "")
	g.want(400, "admin", "GET", "/v1/audit/exposure?id=fid:5", "")
	g.want(403, "polri", "GET", "/v1/audit/exposure?layer=cases&id=fid:5", "")
}

// A revoked key could see nothing afterwards, and a new one nothing before.
func TestExposureByTimesOfKeys(t *testing.T) {
	store, err := gpkg.Open(t.Context(), filepath.Join(t.TempDir(), "s.gpkg"), gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	day := func(d int) time.Time { return keyNow.AddDate(0, 0, d) }
	notice := func(d int, id, detail string) data.AuditEntry {
		return data.AuditEntry{At: day(d), Actor: "service", Action: noticeKey, Object: id, Role: "analyst", Agency: "POLRI", Country: "ID", Outcome: data.AuditDone, Detail: detail}
	}
	state := func(d int, action, class string) data.AuditEntry {
		return data.AuditEntry{At: day(d), Actor: "x", Action: action, Object: "l", Outcome: data.AuditDone, Detail: data.Grant{Owner: "ID/POLRI", Classification: class}.String()}
	}
	if _, err := store.AppendAudit(t.Context(), []data.AuditEntry{
		notice(0, "early", fmt.Sprintf("from=%d until=%d", day(0).Unix(), day(300).Unix())), state(1, noticeLayer, "internal"),
		notice(10, "late", fmt.Sprintf("from=%d until=%d", day(10).Unix(), day(300).Unix())), notice(12, "early", fmt.Sprintf("from=%d until=%d", day(0).Unix(), day(12).Unix())),
		notice(14, "late", "gone"), state(16, "layer.append", "public"),
	}); err != nil {
		t.Fatal(err)
	}
	key, err := makeAuditKey(filepath.Join(t.TempDir(), "k"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to int
		want     string
		public   bool
	}{
		{0, 1, "", false}, {2, 5, "early 2-5", false}, {9, 13, "early 9-12 late 10-13", false}, {13, 20, "late 13-14", true}, {17, 20, "", true},
	} {
		out, err := Expose(t.Context(), store, ExposureQuery{Layer: "l", FID: 1, From: day(c.from), To: day(c.to), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range out.Could {
			got = append(got, fmt.Sprintf("%s %.0f-%.0f", e.Actor, e.From.Sub(keyNow).Hours()/24, e.To.Sub(keyNow).Hours()/24))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%d to %d: %q, want %q", c.from, c.to, got, c.want)
		}
		if out.Public != c.public {
			t.Errorf("%d to %d: public %v", c.from, c.to, out.Public)
		}
	}
}

// The pages of the log are whole and do not repeat, and filters narrow them.
func TestAuditPages(t *testing.T) {
	g := newAudited(t, AuditOptions{})
	for range 7 {
		g.do("viewer", "GET", "/v1/gaps", "")
	}
	path, seen, last := "/v1/audit?limit=3&action=gaps.read", 0, int64(1<<62)
	for path != "" {
		var page struct {
			Entries []data.AuditEntry `json:"entries"`
			Next    string            `json:"next"`
		}
		if err := json.Unmarshal([]byte(g.want(200, "admin", "GET", path, "")), &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if e.N >= last || e.Action != "gaps.read" || e.Outcome != data.AuditRefused {
				t.Errorf("%+v after %d", e, last)
			}
			last = e.N
			seen++
		}
		path = page.Next
	}
	if seen != 7 {
		t.Errorf("%d entries", seen)
	}
	g.want(400, "admin", "GET", "/v1/audit?cursor=x", "")
	g.want(400, "admin", "GET", "/v1/audit?from=yesterday", "")
	g.want(400, "admin", "GET", "/v1/audit?limit=0", "")
	open := newGuarded(t)
	if body := open.want(200, "admin", "GET", "/v1/audit", ""); !strings.Contains(body, `"kept":false`) {
		t.Error(body)
	}
}

func FuzzAuditCursor(f *testing.F) {
	f.Add(writeAuditCursor(7), "2026-01-01", "2026-02-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, cursor, from, to string) {
		if n, err := readAuditCursor(cursor); err == nil && cursor != "" && n < 1 {
			t.Fatal(n)
		}
		if a, b, err := ParsePeriod(from, to); err == nil && !b.IsZero() && !a.Before(b) {
			t.Fatal(a, b)
		}
	})
}

// BenchmarkExposure asks a log of a million entries.
func BenchmarkExposure(b *testing.B) {
	store, err := gpkg.Open(b.Context(), filepath.Join(b.TempDir(), "s.gpkg"), gpkg.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	key, err := makeAuditKey(filepath.Join(b.TempDir(), "k"))
	if err != nil {
		b.Fatal(err)
	}
	const entries, batch = 1_000_000, 10_000
	for n := 0; n < entries; n += batch {
		list := make([]data.AuditEntry, batch)
		for i := range list {
			k := n + i
			list[i] = data.AuditEntry{At: keyNow.Add(time.Duration(k) * time.Second), Actor: fmt.Sprintf("%010x", k%500), Role: "analyst", Agency: "POLRI", Country: "ID",
				Action: "rows.tile", Object: fmt.Sprint("layer", k%20), Outcome: data.AuditDone, Count: 2, Detail: "rows=part",
				Values: []string{key.record("layer1", int64(k%1000)), key.record("layer1", int64(k%999))}}
		}
		if _, err := store.AppendAudit(context.Background(), list); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("expose", func(b *testing.B) {
		for b.Loop() {
			out, err := Expose(b.Context(), store, ExposureQuery{Layer: "layer1", FID: 21, From: keyNow, To: keyNow.AddDate(1, 0, 0), Key: key})
			if err != nil || out.Entries != entries || len(out.Read) == 0 {
				b.Fatal(out.Entries, err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if v, err := VerifyAudit(b.Context(), store, key, nil); err != nil || !v.OK {
				b.Fatal(v, err)
			}
		}
	})
}
