package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Nearest is the place on a line that is nearest to some point.
type Nearest struct {
	Point         orb.Point
	Segment       int     // from vertex Segment to the next; -1 for an empty line
	DistanceM     float64 // from the point; +Inf for an empty line
	AlongSegmentM float64 // from the segment's first vertex
	AlongLineM    float64 // from the line's first vertex
}

// NearestOnLine returns the place on a line, its segments geodesics and its
// ends included, that is nearest to p by geodesic distance.
//
// On each segment the foot of the perpendicular is found by stepping with the
// spherical right triangle, tan x = tan s cos θ, from a trial point at distance
// s from p with angle θ between the line and the way to p; a step that leaves
// the bracket is replaced by halving it. Where two places tie the first counts.
//
// Source: the method is that of S. Baselga and J. C. Martínez-Llario,
// Intersection and point-to-line solutions for geodesics on the ellipsoid,
// Studia Geophysica et Geodaetica 62 (2018), made safe for long segments by
// bisection on the sign of cos θ.
//
// The distance is good to a micrometre; the place itself is less sure where
// the distance hardly changes along the line. A lower bound rules most segments
// out; the length of those before the place is still measured.
func NearestOnLine(p orb.Point, line orb.LineString) Nearest {
	v := newVantage(p)
	best := nearestOn(&v, line, math.Inf(1))
	if best.Segment > 0 {
		best.AlongLineM = LengthM(line[:best.Segment+1])
	}
	best.AlongLineM += best.AlongSegmentM
	return best
}

// nearestOn is NearestOnLine without AlongLineM, for distances under limitM; an
// answer with Segment -1 says that the line is no nearer.
func nearestOn(v *vantage, line orb.LineString, limitM float64) Nearest {
	best := Nearest{Segment: -1, DistanceM: limitM}
	if len(line) == 1 {
		if d := DistanceM(v.p, line[0]); d < limitM {
			return Nearest{Point: line[0], DistanceM: d}
		}
	}
	if len(line) < 2 {
		return best
	}
	// The vertex that looks nearest rules most segments out at once.
	vertex, least := 0, math.Inf(1)
	for i, q := range line {
		if d := v.toPointM(q[0], q[1]); d < least {
			vertex, least = i, d
		}
	}
	const margin = 1e-6 // so that the segments at that vertex still count
	best.DistanceM = math.Min(limitM, DistanceM(v.p, line[vertex])+margin)
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		if v.toSegmentM(a, b) > best.DistanceM {
			continue
		}
		if n := nearestOnSegment(v.p, a, b); n.DistanceM < best.DistanceM {
			n.Segment = i - 1
			best = n
		}
	}
	return best
}

// nearestOnSegment looks along one geodesic. Pieces of at most 1000 km have at
// most one foot each.
func nearestOnSegment(p, a, b orb.Point) Nearest {
	s := solveInverse(a, b)
	seg := segment{p: p, line: newGeodesic(a, s.from)}
	from := seg.at(0)
	from.point = a
	best := from
	pieces := math.Max(1, math.Ceil(s.distanceM/1e6))
	for k := 1.0; k <= pieces; k++ {
		to := seg.at(s.distanceM * k / pieces)
		if k == pieces {
			to.point = b
		}
		if to.distanceM < best.distanceM {
			best = to
		}
		if from.ahead > 0 && to.ahead < 0 {
			if foot := seg.foot(from, to); foot.distanceM < best.distanceM {
				best = foot
			}
		}
		from = to
	}
	return Nearest{Point: best.point, DistanceM: best.distanceM, AlongSegmentM: best.alongM}
}

// segment is a geodesic seen from a point.
type segment struct {
	p    orb.Point
	line geodesic
}

// spot is a place on it: ahead is the cosine of the angle between the line
// and the way to the point, positive while going on brings it nearer.
type spot struct {
	point                    orb.Point
	alongM, distanceM, ahead float64
}

func (s *segment) at(alongM float64) spot {
	q, heading := s.line.at(alongM)
	g := solveInverse(q, s.p)
	h := math.Hypot(heading.sin, heading.cos)
	return spot{q, alongM, g.distanceM, heading.minus(g.from).cos / h}
}

// foot finds the place between two others where ahead changes its sign.
func (s *segment) foot(from, to spot) spot {
	const (
		radiusM  = 6371e3
		exactM   = 1e-4 // along the line; the distance is exact to its square
		farSteps = 12   // then halve: far away the triangle may not converge
	)
	at := from
	if to.distanceM < from.distanceM {
		at = to
	}
	for i := range 60 {
		r := at.distanceM / radiusM
		step := radiusM * math.Atan2(math.Sin(r)*at.ahead, math.Cos(r))
		next := at.alongM + step
		if i >= farSteps || !(next > from.alongM && next < to.alongM) {
			next = (from.alongM + to.alongM) / 2
		}
		if math.Abs(next-at.alongM) < exactM || at.distanceM < 1e-6 {
			break
		}
		at = s.at(next)
		if at.ahead > 0 {
			from = at
		} else {
			to = at
		}
	}
	return at
}

// Interpolate returns the point at a distance along a line, in metres from its
// first vertex; distances off the line give its ends, an empty line gives NaN.
func Interpolate(line orb.LineString, alongM float64) orb.Point {
	if len(line) == 0 {
		return orb.Point{math.NaN(), math.NaN()}
	}
	if !(alongM > 0) {
		return line[0]
	}
	for i := 1; i < len(line); i++ {
		s := solveInverse(line[i-1], line[i])
		if alongM < s.distanceM {
			g := newGeodesic(line[i-1], s.from)
			p, _ := g.at(alongM)
			return p
		}
		alongM -= s.distanceM
	}
	return line[len(line)-1]
}

// Cut cuts a line into n = max(1, round(L/everyM)) pieces of equal length, L
// being the length of the line, by points on its geodesics. The pieces keep
// the vertices of the line, the first starts and the last ends as the line
// does, and neighbours share their end point. A line without length, or
// everyM not over zero, gives one piece; an empty line none. Memory grows with
// n: bound everyM, which counts as no less than a millimetre, where it comes
// from outside.
func Cut(line orb.LineString, everyM float64) []orb.LineString {
	if len(line) == 0 {
		return nil
	}
	legs := make([]solution, len(line)-1)
	length := 0.0
	for i := range legs {
		legs[i] = solveInverse(line[i], line[i+1])
		length += legs[i].distanceM
	}
	n := 1
	if everyM > 0 && length > 0 {
		n = int(math.Max(1, math.Round(length/math.Max(everyM, 1e-3))))
	}
	const sameM = 1e-6 // a cut this near a vertex is at the vertex
	pieces := make([]orb.LineString, 0, n)
	piece := orb.LineString{line[0]}
	start := 0.0 // of the leg, along the line
	for i, leg := range legs {
		g := newGeodesic(line[i], leg.from)
		for len(pieces) < n-1 {
			along := length*float64(len(pieces)+1)/float64(n) - start
			if along >= leg.distanceM-sameM {
				break
			}
			q := line[i]
			if along > sameM {
				q, _ = g.at(along)
				piece = append(piece, q)
			}
			pieces = append(pieces, piece)
			piece = orb.LineString{q}
		}
		piece = append(piece, line[i+1])
		start += leg.distanceM
	}
	return append(pieces, piece)
}
