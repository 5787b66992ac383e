package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/tiles"
)

// floatParam reads a number between lo and hi; a missing one is fallback, or
// an error when fallback is NaN.
func floatParam(r *http.Request, name string, fallback, lo, hi float64) (float64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		if math.IsNaN(fallback) {
			return 0, badParameter(name, "is missing")
		}
		return fallback, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || strings.ContainsAny(text, "xX_pP") {
		return 0, badParameter(name, "%q is not a number", text)
	}
	if v < lo || v > hi {
		return 0, badParameter(name, "%g is outside %g to %g", v, lo, hi)
	}
	return v, nil
}

func intParam(r *http.Request, name string, fallback, lo, hi int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < lo || v > hi {
		return 0, badParameter(name, "%q is not a whole number from %d to %d", text, lo, hi)
	}
	return v, nil
}

// pointParam reads lon and lat, both wanted.
func pointParam(r *http.Request) (orb.Point, error) {
	lon, err := floatParam(r, "lon", math.NaN(), -180, 180)
	if err != nil {
		return orb.Point{}, err
	}
	lat, err := floatParam(r, "lat", math.NaN(), -90, 90)
	return orb.Point{lon, lat}, err
}

// timeParam reads an instant, RFC 3339 or a date; a date is its end, UTC.
func timeParam(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if t, err = time.Parse(time.DateOnly, text); err != nil {
			return time.Time{}, badParameter(name, "%q is neither 2026-11-22 nor 2026-11-22T10:00:00Z", text)
		}
		t = t.Add(24*time.Hour - time.Millisecond)
	}
	if t = t.UTC(); t.Year() < 1900 || t.Year() > 2200 {
		return time.Time{}, badParameter(name, "%s is not in the years 1900 to 2200", text)
	}
	return t, nil
}

// bboxParam reads west,south,east,north (or with heights, which are passed
// over); west beyond east crosses the dateline.
func bboxParam(r *http.Request) (b orb.Bound, given bool, err error) {
	text := r.URL.Query().Get("bbox")
	if text == "" {
		return b, false, nil
	}
	parts := strings.Split(text, ",")
	var v []float64
	for _, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return b, false, badParameter("bbox", "%q is not a number", p)
		}
		v = append(v, f)
	}
	if len(v) == 6 {
		v = []float64{v[0], v[1], v[3], v[4]}
	}
	if len(v) != 4 {
		return b, false, badParameter("bbox", "give west,south,east,north")
	}
	for i, most := range []float64{180, 90, 180, 90} {
		if math.Abs(v[i]) > most {
			return b, false, badParameter("bbox", "%g is not in -%g to %g; a box over the 180th meridian has a west beyond its east, such as 160,-10,-170,10", v[i], most, most)
		}
	}
	if v[1] > v[3] {
		return b, false, badParameter("bbox", "south %g is beyond north %g", v[1], v[3])
	}
	return orb.Bound{Min: orb.Point{v[0], v[1]}, Max: orb.Point{v[2], v[3]}}, true, nil
}

// interval is a span of time, either end open.
type interval struct{ from, to time.Time }

// datetimeParam reads an instant, or from/to with .. or nothing for an open end.
func datetimeParam(r *http.Request) (interval, bool, error) {
	text := r.URL.Query().Get("datetime")
	if text == "" {
		return interval{}, false, nil
	}
	read := func(s string, end bool) (time.Time, error) {
		if s == "" || s == ".." {
			return time.Time{}, nil
		}
		if t, err := time.Parse(time.RFC3339, s); err == nil {
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
	a, b, isInterval := strings.Cut(text, "/")
	if !isInterval {
		b = a
	}
	from, err := read(a, false)
	if err != nil {
		return interval{}, false, err
	}
	to, err := read(b, true)
	if err != nil {
		return interval{}, false, err
	}
	if !from.IsZero() && !to.IsZero() && from.After(to) {
		return interval{}, false, badParameter("datetime", "it ends before it begins")
	}
	return interval{from, to}, true, nil
}

// langParam reads a language of labels.
func langParam(r *http.Request) (tiles.Lang, error) {
	switch l := tiles.Lang(r.URL.Query().Get("lang")); l {
	case "":
		return tiles.English, nil
	case tiles.English, tiles.Indonesian, tiles.Malay:
		return l, nil
	default:
		return "", badParameter("lang", "%q is not en, id or ms", l)
	}
}

// listParam reads values separated by commas, sorted, each once.
func listParam(r *http.Request, name string) []string {
	var out []string
	for v := range strings.SplitSeq(r.URL.Query().Get(name), ",") {
		if v = strings.TrimSpace(v); v != "" && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// baseURL is the address of this service as the caller sees it.
func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return fmt.Sprintf("https://%s", r.Host)
	}
	return fmt.Sprintf("http://%s", r.Host)
}
