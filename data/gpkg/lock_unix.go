//go:build unix

package gpkg

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes an exclusive lock that the system drops when the process
// ends, however it ends. It is advisory and on a file of its own: SQLite's
// locks, and so the readers of other programs, know nothing of it.
func lockFile(f *os.File) (free bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
