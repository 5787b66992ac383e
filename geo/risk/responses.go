package risk

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ResponseModel is what each level asks for: the table that both parties
// agree on (METHODS section 11, after Regulation (EU) 2019/1896, Art. 35).
type ResponseModel struct {
	// AgreedIn names the meeting or document that agreed the table; empty: it
	// is a proposal that nobody has agreed yet.
	AgreedIn string   `json:"agreed_in"`
	Low      Response `json:"low"`
	Medium   Response `json:"medium"`
	High     Response `json:"high"`
	Critical Response `json:"critical"`
}

// Response is what a level asks for, in the three languages.
type Response struct {
	EN string `json:"en"`
	ID string `json:"id"`
	MS string `json:"ms"`
}

// Of returns what a level asks for.
func (m ResponseModel) Of(l Level) Response {
	switch l {
	case Low:
		return m.Low
	case Elevated:
		return m.Medium
	case High:
		return m.High
	case Critical:
		return m.Critical
	}
	return Response{}
}

func defaultResponses() ResponseModel {
	return ResponseModel{
		Low: Response{
			EN: "Routine control guided by risk analysis; reserves kept ready",
			ID: "Pengawasan rutin berdasarkan analisis risiko; cadangan disiapkan",
			MS: "Kawalan biasa berpandukan analisis risiko; pasukan simpanan bersiap sedia",
		},
		Medium: Response{
			EN: "Routine control and extra measures by whoever may act there; the coordination centres of both sides are told",
			ID: "Pengawasan rutin dan langkah tambahan oleh yang berwenang di sana; pusat koordinasi kedua pihak diberi tahu",
			MS: "Kawalan biasa dan langkah tambahan oleh pihak yang berkuasa di situ; pusat penyelarasan kedua-dua pihak dimaklumkan",
		},
		High: Response{
			EN: "Reinforced measures; support by neighbouring units; either side may ask the other for help; coordinated patrols",
			ID: "Langkah diperkuat; dukungan satuan tetangga; tiap pihak boleh meminta bantuan pihak lain; patroli terkoordinasi",
			MS: "Langkah diperkukuh; sokongan pasukan berhampiran; mana-mana pihak boleh meminta bantuan; rondaan terkoordinasi",
		},
		Critical: Response{
			EN: "Joint crisis response, for a limited time; reviewed every day; ends by signature of both parties",
			ID: "Tanggapan krisis bersama untuk waktu terbatas; ditinjau setiap hari; berakhir dengan tanda tangan kedua pihak",
			MS: "Tindak balas krisis bersama untuk tempoh terhad; disemak setiap hari; tamat dengan tandatangan kedua-dua pihak",
		},
	}
}

// mostResponse is how long a response or its source may be, in characters.
const mostResponse = 500

func (m ResponseModel) validate() (errs []error) {
	if why := badText(m.AgreedIn); why != "" {
		errs = append(errs, fmt.Errorf("responses.agreed_in %s, or leave it empty while nobody has agreed", why))
	}
	for _, l := range Levels() {
		r := m.Of(l)
		for _, t := range []struct{ lang, text string }{{"en", r.EN}, {"id", r.ID}, {"ms", r.MS}} {
			name := fmt.Sprintf("responses.%s.%s", l, t.lang)
			if strings.TrimSpace(t.text) == "" {
				errs = append(errs, fmt.Errorf("%s is empty: write what the level asks for in this language, or leave the field out to keep the text in force", name))
			}
			if why := badText(t.text); why != "" {
				errs = append(errs, fmt.Errorf("%s %s", name, why))
			}
			if why := foreignWord(t.lang, t.text); why != "" {
				errs = append(errs, fmt.Errorf("%s has the word %s", name, why))
			}
		}
	}
	return errs
}

// badText says what is wrong with a text for people and what to do; "" when
// nothing is.
func badText(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8: save the file as UTF-8"
	case utf8.RuneCountInString(s) > mostResponse:
		return fmt.Sprintf("has %d characters: use at most %d", utf8.RuneCountInString(s), mostResponse)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029' }):
		return "has line breaks or control characters: write one line of text"
	}
	return ""
}

// foreignWord is the word for a victim that means something else on the side
// that reads the text, with what to write; "" when there is none.
func foreignWord(lang, text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
	switch {
	case lang == "id" && slices.Contains(words, "mangsa"):
		return "mangsa, which is prey in Indonesian: write korban"
	case lang == "ms" && slices.Contains(words, "korban"):
		return "korban, which is a sacrifice in Malay: write mangsa"
	}
	return ""
}
