package gpkg

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
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
		l, err = x.readTable(st.table, st.info, nil)
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
	columns, err := x.columnsOf(name)
	if err != nil {
		return nil, err
	}
	// A plus sign takes the declared type off a column: the driver would make
	// a time.Time of a DATETIME, by trying formats.
	var q strings.Builder
	q.WriteString(`SELECT fid, geom, ext_id, +time_from, +time_to, vertex_times`)
	for _, c := range columns {
		q.WriteString(`, +` + quote(c.name))
	}
	q.WriteString(`, properties FROM ` + quote(name))
	if upTo != nil {
		fmt.Fprintf(&q, ` WHERE version_added <= %d`, *upTo)
	}
	q.WriteString(` ORDER BY fid`)

	b := geo.NewBuilder(info)
	d := newDecoder(b, columns)
	if err := x.rawRows(q.String(), d.row); err != nil {
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

// decoder turns rows of a feature table into features.
type decoder struct {
	columns []column
	adder   *geo.RowAdder
	values  []any
}

func newDecoder(b *geo.Builder, columns []column) *decoder {
	names := make([]string, len(columns))
	for k, c := range columns {
		names[k] = c.name
	}
	return &decoder{columns: columns, adder: b.Rows(names), values: make([]any, len(columns))}
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
		return fmt.Errorf("feature %d: %w", fid, err)
	}
	if p, ok := f.Geometry.(orb.Point); ok && math.IsNaN(p[0]) {
		return nil // how others write an empty point
	}
	f.ID, _ = row[colExtID].(string)
	if f.From, err = decodeTime(row[colTimeFrom]); err != nil {
		return fmt.Errorf("feature %d: time_from: %w", fid, err)
	}
	if f.To, err = decodeTime(row[colTimeTo]); err != nil {
		return fmt.Errorf("feature %d: time_to: %w", fid, err)
	}
	if text, _ := row[colVertexTimes].(string); text != "" {
		var ms []int64
		if err := json.Unmarshal([]byte(text), &ms); err != nil {
			return fmt.Errorf("feature %d: vertex_times: %w", fid, err)
		}
		for _, t := range ms {
			f.VertexTimes = append(f.VertexTimes, time.UnixMilli(t).UTC())
		}
	}
	for k, c := range d.columns {
		d.values[k] = propertyValue(c.declared, row[fixedBefore+k])
	}
	if text, _ := row[fixedBefore+len(d.columns)].(string); text != "" {
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
