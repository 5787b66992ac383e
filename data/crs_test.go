package data

import (
	"fmt"
	"math"
	"os/exec"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// A place in each grid, by hand: the worked example of EPSG Guidance Note 7-2
// for RSO Borneo, and the origins of zones.
func TestCRSExamples(t *testing.T) {
	for name, c := range map[string]struct {
		at, lonLat orb.Point // on the system's own datum
	}{
		"EPSG:29873": {orb.Point{679245.73, 596562.78}, orb.Point{dms(115, 48, 19.8196), dms(5, 23, 14.1129)}},
		"EPSG:32649": {orb.Point{500000, 0}, orb.Point{111, 0}},
		"EPSG:32750": {orb.Point{500000, 10000000}, orb.Point{117, 0}},
		"EPSG:23834": {orb.Point{200000, 1500000}, orb.Point{106.5, 0}},
		"EPSG:3857":  {orb.Point{geo.EquatorialRadiusM * math.Pi / 2, 0}, orb.Point{90, 0}},
	} {
		got, refusal := parseCRS(name)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if d := geo.DistanceM(got.projection.Inverse(c.at), c.lonLat); !(d < 0.01) {
			t.Errorf("%s: %v", name, got.projection.Inverse(c.at))
		}
	}
	for _, name := range []string{"EPSG:32661", "EPSG:32600", "EPSG:2154", "EPSG:24500", "foo", "EPSG:", "urn:x:1", "EPSG:99999999999999999999", "-1"} {
		if _, refusal := parseCRS(name); refusal == nil || refusal.Code != "unknown_crs" {
			t.Errorf("%s: %v", name, refusal)
		}
	}
}

// testCodes are all the codes that a test must know.
func testCodes() (codes []int) {
	codes = append(codes, 4326, 3857, 4742, 3375, 3376, 4298, 29871, 29872, 29873, 29874, 4245, 4751, 3167, 3168, 4755, 9470, 4238, 4613, 4211)
	for _, r := range [][2]int{{23830, 23852}, {23866, 23872}, {23877, 23884}, {23887, 23894}, {9476, 9482}, {9487, 9494}, {24547, 24548}, {29849, 29850}, {2933, 2933}, {21148, 21150}, {32646, 32651}, {32746, 32751}} {
		for c := r[0]; c <= r[1]; c++ {
			codes = append(codes, c)
		}
	}
	return codes
}

// PROJ agrees with every grid to a millimetre, and with every definition of it
// that GDAL writes.
func TestPROJAgreesWithGrids(t *testing.T) {
	needs(t, "gdaltransform", "gdal-bin")
	needs(t, "gdalsrsinfo", "gdal-bin")
	worst := 0.0
	for i, code := range testCodes() {
		name := fmt.Sprint("EPSG:", code)
		c, refusal := parseCRS(name)
		if refusal != nil {
			t.Fatal(refusal)
		}
		if c.projection == nil {
			continue
		}
		systems := map[string]crs{name: c}
		if i%5 == 0 || code < 4000 || code > 29000 && code < 30000 { // each costs a second
			for _, form := range []string{"wkt1", "wkt_esri", "wkt2_2018"} {
				text := gdal(t, "gdalsrsinfo", "-o", form, name)
				parsed, refusal := parseCRS(text)
				if refusal != nil {
					t.Fatalf("%s %s: %v", name, form, refusal)
				}
				if parsed.datum.name != c.datum.name || math.Abs(parsed.unit/c.unit-1) > 1e-7 || (parsed.transform() == nil) != (c.transform() == nil) {
					t.Errorf("%s %s: %+v, expected %+v", name, form, parsed, c)
				}
				systems[form] = parsed
			}
		}
		middle := c.projection.Inverse(orb.Point{500_000, 100_000})
		var in strings.Builder
		var places []orb.Point
		for dx := -2.0; dx <= 2; dx++ {
			for dy := -1.0; dy <= 6; dy += 1.75 {
				p := orb.Point{middle[0] + dx, dy}
				places = append(places, p)
				fmt.Fprintf(&in, "%.12f %.12f\n", p[0], p[1])
			}
		}
		out := transformed(t, in.String(), "-s_srs", ownGeographic(c), "-t_srs", name)
		for form, system := range systems {
			for k, p := range places {
				d := geo.DistanceM(system.projection.Inverse(orb.Point{out[k][0] * system.unit, out[k][1] * system.unit}), p)
				if worst = max(worst, d); !(d < 0.001) {
					t.Errorf("%s %s: %v is %.4f m off", name, form, p, d)
					break
				}
			}
		}
	}
	t.Logf("at most %.2g m", worst)
}

// ownGeographic is longitude and latitude on the ellipsoid, without a datum
// that PROJ could shift.
func ownGeographic(c crs) string {
	if _, web := c.projection.(geo.WebMercator); web {
		return "EPSG:4326"
	}
	for code, name := range map[int]string{4326: "WGS 84", 4742: "GDM2000", 4755: "DGN95", 9470: "SRGI2013", 4298: "Timbalai 1948",
		4245: "Kertau 1968", 4751: "Kertau (RSO)", 4238: "Indonesian 1974", 4613: "Gunung Segara", 4211: "Batavia"} {
		if name == c.datum.name {
			return fmt.Sprint("EPSG:", code)
		}
	}
	return ""
}

func transformed(t *testing.T, in string, args ...string) (out [][2]float64) {
	t.Helper()
	cmd := exec.Command("gdaltransform", append([]string{"-output_xy"}, args...)...)
	cmd.Stdin = strings.NewReader(in)
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("gdaltransform %v: %v", args, err)
	}
	for line := range strings.Lines(string(text)) {
		var p [2]float64
		if _, err := fmt.Sscan(line, &p[0], &p[1]); err != nil {
			t.Fatalf("gdaltransform %v: %q", args, line)
		}
		out = append(out, p)
	}
	return out
}

// PROJ, told of the same transformation of the EPSG registry, gives the same
// places.
func TestPROJAgreesWithDatums(t *testing.T) {
	needs(t, "gdaltransform", "gdal-bin")
	worst := 0.0
	for _, d := range datums() {
		if d.operation == "" || d.shift == (geo.Helmert{}) {
			continue
		}
		// PROJ knows the operation by its code, and runs it the same way round.
		for _, p := range []orb.Point{{110.3, 1.5}, {117.9, 4.2}, {103.7, 1.4}} {
			out := transformed(t, fmt.Sprintf("%.12f %.12f\n", p[1], p[0]), "-ct", "urn:ogc:def:coordinateOperation:EPSG::"+d.operation)
			want := orb.Point{out[0][1], out[0][0]}
			got := d.helmert().Shift(p)
			off := geo.DistanceM(got, want)
			if worst = max(worst, off); !(off < 0.01) {
				t.Errorf("%s: %v, EPSG:%s gives %v, %.3f m off", d.name, got, d.operation, want, off)
			}
			if moved := geo.DistanceM(p, want); moved < 5 {
				t.Errorf("EPSG:%s moves %v by %.1f m: the judge did nothing", d.operation, p, moved)
			}
		}
	}
	t.Logf("at most %.2g m", worst)
}

func TestCRSText(t *testing.T) {
	const timbalai = `GEOGCS["x",DATUM["Timbalai_1948",SPHEROID["Everest",6377298.556,300.8017]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`
	for text, want := range map[string]string{
		timbalai: "Timbalai 1948",
		`GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]`:                                                         "WGS 84",
		`COMPD_CS["both",` + timbalai + `,VERT_CS["h",VERT_DATUM["h",2005]]]`:                                                                                                                                       "Timbalai 1948",
		`GEOGCRS["WGS 84 ""now""",ENSEMBLE["World Geodetic System 1984 ensemble",MEMBER["a"],ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],CS[ellipsoidal,2],AXIS["Lat",north],ID["EPSG",4326]]`: "WGS 84",
		`GEOGCS["x",DATUM["mine",SPHEROID["GRS 1980",6378137,298.257222101],TOWGS84[1,2,3]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`:                                                               "“mine”",
	} {
		c, refusal := parseCRS(text)
		if refusal != nil || c.datum.name != want || c.unit != 1 {
			t.Errorf("%s: %+v %v", text, c, refusal)
		}
	}
	grads, _ := parseCRS(`GEOGCS["x",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["grad",0.01570796326794897]]`)
	if p := grads.transform()(orb.Point{100, 50}); math.Abs(p[0]-90) > 1e-9 || math.Abs(p[1]-45) > 1e-9 {
		t.Error(p)
	}
	for text, code := range map[string]string{
		"PROJCS[": "bad_crs", "GEOGCS[\"x": "bad_crs", strings.Repeat("A[", 40): "bad_crs", "A[1]": "unknown_crs",
		strings.Replace(timbalai, "0.0174532925199433", "0.01570796326794897", 1):                                              "bad_crs",
		strings.Replace(timbalai, `"degree",0.0174532925199433`, `"grad"`, 1):                                                  "bad_crs",
		`PROJCS["x",` + timbalai + `,PROJECTION["Transverse_Mercator"],UNIT["Meter",0.3048]]`:                                  "bad_crs",
		`LOCAL_CS["here",UNIT["metre",1]]`:                                                                                     "unknown_crs",
		`GEOGCS["x",DATUM["Somewhere",SPHEROID["a",6378137,298]]]`:                                                             "unknown_crs",
		`GEOGCS["x",DATUM["WGS_1984",SPHEROID["Clarke",6378206,294.98]]]`:                                                      "unknown_crs",
		`GEOGCS["x",DATUM["Batavia",SPHEROID["Bessel 1841",6377397.155,299.1528128]],PRIMEM["Jakarta",106.8]]`:                 "unknown_crs",
		`PROJCS["x",` + timbalai + `,PROJECTION["Cassini_Soldner"],UNIT["metre",1]]`:                                           "unknown_crs",
		`PROJCS["x",` + timbalai + `,PROJECTION["Transverse_Mercator"],PARAMETER["scale_factor",x],UNIT["metre",1]]`:           "bad_crs",
		`PROJCS["x",` + timbalai + `,PROJECTION["Hotine_Oblique_Mercator"],PARAMETER["latitude_of_center",0],UNIT["metre",1]]`: "unknown_crs",
		`PROJCS["x",` + timbalai + `,PROJECTION["Transverse_Mercator"],UNIT["metre",1],AXIS["x",WEST],AXIS["y",SOUTH]]`:        "unknown_crs",
	} {
		if _, refusal := parseCRS(text); refusal == nil || refusal.Code != code {
			t.Errorf("%s: %v, expected %s", text, refusal, code)
		}
	}
}

// Longitudes in grads are converted, and the report says so.
func TestCRSInGradsWarns(t *testing.T) {
	shp := string(shpOf(1, shapeOf(1, 122.5, 1.5)))
	for prj, want := range map[string]int{wgs84PRJ: 0, strings.Replace(wgs84PRJ, `"Degree",0.0174532925199433`, `"Grad",0.01570796326794897`, 1): 1} {
		_, r, err := importZip(t, map[string]string{"a.shp": shp, "a.prj": prj})
		if err != nil {
			t.Fatal(err)
		}
		if w, _ := warning(r, "crs_converted"); len(w) != want {
			t.Errorf("%s: %+v", prj, r.Warnings)
		}
	}
}

// A datum that is not WGS 84 is named in the report, with how good its shift is.
func TestDatumWarning(t *testing.T) {
	text := "lon,lat\n115.5,5\n"
	for code, want := range map[string]string{"EPSG:4298": "19 m", "EPSG:4755": "1 m", "EPSG:4326": ""} {
		_, r := mustImport(t, text, geo.KindOther, func(o *ImportOptions) { o.CRS = code })
		w, _ := warning(r, "datum")
		if (len(w) == 1) != (want != "") || len(w) == 1 && !strings.Contains(w[0].Message, want) {
			t.Errorf("%s: %v", code, r.Warnings)
		}
	}
}

func FuzzCRS(f *testing.F) {
	f.Add(`PROJCS["x",GEOGCS["y",DATUM["Timbalai_1948",SPHEROID["Everest",6377298.556,300.8017]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Hotine_Oblique_Mercator"],PARAMETER["latitude_of_center",4],PARAMETER["longitude_of_center",115],PARAMETER["azimuth",53.31580995],PARAMETER["rectified_grid_angle",53.1301023611111],PARAMETER["scale_factor",0.99984],UNIT["metre",1]]`)
	f.Add("EPSG:29873")
	f.Add(`GEOGCRS["a",ENSEMBLE["b"],ELLIPSOID["c",1,2]]`)
	f.Fuzz(func(t *testing.T, text string) {
		c, refusal := parseCRS(text)
		if (refusal == nil) != (c.unit > 0) && refusal == nil {
			t.Fatalf("%q: %+v", text, c)
		}
		if refusal == nil {
			if to := c.transform(); to != nil {
				to(orb.Point{500_000, 100_000})
			}
		}
	})
}
