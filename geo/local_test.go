package geo

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
)

func TestLocalDistanceError(t *testing.T) {
	for _, c := range []struct{ distanceM, maxPPM float64 }{{1000, 0.01}, {10000, 0.1}, {50000, 1}} {
		worst := 0.0
		for lat := -8.0; lat <= 8; lat += 0.25 {
			for azi := 0.0; azi < 360; azi++ {
				p := orb.Point{179.9, lat} // half of them cross the 180th meridian
				q, _ := Direct(p, azi, c.distanceM)
				if math.Abs(q[1]) > 8 {
					continue
				}
				worst = math.Max(worst, math.Abs(LocalDistanceM(p, q)/c.distanceM-1)*1e6)
			}
		}
		t.Logf("%2.0f km, |latitude| <= 8: worst error %.4f ppm", c.distanceM/1000, worst)
		if worst > c.maxPPM {
			t.Errorf("%g m: error %g ppm, want at most %g", c.distanceM, worst, c.maxPPM)
		}
	}
}

// At the equator M = a(1-e²) = 6 335 439.327 m and N = a; at a pole both are
// a²/b = 6 399 593.626 m.
func TestRadiiByHand(t *testing.T) {
	for _, c := range []struct{ lat, m, n float64 }{
		{0, 6335439.327, 6378137},
		{90, 6399593.626, 6399593.626},
		{-90, 6399593.626, 6399593.626},
	} {
		m, n := RadiiM(c.lat)
		if math.Abs(m-c.m) > 1e-3 || math.Abs(n-c.n) > 1e-3 {
			t.Errorf("latitude %g: M %.4f, N %.4f", c.lat, m, n)
		}
	}
	lon, lat := MetresPerDegree(0)
	if math.Abs(lon-111319.4908) > 1e-4 || math.Abs(lat-110574.2758) > 1e-4 {
		t.Errorf("a degree at the equator: %.4f by %.4f m", lon, lat)
	}
	if d := LocalDistanceM(orb.Point{180, 0}, orb.Point{-180, 0}); d != 0 {
		t.Errorf("180 and -180 are one meridian, got %g m", d)
	}
}

func BenchmarkLocalDistanceM(b *testing.B) {
	p, q := orb.Point{110, 1}, orb.Point{110.01, 1.015}
	for b.Loop() {
		LocalDistanceM(p, q)
	}
}
