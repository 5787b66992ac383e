package data

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"path"
	"strings"
)

// Shape types (ESRI Shapefile Technical Description, 1998). Those with Z are
// larger by 10, those with M by 20.
const (
	shapeNull       = 0
	shapePoint      = 1
	shapeLine       = 3
	shapePolygon    = 5
	shapeMultiPoint = 8
	shapeMultiPatch = 31

	shapeZ = 10
	shapeM = 20
)

const (
	shapeFileCode    = 9994
	shapeHeaderBytes = 100
	// noMeasure: measures below say that there is none.
	noMeasure = -1e38
)

// readShapefile reads the Shapefile in an archive: its .shp and, side by side,
// the rows of its .dbf. The .shx only tells whether shapes are missing.
func (im *importer) readShapefile(a *archive, shapes []*zip.File) error {
	k, err := pickLayer(shapefileNames(shapes), im.opts.Layer)
	if err != nil {
		return err
	}
	shp := shapes[k]
	if err := im.shapefileCRS(a, shp); err != nil {
		return err
	}
	src, err := a.open(shp)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	r := &shapeReader{src: bufio.NewReaderSize(src, 64<<10), maxBytes: 64 + 48*int64(im.limits.Vertices)}
	if err := r.header(shp.UncompressedSize64); err != nil {
		return err
	}
	table, err := im.openShapeTable(a, shp)
	if err != nil {
		return err
	}
	defer table.close()
	if err := im.readShapes(r, table); err != nil {
		return err
	}
	return a.checkShapeIndex(shp, r.record)
}

// shapefileNames are the names of layers: those of the files, without folder
// and extension.
func shapefileNames(shapes []*zip.File) []string {
	names := make([]string, len(shapes))
	for i, f := range shapes {
		base := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		names[i] = strings.TrimSuffix(base, path.Ext(base))
	}
	return names
}

// checkShapeIndex refuses a .shx that has another number of records than were
// read.
func (a *archive) checkShapeIndex(shp *zip.File, records int) error {
	shx := a.sibling(shp, ".shx")
	if shx == nil {
		return nil
	}
	src, err := a.open(shx)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	n, err := io.Copy(io.Discard, src)
	if err != nil {
		return err
	}
	const entryBytes = 8
	switch n -= shapeHeaderBytes; {
	case n < 0 || n%entryBytes != 0:
		return badShapefile("the .shx breaks off at byte %d", n+shapeHeaderBytes)
	case n/entryBytes != int64(records):
		return badShapefile("the .shx lists %d records, and the .shp ends behind record %d", n/entryBytes, records)
	}
	return nil
}

// shapefileCRS takes the reference system of the .prj.
func (im *importer) shapefileCRS(a *archive, shp *zip.File) error {
	prj := a.sibling(shp, ".prj")
	if prj == nil {
		im.noCRS("the Shapefile has no .prj")
		return nil
	}
	text, err := a.readAll(prj, maxCRSBytes)
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(text)) == "" {
		im.noCRS("the .prj is empty")
		return nil
	}
	if refusal := im.fileCRS(string(text), ".prj"); refusal != nil {
		return refusal
	}
	return nil
}

// openShapeTable opens the .dbf; a Shapefile without one has no columns.
func (im *importer) openShapeTable(a *archive, shp *zip.File) (*dbfReader, error) {
	dbf := a.sibling(shp, ".dbf")
	if dbf == nil {
		im.report.warn("no_table", "", "the archive has no .dbf beside the .shp, so the shapes have no properties")
		return nil, nil
	}
	page := ""
	if cpg := a.sibling(shp, ".cpg"); cpg != nil {
		text, err := a.readAll(cpg, 1<<10)
		if err != nil {
			return nil, err
		}
		page = strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff"))
	}
	src, err := a.open(dbf)
	if err != nil {
		return nil, err
	}
	t, err := openDBF(bufio.NewReaderSize(src, 64<<10), page)
	if err != nil {
		_ = src.Close()
		return nil, err
	}
	t.closer = src
	for _, c := range t.skipped {
		im.report.warn("column_not_read", c, "the column %s is of a type that is not read (memo or binary)", show(c))
	}
	return t, nil
}

func (im *importer) readShapes(r *shapeReader, table *dbfReader) error {
	rows, err := im.newTypedRows(table.names())
	if err != nil {
		return err
	}
	deleted := 0
	for {
		content, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		live, err := table.next()
		if err != nil {
			return err
		}
		if !live {
			deleted++
			continue
		}
		rows.begin()
		if err := rows.readShape(r.kind, content); err != nil {
			return err
		}
		if err := table.values(rows); err != nil {
			return err
		}
		if err := rows.take(); err != nil {
			return err
		}
	}
	if err := table.end(); err != nil {
		return err
	}
	im.report.warnCount(deleted, "deleted_rows", "rows are marked as deleted in the .dbf and were passed over")
	if table != nil && table.guessed > 0 {
		im.report.warnCount(table.guessed, "code_page", "texts of the .dbf are not UTF-8 and nothing says what they are; they were read as Windows-1252: add a .cpg")
	}
	return im.ctx.Err()
}

// shapeReader reads the records of a .shp.
type shapeReader struct {
	src      *bufio.Reader
	kind     uint32 // of all shapes but null
	record   int    // number of the record at hand
	left     int64  // bytes behind it, by the header
	maxBytes int64
	buf      []byte
}

func badShapefile(format string, args ...any) *Refusal {
	return refuse(400, "bad_shapefile", "the Shapefile is damaged or cut off: "+format+"; export it anew", args...)
}

// header reads the header of a file of the given size.
func (r *shapeReader) header(fileBytes uint64) error {
	var head [shapeHeaderBytes]byte
	if err := readFull(r.src, head[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			return badShapefile("the .shp has no header")
		}
		return err
	}
	if binary.BigEndian.Uint32(head[:]) != shapeFileCode {
		return badShapefile("the .shp does not begin like one")
	}
	said := 2 * int64(int32(binary.BigEndian.Uint32(head[24:]))) // in words of 16 bits
	switch {
	case said < shapeHeaderBytes:
		return badShapefile("the header of the .shp says that the file is %d bytes long", said)
	case uint64(said) > fileBytes:
		return badShapefile("the .shp ends at byte %d of the %d that its header says", fileBytes, said)
	case uint64(said) < fileBytes:
		return badShapefile("the .shp goes on behind byte %d, where its header says that it ends, to byte %d", said, fileBytes)
	}
	r.left = said - shapeHeaderBytes
	r.kind = binary.LittleEndian.Uint32(head[32:])
	switch base(r.kind) {
	case shapeNull, shapePoint, shapeLine, shapePolygon, shapeMultiPoint:
	case shapeMultiPatch:
		return refuse(422, "multipatch", "the Shapefile holds multipatches (surfaces in space), which have no place here; export outlines as polygons")
	default:
		return badShapefile("its shapes are of type %d, which there is not", r.kind)
	}
	return nil
}

// readFull is io.ReadFull with io.ErrUnexpectedEOF also for an end before the
// first byte.
func readFull(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// base is a shape type without its Z or M; shapeMultiPatch for all others.
func base(kind uint32) uint32 {
	switch kind {
	case shapeNull, shapePoint, shapeLine, shapePolygon, shapeMultiPoint:
		return kind
	case shapeMultiPatch:
		return shapeMultiPatch
	}
	if kind > shapeM && kind <= shapeM+shapeMultiPoint && base(kind-shapeM) == kind-shapeM {
		return kind - shapeM
	}
	if kind > shapeZ && kind <= shapeZ+shapeMultiPoint && base(kind-shapeZ) == kind-shapeZ {
		return kind - shapeZ
	}
	return math.MaxUint32
}

// next returns the content of the next record, valid until the next call;
// io.EOF at the end.
func (r *shapeReader) next() ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r.src, head[:1]); err != nil { // at the end, where the archive checks the size too
		return nil, err
	}
	r.record++
	if err := readFull(r.src, head[1:]); err != nil {
		return nil, r.cut(err)
	}
	n := 2 * int64(binary.BigEndian.Uint32(head[4:]))
	if n < 4 {
		return nil, badShapefile("record %d says that it is %d bytes long", r.record, n)
	}
	if r.left -= int64(len(head)) + n; r.left < 0 {
		return nil, badShapefile("record %d says that it is %d bytes long, and the .shp ends %d bytes before that", r.record, n, -r.left)
	}
	if n > r.maxBytes {
		return nil, refuse(413, "too_many_vertices", "record %d says that it is %d bytes long; a shape may have %d vertices", r.record, n, r.maxBytes/48)
	}
	r.buf = r.buf[:0]
	for int64(len(r.buf)) < n { // memory grows with what is there, not with what is said
		k := len(r.buf)
		step := int(min(n-int64(k), 1<<20))
		r.buf = append(r.buf, make([]byte, step)...)
		if err := readFull(r.src, r.buf[k:]); err != nil {
			return nil, r.cut(err)
		}
	}
	return r.buf, nil
}

func (r *shapeReader) cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return badShapefile("record %d breaks off", r.record)
	}
	return err
}

// readShape fills the row's shape from a record of a file of the given kind.
func (t *typedRows) readShape(fileKind uint32, content []byte) error {
	kind := binary.LittleEndian.Uint32(content)
	if kind == shapeNull {
		t.fault("geometry", "no_geometry", "has no place on the map")
		return nil
	}
	if kind != fileKind {
		t.fault("geometry", "bad_geometry", "is of shape type "+itoa(int(kind))+" in a file of type "+itoa(int(fileKind)))
		return nil
	}
	p := shapeParser{shape: &t.shape, b: content[4:], hasZ: kind > shapeZ && kind < shapeM, hasM: kind > shapeZ}
	ok := false
	switch base(kind) {
	case shapePoint:
		ok = p.point()
	case shapeMultiPoint:
		ok = p.multiPoint()
	case shapeLine:
		ok = p.line()
	case shapePolygon:
		ok = p.polygon()
	}
	if !ok {
		return badShapefile("the shape of record %d is longer than its record", t.number)
	}
	return t.geometry()
}

// shapeParser reads one shape, whose type has been read.
type shapeParser struct {
	shape      *shape
	b          []byte
	hasZ, hasM bool
	ends       []int // of the parts, in positions
	xy, z, m   []byte
}

// at returns position i.
func (p *shapeParser) at(i int) (x, y float64) { return float64At(p.xy, 2*i), float64At(p.xy, 2*i+1) }

func float64At(b []byte, i int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
}

func (p *shapeParser) add(from, to int) {
	for i := from; i < to; i++ {
		x, y := p.at(i)
		z, m := nan, nan
		if p.z != nil {
			z = float64At(p.z, i)
		}
		if p.m != nil {
			if m = float64At(p.m, i); m < noMeasure {
				m = nan
			}
		}
		p.shape.position(x, y, z, m)
	}
}

func (p *shapeParser) point() bool {
	n := 16
	if p.hasZ {
		n += 8
	}
	if len(p.b) < n {
		return false
	}
	p.shape.kind, p.shape.rank = "Point", 1
	p.xy = p.b[:16]
	if p.hasZ {
		p.z = p.b[16:24]
	}
	if p.hasM && len(p.b) >= n+8 {
		p.m = p.b[n : n+8]
	}
	p.add(0, 1)
	return true
}

// measured finds the heights and measures behind n positions that end at
// offset end of b. Of shapes with Z the measures may be left out.
func (p *shapeParser) measured(n, end int) bool {
	from := end
	if p.hasZ {
		end += 16 + 8*n
	}
	if end > len(p.b) {
		return false
	}
	if p.hasZ {
		p.z = p.b[from+16 : end]
	}
	if p.hasM && len(p.b) >= end+16+8*n {
		p.m = p.b[end+16 : end+16+8*n]
	}
	return true
}

func (p *shapeParser) multiPoint() bool {
	const head = 32 + 4
	if len(p.b) < head {
		return false
	}
	n := int64(binary.LittleEndian.Uint32(p.b[32:]))
	if n > int64(len(p.b)-head)/16 {
		return false
	}
	p.xy = p.b[head : head+16*n]
	if !p.measured(int(n), head+16*int(n)) {
		return false
	}
	p.shape.kind = "MultiPoint"
	p.add(0, int(n))
	p.shape.rank = p.shape.close(min(int(n), 1))
	return true
}

// parts reads the heads of lines and polygons. Parts that run backwards make
// the shape faulty.
func (p *shapeParser) parts() bool {
	const head = 32 + 8
	if len(p.b) < head {
		return false
	}
	parts, n := int64(binary.LittleEndian.Uint32(p.b[32:])), int64(binary.LittleEndian.Uint32(p.b[36:]))
	if parts > int64(len(p.b)-head)/4 || n > (int64(len(p.b)-head)-4*parts)/16 {
		return false
	}
	at := head + 4*int(parts)
	p.xy = p.b[at : at+16*int(n)]
	last := 0
	for i := range int(parts) {
		from := int64(binary.LittleEndian.Uint32(p.b[head+4*i:]))
		if from > n || int(from) < last || i == 0 && from != 0 {
			p.shape.spoil("bad_geometry", "part %d of the shape does not begin behind the one before", i+1)
			from = int64(last)
		}
		if i > 0 {
			p.ends = append(p.ends, int(from))
		}
		last = int(from)
	}
	if parts > 0 {
		p.ends = append(p.ends, int(n))
	}
	return p.measured(int(n), at+16*int(n))
}

func (p *shapeParser) line() bool {
	if !p.parts() {
		return false
	}
	s := p.shape
	s.kind = "LineString"
	if len(p.ends) > 1 {
		s.kind = "MultiLineString"
	}
	from, rank := 0, 0
	for _, end := range p.ends {
		p.add(from, end)
		rank = s.close(min(end-from, 1))
		from = end
	}
	s.rank = rank
	if len(p.ends) > 1 {
		s.rank = s.close(rank)
	}
	return true
}
