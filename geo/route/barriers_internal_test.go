package route

import (
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// On six by five nodes a cell apart, node 1, 1 being at 0.5, 0.5: a fence closes the
// nodes of which it crosses half an edge, and one along the sides of cells none.
func TestFenceByHand(t *testing.T) {
	for name, c := range map[string]struct {
		ring orb.Ring
		want [][2]int
	}{
		"upright":         {orb.Ring{{1.6, 0.2}, {1.6, 2.1}}, [][2]int{{2, 1}, {2, 2}}},
		"over a corner":   {orb.Ring{{0.9, 1.3}, {1.3, 0.9}}, [][2]int{{2, 2}}},
		"between edges":   {orb.Ring{{1.55, 1.6}, {1.7, 1.9}}, nil},
		"along cells":     {orb.Ring{{1, 1}, {3, 1}, {3, 2}, {1, 2}, {1, 1}}, nil},
		"far away":        {orb.Ring{{-1e9, 40}, {1e9, 40}}, nil},
		"on a node":       {orb.Ring{{2.5, 1.5}, {2.5, 1.5}}, [][2]int{{3, 2}}},
		"through the box": {orb.Ring{{-9, 2.4}, {9, 2.4}}, [][2]int{{1, 3}, {2, 3}, {3, 3}, {4, 3}}},
	} {
		g := &Graph{nx: 6, ny: 5, dLon: 1, dLat: 1, ground: make([]Ground, 30)}
		for i := range g.ground {
			g.ground[i] = Open
		}
		g.fence(c.ring)
		var got [][2]int
		for node, ground := range g.ground {
			if ground == Closed {
				got = append(got, [2]int{node % g.nx, node / g.nx})
			}
		}
		slices.SortFunc(got, func(a, b [2]int) int { return (a[0]-b[0])*10 + a[1] - b[1] })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: closes %v, want %v", name, got, c.want)
		}
	}
}
