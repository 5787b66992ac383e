package risk

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ValidationOptions bound the back-test of an assessment on its own incidents.
type ValidationOptions struct {
	CellM       float64 `json:"cell_m"` // doubled until the box has at most 250 000 cells
	Ring        int     `json:"ring"`   // cells around one with an earlier incident that are judged too
	HorizonDays int     `json:"horizon_days"`
	// Folds start each on the first of a month, the last one with its whole
	// horizon before the assessment's time: this many, or up to MostFolds
	// where that is not enough incidents to judge, or fewer where the records
	// do not reach back so far.
	Folds     int `json:"folds"`
	MostFolds int `json:"most_folds"`
	// LeastTraining incidents must be dated before the first fold, and
	// LeastJudged from then on.
	LeastTraining int `json:"least_training"`
	LeastJudged   int `json:"least_judged"`
}

// DefaultValidation judges the last twelve months on cells of 5 km, within
// 25 km of where there was an incident before them.
func DefaultValidation() ValidationOptions {
	return ValidationOptions{CellM: 5000, Ring: 5, HorizonDays: 30, Folds: 12, MostFolds: 36, LeastTraining: 30, LeastJudged: 20}
}

// maxValidationCells bounds the box, and with it the time that a back-test
// takes.
const maxValidationCells = 250_000

// Validation is the back-test of the forecast on the incidents of an
// assessment. Without enough of them the result is nil and Missing says what
// there is and what is wanted. The hazard that maps and sections show is
// another model: see HazardValidation.
type Validation struct {
	Judges     string            `json:"judges"`  // JudgesForecast
	Version    string            `json:"version"` // of the assessment
	AsOf       time.Time         `json:"as_of"`
	Synthetic  bool              `json:"synthetic"`
	Data       []InputDigest     `json:"data"` // the layers of incidents
	Parameters ValidationOptions `json:"parameters"`
	Missing    []string          `json:"missing"`
	Result     *Backtest         `json:"result"`
}

// What a validation can judge.
const (
	JudgesForecast = "forecast" // of the next days, by cell: the model sempadan of a back-test
	JudgesHazard   = "hazard"   // the rate that maps, sections and gaps are made of
)

// Validate back-tests the forecast on the dated incidents of the assessment.
// progress, when not nil, is told after each fold. It fails when ctx ends.
func (a *Assessment) Validate(ctx context.Context, o ValidationOptions, progress func(done, folds int)) (*Validation, error) {
	v := &Validation{Judges: JudgesForecast, Version: a.Version, AsOf: a.AsOf, Synthetic: a.Synthetic, Data: layerKeys(a.in.incidents()), Parameters: o, Missing: []string{}}
	incidents := a.occurrences(false)
	b := BacktestOptions{
		Grid:        GridOptions{CellM: o.CellM, Ring: o.Ring, MaxCells: maxValidationCells},
		HorizonDays: o.HorizonDays, Monthly: true, Progress: progress,
	}
	b.From, b.Folds = a.foldsOf(incidents, o)
	switch {
	case len(incidents) == 0:
		v.Missing = append(v.Missing, "no incident is dated: load an incident layer with occurred_from")
	case b.Folds == 0:
		v.Missing = append(v.Missing, a.tooFew(len(incidents), "dated incidents", o))
	}
	if len(v.Missing) > 0 {
		return v, nil
	}
	var err error
	for ; ; b.Grid.CellM *= 2 {
		v.Parameters.CellM = b.Grid.CellM
		if v.Result, err = RunBacktest(ctx, incidents, b); !errors.Is(err, errTooManyCells) {
			break
		}
	}
	v.Parameters.Folds = b.Folds
	return v, err
}

// tooFew says how many incidents there are and how many are wanted.
func (a *Assessment) tooFew(n int, what string, o ValidationOptions) string {
	return fmt.Sprintf("%d %s up to %s: there must be at least %d before the first month that is judged and %d from then on, in %d months at most",
		n, what, a.AsOf.Format(time.DateOnly), o.LeastTraining, o.LeastJudged, o.MostFolds)
}

// occurrences are the dated incidents up to the assessment's time, each on the
// day of the middle of its interval: all, or those near the border.
func (a *Assessment) occurrences(inDomain bool) []Occurrence {
	var out []Occurrence
	for _, p := range a.Incidents.parts {
		sections := p.sectionsIn(a.domain)
		for i, row := range p.rows {
			if p.ms[i] == noTime || p.ms[i] > a.AsOf.UnixMilli() || inDomain && sections[i] < 0 {
				continue
			}
			at, _ := p.layer.Point(int(row))
			out = append(out, Occurrence{DayOf(time.UnixMilli(p.ms[i]).UTC()), at.Lon(), at.Lat()})
		}
	}
	return out
}

// foldsOf returns the first day and the number of the monthly folds; none
// without enough incidents.
func (a *Assessment) foldsOf(incidents []Occurrence, o ValidationOptions) (from, folds int) {
	end := DayOf(a.AsOf) + 1
	monthly := BacktestOptions{Monthly: true}
	last := monthly.step(end, 0)
	if last+o.HorizonDays > end {
		last = monthly.step(last, -1)
	}
	enough := func(folds int) bool {
		from = monthly.step(last, 1-folds)
		trained, judged := 0, 0
		for _, e := range incidents {
			switch {
			case e.Day < from:
				trained++
			case e.Day < last+o.HorizonDays:
				judged++
			}
		}
		return trained >= o.LeastTraining && judged >= o.LeastJudged
	}
	for folds = o.Folds; folds <= o.MostFolds; folds++ {
		if enough(folds) {
			return from, folds
		}
	}
	for folds = o.Folds - 1; folds > 0; folds-- {
		if enough(folds) {
			return from, folds
		}
	}
	return from, 0
}
