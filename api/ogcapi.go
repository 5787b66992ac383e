package api

import (
	"maps"
	"net/http"
	"sort"
	"strings"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

type object = map[string]any

func (s *Server) ogcAPI(w http.ResponseWriter, r *http.Request) error {
	doc := s.ogcDefinition(baseURL(r), s.ogcEntries(w, r))
	return s.sendOGC(w, r, mediaOpenAPI, doc, func() ogcView { return definitionView(doc) })
}

func (s *Server) ogcAPIPage(w http.ResponseWriter, r *http.Request) error {
	return s.sendView(w, r, definitionView(s.ogcDefinition(baseURL(r), s.ogcEntries(w, r))))
}

func definitionView(doc object) ogcView {
	v := ogcView{Title: "The OGC API", About: "Paths under /ogc; for programs: /ogc/api (OpenAPI 3.0.3).", Head: []string{"Method", "Path", "What it does"}}
	paths := doc["paths"].(object)
	var names []string
	for p := range paths {
		names = append(names, p)
	}
	sort.Strings(names)
	for _, p := range names {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op, ok := paths[p].(object)[method].(object); ok {
				v.Rows = append(v.Rows, []ogcCell{{Text: strings.ToUpper(method)}, {Text: p}, {Text: op["summary"].(string)}})
			}
		}
	}
	return v
}

// ogcDefinition is the OpenAPI 3.0.3 document of the OGC API. It has a path
// for each of the collections, which the caller sees: clients such as QGIS look there for
// the properties that they can filter by.
func (s *Server) ogcDefinition(base string, entries []*entry) object {
	paths := object{}
	get := func(path, id, summary, media string, params ...any) {
		paths[path] = object{"get": operationOf(id, summary, media, params)}
	}
	get("/", "landing", "The landing page", mediaJSON, reference("f"))
	get("/conformance", "conformance", "The classes that the API conforms to", mediaJSON, reference("f"))
	get("/api", "api", "This document", mediaOpenAPI, reference("f"))
	get("/collections", "collections", "The layers that the caller sees", mediaJSON, reference("f"))
	nameOf := strings.NewReplacer(".", "_", "-", "_").Replace
	for _, e := range entries {
		id := e.layer.Info.ID
		name := nameOf(id)
		at := "/collections/" + id
		get(at, "describe_"+name, "The collection "+id, mediaJSON, reference("f"))
		get(at+"/queryables", "queryables_"+name, "What filters on "+id+" may name", mediaSchema, reference("f"))
		get(at+"/schema", "schema_"+name, "The schema of the features of "+id, mediaSchema, reference("f"))
		params := []any{}
		for _, p := range itemParams {
			params = append(params, reference(p))
		}
		for _, p := range e.facts().params {
			params = append(params, object{"name": p.Name, "in": "query", "required": false, "style": "form", "explode": false,
				"description": "Only features with this value.", "schema": paramSchema(p)})
		}
		items := object{"get": operationOf("items_"+name, "The features of "+id, mediaGeoJSON, params)}
		item := object{"get": operationOf("item_"+name, "A feature of "+id, mediaGeoJSON, []any{reference("fid"), reference("f"), reference("crs")})}
		if editable(e) {
			addEdits(items, item, name)
		}
		paths[at+"/items"], paths[at+"/items/{fid}"] = items, item
	}
	s.addTilePaths(paths, entries, nameOf)
	return object{
		"openapi":    "3.0.3",
		"info":       object{"title": "sempadan, OGC API", "version": orDefault(s.opts.Version, "dev"), "description": "Layers of the Indonesia–Malaysia border as OGC API Features and Tiles."},
		"servers":    []any{object{"url": base + "/ogc"}},
		"paths":      paths,
		"components": object{"parameters": s.ogcParameters(), "schemas": ogcSchemas()},
	}
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func reference(name string) object { return object{"$ref": "#/components/parameters/" + name} }

func operationOf(id, summary, media string, params []any) object {
	content := object{media: object{"schema": object{"type": "object"}}, "text/html": object{"schema": object{"type": "string"}}}
	return object{"operationId": id, "summary": summary, "parameters": params, "responses": object{
		"200": object{"description": summary, "content": content}, "304": object{"description": "It is what the caller has."}, "default": problemResponse()}}
}

func problemResponse() object {
	return object{"description": "A problem (RFC 9457): what is wrong, where, and what to do.",
		"content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}}
}

// addEdits adds the operations that change features.
func addEdits(items, item object, name string) {
	body := func(media string) object {
		return object{"required": true, "content": object{media: object{"schema": object{"type": "object"}}}}
	}
	edit := func(id, summary, status string, params []any) object {
		return object{"operationId": id + "_" + name, "summary": summary, "parameters": params, "responses": object{
			status: object{"description": summary}, "412": problemResponse(), "415": problemResponse(), "422": problemResponse(), "428": problemResponse(), "default": problemResponse()}}
	}
	create := edit("create", "Adds a feature", "201", []any{reference("reason"), reference("content_crs")})
	create["requestBody"] = body(mediaGeoJSON)
	items["post"] = create
	change := []any{reference("fid"), reference("reason"), reference("if_match")}
	placed := append(change[:len(change):len(change)], reference("content_crs"))
	replace := edit("replace", "Replaces a feature", "204", placed)
	replace["requestBody"] = body(mediaGeoJSON)
	update := edit("update", "Changes a feature by a merge patch (RFC 7396)", "204", placed)
	update["requestBody"] = body(mediaMergePatch)
	item["put"], item["patch"], item["delete"] = replace, update, edit("delete", "Takes a feature out", "204", change)
}

func paramSchema(p data.Queryable) object {
	switch p.Type {
	case geo.FieldNumber:
		if p.Field.Type == data.TypeInteger {
			return object{"type": "integer"}
		}
		return object{"type": "number"}
	case geo.FieldBoolean:
		return object{"type": "boolean"}
	case geo.FieldInstant:
		return object{"type": "string", "format": "date-time"}
	}
	return object{"type": "string"}
}

func (s *Server) ogcParameters() object {
	query := func(name, about string, schema object) object {
		return object{"name": name, "in": "query", "required": false, "style": "form", "explode": false, "description": about, "schema": schema}
	}
	text := object{"type": "string"}
	systems := object{"type": "string", "format": "uri", "enum": ogcCRSs(), "default": data.CRS84}
	numbers := object{"type": "array", "minItems": 4, "maxItems": 6, "items": object{"type": "number"}}
	out := s.tileParameters(query)
	maps.Copy(out, object{
		"limit":       query("limit", "The most features in the answer; more than the maximum is clipped.", object{"type": "integer", "minimum": 1, "maximum": maxPage, "default": defaultItems}),
		"bbox":        query("bbox", "Only features that touch a box; a west beyond the east crosses the 180th meridian.", numbers),
		"datetime":    query("datetime", "Only features of a time: an instant, or from/to with .. for an open end, or a duration.", text),
		"crs":         query("crs", "The reference system of the answer.", systems),
		"bbox-crs":    query("bbox-crs", "The reference system of bbox.", systems),
		"filter":      query("filter", "Only features that a condition in CQL2 holds for.", text),
		"filter-lang": query("filter-lang", "The language of filter.", object{"type": "string", "enum": []string{data.CQL2Text, data.CQL2JSON}, "default": data.CQL2Text}),
		"filter-crs":  query("filter-crs", "The reference system of coordinates in filter.", systems),
		"cursor":      query("cursor", "Where the page begins; from the link next.", text),
		"approval":    query("approval", "The word of a second person for reading many rows that are not public.", text),
		"f":           query("f", "The form of the answer.", object{"type": "string", "enum": []string{"json", "html"}}),
		"reason":      query("reason", "Why the change is made; kept with the version.", text),
		"fid":         object{"name": "fid", "in": "path", "required": true, "description": "The id of a feature.", "schema": text},
		"if_match":    object{"name": "If-Match", "in": "header", "required": true, "description": "The ETag of the feature that is changed.", "schema": text},
		"content_crs": object{"name": "Content-Crs", "in": "header", "required": false, "description": "The reference system of the places in the body.", "schema": text},
	})
	return out
}

func ogcSchemas() object {
	text, whole := object{"type": "string"}, object{"type": "integer"}
	return object{"Problem": object{"type": "object", "required": []string{"type", "title", "status", "code"}, "properties": object{
		"type": text, "title": text, "status": whole, "detail": text, "instance": text, "code": text, "description": text,
		"errors": object{"type": "array", "items": object{"type": "object", "properties": object{"parameter": text, "detail": text}}}}}}
}
