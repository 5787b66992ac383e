package data

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needs finds a program of GDAL, the judge that shares no code with this package.
func needs(t *testing.T, name, from string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, name, from)
	}
}

func missing(t *testing.T, name, from string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; install %s", name, from)
	}
	t.Skipf("NOT TESTED AGAINST %s, which is missing; install %s", name, from)
}

// gdal runs a program of GDAL, which must have nothing to say against the file.
func gdal(t *testing.T, name string, args ...string) string {
	t.Helper()
	needs(t, name, "gdal-bin")
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Warning") || strings.Contains(string(out), "ERROR") {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func tifFile(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "surface.tif")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// gdalCells returns all cells of a file as GDAL reads them; overview -1 is
// the raster itself.
func gdalCells(t *testing.T, path string, overview int) []float32 {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "cells")
	args := []string{"-q", "-of", "ENVI"}
	if overview >= 0 {
		args = append(args, "-oo", fmt.Sprint("OVERVIEW_LEVEL=", overview))
	}
	gdal(t, "gdal_translate", append(args, path, raw)...)
	b, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]float32, len(b)/4)
	for i := range cells {
		cells[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return cells
}

type gdalInfo struct {
	Size             []int
	CoordinateSystem struct {
		WKT string `json:"wkt"`
	} `json:"coordinateSystem"`
	GeoTransform []float64
	Metadata     map[string]map[string]string
	Corners      map[string][]float64 `json:"cornerCoordinates"`
	Bands        []struct {
		Block       []int
		Type        string
		Description string
		NoDataValue any
		Unit        string
		Overviews   []struct{ Size []int }
	}
}

// infoOf asks twice: for complaints, then for JSON, where GDAL 3.6 complains of
// any plane that is nowhere on Earth, those in its own files too.
func infoOf(t *testing.T, path string) (info gdalInfo) {
	t.Helper()
	gdal(t, "gdalinfo", path)
	out, err := exec.Command("gdalinfo", "-json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &info); err != nil {
		t.Fatal(err)
	}
	return info
}

// Every cell of every level is what was written, in classic TIFF and BigTIFF.
func TestGDALReadsCells(t *testing.T) {
	needs(t, "gdal_translate", "gdal-bin")
	for i, c := range []struct {
		width, height int
		holes         float64
		noData        float32
		limit         int64
	}{
		{1, 1, 0, -9999, maxClassic}, {1, 1, 1, hole, maxClassic}, {511, 513, 0.3, -9999, maxClassic}, {300, 1, 0.1, -9999, maxClassic},
		{1, 600, 0.1, hole, maxClassic}, {1025, 700, 0.5, -math.MaxFloat32, maxClassic}, {600, 520, 1, -9999, maxClassic},
		{1025, 700, 0.5, -9999, 0},
	} {
		t.Run(fmt.Sprintf("%dx%d", c.width, c.height), func(t *testing.T) {
			seed := uint64(200 + i)
			t.Logf("seed %d", seed)
			values := randomValues(seed, c.width*c.height, c.holes)
			r := riskRaster(values, c.width)
			r.NoData = c.noData
			path := tifFile(t, mustWriteWith(t, r, spoolMemory, c.limit))
			sameCells(t, "cells", gdalCells(t, path, -1), values, c.noData)
			overviews := infoOf(t, path).Bands[0].Overviews
			level, width := values, c.width
			for k, o := range overviews {
				level, width = smallOverview(level, width, c.noData)
				if o.Size[0] != width {
					t.Errorf("overview %d is %v, expected %d columns", k, o.Size, width)
				}
				sameCells(t, fmt.Sprint("overview ", k), gdalCells(t, path, k), level, c.noData)
			}
			if max(width, len(level)/width) > 512 {
				t.Errorf("GDAL finds %d overviews", len(overviews))
			}
		})
	}
}

// GDAL finds the raster where it lies, with its words, its no data and the
// layout that was declared.
func TestGDALReadsPlaceAndWords(t *testing.T) {
	words := map[string]string{"SURFACE": "risk", "NOTE": "a < b & \"c\" > 'd'\n&lt; & é 国", "a <&\"> b": "odd name"}
	for _, c := range []struct {
		epsg       int
		x, y, cell float64
		wkt        string
	}{
		{3857, 12_280_000, 175_000, 100, `ID["EPSG",3857]`},
		{4326, 109.5, 2.25, 1.0 / 1024, `ID["EPSG",4326]`},
		{0, -5000, 20_000, 98, `ENGCRS["` + planeName + `"`},
	} {
		t.Run(fmt.Sprint(c.epsg), func(t *testing.T) {
			r := riskRaster(randomValues(5, 700*300, 0.1), 700)
			r.EPSG, r.OriginX, r.OriginY, r.CellX, r.CellY, r.Metadata = c.epsg, c.x, c.y, c.cell, c.cell/2, words
			info := infoOf(t, tifFile(t, mustGeoTIFF(t, r)))
			if fmt.Sprint(info.Size) != "[700 300]" || !strings.Contains(info.CoordinateSystem.WKT, c.wkt) {
				t.Errorf("%v %s", info.Size, info.CoordinateSystem.WKT)
			}
			if c.epsg == 0 && !strings.Contains(info.CoordinateSystem.WKT, `LENGTHUNIT["metre",1`) {
				t.Error(info.CoordinateSystem.WKT)
			}
			east, south := c.x+700*c.cell, c.y-300*c.cell/2
			if got := info.Corners["lowerRight"]; math.Hypot(got[0]-east, got[1]-south) > 1e-6 {
				t.Errorf("lower right corner %v, expected %v %v", got, east, south)
			}
			if fmt.Sprint(info.GeoTransform) != fmt.Sprint([]float64{c.x, c.cell, 0, c.y, 0, -c.cell / 2}) {
				t.Error(info.GeoTransform)
			}
			band := info.Bands[0]
			if band.Type != "Float32" || fmt.Sprint(band.Block) != "[512 512]" || band.NoDataValue != -9999.0 || band.Unit != r.Unit || band.Description != r.Description {
				t.Errorf("%+v", band)
			}
			for name, value := range words {
				if info.Metadata[""][name] != value {
					t.Errorf("%s is %q, expected %q", name, info.Metadata[""][name], value)
				}
			}
			if s := info.Metadata["IMAGE_STRUCTURE"]; s["LAYOUT"] != "COG" || s["COMPRESSION"] != "DEFLATE" || info.Metadata[""]["AREA_OR_POINT"] != "Area" {
				t.Error(info.Metadata)
			}
		})
	}
}

// One value at one place: the cell whose middle is 110°19'E 1°33'N, from the
// position on the ground, by two programs.
func TestGDALFindsAPlace(t *testing.T) {
	needs(t, "gdallocationinfo", "gdal-bin")
	const lon, lat = 110.344, 1.557 // Kuching
	const radiusM = 6378137
	x, y := lon*math.Pi/180*radiusM, math.Log(math.Tan(math.Pi/4+lat*math.Pi/360))*radiusM
	values := make([]float32, 700*300)
	r := riskRaster(values, 700)
	r.OriginX, r.OriginY = x-420.5*r.CellX, y+130.5*r.CellY
	values[130*700+420] = 7.25
	path := tifFile(t, mustGeoTIFF(t, r))
	if got := gdal(t, "gdallocationinfo", "-valonly", "-wgs84", path, fmt.Sprint(lon), fmt.Sprint(lat)); strings.TrimSpace(got) != "7.25" {
		t.Errorf("at the place: %q", got)
	}
	if got := gdal(t, "gdallocationinfo", "-valonly", "-geoloc", path, fmt.Sprintf("%f", x+100), fmt.Sprintf("%f", y)); strings.TrimSpace(got) != "0" {
		t.Errorf("100 m to the east: %q", got)
	}
	xyz := filepath.Join(t.TempDir(), "cells.xyz")
	gdal(t, "gdal_translate", "-q", "-of", "XYZ", "-srcwin", "420", "130", "1", "1", path, xyz)
	b, err := os.ReadFile(xyz)
	var gotX, gotY, gotZ float64
	if _, scanErr := fmt.Sscan(string(b), &gotX, &gotY, &gotZ); err != nil || scanErr != nil || math.Hypot(gotX-x, gotY-y) > 1e-3 || gotZ != 7.25 {
		t.Errorf("%s, expected %f %f: %v %v", b, x, y, err, scanErr)
	}
}

// GDAL's own check of Cloud Optimized GeoTIFF, with every leader and trailer.
func TestGDALValidatesCOG(t *testing.T) {
	const script = `
import sys
from osgeo_utils.samples import validate_cloud_optimized_geotiff as v
warnings, errors, details = v.validate(sys.argv[1], full_check=True)
print("warnings", warnings, "errors", errors)
`
	python := ""
	for _, candidate := range []string{"/usr/bin/python3", "python3"} { // Debian's own first: python3-gdal belongs to it
		if python == "" && exec.Command(candidate, "-c", "import osgeo_utils.samples").Run() == nil {
			python = candidate
		}
	}
	if python == "" {
		missing(t, "osgeo_utils", "python3-gdal")
	}
	for _, limit := range []int64{maxClassic, 0} {
		for _, size := range [][2]int{{1, 1}, {511, 513}, {1500, 1100}} {
			r := riskRaster(randomValues(9, size[0]*size[1], 0.2), size[0])
			path := tifFile(t, mustWriteWith(t, r, spoolMemory, limit))
			out, err := exec.Command(python, "-c", script, path).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != "warnings [] errors []" {
				t.Errorf("%v, limit %d: %v %s", size, limit, err, got)
			}
		}
	}
}
