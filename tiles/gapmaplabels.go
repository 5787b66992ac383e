package tiles

import (
	"cmp"
	"image/color"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// labels finds room for numbers and names: none lies on another, and numbers
// keep off the sections of the report.
type labels struct {
	frame orb.Bound
	taken []orb.Bound
	lines []orb.LineString
	top   []Mark // drawn above all lines
}

const (
	firstRanks  = 10   // have their number in white on dark
	farthestMM  = 14.2 // of a number from its section
	mostNumbers = 400  // on a map; paper has no room for more
)

func badgeRadius(rank int) float64 {
	if rank >= 100 {
		return 2.1
	}
	return 1.6
}

// badge is a rank in a disc.
func (s *Sheet) badge(at orb.Point, rank int, c color.NRGBA) {
	fill, ink := white(), textColour()
	if rank <= firstRanks {
		fill, ink = ink, fill
	}
	s.Marks = append(s.Marks, Mark{Paths: []orb.LineString{disc(at, badgeRadius(rank))}, Fill: fill, Stroke: c, WidthMM: 0.35})
	size := rankSizeMM
	switch {
	case rank >= 1000:
		size *= 0.72
	case rank >= 100:
		size *= 0.9
	}
	s.text(orb.Point{at[0], at[1] + 0.36*size}, size, Mark{Fill: ink, Bold: true, Anchor: AnchorMiddle}, strconv.Itoa(rank))
}

func (s *Sheet) crossing(at orb.Point) {
	s.Marks = append(s.Marks, Mark{Paths: []orb.LineString{box(at[0]-0.6, at[1]-0.6, 1.2, 1.2)}, Fill: white(), Stroke: textColour(), WidthMM: 0.3})
}

// number places the ranks by their sections, the first ranks first, with a
// line to the middle of the section.
func (m GapMap) number(s *Sheet, p paper, l *labels) (withoutRoom int) {
	ranked := slices.DeleteFunc(slices.Clone(m.Sections), func(x MapSection) bool {
		return x.Rank == 0 || x.Plain || !p.bound.Contains(middle(x.Line))
	})
	slices.SortStableFunc(ranked, func(a, b MapSection) int { return cmp.Compare(a.Rank, b.Rank) })
	var badges Sheet
	for i, x := range ranked {
		if i == mostNumbers {
			withoutRoom += len(ranked) - i
			break
		}
		at, r := p.at(middle(x.Line)), badgeRadius(x.Rank)
		to, ok := l.near(at, r, true)
		if !ok {
			to, ok = l.near(at, r, false)
		}
		if !ok {
			withoutRoom++
			continue
		}
		c := classColour(x.Class)
		s.line(textColour(), 0.2, nil, orb.LineString{at, to})
		s.fill(textColour(), disc(at, 0.4))
		badges.badge(to, x.Rank, c)
	}
	l.top = append(l.top, badges.Marks...)
	return withoutRoom
}

// near finds the nearest room for a disc about a point.
func (l *labels) near(at orb.Point, radius float64, offLines bool) (orb.Point, bool) {
	here := l.about(at, farthestMM+radius+gapWidthMM)
	for _, far := range []float64{3.2, 4.6, 6.4, 8.6, 11.2, farthestMM} {
		for k := range 16 {
			turn := (float64((k+1)/2) * float64(1-2*(k%2))) * math.Pi / 8 // north first, then to either side
			to := orb.Point{at[0] + far*math.Sin(turn), at[1] - far*math.Cos(turn)}
			b := orb.Bound{Min: orb.Point{to[0] - radius, to[1] - radius}, Max: orb.Point{to[0] + radius, to[1] + radius}}
			if here.free(b) && !(offLines && here.touchesLine(to, radius+gapWidthMM/2)) {
				l.taken = append(l.taken, b)
				return to, true
			}
		}
	}
	return orb.Point{}, false
}

// about is what is near a point.
func (l *labels) about(at orb.Point, within float64) labels {
	b := orb.Bound{Min: at, Max: at}.Pad(within)
	near := labels{frame: l.frame}
	for _, t := range l.taken {
		if t.Intersects(b) {
			near.taken = append(near.taken, t)
		}
	}
	for _, line := range l.lines {
		for i := 1; i < len(line); i++ {
			if (orb.MultiPoint{line[i-1], line[i]}).Bound().Intersects(b) {
				near.lines = append(near.lines, line[i-1:i+1])
			}
		}
	}
	return near
}

func (l *labels) free(b orb.Bound) bool {
	if !l.frame.Contains(b.Min) || !l.frame.Contains(b.Max) {
		return false
	}
	return !slices.ContainsFunc(l.taken, func(t orb.Bound) bool {
		return b.Min[0] < t.Max[0] && b.Max[0] > t.Min[0] && b.Min[1] < t.Max[1] && b.Max[1] > t.Min[1]
	})
}

func (l *labels) touchesLine(at orb.Point, within float64) bool {
	for _, line := range l.lines {
		for i := 1; i < len(line); i++ {
			if distanceToSegment(at, line[i-1], line[i]) < within {
				return true
			}
		}
	}
	return false
}

func distanceToSegment(p, a, b orb.Point) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := 0.0
	if d := dx*dx + dy*dy; d > 0 {
		t = max(0, min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/d))
	}
	return math.Hypot(p[0]-a[0]-t*dx, p[1]-a[1]-t*dy)
}

// name places crossings and settlements with their names where there is room.
func (m GapMap) name(s *Sheet, p paper, l *labels) {
	const half, pad, slant = placeSizeMM / 2, 1.3, 0.9
	for _, place := range m.Places {
		if !p.bound.Contains(place.At) {
			continue
		}
		at := p.at(place.At)
		width := 0.55 * placeSizeMM * float64(utf8.RuneCountInString(place.Name))
		for _, c := range []struct {
			anchor Anchor
			x, y   float64
		}{{AnchorStart, pad, 0}, {AnchorEnd, -pad, 0}, {AnchorMiddle, 0, -pad - half}, {AnchorMiddle, 0, pad + half},
			{AnchorStart, slant, -pad - half}, {AnchorEnd, -slant, -pad - half}, {AnchorStart, slant, pad + half}, {AnchorEnd, -slant, pad + half}} {
			left := map[Anchor]float64{AnchorStart: 0, AnchorEnd: -width, AnchorMiddle: -width / 2}[c.anchor]
			b := orb.Bound{Min: orb.Point{at[0] + c.x + left, at[1] + c.y - half}, Max: orb.Point{at[0] + c.x + left + width, at[1] + c.y + half}}
			b = b.Union(orb.Bound{Min: at, Max: at}.Pad(0.9)) // its mark
			if !l.free(b) {
				continue
			}
			l.taken = append(l.taken, b)
			if place.Crossing {
				s.crossing(at)
			} else {
				s.fill(parseHex(labelColour, 1), disc(at, 0.5))
			}
			s.text(orb.Point{at[0] + c.x, at[1] + c.y + 0.36*placeSizeMM}, placeSizeMM, Mark{Fill: parseHex(labelColour, 1), Stroke: parseHex(haloColour, 1), Bold: place.Crossing, Anchor: c.anchor}, place.Name)
			break
		}
	}
}

// middle is the point halfway along a line, by degrees.
func middle(line orb.LineString) orb.Point {
	if len(line) == 0 {
		return orb.Point{math.NaN(), math.NaN()}
	}
	total := 0.0
	for i := 1; i < len(line); i++ {
		total += math.Hypot(line[i][0]-line[i-1][0], line[i][1]-line[i-1][1])
	}
	left := total / 2
	for i := 1; i < len(line); i++ {
		d := math.Hypot(line[i][0]-line[i-1][0], line[i][1]-line[i-1][1])
		if d >= left && d > 0 {
			t := left / d
			return orb.Point{line[i-1][0] + t*(line[i][0]-line[i-1][0]), line[i-1][1] + t*(line[i][1]-line[i-1][1])}
		}
		left -= d
	}
	return line[len(line)-1]
}
