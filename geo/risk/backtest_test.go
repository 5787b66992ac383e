package risk_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
)

// towns draws incidents around a few places over two years.
func towns(n int, seed uint64) []risk.Occurrence {
	rng := rand.New(rand.NewPCG(seed, 0))
	var centres [5][2]float64
	for i := range centres {
		centres[i] = [2]float64{20 * rng.Float64(), 20 * rng.Float64()}
	}
	var out []risk.Occurrence
	for range n {
		c := centres[rng.IntN(len(centres))]
		out = append(out, risk.Occurrence{Day: rng.IntN(730), X: c[0] + rng.NormFloat64(), Y: c[1] + rng.NormFloat64()})
	}
	return out
}

func planar(from, folds int) risk.BacktestOptions {
	return risk.BacktestOptions{Grid: risk.GridOptions{CellM: 1, Planar: true, Ring: 1}, From: from, Folds: folds, HorizonDays: 30}
}

func run(t testing.TB, incidents []risk.Occurrence, o risk.BacktestOptions) *risk.Backtest {
	t.Helper()
	b, err := risk.RunBacktest(context.Background(), incidents, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Worked by hand: four cells in a row, 2 of 3 earlier incidents in the first;
// of 4 later ones 3 are there, 1 in the last and 1 outside the area.
func TestBacktestByHand(t *testing.T) {
	area := []orb.Ring{{{0, 0}, {4, 0}, {4, 1}, {0, 1}, {0, 0}}}
	at := func(day int, x float64) risk.Occurrence { return risk.Occurrence{Day: day, X: x, Y: 0.5} }
	incidents := []risk.Occurrence{at(1, 0.5), at(2, 0.5), at(3, 2.5), at(30, 0.2), at(31, 0.9), at(59, 0.5), at(40, 3.5), at(41, 9), at(60, 3.5)}
	o := risk.BacktestOptions{Grid: risk.GridOptions{CellM: 1, Planar: true, Area: area}, From: 30, Folds: 1, HorizonDays: 30}
	b := run(t, incidents, o)
	if b.Cells != 4 || b.Dropped != 1 || b.Incidents != 9 || b.Judged != 4 {
		t.Fatalf("%+v", b)
	}
	// 20 % of four cells is 0.8 of the first: 0.8 × 3 of 4, and as much at best.
	s := b.Models[risk.ModelCount].Shares["20"]
	if math.Abs(*s.HitRate-0.6) > 1e-12 || math.Abs(*s.PAI-3) > 1e-12 || math.Abs(*s.PEI-1) > 1e-12 {
		t.Errorf("hit rate %g, PAI %g, PEI %g; want 0.6, 3, 1", *s.HitRate, *s.PAI, *s.PEI)
	}
}

// No fold sees what is dated on its first day or later: with another future
// its forecast stays, and so do the hits among incidents that stay.
func TestForecastsDoNotSeeTheFuture(t *testing.T) {
	const from, folds = 500, 4
	scrambled := func(since int) []risk.Occurrence {
		out := towns(800, 1)
		rng := rand.New(rand.NewPCG(2, 0))
		for i := range out {
			if e := &out[i]; e.Day >= since {
				e.X, e.Y, e.Day = 20*rng.Float64(), 20*rng.Float64(), since+rng.IntN(730-since)
			}
		}
		return out
	}
	o := planar(from, folds)
	before := run(t, towns(800, 1), o)
	for k := range folds {
		during, after := run(t, scrambled(from+30*k), o), run(t, scrambled(from+30*(k+1)), o)
		for _, m := range risk.BacktestModels() {
			want := before.Models[m].Folds[k]
			if got := during.Models[m].Folds[k]; !reflect.DeepEqual(got.Chosen, want.Chosen) {
				t.Errorf("%s, fold %d: chose %v, and %v with another future", m, k, want.Chosen, got.Chosen)
			}
			if got := after.Models[m].Folds[k]; !reflect.DeepEqual(got, want) {
				t.Errorf("%s, fold %d: %v, and %v with another future after it", m, k, want, got)
			}
		}
	}
}

// Monthly folds overlap their neighbours when the horizon is longer than the
// month; what is fitted ends where the fold begins.
func TestMonthlyForecastsDoNotSeeTheFuture(t *testing.T) {
	march := risk.DayOf(time.Date(1971, 3, 1, 0, 0, 0, 0, time.UTC))
	o := planar(march, 1)
	o.Monthly = true
	before := run(t, towns(800, 1), o)
	changed := towns(800, 1)
	for i := range changed {
		if changed[i].Day >= march {
			changed[i].X, changed[i].Y = 10, 10
		}
	}
	after := run(t, changed, o)
	if a, b := before.Models[risk.ModelSempadan].Folds[0].Chosen, after.Models[risk.ModelSempadan].Folds[0].Chosen; !reflect.DeepEqual(a, b) {
		t.Errorf("chose %v, and %v with another future", a, b)
	}
}

// What a fold learns from begins at its history, for every model.
func TestTrainingWindow(t *testing.T) {
	o := planar(600, 2)
	o.TrainDays = 200
	o.Grid.Area = []orb.Ring{{{-5, -5}, {25, -5}, {25, 25}, {-5, 25}}}
	all := towns(800, 3)
	var late []risk.Occurrence
	for _, e := range all {
		if e.Day >= 400 {
			late = append(late, e)
		}
	}
	a, b := run(t, all, o), run(t, late, o)
	for _, m := range risk.BacktestModels() {
		if !reflect.DeepEqual(a.Models[m].Folds, b.Models[m].Folds) {
			t.Errorf("%s: incidents older than the training window change its forecast", m)
		}
	}
}

// Incidents of other kinds change the forecast of sempadan alone, and only
// those dated before it.
func TestOthers(t *testing.T) {
	const from = 500
	o := planar(from, 1)
	all := towns(1100, 10)
	of := func(others []risk.Occurrence) *risk.Backtest {
		o.Others = others
		return run(t, all[:300], o)
	}
	alone, with := of(nil), of(all[300:])
	for _, m := range risk.BacktestModels() {
		same := reflect.DeepEqual(alone.Models[m].Folds, with.Models[m].Folds)
		if same != (m != risk.ModelSempadan) {
			t.Errorf("%s: the same forecast with other kinds and without: %t", m, same)
		}
	}
	if alone.Cells != with.Cells || alone.Dropped != with.Dropped || alone.Judged != with.Judged {
		t.Errorf("%+v, and %+v with other kinds", alone, with)
	}
	later := slices.Clone(all[300:])
	for i := range later {
		if later[i].Day >= from {
			later[i].X, later[i].Y = 10, 10
		}
	}
	later = append(later, risk.Occurrence{Day: 1, X: math.NaN()}, risk.Occurrence{Day: 1, X: 1e300}) // nowhere
	if !reflect.DeepEqual(of(later), with) {
		t.Error("other kinds dated after the forecast, or outside the area, change it")
	}
}

// A few incidents of a rare kind say little; a common kind in the same villages
// says where it may come next.
func TestOthersTellOfARareKind(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	var villages [40][2]float64
	for i := range villages {
		villages[i] = [2]float64{40 * rng.Float64(), 40 * rng.Float64()}
	}
	draw := func(n int) (out []risk.Occurrence) {
		for range n {
			v := villages[rng.IntN(len(villages))]
			out = append(out, risk.Occurrence{Day: rng.IntN(730), X: v[0] + rng.NormFloat64()/2, Y: v[1] + rng.NormFloat64()/2})
		}
		return out
	}
	o := planar(365, 12)
	o.Grid.Area = []orb.Ring{{{-2, -2}, {42, -2}, {42, 42}, {-2, 42}}}
	rare := draw(120)
	alone := *run(t, rare, o).Models[risk.ModelSempadan].MeanHitRate
	o.Others = draw(3000)
	if with := *run(t, rare, o).Models[risk.ModelSempadan].MeanHitRate; with < alone+0.04 {
		t.Errorf("mean hit rate %.3f, and %.3f with the common kind", alone, with)
	}
}

func TestBacktestDoesNotDependOnTheOrder(t *testing.T) {
	incidents := towns(600, 4)
	before := run(t, incidents, planar(500, 5))
	rand.New(rand.NewPCG(5, 0)).Shuffle(len(incidents), func(i, j int) { incidents[i], incidents[j] = incidents[j], incidents[i] })
	if after := run(t, incidents, planar(500, 5)); !reflect.DeepEqual(before.Models, after.Models) {
		t.Error("another order of the incidents gives other hits")
	}
}

// Five towns that stay where they are: every model must find them.
func TestModelsFindWhatStays(t *testing.T) {
	b := run(t, towns(2000, 6), planar(500, 7))
	for _, m := range risk.BacktestModels() {
		if rate := *b.Models[m].Shares["20"].HitRate; rate < 0.5 {
			t.Errorf("%s hits %.2f at 20 %% of the area", m, rate)
		}
	}
	expected, observed := 0.0, 0.0
	for _, band := range b.Calibration {
		expected += band.Expected
		observed += band.Observed
		if band.Low95 > band.Observed || band.High95 < band.Observed {
			t.Errorf("%+v", band)
		}
	}
	if math.Abs(observed-float64(b.Judged)) > 1e-6 || math.Abs(expected/observed-1) > 0.2 {
		t.Errorf("%.0f expected, %.0f observed of %d", expected, observed, b.Judged)
	}
}

func TestBacktestOfNothing(t *testing.T) {
	if _, err := risk.RunBacktest(context.Background(), nil, planar(500, 2)); !errors.Is(err, risk.ErrNoHistory) {
		t.Error(err)
	}
	if _, err := risk.RunBacktest(context.Background(), towns(50, 1), planar(-10, 2)); !errors.Is(err, risk.ErrNoHistory) {
		t.Error(err)
	}
	b := run(t, towns(50, 1), planar(9000, 2))
	if s := b.Models[risk.ModelSempadan].Shares["1"]; b.Judged != 0 || s.HitRate != nil || s.CI95 != nil || b.BestSimple != "" {
		t.Errorf("%+v", s)
	}
	one := []risk.Occurrence{{Day: 1, X: 1, Y: 1}, {Day: 40, X: 1, Y: 1}}
	run(t, one, planar(30, 1))
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := risk.RunBacktest(ctx, towns(50, 1), planar(500, 2)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := risk.RunBacktest(context.Background(), []risk.Occurrence{{Day: 1, X: math.NaN()}}, planar(30, 1)); err == nil || !strings.Contains(err.Error(), "no place") {
		t.Error(err)
	}
}

func FuzzBacktestOptions(f *testing.F) {
	f.Add(500, 2, 30, 0, 1.0, 0.0, 1, false, 0.0)
	f.Add(0, 0, 0, -1, math.NaN(), math.Inf(1), -1, true, -1.0)
	incidents := towns(40, 8)
	f.Fuzz(func(t *testing.T, from, folds, horizon, train int, cellM, cellDeg float64, ring int, monthly bool, bandwidth float64) {
		if folds > 5 || horizon > 400 || ring > 20 || cellM > 0 && cellM < 0.05 || cellDeg > 0 && cellDeg < 0.05 || from > 20_000 || from < -20_000 || bandwidth > 100 {
			return // long, not wrong
		}
		o := risk.BacktestOptions{Grid: risk.GridOptions{CellM: cellM, CellDeg: cellDeg, Planar: cellDeg == 0, Ring: ring, MaxCells: 20_000},
			From: from, Folds: folds, HorizonDays: horizon, TrainDays: train, Monthly: monthly}
		if bandwidth != 0 {
			o.Bandwidth = risk.Bandwidth{Rule: risk.BandwidthFixed, Fixed: bandwidth}
		}
		b, err := risk.RunBacktest(context.Background(), incidents, o)
		if err != nil {
			return
		}
		for name, m := range b.Models {
			for share, s := range m.Shares {
				if s.HitRate != nil && !(*s.HitRate >= 0 && *s.HitRate <= 1+1e-9) {
					t.Errorf("%s at %s: %g", name, share, *s.HitRate)
				}
			}
		}
	})
}

func BenchmarkBacktestFold(b *testing.B) {
	incidents := towns(5000, 9)
	for b.Loop() {
		run(b, incidents, planar(600, 1))
	}
}

func BenchmarkExpectedHits(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 0))
	scores, incidents := make([]float64, 12_500), make([]float64, 12_500)
	for i := range scores {
		scores[i], incidents[i] = rng.Float64(), float64(rng.IntN(2))
	}
	for b.Loop() {
		risk.ExpectedHits(scores, incidents, risk.AreaShares())
	}
}
