package data

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// kmlReader reads KML 2.0 to 2.3 with Google's tracks: every placemark is a
// row, of whatever folder. Nothing that a link names is fetched.
type kmlReader struct {
	*xmlReader
	im      *importer
	feature int
	fixes   fixList
	types   map[string]string // of the fields of all schemas
	folders []string
	shape   shape
	unread  map[string]int // elements that are passed over, by name
	whens   [][]byte
	mode    string  // how the geometry at hand means its heights
	heights heights // of the parts read; it may end early
	within  int     // positions of the parts read
}

// readKML reads a KML file, a placemark a row.
func (im *importer) readKML(w window) error {
	k := &kmlReader{xmlReader: newXMLReader(w, im.limits), im: im, types: map[string]string{}, unread: map[string]int{}}
	root, ok := k.root()
	if ok && !strings.EqualFold(root.Name.Local, "kml") {
		k.fail(422, "not_kml", "the first element is %s, not kml", show(root.Name.Local))
	}
	k.container()
	k.end()
	if k.failed != nil {
		return k.failed
	}
	for _, name := range sortedKeys(k.unread) {
		if name == "NetworkLink" {
			im.report.warn("network_link", "", "the file links to others, which are never fetched; save them into one file")
		} else {
			im.report.warn("not_read", name, "elements %s are not places with properties and were left out", name)
		}
		im.report.Warnings[len(im.report.Warnings)-1].Count = k.unread[name]
	}
	return im.ctx.Err()
}

// container reads what a document or folder holds.
func (k *kmlReader) container() {
	for {
		e, ok := k.child()
		if !ok {
			return
		}
		switch e.Name.Local {
		case "Document", "Folder":
			depth := len(k.folders)
			if e.Name.Local == "Folder" {
				k.folders = append(k.folders, "")
			}
			k.container()
			k.folders = k.folders[:depth]
		case "name":
			if n := len(k.folders); n > 0 {
				k.folders[n-1] = string(k.value())
			} else {
				k.skip()
			}
		case "Placemark":
			k.placemark(e)
		case "Schema":
			k.schema()
		case "NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay", "Tour":
			k.unread[e.Name.Local]++
			k.skip()
		default:
			k.skip()
		}
	}
}

// schema notes the types of the fields that a schema names.
func (k *kmlReader) schema() {
	for {
		e, ok := k.child()
		if !ok {
			return
		}
		if name := attribute(e, "name"); e.Name.Local == "SimpleField" && len(k.types) < maxColumnNames {
			k.types[name] = attribute(e, "type")
			if attribute(e, "read") == "number" {
				k.types[name] = "number"
			}
		}
		k.skip()
	}
}

func (k *kmlReader) placemark(e xml.StartElement) {
	k.feature++
	r := &k.im.row
	r.begin(k.feature)
	k.fixes.begin(k.im, k.feature)
	k.im.identify(r, trimmed(attribute(e, "id")))
	if n := len(k.folders); n > 0 {
		k.im.textCell(r, "folder_name", []byte(strings.Join(k.folders, "/")))
	}
	for {
		e, ok := k.child()
		if !ok {
			break
		}
		k.property(r, e)
		if len(r.cells) > k.limits.Properties {
			k.fail(413, "too_many_properties", "a placemark has more than %d properties", k.limits.Properties)
		}
	}
	if k.failed != nil {
		return
	}
	if k.fixes.n > 0 {
		k.fixes.finish(r)
	}
	if err := k.im.take(); err != nil {
		k.failed = err
	}
}

// property reads one element of a placemark.
func (k *kmlReader) property(r *rowState, e xml.StartElement) {
	switch name := e.Name.Local; name {
	case "name", "description", "address", "phoneNumber", "Snippet", "snippet":
		k.im.textCell(r, strings.ToLower(name), k.value())
	case "TimeStamp":
		r.from = k.times("when")["when"]
	case "TimeSpan":
		t := k.times("begin", "end")
		r.from, r.to = t["begin"], t["end"]
	case "ExtendedData":
		k.extendedData(r)
	case "Track", "MultiTrack":
		k.track(e)
	case "Point", "LineString", "LinearRing", "Polygon", "MultiGeometry":
		k.setGeometry(r, e)
	case "Model":
		r.refuseRow("geometry", "bad_geometry", "is a model, which has no place that can be read")
		k.skip()
	default: // styles and views
		k.skip()
	}
}

// times reads the named instants of a time element.
func (k *kmlReader) times(names ...string) map[string][]byte {
	found := map[string][]byte{}
	for {
		e, ok := k.child()
		if !ok {
			return found
		}
		if !slices.Contains(names, e.Name.Local) {
			k.skip()
			continue
		}
		text := k.value()
		if len(text) == 4 && isNumber(text) {
			k.im.report.warn("year_only", "", "times that are only a year are left out, first in placemark %d", k.feature)
		} else if len(text) > 0 {
			found[e.Name.Local] = text
		}
	}
}

// extendedData reads properties, typed by a schema or not.
func (k *kmlReader) extendedData(r *rowState) {
	for {
		e, ok := k.child()
		if !ok {
			return
		}
		switch e.Name.Local {
		case "Data":
			name := attribute(e, "name")
			for {
				e, ok := k.child()
				if !ok {
					break
				}
				if e.Name.Local == "value" {
					k.im.textCell(r, name, k.value())
				} else {
					k.skip()
				}
			}
		case "SchemaData":
			own := attribute(e, "schemaUrl") == "#"+kmlSchema
			for {
				e, ok := k.child()
				if !ok {
					break
				}
				if e.Name.Local != "SimpleData" {
					k.skip()
					continue
				}
				name := attribute(e, "name")
				if text := k.value(); own && name == "id" {
					k.im.identify(r, text)
				} else {
					k.im.typedCell(r, name, k.types[name], text)
				}
			}
		default:
			k.skip()
		}
	}
}

// track reads a gx:Track: instants, and positions in the same order.
func (k *kmlReader) track(e xml.StartElement) {
	if e.Name.Local == "MultiTrack" {
		for {
			e, ok := k.child()
			if !ok {
				return
			}
			if e.Name.Local == "Track" {
				k.track(e)
			} else {
				k.skip()
			}
		}
	}
	k.fixes.segment()
	k.whens = k.whens[:0]
	k.mode = ""
	n := 0
	var coords []fix
	for {
		e, ok := k.child()
		if !ok {
			break
		}
		switch e.Name.Local {
		case "when":
			k.whens = append(k.whens, k.value())
		case "coord":
			line := k.line()
			f := bytes.Fields(k.value())
			if n++; len(f) < 2 {
				coords = append(coords, fix{line: line, name: "coord"})
				continue
			}
			coords = append(coords, fix{line: line, name: "coord", lon: f[0], lat: f[1]})
			if len(f) > 2 {
				coords[len(coords)-1].height = f[2]
			}
		case "altitudeMode":
			k.mode = string(k.value())
		default:
			k.skip()
		}
		if len(k.whens) > k.limits.Vertices || n > k.limits.Vertices {
			k.fail(413, "too_many_vertices", "a track has more than %d points", k.limits.Vertices)
			return
		}
	}
	if len(k.whens) > 0 && len(k.whens) != len(coords) {
		k.im.row.refuseRow("when", "times_mismatch", "has "+itoa(len(k.whens))+" times for "+itoa(len(coords))+" positions")
		return
	}
	kept := k.keepHeights(slices.ContainsFunc(coords, func(f fix) bool { return len(f.height) > 0 && !isZero(f.height) }))
	for i, f := range coords {
		if !kept {
			f.height = nil
		}
		if f.lon == nil { // the device knew the time but not the place
			continue
		}
		if i < len(k.whens) {
			f.time = k.whens[i]
		}
		k.fixes.add(f)
	}
}

func isZero(text []byte) bool {
	v, n, ok := scanNumber(text)
	return ok && n == len(text) && v == 0
}

// setGeometry reads the geometry of a placemark.
func (k *kmlReader) setGeometry(r *rowState, e xml.StartElement) {
	if r.geometry != nil {
		r.refuseRow("geometry", "bad_geometry", "has more than one geometry outside a MultiGeometry")
		k.skip()
		return
	}
	k.heights, k.within = nil, 0
	parts := k.geometry(r, e, nil)
	if k.failed != nil || r.fault != nil {
		return
	}
	r.geometry = joined(parts)
	if len(k.heights) == 0 {
		return
	}
	if _, point := r.geometry.(orb.Point); point {
		k.im.numberCell(r, "ele", appendNumber(nil, k.heights[0]))
	} else {
		r.heights = padHeights(k.heights, k.within)
	}
}

// keepHeights tells whether the heights of the geometry at hand are above the
// sea. Where the mode does not say so, zeros are mere filling.
func (k *kmlReader) keepHeights(some bool) bool {
	relative := strings.HasPrefix(k.mode, "relative")
	if relative && some {
		k.im.counts.heights++
	}
	return !relative && (some || k.mode == "absolute")
}

// geometry reads one geometry, or those of a MultiGeometry, behind parts.
func (k *kmlReader) geometry(r *rowState, e xml.StartElement, parts []orb.Geometry) []orb.Geometry {
	s := &k.shape
	s.reset()
	k.mode = ""
	switch e.Name.Local {
	case "MultiGeometry":
		for {
			e, ok := k.child()
			if !ok {
				return parts
			}
			switch e.Name.Local {
			case "Point", "LineString", "LinearRing", "Polygon", "MultiGeometry":
				parts = k.geometry(r, e, parts)
			case "Track", "MultiTrack":
				k.track(e)
			default:
				k.skip()
			}
		}
	case "Point":
		s.kind = "Point"
		k.coordinates(s)
		if s.rank = min(len(s.points), 1); len(s.points) > 1 {
			s.rank = s.close(1)
		}
	case "Polygon":
		s.kind, s.rank = "Polygon", k.rings(s)
	default: // a ring by itself is a closed line
		s.kind = "LineString"
		k.coordinates(s)
		s.rank = s.close(min(len(s.points), 1))
	}
	if k.failed != nil {
		return parts
	}
	g, f := s.geometry(k.im.toWGS84, k.limits.Vertices)
	if f != nil {
		if f.code == "too_many_vertices" {
			k.fail(413, f.code, "%s", f.message)
		}
		r.refuseRow("geometry", f.code, f.message)
		return parts
	}
	if k.keepHeights(slices.ContainsFunc(s.heights, func(z float64) bool { return z == z && z != 0 })) {
		k.heights = appendHeights(k.heights, k.within, padHeights(s.heights, len(s.points)))
	}
	k.within += len(s.points)
	return append(parts, g)
}

// rings reads the rings of a polygon, the outer one first.
func (k *kmlReader) rings(s *shape) int {
	var holes shape
	for {
		e, ok := k.child()
		if !ok {
			break
		}
		into := s
		switch e.Name.Local {
		case "outerBoundaryIs":
			if len(s.ends[0]) > 0 {
				s.spoil("bad_geometry", "has more than one outer ring")
			}
		case "innerBoundaryIs":
			into = &holes
		case "altitudeMode":
			k.mode = string(k.value())
			continue
		default:
			k.skip()
			continue
		}
		for {
			e, ok := k.child()
			if !ok {
				break
			}
			if e.Name.Local != "LinearRing" {
				k.skip()
				continue
			}
			before := len(into.points)
			k.coordinates(into)
			into.close(min(len(into.points)-before, 1))
		}
	}
	if s.fault == nil {
		s.fault = holes.fault
	}
	s.empty = s.empty || holes.empty
	outer := len(s.points)
	if outer == 0 {
		return 0
	}
	s.heights = appendHeights(s.heights, outer, holes.heights)
	s.points = append(s.points, holes.points...)
	for _, end := range holes.ends[0] {
		s.ends[0] = append(s.ends[0], outer+end)
	}
	return s.close(2)
}

// coordinates reads the positions of the geometry at hand.
func (k *kmlReader) coordinates(s *shape) {
	for {
		e, ok := k.child()
		if !ok {
			return
		}
		switch e.Name.Local {
		case "coordinates":
		case "altitudeMode":
			k.mode = string(k.value())
			continue
		default:
			k.skip()
			continue
		}
		text := k.text(xmlTokenBytes)
		if !readTuples(s, text, k.limits.Vertices) {
			k.fail(413, "too_many_vertices", "a geometry has more than %d vertices", k.limits.Vertices)
		}
	}
}

// readTuples reads lon,lat[,height] between white space; false when there are
// more positions than may be. White space after a comma goes on with the tuple.
func readTuples(s *shape, text []byte, most int) bool {
	const space = " \t\r\n"
	for text = bytes.TrimLeft(text, space); len(text) > 0; text = bytes.TrimLeft(text, space) {
		v := [3]float64{2: nan}
		n := 0
		for {
			x, used, ok := scanNumber(text)
			if !ok || n == 3 {
				s.spoil("bad_coordinate", "the coordinates hold %s, which is not longitude,latitude or longitude,latitude,height", show(text[:min(len(text), 40)]))
				return true
			}
			v[n] = x
			n++
			text = bytes.TrimLeft(text[used:], space)
			if used == 0 || len(text) == 0 || text[0] != ',' {
				break
			}
			text = bytes.TrimLeft(text[1:], space)
		}
		if n < 2 {
			s.spoil("bad_coordinate", "a position has one number only; longitude,latitude is wanted")
			return true
		}
		if len(s.points) >= most {
			return false
		}
		s.position(v[0], v[1], v[2], nan)
	}
	return true
}

// joined makes one geometry of the parts of a MultiGeometry.
func joined(parts []orb.Geometry) orb.Geometry {
	if len(parts) == 0 {
		return nil
	}
	if len(parts) == 1 {
		return parts[0]
	}
	var points orb.MultiPoint
	var lines orb.MultiLineString
	var polygons orb.MultiPolygon
	for _, part := range parts {
		switch g := part.(type) {
		case orb.Point:
			points = append(points, g)
		case orb.LineString:
			lines = append(lines, g)
		case orb.Polygon:
			polygons = append(polygons, g)
		}
	}
	switch len(parts) {
	case len(points):
		return points
	case len(lines):
		return lines
	case len(polygons):
		return polygons
	}
	return orb.Collection(parts)
}
