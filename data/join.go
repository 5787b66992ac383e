package data

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Fixes of a live feed come a few at a time: those of a track that is stored
// belong to it while they follow within joinWithin and it has fewer than
// mostJoined fixes, so that an append stays small.
const (
	joinWithin = 24 * time.Hour
	mostJoined = 5000
)

// tellTracks are fields that hold for the whole of a patrol: fixes that say
// otherwise than the stored track are of another one, whatever its ID.
var tellTracks = []string{"agency", "country", "mode", "sweep_width_m"}

// joinTracks returns the new rows of a layer of patrol tracks with those that
// go on where a stored track of the same ID ends in its place, with its FID.
// Tracks without an ID go on when one has all fixes of the other, as the files
// of a receiver that are sent again do. The report says what was not taken.
func joinTracks(stored, rows *geo.Layer, report *Report) *geo.Layer {
	candidates := candidateTracks(stored, rows)
	if len(candidates) == 0 {
		return rows
	}
	b := geo.NewBuilder(rows.Info)
	joined := map[int]bool{} // rows of stored
	for row := range rows.Len() {
		f, more := rows.Feature(row), trackRow{rows, row}
		other := false
		for _, at := range candidates[trackKeyOf(rows, row)] {
			old := trackRow{stored, at}
			if joined[at] || !meets(old, more) {
				continue
			}
			if otherPatrol(old, more) {
				other = true
				continue
			}
			if one, joins := joinTrack(old, more, report); joins {
				f, joined[at], other = one, true, false
				break
			}
		}
		if other {
			report.warn("other_patrol", f.ID, "the track %s has another agency, country, mode or sweep width than the stored one, and was stored as a patrol of its own", show(f.ID))
		}
		b.Add(f)
	}
	return b.Layer()
}

// unnamedTracks counts the tracks without an ID.
func unnamedTracks(l *geo.Layer) (n int) {
	for row := range l.Len() {
		if l.ID(row) == "" {
			n++
		}
	}
	return n
}

// trackKey is how rows find the tracks that they may go on with: by ID, or by
// the time of the first fix.
type trackKey struct {
	id     string
	fromMS int64
}

func trackKeyOf(l *geo.Layer, row int) trackKey {
	if id := l.ID(row); id != "" {
		return trackKey{id: id}
	}
	from, _, ok := l.TimesMS(row)
	if !ok {
		from = noTime
	}
	return trackKey{fromMS: from}
}

// candidateTracks lists the rows of stored under the keys of rows, those that
// end last first.
func candidateTracks(stored, rows *geo.Layer) map[trackKey][]int {
	wanted := map[trackKey]bool{}
	for row := range rows.Len() {
		wanted[trackKeyOf(rows, row)] = true
	}
	delete(wanted, trackKey{fromMS: noTime})
	out := map[trackKey][]int{}
	for row := range stored.Len() {
		if key := trackKeyOf(stored, row); wanted[key] {
			out[key] = append(out[key], row)
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b int) int {
			_, endA, _ := stored.TimesMS(a)
			_, endB, _ := stored.TimesMS(b)
			return cmp.Compare(endB, endA)
		})
	}
	return out
}

// meets tells whether more follows old closely enough to be the same patrol.
func meets(old, more trackRow) bool {
	from, to, timed := more.layer.TimesMS(more.row)
	start, end, was := old.layer.TimesMS(old.row)
	return timed && was && from <= end+joinWithin.Milliseconds() && to >= start
}

// otherPatrol tells whether more says another agency, country, mode or sweep
// width than old. A default says nothing.
func otherPatrol(old, more trackRow) bool {
	for _, name := range tellTracks {
		is := more.layer.Value(more.row, name)
		if is != nil && is != "unknown" && !sameValue(old.layer.Value(old.row, name), is) {
			return true
		}
	}
	return false
}

// trackRow is a track of a layer, or a lone fix of one.
type trackRow struct {
	layer *geo.Layer
	row   int
}

// timedFix is one position of a track.
type timedFix struct {
	at     orb.Point
	time   time.Time
	height float64 // NaN for none
	along  [len(geo.FixFields)]float64
}

// fixes lists the positions; ok is false when they are not timed.
func (t trackRow) fixes() (out []timedFix, ok bool) {
	f, z := t.layer.Feature(t.row), heightsOf(t.layer, t.row)
	values := fixValuesOf(f.Properties, countVertices(f.Geometry))
	along := func(i int) (x [len(geo.FixFields)]float64) {
		for k, list := range values {
			x[k] = list.at(i)
		}
		return x
	}
	switch g := f.Geometry.(type) {
	case orb.Point:
		return []timedFix{{g, f.From, z.at(0), along(0)}}, !f.From.IsZero()
	case orb.LineString:
		if len(f.VertexTimes) != len(g) {
			return nil, false
		}
		for i, p := range g {
			out = append(out, timedFix{p, f.VertexTimes[i], z.at(i), along(i)})
		}
	}
	return out, len(out) > 0
}

// joinTrack returns the old track going on with more. What is stored of the
// track stays: a default or another value does not take its place.
func joinTrack(old, more trackRow, report *Report) (out geo.Feature, joins bool) {
	a, timedA := old.fixes()
	b, timedB := more.fixes()
	if !timedA || !timedB {
		return out, false
	}
	was, is := old.layer.Feature(old.row), more.layer.Feature(more.row)
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(x, y timedFix) int { return x.time.Compare(y.time) })
	moved := 0
	for i := 1; i < len(all); i++ {
		if all[i].time.Equal(all[i-1].time) && all[i].at != all[i-1].at {
			moved++
		}
	}
	all = slices.CompactFunc(all, func(x, y timedFix) bool { return x.time.Equal(y.time) }) // the stored one stays
	if len(all) > mostJoined && len(all) > len(a) {
		return out, false
	}
	if was.ID == "" && (moved > 0 || len(all) != max(len(a), len(b))) {
		return out, false
	}
	report.warnCount(moved, "duplicate_fix", "fixes of the same track and instant as a stored one, at another place, were left out")
	out = geo.Feature{FID: was.FID, ID: was.ID, From: all[0].time, To: all[len(all)-1].time, Properties: maps.Clone(was.Properties)}
	if out.Properties == nil {
		out.Properties = map[string]any{}
	}
	for name, value := range is.Properties {
		stored, has := out.Properties[name]
		switch {
		case !has:
			out.Properties[name] = value
		case sameStored(stored, value) || name == geo.HeightsField || slices.Contains(geo.FixFields[:], name) || slices.Contains(tellTracks, name):
		default:
			report.warn("column_varies", name, "the column %s says something else than the stored track, whose value stays; first track %s", show(name), show(was.ID))
		}
	}
	var line orb.LineString
	var z heights
	var values fixValues
	for _, x := range all {
		for k, v := range x.along {
			values[k] = append(values[k], v)
		}
		line = append(line, x.at)
		z = append(z, x.height)
		out.VertexTimes = append(out.VertexTimes, x.time)
	}
	out.Geometry = line
	if len(line) == 1 {
		out.Geometry, out.VertexTimes = line[0], nil
	}
	out.Properties[geo.HeightsField] = heightsValue(z, out.Geometry)
	for k, name := range geo.FixFields {
		out.Properties[name] = heightsValue(values[k], out.Geometry)
	}
	return out, true
}

// sameStored tells whether two properties are the same, nested ones included.
func sameStored(a, b any) bool {
	x, nested := a.(json.RawMessage)
	y, both := b.(json.RawMessage)
	if nested || both {
		return nested && both && bytes.Equal(x, y)
	}
	if p, ok := a.(json.Number); ok {
		q, ok := b.(json.Number)
		return ok && p == q
	}
	return sameValue(a, b)
}
