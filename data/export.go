package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// WriteFormats lists the formats of text that Write knows, and KMZ.
func WriteFormats() []string {
	return []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV, FormatGPX, FormatKML, FormatKMZ}
}

// CheckWrite returns a *Refusal when a format cannot hold the rows of a layer:
// GPX knows points and lines only. Nil rows are all.
func CheckWrite(format string, l *geo.Layer, rows iter.Seq[int]) error {
	if format != FormatGPX {
		return nil
	}
	g := &gpxWriter{l: l}
	for row := range allRows(l, rows) {
		if g.element(row) == "" {
			return refuse(422, "format_too_narrow", "gpx holds points and lines, and feature %d is a %s; use kml or geojson", l.FID(row), l.Geometry(row).GeoJSONType())
		}
	}
	return nil
}

func allRows(l *geo.Layer, rows iter.Seq[int]) iter.Seq[int] {
	if rows != nil {
		return rows
	}
	return func(yield func(int) bool) {
		for row := range l.Len() {
			if !yield(row) {
				return
			}
		}
	}
}

// Write writes rows of a layer; nil rows are all. GeoJSON follows RFC 7946:
// right-handed rings, at most seven decimals, no crs member; geojsonseq
// follows RFC 8142. The CSV of a patrol layer has one row a fix. An unknown
// format is a *Refusal.
func Write(w io.Writer, format string, l *geo.Layer, rows iter.Seq[int]) error {
	return Export{Layer: l, Rows: rows}.Write(context.Background(), w, format)
}

// Export is what is to be written: rows of a layer, all when Rows is nil.
type Export struct {
	Layer      *geo.Layer
	Rows       iter.Seq[int]
	GeoPackage GeoPackage // writes that format; nil refuses it
	Mark       geo.ExportMark
}

// Write is the function Write for all formats.
func (e Export) Write(ctx context.Context, w io.Writer, format string) error {
	if e.Mark.ID != "" {
		info := e.Layer.Info
		info.Mark = e.Mark
		e.Layer = e.Layer.WithInfo(info)
	}
	if format == FormatGeoPackage && e.GeoPackage != nil {
		return e.GeoPackage.Write(ctx, w, NewExportTable(e.Layer, e.Rows))
	}
	l, rows := e.Layer, e.Rows
	if write := binaryWriter(format); write != nil {
		return writeError(format, write(w, l, rows))
	}
	rows = allRows(l, rows)
	if err := CheckWrite(format, l, rows); err != nil {
		return err
	}
	out := &chunkWriter{w: w}
	switch format {
	case FormatGeoJSON, "":
		writeGeoJSON(out, l, rows)
	case FormatGeoJSONSeq:
		for row := range rows {
			out.buf = append(out.buf, 0x1e)
			out.buf = append(AppendFeature(out.buf, l, row, markExtra(l.Info.Mark)...), '\n')
			if !out.flush(false) {
				break
			}
		}
	case FormatCSV:
		writeCSV(out, l, rows)
	case FormatGPX:
		writeGPX(out, l, rows)
	case FormatKML:
		out.err = writeKML(w, l, rows)
	case FormatKMZ:
		out.err = writeKMZ(w, l, rows)
	default:
		return refuse(415, "format_not_written", "%s is not written here; %s are", show(format), strings.Join(ExportFormats(), ", "))
	}
	out.flush(true)
	return writeError(format, out.err)
}

// writeError says what failed, of anything but a refusal.
func writeError(format string, err error) error {
	if r := (*Refusal)(nil); err == nil || errors.As(err, &r) {
		return err
	}
	return fmt.Errorf("write %s: %w", format, err)
}

// chunkWriter gathers small pieces into large writes.
type chunkWriter struct {
	w   io.Writer
	buf []byte
	err error
}

// flush writes what is gathered when it is much, or always; false when the
// writer has failed.
func (c *chunkWriter) flush(always bool) bool {
	if c.err == nil && (always || len(c.buf) >= 64<<10) {
		if len(c.buf) > 0 {
			_, c.err = c.w.Write(c.buf)
		}
		c.buf = c.buf[:0]
	}
	return c.err == nil
}

func writeGeoJSON(out *chunkWriter, l *geo.Layer, rows iter.Seq[int]) {
	out.buf = AppendMarkMembers(append(out.buf, `{"type":"FeatureCollection",`...), l.Info.Mark)
	out.buf = append(out.buf, `"features":[`...)
	sep := "\n"
	for row := range rows {
		out.buf = append(out.buf, sep...)
		out.buf = AppendFeature(out.buf, l, row)
		sep = ",\n"
		if !out.flush(false) {
			return
		}
	}
	out.buf = append(out.buf, "\n]}\n"...)
}

// Extra is a member added to a feature's properties: its value is JSON.
type Extra struct{ Name, JSON string }

// AppendGeometry appends a geometry as GeoJSON.
func AppendGeometry(dst []byte, g orb.Geometry) []byte { return appendGeometry(dst, g, new(heights)) }

// appendGeometry appends a geometry with the heights at the front of z.
func appendGeometry(dst []byte, g orb.Geometry, z *heights) []byte {
	if c, ok := g.(orb.Collection); g == nil || ok && len(c) == 0 { // a count of an area has no place
		return append(dst, "null"...)
	}
	switch b := g.(type) {
	case orb.Ring:
		g = orb.Polygon{b}
	case orb.Bound:
		g = b.ToPolygon()
	}
	dst = append(dst, `{"type":"`...)
	dst = append(dst, g.GeoJSONType()...)
	if c, ok := g.(orb.Collection); ok {
		dst = append(dst, `","geometries":[`...)
		for i, part := range c {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendGeometry(dst, part, z)
		}
		return append(dst, "]}"...)
	}
	dst = append(dst, `","coordinates":`...)
	switch g := g.(type) {
	case orb.Point:
		dst = appendPosition(dst, g, z.take(1).at(0))
	case orb.MultiPoint:
		dst = appendPositions(dst, g, z.take(len(g)))
	case orb.LineString:
		dst = appendPositions(dst, g, z.take(len(g)))
	case orb.MultiLineString:
		dst = appendList(dst, g, func(dst []byte, line orb.LineString) []byte { return appendPositions(dst, line, z.take(len(line))) })
	case orb.Polygon:
		dst = appendPolygon(dst, g, z)
	case orb.MultiPolygon:
		dst = appendList(dst, g, func(dst []byte, p orb.Polygon) []byte { return appendPolygon(dst, p, z) })
	default:
		dst = append(dst, "[]"...)
	}
	return append(dst, '}')
}

func appendList[T any](dst []byte, items []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, item)
	}
	return append(dst, ']')
}

func appendPosition(dst []byte, p orb.Point, z float64) []byte {
	dst = appendDegrees(append(dst, '['), p[0])
	dst = appendDegrees(append(dst, ','), p[1])
	if z == z {
		dst = appendNumber(append(dst, ','), z)
	}
	return append(dst, ']')
}

func appendPositions(dst []byte, points []orb.Point, z heights) []byte {
	dst = append(dst, '[')
	for i, p := range points {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPosition(dst, p, z.at(i))
	}
	return append(dst, ']')
}

func appendPolygon(dst []byte, p orb.Polygon, z *heights) []byte {
	dst = append(dst, '[')
	for i, ring := range p {
		if i > 0 {
			dst = append(dst, ',')
		}
		ring, up := turned(ring, z.take(len(ring)), i == 0)
		dst = appendPositions(dst, ring, up)
	}
	return append(dst, ']')
}

// turned is rightHanded for a ring with heights.
func turned(ring orb.Ring, z heights, outer bool) (orb.Ring, heights) {
	out := rightHanded(ring, outer)
	if z != nil && len(out) > 0 && &out[0] != &ring[0] {
		z = slices.Clone(z)
		slices.Reverse(z)
	}
	return out, z
}

// rightHanded returns an outer ring anticlockwise, a hole clockwise.
func rightHanded(ring orb.Ring, outer bool) orb.Ring {
	area := 0.0
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		area += (a[0]-ring[0][0])*(b[1]-ring[0][1]) - (b[0]-ring[0][0])*(a[1]-ring[0][1])
	}
	if area != 0 && area > 0 != outer {
		ring = slices.Clone(ring)
		slices.Reverse(ring)
	}
	return ring
}
