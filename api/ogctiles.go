package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/tiles"
)

// OGC API - Tiles: the same tiles as under /tiles, with the metadata that its
// clients read, and with rows before columns. A surface is a style of the map
// of everything; a layer is a collection.

// tileRoutes are the routes of OGC API - Tiles.
func (s *Server) tileRoutes() []route {
	f := []string{"f"}
	const cell = "/{z}/{y}/{x}"
	return []route{
		{"GET", "/ogc/tileMatrixSets", s.tileMatrixSets, f},
		{"GET", "/ogc/tileMatrixSets/{tms}", s.tileMatrixSet, f},
		{"GET", "/ogc/tiles", s.vectorTileSets, f},
		{"GET", "/ogc/tiles/{tms}", s.vectorTileSet, f},
		{"GET", "/ogc/tiles/{tms}" + cell, s.ogcVectorTile, f},
		{"GET", "/ogc/map/tiles", s.mapTileSets, f},
		{"GET", "/ogc/styles/{surface}/map/tiles", s.mapTileSets, f},
		{"GET", "/ogc/styles/{surface}/map/tiles/{tms}", s.mapTileSet, f},
		{"GET", "/ogc/styles/{surface}/map/tiles/{tms}" + cell, s.ogcMapTile, f},
		{"GET", "/ogc/collections/{id}/tiles", s.vectorTileSets, f},
		{"GET", "/ogc/collections/{id}/tiles/{tms}", s.vectorTileSet, f},
		{"GET", "/ogc/collections/{id}/tiles/{tms}" + cell, s.ogcVectorTile, append([]string{"f"}, tileFilterParams[:]...)},
	}
}

// tileAnswers checks what is the same in all of these requests: the form of the
// answer, and the grid.
func tileAnswers(r *http.Request, forms ...string) error {
	f := r.URL.Query().Get("f")
	known := f == ""
	for _, form := range forms {
		known = known || f == form
	}
	if !known {
		return badParameter("f", "%q is not one of %s", f, strings.Join(forms, ", "))
	}
	if tms, ok := mux.Vars(r)["tms"]; ok && tms != tiles.WebMercatorQuad {
		return problem{Status: http.StatusNotFound, Code: "tile_matrix_set_not_found",
			Detail: fmt.Sprintf("there is no tile matrix set %q; all tiles are in %s", tms, tiles.WebMercatorQuad)}
	}
	return nil
}

func (s *Server) tileMatrixSets(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	self := baseURL(r) + "/ogc/tileMatrixSets"
	set := tiles.NewTileMatrixSet(tiles.MaxZoom)
	return s.sendJSON(w, r, http.StatusOK, map[string]any{
		"links": []tiles.Link{{Rel: "self", Type: "application/json", Title: "Tile matrix sets", Href: self}},
		"tileMatrixSets": []any{map[string]any{"id": set.ID, "title": set.Title, "uri": set.URI, "crs": set.CRS,
			"links": []tiles.Link{{Rel: "self", Type: "application/json", Title: set.Title, Href: self + "/" + set.ID}}}},
	})
}

func (s *Server) tileMatrixSet(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, tiles.NewTileMatrixSet(tiles.MaxZoom))
}

// tiled returns the layers of a vector tile set: one, or all that are seen.
func (s *Server) tiled(w http.ResponseWriter, r *http.Request) ([]*entry, error) {
	if _, one := mux.Vars(r)["id"]; one {
		e, err := s.entryOf(w, r)
		return []*entry{e}, err
	}
	all := s.current().layers
	if len(all) == 0 {
		return nil, problem{Status: http.StatusNotFound, Code: "no_layers", Detail: "there are no layers yet; upload one with PUT /v1/layers/{id}"}
	}
	return all, nil
}

// vectorSet describes the vector tiles of a layer, or of all.
func vectorSet(r *http.Request, entries []*entry) tiles.TileSet {
	site := tiles.Site{Base: baseURL(r)}
	of := tiles.TileSetOf{Title: "All layers", Path: "/ogc/tiles/" + tiles.WebMercatorQuad, MaxZoom: tiles.LayerMaxZoom}
	if id, one := mux.Vars(r)["id"]; one {
		of.Title, of.Path = entries[0].layer.Info.Title, "/ogc/collections/"+id+"/tiles/"+tiles.WebMercatorQuad
		of.TileJSON = "/tiles/layers/" + id + ".json"
	}
	for i, e := range entries {
		doc := tiles.LayerTileJSON(site, e.layer, nil)
		if b := e.bound(); i == 0 || of.Bound.IsEmpty() {
			of.Bound = b
		} else if e.layer.Len() > 0 && !b.IsEmpty() {
			of.Bound = of.Bound.Union(b)
		}
		of.Layers = append(of.Layers, tiles.LayerOf(doc.VectorLayers[0]))
	}
	return tiles.NewTileSet(site, of)
}

func (s *Server) vectorTileSets(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	entries, err := s.tiled(w, r)
	if err != nil {
		return err
	}
	return s.sendTileSets(w, r, vectorSet(r, entries))
}

func (s *Server) sendTileSets(w http.ResponseWriter, r *http.Request, sets ...tiles.TileSet) error {
	return s.sendJSON(w, r, http.StatusOK, map[string]any{
		"links":    []tiles.Link{{Rel: "self", Type: "application/json", Title: "Tile sets", Href: baseURL(r) + r.URL.Path}},
		"tilesets": sets,
	})
}

func (s *Server) vectorTileSet(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	entries, err := s.tiled(w, r)
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, vectorSet(r, entries))
}

// ogcVectorTile answers the tile of one layer, or those of all in one: a vector
// tile is a sequence of layers.
func (s *Server) ogcVectorTile(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "mvt"); err != nil {
		return err
	}
	t, err := parseTile(mux.Vars(r))
	if err != nil {
		return err
	}
	entries, err := s.tiled(w, r)
	if err != nil {
		return err
	}
	if err := vectorSet(r, entries).Check(t); err != nil {
		return problem{Status: http.StatusNotFound, Code: "tile_not_found", Detail: err.Error()}
	}
	if _, one := mux.Vars(r)["id"]; one {
		return s.vectorTile(w, r)
	}
	var body []byte
	for _, e := range entries {
		if ok, err := s.mayDraw(w, r, e.layer, t); !ok {
			return err
		}
		noteTile(r.Context(), e.layer, t)
		part, err := s.layerTile(r.Context(), e, t, tileQuery{})
		if err != nil {
			return err
		}
		body = append(body, part.body...)
	}
	s.sendTile(w, r, newTile("application/vnd.mapbox-vector-tile", body), false)
	return nil
}

// mapSet describes the raster tiles of a surface.
func (s *Server) mapSet(r *http.Request, surface tiles.Surface) tiles.TileSet {
	a := s.assessment.Load()
	return tiles.NewTileSet(tiles.Site{Base: baseURL(r)}, tiles.TileSetOf{
		Title: surface.Title.In(tiles.English), Attribution: s.attribution(), Map: true, Bound: s.mapBound(a),
		Path: "/ogc/styles/" + surface.ID + "/map/tiles/" + tiles.WebMercatorQuad, TileJSON: "/tiles/" + surface.ID + ".json",
		MaxZoom: s.tileZoom(),
	})
}

// seenSurfaces are the surfaces that are there for whoever asks.
func (s *Server) seenSurfaces() []tiles.Surface {
	var out []tiles.Surface
	for _, surface := range tiles.Surfaces() {
		if !s.circle.generalised() || slices.Contains(embedSurfaces(), surface.ID) {
			out = append(out, surface)
		}
	}
	return out
}

func (s *Server) mapTileSets(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	only, one := mux.Vars(r)["surface"]
	var sets []tiles.TileSet
	for _, surface := range s.seenSurfaces() {
		if !one || surface.ID == only {
			sets = append(sets, s.mapSet(r, surface))
		}
	}
	if len(sets) == 0 {
		_, err := s.readSurfaceAsk(r) // which says what there is
		return err
	}
	return s.sendTileSets(w, r, sets...)
}

func (s *Server) mapTileSet(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "json"); err != nil {
		return err
	}
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, s.mapSet(r, a.surface))
}

func (s *Server) ogcMapTile(w http.ResponseWriter, r *http.Request) error {
	if err := tileAnswers(r, "png"); err != nil {
		return err
	}
	t, err := parseTile(mux.Vars(r))
	if err != nil {
		return err
	}
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	if err := s.mapSet(r, a.surface).Check(t); err != nil {
		return problem{Status: http.StatusNotFound, Code: "tile_not_found", Detail: err.Error()}
	}
	return s.surfaceTile(w, r)
}
