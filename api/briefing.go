package api

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// briefing is the patrol-gap report as people read it, on paper: all words and
// numbers in one language, for a writer of HTML or PDF to lay out.
type briefing struct {
	Lang        tiles.Lang
	Title, Lead string
	AsOf        briefingFact
	Instant     time.Time // that AsOf writes
	Facts       []briefingFact
	Stamp       string // of synthetic data; "": none went in
	Notice      string
	Meeting     string

	Figures      []briefingFigure
	FiguresTitle string
	Classes      []briefingClass

	Overview briefingMap
	Legend   tiles.Sheet
	Details  []briefingMap
	Detail   string

	Responses      []briefingFact
	ResponsesTitle string
	ResponsesNote  string
	Reading        []string
	ReadingTitle   string

	Table string
	Heads []string
	Gaps  []briefingGap
	None  string // "": there are gaps

	Annex       []string
	AnnexTitle  string
	Inputs      string
	InputsTitle string
	Seen        string
	Mark        string
	SeenFor     []string
}

type briefingFact struct{ Label, Text string }

type briefingFigure struct{ Value, Label, Note string }

// briefingClass is a class that is in the report.
type briefingClass struct {
	Label, Count string
	Swatch       tiles.Sheet
}

type briefingMap struct {
	Title, Note string
	Sheet       tiles.Sheet
}

// Wide maps take the whole width of a page.
func (m briefingMap) Wide() bool { return m.Sheet.WidthMM > detailWidthMM }

// briefingGap is a row of the ranked table.
type briefingGap struct {
	Rank        int
	Name, Class string
	KM          string
	Colour      color.NRGBA
	Level       string
	Status      string
	Contested   bool
	LevelNotes  []string
	Act         []string
	Expected    string
	Interval    string
	Presence    string
	Week        tiles.Sheet
	Why         string
	Effect      string
}

// Sizes of the pictures, in mm: the page is A4 across.
const (
	briefingWidthMM  = 273.0
	overviewHeightMM = 78.0
	detailWidthMM    = 134.0
	detailHeightMM   = 78.0
	wholeHeightMM    = 152.0
	weekWidthMM      = 29.0
	weekHeightMM     = 10.5
)

// briefing puts the report into words.
func (g GapReport) briefing() briefing {
	a, lang, w := g.Assessment, g.Lang, &briefingWords
	f := g.Filter
	f.LevelOf = func(s risk.Section) risk.Level { return g.Levels.of(s, g.At).Level }
	rows := a.Gaps(f)
	x := a.Annex()
	b := briefing{
		Lang: lang, Title: w.title.In(lang), Lead: w.lead.In(lang), Meeting: w.meeting.In(lang),
		Instant: a.AsOf, AsOf: briefingFact{w.asOf.In(lang), clockText(a.AsOf, lang)},
		Facts: g.briefingFacts(), FiguresTitle: w.figures.In(lang), Detail: w.detail.In(lang),
		ResponsesTitle: w.responses.In(lang), ReadingTitle: w.reading.In(lang), Table: w.table.In(lang),
		Annex: append(annexNotes(x, lang), statusNotes(countStatuses(a.Layers()), lang)...), AnnexTitle: w.annex.In(lang), InputsTitle: w.inputs.In(lang), Inputs: inputsText(a, lang),
		Seen: w.seen.In(lang), Mark: g.Mark,
	}
	if a.Synthetic {
		b.Stamp, b.Notice = w.stamp.In(lang), syntheticNotice.In(lang)
		if len(x.Synthetic) > 0 {
			b.Notice += " " + fmt.Sprintf(w.syntheticLayers.In(lang), strings.Join(x.Synthetic, ", "))
		}
	}
	for _, h := range w.heads {
		b.Heads = append(b.Heads, h.In(lang))
	}
	for _, n := range w.notes {
		b.Reading = append(b.Reading, n.In(lang))
	}
	for _, party := range []string{partyID, partyMY} {
		b.SeenFor = append(b.SeenFor, fmt.Sprintf(w.seenFor.In(lang), countryWords[party].In(lang)))
	}
	table := answerResponses(a.Model, lang)
	for _, r := range table.Responses {
		b.Responses = append(b.Responses, briefingFact{sentence(levelWords[r.Level].In(lang)), r.Response})
	}
	b.ResponsesNote = fmt.Sprintf(w.unagreed.In(lang), table.Source)
	if table.AgreedIn != "" {
		b.ResponsesNote = fmt.Sprintf(w.agreed.In(lang), table.AgreedIn, table.Source)
	}
	if len(rows) == 0 {
		b.None = w.none.In(lang) + " " + w.noneNote.In(lang)
	}
	for _, row := range rows {
		b.Gaps = append(b.Gaps, g.briefingGap(row))
	}
	b.Figures, b.Classes = briefingFigures(a, x, rows, lang), briefingClasses(rows, lang)
	b.Legend = tiles.GapLegend(lang, briefingWidthMM)
	b.drawMaps(a, rows)
	return b
}

// briefingFacts say what the report is about and what made it.
func (g GapReport) briefingFacts() []briefingFact {
	m, lang, w := g.Assessment.Model, g.Lang, &briefingWords
	days := func(v float64) string { return tiles.Number(v, lang) }
	window := w.allIncidents.In(lang)
	if m.WindowDays > 0 {
		window = fmt.Sprintf(w.incidents.In(lang), days(m.WindowDays))
	}
	parts := []string{window, fmt.Sprintf(w.patrols.In(lang), days(m.Coverage.WindowDays)), fmt.Sprintf(w.sections.In(lang), days(m.SectionKM))}
	if m.SeverityWeighted {
		parts = append(parts, w.severity.In(lang))
	}
	facts := []briefingFact{{"", strings.Join(parts, "; ")}}
	var only []string
	if c := g.Filter.Country; c != "" {
		only = append(only, named(countryWords, c, lang))
	}
	if g.Filter.Agency != "" {
		only = append(only, g.Filter.Agency)
	}
	if l := g.Filter.MinLevel; l != "" {
		only = append(only, fmt.Sprintf("%s ≥ %s", w.heads[2].In(lang), levelWords[l].In(lang)))
	}
	if n := g.Filter.Limit; n > 0 {
		only = append(only, "≤ "+fmt.Sprintf(w.ranks.In(lang), days(float64(n))))
	}
	if len(only) > 0 {
		facts = append(facts, briefingFact{w.only.In(lang), strings.Join(only, "; ")})
	}
	return append(facts, briefingFact{w.model.In(lang), m.Version}, briefingFact{w.assessment.In(lang), g.Assessment.Version})
}

// briefingFigures are the numbers to begin with. The interval of the sum adds
// up those of the sections: it is that of sections which err together.
func briefingFigures(a *risk.Assessment, x risk.Annex, rows []risk.GapRow, lang tiles.Lang) []briefingFigure {
	w := &briefingWords
	var all risk.Estimate
	for _, s := range a.Sections {
		all.Mean += s.Undetected.Mean
		all.Lo80 += s.Undetected.Lo80
		all.Hi80 += s.Undetected.Hi80
	}
	km, share := 0.0, 0.0
	for _, r := range rows {
		km += r.Section.LengthKM
		share += r.Share
	}
	whole := func(v float64) string { return tiles.Number(float64(int(v+0.5)), lang) }
	return []briefingFigure{
		{whole(x.BorderKM) + " km", w.border.In(lang), fmt.Sprintf(w.borderNote.In(lang), whole(float64(len(a.Sections))))},
		{percentText(x.ShareBlind, lang), w.blind.In(lang), w.blindNote.In(lang)},
		{digits(all.Mean, 3, lang), w.undetected.In(lang), fmt.Sprintf(w.undetectedNote.In(lang), intervalText(all, lang))},
		{whole(float64(len(rows))), w.listed.In(lang), fmt.Sprintf(w.listedNote.In(lang), whole(km), percentText(share, lang))},
	}
}

func briefingClasses(rows []risk.GapRow, lang tiles.Lang) (out []briefingClass) {
	for _, c := range tiles.GapClasses() {
		n := 0
		for _, r := range rows {
			if string(r.Section.Class) == c.ID {
				n++
			}
		}
		if n > 0 {
			out = append(out, briefingClass{c.Label.In(lang), tiles.Number(float64(n), lang), tiles.GapSwatch(c, lang)})
		}
	}
	return out
}

func (g GapReport) briefingGap(row risk.GapRow) briefingGap {
	s, lang, w := row.Section, g.Lang, &briefingWords
	level := g.Levels.of(s, g.At)
	name, _ := sectionName(s.Name, lang)
	out := briefingGap{
		Rank: row.Rank, Name: name, KM: s.ID + ", " + digits(s.LengthKM, 3, lang) + " km, " + clockName(s.Profile.ZoneHours), Colour: tiles.GapColour(string(s.Class)),
		Class: string(s.Class), Level: sentence(levelWords[level.Level].In(lang)),
		Status: statusWords[level.Status].In(lang), Contested: level.Status == levelContested, LevelNotes: levelNotes(level, lang),
		Act: authorities(s, lang), Expected: digits(s.Undetected.Mean, 3, lang), Interval: intervalText(s.Undetected, lang),
		Presence: w.noPresence.In(lang), Week: tiles.WeekStrip(s.Profile, w.heads[6].In(lang), weekWidthMM, weekHeightMM),
		Why: gapReason(row, lang) + ".", Effect: effectText(row.Effect, lang) + ".",
	}
	for _, c := range tiles.GapClasses() {
		if c.ID == string(s.Class) {
			out.Class = c.Label.In(lang)
		}
	}
	if d := s.DaysSince; d != nil {
		out.Presence = w.today.In(lang)
		if *d >= 1 {
			out.Presence = fmt.Sprintf(w.daysAgo.In(lang), strconv.Itoa(int(*d+0.5)))
		}
	}
	if len(s.CriticalSigns) > 0 {
		var signs []string
		for _, c := range s.CriticalSigns {
			signs = append(signs, signWords[c].In(lang))
		}
		out.Why += " " + fmt.Sprintf(w.signs.In(lang), strings.Join(signs, ", ")) + "."
	}
	return out
}

// levelNotes say what the parties have signed, what is proposed beside it, and
// whether enough is known.
func levelNotes(level levelAnswer, lang tiles.Lang) (out []string) {
	w := &briefingWords
	for _, sig := range level.Signatures {
		out = append(out, fmt.Sprintf(w.signed.In(lang), named(countryWords, sig.Party, lang), levelWords[sig.Level].In(lang)))
	}
	if level.Proposal != level.Level {
		out = append(out, fmt.Sprintf(w.proposal.In(lang), levelWords[level.Proposal].In(lang)))
	}
	if level.Insufficient {
		out = append(out, w.insufficient.In(lang))
	}
	return out
}

// authorities are who may act in a section: a line for each country.
func authorities(s risk.Section, lang tiles.Lang) (out []string) {
	countries := slices.Clone(s.Countries)
	by := map[string][]string{}
	for _, a := range s.Authorities {
		if !slices.Contains(countries, a.Country) {
			countries = append(countries, a.Country)
		}
		if !slices.Contains(by[a.Country], a.Agency) {
			by[a.Country] = append(by[a.Country], a.Agency)
		}
	}
	for _, c := range countries {
		slices.Sort(by[c])
		agencies := strings.Join(by[c], ", ")
		if agencies == "" {
			agencies = briefingWords.noAuthority.In(lang)
		}
		out = append(out, strings.TrimPrefix(named(countryWords, c, lang)+": ", ": ")+agencies)
	}
	if len(out) == 0 {
		out = []string{briefingWords.noAuthority.In(lang)}
	}
	return out
}

func effectText(e risk.Effect, lang tiles.Lang) string {
	w := &briefingWords
	text := fmt.Sprintf(w.effect.In(lang), named(modeWords, e.Mode, lang), digits(e.TrackKM, 3, lang), percentText(e.SearchBefore, lang), percentText(e.SearchAfter, lang))
	if before, after := digits(e.ResidualBefore, 3, lang), digits(e.ResidualAfter, 3, lang); before != after {
		text += fmt.Sprintf(w.effectResidual.In(lang), before, after)
	}
	return text
}

func inputsText(a *risk.Assessment, lang tiles.Lang) string {
	var out []string
	for _, in := range a.Inputs {
		if in.Rows > 0 {
			out = append(out, fmt.Sprintf(briefingWords.input.In(lang), in.Layer, tiles.Number(float64(in.Rows), lang), in.Version))
		}
	}
	return strings.Join(out, ", ")
}
