package risk

import (
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
// centres to places every half cell along the lines, with the metric of the
// cell's row (within 0.2 % at 25 km).
func newDomain(stretches []stretch, m Model) *domain {
	d := &domain{nearest: surface.NewField[nearestSection](), stripM: m.StripKM * 1000}
	d.strips = make([][]surface.Cell, len(stretches))
	g := growth{domain: d, limitM: m.DomainKM * 1000, rows: map[int32]rowScale{}}
	for i, s := range stretches {
		for _, p := range along(s.line, 600) {
			g.offer(surface.CellAt(p), p, int32(i+1))
		}
	}
	g.spread()
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

// sectionOf returns the section that a cell belongs to, or -1.
func (d *domain) sectionOf(c surface.Cell) int { return int(d.nearest.At(c).section) - 1 }

// sectionAt returns the section that a place belongs to, or -1.
func (d *domain) sectionAt(p orb.Point) int {
	return d.sectionOf(surface.CellAt(p))
}

// growth spreads sections over cells, nearest first.
type growth struct {
	domain *domain
	limitM float64
	rows   map[int32]rowScale
	fronts [][]reach // by distance in steps of frontM
	front  int       // the one that is spreading
}

// reach is a cell that a section has come to, from a place on its line.
type reach struct {
	cell      surface.Cell
	from      orb.Point
	section   int32
	distanceM float32
}

// rowScale is a row's latitude with its metres per degree.
type rowScale struct{ lat, lonM, latM float64 }

const frontM = 100

// offer takes the cell for the section if that is nearer than what it has.
func (g *growth) offer(c surface.Cell, from orb.Point, section int32) {
	row, known := g.rows[c.Y]
	if !known {
		row.lat = c.Center().Lat()
		row.lonM, row.latM = geo.MetresPerDegree(row.lat)
		g.rows[c.Y] = row
	}
	m := math.Hypot((c.Lon()-from.Lon())*row.lonM, (row.lat-from.Lat())*row.latM)
	if m > g.limitM {
		return
	}
	best := g.domain.nearest.Ref(c)
	if best.section != 0 && best.distanceM <= float32(m) {
		return
	}
	*best = nearestSection{section, float32(m)}
	front := max(g.front, int(m/frontM))
	for len(g.fronts) <= front {
		g.fronts = append(g.fronts, nil)
	}
	g.fronts[front] = append(g.fronts[front], reach{c, from, section, float32(m)})
}

func (g *growth) spread() {
	for ; g.front < len(g.fronts); g.front++ {
		for k := 0; k < len(g.fronts[g.front]); k++ { // it grows meanwhile
			r := g.fronts[g.front][k]
			if best := g.domain.nearest.At(r.cell); best.section != r.section || best.distanceM != r.distanceM {
				continue // a nearer line came by
			}
			for _, step := range [...][2]int32{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}} {
				next := surface.Cell{X: r.cell.X + step[0], Y: r.cell.Y + step[1]}
				if next.X >= 0 && next.Y >= 0 && next.X < 1<<surface.CellLevel && next.Y < 1<<surface.CellLevel {
					g.offer(next, r.from, r.section)
				}
			}
		}
		g.fronts[g.front] = nil
	}
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

// Week holds a value for each hour of each weekday, Monday first, in local
// (solar zone) time.
type Week [7][24]float64

// weekSlot returns the weekday (Monday 0) and hour of an instant in a zone.
func weekSlot(ms int64, zoneH int) (day, hour int) {
	t := time.UnixMilli(ms).UTC().Add(time.Duration(zoneH) * time.Hour)
	return (int(t.Weekday()) + 6) % 7, t.Hour()
}

// zoneH is the zone of the middle of the stretch, UTC+7 for western Borneo and
// Sumatra, UTC+8 further east.
func (s stretch) zoneH() int { return int(math.Round(s.line[len(s.line)/2].Lon() / 15)) }
