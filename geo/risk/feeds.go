package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Feed is what one reporter sends into layers of one kind.
type Feed struct {
	Kind    geo.LayerKind `json:"kind"`
	Country string        `json:"country"` // "" where records do not say
	Agency  string        `json:"agency"`  // the same
	Records int           `json:"records"` // dated, up to the assessment's instant
	Latest  time.Time     `json:"latest"`
	Days    float64       `json:"days_since_latest"`
	// UsualDays is the mean time between its records; null for a single one.
	UsualDays *float64 `json:"usual_days_between"`
	Silent    bool     `json:"silent"`
}

// Missing names what an assessment lacks.
type Missing string

// What can be missing.
const (
	NoIncidents   Missing = "no_incidents"
	NoPatrols     Missing = "no_patrols"
	NoPatrolsID   Missing = "no_patrols_of_id"
	NoPatrolsMY   Missing = "no_patrols_of_my"
	AllDiscovered Missing = "all_discovered"
	AllReported   Missing = "all_reported"
	// DiscoveryUnknown: of most incidents it is not known how they came to light.
	DiscoveryUnknown Missing = "discovery_unknown"
	NoLandBorder     Missing = "no_land_border" // there are sections, but of coasts only
	NoJurisdiction   Missing = "sections_without_jurisdiction"
	NoSections       Missing = "no_sections"
	PatrolsOutside   Missing = "patrols_outside_area"
)

const (
	leastSilentDays  = 7.0
	singleSilentDays = 90.0
	silentChance     = 0.01
)

type feedKey struct {
	kind            geo.LayerKind
	country, agency string
}

type feedSpan struct {
	n             int
	first, latest int64
}

// feeds lists who sent what in the hazard's window, the longest silent first. Were its records to
// come at random at their mean pace, a silence as long as that of a silent feed
// would happen in 1 % of the cases: days > ln(100) · mean days between, and 7 at
// least; after a single record, 90.
func (a *Assessment) feeds() []Feed {
	spans := map[feedKey]*feedSpan{}
	for _, kind := range []geo.LayerKind{geo.KindIncident, geo.KindPatrolTrack, geo.KindPost} {
		for _, l := range a.in.of(kind) {
			a.spanFeeds(l, spans)
		}
	}
	out := []Feed{}
	view := a.hazardView()
	for k, s := range spans {
		if !view.covers(s.latest) {
			continue // whoever ended before the window is no feed of this report
		}
		f := Feed{Kind: k.kind, Country: k.country, Agency: k.agency, Records: s.n, Latest: time.UnixMilli(s.latest).UTC(),
			Days: float64(a.AsOf.UnixMilli()-s.latest) / 86.4e6}
		limit := singleSilentDays
		if s.n > 1 {
			usual := float64(s.latest-s.first) / 86.4e6 / float64(s.n-1)
			f.UsualDays = &usual
			limit = max(leastSilentDays, -math.Log(silentChance)*usual)
		}
		f.Silent = f.Days > limit
		out = append(out, f)
	}
	slices.SortFunc(out, func(x, y Feed) int {
		return cmp.Or(-cmp.Compare(x.Days, y.Days), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Country, y.Country), cmp.Compare(x.Agency, y.Agency))
	})
	return out
}

// spanFeeds notes when each reporter of a layer sent something.
func (a *Assessment) spanFeeds(l *geo.Layer, spans map[feedKey]*feedSpan) {
	asOf := a.AsOf.UnixMilli()
	agency := "agency"
	if l.Info.Kind == geo.KindIncident {
		agency = "reporter_agency"
	}
	for row := range l.Len() {
		from, to, dated := l.TimesMS(row)
		if !dated || from > asOf || l.OfCollusion(row) {
			continue
		}
		ms := min(to, asOf) // a post may have no end
		k := feedKey{l.Info.Kind, knownText(l, row, "country"), knownText(l, row, agency)}
		s := spans[k]
		if s == nil {
			s = &feedSpan{first: ms, latest: ms}
			spans[k] = s
		}
		s.n++
		s.first, s.latest = min(s.first, ms), max(s.latest, ms)
	}
}

// knownText is a text property, "" where it says that it is unknown.
func knownText(l *geo.Layer, row int, name string) string {
	if v := l.Text(row, name); v != "unknown" {
		return v
	}
	return ""
}

// missing lists what the assessment lacks.
func (a *Assessment) missing(x Annex) []Missing {
	out := []Missing{}
	add := func(when bool, what Missing) {
		if when {
			out = append(out, what)
		}
	}
	reported, sought, total := 0, 0, 0
	for _, p := range a.Incidents.parts {
		total += len(p.traits)
		for _, t := range p.traits {
			if t&reportedTrait != 0 {
				reported++
			}
			if t&soughtTrait != 0 {
				sought++
			}
		}
	}
	by := map[string]float64{}
	for _, e := range x.Effort {
		by[e.Country] += e.KM2
	}
	patrols := x.Tracks+x.Posts > 0
	inStrips := slices.ContainsFunc(a.covers, func(c Cover) bool { return len(c.Effort) > 0 || c.NoDataHours > 0 })
	add(len(a.Sections) == 0, NoSections)
	add(len(a.Sections) > 0 && !slices.ContainsFunc(a.Sections, func(s Section) bool { return s.Medium == Land }), NoLandBorder)
	add(total == 0, NoIncidents)
	add(!patrols, NoPatrols)
	add(patrols && by[surface.Indonesia.String()] == 0, NoPatrolsID)
	add(patrols && by[surface.Malaysia.String()] == 0, NoPatrolsMY)
	add(patrols && len(a.Sections) > 0 && !inStrips, PatrolsOutside)
	add(sought > 0 && reported == 0, AllDiscovered)
	add(total > 0 && reported == total, AllReported)
	add(2*(reported+sought) < total, DiscoveryUnknown)
	add(x.NoJurisdiction > 0, NoJurisdiction)
	return out
}
