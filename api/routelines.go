package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// MaxRouteLines is how many lines are scored at once.
const MaxRouteLines = 10_000

// RouteLines are the lines of a file, as they are to be scored.
type RouteLines struct {
	Lines  []orb.LineString
	IDs    []string // of the features that they are of, "" where the file names none
	Others int      // features that are no lines, which are left out
	// Report tells of the features that could not be read.
	Report *data.Report
}

// ReadRouteLines reads the lines of a file: GeoJSON, GPX, KML, or another format
// that Import reads. The parts of a feature that join, at the 180th meridian too,
// are one line; others are lines of their own. A file without lines is a
// *data.Refusal.
func ReadRouteLines(ctx context.Context, src io.Reader, o data.ImportOptions) (RouteLines, error) {
	o.Info = geo.LayerInfo{ID: "routes", Kind: geo.KindOther}
	o.Limits.Features = MaxRouteLines
	const none = "there is no line in it; a route is a LineString of two points and more, a GPX track or route, or a KML LineString"
	layer, report, err := data.Import(ctx, src, o)
	if r := (*data.Refusal)(nil); errors.As(err, &r) && r.Code == "no_rows" {
		err = &data.Refusal{Status: r.Status, Code: "no_line", Message: none, Report: r.Report}
	}
	if r := (*data.Refusal)(nil); errors.As(err, &r) && r.Code == "too_many_features" {
		err = &data.Refusal{Status: r.Status, Code: "too_many_lines", Report: r.Report,
			Message: fmt.Sprintf("the file has more than %d lines; split it", MaxRouteLines)}
	}
	if err != nil {
		return RouteLines{Report: report}, err
	}
	out := RouteLines{Report: report}
	for row := range layer.Len() {
		lines := joined(layer.Geometry(row))
		if lines == nil {
			out.Others++
		}
		out.Lines = append(out.Lines, lines...)
		for range lines {
			out.IDs = append(out.IDs, layer.OwnID(row))
		}
	}
	switch n := len(out.Lines); {
	case n == 0:
		detail := none
		if len(report.Rows) > 0 {
			detail = fmt.Sprintf("no line in it can be used; of the first: %s", report.Rows[0].Message)
		}
		return out, &data.Refusal{Status: http.StatusUnprocessableEntity, Code: "no_line", Message: detail, Report: report}
	case n > MaxRouteLines:
		return out, &data.Refusal{Status: http.StatusRequestEntityTooLarge, Code: "too_many_lines", Report: report,
			Message: fmt.Sprintf("the file has %d lines, more than %d; split it", n, MaxRouteLines)}
	}
	return out, nil
}

// joined are the lines of a geometry, with those that go on from each other as one.
func joined(g orb.Geometry) []orb.LineString {
	var out []orb.LineString
	add := func(line orb.LineString) {
		if n := len(out) - 1; n >= 0 && len(line) > 0 && samePlace(out[n][len(out[n])-1], line[0]) {
			out[n] = append(out[n], line[1:]...)
			return
		}
		if len(line) > 0 {
			out = append(out, line.Clone())
		}
	}
	switch g := g.(type) {
	case orb.LineString:
		add(g)
	case orb.MultiLineString:
		for _, line := range g {
			add(line)
		}
	case orb.Collection:
		for _, part := range g {
			out = append(out, joined(part)...)
		}
	}
	return out
}

// samePlace reports whether two points are one, or stand for one on both sides of
// the 180th meridian.
func samePlace(a, b orb.Point) bool {
	turn := math.Abs(a[0] - b[0])
	return a[1] == b[1] && (turn == 0 || turn == 360)
}

// cutLine is the part of a line between two distances along it.
func cutLine(line orb.LineString, fromM, toM float64, from, to orb.Point) orb.LineString {
	out := orb.LineString{from}
	along := 0.0
	for i := 1; i < len(line) && along < toM; i++ {
		along += geo.DistanceM(line[i-1], line[i])
		if along > fromM+0.5 && along < toM-0.5 {
			out = append(out, line[i])
		}
	}
	return append(out, to)
}
