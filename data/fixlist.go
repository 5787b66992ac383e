package data

import (
	"bytes"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// fixList collects the positions of a line that a receiver recorded, each with
// its time if it has one. A bad position is kept out by itself: the rest of
// the line is good.
type fixList struct {
	im     *importer
	row    int
	lines  orb.MultiLineString
	ms     []int64 // of all lines together, noTime for a position without
	height heights // likewise; it may end early
	n      int     // positions, good or bad
	timed  int
	clock  dayCounter
	bounds [2]time.Time // the first and the last time
}

func (l *fixList) begin(im *importer, row int) {
	*l = fixList{im: im, row: row, ms: l.ms[:0], height: l.height[:0]}
}

// segment begins another line.
func (l *fixList) segment() {
	if n := len(l.lines); n == 0 || len(l.lines[n-1]) > 0 {
		l.lines = append(l.lines, nil)
	}
}

// fix is one position as a reader meets it.
type fix struct {
	line     int // of the file
	name     string
	lon, lat []byte
	height   []byte
	time     []byte
}

// add takes a position into the last segment, or keeps it out with its line.
func (l *fixList) add(f fix) {
	l.n++
	p, fault := readPosition(f.lon, f.lat, l.im.toWGS84)
	ms := int64(noTime)
	if fault == nil && len(f.time) > 0 {
		ms, fault = l.instant(f.time)
	}
	if fault != nil {
		l.im.report.fault(RowFault{l.row, f.name, fault.code,
			"point " + itoa(l.n) + " on line " + itoa(f.line) + ": " + fault.message + "; the other points were taken"})
		return
	}
	if len(l.lines) == 0 {
		l.segment()
	}
	k := len(l.lines) - 1
	l.lines[k] = append(l.lines[k], p)
	if z, ok := xmlNumber(f.height); ok {
		l.height = appendHeight(l.height, len(l.ms), z)
	}
	l.ms = append(l.ms, ms)
}

func (l *fixList) instant(text []byte) (int64, *valueFault) {
	st, f := l.im.dates.read(text)
	switch {
	case f != nil:
		return 0, &valueFault{f.code, "the time " + show(text) + " " + f.message}
	case st.ambiguous || st.precision != instant:
		return 0, &valueFault{"bad_time", "the time " + show(text) + " is not a date and time of the form YYYY-MM-DDThh:mm:ssZ"}
	case l.im.isFuture(st.from):
		return 0, &valueFault{"in_the_future", "the time " + show(text) + " is more than 24 hours ahead"}
	}
	if st.unzoned {
		l.im.noteZone(st)
	}
	st.from = time.UnixMilli(l.clock.next(l.im, st)).UTC()
	if l.timed++; l.timed == 1 || st.from.Before(l.bounds[0]) {
		l.bounds[0] = st.from
	}
	if l.timed == 1 || st.from.After(l.bounds[1]) {
		l.bounds[1] = st.from
	}
	return st.from.UnixMilli(), nil
}

// finish gives the row its lines, heights and times.
func (l *fixList) finish(r *rowState) {
	if n := len(l.lines); n > 0 && len(l.lines[n-1]) == 0 {
		l.lines = l.lines[:n-1]
	}
	var all heights
	if len(l.height) > 0 {
		all = padHeights(slices.Clone(l.height), len(l.ms))
	}
	if l.im.kind == geo.KindPatrolTrack {
		r.heights = all
		l.finishTrack(r)
		return
	}
	if l.timed > 0 {
		r.from = l.bounds[0].AppendFormat(nil, time.RFC3339)
		r.to = l.bounds[1].AppendFormat(nil, time.RFC3339)
	}
	lines := l.lines[:0]
	for _, line := range l.lines {
		z := all.take(len(line))
		if len(line) > 1 { // a line needs two positions
			lines = append(lines, line)
			r.heights = append(r.heights, z...)
		}
	}
	switch len(lines) {
	case 0:
		r.refuseRow("geometry", "short_line", "has no line of two good points or more")
	case 1:
		r.geometry = lines[0]
	default:
		r.geometry = lines
	}
}

func (l *fixList) finishTrack(r *rowState) {
	if len(l.lines) == 0 {
		r.refuseRow("geometry", "empty_geometry", "has no good points")
		return
	}
	r.geometry = l.lines
	if l.timed > 0 {
		r.fixMS = append([]int64(nil), l.ms...)
	}
}

// readPosition reads a longitude and latitude as they are written in XML.
func readPosition(lon, lat []byte, to transform) (orb.Point, *valueFault) {
	x, okX := xmlNumber(lon)
	y, okY := xmlNumber(lat)
	if !okX {
		return orb.Point{}, &valueFault{"bad_coordinate", "the longitude " + show(lon) + " is not a decimal number"}
	}
	if !okY {
		return orb.Point{}, &valueFault{"bad_coordinate", "the latitude " + show(lat) + " is not a decimal number"}
	}
	p := orb.Point{x, y}
	if to != nil {
		p = to(p)
	}
	if !inWorld(p) {
		return p, outOfRange(p, to != nil)
	}
	return p, nil
}

func inWorld(p orb.Point) bool { return p[1] >= -90 && p[1] <= 90 && p[0] >= -180 && p[0] <= 180 }

// xmlNumber reads a decimal number as XML writes them: also with a plus, with
// leading zeros, and without digits on one side of the point.
func xmlNumber(text []byte) (float64, bool) {
	v, n, ok := scanNumber(text)
	if ok && n == len(text) {
		return v, true
	}
	negative := len(text) > 0 && text[0] == '-'
	if negative || len(text) > 0 && text[0] == '+' {
		text = text[1:]
	}
	if len(text) == 0 || text[0] == '-' || len(text) == 1 && text[0] == '.' {
		return 0, false
	}
	digits := bytes.TrimLeft(text, "0")
	if len(digits) == 0 || digits[0] == '.' {
		digits = append([]byte{'0'}, digits...)
	}
	v, n, ok = scanNumber(bytes.TrimSuffix(digits, []byte{'.'}))
	if negative {
		v = -v
	}
	return v, ok && n == len(bytes.TrimSuffix(digits, []byte{'.'}))
}
