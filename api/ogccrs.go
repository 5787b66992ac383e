package api

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strings"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
)

// bodyCRS is the reference system that a request names for the places in its
// body (OGC API Features Part 4), longitude and latitude when it names none.
func bodyCRS(r *http.Request) (*data.OutputCRS, error) {
	const name = "Content-Crs"
	return crsNamed(name, strings.Trim(strings.TrimSpace(r.Header.Get(name)), "<>"))
}

// toDegrees turns the geometry of a feature in another system into longitude and
// latitude.
func toDegrees(members map[string]json.RawMessage, crs *data.OutputCRS) error {
	raw := members["geometry"]
	if crs.IsDefault() || len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var geometry any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // what is not turned stays as it is written
	if err := decoder.Decode(&geometry); err != nil {
		return badMember("/geometry", "it is not JSON")
	}
	if !placesTurned(geometry, crs) {
		return badMember("/geometry", "it has a place that "+crs.URI+" does not know")
	}
	raw, err := json.Marshal(geometry)
	members["geometry"] = raw
	return err
}

// placesTurned turns the positions in a geometry, in place; what is no position
// is left for the reader of features to refuse.
func placesTurned(v any, crs *data.OutputCRS) bool {
	switch v := v.(type) {
	case map[string]any:
		return placesTurned(v["coordinates"], crs) && placesTurned(v["geometries"], crs)
	case []any:
		if len(v) >= 2 {
			x, isX := v[0].(json.Number)
			y, isY := v[1].(json.Number)
			if isX && isY {
				return placeTurned(v, x, y, crs)
			}
		}
		for i := range v {
			if !placesTurned(v[i], crs) {
				return false
			}
		}
	}
	return true
}

func placeTurned(v []any, x, y json.Number, crs *data.OutputCRS) bool {
	if crs.Geographic() {
		v[0], v[1] = y, x
		return true
	}
	var p orb.Point
	var errX, errY error
	p[0], errX = x.Float64()
	p[1], errY = y.Float64()
	p = crs.ToWGS84(p)
	if errX != nil || errY != nil || !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
		return false
	}
	const tenthOfMillimetre = 1e9
	v[0], v[1] = math.Round(p[0]*tenthOfMillimetre)/tenthOfMillimetre, math.Round(p[1]*tenthOfMillimetre)/tenthOfMillimetre
	return true
}
