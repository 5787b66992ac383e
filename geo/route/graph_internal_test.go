package route

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// bare is an assessment of nothing, for graphs that tests draw themselves.
func bare(t testing.TB) *risk.Assessment {
	t.Helper()
	a, err := risk.Assess(context.Background(), risk.Inputs{}, risk.DefaultModel())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// drawn is a graph of nx × ny kilometres near the equator on ground drawn at
// random, with detection and two countries.
func drawn(a *risk.Assessment, seed uint64, nx, ny int) *Graph {
	r := rand.New(rand.NewPCG(seed, 0))
	o := DefaultGraphOptions()
	const deg = 1.0 / 111
	o.Box = orb.Bound{Min: orb.Point{110, 0}, Max: orb.Point{110 + float64(nx)*deg, float64(ny) * deg}}
	g := &Graph{Options: o, a: a, memory: newPool()}
	if err := g.lay(); err != nil {
		panic(err)
	}
	n := g.nx * g.ny
	g.ground, g.landing, g.country = make([]Ground, n), make([]bool, n), make([]uint8, n)
	g.section = make([]int16, n)
	g.met, g.lowF, g.highF = make([]float32, n), make([]float32, n), make([]float32, n)
	g.countries = []string{"", "ID", "MY"}
	for j := 1; j < g.ny-1; j++ {
		for i := 1; i < g.nx-1; i++ {
			k := j*g.nx + i
			g.ground[k] = Ground(r.IntN(int(grounds)))
			if r.IntN(3) > 0 && g.ground[k] == Closed {
				g.ground[k] = Open
			}
			g.country[k] = uint8(1 + 2*i/g.nx)
			g.section[k] = -1
			if r.IntN(2) == 0 {
				g.met[k] = float32(r.ExpFloat64())
			}
			g.lowF[k], g.highF[k] = g.met[k]/2, g.met[k]*2
		}
	}
	for k := range g.ground {
		g.landing[k] = g.ground[k] != Closed && g.isShore(k) && r.IntN(3) == 0
	}
	g.findGates()
	return g
}

// relaxed are the least costs from a node by Bellman and Ford's rule over edges
// priced one by one: a twin of search that shares only the price of an edge.
func relaxed(g *Graph, c *costs, from int32) []float64 {
	cost := make([]float64, len(g.ground))
	for i := range cost {
		cost[i] = math.Inf(1)
	}
	cost[from] = 0
	passable := func(k int) bool { return c.gaits[g.ground[k]].hoursPerM > 0 }
	for changed := true; changed; {
		changed = false
		for u := range g.ground {
			if math.IsInf(cost[u], 1) {
				continue
			}
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					v := u + dy*g.nx + dx
					if u == v || !passable(v) || dx != 0 && dy != 0 && !passable(u+dx) && !passable(u+dy*g.nx) {
						continue
					}
					if price, _, _, ok := g.edgeCost(c, int32(u), int32(v)); ok && cost[u]+price < cost[v]-1e-15 {
						cost[v] = cost[u] + price
						changed = true
					}
				}
			}
		}
	}
	return cost
}

// randomEnds are two nodes that modes can pass.
func randomEnds(r *rand.Rand, g *Graph, c *costs) (from, to int32) {
	pick := func() int32 {
		for {
			if k := r.IntN(len(g.ground)); c.gaits[g.ground[k]].hoursPerM > 0 {
				return int32(k)
			}
		}
	}
	return pick(), pick()
}

// Search finds the least cost, to one node by A* and to all, in every mix of modes
// and theta; and a way costs what its edges do.
func TestSearchAgainstRelaxation(t *testing.T) {
	a := bare(t)
	const seed = 21
	r := rand.New(rand.NewPCG(seed, 0))
	joined, apart := 0, 0
	for round := range 120 {
		g := drawn(a, uint64(seed+round), 9+r.IntN(8), 9+r.IntN(8))
		names := [][]string{{"foot"}, {"motorcycle"}, {"sea_boat"}, {"river_boat"}, {"foot", "sea_boat"}, {"foot", "motorcycle", "river_boat", "sea_boat"}}[r.IntN(6)]
		modes, err := pickModes(g.Options.Modes, names)
		if err != nil {
			t.Fatal(err)
		}
		theta := []float64{0, 0.5, 20, math.Inf(1)}[r.IntN(4)]
		c := g.costsOf(modes, theta, 1)
		from, to := randomEnds(r, g, c)
		want := relaxed(g, c, from)
		tr := g.takeTree()
		if found := g.search(tr, c, from, to); found != !math.IsInf(want[to], 1) || found && !near(tr.nodes[to].cost, want[to]) {
			t.Fatalf("seed %d, round %d, %v, theta %g: %g, want %g", seed, round, names, theta, tr.nodes[to].cost, want[to])
		}
		if math.IsInf(want[to], 1) {
			apart++
		} else {
			joined++
			f := &find{from: from, to: to, modes: modes, costs: c}
			w := g.describe(f, g.way(tr, to), theta)
			timeOnly := g.costsOf(modes, 0, 1)
			hours, met := 0.0, 0.0
			for i := 1; i < len(w.nodes); i++ {
				h, _, m, ok := g.edgeCost(timeOnly, w.nodes[i-1], w.nodes[i])
				if !ok {
					t.Fatal("a barred edge is passed")
				}
				hours, met = hours+h, met+m
			}
			if math.Abs(w.Hours-hours) > 1e-4*hours || !near(w.Evasion, math.Exp(-met)) {
				t.Fatalf("round %d: %g h and evasion %g, by edges %g h and %g", round, w.Hours, w.Evasion, hours, math.Exp(-met))
			}
			if !math.IsInf(theta, 1) && math.Abs(w.Cost-want[to]) > 1e-4*want[to] {
				t.Fatalf("round %d: cost %g, want %g", round, w.Cost, want[to])
			}
		}
		g.search(tr, c, from, -1)
		for k := range want {
			if math.IsInf(want[k], 1) != math.IsInf(tr.nodes[k].cost, 1) || !math.IsInf(want[k], 1) && !near(tr.nodes[k].cost, want[k]) {
				t.Fatalf("round %d, node %d: %g, want %g", round, k, tr.nodes[k].cost, want[k])
			}
		}
		g.putTree(tr)
	}
	if joined < 30 || apart < 5 {
		t.Errorf("%d pairs joined and %d apart", joined, apart)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(1e-9, math.Abs(b)) }

// The corridor is what naming every efficient way gives: passages, chance to get
// through, mean time and border shares.
func TestCorridorAgainstEnumeration(t *testing.T) {
	a := bare(t)
	const seed = 33
	r := rand.New(rand.NewPCG(seed, 0))
	checked := 0
	for round := range 60 {
		g := drawn(a, uint64(1000+round), 5, 4)
		modes, _ := pickModes(g.Options.Modes, []string{"foot", "motorcycle", "sea_boat"})
		c := g.costsOf(modes, 1, 1)
		from, to := randomEnds(r, g, c)
		o := DefaultCorridor()
		o.Spread, o.Reach, o.Least = 0.2, 1.6, 0
		q := Query{From: g.point(from), To: g.point(to), Modes: []string{"foot", "motorcycle", "sea_boat"}, Theta: 1}
		got, err := g.Corridor(context.Background(), q, o)
		if err != nil {
			continue
		}
		d1, d2 := relaxed(g, c, from), relaxed(g, c, to)
		least := d1[to]
		in := func(k int32) bool { return d1[k]+d2[k] <= least*o.Reach*(1+1e-12) }
		passages := map[[2]int32]float64{}
		total, evasion, ways := 0.0, 0.0, 0
		var walk func(nodes []int32, cost, met float64)
		walk = func(nodes []int32, cost, met float64) {
			u := nodes[len(nodes)-1]
			if u == to {
				w := math.Exp(-(cost - least) / (o.Spread * least))
				total += w
				evasion += w * math.Exp(-met)
				for i := 1; i < len(nodes); i++ {
					passages[[2]int32{nodes[i-1], nodes[i]}] += w
				}
				ways++
				return
			}
			for d, step := range g.steps() {
				v := u + int32(step)
				if c.gaits[g.ground[v]].hoursPerM == 0 || !in(v) || !(d1[v] > d1[u]) || !(d2[v] < d2[u]) {
					continue
				}
				if d >= 4 && c.gaits[g.ground[int(u)+columnStep[d]]].hoursPerM == 0 && c.gaits[g.ground[int(u)+rowStep[d]*g.nx]].hoursPerM == 0 {
					continue
				}
				if price, _, m, ok := g.edgeCost(c, u, v); ok {
					walk(append(nodes[:len(nodes):len(nodes)], v), cost+price, met+m)
				}
			}
		}
		walk([]int32{from}, 0, 0)
		if ways < 2 {
			continue
		}
		checked++
		if !near(got.Evasion, evasion/total) {
			t.Fatalf("seed %d, round %d: evasion %g over %d ways, want %g", seed, round, got.Evasion, ways, evasion/total)
		}
		if len(got.Edges) != len(passages) {
			t.Fatalf("round %d: %d edges, want %d", round, len(got.Edges), len(passages))
		}
		for _, e := range got.Edges {
			u, _ := g.nodeAt(e.From)
			v, _ := g.nodeAt(e.To)
			if want := passages[[2]int32{u, v}] / total; !near(e.Passages, want) {
				t.Fatalf("round %d: %g pass %v to %v, want %g", round, e.Passages, e.From, e.To, want)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d cases had several ways", checked)
	}
}

// A matrix entry is the best of all ways that pass the crossing.
func TestMatrixAgainstSearches(t *testing.T) {
	a := bare(t)
	const seed = 51
	r := rand.New(rand.NewPCG(seed, 0))
	entries := 0
	for round := range 30 {
		g := drawn(a, uint64(3000+round), 12, 9)
		names := []string{"foot", "sea_boat"}
		modes, _ := pickModes(g.Options.Modes, names)
		c := g.costsOf(modes, 2, 1)
		o, d := randomEnds(r, g, c)
		x, _ := randomEnds(r, g, c)
		q := MatrixQuery{Origins: []orb.Point{g.point(o)}, Destinations: []orb.Point{g.point(d)}, Crossings: []orb.Point{g.point(x)}, Modes: names, Theta: 2}
		m, err := g.Matrix(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		want := relaxed(g, c, o)[x] + relaxed(g, c, x)[d]
		if math.IsInf(want, 1) != (len(m.Entries) == 0) {
			t.Fatalf("seed %d, round %d: %d entries, cost %g", seed, round, len(m.Entries), want)
		}
		if len(m.Entries) > 0 {
			entries++
			if e := m.Entries[0]; !near(e.Cost, want) || math.Abs(e.Cost-e.Hours+2*math.Log(e.Evasion)) > 1e-4*want {
				t.Fatalf("round %d: %+v, want the cost %g", round, e, want)
			}
		}
		// By sections: all in one here, and entering the goal's country.
		if g.country[o] == g.country[d] {
			continue
		}
		q.Crossings = nil
		m, err = g.Matrix(context.Background(), q)
		if err != nil || len(m.Entries) == 0 {
			continue
		}
		if e, want := m.Entries[0], relaxed(g, c, o)[d]; !near(e.Cost, want) {
			t.Fatalf("round %d: over the border at the cost %g, least is %g", round, e.Cost, want)
		}
	}
	if entries < 8 {
		t.Errorf("only %d entries", entries)
	}
}

// With a stretch a matrix has the entries that are not dearer, and only those.
func TestMatrixStretch(t *testing.T) {
	a := bare(t)
	const seed = 61
	r := rand.New(rand.NewPCG(seed, 0))
	kept, left := 0, 0
	for round := range 40 {
		g := drawn(a, uint64(4000+round), 14, 12)
		names := []string{"foot", "sea_boat"}
		modes, _ := pickModes(g.Options.Modes, names)
		c := g.costsOf(modes, 2, 1)
		q := MatrixQuery{Modes: names, Theta: 2}
		for range 6 {
			x, y := randomEnds(r, g, c)
			q.Crossings = append(q.Crossings, g.point(x))
			if len(q.Origins) < 2 {
				q.Origins, q.Destinations = append(q.Origins, g.point(x)), append(q.Destinations, g.point(y))
			}
		}
		all, err := g.Matrix(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		q.Stretch = 1.3
		some, err := g.Matrix(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		var want []Entry
		for _, pair := range all.byPair() {
			least := math.Inf(1)
			for _, e := range pair {
				least = min(least, e.Cost)
			}
			for _, e := range pair {
				if e.Cost <= least*1.3 {
					want = append(want, e)
				} else {
					left++
				}
			}
		}
		kept += len(want)
		if len(some.Entries) != len(want) {
			t.Fatalf("seed %d, round %d: %d entries, want %d", seed, round, len(some.Entries), len(want))
		}
		for i, e := range some.Entries {
			if e.Crossing != want[i].Crossing || !near(e.Cost, want[i].Cost) {
				t.Fatalf("round %d: %+v, want %+v", round, e, want[i])
			}
		}
	}
	if kept < 30 || left < 30 {
		t.Errorf("%d entries kept, %d left out", kept, left)
	}
}

// Segments are the squares that ways pass, and protecting one that all pass lets
// nobody through.
func TestSegmentInterdiction(t *testing.T) {
	g := drawn(bare(t), 1, 40, 30)
	for k := range g.ground {
		if g.ground[k] != Closed || g.inside(k) {
			g.ground[k] = Open
		}
	}
	for j := 1; j < g.ny-1; j++ { // a wall with one gate
		g.ground[j*g.nx+20] = Closed
	}
	gateAt := 12*g.nx + 20
	g.ground[gateAt] = Open
	alt, err := g.Alternatives(context.Background(), Query{From: g.point(int32(5*g.nx + 5)), To: g.point(int32(20*g.nx + 35)), Modes: []string{"foot"}}, DefaultAlternatives())
	if err != nil {
		t.Fatal(err)
	}
	p, segments, err := g.SegmentInterdiction([]*Alternatives{alt}, 3000, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Solve(1)
	if err != nil || got.After != 0 || len(segments) < 10 {
		t.Fatalf("%+v, %v, %d segments", got, err, len(segments))
	}
	gateIn := false
	for e := range segments {
		if segments[e].Box.Contains(g.point(int32(gateAt))) && p.Evasion([]int{e}) == 0 {
			gateIn = true
		}
	}
	if !gateIn {
		t.Error("the gate in the wall is in no segment that stops all")
	}
	c, err := g.Corridor(context.Background(), Query{From: g.point(int32(5*g.nx + 5)), To: g.point(int32(20*g.nx + 35)), Modes: []string{"foot"}}, DefaultCorridor())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Pinch) == 0 || c.Pinch[0].Passages < 1-1e-9 {
		t.Errorf("pinch points %+v", c.Pinch)
	}
}

func (g *Graph) inside(k int) bool {
	return k%g.nx > 0 && k%g.nx < g.nx-1 && k/g.nx > 0 && k/g.nx < g.ny-1
}

// Alternatives have no loops, differ, cost no more than is allowed, and the first
// is the best.
func TestAlternatives(t *testing.T) {
	a := bare(t)
	const seed = 71
	r := rand.New(rand.NewPCG(seed, 0))
	several := 0
	for round := range 25 {
		g := drawn(a, uint64(5000+round), 60, 50)
		modes, _ := pickModes(g.Options.Modes, []string{"foot", "sea_boat"})
		c := g.costsOf(modes, 5, 1)
		from, to := randomEnds(r, g, c)
		o := DefaultAlternatives()
		q := Query{From: g.point(from), To: g.point(to), Modes: []string{"foot", "sea_boat"}, Theta: 5}
		alt, err := g.Alternatives(context.Background(), q, o)
		if err != nil {
			continue
		}
		best, err := g.Find(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(alt.Ways[0].Cost-best.Cost) > 1e-6*best.Cost {
			t.Fatalf("seed %d, round %d: the first costs %g, the best %g", seed, round, alt.Ways[0].Cost, best.Cost)
		}
		sum := 0.0
		kept := &keptWays{g: g, near: make([]bool, len(g.ground))}
		for i, w := range alt.Ways {
			sum += w.P
			seen := map[int32]bool{}
			for _, n := range w.nodes {
				if seen[n] {
					t.Fatalf("round %d: way %d passes a node twice", round, i)
				}
				seen[n] = true
			}
			if w.nodes[0] != from || w.nodes[len(w.nodes)-1] != to || w.Cost > best.Cost*o.Stretch*(1+1e-4) {
				t.Fatalf("round %d: way %d costs %g, best %g", round, i, w.Cost, best.Cost)
			}
			if i > 0 && kept.share(w.nodes) > o.Shared {
				t.Fatalf("round %d: way %d shares %g", round, i, kept.share(w.nodes))
			}
			kept.keep(w.nodes, o.ApartM)
		}
		if !near(sum, 1) || alt.Evasion < 0 || alt.Evasion > 1 {
			t.Fatalf("round %d: chances add up to %g", round, sum)
		}
		if len(alt.Ways) > 1 {
			several++
		}
	}
	if several < 5 {
		t.Errorf("only %d cases had alternatives", several)
	}
}

// The lengths of edges are those of geodesics.
func TestEdgeLengths(t *testing.T) {
	g := drawn(bare(t), 1, 20, 400)
	for _, u := range []int{g.nx + 1, 100*g.nx + 7, 399*g.nx + 7} {
		for _, step := range g.steps() {
			v := u + step
			want := geo.DistanceM(g.point(int32(u)), g.point(int32(v)))
			if got := g.edgeM(int32(u), int32(v)); math.Abs(got-want) > 1e-5*want {
				t.Errorf("edge %d to %d: %g m, want %g", u, v, got, want)
			}
		}
	}
}
