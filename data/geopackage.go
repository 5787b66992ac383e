package data

import (
	"context"
	"encoding/binary"
	"io"
	"strings"
	"time"
)

// FormatGeoPackage is read and written by way of a GeoPackage.
const FormatGeoPackage = "gpkg"

// GeoPackage reads and writes files of that name, which takes SQLite; package
// gpkg has it. Refusals are *Refusal.
type GeoPackage interface {
	// Open opens a file that nobody trusts, and that nobody changes.
	Open(ctx context.Context, path string) (FeatureTables, error)
	// Write writes a file with one layer.
	Write(ctx context.Context, w io.Writer, t *ExportTable) error
}

// FeatureTables are the layers of a GeoPackage.
type FeatureTables interface {
	Tables() []FeatureTable
	// Each calls row for each row of a table with its geometry, nil for none,
	// and the values of its columns: nil, int64, float64, string or []byte. They
	// are valid until row returns.
	Each(ctx context.Context, t FeatureTable, row func(geometry []byte, values []any) error) error
	Close() error
}

// FeatureTable describes a layer of a GeoPackage.
type FeatureTable struct {
	Name, Geometry string // of the table and its geometry column
	SRS            int32  // as the table names it
	EPSG           int    // 0 when it has no such code
	Definition     string // well-known text, or ""
	Columns        []TableColumn
}

// TableColumn is a column with its declared type, in upper case.
type TableColumn struct{ Name, Type string }

// readGeoPackage reads a layer of the file at path.
func (im *importer) readGeoPackage(path string) error {
	if im.opts.GeoPackage == nil {
		return refuse(415, "format_not_read", "GeoPackage files are not read here; %s", readsText)
	}
	file, err := im.opts.GeoPackage.Open(im.ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	tables := file.Tables()
	if len(tables) == 0 {
		return refuse(422, "no_layer", "the GeoPackage has no table of features; views are not read")
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Name
	}
	k, err := pickLayer(names, im.opts.Layer)
	if err != nil {
		return err
	}
	table := tables[k]
	if refusal := im.tableCRS(table); refusal != nil {
		return refusal
	}
	return im.readTable(file, table)
}

func (im *importer) tableCRS(t FeatureTable) *Refusal {
	const where = "table of reference systems"
	switch _, refusal := byEPSG(t.EPSG); {
	case t.SRS == 0 || t.SRS == -1:
		im.noCRS("the GeoPackage says that the reference system of " + show(t.Name) + " is not known")
		return nil
	case t.EPSG != 0 && refusal == nil:
		return im.fileCRS("EPSG:"+itoa(t.EPSG), where)
	case strings.ContainsAny(t.Definition, "[("):
		return im.fileCRS(t.Definition, where)
	}
	return im.fileCRS("EPSG:"+itoa(t.EPSG), where)
}

func (im *importer) readTable(file FeatureTables, table FeatureTable) error {
	names := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		if names[i] = c.Name; strings.HasPrefix(c.Type, "BLOB") {
			im.report.warn("column_not_read", c.Name, "the column %s is of a type that is not read (binary)", show(c.Name))
			names[i] = ""
		}
	}
	rows, err := im.newTypedRows(names)
	if err != nil {
		return err
	}
	return file.Each(im.ctx, table, func(geometry []byte, values []any) error {
		rows.begin()
		if geometry != nil {
			if err := rows.readGPB(geometry, table.SRS); err != nil {
				return err
			}
		}
		for i, v := range values {
			if err := rows.sqlValue(i, table.Columns[i].Type, v); err != nil {
				return err
			}
		}
		return rows.take()
	})
}

// sqlValue gives column i a value of SQLite.
func (t *typedRows) sqlValue(i int, declared string, v any) error {
	switch v := v.(type) {
	case int64:
		if declared == "BOOLEAN" && (v == 0 || v == 1) {
			t.boolean(i, v == 1)
		} else {
			t.integer(i, v)
		}
	case float64:
		t.real(i, v)
	case string:
		if declared == "DATETIME" {
			v = plainTime(v)
		}
		return t.text(i, []byte(v))
	}
	return nil
}

// plainTime writes a time of a GeoPackage, which has three decimals, as this
// program writes times.
func plainTime(s string) string {
	const layout = "2006-01-02T15:04:05.000Z"
	at, err := time.Parse(layout, s)
	if err != nil {
		return s
	}
	return string(appendInstant(nil, at.UnixMilli()))
}

// readGPB fills the row's shape from GeoPackageBinary (OGC 12-128r17, clause
// 2.1.3): a head with an envelope, then WKB.
func (t *typedRows) readGPB(b []byte, srs int32) error {
	bad := func(what string) error {
		t.fault("geometry", "bad_geometry", what)
		return nil
	}
	const head = 8
	if len(b) < head || b[0] != 'G' || b[1] != 'P' {
		return bad("is not a geometry of a GeoPackage")
	}
	flags := b[3]
	if flags&(1<<5) != 0 {
		return bad("is of an extended type, which is not read")
	}
	order := binary.ByteOrder(binary.BigEndian)
	if flags&1 != 0 {
		order = binary.LittleEndian
	}
	doubles := [8]int{0, 4, 6, 6, 8, -1, -1, -1}[flags>>1&7]
	if doubles < 0 || len(b) < head+8*doubles {
		return bad("has a head that cannot be")
	}
	if own := int32(order.Uint32(b[4:])); own != srs && own != 0 && own != -1 && !(own == 4326 && srs <= 0) {
		return bad("names another reference system (" + itoa(int(own)) + ") than its table (" + itoa(int(srs)) + ")")
	}
	if fault := t.readWKB(b[head+8*doubles:]); fault != "" {
		return bad(fault)
	}
	return t.geometry()
}
