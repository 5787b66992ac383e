package api_test

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// GDAL finds the raster at the right place, with the value that the service
// says is there.
func TestSurfaceTIFF(t *testing.T) {
	s := start(t, "", true)
	s.put("/v1/layers/mine?kind=incident", "text/csv", incidentsCSV(50))
	a := s.want(200, "/surfaces/density.tif")
	if a.header.Get("Accept-Ranges") != "bytes" || !strings.Contains(a.header.Get("Content-Disposition"), "sempadan-density.tif") {
		t.Errorf("%v", a.header)
	}
	part := s.do("GET", "/surfaces/density.tif", nil, map[string]string{"Range": "bytes=0-15"})
	if part.status != 206 || string(part.body) != string(a.body[:16]) {
		t.Errorf("a range: %d, %d bytes", part.status, len(part.body))
	}
	if same := s.do("GET", "/surfaces/density.tif", nil, map[string]string{"If-None-Match": a.header.Get("ETag")}); same.status != 304 {
		t.Errorf("unchanged: %d", same.status)
	}
	s.want(404, "/surfaces/gaps.tif")
	s.want(404, "/surfaces/nothing.tif")
	gdal, err := exec.LookPath("gdallocationinfo")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gdallocationinfo is missing; install gdal-bin")
		}
		t.Skip("NOT RUN: the place of the raster was not checked, because gdal-bin is not installed")
	}
	path := filepath.Join(t.TempDir(), "d.tif")
	if err := os.WriteFile(path, a.body, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]float64{{110.32, 1.04}, {110.34, 1.02}} {
		out, err := exec.Command(gdal, "-valonly", "-wgs84", path, num(at[0]), num(at[1])).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			t.Fatal(err)
		}
		want := s.want(200, "/tiles/density/value?lon="+num(at[0])+"&lat="+num(at[1])).json(t)["value"].(float64)
		if math.Abs(got-want) > 0.1*want { // the centre of a cell of 1.2 km lies up to 0.9 km away
			t.Errorf("at %v: %g, the service says %g", at, got, want)
		}
	}
	out, err := exec.Command("gdalinfo", "-json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Bands []struct {
			Type   string
			NoData float64 `json:"noDataValue"`
			Unit   string
		}
		Metadata map[string]map[string]string
	}
	if err := json.Unmarshal(out, &info); err != nil {
		t.Fatal(err)
	}
	if b := info.Bands[0]; b.Type != "Float32" || b.NoData != -9999 || !strings.Contains(b.Unit, "km²") || info.Metadata["IMAGE_STRUCTURE"]["LAYOUT"] != "COG" {
		t.Errorf("%+v %v", b, info.Metadata)
	}
}
