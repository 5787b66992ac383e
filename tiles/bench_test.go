package tiles

import (
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

func benchTile(b *testing.B, l *geo.Layer, id Tile, opt MVTOptions) {
	v := NewVector(l)
	bytes, stats := mustTile(b, v, id, opt)
	b.SetBytes(int64(len(bytes)))
	b.ReportAllocs()
	for b.Loop() {
		mustTile(b, v, id, opt)
	}
	b.ReportMetric(float64(stats.Features), "features")
}

func BenchmarkPoints(b *testing.B) {
	few, many := incidents(10_000), incidents(1_000_000)
	b.Run("1k", func(b *testing.B) { benchTile(b, few, Tile{9, 417, 253}, MVTOptions{}) })
	b.Run("50k", func(b *testing.B) { benchTile(b, many, Tile{9, 417, 253}, MVTOptions{MaxFeatures: 50_000}) })
	b.Run("20k_of_80k", func(b *testing.B) { benchTile(b, many, Tile{9, 417, 253}, MVTOptions{}) })
	b.Run("20k_of_1M", func(b *testing.B) { benchTile(b, many, Tile{0, 0, 0}, MVTOptions{}) })
}

// coastLayer has the size of the built-in coast and land: 3,900 lines with
// 240,000 vertices, and islands with outlines of up to 65,000.
func coastLayer() (lines, areas *geo.Layer) {
	r := rand.New(rand.NewPCG(3, 3))
	var cut, islands []orb.Geometry
	for k := range 4 {
		ring := coast(r, orb.Point{98 + 6*float64(k), 1}, 2.5, 60_000)
		islands = append(islands, orb.Polygon{ring})
		for i := 0; i+1 < len(ring); i += 65 {
			cut = append(cut, orb.LineString(ring[i:min(i+66, len(ring))]))
		}
	}
	for range 3000 {
		islands = append(islands, orb.Polygon{coast(r, orb.Point{95 + 25*r.Float64(), -4 + 12*r.Float64()}, 0.02, 60)})
	}
	return geometries(cut...), geometries(islands...)
}

func BenchmarkCoast(b *testing.B) {
	lines, areas := coastLayer()
	for _, id := range []Tile{{4, 12, 7}, {6, 50, 31}, {10, 798, 509}, {14, 12770, 8147}} {
		b.Run("lines/z"+id.String(), func(b *testing.B) { benchTile(b, lines, id, MVTOptions{}) })
		b.Run("areas/z"+id.String(), func(b *testing.B) { benchTile(b, areas, id, MVTOptions{}) })
	}
}

func BenchmarkShape(b *testing.B) {
	ring := coast(rand.New(rand.NewPCG(3, 3)), orb.Point{110, 1}, 2.5, 60_000)
	b.ReportAllocs()
	for b.Loop() {
		newShape(orb.Polygon{ring})
	}
}
