package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
	routing "github.com/sempadan/sempadan/geo/route"
)

// RouteQuestion asks for ways between two places, or between many.
type RouteQuestion struct {
	From *Place `json:"from"`
	To   *Place `json:"to"`
	// Mode is one mode or several that are used together; none: all.
	Mode Words `json:"mode"`
	// Theta weighs being met against time, in hours for each unit of -ln(1-p).
	// Without it the answer is the fastest way and the one that is met least.
	Theta *Theta `json:"theta"`
	// K asks for so many ways that differ, with how often each is chosen.
	K int `json:"k"`
	// Front asks for the ways from the fastest to the one that is met least.
	Front bool `json:"front"`
	// Depart is when the traveller starts; none: at no hour in particular, so that
	// patrols count with their mean over the week.
	Depart *Departure `json:"depart"`
	// Corridor also asks how ways spread, and where many pass.
	Corridor bool `json:"corridor"`
	// Avoid are areas where nobody passes: layers by their ID, or GeoJSON polygons.
	Avoid []Barrier `json:"avoid"`
	// SnapM is how far an end may be from ground that the modes can pass; 0: 3 km.
	SnapM float64 `json:"snap_m"`
	// Matrix asks for many ends at once, in place of From and To.
	Matrix *MatrixQuestion `json:"matrix"`
	// Interdict also asks what to protect: of a matrix crossings, else stretches.
	Interdict *InterdictQuestion `json:"interdict"`
}

// MatrixQuestion asks for the ways from each origin to each destination by each
// crossing; without crossings by each border section.
type MatrixQuestion struct {
	Origins      []Place `json:"origins"`
	Destinations []Place `json:"destinations"`
	Crossings    []Place `json:"crossings"`
	// Stretch leaves out ways that cost more than so many times the least of their
	// pair; 0: 1.5.
	Stretch float64 `json:"stretch"`
	// MinCut also asks for the fewest squares of ground that all ways pass.
	MinCut bool `json:"min_cut"`
}

// InterdictQuestion asks which k elements to protect.
type InterdictQuestion struct {
	K int `json:"k"`
	// Protect is the chance that a protected element meets who passes; 0: 0.5.
	Protect float64 `json:"protect"`
	// Gamma is how rational travellers are; 0: wholly.
	Gamma float64 `json:"gamma"`
	// SideM is the side of the squares of ground; 0: 5 km.
	SideM float64 `json:"side_m"`
}

// Place is a longitude and a latitude.
type Place orb.Point

// UnmarshalJSON reads [longitude, latitude].
func (p *Place) UnmarshalJSON(raw []byte) error {
	var v []float64
	if err := json.Unmarshal(raw, &v); err != nil || len(v) < 2 || len(v) > 3 {
		return errors.New("a place is [longitude, latitude]")
	}
	if math.Abs(v[0]) > 180 || math.Abs(v[1]) > 85 {
		return fmt.Errorf("%g, %g is no place: give a longitude from -180 to 180 and a latitude from -85 to 85, in this order", v[0], v[1])
	}
	*p = Place{v[0], v[1]}
	return nil
}

func points(places []Place) (out []orb.Point) {
	for _, p := range places {
		out = append(out, orb.Point(p))
	}
	return out
}

// Words are one word or several.
type Words []string

// UnmarshalJSON reads a text or a list of them.
func (w *Words) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*w = Words{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// Theta is a number from 0 to infinity.
type Theta float64

// UnmarshalJSON reads a number, or "inf".
func (t *Theta) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text != "inf" {
			return fmt.Errorf("theta is %q: use a number from 0 (fastest), or \"inf\" (met least)", text)
		}
		*t = Theta(math.Inf(1))
		return nil
	}
	return json.Unmarshal(raw, (*float64)(t))
}

// Departure is an instant.
type Departure time.Time

// UnmarshalJSON reads an instant with its offset.
func (d *Departure) UnmarshalJSON(raw []byte) error {
	var text string
	_ = json.Unmarshal(raw, &text)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return fmt.Errorf("depart: %s is no instant such as \"2026-11-22T20:00:00+08:00\", in the years 1900 to 2200", raw)
	}
	*d = Departure(t)
	return nil
}

// Barrier is an area where nobody passes.
type Barrier struct {
	Layer string
	Area  orb.Geometry
}

const mostBarrierVertices = 20_000

// UnmarshalJSON reads the ID of a layer, or a GeoJSON polygon.
func (b *Barrier) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &b.Layer) == nil {
		return nil
	}
	g, err := geojson.UnmarshalGeometry(raw)
	if err != nil {
		return errors.New("avoid: give the ID of a layer, or a GeoJSON Polygon or MultiPolygon")
	}
	b.Area = g.Geometry()
	n := 0
	count := func(p orb.Polygon) {
		for _, ring := range p {
			n += len(ring)
		}
	}
	switch a := b.Area.(type) {
	case orb.Polygon:
		count(a)
	case orb.MultiPolygon:
		for _, p := range a {
			count(p)
		}
	default:
		return fmt.Errorf("avoid: a %s has no area; give a Polygon or MultiPolygon", g.Type)
	}
	if n < 4 || n > mostBarrierVertices {
		return fmt.Errorf("avoid: an area has %d vertices; give 4 to %d", n, mostBarrierVertices)
	}
	return nil
}

const (
	mostWays     = 10
	mostBarriers = 50
	mostProtect  = 20
	// moderateTheta is that of alternatives and matrices where none is given: a
	// chance of 1 % is worth an hour.
	moderateTheta = 100.0
)

// Check reports the first thing that cannot be answered, and fills in what was
// left out.
func (q *RouteQuestion) Check() error {
	if len(q.Mode) == 0 {
		for _, m := range routing.DefaultModes() {
			q.Mode = append(q.Mode, m.Name)
		}
	}
	switch {
	case q.Matrix == nil && (q.From == nil || q.To == nil):
		return errors.New("from and to: give both, as [longitude, latitude], or a matrix")
	case q.Matrix != nil && (q.From != nil || q.To != nil || q.K != 0 || q.Front || q.Corridor):
		return errors.New("matrix: it has ends of its own, and neither k, front nor corridor go with it")
	case q.K < 0 || q.K > mostWays:
		return fmt.Errorf("k: %d is not 0 to %d", q.K, mostWays)
	case q.Front && (q.K > 1 || q.Theta != nil):
		return errors.New("front: it sweeps theta by itself; leave out theta and k")
	case q.Front && q.Interdict != nil:
		return errors.New("front: what to protect is asked of ways that differ; leave out front, or interdict")
	case q.Theta != nil && !(*q.Theta >= 0):
		return fmt.Errorf("theta: %g is not 0 (fastest) or more", *q.Theta)
	case q.Theta != nil && math.IsInf(float64(*q.Theta), 1) && (q.K > 1 || q.Corridor || q.Interdict != nil || q.Matrix != nil):
		return errors.New("theta: \"inf\" is for one way; use a number such as 10000")
	case q.Depart != nil && q.Matrix != nil:
		return errors.New("depart: a matrix has no hour, for its ways are put together from both ends; ask with from and to")
	case !(q.SnapM >= 0 && q.SnapM <= 100_000):
		return fmt.Errorf("snap_m: %g is not 0 to 100000", q.SnapM)
	case len(q.Avoid) > mostBarriers:
		return fmt.Errorf("avoid: %d areas are more than %d", len(q.Avoid), mostBarriers)
	case slices.Contains(q.Mode, ""):
		return errors.New("mode: \"\" is none")
	}
	known := routing.DefaultModes()
	for _, m := range q.Mode {
		if !slices.ContainsFunc(known, func(k routing.Mode) bool { return k.Name == m }) {
			return fmt.Errorf("mode: %q is not foot, motorcycle, river_boat or sea_boat", m)
		}
	}
	return errors.Join(q.Matrix.check(), q.Interdict.check())
}

func (m *MatrixQuestion) check() error {
	if m == nil {
		return nil
	}
	if m.Stretch == 0 {
		m.Stretch = 1.5
	}
	switch n := len(m.Origins) + len(m.Destinations); {
	case len(m.Origins) == 0 || len(m.Destinations) == 0:
		return errors.New("matrix: give at least one of origins and of destinations")
	case n > routing.MaxMatrixEnds:
		return fmt.Errorf("matrix: %d origins and destinations are more than %d", n, routing.MaxMatrixEnds)
	case len(m.Crossings) > 1000:
		return fmt.Errorf("matrix: %d crossings are more than 1000", len(m.Crossings))
	case m.MinCut && len(m.Origins)*len(m.Destinations) > routing.MaxCutPairs:
		return fmt.Errorf("matrix: min_cut is for at most %d pairs of an origin and a destination, not %d", routing.MaxCutPairs, len(m.Origins)*len(m.Destinations))
	case !(m.Stretch >= 1 && m.Stretch <= 100):
		return fmt.Errorf("matrix: a stretch of %g is not 1 to 100", m.Stretch)
	}
	return nil
}

func (i *InterdictQuestion) check() error {
	if i == nil {
		return nil
	}
	if i.Protect == 0 {
		i.Protect = 0.5
	}
	if i.SideM == 0 {
		i.SideM = 5000
	}
	switch {
	case i.K < 1 || i.K > mostProtect:
		return fmt.Errorf("interdict: k is %d, not 1 to %d", i.K, mostProtect)
	case !(i.Protect > 0 && i.Protect <= 1):
		return fmt.Errorf("interdict: protect is %g, not above 0 and up to 1", i.Protect)
	case !(i.Gamma >= 0 && finite(i.Gamma)):
		return fmt.Errorf("interdict: gamma is %g, not 0 (wholly rational) or more", i.Gamma)
	case !(i.SideM >= 1000 && i.SideM <= 100_000):
		return fmt.Errorf("interdict: side_m is %g, not 1000 to 100000", i.SideM)
	}
	return nil
}

// kind says in a word what is asked.
func (q *RouteQuestion) kind() string {
	switch {
	case q.Matrix != nil && q.Interdict != nil:
		return "interdict.crossings"
	case q.Matrix != nil:
		return "matrix"
	case q.Interdict != nil:
		return "interdict.segments"
	case q.Front:
		return "front"
	case q.K > 1:
		return "alternatives"
	}
	return "ways"
}
