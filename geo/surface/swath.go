package surface

import (
	"iter"
	"math"
	"math/bits"

	"github.com/sempadan/sempadan/geo"
)

// A cell's trail keeps what of the cell was seen in the window, on a grid of
// 32 × 32 places (38 m at the equator), and the effort of a few agencies. Only
// cells that somebody passed or saw have one.
type trail struct {
	seen       [seenSide]uint32 // rows from the north, bits from the west
	unmergedM2 float64
	swept      [cellAgencies]float64
	agency     [cellAgencies]uint16
}

const (
	seenSide  = 32
	seenWorld = seenSide << CellLevel // places round the world
)

func (c *Coverage) trailOf(e *Effort) *trail {
	if e.trail == 0 {
		c.trails = append(c.trails, trail{})
		e.trail = int32(len(c.trails))
	}
	return &c.trails[e.trail-1]
}

// addAgency counts the effort of an agency; a fifth one is not kept apart.
func (t *trail) addAgency(agency uint16, m2 float64) {
	for i := range t.swept {
		if t.swept[i] == 0 || t.agency[i] == agency {
			t.agency[i] = agency
			t.swept[i] += m2
			return
		}
	}
}

// watch marks what a post sees of a cell.
func (c *Coverage) watch(part watched) {
	t := c.trailOf(c.cells.Ref(part.cell))
	t.unmergedM2 += part.areaM2
	const each = seenSide / 8
	for row := range seenSide {
		places := uint8(part.seen >> (row / each * 8))
		for column := range 8 {
			if places>>column&1 != 0 {
				t.seen[row] |= (1<<each - 1) << (column * each)
			}
		}
	}
}

// Swath is the area that patrols and posts saw in the window. An area seen
// twice counts once in MergedM2 and twice in UnmergedM2.
type Swath struct {
	MergedM2   float64 // union of the strips half a sweep width to either side
	UnmergedM2 float64 // Σ sweep width · length of track inside, and each post once
	AreaM2     float64 // of the cells asked for
}

// PercentVisible returns 100 · merged / area, and 0 for no area.
func (s Swath) PercentVisible() float64 {
	if s.AreaM2 == 0 {
		return 0
	}
	return 100 * s.MergedM2 / s.AreaM2
}

// PercentBlind returns 100 - PercentVisible.
func (s Swath) PercentBlind() float64 { return 100 - s.PercentVisible() }

// Swath returns the area seen of some cells in m². The union is exact on a grid
// of 32 × 32 places a cell: a place counts when its middle is within half the
// mid sweep width of the track, so a strip narrower than a place (38 m) is right
// on average over many tracks, not for one. A strip reaches into cells beside
// the track; UnmergedM2 counts it where the track is, without round ends.
func (c *Coverage) Swath(cells iter.Seq[Cell]) (s Swath) {
	for cell := range cells {
		area := cell.AreaM2()
		s.AreaM2 += area
		if i := c.cells.At(cell).trail; i > 0 {
			s.add(&c.trails[i-1], area)
		}
	}
	return s
}

// TotalSwath is the Swath of all cells that somebody passed or saw.
func (c *Coverage) TotalSwath() (s Swath) {
	c.cells.Each(func(cell Cell, e *Effort) {
		if e.trail > 0 {
			area := cell.AreaM2()
			s.AreaM2 += area
			s.add(&c.trails[e.trail-1], area)
		}
	})
	return s
}

func (s *Swath) add(t *trail, areaM2 float64) {
	n := 0
	for _, row := range t.seen {
		n += bits.OnesCount32(row)
	}
	s.MergedM2 += areaM2 * float64(n) / (seenSide * seenSide)
	s.UnmergedM2 += t.unmergedM2
}

// spot is a position on the grid of places, x to the east and y to the south.
type spot struct{ x, y float64 }

// strip is what is seen from a straight way: all within radiusM of it, in
// metres from its start a.
type strip struct {
	a, b     spot
	radiusM  float64
	yM       float64 // metres a place
	perXM    float64 // places a metre
	dx, dy   float64 // from a to b
	nx, ny   float64 // from the way to its right edge
	perDY    float64
	vertical bool // it goes north or south at all
}

func newStrip(a, b spot, radiusM, xM, yM float64) strip {
	s := strip{a: a, b: b, radiusM: radiusM, yM: yM, perXM: 1 / xM, dx: (b.x - a.x) * xM, dy: (b.y - a.y) * yM}
	if s.vertical = s.dy != 0; s.vertical {
		length := math.Sqrt(s.dx*s.dx + s.dy*s.dy)
		s.nx, s.ny = -s.dy/length*radiusM, s.dx/length*radiusM
		s.perDY = 1 / s.dy
	}
	return s
}

// placeSizeM returns the size of a place at a latitude.
func placeSizeM(lat float64) (xM, yM float64) {
	lat = max(-maxLat, min(maxLat, lat))
	lonM, latM := geo.MetresPerDegree(lat)
	const deg = 360.0 / seenWorld
	return lonM * deg, latM * deg * math.Cos(lat*math.Pi/180)
}

// span returns the first and last column whose middles are in the strip, in a
// row of places; the first is after the last when there is none.
func (s *strip) span(row int) (first, last int) {
	const none = math.MaxFloat64
	lo, hi := none, -none
	y := (float64(row) + 0.5 - s.a.y) * s.yM
	r2 := s.radiusM * s.radiusM
	if h2 := r2 - y*y; h2 >= 0 {
		hi = math.Sqrt(h2)
		lo = -hi
	}
	if d := y - s.dy; d*d <= r2 {
		h := math.Sqrt(r2 - d*d)
		lo, hi = min(lo, s.dx-h), max(hi, s.dx+h)
	}
	if s.vertical { // the long edges, a ± n to b ± n
		if t := (y - s.ny) * s.perDY; t >= 0 && t <= 1 {
			x := s.nx + t*s.dx
			lo, hi = min(lo, x), max(hi, x)
		}
		if t := (y + s.ny) * s.perDY; t >= 0 && t <= 1 {
			x := t*s.dx - s.nx
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	if lo > hi {
		return 1, 0
	}
	return int(math.Ceil(s.a.x + lo*s.perXM - 0.5)), int(math.Floor(s.a.x + hi*s.perXM - 0.5))
}

// see marks a strip in the cells that it touches.
func (c *Coverage) see(s *strip) {
	reach := s.radiusM / s.yM
	top := max(0, int(math.Floor(min(s.a.y, s.b.y)-reach)))
	bottom := min(seenWorld-1, int(math.Floor(max(s.a.y, s.b.y)+reach)))
	var first, last [seenSide]int
	for cellY := top / seenSide; cellY <= bottom/seenSide; cellY++ {
		west, east := math.MaxInt, math.MinInt
		from, to := max(top, cellY*seenSide), min(bottom, cellY*seenSide+seenSide-1)
		for row := from; row <= to; row++ {
			f, l := s.span(row)
			first[row-from], last[row-from] = f, l
			if f <= l {
				west, east = min(west, f), max(east, l)
			}
		}
		if west > east {
			continue
		}
		for cellX := floorDiv(west); cellX <= floorDiv(east); cellX++ {
			var t *trail
			for row := from; row <= to; row++ {
				f, l := max(0, first[row-from]-cellX*seenSide), min(seenSide-1, last[row-from]-cellX*seenSide)
				if f > l {
					continue
				}
				if t == nil {
					t = c.trailOf(c.cells.Ref(Cell{int32(cellX) & (1<<CellLevel - 1), int32(cellY)}))
				}
				t.seen[row&(seenSide-1)] |= ^uint32(0) >> (seenSide - 1 - (l - f)) << f
			}
		}
	}
}

// floorDiv returns the cell of a column, also west of the dateline.
func floorDiv(column int) int { return column >> 5 }
