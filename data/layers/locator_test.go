package layers

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/sempadan/sempadan/geo"
)

// slowAt is the brute-force twin: every polygon, one after another.
func slowAt(l *geo.Layer, p orb.Point) string {
	for row := range l.Len() {
		switch g := l.Geometry(row).(type) {
		case orb.Polygon:
			if g.Bound().Contains(p) && planar.PolygonContains(g, p) {
				return l.Text(row, "country")
			}
		case orb.MultiPolygon:
			if planar.MultiPolygonContains(g, p) {
				return l.Text(row, "country")
			}
		}
	}
	return ""
}

func TestLocatorByHand(t *testing.T) {
	square := func(w, s, side float64) orb.Ring {
		return orb.Ring{{w, s}, {w + side, s}, {w + side, s + side}, {w, s + side}, {w, s}}
	}
	b := geo.NewBuilder(geo.LayerInfo{})
	hole := square(101, 1, 1)
	hole.Reverse()
	b.Add(geo.Feature{Geometry: orb.Polygon{square(100, 0, 3), hole}, Properties: map[string]any{"country": "ID"}})
	b.Add(geo.Feature{Geometry: orb.MultiPolygon{{square(102.5, 0.5, 2)}, {square(110, 5, 0.001)}}, Properties: map[string]any{"country": "MY"}})
	b.Add(geo.Feature{Geometry: orb.Polygon{square(0, 0, 90)}, Properties: map[string]any{}})
	loc := NewLocator(b.Layer(), "country")
	for _, c := range []struct {
		p    orb.Point
		want string
	}{
		{orb.Point{100.5, 0.5}, "ID"}, {orb.Point{101.5, 1.5}, ""}, {orb.Point{102.7, 1}, "ID"}, {orb.Point{104, 1}, "MY"},
		{orb.Point{110.0005, 5.0005}, "MY"}, {orb.Point{110.002, 5.0005}, ""}, {orb.Point{50, 10}, ""},
		{orb.Point{-200, 0.5}, ""}, {orb.Point{100.5, 95}, ""}, {orb.Point{math.NaN(), 1}, ""},
	} {
		if got := loc.At(c.p); got != c.want {
			t.Errorf("at %v: %q, want %q", c.p, got, c.want)
		}
	}
	if got := NewLocator(geo.NewBuilder(geo.LayerInfo{}).Layer(), "country").At(orb.Point{100, 1}); got != "" {
		t.Errorf("an empty layer holds %q", got)
	}
}

func TestLocatorAgainstBruteForce(t *testing.T) {
	for _, id := range []string{"land", "territorial_waters"} {
		l := load(t, id)
		loc := NewLocator(l, "country")
		const seed = 20261122
		t.Logf("%s: seed %d", id, seed)
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 1500 {
			p := orb.Point{94.5 + 26*rng.Float64(), -4.5 + 13*rng.Float64()}
			if rng.IntN(2) == 0 { // close to a vertex, where it is hard
				ring := l.Geometry(rng.IntN(l.Len())).(orb.Polygon)[0]
				v := ring[rng.IntN(len(ring))]
				p = orb.Point{v[0] + 0.02*rng.NormFloat64(), v[1] + 0.02*rng.NormFloat64()}
			}
			// Some Thai rings of the source overlap one another, where
			// the even-odd rule and the twin rightly differ.
			if got, want := loc.At(p), slowAt(l, p); got != want && got != "TH" && want != "TH" {
				t.Errorf("%s at %v: %q, want %q", id, p, got, want)
			}
		}
	}
}

func BenchmarkLocator(b *testing.B) {
	loc := NewLocator(load(b, "land"), "country")
	rng := rand.New(rand.NewPCG(1, 1))
	points := make([]orb.Point, 1<<12)
	for i := range points {
		points[i] = orb.Point{95 + 25*rng.Float64(), -4 + 12*rng.Float64()}
	}
	i := 0
	for b.Loop() {
		loc.At(points[i&(len(points)-1)])
		i++
	}
}
