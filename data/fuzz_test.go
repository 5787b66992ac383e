package data

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// checkImport holds for every file: it is refused with a reason, or it becomes
// a layer that can be written and read again.
func checkImport(t *testing.T, text []byte, kind geo.LayerKind, format string) {
	opts := ImportOptions{Info: geo.LayerInfo{ID: "f", Kind: kind}, Format: format, Now: testNow, TZ: "UTC"}
	l, r, err := Import(context.Background(), bytes.NewReader(text), opts)
	if r == nil {
		t.Fatal("no report")
	}
	if err != nil {
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Message == "" || !utf8.ValidString(refusal.Message) || refusal.Status < 400 || refusal.Status > 499 {
			t.Fatalf("%q: %v", text, err)
		}
		return
	}
	if l.Len() == 0 || r.Accepted == 0 || len(r.Rows) != min(r.Quarantined, MaxRowFaults) {
		t.Fatalf("%q: %d features, %+v", text, l.Len(), r)
	}
	if kind != geo.KindPatrolTrack && l.Len() != r.Accepted {
		t.Fatalf("%q: %d features, %+v", text, l.Len(), r)
	}
	world := orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}
	for row := range l.Len() {
		b := l.Geometry(row).Bound()
		if !world.Contains(b.Min) || !world.Contains(b.Max) {
			t.Fatalf("%q: outside the world: %v", text, b)
		}
	}
	var out bytes.Buffer
	if err := Write(&out, FormatGeoJSON, l, nil); err != nil {
		t.Fatal(err)
	}
	opts.Format = FormatGeoJSON
	// Rounding to seven decimals may close no ring and part no points, so
	// that every feature comes back.
	again, r2, err := Import(context.Background(), bytes.NewReader(out.Bytes()), opts)
	if err != nil || again.Len() != l.Len() {
		t.Fatalf("%q: written as %q: %v %+v", text, &out, err, r2)
	}
	var asKML bytes.Buffer
	if err := Write(&asKML, FormatKML, l, nil); err != nil {
		t.Fatal(err)
	}
	opts.Format = FormatKML
	if again, r2, err = Import(context.Background(), bytes.NewReader(asKML.Bytes()), opts); err != nil || again.Len() != l.Len() {
		t.Fatalf("%q: written as %q: %v %+v", text, &asKML, err, r2)
	}
	var csv bytes.Buffer
	if err := Write(&csv, FormatCSV, l, nil); err != nil || !utf8.Valid(csv.Bytes()) {
		t.Fatal(err)
	}
}

var fuzzKinds = []geo.LayerKind{geo.KindIncident, geo.KindPatrolTrack, geo.KindCrossing, geo.KindOther}

func FuzzImportGeoJSON(f *testing.F) {
	for i, s := range []string{
		collection(feature(`"kind":"irr.exit","occurred_from":"2022-01-01"`)), point("[1,2,3,4]"), shaped("Polygon", "[[[0,0],[1,0],[1,1],[0,0]]]"),
		trackFeature(`{"type":"LineString","coordinates":[[1,2],[3,4]]}`, `"times":["2026-01-01T00:00:00Z","2026-01-01T00:05:00Z"]`),
		`{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:3857"}},"features":[` + point("[1,2]") + `]}`,
		point("[1,2]") + "\n" + point("[3,4]"), "\x1e" + point("[1,2]"),
		`{"track_id":"T","time":"2026-01-01T00:00:00Z","lon":1,"lat":2}` + "\n" + `{"latlon":[1,2],"a":{"b":1}}`,
	} {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		checkImport(t, text, fuzzKinds[int(kind)%len(fuzzKinds)], "")
	})
}

func FuzzImportCSV(f *testing.F) {
	for i, s := range []string{
		"id,lat,lon,occurred_from,kind,severity\nA1,1.45,112.2,04/05/2022,irr.exit,2\nA2,1.46,112.3,30/07/2022,x,3\n",
		trackHead + "A,2026-01-01T00:00:00Z,117.7,4.1,APMM,MY,foot,,,\nA,01/02/2026 10:00,117.7,4.2,APMM,MY,foot,,,\n",
		"wkt;a\n\"LINESTRING(1 2,3 4)\";1,5\n", "lon\tlat\tnama\n1\t2\tx\n",
	} {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		checkImport(t, text, fuzzKinds[int(kind)%len(fuzzKinds)], FormatCSV)
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2022-11-05T04:00:00Z", "30/07/2022 14.30 WIB", "5 Nov 2022", "Mei 2022", "44870", "T09:00", "2022-11-05T04:00:00.5+08"} {
		f.Add(s)
	}
	zone, err := ParseZone("Asia/Kuching")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := dateReader{zone: zone, day: []byte("2022-01-01")}
		st, fault := d.read([]byte(s))
		if fault != nil {
			if fault.code == "" || fault.message == "" {
				t.Fatalf("%q: %+v", s, fault)
			}
			return
		}
		if st.to.Before(st.from) || st.from.Year() < 1899 || st.from.Year() > 10000 || st.to.Sub(st.from) > 31*24*time.Hour {
			t.Fatalf("%q: %+v", s, st)
		}
	})
}

func FuzzCoordinate(f *testing.F) {
	for _, s := range []string{"112.2", "1,45", "01-Apr", "+3", "1e3", "-0"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, lon, lat string) {
		var b bytes.Buffer
		b.WriteString("lon;lat\n0;0\n")
		b.Write(append(append(appendCell(nil, lon), ';'), appendCell(nil, lat)...))
		_, r, err := Import(context.Background(), &b, ImportOptions{Format: FormatCSV, Now: testNow})
		if err != nil {
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			return
		}
		if r.Accepted < 1 {
			t.Fatalf("%+v", r)
		}
	})
}

func FuzzMapping(f *testing.F) {
	f.Add("occurred_from:date,deaths:dead,kind:=mar.distress_sinking")
	f.Add(`deaths:"Dead, ""all""" ,kind:="a,b"`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMapping(s)
		if err != nil {
			return
		}
		_, _, err = importText("date,dead,lon,lat\n2022-01-01,2,112,1\n", geo.KindIncident, func(o *ImportOptions) { o.Mapping = m })
		var refusal *Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
	})
}

func FuzzPersonal(f *testing.F) {
	for _, s := range []string{"+62 812-3456-7890", "3171234508901234", "a@b.cd", "A1234567", "05-11-2022"} {
		f.Add(s, "nama_korban")
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		personal([]byte(s), true)
		if personal([]byte(s), true) == "" && personal([]byte(s), false) != "" {
			t.Fatalf("%q: the weak test is the stronger one", s)
		}
		judgeName(name[:min(len(name), maxNameBytes)])
	})
}

func FuzzImportGPX(f *testing.F) {
	for i, s := range []string{gpxDoc(gpxTrack), gpxDoc(`<wpt lat="1" lon="112"><time>2022-01-01</time><ele>3</ele><extensions><s:a xmlns:s="` + ownSpace + `" type="json">[1]</s:a></extensions></wpt>`),
		`<gpx><rte><rtept lat="+1." lon=".5"/><rtept lat="1" lon="2"/></rte></gpx>`} {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		checkImport(t, text, fuzzKinds[int(kind)%len(fuzzKinds)], FormatGPX)
	})
}

func FuzzImportKML(f *testing.F) {
	for i, s := range []string{
		kmlDoc(placemark(`<name>a</name><TimeSpan><begin>2022</begin></TimeSpan><Point><coordinates>1,2,3</coordinates></Point>`)),
		kmlDoc(placemark(`<gx:Track><when>2022-01-01T00:00:00Z</when><gx:coord>1 2 3</gx:coord></gx:Track>`)),
		kmlDoc(`<Folder>` + placemark(`<MultiGeometry><Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 4,0 4,4 0,0</coordinates></LinearRing></outerBoundaryIs></Polygon></MultiGeometry>`) + `</Folder>`),
	} {
		f.Add([]byte(s), byte(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, kind byte) {
		checkImport(t, text, fuzzKinds[int(kind)%len(fuzzKinds)], FormatKML)
	})
}
