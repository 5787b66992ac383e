package data

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/sempadan/sempadan/geo"
)

// FormatGeoParquet is Parquet with a column of geometry and metadata of it.
const FormatGeoParquet = "parquet"

const (
	parquetRowsPerGroup = 1 << 16
	parquetBatch        = 1024
	parquetGeometry     = "geometry"
)

// geoMetadata is the value of the key geo in a GeoParquet file (version
// 1.1.0). Without a crs, coordinates are longitude and latitude on WGS 84.
type geoMetadata struct {
	Version       string                     `json:"version"`
	PrimaryColumn string                     `json:"primary_column"`
	Columns       map[string]geometryColumns `json:"columns"`
}

type geometryColumns struct {
	Encoding      string    `json:"encoding"`
	GeometryTypes []string  `json:"geometry_types"`
	BBox          []float64 `json:"bbox,omitempty"`
}

// writeGeoParquet writes rows as GeoParquet with a column of WKB and typed
// columns, a group of rows at a time. The times of a track's vertices are a
// text column times with a JSON list, since the standard has no M.
func writeGeoParquet(w io.Writer, l *geo.Layer, rows iter.Seq[int]) error {
	t := NewExportTable(l, rows)
	p := &parquetWriter{t: t, names: make([]string, len(t.Fields))}
	schema := p.schema()
	metadata, err := p.metadata()
	if err != nil {
		return err
	}
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(parquetRowsPerGroup),
		parquet.KeyValueMetadata("geo", metadata), parquet.CreatedBy("sempadan", "", ""))
	if m := l.Info.Mark; m.ID != "" {
		out.SetKeyValueMetadata("export_id", m.ID)
		out.SetKeyValueMetadata("description", m.Text)
	}
	for from := 0; from < len(t.Rows); from += parquetBatch {
		batch := make([]parquet.Row, 0, parquetBatch)
		for _, row := range t.Rows[from:min(from+parquetBatch, len(t.Rows))] {
			values, err := p.row(row)
			if err != nil {
				return err
			}
			batch = append(batch, values)
		}
		if _, err := out.WriteRows(batch); err != nil {
			return err
		}
	}
	return out.Close()
}

type parquetWriter struct {
	t       *ExportTable
	names   []string // of the fields' columns
	columns []int    // their places in a row
	at      int      // of the geometry
	times   int      // of the times, -1 without
	width   int
}

// schema names the columns, unlike one another, and finds their places.
func (p *parquetWriter) schema() *parquet.Schema {
	group := parquet.Group{parquetGeometry: parquet.Leaf(parquet.ByteArrayType)}
	if p.times = -1; p.t.Measured() {
		group["times"] = parquet.Optional(parquet.String())
	}
	for i, f := range p.t.Fields {
		name := f.Name
		for k := 1; group[name] != nil || name == ""; k++ {
			name = fmt.Sprintf("%s_%d", f.Name, k)
		}
		p.names[i] = name
		group[name] = parquet.Optional(parquetNode(f))
	}
	schema := parquet.NewSchema(p.t.Layer.Info.ID, group)
	p.width = len(group)
	place := func(name string) int {
		leaf, _ := schema.Lookup(name)
		return leaf.ColumnIndex
	}
	p.at = place(parquetGeometry)
	if p.t.Measured() {
		p.times = place("times")
	}
	for _, name := range p.names {
		p.columns = append(p.columns, place(name))
	}
	return schema
}

func parquetNode(f ExportField) parquet.Node {
	switch f.Kind {
	case ExportInteger:
		if f.Lo >= math.MinInt32 && f.Hi <= math.MaxInt32 {
			return parquet.Int(32)
		}
		return parquet.Int(64)
	case ExportReal:
		return parquet.Leaf(parquet.DoubleType)
	case ExportBoolean:
		return parquet.Leaf(parquet.BooleanType)
	case ExportDate:
		return parquet.Date()
	case ExportTime:
		return parquet.Timestamp(parquet.Millisecond)
	}
	return parquet.String()
}

func (p *parquetWriter) metadata() (string, error) {
	seen := map[string]bool{}
	low, high := math.Inf(1), math.Inf(-1)
	for _, row := range p.t.Rows {
		name := p.t.Layer.Geometry(row).GeoJSONType()
		if z := p.t.HeightsOf(row); z != nil {
			name += " Z"
			least, most := rangeOf(z)
			low, high = min(low, least), max(high, most)
		}
		seen[name] = true
	}
	column := geometryColumns{Encoding: "WKB", GeometryTypes: sortedKeys(seen)}
	if b := p.t.Bound(); len(p.t.Rows) > 0 {
		column.BBox = []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
		if p.t.InSpace() {
			column.BBox = []float64{b.Min[0], b.Min[1], low, b.Max[0], b.Max[1], high}
		}
	}
	text, err := json.Marshal(geoMetadata{"1.1.0", parquetGeometry, map[string]geometryColumns{parquetGeometry: column}})
	return string(text), err
}

func (p *parquetWriter) row(row int) (parquet.Row, error) {
	out := make(parquet.Row, p.width)
	shape, err := AppendWKB(nil, p.t.Layer.Geometry(row), p.t.HeightsOf(row), nil)
	if err != nil {
		return nil, fmt.Errorf("row %d: %w", row+1, err)
	}
	out[p.at] = parquet.ByteArrayValue(shape).Level(0, 0, p.at)
	if p.times >= 0 {
		v := parquet.NullValue().Level(0, 0, p.times)
		if ms := p.t.Layer.VertexTimesMS(row); ms != nil {
			list := []byte{'['}
			for i, t := range ms {
				if i > 0 {
					list = append(list, ',')
				}
				list = append(appendInstant(append(list, '"'), t), '"')
			}
			v = parquet.ByteArrayValue(append(list, ']')).Level(0, 1, p.times)
		}
		out[p.times] = v
	}
	for i, v := range p.t.Row(row) {
		k := p.columns[i]
		if out[k] = parquet.NullValue().Level(0, 0, k); v.Set {
			out[k] = parquetValue(p.t.Fields[i], v).Level(0, 1, k)
		}
	}
	return out, nil
}

func parquetValue(f ExportField, v ExportValue) parquet.Value {
	switch f.Kind {
	case ExportInteger:
		if f.Lo >= math.MinInt32 && f.Hi <= math.MaxInt32 {
			return parquet.Int32Value(int32(v.Int))
		}
		return parquet.Int64Value(v.Int)
	case ExportReal:
		return parquet.DoubleValue(v.Real)
	case ExportBoolean:
		return parquet.BooleanValue(v.Int == 1)
	case ExportDate:
		day, _ := time.Parse(time.DateOnly, v.Text) // it has been read once already
		return parquet.Int32Value(int32(day.Unix() / 86400))
	case ExportTime:
		return parquet.Int64Value(v.Int)
	}
	return parquet.ByteArrayValue([]byte(v.Text))
}
