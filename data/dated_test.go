package data_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
)

const datedCSV = "\uFEFFid,datetime,lon,lat,category\n" +
	"a,2026-01-02T23:59:59+08:00,110.1,1.5,land\n" +
	"b,2026-01-03,110.2,1.6,sea\n" +
	"c,,110.2,1.6,sea\n" +
	"d,2026-01-04,,1.6,sea\n"

const datedGeoJSON = `{"type":"FeatureCollection","features":[
{"type":"Feature","geometry":{"type":"Point","coordinates":[110.1,1.5,7]},"properties":{"occurred_from":"2026-01-02T00:00:00+08:00","category":"land","n":3}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[110.2,1.6]},"properties":{"occurred_from":"2026-01-03","category":"sea"}},
{"type":"Feature","geometry":null,"properties":{"occurred_from":"2026-01-03","category":"sea"}},
{"type":"Feature","geometry":{"type":"Point","coordinates":[]},"properties":{"occurred_from":"2026-01-03","category":"sea"}}]}`

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Only the date counts, as it is written; rows without a date or a place are
// counted.
func TestReadDated(t *testing.T) {
	for name, text := range map[string]string{"csv": datedCSV, "geojson": datedGeoJSON, "csv.gz": packed(t, datedCSV), "geojson.gz": packed(t, datedGeoJSON)} {
		all, skipped, err := data.ReadDated(strings.NewReader(text), data.DatedColumns{})
		if err != nil || len(all) != 2 || skipped != 2 {
			t.Fatalf("%s: %v, %d skipped, %v", name, all, skipped, err)
		}
		if p := all[0]; p.X != 110.1 || p.Y != 1.5 || p.Day.Format("2006-01-02") != "2026-01-02" {
			t.Errorf("%s: %+v", name, p)
		}
		sea, skipped, err := data.ReadDated(strings.NewReader(text), data.DatedColumns{Where: [][2]string{{"category", "sea"}}})
		if err != nil || len(sea) != 1 || skipped != 2 || sea[0].Y != 1.6 {
			t.Errorf("%s: %v, %d skipped, %v", name, sea, skipped, err)
		}
		both, skipped, err := data.ReadDated(strings.NewReader(text), data.DatedColumns{Where: [][2]string{{"category", "sea"}}, Others: true})
		if err != nil || len(both) != 2 || skipped != 2 || !both[0].Other || both[1].Other {
			t.Errorf("%s: %v, %d skipped, %v", name, both, skipped, err)
		}
		var unknown *data.UnknownColumnError
		if _, _, err := data.ReadDated(strings.NewReader(text), data.DatedColumns{Where: [][2]string{{"colour", "red"}}}); !errors.As(err, &unknown) || unknown.Name != "colour" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A row that is not asked for does not end the reading.
func TestReadDatedPassesOverBadOthers(t *testing.T) {
	const text = "date,lon,lat,category\nsoon,1,2,land\n2026-01-02,east,2,land\n,,,land\n2026-01-02,1,2,sea\n"
	c := data.DatedColumns{Where: [][2]string{{"category", "sea"}}, Others: true}
	if places, skipped, err := data.ReadDated(strings.NewReader(text), c); err != nil || len(places) != 1 || skipped != 0 {
		t.Errorf("%v, %d skipped, %v", places, skipped, err)
	}
	c.Where = nil
	if _, _, err := data.ReadDated(strings.NewReader(text), c); err == nil {
		t.Error("a row that is asked for and has no date is read")
	}
}

func TestPolygonRings(t *testing.T) {
	square := `[[[0,0],[1,0],[1,1],[0,0]]]`
	for _, c := range []struct {
		text  string
		rings int
	}{
		{`{"type":"Polygon","coordinates":` + square + `}`, 1},
		{`{"type":"MultiPolygon","coordinates":[` + square + `,` + square + `]}`, 2},
		{`{"type":"Feature","geometry":{"type":"Polygon","coordinates":` + square + `}}`, 1},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"GeometryCollection","geometries":[{"type":"Polygon","coordinates":` + square + `}]}}]}`, 1},
		{`{"type":"Point","coordinates":[1,2]}`, 0},
		{`{"type":"Polygon","coordinates":[[[0],[1],[2]]]}`, 0},
		{`{"type":"Polygon","coordinates":"x"}`, 0},
		{`[`, 0},
	} {
		rings, err := data.PolygonRings([]byte(c.text))
		if len(rings) != c.rings || (err == nil) != (c.rings > 0) {
			t.Errorf("%s: %v, %v", c.text, rings, err)
		}
	}
}

func FuzzReadDated(f *testing.F) {
	for _, text := range []string{datedCSV, datedGeoJSON, "", "{", "date,lon,lat\n2026-13-01,1,2\n", "date,lon,lat\n2026-01-01,Inf,2\n", "date,lon\n", "\x1f\x8b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		places, skipped, _ := data.ReadDated(strings.NewReader(text), data.DatedColumns{})
		for _, p := range places {
			if p.X-p.X != 0 || p.Y-p.Y != 0 {
				t.Errorf("no place: %+v", p)
			}
		}
		if skipped < 0 {
			t.Error(skipped)
		}
		_, _ = data.PolygonRings([]byte(text))
	})
}
