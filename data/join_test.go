package data

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// feed sends batches to a layer of tracks, one after the other.
func feed(t *testing.T, batches ...string) *geo.Layer {
	t.Helper()
	for i, b := range batches {
		batches[i] = "track_id,time,lon,lat,mode\n" + b
	}
	l, _ := feedFiles(t, "", batches...)
	return l
}

// feedFiles sends whole files, and returns the report of the last.
func feedFiles(t *testing.T, mapping string, files ...string) (old *geo.Layer, report *Report) {
	t.Helper()
	for _, file := range files {
		v := Revision{ID: "feed", Kind: geo.KindPatrolTrack, Mode: Append,
			Import: ImportOptions{Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}}
		withMapping(t, mapping)(&v.Import)
		var rows *geo.Layer
		var err error
		rows, report, err = v.Read(context.Background(), strings.NewReader(file), old)
		if err != nil {
			t.Fatal(err)
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
	return old, report
}

// Fixes without columns leave the track what it is; others make another patrol.
func TestLiveFeedKeepsTheTrack(t *testing.T) {
	const head = "track_id,time,lon,lat,agency,country,mode,sweep_width_m,vessel_class\n"
	first := head + "T1,2026-11-20T01:00:00Z,110.00,1.00,bakamla,ID,vehicle,800,A\n"
	bare := "track_id,time,lon,lat\nT1,2026-11-20T01:10:00Z,110.01,1.00\n"
	l, report := feedFiles(t, "", first, bare)
	f := l.Feature(0)
	if l.Len() != 1 || f.Properties["agency"] != "bakamla" || f.Properties["country"] != "ID" || f.Properties["mode"] != "vehicle" ||
		f.Properties["sweep_width_m"] != 800.0 || len(f.VertexTimes) != 2 {
		t.Errorf("%d tracks, %v, %+v", l.Len(), f.Properties, report)
	}
	for _, other := range []string{"apmm,ID,vehicle,800,A", "bakamla,MY,vehicle,800,A", "bakamla,ID,foot,800,A", "bakamla,ID,vehicle,50,A"} {
		row := head + "T1,2026-11-20T01:20:00Z,110.02,1.00," + other + "\n"
		l, report := feedFiles(t, "", first, bare, row, row)
		if _, n := warning(report, "other_patrol"); l.Len() != 2 || n != 0 {
			t.Errorf("%s: %d tracks, %+v", other, l.Len(), report)
		}
		if f := l.Feature(0); f.Properties["agency"] != "bakamla" || f.Properties["sweep_width_m"] != 800.0 || len(f.VertexTimes) != 2 {
			t.Errorf("%s: the stored track became %v", other, f.Properties)
		}
		if _, report = feedFiles(t, "", first, row); len(report.Warnings) == 0 || report.Warnings[0].Code != "other_patrol" {
			t.Errorf("%s: %+v", other, report.Warnings)
		}
	}
	l, report = feedFiles(t, "", first, head+"T1,2026-11-20T01:20:00Z,110.02,1.00,bakamla,ID,vehicle,800,B\n")
	if _, n := warning(report, "column_varies"); l.Len() != 1 || n != 1 || l.Value(0, "vessel_class") != "A" {
		t.Errorf("%d tracks, %v, %+v", l.Len(), l.Feature(0).Properties, report)
	}
}

// A feed of one fix a batch makes the tracks that one file would.
func TestLiveFeedMakesTracks(t *testing.T) {
	fixes := []string{
		"T1,2026-11-20T01:00:00Z,110.00,1.00,vehicle\n", "T2,2026-11-20T01:05:00Z,111.00,1.00,foot\n", "T1,2026-11-20T01:20:00Z,110.02,1.00,vehicle\n",
		"T1,2026-11-20T01:10:00Z,110.01,1.00,vehicle\n", "T1,2026-11-20T01:20:00Z,110.02,1.00,vehicle\n", "T2,2026-11-20T01:15:00Z,111.01,1.00,foot\n",
	}
	l := feed(t, fixes...)
	if l.Len() != 2 {
		t.Fatalf("%d features of two tracks", l.Len())
	}
	for row := range l.Len() {
		f := l.Feature(row)
		line, ok := f.Geometry.(orb.LineString)
		want := map[string]int{"T1": 3, "T2": 2}[f.ID]
		if !ok || len(line) != want || len(f.VertexTimes) != want || !f.To.Equal(f.VertexTimes[want-1]) || f.Properties["mode"] == nil {
			t.Errorf("track %s: %v at %v, %v", f.ID, f.Geometry, f.VertexTimes, f.Properties)
		}
		for i := 1; i < len(line); i++ {
			if !(line[i][0] > line[i-1][0]) || !f.VertexTimes[i].After(f.VertexTimes[i-1]) {
				t.Errorf("track %s is out of order: %v", f.ID, line)
			}
		}
	}
	// Heights go with their fixes.
	high := feed(t, "T1,2026-11-20T01:00:00Z,110.00,1.00,drone\n", "T1,2026-11-20T01:10:00Z,110.01,1.00,drone\n")
	if high.Value(0, geo.HeightsField) != nil {
		t.Errorf("heights of fixes that have none: %v", high.Value(0, geo.HeightsField))
	}
	// A patrol of the same name days later is another.
	if l := feed(t, fixes[0], "T1,2026-11-21T12:00:00Z,110.5,1.00,vehicle\n"); l.Len() != 2 {
		t.Errorf("%d features of two patrols", l.Len())
	}
}
