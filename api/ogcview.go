package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// ogcView is what a page of the OGC API shows.
type ogcView struct {
	Title, About string
	Path         []ogcCell // from the landing page to here
	Facts        [][2]string
	Links        []ogcLink
	Head         []string
	Rows         [][]ogcCell
	Prev, Next   string
	Marked       bool // it has the mark of an export, and is never the same twice
}

type ogcCell struct{ Text, Href string }

//go:embed ogc.html
var ogcPage string

var ogcTemplate = sync.OnceValues(func() (*template.Template, error) { return template.New("ogc").Parse(ogcPage) })

// ogcStyleHash is the page's own style, as a policy names it.
var ogcStyleHash = sync.OnceValue(func() string {
	_, rest, _ := strings.Cut(ogcPage, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
})

func (s *Server) sendView(w http.ResponseWriter, r *http.Request, v ogcView) error {
	page, err := ogcTemplate()
	if err != nil {
		return err
	}
	v.Path = pathOf(r)
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src '"+ogcStyleHash()+"'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	s.send(w, r, reply{contentType: mediaHTML, body: out.Bytes(), untagged: v.Marked})
	return nil
}

// pathOf are the pages above that of a request.
func pathOf(r *http.Request) []ogcCell {
	var out []ogcCell
	at := ""
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for _, part := range parts[:len(parts)-1] {
		at += "/" + part
		out = append(out, ogcCell{part, at + "?f=html"})
	}
	return out
}

// marshal is json.Marshal that leaves &, < and > as they are, so that links
// can be read.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
