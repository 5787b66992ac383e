package gpkg

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

func insertSQL(table string, columns []string, rows int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", quote(table), strings.Join(columns, ","))
	row := "(" + strings.Repeat("?,", len(columns)-1) + "?)"
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(row)
	}
	return b.String()
}

// insertRows writes the rows of l and returns the envelopes of those that are
// not empty, in FID order.
func (x *txn) insertRows(t table, l *geo.Layer, version int64) ([]cell, error) {
	e := encoder{table: t, layer: l, version: version, w: x.inserter(t.name, t.columnNames()), at: map[string]int{}}
	for k, c := range t.columns {
		e.at[c.name] = k
	}
	e.values = make([]driver.Value, len(t.columns))
	boxes := make([]cell, 0, l.Len())
	err := x.raw(func(c driver.Conn) error {
		defer e.w.close()
		for _, row := range fidOrder(l) {
			if e.w.ready() {
				if err := e.flush(c); err != nil {
					return err
				}
			}
			b, err := e.row(row)
			if err != nil {
				return fmt.Errorf("row %d: %w", row+1, err)
			}
			if b.minX <= b.maxX {
				boxes = append(boxes, b)
			}
		}
		return e.flush(c)
	})
	return boxes, err
}

// fidOrder returns the rows of l by FID, in which SQLite appends and does not
// search.
func fidOrder(l *geo.Layer) []int {
	rows := make([]int, l.Len())
	for i := range rows {
		rows[i] = i
	}
	byFID := func(i, j int) bool { return l.FID(rows[i]) < l.FID(rows[j]) }
	if !sort.SliceIsSorted(rows, byFID) {
		sort.Slice(rows, byFID)
	}
	return rows
}

// encoder turns rows of a layer into values of a table's columns.
type encoder struct {
	table   table
	layer   *geo.Layer
	version int64
	w       *inserter
	at      map[string]int // property name to column
	values  []driver.Value // the property columns of the current row
	rest    []byte         // the properties without a column, as JSON
	blobs   []byte         // the geometries of the current statement
}

func (e *encoder) flush(c driver.Conn) error {
	err := e.w.flush(c)
	e.blobs = e.blobs[:0]
	return err
}

func (e *encoder) row(row int) (cell, error) {
	l, fid := e.layer, e.layer.FID(row)
	if fid <= 0 {
		return cell{}, fmt.Errorf("FID %d is not positive", fid)
	}
	g := l.Geometry(row)
	start := len(e.blobs)
	blobs, err := appendGeometry(e.blobs, g)
	if err != nil {
		return cell{}, err
	}
	e.blobs = blobs
	e.w.add(fid)
	e.w.add(blobs[start:len(blobs):len(blobs)])
	e.w.add(textOrNull(l.OwnID(row)))
	if err := e.times(row); err != nil {
		return cell{}, err
	}
	if err := e.properties(row); err != nil {
		return cell{}, err
	}
	e.w.add(e.version)
	if isEmpty(g) {
		return cell{id: fid, minX: 1, maxX: -1}, nil
	}
	return cellOf(fid, g.Bound()), nil
}

func textOrNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func (e *encoder) times(row int) error {
	from, to, ok := e.layer.TimesMS(row)
	if !ok {
		e.w.add(nil)
		e.w.add(nil)
	} else {
		f, err := formatTime(from)
		if err != nil {
			return err
		}
		t := f
		if to != from {
			if t, err = formatTime(to); err != nil {
				return err
			}
		}
		e.w.add(f)
		e.w.add(t)
	}
	ms := e.layer.VertexTimesMS(row)
	if ms == nil {
		e.w.add(nil)
		return nil
	}
	b := []byte{'['}
	for k, t := range ms {
		if k > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, t, 10)
	}
	e.w.add(string(append(b, ']')))
	return nil
}

func (e *encoder) properties(row int) (err error) {
	clear(e.values)
	e.rest = e.rest[:0]
	e.layer.Values(row, func(name string, v any) {
		if k, ok := e.at[name]; ok {
			if e.values[k] = columnValue(e.table.columns[k].declared, v); e.values[k] != nil {
				return
			}
		}
		if bad := e.appendRest(name, v); bad != nil {
			err = fmt.Errorf("property %q: %w", name, bad)
		}
	})
	if err != nil {
		return err
	}
	for _, v := range e.values {
		e.w.add(v)
	}
	if len(e.rest) == 0 {
		e.w.add(nil)
	} else {
		e.w.add(string(append(e.rest, '}')))
	}
	return nil
}

// columnValue returns what to store of v in a column of the declared type, nil
// when it would not come back as it is.
func columnValue(declared string, v any) driver.Value {
	switch v := v.(type) {
	case string:
		if declared == typeText {
			return v
		}
	case bool:
		if declared == typeBoolean {
			return v
		}
	case float64:
		switch {
		case declared == typeDouble:
			return v
		case declared == typeInteger && isInteger(v):
			return int64(v)
		}
	}
	return nil
}

func (e *encoder) appendRest(name string, v any) (err error) {
	if len(e.rest) == 0 {
		e.rest = append(e.rest, '{')
	} else {
		e.rest = append(e.rest, ',')
	}
	if e.rest, err = appendJSON(e.rest, name); err != nil {
		return err
	}
	e.rest, err = appendJSON(append(e.rest, ':'), v)
	return err
}

var errJSON = errors.New("the value is not valid JSON")

// appendJSON appends a property value as a JSON literal.
func appendJSON(dst []byte, v any) ([]byte, error) {
	start := len(dst)
	switch v := v.(type) {
	case float64:
		return appendNumber(dst, v), nil
	case json.Number:
		dst = append(dst, v...)
	case json.RawMessage:
		dst = append(dst, v...)
	default:
		b, err := json.Marshal(v)
		return append(dst, b...), err
	}
	if !json.Valid(dst[start:]) {
		return dst, errJSON
	}
	return dst, nil
}

// appendNumber writes a float64 as package geo does, so that parseNumber can
// tell it from a json.Number.
func appendNumber(dst []byte, v float64) []byte {
	if isInteger(v) {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

func parseNumber(lit string) any {
	v, err := strconv.ParseFloat(lit, 64)
	if err == nil && !math.IsInf(v, 0) && string(appendNumber(nil, v)) == lit {
		return v
	}
	return json.Number(lit)
}

// parseProperties reads the column properties. Text that is not a JSON object,
// which only another program can have put there, counts as none.
func parseProperties(text string) map[string]any {
	var raw map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	out := make(map[string]any, len(raw))
	for name, lit := range raw {
		switch lit[0] {
		case '"':
			var s string
			_ = json.Unmarshal(lit, &s) // it has been read once already
			out[name] = s
		case 't', 'f':
			out[name] = lit[0] == 't'
		case '{', '[':
			out[name] = lit
		case 'n':
		default:
			out[name] = parseNumber(string(lit))
		}
	}
	return out
}

// sortedFIDs returns the FIDs of l in order.
func sortedFIDs(l *geo.Layer) []int64 {
	fids := make([]int64, l.Len())
	for row := range fids {
		fids[row] = l.FID(row)
	}
	slices.Sort(fids)
	return fids
}
