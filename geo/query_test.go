package geo

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/paulmach/orb"
)

// star returns a ring about a centre, anticlockwise.
func star(r *rand.Rand, centre orb.Point, sizeM float64) orb.Ring {
	var ring orb.Ring
	n := 3 + r.IntN(8)
	for i := range n {
		p, _ := Direct(centre, -360*float64(i)/float64(n), sizeM*(0.3+0.7*r.Float64()))
		ring = append(ring, p)
	}
	return append(ring, ring[0])
}

func someGeometry(r *rand.Rand) orb.Geometry {
	p := anywhere(r)
	size := math.Pow(10, 2+4.5*r.Float64())
	switch r.IntN(8) {
	case 0:
		return walk(r, p, 1+r.IntN(5), size)
	case 1:
		return orb.Polygon{star(r, p, size), star(r, p, size*0.2)} // with a hole
	case 2:
		return orb.MultiPolygon{{star(r, p, size)}, {star(r, anywhere(r), size)}}
	case 3:
		return orb.MultiPoint{p, anywhere(r)}
	case 4:
		return orb.MultiLineString{walk(r, p, 2, size), walk(r, anywhere(r), 2, size)}
	case 5:
		return orb.Collection{p, walk(r, p, 2, size), orb.Polygon{star(r, p, size)}}
	}
	return p
}

func someLayer(r *rand.Rand, n int, draw func(*rand.Rand) orb.Geometry) *Layer {
	b := NewBuilder(LayerInfo{ID: "some", Kind: KindIncident})
	for range n {
		b.Add(Feature{Geometry: draw(r)})
	}
	return b.Layer()
}

func pointAnywhere(r *rand.Rand) orb.Geometry { return anywhere(r) }

func compareHits(a, b Hit) int {
	return cmp.Or(cmp.Compare(a.DistanceM, b.DistanceM), cmp.Compare(a.Row, b.Row))
}

// allHits measures every row.
func allHits(l *Layer, p orb.Point) []Hit {
	hits := make([]Hit, l.Len())
	for row := range hits {
		hits[row] = Hit{row, GeometryDistanceM(p, l.Geometry(row))}
	}
	slices.SortFunc(hits, compareHits)
	return hits
}

func sameHits(a, b []Hit) bool {
	return slices.EqualFunc(a, b, func(a, b Hit) bool {
		return a.Row == b.Row && math.Abs(a.DistanceM-b.DistanceM) <= 1e-6
	})
}

func TestNearAndWithinTwin(t *testing.T) {
	r := seeded(t, 31)
	for name, draw := range map[string]func(*rand.Rand) orb.Geometry{
		"points": pointAnywhere, "mixed": someGeometry,
	} {
		l := someLayer(r, 1500, draw)
		for range 40 {
			p := anywhere(r)
			want := allHits(l, p)
			k := 1 + r.IntN(60)
			if got := l.Near(p, k); !sameHits(got, want[:k]) {
				t.Fatalf("%s: %d nearest to %v: %v, want %v", name, k, p, got, want[:k])
			}
			radius := math.Pow(10, 3+4.2*r.Float64())
			within := slices.IndexFunc(want, func(h Hit) bool { return h.DistanceM > radius })
			if within < 0 {
				within = len(want)
			}
			if got := l.Within(p, radius, 0); !sameHits(got, want[:within]) {
				t.Fatalf("%s: within %g m of %v: %d rows, want %d", name, radius, p, len(got), within)
			}
			limit := 1 + r.IntN(30)
			if got := l.Within(p, radius, limit); !sameHits(got, want[:min(limit, within)]) {
				t.Fatalf("%s: first %d within %g m of %v: %v", name, limit, radius, p, got)
			}
		}
	}
}

func TestNearByHand(t *testing.T) {
	b := NewBuilder(LayerInfo{})
	square := orb.Polygon{
		{{110, 1}, {111, 1}, {111, 2}, {110, 2}, {110, 1}},
		{{110.4, 1.4}, {110.6, 1.4}, {110.6, 1.6}, {110.4, 1.6}, {110.4, 1.4}},
	}
	for _, g := range []orb.Geometry{
		orb.Point{180, 0}, orb.Point{-180, 0}, orb.Point{-179, 0}, orb.Point{179, 0}, // 0-3
		square, orb.Point{0, 90}, orb.LineString{{-170, -10}, {170, -10}}, // 4-6
	} {
		b.Add(Feature{Geometry: g})
	}
	l := b.Layer()
	const deg = 111319.4908
	for _, c := range []struct {
		p    orb.Point
		k    int
		want []Hit
	}{
		{orb.Point{179.5, 0}, 4, []Hit{{0, deg / 2}, {1, deg / 2}, {3, deg / 2}, {2, 1.5 * deg}}},
		{orb.Point{179.5, 0}, 2, []Hit{{0, deg / 2}, {1, deg / 2}}}, // ties by row
		{orb.Point{110.2, 1.2}, 1, []Hit{{4, 0}}},
		{orb.Point{110.5, 1.45}, 1, []Hit{{4, 5528.7}}}, // in the hole
		{orb.Point{77, 89.9}, 1, []Hit{{5, 11169.4}}},
		{orb.Point{180, -10.2}, 1, []Hit{{6, 0}}}, // the geodesic runs south of its parallel
	} {
		got := l.Near(c.p, c.k)
		if len(got) != len(c.want) {
			t.Fatalf("%v: %v, want %v", c.p, got, c.want)
		}
		for i := range got {
			tol := 0.5
			if c.want[i].Row == 6 {
				tol = 15000
			}
			if got[i].Row != c.want[i].Row || math.Abs(got[i].DistanceM-c.want[i].DistanceM) > tol {
				t.Errorf("%v: %v, want %v", c.p, got, c.want)
			}
		}
	}
	if l.Near(orb.Point{1, 1}, 0) != nil || l.Near(orb.Point{math.NaN(), 1}, 5) != nil {
		t.Error("no rows were asked for, or from nowhere")
	}
	if got := l.Within(orb.Point{180, 0}, 0, 0); !sameHits(got, []Hit{{0, 0}, {1, 0}}) {
		t.Errorf("within 0 m: %v", got)
	}
	if got := l.Within(orb.Point{180, 0}, -1, 0); got != nil {
		t.Errorf("within -1 m: %v", got)
	}
	if got := NewBuilder(LayerInfo{}).Layer().Within(orb.Point{1, 1}, 1e9, 0); got != nil {
		t.Errorf("empty layer: %v", got)
	}
	if got := l.Window(orb.Bound{Min: orb.Point{179, -1}, Max: orb.Point{-179, 1}}); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("window: %v", got)
	}
}

// A point is inside exactly when it is on the left of every edge of a small
// anticlockwise convex ring, seen by azimuths.
func TestContainsTwin(t *testing.T) {
	r := seeded(t, 32)
	in := 0
	for range 3000 {
		centre, size := anywhere(r), math.Pow(10, 2+4.5*r.Float64())
		var ring orb.Ring
		for i := range 5 {
			p, _ := Direct(centre, -72*float64(i), size)
			ring = append(ring, p)
		}
		p, _ := Direct(centre, r.Float64()*360, size*1.3*r.Float64())
		want := true
		for i, a := range ring {
			edge := solveInverse(a, ring[(i+1)%5]).from
			want = want && solveInverse(a, p).from.minus(edge).sin < 0
		}
		if got := Contains(orb.Polygon{ring}, p); got != want {
			t.Fatalf("%v in %v: %v", p, ring, got)
		}
		ring.Reverse()
		if got := Contains(orb.MultiPolygon{{ring}}, p); got != want {
			t.Fatalf("%v in reversed %v: %v", p, ring, got)
		}
		if want {
			in++
		}
	}
	if in < 500 || in > 2500 {
		t.Fatalf("%d of 3000 inside: no test", in)
	}
}

func TestContainsByHand(t *testing.T) {
	arctic := orb.Ring{{0, 70}, {90, 70}, {180, 70}, {-90, 70}, {0, 70}}
	antarctic := orb.Ring{{0, -70}, {90, -70}, {180, -70}, {-90, -70}, {0, -70}}
	date := orb.Ring{{179, -1}, {-179, -1}, {-179, 1}, {179, 1}, {179, -1}}
	for _, c := range []struct {
		g    orb.Geometry
		p    orb.Point
		want bool
	}{
		{arctic, orb.Point{33, 89}, true}, {arctic, orb.Point{33, 90}, true}, {arctic, orb.Point{33, 60}, false},
		{arctic, orb.Point{33, -90}, false},
		{antarctic, orb.Point{33, -89}, true}, {antarctic, orb.Point{33, -60}, false}, {antarctic, orb.Point{33, 89}, false},
		{date, orb.Point{180, 0}, true}, {date, orb.Point{-179.5, 0.5}, true}, {date, orb.Point{0, 0}, false},
		{orb.Polygon{date}, orb.Point{178, 0}, false},
		{orb.Bound{Min: orb.Point{10, 10}, Max: orb.Point{12, 12}}, orb.Point{11, 11}, true},
		{orb.Collection{orb.Point{5, 5}, date}, orb.Point{180, 0}, true},
		{orb.Point{5, 5}, orb.Point{5, 5}, false},
		{orb.Polygon{}, orb.Point{5, 5}, false}, {orb.Polygon{{}}, orb.Point{5, 5}, false},
	} {
		if got := Contains(c.g, c.p); got != c.want {
			t.Errorf("%v in %v: %v", c.p, c.g, got)
		}
		if d := GeometryDistanceM(c.p, c.g); c.want && d != 0 {
			t.Errorf("%v is inside %v, yet %g m away", c.p, c.g, d)
		}
	}
	if d := GeometryDistanceM(orb.Point{1, 1}, orb.MultiPolygon{}); !math.IsInf(d, 1) {
		t.Errorf("empty geometry: %g m", d)
	}
}

// Readers of a layer, and makers of new ones from it, do not disturb each other.
func TestLayerWhileAppending(t *testing.T) {
	r := seeded(t, 33)
	base := someLayer(r, 3000, someGeometry)
	more := someLayer(r, 200, pointAnywhere)
	p := orb.Point{110, 1}
	near, before := base.Near(p, 50), base.Feature(2999)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			l := base
			for range 5 {
				l = l.Append(more)
			}
			if l.Len() != 4000 || len(l.Window(globe)) != 4000 {
				t.Errorf("%d rows, %d in the window", l.Len(), len(l.Window(globe)))
			}
			if l.Without(map[int64]bool{int64(w + 1): true}).Len() >= l.Len() {
				t.Error("nothing removed")
			}
		})
		wg.Go(func() {
			for range 10 {
				if got := base.Near(p, 50); !sameHits(got, near) {
					t.Errorf("the base has changed: %v", got)
				}
			}
		})
	}
	wg.Wait()
	if after := base.Feature(2999); !reflect.DeepEqual(before, after) {
		t.Errorf("%v became %v", before, after)
	}
}
