package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// SignIn says how people and programs prove who they are. The zero value asks
// nobody: the service is then open, and must be for the person at this machine
// only.
type SignIn struct {
	Keys *KeyFile
	// EmbedSecret is the file of the secret that signs embed tokens; "" gives none
	// out.
	EmbedSecret string
	// OIDC, when not nil, is a provider at which people sign in as well.
	OIDC *OIDC
	// HTTPS says that browsers reach the service through TLS, its own or a proxy's.
	HTTPS bool
	// Proxied says that every request comes through a proxy that tells from where
	// (X-Forwarded-For).
	Proxied bool
	// PrivacyLedger is a file beside the keys that keeps the ledger of public
	// releases, whatever becomes of the store; "" for none.
	PrivacyLedger string
	// PublicMap lets anyone see the public map without signing in.
	PublicMap bool
}

// gate knows who asks.
type gate struct {
	keys     *keyBook // nil: nobody has a key
	embeds   *embedSigner
	oidc     *provider
	sessions *sessionBook
	now      func() time.Time
	failures failureLimits
	https    bool
	proxied  bool
	public   bool // whoever has no credentials sees the public map
}

func newGate(o SignIn, now func() time.Time, log *slog.Logger) (g *gate, err error) {
	if o.Keys == nil && o.OIDC == nil {
		return nil, nil
	}
	g = &gate{now: now, failures: failureLimits{byHost: map[string]*rate.Limiter{}}, public: o.PublicMap, https: o.HTTPS, proxied: o.Proxied}
	if o.Keys != nil {
		if g.keys, err = newKeyBook(*o.Keys, now); err != nil {
			return nil, err
		}
	}
	if o.EmbedSecret != "" {
		if g.embeds, err = newEmbedSigner(o.EmbedSecret, now); err != nil {
			return nil, err
		}
	}
	if o.OIDC != nil {
		if g.oidc, err = newProvider(*o.OIDC, now, log); err != nil {
			return nil, err
		}
		g.sessions = newSessionBook(now)
	}
	return g, nil
}

// local is the person at this machine.
func local() principal { return principal{ID: "local", Local: true} }

// who returns who sends a request; nobody for one without credentials, or with
// the cookie of a session that is over.
func (g *gate) who(r *http.Request) (p principal, err error) {
	if g == nil {
		return local(), nil
	}
	token, given := bearer(r)
	if !given {
		p, err = g.whoseSession(r)
		p.Anyone = g.public && p.ID == ""
		return p, err
	}
	switch {
	case strings.HasPrefix(token, embedPrefix):
		p, err = g.whoseEmbed(r, token)
	case g.oidc != nil && strings.Count(token, ".") == 2:
		p, err = g.whoseToken(r, token)
	default:
		p, err = g.whoseKey(token)
	}
	if err == nil {
		return p, nil
	}
	if already := (problem{}); errors.As(err, &already) {
		return principal{}, err
	}
	// Only who fails is slowed down: others at their address are not.
	if !g.failures.allow(g.client(r), g.now()) {
		return principal{}, errTooManyFailures()
	}
	return principal{}, g.refuse(r, err)
}

func errTooManyFailures() error {
	return problem{Status: http.StatusTooManyRequests, Code: "too_many_failures",
		Detail: "too many wrong keys came from this address; wait a minute"}
}

func (g *gate) whoseKey(token string) (p principal, err error) {
	if g.keys == nil {
		return p, errNoSignIn
	}
	k, err := g.keys.find(token)
	if err != nil {
		return p, err
	}
	return principal{ID: k.ID, Role: k.Role, Agency: k.Agency, Country: k.Country, Scopes: k.Scopes, Via: viaKey, Until: k.ExpiresAt}, nil
}

// whoseEmbed knows embed tokens, as long as the key that asked for them is good.
func (g *gate) whoseEmbed(r *http.Request, token string) (p principal, err error) {
	if g.embeds == nil || g.keys == nil {
		return p, errNoSignIn
	}
	grant, err := g.embeds.verify(token, g.now())
	if err != nil {
		return p, err
	}
	k, good := g.keys.byIDGood(grant.KeyID)
	asker := principal{Role: k.Role, Scopes: k.Scopes}
	if !good || !asker.mayDo(doGrant) || !asker.forSurface(grant.Surface) || !g.sameOrigin(r, grant.Origin) {
		return p, errNoSignIn
	}
	return principal{ID: "embed " + grant.ID, Embed: &grant, Via: viaEmbed, Until: time.Unix(grant.Expires, 0)}, nil
}

// whoseToken knows tokens of the sign-in provider that programs send.
func (g *gate) whoseToken(r *http.Request, token string) (p principal, err error) {
	m, err := g.oidc.verify(r.Context(), token, g.oidc.bearerUse())
	if err != nil {
		return p, err
	}
	rights, err := g.oidc.rights(m.groups)
	if err != nil {
		return p, err
	}
	return principal{ID: m.subject, Role: rights.Role, Agency: rights.Agency, Country: rights.Country, Via: viaToken, Until: m.until}, nil
}

// whoseSession knows the sessions of browsers. What their groups may do is
// asked anew each time.
func (g *gate) whoseSession(r *http.Request) (p principal, err error) {
	if g.sessions == nil || !ownPage(r) {
		return p, nil
	}
	id, ok := cookieOf(r, sessionCookie)
	if !ok {
		return p, nil
	}
	s, ok := g.sessions.find(id)
	if !ok {
		return p, nil
	}
	rights, err := g.oidc.rights(s.groups)
	switch {
	case errors.Is(err, errNoGroup), errors.Is(err, errTwoGroups):
		g.sessions.end(id)
		return p, nil
	case err != nil:
		return p, err
	}
	return principal{ID: s.subject, Role: rights.Role, Agency: rights.Agency, Country: rights.Country, Via: viaSession, Until: s.until()}, nil
}

// refuse is the one answer to every wrong credential, but for one of somebody
// who is known and has no role.
func (g *gate) refuse(r *http.Request, err error) error {
	g.failures.failed(g.client(r), g.now())
	detail := "the credential is not good, or not any more; sign in again, or ask your administrator for a key"
	if errors.Is(err, errNoGroup) || errors.Is(err, errTwoGroups) {
		detail = err.Error()
	}
	return problem{Status: http.StatusUnauthorized, Code: "not_signed_in", Detail: detail}
}

// bearer returns the credential of a request: in the header, or, of an embed
// token, which browsers cannot always send there, in the address.
func bearer(r *http.Request) (token string, given bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, rest, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return h, true
		}
		return rest, true
	}
	if t := r.URL.Query().Get("token"); strings.HasPrefix(t, embedPrefix) {
		return t, true
	}
	return "", false
}

// sameOrigin reports whether a request comes from a page of an origin, as far
// as its browser says.
func (g *gate) sameOrigin(r *http.Request, origin string) bool {
	o := r.Header.Get("Origin")
	if o == "" || o == origin {
		return true
	}
	scheme := "http"
	if r.TLS != nil || g.https {
		scheme = "https"
	}
	return o == scheme+"://"+r.Host
}

// client is the address that a request comes from. Behind a proxy it is the last
// that the list names: the others are what the client itself says.
func (g *gate) client(r *http.Request) string {
	if list := r.Header.Values("X-Forwarded-For"); g.proxied && len(list) > 0 {
		all := strings.Split(list[len(list)-1], ",")
		if ip, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
			return ip.Unmap().String()
		}
	}
	return remoteHost(r)
}

// check reports why somebody may not do something: nobody has to sign in
// first.
func (p principal) check(do action) error {
	switch {
	case p.mayDo(do):
		return nil
	case p.ID == "": // also of Anyone
		return problem{Status: http.StatusUnauthorized, Code: "not_signed_in",
			Detail: "sign in first: at /auth/login where GET /auth says so, or send Authorization: Bearer with a key that `sempadan keys create` made"}
	}
	return problem{Status: http.StatusForbidden, Code: "not_for_this_role",
		Detail: "your role may not do this; ask your administrator which role does"}
}

type principalKey struct{}

func withPrincipal(ctx context.Context, p principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// asker is who sent the request that a context belongs to.
func asker(ctx context.Context) principal {
	if p, ok := ctx.Value(principalKey{}).(principal); ok {
		return p
	}
	return local()
}
