package geo

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/paulmach/orb"
	"gonum.org/v1/gonum/integrate/quad"
)

// golden is testdata/geodesic.json: numbers of GeographicLib 2.1.
type golden struct {
	AbsTolerance struct {
		S12M              float64 `json:"s12_m"`
		AzimuthDeg        float64 `json:"azimuth_deg"`
		PerimeterM        float64 `json:"perimeter_m"`
		PolylineDistanceM float64 `json:"polyline_distance_m"`
		AlongM            float64 `json:"along_m"`
	} `json:"abs_tolerance"`
	AreaRelTolerance float64 `json:"area_rel_tolerance"`
	Inverse          []struct {
		Kind                   string
		Lat1, Lon1, Lat2, Lon2 float64
		S12M                   float64 `json:"s12_m"`
		Azi1Deg                float64 `json:"azi1_deg"`
		Azi2Deg                float64 `json:"azi2_deg"`
		AzimuthDefined         bool    `json:"azimuth_defined"`
	}
	Polygons []struct {
		Name       string
		LatLon     [][2]float64 `json:"lat_lon"`
		PerimeterM float64      `json:"perimeter_m"`
		AreaM2     float64      `json:"signed_area_m2_ccw_positive"`
	}
	PointToPolyline []struct {
		Point, Nearest [2]float64
		Polyline       [][2]float64
		DistanceM      float64 `json:"distance_m"`
		Segment        int
		AlongSegmentM  float64 `json:"along_segment_m"`
		AlongRouteM    float64 `json:"along_route_m"`
		RouteLengthM   float64 `json:"route_length_m"`
	} `json:"point_to_polyline"`
}

func loadGolden(t *testing.T) golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/geodesic.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// seeded returns a random source whose seed a failing test prints.
func seeded(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

// anywhere returns a point spread evenly over the globe, with a good share at
// the awkward places: the poles, the equator, the 180th meridian.
func anywhere(r *rand.Rand) orb.Point {
	p := orb.Point{r.Float64()*360 - 180, math.Asin(2*r.Float64()-1) / degree}
	switch r.IntN(16) {
	case 0:
		p[1] = math.Copysign(90, p[1])
	case 1:
		p[1] = 0
	case 2:
		p[0] = math.Copysign(180, p[0])
	case 3:
		p[0] = math.Copysign(180-r.Float64(), p[0])
	case 4:
		p[1] = math.Copysign(90-r.Float64()*1e-3, p[1])
	}
	return p
}

func angleDiff(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 360)) }

func TestInverseGolden(t *testing.T) {
	g := loadGolden(t)
	worstM, worstDeg := 0.0, 0.0
	for _, c := range g.Inverse {
		p, q := orb.Point{c.Lon1, c.Lat1}, orb.Point{c.Lon2, c.Lat2}
		s, a1, a2 := Inverse(p, q)
		worstM = math.Max(worstM, math.Abs(s-c.S12M))
		if math.Abs(s-c.S12M) > g.AbsTolerance.S12M {
			t.Errorf("%s %v %v: distance %.9f, want %.9f", c.Kind, p, q, s, c.S12M)
		}
		if !c.AzimuthDefined {
			continue
		}
		worst := math.Max(angleDiff(a1, c.Azi1Deg), angleDiff(a2, c.Azi2Deg))
		worstDeg = math.Max(worstDeg, worst)
		if worst > g.AbsTolerance.AzimuthDeg {
			t.Errorf("%s %v %v: azimuths %.9f %.9f, want %.9f %.9f", c.Kind, p, q, a1, a2, c.Azi1Deg, c.Azi2Deg)
		}
		end, a := Direct(p, c.Azi1Deg, c.S12M)
		if d := DistanceM(end, q); d > g.AbsTolerance.S12M {
			t.Errorf("%s: direct from %v ends %g m from %v", c.Kind, p, d, q)
		}
		if math.Abs(q[1]) < 89 && angleDiff(a, c.Azi2Deg) > g.AbsTolerance.AzimuthDeg {
			t.Errorf("%s: direct from %v arrives at azimuth %.9f, want %.9f", c.Kind, p, a, c.Azi2Deg)
		}
	}
	t.Logf("%d cases: worst distance %.2g m, worst azimuth %.2g deg", len(g.Inverse), worstM, worstDeg)
}

// A quarter meridian is 10 001 965.729 m long (Karney 2013), and a degree of
// the equator a·π/180.
func TestInverseByHand(t *testing.T) {
	for _, c := range []struct {
		p, q orb.Point
		want float64
	}{
		{orb.Point{104, 0}, orb.Point{104, 90}, 10001965.729},
		{orb.Point{104, 0}, orb.Point{105, 0}, 111319.491},
		{orb.Point{179.5, 0}, orb.Point{-179.5, 0}, 111319.491},
		{orb.Point{10, 90}, orb.Point{-80, 90}, 0},
		{orb.Point{464, 0}, orb.Point{104, 0}, 0},
	} {
		if got := DistanceM(c.p, c.q); math.Abs(got-c.want) > 6e-4 {
			t.Errorf("%v to %v: %.6f m, want %.3f", c.p, c.q, got, c.want)
		}
	}
	if !math.IsNaN(DistanceM(orb.Point{math.NaN(), 0}, orb.Point{1, 1})) {
		t.Error("NaN longitude must give NaN")
	}
	if !math.IsNaN(DistanceM(orb.Point{0, 1}, orb.Point{1, math.NaN()})) {
		t.Error("NaN latitude must give NaN")
	}
}

func TestInverseProperties(t *testing.T) {
	r := seeded(t, 20130107)
	for range 20000 {
		p, q := anywhere(r), anywhere(r)
		if r.IntN(3) == 0 { // close to the point opposite
			scale := math.Pow(10, -12*r.Float64())
			q = orb.Point{p[0] + 180 + r.NormFloat64()*scale, math.Max(-90, math.Min(90, -p[1]+r.NormFloat64()*scale))}
		} else if r.IntN(3) == 0 { // close by
			scale := math.Pow(10, -12*r.Float64())
			q = orb.Point{p[0] + r.NormFloat64()*scale, math.Max(-90, math.Min(90, p[1]+r.NormFloat64()*scale))}
		}
		s, a1, a2 := Inverse(p, q)
		back := DistanceM(q, p)
		if math.Abs(s-back) > 1e-7 {
			t.Fatalf("%v %v: %.9f there, %.9f back", p, q, s, back)
		}
		if !(s >= 0 && s <= 20003931.4587) {
			t.Fatalf("%v %v: %g m is no shortest distance", p, q, s)
		}
		end, _ := Direct(p, a1, s)
		if miss := DistanceM(end, q); miss > 1e-6 {
			t.Fatalf("%v %v: direct misses by %g m (s %.9f azi %.12f)", p, q, miss, s, a1)
		}
		end, _ = Direct(q, a2+180, s)
		if miss := DistanceM(end, p); miss > 1e-6 {
			t.Fatalf("%v %v: direct misses by %g m on the way back", p, q, miss)
		}
		via := anywhere(r)
		if detour := DistanceM(p, via) + DistanceM(via, q); detour < s-1e-6 {
			t.Fatalf("%v %v: %.9f m, but only %.9f by way of %v", p, q, s, detour, via)
		}
	}
}

// The series against the integrals that they expand, Karney (2013) equations
// 7, 8, 39 and 59.
func TestSeriesAgainstIntegrals(t *testing.T) {
	for _, cosα0 := range []float64{0, 0.1, 0.5, 0.9, 0.99} {
		α0 := angle{math.Sqrt(1 - cosα0*cosα0), cosα0}
		ε := epsilon(α0)
		k2 := ep2 * cosα0 * cosα0
		root := func(σ float64) float64 { return math.Sqrt(1 + k2*math.Sin(σ)*math.Sin(σ)) }
		for _, x := range []float64{0.1, 1, 1.5, 2, 3} {
			s, c := math.Sincos(x)
			σ := angle{s, c}
			C1, C1p, C2, C3, C4 := c1(ε), c1Reverted(ε), c2(ε), c3(ε), c4(ε)
			check := func(name string, got, from float64, f func(float64) float64) {
				t.Helper()
				tol := 2e-15
				if name == "I4" { // truncated at n⁶; 5e-13 is 0.14 m² of the globe
					tol = 5e-13
				}
				want := quad.Fixed(f, min(from, x), max(from, x), 40, nil, 0)
				if x < from {
					want = -want
				}
				if math.Abs(got-want) > tol*(1+math.Abs(want)) {
					t.Errorf("%s at cos α0 = %g, σ = %g: %.17g, want %.17g", name, cosα0, x, got, want)
				}
			}
			τ := x + C1.sine(σ)
			check("I1", a1(ε)*τ, 0, root)
			check("I2", a2(ε)*(x+C2.sine(σ)), 0, func(σ float64) float64 { return 1 / root(σ) })
			check("I3", a3(ε)*(x+C3.sine(σ)), 0, func(σ float64) float64 {
				return (2 - Flattening) / (1 + (1-Flattening)*root(σ))
			})
			check("I4", C4.cosineOdd(σ), math.Pi/2, func(σ float64) float64 {
				y := k2 * math.Sin(σ) * math.Sin(σ)
				return -(areaT(ep2) - areaT(y)) / (ep2 - y) * math.Sin(σ) / 2
			})
			s, c = math.Sincos(τ)
			if back := τ + C1p.sine(angle{s, c}); math.Abs(back-x) > 1e-15*4 {
				t.Errorf("reverted I1 at %g: %.17g", x, back)
			}
		}
	}
}

// areaT is the function t of Karney's equation 61.
func areaT(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x + math.Sqrt(1/x+1)*math.Asinh(math.Sqrt(x))
}

func BenchmarkDistanceM(b *testing.B) {
	for _, c := range []struct {
		name string
		p, q orb.Point
	}{
		{"2km", orb.Point{110, 1}, orb.Point{110.01, 1.015}},
		{"1000km", orb.Point{110, 1}, orb.Point{117, 6}},
		{"antipodal", orb.Point{0, 0}, orb.Point{179.7, 0.5}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				DistanceM(c.p, c.q)
			}
		})
	}
}

func BenchmarkDirect(b *testing.B) {
	for b.Loop() {
		Direct(orb.Point{110, 1}, 37, 50000)
	}
}
