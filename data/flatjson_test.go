package data

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func ndjson(o *ImportOptions) { o.ContentType = "application/x-ndjson" }

func TestFlatObjects(t *testing.T) {
	fixes := `{"track_id":"T1","time":"2026-11-20T01:00:00Z","lon":110.0,"lat":1.0,"mode":"vehicle","name":"Ali"}
{"track_id":"T1","time":"2026-11-20T01:10:00Z","lon":"110.01","lat":1.0,"sog_kn":7.5}
{"track_id":"T2","time":"2026-11-20T01:10:00Z","lat":2,"lon":null}
`
	for _, opts := range []func(*ImportOptions){ndjson, func(*ImportOptions) {}} {
		l, r := mustImport(t, fixes, geo.KindPatrolTrack, opts)
		f := l.Feature(0)
		line, _ := f.Geometry.(orb.LineString)
		if l.Len() != 1 || len(line) != 2 || line[1][0] != 110.01 || f.ID != "T1" || f.Properties["mode"] != "vehicle" || r.Quarantined != 1 || r.Rows[0].Row != 3 {
			t.Errorf("%v\n%+v", f, r)
		}
		if _, n := warning(r, "column_not_stored"); n == 0 || fmt.Sprint(r.NotStored) != "[name]" || f.Properties["name"] != nil {
			t.Errorf("%+v", r)
		}
	}
	// A batch is stored as the same rows of a table are.
	table := "track_id,time,lon,lat,mode\nT1,2026-11-20T01:00:00Z,110,1,vehicle\nT1,2026-11-20T01:10:00Z,110.01,1,vehicle\n"
	objects := `{"track_id":"T1","time":"2026-11-20T01:00:00Z","lon":110,"lat":1,"mode":"vehicle"}` + "\n" +
		`{"track_id":"T1","time":"2026-11-20T01:10:00Z","lon":110.01,"lat":1,"mode":"vehicle"}`
	a, _ := mustImport(t, table, geo.KindPatrolTrack)
	b, _ := mustImport(t, objects, geo.KindPatrolTrack, ndjson)
	if x, y := AppendFeature(nil, a, 0), AppendFeature(nil, b, 0); string(x) != string(y) {
		t.Errorf("%s\n%s", x, y)
	}
	// Other kinds, names of one's own, both coordinates together.
	for file, mapping := range map[string]string{
		`{"bujur":112.20012,"lintang":1.45034,"kind":"mar.landing","x":{"a":1}}`: "",
		`{"a":112.20012,"b":1.45034,"kind":"mar.landing"}`:                       "lon:a,lat:b",
		`{"latlon":"1.45034, 112.20012","kind":"mar.landing"}`:                   "",
		`{"lonlat":[112.20012,1.45034],"kind":"mar.landing"}`:                    "",
		`{"where":"1.45034, 112.20012","kind":"mar.landing"}`:                    "latlon:where",
		`{"wkt":"POINT(112.20012 1.45034)","kind":"mar.landing","id":"9"}`:       "",
	} {
		l, r := mustImport(t, file+"\n", geo.KindIncident, ndjson, withMapping(t, mapping))
		if p, ok := l.Point(0); !ok || p != (orb.Point{112.20012, 1.45034}) || l.Text(0, "kind") != "mar.landing" {
			t.Errorf("%s: %v %+v", file, l.Feature(0), r)
		}
	}
	mustRefuse(t, 422, "not_geojson", `{"a":1}`+"\n", geo.KindOther, ndjson)
	mustRefuse(t, 422, "no_track_id", `{"lon":1,"lat":2}`+"\n", geo.KindPatrolTrack, ndjson)
	if _, _, err := importText(`{"lon":1,"lat":2}`+"\n{\"lon\":", geo.KindOther, ndjson); err == nil {
		t.Error("a cut file was taken")
	}
}

func TestNarrativeIsNotStored(t *testing.T) {
	for _, name := range []string{"cmt", "desc", "ulasan", "komen", "catatan", "huraian", "deskripsi", "keterangan", "perihal", "butiran", "nota", "narasi", "kronologi", "Ulasan Pegawai", "event_desc"} {
		l, r := mustImport(t, name+",lon,lat\nlari ke hutan,110.10012,1.1\n", geo.KindIncident)
		if l.Value(0, name) != nil || fmt.Sprint(r.NotStored) != "["+name+"]" {
			t.Errorf("%s is stored: %+v", name, r)
		}
	}
	gpx := `<gpx xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="1" lon="110"><name>Ali</name><cmt>lari</cmt><desc>ke hutan</desc></wpt></gpx>`
	l, r := mustImport(t, gpx, geo.KindIncident)
	if _, n := warning(r, "column_not_stored"); n != 2 || strings.Contains(string(AppendFeature(nil, l, 0)), "hutan") {
		t.Errorf("%+v", r)
	}
}

func TestStatistics(t *testing.T) {
	const head = "kind,admin_code,period,count,measure\n"
	l, r := mustImport(t, head+"agg.statistic,61.01,2026-03,12,deaths\nagg.statistic,61.02,2026-Q1,0,deaths\nagg.statistic,61.03,2025,7,deaths\n"+
		"agg.statistic,61.01,2026-13,12,deaths\nagg.statistic,61.01,2026-Q5,12,deaths\nagg.statistic,61.01,2026-03,1.5,deaths\n"+
		"agg.statistic,61.01,2026-03,-1,deaths\nagg.statistic,61.01,2026-03,many,deaths\nmar.landing,61.01,2026-03,1,deaths\n", geo.KindIncident)
	codes := ""
	for _, f := range r.Rows {
		codes += f.Code + " "
	}
	if l.Len() != 3 || codes != "bad_period bad_period bad_count bad_count bad_count no_geometry " {
		t.Errorf("%d rows, %s", l.Len(), codes)
	}
	l, r = mustImport(t, "kind,admin_code,count,lon,lat\nagg.statistic,61.01,3,110,1\n", geo.KindIncident)
	if _, n := warning(r, "statistic_place"); n != 1 || !l.Bound().IsEmpty() || l.Text(0, "admin_code") != "61.01" {
		t.Errorf("%v %+v", l.Feature(0), r)
	}
	mustRefuse(t, 422, "no_place_column", "kind,admin_code\nmar.landing,61.01\n", geo.KindIncident)
	l, _ = mustImport(t, `{"kind":"agg.statistic","admin_code":"61.01","period":"2026-03","count":4}`+"\n", geo.KindIncident, ndjson)
	if l.Number(0, "count") != 4 {
		t.Error(l.Feature(0))
	}
}

func gpxPatrol(name string, minutes ...int) string {
	var b strings.Builder
	for _, m := range minutes {
		fmt.Fprintf(&b, `<trkpt lat="1" lon="%.3f"><time>2026-11-20T01:%02d:00Z</time></trkpt>`, 110+float64(m)/1000, m)
	}
	return `<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><name>` + name + `</name><trkseg>` + b.String() + `</trkseg></trk></gpx>`
}

func TestGPXAsLiveFeed(t *testing.T) {
	l, r := feedFiles(t, "track_id:=U7", gpxPatrol("Ali", 0, 5), gpxPatrol("Ali", 10, 15), gpxPatrol("Ali", 10, 15))
	if l.Len() != 1 || l.ID(0) != "U7" || len(l.VertexTimesMS(0)) != 4 {
		t.Errorf("%d tracks, %v", l.Len(), l.Feature(0))
	}
	if w, n := warning(r, "column_not_stored"); n != 1 || !strings.Contains(w[0].Message, "name") {
		t.Errorf("%+v", r.Warnings)
	}
	// Without a number, a file that is sent again or has grown goes on.
	l, r = feedFiles(t, "", gpxPatrol("Ali", 0, 5), gpxPatrol("Ali", 0, 5), gpxPatrol("Ali", 0, 5, 10), gpxPatrol("Ali", 0, 5), gpxPatrol("Ali", 0, 6))
	if _, n := warning(r, "no_track_id"); l.Len() != 2 || n != 1 || len(l.VertexTimesMS(0))+len(l.VertexTimesMS(1)) != 5 {
		t.Errorf("%d tracks, %v %+v", l.Len(), l.Feature(0), r.Warnings)
	}
	_, r = feedFiles(t, "track_id:name", gpxPatrol("Ali", 0, 5))
	if w, n := warning(r, "column_not_stored"); n != 1 || !strings.Contains(w[0].Message, "track_id:=U7") {
		t.Errorf("%+v", r.Warnings)
	}
}
