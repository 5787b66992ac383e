package risk

import (
	"math"
	"slices"
)

// mass is a weight at a place of a grid, in units of 1/per of a cell's edge.
type mass struct {
	row, column int32
	weight      float64
}

// masses gathers the incidents of a window by place, to 1/parts of a cell's
// edge. They come by row.
func (g *CellGrid) masses(s span) []mass {
	var out []mass
	for _, e := range g.sites {
		day := int(e.day)
		if day < s.from || day >= s.to {
			continue
		}
		if last := len(out) - 1; last < 0 || out[last].row != e.row || out[last].column != e.column {
			out = append(out, mass{e.row, e.column, 0})
		}
		out[len(out)-1].weight += s.weight(day)
	}
	return out
}

// inCells gathers masses by cell, by row.
func inCells(places []mass) []mass {
	var out []mass
	index := map[[2]int32]int{}
	for _, m := range places {
		cell := [2]int32{m.row / parts, m.column / parts}
		at, seen := index[cell]
		if !seen {
			at = len(out)
			index[cell] = at
			out = append(out, mass{cell[0], cell[1], 0})
		}
		out[at].weight += m.weight
	}
	return out
}

// gaussian returns the mass of a normal distribution in each cell along one
// axis: k[i] = Φ((i+1-R-u)c/h) - Φ((i-R-u)c/h) for a centre at u of its cell's
// edge c and a standard deviation h, over all R cells either side where it is
// above 0 in float64. It returns R too.
func gaussian(edge, h, u float64) (k []float64, reach int) {
	half := func(x float64) float64 { return 0.5 * math.Erf(x*edge/h/math.Sqrt2) }
	for half(float64(reach+1)) < 0.5 && reach < maxGridCells {
		reach++
	}
	reach++ // u is off the middle by half a cell at most
	for i := -reach; i <= reach; i++ {
		k = append(k, half(float64(i)+1-u)-half(float64(i)-u))
	}
	return k, reach
}

// gaussianSurface returns the mass of a normal kernel of standard deviation h
// around each place in each cell of the area:
//
//	S(i) = Σ w [Φ((x₁-x)/h) - Φ((x₀-x)/h)] [Φ((y₁-y)/h) - Φ((y₀-y)/h)]
//
// with the edges x₀, x₁, y₀, y₁ of cell i. Places count at the middle of their
// 1/per of a cell. No truncation and no correction at the edge: what falls
// outside the area is lost. Cost O(rows with places × reach × columns).
func (g *CellGrid) gaussianSurface(places []mass, per int32, h float64) []float64 {
	kernels := make([][]float64, per)
	reach := 0
	for phase := range kernels {
		kernels[phase], reach = gaussian(g.Edge, h, (float64(phase)+0.5)/float64(per))
	}
	out := make([]float64, g.NX*g.NY)
	line := make([]float64, g.NX)
	for len(places) > 0 {
		row := places[0].row
		end := slices.IndexFunc(places, func(m mass) bool { return m.row != row })
		if end < 0 {
			end = len(places)
		}
		from, to := g.smoothLine(line, places[:end], kernels, reach)
		places = places[end:]
		k, middle := kernels[row%per], int(row/per)
		for y := max(0, middle-reach); y <= min(g.NY-1, middle+reach); y++ {
			w := k[y-middle+reach]
			if w == 0 {
				continue
			}
			into := out[y*g.NX+from : y*g.NX+to]
			for x, v := range line[from:to] {
				into[x] += w * v
			}
		}
	}
	return g.ofArea(out)
}

// smoothLine smooths the places of one row along it, into columns from..to.
func (g *CellGrid) smoothLine(line []float64, places []mass, kernels [][]float64, reach int) (from, to int) {
	per := int32(len(kernels))
	from, to = g.NX, 0
	for _, m := range places {
		middle := int(m.column / per)
		from, to = min(from, max(0, middle-reach)), max(to, min(g.NX, middle+reach+1))
	}
	clear(line[from:to])
	for _, m := range places {
		k, middle := kernels[m.column%per], int(m.column/per)
		for x := max(0, middle-reach); x < min(g.NX, middle+reach+1); x++ {
			line[x] += m.weight * k[x-middle+reach]
		}
	}
	return from, to
}

// quarticStamp returns (1-(d/h)²)² at the distance d < h between cell centres,
// scaled to the sum 1, over 2R+1 cells squared, and R.
func quarticStamp(edge, h float64) (stamp []float64, reach int) {
	reach = int(h / edge)
	sum := 0.0
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			u := 1 - float64(x*x+y*y)*edge*edge/(h*h)
			v := max(0, u) * max(0, u)
			stamp = append(stamp, v)
			sum += v
		}
	}
	for i := range stamp {
		stamp[i] /= sum
	}
	return stamp, reach
}

// quarticSurface sums a quartic kernel of radius h around the cells of the
// places.
func (g *CellGrid) quarticSurface(cells []mass, h float64) []float64 {
	stamp, reach := quarticStamp(g.Edge, h)
	side := 2*reach + 1
	out := make([]float64, g.NX*g.NY)
	for _, m := range cells {
		cx, cy := int(m.column), int(m.row)
		for y := max(0, cy-reach); y <= min(g.NY-1, cy+reach); y++ {
			for x := max(0, cx-reach); x <= min(g.NX-1, cx+reach); x++ {
				out[y*g.NX+x] += m.weight * stamp[(y-cy+reach)*side+x-cx+reach]
			}
		}
	}
	return g.ofArea(out)
}
