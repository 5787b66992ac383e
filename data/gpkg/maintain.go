package gpkg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Check looks for damage in the whole file, history and indexes included. It
// takes about ten times as long as loading all layers; readers and writers go
// on.
func (s *Store) Check(ctx context.Context) error {
	err := s.read(ctx, func(x *txn) error { return x.check(`PRAGMA integrity_check(3)`) })
	if err != nil {
		return fmt.Errorf("check store %s: %w", s.path, err)
	}
	return nil
}

// Backup writes a copy of the store, as it is at one instant, to path, which
// must not exist. The copy is there only when it is whole, on disk, and has
// passed Check.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("back up to %s: %w", path, err)
		}
	}()
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return os.ErrExist
	}
	tmp := path + ".new"
	// SQLite fills a file that is empty, and keeps its mode.
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.vacuumInto(ctx, tmp); err != nil {
		return readError(ctx, err)
	}
	if err := verify(ctx, tmp); err != nil {
		return err
	}
	if err := syncFile(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// vacuumInto takes a connection of its own: those that read may write nothing,
// a copy included, and the one that writes may be busy.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(s.path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `VACUUM INTO `+literal(path))
	return errors.Join(err, db.Close())
}

func verify(ctx context.Context, path string) error {
	s, err := Open(ctx, path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return errors.Join(s.Check(ctx), s.Close())
}

// syncFile puts a file, or the entries of a folder, on disk.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
