package plan

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
)

// Orienteering asks which places to visit, in what order, when there is not time
// for all: several tours from Start to End, each within the budget.
type Orienteering struct {
	Profit     []float64   // of each place; places at 0 are not visited
	Stay       []float64   // least time at each; nil: none
	Rate       []float64   // coverage per time of staying longer; nil: longer stays add nothing
	Travel     [][]float64 // time between places; the triangle inequality is assumed
	Start, End int
	Tours      int
	Budget     float64 // of time for each tour
	Iterations int     // of the search; 0: 1500
	Seed       uint64
}

// Visits is the answer to Orienteering.
type Visits struct {
	Tours  [][]int // places in order, without start and end
	Profit float64
	Time   []float64   // of each tour, without the time that is spent on longer stays
	Stay   [][]float64 // at each place of each tour
}

// Solve looks for the tours with the largest profit by iterated local search: insert
// while anything fits, shorten by 2-opt, moving and exchanging places, put in what is
// worth more than what it pushes out, then take out a run of places from each tour
// and begin again. The same seed gives the same tours. With rates, time that is left
// on a tour goes to longer stays, by water-filling.
//
// Source: P. Vansteenwegen, W. Souffriau, G. Vanden Berghe and D. Van Oudheusden,
// Computers & Operations Research 36 (2009), for the insertion and the shake.
// Cost of an iteration: O(places · stops), and O(stops²) to shorten.
func (o Orienteering) Solve() (Visits, error) {
	if err := o.validate(); err != nil {
		return Visits{}, err
	}
	s := &tourSearch{Orienteering: o, r: rand.New(rand.NewPCG(o.Seed, 0x70)), tours: make([][]int, o.Tours), length: make([]float64, o.Tours), in: make([]bool, len(o.Profit))}
	for k := range s.length {
		s.length[k] = o.Travel[o.Start][o.End]
	}
	s.in[o.Start], s.in[o.End] = true, true
	iterations := o.Iterations
	if iterations == 0 {
		iterations = 1500
	}
	s.run(iterations)
	return s.answer(), nil
}

const mostPlaces = 2000

func (o Orienteering) validate() error {
	n := len(o.Profit)
	if n > mostPlaces || n < 1 || len(o.Travel) != n || o.Start < 0 || o.Start >= n || o.End < 0 || o.End >= n {
		return errors.New("find tours: give 1 to 2,000 places, a row of travel times for each, and a start and an end among them")
	}
	if o.Stay != nil && len(o.Stay) != n || o.Rate != nil && len(o.Rate) != n {
		return errors.New("find tours: give a stay and a rate for every place, or none")
	}
	if o.Tours < 1 || o.Tours > n || !(o.Budget >= 0) || math.IsInf(o.Budget, 0) {
		return errors.New("find tours: give at least one tour, no more than places, and a finite budget")
	}
	bad := func(v float64) bool { return !(v >= 0) || math.IsInf(v, 0) }
	for i, row := range o.Travel {
		if len(row) != n || slices.ContainsFunc(row, bad) || bad(o.Profit[i]) || o.Stay != nil && bad(o.Stay[i]) || o.Rate != nil && bad(o.Rate[i]) {
			return errors.New("find tours: times, profits, stays and rates must be finite and 0 or more")
		}
	}
	if o.Travel[o.Start][o.End] > o.Budget {
		return errors.New("find tours: the way from start to end takes longer than the budget: give more time")
	}
	return nil
}

// tourSearch is the state of a search: tours without their ends.
type tourSearch struct {
	Orienteering
	r      *rand.Rand
	tours  [][]int
	length []float64 // time of each tour, with stays
	in     []bool    // places on a tour, and the ends
	profit float64
	greed  float64
}

func (s *tourSearch) stay(place int) float64 {
	if s.Stay == nil {
		return 0
	}
	return s.Stay[place]
}

// at is a place of a tour by its position; -1 and len are the ends.
func (s *tourSearch) at(tour []int, i int) int {
	switch {
	case i < 0:
		return s.Start
	case i >= len(tour):
		return s.End
	}
	return tour[i]
}

// detour is the time that a place adds before position i of a tour.
func (s *tourSearch) detour(tour []int, i, place int) float64 {
	a, b := s.at(tour, i-1), s.at(tour, i)
	return s.Travel[a][place] + s.Travel[place][b] - s.Travel[a][b] + s.stay(place)
}

// saving is the time that a tour saves without its position i.
func (s *tourSearch) saving(tour []int, i int) float64 {
	a, b := s.at(tour, i-1), s.at(tour, i+1)
	return s.Travel[a][tour[i]] + s.Travel[tour[i]][b] - s.Travel[a][b] + s.stay(tour[i])
}

const tourSlack = 1e-9

func (s *tourSearch) fits(tour int, more float64) bool {
	return s.length[tour]+more <= s.Budget+tourSlack
}

func (s *tourSearch) insert(tour, i, place int) {
	s.length[tour] += s.detour(s.tours[tour], i, place)
	s.tours[tour] = slices.Insert(s.tours[tour], i, place)
	s.in[place] = true
	s.profit += s.Profit[place]
}

func (s *tourSearch) remove(tour, i int) int {
	place := s.tours[tour][i]
	s.length[tour] -= s.saving(s.tours[tour], i)
	s.tours[tour] = slices.Delete(s.tours[tour], i, i+1)
	s.in[place] = false
	s.profit -= s.Profit[place]
	return place
}

// run is the iterated local search.
func (s *tourSearch) run(iterations int) {
	best, bestProfit, bestTime := s.copyTours(), -1.0, 0.0
	stale := 0
	var chain [][]int // best since the last fresh start
	chainProfit, chainTime := -1.0, 0.0
	for k := range iterations {
		if k%max(1, iterations/chains) == 0 {
			s.restore(make([][]int, s.Tours))
			chainProfit, stale = -1, 0
		}
		s.climb()
		time := s.totalTime()
		switch {
		case s.profit > chainProfit+tourSlack || s.profit > chainProfit-tourSlack && time < chainTime-tourSlack:
			chain, chainProfit, chainTime, stale = s.copyTours(), s.profit, time, 0
			if chainProfit > bestProfit+tourSlack || chainProfit > bestProfit-tourSlack && time < bestTime {
				best, bestProfit, bestTime = chain, chainProfit, time
			}
		case stale < patience:
			stale++
		default:
			s.restore(chain)
			stale = 0
		}
		s.shake()
	}
	s.restore(best)
}

// patience is how many local optima in a row may be no better than the best of their
// chain; a search has so many chains.
const patience, chains = 12, 5

// climb goes up to a local optimum.
func (s *tourSearch) climb() {
	for {
		s.fill()
		if s.shorten() {
			continue
		}
		if !s.replace() {
			return
		}
	}
}

// fill puts in the place with the largest profit² per time that it adds, while any
// fits. What ties is broken by chance.
func (s *tourSearch) fill() {
	for {
		bestRatio, tour, pos, place := 0.0, -1, 0, 0
		for p, profit := range s.Profit {
			if s.in[p] || profit <= 0 {
				continue
			}
			least, t0, i0 := math.Inf(1), -1, 0
			for t, way := range s.tours {
				for i := 0; i <= len(way); i++ {
					if d := s.detour(way, i, p); d < least && s.fits(t, d) {
						least, t0, i0 = d, t, i
					}
				}
			}
			if t0 < 0 {
				continue
			}
			ratio := profit * profit / max(least, 1e-6) * (1 + s.r.Float64()*s.greed)
			if ratio > bestRatio {
				bestRatio, tour, pos, place = ratio, t0, i0, p
			}
		}
		if tour < 0 {
			return
		}
		s.insert(tour, pos, place)
	}
}

// shorten makes the tours shorter until no move does; it reports whether any did.
func (s *tourSearch) shorten() (any bool) {
	for again := true; again; any = any || again {
		again = false
		for t := range s.tours {
			again = s.twoOpt(t) || again
		}
		again = s.relocate() || again
		again = s.exchange() || again
	}
	return any
}

// twoOpt turns parts of a tour round. Travel times there and back may differ.
func (s *tourSearch) twoOpt(t int) (any bool) {
	way := s.tours[t]
	for i := 0; i < len(way); i++ {
		forth, back := 0.0, 0.0 // within the part
		for j := i + 1; j < len(way); j++ {
			forth += s.Travel[way[j-1]][way[j]]
			back += s.Travel[way[j]][way[j-1]]
			a, b := s.at(way, i-1), s.at(way, j+1)
			d := s.Travel[a][way[j]] + back + s.Travel[way[i]][b] - s.Travel[a][way[i]] - forth - s.Travel[way[j]][b]
			if d < -tourSlack {
				slices.Reverse(way[i : j+1])
				s.length[t] += d
				any = true
				forth, back = 0, 0
				for k := i + 1; k <= j; k++ {
					forth += s.Travel[way[k-1]][way[k]]
					back += s.Travel[way[k]][way[k-1]]
				}
			}
		}
	}
	return any
}

// relocate moves places to where they take less time, on any tour.
func (s *tourSearch) relocate() (any bool) {
	for t := range s.tours {
		for i := 0; i < len(s.tours[t]); i++ {
			place := s.remove(t, i)
			least, t0, i0 := s.detour(s.tours[t], i, place)-tourSlack, t, i
			for u, way := range s.tours {
				for j := 0; j <= len(way); j++ {
					if d := s.detour(way, j, place); d < least && s.fits(u, d) {
						least, t0, i0 = d, u, j
					}
				}
			}
			s.insert(t0, i0, place)
			any = any || t0 != t || i0 != i
		}
	}
	return any
}

// exchange swaps places of two tours where that saves time.
func (s *tourSearch) exchange() (any bool) {
	for t := range s.tours {
		for u := t + 1; u < len(s.tours); u++ {
			for i := range s.tours[t] {
				for j := range s.tours[u] {
					any = s.swap(t, i, u, j) || any
				}
			}
		}
	}
	return any
}

func (s *tourSearch) swap(t, i, u, j int) bool {
	p, q := s.tours[t][i], s.tours[u][j]
	change := func(way []int, i, in int) float64 {
		a, b := s.at(way, i-1), s.at(way, i+1)
		return s.Travel[a][in] + s.Travel[in][b] + s.stay(in) - s.Travel[a][way[i]] - s.Travel[way[i]][b] - s.stay(way[i])
	}
	dt, du := change(s.tours[t], i, q), change(s.tours[u], j, p)
	if dt+du > -tourSlack || !s.fits(t, dt) || !s.fits(u, du) {
		return false
	}
	s.tours[t][i], s.tours[u][j] = q, p
	s.length[t] += dt
	s.length[u] += du
	return true
}

// replace puts in a place that is worth more than one, or two that follow each
// other, which make room for it.
func (s *tourSearch) replace() bool {
	for p, profit := range s.Profit {
		if s.in[p] || profit <= 0 {
			continue
		}
		for t := range s.tours {
			for i := range s.tours[t] {
				way := s.tours[t]
				for n := 1; n <= 2 && i+n <= len(way); n++ {
					if s.worth(way[i:i+n]) >= profit-tourSlack {
						continue
					}
					if s.tryReplace(t, i, n, p) {
						return true
					}
				}
			}
		}
	}
	return false
}

func (s *tourSearch) worth(places []int) (sum float64) {
	for _, p := range places {
		sum += s.Profit[p]
	}
	return sum
}

// tryReplace takes out n places from position i of a tour and puts in another where
// it takes least time on that tour, if it fits.
func (s *tourSearch) tryReplace(t, i, n, place int) bool {
	old := slices.Clone(s.tours[t][i : i+n])
	for range n {
		s.remove(t, i)
	}
	least, i0 := math.Inf(1), 0
	for j := 0; j <= len(s.tours[t]); j++ {
		if d := s.detour(s.tours[t], j, place); d < least {
			least, i0 = d, j
		}
	}
	if s.fits(t, least) {
		s.insert(t, i0, place)
		return true
	}
	for k, p := range old {
		s.insert(t, i+k, p)
	}
	return false
}

// shake takes a run of places out of each tour, from one to half of them, and
// settles by how much chance counts in putting in others.
func (s *tourSearch) shake() {
	s.greed = 2 * s.r.Float64()
	for t := range s.tours {
		if n := len(s.tours[t]); n > 0 {
			from := s.r.IntN(n)
			for range 1 + s.r.IntN(1+n/2) {
				if len(s.tours[t]) > from {
					s.remove(t, from)
				}
			}
		}
	}
}

func (s *tourSearch) totalTime() (sum float64) {
	for _, l := range s.length {
		sum += l
	}
	return sum
}

func (s *tourSearch) copyTours() [][]int {
	out := make([][]int, len(s.tours))
	for t, way := range s.tours {
		out[t] = slices.Clone(way)
	}
	return out
}

func (s *tourSearch) restore(tours [][]int) {
	clear(s.in)
	s.in[s.Start], s.in[s.End] = true, true
	s.profit = 0
	for t, way := range tours {
		s.tours[t], s.length[t] = s.tours[t][:0], s.Travel[s.Start][s.End]
		for i, p := range way {
			s.insert(t, i, p)
		}
	}
}

// answer divides what time is left over longer stays.
func (s *tourSearch) answer() Visits {
	out := Visits{Tours: s.copyTours(), Profit: s.profit, Time: s.length}
	for t, way := range s.tours {
		stays, cells := make([]float64, len(way)), make([]Cell, len(way))
		for i, p := range way {
			stays[i] = s.stay(p)
			if s.Rate != nil {
				cells[i] = Cell{Weight: s.Profit[p] * math.Exp(-s.Rate[p]*stays[i]), Rate: s.Rate[p]}
			}
		}
		if longer, err := Allocate(cells, max(0, s.Budget-s.length[t])); err == nil {
			for i, more := range longer.Effort {
				stays[i] += more
			}
		}
		out.Stay = append(out.Stay, stays)
	}
	return out
}
