package risk

import (
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
func (in Inputs) rivers() *geo.Layer    { return in.byID("rivers") }

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

// jurisdiction is one area with who may act there.
type jurisdiction struct {
	Authority
	area *geo.Area
}

// jurisdictionAreas prepares the areas of all jurisdiction layers.
func (in Inputs) jurisdictionAreas() (out []jurisdiction) {
	for _, l := range in.jurisdictions() {
		for row := range l.Len() {
			who := Authority{l.Text(row, "agency"), l.Text(row, "country"), l.Text(row, "powers")}
			out = append(out, jurisdiction{who, geo.NewArea(l.Geometry(row))})
		}
	}
	return out
}
