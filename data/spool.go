package data

import (
	"bufio"
	"io"
	"os"
)

// spool keeps bytes until they are wanted: the first ones in memory, those
// past the limit in a temporary file.
type spool struct {
	limit  int
	size   int64
	memory []byte
	file   *os.File
	out    *bufio.Writer // to the file
}

func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) <= s.limit {
		s.memory = append(s.memory, p...)
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		file, err := os.CreateTemp("", "sempadan-*.part")
		if err != nil {
			return 0, err
		}
		s.file, s.out = file, bufio.NewWriterSize(file, 1<<20)
	}
	n, err := s.out.Write(p)
	s.size += int64(n)
	return n, err
}

// WriteTo writes all that was written to the spool.
func (s *spool) WriteTo(w io.Writer) (int64, error) {
	head, err := w.Write(s.memory)
	if err != nil || s.file == nil {
		return int64(head), err
	}
	if err := s.out.Flush(); err != nil {
		return int64(head), err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return int64(head), err
	}
	n, err := io.Copy(w, s.file)
	return int64(head) + n, err
}

// ReadAt reads what was written, at any offset. It must not be mixed with
// further writes.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n := 0
	if off < int64(len(s.memory)) {
		if n = copy(p, s.memory[off:]); n == len(p) {
			return n, nil
		}
	}
	if s.file == nil {
		return n, io.EOF
	}
	if err := s.out.Flush(); err != nil {
		return n, err
	}
	more, err := s.file.ReadAt(p[n:], off+int64(n)-int64(len(s.memory)))
	return n + more, err
}

// path returns the name of the file that holds everything, for a spool of
// limit 0 to which something was written.
func (s *spool) path() (string, error) {
	if err := s.out.Flush(); err != nil {
		return "", err
	}
	return s.file.Name(), nil
}

// close gives the room back; the file held nothing that anybody waits for.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}
