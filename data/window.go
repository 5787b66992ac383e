package data

import (
	"bytes"
	"io"
)

// window is a text read through a buffer that slides over it: buf[pos:end] is
// read but not yet used. Slices of buf are valid until more is called.
type window struct {
	src  io.Reader
	buf  []byte
	pos  int
	end  int
	base int64 // offset of buf[0] in the text
	line int   // line feeds before buf[0]
	err  error // why no more can be read; io.EOF at the end of the text
}

const windowBytes = 256 << 10

func newWindow(src io.Reader) window {
	return window{src: src, buf: make([]byte, windowBytes)}
}

// more reads further bytes behind end, and reports whether there are any. The
// bytes from pos on stay, at another place.
func (w *window) more() bool {
	if w.err != nil {
		return false
	}
	if w.end == len(w.buf) {
		if w.pos < len(w.buf)/2 {
			w.buf = append(w.buf, make([]byte, len(w.buf))...)
		} else {
			w.line += bytes.Count(w.buf[:w.pos], []byte{'\n'})
			w.base += int64(w.pos)
			w.end = copy(w.buf, w.buf[w.pos:w.end])
			w.pos = 0
		}
	}
	for range 100 {
		n, err := w.src.Read(w.buf[w.end:])
		w.end += n
		w.err = err
		if n > 0 || err != nil {
			return n > 0
		}
	}
	w.err = io.ErrNoProgress
	return false
}

// need reads until n bytes are there or the text ends.
func (w *window) need(n int) {
	for w.end-w.pos < n && w.more() {
	}
}

// rest returns the bytes that are read but not used.
func (w *window) rest() []byte { return w.buf[w.pos:w.end] }

// offset returns how many bytes of the text are used.
func (w *window) offset() int64 { return w.base + int64(w.pos) }

// lineNumber returns the line that pos is on, counting from 1.
func (w *window) lineNumber() int {
	return w.line + bytes.Count(w.buf[:w.pos], []byte{'\n'}) + 1
}

// filtered returns the window over the text as change makes it, in place.
func (w window) filtered(change func([]byte)) window {
	change(w.rest())
	if w.src != nil {
		w.src = filter{w.src, change}
	}
	return w
}

type filter struct {
	src    io.Reader
	change func([]byte)
}

func (f filter) Read(p []byte) (int, error) {
	n, err := f.src.Read(p)
	f.change(p[:n])
	return n, err
}
