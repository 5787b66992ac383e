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
	var old *geo.Layer
	for _, b := range batches {
		v := Revision{ID: "feed", Kind: geo.KindPatrolTrack, Mode: Append,
			Import: ImportOptions{Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), ContentType: "text/csv"}}
		rows, report, err := v.Read(context.Background(), strings.NewReader("track_id,time,lon,lat,mode\n"+b), old)
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
	return old
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
