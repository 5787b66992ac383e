package surface_test

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Past effort counts as it fades: a patrol of a half-life ago half, one before
// the time looked back not at all; a post its hours, each by its age.
func TestHistoryFades(t *testing.T) {
	line := orb.LineString{{110.301, 1.004}, {110.31, 1.004}}
	walk := func(daysAgo int) geo.Feature {
		return track(line, asOf.AddDate(0, 0, -daysAgo).Add(-10*time.Minute), 10*time.Minute, map[string]any{"sweep_width_m": 100.0})
	}
	history := func(tracks, posts *geo.Layer) (m2 float64) {
		in := surface.CoverageInputs{AsOf: asOf, History: surface.Fading{Days: 400, HalfLifeDays: 100}}
		if tracks != nil {
			in.Tracks = []*geo.Layer{tracks}
		}
		if posts != nil {
			in.Posts = []*geo.Layer{posts}
		}
		surface.NewCoverage(in, surface.DefaultCoverageModel()).Cells().Each(func(_ surface.Cell, e *surface.Effort) { m2 += e.HistoryM2 })
		return m2
	}
	now := history(trackLayer(walk(0)), nil)
	if want := 100 * geo.DistanceM(line[0], line[1]); math.Abs(now-want) > 1e-3*want {
		t.Errorf("a patrol of today counts %g m², want %g", now, want)
	}
	for days, share := range map[int]float64{100: 0.5, 200: 0.25, 399: math.Exp2(-3.99), 401: 0} {
		if got := history(trackLayer(walk(days)), nil) / now; math.Abs(got-share) > 1e-3 {
			t.Errorf("a patrol %d days ago counts %g of one of today, want %g", days, got, share)
		}
	}
	post := func(from, to int) *geo.Layer {
		b := geo.NewBuilder(geo.LayerInfo{ID: "posts", Kind: geo.KindPost})
		b.Add(geo.Feature{Geometry: orb.Point{110.3, 1}, From: asOf.AddDate(0, 0, -from), To: asOf.AddDate(0, 0, -to),
			Properties: map[string]any{"radius_m": 3000.0}})
		return b.Layer()
	}
	sweeps := surface.DefaultCoverageModel().PostSweepsPerHour
	area := math.Pi * 9e6
	// ∫ 2^(-t/100 d) dt over 100 days is 100/ln 2 · (1 - 1/2) days.
	if got, want := history(nil, post(100, 0)), area*sweeps*24*100/math.Ln2/2; math.Abs(got-want) > 0.02*want {
		t.Errorf("a post of 100 days counts %g m², want %g", got, want)
	}
	if got := history(nil, post(900, 500)); got != 0 {
		t.Errorf("a post of long ago counts %g m²", got)
	}
}
