package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// reply is a whole answer.
type reply struct {
	status      int // 0: 200
	contentType string
	body        []byte
	gzipped     []byte // the body packed, when it is kept beside it
	etag        string // without quotes; "": made from the body
	untagged    bool   // no ETag: the answer is no state of its address
	cache       string // Cache-Control; "": no-cache
}

const (
	revalidate = "no-cache"
	noStore    = "no-store"
	immutable  = "public, max-age=31536000, immutable"
	// packFrom is the size from which packing an answer pays.
	packFrom = 1024
)

// send writes an answer with its validators: 304 when the client has it,
// packed when the client can unpack it, always with Content-Length.
func (s *Server) send(w http.ResponseWriter, r *http.Request, a reply) {
	h := w.Header()
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.cache == "" {
		a.cache = revalidate
	}
	if set := h.Get("Cache-Control"); set != "" {
		a.cache = set
	}
	s.caching(h, r, a.cache)
	body := a.body
	packs := packable(a.contentType)
	if packs {
		vary(h, "Accept-Encoding")
	}
	tag := a.etag
	if tag == "" {
		tag = contentTag(a.body)
	}
	if packs && len(body) >= packFrom && acceptsGzip(r) {
		if body = a.gzipped; body == nil {
			body = pack(a.body)
		}
		h.Set("Content-Encoding", "gzip")
		tag += "-gz"
	}
	if a.status < 300 && !a.untagged {
		tag = `"` + tag + `"`
		h.Set("ETag", tag)
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			if matches(r.Header.Get("If-None-Match"), tag) {
				h.Del("Content-Type")
				h.Del("Content-Encoding")
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
	}
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		if len(body) >= longAnswer {
			defer s.lanes.yield(r.Context())()
		}
		_, _ = w.Write(body) // a client that left is no fault
	}
}

// unchanged answers 304 when the client has what a tag names, before the
// answer is made.
func (s *Server) unchanged(w http.ResponseWriter, r *http.Request, contentType, tag string) bool {
	header := r.Header.Get("If-None-Match")
	if header == "" || !matches(header, `"`+tag+`"`) && !matches(header, `"`+tag+`-gz"`) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if header == "*" { // no tag to repeat: send finds it
		return false
	}
	if !matches(header, `"`+tag+`"`) {
		tag += "-gz"
	}
	h := w.Header()
	h.Set("ETag", `"`+tag+`"`)
	s.caching(h, r, revalidate)
	if packable(contentType) {
		vary(h, "Accept-Encoding")
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// sendJSON writes a value as JSON.
func (s *Server) sendJSON(w http.ResponseWriter, r *http.Request, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.send(w, r, reply{status: status, contentType: "application/json", body: append(body, '\n')})
	return nil
}

func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// packable reports whether a media type shrinks when packed.
func packable(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || strings.HasSuffix(t, "xml") ||
		t == "application/vnd.mapbox-vector-tile" || t == "application/geo+json-seq"
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" || name == "*" {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(body) / 3)
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is valid
	_, _ = z.Write(body)                            // a buffer does not fail
	_ = z.Close()
	return b.Bytes()
}

// matches compares an If-None-Match header with a tag, weakly (RFC 9110).
func matches(header, tag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for part := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(part), "W/") == tag {
			return true
		}
	}
	return false
}
