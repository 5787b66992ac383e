package data

import (
	"bytes"
	"strings"

	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/wkt"
)

// maxWKTDepth bounds nested geometry collections.
const maxWKTDepth = 8

// readWKT fills the shape from well-known text (OGC 06-103r4, section 7), with
// or without Z and M, and with an SRID of 4326 before it.
func (s *shape) readWKT(text []byte, to transform, vertices int) {
	if len(text) > 5 && strings.EqualFold(string(text[:5]), "SRID=") {
		srid, rest, ok := bytes.Cut(text[5:], []byte{';'})
		if !ok || strings.TrimSpace(string(srid)) != "4326" {
			s.spoil("bad_wkt", "the SRID of the text is not 4326; name the coordinate reference system with crs")
			return
		}
		text = rest
	}
	g, err := wkt.Unmarshal(string(text))
	if err != nil {
		s.spoil("bad_wkt", "%s is not well-known text", show(text))
		return
	}
	s.take(g, wktContext{to: to, vertices: vertices})
}

type wktContext struct {
	to       transform
	vertices int
	depth    int
}

// take fills the shape from a parsed geometry.
func (s *shape) take(g geom.T, c wktContext) {
	layout := g.Layout()
	positions := func(flat []float64) int {
		for i := 0; i+layout.Stride() <= len(flat) && layout.Stride() > 1; i += layout.Stride() {
			z, m := nan, nan
			if layout.ZIndex() >= 0 {
				z = flat[i+layout.ZIndex()]
			}
			if layout.MIndex() >= 0 {
				m = flat[i+layout.MIndex()]
			}
			s.position(flat[i], flat[i+1], z, m)
		}
		if len(flat) == 0 {
			return 0
		}
		return 1
	}
	lists := func(flat []float64, ends []int) int {
		rank, from := 0, 0
		for _, end := range ends {
			rank = s.close(positions(flat[from:end]))
			from = end
		}
		return rank
	}
	switch g := g.(type) {
	case *geom.Point:
		s.kind, s.rank = "Point", positions(g.FlatCoords())
	case *geom.MultiPoint:
		s.kind, s.rank = "MultiPoint", s.close(positions(g.FlatCoords()))
	case *geom.LineString:
		s.kind, s.rank = "LineString", s.close(positions(g.FlatCoords()))
	case *geom.MultiLineString:
		s.kind, s.rank = "MultiLineString", s.close(lists(g.FlatCoords(), g.Ends()))
	case *geom.Polygon:
		s.kind, s.rank = "Polygon", s.close(lists(g.FlatCoords(), g.Ends()))
	case *geom.MultiPolygon:
		rank := 0
		for i := range g.NumPolygons() {
			p := g.Polygon(i)
			rank = s.close(lists(p.FlatCoords(), p.Ends()))
		}
		s.kind, s.rank = "MultiPolygon", s.close(rank)
	case *geom.GeometryCollection:
		s.kind = "GeometryCollection"
		s.takeParts(g, c)
	default:
		s.spoil("bad_wkt", "geometries of this type are not read")
	}
}

func (s *shape) takeParts(g *geom.GeometryCollection, c wktContext) {
	if c.depth++; c.depth > maxWKTDepth {
		s.spoil("bad_wkt", "geometry collections are nested deeper than %d", maxWKTDepth)
		return
	}
	for _, child := range g.Geoms() {
		part := &shape{}
		part.take(child, c)
		built, fault := part.geometry(c.to, c.vertices)
		if fault != nil {
			s.spoil(fault.code, "%s", fault.message)
			return
		}
		s.part(built, part)
	}
}
