package risk

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
)

// Found is what patrols and sensors found in a section in the hazard's window,
// and how many incidents that stands for by their chance to meet one where each
// was found: a second opinion on the hazard that knows no surroundings and
// no reports. Nothing found stands for nothing, searched or not.
type Found struct {
	Records   int     `json:"records"`
	Corrected float64 `json:"corrected"`
	SD        float64 `json:"sd"` // of Corrected, if each is found by itself
}

// records by how they came to be known, in the hazard's window.
type knownBy struct {
	bySection []Found
	bias      surface.Relative // found against reported
}

func (a *Assessment) separateChannels() *knownBy {
	v := a.hazardView()
	out := &knownBy{bySection: make([]Found, len(a.Sections)), bias: surface.Relative{BandwidthM: a.Bandwidth.BandwidthM}}
	weights := make([][]float64, len(a.Sections))
	for _, p := range a.Incidents.parts {
		sections := p.sectionsIn(a.domain)
		for i := range p.rows {
			if !v.admits(p.ms[i], p.kinds[p.kind[i]]) {
				continue
			}
			e := p.event(i)
			if p.traits[i]&reportedTrait != 0 {
				out.bias.Controls = append(out.bias.Controls, e)
			}
			if p.traits[i]&foundTrait == 0 {
				continue
			}
			out.bias.Cases = append(out.bias.Cases, e)
			if s := sections[i]; s >= 0 {
				c := surface.CellAt(orb.Point{e.Lon, e.Lat})
				weights[s] = append(weights[s], surface.DetectionWeight(a.yearsMet(c, c.AreaM2())/a.exposureY, a.Model.Hazard.MostPerFound))
			}
		}
	}
	for i, w := range weights {
		total, variance := surface.CorrectedTotal(w)
		out.bySection[i] = Found{len(w), total, math.Sqrt(variance)}
	}
	return out
}

// FoundIn is what patrols found in a section.
func (a *Assessment) FoundIn(id string) Found {
	for i := range a.Sections {
		if a.Sections[i].ID == id {
			return a.known().bySection[i]
		}
	}
	return Found{}
}

// patrolBias is how much denser than reported records those are at a place that
// patrols found: above 1 the map of the records is bent towards where patrols
// go. It is nil where that cannot be told.
func (a *Assessment) patrolBias(p orb.Point) *float64 {
	b := a.known().bias
	if len(b.Cases) < leastFound || len(b.Controls) < leastFound {
		return nil
	}
	r := b.At(p)
	if math.IsNaN(r) {
		return nil
	}
	return &r
}
