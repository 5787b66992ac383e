package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/paulmach/orb/encoding/wkb"

	"github.com/sempadan/sempadan/geo"
)

// The file has the types that the columns should have, and the rows that the
// layer has.
func TestGeoParquet(t *testing.T) {
	for name, l := range samples(t) {
		b := exported(t, FormatGeoParquet, l)
		f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		text, ok := f.Lookup("geo")
		var meta geoMetadata
		if err := json.Unmarshal([]byte(text), &meta); !ok || err != nil || meta.Version != "1.1.0" || meta.Columns["geometry"].Encoding != "WKB" || len(meta.Columns["geometry"].BBox) != 4 {
			t.Fatalf("%s: %s %v", name, text, err)
		}
		schema := f.Schema().String()
		for _, want := range []string{"required binary geometry", "optional binary name (STRING)", "optional int64 big (INT(64,true))", "optional int32 count (INT(32,true))", "optional double depth",
			"optional boolean open", "optional int32 seen (DATE)", "optional int64 from (TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS))"} {
			if !strings.Contains(schema, want) {
				t.Errorf("%s: no %q in %s", name, want, schema)
			}
		}
		n := 0
		for _, g := range f.RowGroups() {
			rows := g.Rows()
			buf := make([]parquet.Row, 16)
			for {
				k, err := rows.ReadRows(buf)
				for _, row := range buf[:k] {
					leaf, _ := f.Schema().Lookup("geometry")
					got, bad := wkb.Unmarshal(row[leaf.ColumnIndex].ByteArray())
					if bad != nil || string(AppendWKT(nil, got)) != string(AppendWKT(nil, l.Geometry(n))) {
						t.Errorf("%s row %d: %v %v", name, n, got, bad)
					}
					n++
				}
				if err != nil {
					break
				}
			}
			_ = rows.Close()
		}
		if n != l.Len() || f.NumRows() != int64(n) {
			t.Errorf("%s: %d rows of %d", name, n, l.Len())
		}
	}
}

func TestGeoParquetOfTracks(t *testing.T) {
	tracks, _ := mustImport(t, `{"type":"Feature","geometry":{"type":"LineString","coordinates":[[110,1],[110.1,1]]},"properties":{"times":["2024-05-01T00:00:00Z","2024-05-01T01:00:00.5Z"]}}`, geo.KindPatrolTrack)
	b := exported(t, FormatGeoParquet, tracks)
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]parquet.Row, 1)
	rows := f.RowGroups()[0].Rows()
	defer func() { _ = rows.Close() }()
	if n, _ := rows.ReadRows(buf); n != 1 || !slices.ContainsFunc(buf[0], func(v parquet.Value) bool {
		return fmt.Sprint(v) == `["2024-05-01T00:00:00Z","2024-05-01T01:00:00.500Z"]`
	}) {
		t.Errorf("%d %v", n, buf)
	}
}

// Heights are in the shapes, and the file says of which types.
func TestGeoParquetHeights(t *testing.T) {
	l := spaceLayer(t, allTypes()...)
	b := exported(t, FormatGeoParquet, l)
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := f.Lookup("geo")
	var meta geoMetadata
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		t.Fatal(err)
	}
	const types = "[LineString LineString Z MultiLineString Z MultiPoint MultiPoint Z MultiPolygon Z Point Point Z Polygon Polygon Z]"
	if c := meta.Columns["geometry"]; fmt.Sprint(c.GeometryTypes) != types || fmt.Sprint(c.BBox) != "[1 1 -7 114 4 250.25]" {
		t.Errorf("%s", text)
	}
	if _, has := f.Schema().Lookup(geo.HeightsField); has {
		t.Error("the property is a column too")
	}
	rows := f.RowGroups()[0].Rows()
	defer func() { _ = rows.Close() }()
	buf := make([]parquet.Row, l.Len())
	n, _ := rows.ReadRows(buf)
	leaf, _ := f.Schema().Lookup("geometry")
	for row := range n {
		shape := wkbRows(t)
		if shape.readWKB(buf[row][leaf.ColumnIndex].ByteArray()) != "" {
			t.Fatalf("row %d is not read", row)
		}
		z := heightsOf(l, row)
		if got := shape.shape.heights; len(z) != len(got) || len(z) > 0 && !slices.Equal(z, heights(got)) {
			t.Errorf("row %d: %v, expected %v", row, got, z)
		}
	}
	if n != l.Len() {
		t.Errorf("%d rows of %d", n, l.Len())
	}
}

func BenchmarkGeoParquetWrite(b *testing.B) {
	l := manyPoints(b, 100_000)
	for b.Loop() {
		if err := Write(io.Discard, FormatGeoParquet, l, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "features/s")
}
