package data

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// A transform turns plane coordinates into WGS 84 longitude and latitude in
// degrees; nil means that they are that already.
type transform func(orb.Point) orb.Point

// crs is a coordinate reference system. Its coordinates are eastings or
// longitudes first, whatever its definition says of their order.
type crs struct {
	datum      datum
	projection geo.Projection // nil for longitude and latitude
	unit       float64        // of the coordinates, in metres or degrees
}

// transform returns the way to WGS 84, nil when there is nothing to do.
func (c crs) transform() transform {
	shift, unit, projection := c.datum.helmert(), c.unit, c.projection
	switch {
	case projection == nil && shift == nil && unit == 1:
		return nil
	case projection == nil && shift == nil:
		return func(p orb.Point) orb.Point { return orb.Point{p[0] * unit, p[1] * unit} }
	case projection == nil:
		return func(p orb.Point) orb.Point { return shift.Shift(orb.Point{p[0] * unit, p[1] * unit}) }
	case shift == nil:
		return func(p orb.Point) orb.Point { return projection.Inverse(orb.Point{p[0] * unit, p[1] * unit}) }
	}
	return func(p orb.Point) orb.Point {
		return shift.Shift(projection.Inverse(orb.Point{p[0] * unit, p[1] * unit}))
	}
}

// datum is a geodetic datum, with its way to WGS 84 as the EPSG registry has it.
type datum struct {
	name      string
	keys      []string // how files write it, as plain puts it
	ellipsoid geo.Ellipsoid
	shift     geo.Helmert // From and To are not set
	operation string      // EPSG's code of the way, "" for none
	accuracyM float64     // of the way; 0 for WGS 84 itself
}

// helmert is the way to WGS 84, nil when the coordinates stay as they are.
func (d datum) helmert() *geo.Helmert {
	if d.shift == (geo.Helmert{}) {
		return nil
	}
	h := d.shift
	h.From, h.To = d.ellipsoid, geo.WGS84()
	return &h
}

// datums lists the datums of the region. Figures are those of the EPSG
// registry (transformations 1228, 1158, 1833, 1899, 8452, 15912); of several
// ways that which it names for the land along the border.
func datums() []datum {
	wgs84 := geo.WGS84()
	grs80 := geo.Ellipsoid{RadiusM: 6378137, Flattening: 1 / 298.257222101}
	everest := func(radiusM float64) geo.Ellipsoid { return geo.Ellipsoid{RadiusM: radiusM, Flattening: 1 / 300.8017} }
	bessel := geo.Ellipsoid{RadiusM: 6377397.155, Flattening: 1 / 299.1528128}
	kertau := geo.Helmert{XM: -11, YM: 851, ZM: 5}
	return []datum{
		{name: "WGS 84", keys: []string{"wgs1984", "wgs84", "worldgeodeticsystem1984"}, ellipsoid: wgs84},
		{name: "GDM2000", keys: []string{"gdm2000", "geodeticdatumofmalaysia2000"}, ellipsoid: grs80, accuracyM: 1},
		{name: "DGN95", keys: []string{"dgn1995", "dgn95", "datumgeodesinasional1995"}, ellipsoid: wgs84, operation: "15912", accuracyM: 1},
		{name: "SRGI2013", keys: []string{"srgi2013", "sistemreferensigeospasialindonesia2013"}, ellipsoid: wgs84, accuracyM: 1},
		{name: "ITRF", keys: []string{"itrf2000", "itrf2005", "itrf2008", "itrf2014", "itrf2020", "internationalterrestrialreferenceframe2000", "internationalterrestrialreferenceframe2008",
			"internationalterrestrialreferenceframe2014", "internationalterrestrialreferenceframe2020"}, ellipsoid: grs80, accuracyM: 1},
		{name: "Timbalai 1948", keys: []string{"timbalai1948"}, ellipsoid: everest(6377298.556),
			shift: geo.Helmert{XM: -679, YM: 669, ZM: -48}, operation: "1228", accuracyM: 19},
		{name: "Kertau 1968", keys: []string{"kertau1968", "kertau1948", "kertau"}, ellipsoid: everest(6377304.063), shift: kertau, operation: "1158", accuracyM: 15},
		// Kertau (RSO) is the same network of points with another length of the yard.
		{name: "Kertau (RSO)", keys: []string{"kertaurso"}, ellipsoid: everest(6377295.664), shift: kertau, operation: "1158", accuracyM: 15},
		{name: "Indonesian 1974", keys: []string{"indonesiandatum1974", "indonesian1974", "id74"}, ellipsoid: geo.Ellipsoid{RadiusM: 6378160, Flattening: 1 / 298.247},
			shift:     geo.Helmert{XM: -1.977, YM: -13.06, ZM: -9.993, XArcSec: 0.364, YArcSec: 0.254, ZArcSec: 0.689, ScalePPM: -1.037},
			operation: "1833", accuracyM: 3},
		{name: "Gunung Segara", keys: []string{"gunungsegara", "segara"}, ellipsoid: bessel,
			shift: geo.Helmert{XM: -403.4, YM: 681.12, ZM: 46.56}, operation: "1899", accuracyM: 10},
		{name: "Batavia", keys: []string{"batavia"}, ellipsoid: bessel, shift: geo.Helmert{XM: -377, YM: 681, ZM: -50}, operation: "8452", accuracyM: 6},
	}
}

// datumNamed finds a datum by a name in a file.
func datumNamed(name string) (datum, bool) {
	key := strings.TrimSuffix(plain(strings.TrimPrefix(name, "D_")), "ensemble")
	for _, d := range datums() {
		for _, k := range d.keys {
			if k == key {
				return d, true
			}
		}
	}
	return datum{}, false
}

// plain is a name without case, spaces and signs.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

const knownCRS = "CRS84 or EPSG:4326 (longitude, latitude), EPSG:3857, UTM zones on WGS 84, and of the region: GDM2000 (4742, 3375, 3376), " +
	"DGN95, SRGI2013 and Indonesian 1974 with their UTM and TM-3 zones, Timbalai 1948 (4298, 29871-29874), Kertau (4245, 4751, 3167, 3168), Gunung Segara, Batavia"

func unknownCRS(format string, args ...any) *Refusal {
	return refuse(422, "unknown_crs", "%s; known are %s: convert the file, or name its system with crs", fmt.Sprintf(format, args...), knownCRS)
}

// parseCRS returns what a name of a coordinate reference system, or its
// well-known text, stands for; "" is longitude and latitude on WGS 84.
func parseCRS(name string) (crs, *Refusal) {
	text := strings.TrimSpace(name)
	if strings.ContainsAny(text, "[(") {
		return parseWKTCRS(text)
	}
	code := strings.ToUpper(text)
	if i := strings.LastIndexAny(code, ":/"); i >= 0 {
		if authority := code[:i]; !strings.Contains(authority, "EPSG") && !strings.Contains(authority, "OGC") {
			code = name
		} else {
			code = code[i+1:]
		}
	}
	if text == "" || code == "CRS84" || code == "CRS84H" || code == "WGS84" {
		return byEPSG(4326)
	}
	n, err := strconv.Atoi(code)
	if err != nil {
		return crs{}, unknownCRS("the coordinate reference system %s is not known here", show(name))
	}
	return byEPSG(n)
}

// noteCRS tells of coordinates that were converted, and how well.
func (im *importer) noteCRS(c crs) {
	d := c.datum
	if d.accuracyM == 0 {
		return
	}
	way := "they were taken as WGS 84"
	if d.shift != (geo.Helmert{}) {
		way = "they were shifted to WGS 84 by EPSG:" + d.operation
	}
	im.report.warn("datum", d.name, "the coordinates are on the datum %s; %s, which is good to about %g m", d.name, way, d.accuracyM)
}

// fileCRS takes the reference system that a file says it has, unless the
// caller has named another.
func (im *importer) fileCRS(definition, where string) *Refusal {
	c, refusal := parseCRS(definition)
	if im.opts.CRS != "" {
		if refusal != nil || c.datum.name != im.crs.datum.name || c.projection == nil != (im.crs.projection == nil) {
			im.report.warn("crs_overridden", "", "the %s of the file says something else than crs=%s, which was followed", where, show(im.opts.CRS))
		}
		return nil
	}
	if refusal != nil {
		return refusal
	}
	im.crs, im.toWGS84 = c, c.transform()
	if c.projection != nil || c.unit != 1 {
		im.report.warn("crs_converted", "", "the coordinates were converted to longitude and latitude from the system that the %s names", where)
	}
	im.noteCRS(c)
	return nil
}

// noCRS tells of a file that could have said what its coordinates are, and
// did not.
func (im *importer) noCRS(what string) {
	if im.opts.CRS == "" {
		im.report.warn("no_crs", "", "%s, so its coordinates were read as longitude and latitude on WGS 84; name their system with crs if they are not", what)
	}
}
