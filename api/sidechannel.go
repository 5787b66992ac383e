package api

import (
	"net/http"

	"github.com/gorilla/mux"
	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/tiles"
)

// What is told beside the maps must not tell of single records (SECURITY section
// 3, rules 2 and 6): extents, scales, zooms, numbers of layers.

// mapBound is what is told of the extent of surfaces: of the data to those who
// see records, else of the border's area.
func (s *Server) mapBound(a *risk.Assessment) orb.Bound {
	if s.circle == (circle{}) || s.circle.Role == Analyst {
		return a.Bound()
	}
	return publicArea()
}

// releasedScales are the tops of the scales of generalised maps. They are the
// same whatever the data: a top that is fitted to them tells of the largest.
func releasedScales() risk.Scales { return risk.Scales{Density: 0.5, Hazard: 0.5, Risk: 0.04} }

// tileZoom is the deepest zoom that a description of raster tiles names.
func (s *Server) tileZoom() int { return min(tiles.SurfaceMaxZoom, s.circle.mostZoom()) }

// blankTile answers a tile that an embed token is not for as one where nothing
// is shown.
func (s *Server) blankTile(w http.ResponseWriter, r *http.Request) error {
	a, err := s.readSurfaceAsk(r)
	if err != nil {
		return err
	}
	raster, err := s.painters.get(s.assessment.Load(), a)
	if err != nil {
		return err
	}
	size := 256
	if mux.Vars(r)["retina"] != "" {
		size = 512
	}
	png, _, err := raster.PNG(make([]float64, size*size), size)
	if err != nil {
		return err
	}
	s.sendTile(w, r, newTile("image/png", png), a.pinned)
	return nil
}
