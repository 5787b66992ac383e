package tiles

import (
	"encoding/xml"
	"fmt"
	"strconv"

	"github.com/paulmach/orb"
)

// DefaultStyle is the style of a map in its usual colours; the others are the
// names of ramps.
const DefaultStyle = "default"

// wmtsMatrixSet is what WMTS clients call WebMercatorQuad.
const wmtsMatrixSet = "GoogleMapsCompatible"

// IsTileMatrixSet reports whether a name is one of the grid that tiles are in.
func IsTileMatrixSet(name string) bool {
	return name == WebMercatorQuad || name == wmtsMatrixSet
}

// MapLayer is a raster map as WMTS and WMS list it.
type MapLayer struct {
	Surface Surface
	Bound   orb.Bound // in degrees; empty for the whole world
	MaxZoom int
	// Styles are ramps beside the usual one.
	Styles []string
}

// MapService describes the service to clients of WMTS and WMS.
type MapService struct {
	Site        Site
	Lang        Lang
	Attribution string
	Layers      []MapLayer
}

type owsCapabilities struct {
	XMLName        xml.Name `xml:"Capabilities"`
	NS             string   `xml:"xmlns,attr"`
	OWS            string   `xml:"xmlns:ows,attr"`
	XLink          string   `xml:"xmlns:xlink,attr"`
	XSI            string   `xml:"xmlns:xsi,attr"`
	SchemaLocation string   `xml:"xsi:schemaLocation,attr"`
	Version        string   `xml:"version,attr"`

	Title       string `xml:"ows:ServiceIdentification>ows:Title"`
	ServiceType string `xml:"ows:ServiceIdentification>ows:ServiceType"`
	TypeVersion string `xml:"ows:ServiceIdentification>ows:ServiceTypeVersion"`

	Operations []owsOperation  `xml:"ows:OperationsMetadata>ows:Operation"`
	Layers     []wmtsLayer     `xml:"Contents>Layer"`
	MatrixSet  wmtsMatrixSetOf `xml:"Contents>TileMatrixSet"`
	Metadata   xlink           `xml:"ServiceMetadataURL"`
}

type xlink struct {
	Href string `xml:"xlink:href,attr"`
}

type owsOperation struct {
	Name string    `xml:"name,attr"`
	Gets []owsHTTP `xml:"ows:DCP>ows:HTTP>ows:Get"`
}

type owsHTTP struct {
	Href     string        `xml:"xlink:href,attr"`
	Encoding owsConstraint `xml:"ows:Constraint"`
}

type owsConstraint struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"ows:AllowedValues>ows:Value"`
}

type wmtsLayer struct {
	Title      string        `xml:"ows:Title"`
	Abstract   string        `xml:"ows:Abstract,omitempty"`
	LowerLeft  string        `xml:"ows:WGS84BoundingBox>ows:LowerCorner"`
	UpperRight string        `xml:"ows:WGS84BoundingBox>ows:UpperCorner"`
	ID         string        `xml:"ows:Identifier"`
	Styles     []wmtsStyle   `xml:"Style"`
	Format     string        `xml:"Format"`
	MatrixSet  string        `xml:"TileMatrixSetLink>TileMatrixSet"`
	Resources  []wmtsAddress `xml:"ResourceURL"`
}

type wmtsStyle struct {
	Default bool       `xml:"isDefault,attr"`
	Title   string     `xml:"ows:Title"`
	ID      string     `xml:"ows:Identifier"`
	Legend  wmtsLegend `xml:"LegendURL"`
}

type wmtsLegend struct {
	Format string `xml:"format,attr"`
	Href   string `xml:"xlink:href,attr"`
}

type wmtsAddress struct {
	Format   string `xml:"format,attr"`
	Kind     string `xml:"resourceType,attr"`
	Template string `xml:"template,attr"`
}

type wmtsMatrixSetOf struct {
	ID       string       `xml:"ows:Identifier"`
	CRS      string       `xml:"ows:SupportedCRS"`
	ScaleSet string       `xml:"WellKnownScaleSet"`
	Matrices []wmtsMatrix `xml:"TileMatrix"`
}

type wmtsMatrix struct {
	ID           string `xml:"ows:Identifier"`
	Scale        string `xml:"ScaleDenominator"`
	TopLeft      string `xml:"TopLeftCorner"`
	TileWidth    int    `xml:"TileWidth"`
	TileHeight   int    `xml:"TileHeight"`
	MatrixWidth  int    `xml:"MatrixWidth"`
	MatrixHeight int    `xml:"MatrixHeight"`
}

// WMTS returns the capabilities of a WMTS 1.0.0 over the raster tiles (OGC
// 07-057r7), with RESTful and key-value addresses.
func (m MapService) WMTS() ([]byte, error) {
	kvp, rest := m.Site.url("/wmts", nil)+"?", m.Site.url("/wmts/1.0.0/WMTSCapabilities.xml", nil)
	doc := owsCapabilities{
		NS: "http://www.opengis.net/wmts/1.0", OWS: "http://www.opengis.net/ows/1.1", XLink: "http://www.w3.org/1999/xlink",
		XSI:            "http://www.w3.org/2001/XMLSchema-instance",
		SchemaLocation: "http://www.opengis.net/wmts/1.0 http://schemas.opengis.net/wmts/1.0/wmtsGetCapabilities_response.xsd",
		Version:        "1.0.0", Title: "sempadan", ServiceType: "OGC WMTS", TypeVersion: "1.0.0",
		Operations: []owsOperation{
			{Name: "GetCapabilities", Gets: []owsHTTP{{kvp, owsConstraint{"GetEncoding", "KVP"}}}},
			{Name: "GetTile", Gets: []owsHTTP{{kvp, owsConstraint{"GetEncoding", "KVP"}}}},
		},
		Metadata: xlink{rest},
	}
	deepest := 0
	for _, l := range m.Layers {
		deepest = max(deepest, l.MaxZoom)
		b := newTileJSON("", l.Bound, l.MaxZoom).Bounds
		layer := wmtsLayer{
			Title: l.Surface.Title.In(m.Lang), Abstract: l.Surface.Unit.In(m.Lang), ID: l.Surface.ID, Format: "image/png", MatrixSet: wmtsMatrixSet,
			LowerLeft: fmt.Sprintf("%g %g", b[0], b[1]), UpperRight: fmt.Sprintf("%g %g", b[2], b[3]),
			Resources: []wmtsAddress{{"image/png", "tile",
				m.Site.url("/wmts/"+l.Surface.ID, nil) + "/{Style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png"}},
		}
		for _, style := range append([]string{DefaultStyle}, l.Styles...) {
			layer.Styles = append(layer.Styles, wmtsStyle{Default: style == DefaultStyle, Title: style, ID: style,
				Legend: wmtsLegend{"image/png", m.legendURL(l.Surface, style)}})
		}
		doc.Layers = append(doc.Layers, layer)
	}
	set := NewTileMatrixSet(deepest)
	doc.MatrixSet = wmtsMatrixSetOf{ID: wmtsMatrixSet, CRS: "urn:ogc:def:crs:EPSG::3857", ScaleSet: "urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible"}
	for _, z := range set.TileMatrices {
		doc.MatrixSet.Matrices = append(doc.MatrixSet.Matrices, wmtsMatrix{
			ID: z.ID, Scale: strconv.FormatFloat(z.ScaleDenominator, 'f', -1, 64),
			TopLeft:   fmt.Sprintf("%.10f %.10f", z.PointOfOrigin[0], z.PointOfOrigin[1]),
			TileWidth: z.TileWidth, TileHeight: z.TileHeight, MatrixWidth: z.MatrixWidth, MatrixHeight: z.MatrixHeight,
		})
	}
	return xmlDocument(doc)
}

// legendURL is the address of a legend as PNG.
func (m MapService) legendURL(s Surface, style string) string {
	query := map[string][]string{}
	if style != DefaultStyle {
		query["palette"] = []string{style}
	}
	if m.Lang != "" && m.Lang != English {
		query["lang"] = []string{string(m.Lang)}
	}
	return m.Site.url("/tiles/"+s.ID+"/legend.png", query)
}

// OWSException words a fault for a client of WMTS (OGC 06-121r3); locator names
// the parameter.
func OWSException(code, locator, text string) ([]byte, error) {
	return xmlDocument(struct {
		XMLName xml.Name  `xml:"ExceptionReport"`
		NS      string    `xml:"xmlns,attr"`
		Version string    `xml:"version,attr"`
		Lang    string    `xml:"xml:lang,attr"`
		Fault   exception `xml:"Exception"`
	}{NS: "http://www.opengis.net/ows/1.1", Version: "1.1.0", Lang: "en", Fault: exception{code, locator, text}})
}

type exception struct {
	Code    string `xml:"exceptionCode,attr"`
	Locator string `xml:"locator,attr,omitempty"`
	Text    string `xml:"ExceptionText"`
}

func xmlDocument(doc any) ([]byte, error) {
	body, err := xml.MarshalIndent(doc, "", " ")
	if err != nil {
		return nil, fmt.Errorf("write XML: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}
