package gpkg

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// A snapshot is a file beside the store with its layers as they lie in memory,
// which load ten times as fast as tables do. It is made when the log is empty,
// names the size and the time of change of the store's file, and counts only
// while these are the same and the log is still empty: any change, by whatever
// program, makes it void. The first change by this one removes it, so that it
// keeps nothing that is gone from the store.
type snapshot struct {
	file  *os.File
	index snapshotIndex
}

type snapshotIndex struct {
	Store  fileState         `json:"store"`
	Layers []snapshotSection `json:"layers"`
}

type snapshotSection struct {
	ID        string    `json:"id"`
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
	Offset    int64     `json:"offset"`
	Length    int64     `json:"length"`
	CRC       uint32    `json:"crc32c"`
}

// fileState tells contents of the store's file apart.
type fileState struct {
	Size    int64 `json:"size"`
	MtimeNS int64 `json:"mtime_ns"`
}

// The file ends with the index, its length, its checksum and this mark, which
// changes with the layout.
const snapshotMark = "SPDSNAP1"

const (
	snapshotFooter   = 8 + 4 + len(snapshotMark)
	maxSnapshotIndex = 16 << 20
	// minSnapshotRows is how many rows a store must have for a snapshot to be
	// worth a file.
	minSnapshotRows = 20_000
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func (s *Store) snapshotPath() string { return s.path + ".snapshot" }

// quiet returns the state of the store's file, and false while its log holds
// changes that the file lacks.
func (s *Store) quiet() (fileState, bool) {
	if wal, err := os.Stat(s.path + "-wal"); err == nil && wal.Size() > 0 {
		return fileState{}, false
	}
	st, err := os.Stat(s.path)
	if err != nil {
		return fileState{}, false
	}
	return fileState{st.Size(), st.ModTime().UnixNano()}, true
}

// openSnapshot takes the snapshot in use when it is one of the store as it is.
func (s *Store) openSnapshot() {
	state, quiet := s.quiet()
	if !quiet {
		return
	}
	f, err := os.Open(s.snapshotPath())
	if err != nil {
		return
	}
	index, err := readSnapshotIndex(f)
	if err != nil || index.Store != state {
		_ = f.Close()
		return
	}
	s.snap = &snapshot{file: f, index: index}
	s.snapFresh.Store(true)
}

func readSnapshotIndex(f *os.File) (snapshotIndex, error) {
	var index snapshotIndex
	st, err := f.Stat()
	if err != nil {
		return index, err
	}
	var footer [snapshotFooter]byte
	end := st.Size() - int64(snapshotFooter)
	if end < 0 || st.Mode().Perm()&0o077 != 0 {
		return index, errors.New("not a snapshot")
	}
	if _, err := f.ReadAt(footer[:], end); err != nil {
		return index, err
	}
	n := binary.LittleEndian.Uint64(footer[:])
	if string(footer[12:]) != snapshotMark || n > maxSnapshotIndex || int64(n) > end {
		return index, errors.New("not a snapshot")
	}
	text := make([]byte, n)
	if _, err := f.ReadAt(text, end-int64(n)); err != nil {
		return index, err
	}
	if crc32.Checksum(text, castagnoli()) != binary.LittleEndian.Uint32(footer[8:]) {
		return index, errors.New("the snapshot is damaged")
	}
	return index, json.Unmarshal(text, &index)
}

// fromSnapshot returns a layer from the snapshot, nil when that does not have
// it as the store does.
func (s *Store) fromSnapshot(info geo.LayerInfo) *geo.Layer {
	snap := s.snap
	if snap == nil {
		return nil
	}
	if state, quiet := s.quiet(); !quiet || state != snap.index.Store {
		return nil
	}
	for _, part := range snap.index.Layers {
		if part.ID != info.ID || part.Version != info.Version || !part.UpdatedAt.Equal(info.UpdatedAt) {
			continue
		}
		sum := crc32.New(castagnoli())
		section := io.NewSectionReader(snap.file, part.Offset, part.Length)
		in := bufio.NewReaderSize(io.TeeReader(section, sum), 1<<20)
		l, err := geo.ReadSnapshot(in)
		if err != nil {
			return nil
		}
		if rest, err := in.Peek(1); len(rest) > 0 || !errors.Is(err, io.EOF) || sum.Sum32() != part.CRC {
			return nil
		}
		return l.WithInfo(info)
	}
	return nil
}

// dropSnapshot removes the snapshot, which a change has made void.
func (s *Store) dropSnapshot() error {
	s.snapFresh.Store(false)
	if !s.snapThere.Swap(false) {
		return nil
	}
	if err := os.Remove(s.snapshotPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.snapThere.Store(true)
		return err
	}
	return nil
}

// Snapshot writes the snapshot of a store, given its layers as Load or Commit
// left them, for the next Open. It writes none, and says false, when the store
// has one or is too small for one, has other layers by now, or was changed by another
// program since it was opened.
func (s *Store) Snapshot(ctx context.Context, layers []*geo.Layer) (written bool, err error) {
	rows := 0
	for _, l := range layers {
		rows += l.Len()
	}
	if s.writer == nil || rows < minSnapshotRows || s.snapFresh.Load() {
		return false, nil
	}
	leave, err := s.enter()
	if err != nil {
		return false, err
	}
	defer leave()
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the snapshot: %w", err)
		}
	}()
	tmp := s.snapshotPath() + ".new"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return false, err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if !written {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	var index snapshotIndex
	if index.Layers, err = writeSections(ctx, f, layers); err != nil {
		return false, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	same, err := s.settle(ctx, &index)
	if err != nil || !same {
		return false, err
	}
	if err := writeSnapshotIndex(f, index); err != nil {
		return false, err
	}
	if err := os.Rename(tmp, s.snapshotPath()); err != nil {
		return false, err
	}
	s.snapThere.Store(true)
	s.snapFresh.Store(true)
	return true, nil
}

func writeSections(ctx context.Context, f *os.File, layers []*geo.Layer) ([]snapshotSection, error) {
	out := []snapshotSection{}
	var at int64
	for _, l := range layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sum := crc32.New(castagnoli())
		counted := &byteCount{}
		w := bufio.NewWriterSize(io.MultiWriter(f, sum, counted), 1<<20)
		if err := l.ByFID().WriteSnapshot(w); err != nil {
			return nil, err
		}
		if err := w.Flush(); err != nil {
			return nil, err
		}
		out = append(out, snapshotSection{l.Info.ID, l.Info.Version, l.Info.UpdatedAt, at, counted.n, sum.Sum32()})
		at += counted.n
	}
	return out, nil
}

type byteCount struct{ n int64 }

func (c *byteCount) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func writeSnapshotIndex(f *os.File, index snapshotIndex) error {
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	n := uint64(len(text))
	sum := crc32.Checksum(text, castagnoli())
	text = binary.LittleEndian.AppendUint64(text, n)
	text = binary.LittleEndian.AppendUint32(text, sum)
	_, err = f.Write(append(text, snapshotMark...))
	return err
}

// settle empties the log and notes the state of the file. It says false when
// the store has not the layers of the index, or may have been changed by
// another program. No change of this one may run.
func (s *Store) settle(ctx context.Context, index *snapshotIndex) (same bool, err error) {
	err = s.read(ctx, func(x *txn) error {
		list, err := x.layers()
		same = err == nil && len(list) == len(index.Layers)
		for i := range list {
			same = same && index.has(list[i].info)
		}
		return err
	})
	if err != nil || !same {
		return false, err
	}
	if foreign, err := s.changedByOthers(ctx); err != nil || foreign {
		return false, err // the checkpoint would hide it
	}
	var busy, frames, moved int
	row := s.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := row.Scan(&busy, &frames, &moved); err != nil || busy != 0 {
		return false, err
	}
	state, quiet := s.quiet()
	foreign, err := s.changedByOthers(ctx)
	if err != nil || !quiet || foreign {
		return false, err
	}
	index.Store = state
	return true, nil
}

func (x *snapshotIndex) has(info geo.LayerInfo) bool {
	for _, part := range x.Layers {
		if part.ID == info.ID {
			return part.Version == info.Version && part.UpdatedAt.Equal(info.UpdatedAt)
		}
	}
	return false
}

// changedByOthers reports whether another program may have changed the file
// since it was opened: only its changes raise the data version of the one
// connection that writes here.
func (s *Store) changedByOthers(ctx context.Context) (bool, error) {
	var v int64
	err := s.writer.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&v)
	return v != s.dataVersion || s.newWriter.Load(), err
}
