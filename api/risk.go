package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

func (s *Server) pointRisk(w http.ResponseWriter, r *http.Request) error {
	p, err := pointParam(r)
	if err != nil {
		return err
	}
	a, as, err := s.asked(r)
	if err != nil {
		return err
	}
	out := struct {
		risk.PointRisk
		Status   string     `json:"level_status,omitempty"`
		Proposal risk.Level `json:"level_proposal,omitempty"`
		AsOf     time.Time  `json:"as_of"`
	}{PointRisk: as.At(p), AsOf: as.AsOf}
	out.Because = s.tellReasons(r.Context(), out.Because)
	if sec, ok := as.Section(out.SectionID); ok {
		level := s.levelsFor(a).of(sec, s.instantOf(a, as))
		out.Level, out.Status, out.Proposal = level.Level, level.Status, level.Proposal
	}
	return s.sendJSON(w, r, http.StatusOK, out)
}

// sectionAnswer is a section with its line, and its level by agreement.
type sectionAnswer struct {
	risk.Section
	levelAnswer
	Found    *risk.Found       `json:"found_by_patrols,omitempty"`
	Geometry *geojson.Geometry `json:"geometry,omitempty"`
	Bounds   []float64         `json:"bounds"`
}

func answerSection(s risk.Section, level levelAnswer) sectionAnswer {
	b := s.Line.Bound()
	return sectionAnswer{s, level, nil, geojson.NewGeometry(rounded(s.Line)), []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}}
}

// wholeSection is one section with what its level asks for, and what the others
// would.
type wholeSection struct {
	sectionAnswer
	Response string `json:"response"`
	responseTable
}

func answerWhole(s risk.Section, level levelAnswer, m risk.Model, lang tiles.Lang) wholeSection {
	return wholeSection{answerSection(s, level), responseTo(m, level.Level, lang), answerResponses(m, lang)}
}

// rounded keeps a line's coordinates to about a decimetre.
func rounded(line orb.LineString) orb.LineString {
	return orb.Round(line.Clone(), 1e6).(orb.LineString)
}

func (s *Server) sections(w http.ResponseWriter, r *http.Request) error {
	format, err := formatParam(r, GapsJSON, GapsGeoJSON)
	if err != nil {
		return err
	}
	a, as, err := s.asked(r)
	if err != nil {
		return err
	}
	levels, at := s.levelsFor(a), s.instantOf(a, as)
	out := []sectionAnswer{}
	for _, sec := range as.Sections {
		out = append(out, answerSection(sec, levels.of(sec, at)))
	}
	whole := map[string]any{"as_of": as.AsOf, "model": as.Model.Version, "version": as.Version, "synthetic": as.Synthetic}
	if format == GapsGeoJSON {
		return s.sendFeatures(w, r, sectionFeatures(out), whole)
	}
	whole["sections"] = out
	return s.sendJSON(w, r, http.StatusOK, whole)
}

func sectionFeatures(all []sectionAnswer) []feature {
	features := []feature{}
	for _, sec := range all {
		geometry := sec.Geometry
		sec.Geometry = nil
		features = append(features, feature{"Feature", sec.ID, geometry, sec})
	}
	return features
}

func (s *Server) section(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	a, as, err := s.asked(r)
	if err != nil {
		return err
	}
	sec, err := findSection(as, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	out, found := answerWhole(sec, s.levelsFor(a).of(sec, s.instantOf(a, as)), as.Model, lang), as.FoundIn(sec.ID)
	out.Found = &found
	return s.sendJSON(w, r, http.StatusOK, out)
}

// findSection finds a section by its identifier, or is a 404.
func findSection(as *risk.Assessment, id string) (risk.Section, error) {
	if sec, ok := as.Section(id); ok {
		return sec, nil
	}
	return risk.Section{}, problem{Status: http.StatusNotFound, Code: "section_not_found",
		Detail: "there is no section " + id + "; GET /v1/sections lists them"}
}

// instantOf is the instant up to which signatures count: now, or the instant
// that was asked for.
func (s *Server) instantOf(a ask, as *risk.Assessment) time.Time {
	if a.AsOf.IsZero() {
		return s.opts.Now()
	}
	return as.AsOf
}

// feature is one of a GeoJSON answer.
type feature struct {
	Type       string            `json:"type"`
	ID         string            `json:"id"`
	Geometry   *geojson.Geometry `json:"geometry"`
	Properties any               `json:"properties"`
}

// sendFeatures sends a GeoJSON collection with members of its own.
func (s *Server) sendFeatures(w http.ResponseWriter, r *http.Request, features []feature, members map[string]any) error {
	members["type"], members["features"] = "FeatureCollection", features
	body, err := json.Marshal(members)
	if err != nil {
		return err
	}
	s.send(w, r, reply{contentType: GapsGeoJSON.contentType(), body: append(body, '\n')})
	return nil
}

// formatParam reads the form of an answer; the first is the usual one.
func formatParam(r *http.Request, known ...GapFormat) (GapFormat, error) {
	f := GapFormat(r.URL.Query().Get("format"))
	if f == "" {
		return known[0], nil
	}
	if !slices.Contains(known, f) {
		var names []string
		for _, k := range known {
			names = append(names, string(k))
		}
		return "", badParameter("format", "%q is not one of %s", f, strings.Join(names, ", "))
	}
	return f, nil
}

// gapFilter reads what narrows a gap report.
func gapFilter(r *http.Request) (filter risk.GapFilter, err error) {
	q := r.URL.Query()
	filter = risk.GapFilter{Country: q.Get("country"), Agency: q.Get("agency"), MinLevel: risk.Level(q.Get("min_level"))}
	if _, ok := risk.ParseLevel(q.Get("min_level")); !ok && filter.MinLevel != "" {
		return filter, badParameter("min_level", "%q is not low, medium, high or critical", filter.MinLevel)
	}
	if filter.Limit, err = intParam(r, "limit", 0, 1, 10_000); err != nil {
		return filter, err
	}
	if c := filter.Country; c != "" && !slices.Contains([]string{"ID", "MY", "BN", "SG"}, c) {
		return filter, badParameter("country", "%q is not ID, MY, BN or SG", c)
	}
	return filter, nil
}

func (s *Server) gaps(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	filter, err := gapFilter(r)
	if err != nil {
		return err
	}
	format, err := formatParam(r, GapFormats()...)
	if err != nil {
		return err
	}
	a, as, err := s.asked(r)
	if err != nil {
		return err
	}
	report := GapReport{Assessment: as, Levels: s.levelsFor(a), At: s.instantOf(a, as), Filter: filter, Lang: lang}
	if format == GapsHTML || format == GapsPDF {
		report.Mark = s.reportMark(w, r, lang).Text
	}
	body, err := report.Render(format)
	if err != nil {
		return err
	}
	h, disposition := w.Header(), "attachment"
	switch format {
	case GapsHTML:
		h.Set("Content-Security-Policy", briefingPolicy())
		disposition = "inline"
	case GapsPDF:
		disposition = "inline"
	}
	if format != GapsJSON {
		h.Set("Content-Disposition", disposition+`; filename="sempadan-gaps.`+string(format)+`"`)
	}
	s.send(w, r, reply{contentType: format.contentType(), body: body, untagged: report.Mark != ""})
	return nil
}

// tellReasons notes which records an explanation names, and takes the names of
// those that the circle sees on maps only.
func (s *Server) tellReasons(ctx context.Context, because []risk.Reason) []risk.Reason {
	out := slices.Clone(because)
	named := map[*geo.Layer][]int{}
	for i := range out {
		if out[i].Layer == "" {
			continue
		}
		e := s.current().byID[out[i].Layer]
		if e == nil {
			out[i].ID, out[i].Layer, out[i].Kind, out[i].Label, out[i].KM = "", "", "", "incident", 0
			continue
		}
		if row, err := (featureName{text: out[i].ID}).row(e.layer); err == nil {
			named[e.layer] = append(named[e.layer], row)
		}
	}
	for l, rows := range named {
		noteRows(ctx, l, slices.Values(rows))
	}
	return out
}
