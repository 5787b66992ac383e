package route

import (
	"context"
	"errors"
	"fmt"

	"github.com/paulmach/orb"
)

// MinCut is the fewest squares of ground that every way within reach passes.
type MinCut struct {
	Squares []CutSquare `json:"squares"`
	Pairs   int         `json:"pairs"` // of ends that a way joins
	SideM   float64     `json:"side_m"`
	// Reach is the detour limit: ways that cost up to so many times the least.
	Reach float64 `json:"reach"`
	// Why says why there is none, or what the answer stands on.
	Why string `json:"why"`
}

// CutSquare is a square of a cut.
type CutSquare struct {
	Box       orb.Bound `json:"box"`
	At        orb.Point `json:"at"`
	SectionID string    `json:"section_id,omitempty"`
	// Passages is how often one traveller enters it, EvasionShare the same among
	// those who get through.
	Passages     float64 `json:"passages"`
	EvasionShare float64 `json:"evasion_share"`
}

const (
	cutWhy = "the fewest squares outside of the first and last tenth of the cost; a square counts as one piece of ground, and ground on any way within reach may be put together to ways beyond it, so that fewer may do; of several such sets the one nearest to the start"
	cutNot = "no squares between the first and last tenth of the cost part the ends: they are too near to each other for squares of this side"
)

// MaxCutPairs is how many pairs of ends MinCut joins at most.
const MaxCutPairs = 9

// MinCut finds the fewest squares of ground, of side o.PinchM, that all ways from
// any of some places to any of others pass which cost no more than o.Reach times
// the least of their pair; From and To of the query are not used. Shares are means over
// the pairs that a way joins; it fails as Corridor does when there are none.
//
// The least cut of ways under a length is a hard problem (G. Baier et al.,
// Length-bounded cuts and flows, ACM Trans. Algorithms 7 (2010)); here the cut is
// that of the ground which such ways use. It stops them all, and may be larger
// than need be. Cost: a corridor for each pair, and a greatest flow over squares.
func (g *Graph) MinCut(ctx context.Context, from, to []orb.Point, q Query, o CorridorOptions) (*MinCut, error) {
	if n := len(from) * len(to); n == 0 || n > MaxCutPairs {
		return nil, fmt.Errorf("least cut: %d pairs of ends: give 1 to %d", n, MaxCutPairs)
	}
	w := g.newWatch(o)
	joined := 0
	var none error
	for _, q.From = range from {
		for _, q.To = range to {
			switch _, err := g.corridor(ctx, q, o, w); {
			case errors.Is(err, ErrNoPath), errors.Is(err, ErrEnds):
				none = err
			case err != nil:
				return nil, err
			default:
				joined++
			}
		}
	}
	if joined == 0 {
		return nil, none
	}
	return w.cut(joined), nil
}

// watch gathers the ground that ways use, by square.
type watch struct {
	*squares
	o       CorridorOptions
	toward  []uint8 // bits of the neighbours that ways pass to
	free    []bool  // near an end: not to be cut
	used    []bool
	evading []float64
	starts  []int
	goals   []int
}

func (g *Graph) newWatch(o CorridorOptions) *watch {
	q := newSquares(g, o.PinchM)
	n := len(q.passed)
	return &watch{squares: q, o: o, toward: make([]uint8, n), free: make([]bool, n), used: make([]bool, n), evading: make([]float64, n)}
}

// add gathers from the nodes of a spread the steps that are on some way within
// reach.
func (w *watch) add(s *spread) {
	g, c := s.g, s.f.costs
	from, to := s.from.nodes, s.to.nodes
	limit, near := s.least()*w.o.Reach*(1+1e-12), s.least()/10
	steps := g.steps()
	for _, u := range s.order {
		x, y := int(u)%g.nx, int(u)/g.nx
		here := y/w.side*w.across + x/w.side
		w.used[here] = true
		if from[u].cost < near || to[u].cost < near {
			w.free[here] = true
		}
		for d, step := range steps {
			v := int(u) + step
			k := toSquare[1+w.leaves(y, rowStep[d])][1+w.leaves(x, columnStep[d])]
			if k < 0 || w.toward[here]&(1<<k) != 0 || from[u].cost+to[v].cost > limit {
				continue
			}
			if d >= 4 && g.pinched(from, int(u), d) {
				continue
			}
			cost := g.halfM[int(u)/g.nx][d] * (float64(from[u].perM) + float64(from[v].perM))
			if c.mixed && from[u].on != from[v].on {
				cost += g.change(c, int(u), v)
			}
			if from[u].cost+cost+to[v].cost <= limit {
				w.toward[here] |= 1 << k
			}
		}
	}
	w.free[w.of(s.f.from)], w.free[w.of(s.f.to)] = true, true
	w.starts, w.goals = append(w.starts, w.of(s.f.from)), append(w.goals, w.of(s.f.to))
}

// toSquare is the direction of the square that is left to, by rows and columns;
// -1: the same.
var toSquare = [3][3]int{{5, 3, 7}, {1, -1, 0}, {6, 2, 4}}

// leaves is by how much a step goes to another row or column of squares.
func (q *squares) leaves(at, step int) int {
	switch at %= q.side; {
	case step < 0 && at == 0:
		return -1
	case step > 0 && at == q.side-1:
		return 1
	}
	return 0
}

func (w *watch) neighbour(k int) int { return rowStep[k]*w.across + columnStep[k] }

// cut finds the squares; shares are divided by the number of pairs.
func (w *watch) cut(pairs int) *MinCut {
	out := &MinCut{Squares: []CutSquare{}, Pairs: pairs, SideM: float64(w.side) * w.g.Options.CellM, Reach: w.o.Reach, Why: cutWhy}
	number := make([]int32, len(w.used)) // of the vertex where a square is entered; it is left at the next
	var list []int
	for b, used := range w.used {
		if used {
			number[b] = int32(2 * len(list))
			list = append(list, b)
		}
	}
	source := int32(2 * len(list))
	n := newFlowNet(2*len(list) + 2)
	for _, b := range list {
		room := int64(1)
		if w.free[b] {
			room = unbounded
		}
		n.join(number[b], number[b]+1, room)
		for k := range directions {
			if there := b + w.neighbour(k); w.toward[b]&(1<<k) != 0 && w.used[there] {
				n.join(number[b]+1, number[there], unbounded)
			}
		}
	}
	for i := range w.starts {
		n.join(source, number[w.starts[i]], unbounded)
		n.join(number[w.goals[i]]+1, source+1, unbounded)
	}
	if _, ok := n.fill(source, source+1); !ok {
		out.Why = cutNot
		return out
	}
	for _, b := range list {
		if n.level[number[b]] >= 0 && n.level[number[b]+1] < 0 {
			box := w.box(b)
			out.Squares = append(out.Squares, CutSquare{box, box.Center(), w.g.sectionID(w.middle(b)), w.passed[b] / float64(pairs), w.evading[b] / float64(pairs)})
		}
	}
	return out
}

// middle is a node in the middle of a square.
func (q *squares) middle(square int) int32 {
	x, y := q.corner(square)
	return int32(min(q.g.ny-1, y+q.side/2)*q.g.nx + min(q.g.nx-1, x+q.side/2))
}

// evade adds to the squares the passages of those who get through.
func (w *watch) evade(u, v int32, y float64) {
	if b := w.of(v); b != w.of(u) {
		w.evading[b] += y
	}
}
