package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// itemParams are the parameters of items beside those that are named after
// properties.
var itemParams = [...]string{"f", "limit", "cursor", "bbox", "bbox-crs", "crs", "datetime", "filter", "filter-lang", "filter-crs", "approval"}

// defaultItems is how many features a page has.
const defaultItems = 100

func (s *Server) ogcItems(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	allowed := itemParams[:]
	for _, p := range e.facts().params {
		allowed = append(allowed[:len(allowed):len(allowed)], p.Name)
	}
	if err := checkParams(r, allowed); err != nil {
		return err
	}
	html, err := wantsHTML(r)
	if err != nil {
		return err
	}
	crs, err := outputCRS(r, "crs")
	if err != nil {
		return err
	}
	limit, err := itemLimit(r)
	if err != nil {
		return err
	}
	after, err := readCursor(r)
	if err != nil {
		return err
	}
	q, err := s.readQuery(r, e, true)
	if err != nil {
		return err
	}
	h := w.Header()
	vary(h, "Accept")
	h.Set("Content-Crs", "<"+crs.URI+">")
	tag := e.tag() + "-" + contentTag([]byte(strings.Join([]string{s.opts.Version, strconv.FormatBool(html), baseURL(r), r.URL.RawQuery}, "|")))
	media := mediaGeoJSON
	if html {
		media = mediaHTML
	}
	page, err := q.page(r.Context(), e, after, limit)
	if err != nil {
		return err
	}
	asked := len(page.rows)
	if after > 0 { // who goes on reads all
		asked = page.matched
	}
	if ok, err := s.mayExport(w, r, e.layer, asked, page.each); !ok {
		return err
	}
	noteRows(r.Context(), e.layer, page.each)
	mark := s.mark(w, r, e.layer.Info)
	if mark.ID == "" && s.unchanged(w, r, media, tag) {
		return nil
	}
	if html {
		return s.sendView(w, r, itemsView(r, e, page, mark.Text))
	}
	links := ogcForms(r, mediaGeoJSON)
	links = append(links, ogcLink{Href: baseURL(r) + "/ogc/collections/" + e.layer.Info.ID, Rel: "collection", Type: mediaJSON, Title: "The collection"})
	for _, turn := range []struct{ rel, cursor string }{{"next", page.next}, {"prev", page.prev}} {
		if turn.cursor != "" {
			links = append(links, ogcLink{Href: baseURL(r) + withCursor(r, turn.cursor), Rel: turn.rel, Type: mediaGeoJSON})
		}
	}
	linkHeader(h, links)
	buffer := s.buffer()
	defer s.buffers.Put(buffer)
	body, err := s.itemsBody((*buffer)[:0], itemsPage{e, page, links, mark}, data.FeatureForm{Numbered: true, Simple: true, CRS: crs})
	if err != nil {
		return err
	}
	*buffer = body
	s.send(w, r, reply{contentType: mediaGeoJSON, body: body, etag: tag, untagged: mark.ID != ""})
	return nil
}

// itemsPage is what an answer of items is made of.
type itemsPage struct {
	*entry
	rowPage
	links []ogcLink
	mark  geo.ExportMark
}

func (s *Server) itemsBody(body []byte, page itemsPage, form data.FeatureForm) ([]byte, error) {
	raw, err := marshal(page.links)
	if err != nil {
		return nil, err
	}
	body = append(body, `{"type":"FeatureCollection",`...)
	body = append(data.AppendMarkMembers(body, page.mark), `"timeStamp":"`...)
	body = s.opts.Now().UTC().AppendFormat(body, time.RFC3339)
	body = append(body, `","numberMatched":`...)
	body = strconv.AppendInt(body, int64(page.matched), 10)
	body = append(body, `,"numberReturned":`...)
	body = strconv.AppendInt(body, int64(len(page.rows)), 10)
	body = append(append(append(body, `,"links":`...), raw...), `,"features":[`...)
	return append(appendRows(body, page.layer, page.rows, form.Append), "\n]}\n"...), nil
}

// linkHeader mirrors links in the header Link (RFC 8288).
func linkHeader(h http.Header, links []ogcLink) {
	var parts []string
	for _, l := range links {
		parts = append(parts, "<"+l.Href+`>; rel="`+l.Rel+`"; type="`+l.Type+`"`)
	}
	h.Set("Link", strings.Join(parts, ", "))
}

// itemLimit reads limit; what is over the greatest is clipped.
func itemLimit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultItems, nil
	}
	digits := strings.TrimLeft(text, "0")
	if digits == "" || strings.Trim(text, "0123456789") != "" {
		return 0, badParameter("limit", "%q is not a whole number from 1 on", text)
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return maxPage, nil // more than can be counted
	}
	return min(n, maxPage), nil
}

// itemsView shows a page of features as a table.
func itemsView(r *http.Request, e *entry, page rowPage, mark string) ogcView {
	v := ogcView{Title: e.layer.Info.Title + ": features", About: strings.TrimSpace(strconv.Itoa(page.matched) + " features match. " + mark), Head: []string{"Feature"}, Marked: mark != ""}
	columns := []string{}
	for _, c := range e.layer.Columns() {
		if c.Name != geo.HeightsField && len(columns) < 12 {
			columns = append(columns, c.Name)
		}
	}
	from, _ := e.layer.Info.Kind.TimeFields()
	if e.facts().dated {
		columns = append([]string{from}, columns...)
	}
	v.Head = append(v.Head, columns...)
	at := "/ogc/collections/" + e.layer.Info.ID + "/items/"
	for _, row := range page.rows {
		fid := strconv.FormatInt(e.layer.FID(int(row)), 10)
		cells := []ogcCell{{fid, at + fid + "?f=html"}}
		values := map[string]any{}
		if json.Unmarshal(e.layer.AppendProperties(nil, int(row)), &values) != nil {
			continue
		}
		for _, c := range columns {
			cells = append(cells, ogcCell{Text: valueText(values[c])})
		}
		v.Rows = append(v.Rows, cells)
	}
	if page.next != "" {
		v.Next = withCursor(r, page.next)
	}
	if page.prev != "" {
		v.Prev = withCursor(r, page.prev)
	}
	return v
}

// valueText shows a value of JSON to people.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	raw, err := marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// itemOf finds the feature that a path names by its number.
func (s *Server) itemOf(w http.ResponseWriter, r *http.Request) (*entry, int, error) {
	e, err := s.entryOf(w, r)
	if err != nil {
		return nil, 0, err
	}
	text, err := url.PathUnescape(mux.Vars(r)["fid"])
	if err == nil && text != "" && text[0] != '0' && strings.Trim(text, "0123456789") == "" {
		if fid, err := strconv.ParseInt(text, 10, 64); err == nil {
			if row, found := e.rowOf(fid); found {
				return e, row, nil
			}
		}
	}
	return nil, 0, problem{Status: http.StatusNotFound, Code: "feature_not_found",
		Detail: "layer " + e.layer.Info.ID + " has no such feature; name it by the id that it has among the items"}
}

// itemTag names the content of a feature, whatever form it is sent in.
func itemTag(e *entry, row int) string {
	return contentTag(data.FeatureForm{Numbered: true, Simple: true}.Append(nil, e.layer, row))
}

func (s *Server) ogcItem(w http.ResponseWriter, r *http.Request) error {
	e, row, err := s.itemOf(w, r)
	if err != nil {
		return err
	}
	crs, err := outputCRS(r, "crs")
	if err != nil {
		return err
	}
	html, err := wantsHTML(r)
	if err != nil {
		return err
	}
	if ok, err := s.mayExport(w, r, e.layer, 1, slices.Values([]int{row})); !ok {
		return err
	}
	noteRows(r.Context(), e.layer, slices.Values([]int{row}))
	h := w.Header()
	vary(h, "Accept")
	h.Set("Content-Crs", "<"+crs.URI+">")
	collection := baseURL(r) + "/ogc/collections/" + e.layer.Info.ID
	links := append(ogcForms(r, mediaGeoJSON), ogcLink{Href: collection, Rel: "collection", Type: mediaJSON, Title: "The collection"})
	if html {
		return s.sendView(w, r, itemView(e, row, links))
	}
	raw, err := marshal(links)
	if err != nil {
		return err
	}
	linkHeader(h, links)
	tag := itemTag(e, row)
	if !crs.IsDefault() {
		tag += "-" + crs.URI[strings.LastIndexByte(crs.URI, '/')+1:]
	}
	body := data.FeatureForm{Numbered: true, Simple: true, CRS: crs}.AppendWith(nil, e.layer, row, data.Extra{Name: "links", JSON: string(raw)})
	s.send(w, r, reply{contentType: mediaGeoJSON, body: append(body, '\n'), etag: tag})
	return nil
}

func itemView(e *entry, row int, links []ogcLink) ogcView {
	v := ogcView{Title: e.layer.Info.Title + ": feature " + strconv.FormatInt(e.layer.FID(row), 10), Links: links}
	values := map[string]any{}
	if json.Unmarshal(e.layer.AppendProperties(nil, row), &values) == nil {
		for _, name := range sortedNames(values) {
			v.Facts = append(v.Facts, [2]string{name, valueText(values[name])})
		}
	}
	place := string(data.AppendGeometry(nil, e.layer.Geometry(row)))
	if len(place) > 2000 {
		place = e.layer.Geometry(row).GeoJSONType()
	}
	v.Facts = append(v.Facts, [2]string{"geometry", place})
	return v
}

func sortedNames(values map[string]any) []string {
	var out []string
	for name := range values {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
