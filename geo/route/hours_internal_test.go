package route

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// monday is an hour of a Monday, UTC.
func monday(hour float64) time.Time {
	return time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour * float64(time.Hour)))
}

// dayAndNight are two sections: one patrolled twice as often as in the mean from
// 0 to 12 h UTC and never else, one the other way round.
func dayAndNight() []*sectionWeek {
	out := []*sectionWeek{{}, {}}
	for h := range weekH {
		out[h/12%2].factor[h] = 2
	}
	return out
}

// twoGaps is open ground with a block that leaves a lane of one node in the south
// and one in the north; the middle of the southern is in the first section, that of
// the northern in the second, and both are swept twice an hour in the mean.
func twoGaps(t testing.TB) (g *Graph, from, to, southern, northern int32) {
	g = drawn(bare(t), 1, 7, 3)
	for k := range g.ground {
		if g.inside(k) {
			g.ground[k] = Open
		}
		g.met[k], g.lowF[k], g.highF[k], g.section[k] = 0, 0, 0, -1
	}
	node := func(x, y int) int32 { return int32(y*g.nx + x) }
	for x := 3; x <= 5; x++ {
		g.ground[node(x, 2)] = Closed
	}
	southern, northern = node(4, 1), node(4, 3)
	for s, k := range []int32{southern, northern} {
		g.met[k], g.lowF[k], g.highF[k], g.section[k] = 2, 1, 4, int16(s)
	}
	g.weeks = dayAndNight()
	return g, node(2, 2), node(6, 2), southern, northern
}

// The two gaps are as far. At 3 h the first section is patrolled, so the way goes
// by the north, and at 15 h by the south, where nobody meets it. A gap is a
// kilometre at 3 km/h with 2 sweeps an hour, so at no hour in particular p is
// 1 - e^(-2/3). Who starts at 11:30 is at the gap after a slanting and a straight
// kilometre, at 12:18, when the south is free, and who starts at 11:00 comes there at
// 11:48.
func TestWayByHourByHand(t *testing.T) {
	g, from, to, southern, northern := twoGaps(t)
	q := Query{From: g.point(from), To: g.point(to), Modes: []string{"foot"}, Theta: 100}
	km := g.edgeM(southern, southern+1)
	anyHour := 1 - math.Exp(-2*km/3000)
	for _, c := range []struct {
		hour float64
		by   int32
	}{{3, northern}, {15, southern}, {11.5, southern}, {11, northern}, {23.5, northern}, {6*24 + 23.5, northern}} {
		q.Depart = monday(c.hour)
		for _, theta := range []float64{100, math.Inf(1)} {
			q.Theta = theta
			w, err := g.Find(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			passes := map[int32]bool{}
			for _, n := range w.nodes {
				passes[n] = true
			}
			if !passes[c.by] || w.PDetected.Mean != 0 || w.Evasion != 1 || !near(*w.AnyHour, anyHour) || !w.HourMatters || !w.Depart.Equal(q.Depart) {
				t.Errorf("at %g h, theta %g: %+v, want it by node %d and %g at any hour", c.hour, theta, w, c.by, anyHour)
			}
		}
	}
	q.Theta, q.Depart = 100, time.Time{}
	w, err := g.Find(context.Background(), q)
	if err != nil || !near(w.PDetected.Mean, anyHour) || w.AnyHour != nil || !w.HourMatters {
		t.Errorf("at no hour: %+v, %v; want %g", w, err, anyHour)
	}
	// Both gaps patrolled by day: the chance by hand is twice the mean's rate.
	g.weeks[1] = g.weeks[0]
	q.Depart = monday(3)
	w, err = g.Find(context.Background(), q)
	if want := 1 - math.Exp(-2*2*km/3000); err != nil || !near(w.PDetected.Mean, want) || !near(w.PDetected.High, 1-math.Exp(-2*4*km/3000)) {
		t.Errorf("patrolled: %+v, %v; want %g", w, err, want)
	}
	// The first alternative is the way, and the corridor sends nearly all that way.
	g.weeks = dayAndNight()
	alt, err := g.Alternatives(context.Background(), q, DefaultAlternatives())
	if err != nil || alt.Ways[0].Evasion != 1 || *alt.Ways[0].Depart != q.Depart {
		t.Errorf("%+v, %v", alt, err)
	}
	c, err := g.Corridor(context.Background(), q, DefaultCorridor())
	if err != nil || c.Evasion < 0.999 {
		t.Errorf("%+v, %v", c, err)
	}
	// Even weeks, or none: the hour changes nothing.
	g.weeks[0], g.weeks[1] = &sectionWeek{even: true}, &sectionWeek{even: true}
	if w, err = g.Find(context.Background(), q); err != nil || !near(w.PDetected.Mean, anyHour) || !near(*w.AnyHour, anyHour) || w.HourMatters {
		t.Errorf("even: %+v, %v", w, err)
	}
}

// pricedByHour is the cost of a way whose traveller starts at an hour, by its own
// clock.
func pricedByHour(g *Graph, c *costs, nodes []int32, theta, hour float64) float64 {
	hours, met := 0.0, 0.0
	for i := 1; i < len(nodes); i++ {
		u, v := nodes[i-1], nodes[i]
		changed := c.mixed && c.on[u] != c.on[v] && g.change(c, int(u), int(v)) > 0
		hu, hv := g.edgeHours(c, u, v, g.edgeM(u, v)/2, changed)
		met += hu * float64(g.met[u]) * g.factor(u, hour+hours)
		hours += hu + hv
		met += hv * float64(g.met[v]) * g.factor(v, hour+hours)
	}
	return hours + theta*met
}

// Against naming every way on small ground: what is found costs what it is said to,
// no less than the best, no more than the way that ignores the hour, and mostly the least.
func TestWayByHourAgainstEnumeration(t *testing.T) {
	a := bare(t)
	const seed = 81
	r := rand.New(rand.NewPCG(seed, 0))
	checked, best, gap, ignoring := 0, 0, 0.0, 0.0
	for round := range 150 {
		g := drawn(a, uint64(7000+round), 5, 4)
		g.weeks = make([]*sectionWeek, 3)
		for s := range g.weeks {
			w := &sectionWeek{}
			for h := range w.factor { // changes every three hours
				w.factor[h] = 2 * rand.New(rand.NewPCG(uint64(round*3+s), uint64(h/3))).Float64()
			}
			g.weeks[s] = w
		}
		for k := range g.section {
			g.section[k] = int16(r.IntN(4) - 1)
		}
		names := []string{"foot", "sea_boat"}
		modes, _ := pickModes(g.Options.Modes, names)
		c := g.costsOf(modes, 0, 1)
		from, to := randomEnds(r, g, c)
		const theta = 5.0
		q := Query{From: g.point(from), To: g.point(to), Modes: names, Theta: theta, Depart: monday(float64(r.IntN(168)))}
		got, err := g.Find(context.Background(), q)
		if err != nil || len(got.nodes) < 3 {
			continue
		}
		hour := hourOfWeek(q.Depart)
		if want := pricedByHour(g, c, got.nodes, theta, hour); !near(got.Cost, want) {
			t.Fatalf("seed %d, round %d: cost %g, by its own clock %g", seed, round, got.Cost, want)
		}
		least := math.Inf(1)
		seen := make([]bool, len(g.ground))
		var walk func(nodes []int32)
		walk = func(nodes []int32) {
			u := nodes[len(nodes)-1]
			if cost := pricedByHour(g, c, nodes, theta, hour); u == to || cost >= least {
				least = min(least, cost)
				return
			}
			seen[u] = true
			for d, step := range g.steps() {
				v := u + int32(step)
				barred := func(k int) bool { return c.gaits[g.ground[k]].hoursPerM == 0 }
				if seen[v] || barred(int(v)) || d >= 4 && barred(int(u)+columnStep[d]) && barred(int(u)+rowStep[d]*g.nx) {
					continue
				}
				if _, _, _, ok := g.edgeCost(c, u, v); ok {
					walk(append(nodes[:len(nodes):len(nodes)], v))
				}
			}
			seen[u] = false
		}
		walk([]int32{from})
		q.Depart = time.Time{}
		mean, err := g.Find(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		blind := pricedByHour(g, c, mean.nodes, theta, hour)
		if got.Cost < least*(1-1e-6) || got.Cost > blind*(1+1e-6) {
			t.Fatalf("round %d: cost %g, least %g, ignoring the hour %g", round, got.Cost, least, blind)
		}
		checked++
		if near(got.Cost, least) {
			best++
		}
		gap, ignoring = gap+got.Cost/least-1, ignoring+blind/least-1
	}
	t.Logf("%d of %d ways are the best; they cost %.2f %% more on average, ways that ignore the hour %.2f %%", best, checked, 100*gap/float64(checked), 100*ignoring/float64(checked))
	if checked < 60 || float64(best) < 0.8*float64(checked) || gap > ignoring/4 {
		t.Errorf("%d of %d are the best", best, checked)
	}
}
