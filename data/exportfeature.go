package data

import (
	"bytes"
	"math"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// FeatureForm is how rows are written as GeoJSON features.
type FeatureForm struct {
	// Numbered features have their FID as id; an identifier of the source that
	// is not among the properties becomes one, named id.
	Numbered bool
	// CRS is what the coordinates are in; nil is longitude and latitude.
	CRS *OutputCRS
	// Simple features have properties of one value each: lists and objects are
	// written as their JSON text, for clients that know tables.
	Simple bool
}

// AppendFeature appends a row as a GeoJSON feature. Its id is the source's
// identifier, or the FID when there is none. Heights are third ordinates; a
// vertex without one has two.
func AppendFeature(dst []byte, l *geo.Layer, row int, extra ...Extra) []byte {
	return FeatureForm{}.Append(dst, l, row, extra...)
}

// Append appends a row, with further properties.
func (f FeatureForm) Append(dst []byte, l *geo.Layer, row int, extra ...Extra) []byte {
	dst = f.open(dst, l, row, extra)
	return append(dst, '}')
}

// open is Append without the last bracket, so that members can follow.
func (f FeatureForm) open(dst []byte, l *geo.Layer, row int, extra []Extra) []byte {
	dst = append(dst, `{"type":"Feature","id":`...)
	if f.Numbered {
		dst = appendNumber(dst, float64(l.FID(row)))
		if id := l.OwnID(row); id != "" && l.Value(row, "id") == nil {
			extra = append([]Extra{{"id", string(appendQuoted(nil, validText(id)))}}, extra...)
		}
	} else if with, ok := l.AppendID(dst, row); ok {
		dst = with
	} else {
		dst = appendNumber(dst, float64(l.FID(row)))
	}
	var properties int
	if p, isPoint := l.PointAt(row); isPoint && (f.CRS == nil || f.CRS.IsDefault()) && !l.MayHaveHeights(row) { // nearly all
		dst = appendPosition(append(dst, `,"geometry":{"type":"Point","coordinates":`...), p, math.NaN())
		dst = append(dst, `},"properties":`...)
		properties = len(dst)
		dst = l.AppendProperties(dst, row)
	} else {
		dst = append(dst, `,"geometry":`...)
		var hide []string
		z := heightsOf(l, row)
		if z != nil {
			hide = []string{geo.HeightsField}
		}
		dst = f.appendGeometry(dst, l.Geometry(row), &z)
		dst = append(dst, `,"properties":`...)
		properties = len(dst)
		dst = l.AppendProperties(dst, row, hide...)
	}
	if f.Simple {
		dst = flattenMembers(dst, properties)
	}
	for _, e := range extra {
		dst = append(appendQuoted(reopen(dst), e.Name), ':')
		dst = append(append(dst, e.JSON...), '}')
	}
	return dst
}

// reopen takes the bracket off the end of an object, for one more member.
func reopen(dst []byte) []byte {
	end := len(dst) - 1
	if dst[end-1] == '{' {
		return dst[:end]
	}
	dst[end] = ','
	return dst
}

// AppendHit is AppendFeature with the distance as distance_m, to the millimetre.
func AppendHit(dst []byte, l *geo.Layer, hit geo.Hit) []byte {
	dst = append(reopen(FeatureForm{}.open(dst, l, hit.Row, nil)), `"distance_m":`...)
	return append(appendDecimal(dst, int64(math.Round(hit.DistanceM*1000)), 3), '}', '}')
}

// flattenMembers turns the lists and objects among the members of the compact
// JSON object at from into their text.
func flattenMembers(dst []byte, from int) []byte {
	if !bytes.ContainsAny(dst[from+1:], "[{") {
		return dst
	}
	object := bytes.Clone(dst[from:])
	dst = append(dst[:from], '{')
	for rest := object[1:]; len(rest) > 1; {
		name := jsonEnd(rest)
		value := name + 1 + jsonEnd(rest[name+1:])
		dst = append(dst, rest[:name+1]...)
		if c := rest[name+1]; c == '[' || c == '{' {
			dst = appendQuoted(dst, rest[name+1:value])
		} else {
			dst = append(dst, rest[name+1:value]...)
		}
		if dst = append(dst, rest[value]); rest[value] == '}' {
			break
		}
		rest = rest[value+1:]
	}
	return dst
}

// jsonEnd is where the compact JSON value at the start of s ends.
func jsonEnd(s []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '[' || c == '{':
			depth++
		case depth == 0 && (c == ',' || c == ':' || c == ']' || c == '}'):
			return i
		case c == ']' || c == '}':
			depth--
		}
	}
	return len(s)
}

// AppendWith is Append with one more member of the feature, such as links.
func (f FeatureForm) AppendWith(dst []byte, l *geo.Layer, row int, member Extra) []byte {
	dst = append(f.open(dst, l, row, nil), ',')
	dst = append(appendQuoted(dst, member.Name), ':')
	return append(append(dst, member.JSON...), '}')
}

func (f FeatureForm) appendGeometry(dst []byte, g orb.Geometry, z *heights) []byte {
	if f.CRS != nil && f.CRS.forward != nil {
		g = mapGeometry(g, f.CRS.Forward)
	}
	return appendGeometry(dst, g, z)
}

// OutputCRS is a coordinate reference system in which features can be asked
// for, with the order of its axes.
type OutputCRS struct {
	URI      string
	forward  func(orb.Point) orb.Point // nil: longitude and latitude as they are
	exact    func(orb.Point) orb.Point // forward without rounding
	toWGS84  func(orb.Point) orb.Point
	straight bool // boxes are boxes in longitude and latitude
}

// Forward turns longitude and latitude into what is written, metres to the
// millimetre.
func (c *OutputCRS) Forward(p orb.Point) orb.Point {
	if c.forward == nil {
		return p
	}
	return c.forward(p)
}

// ToWGS84 turns what is written into longitude and latitude.
func (c *OutputCRS) ToWGS84(p orb.Point) orb.Point {
	if c.toWGS84 == nil {
		return p
	}
	return c.toWGS84(p)
}

// Reproject returns a geometry in the system, not rounded.
func (c *OutputCRS) Reproject(g orb.Geometry) orb.Geometry {
	if c.exact == nil {
		return g
	}
	return mapGeometry(g, c.exact)
}

// IsDefault reports whether coordinates are longitude and latitude.
func (c *OutputCRS) IsDefault() bool { return c.forward == nil }

// Geographic reports whether coordinates are degrees, in either order, so that
// a box of them is one of longitude and latitude.
func (c *OutputCRS) Geographic() bool { return c.straight }

// CRS84 names longitude and latitude on WGS 84.
const CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

const epsgURI = "http://www.opengis.net/def/crs/EPSG/0/"

// OutputCRSs lists the systems that features can be asked for in: longitude
// and latitude, EPSG:4326 (latitude first), Web Mercator and the UTM zones of
// the theatre.
func OutputCRSs() []*OutputCRS {
	swap := func(p orb.Point) orb.Point { return orb.Point{p[1], p[0]} }
	out := []*OutputCRS{{URI: CRS84, straight: true}, {URI: epsgURI + "4326", forward: swap, exact: swap, toWGS84: swap, straight: true},
		projected("3857", geo.WebMercator{})}
	for _, south := range []bool{false, true} {
		for zone := 47; zone <= 50; zone++ {
			code := 32600 + zone
			if south {
				code = 32700 + zone
			}
			out = append(out, projected(string(appendNumber(nil, float64(code))), geo.NewTransverseMercator(geo.WGS84(), geo.UTM(zone, south))))
		}
	}
	return out
}

func projected(code string, p geo.Projection) *OutputCRS {
	millimetre := func(v float64) float64 { return math.Round(v*1000) / 1000 }
	exact := func(q orb.Point) orb.Point {
		return p.Forward(orb.Point{q[0], math.Max(-89.99, math.Min(89.99, q[1]))}) // the poles are far away
	}
	return &OutputCRS{URI: epsgURI + code, toWGS84: p.Inverse, exact: exact, forward: func(q orb.Point) orb.Point {
		q = exact(q)
		return orb.Point{millimetre(q[0]), millimetre(q[1])}
	}}
}
