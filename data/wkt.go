package data

import (
	"bytes"
	"math"
	"strings"
)

var wktKinds = map[string]string{"POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon",
	"MULTIPOINT": "MultiPoint", "MULTILINESTRING": "MultiLineString", "MULTIPOLYGON": "MultiPolygon",
	"GEOMETRYCOLLECTION": "GeometryCollection"}

// wktReader reads the well-known text of a geometry (OGC 06-103r4, section 7),
// with or without Z and M.
type wktReader struct {
	s        []byte
	shape    *shape // the one at hand
	vertices int
	measured bool // the third of three ordinates is M
	deep     int  // of collections
}

// readWKT fills the shape from well-known text.
func (s *shape) readWKT(text []byte, to transform, vertices int) {
	r := &wktReader{s: text, shape: s, vertices: vertices}
	if len(text) > 5 && strings.EqualFold(string(text[:5]), "SRID=") {
		srid, rest, ok := bytes.Cut(text[5:], []byte{';'})
		if !ok || strings.TrimSpace(string(srid)) != "4326" {
			s.spoil("bad_wkt", "the SRID of the text is not 4326; name the coordinate reference system with crs")
			return
		}
		r.s = rest
	}
	r.geometry(to)
	if r.space(); s.fault == nil && len(r.s) > 0 {
		s.spoil("bad_wkt", "%s follows the end of the well-known text", show(r.s))
	}
}

// geometry reads one geometry into the shape at hand.
func (r *wktReader) geometry(to transform) {
	s, text := r.shape, r.s
	word := strings.ToUpper(r.word())
	r.measured = false
	if tagged, ok := strings.CutSuffix(word, "ZM"); ok {
		word = tagged
	} else if tagged, ok := strings.CutSuffix(word, "Z"); ok {
		word = tagged
	} else if tagged, ok := strings.CutSuffix(word, "M"); ok {
		word, r.measured = tagged, true
	}
	if s.kind = wktKinds[word]; s.kind == "" {
		s.spoil("bad_wkt", "%s is not well-known text", show(text))
		return
	}
	switch strings.ToUpper(r.word()) {
	case "M":
		r.measured = true
	case "EMPTY":
		s.empty = true
		return
	}
	if s.kind == "GeometryCollection" {
		r.collection(to)
		return
	}
	s.rank = r.list(rankOf[s.kind])
	if s.kind == "Point" {
		if s.rank = 1; len(s.points) > 1 {
			s.spoil("bad_wkt", "a point has more than one position")
		}
	}
}

// collection reads the parts of a geometry collection.
func (r *wktReader) collection(to transform) {
	s := r.shape
	if r.deep++; r.deep > 8 || !r.use('(') {
		s.spoil("bad_wkt", "a geometry collection is nested too deep or has no bracket")
		return
	}
	for {
		part := &shape{}
		r.shape = part
		r.geometry(to)
		r.shape = s
		g, f := part.geometry(to, r.vertices)
		if f != nil {
			s.spoil(f.code, "%s", f.message)
			return
		}
		s.heights = s.heights || part.heights
		s.parts = append(s.parts, g)
		if !r.use(',') {
			break
		}
	}
	if r.deep--; !r.use(')') {
		s.spoil("bad_wkt", "a bracket is missing in the well-known text")
	}
}

func (r *wktReader) space() { r.s = bytes.TrimLeft(r.s, " \t\r\n") }

func (r *wktReader) word() string {
	r.space()
	n := 0
	for n < len(r.s) && r.s[n]|0x20 >= 'a' && r.s[n]|0x20 <= 'z' {
		n++
	}
	word := string(r.s[:n])
	r.s = r.s[n:]
	return word
}

// list reads a bracketed list of positions (deep 1 or 2) or of lists, and
// returns its rank.
func (r *wktReader) list(deep int) int {
	if !r.use('(') {
		r.shape.spoil("bad_wkt", "a bracket is missing in the well-known text")
		return 0
	}
	rank := 1
	for {
		r.space()
		switch {
		case deep > 2:
			rank = r.list(deep - 1)
		case r.shape.kind == "MultiPoint" && r.use('('):
			r.position()
			if !r.use(')') {
				r.shape.spoil("bad_wkt", "a bracket is missing in the well-known text")
			}
		default:
			r.position()
		}
		if r.shape.fault != nil || !r.use(',') {
			break
		}
	}
	if !r.use(')') {
		r.shape.spoil("bad_wkt", "a bracket is missing in the well-known text")
	}
	return r.shape.close(rank)
}

func (r *wktReader) use(c byte) bool {
	if r.space(); len(r.s) > 0 && r.s[0] == c {
		r.s = r.s[1:]
		return true
	}
	return false
}

func (r *wktReader) position() {
	v := [4]float64{}
	n := 0
	for ; n < 4; n++ {
		r.space()
		x, length, ok := scanNumber(r.s)
		if !ok || math.IsInf(x, 0) {
			break
		}
		v[n], r.s = x, r.s[length:]
	}
	if n < 2 {
		r.shape.spoil("bad_wkt", "a position of the well-known text is not two numbers")
		return
	}
	m := nan
	if n == 4 {
		m = v[3]
	} else if n == 3 && r.measured {
		m = v[2]
	}
	r.shape.heights = r.shape.heights || n > 2 && !(n == 3 && r.measured)
	r.shape.position(v[0], v[1], m)
	if len(r.shape.points) > r.vertices {
		r.shape.spoil("too_many_vertices", "the geometry has more than %d vertices", r.vertices)
	}
}
