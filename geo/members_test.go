package geo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// Rows in every form that columns and IDs are kept in come back as they were
// given, also from a snapshot, after a merge and after a removal.
func TestCompactColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, draw := range map[string]func(i int) (id string, properties map[string]any){
		"counting": func(i int) (string, map[string]any) {
			return fmt.Sprint(1000 + i), map[string]any{"id": float64(1000 + i), "ref": fmt.Sprintf("r-%05d", i), "same": "x", "flag": true}
		},
		"text id": func(i int) (string, map[string]any) {
			return fmt.Sprintf("n-%d", i), map[string]any{"external_id": fmt.Sprintf("n-%d", i), "id": float64(7), "same": 1.5}
		},
		"escaped id": func(i int) (string, map[string]any) {
			return fmt.Sprintf(`a\n%d`, i), map[string]any{"external_id": fmt.Sprintf("a\n%d", i)}
		},
		"other id": func(i int) (string, map[string]any) {
			return fmt.Sprintf("n-%d", i), map[string]any{"external_id": fmt.Sprintf("m-%d", i), "few": float64(i % 3)}
		},
		"gaps": func(i int) (string, map[string]any) {
			p := map[string]any{"n": float64(-5 + i), "half": 0.5 + float64(i), "occurred_from": "given", "heights_m": float64(i)}
			if i%7 == 3 {
				p = map[string]any{"text": fmt.Sprint(i), "few": fmt.Sprint(i % 2)}
			}
			return "", p
		},
		"none": func(int) (string, map[string]any) { return "", nil },
	} {
		b := NewBuilder(LayerInfo{ID: "some", Kind: KindIncident})
		var given []Feature
		for i := range 600 {
			id, p := draw(i)
			f := Feature{FID: int64(i + 1), ID: id, Geometry: orb.Point{r.Float64(), 1}, Properties: p}
			given = append(given, f)
			b.Add(f)
		}
		l := b.Layer()
		var snapshot bytes.Buffer
		if err := l.WriteSnapshot(&snapshot); err != nil {
			t.Fatal(err)
		}
		again, err := ReadSnapshot(&snapshot)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkRows(t, name, l, given)
		checkRows(t, name+" from a snapshot", again, given)
		checkRows(t, name+" less one", again.Without(map[int64]bool{1: true}), given[1:])
	}
}

func checkRows(t *testing.T, name string, l *Layer, given []Feature) {
	t.Helper()
	if l.Len() != len(given) {
		t.Fatalf("%s: %d rows", name, l.Len())
	}
	for row, f := range given {
		want := f.Properties
		if want == nil {
			want = map[string]any{}
		}
		got := map[string]any{}
		text := l.AppendProperties(nil, row)
		if err := json.Unmarshal(text, &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(l.Feature(row).Properties) != fmt.Sprint(want) {
			t.Fatalf("%s, row %d: %s, want %v (%v)", name, row, text, want, err)
		}
		if l.OwnID(row) != f.ID {
			t.Fatalf("%s, row %d: ID %q, want %q", name, row, l.OwnID(row), f.ID)
		}
		quoted, ok := l.AppendID(nil, row)
		var id string
		if _ = json.Unmarshal(quoted, &id); id != l.ID(row) || ok != (id != "") {
			t.Fatalf("%s, row %d: id %s, want %q", name, row, quoted, l.ID(row))
		}
	}
}
