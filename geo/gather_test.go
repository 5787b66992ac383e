package geo

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// What is gathered of rows in any order, across chunks, is what they have one by
// one.
func TestGatherTwin(t *testing.T) {
	r := seeded(t, 21)
	b := NewBuilder(LayerInfo{ID: "m"})
	const n = chunkRows + 5000
	for i := range n {
		f := Feature{Geometry: anywhere(r), Properties: map[string]any{"k": fmt.Sprint(i % 300), "often": "x"}}
		if i%7 == 0 {
			f.Geometry = orb.LineString{anywhere(r), anywhere(r)}
		}
		if i%3 == 0 {
			f.Properties["v"] = float64(i) / 4
		}
		if i%5 == 0 {
			f.Properties["mixed"] = []any{1.0, "text", true, nil}[i%4]
		}
		if i%2 == 0 && i > chunkRows {
			f.From = time.UnixMilli(int64(i) * 86_400_000)
			f.To = f.From
		}
		b.Add(f)
	}
	l := b.Layer()
	var g Gathered
	for _, size := range []int{1, 2, 700, 3000} {
		rows := make([]int32, size)
		for i := range rows {
			rows[i] = int32(r.IntN(n))
		}
		if size > 2 {
			slices.Sort(rows[:size/2])
		}
		g.Gather(l, rows)
		fids, at := make([]int64, size), make([]orb.Point, size)
		l.Places(rows, fids, at)
		keys := map[uint64]string{}
		for i, row := range rows {
			var want, got string
			l.Literals(int(row), func(name, literal string) { want += name + "=" + literal + " " })
			g.Cells(i, func(c Cell) {
				literal := c.Literal
				if literal == "" {
					literal = formatNumber(c.Number)
				} else if known, seen := keys[c.Key]; seen && known != c.Name+literal {
					t.Fatalf("key %x is of %s and %s", c.Key, known, c.Name+literal)
				} else {
					keys[c.Key] = c.Name + literal
				}
				got += c.Name + "=" + literal + " "
			})
			if got != want {
				t.Fatalf("row %d: %s, want %s", row, got, want)
			}
			f1, t1, ok1 := l.TimesMS(int(row))
			if f2, t2, ok2 := g.TimesMS(i); f1 != f2 || t1 != t2 || ok1 != ok2 {
				t.Fatalf("row %d: times %d %d %v, want %d %d %v", row, f2, t2, ok2, f1, t1, ok1)
			}
			p, isPoint := l.Point(int(row))
			if fids[i] != l.FID(int(row)) || isPoint && at[i] != p || !isPoint && !math.IsNaN(at[i][0]) {
				t.Fatalf("row %d: %d at %v, want %d at %v", row, fids[i], at[i], l.FID(int(row)), p)
			}
		}
	}
}
