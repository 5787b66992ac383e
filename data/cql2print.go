package data

import (
	"bytes"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// FilterText writes an expression as CQL2 text: one text for one meaning,
// which reads back as the same expression.
func FilterText(e geo.Expr) string {
	var b bytes.Buffer
	writeFilter(&b, e)
	return b.String()
}

// writeFilter writes CQL2 text. Conditions inside conditions are in brackets.
func writeFilter(b *bytes.Buffer, e geo.Expr) {
	list := func(args []geo.Expr, sep string) {
		for i, a := range args {
			if i > 0 {
				b.WriteString(sep)
			}
			if isValue(a) {
				writeValue(b, a)
				continue
			}
			b.WriteByte('(')
			writeFilter(b, a)
			b.WriteByte(')')
		}
	}
	switch e.Op {
	case geo.OpAnd, geo.OpOr:
		list(e.Args, " "+strings.ToUpper(string(e.Op))+" ")
	case geo.OpNot:
		b.WriteString("NOT ")
		list(e.Args, "")
	case geo.OpIsNull:
		list(e.Args, "")
		b.WriteString(" IS NULL")
	case geo.OpLike:
		list(e.Args, " LIKE ")
	case geo.OpBetween:
		list(e.Args[:1], "")
		b.WriteString(" BETWEEN ")
		list(e.Args[1:], " AND ")
	case geo.OpIn:
		list(e.Args[:1], "")
		b.WriteString(" IN (")
		list(e.Args[1:], ",")
		b.WriteByte(')')
	case geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual:
		list(e.Args, " "+string(e.Op)+" ")
	default:
		if isValue(e) {
			writeValue(b, e)
			return
		}
		b.WriteString(strings.ToUpper(string(e.Op)))
		b.WriteByte('(')
		list(e.Args, ",")
		b.WriteByte(')')
	}
}

func writeValue(b *bytes.Buffer, e geo.Expr) {
	quote := func(s, mark string) { b.WriteString(mark + strings.ReplaceAll(s, mark, mark+mark) + mark) }
	switch e.Op {
	case geo.ValProperty:
		quote(e.Text, `"`)
	case geo.ValText:
		quote(e.Text, "'")
	case geo.ValNumber:
		b.Write(appendNumber(nil, e.Number))
	case geo.ValBoolean:
		b.WriteString(map[bool]string{true: "TRUE", false: "FALSE"}[e.Boolean])
	case geo.ValOpen:
		b.WriteString("'..'")
	case geo.ValInterval:
		b.WriteString("INTERVAL(")
		writeEnd(b, e.Args[0])
		b.WriteByte(',')
		writeEnd(b, e.Args[1])
		b.WriteByte(')')
	case geo.ValDate, geo.ValTimestamp:
		b.WriteString(strings.ToUpper(string(e.Op)) + "('" + timeText(e) + "')")
	case geo.ValGeometry:
		writeWKT(b, e.Geometry)
	}
}

func timeText(e geo.Expr) string {
	t := time.UnixMilli(e.From).UTC()
	if e.Op == geo.ValDate {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05.999Z")
}

func writeEnd(b *bytes.Buffer, e geo.Expr) {
	if e.Op == geo.ValDate || e.Op == geo.ValTimestamp {
		b.WriteString("'" + timeText(e) + "'")
		return
	}
	writeValue(b, e)
}

// writeWKT writes a geometry of a filter with all digits.
func writeWKT(b *bytes.Buffer, g orb.Geometry) {
	if box, isBox := g.(orb.Bound); isBox {
		b.WriteString("BBOX(")
		for i, v := range []float64{box.Min[0], box.Min[1], box.Max[0], box.Max[1]} {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(appendNumber(nil, v))
		}
		b.WriteByte(')')
		return
	}
	b.WriteString(strings.ToUpper(g.GeoJSONType()))
	switch g := g.(type) {
	case orb.Point:
		writePlaces(b, []orb.Point{g})
	case orb.MultiPoint:
		writePlaces(b, g)
	case orb.LineString:
		writePlaces(b, g)
	case orb.MultiLineString:
		writeParts(b, g, func(l orb.LineString) { writePlaces(b, l) })
	case orb.Polygon:
		writeRings(b, g)
	case orb.MultiPolygon:
		writeParts(b, g, func(p orb.Polygon) { writeRings(b, p) })
	case orb.Collection:
		writeParts(b, g, func(part orb.Geometry) { writeWKT(b, part) })
	}
}

func writeRings(b *bytes.Buffer, p orb.Polygon) {
	writeParts(b, p, func(r orb.Ring) { writePlaces(b, r) })
}

func writePlaces(b *bytes.Buffer, points []orb.Point) {
	writeParts(b, points, func(p orb.Point) {
		b.Write(appendNumber(nil, p[0]))
		b.WriteByte(' ')
		b.Write(appendNumber(nil, p[1]))
	})
}

func writeParts[T any](b *bytes.Buffer, parts []T, one func(T)) {
	b.WriteByte('(')
	for i, part := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		one(part)
	}
	b.WriteByte(')')
}
