package geo

import (
	"math/rand/v2"
	"testing"
)

// slowly matches as the words say: by trying every length for %.
func slowly(p pattern, t []rune) bool {
	if len(p) == 0 {
		return len(t) == 0
	}
	switch p[0].kind {
	case '%':
		for k := range len(t) + 1 {
			if slowly(p[1:], t[k:]) {
				return true
			}
		}
		return false
	case '_':
		return len(t) > 0 && slowly(p[1:], t[1:])
	}
	return len(t) > 0 && t[0] == p[0].r && slowly(p[1:], t[1:])
}

func TestPatternAgainstItsWords(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	letters := []rune(`ab%_\é漢` + "\ufffd")
	word := func(n int) (out []rune) {
		for range r.IntN(n) {
			out = append(out, letters[r.IntN(len(letters))])
		}
		return out
	}
	matched := 0
	for range 200_000 {
		p, text := newPattern(string(word(7))), word(8)
		want := slowly(p, text)
		if got := p.matches(string(text)); got != want {
			t.Fatalf("%v matches %q: %v", p, string(text), got)
		}
		if want {
			matched++
		}
	}
	if matched < 5000 {
		t.Errorf("%d matched", matched)
	}
}
