package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// GapFormat is a form of the patrol-gap report.
type GapFormat string

// The forms.
const (
	GapsJSON    GapFormat = "json"
	GapsGeoJSON GapFormat = "geojson"
	GapsCSV     GapFormat = "csv"
	GapsHTML    GapFormat = "html" // to read and to print
	GapsPDF     GapFormat = "pdf"
)

// GapFormats lists the forms of the report.
func GapFormats() []GapFormat {
	return []GapFormat{GapsJSON, GapsGeoJSON, GapsCSV, GapsHTML, GapsPDF}
}

func (f GapFormat) contentType() string {
	switch f {
	case GapsGeoJSON:
		return "application/geo+json"
	case GapsCSV:
		return "text/csv; charset=utf-8"
	case GapsHTML:
		return "text/html; charset=utf-8"
	case GapsPDF:
		return "application/pdf"
	}
	return "application/json"
}

// gapAnswer is one gap as the report shows it.
type gapAnswer struct {
	Rank      int          `json:"rank"`
	SectionID string       `json:"section_id"`
	Name      string       `json:"name"`
	Medium    risk.Medium  `json:"medium"`
	Zone      string       `json:"zone,omitempty"`
	Class     risk.Class   `json:"class"`
	Also      []risk.Class `json:"also,omitempty"`
	levelAnswer
	CriticalSigns     []risk.CriticalSign   `json:"critical_signs"`
	Trend             risk.TrendClass       `json:"trend"`
	Response          string                `json:"response"` // what the level asks for
	Geometry          *geojson.Geometry     `json:"geometry,omitempty"`
	Bounds            []float64             `json:"bounds"`
	Countries         []string              `json:"countries"`
	Agencies          []string              `json:"agencies"`
	Authorities       []risk.Authority      `json:"authorities"`
	KM                float64               `json:"km"`
	Residual          risk.Estimate         `json:"residual_30d"`
	Share             float64               `json:"share_of_residual"`
	DaysSince         *float64              `json:"days_since_presence"`
	SearchCoverage    float64               `json:"search_coverage"`
	InterceptionPOD   float64               `json:"interception_pod"`
	CoverageByCountry map[string]float64    `json:"coverage_by_country"`
	Effort            []risk.AgencyKM2      `json:"swept_by_agency"`
	PercentVisible    float64               `json:"percent_visible"`
	PercentBlind      float64               `json:"percent_blind"`
	NoDataHours       float64               `json:"hours_no_data"`
	Hours             []risk.HourSpan       `json:"hours"`
	Reason            string                `json:"reason"`
	Effect            risk.Effect           `json:"effect_of_one_patrol"`
	NearestCrossing   *risk.NearestCrossing `json:"nearest_crossing"`
}

// gapReport is the whole report.
type gapReport struct {
	Gaps []gapAnswer `json:"gaps"`
	responseTable
	Annex     annexAnswer `json:"annex"`
	AsOf      time.Time   `json:"as_of"`
	Model     string      `json:"model"`
	Version   string      `json:"version"`
	Synthetic bool        `json:"synthetic"`
	Notice    string      `json:"notice,omitempty"`
}

// GapReport is what a patrol-gap report is made of.
type GapReport struct {
	Assessment *risk.Assessment
	Levels     Levels
	At         time.Time // up to when signatures count
	Filter     risk.GapFilter
	Lang       tiles.Lang
	// Mark says, on paper, who took the report; "" for none.
	Mark string
}

// Render writes the ranked report. The same report gives the same bytes.
func (g GapReport) Render(format GapFormat) ([]byte, error) {
	switch format {
	case GapsHTML:
		return g.briefing().html()
	case GapsPDF:
		return g.briefing().pdf()
	}
	a, lang := g.Assessment, g.Lang
	rep := gapReport{
		Gaps: []gapAnswer{}, responseTable: answerResponses(a.Model, lang), Annex: answerAnnex(a, lang),
		AsOf: a.AsOf, Model: a.Model.Version, Version: a.Version, Synthetic: a.Synthetic,
	}
	if a.Synthetic {
		rep.Notice = syntheticNotice.In(lang)
	}
	f := g.Filter
	f.LevelOf = func(s risk.Section) risk.Level { return g.Levels.of(s, g.At).Level }
	for _, row := range a.Gaps(f) {
		rep.Gaps = append(rep.Gaps, g.answer(row))
	}
	switch format {
	case GapsGeoJSON:
		return gapsGeoJSON(rep)
	case GapsCSV:
		return gapsCSV(rep)
	}
	b, err := json.Marshal(rep)
	return append(b, '\n'), err
}

func (g GapReport) answer(row risk.GapRow) gapAnswer {
	s, lang := row.Section, g.Lang
	level := g.Levels.of(s, g.At)
	sec := answerSection(s, level)
	return gapAnswer{
		Rank: row.Rank, SectionID: s.ID, Name: s.Name, Medium: s.Medium, Zone: s.Zone,
		Class: s.Class, Also: s.Also, levelAnswer: level, CriticalSigns: s.CriticalSigns, Trend: s.Trend.Class,
		Response: responseTo(g.Assessment.Model, level.Level, lang), Geometry: sec.Geometry, Bounds: sec.Bounds,
		Countries: emptyNotNil(s.Countries), Agencies: emptyNotNil(s.Agencies), Authorities: s.Authorities,
		KM: math.Round(s.LengthKM*10) / 10, Residual: s.Undetected, Share: row.Share,
		DaysSince: s.DaysSince, SearchCoverage: s.SearchPOD, InterceptionPOD: s.InterceptionPOD,
		CoverageByCountry: s.SearchBySide, Effort: s.Effort, PercentVisible: s.PercentVisible, PercentBlind: s.PercentBlind,
		NoDataHours: s.NoDataHours, Hours: row.Hours, Reason: gapReason(row, lang),
		Effect: row.Effect, NearestCrossing: s.Crossing,
	}
}

func emptyNotNil(v []string) []string {
	if v == nil {
		return []string{}
	}
	return v
}

func gapsGeoJSON(rep gapReport) ([]byte, error) {
	features := []feature{}
	for _, g := range rep.Gaps {
		geometry := g.Geometry
		g.Geometry = nil
		features = append(features, feature{"Feature", g.SectionID, geometry, g})
	}
	b, err := json.Marshal(map[string]any{
		"type": "FeatureCollection", "features": features, "as_of": rep.AsOf,
		"model": rep.Model, "version": rep.Version, "synthetic": rep.Synthetic, "notice": rep.Notice, "annex": rep.Annex,
		"responses": rep.Responses, "responses_model": rep.Source, "responses_agreed_in": rep.AgreedIn,
	})
	return append(b, '\n'), err
}

func gapsCSV(rep gapReport) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{
		"rank", "section_id", "name", "class", "level", "countries", "agencies", "km",
		"residual_30d_mean", "residual_30d_lo80", "residual_30d_hi80", "share_of_residual",
		"days_since_presence", "search_coverage", "interception_pod", "west", "south", "east", "north",
		"reason", "as_of", "model", "version", "synthetic", "percent_visible", "hours_no_data",
		"level_status", "level_proposal", "level_in_force", "level_signatures", "insufficient_knowledge", "trend", "response", "responses_model", "responses_agreed_in",
	}}
	num := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	for _, g := range rep.Gaps {
		days, inForce := "", ""
		if g.InForce != nil {
			inForce = string(*g.InForce)
		}
		if g.DaysSince != nil {
			days = num(*g.DaysSince)
		}
		rows = append(rows, []string{
			strconv.Itoa(g.Rank), g.SectionID, safeCell(g.Name), string(g.Class), string(g.Level),
			strings.Join(g.Countries, " "), safeCell(strings.Join(g.Agencies, " ")), num(g.KM),
			num(g.Residual.Mean), num(g.Residual.Lo80), num(g.Residual.Hi80), num(g.Share),
			days, num(g.SearchCoverage), num(g.InterceptionPOD),
			num(g.Bounds[0]), num(g.Bounds[1]), num(g.Bounds[2]), num(g.Bounds[3]),
			safeCell(g.Reason), rep.AsOf.Format(time.RFC3339), rep.Model, rep.Version, strconv.FormatBool(rep.Synthetic),
			num(g.PercentVisible), num(g.NoDataHours),
			g.Status, string(g.Proposal), inForce, g.signedText(), strconv.FormatBool(g.Insufficient), string(g.Trend), safeCell(g.Response),
			safeCell(rep.Source), safeCell(rep.AgreedIn),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// safeCell keeps a spreadsheet from taking text for a formula.
func safeCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

var syntheticNotice = tiles.Words{
	EN: "This report contains synthetic demonstration data. It says nothing about real patrols.",
	ID: "Laporan ini memuat data peragaan sintetis. Isinya tidak menggambarkan patroli yang sebenarnya.",
	MS: "Laporan ini mengandungi data tunjuk cara sintetik. Ia tidak menggambarkan rondaan sebenar.",
}

// classReasons say in one sentence why a section is in the report.
var classReasons = map[risk.Class]tiles.Words{
	risk.Gap: {
		EN: "High residual risk on a section that is known",
		ID: "Risiko sisa tinggi pada ruas yang sudah dikenal",
		MS: "Baki risiko tinggi pada bahagian yang sudah diketahui",
	},
	risk.BlindSpotPriority: {
		EN: "High residual risk, and nobody has looked here",
		ID: "Risiko sisa tinggi, dan belum ada yang memeriksa di sini",
		MS: "Baki risiko tinggi, dan belum ada yang memeriksa di sini",
	},
	risk.NoReport: {
		EN: "No report received: whether anybody patrolled here is not known",
		ID: "Laporan tidak diterima: tidak diketahui apakah ada patroli di sini",
		MS: "Laporan tidak diterima: tidak diketahui sama ada terdapat rondaan di sini",
	},
	risk.Mismatch: {
		EN: "One side is watched, the other is not",
		ID: "Satu sisi diawasi, sisi lain tidak",
		MS: "Satu pihak dipantau, pihak lain tidak",
	},
	risk.Fading: {
		EN: "Coverage has fallen by half since the window before",
		ID: "Cakupan turun separuh dibanding kurun sebelumnya",
		MS: "Liputan jatuh separuh berbanding tempoh sebelumnya",
	},
}

var reasonDetails = struct{ never, since, search, hours, silent, high tiles.Words }{
	never: tiles.Words{
		EN: "no patrol on record", ID: "tidak ada catatan patroli", MS: "tiada rekod rondaan"},
	since: tiles.Words{
		EN: "last presence %.0f days ago", ID: "kehadiran terakhir %.0f hari lalu", MS: "kehadiran terakhir %.0f hari lalu"},
	search: tiles.Words{
		EN: "search coverage %.0f %%", ID: "cakupan pencarian %.0f %%", MS: "liputan carian %.0f %%"},
	hours: tiles.Words{
		EN: "%.0f of 168 hours of the week without a patrol",
		ID: "%.0f dari 168 jam dalam sepekan tanpa patroli",
		MS: "%.0f daripada 168 jam seminggu tanpa rondaan"},
	silent: tiles.Words{
		EN: "devices silent or out of order for %.0f hours",
		ID: "perangkat tidak mengirim data atau rusak selama %.0f jam",
		MS: "peranti tidak menghantar data atau rosak selama %.0f jam"},
	high: tiles.Words{
		EN: "high residual risk", ID: "risiko sisa tinggi", MS: "baki risiko tinggi"},
}

func gapReason(row risk.GapRow, lang tiles.Lang) string {
	s := row.Section
	parts := []string{classReasons[s.Class].In(lang)}
	if s.DaysSince == nil {
		parts = append(parts, reasonDetails.never.In(lang))
	} else {
		parts = append(parts, fmt.Sprintf(reasonDetails.since.In(lang), *s.DaysSince))
		parts = append(parts, fmt.Sprintf(reasonDetails.search.In(lang), 100*s.SearchPOD))
	}
	if s.NoDataHours >= 0.5 {
		parts = append(parts, fmt.Sprintf(reasonDetails.silent.In(lang), s.NoDataHours))
	}
	open := 0
	for _, h := range row.Hours {
		open += h.To - h.From
	}
	if open > 0 && open < 168 {
		parts = append(parts, fmt.Sprintf(reasonDetails.hours.In(lang), float64(open)))
	}
	for _, c := range s.Also {
		words := classReasons[c]
		if c == risk.BlindSpotPriority { // whether nobody has looked is what is not known
			words = reasonDetails.high
		}
		parts = append(parts, words.In(lang))
	}
	return strings.Join(parts, "; ")
}
