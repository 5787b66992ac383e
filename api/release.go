package api

import (
	"cmp"
	"context"
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
	levels := []int{13, 12, 11} // 4.9, 9.8 and 20 km
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

// asCells are what is shown of a release: a layer of cells with bands for
// people, and one of points in the middle of the cells, spread evenly over the
// release's years, for surfaces. Nothing in either tells records apart.
func asCells(counts map[surface.ReleaseCell]int, at time.Time) (cells, points *geo.Layer) {
	info := geo.LayerInfo{ID: releaseLayer, Title: "Released incidents, by cell", Kind: geo.KindOther, Classification: classPublic,
		Version: at.Unix(), UpdatedAt: at, Note: "Counts in bands; cells with fewer incidents than may be shown are not told from empty ones."}
	shown, stand := geo.NewBuilder(info), geo.NewBuilder(geo.LayerInfo{ID: releaseLayer + "_points", Kind: geo.KindIncident,
		Classification: classPublic, Version: at.Unix(), UpdatedAt: at})
	span := time.Duration(releasedYears*365.25*24) * time.Hour
	for _, c := range surface.SortedReleaseCells(counts) {
		band := surface.BandOf(counts[c])
		b := c.Bound()
		shown.Add(geo.Feature{Geometry: b.ToPolygon(), Properties: map[string]any{"from": float64(band.From), "to": float64(band.To)}})
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
}

// keptRelease is the latest release of a circle.
type keptRelease struct {
	At    time.Time      `json:"at"`
	Cells []releasedCell `json:"cells"`
}

func (k keptRelease) counts() map[surface.ReleaseCell]int {
	out := map[surface.ReleaseCell]int{}
	for _, c := range k.Cells {
		out[surface.ReleaseCell{Level: c.Level, X: c.X, Y: c.Y}] = c.N
	}
	return out
}

// releaseSetting is where the store keeps the latest release of a circle.
func (c circle) releaseSetting() string {
	return "release " + string(c.Role) + " " + c.Country + " " + c.Agency
}

// releases returns the counts that a circle sees now. Within its period a
// release stays what it was, whatever comes or goes meanwhile; the next differs
// from it in no cell by fewer incidents than may be shown.
func (s *Server) releases(ctx context.Context, c circle, pools map[owner][]surface.ReleaseRecord, now time.Time) (map[surface.ReleaseCell]int, error) {
	terms := c.terms()
	at := terms.start(now)
	var kept keptRelease
	raw, err := s.opts.Store.Setting(ctx, c.releaseSetting())
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil && !errors.Is(err, data.ErrNotFound) {
		return nil, fmt.Errorf("read the latest release: %w", err)
	}
	if err == nil && !kept.At.Before(at) {
		return kept.counts(), nil
	}
	// What a partner's planners may see comes first, so that no circle sees a part
	// of a cell that they do not.
	var groups []surface.ReleaseGroup
	first := surface.ReleaseRule{Levels: terms.rule.Levels, Least: leastOfPartner}
	for _, own := range sortedOwners(pools) {
		groups = append(groups, first.Apply(first.Groups(recordsUntil(at.Add(-terms.delay), pools[own])))...)
	}
	counts := terms.rule.Steady(terms.rule.Apply(groups), kept.counts())
	next := keptRelease{At: at, Cells: []releasedCell{}}
	for _, cell := range surface.SortedReleaseCells(counts) {
		next.Cells = append(next.Cells, releasedCell{cell.Level, cell.X, cell.Y, counts[cell]})
	}
	if raw, err = json.Marshal(next); err != nil {
		return nil, err
	}
	if err := s.opts.Store.SetSetting(ctx, c.releaseSetting(), raw); err != nil {
		return nil, fmt.Errorf("keep the release: %w", err) // what is not kept could be another next time
	}
	return counts, nil
}

// leastOfPartner is how many incidents of one owner a cell must have.
const leastOfPartner = 5

// recordsUntil are the records of the years before an instant that a release
// counts.
func recordsUntil(until time.Time, records []surface.ReleaseRecord) []surface.ReleaseRecord {
	return slices.DeleteFunc(slices.Clone(records), func(r surface.ReleaseRecord) bool {
		day := int32(until.Unix() / 86400)
		return r.Day >= day || r.Day < day-releasedYears*366
	})
}

func sortedOwners(pools map[owner][]surface.ReleaseRecord) []owner {
	return slices.SortedFunc(maps.Keys(pools), func(a, b owner) int {
		return cmp.Or(strings.Compare(a.Country, b.Country), strings.Compare(a.Agency, b.Agency))
	})
}
