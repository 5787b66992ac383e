package gpkg

import (
	"context"
	"errors"
	"os"
)

// restampSnapshot lets the snapshot name the file as it is, when nothing but
// entries of the audit log were added since it was written, so that they do not
// make the next start slow. It is for the closing, when no call runs.
func (s *Store) restampSnapshot(ctx context.Context) error {
	if s.writer == nil || !s.snapFresh.Load() || !s.snapBehind.Load() {
		return nil
	}
	state, ok, err := s.emptied(ctx)
	if err != nil || !ok {
		return nil // the next start is slower, no more
	}
	f, err := os.OpenFile(s.snapshotPath(), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	index, at, err := findSnapshotIndex(f)
	if err == nil {
		index.Store = state
		err = s.readNow(ctx, func(x *txn) (err error) {
			index.Audit, err = x.auditHead()
			return err
		})
	}
	if err == nil {
		err = f.Truncate(at)
	}
	if err == nil {
		_, err = f.Seek(at, 0)
	}
	if err == nil {
		err = errors.Join(writeSnapshotIndex(f, index), f.Sync())
	}
	return errors.Join(err, f.Close())
}
