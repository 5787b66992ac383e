package risk

import (
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Incidents is what density and hazard are made of: the records of every
// incident layer, without those of kinds that do not count. Each layer is a
// part of its own, which the next assessment takes over while the layer stays
// the same.
type Incidents struct {
	parts  []*recordPart
	starts []int // number of the first record of each part
	n      int
	points *surface.Points

	// EarliestMS and LatestMS bound the dated records; both 0 without any.
	EarliestMS, LatestMS int64
	// Excluded and Undated count records left out of all surfaces, and of
	// those with a time window.
	Excluded, Undated int
}

// recordPart is the records of one layer. All slices are by record.
type recordPart struct {
	layer  *geo.Layer
	rows   []int32
	ms     []int64 // middle of the time interval; undated: noTime
	kind   []int16 // in kinds
	kinds  []string
	traits []traits
	points *surface.Points

	earliestMS, latestMS int64
	excluded, undated    int

	mu       sync.Mutex
	domain   *domain // that sections is for
	sections []int32 // the section that each record lies in, or -1
}

// traits are what the sections' profiles ask of a record.
type traits uint8

const (
	reportedTrait  traits = 1 << iota // somebody reported it: no patrol was needed
	hourKnownTrait                    // its time is known to the hour
)

const noTime = math.MinInt64

// newIncidents collects the records of layers; parts of the assessment before
// serve again where the layer is the same.
func newIncidents(layers []*geo.Layer, m Model, before *Incidents) *Incidents {
	in := &Incidents{}
	var points []*surface.Points
	for _, l := range layers {
		p := before.part(l)
		if p == nil {
			p = newRecordPart(l, m)
		}
		in.parts = append(in.parts, p)
		in.starts = append(in.starts, in.n)
		in.n += len(p.rows)
		points = append(points, p.points)
		in.Excluded += p.excluded
		in.Undated += p.undated
		if p.latestMS != 0 {
			in.LatestMS = max(in.LatestMS, p.latestMS)
			if in.EarliestMS == 0 || p.earliestMS < in.EarliestMS {
				in.EarliestMS = p.earliestMS
			}
		}
	}
	in.points = surface.Union(points...)
	return in
}

func (in *Incidents) part(l *geo.Layer) *recordPart {
	if in != nil {
		for _, p := range in.parts {
			if p.layer == l {
				return p
			}
		}
	}
	return nil
}

// newRecordPart reads one layer. A line or polygon counts at the middle of its
// box, with half the box's diagonal as its precision at least.
func newRecordPart(l *geo.Layer, m Model) *recordPart {
	p := &recordPart{layer: l}
	var events []surface.Event
	codes := map[string]int16{}
	for row := range l.Len() {
		kind := l.Text(row, "kind")
		if slices.Contains(m.ExcludedKinds, kind) || (len(m.Kinds) > 0 && !slices.Contains(m.Kinds, kind)) {
			p.excluded++
			continue
		}
		code, seen := codes[kind]
		if !seen {
			code = int16(len(p.kinds))
			codes[kind] = code
			p.kinds = append(p.kinds, kind)
		}
		events = append(events, eventOf(l, row, kind, m))
		p.rows = append(p.rows, int32(row))
		p.kind = append(p.kind, code)
		p.addTime(row)
	}
	p.points = surface.NewPoints(events, false)
	return p
}

func eventOf(l *geo.Layer, row int, kind string, m Model) surface.Event {
	p, isPoint := l.Point(row)
	e := surface.Event{Lon: p.Lon(), Lat: p.Lat(), Weight: 1}
	if v := l.Number(row, "location_precision_m"); v > 0 {
		e.PrecisionM = v
	}
	if !isPoint {
		b := l.Geometry(row).Bound()
		e.PrecisionM = max(e.PrecisionM, geo.LocalDistanceM(b.Min, b.Max)/2)
	}
	e.PrecisionM = min(e.PrecisionM, surface.MaxBandwidthM)
	if m.SeverityWeighted {
		e.Weight = m.Severity.Weight(kind)
	}
	return e
}

// reportedChannels are the ways of discovery that need no patrol.
var reportedChannels = [...]string{"reported_victim", "reported_public", "reported_ngo", "hotline", "other_agency", "media"}

func (p *recordPart) addTime(row int) {
	from, to, dated := p.layer.TimesMS(row)
	var t traits
	if slices.Contains(reportedChannels[:], p.layer.Text(row, "discovery")) {
		t |= reportedTrait
	}
	mid := int64(noTime)
	if dated {
		mid = from + (to-from)/2
		if p.latestMS == 0 || mid < p.earliestMS {
			p.earliestMS = mid
		}
		if p.latestMS == 0 || mid > p.latestMS {
			p.latestMS = mid
		}
		if to-from < 3_600_000 {
			t |= hourKnownTrait
		}
	} else {
		p.undated++
	}
	p.ms = append(p.ms, mid)
	p.traits = append(p.traits, t)
}

// sectionsIn returns the section of each record in a domain.
func (p *recordPart) sectionsIn(d *domain) []int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.domain != d {
		sections := make([]int32, len(p.rows))
		for i, row := range p.rows {
			at, _ := p.layer.Point(int(row))
			sections[i] = int32(d.sectionAt(at))
		}
		p.domain, p.sections = d, sections
	}
	return p.sections
}

// Len returns the number of records that count.
func (in *Incidents) Len() int { return in.n }

func (in *Incidents) at(event int) (*recordPart, int) {
	k := sort.SearchInts(in.starts, event+1) - 1
	for len(in.parts[k].rows) == 0 { // an empty part starts where the next does
		k--
	}
	return in.parts[k], event - in.starts[k]
}

// Record returns the layer, row and kind of a record.
func (in *Incidents) Record(event int) (l *geo.Layer, row int, kind string) {
	p, i := in.at(event)
	return p.layer, int(p.rows[i]), p.kinds[p.kind[i]]
}

// View says which records a density counts and how much.
type View struct {
	AsOf         time.Time
	WindowDays   float64 // 0: all
	HalfLifeDays float64 // 0: no decay
	Kinds        []string
	BandwidthM   float64
}

// timed reports whether records without a time, or after AsOf, have no part.
func (v View) timed() bool { return v.WindowDays > 0 || v.HalfLifeDays > 0 }

// weighted returns the points with their weights in a view.
func (in *Incidents) weighted(v View) *surface.Points {
	asOf := v.AsOf.UnixMilli()
	if !v.timed() && len(v.Kinds) == 0 && in.LatestMS <= asOf {
		return in.points // everything counts in full
	}
	parts := make([]*surface.Points, len(in.parts))
	for k, p := range in.parts {
		parts[k] = p.weighted(v, asOf)
	}
	return surface.Union(parts...)
}

func (p *recordPart) weighted(v View, asOf int64) *surface.Points {
	counts := make([]bool, len(p.kinds))
	for i, kind := range p.kinds {
		counts[i] = len(v.Kinds) == 0 || slices.Contains(v.Kinds, kind)
	}
	windowMS := v.WindowDays * 86.4e6
	return p.points.Reweighted(func(i int) float64 {
		if !counts[p.kind[i]] {
			return 0
		}
		if p.ms[i] == noTime {
			if v.timed() {
				return 0
			}
			return 1
		}
		age := float64(asOf - p.ms[i])
		if age < 0 || (windowMS > 0 && age > windowMS) {
			return 0
		}
		if v.HalfLifeDays > 0 {
			return surface.Recency(age, v.HalfLifeDays*86.4e6)
		}
		return 1
	})
}

// exposureYears is the length of a window in which an incident of full weight
// counts one: ∫ 2^(-t/H) dt over the window. Dividing a decayed sum by it
// gives a rate per year.
func (in *Incidents) exposureYears(v View) float64 {
	days := v.WindowDays
	if days == 0 {
		days = max(1, float64(v.AsOf.UnixMilli()-in.EarliestMS)/86.4e6)
	}
	if h := v.HalfLifeDays; h > 0 {
		days = h / math.Ln2 * -math.Expm1(-days/h*math.Ln2)
	}
	return days / daysPerYear
}

const (
	daysPerYear  = 365.25
	reportDays   = 30.0
	periodFactor = reportDays / daysPerYear // from per year to per 30 days
	perKM2       = 1e6                      // from per m² to per km²
)
