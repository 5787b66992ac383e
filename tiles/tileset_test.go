package tiles_test

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/tiles"
)

// The figures of WebMercatorQuad are those of its registered definition.
func TestTileMatrixSetIsTheRegisteredOne(t *testing.T) {
	set := tiles.NewTileMatrixSet(22)
	if len(set.TileMatrices) != 23 {
		t.Fatalf("%d matrices", len(set.TileMatrices))
	}
	for _, c := range []struct {
		z           int
		scale, cell float64
	}{{0, 559082264.0287178, 156543.033928041}, {10, 545978.773465545, 152.874056570353}, {18, 2132.72958384978, 0.597164283559817}} {
		m := set.TileMatrices[c.z]
		if math.Abs(m.ScaleDenominator/c.scale-1) > 1e-9 || math.Abs(m.CellSize/c.cell-1) > 1e-9 || m.MatrixWidth != 1<<c.z {
			t.Errorf("zoom %d: %+v", c.z, m)
		}
	}
	if o := set.TileMatrices[0].PointOfOrigin; math.Abs(o[0]+20037508.3427892) > 1e-6 || math.Abs(o[1]-20037508.3427892) > 1e-6 {
		t.Errorf("origin %v", o)
	}
}

func TestLimitsHoldTheBox(t *testing.T) {
	entikong := orb.Bound{Min: orb.Point{110.3, 0.9}, Max: orb.Point{110.4, 1}}
	for z := range 15 {
		lim := tiles.LimitsOf(entikong, z)
		for _, p := range []orb.Point{entikong.Min, entikong.Max, entikong.Center()} {
			n := float64(uint32(1) << z)
			x := uint32((p[0]/360 + 0.5) * n)
			y := uint32((0.5 - math.Asinh(math.Tan(p[1]*math.Pi/180))/(2*math.Pi)) * n)
			if !lim.Has(tiles.Tile{Z: uint32(z), X: x, Y: y}) {
				t.Errorf("zoom %d: %+v lacks %d/%d of %v", z, lim, x, y, p)
			}
		}
	}
	if lim := tiles.LimitsOf(entikong, 8); lim.MaxTileRow-lim.MinTileRow > 1 || lim.MaxTileCol-lim.MinTileCol > 1 {
		t.Errorf("limits of a small box are wide: %+v", lim)
	}
	set := tiles.NewTileSet(tiles.Site{Base: "http://x"}, tiles.TileSetOf{Path: "/s", Bound: entikong, MaxZoom: 8})
	lim := set.Limits[8]
	if set.Check(tiles.Tile{Z: 8, X: lim.MinTileCol, Y: lim.MaxTileRow}) != nil || set.Check(tiles.Tile{Z: 8, X: lim.MinTileCol, Y: lim.MaxTileRow + 1}) == nil ||
		set.Check(tiles.Tile{Z: 9}) == nil {
		t.Error("the set's limits do not hold")
	}
}

// A map over exactly one tile has the tile's values, whatever the reference
// system of the request; the value of a pixel here is its place.
func TestMapOverATile(t *testing.T) {
	const z, x, y, n = 8, 206, 127, 256
	place := func(level, px, py, side int) ([]float64, error) {
		out := make([]float64, side*side)
		for i := range out {
			out[i] = float64(level)*1e12 + float64(py+i/side)*1e6 + float64(px+i%side)
		}
		return out, nil
	}
	want, _ := place(z+8, x*n, y*n, n)
	half := math.Pi * 6378137
	tileM := 2 * half / (1 << z)
	west, north := -half+x*tileM, half-y*tileM
	view := tiles.MapView{CRS: "EPSG:3857", Box: [4]float64{west, north - tileM, west + tileM, north}, Width: n, Height: n}
	got, err := view.Values(24, place)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("pixel %d: %g, the tile has %g", i, got[i], want[i])
		}
	}
	b := tiles.Tile{Z: z, X: x, Y: y}.Bound()
	for _, v := range []tiles.MapView{
		{CRS: "EPSG:4326", Box: [4]float64{b.Min[1], b.Min[0], b.Max[1], b.Max[0]}, Width: n, Height: n},
		{CRS: "CRS:84", Box: [4]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}, Width: n, Height: n},
	} {
		got, err := v.Values(24, place)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want { // degrees and Mercator differ by far less than a pixel over one tile here
			dx, dy := math.Mod(got[i]-want[i], 1e6), math.Round((got[i]-want[i])/1e6)
			if math.Abs(dx) > 1 || math.Abs(dy) > 1 {
				t.Fatalf("%s, pixel %d: %g, the tile has %g", v.CRS, i, got[i], want[i])
			}
		}
	}
	if lvl := view.Level(12); lvl != 12 {
		t.Errorf("a role's deepest level is not kept: %d", lvl)
	}
}

func TestMapViewsThatAreRefused(t *testing.T) {
	good := tiles.MapView{CRS: "CRS:84", Box: [4]float64{109, 0, 110, 1}, Width: 10, Height: 10}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]tiles.MapView{
		"system":      {CRS: "EPSG:9999", Box: good.Box, Width: 1, Height: 1},
		"no pixels":   {CRS: "CRS:84", Box: good.Box, Width: 0, Height: 1},
		"many pixels": {CRS: "CRS:84", Box: good.Box, Width: 2049, Height: 1},
		"upside down": {CRS: "CRS:84", Box: [4]float64{109, 1, 110, 0}, Width: 1, Height: 1},
		"no number":   {CRS: "CRS:84", Box: [4]float64{109, math.NaN(), 110, 1}, Width: 1, Height: 1},
		"infinite":    {CRS: "CRS:84", Box: [4]float64{109, 0, math.Inf(1), 1}, Width: 1, Height: 1},
	} {
		if v.Check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	world := tiles.MapView{CRS: "CRS:84", Box: [4]float64{-400, -90, 400, 90}, Width: 80, Height: 18}
	values, err := world.Values(24, func(_, _, _, n int) ([]float64, error) {
		out := make([]float64, n*n)
		for i := range out {
			out[i] = 1
		}
		return out, nil
	})
	if err != nil || values[0] != 0 || values[9*80+40] != 1 || values[9*80] != 0 {
		t.Errorf("beyond the world: %v, corner %v, middle %v, left %v", err, values[0], values[9*80+40], values[9*80])
	}
}

func TestMapHasAGround(t *testing.T) {
	ramp, err := tiles.RampNamed("viridis")
	if err != nil {
		t.Fatal(err)
	}
	surface, _ := tiles.SurfaceByID("density")
	raster, err := tiles.NewRaster(surface.DefaultScale(1), ramp)
	if err != nil {
		t.Fatal(err)
	}
	p := raster.Picture([]float64{0, 1, 0, 0, 0, 0}, 3)
	for _, ground := range []color.Color{nil, color.NRGBA{10, 20, 30, 255}} {
		var b bytes.Buffer
		if err := tiles.WriteMap(&b, []*image.Paletted{p, p}, ground); err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds().Dx() != 3 || img.Bounds().Dy() != 2 {
			t.Fatalf("size %v", img.Bounds())
		}
		r, g, bl, a := img.At(0, 0).RGBA()
		if ground == nil && a != 0 || ground != nil && (r>>8 != 10 || g>>8 != 20 || bl>>8 != 30) {
			t.Errorf("ground %v: %d %d %d %d", ground, r>>8, g>>8, bl>>8, a>>8)
		}
		if _, _, _, a := img.At(1, 0).RGBA(); a == 0 {
			t.Error("the value is not drawn")
		}
	}
}

func TestCapabilitiesAreXML(t *testing.T) {
	surface, _ := tiles.SurfaceByID("risk")
	m := tiles.MapService{Site: tiles.Site{Base: "http://x"}, Layers: []tiles.MapLayer{{Surface: surface, MaxZoom: 3, Styles: []string{"viridis"}}}}
	for name, make := range map[string]func() ([]byte, error){
		"WMTS": m.WMTS, "WMS": m.WMS,
		"OWS fault": func() ([]byte, error) { return tiles.OWSException("X", `<"&>`, "</ExceptionText><x>") },
		"WMS fault": func() ([]byte, error) { return tiles.WMSException("X", "]]></ServiceException><x>") },
	} {
		body, err := make()
		if err != nil {
			t.Fatal(err)
		}
		var any struct{ XMLName xml.Name }
		if err := xml.Unmarshal(body, &any); err != nil {
			t.Errorf("%s: %v\n%s", name, err, body)
		}
		if bytes.Contains(body, []byte("<x>")) {
			t.Errorf("%s is not escaped", name)
		}
	}
}
