package risk

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// Change is patrols, posts and sensors (posts, too) that are thought to be there,
// or not to be.
type Change struct {
	// Add are layers of kind post or patrol_track under IDs of their own. Posts
	// count for the whole window unless they have times. Tracks count as often as
	// they pass in the window: those after it are moved back by whole weeks, so that
	// they keep their weekday and hour.
	Add []*geo.Layer
	// Remove are features by layer and FID.
	Remove map[string]map[int64]bool
}

// WithPatrols returns the assessment as it would be if patrols and posts had been
// others in the coverage's window: coverage, residual risk, classes and levels
// are made anew. The hazard stays as it is, for what is on record was found and
// reported without them. Cost: the coverage, and one pass over the domain.
func (a *Assessment) WithPatrols(ctx context.Context, c Change) (*Assessment, error) {
	in, err := a.changed(c)
	if err != nil {
		return nil, fmt.Errorf("what if: %w", err)
	}
	b := &Assessment{
		Program: a.Program, AsOf: a.AsOf, Model: a.Model, Synthetic: a.Synthetic,
		Bandwidth: a.Bandwidth, Smoothing: a.Smoothing, Access: a.Access, Reporting: a.Reporting,
		Incidents: a.Incidents, Scales: a.Scales,
		in: in, exposureY: a.exposureY, hazard: a.hazard, fit: a.fit, stretches: a.stretches, unscored: a.unscored, domain: a.domain,
		kept: a.kept, densities: map[string]*surface.Density{},
	}
	b.smoother = smoother{ground: a.smoother.ground, landKey: a.smoother.landKey, blocks: a.smoother.blocks,
		smoothed: map[*surface.Density]smoothedDensity{}}
	b.digestInputs()
	b.Version = digest("what if", a.Version, b.Inputs)
	for _, stage := range []func(){b.sumCoverage, b.scoreSections} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("what if: %w", err)
		}
		stage()
	}
	b.afterwards()
	return b, nil
}

// afterwards prepares what is made when asked for.
func (a *Assessment) afterwards() {
	a.hotSpots = sync.OnceValue(a.findHotSpots)
	a.crossings = sync.OnceValue(a.findCrossings)
	a.annex = sync.OnceValue(a.describeData)
	a.known = sync.OnceValue(a.separateChannels)
	a.rates = sync.OnceValue(a.newRates)
	a.season, a.day = sync.OnceValue(a.findSeason), sync.OnceValue(a.findDay)
}

// changed applies a change to the layers.
func (a *Assessment) changed(c Change) (Inputs, error) {
	in := a.in
	in.Layers, in.Previous = nil, nil
	found := map[string]bool{}
	for _, l := range a.in.Layers {
		gone := c.Remove[l.Info.ID]
		found[l.Info.ID] = true
		if len(gone) > 0 {
			if l.Info.Kind != geo.KindPost && l.Info.Kind != geo.KindPatrolTrack {
				return in, fmt.Errorf("layer %q is of kind %s: only posts and patrol tracks can be taken away", l.Info.ID, l.Info.Kind)
			}
			n := l.Len()
			if l = l.Without(gone); l.Len() != n-len(gone) {
				return in, fmt.Errorf("layer %q has only %d of the %d features that are to be taken away; name features that it has", l.Info.ID, n-l.Len(), len(gone))
			}
		}
		in.Layers = append(in.Layers, l)
	}
	for id := range c.Remove {
		if !found[id] {
			return in, fmt.Errorf("there is no layer %q to take features from", id)
		}
	}
	for _, l := range c.Add {
		switch {
		case found[l.Info.ID]:
			return in, fmt.Errorf("there is a layer %q already: give what is added an ID of its own", l.Info.ID)
		case l.Info.Kind == geo.KindPatrolTrack:
			l = movedBack(l, a.coverageAsOf())
		case l.Info.Kind != geo.KindPost:
			return in, fmt.Errorf("layer %q is of kind %s: only posts and patrol tracks can be added", l.Info.ID, l.Info.Kind)
		}
		in.Layers = append(in.Layers, l)
	}
	return in, nil
}

// movedBack moves the tracks of a layer that end after an instant back by whole
// weeks, so that they end before it.
func movedBack(l *geo.Layer, before time.Time) *geo.Layer {
	b := geo.NewBuilder(l.Info)
	for row := range l.Len() {
		f := l.Feature(row)
		if late := f.To.Sub(before); late > 0 {
			const week = 7 * 24 * time.Hour
			back := -((late + week - 1) / week) * week
			f.From, f.To = f.From.Add(back), f.To.Add(back)
			times := make([]time.Time, len(f.VertexTimes))
			for i, t := range f.VertexTimes {
				times[i] = t.Add(back)
			}
			if f.VertexTimes != nil {
				f.VertexTimes = times
			}
		}
		b.Add(f)
	}
	return b.Layer()
}
