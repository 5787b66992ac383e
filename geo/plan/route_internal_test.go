package plan

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
)

// spots is a border of 60 pieces of 1 km on which incidents come to a few pieces, and
// one motorcycle at its middle.
func spots(at map[int]float64) Problem {
	p := Problem{Options: DefaultOptions(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))}
	p.Options.WindowDays, p.Options.Rounds, p.Options.ExplorationShare = 1, 12, 0
	for i := range 60 {
		b := Piece{Section: string(rune('A' + i/10)), Line: orb.LineString{{110 + 0.009*float64(i), 1}, {110 + 0.009*float64(i+1), 1}}, LengthKM: 1, AreaKM2: 5, Medium: risk.Land,
			Countries: []string{"ID"}, TransientH: 3, Profile: make([]float64, 24), Expected: risk.Estimate{Mean: at[i]}}
		for h := range b.Profile {
			b.Profile[h] = 1.0 / 24
		}
		p.Pieces = append(p.Pieces, b)
	}
	p.Units = []Unit{{ID: "M", Country: "ID", Base: orb.Point{110.27, 1}, Mode: "motorcycle", Hours: 8, EnduranceH: 8, SpeedKMH: 40, SweepWidthM: 200}}
	return p
}

// Two places with as many incidents each, 16 km apart: one sortie visits both. What it
// meets is what adding up exposure minute by minute gives, and no bound is below it.
func TestRouteOverTwoPlaces(t *testing.T) {
	p := spots(map[int]float64{22: 1, 38: 1})
	p.Options.RestH = 24
	got, err := Make(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Sorties) != 1 || len(got.Sorties[0].Visits) != 2 {
		t.Fatalf("%+v", got.Sorties)
	}
	s := got.Sorties[0]
	n := got.network
	single := newRoster(n)
	single.fill(t.Context(), false)
	if single.met() >= got.Met {
		t.Errorf("one beat meets %g, the route %g", single.met(), got.Met)
	}
	// At most 15 pieces of 1.002 km lie between beats that hold the two: 15·1.3/40 h.
	between := s.Visits[1].Arrives.Sub(s.Visits[0].Leaves).Hours()
	if between < 0.3 || between > 15*1.01*1.3/40 {
		t.Errorf("%g h between %+v", between, s.Visits)
	}
	if b := got.Bounds; b.AnyRoute < got.Met || b.Lagrangian < got.Met || b.Continuous < got.Met {
		t.Errorf("meets %g, bounds %+v", got.Met, b)
	}
	if met := simulate(n, s); math.Abs(met-got.Met) > 0.01*got.Met {
		t.Errorf("minute by minute it meets %g, the plan says %g", met, got.Met)
	}
	line, times := got.Track(s, 5000)
	if len(line) != len(times) || line[0] != p.Units[0].Base || !times[len(times)-1].Equal(s.Returns) || s.Returns.Sub(s.Departs) > 8*time.Hour {
		t.Errorf("%d places, %d times", len(line), len(times))
	}
	seen := map[int]bool{} // the track is on both places while it visits them
	for i, at := range line {
		if i > 0 && times[i].Before(times[i-1]) {
			t.Fatalf("the track goes back in time at %d", i)
		}
		for k, v := range s.Visits {
			if !times[i].Before(v.Arrives) && !times[i].After(v.Leaves) {
				piece := int((at.Lon() - 110) / 0.009)
				seen[k] = seen[k] || piece >= 21 && piece <= 23 || piece >= 37 && piece <= 39
			}
		}
	}
	if !seen[0] || !seen[1] {
		t.Errorf("the track misses a beat: %v", seen)
	}
}

// simulate adds up coverage minute by minute.
func simulate(n *network, s Sortie) (met float64) {
	visits := n.visitsOf(s.pick)
	spans := n.beatOf(s.pick).spans
	for k, v := range visits {
		for i := spans[k].from; i < spans[k].to; i++ {
			for h := range n.hours {
				e := 0.0
				for minute := range 24 * 60 {
					at := float64(minute)/60 - float64(s.pick.start)
					if at >= v.begin && at < v.end && minute >= 60*h && float64(minute) < 60*(float64(h)+v.lastsH) {
						e += v.rate / 60
					}
				}
				met -= n.row(n.expected, i)[h] * math.Expm1(-e)
			}
		}
	}
	return met
}

// No sortie over two beats with visits on a grid of half hours, tried one by one,
// meets more than the bound on all routes; the plan is not far from the best of them.
func TestRoutesAgainstEnumeration(t *testing.T) {
	for name, at := range map[string]map[int]float64{
		"apart": {12: 1, 33: 0.7, 50: 0.9}, "near": {20: 1, 22: 0.2, 24: 1}, "one": {30: 1},
	} {
		p := spots(at)
		p.Options.RestH = 24
		got, err := Make(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		r := newRosterLike(got.network)
		best, k := 0.0, got.network.teams[0].beats
		for start := range 24 - 8 {
			w := newWindow(r, sortie{0, 0, start, 0}, false)
			w.dutyH = 8
			for _, a := range w.beats {
				for _, b := range w.beats {
					if k[a].from < k[b].to && k[b].from < k[a].to || w.idle(a) || w.idle(b) {
						continue
					}
					order := []visit{w.middle(a, 1), w.middle(b, 1)}
					spare := 8 - w.travelH(order)
					for stay := w.leastH(k[a]); stay <= spare-w.leastH(k[b]); stay += 0.5 {
						best = max(best, w.gain(w.schedule(order, []float64{stay, spare - stay})))
					}
				}
			}
		}
		if got.Bounds.AnyRoute < best || got.Bounds.Continuous < best {
			t.Errorf("%s: a route meets %g, the bounds are %+v", name, best, got.Bounds)
		}
		if got.Met < 0.95*best {
			t.Errorf("%s: the plan meets %g, the best pair of beats %g", name, got.Met, best)
		}
		t.Logf("%s: plan %.4f, best pair %.4f, bounds %+v", name, got.Met, best, got.Bounds)
	}
}

// idle spares the enumeration beats on which nobody comes.
func (w *window) idle(k int) bool {
	b := w.team.beats[k]
	for i := b.from; i < b.to; i++ {
		if w.Pieces[i].Expected.Mean > 0 {
			return b.to-b.from > 4
		}
	}
	return true
}

// What a plan with routes meets is not less than without, and routes keep the rules.
func TestRoutesNeverMeetLess(t *testing.T) {
	for seed := range uint64(6) {
		n := smallNetwork(seed)
		n.rankBeats()
		n.setQuota()
		r := newRoster(n)
		r.fill(t.Context(), true)
		r.fill(t.Context(), false)
		before, explored := r.met(), r.exploreH
		r.route(t.Context(), 3, 0)
		if r.met() < before*(1-1e-9) || r.exploreH < min(explored, n.quotaH) {
			t.Errorf("seed %d: %g became %g, %d h explore of %d", seed, before, r.met(), r.exploreH, n.quotaH)
		}
		for _, s := range r.sorties {
			for k, v := range n.visitsOf(s) {
				if v.begin < 0 || v.end > float64(n.shapeOf(s).dutyH)+1e-9 || v.end-v.begin < leastVisitH-1e-9 || k > 0 && v.begin < n.visitsOf(s)[k-1].end {
					t.Errorf("seed %d: visits %+v of %d h", seed, n.visitsOf(s), n.shapeOf(s).dutyH)
				}
			}
		}
	}
}
