package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
)

// Strict makes a server refuse requests that a proxy in front of it could read in
// another way than it does (RFC 9112, sections 2.2, 5.2 and 6.3): headers with bare
// line feeds, folded lines, a length beside a transfer coding, or two lengths. The
// server's ConnContext and ConnState must be free. Connections with TLS of its own
// have nobody between, and are left alone.
func Strict(server *http.Server, l net.Listener) net.Listener {
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if strict, is := c.(*strictConn); is {
			return context.WithValue(ctx, strictKey{}, strict)
		}
		return ctx
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if strict, is := c.(*strictConn); is && state == http.StateIdle {
			strict.await()
		}
	}
	return strictListener{l}
}

type strictKey struct{}

type strictListener struct{ net.Listener }

func (l strictListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if _, sealed := c.(*tls.Conn); err != nil || sealed {
		return c, err
	}
	strict := &strictConn{Conn: c}
	strict.await()
	return strict, nil
}

// strictConn looks at the header of each request as it is read. What a client sends
// ahead of an answer is read with what came before and not looked at; behind a body
// in chunks none of that is answered.
type strictConn struct {
	net.Conn
	mu      sync.Mutex
	looking bool
	last    byte
	line    []byte // how the line begins
	lines   int
	lengths int
	coded   bool
	fault   string
}

// await makes ready for the next request.
func (c *strictConn) await() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looking, c.last, c.line, c.lines, c.lengths, c.coded, c.fault = true, '\r', c.line[:0], 0, 0, false, ""
}

func (c *strictConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, next := range b[:n] {
		if !c.looking {
			break
		}
		c.look(next)
	}
	return n, err
}

func (c *strictConn) look(next byte) {
	const longestName = len("transfer-encoding:")
	switch {
	case next != '\n':
		if c.lines > 0 && len(c.line) == 0 && (next == ' ' || next == '\t') {
			c.fault = "a line of its header is folded"
		}
		if next != '\r' && len(c.line) < longestName {
			c.line = append(c.line, next)
		}
	case c.last != '\r':
		c.fault, c.looking = "a line of its header ends without a carriage return", false
	case len(c.line) == 0:
		c.looking = false
	default:
		name, _, _ := bytes.Cut(bytes.ToLower(c.line), []byte(":"))
		switch string(name) {
		case "content-length":
			c.lengths++
		case "transfer-encoding":
			c.coded = true
		}
		if c.lengths > 1 || c.lengths > 0 && c.coded {
			c.fault = "it states its length twice, or beside a transfer coding"
		}
		c.lines, c.line = c.lines+1, c.line[:0]
	}
	c.last = next
}

// wireFault says what is wrong with the form of a request; "" when nothing is.
func wireFault(r *http.Request) string {
	c, is := r.Context().Value(strictKey{}).(*strictConn)
	if !is {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// mostTarget is the longest path and query of a request that is answered: a filter
// of the greatest length, encoded.
const mostTarget = 26 << 10

// checkForm refuses requests that are too long or have a doubtful form, and readies
// the body of others: what comes behind one in chunks is not answered.
func checkForm(w http.ResponseWriter, r *http.Request) error {
	if fault := wireFault(r); fault != "" {
		w.Header().Set("Connection", "close")
		return problem{Status: http.StatusBadRequest, Code: "malformed_request", Detail: "the request cannot be told from another: " + fault}
	}
	if len(r.TransferEncoding) > 0 {
		w.Header().Set("Connection", "close")
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = sentBody{r.Body}
	}
	if n := len(r.RequestURI); n > mostTarget {
		return problem{Status: http.StatusRequestURITooLong, Code: "uri_too_long", Detail: "the path and query are longer than 26 KiB; ask for less, such as by a shorter filter"}
	}
	return nil
}

// sentBody is the body of a request, whose faults are the sender's.
type sentBody struct{ io.ReadCloser }

func (b sentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = bodyError{err}
	}
	return n, err
}

type bodyError struct{ error }

func (e bodyError) Unwrap() error { return e.error }

// problem tells the sender what happened to the body.
func (e bodyError) problem() problem {
	if errors.Is(e, os.ErrDeadlineExceeded) {
		return problem{Status: http.StatusRequestTimeout, Code: "body_too_slow", Detail: "the body did not come in time; send it again: nothing was stored"}
	}
	return problem{Status: http.StatusBadRequest, Code: "body_cut", Detail: "the body ends before its length, or its chunks cannot be read; send it again: nothing was stored"}
}
