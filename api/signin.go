package api

import (
	"context"
	"net/http"
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
}

// gate knows who asks.
type gate struct {
	keys     *keyBook
	embeds   *embedSigner
	now      func() time.Time
	failures failureLimits
}

func newGate(o SignIn, now func() time.Time) (*gate, error) {
	if o.Keys == nil {
		return nil, nil
	}
	book, err := newKeyBook(*o.Keys, now)
	if err != nil {
		return nil, err
	}
	g := &gate{keys: book, now: now, failures: failureLimits{byHost: map[string]*rate.Limiter{}}}
	if o.EmbedSecret != "" {
		if g.embeds, err = newEmbedSigner(o.EmbedSecret); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// local is the person at this machine.
func local() principal { return principal{ID: "local", Local: true} }

// who returns who sends a request; nobody for one without credentials.
func (g *gate) who(r *http.Request) (p principal, err error) {
	if g == nil {
		return local(), nil
	}
	token, given := bearer(r)
	if !given {
		return principal{}, nil
	}
	if !g.failures.allow(remoteHost(r), g.now()) {
		return p, problem{Status: http.StatusTooManyRequests, Code: "too_many_failures",
			Detail: "too many wrong keys came from this address; wait a minute"}
	}
	if strings.HasPrefix(token, embedPrefix) && g.embeds != nil {
		grant, err := g.embeds.verify(token, g.now())
		if err == nil && !sameOrigin(r, grant.Origin) {
			err = errNoSignIn
		}
		if err == nil {
			if _, stillGood := g.keys.byIDGood(grant.KeyID); !stillGood {
				err = errNoSignIn
			}
		}
		if err != nil {
			return p, g.refuse(r)
		}
		return principal{ID: "embed " + grant.Nonce, Embed: &grant}, nil
	}
	k, err := g.keys.find(token)
	if err != nil {
		return p, g.refuse(r)
	}
	return principal{ID: k.ID, Role: k.Role, Agency: k.Agency, Country: k.Country}, nil
}

// refuse is the one answer to every wrong credential.
func (g *gate) refuse(r *http.Request) error {
	g.failures.failed(remoteHost(r), g.now())
	return problem{Status: http.StatusUnauthorized, Code: "not_signed_in",
		Detail: "the credential is not good, or not any more; ask your administrator for a key"}
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
func sameOrigin(r *http.Request, origin string) bool {
	if o := r.Header.Get("Origin"); o != "" && o != origin && o != requestOrigin(r) {
		return false
	}
	return true
}

func requestOrigin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// check reports why somebody may not do something: nobody has to sign in
// first.
func (p principal) check(do action) error {
	switch {
	case p.mayDo(do):
		return nil
	case p.ID == "":
		return problem{Status: http.StatusUnauthorized, Code: "not_signed_in",
			Detail: "sign in first: send Authorization: Bearer with a key that `sempadan keys create` made"}
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
