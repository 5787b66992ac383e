package data

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// shape collects a geometry as a reader meets it, flat: the positions, and
// where each list of them ends.
type shape struct {
	kind     string // GeoJSON's name
	points   []orb.Point
	heights  []float64 // the Z of each position, NaN for none; empty while there is none
	measures []float64 // the M of each position, likewise
	ends     [3][]int  // of lists of positions, of lists of those, and so on
	rank     int       // 1 a position, 2 a list of positions, ...
	parts    []orb.Geometry
	within   int         // positions of the parts
	mixed    bool        // lists of different depth side by side
	empty    bool        // a list without positions
	fault    *valueFault // what is wrong with a position
}

func (s *shape) reset() {
	*s = shape{points: s.points[:0], heights: s.heights[:0], measures: s.measures[:0], ends: [3][]int{s.ends[0][:0], s.ends[1][:0], s.ends[2][:0]}}
}

func (s *shape) spoil(code, format string, args ...any) {
	if s.fault == nil {
		s.fault = &valueFault{code, fmt.Sprintf(format, args...)}
	}
}

// position adds a position; z and m are NaN without a height and a measure.
func (s *shape) position(x, y, z, m float64) {
	s.heights = appendHeight(s.heights, len(s.points), z)
	if m == m || len(s.measures) > 0 {
		for len(s.measures) < len(s.points) {
			s.measures = append(s.measures, math.NaN())
		}
		s.measures = append(s.measures, m)
	}
	s.points = append(s.points, orb.Point{x, y})
}

// part adds a geometry of a collection, which was built from its own shape.
func (s *shape) part(g orb.Geometry, of *shape) {
	s.heights = appendHeights(s.heights, s.within, of.heights)
	s.within += countVertices(g)
	s.parts = append(s.parts, g)
}

// addPart builds a part of a collection from its own shape and adds it; one that
// cannot be built spoils the whole.
func (im *importer) addPart(s, part *shape) bool {
	built, fault := part.geometry(im.toWGS84, im.limits.Vertices)
	if fault != nil {
		s.spoil(fault.code, "%s", fault.message)
		return false
	}
	s.part(built, part)
	return true
}

// close ends a list whose items have the given rank, and returns its own.
func (s *shape) close(rank int) int {
	switch rank {
	case 0:
		s.empty = true
		return 0
	case 1:
		s.ends[0] = append(s.ends[0], len(s.points))
	case 2:
		s.ends[1] = append(s.ends[1], len(s.ends[0]))
	case 3:
		s.ends[2] = append(s.ends[2], len(s.ends[1]))
	default:
		s.mixed = true
	}
	return rank + 1
}

var rankOf = map[string]int{"Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3, "MultiPolygon": 4}

// geometry checks what was collected and returns it on its own memory.
func (s *shape) geometry(to transform, vertices int) (orb.Geometry, *valueFault) {
	if s.fault != nil {
		return nil, s.fault
	}
	if s.kind == "GeometryCollection" {
		if len(s.parts) == 0 {
			return nil, &valueFault{"empty_geometry", "the geometry collection is empty"}
		}
		return orb.Collection(s.parts), nil
	}
	rank, known := rankOf[s.kind]
	switch {
	case !known:
		return nil, &valueFault{"bad_geometry", fmt.Sprintf("the geometry type %s is not known", show(s.kind))}
	case s.empty || s.rank == 0:
		return nil, &valueFault{"empty_geometry", "the " + s.kind + " has no coordinates, or a part without"}
	case s.mixed || s.rank != rank:
		return nil, &valueFault{"bad_geometry", fmt.Sprintf("the coordinates of a %s are nested %d deep; these are not", s.kind, rank)}
	case len(s.points) > vertices:
		return nil, &valueFault{"too_many_vertices", fmt.Sprintf("the geometry has more than %d vertices", vertices)}
	}
	for i, p := range s.points {
		if to != nil {
			p = to(p)
			s.points[i] = p
		}
		if !(p[1] >= -90 && p[1] <= 90 && p[0] >= -180 && p[0] <= 180) {
			return nil, outOfRange(p, to != nil)
		}
	}
	return s.build()
}

// swapHint is in the message of a position whose axes are the wrong way round.
const swapHint = "; swapped it would fit"

// outOfRange says which ordinate is bad, and whether the other order would fit.
func outOfRange(p orb.Point, projected bool) *valueFault {
	x, y := string(appendNumber(nil, p[0])), string(appendNumber(nil, p[1]))
	f := &valueFault{"lat_out_of_range", "the latitude " + y + " is not in -90 to 90"}
	if !(p[0] >= -180 && p[0] <= 180) {
		f = &valueFault{"lon_out_of_range", "the longitude " + x + " is not in -180 to 180"}
	}
	switch {
	case projected:
		f.message += " after conversion; check the coordinate reference system"
	case p[0] >= -90 && p[0] <= 90 && p[1] >= -180 && p[1] <= 180:
		f.message += swapHint + " (longitude " + y + ", latitude " + x + "): the longitude must come first"
	case math.Abs(p[0]) > 360 || math.Abs(p[1]) > 360:
		f.message += "; if these are metres, name the coordinate reference system with crs"
	}
	return f
}

func (s *shape) build() (orb.Geometry, *valueFault) {
	switch s.kind {
	case "Point":
		return s.points[0], nil
	case "MultiPoint":
		return append(orb.MultiPoint(nil), s.points...), nil
	case "LineString":
		return s.line(0, len(s.points))
	case "Polygon":
		return s.polygon(0, len(s.ends[0]))
	case "MultiLineString":
		var out orb.MultiLineString
		for i := range s.ends[0] {
			line, f := s.line(s.span(0, i))
			if f != nil {
				return nil, f
			}
			out = append(out, line)
		}
		return out, nil
	}
	var out orb.MultiPolygon
	for i := range s.ends[1] {
		polygon, f := s.polygon(s.span(1, i))
		if f != nil {
			return nil, f
		}
		out = append(out, polygon)
	}
	return out, nil
}

// span returns where list i of a level begins and ends.
func (s *shape) span(level, i int) (from, to int) {
	if i > 0 {
		from = s.ends[level][i-1]
	}
	return from, s.ends[level][i]
}

func (s *shape) line(from, to int) (orb.LineString, *valueFault) {
	if to-from < 2 {
		return nil, &valueFault{"short_line", "a line needs two positions or more"}
	}
	return append(orb.LineString(nil), s.points[from:to]...), nil
}

func (s *shape) polygon(from, to int) (orb.Polygon, *valueFault) {
	out := make(orb.Polygon, 0, to-from)
	for i := from; i < to; i++ {
		a, b := s.span(0, i)
		switch ring := s.points[a:b]; {
		case len(ring) < 4:
			return nil, &valueFault{"short_ring", fmt.Sprintf("a ring needs four positions or more, the last equal to the first; this one has %d", len(ring))}
		case ring[0] != ring[len(ring)-1]:
			return nil, &valueFault{"open_ring", "a ring's last position must equal its first"}
		default:
			out = append(out, append(orb.Ring(nil), ring...))
		}
	}
	return out, nil
}
