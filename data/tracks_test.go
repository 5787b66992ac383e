package data

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const trackHead = "track_id,time,lon,lat,agency,country,mode,sweep_width_m,sog_kn,leg\n"

func TestTracksFromRows(t *testing.T) {
	l, r := mustImport(t, trackHead+
		"A,2026-01-01T00:00:00Z,117.70,4.10,APMM,Malaysia,Sea Boat,2000,5.1,1\n"+
		"B,2026-01-01T00:00:00Z,104.00,1.10,POLAIRUD,ID,hovercraft,,,2\n"+
		"A,2026-01-01T00:02:00Z,117.71,4.10,APMM,Malaysia,Sea Boat,2000,5.3,3\n"+
		"A,2026-01-01T00:01:00Z,117.705,4.10,APMM,Malaysia,Sea Boat,2000,,4\n"+
		"A,2026-01-01T00:02:00Z,117.71,4.10,APMM,Malaysia,Sea Boat,2000,5.2,5\n"+
		"A,2026-01-01T01:00:00Z,117.72,4.10,,,,,,6\n"+
		"A,2026-01-01T01:00:10Z,117.82,4.10,,,,,,7\n"+
		"C,,104,1,,,,,,8\nC,,104.1,1,,,,,,9\n"+
		"A,2026-01-01,1,2,,,,,,10\n"+
		"A,12:00,1,2,,,,,,11\n"+
		"A,2027-01-01T00:00:00Z,1,2,,,,,,12\n", geo.KindPatrolTrack)
	if l.Len() != 3 || r.Accepted != 9 || r.Quarantined != 3 {
		t.Fatalf("%d %+v", l.Len(), r)
	}
	a := l.Feature(0)
	if !orb.Equal(a.Geometry, orb.LineString{{117.70, 4.10}, {117.705, 4.10}, {117.71, 4.10}, {117.72, 4.10}, {117.82, 4.10}}) {
		t.Error(a.Geometry)
	}
	want := []string{"00:00:00", "00:01:00", "00:02:00", "01:00:00", "01:00:10"}
	for i, at := range a.VertexTimes {
		if at.Format(time.TimeOnly) != want[i] {
			t.Error(a.VertexTimes)
		}
	}
	if a.ID != "A" || !a.From.Equal(a.VertexTimes[0]) || !a.To.Equal(a.VertexTimes[4]) || a.Properties["mode"] != "sea_boat" ||
		a.Properties["country"] != "MY" || a.Properties["sweep_width_m"] != 2000.0 || a.Properties["track_id"] != "A" || fmt.Sprintf("%s", a.Properties["sog_kn"]) != "[5.1,null,5.3,null,null]" || a.Properties["leg"] != nil {
		t.Errorf("%+v", a)
	}
	b := l.Feature(1)
	if b.Geometry != orb.Geometry(orb.Point{104, 1.1}) || b.From.IsZero() || !b.From.Equal(b.To) || b.Properties["mode"] != "unknown" {
		t.Errorf("%+v", b)
	}
	for code, n := range map[string]int{"out_of_order": 1, "duplicate_fix": 1, "silence": 1, "jump": 1, "untimed_track": 1, "column_varies": 1, "unknown_code": 1} {
		if _, got := warning(r, code); got != n {
			t.Errorf("%s %d times: %+v", code, got, r.Warnings)
		}
	}
	for i, code := range []string{"no_time_of_day", "time_without_date", "in_the_future"} {
		if r.Rows[i].Code != code {
			t.Errorf("%+v", r.Rows[i])
		}
	}
}

func TestTracksNeedTheirColumns(t *testing.T) {
	mustRefuse(t, 422, "no_track_id", "time,lon,lat\n2026-01-01T00:00:00Z,1,2\n", geo.KindPatrolTrack)
	l, _ := mustImport(t, "time,lon,lat\n2026-01-01T00:00:00Z,1,2\n2026-01-01T00:01:00Z,1.001,2\n", geo.KindPatrolTrack, withMapping(t, "track_id:=X,mode:=foot,agency:=PGA"))
	if l.Len() != 1 || l.ID(0) != "X" || l.Text(0, "mode") != "foot" || l.Text(0, "agency") != "PGA" {
		t.Error(l.Feature(0))
	}
}

func TestTracksWithADate(t *testing.T) {
	l, r := mustImport(t, "track_id,time,lon,lat\ns,T09:55:59Z,23.5,60.0\ns,09:56:01,23.5,60.001\n", geo.KindPatrolTrack, func(o *ImportOptions) { o.Date = "2014-08-15" })
	times := l.VertexTimesMS(0)
	if len(times) != 2 || time.UnixMilli(times[0]).UTC().Format(time.RFC3339) != "2014-08-15T09:55:59Z" || times[1]-times[0] != 2000 {
		t.Error(times, r)
	}
	mustRefuse(t, 422, "bad_date", "a", geo.KindPatrolTrack, func(o *ImportOptions) { o.Date = "yesterday" })
}

func TestTracksProveTheirDateOrder(t *testing.T) {
	l, r := mustImport(t, "track_id,time,lon,lat\ns,04/05/2022 10:00,1,2\ns,07/30/2022 10:00,1,2.1\ns,13/13/2022 10:00,1,2\n", geo.KindPatrolTrack)
	if from, _ := l.Times(0); from.Format(time.DateOnly) != "2022-04-05" || r.Accepted != 2 {
		t.Error(from, r)
	}
	l, r = mustImport(t, "track_id,time,lon,lat\ns,02/12/2026 10:00,1,2\ns,02/11/2026 10:00,1,2.1\n", geo.KindPatrolTrack)
	if _, n := warning(r, "date_order"); n != 2 || r.Accepted != 1 || r.Quarantined != 1 || l.Len() != 1 {
		t.Errorf("%+v", r)
	}
}

func trackFeature(geometry, properties string) string {
	return `{"type":"Feature","id":"t1","geometry":` + geometry + `,"properties":{` + properties + `}}`
}

func TestTracksFromGeoJSON(t *testing.T) {
	line := `{"type":"LineString","coordinates":[[117.7,4.1],[117.71,4.1],[117.72,4.1]]}`
	times := `["2026-01-01T00:00:00Z","2026-01-01T00:05:00Z","2026-01-01T00:10:00Z"]`
	for _, c := range []struct {
		name, feature string
		features      int
		timed         bool
		code          string // of the fault or the warning
	}{
		{"times", trackFeature(line, `"times":`+times), 1, true, ""},
		{"coordTimes", trackFeature(line, `"coordTimes":`+times+`,"mode":"foot"`), 1, true, ""},
		{"coordinateProperties", trackFeature(line, `"coordinateProperties":{"heart":[1,2,3],"times":`+times+`}`), 1, true, ""},
		{"M in seconds", trackFeature(`{"type":"LineString","coordinates":[[117.7,4.1,0,1767225600],[117.71,4.1,0,1767225900]]}`, ``), 1, true, "m_as_time"},
		{"M in milliseconds", trackFeature(`{"type":"LineString","coordinates":[[117.7,4.1,0,1767225600000],[117.71,4.1,0,1767225900000]]}`, ``), 1, true, "m_as_time"},
		{"M is something else", trackFeature(`{"type":"LineString","coordinates":[[117.7,4.1,0,1],[117.71,4.1,0,2]]}`, ``), 1, false, "untimed_track"},
		{"untimed", trackFeature(line, `"agency":"PGA"`), 1, false, "untimed_track"},
		{"parts", trackFeature(`{"type":"MultiLineString","coordinates":[[[117.7,4.1],[117.71,4.1]],[[117.8,4.1],[117.81,4.1]]]}`,
			`"coordTimes":[["2026-01-01T00:00:00Z","2026-01-01T00:05:00Z"],["2026-01-01T02:00:00Z","2026-01-01T02:05:00Z"]]`), 2, true, ""},
		{"too few times", trackFeature(line, `"times":["2026-01-01T00:00:00Z"]`), 0, false, "times_mismatch"},
		{"bad time", trackFeature(line, `"times":["2026-01-01T00:00:00Z","noon","2026-01-01T00:10:00Z"]`), 0, false, "bad_date"},
		{"null time", trackFeature(line, `"times":["2026-01-01T00:00:00Z",null,"2026-01-01T00:10:00Z"]`), 0, false, "bad_date"},
		{"number", trackFeature(line, `"times":[1767225600,1767225700,1767225800]`), 0, false, "unix_time"},
		{"future", trackFeature(line, `"times":`+strings.ReplaceAll(times, "2026", "2027")), 0, false, "in_the_future"},
		{"area", trackFeature(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}`, ``), 0, false, "bad_geometry"},
		{"presence", trackFeature(`{"type":"Point","coordinates":[117.7,4.1]}`, `"time":"2026-01-01T00:00:00Z"`), 1, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r, err := importText(collection(c.feature), geo.KindPatrolTrack)
			if c.features == 0 {
				if err == nil || len(r.Rows) != 1 || r.Rows[0].Code != c.code {
					t.Fatalf("%v %+v", err, r)
				}
				return
			}
			if err != nil || l.Len() != c.features || r.Accepted != 1 {
				t.Fatalf("%v %+v", err, r)
			}
			for row := range l.Len() {
				if (l.VertexTimesMS(row) != nil) != c.timed {
					t.Error(l.Feature(row))
				}
			}
			if w, _ := warning(r, c.code); c.code != "" && w == nil {
				t.Errorf("%+v", r.Warnings)
			}
			if from, _ := l.Times(0); (c.timed || c.name == "presence") && from.Format(time.RFC3339) != "2026-01-01T00:00:00Z" {
				t.Error(from)
			}
		})
	}
}

func TestPosts(t *testing.T) {
	l, r := mustImport(t, "name,lon,lat,agency,country,radius_m,from,to\nPos 1,110.3,0.9,TNI-PAMTAS,Indonesia,500,2020-01-01,\nPos 2,110.4,0.9,PGA,MY,-5,,\n", geo.KindPost)
	if l.Len() != 1 || l.Text(0, "name") != "Pos 1" || l.Text(0, "country") != "ID" || l.Number(0, "radius_m") != 500 || r.Quarantined != 1 {
		t.Errorf("%+v", r)
	}
}

// Outages come as text or as an array, in any zone, and are stored in UTC; one
// that cannot be read is named.
func TestOutages(t *testing.T) {
	in := func(o *ImportOptions) { o.TZ = "MYT" }
	l, r := mustImport(t, "name,lon,lat,outages\n"+
		"a,110,1,2026-01-01T00:00:00Z/2026-01-02T08:30:00+08:00\n"+
		"b,110,1,2026-01-01/2026-01-02;2026-02-01 06:00/..;\n"+
		"c,110,1,\n"+
		"d,110,1,yesterday/2026-01-02\n"+
		"e,110,1,2026-01-01\n"+
		"f,110,1,2026-01-03/2026-01-02\n"+
		"g,110,1,01/02/2026\n"+
		"h,110,1,"+strings.Repeat("2026-01-01/..;", 1001)+"\n", geo.KindPost, in)
	want := []string{"2026-01-01T00:00:00Z/2026-01-02T00:30:00Z", "2025-12-31T16:00:00Z/2026-01-02T15:59:59Z;2026-01-31T22:00:00Z/..", ""}
	if l.Len() != 3 || r.Quarantined != 5 {
		t.Fatalf("%d rows, %+v", l.Len(), r)
	}
	for i, w := range want {
		if got := l.Text(i, "outages"); got != w {
			t.Errorf("%q, want %q", got, w)
		}
	}
	for i, code := range []string{"bad_date", "bad_interval", "interval_reversed", "bad_interval", "bad_interval"} {
		if got := r.Rows[i]; got.Code != code || got.Field != "outages" {
			t.Errorf("%+v, want %s", got, code)
		}
	}
	l, _ = mustImport(t, `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1]]},"properties":{
		"outages":["2026-01-01T00:00:00Z/..","../2025-01-01T00:00:00Z"],"fatigued":"ya","times":["2026-01-01T00:00:00Z","2026-01-01T01:00:00Z"]}}`, geo.KindPatrolTrack)
	if got := l.Text(0, "outages"); got != "2026-01-01T00:00:00Z/..;../2025-01-01T00:00:00Z" || l.Value(0, "fatigued") != true {
		t.Errorf("%q, fatigued %v", got, l.Value(0, "fatigued"))
	}
}
