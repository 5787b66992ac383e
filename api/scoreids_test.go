package api_test

import (
	"fmt"
	"testing"
)

// A line that cannot be read takes no other's place: each score has its feature's id.
func TestScoresKeepTheirIDs(t *testing.T) {
	s := routed(t)
	feature := func(id, coordinates string) string {
		return fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{},"geometry":{"type":"LineString","coordinates":%s}}`, id, coordinates)
	}
	const line = `[[110.2,1.02],[110.9,0.98]]`
	body := `{"type":"FeatureCollection","features":[` + feature("short", `[[110,1]]`) + "," + feature("b", line) + "," + feature("far", `[[0,0],[1,1]]`) + "," + feature("d", line) + `]}`
	routes := s.post(200, "/v1/routes/score", "", body).json(t)["routes"].([]any)
	var got string
	for _, r := range routes {
		got += fmt.Sprint(r.(map[string]any)["id"], " ")
	}
	if got != "b far d " {
		t.Errorf("the scores are of %q", got)
	}
}
