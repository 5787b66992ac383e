package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// shpOf is a .shp of records, each the content behind its header.
func shpOf(kind uint32, records ...[]byte) []byte {
	var b bytes.Buffer
	head := make([]byte, shapeHeaderBytes)
	binary.BigEndian.PutUint32(head, shapeFileCode)
	binary.LittleEndian.PutUint32(head[28:], 1000)
	binary.LittleEndian.PutUint32(head[32:], kind)
	b.Write(head)
	for i, r := range records {
		b.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(i+1)), uint32(len(r)/2)))
		b.Write(r)
	}
	binary.BigEndian.PutUint32(b.Bytes()[24:], uint32(b.Len()/2))
	return b.Bytes()
}

// shapeOf is the content of a record: little-endian 32-bit numbers for ints,
// doubles for floats.
func shapeOf(values ...any) (b []byte) {
	for _, v := range values {
		switch v := v.(type) {
		case int:
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		case float64:
			b = appendFloat64(b, v)
		case []float64:
			for _, x := range v {
				b = appendFloat64(b, x)
			}
		}
	}
	return b
}

// dbfOf is a .dbf with text columns of width 10; language is its driver.
func dbfOf(language byte, names []string, rows ...[]string) []byte {
	b := make([]byte, dbfHeaderBytes)
	b[0], b[29] = 3, language
	binary.LittleEndian.PutUint32(b[4:], uint32(len(rows)))
	binary.LittleEndian.PutUint16(b[8:], uint16(dbfHeaderBytes+dbfFieldBytes*len(names)+1))
	binary.LittleEndian.PutUint16(b[10:], uint16(1+10*len(names)))
	for _, name := range names {
		kind := byte('C')
		if k := strings.IndexByte(name, ':'); k >= 0 {
			kind, name = name[k+1], name[:k]
		}
		f := make([]byte, dbfFieldBytes)
		copy(f, name)
		f[11], f[16] = kind, 10
		b = append(b, f...)
	}
	b = append(b, dbfFieldsEnd)
	for _, row := range rows {
		b = append(b, ' ')
		for _, v := range row {
			b = append(b, fmt.Sprintf("%-10s", v)[:10]...)
		}
	}
	return append(b, 0x1a)
}

// zipped packs files by name.
func zipped(t testing.TB, files map[string]string) []byte {
	entries := [][2]string{}
	for _, name := range sortedKeys(files) {
		entries = append(entries, [2]string{name, files[name]})
	}
	return packed(t, entries...)
}

func importZip(t testing.TB, files map[string]string, change ...func(*ImportOptions)) (*geo.Layer, *Report, error) {
	opts := ImportOptions{Info: geo.LayerInfo{ID: "t", Kind: geo.KindOther}, Now: testNow}
	for _, c := range change {
		c(&opts)
	}
	return Import(context.Background(), bytes.NewReader(zipped(t, files)), opts)
}

func TestShapeTypes(t *testing.T) {
	box := []float64{0, 0, 9, 9}
	for name, c := range map[string]struct {
		kind         uint32
		content      []byte
		wkt          string
		heights, m   bool
		measureFirst float64
	}{
		"point":       {1, shapeOf(1, 110.5, 1.5), "POINT(110.5 1.5)", false, false, 0},
		"point Z":     {11, shapeOf(11, 110.5, 1.5, 7.0, -1e39), "POINT(110.5 1.5)", true, false, 0},
		"point M":     {21, shapeOf(21, 110.5, 1.5, 7.0), "POINT(110.5 1.5)", false, true, 7},
		"line":        {3, shapeOf(3, box, 1, 2, 0, 1.0, 2.0, 3.0, 4.0), "LINESTRING(1 2,3 4)", false, false, 0},
		"two lines":   {3, shapeOf(3, box, 2, 4, 0, 2, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0), "MULTILINESTRING((1 2,3 4),(5 6,7 8))", false, false, 0},
		"line M":      {23, shapeOf(23, box, 1, 2, 0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 6.0), "LINESTRING(1 2,3 4)", false, true, 5},
		"line Z, M":   {13, shapeOf(13, box, 1, 2, 0, 1.0, 2.0, 3.0, 4.0, 0.0, 9.0, 0.0, 9.0, 5.0, 6.0, 5.0, 6.0), "LINESTRING(1 2,3 4)", true, true, 5},
		"line Z":      {13, shapeOf(13, box, 1, 2, 0, 1.0, 2.0, 3.0, 4.0, 0.0, 9.0, 0.0, 9.0), "LINESTRING(1 2,3 4)", true, false, 0},
		"points":      {8, shapeOf(8, box, 2, 1.0, 2.0, 3.0, 4.0), "MULTIPOINT((1 2),(3 4))", false, false, 0},
		"points Z":    {18, shapeOf(18, box, 2, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0, 0.0, 1.0), "MULTIPOINT((1 2),(3 4))", true, false, 0},
		"points M":    {28, shapeOf(28, box, 2, 1.0, 2.0, 3.0, 4.0, 0.0, 1.0, 3.0, 1.0), "MULTIPOINT((1 2),(3 4))", false, true, 3},
		"polygon":     {5, shapeOf(5, box, 1, 4, 0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0), "POLYGON((0 0,0 1,1 1,0 0))", false, false, 0},
		"polygon Z":   {15, shapeOf(15, box, 1, 4, 0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0), "POLYGON((0 0,0 1,1 1,0 0))", true, false, 0},
		"wrong turn":  {5, shapeOf(5, box, 1, 4, 0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0), "POLYGON((0 0,1 1,0 1,0 0))", false, false, 0},
		"empty parts": {5, shapeOf(5, box, 3, 4, 0, 0, 4, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0), "POLYGON((0 0,0 1,1 1,0 0))", false, false, 0},
	} {
		im, _ := newImporter(context.Background(), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}})
		rows, _ := im.newTypedRows(nil)
		rows.begin()
		if err := rows.readShape(c.kind, c.content); err != nil || im.row.fault != nil {
			t.Errorf("%s: %v %+v", name, err, im.row.fault)
			continue
		}
		if got := strings.ReplaceAll(string(AppendWKT(nil, im.row.geometry)), "MULTIPOINT(1 2,3 4)", "MULTIPOINT((1 2),(3 4))"); got != c.wkt {
			t.Errorf("%s: %s", name, got)
		}
		if s := rows.shape; (len(s.heights) > 0) != c.heights || (len(s.measures) > 0) != c.m || c.m && s.measures[0] != c.measureFirst {
			t.Errorf("%s: heights %v, measures %v", name, s.heights, s.measures)
		}
		for n := 4; n < len(c.content)-40; n += 4 { // cut anywhere: an error, never a panic
			rows.begin()
			if err := rows.readShape(c.kind, c.content[:n]); err == nil && im.row.fault == nil && !strings.Contains(name, "Z") {
				t.Errorf("%s cut to %d bytes passes", name, n)
			}
		}
	}
}

// Rings come in any order; each hole finds the smallest ring around it.
func TestRingsAreGrouped(t *testing.T) {
	square := func(x, y, side float64, clockwise bool) []float64 {
		if clockwise {
			return []float64{x, y, x, y + side, x + side, y + side, x + side, y, x, y}
		}
		return []float64{x, y, x + side, y, x + side, y + side, x, y + side, x, y}
	}
	var flat []float64
	for _, r := range [][]float64{
		square(2, 2, 1, false),   // a hole of the big one
		square(0, 0, 10, true),   // the big one
		square(4, 4, 4, false),   // a hole of it, in which
		square(5, 5, 2, true),    // an island lies, which has
		square(5, 5, 1, false),   // a hole that touches its corner
		square(20, 20, 1, false), // turns the wrong way and lies in none
	} {
		flat = append(flat, r...)
	}
	im, _ := newImporter(context.Background(), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}})
	rows, _ := im.newTypedRows(nil)
	rows.begin()
	if err := rows.readShape(5, shapeOf(5, []float64{0, 0, 21, 21}, 6, 30, 0, 5, 10, 15, 20, 25, flat)); err != nil {
		t.Fatal(err)
	}
	got, _ := im.row.geometry.(orb.MultiPolygon)
	if len(got) != 3 || len(got[0]) != 3 || len(got[1]) != 2 || len(got[2]) != 1 {
		t.Fatalf("%v %+v", im.row.geometry, im.row.fault)
	}
	if got[0][1][0] != (orb.Point{2, 2}) || got[0][2][0] != (orb.Point{4, 4}) || got[1][0][0] != (orb.Point{5, 5}) || got[2][0][0] != (orb.Point{20, 20}) {
		t.Error(got)
	}
}

func TestShapefileTable(t *testing.T) {
	at := shapeOf(1, 110.5, 1.5)
	shp := string(shpOf(1, at, at, shapeOf(0), at))
	dbf := func(language byte) string {
		return string(dbfOf(language, []string{"name", "n:N", "when:D", "yes:L", "memo:M"},
			[]string{"caf\xe9", "7", "20240501", "T", "1"},
			[]string{"", "**********", "00000000", "?", ""},
			[]string{"null", "1", "", "", ""},
			[]string{"last", "-.50", "", "N", ""}))
	}
	l, r, err := importZip(t, map[string]string{"x/a.SHP": shp, "x/a.Dbf": dbf(0), "x/a.prj": wgs84PRJ, "notes.txt": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if l.Len() != 3 || r.Quarantined != 1 || r.Rows[0].Row != 3 || r.Rows[0].Code != "no_geometry" || r.Format != "shp" {
		t.Fatalf("%+v", r)
	}
	want := []string{"map[n:7 name:café when:2024-05-01 yes:true]", "map[]", "map[n:-0.5 name:last yes:false]"}
	for row := range want {
		if got := fmt.Sprint(l.Feature(row).Properties); got != want[row] {
			t.Errorf("row %d: %s", row, got)
		}
	}
	if _, n := warning(r, "code_page"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
	if _, n := warning(r, "column_not_read"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
	for cpg, name := range map[string]string{"1252": "café", "ISO-8859-1": "café", "ISO 88591": "café", "Windows-1251": "cafй", "CP437": "cafΘ"} {
		l, r, err := importZip(t, map[string]string{"a.shp": shp, "a.dbf": dbf(0), "a.cpg": cpg + "\r\n"})
		if err != nil || l.Value(0, "name") != name {
			t.Errorf("%s: %v %v", cpg, l, err)
		}
		if _, n := warning(r, "no_crs"); n != 1 {
			t.Errorf("%+v", r.Warnings)
		}
	}
	if l, _, err := importZip(t, map[string]string{"a.shp": shp, "a.dbf": dbf(1)}); err != nil || l.Value(0, "name") != "cafΘ" {
		t.Error(err)
	}
	if l, r, err := importZip(t, map[string]string{"a.shp": shp}); err != nil || l.Len() != 3 || len(r.Warnings) < 2 {
		t.Error(err)
	}
	deleted := []byte(dbf(3))
	deleted[dbfHeaderBytes+5*dbfFieldBytes+1] = '*'
	if l, r, err := importZip(t, map[string]string{"a.shp": shp, "a.dbf": string(deleted)}); err != nil || l.Len() != 2 {
		t.Errorf("%v %+v", err, r)
	}
}

func TestShapefileRefusals(t *testing.T) {
	at := shapeOf(1, 110.5, 1.5)
	shp, two := string(shpOf(1, at)), string(shpOf(1, at, at))
	dbf := string(dbfOf(3, []string{"name"}, []string{"x"}))
	says := func(shp string, bytes int) string { // its header
		b := []byte(shp)
		binary.BigEndian.PutUint32(b[24:], uint32(int32(bytes/2)))
		return string(b)
	}
	shx := func(records int) string { return strings.Repeat("\x00", shapeHeaderBytes+8*records) }
	for name, c := range map[string]struct {
		files map[string]string
		code  string
	}{
		"two layers":          {map[string]string{"a.shp": shp, "b.shp": shp}, "several_layers"},
		"none":                {map[string]string{"a.dbf": dbf}, "archive_without_layer"},
		"multipatch":          {map[string]string{"a.shp": string(shpOf(31))}, "multipatch"},
		"type":                {map[string]string{"a.shp": string(shpOf(7))}, "bad_shapefile"},
		"no header":           {map[string]string{"a.shp": shp[:50]}, "bad_shapefile"},
		"not one":             {map[string]string{"a.shp": strings.Repeat("x", 200)}, "bad_shapefile"},
		"cut":                 {map[string]string{"a.shp": shp[:len(shp)-3]}, "bad_shapefile"},
		"cut in a head":       {map[string]string{"a.shp": two[:len(shp)+3]}, "bad_shapefile"},
		"short record":        {map[string]string{"a.shp": string(shpOf(1, at[:12]))}, "bad_shapefile"},
		"no record":           {map[string]string{"a.shp": string(shpOf(1, nil))}, "bad_shapefile"},
		"no rows":             {map[string]string{"a.shp": string(shpOf(1))}, "no_rows"},
		"all null":            {map[string]string{"a.shp": string(shpOf(1, shapeOf(0)))}, "no_good_rows"},
		"fewer rows":          {map[string]string{"a.shp": two, "a.dbf": dbf}, "bad_shapefile"},
		"more rows":           {map[string]string{"a.shp": shp, "a.dbf": string(dbfOf(3, []string{"n"}, []string{"1"}, []string{"2"}))}, "bad_shapefile"},
		"cut table":           {map[string]string{"a.shp": shp, "a.dbf": dbf[:len(dbf)-5]}, "bad_shapefile"},
		"cut table head":      {map[string]string{"a.shp": shp, "a.dbf": dbf[:40]}, "bad_shapefile"},
		"code page":           {map[string]string{"a.shp": shp, "a.dbf": dbf, "a.cpg": "EBCDIC"}, "charset"},
		"false utf-8":         {map[string]string{"a.shp": shp, "a.dbf": string(dbfOf(0, []string{"name"}, []string{"\xe9"})), "a.cpg": "UTF-8"}, "encoding"},
		"prj":                 {map[string]string{"a.shp": shp, "a.prj": "PROJCS["}, "bad_crs"},
		"unknown prj":         {map[string]string{"a.shp": shp, "a.prj": `GEOGCS["x",DATUM["Elsewhere",SPHEROID["a",6378137,298]]]`}, "unknown_crs"},
		"huge record":         {map[string]string{"a.shp": shp[:104] + "\x7f\xff\xff\xff" + shp[108:]}, "bad_shapefile"},
		"cut at a record":     {map[string]string{"a.shp": two[:len(shp)]}, "bad_shapefile"},
		"cut by the index":    {map[string]string{"a.shp": shp, "a.shx": shx(2)}, "bad_shapefile"},
		"fewer in the index":  {map[string]string{"a.shp": two, "a.shx": shx(1)}, "bad_shapefile"},
		"cut index":           {map[string]string{"a.shp": shp, "a.shx": shx(1)[:shapeHeaderBytes+7]}, "bad_shapefile"},
		"empty index":         {map[string]string{"a.shp": shp, "a.shx": ""}, "bad_shapefile"},
		"behind the end":      {map[string]string{"a.shp": shp + strings.Repeat("\xff", 20)}, "bad_shapefile"},
		"record over the end": {map[string]string{"a.shp": says(two, len(two)-2)}, "bad_shapefile"},
		"negative length":     {map[string]string{"a.shp": says(shp, -2)}, "bad_shapefile"},
		"no length":           {map[string]string{"a.shp": says(shp, 0)}, "bad_shapefile"},
		"huge length":         {map[string]string{"a.shp": says(shp, 1<<32-2)}, "bad_shapefile"},
	} {
		if _, _, err := importZip(t, c.files); codeOf(err) != c.code {
			t.Errorf("%s: %v, expected %s", name, err, c.code)
		}
	}
	if _, _, err := importZip(t, map[string]string{"a.shp": two[:len(shp)]}); err == nil || !strings.Contains(err.Error(), "ends at byte 128 of the 156") {
		t.Error(err)
	}
	long := shapeOf(8, []float64{0, 0, 9, 9}, 10, make([]float64, 20))
	if _, _, err := importZip(t, map[string]string{"a.shp": string(shpOf(8, long))}, func(o *ImportOptions) { o.Limits.Vertices = 1 }); codeOf(err) != "too_many_vertices" {
		t.Error(err)
	}
	if l, _, err := importZip(t, map[string]string{"a.shp": two, "a.shx": shx(2)}); err != nil || l.Len() != 2 {
		t.Error(err)
	}
	if l, _, err := importZip(t, map[string]string{"a.shp": shp, "B.shp": two}, func(o *ImportOptions) { o.Layer = "b" }); err != nil || l.Len() != 2 {
		t.Error(err)
	}
	if _, _, err := importZip(t, map[string]string{"a.shp": shp}, func(o *ImportOptions) { o.Layer = "b" }); codeOf(err) != "layer_not_found" {
		t.Error(err)
	}
	if _, r, err := importZip(t, map[string]string{"a.shp": shp, "a.prj": "PROJCS["}, func(o *ImportOptions) { o.CRS = "EPSG:4326" }); err != nil {
		t.Error(err)
	} else if _, n := warning(r, "crs_overridden"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

// A polygon whose rings all lie in one another must not take the day.
func TestRingsOfAnAttacker(t *testing.T) {
	const n = 30_000
	starts, flat := []any{5, []float64{0, 0, 1, 1}, 2 * n, 8 * n}, []float64{}
	for i := range 2 * n {
		starts = append(starts, 4*i)
		d := float64(i/2) * 1e-9
		ring := []float64{0, 0, 0, 1 + d, 1 + d, 0, 0, 0}
		if i%2 == 1 {
			ring = []float64{2, 0, 3, 0, 2, 1, 2, 0}
		}
		flat = append(flat, ring...)
	}
	im, _ := newImporter(context.Background(), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}})
	rows, _ := im.newTypedRows(nil)
	rows.begin()
	if err := rows.readShape(5, shapeOf(append(starts, flat)...)); err != nil {
		t.Fatal(err)
	}
	if f := im.row.fault; f == nil || f.Code != "too_complex" {
		t.Errorf("%+v", f)
	}
}

// Names are cut to ten bytes and stay apart; the archive says which is which.
func TestShapefileNames(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range [][2]string{{"name", "name"}, {"a_long_name_1", "a_long_nam"}, {"a_long_name_2", "a_long_n_1"}, {"A_LONG_NAME", "A_LONG_N_2"},
		{"panjangééé", "panjangé"}, {"Name", "Name_1"}, {"\x00", "_"}} {
		if got := dbfName(c[0], taken); got != c[1] {
			t.Errorf("%q: %q", c[0], got)
		}
	}
	l, _ := mustImport(t, collection(feature(`"a_long_name_1":1,"a_long_name_2":"`+strings.Repeat("é", 200)+`"`)), geo.KindOther)
	b := exported(t, FormatShapefile, l)
	a, err := openZip(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := a.readAll(a.named(".txt")[0], 1<<20)
	if err != nil || !strings.Contains(string(notes), "a_long_name_2: the column is called a_long_n_1") || !strings.Contains(string(notes), "254 bytes") {
		t.Errorf("%s %v", notes, err)
	}
	got, _ := importBytes(t, b)
	if got.Value(0, "a_long_n_1") != strings.Repeat("é", 127) {
		t.Error(got.Feature(0))
	}
}

// A mixed layer becomes a file for each type; every part comes back.
func TestShapefileOfMixedTypes(t *testing.T) {
	l := samples(t)["mixed"]
	b := exported(t, FormatShapefile, l)
	n := 0
	for _, name := range []string{"t_points", "t_multipoints", "t_lines", "t_polygons"} {
		got, _ := importBytes(t, b, func(o *ImportOptions) { o.Layer = name })
		n += got.Len()
	}
	if n != l.Len() {
		t.Errorf("%d of %d features", n, l.Len())
	}
	tracks, _ := mustImport(t, `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1]]},"properties":{"times":["2024-05-01T00:00:00Z","2024-05-01T01:00:00.5Z"]}}`, geo.KindPatrolTrack)
	back, _ := importBytes(t, exported(t, FormatShapefile, tracks), func(o *ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
	if got, want := back.VertexTimesMS(0), tracks.VertexTimesMS(0); fmt.Sprint(got) != fmt.Sprint(want) || len(want) != 2 {
		t.Errorf("times %v, expected %v", got, want)
	}
}

// GDAL's Z and M shapes are read, with a word on measures, which are not kept.
func TestGDALShapesInSpace(t *testing.T) {
	in := saved(t, "in.geojson", exported(t, FormatGeoJSON, samples(t)["polygons"]))
	for dim, heights := range map[string]string{"XYZ": "[0,0,0,0]", "XYM": "-", "XYZM": "[0,0,0,0]"} {
		out := filepath.Join(t.TempDir(), "out.shz")
		gdal(t, "ogr2ogr", "-f", "ESRI Shapefile", "-dim", dim, "-select", "name", "-lco", "ENCODING=UTF-8", out, in)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		l, r := importBytes(t, b)
		if got := heightsText(l); l.Len() != 3 || !strings.HasSuffix(got, "|"+heights) {
			t.Errorf("%s: %d features, heights %s, %+v", dim, l.Len(), got, r.Warnings)
		}
	}
}

func FuzzShapefile(f *testing.F) {
	at := shapeOf(1, 110.5, 1.5)
	f.Add(shpOf(1, at, at), dbfOf(3, []string{"name", "n:N", "d:D", "l:L"}, []string{"x", "1", "20240101", "T"}, []string{"y", "2", "", ""}), "UTF-8")
	f.Add(shpOf(5, shapeOf(5, []float64{0, 0, 9, 9}, 2, 8, 0, 4, 0.0, 0.0, 0.0, 3.0, 3.0, 3.0, 0.0, 0.0, 1.0, 2.0, 1.5, 2.0, 1.0, 1.5, 1.0, 2.0)), []byte{}, "1252")
	f.Add(shpOf(13, shapeOf(13, []float64{0, 0, 9, 9}, 1, 2, 0, 1.0, 2.0, 3.0, 4.0, 0.0, 9.0, 0.0, 9.0, 5.0, 6.0, 5.0, 6.0)), []byte{}, "")
	f.Fuzz(func(t *testing.T, shp, dbf []byte, cpg string) {
		files := map[string]string{"a.shp": string(shp)}
		if len(dbf) > 0 {
			files["a.dbf"], files["a.cpg"] = string(dbf), cpg
		}
		checkImport(t, zipped(t, files), geo.KindOther, FormatShapefile)
	})
}

func BenchmarkShapefileRead(b *testing.B) {
	l := manyPoints(b, 100_000)
	text := exported(b, FormatShapefile, l)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		importBytes(b, text, func(o *ImportOptions) { o.Limits = FileLimits() })
	}
	b.ReportMetric(float64(l.Len())*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}

func BenchmarkShapefileWrite(b *testing.B) {
	l := manyPoints(b, 100_000)
	for b.Loop() {
		if err := Write(io.Discard, FormatShapefile, l, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(l.Len())*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}

// manyPoints is a layer of n points with a text, a number and a time each.
func manyPoints(t testing.TB, n int) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "many", Kind: geo.KindOther})
	for i := range n {
		f := geo.Feature{Geometry: orb.Point{109 + math.Mod(float64(i)*0.618, 10), math.Mod(float64(i)*0.377, 5)},
			Properties: map[string]any{"name": "place " + itoa(i%1000), "n": float64(i), "depth": float64(i) / 7}}
		f.From = testNow.AddDate(0, 0, -i%1000)
		b.Add(f)
	}
	return b.Layer()
}
