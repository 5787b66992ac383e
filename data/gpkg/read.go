package gpkg

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/sempadan/sempadan/data"
)

// Files reads and writes GeoPackage files that are not stores.
type Files struct{}

var _ data.GeoPackage = Files{}

func refuse(status int, code, format string, args ...any) *data.Refusal {
	return &data.Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func badFile(what string) *data.Refusal {
	return refuse(400, "bad_gpkg", "the GeoPackage is damaged or cut off: %s; send it again", what)
}

// Bounds of what a file may ask of SQLite.
const (
	maxValueBytes = 16 << 20
	maxSQLBytes   = 1 << 20
	maxExprDepth  = 50
	maxTables     = 1000
	maxColumnsIn  = 2000

	checkAtLeast        = 4 * time.Second
	checkBytesPerSecond = 8 << 20
)

// Open opens a file that may be hostile: for reading only, without its
// schema's right to run anything, within bounds, and only after SQLite has
// found its pages whole. Only tables are read, never views or generated
// columns. Triggers never run; those that no program makes by itself are
// refused all the same.
func (Files) Open(ctx context.Context, path string) (_ data.FeatureTables, err error) {
	size, err := checkPages(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", fileURL(path, "mode=ro", "immutable=1", "_pragma=trusted_schema(0)", "_pragma=query_only(1)",
		"_pragma=cell_size_check(1)", "_pragma=mmap_size(0)", "_pragma=temp_store(MEMORY)", "_pragma=ignore_check_constraints(1)"))
	if err != nil {
		return nil, err
	}
	f := &untrusted{db: db}
	defer func() {
		if err != nil {
			_ = f.Close()
			err = f.fault(ctx, err)
		}
	}()
	db.SetMaxOpenConns(1)
	if f.conn, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	for _, l := range [][2]int{
		{sqlite3.SQLITE_LIMIT_LENGTH, maxValueBytes}, {sqlite3.SQLITE_LIMIT_SQL_LENGTH, maxSQLBytes},
		{sqlite3.SQLITE_LIMIT_ATTACHED, 0}, {sqlite3.SQLITE_LIMIT_EXPR_DEPTH, maxExprDepth},
	} {
		if _, err := sqlite.Limit(f.conn, l[0], l[1]); err != nil {
			return nil, err
		}
	}
	// Looking at the schema costs little unless it is made to cost much.
	schema, cancel := context.WithTimeout(ctx, checkAtLeast+time.Duration(size/checkBytesPerSecond)*time.Second)
	defer cancel()
	if err = f.check(schema); err == nil {
		err = f.list(schema)
	}
	if err != nil && schema.Err() != nil && ctx.Err() == nil {
		err = refuse(422, "too_complex", "the schema of the GeoPackage takes too long to check; export the layer anew")
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// checkPages judges the head of a SQLite file (sqlite.org/fileformat2) by its
// size, which it returns.
func checkPages(path string) (size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }()
	st, err := file.Stat()
	if err != nil {
		return 0, err
	}
	var head [headerBytes]byte
	if _, err := io.ReadFull(file, head[:]); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return 0, badFile("it has no header")
	}
	page := int64(binary.BigEndian.Uint16(head[16:]))
	if page == 1 {
		page = 65536
	}
	if page < 512 || page&(page-1) != 0 || st.Size()%page != 0 {
		return 0, badFile("its size is not a number of pages")
	}
	// The count is valid when the last writer says that it set it.
	count := int64(binary.BigEndian.Uint32(head[28:]))
	if string(head[24:28]) == string(head[92:96]) && count != 0 && count*page != st.Size() {
		return 0, badFile(fmt.Sprintf("it has %d bytes and says %d", st.Size(), count*page))
	}
	return st.Size(), nil
}

// untrusted is an open file.
type untrusted struct {
	db     *sql.DB
	conn   *sql.Conn
	tables []data.FeatureTable
}

func (f *untrusted) Close() error {
	var err error
	if f.conn != nil {
		err = f.conn.Close()
	}
	return errors.Join(err, f.db.Close())
}

func (f *untrusted) Tables() []data.FeatureTable { return f.tables }

// fault says what an error of SQLite means for the file.
func (f *untrusted) fault(ctx context.Context, err error) error {
	var refusal *data.Refusal
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		if e.Code()&0xff == sqlite3.SQLITE_TOOBIG {
			return refuse(413, "value_too_long", "the GeoPackage has a value of more than %d bytes", maxValueBytes)
		}
		return badFile(strings.Join(strings.Fields(short(e.Error())), " "))
	}
	return err
}

// ownTriggers are the names that GeoPackage and GDAL give to triggers.
var ownTriggers = regexp.MustCompile(`^(?i:rtree_.*_(insert|update[1-7]?|delete)|trigger_(insert|delete)_feature_count_.*|gpkg_(tile_matrix|metadata|metadata_reference)_.*|` +
	`.*_(zoom|tile_column|tile_row)_(insert|update)|fgti_.*)$`)

// check looks for damage and for what no plain file has.
func (f *untrusted) check(ctx context.Context) error {
	x := &txn{ctx: ctx, conn: f.conn}
	faults, err := x.strings(`PRAGMA quick_check(1)`)
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return badFile(strings.Join(strings.Fields(short(strings.Join(faults, " "))), " "))
	}
	names, err := x.strings(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !ownTriggers.MatchString(name) {
			return refuse(422, "foreign_trigger", "the GeoPackage has a trigger %q of its own; export the layer anew", short(name))
		}
	}
	real, err := x.strings(`SELECT lower(name) FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND lower(name) IN ('gpkg_contents', 'gpkg_geometry_columns', 'gpkg_spatial_ref_sys')`)
	if err != nil {
		return err
	}
	if len(real) != 3 {
		return refuse(422, "not_a_gpkg", "the file is SQLite but not a GeoPackage: it lacks the tables gpkg_contents, gpkg_geometry_columns and gpkg_spatial_ref_sys")
	}
	return nil
}

// short is a name for a message.
func short(s string) string {
	if len(s) > 60 {
		s = s[:60]
	}
	return strings.ToValidUTF8(s, "·")
}

// list finds the feature tables.
func (f *untrusted) list(ctx context.Context) error {
	rows, err := f.conn.QueryContext(ctx, `SELECT s.name, g.column_name, g.srs_id, coalesce(upper(r.organization) = 'EPSG', 0) * coalesce(r.organization_coordsys_id, 0), coalesce(r.definition, '')
		FROM (SELECT table_name FROM gpkg_contents WHERE data_type = 'features' LIMIT ?1) c
		JOIN (SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns LIMIT ?1) g ON lower(g.table_name) = lower(c.table_name)
		JOIN sqlite_schema s ON lower(s.name) = lower(c.table_name) AND s.type = 'table' AND s.rootpage > 0
		LEFT JOIN gpkg_spatial_ref_sys r ON r.srs_id = g.srs_id
		ORDER BY s.name LIMIT ?1`, maxTables)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t data.FeatureTable
		if err := rows.Scan(&t.Name, &t.Geometry, &t.SRS, &t.EPSG, &t.Definition); err != nil {
			return badFile("its list of layers cannot be read")
		}
		f.tables = append(f.tables, t)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	f.tables = slices.DeleteFunc(f.tables, func(t data.FeatureTable) bool { return strings.HasPrefix(strings.ToLower(t.Name), "sqlite_") })
	for i := range f.tables {
		if err := f.columns(ctx, &f.tables[i]); err != nil {
			return err
		}
	}
	return nil
}

// columns reads the columns of a table that are stored and are neither its
// geometry nor its key.
func (f *untrusted) columns(ctx context.Context, t *data.FeatureTable) error {
	rows, err := f.conn.QueryContext(ctx, `SELECT name, upper(type), pk, hidden FROM pragma_table_xinfo(?) LIMIT ?`, t.Name, maxColumnsIn)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	geometry := ""
	for rows.Next() {
		var c data.TableColumn
		var pk, hidden int
		if err := rows.Scan(&c.Name, &c.Type, &pk, &hidden); err != nil {
			return badFile("the columns of a table cannot be read")
		}
		switch {
		case hidden != 0:
		case strings.EqualFold(c.Name, t.Geometry):
			geometry = c.Name
		case pk == 1 && c.Type == "INTEGER":
		default:
			t.Columns = append(t.Columns, c)
		}
	}
	if geometry == "" {
		return badFile(fmt.Sprintf("the table %q has no column %q", short(t.Name), short(t.Geometry)))
	}
	t.Geometry = geometry
	return rows.Err()
}

// Each reads a table. The plus signs keep the driver from guessing at types by
// the declarations.
func (f *untrusted) Each(ctx context.Context, t data.FeatureTable, row func(geometry []byte, values []any) error) error {
	var b strings.Builder
	b.WriteString("SELECT +" + quote(t.Geometry))
	for _, c := range t.Columns {
		b.WriteString(", +" + quote(c.Name))
	}
	b.WriteString(" FROM main." + quote(t.Name))
	rows, err := f.conn.QueryContext(ctx, b.String())
	if err != nil {
		return f.fault(ctx, err)
	}
	defer func() { _ = rows.Close() }()
	cells := make([]any, 1+len(t.Columns))
	at := make([]any, len(cells))
	for i := range cells {
		at[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return f.fault(ctx, err)
		}
		geometry, _ := cells[0].([]byte)
		if err := row(geometry, cells[1:]); err != nil {
			return err
		}
	}
	return f.fault(ctx, rows.Err())
}
