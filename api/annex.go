package api

import (
	"fmt"
	"strings"

	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// responseAnswer is a row of the response table.
type responseAnswer struct {
	Level    risk.Level `json:"level"`
	Response string     `json:"response"`
}

// responseTable is what each level asks for, in one language, and where that
// comes from.
type responseTable struct {
	Responses []responseAnswer `json:"responses"`
	Source    string           `json:"responses_model"`     // the version of the model that has them
	AgreedIn  string           `json:"responses_agreed_in"` // "": a proposal that nobody has agreed yet
}

func answerResponses(m risk.Model, lang tiles.Lang) responseTable {
	out := responseTable{Source: m.Version, AgreedIn: m.Responses.AgreedIn}
	for _, l := range risk.Levels() {
		out.Responses = append(out.Responses, responseAnswer{l, responseTo(m, l, lang)})
	}
	return out
}

// responseTo is what a level asks for.
func responseTo(m risk.Model, l risk.Level, lang tiles.Lang) string {
	return tiles.Words(m.Responses.Of(l)).In(lang)
}

// annexAnswer is the annex with what a reader should note, in their language.
type annexAnswer struct {
	risk.Annex
	Notes     []string              `json:"notes"`
	Collusion []risk.CollusionCount `json:"collusion_by_country"`
	Statuses  statusCounts          `json:"legal_statuses"`
}

func answerAnnex(a *risk.Assessment, lang tiles.Lang) annexAnswer {
	x := a.Annex()
	statuses := countStatuses(a.Layers())
	return annexAnswer{x, append(annexNotes(x, lang), statusNotes(statuses, lang)...), a.Collusion(), statuses}
}

var missingWords = map[risk.Missing]tiles.Words{
	risk.NoSections: {
		EN: "There is no border line: nothing can be cut into sections",
		ID: "Tidak ada garis perbatasan: tidak ada yang dapat dibagi menjadi ruas",
		MS: "Tiada garis sempadan: tiada apa-apa yang dapat dibahagikan",
	},
	risk.NoIncidents: {
		EN: "There are no incidents: every rate is unknown, not zero",
		ID: "Tidak ada kejadian: setiap laju belum diketahui, bukan nol",
		MS: "Tiada insiden: setiap kadar tidak diketahui, bukan sifar",
	},
	risk.NoPatrols: {
		EN: "There are no patrols or posts on record: coverage is unknown everywhere",
		ID: "Tidak ada catatan patroli atau pos: cakupan belum diketahui di mana pun",
		MS: "Tiada rekod rondaan atau pos: liputan tidak diketahui di mana-mana",
	},
	risk.NoPatrolsID: {
		EN: "Nothing is on record of Indonesian patrols in the window",
		ID: "Tidak ada catatan patroli Indonesia dalam kurun ini",
		MS: "Tiada rekod rondaan Indonesia dalam tempoh ini",
	},
	risk.NoPatrolsMY: {
		EN: "Nothing is on record of Malaysian patrols in the window",
		ID: "Tidak ada catatan patroli Malaysia dalam kurun ini",
		MS: "Tiada rekod rondaan Malaysia dalam tempoh ini",
	},
	risk.PatrolsOutside: {
		EN: "All patrols on record were outside the strip along the border",
		ID: "Semua patroli yang tercatat berada di luar jalur sepanjang perbatasan",
		MS: "Semua rondaan yang direkodkan berada di luar jalur sepanjang sempadan",
	},
	risk.AllDiscovered: {
		EN: "No incident was reported by anyone: the map shows where patrols were",
		ID: "Tidak ada kejadian yang dilaporkan orang: peta menunjukkan tempat patroli berada",
		MS: "Tiada insiden yang dilaporkan orang: peta menunjukkan tempat rondaan dibuat",
	},
	risk.AllReported: {
		EN: "All incidents were reported, none found by a patrol: how well patrols find cannot be told",
		ID: "Semua kejadian dilaporkan, tidak ada yang ditemukan patroli: kemampuan patroli menemukan tidak dapat dinilai",
		MS: "Semua insiden dilaporkan, tiada yang dikesan rondaan: keupayaan rondaan mengesan tidak dapat dinilai",
	},
	risk.DiscoveryUnknown: {
		EN: "Of most incidents it is not known how they came to light: what patrols find and what people report cannot be told apart",
		ID: "Cara terungkapnya sebagian besar kejadian tidak diketahui: temuan patroli dan laporan orang tidak dapat dibedakan",
		MS: "Cara kebanyakan insiden diketahui tidak direkodkan: penemuan rondaan dan laporan orang tidak dapat dibezakan",
	},
	risk.NoLandBorder: {
		EN: "There is no land border among the sections; the model's border_countries names the pair of the lines that count",
		ID: "Tidak ada perbatasan darat di antara ruas; border_countries dalam model menyebut pasangan negara garis yang dihitung",
		MS: "Tiada sempadan darat antara bahagian; border_countries dalam model menamakan pasangan negara bagi garisan yang dikira",
	},
	risk.NoJurisdiction: {
		EN: "Nobody is on record who may act in some sections",
		ID: "Di sebagian ruas tidak tercatat siapa yang berwenang bertindak",
		MS: "Di sesetengah bahagian tiada rekod pihak yang berkuasa bertindak",
	},
}

var annexWords = struct{ silent, pace, precision, time, hour, duplicates, blind tiles.Words }{
	silent: tiles.Words{
		EN: "Silent: %s, nothing for %.0f days%s", ID: "Tidak mengirim data: %s, %.0f hari%s", MS: "Tidak menghantar data: %s, %.0f hari%s"},
	pace: tiles.Words{
		EN: ", usually one record in %.1f days", ID: ", biasanya satu catatan per %.1f hari", MS: ", biasanya satu rekod setiap %.1f hari"},
	precision: tiles.Words{
		EN: "%.0f %% of the incidents that state a precision are placed within the bandwidth (median %.0f m)",
		ID: "%.0f %% kejadian yang menyebut ketelitian letaknya berada dalam lebar pita (median %.0f m)",
		MS: "%.0f %% insiden yang menyatakan ketepatan terletak dalam lebar jalur (median %.0f m)"},
	time: tiles.Words{
		EN: "%.0f %% of the incidents have no time and take no part in the hazard",
		ID: "%.0f %% kejadian tanpa waktu dan tidak ikut dalam bahaya",
		MS: "%.0f %% insiden tanpa masa dan tidak dikira dalam bahaya"},
	hour: tiles.Words{
		EN: "of %.0f %% the hour is not known", ID: "jam dari %.0f %% tidak diketahui", MS: "jam bagi %.0f %% tidak diketahui"},
	duplicates: tiles.Words{
		EN: "%d possible duplicates (%.1f %%): same kind, day and place",
		ID: "%d kemungkinan ganda (%.1f %%): jenis, hari dan tempat sama",
		MS: "%d kemungkinan berulang (%.1f %%): jenis, hari dan tempat sama"},
	blind: tiles.Words{
		EN: "%.0f %% of the border is blind: nobody is known to have looked there",
		ID: "%.0f %% perbatasan adalah titik buta: tidak diketahui ada yang memeriksa di sana",
		MS: "%.0f %% sempadan ialah titik buta: tidak diketahui ada yang memeriksa di situ"},
}

// namedFeeds bounds how many silent feeds the notes name.
const namedFeeds = 5

// annexNotes say in sentences what the annex has in numbers.
func annexNotes(x risk.Annex, lang tiles.Lang) []string {
	notes := []string{}
	for _, m := range x.Missing {
		notes = append(notes, missingWords[m].In(lang))
	}
	named := 0
	for _, f := range x.Feeds {
		if !f.Silent || named >= namedFeeds {
			continue
		}
		named++
		pace := ""
		if f.UsualDays != nil {
			pace = fmt.Sprintf(annexWords.pace.In(lang), *f.UsualDays)
		}
		notes = append(notes, fmt.Sprintf(annexWords.silent.In(lang), feedName(f, lang), f.Days, pace))
	}
	if x.Incidents > 0 {
		if x.Incidents > x.WithoutPrecision {
			notes = append(notes, fmt.Sprintf(annexWords.precision.In(lang), 100*x.SharePrecise, x.MedianPrecisionM))
		}
		notes = append(notes, fmt.Sprintf(annexWords.time.In(lang)+"; "+annexWords.hour.In(lang), 100*x.ShareWithoutTime, 100*x.ShareWithoutHour))
		notes = append(notes, fmt.Sprintf(annexWords.duplicates.In(lang), x.PossibleDuplicates, 100*x.ShareDuplicates))
	}
	if x.BorderKM > 0 {
		notes = append(notes, fmt.Sprintf(annexWords.blind.In(lang), 100*x.ShareBlind))
	}
	return notes
}

var feedWords = map[string]tiles.Words{
	"incident":     {EN: "incidents", ID: "kejadian", MS: "insiden"},
	"patrol_track": {EN: "patrol tracks", ID: "jejak patroli", MS: "jejak rondaan"},
	"post":         {EN: "posts", ID: "pos", MS: "pos kawalan"},
}

func feedName(f risk.Feed, lang tiles.Lang) string {
	parts := []string{feedWords[string(f.Kind)].In(lang)}
	for _, p := range []string{f.Country, f.Agency} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ")
}
