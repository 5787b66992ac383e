package geo

import (
	"math"
	"runtime"
	"testing"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"
)

// How to index a million points: in a tree that can be written, of float64 or of
// float32 boxes (which are wider, so that what is found is to be looked at
// again), or packed.
func BenchmarkIndexes1M(b *testing.B) {
	l := million(b)
	window := func(p orb.Point) (lo, hi [2]float64) {
		const half = 0.1
		return [2]float64{p[0] - half, p[1] - half}, [2]float64{p[0] + half, p[1] + half}
	}
	run := func(name string, build func() (count func(lo, hi [2]float64) int)) {
		b.Run(name+"/build", func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var count func(lo, hi [2]float64) int
			for b.Loop() {
				count = build()
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(l.Len()), "bytes/point")
			runtime.KeepAlive(count)
		})
		b.Run(name+"/window", func(b *testing.B) {
			count := build()
			places := clustered(1000)
			i, found := 0, 0
			for b.Loop() {
				found += count(window(places[i%len(places)]))
				i++
			}
			b.ReportMetric(float64(found)/float64(i), "hits/op")
		})
	}
	run("float64", func() func(lo, hi [2]float64) int {
		x := NewIndex()
		x.insertAll(l.chunks, 0)
		return func(lo, hi [2]float64) int { return countWindow(x, lo, hi) }
	})
	run("float32", func() func(lo, hi [2]float64) int {
		var x rtree.RTreeGN[float32, int32]
		for row := range l.Len() {
			p, _ := l.Point(row)
			lo, hi := float32Box(p, p)
			x.Insert(lo, hi, int32(row))
		}
		return func(lo, hi [2]float64) (n int) {
			wideLo, wideHi := float32Box(lo, hi)
			x.Search(wideLo, wideHi, func(_, _ [2]float32, row int32) bool {
				if p, _ := l.Point(int(row)); p[0] >= lo[0] && p[0] <= hi[0] && p[1] >= lo[1] && p[1] <= hi[1] {
					n++
				}
				return true
			})
			return n
		}
	})
	run("packed", func() func(lo, hi [2]float64) int {
		x := packedIndex(l.chunks)
		return func(lo, hi [2]float64) int { return countWindow(x, lo, hi) }
	})
}

func countWindow(x *Index, lo, hi [2]float64) (n int) {
	x.Window(orb.Bound{Min: lo, Max: hi}, func(int) bool { n++; return true })
	return n
}

// float32Box is the least box of float32 around one of float64.
func float32Box(lo, hi [2]float64) (l, h [2]float32) {
	for k := range 2 {
		if l[k] = float32(lo[k]); float64(l[k]) > lo[k] {
			l[k] = math.Nextafter32(l[k], float32(math.Inf(-1)))
		}
		if h[k] = float32(hi[k]); float64(h[k]) < hi[k] {
			h[k] = math.Nextafter32(h[k], float32(math.Inf(1)))
		}
	}
	return l, h
}
