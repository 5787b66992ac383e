package geo

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
)

// A RowAdder makes the same layer as Add, across chunks and types.
func TestRowAdderTwin(t *testing.T) {
	r := seeded(t, 51)
	names := []string{"text", "number", "mixed", "never"}
	fast, slow := NewBuilder(LayerInfo{}), NewBuilder(LayerInfo{})
	rows := fast.Rows(names)
	const n = chunkRows + 500
	for i := range n {
		values := []any{nil, nil, nil, nil}
		if r.IntN(3) > 0 {
			values[0] = awkwardTexts[r.IntN(len(awkwardTexts))]
		}
		if r.IntN(3) > 0 {
			values[1] = r.NormFloat64()
		}
		values[2] = []any{nil, 1.5, "x", true, math.NaN(), json.RawMessage(`[1]`)}[r.IntN(6)]
		f := Feature{Geometry: orb.Point{float64(i % 90), 1}, Properties: map[string]any{"own": float64(i)}}
		rows.Add(f, values)
		for k, v := range values {
			f.Properties[names[k]] = v
		}
		slow.Add(f)
	}
	a, b := fast.Layer(), slow.Layer()
	if !reflect.DeepEqual(a.Columns(), b.Columns()) {
		t.Fatalf("columns %v, want %v", a.Columns(), b.Columns())
	}
	for row := range n {
		got := map[string]any{}
		a.Values(row, func(name string, v any) { got[name] = v })
		want := b.Feature(row)
		if !reflect.DeepEqual(got, want.Properties) || a.FID(row) != want.FID || a.OwnID(row) != want.ID {
			t.Fatalf("row %d: %v, want %v", row, got, want.Properties)
		}
	}
}
