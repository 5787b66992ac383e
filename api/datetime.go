package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// interval is a span of time, either end open.
type interval struct{ from, to time.Time }

// datetimeParam reads an instant, or from/to with .. or nothing for an open
// end, or a duration (ISO 8601) in place of one of them.
func datetimeParam(r *http.Request) (interval, bool, error) {
	text := r.URL.Query().Get("datetime")
	if text == "" {
		return interval{}, false, nil
	}
	a, b, isInterval := strings.Cut(text, "/")
	if !isInterval {
		b = a
	}
	read := func(s string, end bool) (time.Time, error) {
		if isInterval && (s == "" || s == "..") {
			return time.Time{}, nil
		}
		if t, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
			return t, nil
		}
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			return t, badParameter("datetime", "%q is neither a date nor an instant of RFC 3339", s)
		}
		if end {
			t = t.Add(24*time.Hour - time.Millisecond)
		}
		return t, nil
	}
	var span interval
	var err error
	switch {
	case isInterval && strings.HasPrefix(a, "P"):
		if span.to, err = read(b, true); err == nil {
			span.from, err = shifted(span.to, a, -1)
		}
	case isInterval && strings.HasPrefix(b, "P"):
		if span.from, err = read(a, false); err == nil {
			span.to, err = shifted(span.from, b, 1)
		}
	default:
		if span.from, err = read(a, false); err == nil {
			span.to, err = read(b, true)
		}
	}
	if err != nil {
		return interval{}, false, err
	}
	if isInterval && span.from.IsZero() && span.to.IsZero() && a == "" && b == "" {
		return interval{}, false, badParameter("datetime", "one end of the interval must be given; write .. for an open one")
	}
	if !span.from.IsZero() && !span.to.IsZero() && span.from.After(span.to) {
		return interval{}, false, badParameter("datetime", "it ends before it begins")
	}
	return span, true, nil
}

// shifted is a time before or after another by a duration such as P2D or
// P1Y2M3DT4H5M6S.
func shifted(t time.Time, duration string, sign int) (time.Time, error) {
	bad := badParameter("datetime", "%q is not a duration such as P2D beside a time", duration)
	if t.IsZero() {
		return t, bad
	}
	rest, clock, seen := duration[1:], false, 0
	for rest != "" {
		if rest[0] == 'T' && !clock {
			clock, rest = true, rest[1:]
			continue
		}
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		count, err := strconv.Atoi(rest[:n])
		if err != nil || n == len(rest) || count > 100_000_000 {
			return t, bad
		}
		count *= sign
		switch unit := fmt.Sprint(string(rest[n]), clock); unit {
		case "Yfalse":
			t = t.AddDate(count, 0, 0)
		case "Mfalse":
			t = t.AddDate(0, count, 0)
		case "Wfalse":
			t = t.AddDate(0, 0, 7*count)
		case "Dfalse":
			t = t.AddDate(0, 0, count)
		case "Htrue":
			t = t.Add(time.Duration(count) * time.Hour)
		case "Mtrue":
			t = t.Add(time.Duration(count) * time.Minute)
		case "Strue":
			t = t.Add(time.Duration(count) * time.Second)
		default:
			return t, bad
		}
		rest = rest[n+1:]
		seen++
	}
	if seen == 0 || t.Year() < -100_000 || t.Year() > 100_000 {
		return t, bad
	}
	return t, nil
}
