package risk

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Smoothing says how the density was smoothed: which rule is in force, and why
// where it is not the model's.
type Smoothing struct {
	Asked surface.Smoothing `json:"asked"`
	Rule  surface.Smoothing `json:"rule"` // in force: none, edge or barrier
	Why   string            `json:"why"`
	// GridM is the width at the equator of the finest cells that edge and
	// barrier are computed on; 0 with none.
	GridM float64 `json:"grid_m,omitempty"`
	// Adaptive: each incident has a bandwidth of its own, from LeastBandwidthM
	// to MostBandwidthM among those of the hazard. Without it the range tells
	// of incidents whose place is known only roughly, and WhyNotAdaptive why the
	// model's wish could not be met.
	Adaptive        bool    `json:"adaptive"`
	WhyNotAdaptive  string  `json:"why_not_adaptive,omitempty"`
	LeastBandwidthM float64 `json:"bandwidth_least_m"`
	MostBandwidthM  float64 `json:"bandwidth_most_m"`
}

// field is a density as the surfaces read it: a keptDensity for the two views
// that everybody looks at, a surface.Density for others, or a surface.Smoothed
// where the model smooths against land and sea.
type field interface {
	At(lon, lat float64) float64
	Contributions(lon, lat float64) []surface.Contribution
	Tile(level, px, py, n int) []float64
	Raster(l surface.Lattice, threads int) []float64
}

// smoother keeps the smoothed form of densities.
type smoother struct {
	ground   surface.Ground
	landKey  string
	blocks   *surface.BlockCache // one for all assessments over the same land that come from each other
	mu       sync.Mutex
	smoothed map[*surface.Density]smoothedDensity
	order    []*surface.Density
}

type smoothedDensity struct {
	field *surface.Smoothed
	err   error
}

// blockBytes bounds the blocks of smoothed densities that are kept in memory.
const blockBytes = 128 << 20

// LandGround tells land from water by the areas of a layer. The layer is a part
// of the world: beyond its box the medium at the edge goes on, so that the box
// makes no coast.
func LandGround(l *geo.Layer) surface.Ground {
	var all orb.Collection
	for row := range l.Len() {
		all = append(all, l.Geometry(row))
	}
	area, b := geo.NewArea(all), l.Bound()
	const inside = 1e-6 // degrees; the edge of the box itself is neither in nor out
	return func(lat float64, lons []float64, dst []surface.Medium) {
		lat = max(b.Min[1]+inside, min(b.Max[1]-inside, lat))
		near, on := make([]float64, len(lons)), make([]bool, len(lons))
		for i, lon := range lons {
			lon -= 360 * math.Floor((lon+180)/360)
			near[i] = max(b.Min[0]+inside, min(b.Max[0]-inside, lon))
		}
		if len(lons) == 1 {
			on[0] = area.Covers(orb.Point{near[0], lat})
		} else {
			area.CoversAlong(lat, near, on)
		}
		for i := range dst {
			if dst[i] = surface.Sea; on[i] {
				dst[i] = surface.Land
			}
		}
	}
}

func (in Inputs) land() *geo.Layer { return in.byID("land") }

// mostAdaptive is the number of incidents above which bandwidths do not adapt:
// each new view of so many would take seconds.
const mostAdaptive = 300_000

func (a *Assessment) adaptive() bool {
	return a.Model.AdaptiveBandwidth && a.Incidents.Len() <= mostAdaptive
}

// newDensity is the density of events with the model's kernel.
func (a *Assessment) newDensity(p *surface.Points, bandwidthM float64) (*surface.Density, error) {
	if a.adaptive() {
		return surface.NewAdaptiveDensity(p, a.Model.Kernel, bandwidthM)
	}
	return surface.NewDensity(p, a.Model.Kernel, bandwidthM)
}

// settleSmoothing finds out which smoothing can be had: a rule that cannot
// falls back to a simpler one and says so.
func (a *Assessment) settleSmoothing() {
	m := a.Model
	asked, _ := surface.ParseSmoothing(string(m.Smoothing)) // the model was validated
	a.Smoothing = Smoothing{Asked: asked, Rule: surface.SmoothNone, Why: "set in the model", Adaptive: a.adaptive()}
	if m.AdaptiveBandwidth && !a.Smoothing.Adaptive {
		a.Smoothing.WhyNotAdaptive = fmt.Sprintf("%d incidents are more than %d", a.Incidents.Len(), mostAdaptive)
	}
	a.smoother = smoother{smoothed: map[*surface.Density]smoothedDensity{}}
	if asked == surface.SmoothNone {
		return
	}
	land := a.in.land()
	if land == nil {
		a.Smoothing.Why = "none, because the layer land is not here to say where the sea ends"
		return
	}
	a.prepareGround(land)
	hazard, density := a.Density(a.hazardView()), a.Density(a.DefaultView())
	for _, rule := range []surface.Smoothing{surface.SmoothBarrier, surface.SmoothEdge} {
		if rule == surface.SmoothBarrier && asked == surface.SmoothEdge {
			continue
		}
		a.Smoothing.Rule = rule
		h, err := a.smooth(hazard)
		if err == nil {
			_, err = a.smooth(density)
		}
		if err == nil {
			a.Smoothing.GridM, _ = h.CellM()
			return
		}
		a.Smoothing.Why = "a simpler one than the model's, because " + err.Error()
		clear(a.smoother.smoothed)
		a.smoother.order = nil
	}
	a.Smoothing.Rule = surface.SmoothNone
}

func (a *Assessment) prepareGround(land *geo.Layer) {
	s := &a.smoother
	s.landKey = digest(layerKeys([]*geo.Layer{land}))
	if p := a.in.Previous; p != nil && p.smoother.landKey == s.landKey {
		s.blocks, s.ground = p.smoother.blocks, p.smoother.ground
		return
	}
	s.blocks, s.ground = surface.NewBlockCache(blockBytes), LandGround(land)
}

// smooth returns the smoothed form of a density, made once.
func (a *Assessment) smooth(d *surface.Density) (*surface.Smoothed, error) {
	return a.smoothBy(d, a.Smoothing.Rule)
}

// smoothBy is smooth by another rule than the one in force; a density has one.
func (a *Assessment) smoothBy(d *surface.Density, rule surface.Smoothing) (*surface.Smoothed, error) {
	s := &a.smoother
	s.mu.Lock()
	defer s.mu.Unlock()
	if made, ok := s.smoothed[d]; ok {
		return made.field, made.err
	}
	f, err := surface.NewSmoothed(d, surface.SmoothedOptions{By: rule, Ground: s.ground, Cache: s.blocks})
	s.smoothed[d] = smoothedDensity{f, err}
	if s.order = append(s.order, d); len(s.order) > keptDensities {
		delete(s.smoothed, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
	return f, err
}

// field is the density of a view with the smoothing that is in force.
func (a *Assessment) field(v View) field {
	if a.Smoothing.Rule == surface.SmoothNone {
		return a.unmasked(v)
	}
	f, err := a.smooth(a.Density(v))
	if err != nil {
		panic(err) // settleSmoothing or CheckView has looked
	}
	return f
}

// unmasked is the density of a view as if there were no coast.
func (a *Assessment) unmasked(v View) field {
	if k, ok := a.keptFor(v); ok {
		return k
	}
	return a.Density(v)
}

// CheckView reports why the density of a view cannot be had: smoothing it
// would cost too much.
func (a *Assessment) CheckView(v View) error {
	if a.Smoothing.Rule == surface.SmoothNone {
		return nil
	}
	if _, err := a.smooth(a.Density(v)); err != nil {
		return errors.Join(ErrTooCostly, err)
	}
	return nil
}

// ErrTooCostly is of requests that would take more work than is allowed.
var ErrTooCostly = errors.New("too much work for one request")
