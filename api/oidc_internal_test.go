package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSignInAtProvider(t *testing.T) {
	s := newSignedIn(t)
	b := s.browser()
	if w := b.do("GET", "/auth"); !strings.Contains(w.Body.String(), `"oidc":true`) {
		t.Errorf("%s", w.Body)
	}
	if w := b.do("GET", "/v1/me"); w.Code != 401 {
		t.Errorf("nobody is %d %s", w.Code, w.Body)
	}
	w := b.signIn()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Fatalf("%d %s %s", w.Code, w.Header(), w.Body)
	}
	var session *http.Cookie
	for _, c := range b.set {
		if c.Name == sessionCookie {
			session = c
		}
	}
	if session == nil || !session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteStrictMode || session.Path != "/" || session.Domain != "" ||
		session.MaxAge != 86400 || len(session.Value) != 43 {
		t.Errorf("session cookie %+v", session)
	}
	if _, left := b.cookies[flowCookie]; left {
		t.Error("the cookie of the sign-in is still there")
	}
	w = b.do("GET", "/v1/me")
	var me map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &me); err != nil || me["role"] != "planner" || me["agency"] != "MMEA" || me["country"] != "MY" || me["via"] != "session" ||
		strings.Contains(w.Body.String(), "person-1") {
		t.Errorf("%v %s", err, w.Body)
	}
	for path, want := range map[string]int{"/v1/layers": 200, "/v1/sections": 200, "/metrics": 403} {
		if w := b.do("GET", path); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := b.do("GET", "/v1/layers"); w.Header().Get("Access-Control-Allow-Origin") != "" || !strings.Contains(w.Header().Get("Cache-Control"), "private") ||
		!strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Cookie") {
		t.Errorf("%v", w.Header())
	}
	old := b.cookies[sessionCookie]
	if w := b.do("POST", "/auth/logout", "Sec-Fetch-Site", "same-origin"); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.cookies[sessionCookie] = old
	if w := b.do("GET", "/v1/me"); w.Code != 401 {
		t.Errorf("after sign-out: %d %s", w.Code, w.Body)
	}
}

// Cookies are for this service's own pages.
func TestOtherSitesCannotUseASession(t *testing.T) {
	s := newSignedIn(t)
	b := s.browser()
	b.signIn()
	for _, site := range []string{"same-site", "cross-site"} {
		if w := b.do("GET", "/v1/layers", "Sec-Fetch-Site", site); w.Code != 401 {
			t.Errorf("a page of another %s reads: %d", site, w.Code)
		}
		for _, path := range []string{"/auth/logout", "/v1/sections/L0001/level"} {
			if w := b.do("POST", path, "Sec-Fetch-Site", site); w.Code != 403 {
				t.Errorf("a page of another %s writes %s: %d", site, path, w.Code)
			}
		}
	}
	if w := b.do("POST", "/auth/logout", "Origin", "https://evil.example"); w.Code != 403 {
		t.Errorf("%d", w.Code)
	}
	if w := b.do("GET", "/v1/layers", "Sec-Fetch-Site", "same-origin"); w.Code != 200 {
		t.Errorf("the own page: %d", w.Code)
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newSignedIn(t)
	begin := func() *browser {
		b := s.browser()
		if w := b.signIn(); w.Header().Get("Location") != "/" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return b
	}
	want := func(b *browser, status int, why string) {
		t.Helper()
		if w := b.do("GET", "/v1/me"); w.Code != status {
			t.Errorf("%s: %d, want %d", why, w.Code, status)
		}
	}
	idle := begin()
	s.now = s.now.Add(idleSession - time.Second)
	want(idle, 200, "in use")
	s.now = s.now.Add(idleSession)
	want(idle, 401, "idle")

	busy := begin()
	start := s.now
	for s.now.Before(start.Add(longestSession - 30*time.Minute)) {
		s.now = s.now.Add(30 * time.Minute)
		busy.do("GET", "/v1/me")
	}
	s.now = start.Add(longestSession - time.Second)
	want(busy, 200, "before a day")
	s.now = start.Add(longestSession)
	want(busy, 401, "after a day")

	moved := begin()
	if err := os.WriteFile(s.groups, []byte(strings.Replace(testGroups, "planner", "viewer", 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(5 * time.Second)
	want(moved, 401, "their group has no role any more") // mmea-viewers now
	if err := os.WriteFile(s.groups, []byte(testGroups), 0o600); err != nil {
		t.Fatal(err)
	}
	s.now = s.now.Add(5 * time.Second)

	many := make([]*browser, sessionsOfOne+1)
	for k := range many {
		many[k] = begin()
		s.now = s.now.Add(time.Second)
	}
	want(many[0], 401, "the oldest of too many")
	want(many[1], 200, "the next")
}

// What comes back from the provider is good once, in the browser that left for
// it, in time, and with its own nonce.
func TestForgedSignIns(t *testing.T) {
	s := newSignedIn(t)
	p := s.provider
	token := func(header map[string]any, edit func(nonce string, c map[string]any)) func(string, map[string]any) string {
		return func(nonce string, c map[string]any) string {
			c["nonce"] = nonce
			edit(nonce, c)
			h := map[string]any{"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}
			for name, v := range header {
				h[name] = v
			}
			return p.sign(h, c, p.keys[0].signer)
		}
	}
	none := func(string, map[string]any) {}
	cases := map[string]struct {
		subject func(string, map[string]any) string
		answer  func(map[string]any) map[string]any
		way     func(b *browser, back string) string
	}{
		"no nonce":                 {subject: token(nil, func(_ string, c map[string]any) { delete(c, "nonce") })},
		"another nonce":            {subject: token(nil, func(_ string, c map[string]any) { c["nonce"] = "another" })},
		"access token as ID token": {subject: token(map[string]any{"typ": "at+jwt"}, none)},
		"logout token":             {subject: token(map[string]any{"typ": "logout+jwt"}, none)},
		"audience of programs":     {subject: token(nil, func(_ string, c map[string]any) { c["aud"] = "https://api.example.org" })},
		"of another client":        {subject: token(nil, func(_ string, c map[string]any) { c["aud"] = "other" })},
		"unsigned": {subject: func(n string, c map[string]any) string {
			c["nonce"] = n
			return b64(`{"alg":"none","kid":"rsa-1"}`) + "." + b64(asJSON(c)) + "."
		}},
		"no group":             {subject: token(nil, func(_ string, c map[string]any) { c["groups"] = []string{"everyone"} })},
		"two roles":            {subject: token(nil, func(_ string, c map[string]any) { c["groups"] = []string{"mmea-planners", "polri-analysts"} })},
		"no ID token":          {answer: func(a map[string]any) map[string]any { delete(a, "id_token"); return a }},
		"ID token is no text":  {answer: func(a map[string]any) map[string]any { a["id_token"] = 7; return a }},
		"another access token": {subject: token(nil, func(_ string, c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" })},
		"no code": {way: func(_ *browser, back string) string {
			return back[:strings.IndexByte(back, '?')] + back[strings.Index(back, "&state=")-0:]
		}},
		"a made-up code":          {way: func(_ *browser, back string) string { return strings.Replace(back, "code=", "code=x", 1) }},
		"an altered state":        {way: func(_ *browser, back string) string { return back + "x" }},
		"refused by the provider": {way: func(_ *browser, back string) string { return back + "&error=access_denied" }},
		"mixed-up issuer":         {way: func(_ *browser, back string) string { return back + "&iss=https://evil.example" }},
		"no cookie":               {way: func(b *browser, back string) string { clear(b.cookies); return back }},
		"another browser": {way: func(b *browser, back string) string {
			o := s.browser()
			o.atProvider()
			b.cookies = o.cookies
			return back
		}},
		"too late":    {way: func(_ *browser, back string) string { s.now = s.now.Add(longestFlow); return back }},
		"state twice": {way: func(_ *browser, back string) string { return back + "&state=x" }},
	}
	k := 0
	for name, c := range cases {
		k++
		b := s.browser()
		b.from = "198.51.100." + string(rune('0'+k/10)) + string(rune('0'+k%10)) + ":1"
		p.subject, p.answer = c.subject, c.answer
		back := b.atProvider()
		if c.way != nil {
			back = c.way(b, back)
		}
		w := b.do("GET", back)
		if _, in := b.cookies[sessionCookie]; in || w.Code < 400 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if page := b.do("GET", back, "Accept", "text/html"); page.Code == http.StatusSeeOther && !strings.HasPrefix(page.Header().Get("Location"), "/?sign_in=") {
			t.Errorf("%s: the page is sent to %s", name, page.Header().Get("Location"))
		}
	}
	p.subject, p.answer = nil, nil

	b := s.browser()
	back := b.atProvider()
	cookies := b.cookies[flowCookie]
	if w := b.do("GET", back); w.Header().Get("Location") != "/" {
		t.Fatalf("an honest sign-in: %d %s", w.Code, w.Body)
	}
	again := s.browser()
	again.cookies[flowCookie] = cookies
	if w := again.do("GET", back); w.Code < 400 || again.cookies[sessionCookie] != "" {
		t.Errorf("the same code, state and nonce again: %d", w.Code)
	}
}

func TestAlteredFlowCookies(t *testing.T) {
	s := newSignedIn(t)
	book := s.s.gate.oidc.flows
	f, sealed, err := book.begin()
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		for bit := range 8 {
			flipped := []byte(sealed)
			flipped[i] ^= 1 << bit
			if _, ok := book.use(string(flipped), f.State); ok {
				t.Fatalf("byte %d, bit %d: taken", i, bit)
			}
		}
	}
	if got, ok := book.use(sealed, f.State); !ok || got.Verifier != f.Verifier {
		t.Error("the sealed sign-in itself is not taken")
	}
}

// Every flip of a bit in what lets somebody in leaves them outside.
func TestFlippedCredentials(t *testing.T) {
	s := newSignedIn(t)
	b := s.browser()
	b.signIn()
	session, key := b.cookies[sessionCookie], s.token["viewer"]
	token := s.provider.mint(nil)
	gate := s.s.gate
	for name, c := range map[string]struct {
		text string
		good func(string) bool
	}{
		"session": {session, func(x string) bool { _, ok := gate.sessions.find(x); return ok }},
		"key":     {key, func(x string) bool { _, err := gate.keys.find(x); return err == nil }},
		"token": {token, func(x string) bool {
			_, err := gate.oidc.verify(t.Context(), x, gate.oidc.bearerUse())
			return err == nil
		}},
	} {
		if !c.good(c.text) {
			t.Fatalf("the %s itself is not good", name)
		}
		tried := 0
		for i := range c.text {
			for bit := range 8 {
				flipped := []byte(c.text)
				flipped[i] ^= 1 << bit
				tried++
				if c.good(string(flipped)) {
					t.Errorf("%s: byte %d, bit %d flipped is good", name, i, bit)
				}
			}
		}
		for _, cut := range []string{c.text[1:], c.text[:len(c.text)-1], c.text + "A", c.text + "=", " " + c.text, c.text + "\n", ""} {
			if c.good(cut) {
				t.Errorf("%s: %q is good", name, cut)
			}
		}
		t.Logf("%s: 0 of %d flips accepted", name, tried)
	}
}

// Programs send tokens of the provider; browsers' sessions do not depend on it.
func TestBearerTokens(t *testing.T) {
	s := newSignedIn(t)
	send := func(token string) *httptest.ResponseRecorder {
		return s.browser().do("GET", "/v1/me", "Authorization", "Bearer "+token)
	}
	p := s.provider
	for name, token := range map[string]string{
		"ID token":     p.mint(nil),
		"ES256":        p.sign(map[string]any{"alg": "ES256", "kid": "ec-1"}, p.claims(nil), p.keys[1].signer),
		"access token": p.sign(map[string]any{"alg": "RS256", "kid": "rsa-1", "typ": "at+JWT"}, p.claims(map[string]any{"aud": "https://api.example.org", "client_id": testClient}), p.keys[0].signer),
		"several":      p.mint(map[string]any{"aud": []string{"account", testClient}, "azp": testClient}),
		"59 s late":    p.mint(map[string]any{"exp": s.now.Unix() - 59, "iat": s.now.Unix() - 600}),
		"59 s early":   p.mint(map[string]any{"nbf": s.now.Unix() + 59, "iat": s.now.Unix() + 59}),
	} {
		if w := send(token); w.Code != 200 || !strings.Contains(w.Body.String(), `"role":"planner"`) || !strings.Contains(w.Body.String(), `"via":"token"`) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := send(p.mint(map[string]any{"groups": []string{"everyone"}})); w.Code != 401 || !strings.Contains(w.Body.String(), "groups") {
		t.Errorf("of no group: %d %s", w.Code, w.Body)
	}
	if w := s.browser().do("GET", "/v1/me?token="+p.mint(nil)); w.Code != 400 && w.Code != 401 {
		t.Errorf("in the address: %d", w.Code)
	}
}
