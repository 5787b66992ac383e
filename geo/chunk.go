package geo

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// chunkRows bounds a chunk: small enough to copy on a merge, large enough
// that dictionaries pay.
const chunkRows = 1 << 16

// noTime marks an undated row in the millisecond columns.
const noTime = math.MinInt64

// chunk holds consecutive rows of a layer. Nothing changes it once it is part
// of one.
type chunk struct {
	fids        []int64
	ids         texts   // empty while no feature of the chunk has an ID
	idsOf       *column // where every row has its ID, in place of ids
	points      []orb.Point
	shapes      []orb.Geometry // nil while all are points; nil entries are points
	from, to    []int64        // unix milliseconds; nil while all are undated; one slice where each is an instant
	vertexTimes [][]int64      // unix milliseconds; nil while there are none
	columns     []*column      // by name
	members     []member       // the columns as they are written, once the chunk is
	odd         bool           // a column may have to give way to times or heights
	widestDeg   float64        // widest segment of its shapes, in longitude
	bound       orb.Bound      // around all boxes; the east may be over 180
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

// id returns the ID that row i came with, "" when it has none.
func (c *chunk) id(i int) string {
	if col := c.idsOf; col != nil {
		lit := col.literal(i)
		if !col.numeric() {
			lit = lit[1 : len(lit)-1]
		}
		return lit
	}
	if c.ids.len() == 0 {
		return ""
	}
	return c.ids.at(i)
}

func (c *chunk) geometry(i int) orb.Geometry {
	if c.shapes != nil && c.shapes[i] != nil {
		return c.shapes[i]
	}
	return c.points[i]
}

// box returns the box under which row i is indexed.
func (c *chunk) box(i int) orb.Bound {
	if c.shapes != nil && c.shapes[i] != nil {
		b, _ := extent(c.shapes[i])
		return b
	}
	return orb.Bound{Min: c.points[i], Max: c.points[i]}
}

// compact merges neighbouring chunks while the earlier is less than twice as
// long as the later and both fit into one. So each row is copied a number of
// times that grows with the logarithm of the chunk size, whatever the sizes of
// the appends, and few chunks stay small.
func compact(chunks []*chunk) []*chunk {
	var out []*chunk
	for _, c := range chunks {
		run := []*chunk{c}
		n := c.len()
		for len(out) > 0 {
			last := out[len(out)-1]
			if last.len() >= 2*n || last.len()+n > chunkRows {
				break
			}
			out = out[:len(out)-1]
			run = append(run, last)
			n += last.len()
		}
		slices.Reverse(run)
		out = append(out, merge(run))
	}
	return out
}

// merge joins chunks in their order.
func merge(run []*chunk) *chunk {
	if len(run) == 1 {
		return run[0]
	}
	w := newChunkWriter()
	for _, c := range run {
		for i := range c.len() {
			w.copyRow(c, i)
		}
	}
	return w.finish()
}

// without returns the chunk less the rows with the given FIDs: itself when it
// has none of them.
func (c *chunk) without(fids map[int64]bool) *chunk {
	drop := func(fid int64) bool { return fids[fid] }
	first := slices.IndexFunc(c.fids, drop)
	if first < 0 {
		return c
	}
	w := newChunkWriter()
	for i, fid := range c.fids {
		if !drop(fid) {
			w.copyRow(c, i)
		}
	}
	return w.finish()
}

// chunkWriter fills a chunk row by row.
type chunkWriter struct {
	*chunk
	ids     []string
	columns []*columnWriter
	byName  map[string]*columnWriter
}

func newChunkWriter() *chunkWriter {
	return &chunkWriter{chunk: &chunk{bound: noBound()}, byName: map[string]*columnWriter{}}
}

func (w *chunkWriter) column(name string) *columnWriter {
	col := w.byName[name]
	if col == nil {
		col = &columnWriter{column: &column{name: name}}
		w.byName[name] = col
		w.columns = append(w.columns, col)
	}
	return col
}

// add appends a feature under the FID that it has.
func (w *chunkWriter) add(f Feature) {
	i := w.len()
	w.addRow(f.FID, f.ID)
	w.addGeometry(f.Geometry)
	from, to := int64(noTime), int64(noTime)
	if !f.From.IsZero() || !f.To.IsZero() {
		from, to = interval(f.From, f.To)
	}
	w.addTimes(i, from, to)
	var times []int64
	for _, t := range f.VertexTimes {
		times = append(times, t.UnixMilli())
	}
	w.addVertexTimes(i, times)
	for name, v := range f.Properties {
		if number, lit, ok := encode(v); ok {
			w.column(name).set(i, number, lit)
		}
	}
}

// copyRow appends row k of another chunk.
func (w *chunkWriter) copyRow(c *chunk, k int) {
	i := w.len()
	w.addRow(c.fids[k], c.id(k))
	w.addGeometry(c.geometry(k))
	from, to := int64(noTime), int64(noTime)
	if c.from != nil {
		from, to = c.from[k], c.to[k]
	}
	w.addTimes(i, from, to)
	if c.vertexTimes != nil {
		w.addVertexTimes(i, c.vertexTimes[k])
	} else {
		w.addVertexTimes(i, nil)
	}
	for _, col := range c.columns {
		if !col.has(k) {
			continue
		}
		if col.numeric() {
			w.column(col.name).set(i, col.number(k), "")
		} else {
			w.column(col.name).set(i, 0, col.literal(k))
		}
	}
}

func (w *chunkWriter) addRow(fid int64, id string) {
	if id != "" && w.ids == nil {
		w.ids = make([]string, w.len())
	}
	if w.ids != nil {
		w.ids = append(w.ids, id)
	}
	w.fids = append(w.fids, fid)
}

func (w *chunkWriter) addGeometry(g orb.Geometry) {
	p, isPoint := g.(orb.Point)
	if !isPoint && w.shapes == nil {
		w.shapes = make([]orb.Geometry, len(w.points))
	}
	if w.shapes != nil {
		if isPoint {
			w.shapes = append(w.shapes, nil)
		} else {
			w.shapes = append(w.shapes, g)
			box, widest := extent(g)
			w.widestDeg = max(w.widestDeg, widest)
			w.cover(box)
		}
	}
	if isPoint {
		w.cover(orb.Bound{Min: p, Max: p})
	}
	w.points = append(w.points, p)
}

// cover widens the chunk's bound.
func (w *chunkWriter) cover(b orb.Bound) {
	if lo, hi, ok := unwrap(b); ok {
		w.bound = union(w.bound, orb.Bound{Min: lo, Max: hi})
	}
}

func (w *chunkWriter) addTimes(i int, from, to int64) {
	if from != noTime && w.from == nil {
		w.from, w.to = make([]int64, i), make([]int64, i)
		for k := range i {
			w.from[k], w.to[k] = noTime, noTime
		}
	}
	if w.from != nil {
		w.from, w.to = append(w.from, from), append(w.to, to)
	}
}

func (w *chunkWriter) addVertexTimes(i int, times []int64) {
	if times != nil && w.vertexTimes == nil {
		w.vertexTimes = make([][]int64, i)
	}
	if w.vertexTimes != nil {
		w.vertexTimes = append(w.vertexTimes, times)
	}
}

// finish returns the chunk and drops what only writing needs.
func (w *chunkWriter) finish() *chunk {
	for _, col := range w.columns {
		w.chunk.columns = append(w.chunk.columns, col.finish())
	}
	sortColumns(w.chunk.columns)
	w.fids, w.points, w.shapes = exact(w.fids), exact(w.points), exact(w.shapes)
	w.from, w.to, w.vertexTimes = exact(w.from), exact(w.to), exact(w.vertexTimes)
	if slices.Equal(w.from, w.to) {
		w.to = w.from
	}
	w.chunk.ids = newTexts(w.ids)
	w.settle()
	return w.chunk
}
