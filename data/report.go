package data

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// Report is what came of an import, row by row. It is the answer of an upload
// (HTTP.md) and what the command line prints.
type Report struct {
	Layer         string      `json:"layer"`
	Version       int64       `json:"version"`
	Format        string      `json:"format"`
	Accepted      int         `json:"accepted"`    // rows of the file that were taken
	Quarantined   int         `json:"quarantined"` // rows kept out for a fault of their own
	Rejected      int         `json:"rejected"`    // rows of a refused file
	Warnings      []Warning   `json:"warnings"`    // the first MaxWarnings
	Rows          []RowFault  `json:"rows"`        // the first MaxRowFaults
	RowsTruncated bool        `json:"rows_truncated"`
	Defaults      []string    `json:"defaults"`             // schema fields that were filled in
	NotStored     []string    `json:"not_stored,omitempty"` // columns left out by the privacy rules
	Columns       []ColumnUse `json:"columns,omitempty"`    // of the file, the first of them
	Bounds        []float64   `json:"bounds"`               // west, south, east, north; null when empty
	DryRun        bool        `json:"dry_run,omitempty"`
	Diff          *Diff       `json:"diff,omitempty"` // of a dry run: what the change would do
	TookMS        float64     `json:"took_ms"`
}

// ColumnUse says what becomes of a column of a table, or of a property.
type ColumnUse struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"` // that it feeds; none: it is not stored
}

// MaxRowFaults, MaxWarnings and MaxColumnUses bound a report, so that an
// answer stays small.
const (
	MaxColumnUses = 512
	MaxRowFaults  = 200
	MaxWarnings   = 60

	mostReportBytes = 60 << 10 // of JSON, columns included
)

// NewReport returns an empty report whose lists are not null in JSON.
func NewReport(layer string) *Report {
	return &Report{Layer: layer, Warnings: []Warning{}, Rows: []RowFault{}, Defaults: []string{}}
}

// Warning is something to know about the file as a whole.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Count   int    `json:"count"`
	Rows    []int  `json:"rows,omitempty"` // the first of the rows that it is about
	about   string // tells warnings of one code apart, such as a column
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

// warn counts a warning; the first message of a code and subject stays.
func (r *Report) warn(code, about, format string, args ...any) {
	for i := range r.Warnings {
		if w := &r.Warnings[i]; w.Code == code && w.about == about {
			w.Count++
			return
		}
	}
	if len(r.Warnings) < MaxWarnings {
		r.Warnings = append(r.Warnings, Warning{Code: code, Message: fmt.Sprintf(format, args...), Count: 1, about: about})
		return
	}
	last := &r.Warnings[MaxWarnings-1]
	if last.Code != "more_warnings" {
		*last = Warning{Code: "more_warnings", Message: "further warnings are counted, not listed", Count: last.Count}
	}
	last.Count++
}

// maxWarningRows is how many rows a warning names.
const maxWarningRows = 20

// warnRow is warn about one row, which the warning names.
func (r *Report) warnRow(row int, code, format string, args ...any) {
	r.warn(code, "", format, args...)
	for i := range r.Warnings {
		if w := &r.Warnings[i]; w.Code == code && w.about == "" && len(w.Rows) < maxWarningRows {
			w.Rows = append(w.Rows, row)
		}
	}
}

// warnCount is warn for something counted beforehand.
func (r *Report) warnCount(n int, code, format string, args ...any) {
	if n > 0 {
		r.warn(code, "", format, args...)
		if w := &r.Warnings[len(r.Warnings)-1]; w.Code == code {
			w.Count = n
		}
	}
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
	if r.Accepted > 0 && !b.IsEmpty() {
		r.Bounds = []float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
}

// show quotes a piece of a file for a message: short, and without characters
// that could disturb a terminal or a log.
func show[T string | []byte](s T) string {
	const most = 40
	out := make([]rune, 0, most)
	for _, r := range string(s[:min(len(s), 4*most)]) {
		if len(out) == most {
			out = append(out, '…')
			break
		}
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd || r >= 0x200b && r <= 0x202e || r >= 0x2060 && r <= 0x2069 {
			r = '·'
		}
		out = append(out, r)
	}
	return "“" + string(out) + "”"
}

// showList joins names for a message.
func showList(names []string) string {
	const most = 20
	shown := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, strings.Trim(show(n), "“”"))
	}
	if len(names) > most {
		shown = append(shown, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(shown, ", ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
