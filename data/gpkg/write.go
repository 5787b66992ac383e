package gpkg

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
)

// Write writes a GeoPackage of one layer: a feature table with its R-tree and
// the triggers that keep it, and nothing of the store. A track that has times
// is a LINESTRING M with unix seconds; geometry with heights has Z.
func (Files) Write(ctx context.Context, w io.Writer, t *data.ExportTable) (err error) {
	file, err := os.CreateTemp("", "sempadan-*.gpkg.part")
	if err != nil {
		return fmt.Errorf("write gpkg: %w", err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	if err := writeLayerFile(ctx, file.Name(), t); err != nil {
		return fmt.Errorf("write gpkg: %w", err)
	}
	if _, err := io.Copy(w, file); err != nil {
		return fmt.Errorf("write gpkg: %w", err)
	}
	return nil
}

func writeLayerFile(ctx context.Context, path string, t *data.ExportTable) (err error) {
	db, err := sql.Open("sqlite", fileURL(path, "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)", "_pragma=temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	defer func() {
		if bad := db.Close(); err == nil {
			err = bad
		}
	}()
	db.SetMaxOpenConns(1)
	return run(ctx, db, "BEGIN", func(x *txn) error { return (&fileWriter{txn: x, t: t}).write() })
}

// fileWriter writes one layer into an empty file.
type fileWriter struct {
	*txn
	t       *data.ExportTable
	name    string
	columns []string // of the fields, as the table calls them
}

func (f *fileWriter) write() error {
	info := f.t.Layer.Info
	f.name = info.ID
	if takenNames.MatchString(f.name) {
		f.name = "layer_" + f.name
	}
	if err := f.exec(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, userVersion) + standardTables + systemRows()); err != nil {
		return err
	}
	kind := ""
	for _, row := range f.t.Rows {
		this := "POINT"
		if g := f.t.Layer.Geometry(row); !isPoint(g) {
			this = shapeType(g)
		}
		if kind != "" && kind != this {
			kind = "GEOMETRY"
			break
		}
		kind = this
	}
	if kind == "" {
		kind = "GEOMETRY"
	}
	inSpace, measures := 0, 0
	if f.t.InSpace() {
		inSpace = 2 // some have heights
	}
	if f.t.Measured() {
		measures = 2
	}
	if err := f.exec(f.createSQL(kind)); err != nil {
		return err
	}
	var box [4]any
	if b := f.t.Bound(); len(f.t.Rows) > 0 {
		box = [4]any{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
	changed := info.UpdatedAt.UTC()
	if changed.IsZero() {
		changed = time.Unix(0, 0).UTC()
	}
	if err := f.execAll(
		stmt(`INSERT INTO gpkg_contents VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?, ?)`, f.name, f.name, strings.TrimSpace(info.Note+" "+info.Mark.Text), changed.Format(timeLayout), box[0], box[1], box[2], box[3], srsID),
		stmt(`INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?, ?, ?, ?)`, f.name, kind, srsID, inSpace, measures),
		stmt(`INSERT INTO gpkg_extensions VALUES (?, 'geom', `+rtreeExtension+`)`, f.name),
	); err != nil {
		return err
	}
	boxes, err := f.rows()
	if err != nil {
		return err
	}
	if err := f.buildIndex(f.name, boxes); err != nil {
		return err
	}
	return f.createTriggers(f.name)
}

func isPoint(g orb.Geometry) bool {
	_, ok := g.(orb.Point)
	return ok
}

// createSQL also names the columns, unlike one another and unlike fid and geom
// in any letter case.
func (f *fileWriter) createSQL(kind string) string {
	taken := map[string]bool{"fid": true, "geom": true, "rowid": true, "oid": true, "_rowid_": true}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom %s", quote(f.name), kind)
	for _, field := range f.t.Fields {
		name := strings.ReplaceAll(field.Name, "\x00", "_")
		for i := 1; taken[strings.ToLower(name)] || name == ""; i++ {
			name = fmt.Sprintf("%s_%d", field.Name, i)
		}
		taken[strings.ToLower(name)] = true
		f.columns = append(f.columns, quote(name))
		fmt.Fprintf(&b, ", %s %s", quote(name), typeOf(field))
	}
	b.WriteByte(')')
	return b.String()
}

func typeOf(f data.ExportField) string {
	switch f.Kind {
	case data.ExportInteger:
		if f.Lo >= math.MinInt32 && f.Hi <= math.MaxInt32 {
			return "MEDIUMINT"
		}
		return typeInteger
	case data.ExportReal:
		return typeDouble
	case data.ExportBoolean:
		return typeBoolean
	case data.ExportDate:
		return "DATE"
	case data.ExportTime:
		return "DATETIME"
	}
	return typeText
}

// rows writes the rows and returns their boxes, in FID order.
func (f *fileWriter) rows() ([]cell, error) {
	w := f.inserter(f.name, append([]string{"fid", "geom"}, f.columns...))
	defer w.close()
	boxes := make([]cell, 0, len(f.t.Rows))
	byFID := f.t.ByFID()
	err := f.raw(func(c driver.Conn) error {
		for i, row := range byFID {
			if i%4096 == 0 && f.ctx.Err() != nil {
				return f.ctx.Err()
			}
			if w.ready() {
				if err := w.flush(c); err != nil {
					return err
				}
			}
			g := f.t.Layer.Geometry(row)
			blob, err := appendInSpace(g, f.t.HeightsOf(row), f.t.MeasuresOf(row))
			if err != nil {
				return err
			}
			fid := f.t.Layer.FID(row)
			w.add(fid)
			w.add(blob)
			for k, v := range f.t.Row(row) {
				value, err := valueOf(f.t.Fields[k].Kind, v)
				if err != nil {
					return err
				}
				w.add(value)
			}
			if !isEmpty(g) {
				boxes = append(boxes, cellOf(fid, g.Bound()))
			}
		}
		return w.flush(c)
	})
	return boxes, err
}

func valueOf(kind data.ExportKind, v data.ExportValue) (driver.Value, error) {
	switch {
	case !v.Set:
		return nil, nil
	case kind == data.ExportInteger:
		return v.Int, nil
	case kind == data.ExportReal:
		return v.Real, nil
	case kind == data.ExportBoolean:
		return v.Int == 1, nil
	case kind == data.ExportTime:
		return formatTime(v.Int)
	}
	return v.Text, nil
}

// appendInSpace is appendGeometry for vertices that may have heights and, of a
// line, measures; both may be nil.
func appendInSpace(g orb.Geometry, z, m []float64) ([]byte, error) {
	if line, ok := g.(orb.LineString); !ok || len(m) != len(line) || len(m) == 0 {
		m = nil
	}
	blob, err := appendGeometry(nil, g)
	if err != nil || z == nil && m == nil {
		return blob, err
	}
	body, err := skipHeader(blob)
	if err != nil {
		return nil, err
	}
	return data.AppendWKB(blob[:len(blob)-len(body)], g, z, m)
}
