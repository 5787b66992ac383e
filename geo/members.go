package geo

import (
	"math"
	"slices"
	"strconv"
)

// member is a column, or several that are one text in all rows, as it is written
// into JSON objects: each member begins with a comma.
type member struct {
	same  string   // in all rows
	texts []string // else by code, "" where absent, where values are few
	col   *column  // else of this column
}

// settle works out what only reading needs, once all columns are there.
func (c *chunk) settle() {
	c.members, c.odd = nil, false
	for _, col := range c.columns {
		c.odd = c.odd || mayGiveWay(col.name)
		m := member{col: col}
		switch {
		case col.uniform > 0 && col.uniform == c.len():
			m = member{same: col.key + col.dict.at(noCode+1)}
		case col.few != nil || !col.numeric() && col.dict.len() <= math.MaxUint8+1:
			m.texts = col.texts()
		}
		if n := len(c.members); m.same != "" && n > 0 && c.members[n-1].same != "" {
			c.members[n-1].same += m.same
			continue
		}
		c.members = append(c.members, m)
	}
	c.shareIDs()
}

// texts are the members that the column's codes stand for.
func (c *column) texts() []string {
	out := make([]string, max(len(c.few), c.dict.len()))
	for code := noCode + 1; code < len(out); code++ {
		if c.numeric() {
			out[code] = c.key + formatNumber(c.few[code])
		} else {
			out[code] = c.key + c.dict.at(code)
		}
	}
	return out
}

// mayGiveWay reports whether properties of a name may have to be left out of a
// row: for its times, or its heights.
func mayGiveWay(name string) bool {
	for _, kind := range []LayerKind{KindIncident, KindPatrolTrack, KindOther} {
		if from, to := kind.TimeFields(); name == from || name == to {
			return true
		}
	}
	return name == vertexTimesField || name == HeightsField
}

// shareIDs drops the IDs that the rows came with where one of their columns has
// them as well.
func (c *chunk) shareIDs() {
	if c.ids.len() != c.len() {
		return
	}
	for _, name := range idFields() {
		if col := c.column(name); col != nil && c.idsAre(col) {
			c.ids, c.idsOf = texts{}, col
			return
		}
	}
}

// idFields are the properties where an ID is looked for, the first first.
func idFields() [2]string { return [2]string{"external_id", "id"} }

func (c *chunk) idsAre(col *column) bool {
	var buf []byte
	for i := range c.len() {
		id := c.ids.at(i)
		if buf = col.appendLiteral(buf[:0], i); !col.numeric() {
			if n := len(buf); n < 3 || buf[0] != '"' || !isPlain(id) {
				return false
			}
			buf = buf[1 : len(buf)-1]
		}
		if id != string(buf) {
			return false
		}
	}
	return true
}

// appendLiteral appends literal(i).
func (c *column) appendLiteral(dst []byte, i int) []byte {
	if !c.numeric() {
		return append(dst, c.dict.at(int(c.code(i)))...)
	}
	if v := c.number(i); !math.IsNaN(v) {
		return appendNumber(dst, v)
	}
	return dst
}

// appendColumns appends the columns of row i that are present, each with a comma
// before it, but for those of the names.
func (c *chunk) appendColumns(dst []byte, i int, but []string) []byte {
	if len(but) > 0 {
		for _, col := range c.columns {
			if !slices.Contains(but, col.name) {
				dst = col.appendMember(dst, i)
			}
		}
		return dst
	}
	for k := range c.members {
		switch m := &c.members[k]; {
		case m.same != "":
			dst = append(dst, m.same...)
		case m.texts != nil:
			dst = append(dst, m.texts[m.col.code(i)]...)
		default:
			dst = m.col.appendMember(dst, i)
		}
	}
	return dst
}

func (c *column) appendMember(dst []byte, i int) []byte {
	if !c.numeric() {
		if lit := c.dict.at(int(c.code(i))); lit != "" {
			dst = append(append(dst, c.key...), lit...)
		}
		return dst
	}
	v := c.number(i)
	if n := int64(v); float64(n) == v && n > -maxExactInteger && n < maxExactInteger && n != 0 {
		return strconv.AppendInt(append(dst, c.key...), n, 10)
	}
	if !math.IsNaN(v) {
		dst = appendNumber(append(dst, c.key...), v)
	}
	return dst
}
