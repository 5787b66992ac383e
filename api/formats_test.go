package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// What a layer is given out as can be uploaded again as it is.
func TestFormatsOfLayers(t *testing.T) {
	s := start(t, "", false)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(50))
	for format, media := range map[string]string{"gpkg": "application/geopackage+sqlite3", "shp": "application/zip", "fgb": "application/flatgeobuf", "parquet": "application/vnd.apache.parquet"} {
		got := s.want(200, "/v1/layers/mine/features?format="+format)
		if got.header.Get("Content-Type") != media || !strings.Contains(got.header.Get("Content-Disposition"), "mine.") {
			t.Errorf("%s: %v", format, got.header)
		}
		a := s.put("/v1/layers/"+format+"?kind=incident&tz=UTC&format="+format, media, string(got.body))
		if a.status != http.StatusCreated || a.json(t)["accepted"] != 50.0 {
			t.Errorf("%s: %d %s", format, a.status, a.body)
		}
		if a := s.put("/v1/layers/x?kind=incident&layer=other", media, string(got.body)); format != "fgb" && format != "parquet" && a.status != 422 {
			t.Errorf("%s: %d %s", format, a.status, a.body)
		}
		if a := s.put("/v1/layers/x?kind=incident&format=geojson", "application/octet-stream", string(got.body)); a.status != 415 {
			t.Errorf("%s: %d %s", format, a.status, a.body)
		}
	}
}
