package route

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// drawLand sets land and sea and the country of each node: that of its land, else
// of its waters.
func (g *Graph) drawLand(l map[string]*geo.Layer) {
	n := g.nx * g.ny
	g.ground, g.country = make([]Ground, n), make([]uint8, n)
	g.countries = []string{""}
	g.cover(l[g.Options.Waters], func(node int, code uint8) { g.country[node] = code })
	for j := 1; j < g.ny-1; j++ {
		for i := 1; i < g.nx-1; i++ {
			g.ground[j*g.nx+i] = Sea
		}
	}
	g.cover(l[g.Options.Land], func(node int, code uint8) { g.ground[node], g.country[node] = Open, code })
}

// cover calls yield with every node in the areas of a layer and the code of the
// area's country.
func (g *Graph) cover(l *geo.Layer, yield func(node int, code uint8)) {
	if l == nil {
		return
	}
	lons := make([]float64, g.nx-2)
	for i := range lons {
		lons[i] = g.west + (float64(i)+0.5)*g.dLon
	}
	covers := make([]bool, len(lons))
	box := g.Box()
	for row := range l.Len() {
		shape := l.Geometry(row)
		b := shape.Bound()
		if !b.Intersects(box) {
			continue
		}
		area, code := geo.NewArea(shape), g.code(l.Text(row, "country"))
		for j := 1; j < g.ny-1; j++ {
			lat := g.south + (float64(j)-0.5)*g.dLat
			if lat < b.Min[1] || lat > b.Max[1] {
				continue
			}
			area.CoversAlong(lat, lons, covers)
			for i, in := range covers {
				if in {
					yield(j*g.nx+i+1, code)
				}
			}
		}
	}
}

// code is the number of a country.
func (g *Graph) code(country string) uint8 {
	for k, c := range g.countries {
		if c == country {
			return uint8(k)
		}
	}
	if len(g.countries) > math.MaxUint8 {
		return 0
	}
	g.countries = append(g.countries, country)
	return uint8(len(g.countries) - 1)
}

// along calls yield with the nodes that lines pass, so that each touches the next
// by a side or corner.
func (g *Graph) along(shape orb.Geometry, yield func(node int32)) {
	eachLine(shape, func(line orb.LineString) {
		for i := 1; i < len(line); i++ {
			a, b := line[i-1], line[i]
			n := max(1, math.Ceil(2*max(math.Abs(b[0]-a[0])/g.dLon, math.Abs(b[1]-a[1])/g.dLat)))
			if !(n < 1e7) {
				continue
			}
			for k := 0.0; k <= n; k++ {
				if node, ok := g.nodeAt(orb.Point{a[0] + k/n*(b[0]-a[0]), a[1] + k/n*(b[1]-a[1])}); ok {
					yield(node)
				}
			}
		}
	})
}

func eachLine(shape orb.Geometry, yield func(orb.LineString)) {
	switch s := shape.(type) {
	case orb.LineString:
		yield(s)
	case orb.MultiLineString:
		for _, line := range s {
			yield(line)
		}
	case orb.Collection:
		for _, part := range s {
			eachLine(part, yield)
		}
	}
}

func (g *Graph) drawRivers(l map[string]*geo.Layer) {
	g.drawLines(l[g.Options.Rivers], River)
}

// drawLines gives the land under the lines of a layer a ground.
func (g *Graph) drawLines(l *geo.Layer, ground Ground) {
	if l == nil {
		return
	}
	for _, row := range l.Window(g.Box()) {
		g.along(l.Geometry(row), func(node int32) {
			if g.ground[node] != Sea && g.ground[node] != Closed {
				g.ground[node] = ground
			}
		})
	}
}

func (g *Graph) drawWays(l map[string]*geo.Layer) {
	for _, id := range g.Options.Villages {
		g.places(l[id], g.Options.VillageRadiusM, func(node int32) {
			if g.ground[node] == Open {
				g.ground[node] = Path
			}
		})
	}
	for _, id := range g.Options.Roads { // they bridge rivers
		g.drawLines(l[id], Path)
	}
}

// places calls yield with the nodes around the points of a layer.
func (g *Graph) places(l *geo.Layer, radiusM float64, yield func(node int32)) {
	if l == nil {
		return
	}
	for row := range l.Len() {
		if p, isPoint := l.Point(row); isPoint {
			g.around(p, radiusM, func(node int32, _ float64) { yield(node) })
			if node, ok := g.nodeAt(p); ok {
				yield(node)
			}
		}
	}
}

func (g *Graph) drawBarriers(l map[string]*geo.Layer) {
	for _, id := range g.Options.Barriers {
		g.bar(l[id])
	}
}

// drawLandings marks where boats are boarded and left: shores near landings and
// villages, or all.
func (g *Graph) drawLandings(l map[string]*geo.Layer) {
	g.landing = make([]bool, len(g.ground))
	mark := func(node int32) {
		if !g.landing[node] && g.isShore(int(node)) {
			g.landing[node] = true
			g.landingCount++
		}
	}
	if g.Options.AnyShore {
		for node := range g.ground {
			mark(int32(node))
		}
		return
	}
	for _, id := range g.Options.Villages {
		g.places(l[id], g.Options.LandingRadiusM, mark)
	}
	for _, id := range g.Options.Landings {
		g.places(l[id], g.Options.LandingRadiusM, mark)
	}
}

// isShore reports whether a node is land at the sea or sea at land.
func (g *Graph) isShore(node int) bool {
	here := g.ground[node]
	if here == Closed {
		return false
	}
	for _, step := range g.steps() {
		if there := g.ground[node+step]; there != Closed && (there == Sea) != (here == Sea) {
			return true
		}
	}
	return false
}

func (g *Graph) readSections() {
	g.section = make([]int16, len(g.ground))
	g.eachCell(func(node int, c surface.Cell) { g.section[node] = int16(min(math.MaxInt16, g.a.SectionIn(c))) })
}

// readDetection reads how often an hour patrols sweep each node.
func (g *Graph) readDetection() {
	n := len(g.ground)
	g.met, g.lowF, g.highF = make([]float32, n), make([]float32, n), make([]float32, n)
	sweeps := g.a.Sweeps()
	var last surface.Cell
	var low, mid, high float64
	g.eachCell(func(node int, c surface.Cell) {
		if c != last {
			low, mid, high = sweeps.At(c)
			last = c
		}
		g.lowF[node], g.met[node], g.highF[node] = float32(low), float32(mid), float32(high)
	})
}

// eachCell yields the nodes with the analysis cells that they lie in.
func (g *Graph) eachCell(yield func(node int, c surface.Cell)) {
	xs := make([]int32, g.nx)
	for i := range xs {
		xs[i] = g.cellOf(int32(g.nx + i)).X
	}
	for j := 1; j < g.ny-1; j++ {
		y := g.cellOf(int32(j*g.nx + 1)).Y
		for i := 1; i < g.nx-1; i++ {
			yield(j*g.nx+i, surface.Cell{X: xs[i], Y: y})
		}
	}
}
