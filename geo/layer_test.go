package geo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

var awkwardTexts = []string{
	"", "plain", `quote " and \ slash`, "line\nbreak\ttab\r", "\x00\x01\x1f\x7f", "Kapuas Hulu – Lubok Antu",
	"\u2028\u2029", "漢字 😀 \U0010FFFF", "<script>&amp;</script>", "null", "1", "{}", strings.Repeat("long ", 200),
}

// someFeature returns a feature whose properties mix every type.
func someFeature(r *rand.Rand) Feature {
	f := Feature{Geometry: someGeometry(r), Properties: map[string]any{}}
	if r.IntN(3) == 0 {
		f.ID = fmt.Sprint("id-", r.IntN(1000))
	}
	if r.IntN(2) == 0 {
		f.From = time.UnixMilli(r.Int64N(4e12) - 1e12).UTC()
		f.To = f.From.Add(time.Duration(r.IntN(3)) * time.Hour)
	}
	if line, ok := f.Geometry.(orb.LineString); ok {
		for i := range line {
			f.VertexTimes = append(f.VertexTimes, time.UnixMilli(1.7e12+int64(i)*60500).UTC())
		}
	}
	value := func() any {
		switch r.IntN(8) {
		case 0:
			return r.NormFloat64()
		case 1:
			return math.Round(r.NormFloat64()*1e6) / 4
		case 2:
			return r.IntN(2) == 0
		case 3:
			return json.Number("9007199254740993")
		case 4:
			return json.RawMessage(`{"a":[1,2,"é"],"b":null}`)
		case 5:
			return -1e300
		default:
			return awkwardTexts[r.IntN(len(awkwardTexts))]
		}
	}
	for _, name := range []string{"mixed", "ключ \"1\"", "other"} {
		if r.IntN(3) > 0 {
			f.Properties[name] = value()
		}
	}
	if r.IntN(2) == 0 {
		f.Properties["number"] = r.NormFloat64()
	}
	if r.IntN(2) == 0 {
		f.Properties["text"] = awkwardTexts[r.IntN(len(awkwardTexts))]
	}
	return f
}

func checkFeature(t *testing.T, l *Layer, row int, want Feature) {
	t.Helper()
	got := l.Feature(row)
	want.FID = got.FID
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("row %d:\n got %#v\nwant %#v", row, got, want)
	}
	object := l.AppendProperties([]byte("x"), row)
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(object[1:]))
	d.UseNumber()
	if err := d.Decode(&m); err != nil || d.More() {
		t.Fatalf("row %d: %s: %v", row, object, err)
	}
	n := len(want.Properties)
	for name, v := range want.Properties {
		raw, _ := json.Marshal(v)
		if !sameJSON(t, raw, m[name]) {
			t.Fatalf("row %d: %s is %v, want %s", row, name, m[name], raw)
		}
	}
	from, to := l.Info.Kind.TimeFields()
	if !want.From.IsZero() {
		n++
		if at, err := time.Parse(time.RFC3339, m[from].(string)); err != nil || !at.Equal(want.From) {
			t.Fatalf("row %d: %s is %v, want %v", row, from, m[from], want.From)
		}
		if !want.To.Equal(want.From) {
			n++
			if at, err := time.Parse(time.RFC3339, m[to].(string)); err != nil || !at.Equal(want.To) {
				t.Fatalf("row %d: %s is %v, want %v", row, to, m[to], want.To)
			}
		}
	}
	if want.VertexTimes != nil {
		n++
		if times := m["times"].([]any); len(times) != len(want.VertexTimes) {
			t.Fatalf("row %d: %d times", row, len(times))
		}
	}
	if len(m) != n {
		t.Fatalf("row %d: %s has %d members, want %d", row, object, len(m), n)
	}
}

// sameJSON compares a value with what a decoder made of it; numbers as float64
// unless they are integers beyond it.
func sameJSON(t *testing.T, raw []byte, got any) bool {
	t.Helper()
	back, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if json.Unmarshal(raw, &a) != nil || json.Unmarshal(back, &b) != nil {
		return false
	}
	if n, ok := got.(json.Number); ok && strings.HasPrefix(string(raw), "90071992547409") {
		return string(n) == string(raw)
	}
	return reflect.DeepEqual(a, b)
}

func TestLayerRoundTrip(t *testing.T) {
	r := seeded(t, 41)
	var features []Feature
	layers := []*Layer{}
	for range 12 { // twelve appends of all sizes, checked at each step
		b := NewBuilder(LayerInfo{ID: "x", Kind: KindPatrolTrack, NextFID: int64(len(features) + 1)})
		for range 1 + r.IntN(40) {
			f := someFeature(r)
			features = append(features, f)
			b.Add(f)
		}
		next := b.Layer()
		if len(layers) > 0 {
			next = layers[len(layers)-1].Append(next)
		}
		layers = append(layers, next)
	}
	for _, l := range layers {
		for row := range l.Len() {
			checkFeature(t, l, row, features[row])
			if l.FID(row) != int64(row+1) {
				t.Fatalf("row %d has FID %d", row, l.FID(row))
			}
		}
		if int64(l.Len()+1) != l.Info.NextFID {
			t.Fatalf("%d rows, next FID %d", l.Len(), l.Info.NextFID)
		}
	}
	last := layers[len(layers)-1]
	drop := map[int64]bool{}
	var kept []Feature
	for row := range last.Len() {
		if r.IntN(3) == 0 {
			drop[last.FID(row)] = true
		} else {
			kept = append(kept, features[row])
		}
	}
	less := last.Without(drop)
	if less.Len() != len(kept) || less.Index().Len() != len(kept) {
		t.Fatalf("%d rows, %d indexed, want %d", less.Len(), less.Index().Len(), len(kept))
	}
	for row, f := range kept {
		checkFeature(t, less, row, f)
		if drop[less.FID(row)] {
			t.Fatalf("FID %d is still there", less.FID(row))
		}
	}
	if last.Without(map[int64]bool{1e9: true}) != last || last.Without(nil) != last {
		t.Error("nothing to remove, yet another layer")
	}
}

func TestUpsert(t *testing.T) {
	build := func(texts map[int64]string) *Layer {
		b := NewBuilder(LayerInfo{ID: "x"})
		for fid := int64(1); fid < 20; fid++ {
			if text, ok := texts[fid]; ok {
				b.Add(Feature{FID: fid, Geometry: orb.Point{float64(fid), 1}, Properties: map[string]any{"t": text}})
			}
		}
		return b.Layer()
	}
	l := build(map[int64]string{1: "a", 2: "b", 3: "c"}).Upsert(build(map[int64]string{2: "B", 9: "n"}))
	var got []string
	for row := range l.Len() {
		got = append(got, fmt.Sprint(l.FID(row), l.Text(row, "t")))
	}
	if want := []string{"1a", "3c", "2B", "9n"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if l.Info.NextFID != 10 {
		t.Errorf("next FID %d, want 10", l.Info.NextFID)
	}
	if hits := l.Near(orb.Point{2, 1}, 1); hits[0].Row != 2 {
		t.Errorf("index finds row %d", hits[0].Row)
	}
}

// Two layers made from one must not write into each other.
func TestAppendDoesNotClobber(t *testing.T) {
	one := func(fid int64) *Layer {
		b := NewBuilder(LayerInfo{NextFID: fid})
		b.Add(Feature{Geometry: orb.Point{float64(fid), 0}, ID: fmt.Sprint(fid), Properties: map[string]any{"n": float64(fid)}})
		return b.Layer()
	}
	base := one(1)
	for fid := int64(2); fid < 100; fid++ {
		base = base.Append(one(fid))
		a, b := base.Append(one(1000)), base.Append(one(2000))
		row := int(fid)
		if a.FID(row) != 1000 || b.FID(row) != 2000 || a.Number(row, "n") != 1000 || b.ID(row) != "2000" {
			t.Fatalf("after %d rows: FIDs %d and %d", fid, a.FID(row), b.FID(row))
		}
		if len(base.chunks) > 8 {
			t.Fatalf("%d chunks for %d rows", len(base.chunks), base.Len())
		}
	}
	for row := range base.Len() {
		if base.FID(row) != int64(row+1) {
			t.Fatalf("row %d has FID %d", row, base.FID(row))
		}
	}
}

func TestChunkBoundaries(t *testing.T) {
	const n = 2*chunkRows + 7
	b := NewBuilder(LayerInfo{})
	for i := range n {
		f := Feature{Geometry: orb.Point{float64(i%360) - 180, float64(i%180) - 90},
			Properties: map[string]any{"i": float64(i)}}
		if i == chunkRows+1 { // what only one chunk has
			f.Properties["rare"] = "here"
			f.ID = "named"
			f.From = time.Unix(0, 0)
		}
		b.Add(f)
	}
	l := b.Layer()
	if l.Len() != n || b.Len() != n || len(l.chunks) != 3 {
		t.Fatalf("%d rows in %d chunks", l.Len(), len(l.chunks))
	}
	for _, row := range []int{0, 1, chunkRows - 1, chunkRows, chunkRows + 1, 2*chunkRows - 1, 2 * chunkRows, n - 1} {
		if l.FID(row) != int64(row+1) || l.Number(row, "i") != float64(row) {
			t.Errorf("row %d: FID %d, i %g", row, l.FID(row), l.Number(row, "i"))
		}
		rare := row == chunkRows+1
		if _, _, dated := l.TimesMS(row); dated != rare || (l.Text(row, "rare") == "here") != rare || (l.ID(row) == "named") != rare {
			t.Errorf("row %d: the rare property is in the wrong place", row)
		}
		if p, ok := l.Point(row); !ok || p != l.Geometry(row) {
			t.Errorf("row %d is at %v", row, p)
		}
	}
	less := l.Without(map[int64]bool{chunkRows + 2: true, 1: true})
	if less.Len() != n-2 || less.Number(0, "i") != 1 || less.Number(chunkRows, "i") != chunkRows+2 {
		t.Errorf("%d rows left; row %d is %g", less.Len(), chunkRows, less.Number(chunkRows, "i"))
	}
	if got := less.Window(globe); len(got) != n-2 || got[0] != 0 || got[len(got)-1] != n-3 {
		t.Errorf("%d rows in the window", len(got))
	}
}

func TestColumns(t *testing.T) {
	b := NewBuilder(LayerInfo{Kind: KindIncident})
	b.Add(Feature{Geometry: orb.Point{1, 1}, Properties: map[string]any{
		"n": 1.5, "t": "a", "b": true, "j": json.RawMessage(" [1, 2] "), "m": "x", "nan": math.NaN(), "nil": nil,
		"chan": make(chan int), "raw": json.RawMessage("null"), "bad": json.RawMessage("{"), "int": 7, "num": json.Number("3.50"),
		"junk": json.Number("abc"), "list": []string{"p", "q"}, "huge": json.Number("1e999"),
	}})
	b.Add(Feature{Geometry: orb.Point{2, 2}, Properties: map[string]any{"m": 4.0, "n": json.Number("2"), "t": "a"}})
	l := b.Layer()
	want := []Column{{"b", "boolean"}, {"huge", "number"}, {"int", "number"}, {"j", "json"}, {"list", "json"},
		{"m", "mixed"}, {"n", "number"}, {"num", "number"}, {"t", "text"}}
	if got := l.Columns(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	const object = `{"b":true,"huge":1e999,"int":7,"j":[1,2],"list":["p","q"],"m":"x","n":1.5,"num":3.5,"t":"a"}`
	if got := string(l.AppendProperties(nil, 0)); got != object {
		t.Errorf("%s, want %s", got, object)
	}
	for name, v := range map[string]any{"int": 7.0, "num": 3.5, "j": json.RawMessage("[1,2]"), "nan": nil,
		"huge": json.Number("1e999"), "none": nil} {
		if got := l.Value(0, name); !reflect.DeepEqual(got, v) {
			t.Errorf("%s is %#v, want %#v", name, got, v)
		}
	}
	if l.Number(1, "m") != 4 || l.Number(1, "n") != 2 || !math.IsNaN(l.Number(0, "t")) || l.Text(1, "m") != "" {
		t.Error("numbers and texts are mixed up")
	}
	var names []string
	l.Literals(1, func(name, literal string) { names = append(names, name+"="+literal) })
	if want := []string{"m=4", "n=2", `t="a"`}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	for _, col := range l.chunks[0].columns {
		if numeric := col.name == "n" || col.name == "int" || col.name == "num"; col.numeric() != numeric {
			t.Errorf("column %s: numeric is %v", col.name, col.numeric())
		}
	}
}

// A property with the name of a time gives way to the time.
func TestAppendPropertiesHasNoDoubleKeys(t *testing.T) {
	b := NewBuilder(LayerInfo{Kind: KindBoundary})
	props := map[string]any{"from": "west", "to": "east", "times": 3.0}
	b.Add(Feature{Geometry: orb.Point{1, 1}, Properties: props})
	b.Add(Feature{Geometry: orb.LineString{{1, 1}, {2, 2}}, Properties: props, From: time.UnixMilli(0), To: time.UnixMilli(1500),
		VertexTimes: []time.Time{time.UnixMilli(0), time.UnixMilli(1500)}})
	l := b.Layer()
	for row, want := range []string{
		`{"from":"west","times":3,"to":"east"}`,
		`{"from":"1970-01-01T00:00:00Z","to":"1970-01-01T00:00:01.500Z","times":["1970-01-01T00:00:00Z","1970-01-01T00:00:01.500Z"]}`,
	} {
		if got := string(l.AppendProperties(nil, row)); got != want {
			t.Errorf("row %d: %s, want %s", row, got, want)
		}
	}
}

func TestLayerID(t *testing.T) {
	b := NewBuilder(LayerInfo{})
	for _, f := range []Feature{
		{ID: "own", Properties: map[string]any{"id": "x"}},
		{Properties: map[string]any{"external_id": "ext", "id": "x"}},
		{Properties: map[string]any{"external_id": "", "id": 12.0}},
		{},
	} {
		f.Geometry = orb.Point{1, 1}
		b.Add(f)
	}
	l := b.Layer()
	for row, want := range []string{"own", "ext", "12", ""} {
		if got := l.ID(row); got != want {
			t.Errorf("row %d: %q, want %q", row, got, want)
		}
	}
}

func TestEmptyLayer(t *testing.T) {
	l := NewBuilder(LayerInfo{ID: "e"}).Layer()
	if l.Len() != 0 || !l.Bound().IsEmpty() || l.Window(globe) != nil || len(l.Columns()) != 0 {
		t.Errorf("%d rows, bound %v", l.Len(), l.Bound())
	}
	b := NewBuilder(LayerInfo{ID: "e"})
	b.Add(Feature{Geometry: orb.MultiPolygon{}})
	b.Add(Feature{Geometry: orb.Point{104, 1}})
	both := l.Append(b.Layer()).Append(l)
	if both.Len() != 2 || both.Bound() != (orb.Point{104, 1}).Bound() {
		t.Errorf("%d rows, bound %v", both.Len(), both.Bound())
	}
	if both.Without(map[int64]bool{1: true, 2: true}).Len() != 0 {
		t.Error("rows left")
	}
	defer func() {
		if recover() == nil {
			t.Error("a feature without geometry was taken")
		}
	}()
	NewBuilder(LayerInfo{}).Add(Feature{})
}

func TestQuoteJSON(t *testing.T) {
	for _, s := range append(awkwardTexts, "bad \xff\xfe utf-8", "half \xed\xa0\x80 pair") {
		var back string
		if err := json.Unmarshal([]byte(quoteJSON(s)), &back); err != nil || back != strings.ToValidUTF8(s, "\uFFFD") &&
			!strings.Contains(back, "\uFFFD") {
			t.Errorf("%q became %q (%v)", s, back, err)
		}
	}
}

// What goes in as JSON comes out as the same JSON.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"1", "-0", "1e999", "9007199254740993", `"a"`, `"\ud800"`, "[1, 2]", `{"a":null}`, "null", "tru", "1 2", "\"\x80\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		number, lit, ok := encode(json.RawMessage(raw))
		if !ok {
			return
		}
		if lit == "" {
			lit = formatNumber(number)
		}
		if !json.Valid([]byte(lit)) {
			t.Fatalf("%q became %q", raw, lit)
		}
		n2, lit2, ok := encode(decodeLiteral(lit))
		if lit2 == "" {
			lit2 = formatNumber(n2)
		}
		if !ok || lit2 != lit {
			t.Fatalf("%q became %q, then %q", raw, lit, lit2)
		}
	})
}

// Since names what an edit took out and where the new rows begin, and only of
// the layer that was edited.
func TestSince(t *testing.T) {
	build := func(next int64, n int) *Layer {
		b := NewBuilder(LayerInfo{ID: "x", NextFID: next})
		for i := range n {
			b.Add(Feature{Geometry: orb.Point{float64(i), 0}})
		}
		return b.Layer()
	}
	old := build(1, 5)
	appended := old.Append(build(6, 2))
	if gone, first, ok := appended.Since(old); !ok || len(gone) != 0 || first != 5 {
		t.Errorf("append: %v, %d, %v", gone, first, ok)
	}
	replaced := NewBuilder(LayerInfo{ID: "x"})
	replaced.Add(Feature{FID: 2, Geometry: orb.Point{9, 9}})
	replaced.Add(Feature{FID: 8, Geometry: orb.Point{8, 8}})
	upserted := appended.Upsert(replaced.Layer()).WithInfo(LayerInfo{ID: "y"})
	if gone, first, ok := upserted.Since(appended); !ok || !gone[2] || first != 6 || upserted.FID(6) != 2 {
		t.Errorf("upsert: %v, %d, %v", gone, first, ok)
	}
	if _, _, ok := upserted.Since(old); ok {
		t.Error("two edits away is taken for one")
	}
	if _, _, ok := build(1, 5).Since(old); ok {
		t.Error("another layer with the same rows is taken for a successor")
	}
	less := old.Without(map[int64]bool{3: true})
	if gone, first, ok := less.Since(old); !ok || !gone[3] || first != 4 {
		t.Errorf("without: %v, %d, %v", gone, first, ok)
	}
	if gone, first, ok := old.WithInfo(LayerInfo{ID: "z"}).Since(old); !ok || len(gone) != 0 || first != 5 {
		t.Errorf("the same rows: %v, %d, %v", gone, first, ok)
	}
}
