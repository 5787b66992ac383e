package risk

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"
)

// Rhythm is how records are spread over equal parts of a cycle. Factors have
// the mean 1. Records follow what was looked for and told as much as what
// happened.
type Rhythm struct {
	Factors []float64 `json:"factors"`
	Counts  []int     `json:"records"`
	// Weight is how much of the difference between parts counts, 0 to 1.
	Weight float64 `json:"weight"`
	// Why says what the weight comes from.
	Why string `json:"why"`
}

// newRhythm draws the shares of n parts to their expectation by the positive
// part of James and Stein's estimator with k - 1 degrees of freedom,
//
//	f = 1 + w·(n/e - 1),  w = max(0, 1 - (k-1)/χ²),  χ² = Σ (n-e)²/e
//
// so that what chance alone may do counts for nothing. Source: B. Efron and
// C. Morris, JASA 70 (1975), for the shrinkage; χ² is Pearson's.
func newRhythm(counts []int, expectedShare []float64, what string) Rhythm {
	r := Rhythm{Factors: make([]float64, len(counts)), Counts: counts}
	total := 0
	for _, n := range counts {
		total += n
	}
	chi2 := 0.0
	for i, n := range counts {
		r.Factors[i] = 1
		if e := float64(total) * expectedShare[i]; e > 0 {
			chi2 += (float64(n) - e) * (float64(n) - e) / e
		}
	}
	least := 5 * len(counts) // χ² needs about five expected in each
	freedom := float64(len(counts) - 1)
	switch {
	case total < least:
		r.Why = fmt.Sprintf("%d records with a known %s: at least %d are needed", total, what, least)
		return r
	case chi2 <= freedom:
		r.Why = fmt.Sprintf("%d records differ by %s no more than chance would have it", total, what)
		return r
	}
	r.Weight = 1 - freedom/chi2
	r.Why = fmt.Sprintf("from %d records; differences by %s count %.0f %%, the rest may be chance", total, what, 100*r.Weight)
	for i, n := range counts {
		r.Factors[i] = 1 + r.Weight*(float64(n)/(float64(total)*expectedShare[i])-1)
	}
	return r
}

// Season returns how records are spread over the months of the year, January
// first, by the days of each month; local time. It counts the records of whole
// years before AsOf as far back as the first, whose date is known to the month.
func (a *Assessment) Season() Rhythm { return a.season() }

// Day returns how records whose hour is known are spread over the hours of the
// day, local time.
func (a *Assessment) Day() Rhythm { return a.day() }

func (a *Assessment) findSeason() Rhythm {
	counts, share := make([]int, 12), make([]float64, 12)
	for m := range share {
		share[m] = float64(time.Date(2001, time.Month(m+2), 0, 0, 0, 0, 0, time.UTC).Day()) / 365
	}
	years := 0
	if a.Incidents.EarliestMS != 0 {
		years = int(float64(a.AsOf.UnixMilli()-a.Incidents.EarliestMS) / (daysPerYear * 86.4e6))
	}
	from := a.AsOf.AddDate(-years, 0, 0)
	a.eachDated(func(t time.Time, spanMS int64, _ traits) {
		if t.After(from) && spanMS <= 31*86_400_000 {
			counts[t.Month()-1]++
		}
	})
	r := newRhythm(counts, share, "month")
	if years == 0 {
		r.Why = "the records go back less than a whole year"
	}
	return r
}

func (a *Assessment) findDay() Rhythm {
	counts, share := make([]int, 24), make([]float64, 24)
	for h := range share {
		share[h] = 1.0 / 24
	}
	a.eachDated(func(t time.Time, _ int64, known traits) {
		if known&hourKnownTrait != 0 {
			counts[t.Hour()]++
		}
	})
	return newRhythm(counts, share, "hour")
}

// eachDated yields the records that count and are dated, not after AsOf, in
// local time.
func (a *Assessment) eachDated(yield func(t time.Time, spanMS int64, known traits)) {
	asOf := a.AsOf.UnixMilli()
	for _, p := range a.Incidents.parts {
		for i, row := range p.rows {
			if p.ms[i] == noTime || p.ms[i] > asOf {
				continue
			}
			from, to, _ := p.layer.TimesMS(int(row))
			at, _ := p.layer.Point(int(row))
			yield(time.UnixMilli(p.ms[i]).UTC().Add(solarZone(at)), to-from, p.traits[i])
		}
	}
}

func solarZone(p orb.Point) time.Duration {
	return time.Duration(math.Round(p.Lon()/15)) * time.Hour
}
