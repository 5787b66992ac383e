package data

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// parseJSON reads CQL2 JSON.
func (b filterBuilder) parseJSON(text string) (geo.Expr, *Refusal) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return geo.Expr{}, badFilter("it is not JSON: %v", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return geo.Expr{}, badFilter("something stands behind the JSON value")
	}
	e, err := b.json(v, 0)
	if err != nil {
		return e, err
	}
	return condition(e)
}

func (b filterBuilder) json(v any, depth int) (geo.Expr, *Refusal) {
	if depth > maxFilterDepth {
		return geo.Expr{}, badFilter("it is nested deeper than %d", maxFilterDepth)
	}
	switch v := v.(type) {
	case string:
		return geo.Expr{Op: geo.ValText, Text: v}, nil
	case bool:
		return geo.Expr{Op: geo.ValBoolean, Boolean: v}, nil
	case json.Number:
		return number(v.String())
	case map[string]any:
		return b.jsonObject(v, depth)
	}
	return geo.Expr{}, badFilter("null and lists are not values")
}

func (b filterBuilder) jsonObject(v map[string]any, depth int) (geo.Expr, *Refusal) {
	text := func(name string) (string, bool) { s, ok := v[name].(string); return s, ok && len(v) == 1 }
	if op, isOp := v["op"].(string); isOp {
		args, isList := v["args"].([]any)
		if !isList || len(v) != 2 {
			return geo.Expr{}, badFilter("an operation has the members op and args")
		}
		return b.jsonOperation(geo.Op(op), args, depth)
	}
	if s, ok := text("property"); ok {
		return property(s)
	}
	if s, ok := text("date"); ok {
		return dateLiteral(s)
	}
	if s, ok := text("timestamp"); ok {
		return timestampLiteral(s)
	}
	if list, ok := v["interval"].([]any); ok && len(v) == 1 && len(list) == 2 {
		from, err := b.jsonEnd(list[0], depth)
		if err != nil {
			return from, err
		}
		to, err := b.jsonEnd(list[1], depth)
		if err != nil {
			return to, err
		}
		return interval(from, to)
	}
	if list, ok := v["bbox"].([]any); ok && len(v) == 1 {
		flat, err := jsonNumbers(list)
		if err != nil {
			return geo.Expr{}, err
		}
		return b.box(flat)
	}
	if _, ok := v["type"].(string); ok {
		g, err := jsonGeometry(v, depth)
		if err != nil {
			return geo.Expr{}, err
		}
		return b.geometry(g)
	}
	return geo.Expr{}, badFilter("an object is neither an operation, a property, a time nor a geometry")
}

func (b filterBuilder) jsonEnd(v any, depth int) (geo.Expr, *Refusal) {
	if s, ok := v.(string); ok {
		return intervalEnd(s)
	}
	e, err := b.json(v, depth+1)
	if err == nil && e.Op != geo.ValProperty && e.Op != geo.ValDate && e.Op != geo.ValTimestamp {
		err = badFilter("an end of an interval is a time, a property or \"..\"")
	}
	return e, err
}

func (b filterBuilder) jsonOperation(op geo.Op, list []any, depth int) (geo.Expr, *Refusal) {
	if op == geo.OpIn && len(list) == 2 {
		if in, ok := list[1].([]any); ok {
			list = append([]any{list[0]}, in...)
		}
	}
	var args []geo.Expr
	for _, item := range list {
		e, err := b.json(item, depth+1)
		if err != nil {
			return e, err
		}
		args = append(args, e)
	}
	least, most := 2, 2
	switch op {
	case geo.OpAnd, geo.OpOr:
		least, most = 1, len(args)
	case geo.OpNot, geo.OpIsNull:
		least, most = 1, 1
	case geo.OpBetween:
		least, most = 3, 3
	case geo.OpIn:
		most = len(args)
	case geo.OpLike, geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual:
	default:
		known := false
		if op, known = function(string(op)); !known {
			return geo.Expr{}, badFilter("there is no operation of that name")
		}
	}
	if len(args) < least || len(args) > most {
		return geo.Expr{}, badFilter("%s has %d arguments", op, len(args))
	}
	if op != geo.OpAnd && op != geo.OpOr && op != geo.OpNot {
		return operation(op, args)
	}
	for _, a := range args {
		if _, err := condition(a); err != nil {
			return a, err
		}
	}
	if op == geo.OpNot {
		return geo.Expr{Op: op, Args: args}, nil
	}
	return all(op, args), nil
}

func jsonNumbers(list []any) (out []float64, err *Refusal) {
	for _, item := range list {
		n, ok := item.(json.Number)
		if !ok {
			return nil, badFilter("an ordinate is not a number")
		}
		e, err := number(n.String())
		if err != nil {
			return nil, err
		}
		out = append(out, e.Number)
	}
	return out, nil
}

// jsonGeometry reads a GeoJSON geometry.
func jsonGeometry(v map[string]any, depth int) (orb.Geometry, *Refusal) {
	if depth > maxFilterDepth {
		return nil, badFilter("it is nested deeper than %d", maxFilterDepth)
	}
	kind, _ := v["type"].(string)
	if kind == "GeometryCollection" {
		list, _ := v["geometries"].([]any)
		return jsonList(list, func(item any) (orb.Geometry, *Refusal) {
			part, _ := item.(map[string]any)
			return jsonGeometry(part, depth+1)
		}, func(parts []orb.Geometry) orb.Geometry { return orb.Collection(parts) })
	}
	c, _ := v["coordinates"].([]any)
	switch kind {
	case "Point":
		return jsonPosition(v["coordinates"])
	case "MultiPoint":
		return jsonList(c, jsonPosition, func(p []orb.Point) orb.Geometry { return orb.MultiPoint(p) })
	case "LineString":
		return jsonLine(v["coordinates"])
	case "MultiLineString":
		return jsonList(c, jsonLine, func(p []orb.LineString) orb.Geometry { return orb.MultiLineString(p) })
	case "Polygon":
		return jsonPolygon(v["coordinates"])
	case "MultiPolygon":
		return jsonList(c, jsonPolygon, func(p []orb.Polygon) orb.Geometry { return orb.MultiPolygon(p) })
	}
	return nil, badFilter("%s is not a type of geometry", show(kind))
}

// jsonList reads a list that is not empty.
func jsonList[T, L any](list []any, one func(any) (T, *Refusal), of func([]T) L) (out L, err *Refusal) {
	if len(list) == 0 {
		return out, badFilter("a geometry is empty, or its coordinates are not lists of places")
	}
	var parts []T
	for _, item := range list {
		part, err := one(item)
		if err != nil {
			return out, err
		}
		parts = append(parts, part)
	}
	return of(parts), nil
}

func jsonPosition(v any) (orb.Point, *Refusal) {
	list, _ := v.([]any)
	flat, err := jsonNumbers(list)
	if err == nil && (len(flat) < 2 || len(flat) > 4) {
		err = badFilter("a place has two numbers, or three with a height")
	}
	if err != nil {
		return orb.Point{}, err
	}
	return orb.Point{flat[0], flat[1]}, nil
}

func jsonLine(v any) (orb.LineString, *Refusal) {
	list, _ := v.([]any)
	line, err := jsonList(list, jsonPosition, func(p []orb.Point) orb.LineString { return p })
	if err == nil && len(line) < 2 {
		err = badFilter("a line has at least two places")
	}
	return line, err
}

func jsonPolygon(v any) (orb.Polygon, *Refusal) {
	list, _ := v.([]any)
	ring := func(v any) (orb.Ring, *Refusal) {
		list, _ := v.([]any)
		return jsonList(list, jsonPosition, func(p []orb.Point) orb.Ring { return p })
	}
	return jsonList(list, ring, func(p []orb.Ring) orb.Polygon { return p })
}
