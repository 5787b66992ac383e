package api

import (
	"net/http"
	"time"
)

// embedRequest asks for an embed token: for what, or which one to refresh.
type embedRequest struct {
	Surface string     `json:"surface"`
	Area    [4]float64 `json:"area"`
	MinZoom int        `json:"min_zoom"`
	MaxZoom int        `json:"max_zoom"`
	Origin  string     `json:"origin"`
	Seconds int        `json:"seconds"`
	Refresh string     `json:"refresh"`
}

// grantEmbed gives an embed token to the backend of a page that shows a map:
// for generalised tiles of one surface, for a quarter of an hour at most.
func (s *Server) grantEmbed(w http.ResponseWriter, r *http.Request) error {
	body := embedRequest{Seconds: int(longestEmbed / time.Second), MaxZoom: circle{Role: circlePublic}.mostZoom()}
	if err := readJSON(w, r, &body); err != nil {
		return err
	}
	if s.gate == nil || s.gate.embeds == nil {
		return problem{Status: http.StatusConflict, Code: "open_service", Detail: "this service asks nobody to sign in; an embed needs no token"}
	}
	grant, err := s.asksFor(asker(r.Context()), body)
	if err != nil {
		return err
	}
	token, grant, err := s.gate.embeds.sign(grant, s.opts.Now(), time.Duration(body.Seconds)*time.Second)
	if err != nil {
		return problem{Status: http.StatusUnprocessableEntity, Code: "invalid_grant", Detail: err.Error()}
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusCreated, map[string]any{"token": token, "id": grant.ID,
		"expires_at": time.Unix(grant.Expires, 0).UTC(), "refresh_until": time.Unix(grant.ends(), 0).UTC()})
}

// asksFor is the grant that a request is for. The backend of a page has a key;
// a token that it got with the same key can be refreshed while it is good.
func (s *Server) asksFor(p principal, body embedRequest) (g EmbedGrant, err error) {
	if p.Via != viaKey {
		return g, problem{Status: http.StatusForbidden, Code: "key_needed",
			Detail: "embed tokens are for the backend of a page, which has an access key; ask your administrator for one"}
	}
	g = EmbedGrant{KeyID: p.ID, Surface: body.Surface, Area: body.Area, MinZoom: body.MinZoom, MaxZoom: body.MaxZoom, Origin: body.Origin}
	if body.Refresh != "" {
		if g, err = s.gate.embeds.verify(body.Refresh, s.opts.Now()); err != nil || g.KeyID != p.ID {
			return g, problem{Status: http.StatusUnprocessableEntity, Code: "invalid_grant",
				Detail: "refresh: this is no token that your key got and that is still good; ask for a new one with surface, area and origin"}
		}
	}
	if !p.forSurface(g.Surface) {
		return g, problem{Status: http.StatusForbidden, Code: "out_of_scope", Detail: "this key is not for that surface; GET /v1/me lists its scopes"}
	}
	return g, nil
}
