package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Reporting says what share of incidents somebody reports, as the two ways of
// discovery let one see it. It is of the instant AsOf, and stays as it is for
// as long as Access does.
type Reporting struct {
	AsOf time.Time `json:"as_of"`
	// Found and Reported are the records that it was fitted to, by their weights:
	// those that patrols found and those that somebody reported, where patrols
	// were.
	Found    float64 `json:"found"`
	Reported float64 `json:"reported"`
	// Rate is that of the whole domain.
	Rate ReportingRate `json:"rate"`
	Why  string        `json:"why,omitempty"` // not fitted

	sections []ReportingRate
	least    float64
	model    float64
}

// ReportingRate is a share of incidents with its relative standard deviation.
type ReportingRate struct {
	Mean float64 `json:"mean"`
	CV   float64 `json:"cv"`
}

// channels are the records of a cell that patrols went through, with the
// chance that one of them would have met an incident.
type channels struct {
	met             float64
	found, reported float64
}

// sweepCV is how far off the chance that a patrol meets an incident may be, all
// over: about what lies between the low and the high sweep widths of the model.
const sweepCV = 0.5

// vagueCV leaves the level of the rates to the records.
const vagueCV = 10

// leastFound is the weight of records that patrols found from which the rate
// of reporting can be told.
const leastFound = 5

// fitReporting fits the reporting rate of each section. Of the incidents of a
// cell a patrol finds the share P, and of the others somebody reports the share
// ρ; so of its records those found are a binomial draw with the chance
//
//	P / (P + ρ(1-P)),
//
// whatever the hazard there. log ρ is normal beforehand, first about the model's
// rate for the domain as a whole, then about the domain's for each section, which
// sees the records of all sections within 2·ReportingBandwidthM by a quartic
// kernel; the largest posterior is found by Newton's steps on a concave
// function. Only cells with patrols count. How the rates differ is what the
// records say; how high they are together is the model's rate and the records'
// weighed against each other, as a wrong sweep width shifts the latter.
//
// Source: METHODS section 8 (two channels); conditional likelihood of two
// Poisson counts. It fails where tracks are missing: what patrols found there is
// not seen.
func (a *Assessment) fitReporting() {
	m := a.Model.Hazard
	r := &Reporting{AsOf: a.AsOf, Rate: ReportingRate{m.ReportingRate, m.ReportingCV}, least: m.ReportingRate, model: m.ReportingRate}
	a.Reporting = r
	if m.plain() || m.Reporting == ReportingFixed {
		r.Why = "not asked for"
		return
	}
	bySection := a.channelsOf()
	var all []weighted
	for _, cells := range bySection {
		for _, c := range cells {
			all = append(all, weighted{c, 1})
			r.Found += c.found
			r.Reported += c.reported
		}
	}
	if r.Found < leastFound || r.Reported < leastFound {
		r.Why = "too few records of one kind, found by patrols or reported, where patrols were"
		return
	}
	seen := fitRate(all, ReportingRate{r.Rate.Mean, vagueCV})
	r.Rate = r.Rate.and(ReportingRate{seen.Mean, math.Hypot(seen.CV, sweepCV)})
	level := r.Rate.Mean / seen.Mean
	about := ReportingRate{seen.Mean, m.ReportingCV}
	middles := make([]orb.Point, len(a.stretches))
	for i, s := range a.stretches {
		middles[i] = s.line[len(s.line)/2]
	}
	r.sections = make([]ReportingRate, len(a.stretches))
	for i := range a.stretches {
		var near []weighted
		for j, cells := range bySection {
			d := geo.LocalDistanceM(middles[i], middles[j]) / (2 * m.ReportingBandwidthM)
			if d >= 1 {
				continue
			}
			for _, c := range cells {
				near = append(near, weighted{c, (1 - d*d) * (1 - d*d)})
			}
		}
		s := fitRate(near, about)
		r.sections[i] = ReportingRate{min(1, s.Mean*level), math.Hypot(s.CV, r.Rate.CV)}
		r.least = min(r.least, r.sections[i].Mean)
	}
}

// and weighs two estimates by their precision, on the scale of logarithms.
func (r ReportingRate) and(other ReportingRate) ReportingRate {
	v, w := r.CV*r.CV, other.CV*other.CV
	if v+w == 0 {
		return r
	}
	u := (math.Log(r.Mean)*w + math.Log(other.Mean)*v) / (v + w)
	return ReportingRate{math.Exp(u), math.Sqrt(v * w / (v + w))}
}

type weighted struct {
	channels
	weight float64
}

// fitRate returns the rate with the largest posterior, with the normal
// approximation's standard deviation of its logarithm.
func fitRate(cells []weighted, before ReportingRate) ReportingRate {
	variance := math.Log(1 + before.CV*before.CV)
	if variance == 0 {
		return before
	}
	start := math.Log(before.Mean)
	u, info := start, 0.0
	for range 50 {
		ρ, slope := math.Exp(u), -(u-start)/variance
		info = 1 / variance
		for _, c := range cells {
			q := ρ * (1 - c.met) / (c.met + ρ*(1-c.met))
			n := c.found + c.reported
			slope += c.weight * (c.reported - n*q)
			info += c.weight * n * q * (1 - q)
		}
		step := max(-1, min(1, slope/info))
		if u = min(0, u+step); math.Abs(step) < 1e-9 {
			break
		}
	}
	return ReportingRate{math.Exp(u), math.Sqrt(math.Expm1(min(1, 1/info)))}
}

// channelsOf collects the records of the cells that patrols went through, by
// section.
func (a *Assessment) channelsOf() [][]channels {
	counts := map[surface.Cell]*channels{}
	a.eachDomainRecord(func(p *recordPart, i int, w float64) {
		if p.traits[i]&(foundTrait|reportedTrait) == 0 {
			return
		}
		c := p.cell(i)
		seen := counts[c]
		if seen == nil {
			seen = &channels{met: a.yearsMet(c, c.AreaM2()) / a.exposureY}
			counts[c] = seen
		}
		if p.traits[i]&foundTrait != 0 {
			seen.found += w
		} else {
			seen.reported += w
		}
	})
	out := make([][]channels, len(a.stretches))
	for c, seen := range counts {
		if seen.met > 0 {
			s := a.domain.sectionOf(c)
			out[s] = append(out[s], *seen)
		}
	}
	for _, cells := range out { // the same order, the same sums
		slices.SortFunc(cells, func(x, y channels) int {
			return cmp.Or(cmp.Compare(x.met, y.met), cmp.Compare(x.found, y.found), cmp.Compare(x.reported, y.reported))
		})
	}
	return out
}

// leastFactor is the least rate of a section, as a part of the model's where it
// is lower.
func (r *Reporting) leastFactor() float64 { return min(1, r.least/r.model) }

// in is the rate of a section, or of what is in none.
func (r *Reporting) in(section int) ReportingRate {
	if section >= 0 && section < len(r.sections) {
		return r.sections[section]
	}
	return ReportingRate{r.model, r.Rate.CV}
}
