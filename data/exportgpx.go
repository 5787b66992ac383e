package data

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// gpxWriter writes a layer as GPX 1.1: points as waypoints, lines as routes,
// and as tracks those of patrols and those of several parts. What GPX has no
// element for stands in extensions of our own name space.
type gpxWriter struct {
	out      *chunkWriter
	l        *geo.Layer
	literals map[string]string // of the row at hand
	names    []string
	moved    string // the element of the property id, "" for none
}

func writeGPX(out *chunkWriter, l *geo.Layer, rows iter.Seq[int]) {
	g := &gpxWriter{out: out, l: l, literals: map[string]string{}}
	for _, c := range l.Columns() {
		g.names = append(g.names, c.Name)
	}
	slices.Sort(g.names)
	if g.moved = movedID(l, rows); g.moved != "" {
		g.names = append(g.names, g.moved)
	}
	out.buf = append(out.buf, `<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="sempadan" xmlns="http://www.topografix.com/GPX/1/1" xmlns:s="`+ownSpace+`">`...)
	if m := l.Info.Mark; m.ID != "" {
		out.buf = append(appendXML(append(out.buf, "\n<metadata><name>"...), m.ID), "</name><desc>"...)
		out.buf = append(appendXML(out.buf, m.Text), "</desc></metadata>"...)
	}
	for _, kind := range []string{"wpt", "rte", "trk"} { // the order that the schema asks for
		for row := range rows {
			if g.element(row) != kind {
				continue
			}
			g.row(row, kind)
			if !out.flush(false) {
				return
			}
		}
	}
	out.buf = append(out.buf, "\n</gpx>\n"...)
}

// element names what a row becomes, "" what GPX cannot hold.
func (g *gpxWriter) element(row int) string {
	switch g.l.Geometry(row).(type) {
	case orb.Point:
		if g.l.Info.Kind == geo.KindPatrolTrack { // a stay
			return "trk"
		}
		return "wpt"
	case orb.LineString:
		if g.l.Info.Kind == geo.KindPatrolTrack {
			return "trk"
		}
		return "rte"
	case orb.MultiLineString:
		return "trk"
	}
	return ""
}

func (g *gpxWriter) row(row int, kind string) {
	clear(g.literals)
	g.l.Literals(row, func(name, literal string) {
		if name == "id" && g.moved != "" {
			name = g.moved
		}
		g.literals[name] = literal
	})
	dst := append(g.out.buf, "\n<"...)
	dst = append(dst, kind...)
	times := g.l.VertexTimesMS(row)
	from, to, dated := g.l.TimesMS(row)
	stay := false
	var z heights
	if p, ok := g.l.Geometry(row).(orb.Point); ok && kind == "wpt" {
		dst = appendLatLon(dst, p)
		dst = append(dst, '>')
		if v := g.height(row); v == v {
			dst = append(appendNumber(append(dst, "<ele>"...), v), "</ele>"...)
		}
		if dated && g.l.Info.Kind != geo.KindPost {
			dst = append(appendInstant(append(dst, "<time>"...), from), "</time>"...)
			dated = from != to
		}
	} else {
		if z = heightsOf(g.l, row); z != nil {
			delete(g.literals, geo.HeightsField)
		}
		dst = append(dst, '>')
		if ok && dated && from == to {
			times, stay = []int64{from}, true
		}
	}
	for _, name := range []string{"name", "cmt", "desc", "src"} {
		dst = g.text(dst, name)
	}
	if kind == "wpt" {
		dst = g.text(dst, "sym")
	}
	dst = g.text(dst, "type")
	dst = g.extensions(dst, row, dated && times == nil && !stay)
	switch v := g.l.Geometry(row).(type) {
	case orb.Point:
		if kind == "trk" {
			dst = appendSegment(dst, orb.LineString{v}, z, times)
		}
	case orb.LineString:
		if kind == "rte" {
			dst = appendFixes(dst, "rtept", v, z, nil)
		} else {
			dst = appendSegment(dst, v, z, times)
		}
	case orb.MultiLineString:
		for _, line := range v {
			dst = appendSegment(dst, line, z.take(len(line)), nil)
		}
	}
	g.out.buf = append(append(append(dst, "</"...), kind...), '>')
}

// height is that of a point, NaN for none. A property ele is taken from the
// literals; heights stay among them, so that a reading can tell the two apart.
func (g *gpxWriter) height(row int) float64 {
	ele := g.l.Number(row, "ele")
	if z := heightsOf(g.l, row); z != nil && (ele != ele || ele == z[0]) {
		ele = z[0]
	}
	if ele == ele {
		delete(g.literals, "ele")
	}
	return ele
}

// text writes a property that GPX has an element for.
func (g *gpxWriter) text(dst []byte, name string) []byte {
	literal := g.literals[name]
	if literal == "" || literal[0] != '"' {
		return dst
	}
	delete(g.literals, name)
	dst = append(append(append(dst, '<'), name...), '>')
	dst = appendXML(dst, textOfLiteral(literal))
	return append(append(append(dst, "</"...), name...), '>')
}

// extensions writes the other properties, the identifier and the times that
// have no place elsewhere.
func (g *gpxWriter) extensions(dst []byte, row int, dated bool) []byte {
	start := len(dst)
	dst = append(dst, "<extensions>"...)
	empty := len(dst)
	if id := g.l.OwnID(row); id != "" && g.literals["id"] == "" {
		dst = appendExtension(dst, "id", "", id)
	}
	if dated {
		from, to, _ := g.l.TimesMS(row)
		fromName, toName := g.l.Info.Kind.TimeFields()
		dst = appendExtension(dst, fromName, "", string(appendInstant(nil, from)))
		dst = appendExtension(dst, toName, "", string(appendInstant(nil, to)))
		delete(g.literals, fromName)
		delete(g.literals, toName)
	}
	for _, name := range g.names {
		switch literal := g.literals[name]; {
		case literal == "":
		case literal[0] == '"':
			dst = appendExtension(dst, name, "", textOfLiteral(literal))
		case literal[0] == '{' || literal[0] == '[':
			dst = appendExtension(dst, name, "json", literal)
		case literal[0] == 't' || literal[0] == 'f':
			dst = appendExtension(dst, name, "boolean", literal)
		default:
			dst = appendExtension(dst, name, "number", literal)
		}
	}
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, "</extensions>"...)
}

func appendExtension(dst []byte, name, kind, value string) []byte {
	element := elementName(name)
	dst = append(append(dst, "<s:"...), element...)
	if element != name {
		dst = append(appendXML(append(dst, ` name="`...), name), '"')
	}
	if kind != "" {
		dst = append(append(append(dst, ` type="`...), kind...), '"')
	}
	dst = appendXML(append(dst, '>'), value)
	return append(append(append(dst, "</s:"...), element...), '>')
}

// elementName makes a name that XML allows for an element.
func elementName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name)
	if clean == "" || strings.IndexByte("0123456789-.", clean[0]) >= 0 {
		clean = "_" + clean
	}
	return clean
}

func appendSegment(dst []byte, line orb.LineString, z heights, times []int64) []byte {
	return append(appendFixes(append(dst, "<trkseg>"...), "trkpt", line, z, times), "</trkseg>"...)
}

// appendFixes appends the points of a line, with what is known of each.
func appendFixes(dst []byte, element string, line orb.LineString, z heights, times []int64) []byte {
	for i, p := range line {
		dst = appendLatLon(append(append(dst, "\n<"...), element...), p)
		up := z.at(i)
		if i >= len(times) && up != up {
			dst = append(dst, "/>"...)
			continue
		}
		dst = append(dst, '>')
		if up == up {
			dst = append(appendNumber(append(dst, "<ele>"...), up), "</ele>"...)
		}
		if i < len(times) {
			dst = append(appendInstant(append(dst, "<time>"...), times[i]), "</time>"...)
		}
		dst = append(append(append(dst, "</"...), element...), '>')
	}
	return dst
}

func appendLatLon(dst []byte, p orb.Point) []byte {
	dst = appendDegrees(append(dst, ` lat="`...), p[1])
	dst = appendDegrees(append(dst, `" lon="`...), p[0])
	return append(dst, '"')
}

// appendXML appends a text escaped for XML; what XML cannot hold becomes
// U+FFFD.
func appendXML(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		case r == '\r', r == '\t', r == '\n':
			dst = append(dst, "&#"+itoa(int(r))+";"...)
		case r < 0x20 || r == 0xfffe || r == 0xffff:
			dst = utf8.AppendRune(dst, utf8.RuneError)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
