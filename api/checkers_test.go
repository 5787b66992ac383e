package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The checkers of the interface's contract are kept outside this repository,
// for every implementation of it. SEMPADAN_CHECKS is their folder.
func TestCheckers(t *testing.T) {
	dir := os.Getenv("SEMPADAN_CHECKS")
	if dir == "" {
		t.Skip("THE CHECKERS OF THE CONTRACT ARE NOT RUN: set SEMPADAN_CHECKS to the folder of ogc_check.py and clients_check.sh")
	}
	s := clientService(t)
	export := func(format, path string) []string { return []string{"--export", format + "=" + s.url + path} }
	clients := []string{filepath.Join(dir, "clients_check.sh"), s.url + "/ogc", "--collection", "cases", "--collection", "reported_incidents", "--collection", "places",
		"--tilejson", s.url + "/tiles/layers/cases.json", "--xyz", s.url + "/tiles/hazard/{z}/{x}/{y}.png", "--wmts", s.url + "/wmts",
		"--need", "oapif,mvt,xyz,wmts,export,qgis"}
	for _, format := range []string{"gpkg", "fgb", "geojson", "csv", "kml", "gpx", "pmtiles"} {
		clients = append(clients, export(format, "/v1/layers/places/features?format="+format)...)
	}
	clients = append(append(clients, export("shpzip", "/v1/layers/places/features?format=shp")...), export("cog", "/surfaces/hazard.tif")...)
	ogc := []string{filepath.Join(dir, "ogc_check.py"), s.url + "/ogc", "--require", "core", "geojson", "oas30", "crs", "filter", "tiles", "tilejson", "caching",
		"cors", "problem", "edit", "wmts", "--write", "cases", "--tilejson", s.url + "/tiles/layers/cases.json", "--wmts", s.url + "/wmts",
		"--feature", `{"type":"Feature","geometry":{"type":"Point","coordinates":[110.5,0.5]},"properties":{"kind":"irr.exit","severity":2,"occurred_from":"2026-10-01T00:00:00Z"}}`}
	for _, c := range []struct {
		name, program string
		args          []string
	}{{"clients", "bash", clients}, {"ogc", "python3", ogc}} {
		t.Run(c.name, func(t *testing.T) {
			check := exec.Command(c.program, c.args...)
			check.Env = append(os.Environ(), "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir())
			out, err := check.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, regexp.MustCompile(`(?m)^PASS .*\n`).ReplaceAll(out, nil))
			}
			t.Logf("%s", regexp.MustCompile(`(?m)^SUMMARY.*`).Find(out))
		})
	}
}
