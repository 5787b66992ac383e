package api_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// run answers what a program prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "GDAL_HTTP_TIMEOUT=60", "GDAL_PAM_ENABLED=NO", "GDAL_DEFAULT_WMS_CACHE_PATH="+t.TempDir(), "QT_QPA_PLATFORM=offscreen", "LC_ALL=C.UTF-8", "XDG_RUNTIME_DIR="+t.TempDir())
	var says bytes.Buffer
	c.Stderr = &says
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, out, says.Bytes())
	}
	if complaint := regexp.MustCompile(`(?m)^(ERROR|Warning).*`).Find(says.Bytes()); complaint != nil {
		t.Errorf("%s %q complains: %s", name, args, complaint)
	}
	return string(out)
}

// missing skips a test loudly; where tests must not be left out it fails.
func missing(t *testing.T, client, pkg string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; install %s", client, pkg)
	}
	t.Skipf("NOT TESTED WITH %s: install %s", client, pkg)
}

// clientService has the built-in layers and 600 incidents, some with lists.
func clientService(t *testing.T) *service {
	t.Helper()
	s := start(t, "", true)
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range 600 {
		list := ""
		if i%3 == 0 {
			list = `,"exploitation":["sexual","begging"],"persons_by_sex":{"female":2}`
		}
		fmt.Fprintf(&b, `%s{"type":"Feature","id":"E%d","geometry":{"type":"Point","coordinates":[%g,%g]},"properties":{"kind":"irr.exit","severity":%d,"occurred_from":"2026-%02d-01T03:00:00Z"%s}}`,
			strings.Repeat(",", min(i, 1)), i, 109+float64(i%30)*.2, .5+float64(i/30)*.1, 1+i%5, 1+i%10, list)
	}
	b.WriteString("]}")
	if a := s.put("/v1/layers/cases?kind=incident", "application/geo+json", b.String()); a.status != 201 {
		t.Fatalf("%s", a.body)
	}
	return s
}

// GDAL reads features page by page, by box and by value, vector tiles, and the
// maps of WMTS, WMS and XYZ.
func TestGDALReadsTheService(t *testing.T) {
	if _, err := exec.LookPath("ogr2ogr"); err != nil {
		missing(t, "GDAL", "gdal-bin")
	}
	s := clientService(t)
	dir := t.TempDir()
	read := func(args ...string) (lons []float64) {
		t.Helper()
		out := filepath.Join(dir, "o.json")
		_ = os.Remove(out)
		run(t, "ogr2ogr", append(append([]string{"-f", "GeoJSON", out, "OAPIF:" + s.url + "/ogc", "cases"}, args...), "-oo", "PAGE_SIZE=70")...)
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Features []struct {
				Geometry   struct{ Coordinates []float64 }
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		for i, f := range got.Features {
			lons = append(lons, f.Geometry.Coordinates[0])
			if text, listed := f.Properties["exploitation"].(string); listed && text != `["sexual","begging"]` {
				t.Errorf("feature %d: %v", i, f.Properties)
			}
		}
		return lons
	}
	if got := len(read()); got != 600 {
		t.Errorf("%d of 600 features over pages of 70", got)
	}
	if got := len(read("-spat", "109.95", "0.45", "111.05", "0.95")); got != 30 { // 6 columns of 5 rows
		t.Errorf("%d features in the box", got)
	}
	if got := len(read("-where", "severity = 3")); got != 120 {
		t.Errorf("%d features by value", got)
	}
	run(t, "ogr2ogr", "-f", "GPKG", filepath.Join(dir, "all.gpkg"), "OAPIF:"+s.url+"/ogc", "cases")
	sum := run(t, "ogrinfo", "-ro", "-so", "OAPIF:"+s.url+"/ogc", "cases")
	for _, want := range []string{"Feature Count: 600", "Extent: (109.000000, 0.500000) - (114.800000, 2.400000)", "Geometry: Point"} {
		if !strings.Contains(sum, want) {
			t.Errorf("no %q in %s", want, sum)
		}
	}
	tile := run(t, "ogrinfo", "-ro", "-so", "-al", "MVT:"+s.url+"/tiles/layers/cases/6/51/31.mvt")
	if !regexp.MustCompile(`Feature Count: [1-9]`).MatchString(tile) {
		t.Errorf("%s", tile)
	}

	window := []string{"-q", "-of", "PNG", "-outsize", "400", "0", "-projwin", "12130000", "450000", "12800000", "50000"}
	xyz := filepath.Join(dir, "xyz.xml")
	if err := os.WriteFile(xyz, []byte(`<GDAL_WMS><Service name="TMS"><ServerUrl>`+s.url+`/tiles/hazard/${z}/${x}/${y}.png</ServerUrl></Service>
<DataWindow><UpperLeftX>-20037508.34</UpperLeftX><UpperLeftY>20037508.34</UpperLeftY><LowerRightX>20037508.34</LowerRightX><LowerRightY>-20037508.34</LowerRightY><TileLevel>9</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow>
<Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>4</BandsCount><ZeroBlockHttpCodes>204</ZeroBlockHttpCodes></GDAL_WMS>`), 0o600); err != nil {
		t.Fatal(err)
	}
	wms := s.url + "/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=hazard&STYLES=&CRS=EPSG:3857&FORMAT=image/png&TRANSPARENT=true"
	for name, source := range map[string]string{"xyz": xyz, "wmts": "WMTS:" + s.url + "/wmts,layer=hazard", "wms": "WMS:" + wms + "&BBOX=12130000,50000,12800000,450000"} {
		out := filepath.Join(dir, name+".png")
		run(t, "gdal_translate", append(append([]string{}, window...), source, out)...)
		deviation := regexp.MustCompile(`STATISTICS_STDDEV=([0-9.]+)`).FindAllStringSubmatch(run(t, "gdalinfo", "-stats", out), -1)
		most := 0.0
		for _, d := range deviation {
			v, _ := strconv.ParseFloat(d[1], 64)
			most = max(most, v)
		}
		if most < 1 {
			t.Errorf("%s: one colour only", name)
		}
	}
}

//go:embed testdata/qgis_read.py
var qgisScript string

// QGIS's own providers, which is what its users see, read the same.
func TestQGISReadsTheService(t *testing.T) {
	const python = "/usr/bin/python3" // the interpreter that Debian's QGIS belongs to
	if exec.Command(python, "-c", "import qgis.core").Run() != nil {
		missing(t, "QGIS", "python3-qgis")
	}
	s := clientService(t)
	script := filepath.Join(t.TempDir(), "read.py")
	if err := os.WriteFile(script, []byte(qgisScript), 0o600); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Features, InBox, Filtered   int
		CRS                         string
		Lists                       []string
		VectorTiles, XYZ, WMTS, WMS bool
		WMTSLayers                  int
		Value                       string
		Colours                     map[string]int
	}
	out := run(t, python, script, s.url)
	if err := json.Unmarshal([]byte(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Features != 600 || got.InBox != 30 || got.Filtered != 120 || got.CRS != "EPSG:4326" {
		t.Errorf("%+v", got)
	}
	if len(got.Lists) != 1 || got.Lists[0] != `["sexual","begging"]` {
		t.Errorf("%q", got.Lists)
	}
	if !got.VectorTiles || !got.XYZ || !got.WMTS || !got.WMS {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"xyz", "wmts", "wms", "vector"} {
		if got.Colours[name] < 3 {
			t.Errorf("%s draws %d colours", name, got.Colours[name])
		}
	}
	if !strings.Contains(strings.ToLower(got.Value), "hazard") {
		t.Errorf("GetFeatureInfo: %q", got.Value)
	}
}
