package gpkg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/sempadan/sempadan/data"
)

// frozen is why a store that is to be written could only be opened for
// reading, and the state of its file then.
type frozen struct {
	why   error
	state fileState
	log   fileState
}

// cannotWrite reports whether an error is of a disk or a file that may only be
// read.
func cannotWrite(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// writable takes the lock and errs when the file, if there is one, may not be
// written. It must run before SQLite has the file open.
func (s *Store) writable() error {
	if err := s.takeLock(); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if cannotWrite(err) {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
		return err
	}
	if err == nil {
		_ = f.Close()
	}
	return nil // what else is wrong, the next look tells
}

// openFrozen opens the store for reading, until it can be written.
func (s *Store) openFrozen(ctx context.Context, why error) error {
	exists, err := checkHeader(s.path)
	if err == nil && !exists {
		err = fs.ErrNotExist
	}
	if err != nil {
		return errors.Join(why, err)
	}
	state, log := stateOf(s.path), stateOf(s.path+"-wal")
	settings := []string{"mode=ro", "_defensive=1", "_pragma=query_only(1)", "_pragma=busy_timeout(5000)", "_pragma=trusted_schema(0)", "_pragma=cell_size_check(1)", "_pragma=temp_store(MEMORY)"}
	if log.Size == 0 {
		// Without a log SQLite wants to make one; that nobody writes the file
		// is what a file that cannot be written says.
		settings = append(settings, "immutable=1")
	}
	s.openSnapshot()
	if err := s.openReader(fileURL(s.path, settings...)); err != nil {
		return err
	}
	if err := s.checkContent(ctx); err != nil {
		return fmt.Errorf("%w; it can only be read now (%w)", err, why)
	}
	if s.opts.Notify != nil && s.frozen == nil {
		s.opts.Notify(fmt.Sprintf("the store cannot be written (%v): it is open for reading, changes are refused until it can", why))
	}
	s.frozen = &frozen{why: why, state: state, log: log}
	return nil
}

func stateOf(path string) fileState {
	st, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{st.Size(), st.ModTime().UnixNano()}
}

// ReadOnly reports whether the store can only be read: it was opened so, or it
// could not be written when it was opened nor at the last change since.
func (s *Store) ReadOnly() bool {
	s.running.RLock()
	defer s.running.RUnlock()
	return s.writer == nil
}

// thaw opens a store for writing that could only be read when it was opened.
func (s *Store) thaw(ctx context.Context) error {
	if s.opts.ReadOnly {
		return fmt.Errorf("%w: it was opened for reading", data.ErrReadOnly)
	}
	if !s.ReadOnly() {
		return nil
	}
	if thawed, err := s.tryThaw(ctx); err != nil || !thawed {
		return err
	}
	if s.opts.Notify != nil {
		s.opts.Notify("the store can be written again")
	}
	return s.upgrade(ctx)
}

func (s *Store) tryThaw(ctx context.Context) (thawed bool, err error) {
	s.running.Lock() // waits for those who read
	defer s.running.Unlock()
	if s.closed || s.frozen == nil {
		return false, nil
	}
	was := s.frozen
	if state, log := stateOf(s.path), stateOf(s.path+"-wal"); state != was.state || log != was.log {
		return false, fmt.Errorf("%w: another program has changed the file meanwhile; start the service again", data.ErrReadOnly)
	}
	if err := s.closeFiles(); err != nil { // before the file is opened to see whether it can be written
		return false, err
	}
	if err = s.writable(); err == nil {
		if err = s.openWritable(ctx); err == nil {
			s.frozen = nil
			return true, nil
		}
		err = errors.Join(err, s.closeFiles(), s.lock.Close())
		s.lock = nil
	}
	if again := s.openFrozen(context.WithoutCancel(ctx), was.why); again != nil {
		err = errors.Join(err, again)
	}
	s.frozen = was
	return false, fmt.Errorf("%w; check the disk and its permissions: %w", data.ErrReadOnly, err)
}
