package geo

import (
	"encoding/json"
	"strings"
)

// A store moves whole layers in and out as rows of values; these are the ways
// for it to do so without a map and a decoded JSON string a row.

// OwnID returns Feature(row).ID: unlike ID it does not look among the
// properties.
func (l *Layer) OwnID(row int) string {
	c, i := l.at(row)
	return c.id(i)
}

// Values calls yield with each property present in the row, decoded as
// Feature.Properties says, in column order.
func (l *Layer) Values(row int, yield func(name string, value any)) {
	c, i := l.at(row)
	for _, col := range c.columns {
		switch {
		case !col.has(i):
		case col.numeric():
			yield(col.name, col.number(i))
		default:
			yield(col.name, decodeFast(col.dict.at(int(col.code(i)))))
		}
	}
}

// decodeFast is decodeLiteral with a short way for text without escapes.
func decodeFast(lit string) any {
	if n := len(lit); n >= 2 && lit[0] == '"' && strings.IndexByte(lit, '\\') < 0 {
		return lit[1 : n-1]
	}
	if lit[0] == '{' || lit[0] == '[' {
		return json.RawMessage(lit)
	}
	return decodeLiteral(lit)
}

// RowAdder adds features whose properties come as one value for each of a
// fixed list of names.
type RowAdder struct {
	b     *Builder
	names []string
	chunk *chunkWriter // the chunk that slots belong to
	slots []slot
}

// slot is where one name's values go; codes remembers the codes of text, which
// saves quoting a repeated value again.
type slot struct {
	w     *columnWriter
	codes map[string]uint32
}

// maxSlotCodes bounds the memory of columns in which no value is repeated.
const maxSlotCodes = 4096

// Rows returns a RowAdder; it may be used together with Add.
func (b *Builder) Rows(names []string) *RowAdder {
	return &RowAdder{b: b, names: names, slots: make([]slot, len(names))}
}

// Add is Builder.Add with values, aligned with the names, as further
// properties; a nil value is absent. The slice may be used again.
func (r *RowAdder) Add(f Feature, values []any) int64 {
	fid := r.b.Add(f)
	c := r.b.current
	if r.chunk != c {
		r.chunk = c
		clear(r.slots)
	}
	i := c.len() - 1
	for k, v := range values {
		if v != nil {
			r.set(k, i, v)
		}
	}
	return fid
}

func (r *RowAdder) set(k, i int, v any) {
	s := &r.slots[k]
	text, isText := v.(string)
	if isText {
		if code, seen := s.codes[text]; seen {
			s.w.setCode(i, code)
			return
		}
	}
	number, lit, ok := encode(v)
	if !ok {
		return
	}
	if s.w == nil {
		s.w = r.chunk.column(r.names[k])
	}
	s.w.set(i, number, lit)
	if !isText {
		return
	}
	if s.codes == nil {
		s.codes = map[string]uint32{}
	}
	if len(s.codes) < maxSlotCodes {
		s.codes[text] = s.w.codes[i]
	}
}
