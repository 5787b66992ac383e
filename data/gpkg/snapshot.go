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
	"path/filepath"
	"slices"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// A snapshot is a file beside the store with its layers as they lie in memory,
// which load ten times as fast as tables do. It is made when the log is empty,
// and names the size and the time of change of the store's file: layers are
// loaded from it only while these are the same and the log is still empty, so
// any change, by whatever program, makes it void for that, but for entries of
// the audit log, after which it is stamped anew (restampSnapshot). It stays for
// recovery from damage (see recover.go) until the next one replaces it or
// something is erased, deleted or compacted: what must be gone is gone at once.
type snapshot struct {
	file  *os.File
	index snapshotIndex
}

type snapshotIndex struct {
	Store  fileState         `json:"store"`
	Layers []snapshotSection `json:"layers"`
	// For recovery: the ID and the number of changes of the store, and its
	// small tables.
	ID      [markIDBytes]byte `json:"id"`
	Commits int64             `json:"commits"`
	At      time.Time         `json:"at"`
	Tables  snapshotSection   `json:"tables"`
	Audit   data.AuditHead    `json:"audit"` // the log itself is not in it
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
const snapshotMark = "SPDSNAP2"

const (
	snapshotFooter   = 8 + 4 + len(snapshotMark)
	maxSnapshotIndex = 16 << 20
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
	s.kept = index.Layers
}

func readSnapshotIndex(f *os.File) (snapshotIndex, error) {
	index, _, err := findSnapshotIndex(f)
	return index, err
}

// findSnapshotIndex returns the index and where in the file it begins.
func findSnapshotIndex(f *os.File) (index snapshotIndex, at int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return index, 0, err
	}
	var footer [snapshotFooter]byte
	end := st.Size() - int64(snapshotFooter)
	if end < 0 || st.Mode().Perm()&0o077 != 0 {
		return index, 0, errors.New("not a snapshot")
	}
	if _, err := f.ReadAt(footer[:], end); err != nil {
		return index, 0, err
	}
	n := binary.LittleEndian.Uint64(footer[:])
	if string(footer[12:]) != snapshotMark || n > maxSnapshotIndex || int64(n) > end {
		return index, 0, errors.New("not a snapshot")
	}
	text := make([]byte, n)
	at = end - int64(n)
	if _, err := f.ReadAt(text, at); err != nil {
		return index, 0, err
	}
	if crc32.Checksum(text, castagnoli()) != binary.LittleEndian.Uint32(footer[8:]) {
		return index, 0, errors.New("the snapshot is damaged")
	}
	return index, at, json.Unmarshal(text, &index)
}

// fromSnapshot returns a layer from the snapshot, nil when that does not have
// it as the store does.
func (s *Store) fromSnapshot(ctx context.Context, info geo.LayerInfo) *geo.Layer {
	snap := s.snap
	if snap == nil {
		return nil
	}
	if !s.snapHolds(ctx) {
		return nil
	}
	for _, part := range snap.index.Layers {
		if part.is(info) {
			if l, err := part.layer(snap.file); err == nil {
				return l.WithInfo(info)
			}
		}
	}
	return nil
}

// snapHolds reports whether the layers of the snapshot that Open found are still
// those of the store.
func (s *Store) snapHolds(ctx context.Context) bool {
	if state, quiet := s.quiet(); quiet && state == s.snap.index.Store {
		return true
	}
	if !s.snapFresh.Load() || !s.snapBehind.Load() || s.writer == nil {
		return false // more than entries of the audit log came since
	}
	foreign, err := s.changedByOthers(ctx)
	return err == nil && !foreign
}

func (part snapshotSection) is(info geo.LayerInfo) bool {
	return part.ID == info.ID && part.Version == info.Version && part.UpdatedAt.Equal(info.UpdatedAt)
}

// layer reads the section of a layer.
func (part snapshotSection) layer(f *os.File) (*geo.Layer, error) {
	var l *geo.Layer
	err := part.read(f, func(in io.Reader) (err error) {
		l, err = geo.ReadSnapshot(in)
		return err
	})
	return l, err
}

// read has do read a section to its end, and errs when that is not what was
// written.
func (part snapshotSection) read(f *os.File, do func(io.Reader) error) error {
	sum := crc32.New(castagnoli())
	in := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(f, part.Offset, part.Length), sum), 1<<20)
	if err := do(in); err != nil {
		return err
	}
	if rest, err := in.Peek(1); len(rest) > 0 || !errors.Is(err, io.EOF) || sum.Sum32() != part.CRC {
		return errors.New("the snapshot is damaged")
	}
	return nil
}

// dropSnapshot removes the snapshot, which has what must be gone.
func (s *Store) dropSnapshot() error {
	s.snapFresh.Store(false)
	s.kept = nil
	if err := os.Remove(s.snapshotPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Snapshot writes the snapshot of a store, given its layers as Load or Commit
// left them, for the next Open and for recovery; layers that are not given are
// taken from the snapshot before. It writes none, and says false, when the store
// has one, has other layers by now, or was changed by another program since it
// was opened. Changes wait only while the log is emptied.
func (s *Store) Snapshot(ctx context.Context, layers []*geo.Layer) (written bool, err error) {
	s.snapshotting.Lock()
	defer s.snapshotting.Unlock()
	if s.ReadOnly() || s.snapFresh.Load() || len(layers) == 0 && s.Commits() == 0 {
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
	if all, err := s.covered(ctx, layers); err != nil || !all {
		return false, err
	}
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
	w := sectionWriter{file: f}
	if err := s.writeLayers(ctx, &w, layers); err != nil {
		return false, err
	}
	if err := f.Sync(); err != nil { // most of it, before changes must wait
		return false, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	index := snapshotIndex{Layers: w.sections, At: time.Now().UTC()}
	same, err := s.settle(ctx, &index, &w)
	if err != nil || !same {
		return false, err
	}
	if err := errors.Join(writeSnapshotIndex(f, index), f.Sync()); err != nil {
		return false, err
	}
	if err := os.Rename(tmp, s.snapshotPath()); err != nil {
		return false, err
	}
	s.snapFresh.Store(true)
	s.snapBehind.Store(false)
	s.kept = index.Layers
	return true, syncFile(filepath.Dir(s.path))
}

// covered reports whether every layer of the store is given or kept.
func (s *Store) covered(ctx context.Context, layers []*geo.Layer) (all bool, err error) {
	parts := slices.Clone(s.keptSections())
	for _, l := range layers {
		parts = append(parts, snapshotSection{ID: l.Info.ID, Version: l.Info.Version, UpdatedAt: l.Info.UpdatedAt})
	}
	err = s.read(ctx, func(x *txn) error {
		list, err := x.layers()
		all = err == nil && !slices.ContainsFunc(list, func(st stored) bool {
			return !slices.ContainsFunc(parts, func(part snapshotSection) bool { return part.is(st.info) })
		})
		return err
	})
	return all, err
}

// writeLayers writes the sections of layers, and those of others as the
// snapshot before has them.
func (s *Store) writeLayers(ctx context.Context, w *sectionWriter, layers []*geo.Layer) error {
	var old *os.File
	defer func() { _ = old.Close() }()
	copied := func(id string, info *geo.LayerInfo) (bool, error) {
		for _, part := range s.keptSections() {
			if part.ID != id || info != nil && !part.is(*info) {
				continue
			}
			if old == nil {
				var err error
				if old, err = os.Open(s.snapshotPath()); err != nil {
					return false, nil
				}
			}
			return true, w.section(part, func(out io.Writer) error {
				return part.read(old, func(in io.Reader) error {
					_, err := io.Copy(out, io.LimitReader(in, part.Length))
					return err
				})
			})
		}
		return false, nil
	}
	given := map[string]bool{}
	for _, l := range layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		given[l.Info.ID] = true
		if done, err := copied(l.Info.ID, &l.Info); err != nil {
			return err
		} else if done {
			continue
		}
		part := snapshotSection{ID: l.Info.ID, Version: l.Info.Version, UpdatedAt: l.Info.UpdatedAt}
		if err := w.section(part, l.ByFID().WriteSnapshot); err != nil {
			return err
		}
	}
	for _, part := range s.keptSections() {
		if !given[part.ID] {
			if _, err := copied(part.ID, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptSections are those of the snapshot's file that this process knows to be
// of the store: it was valid at the opening, or this process wrote it.
func (s *Store) keptSections() []snapshotSection {
	s.changing <- struct{}{}
	defer func() { <-s.changing }()
	return s.kept
}

// sectionWriter writes sections one after the other.
type sectionWriter struct {
	file     *os.File
	at       int64
	sections []snapshotSection
}

func (w *sectionWriter) section(part snapshotSection, write func(io.Writer) error) error {
	sum := crc32.New(castagnoli())
	counted := &byteCount{}
	out := bufio.NewWriterSize(io.MultiWriter(w.file, sum, counted), 1<<20)
	if err := errors.Join(write(out), out.Flush()); err != nil {
		return err
	}
	part.Offset, part.Length, part.CRC = w.at, counted.n, sum.Sum32()
	w.at += counted.n
	w.sections = append(w.sections, part)
	return nil
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

// settle empties the log and notes the state of the file and its small tables.
// It says false when the store has not the layers of the index, or may have
// been changed by another program. No change of this one may run.
func (s *Store) settle(ctx context.Context, index *snapshotIndex, w *sectionWriter) (same bool, err error) {
	err = s.read(ctx, func(x *txn) error {
		list, err := x.layers()
		if err != nil {
			return err
		}
		index.Layers = slices.DeleteFunc(index.Layers, func(part snapshotSection) bool { // deleted meanwhile
			return !slices.ContainsFunc(list, func(st stored) bool { return part.is(st.info) })
		})
		if same = len(list) == len(index.Layers); !same {
			return nil
		}
		counted, _, err := x.counted()
		if err != nil {
			return err
		}
		index.ID, index.Commits = counted.store, counted.commits
		if index.Audit, err = x.auditHead(); err != nil {
			return err
		}
		if err := x.writeTables(w); err != nil {
			return err
		}
		index.Tables = w.sections[len(w.sections)-1]
		return nil
	})
	if err != nil || !same {
		return false, err
	}
	state, ok, err := s.emptied(ctx)
	index.Store = state
	return ok, err
}

// emptied empties the log and returns the state of the file then; ok is false
// where another program may have changed it. No change of this one may run.
func (s *Store) emptied(ctx context.Context) (state fileState, ok bool, err error) {
	if foreign, err := s.changedByOthers(ctx); err != nil || foreign {
		return state, false, err // the checkpoint would hide it
	}
	var busy, frames, moved int
	row := s.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := row.Scan(&busy, &frames, &moved); err != nil || busy != 0 {
		return state, false, err
	}
	state, quiet := s.quiet()
	foreign, err := s.changedByOthers(ctx)
	return state, err == nil && quiet && !foreign, err
}

// changedByOthers reports whether another program may have changed the file
// since it was opened: only its changes raise the data version of the one
// connection that writes here.
func (s *Store) changedByOthers(ctx context.Context) (bool, error) {
	var v int64
	err := s.writer.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&v)
	return v != s.dataVersion || s.newWriter.Load(), err
}
