package risk

import (
	"context"
	"fmt"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// HazardValidation judges the hazard: estimated as it would have been at the
// start of each month from the records before it, and judged by the records of
// the days after, on the cells of the domain. Model and places are those of
// now, and records that came late count from the day that they speak of.
//
// The judge is what came on record, and that is where somebody looked: a map
// of earlier records is at an advantage, and a hazard that allows for patrols
// can hit fewer records and be nearer the truth. Reported judges by incidents
// that no patrol was needed for.
type HazardValidation struct {
	Judges      string        `json:"judges"`  // JudgesHazard
	Version     string        `json:"version"` // of the assessment
	AsOf        time.Time     `json:"as_of"`
	Synthetic   bool          `json:"synthetic"`
	Data        []InputDigest `json:"data"` // the layers of incidents
	HorizonDays int           `json:"horizon_days"`
	Folds       int           `json:"folds"` // months that are judged
	From        string        `json:"from"`  // first and last day that is judged; "" without a fold
	Until       string        `json:"until"`
	Cells       int           `json:"cells"` // of the domain, about 1.2 km wide
	// Missing says what is wanted where a result is nil.
	Missing []string `json:"missing"`
	// All is by all records, Reported by those that somebody reported; nil
	// without enough of them.
	All      *HazardResult `json:"all"`
	Reported *HazardResult `json:"reported"`
}

// HazardResult is how many of the records lay where each map is highest.
type HazardResult struct {
	Judged int                     `json:"judged"`
	Models map[string]*ModelReport `json:"models"`
	Lead   map[string]Lead         `json:"lead,omitempty"` // of the hazard over the record map
}

// The maps that are judged: the hazard, and the kernel sum of the records that
// it is made from, with its bandwidth and decay.
const (
	ModelHazard  = "hazard"
	ModelRecords = "records"
)

// HazardModels are the maps of a hazard's validation, the simple one first.
func HazardModels() []string { return []string{ModelRecords, ModelHazard} }

// hazardJudge collects hits by one kind of record.
type hazardJudge struct {
	reports map[string]*ModelReport
	n       []float64
	most    [][]float64
}

func newHazardJudge() *hazardJudge {
	j := &hazardJudge{reports: map[string]*ModelReport{}, most: make([][]float64, len(AreaShares()))}
	for _, m := range HazardModels() {
		j.reports[m] = newModelReport()
	}
	return j
}

func (j *hazardJudge) fold(day int, maps map[string][]float64, incidents []float64) {
	j.n = append(j.n, sum(incidents))
	for k, most := range ExpectedHits(incidents, incidents, AreaShares()) {
		j.most[k] = append(j.most[k], most)
	}
	for m, scores := range maps {
		j.reports[m].judge(FoldReport{From: dateOf(day)}, scores, incidents)
	}
}

// result pools the folds; nil with fewer than least incidents.
func (j *hazardJudge) result(least int) *HazardResult {
	total := sum(j.n)
	if total < float64(max(1, least)) {
		return nil
	}
	draws := newBootstrap(j.n)
	for _, r := range j.reports {
		r.pool(j.n, j.most, draws)
	}
	return &HazardResult{Judged: int(total), Models: j.reports, Lead: j.reports[ModelHazard].lead(j.reports[ModelRecords], j.n, draws)}
}

// ValidateHazard judges the hazard of the assessment's model on its records
// near the border: Folds months, or up to MostFolds, as in ValidationOptions.
// progress, when not nil, is told after each of them. It fails when ctx ends.
// It costs an assessment for each month.
func (a *Assessment) ValidateHazard(ctx context.Context, o ValidationOptions, progress func(done, folds int)) (*HazardValidation, error) {
	v := &HazardValidation{Judges: JudgesHazard, Version: a.Version, AsOf: a.AsOf, Synthetic: a.Synthetic, Data: layerKeys(a.in.incidents()),
		HorizonDays: o.HorizonDays, Missing: []string{}}
	incidents := a.occurrences(true)
	b := BacktestOptions{HorizonDays: o.HorizonDays, Monthly: true}
	b.From, b.Folds = a.foldsOf(incidents, o)
	index := a.domainIndex()
	v.Folds, v.Cells = b.Folds, len(index)
	switch {
	case len(incidents) == 0:
		v.Missing = append(v.Missing, "no dated incident lies near the border: load an incident layer with occurred_from")
	case b.Folds == 0:
		v.Missing = append(v.Missing, a.tooFew(len(incidents), "dated incidents near the border", o))
	}
	if len(v.Missing) > 0 {
		return v, nil
	}
	all, reported := newHazardJudge(), newHazardJudge()
	starts := b.starts()
	for k, day := range starts {
		past, err := a.before(ctx, day)
		if err != nil {
			return nil, fmt.Errorf("back-test of the hazard: %w", err)
		}
		maps := past.hazardMaps(len(index))
		every, known := a.recordsIn(index, span{from: day, to: day + o.HorizonDays})
		all.fold(day, maps, every)
		reported.fold(day, maps, known)
		if progress != nil {
			progress(k+1, len(starts))
		}
	}
	v.From, v.Until = dateOf(starts[0]), dateOf(starts[len(starts)-1]+o.HorizonDays-1)
	v.All, v.Reported = all.result(1), reported.result(o.LeastJudged)
	if v.Reported == nil {
		v.Missing = append(v.Missing, fmt.Sprintf("%.0f of the incidents near the border in these months were reported without a patrol: %d are wanted to judge by them alone", sum(reported.n), o.LeastJudged))
	}
	return v, nil
}

// domainIndex numbers the cells of the domain in the order of its blocks.
func (a *Assessment) domainIndex() map[surface.Cell]int {
	index := map[surface.Cell]int{}
	for _, b := range a.domain.nearest.Blocks() {
		for i, owner := range a.domain.nearest.Values(b) {
			if owner.section > 0 {
				index[b.Cell(i)] = len(index)
			}
		}
	}
	return index
}

// before is the assessment up to its hazard, as of the end of the day before.
// Nothing that was fitted to later records is taken over.
func (a *Assessment) before(ctx context.Context, day int) (*Assessment, error) {
	in := a.in
	in.AsOf, in.Previous = time.Unix(int64(day)*86400, 0).UTC().Add(-time.Millisecond), a
	past := &Assessment{Program: a.Program, Model: a.Model, in: in, densities: map[string]*surface.Density{}}
	for _, stage := range []func(){
		past.digestInputs,
		past.collectIncidents,
		past.cutLines,
		past.settleAsOf,
		past.name,
		past.chooseBandwidth,
		past.settleSmoothing,
		func() { past.in.Previous = nil }, // lines, land and the reading of the records have no instant
		past.keepDensities,
		past.sumCoverage,
		past.sumEffort,
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		stage()
	}
	return past, nil
}

// hazardMaps are the hazard and the map of records by cell of the domain.
func (a *Assessment) hazardMaps(cells int) map[string][]float64 {
	hazard, records := make([]float64, 0, cells), make([]float64, 0, cells)
	const n = surface.BlockSide
	for _, b := range a.domain.nearest.Blocks() {
		means := a.hazard.tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		near := a.hazard.near.Tile(surface.CellLevel, int(b.X)*n, int(b.Y)*n, n)
		for i, owner := range a.domain.nearest.Values(b) {
			if owner.section > 0 {
				hazard, records = append(hazard, means[i]), append(records, near[i])
			}
		}
	}
	return map[string][]float64{ModelHazard: hazard, ModelRecords: records}
}

// recordsIn counts the records of some days by cell: all, and those that
// somebody reported.
func (a *Assessment) recordsIn(index map[surface.Cell]int, days span) (all, reported []float64) {
	all, reported = make([]float64, len(index)), make([]float64, len(index))
	for _, p := range a.Incidents.parts {
		sections := p.sectionsIn(a.domain)
		for i, row := range p.rows {
			if sections[i] < 0 || p.ms[i] == noTime || p.ms[i] > a.AsOf.UnixMilli() {
				continue
			}
			if day := DayOf(time.UnixMilli(p.ms[i]).UTC()); day < days.from || day >= days.to {
				continue
			}
			at, _ := p.layer.Point(int(row))
			cell := index[surface.CellAt(at)]
			all[cell]++
			if p.traits[i]&reportedTrait != 0 {
				reported[cell]++
			}
		}
	}
	return all, reported
}
