package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// Ellipsoid is an ellipsoid of revolution.
type Ellipsoid struct {
	RadiusM    float64 // at the equator
	Flattening float64 // 0 for a sphere
}

// WGS84 returns the ellipsoid of all coordinates of this package.
func WGS84() Ellipsoid { return Ellipsoid{EquatorialRadiusM, Flattening} }

// eccentricity returns the first eccentricity.
func (e Ellipsoid) eccentricity() float64 { return math.Sqrt(e.Flattening * (2 - e.Flattening)) }

// A Projection turns longitude and latitude in degrees on its ellipsoid into
// plane coordinates in metres, and back. A place that it cannot show gives
// NaN, infinities or coordinates far away.
type Projection interface {
	Forward(lonLat orb.Point) (xy orb.Point)
	Inverse(xy orb.Point) (lonLat orb.Point)
}

// isometric returns the isometric latitude of a latitude in radians, for an
// ellipsoid of eccentricity ecc.
func isometric(ecc, lat float64) float64 {
	return math.Asinh(math.Tan(lat)) - ecc*math.Atanh(ecc*math.Sin(lat))
}

// fromIsometric is the inverse of isometric. Each round divides the error by
// the square of the eccentricity.
func fromIsometric(ecc, psi float64) float64 {
	q := psi
	for range 8 {
		q = psi + ecc*math.Atanh(ecc*math.Tanh(q))
	}
	return math.Atan(math.Sinh(q))
}

// WebMercator is the projection of web maps: the Mercator projection of a
// sphere, for latitudes on the ellipsoid (EPSG Guidance Note 7-2, method 1024).
type WebMercator struct{}

// Forward implements Projection.
func (WebMercator) Forward(p orb.Point) orb.Point {
	return orb.Point{EquatorialRadiusM * p[0] * degree, EquatorialRadiusM * math.Asinh(math.Tan(p[1]*degree))}
}

// Inverse implements Projection.
func (WebMercator) Inverse(p orb.Point) orb.Point {
	return orb.Point{p[0] / EquatorialRadiusM / degree, math.Atan(math.Sinh(p[1]/EquatorialRadiusM)) / degree}
}

// TransverseMercatorParameters are those of EPSG method 9807.
type TransverseMercatorParameters struct {
	LatDeg, LonDeg      float64 // natural origin
	Scale               float64 // on the central meridian
	EastingM, NorthingM float64 // of the natural origin
}

// UTM returns the parameters of a zone of the Universal Transverse Mercator
// grid, 1 to 60.
func UTM(zone int, south bool) TransverseMercatorParameters {
	p := TransverseMercatorParameters{LonDeg: float64(zone*6 - 183), Scale: 0.9996, EastingM: 500_000}
	if south {
		p.NorthingM = 10_000_000
	}
	return p
}

// TransverseMercator is the transverse Mercator projection (Gauss-Krüger, UTM)
// by Krüger's series to the sixth power of the third flattening (C. F. F.
// Karney, Transverse Mercator with an accuracy of a few nanometers, J. Geodesy
// 85, 2011, equations 35 and 36): exact to less than a micrometre within 3000
// km of the central meridian.
type TransverseMercator struct {
	p           TransverseMercatorParameters
	ecc         float64
	radiusM     float64 // of the rectifying sphere, times the scale
	offsetM     float64 // meridian distance of the natural origin
	alpha, beta [6]float64
}

// NewTransverseMercator returns the projection of an ellipsoid.
func NewTransverseMercator(e Ellipsoid, p TransverseMercatorParameters) *TransverseMercator {
	n := e.Flattening / (2 - e.Flattening)
	n2, n3 := n*n, n*n*n
	n4, n5, n6 := n2*n2, n2*n3, n3*n3
	t := &TransverseMercator{p: p, ecc: e.eccentricity()}
	t.radiusM = p.Scale * e.RadiusM / (1 + n) * (1 + n2/4 + n4/64 + n6/256)
	t.alpha = [6]float64{
		n/2 - 2*n2/3 + 5*n3/16 + 41*n4/180 - 127*n5/288 + 7891*n6/37800,
		13*n2/48 - 3*n3/5 + 557*n4/1440 + 281*n5/630 - 1983433*n6/1935360,
		61*n3/240 - 103*n4/140 + 15061*n5/26880 + 167603*n6/181440,
		49561*n4/161280 - 179*n5/168 + 6601661*n6/7257600,
		34729*n5/80640 - 3418889*n6/1995840,
		212378941 * n6 / 319334400,
	}
	t.beta = [6]float64{
		n/2 - 2*n2/3 + 37*n3/96 - n4/360 - 81*n5/512 + 96199*n6/604800,
		n2/48 + n3/15 - 437*n4/1440 + 46*n5/105 - 1118711*n6/3870720,
		17*n3/480 - 37*n4/840 - 209*n5/4480 + 5569*n6/90720,
		4397*n4/161280 - 11*n5/504 - 830251*n6/7257600,
		4583*n5/161280 - 108847*n6/3991680,
		20648693 * n6 / 638668800,
	}
	if p.LatDeg != 0 {
		t.offsetM = t.Forward(orb.Point{p.LonDeg, p.LatDeg})[1] - p.NorthingM
	}
	return t
}

// Forward implements Projection.
func (t *TransverseMercator) Forward(p orb.Point) orb.Point {
	lon := wrapDeg(p[0]-t.p.LonDeg) * degree
	tau := math.Sinh(isometric(t.ecc, p[1]*degree))
	xi0 := math.Atan2(tau, math.Cos(lon))
	eta0 := math.Asinh(math.Sin(lon) / math.Hypot(tau, math.Cos(lon)))
	xi, eta := xi0, eta0
	for i, a := range t.alpha {
		k := float64(2 * (i + 1))
		xi += a * math.Sin(k*xi0) * math.Cosh(k*eta0)
		eta += a * math.Cos(k*xi0) * math.Sinh(k*eta0)
	}
	return orb.Point{t.p.EastingM + t.radiusM*eta, t.p.NorthingM + t.radiusM*xi - t.offsetM}
}

// Inverse implements Projection.
func (t *TransverseMercator) Inverse(p orb.Point) orb.Point {
	eta0, xi0 := (p[0]-t.p.EastingM)/t.radiusM, (p[1]-t.p.NorthingM+t.offsetM)/t.radiusM
	xi, eta := xi0, eta0
	for i, b := range t.beta {
		k := float64(2 * (i + 1))
		xi -= b * math.Sin(k*xi0) * math.Cosh(k*eta0)
		eta -= b * math.Cos(k*xi0) * math.Sinh(k*eta0)
	}
	lon := math.Atan2(math.Sinh(eta), math.Cos(xi))
	tau := math.Sin(xi) / math.Hypot(math.Sinh(eta), math.Cos(xi))
	return orb.Point{wrapDeg(t.p.LonDeg + lon/degree), fromIsometric(t.ecc, math.Asinh(tau)) / degree}
}

// ObliqueMercatorParameters are those of EPSG methods 9812 and 9815.
type ObliqueMercatorParameters struct {
	LatDeg, LonDeg float64 // projection centre
	AzimuthDeg     float64 // of the initial line, at the centre
	GridAngleDeg   float64 // from the rectified to the skew grid
	Scale          float64 // on the initial line
	// Easting and Northing, metres, are of the projection centre (variant B,
	// AtCentre) or of the natural origin on the aposphere's equator (A).
	EastingM, NorthingM float64
	AtCentre            bool
}

// ObliqueMercator is the Hotine oblique Mercator projection, of which the
// rectified skew orthomorphic grids of Malaysia and Borneo are cases (EPSG
// Guidance Note 7-2, methods 9812 and 9815).
type ObliqueMercator struct {
	p          ObliqueMercatorParameters
	ecc        float64
	a, b, h    float64 // A, B and H of the note
	originLon  float64 // λO
	sin0, cos0 float64 // of γO
	sinC, cosC float64 // of γc
	centreM    float64 // the u of the origin of eastings
}

// NewObliqueMercator returns the projection of an ellipsoid. The centre must
// not lie on the equator or at a pole.
func NewObliqueMercator(e Ellipsoid, p ObliqueMercatorParameters) *ObliqueMercator {
	ecc := e.eccentricity()
	e2 := ecc * ecc
	lat, azimuth := p.LatDeg*degree, p.AzimuthDeg*degree
	sin, cos := math.Sincos(lat)
	o := &ObliqueMercator{p: p, ecc: ecc}
	o.b = math.Sqrt(1 + e2*cos*cos*cos*cos/(1-e2))
	o.a = e.RadiusM * o.b * p.Scale * math.Sqrt(1-e2) / (1 - e2*sin*sin)
	d := o.b * math.Sqrt(1-e2) / (cos * math.Sqrt(1-e2*sin*sin))
	root := math.Copysign(math.Sqrt(math.Max(d*d-1, 0)), lat)
	f := math.Max(d, 1) + root
	o.h = f * math.Exp(-o.b*isometric(ecc, lat))
	gamma0 := math.Asin(math.Sin(azimuth) / math.Max(d, 1))
	o.sin0, o.cos0 = math.Sincos(gamma0)
	o.originLon = p.LonDeg*degree - math.Asin((f-1/f)/2*math.Tan(gamma0))/o.b
	o.sinC, o.cosC = math.Sincos(p.GridAngleDeg * degree)
	if p.AtCentre {
		o.centreM = o.a / o.b * math.Atan2(root, math.Cos(azimuth))
	}
	return o
}

// Forward implements Projection.
func (o *ObliqueMercator) Forward(p orb.Point) orb.Point {
	q := o.h * math.Exp(o.b*isometric(o.ecc, p[1]*degree))
	s, t := (q-1/q)/2, (q+1/q)/2
	sin, cos := math.Sincos(o.b * wrapDeg(p[0]-o.originLon/degree) * degree)
	u := o.a / o.b * math.Atan2(s*o.cos0+sin*o.sin0, cos)
	v := o.a / o.b * -math.Atanh((s*o.sin0-sin*o.cos0)/t)
	u -= o.centreM
	return orb.Point{v*o.cosC + u*o.sinC + o.p.EastingM, u*o.cosC - v*o.sinC + o.p.NorthingM}
}

// Inverse implements Projection.
func (o *ObliqueMercator) Inverse(p orb.Point) orb.Point {
	x, y := p[0]-o.p.EastingM, p[1]-o.p.NorthingM
	v := x*o.cosC - y*o.sinC
	u := y*o.cosC + x*o.sinC + o.centreM
	q := math.Exp(-o.b * v / o.a)
	s, t := (q-1/q)/2, (q+1/q)/2
	sin, cos := math.Sincos(o.b * u / o.a)
	w := (sin*o.cos0 + s*o.sin0) / t
	psi := (math.Atanh(w) - math.Log(o.h)) / o.b
	lon := o.originLon - math.Atan2(s*o.cos0-sin*o.sin0, cos)/o.b
	return orb.Point{wrapDeg(lon / degree), fromIsometric(o.ecc, psi) / degree}
}
