package geo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

func TestNearestOnLineGolden(t *testing.T) {
	g := loadGolden(t)
	worst := 0.0
	for i, c := range g.PointToPolyline {
		line := orb.LineString(ringOf(c.Polyline))
		p := orb.Point{c.Point[1], c.Point[0]}
		n := NearestOnLine(p, line)
		worst = math.Max(worst, math.Abs(n.DistanceM-c.DistanceM))
		if math.Abs(n.DistanceM-c.DistanceM) > g.AbsTolerance.PolylineDistanceM {
			t.Errorf("case %d: distance %.6f m, want %.6f", i, n.DistanceM, c.DistanceM)
		}
		if math.Abs(n.AlongLineM-c.AlongRouteM) > g.AbsTolerance.AlongM {
			t.Errorf("case %d: %.3f m along, want %.3f", i, n.AlongLineM, c.AlongRouteM)
		}
		if n.Segment == c.Segment && math.Abs(n.AlongSegmentM-c.AlongSegmentM) > g.AbsTolerance.AlongM {
			t.Errorf("case %d: %.3f m along segment %d, want %.3f", i, n.AlongSegmentM, n.Segment, c.AlongSegmentM)
		}
		if d := DistanceM(p, n.Point); math.Abs(d-n.DistanceM) > 1e-6 {
			t.Errorf("case %d: point is %.6f m away, not %.6f", i, d, n.DistanceM)
		}
		if l := LengthM(line); math.Abs(l-c.RouteLengthM) > g.AbsTolerance.PerimeterM {
			t.Errorf("case %d: length %.6f m, want %.6f", i, l, c.RouteLengthM)
		}
	}
	t.Logf("%d cases: worst distance %.2g m", len(g.PointToPolyline), worst)
}

// walk returns a line of n legs of up to legM metres.
func walk(r *rand.Rand, from orb.Point, n int, legM float64) orb.LineString {
	line := orb.LineString{from}
	azi := r.Float64() * 360
	for range n {
		azi += r.NormFloat64() * 40
		q, _ := Direct(line[len(line)-1], azi, legM*r.Float64())
		line = append(line, q)
	}
	return line
}

// No place on the line, tried at small steps, is nearer.
func TestNearestOnLineTwin(t *testing.T) {
	r := seeded(t, 21)
	for range 400 {
		legM := math.Pow(10, 2+4.9*r.Float64()) // up to 8000 km
		line := walk(r, anywhere(r), 1+r.IntN(4), legM)
		p := anywhere(r)
		if r.IntN(2) == 0 {
			p, _ = Direct(line[r.IntN(len(line))], r.Float64()*360, legM*r.Float64())
		}
		n := NearestOnLine(p, line)
		length := LengthM(line)
		least := math.Inf(1)
		for k := range 301 {
			least = math.Min(least, DistanceM(p, Interpolate(line, length*float64(k)/300)))
		}
		if n.DistanceM > least+1e-6 || n.DistanceM < least-length/300 {
			t.Fatalf("%v to %v: %.6f m, by steps %.6f", p, line, n.DistanceM, least)
		}
		at := Interpolate(line, n.AlongLineM)
		if off := DistanceM(at, n.Point); off > 1e-3 {
			t.Fatalf("%v to %v: %.3f m along is %g m from %v", p, line, n.AlongLineM, off, n.Point)
		}
	}
}

func TestNearestOnLineByHand(t *testing.T) {
	equator := orb.LineString{{100, 0}, {110, 0}, {120, 0}}
	for _, c := range []struct {
		p     orb.Point
		line  orb.LineString
		near  orb.Point
		seg   int
		along float64
	}{
		{orb.Point{115, 1}, equator, orb.Point{115, 0}, 1, 15 * 111319.4908},
		{orb.Point{90, 1}, equator, orb.Point{100, 0}, 0, 0},
		{orb.Point{130, -3}, equator, orb.Point{120, 0}, 1, 20 * 111319.4908},
		{orb.Point{112, 0}, equator, orb.Point{112, 0}, 1, 12 * 111319.4908},
		{orb.Point{180, 2}, orb.LineString{{179, 0}, {-179, 0}}, orb.Point{180, 0}, 0, 111319.4908},
		{orb.Point{50, 60}, orb.LineString{{50, 61}, {50, 61}, {50, 61}}, orb.Point{50, 61}, 0, 0},
		{orb.Point{50, 60}, orb.LineString{{50, 61}}, orb.Point{50, 61}, 0, 0},
		{orb.Point{30, 89}, orb.LineString{{120, 80}, {-60, 80}}, orb.Point{0, 90}, 0, 1116826}, // over the pole
	} {
		n := NearestOnLine(c.p, c.line)
		if DistanceM(n.Point, c.near) > 1 || n.Segment != c.seg || math.Abs(n.AlongLineM-c.along) > 1 {
			t.Errorf("%v to %v: %+v, want %v, segment %d, %.0f m", c.p, c.line, n, c.near, c.seg, c.along)
		}
	}
	if n := NearestOnLine(orb.Point{1, 1}, nil); n.Segment != -1 || !math.IsInf(n.DistanceM, 1) {
		t.Errorf("empty line: %+v", n)
	}
}

func TestInterpolate(t *testing.T) {
	line := orb.LineString{{100, 0}, {100, 0}, {110, 0}}
	for _, c := range []struct {
		alongM float64
		want   orb.Point
	}{
		{-5, orb.Point{100, 0}}, {math.NaN(), orb.Point{100, 0}}, {0, orb.Point{100, 0}},
		{111319.4908, orb.Point{101, 0}}, {1e9, orb.Point{110, 0}},
	} {
		if got := Interpolate(line, c.alongM); DistanceM(got, c.want) > 1e-3 {
			t.Errorf("%g m: %v, want %v", c.alongM, got, c.want)
		}
	}
	if p := Interpolate(nil, 1); !math.IsNaN(p[0]) {
		t.Errorf("empty line: %v", p)
	}
}

func TestCut(t *testing.T) {
	r := seeded(t, 22)
	for range 500 {
		line := walk(r, anywhere(r), 1+r.IntN(20), math.Pow(10, 1+4.5*r.Float64()))
		length := LengthM(line)
		everyM := length * math.Pow(10, 0.5-2.5*r.Float64())
		pieces := Cut(line, everyM)
		n := int(math.Max(1, math.Round(length/everyM)))
		if len(pieces) != n {
			t.Fatalf("%d pieces, want %d", len(pieces), n)
		}
		vertices := 0
		for i, piece := range pieces {
			if l := LengthM(piece); math.Abs(l-length/float64(n)) > 1e-5 {
				t.Fatalf("piece %d of %d is %.7f m long, want %.7f", i, n, l, length/float64(n))
			}
			if i > 0 && piece[0] != pieces[i-1][len(pieces[i-1])-1] {
				t.Fatalf("piece %d starts at %v, not where the last one ends", i, piece[0])
			}
			vertices += len(piece) - 1
		}
		last := pieces[n-1]
		if pieces[0][0] != line[0] || last[len(last)-1] != line[len(line)-1] {
			t.Fatal("the ends have moved")
		}
		if vertices > len(line)-1+n-1 {
			t.Fatalf("%d legs from %d legs and %d cuts", vertices, len(line)-1, n-1)
		}
	}
}

func TestCutByHand(t *testing.T) {
	equator := orb.LineString{{100, 0}, {102, 0}, {104, 0}}
	pieces := Cut(equator, 111319.4908) // 4 degrees: a cut falls on a vertex
	if len(pieces) != 4 {
		t.Fatalf("%d pieces", len(pieces))
	}
	for i, piece := range pieces {
		want := orb.LineString{{100 + float64(i), 0}, {101 + float64(i), 0}}
		if len(piece) != 2 || DistanceM(piece[0], want[0]) > 1e-3 || DistanceM(piece[1], want[1]) > 1e-3 {
			t.Errorf("piece %d: %v, want %v", i, piece, want)
		}
	}
	if Cut(nil, 5) != nil {
		t.Error("an empty line has no pieces")
	}
	for _, c := range []struct {
		line   orb.LineString
		everyM float64
	}{
		{equator, 0}, {equator, -1}, {equator, math.NaN()}, {equator, math.Inf(1)},
		{orb.LineString{{1, 1}}, 5}, {orb.LineString{{1, 1}, {1, 1}}, 5},
	} {
		if pieces := Cut(c.line, c.everyM); len(pieces) != 1 || !pieces[0].Equal(c.line) {
			t.Errorf("%v every %g: %v", c.line, c.everyM, pieces)
		}
	}
}

func borderLike(n int) orb.LineString {
	return walk(rand.New(rand.NewPCG(9, 9)), orb.Point{110, 1}, n, 1000)
}

func BenchmarkNearestOnLine(b *testing.B) {
	line := borderLike(3000)
	p, _ := Direct(line[1700], 20, 3000)
	for b.Loop() {
		NearestOnLine(p, line)
	}
}

func BenchmarkCut(b *testing.B) {
	line := borderLike(3000)
	for b.Loop() {
		Cut(line, 10000)
	}
}
