package layers

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func load(t testing.TB, id string) *geo.Layer {
	t.Helper()
	l, err := Load(id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestCounts(t *testing.T) {
	want := map[string]int{
		"official_crossings": 42, "water_crossings": 24, "illegal_ports": 80, "informal_paths": 33,
		"reported_incidents": 189, "land_border": 20, "land": 1128, "territorial_waters": 12,
		"coastline": 3862, "rivers": 162, "places": 1722, "jurisdictions": 62,
	}
	got := map[string]int{}
	for _, info := range Builtin() {
		got[info.ID] = load(t, info.ID).Len()
	}
	if !maps.Equal(got, want) {
		t.Errorf("features a layer: %v, want %v", got, want)
	}
	if n := got["water_crossings"] + got["illegal_ports"] + got["informal_paths"]; n != 137 {
		t.Errorf("%d reported localities, want 137", n)
	}
}

func TestInfo(t *testing.T) {
	base := []string{"places", "rivers", "coastline", "territorial_waters", "land"}
	for _, info := range Builtin() {
		if info.Licence == "" || info.Source == "" || info.Note == "" || info.Title == "" {
			t.Errorf("%s: licence, source, note and title must be there: %+v", info.ID, info)
		}
		if !info.Builtin || info.Synthetic || info.Classification != "public" {
			t.Errorf("%s: built in, not synthetic, public: %+v", info.ID, info)
		}
		if info.Base != slices.Contains(base, info.ID) {
			t.Errorf("%s: base is %v", info.ID, info.Base)
		}
		if !strings.Contains(Licences(), info.ID) {
			t.Errorf("%s is not in LICENCES.md", info.ID)
		}
		if l := load(t, info.ID); l.Info.ID != info.ID || l.Info.Version != 1 {
			t.Errorf("loaded %+v", l.Info)
		}
	}
	if _, err := Load("nothing"); err == nil {
		t.Error("a layer that is not there loads")
	}
}

func TestEmbeddedSize(t *testing.T) {
	total := int64(0)
	err := fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Size() >= 2<<20 {
			t.Errorf("%s has %d bytes, want less than 2 MB", path, info.Size())
		}
		total += info.Size()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("embedded: %d bytes", total)
	if total > 2_500_000 {
		t.Errorf("embedded %d bytes, want at most 2.5 MB", total)
	}
}

func TestEveryFeature(t *testing.T) {
	box := orb.Bound{Min: orb.Point{94, -5}, Max: orb.Point{121, 9}}
	for _, info := range Builtin() {
		l := load(t, info.ID)
		ids := map[string]bool{}
		for row := range l.Len() {
			g := l.Geometry(row)
			if b := g.Bound(); b.IsEmpty() || !box.Contains(b.Min) || !box.Contains(b.Max) {
				t.Errorf("%s %s is outside the region: %v", info.ID, l.ID(row), b)
			}
			if id := l.ID(row); id == "" || ids[id] {
				t.Errorf("%s row %d: identifier %q is empty or there twice", info.ID, row, id)
			} else {
				ids[id] = true
			}
			if g.Dimensions() == 0 && !(l.Number(row, "location_precision_m") > 0) {
				t.Errorf("%s %s has no location_precision_m", info.ID, l.ID(row))
			}
			checkRings(t, info.ID, g)
		}
	}
}

// checkRings wants closed rings, wound as RFC 7946 says.
func checkRings(t *testing.T, id string, g orb.Geometry) {
	t.Helper()
	switch g := g.(type) {
	case orb.MultiPolygon:
		for _, p := range g {
			checkRings(t, id, p)
		}
	case orb.Polygon:
		for i, r := range g {
			want := orb.CCW
			if i > 0 {
				want = orb.CW
			}
			if len(r) < 4 || !r.Closed() || r.Orientation() != want {
				t.Errorf("%s: ring %d of %d vertices is open, short or wound the wrong way", id, i, len(r))
			}
		}
	case orb.LineString:
		if len(g) < 2 {
			t.Errorf("%s: a line of %d vertices", id, len(g))
		}
	}
}

// Identifying fields must not exist, whatever their spelling. Names of places
// are kept; the public record has none of persons.
func TestNoForbiddenFields(t *testing.T) {
	forbidden := []string{"passport", "paspor", "nik", "ktp", "mykad", "phone", "telp", "hp", "email", "address", "alamat",
		"photo", "narrative", "description", "religion", "agama", "ethnicity", "suku", "birth", "age", "victim", "suspect", "person_name"}
	for _, info := range Builtin() {
		for _, c := range load(t, info.ID).Columns() {
			for _, word := range strings.Split(c.Name, "_") {
				if slices.Contains(forbidden, word) {
					t.Errorf("%s has the property %s", info.ID, c.Name)
				}
			}
			if info.Kind == geo.KindIncident && c.Name == "name" {
				t.Errorf("%s has names", info.ID)
			}
		}
	}
}

func TestOfficialCrossings(t *testing.T) {
	l := load(t, "official_crossings")
	kinds, verified := map[string]int{}, 0
	for row := range l.Len() {
		v, ok := l.Value(row, "verified").(bool)
		if !ok {
			t.Errorf("%s does not say whether it is verified", l.ID(row))
		}
		verified += map[bool]int{true: 1}[v]
		if l.Text(row, "source") == "" || l.Text(row, "name") == "" {
			t.Errorf("%s has no source or name", l.ID(row))
		}
		kinds[l.Text(row, "kind")]++
		if planned := l.Text(row, "source_kind") == "planned_land"; planned != (l.Text(row, "status") == "planned") {
			t.Errorf("%s has status %s", l.ID(row), l.Text(row, "status"))
		}
	}
	if verified != 19 || !maps.Equal(kinds, map[string]int{"plbn": 9, "ferry_port_official": 32, "plb_traditional": 1}) {
		t.Errorf("%d verified, kinds %v", verified, kinds)
	}
}

func TestPublicRecord(t *testing.T) {
	want := map[string][]string{
		"water_crossings": {"water_crossing"}, "informal_paths": {"jalan_tikus"},
		"illegal_ports": {"beach_landing", "jeti_unregistered", "pelabuhan_tikus"},
	}
	for id, kinds := range want {
		l := load(t, id)
		seen := map[string]bool{}
		for row := range l.Len() {
			seen[l.Text(row, "kind")] = true
			if l.Text(row, "status") != "reported" || l.Text(row, "source") == "" {
				t.Errorf("%s %s: status %q, source %q", id, l.ID(row), l.Text(row, "status"), l.Text(row, "source"))
			}
			if _, ok := l.Value(row, "verified").(bool); !ok {
				t.Errorf("%s %s does not say whether it is verified", id, l.ID(row))
			}
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, kinds) {
			t.Errorf("%s has kinds %v, want %v", id, got, kinds)
		}
	}
}

func TestReportedIncidents(t *testing.T) {
	l := load(t, "reported_incidents")
	for row := range l.Len() {
		from, to := l.Times(row)
		if from.Year() < 2014 || from.After(to) {
			t.Errorf("%s: from %v to %v", l.ID(row), from, to)
		}
		if l.Value(row, "occurred_from") != nil || l.Value(row, "occurred_to") != nil {
			t.Errorf("%s keeps its dates as properties too", l.ID(row))
		}
		raw, ok := l.Value(row, "sources").(json.RawMessage)
		var sources []struct{ Publisher, Title string }
		if !ok || json.Unmarshal(raw, &sources) != nil || len(sources) == 0 || sources[0].Publisher == "" {
			t.Errorf("%s: sources %s", l.ID(row), raw)
		}
		if l.Text(row, "discovery") == "" || l.Text(row, "note") == "" {
			t.Errorf("%s lacks discovery or note", l.ID(row))
		}
	}
	// The first row of the source, by hand: May 2014 in UTC+8.
	f := l.Feature(0)
	if f.ID != "pub-201405-tunontaka" || f.Geometry != (orb.Point{117.651, 4.138}) ||
		f.From.Format("2006-01-02T15:04:05Z") != "2014-04-30T16:00:00Z" || f.To.Format("2006-01-02T15:04:05Z") != "2014-05-31T15:59:59Z" ||
		f.Properties["persons_total"] != 114.0 || f.Properties["deaths"] != nil {
		t.Errorf("first row: %+v", f)
	}
}

func TestLandBorder(t *testing.T) {
	l := load(t, "land_border")
	count, km := map[string]int{}, map[string]float64{}
	for row := range l.Len() {
		c := l.Text(row, "countries")
		count[c]++
		km[c] += newPath(l.Geometry(row).(orb.LineString)).length()
		if got, want := newPath(l.Geometry(row).(orb.LineString)).length(), l.Number(row, "length_km"); math.Abs(got-want) > 0.01*want+0.01 {
			t.Errorf("%s is %.2f km long, its property says %.2f", l.ID(row), got, want)
		}
	}
	if !maps.Equal(count, map[string]int{"IDN-MYS": 6, "BRN-MYS": 14}) || math.Abs(km["IDN-MYS"]-1901) > 19 {
		t.Errorf("lines %v, km %v", count, km)
	}
}

func TestJurisdictions(t *testing.T) {
	l := load(t, "jurisdictions")
	for row := range l.Len() {
		for _, name := range []string{"agency", "country", "powers", "legal_basis", "zone"} {
			if l.Text(row, name) == "" {
				t.Errorf("%s has no %s", l.ID(row), name)
			}
		}
		if l.Value(row, "coarse") != true {
			t.Errorf("%s does not say that it is coarse", l.ID(row))
		}
	}
	may := func(p orb.Point) []string {
		var out []string
		for row := range l.Len() {
			if geo.Contains(l.Geometry(row), p) {
				out = append(out, l.Text(row, "country")+" "+l.Text(row, "agency"))
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, c := range []struct {
		name string
		p    orb.Point
		want string
	}{
		{"Entikong post, on the line", orb.Point{110.35578, 0.98702},
			"ID BC,ID IMI,ID POLRI,ID TNI-PAMTAS,MY AKPS,MY ATM-TDM,MY JIM,MY KASTAM,MY PDRM,MY PGA"},
		{"Pontianak, far from the border", orb.Point{109.35, -0.03}, "ID BC,ID IMI,ID POLRI"},
		{"Sri Aman", orb.Point{111.45278, 1.24722}, "MY ATM-TDM,MY JIM,MY KASTAM,MY PDRM,MY PGA"},
		{"Kuala Lumpur", orb.Point{101.69, 3.14}, "MY JIM,MY KASTAM,MY PDRM"},
		{"sea off Asahan", orb.Point{100.0, 3.12}, "ID BAKAMLA,ID BC,ID POLAIRUD,ID TNI-AL"},
		{"sea off Melaka", orb.Point{102.2, 2.12}, "MY APMM/MMEA,MY KASTAM,MY PPM"},
		{"sea off Semporna", orb.Point{118.3, 4.25}, "MY APMM/MMEA,MY ESSCOM,MY KASTAM,MY PPM"},
		{"South China Sea", orb.Point{107.0, 5.5}, ""},
	} {
		if got := strings.Join(may(c.p), ","); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	border := load(t, "land_border")
	for row := range border.Len() {
		line, _ := border.Geometry(row).(orb.LineString)
		if border.Text(row, "countries") != "IDN-MYS" {
			continue
		}
		for i := 0; i < len(line); i += 50 {
			got := strings.Join(may(line[i]), ",")
			if !strings.Contains(got, "ID TNI-PAMTAS") && !strings.Contains(got, "MY PGA") {
				t.Errorf("nobody may act on the border at %v: %s", line[i], got)
			}
		}
	}
}

func TestLandAndSettlementsAgree(t *testing.T) {
	land, places := NewLocator(load(t, "land"), "country"), load(t, "places")
	wrong := 0
	for row := range places.Len() {
		p, _ := places.Point(row)
		if got := land.At(p); got != "" && got != places.Text(row, "country") {
			wrong++
		}
	}
	if wrong > places.Len()/100 {
		t.Errorf("%d of %d settlements lie in another country's land", wrong, places.Len())
	}
}

// The embedded files are what make writes: packing what was loaded gives the
// same features again.
func TestPackOfLoaded(t *testing.T) {
	for _, info := range Builtin() {
		l := load(t, info.ID)
		var features []geo.Feature
		for row := range l.Len() {
			features = append(features, l.Feature(row))
		}
		var b bytes.Buffer
		if err := Pack(&b, features); err != nil {
			t.Fatal(err)
		}
		again := geo.NewBuilder(info)
		if err := unpack(b.Bytes(), func(f geo.Feature) { again.Add(f) }); err != nil {
			t.Fatal(err)
		}
		same(t, info.ID, l, again.Layer())
	}
}

// The source of each embedded file is named in it; there are no strays.
func TestNoStrayFiles(t *testing.T) {
	want := []string{"LICENCES.md"}
	for _, info := range Builtin() {
		want = append(want, PackedName(info.ID))
	}
	slices.Sort(want)
	entries, err := os.ReadDir(filepath.Join("builtin"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// same compares two layers row by row.
func same(t *testing.T, name string, a, b *geo.Layer) {
	t.Helper()
	if a.Len() != b.Len() {
		t.Fatalf("%s: %d and %d features", name, a.Len(), b.Len())
	}
	for row := range a.Len() {
		pa, pb := a.AppendProperties(nil, row), b.AppendProperties(nil, row)
		if a.ID(row) != b.ID(row) || !orb.Equal(a.Geometry(row), b.Geometry(row)) || !bytes.Equal(pa, pb) {
			t.Fatalf("%s row %d differs:\n%s %v\n%s %v", name, row, pa, a.Geometry(row), pb, b.Geometry(row))
		}
	}
}

func BenchmarkLoadAll(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, info := range Builtin() {
			load(b, info.ID)
		}
	}
}

func BenchmarkLoadCoastline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load(b, "coastline")
	}
}

// Every code in the built-in layers is in the schema's lists.
func TestCodes(t *testing.T) {
	for _, id := range []string{"official_crossings", "water_crossings", "illegal_ports", "informal_paths", "reported_incidents"} {
		l := load(t, id)
		for _, f := range data.Fields(l.Info.Kind) {
			if len(f.Codes) == 0 {
				continue
			}
			for row := range l.Len() {
				if code := l.Text(row, f.Name); code != "" && !slices.Contains(f.Codes, code) {
					t.Errorf("%s %s: %s %q is not in the schema", id, l.ID(row), f.Name, code)
				}
			}
		}
	}
}
