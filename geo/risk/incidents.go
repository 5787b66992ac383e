package risk

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Incidents is what density and hazard are made of: the records of every
// incident layer, without those of kinds that do not count. The records of a
// layer are in parts, which the next assessment takes over: an edit of the
// layer makes a part of what is new.
type Incidents struct {
	parts  []*recordPart
	starts []int // number of the first record of each part
	n      int
	points *surface.Points
	layers []layerParts

	// EarliestMS and LatestMS bound the dated records; both 0 without any.
	EarliestMS, LatestMS int64
	// Excluded and Undated count records left out of all surfaces, and of
	// those with a time window.
	Excluded, Undated int
}

// layerParts are the parts of one layer as it is now.
type layerParts struct {
	layer *geo.Layer
	parts []*recordPart
}

// recordPart is the records of some rows of one layer. All slices are by record.
type recordPart struct {
	layer  *geo.Layer // that the rows are of: it may be an earlier version
	model  Model
	rows   []int32
	ms     []int64 // middle of the time interval; undated: noTime
	kind   []int16 // in kinds
	kinds  []string
	traits []traits
	points *surface.Points

	excluded []int32 // rows of kinds that do not count
	secret   []int32 // rows of geo.CollusionKind, which nothing here counts

	mark *byte // stands for these records, without holding them
	made origin

	earliestMS, latestMS int64
	undated              int

	mu       sync.Mutex
	domain   *domain // that sections is for
	sections []int32 // the section that each record lies in, or -1
}

// origin is how the records of a part came from those of parts before: some
// were dropped, and those from fresh on are new.
type origin struct {
	from    []*byte
	dropped []record
	fresh   int
}

// record is one that is counted no longer.
type record struct {
	event surface.Event
	ms    int64
	kind  string
}

// traits are what the sections' profiles ask of a record.
type traits uint8

const (
	reportedTrait  traits = 1 << iota // somebody reported it: no patrol was needed
	hourKnownTrait                    // its time is known to the hour
	foundTrait                        // a patrol or a sensor found it
	soughtTrait                       // somebody who looked found it, in whatever way
)

const noTime = math.MinInt64

// newIncidents collects the records of layers; parts of the assessment before
// serve again where their rows are the same.
func newIncidents(layers []*geo.Layer, m Model, before *Incidents) *Incidents {
	in := &Incidents{}
	var points []*surface.Points
	for _, l := range layers {
		lp := layerParts{l, before.partsFor(l, m)}
		in.layers = append(in.layers, lp)
		for _, p := range lp.parts {
			in.parts = append(in.parts, p)
			in.starts = append(in.starts, in.n)
			in.n += len(p.rows)
			points = append(points, p.points)
			in.Excluded += len(p.excluded)
			in.Undated += p.undated
			if p.latestMS != 0 {
				in.LatestMS = max(in.LatestMS, p.latestMS)
				if in.EarliestMS == 0 || p.earliestMS < in.EarliestMS {
					in.EarliestMS = p.earliestMS
				}
			}
		}
	}
	in.points = surface.Union(points...)
	return in
}

// partsFor returns the parts of a layer, from those before where it is the same
// layer, edited once. Small parts at the end become one with what is new, so
// that each record is read a number of times that grows with the logarithm of
// all.
func (in *Incidents) partsFor(l *geo.Layer, m Model) []*recordPart {
	var parts []*recordPart
	first := 0
	if in != nil {
		for _, old := range in.layers {
			if gone, at, ok := l.Since(old.layer); ok {
				first = at
				for _, p := range old.parts {
					parts = append(parts, p.without(gone))
				}
				break
			}
		}
	}
	if first == l.Len() && first > 0 {
		return parts
	}
	made, start := origin{}, first
	for k := len(parts) - 1; k >= 0 && parts[k].covers() < 2*(l.Len()-start); k-- {
		p := parts[k]
		start -= p.covers()
		made.fresh += len(p.rows)
		if before := in.has(p); before {
			made.from = append(made.from, p.mark)
		} else {
			made.from = append(made.from, p.made.from...)
			made.dropped = append(made.dropped, p.made.dropped...)
		}
		parts = parts[:k]
	}
	p := newRecordPart(l, start, m)
	p.made = made
	return append(parts, p)
}

// covers is how many rows of its layer the part is of.
func (p *recordPart) covers() int { return len(p.rows) + len(p.excluded) + len(p.secret) }

func (in *Incidents) has(p *recordPart) bool { return in != nil && slices.Contains(in.parts, p) }

// newRecordPart reads the rows of a layer from first on. A line or polygon
// counts at the middle of its box, with half the box's diagonal as its
// precision at least.
func newRecordPart(l *geo.Layer, first int, m Model) *recordPart {
	p := &recordPart{layer: l, model: m, mark: new(byte)}
	var events []surface.Event
	codes := map[string]int16{}
	for row := first; row < l.Len(); row++ {
		kind := l.Text(row, "kind")
		if kind == geo.CollusionKind {
			p.secret = append(p.secret, int32(row))
			continue
		}
		if slices.Contains(m.ExcludedKinds, kind) || (len(m.Kinds) > 0 && !slices.Contains(m.Kinds, kind)) {
			p.excluded = append(p.excluded, int32(row))
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
	p.points.Merge()
	return p
}

// event returns a record as the density sees it.
func (p *recordPart) event(i int) surface.Event {
	return eventOf(p.layer, int(p.rows[i]), p.kinds[p.kind[i]], p.model)
}

// cell is where a record lies.
func (p *recordPart) cell(i int) surface.Cell {
	at, _ := p.layer.Point(int(p.rows[i]))
	return surface.CellAt(at)
}

// without returns the part less the records of some features: itself when it
// has none of them.
func (p *recordPart) without(gone map[int64]bool) *recordPart {
	if len(gone) == 0 {
		return p
	}
	out := &recordPart{layer: p.layer, model: p.model, kinds: p.kinds, mark: new(byte)}
	place := make([]int32, len(p.rows)) // in out, or -1
	for i, row := range p.rows {
		if gone[p.layer.FID(int(row))] {
			out.made.dropped = append(out.made.dropped, record{p.event(i), p.ms[i], p.kinds[p.kind[i]]})
			place[i] = -1
			continue
		}
		place[i] = int32(len(out.rows))
		out.rows = append(out.rows, row)
		out.kind = append(out.kind, p.kind[i])
		out.addTime(int(row))
	}
	for _, row := range p.excluded {
		if !gone[p.layer.FID(int(row))] {
			out.excluded = append(out.excluded, row)
		}
	}
	for _, row := range p.secret {
		if !gone[p.layer.FID(int(row))] {
			out.secret = append(out.secret, row)
		}
	}
	if out.covers() == p.covers() {
		return p
	}
	out.points = p.points.Renumbered(place)
	out.made.from, out.made.fresh = []*byte{p.mark}, len(out.rows)
	return out
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
	e.PrecisionM = min(roundedUp(e.PrecisionM), surface.MaxBandwidthM)
	if m.SeverityWeighted {
		e.Weight = m.Severity.Weight(kind)
	}
	return e
}

// roundedUp rounds up to two digits: records share few bandwidths then, and each
// has its own whatever the others are.
func roundedUp(m float64) float64 {
	if !(m > 0) || math.IsInf(m, 0) {
		return m
	}
	unit := math.Pow(10, math.Floor(math.Log10(m))-1)
	return math.Ceil(m/unit-1e-9) * unit
}

// reportedChannels are the ways of discovery that need no patrol.
var reportedChannels = [...]string{"reported_victim", "reported_public", "reported_ngo", "hotline", "other_agency", "media"}

// foundChannels are the ways of discovery that coverage speaks of.
var foundChannels = [...]string{"patrol", "sensor"}

// soughtChannels are the ways of discovery by whoever looks that coverage does
// not speak of.
var soughtChannels = [...]string{"checkpoint", "intelligence_led"}

func (p *recordPart) addTime(row int) {
	from, to, dated := p.layer.TimesMS(row)
	var t traits
	if slices.Contains(reportedChannels[:], p.layer.Text(row, "discovery")) {
		t |= reportedTrait
	}
	if slices.Contains(foundChannels[:], p.layer.Text(row, "discovery")) {
		t |= foundTrait | soughtTrait
	}
	if slices.Contains(soughtChannels[:], p.layer.Text(row, "discovery")) {
		t |= soughtTrait
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

// sample yields the places of at most n records that a view counts, evenly
// chosen by their numbers, so that it does not matter how the layers came to be.
func (in *Incidents) sample(n int, v View, yield func(orb.Point)) {
	type pick struct {
		hash uint64
		at   orb.Point
	}
	var picks []pick // the greatest hash first
	for _, p := range in.parts {
		layer := fnv.New64a()
		_, _ = layer.Write([]byte(p.layer.Info.ID))
		seed := layer.Sum64()
		for i, row := range p.rows {
			hash := (seed ^ uint64(p.layer.FID(int(row)))) * 0x9E3779B97F4A7C15
			hash ^= hash >> 32
			if len(picks) == n && hash >= picks[0].hash || !v.admits(p.ms[i], p.kinds[p.kind[i]]) {
				continue
			}
			at, _ := p.layer.Point(int(row))
			if len(picks) == n {
				picks = picks[1:]
			}
			k, _ := slices.BinarySearchFunc(picks, hash, func(p pick, h uint64) int { return cmp.Compare(h, p.hash) })
			picks = slices.Insert(picks, k, pick{hash, at})
		}
	}
	for _, p := range picks {
		yield(p.at)
	}
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
	if !v.timed() && len(v.Kinds) == 0 && in.LatestMS <= v.AsOf.UnixMilli() {
		return in.points // everything counts in full
	}
	parts := make([]*surface.Points, len(in.parts))
	for k, p := range in.parts {
		parts[k] = p.weighted(v)
	}
	return surface.Union(parts...)
}

func (p *recordPart) weighted(v View) *surface.Points {
	counts := make([]bool, len(p.kinds))
	for i, kind := range p.kinds {
		counts[i] = v.counts(kind)
	}
	return p.points.Reweighted(func(i int) float64 {
		if !counts[p.kind[i]] || !v.covers(p.ms[i]) {
			return 0
		}
		return v.weight(p.ms[i])
	})
}

// admits reports whether a view counts a record of a kind and time.
func (v View) admits(ms int64, kind string) bool { return v.covers(ms) && v.counts(kind) }

func (v View) counts(kind string) bool { return len(v.Kinds) == 0 || slices.Contains(v.Kinds, kind) }

func (v View) covers(ms int64) bool {
	if ms == noTime {
		return !v.timed()
	}
	age := v.AsOf.UnixMilli() - ms
	return age >= 0 && (v.WindowDays == 0 || float64(age) <= v.WindowDays*86.4e6)
}

// weight is what the age of a record leaves of its weight.
func (v View) weight(ms int64) float64 {
	if v.HalfLifeDays == 0 || ms == noTime {
		return 1
	}
	return surface.Recency(float64(v.AsOf.UnixMilli()-ms), v.HalfLifeDays*86.4e6)
}

// exposureYears is the length of a window in which an incident of full weight
// counts one: ∫ 2^(-t/H) dt over the window. Dividing a decayed sum by it
// gives a rate per year.
func (in *Incidents) exposureYears(v View) float64 {
	days := in.windowDays(v)
	if h := v.HalfLifeDays; h > 0 {
		days = h / math.Ln2 * -math.Expm1(-days/h*math.Ln2)
	}
	return days / daysPerYear
}

// windowDays is how far back a view looks: its window, or to the first record.
func (in *Incidents) windowDays(v View) float64 {
	if v.WindowDays > 0 {
		return v.WindowDays
	}
	return max(1, float64(v.AsOf.UnixMilli()-in.EarliestMS)/86.4e6)
}

const (
	daysPerYear  = 365.25
	reportDays   = 30.0
	periodFactor = reportDays / daysPerYear // from per year to per 30 days
	perKM2       = 1e6                      // from per m² to per km²
)
