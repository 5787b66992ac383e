package risk_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// What an added patrol does to coverage and residual risk is what it does when it
// is loaded, with a hazard that knows nothing of effort; and taking it away again
// gives back what was.
func TestWithPatrols(t *testing.T) {
	bare := []*geo.Layer{border(), incidents(incident(110.45, 1, now, nil), incident(110.7, 1, now.AddDate(0, 0, -40), nil))}
	before := assess(t, risk.Inputs{AsOf: now, Layers: bare}, uncorrected)
	more := patrols(sweep(110.3, 110.6, 3, "ID")...)
	loaded := assess(t, risk.Inputs{AsOf: now, Layers: append(bare[:2:2], more)}, uncorrected)
	got, err := before.WithPatrols(context.Background(), risk.Change{Add: []*geo.Layer{more}})
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, got, want *risk.Assessment) {
		t.Helper()
		for i, s := range got.Sections {
			w := want.Sections[i]
			if s.Undetected != w.Undetected || s.SearchPOD != w.SearchPOD || s.Level != w.Level || s.Class != w.Class || s.Profile != w.Profile {
				t.Errorf("%s: %s has %+v, want %+v", what, s.ID, s.Undetected, w.Undetected)
			}
		}
		for lon := 110.0; lon < 110.9; lon += 0.07 {
			p := orb.Point{lon, 1.003}
			if g, w := got.At(p), want.At(p); g.Residual != w.Residual || g.SearchCoverage != w.SearchCoverage {
				t.Errorf("%s at %v: %+v, want %+v", what, p, g.Residual, w.Residual)
			}
		}
	}
	same("added", got, loaded)
	if got.Version == before.Version || got.Version == loaded.Version {
		t.Error("it has the version of another")
	}
	gone := map[int64]bool{}
	for row := range more.Len() {
		gone[more.FID(row)] = true
	}
	back, err := loaded.WithPatrols(context.Background(), risk.Change{Remove: map[string]map[int64]bool{"patrols": gone}})
	if err != nil {
		t.Fatal(err)
	}
	same("taken away", back, before)
}

// A hazard that allows for effort stays as it was: the records were made without
// the change. A post looks over its surroundings for the whole window, and a patrol
// of the week to come counts as if it had come before.
func TestWithPatrolsKeepsTheHazard(t *testing.T) {
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(incident(110.45, 1, now, nil)), patrols(sweep(110.3, 110.6, 3, "ID")...)}}
	a := assess(t, in, nil)
	post := layer(geo.LayerInfo{ID: "thought", Kind: geo.KindPost}, geo.Feature{Geometry: orb.Point{110.8, 1}, Properties: map[string]any{"country": "MY"}})
	plan := layer(geo.LayerInfo{ID: "plan", Kind: geo.KindPatrolTrack}, walk(110, 110.2, -5, "MY"))
	b, err := a.WithPatrols(context.Background(), risk.Change{Add: []*geo.Layer{post, plan}})
	if err != nil {
		t.Fatal(err)
	}
	for _, lon := range []float64{110.1, 110.45, 110.8} {
		p, q := a.At(orb.Point{lon, 1}), b.At(orb.Point{lon, 1})
		if p.Hazard != q.Hazard {
			t.Errorf("at %g: the hazard is %+v, was %+v", lon, q.Hazard, p.Hazard)
		}
		if lon != 110.45 && !(q.Residual.Mean < p.Residual.Mean) || lon == 110.45 && math.Abs(q.Residual.Mean-p.Residual.Mean) > 1e-12 {
			t.Errorf("at %g: residual risk %g, was %g", lon, q.Residual.Mean, p.Residual.Mean)
		}
	}
}

func TestWithPatrolsErrors(t *testing.T) {
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(incident(110.45, 1, now, nil)), patrols(walk(110, 110.2, 3, "ID"))}}, nil)
	for want, c := range map[string]risk.Change{
		"ID of its own":    {Add: []*geo.Layer{patrols()}},
		"posts and patrol": {Add: []*geo.Layer{border().WithInfo(geo.LayerInfo{ID: "x", Kind: geo.KindBoundary})}},
		"no layer":         {Remove: map[string]map[int64]bool{"nowhere": {1: true}}},
		"only 0 of the 1":  {Remove: map[string]map[int64]bool{"patrols": {99: true}}},
		"only posts":       {Remove: map[string]map[int64]bool{"incidents": {1: true}}},
	} {
		if _, err := a.WithPatrols(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %q", err, want)
		}
	}
}
