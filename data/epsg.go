package data

import (
	"fmt"

	"github.com/sempadan/sempadan/geo"
)

// Lengths of units of the EPSG registry, in metres.
const (
	chainSearsM          = 20.116765121552632 // 9042
	footSearsM           = 0.3047994715386762 // 9041
	chainSearsTruncatedM = 20.116756          // 9301
)

// byEPSG returns a coordinate reference system by its code in the EPSG
// registry: the geographic systems and grids of the region, and those of the
// world that files use (all UTM zones on WGS 84, Web Mercator).
func byEPSG(code int) (crs, *Refusal) {
	geographic := map[int]string{4326: "WGS 84", 4979: "WGS 84", 4742: "GDM2000", 4755: "DGN95", 9470: "SRGI2013", 4298: "Timbalai 1948",
		4245: "Kertau 1968", 4751: "Kertau (RSO)", 4238: "Indonesian 1974", 4613: "Gunung Segara", 4211: "Batavia"}
	if name := geographic[code]; name != "" {
		return crs{datum: datumOf(name), unit: 1}, nil
	}
	switch code {
	case 3857, 900913, 3785, 102100, 102113:
		return crs{datum: datumOf("WGS 84"), projection: geo.WebMercator{}, unit: 1}, nil
	}
	if name, p, unit, ok := skewGrid(code); ok {
		d := datumOf(name)
		return crs{datum: d, projection: geo.NewObliqueMercator(d.ellipsoid, p), unit: unit}, nil
	}
	if name, p, ok := gaussGrid(code); ok {
		d := datumOf(name)
		return crs{datum: d, projection: geo.NewTransverseMercator(d.ellipsoid, p), unit: 1}, nil
	}
	return crs{}, unknownCRS("the coordinate reference system EPSG:%d is not known here", code)
}

func datumOf(name string) datum {
	for _, d := range datums() {
		if d.name == name {
			return d
		}
	}
	panic(fmt.Sprintf("data: no datum %q", name))
}

func dms(degrees, minutes, seconds float64) float64 { return degrees + minutes/60 + seconds/3600 }

// skewGrid returns the rectified skew orthomorphic grids of Malaysia and
// Brunei; lengths are in metres here.
func skewGrid(code int) (datum string, p geo.ObliqueMercatorParameters, unit float64, ok bool) {
	borneo := geo.ObliqueMercatorParameters{LatDeg: 4, LonDeg: 115,
		AzimuthDeg: dms(53, 18, 56.9537), GridAngleDeg: dms(53, 7, 48.3685), Scale: 0.99984}
	malaya := geo.ObliqueMercatorParameters{LatDeg: 4, LonDeg: 102.25,
		AzimuthDeg: dms(323, 1, 32.8458), GridAngleDeg: dms(323, 7, 48.3685), Scale: 0.99984}
	unit, ok = 1, true
	p = borneo
	centred := func(eastingM, northingM float64) {
		p.AtCentre, p.EastingM, p.NorthingM = true, eastingM, northingM
	}
	datum = "Timbalai 1948"
	switch code {
	case 3376:
		datum, p.AzimuthDeg = "GDM2000", dms(53, 18, 56.91582)
	case 3375:
		datum, p = "GDM2000", malaya
		p.AzimuthDeg, p.EastingM = dms(323, 1, 32.86728), 804671
	case 29871:
		unit = chainSearsM
		centred(29352.4763*unit, 22014.3572*unit)
	case 29872:
		unit = footSearsM
		centred(1937263.44*unit, 1452947.58*unit)
	case 29873:
		centred(590476.87, 442857.65)
	case 29874:
		p.EastingM, p.NorthingM = 2_000_000, 5_000_000
	case 3167:
		datum, p, unit = "Kertau (RSO)", malaya, chainSearsTruncatedM
		p.EastingM = 40_000 * unit
	case 3168:
		datum, p = "Kertau (RSO)", malaya
		p.EastingM = 804670.24
	default:
		ok = false
	}
	return datum, p, unit, ok
}

// gaussGrid returns the UTM and TM-3 zones, whose codes follow one another.
func gaussGrid(code int) (datum string, p geo.TransverseMercatorParameters, ok bool) {
	for _, g := range []struct {
		first, last, zone int
		south             bool
		datum             string
	}{
		{32601, 32660, 1, false, "WGS 84"}, {32701, 32760, 1, true, "WGS 84"},
		{23866, 23872, 46, false, "DGN95"}, {23877, 23884, 47, true, "DGN95"},
		{9476, 9482, 46, false, "SRGI2013"}, {9487, 9494, 47, true, "SRGI2013"},
		{23846, 23852, 46, false, "Indonesian 1974"}, {23887, 23894, 47, true, "Indonesian 1974"},
		{29849, 29850, 49, false, "Timbalai 1948"}, {24547, 24548, 47, false, "Kertau 1968"},
		{2933, 2933, 50, true, "Gunung Segara"}, {21148, 21150, 48, true, "Batavia"},
	} {
		if code >= g.first && code <= g.last {
			return g.datum, geo.UTM(g.zone+code-g.first, g.south), true
		}
	}
	if code >= 23830 && code <= 23845 { // TM-3 zones 46.2 to 54.1
		return "DGN95", geo.TransverseMercatorParameters{LonDeg: 94.5 + 3*float64(code-23830), Scale: 0.9999, EastingM: 200_000, NorthingM: 1_500_000}, true
	}
	return "", p, false
}
