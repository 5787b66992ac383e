package data

import (
	"math/rand/v2"
	"testing"
)

// The set does what a map does.
func TestSeen(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var s seen
	want := map[uint64]bool{}
	for range 20_000 {
		h := rng.Uint64N(5000) << (rng.Uint64N(2) * 40)
		if h == 0 { // an empty place
			continue
		}
		if rng.IntN(4) == 0 {
			s.recall(h)
			want[h] = true
			continue
		}
		stored, met := want[h]
		if m, st := s.meet(h); m != met || st != stored {
			t.Fatalf("%d: %v %v, expected %v %v", h, m, st, met, stored)
		}
		want[h] = stored
	}
	if s.n != len(want) {
		t.Errorf("%d of %d", s.n, len(want))
	}
}
