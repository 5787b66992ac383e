package data

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

// samples are layers with every type of value, one for each type of geometry
// and one of all of them.
func samples(t testing.TB) map[string]*geo.Layer {
	shapes := map[string][]string{
		"points": {`{"type":"Point","coordinates":[110.1234567,1.5]}`, `{"type":"Point","coordinates":[-170,-80.25]}`, `{"type":"Point","coordinates":[115,4]}`},
		"multi":  {`{"type":"MultiPoint","coordinates":[[110,1],[111,2]]}`, `{"type":"MultiPoint","coordinates":[[112,1]]}`, `{"type":"MultiPoint","coordinates":[[1,2],[3,4],[5,6]]}`},
		"lines":  {`{"type":"LineString","coordinates":[[110,1],[111,2],[110,3]]}`, `{"type":"MultiLineString","coordinates":[[[110,1],[111,2]],[[112,1],[113,2],[114,2]]]}`, `{"type":"LineString","coordinates":[[0,0],[1,0]]}`},
		"polygons": {`{"type":"Polygon","coordinates":[[[110,1],[112,1],[112,3],[110,3],[110,1]],[[111,2],[111,2.5],[111.5,2.5],[111,2]]]}`,
			`{"type":"MultiPolygon","coordinates":[[[[100,1],[101,1],[101,2],[100,1]]],[[[102,1],[105,1],[105,4],[102,4],[102,1]],[[103,2],[103,3],[104,3],[103,2]]]]}`,
			`{"type":"Polygon","coordinates":[[[10,1],[12,1],[12,3],[10,1]]]}`},
	}
	for _, kind := range []string{"points", "multi", "lines", "polygons"} {
		shapes["mixed"] = append(shapes["mixed"], shapes[kind][0])
	}
	properties := []string{
		`"name":"Sungai Sarawak é 国","count":7,"big":9007199254740993,"depth":1.25,"open":true,"seen":"2024-05-01","from":"2024-05-01T06:30:00Z","to":"2024-05-02T00:00:00Z"`,
		`"name":"b","count":-12,"big":4,"depth":-1e-9,"open":false,"seen":"1999-12-31","from":"2020-01-01T00:00:00Z"`,
		`"name":"with \"quotes\", and more","depth":1234567.125`,
		`"count":0`,
	}
	out := map[string]*geo.Layer{}
	for name, list := range shapes {
		features := []string{}
		for i, g := range list {
			features = append(features, `{"type":"Feature","geometry":`+g+`,"properties":{`+properties[i]+`}}`)
		}
		out[name], _ = mustImport(t, collection(features...), geo.KindOther)
	}
	return out
}

// described is a layer as text, one line a feature, for comparing.
func described(l *geo.Layer) []string {
	lines := make([]string, l.Len())
	for row := range lines {
		from, to, _ := l.TimesMS(row)
		f := l.Feature(row)
		lines[row] = fmt.Sprint(string(AppendGeometry(nil, f.Geometry)), from, to, f.Properties)
	}
	return lines
}

// sameContent compares layers whatever the order of their rows: some formats
// have one of their own.
func sameContent(t *testing.T, what string, got, want *geo.Layer) {
	t.Helper()
	a, b := described(got), described(want)
	for i := range a { // FlatGeobuf has times and no dates: GDAL makes one of the other
		a[i] = strings.ReplaceAll(a[i], "T00:00:00]", "]")
	}
	slices.Sort(a)
	slices.Sort(b)
	if len(a) != len(b) {
		t.Fatalf("%s: %d features, expected %d", what, len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("%s, row %d:\n got %s\nwant %s", what, i, a[i], b[i])
		}
	}
}

// importBytes imports a file as it is.
func importBytes(t testing.TB, b []byte, change ...func(*ImportOptions)) (*geo.Layer, *Report) {
	t.Helper()
	opts := ImportOptions{Info: geo.LayerInfo{ID: "t", Kind: geo.KindOther}, Now: testNow}
	for _, c := range change {
		c(&opts)
	}
	l, r, err := Import(context.Background(), bytes.NewReader(b), opts)
	if err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	return l, r
}

func exported(t testing.TB, format string, l *geo.Layer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, l, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func saved(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fileForm is a format as GDAL calls it.
type fileForm struct {
	format, driver, ext string
	oneType             bool // of geometry in a file
}

func fileForms() []fileForm {
	return []fileForm{{FormatShapefile, "ESRI Shapefile", ".shz", true}, {FormatFlatGeobuf, "FlatGeobuf", ".fgb", false}}
}

// What is written is read again as it was.
func TestFormatsRoundTrip(t *testing.T) {
	for _, form := range fileForms() {
		for name, l := range samples(t) {
			if form.oneType && name == "mixed" {
				continue
			}
			got, _ := importBytes(t, exported(t, form.format, l))
			sameContent(t, form.format+" "+name, got, l)
		}
	}
}

// GDAL reads from our files what it reads from our GeoJSON.
func TestGDALReadsFormats(t *testing.T) {
	for _, form := range fileForms() {
		for name, l := range samples(t) {
			if form.oneType && name == "mixed" {
				continue
			}
			path := saved(t, "layer"+form.ext, exported(t, form.format, l))
			out := filepath.Join(t.TempDir(), "out.geojson")
			gdal(t, "ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=9", "-lco", "SIGNIFICANT_FIGURES=17", out, path)
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := importBytes(t, text)
			if form.oneType {
				got = withBooleans(got)
			}
			sameContent(t, form.format+" "+name, got, l)
			summary := gdal(t, "ogrinfo", "-al", "-so", path)
			for _, want := range []string{fmt.Sprintf("Feature Count: %d", l.Len()), "WGS 84", "seen: Date", "big: Integer64", "depth: Real", "name: String"} {
				if !strings.Contains(strings.ReplaceAll(summary, "WGS_1984", "WGS 84"), want) {
					t.Errorf("%s %s: no %q in\n%s", form.format, name, want, summary)
				}
			}
		}
	}
}

// withBooleans gives "open" the type that GDAL 3.6 loses in Shapefiles: it
// reads the letters of logical columns, and writes them as integers.
func withBooleans(l *geo.Layer) *geo.Layer {
	b := geo.NewBuilder(l.Info)
	for row := range l.Len() {
		f := l.Feature(row)
		switch f.Properties["open"] {
		case "T", 1.0:
			f.Properties["open"] = true
		case "F", 0.0:
			f.Properties["open"] = false
		case "?":
			delete(f.Properties, "open")
		}
		b.Add(f)
	}
	return b.Layer()
}

// We read from GDAL's files what it was given.
func TestGDALWritesFormats(t *testing.T) {
	for _, form := range fileForms() {
		for name, l := range samples(t) {
			if form.oneType && name == "mixed" {
				continue
			}
			in := saved(t, "in.geojson", exported(t, FormatGeoJSON, l))
			out := filepath.Join(t.TempDir(), "out"+form.ext)
			args := []string{"-f", form.driver}
			if form.oneType { // where GDAL writes ISO-8859-1 and dates only, unless it is told
				args = append(args, "-lco", "ENCODING=UTF-8", "-mapFieldType", "DateTime=String")
			}
			gdal(t, "ogr2ogr", append(args, out, in)...)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got, r := importBytes(t, b)
			if r.Format != form.format {
				t.Error(r.Format)
			}
			if form.oneType {
				got = withBooleans(got)
			}
			sameContent(t, form.format+" "+name, got, l)
		}
	}
}

// GDAL converts to every grid; we convert back to within a millimetre of what
// it says the places are.
func TestGDALWritesGrids(t *testing.T) {
	l, _ := mustImport(t, collection(point("[109.9,1.5]"), point("[115.5,4.5]"), point("[117.2,4.1]")), geo.KindOther)
	in := saved(t, "in.geojson", exported(t, FormatGeoJSON, l))
	for _, form := range fileForms() {
		for _, code := range []string{"EPSG:32649", "EPSG:3376", "EPSG:3857", "EPSG:23868"} {
			out := filepath.Join(t.TempDir(), "out"+form.ext)
			gdal(t, "ogr2ogr", "-f", form.driver, "-t_srs", code, out, in)
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := importBytes(t, b)
			for row := range l.Len() {
				q, _ := l.Point(row)
				if hit := got.Near(q, 1); len(hit) != 1 || !(hit[0].DistanceM < 0.001) {
					t.Errorf("%s %s: %v: %v", form.format, code, q, hit)
				}
			}
		}
	}
}
