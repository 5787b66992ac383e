package api

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

const (
	overviewRanks  = 15  // numbered on the overview, whatever the detail maps show
	mostDetails    = 8   // detail maps
	manyGaps       = 30  // from which a map has a page of its own
	joinDeg        = 0.6 // gaps of a zone that are nearer share a map
	besideDeg      = 0.2
	detailMargin   = 0.08
	mostCrossings  = 1000
	mostSettlement = 12 // named on a map, beside the crossings
)

// gapCluster is gaps near each other in one zone, which share a detail map.
type gapCluster struct {
	zone  string
	rows  []risk.GapRow // by rank
	bound orb.Bound
}

// clusters groups the gaps, that of the first rank first. Gaps of the land
// border beside those of a coast are on its map.
func clusters(rows []risk.GapRow) (out []gapCluster) {
	byZone := slices.Clone(rows)
	slices.SortStableFunc(byZone, func(a, b risk.GapRow) int { // the land border last
		return cmp.Compare(boolInt(a.Section.Zone == ""), boolInt(b.Section.Zone == ""))
	})
	for _, r := range byZone {
		b := r.Section.Line.Bound()
		if k := slices.IndexFunc(out, func(c gapCluster) bool {
			return r.Section.Zone == "" && c.zone != "" && c.bound.Pad(besideDeg).Intersects(b)
		}); k >= 0 {
			out[k].rows, out[k].bound = append(out[k].rows, r), out[k].bound.Union(b)
			continue
		}
		here := gapCluster{r.Section.Zone, []risk.GapRow{r}, b}
		out = slices.DeleteFunc(out, func(c gapCluster) bool {
			if c.zone != here.zone || !c.bound.Pad(joinDeg).Intersects(here.bound) {
				return false
			}
			here.rows, here.bound = append(c.rows, here.rows...), here.bound.Union(c.bound)
			return true
		})
		out = append(out, here)
	}
	byRank := func(a, b risk.GapRow) int { return cmp.Compare(a.Rank, b.Rank) }
	for i := range out {
		slices.SortFunc(out[i].rows, byRank)
	}
	slices.SortFunc(out, func(a, b gapCluster) int { return byRank(a.rows[0], b.rows[0]) })
	return out[:min(len(out), mostDetails)]
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// drawMaps draws the overview and a detail map of each cluster of gaps.
func (b *briefing) drawMaps(a *risk.Assessment, rows []risk.GapRow) {
	w := &briefingWords
	ground := tiles.GapMap{Lang: b.Lang}
	var crossings []tiles.MapPlace
	var places *geo.Layer
	for _, l := range a.Layers() {
		switch {
		case l.Info.ID == "land":
			ground.Land = l
		case l.Info.ID == "coastline":
			ground.Coast = l
		case l.Info.ID == "places":
			places = l
		case l.Info.Kind == geo.KindBoundary && l.Len() > 0 && ground.Border == nil:
			ground.Border = l
		case l.Info.ID == "official_crossings":
			crossings = officialCrossings(l)
		}
	}
	ranks := map[string]int{}
	for _, r := range rows {
		ranks[r.Section.ID] = r.Rank
	}
	for _, s := range a.Sections {
		ground.Sections = append(ground.Sections, tiles.MapSection{Line: s.Line, Class: string(s.Class), Rank: ranks[s.ID]})
	}
	detailed := map[int]bool{}
	for _, c := range clusters(rows) {
		m := ground
		zone := named(zoneWords, c.zone, b.Lang)
		title := zone
		if _, place := sectionName(c.rows[0].Section.Name, b.Lang); place != "" {
			title = fmt.Sprintf(w.near.In(b.Lang), zone, place)
		}
		m.Title, m.WidthMM, m.HeightMM = title, detailWidthMM, detailHeightMM
		if len(c.rows) > manyGaps {
			m.WidthMM, m.HeightMM = briefingWidthMM, wholeHeightMM
		}
		m.Bound = c.bound.Pad(max(c.bound.Right()-c.bound.Left(), c.bound.Top()-c.bound.Bottom()) * detailMargin)
		m.Places = append(slices.Clone(crossings), settlements(places, c.rows)...)
		for _, r := range c.rows {
			detailed[r.Rank] = true
		}
		b.Details = append(b.Details, b.drawMap(m, ""))
	}
	m := ground
	m.Sections = slices.Clone(ground.Sections)
	for i, s := range m.Sections {
		m.Sections[i].Plain = s.Rank > overviewRanks && detailed[s.Rank]
		m.Bound = union(m.Bound, s.Line.Bound(), i == 0)
	}
	if len(m.Sections) == 0 {
		m.Bound = orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	}
	m.Title, m.WidthMM, m.HeightMM, m.Places = w.overview.In(b.Lang), briefingWidthMM, overviewHeightMM, crossings
	note := ""
	if len(rows) > overviewRanks {
		note = fmt.Sprintf(w.onMap.In(b.Lang), tiles.Number(overviewRanks, b.Lang))
	}
	b.Overview = b.drawMap(m, note)
}

func union(a, b orb.Bound, first bool) orb.Bound {
	if first {
		return b
	}
	return a.Union(b)
}

func (b *briefing) drawMap(m tiles.GapMap, note string) briefingMap {
	sheet, without := m.Sheet()
	if without > 0 {
		left := fmt.Sprintf(briefingWords.noRoom.In(b.Lang), tiles.Number(float64(without), b.Lang))
		note = strings.TrimPrefix(note+"; "+left, "; ")
	}
	return briefingMap{m.Title, note, sheet}
}

var inBrackets = regexp.MustCompile(`\s*\([^)]*\)`)

// officialCrossings are the crossings with their short names, those on land first.
func officialCrossings(l *geo.Layer) (out []tiles.MapPlace) {
	var ferries []tiles.MapPlace
	for row := range min(l.Len(), mostCrossings) {
		at, ok := l.Point(row)
		if !ok {
			continue
		}
		name := inBrackets.ReplaceAllString(l.Text(row, "name"), "")
		p := tiles.MapPlace{Name: strings.ReplaceAll(name, " - ", "–"), At: at, Crossing: true}
		if strings.Contains(l.Text(row, "kind"), "ferry") || strings.Contains(l.Text(row, "kind"), "port") {
			ferries = append(ferries, p)
		} else {
			out = append(out, p)
		}
	}
	return append(out, ferries...)
}

// settlements are the places that the sections are named after, by rank.
func settlements(l *geo.Layer, rows []risk.GapRow) (out []tiles.MapPlace) {
	if l == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range rows {
		_, place := sectionName(r.Section.Name, tiles.English)
		if place == "" || seen[place] || len(seen) == mostSettlement {
			continue
		}
		seen[place] = true
		middle := r.Section.Line.Bound().Center()
		l.Index().Nearest(middle, func(row int, atLeastM float64) bool {
			at, ok := l.Point(row)
			if ok && l.Text(row, "name") == place {
				out = append(out, tiles.MapPlace{Name: place, At: at})
				return false
			}
			return atLeastM < 100_000
		})
	}
	return out
}
