package risk

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
	"gonum.org/v1/gonum/stat/distuv"
)

// HazardModel says how the hazard allows for what was not seen.
type HazardModel struct {
	// Correction is effort (and ""): the rate of all incidents, recorded or not,
	// by how hard anyone looked; or none: that of the recorded ones.
	Correction string `json:"correction"`
	// Reporting is fitted (and ""): the reporting rate of each section is what the
	// records found and reported say where patrols were, about ReportingRate; or
	// fixed: it is ReportingRate.
	Reporting string `json:"reporting"`
	// ReportingRate is the share of incidents that somebody reports, without any
	// patrol.
	ReportingRate float64 `json:"reporting_rate"`
	// ReportingCV is how far the reporting rate of a district may be off, as a
	// share of it (one standard deviation); it widens the intervals.
	ReportingCV float64 `json:"reporting_cv"`
	// ReportingBandwidthM is how far along the border sections share records for
	// the fit, as a bandwidth in metres.
	ReportingBandwidthM float64 `json:"reporting_bandwidth_m"`
	// PriorBandwidthM is how far around a place its prior looks, as a bandwidth
	// in metres.
	PriorBandwidthM float64 `json:"prior_bandwidth_m"`
	// Access is fitted (and ""): how near the line, unofficial ports and crossings
	// a place is counts as the records say; or none.
	Access string `json:"access"`
	// MostPerFound is how many incidents one stands for at most that a patrol
	// found, in the second opinion Found.
	MostPerFound float64 `json:"most_per_found"`
	// PriorWeight is how much the prior counts at a place, in incidents.
	PriorWeight float64 `json:"prior_weight"`
}

// The corrections, and what access may be.
const (
	CorrectEffort = "effort"
	CorrectNone   = "none"
	AccessFitted  = "fitted"
	AccessNone    = "none"

	ReportingFitted = "fitted"
	ReportingFixed  = "fixed"
)

func (m HazardModel) validate() (errs []error) {
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("hazard."+format, args...))
		}
	}
	check(m.Correction == "" || m.Correction == CorrectEffort || m.Correction == CorrectNone, "correction is %q: use effort or none", m.Correction)
	check(m.Access == "" || m.Access == AccessFitted || m.Access == AccessNone, "access is %q: use fitted or none", m.Access)
	check(m.Reporting == "" || m.Reporting == ReportingFitted || m.Reporting == ReportingFixed, "reporting is %q: use fitted or fixed", m.Reporting)
	check(m.ReportingBandwidthM >= leastBandwidthM && m.ReportingBandwidthM <= mostBandwidthM, "reporting_bandwidth_m is %g: use %g to %g", m.ReportingBandwidthM, leastBandwidthM, mostBandwidthM)
	check(m.ReportingRate >= 0.001 && m.ReportingRate <= 1, "reporting_rate is %g: use 0.001 to 1", m.ReportingRate)
	check(m.ReportingCV >= 0 && m.ReportingCV <= 2, "reporting_cv is %g: use 0 to 2", m.ReportingCV)
	check(m.PriorBandwidthM >= leastBandwidthM && m.PriorBandwidthM <= mostBandwidthM, "prior_bandwidth_m is %g: use %g to %g", m.PriorBandwidthM, leastBandwidthM, mostBandwidthM)
	check(m.MostPerFound >= 1 && m.MostPerFound <= 1000, "most_per_found is %g: use 1 to 1000", m.MostPerFound)
	check(m.PriorWeight >= 0.05 && m.PriorWeight <= 100, "prior_weight is %g: use 0.05 to 100", m.PriorWeight)
	return errs
}

// hazard is the rate of incidents at every place, recorded or not. With n the
// records that count at a place and E the time that they could have been seen
// in, both smoothed by one kernel K of the hazard's bandwidth h and given for
// the kernel's own area A = h²/(c·k(0)),
//
//	λ = f·θ,  θ ~ Gamma(a + n, a/μ + A·E),  μ = ΣK'·n / ΣK'·E
//
// with f the factor of Access at the place and K' a wide kernel: where nobody
// looked and nothing is recorded it is what the surroundings say, with a wide
// interval, rather than zero. The exposure of a cell is
//
//	E = f·T·(P + ρ·(1 - P)),  P = 1 - e^(-C·τ/T)
//
// years: what patrols meet, whose sweeps over the hazard's window add up to the
// coverage C, of crossings that last τ, and what of the rest is reported, at the
// rate ρ of the section; T is the window's length in years of full weight.
//
// Source: METHODS sections 6 and 8; a Gamma-Poisson model with two channels of
// detection (Ensign et al. 2018 for why one must not do without).
type hazard struct {
	near, far       field   // events per m²
	nearEff, farEff field   // years
	windowY         float64 // T
	reported        float64 // ρ·T
	areaM2          float64 // A
	weight          float64 // a
	farAreaM2       float64
	outside         float64 // exposure times access where nobody patrols, outside the domain, years
	access          *Access
	domain          *domain
	domainYM2       float64 // exposure of the domain, years · m²
	whole           float64 // the rate of the whole domain, per m² and year, by the factor of access
	model           HazardModel
}

// peakAreaM2 is the area over which an event of a kernel would be spread evenly
// at the kernel's greatest height.
func peakAreaM2(k surface.Kernel, hM float64) float64 { return hM * hM / (k.Constant() * k.At(0)) }

// posterior is the Gamma distribution of a rate per m² and year.
type posterior struct {
	shape, rate float64
	extra       float64 // shape that only the interval has
	// spread is the square of the relative error that comes on top: of the prior,
	// which is itself made of few records, and of the reporting rate.
	spread float64
	// silent: the place is outside the domain, and nothing is recorded as far as the
	// prior looks. Nothing is said of it: the mean is 0.
	silent bool
}

func (p posterior) mean() float64 {
	if p.silent {
		return 0
	}
	return p.shape / p.rate
}

// interval returns the mean with its 80 and 90 % intervals, per km² and year.
func (p posterior) interval() Interval {
	shape := p.shape + p.extra
	middle := shape / p.rate * perKM2
	shape = 1 / (1/shape + p.spread)
	mean := p.mean() * perKM2
	g := distuv.Gamma{Alpha: shape, Beta: shape / middle}
	return Interval{mean, min(mean, g.Quantile(0.1)), max(mean, g.Quantile(0.9)), min(mean, g.Quantile(0.05)), max(mean, g.Quantile(0.95))}
}

// noneSeen is how many incidents none on record are worth (Jeffreys' prior of a
// Poisson rate): where nobody reported any, there may be some.
const noneSeen = 0.5

// smoothed are the sums round one place, events per m² and years, with its
// factor of access and what is known of reporting there.
type smoothed struct {
	near, far             float64
	nearEffort, farEffort float64
	access                float64
	accessSD              float64 // of its logarithm
	reporting             ReportingRate
	inside                bool // the domain
}

// at is the posterior of a place.
func (h *hazard) at(s smoothed) posterior {
	n := s.near * h.areaM2
	if h.plain() {
		return posterior{shape: n, rate: h.areaM2 * h.windowY, extra: 0.5, silent: !h.recorded(s.near)}
	}
	μ := h.prior(s.far, s.farEffort)
	seen := s.nearEffort + h.outside
	priorShare := h.weight / (h.weight + n)
	rate := h.weight/μ + h.areaM2*seen
	// What is on record at the place itself needs no factor; and the prior is
	// divided by the factors around, so that half of its variance counts.
	access := h.weight / μ / rate * s.accessSD / math.Sqrt2
	reported := min(1, s.reporting.Mean*h.windowY*s.access/seen) * s.reporting.CV
	return posterior{
		shape: h.weight + n, rate: rate / s.access,
		spread: priorShare*priorShare/(s.far*h.farAreaM2+noneSeen) + access*access + reported*reported,
		silent: !s.inside && h.silent(s.near, s.far),
	}
}

// leastRecorded is how much of an incident counts as something on record.
const leastRecorded = 1e-9

// recorded reports whether anything is on record as far as the kernel reaches.
func (h *hazard) recorded(near float64) bool { return near*h.areaM2 > leastRecorded }

func (h *hazard) silent(near, far float64) bool {
	return !h.recorded(near) && far*h.farAreaM2 <= leastRecorded
}

// prior is the mean that the surroundings give a place. They count with half an
// incident more than is on record there, at the rate of the whole domain: where
// nothing is on record, it is less than that by how much could have been.
func (h *hazard) prior(far, farEffort float64) float64 {
	none := noneSeen / h.farAreaM2
	return (far + none) / (farEffort + h.outside + none/h.whole)
}

// seenShare is the share of incidents round a place that come to be known.
func (h *hazard) seenShare(p orb.Point) float64 {
	return (h.nearEff.At(p.Lon(), p.Lat()) + h.outside) / h.access.place(p) / h.windowY
}

// sumEffort makes the hazard, with the exposure of what patrols and posts did
// over its window.
func (a *Assessment) sumEffort() {
	a.exposureY = a.Incidents.exposureYears(a.hazardView())
	kept := a.keepFit()
	if !kept {
		a.fitReporting()
	}
	a.hazard = a.newHazard()
	if !kept {
		a.fitAccess()
	}
}

// newHazard is the hazard with the access that is known so far.
func (a *Assessment) newHazard() hazard {
	m, k, h := a.Model.Hazard, a.Model.Kernel, a.Bandwidth.BandwidthM
	out := hazard{
		model: m, windowY: a.exposureY, reported: m.ReportingRate * a.exposureY, weight: m.PriorWeight,
		areaM2: peakAreaM2(k, h), farAreaM2: peakAreaM2(k, m.PriorBandwidthM),
		near: a.field(a.hazardView()), access: a.Access, domain: a.domain,
	}
	if out.plain() {
		return out
	}
	out.far, out.outside = a.priorField(), out.reported
	if a.Access != nil {
		out.outside *= a.Access.outside
	}
	if p := a.in.Previous; p != nil && p.keys.coverage == a.keys.coverage && p.exposureY == a.exposureY && p.Access == a.Access && p.Reporting == a.Reporting &&
		p.Model.Kernel == k && p.Bandwidth.BandwidthM == h && p.Model.Hazard == m && p.hazard.nearEff != nil {
		out.nearEff, out.farEff, out.domainYM2 = p.hazard.nearEff, p.hazard.farEff, p.hazard.domainYM2
		out.whole = a.wholeRate(out.domainYM2)
		return out
	}
	events, domainYM2 := a.effortEvents()
	points := surface.NewPoints(events, false)
	out.domainYM2, out.whole = domainYM2, a.wholeRate(domainYM2)
	out.nearEff, out.farEff = effortField(points, k, h), effortField(points, k, m.PriorBandwidthM)
	return out
}

// wholeRate is the rate of the whole domain; without an incident on record it
// is not known, and nothing is held to it.
func (a *Assessment) wholeRate(domainYM2 float64) float64 {
	if n := a.domainIncidents(); n > 0 && domainYM2 > 0 {
		return n / domainYM2
	}
	return math.Inf(1)
}

func effortField(p *surface.Points, k surface.Kernel, bandwidthM float64) field {
	pyramid, err := surface.NewPyramid(p, k, bandwidthM)
	if err != nil {
		panic(err) // the model was validated
	}
	return keptDensity{Pyramid: pyramid}
}

// priorField is the density that the prior sees: on the place's own side of the
// coast where the model smooths so and it can be had. Ways round headlands
// matter little so far off.
func (a *Assessment) priorField() field {
	v := a.priorView()
	if a.Smoothing.Rule != surface.SmoothNone {
		if f, err := a.smoothBy(a.Density(v), surface.SmoothEdge); err == nil {
			return f
		}
	}
	return a.unmasked(v)
}

// history is the time over which effort counts against the hazard's incidents.
func (a *Assessment) history() surface.Fading {
	v := a.hazardView()
	return surface.Fading{Days: a.Incidents.windowDays(v), HalfLifeDays: v.HalfLifeDays}
}

// yearsMet is how long, in years of full weight, an incident in a cell would
// have met a patrol.
func (a *Assessment) yearsMet(c surface.Cell, areaM2 float64) float64 {
	const hoursPerYear = daysPerYear * 24
	swept := a.Coverage.Cells().At(c).HistoryM2
	if swept == 0 {
		return 0
	}
	medium, _ := a.mediumAt(c)
	return a.exposureY * surface.InterceptionPOD(swept/areaM2, a.transientH(medium), a.exposureY*hoursPerYear)
}

// yearsSeen is the exposure of a cell.
func (a *Assessment) yearsSeen(c surface.Cell, areaM2 float64) float64 {
	met := a.yearsMet(c, areaM2)
	return met + a.Reporting.in(a.domain.sectionOf(c)).Mean*(a.exposureY-met)
}

// effortEvents are the cells whose exposure, times their factor of access, is
// more than that of places without patrols outside the domain: each with what
// it has more, times its area. domainYM2 is the exposure of the domain, in years
// times its area.
func (a *Assessment) effortEvents() (events []surface.Event, domainYM2 float64) {
	add := func(c surface.Cell, inside bool) {
		m2 := c.AreaM2()
		outside := a.Model.Hazard.ReportingRate * a.exposureY
		if a.Access != nil {
			outside *= a.Access.outside
		}
		seen := a.yearsSeen(c, m2) * a.Access.at(c)
		if inside {
			domainYM2 += seen * m2
		}
		if more := seen - outside; more > 0 {
			at := c.Center()
			events = append(events, surface.Event{Lon: at.Lon(), Lat: at.Lat(), Weight: more * m2})
		}
	}
	a.Coverage.Cells().Each(func(c surface.Cell, e *surface.Effort) {
		if e.HistoryM2 > 0 && a.domain.sectionOf(c) < 0 {
			add(c, false)
		}
	})
	a.domain.nearest.Each(func(c surface.Cell, n *nearestSection) {
		if n.section > 0 {
			add(c, true)
		}
	})
	return events, domainYM2
}

// priorView is the hazard's view through the prior's wide kernel.
func (a *Assessment) priorView() View {
	v := a.hazardView()
	v.BandwidthM = a.Model.Hazard.PriorBandwidthM
	return v
}

func (m HazardModel) plain() bool { return m.Correction == CorrectNone }

func (h *hazard) plain() bool { return h.model.plain() }

// tile returns the posterior mean, per m² and year; pixels as in field.Tile.
func (h *hazard) tile(level, px, py, n int) []float64 {
	perPixel := math.Exp2(float64(surface.CellLevel - level))
	return h.combine(pixels{
		of:      func(f field) []float64 { return f.Tile(level, px, py, n) },
		factors: func() []float64 { return h.access.tile(level, px, py, n) },
		inside: func(i int) bool {
			x, y := (float64(px+i%n)+0.5)*perPixel, (float64(py+i/n)+0.5)*perPixel
			return h.domain.sectionOf(surface.Cell{X: int32(math.Floor(x)) & (1<<surface.CellLevel - 1), Y: int32(math.Floor(y))}) >= 0
		},
	})
}

func (h *hazard) raster(l surface.Lattice, threads int) []float64 {
	return h.combine(pixels{
		of:      func(f field) []float64 { return f.Raster(l, threads) },
		factors: func() []float64 { return h.access.raster(l) },
		inside: func(i int) bool {
			return h.domain.sectionAt(orb.Point{l.Lon0 + float64(i%l.NX)*l.DLon, l.Lats[i/l.NX]}) >= 0
		},
	})
}

// pixels are places to combine sums at: of gives the smoothed ones, factors
// those of access, and inside tells of one whether it is in the domain.
type pixels struct {
	of      func(field) []float64
	factors func() []float64
	inside  func(i int) bool
}

// combine returns the posterior means.
func (h *hazard) combine(p pixels) []float64 {
	near := p.of(h.near)
	if h.plain() {
		return scale(near, 1/h.windowY)
	}
	far, nearEffort, farEffort, access := p.of(h.far), p.of(h.nearEff), p.of(h.farEff), p.factors()
	for i := range near {
		if h.silent(near[i], far[i]) && !p.inside(i) {
			near[i] = 0
		} else {
			near[i] = h.at(smoothed{near: near[i], far: far[i], nearEffort: nearEffort[i], farEffort: farEffort[i], access: access[i], inside: true}).mean()
		}
	}
	return near
}

// hazardAtCell returns the posterior at the middle of a cell.
func (a *Assessment) hazardAtCell(c surface.Cell) posterior {
	value := func(f field) float64 { return f.Tile(surface.CellLevel, int(c.X), int(c.Y), 1)[0] }
	h := &a.hazard
	section := a.domain.sectionOf(c)
	return h.at(smoothed{value(h.near), value(h.far), value(h.nearEff), value(h.farEff), h.access.at(c), h.access.sdAt(c), a.Reporting.in(section), section >= 0})
}

// hazardAt returns the posterior at a place.
func (a *Assessment) hazardAt(p orb.Point) posterior {
	lon, lat := p.Lon(), p.Lat()
	h := &a.hazard
	if h.plain() {
		return h.at(smoothed{near: h.near.At(lon, lat)})
	}
	return h.at(smoothed{h.near.At(lon, lat), h.far.At(lon, lat), h.nearEff.At(lon, lat), h.farEff.At(lon, lat),
		h.access.place(p), h.access.sdAt(surface.CellAt(p)), a.Reporting.in(a.domain.sectionAt(p)), a.domain.sectionAt(p) >= 0})
}
