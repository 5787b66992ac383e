package api_test

import (
	"path/filepath"
	"testing"

	"github.com/sempadan/sempadan/api"
)

// The public record is for everyone who signs in, row by row.
func TestPublicRecordIsForEveryone(t *testing.T) {
	keys := api.KeyFile{Path: filepath.Join(t.TempDir(), "s.keys")}
	_, token, err := keys.Create(api.KeyRequest{Role: api.Viewer, Agency: "MEDIA", Country: "MY", Days: 1}, clock)
	if err != nil {
		t.Fatal(err)
	}
	s := startWith(t, "", true, func(o *api.Options) { o.SignIn = api.SignIn{Keys: &keys} })
	s.want(401, "/v1/layers/reported_incidents/features")
	as := map[string]string{"Authorization": "Bearer " + token}
	if a := s.do("GET", "/v1/layers/reported_incidents/features", nil, as); a.status != 200 || len(a.json(t)["features"].([]any)) != 189 {
		t.Errorf("%d: %.200s", a.status, a.body)
	}
	if a := s.do("GET", "/tiles/density/value?lon=104.05&lat=1.1", nil, as); a.status != 200 || !(a.json(t)["value"].(float64) > 0) {
		t.Errorf("%d: %.200s", a.status, a.body)
	}
	for _, open := range []string{"/", "/healthz", "/readyz", "/openapi.json", "/v1/schemas/incident"} {
		s.want(200, open)
	}
}
