package tiles

import (
	"fmt"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// WebMercatorQuad is the tile matrix set that all tiles here are in: the XYZ
// grid (OGC 17-083r4, annex D.1).
const WebMercatorQuad = "WebMercatorQuad"

const (
	webMercatorQuadURI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
	webMercatorCRS     = "http://www.opengis.net/def/crs/EPSG/0/3857"
	crs84              = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	relTilingScheme    = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"

	// mercatorHalfM is half the width of the Web Mercator square in metres:
	// π times the WGS 84 equatorial radius.
	mercatorHalfM = math.Pi * 6378137
	// scaleOfLevel0 is the scale denominator of level 0 with pixels of 0.28 mm.
	scaleOfLevel0 = 559082264.0287178
)

// Link is a link of an OGC API document.
type Link struct {
	Rel       string `json:"rel"`
	Type      string `json:"type,omitempty"`
	Title     string `json:"title,omitempty"`
	Href      string `json:"href"`
	Templated bool   `json:"templated,omitempty"`
}

// TileMatrixSet is the grid of tiles at every zoom (OGC Two Dimensional Tile
// Matrix Set 2.0).
type TileMatrixSet struct {
	ID                string       `json:"id"`
	Title             string       `json:"title"`
	URI               string       `json:"uri"`
	CRS               string       `json:"crs"`
	OrderedAxes       []string     `json:"orderedAxes"`
	WellKnownScaleSet string       `json:"wellKnownScaleSet"`
	TileMatrices      []TileMatrix `json:"tileMatrices"`
}

// TileMatrix is the grid of one zoom. Scales are for pixels of 0.28 mm, the
// cell size is in metres of the projection.
type TileMatrix struct {
	ID               string     `json:"id"`
	ScaleDenominator float64    `json:"scaleDenominator"`
	CellSize         float64    `json:"cellSize"`
	CornerOfOrigin   string     `json:"cornerOfOrigin"`
	PointOfOrigin    [2]float64 `json:"pointOfOrigin"`
	TileWidth        int        `json:"tileWidth"`
	TileHeight       int        `json:"tileHeight"`
	MatrixWidth      int        `json:"matrixWidth"`
	MatrixHeight     int        `json:"matrixHeight"`
}

// NewTileMatrixSet returns WebMercatorQuad to a zoom.
func NewTileMatrixSet(maxZoom int) TileMatrixSet {
	set := TileMatrixSet{
		ID: WebMercatorQuad, Title: "Google Maps compatible, Web Mercator", URI: webMercatorQuadURI, CRS: webMercatorCRS,
		OrderedAxes: []string{"E", "N"}, WellKnownScaleSet: "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
	}
	for z := range maxZoom + 1 {
		n := 1 << z
		set.TileMatrices = append(set.TileMatrices, TileMatrix{
			ID: strconv.Itoa(z), ScaleDenominator: scaleOfLevel0 / float64(n), CellSize: 2 * mercatorHalfM / 256 / float64(n),
			CornerOfOrigin: "topLeft", PointOfOrigin: [2]float64{-mercatorHalfM, mercatorHalfM},
			TileWidth: 256, TileHeight: 256, MatrixWidth: n, MatrixHeight: n,
		})
	}
	return set
}

// TileLimits are the rows and columns of one zoom that a tile set has.
type TileLimits struct {
	TileMatrix string `json:"tileMatrix"`
	MinTileRow uint32 `json:"minTileRow"`
	MaxTileRow uint32 `json:"maxTileRow"`
	MinTileCol uint32 `json:"minTileCol"`
	MaxTileCol uint32 `json:"maxTileCol"`
}

// LimitsOf returns the tiles at a zoom that a box in degrees touches; an empty
// box has the whole world.
func LimitsOf(b orb.Bound, zoom int) TileLimits {
	n := float64(uint32(1) << zoom)
	lim := TileLimits{TileMatrix: strconv.Itoa(zoom), MaxTileRow: uint32(n) - 1, MaxTileCol: uint32(n) - 1}
	if b.IsEmpty() {
		return lim
	}
	cell := func(share float64) uint32 { return uint32(min(max(math.Floor(share*n), 0), n-1)) }
	nw, se := world(orb.Point{b.Min[0], b.Max[1]}), world(orb.Point{b.Max[0], b.Min[1]})
	lim.MinTileCol, lim.MaxTileCol = cell(nw[0]), cell(se[0])
	lim.MinTileRow, lim.MaxTileRow = cell(nw[1]), cell(se[1])
	return lim
}

// Has reports whether a tile of the limits' zoom is among them.
func (l TileLimits) Has(t Tile) bool {
	return t.X >= l.MinTileCol && t.X <= l.MaxTileCol && t.Y >= l.MinTileRow && t.Y <= l.MaxTileRow
}

// TileSet is the metadata of a tile set (OGC API - Tiles, Part 1).
type TileSet struct {
	Title       string         `json:"title"`
	DataType    string         `json:"dataType"` // "vector" or "map"
	CRS         string         `json:"crs"`
	SchemeURI   string         `json:"tileMatrixSetURI"`
	SchemeID    string         `json:"tileMatrixSetId"`
	Limits      []TileLimits   `json:"tileMatrixSetLimits"`
	BoundingBox tileSetBox     `json:"boundingBox"`
	Layers      []TileSetLayer `json:"layers,omitempty"`
	MediaTypes  []string       `json:"mediaTypes"`
	Attribution string         `json:"attribution,omitempty"`
	Links       []Link         `json:"links"`
}

// tileSetBox is a box in degrees, longitude first.
type tileSetBox struct {
	LowerLeft   [2]float64 `json:"lowerLeft"`
	UpperRight  [2]float64 `json:"upperRight"`
	CRS         string     `json:"crs"`
	OrderedAxes []string   `json:"orderedAxes"`
}

// TileSetLayer is a layer inside the tiles of a set.
type TileSetLayer struct {
	ID       string         `json:"id"`
	Title    string         `json:"title,omitempty"`
	DataType string         `json:"dataType"`
	Schema   map[string]any `json:"propertiesSchema,omitempty"`
	Links    []Link         `json:"links,omitempty"`
}

// TileSetOf describes what a set is made of.
type TileSetOf struct {
	Title, Attribution string
	Map                bool      // raster tiles; else vector tiles
	Path               string    // of the set, as /ogc/tiles/WebMercatorQuad
	Bound              orb.Bound // in degrees
	MaxZoom            int
	Layers             []TileSetLayer
	TileJSON           string // path of the set's TileJSON; may be empty
}

// NewTileSet returns the metadata of a tile set. Rows come before columns in
// its addresses.
func NewTileSet(site Site, of TileSetOf) TileSet {
	kind, media := "vector", "application/vnd.mapbox-vector-tile"
	if of.Map {
		kind, media = "map", "image/png"
	}
	t := TileSet{
		Title: of.Title, DataType: kind, CRS: webMercatorCRS, SchemeURI: webMercatorQuadURI, SchemeID: WebMercatorQuad,
		Layers: of.Layers, MediaTypes: []string{media}, Attribution: of.Attribution,
		Links: []Link{
			{Rel: "self", Type: "application/json", Title: of.Title, Href: site.url(of.Path, nil)},
			{Rel: relTilingScheme, Type: "application/json", Title: WebMercatorQuad, Href: site.url("/ogc/tileMatrixSets/"+WebMercatorQuad, nil)},
			{Rel: "item", Type: media, Title: "tiles", Templated: true, Href: site.url(of.Path, nil) + "/{tileMatrix}/{tileRow}/{tileCol}"},
		},
	}
	if of.TileJSON != "" {
		t.Links = append(t.Links, Link{Rel: "describedby", Type: "application/vnd.mapbox.tile+json", Title: "TileJSON", Href: site.url(of.TileJSON, nil)})
	}
	for z := range of.MaxZoom + 1 {
		t.Limits = append(t.Limits, LimitsOf(of.Bound, z))
	}
	b := newTileJSON("", of.Bound, of.MaxZoom).Bounds
	t.BoundingBox = tileSetBox{LowerLeft: [2]float64{b[0], b[1]}, UpperRight: [2]float64{b[2], b[3]}, CRS: crs84, OrderedAxes: []string{"Lon", "Lat"}}
	return t
}

// Check reports why a tile is not in the set.
func (s TileSet) Check(t Tile) error {
	if int(t.Z) >= len(s.Limits) {
		return fmt.Errorf("tile matrix %d: this tile set has 0 to %d", t.Z, len(s.Limits)-1)
	}
	if l := s.Limits[t.Z]; !l.Has(t) {
		return fmt.Errorf("tile matrix %d, row %d, column %d: this tile set has rows %d to %d and columns %d to %d there",
			t.Z, t.Y, t.X, l.MinTileRow, l.MaxTileRow, l.MinTileCol, l.MaxTileCol)
	}
	return nil
}

// LayerOf describes a layer inside vector tiles by its TileJSON.
func LayerOf(v VectorLayer) TileSetLayer {
	properties := map[string]any{}
	for name, kind := range v.Fields {
		properties[name] = map[string]string{"type": map[string]string{"Number": "number", "Boolean": "boolean", "String": "string"}[kind]}
	}
	return TileSetLayer{ID: v.ID, Title: v.Description, DataType: "vector", Schema: map[string]any{"type": "object", "properties": properties}}
}
