package gpkg

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

var filesNow = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func importFile(b []byte, change ...func(*data.ImportOptions)) (*geo.Layer, *data.Report, error) {
	opts := data.ImportOptions{Info: geo.LayerInfo{ID: "t", Kind: geo.KindOther}, Now: filesNow, GeoPackage: Files{}}
	for _, c := range change {
		c(&opts)
	}
	return data.Import(context.Background(), bytes.NewReader(b), opts)
}

func mustImportFile(t testing.TB, b []byte, change ...func(*data.ImportOptions)) (*geo.Layer, *data.Report) {
	t.Helper()
	l, r, err := importFile(b, change...)
	if err != nil {
		t.Fatalf("%v %+v", err, r)
	}
	return l, r
}

func fileOf(t testing.TB, l *geo.Layer) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (data.Export{Layer: l, GeoPackage: Files{}}).Write(context.Background(), &b, data.FormatGeoPackage); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func fileCode(err error) string {
	var r *data.Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return fmt.Sprint(err)
}

// fileSample has every type of value and of geometry.
func fileSample(t testing.TB) *geo.Layer {
	shapes := []string{
		`{"type":"Point","coordinates":[110.1234567,1.5]}`, `{"type":"MultiPoint","coordinates":[[110,1],[111,2]]}`,
		`{"type":"LineString","coordinates":[[110,1],[111,2],[110,3]]}`, `{"type":"MultiLineString","coordinates":[[[110,1],[111,2]],[[112,1],[113,2]]]}`,
		`{"type":"Polygon","coordinates":[[[110,1],[112,1],[112,3],[110,3],[110,1]],[[111,2],[111,2.5],[111.5,2.5],[111,2]]]}`,
		`{"type":"MultiPolygon","coordinates":[[[[100,1],[101,1],[101,2],[100,1]]],[[[102,1],[105,1],[105,4],[102,1]]]]}`,
		`{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[110,1],[111,2]]}]}`,
	}
	properties := []string{
		`"name":"Sungai Sarawak é 国","count":7,"big":9007199254740993,"depth":1.25,"open":true,"seen":"2024-05-01","at":"2024-05-01T06:30:00Z","from":"2024-05-01T06:30:00Z","to":"2024-05-02T00:00:00Z"`,
		`"name":"b","count":-12,"big":4,"depth":-1e-9,"open":false,"seen":"1999-12-31","at":"2024-05-01T06:30:00.250Z","from":"2020-01-01T00:00:00Z"`,
		`"name":"with \"quotes\"","depth":1234567.125,"fid":7`,
		`"geom":"a column of that name"`, `"count":0`, `"count":1`, `"count":2`,
	}
	features := []string{}
	for i, g := range shapes {
		features = append(features, fmt.Sprintf(`{"type":"Feature","id":"x%d","geometry":%s,"properties":{%s}}`, i, g, properties[i]))
	}
	l, _ := mustImportFile(t, []byte(`{"type":"FeatureCollection","features":[`+strings.Join(features, ",")+`]}`))
	return l
}

func contentOf(l *geo.Layer) []string {
	out := make([]string, l.Len())
	for row := range out {
		f := l.Feature(row)
		delete(f.Properties, "id")
		text := fmt.Sprint(string(data.AppendGeometry(nil, f.Geometry)), l.ID(row), f.From, f.To, f.Properties)
		out[row] = strings.NewReplacer("fid_1:", "fid:", "geom_1:", "geom:").Replace(text)
	}
	slices.Sort(out)
	return out
}

func sameFile(t *testing.T, got, want *geo.Layer) {
	t.Helper()
	a, b := contentOf(got), contentOf(want)
	if len(a) != len(b) {
		t.Fatalf("%d features, expected %d", len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("\n got %s\nwant %s", a[i], b[i])
		}
	}
}

func TestFileRoundTrip(t *testing.T) {
	l := fileSample(t)
	b := fileOf(t, l)
	got, r := mustImportFile(t, b)
	if sameFile(t, got, l); r.Format != "gpkg" || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
	db := openFile(t, b)
	for query, want := range map[string]string{
		`SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'sempadan%'`: "<nil>",
		`SELECT rtreecheck('rtree_t_geom')`:                                                    "ok",
		`SELECT count(*) FROM t WHERE fid NOT IN (SELECT id FROM rtree_t_geom)`:                "0",
		`PRAGMA integrity_check`:                                                               "ok",
		`SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'`:                            "7",
		`SELECT min_x || ' ' || max_y || ' ' || data_type || ' ' || srs_id FROM gpkg_contents`: "1.0 4.0 features 4326",
	} {
		var got any
		if err := db.QueryRow(query).Scan(&got); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s: %v %v", query, got, err)
		}
	}
	tracks, _ := mustImportFile(t, []byte(`{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1]]},"properties":{"times":["2024-05-01T00:00:00Z","2024-05-01T01:00:00.5Z"]}}`),
		func(o *data.ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
	back, _ := mustImportFile(t, fileOf(t, tracks), func(o *data.ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
	if got, want := back.VertexTimesMS(0), tracks.VertexTimesMS(0); fmt.Sprint(got) != fmt.Sprint(want) || len(want) != 2 {
		t.Errorf("times %v, expected %v", got, want)
	}
}

func openFile(t testing.TB, b []byte) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", savedFile(t, b))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func savedFile(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.gpkg")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// changed is a good file after some SQL.
func changed(t testing.TB, l *geo.Layer, statements string) []byte {
	t.Helper()
	path := savedFile(t, fileOf(t, l))
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec(statements)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHostileFiles(t *testing.T) {
	l := fileSample(t)
	good := fileOf(t, l)
	damaged := bytes.Clone(good)
	for i := 4096 * 3; i < len(damaged) && i < 4096*12; i++ {
		damaged[i] ^= 0x5a
	}
	wal := bytes.Clone(good)
	wal[18], wal[19] = 2, 2
	untriggered := "" // the triggers call functions that only GDAL has
	for _, name := range []string{"insert", "update2", "update4", "update5", "update6", "update7", "delete"} {
		untriggered += "DROP TRIGGER rtree_t_geom_" + name + ";"
	}
	const endless = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT x AS fid, (SELECT geom FROM t LIMIT 1) AS geom FROM c`
	register := func(name string) string {
		return `INSERT INTO gpkg_contents (table_name, data_type, srs_id) VALUES ('` + name + `', 'features', 4326); INSERT INTO gpkg_geometry_columns VALUES ('` + name + `', 'geom', 'POINT', 4326, 0, 0);`
	}
	for name, c := range map[string]struct {
		b    []byte
		code string // "" for a file to take
	}{
		"good":                   {good, ""},
		"WAL flags":              {wal, ""},
		"foreign trigger":        {changed(t, l, `CREATE TRIGGER x AFTER UPDATE ON t BEGIN DELETE FROM t; END`), "foreign_trigger"},
		"feature count triggers": {changed(t, l, `CREATE TRIGGER trigger_insert_feature_count_t AFTER INSERT ON t BEGIN SELECT 1; END`), ""},
		"endless view":           {changed(t, l, `CREATE VIEW v AS `+endless+`;`+register("v")), ""}, // the table beside it is read
		"only a view":            {changed(t, l, `DELETE FROM gpkg_geometry_columns; DELETE FROM gpkg_contents; CREATE VIEW v AS `+endless+`;`+register("v")), "no_layer"},
		"contents are a view":    {changed(t, l, `ALTER TABLE gpkg_contents RENAME TO c; CREATE VIEW gpkg_contents AS SELECT * FROM c`), "not_a_gpkg"},
		"generated column":       {changed(t, l, `ALTER TABLE t ADD COLUMN z BLOB AS (zeroblob(800000000)) VIRTUAL`), ""},
		"costly check":           {changed(t, l, `CREATE TABLE y (a CHECK (length(replace(hex(zeroblob(4000000)), '0', 'x')) > 0)); INSERT INTO y WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 20) SELECT x FROM c`), ""},
		"huge value":             {changed(t, l, untriggered+`UPDATE t SET name = zeroblob(20000000) WHERE fid = 1`), "value_too_long"},
		"two layers":             {changed(t, l, `CREATE TABLE u (fid INTEGER PRIMARY KEY, geom BLOB);`+register("u")), "several_layers"},
		"virtual table":          {changed(t, l, `DELETE FROM gpkg_geometry_columns; DELETE FROM gpkg_contents; CREATE VIRTUAL TABLE geom USING rtree(id, a, b);`+register("geom")), "no_layer"},
		"no geometry column":     {changed(t, l, `UPDATE gpkg_geometry_columns SET column_name = 'nowhere'`), "bad_gpkg"},
		"other system":           {changed(t, l, `INSERT INTO gpkg_spatial_ref_sys VALUES ('x', 2154, 'EPSG', 2154, 'undefined', ''); UPDATE gpkg_geometry_columns SET srs_id = 2154`), "unknown_crs"},
		"false header systems":   {changed(t, l, `INSERT INTO gpkg_spatial_ref_sys VALUES ('x', 32649, 'EPSG', 32649, 'undefined', ''); UPDATE gpkg_geometry_columns SET srs_id = 32649`), "no_good_rows"},
		"no system":              {changed(t, l, `UPDATE gpkg_geometry_columns SET srs_id = 0`), ""},
		"not a GeoPackage":       {changed(t, l, `DROP TABLE gpkg_contents`), "not_a_gpkg"},
		"null geometries":        {changed(t, l, untriggered+`UPDATE t SET geom = NULL`), "no_good_rows"},
		"not geometries":         {changed(t, l, untriggered+`UPDATE t SET geom = x'00'`), "no_good_rows"},
		"cut":                    {good[:9000], "bad_gpkg"},
		"cut at a page":          {good[:8192], "bad_gpkg"},
		"magic only":             {[]byte("SQLite format 3"), "bad_gpkg"},
		"head only":              {good[:100], "bad_gpkg"},
		"damaged":                {damaged, "bad_gpkg"},
	} {
		start := time.Now()
		_, r, err := importFile(c.b)
		if got := fileCode(err); got != c.code && (c.code != "" || err != nil) {
			t.Errorf("%s: %v, expected %q; %+v", name, err, c.code, r.Rows)
		}
		t.Logf("%s: %v in %v", name, err, time.Since(start).Round(time.Millisecond))
	}
	if l, _ := mustImportFile(t, changed(t, l, `CREATE TABLE u (fid INTEGER PRIMARY KEY, geom BLOB);`+register("u")), func(o *data.ImportOptions) { o.Layer = "T" }); l.Len() != 7 {
		t.Error(l.Len())
	}
}

// Nothing is left behind, and nothing is written, whatever becomes of a file.
func TestFilesLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	l := fileSample(t)
	b := fileOf(t, l)
	mustImportFile(t, b)
	_, _, _ = importFile(b[:8192])
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error(left)
	}
	path := savedFile(t, b)
	f, err := Files{}.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.(*untrusted).conn.ExecContext(context.Background(), `DELETE FROM t`); err == nil {
		t.Error("a write passes")
	}
}

func TestGDALReadsFiles(t *testing.T) {
	l := fileSample(t)
	path := savedFile(t, fileOf(t, l))
	out := filepath.Join(t.TempDir(), "out.geojson")
	gdal(t, "ogr2ogr", "-f", "GeoJSON", "-lco", "COORDINATE_PRECISION=9", "-lco", "SIGNIFICANT_FIGURES=17", out, path)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := mustImportFile(t, text)
	sameFile(t, got, l)
	summary := gdal(t, "ogrinfo", "-al", "-so", path)
	for _, want := range []string{"Feature Count: 7", "WGS 84", "seen: Date", "at: DateTime", "from: DateTime", "count: Integer (", "big: Integer64", "depth: Real", "open: Integer(Boolean)", "name: String"} {
		if !strings.Contains(summary, want) {
			t.Errorf("no %q in\n%s", want, summary)
		}
	}
	// The index knows boxes: that of the collection goes from 1 to 111 degrees.
	if found := gdal(t, "ogrinfo", "-al", "-so", "-spat", "99", "0", "101.5", "3", path); !strings.Contains(found, "Feature Count: 2\n") {
		t.Errorf("a box has\n%s", found)
	}
}

func TestGDALWritesFiles(t *testing.T) {
	l := withoutFID(fileSample(t))
	var b bytes.Buffer
	if err := data.Write(&b, data.FormatGeoJSON, l, nil); err != nil {
		t.Fatal(err)
	}
	in := savedFile(t, b.Bytes())
	out := filepath.Join(t.TempDir(), "out.gpkg")
	gdal(t, "ogr2ogr", "-f", "GPKG", out, in)
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := mustImportFile(t, text)
	sameFile(t, got, l)
	points, _ := mustImportFile(t, []byte(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[115.5,4.5]},"properties":{}}]}`))
	b.Reset()
	if err := data.Write(&b, data.FormatGeoJSON, points, nil); err != nil {
		t.Fatal(err)
	}
	in = savedFile(t, b.Bytes())
	for _, code := range []string{"EPSG:32650", "EPSG:3376", "EPSG:3857", "EPSG:23870"} {
		out := filepath.Join(t.TempDir(), "out.gpkg")
		gdal(t, "ogr2ogr", "-f", "GPKG", "-t_srs", code, "-dim", "XYZM", out, in)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, r := mustImportFile(t, text)
		p, _ := got.Point(0)
		q, _ := points.Point(0)
		if d := geo.DistanceM(p, q); !(d < 0.001) {
			t.Errorf("%s: %v, %g m from %v; %+v", code, p, d, q, r.Warnings)
		}
	}
}

// withoutFID leaves out the properties that GDAL takes for its own columns.
func withoutFID(l *geo.Layer) *geo.Layer {
	b := geo.NewBuilder(l.Info)
	for row := range l.Len() {
		f := l.Feature(row)
		delete(f.Properties, "fid")
		delete(f.Properties, "geom")
		b.Add(f)
	}
	return b.Layer()
}

func FuzzFile(f *testing.F) {
	good := fileOf(f, fileSample(f))
	f.Add(uint32(100), byte(1), uint32(20))
	f.Add(uint32(4100), byte(255), uint32(5000))
	f.Fuzz(func(t *testing.T, at uint32, x byte, second uint32) {
		b := bytes.Clone(good)
		b[int(at)%len(b)] ^= x
		b[int(second)%len(b)] ^= x<<4 | x>>4
		_, _, err := importFile(b)
		if r := (*data.Refusal)(nil); err != nil && !errors.As(err, &r) {
			t.Fatal(err)
		}
	})
}

func BenchmarkFileRead(b *testing.B) {
	text := fileOf(b, manyRows(100_000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		mustImportFile(b, text)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}

func BenchmarkFileWrite(b *testing.B) {
	l := manyRows(100_000)
	for b.Loop() {
		fileOf(b, l)
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}

func manyRows(n int) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "many", Kind: geo.KindOther})
	for i := range n {
		b.Add(geo.Feature{Geometry: orb.Point{109 + math.Mod(float64(i)*0.618, 10), math.Mod(float64(i)*0.377, 5)}, From: filesNow.AddDate(0, 0, -i%1000),
			Properties: map[string]any{"name": fmt.Sprint("place ", i%1000), "n": float64(i), "depth": float64(i) / 7}})
	}
	return b.Layer()
}
