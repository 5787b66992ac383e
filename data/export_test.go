package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"github.com/sempadan/sempadan/geo"
)

func write(t testing.TB, format string, l *geo.Layer) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, l, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func build(kind geo.LayerKind, features ...geo.Feature) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "t", Kind: kind})
	for _, f := range features {
		b.Add(f)
	}
	return b.Layer()
}

func TestWriteGeoJSON(t *testing.T) {
	at := time.Date(2022, 11, 5, 4, 0, 0, 0, time.UTC)
	l := build(geo.KindIncident,
		geo.Feature{ID: "a\"b", Geometry: orb.Point{112.20000004, 1.45}, From: at, To: at, Properties: map[string]any{"kind": "irr.exit"}},
		geo.Feature{Geometry: orb.Polygon{{{0, 0}, {0, 4}, {4, 4}, {0, 0}}, {{1, 2}, {1.5, 2}, {1.5, 2.5}, {1, 2}}}})
	want := `{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a\"b","geometry":{"type":"Point","coordinates":[112.2,1.45]},"properties":{"kind":"irr.exit","occurred_from":"2022-11-05T04:00:00Z"}},
{"type":"Feature","id":2,"geometry":{"type":"Polygon","coordinates":[[[0,0],[4,4],[0,4],[0,0]],[[1,2],[1.5,2.5],[1.5,2],[1,2]]]},"properties":{}}
]}
`
	if got := write(t, FormatGeoJSON, l); got != want {
		t.Errorf("%s", got)
	}
	if got := write(t, FormatGeoJSONSeq, l); strings.Count(got, "\x1e{") != 2 || strings.Count(got, "}\n") != 2 {
		t.Errorf("%q", got)
	}
	var b bytes.Buffer
	if err := Write(&b, FormatGeoJSON, l, slices.Values([]int{1})); err != nil || strings.Contains(b.String(), "irr.exit") {
		t.Error(err, b.String())
	}
	var r *Refusal
	if err := Write(&b, "dxf", l, nil); !errors.As(err, &r) || r.Status != 415 {
		t.Error(err)
	}
	if got := write(t, FormatGeoJSON, build(geo.KindOther)); !json.Valid([]byte(got)) {
		t.Error(got)
	}
}

func TestAppendFeatureExtra(t *testing.T) {
	l := build(geo.KindOther, geo.Feature{Geometry: orb.Point{1, 2}}, geo.Feature{Geometry: orb.Point{1, 2}, Properties: map[string]any{"a": 1.0}})
	for row, want := range []string{`{"distance_m":12.5,"x":true}`, `{"a":1,"distance_m":12.5,"x":true}`} {
		got := string(AppendFeature(nil, l, row, Extra{"distance_m", "12.5"}, Extra{"x", "true"}))
		if !strings.Contains(got, `"properties":`+want+"}") || !json.Valid([]byte(got)) {
			t.Error(got)
		}
	}
}

func TestWriteCSV(t *testing.T) {
	at := time.Date(2022, 11, 5, 4, 0, 0, 0, time.UTC)
	l := build(geo.KindIncident,
		geo.Feature{ID: "A1", Geometry: orb.Point{112.2, 1.45}, From: at, To: at.Add(time.Hour), Properties: map[string]any{
			"kind": "irr.exit", "severity": 3.0, "note": "=cmd|' /C calc'!A0", "=SUM(A1)": "+1", "acts": json.RawMessage(`["send"]`)}},
		geo.Feature{Geometry: orb.Point{-1, -2}, Properties: map[string]any{"note": "a \"b\", c\nd", "severity": -1.0}})
	want := "id,lon,lat,occurred_from,occurred_to,\"'=SUM(A1)\",acts,kind,note,severity\r\n" +
		"A1,112.2,1.45,2022-11-05T04:00:00Z,2022-11-05T05:00:00Z,\"'+1\",\"[\"\"send\"\"]\",irr.exit,\"'=cmd|' /C calc'!A0\",3\r\n" +
		",-1,-2,,,,,,\"a \"\"b\"\", c\nd\",-1\r\n"
	if got := write(t, FormatCSV, l); got != want {
		t.Errorf("%q", got)
	}
	for _, s := range []string{"=1", "+1", "-1", "@x", "\tx", "\rx"} {
		if got := string(appendCell(nil, s)); !strings.HasPrefix(got, `"'`) {
			t.Errorf("%q becomes %q", s, got)
		}
	}
	l = build(geo.KindBoundary, geo.Feature{Geometry: orb.LineString{{1, 2}, {3, 4}}}, geo.Feature{Geometry: orb.Point{1, 2}})
	if got := write(t, FormatCSV, l); got != "id,wkt,from,to\r\n,\"LINESTRING(1 2,3 4)\",,\r\n,\"POINT(1 2)\",,\r\n" {
		t.Errorf("%q", got)
	}
}

type failing struct{ after int }

func (f *failing) Write(p []byte) (int, error) {
	if f.after -= len(p); f.after < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestWriteReportsErrors(t *testing.T) {
	l, _ := mustImport(t, string(benchCSV()[:1<<20]), geo.KindIncident)
	for _, format := range WriteFormats() {
		if err := Write(&failing{100_000}, format, l, nil); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// degrees returns a random ordinate of at most seven decimals.
func degrees(rnd *rand.Rand, most float64) float64 {
	return math.Round((rnd.Float64()*2-1)*most*1e7) / 1e7
}

func randomGeometry(rnd *rand.Rand, kind geo.LayerKind) orb.Geometry {
	p := func() orb.Point { return orb.Point{degrees(rnd, 179), degrees(rnd, 89)} }
	line := func() orb.LineString {
		var l orb.LineString
		for range 2 + rnd.IntN(5) {
			l = append(l, p())
		}
		return l
	}
	polygon := func() orb.Polygon {
		c := orb.Point{math.Round(degrees(rnd, 170)), math.Round(degrees(rnd, 80))}
		at := func(x, y float64) orb.Point { return orb.Point{c[0] + x, c[1] + y} }
		return orb.Polygon{{at(0, 0), at(4, 0), at(4, 4), at(0, 4), at(0, 0)}, {at(1, 1), at(1, 2), at(2, 2), at(1, 1)}}
	}
	if kind == geo.KindPatrolTrack {
		return line()
	}
	switch rnd.IntN(8) {
	case 0:
		return orb.MultiPoint{p(), p()}
	case 1:
		return line()
	case 2:
		return orb.MultiLineString{line(), line()}
	case 3:
		return polygon()
	case 4:
		return orb.MultiPolygon{polygon(), polygon()}
	case 5:
		return orb.Collection{p(), line()}
	}
	return p()
}

func randomText(rnd *rand.Rand) string {
	words := []string{"Sei Nyamuk", "Ülü", "\"quoted\"", "a, b; c", "line\nbreak", "tab\there", "emoji 😀", "", "back\\slash", "it's", "\u2028", "<b>"}
	return "x" + words[rnd.IntN(len(words))] + words[rnd.IntN(len(words))]
}

func randomLayer(rnd *rand.Rand, kind geo.LayerKind) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "r", Kind: kind})
	for i := range 1 + rnd.IntN(40) {
		f := geo.Feature{ID: fmt.Sprintf("f%d", i), Geometry: randomGeometry(rnd, kind), Properties: map[string]any{"text": randomText(rnd), "number": float64(rnd.IntN(100)) / 8}}
		if rnd.IntN(2) == 0 {
			f.From = time.UnixMilli(1_600_000_000_000 + rnd.Int64N(1e11)).UTC()
			f.To = f.From.Add(time.Duration(rnd.IntN(3)) * time.Hour)
		}
		if kind == geo.KindPatrolTrack {
			f.Properties = map[string]any{"track_id": f.ID, "mode": "foot", "text": randomText(rnd)}
			at := time.UnixMilli(1_700_000_000_000 + rnd.Int64N(1e10)).UTC()
			for k := range f.Geometry.(orb.LineString) {
				f.VertexTimes = append(f.VertexTimes, at.Add(time.Duration(k)*time.Minute))
			}
			f.From, f.To = f.VertexTimes[0], f.VertexTimes[len(f.VertexTimes)-1]
		} else {
			f.Properties["big"] = json.Number("12345678901234567890")
			f.Properties["yes"] = rnd.IntN(2) == 0
			f.Properties["nested"] = json.RawMessage(`{"a":[1,"é",null]}`)
		}
		b.Add(f)
	}
	return b.Layer()
}

// sameFeature compares what a file can carry: everything but the FID.
func sameFeature(a, b geo.Feature, loose bool) error {
	if a.ID != b.ID || !orb.Equal(a.Geometry, b.Geometry) || !a.From.Equal(b.From) || !a.To.Equal(b.To) ||
		!slices.EqualFunc(a.VertexTimes, b.VertexTimes, time.Time.Equal) {
		return fmt.Errorf("%+v\nbecame\n%+v", a, b)
	}
	show := func(v any) string {
		s := fmt.Sprint(v)
		if raw, ok := v.(json.RawMessage); ok {
			s = string(raw)
		}
		if !loose {
			s = fmt.Sprintf("%T %s", v, s)
		}
		return s
	}
	if !maps.EqualFunc(a.Properties, b.Properties, func(x, y any) bool { return show(x) == show(y) }) {
		return fmt.Errorf("%v\nbecame\n%v", a.Properties, b.Properties)
	}
	return nil
}

func TestRoundTrip(t *testing.T) {
	const seed = 20261122
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 25 {
		for _, kind := range []geo.LayerKind{geo.KindOther, geo.KindCrossing, geo.KindPatrolTrack} {
			l := randomLayer(rnd, kind)
			for _, format := range []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV} {
				text := write(t, format, l)
				back, report, err := importText(text, kind, func(o *ImportOptions) { o.Format = format })
				if err != nil || back.Len() != l.Len() {
					t.Fatalf("%s %s: %v %+v\n%s", kind, format, err, report, text)
				}
				for row := range l.Len() {
					got := back.Feature(row)
					if format == FormatCSV {
						got.ID = back.ID(row)
						if kind != geo.KindPatrolTrack {
							delete(got.Properties, "id")
						}
					}
					if err := sameFeature(l.Feature(row), got, format == FormatCSV); err != nil {
						t.Fatalf("%s %s: %v", kind, format, err)
					}
				}
				if again := write(t, format, back); format != FormatCSV && again != text {
					t.Fatalf("%s %s changes when it is written again:\n%s\n%s", kind, format, text, again)
				}
			}
		}
	}
}

// The foreign judge of the writer is orb's GeoJSON reader.
func TestWriteTwin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	l := randomLayer(rnd, geo.KindOther)
	fc, err := geojson.UnmarshalFeatureCollection([]byte(write(t, FormatGeoJSON, l)))
	if err != nil || len(fc.Features) != l.Len() {
		t.Fatal(err)
	}
	for row, f := range fc.Features {
		if !orb.Equal(f.Geometry, l.Geometry(row)) || f.ID != l.ID(row) || f.Properties.MustString("text") != l.Text(row, "text") {
			t.Errorf("%+v became %+v", l.Feature(row), f)
		}
	}
}
