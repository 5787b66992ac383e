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
}

func writeKML(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	k := &kmlWriter{enc: xml.NewEncoder(w), l: l}
	root := xml.StartElement{Name: xml.Name{Local: "kml"}, Attr: []xml.Attr{
		{Name: xml.Name{Local: "xmlns"}, Value: "http://www.opengis.net/kml/2.2"},
		{Name: xml.Name{Local: "xmlns:gx"}, Value: "http://www.google.com/kml/ext/2.2"},
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
		hasID = hasID || c.Name == "id"
		k.columns = append(k.columns, c)
		kind := "string"
		switch c.Type {
		case "number":
			kind = "double"
		case "boolean":
			kind = "bool"
		}
		s.Append(kml.SimpleField(c.Name, kind))
	}
	if !hasID {
		s.Append(kml.SimpleField("id", "string"))
	}
	return s
}

func (k *kmlWriter) placemark(row int) kml.Element {
	p := kml.Placemark()
	literals := map[string]string{}
	k.l.Literals(row, func(name, literal string) { literals[name] = literal })
	if name := plainText(literals["name"]); name != "" {
		p.Append(kml.Name(name))
	}
	if text := plainText(literals["description"]); text != "" {
		p.Append(kml.Description(text))
	}
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
			data.Append(kml.SimpleData(c.Name, plainText(literal)))
		}
	}
	if len(data.Children) > 0 {
		p.Append(kml.ExtendedData(data))
	}
	if line, ok := k.l.Geometry(row).(orb.LineString); ok && times != nil {
		return p.Append(gxTrack(line, times))
	}
	ele := k.l.Number(row, "ele")
	if at, ok := k.l.Geometry(row).(orb.Point); ok && ele == ele {
		return p.Append(kml.Point(kml.AltitudeMode(kml.AltitudeModeAbsolute), kml.Coordinates(kml.Coordinate{Lon: degrees7(at[0]), Lat: degrees7(at[1]), Alt: ele})))
	}
	if g := kmlGeometry(k.l.Geometry(row)); g != nil {
		p.Append(g)
	}
	return p
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

func gxTrack(line orb.LineString, times []int64) kml.Element {
	track := kml.GxTrack()
	for _, ms := range times {
		track.Append(kmlInstant{"when", ms})
	}
	for _, p := range line {
		track.Append(kml.GxCoord(kml.Coordinate{Lon: degrees7(p[0]), Lat: degrees7(p[1])}))
	}
	return track
}

func kmlGeometry(g orb.Geometry) kml.Element {
	switch g := g.(type) {
	case orb.Point:
		return kml.Point(kmlPositions(orb.LineString{g}))
	case orb.LineString:
		return kml.LineString(kmlPositions(g))
	case orb.Polygon:
		polygon := kml.Polygon()
		for i, ring := range g {
			r := kml.LinearRing(kmlPositions(orb.LineString(rightHanded(ring, i == 0))))
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
			many.Append(kmlGeometry(p))
		}
	case orb.MultiLineString:
		for _, line := range g {
			many.Append(kmlGeometry(line))
		}
	case orb.MultiPolygon:
		for _, p := range g {
			many.Append(kmlGeometry(p))
		}
	case orb.Collection:
		for _, part := range g {
			many.Append(kmlGeometry(part))
		}
	default:
		return nil
	}
	return many
}

func kmlPositions(line orb.LineString) kml.Element {
	out := make(kml.CoordinatesElement, len(line))
	for i, p := range line {
		out[i] = kml.Coordinate{Lon: degrees7(p[0]), Lat: degrees7(p[1])}
	}
	return out
}

// degrees7 rounds to seven decimals, about a centimetre.
func degrees7(v float64) float64 { return math.Round(v*1e7) / 1e7 }
