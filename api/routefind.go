package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	routing "github.com/sempadan/sempadan/geo/route"
	"github.com/sempadan/sempadan/tiles"
)

// FoundWay is a way with the risk along it.
type FoundWay struct {
	// Kind is fastest, least_met, front, alternative or way.
	Kind string `json:"kind"`
	routing.Way
	// P is how often it is chosen among alternatives.
	P *float64 `json:"p,omitempty"`
	// PIncident is the chance of at least one incident along it, in the corridor
	// and period of routing.DefaultOptions; nil when nothing is known of it.
	PIncident         *float64       `json:"p_incident"`
	PIncidentInterval *risk.Interval `json:"p_incident_interval,omitempty"`
}

// RouteAnswer is what was found.
type RouteAnswer struct {
	Ways []FoundWay `json:"ways,omitempty"`
	// Evasion is the chance to get through over the choice of alternatives.
	Evasion *float64 `json:"evasion,omitempty"`
	// HourMatters: patrols on the ways are not the same at all hours; HourWhy says
	// how that was counted.
	Depart      *time.Time          `json:"depart,omitempty"`
	HourMatters *bool               `json:"hour_matters,omitempty"`
	HourWhy     string              `json:"hour_why,omitempty"`
	Corridor    *routing.Corridor   `json:"corridor,omitempty"`
	Matrix      *routing.Matrix     `json:"matrix,omitempty"`
	MinCut      *routing.MinCut     `json:"min_cut,omitempty"` // of a matrix
	Interdict   *InterdictionAnswer `json:"interdiction,omitempty"`
	Modes       []string            `json:"modes"`
	CellM       float64             `json:"cell_m"`
	Model       string              `json:"model"`
	Version     string              `json:"version"`
	Synthetic   bool                `json:"synthetic"`
	PeriodDays  float64             `json:"period_days"`
	CorridorM   float64             `json:"corridor_m"`
}

// InterdictionAnswer is what to protect.
type InterdictionAnswer struct {
	routing.Protection
	Of string `json:"of"` // crossings or segments
	// Segments or Crossings are the elements that were chosen, in their order.
	Segments  []routing.Segment        `json:"segments,omitempty"`
	Crossings []routing.MatrixCrossing `json:"crossings,omitempty"`
	Protect   float64                  `json:"protect"`
}

// Answer finds what a checked question asks for on a graph over an assessment.
func (q *RouteQuestion) Answer(ctx context.Context, a *risk.Assessment, g *routing.Graph) (*RouteAnswer, error) {
	var walls []*geo.Layer
	for _, b := range q.Avoid {
		wall, err := b.layer(a)
		if err != nil {
			return nil, err
		}
		walls = append(walls, wall)
	}
	if walls != nil {
		g = g.WithBarriers(walls...)
	}
	o := routing.DefaultOptions()
	out := &RouteAnswer{Modes: q.Mode, CellM: g.Options.CellM, Model: a.Model.Version, Version: a.Version, Synthetic: a.Synthetic,
		PeriodDays: o.PeriodDays, CorridorM: o.CorridorM}
	if q.Matrix != nil {
		return out, q.fillMatrix(ctx, g, out)
	}
	return out, q.fillWays(ctx, a, g, out)
}

// layer is the barrier's areas.
func (b Barrier) layer(a *risk.Assessment) (*geo.Layer, error) {
	if b.Area != nil {
		build := geo.NewBuilder(geo.LayerInfo{ID: "avoid", Kind: geo.KindArea})
		build.Add(geo.Feature{Geometry: b.Area})
		return build.Layer(), nil
	}
	for _, l := range a.Layers() {
		if l.Info.ID == b.Layer {
			return l, nil
		}
	}
	return nil, problem{Status: http.StatusUnprocessableEntity, Code: "no_such_barrier", Detail: fmt.Sprintf("avoid: there is no layer %q; GET /v1/layers lists them", b.Layer)}
}

func (q *RouteQuestion) theta() float64 {
	if q.Theta == nil {
		return moderateTheta
	}
	return float64(*q.Theta)
}

func (q *RouteQuestion) fillWays(ctx context.Context, a *risk.Assessment, g *routing.Graph, out *RouteAnswer) error {
	ask := routing.Query{From: orb.Point(*q.From), To: orb.Point(*q.To), Modes: q.Mode, Theta: q.theta(), SnapM: q.SnapM}
	if q.Depart != nil {
		ask.Depart = time.Time(*q.Depart)
	}
	var err error
	switch {
	case q.K > 1 || q.Interdict != nil:
		err = q.fillAlternatives(ctx, g, ask, out)
	case q.Front:
		var ways []routing.Way
		ways, err = g.Front(ctx, ask, routing.DefaultThetas())
		for _, w := range ways {
			out.Ways = append(out.Ways, FoundWay{Kind: "front", Way: w})
		}
	case q.Theta != nil || q.K == 1:
		err = out.find(ctx, g, ask, "way")
	default:
		ask.Theta = 0
		if err = out.find(ctx, g, ask, "fastest"); err == nil {
			ask.Theta = math.Inf(1)
			err = out.find(ctx, g, ask, "least_met")
		}
		ask.Theta = q.theta()
	}
	if err == nil && q.Corridor {
		out.Corridor, err = g.Corridor(ctx, ask, routing.DefaultCorridor())
	}
	if err != nil {
		return err
	}
	out.sayHours(ask.Depart)
	return out.scoreWays(ctx, a)
}

// sayHours tells whether the hour matters to the ways.
func (out *RouteAnswer) sayHours(depart time.Time) {
	matters := slices.ContainsFunc(out.Ways, func(w FoundWay) bool { return w.HourMatters })
	out.HourMatters = &matters
	if !depart.IsZero() {
		at := depart.UTC()
		out.Depart = &at
	}
	switch {
	case !matters:
		out.HourWhy = "patrols on these ways are even over the week, or there are none: the hour of departure does not change the chances"
	case depart.IsZero():
		out.HourWhy = "patrols on these ways come at some hours more than at others and count with their mean over the week; give depart for the chances at an hour"
	default:
		out.HourWhy = "patrols count with the hour of the week at which the traveller comes to each place, without waiting; another departure has other chances, and perhaps other ways"
	}
}

func (out *RouteAnswer) find(ctx context.Context, g *routing.Graph, ask routing.Query, kind string) error {
	w, err := g.Find(ctx, ask)
	if err == nil {
		out.Ways = append(out.Ways, FoundWay{Kind: kind, Way: *w})
	}
	return err
}

func (q *RouteQuestion) fillAlternatives(ctx context.Context, g *routing.Graph, ask routing.Query, out *RouteAnswer) error {
	o := routing.DefaultAlternatives()
	if q.K > 0 {
		o.K = q.K
	}
	found, err := g.Alternatives(ctx, ask, o)
	if err != nil {
		return err
	}
	for _, w := range found.Ways {
		out.Ways = append(out.Ways, FoundWay{Kind: "alternative", Way: w.Way, P: &w.P})
	}
	out.Evasion = &found.Evasion
	if q.Interdict == nil {
		return nil
	}
	p, segments, err := g.SegmentInterdiction([]*routing.Alternatives{found}, q.Interdict.SideM, q.Interdict.Protect)
	if err != nil {
		return err
	}
	segments = awayFrom(p, segments, ask.From, ask.To)
	answer, err := q.Interdict.solve(p, "segments")
	if err != nil {
		return err
	}
	for _, e := range answer.Elements {
		answer.Segments = append(answer.Segments, segments[e])
	}
	out.Interdict = answer
	return nil
}

// awayFrom leaves out the squares at the ends and those next to them: all ways pass
// there, wherever they lead.
func awayFrom(p *routing.Interdiction, segments []routing.Segment, ends ...orb.Point) []routing.Segment {
	number := make([]int, len(segments)) // from 1; 0: left out
	var kept []routing.Segment
	for e, seg := range segments {
		near := seg.Box.Pad(seg.Box.Max[0] - seg.Box.Min[0])
		if !slices.ContainsFunc(ends, near.Contains) {
			kept = append(kept, seg)
			number[e] = len(kept)
		}
	}
	p.Protect = p.Protect[:len(kept)]
	for _, s := range p.Scenarios {
		for w := range s.Ways {
			var passes []int
			for _, e := range s.Ways[w].Passes {
				if number[e] > 0 {
					passes = append(passes, number[e]-1)
				}
			}
			s.Ways[w].Passes = passes
		}
	}
	return kept
}

func (q *RouteQuestion) fillMatrix(ctx context.Context, g *routing.Graph, out *RouteAnswer) error {
	m, err := g.Matrix(ctx, q.matrixQuery())
	if err != nil {
		return err
	}
	out.Matrix = m
	if q.Matrix.MinCut {
		ask := routing.Query{Modes: q.Mode, Theta: q.theta(), SnapM: q.SnapM}
		if out.MinCut, err = g.MinCut(ctx, points(q.Matrix.Origins), points(q.Matrix.Destinations), ask, routing.DefaultCorridor()); err != nil {
			return err
		}
	}
	if q.Interdict == nil {
		return nil
	}
	answer, err := q.Interdict.solve(m.Interdiction(q.Interdict.Protect), "crossings")
	if err != nil {
		return err
	}
	for _, e := range answer.Elements {
		answer.Crossings = append(answer.Crossings, m.Crossings[e])
	}
	out.Interdict = answer
	return nil
}

func (q *RouteQuestion) matrixQuery() routing.MatrixQuery {
	m := q.Matrix
	return routing.MatrixQuery{Origins: points(m.Origins), Destinations: points(m.Destinations), Crossings: points(m.Crossings),
		Modes: q.Mode, Theta: q.theta(), SnapM: q.SnapM, Stretch: m.Stretch}
}

func (i *InterdictQuestion) solve(p *routing.Interdiction, of string) (*InterdictionAnswer, error) {
	p.Gamma = i.Gamma
	best, err := p.Solve(min(i.K, len(p.Protect)))
	if err != nil {
		return nil, problem{Status: http.StatusUnprocessableEntity, Code: "no_interdiction", Detail: err.Error()}
	}
	return &InterdictionAnswer{Protection: *best, Of: of, Protect: i.Protect}, nil
}

// scoreWays tells the incidents along the ways.
func (out *RouteAnswer) scoreWays(ctx context.Context, a *risk.Assessment) error {
	for i := range out.Ways {
		w := &out.Ways[i]
		score, err := routing.ScoreLine(ctx, a, w.Line, routing.DefaultOptions())
		switch {
		case errors.Is(err, routing.ErrLine), errors.Is(err, routing.ErrUnknown):
		case err != nil:
			return err
		default:
			w.PIncident, w.PIncidentInterval = &score.PIncident, &score.PIncidentInterval
		}
		w.Line = orb.Round(w.Line.Clone(), 1e6).(orb.LineString)
	}
	return nil
}

// findRoutes answers ways. It is for planners: they are a manual for offenders.
func (s *Server) findRoutes(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	format := r.URL.Query().Get("format")
	if format != "" && format != "json" && format != "geojson" && format != "gpx" {
		return badParameter("format", "%q is not json, geojson or gpx", format)
	}
	var q RouteQuestion
	question, err := readQuestion(w, r, &q)
	if err == nil {
		err = q.Check()
	}
	if err != nil {
		return invalidQuestion(err)
	}
	if q.Matrix != nil && (format == "geojson" || format == "gpx") {
		return badParameter("format", "a matrix has no lines; ask for json")
	}
	for _, b := range q.Avoid { // of what is seen: others could be found by how ways turn
		if b.Layer != "" && s.current().byID[b.Layer] == nil {
			return problem{Status: http.StatusUnprocessableEntity, Code: "no_such_barrier", Detail: fmt.Sprintf("avoid: there is no layer %q; GET /v1/layers lists them", b.Layer)}
		}
	}
	s.noteRoute(r.Context(), q.kind(), question)
	a := s.assessment.Load()
	g, err := s.graphOf(r.Context(), a, fineCellM)
	if err != nil {
		return err
	}
	out, err := q.Answer(r.Context(), a, g)
	if err != nil {
		return routeProblem(err)
	}
	if format == "" || format == "json" {
		return s.sendUntagged(w, r, out)
	}
	mark := geo.ExportMark{}
	if !asker(r.Context()).Local {
		mark = s.markOf(w, r, "routes", true, tiles.English)
	}
	body, err := out.Render(format, mark)
	if err != nil {
		return err
	}
	contentType := GapsGeoJSON.contentType()
	if format == "gpx" {
		contentType = "application/gpx+xml"
		w.Header().Set("Content-Disposition", `attachment; filename="sempadan-routes.gpx"`)
	}
	s.send(w, r, reply{contentType: contentType, body: body, untagged: true})
	return nil
}

// readQuestion is readJSON that also returns the body.
func readQuestion(w http.ResponseWriter, r *http.Request, into any) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return raw, readJSON(w, r, into)
}

func invalidQuestion(err error) error {
	var p problem
	var tooBig *http.MaxBytesError
	var cut bodyError
	if errors.As(err, &p) || errors.As(err, &tooBig) || errors.As(err, &cut) {
		return err
	}
	return problem{Status: http.StatusBadRequest, Code: "invalid_question", Detail: err.Error()}
}

// Render writes the ways as geojson or gpx. A mark says who took them.
func (out *RouteAnswer) Render(format string, mark geo.ExportMark) ([]byte, error) {
	build := geo.NewBuilder(geo.LayerInfo{ID: "routes", Title: "Routes", Kind: geo.KindOther})
	for i, w := range out.Ways {
		p := map[string]any{"name": fmt.Sprintf("%s %d", w.Kind, i+1), "kind": w.Kind, "length_m": math.Round(w.LengthM), "hours": w.Hours, "p_detected": w.PDetected.Mean, "evasion": w.Evasion}
		if w.PIncident != nil {
			p["p_incident"] = *w.PIncident
		}
		if w.P != nil {
			p["p"] = *w.P
		}
		if w.Theta != nil {
			p["theta"] = *w.Theta
		}
		build.Add(geo.Feature{Geometry: w.Line, Properties: p})
	}
	if format == "geojson" {
		out.drawElements(build)
	}
	var b bytes.Buffer
	err := data.Export{Layer: build.Layer(), Mark: mark}.Write(context.Background(), &b, format)
	return b.Bytes(), err
}

// drawElements adds what is no way: the corridor, its pinch points, and what to
// protect.
func (out *RouteAnswer) drawElements(build *geo.Builder) {
	if c := out.Corridor; c != nil {
		for _, e := range c.Edges {
			build.Add(geo.Feature{Geometry: orb.LineString{e.From, e.To}, Properties: map[string]any{"kind": "corridor", "passages": e.Passages}})
		}
		for _, p := range c.Pinch {
			build.Add(geo.Feature{Geometry: p.Box.ToPolygon(), Properties: map[string]any{"kind": "pinch", "passages": p.Passages, "section_id": p.SectionID}})
		}
	}
	if c := out.Corridor; c != nil {
		for _, s := range c.MinCut.Squares {
			build.Add(geo.Feature{Geometry: s.Box.ToPolygon(), Properties: map[string]any{"kind": "cut", "passages": s.Passages, "evasion_share": s.EvasionShare, "section_id": s.SectionID}})
		}
	}
	if i := out.Interdict; i != nil {
		for rank, seg := range i.Segments {
			build.Add(geo.Feature{Geometry: seg.Box.ToPolygon(), Properties: map[string]any{"kind": "protect", "rank": float64(rank + 1), "section_id": seg.SectionID}})
		}
	}
}
