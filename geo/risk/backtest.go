package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// BacktestOptions say how forecasts are judged: Folds times, each from what is
// dated before its first day, by the incidents of the HorizonDays from it.
type BacktestOptions struct {
	Grid        GridOptions
	From        int // first day of the first fold, see DayOf
	Folds       int
	HorizonDays int
	Monthly     bool // folds start on the first of each month
	TrainDays   int  // how far back a fold learns from; 0: everything earlier

	// Others are incidents of other kinds, of which sempadan learns too. No
	// model forecasts them, and none is judged by them.
	Others []Occurrence

	// Quartic, Bandwidth and Backoff are of the baselines kde and count2kde;
	// Backoff is the width of the latter's kernel, 0: the same.
	Quartic   bool
	Bandwidth Bandwidth
	Backoff   float64

	// Progress, when not nil, is told after each fold.
	Progress func(done, folds int)
}

// Backtest is how well each model forecast.
type Backtest struct {
	Cells     int `json:"cells"`
	Incidents int `json:"incidents"` // dated and placed, in the area or not
	Dropped   int `json:"dropped"`   // outside the area
	// From and Until are the first and the last day that is forecast.
	From  string `json:"from"`
	Until string `json:"until"`
	// Judged are the incidents of all horizons.
	Judged int                     `json:"judged"`
	Models map[string]*ModelReport `json:"models"`
	// BestSimple is the one of count, kde and count2kde with the highest mean
	// hit rate, and Lead is what sempadan hits more than it, paired by fold.
	BestSimple  string          `json:"best_simple,omitempty"`
	Lead        map[string]Lead `json:"lead,omitempty"`
	Calibration []ScoreBand     `json:"calibration,omitempty"`
}

// ModelReport is one model's hits, by share of the area in percent. MeanHitRate
// is the mean of the shares' hit rates.
type ModelReport struct {
	Shares      map[string]ShareReport `json:"shares"`
	MeanHitRate *float64               `json:"mean_hit_rate"`
	Folds       []FoldReport           `json:"folds"`

	hits [][]float64 // by share and fold
}

// ShareReport pools the folds: hit rate = Σn/ΣN, PAI = hit rate / share, PEI =
// Σn/Σ most possible. CI95 bounds the hit rate: a percentile bootstrap of the
// folds. Without incidents all are null.
type ShareReport struct {
	HitRate *float64 `json:"hit_rate"`
	PAI     *float64 `json:"pai"`
	PEI     *float64 `json:"pei"`
	CI95    *CI95    `json:"ci95"`
}

// FoldReport is one forecast. Chosen is what the model picked for it from
// earlier incidents.
type FoldReport struct {
	From   string             `json:"from"`
	N      int                `json:"n"`
	Hits   map[string]float64 `json:"hits"`
	Chosen any                `json:"chosen"`
}

// Lead is a difference of hit rates with its paired interval.
type Lead struct {
	Difference float64 `json:"difference"`
	CI95       *CI95   `json:"ci95"`
}

// The models of a back-test.
const (
	ModelCount     = "count"
	ModelKDE       = "kde"
	ModelCount2KDE = "count2kde"
	ModelSempadan  = "sempadan"
)

// models are in the order of reports; all but the last are simple.
var models = [...]string{ModelCount, ModelKDE, ModelCount2KDE, ModelSempadan}

// BacktestModels are the models of a back-test, simple ones first.
func BacktestModels() []string { return append([]string(nil), models[:]...) }

// AreaShares are the shares of the area that a forecast is judged at.
func AreaShares() []float64 { return []float64{0.01, 0.05, 0.10, 0.20} }

// ShareName is a share of the area in percent, as reports name it.
func ShareName(share float64) string { return strconv.FormatFloat(100*share, 'g', 6, 64) }

// Check reports the first option that cannot be used.
func (o BacktestOptions) Check() error {
	const most = 100_000 // days, or folds of a day
	switch {
	case o.Folds < 1 || o.Folds > most:
		return fmt.Errorf("%d folds: use 1 to %d", o.Folds, most)
	case o.HorizonDays < 1 || o.HorizonDays > most:
		return fmt.Errorf("a horizon of %d days: use 1 to %d", o.HorizonDays, most)
	case o.TrainDays < 0 || o.TrainDays > most:
		return fmt.Errorf("training on %d days: use 1 to %d, or 0 for everything earlier", o.TrainDays, most)
	case o.Backoff < 0 || math.IsNaN(o.Backoff) || math.IsInf(o.Backoff, 0):
		return fmt.Errorf("a back-off bandwidth of %g: use a number above 0", o.Backoff)
	}
	return errors.Join(o.Bandwidth.check(), o.Grid.check(nil))
}

// RunBacktest forecasts each fold from earlier incidents and judges the
// forecasts. The result does not depend on the order of the incidents. It
// fails on options that cannot be used, without incidents before the first
// fold (ErrNoHistory) and when ctx ends.
func RunBacktest(ctx context.Context, incidents []Occurrence, o BacktestOptions) (*Backtest, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	g, err := NewCellGrid(incidents, o.Others, o.From, o.Grid)
	if err != nil {
		return nil, err
	}
	r := newReplay(g, o)
	for done, day := range o.starts() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("back-test: %w", err)
		}
		r.fold(day)
		if o.Progress != nil {
			o.Progress(done+1, o.Folds)
		}
	}
	out := r.report()
	out.Incidents, out.Dropped = len(incidents), g.Dropped
	starts := o.starts()
	out.From, out.Until = dateOf(starts[0]), dateOf(starts[o.Folds-1]+o.HorizonDays-1)
	return out, nil
}

// replay collects the hits fold by fold.
type replay struct {
	g        *CellGrid
	o        BacktestOptions
	mixture  *mixture
	reports  map[string]*ModelReport
	n        []float64   // incidents of each fold
	most     [][]float64 // most possible hits by share and fold
	forecast *calibration
}

func newReplay(g *CellGrid, o BacktestOptions) *replay {
	r := &replay{g: g, o: o, mixture: newMixture(g, o), reports: map[string]*ModelReport{}, forecast: newCalibration()}
	for _, m := range models {
		r.reports[m] = newModelReport()
	}
	r.most = make([][]float64, len(AreaShares()))
	return r
}

// fold makes the forecasts of the horizon from a day on, and judges them.
func (r *replay) fold(day int) {
	incidents := r.g.counts(span{from: day, to: day + r.o.HorizonDays})
	r.n = append(r.n, sum(incidents))
	for k, most := range ExpectedHits(incidents, incidents, AreaShares()) {
		r.most[k] = append(r.most[k], most)
	}
	past := span{from: r.o.history(day), to: day}
	count := r.g.counts(past)
	h := r.o.bandwidth(r.g, day)
	kde := r.o.kernelSurface(r.g, past, h)
	backoff, chosen := kde, map[string]any{"bandwidth": h}
	if r.o.Backoff != 0 {
		backoff, chosen = r.o.kernelSurface(r.g, past, r.o.Backoff), map[string]any{"bandwidth": r.o.Backoff}
	}
	count2kde := make([]float64, len(count))
	for i := range count {
		count2kde[i] = count[i] + 2*backoff[i]
	}
	r.judge(ModelCount, day, count, nil)
	r.judge(ModelKDE, day, kde, map[string]any{"bandwidth": h})
	r.judge(ModelCount2KDE, day, count2kde, chosen)
	forecast := r.mixture.forecast(day, count2kde)
	r.judge(ModelSempadan, day, forecast.share, forecast.Chosen)
	r.forecast.add(forecast, incidents)
}

func (r *replay) judge(model string, day int, scores []float64, chosen any) {
	incidents := r.g.counts(span{from: day, to: day + r.o.HorizonDays})
	r.reports[model].judge(FoldReport{From: dateOf(day), Chosen: chosen}, scores, incidents)
}

func (r *replay) report() *Backtest {
	total := sum(r.n)
	out := &Backtest{Cells: r.g.Cells(), Judged: int(total), Models: r.reports, Calibration: r.forecast.bands()}
	draws := newBootstrap(r.n)
	for _, m := range models {
		report := r.reports[m]
		report.pool(r.n, r.most, draws)
		if total > 0 && m != ModelSempadan && (out.BestSimple == "" || *report.MeanHitRate > *r.reports[out.BestSimple].MeanHitRate) {
			out.BestSimple = m
		}
	}
	if total > 0 {
		out.Lead = r.reports[ModelSempadan].lead(r.reports[out.BestSimple], r.n, draws)
	}
	return out
}

// pool sums the folds up: n are their incidents, most the most possible hits by
// share and fold.
func (m *ModelReport) pool(n []float64, most [][]float64, draws bootstrap) {
	total, mean := sum(n), 0.0
	for k, share := range AreaShares() {
		s := ShareReport{}
		if total > 0 {
			rate := sum(m.hits[k]) / total
			pai, pei := rate/share, sum(m.hits[k])/sum(most[k])
			s = ShareReport{&rate, &pai, &pei, draws.interval(m.hits[k])}
			mean += rate / float64(len(AreaShares()))
		}
		m.Shares[ShareName(share)] = s
	}
	if total > 0 {
		m.MeanHitRate = &mean
	}
}

// lead is what a model hits more than a simple one, share by share and in the
// mean.
func (m *ModelReport) lead(simple *ModelReport, n []float64, draws bootstrap) map[string]Lead {
	out := map[string]Lead{}
	mean := make([]float64, len(n))
	for k, share := range AreaShares() {
		more := make([]float64, len(n))
		for fold := range more {
			more[fold] = m.hits[k][fold] - simple.hits[k][fold]
			mean[fold] += more[fold] / float64(len(AreaShares()))
		}
		out[ShareName(share)] = Lead{sum(more) / sum(n), draws.interval(more)}
	}
	out["mean"] = Lead{sum(mean) / sum(n), draws.interval(mean)}
	return out
}

func newModelReport() *ModelReport {
	return &ModelReport{Shares: map[string]ShareReport{}, hits: make([][]float64, len(AreaShares()))}
}

// judge adds a fold: how many of its n incidents lie where the model's scores
// are highest.
func (m *ModelReport) judge(fold FoldReport, scores, incidents []float64) {
	fold.N, fold.Hits = int(sum(incidents)), map[string]float64{}
	for k, hits := range ExpectedHits(scores, incidents, AreaShares()) {
		fold.Hits[ShareName(AreaShares()[k])] = hits
		m.hits[k] = append(m.hits[k], hits)
	}
	m.Folds = append(m.Folds, fold)
}
