package data

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Every list and object becomes its text, everything else stays, whatever
// brackets and quotes the texts hold.
func TestSimpleFeatures(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "x", Kind: geo.KindOther})
	rows := []map[string]any{
		{},
		{"a": "[\"b\",{", "b": json.RawMessage(`["x]","y\"}",["z",{}]]`), "c": 1.5, "d}": true},
		{"o": json.RawMessage(`{"k":[1,2],"t":"\\"}`), "e": json.RawMessage(`[]`), "last": "}"},
		{"only text": "a, b: c"},
	}
	for _, p := range rows {
		b.Add(geo.Feature{Geometry: orb.Point{110, 1}, Properties: p})
	}
	l := b.Layer()
	for row, p := range rows {
		var got, plain struct{ Properties map[string]any }
		extra := Extra{Name: "distance_m", JSON: "[1]"}
		if err := json.Unmarshal(FeatureForm{Simple: true}.Append(nil, l, row, extra), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(FeatureForm{}.Append(nil, l, row, extra), &plain); err != nil {
			t.Fatal(err)
		}
		for name, v := range p {
			if raw, nested := v.(json.RawMessage); nested {
				plain.Properties[name] = string(raw)
			}
		}
		if !reflect.DeepEqual(got, plain) {
			t.Errorf("row %d:\n%v, want\n%v", row, got, plain)
		}
	}
}
