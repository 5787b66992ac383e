package data

import (
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
			if one, joins := joinTrack(stored.Feature(at), f); joins {
				f, any = one, true
				delete(latest, f.ID) // once
			}
		}
		b.Add(f)
	}
	return b.Layer(), any
}

// timedFix is one position of a track.
type timedFix struct {
	at     orb.Point
	time   time.Time
	height json.RawMessage
}

// fixesOf lists the timed positions of a track or a lone fix.
func fixesOf(f geo.Feature) ([]timedFix, bool) {
	var heights []json.RawMessage
	if raw, err := json.Marshal(f.Properties[geo.HeightsField]); err == nil && f.Properties[geo.HeightsField] != nil {
		if json.Unmarshal(raw, &heights) != nil {
			heights = []json.RawMessage{raw}
		}
	}
	height := func(i int) json.RawMessage {
		if i < len(heights) {
			return heights[i]
		}
		return nil
	}
	switch g := f.Geometry.(type) {
	case orb.Point:
		return []timedFix{{g, f.From, height(0)}}, !f.From.IsZero()
	case orb.LineString:
		if len(f.VertexTimes) != len(g) {
			return nil, false
		}
		out := make([]timedFix, len(g))
		for i, p := range g {
			out[i] = timedFix{p, f.VertexTimes[i], height(i)}
		}
		return out, len(out) > 0
	}
	return nil, false
}

// joinTrack returns old going on with more. What both say, more says.
func joinTrack(old, more geo.Feature) (geo.Feature, bool) {
	a, okA := fixesOf(old)
	b, okB := fixesOf(more)
	if !okA || !okB || len(a)+len(b) > mostJoined || more.From.After(old.To.Add(joinWithin)) || more.To.Before(old.From) {
		return geo.Feature{}, false
	}
	all := append(a, b...)
	slices.SortStableFunc(all, func(x, y timedFix) int { return x.time.Compare(y.time) })
	all = slices.CompactFunc(all, func(x, y timedFix) bool { return x.time.Equal(y.time) && x.at == y.at })
	out := geo.Feature{FID: old.FID, ID: old.ID, From: all[0].time, To: all[len(all)-1].time, Properties: maps.Clone(old.Properties)}
	if out.Properties == nil {
		out.Properties = map[string]any{}
	}
	maps.Copy(out.Properties, more.Properties)
	delete(out.Properties, geo.HeightsField)
	heights, high := make([]json.RawMessage, len(all)), false
	line := make(orb.LineString, len(all))
	for i, x := range all {
		line[i] = x.at
		out.VertexTimes = append(out.VertexTimes, x.time)
		if heights[i] = x.height; x.height == nil {
			heights[i] = json.RawMessage("null")
		} else {
			high = true
		}
	}
	if len(line) == 1 {
		out.Geometry, out.VertexTimes = line[0], nil
		return out, true
	}
	out.Geometry = line
	if raw, err := json.Marshal(heights); high && err == nil {
		out.Properties[geo.HeightsField] = json.RawMessage(raw)
	}
	return out, true
}
