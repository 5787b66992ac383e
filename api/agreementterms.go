package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// releaseLevels are the levels of the cells that counts are told by: 4.9, 9.8
// and 20 km.
func releaseLevels() []int { return []int{13, 12, 11} }

// firstLevel is that of the agreement's finest cell; 0 where there is none.
func (a Agreement) firstLevel() int {
	switch a.CellKM {
	case 5:
		return 13
	case 10:
		return 12
	case 20:
		return 11
	}
	return 0
}

// agreementFor returns the agreement in force by which a country sees a layer
// of another: the one with the finest cells, then the smallest K, then the most
// fields.
func (s *Server) agreementFor(info geo.LayerInfo, to string, now time.Time) (Agreement, bool) {
	var best Agreement
	found := false
	for _, a := range s.books.agreements.all() {
		if a.To != to || !a.covers(info) || a.Status(now) != agreementInForce {
			continue
		}
		if !found || cmp.Or(cmp.Compare(a.CellKM, best.CellKM), cmp.Compare(a.K, best.K), -cmp.Compare(len(a.Fields), len(best.Fields))) < 0 {
			best, found = a, true
		}
	}
	return best, found
}

// agreementsOf names the agreements that a circle sees by now: what it sees is
// made anew when they are others. Agreements do not change once in force.
func (s *Server) agreementsOf(c circle, now time.Time) string {
	if c.generalised() || c.Country == "" {
		return ""
	}
	var ids []string
	for _, a := range s.books.agreements.all() {
		if a.To == c.Country && a.Status(now) == agreementInForce {
			ids = append(ids, a.ID)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// pool is records that are told together: of one owner, on one set of terms, and
// for the same people, so that no two of them see sums that differ by one record.
type pool struct {
	owner
	agreement string
	level, k  int    // of the agreement; 0: those of the circle
	fields    string // joined by spaces
	scope     string // how far the records go: see releaseScope
}

// releaseScope is whom a record is for: "" for its country, "bilateral" or "all".
func releaseScope(release string) string {
	switch release {
	case "bilateral":
		return release
	case "joint_plus_ngo", "public_aggregate":
		return "all"
	}
	return ""
}

func poolOf(own owner, a Agreement, shared bool) pool {
	if !shared {
		return pool{owner: own}
	}
	return pool{owner: own, agreement: a.ID, level: a.firstLevel(), k: a.K, fields: strings.Join(a.Fields, " ")}
}

// rule is how the pool's incidents are told.
func (p pool) rule() surface.ReleaseRule {
	r := surface.ReleaseRule{Levels: releaseLevels(), Least: leastOfPartner}
	if p.level != 0 {
		r.Least = max(r.Least, p.k)
		r.Levels = slices.DeleteFunc(r.Levels, func(l int) bool { return l > p.level })
	}
	return r
}

// pooled is an incident of a pool, with where it comes from.
type pooled struct {
	surface.ReleaseRecord
	layer *geo.Layer
	row   int
}

func releaseRecords(list []pooled) []surface.ReleaseRecord {
	out := make([]surface.ReleaseRecord, len(list))
	for i, p := range list {
		out[i] = p.ReleaseRecord
	}
	return out
}

// told is what is told of a cell beside its count, by field: values, sorted.
type told map[string][]string

// groupCells are the cells of groups.
func groupCells(groups []surface.ReleaseGroup) map[surface.ReleaseCell]bool {
	out := map[surface.ReleaseCell]bool{}
	for _, g := range groups {
		out[g.Cell] = true
	}
	return out
}

// shownIn returns the cell, of some, that a finer one is counted in.
func shownIn(c surface.ReleaseCell, shown map[surface.ReleaseCell]bool) (surface.ReleaseCell, bool) {
	for _, level := range releaseLevels() {
		if level > c.Level {
			continue
		}
		if at := c.In(level); shown[at] {
			return at, true
		}
	}
	return surface.ReleaseCell{}, false
}

// tell adds to the cells the values of the pool's fields that at least K of its
// distinct incidents there share. steps are the cells that were shown at each
// step on the way.
func (p pool) tell(out map[surface.ReleaseCell]told, list []pooled, steps ...map[surface.ReleaseCell]bool) {
	fields := slices.DeleteFunc(strings.Fields(p.fields), func(f string) bool { return f == statusField })
	if len(fields) == 0 {
		return
	}
	type value struct {
		cell        surface.ReleaseCell
		field, text string
	}
	counts := map[value]int{}
	seen := map[surface.ReleaseRecord]bool{}
	for _, rec := range list {
		if seen[rec.ReleaseRecord] {
			continue
		}
		seen[rec.ReleaseRecord] = true
		cell, shown := surface.ReleaseCellAt(rec.Lon, rec.Lat, releaseLevels()[0]), true
		for _, step := range steps {
			if cell, shown = shownIn(cell, step); !shown {
				break
			}
		}
		if !shown {
			continue
		}
		for _, f := range fields {
			if text := rec.layer.Text(rec.row, f); text != "" && text != "unknown" {
				counts[value{cell, f, text}]++
			}
		}
	}
	for v, n := range counts {
		if n < p.rule().Least {
			continue
		}
		if out[v.cell] == nil {
			out[v.cell] = told{}
		}
		if !slices.Contains(out[v.cell][v.field], v.text) {
			out[v.cell][v.field] = append(out[v.cell][v.field], v.text)
			slices.Sort(out[v.cell][v.field])
		}
	}
}
