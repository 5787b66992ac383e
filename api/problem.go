package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/sempadan/sempadan/data"
)

// problem is an error as people and programs read it (RFC 9457), with the
// members code and description that OGC clients look for.
type problem struct {
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Status      int          `json:"status"`
	Detail      string       `json:"detail"`
	Instance    string       `json:"instance"`
	Code        string       `json:"code"`
	Description string       `json:"description"`
	Errors      []paramError `json:"errors"`

	// What an upload that was refused had found up to then.
	*data.Report
}

// paramError names a parameter that cannot be used.
type paramError struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

func (p problem) Error() string { return p.Detail }

// badParameter is the 400 for one parameter.
func badParameter(name, format string, args ...any) problem {
	detail := fmt.Sprintf(format, args...)
	return problem{Status: http.StatusBadRequest, Code: "invalid_parameter",
		Detail: name + ": " + detail, Errors: []paramError{{name, detail}}}
}

// problemOf is the one map from errors to HTTP.
func problemOf(err error) problem {
	var p problem
	var refusal *data.Refusal
	var tooBig *http.MaxBytesError
	var cut bodyError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooBig):
		return problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
			Detail: fmt.Sprintf("the body is over the limit of %d bytes; split the file, or start the service with a larger --max-body, or use the command sempadan import", tooBig.Limit)}
	case errors.As(err, &cut):
		return cut.problem()
	case errors.As(err, &refusal):
		return problem{Status: refusal.Status, Code: refusal.Code, Detail: refusal.Message, Report: refusal.Report}
	case errors.Is(err, data.ErrNotFound):
		return problem{Status: http.StatusNotFound, Code: "not_found", Detail: "there is no such thing here"}
	case errors.Is(err, data.ErrVersionMismatch):
		return problem{Status: http.StatusPreconditionFailed, Code: "version_mismatch",
			Detail: "the layer has changed since the version named in If-Match; read it again and repeat the change"}
	case errors.Is(err, data.ErrFull):
		return problem{Status: http.StatusInsufficientStorage, Code: "store_full",
			Detail: "the store has no room left; free space on its disk and send the file again: nothing was stored"}
	case errors.Is(err, data.ErrAuditBroken):
		return problem{Status: http.StatusServiceUnavailable, Code: "audit_down",
			Detail: "the audit log is not as this service left it; nothing was changed, tell the operator of this service"}
	case errors.Is(err, data.ErrReadOnly):
		return problem{Status: http.StatusServiceUnavailable, Code: "store_read_only",
			Detail: "the store cannot be written now; reading goes on, send the file again later: nothing was stored"}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return problem{Status: http.StatusServiceUnavailable, Code: "cancelled",
			Detail: "the request ended before the work was done: nothing was stored"}
	}
	return problem{Status: http.StatusInternalServerError, Code: "internal",
		Detail: "something went wrong here; the log has the reason"}
}

func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	s.errorHeaders(w, r, p.Status, err)
	p.Type, p.Title, p.Instance = "about:blank", http.StatusText(p.Status), r.URL.Path
	p.Description = p.Detail
	if p.Errors == nil {
		p.Errors = []paramError{}
	}
	body, err := json.Marshal(p)
	if err != nil {
		body = []byte(`{"status":500}`)
	}
	s.send(w, r, reply{status: p.Status, contentType: "application/problem+json", body: body})
}

// errorHeaders are those of every error; what is the service's own fault is
// logged.
func (s *Server) errorHeaders(w http.ResponseWriter, r *http.Request, status int, err error) {
	if status >= 500 {
		s.log.ErrorContext(r.Context(), "request failed", "route", routeName(r), "error", err.Error())
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Cache-Control", "no-store")
}
