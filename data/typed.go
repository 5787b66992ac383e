package data

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sempadan/sempadan/geo"
)

// typedRows makes the importer's rows of a format whose columns have names and
// types. Of a row: begin, a call for each value, the shape, then take.
type typedRows struct {
	im      *importer
	columns []*column // nil for those that are left out
	shape   shape
	arena   []byte // the texts of the row at hand
	number  int    // of the row at hand, counting from 1
	srids   map[int32]bool
}

// newTypedRows declares the columns; a name "" is a column to leave out.
func (im *importer) newTypedRows(names []string) (*typedRows, error) {
	if len(names) > im.limits.Columns {
		return nil, refuse(413, "too_many_columns", "the file has more than %d columns", im.limits.Columns)
	}
	im.opts.Mapping = im.opts.Mapping.settled(names)
	t := &typedRows{im: im, columns: make([]*column, len(names))}
	seen := map[string]bool{}
	for i, name := range names {
		if name == "" {
			continue
		}
		if len(name) > maxNameBytes || !utf8.ValidString(name) {
			return nil, refuse(422, "bad_column_name", "the name of column %d, %s, is longer than %d bytes or not UTF-8", i+1, show(name), maxNameBytes)
		}
		if seen[name] {
			im.report.warn("duplicate_property", name, "the column %s stands more than once; the last one counts", show(name))
		}
		seen[name] = true
		c, err := im.column(name)
		if err != nil {
			return nil, err
		}
		t.columns[i] = c
	}
	if err := im.checkMapping(); err != nil {
		return nil, err
	}
	return t, nil
}

// checkMapping refuses a mapping from columns that are not there.
func (im *importer) checkMapping() error {
	for _, m := range im.opts.Mapping {
		if m.Column != "" && im.columns[m.Column] == nil {
			return refuse(422, "unknown_column", "the mapping takes %s from the column %s, which the file does not have; the columns are: %s", m.Field, show(m.Column), showList(im.names()))
		}
	}
	return nil
}

func (t *typedRows) begin() {
	t.number++
	t.im.row.begin(t.number)
	t.shape.reset()
	t.arena = t.arena[:0]
}

// take hands the row on.
func (t *typedRows) take() error { return t.im.take() }

// fault quarantines the row.
func (t *typedRows) fault(field, code, message string) { t.im.row.refuseRow(field, code, message) }

func (t *typedRows) cell(i int, c cell) {
	if c.col = t.columns[i]; c.col != nil && !c.col.dropped {
		t.im.row.cells = append(t.im.row.cells, c)
	}
}

// text gives column i a text. One that is not UTF-8 is an error of the file.
func (t *typedRows) text(i int, s []byte) error {
	col := t.columns[i]
	if col == nil || col.dropped || len(s) == 0 {
		return nil
	}
	if len(s) > t.im.limits.ValueBytes {
		t.fault(col.name, "value_too_long", "is longer than "+itoa(t.im.limits.ValueBytes)+" bytes")
		return nil
	}
	if !utf8.Valid(s) {
		return refuse(400, "encoding", "row %d, column %s: the text is not UTF-8", t.number, show(col.name))
	}
	if s[0] == '[' && t.im.kind == geo.KindPatrolTrack && len(col.targets) == 1 && col.targets[0].role == roleVertexTimes {
		return t.vertexTimes(s)
	}
	from := len(t.arena)
	t.arena = append(t.arena, s...)
	if bytes.IndexByte(s, 0) >= 0 {
		t.im.counts.mended++
		t.arena = append(t.arena[:from], bytes.ReplaceAll(s, []byte{0}, []byte("\ufffd"))...)
	}
	t.cell(i, cell{kind: cellText, text: t.arena[from:len(t.arena):len(t.arena)]})
	return nil
}

// vertexTimes reads a track's times from a JSON list of texts.
func (t *typedRows) vertexTimes(s []byte) error {
	var times []string
	if err := json.Unmarshal(s, &times); err != nil {
		t.fault("times", "bad_time", "is not a list of times")
		return nil
	}
	r := &t.im.row
	r.hasTimes = true
	for _, text := range times {
		r.times = append(r.times, textOf(text))
	}
	return nil
}

// nested gives column i a JSON object or list, which is judged like one in
// GeoJSON; what is none of them stays a text.
func (t *typedRows) nested(i int, s []byte) error {
	col := t.columns[i]
	s = bytes.TrimSpace(s)
	if col == nil || col.dropped || len(s) == 0 || s[0] != '{' && s[0] != '[' || len(s) > t.im.limits.ValueBytes || len(col.targets) != 1 || col.targets[0].role != roleProperty {
		return t.text(i, s)
	}
	g := &geoJSON{jsonReader: jsonReader{window: window{buf: s, end: len(s), err: io.EOF}, limits: t.im.limits, where: func() string { return "" }}, im: t.im}
	g.rawMax = len(t.arena) + t.im.limits.ValueBytes
	from := len(t.arena)
	arena := g.raw(t.arena, 1, g.look(col))
	if g.failed != nil || len(bytes.TrimSpace(g.rest())) > 0 {
		return t.text(i, s)
	}
	t.arena = arena
	t.im.counts.mended += g.mended
	t.cell(i, cell{kind: cellNested, text: arena[from:len(arena):len(arena)]})
	return nil
}

// real gives column i a number; NaN is no value, and an infinity is left out
// with a warning.
func (t *typedRows) real(i int, v float64) {
	switch {
	case v-v == 0:
		t.cell(i, cell{kind: cellNumber, num: v})
	case math.IsInf(v, 0):
		t.im.counts.notFinite++
	}
}

// integer gives column i a whole number, exactly.
func (t *typedRows) integer(i int, v int64) {
	c := cell{kind: cellNumber, num: float64(v)}
	if v >= 1<<53 || v <= -1<<53 {
		c.text = strconv.AppendInt(nil, v, 10)
	}
	t.cell(i, c)
}

// unsigned is integer for what int64 may not hold.
func (t *typedRows) unsigned(i int, v uint64) {
	c := cell{kind: cellNumber, num: float64(v)}
	if v >= 1<<53 {
		c.text = strconv.AppendUint(nil, v, 10)
	}
	t.cell(i, c)
}

func (t *typedRows) boolean(i int, v bool) {
	c := cell{kind: cellFalse}
	if v {
		c.kind = cellTrue
	}
	t.cell(i, c)
}

// geometry makes the row's geometry of the shape.
func (t *typedRows) geometry() error {
	im := t.im
	g, f := t.shape.geometry(im.toWGS84, im.limits.Vertices)
	if f != nil {
		if f.code == "too_many_vertices" {
			return refuse(413, f.code, "row %d: %s", t.number, f.message)
		}
		t.fault("geometry", f.code, f.message)
		return nil
	}
	im.row.geometry = g
	im.ordinates(&t.shape)
	return nil
}

// pickLayer returns which of a file's layers is wanted.
func pickLayer(names []string, wanted string) (int, error) {
	if wanted == "" {
		if len(names) == 1 {
			return 0, nil
		}
		return 0, refuse(422, "several_layers", "the file has %d layers: %s; pick one with layer=", len(names), showList(names))
	}
	for i, name := range names {
		if name == wanted {
			return i, nil
		}
	}
	for i, name := range names {
		if strings.EqualFold(name, wanted) {
			return i, nil
		}
	}
	return 0, refuse(422, "layer_not_found", "the file has no layer %s; it has: %s", show(wanted), showList(names))
}
