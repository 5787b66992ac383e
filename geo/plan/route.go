package plan

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// visit is a time on a beat, in hours after leaving the base.
type visit struct {
	begin, end   float64
	rate, lastsH float64
	beat         int // of the team
}

// overlap is how long a visit and an incident that begins at an hour are together.
func (v visit) overlap(h int) float64 {
	return min(v.end, float64(h)+v.lastsH) - max(v.begin, float64(h))
}

// mostLooks bounds the work: after so many sorties no more routes are looked for.
const mostLooks = 2000

// leastVisitH is how long a visit of a route lasts at least.
const leastVisitH = 0.5

// route turns sorties on one beat into routes over several, where that meets more by
// what all others leave unmet; then units choose anew, with the routes found. It ends
// when a pass finds none. What the roster meets never falls.
//
// Which beats, in what order: Orienteering, with what a visit of a usual length meets
// as the profit. How long on each: water-filling, then exact steps. There is no a
// priori guarantee in it: dual's bound, over all beats and the routes, says how good
// it is.
func (r *roster) route(ctx context.Context, passes int, premium float64) {
	m := &scratch{}
	looks := 0
	for range passes {
		found := false
		for k := 0; k < len(r.sorties) && looks < mostLooks && ctx.Err() == nil; k++ {
			looks++
			found = r.reroute(k, m) || found
		}
		if !found || ctx.Err() != nil {
			return
		}
		before, old := r.met(), slices.Clone(r.sorties)
		r.replan(ctx, 2, premium)
		if r.exploreH < r.quotaH || r.met() < before {
			r.reset(old)
		}
	}
}

// reset makes the roster one of these sorties.
func (r *roster) reset(sorties []sortie) {
	for len(r.sorties) > 0 {
		r.remove(len(r.sorties) - 1)
	}
	for _, s := range sorties {
		r.add(s)
	}
}

// reroute puts a route in the place of a sortie where that meets more.
func (r *roster) reroute(k int, m *scratch) bool {
	before := r.gainOf(r.sorties[k])
	old := r.remove(k)
	w := newWindow(r, old, r.exploreH < r.quotaH)
	next := old
	if best := w.best(); best != nil && w.gain(best) > before*(1+1e-6)+1e-12*r.total {
		next = sortie{old.team, r.keep(old.team, w.beat(best), m), old.start, 0}
	}
	r.add(next)
	last := len(r.sorties) - 1
	r.sorties[k], r.sorties[last] = r.sorties[last], r.sorties[k]
	return next != old
}

// keep adds a route to what its team can do.
func (n *network) keep(team int, b beat, m *scratch) int {
	t := &n.teams[team]
	for k, o := range t.beats {
		if o.visits != nil && slices.Equal(o.visits, b.visits) && o.shapes[0].dutyH == b.shapes[0].dutyH {
			return k
		}
	}
	k := len(t.beats)
	t.beats = append(t.beats, b)
	f, _ := newRosterLike(n).bestOn(team, k, limits{hours: t.hours}, m)
	t.beats[k].bestAlone = f.gain
	at, _ := slices.BinarySearchFunc(t.byGain, f.gain, func(x int, gain float64) int { return cmp.Compare(gain, t.beats[x].bestAlone) })
	t.byGain = slices.Insert(t.byGain, at, k)
	return k
}

// newRosterLike is an empty roster to look into alone.
func newRosterLike(n *network) *roster {
	return &roster{network: n, left: n.expected, spentH: make([]int, len(n.teams))}
}

// gapH is the time from one beat of a unit to another, between their nearest ends;
// last tells whether that is the last end of each.
func (n *network) gapH(u Unit, a, b span) (hours float64, lastA, lastB bool) {
	ends := func(s span) [2]orb.Point {
		line := n.Pieces[s.to-1].Line
		return [2]orb.Point{n.Pieces[s.from].Line[0], line[len(line)-1]}
	}
	least := math.Inf(1)
	for i, p := range ends(a) {
		for j, q := range ends(b) {
			if m := geo.LocalDistanceM(p, q); m < least {
				least, lastA, lastB = m, i == 1, j == 1
			}
		}
	}
	return least / 1000 * n.Options.DetourFactor / u.SpeedKMH, lastA, lastB
}

// window is where a route is looked for: a team, an hour of leaving and a length.
type window struct {
	*roster
	unit         Unit
	team         *team
	start, dutyH int
	first        int         // hour that row 0 of sums stands for
	sums         [][]float64 // of what is left, over the pieces before each, by hour
	low          int         // piece that sums begin at
	beats        []int       // that may be visited
	old          int
}

// newWindow reads what is left in the window of a sortie.
func newWindow(r *roster, s sortie, exploring bool) *window {
	t := &r.teams[s.team]
	w := &window{roster: r, unit: r.Units[t.unit], team: t, start: s.start, dutyH: r.shapeOf(s).dutyH, old: s.beat}
	lasts, high := 0.0, 0
	w.low = len(r.Pieces)
	for k, b := range t.beats {
		if b.visits != nil || exploring && !b.explores || 2*b.tripH+w.leastH(b) > float64(w.dutyH) {
			continue
		}
		w.beats = append(w.beats, k)
		w.low, high, lasts = min(w.low, b.from), max(high, b.to), max(lasts, b.lastsH)
	}
	if len(w.beats) == 0 {
		return w
	}
	w.first = max(0, s.start-int(math.Ceil(lasts)))
	hours := s.start + w.dutyH - w.first
	w.sums = sized(nil, high-w.low+1, hours)
	for i := w.low; i < high; i++ {
		left := r.row(r.left, i)[w.first:]
		before, after := w.sums[i-w.low], w.sums[i-w.low+1]
		for h := range after {
			after[h] = before[h] + left[h]
		}
	}
	return w
}

// leastH is the shortest visit: along the beat and back.
func (w *window) leastH(b beat) float64 {
	km := 0.0
	for i := b.from; i < b.to; i++ {
		km += w.Pieces[i].LengthKM
	}
	return max(leastVisitH, 2*km/w.unit.SpeedKMH)
}

// visitGain is what a visit meets of what is left.
func (w *window) visitGain(v visit) (sum float64) {
	b := &w.team.beats[v.beat]
	from, to := w.sums[b.from-w.low], w.sums[b.to-w.low]
	condition := w.row8(w.condition, b.from)
	for h := max(w.first-w.start, int(math.Floor(v.begin-v.lastsH))+1); float64(h) < v.end && h < w.dutyH; h++ {
		if overlap := v.overlap(h); overlap > 1e-9 {
			at := w.start + h
			f := w.team.factors[w.team.group[condition[at]]]
			sum -= (to[at-w.first] - from[at-w.first]) * math.Expm1(-min(v.rate*overlap, mostExposure)*f)
		}
	}
	return sum
}

func (w *window) gain(visits []visit) (sum float64) {
	for _, v := range visits {
		sum += w.visitGain(v)
	}
	return sum
}

// middle is a visit of a beat in the middle of the window.
func (w *window) middle(k int, hours float64) visit {
	b := &w.team.beats[k]
	begin := (float64(w.dutyH) - hours) / 2
	return visit{begin, begin + hours, b.rate, b.lastsH, k}
}

// candidate is a beat that a route may visit.
type candidate struct {
	beat   int
	leastH float64
	perH   float64
}

const mostCandidates = 12

// candidates are beats without a common piece, those first that meet most an hour in a
// visit of so many; the old one comes before all if it is to be among them.
func (w *window) candidates(hours float64, withOld bool) (out []candidate) {
	var all []candidate
	for _, k := range w.beats {
		b := w.team.beats[k]
		least := w.leastH(b)
		h := max(least, min(hours, float64(w.dutyH)-2*b.tripH))
		c := candidate{k, least, w.visitGain(w.middle(k, h)) / h}
		if withOld && k == w.old {
			c.perH = math.Inf(1)
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(x, y candidate) int { return cmp.Compare(y.perH, x.perH) })
	for _, c := range all {
		b := w.team.beats[c.beat]
		if !slices.ContainsFunc(out, func(o candidate) bool {
			a := w.team.beats[o.beat]
			return a.from < b.to && b.from < a.to
		}) {
			out = append(out, c)
		}
		if len(out) == mostCandidates {
			break
		}
	}
	return out
}

// best looks for the route that meets most; nil when there is none of several beats.
func (w *window) best() (best []visit) {
	most := 0.0
	for _, parts := range []float64{2, 3, 5} {
		for _, withOld := range []bool{true, false} {
			if withOld && w.team.beats[w.old].visits != nil {
				continue // its beats compete with the others
			}
			hours := float64(w.dutyH) / parts
			list := w.candidates(hours, withOld)
			if len(list) < 2 {
				continue
			}
			visits := w.tune(w.tour(list, hours))
			if g := w.gain(visits); len(visits) > 1 && g > most {
				best, most = visits, g
			}
		}
	}
	return best
}

// tour asks Orienteering for visits of about so many hours.
func (w *window) tour(list []candidate, hours float64) []visit {
	n := len(list) + 1 // place 0 is the base
	o := Orienteering{Profit: make([]float64, n), Stay: make([]float64, n), Travel: make([][]float64, n), Tours: 1, Budget: float64(w.dutyH), Iterations: 60}
	for i := range o.Travel {
		o.Travel[i] = make([]float64, n)
	}
	for i, c := range list {
		b := &w.team.beats[c.beat]
		o.Stay[i+1] = max(c.leastH, hours)
		o.Profit[i+1] = w.visitGain(w.middle(c.beat, min(o.Stay[i+1], float64(w.dutyH))))
		o.Travel[0][i+1], o.Travel[i+1][0] = b.tripH, b.tripH
		for j := range i {
			gap, _, _ := w.gapH(w.unit, b.span, w.team.beats[list[j].beat].span)
			o.Travel[i+1][j+1], o.Travel[j+1][i+1] = gap, gap
		}
	}
	got, err := o.Solve()
	if err != nil || len(got.Tours[0]) == 0 {
		return nil
	}
	var visits []visit
	for _, p := range got.Tours[0] {
		visits = append(visits, w.middle(list[p-1].beat, o.Stay[p]))
	}
	return visits
}
