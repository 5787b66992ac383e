package gpkg

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/sempadan/sempadan/data"
)

// A mark is a small file beside the store that says how many changes were
// acknowledged. SQLite reads its log up to the first frame whose checksum is
// wrong and takes what follows for never written (sqlite.org/fileformat2,
// section 4.3), which is right for a change that a crash cut off, and silent
// about acknowledged ones when the log is damaged or gone. The store counts its
// changes too, within the transactions; a mark that is ahead tells of the loss.
//
// The mark is written after each commit and before it is acknowledged, but put
// on disk in the background: a killed process loses nothing of it, a power cut
// the marks of the last milliseconds, which hides a loss and invents none.
type mark struct {
	file  *os.File
	last  markRecord
	dirty chan struct{}
	done  sync.WaitGroup
}

type markRecord struct {
	store   [markIDBytes]byte
	commits int64
	at      time.Time
}

// The file has two records, written in turns, so that one torn write leaves
// the other: a sign, the store's ID, the number, unix milliseconds, a checksum.
const (
	markSign      = "SPDMARK1"
	markIDBytes   = 16
	markBytes     = len(markSign) + markIDBytes + 8 + 8 + 4
	markEvery     = 4096
	settingID     = "store.id"
	settingCommit = "store.commits"
)

func markPath(path string) string { return path + ".commits" }

func (r markRecord) encode() []byte {
	b := append([]byte(markSign), r.store[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.commits))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.at.UnixMilli()))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

func decodeMark(b []byte) (r markRecord, ok bool) {
	body := markBytes - 4
	if len(b) != markBytes || string(b[:len(markSign)]) != markSign || crc32.Checksum(b[:body], castagnoli()) != binary.LittleEndian.Uint32(b[body:]) {
		return r, false
	}
	b = b[len(markSign):]
	copy(r.store[:], b)
	r.commits = int64(binary.LittleEndian.Uint64(b[markIDBytes:]))
	r.at = time.UnixMilli(int64(binary.LittleEndian.Uint64(b[markIDBytes+8:]))).UTC()
	return r, r.commits >= 0
}

// readMark returns the newer of the two records; ok is false when there is
// none.
func readMark(path string) (newest markRecord, ok bool) {
	f, err := os.Open(markPath(path))
	if err != nil {
		return newest, false
	}
	defer f.Close()
	for slot := range int64(2) {
		var b [markBytes]byte
		if _, err := f.ReadAt(b[:], slot*markEvery); err != nil {
			continue
		}
		if r, good := decodeMark(b[:]); good && (!ok || r.commits > newest.commits) {
			newest, ok = r, true
		}
	}
	return newest, ok
}

// openMark makes a mark that says r.
func openMark(path string, r markRecord) (*mark, error) {
	f, err := os.OpenFile(markPath(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	m := &mark{file: f, last: r, dirty: make(chan struct{}, 1)}
	for slot := range int64(2) { // both: an older one may have a higher number
		if _, err := f.WriteAt(r.encode(), slot*markEvery); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	m.done.Go(func() {
		for range m.dirty {
			_ = f.Sync()
		}
	})
	m.sync()
	return m, nil
}

func (m *mark) sync() {
	select {
	case m.dirty <- struct{}{}:
	default: // one is to come
	}
}

// set notes that a change was committed. Without room or with a disk that went
// read-only it stays behind, which the next one mends.
func (m *mark) set(commits int64, at time.Time) {
	m.last.commits, m.last.at = commits, at
	if _, err := m.file.WriteAt(m.last.encode(), commits%2*markEvery); err == nil {
		m.sync()
	}
}

func (m *mark) close() error {
	close(m.dirty)
	m.done.Wait()
	return m.file.Close()
}

// counted reads the store's ID and how many changes it has had; ok is false for
// a store of an older program, which has neither.
func (x *txn) counted() (r markRecord, ok bool, err error) {
	var id string
	err = x.get([]any{&id, &r.commits}, `SELECT i.value, CAST(c.value AS INTEGER) FROM sempadan_settings i, sempadan_settings c WHERE i.name = ? AND c.name = ?`, settingID, settingCommit)
	if errors.Is(err, data.ErrNotFound) {
		return r, false, nil
	}
	raw, bad := hex.DecodeString(id)
	copy(r.store[:], raw)
	return r, err == nil && bad == nil && len(raw) == markIDBytes, err
}

// countChange raises the number of changes.
func (x *txn) countChange() (n int64, err error) {
	err = x.get([]any{&n}, `INSERT INTO sempadan_settings VALUES (?, '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING CAST(value AS INTEGER)`, settingCommit)
	return n, err
}

// setCounted gives the store an ID and a number of changes.
func (x *txn) setCounted(r markRecord) error {
	return x.execAll(
		stmt(`INSERT OR REPLACE INTO sempadan_settings VALUES (?, ?)`, settingID, hex.EncodeToString(r.store[:])),
		stmt(`INSERT OR REPLACE INTO sempadan_settings VALUES (?, CAST(? AS TEXT))`, settingCommit, r.commits),
	)
}

// checkMark compares the store with its mark and begins to keep it. A store
// that is behind is as it was at an earlier moment, whole: that is told, the
// log is kept for a person, and its layers get versions that were never given.
func (s *Store) checkMark(ctx context.Context) error {
	var have markRecord
	var known bool
	if err := s.readNow(ctx, func(x *txn) (err error) {
		have, known, err = x.counted()
		return err
	}); err != nil {
		return err
	}
	said, marked := readMark(s.path)
	if !known {
		if err := newStoreID(have.store[:]); err != nil {
			return err
		}
		if err := s.inTransaction(ctx, func(x *txn) error { return x.setCounted(have) }); err != nil {
			return err
		}
	}
	if lost := said.commits - have.commits; marked && known && said.store == have.store && lost > 0 {
		if err := s.fellBehind(ctx, said, lost); err != nil {
			return err
		}
		have.commits = said.commits + 1
	}
	have.at = time.Now().UTC()
	if marked && said.commits == have.commits {
		have.at = said.at
	}
	var err error
	s.mark, err = openMark(s.path, have)
	if err != nil && errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
