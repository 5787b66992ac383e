package api

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	mostTokenBytes = 16 << 10
	mostTokenDepth = 16
	// clockSkew is how far the provider's clock and this one may differ.
	clockSkew = 60 * time.Second
	// longestToken bounds how old a token may be, whatever it says itself.
	longestToken = 24 * time.Hour
)

// tokenUse is what a token is shown for: one for signing in is not good as
// another's.
type tokenUse struct {
	nonce     string // of the sign-in; "" when a program sends the token
	audiences []string
	types     []string // of the header's typ, in lower case
}

func (p *provider) signInUse(nonce string) tokenUse {
	return tokenUse{nonce: nonce, audiences: []string{p.opts.ClientID}, types: []string{"", "jwt"}}
}

func (p *provider) bearerUse() tokenUse {
	return tokenUse{audiences: []string{p.opts.ClientID, p.opts.Audience}, types: []string{"", "jwt", "at+jwt", "application/at+jwt"}}
}

// member is somebody whom the provider vouches for.
type member struct {
	subject string // digest of issuer and subject: the same person each time, by no name
	groups  []string
	until   time.Time
	token   *oidc.IDToken
}

// verify returns who a token is of. The header is read first, because it says by
// which of the provider's keys the rest is to be judged; nothing else is used
// before the signature is known to be good.
func (p *provider) verify(ctx context.Context, raw string, use tokenUse) (m member, err error) {
	name, err := readTokenHeader(raw, use.types)
	if err != nil {
		return m, refusedFor(err)
	}
	d, err := p.ready(ctx)
	if err != nil {
		return m, err
	}
	key, err := d.keys.find(ctx, name)
	if err != nil {
		return m, err
	}
	verifier := oidc.NewVerifier(p.opts.Issuer, &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{key}},
		&oidc.Config{SkipClientIDCheck: true, SkipExpiryCheck: true, SupportedSigningAlgs: []string{name.algorithm}})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return m, refusedFor(err)
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		return m, refusedFor(err)
	}
	claims, err := strictObject(payload)
	if err != nil {
		return m, refusedFor(err)
	}
	until, err := p.checkClaims(claims, use)
	if err != nil {
		return m, refusedFor(err)
	}
	doc, err := p.groups.get()
	if err != nil {
		return m, errProviderDown()
	}
	groups, err := doc.groupsIn(claims)
	if err != nil {
		return m, err
	}
	return member{subject: p.subject(claims["sub"].(string)), groups: groups, until: until, token: token}, nil
}

// refusedFor is errNoSignIn with the reason, which is for the log and not for
// whoever shows the token.
func refusedFor(why error) error { return fmt.Errorf("%w: %w", errNoSignIn, why) }

// subject names a person in logs and in the history of layers without a name.
func (p *provider) subject(sub string) string {
	sum := sha256.Sum256([]byte(p.opts.Issuer + "\n" + sub))
	return "oidc-" + hex.EncodeToString(sum[:8])
}

// readTokenHeader returns the key that a token in compact form names. A header
// says what is needed and no more: no key of its own, no address of one, no
// extension that would have to be understood.
func readTokenHeader(raw string, types []string) (name keyName, err error) {
	bad := errors.New("this is no signed token")
	parts := strings.Split(raw, ".")
	if len(raw) > mostTokenBytes || len(parts) != 3 || strings.ContainsAny(raw, "\r\n") {
		return name, bad
	}
	var header []byte
	for k, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || len(b) == 0 {
			return name, bad
		}
		if k == 0 {
			header = b
		}
	}
	members, err := strictObject(header)
	if err != nil {
		return name, bad
	}
	for member, value := range members {
		text, isText := value.(string)
		switch {
		case !isText || !slices.Contains([]string{"alg", "kid", "typ", "x5t", "x5t#S256"}, member):
			return name, bad
		case member == "alg":
			name.algorithm = text
		case member == "kid":
			name.id = text
		case member == "typ" && !slices.Contains(types, strings.ToLower(text)):
			return name, bad
		}
	}
	if name.id == "" || name.algorithm != string(jose.RS256) && name.algorithm != string(jose.ES256) {
		return name, bad
	}
	return name, nil
}

// checkClaims reports whether claims are by the issuer, for this service, now,
// and for this use. It returns until when.
func (p *provider) checkClaims(claims map[string]any, use tokenUse) (until time.Time, err error) {
	sub, _ := claims["sub"].(string)
	audience, err := audienceOf(claims["aud"])
	switch {
	case err != nil:
		return until, err
	case claims["iss"] != p.opts.Issuer:
		return until, errors.New("of another issuer")
	case sub == "" || len(sub) > 255:
		return until, errors.New("of nobody")
	case !slices.ContainsFunc(audience, func(a string) bool { return a != "" && slices.Contains(use.audiences, a) }):
		return until, errors.New("for somebody else")
	case claims["cnf"] != nil:
		return until, errors.New("bound to a key whose possession is not asked for here")
	}
	for _, name := range []string{"azp", "client_id"} {
		if party, given := claims[name]; given && party != p.opts.ClientID {
			return until, errors.New("given to another client")
		}
	}
	if _, given := claims["azp"]; !given && len(audience) > 1 {
		return until, errors.New("for several, without saying whom it was given to")
	}
	if use.nonce != "" {
		nonce, _ := claims["nonce"].(string)
		if subtle.ConstantTimeCompare([]byte(nonce), []byte(use.nonce)) != 1 {
			return until, errors.New("of another sign-in")
		}
	}
	return p.checkTimes(claims)
}

func (p *provider) checkTimes(claims map[string]any) (until time.Time, err error) {
	until, err = instant(claims, "exp", true)
	issued, err2 := instant(claims, "iat", true)
	from, err3 := instant(claims, "nbf", false)
	if err := errors.Join(err, err2, err3); err != nil {
		return until, err
	}
	now := p.now()
	switch {
	case now.After(until.Add(clockSkew)):
		return until, errors.New("over")
	case issued.After(now.Add(clockSkew)) || from.After(now.Add(clockSkew)):
		return until, errors.New("not yet good")
	case !until.After(issued), now.Sub(issued) > longestToken:
		return until, errors.New("too old")
	}
	return until, nil
}

// instant reads a claim of seconds since 1970.
func instant(claims map[string]any, name string, needed bool) (time.Time, error) {
	v, given := claims[name]
	if !given && !needed {
		return time.Time{}, nil
	}
	number, ok := v.(json.Number)
	if !ok {
		return time.Time{}, fmt.Errorf("%s is no number", name)
	}
	seconds, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || !(seconds > 0 && seconds < 1e11) {
		return time.Time{}, fmt.Errorf("%s is no time", name)
	}
	return time.Unix(int64(seconds), 0), nil
}

func audienceOf(v any) (out []string, err error) {
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []any:
		for _, one := range v {
			text, ok := one.(string)
			if !ok {
				return nil, errors.New("aud is no list of names")
			}
			out = append(out, text)
		}
		return out, nil
	}
	return nil, errors.New("aud is missing")
}

// strictObject reads one JSON object in which no object has two members of one
// name, also where only the case differs: readers disagree about which counts.
func strictObject(raw []byte) (map[string]any, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("this is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	v, err := strictValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("this is no JSON object")
	}
	return object, nil
}

func strictValue(dec *json.Decoder, depth int) (any, error) {
	if depth > mostTokenDepth {
		return nil, errors.New("this is nested too deeply")
	}
	t, err := dec.Token()
	if err != nil {
		return nil, fmt.Errorf("this is not JSON: %w", err)
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := strictValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	case json.Delim('{'):
		return strictMembers(dec, depth)
	}
	return t, nil
}

func strictMembers(dec *json.Decoder, depth int) (any, error) {
	object, names := map[string]any{}, map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("this is not JSON: %w", err)
		}
		name, ok := t.(string)
		folded := strings.ToLower(strings.ToUpper(name)) // as encoding/json matches names
		if !ok || names[folded] {
			return nil, fmt.Errorf("the member %q is there twice", name)
		}
		names[folded] = true
		if object[name], err = strictValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}
