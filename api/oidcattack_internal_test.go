package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func hmacSigned(header, payload string, secret []byte) string {
	text := b64(header) + "." + b64(payload)
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// forgeries are tokens that must not be taken, by what is wrong with them.
func (s *signedIn) forgeries() map[string]string {
	p, now := s.provider, s.now.Unix()
	rsaPrivate := p.keys[0].signer.(*rsa.PrivateKey)
	ecPrivate := p.keys[1].signer
	head := map[string]any{"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}
	good := p.mint(nil)
	parts := strings.Split(good, ".")
	claims := asJSON(p.claims(nil))
	der, err := x509.MarshalPKIXPublicKey(&rsaPrivate.PublicKey)
	if err != nil {
		s.t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	evil := rsaKey(s.t, "rsa-1").signer
	evilJWK := jose.JSONWebKey{Key: evil.Public(), KeyID: "rsa-1", Algorithm: "RS256", Use: "sig"}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	withHead := func(more map[string]any) string {
		h := maps.Clone(head)
		maps.Copy(h, more)
		maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
		return p.sign(h, p.claims(nil), rsaPrivate)
	}
	byEvil := func(more map[string]any) string {
		h := maps.Clone(head)
		maps.Copy(h, more)
		return p.sign(h, p.claims(nil), evil)
	}
	rawClaims := func(text string) string { return signRaw(s.t, asJSON(head), text, rsaPrivate) }
	rawHead := func(text string) string { return signRaw(s.t, text, claims, rsaPrivate) }
	withClaims := p.mint
	open := strings.TrimSuffix(claims, "}")
	return map[string]string{
		// The algorithm.
		"alg none": b64(`{"alg":"none","kid":"rsa-1"}`) + "." + parts[1] + ".", "alg None with a signature": b64(`{"alg":"None","kid":"rsa-1"}`) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key (PEM)": hmacSigned(`{"alg":"HS256","kid":"rsa-1"}`, claims, public),
		"HS256 with the public key (DER)": hmacSigned(`{"alg":"HS256","kid":"rsa-1"}`, claims, der),
		"HS256 with the modulus":          hmacSigned(`{"alg":"HS256","kid":"rsa-1"}`, claims, rsaPrivate.N.Bytes()),
		"HS256 with the client secret":    hmacSigned(`{"alg":"HS256","kid":"rsa-1"}`, claims, []byte(testSecret)),
		"HS256 with an empty key":         hmacSigned(`{"alg":"HS256","kid":"rsa-1"}`, claims, nil),
		"RS256 called PS256":              withHead(map[string]any{"alg": "PS256"}), "RS256 called RS512": withHead(map[string]any{"alg": "RS512"}), "alg in lower case": withHead(map[string]any{"alg": "rs256"}),
		"RS256 called ES256":     withHead(map[string]any{"alg": "ES256"}),
		"ES256 key for RS256":    p.sign(map[string]any{"alg": "RS256", "kid": "ec-1"}, p.claims(nil), ecPrivate),
		"ES256 with RSA kid":     p.sign(map[string]any{"alg": "ES256", "kid": "rsa-1"}, p.claims(nil), ecPrivate),
		"ES256 of another curve": p.sign(map[string]any{"alg": "ES256", "kid": "ec-1"}, p.claims(nil), p384),
		"ES256 of zeros":         b64(`{"alg":"ES256","kid":"ec-1"}`) + "." + parts[1] + "." + b64(strings.Repeat("\x00", 64)),
		"no alg":                 withHead(map[string]any{"alg": nil}), "alg no text": withHead(map[string]any{"alg": 256}), "algs": withHead(map[string]any{"alg": []string{"RS256"}}),
		// The key.
		"another key, same kid": byEvil(nil), "unknown kid": withHead(map[string]any{"kid": "rsa-9"}), "no kid": withHead(map[string]any{"kid": nil}),
		"empty kid": withHead(map[string]any{"kid": ""}), "kid as a path": withHead(map[string]any{"kid": "../../rsa-1"}), "kid of another key": withHead(map[string]any{"kid": "ec-1"}), "kid no text": withHead(map[string]any{"kid": 1}),
		"embedded jwk": byEvil(map[string]any{"jwk": evilJWK}), "jku": byEvil(map[string]any{"jku": "https://evil.example/keys"}), "x5u": byEvil(map[string]any{"x5u": "https://evil.example/c"}),
		"x5c": byEvil(map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}}), "jwk beside a good signature": withHead(map[string]any{"jwk": evilJWK}),
		// Extensions.
		"critical header": withHead(map[string]any{"crit": []string{"exp"}, "exp": now + 60}), "unencoded payload": withHead(map[string]any{"b64": false, "crit": []string{"b64"}}),
		"zip": withHead(map[string]any{"zip": "DEF"}), "nested": withHead(map[string]any{"cty": "JWT"}), "encrypted": withHead(map[string]any{"enc": "A256GCM"}), "unknown header": withHead(map[string]any{"url": "x"}),
		"typ of a logout token": withHead(map[string]any{"typ": "logout+jwt"}), "typ of a DPoP proof": withHead(map[string]any{"typ": "dpop+jwt"}), "typ of a security event": withHead(map[string]any{"typ": "secevent+jwt"}),
		// The issuer and whom it is for.
		"another issuer": withClaims(map[string]any{"iss": "https://evil.example"}), "issuer with a slash": withClaims(map[string]any{"iss": p.url + "/"}), "no issuer": withClaims(map[string]any{"iss": nil}),
		"issuer in capitals": withClaims(map[string]any{"iss": strings.ToUpper(p.url)}), "issuers": withClaims(map[string]any{"iss": []string{p.url}}),
		"another audience": withClaims(map[string]any{"aud": "other"}), "no audience": withClaims(map[string]any{"aud": nil}), "empty audience": withClaims(map[string]any{"aud": ""}), "no audiences": withClaims(map[string]any{"aud": []string{}}),
		"audience with a blank": withClaims(map[string]any{"aud": testClient + " "}), "audience by prefix": withClaims(map[string]any{"aud": testClient + "-admin"}), "audience no text": withClaims(map[string]any{"aud": []any{testClient, 1}}),
		"ID token of another client": withClaims(map[string]any{"aud": "other", "azp": "other"}), "azp of another client": withClaims(map[string]any{"azp": "other"}), "azp no text": withClaims(map[string]any{"azp": 1}),
		"several audiences without azp": withClaims(map[string]any{"aud": []string{testClient, "other"}}), "client_id of another": withClaims(map[string]any{"client_id": "other"}),
		"bound to a key": withClaims(map[string]any{"cnf": map[string]any{"jkt": "x"}}),
		"of nobody":      withClaims(map[string]any{"sub": nil}), "empty subject": withClaims(map[string]any{"sub": ""}), "subject no text": withClaims(map[string]any{"sub": 1}), "long subject": withClaims(map[string]any{"sub": strings.Repeat("x", 256)}),
		// Time.
		"61 s over": withClaims(map[string]any{"exp": now - 61, "iat": now - 600}), "no exp": withClaims(map[string]any{"exp": nil}), "exp as text": withClaims(map[string]any{"exp": fmt.Sprint(now + 600)}), "exp huge": withClaims(map[string]any{"exp": 1e300}),
		"exp negative": withClaims(map[string]any{"exp": -1}), "exp null": rawClaims(strings.Replace(claims, fmt.Sprint(`"exp":`, now+600), `"exp":null`, 1)), "61 s early": withClaims(map[string]any{"nbf": now + 61}), "nbf as text": withClaims(map[string]any{"nbf": "0"}),
		"issued in the future": withClaims(map[string]any{"iat": now + 61}), "no iat": withClaims(map[string]any{"iat": nil}), "a day old": withClaims(map[string]any{"iat": now - 86401}), "over before it began": withClaims(map[string]any{"iat": now + 50, "exp": now + 40}),
		// Groups.
		"no groups": withClaims(map[string]any{"groups": nil}), "unknown group": withClaims(map[string]any{"groups": []string{"mmea-planner"}}), "group in capitals": withClaims(map[string]any{"groups": []string{"MMEA-PLANNERS"}}),
		"groups by key": withClaims(map[string]any{"groups": map[string]any{"mmea-planners": true}}), "a group no text": withClaims(map[string]any{"groups": []any{"mmea-planners", 1}}), "two roles": withClaims(map[string]any{"groups": []string{"mmea-planners", "polri-analysts"}}),
		"role in the token": withClaims(map[string]any{"groups": nil, "role": "admin", "roles": []string{"admin"}}),
		// The text.
		"aud twice": rawClaims(open + `,"aud":"` + testClient + `"}`), "sub twice, by case": rawClaims(open + `,"SUB":"other"}`), "iss twice, by a letter that folds": rawClaims(open + `,"i\u017fs":"` + p.url + `"}`),
		"alg twice": rawHead(`{"alg":"none","alg":"RS256","kid":"rsa-1"}`), "kid twice, by case": rawHead(`{"alg":"RS256","KID":"x","kid":"rsa-1"}`), "something after the claims": rawClaims(claims + "{}"), "claims are a list": rawClaims("[" + claims + "]"),
		"claims cut": rawClaims(open), "claims not UTF-8": rawClaims(open + ",\"x\":\"\xff\"}"), "deep claims": rawClaims(open + `,"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}"), "header is null": rawHead("null"),
		"header altered": b64(strings.Replace(asJSON(head), "JWT", "jwt", 1)) + "." + parts[1] + "." + parts[2], "claims altered": parts[0] + "." + b64(strings.Replace(claims, "person-1", "person-2", 1)) + "." + parts[2],
		"signature of another token": parts[0] + "." + parts[1] + "." + strings.Split(withClaims(map[string]any{"sub": "person-2"}), ".")[2], "empty signature": parts[0] + "." + parts[1] + ".", "no signature": parts[0] + "." + parts[1],
		"four parts": good + ".x", "five parts": good + ".x.y", "JSON serialization": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"truncated": good[:len(good)-8], "truncated at the front": good[8:], "padded": good + "=", "standard base64": parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+", "a line end inside": parts[0] + "." + parts[1] + ".\n" + parts[2],
		"oversized": withClaims(map[string]any{"x": strings.Repeat("x", mostTokenBytes)}), "dots": "..", "empty": "",
		// Swapped.
		"embed token": "spe_" + parts[1] + "." + parts[2], "key with dots": s.token["viewer"] + "..", "the client secret": testSecret, "the opaque access token": "an opaque one",
	}
}

func TestForgedTokens(t *testing.T) {
	s := newSignedIn(t)
	if _, err := s.s.gate.oidc.verify(t.Context(), s.provider.mint(nil), s.s.gate.oidc.bearerUse()); err != nil {
		t.Fatalf("a good token is refused: %v", err)
	}
	all := s.forgeries()
	good := s.provider.mint(nil)
	k := 0
	for name, token := range all {
		k++
		if token == good {
			t.Errorf("%s: this is the good token itself", name)
		}
		r := httptest.NewRequest("GET", "/v1/layers", nil)
		r.RemoteAddr = fmt.Sprintf("203.0.113.%d:1", k) // one that is slowed down would be refused for that
		r.Header.Set("Authorization", "Bearer "+token)
		p, err := s.s.gate.who(r)
		if refusal, ok := err.(problem); p.ID != "" || p.Role != "" || !ok || refusal.Status != http.StatusUnauthorized {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || token != "" && strings.Contains(w.Body.String(), token) {
			t.Errorf("%s over HTTP: %d %s", name, w.Code, w.Body)
		}
	}
	if len(all) < 30 {
		t.Errorf("only %d classes", len(all))
	}
	t.Logf("0 of %d forged tokens accepted", len(all))
}

// Keys that a provider rotates in are known when a token names them; those that
// it withdraws are forgotten; whoever makes up names does not make this service
// ask each time.
func TestKeyRotation(t *testing.T) {
	s := newSignedIn(t)
	p := s.provider
	good := func(token string) error {
		_, err := s.s.gate.oidc.verify(t.Context(), token, s.s.gate.oidc.bearerUse())
		return err
	}
	if err := good(p.mint(nil)); err != nil {
		t.Fatal(err)
	}
	old := p.mint(map[string]any{"exp": s.now.Add(12 * time.Hour).Unix()})
	s.now = s.now.Add(keysRetry)
	next := rsaKey(t, "rsa-2")
	p.mu.Lock()
	p.keys = []testKey{next}
	p.mu.Unlock()
	if err := good(old); err != nil {
		t.Errorf("an earlier key while it is fresh: %v", err)
	}
	if err := good(p.sign(map[string]any{"alg": "RS256", "kid": "rsa-2"}, p.claims(nil), next.signer)); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if good(old) == nil {
		t.Error("a withdrawn key is good after the keys were read again")
	}
	before := p.asked["/keys"]
	for k := range 1000 {
		if good(p.sign(map[string]any{"alg": "RS256", "kid": fmt.Sprint("made-up-", k)}, p.claims(nil), next.signer)) == nil {
			t.Fatal("a key of an unknown name")
		}
	}
	s.now = s.now.Add(keysRetry)
	for range 10 {
		_ = good(p.sign(map[string]any{"alg": "RS256", "kid": "made-up"}, p.claims(nil), next.signer))
	}
	if asked := p.asked["/keys"] - before; asked != 1 {
		t.Errorf("1010 unknown keys made %d requests in %v", asked, keysRetry)
	}
	withdrawn := p.sign(map[string]any{"alg": "RS256", "kid": "rsa-2"}, p.claims(map[string]any{"exp": s.now.Add(12 * time.Hour).Unix()}), next.signer)
	p.mu.Lock()
	p.keys = []testKey{rsaKey(t, "rsa-3")}
	p.mu.Unlock()
	s.now = s.now.Add(keysFresh)
	if good(withdrawn) == nil {
		t.Error("a withdrawn key is good for longer than the keys stay fresh")
	}
}

// A provider that is down keeps nobody from starting the service, and is found
// again. What was signed before stays good for a while.
func TestProviderDown(t *testing.T) {
	s := newSignedIn(t)
	p := s.provider
	set := func(down bool) { p.mu.Lock(); p.down = down; p.mu.Unlock() }
	set(true)
	b := s.browser()
	if w := b.do("GET", "/auth/login"); w.Code != 503 || !strings.Contains(w.Body.String(), "sign_in_unavailable") || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := b.do("GET", "/auth/login", "Accept", "text/html,*/*"); w.Code != 303 || w.Header().Get("Location") != "/?sign_in=sign_in_unavailable" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := b.do("GET", "/v1/me", "Authorization", "Bearer "+p.mint(nil)); w.Code != 503 {
		t.Errorf("a token while the provider is down: %d %s", w.Code, w.Body)
	}
	if asked := p.asked["/.well-known/openid-configuration"]; asked != 1 {
		t.Errorf("asked %d times within %v", asked, providerRetry)
	}
	if got := s.do("viewer", "GET", "/v1/layers", "").Code; got != 200 {
		t.Errorf("a key while the provider is down: %d", got)
	}
	set(false)
	s.now = s.now.Add(providerRetry)
	if w := b.signIn(); w.Header().Get("Location") != "/" {
		t.Errorf("after the provider is back: %d %s", w.Code, w.Body)
	}
	set(true)
	s.now = s.now.Add(keysFresh + time.Second)
	if w := b.do("GET", "/v1/me", "Authorization", "Bearer "+p.mint(nil)); w.Code != 200 {
		t.Errorf("a token of a known key: %d %s", w.Code, w.Body)
	}
	if w := b.do("GET", "/v1/me"); w.Code != 200 {
		t.Errorf("a session: %d", w.Code)
	}
	s.now = s.now.Add(keysKept)
	if w := b.do("GET", "/v1/me", "Authorization", "Bearer "+p.mint(nil)); w.Code != 503 {
		t.Errorf("a token of keys too old: %d %s", w.Code, w.Body)
	}
}

// Whatever the provider's document or answers name, nobody else is asked.
func TestOnlyTheIssuerIsAsked(t *testing.T) {
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer other.Close()
	for _, name := range []string{"jwks_uri", "token_endpoint", "authorization_endpoint", "issuer"} {
		s := newSignedIn(t)
		s.provider.edit = func(doc map[string]any) { doc[name] = other.URL + "/x" }
		if w := s.browser().do("GET", "/auth/login"); w.Code != 503 {
			t.Errorf("%s elsewhere: %d %s", name, w.Code, w.Body)
		}
		if w := s.browser().do("GET", "/v1/me", "Authorization", "Bearer "+s.provider.mint(nil)); w.Code != 503 {
			t.Errorf("%s elsewhere, a token: %d", name, w.Code)
		}
	}
	s := newSignedIn(t)
	redirects := http.NewServeMux()
	redirects.HandleFunc("/redirect/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	inner := s.provider.server.Config.Handler
	redirects.Handle("/", inner)
	s.provider.server.Config.Handler = redirects
	s.provider.edit = func(doc map[string]any) {
		doc["jwks_uri"], doc["token_endpoint"] = s.provider.url+"/redirect/k", s.provider.url+"/redirect/t"
	}
	b := s.browser()
	if w := b.signIn(); w.Code < 400 {
		t.Errorf("a token endpoint that redirects: %d", w.Code)
	}
	if w := b.do("GET", "/v1/me", "Authorization", "Bearer "+s.provider.mint(nil)); w.Code != 503 {
		t.Errorf("keys that redirect: %d", w.Code)
	}
	if asked != 0 {
		t.Errorf("another host was asked %d times", asked)
	}
}

func TestOIDCOptions(t *testing.T) {
	good := OIDC{Issuer: "https://sso.example.org/realms/x", ClientID: "c", RedirectURL: "https://s.example.org/auth/callback", Groups: "g"}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*OIDC){
		"plain": func(o *OIDC) { o.Issuer = "http://sso.example.org" }, "user": func(o *OIDC) { o.Issuer = "https://a:b@sso.example.org" }, "query": func(o *OIDC) { o.Issuer += "?x" },
		"no issuer": func(o *OIDC) { o.Issuer = "" }, "file": func(o *OIDC) { o.Issuer = "file:///etc" }, "plain redirect": func(o *OIDC) { o.RedirectURL = "http://s.example.org/auth/callback" },
		"redirect": func(o *OIDC) { o.RedirectURL = "https://s.example.org/" }, "no client": func(o *OIDC) { o.ClientID = "" }, "no groups": func(o *OIDC) { o.Groups = "" },
	} {
		o := good
		edit(&o)
		if o.check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What claims make of somebody: nobody gets a role that no group of theirs has.
func FuzzClaims(f *testing.F) {
	doc, err := parseGroups([]byte(testGroups))
	if err != nil {
		f.Fatal(err)
	}
	p := &provider{opts: OIDC{Issuer: "https://sso.example.org", ClientID: testClient}, now: func() time.Time { return keyNow }}
	for _, seed := range []string{`{"groups":["mmea-planners"]}`, `{"groups":"polri-analysts"}`, `{"groups":["x","polri-analysts","mmea-planners"]}`, `{"groups":{"a":1}}`, `[]`, `{"a":1,"A":2}`,
		asJSON(map[string]any{"iss": "https://sso.example.org", "aud": testClient, "sub": "x", "exp": keyNow.Unix() + 60, "iat": keyNow.Unix(), "groups": []string{"mmea-planners"}})} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		claims, err := strictObject(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) {
			t.Errorf("%q is read and is not JSON", raw)
		}
		if until, err := p.checkClaims(claims, p.bearerUse()); err == nil && (until.Before(keyNow.Add(-clockSkew)) || claims["iss"] != "https://sso.example.org") {
			t.Errorf("%q is good until %v", raw, until)
		}
		groups, err := doc.groupsIn(claims)
		if err != nil {
			return
		}
		m, err := doc.who(groups)
		if err != nil {
			return
		}
		named := false
		for _, g := range groups {
			named = named || doc.Groups[g] == m
		}
		if !named || (KeyRequest{m.Role, m.Agency, m.Country, 1}).check() != nil {
			t.Errorf("%q makes %+v", raw, m)
		}
	})
}

func FuzzGroupFile(f *testing.F) {
	f.Add([]byte(testGroups))
	f.Add([]byte(`{"claim":["a","b"],"scopes":["groups"],"groups":{"x":{"role":"admin","agency":"A","country":"ID"}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := parseGroups(raw)
		if err != nil {
			return
		}
		for name, m := range doc.Groups {
			if got, err := doc.who([]string{name}); err != nil || got != m || name == "" {
				t.Errorf("%q: group %q is %+v, %v", raw, name, got, err)
			}
		}
	})
}
