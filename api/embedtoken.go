package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/tiles"
)

// EmbedGrant is what the holder of an embed token may fetch: the generalised
// tiles of one surface, within a box, a range of zooms and a quarter of an hour,
// on pages of one origin.
type EmbedGrant struct {
	ID      string     `json:"id"`  // the same in all tokens that refresh one another
	KeyID   string     `json:"key"` // of whoever asked for it
	Surface string     `json:"surface"`
	Area    [4]float64 `json:"area"` // west, south, east, north
	MinZoom int        `json:"min_zoom"`
	MaxZoom int        `json:"max_zoom"`
	Origin  string     `json:"origin"`
	First   int64      `json:"first"` // when the grant was made, Unix seconds
	Issued  int64      `json:"iat"`
	Expires int64      `json:"exp"`
	Nonce   string     `json:"nonce"`
}

// longestEmbed is how long an embed token may be good for; the host's backend
// asks for the next one.
const longestEmbed = 15 * time.Minute

// longestGrant is how long tokens may be refreshed; then the backend says anew
// what it wants.
const longestGrant = 24 * time.Hour

// grantPattern is the ID of a grant: that of its key, and its own.
var grantPattern = regexp.MustCompile(`^[0-9a-f]{10}\.[0-9a-f]{24}$`)

const embedPrefix = "spe_"

// check reports what of a grant cannot be.
func (g EmbedGrant) check() error {
	_, isSurface := tiles.SurfaceByID(g.Surface)
	a := g.Area
	switch {
	case !isSurface:
		return fmt.Errorf("surface %q: use one that GET /tiles/{surface}.json knows", g.Surface)
	case !(a[0] >= -180 && a[0] < a[2] && a[2] <= 180 && a[1] >= -90 && a[1] < a[3] && a[3] <= 90):
		return fmt.Errorf("area %v: use west, south, east, north in degrees, west below east and south below north", a)
	case g.MinZoom < 0 || g.MinZoom > g.MaxZoom || g.MaxZoom > 22:
		return fmt.Errorf("zooms %d to %d: use 0 to 22, the lower first", g.MinZoom, g.MaxZoom)
	case !isOrigin(g.Origin):
		return fmt.Errorf("origin %q: use the origin of the page that embeds, such as https://example.org", g.Origin)
	}
	return nil
}

// isOrigin reports whether a text is an origin as browsers send it.
func isOrigin(text string) bool {
	return originPattern.MatchString(text)
}

// originPattern leaves no room for wildcards, nor for anything that would end a
// directive of a policy.
var originPattern = regexp.MustCompile(`^https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?$`)

// ends is when the last token of a grant does, Unix seconds.
func (g EmbedGrant) ends() int64 { return g.First + int64(longestGrant/time.Second) }

// permits reports whether the grant is for a tile of a surface.
func (g EmbedGrant) permits(surface string, t tiles.Tile) bool {
	z := int(t.Z)
	if surface != g.Surface || z < g.MinZoom || z > g.MaxZoom {
		return false
	}
	b := t.Bound()
	return b.Intersects(orb.Bound{Min: orb.Point{g.Area[0], g.Area[1]}, Max: orb.Point{g.Area[2], g.Area[3]}})
}

// embedSigner signs embed tokens and knows those again that it signed.
type embedSigner struct {
	secret  []byte
	revoked *revocations
}

// newEmbedSigner reads the signing secret of a service, and makes one when
// there is none: a file that only its owner may read.
func newEmbedSigner(path string, now func() time.Time) (*embedSigner, error) {
	raw, err := readSecretFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var fresh [32]byte
		if _, err := rand.Read(fresh[:]); err != nil {
			return nil, fmt.Errorf("draw a signing secret: %w", err)
		}
		raw = []byte(hex.EncodeToString(fresh[:]) + "\n")
		err = writeSecretFile(path, raw)
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	if err != nil || len(secret) < 32 {
		return nil, fmt.Errorf("%s holds no signing secret; remove it and start again, which ends all embed tokens", path)
	}
	revoked, err := newRevocations(path+".revoked", now)
	return &embedSigner{secret, revoked}, err
}

func (s *embedSigner) mac(payload string) []byte {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte("sempadan embed 1\n" + payload))
	return h.Sum(nil)
}

// sign returns the token of a grant from now on for ttl, and no longer than a
// quarter of an hour, nor than a day after the grant was made: one without an ID
// is made now.
func (s *embedSigner) sign(g EmbedGrant, now time.Time, ttl time.Duration) (string, EmbedGrant, error) {
	if err := g.check(); err != nil {
		return "", g, err
	}
	if ttl <= 0 || ttl > longestEmbed {
		return "", g, fmt.Errorf("%g seconds: use 1 to %g", ttl.Seconds(), longestEmbed.Seconds())
	}
	var nonce [12]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return "", g, fmt.Errorf("draw a nonce: %w", err)
	}
	g.Nonce = hex.EncodeToString(nonce[:])
	if g.ID == "" {
		g.ID, g.First = g.KeyID+"."+g.Nonce, now.Unix()
	}
	g.Issued, g.Expires = now.Unix(), min(now.Add(ttl).Unix(), g.ends())
	if g.Expires <= g.Issued {
		return "", g, errors.New("this grant is a day old; ask for a new one")
	}
	raw, err := json.Marshal(g)
	if err != nil {
		return "", g, err
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	return embedPrefix + payload + "." + base64.RawURLEncoding.EncodeToString(s.mac(payload)), g, nil
}

// verify returns the grant of a token that this service signed and that has
// not ended. Nothing of a token is read before its signature is known to be good.
func (s *embedSigner) verify(token string, now time.Time) (g EmbedGrant, err error) {
	rest, ok := strings.CutPrefix(token, embedPrefix)
	payload, tag, cut := strings.Cut(rest, ".")
	if !ok || !cut || len(token) > 2048 || strings.ContainsAny(token, "\r\n") {
		return g, errNoSignIn
	}
	mac, err := base64.RawURLEncoding.Strict().DecodeString(tag)
	if err != nil || !hmac.Equal(mac, s.mac(payload)) {
		return g, errNoSignIn
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil || json.Unmarshal(raw, &g) != nil || g.check() != nil {
		return EmbedGrant{}, errNoSignIn
	}
	if !grantPattern.MatchString(g.ID) || !strings.HasPrefix(g.ID, g.KeyID+".") || g.First > g.Issued || g.Expires > g.ends() || s.revoked.has(g.ID) {
		return EmbedGrant{}, errNoSignIn
	}
	if at := now.Unix(); at >= g.Expires || at < g.Issued-60 || g.Expires-g.Issued > int64(longestEmbed/time.Second) {
		return EmbedGrant{}, errNoSignIn
	}
	return g, nil
}
