package api

import (
	"bytes"
	"fmt"
	"image/color"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"github.com/sempadan/sempadan/tiles"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// The page, A4 across, and its letters in points.
const (
	pageWidthMM  = 297.0
	pageHeightMM = 210.0
	marginMM     = (pageWidthMM - briefingWidthMM) / 2
	topMM        = 17.0
	bottomMM     = pageHeightMM - 13
	textPt       = 9.0
	tablePt      = 7.0
	mmPerPt      = 25.4 / 72
	leading      = 1.28
)

var (
	pdfInk    = color.NRGBA{31, 42, 55, 255}
	pdfMuted  = color.NRGBA{82, 96, 109, 255}
	pdfAccent = color.NRGBA{107, 74, 120, 255}
	pdfAlarm  = color.NRGBA{138, 21, 56, 255}
	pdfRule   = color.NRGBA{196, 207, 215, 255}
)

// pdf lays the report out on pages. The numbers of the pages come from a first
// laying out.
func (b briefing) pdf() ([]byte, error) {
	glyphs, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font of the report: %w", err)
	}
	total := 0
	for {
		p := newPDF(&b, glyphs, total)
		p.lay()
		if n := p.f.PageCount(); n != total && total == 0 {
			total = n
			continue
		}
		var out bytes.Buffer
		if err := p.f.Output(&out); err != nil {
			return nil, fmt.Errorf("write the report as PDF: %w", err)
		}
		return out.Bytes(), nil
	}
}

// pdfWriter lays out pages from the top; y is where the next thing goes, in mm.
type pdfWriter struct {
	b      *briefing
	f      *fpdf.Fpdf
	glyphs *sfnt.Font
	buffer sfnt.Buffer
	total  int
	y      float64
}

func newPDF(b *briefing, glyphs *sfnt.Font, total int) *pdfWriter {
	f := fpdf.New("L", "mm", "A4", "")
	p := &pdfWriter{b: b, f: f, glyphs: glyphs, total: total}
	f.SetCatalogSort(true)
	f.SetCreationDate(b.Instant)
	f.SetModificationDate(b.Instant)
	f.SetProducer("sempadan", true)
	f.SetTitle(p.printable(b.Title+", "+b.AsOf.Text), true)
	f.SetSubject(p.printable(b.Lead), true)
	f.SetLang(string(b.Lang))
	f.SetAutoPageBreak(false, 0)
	f.SetMargins(0, 0, 0)
	f.SetCellMargin(0)
	f.AddUTF8FontFromBytes("go", "", goregular.TTF)
	f.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	return p
}

// printable keeps to the characters that the font has.
func (p *pdfWriter) printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.Is(unicode.C, r) {
			return -1
		}
		if i, err := p.glyphs.GlyphIndex(&p.buffer, r); err != nil || i == 0 {
			return '?'
		}
		return r
	}, s)
}

// style is how a text looks.
type pdfStyle struct {
	pt   float64
	bold bool
	ink  color.NRGBA
}

func (s pdfStyle) lineMM() float64 { return s.pt * mmPerPt * leading }

func (p *pdfWriter) use(s pdfStyle) {
	style := ""
	if s.bold {
		style = "B"
	}
	p.f.SetFont("go", style, s.pt)
	p.f.SetTextColor(int(s.ink.R), int(s.ink.G), int(s.ink.B))
}

// put writes a text on one line; y is its base line.
func (p *pdfWriter) put(x, y float64, s pdfStyle, text string) {
	p.use(s)
	p.f.Text(x, y, p.printable(text))
}

func (p *pdfWriter) putRight(x, y float64, s pdfStyle, text string) {
	p.use(s)
	text = p.printable(text)
	p.f.Text(x-p.f.GetStringWidth(text), y, text)
}

// wrap breaks a text into lines that are at most width wide.
func (p *pdfWriter) wrap(text string, width float64, s pdfStyle) (lines []string) {
	p.use(s)
	line := ""
	for _, word := range strings.Fields(p.printable(text)) {
		if joined := strings.TrimPrefix(line+" "+word, " "); p.f.GetStringWidth(joined) <= width {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; p.f.GetStringWidth(line) > width; {
			n := len(line)
			for i := range line {
				if i > 0 && p.f.GetStringWidth(line[:i]) > width {
					break
				}
				if i > 0 {
					n = i
				}
			}
			if n == len(line) {
				break // not even one character has room
			}
			lines, line = append(lines, line[:n]), line[n:]
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// paragraph writes a text from y on.
func (p *pdfWriter) paragraph(x, width float64, s pdfStyle, text string) {
	for _, line := range p.wrap(text, width, s) {
		p.room(s.lineMM())
		p.put(x, p.y+s.lineMM()*0.8, s, line)
		p.y += s.lineMM()
	}
}

func (p *pdfWriter) rule(x, y, width, thick float64, c color.NRGBA) {
	p.f.SetFillColor(int(c.R), int(c.G), int(c.B))
	p.f.Rect(x, y, width, thick, "F")
}

// page begins a page with its running head and foot.
func (p *pdfWriter) page() {
	p.f.AddPage()
	p.y = topMM
	small := pdfStyle{7.5, false, pdfMuted}
	p.put(marginMM, 9.5, small, p.b.Title+"  ·  "+p.b.AsOf.Text)
	if p.b.Stamp != "" {
		p.putRight(pageWidthMM-marginMM, 9.5, pdfStyle{8, true, pdfAlarm}, p.b.Stamp)
	}
	p.rule(marginMM, 11.2, briefingWidthMM, 0.2, pdfRule)
	foot := ""
	for _, f := range p.b.Facts {
		if f.Label != "" {
			foot += "  ·  " + f.Label + " " + f.Text
		}
	}
	lines := p.wrap(strings.TrimPrefix(foot, "  ·  "), briefingWidthMM-40, small)
	if len(lines) > 0 {
		p.put(marginMM, pageHeightMM-6.5, small, lines[0])
	}
	if p.b.Mark != "" {
		p.put(marginMM, pageHeightMM-3.2, pdfStyle{6, false, pdfMuted}, p.b.Mark)
	}
	p.putRight(pageWidthMM-marginMM, pageHeightMM-6.5, small, fmt.Sprintf(briefingWords.page.In(p.b.Lang), p.f.PageNo(), p.total))
}

// room begins a page unless so much is left on this one.
func (p *pdfWriter) room(mm float64) {
	if p.y+mm > bottomMM {
		p.page()
	}
}

// heading writes a heading that stays with what follows.
func (p *pdfWriter) heading(text string, followedBy float64) {
	p.room(10 + followedBy)
	p.f.Bookmark(p.printable(text), 0, p.y)
	p.put(marginMM, p.y+4.4, pdfStyle{12, true, pdfInk}, text)
	p.rule(marginMM, p.y+6, briefingWidthMM, 0.5, pdfAccent)
	p.y += 8.5
}

// sheet draws a picture with its upper left corner at x, y.
func (p *pdfWriter) sheet(s tiles.Sheet, x, y float64) {
	for _, m := range s.Marks {
		if m.Text != "" {
			p.sheetText(m, x, y)
			continue
		}
		p.pen(m)
		for _, path := range m.Paths {
			for i, q := range path {
				if i == 0 {
					p.f.MoveTo(x+q[0], y+q[1])
				} else {
					p.f.LineTo(x+q[0], y+q[1])
				}
			}
			if m.Fill.A > 0 {
				p.f.ClosePath()
			}
		}
		switch {
		case m.Fill.A > 0 && m.Stroke.A > 0:
			p.f.DrawPath("FD*")
		case m.Fill.A > 0:
			p.f.DrawPath("F*")
		default:
			p.f.DrawPath("D")
		}
	}
	p.f.SetDashPattern(nil, 0)
	p.f.SetLineCapStyle("butt")
}

// pen sets colours and strokes as a mark has them.
func (p *pdfWriter) pen(m tiles.Mark) {
	if m.Fill.A > 0 {
		p.f.SetFillColor(int(m.Fill.R), int(m.Fill.G), int(m.Fill.B))
	}
	if m.Stroke.A == 0 {
		return
	}
	p.f.SetDrawColor(int(m.Stroke.R), int(m.Stroke.G), int(m.Stroke.B))
	p.f.SetLineWidth(m.WidthMM)
	p.f.SetDashPattern(m.DashMM, 0)
	p.f.SetLineJoinStyle("round")
	p.f.SetLineCapStyle("butt")
	if m.DashMM == nil && m.Fill.A == 0 {
		p.f.SetLineCapStyle("round")
	}
}

func (p *pdfWriter) sheetText(m tiles.Mark, x, y float64) {
	if len(m.Paths) == 0 || len(m.Paths[0]) == 0 {
		return
	}
	s := pdfStyle{m.SizeMM / mmPerPt, m.Bold, m.Fill}
	p.use(s)
	text, at := p.printable(m.Text), m.Paths[0][0]
	x, y = x+at[0], y+at[1]
	switch m.Anchor {
	case tiles.AnchorMiddle:
		x -= p.f.GetStringWidth(text) / 2
	case tiles.AnchorEnd:
		x -= p.f.GetStringWidth(text)
	}
	if m.Stroke.A > 0 {
		p.f.SetDashPattern(nil, 0)
		p.f.SetLineJoinStyle("round")
		p.f.SetDrawColor(int(m.Stroke.R), int(m.Stroke.G), int(m.Stroke.B))
		p.f.SetLineWidth(m.WidthMM)
		p.f.SetTextRenderingMode(1)
		p.f.Text(x, y, text)
		p.f.SetTextRenderingMode(0)
	}
	p.f.Text(x, y, text)
}
