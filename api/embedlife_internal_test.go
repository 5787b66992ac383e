package api

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type grantAnswer struct {
	Token   string    `json:"token"`
	ID      string    `json:"id"`
	Expires time.Time `json:"expires_at"`
	Until   time.Time `json:"refresh_until"`
}

const embedBody = `{"surface":"density","area":[109,0,112,2],"min_zoom":4,"max_zoom":8,"origin":"https://dash.example.org"}`

const embedTile = "/tiles/density/8/206/127.png"

func (g *guarded) grant(who, body string) (a grantAnswer) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.want(201, who, "POST", "/v1/embed-tokens", body)), &a); err != nil {
		g.t.Fatal(err)
	}
	return a
}

// A token is refreshed by the key that got it, while it is good, for a day.
func TestEmbedTokensAreRefreshedForADay(t *testing.T) {
	g := newGuarded(t)
	first := g.grant("viewer", embedBody)
	start, a, n := g.now, first, 0
	if !first.Until.Equal(start.Add(24 * time.Hour)) {
		t.Errorf("to be refreshed until %v", first.Until)
	}
	for ; g.now.Before(start.Add(24*time.Hour - 10*time.Minute)); n++ {
		g.now = g.now.Add(10 * time.Minute)
		next := g.grant("viewer", fmt.Sprintf(`{"refresh":%q}`, a.Token))
		if next.ID != first.ID || next.Token == a.Token || next.Expires.After(start.Add(24*time.Hour)) || next.Expires.Sub(g.now) > 15*time.Minute {
			t.Fatalf("after %v: %+v", g.now.Sub(start), next)
		}
		a = next
	}
	g.token["embed"] = a.Token
	g.want(200, "embed", "GET", embedTile, "")
	for name, c := range map[string][2]string{
		"another key": {"planner id", a.Token}, "an altered token": {"viewer", a.Token[:len(a.Token)-2] + "AA"}, "no token": {"viewer", "x"}, "the first, which is over": {"viewer", first.Token},
	} {
		if w := g.do(c[0], "POST", "/v1/embed-tokens", fmt.Sprintf(`{"refresh":%q}`, c[1])); w.Code != 422 {
			t.Errorf("%s refreshes: %d %s", name, w.Code, w.Body)
		}
	}
	if w := g.do("embed", "POST", "/v1/embed-tokens", fmt.Sprintf(`{"refresh":%q}`, a.Token)); w.Code != 403 {
		t.Errorf("the page itself refreshes: %d", w.Code)
	}
	g.now = start.Add(24*time.Hour - time.Second)
	g.want(200, "embed", "GET", embedTile, "")
	g.now = start.Add(24 * time.Hour)
	g.want(401, "embed", "GET", embedTile, "")
	g.want(422, "viewer", "POST", "/v1/embed-tokens", fmt.Sprintf(`{"refresh":%q}`, a.Token))
	t.Logf("refreshed %d times", n)
}

// A grant that is ended stays so: for all its tokens, over a restart, and when
// the list of such grants cannot be read. With its key a grant ends too.
func TestEmbedTokensAreRevoked(t *testing.T) {
	g := newGuarded(t)
	a, other := g.grant("viewer", embedBody), g.grant("viewer", embedBody)
	b := g.grant("viewer", fmt.Sprintf(`{"refresh":%q}`, a.Token))
	for name, token := range map[string]string{"a": a.Token, "b": b.Token, "other": other.Token} {
		g.token[name] = token
		g.want(200, name, "GET", embedTile, "")
	}
	path := "/v1/embed-tokens/" + a.ID
	g.want(404, "viewer my", "DELETE", path, "")
	g.want(403, "polri", "DELETE", path, "")
	g.want(403, "a", "DELETE", path, "")
	g.want(401, "nobody", "DELETE", path, "")
	g.want(404, "viewer", "DELETE", "/v1/embed-tokens/none", "")
	g.want(200, "a", "GET", embedTile, "")
	g.want(204, "viewer", "DELETE", path, "")
	g.want(401, "a", "GET", embedTile, "")
	g.want(401, "b", "GET", embedTile, "")
	g.want(401, "nobody", "GET", embedTile+"?token="+b.Token, "")
	g.want(422, "viewer", "POST", "/v1/embed-tokens", fmt.Sprintf(`{"refresh":%q}`, b.Token))
	g.want(200, "other", "GET", embedTile, "")
	g.want(204, "admin", "DELETE", "/v1/embed-tokens/"+other.ID, "")
	g.want(401, "other", "GET", embedTile, "")

	signIn := g.s.opts.SignIn
	again, err := newGate(signIn, func() time.Time { return g.now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.embeds.verify(b.Token, g.now); err == nil {
		t.Error("good after a restart")
	}
	list := signIn.EmbedSecret + ".revoked"
	if st, err := os.Stat(list); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}

	c := g.grant("viewer", embedBody)
	g.token["c"] = c.Token
	g.want(200, "c", "GET", embedTile, "")
	good, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(5 * time.Second)
	g.want(401, "c", "GET", embedTile, "")
	if err := os.WriteFile(list, good, 0o600); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(5 * time.Second)
	g.want(200, "c", "GET", embedTile, "")
	if err := signIn.Keys.Revoke(strings.Split(c.ID, ".")[0], g.now); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(5 * time.Second)
	g.want(401, "c", "GET", embedTile, "")
	g.want(401, "viewer", "GET", "/v1/layers", "")

	g.now = g.now.Add(26 * time.Hour)
	if err := g.s.gate.embeds.revoked.add("0123456789.0123456789abcdef01234567"); err != nil {
		t.Fatal(err)
	}
	if left, err := readRevoked(list); err != nil || len(left) != 1 {
		t.Errorf("those whose tokens have ended anyway are still listed: %v %v", left, err)
	}
}

// The page that may show a map, and the one that may read its tiles, is the
// token's.
func TestEmbedsAreForOneOrigin(t *testing.T) {
	g := newGuarded(t)
	a := g.grant("viewer", embedBody)
	w := g.do("nobody", "GET", "/embed?surface=density&token="+a.Token, "")
	if policy := w.Header().Get("Content-Security-Policy"); w.Code == 200 && !strings.HasSuffix(policy, "frame-ancestors https://dash.example.org") || w.Header().Get("X-Frame-Options") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := g.do("nobody", "GET", "/embed?surface=density", ""); !strings.HasSuffix(w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("without a token: %v", w.Header())
	}
	if w := g.do("nobody", "GET", "/embed?token="+a.Token[:len(a.Token)-4], ""); w.Code != 401 {
		t.Errorf("a cut token: %d", w.Code)
	}
	for origin, want := range map[string]int{"": 200, "https://dash.example.org": 200, "https://evil.example": 401, "null": 401, "http://dash.example.org": 401, "https://dash.example.org.evil.example": 401} {
		r := newRequest("GET", embedTile+"?token="+a.Token, nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := record(g.h, r)
		if w.Code != want {
			t.Errorf("a page of %q: %d", origin, w.Code)
		}
		if want == 200 && (w.Header().Get("Access-Control-Allow-Origin") != "https://dash.example.org" || !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") ||
			w.Header().Get("Cross-Origin-Resource-Policy") != "cross-origin" || w.Header().Get("Referrer-Policy") != "no-referrer") {
			t.Errorf("a page of %q: %v", origin, w.Header())
		}
	}
}

// People who sign in at the provider get no embed tokens: those are for
// backends, and end with a key.
func TestEmbedTokensAreForKeys(t *testing.T) {
	s := newSignedIn(t)
	b := s.browser()
	if w := b.do("POST", "/v1/embed-tokens", "Authorization", "Bearer "+s.provider.mint(nil), "Content-Type", "application/json"); w.Code != 400 && w.Code != 403 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.token["person"] = s.provider.mint(nil)
	s.want(403, "person", "POST", "/v1/embed-tokens", embedBody)
}

// A key may be for less than its role.
func TestKeyScopes(t *testing.T) {
	g := newGuarded(t)
	file := *g.s.opts.SignIn.Keys
	for name, c := range map[string]struct {
		role   Role
		scopes []string
	}{
		"reader": {Analyst, []string{"read"}}, "one layer": {Analyst, []string{"layer:mine"}}, "one surface": {Viewer, []string{"surface:density"}}, "both": {Analyst, []string{"read", "layer:mine", "surface:density"}},
	} {
		_, token, err := file.Create(KeyRequest{c.role, "POLRI", "ID", 30}, keyNow, c.scopes...)
		if err != nil {
			t.Fatal(err)
		}
		g.token[name] = token
	}
	g.now = g.now.Add(5 * time.Second)
	rows := "id,lon,lat,occurred_from\na,110,1,2026-11-01\n"
	g.want(201, "polri", "PUT", "/v1/layers/mine?kind=incident", rows)
	g.want(201, "polri", "PUT", "/v1/layers/other?kind=incident", rows)
	for _, c := range []struct {
		who, method, path string
		want              int
	}{
		{"reader", "GET", "/v1/layers/mine/features", 200}, {"reader", "GET", "/v1/layers", 200}, {"reader", "GET", "/v1/sections", 200}, {"reader", "PUT", "/v1/layers/mine?kind=incident", 403},
		{"reader", "DELETE", "/v1/layers/mine", 403}, {"reader", "GET", "/v1/layers/mine/versions", 200},
		{"one layer", "GET", "/v1/layers/mine/features", 200}, {"one layer", "GET", "/v1/layers/other/features", 403}, {"one layer", "GET", "/v1/layers", 403}, {"one layer", "GET", "/tiles/layers/mine.json", 200},
		{"one layer", "GET", "/tiles/layers/other/5/25/15.mvt", 403}, {"one layer", "GET", "/tiles/density/5/25/15.png", 403}, {"one layer", "GET", "/v1/gaps", 403}, {"one layer", "PUT", "/v1/layers/mine?kind=incident", 200},
		{"one layer", "PUT", "/v1/layers/new?kind=incident", 403}, {"one layer", "GET", "/v1/me", 200}, {"one layer", "GET", "/healthz", 200},
		{"one surface", "GET", "/tiles/density/5/25/15.png", 200}, {"one surface", "GET", "/tiles/hazard/5/25/15.png", 403}, {"one surface", "GET", "/v1/layers/mine/features", 403}, {"one surface", "GET", "/tiles/density.json", 200},
		{"both", "GET", "/v1/layers/mine/features", 200}, {"both", "GET", "/tiles/density.json", 200}, {"both", "PUT", "/v1/layers/mine?kind=incident", 403}, {"both", "GET", "/v1/layers/other/features", 403},
	} {
		body := ""
		if c.method == "PUT" {
			body = rows
		}
		g.want(c.want, c.who, c.method, c.path, body)
	}
	a := g.grant("one surface", embedBody)
	g.token["embed"] = a.Token
	g.want(200, "embed", "GET", embedTile, "")
	g.want(403, "one surface", "POST", "/v1/embed-tokens", strings.Replace(embedBody, "density", "hazard", 1))
	for _, bad := range []string{"write", "layer:", "layer:../x", "surface:a b", ""} {
		if _, _, err := file.Create(KeyRequest{Viewer, "X", "ID", 1}, keyNow, bad); err == nil {
			t.Errorf("scope %q is taken", bad)
		}
	}
}

// Nothing that lets somebody in is in the store, and what is in files is for
// their owner alone.
func TestSecretsStayOutOfTheStore(t *testing.T) {
	s := newSignedIn(t)
	b := s.browser()
	b.signIn()
	session := b.cookies[sessionCookie]
	embed := s.grant("viewer", embedBody)
	secret, err := os.ReadFile(filepath.Join(s.dir, "s.embed"))
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := s.keys.Create(KeyRequest{Analyst, "POLRI", "ID", 30}, keyNow)
	if err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(5 * time.Second)
	s.token["polri"] = token
	s.want(201, "polri", "PUT", "/v1/layers/mine?kind=incident", "id,lon,lat,occurred_from\na,110,1,2026-11-01\n")
	s.want(204, "viewer", "DELETE", "/v1/embed-tokens/"+embed.ID, "")
	canaries := map[string]string{"session": session, "key": token[16:], "another key": s.token["viewer"][16:], "client secret": testSecret, "embed token": embed.Token[10:], "signing secret": strings.TrimSpace(string(secret))}
	files, err := os.ReadDir(s.dir)
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(s.dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for name, canary := range canaries {
			if strings.Contains(string(raw), canary) && (f.Name() != "s.embed" || name != "signing secret") {
				t.Errorf("%s has the %s", f.Name(), name)
			}
		}
		if st, err := f.Info(); err != nil || f.Name() != "groups.json" && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", f.Name(), st.Mode(), err)
		}
	}
	for _, name := range []string{"s.keys", "s.embed", "s.embed.revoked", "groups.json"} {
		path := filepath.Join(s.dir, name)
		if err := os.Chmod(path, 0o660); err != nil {
			t.Fatal(err)
		}
		if _, err := newGate(s.s.opts.SignIn, func() time.Time { return s.now }, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "chmod") {
			t.Errorf("%s that its group may read or write: %v", name, err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
