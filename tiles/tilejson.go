package tiles

import (
	"math"
	"net/url"
	"strings"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

const (
	// SurfaceMaxZoom is the deepest zoom of raster tiles; clients enlarge
	// them beyond, where the surfaces have nothing finer to show.
	SurfaceMaxZoom = 16
	// LayerMaxZoom is the deepest zoom of vector tiles that clients need: a
	// unit there is 0.6 m.
	LayerMaxZoom = 14
)

// TileJSON describes a tile set (TileJSON 3.0.0).
type TileJSON struct {
	TileJSON     string        `json:"tilejson"`
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Attribution  string        `json:"attribution,omitempty"`
	Scheme       string        `json:"scheme"`
	Tiles        []string      `json:"tiles"`
	MinZoom      int           `json:"minzoom"`
	MaxZoom      int           `json:"maxzoom"`
	Bounds       [4]float64    `json:"bounds"`
	Center       [3]float64    `json:"center"`
	Legend       string        `json:"legend,omitempty"`
	V            string        `json:"v,omitempty"` // version of the assessment or layer
	VectorLayers []VectorLayer `json:"vector_layers,omitempty"`
}

// VectorLayer describes a layer inside vector tiles.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description,omitempty"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"`
}

// Site says how the addresses in a document begin and end.
type Site struct {
	// Base is the address of the service without a slash at the end:
	// https://example.org or https://example.org/sempadan.
	Base string
	// Query is put on every address, such as a token; it may be nil.
	Query url.Values
}

// url returns an absolute address; query is added to the site's own. Braces
// stay as they are, for templates.
func (s Site) url(path string, query url.Values) string {
	all := url.Values{}
	for _, values := range []url.Values{s.Query, query} {
		for k, v := range values {
			all[k] = v
		}
	}
	out := strings.TrimSuffix(s.Base, "/") + path
	if len(all) > 0 {
		out += "?" + strings.ReplaceAll(all.Encode(), "+", "%20") // a plus is a blank to some clients only
	}
	return out
}

// SurfaceSet is what the TileJSON of a raster map says beside its surface.
type SurfaceSet struct {
	Bound       orb.Bound
	Version     string     // of the assessment; "" for the newest
	Query       url.Values // what the tiles depend on, such as palette
	Attribution string
	Lang        Lang
}

// SurfaceTileJSON describes the raster tiles of a surface.
func SurfaceTileJSON(site Site, s Surface, set SurfaceSet) TileJSON {
	query := url.Values{}
	for k, v := range set.Query {
		query[k] = v
	}
	if set.Version != "" {
		query.Set("v", set.Version)
	}
	legend := url.Values{}
	if p := set.Query.Get("palette"); p != "" {
		legend.Set("palette", p)
	}
	if set.Lang != "" {
		legend.Set("lang", string(set.Lang))
	}
	t := newTileJSON(s.Title.In(set.Lang), set.Bound, SurfaceMaxZoom)
	t.Description = s.Unit.In(set.Lang)
	t.Attribution = set.Attribution
	t.Tiles = []string{site.url("/tiles/"+s.ID+"/{z}/{x}/{y}.png", query)}
	t.Legend = site.url("/tiles/"+s.ID+"/legend.json", legend)
	t.V = set.Version
	return t
}

// Within returns the document with another extent, for those who may not know
// where the data end.
func (t TileJSON) Within(b orb.Bound) TileJSON {
	n := newTileJSON("", b, t.MaxZoom)
	t.Bounds, t.Center = n.Bounds, n.Center
	return t
}

// LayerTileJSON describes the vector tiles of a layer; query is put on the
// address of its tiles and may be nil.
func LayerTileJSON(site Site, l *geo.Layer, query url.Values) TileJSON {
	info := l.Info
	t := newTileJSON(info.Title, l.Bound(), LayerMaxZoom)
	t.Description = info.Note
	t.Attribution = attribution(info)
	t.Tiles = []string{site.url("/tiles/layers/"+url.PathEscape(info.ID)+"/{z}/{x}/{y}.mvt", query)}
	t.V = query.Get("v")
	fields := map[string]string{}
	for _, c := range l.Columns() {
		if Drawn(info.Kind, c.Name) {
			fields[c.Name] = fieldType(c.Type)
		}
	}
	if from, to, dated := timeFields(l); dated {
		fields[from], fields[to] = "String", "String"
	}
	t.VectorLayers = []VectorLayer{{ID: info.ID, Description: info.Title, MaxZoom: LayerMaxZoom, Fields: fields}}
	return t
}

// Drawn reports whether the tiles of layers of a kind may have a property.
func Drawn(kind geo.LayerKind, property string) bool {
	return (kind != geo.KindIncident || property != geo.CollusionField) && property != geo.HeightsField
}

func timeFields(l *geo.Layer) (from, to string, dated bool) {
	from, to = l.Info.Kind.TimeFields()
	for row := range l.Len() {
		if _, _, ok := l.TimesMS(row); ok {
			return from, to, true
		}
	}
	return from, to, false
}

// fieldType is the TileJSON word for a column's type in the tiles, where
// arrays and objects are text.
func fieldType(column string) string {
	switch column {
	case "number":
		return "Number"
	case "boolean":
		return "Boolean"
	}
	return "String"
}

// attribution names where a layer is from: its source, else the agency that owns
// it, else the users of the service.
func attribution(info geo.LayerInfo) string {
	out := info.Source
	country, agency, owned := strings.Cut(info.Owner, "/")
	switch {
	case out != "":
	case owned:
		out = agency + ", " + country
	case info.Licence == "" && !info.Synthetic:
		out = "data of the users of this service"
	}
	if info.Licence != "" {
		out = strings.TrimPrefix(out+" ("+info.Licence+")", " ")
	}
	if info.Synthetic {
		out = strings.TrimPrefix(out+"; synthetic data", "; ")
	}
	return out
}

func newTileJSON(name string, b orb.Bound, maxZoom int) TileJSON {
	t := TileJSON{TileJSON: "3.0.0", Name: name, Scheme: "xyz", MaxZoom: maxZoom, Bounds: [4]float64{-180, -85.05113, 180, 85.05113}}
	if !b.IsEmpty() {
		const grain = 1e5 // degrees are rounded outwards to about a metre
		t.Bounds = [4]float64{
			max(math.Floor(b.Min[0]*grain)/grain, -180), max(math.Floor(b.Min[1]*grain)/grain, -90),
			min(math.Ceil(b.Max[0]*grain)/grain, 180), min(math.Ceil(b.Max[1]*grain)/grain, 90),
		}
	}
	middle := func(lo, hi float64) float64 { return math.Round((lo+hi)/2*1e5) / 1e5 }
	width := max(t.Bounds[2]-t.Bounds[0], t.Bounds[3]-t.Bounds[1], 1e-4)
	zoom := min(max(math.Floor(math.Log2(360/width)), 0), float64(maxZoom))
	t.Center = [3]float64{middle(t.Bounds[0], t.Bounds[2]), middle(t.Bounds[1], t.Bounds[3]), zoom}
	return t
}
