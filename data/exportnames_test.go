package data

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

const clashing = `{"type":"Feature","id":"feat1","geometry":{"type":"Point","coordinates":[112.2,1.45]},"properties":{"id":"PROPID","id_1":"lain","":"kosong","n":7}}`

// A property called id gives way to the identifier, and is kept.
func TestExportKeepsPropertyID(t *testing.T) {
	l, _ := mustImport(t, collection(clashing), geo.KindOther)
	for _, format := range []string{FormatCSV, FormatGPX, FormatKML, FormatFlatGeobuf} {
		again, _ := mustImport(t, written(t, format, l), geo.KindOther)
		if again.ID(0) != "feat1" || again.Text(0, "id_2") != "PROPID" || again.Text(0, "id_1") != "lain" {
			t.Errorf("%s: %s", format, AppendFeature(nil, again, 0))
		}
	}
	table := NewExportTable(l, nil)
	names := map[string]string{}
	for i, v := range table.Row(0) {
		names[table.Fields[i].Name] = v.Text
	}
	if names["id"] != "feat1" || names["id_2"] != "PROPID" {
		t.Errorf("%v", names)
	}
	same, _ := mustImport(t, collection(strings.Replace(clashing, "PROPID", "feat1", 1)), geo.KindOther)
	if text := written(t, FormatCSV, same); strings.Contains(text, "id_2") {
		t.Errorf("the same twice: %s", text)
	}
}

func TestFlatGeobufNamesEveryColumn(t *testing.T) {
	l, _ := mustImport(t, collection(feature(`"":"kosong","_":"garis"`)), geo.KindOther)
	again, _ := mustImport(t, written(t, FormatFlatGeobuf, l), geo.KindOther)
	if again.Text(0, "__") != "kosong" || again.Text(0, "_") != "garis" {
		t.Errorf("%s", AppendFeature(nil, again, 0))
	}
}

// GDAL reads the values that we write to KML, and so do we.
func TestGDALReadsKMLValues(t *testing.T) {
	l, _ := mustImport(t, collection(feature(`"ya":true,"tidak":false,"kecil":7,"besar":9007199254740993,"pecahan":0.5`)), geo.KindOther)
	text := written(t, FormatKML, l)
	again, _ := mustImport(t, text, geo.KindOther)
	if want, got := string(AppendFeature(nil, l, 0)), string(AppendFeature(nil, again, 0)); want != got {
		t.Errorf("%s became %s", want, got)
	}
	out := ogr(t, text, "kml", "GeoJSON", "geojson")
	var c struct {
		Features []struct{ Properties map[string]any }
	}
	if err := json.Unmarshal([]byte(out), &c); err != nil || len(c.Features) != 1 {
		t.Fatalf("%v %s", err, out)
	}
	p := c.Features[0].Properties
	truth := func(v any) bool { return v == true || v == 1.0 }
	if !truth(p["ya"]) || p["tidak"] == nil || truth(p["tidak"]) || p["besar"] != "9007199254740993" || p["pecahan"] != 0.5 || !strings.Contains(out, `"kecil": 7,`) {
		t.Errorf("%s", out)
	}
}
