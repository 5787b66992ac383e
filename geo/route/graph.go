package route

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// GraphOptions say how a graph is laid. Layers are named by their IDs; those
// that the assessment does not have count as empty, but for Land.
type GraphOptions struct {
	CellM float64   // between nodes
	Box   orb.Bound // of the nodes; zero or empty: around the assessment's sections
	// MaxNodes bounds the graph; 0: 4 million.
	MaxNodes int

	Land     string   // areas with a property country
	Waters   string   // the same with their territorial waters
	Rivers   string   // lines
	Villages []string // points with ways around, which are landings where they are at water
	Landings []string // points where boats are boarded and left
	Roads    []string // lines
	Barriers []string // areas where nobody passes

	VillageRadiusM float64 // how far around villages there are ways
	LandingRadiusM float64 // how far around a landing boats land
	AnyShore       bool    // boats land anywhere
	TransferMin    float64 // to board or leave a boat

	Modes []Mode
}

// DefaultGraphOptions are a node each kilometre over the built-in layers. The
// radii and the time to board are placeholders.
func DefaultGraphOptions() GraphOptions {
	return GraphOptions{
		CellM: 1000, Land: "land", Waters: "territorial_waters", Rivers: "rivers",
		Villages: []string{"places", "informal_paths"}, Landings: []string{"illegal_ports", "water_crossings", "official_crossings"},
		VillageRadiusM: 2000, LandingRadiusM: 3000, TransferMin: 20, Modes: DefaultModes(),
	}
}

const defaultMaxNodes = 4_000_000

// Graph is a grid of nodes, each joined with its eight neighbours where the
// ground lets a mode pass; a diagonal between two barriers is closed. A node
// stands for the ground at its place: what is narrower than CellM may be missed.
// It is immutable and safe for concurrent use; searches share scratch memory of
// about 25 bytes a node each.
type Graph struct {
	Options GraphOptions
	a       *risk.Assessment

	nx, ny       int // with a closed frame of one node
	west, south  float64
	dLon, dLat   float64
	east, north  []float64             // metres to the next node east, by row; to the next row
	slant        []float64             // metres to the diagonal neighbour in the next row
	halfM        [][directions]float64 // half of the metres to each neighbour, by row
	ground       []Ground
	landing      []bool
	country      []uint8 // in countries; 0: none
	countries    []string
	section      []int16        // of the assessment, or -1
	met          []float32      // sweeps an hour
	lowF, highF  []float32      // the same with low and high sweep widths
	weeks        []*sectionWeek // of the sections
	gates        []gate         // edges over a border
	minLen       float64
	memory       *sync.Pool
	landingCount int
}

// NewGraph lays a graph over an assessment. It fails on options that cannot be
// used and without a layer of land. Cost: a second or two for a million nodes.
func NewGraph(ctx context.Context, a *risk.Assessment, o GraphOptions) (*Graph, error) {
	g := &Graph{Options: o, a: a, memory: newPool()}
	if err := g.lay(); err != nil {
		return nil, fmt.Errorf("lay a graph: %w", err)
	}
	l := layersByID(a)
	if l[o.Land] == nil {
		return nil, fmt.Errorf("lay a graph: there is no layer %q of land: load the built-in layers or name another", o.Land)
	}
	for _, stage := range []func(){
		func() { g.drawLand(l) },
		func() { g.drawRivers(l) },
		func() { g.drawWays(l) },
		func() { g.drawBarriers(l) },
		func() { g.drawLandings(l) },
		g.readSections,
		g.readWeeks,
		g.readDetection,
		g.findGates,
	} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("lay a graph: %w", err)
		}
		stage()
	}
	return g, nil
}

// WithAssessment returns the same graph with the patrols of another assessment
// of the same sections. Cost: some nanoseconds a node.
func (g *Graph) WithAssessment(a *risk.Assessment) *Graph {
	out := *g
	out.a = a
	out.readDetection()
	out.readWeeks()
	return &out
}

// Nodes returns how many nodes there are, landings how many of them are such.
func (g *Graph) Nodes() (n, landings int) { return (g.nx - 2) * (g.ny - 2), g.landingCount }

// Box returns the box of the nodes' cells.
func (g *Graph) Box() orb.Bound {
	return orb.Bound{Min: orb.Point{g.west, g.south},
		Max: orb.Point{g.west + float64(g.nx-2)*g.dLon, g.south + float64(g.ny-2)*g.dLat}}
}

func layersByID(a *risk.Assessment) map[string]*geo.Layer {
	out := map[string]*geo.Layer{}
	for _, l := range a.Layers() {
		out[l.Info.ID] = l
	}
	return out
}

func (g *Graph) lay() error {
	o := g.Options
	for _, c := range []struct {
		name      string
		v, lo, hi float64
	}{
		{"cell_m", o.CellM, 50, 50_000},
		{"village_radius_m", o.VillageRadiusM, 0, 100_000},
		{"landing_radius_m", o.LandingRadiusM, 0, 100_000},
		{"transfer_min", o.TransferMin, 0, 1440},
	} {
		if !(c.v >= c.lo && c.v <= c.hi) {
			return fmt.Errorf("%s is %g: use %g to %g", c.name, c.v, c.lo, c.hi)
		}
	}
	for _, m := range o.Modes {
		for ground := Sea; ground < grounds; ground++ {
			if v := m.kmh(ground); !(v == 0 || v >= 0.1 && v <= 200) {
				return fmt.Errorf("mode %q goes %g km/h on %s: use 0 (a barrier) or 0.1 to 200", m.Name, v, ground)
			}
		}
	}
	box := o.Box
	if box == (orb.Bound{}) {
		box = orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	}
	if box.IsEmpty() {
		for _, s := range g.a.Sections {
			if b := s.Line.Bound(); box.IsEmpty() {
				box = b
			} else {
				box = box.Union(b)
			}
		}
		if box.IsEmpty() {
			return fmt.Errorf("the assessment has no border sections to lay it around: give a box or load a boundary")
		}
		lonM, latM := geo.MetresPerDegree((box.Min[1] + box.Max[1]) / 2)
		reach := g.a.Model.DomainKM * 1000
		box.Min = orb.Point{box.Min[0] - reach/lonM, box.Min[1] - reach/latM}
		box.Max = orb.Point{box.Max[0] + reach/lonM, box.Max[1] + reach/latM}
	}
	if !(box.Min[0] >= -360 && box.Max[0] <= 360 && box.Max[0]-box.Min[0] <= 180 && box.Min[1] >= -80 && box.Max[1] <= 80) {
		return fmt.Errorf("the box %v cannot be used: give at most 180 degrees of longitude and latitudes within 80", box)
	}
	lonM, latM := geo.MetresPerDegree((box.Min[1] + box.Max[1]) / 2)
	g.west, g.south, g.dLon, g.dLat = box.Min[0], box.Min[1], o.CellM/lonM, o.CellM/latM
	nx, ny := math.Ceil((box.Max[0]-box.Min[0])/g.dLon), math.Ceil((box.Max[1]-box.Min[1])/g.dLat)
	most := o.MaxNodes
	if most == 0 {
		most = defaultMaxNodes
	}
	if nx*ny > float64(most) {
		return fmt.Errorf("it would have %.0f × %.0f nodes, more than %d: use larger cells or a smaller box", nx, ny, most)
	}
	g.nx, g.ny = int(max(1, nx))+2, int(max(1, ny))+2
	g.measure()
	return nil
}

// measure sets the lengths of edges, with the metric of their latitude.
func (g *Graph) measure() {
	g.east, g.north, g.slant = make([]float64, g.ny), make([]float64, g.ny), make([]float64, g.ny)
	g.minLen = math.Inf(1)
	for j := range g.ny {
		lat := g.south + (float64(j)-0.5)*g.dLat
		lonM, _ := geo.MetresPerDegree(lat)
		midLonM, midLatM := geo.MetresPerDegree(lat + g.dLat/2)
		g.east[j], g.north[j] = lonM*g.dLon, midLatM*g.dLat
		g.slant[j] = math.Hypot(midLonM*g.dLon, midLatM*g.dLat)
		g.minLen = min(g.minLen, g.east[j], g.north[j])
	}
	g.halfM = make([][directions]float64, g.ny)
	for j := range g.halfM {
		b := max(j, 1) - 1
		g.halfM[j] = [directions]float64{g.east[j] / 2, g.east[j] / 2, g.north[j] / 2, g.north[b] / 2, g.slant[j] / 2, g.slant[b] / 2, g.slant[j] / 2, g.slant[b] / 2}
	}
}

// point returns where a node is.
func (g *Graph) point(node int32) orb.Point {
	i, j := int(node)%g.nx, int(node)/g.nx
	return orb.Point{g.west + (float64(i)-0.5)*g.dLon, g.south + (float64(j)-0.5)*g.dLat}
}

// nodeAt returns the node whose cell holds a place.
func (g *Graph) nodeAt(p orb.Point) (node int32, inside bool) {
	x, y := math.Floor((p[0]-g.west)/g.dLon)+1, math.Floor((p[1]-g.south)/g.dLat)+1
	if !(x >= 1 && y >= 1 && x <= float64(g.nx-2) && y <= float64(g.ny-2)) {
		return 0, false
	}
	return int32(int(y)*g.nx + int(x)), true
}

// around calls yield with the nodes within radiusM of a place.
func (g *Graph) around(p orb.Point, radiusM float64, yield func(node int32, distanceM float64)) {
	lonM, latM := geo.MetresPerDegree(p[1])
	rx, ry := int(radiusM/(lonM*g.dLon))+1, int(radiusM/(latM*g.dLat))+1
	x := int(math.Floor(max(-1e9, min(1e9, (p[0]-g.west)/g.dLon)))) + 1
	y := int(math.Floor(max(-1e9, min(1e9, (p[1]-g.south)/g.dLat)))) + 1
	for j := max(1, y-ry); j <= min(g.ny-2, y+ry); j++ {
		for i := max(1, x-rx); i <= min(g.nx-2, x+rx); i++ {
			node := int32(j*g.nx + i)
			q := g.point(node)
			if d := math.Hypot((q[0]-p[0])*lonM, (q[1]-p[1])*latM); d <= radiusM {
				yield(node, d)
			}
		}
	}
}

// cellOf returns the analysis cell that a node lies in.
func (g *Graph) cellOf(node int32) surface.Cell { return surface.CellAt(g.point(node)) }

func newPool() *sync.Pool { return &sync.Pool{} }
