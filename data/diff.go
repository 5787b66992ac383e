package data

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Diff is what one content of a layer is beside another. Features are the
// same when they have the same FID, else the same identifier of the source,
// else the same content.
type Diff struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Removed   int `json:"removed"`
	Unchanged int `json:"unchanged"`
	// Rows are the first MaxDiffRows of each sort, to be shown on a map.
	Rows          []DiffRow `json:"rows"`
	RowsTruncated bool      `json:"rows_truncated"`
}

// MaxDiffRows bounds the rows of each sort in a Diff.
const MaxDiffRows = 100

// DiffRow is one feature that differs.
type DiffRow struct {
	Change string `json:"change"` // added, changed, removed
	FID    int64  `json:"fid"`    // of the feature as it is after, or was
	ID     string `json:"id,omitempty"`
	// Fields that differ: geometry, times, and names of properties.
	Fields  []string        `json:"fields,omitempty"`
	Feature json.RawMessage `json:"feature,omitempty"` // GeoJSON, as it is after
	Before  json.RawMessage `json:"before,omitempty"`  // GeoJSON, as it was
}

// Compare tells what becomes of old (nil: nothing) when after takes its place.
// Cost: all rows of both.
func Compare(old, after *geo.Layer) Diff {
	d := Diff{Rows: []DiffRow{}}
	if old == nil {
		old = geo.NewBuilder(after.Info).Layer()
	}
	was, left := pairs(old, after)
	for row := range after.Len() {
		before := was[row]
		switch {
		case before < 0:
			d.Added++
			d.note(d.Added, func() DiffRow {
				return DiffRow{Change: "added", FID: after.FID(row), ID: after.ID(row), Feature: AppendFeature(nil, after, row)}
			})
		case sameRow(old, before, after, row):
			d.Unchanged++
		default:
			d.Changed++
			d.note(d.Changed, func() DiffRow {
				return DiffRow{Change: "changed", FID: after.FID(row), ID: after.ID(row), Fields: differing(old, before, after, row),
					Feature: AppendFeature(nil, after, row), Before: AppendFeature(nil, old, before)}
			})
		}
	}
	for row := range old.Len() {
		if !left[row] {
			continue
		}
		d.Removed++
		d.note(d.Removed, func() DiffRow {
			return DiffRow{Change: "removed", FID: old.FID(row), ID: old.ID(row), Before: AppendFeature(nil, old, row)}
		})
	}
	return d
}

// CompareChange is Compare of a layer (nil: there is none) with what a change
// makes of it. Of an append or upsert it looks only at what the change touches.
func CompareChange(old *geo.Layer, c Change) Diff {
	if old == nil || c.Mode == Replace || c.Mode == "" {
		return Compare(old, c.Rows)
	}
	touched := map[int64]bool{}
	for _, fid := range c.Withdrawn {
		touched[fid] = true
	}
	for row := range c.Rows.Len() {
		touched[c.Rows.FID(row)] = true
	}
	was := geo.NewBuilder(old.Info)
	for row := range old.Len() {
		if touched[old.FID(row)] {
			was.Add(old.Feature(row))
		}
	}
	n := was.Len()
	d := Compare(was.Layer(), c.Rows)
	d.Unchanged += old.Len() - n
	return d
}

func (d *Diff) note(n int, row func() DiffRow) {
	if n > MaxDiffRows {
		d.RowsTruncated = true
		return
	}
	d.Rows = append(d.Rows, row())
}

// pairs finds for each row of after the row of old that it was, -1 for none;
// left says which rows of old are nobody's.
func pairs(old, after *geo.Layer) (was []int, left []bool) {
	was, left = make([]int, after.Len()), make([]bool, old.Len())
	byFID := make(map[int64]int, old.Len())
	for row := range left {
		left[row] = true
		byFID[old.FID(row)] = row
	}
	var open []int // rows of after without a partner yet
	for row := range was {
		if k, ok := byFID[after.FID(row)]; ok && left[k] {
			was[row], left[k] = k, false
		} else {
			was[row] = -1
			open = append(open, row)
		}
	}
	for _, key := range []func(l *geo.Layer, row int) string{(*geo.Layer).ID, contentOf} {
		free := map[string][]int{} // rows of old by key, the first last
		for row := old.Len() - 1; row >= 0; row-- {
			if left[row] {
				if k := key(old, row); k != "" {
					free[k] = append(free[k], row)
				}
			}
		}
		if len(free) == 0 {
			continue
		}
		open = slices.DeleteFunc(open, func(row int) bool {
			k := key(after, row)
			rows := free[k]
			if k == "" || len(rows) == 0 {
				return false
			}
			last := len(rows) - 1
			was[row], left[rows[last]] = rows[last], false
			free[k] = rows[:last]
			return true
		})
	}
	return was, left
}

// contentOf is all that a row says but its number.
func contentOf(l *geo.Layer, row int) string {
	return string(l.AppendProperties(AppendGeometry([]byte(l.OwnID(row)), l.Geometry(row)), row))
}

func sameRow(a *geo.Layer, i int, b *geo.Layer, k int) bool {
	return orb.Equal(a.Geometry(i), b.Geometry(k)) && a.OwnID(i) == b.OwnID(k) && sameTimes(a, i, b, k) &&
		slices.Equal(literals(a, i), literals(b, k))
}

func sameTimes(a *geo.Layer, i int, b *geo.Layer, k int) bool {
	fromA, toA, okA := a.TimesMS(i)
	fromB, toB, okB := b.TimesMS(k)
	return fromA == fromB && toA == toB && okA == okB && slices.Equal(a.VertexTimesMS(i), b.VertexTimesMS(k))
}

type literal struct{ name, json string }

func literals(l *geo.Layer, row int) []literal {
	var out []literal
	l.Literals(row, func(name, json string) { out = append(out, literal{name, json}) })
	slices.SortFunc(out, func(a, b literal) int { return strings.Compare(a.name, b.name) })
	return out
}

func differing(a *geo.Layer, i int, b *geo.Layer, k int) []string {
	var out []string
	if !orb.Equal(a.Geometry(i), b.Geometry(k)) {
		out = append(out, "geometry")
	}
	if !sameTimes(a, i, b, k) {
		out = append(out, "times")
	}
	values := map[string]string{}
	for _, v := range literals(a, i) {
		values[v.name] = v.json
	}
	for _, v := range literals(b, k) {
		if values[v.name] != v.json {
			out = append(out, v.name)
		}
		delete(values, v.name)
	}
	return append(out, sortedKeys(values)...)
}
