package storetest

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Random returns a layer of n features with every kind of geometry, time and
// property; the same seed gives the same layer.
func Random(seed uint64, id string, n int) *geo.Layer {
	r := generator{rand.New(rand.NewPCG(seed, 7))}
	b := geo.NewBuilder(info(id))
	// Some layers have one type of geometry, some all.
	only := -1
	if r.IntN(2) == 0 {
		only = r.IntN(geometryKinds)
	}
	fid := int64(r.IntN(3))
	for range n {
		fid += 1 + int64(r.IntN(3)*r.IntN(2))
		kind := only
		if kind < 0 {
			kind = r.IntN(geometryKinds)
		}
		b.Add(r.feature(fid, kind))
	}
	return b.Layer()
}

const geometryKinds = 7

type generator struct{ *rand.Rand }

func (r generator) feature(fid int64, kind int) geo.Feature {
	f := geo.Feature{FID: fid, Geometry: r.geometry(kind, 0), Properties: r.properties()}
	if r.IntN(3) > 0 {
		f.ID = r.text()
	}
	switch r.IntN(4) {
	case 0:
	case 1:
		f.From = r.instant()
		if r.IntN(20) == 0 {
			f.From = [...]time.Time{time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)}[r.IntN(2)]
		}
		f.To = f.From
	default:
		f.From = r.instant()
		f.To = f.From.Add(time.Duration(r.IntN(1e9)) * time.Millisecond)
	}
	if line, ok := f.Geometry.(orb.LineString); ok && r.IntN(2) == 0 {
		at := r.instant()
		for range line {
			f.VertexTimes = append(f.VertexTimes, at)
			at = at.Add(time.Duration(r.IntN(600_000)) * time.Millisecond)
		}
	}
	return f
}

func (r generator) instant() time.Time { return time.UnixMilli(r.Int64N(2e12)).UTC() }

func (r generator) point() orb.Point {
	switch r.IntN(20) {
	case 0:
		return orb.Point{180, -90}
	case 1:
		return orb.Point{math.Copysign(0, -1), math.Nextafter(1, 2)}
	}
	return orb.Point{r.Float64()*360 - 180, r.Float64()*180 - 90}
}

func (r generator) line() orb.LineString {
	line := make(orb.LineString, 2+r.IntN(20))
	for i := range line {
		line[i] = r.point()
	}
	return line
}

func (r generator) polygon() orb.Polygon {
	p := make(orb.Polygon, 1+r.IntN(3))
	for i := range p {
		ring := orb.Ring(r.line())
		ring = append(ring, r.point(), r.point())
		p[i] = append(ring, ring[0])
	}
	return p
}

func (r generator) geometry(kind, depth int) orb.Geometry {
	n := 1 + r.IntN(4)
	switch kind {
	case 1:
		return r.line()
	case 2:
		return r.polygon()
	case 3:
		g := make(orb.MultiPoint, n)
		for i := range g {
			g[i] = r.point()
		}
		return g
	case 4:
		g := make(orb.MultiLineString, n)
		for i := range g {
			g[i] = r.line()
		}
		return g
	case 5:
		g := make(orb.MultiPolygon, n)
		for i := range g {
			g[i] = r.polygon()
		}
		return g
	case 6:
		g := make(orb.Collection, n)
		for i := range g {
			g[i] = r.geometry(r.IntN(geometryKinds-depth), min(depth+1, 1))
		}
		return g
	}
	return r.point()
}

func (r generator) text() string {
	return [...]string{"a", "", "Selat Melaka", "日本語 ✓ 😀", "quote \" ' \\ / <b>&amp;", "line\nbreak\ttab\r", "\x01\x1f\u2028\ufffd",
		"12", "true", "null", "{}", "2026-01-02T03:04:05Z", fmt.Sprint("unique ", r.Int64())}[r.IntN(13)]
}

func (r generator) number() float64 {
	return [...]float64{0, 1, -1, 5, 0.1, -2.5e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 1<<53 - 1, 1 << 53, 1e21, math.Pi,
		float64(r.IntN(1000)), r.NormFloat64()}[r.IntN(14)]
}

func (r generator) bigNumber() json.Number {
	return [...]json.Number{"9007199254740993", "-9223372036854775808", "123456789012345678901234567890", "1.50", "1e400", "0.1000000000000000055511151231257827"}[r.IntN(6)]
}

func (r generator) jsonValue() json.RawMessage {
	return [...]json.RawMessage{json.RawMessage(`[]`), json.RawMessage(`{}`), json.RawMessage(`[1, "two",null,{"a":[true]}]`),
		json.RawMessage(`{"k" : "v","n":1.0}`)}[r.IntN(4)]
}

func (r generator) any() any {
	switch r.IntN(5) {
	case 0:
		return r.text()
	case 1:
		return r.number()
	case 2:
		return r.IntN(2) == 0
	case 3:
		return r.bigNumber()
	}
	return r.jsonValue()
}

func (r generator) properties() map[string]any {
	p := map[string]any{}
	set := func(name string, v any) {
		if r.IntN(4) > 0 {
			p[name] = v
		}
	}
	set("text", r.text())
	set("integer", float64(r.IntN(100)-50))
	set("number", r.number())
	set("flag", r.IntN(2) == 0)
	set("big", r.bigNumber())
	set("json", r.jsonValue())
	set("mixed", r.any())
	// Names that cannot, or should not, be those of columns.
	for _, name := range []string{"FID", "geom", "properties", "Number of Dead", "naïve", `a"b'c\`, "", "select", "version_added", "x.y", "Text"} {
		if r.IntN(8) == 0 {
			p[name] = r.any()
		}
	}
	return p
}

// Equal fails the test where got differs from want in any feature.
func Equal(t *testing.T, got, want *geo.Layer) {
	t.Helper()
	if got.Len() != want.Len() {
		t.Errorf("%d features, want %d", got.Len(), want.Len())
		return
	}
	for row := range want.Len() {
		g, w := got.Feature(row), want.Feature(row)
		if !sameFeature(g, w) {
			t.Errorf("feature in row %d:\n got %+v\nwant %+v", row, g, w)
			return
		}
	}
}

func sameFeature(a, b geo.Feature) bool {
	return a.FID == b.FID && a.ID == b.ID && a.From.Equal(b.From) && a.To.Equal(b.To) && a.From.IsZero() == b.From.IsZero() &&
		reflect.DeepEqual(a.VertexTimes, b.VertexTimes) && sameGeometry(a.Geometry, b.Geometry) && reflect.DeepEqual(a.Properties, b.Properties)
}

// sameGeometry compares bit for bit: -0 is not 0.
func sameGeometry(a, b orb.Geometry) bool {
	return reflect.DeepEqual(a, b) && fmt.Sprintf("%b", a) == fmt.Sprintf("%b", b)
}
