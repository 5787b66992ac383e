package data

import (
	"encoding/xml"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/twpayne/go-kml/v3"

	"github.com/sempadan/sempadan/geo"
)

// kmlWriter writes a layer as KML 2.2, a placemark a row: properties typed by
// a schema, times as TimeStamp or TimeSpan, tracks with their times as
// gx:Track.
type kmlWriter struct {
	enc     *xml.Encoder
	l       *geo.Layer
	columns []geo.Column
	heights bool // the layer has some
	fields  map[string]ExportField
	moved   string // the field of the property id, "" for none
}

func writeKML(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	k := &kmlWriter{enc: xml.NewEncoder(w), l: l, fields: map[string]ExportField{}, moved: movedID(l, rows)}
	for _, f := range NewExportTable(l, rows).Fields {
		k.fields[f.Name] = f
	}
	root := xml.StartElement{Name: xml.Name{Local: "kml"}, Attr: []xml.Attr{
		{Name: xml.Name{Local: "xmlns"}, Value: "http://www.opengis.net/kml/2.2"},
		{Name: xml.Name{Local: "xmlns:gx"}, Value: "http://www.google.com/kml/ext/2.2"},
		{Name: xml.Name{Local: "xmlns:s"}, Value: ownSpace},
	}}
	document := xml.StartElement{Name: xml.Name{Local: "Document"}}
	title := l.Info.Title
	if title == "" {
		title = l.Info.ID
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	steps := []func() error{
		func() error { return k.enc.EncodeToken(root) },
		func() error { return k.enc.EncodeToken(document) },
		func() error { return k.enc.Encode(kml.Name(validText(title))) },
		func() error {
			if l.Info.Mark.ID == "" {
				return nil
			}
			return k.enc.Encode(kml.Description(l.Info.Mark.Text))
		},
		func() error { return k.enc.Encode(k.schema()) },
		func() error {
			for row := range rows {
				if err := k.enc.Encode(k.placemark(row)); err != nil {
					return err
				}
			}
			return nil
		},
		func() error { return k.enc.EncodeToken(document.End()) },
		func() error { return k.enc.EncodeToken(root.End()) },
		k.enc.Close,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

const kmlSchema = "sempadan"

// schema declares the properties that are not elements of their own.
func (k *kmlWriter) schema() kml.Element {
	columns := k.l.Columns()
	slices.SortFunc(columns, func(a, b geo.Column) int { return strings.Compare(a.Name, b.Name) })
	s := kml.NamedSchema(kmlSchema, kmlSchema)
	hasID := false
	for _, c := range columns {
		if c.Name == "name" || c.Name == "description" {
			continue
		}
		if c.Name == "id" && k.moved != "" {
			c.Name = k.moved
		}
		hasID = hasID || c.Name == "id"
		k.heights = k.heights || c.Name == geo.HeightsField
		k.columns = append(k.columns, c)
		s.Append(k.field(c))
	}
	if !hasID {
		s.Append(kml.SimpleField("id", "string"))
	}
	return s
}

// field declares a property. Numbers that a double cannot hold are text to
// other programs.
func (k *kmlWriter) field(c geo.Column) kml.Element {
	switch f := k.fields[c.Name]; {
	case c.Type == "boolean":
		return kml.SimpleField(c.Name, "bool")
	case c.Type != "number":
		return kml.SimpleField(c.Name, "string")
	case f.Kind == ExportText && f.MaxBytes > 0, f.Kind == ExportInteger && (f.Lo < -1<<53 || f.Hi > 1<<53):
		return kmlNumberText{c.Name}
	case f.Kind == ExportInteger && f.Lo >= math.MinInt32 && f.Hi <= math.MaxInt32:
		return kml.SimpleField(c.Name, "int")
	}
	return kml.SimpleField(c.Name, "double")
}

// kmlNumberText declares a property as text that this program reads as a number.
type kmlNumberText struct{ name string }

func (t kmlNumberText) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return enc.EncodeElement("", xml.StartElement{Name: xml.Name{Local: "SimpleField"}, Attr: []xml.Attr{
		{Name: xml.Name{Local: "name"}, Value: t.name},
		{Name: xml.Name{Local: "type"}, Value: "string"},
		{Name: xml.Name{Local: "s:read"}, Value: "number"},
	}})
}

func (k *kmlWriter) placemark(row int) kml.Element {
	p := kml.Placemark()
	literals := map[string]string{}
	k.l.Literals(row, func(name, literal string) {
		if name == "id" && k.moved != "" {
			name = k.moved
		}
		literals[name] = literal
	})
	if name := plainText(literals["name"]); name != "" {
		p.Append(kml.Name(name))
	}
	if text := plainText(literals["description"]); text != "" {
		p.Append(kml.Description(text))
	}
	z := k.height(row, literals)
	times := k.l.VertexTimesMS(row)
	if when := k.when(row); when != nil && times == nil {
		p.Append(when)
	}
	data := kml.SchemaData("#" + kmlSchema)
	if id := k.l.OwnID(row); id != "" && literals["id"] == "" {
		data.Append(kml.SimpleData("id", id))
	}
	for _, c := range k.columns {
		if literal := literals[c.Name]; literal != "" {
			text := plainText(literal)
			if c.Type == "boolean" { // GDAL takes "true" for 0
				text = map[string]string{"true": "1", "false": "0"}[literal]
			}
			data.Append(kml.SimpleData(c.Name, text))
		}
	}
	if len(data.Children) > 0 {
		p.Append(kml.ExtendedData(data))
	}
	if line, ok := k.l.Geometry(row).(orb.LineString); ok && times != nil {
		return p.Append(gxTrack(line, z, times))
	}
	if g := kmlGeometry(k.l.Geometry(row), &z); g != nil {
		p.Append(g)
	}
	return p
}

// height returns the heights of a row, of a point also its property ele, and
// takes what the geometry will say from the literals, except of a point, so that
// a reading can tell its heights from ele.
func (k *kmlWriter) height(row int, literals map[string]string) heights {
	var z heights
	if k.heights {
		z = heightsOf(k.l, row)
	}
	if _, point := k.l.Geometry(row).(orb.Point); point {
		if ele := k.l.Number(row, "ele"); ele == ele && ele != z.at(0) {
			return heights{ele}
		}
	} else if z != nil {
		delete(literals, geo.HeightsField)
	}
	return z
}

// plainText is the text of a literal, of whatever type.
func plainText(literal string) string {
	if literal != "" && literal[0] == '"' {
		return validText(textOfLiteral(literal))
	}
	return literal
}

// when is the time of a row; ends that are not known stay open.
func (k *kmlWriter) when(row int) kml.Element {
	from, to, ok := k.l.TimesMS(row)
	if !ok {
		return nil
	}
	if from == to {
		return kml.TimeStamp(kmlInstant{"when", from})
	}
	span := kml.TimeSpan()
	if from != geo.OpenStart().UnixMilli() {
		span.Append(kmlInstant{"begin", from})
	}
	if to != geo.OpenEnd().UnixMilli() {
		span.Append(kmlInstant{"end", to})
	}
	return span
}

// kmlInstant is a time to the millisecond; go-kml's own cut it to the second.
type kmlInstant struct {
	name string
	ms   int64
}

func (t kmlInstant) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return enc.EncodeElement(string(appendInstant(nil, t.ms)), xml.StartElement{Name: xml.Name{Local: t.name}})
}

// kmlText is an element with a text.
type kmlText struct{ name, text string }

func (t kmlText) MarshalXML(enc *xml.Encoder, _ xml.StartElement) error {
	return enc.EncodeElement(t.text, xml.StartElement{Name: xml.Name{Local: t.name}})
}

func gxTrack(line orb.LineString, z heights, times []int64) kml.Element {
	track := kml.GxTrack()
	track.Append(kmlMode(z)...)
	for _, ms := range times {
		track.Append(kmlInstant{"when", ms})
	}
	for i, p := range line {
		if z == nil {
			track.Append(kml.GxCoord(kml.Coordinate{Lon: degrees7(p[0]), Lat: degrees7(p[1])}))
		} else {
			track.Append(kmlText{"gx:coord", string(appendTuple(nil, p, z[i], ' '))})
		}
	}
	return track
}

// kmlMode says of heights that they are above the sea.
func kmlMode(z heights) []kml.Element {
	if z == nil {
		return nil
	}
	return []kml.Element{kml.AltitudeMode(kml.AltitudeModeAbsolute)}
}

// kmlGeometry makes a geometry with the heights at the front of z.
func kmlGeometry(g orb.Geometry, z *heights) kml.Element {
	mode := kmlMode(*z)
	switch g := g.(type) {
	case orb.Point:
		return kml.Point(append(mode, kmlPositions([]orb.Point{g}, z.take(1)))...)
	case orb.LineString:
		return kml.LineString(append(mode, kmlPositions(g, z.take(len(g))))...)
	case orb.Polygon:
		polygon := kml.Polygon(mode...)
		for i, ring := range g {
			ring, up := turned(ring, z.take(len(ring)), i == 0)
			r := kml.LinearRing(kmlPositions(ring, up))
			if i == 0 {
				polygon.Append(kml.OuterBoundaryIs(r))
			} else {
				polygon.Append(kml.InnerBoundaryIs(r))
			}
		}
		return polygon
	}
	if c, ok := g.(orb.Collection); ok && len(c) == 0 {
		return nil
	}
	many := kml.MultiGeometry()
	switch g := g.(type) {
	case orb.MultiPoint:
		for _, p := range g {
			many.Append(kmlGeometry(p, z))
		}
	case orb.MultiLineString:
		for _, line := range g {
			many.Append(kmlGeometry(line, z))
		}
	case orb.MultiPolygon:
		for _, p := range g {
			many.Append(kmlGeometry(p, z))
		}
	case orb.Collection:
		for _, part := range g {
			many.Append(kmlGeometry(part, z))
		}
	default:
		return nil
	}
	return many
}

// kmlPositions writes heights itself: go-kml leaves out those of zero.
func kmlPositions(points []orb.Point, z heights) kml.Element {
	if z == nil {
		out := make(kml.CoordinatesElement, len(points))
		for i, p := range points {
			out[i] = kml.Coordinate{Lon: degrees7(p[0]), Lat: degrees7(p[1])}
		}
		return out
	}
	var text []byte
	for i, p := range points {
		if i > 0 {
			text = append(text, ' ')
		}
		text = appendTuple(text, p, z[i], ',')
	}
	return kmlText{"coordinates", string(text)}
}

// appendTuple appends a position, with its height if it has one.
func appendTuple(dst []byte, p orb.Point, z float64, sep byte) []byte {
	dst = appendDegrees(append(appendDegrees(dst, p[0]), sep), p[1])
	if z == z {
		dst = appendNumber(append(dst, sep), z)
	}
	return dst
}

// degrees7 rounds to seven decimals, about a centimetre.
func degrees7(v float64) float64 { return math.Round(v*1e7) / 1e7 }
