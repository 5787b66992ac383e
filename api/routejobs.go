package api

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
	routing "github.com/sempadan/sempadan/geo/route"
)

// scoring is a file of lines to be scored.
type scoring struct {
	a     *risk.Assessment
	in    RouteLines
	o     routing.Options
	parts bool
}

// keptScores is how many files of scores are kept for those who asked.
const keptScores = 4

// longestScoring bounds a job.
const longestScoring = 5 * time.Minute

// startScores makes a job of the scores of a file. Jobs are kept by the service
// itself, not by what one circle sees.
func (s *Server) startScores(w http.ResponseWriter, r *http.Request, q scoring) error {
	top := s
	if s.parent != nil {
		top = s.parent
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longestScoring)
	j := &job{cancel: cancel, done: make(chan struct{}), owner: asker(r.Context()).ID, answer: jobAnswer{
		ID: rand.Text(), Kind: "scores", Status: jobAccepted, Phase: "waiting", Created: s.opts.Now().UTC()}}
	if err := top.jobs.add(j); err != nil {
		cancel()
		return err
	}
	top.jobs.dropScores(keptScores)
	go func() {
		defer cancel()
		out, err := ScoreRoutes(ctx, q.a, q.in, ScoreOptions{Options: q.o, Parts: q.parts, Progress: func(done int) { j.scored(done, len(q.in.Lines)) }})
		j.finishScores(out, err)
		if err != nil && ctx.Err() == nil {
			s.log.Info("a job failed", "job", j.answer.ID, "error", err)
		}
	}()
	w.Header().Set("Location", "/v1/jobs/"+j.answer.ID)
	w.Header().Set("Preference-Applied", "respond-async")
	return s.sendJSON(w, r, http.StatusAccepted, j.show())
}

// dropScores forgets the scores of finished jobs but for the newest.
func (js *jobs) dropScores(keep int) {
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range js.list() {
		j.mu.Lock()
		if j.answer.Kind == "scores" && j.answer.Scores != nil {
			if keep--; keep < 0 {
				j.answer.Scores, j.answer.Phase = nil, "forgotten"
			}
		}
		j.mu.Unlock()
	}
}

func (j *job) scored(done, all int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	a := &j.answer
	if j.started.IsZero() {
		j.started = time.Now()
	}
	a.Status, a.Phase, a.Rows, a.Progress = jobRunning, "scoring", done, float64(done)/float64(all)
	if took := time.Since(j.started).Seconds(); took > 0 {
		left := took/a.Progress - took
		a.RowsPerS, a.EtaS = float64(done)/took, &left
	}
}

func (j *job) finishScores(out *ScoredRoutes, err error) {
	j.mu.Lock()
	j.answer.Scores = out
	j.mu.Unlock()
	j.finish(uploaded{}, err)
}
