package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// auditLog reads the whole log and verifies it.
func auditLog(t *testing.T, s data.Store) (out []data.AuditEntry) {
	t.Helper()
	v := data.NewAuditVerifier(nil, nil)
	err := s.ReadAudit(t.Context(), data.AuditFilter{}, func(e data.AuditEntry) error {
		out = append(out, e)
		v.Add(e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.AuditHead(t.Context())
	if got := v.Verdict(); !got.OK || err != nil || got.Head != head {
		t.Fatalf("%+v, head %+v, %v", got, head, err)
	}
	return out
}

func drafted(ctx context.Context, action string) (context.Context, *data.AuditDraft) {
	d := &data.AuditDraft{Entry: data.AuditEntry{At: now, Actor: "k1", Agency: "POLRI", Country: "ID", Role: "analyst", Action: action, Object: "of the request",
		Outcome: data.AuditDone, Values: []string{"00ff", "11"}}}
	return data.WithAudit(ctx, d), d
}

// testAudit: entries come back as they were given, and filters take what they say.
func (s Suite) testAudit(t *testing.T) {
	st := s.Open(t)
	if head, err := st.AuditHead(t.Context()); err != nil || head != (data.AuditHead{}) {
		t.Fatalf("%+v, %v", head, err)
	}
	var want []data.AuditEntry
	for i := range 7 {
		e := data.AuditEntry{At: now.Add(time.Duration(i) * time.Second), Actor: fmt.Sprint("k", i%2), Agency: "MMEA", Country: "MY", Role: "planner",
			Action: []string{"a", "b", "c"}[i%3], Object: []string{"x", "y"}[i/4], Outcome: data.AuditRefused, Count: int64(i), Detail: "d=1", Values: []string{"v", fmt.Sprint("w", i)}}
		want = append(want, e)
	}
	if _, err := st.AppendAudit(t.Context(), want[:3]); err != nil {
		t.Fatal(err)
	}
	head, err := st.AppendAudit(t.Context(), want[3:])
	if err != nil || head.N != 7 {
		t.Fatalf("%+v, %v", head, err)
	}
	var h data.AuditHead
	for i := range want {
		want[i], h = want[i].After(h)
	}
	if got := auditLog(t, st); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for _, c := range []struct {
		f    data.AuditFilter
		want []int64
	}{
		{data.AuditFilter{Actor: "k1"}, []int64{2, 4, 6}},
		{data.AuditFilter{Object: "y", Newest: true}, []int64{7, 6, 5}},
		{data.AuditFilter{Actions: []string{"a", "c"}, After: 1, Before: 7}, []int64{3, 4, 6}},
		{data.AuditFilter{From: now.Add(2 * time.Second), To: now.Add(4 * time.Second)}, []int64{3, 4}},
		{data.AuditFilter{Value: "w5"}, []int64{6}},
		{data.AuditFilter{Limit: 2, Newest: true}, []int64{7, 6}},
		{data.AuditFilter{Actor: "k1' OR 1=1 --"}, nil},
	} {
		var got []int64
		if err := st.ReadAudit(t.Context(), c.f, func(e data.AuditEntry) error { got = append(got, e.N); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.f, got, c.want)
		}
	}
}

// testAuditOfChanges: a change and its entry are there together or not at all.
func (s Suite) testAuditOfChanges(t *testing.T) {
	st := s.Open(t)
	commit(t, st, data.Replace, grid("a", 1, 5, 1))
	if log := auditLog(t, st); len(log) != 0 {
		t.Fatalf("nobody asked for a log: %v", log)
	}
	ctx, d := drafted(t.Context(), "layer.upload")
	wrong := int64(99)
	if _, err := st.Commit(ctx, data.Change{Info: info("a"), Mode: data.Append, Rows: grid("a", 6, 2, 1), IfVersion: &wrong}); err == nil || d.Written() {
		t.Fatalf("%v, written %v", err, d.Written())
	}
	if _, err := st.Commit(ctx, data.Change{Info: info("a"), Mode: data.Append, Rows: grid("a", 6, 2, 1)}); err != nil || !d.Written() {
		t.Fatalf("%v, written %v", err, d.Written())
	}
	// What follows from it in the same request adds nothing.
	if err := st.SetSetting(ctx, "x", []byte(`1`)); err != nil {
		t.Fatal(err)
	}
	if ctx, d = drafted(t.Context(), "model.set"); st.SetSetting(ctx, "x", []byte(`2`)) != nil || !d.Written() {
		t.Fatal("a setting")
	}
	// From now on every change is told of, whoever makes it.
	p := data.Provenance{At: now}
	if _, err := st.Rollback(t.Context(), "a", 1, p); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Erase(t.Context(), "a", data.Erasure{FIDs: []int64{2, 6}, Provenance: p}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Compact(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := st.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := st.SetSetting(t.Context(), "x", nil); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range auditLog(t, st) {
		got = append(got, fmt.Sprint(e.Actor, " ", e.Action, " ", e.Object, " ", e.Count, " ", e.Detail))
	}
	grant := data.GrantOf(info("a")).String()
	want := []string{"k1 layer.append a 2 version=2 " + grant, "k1 model.set of the request 0 ", "machine layer.rollback a 12 version=3 " + grant,
		"machine layer.erase a 3 version=4 " + grant, "machine history.compact  3 ", "machine layer.delete a 4 version=4 " + grant}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if s.Reopen != nil {
		st = s.Reopen(t, st)
		if len(auditLog(t, st)) != len(want) {
			t.Error("the log is not there any more")
		}
	}
}

// testAuditWriters: entries of readers and of changes make one chain.
func (s Suite) testAuditWriters(t *testing.T) {
	st := s.Open(t)
	const each = 15
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range each {
				var err error
				if w%2 == 0 {
					_, err = st.AppendAudit(t.Context(), []data.AuditEntry{{At: now, Actor: "r"}, {At: now, Actor: "r"}})
				} else {
					ctx, _ := drafted(t.Context(), "w")
					id := fmt.Sprint("l", w)
					_, err = st.Commit(ctx, data.Change{Info: info(id), Mode: data.Upsert, Rows: one(id, int64(i+1))})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(auditLog(t, st)); n != 2*2*each+2*each {
		t.Errorf("%d entries", n)
	}
}

func one(id string, fid int64) *geo.Layer { return grid(id, fid, 1, 1) }
