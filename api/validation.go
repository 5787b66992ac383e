package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// validations keeps the back-tests of the newest assessment, and of no other: a
// request for a newer one ends the work on the older.
type validations struct {
	mu      sync.Mutex
	current map[string]*validating // by what is judged
}

// validating is a back-test that is being made, or is done.
type validating struct {
	version string
	stop    context.CancelFunc
	done    chan struct{}
	// When done: the one that was asked for, and when.
	forecast *risk.Validation
	hazard   *risk.HazardValidation
	madeAt   time.Time
	err      error

	mu         sync.Mutex
	folds, all int
}

func (v *validating) progress(done, folds int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.folds, v.all = done, folds
}

// share is how much is done, 0 to 1.
func (v *validating) share() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == 0 {
		return 0
	}
	return float64(v.folds) / float64(v.all)
}

// mostValidation bounds the time of one back-test.
const mostValidation = 5 * time.Minute

// of returns the back-test of an assessment, which it begins when there is none.
func (c *validations) of(a *risk.Assessment, judged string, now func() time.Time) *validating {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.current[judged]; v != nil && v.version == a.Version {
		return v
	}
	for of, v := range c.current {
		if v.version != a.Version {
			v.stop()
			delete(c.current, of)
		}
	}
	ctx, stop := context.WithTimeout(context.Background(), mostValidation)
	v := &validating{version: a.Version, stop: stop, done: make(chan struct{})}
	if c.current == nil {
		c.current = map[string]*validating{}
	}
	c.current[judged] = v
	go func() {
		defer close(v.done)
		defer stop()
		if judged == risk.JudgesHazard {
			v.hazard, v.err = a.ValidateHazard(ctx, risk.DefaultValidation(), v.progress)
		} else {
			v.forecast, v.err = a.Validate(ctx, risk.DefaultValidation(), v.progress)
		}
		v.madeAt = now().UTC()
	}()
	return v
}

// end stops the back-tests that are being made.
func (c *validations) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.current {
		v.stop()
	}
}

// patience is how long a request waits for a back-test before it is told to
// come again.
const patience = 5 * time.Second

// validation answers how well the forecast, or the hazard, did on the loaded
// incidents: 202 while that is being worked out.
func (s *Server) validation(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	format := r.URL.Query().Get("format")
	if format != "" && format != "json" && format != "svg" {
		return badParameter("format", "%q is not json or svg", format)
	}
	judged := r.URL.Query().Get("of")
	switch {
	case judged == "":
		judged = risk.JudgesForecast
	case judged != risk.JudgesForecast && judged != risk.JudgesHazard:
		return badParameter("of", "%q is not forecast or hazard", judged)
	case judged == risk.JudgesHazard && format == "svg":
		return badParameter("format", "svg is the chart of the forecast: of the hazard use json")
	}
	v := s.validations.of(s.assessment.Load(), judged, s.opts.Now)
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case <-v.done:
	case <-r.Context().Done():
		return r.Context().Err()
	case <-wait.C:
		return s.stillValidating(w, r, v)
	}
	switch {
	case errors.Is(v.err, context.Canceled): // for a newer assessment
		return s.stillValidating(w, r, v)
	case errors.Is(v.err, context.DeadlineExceeded):
		return problem{Status: http.StatusServiceUnavailable, Code: "validation_too_long",
			Detail: "the back-test of these incidents took more than " + mostValidation.String() + "; of the forecast, sempadan backtest has no such limit"}
	case v.err != nil:
		return v.err
	}
	if v.hazard != nil {
		return s.sendJSON(w, r, http.StatusOK, struct {
			*risk.HazardValidation
			MadeAt time.Time `json:"made_at"`
		}{v.hazard, v.madeAt})
	}
	if format != "svg" {
		return s.sendJSON(w, r, http.StatusOK, struct {
			*risk.Validation
			MadeAt time.Time `json:"made_at"`
		}{v.forecast, v.madeAt})
	}
	chart := tiles.Calibration{Lang: lang, Synthetic: v.forecast.Synthetic}
	if b := v.forecast.Result; b != nil {
		chart.Bands, chart.From, chart.Until, chart.Folds = b.Calibration, b.From, b.Until, v.forecast.Parameters.Folds
	}
	s.send(w, r, reply{contentType: "image/svg+xml", body: chart.SVG()})
	return nil
}

func (s *Server) stillValidating(w http.ResponseWriter, r *http.Request, v *validating) error {
	w.Header().Set("Location", r.URL.RequestURI())
	w.Header().Set("Retry-After", "2")
	w.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(w, r, http.StatusAccepted, map[string]any{"status": "running", "progress": v.share(), "version": v.version})
}
