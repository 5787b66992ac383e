package data

import (
	"encoding/json"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Values of a fix that a track keeps fix by fix, beside the times and heights:
// a number of a lone fix, of a line a list with one number or null for each
// vertex. Other columns that change along a track are not stored.

// fixValues are such values of a track's fixes, by their place in
// geo.FixFields; nil for those that no fix has.
type fixValues [len(geo.FixFields)]heights

// noSpeedKn is how AIS says that the speed is not known (ITU-R M.1371, 1023 tenths),
// and noCourseDeg that the course is not.
const (
	noSpeedKn   = 102.3
	noCourseDeg = 360
)

// add takes the values of fix n out of the row's.
func (v *fixValues) add(im *importer, n int) {
	for k, name := range geo.FixFields {
		slot, has := im.slotOf[name]
		if !has {
			continue
		}
		x, ok := im.values[slot].(float64)
		if !ok || name == "sog_kn" && (x < 0 || x >= noSpeedKn) || name == "cog_deg" && (x < 0 || x >= noCourseDeg) {
			x = nan
		}
		v[k] = appendHeight(v[k], n, x)
		im.values[slot] = nil
	}
}

// pick keeps the values of some of n fixes, in their order.
func (v *fixValues) pick(rows []int, n int) {
	for k, list := range v {
		if list == nil {
			continue
		}
		all := padHeights(list, n)
		v[k] = make(heights, len(rows))
		for i, row := range rows {
			v[k][i] = all[row]
		}
	}
}

// read takes the values of a line with n vertices from the row, as far as they
// are one for each.
func (v *fixValues) read(im *importer, n int) {
	for k, name := range geo.FixFields {
		slot, has := im.slotOf[name]
		if !has || v[k] != nil {
			continue
		}
		text, isText := im.values[slot].(string) // formats without lists
		if raw, ok := im.values[slot].(json.RawMessage); ok {
			text, isText = string(raw), true
		}
		if list := parseHeights([]byte(text)); isText && len(list) == n {
			v[k] = list
		}
	}
}

// set puts the values among those of the row.
func (v *fixValues) set(im *importer, g orb.Geometry) {
	for k, name := range geo.FixFields {
		if v[k] != nil {
			im.values[im.slot(name)] = heightsValue(padHeights(v[k], countVertices(g)), g)
		}
	}
}

// fixValuesOf returns the values of a row of n fixes.
func fixValuesOf(properties map[string]any, n int) (v fixValues) {
	for k, name := range geo.FixFields {
		switch x := properties[name].(type) {
		case float64:
			v[k] = heights{x}
		case json.RawMessage:
			v[k] = parseHeights(x)
		}
		if len(v[k]) != n {
			v[k] = nil
		}
	}
	return v
}
