package surface

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

const (
	// adaptiveClip bounds how far a bandwidth goes from the pilot's, either
	// way (METHODS section 2).
	adaptiveClip = 3.0
	// adaptiveSteps is how many steps of bandwidth there are from the least to
	// the greatest: each is 9.6 % more.
	adaptiveSteps = 24
)

// AdaptiveBandwidths returns the bandwidth in metres of each event, as
// numbered in NewPoints; 0 for events that do not count.
//
//	h_e = max( h₀ · clip((f(x_e)/G)^(-1/2), 1/3, 3), precision_e )
//
// with f the density with the pilot bandwidth h₀, the event itself included,
// and G its geometric mean over the weight of events. The factor is rounded up
// to one of 25 steps, 3^(k/12), from 1/3 to 3; so h_e is up to 9.6 % wider
// than the formula's, and never outside its bounds.
//
// Source: Abramson (1982); Silverman (1986) section 5.3.
// Fails on a bandwidth or kernel that NewDensity refuses.
// Cost: up to 2,000 events of a precision, exact and quadratic; above, the
// pilot is taken at cells of a third of its standard deviation, a few hundred
// kernels for each cell that holds events.
func AdaptiveBandwidths(p *Points, k Kernel, pilotM float64) ([]float64, error) {
	d, err := NewDensity(p, k, pilotM)
	if err != nil {
		return nil, fmt.Errorf("pilot bandwidth: %w", err)
	}
	pilot := d.atEvents()
	logMean, total := 0.0, 0.0
	for i, s := range p.sets {
		for j, w := range s.weight {
			logMean += w * math.Log(pilot[i][j])
			total += w
		}
	}
	logMean /= total
	out := make([]float64, p.events)
	for i, s := range p.sets {
		for j := range s.keys {
			factor := adaptiveStep((logMean - math.Log(pilot[i][j])) / 2)
			out[s.first+int(s.event[j])] = max(pilotM*factor, s.precisionM)
		}
	}
	return out, nil
}

// adaptiveStep returns the factor exp(log), clipped and rounded up to a step.
func adaptiveStep(log float64) float64 {
	const half = adaptiveSteps / 2
	k := math.Ceil(log/math.Log(adaptiveClip)*half - 1e-9)
	return math.Pow(adaptiveClip, max(-half, min(half, k))/half)
}

// NewAdaptiveDensity returns the density with a bandwidth of its own for each
// event, see AdaptiveBandwidths: narrow where events are many, wide where they
// are few. Its BandwidthM is the narrowest one possible, a third of the
// pilot's; it is exact, and each event keeps its mass. A raster or tile costs
// up to 25 times the one of a single bandwidth, less where classes are small.
func NewAdaptiveDensity(p *Points, k Kernel, pilotM float64) (*Density, error) {
	bandwidths, err := AdaptiveBandwidths(p, k, pilotM)
	if err != nil {
		return nil, err
	}
	return NewDensity(p.withBandwidths(bandwidths), k, pilotM/adaptiveClip)
}

// withBandwidths returns the same events under the same numbers, those of one
// bandwidth in one set whose precision it is.
func (p *Points) withBandwidths(bandwidths []float64) *Points {
	q := &Points{planar: p.planar, n: p.n, events: p.events}
	events := make([]Event, 0, p.n)
	number := make([]int32, 0, p.n)
	members := map[float64][]int32{}
	var all []int32
	for _, s := range p.sets {
		for j := range s.keys {
			i, n := int32(len(events)), s.first+int(s.event[j])
			events = append(events, Event{Lon: s.lon[j], Lat: s.lat[j], Weight: s.weight[j]})
			number = append(number, int32(n))
			members[bandwidths[n]] = append(members[bandwidths[n]], i)
			all = append(all, i)
		}
	}
	var box frame
	if p.planar {
		box = planarFrame(events, all)
	}
	widths := make([]float64, 0, len(members))
	for h := range members {
		widths = append(widths, h)
	}
	slices.Sort(widths)
	for _, h := range widths {
		s := newPointSet(h, events, members[h], box)
		for j, i := range s.event {
			s.event[j] = number[i]
		}
		q.sets = append(q.sets, s)
	}
	return q
}

// atEvents returns the density at each event, in the order of the sets. In a
// set of many events, those of a cell of a third of the kernel's standard
// deviation share the density at their mean.
func (d *Density) atEvents() [][]float64 {
	sets := d.points.sets
	clouds := make([]*cloud, len(sets))
	merged := make([]mergedSet, len(sets))
	for i := range sets {
		s := &sets[i]
		events := make([]Event, len(s.keys))
		for j := range events {
			events[j] = Event{Lon: s.lon[j], Lat: s.lat[j], Weight: s.weight[j]}
		}
		clouds[i] = newCloud(events, d.points.planar)
		level := keyLevel
		if len(events) > scoredPlaces {
			level = clouds[i].levelOf(d.bandwidth(s) * d.Kernel.SD() / cellsPerSD)
		}
		merged[i] = clouds[i].merged(level)
	}
	at := func(p orb.Point) float64 {
		sum := 0.0
		for i := range sets {
			h := d.bandwidth(&sets[i])
			set, part := merged[i], 0.0
			clouds[i].near(set.pointSet, p, h*d.Kernel.Reach(), func(k int, o offset) {
				part += set.weight[k] * d.Kernel.At((o.x2+o.y2)/(h*h))
			})
			sum += part * d.Kernel.Constant() / (h * h)
		}
		return sum
	}
	out := make([][]float64, len(sets))
	for i := range sets {
		set, all := merged[i], &clouds[i].set
		density := make([]float64, len(set.keys))
		workers := Threads(len(density) * 64)
		var wg sync.WaitGroup
		for w := range workers {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for c := w; c < len(density); c += workers {
					density[c] = at(orb.Point{set.lon[c], set.lat[c]})
				}
			}()
		}
		wg.Wait()
		out[i] = make([]float64, len(all.keys))
		shift := 2 * (keyLevel - set.level)
		for j, c := 0, 0; j < len(all.keys); j++ {
			if j > 0 && (set.level == keyLevel || all.keys[j]>>shift != all.keys[j-1]>>shift) {
				c++
			}
			out[i][all.event[j]] = density[c]
		}
	}
	return out
}

// cloud is a set of events with the frame of its keys, so that events on a
// plane can be found and merged as those on the globe are. One goroutine may
// merge it, many may search it.
type cloud struct {
	set    pointSet
	frame  frame
	planar bool
	levels map[int]*pointSet
}

// mergedSet is the events of a cloud merged to cells of a level; at keyLevel
// they are the events themselves.
type mergedSet struct {
	*pointSet
	level int
}

func newCloud(events []Event, planar bool) *cloud {
	members := make([]int32, len(events))
	c := &cloud{planar: planar, levels: map[int]*pointSet{}}
	for i := range members {
		members[i] = int32(i)
	}
	if planar {
		c.frame = planarFrame(events, members)
	}
	c.set = newPointSet(0, events, members, c.frame)
	return c
}

// mergeCoincident makes one event of those with the same position.
func (c *cloud) mergeCoincident() {
	s := &c.set
	out := pointSet{leastLat: s.leastLat}
	out.grow(len(s.keys))
	type at struct{ lon, lat, weight float64 }
	var run []at
	for i := 0; i < len(s.keys); {
		run = run[:0]
		j := i
		for ; j < len(s.keys) && s.keys[j] == s.keys[i]; j++ {
			run = append(run, at{s.lon[j], s.lat[j], s.weight[j]})
		}
		slices.SortFunc(run, func(a, b at) int { return cmp.Or(cmp.Compare(a.lon, b.lon), cmp.Compare(a.lat, b.lat)) })
		for k, e := range run {
			if k > 0 && e.lon == run[k-1].lon && e.lat == run[k-1].lat {
				out.weight[len(out.weight)-1] += e.weight
				continue
			}
			out.add(s.keys[i], e.lon, e.lat, e.weight)
		}
		i = j
	}
	c.set = out
}

// sideM returns the length of the frame's side in metres at a latitude.
func (c *cloud) sideM(lat float64) float64 {
	if c.planar {
		return c.frame.side
	}
	return equatorM * math.Cos(min(lat, maxLat)*math.Pi/180)
}

// levelOf returns the coarsest level whose cells are at most cellM wide, but
// one that merges what the keys do not tell apart: 5 m on the globe.
func (c *cloud) levelOf(cellM float64) int {
	return max(0, min(keyLevel-1, int(math.Ceil(math.Log2(c.sideM(c.set.leastLat)/cellM)))))
}

func (c *cloud) merged(level int) mergedSet {
	if level >= keyLevel {
		return mergedSet{&c.set, keyLevel}
	}
	if c.levels[level] == nil {
		c.levels[level] = c.set.aggregate(level)
	}
	return mergedSet{c.levels[level], level}
}

func (c *cloud) position(lon, lat float64) (x, y float64) {
	if c.planar {
		return (lon - c.frame.x0) / c.frame.side, (lat - c.frame.y0) / c.frame.side
	}
	return worldX(lon), worldY(lat)
}

// near yields the events of s that are within reachM of a place, with their
// differences in degrees and the squares of those in metres.
func (c *cloud) near(s *pointSet, at orb.Point, reachM float64, yield func(k int, d offset)) {
	metric := newRowMetric(at.Lat(), c.planar)
	reach2 := reachM * reachM
	dLon, dLat, shifts := reachM, reachM, []float64{0}
	if !c.planar {
		dLat = reachM / minMetresPerDegreeLat
		dLon = 360
		if lonM, _ := geo.MetresPerDegree(min(90, math.Abs(at.Lat())+dLat)); lonM > reachM/180 {
			dLon = reachM / lonM
		}
		shifts = []float64{-360, 0, 360}
	}
	for _, shift := range shifts {
		x0, y0 := c.position(at.Lon()-dLon-shift, at.Lat()-dLat)
		x1, y1 := c.position(at.Lon()+dLon-shift, at.Lat()+dLat)
		s.window(unitBox{x0, min(y0, y1), x1, max(y0, y1), keyLevel}, func(i, j int) {
			for k := i; k < j; k++ {
				lon, lat := s.lon[k]+shift-at.Lon(), s.lat[k]-at.Lat()
				south, east := metric.squares(lat)
				x2, y2 := max(0, east*lon*lon), max(0, south*lat*lat)
				if x2+y2 <= reach2 {
					yield(k, offset{lon, lat, x2, y2})
				}
			}
		})
	}
}

// offset is from a place to an event: in degrees, and squared in metres.
type offset struct{ lon, lat, x2, y2 float64 }

// others yields the weights and squared distances east and north of all but
// event i within reachM of it. Where i was merged with others, they are at
// their mean without it.
func (c *cloud) others(i int, s mergedSet, reachM float64, yield func(w, x2, y2 float64)) {
	own, shift := c.set.weight[i], 2*(keyLevel-s.level)
	cell := c.set.keys[i] >> shift
	c.near(s.pointSet, orb.Point{c.set.lon[i], c.set.lat[i]}, reachM, func(k int, d offset) {
		w := s.weight[k]
		if s.level == keyLevel {
			if k == i {
				return
			}
		} else if s.keys[k]>>shift == cell {
			rest := w - own
			if rest <= 1e-12*w {
				return
			}
			far := w / rest * (w / rest)
			w, d.x2, d.y2 = rest, d.x2*far, d.y2*far
		}
		yield(w, d.x2, d.y2)
	})
}

// BandwidthRangeM returns the least and the greatest bandwidth in metres that
// an event has; both are BandwidthM without events.
func (d *Density) BandwidthRangeM() (least, most float64) {
	least, most = math.Inf(1), 0
	for i := range d.points.sets {
		if s := &d.points.sets[i]; len(s.keys) > 0 {
			least, most = min(least, d.bandwidth(s)), max(most, d.bandwidth(s))
		}
	}
	if most == 0 {
		return d.BandwidthM, d.BandwidthM
	}
	return least, most
}
