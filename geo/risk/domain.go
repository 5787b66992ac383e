package risk

import (
	"container/heap"
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// domain says which section each cell near the border belongs to.
type domain struct {
	nearest *surface.Field[nearestSection]
	strips  [][]surface.Cell // by section, within StripKM of its line
	stripM  float64
}

// nearestSection is a cell's section, counted from 1 (0: outside the domain),
// and how far away its line is.
type nearestSection struct {
	section   int32
	distanceM float32
}

// newDomain gives every cell within DomainKM of a line to the section whose
// line is nearest, growing outwards from the lines. Distances are from cell
// centres to places every half cell along the lines.
func newDomain(stretches []stretch, m Model) *domain {
	d := &domain{nearest: surface.NewField[nearestSection](), stripM: m.StripKM * 1000}
	d.strips = make([][]surface.Cell, len(stretches))
	var front cellQueue
	for i, s := range stretches {
		for _, p := range along(s.line, 600) {
			front.offer(d, reach{surface.CellAt(p), p, int32(i + 1), 0}, math.Inf(1))
		}
	}
	for len(front) > 0 {
		r := heap.Pop(&front).(reach)
		if best := d.nearest.At(r.cell); best.section != r.section || best.distanceM != r.distanceM {
			continue // a nearer line came by
		}
		for _, step := range [...][2]int32{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
			next := surface.Cell{X: r.cell.X + step[0], Y: r.cell.Y + step[1]}
			if next.X < 0 || next.Y < 0 || next.X >= 1<<surface.CellLevel || next.Y >= 1<<surface.CellLevel {
				continue
			}
			front.offer(d, reach{next, r.from, r.section, 0}, m.DomainKM*1000)
		}
	}
	d.nearest.Each(func(c surface.Cell, n *nearestSection) {
		if n.section > 0 && float64(n.distanceM) <= d.stripM {
			d.strips[n.section-1] = append(d.strips[n.section-1], c)
		}
	})
	return d
}

// strip returns the section whose strip holds the cell, or -1.
func (d *domain) strip(c surface.Cell) int {
	if n := d.nearest.At(c); n.section > 0 && float64(n.distanceM) <= d.stripM {
		return int(n.section) - 1
	}
	return -1
}

// sectionAt returns the section that a place belongs to, or -1.
func (d *domain) sectionAt(p orb.Point) int {
	return int(d.nearest.At(surface.CellAt(p)).section) - 1
}

type reach struct {
	cell      surface.Cell
	from      orb.Point
	section   int32
	distanceM float32
}

type cellQueue []reach

func (q cellQueue) Len() int           { return len(q) }
func (q cellQueue) Less(i, j int) bool { return q[i].distanceM < q[j].distanceM }
func (q cellQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *cellQueue) Push(x any)        { *q = append(*q, x.(reach)) }
func (q *cellQueue) Pop() any {
	old := *q
	r := old[len(old)-1]
	*q = old[:len(old)-1]
	return r
}

// offer takes the cell for the section if that is nearer than what it has.
func (q *cellQueue) offer(d *domain, r reach, limitM float64) {
	m := geo.LocalDistanceM(r.cell.Center(), r.from)
	if m > limitM {
		return
	}
	r.distanceM = float32(m)
	best := d.nearest.Ref(r.cell)
	if best.section != 0 && best.distanceM <= r.distanceM {
		return
	}
	*best = nearestSection{r.section, r.distanceM}
	heap.Push(q, r)
}

// along returns places on a line no more than stepM apart, both ends included.
func along(line orb.LineString, stepM float64) []orb.Point {
	out := []orb.Point{line[0]}
	for i := 1; i < len(line); i++ {
		n := max(1, math.Ceil(geo.LocalDistanceM(line[i-1], line[i])/stepM))
		for k := 1.0; k <= n; k++ {
			t := k / n
			out = append(out, orb.Point{
				line[i-1][0] + t*(line[i][0]-line[i-1][0]),
				line[i-1][1] + t*(line[i][1]-line[i-1][1]),
			})
		}
	}
	return out
}

// presence keeps, for each section and side, in which hours of the window a
// patrol was in its strip.
type presence struct {
	startMS  int64
	hours    int
	sections []sectionPresence
}

type sectionPresence struct {
	slots    [surface.Sides][]bool // by hour of the window; nil: never
	agencies map[string]bool
}

func newPresence(sections int, asOf time.Time, windowDays float64) *presence {
	hours := int(math.Ceil(windowDays * 24))
	return &presence{
		startMS:  asOf.UnixMilli() - int64(hours)*3_600_000,
		hours:    hours,
		sections: make([]sectionPresence, sections),
	}
}

func (p *presence) add(section int, pass surface.Pass) {
	s := &p.sections[section]
	if s.slots[pass.Side] == nil {
		s.slots[pass.Side] = make([]bool, p.hours)
	}
	from := max(0, (pass.StartMS-p.startMS)/3_600_000)
	to := min(int64(p.hours)-1, (pass.EndMS-p.startMS)/3_600_000)
	for h := from; h <= to; h++ {
		s.slots[pass.Side][h] = true
	}
	if s.agencies == nil {
		s.agencies = map[string]bool{}
	}
	s.agencies[pass.Agency] = true
}

// Week holds a value for each hour of each weekday, Monday first, in local
// (solar zone) time.
type Week [7][24]float64

// week returns, for a section, the share of each hour of the week in which
// anyone was present.
func (p *presence) week(section int, zoneH int) (w Week) {
	var seen Week
	s := &p.sections[section]
	for h := range p.hours {
		day, hour := weekSlot(p.startMS+int64(h)*3_600_000, zoneH)
		seen[day][hour]++
		for _, slots := range s.slots {
			if slots != nil && slots[h] {
				w[day][hour]++
				break
			}
		}
	}
	for d := range w {
		for h := range w[d] {
			if seen[d][h] > 0 {
				w[d][h] /= seen[d][h]
			}
		}
	}
	return w
}

// weekSlot returns the weekday (Monday 0) and hour of an instant in a zone.
func weekSlot(ms int64, zoneH int) (day, hour int) {
	t := time.UnixMilli(ms).UTC().Add(time.Duration(zoneH) * time.Hour)
	return (int(t.Weekday()) + 6) % 7, t.Hour()
}

// zoneHours returns the zone of a longitude, UTC+7 for western Borneo and
// Sumatra, UTC+8 further east.
func zoneHours(lon float64) int { return int(math.Round(lon / 15)) }
