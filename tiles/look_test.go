package tiles

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// lightness returns L* of CIE 1976 for an sRGB colour, 0 to 100.
func lightness(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	y := 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
	return 116*math.Cbrt(y) - 16
}

// TestRampsDarken: lightness alone tells the values apart, so that no colour
// deficiency hides the order.
func TestRampsDarken(t *testing.T) {
	for _, name := range RampNames() {
		r, err := RampNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		sign := 1.0
		if strings.HasSuffix(name, darkSuffix) {
			sign = -1
		}
		for i := 1; i <= 16; i++ {
			if a, b := lightness(r.At(float64(i-1)/16)), lightness(r.At(float64(i)/16)); sign*(a-b) < 0.8 {
				t.Errorf("%s: L* %.1f then %.1f at step %d", name, a, b, i)
			}
		}
		if span := math.Abs(lightness(r.At(0)) - lightness(r.At(1))); span < 60 {
			t.Errorf("%s: lightness spans only %.0f", name, span)
		}
	}
	for _, s := range Surfaces() {
		if _, err := RampNamed(s.Ramp); err != nil {
			t.Error(err)
		}
	}
	if _, err := RampNamed("jet"); err == nil || !strings.Contains(err.Error(), "cividis") {
		t.Errorf("an unknown palette: %v", err)
	}
	if got := hex(mustRamp(t, "viridis"+darkSuffix).At(0)); got != "#440154" {
		t.Errorf("viridis begins with %s", got)
	}
}

func mustRamp(t testing.TB, name string) Ramp {
	t.Helper()
	r, err := RampNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestScaleIndex(t *testing.T) {
	linear := Scale{Kind: Linear, Min: 0, Max: 253}
	log := Scale{Kind: Log, Min: 0.01, Max: 1}
	classes := Scale{Kind: Classes, Categories: GapClasses()}
	for _, c := range []struct {
		s    Scale
		v    float64
		want uint8
	}{
		{linear, -1, 0}, {linear, 0, 0}, {linear, 1e-12, 1}, {linear, 1.5, 2}, {linear, 252.5, 253}, {linear, 253, 253},
		{linear, 1e300, 253}, {linear, math.Inf(1), 253}, {linear, math.Inf(-1), 0}, {linear, math.NaN(), NoData},
		{log, 0, 0}, {log, 0.0099, 0}, {log, 0.01, 1}, {log, 0.1, 127}, {log, 1, 253}, {log, 5, 253}, {log, math.NaN(), NoData},
		{classes, 0, 0}, {classes, 1, 1}, {classes, 7, 7}, {classes, 8, 0}, {classes, math.NaN(), NoData},
	} {
		if got := c.s.Index(c.v); got != c.want {
			t.Errorf("%s: index of %g is %d, want %d", c.s.Kind, c.v, got, c.want)
		}
	}
}

func TestScaleIsMonotone(t *testing.T) {
	r := newRand(t)
	for range 300 {
		kind := []ScaleKind{Linear, Log}[r.IntN(2)]
		s := FitScale(kind, math.Exp(20*r.Float64()-12))
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		values := []float64{s.Min, s.Max, math.Nextafter(s.Min, 0), math.Nextafter(s.Max, 0)}
		for range 200 {
			values = append(values, s.Max*math.Exp(6*r.NormFloat64()))
		}
		slices.Sort(values)
		index, thresholds := newIndexer(s).index, s.thresholds()
		for i := 1; i < len(values); i++ {
			a, b := index(values[i-1]), index(values[i])
			slow := 0
			for _, threshold := range thresholds[1:] {
				if values[i] >= threshold {
					slow++
				}
			}
			if a > b || b > steps || values[i] < s.Max && int(b) != slow {
				t.Fatalf("%+v: %g has %d, %g has %d", s, values[i-1], a, values[i], b)
			}
		}
	}
}

func TestFitScale(t *testing.T) {
	for _, c := range []struct {
		kind   ScaleKind
		peak   float64
		limits []float64
	}{
		{Log, 3.7, []float64{0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5}},
		{Log, 1, []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}},
		{Log, 0.0011, []float64{2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3}},
		{Linear, 42, []float64{0, 10, 20, 30, 40, 50}},
		{Linear, math.NaN(), []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
	} {
		got := FitScale(c.kind, c.peak)
		if len(got.Limits) != len(c.limits) {
			t.Errorf("%s %g: limits %v", c.kind, c.peak, got.Limits)
			continue
		}
		for i := range c.limits {
			if math.Abs(got.Limits[i]/c.limits[i]-1) > 1e-12 && got.Limits[i] != c.limits[i] {
				t.Errorf("%s %g: limits %v", c.kind, c.peak, got.Limits)
			}
		}
	}
}

func TestScaleCheck(t *testing.T) {
	for _, s := range []Scale{{}, {Kind: "odd", Max: 1}, {Kind: Linear}, {Kind: Log, Max: 1}, {Kind: Classes}, {Kind: Linear, Max: math.NaN()}, {Kind: Linear, Max: math.Inf(1)}} {
		if _, err := NewRaster(s, mustRamp(t, "blues")); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

// hills are values of two bumps over a tile of a wider map, with a corner
// that is not known.
func hills(x0, y0, size int) []float64 {
	out := make([]float64, size*size)
	for y := range size {
		for x := range size {
			u, v := float64(x0*size+x)/float64(size), float64(y0*size+y)/float64(size)
			out[y*size+x] = 5*math.Exp(-8*((u-0.4)*(u-0.4)+(v-0.5)*(v-0.5))) + 2*math.Exp(-20*((u-1.1)*(u-1.1)+(v-0.3)*(v-0.3)))
			if u+v > 1.7 {
				out[y*size+x] = math.NaN()
			}
		}
	}
	return out
}

func TestRasterPNG(t *testing.T) {
	r, err := NewRaster(FitScale(Log, 5), mustRamp(t, "inferno"))
	if err != nil {
		t.Fatal(err)
	}
	index := newIndexer(r.scale).index
	for _, size := range []int{256, 512} {
		values := hills(0, 0, size)
		data, blank, err := r.PNG(values, size)
		if err != nil || blank {
			t.Fatal(blank, err)
		}
		again, _, _ := r.PNG(values, size)
		if !bytes.Equal(data, again) {
			t.Error("two runs differ")
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		p, ok := img.(*image.Paletted)
		if !ok || p.Rect.Dx() != size {
			t.Fatalf("%T %v", img, img.Bounds())
		}
		for i, v := range values {
			got := color.NRGBAModel.Convert(p.At(i%size, i/size)).(color.NRGBA)
			want := r.palette[index(v)].(color.NRGBA)
			if math.IsNaN(v) && onHatch(i%size, i/size, size) {
				want = inkColour()
			}
			if got != want {
				t.Fatalf("pixel %d of value %g is %v, want %v", i, v, got, want)
			}
		}
	}
	if _, blank, err := r.PNG(make([]float64, 256*256), 256); !blank || err != nil {
		t.Error("nothing at all is not blank", err)
	}
	if _, _, err := r.PNG(make([]float64, 10), 256); err == nil {
		t.Error("ten values made a tile")
	}
}

// TestHatchIsSeamless: the hatching of two tiles together is that of one
// picture, also where a tile is drawn at twice the size.
func TestHatchIsSeamless(t *testing.T) {
	for _, size := range []int{256, 512} {
		for x := range 3 * size {
			for _, y := range []int{0, 5, size - 1, size, 2*size + 3} {
				if onHatch(x, y, size) != onHatch(x%size, y%size, size) {
					t.Fatalf("pixel %d, %d", x, y)
				}
			}
		}
	}
	if !onHatch(1, 0, 256) || onHatch(2, 0, 256) || !onHatch(3, 0, 512) || onHatch(4, 0, 512) {
		t.Error("the lines are not 2 pixels wide")
	}
}

func TestRasterClasses(t *testing.T) {
	s, _ := SurfaceByID("gaps")
	r, err := NewRaster(s.DefaultScale(0), mustRamp(t, s.Ramp))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float64, 256*256)
	for i := range values {
		values[i] = float64(1 + i%256/32)
	}
	data, _, err := r.PNG(values, 256)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for k, c := range GapClasses() {
		on := color.NRGBAModel.Convert(img.At(k*32+8, 0)).(color.NRGBA)   // (8+0) is on a line
		off := color.NRGBAModel.Convert(img.At(k*32+12, 0)).(color.NRGBA) // between lines
		if on != c.Colour || (off == c.Colour) == c.Hatched {
			t.Errorf("%s: %v on a line, %v off", c.ID, on, off)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		v      float64
		en, id string
	}{
		{0, "0", "0"}, {0.05, "0.05", "0,05"}, {2, "2", "2"}, {1234, "1234", "1234"}, {12345, "12,345", "12.345"},
		{1234567.8, "1,234,568", "1.234.568"}, {0.00012, "0.00012", "0,00012"}, {1.5e-5, "1.5×10⁻⁵", "1,5×10⁻⁵"}, {2e10, "2×10¹⁰", "2×10¹⁰"},
	} {
		if en, id, ms := Number(c.v, English), Number(c.v, Indonesian), Number(c.v, Malay); en != c.en || id != c.id || ms != c.en {
			t.Errorf("%g: %q %q %q", c.v, en, id, ms)
		}
	}
	if got := classLabel(0.01, 0.205, Indonesian, true); got != "1–20,5%" {
		t.Errorf("a share: %q", got)
	}
}

func TestLegend(t *testing.T) {
	for _, s := range Surfaces() {
		for _, lang := range []Lang{English, Indonesian, Malay} {
			scale := s.DefaultScale(3.7)
			l := NewLegend(s, scale, mustRamp(t, s.Ramp), lang)
			if len(l.Classes) < 4 || l.Title == "" || l.Surface != s.ID || (l.NoData == nil) != (s.ID == "hotspots") || l.Lang != lang {
				t.Errorf("%+v", l)
			}
			for i, c := range l.Classes {
				if c.Label == "" || len(c.Colour) != 7 || (i > 0 && c.From != l.Classes[i-1].To) {
					t.Errorf("%s %s: class %+v", s.ID, lang, c)
				}
			}
			text := l.Title + l.Unit + l.description()
			if lang != Malay && strings.Contains(text, "mangsa") || lang == Malay && strings.Contains(text, "korban") {
				t.Errorf("%s %s: a word that must not be there", s.ID, lang)
			}
			checkXML(t, l.SVG())
			data, err := l.PNG(2)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.DecodeConfig(bytes.NewReader(data))
			if err != nil || img.Width != 2*legendWidth {
				t.Errorf("%v %v", img, err)
			}
		}
	}
}

// Red over grey to blue, lightest in the middle, so that hot and cold and how
// sure they are can be told apart without seeing red or green; none looks safe.
func TestHotSpotClassesDiverge(t *testing.T) {
	c := HotSpotClasses()
	for i := range 7 {
		l, before := lightness(c[i].Colour), 0.0
		if i > 0 {
			before = lightness(c[i-1].Colour)
		}
		if i > 0 && i <= 2 && l-before < 10 || i > 4 && before-l < 10 {
			t.Errorf("%s: lightness %g after %g", c[i].ID, l, before)
		}
		red, green, blue := c[i].Colour.R, c[i].Colour.G, c[i].Colour.B
		if i < 3 && red < blue+60 || i > 3 && blue < red+60 || green > max(red, blue) {
			t.Errorf("%s: %v", c[i].ID, c[i].Colour)
		}
	}
	if !c[7].Hatched {
		t.Error("not enough data is not hatched")
	}
	got := HotSpotIndices([]float64{3, 0, -3, math.NaN(), -9999})
	if want := []float64{1, 4, 7, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestLegendColourIsTheMaps: a class has the colour that the map gives to the
// value in its middle.
func TestLegendColourIsTheMaps(t *testing.T) {
	s, _ := SurfaceByID("density")
	scale := FitScale(Log, 5)
	ramp := mustRamp(t, "viridis")
	l := NewLegend(s, scale, ramp, Indonesian)
	if len(l.Classes) != 9 || l.Classes[0].Label != "0,005–0,01" || l.Classes[8].Label != "≥ 2" {
		t.Errorf("%+v", l.Classes)
	}
	for _, c := range l.Classes {
		want := scale.colours(ramp)[scale.Index(math.Sqrt(c.From*c.To))].(color.NRGBA)
		if c.Colour != hex(want) {
			t.Errorf("%s has %s, the map %s", c.Label, c.Colour, hex(want))
		}
	}
}

func TestLegendEscapes(t *testing.T) {
	evil := `<script>"&'`
	s := Surface{ID: "x", Title: Words{EN: evil}, Unit: Words{EN: evil}}
	svg := NewLegend(s, FitScale(Linear, 1), mustRamp(t, "blues"), "xx").SVG()
	checkXML(t, svg)
	if bytes.Contains(svg, []byte("<script")) || !bytes.Contains(svg, []byte("<title id=")) || !bytes.Contains(svg, []byte("<desc id=")) {
		t.Errorf("%s", svg)
	}
}

func checkXML(t *testing.T, data []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, data)
		}
	}
}

func TestSurfaceTileJSON(t *testing.T) {
	s, _ := SurfaceByID("risk")
	site := Site{Base: "https://example.org/x/", Query: url.Values{"token": {"a&b"}}}
	got := SurfaceTileJSON(site, s, SurfaceSet{Bound: orb.Bound{Min: orb.Point{95.123456, -4}, Max: orb.Point{120, 8}}, Version: "7", Query: url.Values{"palette": {"cividis"}}, Lang: Malay})
	if got.TileJSON != "3.0.0" || got.Tiles[0] != "https://example.org/x/tiles/risk/{z}/{x}/{y}.png?palette=cividis&token=a%26b&v=7" ||
		got.Legend != "https://example.org/x/tiles/risk/legend.json?lang=ms&palette=cividis&token=a%26b" ||
		got.MinZoom != 0 || got.MaxZoom != 16 || got.V != "7" || got.Name != "Baki risiko" ||
		got.Bounds != [4]float64{95.12345, -4, 120, 8} || got.Center != [3]float64{107.56173, 2, 3} {
		t.Errorf("%+v", got)
	}
}

func TestLayerTileJSON(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "x y", Title: "Things", Kind: geo.KindIncident, Licence: "CC0", Source: "us", Synthetic: true})
	at := time.Unix(0, 0)
	b.Add(geo.Feature{Geometry: orb.Point{110, 1}, From: at, To: at, Properties: map[string]any{"n": 1.0, "s": "a", "b": true, "l": json.RawMessage("[]")}})
	got := LayerTileJSON(Site{Base: "http://h"}, b.Layer(), nil)
	want := map[string]string{"n": "Number", "s": "String", "b": "Boolean", "l": "String", "occurred_from": "String", "occurred_to": "String"}
	if len(got.VectorLayers) != 1 || got.VectorLayers[0].ID != "x y" || len(got.VectorLayers[0].Fields) != len(want) {
		t.Fatalf("%+v", got)
	}
	for k, v := range want {
		if got.VectorLayers[0].Fields[k] != v {
			t.Errorf("%s: %s", k, got.VectorLayers[0].Fields[k])
		}
	}
	if got.Tiles[0] != "http://h/tiles/layers/x%20y/{z}/{x}/{y}.mvt" || got.Attribution != "us (CC0); synthetic data" || got.MaxZoom != 14 {
		t.Errorf("%+v", got)
	}
	for want, info := range map[string]geo.LayerInfo{
		"us": {Source: "us", Owner: "MY/MMEA"}, "MMEA, MY": {Owner: "MY/MMEA"}, "MMEA, MY; synthetic data": {Owner: "MY/MMEA", Synthetic: true},
		"(CC0)": {Licence: "CC0"}, "synthetic data": {Synthetic: true}, "data of the users of this service": {},
	} {
		if got := attribution(info); got != want {
			t.Errorf("%+v: %q, want %q", info, got, want)
		}
	}
	if got := LayerTileJSON(Site{}, geometries(), nil); got.Bounds[0] != -180 || got.Bounds[3] > 90 {
		t.Errorf("an empty layer has bounds %v", got.Bounds)
	}
}

// TestStyles: every layer's source is there, every address is on the site,
// and the document has no glyphs or sprites to fetch.
func TestStyles(t *testing.T) {
	site := Site{Base: "http://host:1/base"}
	for _, name := range StyleNames() {
		s, err := NewStyle(site, name, Indonesian, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, l := range s.Layers {
			if ids[l.ID] {
				t.Errorf("%s: two layers %s", name, l.ID)
			}
			ids[l.ID] = true
			if src, ok := s.Sources[l.Source]; l.Type != "background" && (!ok || (src.Type == "vector") != (l.SourceLayer == l.Source)) {
				t.Errorf("%s: layer %s has source %q", name, l.ID, l.Source)
			}
		}
		for _, src := range s.Sources {
			if !strings.HasPrefix(src.URL, site.Base+"/tiles/") {
				t.Errorf("%s: %s is elsewhere", name, src.URL)
			}
		}
		if (name == LightStyle) == ids[name] {
			t.Errorf("%s: surface layer %v", name, ids[name])
		}
		doc, err := json.Marshal(s)
		if err != nil || bytes.Contains(doc, []byte(`"glyphs"`)) || bytes.Contains(doc, []byte(`"sprite"`)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewStyle(site, "dark", English, nil); err == nil {
		t.Error("a style that is not there was made")
	}
}

func TestGrid(t *testing.T) {
	if b := (Tile{1, 1, 0}).Bound(); b.Min != (orb.Point{0, 0}) || math.Abs(b.Max[1]-85.0511287798066) > 1e-12 || b.Max[0] != 180 {
		t.Errorf("%v", b)
	}
	r := newRand(t)
	for range 500 {
		id := Tile{Z: uint32(r.IntN(MaxZoom + 1))}
		id.X, id.Y = r.Uint32N(1<<id.Z), r.Uint32N(1<<id.Z)
		if !id.Valid() {
			t.Fatal(id)
		}
		b, lons, lats := id.Bound(), id.Lons(256), id.Lats(256)
		if !slices.IsSorted(lons) || lats[0] <= lats[255] || lons[0] <= b.Min[0] || lons[255] >= b.Max[0] || lats[0] >= b.Max[1] || lats[255] <= b.Min[1] {
			t.Fatalf("%s: pixels outside of the tile", id)
		}
		for _, k := range []int{0, 100, 255} {
			x, y := mercator(orb.Point{lons[k], lats[k]}, id)
			if want := (float64(k) + 0.5) * 16; math.Abs(x-want) > 1e-3 || math.Abs(y-want) > 1e-3 {
				t.Fatalf("%s: pixel %d is at %g, %g", id, k, x, y)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, bad := range [][3]string{{"", "0", "0"}, {"01", "0", "0"}, {"+1", "0", "0"}, {"-1", "0", "0"}, {"1", "2", "0"}, {"23", "0", "0"}, {"1", "0", "4294967296"}, {"1e0", "0", "0"}, {"1", " 0", "0"}} {
		if got, err := Parse(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
	if got, err := Parse("22", "4194303", "0"); err != nil || got != (Tile{22, 4194303, 0}) {
		t.Error(got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("3", "7", "0")
	f.Fuzz(func(t *testing.T, z, x, y string) {
		id, err := Parse(z, x, y)
		if err == nil && (!id.Valid() || id.String() != z+"/"+x+"/"+y) {
			t.Fatalf("%q %q %q: %s", z, x, y, id)
		}
	})
}

func BenchmarkPNG(b *testing.B) {
	r, err := NewRaster(FitScale(Log, 5), mustRamp(b, "inferno"))
	if err != nil {
		b.Fatal(err)
	}
	noisy := hills(0, 0, 256)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range noisy {
		noisy[i] *= math.Exp(0.3 * rng.NormFloat64())
	}
	for _, c := range []struct {
		name   string
		values []float64
		size   int
	}{{"256", hills(0, 0, 256), 256}, {"256_rough", noisy, 256}, {"512", hills(0, 0, 512), 512}, {"256_blank", make([]float64, 256*256), 256}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var n int
			for b.Loop() {
				data, _, err := r.PNG(c.values, c.size)
				if err != nil {
					b.Fatal(err)
				}
				n = len(data)
			}
			b.ReportMetric(float64(n), "png-bytes")
		})
	}
}

func BenchmarkPaint(b *testing.B) {
	r, _ := NewRaster(FitScale(Log, 5), mustRamp(b, "inferno"))
	lines := make([]byte, 256*257)
	values := hills(0, 0, 256)
	for b.Loop() {
		r.paint(lines, values, 256)
	}
}

func BenchmarkLegend(b *testing.B) {
	s, _ := SurfaceByID("risk")
	l := NewLegend(s, s.DefaultScale(3), mustRamp(b, s.Ramp), Indonesian)
	b.Run("svg", func(b *testing.B) {
		for b.Loop() {
			l.SVG()
		}
	})
	b.Run("png", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.PNG(1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDocuments(b *testing.B) {
	s, _ := SurfaceByID("risk")
	for b.Loop() {
		SurfaceTileJSON(Site{Base: "http://h"}, s, SurfaceSet{})
		if _, err := NewStyle(Site{Base: "http://h"}, "risk", English, nil); err != nil {
			b.Fatal(err)
		}
	}
}
