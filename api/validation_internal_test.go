package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/risk"
)

// A back-test that is not done is 202 with the way on, and how far it is.
func TestStillValidating(t *testing.T) {
	v := &validating{version: "abc"}
	v.progress(3, 12)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/v1/validation?format=svg", nil)
	if err := (&Server{}).stillValidating(w, r, v); err != nil {
		t.Fatal(err)
	}
	var body struct {
		Status, Version string
		Progress        float64
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if w.Code != 202 || w.Header().Get("Location") != "/v1/validation?format=svg" || w.Header().Get("Retry-After") == "" || body.Status != "running" || body.Progress != 0.25 {
		t.Errorf("%d %v %+v", w.Code, w.Header(), body)
	}
}

// One back-test an assessment; a newer assessment ends the older one's.
func TestValidationsAreMadeOnce(t *testing.T) {
	assess := func(version string) *risk.Assessment {
		a, err := risk.Assess(context.Background(), risk.Inputs{Program: version}, risk.DefaultModel())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	var c validations
	first := c.of(assess("1"), risk.JudgesForecast, time.Now)
	if c.of(assess("1"), risk.JudgesForecast, time.Now) != first {
		t.Error("the same assessment is back-tested again")
	}
	<-first.done
	second := c.of(assess("2"), risk.JudgesForecast, time.Now)
	<-second.done
	if second == first || second.err != nil && !errors.Is(second.err, context.Canceled) || len(second.forecast.Missing) == 0 {
		t.Errorf("%+v", second)
	}
	hazard := c.of(assess("2"), risk.JudgesHazard, time.Now)
	if <-hazard.done; hazard == second || hazard.hazard == nil || len(hazard.hazard.Missing) == 0 || c.of(assess("2"), risk.JudgesForecast, time.Now) != second {
		t.Errorf("%+v", hazard)
	}
	c.end()
}
