package data

import (
	"slices"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// finish settles what only the whole file can tell, and returns the layer.
func (im *importer) finish() (*geo.Layer, error) {
	proven := im.dates.order != ""
	if !proven {
		im.dates.order, im.dates.declared = DMY, true
	}
	im.flushTracks()
	mends := im.settleDates()
	for _, m := range im.opts.Mapping {
		if m.Column != "" && !m.Optional && im.report.Format != FormatCSV && im.columns[m.Column] == nil && im.placed[m.Column] == "" {
			im.settleWarnings()
			return nil, refuse(422, "unknown_column", "the mapping takes %s from the property %s, which no feature has; the properties are: %s", m.Field, show(m.Column), showList(im.names()))
		}
	}
	if !proven && im.counts.ambiguous > 0 {
		im.report.warnCount(im.counts.ambiguous, "date_order", "dates such as %s were read day first; say date_order=dmy or mdy", im.counts.firstAmbiguous)
	}
	im.settleWarnings()
	if im.opts.Strict && len(im.notKept) > 0 {
		return nil, refuse(422, "forbidden_columns", "the file has columns that must never be stored: %s; take them out", showList(im.notKept))
	}
	if im.rows == 0 {
		return nil, refuse(422, "no_rows", "the file has no rows; to empty a layer, delete it")
	}
	if im.taken == 0 {
		message := ""
		if len(im.report.Rows) > 0 {
			f := im.report.Rows[0]
			message = "; the first: row " + itoa(f.Row) + ", " + f.Field + " " + f.Message
		}
		return nil, refuse(422, "no_good_rows", "none of the %d rows could be taken%s", im.rows, message)
	}
	layer := im.builder.Layer()
	if len(mends) > 0 || len(im.purge) > 0 {
		layer = im.rebuild(layer, mends)
	}
	if im.upsert != nil {
		layer = im.keepStored(layer)
	}
	im.warnOfLayer(layer)
	im.report.Accepted = im.taken
	im.report.setBounds(layer.Bound())
	if im.opts.Progress != nil {
		im.opts.Progress(Progress{Rows: im.rows, Bytes: im.source.n})
	}
	return layer, nil
}

// warnOfLayer tells what is to know of the rows that were taken.
func (im *importer) warnOfLayer(l *geo.Layer) {
	if im.upsert != nil {
		unnamed := 0
		for row := range l.Len() {
			if l.ID(row) == "" {
				unnamed++
			}
		}
		im.report.warnCount(unnamed, "no_id", "%d rows have no id and were added; give them one or use append", unnamed)
	}
	expired := len(Retention(nil).Expired(l, im.now))
	im.report.warnCount(expired, "expired", "%d rows have a valid_until that is over; they will be erased at the next sweep", expired)
}

// mend is what becomes of a row whose dates turned out otherwise.
type mend struct {
	drop     bool
	from, to time.Time
	values   map[string]any
}

// settleDates reads the pending rows in the order that was settled on, and
// returns what has to change, by row of the layer.
func (im *importer) settleDates() map[int]mend {
	mends := map[int]mend{}
	counts := im.counts
	for _, p := range im.pending {
		r := &im.row
		r.begin(p.number)
		r.from, r.to = textOf(p.from), textOf(p.to)
		im.dates.row = p.number
		m := mend{}
		m.from, m.to, _ = im.times(r)
		changed := im.dates.order != DMY
		for _, v := range p.values {
			st, f := im.dates.read([]byte(v.raw))
			if f == nil && v.name != "valid_until" && im.isFuture(st.from) {
				f = &valueFault{"in_the_future", "is more than 24 hours ahead"}
			}
			if f != nil {
				r.refuseRow(v.name, f.code, show(v.raw)+" "+f.message)
				break
			}
			if m.values == nil {
				m.values = map[string]any{}
			}
			m.values[v.name] = im.showStamp(st)
		}
		if r.fault != nil {
			im.report.fault(*r.fault)
			im.taken--
			m.drop = true
		}
		if changed || m.drop {
			mends[p.row] = m
		}
	}
	im.counts = counts
	return mends
}

func textOf(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

// rebuild returns the layer without the columns and rows that must go, and
// with the dates as they turned out.
func (im *importer) rebuild(l *geo.Layer, mends map[int]mend) *geo.Layer {
	b := geo.NewBuilder(im.opts.Info)
	for row := range l.Len() {
		f := l.Feature(row)
		if m, ok := mends[row]; ok {
			if m.drop {
				continue
			}
			f.From, f.To = m.from, m.to
			for name, v := range m.values {
				f.Properties[name] = v
			}
		}
		for name := range im.purge {
			delete(f.Properties, name)
		}
		b.Add(f)
	}
	return b.Layer()
}

// settleWarnings words what was counted.
func (im *importer) settleWarnings() {
	r, n := im.report, im.counts
	if im.opts.TZ == "" {
		r.warnCount(n.unzoned, "no_zone", "times carry no zone and were read as UTC; say tz=Asia/Pontianak or the like")
	}
	r.warnCount(n.skipped, "time_skipped", "times fall in the hour that the clocks of the zone %s skipped; they were read as if the clocks had not been put forward", show(im.opts.TZ))
	r.warnCount(n.repeated, "time_repeated", "times fall in the hour that the clocks of the zone %s showed twice; the first was taken: write the offset behind such times if it was the second", show(im.opts.TZ))
	undated := "incidents have no date and take no part in time-windowed figures"
	if hint := im.dateLike(); hint != "" {
		undated += "; is it in the column " + show(hint) + "? Say map=occurred_from:" + hint
	}
	r.warnCount(r.Quarantined, "quarantined", "rows were kept out for the faults that are listed under rows")
	r.warnCount(n.unplaced, "unplaced", "statistics of areas were taken without a place; they are on no map and in no surface")
	r.warnCount(n.placesDropped, "statistic_place", "statistics of areas had a place, which was left out: nothing happened there; admin_code and the other columns are kept")
	r.warnCount(n.notFinite, "not_a_number", "infinite numbers were left out")
	r.warnCount(n.pastMidnight, "past_midnight", "times of day went back by more than 12 hours within a track and were read as of the next day, counted from date=; give dates with the times if that is wrong")
	r.warnCount(n.undated, "undated", "%s", undated)
	r.warnCount(n.heights, "heights_dropped", "heights were left out: they are above the ground and not the sea, or heights_m is not one number for each vertex")
	r.warnCount(n.measuresDropped, "measures_dropped", "coordinates have measures (M), which are stored of patrol tracks only, as unix time")
	r.warnCount(n.measures, "m_as_time", "the fourth number of coordinates was read as unix time")
	r.warnCount(n.mended, "replaced_characters", "texts held NUL or broken surrogates, which were replaced by U+FFFD")
	r.warnCount(n.decimalComma, "decimal_comma", "numbers have a decimal comma and were read so")
	r.warnCount(n.emptyRows, "empty_rows", "rows without any value were passed over")
	t := im.tracks
	r.warnCount(t.untimed, "untimed_track", "tracks have no times and take no part in coverage")
	r.warnCount(t.timeless, "fix_without_time", "fixes without a time were left out of tracks that have times")
	r.warnCount(t.disordered, "out_of_order", "tracks were not in order of time and were sorted")
	r.warnCount(t.duplicates, "duplicate_fix", "fixes of the same track and instant were left out")
	r.warnCount(t.silences, "silence", "a receiver was silent for more than 30 minutes between fixes; coverage treats it as unknown")
	r.warnCount(t.jumps, "jump", "fixes are farther apart than 60 m/s allows; coverage treats it as unknown")
	for _, name := range sortedKeys(im.unknown) {
		u := im.unknown[name]
		if r.warn("unknown_code", name, "%s has values that its code list does not know, first %s; stored as unknown", name, u.first); u.count > 0 {
			if w := &r.Warnings[len(r.Warnings)-1]; w.about == name {
				w.Count = u.count
			}
		}
	}
	for _, d := range im.defaults {
		if d.filled {
			r.Defaults = append(r.Defaults, d.field.Name)
		}
	}
	slices.Sort(r.Defaults)
	for _, name := range im.notKept[:min(len(im.notKept), MaxWarnings)] {
		r.NotStored = append(r.NotStored, strings.Trim(show(name), "“”"))
	}
}

// dateLike returns a column that by its name may hold the date of incidents.
func (im *importer) dateLike() string {
	for _, c := range im.order {
		switch fieldKey(c.name) {
		case "date", "datetime", "date_time", "tanggal", "tarikh", "tgl", "time", "waktu", "masa", "occurred", "incident_date", "event_date", "timestamp":
			return c.name
		}
	}
	return ""
}
