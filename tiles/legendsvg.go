package tiles

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// SVG returns the legend as a picture with a title and a description for
// screen readers.
func (l Legend) SVG() []byte {
	lines, top, height := l.layout()
	rows := l.rows()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" lang="%s" width="%d" height="%d" viewBox="0 0 %[2]d %[3]d"`+
		` font-family="system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif" fill="#1f2a37">`+"\n", html.EscapeString(string(l.Lang)), legendWidth, height)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", html.EscapeString(l.Title), html.EscapeString(l.description()))
	b.WriteString("<defs>\n")
	for i, r := range rows {
		if r.hatch {
			fmt.Fprintf(&b, `<pattern id="hatch%d" width="8" height="8" patternUnits="userSpaceOnUse"><path d="M-1 1l2-2M0 8l8-8M7 9l2-2" stroke="%s" stroke-opacity="%s" stroke-width="1.6"/></pattern>`+"\n",
				i, hex(r.fill), ratio(r.fill.A))
		}
	}
	fmt.Fprintf(&b, `</defs>`+"\n"+`<rect x="0.5" y="0.5" rx="8" width="%d" height="%d" fill="#ffffff" stroke="#d5dbe3"/>`+"\n", legendWidth-1, height-1)
	for _, h := range lines {
		size, style := textSize, `fill="#52606d"`
		if h.title {
			size, style = titleSize, `font-weight="600"`
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="%d" %s>%s</text>`+"\n", legendMargin, h.y, size, style, html.EscapeString(h.text))
	}
	for i, r := range rows {
		y := top + i*rowHeight
		fill := fmt.Sprintf(`fill="%s" fill-opacity="%s"`, hex(r.fill), ratio(r.fill.A))
		if r.hatch {
			fill = fmt.Sprintf(`fill="url(#hatch%d)" stroke="%s" stroke-opacity="0.5"`, i, hex(r.fill))
		}
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" %s/>`+"\n", legendMargin, y, swatchWidth, swatchHeight, fill)
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="%d">%s</text>`+"\n", legendMargin+swatchWidth+10, y+swatchHeight-3, textSize, html.EscapeString(r.label))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func ratio(alpha uint8) string { return strconv.FormatFloat(float64(alpha)/255, 'f', 2, 64) }
