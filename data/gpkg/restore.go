package gpkg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Restore puts a copy of the backup in the place of the store at path (or of
// none), after both the backup and the copy have passed Check. It refuses
// while another process has the store open. What was there is kept and named
// by replaced ("" when there was nothing): a crash at any moment leaves the
// old store or the new one at path, whole.
func Restore(ctx context.Context, backup, path string) (replaced string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("restore %s: %w", backup, err)
		}
	}()
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if same, err := isSameFile(backup, path); err != nil || same {
		return "", errors.Join(err, errors.New("name a backup that is there, and is not the store itself"))
	}
	target := &Store{path: path}
	if err := target.takeLock(); err != nil {
		return "", errors.Join(err, target.Close())
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := verify(ctx, backup); err != nil {
		return "", fmt.Errorf("the backup cannot be used: %w", err)
	}
	tmp := path + ".new"
	if err := copyFile(ctx, backup, tmp); err != nil {
		return "", errors.Join(err, removeAll(tmp))
	}
	if err := verify(ctx, tmp); err != nil {
		return "", errors.Join(fmt.Errorf("the copy of the backup: %w", err), removeAll(tmp))
	}
	if replaced, err = setAside(ctx, path); err != nil {
		return "", errors.Join(err, removeAll(tmp))
	}
	if err := os.Rename(tmp, path); err != nil {
		return "", err
	}
	return replaced, errors.Join(removeAll(tmp), syncFile(filepath.Dir(path)))
}

// isSameFile reports whether the two are one file; it errs when a is not there.
func isSameFile(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y), nil
}

// copyFile copies a database that nobody changes, with its log if it has one
// that holds something.
func copyFile(ctx context.Context, from, to string) error {
	if err := removeAll(to); err != nil {
		return err
	}
	if wal, err := os.Stat(from + "-wal"); err == nil && wal.Size() > 0 {
		s, err := Open(ctx, from, Options{ReadOnly: true})
		if err != nil {
			return err
		}
		return errors.Join(s.Backup(ctx, to), s.Close())
	}
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

// setAside keeps the store that is at path under another name, and leaves the
// file itself where it is: the new one takes its place in one step. A log must
// be gone by then, or it would be read into the new file.
func setAside(ctx context.Context, path string) (string, error) {
	for _, name := range []string{path + ".snapshot", markPath(path)} { // they are of what was there
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	exists, err := checkHeader(path)
	if err == nil && !exists {
		return "", nil
	}
	kept := replacedPath(path)
	if err := removeAll(kept); err != nil {
		return "", err
	}
	if err == nil {
		err = settleLog(ctx, path)
	}
	if err != nil { // the store is damaged: it is kept as it is, with its log
		if err := os.Rename(path+"-wal", kept+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.Remove(path + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return kept, os.Link(path, kept)
}

// replacedPath is where Restore keeps what it replaces.
func replacedPath(path string) string { return path + ".replaced" }

// settleLog writes the log back into a store and removes it.
func settleLog(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	var busy, frames, moved int
	err = db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = errors.New("another program is using the store; end it first")
	}
	return errors.Join(err, db.Close())
}

// removeAll removes a database file with what SQLite keeps beside it.
func removeAll(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
