package data

import (
	"math"
	"strings"

	"github.com/paulmach/orb"
)

// A transform turns plane coordinates into WGS 84 longitude and latitude in
// degrees; nil means that they are that already.
type transform func(orb.Point) orb.Point

// parseCRS returns what a name of a coordinate reference system stands for:
// CRS84, EPSG:4326 (always longitude first here), EPSG:3857 and its old code
// 900913, and UTM zones 46 to 51 on WGS 84 (EPSG:326zz, 327zz).
func parseCRS(name string) (transform, *Refusal) {
	code := strings.ToUpper(strings.TrimSpace(name))
	if i := strings.LastIndexAny(code, ":/"); i >= 0 {
		if authority := code[:i]; !strings.Contains(authority, "EPSG") && !strings.Contains(authority, "OGC") {
			code = name
		} else {
			code = code[i+1:]
		}
	}
	switch code {
	case "", "CRS84", "4326", "WGS84":
		return nil, nil
	case "3857", "900913", "3785", "102100":
		return mercatorToDegrees, nil
	}
	if len(code) == 5 && (code[:3] == "326" || code[:3] == "327") {
		if zone, ok := number2([]byte(code[3:])); ok && zone >= 46 && zone <= 51 {
			south := code[2] == '7'
			return func(p orb.Point) orb.Point { return utmToDegrees(p, zone, south) }, nil
		}
	}
	return nil, refuse(422, "unknown_crs", "the coordinate reference system %s is not known here; use CRS84 (longitude, latitude), EPSG:3857 or a WGS 84 UTM zone EPSG:32646-32651, 32746-32751", show(name))
}

const (
	wgs84A = 6378137.0
	wgs84F = 1 / 298.257223563
)

// mercatorToDegrees inverts Web Mercator (EPSG Guidance Note 7-2, method 1024).
func mercatorToDegrees(p orb.Point) orb.Point {
	return orb.Point{
		p[0] / wgs84A * 180 / math.Pi,
		math.Atan(math.Sinh(p[1]/wgs84A)) * 180 / math.Pi,
	}
}

// utmToDegrees returns the longitude and latitude in degrees of UTM
// coordinates in metres, by Krüger's series to the third power of n (EPSG
// Guidance Note 7-2, method 9807): good to a centimetre within the zone.
func utmToDegrees(p orb.Point, zone int, south bool) orb.Point {
	const k0, n = 0.9996, wgs84F / (2 - wgs84F)
	northing := p[1]
	if south {
		northing -= 10_000_000
	}
	b := wgs84A / (1 + n) * (1 + n*n/4 + n*n*n*n/64)
	xi, eta := northing/(b*k0), (p[0]-500_000)/(b*k0)
	h := [...]float64{
		n/2 - 2*n*n/3 + 37*n*n*n/96,
		n*n/48 + n*n*n/15,
		17 * n * n * n / 480,
	}
	xi0, eta0 := xi, eta
	for i, hi := range h {
		k := float64(2 * (i + 1))
		xi0 -= hi * math.Sin(k*xi) * math.Cosh(k*eta)
		eta0 -= hi * math.Cos(k*xi) * math.Sinh(k*eta)
	}
	beta := math.Asin(math.Sin(xi0) / math.Cosh(eta0))
	lambda := math.Asin(math.Tanh(eta0) / math.Cos(beta))
	e := math.Sqrt(wgs84F * (2 - wgs84F))
	q := math.Asinh(math.Tan(beta))
	iso := q
	for range 6 {
		iso = q + e*math.Atanh(e*math.Tanh(iso))
	}
	return orb.Point{
		float64(zone*6-183) + lambda*180/math.Pi,
		math.Atan(math.Sinh(iso)) * 180 / math.Pi,
	}
}
