package data

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Texts that a spreadsheet would run come back from our own tables as they were.
func TestGuardedCellsComeBack(t *testing.T) {
	texts := []string{"+60", "-5x", "=1+1", "@a", "'=1", "''+1", "'plain", "'", "a=1"}
	b := geo.NewBuilder(geo.LayerInfo{ID: "g", Kind: geo.KindOther})
	for _, s := range texts {
		b.Add(geo.Feature{ID: s, Properties: map[string]any{"=col": s, "b": "x"}, Geometry: orb.Point{110, 1}})
	}
	l := b.Layer()
	out := string(exported(t, FormatCSV, l))
	for line := range strings.SplitSeq(out, "\r\n") {
		for field := range strings.SplitSeq(line, ",") {
			if field = strings.Trim(field, `"`); isFormula(field) && !isNumber([]byte(field)) {
				t.Errorf("a spreadsheet would run %s", field)
			}
		}
	}
	again, _ := mustImport(t, out, geo.KindOther)
	for row, s := range texts {
		if again.Text(row, "=col") != s || again.ID(row) != s {
			t.Errorf("%q came back as %q, %q", s, again.Text(row, "=col"), again.ID(row))
		}
	}
}

func TestTimesOfDayOverMidnight(t *testing.T) {
	date := func(o *ImportOptions) { o.Date, o.TZ = "2022-11-05", "UTC" }
	l, r := mustImport(t, "track_id,time,lon,lat\nT,23:58,110.00,1\nT,00:05,110.001,1\nT,00:03,110.0005,1\nU,12:00,110,1\n", geo.KindPatrolTrack, date)
	times := l.VertexTimesMS(0)
	if _, n := warning(r, "past_midnight"); n != 1 || len(times) != 3 || time.UnixMilli(times[2]).UTC().Format("02T15:04") != "06T00:05" || times[1] >= times[2] {
		t.Errorf("%v %+v", times, r)
	}
	if from, _ := l.Times(1); from.Day() != 5 {
		t.Errorf("another track begins at %v", from)
	}
	l, r = mustImport(t, "track_id,time,lon,lat\nT,10:05,110.00,1\nT,10:00,110.001,1\n", geo.KindPatrolTrack, date)
	if _, n := warning(r, "past_midnight"); n != 0 || l.VertexTimesMS(0)[1]-l.VertexTimesMS(0)[0] != 300_000 {
		t.Errorf("%+v", r)
	}
}

func TestKMZNamesWhatIsNotRead(t *testing.T) {
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for _, name := range []string{"doc.kml", "more.kml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(`<kml><Placemark><Point><coordinates>110,1</coordinates></Point></Placemark></kml>`))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, r := mustImport(t, file.String(), geo.KindOther)
	if w, n := warning(r, "layers_not_read"); n != 1 || !strings.Contains(w[0].Message, "more.kml") {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestEWKBOfAnotherSystem(t *testing.T) {
	point := func(srid uint32) []byte {
		b := binary.LittleEndian.AppendUint32([]byte{1}, 1|1<<29)
		b = binary.LittleEndian.AppendUint32(b, srid)
		xy, _ := hex.DecodeString("0000000000805b40000000000000f03f")
		return append(b, xy...)
	}
	im, err := newImporter(context.Background(), ImportOptions{Info: geo.LayerInfo{Kind: geo.KindOther}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := im.newTypedRows([]string{"v"})
	if err != nil {
		t.Fatal(err)
	}
	for srid, want := range map[uint32]bool{4326: true, 0: true, 32649: false, 3857: false, 999999: false} {
		rows.begin()
		if fault := rows.readWKB(point(srid)); (fault == "") != want {
			t.Errorf("SRID %d: %q", srid, fault)
		}
	}
	rows.begin()
	for _, v := range []float64{1, math.Inf(1), math.NaN()} {
		rows.real(0, v)
	}
	if im.counts.notFinite != 1 {
		t.Errorf("%d infinities", im.counts.notFinite)
	}
}
