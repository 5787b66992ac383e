package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/sempadan/sempadan/data"
)

// appendCheckpoint adds a line to a sink; it is on disk when it returns. A line
// that a crash cut off is ended first.
func appendCheckpoint(path string, c data.AuditCheckpoint) (err error) {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if n := st.Size(); n > 0 {
		var last [1]byte
		if _, err := f.ReadAt(last[:], n-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.Sync()
}

// ReadSinks reads the checkpoints in files; one that is not there has none.
func ReadSinks(paths []string) (points []data.AuditCheckpoint, unreadable int, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read the checkpoints: %w", err)
		}
		list, bad, err := data.ReadCheckpoints(f)
		_ = f.Close()
		if err != nil {
			return nil, 0, fmt.Errorf("read the checkpoints in %s: %w", path, err)
		}
		points, unreadable = append(points, list...), unreadable+bad
	}
	return points, unreadable, nil
}
