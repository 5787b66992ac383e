package geo

import (
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/paulmach/orb"
)

// Layer is an immutable collection of features, held as columns so that a
// million points with their properties fit in about a hundred megabytes. Rows
// are numbered 0 to Len()-1 in the order of arrival. Every method is safe for
// concurrent use; Append and Without return new layers that share memory with
// the old.
type Layer struct {
	Info   LayerInfo
	chunks []*chunk
	starts []int // first row of each chunk
	n      int
	index  *lazyIndex
	bulgeM float64 // how far geometry may lie outside its box in the index

	mark *byte // stands for these rows, without holding them
	made derivation
}

// derivation is how a layer's rows came from those of another: some were left
// out, and those from first on were added.
type derivation struct {
	from  *byte
	gone  map[int64]bool
	first int
}

func newLayer(info LayerInfo, chunks []*chunk, index *lazyIndex) *Layer {
	l := &Layer{Info: info, chunks: chunks, index: index, mark: new(byte)}
	widest := 0.0
	for _, c := range chunks {
		l.starts = append(l.starts, l.n)
		l.n += c.len()
		widest = max(widest, c.widestDeg)
	}
	l.bulgeM = bulgeM(widest)
	return l
}

// Len returns the number of features.
func (l *Layer) Len() int { return l.n }

// Bound returns the smallest box around all features, in degrees; it is empty
// (Min beyond Max) for an empty layer. Where a feature crosses the 180th
// meridian it goes all round.
func (l *Layer) Bound() orb.Bound {
	all := noBound()
	for _, c := range l.chunks {
		all = union(all, c.bound)
	}
	return all
}

// Index returns the spatial index; its items are row numbers. It is made when
// first asked for, about a second for a million points.
func (l *Layer) Index() *Index { return l.index.get() }

func (l *Layer) at(row int) (*chunk, int) {
	k, i := l.place(row)
	return l.chunks[k], i
}

// place returns the number of a row's chunk, and the row's number in it.
func (l *Layer) place(row int) (chunk, i int) {
	if len(l.chunks) == 1 {
		return 0, row
	}
	k := row / chunkRows // it is no earlier
	if k+1 < len(l.starts) && l.starts[k+1] <= row {
		k += sort.SearchInts(l.starts[k+1:], row+1)
	}
	return k, row - l.starts[k]
}

// FID returns the row's feature number.
func (l *Layer) FID(row int) int64 { c, i := l.at(row); return c.fids[i] }

// ID returns the identifier that the source gave the row: its own, else its
// property external_id, else id; "" when it has none.
func (l *Layer) ID(row int) string {
	c, i := l.at(row)
	if id := c.id(i); id != "" {
		return id
	}
	for _, name := range idFields() {
		if col := c.column(name); col != nil && col.has(i) {
			s, text := col.value(i).(string)
			if !text {
				return col.literal(i)
			}
			if s != "" {
				return s
			}
		}
	}
	return ""
}

// AppendID appends what ID returns as a JSON string; ok is false when the row
// has none.
func (l *Layer) AppendID(dst []byte, row int) (out []byte, ok bool) {
	c, i := l.at(row)
	if col := c.idsOf; col != nil {
		if !col.numeric() {
			return col.appendLiteral(dst, i), true
		}
		return append(col.appendLiteral(append(dst, '"'), i), '"'), true
	}
	if id := c.id(i); id != "" {
		return appendQuoted(dst, id), true
	}
	for _, name := range idFields() {
		col := c.column(name)
		if col == nil || !col.has(i) {
			continue
		}
		switch lit := col.literal(i); {
		case lit[0] != '"':
			return appendQuoted(dst, lit), true
		case len(lit) > 2:
			return append(dst, lit...), true
		}
	}
	return dst, false
}

// Geometry returns the row's geometry; it must not be changed.
func (l *Layer) Geometry(row int) orb.Geometry { c, i := l.at(row); return c.geometry(i) }

// Point returns the row's position and true when it is a point, else the
// centre of its box and false.
func (l *Layer) Point(row int) (orb.Point, bool) {
	c, i := l.at(row)
	if c.shapes != nil && c.shapes[i] != nil {
		return c.shapes[i].Bound().Center(), false
	}
	return c.points[i], true
}

// AllPoints reports whether every row is a point.
func (l *Layer) AllPoints() bool {
	return !slices.ContainsFunc(l.chunks, func(c *chunk) bool { return c.shapes != nil })
}

// PointAt is Point for rows that are points, false for others.
func (l *Layer) PointAt(row int) (orb.Point, bool) {
	c, i := l.at(row)
	if c.shapes != nil && c.shapes[i] != nil {
		return orb.Point{}, false
	}
	return c.points[i], true
}

// MayHaveHeights reports whether the row may have HeightsField.
func (l *Layer) MayHaveHeights(row int) bool { c, _ := l.at(row); return c.odd }

// Times returns when the row happened or was valid, in UTC; both are zero
// when it is undated.
func (l *Layer) Times(row int) (from, to time.Time) {
	f, t, ok := l.TimesMS(row)
	if !ok {
		return time.Time{}, time.Time{}
	}
	return time.UnixMilli(f).UTC(), time.UnixMilli(t).UTC()
}

// TimesMS is Times in unix milliseconds; ok is false when undated.
func (l *Layer) TimesMS(row int) (from, to int64, ok bool) {
	c, i := l.at(row)
	return c.timesMS(i)
}

func (c *chunk) timesMS(i int) (from, to int64, ok bool) {
	if c.from == nil || c.from[i] == noTime {
		return 0, 0, false
	}
	return c.from[i], c.to[i], true
}

// VertexTimesMS returns a track's instants, one a vertex, in unix
// milliseconds; nil when the row has none.
func (l *Layer) VertexTimesMS(row int) []int64 {
	c, i := l.at(row)
	if c.vertexTimes == nil {
		return nil
	}
	return c.vertexTimes[i]
}

// Value returns a property decoded as Feature.Properties says, nil when absent.
func (l *Layer) Value(row int, name string) any {
	c, i := l.at(row)
	if col := c.column(name); col != nil {
		return col.value(i)
	}
	return nil
}

// Text returns a text property, "" when absent or not text.
func (l *Layer) Text(row int, name string) string {
	c, i := l.at(row)
	col := c.column(name)
	if col == nil || col.numeric() || !col.has(i) {
		return ""
	}
	lit := col.literal(i)
	if lit[0] != '"' {
		return ""
	}
	s, _ := decodeLiteral(lit).(string)
	return s
}

// Number returns a numeric property, NaN when absent or not a number.
func (l *Layer) Number(row int, name string) float64 {
	c, i := l.at(row)
	if col := c.column(name); col != nil && col.has(i) {
		if col.numeric() {
			return col.number(i)
		}
		if v, ok := col.value(i).(float64); ok {
			return v
		}
	}
	return math.NaN()
}

// Literals calls yield with each property present in the row and its JSON
// literal, in column order.
func (l *Layer) Literals(row int, yield func(name, literal string)) {
	c, i := l.at(row)
	for _, col := range c.columns {
		if col.has(i) {
			yield(col.name, col.literal(i))
		}
	}
}

// Cell is one property of a row: a number, or else a JSON literal with a key
// that it shares with every equal literal of the column nearby.
type Cell struct {
	Name    string
	Number  float64
	Literal string // "" for a number
	Key     uint64 // names the literal within the layer; 0 for a number
}

// AppendProperties appends the row's properties to dst as one JSON object,
// with its times under the names that the layer's kind gives them; a property
// of the same name gives way to the time. Properties named in hide are left out.
func (l *Layer) AppendProperties(dst []byte, row int, hide ...string) []byte {
	c, i := l.at(row)
	from, to, dated := c.timesMS(i)
	fromName, toName := l.Info.Kind.TimeFields()
	var times []int64
	if c.vertexTimes != nil {
		times = c.vertexTimes[i]
	}
	if c.odd {
		if dated {
			hide = append(hide[:len(hide):len(hide)], fromName, toName)
		}
		if times != nil {
			hide = append(hide[:len(hide):len(hide)], vertexTimesField)
		}
	}
	start := len(dst)
	dst = c.appendColumns(dst, i, hide)
	key := func(name string) { dst = append(append(append(dst, ',', '"'), name...), '"', ':') }
	if dated {
		key(fromName)
		dst = appendInstant(dst, from)
		if to != from {
			key(toName)
			dst = appendInstant(dst, to)
		}
	}
	if times != nil {
		key(vertexTimesField)
		dst = append(dst, '[')
		for k, t := range times {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = appendInstant(dst, t)
		}
		dst = append(dst, ']')
	}
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{' // in place of the first comma
	return append(dst, '}')
}

// vertexTimesField is the property that shows a track's instants.
const vertexTimesField = "times"

// Feature returns a row whole.
func (l *Layer) Feature(row int) Feature {
	f := Feature{FID: l.FID(row), Geometry: l.Geometry(row), Properties: map[string]any{}}
	c, i := l.at(row)
	f.ID = c.id(i)
	f.From, f.To = l.Times(row)
	for _, t := range l.VertexTimesMS(row) {
		f.VertexTimes = append(f.VertexTimes, time.UnixMilli(t).UTC())
	}
	for _, col := range c.columns {
		if v := col.value(i); v != nil {
			f.Properties[col.name] = v
		}
	}
	return f
}

// Column describes one property of a layer.
type Column struct {
	Name string
	Type string // "number", "text", "boolean", "json" or "mixed"
}

// Columns lists the properties that any feature has, by name within each
// chunk and chunk by chunk.
func (l *Layer) Columns() []Column {
	var out []Column
	at := map[string]int{}
	for _, c := range l.chunks {
		for _, col := range c.columns {
			k, seen := at[col.name]
			if !seen {
				at[col.name] = len(out)
				out = append(out, Column{col.name, col.kind})
			} else if out[k].Type != col.kind {
				out[k].Type = "mixed"
			}
		}
	}
	return out
}

// Append returns a layer with the rows of l followed by those of more, and the
// description of more. The FIDs of more must not occur in l. Cost: the rows of
// more, and on average a few times as many of l, which small chunks take to
// become large ones.
func (l *Layer) Append(more *Layer) *Layer {
	info := more.Info
	info.NextFID = max(info.NextFID, l.Info.NextFID)
	var out *Layer
	if more.n == 0 {
		out = newLayer(info, l.chunks, l.index)
	} else {
		chunks := compact(slices.Concat(l.chunks, more.chunks))
		out = newLayer(info, chunks, l.index.extended(chunks, more.chunks, l.n))
	}
	out.made = derivation{from: l.mark, first: l.n}
	return out
}

// Since tells what became of the rows of old, when the layer was made from it
// by one Append, Upsert or Without: the features of gone are no longer there,
// and the rows from first on are new. All others are what they were, in their
// order. It is not ok for a layer that was made in any other way.
func (l *Layer) Since(old *Layer) (gone map[int64]bool, first int, ok bool) {
	if l.mark == old.mark {
		return nil, l.n, true
	}
	return l.made.gone, l.made.first, l.made.from == old.mark
}

// Upsert returns a layer in which each row of more takes the place of the row
// of l with the same FID, or is added. Replaced rows move to the end.
func (l *Layer) Upsert(more *Layer) *Layer {
	fids := make(map[int64]bool, more.n)
	for row := range more.n {
		fids[more.FID(row)] = true
	}
	left := l.Without(fids)
	out := left.Append(more)
	out.made = derivation{from: l.mark, gone: fids, first: left.n}
	return out
}

// Without returns the layer less the features with the given FIDs. Cost: all
// rows, for the new row numbers in the index, when there is such a feature.
func (l *Layer) Without(fids map[int64]bool) *Layer {
	var chunks []*chunk
	n := 0
	for _, c := range l.chunks {
		kept := c.without(fids)
		n += kept.len()
		if kept.len() > 0 {
			chunks = append(chunks, kept)
		}
	}
	if n == l.n {
		return l
	}
	chunks = compact(chunks)
	out := newLayer(l.Info, chunks, indexOf(chunks))
	out.made = derivation{from: l.mark, gone: maps.Clone(fids), first: n}
	return out
}
