package gpkg

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Layers lists the stored layers by ID.
func (s *Store) Layers(ctx context.Context) ([]geo.LayerInfo, error) {
	var out []geo.LayerInfo
	err := s.read(ctx, func(x *txn) error {
		list, err := x.layers()
		for i := range list {
			if err == nil {
				err = x.raiseNextFID(&list[i])
			}
			out = append(out, list[i].info)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list layers: %w", err)
	}
	return out, nil
}

func (x *txn) layers() ([]stored, error) {
	rows, err := x.conn.QueryContext(x.ctx, `SELECT `+layerColumns+` FROM sempadan_layers ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []stored
	for rows.Next() {
		st, err := scanLayer(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, rows.Err()
}

// Load reads a layer whole, in FID order, as it was at one instant. A row that
// another program has left without a geometry is not loaded.
func (s *Store) Load(ctx context.Context, id string) (*geo.Layer, error) {
	var l *geo.Layer
	err := s.read(ctx, func(x *txn) error {
		st, err := x.layer(id)
		if err != nil {
			return err
		}
		if l = s.fromSnapshot(ctx, st.info); l == nil {
			l, err = x.readTable(st.table, st.info, nil)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load layer %q: %w", id, err)
	}
	return l, nil
}

// readTable reads the rows of a feature table; with upTo not nil, only those
// that came with that version or an earlier one.
func (x *txn) readTable(name string, info geo.LayerInfo, upTo *int64) (*geo.Layer, error) {
	where := ""
	if upTo != nil {
		where = fmt.Sprintf(` WHERE version_added <= %d`, *upTo)
	}
	return x.readRows(name, info, where, nil)
}

// readRows reads rows of a feature table, with those property columns that
// wanted (nil: all) says.
func (x *txn) readRows(name string, info geo.LayerInfo, where string, wanted func(column string) bool) (*geo.Layer, error) {
	columns, err := x.columnsOf(name)
	if err != nil {
		return nil, err
	}
	if wanted != nil {
		columns = slices.DeleteFunc(columns, func(c column) bool { return !wanted(c.name) })
	}
	b := geo.NewBuilder(info)
	d := newDecoder(b, columns)
	query := `SELECT ` + strings.Join(d.selected(), ", ") + ` FROM ` + quote(name) + where
	if err := x.rowsAhead(query+` ORDER BY fid`, len(d.selected()), d.row); err != nil {
		return nil, err
	}
	return b.Layer(), nil
}

// rawRows calls each with every row of a query; the slice is used again.
func (x *txn) rawRows(query string, each func([]driver.Value) error) error {
	return x.raw(func(c driver.Conn) error {
		rows, err := c.(driver.QueryerContext).QueryContext(x.ctx, query, nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		values := make([]driver.Value, len(rows.Columns()))
		for n := 0; ; n++ {
			if n%1024 == 0 && x.ctx.Err() != nil {
				return x.ctx.Err()
			}
			if err := rows.Next(values); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := each(values); err != nil {
				return err
			}
		}
	})
}

// rowsAhead is rawRows with the reading and the calls in two goroutines: SQLite
// takes the larger half of the time. Rows have width values.
func (x *txn) rowsAhead(query string, width int, each func([]driver.Value) error) error {
	const batchRows = 256
	size := batchRows * width
	full, empty := make(chan []driver.Value, 2), make(chan []driver.Value, 3)
	for range cap(empty) {
		empty <- make([]driver.Value, 0, size)
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for batch := range full {
			for row := range slices.Chunk(batch, width) {
				if err == nil {
					err = each(row)
				}
			}
			empty <- batch[:0]
		}
		done <- err
	}()
	batch := <-empty
	err := x.rawRows(query, func(row []driver.Value) error {
		if batch = append(batch, row...); len(batch) == size {
			full <- batch
			batch = <-empty
		}
		return nil
	})
	full <- batch
	close(full)
	return cmp.Or(err, <-done)
}

// decoder turns rows of a feature table into features. A row has the fixed
// columns, the property columns but those of text, a JSON array of the text
// columns, and the column properties. The array is there because each value
// that crosses the driver costs as much as ten in an array.
type decoder struct {
	columns []column
	direct  []int // columns that come as they are
	text    []int // columns that come in the array
	adder   *geo.RowAdder
	values  []any
	known   map[string]any // texts met before, which need no memory again
}

// maxKnown bounds the memory of texts that are not repeated.
const maxKnown = 1 << 14

func newDecoder(b *geo.Builder, columns []column) *decoder {
	d := &decoder{columns: columns, values: make([]any, len(columns)), known: map[string]any{}}
	names := make([]string, len(columns))
	for k, c := range columns {
		names[k] = c.name
		if c.declared == typeText {
			d.text = append(d.text, k)
		} else {
			d.direct = append(d.direct, k)
		}
	}
	d.adder = b.Rows(names)
	return d
}

// selected returns what a query must select. A plus sign takes the declared
// type off a column: the driver would make a time.Time of a DATETIME, by
// trying formats.
func (d *decoder) selected() []string {
	out := []string{"fid", "geom", "ext_id", "+time_from", "+time_to", "vertex_times"}
	for _, k := range d.direct {
		out = append(out, "+"+quote(d.columns[k].name))
	}
	var text []string
	for _, k := range d.text {
		text = append(text, quote(d.columns[k].name))
	}
	return append(out, "json_array("+strings.Join(text, ",")+")", "properties")
}

func (d *decoder) row(row []driver.Value) error {
	fid, _ := row[colFID].(int64)
	blob, _ := row[colGeom].([]byte)
	if blob == nil {
		return nil
	}
	f := geo.Feature{FID: fid}
	var err error
	if f.Geometry, err = parseGeometry(blob); err != nil {
		return fmt.Errorf("%w: feature %d: %w", ErrDamaged, fid, err)
	}
	if p, ok := f.Geometry.(orb.Point); ok && math.IsNaN(p[0]) {
		return nil // how others write an empty point
	}
	f.ID, _ = row[colExtID].(string)
	if f.From, err = decodeTime(row[colTimeFrom]); err != nil {
		return fmt.Errorf("%w: feature %d: time_from: %w", ErrDamaged, fid, err)
	}
	if f.To, err = decodeTime(row[colTimeTo]); err != nil {
		return fmt.Errorf("%w: feature %d: time_to: %w", ErrDamaged, fid, err)
	}
	if text, _ := row[colVertexTimes].(string); text != "" {
		var ms []int64
		if err := json.Unmarshal([]byte(text), &ms); err != nil {
			return fmt.Errorf("%w: feature %d: vertex_times: %w", ErrDamaged, fid, err)
		}
		for _, t := range ms {
			f.VertexTimes = append(f.VertexTimes, time.UnixMilli(t).UTC())
		}
	}
	for i, k := range d.direct {
		d.values[k] = propertyValue(d.columns[k].declared, row[fixedBefore+i])
	}
	if err := d.texts(row[fixedBefore+len(d.direct)]); err != nil {
		return fmt.Errorf("%w: feature %d: %w", ErrDamaged, fid, err)
	}
	if text, _ := row[fixedBefore+len(d.direct)+1].(string); text != "" {
		f.Properties = parseProperties(text)
		for k, c := range d.columns {
			if d.values[k] != nil {
				delete(f.Properties, c.name)
			}
		}
	}
	d.adder.Add(f, d.values)
	return nil
}

var errTexts = errors.New("text columns could not be read")

// texts reads the array of the text columns.
func (d *decoder) texts(array driver.Value) error {
	rest, _ := array.(string)
	for _, k := range d.text {
		var lit string
		if lit, rest = cutText(rest); lit == "" {
			return errTexts
		}
		d.values[k] = nil
		if lit == "null" {
			continue
		}
		v, seen := d.known[lit]
		if !seen {
			var text string
			if err := json.Unmarshal([]byte(lit), &text); err != nil {
				return fmt.Errorf("%w: %w", errTexts, err)
			}
			v = text
			if len(d.known) < maxKnown {
				d.known[strings.Clone(lit)] = v
			}
		}
		d.values[k] = v
	}
	return nil
}

// cutText cuts the next literal, text or null, off a JSON array that begins
// with a bracket or a comma; lit is "" when there is none.
func cutText(s string) (lit, rest string) {
	if len(s) < 2 {
		return "", ""
	}
	s = s[1:]
	if s[0] != '"' {
		if strings.HasPrefix(s, "null") {
			return s[:4], s[4:]
		}
		return "", ""
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i+1], s[i+1:]
		}
	}
	return "", ""
}

// propertyValue returns a stored value as geo.Feature.Properties has it, nil
// for what another program may have put there and no property can be.
func propertyValue(declared string, v driver.Value) any {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return v
	case int64:
		if declared == typeBoolean {
			return v != 0
		}
		if f := float64(v); isInteger(f) {
			return f
		}
		return json.Number(fmt.Sprint(v))
	}
	return nil
}

// decodeTime reads a DATETIME, of this program or another's.
func decodeTime(v driver.Value) (time.Time, error) {
	text, _ := v.(string)
	if text == "" {
		return time.Time{}, nil
	}
	if t, ok := parseTime(text); ok {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, err
	}
	return t.UTC(), nil
}

// parseTime reads the one layout that formatTime writes.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeLayout) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != '.' || s[23] != 'Z' {
		return time.Time{}, false
	}
	bad := false
	number := func(part string) (n int) {
		for i := range len(part) {
			digit := part[i] - '0'
			bad = bad || digit > 9
			n = 10*n + int(digit)
		}
		return n
	}
	t := time.Date(number(s[:4]), time.Month(number(s[5:7])), number(s[8:10]), number(s[11:13]),
		number(s[14:16]), number(s[17:19]), number(s[20:23])*1e6, time.UTC)
	return t, !bad
}
