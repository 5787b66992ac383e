package gpkg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

// tall is a layer with heights and without, of every type; whole leaves out
// what has none at some vertex.
func tall(t testing.TB, whole bool) *geo.Layer {
	shapes := []string{
		`{"type":"Point","coordinates":[110.1234567,1.5,12.5]}`, `{"type":"MultiPoint","coordinates":[[110,1,1],[111,2,-2]]}`,
		`{"type":"LineString","coordinates":[[110,1,0],[111,2,7.25],[110,3,9]]}`, `{"type":"MultiLineString","coordinates":[[[110,1,1],[111,2,2]],[[112,1,3],[113,2,4]]]}`,
		`{"type":"Polygon","coordinates":[[[110,1,1],[112,1,2],[112,3,3],[110,3,4],[110,1,1]],[[111,2,5],[111,2.5,6],[111.5,2.5,7],[111,2,5]]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[100,1,1],[101,1,2],[101,2,3],[100,1,1]]],[[[102,1,4],[105,1,5],[105,4,6],[102,1,4]]]]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2,3]},{"type":"LineString","coordinates":[[110,1,4],[111,2,5]]}]}`,
		`{"type":"Point","coordinates":[110,1]}`, `{"type":"LineString","coordinates":[[110,1],[111,2,5]]}`, `{"type":"LineString","coordinates":[[110,1],[111,2]]}`,
	}
	if whole {
		shapes = shapes[:6]
	}
	features := []string{}
	for i, g := range shapes {
		features = append(features, fmt.Sprintf(`{"type":"Feature","id":"x%d","geometry":%s,"properties":{"n":%d}}`, i, g, i))
	}
	l, _ := mustImportFile(t, []byte(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`))
	return l
}

func heightsText(l *geo.Layer) string {
	var out []string
	for row := range l.Len() {
		if v := l.Value(row, geo.HeightsField); v != nil {
			if list, ok := v.(json.RawMessage); ok {
				v = string(list)
			}
			out = append(out, fmt.Sprint(l.ID(row), v))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// Heights stay with their rows over restarts, versions, rollbacks and from a
// snapshot.
func TestStoreKeepsHeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.gpkg")
	s := openTest(t, path, Options{})
	first := tall(t, false)
	first.Info.ID = "a"
	mustCommit(t, s, data.Replace, first)
	want := heightsText(first)
	if !strings.Contains(want, "x8[null,5]") || !strings.Contains(want, "x0 12.5") && !strings.Contains(want, "x012.5") {
		t.Fatal(want)
	}
	for _, step := range []string{"loaded", "opened again", "loaded again, as from a snapshot"} {
		if got := heightsText(mustLoad(t, s, "a")); got != want {
			t.Errorf("%s: %s, expected %s", step, got, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, path, Options{})
	}
	second := storetest.Random(2, "a", 10)
	mustCommit(t, s, data.Replace, second)
	old, err := s.LoadVersion(t.Context(), "a", 1)
	if err != nil || heightsText(old) != want {
		t.Errorf("version 1: %v %s", err, heightsText(old))
	}
	if _, err := s.Rollback(t.Context(), "a", 1, data.Provenance{At: filesNow}); err != nil {
		t.Fatal(err)
	}
	back := mustLoad(t, s, "a")
	if got := heightsText(back); got != want {
		t.Errorf("rolled back: %s", got)
	}
	var b bytes.Buffer
	if err := data.Write(&b, data.FormatGeoJSON, back, nil); err != nil || !strings.Contains(b.String(), `[110.1234567,1.5,12.5]`) || !strings.Contains(b.String(), `[[110,1],[111,2,5]]`) {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestFileHeights(t *testing.T) {
	l := tall(t, false)
	b := fileOf(t, l)
	got, r := mustImportFile(t, b)
	if sameFile(t, got, l); len(r.Warnings) > 0 || heightsText(got) != heightsText(l) {
		t.Errorf("%+v", r)
	}
	var z int
	if err := openFile(t, b).QueryRow(`SELECT z FROM gpkg_geometry_columns`).Scan(&z); err != nil || z != 2 {
		t.Error(z, err)
	}
	if bytes.Contains(b, []byte(geo.HeightsField)) {
		t.Error("the property is a column too")
	}
	kind := func(o *data.ImportOptions) { o.Info.Kind = geo.KindPatrolTrack }
	tracks, _ := mustImportFile(t, []byte(`{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1,8],[110.1,1,9]]},"properties":{"times":["2024-05-01T00:00:00Z","2024-05-01T01:00:00.5Z"]}}`), kind)
	back, _ := mustImportFile(t, fileOf(t, tracks), kind)
	if a, b := heightsText(back), heightsText(tracks); a != b || !strings.HasSuffix(b, "[8,9]") || fmt.Sprint(back.VertexTimesMS(0)) != fmt.Sprint(tracks.VertexTimesMS(0)) {
		t.Errorf("%s, expected %s; %v", a, b, back.VertexTimesMS(0))
	}
}

// GDAL reads the heights that we write and writes some that we read.
func TestGDALSharesHeights(t *testing.T) {
	l := tall(t, true)
	out := filepath.Join(t.TempDir(), "out.geojson")
	path := savedFile(t, fileOf(t, l))
	gdal(t, "ogr2ogr", "-f", "GeoJSON", out, path)
	again := filepath.Join(t.TempDir(), "out.gpkg")
	gdal(t, "ogr2ogr", "-f", "GPKG", again, out)
	for _, name := range []string{out, again} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := mustImportFile(t, text)
		sameFile(t, got, l)
	}
}
