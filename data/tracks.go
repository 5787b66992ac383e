package data

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// trackSet joins the fixes of patrol tracks that come one a row.
type trackSet struct {
	byID    map[string]*track
	list    []*track     // in order of appearance
	varies  map[int]bool // slots whose values change within a track
	pending []pendingFix

	duplicates, disordered, untimed, timeless, silences, jumps int
}

// track is one patrol: where it was, and when.
type track struct {
	id     string
	number int // the row of its first fix
	points []orb.Point
	height heights // of the points; it may end early
	along  fixValues
	ms     []int64 // unix milliseconds, noTime for a fix without
	values []any   // by slot
	clock  dayCounter
}

// dayCounter follows times of day, in the order of the file, over midnight: one
// that goes back by more than half a day is of the next day. Fixes that are
// merely out of order go back by less.
type dayCounter struct {
	last  int64 // unix milliseconds
	days  int64
	begun bool
}

const dayMS = 24 * 60 * 60 * 1000

// next returns the instant of a stamp.
func (d *dayCounter) next(im *importer, st stamp) int64 {
	ms := st.from.UnixMilli()
	if !st.dayless {
		return ms
	}
	if ms += d.days * dayMS; d.begun && ms < d.last-dayMS/2 {
		d.days++
		ms += dayMS
		im.counts.pastMidnight++
	}
	d.begun, d.last = true, ms
	return ms
}

// pick keeps the fixes at some indices, in their order.
func (t *track) pick(rows []int) {
	t.along.pick(rows, len(t.points))
	if t.height != nil {
		all := padHeights(t.height, len(t.points))
		t.height = make(heights, len(rows))
		for k, i := range rows {
			t.height[k] = all[i]
		}
	}
	points, ms := make([]orb.Point, len(rows)), make([]int64, len(rows))
	for k, i := range rows {
		points[k], ms[k] = t.points[i], t.ms[i]
	}
	t.points, t.ms = points, ms
}

// pendingFix is a fix whose day and month could be the other way round.
type pendingFix struct {
	track  *track
	fix    int
	number int
	raw    string
}

const (
	noTime = math.MinInt64

	// A receiver that is silent longer, or a boat that is faster, says that
	// something between two fixes is not known. Both are kept.
	silenceMS  = 30 * 60 * 1000
	maxSpeedMS = 60.0
)

func newTrackSet() *trackSet {
	return &trackSet{byID: map[string]*track{}, varies: map[int]bool{}}
}

// takeTrack takes a row of a patrol layer: a fix, a line, or a presence.
func (im *importer) takeTrack(r *rowState) {
	switch g := r.geometry.(type) {
	case orb.Point:
		if r.trackID != "" {
			im.takeFix(r, g)
			return
		}
		im.takeFeature(r)
	case orb.LineString:
		im.takeLines(r, orb.MultiLineString{g})
	case orb.MultiLineString:
		im.takeLines(r, g)
	default:
		r.refuseRow("geometry", "bad_geometry", "is a "+g.GeoJSONType()+"; a patrol track is a line or a point")
	}
}

// takeFix adds a position to its track.
func (im *importer) takeFix(r *rowState, p orb.Point) {
	ms := int64(noTime)
	unsure, when := false, stamp{}
	if len(bytes.TrimSpace(r.from)) > 0 {
		st, f := im.dates.read(r.from)
		switch {
		case f != nil:
			r.refuseRow("time", f.code, show(r.from)+" "+f.message)
		case st.precision != instant:
			r.refuseRow("time", "no_time_of_day", show(r.from)+" has no time of day, which a fix needs")
		case !st.ambiguous && im.isFuture(st.from):
			r.refuseRow("time", "in_the_future", show(r.from)+" is more than 24 hours ahead")
		}
		if r.fault != nil {
			return
		}
		unsure, when = st.ambiguous, st
		if st.unzoned {
			im.noteZone(st)
		}
	}
	set := im.tracks
	t := set.byID[r.trackID]
	along, n := fixValues{}, 0
	if t != nil {
		along, n = t.along, len(t.points)
	}
	along.add(im, n)
	if t == nil {
		t = &track{id: r.trackID, number: r.number, values: slices.Clone(im.values)}
		set.byID[t.id] = t
		set.list = append(set.list, t)
	} else {
		set.merge(t, im.values)
	}
	t.along = along
	if !when.from.IsZero() {
		ms = t.clock.next(im, when)
	}
	if unsure {
		im.noteAmbiguous(r.from)
		set.pending = append(set.pending, pendingFix{t, len(t.points), r.number, string(r.from)})
	}
	t.height = appendHeight(t.height, len(t.points), r.heights.at(0))
	t.points = append(t.points, p)
	t.ms = append(t.ms, ms)
}

// merge keeps a track's values and notes those that change along it.
func (s *trackSet) merge(t *track, values []any) {
	for k, v := range values {
		switch {
		case v == nil || s.varies[k]:
		case k >= len(t.values):
			t.values = append(t.values, make([]any, k-len(t.values)+1)...)
			t.values[k] = v
		case t.values[k] == nil:
			t.values[k] = v
		case !sameValue(t.values[k], v):
			s.varies[k] = true
		}
	}
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	}
	return false
}

// takeLines takes the line or lines of a track that comes whole.
func (im *importer) takeLines(r *rowState, lines orb.MultiLineString) {
	n := 0
	for _, line := range lines {
		n += len(line)
	}
	ms, ok := im.lineTimes(r, n)
	if !ok {
		return
	}
	from, to, _ := im.times(r)
	if r.fault != nil {
		return
	}
	id := r.id
	if id == "" {
		id = r.trackID
	}
	if r.trackID != "" {
		im.values[im.slot("track_id")] = r.trackID
	}
	im.fillDefaults()
	for i, line := range lines {
		t := &track{id: id, points: line, height: r.heights.take(len(line))}
		if i > 0 && id != "" {
			t.id = id + "#" + itoa(i+1)
		}
		if ms != nil {
			t.ms, ms = ms[:len(line)], ms[len(line):]
		}
		im.addTrack(t, geo.Feature{From: from, To: to}, r)
	}
}

// lineTimes returns the instants of a line's vertices, nil when it has none.
func (im *importer) lineTimes(r *rowState, n int) ([]int64, bool) {
	if len(r.fixMS) == n && n > 0 {
		return r.fixMS, true
	}
	if !r.hasTimes && len(r.measures) == 0 {
		return nil, true
	}
	ms := make([]int64, 0, n)
	if !r.hasTimes {
		for _, m := range r.measures {
			switch {
			case m >= 1e8 && m < 1e11:
				ms = append(ms, int64(math.Round(m*1000)))
			case m >= 1e11 && m < 1e14:
				ms = append(ms, int64(math.Round(m)))
			}
		}
		if len(ms) < n { // some other measure, such as a distance
			im.counts.measuresDropped++
			return nil, true
		}
		im.counts.measures++
		return ms, true
	}
	if len(r.times) != n {
		r.refuseRow("times", "times_mismatch", "has "+itoa(len(r.times))+" times for "+itoa(n)+" vertices")
		return nil, false
	}
	var clock dayCounter
	for _, text := range r.times {
		st, f := im.dates.read(text)
		switch {
		case f != nil:
			r.refuseRow("times", f.code, show(text)+" "+f.message)
		case st.ambiguous || st.precision != instant:
			r.refuseRow("times", "bad_time", show(text)+" is not a date and time of the form YYYY-MM-DDThh:mm:ssZ")
		case im.isFuture(st.from):
			r.refuseRow("times", "in_the_future", show(text)+" is more than 24 hours ahead")
		}
		if r.fault != nil {
			return nil, false
		}
		if st.unzoned {
			im.noteZone(st)
		}
		ms = append(ms, clock.next(im, st))
	}
	return ms, true
}

// addTrack puts a track into the layer: in order of time, without fixes of the
// same instant, and as a point when one fix is all there is.
func (im *importer) addTrack(t *track, f geo.Feature, r *rowState) {
	if t.height != nil {
		t.height = padHeights(t.height, len(t.points))
	}
	t.along.read(im, len(t.points))
	im.tracks.tidy(t)
	f.ID = t.id
	switch {
	case len(t.points) == 1:
		f.Geometry = t.points[0]
		if t.ms != nil {
			f.From = time.UnixMilli(t.ms[0]).UTC()
			f.To = f.From
		}
	case t.ms == nil:
		im.tracks.untimed++
		f.Geometry = orb.LineString(t.points)
	default:
		f.Geometry = orb.LineString(t.points)
		f.VertexTimes = make([]time.Time, len(t.ms))
		for i, ms := range t.ms {
			f.VertexTimes[i] = time.UnixMilli(ms).UTC()
		}
		f.From, f.To = f.VertexTimes[0], f.VertexTimes[len(t.ms)-1]
	}
	im.setHeights(t.height, f.Geometry)
	t.along.set(im, f.Geometry)
	im.add(f, r)
}

// tidy orders a track and drops what cannot be used; ms is nil afterwards when
// no fix has a time.
func (s *trackSet) tidy(t *track) {
	timed := 0
	for _, ms := range t.ms {
		if ms != noTime {
			timed++
		}
	}
	if timed == 0 {
		t.ms = nil
		return
	}
	if !slices.IsSorted(t.ms) || timed < len(t.ms) {
		s.order(t, timed)
	}
	kept := make([]int, 1, len(t.ms)) // the first
	for i := 1; i < len(t.ms); i++ {
		last := kept[len(kept)-1]
		if t.ms[i] == t.ms[last] {
			s.duplicates++
			continue
		}
		gap := t.ms[i] - t.ms[last]
		if gap > silenceMS {
			s.silences++
		}
		if geo.LocalDistanceM(t.points[last], t.points[i]) > maxSpeedMS*float64(gap)/1000 {
			s.jumps++
		}
		kept = append(kept, i)
	}
	if len(kept) < len(t.ms) {
		t.pick(kept)
	}
}

// order sorts the fixes by time and leaves out those without one.
func (s *trackSet) order(t *track, timed int) {
	rows := make([]int, 0, timed)
	last, disordered := int64(noTime), false
	for i, ms := range t.ms {
		if ms == noTime {
			s.timeless++
			continue
		}
		disordered = disordered || ms < last
		last = ms
		rows = append(rows, i)
	}
	if disordered {
		s.disordered++
	}
	slices.SortStableFunc(rows, func(a, b int) int { return int(min(max(t.ms[a]-t.ms[b], -1), 1)) })
	t.pick(rows)
}

// flushTracks makes features of the fixes that came one a row.
func (im *importer) flushTracks() {
	set := im.tracks
	im.settleFixes()
	var dropped []string
	for k := range set.varies {
		dropped = append(dropped, im.slots[k])
	}
	slices.Sort(dropped)
	for _, name := range dropped {
		im.report.warn("column_varies", name, "the column %s is not stored: it changes from fix to fix of a track", show(name))
	}
	r := &im.row
	for _, t := range set.list {
		if len(t.points) == 0 {
			continue
		}
		r.begin(t.number)
		clear(im.values)
		for k, v := range t.values {
			if !set.varies[k] {
				im.values[k] = v
			}
		}
		im.values[im.slot("track_id")] = t.id
		im.fillDefaults()
		im.addTrack(t, geo.Feature{}, r)
		if r.fault != nil {
			im.report.fault(*r.fault)
			im.taken -= len(t.points)
		}
		*t = track{}
	}
}

// settleFixes reads the pending fixes in the order that was settled on, and
// drops those that it makes faulty.
func (im *importer) settleFixes() {
	var faulty []pendingFix
	for _, p := range im.tracks.pending {
		im.dates.row = p.number
		st, f := im.dates.read([]byte(p.raw))
		if f == nil && im.isFuture(st.from) {
			f = &valueFault{"in_the_future", "is more than 24 hours ahead"}
		}
		if f != nil {
			im.report.fault(RowFault{p.number, "time", f.code, show(p.raw) + " " + f.message})
			im.taken--
			faulty = append(faulty, p)
			continue
		}
		p.track.ms[p.fix] = st.from.UnixMilli()
	}
	for _, p := range slices.Backward(faulty) {
		p.track.points = slices.Delete(p.track.points, p.fix, p.fix+1)
		p.track.ms = slices.Delete(p.track.ms, p.fix, p.fix+1)
		for k, list := range p.track.along {
			if p.fix < len(list) {
				p.track.along[k] = slices.Delete(list, p.fix, p.fix+1)
			}
		}
		if p.fix < len(p.track.height) {
			p.track.height = slices.Delete(p.track.height, p.fix, p.fix+1)
		}
	}
	im.tracks.pending = nil
}
