package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// The worked examples of EPSG Guidance Note 7-2: OSGB36 / British National
// Grid (9807), Timbalai 1948 / RSO Borneo (m) (9812 and 9815), WGS 84 / Pseudo
// Mercator (1024).
func TestProjectionExamples(t *testing.T) {
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	airy := Ellipsoid{6377563.396, 1 / 299.32496}
	everest := Ellipsoid{6377298.556, 1 / 300.8017}
	borneo := ObliqueMercatorParameters{
		LatDeg: 4, LonDeg: 115, AzimuthDeg: dms(53, 18, 56.9537), GridAngleDeg: dms(53, 7, 48.3685), Scale: 0.99984,
	}
	atCentre := borneo
	atCentre.AtCentre, atCentre.EastingM, atCentre.NorthingM = true, 590476.87, 442857.65
	for name, c := range map[string]struct {
		projection Projection
		lonLat, xy orb.Point
		withinM    float64
	}{
		"British National Grid": {
			NewTransverseMercator(airy, TransverseMercatorParameters{LatDeg: 49, LonDeg: -2, Scale: 0.9996012717, EastingM: 400000, NorthingM: -100000}),
			orb.Point{0.5, 50.5}, orb.Point{577274.99, 69740.50}, 0.01,
		},
		"RSO Borneo, variant A": {NewObliqueMercator(everest, borneo), orb.Point{dms(115, 48, 19.8196), dms(5, 23, 14.1129)}, orb.Point{679245.73, 596562.78}, 0.01},
		"RSO Borneo, variant B": {NewObliqueMercator(everest, atCentre), orb.Point{dms(115, 48, 19.8196), dms(5, 23, 14.1129)}, orb.Point{679245.73, 596562.78}, 0.01},
		"Pseudo Mercator":       {WebMercator{}, orb.Point{-dms(100, 20, 0), dms(24, 22, 54.433)}, orb.Point{-11169055.58, 2800000.00}, 0.01},
	} {
		got := c.projection.Forward(c.lonLat)
		if d := math.Hypot(got[0]-c.xy[0], got[1]-c.xy[1]); !(d < c.withinM) {
			t.Errorf("%s: %v, expected %v", name, got, c.xy)
		}
		back := c.projection.Inverse(c.xy)
		if d := DistanceM(back, c.lonLat); !(d < c.withinM) {
			t.Errorf("%s: back %v, expected %v", name, back, c.lonLat)
		}
	}
}

// Forward and inverse undo one another to less than a micrometre.
func TestProjectionsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kertau := Ellipsoid{6377295.664, 1 / 300.8017}
	for name, p := range map[string]Projection{
		"mercator": WebMercator{},
		"utm 49 N": NewTransverseMercator(WGS84(), UTM(49, false)),
		"utm 50 S": NewTransverseMercator(WGS84(), UTM(50, true)),
		"malaya": NewObliqueMercator(kertau, ObliqueMercatorParameters{
			LatDeg: 4, LonDeg: 102.25, AzimuthDeg: 323.0257905, GridAngleDeg: 323.1301023611, Scale: 0.99984, EastingM: 804670.24}),
		"south": NewObliqueMercator(kertau, ObliqueMercatorParameters{
			LatDeg: -4, LonDeg: 115, AzimuthDeg: 53, GridAngleDeg: 53, Scale: 0.9998, AtCentre: true}),
	} {
		worst := 0.0
		for range 2000 {
			q := orb.Point{95 + 24*r.Float64(), -11 + 19*r.Float64()}
			worst = max(worst, DistanceM(q, p.Inverse(p.Forward(q))))
		}
		if t.Logf("%s: %.2g m", name, worst); !(worst < 1e-6) {
			t.Errorf("%s: %g m", name, worst)
		}
	}
}

// The worked example of EPSG Guidance Note 7-2, method 9606: WGS 72 to WGS 84
// of a geocentric position; here of the place under it.
func TestHelmert(t *testing.T) {
	wgs72 := Ellipsoid{6378135, 1 / 298.26}
	h := Helmert{ZM: 4.5, ZArcSec: 0.554, ScalePPM: 0.219, From: wgs72, To: WGS84()}
	x, y, z := geocentric(wgs72, orb.Point{4, 55})
	if math.Hypot(math.Hypot(x-3657660.66, y-255768.55), z-5201382.11) > 0.01 {
		t.Error(x, y, z)
	}
	want := geographic(WGS84(), 3657660.78, 255778.43, 5201387.75)
	if got := h.Shift(orb.Point{4, 55}); DistanceM(got, want) > 0.02 {
		t.Errorf("%v, expected %v", got, want)
	}
	none := Helmert{From: WGS84(), To: WGS84()}
	if got := none.Shift(orb.Point{110, 1}); DistanceM(got, orb.Point{110, 1}) > 1e-8 {
		t.Error(got)
	}
}

func BenchmarkTransverseMercatorInverse(b *testing.B) {
	p := NewTransverseMercator(WGS84(), UTM(49, false))
	for b.Loop() {
		p.Inverse(orb.Point{400_000, 170_000})
	}
}

func BenchmarkObliqueMercatorInverse(b *testing.B) {
	p := NewObliqueMercator(WGS84(), ObliqueMercatorParameters{LatDeg: 4, LonDeg: 115, AzimuthDeg: 53.3, GridAngleDeg: 53.1, Scale: 0.99984})
	for b.Loop() {
		p.Inverse(orb.Point{400_000, 170_000})
	}
}
