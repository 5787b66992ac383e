package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo/risk"
	routing "github.com/sempadan/sempadan/geo/route"
)

const (
	// waitLines is up to how many lines a request is answered at once; more are a job.
	waitLines = 500
	// scoreChunk is how many lines are scored before their parts are let go.
	scoreChunk = 128
	allSteps   = 2000
)

func scoreParams() []string {
	return []string{"corridor_m", "speed_kmh", "depart", "period_days", "step_m", "by_time", "parts", "format", "as_of", "severity"}
}

// scoreRoutes answers what the lines of a body carry.
func (s *Server) scoreRoutes(w http.ResponseWriter, r *http.Request) error {
	o, err := scoreOptions(r)
	if err != nil {
		return err
	}
	format, err := formatParam(r, GapsJSON, GapsGeoJSON)
	if err != nil {
		return err
	}
	_, a, err := s.asked(r)
	if err != nil {
		return err
	}
	limits := data.DefaultLimits()
	limits.BodyBytes = s.opts.MaxBody
	limits.UnpackedBytes = max(limits.UnpackedBytes, 4*s.opts.MaxBody)
	in, err := ReadRouteLines(r.Context(), http.MaxBytesReader(w, r.Body, s.opts.MaxBody), data.ImportOptions{
		ContentType: r.Header.Get("Content-Type"), ContentEncoding: r.Header.Get("Content-Encoding"), Filename: r.Header.Get("X-Filename"),
		GeoPackage: s.opts.GeoPackage, Now: s.opts.Now(), Limits: limits,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	whole := len(in.Lines) == 1
	if r.URL.Query().Get("parts") != "" {
		if whole, err = boolParam(r, "parts"); err != nil {
			return err
		}
		if whole && len(in.Lines) > waitLines {
			return badParameter("parts", "the parts of more than %d lines are not told at once; leave it out", waitLines)
		}
	}
	switch {
	case format == GapsGeoJSON && len(in.Lines) > waitLines:
		return badParameter("format", "a map of more than %d lines is not made; ask for json", waitLines)
	case format == GapsGeoJSON:
		return s.sendScoredMap(w, r, a, in, o)
	case len(in.Lines) > waitLines || wantsAsync(r):
		return s.startScores(w, r, scoring{a: a, in: in, o: o, parts: whole})
	case len(in.Lines) == 1 && in.Report.Quarantined == 0:
		score, err := routing.ScoreLine(r.Context(), a, in.Lines[0], o)
		if err != nil {
			return routeProblem(err)
		}
		score.Legs, score.Profile = onlyIf(score.Legs, whole), onlyIf(score.Profile, whole)
		return s.sendUntagged(w, r, score)
	}
	out, err := ScoreRoutes(r.Context(), a, in, ScoreOptions{Options: o, Parts: whole})
	if err != nil {
		return err
	}
	return s.sendUntagged(w, r, out)
}

// sendUntagged sends JSON that no cache may keep.
func (s *Server) sendUntagged(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	s.send(w, r, reply{contentType: "application/json", body: append(body, '\n'), untagged: true})
	return nil
}

func onlyIf[T any](list []T, keep bool) []T {
	if keep {
		return list
	}
	return nil
}

// scoreOptions reads what lines are scored for.
func scoreOptions(r *http.Request) (routing.Options, error) {
	o := routing.DefaultOptions()
	for _, p := range []struct {
		name   string
		into   *float64
		lo, hi float64
	}{
		{"corridor_m", &o.CorridorM, 1, 100_000}, {"period_days", &o.PeriodDays, 0.01, 3653},
		{"speed_kmh", &o.SpeedKMH, 0.1, 1000}, {"step_m", &o.StepM, 100, 1_000_000},
	} {
		v, err := floatParam(r, p.name, *p.into, p.lo, p.hi)
		if err != nil {
			return o, err
		}
		*p.into = v
	}
	if text := r.URL.Query().Get("depart"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || t.Year() < 1900 || t.Year() > 2200 {
			return o, badParameter("depart", "%q is no instant such as 2026-11-22T20:00:00+08:00, in the years 1900 to 2200", text)
		}
		o.Depart = t
	}
	var err error
	if r.URL.Query().Get("by_time") != "" {
		o.ByTime, err = boolParam(r, "by_time")
	}
	return o, err
}

// routeProblem is the answer to a question about routes that has none.
func routeProblem(err error) error {
	code := ""
	switch {
	case errors.Is(err, routing.ErrLine):
		code = "invalid_line"
	case errors.Is(err, routing.ErrUnknown):
		code = "nothing_known"
	case errors.Is(err, routing.ErrEnds):
		code = "invalid_ends"
	case errors.Is(err, routing.ErrNoPath):
		code = "no_way"
	default:
		return err
	}
	return problem{Status: http.StatusUnprocessableEntity, Code: code, Detail: err.Error()}
}

// ScoredRoute is one of several lines: its score, or why it has none.
type ScoredRoute struct {
	Index int    `json:"index"`        // from 0, of the lines that could be read, in the order of the file
	ID    string `json:"id,omitempty"` // of its feature in the file
	*routing.Score
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// ScoredRoutes are many lines. Partial says that some have no score, or could
// not be read.
type ScoredRoutes struct {
	Routes      []ScoredRoute `json:"routes"`
	Scored      int           `json:"scored"`
	Failed      int           `json:"failed"`
	Quarantined int           `json:"quarantined"` // features that could not be read
	Rows        any           `json:"rows"`        // what is wrong with the first of them
	Partial     bool          `json:"partial"`
	Version     string        `json:"version"`
}

// ScoreOptions say how many lines are scored.
type ScoreOptions struct {
	routing.Options
	// Parts keeps the legs, the top steps and the profile of each.
	Parts bool
	// Progress, when not nil, is called with how many are done.
	Progress func(done int)
}

// ScoreRoutes scores lines; those that have no score say why.
func ScoreRoutes(ctx context.Context, a *risk.Assessment, in RouteLines, o ScoreOptions) (*ScoredRoutes, error) {
	out := &ScoredRoutes{Routes: []ScoredRoute{}, Quarantined: in.Report.Quarantined, Rows: in.Report.Rows, Version: a.Version}
	for from := 0; from < len(in.Lines); from += scoreChunk {
		some := in.Lines[from:min(len(in.Lines), from+scoreChunk)]
		scored, err := routing.ScoreAll(ctx, a, some, o.Options)
		if err != nil {
			return nil, err
		}
		for i, one := range scored {
			row := ScoredRoute{Index: from + i, ID: in.IDs[from+i], Score: one.Score}
			if one.Err != nil {
				p := problemOf(routeProblem(one.Err))
				row.Code, row.Error = p.Code, p.Detail
				out.Failed++
			} else if out.Scored++; !o.Parts {
				row.Legs, row.Profile, row.Top, row.Field = nil, nil, nil, ""
			}
			out.Routes = append(out.Routes, row)
		}
		if o.Progress != nil {
			o.Progress(len(out.Routes))
		}
	}
	out.Partial = out.Failed > 0 || out.Quarantined > 0
	return out, nil
}

// ScoredFeatures are scored lines for a map: each line with its numbers, its
// steps with their share and rank (1 is the worst), and the official crossing that
// is nearest. Its members partial, quarantined and rows are as in ScoredRoutes.
func ScoredFeatures(ctx context.Context, a *risk.Assessment, in RouteLines, o routing.Options) (*geojson.FeatureCollection, error) {
	out := geojson.NewFeatureCollection()
	o.Top = allSteps
	partial := in.Report.Quarantined > 0
	for i, line := range in.Lines {
		score, err := routing.ScoreLine(ctx, a, line, o)
		if err != nil {
			if len(in.Lines) == 1 {
				return nil, err
			}
			f := feat(line, "unscored", i)
			f.Properties["error"] = err.Error()
			out.Append(f)
			partial = true
			continue
		}
		f := feat(line, "route", i)
		steps := score.Top
		score.Top = steps[:min(len(steps), 3)]
		if len(in.Lines) > 1 {
			score.Legs, score.Top, score.Profile = nil, nil, nil
		}
		f.Properties["score"] = score
		out.Append(f)
		for rank, step := range steps {
			f := feat(cutLine(line, step.FromM, step.ToM, step.From, step.To), "step", i)
			p := f.Properties
			p["rank"], p["share"], p["unknown_share"], p["from_m"], p["to_m"] = rank+1, step.Share, step.Unknown, step.FromM, step.ToM
			p["hazard"], p["p_incident"], p["p_detected"] = step.Hazard, step.PIncident, step.PDetected
			out.Append(f)
		}
		if c := score.Crossing; c != nil {
			f := feat(c.At, "nearest_crossing", i)
			f.Properties["crossing"] = c
			out.Append(f)
		}
	}
	out.ExtraMembers = geojson.Properties{"partial": partial, "quarantined": in.Report.Quarantined, "rows": in.Report.Rows}
	return out, nil
}

func feat(g orb.Geometry, kind string, route int) *geojson.Feature {
	f := geojson.NewFeature(orb.Round(orb.Clone(g), 1e6))
	f.Properties["kind"], f.Properties["route"] = kind, route
	return f
}

func (s *Server) sendScoredMap(w http.ResponseWriter, r *http.Request, a *risk.Assessment, in RouteLines, o routing.Options) error {
	if o.StepM < 500 && len(in.Lines) > 1 {
		return badParameter("step_m", "%g is below 500, which only a map of one line may have", o.StepM)
	}
	all, err := ScoredFeatures(r.Context(), a, in, o)
	if err != nil {
		return routeProblem(err)
	}
	body, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("map of routes: %w", err)
	}
	s.send(w, r, reply{contentType: GapsGeoJSON.contentType(), body: append(body, '\n'), untagged: true})
	return nil
}

// noteRoute puts on the audit log what was asked about routes, without places:
// the same question has the same digest.
func (s *Server) noteRoute(ctx context.Context, what string, question []byte) {
	draft := data.AuditOf(ctx)
	if draft == nil || s.audit == nil {
		return
	}
	draft.Entry.Detail = data.AuditWord(what)
	draft.Entry.Values = append(draft.Entry.Values, s.audit.key.digest("route", string(question)))
}

// finite keeps JSON from numbers that it has not.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
