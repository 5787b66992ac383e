package api

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/tiles"
)

func embedGrant() EmbedGrant {
	return EmbedGrant{KeyID: "0123456789", Surface: "density", Area: [4]float64{109, 0, 112, 2}, MinZoom: 4, MaxZoom: 8, Origin: "https://dash.example.org"}
}

func newSigner(t *testing.T) *embedSigner {
	t.Helper()
	s, err := newEmbedSigner(filepath.Join(t.TempDir(), "s.secret"), func() time.Time { return keyNow })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEmbedTokenLife(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.secret")
	s, err := newEmbedSigner(path, func() time.Time { return keyNow })
	if err != nil {
		t.Fatal(err)
	}
	token, g, err := s.sign(embedGrant(), keyNow, 15*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	again, err := newEmbedSigner(path, func() time.Time { return keyNow }) // the same service after a restart
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.verify(token, keyNow.Add(15*time.Minute-time.Second)); err != nil || got != g {
		t.Errorf("%+v %v", got, err)
	}
	for _, off := range []time.Duration{15 * time.Minute, 15*time.Minute + time.Second, 24 * time.Hour, -2 * time.Minute} {
		if _, err := again.verify(token, keyNow.Add(off)); err == nil {
			t.Errorf("good %v after it was signed", off)
		}
	}
	if _, err := newSigner(t).verify(token, keyNow); err == nil {
		t.Error("good with another secret")
	}
	if _, _, err := s.sign(embedGrant(), keyNow, 16*time.Minute); err == nil {
		t.Error("signed for more than a quarter of an hour")
	}
	for name, edit := range map[string]func(*EmbedGrant){
		"surface": func(g *EmbedGrant) { g.Surface = "secret" }, "area": func(g *EmbedGrant) { g.Area[0] = 113 },
		"zooms": func(g *EmbedGrant) { g.MinZoom = 9 }, "origin path": func(g *EmbedGrant) { g.Origin += "/x" }, "no origin": func(g *EmbedGrant) { g.Origin = "*" },
	} {
		g := embedGrant()
		edit(&g)
		if _, _, err := s.sign(g, keyNow, time.Minute); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
}

// No flip of a bit, no cut, no other part makes another good token.
func TestNoAlteredEmbedTokenIsGood(t *testing.T) {
	s := newSigner(t)
	token, _, err := s.sign(embedGrant(), keyNow, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	wide := embedGrant()
	wide.Area = [4]float64{95, -4, 120, 8}
	other, _, err := s.sign(wide, keyNow, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"", "spe_", token[4:], token + "=", token + ".", token[:len(token)-1], token + "A", strings.Replace(token, ".", "", 1), token + "\n",
		other[:strings.IndexByte(other, '.')] + token[strings.IndexByte(token, '.'):], token[:strings.IndexByte(token, '.')+1], "spe_e30." + token[strings.IndexByte(token, '.')+1:]}
	for i := range token {
		for bit := range 8 {
			flipped := []byte(token)
			flipped[i] ^= 1 << bit
			bad = append(bad, string(flipped))
		}
	}
	for _, b := range bad {
		if _, err := s.verify(b, keyNow); err == nil {
			t.Errorf("%q is good", b)
		}
	}
	if _, err := s.verify(token, keyNow); err != nil {
		t.Error(err)
	}
}

func TestEmbedGrantPermits(t *testing.T) {
	g := embedGrant()
	for _, c := range []struct {
		surface string
		z, x, y string
		want    bool
	}{
		{"density", "8", "206", "127", true}, {"density", "9", "412", "254", false}, {"density", "3", "6", "3", false},
		{"hazard", "8", "206", "127", false}, {"density", "8", "212", "127", false},
	} {
		tile, err := tiles.Parse(c.z, c.x, c.y)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.permits(c.surface, tile); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func FuzzEmbedToken(f *testing.F) {
	s, err := newEmbedSigner(filepath.Join(f.TempDir(), "s.secret"), func() time.Time { return keyNow })
	if err != nil {
		f.Fatal(err)
	}
	token, _, err := s.sign(embedGrant(), keyNow, time.Minute)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := s.verify(text, keyNow); err == nil && (g.check() != nil || text[:4] != embedPrefix) {
			t.Errorf("%q is good: %+v", text, g)
		}
	})
}
