package tiles

import (
	"fmt"
	"net/url"
	"strings"
)

// Style is a MapLibre style document, version 8. It names no glyphs and no
// sprite: MapLibre draws the labels with the reader's own fonts, and nothing
// is fetched from elsewhere.
type Style struct {
	Version  int                    `json:"version"`
	Name     string                 `json:"name"`
	Metadata map[string]string      `json:"metadata,omitempty"`
	Center   [2]float64             `json:"center"`
	Zoom     float64                `json:"zoom"`
	Sources  map[string]StyleSource `json:"sources"`
	Layers   []StyleLayer           `json:"layers"`
}

// StyleSource is where a style's tiles come from.
type StyleSource struct {
	Type     string `json:"type"`
	URL      string `json:"url"` // of a TileJSON document
	TileSize int    `json:"tileSize,omitempty"`
}

// StyleLayer is one layer of drawing, from the bottom.
type StyleLayer struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	Source      string         `json:"source,omitempty"`
	SourceLayer string         `json:"source-layer,omitempty"`
	MinZoom     float64        `json:"minzoom,omitempty"`
	MaxZoom     float64        `json:"maxzoom,omitempty"`
	Filter      any            `json:"filter,omitempty"`
	Layout      map[string]any `json:"layout,omitempty"`
	Paint       map[string]any `json:"paint,omitempty"`
}

// LightStyle is the name of the base map's style.
const LightStyle = "light"

// The colours of the light base map, muted so that the surfaces stand out.
const (
	seaColour       = "#dce8ef"
	waterZoneColour = "#d2e1eb"
	waterZoneEdge   = "#9db8cb"
	landColour      = "#f7f5ef"
	coastColour     = "#8fa9ba"
	riverColour     = "#a9c8dc"
	borderColour    = "#6b4a78"
	labelColour     = "#46525e"
	haloColour      = "#fbfaf6"
)

// StyleNames lists the styles: the base map and one for each surface.
func StyleNames() []string {
	out := []string{LightStyle}
	for _, s := range Surfaces() {
		out = append(out, s.ID)
	}
	return out
}

// NewStyle returns a style by its name. All its sources are on the site;
// query is put on the address of the surface's TileJSON and may be nil.
func NewStyle(site Site, name string, lang Lang, query url.Values) (Style, error) {
	style := Style{
		Version: 8,
		Name:    "sempadan " + name,
		Center:  [2]float64{108.5, 2.2},
		Zoom:    4.6,
		Sources: map[string]StyleSource{},
	}
	for _, id := range []string{"land", "territorial_waters", "coastline", "rivers", "land_border", "places"} {
		style.Sources[id] = StyleSource{Type: "vector", URL: site.url("/tiles/layers/"+id+".json", nil)}
	}
	style.Layers = groundLayers()
	if name != LightStyle {
		s, ok := SurfaceByID(name)
		if !ok {
			return Style{}, fmt.Errorf("style %q: use one of %s", name, strings.Join(StyleNames(), ", "))
		}
		style.Sources[s.ID] = StyleSource{Type: "raster", URL: site.url("/tiles/"+s.ID+".json", query), TileSize: 256}
		legend := url.Values{}
		if lang != "" {
			legend.Set("lang", string(lang))
		}
		style.Metadata = map[string]string{"sempadan:title": s.Title.In(lang), "sempadan:legend": site.url("/tiles/"+s.ID+"/legend.json", legend)}
		style.Layers = append(style.Layers, StyleLayer{ID: s.ID, Type: "raster", Source: s.ID, Paint: map[string]any{
			"raster-opacity": 0.9, "raster-resampling": resampling(s), "raster-fade-duration": 150,
		}})
	}
	style.Layers = append(style.Layers, lineLayers()...)
	return style, nil
}

// resampling keeps the edges of classes sharp where tiles are enlarged.
func resampling(s Surface) string {
	if s.Scale == Classes {
		return "nearest"
	}
	return "linear"
}

// byZoom is a number that grows evenly between the given zooms.
func byZoom(stops ...float64) []any {
	out := []any{"interpolate", []any{"exponential", 1.4}, []any{"zoom"}}
	for _, s := range stops {
		out = append(out, s)
	}
	return out
}

// groundLayers are what lies under the surfaces.
func groundLayers() []StyleLayer {
	return []StyleLayer{
		{ID: "sea", Type: "background", Paint: map[string]any{"background-color": seaColour}},
		{ID: "territorial-waters", Type: "fill", Source: "territorial_waters", SourceLayer: "territorial_waters",
			Paint: map[string]any{"fill-color": waterZoneColour, "fill-antialias": false}},
		{ID: "territorial-waters-limit", Type: "line", Source: "territorial_waters", SourceLayer: "territorial_waters",
			Layout: map[string]any{"line-join": "round"},
			Paint: map[string]any{"line-color": waterZoneEdge, "line-opacity": 0.8,
				"line-width": byZoom(4, 0.5, 12, 1.4), "line-dasharray": []float64{5, 3}}},
		{ID: "land", Type: "fill", Source: "land", SourceLayer: "land",
			Paint: map[string]any{"fill-color": landColour}},
	}
}

// lineLayers are what lies over the surfaces: outlines and words.
func lineLayers() []StyleLayer {
	round := map[string]any{"line-join": "round", "line-cap": "round"}
	return []StyleLayer{
		{ID: "rivers", Type: "line", Source: "rivers", SourceLayer: "rivers", MinZoom: 5, Layout: round,
			Paint: map[string]any{"line-color": riverColour, "line-width": byZoom(5, 0.3, 10, 1.1, 16, 4)}},
		{ID: "coastline", Type: "line", Source: "coastline", SourceLayer: "coastline", Layout: round,
			Paint: map[string]any{"line-color": coastColour, "line-width": byZoom(3, 0.3, 6, 0.45, 9, 0.9, 14, 1.6)}},
		{ID: "land-border-casing", Type: "line", Source: "land_border", SourceLayer: "land_border", Layout: round,
			Paint: map[string]any{"line-color": haloColour, "line-opacity": 0.85, "line-width": byZoom(4, 2.6, 10, 5.5, 16, 9)}},
		{ID: "land-border", Type: "line", Source: "land_border", SourceLayer: "land_border",
			Layout: map[string]any{"line-join": "round", "line-cap": "butt"},
			Paint: map[string]any{"line-color": borderColour, "line-width": byZoom(4, 1.1, 10, 2, 16, 3),
				"line-dasharray": []float64{4, 1.5, 1, 1.5}}},
		{ID: "places-dot", Type: "circle", Source: "places", SourceLayer: "places", MinZoom: 10,
			Paint: map[string]any{"circle-radius": byZoom(10, 1.5, 13, 2.6), "circle-color": landColour,
				"circle-stroke-color": labelColour, "circle-stroke-width": 1}},
		{ID: "places", Type: "symbol", Source: "places", SourceLayer: "places", MinZoom: 7,
			Layout: map[string]any{
				"text-field":           []any{"get", "name"},
				"text-font":            []string{"Noto Sans Regular"},
				"text-size":            byZoom(7, 10.5, 13, 14),
				"text-variable-anchor": []string{"left", "right", "top", "bottom"},
				"text-radial-offset":   0.5,
				"text-justify":         "auto",
				"text-padding":         byZoom(7, 18, 10, 6, 13, 2),
				"text-max-width":       8,
			},
			Paint: map[string]any{"text-color": labelColour, "text-halo-color": haloColour, "text-halo-width": 1.4}},
	}
}
