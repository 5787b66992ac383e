package risk_test

import (
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo/risk"
)

func TestResponsesOfLevels(t *testing.T) {
	m := risk.DefaultModel().Responses
	seen := map[string]bool{}
	for _, l := range risk.Levels() {
		r := m.Of(l)
		for _, text := range []string{r.EN, r.ID, r.MS} {
			if text == "" || seen[text] {
				t.Errorf("%s: %q is empty or there twice", l, text)
			}
			seen[text] = true
		}
	}
	if m.Of("none") != (risk.Response{}) {
		t.Error("a level that does not exist asks for something")
	}
	if m.AgreedIn != "" {
		t.Errorf("the defaults say that %q agreed them", m.AgreedIn)
	}
}

// A table that cannot be shown is refused by the name of its field, with what
// to do.
func TestResponsesAreChecked(t *testing.T) {
	for says, change := range map[string]func(*risk.ResponseModel){
		"responses.low.en is empty: write what the level asks for":                               func(r *risk.ResponseModel) { r.Low.EN = " " },
		"responses.critical.ms is empty":                                                         func(r *risk.ResponseModel) { r.Critical = risk.Response{EN: "a", ID: "b"} },
		"responses.medium.id has 501 characters: use at most 500":                                func(r *risk.ResponseModel) { r.Medium.ID = strings.Repeat("é", 501) },
		"responses.high.en has line breaks or control characters":                                func(r *risk.ResponseModel) { r.High.EN = "one\ntwo" },
		"responses.high.ms is not UTF-8":                                                         func(r *risk.ResponseModel) { r.High.MS = "\xff" },
		"responses.high.id has the word mangsa, which is prey in Indonesian: write korban":       func(r *risk.ResponseModel) { r.High.ID = "Lindungi (Mangsa)" },
		"responses.low.ms has the word korban, which is a sacrifice in Malay: write mangsa":      func(r *risk.ResponseModel) { r.Low.MS = "korban" },
		"responses.agreed_in has line breaks or control characters: write one line of text, or ": func(r *risk.ResponseModel) { r.AgreedIn = "\u202e" },
	} {
		m := risk.DefaultModel()
		change(&m.Responses)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
	}
	m := risk.DefaultModel()
	m.Responses.AgreedIn = "General Border Committee, 2026-11-02"
	m.Responses.High = risk.Response{EN: strings.Repeat("é", 500), ID: "korban", MS: "mangsa dan orang terkorban"}
	if err := m.Validate(); err != nil {
		t.Error(err)
	}
}
