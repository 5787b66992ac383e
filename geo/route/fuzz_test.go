package route_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/route"
)

// Whatever the vertices, a line has an error or a score whose parts add up.
func FuzzScoreLine(f *testing.F) {
	a := assess(f, layers(1, 40), nil)
	add := func(line ...float64) {
		var b []byte
		for _, v := range line {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		f.Add(b)
	}
	add(110, 1, 111, 1)
	add(110, 1, 110, 1)
	add(179, 1, -179, 1, 110, 1)
	add(110, 1, -70, -1)
	add(110, 84, -70, 84, 110, 1)
	add(110, 1, 110, 85, 300, -85)
	add(math.NaN(), 1, 110, math.Inf(1))
	add(0, 0, 180, 0, 110, 1)
	add(110, 0, 111, 0, 110.5, 1)
	f.Fuzz(func(t *testing.T, b []byte) {
		var line orb.LineString
		for ; len(b) >= 16 && len(line) < 20; b = b[16:] {
			line = append(line, orb.Point{math.Float64frombits(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:]))})
		}
		s, err := route.ScoreLine(context.Background(), a, line, route.DefaultOptions())
		if err != nil {
			return
		}
		if want := geo.LengthM(line); !close(s.LengthM, want, 1e-6) {
			t.Fatalf("%v: the pieces are %g m long, the line %g", line, s.LengthM, want)
		}
		legs := 0.0
		for _, l := range s.Legs {
			legs += l.Hazard.Mean
		}
		if !close(legs, s.Hazard.Mean, 1e-6) || !(s.PIncident >= 0 && s.PIncident <= 1) || !(s.UnknownShare >= 0 && s.UnknownShare <= 1+1e-9) {
			t.Fatalf("%v: %+v", line, s.Risk)
		}
		if _, err := json.Marshal(s); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever the ends, a search has an error or a way, and both can be told.
func FuzzFind(f *testing.F) {
	g := graph(f, nil)
	f.Add(110.2, 0.8, 110.2, 1.2, 0.0, 0.0)
	f.Add(110.2, 0.8, 110.2, 1.2, math.Inf(1), 1e300)
	f.Add(110.2, 0.8, 110.2, 0.8, 1e300, -1.0)
	f.Add(math.NaN(), 0.8, 110.2, 0.8, math.NaN(), math.NaN())
	f.Fuzz(func(t *testing.T, x, y, u, v, theta, snap float64) {
		q := route.Query{From: orb.Point{x, y}, To: orb.Point{u, v}, Modes: []string{"foot", "sea_boat"}, Theta: theta, SnapM: snap}
		w, err := g.Find(context.Background(), q)
		if err != nil {
			return
		}
		if !(w.Hours >= 0 && w.Evasion >= 0 && w.Evasion <= 1) {
			t.Fatalf("%+v", w)
		}
		if _, err := json.Marshal(w); err != nil {
			t.Fatal(err)
		}
		q.Depart = now
		if w, err = g.Find(context.Background(), q); err != nil || !(w.Evasion >= 0 && w.Evasion <= 1) {
			t.Fatalf("at an hour: %+v, %v", w, err)
		}
		alt, err := g.Alternatives(context.Background(), q, route.DefaultAlternatives())
		if err != nil {
			return
		}
		if _, err := json.Marshal(alt); err != nil {
			t.Fatal(err)
		}
		if c, err := g.Corridor(context.Background(), q, route.DefaultCorridor()); err == nil {
			if _, err := json.Marshal(c); err != nil {
				t.Fatal(err)
			}
		}
	})
}
