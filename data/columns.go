package data

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// role says what a column's values are for.
type role byte

const (
	roleProperty role = iota
	roleFrom
	roleTo
	roleTrackID
	roleVertexTimes
	roleHeights
	roleClock // the time of day of a date in another column
)

// column is a column of a table, or a property name of GeoJSON features.
type column struct {
	name     string
	dropped  bool // not stored
	counted  bool // of persons: only numbers are stored
	targets  []*target
	seen     int  // the last row that had it
	numeric  bool // of a table: the values are numbers
	boolean  bool
	judgment map[string]bool // nested names: forbidden or not
}

// target is one place where a column's values go.
type target struct {
	role  role
	name  string
	slot  int
	field *Field // nil for what the schema does not know
	known map[string]knownValue
	watch bool // the time of an event in a layer of no kind: judged, and kept as it is
}

// knownValue is what a text became before.
type knownValue struct {
	value   any
	unknown *unknownCode
}

// maxKnown bounds the texts remembered for one column.
const maxKnown = 4096

// column finds or adds a column by its name in the file.
func (im *importer) column(name string) (*column, error) {
	if c := im.columns[name]; c != nil {
		return c, nil
	}
	if len(im.columns) >= maxColumnNames {
		return nil, refuse(422, "too_many_columns", "the file has more than %d different property names; put values in values, not in names", maxColumnNames)
	}
	c := &column{name: strings.Clone(name)}
	im.columns[c.name] = c
	im.order = append(im.order, c)
	if slices.ContainsFunc(im.opts.Drop, func(drop string) bool { return headerKey(drop) == headerKey(c.name) }) {
		im.notStored(c, "the profile leaves it out")
		c.dropped = true
		return c, nil
	}
	for _, m := range im.opts.Mapping {
		if m.matches(c.name) {
			c.targets = append(c.targets, im.target(m.Field))
		}
	}
	if len(c.targets) == 0 {
		im.unmapped(c)
	}
	if im.scrutiny {
		im.judge(c)
	}
	return c, nil
}

// unmapped gives a column the field of its own name, unless the mapping feeds
// that field from elsewhere.
func (im *importer) unmapped(c *column) {
	if c.name == markColumn {
		return
	}
	name := c.name
	if key := fieldKey(name); im.isField(key) {
		name = key
	}
	for _, m := range im.opts.Mapping {
		if m.Field == name && !m.Optional {
			im.report.warn("column_overridden", c.name, "the column %s is not stored: the mapping gives %s another source", show(c.name), show(name))
			return
		}
	}
	c.targets = []*target{im.target(name)}
}

func (im *importer) isField(name string) bool {
	return im.schema[name] != nil || name == geo.HeightsField || im.kind == geo.KindPatrolTrack && vertexTimeNames[name]
}

var vertexTimeNames = map[string]bool{"times": true, "coordtimes": true, "coord_times": true, "coordinateproperties": true}

func (im *importer) target(name string) *target {
	t := &target{name: name, field: im.schema[name], known: map[string]knownValue{}}
	from, to := im.kind.TimeFields()
	switch {
	case name == from:
		t.role = roleFrom
	case name == to:
		t.role = roleTo
	case name == "time_of_day":
		t.role = roleClock
	case im.kind == geo.KindPatrolTrack && name == "time":
		t.role = roleFrom
	case im.kind == geo.KindPatrolTrack && name == "track_id":
		t.role = roleTrackID
	case im.kind == geo.KindPatrolTrack && vertexTimeNames[strings.ToLower(name)]:
		t.role = roleVertexTimes
	case name == geo.HeightsField:
		t.role = roleHeights
	default:
		t.slot = im.slot(name)
		t.watch = im.kind == geo.KindOther && (name == "occurred_from" || name == "occurred_to")
	}
	return t
}

// safe tells whether only checked values can come out of a target, so that it
// does not matter what the column is called.
func (t *target) safe() bool {
	return t.role == roleFrom || t.role == roleTo || t.role == roleVertexTimes || t.role == roleHeights || t.field != nil && t.field.Type != TypeText
}

// judge applies the privacy rules to a column's name.
func (im *importer) judge(c *column) {
	verdict := nameStored
	why := "its name says that it holds what must never be stored"
	kept := c.targets[:0:0]
	for _, t := range c.targets {
		v := max(judgeName(c.name), judgeName(t.name))
		if im.schema[fieldKey(c.name)] != nil && im.schema[t.name] != nil || t.safe() {
			v = nameStored
		}
		if v != nameForbidden {
			kept = append(kept, t)
		} else if t.role == roleTrackID {
			why += "; give the track a number of its own, such as map=track_id:=U7"
		}
		verdict = max(verdict, v)
	}
	c.targets = kept
	c.counted = verdict == nameCounted
	if verdict == nameForbidden {
		im.notStored(c, why)
		c.dropped = len(kept) == 0
	}
}

// notStored warns of a column that is left out.
func (im *importer) notStored(c *column, why string) {
	if !slices.Contains(im.notKept, c.name) {
		im.notKept = append(im.notKept, c.name)
	}
	// Every receiver and map names its features, and the report lists it; a
	// patrol's name is warned of, since it may be meant as its track_id.
	if c.name == "name" && isXML(im.report.Format) && im.kind != geo.KindPatrolTrack && !im.isSource("name") {
		return
	}
	im.report.warn("column_not_stored", c.name, "the column %s is not stored: %s", show(c.name), why)
}

// condemn drops a column for a value in it, and what was stored of it.
func (im *importer) condemn(c *column, what string) {
	im.notStored(c, "a value in it looks like "+what)
	kept := c.targets[:0:0]
	for _, t := range c.targets {
		if t.role == roleProperty && (t.field == nil || t.field.Type == TypeText) {
			im.purge[t.name] = true
		} else {
			kept = append(kept, t)
		}
	}
	c.targets = kept
	c.dropped = len(kept) == 0
}

// names lists the columns met so far.
func (im *importer) names() []string {
	names := make([]string, len(im.order))
	for i, c := range im.order {
		names[i] = c.name
	}
	return names
}

// columnUses tells what the columns met so far feed.
// An answer stays below mostReportBytes with them.
func (im *importer) columnUses() []ColumnUse {
	names := im.headers
	if len(names) == 0 {
		names = im.names()
	}
	var out []ColumnUse
	raw, _ := json.Marshal(im.report) // without columns, as yet
	size := len(raw)
	for _, name := range names[:min(len(names), MaxColumnUses)] {
		use := ColumnUse{Name: name, Fields: []string{}}
		if field := im.placed[name]; field != "" {
			use.Fields = append(use.Fields, field)
		} else if c := im.columns[name]; c != nil {
			for _, t := range c.targets {
				use.Fields = append(use.Fields, t.name)
			}
		}
		raw, _ := json.Marshal(use)
		if size += len(raw) + 1; size > mostReportBytes {
			break
		}
		out = append(out, use)
	}
	return out
}

// fixConstants turns the constants of the mapping into values.
func (im *importer) fixConstants() error {
	for _, m := range im.opts.Mapping {
		if m.Column != "" {
			continue
		}
		im.fixedTo[m.Field] = true
		t := im.target(m.Field)
		if t.role != roleProperty {
			c := &column{name: m.Field, targets: []*target{t}}
			im.constants = append(im.constants, cell{col: c, kind: cellText, text: []byte(m.Constant)})
			continue
		}
		if im.scrutiny && t.field == nil && judgeName(m.Field) == nameForbidden {
			return refuse(422, "forbidden_columns", "the field %s must never be stored; leave it out of the mapping", show(m.Field))
		}
		c := &cell{kind: cellText, text: []byte(m.Constant)}
		if v, n, ok := scanNumber(c.text); t.field == nil && ok && n == len(c.text) {
			c.kind, c.num = cellNumber, v
		}
		if t.field != nil && t.field.Type == TypeCode {
			if _, ok := t.field.code(m.Constant); !ok {
				return refuse(422, "bad_mapping", "the mapping gives %s the value %s, which is none of %s", m.Field, show(m.Constant), showList(t.field.Codes))
			}
		}
		v, f := im.convert(&column{name: m.Field}, t, c)
		if f != nil {
			return refuse(422, "bad_mapping", "the mapping gives %s the value %s, which %s", m.Field, show(m.Constant), f.message)
		}
		if v != nil {
			im.fixed = append(im.fixed, fixedValue{t.slot, v})
		}
	}
	return nil
}
