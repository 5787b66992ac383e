package gpkg

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// txn is a transaction on one connection. database/sql's own Tx would roll
// back from another goroutine when ctx ends, in the middle of the raw calls
// that move rows.
type txn struct {
	ctx  context.Context
	conn *sql.Conn

	note     *data.AuditEntry // what the audit log is to say of it
	sealed   sealedAudit      // what it has added to the log
	onlyLogs bool             // it adds to the log and changes nothing else
}

// write runs do in a transaction that is on disk when write returns nil.
func (s *Store) write(ctx context.Context, do func(*txn) error) error {
	done, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	return s.change(ctx, do)
}

// writeGone is write for a change after which something must be gone, from the
// snapshot too.
func (s *Store) writeGone(ctx context.Context, do func(*txn) error) error {
	done, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := s.dropSnapshot(); err != nil {
		return writeError(ctx, fmt.Errorf("%w: remove the snapshot: %w", data.ErrReadOnly, err))
	}
	return s.change(ctx, do)
}

// turn waits until the store can be changed and no other change runs.
func (s *Store) turn(ctx context.Context) (done func(), err error) {
	if err := s.thaw(ctx); err != nil {
		return nil, err
	}
	leave, err := s.enter()
	if err != nil {
		return nil, err
	}
	next, err := s.alone(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	return func() { next(); leave() }, nil
}

// change is write for whoever has the turn. The change is counted, see mark.
func (s *Store) change(ctx context.Context, do func(*txn) error) error {
	var n int64
	var sealed sealedAudit
	onlyLogs := false
	err := run(ctx, s.writer, "BEGIN IMMEDIATE", func(x *txn) (err error) {
		if err = do(x); err == nil {
			n, err = x.countChange()
		}
		if err == nil {
			sealed, err = s.seal(x)
		}
		onlyLogs = x.onlyLogs
		return err
	})
	if err == nil || errors.Is(err, errLostConn) {
		s.snapBehind.Store(true)
		if !onlyLogs {
			s.snapFresh.Store(false)
			s.commits.Add(1)
		}
	}
	if errors.Is(err, errLostConn) {
		s.newWriter.Store(true)
	}
	if err == nil && s.mark != nil {
		s.mark.set(n, time.Now().UTC())
	}
	if err != nil {
		s.emptyRolledBack(ctx)
	}
	s.audit.settle(sealed, err)
	return writeError(ctx, err)
}

// emptyRolledBack takes out of the log what a change has left there that did
// not come to its end: what does not fit in memory goes to the log at once. The
// caller has the turn.
func (s *Store) emptyRolledBack(ctx context.Context) {
	if st, err := os.Stat(s.path + "-wal"); err == nil && st.Size() > 0 {
		_, _ = s.writer.ExecContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
}

// Commits is how many changes the store has had since it was opened, entries of
// the audit log alone left out.
func (s *Store) Commits() int64 { return s.commits.Load() }

// alone waits until no other change runs.
func (s *Store) alone(ctx context.Context) (done func(), err error) {
	select {
	case s.changing <- struct{}{}:
		return func() { <-s.changing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// errLostConn says that a connection was given up.
var errLostConn = errors.New("the connection was given up")

// read runs do on one snapshot of the store.
func (s *Store) read(ctx context.Context, do func(*txn) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	return s.readNow(ctx, do)
}

// readNow is read for the opening, while nobody else has the store.
func (s *Store) readNow(ctx context.Context, do func(*txn) error) error {
	if s.reader == nil {
		return errors.New("the store could not be opened again")
	}
	return readError(ctx, run(ctx, s.reader, "BEGIN", do))
}

func run(ctx context.Context, db *sql.DB, begin string, do func(*txn) error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Once begun, the transaction must end, whatever becomes of ctx.
	end := func(sql string) error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), sql)
		return err
	}
	if _, err = conn.ExecContext(ctx, begin); err == nil {
		err = do(&txn{ctx: ctx, conn: conn})
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = end("COMMIT")
	}
	if err != nil && end("ROLLBACK") != nil {
		// SQLite may have rolled back by itself; the connection is not worth
		// finding out.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		err = fmt.Errorf("%w: %w", errLostConn, err)
	}
	return err
}

func (x *txn) exec(query string, args ...any) error {
	_, err := x.conn.ExecContext(x.ctx, query, args...)
	return err
}

// statement is an SQL statement with its arguments.
type statement struct {
	sql  string
	args []any
}

func stmt(sql string, args ...any) statement { return statement{sql, args} }

// execAll runs statements up to the first that fails.
func (x *txn) execAll(list ...statement) error {
	for _, s := range list {
		if err := x.exec(s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// get reads one row, or gives data.ErrNotFound.
func (x *txn) get(dest []any, query string, args ...any) error {
	err := x.conn.QueryRowContext(x.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return data.ErrNotFound
	}
	return err
}

// strings reads a column of text.
func (x *txn) strings(query string, args ...any) ([]string, error) {
	rows, err := x.conn.QueryContext(x.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// stored is a row of sempadan_layers; the zero value is a layer that is not
// there.
type stored struct {
	info     geo.LayerInfo
	table    string
	features int
}

const layerColumns = `info, version, next_fid, table_name, features`

func scanLayer(scan func(...any) error) (stored, error) {
	var st stored
	var info string
	var version, nextFID int64
	if err := scan(&info, &version, &nextFID, &st.table, &st.features); err != nil {
		return stored{}, err
	}
	if err := json.Unmarshal([]byte(info), &st.info); err != nil {
		return stored{}, fmt.Errorf("description of the layer: %w", err)
	}
	st.info.Version, st.info.NextFID = version, nextFID
	return st, nil
}

// layer reads what is stored of a layer, or gives data.ErrNotFound.
func (x *txn) layer(id string) (stored, error) {
	row := x.conn.QueryRowContext(x.ctx, `SELECT `+layerColumns+` FROM sempadan_layers WHERE id = ?`, id)
	st, err := scanLayer(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return stored{}, fmt.Errorf("layer %q: %w", id, data.ErrNotFound)
	}
	if err != nil {
		return stored{}, err
	}
	return st, x.raiseNextFID(&st)
}

// raiseNextFID takes account of rows that other programs have added.
func (x *txn) raiseNextFID(st *stored) error {
	var top int64
	err := x.get([]any{&top}, `SELECT coalesce(max(fid), 0) FROM `+quote(st.table))
	st.info.NextFID = max(st.info.NextFID, top+1)
	return err
}

// raw runs do with the driver's connection: rows go in and out without
// database/sql's conversions, which would cost more than SQLite itself.
func (x *txn) raw(do func(driver.Conn) error) error {
	return x.conn.Raw(func(c any) error { return do(c.(driver.Conn)) })
}

// inserter writes rows with many rows a statement.
type inserter struct {
	x       *txn
	table   string
	columns []string
	args    []driver.NamedValue
	batch   int // values of a full statement
	full    driver.Stmt
}

const (
	rowsPerInsert = 100
	maxVariables  = 32766 // SQLITE_MAX_VARIABLE_NUMBER
)

func (x *txn) inserter(table string, columns []string) *inserter {
	rows := max(1, min(rowsPerInsert, maxVariables/len(columns)))
	n := rows * len(columns)
	return &inserter{x: x, table: table, columns: columns, batch: n, args: make([]driver.NamedValue, 0, n)}
}

// add appends one value of the current row; values of the driver's types only.
func (w *inserter) add(v driver.Value) {
	w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
}

// ready reports whether the next row would start a new statement.
func (w *inserter) ready() bool { return len(w.args) == w.batch }

// flush writes what was added.
func (w *inserter) flush(c driver.Conn) error {
	if len(w.args) == 0 {
		return nil
	}
	stmt := w.full
	if stmt == nil || !w.ready() {
		var err error
		stmt, err = c.(driver.ConnPrepareContext).PrepareContext(w.x.ctx, insertSQL(w.table, w.columns, len(w.args)/len(w.columns)))
		if err != nil {
			return err
		}
		if w.ready() {
			w.full = stmt
		} else {
			defer stmt.Close()
		}
	}
	_, err := stmt.(driver.StmtExecContext).ExecContext(w.x.ctx, w.args)
	w.args = w.args[:0]
	return err
}

// close releases the statement.
func (w *inserter) close() {
	if w.full != nil {
		_ = w.full.Close()
	}
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// formatTime returns unix milliseconds as GeoPackage's DATETIME.
func formatTime(ms int64) (string, error) {
	t := time.UnixMilli(ms).UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return "", fmt.Errorf("time of year %d cannot be stored; give a year from 0 to 9999", y)
	}
	return t.Format(timeLayout), nil
}
