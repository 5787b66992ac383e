package data

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Geometry is flat; heights stand beside it in the property
// geo.HeightsField, one for each vertex. The importer takes care that they fit
// the geometry, so that they can be written as its Z.

// heights are those of vertices, in metres, NaN for one without; nil when none
// has any. Walking a geometry takes them from the front.
type heights []float64

// take removes the heights of the next n vertices.
func (h *heights) take(n int) heights {
	if *h == nil {
		return nil
	}
	out := (*h)[:n:n]
	*h = (*h)[n:]
	return out
}

// at is the height of vertex i, NaN for none.
func (h heights) at(i int) float64 {
	if h == nil {
		return nan
	}
	return h[i]
}

// whole tells whether every vertex has a height.
func (h heights) whole() bool {
	return h != nil && !slices.ContainsFunc(h, math.IsNaN)
}

// rangeOf returns the least and the greatest number, ±Inf the wrong way round
// when all are NaN.
func rangeOf(v []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, x := range v {
		if x == x {
			low, high = min(low, x), max(high, x)
		}
	}
	return low, high
}

// appendHeight adds the height of vertex n to those before it.
func appendHeight(list []float64, n int, z float64) []float64 {
	if !(z > noMeasure && z < -noMeasure) { // also how some programs write that there is none
		z = nan
	}
	if z != z && len(list) == 0 {
		return list
	}
	return append(padHeights(list, n), z)
}

// appendHeights adds the heights of vertices from n on.
func appendHeights(list []float64, n int, more []float64) []float64 {
	if len(more) == 0 {
		return list
	}
	return append(padHeights(list, n), more...)
}

// padHeights gives n vertices heights: those behind the last have none.
func padHeights(list []float64, n int) []float64 {
	for len(list) < n {
		list = append(list, nan)
	}
	return list
}

// countVertices returns how many positions a geometry has.
func countVertices(g orb.Geometry) int {
	n := 0
	switch g := g.(type) {
	case orb.Point:
		return 1
	case orb.MultiPoint:
		return len(g)
	case orb.LineString:
		return len(g)
	case orb.Ring:
		return len(g)
	case orb.Bound:
		return 5
	case orb.MultiLineString:
		for _, line := range g {
			n += len(line)
		}
	case orb.Polygon:
		for _, ring := range g {
			n += len(ring)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			n += countVertices(p)
		}
	case orb.Collection:
		for _, part := range g {
			n += countVertices(part)
		}
	}
	return n
}

// heightsOf returns the heights of a row, nil when it has none that fit its
// geometry.
func heightsOf(l *geo.Layer, row int) heights {
	var list heights
	switch v := l.Value(row, geo.HeightsField).(type) {
	case float64:
		list = heights{v}
	case json.RawMessage:
		list = parseHeights(v)
	}
	if list == nil || len(list) != countVertices(l.Geometry(row)) {
		return nil
	}
	return list
}

// parseHeights reads a number, or a JSON array of numbers and nulls; nil for
// what is neither, or has no number.
func parseHeights(text []byte) heights {
	text = bytes.TrimSpace(text)
	var list []*float64
	if isNumber(text) {
		list = make([]*float64, 1)
		if json.Unmarshal(text, &list[0]) != nil {
			return nil
		}
	} else if json.Unmarshal(text, &list) != nil {
		return nil
	}
	var out heights
	for i, v := range list {
		z := nan
		if v != nil {
			z = *v
		}
		out = appendHeight(out, i, z)
	}
	return out
}

// heightsValue is how heights are stored; nil when there are none.
func heightsValue(h heights, g orb.Geometry) any {
	if !slices.ContainsFunc(h, func(z float64) bool { return z == z }) {
		return nil
	}
	if _, point := g.(orb.Point); point {
		return h[0]
	}
	dst := []byte{'['}
	for i, z := range h {
		if i > 0 {
			dst = append(dst, ',')
		}
		if z != z {
			dst = append(dst, "null"...)
		} else {
			dst = appendNumber(dst, z)
		}
	}
	return json.RawMessage(append(dst, ']'))
}

// ordinates gives the row what a shape has beside its plane.
func (im *importer) ordinates(s *shape) {
	r := &im.row
	if len(s.heights) > 0 {
		r.heights = padHeights(slices.Clone(s.heights), max(len(s.points), s.within))
	}
	switch {
	case len(s.measures) == 0:
	case im.kind == geo.KindPatrolTrack:
		r.measures = slices.Clone(s.measures)
	case slices.ContainsFunc(s.measures, func(m float64) bool { return m == m }):
		im.counts.measuresDropped++
	}
}

// heightsCell takes heights from a property; those of the geometry go before.
func (im *importer) heightsCell(r *rowState, c *cell) {
	text := c.written()
	if r.heights != nil || len(bytes.TrimSpace(text)) == 0 {
		return
	}
	if r.heights = parseHeights(text); r.heights == nil {
		im.counts.heights++
	}
}

// fitHeights drops heights that are not one for each vertex.
func (im *importer) fitHeights(r *rowState) {
	if r.heights != nil && len(r.heights) != countVertices(r.geometry) {
		r.heights = nil
		im.counts.heights++
	}
	// Files of this program have the height of a point twice, as that of the
	// format and as its own.
	if ele, has := im.slotOf["ele"]; has && len(r.heights) == 1 && im.values[ele] == any(r.heights[0]) && im.report.Format != FormatCSV {
		im.values[ele] = nil
	}
}

// setHeights puts the heights of a geometry among the values of the row.
func (im *importer) setHeights(h heights, g orb.Geometry) {
	if v := heightsValue(h, g); v != nil {
		im.values[im.slot(geo.HeightsField)] = v
	} else if k, ok := im.slotOf[geo.HeightsField]; ok {
		im.values[k] = nil
	}
}
