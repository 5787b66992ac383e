package risk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// DayOf returns the calendar day of an instant in its own zone, in days since
// 1970-01-01.
func DayOf(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// dateOf is the reverse of DayOf.
func dateOf(day int) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// starts returns the first day of every fold: each HorizonDays after the one
// before, or the first of each month.
func (o BacktestOptions) starts() []int {
	out := make([]int, o.Folds)
	for k := range out {
		out[k] = o.step(o.From, k)
	}
	return out
}

// step is the start of the fold that is so many after the one of a day.
func (o BacktestOptions) step(day, folds int) int {
	if !o.Monthly {
		return day + folds*o.HorizonDays
	}
	y, m, _ := time.Unix(int64(day)*86400, 0).UTC().Date()
	return DayOf(time.Date(y, m+time.Month(folds), 1, 0, 0, 0, 0, time.UTC))
}

// longAgo is before every incident that a file can date.
const longAgo = math.MinInt32

// history is the first day that a fold that starts on a day may learn from.
func (o BacktestOptions) history(day int) int {
	if o.TrainDays == 0 {
		return longAgo
	}
	return day - o.TrainDays
}

// CI95 is a two-sided 95 % interval.
type CI95 [2]float64

// resamples is how many times the bootstrap draws the folds.
const resamples = 4000

// bootstrap draws folds with replacement, always the same draws for the same
// number of folds, so that differences between models are paired.
type bootstrap struct {
	picks  [][]int
	totals []float64 // incidents in the folds of each draw
}

func newBootstrap(n []float64) bootstrap {
	b := bootstrap{totals: make([]float64, resamples)}
	rng := rand.New(rand.NewPCG(1, 1))
	for draw := range resamples {
		pick := make([]int, len(n))
		for i := range pick {
			pick[i] = rng.IntN(len(n))
			b.totals[draw] += n[pick[i]]
		}
		b.picks = append(b.picks, pick)
	}
	return b
}

// interval returns the 2.5 and 97.5 % points of Σ value / Σ n over the draws
// that have incidents, as numpy's percentile interpolates them.
func (b bootstrap) interval(value []float64) *CI95 {
	var ratios []float64
	for draw, pick := range b.picks {
		if b.totals[draw] == 0 {
			continue
		}
		sum := 0.0
		for _, fold := range pick {
			sum += value[fold]
		}
		ratios = append(ratios, sum/b.totals[draw])
	}
	if len(ratios) == 0 {
		return nil
	}
	slices.Sort(ratios)
	at := func(q float64) float64 {
		place := q * float64(len(ratios)-1)
		i := int(place)
		j := min(i+1, len(ratios)-1)
		return ratios[i] + (place-float64(i))*(ratios[j]-ratios[i])
	}
	return &CI95{at(0.025), at(0.975)}
}

// Bandwidth says how the kernel's width is found: the standard deviation of a
// normal kernel, the radius of a quartic one.
type Bandwidth struct {
	// Rule is fixed, cv or cvf; "" is cv, leave-one-out cross-validation.
	Rule string
	// Fixed is the width in the unit of the plane, for the rule fixed.
	Fixed float64
}

// The rules of Bandwidth.
const (
	BandwidthFixed   = "fixed"
	BandwidthCV      = "cv"
	BandwidthForward = "cvf"
)

func (b Bandwidth) check() error {
	switch b.Rule {
	case "", BandwidthCV, BandwidthForward:
		return nil
	case BandwidthFixed:
		if b.Fixed > 0 && !math.IsInf(b.Fixed, 0) {
			return nil
		}
		return fmt.Errorf("bandwidth %g: use a number above 0, cv or cvf", b.Fixed)
	}
	return fmt.Errorf("bandwidth %q: use a number above 0, cv or cvf", b.Rule)
}

// widths are the candidates for a bandwidth, in cells; a quartic kernel's are
// 2.6 times these.
func widths() []float64 { return []float64{.5, .75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16} }

// kernelSurface sums the baseline kernel of width h around the cells of the
// incidents of a window.
func (o BacktestOptions) kernelSurface(g *CellGrid, s span, h float64) []float64 {
	cells := inCells(g.masses(s))
	if o.Quartic {
		return g.quarticSurface(cells, h)
	}
	return g.gaussianSurface(cells, 1, h)
}

// ownMass is what an incident itself adds to the kernel sum of its cell.
func (o BacktestOptions) ownMass(g *CellGrid, h float64) float64 {
	if o.Quartic {
		stamp, reach := quarticStamp(g.Edge, h)
		return stamp[(2*reach+1)*reach+reach]
	}
	return math.Pow(math.Erf(g.Edge/2/h/math.Sqrt2), 2)
}

// bandwidth chooses the width for a fold that starts on a day, from what is
// dated before it:
//
//	cv:  max Σ nᵢ log(0.99 (Sᵢ-k₀)/(n-1) + 0.01/N), k₀ an incident's own mass
//	cvf: max Σ mᵢ log(0.99 Sᵢ/ΣS + 0.01/N) over the last six horizons m, each
//	     with S of what is before it
//
// Of candidates that are as good the narrower one is taken.
func (o BacktestOptions) bandwidth(g *CellGrid, day int) float64 {
	if o.Bandwidth.Rule == BandwidthFixed {
		return o.Bandwidth.Fixed
	}
	best, at := math.Inf(-1), 0.0
	for _, w := range widths() {
		h := w * g.Edge
		if o.Quartic {
			h *= 2.6
		}
		fit := 0.0
		if o.Bandwidth.Rule == BandwidthForward {
			fit = o.forwardFit(g, day, h)
		} else {
			fit = o.leaveOneOutFit(g, day, h)
		}
		if fit > best+1e-9 || at == 0 {
			best, at = fit, h
		}
	}
	return at
}

// floorShare of every forecast is spread evenly, so that an incident where
// nothing was expected does not make the likelihood 0.
const floorShare = 0.01

func (o BacktestOptions) leaveOneOutFit(g *CellGrid, day int, h float64) float64 {
	past := span{from: o.history(day), to: day}
	n, s := g.counts(past), o.kernelSurface(g, past, h)
	own, total := o.ownMass(g, h), sum(n)
	if total < 2 {
		return 0 // nothing to leave out
	}
	fit := 0.0
	for i, k := range n {
		if k > 0 {
			fit += k * math.Log((1-floorShare)*max(0, s[i]-own)/(total-1)+floorShare/float64(len(n)))
		}
	}
	return fit
}

func (o BacktestOptions) forwardFit(g *CellGrid, day int, h float64) float64 {
	fit := 0.0
	for back := 1; back <= 6; back++ {
		start := day - back*o.HorizonDays
		s := o.kernelSurface(g, span{from: o.history(day), to: start}, h)
		total := max(sum(s), 1e-300)
		for i, m := range g.counts(span{from: start, to: start + o.HorizonDays}) {
			if m > 0 {
				fit += m * math.Log((1-floorShare)*s[i]/total+floorShare/float64(len(s)))
			}
		}
	}
	return fit
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}
