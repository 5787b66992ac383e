package api

import (
	"context"
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// rowQuery narrows the rows of a layer. Its zero value is all of them.
type rowQuery struct {
	box    *boxQuery
	span   *interval
	filter *geo.Filter
	key    string // one text for one question, of one layer
}

// boxQuery is a box: rows that touch it are in its window, and meet it.
type boxQuery struct {
	window orb.Bound
	meets  func(orb.Geometry) bool
	points bool // points in the window meet it
}

// outputCRS finds a reference system by its URI.
func outputCRS(r *http.Request, name string) (*data.OutputCRS, error) {
	return crsNamed(name, r.URL.Query().Get(name))
}

func crsNamed(name, uri string) (*data.OutputCRS, error) {
	if uri == "" {
		uri = data.CRS84
	}
	uri = strings.TrimSuffix(strings.TrimPrefix(uri, "["), "]")
	var known []string
	for _, c := range data.OutputCRSs() {
		if c.URI == uri {
			return c, nil
		}
		known = append(known, c.URI)
	}
	return nil, badParameter(name, "%q is not one of %s", uri, strings.Join(known, ", "))
}

// readBox reads bbox in the system that bbox-crs names; nil for none.
func readBox(r *http.Request) (*boxQuery, error) {
	crs, err := outputCRS(r, "bbox-crs")
	if err != nil {
		return nil, err
	}
	v, err := boxNumbers(r)
	if v == nil || err != nil {
		return nil, err
	}
	asked := orb.Bound{Min: orb.Point{v[0], v[1]}, Max: orb.Point{v[2], v[3]}}
	if crs.Geographic() {
		b := orb.Bound{Min: crs.ToWGS84(asked.Min), Max: crs.ToWGS84(asked.Max)}
		for i, most := range []float64{180, 90, 180, 90} {
			if at := []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}[i]; math.Abs(at) > most {
				return nil, badParameter("bbox", "%g is not in -%g to %g; a box over the 180th meridian has a west beyond its east, such as 160,-10,-170,10", at, most, most)
			}
		}
		if b.Min[1] > b.Max[1] {
			return nil, badParameter("bbox", "south %g is beyond north %g", b.Min[1], b.Max[1])
		}
		return &boxQuery{window: b, meets: geo.NewShape(b).Meets, points: true}, nil
	}
	if asked.Min[0] > asked.Max[0] || asked.Min[1] > asked.Max[1] {
		return nil, badParameter("bbox", "its first corner is beyond its second")
	}
	shape := geo.NewShape(asked)
	return &boxQuery{window: windowOf(asked, crs), meets: func(g orb.Geometry) bool { return shape.Meets(crs.Reproject(g)) }}, nil
}

// windowOf is a box in longitude and latitude round one of plane coordinates:
// edges bend by less than the margin, and what lies beyond the earth is all.
func windowOf(b orb.Bound, crs *data.OutputCRS) orb.Bound {
	const steps = 16
	out := orb.Bound{Min: orb.Point{math.Inf(1), math.Inf(1)}, Max: orb.Point{math.Inf(-1), math.Inf(-1)}}
	for i := range steps + 1 {
		for k := range steps + 1 {
			p := crs.ToWGS84(orb.Point{b.Min[0] + (b.Max[0]-b.Min[0])*float64(i)/steps, b.Min[1] + (b.Max[1]-b.Min[1])*float64(k)/steps})
			if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
				return orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}
			}
			out = out.Extend(p)
		}
	}
	width, height := out.Max[0]-out.Min[0], out.Max[1]-out.Min[1]
	if width > 20 || height > 20 { // plane and globe have little in common
		return orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}
	}
	margin := 1e-6 + 0.05*math.Max(width, height)
	return orb.Bound{Min: orb.Point{out.Min[0] - margin, out.Min[1] - margin}, Max: orb.Point{out.Max[0] + margin, out.Max[1] + margin}}
}

// readQuery reads bbox, datetime and filter; where props is true also a
// parameter for each property.
func (s *Server) readQuery(r *http.Request, e *entry, props bool) (q rowQuery, err error) {
	if q.box, err = readBox(r); err != nil {
		return q, err
	}
	span, timed, err := datetimeParam(r)
	if err != nil {
		return q, err
	}
	if timed {
		q.span = &span
	}
	given := r.URL.Query()
	var parts []geo.Expr
	if props {
		if parts, err = propertyConditions(r, e); err != nil {
			return q, err
		}
	}
	crs, err := outputCRS(r, "filter-crs")
	if err != nil {
		return q, err
	}
	if text := given.Get("filter"); text != "" {
		to := crs.ToWGS84
		if crs.IsDefault() {
			to = nil
		}
		x, err := data.ParseFilter(given.Get("filter-lang"), text, to)
		if err != nil {
			return q, err
		}
		parts = append(parts, x)
	} else if lang := given.Get("filter-lang"); lang != "" && lang != data.CQL2Text && lang != data.CQL2JSON {
		return q, badParameter("filter-lang", "%q is not %s or %s", lang, data.CQL2Text, data.CQL2JSON)
	}
	if len(parts) > 0 {
		if s.circle.generalised() {
			return q, problem{Status: http.StatusForbidden, Code: "not_for_this_role", Detail: "your role sees what is published; filters are for planners and analysts"}
		}
		whole := geo.Expr{Op: geo.OpAnd, Args: parts}
		if q.filter, err = geo.NewFilter(whole, e.facts().fields); err != nil {
			return q, badParameter("filter", "%v", err)
		}
		q.key = data.FilterText(whole)
	}
	q.key = strings.Join([]string{given.Get("bbox"), given.Get("bbox-crs"), given.Get("datetime"), q.key}, "|")
	return q, nil
}

// propertyConditions reads the parameters that are named after properties.
func propertyConditions(r *http.Request, e *entry) (parts []geo.Expr, err error) {
	given := r.URL.Query()
	for _, p := range e.facts().params {
		if !given.Has(p.Name) {
			continue
		}
		text := given.Get(p.Name)
		value := geo.Expr{Op: geo.ValText, Text: text}
		switch p.Type {
		case geo.FieldNumber:
			v, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, badParameter(p.Name, "%q is not a number", text)
			}
			value = geo.Expr{Op: geo.ValNumber, Number: v}
		case geo.FieldBoolean:
			if text != "true" && text != "false" {
				return nil, badParameter(p.Name, "%q is not true or false", text)
			}
			value = geo.Expr{Op: geo.ValBoolean, Boolean: text == "true"}
		}
		parts = append(parts, geo.Expr{Op: geo.OpEqual, Args: []geo.Expr{{Op: geo.ValProperty, Text: p.Name}, value}})
	}
	return parts, nil
}

// everything reports whether no row is left out.
func (q *rowQuery) everything() bool { return q.box == nil && q.span == nil && q.filter == nil }

// window is the smallest box known that every row must touch.
func (q *rowQuery) window(l *geo.Layer) (b orb.Bound, ok bool) {
	if q.box != nil {
		b, ok = q.box.window, true
	} else if q.filter != nil {
		b, ok = q.filter.Window()
	}
	if all := l.Bound(); ok && b.Min[0] <= all.Min[0] && b.Max[0] >= all.Max[0] && b.Min[1] <= all.Min[1] && b.Max[1] >= all.Max[1] {
		return b, false // the index would say all
	}
	return b, ok
}

// each calls yield with the rows that match, in ascending order, until it
// returns false. It stops when the caller has left.
func (q *rowQuery) each(ctx context.Context, l *geo.Layer, yield func(row int) bool) error {
	matches := q.bind(l)
	if b, ok := q.window(l); ok {
		for n, row := range l.Window(b) {
			if n%4096 == 4095 && ctx.Err() != nil {
				return ctx.Err()
			}
			if matches(row) && !yield(row) {
				return nil
			}
		}
		return nil
	}
	for row := range l.Len() {
		if row%4096 == 4095 && ctx.Err() != nil {
			return ctx.Err()
		}
		if matches(row) && !yield(row) {
			return nil
		}
	}
	return nil
}

func (q *rowQuery) bind(l *geo.Layer) func(row int) bool {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if q.span != nil {
		if !q.span.from.IsZero() {
			from = q.span.from.UnixMilli()
		}
		if !q.span.to.IsZero() {
			to = q.span.to.UnixMilli()
		}
	}
	passes := func(int) bool { return true }
	if q.filter != nil {
		passes = q.filter.Bind(l)
	}
	_, indexed := q.window(l)
	if q.span == nil && q.filter == nil && q.box != nil && q.box.points && indexed && l.AllPoints() {
		return passes
	}
	return func(row int) bool {
		if q.box != nil {
			p, isPoint := l.Point(row)
			switch {
			case !isPoint:
				if !q.box.meets(l.Geometry(row)) {
					return false
				}
			case indexed && q.box.points: // the window has said it
			case !q.box.meets(p):
				return false
			}
		}
		if q.span != nil {
			if a, b, dated := l.TimesMS(row); dated && (a > to || b < from) {
				return false
			}
		}
		return passes(row)
	}
}

// rowPage is a page of rows by their FID, so that pages neither repeat nor
// lose features while a layer grows.
type rowPage struct {
	rows       []int32
	matched    int
	next, prev string // cursors; prev is "first" for the first page
}

// each calls yield with the rows until it returns false.
func (p *rowPage) each(yield func(row int) bool) {
	for _, row := range p.rows {
		if !yield(int(row)) {
			return
		}
	}
}

// page finds the limit rows behind the FID after.
func (q *rowQuery) page(ctx context.Context, e *entry, after int64, limit int) (p rowPage, err error) {
	l := e.layer
	var at func(k int) int
	if q.everything() {
		p.matched, at = l.Len(), e.byFID
	} else {
		found, err := e.found.get(ctx, q, e)
		if err != nil {
			return p, err
		}
		p.matched, at = len(found), func(k int) int { return int(found[k]) }
	}
	first := sort.Search(p.matched, func(k int) bool { return l.FID(at(k)) > after })
	last := min(first+limit, p.matched)
	for k := first; k < last; k++ {
		p.rows = append(p.rows, int32(at(k)))
	}
	if last < p.matched && last > first {
		p.next = writeCursor(l.FID(at(last - 1)))
	}
	switch {
	case first > limit:
		p.prev = writeCursor(l.FID(at(first - limit - 1)))
	case first > 0:
		p.prev = "first"
	}
	return p, nil
}

// foundRows keeps what the last few questions about a layer found, for the
// pages to come.
type foundRows struct {
	mu   sync.Mutex
	keys []string
	rows map[string][]int32
}

// mostFound bounds how many questions are kept, leastFound from which size on
// an answer is.
const (
	mostFound  = 4
	leastFound = 2000
)

func (f *foundRows) get(ctx context.Context, q *rowQuery, e *entry) ([]int32, error) {
	f.mu.Lock()
	rows, known := f.rows[q.key]
	f.mu.Unlock()
	if known {
		return rows, nil
	}
	err := q.each(ctx, e.layer, func(row int) bool {
		rows = append(rows, int32(row))
		return true
	})
	if err != nil {
		return nil, err
	}
	if e.facts().order != nil {
		slices.SortFunc(rows, func(a, b int32) int { return int(min(1, max(-1, e.layer.FID(int(a))-e.layer.FID(int(b))))) })
	}
	if len(rows) < leastFound {
		return rows, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows = map[string][]int32{}
	}
	if _, known := f.rows[q.key]; !known {
		if len(f.keys) == mostFound {
			delete(f.rows, f.keys[0])
			f.keys = f.keys[1:]
		}
		f.keys, f.rows[q.key] = append(f.keys, q.key), rows
	}
	return rows, nil
}

func writeCursor(fid int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("f" + strconv.FormatInt(fid, 36)))
}

func readCursor(r *http.Request) (int64, error) {
	text := r.URL.Query().Get("cursor")
	if text == "" {
		return 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(raw) > 1 && raw[0] == 'f' {
		if fid, err := strconv.ParseInt(string(raw[1:]), 36, 64); err == nil && fid >= 0 {
			return fid, nil
		}
	}
	return 0, badParameter("cursor", "%q did not come from here; use the address in next", text)
}

// boxNumbers reads the four numbers of bbox, or six with heights, which are
// passed over; nil for none.
func boxNumbers(r *http.Request) ([]float64, error) {
	text := r.URL.Query().Get("bbox")
	if text == "" {
		return nil, nil
	}
	var v []float64
	for p := range strings.SplitSeq(text, ",") {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, badParameter("bbox", "%q is not a number", p)
		}
		if v = append(v, f); len(v) > 6 {
			break
		}
	}
	if len(v) == 6 {
		v = []float64{v[0], v[1], v[3], v[4]}
	}
	if len(v) != 4 {
		return nil, badParameter("bbox", "give west,south,east,north")
	}
	return v, nil
}
