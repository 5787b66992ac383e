package data

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"math"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

type cellKind byte

const (
	cellNull cellKind = iota
	cellText
	cellNumber
	cellTrue
	cellFalse
	cellNested // text is compact JSON
)

// cell is one value of a row. Its text is valid until the next row.
type cell struct {
	col  *column
	kind cellKind
	num  float64
	text []byte // of a number: as it was written, when num is not exact
}

// rowState is the row at hand.
type rowState struct {
	number   int // the line of a table, or the number of a feature
	id       string
	geometry orb.Geometry
	heights  heights
	measures []float64 // the M of each vertex, nil when there is none
	times    [][]byte  // of the vertices, as written
	hasTimes bool
	fixMS    []int64 // of the vertices, already read; noTime for one without
	cells    []cell
	fault    *RowFault
	stored   bool // told to be in the layer already

	from, to []byte // as written
	clock    []byte // the time of day of from, when it stands apart
	unplaced []byte // why there is no place, when that may be right
	trackID  string
	unsure   []unsureValue
	emptied  []string // fields that an upsert says are null
}

// unsureValue is a property whose day and month could be the other way round.
type unsureValue struct{ name, raw string }

// pendingRow is an accepted row whose dates wait for a proof of their order.
type pendingRow struct {
	row, number int
	from, to    string
	values      []unsureValue
}

func (r *rowState) begin(number int) {
	cells := r.cells[:0]
	times := r.times[:0]
	*r = rowState{number: number, cells: cells, times: times}
}

// refuseRow gives the row a fault, unless it has one.
func (r *rowState) refuseRow(field, code, message string) {
	if r.fault == nil {
		r.fault = &RowFault{Row: r.number, Field: strings.Trim(show(field), "“”"), Code: code, Message: message}
	}
}

// take turns the row at hand into a feature, or quarantines it.
func (im *importer) take() error {
	if err := im.countRow(); err != nil {
		return err
	}
	r := &im.row
	im.dates.row = r.number
	if r.fault == nil {
		clear(im.values)
		for _, f := range im.fixed {
			im.values[f.slot] = f.value
		}
		for i := range im.constants {
			im.cell(r, &im.constants[i])
		}
		for i := range r.cells {
			im.cell(r, &r.cells[i])
		}
	}
	if r.fault == nil {
		im.join(r)
	}
	if r.fault == nil {
		im.statistic(r)
	}
	if r.fault == nil && r.geometry == nil {
		im.unplaced(r)
	}
	if r.fault == nil {
		im.fitHeights(r)
		im.warnPolar(r)
	}
	if r.fault == nil {
		if im.kind == geo.KindPatrolTrack {
			im.takeTrack(r)
		} else {
			im.takeFeature(r)
		}
	}
	if r.fault != nil {
		if strings.Contains(r.fault.Message, swapHint) {
			im.report.warnRow(r.number, "swapped_axes", "positions from row %d on have latitude and longitude the wrong way round; nothing was swapped: give the longitude first, or name the columns with map=lon:COLUMN,lat:COLUMN", r.number)
		}
		im.report.fault(*r.fault)
		return nil
	}
	im.taken++
	return nil
}

// join puts a time of day behind its date.
func (im *importer) join(r *rowState) {
	if len(r.clock) > 0 && len(r.from) > 0 {
		r.from = append(append(bytes.Clone(bytes.TrimSpace(r.from)), ' '), r.clock...)
	}
}

// unplaced takes a count of an area without a place, and refuses everything
// else.
func (im *importer) unplaced(r *rowState) {
	if kind, _ := im.values[im.kindSlot].(string); im.kind == geo.KindIncident && kind == statisticKind {
		r.geometry = orb.Collection{}
		im.counts.unplaced++
		return
	}
	message := "has no place; give it one or leave it out"
	if r.unplaced != nil {
		message = string(r.unplaced)
	}
	r.refuseRow("geometry", "no_geometry", message)
}

// cell puts one value where it belongs.
func (im *importer) cell(r *rowState, c *cell) {
	if c.col.dropped {
		return
	}
	if c.kind == cellNull {
		if im.upsert != nil {
			im.upsert.emptied(r, c.col)
		}
		return
	}
	for _, t := range c.col.targets {
		switch t.role {
		case roleFrom:
			if c.kind == cellText && len(bytes.TrimSpace(c.text)) == 0 {
				continue
			}
			r.from = c.written()
			if im.lenientTimes() && im.notATime(t, c) {
				r.from = nil
			}
		case roleTo:
			if c.kind == cellText && len(bytes.TrimSpace(c.text)) == 0 {
				continue
			}
			r.to = c.written()
			if im.lenientTimes() && im.notATime(t, c) {
				r.to = nil
			}
		case roleClock:
			r.clock = bytes.TrimSpace(c.written())
		case roleTrackID:
			r.trackID = string(c.written())
			if im.scrutiny && personal(c.text, false) != "" {
				im.notStored(c.col, "a value in it looks like "+personal(c.text, false))
				r.refuseRow(c.col.name, "forbidden_value", "the track's identifier looks like "+personal(c.text, false)+"; number the tracks instead")
			}
		case roleVertexTimes:
		case roleHeights:
			im.heightsCell(r, c)
		default:
			if t.watch {
				im.watchTime(r, t, c)
			}
			if r.fault != nil {
				return
			}
			v, f := im.convert(c.col, t, c)
			if f != nil {
				r.refuseRow(c.col.name, f.code, show(c.written())+" "+f.message)
				return
			}
			if v != nil {
				im.values[t.slot] = v
			}
		}
	}
}

// warnPolar tells of places that the surfaces, which are Web Mercator, leave
// out.
func (im *importer) warnPolar(r *rowState) {
	const edge = 85.05
	if b := r.geometry.Bound(); b.Max[1] > edge || b.Min[1] < -edge {
		im.report.warn("outside_surfaces", "geometry", "places beyond 85.05 degrees north or south are kept, and no surface shows them; first row %d", r.number)
	}
}

// written is the value as text.
func (c *cell) written() []byte {
	switch c.kind {
	case cellTrue:
		return []byte("true")
	case cellFalse:
		return []byte("false")
	case cellNumber:
		if c.text == nil {
			return appendNumber(nil, c.num)
		}
	}
	return c.text
}

// lenientTimes says that a layer's from and to may be something else than
// times, such as the places that a ferry joins.
func (im *importer) lenientTimes() bool {
	return im.kind != geo.KindIncident && im.kind != geo.KindPatrolTrack && im.kind != geo.KindPost
}

// notATime keeps what is no time as a plain property.
func (im *importer) notATime(t *target, c *cell) bool {
	if _, f := im.dates.read(c.written()); f == nil {
		return false
	}
	im.report.warn("not_a_time", t.name, "%s such as %s is not a time and is kept as a plain property", t.name, show(c.written()))
	slot := im.slot(t.name)
	im.values[slot] = c.plainValue()
	return true
}

// watchTime judges the time of an event in a layer of no kind, which is kept as
// it is written: one far ahead is a fault, one of two readings a warning.
func (im *importer) watchTime(r *rowState, t *target, c *cell) {
	st, f := im.dates.read(c.written())
	switch {
	case f != nil:
	case st.ambiguous:
		im.report.warn("date_order", t.name, "dates such as %s can be read in two ways and are kept as they are; say kind=incident and date_order=dmy or mdy", show(c.written()))
	case st.from.After(im.now.Add(futureMargin)):
		r.refuseRow(t.name, "in_the_future", show(c.written())+" is more than 24 hours ahead")
	}
}

// plainValue is the value without regard to any schema.
func (c *cell) plainValue() any {
	switch c.kind {
	case cellTrue:
		return true
	case cellFalse:
		return false
	case cellNumber:
		if c.text != nil {
			return json.Number(c.text)
		}
		return c.num
	case cellNested:
		return json.RawMessage(bytes.Clone(c.text))
	}
	return string(c.text)
}

// convert turns a value into what is stored; nil is nothing.
func (im *importer) convert(col *column, t *target, c *cell) (any, *valueFault) {
	if t.field != nil && t.field.Type != TypeText {
		return im.fieldValue(t, c)
	}
	weak := t.field == nil
	switch c.kind {
	case cellText:
		if k, ok := t.known[string(c.text)]; ok {
			return k.value, nil
		}
		if im.scrutiny && !im.storable(col, t, c.text, weak) {
			return nil, nil
		}
		if hasKey(c.text) {
			im.condemn(col, "an API key")
			return nil, nil
		}
		v := any(string(c.text))
		if len(t.known) < maxKnown {
			t.known[v.(string)] = knownValue{value: v}
		}
		return v, nil
	case cellNumber:
		if im.scrutiny && c.num >= 1e9 && c.num < 1e17 && c.num == math.Trunc(c.num) && !im.storable(col, t, c.written(), weak) {
			return nil, nil
		}
	case cellNested:
		if im.scrutiny && col.counted {
			im.condemn(col, "text about a person")
			return nil, nil
		}
	}
	return c.plainValue(), nil
}

// storable judges a value by the privacy rules, and drops the column of one
// that must not be stored.
func (im *importer) storable(col *column, t *target, text []byte, weak bool) bool {
	if t.name == "id" || strings.HasSuffix(t.name, "_id") {
		weak = false
	}
	what := ""
	switch {
	case t.name == "admin_code":
	case col.counted && weak && len(text) > 0 && !isNumber(text):
		what = "text about a person"
	default:
		what = personal(text, weak)
	}
	if what == "" {
		return true
	}
	im.condemn(col, what)
	return false
}

func isNumber(s []byte) bool {
	_, n, ok := scanNumber(s)
	return ok && n == len(s)
}

func (im *importer) fillDefaults() {
	kind, _ := im.values[im.kindSlot].(string)
	for _, d := range im.defaults {
		if im.values[d.slot] == nil && (d.field.Required || d.field.requiredFor != "" && strings.HasPrefix(kind, d.field.requiredFor)) {
			im.values[d.slot] = d.value
			d.filled = true
		}
	}
}

// takeFeature adds the row to the layer.
func (im *importer) takeFeature(r *rowState) {
	im.fillDefaults()
	f := geo.Feature{ID: r.id, Geometry: r.geometry}
	unsure := false
	f.From, f.To, unsure = im.times(r)
	if r.fault != nil {
		return
	}
	if im.check(r, f); r.fault != nil {
		return
	}
	im.setHeights(r.heights, f.Geometry)
	pending := len(im.pending)
	if unsure || len(r.unsure) > 0 {
		im.pending = append(im.pending, pendingRow{im.builder.Len(), r.number, string(r.from), string(r.to), r.unsure})
	}
	if im.add(f, r); r.fault != nil {
		im.pending = im.pending[:pending]
	} else if f.From.IsZero() && im.kind == geo.KindIncident {
		im.counts.undated++
	}
}

// add gives a feature its number and puts it into the layer with the row's values.
func (im *importer) add(f geo.Feature, r *rowState) {
	if tangled(f.Geometry) {
		r.refuseRow("geometry", "bad_geometry", "the outline crosses itself all over, so that no place is plainly inside; repair it (ST_MakeValid, or Fix geometries in QGIS)")
		return
	}
	id := f.ID
	if id == "" {
		id = im.idIn(im.externalSlot)
	}
	if id == "" {
		id = im.idIn(im.idSlot)
	}
	if id != "" && (im.kind != geo.KindPatrolTrack || im.upsert != nil) { // the parts of a track share its identifier
		key := rowKey(im.idIn(im.sourceSlot), id)
		if met, stored := im.seenIDs.meet(maphash.String(im.hashSeed, key)); met {
			if im.upsert != nil {
				r.refuseRow("id", "duplicate_id", "the identifier "+show(id)+" stands in the file before; an upsert needs it once")
				return
			}
			if im.duplicate(r, stored, Finding{CheckDuplicateID, "id", "has the identifier " + show(id) + ", which stands"}); r.fault != nil {
				return
			}
		}
		if im.upsert != nil {
			f.FID = im.upsert.fid(im, r, key, id)
		}
	}
	if im.adder == nil {
		im.adder = im.builder.Rows(im.slots)
	}
	im.adder.Add(f, im.values)
}

// tangled reports whether an area is such a knot that each question whether a
// place is inside takes too long: a parallel meets thousands of its edges in the
// mean, of a coast with all its islands hundreds.
func tangled(g orb.Geometry) bool {
	const most = 4096
	switch g.(type) {
	case orb.Polygon, orb.MultiPolygon, orb.Collection:
		return geo.MeanCrossings(g) > most
	}
	return false
}

// idIn returns an identifying property of the row as geo.Layer.ID gives it.
func (im *importer) idIn(slot int) string {
	return idText(im.values[slot])
}

func idText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return string(appendNumber(nil, v))
	case json.Number:
		return string(v)
	}
	return ""
}

// futureMargin is how far ahead of the clock a time may be: zones mistaken by
// half the globe still fit.
const futureMargin = 24 * time.Hour

// times reads the row's two times; unsure says that their day and month could
// be the other way round.
func (im *importer) times(r *rowState) (from, to time.Time, unsure bool) {
	names := [2]string{}
	names[0], names[1] = im.kind.TimeFields()
	var st [2]stamp
	for i, text := range [2][]byte{r.from, r.to} {
		if text == nil {
			continue
		}
		s, f := im.dates.read(text)
		if f != nil {
			r.refuseRow(names[i], f.code, show(text)+" "+f.message)
			return
		}
		if s.unzoned {
			im.noteZone(s)
		}
		if s.ambiguous && !unsure {
			unsure = true
			im.noteAmbiguous(text)
		}
		if !s.ambiguous && im.isFuture(s.from) {
			r.refuseRow(names[i], "in_the_future", show(text)+" is more than 24 hours ahead")
			return
		}
		st[i] = s
	}
	from, to = st[0].from, st[0].to
	if r.to != nil {
		to = st[1].to
		if r.from == nil {
			from = st[1].from
		}
	}
	if im.kind == geo.KindPost { // a post is there until it says that it closed
		if r.to == nil && r.from != nil {
			to = geo.OpenEnd()
		}
		if r.from == nil && r.to != nil {
			from = geo.OpenStart()
		}
	}
	if !unsure && to.Before(from) {
		r.refuseRow(names[1], "interval_reversed", "ends before it begins")
		return
	}
	if im.kind == geo.KindIncident && r.from != nil && st[0].precision != instant {
		im.setPrecision(st[0].precision)
	}
	return from, to, unsure
}

func (im *importer) isFuture(t time.Time) bool {
	return im.scrutiny && t.After(im.now.Add(futureMargin))
}

// noteZone counts a time without a zone.
func (im *importer) noteZone(st stamp) {
	im.counts.unzoned++
	if st.skipped {
		im.counts.skipped++
	}
	if st.repeated {
		im.counts.repeated++
	}
}

func (im *importer) noteAmbiguous(text []byte) {
	if im.counts.ambiguous++; im.counts.firstAmbiguous == "" {
		im.counts.firstAmbiguous = show(text)
	}
}

// setPrecision says how finely an incident is dated, unless the file does.
func (im *importer) setPrecision(p precision) {
	slot := im.slot("date_precision")
	if im.values[slot] == nil {
		im.values[slot] = [...]any{instant: "minute", day: "day", month: "month"}[p]
	}
}
