package data

import (
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

// joinTracks returns the new rows of a layer of patrol tracks with those that
// go on where a stored track of the same ID ends in its place, with its FID;
// any tells whether there are such.
func joinTracks(stored, rows *geo.Layer) (out *geo.Layer, any bool) {
	latest := map[string]int{} // rows of stored by ID
	wanted := map[string]bool{}
	for row := range rows.Len() {
		wanted[rows.ID(row)] = true
	}
	delete(wanted, "")
	for row := range stored.Len() {
		id := stored.ID(row)
		if !wanted[id] {
			continue
		}
		at, seen := latest[id]
		_, to, _ := stored.TimesMS(row)
		if _, before, ok := stored.TimesMS(at); !seen || !ok || to >= before {
			latest[id] = row
		}
	}
	if len(latest) == 0 {
		return rows, false
	}
	b := geo.NewBuilder(rows.Info)
	for row := range rows.Len() {
		f := rows.Feature(row)
		if at, ok := latest[f.ID]; ok {
			if one, joins := joinTrack(trackRow{stored, at}, trackRow{rows, row}); joins {
				f, any = one, true
				delete(latest, f.ID) // once
			}
		}
		b.Add(f)
	}
	return b.Layer(), any
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

// joinTrack returns the old track going on with more. What both say, more
// says.
func joinTrack(old, more trackRow) (out geo.Feature, joins bool) {
	a, timedA := old.fixes()
	b, timedB := more.fixes()
	if !timedA || !timedB || len(a)+len(b) > mostJoined {
		return out, false
	}
	was, is := old.layer.Feature(old.row), more.layer.Feature(more.row)
	if is.From.After(was.To.Add(joinWithin)) || is.To.Before(was.From) {
		return out, false
	}
	all := append(a, b...)
	slices.SortStableFunc(all, func(x, y timedFix) int { return x.time.Compare(y.time) })
	all = slices.CompactFunc(all, func(x, y timedFix) bool { return x.time.Equal(y.time) && x.at == y.at })
	out = geo.Feature{FID: was.FID, ID: was.ID, From: all[0].time, To: all[len(all)-1].time, Properties: maps.Clone(was.Properties)}
	if out.Properties == nil {
		out.Properties = map[string]any{}
	}
	maps.Copy(out.Properties, is.Properties)
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
