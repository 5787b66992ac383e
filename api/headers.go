package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// answerPolicy is for answers that are no page: nothing in them is run, drawn
// from elsewhere, or framed.
const answerPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// noFeatures takes from every page what none of them needs.
const noFeatures = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), magnetometer=(), " +
	"microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// secure sets the headers of every answer. Handlers of pages say more.
func (s *Server) secure(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", answerPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", noFeatures)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if drawnElsewhere(r.URL.Path) {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Link, Location, Content-Crs, Retry-After, Content-Disposition, Sempadan-Features, Idempotent-Replay")
	if s.opts.SignIn.HTTPS {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// sourceHash lets a page use one text of its own as a style.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// drawnElsewhere tells the paths that maps on pages of others load pictures
// from.
func drawnElsewhere(path string) bool {
	for _, prefix := range []string{"/tiles/", "/ogc/", "/wmts", "/embed"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}

// headers narrow, for what somebody is answered, which pages may read it: with
// an embed token those of its origin, with a cookie none but this service's own.
func (p principal) headers(h http.Header) {
	switch {
	case p.Embed != nil:
		h.Set("Access-Control-Allow-Origin", p.Embed.Origin)
		h.Add("Vary", "Origin")
	case p.Via == viaSession:
		h.Del("Access-Control-Allow-Origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}
