package api

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// frame is round every answer: security headers, CORS, one metric, and a 500
// in place of a panic.
func (s *Server) frame(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.secure(w.Header(), r)
		seen := &statusWriter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.log.Error("panic", "route", routeName(r), "value", p, "stack", string(debug.Stack()))
				if seen.status == 0 {
					s.writeProblem(seen, r, problem{Status: http.StatusInternalServerError, Code: "internal",
						Detail: "something went wrong here; the log has the reason"})
				}
			}
			s.metrics.observe(routeName(r), seen.status, time.Since(start))
		}()
		if err := checkForm(seen, r); err != nil {
			s.writeProblem(seen, r, err)
			return
		}
		if s.opts.LocalOnly && !localHost(r.Host) {
			if s.bodyTooLarge(w, r) {
				s.writeProblem(seen, r, &http.MaxBytesError{Limit: s.opts.MaxBody})
				return
			}
			s.writeProblem(seen, r, problem{Status: http.StatusMisdirectedRequest, Code: "foreign_host",
				Detail: "this service is open to the person at this machine only; address it as 127.0.0.1 or localhost"})
			return
		}
		if http.NewCrossOriginProtection().Check(r) != nil {
			s.writeProblem(seen, r, problem{Status: http.StatusForbidden, Code: "foreign_origin",
				Detail: "a page of another origin may read here, not write"})
			return
		}
		joinLists(r.Header)
		next.ServeHTTP(seen, r)
	})
}

// joinLists puts lists that came in several lines into one (RFC 9110, 5.3).
func joinLists(h http.Header) {
	for _, name := range [...]string{"If-Match", "If-None-Match", "Accept", "Accept-Encoding"} {
		if lines := h.Values(name); len(lines) > 1 {
			h.Set(name, strings.Join(lines, ", "))
		}
	}
}

// bodyTooLarge reports whether a request has a larger body than any that is
// read here. It reads one without a declared length up to the limit.
func (s *Server) bodyTooLarge(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength >= 0 {
		return r.ContentLength > s.opts.MaxBody
	}
	_, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, s.opts.MaxBody))
	tooLarge := (*http.MaxBytesError)(nil)
	return errors.As(err, &tooLarge)
}

// localHost reports whether a Host header names this machine itself.
func localHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
