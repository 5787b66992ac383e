package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Geodesic is the shortest geodesic between two points, solved once for many
// questions. It is immutable.
type Geodesic struct {
	from, to orb.Point
	lengthM  float64
	line     geodesic
}

// NewGeodesic returns the geodesic from p to q, see Inverse.
func NewGeodesic(p, q orb.Point) Geodesic {
	s := solveInverse(p, q)
	return Geodesic{p, q, s.distanceM, newGeodesic(p, s.from)}
}

// LengthM returns its length in metres.
func (g *Geodesic) LengthM() float64 { return g.lengthM }

// At returns the point at a distance in metres from the start; distances off
// the line give its ends.
func (g *Geodesic) At(alongM float64) orb.Point {
	switch {
	case !(alongM > 0):
		return g.from
	case alongM >= g.lengthM:
		return g.to
	}
	p, _ := g.line.at(alongM)
	return p
}

// TurnM returns how far from its start the geodesic is furthest from the
// equator, where its latitude turns; ok is false when that is at neither end nor
// between them.
//
// On the auxiliary sphere it is an arc of ±90° from the equator, where the
// series of the distance integral vanishes. Source: Karney (2013), section 2.
func (g *Geodesic) TurnM() (alongM float64, ok bool) {
	halfTurns := math.Ceil((g.line.start - math.Pi/2) / math.Pi)
	alongM = polarRadiusM * g.line.a1 * (math.Pi/2 + halfTurns*math.Pi - g.line.start)
	return alongM, alongM >= 0 && alongM <= g.lengthM
}

// Span is a part of a geodesic, in metres from its start.
type Span struct{ FromM, ToM float64 }

// ToMeridian returns where in a span the geodesic meets the meridian that is
// eastDeg degrees east of its start (negative: west), by Newton's method from
// guessM, kept safe by bisection; a span that does not meet it gives the end that
// comes nearest. The longitude of a geodesic only rises or only falls, so there is
// one such place. Good to a micrometre unless the line hardly crosses.
func (g *Geodesic) ToMeridian(eastDeg float64, in Span, guessM float64) float64 {
	return g.meet(in, guessM, func(p orb.Point, α angle) (miss, slope float64) {
		_, n := RadiiM(p[1])
		return wrapDeg(p[0]-g.from[0]-eastDeg) * degree, α.sin / (n * math.Cos(p[1]*degree))
	})
}

// ToParallel is ToMeridian for the parallel of a latitude, in a span in which
// the latitude only rises or only falls, see TurnM.
func (g *Geodesic) ToParallel(latDeg float64, in Span, guessM float64) float64 {
	return g.meet(in, guessM, func(p orb.Point, α angle) (miss, slope float64) {
		m, _ := RadiiM(p[1])
		return (p[1] - latDeg) * degree, α.cos / m
	})
}

// meet finds where miss, in radians, is nil; slope is its derivative by metres.
func (g *Geodesic) meet(in Span, atM float64, miss func(orb.Point, angle) (miss, slope float64)) float64 {
	// Newton's error after a step of δ is δ² times tan φ / 2R by the heading's part
	// across: under a micrometre for steps of nearM unless that is small.
	const exactM, nearM, across = 1e-7, 0.1, 0.01
	lo, hi := in.FromM, in.ToM
	if !(atM > lo && atM < hi) {
		atM = (lo + hi) / 2
	}
	for range 100 {
		p, heading := g.line.at(atM)
		h := math.Hypot(heading.sin, heading.cos)
		f, slope := miss(p, angle{heading.sin / h, heading.cos / h})
		if f == 0 || hi-lo <= exactM {
			break
		}
		if f*slope > 0 {
			hi = atM
		} else {
			lo = atM
		}
		next := atM - f/slope
		if step := math.Abs(next - atM); step < exactM || step < nearM && math.Abs(slope)*EquatorialRadiusM > across {
			atM = max(in.FromM, min(in.ToM, next))
			break
		}
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		atM = next
	}
	return atM
}

// BoxedLine is a line with the box of its vertices, for many questions about it.
type BoxedLine struct {
	line   orb.LineString
	box    orb.Bound
	widest float64 // degrees of longitude between two vertices
}

// NewBoxedLine keeps the line, which must not change.
func NewBoxedLine(line orb.LineString) BoxedLine {
	l := BoxedLine{line: line, box: line.Bound()}
	for i := 1; i < len(line); i++ {
		l.widest = math.Max(l.widest, math.Abs(line[i][0]-line[i-1][0]))
	}
	return l
}

// NearestWithin is NearestOnLine for a place under limitM; ok is false when the
// line is no nearer.
func (l BoxedLine) NearestWithin(p orb.Point, limitM float64) (n Nearest, ok bool) {
	v, line := newVantage(p), l.line
	if v.toLineM(l) >= limitM {
		return Nearest{Segment: -1, DistanceM: math.Inf(1)}, false
	}
	n = nearestOn(&v, line, limitM)
	if n.DistanceM >= limitM {
		return n, false
	}
	if n.Segment > 0 {
		n.AlongLineM = LengthM(line[:n.Segment+1])
	}
	n.AlongLineM += n.AlongSegmentM
	return n, true
}

// toLineM bounds the distance to a line from below by the box of its vertices.
func (v *vantage) toLineM(l BoxedLine) float64 {
	if len(l.line) == 0 {
		return math.Inf(1)
	}
	if !(l.widest <= 180) { // the short way is not in the box
		return 0
	}
	return math.Max(0, v.toBoxM(l.box.Min, l.box.Max)-bulgeM(l.widest))
}
