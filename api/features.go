package api

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// featureFormats are what a layer can be read as, with their media types.
var featureFormats = map[string]string{
	data.FormatGeoJSON:    "application/geo+json",
	data.FormatGeoJSONSeq: "application/geo+json-seq",
	data.FormatCSV:        "text/csv; charset=utf-8",
	data.FormatGPX:        "application/gpx+xml",
	data.FormatKML:        "application/vnd.google-earth.kml+xml",
	data.FormatKMZ:        "application/vnd.google-earth.kmz",
	data.FormatGeoPackage: "application/geopackage+sqlite3",
	data.FormatShapefile:  "application/zip",
	data.FormatFlatGeobuf: "application/flatgeobuf",
	data.FormatGeoParquet: "application/vnd.apache.parquet",
}

// features streams a layer, or a page of it when a limit is given.
func (s *Server) features(w http.ResponseWriter, r *http.Request) error {
	e, err := s.entryOf(w, r)
	if err != nil {
		return err
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = data.FormatGeoJSON
	}
	if format == formatPMTiles {
		if ok, err := s.mayExport(w, r, e.layer, e.layer.Len(), nil); !ok {
			return err
		}
		noteRows(r.Context(), e.layer, nil)
		return s.layerPMTiles(w, r, e)
	}
	media, known := featureFormats[format]
	if !known {
		return badParameter("format", "%q is not one of %s", format, strings.Join(append(data.ExportFormats(), formatPMTiles), ", "))
	}
	q, err := s.readQuery(r, e, false)
	if err != nil {
		return err
	}
	tag := fmt.Sprintf("%s-%s", e.tag(), contentTag([]byte(r.URL.RawQuery)))
	if r.URL.Query().Get("limit") != "" || r.URL.Query().Get("cursor") != "" {
		return s.featurePage(w, r, e, q)
	}
	rows := streamed(r.Context(), q, e.layer)
	if err := data.CheckWrite(format, e.layer, rows); err != nil {
		return err
	}
	if ok, err := s.mayExport(w, r, e.layer, countRows(e.layer, rows), rows); !ok {
		return err
	}
	export := data.Export{Layer: e.layer, Rows: rows, GeoPackage: s.opts.GeoPackage, Mark: s.mark(w, r, e.layer.Info)}
	noteRows(r.Context(), e.layer, rows)
	h := w.Header()
	h.Set("Content-Type", media)
	s.caching(h, r, revalidate)
	vary(h, "Accept-Encoding")
	packed := acceptsGzip(r) && format != data.FormatShapefile && format != data.FormatGeoParquet // which are packed already
	if packed {
		tag += "-gz"
	}
	h.Set("ETag", `"`+tag+`"`)
	if export.Mark.ID != "" { // no two are the same
		s.caching(h, r, noStore)
		h.Del("ETag")
	} else if matches(r.Header.Get("If-None-Match"), `"`+tag+`"`) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if format != data.FormatGeoJSON || r.URL.Query().Get("format") != "" { // a file was asked for
		h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, e.layer.Info.ID, data.Extension(format)))
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute)) // a whole layer may be long
	counted := &byteCounter{}
	if r.Method == http.MethodHead {
		if err := export.Write(r.Context(), counted, format); err != nil {
			return err
		}
		h.Set("Content-Length", strconv.FormatInt(counted.n, 10))
		if export.Mark.ID == "" {
			h.Set("ETag", `"`+strings.TrimSuffix(tag, "-gz")+`"`)
		}
		return nil
	}
	var out io.Writer = w
	if packed {
		h.Set("Content-Encoding", "gzip")
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
		defer func() { _ = z.Close() }()
		out = z
	}
	if err := export.Write(r.Context(), io.MultiWriter(counted, out), format); err != nil {
		if refusal := (*data.Refusal)(nil); errors.As(err, &refusal) && counted.n == 0 && !packed {
			for _, name := range []string{"Content-Type", "Content-Disposition", "Cache-Control", "ETag"} {
				h.Del(name)
			}
			return err
		}
		// Half an answer must not look whole.
		s.log.Debug("a reader left", "layer", e.layer.Info.ID, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// countRows is how many rows a selection has; nil is all.
func countRows(l *geo.Layer, rows iter.Seq[int]) int {
	if rows == nil {
		return l.Len()
	}
	n := 0
	for range rows {
		n++
	}
	return n
}

type byteCounter struct{ n int64 }

func (c *byteCounter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// streamed are the rows of a query in row order; nil is all.
func streamed(ctx context.Context, q rowQuery, l *geo.Layer) iter.Seq[int] {
	if q.everything() {
		return nil
	}
	return func(yield func(int) bool) {
		_ = q.each(ctx, l, yield) // a caller that left reads no further
	}
}

// maxPage is the most features in a page.
const maxPage = 10_000

// featurePage answers limit features from a cursor on, as GeoJSON.
func (s *Server) featurePage(w http.ResponseWriter, r *http.Request, e *entry, q rowQuery) error {
	limit, err := intParam(r, "limit", 1000, 1, maxPage)
	if err != nil {
		return err
	}
	if f := r.URL.Query().Get("format"); f != "" && f != data.FormatGeoJSON {
		return badParameter("format", "pages are geojson; leave limit and cursor out to read the whole layer as %s", f)
	}
	after, err := readCursor(r)
	if err != nil {
		return err
	}
	tag := e.tag() + "-" + contentTag([]byte(s.opts.Version+r.URL.RawQuery))
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
	if mark.ID != "" {
		tag = ""
	} else if s.unchanged(w, r, "application/geo+json", tag) {
		return nil
	}
	buffer := s.buffer()
	defer s.buffers.Put(buffer)
	body := data.AppendMarkMembers(append((*buffer)[:0], `{"type":"FeatureCollection",`...), mark)
	body = append(body, `"numberMatched":`...)
	body = strconv.AppendInt(body, int64(page.matched), 10)
	if page.next != "" {
		next := withCursor(r, page.next)
		body = append(body, `,"next":`...)
		body = strconv.AppendQuote(body, next)
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next))
	}
	body = append(body, `,"numberReturned":`...)
	body = append(strconv.AppendInt(body, int64(len(page.rows)), 10), `,"features":[`...)
	*buffer = append(appendRows(body, e.layer, page.rows, data.AppendFeature), "\n]}\n"...)
	s.send(w, r, reply{contentType: "application/geo+json", body: *buffer, etag: tag, untagged: mark.ID != ""})
	return nil
}

// appendRows appends rows, separated, as form writes one.
func appendRows(body []byte, l *geo.Layer, rows []int32, form func([]byte, *geo.Layer, int, ...data.Extra) []byte) []byte {
	for first := 0; first < len(rows); first += geo.WarmRows {
		part := rows[first:min(first+geo.WarmRows, len(rows))]
		l.Warm(part)
		for i, row := range part {
			if first+i > 0 {
				body = append(body, ',')
			}
			body = form(append(body, '\n'), l, int(row))
		}
	}
	return body
}

// buffer is memory for an answer, which goes back when it is sent.
func (s *Server) buffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// withCursor is the address of the request with another cursor.
func withCursor(r *http.Request, cursor string) string {
	u := *r.URL
	q := u.Query()
	q.Set("cursor", cursor)
	if cursor == "first" {
		q.Del("cursor")
	}
	u.RawQuery = q.Encode()
	return u.RequestURI()
}

func (s *Server) near(w http.ResponseWriter, r *http.Request) error {
	e, p, err := s.layerAndPlace(w, r)
	if err != nil {
		return err
	}
	k, err := intParam(r, "k", 20, 1, maxPage)
	if err != nil {
		return err
	}
	return s.sendHits(w, r, e, openHits(e, k, func(n int) []geo.Hit { return e.layer.Near(p, n) }))
}

func (s *Server) within(w http.ResponseWriter, r *http.Request) error {
	e, p, err := s.layerAndPlace(w, r)
	if err != nil {
		return err
	}
	radiusM, err := floatParam(r, "radius_m", math.NaN(), 0, 2_000_000)
	if err != nil {
		return err
	}
	limit, err := intParam(r, "limit", maxPage, 1, 10*maxPage)
	if err != nil {
		return err
	}
	return s.sendHits(w, r, e, openHits(e, limit, func(n int) []geo.Hit { return e.layer.Within(p, radiusM, n) }))
}

func (s *Server) layerAndPlace(w http.ResponseWriter, r *http.Request) (*entry, orb.Point, error) {
	e, err := s.entryOf(w, r)
	if err != nil {
		return nil, orb.Point{}, err
	}
	p, err := pointParam(r)
	return e, p, err
}

func (s *Server) sendHits(w http.ResponseWriter, r *http.Request, e *entry, hits []geo.Hit) error {
	l := e.layer
	if ok, err := s.mayExport(w, r, l, len(hits), func(yield func(int) bool) {
		for _, h := range hits {
			if !yield(h.Row) {
				return
			}
		}
	}); !ok {
		return err
	}
	noteHits(r.Context(), l, hits)
	tag := e.tag() + "-" + contentTag([]byte(s.opts.Version+r.URL.RawQuery))
	mark := s.mark(w, r, l.Info)
	if mark.ID != "" {
		tag = ""
	} else if s.unchanged(w, r, "application/geo+json", tag) {
		return nil
	}
	if e.facts().flagged {
		l, hits = withoutFlag(l, hits)
	}
	buffer := s.buffer()
	defer s.buffers.Put(buffer)
	body := append(data.AppendMarkMembers(append((*buffer)[:0], `{"type":"FeatureCollection",`...), mark), `"features":[`...)
	*buffer = append(appendHits(body, l, hits), "\n]}\n"...)
	s.send(w, r, reply{contentType: "application/geo+json", body: *buffer, etag: tag, untagged: mark.ID != ""})
	return nil
}

func appendHits(body []byte, l *geo.Layer, hits []geo.Hit) []byte {
	const block = 4 * geo.WarmRows // the rows lie in many chunks
	var rows [block]int32
	for first := 0; first < len(hits); first += block {
		part := hits[first:min(first+block, len(hits))]
		for i, hit := range part {
			rows[i] = int32(hit.Row)
		}
		l.Warm(rows[:len(part)])
		for i, hit := range part {
			if first+i > 0 {
				body = append(body, ',')
			}
			body = data.AppendHit(append(body, '\n'), l, hit)
		}
	}
	return body
}

// openHits returns the first n hits that are not of collusion: as many as if
// there were none of it.
func openHits(e *entry, n int, search func(n int) []geo.Hit) []geo.Hit {
	l, hits := e.layer, search(n)
	if !e.facts().secret {
		return hits
	}
	for asked := n; ; hits = search(asked) {
		open := slices.DeleteFunc(slices.Clone(hits), func(h geo.Hit) bool { return l.OfCollusion(h.Row) })
		if len(open) >= n || len(hits) < asked {
			return open[:min(n, len(open))]
		}
		asked *= 2
	}
}

// withoutFlag returns the rows of hits less what they say of collusion.
func withoutFlag(l *geo.Layer, hits []geo.Hit) (*geo.Layer, []geo.Hit) {
	b := geo.NewBuilder(l.Info)
	rows := make([]geo.Hit, len(hits))
	for i, hit := range hits {
		f := l.Feature(hit.Row)
		delete(f.Properties, geo.CollusionField)
		rows[i] = geo.Hit{Row: i, DistanceM: hit.DistanceM}
		b.Add(f)
	}
	return b.Layer(), rows
}
