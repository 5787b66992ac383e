package api

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// releaseTerms say how records are generalised for a circle.
type releaseTerms struct {
	rule  surface.ReleaseRule
	delay time.Duration // records are as old at least
	start func(time.Time) time.Time
}

// The terms by circle: planners and analysts see of a partner what the
// agreement says, by week; others cells of at least ten, by month.
func (c circle) terms() releaseTerms {
	levels := releaseLevels()
	if c.Role == circlePublic {
		return releaseTerms{surface.ReleaseRule{}, publicDelay, quarterStart}
	}
	if c.generalised() {
		return releaseTerms{surface.ReleaseRule{Levels: levels, Least: 10}, 30 * 24 * time.Hour, monthStart}
	}
	return releaseTerms{surface.ReleaseRule{Levels: levels, Least: 5}, 72 * time.Hour, weekStart}
}

func monthStart(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func weekStart(t time.Time) time.Time {
	day := t.Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// releaseLayer is the ID of the layer of cells that stand for records that may
// not be seen one by one.
const releaseLayer = "released_counts"

// releasedYears is how far back a release counts.
const releasedYears = 3

// releaseCounts are the cells that a circle sees.
type releaseCounts struct {
	at     time.Time
	pacts  string // the agreements that it was made by
	counts map[surface.ReleaseCell]int
	told   map[surface.ReleaseCell]told
	years  float64 // that they are of; 0: releasedYears
}

// asCells are what is shown of a release: a layer of cells with bands for
// people, and one of points in the middle of the cells, spread evenly over the
// release's years, for surfaces. Nothing in either tells records apart.
func (rc releaseCounts) asCells() (cells, points *geo.Layer) {
	at := rc.at
	version, note := at.Unix(), "Counts in bands; cells with fewer incidents than may be shown are not told from empty ones."
	if rc.pacts != "" {
		sum := sha256.Sum256([]byte(rc.pacts))
		version = version<<20 | int64(sum[0])<<12 | int64(sum[1])<<4 | int64(sum[2])>>4
		note += " By agreement " + strings.ReplaceAll(rc.pacts, " ", ", ") + "."
	}
	info := geo.LayerInfo{ID: releaseLayer, Title: "Released incidents, by cell", Kind: geo.KindOther, Classification: classPublic,
		Version: version, UpdatedAt: at, Note: note}
	shown, stand := geo.NewBuilder(info), geo.NewBuilder(geo.LayerInfo{ID: releaseLayer + "_points", Kind: geo.KindIncident,
		Classification: classPublic, Version: version, UpdatedAt: at})
	years := rc.years
	if years == 0 {
		years = releasedYears
	}
	span := time.Duration(years*365.25*24) * time.Hour
	for _, c := range surface.SortedReleaseCells(rc.counts) {
		band := surface.BandOf(rc.counts[c])
		b := c.Bound()
		properties := map[string]any{"from": float64(band.From), "to": float64(band.To)}
		for field, values := range rc.told[c] {
			properties[field] = strings.Join(values, ", ")
		}
		shown.Add(geo.Feature{Geometry: b.ToPolygon(), Properties: properties})
		width := geo.LocalDistanceM(b.Min, orb.Point{b.Max[0], b.Min[1]})
		for k := range band.Shown {
			when := at.Add(-span * time.Duration(2*k+1) / time.Duration(2*band.Shown))
			stand.Add(geo.Feature{Geometry: b.Center(), From: when, To: when,
				Properties: map[string]any{"kind": "unknown", "discovery": "unknown", "location_precision_m": width}})
		}
	}
	return shown.Layer(), stand.Layer()
}

// releasedCell is a cell of a release as the store keeps it.
type releasedCell struct {
	Level int   `json:"level"`
	X     int32 `json:"x"`
	Y     int32 `json:"y"`
	N     int   `json:"n"`
	Told  told  `json:"told,omitempty"`
}

// keptRelease is the latest release of a circle.
type keptRelease struct {
	At    time.Time      `json:"at"`
	Pacts string         `json:"agreements,omitempty"` // that it was made by
	Cells []releasedCell `json:"cells"`
}

func (k keptRelease) release() releaseCounts {
	out := releaseCounts{at: k.At, pacts: k.Pacts, counts: map[surface.ReleaseCell]int{}, told: map[surface.ReleaseCell]told{}}
	for _, c := range k.Cells {
		at := surface.ReleaseCell{Level: c.Level, X: c.X, Y: c.Y}
		out.counts[at], out.told[at] = c.N, c.Told
	}
	return out
}

// releaseSetting is where the store keeps the latest release of a circle.
func (c circle) releaseSetting() string {
	return "release " + string(c.Role) + " " + c.Country + " " + c.Agency
}

// releases returns the counts that a circle sees now. Within its period and
// under the same agreements a release stays what it was, whatever comes or goes
// meanwhile; the next differs from it in no cell by fewer incidents than may be
// shown.
func (s *Server) releases(ctx context.Context, c circle, pools map[pool][]pooled, now time.Time) (out releaseCounts, err error) {
	at, pacts := c.terms().start(now), s.agreementsOf(c, now)
	var kept keptRelease
	raw, err := s.opts.Store.Setting(ctx, c.releaseSetting())
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil && !errors.Is(err, data.ErrNotFound) {
		return out, fmt.Errorf("read the latest release: %w", err)
	}
	if err == nil && !kept.At.Before(at) && kept.Pacts == pacts {
		return kept.release(), nil
	}
	out = c.release(pools, kept.release(), releaseCounts{at: at, pacts: pacts})
	next := keptRelease{At: at, Pacts: pacts, Cells: []releasedCell{}}
	for _, cell := range surface.SortedReleaseCells(out.counts) {
		next.Cells = append(next.Cells, releasedCell{cell.Level, cell.X, cell.Y, out.counts[cell], out.told[cell]})
	}
	if raw, err = json.Marshal(next); err != nil {
		return out, err
	}
	if err := s.opts.Store.SetSetting(ctx, c.releaseSetting(), raw); err != nil {
		return out, fmt.Errorf("keep the release: %w", err) // what is not kept could be another next time
	}
	return out, nil
}

// release fills in a circle's counts after those of before.
func (c circle) release(pools map[pool][]pooled, before, out releaseCounts) releaseCounts {
	terms := c.terms()
	// What a partner's planners may see at most comes first, so that all that
	// anyone sees is sums of it: no circle sees a part of a cell that another does
	// not.
	groups := map[string][]surface.ReleaseGroup{} // by scope
	first := surface.ReleaseRule{Levels: releaseLevels(), Least: leastOfPartner}
	type step struct {
		pool
		records     []pooled
		all, agreed map[surface.ReleaseCell]bool
	}
	var steps []step
	for _, p := range sortedPools(pools) {
		records := recordsUntil(out.at.Add(-terms.delay), pools[p])
		fine := first.Apply(first.Groups(releaseRecords(records)))
		agreed := p.rule().Apply(fine)
		groups[p.scope] = append(groups[p.scope], agreed...)
		steps = append(steps, step{p, records, groupCells(fine), groupCells(agreed)})
	}
	// Viewers of either country and contributors see what goes further alike:
	// each scope by itself, so that none sees a few records that another does not.
	var all []surface.ReleaseGroup
	for _, scope := range slices.Sorted(maps.Keys(groups)) {
		part := groups[scope]
		if c.generalised() {
			part = terms.rule.Apply(part)
		}
		all = append(all, part...)
	}
	shown := terms.rule.Apply(all)
	out.counts, out.told = terms.rule.Steady(shown, before.counts), map[surface.ReleaseCell]told{}
	if c.generalised() {
		return out
	}
	final := groupCells(shown)
	for _, st := range steps {
		st.tell(out.told, st.records, st.all, st.agreed, final)
	}
	for cell, n := range out.counts { // what repeats says what it said
		if before.pacts == out.pacts && before.counts[cell] == n {
			out.told[cell] = before.told[cell]
		}
	}
	return out
}

// leastOfPartner is how many incidents of one owner a cell must have.
const leastOfPartner = 5

// recordsUntil are the records of the years before an instant that a release
// counts.
func recordsUntil(until time.Time, records []pooled) []pooled {
	return slices.DeleteFunc(slices.Clone(records), func(r pooled) bool {
		day := int32(until.Unix() / 86400)
		return r.Day >= day || r.Day < day-releasedYears*366
	})
}

func sortedPools(pools map[pool][]pooled) []pool {
	return slices.SortedFunc(maps.Keys(pools), func(a, b pool) int {
		return cmp.Or(strings.Compare(a.Country, b.Country), strings.Compare(a.Agency, b.Agency), strings.Compare(a.agreement, b.agreement), strings.Compare(a.scope, b.scope))
	})
}
