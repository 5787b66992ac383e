package data

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const gpxHead = `<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">`

func gpxDoc(inside string) string { return gpxHead + inside + `</gpx>` }

const gpxTrack = `<trk><name>ronda</name><trkseg>
<trkpt lat="4.1" lon="117.7"><ele>12</ele><time>2022-01-01T00:00:00Z</time></trkpt>
<trkpt lat="4.11" lon="117.71"><time>2022-01-01T00:05:00Z</time></trkpt>
</trkseg><trkseg>
<trkpt lat="4.2" lon="117.8"><time>2022-01-01T01:00:00.500+08:00</time></trkpt>
<trkpt lat="4.21" lon="117.81"><time>2022-01-01T02:05:00Z</time></trkpt>
</trkseg></trk>`

func TestGPXTrackOfAPatrol(t *testing.T) {
	l, r := mustImport(t, gpxDoc(`<wpt lat="4" lon="117"/><rte><rtept lat="1" lon="112"/></rte>`+gpxTrack), geo.KindPatrolTrack)
	if r.Format != FormatGPX || r.Accepted != 1 || l.Len() != 2 {
		t.Fatalf("%+v, %d features", r, l.Len())
	}
	line := l.Geometry(0).(orb.LineString)
	times := l.VertexTimesMS(0)
	start := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	if len(line) != 2 || line[1] != (orb.Point{117.71, 4.11}) || len(times) != 2 || times[0] != start || times[1] != start+300_000 {
		t.Errorf("%v %v", line, times)
	}
	if times := l.VertexTimesMS(1); times[0] != time.Date(2021, 12, 31, 17, 0, 0, 5e8, time.UTC).UnixMilli() {
		t.Errorf("second segment %v", times)
	}
	for code, want := range map[string]int{"not_a_track": 2, "heights_dropped": 0, "column_not_stored": 1} {
		if _, n := warning(r, code); n != want {
			t.Errorf("%s counts %d, expected %d: %+v", code, n, want, r.Warnings)
		}
	}
	if got := heightsText(l); got != "[12,null]|-" {
		t.Errorf("heights %s", got)
	}
	if l.Text(0, "name") != "" || len(r.NotStored) != 1 || r.NotStored[0] != "name" {
		t.Error("the name of a patrol is stored, or the report does not say that it is not")
	}
}

func TestGPXOtherKinds(t *testing.T) {
	l, r := mustImport(t, gpxDoc(`<metadata><name>m</name><extensions><a><b/></a></extensions></metadata>
<wpt lat="1.45" lon="112.2"><ele>35.5</ele><time>2022-11-05T04:00:00Z</time><name>Pos &amp; 1</name><sym>Flag</sym><link href="https://a.test/x"><text>x</text></link></wpt>
<rte><name>r</name><rtept lat="1" lon="112"/><rtept lat="1.5" lon="112"/></rte>`+gpxTrack), geo.KindOther)
	if l.Len() != 3 || r.Accepted != 3 {
		t.Fatalf("%+v", r)
	}
	if p, ok := l.Point(0); !ok || p != (orb.Point{112.2, 1.45}) || l.Text(0, "name") != "Pos & 1" || l.Number(0, "ele") != 35.5 || l.Text(0, "link") != "https://a.test/x" {
		t.Errorf("%+v", l.Feature(0))
	}
	if from, to := l.Times(0); !from.Equal(time.Date(2022, 11, 5, 4, 0, 0, 0, time.UTC)) || !to.Equal(from) {
		t.Errorf("%v %v", from, to)
	}
	if _, ok := l.Geometry(1).(orb.LineString); !ok {
		t.Errorf("%T", l.Geometry(1))
	}
	track, ok := l.Geometry(2).(orb.MultiLineString)
	from, to := l.Times(2)
	if !ok || len(track) != 2 || from.Year() != 2021 || !to.Equal(time.Date(2022, 1, 1, 2, 5, 0, 0, time.UTC)) {
		t.Errorf("%v %v %v", track, from, to)
	}
}

// What devices write and what happens to files on the way: the points that
// are good are taken.
func TestGPXOddFiles(t *testing.T) {
	track := func(points ...string) string {
		return "<gpx>\n<trk>\n<trkseg>\n" + strings.Join(points, "\n") + "\n</trkseg></trk></gpx>"
	}
	pt := func(lat, lon, inside string) string {
		return `<trkpt lat="` + lat + `" lon="` + lon + `">` + inside + `</trkpt>`
	}
	for _, c := range []struct {
		name, text  string
		points      int
		quarantined int
		says        string
	}{
		{"no name space", track(pt("4", "117", "<time>2022-01-01T00:00:00Z</time>"), pt("4.1", "117", "<time>2022-01-01T00:01:00Z</time>")), 2, 0, ""},
		{"bad latitude", track(pt("4", "117", ""), pt("94", "117", ""), pt("4.1", "117", "")), 2, 1, "point 2 on line 5: the latitude 94"},
		{"swapped", track(pt("4", "117", ""), pt("117", "4.1", ""), pt("4.1", "117", "")), 2, 1, "swapped it would fit"},
		{"no latitude", track(pt("4", "117", ""), `<trkpt lon="117"/>`, pt("4.1", "117", "")), 2, 1, "line 5"},
		{"text", track(pt("4", "117", ""), pt("NaN", "117", ""), pt("4.1", "117", "")), 2, 1, "NaN"},
		{"bad time", track(pt("4", "117", "<time>2022-01-01T00:00:00Z</time>"), pt("4", "117", "<time>kemarin</time>"), pt("4.1", "117", "<time>2022-01-01T00:01:00Z</time>")), 2, 1, "kemarin"},
		{"no time in the middle", track(pt("4", "117", "<time>2022-01-01T00:00:00Z</time>"), pt("4", "117", ""), pt("4.1", "117", "<time>2022-01-01T00:01:00Z</time>")), 2, 0, ""},
		{"in the future", track(pt("4", "117", "<time>2022-01-01T00:00:00Z</time>"), pt("4", "117", "<time>2100-01-01T00:00:00Z</time>"), pt("4.1", "117", "<time>2022-01-01T00:01:00Z</time>")), 2, 1, "24 hours"},
		{"plus and zeros", track(pt("+04.", "0117.5", ""), pt("-.5", "117", "")), 2, 0, ""},
		{"extensions", track(pt("4", "117", `<extensions><h:hr xmlns:h="urn:h">90</h:hr></extensions>`), pt("4.1", "117", "")), 2, 0, ""},
		{"latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + track(pt("4", "117", ""), pt("4.1", "117", "<cmt>caf\xe9</cmt>")), 2, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := mustImport(t, c.text, geo.KindPatrolTrack)
			line, _ := l.Geometry(0).(orb.LineString)
			if len(line) != c.points || r.Quarantined != c.quarantined || r.Accepted != 1 {
				t.Errorf("%v %+v", line, r)
			}
			if c.says != "" && (len(r.Rows) == 0 || r.Rows[0].Row != 1 || !strings.Contains(r.Rows[0].Message, c.says)) {
				t.Errorf("%+v does not say %s", r.Rows, c.says)
			}
		})
	}
}

func TestXMLRefusals(t *testing.T) {
	deep := strings.Repeat("<a>", 70) + strings.Repeat("</a>", 70)
	for _, c := range []struct {
		text   string
		status int
		code   string
	}{
		{gpxDoc(gpxTrack[:200]), 400, "bad_xml"},
		{gpxHead + gpxTrack, 400, "bad_xml"},
		{gpxDoc("") + "<gpx/>", 400, "trailing_data"},
		{gpxDoc(""), 422, "no_rows"},
		{gpxDoc(deep), 422, "too_deep"},
		{gpxDoc(`<wpt lat="1" lat="2" lon="112"/>`), 400, "bad_xml"},
		{gpxDoc("<wpt lat='1' lon='112'><name>&boo;</name></wpt>"), 400, "bad_xml"},
		{gpxDoc("<wpt lat='1' lon='112'><name>\xff</name></wpt>"), 400, "encoding"},
		{gpxDoc("<wpt lat='1' lon='112'><name>" + strings.Repeat("x", 70<<10) + "</name></wpt>"), 413, "value_too_long"},
		{gpxDoc("<wpt lat='1' lon='112' x='" + strings.Repeat("x", 70<<10) + "'/>"), 413, "value_too_long"},
		{"<!DOCTYPE gpx>" + gpxDoc(gpxTrack), 422, "doctype"},
		{`<!DOCTYPE gpx [<!ENTITY a "b">]>` + gpxDoc(gpxTrack), 422, "doctype"},
		{"<!DOCTYPE html><html></html>", 415, "format_not_read"},
		{"<svg/>", 415, "format_not_read"},
		{`<?xml version="1.0" encoding="EBCDIC"?><gpx/>`, 415, "charset"},
		{gpxDoc(`<wpt lat="100" lon="1.5"/>`), 422, "no_good_rows"},
		{`<kml><Document><Placemark><name>x</name></Placemark></Document></kml>`, 422, "no_good_rows"},
		{`<kml><Document>`, 400, "bad_xml"},
	} {
		mustRefuse(t, c.status, c.code, c.text, geo.KindOther)
	}
	mustRefuse(t, 415, "format_mismatch", gpxDoc(gpxTrack), geo.KindOther, func(o *ImportOptions) { o.ContentType = "text/csv" })
	mustRefuse(t, 415, "format_mismatch", gpxDoc(gpxTrack), geo.KindOther, func(o *ImportOptions) { o.Format = FormatKML })
	mustImport(t, gpxDoc(gpxTrack), geo.KindOther, func(o *ImportOptions) { o.ContentType = "application/xml" })
}

// A text that never ends is stopped before it fills the memory.
func TestXMLEndlessToken(t *testing.T) {
	body := bytes.Repeat([]byte("x"), xmlTokenBytes+1)
	mustRefuse(t, 413, "value_too_long", gpxHead+string(body), geo.KindOther)
}
