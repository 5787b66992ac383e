package api

import (
	"time"

	"github.com/paulmach/orb"
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

func monthStart(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

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
