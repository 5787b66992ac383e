package data

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

const wgs84PRJ = `GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`

// Bounds of a Shapefile.
const (
	dbfNameBytes    = 10
	dbfTextBytes    = 254
	dbfMaxFields    = 255
	dbfMaxRowBytes  = 65535
	maxShapeBytes   = 1<<31 - 1
	dbfRealBytes    = 24
	dbfIntegerBytes = 18
)

// writeShapefile writes a zip archive of Shapefiles in longitude and latitude,
// one for each type of geometry that the rows have: points, multipoints,
// lines, polygons, and each of these with heights (Z), when there are both with
// and without. The parts of a collection go where they belong, each with the
// properties of the whole. What had to be shortened is listed in a text file
// beside them.
func writeShapefile(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	t := (&ExportTable{noGaps: true}).of(l, rows)
	dbf, notes, refusal := newDBFWriter(t)
	if refusal != nil {
		return refusal
	}
	files := shapeFilesOf(t)
	z := zip.NewWriter(w)
	for _, f := range files {
		name := l.Info.ID
		if len(files) > 1 {
			name += "_" + f.suffix
		}
		if f.bytes > maxShapeBytes || int64(len(f.items))*int64(dbf.rowBytes) > maxShapeBytes {
			return refuse(422, "too_large_for_format", "the layer is too large for a Shapefile, which ends at 2 GiB; write gpkg")
		}
		for _, part := range []struct {
			ext   string
			write func(*bufio.Writer)
		}{
			{".shp", func(w *bufio.Writer) { f.writeShapes(w, t) }},
			{".shx", func(w *bufio.Writer) { f.writeIndex(w) }},
			{".dbf", func(w *bufio.Writer) { dbf.write(w, f.items) }},
			{".prj", func(w *bufio.Writer) { _, _ = w.WriteString(wgs84PRJ) }},
			{".cpg", func(w *bufio.Writer) { _, _ = w.WriteString("UTF-8") }},
		} {
			if err := writeEntry(z, name+part.ext, part.write); err != nil {
				return err
			}
		}
	}
	if m := l.Info.Mark; m.ID != "" {
		notes = append([]string{m.Text}, notes...)
	}
	if len(notes) > 0 {
		if err := writeEntry(z, l.Info.ID+"_notes.txt", func(w *bufio.Writer) {
			_, _ = w.WriteString(strings.Join(notes, "\r\n") + "\r\n")
		}); err != nil {
			return err
		}
	}
	return z.Close()
}

func writeEntry(z *zip.Writer, name string, write func(*bufio.Writer)) error {
	e, err := z.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(e, 64<<10)
	write(out)
	return out.Flush()
}

// shapeFile is one .shp to be: shapes of one type, each with its row.
type shapeFile struct {
	suffix   string
	kind     uint32
	measured bool
	items    []shapeItem
	bytes    int64
	bound    orb.Bound
	z, m     [2]float64 // least and greatest height and measure
}

// hasZ and hasM tell what positions have beside their place. Shapes with Z may
// have M too.
func (f *shapeFile) hasZ() bool { return f.kind > shapeZ && f.kind < shapeM }
func (f *shapeFile) hasM() bool { return f.measured }

type shapeItem struct {
	row      int
	geometry orb.Geometry
	z        heights
	bytes    int // of the content
}

// shapeFilesOf sorts geometries by their type, in order of suffix below.
func shapeFilesOf(t *ExportTable) []*shapeFile {
	empty := [2]float64{math.Inf(1), math.Inf(-1)}
	var files []*shapeFile
	for _, z := range []uint32{0, shapeZ} {
		four := []*shapeFile{{suffix: "points", kind: shapePoint}, {suffix: "multipoints", kind: shapeMultiPoint},
			{suffix: "lines", kind: shapeLine, measured: t.Measured()}, {suffix: "polygons", kind: shapePolygon}}
		for _, f := range four {
			f.z, f.m = empty, empty
			if f.kind += z; z > 0 {
				f.suffix += "_z"
			} else if f.measured {
				f.kind += shapeM
			}
		}
		files = append(files, four...)
	}
	var add func(row int, g orb.Geometry, z *heights)
	add = func(row int, g orb.Geometry, z *heights) {
		k := 3
		switch g := g.(type) {
		case orb.Collection:
			for _, part := range g {
				add(row, part, z)
			}
			return
		case orb.Point:
			k = 0
		case orb.MultiPoint:
			k = 1
		case orb.LineString, orb.MultiLineString:
			k = 2
		case orb.Ring:
			add(row, orb.Polygon{g}, z)
			return
		case orb.Bound:
			add(row, g.ToPolygon(), z)
			return
		}
		up := z.take(countVertices(g))
		if up != nil {
			k += 4
		}
		files[k].add(t, shapeItem{row: row, geometry: g, z: up})
	}
	for _, row := range t.Rows {
		z := heights(t.HeightsOf(row))
		add(row, t.Layer.Geometry(row), &z)
	}
	files = slices.DeleteFunc(files, func(f *shapeFile) bool { return len(f.items) == 0 })
	if len(files) == 0 {
		files = []*shapeFile{{suffix: "points", kind: shapePoint}}
	}
	return files
}

func (f *shapeFile) add(t *ExportTable, item shapeItem) {
	parts, n := shapeParts(item.geometry, item.z)
	extra := 16 + 8*n // of heights, and of measures
	item.bytes = 4 + 32 + 8 + 4*len(parts) + 16*n
	switch base(f.kind) {
	case shapePoint:
		item.bytes, extra = 4+16, 8
		if f.hasZ() { // a point with Z has a measure, or none in its place
			item.bytes += 8
		}
	case shapeMultiPoint:
		item.bytes = 4 + 32 + 4 + 16*n
	}
	if f.hasZ() {
		item.bytes += extra
		widen(&f.z, item.z)
	}
	if f.hasM() {
		item.bytes += extra
		widen(&f.m, t.MeasuresOf(item.row))
	}
	if b := item.geometry.Bound(); len(f.items) == 0 {
		f.bound = b
	} else {
		f.bound = f.bound.Union(b)
	}
	f.items = append(f.items, item)
	f.bytes += int64(8 + item.bytes)
}

// widen makes a range hold all numbers.
func widen(span *[2]float64, v []float64) {
	low, high := rangeOf(v)
	span[0], span[1] = min(span[0], low), max(span[1], high)
}

// shapePart is a line or ring with its heights, if it has any.
type shapePart struct {
	points []orb.Point
	z      heights
}

// shapeParts returns the lines or rings of a geometry, rings turned as a
// Shapefile wants them, and how many positions it has.
func shapeParts(g orb.Geometry, z heights) (parts []shapePart, n int) {
	add := func(points []orb.Point) { parts = append(parts, shapePart{points, z.take(len(points))}) }
	polygon := func(p orb.Polygon) {
		for i, ring := range p {
			ring, up := turned(ring, z.take(len(ring)), i == 0)
			ring, up = slices.Clone(ring), slices.Clone(up)
			slices.Reverse(ring)
			slices.Reverse(up)
			parts = append(parts, shapePart{ring, up})
		}
	}
	switch g := g.(type) {
	case orb.Point:
		add([]orb.Point{g})
	case orb.MultiPoint:
		add(g)
	case orb.LineString:
		add(g)
	case orb.MultiLineString:
		for _, line := range g {
			add(line)
		}
	case orb.Polygon:
		polygon(g)
	case orb.MultiPolygon:
		for _, p := range g {
			polygon(p)
		}
	}
	for _, p := range parts {
		n += len(p.points)
	}
	return parts, n
}

// header writes the 100 bytes that .shp and .shx begin with.
func (f *shapeFile) header(w *bufio.Writer, fileBytes int64) {
	h := make([]byte, 0, shapeHeaderBytes)
	h = binary.BigEndian.AppendUint32(h, shapeFileCode)
	h = append(h, make([]byte, 20)...)
	h = binary.BigEndian.AppendUint32(h, uint32(fileBytes/2))
	h = binary.LittleEndian.AppendUint32(h, 1000)
	h = binary.LittleEndian.AppendUint32(h, f.kind)
	z, m := f.z, f.m
	for _, span := range []*[2]float64{&z, &m} {
		if span[0] > span[1] {
			*span = [2]float64{}
		}
	}
	for _, v := range [8]float64{f.bound.Min[0], f.bound.Min[1], f.bound.Max[0], f.bound.Max[1], z[0], z[1], m[0], m[1]} {
		h = appendFloat64(h, v)
	}
	_, _ = w.Write(h)
}

func appendFloat64(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

func (f *shapeFile) writeShapes(w *bufio.Writer, t *ExportTable) {
	f.header(w, shapeHeaderBytes+f.bytes)
	var b []byte
	for i, item := range f.items {
		b = binary.BigEndian.AppendUint32(b[:0], uint32(i+1))
		b = binary.BigEndian.AppendUint32(b, uint32(item.bytes/2))
		b = binary.LittleEndian.AppendUint32(b, f.kind)
		if p, ok := item.geometry.(orb.Point); ok {
			b = appendFloat64(appendFloat64(b, p[0]), p[1])
			if f.hasZ() {
				b = appendFloat64(appendFloat64(b, item.z[0]), 10*noMeasure)
			}
		} else {
			b = f.appendParts(b, item, t)
		}
		_, _ = w.Write(b)
	}
}

func (f *shapeFile) appendParts(b []byte, item shapeItem, t *ExportTable) []byte {
	parts, n := shapeParts(item.geometry, item.z)
	isMulti := base(f.kind) == shapeMultiPoint
	box := item.geometry.Bound()
	for _, v := range [4]float64{box.Min[0], box.Min[1], box.Max[0], box.Max[1]} {
		b = appendFloat64(b, v)
	}
	if !isMulti {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(parts)))
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	if !isMulti {
		at := 0
		for _, p := range parts {
			b = binary.LittleEndian.AppendUint32(b, uint32(at))
			at += len(p.points)
		}
	}
	for _, part := range parts {
		for _, p := range part.points {
			b = appendFloat64(appendFloat64(b, p[0]), p[1])
		}
	}
	if f.hasZ() {
		z := make([]float64, 0, n)
		for _, part := range parts {
			z = append(z, part.z...)
		}
		b = appendOrdinates(b, z)
	}
	if f.hasM() {
		m := t.MeasuresOf(item.row)
		if len(m) != n {
			m = slices.Repeat([]float64{10 * noMeasure}, n)
		}
		b = appendOrdinates(b, m)
	}
	return b
}

// appendOrdinates appends heights or measures, their range first.
func appendOrdinates(b []byte, v []float64) []byte {
	b = appendFloat64(appendFloat64(b, slices.Min(v)), slices.Max(v))
	for _, x := range v {
		b = appendFloat64(b, x)
	}
	return b
}

func (f *shapeFile) writeIndex(w *bufio.Writer) {
	f.header(w, shapeHeaderBytes+8*int64(len(f.items)))
	at := int64(shapeHeaderBytes)
	for _, item := range f.items {
		b := binary.BigEndian.AppendUint32(nil, uint32(at/2))
		_, _ = w.Write(binary.BigEndian.AppendUint32(b, uint32(item.bytes/2)))
		at += int64(8 + item.bytes)
	}
}

// dbfWriter writes the rows of an export as a .dbf.
type dbfWriter struct {
	t        *ExportTable
	names    []string
	widths   []int
	rowBytes int
}

// newDBFWriter fits the columns into a .dbf; notes say what was shortened.
func newDBFWriter(t *ExportTable) (d *dbfWriter, notes []string, refusal *Refusal) {
	d = &dbfWriter{t: t, rowBytes: 1}
	taken := map[string]bool{}
	for _, f := range t.Fields {
		name := dbfName(f.Name, taken)
		width := 0
		switch f.Kind {
		case ExportText:
			width = max(1, min(f.MaxBytes, dbfTextBytes))
			if f.MaxBytes > dbfTextBytes {
				notes = append(notes, fmt.Sprintf("%s: texts longer than %d bytes are cut off", f.Name, dbfTextBytes))
			}
		case ExportInteger:
			width = max(1, len(strconv.FormatInt(f.Lo, 10)), len(strconv.FormatInt(f.Hi, 10)))
		case ExportReal:
			width = dbfRealBytes
		case ExportBoolean:
			width = 1
		case ExportDate:
			width = 8
		case ExportTime:
			width = len("2006-01-02T15:04:05.000Z")
		}
		if name != f.Name {
			notes = append(notes, fmt.Sprintf("%s: the column is called %s", f.Name, name))
		}
		d.names, d.widths = append(d.names, name), append(d.widths, width)
		d.rowBytes += width
	}
	if len(d.names) == 0 { // a .dbf has one column or more
		d.names, d.widths, d.rowBytes = []string{"FID"}, []int{dbfIntegerBytes}, 1+dbfIntegerBytes
	}
	if len(d.names) > dbfMaxFields || d.rowBytes > dbfMaxRowBytes {
		return nil, nil, refuse(422, "too_many_columns", "the layer has %d columns, more than a Shapefile can hold; write gpkg", len(d.names))
	}
	return d, notes, nil
}

// dbfName cuts a name to ten bytes, on a letter, and makes it unlike those
// taken, letter case aside.
func dbfName(name string, taken map[string]bool) string {
	cut := func(s string, n int) string {
		for len(s) > n {
			_, size := utf8.DecodeLastRuneInString(s)
			s = s[:len(s)-size]
		}
		return s
	}
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r == utf8.RuneError {
			return '_'
		}
		return r
	}, name)
	short := cut(clean, dbfNameBytes)
	for i := 1; taken[strings.ToLower(short)] || short == ""; i++ {
		tail := "_" + itoa(i)
		short = cut(clean, dbfNameBytes-len(tail)) + tail
	}
	taken[strings.ToLower(short)] = true
	return short
}

func (d *dbfWriter) write(w *bufio.Writer, items []shapeItem) {
	h := make([]byte, dbfHeaderBytes, dbfHeaderBytes+dbfFieldBytes*len(d.names)+1)
	h[0] = 3
	copy(h[1:], []byte{126, 1, 1}) // a date that does not change: the same rows give the same bytes
	binary.LittleEndian.PutUint32(h[4:], uint32(len(items)))
	binary.LittleEndian.PutUint16(h[8:], uint16(dbfHeaderBytes+dbfFieldBytes*len(d.names)+1))
	binary.LittleEndian.PutUint16(h[10:], uint16(d.rowBytes))
	for i, name := range d.names {
		f := make([]byte, dbfFieldBytes)
		copy(f[:dbfNameBytes], name)
		f[11], f[16] = 'N', byte(d.widths[i])
		if i < len(d.t.Fields) {
			switch d.t.Fields[i].Kind {
			case ExportText, ExportTime:
				f[11] = 'C'
			case ExportReal:
				f[17] = 15
			case ExportBoolean:
				f[11] = 'L'
			case ExportDate:
				f[11] = 'D'
			}
		}
		h = append(h, f...)
	}
	_, _ = w.Write(append(h, dbfFieldsEnd))
	row := make([]byte, 0, d.rowBytes)
	for _, item := range items {
		row = append(row[:0], ' ')
		for i, v := range d.t.Row(item.row) {
			row = appendDBF(row, d.t.Fields[i].Kind, v, d.widths[i])
		}
		if len(d.t.Fields) == 0 {
			row = fmt.Appendf(row, "%*d", d.widths[0], d.t.Layer.FID(item.row))
		}
		_, _ = w.Write(row)
	}
	_ = w.WriteByte(0x1a)
}

// appendDBF appends a value, filled up to its width.
func appendDBF(row []byte, kind ExportKind, v ExportValue, width int) []byte {
	text, right := "", kind == ExportInteger || kind == ExportReal
	switch {
	case !v.Set:
		if kind == ExportBoolean {
			text = "?"
		}
	case kind == ExportInteger:
		text = strconv.FormatInt(v.Int, 10)
	case kind == ExportReal:
		if text = strconv.FormatFloat(v.Real, 'f', -1, 64); len(text) > width {
			text = strconv.FormatFloat(v.Real, 'e', -1, 64)
		}
		for digits := 16; len(text) > width; digits-- {
			text = strconv.FormatFloat(v.Real, 'e', digits, 64)
		}
	case kind == ExportBoolean:
		text = string("FT"[v.Int])
	case kind == ExportDate:
		text = strings.ReplaceAll(v.Text, "-", "")
	case kind == ExportTime:
		text = string(appendInstant(nil, v.Int))
	default:
		text = v.Text
	}
	for len(text) > width { // on a letter
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	if right {
		row = append(row, strings.Repeat(" ", width-len(text))...)
	}
	row = append(row, text...)
	if !right {
		row = append(row, strings.Repeat(" ", width-len(text))...)
	}
	return row
}
