package risk

import (
	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// of returns the observed layers of a kind.
func (in Inputs) of(kind geo.LayerKind) (out []*geo.Layer) {
	for _, l := range in.Layers {
		if l.Info.Kind == kind && !l.Info.Base && l.Len() > 0 {
			out = append(out, l)
		}
	}
	return out
}

func (in Inputs) incidents() []*geo.Layer  { return in.of(geo.KindIncident) }
func (in Inputs) tracks() []*geo.Layer     { return in.of(geo.KindPatrolTrack) }
func (in Inputs) posts() []*geo.Layer      { return in.of(geo.KindPost) }
func (in Inputs) boundaries() []*geo.Layer { return in.of(geo.KindBoundary) }
func (in Inputs) crossings() []*geo.Layer  { return in.of(geo.KindCrossing) }

// jurisdictions are the areas that say which agency may act.
func (in Inputs) jurisdictions() (out []*geo.Layer) {
	for _, l := range in.of(geo.KindArea) {
		for _, c := range l.Columns() {
			if c.Name == "agency" {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

func (in Inputs) byID(id string) *geo.Layer {
	for _, l := range in.Layers {
		if l.Info.ID == id && l.Len() > 0 {
			return l
		}
	}
	return nil
}

func (in Inputs) coastline() *geo.Layer { return in.byID("coastline") }
func (in Inputs) places() *geo.Layer    { return in.byID("places") }

// base are the base map layers that give the sections their shape and names.
func (in Inputs) base() (out []*geo.Layer) {
	for _, l := range []*geo.Layer{in.coastline(), in.places()} {
		if l != nil {
			out = append(out, l)
		}
	}
	return out
}

// Authority may act at a place.
type Authority struct {
	Agency  string `json:"agency"`
	Country string `json:"country"`
	Powers  string `json:"powers"`
}

// authoritiesAt names everyone who may act at a place; overlaps are real.
func (in Inputs) authoritiesAt(p orb.Point) []Authority {
	var out []Authority
	seen := map[Authority]bool{}
	for _, l := range in.jurisdictions() {
		for _, row := range l.Window(orb.Bound{Min: p, Max: p}) {
			if !geo.Covers(l.Geometry(row), p) {
				continue
			}
			a := Authority{l.Text(row, "agency"), l.Text(row, "country"), l.Text(row, "powers")}
			if !seen[a] {
				seen[a] = true
				out = append(out, a)
			}
		}
	}
	return out
}
