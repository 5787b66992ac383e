package layers

import (
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

var asOf = time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC)

func demoOf(t testing.TB, opts DemoOptions) map[string]*geo.Layer {
	t.Helper()
	if opts.AsOf.IsZero() {
		opts.AsOf = asOf
	}
	list, err := Demo(opts)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*geo.Layer{}
	for _, l := range list {
		out[l.Info.ID] = l
	}
	return out
}

func ground(t testing.TB) *terrain {
	t.Helper()
	g, err := newTerrain()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestDemoLayerSet(t *testing.T) {
	if got := slices.Sorted(maps.Keys(demoOf(t, DemoOptions{Seed: 1}))); !slices.Equal(got, []string{"demo_patrols", "demo_posts"}) {
		t.Errorf("without incidents: %v", got)
	}
	with := demoOf(t, DemoOptions{Seed: 1, Incidents: 500})
	want := map[string]int{"demo_incidents": 500, "demo_water_crossings": demoWaterCrossings, "demo_illegal_ports": demoIllegalPorts, "demo_posts": len(postPlans())}
	for id, n := range want {
		if with[id] == nil || with[id].Len() != n {
			t.Errorf("%s: want %d features, have %v", id, n, with[id])
		}
	}
	for _, bad := range []DemoOptions{{}, {AsOf: asOf, Days: -1}, {AsOf: asOf, Incidents: -1}} {
		if _, err := Demo(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestDemoMarkedSynthetic(t *testing.T) {
	for id, l := range demoOf(t, DemoOptions{Seed: 2, Incidents: 1000}) {
		if !l.Info.Synthetic || l.Info.Builtin || l.Info.Base || !strings.HasSuffix(l.Info.Title, "(synthetic)") || !strings.HasPrefix(l.Info.Note, "Synthetic") {
			t.Errorf("%s: %+v", id, l.Info)
		}
		ids := map[string]bool{}
		for row := range l.Len() {
			if l.Value(row, "synthetic") != true {
				t.Errorf("%s %s is not marked", id, l.ID(row))
			}
			if n := l.ID(row); !strings.HasPrefix(n, "demo-") || ids[n] {
				t.Errorf("%s: identifier %q", id, n)
			}
			ids[l.ID(row)] = true
			if from, to := l.Times(row); to.After(asOf.Add(24*time.Hour)) || from.After(to) {
				t.Errorf("%s %s: from %v to %v", id, l.ID(row), from, to)
			}
		}
	}
}

func TestDemoDeterministic(t *testing.T) {
	a, b := demoOf(t, DemoOptions{Seed: 3, Incidents: 2000}), demoOf(t, DemoOptions{Seed: 3, Incidents: 2000})
	for id := range a {
		same(t, id, a[id], b[id])
	}
	more := demoOf(t, DemoOptions{Seed: 3, Incidents: 10})
	same(t, "demo_patrols with fewer incidents", a["demo_patrols"], more["demo_patrols"])
	other := demoOf(t, DemoOptions{Seed: 4, Incidents: 10})
	if orb.Equal(more["demo_incidents"].Geometry(0), other["demo_incidents"].Geometry(0)) {
		t.Error("another seed gives the same incident")
	}
	// A sequence can be ranged over again.
	list, err := DemoLayers(DemoOptions{Seed: 3, AsOf: asOf, Incidents: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		if first, second := digest(t, l.Features), digest(t, l.Features); first != second {
			t.Errorf("%s differs the second time", l.Info.ID)
		}
	}
}

func digest(t *testing.T, seq iter.Seq[geo.Feature]) string {
	t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	for f := range seq {
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestDemoPatrols(t *testing.T) {
	const days = 120
	g := ground(t)
	river := newPath(g.river)
	for seed := range int64(4) {
		l := demoOf(t, DemoOptions{Seed: seed})["demo_patrols"]
		vertices, modes, countries := 0, map[string]int{}, map[string]int{}
		latest := map[string]time.Time{}
		gaps, wide := 0, 0
		for row := range l.Len() {
			f := l.Feature(row)
			line := f.Geometry.(orb.LineString)
			mode, country := l.Text(row, "mode"), l.Text(row, "country")
			modes[mode]++
			countries[country]++
			vertices += len(line)
			sector := country + " " + l.Text(row, "sector")
			if f.To.After(latest[sector]) {
				latest[sector] = f.To
			}
			if len(line) != len(f.VertexTimes) || !f.From.Equal(f.VertexTimes[0]) || !f.To.Equal(f.VertexTimes[len(line)-1]) {
				t.Fatalf("%s: %d vertices, %d times", f.ID, len(line), len(f.VertexTimes))
			}
			if f.To.After(asOf) || f.From.Before(asOf.AddDate(0, 0, -days-1)) {
				t.Errorf("%s is from %v to %v", f.ID, f.From, f.To)
			}
			if f.Properties["sweep_width_m"] != nil {
				wide++
			}
			for i, p := range line {
				if i > 0 {
					dt := f.VertexTimes[i].Sub(f.VertexTimes[i-1])
					if dt <= 0 || dt > 2*time.Hour+15*time.Minute {
						t.Errorf("%s: %v between fixes", f.ID, dt)
					}
					if dt > 30*time.Minute {
						gaps++
					}
					if v := planeKM(line[i-1], p) / dt.Hours(); v > 60 {
						t.Errorf("%s moves at %.0f km/h", f.ID, v)
					}
				}
				checkPlace(t, g, river, f.ID, mode, country, p)
			}
			if mid := line[len(line)/2]; mode == "foot" || mode == "motorcycle" || mode == "vehicle" {
				if d := planeKM(mid, g.border.at(g.border.nearestKM(mid))); d > 12 {
					t.Errorf("%s at %v is %.1f km from the border", f.ID, mid, d)
				}
			}
		}
		t.Logf("seed %d: %d tracks, %d vertices, modes %v, countries %v, %d gaps, %d with a sweep width", seed, l.Len(), vertices, modes, countries, gaps, wide)
		if vertices > 60_000 || vertices < 20_000 {
			t.Errorf("%d vertices, want 20,000 to 60,000", vertices)
		}
		if len(modes) != 5 || countries["ID"] == 0 || countries["MY"] == 0 || gaps == 0 || gaps > l.Len()/4 {
			t.Errorf("modes %v, countries %v, %d gaps", modes, countries, gaps)
		}
		if wide == 0 || wide > l.Len()/5 {
			t.Errorf("%d of %d tracks have their own sweep width", wide, l.Len())
		}
		if old := latest["ID Nanga Badau"]; old.IsZero() || asOf.Sub(old) < 59*24*time.Hour {
			t.Errorf("Nanga Badau should have faded out 60 days ago, last seen %v", old)
		}
		for _, never := range []string{"MY Serikin", "ID Sei Kelik", "ID Labang"} {
			if _, there := latest[never]; there {
				t.Errorf("%s should have no patrols", never)
			}
		}
		if asOf.Sub(latest["ID Jagoi Babang"]) > 30*24*time.Hour {
			t.Errorf("Jagoi Babang was last walked %v", latest["ID Jagoi Babang"])
		}
	}
}

func checkPlace(t *testing.T, g *terrain, river *path, id, mode, country string, p orb.Point) {
	t.Helper()
	switch mode {
	case "sea_boat":
		if owner := g.waters.At(p); !g.isWater(p) || owner != country && owner != "" {
			t.Errorf("%s at %v: land %q, waters %q, want water of %s", id, p, g.land.At(p), owner, country)
		}
	case "river_boat":
		if d := planeKM(p, river.at(river.nearestKM(p))); d > 2 || g.waters.At(p) != country {
			t.Errorf("%s at %v is %.2f km off the river", id, p, d)
		}
	default:
		if g.land.At(p) != country {
			t.Errorf("%s at %v: land of %q, want %s", id, p, g.land.At(p), country)
		}
	}
}

func TestDemoPosts(t *testing.T) {
	g := ground(t)
	l := demoOf(t, DemoOptions{Seed: 5})["demo_posts"]
	closed := 0
	for row := range l.Len() {
		p, _ := l.Point(row)
		if g.land.At(p) != l.Text(row, "country") {
			t.Errorf("%s at %v is not on the land of %s", l.ID(row), p, l.Text(row, "country"))
		}
		if l.Text(row, "agency") == "" || !(l.Number(row, "radius_m") > 0) {
			t.Errorf("%s lacks agency or radius", l.ID(row))
		}
		if from, to := l.Times(row); !from.Before(to) {
			t.Errorf("%s is open from %v to %v", l.ID(row), from, to)
		} else if to.Before(asOf) {
			closed++
		}
	}
	if closed != 1 {
		t.Errorf("%d posts are closed, want 1", closed)
	}
}

func TestDemoIncidents(t *testing.T) {
	g := ground(t)
	const n = 20_000
	l := demoOf(t, DemoOptions{Seed: 6, Incidents: n})["demo_incidents"]
	media, directions, kinds := map[string]int{}, map[string]int{}, map[string]int{}
	monsoonSinkings, sinkings, hotspot := 0, 0, 0
	entikong, _ := FindArea("Entikong")
	for row := range l.Len() {
		p, _ := l.Point(row)
		medium, kind := l.Text(row, "medium"), l.Text(row, "kind")
		media[medium]++
		directions[l.Text(row, "direction")]++
		kinds[kind]++
		land := g.land.At(p)
		switch {
		case medium == "sea" && land != "":
			t.Errorf("%s at sea is on the land of %s", l.ID(row), land)
		case medium == "land_path" && (land != l.Text(row, "country") || g.waters.At(p) == ""):
			t.Errorf("%s on land is on %q, says %s", l.ID(row), land, l.Text(row, "country"))
		}
		from, to := l.Times(row)
		if from.Before(asOf.AddDate(0, 0, -demoIncidentDays-3)) || to.After(asOf) {
			t.Errorf("%s is from %v to %v", l.ID(row), from, to)
		}
		if s := l.Number(row, "severity"); s < 1 || s > 5 || s != float64(int(s)) {
			t.Errorf("%s has severity %v", l.ID(row), s)
		}
		for _, name := range []string{"discovery", "stage", "reporter_agency", "kind_confidence", "status_id", "status_my", "release", "handling", "date_precision"} {
			if l.Text(row, name) == "" {
				t.Errorf("%s has no %s", l.ID(row), name)
			}
		}
		if kind == "mar.distress_sinking" {
			sinkings++
			if monsoon(from) {
				monsoonSinkings++
			}
		}
		if planeKM(p, entikong.Point) < 15 {
			hotspot++
		}
	}
	t.Logf("media %v, directions %v, %d of %d sinkings in the monsoon, %d within 15 km of Entikong", media, directions, monsoonSinkings, sinkings, hotspot)
	if media["land_path"] < n/3 || media["sea"] < n/3 || media["port"] < n/20 {
		t.Errorf("media %v", media)
	}
	if directions["id_to_my"] < n/3 || directions["my_to_id"] < n/4 {
		t.Errorf("directions %v", directions)
	}
	if kinds["ret.deportation_arrival"] > 0 || len(kinds) < 15 {
		t.Errorf("kinds %v", kinds)
	}
	if monsoonSinkings*2 < sinkings || hotspot < n/20 {
		t.Errorf("%d of %d sinkings in the monsoon, %d incidents near Entikong", monsoonSinkings, sinkings, hotspot)
	}
}

func TestDemoPlaces(t *testing.T) {
	g := ground(t)
	layers := demoOf(t, DemoOptions{Seed: 7, Incidents: 1})
	for row := range layers["demo_water_crossings"].Len() {
		if p, _ := layers["demo_water_crossings"].Point(row); !g.isWater(p) || g.waters.At(p) == "" {
			t.Errorf("water crossing at %v: land %q", p, g.land.At(p))
		}
	}
	for row := range layers["demo_illegal_ports"].Len() {
		l := layers["demo_illegal_ports"]
		if c := l.Text(row, "country"); c != "ID" && c != "MY" || l.Text(row, "kind") == "" {
			t.Errorf("%s: country %q", l.ID(row), c)
		}
	}
}

func TestWriteGeoJSON(t *testing.T) {
	list, err := DemoLayers(DemoOptions{Seed: 8, AsOf: asOf, Incidents: 9000})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		var b bytes.Buffer
		if err := l.WriteGeoJSON(&b); err != nil {
			t.Fatal(err)
		}
		var fc struct {
			Type     string
			Features []struct {
				Type, ID   string
				Geometry   json.RawMessage
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(b.Bytes(), &fc); err != nil {
			t.Fatalf("%s: %v", l.Info.ID, err)
		}
		n := 0
		for f := range l.Features {
			if n >= len(fc.Features) || fc.Features[n].ID != f.ID || fc.Features[n].Properties["synthetic"] != true {
				t.Fatalf("%s: feature %d is not %s", l.Info.ID, n, f.ID)
			}
			var point orb.Point
			if want, ok := f.Geometry.(orb.Point); ok {
				var g struct{ Coordinates *orb.Point }
				g.Coordinates = &point
				if json.Unmarshal(fc.Features[n].Geometry, &g) != nil || point != want {
					t.Fatalf("%s %s: %s, want %v", l.Info.ID, f.ID, fc.Features[n].Geometry, want)
				}
			}
			n++
		}
		if n != len(fc.Features) || fc.Type != "FeatureCollection" {
			t.Errorf("%s: %d features written, %d made", l.Info.ID, len(fc.Features), n)
		}
	}
}

// What WriteGeoJSON writes comes back through the import without a fault.
func TestImportOfDemo(t *testing.T) {
	list, err := DemoLayers(DemoOptions{Seed: 9, AsOf: asOf, Incidents: 2000})
	if err != nil {
		t.Fatal(err)
	}
	made := demoOf(t, DemoOptions{Seed: 9, Incidents: 2000})
	for _, l := range list {
		var b bytes.Buffer
		if err := l.WriteGeoJSON(&b); err != nil {
			t.Fatal(err)
		}
		info := geo.LayerInfo{ID: l.Info.ID, Kind: l.Info.Kind}
		got, report, err := data.Import(t.Context(), &b, data.ImportOptions{Info: info, Format: data.FormatGeoJSON, Now: asOf, Limits: data.DefaultLimits()})
		if err != nil {
			t.Errorf("%s: %v", l.Info.ID, err)
			continue
		}
		want := made[l.Info.ID]
		if report.Quarantined > 0 || got.Len() != want.Len() || len(report.Defaults) > 0 {
			t.Errorf("%s: %d of %d features, %+v", l.Info.ID, got.Len(), want.Len(), report)
		}
		for _, w := range report.Warnings {
			if w.Code != "silence" {
				t.Errorf("%s: warning %+v", l.Info.ID, w)
			}
		}
		for row := range min(got.Len(), want.Len()) {
			a, b := got.Feature(row), want.Feature(row)
			if !orb.Equal(a.Geometry, b.Geometry) || !a.From.Equal(b.From) || !a.To.Equal(b.To) || len(a.VertexTimes) != len(b.VertexTimes) {
				t.Fatalf("%s row %d: %+v\nwant %+v", l.Info.ID, row, a, b)
			}
			for k, v := range b.Properties {
				if a.Properties[k] != v {
					t.Fatalf("%s row %d: %s is %v, want %v", l.Info.ID, row, k, a.Properties[k], v)
				}
			}
		}
	}
}

func BenchmarkTerrain(b *testing.B) {
	for b.Loop() {
		ground(b)
	}
}

func BenchmarkDemoDefault(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		demoOf(b, DemoOptions{Seed: 1})
	}
}

// BenchmarkDemoIncidents1M makes a million incidents a round without keeping them.
func BenchmarkDemoIncidents1M(b *testing.B) {
	benchmarkMillion(b, func(l DemoLayer) error {
		for range l.Features {
		}
		return nil
	})
}

// BenchmarkDemoWrite1M writes them as GeoJSON.
func BenchmarkDemoWrite1M(b *testing.B) {
	benchmarkMillion(b, func(l DemoLayer) error { return l.WriteGeoJSON(io.Discard) })
}

// BenchmarkDemoBuild1M collects them into a layer.
func BenchmarkDemoBuild1M(b *testing.B) {
	benchmarkMillion(b, func(l DemoLayer) error {
		c := geo.NewBuilder(l.Info)
		for f := range l.Features {
			c.Add(f)
		}
		c.Layer()
		return nil
	})
}

func benchmarkMillion(b *testing.B, use func(DemoLayer) error) {
	list, err := DemoLayers(DemoOptions{Seed: 1, AsOf: asOf, Incidents: 1_000_000})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := use(list[2]); err != nil {
			b.Fatal(err)
		}
	}
}

// Boats start in the open sea of their own country and lanes lie on water, so
// that nothing at sea ends up in a lake.
func TestDemoSeaStarts(t *testing.T) {
	g := ground(t)
	for _, b := range beats() {
		own := func(p orb.Point) bool { return g.isWater(p) && g.waters.At(p) == b.country }
		if p, ok := near(b.at, 15, own); b.mode == "sea_boat" && (!ok || !g.isWater(b.at)) {
			t.Errorf("%s %s starts at %v, nearest own sea %v", b.agency, b.sector, b.at, p)
		}
	}
	for _, s := range seaLanes() {
		if !g.isWater(s.at) || !g.isWater(s.to) {
			t.Errorf("the lane from %v to %v ends on land", s.at, s.to)
		}
	}
}
