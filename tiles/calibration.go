package tiles

import (
	"fmt"
	"html"
	"math"
	"strings"

	"github.com/sempadan/sempadan/geo/risk"
)

// Calibration is a chart of expected against observed incidents by tenth of
// the cells, with the 95 % interval of each observed number.
type Calibration struct {
	Bands       []risk.ScoreBand
	From, Until string // first and last day of the forecasts
	Folds       int
	Synthetic   bool
	Lang        Lang
}

// The chart, in pixels. Both axes have a square-root scale: it begins at 0,
// and a Poisson interval is about as long everywhere.
const (
	chartWidth, chartHeight = 640, 620
	plotLeft, plotTop       = 78, 118
	plotSide                = 400
	keyLeft                 = plotLeft + plotSide + 22
)

type calibrationWords struct{ title, sub, expected, observed, line, held, missed, summary, square, none, synthetic Words }

func wordsOfCalibration() calibrationWords {
	return calibrationWords{
		title: Words{"Did as many incidents come as were forecast?", "Apakah kejadian sebanyak yang diprakirakan?", "Adakah insiden sebanyak yang diramalkan?"},
		sub: Words{"%s to %s, %d forecasts. Each point is a tenth of the cells, 1 the least and 10 the most likely; the bar is the 95 %% interval of what was observed (Poisson).",
			"%s sampai %s, %d prakiraan. Tiap titik adalah sepersepuluh sel, 1 paling kecil dan 10 paling besar kemungkinannya; garis tegak adalah selang 95 %% dari yang teramati (Poisson).",
			"%s hingga %s, %d ramalan. Setiap titik ialah sepersepuluh sel, 1 paling kecil dan 10 paling besar kemungkinannya; garis tegak ialah selang 95 %% bagi yang dicerap (Poisson)."},
		expected: Words{"Incidents forecast", "Kejadian yang diprakirakan", "Insiden yang diramalkan"},
		observed: Words{"Incidents observed", "Kejadian yang teramati", "Insiden yang dicerap"},
		line:     Words{"as forecast", "sesuai prakiraan", "seperti diramalkan"},
		held:     Words{"interval holds the forecast", "selang memuat prakiraan", "selang memuat ramalan"},
		missed:   Words{"interval misses the forecast", "selang tidak memuat prakiraan", "selang tidak memuat ramalan"},
		summary: Words{"%d of %d intervals hold the forecast; %s forecast, %s observed in all.",
			"%d dari %d selang memuat prakiraan; %s diprakirakan, %s teramati seluruhnya.",
			"%d daripada %d selang memuat ramalan; %s diramalkan, %s dicerap kesemuanya."},
		square:    Words{"square-root scales", "skala akar kuadrat", "skala punca kuasa dua"},
		none:      Words{"Not enough incidents to judge", "Kejadian tidak cukup untuk dinilai", "Insiden tidak cukup untuk dinilai"},
		synthetic: Words{"contains synthetic data", "memuat data sintetis", "mengandungi data sintetik"},
	}
}

// holds reports whether the interval of what was observed has what was
// expected in it.
func holds(b risk.ScoreBand) bool { return b.Expected >= b.Low95 && b.Expected <= b.High95 }

// SVG returns the chart with a title and a description for screen readers.
func (c Calibration) SVG() []byte {
	w := wordsOfCalibration()
	held, expected, observed, top := 0, 0.0, 0.0, 1.0
	for _, b := range c.Bands {
		if holds(b) {
			held++
		}
		expected += b.Expected
		observed += b.Observed
		top = max(top, b.Expected, b.High95)
	}
	summary := fmt.Sprintf(w.summary.In(c.Lang), held, len(c.Bands), Number(expected, c.Lang), Number(observed, c.Lang))
	sub := fmt.Sprintf(w.sub.In(c.Lang), c.From, c.Until, c.Folds)
	if observed+expected == 0 {
		summary, sub = w.none.In(c.Lang), ""
	}
	if c.Synthetic {
		summary += " (" + w.synthetic.In(c.Lang) + ")"
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" lang="%s" width="%d" height="%d" viewBox="0 0 %[2]d %[3]d"`+
		` font-family="system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif" fill="#1f2a37">`+"\n", html.EscapeString(string(c.Lang)), chartWidth, chartHeight)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", html.EscapeString(w.title.In(c.Lang)), html.EscapeString(summary+" "+c.inWords()))
	fmt.Fprintf(&out, `<rect x="0.5" y="0.5" rx="8" width="%d" height="%d" fill="#ffffff" stroke="#d5dbe3"/>`+"\n", chartWidth-1, chartHeight-1)
	put := func(x, y int, style, text string) {
		fmt.Fprintf(&out, `<text x="%d" y="%d" %s>%s</text>`+"\n", x, y, style, html.EscapeString(text))
	}
	put(24, 34, `font-size="18" font-weight="600"`, w.title.In(c.Lang))
	for i, line := range wrap(sub, 84) {
		put(24, 56+17*i, `font-size="13" fill="#52606d"`, line)
	}
	for i, line := range wrap(summary, 76) {
		put(24, chartHeight-38+19*i, `font-size="13" font-weight="600"`, line)
	}
	if observed+expected > 0 {
		c.plot(&out, top)
		c.key(put, &out)
	}
	out.WriteString("</svg>\n")
	return []byte(out.String())
}

// inWords lists the points for those who do not see them.
func (c Calibration) inWords() string {
	var out strings.Builder
	w := wordsOfCalibration()
	for _, b := range c.Bands {
		fmt.Fprintf(&out, "%d: %s %s, %s %s (%s–%s). ", b.Band, w.expected.In(c.Lang), Number(b.Expected, c.Lang),
			w.observed.In(c.Lang), Number(b.Observed, c.Lang), Number(b.Low95, c.Lang), Number(b.High95, c.Lang))
	}
	return strings.TrimSpace(out.String())
}

// axisTicks are round numbers up to top whose roots are well apart.
func axisTicks(top float64) []float64 {
	out := []float64{0}
	for _, v := range []float64{1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6} {
		if gap := math.Sqrt(v/top) - math.Sqrt(out[len(out)-1]/top); v <= top && gap > 0.06 {
			out = append(out, v)
		}
	}
	return out
}

func (c Calibration) plot(out *strings.Builder, top float64) {
	top *= 1.06
	at := func(v float64) float64 { return plotSide * math.Sqrt(v/top) }
	w := wordsOfCalibration()
	const bottom, right = plotTop + plotSide, plotLeft + plotSide
	for _, v := range axisTicks(top) {
		x, y := plotLeft+at(v), bottom-at(v)
		fmt.Fprintf(out, `<path d="M%.1f %d V%d M%d %.1f H%d" stroke="#e6eaf0"/>`+"\n", x, bottom, plotTop, plotLeft, y, right)
		fmt.Fprintf(out, `<text x="%.1f" y="%d" font-size="12" fill="#52606d" text-anchor="middle">%s</text>`+"\n", x, bottom+17, Number(v, c.Lang))
		fmt.Fprintf(out, `<text x="%d" y="%.1f" font-size="12" fill="#52606d" text-anchor="end">%s</text>`+"\n", plotLeft-8, y+4, Number(v, c.Lang))
	}
	fmt.Fprintf(out, `<path d="M%d %d V%d H%d" stroke="#7b8794" fill="none"/>`+"\n", plotLeft, plotTop, bottom, right)
	fmt.Fprintf(out, `<path d="M%d %d L%d %d" stroke="#7b8794" stroke-dasharray="6 4"/>`+"\n", plotLeft, bottom, right, plotTop)
	fmt.Fprintf(out, `<text x="%d" y="%d" font-size="13" text-anchor="middle">%s</text>`+"\n", plotLeft+plotSide/2, bottom+38, html.EscapeString(w.expected.In(c.Lang)))
	fmt.Fprintf(out, `<text transform="translate(26 %d) rotate(-90)" font-size="13" text-anchor="middle">%s</text>`+"\n", plotTop+plotSide/2, html.EscapeString(w.observed.In(c.Lang)))
	last := -100.0
	for _, b := range c.Bands {
		x, y := plotLeft+at(b.Expected), bottom-at(b.Observed)
		low, high := bottom-at(b.Low95), bottom-at(b.High95)
		fmt.Fprintf(out, `<path d="M%.1f %.1f V%.1f m-4 0 h8 M%.1[4]f %.1[2]f h8" stroke="%[5]s" stroke-width="1.6"/>`+"\n", x, low, high, x-4, markColour(b))
		c.mark(out, b, x, y)
		if x-last >= 13 { // numbers of crowded points would cover each other
			fmt.Fprintf(out, `<text x="%.1f" y="%.1f" font-size="11" text-anchor="middle" fill="#52606d">%d</text>`+"\n", x, high-6, b.Band)
			last = x
		}
	}
}

// markColour tells the points apart together with their shape.
func markColour(b risk.ScoreBand) string {
	if holds(b) {
		return "#1f5fa8"
	}
	return "#b3541e"
}

func (c Calibration) mark(out *strings.Builder, b risk.ScoreBand, x, y float64) {
	if holds(b) {
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"/>`+"\n", x, y, markColour(b))
		return
	}
	fmt.Fprintf(out, `<path d="M%.1f %.1f l5 5 l-5 5 l-5 -5 z" fill="#ffffff" stroke="%s" stroke-width="2"/>`+"\n", x, y-5, markColour(b))
}

// key explains the marks, right of the plot.
func (c Calibration) key(put func(x, y int, style, text string), out *strings.Builder) {
	w := wordsOfCalibration()
	y := plotTop + 10
	row := func(words Words, draw func(y float64)) {
		draw(float64(y) - 4)
		for _, line := range wrap(words.In(c.Lang), 15) {
			put(keyLeft+24, y, `font-size="12"`, line)
			y += 16
		}
		y += 10
	}
	row(w.line, func(y float64) {
		fmt.Fprintf(out, `<path d="M%d %.1f h18" stroke="#7b8794" stroke-dasharray="6 4"/>`+"\n", keyLeft, y)
	})
	row(w.held, func(y float64) { c.mark(out, risk.ScoreBand{}, keyLeft+9, y) })
	row(w.missed, func(y float64) { c.mark(out, risk.ScoreBand{Expected: 1}, keyLeft+9, y) })
	for _, line := range wrap(w.square.In(c.Lang), 18) {
		put(keyLeft, y+6, `font-size="12" fill="#52606d" font-style="italic"`, line)
		y += 16
	}
}
