package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/data"
)

func newRequest(method, path string, body io.Reader) *http.Request {
	return httptest.NewRequest(method, path, body)
}

func record(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// examplePath is an address of a route, about a layer where it is about one.
func examplePath(rt route, layer string) string {
	return pathParameter.ReplaceAllStringFunc(rt.path, func(p string) string {
		switch {
		case p == "{id}" && (strings.Contains(rt.path, "/layers/") || strings.Contains(rt.path, "/collections/")):
			return layer
		case strings.HasPrefix(p, "{surface"):
			return "density"
		case strings.HasPrefix(p, "{ext:json"):
			return "json"
		case strings.HasPrefix(p, "{ext"):
			return "mvt"
		case strings.HasPrefix(p, "{retina"):
			return ""
		case p == "{tms}":
			return "WebMercatorQuad"
		case p == "{z}" || strings.HasPrefix(p, "{x") || strings.HasPrefix(p, "{y"):
			return "1"
		case strings.HasPrefix(p, "{file"):
			return "none.js"
		}
		return "none"
	})
}

// Every answer of every route, good or bad, to anybody, has the headers.
func TestSecurityHeaders(t *testing.T) {
	open, guarded := newSignedIn(t, func(o *Options) { o.SignIn = SignIn{} }), newSignedIn(t)
	always := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Permissions-Policy": noFeatures, "Cross-Origin-Opener-Policy": "same-origin"}
	check := func(s *signedIn, who, method, path string) {
		w := s.do(who, method, path, "")
		h := w.Header()
		name := fmt.Sprintf("%s %s as %s (%d)", method, path, who, w.Code)
		for header, want := range always {
			if got := h.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		policy := h.Values("Content-Security-Policy")
		if len(policy) != 1 || !strings.HasPrefix(policy[0], "default-src 'none'; ") || strings.Contains(policy[0], "unsafe") || strings.Contains(policy[0], "http:") ||
			!strings.Contains(policy[0], "base-uri 'none'") || !strings.Contains(policy[0], "form-action 'none'") {
			t.Errorf("%s: policy %q", name, policy)
		} else if framed := strings.HasSuffix(policy[0], "frame-ancestors *"); framed != (s == open && strings.HasPrefix(path, "/embed") && method != "OPTIONS" && w.Code != 405) ||
			!framed && (!strings.Contains(policy[0], "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY") {
			t.Errorf("%s: framed %v, policy %q", name, framed, policy)
		}
		want := "same-origin"
		if strings.HasPrefix(path, "/tiles/") || strings.HasPrefix(path, "/embed") || strings.HasPrefix(path, "/ogc/") || strings.HasPrefix(path, "/wmts") {
			want = "cross-origin"
		}
		if got := h.Get("Cross-Origin-Resource-Policy"); got != want {
			t.Errorf("%s: resource policy %s", name, got)
		}
		if hsts := h.Get("Strict-Transport-Security"); (hsts == "max-age=31536000") != (s == guarded) {
			t.Errorf("%s: transport security %q", name, hsts)
		}
		if s == guarded && w.Code < 300 && w.Code != 204 && !strings.Contains(h.Get("Cache-Control"), "private") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: cache %q", name, h.Get("Cache-Control"))
		}
	}
	n := 0
	for _, rt := range guarded.s.ways {
		path := examplePath(rt, "none")
		for _, method := range []string{rt.method, "OPTIONS", "TRACE"} {
			check(guarded, "nobody", method, path)
			check(guarded, "viewer", method, path)
			check(guarded, "admin", method, path)
			check(open, "nobody", method, path)
			n += 4
		}
	}
	check(guarded, "nobody", "GET", "/no/such/path")
	check(open, "nobody", "GET", "/no/such/path")
	t.Logf("%d answers of %d routes", n+2, len(guarded.s.ways))
}

// What must not be in a log is in none, whatever is asked for and whatever
// fails.
func TestLogsTellNothing(t *testing.T) {
	var log bytes.Buffer
	s := newSignedIn(t, func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	b := s.browser()
	b.signIn()
	embed := s.grant("viewer", embedBody)
	s.token["embed"] = embed.Token
	s.token["person"] = s.provider.mint(map[string]any{"name": "Siti Kenari", "email": "siti@kenari.example"})
	s.token["forged"] = s.provider.mint(map[string]any{"aud": "other", "name": "Siti Kenari"})
	canaries := []string{"Siti", "Kenari", "kenari.example", "117.123456", "4.654321", "4.65", "117.12", embed.Token[:20], s.token["viewer"][:20], s.token["person"][:20], s.token["person"][400:420], s.token["forged"][:20],
		b.cookies[sessionCookie], testSecret, "token=", "code=", "eyJ", "spd_", "spe_"}
	walk := func() {
		for _, rt := range s.s.ways {
			path := examplePath(rt, "none")
			query := "?token=" + embed.Token + "&lon=117.123456&lat=4.654321&name=Siti+Kenari&code=Kenari"
			body := `{"name":"Siti Kenari","lon":117.123456,"coordinates":[117.123456,4.654321]}`
			for _, who := range []string{"nobody", "viewer", "admin", "embed", "person", "forged"} {
				s.do(who, rt.method, path, body)
				s.do(who, rt.method, path+query, body)
				s.do(who, rt.method, path+"?lon=117.123456&lat=4.654321&kind=incident", "id,lon,lat,occurred_from,victim\nx,117.123456,4.654321,Siti Kenari,Siti Kenari\n")
			}
			b.do(rt.method, path+query)
		}
		b.do("GET", callbackPath+"?code=Kenari&state=Kenari&error_description=Siti+Kenari")
		b.do("GET", b.atProvider()+"Kenari")
	}
	find := func(when string) {
		for _, c := range canaries {
			if k := strings.Index(log.String(), c); k >= 0 {
				t.Errorf("%s the log has %q: …%s…", when, c, log.String()[max(0, k-120):min(log.Len(), k+80)])
			}
		}
	}
	walk()
	find("in good order")
	before := log.Len()
	if err := s.s.opts.Store.Close(); err != nil {
		t.Fatal(err)
	}
	s.provider.mu.Lock()
	s.provider.subject = func(string, map[string]any) string { return s.token["forged"] }
	s.provider.mu.Unlock()
	walk()
	find("with a broken store")
	if log.Len() == before {
		t.Error("nothing was logged of a broken store: this test sees nothing")
	}
}

func TestRedacted(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(Redacted(Redacted(slog.NewTextHandler(&out, nil))))
	secretError := fmt.Errorf("read: %w", errors.New(`row 3: name "Siti Kenari" at 117.123456 4.654321`))
	log.With("who", "spd_0123456789_secret").WithGroup("g").Warn("GET /x?token=spe_e30.x failed with Bearer abc.def",
		"error", secretError, "refusal", &data.Refusal{Code: "invalid_rows", Message: "Siti Kenari"}, "problem", problem{Status: 404, Code: "gone", Detail: "Siti Kenari"},
		"jwt", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJTaXRpIn0.c2ln", "list", []string{"Kenari spd_1"}, slog.Group("in", "at", "lon 117.1234"), "n", 3, "took_ms", 12)
	text := out.String()
	for _, bad := range []string{"Siti", "secret", "spe_", "spd_", "117.1", "4.65", "eyJ", "abc.def", "token="} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in %s", bad, text)
		}
	}
	for _, kept := range []string{"refused: invalid_rows", "refused: gone", "row 3", "g.n=3", "took_ms=12", "failed with"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%q is gone from %s", kept, text)
		}
	}
}
