package geo

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/paulmach/orb"
)

var globe = orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}

// someBoxes returns boxes all over the globe: points, small and wide ones, some
// across the 180th meridian, some at the poles.
func someBoxes(r *rand.Rand, n int) []orb.Bound {
	boxes := make([]orb.Bound, n)
	for i := range boxes {
		p := anywhere(r)
		boxes[i] = orb.Bound{Min: p, Max: p}
		if r.IntN(2) == 0 {
			size := math.Pow(10, 2.2-4*r.Float64())
			boxes[i].Max = orb.Point{p[0] + size*r.Float64(), math.Min(90, p[1]+size*r.Float64())}
			if boxes[i].Max[0] > 180 && r.IntN(2) == 0 {
				boxes[i].Max[0] -= 360 // the other way to write it
			}
		}
	}
	return boxes
}

// touch is the plain meaning of Window: a common latitude and, at some turn of
// the globe, a common longitude.
func touch(a, b orb.Bound) bool {
	if a.Max[0] < a.Min[0] {
		a.Max[0] += 360
	}
	if b.Max[0] < b.Min[0] {
		b.Max[0] += 360
	}
	if a.Min[1] > b.Max[1] || b.Min[1] > a.Max[1] {
		return false
	}
	for turn := -720.0; turn <= 720; turn += 360 {
		if a.Min[0]+turn <= b.Max[0] && b.Min[0] <= a.Max[0]+turn {
			return true
		}
	}
	return false
}

func TestWindowTwin(t *testing.T) {
	r := seeded(t, 1)
	boxes := someBoxes(r, 3000)
	x := NewIndex()
	for i, b := range boxes {
		x.Insert(b, i)
	}
	if x.Len() != len(boxes) {
		t.Fatalf("%d items, want %d", x.Len(), len(boxes))
	}
	gone := map[int]bool{}
	for round := range 600 {
		window := someBoxes(r, 1)[0]
		if round%50 == 0 {
			window = globe
		}
		var got, want []int
		x.Window(window, func(i int) bool { got = append(got, i); return true })
		slices.Sort(got)
		for i, b := range boxes {
			if !gone[i] && touch(b, window) {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("window %v: %d items, want %d", window, len(got), len(want))
		}
		for range 2 { // and with less in it each time
			i := r.IntN(len(boxes))
			if x.Delete(boxes[i], i) == gone[i] {
				t.Fatalf("delete %d of %v: gone before was %v", i, boxes[i], gone[i])
			}
			gone[i] = true
		}
	}
	if x.Len() != len(boxes)-len(gone) {
		t.Fatalf("%d items left, want %d", x.Len(), len(boxes)-len(gone))
	}
}

func TestWindowByHand(t *testing.T) {
	x := NewIndex()
	for i, p := range []orb.Point{{179.5, 0}, {-179.5, 0}, {180, 1}, {-180, 1}, {0, 90}, {104, 1.3}} {
		x.Insert(p.Bound(), i)
	}
	for _, c := range []struct {
		box  orb.Bound
		want []int
	}{
		{orb.Bound{Min: orb.Point{179, -1}, Max: orb.Point{-179, 2}}, []int{0, 1, 2, 3}},
		{orb.Bound{Min: orb.Point{179, -1}, Max: orb.Point{181, 2}}, []int{0, 1, 2, 3}},
		{orb.Bound{Min: orb.Point{-180, 1}, Max: orb.Point{-170, 2}}, []int{2, 3}},
		{orb.Bound{Min: orb.Point{170, 1}, Max: orb.Point{180, 2}}, []int{2, 3}},
		{orb.Bound{Min: orb.Point{104, 1.3}, Max: orb.Point{105, 2}}, []int{5}}, // touching counts
		{orb.Bound{Min: orb.Point{-10, 80}, Max: orb.Point{10, 90}}, []int{4}},
		{globe, []int{0, 1, 2, 3, 4, 5}},
		{orb.Bound{Min: orb.Point{0, 5}, Max: orb.Point{10, 4}}, nil},
		{orb.Bound{Min: orb.Point{math.NaN(), 5}, Max: orb.Point{10, 40}}, nil},
	} {
		var got []int
		x.Window(c.box, func(i int) bool { got = append(got, i); return true })
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.box, got, c.want)
		}
	}
	n := 0
	x.Window(globe, func(int) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("yield said stop after 2, was called %d times", n)
	}
}

func TestIndexLeavesOutEmptyBoxes(t *testing.T) {
	x := NewIndex()
	for i, b := range []orb.Bound{
		orb.LineString{}.Bound(),
		orb.Point{math.NaN(), 1}.Bound(),
		orb.Point{1, math.Inf(1)}.Bound(),
	} {
		x.Insert(b, i)
		if x.Delete(b, i) {
			t.Errorf("%v was there", b)
		}
	}
	if x.Len() != 0 || !x.Bound().IsEmpty() {
		t.Errorf("%d items, bound %v", x.Len(), x.Bound())
	}
	x.Nearest(orb.Point{1, 1}, func(int, float64) bool { t.Error("an item"); return false })
}

// The bound must never exceed the distance to any place in the box, and come
// in order.
func TestNearestBound(t *testing.T) {
	r := seeded(t, 2)
	boxes := someBoxes(r, 2000)
	x := NewIndex()
	for i, b := range boxes {
		x.Insert(b, i)
	}
	for range 60 {
		p := anywhere(r)
		last, n := 0.0, 0
		x.Nearest(p, func(i int, atLeastM float64) bool {
			if atLeastM < last-1e-6 {
				t.Fatalf("from %v: %g m after %g m", p, atLeastM, last)
			}
			last = atLeastM
			n++
			lo, hi, _ := unwrap(boxes[i])
			for range 4 {
				q := orb.Point{lo[0] + r.Float64()*(hi[0]-lo[0]), lo[1] + r.Float64()*(hi[1]-lo[1])}
				if d := DistanceM(p, q); d < atLeastM {
					t.Fatalf("%v is %g m from %v in %v, bound %g m", p, d, q, boxes[i], atLeastM)
				}
			}
			if lo == hi {
				if d := DistanceM(p, lo); atLeastM < d*0.989-1e-5 {
					t.Fatalf("%v is %g m from %v, bound only %g m", p, d, lo, atLeastM)
				}
			}
			return true
		})
		if n != len(boxes) {
			t.Fatalf("%d items, want all %d", n, len(boxes))
		}
	}
}

// The bound of a box against its nearest place on a fine grid.
func TestBoxBoundIsTight(t *testing.T) {
	r := seeded(t, 3)
	for range 300 {
		p, box := anywhere(r), someBoxes(r, 1)[0]
		lo, hi, _ := unwrap(box)
		v := newVantage(p)
		least := math.Inf(1)
		const n = 60
		for i := range n + 1 {
			for j := range n + 1 {
				lon, lat := lo[0]+(hi[0]-lo[0])*float64(i)/n, lo[1]+(hi[1]-lo[1])*float64(j)/n
				least = math.Min(least, v.toPointM(lon, lat))
			}
		}
		got := v.toBoxM(lo, hi)
		step := (hi[0] - lo[0] + hi[1] - lo[1]) / n * degree * leastRadiusM
		if got > least*(1+1e-12)+1e-6 || got < least-step-1e-6 {
			t.Fatalf("from %v to %v: bound %g m, grid %g m", p, box, got, least)
		}
	}
}

// A geodesic stays within bulgeM of the box of its ends.
func TestBulge(t *testing.T) {
	r := seeded(t, 4)
	for range 3000 {
		a, b := anywhere(r), anywhere(r)
		if r.IntN(2) == 0 {
			b = orb.Point{a[0] + 40*r.Float64(), a[1]}
		}
		s, azi, _ := Inverse(a, b)
		bulge := bulgeM(math.Abs(wrapDeg(b[0] - a[0])))
		south, north := math.Min(a[1], b[1]), math.Max(a[1], b[1])
		for k := range 33 {
			q, _ := Direct(a, azi, s*float64(k)/32)
			inBox := orb.Point{q[0], math.Max(south, math.Min(north, q[1]))}
			if out := DistanceM(q, inBox); out > bulge+1e-6 {
				t.Fatalf("%v to %v leaves its box by %g m at %v, bulge %g m", a, b, out, q, bulge)
			}
		}
	}
}

// Readers of an index, and makers of clones, go on while writers fill theirs.
func TestCloneWhileWriting(t *testing.T) {
	r := seeded(t, 5)
	base := NewIndex()
	boxes := someBoxes(r, 4000)
	for i, b := range boxes[:2000] {
		base.Insert(b, i)
	}
	count := func(x *Index) (n int) {
		x.Window(globe, func(int) bool { n++; return true })
		return n
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() { // writers, each into a clone of its own
			mine := base.Clone()
			for i, b := range boxes[2000:] {
				mine.Insert(b, 2000+i)
				if i%3 == w%3 {
					mine.Delete(boxes[i], i)
				}
			}
			if n := count(mine); n != mine.Len() {
				t.Errorf("%d items seen of %d", n, mine.Len())
			}
		})
		wg.Go(func() { // readers of what all share
			for range 20 {
				if n := count(base); n != 2000 {
					t.Errorf("%d items, want 2000", n)
				}
				base.Nearest(orb.Point{110, 1}, func(i int, _ float64) bool { return i%50 != 0 })
			}
		})
	}
	wg.Wait()
	clone := base.Clone()
	base.Insert(boxes[2000], 2000) // writing the original leaves the clone alone
	base.Delete(boxes[0], 0)
	if count(clone) != 2000 || count(base) != 2000 || clone.Len() != 2000 {
		t.Errorf("clone has %d, original %d", count(clone), count(base))
	}
	found := false
	clone.Window(boxes[0], func(i int) bool { found = found || i == 0; return true })
	if !found {
		t.Error("the clone lost what was deleted from the original")
	}
}
