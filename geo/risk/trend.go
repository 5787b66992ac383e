package risk

import (
	"math"
	"slices"
)

// Trend tells whether a section's incidents become more or fewer.
type Trend struct {
	Class TrendClass `json:"class"`
	// P is the two-sided p of Mann-Kendall, and Tau Kendall's τ-b against
	// time; null without enough data.
	P   *float64 `json:"p"`
	Tau *float64 `json:"tau"`
	// Months are incidents by month of 30.4375 days, the oldest first; the
	// last ends at the assessment's instant. No month begins before the
	// first record of all.
	Months    []int `json:"months"`
	Incidents int   `json:"incidents"`
	// ChangePercent compares the newer half of the months with the older;
	// null when that has none.
	ChangePercent *float64 `json:"change_percent"`
}

// TrendClass is the direction of a trend.
type TrendClass string

// The classes: rising and falling are significant at 5 %.
const (
	Rising       TrendClass = "rising"
	Falling      TrendClass = "falling"
	Steady       TrendClass = "steady"
	TooFewToTell TrendClass = "not_enough_data"
)

const (
	trendMonths     = 24
	trendLeastSteps = 10
	trendAlpha      = 0.05
	monthMS         = int64(daysPerYear / 12 * 86.4e6)
)

// series counts incidents by section and month before the assessment.
type series struct {
	steps  int
	counts [][trendMonths]int // by section; the newest month first
}

// newSeries has a step for each full month that the records reach back.
func (a *Assessment) newSeries() *series {
	s := &series{counts: make([][trendMonths]int, len(a.Sections))}
	if first := a.Incidents.EarliestMS; first != 0 {
		s.steps = int(max(0, min(trendMonths, (a.AsOf.UnixMilli()-first)/monthMS)))
	}
	return s
}

func (s *series) add(section int32, ageMS int64) {
	if k := ageMS / monthMS; k < int64(s.steps) {
		s.counts[section][k]++
	}
}

// trend judges a section by Mann-Kendall over its months, when it has at least
// 10 of them (METHODS section 5) and least incidents.
func (s *series) trend(section, least int) Trend {
	months := slices.Clone(s.counts[section][:s.steps])
	slices.Reverse(months)
	t := Trend{Class: TooFewToTell, Months: months}
	older, newer := 0, 0
	for i, n := range months {
		t.Incidents += n
		if k := len(months) / 2; i < k {
			older += n
		} else if i >= len(months)-k {
			newer += n
		}
	}
	if len(months) < trendLeastSteps || t.Incidents < least {
		return t
	}
	if older > 0 {
		change := 100 * float64(newer-older) / float64(older)
		t.ChangePercent = &change
	}
	sum, tau, p := mannKendall(months)
	t.P, t.Tau, t.Class = &p, &tau, Steady
	if p < trendAlpha {
		t.Class = map[bool]TrendClass{true: Rising, false: Falling}[sum > 0]
	}
	return t
}

// mannKendall returns S = Σ_{i<j} sign(x_j - x_i), Kendall's τ-b against time,
// and the two-sided p of the normal approximation with continuity correction:
// z = (S - sign S)/√V, 18·V = n(n-1)(2n+5) - Σ t(t-1)(2t+5) over groups of t
// equal values. All values equal: S 0, p 1. Source: Kendall, Rank Correlation
// Methods (1975); Mann, Econometrica 13 (1945). The approximation is meant for
// n of 10 or more. Cost: n².
func mannKendall(x []int) (s int, tau, p float64) {
	n := len(x)
	groups := map[int]int{}
	for i := range x {
		groups[x[i]]++
		for j := i + 1; j < n; j++ {
			switch {
			case x[j] > x[i]:
				s++
			case x[j] < x[i]:
				s--
			}
		}
	}
	variance, tied := n*(n-1)*(2*n+5), 0
	for _, t := range groups {
		variance -= t * (t - 1) * (2*t + 5)
		tied += t * (t - 1) / 2
	}
	if variance <= 0 {
		return s, 0, 1
	}
	pairs := n * (n - 1) / 2
	if pairs > tied {
		tau = float64(s) / math.Sqrt(float64(pairs)*float64(pairs-tied))
	}
	z := max(0, math.Abs(float64(s))-1) / math.Sqrt(float64(variance)/18)
	return s, tau, math.Erfc(z / math.Sqrt2)
}
