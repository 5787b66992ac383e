package geo

import (
	"math"
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
	bound  orb.Bound
	index  *Index
}

// chunkRows bounds a chunk: small enough to copy on a merge, large enough
// that dictionaries pay.
const chunkRows = 1 << 16

// noTime marks an undated row in the millisecond columns.
const noTime = math.MinInt64

type chunk struct {
	fids        []int64
	ids         []string // nil while no feature of the chunk has an ID
	points      []orb.Point
	shapes      []orb.Geometry // nil while all are points; nil entries are points
	from, to    []int64        // unix milliseconds; nil while all are undated
	vertexTimes [][]int64      // unix milliseconds; nil while there are none
	columns     []*column
}

func (c *chunk) len() int { return len(c.fids) }

func (c *chunk) column(name string) *column {
	for _, col := range c.columns {
		if col.name == name {
			return col
		}
	}
	return nil
}

func (c *chunk) geometry(i int) orb.Geometry {
	if c.shapes != nil && c.shapes[i] != nil {
		return c.shapes[i]
	}
	return c.points[i]
}

func newLayer(info LayerInfo, chunks []*chunk, index *Index) *Layer {
	l := &Layer{Info: info, chunks: chunks, index: index, bound: index.Bound()}
	for _, c := range chunks {
		l.starts = append(l.starts, l.n)
		l.n += c.len()
	}
	return l
}

// Len returns the number of features.
func (l *Layer) Len() int { return l.n }

// Bound returns the smallest box around all features, in degrees; it is empty
// (Min beyond Max) for an empty layer.
func (l *Layer) Bound() orb.Bound { return l.bound }

// Index returns the spatial index; its items are row numbers.
func (l *Layer) Index() *Index { return l.index }

func (l *Layer) at(row int) (*chunk, int) {
	if len(l.chunks) == 1 {
		return l.chunks[0], row
	}
	k := sort.SearchInts(l.starts, row+1) - 1
	return l.chunks[k], row - l.starts[k]
}

// FID returns the row's feature number.
func (l *Layer) FID(row int) int64 { c, i := l.at(row); return c.fids[i] }

// ID returns the identifier that the source gave the row: its own, else its
// property external_id, else id; "" when it has none.
func (l *Layer) ID(row int) string {
	c, i := l.at(row)
	if c.ids != nil && c.ids[i] != "" {
		return c.ids[i]
	}
	for _, name := range []string{"external_id", "id"} {
		if col := c.column(name); col != nil && col.has(i) {
			if s, ok := col.value(i).(string); ok {
				return s
			}
			return col.literal(i)
		}
	}
	return ""
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
	s, _ := l.Value(row, name).(string)
	return s
}

// Number returns a numeric property, NaN when absent or not a number.
func (l *Layer) Number(row int, name string) float64 {
	c, i := l.at(row)
	if col := c.column(name); col != nil && col.has(i) {
		if col.numeric() {
			return col.nums[i]
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

// AppendProperties appends the row's properties to dst as one JSON object,
// with its times under the names that the layer's kind gives them.
func (l *Layer) AppendProperties(dst []byte, row int) []byte {
	c, i := l.at(row)
	dst = append(dst, '{')
	first := true
	key := func(name string) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, quoteJSON(name)...), ':')
	}
	for _, col := range c.columns {
		if col.has(i) {
			key(col.name)
			dst = col.appendLiteral(dst, i)
		}
	}
	if from, to, ok := l.TimesMS(row); ok {
		fromName, toName := l.Info.Kind.TimeFields()
		key(fromName)
		dst = appendInstant(dst, from)
		if to != from {
			key(toName)
			dst = appendInstant(dst, to)
		}
	}
	if times := l.VertexTimesMS(row); times != nil {
		key("times")
		for k, t := range times {
			dst = append(dst, ",["[btoi(k == 0)])
			dst = appendInstant(dst, t)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func appendInstant(dst []byte, ms int64) []byte {
	dst = append(dst, '"')
	layout := "2006-01-02T15:04:05Z"
	if ms%1000 != 0 {
		layout = "2006-01-02T15:04:05.000Z"
	}
	dst = time.UnixMilli(ms).UTC().AppendFormat(dst, layout)
	return append(dst, '"')
}

// Feature returns a row whole.
func (l *Layer) Feature(row int) Feature {
	f := Feature{FID: l.FID(row), Geometry: l.Geometry(row), Properties: map[string]any{}}
	c, i := l.at(row)
	if c.ids != nil {
		f.ID = c.ids[i]
	}
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

// Columns lists the properties that any feature has, in order of appearance.
func (l *Layer) Columns() []Column {
	var out []Column
	at := map[string]int{}
	for _, c := range l.chunks {
		for _, col := range c.columns {
			t := col.typeName()
			k, seen := at[col.name]
			switch {
			case !seen:
				at[col.name] = len(out)
				out = append(out, Column{col.name, t})
			case t != "" && out[k].Type == "":
				out[k].Type = t
			case t != "" && out[k].Type != t:
				out[k].Type = "mixed"
			}
		}
	}
	return out
}

// typeName returns the one type of the column's values, "mixed" when they
// differ, "" when there are none.
func (c *column) typeName() string {
	if c.numeric() {
		return "number"
	}
	t := ""
	for _, lit := range c.dict[1:] {
		this := "number"
		switch lit[0] {
		case '"':
			this = "text"
		case 't', 'f':
			this = "boolean"
		case '{', '[':
			this = "json"
		}
		if t != "" && t != this {
			return "mixed"
		}
		t = this
	}
	return t
}

// Append returns a layer with the rows of l followed by those of more. The
// FIDs of more must not occur in l. Cost: the rows of more, not of l.
func (l *Layer) Append(more *Layer) *Layer {
	if more.n == 0 {
		return newLayer(more.Info, l.chunks, l.index)
	}
	chunks := append(l.chunks[:len(l.chunks):len(l.chunks)], more.chunks...)
	index := l.index.Clone()
	for row := range more.n {
		index.Insert(more.Geometry(row).Bound(), l.n+row)
	}
	if len(chunks) > 2*(l.n+more.n)/chunkRows+16 {
		return rebuild(more.Info, newLayer(more.Info, chunks, index), nil)
	}
	return newLayer(more.Info, chunks, index)
}

// Upsert returns a layer in which each row of more takes the place of the row
// of l with the same FID, or is added. Replaced rows move to the end.
func (l *Layer) Upsert(more *Layer) *Layer {
	fids := make(map[int64]bool, more.n)
	for row := range more.n {
		fids[more.FID(row)] = true
	}
	return l.Without(fids).Append(more)
}

// Without returns the layer less the features with the given FIDs.
func (l *Layer) Without(fids map[int64]bool) *Layer {
	for row := range l.n {
		if fids[l.FID(row)] {
			return rebuild(l.Info, l, fids)
		}
	}
	return l
}

func rebuild(info LayerInfo, l *Layer, drop map[int64]bool) *Layer {
	b := NewBuilder(info)
	for row := range l.n {
		if f := l.Feature(row); !drop[f.FID] {
			b.Add(f)
		}
	}
	return b.Layer()
}
