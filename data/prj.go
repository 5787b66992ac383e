package data

import (
	"math"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// Bounds of the well-known text of a reference system.
const (
	maxCRSBytes = 64 << 10
	maxCRSDepth = 16
)

// wktNode is KEYWORD[value, …] of well-known text: OGC 01-009, section 7
// (WKT 1), and OGC 18-010r7 (WKT 2). Strings lose their quotes.
type wktNode struct {
	keyword string // in upper case
	values  []string
	nodes   []*wktNode
}

// wktParser reads well-known text from the front.
type wktParser struct{ text string }

func (p *wktParser) space() {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
}

// node reads a keyword and its bracket; nil when the text is none.
func (p *wktParser) node(depth int) *wktNode {
	p.space()
	k := strings.IndexAny(p.text, "[(")
	if k <= 0 || depth > maxCRSDepth {
		return nil
	}
	n := &wktNode{keyword: strings.ToUpper(strings.TrimSpace(p.text[:k]))}
	p.text = p.text[k+1:]
	for {
		p.space()
		if p.text == "" || !p.item(n, depth) {
			return nil
		}
		p.space()
		if p.text == "" {
			return nil
		}
		c := p.text[0]
		p.text = p.text[1:]
		if c == ']' || c == ')' {
			return n
		}
		if c != ',' {
			return nil
		}
	}
}

// item reads a string, a node, or a bare word or number.
func (p *wktParser) item(n *wktNode, depth int) bool {
	if p.text[0] == '"' {
		var b strings.Builder
		rest := p.text[1:]
		for {
			k := strings.IndexByte(rest, '"')
			if k < 0 {
				return false
			}
			b.WriteString(rest[:k])
			if rest = rest[k+1:]; !strings.HasPrefix(rest, `"`) {
				break
			}
			b.WriteByte('"')
			rest = rest[1:]
		}
		p.text = rest
		n.values = append(n.values, b.String())
		return true
	}
	k := strings.IndexAny(p.text, "[](),")
	if k < 0 {
		return false
	}
	if p.text[k] == '[' || p.text[k] == '(' {
		child := p.node(depth + 1)
		if child != nil {
			n.nodes = append(n.nodes, child)
		}
		return child != nil
	}
	n.values = append(n.values, strings.TrimSpace(p.text[:k]))
	p.text = p.text[k:]
	return true
}

// child returns the first node inside n with one of the keywords.
func (n *wktNode) child(keywords ...string) *wktNode {
	if n == nil {
		return nil
	}
	for _, c := range n.nodes {
		for _, k := range keywords {
			if c.keyword == k {
				return c
			}
		}
	}
	return nil
}

// find returns the first node with one of the keywords, n itself or below it.
func (n *wktNode) find(keywords ...string) *wktNode {
	for _, k := range keywords {
		if n.keyword == k {
			return n
		}
	}
	for _, c := range n.nodes {
		if f := c.find(keywords...); f != nil {
			return f
		}
	}
	return nil
}

func (n *wktNode) value(i int) string {
	if n == nil || i >= len(n.values) {
		return ""
	}
	return n.values[i]
}

func (n *wktNode) number(i int) float64 {
	v, err := strconv.ParseFloat(n.value(i), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// unit returns the length of a node's unit in metres or radians, or else what
// is usual.
func (n *wktNode) unit(usual float64, keywords ...string) float64 {
	u := n.child(keywords...)
	if u == nil {
		u = n.child("AXIS").child(keywords...)
	}
	if v := u.number(1); v > 0 && v < 1e6 {
		return v
	}
	return usual
}

// checkUnits refuses a unit in n or below it whose name and size contradict
// each other: one of them is wrong, and nothing says which.
func (n *wktNode) checkUnits() *Refusal {
	if n.keyword == "UNIT" || n.keyword == "ANGLEUNIT" || n.keyword == "LENGTHUNIT" {
		want := 0.0
		switch plain(n.value(0)) {
		case "degree", "degrees", "decimaldegree", "decimaldegrees", "deg":
			want = math.Pi / 180
		case "grad", "grads", "grade", "gon":
			want = math.Pi / 200
		case "radian", "radians", "metre", "metres", "meter", "meters", "m":
			want = 1
		}
		if want > 0 && !(math.Abs(n.number(1)/want-1) < 1e-4) { // the text rounds it
			return refuse(422, "bad_crs", "the unit %s of the coordinate reference system stands with the size %s, and its own is %.9g; name the system with crs",
				show(n.value(0)), show(n.value(1)), want)
		}
	}
	for _, c := range n.nodes {
		if refusal := c.checkUnits(); refusal != nil {
			return refusal
		}
	}
	return nil
}

// parseWKTCRS reads a reference system from its parameters: names and codes
// in the text only say which datum it is.
func parseWKTCRS(text string) (crs, *Refusal) {
	p := &wktParser{text: strings.TrimPrefix(text, "\ufeff")}
	var root *wktNode
	if len(text) <= maxCRSBytes {
		root = p.node(0)
	}
	if root == nil {
		return crs{}, refuse(422, "bad_crs", "the text %s does not describe a coordinate reference system; name it with crs", show(text))
	}
	if refusal := root.checkUnits(); refusal != nil {
		return crs{}, refusal
	}
	projected, within := root.find("PROJCS", "PROJCRS", "PROJECTEDCRS"), root
	if projected != nil {
		within = projected
	}
	base := within.find("GEOGCS", "GEOGCRS", "GEODCRS", "GEOGRAPHICCRS", "GEODETICCRS", "BASEGEOGCRS", "BASEGEODCRS")
	if base == nil {
		return crs{}, unknownCRS("the system %s has no longitude and latitude", show(root.value(0)))
	}
	d, refusal := base.datum()
	if refusal != nil {
		return crs{}, refusal
	}
	const degree = math.Pi / 180
	angle := base.unit(degree, "UNIT", "ANGLEUNIT")
	c := crs{datum: d, unit: angle / degree}
	if math.Abs(c.unit-1) < 1e-9 { // the text rounds it
		c.unit, angle = 1, degree
	}
	if projected == nil {
		return c, nil
	}
	c.unit = projected.unit(1, "UNIT", "LENGTHUNIT")
	c.projection, refusal = projected.projection(d, c.unit, angle)
	return c, refusal
}

// datum returns the datum of a geographic system, with the ellipsoid that the
// text gives it.
func (n *wktNode) datum() (datum, *Refusal) {
	node := n.find("DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE")
	ellipsoid := n.find("SPHEROID", "ELLIPSOID")
	d, known := datumNamed(node.value(0))
	if meridian := n.find("PRIMEM", "PRIMEMERIDIAN"); meridian != nil && meridian.number(1) != 0 {
		return d, unknownCRS("the system %s counts longitudes from %s", show(n.value(0)), show(meridian.value(0)))
	}
	if node != nil && !known {
		d, known = node.toWGS84(ellipsoid)
	}
	if !known {
		return d, unknownCRS("the datum %s is not known here", show(node.value(0)))
	}
	if ellipsoid == nil {
		return d, nil
	}
	radiusM, inverse := ellipsoid.number(1)*ellipsoid.unit(1, "LENGTHUNIT", "UNIT"), ellipsoid.number(2)
	if !(math.Abs(radiusM-d.ellipsoid.RadiusM) < 20 && math.Abs(inverse*d.ellipsoid.Flattening-1) < 1e-3) {
		return d, unknownCRS("the datum %s stands with the ellipsoid %s, which is not its own", show(node.value(0)), show(ellipsoid.value(0)))
	}
	d.ellipsoid = geo.Ellipsoid{RadiusM: radiusM, Flattening: 1 / inverse}
	return d, nil
}

// toWGS84 makes a datum of a text that brings its own way to WGS 84, of which
// nobody knows how good it is.
func (n *wktNode) toWGS84(ellipsoid *wktNode) (datum, bool) {
	way := n.child("TOWGS84")
	if way == nil || len(way.values) != 3 && len(way.values) != 7 || ellipsoid == nil {
		return datum{}, false
	}
	var v [7]float64
	for i := range way.values {
		v[i] = way.number(i)
		if !(math.Abs(v[i]) < 5000) {
			return datum{}, false
		}
	}
	e := geo.Ellipsoid{RadiusM: ellipsoid.number(1), Flattening: 1 / ellipsoid.number(2)}
	if !(e.RadiusM > 6.3e6 && e.RadiusM < 6.4e6 && e.Flattening > 0 && e.Flattening < 0.01) {
		return datum{}, false
	}
	return datum{name: show(n.value(0)), ellipsoid: e, operation: "9606 with the file's own parameters", accuracyM: 25,
		shift: geo.Helmert{XM: v[0], YM: v[1], ZM: v[2], XArcSec: v[3], YArcSec: v[4], ZArcSec: v[5], ScalePPM: v[6]}}, true
}

// projectionParameters are those of a text, in metres and degrees.
type projectionParameters struct {
	lat, lon, scale, azimuth, gridAngle, easting, northing float64
}

// parameters reads the parameters of a projection; unit is that of lengths in
// metres, angle that of angles in radians, where they have none of their own.
func (n *wktNode) parameters(unit, angle float64) (p projectionParameters, refusal *Refusal) {
	p.scale, p.gridAngle = 1, math.NaN()
	const degree = math.Pi / 180
	for _, c := range n.nodes {
		if c.keyword != "PARAMETER" {
			continue
		}
		degrees := c.unit(angle, "ANGLEUNIT", "UNIT") / degree
		if math.Abs(degrees-1) < 1e-9 {
			degrees = 1
		}
		metres := c.unit(unit, "LENGTHUNIT", "UNIT")
		v, name := c.number(1), plain(c.value(0))
		switch {
		case math.IsNaN(v):
			return p, refuse(422, "bad_crs", "the parameter %s of the coordinate reference system is not a number", show(c.value(0)))
		case strings.HasPrefix(name, "latitude"):
			p.lat = v * degrees
		case strings.HasPrefix(name, "longitude") || name == "centralmeridian":
			p.lon = v * degrees
		case strings.HasPrefix(name, "scale"):
			p.scale = v
		case strings.HasPrefix(name, "azimuth"):
			p.azimuth = v * degrees
		case strings.Contains(name, "rectified") || strings.Contains(name, "rotation"):
			p.gridAngle = v * degrees
		case strings.Contains(name, "easting"):
			p.easting = v * metres
		case strings.Contains(name, "northing"):
			p.northing = v * metres
		case v != 0: // such as a standard parallel
			return p, unknownCRS("the projection's parameter %s is not known here", show(c.value(0)))
		}
	}
	if math.IsNaN(p.gridAngle) {
		p.gridAngle = p.azimuth
	}
	return p, nil
}

// projection returns the map projection of a projected system.
func (n *wktNode) projection(d datum, unit, angle float64) (geo.Projection, *Refusal) {
	conversion := n
	method := n.child("PROJECTION")
	if c := n.child("CONVERSION", "DERIVINGCONVERSION"); c != nil {
		conversion, method = c, c.child("METHOD", "PROJECTION")
	}
	name := plain(method.value(0))
	proj4 := n.child("EXTENSION").value(1)
	sphere := strings.Contains(proj4, "+a=6378137 +b=6378137") || strings.HasSuffix(name, "pseudomercator") || name == "mercatorauxiliarysphere"
	if axis := n.child("AXIS"); axis != nil && (strings.EqualFold(axis.value(1), "south") || strings.EqualFold(axis.value(1), "west")) {
		return nil, unknownCRS("the axes of %s run south or west", show(n.value(0)))
	}
	p, refusal := conversion.parameters(unit, angle)
	if refusal != nil {
		return nil, refusal
	}
	oblique := geo.ObliqueMercatorParameters{LatDeg: p.lat, LonDeg: p.lon, AzimuthDeg: p.azimuth, GridAngleDeg: p.gridAngle,
		Scale: p.scale, EastingM: p.easting, NorthingM: p.northing}
	switch name {
	case "transversemercator", "gausskruger":
		return geo.NewTransverseMercator(d.ellipsoid, geo.TransverseMercatorParameters{LatDeg: p.lat, LonDeg: p.lon, Scale: p.scale,
			EastingM: p.easting, NorthingM: p.northing}), nil
	case "hotineobliquemercatorazimuthcenter", "hotineobliquemercatorvariantb", "obliquemercator", "rectifiedskeworthomorphiccenter":
		oblique.AtCentre = true
		fallthrough
	case "hotineobliquemercator", "hotineobliquemercatorvarianta", "hotineobliquemercatorazimuthnaturalorigin", "rectifiedskeworthomorphicnaturalorigin":
		if !(math.Abs(p.lat) > 0.01 && math.Abs(p.lat) < 89) {
			return nil, unknownCRS("the centre of the projection of %s is too near the equator or a pole", show(n.value(0)))
		}
		return geo.NewObliqueMercator(d.ellipsoid, oblique), nil
	}
	if sphere && d.name == "WGS 84" && p.lon == 0 && p.easting == 0 && p.northing == 0 {
		return geo.WebMercator{}, nil
	}
	return nil, unknownCRS("the projection %s of %s is not known here", show(method.value(0)), show(n.value(0)))
}
