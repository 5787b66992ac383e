package route

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

// A wall with two gaps, one behind each other in the same lane: the least cut is a
// square for each lane, every way passes it, and who passes where adds up.
func TestMinCutByHand(t *testing.T) {
	g := drawn(bare(t), 1, 40, 30)
	for k := range g.ground {
		if g.inside(k) {
			g.ground[k] = Open
		}
		g.met[k] = 0
	}
	for j := 1; j < g.ny-1; j++ {
		if j != 10 && j != 20 {
			g.ground[j*g.nx+20] = Closed
		}
	}
	q := Query{From: g.point(int32(15*g.nx + 5)), To: g.point(int32(15*g.nx + 35)), Modes: []string{"foot"}}
	o := DefaultCorridor()
	o.PinchM, o.Reach = 1000, 1.5
	c, err := g.Corridor(context.Background(), q, o)
	if err != nil {
		t.Fatal(err)
	}
	cut := c.MinCut
	if len(cut.Squares) != 2 || cut.SideM != 1000 || cut.Reach != 1.5 {
		t.Fatalf("%+v", cut)
	}
	passages, share := 0.0, 0.0
	for _, s := range cut.Squares {
		passages, share = passages+s.Passages, share+s.EvasionShare
	}
	if !near(passages, 1) || !near(share, 1) {
		t.Errorf("%g pass the cut, %g of those who get through", passages, share)
	}
	// A patrol at the northern gap that meets nearly all: who gets through passes
	// the southern one.
	g.met[20*g.nx+20] = 30
	if c, err = g.Corridor(context.Background(), q, o); err != nil {
		t.Fatal(err)
	}
	for _, s := range c.MinCut.Squares {
		northern := s.At[1] > g.point(int32(15 * g.nx))[1]
		if northern && s.EvasionShare > 0.001 || !northern && s.EvasionShare < 0.999 || math.Abs(s.Passages-0.5) > 0.01 {
			t.Errorf("%+v", s)
		}
	}
	// One gap is too far round for a tighter limit.
	g.met[20*g.nx+20] = 0
	q.From = g.point(int32(10*g.nx + 5))
	q.To = g.point(int32(10*g.nx + 35))
	o.Reach = 1.05
	if c, err = g.Corridor(context.Background(), q, o); err != nil || len(c.MinCut.Squares) != 1 || !near(c.MinCut.Squares[0].Passages, 1) {
		t.Errorf("%+v, %v", c.MinCut, err)
	}
	// Two starts and two goals: both gaps again.
	both, err := g.MinCut(context.Background(), []orb.Point{q.From, g.point(int32(20*g.nx + 5))}, []orb.Point{q.To, g.point(int32(20*g.nx + 35))}, q, o)
	if err != nil || len(both.Squares) != 2 || !near(both.Squares[0].Passages+both.Squares[1].Passages, 1) {
		t.Errorf("%+v, %v", both, err)
	}
	// An end that cannot be used leaves the others; with none there is no answer.
	if both, err = g.MinCut(context.Background(), []orb.Point{q.From, {1, 1}}, []orb.Point{q.To}, q, o); err != nil || both.Pairs != 1 || len(both.Squares) != 1 {
		t.Errorf("%+v, %v", both, err)
	}
	if _, err = g.MinCut(context.Background(), []orb.Point{{1, 1}}, []orb.Point{q.To}, q, o); !errors.Is(err, ErrEnds) {
		t.Errorf("%v", err)
	}
	// Ends that are near have none.
	o.PinchM = 20_000
	if c, err = g.Corridor(context.Background(), q, o); err != nil || len(c.MinCut.Squares) != 0 || c.MinCut.Why != cutNot {
		t.Errorf("%+v, %v", c.MinCut, err)
	}
	if _, err = g.MinCut(context.Background(), nil, []orb.Point{q.To}, q, o); err == nil {
		t.Error("no start is taken")
	}
}

// Against trying every choice of nodes: the cut is the least of the ground within
// reach, and no way over it passes by, on larger squares neither.
func TestMinCutAgainstEnumeration(t *testing.T) {
	a := bare(t)
	const seed = 91
	r := rand.New(rand.NewPCG(seed, 0))
	sizes, large := map[int]int{}, 0
	for round := range 200 {
		g := drawn(a, uint64(9000+round), 6, 5)
		names := []string{"foot", "motorcycle", "sea_boat"}
		modes, _ := pickModes(g.Options.Modes, names)
		c := g.costsOf(modes, 1, 1)
		from, to := randomEnds(r, g, c)
		o := DefaultCorridor()
		o.PinchM, o.Reach = 1000, 1+0.5*r.Float64()
		got, err := g.Corridor(context.Background(), Query{From: g.point(from), To: g.point(to), Modes: names, Theta: 1}, o)
		if err != nil {
			continue
		}
		d1, d2 := relaxed(g, c, from), relaxed(g, c, to)
		limit := d1[to] * o.Reach * (1 + 1e-9)
		next := map[int32][]int32{}
		var may []int32 // be cut
		for u := range g.ground {
			if d1[u]+d2[u] > limit {
				continue
			}
			if d1[u] >= d1[to]/10 && d2[u] >= d1[to]/10 {
				may = append(may, int32(u))
			}
			for d, step := range g.steps() {
				v := u + step
				barred := func(k int) bool { return c.gaits[g.ground[k]].hoursPerM == 0 }
				if barred(v) || d >= 4 && barred(u+columnStep[d]) && barred(u+rowStep[d]*g.nx) {
					continue
				}
				if price, _, _, ok := g.edgeCost(c, int32(u), int32(v)); ok && d1[u]+price+d2[v] <= limit {
					next[int32(u)] = append(next[int32(u)], int32(v))
				}
			}
		}
		parted := func(cut []int32) bool {
			seen, queue := map[int32]bool{from: true}, []int32{from}
			for len(queue) > 0 {
				u := queue[0]
				queue = queue[1:]
				for _, v := range next[u] {
					if !seen[v] && !slices.Contains(cut, v) {
						seen[v], queue = true, append(queue, v)
					}
				}
			}
			return !seen[to]
		}
		least := -1
		for k := 0; k <= 3 && least < 0; k++ {
			var try func(start int, cut []int32)
			try = func(start int, cut []int32) {
				if least >= 0 || len(cut) == k {
					if least < 0 && parted(cut) {
						least = k
					}
					return
				}
				for i := start; i < len(may); i++ {
					try(i+1, append(cut[:len(cut):len(cut)], may[i]))
				}
			}
			try(0, nil)
		}
		var cut []int32
		for _, s := range got.MinCut.Squares {
			node, _ := g.nodeAt(s.At)
			cut = append(cut, node)
		}
		switch {
		case least >= 0 && len(cut) != least, least < 0 && len(cut) > 0 && len(cut) <= 3:
			t.Fatalf("seed %d, round %d: %d nodes, want %d", seed, round, len(cut), least)
		case len(cut) > 0 && !parted(cut):
			t.Fatalf("seed %d, round %d: a way passes by %v", seed, round, cut)
		case len(cut) == 0 && parted(may):
			t.Fatalf("seed %d, round %d: no cut is found, and there is one", seed, round)
		}
		sizes[len(cut)]++
		o.PinchM = 2000
		got, err = g.Corridor(context.Background(), Query{From: g.point(from), To: g.point(to), Modes: names, Theta: 1}, o)
		if err != nil {
			t.Fatal(err)
		}
		cut = nil
		for _, s := range got.MinCut.Squares {
			for u := range next {
				if s.Box.Contains(g.point(u)) {
					cut = append(cut, u)
				}
			}
		}
		if len(cut) > 0 {
			large++
			if !parted(cut) {
				t.Fatalf("seed %d, round %d: a way passes by the squares around %v", seed, round, cut)
			}
		}
	}
	t.Logf("cuts by size: %v, %d of larger squares", sizes, large)
	if sizes[1] < 10 || sizes[2] < 10 || sizes[0] < 3 || large < 20 {
		t.Errorf("cuts by size: %v", sizes)
	}
}
