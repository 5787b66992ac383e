package api

import (
	"github.com/sempadan/sempadan/tiles"
)

// Operations of OGC API - Tiles are told apart by how their ids end (OGC 20-057,
// requirements class OpenAPI 3.0): of the data set or of a collection, vector tiles
// or maps.

const mediaTile = "application/vnd.mapbox-vector-tile"

// tileCellPath is where a tile is in a tile set: its row before its column.
const tileCellPath = "/{tileMatrix}/{tileRow}/{tileCol}"

// tileSetPaths are the three paths of tile sets of one kind.
type tileSetPaths struct {
	at, before, kind string // the path, how the ids of the operations begin and what they are of
	of, media        string // in words, and of the tiles
	params, narrow   []any  // of all three, and of tiles alone
}

// add adds the list of the tile sets, one of them, and a tile.
func (p tileSetPaths) add(paths object) {
	with := func(more ...any) []any { return append(append([]any{}, p.params...), more...) }
	get := func(path, id, summary string, params []any) object {
		op := operationOf(p.before+p.kind+id, summary, mediaJSON, params)
		paths[path] = object{"get": op}
		return op["responses"].(object)
	}
	get(p.at, ".getTileSetsList", "The tile sets of "+p.of, with(reference("f-tiles")))["200"] = jsonResponse("The tile sets.")
	set := p.at + "/{tileMatrixSetId}"
	get(set, ".getTileSet", "The tile set of "+p.of+": its layers, its extent, and which tiles it has", with(reference("tileMatrixSetId"), reference("f-tiles")))["200"] = jsonResponse("The tile set.")
	tile := with(reference("tileMatrixSetId"), reference("tileMatrix"), reference("tileRow"), reference("tileCol"))
	answers := get(set+tileCellPath, ".getTile", "A tile of "+p.of, append(tile, p.narrow...))
	answers["200"] = object{"description": "The tile.", "content": object{p.media: object{"schema": object{"type": "string", "format": "binary"}}}}
	answers["204"] = object{"description": "Nothing is in this tile."}
	answers["404"] = problemResponse()
}

func jsonResponse(about string) object {
	return object{"description": about, "content": object{mediaJSON: object{"schema": object{"type": "object"}}}}
}

// addTilePaths adds the paths of tiles to the definition of the OGC API: of
// everything, of each collection, and the maps.
func (s *Server) addTilePaths(paths object, entries []*entry, nameOf func(id string) string) {
	sets := func(path, id, summary string, params ...any) {
		op := operationOf(id, summary, mediaJSON, append(params, reference("f-tiles")))
		op["responses"].(object)["200"] = jsonResponse(summary + ".")
		paths[path] = object{"get": op}
	}
	sets("/tileMatrixSets", "getTileMatrixSetsList", "The grids that tiles are in")
	sets("/tileMatrixSets/{tileMatrixSetId}", "getTileMatrixSet", "A grid of tiles", reference("tileMatrixSetId"))
	tileSetPaths{at: "/tiles", kind: ".dataset.vector", of: "all layers as vector tiles", media: mediaTile, narrow: []any{reference("f-mvt")}}.add(paths)
	for _, e := range entries {
		id := e.layer.Info.ID
		tileSetPaths{at: "/collections/" + id + "/tiles", before: nameOf(id), kind: ".collection.vector", of: id + " as vector tiles", media: mediaTile,
			narrow: []any{reference("f-mvt"), reference("tile-filter"), reference("filter-lang"), reference("datetime")}}.add(paths)
	}
	list := operationOf(".dataset.map.getTileSetsList", "The tile sets of all surfaces as maps", mediaJSON, []any{reference("f-tiles")})
	list["responses"].(object)["200"] = jsonResponse("The tile sets.")
	paths["/map/tiles"] = object{"get": list}
	tileSetPaths{at: "/styles/{styleId}/map/tiles", kind: ".dataset.style.map", of: "a surface as a map", media: "image/png",
		params: []any{reference("styleId")}, narrow: []any{reference("f-png")}}.add(paths)
}

// tileParameters are the parameters of the tile paths.
func (s *Server) tileParameters(query func(name, about string, schema object) object) object {
	inPath := func(name, about string, schema object) object {
		return object{"name": name, "in": "path", "required": true, "style": "simple", "explode": false, "description": about, "schema": schema}
	}
	var surfaces []string
	for _, surface := range s.seenSurfaces() {
		surfaces = append(surfaces, surface.ID)
	}
	form := func(words ...string) object {
		return query("f", "The form of the answer.", object{"type": "string", "enum": words})
	}
	cell := object{"type": "integer", "minimum": 0, "maximum": 1<<tiles.MaxZoom - 1}
	filter := query("filter", "Only features that a condition in CQL2 holds for, without spatial operations; for planners and analysts.", object{"type": "string"})
	return object{
		"tileMatrixSetId": inPath("tileMatrixSetId", "The grid.", object{"type": "string", "enum": []string{tiles.WebMercatorQuad}}),
		"tileMatrix":      inPath("tileMatrix", "The zoom.", object{"type": "string", "pattern": "^[0-9]{1,2}$"}),
		"tileRow":         inPath("tileRow", "The row, from the north.", cell),
		"tileCol":         inPath("tileCol", "The column, from the west.", cell),
		"styleId":         inPath("styleId", "The surface.", object{"type": "string", "enum": surfaces}),
		"f-tiles":         form("json"),
		"f-mvt":           form("mvt"),
		"f-png":           form("png"),
		"tile-filter":     filter,
	}
}
