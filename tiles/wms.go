package tiles

import (
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"

	"github.com/paulmach/orb"
)

// WMSVersion is the version of WMS that is spoken (OGC 06-042).
const WMSVersion = "1.3.0"

// MaxMapPixels is the most pixels along a side of a map.
const MaxMapPixels = 2048

// MapView is a picture of a part of the world: Width × Height pixels over a box
// in a reference system.
type MapView struct {
	CRS           string // EPSG:3857, EPSG:4326 or CRS:84
	Box           [4]float64
	Width, Height int
}

// WMSSystems lists the reference systems of MapView.
func WMSSystems() []string { return []string{"EPSG:3857", "EPSG:4326", "CRS:84"} }

// Check reports what is wrong with a view.
func (v MapView) Check() error {
	known := false
	for _, crs := range WMSSystems() {
		known = known || crs == v.CRS
	}
	switch {
	case !known:
		return fmt.Errorf("crs %q: use EPSG:3857, EPSG:4326 or CRS:84", v.CRS)
	case v.Width < 1 || v.Height < 1 || v.Width > MaxMapPixels || v.Height > MaxMapPixels:
		return fmt.Errorf("a map of %d x %d pixels: each side has 1 to %d", v.Width, v.Height, MaxMapPixels)
	}
	for _, x := range v.Box {
		if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) > 1e9 {
			return fmt.Errorf("bbox %v: give four numbers", v.Box)
		}
	}
	if v.Box[0] >= v.Box[2] || v.Box[1] >= v.Box[3] {
		return fmt.Errorf("bbox %v: the first corner must be below the second on both axes", v.Box)
	}
	return nil
}

// lonLat puts the box's axes in the order x, y. EPSG:4326 has latitude first.
func (v MapView) lonLat() (x0, y0, x1, y1 float64) {
	if v.CRS == "EPSG:4326" {
		return v.Box[1], v.Box[0], v.Box[3], v.Box[2]
	}
	return v.Box[0], v.Box[1], v.Box[2], v.Box[3]
}

// worldXY returns the world coordinates of a place of the picture in pixels, and
// whether the tile pyramid reaches there.
func (v MapView) worldXY(px, py float64) (x, y float64, ok bool) {
	x0, y0, x1, y1 := v.lonLat()
	cx := x0 + (x1-x0)*px/float64(v.Width)
	cy := y1 - (y1-y0)*py/float64(v.Height)
	if v.CRS == "EPSG:3857" {
		x, y = cx/(2*mercatorHalfM)+0.5, 0.5-cy/(2*mercatorHalfM)
	} else {
		if math.Abs(cy) >= 89.9 {
			return 0, 0, false
		}
		x = cx/360 + 0.5
		y = 0.5 - math.Asinh(math.Tan(cy*math.Pi/180))/(2*math.Pi)
	}
	return x, y, x >= 0 && x < 1 && y >= 0 && y < 1
}

// Place returns longitude and latitude in degrees of a pixel's centre.
func (v MapView) Place(col, row int) (lon, lat float64, ok bool) {
	x, y, ok := v.worldXY(float64(col)+0.5, float64(row)+0.5)
	return lonOf(x), latOf(y), ok
}

// blockPx is the side of the blocks in which a map asks for values.
const blockPx = 256

// Level is the level of pixels (256·2^z over the world at zoom z) from which a
// map is drawn: the first whose pixels are at most a fifth larger than the map's
// in its middle.
func (v MapView) Level(deepest int) int {
	midX, midY := float64(v.Width)/2, float64(v.Height)/2
	xa, ya, _ := v.worldXY(midX-0.5, midY-0.5)
	xb, yb, _ := v.worldXY(midX+0.5, midY+0.5)
	pixel := min(math.Abs(xb-xa), math.Abs(yb-ya))
	level := math.Ceil(-math.Log2(pixel) - math.Log2(1.2))
	if math.IsNaN(level) {
		return 8
	}
	return int(min(max(level, 8), float64(deepest)))
}

// Values fills a map, row by row from the top: block returns the values of
// blockPx × blockPx pixels of a level, from pixel x, y on. What lies outside of
// the pyramid is 0. Each pixel has the value of the nearest of the level.
func (v MapView) Values(deepest int, block func(level, x, y, n int) ([]float64, error)) ([]float64, error) {
	level := v.Level(deepest)
	world := math.Ldexp(1, level)
	out := make([]float64, v.Width*v.Height)
	blocks, blockRow := map[int][]float64{}, -1
	for row := range v.Height {
		for col := range v.Width {
			x, y, ok := v.worldXY(float64(col)+0.5, float64(row)+0.5)
			if !ok {
				continue
			}
			px, py := int(x*world), int(y*world)
			if k := py / blockPx; k != blockRow { // rows run from north to south: what is above is done with
				blockRow = k
				clear(blocks)
			}
			values, have := blocks[px/blockPx]
			if !have {
				var err error
				if values, err = block(level, px/blockPx*blockPx, blockRow*blockPx, blockPx); err != nil {
					return nil, err
				}
				blocks[px/blockPx] = values
			}
			out[row*v.Width+col] = values[py%blockPx*blockPx+px%blockPx]
		}
	}
	return out, nil
}

// Picture colours values, width to a row.
func (r *Raster) Picture(values []float64, width int) *image.Paletted {
	img := image.NewPaletted(image.Rect(0, 0, width, len(values)/width), r.palette)
	for i, v := range values {
		k := r.indexer.index(v)
		if ink := r.hatched[k]; ink != 0 && onHatch(i%width, i/width, blockPx) {
			k = ink
		}
		img.Pix[i] = k
	}
	return img
}

// WriteMap lays pictures of one size over each other, the last on top, and over
// a ground unless that is nil, and writes them as PNG.
func WriteMap(w io.Writer, pictures []*image.Paletted, ground color.Color) error {
	if len(pictures) == 0 {
		return fmt.Errorf("a map without pictures: give at least one")
	}
	out := image.NewNRGBA(pictures[0].Rect)
	if ground != nil {
		draw.Draw(out, out.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	}
	for _, p := range pictures {
		draw.Draw(out, out.Rect, p, image.Point{}, draw.Over)
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(w, out); err != nil {
		return fmt.Errorf("png: %w", err)
	}
	return nil
}

type wmsCapabilities struct {
	XMLName xml.Name `xml:"WMS_Capabilities"`
	NS      string   `xml:"xmlns,attr"`
	XLink   string   `xml:"xmlns:xlink,attr"`
	Version string   `xml:"version,attr"`

	Name     string  `xml:"Service>Name"`
	Title    string  `xml:"Service>Title"`
	Online   wmsLink `xml:"Service>OnlineResource"`
	MaxWidth int     `xml:"Service>MaxWidth"`
	MaxHight int     `xml:"Service>MaxHeight"`

	Capabilities wmsOperation `xml:"Capability>Request>GetCapabilities"`
	Map          wmsOperation `xml:"Capability>Request>GetMap"`
	Info         wmsOperation `xml:"Capability>Request>GetFeatureInfo"`
	Exceptions   []string     `xml:"Capability>Exception>Format"`
	Root         wmsLayer     `xml:"Capability>Layer"`
}

type wmsLink struct {
	Kind string `xml:"xlink:type,attr"`
	Href string `xml:"xlink:href,attr"`
}

type wmsOperation struct {
	Formats []string `xml:"Format"`
	Get     wmsLink  `xml:"DCPType>HTTP>Get>OnlineResource"`
}

type wmsLayer struct {
	Queryable int         `xml:"queryable,attr,omitempty"`
	Name      string      `xml:"Name,omitempty"`
	Title     string      `xml:"Title"`
	Abstract  string      `xml:"Abstract,omitempty"`
	CRS       []string    `xml:"CRS"`
	Box       *wmsBox     `xml:"EX_GeographicBoundingBox"`
	Bounds    []wmsBounds `xml:"BoundingBox"`
	Credit    string      `xml:"Attribution>Title,omitempty"`
	Styles    []wmsStyle  `xml:"Style"`
	Layers    []wmsLayer  `xml:"Layer"`
}

type wmsBox struct {
	West  float64 `xml:"westBoundLongitude"`
	East  float64 `xml:"eastBoundLongitude"`
	South float64 `xml:"southBoundLatitude"`
	North float64 `xml:"northBoundLatitude"`
}

type wmsBounds struct {
	CRS  string  `xml:"CRS,attr"`
	MinX float64 `xml:"minx,attr"`
	MinY float64 `xml:"miny,attr"`
	MaxX float64 `xml:"maxx,attr"`
	MaxY float64 `xml:"maxy,attr"`
}

type wmsStyle struct {
	Name   string  `xml:"Name"`
	Title  string  `xml:"Title"`
	Format string  `xml:"LegendURL>Format"`
	Legend wmsLink `xml:"LegendURL>OnlineResource"`
}

// WMS returns the capabilities of a WMS 1.3.0 over the same maps.
func (m MapService) WMS() ([]byte, error) {
	address := wmsLink{"simple", m.Site.url("/wms", nil) + "?"}
	doc := wmsCapabilities{
		NS: "http://www.opengis.net/wms", XLink: "http://www.w3.org/1999/xlink", Version: WMSVersion,
		Name: "WMS", Title: "sempadan", Online: address, MaxWidth: MaxMapPixels, MaxHight: MaxMapPixels,
		Capabilities: wmsOperation{[]string{"text/xml"}, address}, Map: wmsOperation{[]string{"image/png"}, address},
		Info:       wmsOperation{[]string{"application/json", "text/plain"}, address},
		Exceptions: []string{"XML"},
		Root:       wmsLayer{Title: "sempadan", CRS: WMSSystems()},
	}
	for _, l := range m.Layers {
		b := newTileJSON("", l.Bound, l.MaxZoom).Bounds
		nw, se := world(orb.Point{b[0], b[3]}), world(orb.Point{b[2], b[1]})
		metres := func(share float64) float64 { return (share - 0.5) * 2 * mercatorHalfM }
		layer := wmsLayer{
			Queryable: 1, Name: l.Surface.ID, Title: l.Surface.Title.In(m.Lang), Abstract: l.Surface.Unit.In(m.Lang), CRS: WMSSystems(), Credit: m.Attribution,
			Box: &wmsBox{b[0], b[2], b[1], b[3]},
			Bounds: []wmsBounds{
				{"EPSG:3857", metres(nw[0]), -metres(se[1]), metres(se[0]), -metres(nw[1])},
				{"EPSG:4326", b[1], b[0], b[3], b[2]}, {"CRS:84", b[0], b[1], b[2], b[3]},
			},
		}
		for _, style := range append([]string{DefaultStyle}, l.Styles...) {
			layer.Styles = append(layer.Styles, wmsStyle{style, style, "image/png", wmsLink{"simple", m.legendURL(l.Surface, style)}})
		}
		doc.Root.Layers = append(doc.Root.Layers, layer)
	}
	return xmlDocument(doc)
}

// WMSException words a fault for a client of WMS; code may be empty.
func WMSException(code, text string) ([]byte, error) {
	return xmlDocument(struct {
		XMLName xml.Name `xml:"ServiceExceptionReport"`
		NS      string   `xml:"xmlns,attr"`
		Version string   `xml:"version,attr"`
		Fault   struct {
			Code string `xml:"code,attr,omitempty"`
			Text string `xml:",chardata"`
		} `xml:"ServiceException"`
	}{NS: "http://www.opengis.net/ogc", Version: WMSVersion, Fault: struct {
		Code string `xml:"code,attr,omitempty"`
		Text string `xml:",chardata"`
	}{code, text}})
}
