package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// mixedLayer has points and lines with properties of every type; areas too
// when asked.
func mixedLayer(t testing.TB, areas bool) *geo.Layer {
	t.Helper()
	features := []string{
		`{"type":"Feature","id":"A-1","geometry":{"type":"Point","coordinates":[112.2,1.45]},"properties":{"name":"Pos <\"&> 1","jumlah":7,"kode":"007","buka":true,"ele":12.5,"daftar":[1,"a"],"from":"2022-11-05T04:00:00.250Z"}}`,
		`{"type":"Feature","id":"A-2","geometry":{"type":"Point","coordinates":[-0.0000001,-84.5]},"properties":{"kolom aneh!":"ü\ny","from":"2022-11-05","to":"2022-11-06"}}`,
		`{"type":"Feature","id":"A-3","geometry":{"type":"LineString","coordinates":[[1,2],[3,4],[5,6.1234567]]},"properties":{"desc":"jalan","besar":9007199254740993}}`,
		`{"type":"Feature","id":"A-4","geometry":{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]},"properties":{"buka":false}}`,
	}
	if areas {
		features = append(features,
			`{"type":"Feature","id":"A-5","geometry":{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[1,2],[2,2],[1,1]]]},"properties":{"description":"luas"}}`,
			`{"type":"Feature","id":"A-6","geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[4,0],[4,4],[0,0]]],[[[9,9],[10,9],[10,10],[9,9]]]]},"properties":{}}`,
			`{"type":"Feature","id":"A-7","geometry":{"type":"MultiPoint","coordinates":[[1,2],[3,4]]},"properties":{"jumlah":-0.25}}`,
			`{"type":"Feature","id":"A-8","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2],[3,4]]}]},"properties":{}}`)
	}
	l, _ := mustImport(t, collection(features...), geo.KindOther)
	return l
}

func written(t testing.TB, format string, l *geo.Layer) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, format, l, nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// features lists a layer by identifier, as it is written.
func byID(l *geo.Layer) map[string]map[string]any {
	out := map[string]map[string]any{}
	for row := range l.Len() {
		var f map[string]any
		_ = json.Unmarshal(AppendFeature(nil, l, row), &f)
		properties := f["properties"].(map[string]any)
		delete(properties, "id")
		out[l.ID(row)] = f
	}
	return out
}

func TestXMLRoundTrip(t *testing.T) {
	for _, format := range []string{FormatGPX, FormatKML} {
		l := mixedLayer(t, format == FormatKML)
		text := written(t, format, l)
		again, r := mustImport(t, text, geo.KindOther)
		want, got := byID(l), byID(again)
		if format == FormatKML { // lists are text there, and one column has one type
			want["A-1"]["properties"].(map[string]any)["daftar"] = `[1,"a"]`
		}
		for id := range want {
			if !reflect.DeepEqual(want[id], got[id]) {
				t.Errorf("%s %s:\n%v\nbecame\n%v", format, id, want[id], got[id])
			}
		}
		if again.Len() != l.Len() || len(r.Warnings) > 0 {
			t.Errorf("%s: %+v\n%s", format, r, text)
		}
	}
}

func TestXMLRoundTripOfPatrols(t *testing.T) {
	line := `{"type":"LineString","coordinates":[[117.7,4.1],[117.71,4.11],[117.72,4.12]]}`
	l, _ := mustImport(t, collection(
		`{"type":"Feature","geometry":`+line+`,"properties":{"track_id":"T1","agency":"APMM/MMEA","mode":"sea_boat","sweep_width_m":300,"times":["2026-01-01T00:00:00.250Z","2026-01-01T00:05:00.750Z","2026-01-01T00:05:01Z"]}}`,
		`{"type":"Feature","geometry":`+line+`,"properties":{"track_id":"T2","mode":"foot","time_from":"2026-01-01T00:00:00Z","time_to":"2026-01-01T02:00:00Z"}}`,
		`{"type":"Feature","geometry":{"type":"Point","coordinates":[117,4]},"properties":{"mode":"fixed","time_from":"2026-01-01T00:00:00Z","time_to":"2026-01-01T02:00:00Z"}}`,
		`{"type":"Feature","geometry":{"type":"Point","coordinates":[117,4.5]},"properties":{"mode":"fixed","time_from":"2026-01-01T00:00:00Z"}}`,
	), geo.KindPatrolTrack)
	for _, format := range []string{FormatGPX, FormatKML} {
		again, r := mustImport(t, written(t, format, l), geo.KindPatrolTrack)
		if again.Len() != l.Len() {
			t.Fatalf("%s: %+v", format, r)
		}
		for row := range l.Len() {
			a, b := l.Feature(row), again.Feature(row)
			if !a.From.Equal(b.From) || !a.To.Equal(b.To) || !reflect.DeepEqual(a.Geometry, b.Geometry) || !reflect.DeepEqual(a.VertexTimes, b.VertexTimes) ||
				!reflect.DeepEqual(a.Properties, b.Properties) {
				t.Errorf("%s row %d: %+v became %+v", format, row, a, b)
			}
		}
	}
}

// XML cannot hold every character that JSON can.
func TestXMLCharacters(t *testing.T) {
	l, _ := mustImport(t, collection(feature(`"a":"x\u0001\uffffy"`)), geo.KindOther)
	for _, format := range []string{FormatGPX, FormatKML} {
		again, _ := mustImport(t, written(t, format, l), geo.KindOther)
		if got := again.Text(0, "a"); got != "x\ufffd\ufffdy" {
			t.Errorf("%s: %q", format, got)
		}
	}
}

func TestGPXHoldsNoAreas(t *testing.T) {
	var out bytes.Buffer
	err := Write(&out, FormatGPX, mixedLayer(t, true), nil)
	if r := (*Refusal)(nil); !errors.As(err, &r) || r.Code != "format_too_narrow" || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// ogr converts a file with GDAL and returns the result's text.
func ogr(t *testing.T, text, from, driver, to string, args ...string) string {
	t.Helper()
	needs(t, "ogr2ogr", "gdal-bin")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in."+from), filepath.Join(dir, "out."+to)
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("ogr2ogr", append([]string{"-f", driver, out, in}, args...)...).CombinedOutput(); err != nil || strings.Contains(string(said), "ERROR") {
		t.Fatalf("ogr2ogr %v: %v\n%s", args, err, said)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// GDAL reads what we write: counts, places and attributes.
func TestGDALReadsOurGPXAndKML(t *testing.T) {
	l := mixedLayer(t, false)
	for layer, ids := range map[string][]string{"waypoints": {"A-1", "A-2"}, "routes": {"A-3"}, "tracks": {"A-4"}} {
		again, _ := mustImport(t, ogr(t, written(t, FormatGPX, l), "gpx", "GeoJSON", "geojson", layer), geo.KindOther)
		if again.Len() != len(ids) {
			t.Fatalf("%s: %d features, expected %d", layer, again.Len(), len(ids))
		}
		for row, id := range ids {
			want := byID(l)[id]
			var f map[string]any
			_ = json.Unmarshal(AppendFeature(nil, again, row), &f)
			if !reflect.DeepEqual(want["geometry"], f["geometry"]) {
				t.Errorf("%s: %v, expected %v", id, f["geometry"], want["geometry"])
			}
			if got := again.Text(row, "s_id"); got != id {
				t.Errorf("%s: the identifier is %q; %v", layer, got, f)
			}
		}
		if layer == "waypoints" && (again.Text(0, "name") != `Pos <"&> 1` || again.Number(0, "ele") != 12.5 || again.Number(0, "s_kode") != 7 /* GDAL guesses */) {
			t.Errorf("%v", again.Feature(0))
		}
	}
	l = mixedLayer(t, true)
	again, _ := mustImport(t, ogr(t, written(t, FormatKML, l), "kml", "GeoJSON", "geojson"), geo.KindOther)
	want, got := byID(l), byID(again)
	want["A-1"]["geometry"].(map[string]any)["coordinates"] = []any{112.2, 1.45, 12.5} // GDAL says Z for ele
	if len(got) != len(want) {
		t.Errorf("GDAL found %d placemarks of %d", len(got), len(want))
	}
	for id := range want {
		if got[id] == nil || !reflect.DeepEqual(want[id]["geometry"], got[id]["geometry"]) {
			t.Errorf("%s: %v, expected %v", id, got[id], want[id]["geometry"])
		}
	}
	again, _ = mustImport(t, ogr(t, written(t, FormatKMZ, l), "kmz", "GeoJSON", "geojson"), geo.KindOther)
	if again.Len() != l.Len() {
		t.Errorf("GDAL found %d placemarks of %d in the archive", again.Len(), l.Len())
	}
	if p := got["A-1"]["properties"].(map[string]any); p["jumlah"] != 7.0 || p["kode"] != "007" || p["name"] != `Pos <"&> 1` && p["Name"] != `Pos <"&> 1` {
		t.Errorf("%v", p)
	}
}

// We read what GDAL writes.
func TestGDALWritesGPXAndKML(t *testing.T) {
	l := mixedLayer(t, true)
	for _, driver := range []string{"KML", "LIBKML"} {
		again, _ := mustImport(t, ogr(t, written(t, FormatGeoJSON, l), "geojson", driver, "kml", "-nln", "a"), geo.KindOther)
		if again.Len() != l.Len() {
			t.Fatalf("%s: %d features of %d", driver, again.Len(), l.Len())
		}
		for row := range l.Len() {
			if !reflect.DeepEqual(l.Geometry(row), again.Geometry(row)) {
				t.Errorf("%s: %v, expected %v", driver, again.Geometry(row), l.Geometry(row))
			}
		}
		if again.Number(0, "jumlah") != 7 || again.Text(0, "kode") != "007" {
			t.Errorf("%s: %v", driver, again.Feature(0))
		}
	}
	point := collection(feature(`"name":"Pos","ele":12.5,"time":"2022-11-05T04:00:00Z"`))
	again, _ := mustImport(t, ogr(t, point, "geojson", "GPX", "gpx", "-nlt", "POINT"), geo.KindOther)
	from, _ := again.Times(0)
	if p, _ := again.Point(0); p != (orb.Point{112.2, 1.45}) || again.Text(0, "name") != "Pos" || again.Number(0, "ele") != 12.5 || from.Year() != 2022 {
		t.Errorf("%v %v", again.Feature(0), from)
	}
	track := collection(`{"type":"Feature","geometry":{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8]]]},"properties":{"name":"a"}}`)
	again, _ = mustImport(t, ogr(t, track, "geojson", "GPX", "gpx"), geo.KindPatrolTrack)
	if again.Len() != 2 {
		t.Errorf("%d segments", again.Len())
	}
}
