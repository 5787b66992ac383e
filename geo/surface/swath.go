package surface

import (
	"iter"
	"math"
	"math/bits"
	"slices"

	"github.com/sempadan/sempadan/geo"
)

// A cell's trail keeps what of the cell was seen in the window, on a grid of
// 32 × 32 places (38 m at the equator), and the effort of a few agencies. Only
// cells that somebody passed or saw have one.
type trail struct {
	seen       [seenSide]uint32 // rows from the north, bits from the west
	whole      uint32           // rows of which every place is seen
	unmergedM2 float64
	swept      [cellAgencies]float64
	agency     [cellAgencies]uint16
}

const (
	seenSide  = 32
	seenWorld = seenSide << CellLevel // places round the world
)

// trails holds the trails by cell, in chunks, so that more of them move none.
type trails struct {
	places *Field[int32] // counted from 1; 0: none
	chunks []*[trailChunk]trail
	n      int32
}

const trailChunk = 4096

func (t *trails) at(place int32) *trail { return &t.chunks[(place-1)/trailChunk][(place-1)%trailChunk] }

// find returns a cell's trail, nil when it has none.
func (t *trails) find(c Cell) *trail {
	if place := t.places.At(c); place > 0 {
		return t.at(place)
	}
	return nil
}

// of returns a cell's trail, made on first use.
func (t *trails) of(c Cell) *trail {
	place := t.places.Ref(c)
	if *place == 0 {
		if t.n%trailChunk == 0 {
			t.chunks = append(t.chunks, new([trailChunk]trail))
		}
		t.n++
		*place = t.n
	}
	return t.at(*place)
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
	t := c.trails.of(part.cell)
	t.unmergedM2 += part.areaM2
	const each = seenSide / 8
	for row := range seenSide {
		places := uint8(part.seen >> (row / each * 8))
		for column := range 8 {
			if places>>column&1 != 0 {
				t.mark(row, (1<<each-1)<<(column*each))
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
		if t := c.trails.find(cell); t != nil {
			s.add(t, area)
		}
	}
	return s
}

// TotalSwath is the Swath of all cells that somebody passed or saw.
func (c *Coverage) TotalSwath() (s Swath) {
	c.trails.places.Each(func(cell Cell, place *int32) {
		if *place > 0 {
			area := cell.AreaM2()
			s.AreaM2 += area
			s.add(c.trails.at(*place), area)
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

// strip is what is seen from a straight way: all within radiusM of it, or, of a
// flat one, only what lies straight to its right and left. In metres from its
// start a.
type strip struct {
	a, b     spot
	radiusM  float64
	xM, yM   float64 // metres a place
	dx, dy   float64 // from a to b
	nx, ny   float64 // from the way to its right edge
	perDY    float64
	slope    float64 // of the flat ends, x by y
	flat     bool
	vertical bool // it goes north or south at all
}

func newStrip(a, b spot, radiusM, xM, yM float64) strip {
	s := strip{a: a, b: b, radiusM: radiusM, xM: xM, yM: yM, dx: (b.x - a.x) * xM, dy: (b.y - a.y) * yM}
	if length := math.Hypot(s.dx, s.dy); length > 0 {
		s.nx, s.ny = -s.dy/length*radiusM, s.dx/length*radiusM
	}
	if s.vertical = s.dy != 0; s.vertical {
		s.perDY = 1 / s.dy
	}
	return s
}

// after makes a strip flat that goes on from one with round ends, or another
// flat one, when the bend between them is small: it begins so far back that the
// outer side of the bend is covered, with slackM too much at most. What is left
// out is then seen from the strip before.
func (s *strip) after(before *strip, slackM float64) {
	r2 := s.radiusM * s.radiusM
	cos := (s.nx*before.nx + s.ny*before.ny) / r2
	sin := math.Abs(s.nx*before.ny-s.ny*before.nx) / r2
	lengthM := math.Abs(before.dx*before.ny-before.dy*before.nx) / s.radiusM
	if !(cos > 0 && s.radiusM*sin*sin/2 <= slackM && 2*s.radiusM*sin <= lengthM) {
		return
	}
	backX, backY := -s.ny*sin, s.nx*sin
	s.a.x, s.a.y = s.a.x+backX/s.xM, s.a.y+backY/s.yM
	s.dx, s.dy = s.dx-backX, s.dy-backY
	if s.flat = true; s.vertical {
		s.perDY = 1 / s.dy
	}
	if s.ny != 0 {
		s.slope = s.nx / s.ny
	}
}

// reach is how far a strip goes beyond the box of its way, in places.
func (s *strip) reach() (x, y float64) {
	if s.flat {
		return math.Abs(s.nx) / s.xM, math.Abs(s.ny) / s.yM
	}
	return s.radiusM / s.xM, s.radiusM / s.yM
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
	if s.flat {
		if reach := math.Abs(s.ny); math.Abs(y) <= reach {
			lo = y * s.slope
			hi = lo
		}
		if reach := math.Abs(s.ny); math.Abs(y-s.dy) <= reach {
			x := s.dx + (y-s.dy)*s.slope
			lo, hi = min(lo, x), max(hi, x)
		}
	} else {
		r2 := s.radiusM * s.radiusM
		if h2 := r2 - y*y; h2 >= 0 {
			hi = math.Sqrt(h2)
			lo = -hi
		}
		if d := y - s.dy; d*d <= r2 {
			h := math.Sqrt(r2 - d*d)
			lo, hi = min(lo, s.dx-h), max(hi, s.dx+h)
		}
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
	return int(math.Ceil(s.a.x + lo/s.xM - 0.5)), int(math.Floor(s.a.x + hi/s.xM - 0.5))
}

// see marks a strip in the cells that it touches, and leaves alone the rows of
// which all is seen: on a beat that is patrolled every day, most.
func (c *Coverage) see(s *strip) {
	reachX, reachY := s.reach()
	west := floorDiv(int(math.Floor(min(s.a.x, s.b.x) - reachX)))
	east := floorDiv(int(math.Floor(max(s.a.x, s.b.x) + reachX)))
	top := max(0, int(math.Floor(min(s.a.y, s.b.y)-reachY)))
	bottom := min(seenWorld-1, int(math.Floor(max(s.a.y, s.b.y)+reachY)))
	c.near = slices.Grow(c.near[:0], east-west+1)[:east-west+1]
	for cellY := top / seenSide; cellY <= bottom/seenSide; cellY++ {
		from, to := max(0, top-cellY*seenSide), min(seenSide-1, bottom-cellY*seenSide)
		whole := c.trailsNear(cellY, west)
		for row := from; row <= to; row++ {
			if whole>>row&1 != 0 {
				continue
			}
			first, last := s.span(cellY*seenSide + row)
			for x := floorDiv(first); first <= last; x++ {
				t := c.near[x-west]
				if t == nil {
					t = c.trails.of(wrapped(x, cellY))
					c.near[x-west] = t
				}
				end := min(last, x*seenSide+seenSide-1)
				t.mark(row, ^uint32(0)>>(seenSide-1-(end-first))<<(first&(seenSide-1)))
				first = end + 1
			}
		}
	}
}

// trailsNear looks up the trails of a row of cells, nil for those without, and
// returns the rows of places that all of them have seen whole.
func (c *Coverage) trailsNear(cellY, west int) (whole uint32) {
	whole = ^uint32(0)
	for k := range c.near {
		c.near[k] = nil
		if place := c.trails.places.find(wrapped(west+k, cellY)); place != nil && *place > 0 {
			c.near[k] = c.trails.at(*place)
			whole &= c.near[k].whole
		} else {
			whole = 0
		}
	}
	return whole
}

func (t *trail) mark(row int, places uint32) {
	if t.seen[row] |= places; t.seen[row] == ^uint32(0) {
		t.whole |= 1 << row
	}
}

// wrapped is a cell that may be counted beyond the dateline.
func wrapped(x, y int) Cell { return Cell{int32(x) & (1<<CellLevel - 1), int32(y)} }

// floorDiv returns the cell of a column, also west of the dateline.
func floorDiv(column int) int { return column >> 5 }
