package data

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

var someMark = geo.ExportMark{ID: "x-abcdefghijklmnop", Text: "Export x-abcdefghijklmnop for ID/POLRI, key 0a1b2c3d4e, 2026-11-22T10:00:00Z, agreement none. Not to be passed on."}

// marked writes a layer with a mark to a file.
func marked(t *testing.T, format string, l *geo.Layer) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "l."+Extension(format))
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := (Export{Layer: l, Mark: someMark}).Write(context.Background(), f, format); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A mark is in the file of every format and gone when the file is read again:
// nothing but the mark differs from a file without one.
func TestMarkSurvivesAndLeavesNothing(t *testing.T) {
	rows := []string{
		`{"type":"Feature","id":"a","properties":{"n":1,"text":"x, \"y\""},"geometry":{"type":"Point","coordinates":[110,1]}}`,
		`{"type":"Feature","id":"b","properties":{"n":2},"geometry":{"type":"Point","coordinates":[111,2]}}`,
	}
	tracks := `{"type":"Feature","properties":{"track_id":"t1","times":["2026-01-01T00:00:00Z","2026-01-01T00:10:00Z"],"agency":"PGA"},"geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1.1]]}}`
	points, _ := mustImport(t, collection(rows...), geo.KindOther)
	patrols, _ := mustImport(t, collection(tracks), geo.KindPatrolTrack)
	for _, format := range []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV, FormatGPX, FormatKML, FormatKMZ, FormatShapefile, FormatFlatGeobuf, FormatGeoParquet} {
		for name, l := range map[string]*geo.Layer{"points": points, "patrols": patrols} {
			path := marked(t, format, l)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if packed := format == FormatKMZ || format == FormatShapefile; !packed && !strings.Contains(string(raw), someMark.ID) {
				t.Errorf("%s: no mark in the file of %s", format, name)
			}
			if format == FormatGeoParquet { // is not read
				continue
			}
			plain := write(t, format, l)
			if len(plain) >= len(raw) {
				t.Errorf("%s of %s: no longer with a mark", format, name)
			}
			options := func(o *ImportOptions) { o.Format = format }
			got, report := mustImport(t, string(raw), l.Info.Kind, options)
			want, without := mustImport(t, plain, l.Info.Kind, options)
			sameContent(t, format+" of "+name, got, want)
			if len(report.Warnings) != len(without.Warnings) || len(report.NotStored) != 0 {
				t.Errorf("%s of %s: %+v", format, name, report.Warnings)
			}
		}
	}
}

// Programs that read by GDAL show the mark, as the description of the layer or
// in its rows; of FlatGeobuf, GPX and KML it shows neither (3.6), nor a text beside a
// Shapefile.
func TestMarkInGDAL(t *testing.T) {
	l, _ := mustImport(t, collection(`{"type":"Feature","id":"a","properties":{"n":1},"geometry":{"type":"Point","coordinates":[110,1]}}`), geo.KindOther)
	for _, format := range []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV} {
		out := gdal(t, "ogrinfo", "-al", marked(t, format, l))
		if !strings.Contains(out, someMark.ID) {
			t.Errorf("%s: GDAL does not show the mark:\n%s", format, out)
		}
	}
}
