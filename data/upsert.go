package data

import (
	"slices"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// rowKey identifies a record: by the system that it comes from and its
// identifier there.
func rowKey(source, id string) string {
	if id == "" {
		return ""
	}
	return source + "\x00" + id
}

func storedKey(l *geo.Layer, row int) string {
	return rowKey(idText(l.Value(row, "source_system")), l.ID(row))
}

// upsertRows are the stored rows that an upsert may replace.
type upsertRows struct {
	stored  *geo.Layer
	rows    map[string]int     // by key; the last of several
	twice   map[string]bool    // keys of several rows
	sources map[string]bool    // identifiers under any source
	nulls   map[int64][]string // by FID, the fields that the file empties
	rowOf   map[int64]int      // by FID, of the rows that are replaced
}

func newUpsertRows(stored *geo.Layer) *upsertRows {
	u := &upsertRows{stored: stored, rows: map[string]int{}, twice: map[string]bool{}, sources: map[string]bool{},
		nulls: map[int64][]string{}, rowOf: map[int64]int{}}
	if stored == nil {
		return u
	}
	for row := range stored.Len() {
		key := storedKey(stored, row)
		if key == "" {
			continue
		}
		if _, has := u.rows[key]; has {
			u.twice[key] = true
		}
		u.rows[key] = row
		u.sources[stored.ID(row)] = true
	}
	return u
}

// fid returns the FID of the stored row with a key, 0 when there is none.
func (u *upsertRows) fid(im *importer, r *rowState, key, id string) int64 {
	row, has := u.rows[key]
	if !has {
		if u.sources[id] {
			im.report.warnRow(r.number, "other_source", "rows have an identifier that is stored under another source_system and were added as records of their own; to change the stored ones give their source_system; first %s", show(id))
		}
		return 0
	}
	if u.twice[key] {
		im.report.warnRow(r.number, "stored_twice", "rows have an identifier that several stored records have; the last of them was changed, the others stay: withdraw those that are not wanted; first %s", show(id))
	}
	fid := u.stored.FID(row)
	u.rowOf[fid] = row
	if len(r.emptied) > 0 {
		u.nulls[fid] = slices.Clone(r.emptied)
	}
	return fid
}

// emptied notes the fields of a column that is null.
func (u *upsertRows) emptied(r *rowState, c *column) {
	for _, t := range c.targets {
		r.emptied = append(r.emptied, t.name)
	}
}

// keepStored gives the rows that replace others the stored values of what the
// file does not have: of a table the columns that it lacks, of features the
// properties that a feature does not name.
func (im *importer) keepStored(l *geo.Layer) *geo.Layer {
	u := im.upsert
	if len(u.rowOf) == 0 {
		return l
	}
	k := keeper{im: im, fed: im.fedFields(), kept: map[string]bool{}}
	b := geo.NewBuilder(l.Info)
	n := 0
	for row := range l.Len() {
		f := l.Feature(row)
		if at, ok := u.rowOf[f.FID]; ok && k.keep(&f, u.stored.Feature(at)) {
			n++
		}
		b.Add(f)
	}
	im.report.warnCount(n, "fields_kept", "records kept what is stored of fields that the file does not have: %s; to empty a field send it without a value", showList(sortedKeys(k.kept)))
	return b.Layer()
}

// fedFields are those that the columns of a table or the mapping give, nil
// where each feature names its own.
func (im *importer) fedFields() map[string]bool {
	switch im.report.Format {
	case FormatGeoJSON, FormatGeoJSONSeq, FormatGPX, FormatKML, FormatKMZ:
		return nil
	}
	fed := map[string]bool{}
	for _, c := range im.order {
		for _, t := range c.targets {
			fed[t.name] = true
		}
	}
	return fed
}

// keeper carries stored values over.
type keeper struct {
	im   *importer
	fed  map[string]bool
	kept map[string]bool
}

// has tells whether the file says what a field of a row is.
func (k *keeper) has(name string, fid int64, valued bool) bool {
	if k.im.fixedTo[name] || slices.Contains(k.im.upsert.nulls[fid], name) {
		return true
	}
	if k.fed != nil {
		return k.fed[name]
	}
	return valued
}

// keep fills f from the stored row that it replaces, and tells whether there
// was anything to keep.
func (k *keeper) keep(f *geo.Feature, was geo.Feature) (any bool) {
	note := func(name string) { k.kept[name], any = true, true }
	if f.ID == "" {
		f.ID = was.ID
	}
	if f.Properties == nil {
		f.Properties = map[string]interface{}{}
	}
	unmoved := orb.Equal(f.Geometry, was.Geometry)
	for name, stored := range was.Properties {
		now, valued := f.Properties[name]
		schema := k.im.schema[name]
		byDefault := valued && schema != nil && schema.Default != "" && sameStored(now, schema.Default)
		vertices := name == geo.HeightsField || slices.Contains(geo.FixFields[:], name)
		switch {
		case k.has(name, f.FID, valued && !byDefault), valued && !byDefault, vertices && !unmoved:
		default:
			f.Properties[name] = stored
			if !sameStored(now, stored) {
				note(name)
			}
		}
	}
	if k.im.kind == geo.KindPatrolTrack {
		if unmoved && f.From.IsZero() && !was.From.IsZero() {
			f.From, f.To, f.VertexTimes = was.From, was.To, was.VertexTimes
			note("time")
		}
		return any
	}
	from, to := k.im.kind.TimeFields()
	hasFrom, hasTo := k.has(from, f.FID, !f.From.IsZero()), k.has(to, f.FID, !f.To.IsZero() && !f.To.Equal(f.From))
	if !hasFrom && !was.From.IsZero() && (!hasTo || !was.From.After(f.To)) {
		f.From = was.From
		if note(from); !hasTo {
			f.To = was.To
		}
	} else if !hasTo && f.From.Equal(was.From) && !f.To.Equal(was.To) {
		f.To = was.To
		note(to)
	}
	return any
}
