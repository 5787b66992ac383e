package data

import (
	"errors"
	"io"
	"math"
)

// geoJSON reads GeoJSON (RFC 7946) as a stream, one feature at a time.
type geoJSON struct {
	jsonReader
	im      *importer
	shape   shape
	arena   []byte    // the texts of the feature at hand
	likely  []*column // the columns of the last feature, in its order
	feature int
}

// readGeoJSON reads a file of one document, or of one feature a line.
func (im *importer) readGeoJSON(w window, format string) error {
	g := &geoJSON{jsonReader: jsonReader{window: w, limits: im.limits}, im: im}
	g.where = func() string {
		if g.feature == 0 {
			return ""
		}
		return "feature " + itoa(g.feature)
	}
	if w.err != nil && g.lateCRS() != nil { // the whole file is in the window
		return g.failed
	}
	if names := g.flatNames(); names != nil {
		g.flatRows(names)
	} else if format == FormatGeoJSONSeq {
		g.sequence()
	} else {
		g.document()
	}
	im.counts.mended += g.mended
	if g.failed != nil {
		return g.failed
	}
	return im.ctx.Err()
}

// document reads the one value of a file.
func (g *geoJSON) document() {
	switch c := g.peek(); c {
	case '{':
	case '[':
		g.fail(422, "not_geojson", "the file is a JSON array; wrap the features in {\"type\":\"FeatureCollection\",\"features\":[…]}")
		return
	default:
		g.unexpected("a GeoJSON object")
		return
	}
	kind := g.object(true)
	if c := g.peek(); c == 0 && g.pos == g.end {
		g.endOfText()
		return
	} else if c == '{' && kind == "Feature" && !g.im.declared {
		g.im.report.Format = FormatGeoJSONSeq
		g.sequence()
		return
	}
	g.fail(400, "trailing_data", "something follows the end of the document; one feature a line is declared as format=geojsonseq or with the Content-Type application/geo+json-seq")
}

// endOfText keeps a reading error from passing for the end of the text.
func (g *geoJSON) endOfText() {
	if g.failed == nil && !errors.Is(g.err, io.EOF) {
		g.failed = g.err
	}
}

// sequence reads one feature or geometry after another, each on its own line
// or after a record separator (RFC 8142).
func (g *geoJSON) sequence() {
	for g.failed == nil {
		c := g.peek()
		switch {
		case c == 0x1e:
			g.pos++
		case c == '{':
			g.object(true)
		case c == 0 && g.pos == g.end:
			g.endOfText()
			return
		default:
			g.unexpected("a GeoJSON feature")
		}
	}
}

// member is a name that GeoJSON gives a meaning to.
type member uint16

const (
	memberType member = 1 << iota
	memberFeatures
	memberGeometry
	memberProperties
	memberID
	memberCRS
	memberCoordinates
	memberGeometries
)

func memberOf(key []byte) member {
	switch string(key) {
	case "type":
		return memberType
	case "features":
		return memberFeatures
	case "geometry":
		return memberGeometry
	case "properties":
		return memberProperties
	case "id":
		return memberID
	case "crs":
		return memberCRS
	case "coordinates":
		return memberCoordinates
	case "geometries":
		return memberGeometries
	}
	return 0
}

// object reads a feature; at the top of a document also a collection or a bare
// geometry. It returns the type.
func (g *geoJSON) object(top bool) string {
	g.enter()
	g.begin()
	kind := ""
	var seen member
	for first := true; g.next(first, '}'); first = false {
		m := memberOf(g.key())
		if seen&m != 0 {
			g.fail(422, "duplicate_member", "the member stands twice in one object")
			return ""
		}
		switch seen |= m; {
		case m == memberType:
			kind = g.word()
		case m == memberFeatures && top:
			g.features()
		case m == memberGeometry:
			g.geometryMember()
		case m == memberProperties:
			g.properties()
		case m == memberID:
			g.idMember()
		case m == memberCRS && top:
			g.crsMember()
		case (m == memberCoordinates || m == memberGeometries) && top:
			g.geometryPart(&g.shape, m)
		default:
			g.skip()
		}
	}
	if g.failed != nil {
		return ""
	}
	g.finishObject(kind, seen, top)
	return kind
}

// finishObject hands a feature on, now that its type is known.
func (g *geoJSON) finishObject(kind string, seen member, top bool) {
	r := &g.im.row
	_, isGeometry := rankOf[kind]
	isGeometry = isGeometry || kind == "GeometryCollection"
	switch {
	case top && (kind == "FeatureCollection") != (seen&memberFeatures != 0):
		g.fail(422, "not_geojson", "the type %s does not go with its members; a FeatureCollection has features", show(kind))
		return
	case kind == "FeatureCollection" && top:
		return
	case kind == "Feature":
		if seen&memberGeometry == 0 {
			r.refuseRow("geometry", "no_geometry", "has no geometry")
		}
	case top && isGeometry:
		g.shape.kind = kind
		g.setGeometry(&g.shape)
	case top:
		g.fail(422, "not_geojson", "the type is %s; a FeatureCollection, a Feature or a geometry is read, or one object a line with lon and lat (or map=lon:NAME,lat:NAME)", show(kind))
		return
	default:
		r.refuseRow("type", "not_a_feature", "the type is "+show(kind)+", not Feature")
	}
	g.take()
}

// begin readies the row for the next feature.
func (g *geoJSON) begin() {
	g.im.row.begin(g.feature + 1)
	g.shape.reset()
	g.arena = g.arena[:0]
}

func (g *geoJSON) take() {
	g.feature++
	if err := g.im.take(); err != nil && g.failed == nil {
		g.failed = err
	}
}

// features reads the list of a collection.
func (g *geoJSON) features() {
	if g.peek() != '[' {
		g.unexpected("the list of features")
		return
	}
	g.enter()
	for first := true; g.failed == nil && g.next(first, ']'); first = false {
		if g.peek() == '{' {
			g.object(false)
			continue
		}
		g.begin()
		g.skip()
		if g.failed == nil {
			g.im.row.refuseRow("type", "not_a_feature", "is not an object")
			g.take()
		}
	}
}

// word reads a short text, such as a type.
func (g *geoJSON) word() string {
	if g.peek() != '"' {
		g.skip()
		return ""
	}
	g.keyBuf = g.text(g.keyBuf[:0], g.limits.ValueBytes)
	switch string(g.keyBuf) {
	case "Feature":
		return "Feature"
	case "Point":
		return "Point"
	}
	return string(g.keyBuf)
}

func (g *geoJSON) idMember() {
	r := &g.im.row
	switch g.peek() {
	case '"':
		g.keyBuf = g.text(g.keyBuf[:0], g.limits.ValueBytes)
		r.id = string(g.keyBuf)
	case '{', '[', 't', 'f', 'n':
		g.skip()
	default:
		g.number()
		r.id = string(g.lit)
	}
	id := r.id
	r.id = ""
	g.im.identify(r, []byte(id))
}

func (g *geoJSON) geometryMember() {
	if g.peek() != '{' {
		null := g.peek() == 'n'
		g.skip()
		if null {
			g.im.row.unplaced = []byte("has no place on the map")
		} else {
			g.im.row.refuseRow("geometry", "no_geometry", "is not a geometry")
		}
		return
	}
	g.readShape(&g.shape)
	if g.failed == nil {
		g.setGeometry(&g.shape)
	}
}

// setGeometry makes the row's geometry of what was read.
func (g *geoJSON) setGeometry(s *shape) {
	r := &g.im.row
	geometry, f := s.geometry(g.im.toWGS84, g.limits.Vertices)
	if f != nil {
		if f.code == "too_many_vertices" {
			g.fail(413, f.code, "%s", f.message)
		}
		r.refuseRow("geometry", f.code, f.message)
		return
	}
	r.geometry = geometry
	g.im.ordinates(s)
}

// readShape reads a geometry object into s.
func (g *geoJSON) readShape(s *shape) {
	g.enter()
	var seen member
	for first := true; g.next(first, '}'); first = false {
		m := memberOf(g.key())
		if m&(memberType|memberCoordinates|memberGeometries) == 0 {
			g.skip()
			continue
		}
		if seen&m != 0 {
			g.fail(422, "duplicate_member", "the member stands twice in one geometry")
			return
		}
		if seen |= m; m == memberType {
			s.kind = g.word()
		} else {
			g.geometryPart(s, m)
		}
	}
}

// geometryPart reads the coordinates, or the parts of a geometry collection.
func (g *geoJSON) geometryPart(s *shape, m member) {
	if m == memberCoordinates {
		s.rank = g.coordinates(s)
		return
	}
	if g.peek() != '[' {
		s.spoil("bad_geometry", "the geometries are not a list")
		g.skip()
		return
	}
	g.enter()
	for first := true; g.next(first, ']'); first = false {
		if g.peek() != '{' {
			s.spoil("bad_geometry", "a geometry of the collection is not an object")
			g.skip()
			continue
		}
		var part shape
		g.readShape(&part)
		if g.failed != nil {
			return
		}
		g.im.addPart(s, &part)
	}
}

// coordinates reads a position or nested lists of them and returns its rank.
func (g *geoJSON) coordinates(s *shape) int {
	if g.peek() != '[' {
		s.spoil("bad_geometry", "the coordinates are not a list")
		g.skip()
		return 0
	}
	g.enter()
	if c := g.peek(); c != '[' && c != ']' {
		g.position(s)
		return 1
	}
	rank, n := 0, 0
	for first := true; g.next(first, ']'); first = false {
		r := g.coordinates(s)
		if n++; n > 1 && r != rank && r != 0 && rank != 0 {
			s.mixed = true
		}
		rank = max(rank, r)
		if len(s.points) > g.limits.Vertices {
			g.fail(413, "too_many_vertices", "a geometry has more than %d vertices", g.limits.Vertices)
		}
	}
	return s.close(rank)
}

// position reads the numbers of a position behind its bracket.
func (g *geoJSON) position(s *shape) {
	v := [4]float64{0, 0, math.NaN(), math.NaN()}
	n := 0
	for first := true; g.next(first, ']'); first = false {
		if c := g.peek(); c != '-' && c-'0' >= 10 {
			if c == 0 {
				g.unexpected("a coordinate")
				return
			}
			from := c
			g.skip()
			s.spoil("bad_coordinate", "a coordinate is not a number (it begins with %s)", show(string(rune(from))))
		} else if x := g.number(); n < len(v) {
			v[n] = x
		}
		n++
	}
	if n < 2 {
		s.spoil("bad_coordinate", "a position needs a longitude and a latitude")
	}
	s.position(v[0], v[1], v[2], v[3])
}

// crsMember reads the name that files from before RFC 7946 may give.
func (g *geoJSON) crsMember() {
	name := g.crsName()
	if g.failed != nil || name == "" {
		return
	}
	c, refusal := parseCRS(name)
	to := c.transform()
	switch {
	case refusal != nil:
		g.failed = refusal
	case g.im.opts.CRS != "" || to == nil || g.im.toWGS84 != nil:
	case g.feature > 0:
		g.fail(422, "late_crs", "the crs member stands behind the features; put it before them, or name it with crs=%s", name)
	default:
		g.im.crs, g.im.toWGS84 = c, to
		g.im.noteCRS(c)
		g.im.report.warn("crs_converted", "", "the file's old crs member says %s; the coordinates were converted to longitude and latitude", show(name))
	}
}

// crsName reads {"type":"name","properties":{"name":"…"}}.
func (g *geoJSON) crsName() string {
	name := ""
	if g.peek() != '{' {
		g.skip()
		return ""
	}
	g.enter()
	for first := true; g.next(first, '}'); first = false {
		if string(g.key()) != "properties" || g.peek() != '{' {
			g.skip()
			continue
		}
		g.enter()
		for first := true; g.next(first, '}'); first = false {
			if k := string(g.key()); k == "name" || k == "href" {
				name = g.word()
			} else {
				g.skip()
			}
		}
	}
	return name
}

// lateCRS looks through a file that is wholly in the window for a crs member
// behind the features, where a single pass would find it too late.
func (g *geoJSON) lateCRS() error {
	if g.peek() != '{' {
		return nil
	}
	ahead := &geoJSON{jsonReader: jsonReader{window: g.window, limits: g.limits}, im: g.im}
	ahead.enter()
	for first := true; ahead.next(first, '}'); first = false {
		if memberOf(ahead.key()) != memberCRS {
			ahead.skip()
			continue
		}
		ahead.crsMember()
		if r, ok := ahead.failed.(*Refusal); ok && r.Code == "unknown_crs" {
			g.failed = r
			return r
		}
	}
	return nil
}
