package data

import (
	"bytes"
	"io"
	"slices"
)

// Rows that come as flat JSON objects, one a line, as receivers and message
// brokers send positions. They are read as the rows of a table are.

// mostFlatHead bounds the objects that are looked at for their names.
const mostFlatHead = 1000

// flatNames returns the names of the members of the first objects, nil when
// the file is GeoJSON or the objects have no place.
func (g *geoJSON) flatNames() []string {
	window := window{buf: g.rest(), end: g.end - g.pos, err: io.EOF}
	ahead := &geoJSON{jsonReader: jsonReader{window: window, limits: g.limits, where: g.where}, im: g.im}
	var names []string
	for n := range mostFlatHead {
		for ahead.peek() == 0x1e {
			ahead.pos++
		}
		if ahead.peek() != '{' {
			break
		}
		before := len(names)
		ahead.enter()
		for first := true; ahead.next(first, '}'); first = false {
			name := string(ahead.key())
			if n == 0 && memberOf([]byte(name))&(memberFeatures|memberGeometry|memberProperties|memberCoordinates|memberGeometries) != 0 {
				return nil
			}
			if !slices.Contains(names, name) && len(names) < g.limits.Columns {
				names = append(names, name)
			}
			ahead.skip()
		}
		if ahead.failed != nil { // the window ends here, or the object is at fault
			if names = names[:before]; n == 0 {
				return nil
			}
			break
		}
	}
	t := &table{im: g.im}
	lon, lat, wkt := t.findPlace(names)
	if lon >= 0 && lat >= 0 || wkt >= 0 || t.findPair(names) >= 0 || g.im.isStatistic() || bytes.Contains(g.rest(), []byte(statisticKind)) {
		return names
	}
	if field, name := namedPair(names); name != "" {
		g.im.opts.Mapping = append(slices.Clone(g.im.opts.Mapping), MappedField{Field: field, Column: name})
		return names
	}
	return nil
}

// namedPair returns the name that says in which order it has both coordinates.
func namedPair(names []string) (field, name string) {
	for _, name := range names {
		switch headerKey(name) {
		case "latlon", "latlong", "latlng":
			return "latlon", name
		case "lonlat", "longlat", "lnglat":
			return "lonlat", name
		}
	}
	return "", ""
}

// flatRows reads the objects as rows of a table with those columns, and
// further ones as they come.
func (g *geoJSON) flatRows(names []string) {
	t := &table{csvReader: csvReader{limits: g.limits, line: 1}, im: g.im, statistic: true}
	g.im.report.Format = FormatGeoJSONSeq
	g.im.headers = names
	if err := t.bindColumns(); err != nil {
		g.failed = err
		return
	}
	at := map[string]int{}
	for i, name := range names {
		at[name] = i
	}
	for g.failed == nil {
		switch c := g.peek(); {
		case c == 0x1e:
			g.pos++
		case c == '{':
			g.flatRow(t, at)
		case c == 0 && g.pos == g.end:
			g.endOfText()
			return
		default:
			g.unexpected("an object")
		}
	}
}

func (g *geoJSON) flatRow(t *table, at map[string]int) {
	g.begin()
	t.fields = slices.Grow(t.fields[:0], len(t.columns))[:len(t.columns)]
	clear(t.fields)
	g.enter()
	n := 0
	for first := true; g.next(first, '}'); first = false {
		key := g.key()
		i, known := at[string(key)]
		if !known {
			c, err := g.im.column(string(key))
			if err != nil {
				g.failed = err
				return
			}
			i = len(t.columns)
			at[c.name], t.columns, t.fields = i, append(t.columns, c), append(t.fields, nil)
			g.im.headers = append(g.im.headers, c.name)
		}
		if n++; n > g.limits.Properties {
			g.fail(413, "too_many_properties", "an object has more than %d members", g.limits.Properties)
			return
		}
		if c := t.columns[i]; c != nil {
			g.put(c)
		} else {
			t.fields[i] = g.written()
		}
	}
	if g.failed != nil {
		return
	}
	if r := &g.im.row; r.fault == nil {
		t.place(r)
	}
	g.take()
}

// written reads a coordinate as text; of a list what is between the brackets.
func (g *geoJSON) written() []byte {
	from := len(g.arena)
	switch g.peek() {
	case '"':
		g.arena = g.text(g.arena, g.limits.ValueBytes)
	case 'n':
		g.literal("null")
	default:
		g.rawMax = from + g.limits.ValueBytes
		none := func([]byte) {}
		g.arena = g.raw(g.arena, 1, rawLook{none, none})
		return bytes.Trim(g.arena[from:], "[]")
	}
	return g.arena[from:]
}
