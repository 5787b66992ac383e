package gpkg

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/data/storetest"
	"github.com/sempadan/sempadan/geo"
)

func TestCanBeColumn(t *testing.T) {
	for name, want := range map[string]bool{
		"kind": true, "_x": true, "A9_b": true, "select": true, strings.Repeat("a", 63): true,
		"": false, "9a": false, "a b": false, "naïve": false, `a"b`: false, "a;b": false, "x.y": false,
		"fid": false, "FID": false, "Geom": false, "rowid": false, "oid": false, "Properties": false, strings.Repeat("a", 64): false,
	} {
		if got := canBeColumn(name); got != want {
			t.Errorf("canBeColumn(%q) = %v", name, got)
		}
	}
}

// TestColumns checks which properties get a column, and of what type.
func TestColumns(t *testing.T) {
	s := newStore(t)
	b := geo.NewBuilder(geo.LayerInfo{ID: "c"})
	b.Add(geo.Feature{Geometry: orb.Point{1, 2}, Properties: map[string]any{
		"count": 3.0, "weight": 1.0, "name": "a", "flag": true, "mixed": 1.0, "list": json.RawMessage(`[1]`), "Number of Dead": 2.0, "Name": "b"}})
	b.Add(geo.Feature{Geometry: orb.Point{1, 2}, Properties: map[string]any{"count": 4.0, "weight": 0.5, "mixed": "x"}})
	l := b.Layer()
	mustCommit(t, s, data.Replace, l)
	wantColumns(t, s, "Name TEXT, count INTEGER, flag BOOLEAN, weight DOUBLE")
	wantText(t, s, `SELECT properties FROM c WHERE fid = 2`, `{"mixed":"x"}`)
	storetest.Equal(t, mustLoad(t, s, "c"), l)

	more := geo.NewBuilder(geo.LayerInfo{ID: "c", NextFID: 3})
	more.Add(geo.Feature{Geometry: orb.LineString{{1, 2}, {3, 4}}, Properties: map[string]any{"count": 0.5, "weight": "heavy", "added": "new"}})
	mustCommit(t, s, data.Append, more.Layer())
	wantColumns(t, s, "Name TEXT, count DOUBLE, flag BOOLEAN, weight DOUBLE, added TEXT")
	wantText(t, s, `SELECT properties FROM c WHERE fid = 3`, `{"weight":"heavy"}`)
	wantText(t, s, `SELECT geometry_type_name FROM gpkg_geometry_columns`, "GEOMETRY")
}

func wantColumns(t *testing.T, s *Store, want string) {
	t.Helper()
	wantText(t, s, `SELECT group_concat(name || ' ' || type, ', ') FROM pragma_table_info('c') WHERE cid >= 6 AND name NOT IN ('properties', 'version_added')`, want)
}

func wantText(t *testing.T, s *Store, query, want string) {
	t.Helper()
	var got string
	if err := s.reader.QueryRow(query).Scan(&got); err != nil || got != want {
		t.Errorf("%s: %q, %v; want %q", query, got, err, want)
	}
}

func mustCommit(t *testing.T, s *Store, mode data.Mode, l *geo.Layer) geo.LayerInfo {
	t.Helper()
	info, err := s.Commit(t.Context(), data.Change{Info: l.Info, Mode: mode, Rows: l, Provenance: data.Provenance{At: time.Unix(1e9, 0).UTC()}})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func mustLoad(t *testing.T, s *Store, id string) *geo.Layer {
	t.Helper()
	l, err := s.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTimes(t *testing.T) {
	for _, test := range []struct {
		ms   int64
		text string
	}{
		{0, "1970-01-01T00:00:00.000Z"},
		{1772600767890, "2026-03-04T05:06:07.890Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
	} {
		got, err := formatTime(test.ms)
		if err != nil || got != test.text {
			t.Errorf("formatTime(%d) = %q, %v", test.ms, got, err)
		}
		if back, ok := parseTime(got); !ok || back.UnixMilli() != test.ms {
			t.Errorf("parseTime(%q) = %v, %v", got, back, ok)
		}
	}
	for _, year := range []int{-1, 10000} {
		if s, err := formatTime(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC).UnixMilli()); err == nil {
			t.Errorf("year %d gave %q", year, s)
		}
	}
	// Other programs leave out the fraction or write a zone.
	for _, text := range []string{"2026-03-04T05:06:07Z", "2026-03-04T12:06:07+07:00", "2026-03-04T05:06:07.000000Z"} {
		if got, err := decodeTime(text); err != nil || got.Format(time.RFC3339) != "2026-03-04T05:06:07Z" {
			t.Errorf("decodeTime(%q) = %v, %v", text, got, err)
		}
	}
	if _, err := decodeTime("yesterday"); err == nil {
		t.Error("no error")
	}
}

func FuzzDecodeTime(f *testing.F) {
	for _, s := range []string{"2026-03-04T05:06:07.890Z", "2026-03-04T05:06:07Z", "0000-00-00T00:00:00.000Z", "2026-02-30T24:61:61.999Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := decodeTime(s)
		if err != nil || got.IsZero() {
			return
		}
		text, err := formatTime(got.UnixMilli())
		if err != nil {
			return
		}
		if back, err := decodeTime(text); err != nil || back.UnixMilli() != got.UnixMilli() {
			t.Errorf("%q became %v and %v, %v", s, got, back, err)
		}
	})
}

func TestParseProperties(t *testing.T) {
	for text, want := range map[string]map[string]any{
		`{"a":1,"b":"x","c":true,"d":null,"e":[1 ,2],"f":{"g":1}}`: {"a": 1.0, "b": "x", "c": true, "e": json.RawMessage(`[1 ,2]`), "f": json.RawMessage(`{"g":1}`)},
		`{"a":1.50,"b":9007199254740993,"c":1e400,"d":-0.5}`:       {"a": json.Number("1.50"), "b": json.Number("9007199254740993"), "c": json.Number("1e400"), "d": -0.5},
		`not JSON`: nil, `[1]`: nil, `{`: nil, `{}`: {},
	} {
		if got := parseProperties(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v", text, got)
		}
	}
}

func FuzzParseProperties(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":"x","c":[true,null]}`, `{"a":1e400}`, `{"":"\u0000\ud800"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := parseProperties(text)
		e := encoder{}
		for name, v := range p {
			if err := e.appendRest(name, v); err != nil {
				t.Fatalf("%q: %v", name, err)
			}
		}
		if len(p) == 0 {
			return
		}
		if back := parseProperties(string(append(e.rest, '}'))); !reflect.DeepEqual(back, p) {
			t.Errorf("%#v became %#v", p, back)
		}
	})
}

// TestBadJSON: a value that is not JSON would make the row's others unreadable.
func TestBadJSON(t *testing.T) {
	for _, v := range []any{json.RawMessage(`{"a":`), json.Number("0x1"), json.Number("")} {
		if b, err := appendJSON(nil, v); err == nil {
			t.Errorf("%#v gave %s", v, b)
		}
	}
}

func TestRounding(t *testing.T) {
	for _, v := range []float64{0, 1, -1, 0.1, -0.1, 179.99999999, -90, 118.123456789} {
		lo, hi := roundDown(v), roundUp(v)
		if float64(lo) > v || float64(hi) < v || math.Abs(float64(hi-lo)) > 2e-5 {
			t.Errorf("%v: %v to %v", v, lo, hi)
		}
	}
}

// TestTexts: what SQLite's json_array makes of text comes back as it was.
func TestTexts(t *testing.T) {
	s := newStore(t)
	want := []any{"plain", nil, "", "quote \" back \\ slash", "\x00\x01\n\r\t\u2028 é 😀", "null", "[\"a\",null]", `ends with \`}
	var args []any
	args = append(args, want...)
	var array string
	if err := s.reader.QueryRow(`SELECT json_array(?, ?, ?, ?, ?, ?, ?, ?)`, args...).Scan(&array); err != nil {
		t.Fatal(err)
	}
	d := newDecoder(geo.NewBuilder(geo.LayerInfo{}), nil)
	d.values = make([]any, len(want))
	for k := range want {
		d.text = append(d.text, k)
	}
	for range 2 { // the second time they are known
		if err := d.texts(array); err != nil || !reflect.DeepEqual(d.values, want) {
			t.Errorf("%s: %q, %v", array, d.values, err)
		}
	}
}

func FuzzTexts(f *testing.F) {
	for _, s := range []string{`["a",null,"b\"\u0001"]`, `[]`, `["`, `["a"`, `[null`, `["\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := decoder{text: []int{0, 1, 2}, values: make([]any, 3), known: map[string]any{}}
		if d.texts(s) != nil || !json.Valid([]byte(s)) {
			return
		}
		var want []any
		if err := json.Unmarshal([]byte(s), &want); err == nil && len(want) == 3 && !reflect.DeepEqual(d.values, want) {
			t.Errorf("%s: %q, want %q", s, d.values, want)
		}
	})
}
