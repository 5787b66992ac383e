package tiles

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// Sheet is a drawing for paper, in millimetres from its upper left corner.
// Later marks lie on top. Colours are opaque, so that every printer and every
// form of the page shows the same.
type Sheet struct {
	WidthMM, HeightMM float64
	Title             string // for those who do not see it
	Marks             []Mark
}

// Mark is one thing on a sheet: an area or lines, or a text.
type Mark struct {
	// Paths are the rings of an area, which fill by the even-odd rule, or
	// lines; a text stands at the first point of the first.
	Paths   []orb.LineString
	Fill    color.NRGBA // of area and text; A 0: none
	Stroke  color.NRGBA // of the outline, and round the letters of a text; A 0: none
	WidthMM float64     // of the stroke
	DashMM  []float64   // lengths of dashes and gaps; nil: drawn through

	Text   string
	SizeMM float64 // of the letters
	Bold   bool
	Anchor Anchor
}

// Anchor is the part of a text that stands at its point.
type Anchor string

// The anchors.
const (
	AnchorStart  Anchor = "start"
	AnchorMiddle Anchor = "middle"
	AnchorEnd    Anchor = "end"
)

// SVG returns the sheet as a picture of its size in millimetres, to stand in a
// page of HTML: presentation attributes only, no style and no identifiers.
func (s Sheet) SVG() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s" width="%smm" height="%smm" viewBox="0 0 %d %d">`,
		html.EscapeString(s.Title), decimals(s.WidthMM), decimals(s.HeightMM), hundredths(s.WidthMM), hundredths(s.HeightMM))
	for _, m := range s.Marks {
		if m.Text != "" {
			m.textSVG(&b)
		} else {
			m.pathSVG(&b)
		}
	}
	b.WriteString("</svg>")
	return []byte(b.String())
}

// hundredths are the units of the picture: whole numbers are short.
func hundredths(mm float64) int { return int(math.Round(mm * 100)) }

func decimals(mm float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(mm, 'f', 2, 64), "0"), ".")
}

func (m Mark) textSVG(b *strings.Builder) {
	if len(m.Paths) == 0 || len(m.Paths[0]) == 0 {
		return
	}
	at := m.Paths[0][0]
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%d" fill="%s"`, hundredths(at[0]), hundredths(at[1]), hundredths(m.SizeMM), hex(m.Fill))
	if m.Bold {
		b.WriteString(` font-weight="700"`)
	}
	if m.Anchor == AnchorMiddle || m.Anchor == AnchorEnd {
		fmt.Fprintf(b, ` text-anchor="%s"`, m.Anchor)
	}
	if m.Stroke.A > 0 {
		fmt.Fprintf(b, ` stroke="%s" stroke-width="%d" stroke-linejoin="round" paint-order="stroke"`, hex(m.Stroke), hundredths(m.WidthMM))
	}
	fmt.Fprintf(b, `>%s</text>`, html.EscapeString(m.Text))
}

func (m Mark) pathSVG(b *strings.Builder) {
	b.WriteString(`<path d="`)
	for _, path := range m.Paths {
		px, py := 0, 0
		for i, p := range path {
			x, y := hundredths(p[0]), hundredths(p[1])
			switch i {
			case 0:
				fmt.Fprintf(b, "M%d %d", x, y)
			case 1:
				fmt.Fprintf(b, "l%d %d", x-px, y-py)
			default:
				fmt.Fprintf(b, " %d %d", x-px, y-py)
			}
			px, py = x, y
		}
		if m.Fill.A > 0 {
			b.WriteByte('z')
		}
	}
	b.WriteString(`" fill="`)
	if m.Fill.A > 0 {
		fmt.Fprintf(b, `%s" fill-rule="evenodd"`, hex(m.Fill))
	} else {
		b.WriteString(`none"`)
	}
	if m.Stroke.A > 0 {
		fmt.Fprintf(b, ` stroke="%s" stroke-width="%d" stroke-linejoin="round"`, hex(m.Stroke), hundredths(m.WidthMM))
		if m.DashMM == nil && m.Fill.A == 0 {
			b.WriteString(` stroke-linecap="round"`)
		}
	}
	for i, d := range m.DashMM {
		if i == 0 {
			b.WriteString(` stroke-dasharray="`)
		} else {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(hundredths(d)))
	}
	if m.DashMM != nil {
		b.WriteByte('"')
	}
	b.WriteString("/>")
}

// fill adds an area.
func (s *Sheet) fill(c color.NRGBA, rings ...orb.LineString) {
	s.Marks = append(s.Marks, Mark{Paths: rings, Fill: c})
}

// line adds lines, drawn through unless dashes are given.
func (s *Sheet) line(c color.NRGBA, widthMM float64, dashMM []float64, lines ...orb.LineString) {
	s.Marks = append(s.Marks, Mark{Paths: lines, Stroke: c, WidthMM: widthMM, DashMM: dashMM})
}

// text adds a text; halo is the ground that shows round its letters, or none.
func (s *Sheet) text(at orb.Point, sizeMM float64, m Mark, text string) {
	m.Paths, m.SizeMM, m.Text = []orb.LineString{{at}}, sizeMM, text
	if m.Stroke.A > 0 {
		m.WidthMM = sizeMM / 4
	}
	s.Marks = append(s.Marks, m)
}

func box(x, y, w, h float64) orb.LineString {
	return orb.LineString{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}, {x, y}}
}

// disc is a circle as a polygon, round enough for paper.
func disc(at orb.Point, radius float64) orb.LineString {
	const corners = 24
	out := make(orb.LineString, 0, corners+1)
	for i := range corners + 1 {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		out = append(out, orb.Point{at[0] + radius*cos, at[1] + radius*sin})
	}
	return out
}

// onWhite is what a colour looks like on paper.
func onWhite(c color.NRGBA, strength float64) color.NRGBA {
	a := float64(c.A) / 255 * strength
	mix := func(v uint8) uint8 { return uint8(math.Round(float64(v)*a + 255*(1-a))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}
