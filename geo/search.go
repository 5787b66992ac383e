package geo

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// search finds the k rows nearest to a point, of those within reach.
//
// Near by it measures by a formula, to surroundingsErrorM, and solves a geodesic
// only where that leaves open which of two rows is nearer, whether one is within
// reach, or to which millimetre a distance is rounded.
type search struct {
	layer  *Layer
	from   vantage
	reachM float64
	k      int
	mostM  float64 // beyond it nothing is wanted any more
	found  []found // once there are k, a heap with the farthest first
}

type found struct {
	distanceM float64
	row       int32
	exact     bool
}

func (s *search) settle(f *found) {
	if !f.exact {
		f.distanceM, f.exact = s.layer.distanceM(&s.from, int(f.row), s.reachM), true
	}
}

// before orders by distance and then by row.
func (s *search) before(a, b *found) bool {
	if math.Abs(a.distanceM-b.distanceM) <= 2*surroundingsErrorM {
		s.settle(a)
		s.settle(b)
	}
	return a.distanceM < b.distanceM || a.distanceM == b.distanceM && a.row < b.row
}

// offer takes a row in when it is one of the nearest so far.
func (s *search) offer(f found) {
	if math.Abs(f.distanceM-s.reachM) <= surroundingsErrorM {
		s.settle(&f)
	}
	if !(f.distanceM <= s.reachM) {
		return
	}
	switch {
	case len(s.found) < s.k:
		if s.found = append(s.found, f); len(s.found) < s.k {
			return
		}
		for i := s.k/2 - 1; i >= 0; i-- {
			s.sink(i)
		}
	case s.before(&f, &s.found[0]):
		s.found[0] = f
		s.sink(0)
	}
	s.mostM = min(s.mostM, s.found[0].distanceM+surroundingsErrorM)
}

// sink restores the heap below i.
func (s *search) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(s.found) {
			return
		}
		if child+1 < len(s.found) && s.before(&s.found[child], &s.found[child+1]) {
			child++
		}
		if !s.before(&s.found[i], &s.found[child]) {
			return
		}
		s.found[i], s.found[child] = s.found[child], s.found[i]
		i = child
	}
}

// run searches the surroundings of p first, and everything when more is wanted
// than there is.
func (s *search) run(p orb.Point) {
	s.mostM = s.reachM
	x := s.layer.Index()
	n, ok := newSurroundings(p)
	if ok && x.base != nil && x.base.bound().Min[0] >= -180 && x.base.bound().Max[0] <= 180 {
		s.mostM = min(s.reachM, surroundingsM)
		x.base.within(&n, &s.mostM, func(q orb.Point, item int32) {
			s.offer(found{distanceM: n.distanceM(q), row: item})
		})
		if s.reachM <= surroundingsM || len(s.found) == s.k && s.mostM < surroundingsM {
			x.nearestWritable(&s.from, s.measure)
			return
		}
		s.found, s.mostM = s.found[:0], s.reachM
	}
	x.Nearest(p, s.measure)
}

// measure offers a row at its exact distance; false ends a search by lower
// bounds of it.
func (s *search) measure(row int, atLeastM float64) bool {
	if !(atLeastM-s.layer.bulgeM <= s.mostM) {
		return false
	}
	s.offer(found{s.layer.distanceM(&s.from, row, s.mostM), int32(row), true})
	return true
}

// sort orders what was found by distance: by the parts of the circle first, rings
// of one area, among which points are spread about evenly.
func (s *search) sort() {
	byDistance := func(a, b found) int { return cmp.Compare(a.distanceM, b.distanceM) }
	n := len(s.found)
	farthestM := 0.0
	for i := range s.found {
		farthestM = max(farthestM, s.found[i].distanceM)
	}
	if n < 24 || farthestM == 0 {
		slices.SortFunc(s.found, byDistance)
		return
	}
	ringOf := func(f *found) int { r := f.distanceM / farthestM; return int(r * r * float64(n-1)) }
	ends, sorted := make([]int32, n), make([]found, n)
	for i := range s.found {
		ends[ringOf(&s.found[i])]++
	}
	end := int32(0)
	for k, count := range ends {
		ends[k], end = end, end+count
	}
	for i := range s.found {
		k := ringOf(&s.found[i])
		sorted[ends[k]] = s.found[i]
		ends[k]++
	}
	first := int32(0)
	for _, end := range ends {
		if end-first > 1 {
			slices.SortFunc(sorted[first:end], byDistance)
		}
		first = end
	}
	s.found = sorted
}

// hits are what was found, nearest first.
func (s *search) hits() []Hit {
	if len(s.found) == 0 {
		return nil
	}
	s.sort()
	for first := 0; first < len(s.found); {
		end := first + 1
		for end < len(s.found) && s.found[end].distanceM-s.found[end-1].distanceM <= 2*surroundingsErrorM {
			end++
		}
		if run := s.found[first:end]; len(run) > 1 {
			for i := range run {
				s.settle(&run[i])
			}
			slices.SortFunc(run, func(a, b found) int {
				return cmp.Or(cmp.Compare(a.distanceM, b.distanceM), cmp.Compare(a.row, b.row))
			})
		}
		first = end
	}
	hits := make([]Hit, len(s.found))
	for i := range s.found {
		f := &s.found[i]
		if millimetres := f.distanceM * 1000; math.Abs(millimetres-math.Floor(millimetres)-0.5) <= 1000*surroundingsErrorM {
			s.settle(f)
		}
		hits[i] = Hit{int(f.row), f.distanceM}
	}
	return hits
}
