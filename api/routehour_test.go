package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// landed is routed with land on both sides.
func landed(t testing.TB) *service {
	t.Helper()
	s := routed(t)
	square := func(south, north float64, country string) string {
		return fmt.Sprintf(`{"type":"Feature","properties":{"country":%q},"geometry":{"type":"Polygon","coordinates":[[[109.8,%g],[112,%[2]g],[112,%[3]g],[109.8,%[3]g],[109.8,%[2]g]]]}}`, country, south, north)
	}
	if a := s.put("/v1/layers/land?kind=area", "application/geo+json", `{"type":"FeatureCollection","features":[`+square(0.7, 1, "ID")+","+square(1, 1.3, "MY")+`]}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return s
}

// Patrols walk along the border in the ten hours after each midnight: who is there
// then is met more often than at any hour, and who is there at noon less.
func TestFindByHour(t *testing.T) {
	s := landed(t)
	find := func(more string) map[string]any {
		return s.post(200, "/v1/routes/find", "application/json", `{"from":[110.5,0.95],"to":[110.5,1.06],"mode":"foot","theta":0`+more+`}`).json(t)
	}
	met := func(answer map[string]any) (p, anyHour float64) {
		way := answer["ways"].([]any)[0].(map[string]any)
		anyHour, _ = way["p_detected_any_hour"].(float64)
		return way["p_detected"].(map[string]any)["mean"].(float64), anyHour
	}
	mean := find("")
	at := func(h int) map[string]any {
		return find(`,"depart":"` + clock.Add(time.Duration(h)*time.Hour).Format(time.RFC3339) + `"`)
	}
	p, none := met(mean)
	walked, anyHour := met(at(3))
	free, _ := met(at(14))
	if p == 0 || none != 0 || anyHour != p || walked < 1.2*p || free > 0.9*p {
		t.Errorf("met with %g at no hour (%g told beside %g), %g when they walk and %g when they do not", p, anyHour, none, walked, free)
	}
	for _, answer := range []map[string]any{mean, at(3)} {
		if answer["hour_matters"] != true || answer["hour_why"] == "" {
			t.Errorf("%v: %v", answer["hour_matters"], answer["hour_why"])
		}
	}
	if !strings.Contains(mean["hour_why"].(string), "give depart") || at(3)["depart"] == nil {
		t.Errorf("%v", mean["hour_why"])
	}
	far := s.post(200, "/v1/routes/find", "application/json", `{"from":[111.8,0.95],"to":[111.8,1.06],"mode":"foot"}`).json(t)
	if far["hour_matters"] != false || !strings.Contains(far["hour_why"].(string), "does not change") {
		t.Errorf("away from patrols: %v, %v", far["hour_matters"], far["hour_why"])
	}
	for question, says := range map[string]string{
		`{"from":[110.5,0.95],"to":[110.5,1.06],"depart":"tonight"}`:                                                        "2026-11-22T20",
		`{"from":[110.5,0.95],"to":[110.5,1.06],"depart":5}`:                                                                "2026-11-22T20",
		`{"from":[110.5,0.95],"to":[110.5,1.06],"depart":"9999-01-01T00:00:00Z"}`:                                           "1900 to 2200",
		`{"matrix":{"origins":[[110.5,0.95]],"destinations":[[110.5,1.06]]},"depart":"2026-11-22T20:00:00Z","mode":"foot"}`: "a matrix has no hour",
	} {
		if a := s.post(400, "/v1/routes/find", "application/json", question); !strings.Contains(string(a.body), says) {
			t.Errorf("%s: %s", question, a.body)
		}
	}
}
