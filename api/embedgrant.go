package api

import (
	"net/http"
	"time"
)

// grantEmbed gives an embed token to the backend of a page that shows a map:
// for generalised tiles of one surface, for a quarter of an hour at most.
func (s *Server) grantEmbed(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Surface string     `json:"surface"`
		Area    [4]float64 `json:"area"`
		MinZoom int        `json:"min_zoom"`
		MaxZoom int        `json:"max_zoom"`
		Origin  string     `json:"origin"`
		Seconds int        `json:"seconds"`
	}
	body.Seconds, body.MaxZoom = int(longestEmbed/time.Second), circle{Role: circlePublic}.mostZoom()
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if s.gate == nil || s.gate.embeds == nil {
		return problem{Status: http.StatusConflict, Code: "open_service", Detail: "this service asks nobody to sign in; an embed needs no token"}
	}
	grant := EmbedGrant{KeyID: asker(r.Context()).ID, Surface: body.Surface, Area: body.Area, MinZoom: body.MinZoom, MaxZoom: body.MaxZoom, Origin: body.Origin}
	token, grant, err := s.gate.embeds.sign(grant, s.opts.Now(), time.Duration(body.Seconds)*time.Second)
	if err != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_grant", Detail: err.Error()}
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusCreated, map[string]any{"token": token, "expires_at": time.Unix(grant.Expires, 0).UTC()})
}
