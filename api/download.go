package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// download is a file that is made for one answer.
type download struct {
	name, media string
	tag         string
	make        func(*os.File) error
}

// sendDownload makes a file in its turn and sends it, whole or in ranges. While
// it is sent, however slowly it is read, others have theirs made.
func (s *Server) sendDownload(w http.ResponseWriter, r *http.Request, d download) error {
	if s.unchanged(w, r, d.media, d.tag) {
		return nil
	}
	leave, err := s.lanes.downloads.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	file, err := s.makeFile(r, d.make)
	if err != nil {
		return err
	}
	defer drop(file)
	h := w.Header()
	h.Set("Content-Type", d.media)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", d.name))
	s.caching(h, r, revalidate)
	h.Set("ETag", `"`+d.tag+`"`)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute))
	ranged := &rangeWriter{ResponseWriter: w}
	http.ServeContent(ranged, r, "", time.Time{}, file)
	if ranged.refused {
		h.Del("Content-Disposition")
		return problem{Status: http.StatusRequestedRangeNotSatisfiable, Code: "range_not_satisfiable",
			Detail: "the file has no such bytes; Content-Range tells its size"}
	}
	return nil
}

// makeFile makes a temporary file, to be read from its start: one at a time, for
// each may take a hundred megabytes of memory.
func (s *Server) makeFile(r *http.Request, write func(*os.File) error) (*os.File, error) {
	leave, err := s.lanes.files.enter(r.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	file, err := os.CreateTemp("", "sempadan-download-*")
	if err != nil {
		return nil, fmt.Errorf("make the file: %w", err)
	}
	if err = write(file); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		drop(file)
		return nil, err
	}
	return file, nil
}

// drop removes a temporary file.
func drop(file *os.File) { _ = errors.Join(file.Close(), os.Remove(file.Name())) }

// rangeWriter keeps back the answer to a range that cannot be had.
type rangeWriter struct {
	http.ResponseWriter
	refused bool
}

func (w *rangeWriter) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; !w.refused {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *rangeWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
