package data

import (
	"encoding/binary"
	"fmt"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkb"
	"github.com/twpayne/go-geom/encoding/wkt"
)

// Geometry with Z and M as well-known text and binary, by go-geom.

// space is what the vertices of a geometry have beside their place; walking
// the geometry takes the heights.
type space struct {
	layout geom.Layout
	z      heights
	m      []float64 // of a line
}

func newSpace(z heights, m []float64) *space {
	s := &space{layout: geom.XY, z: z, m: m}
	switch {
	case z != nil && m != nil:
		s.layout = geom.XYZM
	case z != nil:
		s.layout = geom.XYZ
	case m != nil:
		s.layout = geom.XYM
	}
	return s
}

// flat appends positions with all their ordinates.
func (s *space) flat(dst []float64, points []orb.Point) []float64 {
	z := s.z.take(len(points))
	for i, p := range points {
		dst = append(dst, p[0], p[1])
		if z != nil {
			dst = append(dst, z[i])
		}
		if s.m != nil {
			dst = append(dst, s.m[i])
		}
	}
	return dst
}

// polygon appends the positions of a polygon, and where its rings end.
func (s *space) polygon(dst []float64, p orb.Polygon) ([]float64, []int) {
	ends := make([]int, 0, len(p))
	for _, ring := range p {
		dst = s.flat(dst, ring)
		ends = append(ends, len(dst))
	}
	return dst, ends
}

func (s *space) geometry(g orb.Geometry) (geom.T, error) {
	switch g := g.(type) {
	case orb.Point:
		return geom.NewPointFlat(s.layout, s.flat(nil, []orb.Point{g})), nil
	case orb.MultiPoint:
		return geom.NewMultiPointFlat(s.layout, s.flat(nil, g)), nil
	case orb.LineString:
		return geom.NewLineStringFlat(s.layout, s.flat(nil, g)), nil
	case orb.MultiLineString:
		var flat []float64
		var ends []int
		for _, line := range g {
			flat = s.flat(flat, line)
			ends = append(ends, len(flat))
		}
		return geom.NewMultiLineStringFlat(s.layout, flat, ends), nil
	case orb.Ring:
		return s.geometry(orb.Polygon{g})
	case orb.Bound:
		return s.geometry(g.ToPolygon())
	case orb.Polygon:
		flat, ends := s.polygon(nil, g)
		return geom.NewPolygonFlat(s.layout, flat, ends), nil
	case orb.MultiPolygon:
		var flat []float64
		var lists [][]int
		for _, p := range g {
			var ends []int
			flat, ends = s.polygon(flat, p)
			lists = append(lists, ends)
		}
		return geom.NewMultiPolygonFlat(s.layout, flat, lists), nil
	case orb.Collection:
		all := geom.NewGeometryCollection()
		for _, part := range g {
			one, err := s.geometry(part)
			if err != nil {
				return nil, err
			}
			if err := all.Push(one); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("geometry of type %T cannot be written", g)
}

// AppendWKB appends a geometry as little-endian ISO well-known binary (OGC
// 06-103r4, section 8.2) with the heights and measures of its vertices, either
// of which may be nil; a vertex without a height has NaN. Both must be as many
// as the vertices, measures those of a line.
func AppendWKB(dst []byte, g orb.Geometry, z, m []float64) ([]byte, error) {
	shape, err := newSpace(z, m).geometry(g)
	if err != nil {
		return dst, err
	}
	b, err := wkb.Marshal(shape, binary.LittleEndian)
	return append(dst, b...), err
}

// appendWKT is AppendWKT with a height for each vertex, or none.
func appendWKT(dst []byte, g orb.Geometry, z heights) []byte {
	if z == nil {
		return AppendWKT(dst, g)
	}
	shape, err := newSpace(z, nil).geometry(g)
	if err != nil {
		return AppendWKT(dst, g)
	}
	text, err := wkt.NewEncoder(wkt.EncodeOptionWithMaxDecimalDigits(7)).Encode(shape)
	if err != nil {
		return AppendWKT(dst, g)
	}
	return append(dst, text...)
}
