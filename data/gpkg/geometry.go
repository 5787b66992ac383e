package gpkg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// Geometry type codes of ISO WKB (OGC 06-103r4, section 8.2.3).
const (
	wkbPoint = 1 + iota
	wkbLineString
	wkbPolygon
	wkbMultiPoint
	wkbMultiLineString
	wkbMultiPolygon
	wkbCollection
)

// srsID is the reference system of every layer: WGS 84 longitude, latitude.
const srsID = 4326

// Flag bits of a GeoPackageBinary header (OGC 12-128r17, clause 2.1.3).
const (
	flagLittleEndian = 1 << 0
	flagEnvelopeXY   = 1 << 1 // envelope indicator 1: minx, maxx, miny, maxy
	flagEmpty        = 1 << 4
	flagExtended     = 1 << 5
)

// maxDepth bounds collections within collections.
const maxDepth = 32

var errGeometry = errors.New("not a GeoPackage geometry")

// appendGeometry appends g as GeoPackageBinary: the header, an envelope unless
// g is a point or empty, and little-endian WKB. Rings and bounds are written
// as polygons.
func appendGeometry(dst []byte, g orb.Geometry) ([]byte, error) {
	flags := byte(flagLittleEndian)
	_, isPoint := g.(orb.Point)
	empty := isEmpty(g)
	if empty {
		flags |= flagEmpty
	} else if !isPoint {
		flags |= flagEnvelopeXY
	}
	dst = append(dst, 'G', 'P', 0, flags)
	dst = binary.LittleEndian.AppendUint32(dst, srsID)
	if flags&flagEnvelopeXY != 0 {
		b := g.Bound()
		for _, v := range [4]float64{b.Min[0], b.Max[0], b.Min[1], b.Max[1]} {
			dst = appendFloat(dst, v)
		}
	}
	return appendWKB(dst, g)
}

func appendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

// appendHead appends the byte order, a geometry type and, for all but points,
// how many parts follow.
func appendHead(dst []byte, kind uint32, n int) []byte {
	dst = append(dst, 1)
	dst = binary.LittleEndian.AppendUint32(dst, kind)
	return binary.LittleEndian.AppendUint32(dst, uint32(n))
}

func appendPositions(dst []byte, ps []orb.Point) []byte {
	for _, p := range ps {
		dst = appendFloat(appendFloat(dst, p[0]), p[1])
	}
	return dst
}

func appendPolygon(dst []byte, g orb.Polygon) []byte {
	dst = appendHead(dst, wkbPolygon, len(g))
	for _, ring := range g {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(ring)))
		dst = appendPositions(dst, ring)
	}
	return dst
}

func appendPoint(dst []byte, p orb.Point) []byte {
	dst = append(dst, 1, wkbPoint, 0, 0, 0)
	return appendFloat(appendFloat(dst, p[0]), p[1])
}

func appendLine(dst []byte, g orb.LineString) []byte {
	return appendPositions(appendHead(dst, wkbLineString, len(g)), g)
}

func appendWKB(dst []byte, g orb.Geometry) ([]byte, error) {
	switch g := g.(type) {
	case orb.Point:
		return appendPoint(dst, g), nil
	case orb.LineString:
		return appendLine(dst, g), nil
	case orb.Polygon:
		return appendPolygon(dst, g), nil
	case orb.Ring:
		return appendPolygon(dst, orb.Polygon{g}), nil
	case orb.Bound:
		return appendPolygon(dst, g.ToPolygon()), nil
	case orb.MultiPoint:
		dst = appendHead(dst, wkbMultiPoint, len(g))
		for _, p := range g {
			dst = appendPoint(dst, p)
		}
		return dst, nil
	case orb.MultiLineString:
		dst = appendHead(dst, wkbMultiLineString, len(g))
		for _, line := range g {
			dst = appendLine(dst, line)
		}
		return dst, nil
	case orb.MultiPolygon:
		dst = appendHead(dst, wkbMultiPolygon, len(g))
		for _, polygon := range g {
			dst = appendPolygon(dst, polygon)
		}
		return dst, nil
	case orb.Collection:
		dst = appendHead(dst, wkbCollection, len(g))
		var err error
		for _, part := range g {
			if dst, err = appendWKB(dst, part); err != nil {
				return dst, err
			}
		}
		return dst, nil
	default:
		return dst, fmt.Errorf("geometry of type %T cannot be stored", g)
	}
}

// isEmpty reports whether a geometry has no position at all.
func isEmpty(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Point, orb.Bound:
		return false
	case orb.MultiPoint:
		return len(g) == 0
	case orb.LineString:
		return len(g) == 0
	case orb.Ring:
		return len(g) == 0
	case orb.MultiLineString:
		return allEmpty(g)
	case orb.Polygon:
		return allEmpty(g)
	case orb.MultiPolygon:
		return allEmpty(g)
	case orb.Collection:
		return allEmpty(g)
	}
	return true
}

func allEmpty[G orb.Geometry](parts []G) bool {
	for _, p := range parts {
		if !isEmpty(p) {
			return false
		}
	}
	return true
}

// parseGeometry reads GeoPackageBinary of either byte order. Heights and
// measures, which only other programs write, are dropped. Extended types and
// trailing bytes are errors.
func parseGeometry(blob []byte) (orb.Geometry, error) {
	body, err := skipHeader(blob)
	if err != nil {
		return nil, err
	}
	r := wkbReader{buf: body}
	g := r.geometry(0)
	if r.bad || len(r.buf) != 0 {
		return nil, errGeometry
	}
	return g, nil
}

// skipHeader returns the WKB that follows a GeoPackageBinary header.
func skipHeader(blob []byte) ([]byte, error) {
	if len(blob) < 8 || blob[0] != 'G' || blob[1] != 'P' || blob[3]&flagExtended != 0 {
		return nil, errGeometry
	}
	doubles := [8]int{0, 4, 6, 6, 8, -1, -1, -1}[blob[3]>>1&7]
	if doubles < 0 || len(blob) < 8+8*doubles {
		return nil, errGeometry
	}
	return blob[8+8*doubles:], nil
}

// wkbReader reads WKB from buf; bad is set, for good, at the first fault.
type wkbReader struct {
	buf []byte
	big bool
	bad bool
}

func (r *wkbReader) uint32() uint32 {
	if len(r.buf) < 4 {
		r.bad = true
		return 0
	}
	b := r.buf[:4]
	r.buf = r.buf[4:]
	if r.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// count reads a number of parts, each of at least size bytes, so that a false
// count cannot ask for more memory than the input is long.
func (r *wkbReader) count(size int) int {
	n := uint64(r.uint32())
	if r.bad || n*uint64(size) > uint64(len(r.buf)) {
		r.bad = true
		return 0
	}
	return int(n)
}

// position reads one position of dims numbers and keeps the first two.
func (r *wkbReader) position(dims int) orb.Point {
	if len(r.buf) < 8*dims {
		r.bad = true
		return orb.Point{}
	}
	var p orb.Point
	for k := range p {
		if r.big {
			p[k] = math.Float64frombits(binary.BigEndian.Uint64(r.buf[8*k:]))
		} else {
			p[k] = math.Float64frombits(binary.LittleEndian.Uint64(r.buf[8*k:]))
		}
	}
	r.buf = r.buf[8*dims:]
	return p
}

func (r *wkbReader) positions(dims int) []orb.Point {
	out := make([]orb.Point, r.count(8*dims))
	for i := range out {
		out[i] = r.position(dims)
	}
	return out
}

// head reads a byte order and a geometry type.
func (r *wkbReader) head() (kind uint32, dims int) {
	if len(r.buf) < 5 || r.buf[0] > 1 {
		r.bad = true
		return 0, 0
	}
	r.big = r.buf[0] == 0
	r.buf = r.buf[1:]
	code := r.uint32()
	dims = [4]int{2, 3, 3, 4}[min(code/1000, 3)]
	if code >= 4000 {
		r.bad = true
	}
	return code % 1000, dims
}

func (r *wkbReader) geometry(depth int) orb.Geometry {
	kind, dims := r.head()
	if depth > maxDepth {
		r.bad = true
	}
	if r.bad {
		return nil
	}
	switch kind {
	case wkbPoint:
		return r.position(dims)
	case wkbLineString:
		return orb.LineString(r.positions(dims))
	case wkbPolygon:
		return r.polygon(dims)
	case wkbMultiPoint:
		return orb.MultiPoint(parts[orb.Point](r, depth))
	case wkbMultiLineString:
		return orb.MultiLineString(parts[orb.LineString](r, depth))
	case wkbMultiPolygon:
		return orb.MultiPolygon(parts[orb.Polygon](r, depth))
	case wkbCollection:
		return orb.Collection(parts[orb.Geometry](r, depth))
	}
	r.bad = true
	return nil
}

func (r *wkbReader) polygon(dims int) orb.Polygon {
	out := make(orb.Polygon, r.count(4))
	for i := range out {
		out[i] = r.positions(dims)
	}
	return out
}

// minPartBytes is the length of the shortest part: an empty line.
const minPartBytes = 9

func parts[G orb.Geometry](r *wkbReader, depth int) []G {
	out := make([]G, r.count(minPartBytes))
	for i := range out {
		g, ok := r.geometry(depth + 1).(G)
		if !ok || r.bad {
			r.bad = true
			return nil
		}
		out[i] = g
	}
	return out
}
