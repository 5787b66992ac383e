package api

import (
	"bytes"
	_ "embed" // the page and its style
	"html/template"
	"unicode"

	"github.com/sempadan/sempadan/tiles"
)

//go:embed briefing.html
var briefingPage string

//go:embed briefing.css
var briefingStyle string

// html lays the report out as one page without scripts that needs nothing
// else: style and pictures are in it.
func (b briefing) html() ([]byte, error) {
	page, err := template.New("briefing").Funcs(template.FuncMap{
		"svg": func(s tiles.Sheet) template.HTML { return template.HTML(s.SVG()) }, // escaped by SVG
	}).Parse(briefingPage)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		briefing
		Style template.CSS
	}{b, template.CSS(briefingStyle)})
	return bytes.Map(shown, out.Bytes()), err
}

// shown drops what has no shape of its own: controls, marks that turn the
// direction of a text round, and what is no character.
func shown(r rune) rune {
	if r != '\n' && unicode.Is(unicode.C, r) || r&0xfffe == 0xfffe {
		return -1
	}
	return r
}

// briefingPolicy lets the report use its own style, by its hash, and nothing else.
func briefingPolicy() string {
	return answerPolicy + "; style-src " + sourceHash(briefingStyle)
}
