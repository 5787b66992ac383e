package data

import (
	"encoding/json"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// exportKind is the type of a column in formats that have types.
type exportKind byte

const (
	exportText exportKind = iota
	exportInteger
	exportReal
	exportBoolean
	exportDate
	exportTime
)

// exportField is a column: the identifier, the two times, or a property.
type exportField struct {
	name     string
	kind     exportKind
	maxBytes int   // of its texts
	lo, hi   int64 // of its integers
}

// exportValue is one value; kind is that of its field.
type exportValue struct {
	set  bool
	text string  // of texts and dates
	num  float64 // of reals
	n    int64   // of integers; of booleans 0 or 1; of times unix milliseconds
}

// exportTable gives a layer columns with one type each.
type exportTable struct {
	l      *geo.Layer
	rows   []int
	fields []exportField
	at     map[string]int // of properties
	id     int            // -1: no column
	from   int            // -1: no column; the end follows
	values []exportValue  // of the row at hand
}

// newExportTable settles the columns of some rows of a layer; nil are all.
// A text column whose every value is a date or a UTC time as this program
// writes them becomes one of dates or times.
func newExportTable(l *geo.Layer, rows iter.Seq[int]) *exportTable {
	t := &exportTable{l: l, at: map[string]int{}, id: -1, from: -1}
	if rows == nil {
		t.rows = make([]int, l.Len())
		for i := range t.rows {
			t.rows[i] = i
		}
	} else {
		t.rows = slices.Collect(rows)
	}
	fromName, toName := l.Info.Kind.TimeFields()
	taken := map[string]bool{}
	if t.any(func(row int) bool { return l.OwnID(row) != "" }) {
		t.id = len(t.fields)
		t.fields = append(t.fields, exportField{name: "id"})
		taken["id"] = true
	}
	if t.any(func(row int) bool { _, _, dated := l.TimesMS(row); return dated }) {
		t.from = len(t.fields)
		t.fields = append(t.fields, exportField{name: fromName, kind: exportTime}, exportField{name: toName, kind: exportTime})
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
		t.at[name] = len(t.fields)
		t.fields = append(t.fields, exportField{name: name})
	}
	t.settle()
	t.values = make([]exportValue, len(t.fields))
	return t
}

func (t *exportTable) any(has func(row int) bool) bool { return slices.ContainsFunc(t.rows, has) }

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
func (t *exportTable) settle() {
	saw := make([]kinds, len(t.fields))
	for i := range t.fields {
		t.fields[i].lo, t.fields[i].hi = math.MaxInt64, math.MinInt64
	}
	for _, row := range t.rows {
		if t.id >= 0 {
			f := &t.fields[t.id]
			f.maxBytes = max(f.maxBytes, len(t.l.ID(row)))
		}
		t.l.Values(row, func(name string, v any) {
			i, ok := t.at[name]
			if !ok {
				return
			}
			k, n := kindOf(v)
			if saw[i] |= k; k == sawInteger {
				t.fields[i].lo, t.fields[i].hi = min(t.fields[i].lo, n), max(t.fields[i].hi, n)
			}
			t.fields[i].maxBytes = max(t.fields[i].maxBytes, len(exportLiteral(v)))
		})
	}
	kept := t.fields[:0:0]
	for i, f := range t.fields {
		if _, property := t.at[f.name]; !property {
			kept = append(kept, f)
			continue
		}
		if saw[i] == 0 {
			delete(t.at, f.name)
			continue
		}
		switch saw[i] {
		case sawInteger:
			f.kind = exportInteger
		case sawReal, sawReal | sawInteger:
			f.kind = exportReal
		case sawBoolean:
			f.kind = exportBoolean
		case sawDate:
			f.kind = exportDate
		case sawTime:
			f.kind = exportTime
		}
		t.at[f.name] = len(kept)
		kept = append(kept, f)
	}
	t.fields = kept
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

// row returns the values of a row, which are valid until the next call.
func (t *exportTable) row(row int) []exportValue {
	clear(t.values)
	if t.id >= 0 {
		if id := t.l.ID(row); id != "" {
			t.values[t.id] = exportValue{set: true, text: validText(id)}
		}
	}
	if from, to, dated := t.l.TimesMS(row); dated && t.from >= 0 {
		t.values[t.from] = exportValue{set: true, n: from}
		if to != from {
			t.values[t.from+1] = exportValue{set: true, n: to}
		}
	}
	t.l.Values(row, func(name string, v any) {
		if i, ok := t.at[name]; ok {
			t.values[i] = exportValueOf(t.fields[i].kind, v)
		}
	})
	return t.values
}

func exportValueOf(kind exportKind, v any) exportValue {
	e := exportValue{set: true}
	switch kind {
	case exportInteger:
		_, e.n = kindOf(v)
	case exportReal:
		if x, ok := v.(float64); ok {
			e.num = x
		} else {
			e.num, _ = strconv.ParseFloat(exportLiteral(v), 64)
		}
	case exportBoolean:
		if v == true {
			e.n = 1
		}
	case exportTime:
		text, _ := v.(string)
		e.n, _ = exactTime(text)
	default:
		e.text = validText(exportLiteral(v))
	}
	return e
}

// measuresOf returns the times of a track's vertices in unix seconds, which
// formats with measures (M) keep; nil when it has none.
func (t *exportTable) measuresOf(row int) []float64 {
	times := t.l.VertexTimesMS(row)
	if times == nil {
		return nil
	}
	m := make([]float64, len(times))
	for i, ms := range times {
		m[i] = float64(ms) / 1000
	}
	return m
}

// measured reports whether any row has times at its vertices.
func (t *exportTable) measured() bool {
	return t.any(func(row int) bool { return t.l.VertexTimesMS(row) != nil })
}

// bound is the box around the rows.
func (t *exportTable) bound() orb.Bound {
	var b orb.Bound
	for i, row := range t.rows {
		if g := t.l.Geometry(row).Bound(); i == 0 {
			b = g
		} else {
			b = b.Union(g)
		}
	}
	return b
}
