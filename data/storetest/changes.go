package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// sorted returns the rows of the layers in FID order.
func sorted(layers ...*geo.Layer) *geo.Layer {
	var all []geo.Feature
	for _, l := range layers {
		for row := range l.Len() {
			all = append(all, l.Feature(row))
		}
	}
	slices.SortFunc(all, func(a, b geo.Feature) int { return int(a.FID - b.FID) })
	b := geo.NewBuilder(layers[0].Info)
	for _, f := range all {
		b.Add(f)
	}
	return b.Layer()
}

// wantVersions checks the newest versions: features, added, removed of each.
func wantVersions(t *testing.T, s data.Store, id string, want ...[3]int) {
	t.Helper()
	list, err := s.Versions(t.Context(), id)
	if err != nil || len(list) < len(want) {
		t.Fatalf("Versions = %v, %v", list, err)
	}
	for i, w := range want {
		if got := [3]int{list[i].Features, list[i].Added, list[i].Removed}; got != w {
			t.Errorf("version %d: features, added, removed = %v, want %v", list[i].Version, got, w)
		}
	}
}

func (s Suite) testAppend(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	if got := commit(t, st, data.Append, grid("a", 1, 10, 1)); got.Version != 1 || got.NextFID != 11 {
		t.Errorf("first: version %d, next FID %d", got.Version, got.NextFID)
	}
	if got := commit(t, st, data.Append, grid("a", 21, 5, 2)); got.Version != 2 || got.NextFID != 26 {
		t.Errorf("second: version %d, next FID %d", got.Version, got.NextFID)
	}
	want := sorted(grid("a", 1, 10, 1), grid("a", 21, 5, 2))
	Equal(t, load(t, st, "a"), want)
	if _, err := st.Commit(ctx, change(data.Append, grid("a", 25, 3, 3))); err == nil {
		t.Error("a FID that is given out was taken")
	}
	Equal(t, load(t, st, "a"), want)
	wantVersions(t, st, "a", [3]int{15, 5, 0}, [3]int{10, 10, 0})
	list, err := st.Versions(ctx, "a")
	if err != nil || len(list) != 2 {
		t.Fatalf("Versions = %v, %v", list, err)
	}
	want1 := change(data.Append, grid("a", 1, 1, 1)).Provenance
	if p := list[0].Provenance; !p.At.Equal(want1.At) || p.User != want1.User || p.Filename != want1.Filename ||
		p.SHA256 != want1.SHA256 || p.Mapping["a"] != "b" || p.Action != "append" {
		t.Errorf("provenance = %+v", p)
	}
	// Many small ones after a large one.
	for k := range 10 {
		commit(t, st, data.Append, grid("a", int64(100+10*k), 2, 3))
	}
	if n := load(t, st, "a").Len(); n != 35 {
		t.Errorf("%d rows", n)
	}
}

// testAppendOtherTypes appends rows whose geometry and properties are of other
// types than those that are there.
func (s Suite) testAppendOtherTypes(t *testing.T) {
	st := s.Open(t)
	layer := func(fid int64, g orb.Geometry, p map[string]any) *geo.Layer {
		b := geo.NewBuilder(info("o"))
		b.Add(geo.Feature{FID: fid, Geometry: g, Properties: p})
		return b.Layer()
	}
	var want []*geo.Layer
	for i, p := range []map[string]any{
		{"a": 1.0, "b": "text", "c": true},
		{"a": 2.0, "b": "more", "c": false, "d": "new"},
		{"a": 2.5, "D": "case", "e": json.RawMessage(`{"x":1}`)},
		{"a": "word", "b": 3.0, "c": "no", "d": true},
		{"a": json.Number("12345678901234567890"), "b": json.RawMessage(`[]`)},
		{"a": 7.0, "f": 1e300},
	} {
		g := []orb.Geometry{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}}[i/3]
		l := layer(int64(i+1), g, p)
		commit(t, st, data.Append, l)
		want = append(want, l)
		Equal(t, load(t, st, "o"), sorted(want...))
	}
	for v := range want {
		if _, err := st.Rollback(t.Context(), "o", int64(v+1), data.Provenance{At: now}); err != nil {
			t.Fatal(err)
		}
		Equal(t, load(t, st, "o"), sorted(want[:v+1]...))
	}
}

func (s Suite) testUpsert(t *testing.T) {
	st := s.Open(t)
	commit(t, st, data.Upsert, grid("u", 1, 10, 1)) // makes the layer
	got := commit(t, st, data.Upsert, grid("u", 8, 6, 2))
	if got.Version != 2 || got.NextFID != 14 {
		t.Errorf("version %d, next FID %d", got.Version, got.NextFID)
	}
	Equal(t, load(t, st, "u"), sorted(grid("u", 1, 7, 1), grid("u", 8, 6, 2)))
	wantVersions(t, st, "u", [3]int{13, 6, 3}, [3]int{10, 10, 0})
	commit(t, st, data.Upsert, grid("u", 1, 1, 3))
	commit(t, st, data.Upsert, grid("u", 1, 1, 4)) // the same row again
	wantVersions(t, st, "u", [3]int{13, 1, 1}, [3]int{13, 1, 1})
	for version, want := range map[int64]*geo.Layer{
		1: grid("u", 1, 10, 1),
		2: sorted(grid("u", 1, 7, 1), grid("u", 8, 6, 2)),
		3: sorted(grid("u", 1, 1, 3), sorted(grid("u", 1, 7, 1), grid("u", 8, 6, 2)).Without(map[int64]bool{1: true})),
	} {
		if _, err := st.Rollback(t.Context(), "u", version, data.Provenance{At: now}); err != nil {
			t.Fatal(err)
		}
		Equal(t, load(t, st, "u"), want)
	}
	// Rows in another order than that of their FIDs.
	b := geo.NewBuilder(info("u"))
	for _, fid := range []int64{90, 3, 50, 7} {
		b.Add(geo.Feature{FID: fid, Geometry: orb.Point{float64(fid), 0}})
	}
	l := b.Layer()
	commit(t, st, data.Replace, l)
	Equal(t, load(t, st, "u"), sorted(l))
}

func (s Suite) testRollback(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	v1, v2 := Random(5, "v", 50), grid("v", 500, 20, 2)
	commit(t, st, data.Replace, v1)
	commit(t, st, data.Replace, v2)
	wantVersions(t, st, "v", [3]int{20, 20, 50}, [3]int{50, 50, 0})
	got, err := st.Rollback(ctx, "v", 1, data.Provenance{At: now, User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != 3 || got.NextFID != 520 {
		t.Errorf("version %d, next FID %d", got.Version, got.NextFID)
	}
	Equal(t, load(t, st, "v"), v1)
	wantVersions(t, st, "v", [3]int{50, 50, 20})
	if list, err := st.Versions(ctx, "v"); err != nil || list[0].Provenance.Action != "rollback" || list[0].Provenance.User != "u" || list[0].Version != 3 {
		t.Errorf("Versions = %v, %v", list, err)
	}
	for _, version := range []int64{2, 1, 3, 4} { // forth and back
		if _, err := st.Rollback(ctx, "v", version, data.Provenance{At: now}); err != nil {
			t.Fatal(err)
		}
		want := v1
		if version == 2 || version == 4 {
			want = v2
		}
		Equal(t, load(t, st, "v"), want)
	}
	for _, version := range []int64{0, -1, 99} {
		_, err = st.Rollback(ctx, "v", version, data.Provenance{At: now})
		wantErr(t, fmt.Sprint("version ", version), err, data.ErrNotFound)
	}
}

// testRollbackDescription: what the data are goes back with them, so that
// synthetic data stay marked; who may see them does not.
func (s Suite) testRollbackDescription(t *testing.T) {
	st := s.Open(t)
	commitAs := func(l geo.LayerInfo) {
		b := geo.NewBuilder(l)
		b.Add(geo.Feature{Geometry: orb.Point{1, 1}})
		commit(t, st, data.Replace, b.Layer())
	}
	commitAs(geo.LayerInfo{ID: "x", Title: "old", Kind: geo.KindIncident, Classification: "public", Owner: "a", Synthetic: true, Source: "s1", Licence: "l1"})
	commitAs(geo.LayerInfo{ID: "x", Title: "new", Kind: geo.KindPost, Classification: "secret", Owner: "b", Source: "s2", Licence: "l2"})
	got, err := st.Rollback(t.Context(), "x", 1, data.Provenance{At: now})
	if err != nil {
		t.Fatal(err)
	}
	want := geo.LayerInfo{ID: "x", Title: "new", Kind: geo.KindIncident, Classification: "secret", Owner: "b", Synthetic: true, Source: "s1", Licence: "l1",
		Version: 3, NextFID: 2, UpdatedAt: now}
	if got != want || load(t, st, "x").Info != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func (s Suite) testIfVersion(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	try := func(have int64, mode data.Mode, rows *geo.Layer) error {
		c := change(mode, rows)
		c.IfVersion = &have
		_, err := st.Commit(ctx, c)
		return err
	}
	wantErr(t, "no layer", try(1, data.Replace, grid("i", 1, 1, 1)), data.ErrVersionMismatch)
	if list, err := st.Layers(ctx); err != nil || len(list) != 0 {
		t.Errorf("a refused change left %v, %v", list, err)
	}
	if err := try(0, data.Replace, grid("i", 1, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for _, have := range []int64{0, 2} {
		for _, mode := range []data.Mode{data.Replace, data.Append, data.Upsert} {
			wantErr(t, fmt.Sprint(mode, have), try(have, mode, grid("i", 5, 1, 2)), data.ErrVersionMismatch)
		}
	}
	if err := try(1, data.Append, grid("i", 2, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if n := load(t, st, "i").Len(); n != 2 {
		t.Errorf("%d rows", n)
	}
}

func (s Suite) testReceipt(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	c := change(data.Append, grid("k", 1, 2, 1))
	c.IdempotencyKey, c.Answer = "key é", json.RawMessage(`{"accepted":2, "rows":[]}`)
	if _, err := st.Commit(ctx, c); err != nil {
		t.Fatal(err)
	}
	r, err := st.Receipt(ctx, "key é")
	if err != nil || r.Layer != "k" || r.Version != 1 || r.SHA256 != "ab12" || string(r.Answer) != string(c.Answer) {
		t.Errorf("Receipt = %+v, %v", r, err)
	}
	again := change(data.Append, grid("k", 3, 2, 1))
	again.IdempotencyKey = "key é"
	if _, err := st.Commit(ctx, again); err == nil {
		t.Error("the key was taken twice")
	}
	// A change that fails leaves no receipt.
	bad := change(data.Append, grid("k", 1, 2, 1))
	bad.IdempotencyKey = "bad"
	if _, err := st.Commit(ctx, bad); err == nil {
		t.Error("FIDs were taken twice")
	}
	_, err = st.Receipt(ctx, "bad")
	wantErr(t, "receipt of a failed change", err, data.ErrNotFound)
	if l := load(t, st, "k"); l.Info.Version != 1 || l.Len() != 2 {
		t.Errorf("version %d, %d rows", l.Info.Version, l.Len())
	}
}

func (s Suite) testBadChanges(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	commit(t, st, data.Replace, grid("b", 1, 3, 1))
	twice := geo.NewBuilder(info("b"))
	negative := geo.NewBuilder(info("b"))
	for range 2 {
		twice.Add(geo.Feature{FID: 9, Geometry: orb.Point{1, 1}})
		negative.Add(geo.Feature{FID: -3, Geometry: orb.Point{1, 1}})
	}
	for name, c := range map[string]data.Change{
		"mode":         change("merge", grid("b", 4, 1, 1)),
		"mode, new":    change("", grid("new", 4, 1, 1)),
		"no id":        change(data.Replace, grid("", 4, 1, 1)),
		"FID twice":    change(data.Replace, twice.Layer()),
		"negative FID": change(data.Upsert, negative.Layer()),
	} {
		if _, err := st.Commit(ctx, c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	Equal(t, load(t, st, "b"), grid("b", 1, 3, 1))
	if list, err := st.Layers(ctx); err != nil || len(list) != 1 || list[0].Version != 1 {
		t.Errorf("Layers = %v, %v", list, err)
	}
}

// testModel compares a store with a simple model through random changes.
func (s Suite) testModel(t *testing.T) {
	for k := range 3 {
		seed := uint64(40 + k)
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		st := s.Open(t)
		m := model{id: "m", nextFID: 1}
		for step := range 25 {
			m.step(t, st, r)
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
}

// model is a layer with all its versions.
type model struct {
	id       string
	versions []map[int64]geo.Feature // content of each version, from 1
	nextFID  int64
}

func (m *model) step(t *testing.T, st data.Store, r *rand.Rand) {
	version := len(m.versions)
	next := map[int64]geo.Feature{}
	if version > 0 {
		for fid, f := range m.versions[version-1] {
			next[fid] = f
		}
	}
	if version > 1 && r.IntN(4) == 0 {
		back := max(1, version-r.IntN(15))
		if _, err := st.Rollback(t.Context(), m.id, int64(back), data.Provenance{At: now}); err != nil {
			t.Fatal(err)
		}
		m.versions = append(m.versions, m.versions[back-1])
	} else {
		mode := []data.Mode{data.Replace, data.Append, data.Upsert, data.Upsert}[r.IntN(4)]
		from := Random(r.Uint64(), m.id, r.IntN(30))
		b := geo.NewBuilder(info(m.id))
		used := map[int64]bool{}
		for row := range from.Len() {
			f := from.Feature(row)
			f.FID = m.nextFID
			if mode != data.Append && r.IntN(2) == 0 {
				f.FID = 1 + r.Int64N(m.nextFID)
			}
			if used[f.FID] {
				continue
			}
			used[f.FID] = true
			m.nextFID = max(m.nextFID, f.FID+1)
			b.Add(f)
		}
		rows := b.Layer()
		commit(t, st, mode, rows)
		if mode == data.Replace {
			clear(next)
		}
		for row := range rows.Len() {
			next[rows.FID(row)] = rows.Feature(row)
		}
		m.versions = append(m.versions, next)
	}
	content := geo.NewBuilder(info(m.id))
	for _, f := range m.versions[len(m.versions)-1] {
		content.Add(f)
	}
	got := load(t, st, m.id)
	Equal(t, got, sorted(content.Layer()))
	if got.Info.Version != int64(len(m.versions)) || got.Info.NextFID != m.nextFID {
		t.Errorf("version %d, next FID %d; want %d, %d", got.Info.Version, got.Info.NextFID, len(m.versions), m.nextFID)
	}
	list, err := st.Versions(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range list {
		if i+1 < len(list) && list[i+1].Features+v.Added-v.Removed != v.Features {
			t.Errorf("version %d: %d features after %d, %d added, %d removed", v.Version, v.Features, list[i+1].Features, v.Added, v.Removed)
		}
		if want := len(m.versions[v.Version-1]); v.Features != want {
			t.Errorf("version %d: %d features, want %d", v.Version, v.Features, want)
		}
	}
}
