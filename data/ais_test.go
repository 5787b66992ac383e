package data

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const aisHead = "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,TransceiverClass\n"

// aisFeed sends batches of AIS positions, each a file of its own.
func aisFeed(t *testing.T, heads func(string) string, batches ...string) *geo.Layer {
	t.Helper()
	var old *geo.Layer
	for _, b := range batches {
		v := Revision{ID: "feed", Kind: geo.KindPatrolTrack, Mode: Append, Import: ImportOptions{Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), ContentType: "text/csv"}}
		starter(t, "ais")(&v.Import)
		rows, report, err := v.Read(context.Background(), strings.NewReader(heads(aisHead)+b), old)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range report.Warnings {
			if w.Code == "no_zone" || w.Code == "unzoned" || w.Code == "column_varies" {
				t.Errorf("%+v", w)
			}
		}
		if got := fmt.Sprint(report.NotStored); got != "["+strings.ReplaceAll(heads("VesselName,IMO,CallSign"), ",", " ")+"]" {
			t.Errorf("left out: %s", got)
		}
		c, err := v.Change(old, old != nil, rows, report)
		if err != nil {
			t.Fatal(err)
		}
		next := Merged(old, c.Rows, c.Mode)
		info := next.Info
		info.NextFID = max(info.NextFID, rows.Info.NextFID)
		old = next.WithInfo(info)
	}
	return old
}

func aisRow(mmsi, at, lat, lon, sog, cog string) string {
	return mmsi + "," + at + "," + lat + "," + lon + "," + sog + "," + cog + ",511,KM CONTOH,IMO9999999,YBXX,35,0,24,6,2.1,,A\n"
}

// Batches of one position make the tracks that one file makes, whatever the
// letter case of the columns; speeds and courses stay with their fixes.
func TestAISFeed(t *testing.T) {
	rows := []string{
		aisRow("533000001", "2026-11-20T01:00:00", "1.00000", "110.00000", "8.0", "90.0"),
		aisRow("525000002", "2026-11-20T01:00:30", "1.20000", "110.10000", "0.1", "360.0"),
		aisRow("533000001", "2026-11-20T01:20:00", "1.00000", "110.04000", "8.4", "91.5"),
		aisRow("533000001", "2026-11-20T01:10:00", "1.00000", "110.02000", "102.3", "90.5"),
		aisRow("525000002", "2026-11-20T01:10:30", "1.20000", "110.10010", "0.2", "12.0"),
		aisRow("533000001", "2026-11-20T01:10:00", "1.00000", "110.02000", "102.3", "90.5"), // sent again
	}
	upper := func(s string) string { return s }
	for what, l := range map[string]*geo.Layer{
		"one by one": aisFeed(t, upper, rows...), "small letters": aisFeed(t, strings.ToLower, rows...),
		"capitals": aisFeed(t, strings.ToUpper, rows...), "at once": aisFeed(t, upper, strings.Join(rows, "")), "two batches": aisFeed(t, upper, strings.Join(rows[:2], ""), strings.Join(rows[2:], "")),
	} {
		if l.Len() != 2 {
			t.Fatalf("%s: %d tracks of two vessels", what, l.Len())
		}
		for row := range 2 {
			f := l.Feature(row)
			want := map[string]string{"533000001": "[8,null,8.4] [90,90.5,91.5]", "525000002": "[0.1,0.2] [null,12]"}[f.ID]
			if got := fmt.Sprintf("%s %s", f.Properties["sog_kn"], f.Properties["cog_deg"]); got != want {
				t.Errorf("%s, %s: %s, expected %s", what, f.ID, got, want)
			}
			if f.From.Format(time.RFC3339)[:16] != "2026-11-20T01:00" || f.Properties["mode"] != "sea_boat" || len(f.VertexTimes) != len(f.Geometry.(orb.LineString)) {
				t.Errorf("%s: %+v", what, f)
			}
			for _, secret := range []string{"CONTOH", "9999999", "YBXX"} {
				if text := written(t, FormatGeoJSON, l); strings.Contains(text, secret) {
					t.Errorf("%s: %s is stored", what, secret)
				}
			}
		}
	}
}

// The values of the fixes come back with a file of whole tracks, and follow
// the fixes when these are put in order.
func TestFixValuesOfLines(t *testing.T) {
	l := aisFeed(t, func(s string) string { return s }, aisRow("533000001", "2026-11-20T01:00:00", "1", "110", "8", "90")+aisRow("533000001", "2026-11-20T01:10:00", "1", "110.02", "9", "91"))
	for _, format := range []string{FormatGeoJSON, FormatCSV, FormatGPX, FormatKML, FormatFlatGeobuf, FormatGeoParquet, FormatShapefile} {
		again, _ := importBytes(t, exported(t, format, l), func(o *ImportOptions) { o.Info.Kind = geo.KindPatrolTrack })
		if got := fmt.Sprintf("%s", again.Value(0, "sog_kn")); got != "[8,9]" {
			t.Errorf("%s: %s", format, got)
		}
	}
	back, _ := mustImport(t, trackFeature(`{"type":"LineString","coordinates":[[1,2],[3,4],[3,4]]}`, `"sog_kn":[1,2,3],"times":["2026-01-01T00:05:00Z","2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"]`), geo.KindPatrolTrack)
	if got := fmt.Sprintf("%s", back.Value(0, "sog_kn")); got != "[2,1]" {
		t.Error(got)
	}
}

// Without the profile the refusal names it.
func TestAISWithoutProfile(t *testing.T) {
	_, _, err := importText(aisHead+aisRow("533000001", "2026-11-20T01:00:00", "1", "110", "8", "90"), geo.KindPatrolTrack)
	if codeOf(err) != "no_track_id" || !strings.Contains(err.Error(), "profile=ais") {
		t.Error(err)
	}
}
