package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// The formula for short distances against geodesics, and its bounds.
func TestSurroundings(t *testing.T) {
	r := seeded(t, 71)
	worst := 0.0
	for range 200_000 {
		p := orb.Point{-179 + 358*r.Float64(), -60 + 120*r.Float64()}
		q, _ := Direct(p, 360*r.Float64(), surroundingsM*1.01*r.Float64())
		n, ok := newSurroundings(p)
		if !ok {
			t.Fatalf("%v has no surroundings", p)
		}
		want := DistanceM(p, q)
		worst = math.Max(worst, math.Abs(n.distanceM(q)-want))
		if least := math.Sqrt(n.toPoint2(q)); least > want {
			t.Fatalf("%v to %v: bound %.9f m, distance %.9f m", p, q, least, want)
		}
		b := orb.Bound{Min: q, Max: q}.Pad(0.01 * r.Float64())
		if least := math.Sqrt(n.toBox2(&b)); least > want {
			t.Fatalf("%v to %v: bound %.9f m, distance %.9f m", p, b, least, want)
		}
	}
	t.Logf("worst error %.2g m", worst)
	if worst > surroundingsErrorM/100 {
		t.Errorf("the worst error is %g m", worst)
	}
	for _, p := range []orb.Point{{0, 60.1}, {179.5, 0}, {math.NaN(), 0}} {
		if _, ok := newSurroundings(p); ok {
			t.Errorf("%v has surroundings", p)
		}
	}
}

// identicalHits is what answers show of hits: rows, order and millimetres.
func identicalHits(a, b []Hit) bool {
	return slices.EqualFunc(a, b, func(a, b Hit) bool {
		return a.Row == b.Row && math.Round(a.DistanceM*1000) == math.Round(b.DistanceM*1000)
	})
}

// Crowds on a raster of a few metres, where many distances are equal, with rows
// that came later and shapes among them.
func TestSearchTwin(t *testing.T) {
	r := seeded(t, 72)
	for _, centre := range []orb.Point{{110, 1}, {103.8, -0.02}, {-30, 59.95}, {178.95, 5}, {179.95, 5}} {
		for _, step := range []float64{0.00002, 0.0003, 0.02} {
			draw := func(*rand.Rand) orb.Geometry {
				return orb.Point{wrapDeg(centre[0] + step*float64(r.IntN(60)-30)), math.Min(90, centre[1]+step*float64(r.IntN(60)-30))}
			}
			l := someLayer(r, 3000, draw)
			l.Index()
			more := NewBuilder(l.Info)
			for i := range 40 {
				g := draw(r)
				if i%4 == 0 {
					g = walk(r, g.(orb.Point), 2, 300)
				}
				more.Add(Feature{Geometry: g, FID: int64(10_000 + i)})
			}
			for _, l := range []*Layer{l, l.Append(more.Layer())} {
				for range 12 {
					p := draw(r).(orb.Point)
					if r.IntN(2) == 0 {
						p[0] += step * r.Float64()
					}
					p[0] = wrapDeg(p[0])
					want := allHits(l, p)
					name := fmt.Sprintf("%d rows, steps of %g, %v", l.Len(), step, p)
					if k := 1 + r.IntN(200); !identicalHits(l.Near(p, k), want[:k]) {
						t.Fatalf("%s: %d nearest: %v, want %v", name, k, l.Near(p, k), want[:k])
					}
					radius := want[r.IntN(len(want))].DistanceM // one is just within
					within := slices.IndexFunc(want, func(h Hit) bool { return h.DistanceM > radius })
					if within < 0 {
						within = len(want)
					}
					limit := 1 + r.IntN(2*within)
					if got := l.Within(p, radius, 0); !identicalHits(got, want[:within]) {
						t.Fatalf("%s: within %v m: %d, want %d", name, radius, len(got), within)
					}
					if got := l.Within(p, radius, limit); !identicalHits(got, want[:min(limit, within)]) {
						t.Fatalf("%s: first %d within %v m: %d", name, limit, radius, len(got))
					}
				}
			}
		}
	}
}

func TestSortRows(t *testing.T) {
	r := seeded(t, 73)
	for _, n := range []int{0, 1, 255, 256, 5000} {
		for _, most := range []int{1, 2000, 70_000, 5_000_000} {
			rows := make([]int, n)
			for i := range rows {
				rows[i] = r.IntN(most)
			}
			want := slices.Sorted(slices.Values(rows))
			if got := sortRows(rows); !slices.Equal(got, want) {
				t.Fatalf("%d rows under %d: %v", n, most, got)
			}
		}
	}
}
