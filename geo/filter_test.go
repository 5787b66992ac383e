package geo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func filterOf(t testing.TB, l *geo.Layer, text string) *geo.Filter {
	t.Helper()
	e, err := data.ParseFilter(data.CQL2Text, text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	f, err := geo.NewFilter(e, data.FilterFields(data.Queryables(l)))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

// A small layer, and by hand the rows that each filter finds.
func TestFilterByHand(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "l", Kind: geo.KindIncident})
	day := func(d int) time.Time { return time.Date(2026, 1, d, 12, 0, 0, 0, time.UTC) }
	b.Add(geo.Feature{Geometry: orb.Point{110, 1}, From: day(1), To: day(1), Properties: map[string]any{"kind": "irr.exit", "severity": 1.0, "code": 5.0, "reported_at": "2026-01-02T00:00:00Z"}})
	b.Add(geo.Feature{Geometry: orb.Point{111, 1}, From: day(3), To: day(5), Properties: map[string]any{"kind": "irr.entry", "severity": 3.0, "code": "5", "flag": true}})
	b.Add(geo.Feature{Geometry: orb.LineString{{110, 2}, {112, 2}}, Properties: map[string]any{"kind": "obs_%", "code": "5-9", "flag": false}})
	b.Add(geo.Feature{ID: "own", Geometry: orb.Polygon{{{109, 0}, {113, 0}, {113, 3}, {109, 3}, {109, 0}}}, From: day(9), To: day(9), Properties: map[string]any{"severity": 5.0}})
	l := b.Layer()
	for text, want := range map[string]string{
		"severity > 1":                            "1 3",
		"NOT severity > 1":                        "0", // of what is absent nothing is known
		"severity <> 3":                           "0 3",
		"severity IS NULL":                        "2",
		"severity IS NOT NULL AND kind IS NULL":   "3",
		"kind = 'irr.exit' OR severity = 5":       "0 3",
		"severity BETWEEN 1 AND 3":                "0 1",
		"severity NOT BETWEEN 1 AND 3":            "3",
		"severity IN (1,5,9)":                     "0 3",
		"severity NOT IN (1,5,9)":                 "1",
		"kind LIKE 'irr.%'":                       "0 1",
		"kind LIKE 'irr.e_i%'":                    "0",
		`kind LIKE '%\_\%'`:                       "2",
		"kind LIKE '%'":                           "0 1 2",
		"3 < severity":                            "3",
		"flag = TRUE":                             "1",
		"code = 5":                                "0", // a number and a text are not equal
		"code = '5'":                              "1",
		"code > 4":                                "0",
		"TRUE":                                    "0 1 2 3",
		"FALSE OR severity = 1":                   "0",
		"occurred_from = DATE('2026-01-01')":      "0",
		"occurred_from > DATE('2026-01-01')":      "1 3",
		"occurred_from <= '2026-01-03T12:00:00Z'": "0 1",
		"occurred_to >= TIMESTAMP('2026-01-05T12:00:00Z')":                                   "1 3",
		"occurred_from IS NULL":                                                              "2",
		"reported_at = DATE('2026-01-02')":                                                   "0",
		"T_AFTER(occurred_from, DATE('2026-01-03'))":                                         "3",
		"T_INTERSECTS(INTERVAL(occurred_from,occurred_to),DATE('2026-01-04'))":               "1",
		"T_DURING(INTERVAL(occurred_from,occurred_to),INTERVAL('2026-01-02','..'))":          "1 3",
		"T_DISJOINT(INTERVAL(occurred_from,occurred_to),INTERVAL('..','2026-01-02'))":        "1 3",
		"T_EQUALS(occurred_from,TIMESTAMP('2026-01-09T12:00:00Z'))":                          "3",
		"T_MEETS(INTERVAL(occurred_from,occurred_to),INTERVAL('2026-01-05T12:00:00Z','..'))": "1",
		"S_INTERSECTS(geometry,POINT(110 1))":                                                "0 3",
		"S_INTERSECTS(geometry,BBOX(110.5,1.5,111.5,2.5))":                                   "2 3",
		"S_DISJOINT(geometry,BBOX(110.5,1.5,111.5,2.5))":                                     "0 1",
		"S_INTERSECTS(POLYGON((110.5 0.5,111.5 0.5,111.5 1.5,110.5 0.5)),geometry)":          "1 3",
		"S_INTERSECTS(POINT(1 1),BBOX(0,0,2,2)) AND severity = 1":                            "0",
		"id = 'own'": "3",
	} {
		matches := filterOf(t, l, text).Bind(l)
		var got []string
		for row := range l.Len() {
			if matches(row) {
				got = append(got, fmt.Sprint(row))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: rows %v, want %s", text, got, want)
		}
	}
	for _, text := range []string{"nosuch = 1", "severity = 'x'", "kind > 3", "geometry = 1", "S_INTERSECTS(kind,POINT(1 1))", "T_AFTER(severity,DATE('2026-01-01'))",
		"occurred_from > 'yesterday'", "severity LIKE 'x'", "kind = INTERVAL('..','..')", "T_AFTER(occurred_from,'x')"} {
		e, err := data.ParseFilter(data.CQL2Text, text, nil)
		if err == nil {
			_, err = geo.NewFilter(e, data.FilterFields(data.Queryables(l)))
		}
		if err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	for text, want := range map[string]bool{"severity > 1 AND S_INTERSECTS(geometry,BBOX(1,2,3,4))": true, "NOT S_INTERSECTS(geometry,BBOX(1,2,3,4))": false,
		"severity > 1 OR S_INTERSECTS(geometry,BBOX(1,2,3,4))": false} {
		if _, ok := filterOf(t, l, text).Window(); ok != want {
			t.Errorf("%s has a window: %v", text, ok)
		}
	}
}

// The bound filter, with its short ways, against one that looks at each row as
// a map; over chunks, columns of numbers, dictionaries and mixed ones.
func TestFilterAgainstMaps(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	b := geo.NewBuilder(geo.LayerInfo{ID: "l", Kind: geo.KindOther})
	var rows []map[string]any
	for range 70_000 { // more than a chunk
		p := map[string]any{"all": "same"}
		if r.IntN(4) > 0 {
			p["n"] = float64(r.IntN(6))
		}
		if r.IntN(4) > 0 {
			p["s"] = string(rune('a' + r.IntN(5)))
		}
		rows = append(rows, p)
		b.Add(geo.Feature{Geometry: orb.Point{1, 1}, Properties: p})
	}
	l := b.Layer()
	// 0 no, 1 unknown, 2 yes
	number := func(p map[string]any, test func(v float64) bool) int {
		v, ok := p["n"].(float64)
		return map[bool]int{true: map[bool]int{true: 2}[test(v)], false: 1}[ok]
	}
	text := func(p map[string]any, test func(v string) bool) int {
		v, ok := p["s"].(string)
		return map[bool]int{true: map[bool]int{true: 2}[test(v)], false: 1}[ok]
	}
	for _, c := range []struct {
		text  string
		naive func(p map[string]any) int
	}{
		{"n >= 3", func(p map[string]any) int { return number(p, func(v float64) bool { return v >= 3 }) }},
		{"n <> 2", func(p map[string]any) int { return number(p, func(v float64) bool { return v != 2 }) }},
		{"NOT n < 4", func(p map[string]any) int { return 2 - number(p, func(v float64) bool { return v < 4 }) }},
		{"s > 'b' AND n = 1", func(p map[string]any) int {
			return min(text(p, func(v string) bool { return v > "b" }), number(p, func(v float64) bool { return v == 1 }))
		}},
		{"NOT (s = 'c' OR n <= 1)", func(p map[string]any) int {
			return 2 - max(text(p, func(v string) bool { return v == "c" }), number(p, func(v float64) bool { return v <= 1 }))
		}},
		{`"all" = 'same' AND s IN ('a','e')`, func(p map[string]any) int { return text(p, func(v string) bool { return v == "a" || v == "e" }) }},
	} {
		matches, found := filterOf(t, l, c.text).Bind(l), 0
		for row, p := range rows {
			want := c.naive(p) == 2
			if matches(row) != want {
				t.Fatalf("%s: row %d, %v, want %v", c.text, row, p, want)
			}
			if want {
				found++
			}
		}
		if found == 0 || found == len(rows) {
			t.Errorf("%s: %d rows", c.text, found)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	builder := geo.NewBuilder(geo.LayerInfo{ID: "l", Kind: geo.KindIncident})
	for i := range 100_000 {
		builder.Add(geo.Feature{Geometry: orb.Point{110 + float64(i%97)/50, 1}, Properties: map[string]any{"severity": float64(i % 5), "kind": []string{"irr.exit", "irr.entry", "mar.landing"}[i%3]}})
	}
	l := builder.Layer()
	f := filterOf(b, l, "severity > 2 AND kind LIKE 'irr.%' AND S_INTERSECTS(geometry,POLYGON((110 0,111 0,111 2,110 2,110 0)))")
	for b.Loop() {
		matches := f.Bind(l)
		for row := range l.Len() {
			matches(row)
		}
	}
}
