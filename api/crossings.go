package api

import (
	"net/http"

	"github.com/paulmach/orb/geojson"
	"github.com/sempadan/sempadan/geo/risk"
)

// crossingAnswer is a place where the border is crossed.
type crossingAnswer struct {
	risk.Crossing
	Geometry *geojson.Geometry `json:"geometry,omitempty"`
}

// crossings lists the official crossings and the informal places by rank.
func (s *Server) crossings(w http.ResponseWriter, r *http.Request) error {
	format, err := formatParam(r, GapsJSON, GapsGeoJSON)
	if err != nil {
		return err
	}
	official, err := boolParam(r, "official")
	if err != nil {
		return err
	}
	everyone := r.URL.Query().Get("official") == ""
	limit, err := intParam(r, "limit", 0, 1, 10_000)
	if err != nil {
		return err
	}
	_, as, err := s.asked(r)
	if err != nil {
		return err
	}
	whole := map[string]any{
		"as_of": as.AsOf, "model": as.Model.Version, "version": as.Version, "synthetic": as.Synthetic,
		"radius_m": as.Model.CrossingRadiusM, "collusion_by_country": as.Collusion(),
	}
	places, features := []crossingAnswer{}, []feature{}
	for _, c := range as.Crossings() {
		if !everyone && c.Official != official || limit > 0 && len(places) == limit {
			continue
		}
		places = append(places, crossingAnswer{c, geojson.NewGeometry(c.At)})
		features = append(features, feature{"Feature", c.Layer + "/" + c.ID, geojson.NewGeometry(c.At), c})
	}
	if format == GapsGeoJSON {
		return s.sendFeatures(w, r, features, whole)
	}
	whole["crossings"] = places
	return s.sendJSON(w, r, http.StatusOK, whole)
}
