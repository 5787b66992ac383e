package geo

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
)

// TestRowAdderTwin builds a layer, over a chunk boundary, by RowAdder and by Add:
// the two must be the same.
func TestRowAdderTwin(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	names := []string{"text", "number", "unique", "mixed", "never"}
	value := func(name string) any {
		switch name {
		case "text":
			return [...]any{"a", "b \"quoted\" é\n", "", nil}[r.IntN(4)]
		case "number":
			return [...]any{1.0, 2.5, nil}[r.IntN(3)]
		case "unique":
			return fmt.Sprint("u", r.Uint64())
		case "mixed":
			return [...]any{1.0, "1", true, json.RawMessage(`[1]`), json.Number("12345678901234567890"), nil}[r.IntN(6)]
		}
		return nil
	}
	plain, fast := NewBuilder(LayerInfo{}), NewBuilder(LayerInfo{})
	adder := fast.Rows(names)
	values := make([]any, len(names))
	for i := range chunkRows + 3000 {
		f := Feature{Geometry: orb.Point{float64(i), 1}, Properties: map[string]any{"rest": float64(i % 7)}}
		if i%3 == 0 {
			f.ID = fmt.Sprint(i)
		}
		g := f
		g.Properties = map[string]any{"rest": float64(i % 7)}
		for k, name := range names {
			values[k] = value(name)
			g.Properties[name] = values[k]
		}
		plain.Add(g)
		adder.Add(f, values)
	}
	got, want := fast.Layer(), plain.Layer()
	if !reflect.DeepEqual(got.Columns(), want.Columns()) {
		t.Errorf("columns %v, want %v", got.Columns(), want.Columns())
	}
	for row := range want.Len() {
		g, w := got.Feature(row), want.Feature(row)
		if !reflect.DeepEqual(g, w) {
			t.Fatalf("row %d:\n got %+v\nwant %+v", row, g, w)
		}
		if got.OwnID(row) != w.ID {
			t.Fatalf("row %d: OwnID %q, want %q", row, got.OwnID(row), w.ID)
		}
		p := map[string]any{}
		got.Values(row, func(name string, v any) { p[name] = v })
		if !reflect.DeepEqual(p, w.Properties) {
			t.Fatalf("row %d: Values %v, want %v", row, p, w.Properties)
		}
	}
}

func BenchmarkRowAdder(b *testing.B) {
	names := []string{"kind", "severity"}
	values := []any{"mar.distress_sinking", 3.0}
	b.ReportAllocs()
	for b.Loop() {
		nb := NewBuilder(LayerInfo{})
		adder := nb.Rows(names)
		for i := range 10_000 {
			adder.Add(Feature{Geometry: orb.Point{float64(i), 1}}, values)
		}
	}
}
