package route

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// ErrNoPath is the error of ends that no way joins; it says why.
var ErrNoPath = errors.New("there is no way")

// ErrEnds is the error of ends that are not on the graph.
var ErrEnds = errors.New("the ends cannot be used")

// Query asks for ways between two places.
type Query struct {
	From, To orb.Point
	// Modes are used together: on each ground the fastest that can pass; boats are
	// boarded and left at landings.
	Modes []string
	// Theta weighs being met against time, in hours for each unit of -ln(1-p):
	// 0 is the fastest way, +Inf the one that is met least.
	Theta float64
	// SnapM is how far an end may be from ground that the modes can pass; 0:
	// three cells.
	SnapM float64
	// Depart is when the traveller starts; zero: at no hour in particular, so that
	// patrols count with their mean over the week. Else they count with the hour of
	// the week at which he comes to each place; he does not wait on the way.
	Depart time.Time
}

// Way is a path on a graph.
type Way struct {
	// Theta is that of the query; null where only being met counts.
	Theta   *float64       `json:"theta"`
	Line    orb.LineString `json:"line"`
	LengthM float64        `json:"length_m"`
	Hours   float64        `json:"hours"`
	Cost    float64        `json:"cost"` // hours + theta · -ln(1-p)
	// PDetected is the chance to be met on the way, patrols by the hours of
	// Depart, or their mean over the week; low and high are with the low and high
	// sweep widths.
	PDetected Band `json:"p_detected"`
	// Depart is that of the query, and AnyHour the chance to be met on this way at
	// no hour in particular.
	Depart  *time.Time `json:"depart,omitempty"`
	AnyHour *float64   `json:"p_detected_any_hour,omitempty"`
	// HourMatters: patrols on the way are not the same at all hours, so that
	// the chances change with when the traveller starts.
	HourMatters bool    `json:"hour_matters"`
	Evasion     float64 `json:"evasion"` // 1 - p
	// Borders are where the way passes into another country.
	Borders []BorderPoint `json:"borders"`
	// Grounds is how much of it lies on what.
	Grounds map[string]float64 `json:"length_by_ground_m"`

	nodes []int32
}

// BorderPoint is where a way passes from one country into another.
type BorderPoint struct {
	From      string    `json:"from"`
	To        string    `json:"to"`
	At        orb.Point `json:"at"`
	SectionID string    `json:"section_id,omitempty"`
	Ground    string    `json:"ground"`
}

// find is a query on its way: the nodes of its ends and its prices.
type find struct {
	from, to int32
	modes    []Mode
	costs    *costs
	departs  *departure // nil: at no hour in particular
	at       time.Time
}

// Find returns the way of the least cost. It fails with ErrEnds when an end is
// off the graph or its ground, and with ErrNoPath, saying why, when nothing joins
// them. Cost: one search; with Depart four, of which one is of the whole graph.
func (g *Graph) Find(ctx context.Context, q Query) (*Way, error) {
	f, err := g.prepare(q)
	if err != nil {
		return nil, err
	}
	if f.departs != nil {
		if len(f.departs.tries) == 0 {
			return nil, g.whyNot(f)
		}
		return g.bestTry(f, q.Theta), ctx.Err()
	}
	t := g.takeTree()
	defer g.putTree(t)
	if !g.search(t, f.costs, f.from, f.to) {
		return nil, g.whyNot(f)
	}
	return g.describe(f, g.way(t, f.to), q.Theta), ctx.Err()
}

// Front returns the ways for rising thetas, without those that another is
// neither slower nor met more than. Cost: one search each.
func (g *Graph) Front(ctx context.Context, q Query, thetas []float64) ([]Way, error) {
	var out []Way
	for _, theta := range thetas {
		q.Theta = theta
		w, err := g.Find(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, *w)
	}
	return undominated(out), nil
}

// DefaultThetas are the thetas of a front: fastest, from an hour for a chance of
// 63 % to ten thousand, and least met.
func DefaultThetas() []float64 {
	return []float64{0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, math.Inf(1)}
}

// undominated keeps the first of equal ways and drops those that are worse.
func undominated(ways []Way) []Way {
	const same = 1e-9
	var out []Way
	for i, w := range ways {
		keep := true
		for j, o := range ways {
			noWorse := o.Hours <= w.Hours*(1+same) && o.PDetected.Mean <= w.PDetected.Mean+same
			better := o.Hours < w.Hours*(1-same) || o.PDetected.Mean < w.PDetected.Mean-same
			if noWorse && (better || j < i) {
				keep = false
			}
		}
		if keep {
			out = append(out, w)
		}
	}
	return out
}

func (g *Graph) prepare(q Query) (*find, error) {
	modes, err := pickModes(g.Options.Modes, q.Modes)
	if err != nil {
		return nil, fmt.Errorf("find a way: %w", err)
	}
	if !(q.Theta >= 0) {
		return nil, fmt.Errorf("find a way: theta is %g: use 0 (fastest) or more, +Inf for the least met", q.Theta)
	}
	f := &find{modes: modes, costs: g.costsOf(modes, q.Theta, 1)}
	if f.from, err = g.end("from", q.From, f.costs, q.SnapM); err != nil {
		return nil, err
	}
	if f.to, err = g.end("to", q.To, f.costs, q.SnapM); err != nil {
		return nil, err
	}
	if !q.Depart.IsZero() {
		f.at = q.Depart.UTC()
		g.departAt(f, q)
	}
	return f, nil
}

// end finds the node nearest to an end that can be passed.
func (g *Graph) end(name string, p orb.Point, c *costs, snapM float64) (int32, error) {
	if _, inside := g.nodeAt(p); !inside {
		b := g.Box()
		return 0, fmt.Errorf("%w: %s at %g, %g is outside of the graph (%.2f to %.2f east, %.2f to %.2f north); choose a place inside or lay a larger graph",
			ErrEnds, name, p[0], p[1], b.Min[0], b.Max[0], b.Min[1], b.Max[1])
	}
	if snapM == 0 {
		snapM = 3 * g.Options.CellM
	}
	best, least := int32(-1), math.Inf(1)
	g.around(p, min(snapM, 100_000), func(node int32, m float64) {
		if m < least && !math.IsInf(float64(c.perM[node]), 1) {
			best, least = node, m
		}
	})
	if best < 0 {
		node, _ := g.nodeAt(p)
		return 0, fmt.Errorf("%w: %s at %g, %g is on %s, and within %.0f m there is nothing that these modes can pass; choose another mode or place",
			ErrEnds, name, p[0], p[1], g.ground[node], snapM)
	}
	return best, nil
}

// whyNot says what keeps two ends apart: it tries what would join them.
func (g *Graph) whyNot(f *find) error {
	t := g.takeTree()
	defer g.putTree(t)
	water, land := false, false
	for _, m := range f.modes {
		water, land = water || m.Boat, land || !m.Boat
	}
	all := g.costsOf(g.Options.Modes, 0, 1)
	reason := "a closed area, or the edge of the graph, lies between; lift the barrier or lay a larger graph"
	switch {
	case g.search(t, all, f.from, f.to) && !(water && land):
		if land {
			reason = "water lies between: these modes do not cross the sea; add a boat"
		} else {
			reason = "land lies between: boats do not cross it; add foot or motorcycle"
		}
	case g.search(t, all, f.from, f.to):
		reason = "the boats given do not reach all waters on the way; add sea_boat or river_boat"
	default:
		open := *all
		open.mixed = false // as if boats landed anywhere
		if g.search(t, &open, f.from, f.to) {
			reason = "no landing joins land and water on the way; name more landings or allow any shore"
		}
	}
	return fmt.Errorf("%w: %s", ErrNoPath, reason)
}

// describe measures a way.
func (g *Graph) describe(f *find, nodes []int32, theta float64) *Way {
	w := &Way{nodes: nodes, Grounds: map[string]float64{}, Borders: []BorderPoint{}}
	var met Band
	anyHour := 0.0
	add := func(node int32, hours, arrived float64) {
		anyHour += hours * float64(g.met[node])
		if f.departs != nil {
			hours *= g.factor(node, f.departs.hour+arrived)
		}
		met.Mean += hours * float64(g.met[node])
		met.Low += hours * float64(g.lowF[node])
		met.High += hours * float64(g.highF[node])
	}
	last := uint8(0) // the country that the way was in last
	for i, node := range nodes {
		if i > 0 {
			before := nodes[i-1]
			m := g.edgeM(before, node)
			w.LengthM += m
			w.Grounds[g.ground[before].String()] += m / 2
			w.Grounds[g.ground[node].String()] += m / 2
			changed := f.costs.mixed && g.change(f.costs, int(before), int(node)) > 0
			hu, hv := g.edgeHours(f.costs, before, node, m/2, changed)
			add(before, hu, w.Hours)
			w.Hours += hu + hv
			add(node, hv, w.Hours)
		}
		w.HourMatters = w.HourMatters || g.uneven(node)
		if c := g.country[node]; c != 0 {
			if last != 0 && c != last {
				w.Borders = append(w.Borders, g.borderPoint(last, nodes[i-1], node))
			}
			last = c
		}
	}
	w.PDetected = Band{pAtLeastOne(met.Mean), pAtLeastOne(met.Low), pAtLeastOne(met.High)}
	w.Evasion = math.Exp(-met.Mean)
	if f.departs != nil {
		p := pAtLeastOne(anyHour)
		w.Depart, w.AnyHour = &f.at, &p
	}
	w.Cost = w.Hours
	if !math.IsInf(theta, 1) {
		w.Theta = &theta
		w.Cost += theta * met.Mean
	}
	w.Line = g.lineOf(nodes)
	return w
}

func (g *Graph) borderPoint(from uint8, before, node int32) BorderPoint {
	p, q := g.point(before), g.point(node)
	return BorderPoint{From: g.countries[from], To: g.countries[g.country[node]],
		At: orb.Point{(p[0] + q[0]) / 2, (p[1] + q[1]) / 2}, SectionID: g.sectionID(node), Ground: g.ground[node].String()}
}

func (g *Graph) sectionID(node int32) string {
	if s := int(g.section[node]); s >= 0 && s < len(g.a.Sections) {
		return g.a.Sections[s].ID
	}
	return ""
}

// edgeM is the length of the edge between two neighbours.
func (g *Graph) edgeM(u, v int32) float64 {
	step := int(v - u)
	for d, s := range g.steps() {
		if s == step {
			return g.lengthM(int(u)/g.nx, d)
		}
	}
	return geo.LocalDistanceM(g.point(u), g.point(v))
}

// lineOf is the line through nodes, without those on a straight part.
func (g *Graph) lineOf(nodes []int32) orb.LineString {
	line := make(orb.LineString, 0, len(nodes))
	for i, node := range nodes {
		if i > 0 && i+1 < len(nodes) && nodes[i+1]-node == node-nodes[i-1] {
			continue
		}
		line = append(line, g.point(node))
	}
	return line
}
