package route

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// Segment is a square of ground that ways pass, which may be protected.
type Segment struct {
	Box       orb.Bound `json:"box"`
	At        orb.Point `json:"at"`
	SectionID string    `json:"section_id,omitempty"`
}

// SegmentInterdiction is the question of several travellers, each with the ways
// that are open to him: the elements are squares of sideM that any of the ways
// passes, and protection meets who passes a square with the chance protect. Its
// answer is over these ways only: travellers may know others.
func (g *Graph) SegmentInterdiction(travellers []*Alternatives, sideM, protect float64) (*Interdiction, []Segment, error) {
	if !(sideM >= g.Options.CellM && sideM <= 100_000) {
		return nil, nil, fmt.Errorf("interdict segments: a side of %g m: use %g to 100000", sideM, g.Options.CellM)
	}
	q := newSquares(g, sideM)
	p := &Interdiction{}
	segments := []Segment{}
	numbers := map[int]int{}
	for _, t := range travellers {
		s := Scenario{Weight: 1}
		for _, w := range t.Ways {
			option := Option{Evasion: w.Evasion}
			passed := map[int]bool{}
			for _, node := range w.nodes {
				square := q.of(node)
				if passed[square] {
					continue
				}
				passed[square] = true
				k, known := numbers[square]
				if !known {
					k = len(segments)
					numbers[square] = k
					box := q.box(square)
					segments = append(segments, Segment{box, box.Center(), g.sectionID(node)})
					p.Protect = append(p.Protect, protect)
				}
				option.Passes = append(option.Passes, k)
			}
			s.Ways = append(s.Ways, option)
		}
		p.Scenarios = append(p.Scenarios, s)
	}
	return p, segments, p.validate(0)
}

// squares sum passages into squares of nodes.
type squares struct {
	g      *Graph
	side   int // in nodes
	across int
	passed []float64
}

func newSquares(g *Graph, sideM float64) *squares {
	q := &squares{g: g, side: max(1, int(math.Round(sideM/g.Options.CellM)))}
	q.across = g.nx/q.side + 1
	q.passed = make([]float64, q.across*(g.ny/q.side+1))
	return q
}

func (q *squares) of(node int32) int {
	return int(node)/q.g.nx/q.side*q.across + int(node)%q.g.nx/q.side
}

func (q *squares) pass(u, v int32, x float64) {
	if b := q.of(v); b != q.of(u) {
		q.passed[b] += x
	}
}

// corner is the column and row of a square's first node.
func (q *squares) corner(square int) (x, y int) {
	return square % q.across * q.side, square / q.across * q.side
}

func (q *squares) box(square int) orb.Bound {
	x, y := q.corner(square)
	p := q.g.point(int32(y*q.g.nx + x))
	lo := orb.Point{p[0] - q.g.dLon/2, p[1] - q.g.dLat/2}
	return orb.Bound{Min: lo, Max: orb.Point{lo[0] + float64(q.side)*q.g.dLon, lo[1] + float64(q.side)*q.g.dLat}}
}
