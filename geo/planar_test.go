package geo

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

func TestIntersects(t *testing.T) {
	square := orb.Polygon{{{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}}, {{1, 1}, {1, 3}, {3, 3}, {3, 1}, {1, 1}}} // with a hole
	for _, c := range []struct {
		name string
		a, b orb.Geometry
		want bool
	}{
		{"a point in the rim", orb.Point{0.5, 2}, square, true},
		{"a point in the hole", orb.Point{2, 2}, square, false},
		{"a point on the edge of the hole", orb.Point{1, 2}, square, true},
		{"a corner", orb.Point{4, 4}, square, true},
		{"beside a corner", orb.Point{4, 4.0000001}, square, false},
		{"a line in the hole", orb.LineString{{1.5, 1.5}, {2.5, 2.5}}, square, false},
		{"a line across", orb.LineString{{-1, 2}, {5, 2}}, square, true},
		{"a line that touches a corner", orb.LineString{{-1, 1}, {1, -1}}, square, true},
		{"a polygon in the hole", orb.Polygon{{{1.5, 1.5}, {2.5, 1.5}, {2, 2.5}, {1.5, 1.5}}}, square, false},
		{"a polygon round all", orb.Polygon{{{-9, -9}, {9, -9}, {9, 9}, {-9, 9}, {-9, -9}}}, square, true},
		{"a box in the rim", orb.Bound{Min: orb.Point{0.1, 0.1}, Max: orb.Point{0.2, 0.2}}, square, true},
		{"collinear lines apart", orb.LineString{{0, 0}, {1, 1}}, orb.LineString{{2, 2}, {3, 3}}, false},
		{"collinear lines that touch", orb.LineString{{0, 0}, {2, 2}}, orb.LineString{{2, 2}, {3, 3}}, true},
		{"a point on a line", orb.Point{1, 1}, orb.LineString{{0, 0}, {3, 3}}, true},
		{"points", orb.MultiPoint{{1, 2}, {3, 4}}, orb.Collection{orb.Point{3, 4}}, true},
		{"a box across the 180th meridian", orb.Point{-179, 1}, orb.Bound{Min: orb.Point{170, 0}, Max: orb.Point{-170, 2}}, true},
		{"outside a box across the 180th meridian", orb.Point{0, 1}, orb.Bound{Min: orb.Point{170, 0}, Max: orb.Point{-170, 2}}, false},
		{"nothing", orb.Collection{}, square, false},
		{"no rings", orb.Polygon{}, square, false},
		{"an empty line", orb.LineString{}, square, false},
	} {
		if got := Intersects(c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		if got := Intersects(c.b, c.a); got != c.want {
			t.Errorf("%s, the other way round: %v", c.name, got)
		}
	}
}

// Triangles and lines on a small grid, where touching and being in line is
// common, against rational arithmetic that looks at every pair of edges.
func TestIntersectsAgainstFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	place := func() orb.Point { return orb.Point{float64(r.IntN(7)) * 0.1, float64(r.IntN(7)) * 0.1} }
	meet := 0
	for range 20_000 {
		a, b := orb.Ring{place(), place(), place()}, orb.Ring{place(), place(), place()}
		a, b = append(a, a[0]), append(b, b[0])
		want := false
		for i := range 3 {
			for k := range 3 {
				want = want || fractionEdgesMeet(a[i], a[i+1], b[k], b[k+1])
			}
		}
		if got := Intersects(orb.LineString(a), orb.LineString(b)); got != want {
			t.Fatalf("lines %v %v: %v", a, b, got)
		}
		want = want || fractionInside(a[0], b) || fractionInside(b[0], a)
		if got := Intersects(orb.Polygon{a}, orb.Polygon{b}); got != want {
			t.Fatalf("triangles %v %v: %v", a, b, got)
		}
		if want {
			meet++
		}
	}
	if meet < 2000 || meet > 19_500 {
		t.Errorf("%d of 20000 meet: the cases are one-sided", meet)
	}
}

func fractionTurn(a, b, c orb.Point) int {
	f := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	sub := func(p, q float64) *big.Rat { return new(big.Rat).Sub(f(p), f(q)) }
	return new(big.Rat).Mul(sub(b[0], a[0]), sub(c[1], a[1])).Cmp(new(big.Rat).Mul(sub(b[1], a[1]), sub(c[0], a[0])))
}

func fractionEdgesMeet(a, b, c, d orb.Point) bool {
	between := func(p, q, r orb.Point) bool {
		return fractionTurn(p, q, r) == 0 && min(p[0], q[0]) <= r[0] && r[0] <= max(p[0], q[0]) && min(p[1], q[1]) <= r[1] && r[1] <= max(p[1], q[1])
	}
	return fractionTurn(a, b, c)*fractionTurn(a, b, d) < 0 && fractionTurn(c, d, a)*fractionTurn(c, d, b) < 0 ||
		between(a, b, c) || between(a, b, d) || between(c, d, a) || between(c, d, b)
}

// fractionInside: a place is strictly inside a triangle when it is on the same
// side of all edges.
func fractionInside(p orb.Point, ring orb.Ring) bool {
	s := fractionTurn(ring[0], ring[1], p)
	return s != 0 && s == fractionTurn(ring[1], ring[2], p) && s == fractionTurn(ring[2], ring[0], p)
}
