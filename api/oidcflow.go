package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// longestFlow is how long somebody may take to sign in at the provider.
const longestFlow = 10 * time.Minute

// mostFlows bounds how many may come back from the provider in that time.
const mostFlows = 100_000

// flow is one sign-in under way. The browser keeps it, sealed, so that whoever
// begins many costs this service nothing.
type flow struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Until    time.Time `json:"u"`
}

// flowBook seals sign-ins under way and knows those that were used.
type flowBook struct {
	now    func() time.Time
	sealer cipher.AEAD

	mu    sync.Mutex
	spent map[string]time.Time // states, and until when they would be good
}

func newFlowBook(now func() time.Time) (*flowBook, error) {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	return &flowBook{now: now, sealer: sealer, spent: map[string]time.Time{}}, err
}

func (b *flowBook) begin() (f flow, sealed string, err error) {
	f = flow{State: rand.Text() + rand.Text(), Nonce: rand.Text() + rand.Text(), Verifier: oauth2.GenerateVerifier(), Until: b.now().Add(longestFlow)}
	raw, err := json.Marshal(f)
	if err != nil {
		return f, "", err
	}
	return f, base64.RawURLEncoding.EncodeToString(b.sealer.Seal(nil, nil, raw, []byte(flowCookie))), nil
}

// use returns the sign-in of a sealed text, once.
func (b *flowBook) use(sealed, state string) (f flow, ok bool) {
	box, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") {
		return f, false
	}
	raw, err := b.sealer.Open(nil, nil, box, []byte(flowCookie))
	if err != nil || json.Unmarshal(raw, &f) != nil {
		return f, false
	}
	now := b.now()
	if subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 || !now.Before(f.Until) {
		return f, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for state, until := range b.spent {
		if !now.Before(until) {
			delete(b.spent, state)
		}
	}
	if _, again := b.spent[f.State]; again || len(b.spent) >= mostFlows {
		return f, false
	}
	b.spent[f.State] = f.Until
	return f, true
}

// callbackParams are what providers send a browser back with.
func callbackParams() []string {
	return []string{"code", "state", "iss", "error", "error_description", "error_uri", "session_state", "scope", "authuser", "hd", "prompt"}
}

// login sends a browser to the provider.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	d, err := p.ready(r.Context())
	if err != nil {
		return backToPage(w, r, err)
	}
	f, sealed, err := p.flows.begin()
	if err != nil {
		return err
	}
	setCookie(w, flowCookie, sealed, longestFlow, http.SameSiteLaxMode) // Lax: the provider's page leads back here
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, d.oauth.AuthCodeURL(f.State, oauth2.S256ChallengeOption(f.Verifier), oidc.Nonce(f.Nonce)), http.StatusSeeOther)
	return nil
}

// callback is where the provider sends a browser back to: it changes the code
// for a token, and the token for a session.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	sealed, _ := cookieOf(r, flowCookie)
	setCookie(w, flowCookie, "", 0, http.SameSiteLaxMode)
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet {
		return problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "signing in is a GET"}
	}
	if !s.gate.failures.allow(s.gate.client(r), s.gate.now()) {
		return backToPage(w, r, errTooManyFailures())
	}
	m, err := p.signIn(r.Context(), sealed, r.URL.Query())
	if err != nil {
		s.gate.failures.failed(s.gate.client(r), s.gate.now())
		return backToPage(w, r, err)
	}
	setCookie(w, sessionCookie, s.gate.sessions.open(m), longestSession, http.SameSiteStrictMode)
	w.Header().Set("Clear-Site-Data", `"cache"`) // of whoever was here before
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// signIn returns who comes back from the provider with a code.
func (p *provider) signIn(ctx context.Context, sealed string, q url.Values) (m member, err error) {
	f, ok := p.flows.use(sealed, q.Get("state"))
	if !ok {
		return m, problem{Status: http.StatusBadRequest, Code: "sign_in_expired",
			Detail: "this sign-in took too long, was used before, or began in another browser; begin again at /auth/login"}
	}
	if iss := q.Get("iss"); iss != "" && iss != p.opts.Issuer || q.Get("error") != "" || q.Get("code") == "" {
		return m, errRefused()
	}
	d, err := p.ready(ctx)
	if err != nil {
		return m, err
	}
	own, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), providerTimeout)
	defer cancel()
	tokens, err := d.oauth.Exchange(own, q.Get("code"), oauth2.VerifierOption(f.Verifier))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < 500 {
		p.log.Warn("the provider refuses a sign-in", "status", refused.Response.StatusCode, "code", refused.ErrorCode)
		return m, errRefused()
	}
	if err != nil {
		p.log.Warn("the provider gives no token", "error", err)
		return m, errProviderDown()
	}
	raw, _ := tokens.Extra("id_token").(string)
	m, err = p.verify(ctx, raw, p.signInUse(f.Nonce))
	if err == nil && m.token.AccessTokenHash != "" {
		if e := m.token.VerifyAccessToken(tokens.AccessToken); e != nil {
			err = refusedFor(e)
		}
	}
	if errors.Is(err, errNoSignIn) {
		p.log.Warn("a token of the provider is refused", "error", err)
		return member{}, errRefused()
	}
	if err != nil {
		return member{}, err
	}
	_, err = p.rights(m.groups)
	return m, err
}

func errRefused() error {
	return problem{Status: http.StatusUnauthorized, Code: "sign_in_refused",
		Detail: "the provider did not confirm who you are; begin again at /auth/login"}
}

// rights returns what the members of groups may do now.
func (p *provider) rights(groups []string) (membership, error) {
	doc, err := p.groups.get()
	if err != nil {
		p.log.Error("nobody who signs in at the provider is let in", "error", err)
		return membership{}, errProviderDown()
	}
	return doc.who(groups)
}

// backToPage tells a person on the page, and a program by a problem, why
// signing in did not work.
func backToPage(w http.ResponseWriter, r *http.Request, err error) error {
	if errors.Is(err, errNoGroup) || errors.Is(err, errTwoGroups) {
		err = problem{Status: http.StatusForbidden, Code: "no_group", Detail: err.Error()}
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/?sign_in="+url.QueryEscape(problemOf(err).Code), http.StatusSeeOther)
	return nil
}

// logout ends a session.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if s.gate != nil && s.gate.sessions != nil {
		if id, ok := cookieOf(r, sessionCookie); ok && ownPage(r) {
			s.gate.sessions.end(id)
		}
	}
	setCookie(w, sessionCookie, "", 0, http.SameSiteStrictMode)
	w.Header().Set("Clear-Site-Data", `"cache"`)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// provider returns where people sign in.
func (s *Server) provider() (*provider, error) {
	if s.gate == nil || s.gate.oidc == nil {
		return nil, problem{Status: http.StatusNotFound, Code: "no_provider",
			Detail: "this service has no sign-in provider; send Authorization: Bearer with an access key"}
	}
	return s.gate.oidc, nil
}
