package data

import (
	"cmp"
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// ExportKind is the type of a column in formats that have types.
type ExportKind byte

// The kinds of columns.
const (
	ExportText ExportKind = iota
	ExportInteger
	ExportReal
	ExportBoolean
	ExportDate
	ExportTime
)

// ExportField is a column: the identifier, the two times, or a property.
type ExportField struct {
	Name     string
	Kind     ExportKind
	MaxBytes int   // of its texts
	Lo, Hi   int64 // of its integers
}

// ExportValue is one value; its kind is that of its field.
type ExportValue struct {
	Set  bool
	Text string  // of texts and dates
	Real float64 // of reals
	Int  int64   // of integers; of booleans 0 or 1; of times unix milliseconds
}

// ExportTable gives a layer columns with one type each.
type ExportTable struct {
	Layer  *geo.Layer
	Rows   []int
	Fields []ExportField
	at     map[string]int // of properties
	id     int            // -1: no column
	from   int            // -1: no column; the end follows
	moved  string         // the column of the property id, "" for none
	values []ExportValue  // of the row at hand

	noGaps  bool // the format cannot say that a vertex has no height
	heights bool // some row has heights in its geometry
}

// NewExportTable settles the columns of some rows of a layer; nil are all.
// A text column whose every value is a date or a UTC time as this program
// writes them becomes one of dates or times. Heights are no column but Z.
func NewExportTable(l *geo.Layer, rows iter.Seq[int]) *ExportTable {
	return (&ExportTable{}).of(l, rows)
}

func (t *ExportTable) of(l *geo.Layer, rows iter.Seq[int]) *ExportTable {
	t.Layer, t.at, t.id, t.from = l, map[string]int{}, -1, -1
	if rows == nil {
		t.Rows = make([]int, l.Len())
		for i := range t.Rows {
			t.Rows[i] = i
		}
	} else {
		t.Rows = slices.Collect(rows)
	}
	fromName, toName := l.Info.Kind.TimeFields()
	taken := map[string]bool{}
	if t.any(func(row int) bool { return l.OwnID(row) != "" }) {
		t.id = len(t.Fields)
		t.Fields = append(t.Fields, ExportField{Name: "id"})
		taken["id"] = true
		t.moved = movedID(l, slices.Values(t.Rows))
	}
	if t.any(func(row int) bool { _, _, dated := l.TimesMS(row); return dated }) {
		t.from = len(t.Fields)
		t.Fields = append(t.Fields, ExportField{Name: fromName, Kind: ExportTime}, ExportField{Name: toName, Kind: ExportTime})
		taken[fromName], taken[toName] = true, true
	}
	names := []string{}
	for _, c := range l.Columns() {
		if !taken[c.Name] {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		t.at[name] = len(t.Fields)
		t.Fields = append(t.Fields, ExportField{Name: name})
	}
	if t.moved != "" {
		t.at[t.moved] = len(t.Fields)
		t.Fields = append(t.Fields, ExportField{Name: t.moved})
	}
	t.settle()
	t.values = make([]ExportValue, len(t.Fields))
	return t
}

// movedID names the column for the property id where it differs from the
// identifier of a row, which takes the column id; "" where it never does.
func movedID(l *geo.Layer, rows iter.Seq[int]) string {
	names := map[string]bool{}
	for _, c := range l.Columns() {
		names[c.Name] = true
	}
	if !names["id"] {
		return ""
	}
	for row := range rows {
		if l.OwnID(row) == "" {
			continue
		}
		if v := l.Value(row, "id"); v != nil && exportLiteral(v) != l.OwnID(row) {
			name := "id_1"
			for i := 2; names[name]; i++ {
				name = "id_" + itoa(i)
			}
			return name
		}
	}
	return ""
}

// column is where a property stands, by its name in the layer.
func (t *ExportTable) column(name string) (int, bool) {
	if name == "id" && t.moved != "" {
		name = t.moved
	}
	i, ok := t.at[name]
	return i, ok
}

func (t *ExportTable) any(has func(row int) bool) bool { return slices.ContainsFunc(t.Rows, has) }

// kinds are what values of a column have been seen to be, as bits.
type kinds uint8

const (
	sawText kinds = 1 << iota
	sawInteger
	sawReal
	sawBoolean
	sawDate
	sawTime
)

// settle finds the types of the property columns, and drops those that no
// row has.
func (t *ExportTable) settle() {
	saw := make([]kinds, len(t.Fields))
	for i := range t.Fields {
		t.Fields[i].Lo, t.Fields[i].Hi = math.MaxInt64, math.MinInt64
	}
	for _, row := range t.Rows {
		if t.id >= 0 {
			f := &t.Fields[t.id]
			f.MaxBytes = max(f.MaxBytes, len(t.Layer.ID(row)))
		}
		t.Layer.Values(row, func(name string, v any) {
			i, ok := t.column(name)
			if !ok {
				return
			}
			if name == geo.HeightsField && t.HeightsOf(row) != nil {
				t.heights = true
				return
			}
			k, n := kindOf(v)
			if saw[i] |= k; k == sawInteger {
				t.Fields[i].Lo, t.Fields[i].Hi = min(t.Fields[i].Lo, n), max(t.Fields[i].Hi, n)
			}
			t.Fields[i].MaxBytes = max(t.Fields[i].MaxBytes, len(exportLiteral(v)))
		})
	}
	kept := t.Fields[:0:0]
	for i, f := range t.Fields {
		if _, property := t.at[f.Name]; !property {
			kept = append(kept, f)
			continue
		}
		if saw[i] == 0 {
			delete(t.at, f.Name)
			continue
		}
		switch saw[i] {
		case sawInteger:
			f.Kind = ExportInteger
		case sawReal, sawReal | sawInteger:
			f.Kind = ExportReal
		case sawBoolean:
			f.Kind = ExportBoolean
		case sawDate:
			f.Kind = ExportDate
		case sawTime:
			f.Kind = ExportTime
		}
		t.at[f.Name] = len(kept)
		kept = append(kept, f)
	}
	t.Fields = kept
}

func kindOf(v any) (kinds, int64) {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return sawInteger, int64(v)
		}
		return sawReal, 0
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return sawInteger, n
		}
	case bool:
		return sawBoolean, 0
	case string:
		if _, ok := exactTime(v); ok {
			return sawTime, 0
		}
		if len(v) == len(time.DateOnly) {
			if _, err := time.Parse(time.DateOnly, v); err == nil {
				return sawDate, 0
			}
		}
	}
	return sawText, 0
}

// exactTime reads a time that appendInstant writes in the same way.
func exactTime(s string) (ms int64, ok bool) {
	if len(s) < 20 || len(s) > 24 || s[len(s)-1] != 'Z' || s[10] != 'T' {
		return 0, false
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, false
	}
	ms = at.UnixMilli()
	return ms, string(appendInstant(nil, ms)) == s
}

// exportLiteral is a value as text.
func exportLiteral(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return string(appendNumber(nil, v))
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case json.RawMessage:
		return string(v)
	}
	return ""
}

// Row returns the values of a row, which are valid until the next call.
func (t *ExportTable) Row(row int) []ExportValue {
	clear(t.values)
	if t.id >= 0 {
		if id := t.Layer.ID(row); id != "" {
			t.values[t.id] = ExportValue{Set: true, Text: validText(id)}
		}
	}
	if from, to, dated := t.Layer.TimesMS(row); dated && t.from >= 0 {
		t.values[t.from] = ExportValue{Set: true, Int: from}
		if to != from {
			t.values[t.from+1] = ExportValue{Set: true, Int: to}
		}
	}
	t.Layer.Values(row, func(name string, v any) {
		if i, ok := t.column(name); ok && !(name == geo.HeightsField && t.HeightsOf(row) != nil) {
			t.values[i] = exportValueOf(t.Fields[i].Kind, v)
		}
	})
	return t.values
}

func exportValueOf(kind ExportKind, v any) ExportValue {
	e := ExportValue{Set: true}
	switch kind {
	case ExportInteger:
		_, e.Int = kindOf(v)
	case ExportReal:
		if x, ok := v.(float64); ok {
			e.Real = x
		} else {
			e.Real, _ = strconv.ParseFloat(exportLiteral(v), 64)
		}
	case ExportBoolean:
		if v == true {
			e.Int = 1
		}
	case ExportTime:
		text, _ := v.(string)
		e.Int, _ = exactTime(text)
	default:
		e.Text = validText(exportLiteral(v))
	}
	return e
}

// HeightsOf returns a height in metres for each vertex of a row, which formats
// with Z keep, NaN for a vertex without; nil when it has none.
func (t *ExportTable) HeightsOf(row int) []float64 {
	z := heightsOf(t.Layer, row)
	if t.noGaps && !z.whole() {
		return nil
	}
	return z
}

// InSpace reports whether any row has heights.
func (t *ExportTable) InSpace() bool { return t.heights }

// MeasuresOf returns the times of a track's vertices in unix seconds, which
// formats with measures (M) keep; nil when it has none.
func (t *ExportTable) MeasuresOf(row int) []float64 {
	times := t.Layer.VertexTimesMS(row)
	if times == nil {
		return nil
	}
	m := make([]float64, len(times))
	for i, ms := range times {
		m[i] = float64(ms) / 1000
	}
	return m
}

// Measured reports whether any row has times at its vertices.
func (t *ExportTable) Measured() bool {
	return t.any(func(row int) bool { return t.Layer.VertexTimesMS(row) != nil })
}

// Bound is the box around the rows.
func (t *ExportTable) Bound() orb.Bound {
	var b orb.Bound
	for i, row := range t.Rows {
		if g := t.Layer.Geometry(row).Bound(); i == 0 {
			b = g
		} else {
			b = b.Union(g)
		}
	}
	return b
}

// ByFID returns the rows in the order of their FIDs.
func (t *ExportTable) ByFID() []int {
	rows := slices.Clone(t.Rows)
	slices.SortFunc(rows, func(a, b int) int { return cmp.Compare(t.Layer.FID(a), t.Layer.FID(b)) })
	return rows
}
