package api

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/geo/risk"
)

// testProvider is a sign-in provider of the tests' own: it can be made to send
// whatever an attacker, or a broken provider, might.
type testProvider struct {
	t      *testing.T
	server *httptest.Server
	url    string
	now    func() time.Time

	mu      sync.Mutex
	keys    []testKey
	codes   map[string]url.Values // of the authorisation request
	asked   map[string]int        // how often each path was asked for
	down    bool
	edit    func(doc map[string]any)                       // of the document
	answer  func(claims map[string]any) map[string]any     // of the token endpoint; nil: an honest one
	subject func(nonce string, more map[string]any) string // the ID token; nil: an honest one
}

type testKey struct {
	id     string
	signer crypto.Signer
}

const (
	testClient = "sempadan"
	testSecret = "a-client-secret-of-tests"
)

func newTestProvider(t *testing.T, now func() time.Time) *testProvider {
	p := &testProvider{t: t, now: now, codes: map[string]url.Values{}, asked: map[string]int{}}
	p.keys = []testKey{rsaKey(t, "rsa-1"), ecKey(t, "ec-1")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.document)
	mux.HandleFunc("GET /keys", p.publicKeys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked[r.URL.Path]++
		down := p.down
		p.mu.Unlock()
		if down {
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	p.url = p.server.URL
	t.Cleanup(p.server.Close)
	return p
}

func rsaKey(t *testing.T, id string) testKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return testKey{id, k}
}

func ecKey(t *testing.T, id string) testKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return testKey{id, k}
}

func (p *testProvider) document(w http.ResponseWriter, _ *http.Request) {
	doc := map[string]any{"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token", "jwks_uri": p.url + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"}}
	p.mu.Lock()
	if p.edit != nil {
		p.edit(doc)
	}
	p.mu.Unlock()
	_ = json.NewEncoder(w).Encode(doc)
}

func (p *testProvider) publicKeys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := jose.JSONWebKeySet{}
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.signer.Public(), KeyID: k.id, Use: "sig"})
	}
	_ = json.NewEncoder(w).Encode(set)
}

func (p *testProvider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("response_type") != "code" || q.Get("client_id") != testClient {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?code="+code+"&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
}

// token gives a code's tokens as often as it is asked: that a code is good once
// must not depend on the provider alone.
func (p *testProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	q := p.codes[r.PostFormValue("code")]
	answer, subject := p.answer, p.subject
	p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if id != testClient || secret != testSecret || q == nil || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	idToken := p.mint(map[string]any{"nonce": q.Get("nonce")})
	if subject != nil {
		idToken = subject(q.Get("nonce"), p.claims(nil))
	}
	out := map[string]any{"access_token": "an opaque one", "token_type": "Bearer", "id_token": idToken}
	if answer != nil {
		out = answer(out)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// claims are good ones, with changes; a nil takes a claim away.
func (p *testProvider) claims(more map[string]any) map[string]any {
	now := p.now().Unix()
	c := map[string]any{"iss": p.url, "sub": "person-1", "aud": testClient, "iat": now - 5, "exp": now + 600, "groups": []string{"everyone", "mmea-planners"}}
	maps.Copy(c, more)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// mint is a good token but for the changes of its claims.
func (p *testProvider) mint(more map[string]any) string {
	return p.sign(map[string]any{"alg": "RS256", "kid": "rsa-1", "typ": "JWT"}, p.claims(more), p.keys[0].signer)
}

func (p *testProvider) sign(header, claims map[string]any, with crypto.Signer) string {
	return signRaw(p.t, asJSON(header), asJSON(claims), with)
}

func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func b64(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

// signRaw signs texts as they are, RS256 or ES256 by the kind of key.
func signRaw(t *testing.T, header, payload string, with crypto.Signer) string {
	t.Helper()
	text := b64(header) + "." + b64(payload)
	sum := sha256.Sum256([]byte(text))
	var tag []byte
	var err error
	switch k := with.(type) {
	case *rsa.PrivateKey:
		tag, err = rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	case *ecdsa.PrivateKey:
		r, s, e := ecdsa.Sign(rand.Reader, k, sum[:])
		tag, err = append(r.FillBytes(make([]byte, (k.Params().BitSize+7)/8)), s.FillBytes(make([]byte, (k.Params().BitSize+7)/8))...), e
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(tag)
}

// signedIn is a service at which people sign in at a test provider.
type signedIn struct {
	*guarded
	provider *testProvider
	dir      string
	groups   string
	keys     KeyFile
}

const testGroups = `{"groups": {"mmea-planners": {"role": "planner", "agency": "MMEA", "country": "MY"},
	"polri-analysts": {"role": "analyst", "agency": "POLRI", "country": "ID"}}}`

func newSignedIn(t *testing.T, edit ...func(*Options)) *signedIn {
	t.Helper()
	dir := t.TempDir()
	store, err := gpkg.Open(context.Background(), filepath.Join(dir, "s.gpkg"), gpkg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s := &signedIn{guarded: &guarded{t: t, now: keyNow, token: map[string]string{"nobody": ""}}, dir: dir,
		groups: filepath.Join(dir, "groups.json"), keys: KeyFile{filepath.Join(dir, "s.keys")}}
	s.provider = newTestProvider(t, func() time.Time { return s.now })
	if err := os.WriteFile(s.groups, []byte(testGroups), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, role := range map[string]Role{"viewer": Viewer, "admin": Admin} {
		if _, s.token[name], err = s.keys.Create(KeyRequest{role, "BNPP", "ID", 300}, keyNow.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Store: store, Model: risk.DefaultModel(), Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), MaxBody: 8 << 20,
		SignIn: SignIn{Keys: &s.keys, EmbedSecret: filepath.Join(dir, "s.embed"), HTTPS: true, OIDC: &OIDC{Issuer: s.provider.url, ClientID: testClient,
			ClientSecret: testSecret, RedirectURL: "https://sempadan.example.org/auth/callback", Audience: "https://api.example.org", Groups: s.groups}}}
	for _, e := range edit {
		e(&o)
	}
	if s.s, err = New(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	s.h = s.s.Handler()
	return s
}

// browser is somebody's, with its cookies.
type browser struct {
	s       *signedIn
	from    string
	cookies map[string]string
	set     []*http.Cookie // by the last answer
}

func (s *signedIn) browser() *browser {
	return &browser{s: s, from: "192.0.2.1:1", cookies: map[string]string{}}
}

func (b *browser) do(method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Host, r.RemoteAddr = "sempadan.example.org", b.from
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for k := 0; k+1 < len(headers); k += 2 {
		r.Header.Set(headers[k], headers[k+1])
	}
	w := httptest.NewRecorder()
	b.s.h.ServeHTTP(w, r)
	b.set = w.Result().Cookies()
	for _, c := range b.set {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

// atProvider goes to the provider and returns the way back from it.
func (b *browser) atProvider() string {
	b.s.t.Helper()
	w := b.do("GET", "/auth/login")
	if w.Code != http.StatusSeeOther {
		b.s.t.Fatalf("login: %d %s", w.Code, w.Body)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(w.Header().Get("Location"))
	if err != nil {
		b.s.t.Fatal(err)
	}
	_ = answer.Body.Close()
	back := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusFound || !strings.HasPrefix(back, "https://sempadan.example.org/auth/callback?") {
		b.s.t.Fatalf("at the provider: %d %s", answer.StatusCode, back)
	}
	return strings.TrimPrefix(back, "https://sempadan.example.org")
}

// signIn goes the whole way.
func (b *browser) signIn() *httptest.ResponseRecorder {
	b.s.t.Helper()
	return b.do("GET", b.atProvider())
}
