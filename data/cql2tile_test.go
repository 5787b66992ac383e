package data_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func tileFilterText(t testing.TB, lang, text string) (string, error) {
	t.Helper()
	e, err := data.ParseFilter(lang, text, nil)
	if err == nil {
		e, err = data.TileFilter(e)
	}
	return data.FilterText(e), err
}

// Ways of writing one filter have one text.
func TestTileFilterIsCanonical(t *testing.T) {
	for want, ways := range map[string][]string{
		`("a" = 1) AND ("b" = 2)`: {"a=1 AND b=2", "  a =1.0\tand ((b = 2e0))", "b=2 AND a=1", "(a=1) and (b=2 and a=1)", "1 = a AND NOT NOT b=2",
			`{"op":"and","args":[{"op":"=","args":[{"property":"b"},2]},{"op":"and","args":[{"op":"=","args":[{"property":"a"},1]}]}]}`},
		`"a" > 3`:                  {"a>3", "3<a", "not not (a > +3)", "a>3 or 3<a"},
		`"a" IN (1,2,3)`:           {"a in (3,1,2,1)", `{"op":"in","args":[{"property":"a"},[2,3,1]]}`},
		`"a" <= 5`:                 {"5>=a"},
		`"A" LIKE 'x%'`:            {"A LIKE 'x%'"},
		`"t" > DATE('2026-01-02')`: {`{"op":">","args":[{"property":"t"},{"date":"2026-01-02"}]}`},
		`"t" < TIMESTAMP('2026-01-02T02:00:00Z')`: {"t < TIMESTAMP('2026-01-02T03:00:00+01:00')", "TIMESTAMP('2026-01-02T02:00:00.0004Z') > t"},
	} {
		for _, way := range ways {
			lang := data.CQL2Text
			if way[0] == '{' {
				lang = data.CQL2JSON
			}
			got, err := tileFilterText(t, lang, way)
			if err != nil || got != want {
				t.Errorf("%s\n gives %s, %v\n  want %s", way, got, err, want)
			}
		}
	}
}

func TestTileFilterRefuses(t *testing.T) {
	many := func(n int, one, sep string) string {
		var parts []string
		for i := range n {
			parts = append(parts, strings.ReplaceAll(one, "#", fmt.Sprint(i)))
		}
		return strings.Join(parts, sep)
	}
	nested := func(n int) string { return strings.Repeat("(a=1 and (a=2 or ", n) + "a=3" + strings.Repeat("))", n) }
	for text, ok := range map[string]bool{
		"s_intersects(geometry,BBOX(1,2,3,4))":        false,
		"a=1 and s_disjoint(geometry,point(1 2))":     false,
		"t_during(t,INTERVAL('2026-01-01','..'))":     true,
		many(16, "a=#", " or "):                       true,
		many(17, "a=#", " or "):                       false,
		"a in (" + many(63, "#", ",") + ")":           true,
		"a in (" + many(64, "#", ",") + ")":           false,
		nested(4):                                     true,
		nested(5):                                     false,
		"a like '" + strings.Repeat("x", 64) + "'":    true,
		"a like '" + strings.Repeat("x", 65) + "'":    false,
		many(4, "a like '#%'", " or "):                true,
		many(5, "a like '#%'", " or "):                false,
		"a like '%x%x%x%'":                            true,
		"a like '%x%x%x%x%'":                          false,
		"a = '" + strings.Repeat("x", 2040) + "'":     true,
		"a = '" + strings.Repeat("x", 2042) + "'":     false,
		"a is not null and a between 1 and 2 or TRUE": true,
	} {
		got, err := tileFilterText(t, data.CQL2Text, text)
		if r := (*data.Refusal)(nil); (err == nil) != ok || err != nil && (!errors.As(err, &r) || r.Status != 400 || r.Code != "filter_not_for_tiles") {
			t.Errorf("%.60q: %.60q %v", text, got, err)
		}
	}
}

// Random filters: the canonical form finds the rows that the filter finds, in
// three-valued logic, is its own canonical form, reads back from its text, and is
// the same from whatever order and from JSON.
func TestTileFilterMeansTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 7))
	b := geo.NewBuilder(geo.LayerInfo{ID: "l", Kind: geo.KindIncident})
	for i := range 60 {
		f := geo.Feature{Geometry: orb.Point{110, 1}, Properties: map[string]any{}}
		if i%3 > 0 {
			f.From = time.Date(2026, 1, 1+i%20, 5, 0, 0, 0, time.UTC)
			f.To = f.From
		}
		for _, name := range []string{"a", "b"} {
			if r.IntN(4) > 0 {
				f.Properties[name] = float64(r.IntN(4))
			}
		}
		if r.IntN(4) > 0 {
			f.Properties["s"] = []string{"x", "xy", "yx"}[r.IntN(3)]
		}
		b.Add(f)
	}
	l := b.Layer()
	fields := data.FilterFields(data.Queryables(l))
	rows := func(e geo.Expr) (out []int) {
		f, err := geo.NewFilter(e, fields)
		if err != nil {
			t.Fatalf("%s: %v", data.FilterText(e), err)
		}
		keep := f.Bind(l)
		for row := range l.Len() {
			if keep(row) {
				out = append(out, row)
			}
		}
		return out
	}
	changed, found := 0, 0
	for range 2000 {
		e := randomTileExpr(r, 3)
		got, err := data.TileFilter(e)
		if err != nil {
			continue // too large
		}
		text := data.FilterText(got)
		if text != data.FilterText(e) {
			changed++
		}
		want := rows(e)
		if found += len(want); !reflect.DeepEqual(rows(got), want) {
			t.Fatalf("%s finds %v\n%s finds %v", data.FilterText(e), want, text, rows(got))
		}
		raw, err := json.Marshal(asJSON(shuffled(r, e)))
		if err != nil {
			t.Fatal(err)
		}
		for lang, way := range map[string]string{data.CQL2Text: text, data.CQL2JSON: string(raw)} {
			if again, err := tileFilterText(t, lang, way); err != nil || again != text {
				t.Fatalf("%s\n gives %s %v\n  want %s", way, again, err, text)
			}
		}
	}
	if changed < 500 || found < 1000 {
		t.Errorf("%d changed, %d rows found", changed, found)
	}
}

func randomTileExpr(r *rand.Rand, depth int) geo.Expr {
	prop := func(name string) geo.Expr { return geo.Expr{Op: geo.ValProperty, Text: name} }
	num := func() geo.Expr { return geo.Expr{Op: geo.ValNumber, Number: float64(r.IntN(4))} }
	switch k := r.IntN(9); {
	case k < 4 && depth > 0:
		if k == 3 {
			return geo.Expr{Op: geo.OpNot, Args: []geo.Expr{randomTileExpr(r, depth-1)}}
		}
		e := geo.Expr{Op: []geo.Op{geo.OpAnd, geo.OpOr}[r.IntN(2)]}
		for range 2 + r.IntN(2) {
			e.Args = append(e.Args, randomTileExpr(r, depth-1))
		}
		return e
	case k == 4:
		return geo.Expr{Op: geo.OpIn, Args: []geo.Expr{prop("a"), num(), num(), num()}}
	case k == 5:
		return geo.Expr{Op: geo.OpLike, Args: []geo.Expr{prop("s"), {Op: geo.ValText, Text: []string{"x%", "%x", "_y"}[r.IntN(3)]}}}
	case k == 6:
		return geo.Expr{Op: geo.OpIsNull, Args: []geo.Expr{prop([]string{"a", "b", "s"}[r.IntN(3)])}}
	case k == 7:
		return geo.Expr{Op: geo.OpLess, Args: []geo.Expr{prop("occurred_from"), geo.Day(time.Date(2026, 1, 1+r.IntN(20), 0, 0, 0, 0, time.UTC))}}
	}
	args := []geo.Expr{prop([]string{"a", "b"}[r.IntN(2)]), num()}
	if r.IntN(2) == 0 {
		args[0], args[1] = args[1], args[0]
	}
	return geo.Expr{Op: []geo.Op{geo.OpEqual, geo.OpNotEqual, geo.OpLess, geo.OpLessEqual, geo.OpGreater, geo.OpGreaterEqual}[r.IntN(6)], Args: args}
}

// shuffled is an expression with its conditions in another order.
func shuffled(r *rand.Rand, e geo.Expr) geo.Expr {
	args := append([]geo.Expr{}, e.Args...)
	for i := range args {
		args[i] = shuffled(r, args[i])
	}
	if e.Op == geo.OpAnd || e.Op == geo.OpOr {
		r.Shuffle(len(args), func(i, j int) { args[i], args[j] = args[j], args[i] })
	}
	e.Args = args
	return e
}

func FuzzTileFilter(f *testing.F) {
	for _, s := range []string{"a = 1 AND NOT (3 > b)", "a IN (2,1) OR a LIKE '%x'", "t_during(t,INTERVAL('..','2026-01-01'))", "not not a is null"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, err := tileFilterText(t, data.CQL2Text, s)
		if err != nil {
			return
		}
		if again, err := tileFilterText(t, data.CQL2Text, text); err != nil || again != text || len(text) > data.MaxTileFilterBytes {
			t.Fatalf("%q\n gives %q\n  then %q %v", s, text, again, err)
		}
	})
}

func BenchmarkTileFilter(b *testing.B) {
	e, err := data.ParseFilter(data.CQL2Text, "kind IN ('irr.exit','irr.entry') AND severity >= 3 AND occurred_from > DATE('2026-01-01')", nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := data.TileFilter(e); err != nil {
			b.Fatal(err)
		}
	}
}
