package surface

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

const (
	// longLegM is from where a leg is cut along the geodesic, straightM up to
	// where it is not, wherever it is.
	longLegM, straightM = 5000.0, 1000.0
	// longestStayMS ends a stay, so that what it adds to presence fades by its
	// own age.
	longestStayMS = 6 * 3_600_000
	// holeEndM is how far from either end the straight way of a hole is
	// marked.
	holeEndM = 100_000.0
	// farthestSeenM bounds half a sweep width in the merged swath.
	farthestSeenM = 50_000.0
)

// fix is a vertex of a track: where in degrees, and where on the world raster
// of cells.
type fix struct {
	at   orb.Point
	x, y float64
}

func fixAt(p orb.Point) fix {
	const n = 1 << CellLevel
	return fix{p, worldX(p.Lon()) * n, worldY(p.Lat()) * n}
}

// tracker adds the legs of one track to the coverage.
type tracker struct {
	c          *Coverage
	day, night Widths
	outages    []spell
	stay       Pass // the pass under way; none while staying is false
	staying    bool

	// The strip under way goes from seenFrom to seenTo, seenM metres, and may
	// go on between the directions left and right; pending says that it is not
	// drawn.
	seenFrom, seenTo  fix
	seenWidthM, seenM float64
	left, right       [2]float64
	seeing, pending   bool
	drawn             strip // the one before, which this goes on from; zero: none
	scaleRow          int32
	placeXM, placeYM  float64
}

// addTrack adds one track: a line with a time at each fix, or a place with the
// time of one fix or of a stay. What is after AsOf has not happened. A leg that
// is silent for too long, goes back in time, is too fast, or falls in an outage
// of the device is no data.
func (c *Coverage) addTrack(l *geo.Layer, row int, agency uint16) {
	c.Tracks++
	t := tracker{c: c, scaleRow: -1, outages: outagesOf(l, row)}
	t.stay = Pass{Side: c.agencies[agency].Side, Agency: l.Text(row, "agency"), agency: agency}
	from, to, timed := l.TimesMS(row)
	switch g := l.Geometry(row).(type) {
	case orb.LineString:
		times := l.VertexTimesMS(row)
		if timed = len(times) == len(g) && len(g) > 0; timed {
			from, to = slices.Min(times), slices.Max(times)
			t.day, t.night = c.widthsOf(l, row)
			t.walk(g, times)
		}
	case orb.Point:
		if timed {
			t.day, t.night = c.widthsOf(l, row)
			t.stand(fixAt(g), spell{from, to})
		}
	default:
		timed = false
	}
	if !timed {
		c.Untimed++
		return
	}
	t.endStay()
	t.endStrip()
	for _, o := range t.outages {
		if s, in := c.inside(o); in && s.startMS < to && s.endMS > from {
			c.Outages++
		}
	}
}

// walk adds the legs between the fixes up to AsOf; one fix alone is a stay.
func (t *tracker) walk(line orb.LineString, times []int64) {
	c := t.c
	var a fix
	var lastMS int64
	fixes := 0
	for i, ms := range times {
		if ms > c.asOfMS {
			continue
		}
		b := fixAt(line[i])
		if fixes++; fixes == 1 {
			a, lastMS = b, ms
			continue
		}
		lengthM := geo.LocalDistanceM(a.at, b.at)
		if lengthM > longLegM {
			lengthM = geo.DistanceM(a.at, b.at)
		}
		if lengthM < c.Model.StillM {
			b, lengthM = a, 0
		}
		in := spell{lastMS, ms}
		seconds := float64(in.endMS-in.startMS) / 1000
		switch {
		case overlaps(t.outages, in):
			t.hole(a, b, lengthM, in)
		case seconds > c.Model.MaxSilenceMin*60 || seconds < 0:
			c.SilentLegs++
			t.hole(a, b, lengthM, in)
		case lengthM > c.Model.MaxSpeedMS*max(seconds, 1):
			c.Jumps++
			t.hole(a, b, lengthM, in)
		default:
			c.LengthM += lengthM
			t.leg(a, b, lengthM, in)
		}
		a, lastMS = b, ms
	}
	if fixes == 1 {
		t.stand(a, spell{lastMS, lastMS})
	}
}

// stand adds a stay at one place for a time: presence, and what can be seen
// from there, but no way swept.
func (t *tracker) stand(at fix, in spell) {
	c := t.c
	in.endMS = min(in.endMS, c.asOfMS)
	in.startMS = max(in.startMS, min(in.endMS, c.asOfMS-2*c.windowMS))
	if in.endMS < in.startMS {
		return
	}
	up, down := working(in, t.outages)
	for _, s := range up {
		for from, last := s.startMS, false; !last; from += longestStayMS {
			to := min(s.endMS, from+longestStayMS)
			last = to == s.endMS
			t.leg(at, at, 0, spell{from, to})
			t.endStay()
		}
	}
	for _, s := range down {
		t.hole(at, at, 0, s)
	}
}

// widthsOf returns the sweep widths of a track by day and by night. A width
// that the track states itself holds for both.
func (c *Coverage) widthsOf(l *geo.Layer, row int) (day, night Widths) {
	if w := l.Number(row, "sweep_width_m"); w >= 0 {
		return Widths{w, w, w}, Widths{w, w, w}
	}
	fatigued, _ := l.Value(row, "fatigued").(bool)
	in := Conditions{
		Mode: l.Text(row, "mode"), Target: l.Text(row, "target"), Terrain: l.Text(row, "terrain"),
		WindKT: l.Number(row, "wind_kt"), SeaFT: l.Number(row, "sea_ft"), Fatigued: fatigued,
	}
	day = c.Model.WidthsIn(in)
	in.Night = true
	return day, c.Model.WidthsIn(in)
}

// localHour is the hour of the day by the sun, 0 to 23.
func localHour(ms int64, lon float64) int {
	const day = 86_400_000
	ofDay := (ms%day + int64(lon*(day/360)) + 2*day) % day
	return int(ofDay / 3_600_000)
}

// leg adds the way between two fixes.
func (t *tracker) leg(a, b fix, lengthM float64, in spell) {
	w, from, to := t.day, in.startMS, in.endMS
	if isNight(localHour(from, a.at.Lon())) {
		w = t.night
	}
	alongGeodesic(a, b, lengthM, func(p, q fix, s0, s1 float64) {
		splitByCell(p, q, func(cell Cell, t0, t1 float64) {
			t0, t1 = s0+t0*(s1-s0), s0+t1*(s1-s0)
			t.pass(cell, w, (t1-t0)*lengthM, from+int64(t0*float64(to-from)), from+int64(t1*float64(to-from)))
		})
		if t.c.inWindow(to) {
			t.seeTo(p, q, w.MidM)
		}
	})
}

// pass goes on with the stay in a cell or begins a new one.
func (t *tracker) pass(cell Cell, w Widths, lengthM float64, startMS, endMS int64) {
	s := &t.stay
	if !t.staying || s.Cell != cell || endMS-s.StartMS > longestStayMS || t.c.ageOf(endMS) != t.c.ageOf(s.EndMS) {
		t.endStay()
		s.Cell, s.StartMS = cell, startMS
		s.LengthM, s.SweptM2, s.LowM2, s.HighM2 = 0, 0, 0, 0
		t.staying = true
	}
	s.EndMS = endMS
	s.LengthM += lengthM
	s.SweptM2 += w.MidM * lengthM
	s.LowM2 += w.LowM * lengthM
	s.HighM2 += w.HighM * lengthM
}

// ageOf tells the window, the one before it and all before that apart.
func (c *Coverage) ageOf(ms int64) int64 {
	switch age := c.asOfMS - ms; {
	case age <= c.windowMS:
		return 0
	case age <= 2*c.windowMS:
		return 1
	}
	return 2
}

func (t *tracker) endStay() {
	if !t.staying {
		return
	}
	t.staying = false
	t.c.add(t.stay)
	if s := t.stay; s.SweptM2 > 0 && t.c.inWindow(s.EndMS) {
		t.c.trails.of(s.Cell).unmergedM2 += s.SweptM2
	}
}

// seeTo adds a way to the strip under way, which is drawn once the way bends:
// straight ways, dense fixes and a patrol that stands still cost little. What
// is left out is within 1/32 of half the width, or a quarter of a place,
// of what is drawn.
func (t *tracker) seeTo(a, b fix, widthM float64) {
	if widthM != t.seenWidthM || !t.seeing || a != t.seenTo {
		t.endStrip()
		t.seenFrom, t.seenTo, t.seenWidthM, t.seeing = a, a, widthM, true
	}
	if !t.extend(b) {
		t.draw()
		t.extend(b)
	}
}

// extend makes the strip under way end at b, unless that would leave out a
// place on the way: each place narrows the directions to go on by the slack to
// either side of it.
func (t *tracker) extend(b fix) bool {
	t.scale(b)
	const n = seenSide
	x, y := (b.x-t.seenFrom.x)*n*t.placeXM, (b.y-t.seenFrom.y)*n*t.placeYM
	d := math.Sqrt(x*x + y*y)
	slackM := t.slackM()
	if t.seenM > 0 && (d < t.seenM || d > longLegM || cross(t.right, x, y) < 0 || cross(t.left, x, y) > 0) {
		return false
	}
	t.seenTo, t.pending = b, true
	if d <= slackM {
		return true
	}
	sx, sy := -y/d*slackM, x/d*slackM
	if t.seenM == 0 || cross(t.left, x+sx, y+sy) < 0 {
		t.left = [2]float64{x + sx, y + sy}
	}
	if t.seenM == 0 || cross(t.right, x-sx, y-sy) > 0 {
		t.right = [2]float64{x - sx, y - sy}
	}
	t.seenM = d
	return true
}

// cross is positive where (x, y) lies to the side of the y axis from v.
func cross(v [2]float64, x, y float64) float64 { return v[0]*y - v[1]*x }

// scale notes the size of a place at the row of cells of a fix.
func (t *tracker) scale(at fix) {
	if row := int32(at.y); row != t.scaleRow {
		t.scaleRow = row
		t.placeXM, t.placeYM = placeSizeM(at.at.Lat())
	}
}

func (t *tracker) draw() {
	if t.seenWidthM > 0 {
		s := t.strip(t.seenFrom, t.seenTo)
		if t.drawn.radiusM > 0 {
			s.after(&t.drawn, t.slackM())
		}
		t.c.see(&s)
		t.drawn = s
	}
	t.seenFrom, t.seenM, t.pending = t.seenTo, 0, false
}

// strip is what is seen between two fixes with the width under way.
func (t *tracker) strip(a, b fix) strip {
	const n = seenSide
	b.x -= math.Round((b.x-a.x)/(1<<CellLevel)) * (1 << CellLevel)
	return newStrip(spot{a.x * n, a.y * n}, spot{b.x * n, b.y * n}, min(t.seenWidthM/2, farthestSeenM), t.placeXM, t.placeYM)
}

func (t *tracker) slackM() float64 { return max(t.placeXM/4, t.seenWidthM/64) }

func (t *tracker) endStrip() {
	if t.seeing && t.pending {
		t.draw()
	}
	if t.drawn.flat {
		end := t.strip(t.seenTo, t.seenTo)
		t.c.see(&end)
	}
	t.drawn = strip{}
	t.seeing, t.pending, t.seenM = false, false, 0
}

// hole marks the straight way of a leg that is no data, as far as its time is
// in the window: of a long one only the parts near its ends.
func (t *tracker) hole(a, b fix, lengthM float64, in spell) {
	t.endStay()
	t.endStrip()
	c := t.c
	if !c.inWindow(max(in.startMS, in.endMS)) {
		return
	}
	missed, _ := c.inside(in)
	seconds := max(0, float64(missed.endMS-missed.startMS)/1000)
	c.NoDataS += seconds
	// Of a cell that a cut of the leg falls in, the leg counts once.
	last, began := Cell{}, false
	alongGeodesic(a, b, lengthM, func(p, q fix, s0, s1 float64) {
		if s1*lengthM > holeEndM && (1-s0)*lengthM > holeEndM {
			return
		}
		splitByCell(p, q, func(cell Cell, t0, t1 float64) {
			c.noData(Hole{cell, t.stay.Side, missed.startMS, missed.endMS}, (t1-t0)*(s1-s0)*seconds, !began || cell != last)
			last, began = cell, true
		})
	})
}

// alongGeodesic yields a leg in parts of at most longLegM, shorter far from the
// equator, with the shares of its length where each begins and ends.
func alongGeodesic(a, b fix, lengthM float64, yield func(p, q fix, s0, s1 float64)) {
	n := 1.0
	if lengthM > straightM {
		n = math.Ceil(lengthM / partM(max(math.Abs(a.at.Lat()), math.Abs(b.at.Lat()))))
	}
	if n <= 1 {
		yield(a, b, 0, 1)
		return
	}
	_, azimuth, _ := geo.Inverse(a.at, b.at)
	p := a
	for k := 1.0; k <= n; k++ {
		q := b
		if k < n {
			at, _ := geo.Direct(a.at, azimuth, k/n*lengthM)
			q = fixAt(at)
		}
		yield(p, q, (k-1)/n, k/n)
		p = q
	}
}

// partM is how long a part of a leg may be at a latitude. A geodesic of length
// L leaves the straight line in Web Mercator by L² tan φ / 8R at most, which is
// to be 5 cm.
func partM(lat float64) float64 {
	const offM, radiusM = 0.05, 6.37e6
	return min(longLegM, max(straightM, math.Sqrt(8*radiusM*offM/math.Tan(min(maxLat, lat)*math.Pi/180))))
}

// splitByCell yields the cells that a short leg passes with the shares of its
// length where it enters and leaves each. Where a leg of a few kilometres meets
// the grid is found on the straight line in Web Mercator; a share t of that is
// the share t + d·(t² - t) of the length, as the scale goes from cos φ₀ to
// cos φ₁ and d is their difference over their sum.
func splitByCell(a, b fix, yield func(c Cell, t0, t1 float64)) {
	const n = 1 << CellLevel
	bx := b.x - math.Round((b.x-a.x)/n)*n // the short way, also over the dateline
	cell := func(x, y float64) Cell {
		return Cell{int32(math.Floor(x)) & (n - 1), max(0, min(n-1, int32(math.Floor(y))))}
	}
	if math.Floor(a.x) == math.Floor(bx) && math.Floor(a.y) == math.Floor(b.y) {
		yield(cell(a.x, a.y), 0, 1)
		return
	}
	var few [16]float64
	cuts := append(few[:0], 0, 1)
	cuts = appendCrossings(cuts, a.x, bx)
	cuts = appendCrossings(cuts, a.y, b.y)
	slices.Sort(cuts)
	scaleA, scaleB := math.Cos(a.at.Lat()*math.Pi/180), math.Cos(b.at.Lat()*math.Pi/180)
	d := 0.0
	if sum := scaleA + scaleB; sum > 0 {
		d = (scaleB - scaleA) / sum
	}
	s0 := 0.0
	for i := 1; i < len(cuts); i++ {
		t0, t1 := cuts[i-1], cuts[i]
		if t1 == t0 {
			continue
		}
		s1 := t1 + d*(t1*t1-t1)
		mid := (t0 + t1) / 2
		yield(cell(a.x+mid*(bx-a.x), a.y+mid*(b.y-a.y)), s0, s1)
		s0 = s1
	}
}

func appendCrossings(cuts []float64, a, b float64) []float64 {
	if a == b {
		return cuts
	}
	lo, hi := min(a, b), max(a, b)
	for k := math.Ceil(lo); k < hi; k++ {
		if t := (k - a) / (b - a); t > 0 && t < 1 {
			cuts = append(cuts, t)
		}
	}
	return cuts
}
