package api

import (
	"embed"
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// dist is the built web page; `make ui` fills it.
//
//go:embed all:ui/dist
var dist embed.FS

// pagePolicy lets the page use what this service serves, and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "

func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy", pagePolicy+"'none'")
	return s.sendFile(w, r, "index.html")
}

// embed is a bare map for a frame on another page: one of the origin that the
// token is for.
func (s *Server) embed(w http.ResponseWriter, r *http.Request) error {
	by := "'none'"
	switch p := asker(r.Context()); {
	case p.Embed != nil:
		by = p.Embed.Origin
	case p.Local:
		by = s.framers()
	}
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy+by)
	if by != "'none'" {
		h.Del("X-Frame-Options") // it cannot name an origin
	}
	return s.sendFile(w, r, "embed.html")
}

// asset is a file of the pages. A worker goes by the policy of its own file.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy", pagePolicy+"'none'")
	return s.sendFile(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}

func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, name string) error {
	body, err := fs.ReadFile(dist, "ui/dist/"+name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		detail := "there is no such file"
		if strings.HasSuffix(name, ".html") {
			detail = "the page was not built into this program; build it with make"
		}
		return problem{Status: http.StatusNotFound, Code: "file_not_found", Detail: detail}
	}
	if err != nil {
		return err
	}
	a := reply{contentType: mediaType(name), body: body}
	if strings.HasPrefix(name, "assets/") && strings.Contains(path.Base(name), "-") {
		a.cache = immutable // the name has the content's hash
	}
	s.send(w, r, a)
	return nil
}

func mediaType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".ico":
		return "image/x-icon"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}
