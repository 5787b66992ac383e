package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// ogcCollectionDoc describes a layer as a collection of features.
type ogcCollectionDoc struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Extent      *ogcExtent `json:"extent,omitempty"`
	ItemType    string     `json:"itemType"`
	CRS         []string   `json:"crs"`
	StorageCRS  string     `json:"storageCrs"`
	Links       []ogcLink  `json:"links"`
}

type ogcExtent struct {
	Spatial  *ogcSpatial  `json:"spatial,omitempty"`
	Temporal *ogcTemporal `json:"temporal,omitempty"`
}

type ogcSpatial struct {
	BBox [][4]float64 `json:"bbox"`
	CRS  string       `json:"crs"`
}

type ogcTemporal struct {
	Interval [][2]*string `json:"interval"`
	TRS      string       `json:"trs"`
}

func ogcCRSs() (out []string) {
	for _, c := range data.OutputCRSs() {
		out = append(out, c.URI)
	}
	return out
}

// ogcEntries are the layers that a page may read, in the order of the collections: the open ones
// first.
func (s *Server) ogcEntries(w http.ResponseWriter, r *http.Request) []*entry {
	classes := []string{classPublic, classInternal, classRestricted, classSecret}
	out := slices.Clone(s.listed(w, r))
	slices.SortStableFunc(out, func(a, b *entry) int {
		return slices.Index(classes, a.layer.Info.Classification) - slices.Index(classes, b.layer.Info.Classification)
	})
	return out
}

func (s *Server) ogcDescribe(base string, e *entry) ogcCollectionDoc {
	info := e.layer.Info
	at := base + "/ogc/collections/" + info.ID
	d := ogcCollectionDoc{ID: info.ID, Title: info.Title, Description: describeInfo(info), ItemType: "feature", CRS: ogcCRSs(), StorageCRS: data.CRS84, Extent: extentOf(e)}
	if d.Title == "" {
		d.Title = info.ID
	}
	d.Links = []ogcLink{
		{Href: at, Rel: "self", Type: mediaJSON, Title: "This collection"},
		{Href: at + "?f=html", Rel: "alternate", Type: "text/html", Title: "This collection as a page"},
		{Href: at + "/items", Rel: "items", Type: mediaGeoJSON, Title: "The features"},
		{Href: at + "/items?f=html", Rel: "items", Type: "text/html", Title: "The features as a page"},
		{Href: at + "/schema", Rel: "describedby", Type: mediaSchema, Title: "The schema of the features"},
		{Href: at + "/schema", Rel: ogcRel + "schema", Type: mediaSchema, Title: "The schema of the features"},
		{Href: at + "/queryables", Rel: ogcRel + "queryables", Type: mediaSchema, Title: "What filters may name"},
	}
	d.Links = append(d.Links, s.ogcTileLinks(base, info.ID)...)
	return d
}

func describeInfo(info geo.LayerInfo) string {
	out := "Layer of kind " + string(info.Kind) + "."
	for _, more := range []struct{ label, text string }{{"", info.Note}, {"Source: ", info.Source}, {"Licence: ", info.Licence}} {
		if more.text != "" {
			out += " " + more.label + strings.TrimSuffix(more.text, ".") + "."
		}
	}
	if info.Synthetic {
		out += " Invented, not observed."
	}
	return out
}

// extentOf is where and when the features are, nil for none: a box that holds
// them all, to the centimetre.
func extentOf(e *entry) *ogcExtent {
	b := e.bound()
	if e.layer.Len() == 0 || b.IsEmpty() {
		return nil
	}
	const unit = 1e7
	box := [4]float64{math.Floor(b.Min[0]*unit) / unit, math.Floor(b.Min[1]*unit) / unit, math.Ceil(b.Max[0]*unit) / unit, math.Ceil(b.Max[1]*unit) / unit}
	if box[2] > 180 {
		box[0], box[2] = -180, 180
	}
	out := &ogcExtent{Spatial: &ogcSpatial{BBox: [][4]float64{box}, CRS: data.CRS84}}
	if f := e.facts(); f.dated {
		var from, to *string
		if f.from > geo.OpenStart().UnixMilli() {
			from = instantText(f.from)
		}
		if f.to < geo.OpenEnd().UnixMilli() {
			to = instantText(f.to)
		}
		out.Temporal = &ogcTemporal{Interval: [][2]*string{{from, to}}, TRS: "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}
	}
	return out
}

func instantText(ms int64) *string {
	text := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.999Z")
	return &text
}

func (s *Server) ogcCollections(w http.ResponseWriter, r *http.Request) error {
	docs := []ogcCollectionDoc{}
	for _, e := range s.ogcEntries(w, r) {
		docs = append(docs, s.ogcDescribe(baseURL(r), e))
	}
	doc := map[string]any{"collections": docs, "crs": ogcCRSs(), "links": ogcForms(r, mediaJSON)}
	return s.sendOGC(w, r, mediaJSON, doc, func() ogcView {
		v := ogcView{Title: "Collections", About: "The layers that you may see.", Head: []string{"Collection", "Description"}}
		for _, d := range docs {
			v.Rows = append(v.Rows, []ogcCell{{d.Title, "/ogc/collections/" + d.ID + "?f=html"}, {Text: d.Description}})
		}
		return v
	})
}

func (s *Server) ogcCollection(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	d := s.ogcDescribe(baseURL(r), e)
	return s.sendOGC(w, r, mediaJSON, d, func() ogcView {
		v := ogcView{Title: d.Title, About: d.Description, Links: d.Links}
		if d.Extent != nil {
			v.Facts = append(v.Facts, [2]string{"West, south, east, north", strings.Trim(fmt.Sprint(d.Extent.Spatial.BBox[0]), "[]")})
			if t := d.Extent.Temporal; t != nil {
				open := func(s *string) string {
					if s == nil {
						return "open"
					}
					return *s
				}
				v.Facts = append(v.Facts, [2]string{"From, to", open(t.Interval[0][0]) + ", " + open(t.Interval[0][1])})
			}
		}
		return v
	})
}

func (s *Server) ogcQueryables(w http.ResponseWriter, r *http.Request) error {
	return s.ogcProperties(w, r, "queryables", "What filters and parameters may name.")
}

func (s *Server) ogcSchema(w http.ResponseWriter, r *http.Request) error {
	return s.ogcProperties(w, r, "schema", "The properties of the features.")
}

// ogcProperties answers the JSON Schema of a layer's properties.
func (s *Server) ogcProperties(w http.ResponseWriter, r *http.Request, resource, about string) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	info := e.layer.Info
	props := map[string]any{}
	for k, q := range e.facts().queryables {
		p := propertySchema(q, e)
		if resource == "schema" {
			p["x-ogc-propertySeq"] = k + 1
		}
		props[q.Name] = p
	}
	doc := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": baseURL(r) + "/ogc/collections/" + info.ID + "/" + resource,
		"type": "object", "title": info.Title, "description": about, "properties": props, "additionalProperties": false}
	return s.sendOGC(w, r, mediaSchema, doc, func() ogcView {
		v := ogcView{Title: info.Title + ": " + resource, About: about, Head: []string{"Property", "Type", "Values", "Note"}}
		for _, q := range e.facts().queryables {
			v.Rows = append(v.Rows, []ogcCell{{Text: q.Name}, {Text: q.Type}, {Text: strings.Join(q.Field.Codes, ", ")}, {Text: q.Field.Note}})
		}
		return v
	})
}

// nested reports whether a property of the schema holds lists or objects,
// which simple features have as text.
func nested(q data.Queryable) bool {
	return q.Type == geo.FieldAny && (q.Field.Type == data.TypeCodes || q.Field.Type == data.TypeCounts)
}

// propertySchema is the JSON Schema of one property.
func propertySchema(q data.Queryable, e *entry) map[string]any {
	p := map[string]any{"title": q.Name}
	from, to := e.layer.Info.Kind.TimeFields()
	switch q.Type {
	case geo.FieldGeometry:
		shape := "any"
		if s := e.facts().shapes; s != "" && s != "GeometryCollection" {
			shape = strings.ToLower(s)
		}
		return map[string]any{"title": "The place", "format": "geometry-" + shape, "x-ogc-role": "primary-geometry"}
	case geo.FieldText:
		p["type"] = "string"
	case geo.FieldNumber:
		p["type"] = "number"
	case geo.FieldBoolean:
		p["type"] = "boolean"
	case geo.FieldInstant:
		p["type"], p["format"] = "string", "date-time"
		if q.Name == from {
			p["x-ogc-role"] = "primary-interval-start"
		} else if q.Name == to {
			p["x-ogc-role"] = "primary-interval-end"
		}
	case geo.FieldAny:
		if nested(q) {
			p["type"], p["contentMediaType"] = "string", mediaJSON
		}
	}
	f := q.Field
	if q.Type == geo.FieldNumber && f.Type == data.TypeInteger {
		p["type"] = "integer"
	}
	if f.Codes != nil && q.Type == geo.FieldText {
		p["enum"] = f.Codes
	}
	if f.Min != nil && q.Type == geo.FieldNumber {
		p["minimum"] = *f.Min
	}
	if f.Max != nil && q.Type == geo.FieldNumber {
		p["maximum"] = *f.Max
	}
	if f.Unit != "" {
		p["x-ogc-unit"] = f.Unit
	}
	if f.Note != "" {
		p["description"] = f.Note
	}
	return p
}
