package gpkg

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/sempadan/sempadan/data"
)

// Options say how a store is opened. The zero value is the default.
type Options struct {
	// KeepVersions is how many versions of a layer can be listed and rolled
	// back to, the newest included; 0 means DefaultKeepVersions.
	KeepVersions int
	// KeepDays is how many days a version can be gone back to, whatever
	// KeepVersions is, once somebody who signed in has changed or taken out
	// rows of it; 0 means DefaultKeepDays. At most MostKept versions are kept so.
	KeepDays int
	// Readers is the number of connections that read; 0 means DefaultReaders.
	Readers int
	// ReadOnly opens a store that another process may be serving; everything
	// that writes answers data.ErrReadOnly.
	ReadOnly bool
	// Damaged, when not nil, is why the store is damaged although it opens: it
	// is recovered as one that does not.
	Damaged error
	// Notify, when not nil, is told of work at the opening that takes long.
	Notify func(message string)
}

// The defaults of Options.
const (
	DefaultKeepVersions = 20
	DefaultKeepDays     = 30
	MostKept            = 1000
	DefaultReaders      = 4
)

// Store is a data.Store in one GeoPackage file.
type Store struct {
	path   string
	opts   Options
	writer *sql.DB // one connection; nil when read-only
	reader *sql.DB
	lock   *os.File

	snap         *snapshot         // that Open found; nil when there is none
	snapFresh    atomic.Bool       // the snapshot's file is one of the store as it is, its audit log left out
	snapBehind   atomic.Bool       // the snapshot's file names an earlier state of the store's file
	kept         []snapshotSection // of the snapshot's file, known to be of the store; held by changing
	snapshotting sync.Mutex        // held while a snapshot is written
	dataVersion  int64             // of the writer when it was opened
	newWriter    atomic.Bool       // the writer is not the connection it was
	changing     chan struct{}     // holds one thing while a change or snapshot runs

	mark     *mark          // nil when read-only
	commits  atomic.Int64   // since it was opened
	frozen   *frozen        // why it cannot be written; nil when it can; held by running
	recovery *data.Recovery // what Open did about damage; nil when there was none
	audit    auditHead      // of changing
	used     usedKeys

	running sync.RWMutex // held for reading by every call, so that Close can wait
	closed  bool
}

var _ data.Store = (*Store)(nil)

// Open opens the store at path and makes an empty one where there is none, in
// a folder that exists. It refuses a file that is not a store of this program
// or of a newer one, a store that another process has open for writing, and a
// network file system. A store of an older program is copied to PATH.schema-N
// and upgraded. A damaged one is kept aside and made anew from what is whole,
// see Recovery; one that cannot be written now is opened for reading until it
// can, see ReadOnly.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.KeepVersions <= 0 {
		opts.KeepVersions = DefaultKeepVersions
	}
	if opts.KeepDays <= 0 {
		opts.KeepDays = DefaultKeepDays
	}
	if opts.Readers <= 0 {
		opts.Readers = DefaultReaders
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // one file has one lock, however it is named
	}
	s := &Store{path: path, opts: opts, changing: make(chan struct{}, 1)}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), s.Close())
	}
	s.tellRecovery()
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	dir := filepath.Dir(s.path)
	if name := networkFS(dir); name != "" {
		return fmt.Errorf("the folder is on a network file system (%s), where SQLite cannot keep a store safe; use a local disk", name)
	}
	if !s.opts.ReadOnly {
		if err := s.writable(); cannotWrite(err) {
			return s.openFrozen(ctx, err)
		} else if err != nil {
			return err
		}
	}
	if s.opts.ReadOnly {
		return s.openFile(ctx)
	}
	if err := s.openWritable(ctx); err != nil {
		return err
	}
	return s.upgrade(ctx)
}

// openWritable opens a file of which this process has the lock.
func (s *Store) openWritable(ctx context.Context) error {
	err := s.openFile(ctx)
	if s.opts.Damaged != nil && err == nil {
		err = fmt.Errorf("%w: %w", ErrDamaged, s.opts.Damaged)
	}
	if errors.Is(err, ErrDamaged) {
		if err = s.recover(ctx, err); err == nil {
			err = s.openFile(ctx)
		}
	}
	if err != nil {
		return err
	}
	return s.checkMark(ctx)
}

// openFile opens the file and looks at what is in it.
func (s *Store) openFile(ctx context.Context) error {
	exists, err := checkHeader(s.path)
	if (err != nil || !exists) && !s.opts.ReadOnly {
		if lost := s.lostFile(err); lost != nil {
			return lost
		}
	}
	switch {
	case err != nil:
		return err
	case !exists && s.opts.ReadOnly:
		return fs.ErrNotExist
	case !exists:
		if err := create(ctx, s.path); err != nil {
			return err
		}
	}
	if !s.opts.ReadOnly {
		s.openSnapshot()
	}
	if err := s.openReader(dsn(s.path, "_defensive=1", "_pragma=query_only(1)")); err != nil {
		return err
	}
	if err := s.checkContent(ctx); err != nil {
		return err
	}
	if s.opts.ReadOnly {
		return nil
	}
	return s.openWriter(ctx)
}

func (s *Store) openReader(dsn string) (err error) {
	if s.reader, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(s.opts.Readers)
	s.reader.SetMaxIdleConns(s.opts.Readers)
	return nil
}

func (s *Store) openWriter(ctx context.Context) (err error) {
	// legacy_alter_table: a rename must not look into the triggers, which use
	// functions that only programs with ST_ functions have.
	s.writer, err = sql.Open("sqlite", dsn(s.path, "_txlock=immediate", "_pragma=legacy_alter_table(1)", "_pragma=cache_size(-32768)"))
	if err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	return s.writer.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&s.dataVersion)
}

// lostFile returns ErrDamaged when what is at the path is no store, but what
// is beside it shows that there was one.
func (s *Store) lostFile(found error) error {
	said, marked := readMark(s.path)
	f, err := os.Open(s.snapshotPath())
	if err == nil {
		_, err = readSnapshotIndex(f)
		_ = f.Close()
	}
	switch {
	case err != nil && (!marked || said.commits == 0):
		return nil
	case found != nil:
		if st, err := os.Stat(s.path); err == nil && !st.Mode().IsRegular() {
			return nil
		}
		return fmt.Errorf("%w: %w", ErrDamaged, found)
	}
	return fmt.Errorf("%w: its file is gone or empty, but what lies beside it (%s, %s) is of a store; put the file back, or move these away to start anew", ErrDamaged, filepath.Base(s.snapshotPath()), filepath.Base(markPath(s.path)))
}

// takeLock makes this process the only one that serves the store.
func (s *Store) takeLock() error {
	name := s.path + ".lock"
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	free, err := lockFile(f)
	if err != nil || !free {
		defer f.Close()
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", name, err)
	}
	if !free {
		pid, _ := io.ReadAll(io.LimitReader(f, 32))
		return fmt.Errorf("process %s has the store open; stop it, or use another store", strings.TrimSpace(string(pid)))
	}
	s.lock = f
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Offsets in the 100-byte header of a SQLite file (sqlite.org/fileformat2).
const (
	headerBytes       = 100
	userVersionOffset = 60
	appIDOffset       = 68
)

// checkHeader reports whether there is a file with content at path, and errs
// on one that is no GeoPackage. It must run before SQLite has the file open:
// closing any descriptor of a file drops the process's locks on it.
func checkHeader(path string) (exists bool, err error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && st.Mode().IsRegular() && st.Size() == 0:
		if wal, err := os.Stat(path + "-wal"); err == nil && wal.Size() > 0 {
			return false, errors.New("the file is gone but its log (-wal) is there; put the file back, or move the log away to start anew")
		}
		return false, nil
	case err != nil:
		return false, err
	case st.IsDir():
		return false, errors.New("this is a folder; name a file in it")
	case !st.Mode().IsRegular():
		return false, errors.New("this is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [headerBytes]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return false, errors.New("this is not a GeoPackage; name another file, or import this one into a layer")
	}
	if id := binary.BigEndian.Uint32(head[appIDOffset:]); id != applicationID {
		return false, errors.New("this is a SQLite file but not a GeoPackage; name another file")
	}
	return true, nil
}

// checkContent refuses files of other programs, of newer versions of this one,
// and damaged files.
func (s *Store) checkContent(ctx context.Context) error {
	return s.readNow(ctx, func(x *txn) error {
		var n int
		if err := x.get([]any{&n}, `SELECT count(*) FROM sqlite_schema WHERE name = 'sempadan_store'`); err != nil {
			return err
		}
		if n == 0 {
			return errors.New("this GeoPackage is not a store of this program; name another file, or import its layers")
		}
		var version int
		var program string
		if err := x.get([]any{&version, &program}, `SELECT schema_version, program FROM sempadan_store`); err != nil {
			return err
		}
		if version > schemaVersion {
			return fmt.Errorf("the store has schema version %d, written by %s; this program knows up to %d: use the newer program", version, program, schemaVersion)
		}
		if s.snap != nil {
			return nil // the file is as it was when it was last whole
		}
		return x.quickCheck()
	})
}

// quickCheck looks for damage in the tables that Load reads. That costs a
// tenth of loading them. Check does the rest: history, which only Rollback
// reads, and the indexes, which are for other programs.
func (x *txn) quickCheck() error {
	names, err := x.strings(`SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0
		AND name NOT LIKE 'rtree\_%' ESCAPE '\' AND name NOT LIKE 'sempadan\_history\__%' ESCAPE '\'`)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := x.check(`PRAGMA quick_check(` + literal(name) + `)`); err != nil {
			return err
		}
	}
	return nil
}

func (x *txn) check(pragma string) error {
	faults, err := x.strings(pragma)
	if err != nil {
		return err
	}
	if len(faults) != 1 || faults[0] != "ok" {
		return fmt.Errorf("%w (%s)", ErrDamaged, firstLines(faults))
	}
	return nil
}

// firstLines tells the first of what SQLite found, which may be a line a cell.
func firstLines(faults []string) string {
	lines := strings.Split(strings.Join(faults, "\n"), "\n")
	text := strings.Join(lines[:min(3, len(lines))], "; ")
	if len(lines) > 3 {
		text += fmt.Sprintf("; and %d more", len(lines)-3)
	}
	return text
}

// dsn names the file with the settings that every connection must have.
func dsn(path string, more ...string) string {
	settings := append([]string{
		"mode=rw",
		"_pragma=busy_timeout(5000)",
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)",
		"_pragma=foreign_keys(1)",
		"_pragma=trusted_schema(0)",
		"_pragma=cell_size_check(1)",
		"_pragma=secure_delete(1)",
		"_pragma=temp_store(MEMORY)",
		"_pragma=mmap_size(0)",
		"_pragma=wal_autocheckpoint(1000)",
		"_pragma=journal_size_limit(67108864)",
		"_error_rc=1",
	}, more...)
	return fileURL(path, settings...)
}

func fileURL(path string, settings ...string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: strings.Join(settings, "&")}
	return u.String()
}

// Kind returns "gpkg".
func (s *Store) Kind() string { return "gpkg" }

// Path returns the absolute path of the file.
func (s *Store) Path() string { return s.path }

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(x *txn) error {
		var version int
		return x.get([]any{&version}, `SELECT schema_version FROM sempadan_store`)
	})
}

// enter lets a call begin, unless the store is closed; leave ends it.
func (s *Store) enter() (leave func(), err error) {
	s.running.RLock()
	if s.closed {
		s.running.RUnlock()
		return nil, errors.New("the store is closed")
	}
	return s.running.RUnlock, nil
}

// Close waits for running calls, writes the log back into the file and
// releases the store.
func (s *Store) Close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.restampSnapshot(context.Background())
	err = errors.Join(err, s.closeFiles())
	if s.mark != nil {
		err = errors.Join(err, s.mark.close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// closeFiles closes the database and the snapshot.
func (s *Store) closeFiles() error {
	var errs []error
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.snap != nil {
		errs = append(errs, s.snap.file.Close())
	}
	s.reader, s.writer, s.snap, s.kept = nil, nil, nil, nil
	s.snapFresh.Store(false)
	return errors.Join(errs...)
}
