package route

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// AlternativeOptions say how ways must differ.
type AlternativeOptions struct {
	K int // how many at most, the best included
	// Stretch is how many times the least cost one may cost.
	Stretch float64
	// Shared is the share of an alternative's length that may lie within ApartM
	// of those before it.
	Shared float64
	ApartM float64
	// Spread is how much dearer, as a share of the least cost, a way is that is
	// chosen e times less often.
	Spread float64
}

// DefaultAlternatives are five ways of which each is new on half its length.
func DefaultAlternatives() AlternativeOptions {
	return AlternativeOptions{K: 5, Stretch: 1.5, Shared: 0.5, ApartM: 3000, Spread: 0.1}
}

func (o AlternativeOptions) validate() error {
	for _, c := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"k", float64(o.K), 1, 50},
		{"stretch", o.Stretch, 1, 5},
		{"shared", o.Shared, 0, 1},
		{"apart_m", o.ApartM, 0, 100_000},
		{"spread", o.Spread, 1e-6, 10},
	} {
		if !(c.v >= c.lo && c.v <= c.hi) {
			return fmt.Errorf("%s is %g: use %g to %g", c.name, c.v, c.lo, c.hi)
		}
	}
	return nil
}

// Alternative is one of several ways with how often it is chosen.
type Alternative struct {
	Way
	// P is the chance that it is chosen among them, e^(-cost/η) over their sum with
	// η = Spread times the least cost (logit choice).
	P float64 `json:"p"`
}

// Alternatives are ways that differ, the least cost first.
type Alternatives struct {
	Ways []Alternative `json:"ways"`
	// Evasion is the chance to get through, over the choice of way.
	Evasion float64 `json:"evasion"`
}

// Alternatives returns up to K ways without loops, that differ meaningfully.
// Each is the least cost by way of some place: for places in the order of that
// cost, one is kept when no more than Shared of its length is near the ways kept
// before. Errors as Find.
//
// Source: I. Abraham et al., Alternative routes in road networks (2010), the
// single via node; ways of Yen's algorithm would differ in a node or two here.
// Cost: two searches, and some ten thousand nodes for each place tried.
func (g *Graph) Alternatives(ctx context.Context, q Query, o AlternativeOptions) (*Alternatives, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("find alternatives: %w", err)
	}
	f, err := g.prepare(q)
	if err != nil {
		return nil, err
	}
	two, err := g.bothTrees(ctx, f, o.Stretch)
	if err != nil {
		return nil, err
	}
	defer two.release()
	kept := &keptWays{g: g, near: make([]bool, len(g.ground)), stamp: make([]int32, len(g.ground))}
	out := &Alternatives{}
	for i, via := range two.vias(o.Stretch) {
		if i > mostVias || len(out.Ways) == o.K || ctx.Err() != nil {
			break
		}
		nodes, simple := two.by(via.node, kept)
		if !simple || len(out.Ways) > 0 && kept.share(nodes) > o.Shared {
			continue
		}
		kept.keep(nodes, o.ApartM)
		w := g.describe(f, nodes, q.Theta)
		cost := via.cost
		if f.departs != nil { // by the hours of this way
			cost = w.Cost
		}
		out.Ways = append(out.Ways, Alternative{Way: *w, P: cost})
	}
	slices.SortStableFunc(out.Ways, func(x, y Alternative) int { return cmp.Compare(x.P, y.P) })
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find alternatives: %w", err)
	}
	out.choose(o.Spread)
	return out, nil
}

// mostVias bounds how many places are tried.
const mostVias = 4096

// choose turns the costs, kept in P, into chances.
func (a *Alternatives) choose(spread float64) {
	least, sum := a.Ways[0].P, 0.0
	for i := range a.Ways {
		w := &a.Ways[i]
		w.P = math.Exp(-(w.P - least) / (spread * max(least, 1e-300)))
		sum += w.P
	}
	for i := range a.Ways {
		a.Ways[i].P /= sum
		a.Evasion += a.Ways[i].P * a.Ways[i].Evasion
	}
}

// trees are the least costs from both ends.
type trees struct {
	g        *Graph
	f        *find
	from, to *tree
}

// bothTrees searches from both ends, as far as stretch times the least cost.
func (g *Graph) bothTrees(ctx context.Context, f *find, stretch float64) (*trees, error) {
	two := &trees{g: g, f: f, from: g.takeTree(), to: g.takeTree()}
	var wg sync.WaitGroup
	reached := false
	wg.Go(func() { reached = g.grow(two.from, f.costs, f.from, goal{[]int32{f.to}, stretch}) })
	wg.Go(func() { g.grow(two.to, f.costs, f.to, goal{[]int32{f.from}, stretch}) })
	wg.Wait()
	err := ctx.Err()
	if err == nil && !reached {
		err = g.whyNot(f)
	}
	if err != nil {
		two.release()
		return nil, err
	}
	return two, nil
}

func (t *trees) release() {
	t.g.putTree(t.from)
	t.g.putTree(t.to)
}

func (t *trees) least() float64 { return t.from.nodes[t.f.to].cost }

// sum is the cost of the best way by a node; +Inf where the searches did not come.
func (t *trees) sum(node int) float64 {
	a, b := &t.from.nodes[node], &t.to.nodes[node]
	if !a.done || !b.done {
		return math.Inf(1)
	}
	return a.cost + b.cost
}

type via struct {
	node int32
	cost float64
}

func compareVias(x, y via) int {
	switch {
	case x.cost < y.cost:
		return -1
	case x.cost > y.cost:
		return 1
	}
	return cmp.Compare(x.node, y.node)
}

// vias are the best node of each square of nodes, the least cost first; the first
// is on the best way.
func (t *trees) vias(stretch float64) []via {
	g := t.g
	side := max(4, int(math.Sqrt(float64(len(g.ground))/16_384)))
	across := g.nx/side + 1
	best := make([]via, across*(g.ny/side+1))
	for i := range best {
		best[i].cost = math.Inf(1)
	}
	limit := t.least() * stretch
	for node := range g.ground {
		sum := t.sum(node)
		if b := &best[node/g.nx/side*across+node%g.nx/side]; sum <= limit && sum < b.cost {
			*b = via{int32(node), sum}
		}
	}
	best = slices.DeleteFunc(best, func(v via) bool { return math.IsInf(v.cost, 1) })
	slices.SortFunc(best, compareVias)
	return slices.Insert(best, 0, via{t.f.to, t.least()})
}

// by is the way by a node; simple is false when it passes a node twice.
func (t *trees) by(node int32, kept *keptWays) (nodes []int32, simple bool) {
	nodes = t.g.way(t.from, node)
	back := t.g.way(t.to, node)
	slices.Reverse(back)
	nodes = append(nodes, back[1:]...)
	kept.round++
	for _, n := range nodes {
		if kept.stamp[n] == kept.round {
			return nodes, false
		}
		kept.stamp[n] = kept.round
	}
	return nodes, true
}

// keptWays knows what is near the ways that were kept.
type keptWays struct {
	g     *Graph
	near  []bool
	stamp []int32
	round int32
}

func (k *keptWays) share(nodes []int32) float64 {
	near := 0
	for _, n := range nodes {
		if k.near[n] {
			near++
		}
	}
	return float64(near) / float64(len(nodes))
}

func (k *keptWays) keep(nodes []int32, apartM float64) {
	for i, n := range nodes {
		k.near[n] = true
		if i%2 == 0 {
			k.g.around(k.g.point(n), apartM, func(node int32, _ float64) { k.near[node] = true })
		}
	}
}
