package surface

import (
	"math"
	"math/bits"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// addPost counts a post in the window and in the one before it. A post without
// times was always there; while it was out of order it is no data.
func (c *Coverage) addPost(l *geo.Layer, row int, agency uint16) {
	c.Posts++
	from, to, dated := l.TimesMS(row)
	if !dated {
		from, to = geo.OpenStart().UnixMilli(), geo.OpenEnd().UnixMilli()
	}
	asOf, window := c.asOfMS, c.windowMS
	outages := outagesOf(l, row)
	var parts []watched
	looked := false
	for _, in := range []spell{{asOf - 2*window, asOf - window - 1}, {asOf - window, asOf}} {
		here := spell{max(from, in.startMS), min(to, in.endMS)}
		if here.endMS <= here.startMS {
			continue
		}
		if !looked {
			parts, looked = c.postCells(l, row), true
		}
		up, down := working(here, outages)
		for i, s := range up {
			c.look(parts, Pass{Side: c.agencies[agency].Side, Agency: l.Text(row, "agency"),
				StartMS: s.startMS, EndMS: s.endMS, agency: agency, part: i < len(up)-1, fixed: true})
		}
		if in.endMS == asOf {
			c.missLook(parts, c.agencies[agency].Side, down)
		}
	}
	if back := (spell{max(from, asOf-int64(c.history.Days*86.4e6)), min(to, asOf)}); back.endMS > back.startMS {
		if !looked {
			parts = c.postCells(l, row)
		}
		up, _ := working(back, outages)
		c.remember(parts, up)
	}
}

// look counts what a post sees for the time of a pass.
func (c *Coverage) look(parts []watched, p Pass) {
	hours := float64(p.EndMS-p.StartMS) / 3.6e6
	for _, part := range parts {
		p.Cell = part.cell
		p.SweptM2 = part.areaM2 * hours * c.Model.PostSweepsPerHour
		p.LowM2, p.HighM2 = p.SweptM2, p.SweptM2
		c.add(p)
		if c.inWindow(p.EndMS) {
			c.watch(part)
		}
	}
}

// missLook marks what a post would have seen while it was out of order.
func (c *Coverage) missLook(parts []watched, side Side, down []spell) {
	areaM2 := 0.0
	for _, part := range parts {
		areaM2 += part.areaM2
	}
	for _, s := range down {
		c.Outages++
		seconds := float64(s.endMS-s.startMS) / 1000
		c.NoDataS += seconds
		for _, part := range parts {
			c.noData(Hole{part.cell, side, s.startMS, s.endMS}, seconds*part.areaM2/areaM2, true)
		}
	}
}

type watched struct {
	cell   Cell
	areaM2 float64
	seen   uint64 // of 8 × 8 places, row-major from the north-west
}

// everywhere is a cell seen as a whole.
const everywhere = ^uint64(0)

// farthestSightM bounds the radius of a post. An area post whose box has more
// than mostPostCells, about 390 km square, counts as a mistake and for nothing.
const (
	farthestSightM = 100_000.0
	mostPostCells  = 100_000
)

// postCells returns the parts of cells that a post watches: a disc round a
// point, the sector of it that a camera faces, or an area. Cells on the edge
// are tested at 8 × 8 places.
func (c *Coverage) postCells(l *geo.Layer, row int) []watched {
	g := l.Geometry(row)
	bound := g.Bound()
	var look func(Cell) uint64
	if center, ok := g.(orb.Point); ok {
		radiusM := l.Number(row, "radius_m")
		if !(radiusM > 0) {
			radiusM = c.Model.PostRadiusM
		}
		radiusM = min(radiusM, farthestSightM)
		lonM, latM := geo.MetresPerDegree(min(85, max(-85, center.Lat())))
		bound = orb.Bound{
			Min: orb.Point{center.Lon() - radiusM/lonM, center.Lat() - radiusM/latM},
			Max: orb.Point{center.Lon() + radiusM/lonM, center.Lat() + radiusM/latM},
		}
		facing := facingOf(l, row)
		inside := func(p orb.Point) bool { return geo.LocalDistanceM(center, p) <= radiusM && facing.covers(center, p) }
		look = func(cell Cell) uint64 {
			b := cell.Bound()
			half := geo.LocalDistanceM(b.Min, b.Max) / 2
			switch d := geo.LocalDistanceM(center, cell.Center()); {
			case d+half <= radiusM && facing.all():
				return everywhere
			case d-half > radiusM:
				return 0
			}
			return placesInside(b, inside)
		}
	}
	nw, se := CellAt(orb.Point{bound.Min.Lon(), bound.Max.Lat()}), CellAt(orb.Point{bound.Max.Lon(), bound.Min.Lat()})
	if int64(se.X-nw.X+1)*int64(se.Y-nw.Y+1) > mostPostCells {
		c.Oversized++
		return nil
	}
	if look == nil {
		return areaCells(geo.NewArea(g), nw, se)
	}
	var out []watched
	for y := nw.Y; y <= se.Y; y++ {
		for x := nw.X; x <= se.X; x++ {
			cell := Cell{x, y}
			if seen := look(cell); seen != 0 {
				out = append(out, watched{cell, float64(bits.OnesCount64(seen)) / 64 * cell.AreaM2(), seen})
			}
		}
	}
	return out
}

// facing is the sector that a fixed camera looks at: halfDeg to either side of
// a bearing clockwise from north.
type facing struct{ bearingDeg, halfDeg float64 }

// facingOf reads the properties bearing_deg and fov_deg; without both a post
// looks all round.
func facingOf(l *geo.Layer, row int) facing {
	bearing, fov := l.Number(row, "bearing_deg"), l.Number(row, "fov_deg")
	if !(fov > 0 && fov < 360) || math.IsNaN(bearing) || math.IsInf(bearing, 0) {
		return facing{0, 180}
	}
	return facing{bearing, fov / 2}
}

func (f facing) all() bool { return f.halfDeg >= 180 }

func (f facing) covers(from, p orb.Point) bool {
	if f.all() {
		return true
	}
	lonM, latM := geo.MetresPerDegree((from.Lat() + p.Lat()) / 2)
	azimuth := math.Atan2(math.Remainder(p.Lon()-from.Lon(), 360)*lonM, (p.Lat()-from.Lat())*latM) * 180 / math.Pi
	return math.Abs(math.Remainder(azimuth-f.bearingDeg, 360)) <= f.halfDeg
}

// areaCells is postCells of an area, by the rows of places in a row of cells.
func areaCells(area *geo.Area, nw, se Cell) (out []watched) {
	const n = 8
	width := int(se.X - nw.X + 1)
	lons, on := make([]float64, n*width), make([]bool, n*width)
	for i := range width {
		b := Cell{nw.X + int32(i), nw.Y}.Bound()
		for column := range n {
			lons[n*i+column] = placeLon(b, column)
		}
	}
	seen := make([]uint64, width)
	for y := nw.Y; y <= se.Y; y++ {
		clear(seen)
		for row := range n {
			area.CoversAlong(placeLat(Cell{nw.X, y}.Bound(), row), lons, on)
			for i, in := range on {
				if in {
					seen[i/n] |= 1 << (row*n + i%n)
				}
			}
		}
		for i, places := range seen {
			if cell := (Cell{nw.X + int32(i), y}); places != 0 {
				out = append(out, watched{cell, float64(bits.OnesCount64(places)) / 64 * cell.AreaM2(), places})
			}
		}
	}
	return out
}

// placeLon and placeLat are where the 8 × 8 places of a cell are.
func placeLon(b orb.Bound, column int) float64 {
	return b.Min[0] + (float64(column)+0.5)/8*(b.Max[0]-b.Min[0])
}

func placeLat(b orb.Bound, row int) float64 {
	return b.Max[1] - (float64(row)+0.5)/8*(b.Max[1]-b.Min[1])
}

func placesInside(b orb.Bound, inside func(orb.Point) bool) (seen uint64) {
	const n = 8
	for row := range n {
		for column := range n {
			if inside(orb.Point{placeLon(b, column), placeLat(b, row)}) {
				seen |= 1 << (row*n + column)
			}
		}
	}
	return seen
}
