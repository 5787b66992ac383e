package api

import (
	"net/http"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/tiles"
)

// wmtsRoutes are WMTS 1.0.0, RESTful and with key-value pairs; anyParams lets
// clients put parameters of their own on the latter.
func (s *Server) wmtsRoutes() []route {
	return []route{
		{"GET", "/wmts", s.wmtsKVP, []string{anyParams}},
		{"GET", "/wmts/1.0.0/WMTSCapabilities.xml", s.wmtsCapabilities, []string{"lang"}},
		{"GET", "/wmts/{surface}/{style}/{tms}/{z}/{y}/{x:[^./]+}.png", s.wmtsTile, []string{"v", "lang"}},
	}
}

func (s *Server) wmtsCapabilities(w http.ResponseWriter, r *http.Request) error {
	body, err := s.mapService(r).WMTS()
	if err != nil {
		return err
	}
	s.send(w, r, reply{contentType: "application/xml", body: body})
	return nil
}

// wmtsTile answers a RESTful tile.
func (s *Server) wmtsTile(w http.ResponseWriter, r *http.Request) error {
	return s.orReport(w, r, s.sendWMTSTile(w, r, mux.Vars(r)))
}

// wmtsKVP answers GetCapabilities and GetTile as key-value pairs.
func (s *Server) wmtsKVP(w http.ResponseWriter, r *http.Request) error {
	k := readKVP(r)
	if service := k["service"]; service != "" && service != "WMTS" {
		return s.orReport(w, r, invalid("service", "this is a WMTS"))
	}
	switch k["request"] {
	case "GetCapabilities", "":
		return s.wmtsCapabilities(w, r)
	case "GetTile":
	default:
		return s.orReport(w, r, fault{http.StatusBadRequest, "OperationNotSupported", "request", "request is GetCapabilities or GetTile"})
	}
	vars := map[string]string{}
	for _, p := range [][2]string{{"layer", "surface"}, {"tilematrixset", "tms"}, {"tilematrix", "z"}, {"tilerow", "y"}, {"tilecol", "x"}} {
		if k[p[0]] == "" {
			return s.orReport(w, r, missing(p[0]))
		}
		vars[p[1]] = k[p[0]]
	}
	if format := k["format"]; format != "" && format != "image/png" {
		return s.orReport(w, r, invalid("format", "tiles are image/png"))
	}
	vars["style"] = k["style"]
	return s.orReport(w, r, s.sendWMTSTile(w, r, vars))
}

func (s *Server) sendWMTSTile(w http.ResponseWriter, r *http.Request, vars map[string]string) error {
	if !tiles.IsTileMatrixSet(vars["tms"]) {
		return invalid("tilematrixset", "all tiles are in GoogleMapsCompatible")
	}
	if _, err := tiles.Parse(vars["z"], vars["x"], vars["y"]); err != nil {
		return fault{http.StatusNotFound, "TileOutOfRange", "tilerow", err.Error()}
	}
	as, err := s.asSurface(r, vars["style"], vars)
	if isNotGranted(err) {
		return s.blankTile(w, as)
	}
	if err != nil {
		return err
	}
	return s.surfaceTile(w, as)
}

// orReport answers an error as an exception report of OWS.
func (s *Server) orReport(w http.ResponseWriter, r *http.Request, err error) error {
	if err == nil {
		return nil
	}
	f := faultOf(err)
	body, xmlErr := tiles.OWSException(f.code, f.locator, f.text)
	if xmlErr != nil {
		return xmlErr
	}
	s.sendFault(w, r, err, reply{status: f.status, contentType: "application/xml", body: body})
	return nil
}
