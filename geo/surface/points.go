package surface

import (
	"cmp"
	"math"
	"slices"
	"sync"
)

// Event is one incident as density sees it.
type Event struct {
	Lon, Lat   float64 // degrees, or metres on a plane
	Weight     float64
	PrecisionM float64 // how far off the position may be; its bandwidth is never below
}

// counts is false for an event without a positive finite weight and a place.
func (e *Event) counts() bool {
	return e.Weight > 0 && !math.IsInf(e.Weight, 0) && !math.IsNaN(e.Lon-e.Lon+e.Lat-e.Lat)
}

// Points is a set of events in an order that makes both a window query and an
// aggregation a matter of contiguous runs. It is immutable.
type Points struct {
	sets   []pointSet // one for each precision of each part of a union
	planar bool
	n      int // events that count
	events int // events given
}

// pointSet is the events of one precision in Morton order of their position
// in the unit square, on a raster of 2^keyLevel cells a side (2.4 m).
type pointSet struct {
	precisionM       float64
	keys             []uint64
	lon, lat, weight []float64
	event            []int32 // which event of NewPoints this was; nil once aggregated
	first            int     // number of the first event, in a union
	leastLat         float64 // of all events, without sign: where pixels are widest
	merged           *mergedLevels
}

// mergedLevels are a set's events merged to coarser world rasters, each made
// once, when first asked for.
type mergedLevels struct {
	mu       sync.Mutex
	distinct *pointSet // those at the very same place as one
	levels   [keyLevel]*pointSet
}

// places returns the set with the events at the very same place as one, for
// exact sums.
func (s *pointSet) places() *pointSet {
	s.merged.mu.Lock()
	defer s.merged.mu.Unlock()
	if s.merged.distinct == nil {
		s.merged.distinct = s.merge(func(i, j int) bool { return s.lon[i] == s.lon[j] && s.lat[i] == s.lat[j] })
	}
	return s.merged.distinct
}

// merge returns the set with runs of events that are together as one, at their
// weighted mean position; itself when none are.
func (s *pointSet) merge(together func(i, j int) bool) *pointSet {
	n := 0
	for i := range s.keys {
		if i == 0 || !together(i-1, i) {
			n++
		}
	}
	if n == len(s.keys) {
		return s
	}
	out := &pointSet{precisionM: s.precisionM, leastLat: s.leastLat}
	out.grow(n)
	for i := 0; i < len(s.keys); {
		j := i + 1
		for j < len(s.keys) && together(j-1, j) {
			j++
		}
		lon, lat, weight := s.mean(i, j)
		out.add(s.keys[i], lon, lat, weight)
		i = j
	}
	return out
}

// mean returns the weighted mean position of the events i to j, and their weight.
func (s *pointSet) mean(i, j int) (lon, lat, weight float64) {
	x, y := 0.0, 0.0
	for k := i; k < j; k++ {
		weight += s.weight[k]
		x += s.weight[k] * (s.lon[k] - s.lon[i])
		y += s.weight[k] * (s.lat[k] - s.lat[i])
	}
	return s.lon[i] + x/weight, s.lat[i] + y/weight, weight
}

// cellEnd returns where, before j, the events end that are in the cell of event
// i on the world raster of 2^level cells a side.
func (s *pointSet) cellEnd(i, j, level int) int {
	shift := 2 * (keyLevel - level)
	cell := s.keys[i] >> shift
	for i++; i < j && s.keys[i]>>shift == cell; i++ {
	}
	return i
}

const keyLevel = 24

// NewPoints sorts events. Events with a weight that is not positive (NaN
// included) or a position that is not finite are left out. Cost O(n log n).
func NewPoints(events []Event, planar bool) *Points {
	p := &Points{planar: planar, events: len(events)}
	kept := make([]int32, 0, len(events))
	byPrecision := map[float64][]int32{}
	for i, e := range events {
		if e.counts() {
			m := e.PrecisionM
			if !(m > 0) {
				m = 0
			}
			kept = append(kept, int32(i))
			byPrecision[m] = append(byPrecision[m], int32(i))
		}
	}
	p.n = len(kept)
	var box frame
	if planar {
		box = planarFrame(events, kept)
	}
	for m, members := range byPrecision {
		p.sets = append(p.sets, newPointSet(m, events, members, box))
	}
	slices.SortFunc(p.sets, func(a, b pointSet) int { return cmp.Compare(a.precisionM, b.precisionM) })
	return p
}

// Len returns the number of events that count.
func (p *Points) Len() int { return p.n }

func newPointSet(precisionM float64, events []Event, members []int32, box frame) pointSet {
	type keyed struct {
		key   uint64
		event int32
	}
	order := make([]keyed, len(members))
	for k, i := range members {
		order[k] = keyed{box.key(events[i].Lon, events[i].Lat), i}
	}
	slices.SortFunc(order, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		p, q := &events[a.event], &events[b.event]
		return cmp.Or(cmp.Compare(p.Lon, q.Lon), cmp.Compare(p.Lat, q.Lat), cmp.Compare(a.event, b.event))
	})
	s := pointSet{precisionM: precisionM, leastLat: maxLat, merged: &mergedLevels{}}
	s.grow(len(order))
	s.event = make([]int32, 0, len(order))
	for _, o := range order {
		e := events[o.event]
		s.add(o.key, e.Lon, e.Lat, e.Weight)
		s.leastLat = min(s.leastLat, math.Abs(e.Lat))
		s.event = append(s.event, o.event)
	}
	return s
}

func (s *pointSet) grow(n int) {
	s.keys = make([]uint64, 0, n)
	s.lon, s.lat, s.weight = make([]float64, 0, n), make([]float64, 0, n), make([]float64, 0, n)
}

func (s *pointSet) add(key uint64, lon, lat, weight float64) {
	s.keys = append(s.keys, key)
	s.lon = append(s.lon, lon)
	s.lat = append(s.lat, lat)
	s.weight = append(s.weight, weight)
}

// Union returns the events of several sets as one; events are numbered on from
// set to set. Cost: the number of sets, not of events.
func Union(parts ...*Points) *Points {
	u := &Points{}
	for _, p := range parts {
		u.planar = u.planar || p.planar
		for _, s := range p.sets {
			s.first += u.events
			u.sets = append(u.sets, s)
		}
		u.n += p.n
		u.events += p.events
	}
	return u
}

// Reweighted returns the same events, each weight times the factor that of
// gives for the event's place in NewPoints; events of no weight are left out.
func (p *Points) Reweighted(factor func(event int) float64) *Points {
	return p.reweighted(func(s *pointSet, i int) float64 { return s.weight[i] * factor(s.first+int(s.event[i])) })
}

func (p *Points) reweighted(weight func(s *pointSet, i int) float64) *Points {
	q := &Points{planar: p.planar, events: p.events}
	for k := range p.sets {
		s := &p.sets[k]
		r := pointSet{precisionM: s.precisionM, leastLat: s.leastLat, first: s.first, merged: &mergedLevels{}}
		weights := make([]float64, len(s.keys))
		left := 0
		for i := range s.keys {
			if w := weight(s, i); w > 0 {
				weights[i] = w
				left++
			}
		}
		if left == len(s.keys) { // sets are never written: the places are shared
			r.keys, r.lon, r.lat, r.event, r.weight = s.keys, s.lon, s.lat, s.event, weights
		} else {
			r.grow(left)
			for i, w := range weights {
				if w == 0 {
					continue
				}
				r.add(s.keys[i], s.lon[i], s.lat[i], w)
				if s.event != nil {
					r.event = append(r.event, s.event[i])
				}
			}
		}
		if len(r.keys) > 0 {
			q.sets = append(q.sets, r)
			q.n += len(r.keys)
		}
	}
	return q
}

// Renumbered returns the events with the numbers that place gives them; those
// below zero are left out.
func (p *Points) Renumbered(place []int32) *Points {
	q := p.reweighted(func(s *pointSet, i int) float64 {
		if place[s.first+int(s.event[i])] < 0 {
			return 0
		}
		return s.weight[i]
	})
	for k := range q.sets {
		s := &q.sets[k]
		for i, e := range s.event {
			s.event[i] = place[s.first+int(e)]
		}
		s.first = 0
	}
	q.events = 0
	for _, k := range place {
		q.events = max(q.events, int(k)+1)
	}
	return q
}

func (p *Points) scaled(f float64) *Points {
	return p.reweighted(func(s *pointSet, i int) float64 { return s.weight[i] * f })
}

// with returns the events of both; they are no longer numbered. Small sets are
// merged into larger ones, so that each event is copied a number of times that
// grows with the logarithm of all.
func (p *Points) with(more *Points) *Points {
	q := &Points{planar: p.planar, n: p.n + more.n, sets: slices.Clone(p.sets)}
	for _, s := range more.sets {
		group, n := []pointSet{s}, len(s.keys)
		for i := len(q.sets) - 1; i >= 0; i-- {
			if o := q.sets[i]; o.precisionM == s.precisionM && len(o.keys) < 2*n {
				group, n = append(group, o), n+len(o.keys)
				q.sets = slices.Delete(q.sets, i, i+1)
			}
		}
		q.sets = append(q.sets, mergeAll(group))
	}
	return q
}

// mergeAll merges sets of one precision, two and two: each event is moved a
// number of times that grows with the logarithm of theirs.
func mergeAll(sets []pointSet) pointSet {
	for len(sets) > 1 {
		half := sets[:0:0]
		for i := 0; i < len(sets); i += 2 {
			if i+1 == len(sets) {
				half = append(half, sets[i])
			} else {
				half = append(half, mergeSets(&sets[i+1], &sets[i]))
			}
		}
		sets = half
	}
	return sets[0]
}

func mergeSets(a, b *pointSet) pointSet {
	out := pointSet{precisionM: a.precisionM, leastLat: min(a.leastLat, b.leastLat), merged: &mergedLevels{}}
	out.grow(len(a.keys) + len(b.keys))
	for i, j := 0, 0; i < len(a.keys) || j < len(b.keys); {
		if j == len(b.keys) || i < len(a.keys) && a.keys[i] <= b.keys[j] {
			out.add(a.keys[i], a.lon[i], a.lat[i], a.weight[i])
			i++
		} else {
			out.add(b.keys[j], b.lon[j], b.lat[j], b.weight[j])
			j++
		}
	}
	return out
}

// without returns the events less those of gone, one for one by place,
// precision and weight to a millionth, and the events of gone that are not
// there.
func (p *Points) without(gone *Points) (left, unmatched *Points) {
	type spot struct{ lon, lat, precisionM float64 }
	weights := map[spot][]float64{}
	for _, s := range gone.sets {
		for i, w := range s.weight {
			at := spot{s.lon[i], s.lat[i], s.precisionM}
			weights[at] = append(weights[at], w)
		}
	}
	// take uses up a weight that is listed for the event's place.
	take := func(s *pointSet, i int) bool {
		at := spot{s.lon[i], s.lat[i], s.precisionM}
		k := slices.IndexFunc(weights[at], func(w float64) bool { return math.Abs(w-s.weight[i]) <= 1e-6*w })
		if k >= 0 {
			weights[at] = slices.Delete(weights[at], k, k+1)
		}
		return k >= 0
	}
	keptIf := func(keep bool, w float64) float64 {
		if keep {
			return w
		}
		return 0
	}
	left = p.reweighted(func(s *pointSet, i int) float64 { return keptIf(!take(s, i), s.weight[i]) })
	unmatched = gone.reweighted(func(s *pointSet, i int) float64 { return keptIf(take(s, i), s.weight[i]) })
	return left, unmatched
}

// Merge makes all levels of merged events now, rather than at the first tile
// that needs each. Cost O(n).
func (p *Points) Merge() {
	for i := range p.sets {
		p.sets[i].mergedTo(0)
	}
}

// mergedTo returns the set with events merged in cells of the world raster of
// 2^level cells a side, or smaller cells: a level that leaves more than
// half of the events is skipped, so that all levels together take no more memory
// than the events. Each level is made from the one before, so that
// the numbers do not depend on which was asked for first.
func (s *pointSet) mergedTo(level int) *pointSet {
	if level >= keyLevel {
		return s
	}
	s.merged.mu.Lock()
	defer s.merged.mu.Unlock()
	finer := s
	for l := keyLevel - 1; l >= level; l-- {
		if s.merged.levels[l] == nil {
			s.merged.levels[l] = finer
			if most := len(finer.keys) / 2; finer.cells(l, most) <= most {
				s.merged.levels[l] = finer.aggregate(l)
			}
		}
		finer = s.merged.levels[l]
	}
	return finer
}

// cells counts the cells of a level that hold events, up to one more than most.
func (s *pointSet) cells(level, most int) int {
	shift := 2 * (keyLevel - level)
	n, last := 0, uint64(math.MaxUint64)
	for _, k := range s.keys {
		if k >>= shift; k != last {
			if n++; n > most {
				break
			}
			last = k
		}
	}
	return n
}

// aggregate merges the events of each cell of the world raster of 2^level
// cells a side into one at their weighted mean position. Cost O(n).
func (s *pointSet) aggregate(level int) *pointSet {
	shift := 2 * (keyLevel - level)
	return s.merge(func(i, j int) bool { return s.keys[i]>>shift == s.keys[j]>>shift })
}

// frame places positions in the unit square: Web Mercator, or for a plane a
// square around its points.
type frame struct{ x0, y0, side float64 }

func planarFrame(events []Event, kept []int32) frame {
	f := frame{side: 1}
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, i := range kept {
		for axis, v := range []float64{events[i].Lon, events[i].Lat} {
			lo[axis], hi[axis] = min(lo[axis], v), max(hi[axis], v)
		}
	}
	if len(kept) > 0 {
		f = frame{lo[0], lo[1], max(hi[0]-lo[0], hi[1]-lo[1], 1)}
	}
	return f
}

func (f frame) key(lon, lat float64) uint64 {
	if f.side == 0 {
		return mortonKey(worldX(lon), worldY(lat))
	}
	return mortonKey((lon-f.x0)/f.side, (lat-f.y0)/f.side)
}

func mortonKey(x, y float64) uint64 {
	return spread(cell24(x)) | spread(cell24(y))<<1
}

func cell24(v float64) uint32 {
	return uint32(max(0, min(1<<keyLevel-1, math.Floor(v*(1<<keyLevel)))))
}

// spread puts a zero bit between the bits of v.
func spread(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000FFFF0000FFFF
	x = (x | x<<8) & 0x00FF00FF00FF00FF
	x = (x | x<<4) & 0x0F0F0F0F0F0F0F0F
	x = (x | x<<2) & 0x3333333333333333
	return (x | x<<1) & 0x5555555555555555
}

// unitBox is a box of the unit square, made up of whole cells of the world
// raster of 2^level cells a side.
type unitBox struct {
	x0, y0, x1, y1 float64
	level          int
}

// window yields runs [i, j) of rows, in their order, that together hold every
// event whose key lies in the box; events just outside may come too. A cell of
// the box's level comes whole.
func (s *pointSet) window(b unitBox, yield func(i, j int)) {
	if b.x1 < 0 || b.y1 < 0 || b.x0 >= 1 || b.y0 >= 1 || len(s.keys) == 0 {
		return
	}
	inside := uint32(1)<<(keyLevel-b.level) - 1
	w := boxQuery{s.keys, cell24(b.x0) &^ inside, cell24(b.y0) &^ inside, cell24(b.x1) | inside, cell24(b.y1) | inside, yield}
	w.visit(0, len(s.keys), 0, 0, keyLevel)
}

type boxQuery struct {
	keys           []uint64
	x0, y0, x1, y1 uint32 // inclusive cells
	yield          func(i, j int)
}

// fewEvents is where testing each event is cheaper than going deeper.
const fewEvents = 32

func (q *boxQuery) visit(i, j int, x, y uint32, level int) {
	size := uint32(1)<<level - 1
	if i == j || x > q.x1 || y > q.y1 || x+size < q.x0 || y+size < q.y0 {
		return
	}
	inside := x >= q.x0 && y >= q.y0 && x+size <= q.x1 && y+size <= q.y1
	if inside || j-i <= fewEvents || level == 0 {
		q.yield(i, j)
		return
	}
	level--
	half := uint32(1) << level
	prefix := q.keys[i] >> (2 * (level + 1)) << 2
	for child := range uint64(4) {
		end := j
		if child < 3 {
			next := (prefix + child + 1) << (2 * level)
			end = i + sortSearch(q.keys[i:j], next)
		}
		q.visit(i, end, x+half*uint32(child&1), y+half*uint32(child>>1), level)
		i = end
	}
}

func sortSearch(keys []uint64, at uint64) int {
	k, _ := slices.BinarySearch(keys, at)
	return k
}
