package data

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func records(src io.Reader) (out [][]string, err error) {
	r := &csvReader{window: newWindow(src), delimiter: ',', limits: DefaultLimits(), nextLine: 1}
	for {
		ok, err := r.record()
		if !ok || err != nil {
			return out, err
		}
		var fields []string
		for _, f := range r.fields {
			fields = append(fields, string(f))
		}
		out = append(out, fields)
	}
}

// The twin of the reader is encoding/csv without lazy quotes. It drops the
// carriage return of a line end inside quotes, and we do not.
func checkCSVTwin(t *testing.T, text string) {
	if strings.ContainsAny(text, "\r\x00") || !utf8.ValidString(text) {
		return
	}
	std := csv.NewReader(strings.NewReader(text))
	std.FieldsPerRecord = -1
	want, wantErr := std.ReadAll()
	got, err := records(strings.NewReader(text))
	slow, slowErr := records(iotest.OneByteReader(strings.NewReader(text)))
	if (err == nil) != (slowErr == nil) || !slices.EqualFunc(got, slow, slices.Equal) {
		t.Fatalf("%q: %q %v, byte by byte %q %v", text, got, err, slow, slowErr)
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: %v, encoding/csv says %v", text, err, wantErr)
	}
	if err == nil && !slices.EqualFunc(got, want, slices.Equal) {
		t.Fatalf("%q: %q, encoding/csv %q", text, got, want)
	}
	var r *Refusal
	if err != nil && !errors.As(err, &r) {
		t.Fatal(err)
	}
}

var csvSeeds = []string{"a,b\n1,2\n", "a,b\n\"1\",\"2\"\"3\"\n", "\"a\nb\",c\nd,e", "a,\n,\n", "\n\na\n", "\"", "a\"b\n", "\"a\"b\n", "\"a\",\"b", ",", "\"\"", "\"\"\"\"\n", "a,\"\n\",b\n\nc\n"}

func TestCSVTwin(t *testing.T) {
	for _, s := range csvSeeds {
		checkCSVTwin(t, s)
	}
	got, err := records(strings.NewReader("a,b\r\n\"x\r\ny\",2\r\n3,4"))
	if err != nil || !slices.EqualFunc(got, [][]string{{"a", "b"}, {"x\r\ny", "2"}, {"3", "4"}}, slices.Equal) {
		t.Errorf("%q %v", got, err)
	}
}

func FuzzCSVRecord(f *testing.F) {
	for _, s := range csvSeeds {
		f.Add(s)
	}
	f.Fuzz(checkCSVTwin)
}

func TestCSVHeaders(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // of the first feature
	}{
		{"lon,lat,n\n112.2,1.45,5\n", `{"n":5}`},
		{"Longitude,Latitude,n\n112.2,1.45,5\n", `{"n":5}`},
		{"y,x,n\n1.45,112.2,5\n", `{"n":5}`},
		{"Bujur;Lintang;n\n112,2;1,45;5\n", `{"n":5}`},
		{"lintang_utara\tbujur timur\tn\n1.45\t112.2\t5\n", `{"n":5}`},
		{"lng|lat|n\n112.2|1.45|5\n", `{"n":5}`},
		{"sep=;\nlon;lat;n\n112.2;1.45;5\n", `{"n":5}`},
		{"\xef\xbb\xbflon,lat,n\r\n112.2,1.45,5\r\n", `{"n":5}`},
		{"\"lon\",\"lat\",\"n\"\n\"112.2\",\"1.45\",\"5\"\n", `{"n":5}`},
		{"wkt,n\n\"POINT (112.2 1.45)\",5\n", `{"n":5}`},
		{"n;the_geom\n5;SRID=4326;POINT(1 2)\n5;POINT Z(112.2 1.45 7)\n", `{"heights_m":7,"n":5}`},
		{"lon,lat,code,ok,mixed,,lon\n112.2,1.45,021000,true,1,,9\n112.2,1.45,179210,false,x,,8\n", `{"code":"021000","lon_2":9,"mixed":"1","ok":true}`},
		{"lon,lat,n\n112.2,1.45,9007199254740993\n", `{"n":9007199254740993}`},
	} {
		l, r := mustImport(t, c.text, geo.KindOther)
		if p, _ := l.Point(0); p != (orb.Point{112.2, 1.45}) {
			t.Errorf("%q: at %v", c.text, p)
		}
		if got := string(l.AppendProperties(nil, 0)); got != c.want || r.Format != "csv" {
			t.Errorf("%q: %s", c.text, got)
		}
	}
}

func TestCSVFaults(t *testing.T) {
	for row, want := range map[string]RowFault{
		"112.2":                  {3, "", "column_count", ""},
		"112.2,1.45,x,y":         {3, "", "column_count", ""},
		",1.45,x":                {3, "lon", "no_geometry", ""},
		"112.2,,x":               {3, "lat", "no_geometry", ""},
		"112.2,01-Apr,x":         {3, "lat", "bad_coordinate", ""},
		"112.2,NaN,x":            {3, "lat", "bad_coordinate", ""},
		"0x10,1,x":               {3, "lon", "bad_coordinate", ""},
		"1_0,1,x":                {3, "lon", "bad_coordinate", ""},
		"1e999,1,x":              {3, "lon", "bad_coordinate", ""},
		"1.45,112.2,x":           {3, "lat", "lat_out_of_range", ""},
		"190,1,x":                {3, "lon", "lon_out_of_range", ""},
		"\"112,2,3\",\"1,45\",x": {3, "lon", "bad_coordinate", ""},
	} {
		l, r, err := importText("lon,lat,a\n112.2,1.45,x\n"+row+"\n112.2,1.45,x\n", geo.KindOther)
		if err != nil || l.Len() != 2 || r.Quarantined != 1 {
			t.Errorf("%q: %v %+v", row, err, r)
			continue
		}
		got := r.Rows[0]
		if got.Row != want.Row || got.Field != want.Field || got.Code != want.Code || got.Message == "" {
			t.Errorf("%q: %+v", row, got)
		}
		if swapped := strings.Contains(got.Message, "swapped"); swapped != (row == "1.45,112.2,x") {
			t.Errorf("%q: %s", row, got.Message)
		}
	}
}

func TestCSVRowsAreLines(t *testing.T) {
	_, r := mustImport(t, "lon,lat,a\n112.2,1.45,\"two\nlines\"\n\n,,\n112.2,95,x\n", geo.KindOther)
	if len(r.Rows) != 1 || r.Rows[0].Row != 6 {
		t.Errorf("%+v", r.Rows)
	}
	if _, n := warning(r, "empty_rows"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestCSVRefusals(t *testing.T) {
	for _, c := range []struct {
		text   string
		status int
		code   string
		words  string
	}{
		{"id,lon\nA1,112.2\n", 422, "no_place_column", "id, lon"},
		{"112.2,1.45\n112.3,1.46\n", 422, "no_place_column", "112.2, 1.45"},
		{"lon,lat\n", 422, "no_rows", ""},
		{"lon,lat,a\n1,2,\"open\n3,4,x\n", 400, "open_quote", "line 2"},
		{"lon,lat,a\n1,2,x\"y\n", 400, "bad_quote", "line 2"},
		{"lon,lat,a\n1,2,\"x\"y\n", 400, "bad_quote", "line 2"},
		{"lon,lat,a\n1,2,é\n1,2,caf\xe9\n", 400, "encoding", "line 3"},
		{"lon,lat,a\n1,2,\"é\"\n1,2,\"caf\xe9\"\n", 400, "encoding", "line 3"},
		{"lon,lat,a\n1,2,caf\xe9\n1,2,é\n", 400, "encoding", "two encodings"},
		{"\xef\xbb\xbflon,lat,a\n1,2,caf\xe9\n", 400, "encoding", "line 2"},
		{"lon,lat,a\n1,2,caf\x81\n", 400, "encoding", "neither"},
		{"lon,lat," + strings.Repeat("a,", 600) + "\n1,2\n", 413, "too_many_columns", ""},
		{"lon,lat,a\n1,2," + strings.Repeat("x", 2<<20) + "\n", 413, "line_too_long", "line 2"},
		{"lon,lat,a\n1,2,\"" + strings.Repeat("x\n", 1<<20) + "\n", 413, "line_too_long", "line 2"},
	} {
		if r := mustRefuse(t, c.status, c.code, c.text, geo.KindOther); !strings.Contains(r.Message, c.words) {
			t.Errorf("%.40q: %s", c.text, r.Message)
		}
	}
	mustRefuse(t, 422, "unknown_column", "lon,lat\n1,2\n", geo.KindOther, withMapping(t, "a:missing"))
}

func TestCSVMapsThePlace(t *testing.T) {
	l, _ := mustImport(t, "posX,posY,lon\n112.2,1.45,7\n", geo.KindOther, withMapping(t, "lon:posX,lat:posY"))
	if p, _ := l.Point(0); p != (orb.Point{112.2, 1.45}) {
		t.Error(p)
	}
}

func TestCSVReplacesNUL(t *testing.T) {
	l, r := mustImport(t, "lon,lat,a,b\n1,2,x\x00y,\"z\x00\"\n", geo.KindOther)
	if l.Text(0, "a") != "x\ufffdy" && l.Text(0, "b") != "z\ufffd" {
		t.Error(l.Feature(0))
	}
	if w, _ := warning(r, "replaced_characters"); w == nil {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestCSVLongerThanTheWindow(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("lon,lat,n,s\n")
	const rows = 30_000
	for i := range rows {
		b.WriteString("112.2,1.45," + itoa(i) + ",\"quoted, with " + itoa(i) + "\"\n")
	}
	l, _ := mustImport(t, b.String(), geo.KindOther)
	for i := range rows {
		if l.Number(i, "n") != float64(i) || l.Text(i, "s") != "quoted, with "+itoa(i) {
			t.Fatal(i, l.Feature(i))
		}
	}
}

func TestWKT(t *testing.T) {
	for text, want := range map[string]orb.Geometry{
		"POINT(1 2)":                                         orb.Point{1, 2},
		" point z ( 1 2 3 ) ":                                orb.Point{1, 2},
		"POINTZM(1 2 3 4)":                                   orb.Point{1, 2},
		"SRID=4326;POINT(1 2)":                               orb.Point{1, 2},
		"LINESTRING(1 2,3 4)":                                orb.LineString{{1, 2}, {3, 4}},
		"LINESTRING M (1 2 9, 3 4 9)":                        orb.LineString{{1, 2}, {3, 4}},
		"MULTIPOINT((1 2),(3 4))":                            orb.MultiPoint{{1, 2}, {3, 4}},
		"MULTIPOINT(1 2,3 4)":                                orb.MultiPoint{{1, 2}, {3, 4}},
		"POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))":       orb.Polygon{{{0, 0}, {4, 0}, {4, 4}, {0, 0}}, {{1, 1}, {2, 1}, {2, 2}, {1, 1}}},
		"MULTILINESTRING((1 2,3 4),(5 6,7 8))":               orb.MultiLineString{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}},
		"MULTIPOLYGON(((0 0,4 0,4 4,0 0)))":                  orb.MultiPolygon{{{{0, 0}, {4, 0}, {4, 4}, {0, 0}}}},
		"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))": orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}},
		"POINT EMPTY":                                        nil, "POINT(1)": nil, "POINT(1 2": nil, "POINT(1 2))": nil, "POINT(1 2,3 4)": nil, "CIRCLE(1 2)": nil, "POINT": nil, "": nil,
		"POLYGON((0 0,4 0,4 4,0 1))": nil, "LINESTRING(1 2)": nil, "POINT(NaN 2)": nil, "SRID=3857;POINT(1 2)": nil, "POINT(200 2)": nil,
		strings.Repeat("GEOMETRYCOLLECTION(", 100): nil,
	} {
		s := &shape{}
		s.readWKT([]byte(text), nil, 100)
		g, f := s.geometry(nil, 100)
		if want == nil {
			if f == nil {
				t.Errorf("%q is taken as %v", text, g)
			}
		} else if f != nil || !orb.Equal(g, want) {
			t.Errorf("%q: %v %+v", text, g, f)
		}
	}
}

func FuzzWKT(f *testing.F) {
	for _, s := range []string{"POINT(1 2)", "POLYGON((0 0,4 0,4 4,0 0))", "GEOMETRYCOLLECTION(POINT(1 2))", "MULTIPOINT((1 2),3 4)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := &shape{}
		s.readWKT([]byte(text), nil, 1000)
		g, fault := s.geometry(nil, 1000)
		if fault != nil {
			return
		}
		again := &shape{}
		again.readWKT(AppendWKT(nil, g), nil, 1000)
		if _, fault := again.geometry(nil, 1000); fault != nil && fault.code != "open_ring" {
			t.Fatalf("%q: %s is not read again: %+v", text, AppendWKT(nil, g), fault)
		}
	})
}

func TestColumnUses(t *testing.T) {
	for _, c := range []struct {
		text    string
		mapping string
		want    string
	}{
		{"Longitude,lat,date,Full name,remark\n110.4,1.1,2026-08-01,A,near the river\n", "occurred_from:date",
			"[{Longitude [lon]} {lat [lat]} {date [occurred_from]} {Full name []} {remark []}]"},
		{"koordinat;kind\n1.1, 110.4;irr.entry\n", "", "[{koordinat [latlon]} {kind [kind]}]"},
		{`{"type":"Feature","geometry":{"type":"Point","coordinates":[110.4,1.1]},"properties":{"deaths":1,"phone":"1"}}`, "",
			"[{deaths [deaths]} {phone []}]"},
	} {
		m, err := ParseMapping(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := Import(t.Context(), strings.NewReader(c.text), ImportOptions{Info: geo.LayerInfo{ID: "x", Kind: geo.KindIncident}, Mapping: m})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.Columns); got != c.want {
			t.Errorf("%q:\n%s, want\n%s", c.text, got, c.want)
		}
	}
	// A refused table still tells its columns, so that they can be mapped.
	_, r, err := Import(t.Context(), strings.NewReader("a,b\n1,2\n"), ImportOptions{Info: geo.LayerInfo{ID: "x"}})
	if err == nil || fmt.Sprint(r.Columns) != "[{a []} {b []}]" {
		t.Errorf("%v %v", err, r.Columns)
	}
}
