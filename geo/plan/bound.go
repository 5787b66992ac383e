package plan

import (
	"context"
	"math"
	"slices"
)

// Bounds are numbers that no plan of the same units can meet more incidents than.
// Marginal and Lagrangian hold for plans of the sorties that were tried: every beat at
// every hour in the lengths tried, and the routes that were found. AnyRoute and
// Continuous hold for all other routes over the beats, too.
type Bounds struct {
	// Marginal is what the plan meets and, for each unit, the best schedule by
	// what its sorties would each add to the plan.
	Marginal float64 `json:"marginal"`
	// Lagrangian is the least of the bounds of dual over reference exposures.
	Lagrangian float64 `json:"lagrangian"`
	// Continuous is the water-filling of all that the units can sweep, as if they
	// could be anywhere at once.
	Continuous float64 `json:"continuous"`
	// AnyRoute is the relaxation in which a unit is on the best beat at any moment, the
	// way between beats taking no time; at most Continuous.
	AnyRoute float64 `json:"any_route"`
}

// Least is the bound on plans of the sorties that were tried.
func (b Bounds) Least() float64 { return min(b.Marginal, b.Lagrangian, b.AnyRoute) }

// reference is what an upper bound is built on. Incidents p at a piece and hour,
// met by sorties with exposures e₁, e₂ …, are bounded by a part that does not
// depend on the sorties and a sum over them:
//
//	p(1-e^(-Σe)) ≤ fixed + Σ value(e)
type reference struct {
	exposure []float64 // y, by piece and hour
	marginal bool
	premium  float64 // per hour on duty of sorties that explore
}

// fixed and value are the two parts of the bound, for p = 1.
//
// With marginal, they are those of a monotone submodular function: 1-e^(-y) and
// e^(-y)(1-e^(-e)): whatever is met with y besides is met too, and with it each
// sortie adds no more than alone on top of y.
//
// Else value is the least concave function through 0 for which fixed + value(y)
// stays above 1-e^(-y) for all y: the tangent from 0 up to the reference y, and the
// curve less fixed from there on,
//
//	fixed = 1-e^(-y)(1+y),  value(e) = e^(-y)·e for e ≤ y, else 1-e^(-e) - fixed.
//
// Concave with value(0) = 0, so Σ value(e) ≥ value(Σe) ≥ 1-e^(-Σe) - fixed. It is
// exact where one sortie gives the exposure y, and for y = 0 it counts each sortie
// as if it were alone. Derived here.
func (f reference) fixed(y float64) float64 {
	if f.marginal {
		return -math.Expm1(-y)
	}
	return 1 - math.Exp(-y)*(1+y)
}

// weights are p·e^(-y) and p·fixed(y) of all pieces and hours, so that value needs
// no exponential.
func (n *network) weights(f reference) (slope, fixed []float64, sum float64) {
	slope, fixed = make([]float64, len(n.expected)), make([]float64, len(n.expected))
	for i, p := range n.expected {
		if slope[i] = p; f.exposure[i] == 0 {
			continue
		}
		slope[i] = p * math.Exp(-f.exposure[i])
		fixed[i] = p * f.fixed(f.exposure[i])
		sum += fixed[i]
	}
	return slope, fixed, sum
}

// dual returns an upper bound on what any plan meets, and the schedules at which
// its linear part is largest:
//
//	Σ fixed + Σ over units of max over schedules of Σ value  -  premium·quota
//
// The maximum is exact: schedules of one unit by dynamic programming over hours.
// With a premium μ it is the Lagrangian of the rule that so many hours explore,
// which all plans keep: Σ value + μ·(hours that explore - quota) is no less.
func (n *network) dual(f reference) (bound float64, schedules [][]sortie) {
	slope, fixed, sum := n.weights(f)
	schedules = make([][]sortie, len(n.teams))
	values := make([]float64, len(n.teams))
	each(len(n.teams), func(t int) {
		table := n.newTable(t)
		for _, b := range n.teams[t].byGain {
			table.offer(b, func(grade int, sums []float64) { n.sumValues(t, b, grade, boundValue{f, slope, fixed, sums}) }, f.premium)
		}
		values[t], schedules[t] = table.best(n.teams[t].hours)
	})
	bound = sum - f.premium*float64(n.quotaH)
	for _, v := range values {
		bound += v
	}
	return bound, schedules
}

// boundValue is where sumValues takes from and puts into.
type boundValue struct {
	reference
	slope, fixed, sums []float64
}

// sumValues adds up value over the pieces of a beat for one of its exposures.
func (n *network) sumValues(team, beat, grade int, v boundValue) {
	t := &n.teams[team]
	b := &t.beats[beat]
	at := b.spans[b.grades[grade].span]
	condition := n.row8(n.condition, at.from)
	for c, f := range t.factors {
		e := b.grades[grade].exposure * f
		pod := -math.Expm1(-e)
		for i := at.from; i < at.to; i++ {
			slope, exposure, fixed, expected := n.row(v.slope, i), n.row(v.exposure, i), n.row(v.fixed, i), n.row(n.expected, i)
			for h, y := range exposure {
				switch {
				case len(t.factors) > 1 && int(t.group[condition[h]]) != c:
				case v.marginal:
					v.sums[h] += slope[h] * pod
				case e <= y:
					v.sums[h] += slope[h] * e
				default:
					v.sums[h] += expected[h]*pod - fixed[h]
				}
			}
		}
	}
}

// leastReference keeps a reference of 0 from staying there.
const leastReference = 0.02

// lower brings the bound down from the reference of a plan by subgradient steps. At
// the schedules that the bound is largest at, with exposures e, it grows with y by
//
//	p·e^(-y)·(y - Σ min(e, y))
//
// so that y is moved towards Σ min(e, y), by 1/2, 1/3, …; the premium moves against
// the hours that explore beyond the quota. Every reference gives a valid bound, the
// least counts. visit is shown each round's schedules. Half the rounds suffice when
// the bound is low enough.
func (n *network) lower(ctx context.Context, f reference, enough float64, visit func(schedules [][]sortie, step float64)) float64 {
	f.exposure = append([]float64{}, f.exposure...)
	target := make([]float64, len(f.exposure))
	least := math.Inf(1)
	perHour := n.total / float64(max(1, n.dutyH()))
	for k := 0; k < n.Options.Rounds && ctx.Err() == nil; k++ {
		bound, schedules := n.dual(f)
		least = min(least, bound)
		if least <= enough && 2*k >= n.Options.Rounds {
			break
		}
		clear(target)
		exploreH := 0
		for _, schedule := range schedules {
			for _, s := range schedule {
				n.expose(s, func(i int, e float64) { target[i] += min(e, max(f.exposure[i], leastReference)) })
				if n.beatOf(s).explores {
					exploreH += n.shapeOf(s).dutyH
				}
			}
		}
		step := 1 / float64(k+2)
		for i := range f.exposure {
			f.exposure[i] += step * (target[i] - f.exposure[i])
		}
		if n.quotaH > 0 {
			short := float64(n.quotaH-exploreH) / float64(n.quotaH)
			f.premium = max(0, f.premium+0.1*perHour*step*max(-1, min(1, short)))
		}
		visit(schedules, step)
	}
	return least
}

// continuous is Allocate's optimum for all that the teams can sweep. Effort at a
// piece exposes, over all hours, to no more than lastsH/area for each km² swept,
// so that it bounds every plan.
func (n *network) continuous() (Allocation, error) {
	swept := 0.0
	for _, t := range n.teams {
		u := n.Units[t.unit]
		swept += slices.Max(t.factors) * u.SweepWidthM / 1000 * u.SpeedKMH * float64(t.hours)
	}
	cells := make([]Cell, 0, len(n.expected))
	watched := make([]bool, len(n.Pieces))
	for _, t := range n.teams {
		for _, b := range t.beats {
			for i := b.from; i < b.to && b.visits == nil; i++ { // routes are made of beats
				watched[i] = true
			}
		}
	}
	for i, p := range n.Pieces {
		if !watched[i] {
			continue
		}
		for _, v := range n.row(n.expected, i) {
			cells = append(cells, Cell{Weight: v, Rate: p.TransientH / p.AreaKM2})
		}
	}
	return Allocate(cells, swept)
}
