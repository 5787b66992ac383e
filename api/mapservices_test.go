package api_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/tiles"
)

// The same tile has the same bytes by XYZ, OGC API - Tiles and WMTS, and a map
// of WMS over it has the same picture.
func TestOneTileByEveryService(t *testing.T) {
	s := start(t, "", true)
	want := s.want(200, "/tiles/hazard/8/206/127.png")
	for _, path := range []string{
		"/ogc/styles/hazard/map/tiles/WebMercatorQuad/8/127/206",
		"/wmts/hazard/default/GoogleMapsCompatible/8/127/206.png",
		"/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=hazard&STYLE=&TILEMATRIXSET=GoogleMapsCompatible&TILEMATRIX=8&TILEROW=127&TILECOL=206&FORMAT=image/png&vendor=1",
	} {
		got := s.want(200, path)
		if !bytes.Equal(got.body, want.body) || got.header.Get("ETag") != want.header.Get("ETag") {
			t.Errorf("%s is another picture", path)
		}
	}
	const half, width = 20037508.342789244, 2 * 20037508.342789244 / 256
	x, y := -half+206*width, half-127*width
	view := fmt.Sprintf("service=WMS&version=1.3.0&layers=hazard&styles=&crs=EPSG:3857&bbox=%f,%f,%f,%f&width=256&height=256", x, y-width, x+width, y)
	got := s.want(200, "/wms?request=GetMap&transparent=TRUE&format=image/png&"+view)
	a, err := png.Decode(bytes.NewReader(want.body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	painted := 0
	for k := range 256 * 256 {
		r1, g1, b1, a1 := a.At(k%256, k/256).RGBA()
		r2, g2, b2, a2 := b.At(k%256, k/256).RGBA()
		if a1>>8 != a2>>8 || a1 > 0 && (r1>>8 != r2>>8 || g1>>8 != g2>>8 || b1>>8 != b2>>8) {
			t.Fatalf("pixel %d: the map has another colour than the tile", k)
		}
		if a1 > 0 {
			painted++
		}
	}
	if painted == 0 {
		t.Error("the tile is empty: it shows nothing")
	}
	info := s.want(200, "/wms?request=GetFeatureInfo&query_layers=hazard&info_format=application/json&i=100&j=100&"+view).json(t)
	value := s.want(200, fmt.Sprintf("/tiles/hazard/value?lon=%v&lat=%v", info["lon"], info["lat"])).json(t)
	if n := info["values"].([]any)[0].(map[string]any); n["value"] != value["value"] || n["value"] == nil {
		t.Errorf("feature info says %v, the value is %v", n["value"], value["value"])
	}
	if legend := s.want(200, "/wms?request=GetLegendGraphic&layer=hazard"); !bytes.Equal(legend.body, s.want(200, "/tiles/hazard/legend.png").body) {
		t.Error("the legend is another")
	}
}

func TestTileSetsSayWhatThereIs(t *testing.T) {
	s := start(t, "", true)
	set := s.want(200, "/ogc/collections/official_crossings/tiles/WebMercatorQuad").json(t)
	limits := set["tileMatrixSetLimits"].([]any)[8].(map[string]any)
	row, col := int(limits["maxTileRow"].(float64)), int(limits["minTileCol"].(float64))
	for path, status := range map[string]int{
		fmt.Sprintf("/ogc/collections/official_crossings/tiles/WebMercatorQuad/8/%d/%d", row+1, col): 404,
		"/ogc/collections/official_crossings/tiles/WebMercatorQuad/40/0/0":                           404,
		"/ogc/collections/official_crossings/tiles/WebMercatorQuad/a/b/c":                            404,
		"/ogc/collections/official_crossings/tiles/WebMercatorQuad/8/-1/3":                           404,
		"/ogc/collections/none/tiles":                                                                404,
		"/ogc/collections/official_crossings/tiles/WorldCRS84Quad":                                   404,
		"/ogc/styles/none/map/tiles":                                                                 404,
		"/ogc/styles/risk/map/tiles/WebMercatorQuad/8/0/0":                                           404,
		"/ogc/tileMatrixSets/None":                                                                   404,
		"/ogc/tiles?f=xml":                                                                           400,
		"/ogc/tiles?g=1":                                                                             400,
		"/ogc/map/tiles":                                                                             200,
	} {
		if a := s.get(path); a.status != status {
			t.Errorf("%s: %d, want %d", path, a.status, status)
		}
	}
	whole := s.want(200, "/ogc/tiles/WebMercatorQuad/6/31/51")
	one := s.want(200, "/tiles/layers/official_crossings/6/51/31.mvt")
	if !bytes.Contains(whole.body, one.body) {
		t.Error("the tile of all layers lacks one of them")
	}
}

// Faults of WMTS and WMS are XML of the standard, with a status that says whose
// fault it is.
func TestMapServiceFaults(t *testing.T) {
	s := start(t, "", true)
	const at = "&crs=CRS:84&bbox=109,0,110,1&width=64&height=64"
	for path, status := range map[string]int{
		"/wmts?request=GetTile": 400, "/wmts?request=Nothing": 400, "/wmts?service=WFS": 400,
		"/wmts?request=GetTile&layer=none&tilematrixset=GoogleMapsCompatible&tilematrix=1&tilerow=0&tilecol=0": 404,
		"/wmts?request=GetTile&layer=risk&tilematrixset=Other&tilematrix=1&tilerow=0&tilecol=0":                400,
		"/wmts?request=GetTile&layer=risk&tilematrixset=WebMercatorQuad&tilematrix=1&tilerow=9&tilecol=0":      404,
		"/wmts/risk/nostyle/WebMercatorQuad/6/31/51.png":                                                       400,
		"/wmts/risk/default/WebMercatorQuad/40/1/1.png":                                                        404,
		"/wms?request=GetMap":                  400,
		"/wms?request=GetMap&layers=none" + at: 400,
		"/wms?request=GetMap&layers=risk&crs=EPSG:1&bbox=1,2,3,4&width=9&height=9":         400,
		"/wms?request=GetMap&layers=risk&crs=CRS:84&bbox=3,4,1,2&width=9&height=9":         400,
		"/wms?request=GetMap&layers=risk&crs=CRS:84&bbox=1,2,3,x&width=9&height=9":         400,
		"/wms?request=GetMap&layers=risk&crs=CRS:84&bbox=1,2,3,NaN&width=9&height=9":       400,
		"/wms?request=GetMap&layers=risk&crs=CRS:84&bbox=1,2,3,4&width=90000&height=90000": 400,
		"/wms?request=GetMap&layers=risk" + at + "&format=image/jpeg":                      400,
		"/wms?request=GetMap&layers=risk" + at + "&bgcolor=red":                            400,
		"/wms?request=GetMap&layers=risk" + at + "&version=1.1.1":                          400,
		"/wms?request=GetFeatureInfo&layers=risk" + at + "&i=64&j=0":                       400,
		"/wms?request=GetFeatureInfo&layers=risk" + at + "&i=-1&j=0":                       400,
		"/wms?request=GetLegendGraphic":                                                    400,
	} {
		a := s.get(path)
		if a.status != status || !strings.Contains(a.header.Get("Content-Type"), "xml") {
			t.Errorf("%s: %d %s, want %d and XML", path, a.status, a.header.Get("Content-Type"), status)
			continue
		}
		if cache := a.header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
			t.Errorf("%s: an error with Cache-Control %q", path, cache)
		}
		var report struct{ XMLName xml.Name }
		if err := xml.Unmarshal(a.body, &report); err != nil || !strings.HasSuffix(report.XMLName.Local, "ExceptionReport") {
			t.Errorf("%s: %v %s", path, err, a.body)
		}
	}
	if a := s.get("/wms?request=GetMap&layers=risk&styles=none" + at); !strings.Contains(string(a.body), `code="StyleNotDefined"`) {
		t.Errorf("a style that there is not: %s", a.body)
	}
	info := "/wms?request=GetFeatureInfo&layers=density,risk&styles=viridis,&i=1&j=1" + at + "&query_layers="
	if a := s.get(info + "risk"); a.status != http.StatusOK || !strings.Contains(string(a.body), `"surface":"risk"`) || strings.Contains(string(a.body), `"surface":"density"`) {
		t.Errorf("one layer of a map of two: %d %s", a.status, a.body)
	}
	if a := s.get("/wms?request=GetMap&layers=density,risk&styles=viridis," + at); a.status != http.StatusOK {
		t.Errorf("two layers with styles: %d %s", a.status, a.body)
	}
	capabilities := s.want(200, "/wmts").body
	for _, surface := range tiles.Surfaces() {
		if !bytes.Contains(capabilities, []byte("<ows:Identifier>"+surface.ID+"</ows:Identifier>")) {
			t.Errorf("WMTS does not list %s", surface.ID)
		}
	}
}
