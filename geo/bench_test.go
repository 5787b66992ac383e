package geo

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// clustered returns points as incidents lie: most in clusters, some anywhere in
// the region.
func clustered(n int) []orb.Point {
	r := rand.New(rand.NewPCG(77, 0))
	centres := make([]orb.Point, 200)
	for i := range centres {
		centres[i] = orb.Point{95 + 25*r.Float64(), -2 + 10*r.Float64()}
	}
	points := make([]orb.Point, n)
	for i := range points {
		c := centres[r.IntN(len(centres))]
		if points[i] = (orb.Point{c[0] + 0.3*r.NormFloat64(), c[1] + 0.3*r.NormFloat64()}); r.IntN(5) == 0 {
			points[i] = orb.Point{95 + 25*r.Float64(), -2 + 10*r.Float64()}
		}
	}
	return points
}

func million(b *testing.B) *Layer {
	b.Helper()
	return pointLayer(clustered(1_000_000))
}

func pointLayer(points []orb.Point) *Layer {
	b := NewBuilder(LayerInfo{ID: "m", Kind: KindIncident})
	kinds := []string{"irr.exit", "irr.entry", "som.transport", "tip.presumed"}
	for i, p := range points {
		b.Add(Feature{Geometry: p, Properties: map[string]any{"kind": kinds[i%4], "severity": float64(i % 5)}})
	}
	return b.Layer()
}

func BenchmarkIndexInsert1M(b *testing.B) {
	points := clustered(1_000_000)
	for b.Loop() {
		x := NewIndex()
		for i, p := range points {
			x.Insert(p.Bound(), i)
		}
	}
}

func BenchmarkBuild100k(b *testing.B) {
	points := clustered(100_000)
	for b.Loop() {
		pointLayer(points)
	}
}

func BenchmarkQuery1M(b *testing.B) {
	l := million(b)
	places := clustered(1000)
	hits := 0
	each := func(name string, f func(p orb.Point) int) {
		b.Run(name, func(b *testing.B) {
			hits = 0
			i := 0
			for b.Loop() {
				hits += f(places[i%len(places)])
				i++
			}
			b.ReportMetric(float64(hits)/float64(i), "hits/op")
		})
	}
	each("window", func(p orb.Point) int {
		const half = 0.2
		return len(l.Window(orb.Bound{Min: orb.Point{p[0] - half, p[1] - half}, Max: orb.Point{p[0] + half, p[1] + half}}))
	})
	each("near20", func(p orb.Point) int { return len(l.Near(p, 20)) })
	each("within2km", func(p orb.Point) int { return len(l.Within(p, 2000, 0)) })
}

func BenchmarkAppend(b *testing.B) {
	l := pointLayer(clustered(200_000))
	for _, n := range []int{1, 1000} {
		more := pointLayer(clustered(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				l.Append(more)
			}
		})
	}
}

func BenchmarkWithout(b *testing.B) {
	l := pointLayer(clustered(200_000))
	for b.Loop() {
		l.Without(map[int64]bool{77: true})
	}
}

func BenchmarkAppendProperties(b *testing.B) {
	l := pointLayer(clustered(1000))
	var buf []byte
	i := 0
	for b.Loop() {
		buf = l.AppendProperties(buf[:0], i%1000)
		i++
	}
}

func BenchmarkContains(b *testing.B) {
	ring := orb.Ring(borderLike(3000))
	for b.Loop() {
		Contains(ring, orb.Point{110.1, 1.1})
	}
}
