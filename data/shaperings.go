package data

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// A polygon of a Shapefile is a bag of rings: outer ones run clockwise, holes
// the other way. Which hole is whose must be found out.

// maxRingWork bounds the comparisons that one polygon may cost.
const maxRingWork = 50_000_000

// ring is part of a polygon: positions from to to.
type ring struct {
	from, to int
	bound    orb.Bound
	area     float64 // twice; negative when clockwise
	outer    int     // of a hole: the index of its outer ring
}

func (p *shapeParser) polygon() bool {
	if !p.parts() {
		return false
	}
	s := p.shape
	s.kind = "Polygon"
	outers, holes := p.rings()
	if len(outers)+len(holes) == 0 {
		s.empty = true
		return true
	}
	if !p.assign(outers, holes) {
		s.spoil("too_complex", "the polygon has %d rings that lie over one another; split it", len(outers)+len(holes))
	}
	of := make([][]int, len(outers))
	for i, h := range holes {
		if h.outer >= 0 {
			of[h.outer] = append(of[h.outer], i)
		} else { // a ring that turns the wrong way and lies in no other is an outer one
			outers, of = append(outers, h), append(of, nil)
		}
	}
	rank := 0
	for i, o := range outers {
		p.add(o.from, o.to)
		rank = s.close(1)
		for _, k := range of[i] {
			p.add(holes[k].from, holes[k].to)
			s.close(1)
		}
		rank = s.close(rank)
	}
	s.rank = rank
	if len(outers) > 1 {
		s.kind, s.rank = "MultiPolygon", s.close(rank)
	}
	return true
}

// rings sorts the parts by the way they turn.
func (p *shapeParser) rings() (outers, holes []ring) {
	from := 0
	for _, end := range p.ends {
		if end == from {
			continue
		}
		r := ring{from: from, to: end, outer: -1}
		x0, y0 := p.at(from)
		r.bound = orb.Bound{Min: orb.Point{x0, y0}, Max: orb.Point{x0, y0}}
		for i := from + 1; i < end; i++ {
			ax, ay := p.at(i - 1)
			bx, by := p.at(i)
			r.area += (ax-x0)*(by-y0) - (bx-x0)*(ay-y0)
			r.bound = r.bound.Extend(orb.Point{bx, by})
		}
		if r.area > 0 {
			holes = append(holes, r)
		} else {
			outers = append(outers, r)
		}
		from = end
	}
	return outers, holes
}

// assign finds for each hole the smallest outer ring around it; false when
// that costs too much.
func (p *shapeParser) assign(outers, holes []ring) bool {
	order := make([]int, len(outers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(-outers[a].area, -outers[b].area) })
	work := 0
	for i := range holes {
		h := &holes[i]
		for _, k := range order {
			o := &outers[k]
			if work++; work > maxRingWork {
				return false
			}
			if -o.area < h.area || !o.bound.Contains(h.bound.Min) || !o.bound.Contains(h.bound.Max) {
				continue
			}
			inside, cost := p.inside(o, h)
			if work += cost; inside {
				h.outer = k
				break
			}
		}
	}
	return true
}

// inside reports whether a hole lies in an outer ring, by the first of its
// corners that is not on the ring.
func (p *shapeParser) inside(o, h *ring) (bool, int) {
	cost := 0
	for k := h.from; k < h.to; k++ {
		x, y := p.at(k)
		in, on := false, false
		for i := o.from + 1; i < o.to; i++ {
			ax, ay := p.at(i - 1)
			bx, by := p.at(i)
			if ay == y && ax == x || by == y && bx == x {
				on = true
				break
			}
			if (ay > y) != (by > y) && x < ax+(y-ay)/(by-ay)*(bx-ax) {
				in = !in
			}
		}
		if cost += o.to - o.from; !on || cost > maxRingWork {
			return in, cost
		}
	}
	return true, cost // all corners are corners of the outer ring
}
