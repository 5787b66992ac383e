package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/tiles"
)

// kvp are the parameters of a WMTS or WMS request: names in any case, and
// unknown ones are the client's own business (OGC 06-121r3, 11.5).
type kvp map[string]string

func readKVP(r *http.Request) kvp {
	out := kvp{}
	for name, values := range r.URL.Query() {
		out[strings.ToLower(name)] = values[0]
	}
	return out
}

// fault is what is wrong with a WMTS or WMS request, in the words of the
// standard: a code and the parameter.
type fault struct {
	status        int
	code, locator string
	text          string
}

func (f fault) Error() string { return f.text }

func missing(name string) fault {
	return fault{http.StatusBadRequest, "MissingParameterValue", name, name + " is missing"}
}

func invalid(name, text string) fault {
	return fault{http.StatusBadRequest, "InvalidParameterValue", name, name + ": " + text}
}

// faultOf words any error as a fault.
func faultOf(err error) fault {
	if f, is := err.(fault); is {
		return f
	}
	p := problemOf(err)
	f := fault{p.Status, "NoApplicableCode", "", p.Detail}
	if p.Status == http.StatusBadRequest || p.Status == http.StatusNotFound {
		f.code = "InvalidParameterValue"
	}
	return f
}

// sendFault answers an error in the words of a standard, with the headers of
// other errors.
func (s *Server) sendFault(w http.ResponseWriter, r *http.Request, err error, words reply) {
	s.errorHeaders(w, r, words.status, err)
	s.logRefusal(r, asker(r.Context()), routeName(r), doMap, err)
	words.untagged = true
	s.send(w, r, words)
}

// whole reads a whole number.
func (k kvp) whole(name string) (int, error) {
	text := k[name]
	if text == "" {
		return 0, missing(name)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(name, strconv.Quote(text)+" is not a whole number")
	}
	return n, nil
}

// asSurface is the request for a surface of /tiles that a WMTS or WMS request
// stands for, after checking that the one who asks may: vars are the path's.
func (s *Server) asSurface(r *http.Request, style string, vars map[string]string) (*http.Request, error) {
	if asker(r.Context()).Embed != nil && vars["z"] == "" {
		return nil, fault{http.StatusForbidden, "NoApplicableCode", "", "an embed token is for tiles"}
	}
	query := url.Values{}
	if style != "" && style != tiles.DefaultStyle {
		if _, err := tiles.RampNamed(style); err != nil {
			return nil, invalid("style", err.Error())
		}
		query.Set("palette", style)
	}
	for _, name := range []string{"lang", "v"} {
		if v := readKVP(r)[name]; v != "" {
			query.Set(name, v)
		}
	}
	out := r.Clone(r.Context())
	out.URL.RawQuery = query.Encode()
	out = mux.SetURLVars(out, vars)
	return out, asker(r.Context()).mayAsk(out, vars)
}

// mapService describes the surfaces to clients of WMTS and WMS.
func (s *Server) mapService(r *http.Request) tiles.MapService {
	m := tiles.MapService{Site: tiles.Site{Base: baseURL(r)}, Attribution: s.attribution()}
	m.Lang, _ = langParam(r) // a language that we do not have is English
	bound := s.mapBound(s.assessment.Load())
	for _, surface := range s.seenSurfaces() {
		l := tiles.MapLayer{Surface: surface, Bound: bound, MaxZoom: s.tileZoom()}
		if surface.Scale != tiles.Classes {
			l.Styles = tiles.RampNames()
		}
		m.Layers = append(m.Layers, l)
	}
	return m
}
