package geo

import (
	"math"
	"time"
)

// Builder collects features into a Layer. It is for one goroutine.
type Builder struct {
	info    LayerInfo
	chunks  []*chunk // the full ones
	current *chunkWriter
	n       int
}

// NewBuilder returns a builder for a layer; features without an FID get
// info.NextFID (1 when that is 0) and the following numbers.
func NewBuilder(info LayerInfo) *Builder {
	if info.NextFID < 1 {
		info.NextFID = 1
	}
	return &Builder{info: info, current: newChunkWriter()}
}

// Len returns the number of features added.
func (b *Builder) Len() int { return b.n }

// Add appends a feature and returns its FID. The geometry is kept, not copied;
// properties and times are copied, times cut to milliseconds. Values that JSON
// cannot hold (NaN, infinities, channels) count as absent; whole numbers up to
// 2^53 and fractions of any type become float64. It panics when the feature
// has no geometry, which would otherwise appear at 0°, 0°.
func (b *Builder) Add(f Feature) int64 {
	if f.Geometry == nil {
		panic("geo: feature without geometry")
	}
	if f.FID == 0 {
		f.FID = b.info.NextFID
	}
	b.info.NextFID = max(b.info.NextFID, f.FID+1)
	if b.current.len() == chunkRows {
		b.chunks = append(b.chunks, b.current.finish())
		b.current = newChunkWriter()
	}
	b.current.add(f)
	b.n++
	return f.FID
}

// Layer returns what was added. The builder must not be used afterwards.
func (b *Builder) Layer() *Layer {
	if b.current.len() > 0 {
		b.chunks = append(b.chunks, b.current.finish())
		b.current = newChunkWriter()
	}
	return newLayer(b.info, b.chunks, indexOf(b.chunks))
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

// columnWriter fills a column; its map finds a literal's code. While it has none
// the column is one of numbers.
type columnWriter struct {
	*column
	words  []string // the dictionary
	codeOf map[string]uint32
}

// finish returns the column as it stays.
func (w *columnWriter) finish() *column {
	w.dict = newTexts(w.words)
	w.kind = w.typeName()
	w.shrink()
	return w.column
}

// set gives row i a number, or a literal when that is not "".
func (w *columnWriter) set(i int, number float64, lit string) {
	if lit == "" && w.codeOf == nil {
		for len(w.nums) <= i {
			w.nums = append(w.nums, math.NaN())
		}
		w.nums[i] = number
		return
	}
	if lit == "" {
		lit = formatNumber(number)
	}
	if w.codeOf == nil {
		w.toDictionary()
	}
	w.setLiteral(i, lit)
}

func (w *columnWriter) setLiteral(i int, lit string) {
	code, seen := w.codeOf[lit]
	if !seen {
		code = uint32(len(w.words))
		w.words = append(w.words, lit)
		w.codeOf[lit] = code
	}
	w.setCode(i, code)
}

func (w *columnWriter) setCode(i int, code uint32) {
	for len(w.codes) <= i {
		w.codes = append(w.codes, noCode)
	}
	w.codes[i] = code
}

// toDictionary turns a column that turned out not to be all numbers.
func (w *columnWriter) toDictionary() {
	w.codeOf, w.words, w.codes = map[string]uint32{}, []string{""}, []uint32{}
	for i, v := range w.nums {
		if !math.IsNaN(v) {
			w.setLiteral(i, formatNumber(v))
		}
	}
	w.nums = nil
}
