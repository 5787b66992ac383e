package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// diffAnswer is one section that changed between two reports.
type diffAnswer struct {
	Change    risk.GapChange    `json:"change"`
	SectionID string            `json:"section_id"`
	Name      string            `json:"name"`
	Countries []string          `json:"countries"`
	Agencies  []string          `json:"agencies"`
	Geometry  *geojson.Geometry `json:"geometry"`
	Bounds    []float64         `json:"bounds"`
	From      risk.GapState     `json:"from"`
	To        risk.GapState     `json:"to"`
	Residual  risk.Shift        `json:"residual_change"`
	Incidents float64           `json:"because_of_incidents"`
	Coverage  float64           `json:"because_of_coverage"`
	Reason    string            `json:"reason"`
}

type diffReport struct {
	From      time.Time    `json:"from"`
	To        time.Time    `json:"to"`
	Changes   []diffAnswer `json:"changes"`
	Opened    int          `json:"opened"`
	Closed    int          `json:"closed"`
	Moved     int          `json:"moved"`
	Unchanged int          `json:"unchanged"`
	Note      string       `json:"note"`
	Model     string       `json:"model"`
	Versions  []string     `json:"versions"` // of the two assessments
	Synthetic bool         `json:"synthetic"`
}

var diffWords = struct {
	change                             map[risk.GapChange]tiles.Words
	residual, class, level, rank, note tiles.Words
}{
	change: map[risk.GapChange]tiles.Words{
		risk.Opened: {EN: "Opened", ID: "Terbuka", MS: "Terbuka"},
		risk.Closed: {EN: "Closed", ID: "Tertutup", MS: "Tertutup"},
		risk.Moved:  {EN: "Moved", ID: "Bergeser", MS: "Beralih"},
	},
	residual: tiles.Words{
		EN: "undetected in 30 days %.3g, before %.3g (incidents %+.2g, coverage %+.2g)",
		ID: "tak terdeteksi dalam 30 hari %.3g, sebelumnya %.3g (kejadian %+.2g, cakupan %+.2g)",
		MS: "tidak dikesan dalam 30 hari %.3g, sebelumnya %.3g (insiden %+.2g, liputan %+.2g)",
	},
	class: tiles.Words{EN: "class %s, before %s", ID: "golongan %s, sebelumnya %s", MS: "kelas %s, sebelumnya %s"},
	level: tiles.Words{EN: "level %s, before %s", ID: "tingkat risiko %s, sebelumnya %s", MS: "tahap risiko %s, sebelumnya %s"},
	rank: tiles.Words{
		EN: "rank %d, before %d", ID: "peringkat %d, sebelumnya %d", MS: "kedudukan %d, sebelumnya %d",
	},
	note: tiles.Words{
		EN: "Both reports are made of what is on file now: records that came late count in both",
		ID: "Kedua laporan dibuat dari data yang ada sekarang: catatan yang terlambat masuk dihitung di keduanya",
		MS: "Kedua-dua laporan dibuat daripada data yang ada sekarang: rekod yang lewat diterima dikira dalam kedua-duanya",
	},
}

var levelWords = map[risk.Level]tiles.Words{
	risk.Low:      {EN: "low", ID: "rendah", MS: "rendah"},
	risk.Elevated: {EN: "medium", ID: "sedang", MS: "sederhana"},
	risk.High:     {EN: "high", ID: "tinggi", MS: "tinggi"},
	risk.Critical: {EN: "critical", ID: "kritis", MS: "kritikal"},
}

var classNames = map[risk.Class]tiles.Words{
	risk.Gap:               {EN: "gap", ID: "celah patroli", MS: "jurang rondaan"},
	risk.BlindSpotPriority: {EN: "priority blind spot", ID: "titik buta prioritas", MS: "titik buta keutamaan"},
	risk.BlindSpot:         {EN: "blind spot", ID: "titik buta", MS: "titik buta"},
	risk.NoReport:          {EN: "no report received", ID: "laporan tidak diterima", MS: "laporan tidak diterima"},
	risk.Mismatch:          {EN: "one side watched", ID: "satu sisi diawasi", MS: "satu pihak dipantau"},
	risk.Fading:            {EN: "fading coverage", ID: "cakupan memudar", MS: "liputan merosot"},
	risk.Quiet:             {EN: "quiet", ID: "tenang", MS: "tenang"},
}

// gapsDiff compares the gap reports of two instants. It costs at most two
// assessments, made one after the other and kept with the variants.
func (s *Server) gapsDiff(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	format, err := formatParam(r, GapsJSON, GapsCSV)
	if err != nil {
		return err
	}
	filter, err := gapFilter(r)
	if err != nil {
		return err
	}
	base, err := readAsk(r)
	if err != nil {
		return err
	}
	from, to, err := s.diffInstants(r)
	if err != nil {
		return err
	}
	before, after := base, base
	before.AsOf, after.AsOf = from, to
	earlier, err := s.assessmentFor(r.Context(), before)
	if err != nil {
		return err
	}
	later, err := s.assessmentFor(r.Context(), after)
	if err != nil {
		return err
	}
	rep := diffReport{From: from, To: to, Changes: []diffAnswer{}, Note: diffWords.note.In(lang), Model: later.Model.Version,
		Versions: []string{earlier.Version, later.Version}, Synthetic: later.Synthetic}
	diff := risk.CompareGaps(s.side(earlier), s.side(later), filter)
	rep.Unchanged = diff.Unchanged
	for _, c := range diff.Changes {
		rep.add(c, lang)
	}
	if format == GapsCSV {
		body, err := rep.csv()
		if err != nil {
			return err
		}
		w.Header().Set("Content-Disposition", `attachment; filename="sempadan-gaps-diff.csv"`)
		s.send(w, r, reply{contentType: format.contentType(), body: body})
		return nil
	}
	return s.sendJSON(w, r, http.StatusOK, rep)
}

// side is an assessment with the levels that were in force at its instant.
func (s *Server) side(a *risk.Assessment) risk.Side {
	levels := s.levelsFor(ask{AsOf: a.AsOf})
	return risk.Side{Assessment: a, LevelOf: func(sec risk.Section) risk.Level { return levels.of(sec, a.AsOf).Level }}
}

// diffInstants reads from and to; without to, it is the newest assessment's.
func (s *Server) diffInstants(r *http.Request) (from, to time.Time, err error) {
	if from, err = timeParam(r, "from"); err != nil {
		return from, to, err
	}
	if from.IsZero() {
		return from, to, badParameter("from", "is missing")
	}
	if to, err = timeParam(r, "to"); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = s.assessment.Load().AsOf
	}
	if !from.Before(to) {
		return from, to, badParameter("from", "%s is not before %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return from, to, nil
}

func (rep *diffReport) add(c risk.GapDiff, lang tiles.Lang) {
	switch c.Change {
	case risk.Opened:
		rep.Opened++
	case risk.Closed:
		rep.Closed++
	case risk.Moved:
		rep.Moved++
	}
	s := c.Section
	b := s.Line.Bound()
	rep.Changes = append(rep.Changes, diffAnswer{
		Change: c.Change, SectionID: s.ID, Name: s.Name, Countries: emptyNotNil(s.Countries), Agencies: emptyNotNil(s.Agencies),
		Geometry: geojson.NewGeometry(rounded(s.Line)), Bounds: []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]},
		From: c.From, To: c.To, Residual: c.Residual, Incidents: c.Incidents, Coverage: c.Coverage, Reason: diffReason(c, lang),
	})
}

// diffReason says in one sentence what changed and why.
func diffReason(c risk.GapDiff, lang tiles.Lang) string {
	parts := []string{diffWords.change[c.Change].In(lang)}
	if c.From.Class != c.To.Class {
		parts = append(parts, fmt.Sprintf(diffWords.class.In(lang), classNames[c.To.Class].In(lang), classNames[c.From.Class].In(lang)))
	}
	if c.From.Level != c.To.Level {
		parts = append(parts, fmt.Sprintf(diffWords.level.In(lang), levelWords[c.To.Level].In(lang), levelWords[c.From.Level].In(lang)))
	}
	if c.Change == risk.Moved && c.From.Rank != c.To.Rank {
		parts = append(parts, fmt.Sprintf(diffWords.rank.In(lang), c.To.Rank, c.From.Rank))
	}
	parts = append(parts, fmt.Sprintf(diffWords.residual.In(lang), c.To.Residual.Mean, c.From.Residual.Mean, c.Incidents, c.Coverage))
	if c.Change == risk.Opened {
		parts = append(parts, gapReason(*c.Row, lang))
	}
	return strings.Join(parts, "; ")
}

func (rep *diffReport) csv() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{
		"change", "section_id", "name", "countries", "agencies", "rank_from", "rank_to", "class_from", "class_to", "level_from", "level_to",
		"residual_30d_from", "residual_30d_to", "residual_change", "residual_change_lo", "residual_change_hi",
		"because_of_incidents", "because_of_coverage", "west", "south", "east", "north", "reason", "from", "to", "model", "synthetic",
	}}
	num := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	rank := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for _, c := range rep.Changes {
		rows = append(rows, []string{
			string(c.Change), c.SectionID, safeCell(c.Name), strings.Join(c.Countries, " "), safeCell(strings.Join(c.Agencies, " ")),
			rank(c.From.Rank), rank(c.To.Rank), string(c.From.Class), string(c.To.Class), string(c.From.Level), string(c.To.Level),
			num(c.From.Residual.Mean), num(c.To.Residual.Mean), num(c.Residual.Mean), num(c.Residual.Lo), num(c.Residual.Hi),
			num(c.Incidents), num(c.Coverage), num(c.Bounds[0]), num(c.Bounds[1]), num(c.Bounds[2]), num(c.Bounds[3]),
			safeCell(c.Reason), rep.From.Format(time.RFC3339), rep.To.Format(time.RFC3339), safeCell(rep.Model), strconv.FormatBool(rep.Synthetic),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
