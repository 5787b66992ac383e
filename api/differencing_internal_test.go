package api

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo/surface"
)

// somePools are random incidents of two owners, of every scope, many months old;
// more of them in some places than in others.
func somePools(r *rand.Rand, n int, newest time.Time, days int) map[pool][]pooled {
	out := map[pool][]pooled{}
	for k := range n {
		p := pool{owner: []owner{{"ID", "POLRI"}, {"MY", "PDRM"}}[r.IntN(2)], scope: []string{"", "bilateral", "all"}[r.IntN(3)]}
		lon, lat := 110+0.6*float64(r.IntN(3))+0.08*r.NormFloat64(), 1+0.08*r.NormFloat64()
		out[p] = append(out[p], pooled{ReleaseRecord: surface.ReleaseRecord{Lon: lon, Lat: lat, Day: int32(newest.Unix()/86400) - int32(1+r.IntN(days)), Kind: "k", Source: fmt.Sprint(k % 3)}})
	}
	return out
}

// visible are the pools that count in what a circle sees.
func (c circle) visible(all map[pool][]pooled) map[pool][]pooled {
	out := map[pool][]pooled{}
	for p, list := range all {
		home := p.Country == c.Country && c.Role != Contributor
		if home || p.scope == "all" || p.scope == "bilateral" && c.Role == Planner {
			out[p] = list
		}
	}
	return out
}

// within reports whether all pools of one circle are among another's.
func within(few, many map[pool][]pooled) bool {
	for p := range few {
		if _, has := many[p]; !has {
			return false
		}
	}
	return true
}

func inside(counts map[surface.ReleaseCell]int, cell surface.ReleaseCell) (sum int) {
	for c, n := range counts {
		if c.Level >= cell.Level && c.In(cell.Level) == cell {
			sum += n
		}
	}
	return sum
}

// (d) What one role sees of a cell less what another sees in it of the same
// records and fewer is none, or as many as may be shown, among viewers,
// contributors and planners of both countries, at one instant. (Where each sees
// records that the other does not, both parts are as many as may be shown.)
func TestAttackRoles(t *testing.T) {
	circles := []circle{{Role: Viewer, Country: "ID"}, {Role: Viewer, Country: "MY"}, {Role: Contributor}, {Planner, "MY", "MMEA"}, {Planner, "ID", "BAKAMLA"}}
	cells, small := 0, 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 12))
		all := somePools(r, 700, keyNow.AddDate(0, -3, 0), 300)
		seen := map[circle]map[surface.ReleaseCell]int{}
		for _, c := range circles {
			seen[c] = c.release(c.visible(all), releaseCounts{}, releaseCounts{at: keyNow}).counts
		}
		for _, a := range circles {
			for _, b := range circles {
				if !within(b.visible(all), a.visible(all)) {
					continue
				}
				least := 10
				if a.Role == Planner || b.Role == Planner {
					least = leastOfPartner
				}
				for cell := range eitherCell(seen[a], seen[b]) {
					cells++
					if d := inside(seen[a], cell) - inside(seen[b], cell); d != 0 && d < least && d > -least {
						if small++; small < 5 {
							t.Errorf("seed %d: %+v and %+v differ by %d at %+v", seed, a, b, d, cell)
						}
					}
				}
			}
		}
	}
	t.Logf("(d) roles: %d of %d cells of 20 worlds differ by fewer than may be shown", small, cells)
	if cells < 1000 {
		t.Errorf("only %d cells", cells)
	}
}

// (e) Of 24 releases of a place where incidents come, go and are corrected, no
// cell changes by fewer than may be shown from one to the next; and of what is
// told of a cell, a band, no two releases differ by fewer.
func TestAttackTime(t *testing.T) {
	for _, c := range []circle{{Role: Viewer, Country: "ID"}, {Planner, "MY", "MMEA"}} {
		steps, changed, small := 0, 0, 0
		least := c.terms().rule.Least
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, 13))
			all := somePools(r, 500, keyNow, 900)
			var before releaseCounts
			told := []map[surface.ReleaseCell]int{}
			for month := range 24 {
				at := keyNow.AddDate(0, month-12, 0)
				for p, list := range all { // some are corrected away
					all[p] = append([]pooled{}, list[min(len(list), r.IntN(4)):]...)
				}
				for p, more := range somePools(r, 20, at, 60) {
					all[p] = append(all[p], more...)
				}
				now := c.release(c.visible(all), before, releaseCounts{at: at})
				shown := map[surface.ReleaseCell]int{}
				for cell, n := range now.counts {
					shown[cell] = bandShown(n)
				}
				for cell := range eitherCell(now.counts, before.counts) {
					steps++
					d := now.counts[cell] - before.counts[cell]
					if d != 0 {
						changed++
					}
					if d != 0 && d < least && d > -least && before.at != (time.Time{}) {
						small++
					}
				}
				for _, earlier := range told {
					for cell := range eitherCell(shown, earlier) {
						if d := shown[cell] - earlier[cell]; d != 0 && d < leastOfPartner && d > -leastOfPartner {
							small++
						}
					}
				}
				told = append(told, shown)
				before = now
			}
		}
		t.Logf("(e) 24 releases of 5 worlds as %s: %d cells, %d changes, %d smaller than may be shown", c.Role, steps, changed, small)
		if small > 0 || changed < 50 {
			t.Errorf("%s: %d small of %d changes", c.Role, small, changed)
		}
	}
}

// bandShown is the number that stands for a count on maps.
func bandShown(n int) int { return surface.BandOf(n).Shown }

func eitherCell(a, b map[surface.ReleaseCell]int) map[surface.ReleaseCell]bool {
	out := map[surface.ReleaseCell]bool{}
	for _, m := range []map[surface.ReleaseCell]int{a, b} {
		for c := range m {
			out[c] = true
		}
	}
	return out
}
