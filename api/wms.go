package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/tiles"
)

// wmsRoutes are WMS 1.3.0 over the raster maps.
func (s *Server) wmsRoutes() []route {
	return []route{{"GET", "/wms", s.wms, []string{anyParams}}}
}

func (s *Server) wms(w http.ResponseWriter, r *http.Request) error {
	err := s.answerWMS(w, r, readKVP(r))
	if err == nil {
		return nil
	}
	f := faultOf(err)
	switch {
	case f.locator == "style":
		f.code = "StyleNotDefined"
	case f.code == "InvalidParameterValue" || f.code == "MissingParameterValue" || f.code == "NoApplicableCode":
		f.code = "" // WMS has codes of its own, for a few faults only
	}
	body, xmlErr := tiles.WMSException(f.code, f.text)
	if xmlErr != nil {
		return xmlErr
	}
	s.sendFault(w, r, err, reply{status: f.status, contentType: "text/xml", body: body})
	return nil
}

func (s *Server) answerWMS(w http.ResponseWriter, r *http.Request, k kvp) error {
	if service := k["service"]; service != "" && service != "WMS" {
		return invalid("service", "this is a WMS")
	}
	if v := k["version"]; v != "" && v != tiles.WMSVersion && k["request"] != "GetCapabilities" {
		return invalid("version", "this is WMS "+tiles.WMSVersion)
	}
	switch k["request"] {
	case "GetCapabilities", "":
		body, err := s.mapService(r).WMS()
		if err != nil {
			return err
		}
		s.send(w, r, reply{contentType: "text/xml", body: body})
		return nil
	case "GetMap":
		return s.wmsMap(w, r, k)
	case "GetFeatureInfo":
		return s.wmsFeatureInfo(w, r, k)
	case "GetLegendGraphic":
		layer := k["layer"]
		if layer == "" {
			return missing("layer")
		}
		as, err := s.asSurface(r, k["style"], map[string]string{"surface": layer, "ext": "png"})
		if err != nil {
			return err
		}
		return s.legend(w, as)
	}
	return fault{http.StatusBadRequest, "OperationNotSupported", "request", "request is GetCapabilities, GetMap, GetFeatureInfo or GetLegendGraphic"}
}

// wmsView reads where a map lies.
func wmsView(k kvp) (v tiles.MapView, err error) {
	if v.CRS = k["crs"]; v.CRS == "" {
		return v, missing("crs")
	}
	if v.Width, err = k.whole("width"); err != nil {
		return v, err
	}
	if v.Height, err = k.whole("height"); err != nil {
		return v, err
	}
	corners := strings.Split(k["bbox"], ",")
	if len(corners) != 4 {
		return v, invalid("bbox", "give four numbers with commas between them")
	}
	for i, text := range corners {
		if v.Box[i], err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
			return v, invalid("bbox", strconv.Quote(text)+" is not a number")
		}
	}
	if err := v.Check(); err != nil {
		if strings.HasPrefix(err.Error(), "crs") {
			return v, fault{http.StatusBadRequest, "InvalidCRS", "crs", err.Error()}
		}
		return v, invalid("bbox", err.Error())
	}
	return v, nil
}

// wmsLayers reads the layers of a map, the last on top, each with its style.
func (s *Server) wmsLayers(r *http.Request, k kvp) ([]surfaceAsk, error) {
	if k["layers"] == "" {
		return nil, missing("layers")
	}
	names, styles := strings.Split(k["layers"], ","), strings.Split(k["styles"], ",")
	if len(names) > len(tiles.Surfaces()) {
		return nil, invalid("layers", fmt.Sprintf("at most %d at once", len(tiles.Surfaces())))
	}
	if len(styles) > 1 && len(styles) != len(names) {
		return nil, invalid("styles", "give one for each layer, or none")
	}
	var out []surfaceAsk
	for i, name := range names {
		style := styles[0]
		if len(styles) > 1 {
			style = styles[i]
		}
		as, err := s.asSurface(r, style, map[string]string{"surface": name})
		if err != nil {
			return nil, err
		}
		a, err := s.readSurfaceAsk(as)
		if err != nil {
			if p := problemOf(err); p.Code == "surface_not_found" {
				return nil, fault{http.StatusBadRequest, "LayerNotDefined", "layers", p.Detail}
			}
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// ground reads what a map is drawn on: nil for nothing.
func (k kvp) ground() (color.Color, error) {
	if strings.EqualFold(k["transparent"], "true") {
		return nil, nil
	}
	text := k["bgcolor"]
	if text == "" {
		return color.White, nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(text), "0x"), 16, 24)
	if err != nil {
		return nil, invalid("bgcolor", "write 0xRRGGBB")
	}
	return color.NRGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}, nil
}

func (s *Server) wmsMap(w http.ResponseWriter, r *http.Request, k kvp) error {
	if format := k["format"]; format != "" && format != "image/png" {
		return fault{http.StatusBadRequest, "InvalidFormat", "format", "maps are image/png"}
	}
	view, err := wmsView(k)
	if err != nil {
		return err
	}
	asks, err := s.wmsLayers(r, k)
	if err != nil {
		return err
	}
	ground, err := k.ground()
	if err != nil {
		return err
	}
	var pictures []*image.Paletted
	for _, a := range asks {
		values, err := s.mapValues(r, a, view)
		if err != nil {
			return err
		}
		raster, err := s.painters.get(s.assessment.Load(), a)
		if err != nil {
			return err
		}
		pictures = append(pictures, raster.Picture(values, view.Width))
	}
	var png bytes.Buffer
	if err := tiles.WriteMap(&png, pictures, ground); err != nil {
		return err
	}
	s.send(w, r, reply{contentType: "image/png", body: png.Bytes()})
	return nil
}

// mapValues evaluates a surface on a map, no finer than the tiles of whoever
// asks.
func (s *Server) mapValues(r *http.Request, a surfaceAsk, view tiles.MapView) ([]float64, error) {
	deepest := s.tileZoom() + 8
	return view.Values(deepest, func(level, x, y, n int) ([]float64, error) {
		return a.values(level, x, y, n), r.Context().Err()
	})
}

// queried are the parameters with the layers that are asked about, which may be
// some of the map's: styles are those of the map's, and change no number.
func (k kvp) queried() kvp {
	if k["query_layers"] == "" {
		return k
	}
	out := maps.Clone(k)
	out["layers"] = k["query_layers"]
	delete(out, "styles")
	return out
}

func (s *Server) wmsFeatureInfo(w http.ResponseWriter, r *http.Request, k kvp) error {
	view, err := wmsView(k)
	if err != nil {
		return err
	}
	asks, err := s.wmsLayers(r, k.queried())
	if err != nil {
		return err
	}
	i, err := k.whole("i")
	if err != nil {
		return err
	}
	j, err := k.whole("j")
	if err != nil {
		return err
	}
	lon, lat, ok := view.Place(i, j)
	if i < 0 || j < 0 || i >= view.Width || j >= view.Height || !ok {
		return fault{http.StatusBadRequest, "InvalidPoint", "i", "i and j must be a pixel of the map"}
	}
	features := []map[string]any{}
	for _, a := range asks {
		value, known, err := a.at(orb.Point{lon, lat})
		if err != nil {
			return err
		}
		if !known {
			value = nil
		}
		features = append(features, map[string]any{"surface": a.surface.ID, "value": value, "unit": a.surface.Unit.In(tiles.English),
			"as_of": a.assessment.AsOf, "version": a.assessment.Version})
	}
	switch k["info_format"] {
	case "", "application/json":
		return s.sendJSON(w, r, http.StatusOK, map[string]any{"lon": lon, "lat": lat, "values": features})
	case "text/plain":
		var text strings.Builder
		for _, f := range features {
			number, err := json.Marshal(f["value"])
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "%s: %s %s\n", f["surface"], number, f["unit"])
		}
		s.send(w, r, reply{contentType: "text/plain; charset=utf-8", body: []byte(text.String())})
		return nil
	}
	return fault{http.StatusBadRequest, "InvalidFormat", "info_format", "info_format is application/json or text/plain"}
}
