package risk

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

// Two areas, patrols that follow the map for 1,000 rounds, and records only of
// what patrols met: the share of effort must settle at the ratio of the true
// rates, within five points, and does not when the map is of the records alone
// (Ensign et al. 2018).
func TestFeedbackSettlesAtTheTruth(t *testing.T) {
	const seed, runs = 5, 20
	// off is how far the share is from the ratio: of the mean of all runs, and on
	// average over them.
	off := func(correction string, ratio float64) (mean, each float64) {
		m := DefaultModel().Hazard
		m.Correction = correction
		want := ratio / (ratio + 1)
		for run := range uint64(runs) {
			share := followTheMap(rand.New(rand.NewPCG(seed, run)), m, [2]float64{3 * ratio, 3})
			mean += (share - want) / runs
			each += math.Abs(share-want) / runs
		}
		return math.Abs(mean), each
	}
	for _, ratio := range []float64{1, 2} {
		if mean, each := off(CorrectEffort, ratio); mean > 0.05 || each > 0.05 {
			t.Errorf("seed %d, rates %g:1: the effort is %.3f off, %.3f in each run", seed, ratio, mean, each)
		}
		if _, each := off(CorrectNone, ratio); each <= 0.05 {
			t.Errorf("seed %d, rates %g:1: without correction the effort is %.3f off; the test would not see the fault", seed, ratio, each)
		}
	}
}

// followTheMap returns the share of the effort of the last 200 of 1,000 rounds
// that goes to the first of two areas. In each round the effort of one unit is
// shared by the hazard of the map, with a twentieth to each area whatever it says;
// an incident is met with a probability of half its area's share.
func followTheMap(r *rand.Rand, m HazardModel, rates [2]float64) (share float64) {
	const rounds, last, met = 1000, 200, 0.5
	m.ReportingRate = 0 // nobody reports: the hardest case
	h := hazard{model: m, areaM2: 1e6, farAreaM2: 1e8, weight: m.PriorWeight, whole: math.Inf(1)}
	var n, years [2]float64
	effort := [2]float64{0.5, 0.5}
	for round := range rounds {
		h.windowY = float64(round + 1)
		for i := range effort {
			years[i] += met * effort[i]
			n[i] += float64(poissonDraw(r, rates[i]*met*effort[i]))
		}
		far := (n[0] + n[1]) / (2 * h.areaM2)
		farYears := (years[0] + years[1]) / 2
		var drawn [2]float64
		for i := range drawn {
			drawn[i] = h.at(smoothed{near: n[i] / h.areaM2, far: far, nearEffort: years[i], farEffort: farYears, access: 1}).mean() + 1e-18
		}
		effort[0] = 0.05 + 0.9*drawn[0]/(drawn[0]+drawn[1])
		effort[1] = 1 - effort[0]
		if round >= rounds-last {
			share += effort[0] / last
		}
	}
	return (share - 0.05) / 0.9
}

func poissonDraw(r *rand.Rand, mean float64) (n int) {
	for p := r.Float64(); p > math.Exp(-mean); n++ {
		p *= r.Float64()
	}
	return n
}

// By hand: two records in the kernel's area of 10 km², which patrols and
// reports could have seen half a year, in surroundings of 0.1 a km² and year.
func TestPosteriorByHand(t *testing.T) {
	m := DefaultModel().Hazard
	m.PriorWeight, m.ReportingCV = 1, 0
	h := hazard{model: m, areaM2: 1e7, farAreaM2: 1e9, weight: 1, outside: 0.3, whole: math.Inf(1)}
	far := 0.05 / 1e6 // events per m² over half a year: 0.1 a km² and year
	p := h.at(smoothed{near: 2 / 1e7, far: far, nearEffort: 0.2, farEffort: 0.2, access: 1})
	μ := (far + noneSeen/1e9) / 0.5
	if want := 3 / (1/μ + 1e7*0.5); math.Abs(p.mean()-want) > 1e-12*want || math.Abs(p.mean()*1e6-0.2) > 0.002 {
		t.Errorf("mean %g a km² and year, by hand %g", p.mean()*1e6, want*1e6)
	}
	i := p.interval()
	if !(i.Lo90 < i.Lo80 && i.Lo80 < i.Mean && i.Mean < i.Hi80 && i.Hi80 < i.Hi90) {
		t.Errorf("interval %+v", i)
	}
	if twice := h.at(smoothed{near: 2 / 1e7, far: far, nearEffort: 0.2, farEffort: 0.2, access: 2}); math.Abs(twice.mean()-2*p.mean()) > 1e-12*p.mean() {
		t.Errorf("twice the access gives %g for %g", twice.mean(), p.mean())
	}
	// Nothing on record in 1,000 km² and half a year: half an incident.
	none := h.at(smoothed{nearEffort: 0.2, farEffort: 0.2, access: 1, inside: true})
	if want := 0.5 / 1000 / 0.5; math.Abs(none.mean()*1e6-want/(1+0.01*0.5)) > 1e-2*want || !(none.interval().Hi90 > 3*want && none.interval().Lo90 < want/20) {
		t.Errorf("nothing on record: %+v, by hand a mean of %g", none.interval(), want)
	}
	if out := h.at(smoothed{nearEffort: 0.2, farEffort: 0.2, access: 1}); out.mean() != 0 {
		t.Errorf("outside the domain, nothing on record: %g", out.mean())
	}
	if got := peakAreaM2(surface.Quartic, 5000); math.Abs(got-math.Pi*25e6/3) > 1 {
		t.Errorf("the area of a quartic of 5 km is %g m²", got)
	}
}
