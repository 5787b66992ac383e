package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// OIDC says at which provider people sign in: OpenID Connect, the code flow with
// PKCE. Nothing but the issuer is ever contacted.
type OIDC struct {
	Issuer       string // an https address, or an http one on this machine
	ClientID     string
	ClientSecret string // "" of a public client
	RedirectURL  string // of /auth/callback, as browsers reach it
	Audience     string // of access tokens that programs send; "": ClientID
	// Groups is the file that says what the members of a group of the provider
	// are here; see groupDocument.
	Groups string
}

// callbackPath is where the provider sends people back to.
const callbackPath = "/auth/callback"

func (o OIDC) check() error {
	issuer, err := webAddress(o.Issuer)
	if err != nil {
		return fmt.Errorf("issuer %q: %w", o.Issuer, err)
	}
	if issuer.RawQuery != "" {
		return fmt.Errorf("issuer %q: an issuer has no query", o.Issuer)
	}
	back, err := webAddress(o.RedirectURL)
	if err != nil {
		return fmt.Errorf("redirect address %q: %w", o.RedirectURL, err)
	}
	switch {
	case back.Path != callbackPath || back.RawQuery != "":
		return fmt.Errorf("redirect address %q: it is that of this service followed by %s, and registered so at the provider", o.RedirectURL, callbackPath)
	case o.ClientID == "":
		return errors.New("no client ID: give the one that the provider knows this service by")
	case o.Groups == "":
		return errors.New("no file of groups: it says which group of the provider has which role, agency and country; whoever is in none is refused")
	}
	return nil
}

// webAddress reads the address of a service that may be told secrets: TLS, or
// this machine itself.
func webAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("this is no address; use one such as https://sso.example.org")
	}
	secure := u.Scheme == "https" || u.Scheme == "http" && localHost(u.Host)
	if !secure || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, errors.New("use an https address (http only on this machine) without user and fragment")
	}
	return u, nil
}

// provider is where people sign in, as a running service knows it.
type provider struct {
	opts   OIDC
	origin string
	now    func() time.Time
	log    *slog.Logger
	client *http.Client
	groups *polled[groupDocument]
	flows  *flowBook

	looking singleflight.Group
	mu      sync.Mutex
	found   *discovered
	tried   time.Time
	problem error
}

// discovered is what the provider tells about itself.
type discovered struct {
	oauth oauth2.Config
	keys  *signingKeys
}

const (
	providerTimeout = 8 * time.Second
	// providerRetry is how long after a failure the provider is asked again.
	providerRetry       = 5 * time.Second
	mostOfProviderBytes = 1 << 20
)

func newProvider(o OIDC, now func() time.Time, log *slog.Logger) (*provider, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("OIDC: %w", err)
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil {
		return nil, err
	}
	p := &provider{opts: o, origin: originOf(issuer), now: now, log: log}
	p.client = issuerClient(p.origin)
	p.groups = newPolled(o.Groups, now, readGroups)
	if _, err := p.groups.get(); err != nil {
		return nil, fmt.Errorf("OIDC: %w", err)
	}
	p.flows, err = newFlowBook(now)
	return p, err
}

func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// issuerClient asks one origin and nobody else, follows no redirect, and reads
// no more than a provider has to say.
func issuerClient(origin string) *http.Client {
	t := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		MaxConnsPerHost: 8, IdleConnTimeout: time.Minute}
	return &http.Client{Transport: issuerOnly{origin, t}, Timeout: providerTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
		return errors.New("the provider redirects, which is not followed; give the issuer as the provider itself writes it")
	}}
}

type issuerOnly struct {
	origin string
	next   http.RoundTripper
}

func (t issuerOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if originOf(r.URL) != t.origin {
		return nil, fmt.Errorf("%s is not at the issuer's address and is not asked", r.URL.Host)
	}
	answer, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, mostOfProviderBytes), answer.Body}
	return answer, nil
}

// errProviderDown is what people are told who could sign in if the provider
// answered.
func errProviderDown() error {
	return problem{Status: http.StatusServiceUnavailable, Code: "sign_in_unavailable",
		Detail: "the sign-in provider does not answer, or not as it should; the log of the service has the reason. Access keys work; try again in a few seconds"}
}

// ready returns what the provider tells about itself. A provider that does not
// answer is asked again a little later, when somebody wants to sign in.
func (p *provider) ready(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	found, since := p.found, p.now().Sub(p.tried)
	waiting := p.problem != nil && since >= 0 && since < providerRetry
	p.mu.Unlock()
	switch {
	case found != nil:
		return found, nil
	case waiting:
		return nil, errProviderDown()
	}
	done := p.looking.DoChan("discover", func() (any, error) {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), providerTimeout)
		defer cancel()
		d, err := p.discover(own)
		p.mu.Lock()
		p.found, p.tried, p.problem = d, p.now(), err
		p.mu.Unlock()
		if err != nil {
			p.log.Warn("nobody can sign in at the provider", "issuer", p.opts.Issuer, "error", err)
		}
		return d, err
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, errProviderDown()
		}
		return r.Val.(*discovered), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// discover reads the provider's document. Every address in it must be at the
// issuer's own.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	about, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.opts.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read the provider's document: %w", err)
	}
	var doc struct {
		Authorization string   `json:"authorization_endpoint"`
		Token         string   `json:"token_endpoint"`
		Keys          string   `json:"jwks_uri"`
		Methods       []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := about.Claims(&doc); err != nil {
		return nil, fmt.Errorf("read the provider's document: %w", err)
	}
	for name, text := range map[string]string{"authorization_endpoint": doc.Authorization, "token_endpoint": doc.Token, "jwks_uri": doc.Keys} {
		u, err := webAddress(text)
		if err != nil || originOf(u) != p.origin {
			return nil, fmt.Errorf("the provider's %s is %q, which is not at the issuer's address", name, text)
		}
	}
	groups, err := p.groups.get()
	if err != nil {
		return nil, err
	}
	style := oauth2.AuthStyleInHeader
	if p.opts.ClientSecret == "" || doc.Methods != nil && !slices.Contains(doc.Methods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return &discovered{
		oauth: oauth2.Config{ClientID: p.opts.ClientID, ClientSecret: p.opts.ClientSecret, RedirectURL: p.opts.RedirectURL, Scopes: groups.scopes(),
			Endpoint: oauth2.Endpoint{AuthURL: doc.Authorization, TokenURL: doc.Token, AuthStyle: style}},
		keys: &signingKeys{url: doc.Keys, client: p.client, now: p.now},
	}, nil
}
