package risk

import (
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Incidents is what density and hazard are made of: the records of every
// incident layer, without those of excluded kinds.
type Incidents struct {
	layers []*geo.Layer
	source []recordRef
	ms     []int64 // middle of the time interval; undated: noTime
	kinds  []string
	points *surface.Points
	// LatestMS and EarliestMS bound the dated records; both 0 without any.
	EarliestMS, LatestMS int64
	// Excluded, Undated and WithoutPlace count records left out of all
	// surfaces, or of those with a time window.
	Excluded, Undated int
}

type recordRef struct{ layer, row int32 }

const noTime = math.MinInt64

// NewIncidents collects records. A line or polygon counts at the middle of its
// box, with half the box's diagonal as its precision at least.
func NewIncidents(layers []*geo.Layer, m Model) *Incidents {
	in := &Incidents{layers: layers}
	excluded := map[string]bool{}
	for _, k := range m.ExcludedKinds {
		excluded[k] = true
	}
	var events []surface.Event
	names := map[string]string{} // one string a kind
	for li, l := range layers {
		for row := range l.Len() {
			kind := l.Text(row, "kind")
			if excluded[kind] || (len(m.Kinds) > 0 && !slices.Contains(m.Kinds, kind)) {
				in.Excluded++
				continue
			}
			if _, seen := names[kind]; !seen {
				names[kind] = kind
			}
			events = append(events, eventOf(l, row, kind, m))
			in.source = append(in.source, recordRef{int32(li), int32(row)})
			in.kinds = append(in.kinds, names[kind])
			in.ms = append(in.ms, in.dated(l, row))
		}
	}
	in.points = surface.NewPoints(events, false)
	return in
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

func (in *Incidents) dated(l *geo.Layer, row int) int64 {
	from, to, ok := l.TimesMS(row)
	if !ok {
		in.Undated++
		return noTime
	}
	mid := from + (to-from)/2
	if in.EarliestMS == 0 || mid < in.EarliestMS {
		in.EarliestMS = mid
	}
	in.LatestMS = max(in.LatestMS, mid)
	return mid
}

// Len returns the number of records that count.
func (in *Incidents) Len() int { return len(in.source) }

// Record returns the layer and row of a record.
func (in *Incidents) Record(event int) (*geo.Layer, int) {
	r := in.source[event]
	return in.layers[r.layer], int(r.row)
}

// View says which records a density counts and how much.
type View struct {
	AsOf         time.Time
	WindowDays   float64 // 0: all
	HalfLifeDays float64 // 0: no decay
	Kinds        []string
	BandwidthM   float64
}

// windowed reports whether undated records have no part.
func (v View) windowed() bool { return v.WindowDays > 0 || v.HalfLifeDays > 0 }

// weighted returns the points with their weights in a view.
func (in *Incidents) weighted(v View) *surface.Points {
	asOf := v.AsOf.UnixMilli()
	windowMS := v.WindowDays * 86.4e6
	return in.points.Reweighted(func(i int) float64 {
		if len(v.Kinds) > 0 && !slices.Contains(v.Kinds, in.kinds[i]) {
			return 0
		}
		if in.ms[i] == noTime {
			if v.windowed() {
				return 0
			}
			return 1
		}
		age := float64(asOf - in.ms[i])
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
