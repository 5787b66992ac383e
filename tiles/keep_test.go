package tiles

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// A tile of chosen rows is, byte for byte, the tile of a layer of those rows
// alone: of points, of lines and areas, whole and thinned.
func TestKeepIsALayerOfTheRows(t *testing.T) {
	r := newRand(t)
	mixed := geo.NewBuilder(geo.LayerInfo{ID: "things", Kind: geo.KindOther})
	for i := range 300 {
		at := orb.Point{100 + 20*r.Float64(), 5 * r.Float64()}
		var g orb.Geometry = at
		switch i % 3 {
		case 1:
			g = orb.LineString{at, {at[0] + r.Float64(), at[1] + 1}}
		case 2:
			g = orb.Polygon{coast(r, at, 0.2+r.Float64(), 30)}
		}
		mixed.Add(geo.Feature{Geometry: g, Properties: map[string]any{"n": float64(i % 7)}})
	}
	for name, l := range map[string]*geo.Layer{"points": incidents(5000), "mixed": mixed.Layer()} {
		for _, share := range []int{2, 5} {
			keep := func(row int) bool { return hash(uint64(row))%uint64(share) == 0 }
			gone := map[int64]bool{}
			for row := range l.Len() {
				if !keep(row) {
					gone[l.FID(row)] = true
				}
			}
			all, rest := NewVector(l), NewVector(l.Without(gone))
			for _, id := range []Tile{{}, {5, 25, 15}, {6, 51, 31}, {8, 206, 127}} {
				for _, most := range []int{0, 40} {
					got, stats := mustTile(t, all, id, MVTOptions{MaxFeatures: most, Keep: keep})
					want, twin := mustTile(t, rest, id, MVTOptions{MaxFeatures: most})
					if stats != twin || !bytes.Equal(got, want) {
						t.Errorf("%s, 1 of %d, %v, at most %d: %+v, %d bytes; want %+v, %d bytes", name, share, id, most, stats, len(got), twin, len(want))
					}
				}
			}
		}
	}
	if got, stats := mustTile(t, NewVector(incidents(50)), Tile{}, MVTOptions{Keep: func(int) bool { return false }}); got != nil || stats != (Stats{}) {
		t.Errorf("nothing kept: %d bytes, %+v", len(got), stats)
	}
}

// Rows that are never drawn are not counted among chosen ones.
func TestKeepDoesNotCountCollusion(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "things", Kind: geo.KindIncident})
	for i := range 100 {
		b.Add(geo.Feature{Geometry: orb.Point{110 + float64(i)/100, 1}, Properties: map[string]any{"kind": geo.CollusionKind}})
	}
	got, stats := mustTile(t, NewVector(b.Layer()), Tile{}, MVTOptions{MaxFeatures: 10, Keep: func(int) bool { return true }})
	if got != nil || stats != (Stats{}) {
		t.Errorf("%d bytes, %+v", len(got), stats)
	}
}

func TestKeepEndsWithItsContext(t *testing.T) {
	l := incidents(20_000)
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	_, _, err := NewVector(l).Tile(ctx, Tile{}, MVTOptions{Keep: func(int) bool {
		if asked++; asked == 10 {
			cancel()
		}
		return false
	}})
	if err == nil || asked > blockRows {
		t.Errorf("%v after %d of %d rows", err, asked, l.Len())
	}
}

// BenchmarkKeep: a filter that leaves nothing costs what it takes to ask; the
// first is the tile without a filter.
func BenchmarkKeep(b *testing.B) {
	l := incidents(100_000)
	v := NewVector(l)
	for _, every := range []int{0, 1, 10, 1 << 30} {
		opt := MVTOptions{}
		if every > 0 {
			opt.Keep = func(row int) bool { return row%every == 0 }
		}
		b.Run(fmt.Sprint("one_of_", every), func(b *testing.B) {
			for b.Loop() {
				if _, _, err := v.Tile(b.Context(), Tile{5, 25, 15}, opt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
