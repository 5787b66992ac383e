package data

import (
	"cmp"
	"encoding/binary"
	"io"
	"iter"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"
	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// fgbInMemory is the size up to which the features of a file wait in memory
// for the index before them.
const fgbInMemory = 16 << 20

// writeFlatGeobuf writes the rows in the order of a Hilbert curve, with an
// index by which readers find those in a box.
func writeFlatGeobuf(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	t := NewExportTable(l, rows)
	f := &fgbWriter{t: t, measured: t.Measured(), b: flatbuffers.NewBuilder(64 << 10)}
	f.order()
	features := &spool{limit: fgbInMemory}
	defer features.close()
	offsets := make([]uint64, len(f.nodes))
	for i, n := range f.nodes {
		offsets[i] = uint64(features.size)
		if _, err := features.Write(f.feature(int(n.at))); err != nil {
			return err
		}
	}
	for i := range f.nodes {
		f.nodes[i].at = offsets[i]
	}
	if _, err := w.Write(append([]byte(fgbMagic), 1)); err != nil {
		return err
	}
	if _, err := w.Write(f.header()); err != nil {
		return err
	}
	if err := f.writeIndex(w); err != nil {
		return err
	}
	_, err := features.WriteTo(w)
	return err
}

type fgbWriter struct {
	t        *ExportTable
	measured bool
	kind     byte // of all geometries, or fgbUnknown
	bound    orb.Bound
	nodes    []fgbNode // the leaves, in order
	b        *flatbuffers.Builder
	props    []byte
}

// fgbNode is an entry of the index: of a leaf, at is the row and later the
// place of the feature; of others, the number of the first child.
type fgbNode struct {
	bound orb.Bound
	at    uint64
	curve uint64 // place on the Hilbert curve
}

// order sorts the rows along a Hilbert curve, by the middle of their boxes.
func (f *fgbWriter) order() {
	f.bound = f.t.Bound()
	size := [2]float64{f.bound.Max[0] - f.bound.Min[0], f.bound.Max[1] - f.bound.Min[1]}
	place := func(v float64, axis int) uint32 {
		if size[axis] <= 0 {
			return 0
		}
		return uint32(math.Min(math.Max((v-f.bound.Min[axis])/size[axis], 0), 1) * (1<<hilbertBits - 1))
	}
	for i, row := range f.t.Rows {
		g := f.t.Layer.Geometry(row)
		if k := fgbTypeOf(g); i == 0 {
			f.kind = k
		} else if k != f.kind {
			f.kind = fgbUnknown
		}
		b := g.Bound()
		c := b.Center()
		f.nodes = append(f.nodes, fgbNode{b, uint64(row), hilbert(place(c[0], 0), place(c[1], 1))})
	}
	slices.SortStableFunc(f.nodes, func(a, b fgbNode) int { return cmp.Compare(b.curve, a.curve) })
}

const hilbertBits = 16

// hilbert returns the place of a cell on a Hilbert curve over 2^16 × 2^16
// cells (Wikipedia, Hilbert curve, xy2d: quadrants are turned level by level).
func hilbert(x, y uint32) (d uint64) {
	for s := uint32(1) << (hilbertBits - 1); s > 0; s >>= 1 {
		rx, ry := (x&s)/s, (y&s)/s
		d = d<<2 | uint64((3*rx)^ry)
		if ry == 0 {
			if rx == 1 {
				x, y = ^x, ^y
			}
			x, y = y, x
		}
	}
	return d
}

func fgbTypeOf(g orb.Geometry) byte {
	switch g.(type) {
	case orb.Point:
		return fgbPoint
	case orb.MultiPoint:
		return fgbMultiPoint
	case orb.LineString:
		return fgbLineString
	case orb.MultiLineString:
		return fgbMultiLineString
	case orb.MultiPolygon:
		return fgbMultiPolygon
	case orb.Collection:
		return fgbCollection
	}
	return fgbPolygon // rings and bounds too
}

// header returns the header with its length before it.
func (f *fgbWriter) header() []byte {
	b := f.b
	b.Reset()
	columns := make([]flatbuffers.UOffsetT, len(f.t.Fields))
	for i := range columns {
		name := b.CreateString(f.columnName(i))
		b.StartObject(11)
		b.PrependUOffsetTSlot(columnName, name, 0)
		b.PrependByteSlot(columnType, f.columnType(i), 0)
		columns[i] = b.EndObject()
	}
	list := b.CreateVectorOfTables(columns)
	org, crs := b.CreateString("EPSG"), b.CreateString("WGS 84")
	b.StartObject(6)
	b.PrependUOffsetTSlot(crsOrg, org, 0)
	b.PrependInt32Slot(crsCode, 4326, 0)
	b.PrependUOffsetTSlot(crsName, crs, 0)
	system := b.EndObject()
	box := floatVector(b, []float64{f.bound.Min[0], f.bound.Min[1], f.bound.Max[0], f.bound.Max[1]})
	name, mark := b.CreateString(f.t.Layer.Info.ID), b.CreateString(f.t.Layer.Info.Mark.Text)
	b.StartObject(14)
	if f.t.Layer.Info.Mark.ID != "" {
		b.PrependUOffsetTSlot(headerDescription, mark, 0)
	}
	b.PrependUOffsetTSlot(headerName, name, 0)
	if len(f.nodes) > 0 {
		b.PrependUOffsetTSlot(headerEnvelope, box, 0)
	}
	b.PrependByteSlot(headerType, f.kind, 0)
	b.PrependBoolSlot(headerHasZ, f.t.InSpace(), false)
	b.PrependBoolSlot(headerHasM, f.measured, false)
	b.PrependUOffsetTSlot(headerColumns, list, 0)
	b.PrependUint64Slot(headerCount, uint64(len(f.nodes)), 0)
	b.PrependUint16Slot(headerNodeSize, fgbNodeSize, fgbNodeSize)
	b.PrependUOffsetTSlot(headerCRS, system, 0)
	b.FinishSizePrefixed(b.EndObject())
	return b.FinishedBytes()
}

// columnName is never empty: readers leave out a column without a name.
func (f *fgbWriter) columnName(i int) string {
	name := f.t.Fields[i].Name
	if name != "" {
		return name
	}
	for slices.ContainsFunc(f.t.Fields, func(o ExportField) bool { return o.Name == name }) {
		name += "_"
	}
	return name
}

func (f *fgbWriter) columnType(i int) byte {
	switch field := f.t.Fields[i]; field.Kind {
	case ExportInteger:
		if field.Lo < math.MinInt32 || field.Hi > math.MaxInt32 {
			return fgbLong
		}
		return fgbInt
	case ExportReal:
		return fgbDouble
	case ExportBoolean:
		return fgbBool
	case ExportDate, ExportTime:
		return fgbDateTime
	}
	return fgbString
}

func floatVector(b *flatbuffers.Builder, v []float64) flatbuffers.UOffsetT {
	b.StartVector(8, len(v), 8)
	for _, x := range slices.Backward(v) {
		b.PrependFloat64(x)
	}
	return b.EndVector(len(v))
}

// feature returns a row with its length before it, valid until the next call.
func (f *fgbWriter) feature(row int) []byte {
	b := f.b
	b.Reset()
	z := heights(f.t.HeightsOf(row))
	geometry := f.geometry(f.t.Layer.Geometry(row), &z, f.t.MeasuresOf(row))
	f.appendProperties(row)
	properties := b.CreateByteVector(f.props)
	b.StartObject(3)
	b.PrependUOffsetTSlot(featureGeometry, geometry, 0)
	b.PrependUOffsetTSlot(featureProperties, properties, 0)
	b.FinishSizePrefixed(b.EndObject())
	return b.FinishedBytes()
}

// geometry writes a geometry with the heights at the front of z; m are the
// measures of its positions, or nil.
func (f *fgbWriter) geometry(g orb.Geometry, z *heights, m []float64) flatbuffers.UOffsetT {
	var lists [][]orb.Point
	var up heights
	var parts []flatbuffers.UOffsetT
	switch g := g.(type) {
	case orb.Point:
		lists = [][]orb.Point{{g}}
	case orb.MultiPoint:
		lists = [][]orb.Point{g}
	case orb.LineString:
		lists = [][]orb.Point{g}
	case orb.MultiLineString:
		for _, line := range g {
			lists = append(lists, line)
		}
	case orb.Ring:
		lists = [][]orb.Point{g}
	case orb.Bound:
		return f.geometry(g.ToPolygon(), z, m)
	case orb.Polygon:
		for i, ring := range g {
			ring, h := turned(ring, z.take(len(ring)), i == 0)
			lists, up = append(lists, ring), append(up, h...)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			parts = append(parts, f.geometry(p, z, nil))
		}
	case orb.Collection:
		for _, part := range g {
			parts = append(parts, f.geometry(part, z, nil))
		}
	}
	if up == nil && parts == nil {
		up = z.take(countVertices(g))
	}
	return f.geometryTable(fgbTypeOf(g), fgbLists{lists, up, m}, parts)
}

// fgbLists are lists of positions, with the heights and measures of all or nil.
type fgbLists struct {
	xy   [][]orb.Point
	z, m []float64
}

func (f *fgbWriter) geometryTable(kind byte, l fgbLists, parts []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b := f.b
	var xy []float64
	var ends []uint32
	for _, list := range l.xy {
		for _, p := range list {
			xy = append(xy, p[0], p[1])
		}
		ends = append(ends, uint32(len(xy)/2))
	}
	var endsAt, xyAt, zAt, mAt, partsAt flatbuffers.UOffsetT
	if len(l.xy) > 1 {
		b.StartVector(4, len(ends), 4)
		for _, e := range slices.Backward(ends) {
			b.PrependUint32(e)
		}
		endsAt = b.EndVector(len(ends))
	}
	if len(xy) > 0 {
		xyAt = floatVector(b, xy)
		ordinates := func(wanted bool, v []float64) flatbuffers.UOffsetT {
			switch n := len(xy) / 2; {
			case !wanted:
				return 0
			case len(v) == n:
				return floatVector(b, v)
			default:
				return floatVector(b, slices.Repeat([]float64{nan}, n))
			}
		}
		zAt, mAt = ordinates(f.t.InSpace(), l.z), ordinates(f.measured, l.m)
	}
	if len(parts) > 0 {
		partsAt = b.CreateVectorOfTables(parts)
	}
	b.StartObject(8)
	b.PrependUOffsetTSlot(geometryEnds, endsAt, 0)
	b.PrependUOffsetTSlot(geometryXY, xyAt, 0)
	b.PrependUOffsetTSlot(geometryZ, zAt, 0)
	b.PrependUOffsetTSlot(geometryM, mAt, 0)
	b.PrependByteSlot(geometryType, kind, 0)
	b.PrependUOffsetTSlot(geometryParts, partsAt, 0)
	return b.EndObject()
}

func (f *fgbWriter) appendProperties(row int) {
	dst := f.props[:0]
	le := binary.LittleEndian
	for i, v := range f.t.Row(row) {
		if !v.Set {
			continue
		}
		dst = le.AppendUint16(dst, uint16(i))
		switch f.columnType(i) {
		case fgbInt:
			dst = le.AppendUint32(dst, uint32(int32(v.Int)))
		case fgbLong:
			dst = le.AppendUint64(dst, uint64(v.Int))
		case fgbDouble:
			dst = appendFloat64(dst, v.Real)
		case fgbBool:
			dst = append(dst, byte(v.Int))
		default:
			text := v.Text
			if f.t.Fields[i].Kind == ExportTime {
				text = string(appendInstant(nil, v.Int))
			}
			dst = append(le.AppendUint32(dst, uint32(len(text))), text...)
		}
	}
	f.props = dst
}

// writeIndex writes the packed R-tree, from the root to the leaves.
func (f *fgbWriter) writeIndex(w io.Writer) error {
	if len(f.nodes) == 0 {
		return nil
	}
	levels := [][]fgbNode{f.nodes}
	total := uint64(0)
	for _, n := range fgbLevels(uint64(len(f.nodes)), fgbNodeSize) {
		total += n
	}
	first := total - uint64(len(f.nodes)) // number of the first node of the level below
	for level := f.nodes; ; {
		var above []fgbNode
		for i := 0; i < len(level); i += fgbNodeSize {
			node := fgbNode{bound: level[i].bound, at: first + uint64(i)}
			for _, child := range level[i:min(i+fgbNodeSize, len(level))] {
				node.bound = node.bound.Union(child.bound)
			}
			above = append(above, node)
		}
		levels = append(levels, above)
		if first -= uint64(len(above)); len(above) == 1 {
			break
		}
		level = above
	}
	out := &chunkWriter{w: w}
	for _, level := range slices.Backward(levels) {
		for _, n := range level {
			for _, v := range [4]float64{n.bound.Min[0], n.bound.Min[1], n.bound.Max[0], n.bound.Max[1]} {
				out.buf = appendFloat64(out.buf, v)
			}
			out.buf = binary.LittleEndian.AppendUint64(out.buf, n.at)
			if !out.flush(false) {
				return out.err
			}
		}
	}
	out.flush(true)
	return out.err
}
