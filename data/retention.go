package data

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Retention says for how many days records of a class are kept, counted from
// when they happened. The class of a record is its retention_class, else the
// classification of its layer. What its valid_until says comes before any.
type Retention map[string]int

// ParseRetention reads class=days,… as the command line has it.
func ParseRetention(text string) (Retention, error) {
	r := Retention{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		class, days, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(days)
		if !ok || class == "" || err != nil || n < 1 {
			return nil, fmt.Errorf("%q is not class=days, such as restricted=365", part)
		}
		r[class] = n
	}
	return r, nil
}

// String is the inverse of ParseRetention, by class.
func (r Retention) String() string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(r)) {
		parts = append(parts, class+"="+strconv.Itoa(r[class]))
	}
	return strings.Join(parts, ",")
}

// Expired returns the FIDs of the rows whose time is over. A row that has
// neither valid_until nor a date stays.
func (r Retention) Expired(l *geo.Layer, now time.Time) []int64 {
	var out []int64
	for row := range l.Len() {
		end, known := validUntil(l.Text(row, "valid_until"))
		if !known {
			end, known = r.endOf(l, row)
		}
		if known && now.After(end) {
			out = append(out, l.FID(row))
		}
	}
	return out
}

func (r Retention) endOf(l *geo.Layer, row int) (time.Time, bool) {
	if len(r) == 0 {
		return time.Time{}, false
	}
	_, to, dated := l.TimesMS(row)
	days, listed := r[l.Text(row, "retention_class")]
	if !listed {
		days, listed = r[l.Info.Classification]
	}
	return time.UnixMilli(to).Add(time.Duration(days) * 24 * time.Hour), dated && listed
}

// validUntil reads a day, which counts to its end in UTC, or an instant.
func validUntil(text string) (time.Time, bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(24 * time.Hour), true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}
