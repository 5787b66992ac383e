package tiles

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// star is a ring of n vertices (n odd) that joins each of n places on an
// ellipse to the one nearly opposite, so that nearly all segments cross.
func star(n int) orb.Ring {
	ring := make(orb.Ring, 0, n+1)
	for k := range n {
		at := 2 * math.Pi * float64(k) * float64(n/2) / float64(n)
		ring = append(ring, orb.Point{110 + 5*math.Cos(at), 2 + 4.5*math.Sin(at)})
	}
	return append(ring, ring[0])
}

func starVertices(n int) []vertex {
	var out []vertex
	for _, p := range star(n)[:n] {
		out = append(out, vertex{int32((p[0] - 105) * 400), int32((p[1] + 3) * 400)})
	}
	return out
}

// A ring that crosses itself all over is left as it is, for a bounded number
// of comparisons.
func TestUncrossGivesUpOnAStar(t *testing.T) {
	for _, n := range []int{301, 100_001} {
		ring := starVertices(n)
		before := slices.Clone(ring)
		var u uncrosser
		u.uncross(ring)
		if !slices.Equal(ring, before) {
			t.Errorf("n = %d: the ring was changed", n)
		}
		if most := uncrossFew + n/2 + 1; len(u.found) > most {
			t.Errorf("n = %d: %d crossings were kept, want at most %d", n, len(u.found), most)
		}
		if spent := uncrossAllTests*n - u.left; spent > uncrossTests*n {
			t.Errorf("n = %d: %d comparisons were spent, want at most %d", n, spent, uncrossTests*n)
		}
	}
}

// The combs of long teeth cost comparisons and have no crossing.
func TestUncrossOfAComb(t *testing.T) {
	const teeth = 20_000
	var ring []vertex
	for i := range int32(teeth) {
		ring = append(ring, vertex{0, 2 * i}, vertex{4096, 2*i + 1})
	}
	ring = append(ring, vertex{-1, 2 * teeth}, vertex{-1, 0})
	var u uncrosser
	u.uncross(ring)
	if spent := uncrossAllTests*len(ring) - u.left; spent > uncrossTests*len(ring) {
		t.Errorf("%d comparisons were spent", spent)
	}
}

func TestTileEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := EncodeMVT(ctx, geometries(orb.Polygon{star(301)}), Tile{}, MVTOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

func BenchmarkTileOfAStar(b *testing.B) {
	v := NewVector(geometries(orb.Polygon{star(100_001)}))
	for b.Loop() {
		if _, _, err := v.Tile(b.Context(), Tile{5, 25, 15}, MVTOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
