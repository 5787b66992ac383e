package geo

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
)

func ringOf(latLon [][2]float64) orb.Ring {
	var ring orb.Ring
	for _, p := range latLon {
		ring = append(ring, orb.Point{p[1], p[0]})
	}
	return ring
}

func TestRingAreaGolden(t *testing.T) {
	g := loadGolden(t)
	worst := 0.0
	for _, c := range g.Polygons {
		ring := ringOf(c.LatLon)
		area := RingAreaM2(ring)
		worst = math.Max(worst, math.Abs(area/c.AreaM2-1))
		if math.Abs(area/c.AreaM2-1) > g.AreaRelTolerance {
			t.Errorf("%s: %.4f m², want %.4f", c.Name, area, c.AreaM2)
		}
		closed := append(ring[:len(ring):len(ring)], ring[0])
		if l := LengthM(orb.LineString(closed)); math.Abs(l-c.PerimeterM) > g.AbsTolerance.PerimeterM {
			t.Errorf("%s: perimeter %.6f m, want %.6f", c.Name, l, c.PerimeterM)
		}
		if a := RingAreaM2(closed); a != area {
			t.Errorf("%s: closing the ring changes its area from %g to %g", c.Name, area, a)
		}
		back := ring.Clone()
		back.Reverse()
		if a := RingAreaM2(back); math.Abs(a+area) > 1e-9*math.Abs(area) {
			t.Errorf("%s: reversed ring has %g m², want %g", c.Name, a, -area)
		}
	}
	t.Logf("%d polygons: worst relative error %.2g", len(g.Polygons), worst)
}

// An octant has an eighth of the ellipsoid, 510 065 621.724 km² (Moritz 2000).
func TestAreaByHand(t *testing.T) {
	const whole = 510065621.724e6
	octant := orb.Ring{{100, 0}, {190, 0}, {100, 90}}
	if a := RingAreaM2(octant); math.Abs(a/(whole/8)-1) > 1e-11 {
		t.Errorf("octant: %.1f m²", a)
	}
	for _, c := range []struct {
		name string
		box  orb.Bound
		want float64
	}{
		{"globe", orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}}, whole},
		{"north", orb.Bound{Min: orb.Point{-180, 0}, Max: orb.Point{180, 90}}, whole / 2},
		{"across 180", orb.Bound{Min: orb.Point{170, -90}, Max: orb.Point{-170, 90}}, whole / 18},
		{"empty", orb.Bound{Min: orb.Point{5, 5}, Max: orb.Point{5, 7}}, 0},
	} {
		if got := CellAreaM2(c.box); math.Abs(got-c.want) > 1e-11*whole {
			t.Errorf("%s: %.1f m², want %.1f", c.name, got, c.want)
		}
	}
	for _, ring := range []orb.Ring{nil, {{1, 1}}, {{1, 1}, {2, 2}}, {{1, 1}, {1, 1}, {1, 1}}} {
		if a := RingAreaM2(ring); a != 0 {
			t.Errorf("%v: %g m²", ring, a)
		}
	}
	block := orb.Polygon{
		{{110, 1}, {111, 1}, {111, 2}, {110, 2}, {110, 1}},
		{{110.2, 1.2}, {110.4, 1.2}, {110.4, 1.4}, {110.2, 1.4}, {110.2, 1.2}}, // same way round as the shell
	}
	want := RingAreaM2(block[0]) - RingAreaM2(block[1])
	if got := PolygonAreaM2(block); math.Abs(got-want) > 1e-3 {
		t.Errorf("polygon with hole: %g, want %g", got, want)
	}
	if got := MultiPolygonAreaM2(orb.MultiPolygon{block, block}); math.Abs(got-2*want) > 1e-3 {
		t.Errorf("two polygons: %g, want %g", got, 2*want)
	}
}

// A ring that follows the parallels in small steps tends to the cell.
func TestCellAreaAgainstRings(t *testing.T) {
	r := seeded(t, 7)
	for range 200 {
		size := math.Pow(10, 1-3*r.Float64())
		west, south := r.Float64()*360-180, r.Float64()*(180-size)-90
		box := orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{west + size, south + size}}
		const n = 400
		var ring orb.Ring
		for i := range n + 1 {
			ring = append(ring, orb.Point{west + size*float64(i)/n, south})
		}
		for i := range n + 1 {
			ring = append(ring, orb.Point{west + size*(1-float64(i)/n), south + size})
		}
		got, want := CellAreaM2(box), RingAreaM2(ring)
		if math.Abs(got/want-1) > 2e-6 {
			t.Fatalf("%v: cell %.6g m², ring %.6g m²", box, got, want)
		}
	}
}

// Cutting a ring along a diagonal changes nothing, wherever it lies.
func TestRingAreaAdds(t *testing.T) {
	r := seeded(t, 11)
	for range 2000 {
		centre, size := anywhere(r), math.Pow(10, 6.3-5*r.Float64())
		var ring orb.Ring
		turn := r.Float64() * 360
		for i := range 8 {
			p, _ := Direct(centre, turn-float64(i)*45, size*(0.5+r.Float64()/2))
			ring = append(ring, p)
		}
		whole := RingAreaM2(ring)
		half1, half2 := RingAreaM2(ring[:5]), RingAreaM2(append(ring[4:8:8], ring[0]))
		if math.Abs(half1+half2-whole) > 1e-9*whole+0.2 {
			t.Fatalf("%v: %g + %g m² is not %g", ring, half1, half2, whole)
		}
		if whole <= 0 {
			t.Fatalf("%v runs anticlockwise but has %g m²", ring, whole)
		}
	}
}

func BenchmarkRingArea(b *testing.B) {
	var ring orb.Ring
	for i := range 1000 {
		p, _ := Direct(orb.Point{110, 1}, -float64(i)*0.36, 50000)
		ring = append(ring, p)
	}
	for b.Loop() {
		RingAreaM2(ring)
	}
}

func BenchmarkCellArea(b *testing.B) {
	box := orb.Bound{Min: orb.Point{110, 1}, Max: orb.Point{110.01, 1.01}}
	for b.Loop() {
		CellAreaM2(box)
	}
}
