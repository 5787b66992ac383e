package route_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/route"
)

// wall is an area around a segment, so many degrees wide.
func wall(a, b orb.Point, width float64) *geo.Layer {
	along := math.Hypot(b[0]-a[0], b[1]-a[1])
	dx, dy := -(b[1]-a[1])/along*width/2, (b[0]-a[0])/along*width/2
	ring := orb.Ring{{a[0] + dx, a[1] + dy}, {b[0] + dx, b[1] + dy}, {b[0] - dx, b[1] - dy}, {a[0] - dx, a[1] - dy}, {a[0] + dx, a[1] + dy}}
	return layer(geo.LayerInfo{ID: "wall", Kind: geo.KindArea}, geo.Feature{Geometry: orb.Polygon{ring}})
}

func side(a, b, p orb.Point) float64 { return (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0]) }

func cross(line orb.LineString, a, b orb.Point) bool {
	for i := 1; i < len(line); i++ {
		if side(line[i-1], line[i], a)*side(line[i-1], line[i], b) < 0 && side(a, b, line[i-1])*side(a, b, line[i]) < 0 {
			return true
		}
	}
	return false
}

// No way crosses a barrier that lies between nodes, be it as narrow as a fence.
func TestNarrowBarriers(t *testing.T) {
	g := graph(t, nil)
	r := rand.New(rand.NewPCG(8, 0))
	from, to := orb.Point{109.9, 0.7}, orb.Point{110.3, 0.85}
	crossed := 0
	for range 60 {
		at, angle := orb.Point{110.1 + 0.05*r.Float64(), 0.76 + 0.04*r.Float64()}, math.Pi*r.Float64()
		dx, dy := 0.08*math.Cos(angle), 0.08*math.Sin(angle)
		a, b := orb.Point{at[0] - dx, at[1] - dy}, orb.Point{at[0] + dx, at[1] + dy}
		q := route.Query{From: from, To: to, Modes: []string{"foot"}}
		free, err := g.Find(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if cross(free.Line, a, b) {
			crossed++
		}
		for _, width := range []float64{1e-5, 1e-3, 5e-3} {
			w, err := g.WithBarriers(wall(a, b, width)).Find(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			if cross(w.Line, a, b) {
				t.Errorf("the way %v crosses a wall from %v to %v, %g degrees wide", w.Line, a, b, width)
			}
		}
	}
	if crossed < 10 {
		t.Errorf("only %d walls were in the way", crossed)
	}
	fence := wall(orb.Point{110.1003, 0.3}, orb.Point{110.1003, 1.6}, 1e-5)
	if _, err := g.WithBarriers(fence).Find(context.Background(), route.Query{From: from, To: to, Modes: []string{"foot"}}); !errors.Is(err, route.ErrNoPath) {
		t.Errorf("through a fence over the whole graph: %v", err)
	}
}
