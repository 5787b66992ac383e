package api

import (
	"net/http"
	"slices"
	"strings"
)

// The OGC API under /ogc: Features Parts 1 to 5 over the layers. Every resource
// has a JSON and an HTML form.

const (
	mediaJSON    = "application/json"
	mediaGeoJSON = "application/geo+json"
	mediaHTML    = "text/html; charset=utf-8"
	mediaSchema  = "application/schema+json"
	mediaOpenAPI = "application/vnd.oai.openapi+json;version=3.0"
	ogcRel       = "http://www.opengis.net/def/rel/ogc/1.0/"
)

// ogcRoutes are the paths of the OGC API that serve features.
func (s *Server) ogcRoutes() []route {
	form := []string{"f"}
	one := []string{"f", "crs"}
	return []route{
		{"GET", "/ogc", s.ogcLanding, form},
		{"GET", "/ogc/", s.ogcLanding, form},
		{"GET", "/ogc/conformance", s.ogcConformance, form},
		{"GET", "/ogc/api", s.ogcAPI, form},
		{"GET", "/ogc/api.html", s.ogcAPIPage, nil},
		{"GET", "/ogc/collections", s.ogcCollections, form},
		{"GET", "/ogc/collections/{id}", s.ogcCollection, form},
		{"GET", "/ogc/collections/{id}/queryables", s.ogcQueryables, form},
		{"GET", "/ogc/collections/{id}/schema", s.ogcSchema, form},
		{"GET", "/ogc/collections/{id}/items", s.ogcItems, []string{anyParams}},
		{"POST", "/ogc/collections/{id}/items", s.ogcCreate, []string{"reason"}},
		{"GET", "/ogc/collections/{id}/items/{fid}", s.ogcItem, one},
		{"PUT", "/ogc/collections/{id}/items/{fid}", s.ogcReplace, []string{"reason"}},
		{"PATCH", "/ogc/collections/{id}/items/{fid}", s.ogcUpdate, []string{"reason"}},
		{"DELETE", "/ogc/collections/{id}/items/{fid}", s.ogcDelete, []string{"reason"}},
	}
}

// ogcConformsTo lists the classes that are passed.
func (s *Server) ogcConformsTo() []string {
	var out []string
	add := func(prefix string, classes ...string) {
		for _, c := range classes {
			out = append(out, "http://www.opengis.net/spec/"+prefix+c)
		}
	}
	add("ogcapi-common-1/1.0/conf/", "core", "landing-page", "json", "html", "oas30")
	add("ogcapi-common-2/1.0/conf/", "collections", "json", "html")
	add("ogcapi-features-1/1.0/conf/", "core", "geojson", "html", "oas30")
	add("ogcapi-features-2/1.0/conf/", "crs")
	add("ogcapi-features-3/1.0/conf/", "queryables", "queryables-query-parameters", "filter", "features-filter")
	add("cql2/1.0/conf/", "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "basic-spatial-functions", "basic-spatial-functions-plus", "temporal-functions")
	add("ogcapi-features-4/1.0/conf/", "create-replace-delete", "update", "optimistic-locking-etags", "features")
	add("ogcapi-features-5/1.0/conf/", "schemas", "core-roles-features", "returnables-and-receivables", "queryables")
	if s.ogcTileLinks("", "") != nil {
		add("ogcapi-tiles-1/1.0/conf/", "core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "mvt", "png")
	}
	return out
}

// ogcLink is a link of a resource (RFC 8288).
type ogcLink struct {
	Href      string `json:"href"`
	Rel       string `json:"rel"`
	Type      string `json:"type,omitempty"`
	Title     string `json:"title,omitempty"`
	Templated bool   `json:"templated,omitempty"`
}

// ogcTileLinks are the links to the tile sets of a collection, or of all when
// that is "": none while no such path is served.
func (s *Server) ogcTileLinks(base, collection string) []ogcLink {
	if !slices.ContainsFunc(s.ways, func(rt route) bool { return rt.path == "/ogc/tiles" }) {
		return nil
	}
	if collection != "" {
		return []ogcLink{{Href: base + "/ogc/collections/" + collection + "/tiles", Rel: ogcRel + "tilesets-vector", Type: mediaJSON, Title: "Vector tiles of these features"}}
	}
	return []ogcLink{
		{Href: base + "/ogc/tiles", Rel: ogcRel + "tilesets-vector", Type: mediaJSON, Title: "Vector tiles"},
		{Href: base + "/ogc/map/tiles", Rel: ogcRel + "tilesets-map", Type: mediaJSON, Title: "Map tiles"},
	}
}

// ogcForms are the links of a resource to itself and to its other form.
func ogcForms(r *http.Request, media string) []ogcLink {
	u := *r.URL
	q := u.Query()
	q.Del("f")
	u.RawQuery = q.Encode()
	self := baseURL(r) + u.RequestURI()
	q.Set("f", "html")
	u.RawQuery = q.Encode()
	return []ogcLink{{Href: self, Rel: "self", Type: media, Title: "This document"},
		{Href: baseURL(r) + u.RequestURI(), Rel: "alternate", Type: "text/html", Title: "This document as a page"}}
}

// wantsHTML reads what form of a resource is asked for: by f, else by Accept.
func wantsHTML(r *http.Request) (bool, error) {
	switch f := r.URL.Query().Get("f"); f {
	case "html":
		return true, nil
	case "json", "geojson", "application/json", "application/geo+json":
		return false, nil
	case "":
	default:
		return false, badParameter("f", "%q is not json or html", f)
	}
	html, other := 0.0, 0.0
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		media, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight := 1.0
		for p := range strings.SplitSeq(params, ";") {
			if v, isQ := strings.CutPrefix(strings.TrimSpace(p), "q="); isQ {
				weight = 0
				if len(v) > 0 && v[0] == '1' {
					weight = 1
				} else if len(v) > 2 && v[:2] == "0." {
					weight = float64(v[2]-'0') / 10
				}
			}
		}
		switch {
		case media == "text/html" || media == "application/xhtml+xml":
			html = max(html, weight)
		case strings.HasSuffix(media, "json"):
			other = max(other, weight)
		}
	}
	return html > other, nil
}

// sendOGC answers a resource in the form that is asked for.
func (s *Server) sendOGC(w http.ResponseWriter, r *http.Request, media string, doc any, view func() ogcView) error {
	html, err := wantsHTML(r)
	if err != nil {
		return err
	}
	vary(w.Header(), "Accept")
	if html {
		return s.sendView(w, r, view())
	}
	body, err := marshal(doc)
	if err != nil {
		return err
	}
	s.send(w, r, reply{contentType: media, body: append(body, '\n')})
	return nil
}

func (s *Server) ogcLanding(w http.ResponseWriter, r *http.Request) error {
	base := baseURL(r)
	links := []ogcLink{
		{Href: base + "/ogc/", Rel: "self", Type: mediaJSON, Title: "This document"},
		{Href: base + "/ogc/?f=html", Rel: "alternate", Type: "text/html", Title: "This document as a page"},
		{Href: base + "/ogc/api", Rel: "service-desc", Type: mediaOpenAPI, Title: "The definition of this API"},
		{Href: base + "/ogc/api.html", Rel: "service-doc", Type: "text/html", Title: "The definition of this API as a page"},
		{Href: base + "/ogc/conformance", Rel: "conformance", Type: mediaJSON, Title: "The classes that this API conforms to"},
		{Href: base + "/ogc/conformance", Rel: ogcRel + "conformance", Type: mediaJSON, Title: "The classes that this API conforms to"},
		{Href: base + "/ogc/collections", Rel: "data", Type: mediaJSON, Title: "The layers"},
	}
	links = append(links, s.ogcTileLinks(base, "")...)
	const title, about = "sempadan", "Layers of the Indonesia–Malaysia border: crossings, incidents, patrols and what else is loaded."
	doc := map[string]any{"title": title, "description": about, "links": links}
	return s.sendOGC(w, r, mediaJSON, doc, func() ogcView {
		return ogcView{Title: title, About: about, Links: links}
	})
}

func (s *Server) ogcConformance(w http.ResponseWriter, r *http.Request) error {
	classes := s.ogcConformsTo()
	return s.sendOGC(w, r, mediaJSON, map[string]any{"conformsTo": classes, "links": ogcForms(r, mediaJSON)}, func() ogcView {
		v := ogcView{Title: "Conformance", About: "The classes of standards that this API conforms to.", Head: []string{"Class"}}
		for _, c := range classes {
			v.Rows = append(v.Rows, []ogcCell{{Text: c}})
		}
		return v
	})
}
