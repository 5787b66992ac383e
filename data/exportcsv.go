package data

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// csvWriter writes a layer as a table: id, lon, lat (or wkt as soon as one
// geometry of the layer is no point), the two times, then the columns in order
// of name.
type csvWriter struct {
	out     *chunkWriter
	l       *geo.Layer
	columns []string
	at      map[string]int
	cells   []string // the JSON literals of the row at hand, by column
	height  int      // the column of heights, -1 without
	moved   string   // the column of the property id, "" for none
	wkt     bool
	tracks  bool
}

func writeCSV(out *chunkWriter, l *geo.Layer, rows iter.Seq[int]) {
	c := &csvWriter{out: out, l: l, at: map[string]int{}, tracks: l.Info.Kind == geo.KindPatrolTrack}
	for row := 0; row < l.Len() && !c.wkt; row++ {
		_, point := l.Point(row)
		c.wkt = !point && !c.tracks
	}
	names := map[string]bool{}
	for _, col := range l.Columns() {
		names[col.Name] = true
	}
	if c.wkt && !c.plainHeights() {
		delete(names, geo.HeightsField)
	}
	if !c.tracks {
		c.moved = movedID(l, rows)
	}
	c.columns = sortedKeys(names)
	if c.moved != "" {
		c.columns = append(c.columns, c.moved)
	}
	c.header()
	for row := range rows {
		if c.tracks {
			c.fixes(row)
		} else {
			c.row(row)
		}
		if !out.flush(false) {
			return
		}
	}
}

// plainHeights tells whether some row has heights that are no Z, since
// well-known text cannot say that a vertex has none.
func (c *csvWriter) plainHeights() bool {
	for row := range c.l.Len() {
		if c.l.Value(row, geo.HeightsField) != nil && !heightsOf(c.l, row).whole() {
			return true
		}
	}
	return false
}

func (c *csvWriter) header() {
	from, to := c.l.Info.Kind.TimeFields()
	first := []string{"id", "lon", "lat", from, to}
	switch {
	case c.tracks:
		first = []string{"track_id", "time", "lon", "lat"}
	case c.wkt:
		first = []string{"id", "wkt", from, to}
	}
	taken := map[string]bool{}
	dst := c.out.buf
	for i, name := range first {
		if i > 0 {
			dst = append(dst, ',')
		}
		taken[name] = true
		dst = append(dst, name...)
	}
	kept := c.columns[:0]
	for _, name := range c.columns {
		if taken[name] { // the identifier is there already
			continue
		}
		c.at[name] = len(kept)
		kept = append(kept, name)
		dst = appendCell(append(dst, ','), name)
	}
	c.columns = kept
	c.cells = make([]string, len(kept))
	c.height = -1
	if k, ok := c.at[geo.HeightsField]; ok {
		c.height = k
	}
	if c.l.Info.Mark.ID != "" {
		dst = append(dst, ","+markColumn...)
	}
	c.out.buf = append(dst, '\r', '\n')
}

func (c *csvWriter) row(row int) {
	dst := c.out.buf
	inText := false
	dst = appendCell(dst, c.l.ID(row))
	dst = append(dst, ',')
	if g, ok := c.l.Geometry(row).(orb.Collection); ok && len(g) == 0 && c.wkt {
	} else if c.wkt {
		z := heightsOf(c.l, row)
		if inText = z.whole(); !inText {
			z = nil
		}
		dst = append(appendWKT(append(dst, '"'), c.l.Geometry(row), z), '"')
	} else {
		p, _ := c.l.Point(row)
		dst = appendDegrees(append(appendDegrees(dst, p[0]), ','), p[1])
	}
	dst = append(dst, ',')
	from, to, ok := c.l.TimesMS(row)
	if ok {
		dst = appendInstant(dst, from)
	}
	dst = append(dst, ',')
	if ok && to != from {
		dst = appendInstant(dst, to)
	}
	c.take(row)
	if inText && c.height >= 0 {
		c.cells[c.height] = ""
	}
	c.out.buf = c.properties(dst)
}

// fixes writes a track as rows, one a vertex.
func (c *csvWriter) fixes(row int) {
	id := c.l.Text(row, "track_id")
	if id == "" {
		id = c.l.ID(row)
	}
	if id == "" {
		id = string(appendNumber(nil, float64(c.l.FID(row))))
	}
	points := []orb.Point{}
	times := c.l.VertexTimesMS(row)
	switch g := c.l.Geometry(row).(type) {
	case orb.LineString:
		points = g
	case orb.Point:
		points = append(points, g)
		if from, _, ok := c.l.TimesMS(row); ok {
			times = []int64{from}
		}
	}
	z := heightsOf(c.l, row)
	c.take(row)
	along := c.along(row, len(points))
	for i, p := range points {
		dst := append(appendCell(c.out.buf, id), ',')
		if i < len(times) {
			dst = appendInstant(dst, times[i])
		}
		dst = appendDegrees(append(appendDegrees(append(dst, ','), p[0]), ','), p[1])
		if z != nil && c.height >= 0 { // of this fix
			if c.cells[c.height] = ""; z[i] == z[i] {
				c.cells[c.height] = string(appendNumber(nil, z[i]))
			}
		}
		for k, values := range along {
			if c.cells[k] = ""; values[i] == values[i] {
				c.cells[k] = string(appendNumber(nil, values[i]))
			}
		}
		c.out.buf = c.properties(dst)
		if !c.out.flush(false) {
			return
		}
	}
}

// along returns what a track's fixes have a value each of, by column.
func (c *csvWriter) along(row, n int) map[int]heights {
	out := map[int]heights{}
	for _, name := range geo.FixFields {
		raw, isList := c.l.Value(row, name).(json.RawMessage)
		if k, has := c.at[name]; has && isList {
			if list := parseHeights(raw); len(list) == n {
				out[k] = list
			}
		}
	}
	return out
}

// take readies the properties of a row.
func (c *csvWriter) take(row int) {
	clear(c.cells)
	c.l.Literals(row, func(name, literal string) {
		if name == "id" && c.moved != "" {
			name = c.moved
		}
		if k, ok := c.at[name]; ok {
			c.cells[k] = literal
		}
	})
}

// properties ends the row with its properties.
func (c *csvWriter) properties(dst []byte) []byte {
	for _, literal := range c.cells {
		dst = append(dst, ',')
		if literal != "" && literal[0] == '"' {
			dst = appendCell(dst, textOfLiteral(literal))
		} else if literal != "" && (literal[0] == '{' || literal[0] == '[') {
			dst = appendCell(dst, literal)
		} else {
			dst = append(dst, literal...)
		}
	}
	if id := c.l.Info.Mark.ID; id != "" {
		dst = append(append(dst, ','), id...)
	}
	return append(dst, '\r', '\n')
}

// textOfLiteral decodes a JSON string.
func textOfLiteral(literal string) string {
	if strings.IndexByte(literal, '\\') < 0 {
		return literal[1 : len(literal)-1]
	}
	var s string
	if json.Unmarshal([]byte(literal), &s) != nil {
		return ""
	}
	return s
}

// appendCell appends a text, quoted when it must be. A text that a spreadsheet
// would run as a formula gets an apostrophe, which a reading takes off; so does
// one that would look as if it had one.
func appendCell(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	formula := isFormula(strings.TrimLeft(s, "'"))
	if !formula && !strings.ContainsAny(s, "\",\r\n;\t|") && s[0] != ' ' && s[len(s)-1] != ' ' && utf8.ValidString(s) {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	if formula {
		dst = append(dst, '\'')
	}
	dst = append(dst, strings.ReplaceAll(validText(s), `"`, `""`)...)
	return append(dst, '"')
}

// isFormula tells whether a spreadsheet would run a text.
func isFormula(s string) bool { return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 }

// unguarded takes off the apostrophe that keeps a spreadsheet from running a
// text.
func unguarded(s []byte) []byte {
	if len(s) > 1 && s[0] == '\'' && isFormula(string(bytes.TrimLeft(s, "'"))) {
		return s[1:]
	}
	return s
}

func appendInstant(dst []byte, ms int64) []byte {
	layout := "2006-01-02T15:04:05Z"
	if ms%1000 != 0 {
		layout = "2006-01-02T15:04:05.000Z"
	}
	return time.UnixMilli(ms).UTC().AppendFormat(dst, layout)
}

// AppendWKT appends a geometry as well-known text (OGC 06-103r4), with at most
// seven decimals.
func AppendWKT(dst []byte, g orb.Geometry) []byte {
	position := func(dst []byte, p orb.Point) []byte {
		return appendDegrees(append(appendDegrees(dst, p[0]), ' '), p[1])
	}
	list := func(dst []byte, points []orb.Point) []byte {
		return wktList(dst, points, position)
	}
	polygon := func(dst []byte, p orb.Polygon) []byte {
		return wktList(dst, p, func(dst []byte, r orb.Ring) []byte { return list(dst, r) })
	}
	switch g := g.(type) {
	case orb.Point:
		return append(position(append(dst, "POINT("...), g), ')')
	case orb.MultiPoint:
		return list(append(dst, "MULTIPOINT"...), g)
	case orb.LineString:
		return list(append(dst, "LINESTRING"...), g)
	case orb.MultiLineString:
		return wktList(append(dst, "MULTILINESTRING"...), g, func(dst []byte, l orb.LineString) []byte { return list(dst, l) })
	case orb.Polygon:
		return polygon(append(dst, "POLYGON"...), g)
	case orb.MultiPolygon:
		return wktList(append(dst, "MULTIPOLYGON"...), g, polygon)
	case orb.Collection:
		return wktList(append(dst, "GEOMETRYCOLLECTION"...), g, AppendWKT)
	}
	return append(dst, "GEOMETRYCOLLECTION EMPTY"...)
}

func wktList[T any](dst []byte, items []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '(')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, item)
	}
	return append(dst, ')')
}
