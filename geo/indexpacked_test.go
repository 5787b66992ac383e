package geo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// mixedIndex is the index of some points and boxes as a layer has it, with
// further ones inserted after that, and of all in a tree alone.
func mixedIndex(r *rand.Rand, n int) (got, want *Index, boxes []orb.Bound) {
	boxes = someBoxes(r, n)
	b := NewBuilder(LayerInfo{ID: "m"})
	for _, box := range boxes[:n*3/4] {
		if lo, hi, _ := unwrap(box); lo == hi {
			b.Add(Feature{Geometry: box.Min})
		} else {
			b.Add(Feature{Geometry: orb.LineString{lo, hi}})
		}
	}
	l := b.Layer()
	got, want = packedIndex(l.chunks), NewIndex()
	want.insertAll(l.chunks, 0)
	for i, box := range boxes[n*3/4:] {
		got.Insert(box, n*3/4+i)
		want.Insert(box, n*3/4+i)
	}
	return got, want, boxes
}

func itemsIn(x *Index, w orb.Bound) (out []int) {
	x.Window(w, func(i int) bool { out = append(out, i); return true })
	slices.Sort(out)
	return out
}

func TestPackedTwin(t *testing.T) {
	r := seeded(t, 11)
	for _, n := range []int{1, 4, 16, 17, 300, 5000} {
		got, want, boxes := mixedIndex(r, n)
		if got.Len() != want.Len() || got.Bound() != want.Bound() {
			t.Fatalf("of %d: %d items in %v, want %d in %v", n, got.Len(), got.Bound(), want.Len(), want.Bound())
		}
		for range 200 {
			w := someBoxes(r, 1)[0]
			if a, b := itemsIn(got, w), itemsIn(want, w); !slices.Equal(a, b) {
				t.Fatalf("of %d, window %v: %d items, want %d", n, w, len(a), len(b))
			}
			p := anywhere(r)
			var a, b []float64
			for _, pair := range []struct {
				x    *Index
				into *[]float64
			}{{got, &a}, {want, &b}} {
				pair.x.Nearest(p, func(_ int, m float64) bool {
					*pair.into = append(*pair.into, m)
					return len(*pair.into) < 50
				})
			}
			if !slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-5 }) {
				t.Fatalf("nearest of %d to %v: %v, want %v", n, p, a, b)
			}
		}
		clone := got.Clone()
		for i, box := range boxes[n*3/4:] {
			if !clone.Delete(box, n*3/4+i) {
				t.Fatalf("%d of %d was not there", n*3/4+i, n)
			}
		}
		if clone.Len() != n*3/4 || got.Len() != want.Len() {
			t.Errorf("%d left of %d, and %d in the original", clone.Len(), n, got.Len())
		}
	}
}

// Every cell of a raster of 8 a side has a place of its own, and neighbours along
// the curve are neighbours.
func TestHilbert(t *testing.T) {
	const shift = 13
	cells := make([][2]int, 64)
	for x := range 8 {
		for y := range 8 {
			d := hilbert(uint32(x)<<shift, uint32(y)<<shift) >> (2 * shift)
			cells[d] = [2]int{x + 1, y + 1}
		}
	}
	for d, c := range cells {
		if c == ([2]int{}) {
			t.Fatalf("no cell has place %d", d)
		}
		if d == 0 {
			continue
		}
		if b := cells[d-1]; math.Abs(float64(b[0]-c[0]))+math.Abs(float64(b[1]-c[1])) != 1 {
			t.Errorf("from %v to %v is a jump", b, c)
		}
	}
}

// A layer that grows keeps its index right, whether packed anew or not.
func TestPackedAppend(t *testing.T) {
	l := pointLayer(clustered(500))
	l.Index()
	next := int64(501)
	for _, n := range []int{1, 700, 1500, 3, 4000, 10} {
		b := NewBuilder(LayerInfo{ID: "m", Kind: KindIncident, NextFID: next})
		for _, p := range clustered(n) {
			b.Add(Feature{Geometry: p})
		}
		next += int64(n)
		l = l.Append(b.Layer())
		if l.Index().Len() != l.Len() || len(l.Window(globe)) != l.Len() {
			t.Fatalf("%d rows, %d indexed", l.Len(), l.Index().Len())
		}
		if hits := l.Within(orb.Point{110, 1}, 2e7, 0); len(hits) != l.Len() {
			t.Fatalf("%d of %d rows by distance", len(hits), l.Len())
		}
	}
}
