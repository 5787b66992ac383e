package data

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// FlatGeobuf, specification version 3: magic, header, an index that is passed
// over, features, each of the latter with its length before it.
const (
	fgbMagic       = "fgb\x03fgb"
	maxFGBHeader   = 1 << 20
	fgbNodeBytes   = 40
	fgbNodeSize    = 16 // the usual number of children
	maxFGBParts    = 1_000_000
	maxFGBDepth    = 8
	fgbFeatureRoom = 16 << 20 // of a feature's properties
)

// Types of geometry; those of curves follow.
const (
	fgbUnknown = iota
	fgbPoint
	fgbLineString
	fgbPolygon
	fgbMultiPoint
	fgbMultiLineString
	fgbMultiPolygon
	fgbCollection
)

// Types of columns.
const (
	fgbByte = iota
	fgbUByte
	fgbBool
	fgbShort
	fgbUShort
	fgbInt
	fgbUInt
	fgbLong
	fgbULong
	fgbFloat
	fgbDouble
	fgbString
	fgbJSON
	fgbDateTime
	fgbBinary
)

// Fields of the tables, in the order of the schema.
const (
	headerEnvelope, headerType, headerColumns, headerCount, headerNodeSize, headerCRS, headerDescription = 1, 2, 7, 8, 9, 10, 12
	headerName, headerHasZ, headerHasM                                                                   = 0, 3, 4
	columnName, columnType                                                                               = 0, 1
	crsOrg, crsCode, crsName, crsWKT                                                                     = 0, 1, 2, 4
	geometryEnds, geometryXY, geometryZ, geometryM, geometryType, geometryParts                          = 0, 1, 2, 3, 6, 7
	featureGeometry, featureProperties, featureColumns                                                   = 0, 1, 2
)

func badFGB(format string, args ...any) *Refusal {
	return refuse(400, "bad_flatgeobuf", "the FlatGeobuf file is damaged or cut off: "+format+"; send it again", args...)
}

// fgbReader reads the features of a file one after another.
type fgbReader struct {
	src     *bufio.Reader
	rows    *typedRows
	columns []byte // their types
	kind    byte   // of all geometries, or fgbUnknown
	buf     []byte
}

func (im *importer) readFlatGeobuf(src io.Reader) error {
	r := &fgbReader{src: bufio.NewReaderSize(src, 64<<10)}
	count, err := r.header(im)
	if err != nil {
		return err
	}
	most := 64*int64(im.limits.Vertices) + fgbFeatureRoom
	n := uint64(0)
	for {
		if _, err := r.src.Peek(1); err == io.EOF {
			break
		}
		if err := r.block(most, "feature "+fmt.Sprint(n+1)); err != nil {
			return err
		}
		n++
		if count > 0 && n > count {
			return badFGB("it has more than the %d features that it declares", count)
		}
		if err := r.feature(); err != nil {
			return err
		}
	}
	if n < count {
		return badFGB("it has %d of the %d features that it declares", n, count)
	}
	return im.ctx.Err()
}

// block reads a length and as many bytes.
func (r *fgbReader) block(most int64, what string) error {
	var head [4]byte
	err := readFull(r.src, head[:])
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if err == nil && n > most {
		return refuse(413, "too_many_vertices", "%s says that it is %d bytes long, more than is read", what, n)
	}
	r.buf = r.buf[:0]
	for err == nil && int64(len(r.buf)) < n { // memory grows with what is there
		k := len(r.buf)
		r.buf = append(r.buf, make([]byte, min(n-int64(k), 1<<20))...)
		err = readFull(r.src, r.buf[k:])
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return badFGB("%s breaks off", what)
	}
	return err
}

// header reads what stands before the features and returns how many are
// declared, 0 when that is not said.
func (r *fgbReader) header(im *importer) (uint64, error) {
	magic := make([]byte, 8)
	if err := readFull(r.src, magic); err != nil || string(magic[:7]) != fgbMagic {
		return 0, badFGB("it does not begin like one of version 3")
	}
	if err := r.block(maxFGBHeader, "the header"); err != nil {
		return 0, err
	}
	h, ok := flatRoot(r.buf)
	columns := h.tables(headerColumns, maxColumnNames)
	names := make([]string, len(columns))
	r.columns = make([]byte, len(columns))
	for i, c := range columns {
		names[i], r.columns[i] = c.text(columnName), c.uint8(columnType)
		if r.columns[i] >= fgbBinary {
			im.report.warn("column_not_read", names[i], "the column %s is of a type that is not read (binary)", show(names[i]))
			names[i] = ""
		}
	}
	count, nodeSize := h.uint64(headerCount), h.uint16(headerNodeSize, fgbNodeSize)
	r.kind = h.uint8(headerType)
	c, named := h.table(headerCRS)
	org, code, wkt := c.text(crsOrg), c.int32(crsCode), c.text(crsWKT)
	if !ok || *h.bad {
		return 0, badFGB("its header points outside itself")
	}
	if r.kind > fgbCollection {
		return 0, refuse(422, "curves", "the file holds curves or surfaces, which are not read; convert them to lines and polygons")
	}
	if refusal := im.fgbCRS(named, org, code, wkt); refusal != nil {
		return 0, refusal
	}
	var err error
	if r.rows, err = im.newTypedRows(names); err != nil {
		return 0, err
	}
	return count, r.skipIndex(count, uint64(nodeSize))
}

func (im *importer) fgbCRS(named bool, org string, code int32, wkt string) *Refusal {
	switch {
	case named && code > 0 && (org == "" || plain(org) == "epsg"):
		if _, refusal := byEPSG(int(code)); refusal != nil && wkt != "" {
			return im.fileCRS(wkt, "header")
		}
		return im.fileCRS(fmt.Sprint("EPSG:", code), "header")
	case named && wkt != "":
		return im.fileCRS(wkt, "header")
	}
	im.noCRS("the FlatGeobuf file names no coordinate reference system")
	return nil
}

// skipIndex passes over the packed R-tree.
func (r *fgbReader) skipIndex(count, nodeSize uint64) error {
	if count == 0 || nodeSize == 0 {
		return nil
	}
	if nodeSize < 2 || count > 1<<40 {
		return badFGB("its index is impossible")
	}
	nodes := uint64(0)
	for _, n := range fgbLevels(count, nodeSize) {
		nodes += n
	}
	if _, err := io.CopyN(io.Discard, r.src, int64(nodes*fgbNodeBytes)); err != nil {
		if errors.Is(err, io.EOF) {
			return badFGB("its index breaks off")
		}
		return err
	}
	return nil
}

// fgbLevels returns the number of nodes of each level of the index, from the
// leaves to the root, which has a level of its own.
func fgbLevels(count, nodeSize uint64) []uint64 {
	levels := []uint64{count}
	for n := count; ; {
		n = (n + nodeSize - 1) / nodeSize
		levels = append(levels, n)
		if n == 1 {
			return levels
		}
	}
}

func (r *fgbReader) feature() error {
	t := r.rows
	t.begin()
	f, ok := flatRoot(r.buf)
	if !ok {
		return badFGB("feature %d points outside itself", t.number)
	}
	if len(f.vector(featureColumns, 4)) > 0 {
		return refuse(422, "feature_columns", "feature %d has columns of its own, which are not read", t.number)
	}
	if g, has := f.table(featureGeometry); has {
		(&fgbGeometry{im: t.im, bad: f.bad, left: t.im.limits.Vertices}).read(&t.shape, g, r.kind, 0)
		if !*f.bad {
			if err := t.geometry(); err != nil {
				return err
			}
		}
	}
	if err := r.properties(f.vector(featureProperties, 1)); err != nil {
		return err
	}
	if *f.bad {
		return badFGB("feature %d points outside itself", t.number)
	}
	return t.take()
}

// fgbGeometry fills shapes from geometry tables.
type fgbGeometry struct {
	im   *importer
	bad  *bool
	left int // positions and parts that it may still have: parts can be shared
}

func (p *fgbGeometry) read(s *shape, g flatTable, kind byte, depth int) {
	if kind == fgbUnknown {
		kind = g.uint8(geometryType)
	}
	switch kind {
	case fgbPoint:
		s.kind = "Point"
		if s.rank = p.positions(s, g, nil); s.rank == 0 || len(s.points) > 1 {
			s.rank = 0
		}
	case fgbMultiPoint:
		s.kind = "MultiPoint"
		s.rank = s.close(p.positions(s, g, nil))
	case fgbLineString:
		s.kind = "LineString"
		s.rank = s.close(p.positions(s, g, nil))
	case fgbMultiLineString, fgbPolygon:
		s.kind = map[byte]string{fgbMultiLineString: "MultiLineString", fgbPolygon: "Polygon"}[kind]
		s.rank = s.close(p.positions(s, g, g.vector(geometryEnds, 4)) + 1)
	case fgbMultiPolygon:
		s.kind = "MultiPolygon"
		rank := 0
		for _, part := range g.tables(geometryParts, maxFGBParts) {
			rank = s.close(p.positions(s, part, part.vector(geometryEnds, 4)) + 1)
		}
		s.rank = s.close(rank)
	case fgbCollection:
		s.kind = "GeometryCollection"
		p.collection(s, g, depth)
	default:
		s.spoil("bad_geometry", "the geometry is of type %d, which is not read", kind)
	}
}

// positions adds the positions of a geometry. Without ends it returns 1, or 0
// when there are none; with ends it closes the lists of them itself.
func (p *fgbGeometry) positions(s *shape, g flatTable, ends []byte) int {
	xy, z, m := floats(g.vector(geometryXY, 8)), floats(g.vector(geometryZ, 8)), floats(g.vector(geometryM, 8))
	n := xy.len() / 2
	if z.len() != n {
		z = nil
	}
	if m.len() != n {
		m = nil
	}
	if p.left -= 1 + n; p.left < 0 {
		s.spoil("too_many_vertices", "the geometry has more than %d vertices", p.im.limits.Vertices)
		return 0
	}
	from := len(s.points)
	list := func(a, b int) {
		for i := a; i < b; i++ {
			height, v := nan, nan
			if z != nil {
				height = z.at(i)
			}
			if m != nil {
				v = m.at(i)
			}
			s.position(xy.at(2*i), xy.at(2*i+1), height, v)
		}
	}
	kind := s.kind
	lists := kind == "Polygon" || kind == "MultiLineString" || kind == "MultiPolygon"
	if !lists || len(ends) == 0 {
		list(0, n)
		rank := min(len(s.points)-from, 1)
		if lists {
			s.close(rank)
		}
		return rank
	}
	at, rank := 0, 1
	for i := 0; i < len(ends); i += 4 {
		end := int64(binary.LittleEndian.Uint32(ends[i:]))
		if end < int64(at) || end > int64(n) {
			*p.bad = true
			return 0
		}
		list(at, int(end))
		if s.close(min(int(end)-at, 1)) == 0 {
			rank = 0
		}
		at = int(end)
	}
	return rank
}

func (p *fgbGeometry) collection(s *shape, g flatTable, depth int) {
	if depth >= maxFGBDepth {
		s.spoil("bad_geometry", "geometry collections are nested deeper than %d", maxFGBDepth)
		return
	}
	for _, part := range g.tables(geometryParts, maxFGBParts) {
		one := &shape{}
		p.left--
		p.read(one, part, fgbUnknown, depth+1)
		if *p.bad {
			return
		}
		if !p.im.addPart(s, one) {
			return
		}
	}
}

// properties reads pairs of a column's number and a value.
func (r *fgbReader) properties(b []byte) error {
	t := r.rows
	cut := func() error { return badFGB("the properties of feature %d break off", t.number) }
	for n := 0; len(b) > 0; n++ {
		if len(b) < 2 {
			return cut()
		}
		i := int(binary.LittleEndian.Uint16(b))
		b = b[2:]
		if i >= len(r.columns) {
			return badFGB("feature %d has a value for column %d of %d", t.number, i+1, len(r.columns))
		}
		if n > len(r.columns) {
			return badFGB("feature %d has more values than there are columns", t.number)
		}
		kind := r.columns[i]
		size := [...]int{fgbByte: 1, fgbUByte: 1, fgbBool: 1, fgbShort: 2, fgbUShort: 2, fgbInt: 4, fgbUInt: 4, fgbLong: 8, fgbULong: 8, fgbFloat: 4, fgbDouble: 8}
		if int(kind) >= len(size) {
			if len(b) < 4 || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
				return cut()
			}
			k := 4 + int(binary.LittleEndian.Uint32(b))
			if err := r.text(i, kind, b[4:k]); err != nil {
				return err
			}
			b = b[k:]
			continue
		}
		if len(b) < size[kind] {
			return cut()
		}
		r.scalar(i, kind, b[:size[kind]])
		b = b[size[kind]:]
	}
	return nil
}

func (r *fgbReader) text(i int, kind byte, s []byte) error {
	switch kind {
	case fgbString, fgbDateTime:
		return r.rows.text(i, s)
	case fgbJSON:
		return r.rows.nested(i, s)
	}
	return nil
}

func (r *fgbReader) scalar(i int, kind byte, b []byte) {
	t, le := r.rows, binary.LittleEndian
	switch kind {
	case fgbByte:
		t.integer(i, int64(int8(b[0])))
	case fgbUByte:
		t.integer(i, int64(b[0]))
	case fgbBool:
		t.boolean(i, b[0] != 0)
	case fgbShort:
		t.integer(i, int64(int16(le.Uint16(b))))
	case fgbUShort:
		t.integer(i, int64(le.Uint16(b)))
	case fgbInt:
		t.integer(i, int64(int32(le.Uint32(b))))
	case fgbUInt:
		t.integer(i, int64(le.Uint32(b)))
	case fgbLong:
		t.integer(i, int64(le.Uint64(b)))
	case fgbULong:
		t.unsigned(i, le.Uint64(b))
	case fgbFloat:
		t.real(i, float64(math.Float32frombits(le.Uint32(b))))
	case fgbDouble:
		t.real(i, math.Float64frombits(le.Uint64(b)))
	}
}
