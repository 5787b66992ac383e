package tiles

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/sempadan/sempadan/geo"
)

// encoder builds the bytes of one vector tile. It is reused from tile to
// tile.
type encoder struct {
	frames     []frame
	candidates []candidate
	rows       rowSet
	block      block
	picked     []int32 // the rows of the candidates
	read       geo.Gathered
	dots       bool // whether lines too short to see are drawn a unit long
	columns    []column
	keys       table
	values     table
	known      memo // values that are in the table, by cell
	features   []byte
	tags       []byte
	shifted    []orb.Point // scratch: a part in tile units
	snapped    []vertex    // scratch: the same on the grid
	uncrosser  uncrosser
	outline    outline
}

func newEncoder() *encoder {
	seed := maphash.MakeSeed()
	return &encoder{keys: table{seed: seed}, values: table{seed: seed}}
}

func (e *encoder) reset(f []frame, dots bool) {
	e.frames, e.dots = f, dots
	e.candidates = e.candidates[:0]
	e.features = e.features[:0]
	e.columns = e.columns[:0]
	e.keys.reset()
	e.values.reset()
	e.known.reset()
}

// sees reports whether a point falls in the tile or its buffer.
func (e *encoder) sees(p orb.Point) bool {
	w := world(p)
	for i := range e.frames {
		if _, ok := e.frames[i].grid(w); ok {
			return true
		}
	}
	return false
}

func (e *encoder) seesBox(b orb.Bound) bool {
	for i := range e.frames {
		if !e.frames[i].outside(b) {
			return true
		}
	}
	return false
}

// grid returns the point on the tile's grid, false when it is outside.
func (f *frame) grid(w orb.Point) (vertex, bool) {
	q := snap(f.units(w))
	lo, hi := int32(f.window.Min[0]), int32(f.window.Max[0])
	return q, q.x >= lo && q.x <= hi && q.y >= lo && q.y <= hi
}

// tooSmall is the key of shapes that would not cover a pixel.
const tooSmall = math.MaxUint64

// sizeKey ranks a shape by the longer side of its box, largest first.
func (e *encoder) sizeKey(s *shape) uint64 {
	w, h := s.bound.Max[0]-s.bound.Min[0], s.bound.Max[1]-s.bound.Min[1]
	size := max(w, h)
	small := size*e.frames[0].scale < pixel/2
	if small && len(s.points) == 0 && !(e.dots && len(s.lines) > 0) {
		return tooSmall
	}
	return (math.MaxUint64 - math.Float64bits(size)) >> 1
}

// gather reads what the tags of the candidates are made of.
func (e *encoder) gather(l *geo.Layer) {
	e.picked = e.picked[:0]
	for _, c := range e.candidates {
		e.picked = append(e.picked, c.row)
	}
	e.read.Gather(l, e.picked)
}

// encode appends the i-th candidate's feature; false when nothing of it is
// visible.
func (v *Vector) encode(e *encoder, i int, c candidate) bool {
	row := int(c.row)
	if v.secret && v.layer.OfCollusion(row) {
		return false
	}
	e.tags = e.tags[:0]
	if !math.IsNaN(c.at[0]) {
		e.outline.reset()
		w := world(c.at)
		for k := range e.frames {
			if q, ok := e.frames[k].grid(w); ok {
				e.outline.points = append(e.outline.points, q)
			}
		}
		return v.write(e, i, c.fid, pointType)
	}
	s := v.shape(row)
	written := false
	for _, t := range [...]geomType{polygonType, lineType, pointType} {
		e.outline.reset()
		for k := range e.frames {
			e.draw(&e.frames[k], s, t)
		}
		written = v.write(e, i, c.fid, t) || written
	}
	return written
}

// draw adds the shape's parts of one type to the outline.
func (e *encoder) draw(f *frame, s *shape, t geomType) {
	switch t {
	case pointType:
		for _, w := range s.points {
			if q, ok := f.grid(w); ok {
				e.outline.points = append(e.outline.points, q)
			}
		}
	case lineType:
		for i := range s.lines {
			e.drawLine(f, &s.lines[i])
		}
	case polygonType:
		outer := false
		for i := range s.rings {
			p := &s.rings[i]
			if p.hole && !outer {
				continue
			}
			if drawn := e.drawRing(f, p); !p.hole {
				outer = drawn
			}
		}
	}
}

func (e *encoder) drawLine(f *frame, p *part) {
	if f.outside(p.bound) {
		return
	}
	e.shifted = f.simplified(e.shifted[:0], p)
	if f.inside(p.bound) {
		e.snapped = snapLine(e.snapped, e.shifted)
		if len(e.snapped) == 1 && e.dots {
			q := e.snapped[0]
			e.snapped = append(e.snapped, vertex{q.x + 1, q.y})
		}
		e.piece()
		return
	}
	for _, piece := range clip.LineString(f.window, orb.LineString(e.shifted)) {
		e.snapped = snapLine(e.snapped, piece)
		e.piece()
	}
}

func (e *encoder) piece() {
	if len(e.snapped) > 1 {
		e.outline.line(e.snapped, false)
	}
}

func (e *encoder) drawRing(f *frame, p *part) bool {
	w, h := (p.bound.Max[0]-p.bound.Min[0])*f.scale, (p.bound.Max[1]-p.bound.Min[1])*f.scale
	if w*h < pixel*pixel || f.outside(p.bound) {
		return false
	}
	ring := f.simplified(e.shifted[:0], p)
	e.shifted = ring
	if !f.inside(p.bound) {
		ring = clip.Ring(f.window, orb.Ring(ring))
	}
	e.snapped = e.uncrosser.snapRing(e.snapped, ring, p.hole, pixel*pixel)
	if len(e.snapped) == 0 {
		return false
	}
	e.outline.line(e.snapped, true)
	return true
}

// write appends the outline as a feature of the given type; false when the
// outline is empty. The tags are made when first needed.
func (v *Vector) write(e *encoder, i int, fid int64, t geomType) bool {
	geometry := e.outline.geometry()
	if len(geometry) == 0 {
		return false
	}
	if len(e.tags) == 0 {
		v.tag(e, i)
	}
	size := 0
	if fid >= 0 {
		size += 1 + uvarintLen(uint64(fid))
	}
	if len(e.tags) > 0 {
		size += 1 + uvarintLen(uint64(len(e.tags))) + len(e.tags)
	}
	size += 2 + 1 + uvarintLen(uint64(len(geometry))) + len(geometry)

	b := appendTag(e.features, 2, bytesWire) // Layer.features
	b = binary.AppendUvarint(b, uint64(size))
	if fid >= 0 {
		b = binary.AppendUvarint(appendTag(b, 1, varintWire), uint64(fid)) // Feature.id
	}
	if len(e.tags) > 0 {
		b = appendBytes(b, 2, e.tags) // Feature.tags
	}
	b = binary.AppendUvarint(appendTag(b, 3, varintWire), uint64(t)) // Feature.type
	e.features = appendBytes(b, 4, geometry)                         // Feature.geometry
	return true
}

// column is a property of the tile's features; its number is its place.
type column struct {
	name         string
	seen, repeat int // values looked up, and found
}

// varied reports whether values of the column are hardly ever repeated, so
// that looking for them costs more than it saves.
func (c *column) varied() bool { return c.seen >= 64 && 8*c.repeat < c.seen }

// tag fills e.tags with the times and properties of the i-th candidate.
func (v *Vector) tag(e *encoder, i int) {
	next := 0 // rows mostly have the same properties in the same order
	tag := func(name string) {
		if next >= len(e.columns) || e.columns[next].name != name {
			next = e.column(name)
		}
		e.tags = binary.AppendUvarint(e.tags, uint64(next))
		e.tags = binary.AppendUvarint(e.tags, uint64(e.value(&e.columns[next])))
		next++
	}
	from, to, dated := e.read.TimesMS(i)
	fromName, toName := "", ""
	if dated {
		fromName, toName = v.layer.Info.Kind.TimeFields()
		e.values.buf = appendInstant(e.values.buf, from)
		tag(fromName)
		if to != from {
			e.values.buf = appendInstant(e.values.buf, to)
			tag(toName)
		}
	}
	e.read.Cells(i, func(c geo.Cell) {
		if dated && (c.Name == fromName || c.Name == toName) || v.restricts && c.Name == geo.CollusionField || c.Name == geo.HeightsField ||
			slices.Contains(geo.FixFields[:], c.Name) && strings.HasPrefix(c.Literal, "[") {
			return
		}
		if next >= len(e.columns) || e.columns[next].name != c.Name {
			next = e.column(c.Name)
		}
		e.tags = binary.AppendUvarint(e.tags, uint64(next))
		e.tags = binary.AppendUvarint(e.tags, uint64(e.cell(&e.columns[next], c)))
		next++
	})
}

// cell returns the number of a cell's value. A text that was met before is known
// by its key, without being written again.
func (e *encoder) cell(of *column, c geo.Cell) uint32 {
	if c.Key != 0 && !of.varied() {
		if n, met := e.known.get(c.Key); met {
			of.seen, of.repeat = of.seen+1, of.repeat+1
			return n
		}
	}
	e.values.buf = appendCell(e.values.buf, c)
	n := e.value(of)
	if c.Key != 0 && !of.varied() {
		e.known.put(c.Key, n)
	}
	return n
}

// column returns the number of a property name.
func (e *encoder) column(name string) int {
	e.keys.buf = appendBytes(e.keys.buf, 3, []byte(strings.ToValidUTF8(name, "\uFFFD")))
	k := int(e.keys.intern())
	if k == len(e.columns) {
		e.columns = append(e.columns, column{name: name})
	}
	return k
}

// value returns the number of the value of column c that was appended to
// e.values.buf.
func (e *encoder) value(c *column) uint32 {
	if c.varied() {
		return e.values.add()
	}
	n := uint32(len(e.values.ends))
	k := e.values.intern()
	c.seen++
	if k < n {
		c.repeat++
	}
	return k
}

// tile returns the finished bytes in memory of their own.
func (e *encoder) tile(name string) []byte {
	const rest = 8 // extent, version
	size := 1 + uvarintLen(uint64(len(name))) + len(name) + len(e.features) + len(e.keys.buf) + len(e.values.buf) + 3 + 2
	b := make([]byte, 0, size+rest)
	b = appendTag(b, 3, bytesWire) // Tile.layers
	b = binary.AppendUvarint(b, uint64(size))
	b = appendBytes(b, 1, []byte(name)) // Layer.name
	b = append(b, e.features...)
	b = append(b, e.keys.buf...)
	b = append(b, e.values.buf...)
	b = binary.AppendUvarint(appendTag(b, 5, varintWire), Extent) // Layer.extent
	return binary.AppendUvarint(appendTag(b, 15, varintWire), 2)  // Layer.version
}

// outline collects the geometry of one feature.
type outline struct {
	points   []vertex
	commands []byte
	at       vertex
}

const (
	moveTo    = 1
	lineTo    = 2
	closePath = 7 | 1<<3
)

func (o *outline) reset() {
	o.points, o.commands, o.at = o.points[:0], o.commands[:0], vertex{}
}

func (o *outline) line(v []vertex, ring bool) {
	o.command(moveTo, 1)
	o.step(v[0])
	o.command(lineTo, len(v)-1)
	for _, q := range v[1:] {
		o.step(q)
	}
	if ring {
		o.commands = append(o.commands, closePath)
	}
}

func (o *outline) command(id, count int) {
	o.commands = binary.AppendUvarint(o.commands, uint64(id|count<<3))
}

func (o *outline) step(q vertex) {
	o.commands = binary.AppendUvarint(o.commands, zigzag(q.x-o.at.x))
	o.commands = binary.AppendUvarint(o.commands, zigzag(q.y-o.at.y))
	o.at = q
}

func zigzag(v int32) uint64 { return uint64(uint32(v<<1 ^ v>>31)) }

// geometry returns the commands; nil when there is nothing.
func (o *outline) geometry() []byte {
	if len(o.points) > 0 {
		o.command(moveTo, len(o.points))
		for _, q := range o.points {
			o.step(q)
		}
	}
	return o.commands
}
