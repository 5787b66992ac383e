package gpkg

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// Recovery. A store whose file is damaged is made anew from what is provably
// whole: of each layer the rows of the last snapshot, which has checksums, when
// that is of the layer's last version, else the rows of the damaged file and its
// log, where SQLite finds no fault with them and every row can be read, else the
// layer as the snapshot has it; of receipts, settings and erasures the rows of the
// file, else of the snapshot; of the audit log all entries that can be read, a
// gap between them being told as one (see copyAudit). Earlier versions
// of layers are not brought back. The damaged file is kept under another name
// with its log, so that nothing is lost that a person could still find in it.
//
// SQLite has no checksums of pages: a wrong byte within a value that is still a
// value is not noticed, which is why rows of the file are called unverified.

// ErrDamaged is the error of a store that is not as it was written.
var ErrDamaged = errors.New("the store is damaged")

// Recovery tells what Open did about damage; nil when it found none.
func (s *Store) Recovery() *data.Recovery { return s.recovery }

// keptName is where a damaged store is kept.
func keptName(path string, at time.Time) string {
	return path + ".damaged-" + at.UTC().Format("20060102T150405.000Z")
}

// keptSince is when the file of a name was kept.
func keptSince(path, name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, path+".damaged-")
	if stamp, _, cut := strings.Cut(text, "Z"); cut && ok {
		at, err := time.Parse("20060102T150405.000", stamp)
		return at, err == nil
	}
	return time.Time{}, false
}

// recover puts what can be had in the place of a damaged store, or leaves all
// as it is and errs.
func (s *Store) recover(ctx context.Context, cause error) error {
	said, marked := readMark(s.path)
	d := &salvage{path: s.path, said: said, report: data.Recovery{At: time.Now().UTC(), Reason: cause.Error(), LostCommits: -1}}
	defer d.close()
	d.open(ctx) // before the others close: the last to close would empty the log
	_ = s.closeFiles()
	if s.opts.Notify != nil {
		s.opts.Notify(fmt.Sprintf("%v; making the store anew from what is whole", cause))
	}
	tmp := s.path + ".new"
	err := d.rebuild(ctx, tmp)
	d.close()
	if err == nil && len(d.report.Lost) > 0 && len(d.report.Older)+len(d.report.Whole)+len(d.report.Unverified) == 0 {
		err = errors.New("nothing in it is whole and there is no snapshot that is; put a backup in its place with sempadan restore")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w; it is left as it is: %w", cause, err), removeAll(tmp))
	}
	if marked && d.counted.store == said.store {
		d.report.LostCommits = max(0, said.commits-d.counted.commits)
		d.report.LastCommit = said.at
	}
	aside := keptName(s.path, d.report.At)
	if err := d.setAside(aside, tmp); err != nil {
		return errors.Join(cause, err)
	}
	s.recovery = &d.report
	return syncFile(filepath.Dir(s.path))
}

// salvage is a damaged store and the snapshot beside it.
type salvage struct {
	path    string
	said    markRecord
	db      *sql.DB
	snap    *os.File
	index   snapshotIndex
	counted markRecord // of what was read
	report  data.Recovery
}

// open opens the file, which it cannot change, with its log, and the snapshot.
func (d *salvage) open(ctx context.Context) {
	if st, err := os.Stat(d.path); err == nil && st.Size() > 0 {
		d.db, err = sql.Open("sqlite", fileURL(d.path, "mode=ro", "_defensive=1", "_pragma=query_only(1)", "_pragma=trusted_schema(0)", "_pragma=cell_size_check(1)"))
		if err == nil {
			d.db.SetMaxOpenConns(1)
			_, err = d.db.ExecContext(ctx, `SELECT count(*) FROM sqlite_schema`)
		}
		if err != nil && d.db != nil {
			_ = d.db.Close()
			d.db = nil
		}
	}
	f, err := os.Open(d.path + ".snapshot")
	if err != nil {
		return
	}
	if d.index, err = readSnapshotIndex(f); err != nil {
		_ = f.Close()
		return
	}
	d.snap = f
}

func (d *salvage) close() {
	if d.db != nil {
		_ = d.db.Close()
	}
	_ = d.snap.Close()
	d.db, d.snap = nil, nil
}

// rebuild writes a store of what is whole to tmp.
func (d *salvage) rebuild(ctx context.Context, tmp string) error {
	if err := errors.Join(removeAll(tmp), create(ctx, tmp)); err != nil {
		return err
	}
	to, err := sql.Open("sqlite", dsn(tmp, "_txlock=immediate", "_pragma=legacy_alter_table(1)"))
	if err != nil {
		return err
	}
	to.SetMaxOpenConns(1)
	err = run(ctx, to, "BEGIN IMMEDIATE", func(x *txn) error { return d.fill(ctx, x) })
	if err == nil {
		_, err = to.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	}
	return errors.Join(err, to.Close())
}

func (d *salvage) fill(ctx context.Context, to *txn) error {
	var list []stored
	known := false
	if d.db != nil {
		_ = run(ctx, d.db, "BEGIN", func(x *txn) (err error) {
			if err = x.check(`PRAGMA quick_check('sempadan_layers')`); err == nil {
				list, err = x.layers()
			}
			if err == nil {
				d.counted, _, _ = x.counted()
			}
			known = err == nil
			return err
		})
	}
	if !known {
		if d.snap == nil {
			return errors.New("its list of layers cannot be read and there is no snapshot that is whole; put a backup in its place with sempadan restore")
		}
		list = nil
		for _, part := range d.index.Layers {
			list = append(list, stored{info: geo.LayerInfo{ID: part.ID}})
		}
	}
	if d.counted == (markRecord{}) {
		d.counted = markRecord{store: d.index.ID, commits: d.index.Commits, at: d.index.At}
	}
	for _, st := range list {
		l, p := d.layer(ctx, st)
		if err := ctx.Err(); err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if err := to.restoreLayer(l, p); err != nil {
			return err
		}
	}
	for _, t := range savedTables[1:] {
		if saved, ok := d.table(ctx, t.name, t.columns, t.where); ok {
			if err := to.restoreTable(saved); err != nil {
				return err
			}
		}
	}
	if d.counted.store == ([markIDBytes]byte{}) {
		d.counted.store = d.said.store
	}
	next := markRecord{store: d.counted.store, commits: max(d.counted.commits, d.said.commits) + 1}
	if next.store == ([markIDBytes]byte{}) {
		if err := newStoreID(next.store[:]); err != nil {
			return err
		}
	}
	if err := to.setCounted(next); err != nil {
		return err
	}
	log, err := d.copyAudit(ctx, to)
	if err != nil {
		return err
	}
	if err := to.tellRecovered(log, d.report.At, fmt.Sprintf("whole=%t", log.whole)); err != nil {
		return err
	}
	return to.skipVersions(next.commits-d.counted.commits, d.provenance())
}

func (d *salvage) provenance() data.Provenance {
	return data.Provenance{At: d.report.At, Action: "recover", Reason: "the store's file was damaged"}
}

// layer returns a layer as it was last, with the provenance of that version,
// or as the snapshot has it, or nil. The snapshot has checksums: of the same
// version its rows are the surer ones.
func (d *salvage) layer(ctx context.Context, st stored) (l *geo.Layer, p string) {
	saved, part := d.savedLayer(st)
	same := saved != nil && part.is(st.info)
	if st.table != "" && d.db != nil {
		err := run(ctx, d.db, "BEGIN", func(x *txn) (err error) {
			_ = x.get([]any{&p}, `SELECT provenance FROM sempadan_versions WHERE layer_id = ? AND version = ?`, st.info.ID, st.info.Version)
			if same {
				return nil
			}
			if err = x.check(`PRAGMA quick_check(` + literal(st.table) + `)`); err == nil {
				l, err = x.readTable(st.table, st.info, nil)
			}
			return err
		})
		if err == nil && !same {
			d.report.Unverified = append(d.report.Unverified, st.info.ID)
			return l, p
		}
	}
	switch {
	case same:
		d.report.Whole = append(d.report.Whole, st.info.ID)
	case saved != nil:
		d.report.Older = append(d.report.Older, st.info.ID)
	default:
		d.report.Lost = append(d.report.Lost, st.info.ID)
		return nil, ""
	}
	info := saved.Info
	info.Version = part.Version
	return saved.WithInfo(info), p
}

// savedLayer returns a layer as the snapshot has it, nil when it has not.
func (d *salvage) savedLayer(st stored) (*geo.Layer, snapshotSection) {
	for _, part := range d.index.Layers {
		if part.ID == st.info.ID && d.snap != nil {
			if l, err := part.layer(d.snap); err == nil {
				return l, part
			}
			break
		}
	}
	return nil, snapshotSection{}
}

// table returns a small table of the damaged file, or else of the snapshot.
func (d *salvage) table(ctx context.Context, name, columns, where string) (t savedTable, ok bool) {
	if d.db != nil {
		err := run(ctx, d.db, "BEGIN", func(x *txn) (err error) {
			if err = x.check(`PRAGMA quick_check(` + literal(name) + `)`); err == nil {
				t, err = x.saveTable(name, columns, where)
			}
			return err
		})
		if err == nil {
			return t, true
		}
	}
	if d.snap != nil {
		list, _ := d.index.Tables.tables(d.snap)
		for _, t := range list {
			if t.Name == name {
				return t, true
			}
		}
	}
	return t, false
}

// setAside keeps the damaged store and puts the new one in its place. The log
// goes first, or it would be read into the new file.
func (d *salvage) setAside(aside, tmp string) error {
	move := func(from, to string) error {
		if st, err := os.Stat(from); err == nil && st.Size() == 0 {
			return os.Remove(from)
		}
		err := os.Rename(from, to)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			d.report.Kept = append(d.report.Kept, to)
			err = os.Chmod(to, 0o600)
		}
		return err
	}
	if err := move(d.path+"-wal", aside+"-wal"); err != nil {
		return err
	}
	if err := os.Remove(d.path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(d.report.Lost) > 0 {
		if err := os.Link(d.path+".snapshot", aside+".snapshot"); err == nil {
			d.report.Kept = append(d.report.Kept, aside+".snapshot")
		}
	}
	if err := move(d.path, aside); err != nil {
		return err
	}
	return os.Rename(tmp, d.path)
}

// restoreLayer writes a layer with the version and the FIDs that it has.
func (x *txn) restoreLayer(l *geo.Layer, provenance string) error {
	v := data.Version{Version: l.Info.Version}
	ch := change{txn: x, rows: l, version: &v}
	if err := ch.create(l.Info); err != nil {
		return err
	}
	ch.stored.info.NextFID = max(1, l.Info.NextFID)
	if err := ch.replace(); err != nil {
		return err
	}
	if _, err := ch.finish(l.Info, keeping{DefaultKeepVersions, DefaultKeepDays}); err != nil || provenance == "" {
		return err
	}
	return x.exec(`UPDATE sempadan_versions SET provenance = ? WHERE layer_id = ?`, provenance, l.Info.ID)
}

// skipVersions gives every layer a version that was never given, so that what
// others hold of a lost one is not taken for it. Each lost change can have made
// one version.
func (x *txn) skipVersions(by int64, p data.Provenance) error {
	list, err := x.layers()
	if err != nil {
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	for _, st := range list {
		v := st.info.Version + by
		if err := x.execAll(
			stmt(`UPDATE sempadan_layers SET version = ? WHERE id = ?`, v, st.info.ID),
			stmt(`INSERT INTO sempadan_versions SELECT id, version, features, 0, 0, info, ? FROM sempadan_layers WHERE id = ?`, string(text), st.info.ID),
		); err != nil {
			return err
		}
	}
	return nil
}

// fellBehind tells that changes are missing which had been acknowledged, while
// the store is whole as of before them: its log was damaged or lost, or an
// older copy was put in its place.
func (s *Store) fellBehind(ctx context.Context, said markRecord, lost int64) error {
	r := data.Recovery{At: time.Now().UTC(), LostCommits: lost, LastCommit: said.at,
		Reason: "the store is as it was before its last changes: its log (-wal) was damaged or lost, or an older copy was put in its place"}
	aside := keptName(s.path, r.At)
	if st, err := os.Stat(s.path + "-wal"); err == nil && st.Size() > 0 {
		if err := copyBytes(s.path+"-wal", aside+"-wal"); err != nil {
			return fmt.Errorf("keep the damaged log: %w", err)
		}
		r.Kept = append(r.Kept, aside+"-wal")
	}
	if f, err := os.Open(s.snapshotPath()); err == nil {
		index, err := readSnapshotIndex(f)
		_ = f.Close()
		if err == nil && index.ID == said.store && index.Commits > said.commits-lost && os.Link(s.snapshotPath(), aside+".snapshot") == nil {
			r.Kept = append(r.Kept, aside+".snapshot")
		}
	}
	err := s.inTransaction(ctx, func(x *txn) error {
		if err := x.setCounted(markRecord{store: said.store, commits: said.commits + 1}); err != nil {
			return err
		}
		if head, err := x.auditHead(); err != nil {
			return err
		} else if head.N > 0 {
			if err := x.tellRecovered(auditSalvage{head: head}, r.At, fmt.Sprintf("lost_changes=%d", lost)); err != nil {
				return err
			}
		}
		return x.skipVersions(lost+1, data.Provenance{At: r.At, Action: "recover", Reason: r.Reason})
	})
	if err == nil {
		s.recovery = &r
	}
	return err
}

// inTransaction is write without what goes with a change.
func (s *Store) inTransaction(ctx context.Context, do func(*txn) error) error {
	s.snapFresh.Store(false)
	return writeError(ctx, run(ctx, s.writer, "BEGIN IMMEDIATE", do))
}

func newStoreID(id []byte) error {
	_, err := rand.Read(id)
	return err
}

// copyBytes copies a file that is not a database that this process has open.
func copyBytes(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// tellRecovery says loudly what was done, and reminds of what lies there.
func (s *Store) tellRecovery() {
	if s.opts.Notify == nil || s.opts.ReadOnly {
		return
	}
	if r := s.recovery; r != nil {
		text := "RECOVERED: " + r.Reason
		switch {
		case r.LostCommits > 0:
			text += fmt.Sprintf("; %d acknowledged changes are missing, the last of %s", r.LostCommits, r.LastCommit.Format(time.RFC3339))
		case r.LostCommits < 0:
			text += "; whether changes are missing cannot be known"
		}
		for _, part := range []struct {
			what string
			ids  []string
		}{{"whole by the checksums of the snapshot", r.Whole}, {"read from the damaged file, unverified", r.Unverified}, {"as in the last snapshot, without earlier versions", r.Older}, {"lost", r.Lost}, {"kept for you to look at", r.Kept}} {
			if len(part.ids) > 0 {
				text += "; " + part.what + ": " + strings.Join(part.ids, ", ")
			}
		}
		s.opts.Notify(text)
	} else if kept, err := filepath.Glob(globEscape(s.path) + ".damaged-*"); err == nil && len(kept) > 0 {
		s.opts.Notify("left from a recovery, delete when it is of no use: " + strings.Join(kept, ", "))
	}
}

func globEscape(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
