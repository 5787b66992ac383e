package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// mayChange reports why somebody may not change a layer: it must be of their
// own agency, or be new. A layer that they cannot see is not there. collection:
// the request is about one that must be there.
func (s *Server) mayChange(who principal, do action, id string, collection bool) error {
	if id == "" || do != doReport && do != doCurate {
		return nil
	}
	e := s.current().byID[id]
	if e == nil && (do == doCurate || collection) { // before anything else is looked at, as of a layer that is not theirs
		_, err := (&catalog{}).find(id)
		return err
	}
	if e == nil {
		return nil // a new layer, or a job
	}
	if ownerOf(e.layer.Info) == (owner{who.Country, who.Agency}) {
		return nil
	}
	if s.hiddenFrom(who, id) {
		_, err := (&catalog{}).find(id)
		return err
	}
	return problem{Status: http.StatusForbidden, Code: "not_your_layer",
		Detail: fmt.Sprintf("layer %s belongs to another agency; upload under a name of your own", id)}
}

// basemap reports why the holder of an embed token may not have rows: they may
// draw the base map, and see no list.
func (s *Server) basemap(r *http.Request, id string) error {
	if e := s.current().byID[id]; e != nil && strings.HasPrefix(routeName(r), "GET /tiles/layers/") {
		info := e.layer.Info
		drawn := info.Base || info.Kind == geo.KindBoundary
		if info.Builtin && info.Classification == classPublic && drawn {
			return nil
		}
	}
	return problem{Status: http.StatusForbidden, Code: "not_granted", Detail: "the embed token is for a surface and the base map"}
}

// mayAsk reports why somebody may not ask for what they do: generalised maps
// come from a fixed menu, up to a zoom.
func (p principal) mayAsk(r *http.Request, vars map[string]string) error {
	c := p.circle()
	surface, isSurface := vars["surface"]
	if z, ok := vars["z"]; ok {
		t, err := tiles.Parse(z, vars["x"], vars["y"])
		if err == nil && int(t.Z) > c.mostZoom() {
			return problem{Status: http.StatusNotFound, Code: "tile_not_found",
				Detail: fmt.Sprintf("your role has tiles up to zoom %d; draw those larger", c.mostZoom())}
		}
		if err == nil && p.Embed != nil && !p.Embed.permits(surface, t) {
			return errNotGranted
		}
	}
	if p.Embed != nil && isSurface && surface != p.Embed.Surface {
		return problem{Status: http.StatusForbidden, Code: "not_granted", Detail: "the embed token is not for this surface"}
	}
	if !c.generalised() || !isSurface {
		return nil
	}
	if !slices.Contains(embedSurfaces(), surface) {
		return problem{Status: http.StatusForbidden, Code: "not_for_this_role", Detail: "your role sees the surfaces density and hazard; the others tell of patrols"}
	}
	for name := range r.URL.Query() {
		if !slices.Contains([]string{"palette", "lang", "v", "lon", "lat", "token"}, name) {
			return problem{Status: http.StatusForbidden, Code: "not_on_the_menu",
				Detail: name + " is for planners and analysts; your role sees what is published"}
		}
	}
	return nil
}

// errNotGranted: an embed token is for other tiles. The tile is then answered as
// one where nothing is shown.
var errNotGranted = problem{Status: http.StatusForbidden, Code: "not_granted", Detail: "the embed token is not for this tile"}

func isNotGranted(err error) bool {
	p, is := err.(problem)
	return is && p.Code == errNotGranted.Code && p.Detail == errNotGranted.Detail
}

// embedSurfaces are those that tell of incidents alone.
func embedSurfaces() []string { return []string{"density", "hazard"} }

// steps is in how many steps numbers are told to those who see generalised
// maps.
const steps = 16

// stepped rounds a number down to one of the steps of a scale, by equal ratios
// down to a thousandth of its top; what is below is 0.
func stepped(v, top float64) float64 {
	const decades = 3
	if !(v > 0) || top <= 0 {
		return 0
	}
	k := math.Floor((math.Log10(v/top)/decades + 1) * steps)
	if k < 0 {
		return 0
	}
	return top * math.Pow(10, decades*(math.Min(k, steps-1)/steps-1))
}
