package storetest

import (
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// testWithdraw takes rows out by FID, alone and beside an upsert.
func (s Suite) testWithdraw(t *testing.T) {
	st := s.Open(t)
	commit(t, st, data.Replace, grid("w", 1, 10, 1))
	c := change(data.Append, grid("w", 1, 0, 0))
	c.Withdrawn = []int64{3, 7, 99}
	c.Provenance.Action, c.Provenance.Reason = "withdraw", "entered twice"
	got, err := st.Commit(t.Context(), c)
	if err != nil || got.Version != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	without := grid("w", 1, 10, 1).Without(map[int64]bool{3: true, 7: true})
	Equal(t, load(t, st, "w"), without)
	wantVersions(t, st, "w", [3]int{8, 0, 2}, [3]int{10, 10, 0})
	list, err := st.Versions(t.Context(), "w")
	if err != nil || list[0].Provenance.Reason != "entered twice" {
		t.Errorf("%+v, %v", list, err)
	}
	c = change(data.Upsert, grid("w", 1, 1, 5))
	c.Withdrawn = []int64{2}
	if _, err := st.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := sorted(grid("w", 1, 1, 5), without.Without(map[int64]bool{1: true, 2: true}))
	Equal(t, load(t, st, "w"), want)
	wantVersions(t, st, "w", [3]int{7, 1, 2})
	for version, content := range map[int64]any{1: grid("w", 1, 10, 1), 2: without, 3: want} {
		l, err := st.LoadVersion(t.Context(), "w", version)
		if err != nil || l.Info.Version != version {
			t.Fatalf("version %d: %v", version, err)
		}
		if want, ok := content.(interface{ Len() int }); !ok || l.Len() != want.Len() {
			t.Errorf("version %d has %d rows", version, l.Len())
		}
	}
	for _, test := range []struct {
		from, to   int64
		gone, come *geo.Layer
	}{
		{0, 1, grid("w", 1, 0, 0), grid("w", 1, 10, 1)},
		{1, 2, grid("w", 1, 10, 1).Without(map[int64]bool{1: true, 2: true, 4: true, 5: true, 6: true, 8: true, 9: true, 10: true}), grid("w", 1, 0, 0)},
		{2, 3, grid("w", 1, 2, 1), grid("w", 1, 1, 5)},
		{3, 2, grid("w", 1, 1, 5), grid("w", 1, 2, 1)},
		{3, 3, grid("w", 1, 0, 0), grid("w", 1, 0, 0)},
	} {
		gone, come, err := st.Changes(t.Context(), "w", test.from, test.to)
		if err != nil {
			t.Fatalf("%d to %d: %v", test.from, test.to, err)
		}
		Equal(t, sorted(gone), test.gone)
		Equal(t, sorted(come), test.come)
	}
	_, _, err = st.Changes(t.Context(), "w", 1, 4)
	wantErr(t, "Changes to none", err, data.ErrNotFound)
	_, err = st.LoadVersion(t.Context(), "w", 4)
	wantErr(t, "LoadVersion of none", err, data.ErrNotFound)
	_, err = st.LoadVersion(t.Context(), "none", 1)
	wantErr(t, "LoadVersion of no layer", err, data.ErrNotFound)
}

// testErase takes a row out of all versions.
func (s Suite) testErase(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	commit(t, st, data.Replace, grid("e", 1, 10, 1)) // IDs s1 to s10
	commit(t, st, data.Upsert, grid("e", 4, 2, 2))   // s4, s5
	p := data.Provenance{At: now, User: "u", Reason: "asked for"}
	n, got, err := st.Erase(ctx, "e", data.Erasure{IDs: []string{"s4", "s100"}, FIDs: []int64{9}, Provenance: p})
	if err != nil || n != 3 || got.Version != 3 {
		t.Fatalf("%d rows, %+v, %v", n, got, err)
	}
	gone := map[int64]bool{4: true, 9: true}
	Equal(t, load(t, st, "e"), sorted(grid("e", 1, 10, 1).Without(gone).Without(map[int64]bool{5: true}), grid("e", 4, 2, 2).Without(gone)))
	wantVersions(t, st, "e", [3]int{8, 0, 2}, [3]int{8, 2, 2}, [3]int{8, 10, 0})
	if _, err := st.Rollback(ctx, "e", 1, p); err != nil {
		t.Fatal(err)
	}
	Equal(t, load(t, st, "e"), grid("e", 1, 10, 1).Without(gone))
	_, _, err = st.Erase(ctx, "e", data.Erasure{IDs: []string{"s4"}})
	wantErr(t, "again", err, data.ErrNotFound)
	_, _, err = st.Erase(ctx, "none", data.Erasure{IDs: []string{"s4"}})
	wantErr(t, "no layer", err, data.ErrNotFound)
	if err := st.Delete(ctx, "e"); err != nil {
		t.Fatal(err)
	}
	list, err := st.Erasures(ctx)
	if err != nil || len(list) != 1 || list[0].Layer != "e" || list[0].Rows != 3 || list[0].Provenance.Reason != "asked for" || list[0].Provenance.Action != "erase" {
		t.Errorf("Erasures = %+v, %v", list, err)
	}
}

// testCompact drops versions by age; the newest stays whatever its age.
func (s Suite) testCompact(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	for k := range 4 {
		c := change(data.Replace, grid("c", 1, 5, float64(k)))
		c.Provenance.At = now.Add(time.Duration(k) * 24 * time.Hour)
		if _, err := st.Commit(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		days          int
		dropped, left int
	}{{0, 0, 4}, {2, 2, 2}, {2, 0, 2}, {100, 1, 1}} {
		n, err := st.Compact(ctx, now.Add(time.Duration(step.days)*24*time.Hour))
		if err != nil || n != step.dropped {
			t.Fatalf("%d days: %d dropped, %v", step.days, n, err)
		}
		if list, err := st.Versions(ctx, "c"); err != nil || len(list) != step.left {
			t.Errorf("%d days: %d versions, %v", step.days, len(list), err)
		}
	}
	Equal(t, load(t, st, "c"), grid("c", 1, 5, 3))
}
