package data

import (
	"math"

	"github.com/sempadan/sempadan/geo"
)

// properties reads the properties of a feature into the row's cells.
func (g *geoJSON) properties() {
	r := &g.im.row
	switch g.peek() {
	case '{':
	case 'n':
		g.literal("null")
		return
	default:
		g.skip()
		r.refuseRow("properties", "bad_properties", "the properties are not an object")
		return
	}
	g.enter()
	n := 0
	for first := true; g.next(first, '}'); first = false {
		c := g.column(n, g.key())
		if n++; n > g.limits.Properties {
			g.fail(413, "too_many_properties", "a feature has more than %d properties", g.limits.Properties)
		}
		if g.failed != nil {
			return
		}
		g.put(c)
	}
}

// put reads a value of the row into its column; of one that stands twice the
// last counts.
func (g *geoJSON) put(c *column) {
	r := &g.im.row
	at := len(r.cells)
	if c.seen == r.number {
		g.im.report.warn("duplicate_property", c.name, "the property %s stands more than once in a feature, first in feature %d; the last one counts", show(c.name), r.number)
		for at = range r.cells {
			if r.cells[at].col == c {
				break
			}
		}
	}
	c.seen = r.number
	v := g.value(c)
	if at == len(r.cells) {
		r.cells = append(r.cells, v)
	} else {
		r.cells[at] = v
	}
}

// column finds the column of the n-th property: most features have the same
// properties in the same order.
func (g *geoJSON) column(n int, key []byte) *column {
	if g.failed != nil {
		return nil
	}
	if n < len(g.likely) && g.likely[n].name == string(key) {
		return g.likely[n]
	}
	c := g.im.columns[string(key)]
	if c == nil {
		var err error
		if c, err = g.im.column(string(key)); err != nil {
			g.failed = err
			return nil
		}
	}
	if n < len(g.likely) {
		g.likely[n] = c
	} else if n == len(g.likely) {
		g.likely = append(g.likely, c)
	}
	return c
}

// value reads one property.
func (g *geoJSON) value(c *column) cell {
	v := cell{col: c}
	from := len(g.arena)
	switch g.peek() {
	case '"':
		g.arena = g.text(g.arena, g.limits.ValueBytes)
		v.kind, v.text = cellText, g.arena[from:]
	case '{', '[':
		if g.im.kind == geo.KindPatrolTrack && len(c.targets) == 1 && c.targets[0].role == roleVertexTimes {
			g.im.row.hasTimes = true
			g.vertexTimes()
			return v
		}
		g.rawMax = from + g.limits.ValueBytes
		g.arena = g.raw(g.arena, 1, g.look(c))
		v.kind, v.text = cellNested, g.arena[from:]
	case 't':
		g.literal("true")
		v.kind = cellTrue
	case 'f':
		g.literal("false")
		v.kind = cellFalse
	case 'n':
		g.literal("null")
	default:
		v.kind, v.num = cellNumber, g.number()
		if math.Abs(v.num) >= 1<<53 || len(g.lit) > 15 {
			g.arena = exactNumber(g.arena, v.num, g.lit)
			if len(g.arena) > from {
				v.text = g.arena[from:]
			}
		}
	}
	return v
}

// exactNumber appends an integer as it was written when a float64 cannot hold
// it.
func exactNumber(dst []byte, v float64, lit []byte) []byte {
	if math.Abs(v) < 1<<53 {
		return dst
	}
	for _, c := range lit {
		if c != '-' && c-'0' >= 10 {
			return dst
		}
	}
	return append(dst, lit...)
}

// look judges the names and texts inside a nested value.
func (g *geoJSON) look(c *column) rawLook {
	if !g.im.scrutiny || c.dropped {
		return rawLook{name: func([]byte) {}, text: func([]byte) {}}
	}
	return rawLook{
		name: func(name []byte) {
			bad, judged := c.judgment[string(name)]
			if !judged {
				if c.judgment == nil {
					c.judgment = map[string]bool{}
				}
				bad = judgeName(string(name)) == nameForbidden
				if len(c.judgment) < maxColumnNames {
					c.judgment[string(name)] = bad
				}
			}
			if bad && !c.dropped {
				g.im.condemn(c, "a record of "+show(name))
			}
		},
		text: func(text []byte) {
			if what := personal(text, true); what != "" && !c.dropped {
				g.im.condemn(c, what)
			}
		},
	}
}

// vertexTimes reads the times of a track's vertices: a list of texts, of such
// lists, or an object that has one as times.
func (g *geoJSON) vertexTimes() {
	r := &g.im.row
	switch g.peek() {
	case '[':
		g.enter()
		for first := true; g.next(first, ']'); first = false {
			g.vertexTimes()
		}
	case '{':
		g.enter()
		for first := true; g.next(first, '}'); first = false {
			if vertexTimeNames[string(g.key())] {
				g.vertexTimes()
			} else {
				g.skip()
			}
		}
	case '"':
		from := len(g.arena)
		g.arena = g.text(g.arena, maxNameBytes)
		r.times = append(r.times, g.arena[from:])
	case 'n':
		g.literal("null")
		r.times = append(r.times, nil)
	default:
		g.number()
		from := len(g.arena)
		g.arena = append(g.arena, g.lit...)
		r.times = append(r.times, g.arena[from:])
	}
	if len(r.times) > g.limits.Vertices {
		g.fail(413, "too_many_vertices", "a track has more than %d times", g.limits.Vertices)
	}
}
