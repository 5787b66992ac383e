package api

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
	"github.com/sempadan/sempadan/tiles"
)

// What the public sees is made of nothing but releases: once a quarter the cases
// of a year, as counts with noise (SECURITY section 3, rules 5 to 8). The unit of
// privacy is one incident; it is in one cell and one region of a release, and in
// no more than the releases of four quarters.
const (
	publicDelay   = 90 * 24 * time.Hour
	publicYears   = 1
	publicLevel   = 11 // cells of 20 km
	publicLeast   = 10
	publicMapFrom = 200 // cases; with fewer there is a table and no map
)

// publicEpsilons are the parts of a release's budget of 1: for the cells, and for
// the table by region that also says whether there is a map.
func publicEpsilons() (cells, regions surface.Epsilon) {
	return surface.Epsilon{Num: 9, Den: 10}, surface.Epsilon{Num: 1, Den: 10}
}

// publicArea is the fixed area of the border: that of the grid of releases, and
// what is told of the extent of maps to whoever may not know of the data's.
func publicArea() orb.Bound { return orb.Bound{Min: orb.Point{95, -4}, Max: orb.Point{119.5, 8}} }

func publicGrid() []surface.ReleaseCell { return surface.ReleaseGrid(publicArea(), publicLevel) }

func publicRule() surface.NoiseRule {
	cells, _ := publicEpsilons()
	return surface.NoiseRule{Epsilon: cells, Levels: []int{publicLevel, publicLevel - 1, publicLevel - 2}, Least: publicLeast}
}

// publicRegion is a part of the area between two meridians.
type publicRegion struct {
	id    string
	east  float64
	title tiles.Words
}

// publicRegions are the rows of the table, from west to east.
func publicRegions() []publicRegion {
	return []publicRegion{
		{"malacca_singapore_straits", 105.5, tiles.Words{EN: "Straits of Malacca and Singapore", ID: "Selat Malaka dan Selat Singapura", MS: "Selat Melaka dan Selat Singapura"}},
		{"natuna_sea", 109, tiles.Words{EN: "Natuna Sea", ID: "Laut Natuna", MS: "Laut Natuna"}},
		{"western_borneo", 112.5, tiles.Words{EN: "Western Borneo", ID: "Kalimantan bagian barat", MS: "Borneo bahagian barat"}},
		{"central_borneo", 115.8, tiles.Words{EN: "Central Borneo", ID: "Kalimantan bagian tengah", MS: "Borneo bahagian tengah"}},
		{"eastern_borneo", 119.5, tiles.Words{EN: "Eastern Borneo and the Celebes Sea", ID: "Kalimantan bagian timur dan Laut Sulawesi", MS: "Borneo bahagian timur dan Laut Sulawesi"}},
	}
}

// publicRelease is what was drawn for a quarter. All its numbers have noise.
type publicRelease struct {
	Quarter time.Time `json:"quarter"` // its first instant
	From    time.Time `json:"from"`    // of the days that count
	Until   time.Time `json:"until"`
	Cells   []int     `json:"cells"`   // by publicGrid
	Regions []int     `json:"regions"` // by publicRegions
}

func quarterStart(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), (t.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
}

// secureDice draws from the system's source of random bits.
func secureDice() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.LittleEndian.Uint64(b[:])
}

// noiseOn is what a release is drawn with: the fixed grid, and random bits.
type noiseOn struct {
	grid []surface.ReleaseCell
	dice surface.Dice
}

// draw counts distinct cases and adds the noise. The years of a quarter's release
// and of the next year's do not overlap, whatever leap days there are.
func (on noiseOn) draw(quarter time.Time, cases []surface.ReleaseRecord) (publicRelease, error) {
	r := publicRelease{Quarter: quarter, Until: quarter.Add(-publicDelay), From: quarter.AddDate(-publicYears, 0, 0).Add(-publicDelay)}
	from, until := int32(r.From.Unix()/86400), int32(r.Until.Unix()/86400)
	counts, regions := map[surface.ReleaseCell]int{}, map[surface.ReleaseCell]int{}
	inGrid := make(map[surface.ReleaseCell]bool, len(on.grid))
	for _, c := range on.grid {
		inGrid[c] = true
	}
	seen := make(map[surface.ReleaseRecord]bool, len(cases))
	for _, e := range cases {
		e.Source = "" // whoever tells of it, it is one
		cell := surface.ReleaseCellAt(e.Lon, e.Lat, publicLevel)
		if seen[e] || e.Day < from || e.Day >= until || !inGrid[cell] {
			continue
		}
		seen[e] = true
		counts[cell]++
		regions[regionCell(regionOf(e.Lon))]++
	}
	forCells, forRegions := publicEpsilons()
	var err error
	if r.Cells, err = surface.NoisyCounts(on.grid, counts, forCells, on.dice); err != nil {
		return r, err
	}
	rows := make([]surface.ReleaseCell, len(publicRegions()))
	for i := range rows {
		rows[i] = regionCell(i)
	}
	r.Regions, err = surface.NoisyCounts(rows, regions, forRegions, on.dice)
	return r, err
}

// regionCell names a region where cells are counted.
func regionCell(i int) surface.ReleaseCell { return surface.ReleaseCell{X: int32(i)} }

func regionOf(lon float64) int {
	all := publicRegions()
	for i, r := range all {
		if lon < r.east {
			return i
		}
	}
	return len(all) - 1
}

// hasMap reports whether there are enough cases for a map.
func (r publicRelease) hasMap() bool {
	total := 0
	for _, n := range r.Regions {
		total += n
	}
	return total >= publicMapFrom
}

// counts are the cells that the public sees.
func (r publicRelease) counts() releaseCounts {
	out := releaseCounts{at: r.Quarter, years: publicYears}
	if r.hasMap() && len(r.Cells) == len(publicGrid()) {
		out.counts = publicRule().Show(publicGrid(), r.Cells)
	}
	return out
}

// publicCases are the records that may count in what the public sees: all of
// public layers, and those of others that are for it.
func (c *catalog) publicCases() (out []surface.ReleaseRecord) {
	for _, e := range c.layers {
		l := e.layer
		if l.Info.Kind != geo.KindIncident || l.Info.Classification == classSecret {
			continue
		}
		for row := range l.Len() {
			at, isPoint := l.Point(row)
			forAll := l.Info.Classification == classPublic || l.Text(row, "release") == "public_aggregate"
			if !isPoint || !forAll || l.OfCollusion(row) {
				continue
			}
			from, _ := l.Times(row)
			out = append(out, surface.ReleaseRecord{Lon: at.Lon(), Lat: at.Lat(), Day: int32(from.Unix() / 86400), Kind: l.Text(row, "kind")})
		}
	}
	return out
}

// narrowPublic makes the layers of the public: the release, and of what is open
// the land, the border and the like, without incidents and patrols.
func (s *Server) narrowPublic(ctx context.Context, cat *catalog, now time.Time) (seenLayers, error) {
	out := seenLayers{entries: map[string]*entry{}, spread: map[string]bool{}}
	for _, e := range cat.layers {
		switch e.layer.Info.Kind {
		case geo.KindIncident, geo.KindPatrolTrack, geo.KindPost:
		default:
			if e.layer.Info.Classification == classPublic {
				out.entries[e.layer.Info.ID] = e
			}
		}
	}
	release, err := s.releasePublic(ctx, cat, now)
	if err != nil || release == nil {
		return out, err
	}
	if counts := release.counts(); len(counts.counts) > 0 {
		cells, points := counts.asCells()
		out.entries[cells.Info.ID] = releasedEntry(cells)
		out.unlisted = append(out.unlisted, points)
	}
	return out, nil
}

// releasePublic returns the newest release, and makes that of the quarter when it
// is due and the ledger allows it; nil when there is none.
func (s *Server) releasePublic(ctx context.Context, cat *catalog, now time.Time) (*publicRelease, error) {
	b := &s.books.public
	b.mu.Lock()
	defer b.mu.Unlock()
	book, err := b.read(ctx)
	if err != nil {
		return nil, errLedger(err)
	}
	quarter := quarterStart(now)
	if err := book.allows(quarter); errors.Is(err, errSpent) {
		s.log.Warn("no public release is made", "quarter", quarter, "error", err)
		return book.Latest, nil
	} else if err != nil {
		return book.Latest, nil // it is made
	}
	release, err := noiseOn{publicGrid(), b.dice}.draw(quarter, cat.publicCases())
	if err != nil {
		return nil, err
	}
	if err := b.write(s.systemChange(ctx, "public.release"), book.with(release, now)); err != nil {
		return nil, errLedger(err) // what is not kept could be another next time
	}
	return &release, nil
}

func errLedger(err error) error {
	return problem{Status: http.StatusServiceUnavailable, Code: "privacy_ledger",
		Detail: fmt.Sprintf("the public map waits until its ledger can be read and written: %v", err)}
}

// publicRow is a row of the table.
type publicRow struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Cases *int   `json:"cases"` // null: fewer than are told
}

// getPublicRelease tells of the newest release: its table, and whether it has a
// map.
func (s *Server) getPublicRelease(w http.ResponseWriter, r *http.Request) error {
	lang, err := langParam(r)
	if err != nil {
		return err
	}
	all := s
	if s.parent != nil {
		all = s.parent
	}
	if all.gate == nil {
		return openService("nothing is released to the public")
	}
	release, err := all.releasePublic(r.Context(), all.current(), s.opts.Now())
	if err != nil {
		return err
	}
	if release == nil {
		return problem{Status: http.StatusNotFound, Code: "no_release", Detail: "nothing is released to the public yet; ask again in the next quarter"}
	}
	rows := []publicRow{}
	for i, n := range release.Regions {
		region := publicRegions()[i]
		row := publicRow{ID: region.id, Title: region.title.In(lang)}
		if n >= publicLeast {
			row.Cases = &n
		}
		rows = append(rows, row)
	}
	why := ""
	if !release.hasMap() {
		why = fmt.Sprintf("with fewer than %d cases there is no map, only this table", publicMapFrom)
	}
	const regionError, cellError = 30, 3 // ln(20)/ε
	return s.sendJSON(w, r, http.StatusOK, map[string]any{
		"quarter": release.Quarter.Format(time.DateOnly), "from": release.From.Format(time.DateOnly), "until": release.Until.Format(time.DateOnly),
		"epsilon": 1, "map": release.hasMap(), "why_no_map": why, "regions": rows, "region_error_95": regionError, "cell_error_95": cellError,
		"cell_km": 20, "least": publicLeast,
	})
}
