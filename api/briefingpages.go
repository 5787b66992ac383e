package api

import (
	"image/color"
	"strconv"
	"strings"
)

// lay puts the whole report on pages.
func (p *pdfWriter) lay() {
	p.page()
	p.first()
	p.maps()
	p.page()
	p.explain()
	p.annex()
	p.page()
	p.table()
}

// first is the page to look at when there is time for one.
func (p *pdfWriter) first() {
	b := p.b
	p.put(marginMM, p.y+6, pdfStyle{20, true, pdfInk}, b.Title)
	p.use(pdfStyle{20, true, pdfInk})
	after := marginMM + p.f.GetStringWidth(p.printable(b.Title)) + 5
	p.put(after, p.y+6, pdfStyle{10, false, pdfMuted}, b.Lead)
	p.y += 9
	p.put(marginMM, p.y+3.6, pdfStyle{11, true, pdfInk}, b.AsOf.Label+" "+b.AsOf.Text)
	p.y += 5.5
	p.paragraph(marginMM, briefingWidthMM, pdfStyle{8.5, false, pdfMuted}, b.factsText())
	if b.Notice != "" {
		p.y++
		s := pdfStyle{8.5, true, pdfAlarm}
		lines := p.wrap(b.Stamp+". "+b.Notice, briefingWidthMM-6, s)
		p.outline(marginMM, p.y, briefingWidthMM, float64(len(lines))*s.lineMM()+2.4, pdfAlarm)
		p.y += 1.2
		p.paragraph(marginMM+3, briefingWidthMM-6, s, b.Stamp+". "+b.Notice)
		p.y += 1.2
	}
	p.y += 1.5
	p.figures()
	p.heading(b.Overview.Title, b.Overview.Sheet.HeightMM)
	p.figure(marginMM, b.Overview)
	p.y += 1.5
	p.room(b.Legend.HeightMM)
	p.sheet(b.Legend, marginMM, p.y)
	p.y += b.Legend.HeightMM + 2.5
	s := pdfStyle{8.5, false, pdfMuted}
	p.room(4)
	p.put(marginMM, p.y+3, s, b.Meeting)
	p.use(s)
	x := marginMM + p.f.GetStringWidth(p.printable(b.Meeting)) + 2
	p.rule(x, p.y+3.4, pageWidthMM-marginMM-x, 0.2, pdfMuted)
}

func (b *briefing) factsText() string {
	var parts []string
	for _, f := range b.Facts {
		parts = append(parts, strings.TrimPrefix(f.Label+" ", " ")+f.Text)
	}
	return strings.Join(parts, "  ·  ")
}

func (p *pdfWriter) outline(x, y, w, h float64, c color.NRGBA) {
	p.f.SetDashPattern(nil, 0)
	p.f.SetDrawColor(int(c.R), int(c.G), int(c.B))
	p.f.SetLineWidth(0.4)
	p.f.Rect(x, y, w, h, "D")
}

// figures are the key figures side by side, and the classes.
func (p *pdfWriter) figures() {
	width := briefingWidthMM / float64(len(p.b.Figures))
	top, lowest := p.y, p.y
	for i, f := range p.b.Figures {
		x := marginMM + float64(i)*width
		p.y = top
		p.put(x+3.5, p.y+4.8, pdfStyle{16, true, pdfInk}, f.Value)
		p.y += 6.2
		p.paragraph(x+3.5, width-6, pdfStyle{8.5, false, pdfInk}, f.Label)
		p.paragraph(x+3.5, width-6, pdfStyle{7, false, pdfMuted}, f.Note)
		lowest = max(lowest, p.y)
	}
	for i := range p.b.Figures {
		p.rule(marginMM+float64(i)*width, top, 1, lowest-top, pdfAccent)
	}
	p.y = lowest + 2
	x, s := marginMM, pdfStyle{8.5, false, pdfInk}
	for _, c := range p.b.Classes {
		p.sheet(c.Swatch, x, p.y)
		text := c.Label + ": " + c.Count
		p.put(x+c.Swatch.WidthMM+1, p.y+2.3, s, text)
		x += c.Swatch.WidthMM + p.f.GetStringWidth(p.printable(text)) + 7
	}
	if len(p.b.Classes) > 0 {
		p.y += 5
	}
}

// figure draws a map at x with its note below, and moves on.
func (p *pdfWriter) figure(x float64, m briefingMap) {
	p.sheet(m.Sheet, x, p.y)
	p.y += m.Sheet.HeightMM + 0.6
	if m.Note != "" {
		p.paragraph(x, m.Sheet.WidthMM, pdfStyle{7, false, pdfMuted}, m.Note)
	}
}

// maps lays the detail maps out: wide ones alone, the others in pairs.
func (p *pdfWriter) maps() {
	const titleMM = 5.0
	title := pdfStyle{9.5, true, pdfInk}
	left, beside := true, 0.0
	for i, m := range p.b.Details {
		wide := m.Wide()
		if i == 0 {
			p.page()
			p.heading(p.b.Detail, m.Sheet.HeightMM+titleMM)
		}
		if wide || left {
			if wide && !left {
				p.y, left = beside, true
			}
			p.room(m.Sheet.HeightMM + titleMM)
		}
		x, top := marginMM, p.y
		if !left {
			x = pageWidthMM - marginMM - detailWidthMM
		}
		p.put(x, p.y+3.4, title, m.Title)
		p.y += titleMM
		p.figure(x, m)
		p.y += 1.5
		switch {
		case wide:
		case left && i+1 < len(p.b.Details) && !p.b.Details[i+1].Wide():
			left, beside, p.y = false, p.y, top
		default:
			left, p.y = true, max(p.y, beside)
		}
	}
}

// explain is what the levels ask for and how to read the report.
func (p *pdfWriter) explain() {
	p.heading(p.b.ResponsesTitle, 10)
	body := pdfStyle{textPt, false, pdfInk}
	for _, r := range p.b.Responses {
		p.room(2 * body.lineMM())
		p.put(marginMM, p.y+body.lineMM()*0.8, pdfStyle{textPt, true, pdfInk}, r.Label)
		p.paragraph(marginMM+24, briefingWidthMM-24, body, r.Text)
		p.y += 1
	}
	p.paragraph(marginMM, briefingWidthMM, pdfStyle{8, false, pdfMuted}, p.b.ResponsesNote)
	p.y += 4
	p.heading(p.b.ReadingTitle, 10)
	p.list(p.b.Reading)
}

func (p *pdfWriter) list(items []string) {
	body := pdfStyle{textPt, false, pdfInk}
	for _, item := range items {
		p.room(body.lineMM())
		p.put(marginMM, p.y+body.lineMM()*0.8, body, "–")
		p.paragraph(marginMM+4, briefingWidthMM-4, body, item)
		p.y += 1
	}
}

// annex is the data behind the report, and room for signatures.
func (p *pdfWriter) annex() {
	p.y += 4
	p.heading(p.b.AnnexTitle, 10)
	var notes []string
	for _, n := range p.b.Annex {
		notes = append(notes, n+".")
	}
	p.list(notes)
	p.paragraph(marginMM, briefingWidthMM, pdfStyle{8, false, pdfMuted}, p.b.InputsTitle+": "+p.b.Inputs+".")
	p.y += 4
	p.heading(p.b.Seen, 22)
	half := briefingWidthMM/2 - 5
	for i, who := range p.b.SeenFor {
		x := marginMM + float64(i)*(half+10)
		p.rule(x, p.y+14, half, 0.2, pdfMuted)
		p.put(x, p.y+18, pdfStyle{8, false, pdfMuted}, who)
	}
	p.y += 20
}

// pdfLine is a line of a table's cell.
type pdfLine struct {
	style pdfStyle
	text  string
}

// columns of the ranked table, in mm; they fill the page.
var gapColumns = [8]float64{9, 43, 38, 42, 24, 19, 31, 67}

const cellPadMM = 1.2

// mostCellMM is the height of a row that has a page to itself.
const mostCellMM = bottomMM - topMM - 25

// cell breaks texts into the lines of a column; what a page cannot hold is cut.
func (p *pdfWriter) cell(column int, parts ...pdfLine) (out []pdfLine) {
	left := mostCellMM
	for _, part := range parts {
		for _, line := range p.wrap(part.text, gapColumns[column]-2*cellPadMM, part.style) {
			if left -= part.style.lineMM(); left < part.style.lineMM() {
				return append(out, pdfLine{part.style, "…"})
			}
			out = append(out, pdfLine{part.style, line})
		}
	}
	return out
}

func linesMM(lines []pdfLine) (h float64) {
	for _, l := range lines {
		h += l.style.lineMM()
	}
	return h
}

// tableHead is repeated on every page.
func (p *pdfWriter) tableHead() {
	style := pdfStyle{tablePt, true, pdfInk}
	var cells [8][]pdfLine
	h := 0.0
	for i, head := range p.b.Heads {
		cells[i] = p.cell(i, pdfLine{style, head})
		h = max(h, linesMM(cells[i]))
	}
	p.rule(marginMM, p.y, briefingWidthMM, h+2*cellPadMM, color.NRGBA{241, 238, 243, 255})
	p.row(cells, h)
	p.rule(marginMM, p.y-0.4, briefingWidthMM, 0.4, pdfAccent)
}

// row writes the cells of a row and moves on.
func (p *pdfWriter) row(cells [8][]pdfLine, h float64) {
	x := marginMM
	for i, lines := range cells {
		y := p.y + cellPadMM
		for _, l := range lines {
			p.put(x+cellPadMM, y+l.style.lineMM()*0.8, l.style, l.text)
			y += l.style.lineMM()
		}
		x += gapColumns[i]
	}
	p.y += h + 2*cellPadMM
}

func (p *pdfWriter) table() {
	p.heading(p.b.Table, 30)
	if p.b.None != "" {
		p.paragraph(marginMM, briefingWidthMM, pdfStyle{11, true, pdfInk}, p.b.None)
		return
	}
	p.tableHead()
	weekX := marginMM + cellPadMM
	for _, w := range gapColumns[:6] {
		weekX += w
	}
	for _, g := range p.b.Gaps {
		cells := p.gapCells(g)
		h := g.Week.HeightMM
		for _, c := range cells {
			h = max(h, linesMM(c))
		}
		if p.y+h+2*cellPadMM > bottomMM {
			p.page()
			p.tableHead()
		}
		p.rule(marginMM, p.y+0.2, 1, h+2*cellPadMM-0.4, g.Colour)
		p.sheet(g.Week, weekX, p.y+cellPadMM)
		p.row(cells, h)
		p.rule(marginMM, p.y-0.1, briefingWidthMM, 0.2, pdfRule)
	}
}

func (p *pdfWriter) gapCells(g briefingGap) (cells [8][]pdfLine) {
	body, strong := pdfStyle{tablePt, false, pdfInk}, pdfStyle{tablePt, true, pdfInk}
	small := pdfStyle{6.5, false, pdfMuted}
	status := body
	if g.Contested {
		status = pdfStyle{tablePt, true, pdfAlarm}
	}
	level := []pdfLine{{strong, g.Level}, {status, g.Status}}
	for _, n := range g.LevelNotes {
		level = append(level, pdfLine{small, n})
	}
	var act []pdfLine
	for _, a := range g.Act {
		act = append(act, pdfLine{body, a})
	}
	cells[0] = p.cell(0, pdfLine{pdfStyle{9, true, pdfInk}, strconv.Itoa(g.Rank)})
	cells[1] = p.cell(1, pdfLine{strong, g.Name}, pdfLine{body, g.Class}, pdfLine{small, g.KM})
	cells[2] = p.cell(2, level...)
	cells[3] = p.cell(3, act...)
	cells[4] = p.cell(4, pdfLine{strong, g.Expected}, pdfLine{small, g.Interval})
	cells[5] = p.cell(5, pdfLine{body, g.Presence})
	cells[7] = p.cell(7, pdfLine{body, g.Why}, pdfLine{small, g.Effect})
	return cells
}
