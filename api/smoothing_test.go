package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

func (s *service) model(t *testing.T, change string) map[string]any {
	t.Helper()
	a := s.do("PUT", "/v1/model", []byte(change), nil)
	if a.status != 200 {
		t.Fatalf("PUT %s: %d %s", change, a.status, a.body)
	}
	return a.json(t)
}

func (s *service) value(t *testing.T, surface string, lon, lat float64) any {
	t.Helper()
	return s.want(200, "/tiles/"+surface+"/value?lon="+num(lon)+"&lat="+num(lat)).json(t)["value"]
}

// straitCSV is incidents on the water south of Singapore and round Batam, all
// within 2 km of a shore.
func straitCSV() string {
	var b strings.Builder
	b.WriteString("id,lat,lon,occurred_from,kind\n")
	for i, p := range [][2]float64{{103.95, 1.2}, {104.0, 1.21}, {104.05, 1.2}, {104.09, 1.21}, {104.1, 1.22}, {103.9, 1.15}} {
		for k := range 12 {
			fmt.Fprintf(&b, "S%d-%d,%.4f,%.4f,2026-10-%02dT04:00:00Z,irr.exit\n", i, k, p[1], p[0], 1+k)
		}
	}
	return b.String()
}

// On the real coast round Johor, Singapore and Batam: what happens at sea gives
// exactly nothing on land behind the beach, as the land layer draws it, and its
// mass stays; without a mask much of the land has some.
func TestSeaIncidentsLeaveTheLand(t *testing.T) {
	const seed = 31
	r := rand.New(rand.NewPCG(seed, 1))
	land, err := layers.Load("land")
	if err != nil {
		t.Fatal(err)
	}
	onLand := layers.NewLocator(land, "country")
	somewhere := func() orb.Point { return orb.Point{103.6 + r.Float64(), 0.9 + 0.7*r.Float64()} }
	b := geo.NewBuilder(geo.LayerInfo{ID: "mine", Kind: geo.KindIncident, Version: 1})
	for b.Len() < 60 {
		if p := somewhere(); onLand.At(p) == "" {
			b.Add(geo.Feature{Geometry: p, From: clock, To: clock, Properties: map[string]any{"kind": "irr.exit"}})
		}
	}
	in := risk.Inputs{Layers: []*geo.Layer{land, b.Layer()}, AsOf: clock, Now: clock}
	for _, rule := range []surface.Smoothing{surface.SmoothNone, surface.SmoothEdge, surface.SmoothBarrier} {
		m := risk.DefaultModel()
		m.Smoothing = rule
		a, err := risk.Assess(t.Context(), in, m)
		if err != nil {
			t.Fatal(err)
		}
		coloured, places := 0, 0
		for range 3000 {
			p := somewhere()
			if onLand.At(p) == "" {
				continue
			}
			places++
			if v, _ := a.Value("density", a.DefaultView(), p); v != 0 {
				coloured++
			}
		}
		if places < 1000 || (coloured > 0) != (rule == surface.SmoothNone) {
			t.Errorf("seed %d: %s colours %d of %d places on land", seed, rule, coloured, places)
		}
		const level, n = 16, 512 // about 300 km a side
		x, y := surface.PixelAt(level, orb.Point{104.1, 1.25})
		sum := 0.0
		for i, v := range a.DensityTile(a.DefaultView(), level, int(x)-n/2, int(y)-n/2, n) {
			l := surface.TileLattice(level, int(x)-n/2, int(y)-n/2+i/n, 1)
			half := 180.0 / (1 << level)
			north := surface.TileLattice(level+1, 0, 2*(int(y)-n/2+i/n), 2)
			dLat := north.Lats[0] - north.Lats[1]
			sum += v / 1e6 * geo.CellAreaM2(orb.Bound{Min: orb.Point{-half, l.Lats[0] - dLat}, Max: orb.Point{half, l.Lats[0] + dLat}})
		}
		if math.Abs(sum-60) > 1e-3*60 {
			t.Errorf("seed %d: %s holds %g of 60 incidents", seed, rule, sum)
		}
	}
}

// The model's smoothing reaches the tiles, the values and the report, which
// says which is in force.
func TestSmoothingIsServed(t *testing.T) {
	s := start(t, "", true)
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", straitCSV()); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if m := s.want(200, "/v1/model").json(t); m["smoothing"] != "none" || m["adaptive_bandwidth"] != false || m["hotspots"].(map[string]any)["cell_level"] != 13.0 {
		t.Fatalf("defaults: %v", m)
	}
	values := func() (out []float64) {
		for _, id := range []string{"density", "hazard", "risk"} {
			out = append(out, s.value(t, id, 104.02, 1.205).(float64))
		}
		return out
	}
	tile, tif := "/tiles/density/11/1616/1017.png", "/surfaces/hazard.tif"
	plain, plainTIF, before := s.want(200, tile), s.want(200, tif), values()
	for _, rule := range []string{"edge", "barrier"} {
		if m := s.model(t, `{"smoothing":"`+rule+`"}`); m["smoothing"] != rule {
			t.Fatalf("%v", m["smoothing"])
		}
		for i, v := range values() {
			if v <= before[i]*1.02 {
				t.Errorf("%s: value %d at sea is %g, %g without a mask", rule, i, v, before[i])
			}
		}
		if bytes.Equal(s.want(200, tile).body, plain.body) || bytes.Equal(s.want(200, tif).body, plainTIF.body) {
			t.Errorf("%s: the tile or the raster is the same", rule)
		}
		for _, format := range []string{"json", "geojson"} {
			annex := s.want(200, "/v1/gaps?format="+format).json(t)["annex"].(map[string]any)
			got := annex["smoothing"].(map[string]any)
			if got["rule"] != rule || got["why"] != "set in the model" || got["grid_m"].(float64) < 300 || annex["bandwidth"].(map[string]any)["why"] == "" {
				t.Errorf("%s %s: the annex says %v", rule, format, got)
			}
		}
	}
	// Without the land there is no mask: the service says so and goes on.
	s.stop()
	s = start(t, s.path, false)
	got := s.want(200, "/v1/gaps").json(t)["annex"].(map[string]any)["smoothing"].(map[string]any)
	if got["rule"] != "none" || got["asked"] != "barrier" || !strings.Contains(got["why"].(string), "layer land is not here") {
		t.Errorf("the annex says %v", got)
	}
}

func TestModelRefusesWhatCannotBeSmoothed(t *testing.T) {
	s := start(t, "", true)
	for change, says := range map[string]string{
		`{"smoothing":"blur"}`:                  "use none, edge or barrier",
		`{"smoothing":7}`:                       "",
		`{"hotspots":{"cell_level":20}}`:        "hotspots.cell_level is 20: use 8 to 15",
		`{"hotspots":{"band_m":0}}`:             "hotspots.band_m is 0: use 100",
		`{"hotspots":{"least_incidents":-3}}`:   "hotspots.least_incidents is -3",
		`{"hotspots":{"no_such":1}}`:            "no_such",
		`{"adaptive_bandwidth":"yes, please!"}`: "",
	} {
		a := s.do("PUT", "/v1/model", []byte(change), nil)
		if a.status != 400 && a.status != 422 || !strings.Contains(string(a.body), says) {
			t.Errorf("%s: %d %s", change, a.status, a.body)
		}
	}
	m := s.model(t, `{"hotspots":{"band_m":40000}}`)
	if h := m["hotspots"].(map[string]any); h["band_m"] != 40000.0 || h["cell_level"] != 13.0 {
		t.Errorf("what was left out changed: %v", h)
	}
}

// Kernels of a bandwidth that would visit too many cells are refused, by name,
// before any work; others go on.
func TestCostlyBandwidthIsRefused(t *testing.T) {
	s := start(t, "", true)
	csv := "lon,lat,occurred_from,kind\n105.5,2.0,2026-10-01T00:00:00Z,irr.exit\n"
	for i := range 40 { // far north, where the cells of one grid are a tenth as wide
		csv += fmt.Sprintf("105.%02d,84.5,2026-10-01T00:00:00Z,irr.exit\n", i)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", csv); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	s.model(t, `{"kernel":"gaussian","smoothing":"barrier"}`)
	for _, path := range []string{"/tiles/density/8/202/127.png", "/tiles/density/value?lon=104&lat=1", "/tiles/density.json", "/surfaces/density.tif"} {
		sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		if a := s.want(422, path+sep+"bandwidth_m=4800").json(t); a["code"] != "too_costly" || !strings.Contains(a["detail"].(string), "use a smaller bandwidth") {
			t.Errorf("%s: %v", path, a)
		}
		if path != "/surfaces/density.tif" {
			s.want(200, path)
		}
	}
}

func TestAdaptiveBandwidthIsServed(t *testing.T) {
	s := start(t, "", true)
	before := s.want(200, "/tiles/density/8/201/127.png")
	s.model(t, `{"adaptive_bandwidth":true}`)
	if bytes.Equal(before.body, s.want(200, "/tiles/density/8/201/127.png").body) {
		t.Error("the tile is the same")
	}
	got := s.want(200, "/v1/gaps").json(t)["annex"].(map[string]any)["smoothing"].(map[string]any)
	if got["adaptive"] != true || !(got["bandwidth_least_m"].(float64) < 5000) || !(got["bandwidth_most_m"].(float64) > 5000) {
		t.Errorf("the annex says %v", got)
	}
}

// The golden lattice, laid on the equator: one line of border through each row
// of cells, one incident a count, and every score over HTTP.
func TestHotSpotsGolden(t *testing.T) {
	raw, err := os.ReadFile("../geo/surface/testdata/gi_star.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		NX, NY int
		Values []float64
		Cases  []struct {
			Band float64   `json:"distance_band"`
			Star []float64 `json:"gi_star_z"`
		}
	}
	if err := json.Unmarshal(raw, &g); err != nil || len(g.Cases) != 4 {
		t.Fatal(err)
	}
	l := surface.TileLattice(15, 26400, 16374, 20)
	at := func(i int) (lon, lat float64) { return l.Lon0 + float64(i%g.NX)*l.DLon, l.Lats[g.NY-1-i/g.NX] }
	var lines, rows strings.Builder
	rows.WriteString("lon,lat,occurred_from,kind\n")
	for r := range g.NY {
		fmt.Fprintf(&lines, `%s{"type":"Feature","properties":{"countries":"IDN-MYS"},"geometry":{"type":"LineString","coordinates":[[%v,%v],[%v,%v]]}}`,
			map[bool]string{true: "", false: ","}[r == 0], l.Lon0, l.Lats[r], l.Lon0+float64(g.NX-1)*l.DLon, l.Lats[r])
	}
	for i, n := range g.Values {
		lon, lat := at(i)
		for range int(n) {
			fmt.Fprintf(&rows, "%v,%v,2026-10-01T00:00:00Z,irr.exit\n", lon, lat)
		}
	}
	s := start(t, "", false)
	if a := s.put("/v1/layers/border?kind=boundary", "application/geo+json", `{"type":"FeatureCollection","features":[`+lines.String()+`]}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", rows.String()); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	const cellM = 2 * math.Pi * 6378137 / (1 << 15)
	for _, c := range g.Cases {
		s.model(t, fmt.Sprintf(`{"coasts":[],"domain_km":1,"strip_km":1,"hotspots":{"cell_level":15,"band_m":%v}}`, c.Band*cellM))
		for i, want := range c.Star {
			if i%3 != 0 && i > 40 {
				continue
			}
			lon, lat := at(i)
			h := s.want(200, "/tiles/hotspots/value?lon="+num(lon)+"&lat="+num(lat)).json(t)["hotspot"].(map[string]any)
			if h["cells_in_domain"] != 400.0 || math.Abs(h["z"].(float64)-want) > 1e-9 {
				t.Fatalf("band %g, cell %d: %v, want z %v", c.Band, i, h, want)
			}
		}
	}
}

// The hot spots are a surface like the others: tile, legend, TileJSON, style,
// raster, explanation, in three languages.
func TestHotSpotsAreServed(t *testing.T) {
	s := start(t, "", true)
	if a := s.put("/v1/layers/mine?kind=incident", "text/csv", straitCSV()); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	img := decode(t, s.want(200, "/tiles/hotspots/8/202/127.png"))
	hot := 0
	for _, i := range img.Pix {
		if i == 1 {
			hot++
		}
	}
	if hot == 0 {
		t.Error("no pixel is hot")
	}
	answer := s.want(200, "/tiles/hotspots/value?lon=104.02&lat=1.2").json(t)
	h := answer["hotspot"].(map[string]any)
	if answer["value"] != "hot_99" || h["significant"] != true || h["incidents_in_band"].(float64) < 72 || h["p"].(float64) > 0.01 {
		t.Errorf("%v", answer)
	}
	if v := s.value(t, "hotspots", 0, 50); v != nil {
		t.Errorf("in France: %v", v)
	}
	explained := s.want(200, "/v1/risk?lon=104.02&lat=1.2").json(t)["hotspot"].(map[string]any)
	if explained["class"] != "hot_99" {
		t.Errorf("explained by %v", explained)
	}
	for lang, words := range map[string]string{"en": "hot spot, 99 %", "id": "titik rawan, 99 %", "ms": "titik panas, 99 %"} {
		legend := s.want(200, "/tiles/hotspots/legend.json?lang="+lang).json(t)
		classes := legend["classes"].([]any)
		if len(classes) != 8 || classes[0].(map[string]any)["label"] != words {
			t.Errorf("%s: %v", lang, classes)
		}
	}
	s.want(200, "/tiles/hotspots/legend.svg")
	s.want(200, "/tiles/hotspots/legend.png")
	if layers := s.want(200, "/styles/hotspots.json").json(t)["layers"].([]any); !bytes.Contains(s.want(200, "/styles/hotspots.json").body, []byte("/tiles/hotspots.json")) || len(layers) < 5 {
		t.Errorf("%d layers in the style", len(layers))
	}
	if tj := s.want(200, "/tiles/hotspots.json").json(t); !strings.Contains(fmt.Sprint(tj["tiles"]), "/tiles/hotspots/{z}/{x}/{y}.png") {
		t.Errorf("%v", tj)
	}
	if tif := s.want(200, "/surfaces/hotspots.tif"); !bytes.HasPrefix(tif.body, []byte("II")) {
		t.Error("no raster")
	}
	s.model(t, `{"hotspots":{"least_incidents":100000}}`)
	answer = s.want(200, "/tiles/hotspots/value?lon=104.02&lat=1.2").json(t)
	if h := answer["hotspot"].(map[string]any); answer["value"] != "not_enough_data" || h["class"] != "not_enough_data" || !strings.Contains(h["why"].(string), "fewer than 100000") {
		t.Errorf("%v", answer)
	}
	img = decode(t, s.want(200, "/tiles/hotspots/8/202/127.png"))
	hatched := 0
	for _, i := range img.Pix {
		if i == 8 || i == 8+128 {
			hatched++
		}
	}
	if hatched == 0 {
		t.Error("not enough data is not hatched")
	}
}
