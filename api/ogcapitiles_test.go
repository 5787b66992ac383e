package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// Every path of tiles that the definition has answers as it says, and every tile
// set that is linked is one of its paths.
func TestOGCDefinitionOfTiles(t *testing.T) {
	s := ogcService(t)
	doc, err := openapi3.NewLoader().LoadFromData(s.want(200, "/ogc/api").body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	doc.Servers[0].URL = s.url + "/ogc"
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	seen := 0
	for path, item := range doc.Paths.Map() {
		if ids[item.Get.OperationID] {
			t.Errorf("two operations are called %s", item.Get.OperationID)
		}
		ids[item.Get.OperationID] = true
		if !strings.Contains(path, "tile") {
			continue
		}
		seen++
		address := "/ogc" + strings.NewReplacer("{tileMatrixSetId}", "WebMercatorQuad", "{tileMatrix}", "5", "{tileRow}", "15", "{tileCol}", "25", "{styleId}", "density").Replace(path)
		for _, p := range item.Get.Parameters {
			if p := p.Value; p.In == "path" && (!p.Required || !strings.Contains(path, "{"+p.Name+"}")) || p.In == "query" && (p.Required || p.Style != "form" || p.Explode == nil || *p.Explode) {
				t.Errorf("%s: parameter %s %+v", path, p.Name, p)
			}
		}
		a := s.get(address)
		if a.status != 200 && a.status != 204 {
			t.Errorf("%s: %d %.200s", address, a.status, a.body)
			continue
		}
		r, err := http.NewRequest("GET", s.url+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		route, values, err := router.FindRoute(r)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: values, Route: route}
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.status, Header: a.header,
			Options: &openapi3filter.Options{ExcludeResponseBody: !strings.Contains(a.header.Get("Content-Type"), "json")}}
		out.SetBodyBytes(a.body)
		if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		for _, p := range item.Get.Parameters {
			if p := p.Value; p.In == "query" && p.Name != "f" {
				q := map[string]string{"filter": "TRUE", "filter-lang": "cql2-text", "datetime": "2026-01-01%2F.."}[p.Name]
				if b := s.get(address + "?" + p.Name + "=" + q); b.status != 200 && b.status != 204 {
					t.Errorf("%s with %s: %d %.200s", address, p.Name, b.status, b.body)
				}
			} else if p.In == "query" {
				if b := s.get(address + "?f=" + p.Schema.Value.Enum[0].(string)); b.status != a.status {
					t.Errorf("%s with its f: %d", address, b.status)
				}
			}
		}
	}
	if want := 2 + 3 + 2*3 + 1 + 3; seen != want {
		t.Errorf("%d paths of tiles, want %d", seen, want)
	}
	for _, id := range []string{"getTileMatrixSetsList", ".dataset.vector.getTile", "cases.collection.vector.getTile", "areas.collection.vector.getTileSetsList", ".dataset.map.getTileSetsList", ".dataset.style.map.getTile"} {
		if !ids[id] {
			t.Errorf("there is no operation %s", id)
		}
	}
	for _, address := range []string{"/ogc/tiles", "/ogc/map/tiles", "/ogc/collections/cases/tiles"} {
		for _, set := range s.want(200, address).json(t)["tilesets"].([]any) {
			for _, l := range set.(map[string]any)["links"].([]any) {
				l := l.(map[string]any)
				if l["rel"] != "item" {
					continue
				}
				path := strings.TrimPrefix(l["href"].(string), s.url+"/ogc")
				for _, surface := range []string{"density", "coverage", "risk", "hazard", "knowledge", "gaps", "hotspots"} {
					path = strings.Replace(path, "/styles/"+surface+"/", "/styles/{styleId}/", 1)
				}
				if path = strings.Replace(path, "WebMercatorQuad", "{tileMatrixSetId}", 1); doc.Paths.Value(path) == nil {
					t.Errorf("%s is linked and not defined", path)
				}
			}
		}
	}
	if !slices.Contains(doc.Components.Parameters["styleId"].Value.Schema.Value.Enum, any("risk")) {
		t.Error("the surfaces are not listed")
	}
}

// Of the spatial functions of CQL2 those of the declared classes are there:
// S_INTERSECTS with every geometry.
func TestDeclaredSpatialFunctions(t *testing.T) {
	s := ogcService(t)
	classes := string(s.want(200, "/ogc/conformance").body)
	for class, declared := range map[string]bool{"basic-spatial-functions": true, "basic-spatial-functions-plus": true, "spatial-functions": false, "array-functions": false, "property-property": false} {
		if strings.Contains(classes, `cql2/1.0/conf/`+class+`"`) != declared {
			t.Errorf("%s: declared is not %v", class, declared)
		}
	}
	for filter, status := range map[string]int{
		"S_INTERSECTS(geometry,POINT(110+1))": 200, "S_INTERSECTS(geometry,BBOX(109,0,111,2))": 200, "S_INTERSECTS(geometry,POLYGON((109+0,111+0,111+2,109+0)))": 200,
		"S_INTERSECTS(geometry,MULTIPOINT(110+1,111+1))": 200, "S_INTERSECTS(geometry,LINESTRING(109+1,112+1))": 200, "S_DISJOINT(geometry,POINT(0+0))": 200,
		"S_WITHIN(geometry,BBOX(109,0,111,2))": 400, "S_TOUCHES(geometry,POINT(110+1))": 400,
	} {
		s.want(status, items+"?filter="+filter)
	}
}
