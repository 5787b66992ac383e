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
