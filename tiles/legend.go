package tiles

import (
	"image/color"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Legend explains the colours of a surface, as legend.json does.
type Legend struct {
	Surface string        `json:"surface"`
	Title   string        `json:"title"`
	Unit    string        `json:"unit"`
	Scale   ScaleKind     `json:"scale"`
	Min     float64       `json:"min"`
	Max     float64       `json:"max"`
	Palette string        `json:"palette,omitempty"`
	Lang    Lang          `json:"lang"`
	Classes []LegendClass `json:"classes"`
	NoData  *NoDataEntry  `json:"nodata"` // nil where what is not known has a class of its own
}

// LegendClass is one row of a legend: values from From up to, not including,
// To. The last class has what is above it, too.
type LegendClass struct {
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Colour  string  `json:"colour"` // #rrggbb
	Opacity float64 `json:"opacity"`
	Label   string  `json:"label"`
	ID      string  `json:"id,omitempty"` // of a class that is not a number
	Hatch   bool    `json:"hatch,omitempty"`
}

// NoDataEntry is the row for what is not known.
type NoDataEntry struct {
	Label  string `json:"label"`
	Colour string `json:"colour"`
	Hatch  bool   `json:"hatch"`
}

// NewLegend returns the legend of a surface drawn with a scale and a ramp.
func NewLegend(s Surface, scale Scale, ramp Ramp, lang Lang) Legend {
	if lang != Indonesian && lang != Malay {
		lang = English
	}
	l := Legend{
		Surface: s.ID, Title: s.Title.In(lang), Unit: s.Unit.In(lang), Scale: scale.Kind, Min: scale.Min, Max: scale.Max,
		Palette: ramp.Name, Lang: lang, Classes: []LegendClass{},
		NoData: &NoDataEntry{noDataWords().In(lang), hex(inkColour()), true},
	}
	if s.ID == "hotspots" {
		l.NoData = nil // too few incidents are not a blind spot
	}
	if scale.Kind == Classes {
		l.Palette = ""
		for i, c := range scale.Categories {
			l.Classes = append(l.Classes, LegendClass{From: float64(i + 1), To: float64(i + 2), ID: c.ID,
				Colour: hex(c.Colour), Opacity: opacity(c.Colour), Label: c.Label.In(lang), Hatch: c.Hatched})
		}
		return l
	}
	index, colours := newIndexer(scale).index, scale.colours(ramp)
	for i := 1; i < len(scale.Limits); i++ {
		from, to := scale.Limits[i-1], scale.Limits[i]
		middle := (from + to) / 2
		if scale.Kind == Log {
			middle = math.Sqrt(from * to)
		}
		c := colours[index(middle)].(color.NRGBA)
		label := classLabel(from, to, lang, s.Share)
		if i == len(scale.Limits)-1 && !s.Share {
			label = "≥ " + Number(from, lang)
		}
		l.Classes = append(l.Classes, LegendClass{From: from, To: to, Colour: hex(c), Opacity: opacity(c), Label: label})
	}
	return l
}

func opacity(c color.NRGBA) float64 { return math.Round(float64(c.A)/255*100) / 100 }

// classLabel writes a range; shares in per cent.
func classLabel(from, to float64, lang Lang, share bool) string {
	if !share {
		return Number(from, lang) + "–" + Number(to, lang)
	}
	percent := func(v float64) string { return Number(math.Round(v*1000)/10, lang) }
	return percent(from) + "–" + percent(to) + "%"
}

// Number writes a number as the language does: a decimal comma in Indonesian,
// a point in English and Malay; groups of three from 10,000 on; three
// significant digits below that.
func Number(v float64, lang Lang) string {
	if abs := math.Abs(v); abs != 0 && abs < 1e-4 || abs >= 1e9 {
		s := strconv.FormatFloat(v, 'e', -1, 64)
		mantissa, exponent, _ := strings.Cut(s, "e")
		e, _ := strconv.Atoi(exponent)
		return decimal(mantissa, lang) + "×10" + superscript(e)
	}
	digits := 0
	if abs := math.Abs(v); abs > 0 && abs < 1000 {
		digits = max(2-int(math.Floor(math.Log10(abs))), 0)
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return decimal(s, lang)
}

func decimal(s string, lang Lang) string {
	point, group := ".", ","
	if lang == Indonesian {
		point, group = ",", "."
	}
	whole, fraction, has := strings.Cut(s, ".")
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + group + whole[i:]
		}
	}
	if has {
		return whole + point + fraction
	}
	return whole
}

func superscript(n int) string {
	return strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(n))
}

// The legend's measures in pixels.
const (
	legendWidth  = 300
	legendMargin = 14
	titleSize    = 15
	textSize     = 12
	rowHeight    = 20
	swatchWidth  = 30
	swatchHeight = 14
)

// legendRow is a swatch with its label.
type legendRow struct {
	label string
	fill  color.NRGBA
	hatch bool
}

// rows lists the legend from the top: high values first, as on a
// thermometer, then what is not known.
func (l Legend) rows() []legendRow {
	var out []legendRow
	for _, c := range l.Classes {
		out = append(out, legendRow{c.Label, parseHex(c.Colour, c.Opacity), c.Hatch})
	}
	if l.Scale != Classes {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	if l.Scale == Classes {
		return out // what is not known has its own class
	}
	return append(out, legendRow{l.NoData.Label, inkColour(), true})
}

func parseHex(s string, opacity float64) color.NRGBA {
	v, _ := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), uint8(math.Round(opacity * 255))}
}

// description is the legend in a sentence, for those who do not see it.
func (l Legend) description() string {
	var labels []string
	for _, r := range l.rows() {
		labels = append(labels, r.label)
	}
	return strings.TrimPrefix(l.Unit+": ", ": ") + strings.Join(labels, "; ")
}

// heading is a line of text above the rows; y is its base line.
type heading struct {
	text  string
	y     int
	title bool
}

// layout returns the lines of the heading, the top of the first row and the
// height of the picture.
func (l Legend) layout() (lines []heading, top, height int) {
	const titleWidth, unitWidth = 28, 41 // in characters
	y := legendMargin - 4
	for _, s := range wrap(l.Title, titleWidth) {
		y += titleSize + 3
		lines = append(lines, heading{s, y, true})
	}
	y += 3
	for _, s := range wrap(l.Unit, unitWidth) {
		y += textSize + 4
		lines = append(lines, heading{s, y, false})
	}
	top = y + 11
	return lines, top, top + len(l.rows())*rowHeight + legendMargin - 4
}

// wrap breaks a text into lines of at most width characters.
func wrap(s string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			out = append(out, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	if line != "" {
		out = append(out, line)
	}
	return out
}
