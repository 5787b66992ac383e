package data

import (
	"fmt"
	"sort"

	"github.com/paulmach/orb"
)

// Report is what came of an import, row by row. It is the answer of an upload
// (HTTP.md) and what the command line prints.
type Report struct {
	Layer         string     `json:"layer"`
	Version       int64      `json:"version"`
	Format        string     `json:"format"`
	Accepted      int        `json:"accepted"`
	Quarantined   int        `json:"quarantined"` // rows kept out for a fault of their own
	Rejected      int        `json:"rejected"`    // rows of a refused file
	Warnings      []Warning  `json:"warnings"`
	Rows          []RowFault `json:"rows"` // the first MaxRowFaults
	RowsTruncated bool       `json:"rows_truncated"`
	Defaults      []string   `json:"defaults"` // schema fields that were filled in
	Bounds        []float64  `json:"bounds"`   // west, south, east, north; null when empty
	DryRun        bool       `json:"dry_run,omitempty"`
	TookMS        float64    `json:"took_ms"`
}

// MaxRowFaults bounds Report.Rows, so that an answer stays small.
const MaxRowFaults = 200

// Warning is something to know about the file as a whole.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Count   int    `json:"count"`
}

// RowFault says what is wrong with one row. Row is the line of a text table
// (the header is line 1), or the number of a feature, counting from 1.
type RowFault struct {
	Row     int    `json:"row"`
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Refusal is the error of a file that was not taken. Report holds what was
// found up to then.
type Refusal struct {
	Status  int // the HTTP status that fits: 400, 413, 415 or 422
	Code    string
	Message string
	Report  *Report
}

func (r *Refusal) Error() string { return r.Message }

func refuse(status int, code, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// warn counts a warning; the first message of a code stays.
func (r *Report) warn(code, format string, args ...any) {
	for i := range r.Warnings {
		if r.Warnings[i].Code == code {
			r.Warnings[i].Count++
			return
		}
	}
	r.Warnings = append(r.Warnings, Warning{code, fmt.Sprintf(format, args...), 1})
}

// fault quarantines a row.
func (r *Report) fault(f RowFault) {
	r.Quarantined++
	if len(r.Rows) < MaxRowFaults {
		r.Rows = append(r.Rows, f)
	} else {
		r.RowsTruncated = true
	}
}

func (r *Report) setBounds(b orb.Bound) {
	if r.Accepted > 0 {
		r.Bounds = []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
	sort.Strings(r.Defaults)
}
