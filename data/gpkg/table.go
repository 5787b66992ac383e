package gpkg

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// Column types of GeoPackage that hold properties.
const (
	typeInteger = "INTEGER"
	typeDouble  = "DOUBLE"
	typeText    = "TEXT"
	typeBoolean = "BOOLEAN"
)

// column is a property with a column of its own; the two have the same name.
type column struct {
	name     string
	declared string
}

// table is a feature table: its name and what varies between them.
type table struct {
	name     string
	geometry string // GeoPackage geometry type
	columns  []column
}

// Positions of the fixed columns in every row that is read or written; the
// property columns come between vertexTimes and properties.
const (
	colFID = iota
	colGeom
	colExtID
	colTimeFrom
	colTimeTo
	colVertexTimes
	fixedBefore
)

// maxColumns bounds the property columns of a table; more go to the column
// properties.
const maxColumns = 200

// reserved are names that no property column can have: those of the fixed
// columns and SQLite's names of the row number.
var reserved = [...]string{"fid", "geom", "ext_id", "time_from", "time_to", "vertex_times",
	"properties", "version_added", "rowid", "_rowid_", "oid"}

// canBeColumn reports whether a property's name serves as a column's in every
// program: a letter or underscore, then letters, digits, underscores.
func canBeColumn(name string) bool {
	if name == "" || len(name) > 63 {
		return false
	}
	for i := range len(name) {
		c := name[i] | 0x20
		letter := c >= 'a' && c <= 'z' || name[i] == '_'
		digit := name[i] >= '0' && name[i] <= '9'
		if !letter && (i == 0 || !digit) {
			return false
		}
	}
	return !isReserved(name)
}

// columnNames returns all columns in the order of the table, quoted.
func (t *table) columnNames() []string {
	names := []string{"fid", "geom", "ext_id", "time_from", "time_to", "vertex_times"}
	for _, c := range t.columns {
		names = append(names, quote(c.name))
	}
	return append(names, "properties", "version_added")
}

// createSQL returns the statement that makes the table under the given name.
func (t *table) createSQL(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (fid INTEGER PRIMARY KEY NOT NULL, geom %s, ext_id TEXT, time_from DATETIME, time_to DATETIME, vertex_times TEXT",
		quote(name), t.geometry)
	for _, c := range t.columns {
		fmt.Fprintf(&b, ", %s %s", quote(c.name), c.declared)
	}
	b.WriteString(", properties TEXT, version_added INTEGER NOT NULL DEFAULT 0)")
	return b.String()
}

// fit returns the table that holds t's rows and those of l: with columns for
// new properties, INTEGER widened to DOUBLE and the geometry type widened
// where the new rows need it. rebuilt is true when that takes more than new
// columns. A property that the table has under another type keeps it; its
// values that do not fit go to the column properties.
func (t table) fit(l *geo.Layer) (fitted table, rebuilt bool) {
	fitted = table{name: t.name, geometry: geometryType(t.geometry, l)}
	rebuilt = fitted.geometry != t.geometry
	fitted.columns = append(fitted.columns, t.columns...)
	at := map[string]int{}
	for k, c := range fitted.columns {
		at[strings.ToLower(c.name)] = k
	}
	for _, c := range l.Columns() {
		declared := declaredType(l, c)
		k, seen := at[strings.ToLower(c.Name)]
		switch {
		case seen:
			have := &fitted.columns[k]
			if have.name == c.Name && have.declared == typeInteger && declared == typeDouble {
				have.declared, rebuilt = typeDouble, true
			}
		case declared != "" && canBeColumn(c.Name) && len(fitted.columns) < maxColumns:
			at[strings.ToLower(c.Name)] = len(fitted.columns)
			fitted.columns = append(fitted.columns, column{c.Name, declared})
		}
	}
	return fitted, rebuilt
}

// declaredType returns the column type of a property, "" when it has none.
func declaredType(l *geo.Layer, c geo.Column) string {
	switch c.Type {
	case "text":
		return typeText
	case "boolean":
		return typeBoolean
	case "number":
		for row := range l.Len() {
			if v := l.Number(row, c.Name); !math.IsNaN(v) && !isInteger(v) {
				return typeDouble
			}
		}
		return typeInteger
	}
	return ""
}

// maxExactInteger bounds the integers that float64 tells apart.
const maxExactInteger = 1 << 53

func isInteger(v float64) bool { return v == math.Trunc(v) && math.Abs(v) < maxExactInteger }

// geometryType returns the GeoPackage type of rows of type have ("" when there
// are none) together with those of l.
func geometryType(have string, l *geo.Layer) string {
	for row := range l.Len() {
		if have == "GEOMETRY" {
			break
		}
		this := "POINT"
		if _, isPoint := l.Point(row); !isPoint {
			this = shapeType(l.Geometry(row))
		}
		if have != "" && have != this {
			this = "GEOMETRY"
		}
		have = this
	}
	if have == "" {
		return "GEOMETRY"
	}
	return have
}

func shapeType(g orb.Geometry) string {
	switch g.(type) {
	case orb.LineString:
		return "LINESTRING"
	case orb.Polygon, orb.Ring, orb.Bound:
		return "POLYGON"
	case orb.MultiPoint:
		return "MULTIPOINT"
	case orb.MultiLineString:
		return "MULTILINESTRING"
	case orb.MultiPolygon:
		return "MULTIPOLYGON"
	case orb.Collection:
		return "GEOMETRYCOLLECTION"
	}
	return "GEOMETRY"
}

// columnsOf reads which property columns a table has now: other programs may
// have added or dropped some.
func (x *txn) columnsOf(name string) ([]column, error) {
	rows, err := x.conn.QueryContext(x.ctx, `SELECT name, upper(type) FROM pragma_table_info(?)`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []column
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.declared); err != nil {
			return nil, err
		}
		if !isReserved(c.name) {
			out = append(out, c)
		}
	}
	return out, rows.Err()
}

func isReserved(name string) bool {
	for _, r := range reserved {
		if strings.EqualFold(name, r) {
			return true
		}
	}
	return false
}
