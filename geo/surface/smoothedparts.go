package surface

import "math"

// Contributions lists what adds to the density at a place; the parts add up
// to At, and events that were merged share theirs by weight. The distance is
// straight. Cost: for each place in reach, its kernel on the grid.
func (m *Smoothed) Contributions(lon, lat float64) []Contribution {
	var out []Contribution
	var at [1]Medium
	m.ground(lat, []float64{lon}, at[:])
	for i := range m.groups {
		if g := &m.groups[i]; g.medium == at[0] {
			out = append(out, m.partsOf(g, lon, lat)...)
		}
	}
	return out
}

func (m *Smoothed) partsOf(g *smoothedGroup, lon, lat float64) []Contribution {
	p := newPatch(g.level, readings{lats: []float64{lat}, lons: []float64{lon}})
	if !m.gather(g, &p, true) || !(p.at(0, 0) > 0) {
		return nil
	}
	around, _ := g.around(p.cellsOf, g.marginCells(p.cellsOf)/2)
	mask := m.mask(g, around)
	cells := p.stencil(0, 0)
	row0, col0 := p.y0-around.y0, p.x0-around.x0
	here := Lattice{Lon0: lon, DLon: 1, NX: 1, Lats: []float64{lat}}
	var out []Contribution
	sum := 0.0
	for i := range g.places.points.sets {
		s := &g.places.points.sets[i]
		g.places.near(s, here, g.hM+4*cellM(g.level, 0), func(k int, shift float64) {
			one := pointSet{lon: []float64{s.lon[k] + shift}, lat: s.lat[k : k+1], weight: s.weight[k : k+1]}
			for _, at := range mask.places(&one) {
				f := m.footprint(g, mask, at)
				v := 0.0
				for j, weight := range cells.weight {
					v += weight * f.at(row0+j/4, col0+j%4)
				}
				if v > 0 {
					sum += v
					out = append(out, g.shares(placeShare{i, k, v, shift}, lon, lat)...)
				}
			}
		})
	}
	for i := range out { // rounding, and what cubic convolution takes away
		out[i].PerM2 *= p.at(0, 0) / sum
	}
	return out
}

// footprint is what one place adds to the cells of a mask.
func (m *Smoothed) footprint(g *smoothedGroup, mask *Mask, at place) footprint {
	f := mask.window(at, g.reachM())
	f.value = make([]float64, f.nx*f.ny)
	if m.by == SmoothBarrier {
		f.byPath(at, g.reachM())
	} else {
		f.straight(at, g.reachM())
	}
	f.weigh(at, m.kernel, g.hM)
	return f
}

// at returns the value of a cell of the mask, 0 beyond the footprint.
func (f *footprint) at(row, col int) float64 {
	row, col = row-f.row0, col-f.col0
	if row < 0 || col < 0 || row >= f.ny || col >= f.nx {
		return 0
	}
	return f.value[row*f.nx+col]
}

// placeShare is what one place of a set of a group adds, per m².
type placeShare struct {
	set, place int
	perM2      float64
	shift      float64 // of its longitude
}

// shares divides what a place adds among the events that were merged there.
func (g *smoothedGroup) shares(v placeShare, lon, lat float64) []Contribution {
	s, all := &g.places.points.sets[v.set], &g.events[v.set]
	first, last := v.place, v.place+1
	if len(s.keys) != len(all.keys) {
		shift := 2 * (keyLevel - (g.level + 1))
		cell := s.keys[v.place] >> shift
		first, last = sortSearch(all.keys, cell<<shift), sortSearch(all.keys, (cell+1)<<shift)
	}
	metric := newRowMetric(lat, false)
	var out []Contribution
	for j := first; j < last; j++ {
		dLat, dLon := all.lat[j]-lat, all.lon[j]+v.shift-lon
		south, east := metric.squares(dLat)
		out = append(out, Contribution{
			Event:     all.first + int(all.event[j]),
			PerM2:     v.perM2 * all.weight[j] / s.weight[v.place],
			DistanceM: math.Sqrt(max(0, south*dLat*dLat+east*dLon*dLon)),
			Weight:    all.weight[j],
		})
	}
	return out
}
