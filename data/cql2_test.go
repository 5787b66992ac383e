package data_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// What is written in many ways is one expression, and is printed in one way.
func TestFilterText(t *testing.T) {
	for written, printed := range map[string]string{
		"severity > 3":                             `"severity" > 3`,
		`"severity">+3.0`:                          `"severity" > 3`,
		"a = 'it''s'":                              `"a" = 'it''s'`,
		`a = 'it\'s' and b = '\''`:                 `("a" = 'it''s') AND ("b" = '''')`,
		`a like 'x\' and b = 'y'`:                  `("a" LIKE 'x\') AND ("b" = 'y')`,
		`"a""b" <> -1e3`:                           `"a""b" <> -1000`,
		"a=1 and b=2 AND (c=3 aNd d=4)":            `("a" = 1) AND ("b" = 2) AND ("c" = 3) AND ("d" = 4)`,
		"a=1 OR b=2 AND NOT c=3":                   `("a" = 1) OR (("b" = 2) AND (NOT ("c" = 3)))`,
		"((((a=1))))":                              `"a" = 1`,
		"a NOT LIKE 'x%'":                          `NOT ("a" LIKE 'x%')`,
		"a BETWEEN 1 AND 2 AND b IN ('x','y')":     `("a" BETWEEN 1 AND 2) AND ("b" IN ('x','y'))`,
		"a NOT IN (1)":                             `NOT ("a" IN (1))`,
		"a IS NOT NULL":                            `NOT ("a" IS NULL)`,
		"TRUE":                                     "TRUE",
		"flag = true AND false":                    `("flag" = TRUE) AND FALSE`,
		"t > DATE('2026-01-02')":                   `"t" > DATE('2026-01-02')`,
		"t <= TIMESTAMP('2026-01-02T03:04:05+01')": "",
		"t <= TIMESTAMP('2026-01-02T03:04:05.1237+01:00')":                 `"t" <= TIMESTAMP('2026-01-02T02:04:05.123Z')`,
		"T_During(t, INTERVAL('2026-01-01','..'))":                         `T_DURING("t",INTERVAL('2026-01-01','..'))`,
		"t_before(INTERVAL(a, b), DATE('2026-01-01'))":                     `T_BEFORE(INTERVAL("a","b"),DATE('2026-01-01'))`,
		"S_INTERSECTS(geometry,BBOX(1,2,3,4))":                             `S_INTERSECTS("geometry",BBOX(1,2,3,4))`,
		"s_intersects(geometry,bbox(1,2,0,3,4,9))":                         `S_INTERSECTS("geometry",BBOX(1,2,3,4))`,
		"s_intersects(geometry,bbox(170,2,-170,4))":                        `S_INTERSECTS("geometry",BBOX(170,2,-170,4))`,
		"s_intersects(g, POINT Z (1 2 3))":                                 `S_INTERSECTS("g",POINT(1 2))`,
		"s_intersects(g,polygon((0 0,1 0,1 1,0 0)))":                       `S_INTERSECTS("g",POLYGON((0 0,1 0,1 1,0 0)))`,
		"s_intersects(g,multipoint((0 0),1 .5))":                           `S_INTERSECTS("g",MULTIPOINT(0 0,1 0.5))`,
		"s_disjoint(geometrycollection(point(1 2),linestring(0 0,1 1)),g)": `S_DISJOINT(GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1)),"g")`,
		"5 > a": `5 > "a"`,

		"": "", "severity >": "", "severity": "", "(a=1": "", "a=1)": "", "1 = 1; DROP TABLE x": "", "(((((": "", "a LIKE b": "", "a = 'x": "",
		"a IN ()": "", "a BETWEEN 1": "", "and = 1": "", "f(a) = 1": "", "a = 1e999": "", "t > DATE('2026-02-30')": "", "a IS 1": "", "NOT": "",
		"s_intersects(g)": "", "s_intersects(g,point(1))": "", "s_intersects(g,point(1 2,3 4))": "", "s_intersects(g,point(200 2))": "",
		"s_intersects(g,linestring(1 2))": "", "s_intersects(g,polygon((0 0,1 0,1 1)))": "", "s_intersects(g,bbox(1,2,3))": "", "s_intersects(g,bbox(1,4,3,2))": "",
		"s_intersects(g,point empty)": "", "t_after(t, INTERVAL('2026-02-01','2026-01-01'))": "", "(a = 1) = 2": "", "a\x00 = 1": "", "a = \xff": "",
		"a = " + strings.Repeat("9", 9000): "", strings.Repeat("(", 65) + "a=1" + strings.Repeat(")", 65): "", strings.Repeat("not ", 70) + "a=1": "",
		"a LIKE '" + strings.Repeat("%a", 200) + "'": "",
	} {
		e, err := data.ParseFilter(data.CQL2Text, written, nil)
		if printed == "" {
			if r := (*data.Refusal)(nil); !errors.As(err, &r) || r.Status != 400 || r.Code != "invalid_filter" {
				t.Errorf("%.60q is read: %v", written, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		if got := data.FilterText(e); got != printed {
			t.Errorf("%s\n gives %s\n  want %s", written, got, printed)
		}
	}
}

func TestFilterJSON(t *testing.T) {
	for written, printed := range map[string]string{
		`{"op":">","args":[{"property":"severity"},3]}`: `"severity" > 3`,
		`{"op":"and","args":[{"op":"=","args":[{"property":"a"},"x"]},{"op":"not","args":[{"op":"isNull","args":[{"property":"b"}]}]}]}`: `("a" = 'x') AND (NOT ("b" IS NULL))`,
		`{"op":"in","args":[{"property":"a"},[1,2]]}`:                                                                                       `"a" IN (1,2)`,
		`{"op":"between","args":[{"property":"a"},1,2]}`:                                                                                    `"a" BETWEEN 1 AND 2`,
		`{"op":"like","args":[{"property":"a"},"x%"]}`:                                                                                      `"a" LIKE 'x%'`,
		`{"op":"t_during","args":[{"property":"t"},{"interval":["2026-01-01","2026-02-01T00:00:00Z"]}]}`:                                    `T_DURING("t",INTERVAL('2026-01-01','2026-02-01T00:00:00Z'))`,
		`{"op":"t_after","args":[{"property":"t"},{"date":"2026-01-01"}]}`:                                                                  `T_AFTER("t",DATE('2026-01-01'))`,
		`{"op":"s_intersects","args":[{"property":"g"},{"bbox":[1,2,3,4]}]}`:                                                                `S_INTERSECTS("g",BBOX(1,2,3,4))`,
		`{"op":"s_intersects","args":[{"property":"g"},{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}]}`:               `S_INTERSECTS("g",MULTIPOLYGON(((0 0,1 0,1 1,0 0))))`,
		`{"op":"s_intersects","args":[{"property":"g"},{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}]}`: `S_INTERSECTS("g",GEOMETRYCOLLECTION(POINT(1 2)))`,
		`true`: "TRUE",

		`"x"`: "", `3`: "", `{}`: "", `null`: "", `[]`: "", `{"op":"=","args":[1]}`: "", `{"op":"nosuch","args":[1,2]}`: "", `{"op":"not","args":[3]}`: "",
		`{"op":"and","args":[]}`: "", `{"op":"=","args":[{"property":"a"},null]}`: "", `true true`: "", `{"op":"s_intersects","args":[{"property":"g"},{"type":"Point"}]}`: "",
		`{"op":"in","args":[{"property":"a"},[]]}`: "", `{"op":"s_intersects","args":[{"property":"g"},{"type":"LineString","coordinates":[[1,2]]}]}`: "",
		strings.Repeat(`{"op":"not","args":[`, 100) + "true" + strings.Repeat("]}", 100): "",
	} {
		e, err := data.ParseFilter(data.CQL2JSON, written, nil)
		if printed == "" {
			if r := (*data.Refusal)(nil); !errors.As(err, &r) || r.Status != 400 {
				t.Errorf("%.80s is read: %v", written, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", written, err)
		} else if got := data.FilterText(e); got != printed {
			t.Errorf("%s\n gives %s\n  want %s", written, got, printed)
		}
	}
	if _, err := data.ParseFilter("cql-text", "a=1", nil); err == nil {
		t.Error("an unknown language is read")
	}
}

// Coordinates of a filter are in the system that the caller names.
func TestFilterCoordinates(t *testing.T) {
	swap := func(p orb.Point) orb.Point { return orb.Point{p[1], p[0]} }
	for written, printed := range map[string]string{
		"s_intersects(g,point(1 110))":          `S_INTERSECTS("g",POINT(110 1))`,
		"s_intersects(g,bbox(1,110,2,111))":     `S_INTERSECTS("g",BBOX(110,1,111,2))`,
		"s_intersects(g,linestring(0 1,2 110))": `S_INTERSECTS("g",LINESTRING(1 0,110 2))`,
	} {
		e, err := data.ParseFilter("", written, swap)
		if err != nil || data.FilterText(e) != printed {
			t.Errorf("%s: %s %v", written, data.FilterText(e), err)
		}
	}
}

// randomExpr makes an expression; every one that a parser can give.
func randomExpr(r *rand.Rand, depth int) geo.Expr {
	prop := func() geo.Expr {
		return geo.Expr{Op: geo.ValProperty, Text: []string{"a", "b c", `q"q`, "kind"}[r.IntN(4)]}
	}
	value := func() geo.Expr {
		switch r.IntN(5) {
		case 0:
			return geo.Expr{Op: geo.ValNumber, Number: []float64{0, -3, 2.5, 1e300, 5e-324, 123456789}[r.IntN(6)]}
		case 1:
			return geo.Expr{Op: geo.ValText, Text: []string{"", "it's", "50%", "é\n\t"}[r.IntN(4)]}
		case 2:
			return geo.Expr{Op: geo.ValBoolean, Boolean: r.IntN(2) == 0}
		case 3:
			return geo.Day(time.Date(2026, 1, r.IntN(900), 0, 0, 0, 0, time.UTC))
		}
		return geo.Instant(time.Date(2026, 1, 1, 0, 0, 0, r.IntN(1000)*1e6, time.UTC))
	}
	end := func() geo.Expr {
		if r.IntN(3) == 0 {
			return geo.Expr{Op: geo.ValOpen}
		}
		return prop()
	}
	place := func() orb.Point { return orb.Point{r.Float64()*360 - 180, float64(r.IntN(180) - 90)} }
	shape := func() orb.Geometry {
		ring := orb.Ring{{0, 0}, place(), place(), {0, 0}}
		return []orb.Geometry{place(), orb.MultiPoint{place(), place()}, orb.LineString{place(), place()}, orb.Polygon{ring, ring}, orb.MultiPolygon{{ring}},
			orb.MultiLineString{{place(), place()}}, orb.Collection{place(), orb.Polygon{ring}}, orb.Bound{Min: orb.Point{5, 1}, Max: orb.Point{-3, 2}}}[r.IntN(8)]
	}
	ops := []geo.Op{geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual}
	switch k := r.IntN(11); {
	case k < 2 && depth > 0:
		op := []geo.Op{geo.OpAnd, geo.OpOr}[k]
		var args []geo.Expr
		for len(args) < 2 {
			if a := randomExpr(r, depth-1); a.Op != op {
				args = append(args, a)
			}
		}
		return geo.Expr{Op: op, Args: args}
	case k == 2 && depth > 0:
		return geo.Expr{Op: geo.OpNot, Args: []geo.Expr{randomExpr(r, depth-1)}}
	case k == 3:
		return geo.Expr{Op: geo.OpLike, Args: []geo.Expr{prop(), {Op: geo.ValText, Text: `a%_\`}}}
	case k == 4:
		return geo.Expr{Op: geo.OpBetween, Args: []geo.Expr{prop(), value(), value()}}
	case k == 5:
		return geo.Expr{Op: geo.OpIn, Args: []geo.Expr{prop(), value(), value()}}
	case k == 6:
		return geo.Expr{Op: geo.OpIsNull, Args: []geo.Expr{prop()}}
	case k == 7:
		return geo.Expr{Op: geo.SpaceOps()[r.IntN(2)], Args: []geo.Expr{prop(), {Op: geo.ValGeometry, Geometry: shape()}}}
	case k == 8:
		return geo.Expr{Op: geo.TimeOps()[r.IntN(15)], Args: []geo.Expr{prop(), {Op: geo.ValInterval, Args: []geo.Expr{end(), end()}}}}
	case k == 9:
		return geo.Expr{Op: geo.ValBoolean, Boolean: true}
	}
	return geo.Expr{Op: ops[r.IntN(6)], Args: []geo.Expr{prop(), value()}}
}

// asJSON writes an expression as CQL2 JSON.
func asJSON(e geo.Expr) any {
	list := func(args []geo.Expr) (out []any) {
		for _, a := range args {
			out = append(out, asJSON(a))
		}
		return out
	}
	switch e.Op {
	case geo.ValProperty:
		return map[string]any{"property": e.Text}
	case geo.ValText:
		return e.Text
	case geo.ValNumber:
		return e.Number
	case geo.ValBoolean:
		return e.Boolean
	case geo.ValOpen:
		return ".."
	case geo.ValDate, geo.ValTimestamp:
		text := strings.Split(data.FilterText(e), "'")[1]
		return map[string]any{string(e.Op): text}
	case geo.ValInterval:
		return map[string]any{"interval": list(e.Args)}
	case geo.ValGeometry:
		if b, isBox := e.Geometry.(orb.Bound); isBox {
			return map[string]any{"bbox": []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}}
		}
		return geoJSONOf(e.Geometry)
	case geo.OpIn:
		return map[string]any{"op": "in", "args": []any{asJSON(e.Args[0]), list(e.Args[1:])}}
	}
	return map[string]any{"op": string(e.Op), "args": list(e.Args)}
}

func geoJSONOf(g orb.Geometry) any {
	if c, ok := g.(orb.Collection); ok {
		var parts []any
		for _, part := range c {
			parts = append(parts, geoJSONOf(part))
		}
		return map[string]any{"type": "GeometryCollection", "geometries": parts}
	}
	return map[string]any{"type": g.GeoJSONType(), "coordinates": g}
}

// What is printed reads back as the same, from text and from JSON.
func TestFilterRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		want := randomExpr(r, 4)
		text := data.FilterText(want)
		got, err := data.ParseFilter(data.CQL2Text, text, nil)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n%v\n%+v\n%+v", text, err, got, want)
		}
		raw, err := json.Marshal(asJSON(want))
		if err != nil {
			t.Fatal(err)
		}
		twin, err := data.ParseFilter(data.CQL2JSON, string(raw), nil)
		if err != nil || !reflect.DeepEqual(twin, want) {
			t.Fatalf("%s\n%v\n%+v\n%+v", raw, err, twin, want)
		}
	}
}

// Whatever is read is printed so that it reads back as the same.
func checkPrinted(t *testing.T, lang, text string) {
	e, err := data.ParseFilter(lang, text, nil)
	if err != nil {
		if r := (*data.Refusal)(nil); !errors.As(err, &r) || r.Status != 400 {
			t.Fatalf("%v", err)
		}
		return
	}
	printed := data.FilterText(e)
	again, err := data.ParseFilter(data.CQL2Text, printed, nil)
	if len(printed) > 8<<10 {
		return
	}
	if err != nil && !strings.Contains(err.Error(), "deeper") || err == nil && !reflect.DeepEqual(again, e) {
		t.Fatalf("%q\nis printed as %q\n%v\n%+v\n%+v", text, printed, err, e, again)
	}
	if err == nil {
		var fields []geo.FilterField
		for i, name := range []string{"a", "t", "g", "severity"} {
			fields = append(fields, geo.FilterField{Name: name, Type: []string{geo.FieldAny, geo.FieldInstant, geo.FieldGeometry, geo.FieldNumber}[i]})
		}
		if f, err := geo.NewFilter(e, fields); err == nil {
			b := geo.NewBuilder(geo.LayerInfo{ID: "l"})
			b.Add(geo.Feature{Geometry: orb.Polygon{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}, Properties: map[string]any{"a": "x", "severity": 3.0}})
			f.Bind(b.Layer())(0)
		}
	}
}

func FuzzFilterText(f *testing.F) {
	for _, s := range []string{"a = 1 AND NOT (t > DATE('2026-01-01'))", "s_intersects(g,POLYGON((0 0,1 0,1 1,0 0)))", "a LIKE 'x%' OR a IN (1,2)",
		"t_during(t,INTERVAL('..','2026-01-01'))", "a BETWEEN 1 AND 2", "s_disjoint(g,BBOX(1,2,3,4))", `"q""q" IS NOT NULL`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkPrinted(t, data.CQL2Text, s) })
}

func FuzzFilterJSON(f *testing.F) {
	for _, s := range []string{`{"op":"in","args":[{"property":"a"},[1,2]]}`, `{"op":"s_intersects","args":[{"property":"g"},{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}]}`,
		`{"op":"t_during","args":[{"property":"t"},{"interval":["..","2026-01-01"]}]}`, `{"op":"not","args":[true]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkPrinted(t, data.CQL2JSON, s) })
}

func BenchmarkParseFilter(b *testing.B) {
	text := "kind IN ('irr.exit','irr.entry') AND severity >= 3 AND S_INTERSECTS(geometry,BBOX(109,0,112,2)) AND occurred_from > DATE('2026-01-01')"
	for b.Loop() {
		if _, err := data.ParseFilter(data.CQL2Text, text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
