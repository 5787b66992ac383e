// Package storetest holds every data.Store to its contract.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Suite is what the tests need of an implementation.
type Suite struct {
	// Open returns an empty store and has it closed when the test ends. The
	// store must keep at least 20 versions of a layer.
	Open func(t *testing.T) data.Store
	// Reopen closes a store that Open returned and opens it again; nil when
	// an implementation cannot.
	Reopen func(t *testing.T, s data.Store) data.Store
}

// Run runs the suite without Reopen.
func Run(t *testing.T, open func(t *testing.T) data.Store) { Suite{Open: open}.Run(t) }

// Run runs every test of the contract.
func (s Suite) Run(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Empty", s.testEmpty},
		{"RoundTrip", s.testRoundTrip},
		{"ManyColumns", s.testManyColumns},
		{"EmptyLayer", s.testEmptyLayer},
		{"Infos", s.testInfos},
		{"Append", s.testAppend},
		{"AppendOtherTypes", s.testAppendOtherTypes},
		{"Upsert", s.testUpsert},
		{"VersionsAndRollback", s.testRollback},
		{"RollbackDescription", s.testRollbackDescription},
		{"IfVersion", s.testIfVersion},
		{"Receipt", s.testReceipt},
		{"BadChanges", s.testBadChanges},
		{"Delete", s.testDelete},
		{"Withdraw", s.testWithdraw},
		{"Erase", s.testErase},
		{"Compact", s.testCompact},
		{"Settings", s.testSettings},
		{"Audit", s.testAudit},
		{"AuditOfChanges", s.testAuditOfChanges},
		{"AuditWriters", s.testAuditWriters},
		{"ReadersDuringWrites", s.testReaders},
		{"Writers", s.testWriters},
		{"Cancel", s.testCancel},
		{"Reopen", s.testReopen},
		{"Model", s.testModel},
	} {
		t.Run(test.name, test.run)
	}
}

var now = time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.UTC)

func info(id string) geo.LayerInfo {
	return geo.LayerInfo{ID: id, Title: "Layer " + id, Kind: geo.KindOther, Owner: "agency", Classification: "internal",
		Synthetic: true, UpdatedAt: now}
}

// grid returns n points with FIDs from first on and a property n = tag.
func grid(id string, first int64, n int, tag float64) *geo.Layer {
	b := geo.NewBuilder(info(id))
	for i := range n {
		b.Add(geo.Feature{FID: first + int64(i), ID: fmt.Sprint("s", first+int64(i)), Geometry: orb.Point{110 + float64(i)/1000, tag / 10},
			Properties: map[string]any{"tag": tag, "name": fmt.Sprint("row ", i)}})
	}
	return b.Layer()
}

func change(mode data.Mode, rows *geo.Layer) data.Change {
	return data.Change{Info: rows.Info, Mode: mode, Rows: rows,
		Provenance: data.Provenance{At: now, User: "u", Filename: "f.geojson", SHA256: "ab12", Mapping: map[string]string{"a": "b"}, Action: string(mode)}}
}

func commit(t *testing.T, s data.Store, mode data.Mode, rows *geo.Layer) geo.LayerInfo {
	t.Helper()
	got, err := s.Commit(t.Context(), change(mode, rows))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func load(t *testing.T, s data.Store, id string) *geo.Layer {
	t.Helper()
	l, err := s.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (s Suite) testEmpty(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	if st.Kind() == "" {
		t.Error("Kind is empty")
	}
	if err := st.Ping(ctx); err != nil {
		t.Error(err)
	}
	if list, err := st.Layers(ctx); err != nil || len(list) != 0 {
		t.Errorf("Layers = %v, %v", list, err)
	}
	_, err := st.Load(ctx, "none")
	wantErr(t, "Load", err, data.ErrNotFound)
	_, err = st.Versions(ctx, "none")
	wantErr(t, "Versions", err, data.ErrNotFound)
	_, err = st.Rollback(ctx, "none", 1, data.Provenance{At: now})
	wantErr(t, "Rollback", err, data.ErrNotFound)
	wantErr(t, "Delete", st.Delete(ctx, "none"), data.ErrNotFound)
	_, err = st.Receipt(ctx, "none")
	wantErr(t, "Receipt", err, data.ErrNotFound)
	_, err = st.Setting(ctx, "none")
	wantErr(t, "Setting", err, data.ErrNotFound)
}

func (s Suite) testRoundTrip(t *testing.T) {
	st := s.Open(t)
	for k := range 12 {
		seed := uint64(1000 + k)
		l := Random(seed, fmt.Sprint("r", k), 200)
		t.Logf("layer %d: seed %d", k, seed)
		got := commit(t, st, data.Replace, l)
		if got.Version != 1 || got.NextFID != l.FID(l.Len()-1)+1 {
			t.Errorf("Commit: version %d, next FID %d", got.Version, got.NextFID)
		}
		back := load(t, st, l.Info.ID)
		Equal(t, back, l)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// testManyColumns has more properties than tables have columns, and names
// that differ by case only.
func (s Suite) testManyColumns(t *testing.T) {
	st := s.Open(t)
	b := geo.NewBuilder(info("wide"))
	for i := range 5 {
		p := map[string]any{"Name": "upper", "name": float64(i), "NAME": true}
		for k := range 1200 {
			p[fmt.Sprintf("p%d", k)] = float64(k * i)
		}
		b.Add(geo.Feature{Geometry: orb.Point{1, 2}, Properties: p})
	}
	l := b.Layer()
	commit(t, st, data.Replace, l)
	Equal(t, load(t, st, "wide"), l)
}

func (s Suite) testEmptyLayer(t *testing.T) {
	st := s.Open(t)
	empty := geo.NewBuilder(info("e")).Layer()
	if got := commit(t, st, data.Replace, empty); got.Version != 1 || got.NextFID != 1 {
		t.Errorf("version %d, next FID %d", got.Version, got.NextFID)
	}
	if l := load(t, st, "e"); l.Len() != 0 {
		t.Errorf("%d rows", l.Len())
	}
	commit(t, st, data.Append, grid("e", 1, 3, 1))
	commit(t, st, data.Replace, empty)
	if _, err := st.Rollback(t.Context(), "e", 2, data.Provenance{At: now}); err != nil {
		t.Fatal(err)
	}
	Equal(t, load(t, st, "e"), grid("e", 1, 3, 1))
	if _, err := st.Commit(t.Context(), data.Change{Info: info("n"), Mode: data.Append, Provenance: data.Provenance{At: now}}); err != nil {
		t.Errorf("no rows: %v", err)
	}
}

func (s Suite) testInfos(t *testing.T) {
	st := s.Open(t)
	want := geo.LayerInfo{ID: "a", Title: `T "quoted" 'title' ✓`, Kind: geo.KindIncident, Owner: "o", Classification: "secret",
		Builtin: true, Base: true, Synthetic: true, Licence: "CC-BY-4.0", Source: "src", Note: "note\nline", UpdatedAt: now}
	b := geo.NewBuilder(want)
	b.Add(geo.Feature{FID: 41, Geometry: orb.Point{1, 1}})
	got := commit(t, st, data.Replace, b.Layer())
	want.Version, want.NextFID = 1, 42
	if got != want {
		t.Errorf("Commit:\n got %+v\nwant %+v", got, want)
	}
	if l := load(t, st, "a"); l.Info != want {
		t.Errorf("Load:\n got %+v\nwant %+v", l.Info, want)
	}
	// IDs that differ by case only, or that a database might take for its own.
	ids := []string{"A", "a-b", "a_b", "a.b", "1st", "gpkg_contents", "pg_class", "rtree_a_geom", "sempadan_layers", "select", "jalan-tikus-ñ", `q"'`}
	for i, id := range ids {
		commit(t, st, data.Replace, grid(id, 1, i+1, float64(i)))
	}
	for i, id := range ids {
		Equal(t, load(t, st, id), grid(id, 1, i+1, float64(i)))
	}
	list, err := st.Layers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, l.ID)
	}
	ids = append(ids, "a")
	slices.Sort(ids)
	if !slices.Equal(names, ids) || list[slices.Index(names, "a")] != want {
		t.Errorf("Layers = %+v", list)
	}
}

func (s Suite) testDelete(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	c := change(data.Replace, grid("d", 1, 5, 1))
	c.IdempotencyKey, c.Answer = "key", json.RawMessage(`{}`)
	if _, err := st.Commit(ctx, c); err != nil {
		t.Fatal(err)
	}
	commit(t, st, data.Replace, grid("d", 6, 5, 2))
	commit(t, st, data.Replace, grid("keep", 1, 5, 2))
	if err := st.Delete(ctx, "d"); err != nil {
		t.Fatal(err)
	}
	_, err := st.Load(ctx, "d")
	wantErr(t, "Load", err, data.ErrNotFound)
	_, err = st.Versions(ctx, "d")
	wantErr(t, "Versions", err, data.ErrNotFound)
	_, err = st.Receipt(ctx, "key")
	wantErr(t, "Receipt", err, data.ErrNotFound)
	wantErr(t, "Delete again", st.Delete(ctx, "d"), data.ErrNotFound)
	Equal(t, load(t, st, "keep"), grid("keep", 1, 5, 2))
	if got := commit(t, st, data.Replace, grid("d", 1, 2, 3)); got.Version != 1 {
		t.Errorf("made anew at version %d", got.Version)
	}
	Equal(t, load(t, st, "d"), grid("d", 1, 2, 3))
}

func (s Suite) testSettings(t *testing.T) {
	st, ctx := s.Open(t), t.Context()
	for _, value := range []string{`{"a":[1,2,"x"]}`, `null`, `"é"`, `12`} {
		if err := st.SetSetting(ctx, "model", json.RawMessage(value)); err != nil {
			t.Fatal(err)
		}
		if got, err := st.Setting(ctx, "model"); err != nil || string(got) != value {
			t.Errorf("Setting = %s, %v; want %s", got, err, value)
		}
	}
	for range 2 { // removing what is not there is no error
		if err := st.SetSetting(ctx, "model", nil); err != nil {
			t.Fatal(err)
		}
	}
	_, err := st.Setting(ctx, "model")
	wantErr(t, "removed", err, data.ErrNotFound)
}

func (s Suite) testReopen(t *testing.T) {
	if s.Reopen == nil {
		t.Log("this store cannot be opened again in a test")
		return
	}
	st, ctx := s.Open(t), context.WithoutCancel(t.Context())
	l := Random(77, "r", 300)
	commit(t, st, data.Replace, grid("r", 1, 10, 1))
	c := change(data.Replace, l)
	c.IdempotencyKey, c.Answer = "k", json.RawMessage(`{"accepted":300}`)
	if _, err := st.Commit(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := st.SetSetting(ctx, "s", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	versions, err := st.Versions(ctx, "r")
	if err != nil {
		t.Fatal(err)
	}
	st = s.Reopen(t, st)
	Equal(t, load(t, st, "r"), l)
	again, err := st.Versions(ctx, "r")
	if err != nil || fmt.Sprint(again) != fmt.Sprint(versions) {
		t.Errorf("Versions = %v, %v; want %v", again, err, versions)
	}
	if r, err := st.Receipt(ctx, "k"); err != nil || string(r.Answer) != string(c.Answer) {
		t.Errorf("Receipt = %v, %v", r, err)
	}
	if v, err := st.Setting(ctx, "s"); err != nil || string(v) != "1" {
		t.Errorf("Setting = %s, %v", v, err)
	}
	if _, err := st.Rollback(ctx, "r", 1, data.Provenance{At: now}); err != nil {
		t.Fatal(err)
	}
	Equal(t, load(t, st, "r"), grid("r", 1, 10, 1))
}
