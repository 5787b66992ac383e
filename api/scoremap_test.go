package api_test

import "testing"

// A map of scores says what of the file is not on it, as the JSON does.
func TestScoreMapSaysWhatIsMissing(t *testing.T) {
	s := routed(t)
	feature := func(coordinates string) string {
		return `{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":` + coordinates + `}}`
	}
	const near, far, short = `[[110.2,1.02],[110.9,0.98]]`, `[[0,0],[1,1]]`, `[[110,1]]`
	for name, c := range map[string]struct {
		features    string
		partial     bool
		quarantined float64
	}{
		"whole": {feature(near), false, 0}, "a short one": {feature(near) + "," + feature(short), true, 1},
		"a far one": {feature(near) + "," + feature(far), true, 0},
	} {
		body := `{"type":"FeatureCollection","features":[` + c.features + `]}`
		drawn := s.post(200, "/v1/routes/score?format=geojson", "", body).json(t)
		if drawn["type"] != "FeatureCollection" || drawn["partial"] != c.partial || drawn["quarantined"] != c.quarantined {
			t.Errorf("%s: partial %v, %v quarantined", name, drawn["partial"], drawn["quarantined"])
		}
		if rows, _ := drawn["rows"].([]any); float64(len(rows)) != c.quarantined {
			t.Errorf("%s: rows %v", name, drawn["rows"])
		}
	}
}
