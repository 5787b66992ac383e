package data

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func kmlDoc(inside string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>` +
		inside + `</Document></kml>`
}

func placemark(inside string) string { return `<Placemark>` + inside + `</Placemark>` }

func TestKMLGeometries(t *testing.T) {
	ring := func(c string) string { return "<LinearRing><coordinates>" + c + "</coordinates></LinearRing>" }
	point := func(c string) string { return "<Point><coordinates>" + c + "</coordinates></Point>" }
	line := func(c string) string { return "<LineString><coordinates>" + c + "</coordinates></LineString>" }
	polygon := "<Polygon><outerBoundaryIs>" + ring("0,0 4,0 4,4 0,4 0,0") + "</outerBoundaryIs><innerBoundaryIs>" + ring("1,1 2,1 2,2 1,1") +
		"</innerBoundaryIs></Polygon>"
	area := orb.Polygon{{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}}, {{1, 1}, {2, 1}, {2, 2}, {1, 1}}}
	for _, c := range []struct {
		text string
		want orb.Geometry
		code string
	}{
		{point("112.2,1.45"), orb.Point{112.2, 1.45}, ""},
		{point("\n 112.2, 1.45, 12 \n"), orb.Point{112.2, 1.45}, ""},
		{line("1,2 3,4,5\n6,7"), orb.LineString{{1, 2}, {3, 4}, {6, 7}}, ""},
		{line("1, 2, 0\n3, 4, 0"), orb.LineString{{1, 2}, {3, 4}}, ""},
		{ring("0,0 1,0 1,1 0,0"), orb.LineString{{0, 0}, {1, 0}, {1, 1}, {0, 0}}, ""},
		{polygon, area, ""},
		{"<MultiGeometry>" + point("1,2") + point("3,4") + "</MultiGeometry>", orb.MultiPoint{{1, 2}, {3, 4}}, ""},
		{"<MultiGeometry>" + line("1,2 3,4") + line("5,6 7,8") + "</MultiGeometry>", orb.MultiLineString{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, ""},
		{"<MultiGeometry>" + polygon + "<MultiGeometry>" + polygon + "</MultiGeometry></MultiGeometry>", orb.MultiPolygon{area, area}, ""},
		{"<MultiGeometry>" + point("1,2") + line("1,2 3,4") + "</MultiGeometry>", orb.Collection{orb.Point{1, 2}, orb.LineString{{1, 2}, {3, 4}}}, ""},
		{point("1.45,112.2"), nil, "lat_out_of_range"},
		{point("112.2"), nil, "bad_coordinate"},
		{point("112.2;1.45"), nil, "bad_coordinate"},
		{point("1,2 3,4"), nil, "bad_geometry"},
		{point(""), nil, "empty_geometry"},
		{line("1,2"), nil, "short_line"},
		{"<Polygon><outerBoundaryIs>" + ring("0,0 4,0 4,4 0,4") + "</outerBoundaryIs></Polygon>", nil, "open_ring"},
		{"<Polygon><innerBoundaryIs>" + ring("1,1 2,1 2,2 1,1") + "</innerBoundaryIs></Polygon>", nil, "empty_geometry"},
		{"<Model/>", nil, "bad_geometry"},
		{"", nil, "no_geometry"},
	} {
		l, r := mustImport(t, kmlDoc(placemark(point("0,0"))+placemark(c.text)), geo.KindOther)
		switch {
		case c.code != "":
			if len(r.Rows) != 1 || r.Rows[0].Code != c.code || r.Rows[0].Row != 2 {
				t.Errorf("%s: %+v, expected %s", c.text, r.Rows, c.code)
			}
		case l.Len() != 2:
			t.Errorf("%s: %+v", c.text, r.Rows)
		case !reflect.DeepEqual(l.Geometry(1), c.want):
			t.Errorf("%s: %v, expected %v", c.text, l.Geometry(1), c.want)
		}
	}
}

func TestKMLProperties(t *testing.T) {
	l, r := mustImport(t, kmlDoc(`<name>doc</name><Schema name="s" id="s"><SimpleField type="int" name="jumlah"/><SimpleField type="string" name="kode"/></Schema>
<Folder><name>A</name><Folder><name>B</name>`+placemark(`<name>Pos</name><TimeStamp><when>2022-11-05</when></TimeStamp>
<ExtendedData><Data name="bebas"><displayName>x</displayName><value>021</value></Data>
<SchemaData schemaUrl="#s"><SimpleData name="jumlah">7</SimpleData><SimpleData name="kode">007</SimpleData></SchemaData></ExtendedData>
<Style><IconStyle/></Style><Point><coordinates>1,2</coordinates></Point>`)+`</Folder>
<NetworkLink><Link><href>http://127.0.0.1:1/</href></Link></NetworkLink><GroundOverlay/></Folder>`+
		placemark(`<TimeSpan><begin>2022-01-01T00:00:00Z</begin><end>2022-01-03T00:00:00+07:00</end></TimeSpan><Point><coordinates>3,4</coordinates></Point>`)), geo.KindOther)
	want := map[string]any{"name": "Pos", "bebas": "021", "jumlah": 7.0, "kode": "007", "folder_name": "A/B"}
	if got := l.Feature(0).Properties; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
	if from, to := l.Times(0); from.Day() != 5 || to.Sub(from) != 24*time.Hour-time.Second {
		t.Errorf("%v %v", from, to)
	}
	if from, to := l.Times(1); from.Day() != 1 || !to.Equal(time.Date(2022, 1, 2, 17, 0, 0, 0, time.UTC)) {
		t.Errorf("%v %v", from, to)
	}
	for _, code := range []string{"network_link", "not_read"} {
		if _, n := warning(r, code); n != 1 {
			t.Errorf("%s: %+v", code, r.Warnings)
		}
	}
	l, r = mustImport(t, kmlDoc(`<Folder><name>Pak Budi</name>`+placemark(`<name>Budi</name><description>kisah</description><phoneNumber>0</phoneNumber>
<Point><coordinates>1,2</coordinates></Point>`)+`</Folder>`), geo.KindIncident)
	if _, n := warning(r, "column_not_stored"); n != 3 || len(r.NotStored) != 4 || l.Text(0, "name")+l.Text(0, "description")+l.Text(0, "folder_name") != "" {
		t.Errorf("%+v %v", r.Warnings, l.Feature(0))
	}
}

func TestKMLTrack(t *testing.T) {
	track := `<gx:Track><when>2022-01-01T00:00:00Z</when><when>2022-01-01T00:05:00Z</when><when>2022-01-01T00:06:00Z</when><when>2022-01-01T00:07:00Z</when>
<gx:coord>117.7 4.1 3</gx:coord><gx:coord/><gx:coord>117.71 95 0</gx:coord><gx:coord>117.72 4.12 0</gx:coord></gx:Track>`
	l, r := mustImport(t, kmlDoc(placemark("<gx:MultiTrack><gx:interpolate>0</gx:interpolate>"+track+track+"</gx:MultiTrack>")), geo.KindPatrolTrack)
	line, _ := l.Geometry(0).(orb.LineString)
	if l.Len() != 2 || len(line) != 2 || len(l.VertexTimesMS(1)) != 2 || r.Quarantined != 2 || !strings.Contains(r.Rows[0].Message, "latitude 95") {
		t.Fatalf("%v %+v", line, r)
	}
	if ms := l.VertexTimesMS(0); ms[1]-ms[0] != 420_000 {
		t.Errorf("%v", ms)
	}
	_, r, err := importText(kmlDoc(placemark(`<gx:Track><when>2022-01-01T00:00:00Z</when><gx:coord>1 2 3</gx:coord><gx:coord>1 3 3</gx:coord></gx:Track>`)), geo.KindPatrolTrack)
	if err == nil || len(r.Rows) != 1 || r.Rows[0].Code != "times_mismatch" {
		t.Errorf("%v %+v", err, r.Rows)
	}
}
