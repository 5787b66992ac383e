package geo

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// Builder collects features into a Layer. It is for one goroutine.
type Builder struct {
	info    LayerInfo
	chunks  []*chunk
	writers []*columnWriter // of the current chunk, aligned with its columns
	byName  map[string]*columnWriter
	n       int
}

// NewBuilder returns a builder for a layer; features without an FID get
// info.NextFID (1 when that is 0) and the following numbers.
func NewBuilder(info LayerInfo) *Builder {
	if info.NextFID < 1 {
		info.NextFID = 1
	}
	return &Builder{info: info}
}

// Len returns the number of features added.
func (b *Builder) Len() int { return b.n }

// Add appends a feature and returns its FID. The geometry and times are kept,
// not copied; the properties are copied. Values that JSON cannot hold (NaN,
// infinities, channels) count as absent.
func (b *Builder) Add(f Feature) int64 {
	if f.FID == 0 {
		f.FID = b.info.NextFID
	}
	b.info.NextFID = max(b.info.NextFID, f.FID+1)
	c := b.current()
	i := c.len()
	c.fids = append(c.fids, f.FID)
	b.n++
	if f.ID != "" && c.ids == nil {
		c.ids = make([]string, i, chunkRows)
	}
	if c.ids != nil {
		c.ids = append(c.ids, f.ID)
	}
	c.addGeometry(i, f.Geometry)
	c.addTimes(i, f)
	for name, v := range f.Properties {
		if v == nil {
			continue
		}
		w := b.byName[name]
		if w == nil {
			w = &columnWriter{column: &column{name: name}}
			b.byName[name] = w
			b.writers = append(b.writers, w)
		}
		w.set(i, v)
	}
	return f.FID
}

func (b *Builder) current() *chunk {
	if k := len(b.chunks); k > 0 && b.chunks[k-1].len() < chunkRows {
		return b.chunks[k-1]
	}
	b.finish()
	c := &chunk{}
	b.chunks = append(b.chunks, c)
	b.byName = map[string]*columnWriter{}
	return c
}

// finish moves the written columns into the chunk and drops what only writing
// needs.
func (b *Builder) finish() {
	if len(b.chunks) == 0 {
		return
	}
	c := b.chunks[len(b.chunks)-1]
	c.columns = c.columns[:0]
	for _, w := range b.writers {
		c.columns = append(c.columns, w.column)
	}
	sortColumns(c.columns)
	b.writers = nil
}

// Layer returns what was added. The builder must not be used afterwards.
func (b *Builder) Layer() *Layer {
	b.finish()
	index := NewIndex()
	row := 0
	for _, c := range b.chunks {
		for i := range c.len() {
			index.Insert(c.geometry(i).Bound(), row)
			row++
		}
	}
	return newLayer(b.info, b.chunks, index)
}

func (c *chunk) addGeometry(i int, g orb.Geometry) {
	if p, ok := g.(orb.Point); ok {
		c.points = append(c.points, p)
		if c.shapes != nil {
			c.shapes = append(c.shapes, nil)
		}
		return
	}
	if c.shapes == nil {
		c.shapes = make([]orb.Geometry, i)
	}
	c.shapes = append(c.shapes, g)
	c.points = append(c.points, orb.Point{})
}

func (c *chunk) addTimes(i int, f Feature) {
	dated := !f.From.IsZero() || !f.To.IsZero()
	if dated && c.from == nil {
		c.from, c.to = make([]int64, i), make([]int64, i)
		for k := range i {
			c.from[k], c.to[k] = noTime, noTime
		}
	}
	if c.from != nil {
		from, to := int64(noTime), int64(noTime)
		if dated {
			from, to = interval(f.From, f.To)
		}
		c.from, c.to = append(c.from, from), append(c.to, to)
	}
	if f.VertexTimes != nil && c.vertexTimes == nil {
		c.vertexTimes = make([][]int64, i)
	}
	if c.vertexTimes != nil {
		var ms []int64
		for _, t := range f.VertexTimes {
			ms = append(ms, t.UnixMilli())
		}
		c.vertexTimes = append(c.vertexTimes, ms)
	}
}

func interval(from, to time.Time) (int64, int64) {
	if from.IsZero() {
		from = to
	}
	if to.IsZero() {
		to = from
	}
	return from.UnixMilli(), to.UnixMilli()
}

// columnWriter fills a column; its map finds a literal's code.
type columnWriter struct {
	*column
	codeOf map[string]uint32
}

func (w *columnWriter) set(i int, v any) {
	if x, ok := v.(float64); ok && w.codeOf == nil {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		for len(w.nums) < i {
			w.nums = append(w.nums, math.NaN())
		}
		w.nums = append(w.nums, x)
		return
	}
	lit, ok := encodeLiteral(v)
	if !ok || lit == "null" || lit == "" {
		return
	}
	if w.codeOf == nil {
		w.toDictionary()
	}
	w.setLiteral(i, lit)
}

func (w *columnWriter) setLiteral(i int, lit string) {
	code, seen := w.codeOf[lit]
	if !seen {
		code = uint32(len(w.dict))
		w.dict = append(w.dict, lit)
		w.codeOf[lit] = code
	}
	for len(w.codes) < i {
		w.codes = append(w.codes, noCode)
	}
	w.codes = append(w.codes, code)
}

// toDictionary turns a column that turned out not to be all numbers.
func (w *columnWriter) toDictionary() {
	w.codeOf, w.dict, w.codes = map[string]uint32{}, []string{""}, []uint32{}
	for i, v := range w.nums {
		if !math.IsNaN(v) {
			w.setLiteral(i, formatNumber(v))
		}
	}
	w.nums = nil
}
