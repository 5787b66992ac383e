package api

import (
	"net/http"
	"slices"

	"github.com/gorilla/mux"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

func (s *Server) pointRisk(w http.ResponseWriter, r *http.Request) error {
	p, err := pointParam(r)
	if err != nil {
		return err
	}
	a, err := readAsk(r)
	if err != nil {
		return err
	}
	as, err := s.assessmentFor(r.Context(), a)
	if err != nil {
		return err
	}
	return s.sendJSON(w, r, http.StatusOK, struct {
		risk.PointRisk
		AsOf any `json:"as_of"`
	}{as.At(p), as.AsOf})
}

// sectionAnswer is a section with its line.
type sectionAnswer struct {
	risk.Section
	Geometry *geojson.Geometry `json:"geometry"`
	Bounds   []float64         `json:"bounds"`
}

func answerSection(s risk.Section) sectionAnswer {
	b := s.Line.Bound()
	return sectionAnswer{s, geojson.NewGeometry(rounded(s.Line)), []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}}
}

// rounded keeps a line's coordinates to about a decimetre.
func rounded(line orb.LineString) orb.LineString {
	return orb.Round(line.Clone(), 1e6).(orb.LineString)
}

func (s *Server) sections(w http.ResponseWriter, r *http.Request) error {
	as, err := s.assessmentOf(r)
	if err != nil {
		return err
	}
	out := []sectionAnswer{}
	for _, sec := range as.Sections {
		out = append(out, answerSection(sec))
	}
	return s.sendJSON(w, r, http.StatusOK, map[string]any{
		"sections": out, "as_of": as.AsOf, "model": as.Model.Version, "version": as.Version, "synthetic": as.Synthetic,
	})
}

func (s *Server) section(w http.ResponseWriter, r *http.Request) error {
	as, err := s.assessmentOf(r)
	if err != nil {
		return err
	}
	id := mux.Vars(r)["id"]
	sec, ok := as.Section(id)
	if !ok {
		return problem{Status: http.StatusNotFound, Code: "section_not_found",
			Detail: "there is no section " + id + "; GET /v1/sections lists them"}
	}
	return s.sendJSON(w, r, http.StatusOK, answerSection(sec))
}

func (s *Server) assessmentOf(r *http.Request) (*risk.Assessment, error) {
	a, err := readAsk(r)
	if err != nil {
		return nil, err
	}
	return s.assessmentFor(r.Context(), a)
}

func (s *Server) gaps(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	filter := risk.GapFilter{Country: q.Get("country"), Agency: q.Get("agency"), MinLevel: risk.Level(q.Get("min_level"))}
	if _, ok := risk.ParseLevel(q.Get("min_level")); !ok && filter.MinLevel != "" {
		return badParameter("min_level", "%q is not low, medium, high or critical", filter.MinLevel)
	}
	if filter.Limit, err = intParam(r, "limit", 0, 1, 10_000); err != nil {
		return err
	}
	if c := filter.Country; c != "" && !slices.Contains([]string{"ID", "MY", "BN", "SG"}, c) {
		return badParameter("country", "%q is not ID, MY, BN or SG", c)
	}
	format := GapFormat(q.Get("format"))
	if format == "" {
		format = GapsJSON
	}
	if !format.known() {
		return badParameter("format", "%q is not json, geojson or csv", format)
	}
	as, err := s.assessmentOf(r)
	if err != nil {
		return err
	}
	body, err := RenderGaps(as, filter, format, tiles.Lang(lang))
	if err != nil {
		return err
	}
	if format != GapsJSON {
		w.Header().Set("Content-Disposition", `attachment; filename="sempadan-gaps.`+string(format)+`"`)
	}
	s.send(w, r, reply{contentType: format.contentType(), body: body})
	return nil
}
