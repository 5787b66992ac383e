package surface

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// Density is the kernel density of weighted events: incidents per m² at any
// place, integrating to the total weight.
//
//	λ(x) = Σ w · K_h(d(x, event)),  h = max(BandwidthM, the event's precision)
//
// Distance is true metres on WGS 84 (mid-latitude rule, below 1 ppm of error
// at 50 km within 8 degrees of the equator). Source: METHODS section 2;
// Silverman (1986). It is immutable.
type Density struct {
	Kernel     Kernel
	BandwidthM float64
	points     *Points
	memory     sync.Pool // of *scratch
}

// MaxBandwidthM bounds bandwidths: beyond it the local metric no longer holds.
const MaxBandwidthM = 2_000_000.0

// NewDensity returns the density of points. The bandwidth must be positive and
// at most MaxBandwidthM.
func NewDensity(p *Points, k Kernel, bandwidthM float64) (*Density, error) {
	if !(bandwidthM > 0) || bandwidthM > MaxBandwidthM {
		return nil, fmt.Errorf("bandwidth of %g m: use more than 0 and at most %g m", bandwidthM, MaxBandwidthM)
	}
	if _, err := ParseKernel(string(k)); err != nil {
		return nil, err
	}
	return &Density{Kernel: k, BandwidthM: bandwidthM, points: p}, nil
}

// Points returns the events.
func (d *Density) Points() *Points { return d.points }

func (d *Density) bandwidth(s *pointSet) float64 { return max(d.BandwidthM, s.precisionM) }

// Raster adds the exact density at the lattice's cell centres, per m², to a
// new row-major slice.
func (d *Density) Raster(l Lattice, threads int) []float64 {
	dst := make([]float64, l.NX*len(l.Lats))
	for i := range d.points.sets {
		d.sumNear(dst, l, d.points.sets[i].places(), keyLevel, threads)
	}
	return dst
}

// Contribution is what one event adds to the density at a place.
type Contribution struct {
	Event     int // as numbered in NewPoints
	PerM2     float64
	DistanceM float64
	Weight    float64 // of the event
}

// At returns the exact density at a place, per m².
func (d *Density) At(lon, lat float64) float64 {
	sum := 0.0
	d.each(lon, lat, func(c Contribution) { sum += c.PerM2 })
	return sum
}

// Contributions lists what adds to the density at a place; the parts add up
// to At.
func (d *Density) Contributions(lon, lat float64) []Contribution {
	var out []Contribution
	d.each(lon, lat, func(c Contribution) { out = append(out, c) })
	return out
}

func (d *Density) each(lon, lat float64, yield func(Contribution)) {
	for i := range d.points.sets {
		d.sum(&d.points.sets[i], orb.Point{lon, lat}, yield)
	}
}

// sum yields what the events of one set add at a place.
func (d *Density) sum(s *pointSet, p orb.Point, yield func(Contribution)) {
	metric := newRowMetric(p.Lat(), d.points.planar)
	here := Lattice{Lon0: p.Lon(), DLon: 1, NX: 1, Lats: []float64{p.Lat()}, Planar: d.points.planar}
	h := d.bandwidth(s)
	c := d.Kernel.Constant() / (h * h)
	d.near(s, here, h, func(k int, shift float64) {
		dlat, dlon := s.lat[k]-p.Lat(), s.lon[k]+shift-p.Lon()
		south, east := metric.squares(dlat)
		d2 := south*dlat*dlat + east*dlon*dlon
		if v := d.Kernel.At(d2 / (h * h)); v > 0 {
			event := -1
			if s.event != nil {
				event = s.first + int(s.event[k])
			}
			yield(Contribution{event, s.weight[k] * c * v, math.Sqrt(d2), s.weight[k]})
		}
	})
}

// sumNear adds the exact sums of a set, with the events of each cell of the
// world raster of 2^level cells a side as one, at the lattice's cell centres.
func (d *Density) sumNear(dst []float64, l Lattice, s *pointSet, level, threads int) {
	memory, _ := d.memory.Get().(*scratch)
	if memory == nil {
		memory = &scratch{}
	}
	defer d.memory.Put(memory)
	memory.near = d.gather(memory.near[:0], &l, s, level)
	sumKernels(dst, l, d.Kernel, memory.near, sumJob{d.bandwidth(s), threads, memory})
}

// gather appends the events that may reach the lattice. Those of one cell of the
// world raster of 2^level cells a side come as one at their weighted mean
// position, whatever the lattice; at keyLevel every event comes by itself.
func (d *Density) gather(cs []candidate, l *Lattice, s *pointSet, level int) []candidate {
	h := d.bandwidth(s)
	scale := d.Kernel.Constant() / (h * h)
	from := l.reachedFrom(h * d.Kernel.Reach())
	d.runs(s, from, level, func(i, j int, shift float64) {
		for i < j {
			end := i + 1
			if level < keyLevel {
				end = s.cellEnd(i, j, level)
			}
			lon, lat, weight := s.lon[i], s.lat[i], s.weight[i]
			if end > i+1 {
				lon, lat, weight = s.mean(i, end)
			}
			if lon += shift; from.holds(lon, lat) {
				cs = append(cs, candidate{l.column(lon), lat, weight * scale})
			}
			i = end
		}
	})
	return cs
}

// near yields the events that may reach the lattice, each with the multiple of
// 360 degrees that brings it next to it.
func (d *Density) near(s *pointSet, l Lattice, hM float64, yield func(k int, shift float64)) {
	d.runs(s, l.reachedFrom(hM*d.Kernel.Reach()), keyLevel, func(i, j int, shift float64) {
		for k := i; k < j; k++ {
			yield(k, shift)
		}
	})
}

// runs yields runs of a set that together hold all events in a window, with
// the multiple of 360 degrees that brings them there. Cells of the world raster
// of 2^level cells a side come whole.
func (d *Density) runs(s *pointSet, w window, level int, yield func(i, j int, shift float64)) {
	if d.points.planar {
		for k := range s.keys {
			if w.holds(s.lon[k], s.lat[k]) {
				yield(k, k+1, 0)
			}
		}
		return
	}
	y0, y1 := worldY(w.north), worldY(w.south)
	for _, shift := range turns {
		x0, x1 := worldX(w.west-shift), worldX(w.east-shift)
		s.window(unitBox{x0, y0, x1, y1, level}, func(i, j int) { yield(i, j, shift) })
	}
}

// turns are the multiples of 360 degrees by which an event may be off a lattice.
var turns = [...]float64{-360, 0, 360}

// window is a box in degrees, or in metres on a plane.
type window struct{ west, south, east, north float64 }

func (w *window) holds(lon, lat float64) bool {
	return lon >= w.west && lon <= w.east && lat >= w.south && lat <= w.north
}

// reachedFrom returns a box that holds every place within so many metres of
// the lattice's cell centres.
func (l *Lattice) reachedFrom(reachM float64) window {
	w := window{l.Lon0, l.Lats[0], l.Lon0 + float64(l.NX-1)*l.DLon, l.Lats[0]}
	for _, lat := range l.Lats {
		w.south, w.north = min(w.south, lat), max(w.north, lat)
	}
	dLat, dLon := reachM, reachM
	if !l.Planar {
		dLat = reachM / minMetresPerDegreeLat
		dLon = 360.0
		if lonM, _ := geo.MetresPerDegree(min(90, max(math.Abs(w.south-dLat), math.Abs(w.north+dLat)))); lonM > reachM/180 {
			dLon = reachM / lonM
		}
	}
	return window{w.west - dLon, w.south - dLat, w.east + dLon, w.north + dLat}
}

// AddEvents adds what Density.Raster does for events that nothing else is asked
// of: they are sorted for this lattice only. Errors as NewDensity.
// Cost O(events + events near · rows reached + cells).
func AddEvents(to Sheet, events []Event, k Kernel, bandwidthM float64) error {
	if _, err := NewDensity(&Points{}, k, bandwidthM); err != nil {
		return err
	}
	l := to.Lattice
	type group struct {
		hM, scale float64
		from      window
		cs        []candidate
	}
	var groups []*group
	shifts := turns[:]
	if l.Planar {
		shifts = turns[1:2]
	}
	g := &group{}
	for _, e := range events {
		if !e.counts() {
			continue
		}
		if h := max(bandwidthM, e.PrecisionM); h != g.hM {
			if i := slices.IndexFunc(groups, func(g *group) bool { return g.hM == h }); i >= 0 {
				g = groups[i]
			} else {
				g = &group{hM: h, scale: k.Constant() / (h * h), from: l.reachedFrom(h * k.Reach())}
				if groups == nil { // mostly the only one
					g.cs = make([]candidate, 0, len(events))
				}
				groups = append(groups, g)
			}
		}
		for _, shift := range shifts {
			if g.from.holds(e.Lon+shift, e.Lat) {
				g.cs = append(g.cs, candidate{l.column(e.Lon + shift), e.Lat, e.Weight * g.scale})
			}
		}
	}
	if k.Stamped() { // a stamp costs so much that looking for equal ones pays
		for _, g := range groups {
			g.cs = distinct(g.cs)
		}
	}
	work := 0.0
	for _, g := range groups {
		work += workNS(&l, k, g.hM, len(g.cs))
	}
	if work > MostWorkNS {
		return TooMuchWork(work)
	}
	for _, g := range groups {
		sumKernels(to.Values, l, k, g.cs, sumJob{hM: g.hM, threads: to.Threads})
	}
	return nil
}

// distinct returns candidates with those at one place as one.
func distinct(cs []candidate) []candidate {
	at := make(map[[2]float64]int, len(cs))
	out := cs[:0]
	for _, c := range cs {
		key := [2]float64{c.col, c.lat}
		if i, seen := at[key]; seen {
			out[i].scale += c.scale
			continue
		}
		at[key] = len(out)
		out = append(out, c)
	}
	return out
}

// MostWorkNS bounds the work of one raster: ten minutes of one thread.
const MostWorkNS = 600e9

// TooMuchWork is the error of a raster that would take so many nanoseconds.
func TooMuchWork(ns float64) error {
	return fmt.Errorf("this would take about %.0f s of processor time: use larger cells, a smaller box or bandwidth, or the quartic kernel", ns/1e9)
}

// WorkNS estimates the processor time of Raster in nanoseconds, before any of
// it is done: each event that may reach the lattice in each row that it reaches.
func (d *Density) WorkNS(l Lattice) (ns float64) {
	for i := range d.points.sets {
		s := d.points.sets[i].places()
		n := 0
		d.near(s, l, d.bandwidth(s), func(int, float64) { n++ })
		ns += workNS(&l, d.Kernel, d.bandwidth(s), n)
	}
	return ns
}

// workNS is that of so many events of one bandwidth.
func workNS(l *Lattice, k Kernel, hM float64, events int) float64 {
	reachM := hM * k.Reach()
	columnM, rowM := l.DLon, l.DLon
	if n := len(l.Lats); n > 1 {
		rowM = math.Abs(l.Lats[n-1]-l.Lats[0]) / float64(n-1)
	}
	if !l.Planar {
		columnM, rowM = columnM*minMetresPerDegreeLat, rowM*minMetresPerDegreeLat
	}
	rows := min(float64(len(l.Lats)), 2*reachM/rowM+1)
	perRow := 15.0
	if k.Stamped() {
		perCell := map[Kernel]float64{Triangular: 6, Gaussian: 1.5}[k]
		perRow += perCell * min(float64(l.NX), math.Pi/2*reachM/columnM)
	}
	return float64(events)*rows*perRow + 3*float64(l.NX)*float64(len(l.Lats))
}

// Sheet is a lattice with its values, row-major per m², and the threads to fill
// it with; 0 and 1: one.
type Sheet struct {
	Lattice
	Values  []float64
	Threads int
}

// NewSheet returns an empty sheet, its memory already touched.
func NewSheet(l Lattice, threads int) Sheet {
	values := make([]float64, l.NX*len(l.Lats))
	clear(values)
	return Sheet{l, values, threads}
}

// Recency returns the weight 2^(-age/halfLife) of an event, in the same unit
// of time; 0 for an event in the future (METHODS section 4).
func Recency(age, halfLife float64) float64 {
	if age < 0 {
		return 0
	}
	return math.Exp2(-age / halfLife)
}
