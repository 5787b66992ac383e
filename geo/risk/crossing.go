package risk

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Crossing is a place where the border is crossed, official or not, with what
// is on record within Model.CrossingRadiusM of it.
type Crossing struct {
	Rank     int    `json:"rank"` // among all places, by the mean rate
	Layer    string `json:"layer"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Country  string `json:"country"`
	Official bool   `json:"official"`
	Verified bool   `json:"verified"` // its position
	Status   string `json:"status,omitempty"`

	At         orb.Point `json:"-"`
	PrecisionM *float64  `json:"location_precision_m"`
	SectionID  string    `json:"section_id,omitempty"`

	RadiusM   float64        `json:"radius_m"`
	Incidents CrossingCounts `json:"incidents"`
	// Rate is incidents a year within the radius.
	Rate Estimate `json:"incidents_per_year"`

	SearchPOD    float64            `json:"search_coverage"`
	SearchBySide map[string]float64 `json:"coverage_by_country"`
	DaysSince    *float64           `json:"days_since_presence"`
}

// CrossingCounts are incidents of the hazard's window by family. Imprecise are
// those whose position is known less well than the radius: they may belong to
// a place next to this one.
type CrossingCounts struct {
	Total     int `json:"total"`
	Refused   int `json:"refused_departures"`
	Documents int `json:"document_fraud"`
	Other     int `json:"other"`
	Imprecise int `json:"imprecise"`
}

// add counts an incident by its kind.
func (c *CrossingCounts) add(kind string) {
	c.Total++
	switch {
	case kind == "irr.refused_departure":
		c.Refused++
	case strings.HasPrefix(kind, "doc."):
		c.Documents++
	default:
		c.Other++
	}
}

// informalKinds are those of places that no state runs.
var informalKinds = [...]string{"jalan_tikus", "river_ford", "water_crossing", "pelabuhan_tikus", "jeti_unregistered", "beach_landing"}

// officialCrossing reports whether a row of a crossing layer is a crossing
// that a state runs: one of no kind in a layer of crossings is.
func officialCrossing(l *geo.Layer, row int) bool {
	return l.Info.Kind == geo.KindCrossing && !slices.Contains(informalKinds[:], l.Text(row, "kind"))
}

// nearestOfficial finds the official crossing of a layer that is nearest to a
// place; layers of crossings may hold informal paths, too.
func nearestOfficial(l *geo.Layer, p orb.Point) (geo.Hit, bool) {
	for k := 4; ; k *= 4 {
		hits := l.Near(p, k)
		for _, hit := range hits {
			if officialCrossing(l, hit.Row) {
				return hit, true
			}
		}
		if len(hits) < k {
			return geo.Hit{}, false
		}
	}
}

// Crossings scores every place where the border is crossed, official and
// informal alike, and ranks them by their rate. They are made once and must
// not be changed. Places that are only planned are left out.
//
// With n incidents in T years the rate is Gamma(a + n, a/μ + T), where μ is the
// mean rate of the places of its sort (official or not) and a =
// Model.PriorShape; with none on record anywhere, Gamma(½ + n, T), so that the
// upper bound is not 0. Records count in full, whatever their age in the
// window. The circles of places overlap: rates must not be added up.
func (a *Assessment) Crossings() []Crossing { return a.crossings() }

func (a *Assessment) findCrossings() []Crossing {
	out := []Crossing{}
	for _, kind := range []geo.LayerKind{geo.KindCrossing, geo.KindIllegalPort, geo.KindWaterCrossing} {
		for _, l := range a.in.of(kind) {
			for row := range l.Len() {
				if l.Text(row, "status") != "planned" {
					out = append(out, a.crossing(l, row))
				}
			}
		}
	}
	a.rateCrossings(out)
	slices.SortStableFunc(out, func(x, y Crossing) int {
		return cmp.Or(-cmp.Compare(x.Rate.Mean, y.Rate.Mean), -cmp.Compare(x.Incidents.Total, y.Incidents.Total),
			cmp.Compare(x.Layer, y.Layer), cmp.Compare(x.Name, y.Name))
	})
	for i := range out {
		out[i].Rank = i + 1
	}
	return out
}

// crossing describes one place and counts what is around it.
func (a *Assessment) crossing(l *geo.Layer, row int) Crossing {
	at, _ := l.Point(row)
	c := Crossing{
		Layer: l.Info.ID, ID: l.ID(row), Name: l.Text(row, "name"), Kind: l.Text(row, "kind"), Country: l.Text(row, "country"),
		Status: l.Text(row, "status"), Official: officialCrossing(l, row), At: at, RadiusM: a.Model.CrossingRadiusM,
	}
	c.Verified, _ = l.Value(row, "verified").(bool)
	if v := l.Number(row, "location_precision_m"); v >= 0 {
		c.PrecisionM = &v
	}
	medium := Land
	if s := a.domain.sectionAt(at); s >= 0 {
		c.SectionID, medium = a.Sections[s].ID, a.Sections[s].Medium
	}
	a.countAround(&c)
	cover := a.coverStrip(a.cellsAround(at, c.RadiusM), medium)
	c.SearchPOD, c.SearchBySide, c.DaysSince = cover.SearchPOD, cover.SearchBySide, cover.DaysSince
	return c
}

func (a *Assessment) countAround(c *Crossing) {
	view := a.hazardView()
	for _, l := range a.in.incidents() {
		for _, hit := range l.Within(c.At, c.RadiusM, 0) {
			kind := l.Text(hit.Row, "kind")
			ms := int64(noTime)
			if from, to, dated := l.TimesMS(hit.Row); dated {
				ms = from + (to-from)/2
			}
			if !a.Model.countsKind(kind) || !view.covers(ms) {
				continue
			}
			c.Incidents.add(kind)
			if l.Number(hit.Row, "location_precision_m") > c.RadiusM {
				c.Incidents.Imprecise++
			}
		}
	}
}

// countsKind reports whether incidents of a kind count.
func (m Model) countsKind(kind string) bool {
	return kind != geo.CollusionKind && !slices.Contains(m.ExcludedKinds, kind) && (len(m.Kinds) == 0 || slices.Contains(m.Kinds, kind))
}

// cellsAround returns the analysis cells whose centres are within radiusM of a
// place, and the one that it is in.
func (a *Assessment) cellsAround(p orb.Point, radiusM float64) []surface.Cell {
	mid := surface.CellAt(p)
	lonM, latM := geo.MetresPerDegree(p.Lat())
	reach := int32(math.Ceil(radiusM/math.Sqrt(mid.AreaM2()))) + 1
	var out []surface.Cell
	for y := mid.Y - reach; y <= mid.Y+reach; y++ {
		for x := mid.X - reach; x <= mid.X+reach; x++ {
			c := surface.Cell{X: x, Y: y}
			if x < 0 || y < 0 || x >= 1<<surface.CellLevel || y >= 1<<surface.CellLevel {
				continue
			}
			at := c.Center()
			if c == mid || math.Hypot((at.Lon()-p.Lon())*lonM, (at.Lat()-p.Lat())*latM) <= radiusM {
				out = append(out, c)
			}
		}
	}
	return out
}

// rateCrossings turns counts into rates.
func (a *Assessment) rateCrossings(all []Crossing) {
	years := a.windowYears()
	for _, official := range []bool{true, false} {
		total, places := 0, 0
		for _, c := range all {
			if c.Official == official {
				total += c.Incidents.Total
				places++
			}
		}
		shape, exposure := 0.5, years
		if total > 0 {
			shape = a.Model.PriorShape
			exposure += shape / (float64(total) / float64(places) / years)
		}
		for i := range all {
			if c := &all[i]; c.Official == official {
				c.Rate = gammaEstimate(shape + float64(c.Incidents.Total)).times(1 / exposure)
			}
		}
	}
}

// windowYears is the length of the hazard's window, or since the first record.
func (a *Assessment) windowYears() float64 {
	v := a.hazardView()
	v.HalfLifeDays = 0
	return a.Incidents.exposureYears(v)
}

// collusionK is the least number of records that may be told of.
const collusionK = 10

// Suppressed stands for a count that is not told, be it 0 or a few.
const Suppressed = "suppressed"

// CollusionCount is how many records of collusion by officials one country has.
type CollusionCount struct {
	Country string `json:"country"`
	// Count is a band: 10-19, 20-49 or 50+; Suppressed below 10.
	Count string `json:"count"`
}

// Collusion counts the records of geo.CollusionKind of each country as a whole,
// in bands. It counts all that is on file, whatever the window and the
// assessment's instant: counts of two periods would tell of single records by
// their difference. A record's country is its own, else that of the land or
// the waters it lies on.
// Source: SECURITY section 3, rules 1, 3 and 4.
func (a *Assessment) Collusion() []CollusionCount {
	n := map[string]int{}
	for _, l := range a.in.incidents() {
		for row := range l.Len() {
			if l.OfCollusion(row) {
				n[a.countryOf(l, row)]++
			}
		}
	}
	out := []CollusionCount{}
	for _, country := range []string{surface.Indonesia.String(), surface.Malaysia.String()} {
		out = append(out, CollusionCount{country, countBand(n[country])})
	}
	return out
}

func (a *Assessment) countryOf(l *geo.Layer, row int) string {
	if c := l.Text(row, "country"); c != "" && c != "unknown" {
		return c
	}
	at, _ := l.Point(row)
	for _, id := range []string{"land", "territorial_waters"} {
		if ground := a.in.byID(id); ground != nil {
			if hits := ground.Near(at, 1); len(hits) > 0 && hits[0].DistanceM == 0 {
				return ground.Text(hits[0].Row, "country")
			}
		}
	}
	return ""
}

func countBand(n int) string {
	switch {
	case n < collusionK:
		return Suppressed
	case n < 20:
		return "10-19"
	case n < 50:
		return "20-49"
	}
	return "50+"
}
