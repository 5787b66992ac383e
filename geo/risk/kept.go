package risk

import (
	"fmt"

	"github.com/sempadan/sempadan/geo/surface"
)

// keptDensity is a density that goes on from assessment to assessment: what was
// summed stays, edits and the passing of time cost what they change.
type keptDensity struct {
	*surface.Pyramid
	view      View
	incidents *Incidents
}

// Contributions lists what adds to the density at a place.
func (k keptDensity) Contributions(lon, lat float64) (out []surface.Contribution) {
	kernel, bandwidthM := k.Bandwidth()
	d, err := surface.NewDensity(k.incidents.points, kernel, bandwidthM)
	if err != nil {
		panic(err) // the pyramid has it
	}
	for _, c := range d.Contributions(lon, lat) {
		p, i := k.incidents.at(c.Event)
		if !k.view.admits(p.ms[i], p.kinds[p.kind[i]]) {
			continue
		}
		weight := k.view.weight(p.ms[i])
		c.PerM2 *= weight
		c.Weight *= weight
		out = append(out, c)
	}
	return out
}

// mostStamped is the number of incidents above which densities of kernels that
// are stamped are not kept: their exact blocks would take seconds.
const mostStamped = 20_000

// shape names a view but for its instant.
func (v View) shape() string {
	return fmt.Sprintf("%g|%g|%g|%q", v.WindowDays, v.HalfLifeDays, v.BandwidthM, v.Kinds)
}

// keptFor returns the kept density of a view, if it is one of the two.
func (a *Assessment) keptFor(v View) (keptDensity, bool) {
	v = a.complete(v)
	k, ok := a.kept[v.shape()]
	return k, ok && k.view.AsOf.Equal(v.AsOf)
}

// bandwidthRange is that of the hazard's incidents.
func (a *Assessment) bandwidthRange() (leastM, mostM float64) {
	if k, ok := a.keptFor(a.hazardView()); ok {
		return k.BandwidthRangeM()
	}
	return a.Density(a.hazardView()).BandwidthRangeM()
}

// keepDensities makes the densities of the two views that everybody looks at:
// from those of the assessment before where that is less work. Smoothed and
// adaptive densities are not kept: there an edit changes what is far from it.
func (a *Assessment) keepDensities() {
	a.kept = map[string]keptDensity{}
	stamped := a.Model.Kernel.Stamped() && a.Incidents.n > mostStamped
	if a.Smoothing.Rule == surface.SmoothNone && !a.adaptive() && !stamped {
		a.keep(a.DefaultView())
		a.keep(a.hazardView())
		if !a.Model.Hazard.plain() {
			a.keep(a.priorView())
		}
	}
	a.Smoothing.LeastBandwidthM, a.Smoothing.MostBandwidthM = a.bandwidthRange()
}

func (a *Assessment) keep(v View) {
	shape := v.shape()
	if _, done := a.kept[shape]; done {
		return
	}
	if k, ok := a.continued(v); ok {
		a.kept[shape] = k
		return
	}
	p, err := surface.NewPyramid(a.Incidents.weighted(v), a.Model.Kernel, v.BandwidthM)
	if err != nil {
		panic(err) // the model was validated
	}
	a.kept[shape] = keptDensity{p, v, a.Incidents}
}

// continued brings the density of the assessment before up to this one.
func (a *Assessment) continued(v View) (keptDensity, bool) {
	p := a.in.Previous
	if p == nil || p.keys.counting != a.keys.counting || p.Model.Kernel != a.Model.Kernel {
		return keptDensity{}, false
	}
	old, ok := p.kept[v.shape()]
	if !ok {
		return keptDensity{}, false
	}
	days := float64(v.AsOf.UnixMilli()-old.view.AsOf.UnixMilli()) / 86.4e6
	if days < 0 || v.HalfLifeDays > 0 && days > mostHalfLives*v.HalfLifeDays {
		return keptDensity{}, false // what is left would have too few digits
	}
	added, removed := a.Incidents.changes(p.Incidents, old.view, v)
	if len(added)+len(removed) > 1000+a.Incidents.n/8 {
		return keptDensity{}, false
	}
	pyramid := old.Pyramid
	if days > 0 && v.HalfLifeDays > 0 {
		pyramid = pyramid.Decayed(surface.Recency(days, v.HalfLifeDays))
	}
	if len(added)+len(removed) > 0 {
		pyramid = pyramid.With(added, removed)
	}
	return keptDensity{pyramid, v, a.Incidents}, true
}

// mostHalfLives is how far forward a density goes on in one step.
const mostHalfLives = 20

// changes lists the records that a view counts and an earlier one of earlier
// incidents did not, and the reverse, with the weights of now.
func (in *Incidents) changes(before *Incidents, then, now View) (added, removed []surface.Event) {
	add := func(p *recordPart, i int) {
		e := p.event(i)
		e.Weight *= now.weight(p.ms[i])
		added = append(added, e)
	}
	remove := func(r record) {
		r.event.Weight *= now.weight(r.ms)
		removed = append(removed, r.event)
	}
	gone := map[*byte]*recordPart{}
	for _, p := range before.parts {
		gone[p.mark] = p
	}
	for _, p := range in.parts {
		first := 0
		switch {
		case gone[p.mark] != nil:
			first = len(p.rows)
			delete(gone, p.mark)
		case p.made.isFrom(gone):
			first = p.made.fresh
			for _, mark := range p.made.from {
				delete(gone, mark)
			}
			for _, r := range p.made.dropped {
				if then.admits(r.ms, r.kind) {
					remove(r)
				}
			}
		}
		passed := !then.AsOf.Equal(now.AsOf)
		for i := range p.rows {
			if i < first && !passed {
				continue
			}
			kind := p.kinds[p.kind[i]]
			was, is := i < first && then.admits(p.ms[i], kind), now.admits(p.ms[i], kind)
			if is && !was {
				add(p, i)
			} else if was && !is {
				remove(record{p.event(i), p.ms[i], kind})
			}
		}
	}
	for _, p := range before.parts {
		if gone[p.mark] == nil {
			continue
		}
		for i := range p.rows {
			if kind := p.kinds[p.kind[i]]; then.admits(p.ms[i], kind) {
				remove(record{p.event(i), p.ms[i], kind})
			}
		}
	}
	return added, removed
}

func (o origin) isFrom(parts map[*byte]*recordPart) bool {
	for _, mark := range o.from {
		if parts[mark] == nil {
			return false
		}
	}
	return len(o.from) > 0
}
