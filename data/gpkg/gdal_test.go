package gpkg

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// gdal runs a GDAL program, the judge that shares no code with this package.
func gdal(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is missing; install gdal-bin", name)
		}
		t.Skipf("NOT TESTED AGAINST GDAL: %s is missing; install gdal-bin", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Warning") || strings.Contains(string(out), "ERROR") {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func shapes(id string, gs ...orb.Geometry) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: id, Title: "Shapes of " + id})
	for i, g := range gs {
		at := time.Date(2026, 1, 2, 3, 4, 5+i, 678e6, time.UTC)
		b.Add(geo.Feature{ID: fmt.Sprint("n", i), Geometry: g, From: at, To: at.Add(time.Hour), Properties: map[string]any{
			"name": fmt.Sprint("Tanjung ", i, " é"), "count": float64(i), "weight": float64(i) + 0.25, "flag": i%2 == 0}})
	}
	return b.Layer()
}

// TestGDALLists: GDAL lists the layers, and nothing else, with type, number,
// extent, fields and index, while the store is open and being used.
func TestGDALLists(t *testing.T) {
	line := orb.LineString{{109.5, 1.25}, {110.5, 1.75}}
	ring := orb.Polygon{{{110, 1}, {111, 1}, {111, 2}, {110, 1}}}
	s := newStore(t)
	for _, l := range []*geo.Layer{
		shapes("points", orb.Point{109.5, 1.25}, orb.Point{110.5, 1.75}, orb.Point{110, 1.5}),
		shapes("lines", line), shapes("areas", ring),
		shapes("many-points", orb.MultiPoint{{109.5, 1.25}, {110.5, 1.75}}),
		shapes("many_lines", orb.MultiLineString{line}), shapes("many_areas", orb.MultiPolygon{ring}),
		shapes("collections", orb.Collection{line, orb.Point{110, 1}}),
		shapes("all", line, ring, orb.Point{110, 2}),
		shapes("none"),
	} {
		mustCommit(t, s, data.Replace, shapes(l.Info.ID, orb.Point{0, 0})) // becomes history
		mustCommit(t, s, data.Replace, l)
	}
	out := gdal(t, "ogrinfo", "-ro", "-al", "-so", s.Path())
	layers := strings.Split(out, "\nLayer name: ")[1:]
	want := map[string][3]string{
		"points":      {"Point", "3", "(109.500000, 1.250000) - (110.500000, 1.750000)"},
		"lines":       {"Line String", "1", "(109.500000, 1.250000) - (110.500000, 1.750000)"},
		"areas":       {"Polygon", "1", "(110.000000, 1.000000) - (111.000000, 2.000000)"},
		"many-points": {"Multi Point", "1", "(109.500000, 1.250000) - (110.500000, 1.750000)"},
		"many_lines":  {"Multi Line String", "1", "(109.500000, 1.250000) - (110.500000, 1.750000)"},
		"many_areas":  {"Multi Polygon", "1", "(110.000000, 1.000000) - (111.000000, 2.000000)"},
		"collections": {"Geometry Collection", "1", "(109.500000, 1.000000) - (110.500000, 1.750000)"},
		"all":         {"Unknown (any)", "3", "(109.500000, 1.000000) - (111.000000, 2.000000)"},
		"none":        {"Unknown (any)", "0", ""},
	}
	if len(layers) != len(want) {
		t.Errorf("%d layers, want %d:\n%s", len(layers), len(want), out)
	}
	field := func(text, pattern string) string {
		m := regexp.MustCompile(`(?m)^` + pattern).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		return m[1]
	}
	for _, text := range layers {
		name := field(text, `(\S+)$`)
		got := [3]string{field(text, `Geometry: (.*)$`), field(text, `Feature Count: (.*)$`), field(text, `Extent: (.*)$`)}
		if got != want[name] {
			t.Errorf("layer %q: %q, want %q", name, got, want[name])
		}
		if field(text, `    (ID\["EPSG",4326\])\]$`) == "" || field(text, `FID Column = (.*)$`) != "fid" || field(text, `Geometry Column = (.*)$`) != "geom" {
			t.Errorf("layer %q:\n%s", name, text)
		}
		if name != "none" && (field(text, `time_from: (\w+)`) != "DateTime" || field(text, `count: (\w+)`) != "Integer64" ||
			field(text, `weight: (\w+)`) != "Real" || field(text, `flag: (.*) \(`) != "Integer(Boolean)" || field(text, `name: (\w+)`) != "String") {
			t.Errorf("fields of layer %q:\n%s", name, text)
		}
		if got := gdal(t, "ogrinfo", "-ro", "-q", s.Path(), "-sql", fmt.Sprintf(`SELECT HasSpatialIndex('%s','geom')`, name)); !strings.Contains(got, "HasSpatialIndex (Integer) = 1") {
			t.Errorf("layer %q has no spatial index: %s", name, got)
		}
	}
	if got := gdal(t, "ogrinfo", "-ro", "-so", s.Path(), "all", "-spat", "110.9", "0", "112", "3"); !strings.Contains(got, "Feature Count: 1\n") {
		t.Errorf("spatial filter: %s", got)
	}
}

// TestGDALReads compares what GDAL makes of a layer, as GeoJSON, with the
// layer.
func TestGDALReads(t *testing.T) {
	s := newStore(t)
	l := shapes("all", orb.Point{109.123456789, -1.5}, orb.LineString{{1, 2}, {3, 4}}, orb.Polygon{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}},
		orb.MultiPoint{{1, 2}, {3, 4}}, orb.MultiLineString{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}},
		orb.MultiPolygon{{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}}, orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}})
	mustCommit(t, s, data.Replace, l)
	path := filepath.Join(t.TempDir(), "all.geojson")
	gdal(t, "ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=15", path, s.Path(), "all")
	fc, err := geojson.UnmarshalFeatureCollection(readFile(t, path))
	if err != nil || len(fc.Features) != l.Len() {
		t.Fatalf("%d features, %v", len(fc.Features), err)
	}
	for row, f := range fc.Features {
		from, to := l.Times(row)
		if !orb.Equal(f.Geometry, l.Geometry(row)) {
			t.Errorf("row %d: %v, want %v", row, f.Geometry, l.Geometry(row))
		}
		for name, want := range map[string]any{"ext_id": l.ID(row), "name": l.Text(row, "name"), "count": l.Number(row, "count"),
			"weight": l.Number(row, "weight"), "flag": l.Value(row, "flag"), "properties": nil, "version_added": 1.0} {
			if got := f.Properties[name]; got != want {
				t.Errorf("row %d: %s = %v, want %v", row, name, got, want)
			}
		}
		for name, want := range map[string]time.Time{"time_from": from, "time_to": to} {
			text, _ := f.Properties[name].(string)
			if got, err := time.Parse("2006-01-02T15:04:05.999Z07:00", strings.Replace(strings.Replace(text, "/", "-", -1), " ", "T", 1)); err != nil || !got.Equal(want) {
				t.Errorf("row %d: %s = %q, want %v", row, name, text, want)
			}
		}
	}
}

// TestGDALEdits: another program adds, moves and deletes features; its
// triggers keep the index right, and the store goes on with the result.
func TestGDALEdits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "edit.gpkg")
	s := openTest(t, path, Options{})
	mustCommit(t, s, data.Replace, shapes("p", orb.Point{1, 1}, orb.Point{2, 2}, orb.Point{3, 3}))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	extra := filepath.Join(t.TempDir(), "extra.geojson")
	fc, err := json.Marshal(geojson.FeatureCollection{Type: "FeatureCollection", Features: []*geojson.Feature{geojson.NewFeature(orb.Point{4.5, 4.5})}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, extra, fc)
	gdal(t, "ogr2ogr", "-append", "-nln", "p", path, extra)
	gdal(t, "ogrinfo", "-q", path, "-sql", `UPDATE p SET geom = (SELECT geom FROM p WHERE fid = 4), name = 'moved' WHERE fid = 2`)
	gdal(t, "ogrinfo", "-q", path, "-sql", `DELETE FROM p WHERE fid = 1`)
	gdal(t, "ogrinfo", "-q", path, "-sql", `ALTER TABLE p ADD COLUMN remark TEXT DEFAULT 'seen'`)
	s = openTest(t, path, Options{})
	wantText(t, s, `SELECT rtreecheck('rtree_p_geom')`, "ok")
	wantText(t, s, `SELECT group_concat(id) FROM (SELECT id FROM rtree_p_geom ORDER BY id)`, "2,3,4")
	wantText(t, s, `SELECT minx || ' ' || maxy FROM rtree_p_geom WHERE id = 2`, "4.5 4.5")
	l := mustLoad(t, s, "p")
	if l.Len() != 3 || l.Geometry(0) != (orb.Point{4.5, 4.5}) || l.Text(0, "name") != "moved" || l.Text(1, "remark") != "seen" || l.Geometry(2) != (orb.Point{4.5, 4.5}) {
		t.Errorf("after the edits: %+v %+v %+v", l.Feature(0), l.Feature(1), l.Feature(2))
	}
	if l.Info.NextFID != 5 {
		t.Errorf("next FID %d", l.Info.NextFID)
	}
	b := geo.NewBuilder(l.Info)
	b.Add(geo.Feature{Geometry: orb.Point{5, 5}, Properties: map[string]any{"remark": "new"}})
	mustCommit(t, s, data.Append, b.Layer())
	if _, err := s.Rollback(t.Context(), "p", 1, data.Provenance{}); err != nil {
		t.Error(err)
	}
	if l := mustLoad(t, s, "p"); l.Len() != 3 || math.IsNaN(l.Number(0, "count")) {
		t.Errorf("%d rows", l.Len())
	}
}

// TestGDALReadsDuringWrites: a reader of another process sees whole versions
// while the store changes.
func TestGDALReadsDuringWrites(t *testing.T) {
	s := newStore(t)
	mustCommit(t, s, data.Replace, storetest.Random(1, "r", 100))
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for k := uint64(0); ; k++ {
			select {
			case <-stop:
				return
			default:
			}
			l := storetest.Random(k, "r", 100)
			if _, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: data.Replace, Rows: l}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	defer func() { close(stop); <-done }()
	for range 10 {
		out := gdal(t, "ogrinfo", "-ro", "-q", s.Path(), "-sql", "SELECT count(*) AS n FROM r")
		m := regexp.MustCompile(`n \(Integer\) = (\d+)`).FindStringSubmatch(out)
		if m == nil {
			t.Fatal(out)
		}
		if n, _ := strconv.Atoi(m[1]); n != 100 {
			t.Errorf("%d rows", n)
		}
	}
}
