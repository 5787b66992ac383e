package tiles

import (
	"image/color"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/sempadan/sempadan/geo"
)

// GapMap is a map for paper: border sections in the colours of GapClasses,
// those of the report numbered by rank.
type GapMap struct {
	Title             string
	Lang              Lang
	WidthMM, HeightMM float64
	Bound             orb.Bound  // what must be on it; it is widened to the sheet
	Land              *geo.Layer // polygons under it all; nil: none
	Coast, Border     *geo.Layer // lines; nil: none
	Sections          []MapSection
	Places            []MapPlace // for orientation; the first have the first claim to room
}

// MapSection is a border section on a GapMap.
type MapSection struct {
	Line  orb.LineString
	Class string // an ID of GapClasses
	Rank  int    // in the report; 0: not in it
	Plain bool   // drawn without its number
}

// MapPlace is an official crossing or a settlement on a GapMap.
type MapPlace struct {
	Name     string
	At       orb.Point
	Crossing bool
}

// What lines and letters measure on paper, in mm.
const (
	gapWidthMM     = 1.5
	sectionWidthMM = 0.7
	rankSizeMM     = 2.1
	placeSizeMM    = 1.9
	hatchMM        = 0.45
	leastDetailMM  = 0.2
	leastSpanDeg   = 0.3
)

func textColour() color.NRGBA { return color.NRGBA{31, 42, 55, 255} }
func white() color.NRGBA      { return color.NRGBA{255, 255, 255, 255} }

// paper places degrees on a sheet: an equirectangular map, true to scale along
// the middle parallel.
type paper struct {
	bound              orb.Bound
	mmPerLon, mmPerLat float64
	mmPerM             float64
	width, height      float64
}

// newPaper fits a box of degrees into a sheet.
func newPaper(b orb.Bound, width, height float64) paper {
	if b.IsEmpty() || math.IsNaN(b.Min[0]+b.Min[1]+b.Max[0]+b.Max[1]) {
		b = orb.Bound{Min: orb.Point{98.8, 0.5}, Max: orb.Point{119.2, 5.2}}
	}
	centre := b.Center()
	centre[1] = max(-80, min(80, centre[1]))
	spanX, spanY := max(b.Max[0]-b.Min[0], leastSpanDeg), max(b.Max[1]-b.Min[1], leastSpanDeg)
	const step = 0.01
	mPerLon := geo.DistanceM(centre, orb.Point{centre[0] + step, centre[1]}) / step
	mPerLat := geo.DistanceM(centre, orb.Point{centre[0], centre[1] + step}) / step
	p := paper{width: width, height: height}
	p.mmPerM = min(width/(spanX*mPerLon), height/(spanY*mPerLat))
	p.mmPerLon, p.mmPerLat = p.mmPerM*mPerLon, p.mmPerM*mPerLat
	half := orb.Point{width / p.mmPerLon / 2, height / p.mmPerLat / 2}
	p.bound = orb.Bound{Min: orb.Point{centre[0] - half[0], centre[1] - half[1]}, Max: orb.Point{centre[0] + half[0], centre[1] + half[1]}}
	return p
}

func (p paper) at(q orb.Point) orb.Point {
	return orb.Point{(q[0] - p.bound.Min[0]) * p.mmPerLon, (p.bound.Max[1] - q[1]) * p.mmPerLat}
}

// line places a line without the detail that paper does not show.
func (p paper) line(l orb.LineString) orb.LineString {
	var out orb.LineString
	for i, q := range l {
		m := p.at(q)
		if n := len(out); n == 0 || i == len(l)-1 || math.Hypot(m[0]-out[n-1][0], m[1]-out[n-1][1]) >= leastDetailMM {
			out = append(out, m)
		}
	}
	return out
}

// Sheet draws the map, and says how many ranks found no room for their number.
func (m GapMap) Sheet() (sheet Sheet, withoutRoom int) {
	p := newPaper(m.Bound, m.WidthMM, m.HeightMM)
	s := Sheet{WidthMM: m.WidthMM, HeightMM: m.HeightMM, Title: m.Title}
	s.fill(parseHex(seaColour, 1), box(0, 0, m.WidthMM, m.HeightMM))
	m.drawGround(&s, p)
	drawn := m.drawSections(&s, p)
	l := labels{frame: orb.Bound{Max: orb.Point{m.WidthMM, m.HeightMM}}, lines: drawn}
	furniture := m.furniture(&l, p)
	withoutRoom = m.number(&s, p, &l)
	m.name(&s, p, &l)
	s.Marks = append(s.Marks, l.top...)
	s.Marks = append(s.Marks, furniture.Marks...)
	s.line(parseHex(coastColour, 1), 0.25, nil, box(0.12, 0.12, m.WidthMM-0.24, m.HeightMM-0.24))
	return s, withoutRoom
}

// drawGround draws land, coast and the border line.
func (m GapMap) drawGround(s *Sheet, p paper) {
	land := parseHex(landColour, 1)
	polygon := func(poly orb.Polygon) {
		var rings []orb.LineString
		for _, r := range poly {
			if out := p.line(orb.LineString(clip.Ring(p.bound, slices.Clone(r)))); len(out) > 3 {
				rings = append(rings, out)
			}
		}
		if len(rings) > 0 { // each by itself: they may overlap
			s.Marks = append(s.Marks, Mark{Paths: rings, Fill: land, Stroke: land, WidthMM: 0.1})
		}
	}
	each(m.Land, p.bound, func(g orb.Geometry) {
		switch g := g.(type) {
		case orb.Polygon:
			polygon(g)
		case orb.MultiPolygon:
			for _, poly := range g {
				polygon(poly)
			}
		}
	})
	if coast := p.lines(m.Coast); len(coast) > 0 {
		s.line(parseHex(coastColour, 1), 0.1, nil, coast...)
	}
	if border := p.lines(m.Border); len(border) > 0 {
		s.line(parseHex(borderColour, 1), 0.3, []float64{1.4, 0.5, 0.4, 0.5}, border...)
	}
}

// lines places the lines of a layer.
func (p paper) lines(l *geo.Layer) (out []orb.LineString) {
	each(l, p.bound, func(g orb.Geometry) {
		switch g := g.(type) {
		case orb.LineString:
			out = append(out, p.clipped(g)...)
		case orb.MultiLineString:
			for _, line := range g {
				out = append(out, p.clipped(line)...)
			}
		}
	})
	return out
}

func (p paper) clipped(l orb.LineString) (out []orb.LineString) {
	for _, part := range clip.LineString(p.bound, slices.Clone(l)) {
		if line := p.line(part); len(line) > 1 {
			out = append(out, line)
		}
	}
	return out
}

// each calls f for the geometries of a layer that meet a box.
func each(l *geo.Layer, b orb.Bound, f func(orb.Geometry)) {
	if l == nil {
		return
	}
	var rows []int
	l.Index().Window(b, func(row int) bool { rows = append(rows, row); return true })
	slices.Sort(rows)
	for _, row := range rows {
		f(l.Geometry(row))
	}
}

// drawSections draws the sections class by class, those of the report on top,
// and returns the lines of these.
func (m GapMap) drawSections(s *Sheet, p paper) (drawn []orb.LineString) {
	classes := GapClasses()
	thin, wide := make([][]orb.LineString, len(classes)), make([][]orb.LineString, len(classes))
	for _, sec := range m.Sections {
		k := slices.IndexFunc(classes, func(c Category) bool { return c.ID == sec.Class })
		if k < 0 {
			continue
		}
		parts := p.clipped(sec.Line)
		if sec.Rank == 0 {
			thin[k] = append(thin[k], parts...)
		} else {
			wide[k] = append(wide[k], parts...)
			drawn = append(drawn, parts...)
		}
	}
	for k := len(classes) - 1; k >= 0; k-- {
		s.classLine(classes[k], sectionWidthMM, thin[k])
	}
	if len(drawn) > 0 {
		s.line(white(), gapWidthMM+0.7, nil, drawn...)
	}
	for k := len(classes) - 1; k >= 0; k-- { // gap and priority blind spot, the first two, on top
		s.classLine(classes[k], gapWidthMM, wide[k])
	}
	return drawn
}

// classLine draws lines of a class; hatched ones have bars across a light ground.
func (s *Sheet) classLine(c Category, widthMM float64, lines []orb.LineString) {
	if len(lines) == 0 {
		return
	}
	if !c.Hatched {
		s.line(onWhite(c.Colour, 1), widthMM, nil, lines...)
		return
	}
	s.line(onWhite(c.Colour, 0.25), widthMM, nil, lines...)
	s.line(onWhite(c.Colour, 1), widthMM, []float64{hatchMM, hatchMM}, lines...)
}

// furniture is the scale bar and the north arrow, with the room they take.
func (m GapMap) furniture(l *labels, p paper) (s Sheet) {
	km := scaleKM(m.WidthMM / 4 / p.mmPerM / 1000)
	length := km * 1000 * p.mmPerM
	x, y := 3.0, m.HeightMM-3
	s.fill(white(), box(1.5, y-6, length+14, 7.5))
	s.fill(textColour(), box(x, y-1, length/2, 1))
	s.Marks = append(s.Marks, Mark{Paths: []orb.LineString{box(x, y-1, length, 1)}, Stroke: textColour(), WidthMM: 0.2})
	letters := Mark{Fill: textColour(), Anchor: AnchorMiddle}
	s.text(orb.Point{x + 0.5, y - 2}, 2.2, letters, "0")
	s.text(orb.Point{x + length, y - 2}, 2.2, Mark{Fill: textColour()}, Number(km, m.Lang)+" km")
	l.taken = append(l.taken, orb.Bound{Min: orb.Point{0, y - 6.5}, Max: orb.Point{length + 16, m.HeightMM}})

	nx := m.WidthMM - 6
	s.fill(white(), disc(orb.Point{nx, 6.2}, 4.6))
	s.fill(textColour(), orb.LineString{{nx, 2.4}, {nx - 1.6, 6.4}, {nx, 5.6}, {nx + 1.6, 6.4}, {nx, 2.4}})
	s.text(orb.Point{nx, 9.4}, 2.6, Mark{Fill: textColour(), Bold: true, Anchor: AnchorMiddle}, Words{"N", "U", "U"}.In(m.Lang))
	l.taken = append(l.taken, orb.Bound{Min: orb.Point{nx - 5, 0}, Max: orb.Point{m.WidthMM, 11.5}})
	return s
}

// scaleKM is the longest of 1, 2, 5 times a power of ten that is not above most.
func scaleKM(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most)))
	for _, f := range []float64{5, 2} {
		if f*power <= most {
			return f * power
		}
	}
	return power
}

// GapLegend explains what a GapMap shows, as rows of a given width.
func GapLegend(lang Lang, widthMM float64) Sheet {
	const column, row, sample = 66.0, 4.6, 10.0
	columns := max(int(widthMM/column), 1)
	s := Sheet{WidthMM: widthMM, Title: Words{"Legend", "Legenda", "Petunjuk"}.In(lang)}
	n := 0
	entry := func(words Words, draw func(x, y float64)) {
		x, y := float64(n%columns)*column+1, float64(n/columns)*row+row/2
		draw(x, y)
		s.text(orb.Point{x + sample + 2, y + 0.9}, 2.7, Mark{Fill: textColour()}, words.In(lang))
		n++
	}
	for _, c := range GapClasses() {
		entry(c.Label, func(x, y float64) { s.classLine(c, 2, []orb.LineString{{{x, y}, {x + sample, y}}}) })
	}
	entry(Words{"rank of a gap in the report", "peringkat celah dalam laporan", "kedudukan jurang dalam laporan"}, func(x, y float64) {
		s.badge(orb.Point{x + 2.4, y}, 3, classColour("gap"))
		s.badge(orb.Point{x + 7, y}, 24, classColour("gap"))
	})
	entry(Words{"official crossing", "perlintasan resmi", "lintasan rasmi"}, func(x, y float64) { s.crossing(orb.Point{x + sample/2, y}) })
	entry(Words{"settlement", "permukiman", "petempatan"}, func(x, y float64) { s.fill(parseHex(labelColour, 1), disc(orb.Point{x + sample/2, y}, 0.5)) })
	entry(Words{"land border", "perbatasan darat", "sempadan darat"}, func(x, y float64) {
		s.line(parseHex(borderColour, 1), 0.3, []float64{1.4, 0.5, 0.4, 0.5}, orb.LineString{{x, y}, {x + sample, y}})
	})
	s.HeightMM = math.Ceil(float64(n)/float64(columns)) * row
	return s
}

// GapSwatch is a sample of a class as a GapMap draws it.
func GapSwatch(c Category, lang Lang) Sheet {
	s := Sheet{WidthMM: 8, HeightMM: 2.4, Title: c.Label.In(lang)}
	s.classLine(c, 2, []orb.LineString{{{1, 1.2}, {7, 1.2}}})
	return s
}

// GapColour is the colour of a class of GapClasses on paper.
func GapColour(id string) color.NRGBA { return classColour(id) }

func classColour(id string) color.NRGBA {
	for _, c := range GapClasses() {
		if c.ID == id {
			return onWhite(c.Colour, 1)
		}
	}
	return textColour()
}
