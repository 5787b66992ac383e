package api

import (
	"net/http"
	"time"
)

// ways of signing in, as /v1/me tells them.
const (
	viaKey     = "key"
	viaSession = "session"
	viaToken   = "token"
	viaEmbed   = "embed"
	viaLocal   = "local"
)

// waysIn tells how people can sign in here.
func (s *Server) waysIn(w http.ResponseWriter, r *http.Request) error {
	answer := map[string]any{"key": s.gate != nil, "oidc": s.gate != nil && s.gate.oidc != nil}
	if answer["oidc"] == true {
		answer["login"] = "/auth/login"
	}
	return s.sendJSON(w, r, http.StatusOK, answer)
}

// me tells whoever asks who they are here.
func (s *Server) me(w http.ResponseWriter, r *http.Request) error {
	p := asker(r.Context())
	answer := struct {
		ID      string     `json:"id"`
		Via     string     `json:"via"`
		Role    string     `json:"role,omitempty"`
		Agency  string     `json:"agency,omitempty"`
		Country string     `json:"country,omitempty"`
		Scopes  []string   `json:"scopes,omitempty"`
		Until   *time.Time `json:"expires_at,omitempty"`
	}{ID: p.ID, Via: p.Via, Role: string(p.Role), Agency: p.Agency, Country: p.Country, Scopes: p.Scopes}
	if p.Local {
		answer.Via = viaLocal
	}
	if !p.Until.IsZero() {
		until := p.Until.UTC()
		answer.Until = &until
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusOK, answer)
}
