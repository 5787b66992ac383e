package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// readers are the pages that a browser lets read an answer: of all origins, or
// of the service's own and of some others.
type readers struct {
	all     bool
	origins []string
}

// and are the pages that may read both.
func (a readers) and(b readers) readers {
	switch {
	case a.all:
		return b
	case b.all:
		return a
	}
	return readers{origins: slices.DeleteFunc(slices.Clone(a.origins), func(o string) bool { return !slices.Contains(b.origins, o) })}
}

// readersOf are those of a layer: everyone of a public one, else whom its owner
// allows.
func (s *Server) readersOf(info geo.LayerInfo) readers {
	switch info.Classification {
	case classPublic:
		return readers{all: true}
	case classSecret:
		return readers{}
	}
	return readers{origins: s.originsOf(info.ID)}
}

// readersOfAll are those of what is made of all layers: as closed as the most
// closed of them.
func (s *Server) readersOfAll() readers {
	by := readers{all: true}
	for _, e := range s.current().layers {
		by = by.and(s.readersOf(e.layer.Info))
	}
	for _, l := range s.unlisted {
		by = by.and(s.readersOf(l.Info))
	}
	return by
}

// ofLayer reports whether a path is about one layer.
func ofLayer(path string) bool {
	return strings.Contains(path, "/layers/{id}") || strings.Contains(path, "/collections/{id}")
}

// lists reports whether a path lists the layers: each page is told of those only
// that it may read.
func lists(path string) bool {
	return path == "/v1/layers" || path == "/ogc" || path == "/ogc/" || path == "/ogc/api" || path == "/ogc/api.html" || path == "/ogc/collections"
}

// readersFor are those of an answer of a route, from what the service's circle
// sees.
func (s *Server) readersFor(path string, do action, id string) readers {
	switch {
	case do == doOpen, lists(path):
		return readers{all: true}
	case ofLayer(path):
		if e := s.current().byID[id]; e != nil {
			return s.readersOf(e.layer.Info)
		}
		return readers{}
	case do == doMap, do == doAnalyse, do == doPlan, do == doRows:
		return s.readersOfAll()
	}
	return readers{}
}

// readersUnknown are those of an answer that comes before it is known who asks:
// a refusal, or what a browser asks ahead. It must not tell whether there is a
// layer that is not public.
func (s *Server) readersUnknown(path string, do action, id string) readers {
	switch {
	case s.gate == nil:
		return s.readersFor(path, do, id)
	case ofLayer(path):
		e := s.current().byID[id]
		return readers{all: e != nil && e.layer.Info.Classification == classPublic}
	}
	return readers{all: do == doOpen || do == doMap || do == doAnalyse || do == doPlan || do == doRows}
}

// allow says in an answer which pages may read it. Embed tokens and sessions
// have said it already.
func (by readers) allow(h http.Header, r *http.Request, who principal) {
	if who.Embed != nil || who.Via == viaSession {
		return
	}
	origin := r.Header.Get("Origin")
	switch {
	case by.all:
		h.Set("Access-Control-Allow-Origin", "*")
		return
	case slices.Contains(by.origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
	default:
		h.Set("Access-Control-Allow-Origin", baseURL(r))
	}
	if len(by.origins) > 0 {
		vary(h, "Origin")
	}
}

// vary adds a name to Vary, once.
func vary(h http.Header, name string) {
	all := strings.Split(strings.Join(h.Values("Vary"), ", "), ", ")
	for one := range strings.SplitSeq(name, ", ") {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	h.Set("Vary", strings.TrimPrefix(strings.Join(all, ", "), ", "))
}

type readersKey struct{}

func withReaders(ctx context.Context, by readers) context.Context {
	return context.WithValue(ctx, readersKey{}, by)
}

// closed reports whether what is answered is not for everyone.
func closed(ctx context.Context) bool {
	by, known := ctx.Value(readersKey{}).(readers)
	return known && !by.all
}

// caching says who may keep an answer and how: caches that many share keep what
// is public, where nobody signs in.
func (s *Server) caching(h http.Header, r *http.Request, how string) {
	signed := s.gate != nil || s.parent != nil
	if signed {
		vary(h, "Authorization, Cookie")
	}
	if signed || how != noStore && closed(r.Context()) {
		how = "private, " + strings.TrimPrefix(strings.TrimPrefix(how, "private, "), "public, ")
	}
	h.Set("Cache-Control", how)
}

// listed are the layers that a list tells a page of: one of another origin of
// those that it may read.
func (s *Server) listed(w http.ResponseWriter, r *http.Request) []*entry {
	vary(w.Header(), "Origin")
	origin, all := r.Header.Get("Origin"), s.current().layers
	if origin == "" || origin == baseURL(r) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(e *entry) bool {
		by := s.readersOf(e.layer.Info)
		return !by.all && !slices.Contains(by.origins, origin)
	})
}

// preflight answers what a browser asks ahead for a page: other origins read,
// and do not write.
func (s *Server) preflight(h http.Header, r *http.Request, path string, methods []string, id string) {
	do := doOpen
	for _, m := range methods {
		if a, ok := routeActions()[m+" "+path]; ok && m == http.MethodGet {
			do = a
		} else if ok && do == doOpen {
			do = a
		}
	}
	by := s.readersUnknown(path, do, id)
	if !by.all {
		by.origins = s.allOrigins()
	}
	by.allow(h, r, principal{})
	if origin := r.Header.Get("Origin"); origin != "" && origin != baseURL(r) {
		methods = slices.DeleteFunc(slices.Clone(methods), func(m string) bool {
			return m != http.MethodGet && m != http.MethodHead && m != http.MethodOptions
		})
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, Prefer, X-Filename, Sempadan-Approval")
	h.Set("Access-Control-Max-Age", "600")
}

// layerOrigins are the origins whose pages may read a layer that is not public.
type layerOrigins struct {
	Layer   string   `json:"layer"`
	Origins []string `json:"origins"`
}

const mostOrigins = 20

func (s *Server) originsOf(id string) []string {
	for _, o := range s.books.origins.all() {
		if o.Layer == id {
			return o.Origins
		}
	}
	return nil
}

// allOrigins are those that any layer allows.
func (s *Server) allOrigins() (out []string) {
	for _, o := range s.books.origins.all() {
		out = append(out, o.Origins...)
	}
	return out
}

// setOrigins allows pages of these origins, and of no others, to read a layer.
func (s *Server) setOrigins(ctx context.Context, id string, origins []string) error {
	if slices.Equal(s.originsOf(id), origins) {
		return nil
	}
	return s.books.origins.change(ctx, func(list []layerOrigins) ([]layerOrigins, error) {
		out := slices.DeleteFunc(slices.Clone(list), func(o layerOrigins) bool { return o.Layer == id })
		if len(origins) > 0 {
			out = append(out, layerOrigins{id, origins})
		}
		return out, nil
	})
}

// checkOrigins returns the origins in order, each once.
func checkOrigins(origins []string, class string) ([]string, error) {
	bad := func(code, format string, args ...any) error {
		return problem{Status: http.StatusUnprocessableEntity, Code: code, Detail: fmt.Sprintf(format, args...)}
	}
	if len(origins) > mostOrigins {
		return nil, bad("too_many_origins", "%d origins: a layer allows %d at most", len(origins), mostOrigins)
	}
	for _, o := range origins {
		if !isOrigin(o) {
			return nil, bad("invalid_origin", "origin %q: use scheme and host as browsers send them, such as https://example.org", o)
		}
	}
	if len(origins) > 0 && class == classSecret {
		return nil, bad("secret_layer", "a secret layer is for this service's own pages; give it another classification first")
	}
	out := slices.Clone(origins)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// loosens reports whether origins are more than a layer allows now.
func (s *Server) loosens(id string, origins []string) bool {
	now := s.originsOf(id)
	return slices.ContainsFunc(origins, func(o string) bool { return !slices.Contains(now, o) })
}

// framers are the sources of frame-ancestors for a map of everything, on a
// service that asks nobody to sign in.
func (s *Server) framers() string {
	by := s.readersOfAll()
	if by.all {
		return "*"
	}
	return strings.Join(append([]string{"'self'"}, by.origins...), " ")
}
