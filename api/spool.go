package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// spooled is a request body read to its end before anything waits for it, so
// that a slow sender holds up nobody: small ones in memory, others in a
// temporary file that only this user can read.
type spooled struct {
	io.Reader
	sha256 string
	size   int64
	file   *os.File
}

// spoolInMemory is the size up to which a body stays in memory.
const spoolInMemory = 1 << 20

func spool(r io.Reader) (*spooled, error) {
	sum := sha256.New()
	r = io.TeeReader(r, sum)
	head, err := io.ReadAll(io.LimitReader(r, spoolInMemory))
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	out := &spooled{Reader: bytes.NewReader(head)}
	if len(head) == spoolInMemory {
		if out.file, err = os.CreateTemp("", "sempadan-upload-*"); err != nil {
			return nil, fmt.Errorf("keep the body: %w", err)
		}
		// Without a name it goes when it is closed, even by a crash; where an
		// open file cannot be removed, close does it.
		_ = os.Remove(out.file.Name())
		n, err := io.Copy(out.file, r)
		if err != nil {
			out.close()
			return nil, fmt.Errorf("keep the body: %w", err)
		}
		out.size = n
		if _, err := out.file.Seek(0, io.SeekStart); err != nil {
			out.close()
			return nil, fmt.Errorf("keep the body: %w", err)
		}
		out.Reader = io.MultiReader(bytes.NewReader(head), out.file)
	}
	out.size += int64(len(head))
	out.sha256 = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

func (s *spooled) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}
