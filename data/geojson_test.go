package data

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func point(coordinates string) string {
	return `{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":` + coordinates + `}}`
}

func shaped(kind, coordinates string) string {
	return `{"type":"Feature","properties":null,"geometry":{"coordinates":` + coordinates + `,"type":"` + kind + `"}}`
}

func TestGeoJSONRowFaults(t *testing.T) {
	good := point("[112.2,1.45]")
	for bad, code := range map[string]string{
		point("[1.45,112.2]"):                                "lat_out_of_range",
		point("[112.2,145]"):                                 "lat_out_of_range",
		point("[192.2,1]"):                                   "lon_out_of_range",
		point("[112.2]"):                                     "bad_coordinate",
		point(`["112.2","1.45"]`):                            "bad_coordinate",
		point("[null,1]"):                                    "bad_coordinate",
		point("[]"):                                          "empty_geometry",
		point("[[1,2]]"):                                     "bad_geometry",
		point("null"):                                        "bad_geometry",
		shaped("LineString", "[[1,2]]"):                      "short_line",
		shaped("LineString", "[]"):                           "empty_geometry",
		shaped("LineString", "[1,2]"):                        "bad_geometry",
		shaped("Polygon", "[[[1,2],[3,4],[5,6]]]"):           "short_ring",
		shaped("Polygon", "[[[1,2],[3,4],[5,6],[1,3]]]"):     "open_ring",
		shaped("Polygon", "[[]]"):                            "empty_geometry",
		shaped("Polygon", "[[1,2],[3,4]]"):                   "bad_geometry",
		shaped("MultiPolygon", "[[[[1,2],3]]]"):              "bad_geometry",
		shaped("MultiLineString", "[[[1,2],[3,4]],[1,2]]"):   "bad_geometry",
		shaped("Circle", "[1,2]"):                            "bad_geometry",
		`{"type":"Feature","properties":{},"geometry":null}`: "no_geometry",
		`{"type":"Feature","properties":{}}`:                 "no_geometry",
		`{"type":"Feature","properties":{},"geometry":3}`:    "no_geometry",
		`{"type":"Point","coordinates":[1,2]}`:               "not_a_feature",
		`{}`:                                                 "not_a_feature",
		`17`:                                                 "not_a_feature",
		`{"type":"Feature","properties":[1],"geometry":{"type":"Point","coordinates":[1,2]}}`:                                    "bad_properties",
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[]}}`:                                            "empty_geometry",
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,99]}]}}`:       "lat_out_of_range",
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[7]}}`:                                           "bad_geometry",
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":7}}`:                                             "bad_geometry",
		`{"type":"Feature","geometry":{"geometries":[{"coordinates":[[1,2]],"type":"LineString"}],"type":"GeometryCollection"}}`: "short_line",
	} {
		l, r, err := importText(collection(good, bad, good), geo.KindOther)
		if err != nil || l.Len() != 2 || r.Accepted != 2 || r.Quarantined != 1 || r.Rows[0].Code != code || r.Rows[0].Row != 2 {
			t.Errorf("%s: %v, %+v", bad, err, r)
		}
		mustRefuse(t, 422, "no_good_rows", collection(bad), geo.KindOther)
	}
}

func TestGeoJSONRefusals(t *testing.T) {
	good := point("[112.2,1.45]")
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, c := range []struct {
		text   string
		status int
		code   string
	}{
		{"", 422, "empty_file"},
		{" \n", 422, "empty_file"},
		{"{", 400, "bad_json"},
		{collection(good)[:100], 400, "bad_json"},
		{collection(good) + "x", 400, "trailing_data"},
		{collection(good) + collection(good), 400, "trailing_data"},
		{collection(), 422, "no_rows"},
		{"[" + good + "]", 422, "not_geojson"},
		{`{"type":"Topology","objects":{}}`, 422, "not_geojson"},
		{`{"type":"FeatureCollection"}`, 422, "not_geojson"},
		{`{"features":[]}`, 422, "not_geojson"},
		{`{"a":1}`, 422, "not_geojson"},
		{`{"type":"FeatureCollection","features":{}}`, 400, "bad_json"},
		{collection(good, point("[1,2],")), 400, "bad_json"},
		{collection(good, point("[01,2]")), 400, "bad_json"},
		{collection(good, point("[1e999,2]")), 422, "number_overflow"},
		{collection(good, point("[NaN,2]")), 400, "bad_json"},
		{collection(good, point(deep)), 422, "too_deep"},
		{collection(feature(`"a":` + strings.Repeat("[", 9) + strings.Repeat("]", 9))), 422, "too_deep"},
		{collection(feature(`"a":"` + strings.Repeat("x", 65<<10) + `"`)), 413, "value_too_long"},
		{collection(feature(`"a":["` + strings.Repeat(`x","`, 20<<10) + `"]`)), 413, "value_too_long"},
		{collection(feature(`"` + strings.Repeat("x", 300) + `":1`)), 413, "value_too_long"},
		{collection(feature("\"a\":\"\xff\"")), 400, "encoding"},
		{`{"type":"Feature","type":"Feature","geometry":null}`, 422, "duplicate_member"},
		{`{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2],"coordinates":[3,4]}}`, 422, "duplicate_member"},
		{`{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:2154"}},"features":[` + good + `]}`, 422, "unknown_crs"},
		{`{"type":"FeatureCollection","features":[` + good + `],"crs":{"type":"name","properties":{"name":"EPSG:2154"}}}`, 422, "unknown_crs"},
	} {
		r := mustRefuse(t, c.status, c.code, c.text, geo.KindOther)
		if len(r.Message) < 10 {
			t.Errorf("%.60q: %q", c.text, r.Message)
		}
	}
	var many strings.Builder
	for i := range 300 {
		many.WriteString(`"p` + itoa(i) + `":1,`)
	}
	mustRefuse(t, 413, "too_many_properties", collection(feature(many.String()+`"z":1`)), geo.KindOther)
}

func TestGeoJSONPlacesTheFault(t *testing.T) {
	text := "{\"type\":\"FeatureCollection\",\n\"features\":[\n" + point("[1,2]") + ",\n" + point("[1,2") + "}}]}"
	r := mustRefuse(t, 400, "bad_json", text, geo.KindOther)
	for _, want := range []string{"line 4", "byte ", "feature 1"} {
		if !strings.Contains(r.Message, want) {
			t.Errorf("%q lacks %q", r.Message, want)
		}
	}
	if r.Report.Rejected != 1 {
		t.Errorf("%+v", r.Report)
	}
}

func TestGeoJSONDocuments(t *testing.T) {
	p := `{"type":"Point","coordinates":[112.2,1.45]}`
	seq := point("[1,2]") + "\n" + point("[3,4]") + "\n"
	format := func(f string) func(*ImportOptions) { return func(o *ImportOptions) { o.Format = f } }
	name := func(f string) func(*ImportOptions) { return func(o *ImportOptions) { o.Filename = f } }
	for _, c := range []struct {
		text   string
		change func(*ImportOptions)
		n      int
		format string
	}{
		{point("[1,2]"), format(""), 1, "geojson"},
		{p, format(""), 1, "geojson"},
		{`{"coordinates":[112.2,1.45],"type":"Point"}`, format("geojson"), 1, "geojson"},
		{"\xef\xbb\xbf" + collection(point("[1,2]")), format(""), 1, "geojson"},
		{seq, format("geojsonseq"), 2, "geojsonseq"},
		{seq, format("ndjson"), 2, "geojsonseq"},
		{seq, format(""), 2, "geojsonseq"},
		{seq, name("a.geojsonl"), 2, "geojsonseq"},
		{"\x1e" + strings.ReplaceAll(seq, "\n", "\n\x1e"), format(""), 2, "geojsonseq"},
		{"\x1e" + p + "\n", func(o *ImportOptions) { o.ContentType = "application/geo+json-seq" }, 1, "geojsonseq"},
		{seq, func(o *ImportOptions) { o.ContentType = "application/x-ndjson; charset=utf-8" }, 2, "geojsonseq"},
	} {
		l, r := mustImport(t, c.text, geo.KindOther, c.change)
		if l.Len() != c.n || r.Format != c.format {
			t.Errorf("%q: %d %s", c.text, l.Len(), r.Format)
		}
	}
	mustRefuse(t, 400, "trailing_data", seq, geo.KindOther, format("geojson"))
	mustRefuse(t, 415, "format_mismatch", seq, geo.KindOther, format("csv"))
	mustRefuse(t, 415, "format_mismatch", "id,lon,lat\n1,2,3\n", geo.KindOther, format("geojson"))
	mustRefuse(t, 415, "format_not_read", seq, geo.KindOther, format("dxf"))
	mustRefuse(t, 415, "format_mismatch", seq, geo.KindOther, func(o *ImportOptions) { o.ContentType = "application/zip" })
	mustRefuse(t, 415, "charset", seq, geo.KindOther, func(o *ImportOptions) { o.ContentType = "application/json; charset=utf-16" })
	mustRefuse(t, 415, "content_encoding", seq, geo.KindOther, func(o *ImportOptions) { o.ContentEncoding = "br" })
	mustRefuse(t, 415, "content_encoding", seq, geo.KindOther, func(o *ImportOptions) { o.ContentEncoding = "gzip" })
}

func TestGeoJSONGeometries(t *testing.T) {
	l, r := mustImport(t, collection(
		shaped("MultiPoint", "[[1,2],[3,4]]"),
		shaped("LineString", "[[1,2,100],[3,4,200]]"),
		shaped("MultiLineString", "[[[1,2],[3,4]],[[5,6],[7,8],[9,10]]]"),
		shaped("Polygon", "[[[0,0],[4,0],[4,4],[0,4],[0,0]],[[1,1],[1,2],[2,2],[1,1]]]"),
		shaped("MultiPolygon", "[[[[0,0],[4,0],[4,4],[0,0]]],[[[10,10],[14,10],[14,14],[10,10]],[[11,11],[12,12],[12,11],[11,11]]]]"),
		`{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},{"type":"LineString","coordinates":[[1,2],[3,4]]}]}}`,
	), geo.KindOther)
	want := []orb.Geometry{
		orb.MultiPoint{{1, 2}, {3, 4}},
		orb.LineString{{1, 2}, {3, 4}},
		orb.MultiLineString{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}, {9, 10}}},
		orb.Polygon{{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}}, {{1, 1}, {1, 2}, {2, 2}, {1, 1}}},
		orb.MultiPolygon{{{{0, 0}, {4, 0}, {4, 4}, {0, 0}}}, {{{10, 10}, {14, 10}, {14, 14}, {10, 10}}, {{11, 11}, {12, 12}, {12, 11}, {11, 11}}}},
		orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}},
	}
	for i, g := range want {
		if !orb.Equal(l.Geometry(i), g) {
			t.Errorf("%d: %v, expected %v", i, l.Geometry(i), g)
		}
	}
	if got := heightsText(l); got != "-|[100,200]|-|-|-|-" || len(r.Warnings) > 0 {
		t.Errorf("heights %s, %+v", got, r.Warnings)
	}
}

func TestGeoJSONProperties(t *testing.T) {
	l, r := mustImport(t, collection(feature(`"s":"é\n","n":1.5,"big":12345678901234567890,"t":true,"f":false,"null":null,"o":{"a" : [1, "x"]},"s":"last","e":""`)), geo.KindOther)
	if got := string(l.AppendProperties(nil, 0)); got != `{"big":12345678901234567890,"e":"","f":false,"n":1.5,"o":{"a":[1,"x"]},"s":"last","t":true}` {
		t.Error(got)
	}
	if _, n := warning(r, "duplicate_property"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestGeoJSONMembersInAnyOrder(t *testing.T) {
	text := `{"features":[{"properties":{"k":1},"foreign":{"deep":[1,{"a":null}]},"id":7,"geometry":{"bbox":[1,2,3,4],"coordinates":[1,2],"type":"Point"},"type":"Feature"}],"bbox":[1,2,3,4],"type":"FeatureCollection"}`
	l, _ := mustImport(t, text, geo.KindOther)
	if l.ID(0) != "7" || l.Number(0, "k") != 1 {
		t.Error(l.Feature(0))
	}
}

func TestImportLeavesNothingRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Import(ctx, strings.NewReader(collection(point("[1,2]"))), ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	boom := errors.New("boom")
	for _, text := range []string{collection(point("[1,2]")), "lon,lat\n1,2\n", point("[1,2]")} {
		for n := range len(text) {
			src := iotest.OneByteReader(iotest.DataErrReader(strings.NewReader(text[:n])))
			_, _, _ = Import(context.Background(), src, ImportOptions{})
		}
		broken := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(text)))
		if _, _, err := Import(context.Background(), broken, ImportOptions{}); !errors.Is(err, iotest.ErrTimeout) {
			t.Errorf("a broken source gives %v", err)
		}
		if _, _, err := Import(context.Background(), iotest.ErrReader(boom), ImportOptions{}); !errors.Is(err, boom) {
			t.Errorf("a broken source gives %v", err)
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

func TestLimits(t *testing.T) {
	limit := func(change func(*Limits)) func(*ImportOptions) {
		return func(o *ImportOptions) { o.Limits = DefaultLimits(); change(&o.Limits) }
	}
	text := collection(point("[1,2]"), point("[3,4]"), shaped("LineString", "[[1,2],[3,4],[5,6]]"))
	mustRefuse(t, 413, "body_too_large", text, geo.KindOther, limit(func(l *Limits) { l.BodyBytes = 20 }))
	mustRefuse(t, 413, "too_many_features", text, geo.KindOther, limit(func(l *Limits) { l.Features = 2 }))
	mustRefuse(t, 413, "too_many_vertices", text, geo.KindOther, limit(func(l *Limits) { l.Vertices = 2 }))
	bomb := string(gzipped([]byte(collection(point("[1,2]"))), 20<<20))
	mustRefuse(t, 413, "compression_ratio", bomb, geo.KindOther)
	mustRefuse(t, 413, "unpacked_too_large", bomb, geo.KindOther, limit(func(l *Limits) { l.Ratio, l.UnpackedBytes = 1<<20, 1<<20 }))
	if l, _ := mustImport(t, string(gzipped([]byte(text), 0)), geo.KindOther, limit(func(l *Limits) { *l = FileLimits() })); l.Len() != 3 {
		t.Error(l.Len())
	}
	mustRefuse(t, 400, "bad_gzip", string(gzipped([]byte(text), 0)[:60]), geo.KindOther)
}

func TestCRS(t *testing.T) {
	crs := func(name string) func(*ImportOptions) { return func(o *ImportOptions) { o.CRS = name } }
	for _, c := range []struct {
		crs, at  string
		lon, lat float64 // by GDAL's gdaltransform
	}{
		{"EPSG:3857", "[12489770,161430]", 112.197512861375, 1.44999556240861},
		{"http://www.opengis.net/def/crs/EPSG/0/3857", "[12489770,161430]", 112.197512861375, 1.44999556240861},
		{"EPSG:32649", "[300000,150000]", 109.202446685861, 1.35642243297601},
		{"urn:ogc:def:crs:EPSG::32649", "[650000,480000]", 112.351740402734, 4.34141522733758},
		{"EPSG:32750", "[300000,9900000]", 115.202724770918, -0.904282609864961},
		{"CRS84", "[112.2,1.45]", 112.2, 1.45},
		{"urn:ogc:def:crs:OGC:1.3:CRS84", "[112.2,1.45]", 112.2, 1.45},
		{"EPSG:4326", "[112.2,1.45]", 112.2, 1.45},
	} {
		l, _ := mustImport(t, collection(point(c.at)), geo.KindOther, crs(c.crs))
		p, _ := l.Point(0)
		if d := geo.LocalDistanceM(p, orb.Point{c.lon, c.lat}); d > 0.01 {
			t.Errorf("%s: %v, %.4f m away", c.crs, p, d)
		}
		l, _ = mustImport(t, strings.Replace(collection(point(c.at)), `"features"`, `"crs":{"type":"name","properties":{"name":"`+c.crs+`"}},"features"`, 1), geo.KindOther)
		if q, _ := l.Point(0); q != p {
			t.Errorf("%s as crs member: %v", c.crs, q)
		}
	}
	mustRefuse(t, 422, "unknown_crs", collection(point("[1,2]")), geo.KindOther, crs("EPSG:2154"))
	mustRefuse(t, 422, "unknown_crs", collection(point("[1,2]")), geo.KindOther, crs("Timbalai"))
}
