package plan

import (
	"math"
	"slices"

	"github.com/sempadan/sempadan/geo"
)

// beat is a run of pieces that a unit patrols up and down, so that its effort
// is spread evenly over their area. A route, several of them one after the other,
// is held the same way, with visits.
type beat struct {
	span
	spans     []span  // itself; of a route those of its visits, which have no piece in common
	visits    []visit // of a route
	entry     int     // the piece nearest to the base
	tripH     float64 // one way between base and entry
	rate      float64 // coverage per hour, of the beat's whole area
	lastsH    float64 // how long an incident is there to be met
	explores  bool    // at least half of its pieces are to be explored
	shapes    []shape // one for each length of sortie that leaves an hour on the beat
	grades    []grade
	bestAlone float64 // gain of its best sortie when there is no other
}

// span is pieces from ≤ i < to.
type span struct{ from, to int }

// grade is a coverage by day in calm weather, of a span of a beat.
type grade struct {
	exposure float64
	span     int
}

// shape is what a sortie of a length exposes: incidents that begin in hour h
// after its start are exposed to coverage grades[g], g being 0 … in run order.
type shape struct {
	dutyH int
	runs  []run
}

// run is hours from ≤ h < to after a sortie's start with the same exposure.
type run struct{ from, to, grade int }

// team is a unit with all that it could do.
type team struct {
	unit    int
	hours   int // on duty in the window
	beats   []beat
	byGain  []int             // beats, best alone first
	factors []float64         // of the sweep width, each once
	group   [conditions]uint8 // of factors, by condition
}

// network is a problem made ready: the expected incidents by piece and hour, and
// the teams.
type network struct {
	Problem
	hours     int // of the window
	restH     int
	expected  []float64 // by piece and hour
	total     float64
	explore   []bool  // by piece
	joint     []bool  // by piece
	condition []uint8 // by piece and hour: night and weather, see light.go
	quotaH    int     // hours on duty that beats which explore must get
	teams     []team
	unused    []Unused
}

func (n *network) row(values []float64, piece int) []float64 {
	return values[piece*n.hours : (piece+1)*n.hours]
}

func newNetwork(p Problem) *network {
	n := &network{Problem: p, hours: 24 * p.Options.WindowDays, restH: int(math.Ceil(p.Options.RestH))}
	n.expected = make([]float64, len(p.Pieces)*n.hours)
	for i, b := range p.Pieces {
		row := n.row(n.expected, i)
		for h, share := range b.Profile {
			row[h] = b.Expected.Mean * share
			n.total += row[h]
		}
	}
	n.explore, n.joint = leastKnown(p.Pieces), p.joint()
	n.condition = n.conditions()
	for i, u := range p.Units {
		reason, text := u.fault(p.Options)
		if reason == "" {
			t := team{unit: i, hours: int(math.Min(u.Hours, float64(n.hours)))}
			t.setFactors(u)
			if t.beats, reason, text = n.beatsOf(u, t.hours); reason == "" {
				n.teams = append(n.teams, t)
				continue
			}
		}
		n.unused = append(n.unused, Unused{u.ID, reason, text})
	}
	return n
}

// exploreShare of the pieces are those of which least is known.
const exploreShare = 0.2

// leastKnown marks the pieces to explore: those with the largest product of
// variance and severity, METHODS section 8, blind ones first.
func leastKnown(pieces []Piece) []bool {
	order := make([]int, len(pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int {
		p, q := pieces[x], pieces[y]
		switch {
		case p.Blind != q.Blind && p.Blind:
			return -1
		case p.Blind != q.Blind:
			return 1
		case p.Unknown > q.Unknown:
			return -1
		case p.Unknown < q.Unknown:
			return 1
		}
		return 0
	})
	out := make([]bool, len(pieces))
	for _, i := range order[:int(math.Ceil(exploreShare*float64(len(pieces))))] {
		out[i] = true
	}
	return out
}

// joinM is how far apart pieces may be that follow each other.
const joinM = 200

// reachable lists runs of pieces that a unit may patrol without a break.
func (n *network) reachable(u Unit) (runs [][2]int, reason Reason, text string) {
	media := mediaOf(u.Mode)
	fits, may := 0, 0
	last := -2
	for i, p := range n.Pieces {
		if !slices.Contains(media, p.Medium) {
			continue
		}
		fits++
		if !n.mayAct(u, i) {
			continue
		}
		may++
		if 2*n.tripH(u, i) > u.EnduranceH-1 {
			continue
		}
		if k := len(runs) - 1; last == i-1 && n.follows(i) {
			runs[k][1] = i + 1
		} else {
			runs = append(runs, [2]int{i, i + 1})
		}
		last = i
	}
	switch {
	case fits == 0:
		return nil, NoMedium, "no border of a medium that " + u.Mode + " can watch"
	case may == 0:
		return nil, NoMandate, u.Country + " may act nowhere that " + u.Mode + " can watch: agree on joint sections"
	case len(runs) == 0:
		return nil, TooFar, "no piece of border is near enough for an hour on it within its endurance"
	}
	return runs, "", ""
}

// follows tells whether a piece goes on where the one before it ends.
func (n *network) follows(i int) bool {
	a, b := n.Pieces[i-1], n.Pieces[i]
	return a.Medium == b.Medium && a.TransientH == b.TransientH &&
		geo.LocalDistanceM(a.Line[len(a.Line)-1], b.Line[0]) <= joinM
}

// tripH is the time from a unit's base to the nearer end of a piece.
func (n *network) tripH(u Unit, piece int) float64 {
	line := n.Pieces[piece].Line
	m := min(geo.LocalDistanceM(u.Base, line[0]), geo.LocalDistanceM(u.Base, line[len(line)-1]))
	return m / 1000 * n.Options.DetourFactor / u.SpeedKMH
}

// mostRate bounds how fast a beat is covered, an hour: a shorter one would be swept
// over and over before anybody new comes.
const mostRate = 1.5

// beatsOf lists the beats of a unit: runs of 1, 2, 4 … pieces, each half its
// length from the next. It may patrol one when it can go along it and back in the
// time that its endurance leaves.
func (n *network) beatsOf(u Unit, hours int) ([]beat, Reason, string) {
	runs, reason, text := n.reachable(u)
	if reason != "" {
		return nil, reason, text
	}
	durations := dutyHours(u, hours)
	var out []beat
	for _, r := range runs {
		for size := 1; ; size *= 2 {
			whole := size >= r[1]-r[0]
			for from := r[0]; from < r[1]; from += max(1, size/2) {
				to := min(from+size, r[1])
				if b, ok := n.newBeat(u, from, to, durations); ok && (b.rate <= mostRate || whole) {
					out = append(out, b)
				}
				if to == r[1] {
					break
				}
			}
			if whole {
				break
			}
		}
	}
	if len(out) == 0 {
		return nil, TooFar, "its hours and endurance leave no hour on a piece of border"
	}
	return out, "", ""
}

// dutyHours are the lengths of sortie that are tried: the endurance, three, two
// and one quarters of it, and what is left of the hours after full ones.
func dutyHours(u Unit, hours int) []int {
	full := int(math.Min(math.Floor(u.EnduranceH), float64(hours)))
	if full < 1 {
		return nil
	}
	out := []int{full, (3*full + 3) / 4, (full + 1) / 2, (full + 3) / 4, hours % full}
	slices.Sort(out)
	out = slices.Compact(out)
	slices.Reverse(out)
	return slices.DeleteFunc(out, func(d int) bool { return d < 1 })
}

func (n *network) newBeat(u Unit, from, to int, durations []int) (beat, bool) {
	b := beat{span: span{from, to}, spans: []span{{from, to}}, tripH: math.Inf(1), lastsH: n.Pieces[from].TransientH}
	area, km, unknown := 0.0, 0.0, 0
	for i := from; i < to; i++ {
		if h := n.tripH(u, i); h < b.tripH {
			b.tripH, b.entry = h, i
		}
		area += n.Pieces[i].AreaKM2
		km += n.Pieces[i].LengthKM
		if n.explore[i] {
			unknown++
		}
	}
	b.explores = 2*unknown >= to-from
	b.rate = u.SweepWidthM / 1000 * u.SpeedKMH / area
	for _, d := range durations {
		if onBeat := float64(d) - 2*b.tripH; onBeat >= 1 && 2*km <= u.SpeedKMH*onBeat {
			b.addShape(d)
		}
	}
	return b, len(b.shapes) > 0
}

// mostExposure leaves e^-50 unmet, and no number to overflow.
const mostExposure = 50

// addShape works out whom a sortie of dutyH hours can meet.
func (b *beat) addShape(dutyH int) {
	s := shape{dutyH: dutyH}
	b.addRuns(&s, 0, b.visit(dutyH))
	b.shapes = append(b.shapes, s)
}

// visit is the time on a beat of a sortie that has one.
func (b *beat) visit(dutyH int) visit {
	return visit{begin: b.tripH, end: float64(dutyH) - b.tripH, rate: b.rate, lastsH: b.lastsH}
}

// addRuns works out whom a visit can meet: an incident that begins at hour h is there
// until h+lastsH.
func (b *beat) addRuns(s *shape, at int, v visit) {
	first := len(s.runs)
	for h := int(math.Floor(v.begin-v.lastsH)) + 1; float64(h) < v.end; h++ {
		overlap := v.overlap(h)
		if overlap <= 1e-9 {
			continue
		}
		g := b.grade(at, min(v.rate*overlap, mostExposure))
		if k := len(s.runs) - 1; k >= first && s.runs[k].grade == g && s.runs[k].to == h {
			s.runs[k].to = h + 1
		} else {
			s.runs = append(s.runs, run{h, h + 1, g})
		}
	}
}

// grade finds an exposure among those of the beat, or adds it.
func (b *beat) grade(at int, exposure float64) int {
	for g, v := range b.grades {
		if v.span == at && math.Abs(v.exposure-exposure) < 1e-9*(v.exposure+exposure) {
			return g
		}
	}
	b.grades = append(b.grades, grade{exposure, at})
	return len(b.grades) - 1
}
