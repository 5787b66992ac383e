package geo

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
)

// A geodesic is the one that Inverse and Direct speak of, and meets meridians
// and parallels where Direct says so.
func TestGeodesicCrossings(t *testing.T) {
	r := seeded(t, 11)
	for range 2000 {
		p := orb.Point{95 + 30*r.Float64(), -8 + 16*r.Float64()}
		q := orb.Point{p[0] + 8*(r.Float64()-0.5), p[1] + 8*(r.Float64()-0.5)}
		g := NewGeodesic(p, q)
		if d := DistanceM(p, q); math.Abs(g.LengthM()-d) > 1e-6 {
			t.Fatalf("%v to %v: length %v, want %v", p, q, g.LengthM(), d)
		}
		whole := Span{0, g.LengthM()}
		turn, turns := g.TurnM()
		if turns {
			whole.ToM = turn
			at, before := g.At(turn), g.At(turn-1000)
			after := g.At(turn + 1000)
			if math.Abs(at[1]) < math.Abs(before[1]) && math.Abs(at[1]) < math.Abs(after[1]) {
				t.Fatalf("%v to %v: latitude %v at its turn, %v and %v around", p, q, at[1], before[1], after[1])
			}
		}
		s := whole.ToM * r.Float64()
		at := g.At(s)
		if got := g.ToMeridian(at[0]-p[0], Span{0, g.LengthM()}, s*0.9); DistanceM(g.At(got), at) > 1e-6*(1+1/math.Abs(q[0]-p[0])) {
			t.Fatalf("%v to %v: meets %v° at %v m, want %v", p, q, at[0], got, s)
		}
		// Near the turn the latitude hardly changes: judge by latitude.
		if got := g.ToParallel(at[1], whole, s*0.9); math.Abs(g.At(got)[1]-at[1]) > 1e-11 {
			t.Fatalf("%v to %v: meets %v° N at %v m, want %v", p, q, at[1], got, s)
		}
	}
}

func TestNearestOnLineWithin(t *testing.T) {
	line := orb.LineString{{110, 1}, {110.1, 1}, {110.2, 1.1}}
	p := orb.Point{110.15, 1}
	want := NearestOnLine(p, line)
	got, ok := NewBoxedLine(line).NearestWithin(p, want.DistanceM+1)
	if !ok || math.Abs(got.AlongLineM-want.AlongLineM) > 1e-3 || math.Abs(got.DistanceM-want.DistanceM) > 1e-6 {
		t.Errorf("within: %+v, want %+v", got, want)
	}
	if _, ok := NewBoxedLine(line).NearestWithin(p, want.DistanceM-1); ok {
		t.Error("found a place nearer than there is")
	}
}

// However the line lies, a limit above the distance finds it, and one below does
// not.
func TestNearestOnLineWithinAnywhere(t *testing.T) {
	r := seeded(t, 12)
	for range 2000 {
		p := anywhere(r)
		line := orb.LineString{anywhere(r)}
		for range 1 + r.IntN(4) {
			line = append(line, orb.Point{line[0][0] + 60*(r.Float64()-0.5), max(-89, min(89, line[0][1]+40*(r.Float64()-0.5)))})
		}
		want := NearestOnLine(p, line).DistanceM
		if got, ok := NewBoxedLine(line).NearestWithin(p, want+0.01); !ok || math.Abs(got.DistanceM-want) > 1e-3 {
			t.Fatalf("%v to %v: %v, %v; want %v", p, line, got.DistanceM, ok, want)
		}
		if _, ok := NewBoxedLine(line).NearestWithin(p, want-0.01); ok {
			t.Fatalf("%v to %v: found under the distance %v", p, line, want)
		}
	}
}

func BenchmarkGeodesicToMeridian(b *testing.B) {
	g := NewGeodesic(orb.Point{109, 1}, orb.Point{110.5, 2})
	in := Span{0, g.LengthM()}
	for b.Loop() {
		g.ToMeridian(0.75, in, g.LengthM()*0.499)
	}
}
