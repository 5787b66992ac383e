package api

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"time"
)

func (s *Server) health(w http.ResponseWriter, r *http.Request) error {
	return s.sendJSON(w, r, http.StatusOK, map[string]string{"status": "alive", "audit": s.auditHealth()})
}

// readiness is 200 when the layers are loaded and the store answers.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) error {
	if !s.ready.Load() {
		return problem{Status: http.StatusServiceUnavailable, Code: "not_ready", Detail: "the service is starting or stopping"}
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.opts.Store.Ping(ctx); err != nil {
		s.log.Error("the store does not answer", "error", err)
		return problem{Status: http.StatusServiceUnavailable, Code: "store_silent", Detail: "the store does not answer; the log has the reason"}
	}
	if s.audit != nil {
		if why := s.audit.why.Load(); why != nil {
			return errAudit(*why)
		}
	}
	out := map[string]any{"status": "ready", "store": s.storeState()}
	if s.gate == nil { // else it would tell of what is stored
		out["layers"] = len(s.current().layers)
	}
	return s.sendJSON(w, r, http.StatusOK, out)
}

func (s *Server) version(w http.ResponseWriter, r *http.Request) error {
	a := s.assessment.Load()
	out := map[string]any{"version": s.opts.Version, "commit": s.opts.Commit, "store": s.opts.Store.Kind(), "model": a.Model.Version}
	if s.gate == nil { // else they would tell of every upload
		out["assessment"], out["as_of"], out["synthetic"] = a.Version, a.AsOf, a.Synthetic
	}
	return s.sendJSON(w, r, http.StatusOK, out)
}

//go:embed openapi.json
var openAPIDocument []byte

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) error {
	s.send(w, r, reply{contentType: "application/vnd.oai.openapi+json;version=3.0", body: openAPIDocument})
	return nil
}

//go:embed docs.html
var docsPage string

// docs shows the OpenAPI document to people, without scripts.
func (s *Server) docs(w http.ResponseWriter, r *http.Request) error {
	page, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return err
	}
	groups, err := documentedPaths()
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := page.Execute(&out, map[string]any{"Groups": groups, "Version": s.opts.Version}); err != nil {
		return err
	}
	_, style, _ := strings.Cut(docsPage, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	w.Header().Set("Content-Security-Policy", answerPolicy+"; img-src 'self'; style-src "+sourceHash(style))
	s.send(w, r, reply{contentType: "text/html; charset=utf-8", body: []byte(out.String())})
	return nil
}
