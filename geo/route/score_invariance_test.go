package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/route"
)

// numbers are all that must not change with how a line is drawn, by name.
func numbers(s *route.Score) map[string]float64 {
	out := map[string]float64{
		"length": s.LengthM, "p_incident": s.PIncident, "p_detected": s.PDetected, "p_detected low": s.PDetectedBand.Low, "p_detected high": s.PDetectedBand.High,
		"hours": s.Hours, "unknown": s.UnknownShare, "unwatched": s.UnwatchedShare, "crossing": s.Crossing.DistanceM,
	}
	for name, i := range map[string]risk.Interval{"hazard": s.Hazard, "interval": s.PIncidentInterval} {
		out[name], out[name+" lo80"], out[name+" hi80"], out[name+" lo90"], out[name+" hi90"] = i.Mean, i.Lo80, i.Hi80, i.Lo90, i.Hi90
	}
	for _, j := range s.Jurisdictions {
		who := fmt.Sprint(j.Authority)
		out[who+" length"], out[who+" length share"], out[who+" hazard share"] = j.LengthM, j.LengthShare, j.HazardShare
	}
	return out
}

// differs names the first number that is not the same.
func differs(a, b map[string]float64) string {
	for name, v := range a {
		w, there := b[name]
		if !there || math.Abs(v-w) > 1e-6*max(math.Abs(v), math.Abs(w), 1e-3) {
			return fmt.Sprintf("%s is %g and %g", name, v, w)
		}
	}
	if len(a) != len(b) {
		return fmt.Sprintf("%d numbers and %d", len(a), len(b))
	}
	return ""
}

// Every number of a score is the same for the line drawn backwards, with legs
// split, with vertices repeated and a turn of the earth further; with an hour of
// departure for all but the first.
func TestScoreNumbersDoNotDependOnDrawing(t *testing.T) {
	const seed = 17
	r := rand.New(rand.NewPCG(seed, 0))
	a := assess(t, layers(seed, 300), nil)
	turned, hourly := 0, 0
	for round := range 24 {
		depart := func(o *route.Options) {}
		if round%2 == 1 {
			at := now.Add(time.Duration(r.IntN(168)) * time.Hour)
			depart = func(o *route.Options) { o.Depart = at }
		}
		var line, split, twice, further orb.LineString
		for range 2 + r.IntN(5) {
			line = append(line, orb.Point{109.9 + 1.2*r.Float64(), 0.95 + 0.1*r.Float64()})
		}
		for i, p := range line {
			if i > 0 {
				g := geo.NewGeodesic(line[i-1], p)
				for _, m := range slices.Sorted(slices.Values([]float64{r.Float64(), r.Float64(), r.Float64()})) {
					split = append(split, g.At(g.LengthM()*m))
				}
			}
			split, twice, further = append(split, p), append(twice, p, p), append(further, orb.Point{p[0] - 360, p[1]})
		}
		want := numbers(score(t, a, line, depart))
		for what, other := range map[string]orb.LineString{"split": split, "with each vertex twice": twice, "a turn further": further} {
			if d := differs(want, numbers(score(t, a, other, depart))); d != "" {
				t.Errorf("seed %d, round %d, %v %s: %s", seed, round, line, what, d)
			}
		}
		back := slices.Clone(line)
		slices.Reverse(back)
		if d := differs(want, numbers(score(t, a, back, func(*route.Options) {}))); round%2 == 0 {
			turned++
			if d != "" {
				t.Errorf("seed %d, round %d, %v backwards: %s", seed, round, line, d)
			}
			continue
		}
		// With an hour the direction counts, and only for being met.
		there, reverse := want, numbers(score(t, a, back, depart))
		if math.Abs(there["p_detected"]-reverse["p_detected"]) > 1e-6 {
			hourly++
		}
		for _, name := range []string{"p_detected", "p_detected low", "p_detected high"} {
			delete(there, name)
			delete(reverse, name)
		}
		if d := differs(there, reverse); d != "" {
			t.Errorf("seed %d, round %d, %v backwards at an hour: %s", seed, round, line, d)
		}
	}
	if turned < 10 || hourly < 3 {
		t.Errorf("%d lines turned, %d with another chance at an hour", turned, hourly)
	}
}

// A line that is cut in two is one: hazards and jurisdictions add up, chances
// multiply, and the second sets out when the first arrives.
func TestScoreOfTwoParts(t *testing.T) {
	const seed = 19
	r := rand.New(rand.NewPCG(seed, 0))
	a := assess(t, layers(seed, 300), nil)
	for round := range 16 {
		line := orb.LineString{{110 + 0.4*r.Float64(), 0.9 + 0.2*r.Float64()}, {110.6 + 0.4*r.Float64(), 0.9 + 0.2*r.Float64()}, {111.2 + 0.4*r.Float64(), 0.9 + 0.2*r.Float64()}}
		depart := time.Time{}
		if round%2 == 1 {
			depart = now.Add(time.Duration(r.IntN(168)) * time.Hour)
		}
		at := func(t time.Time) func(o *route.Options) {
			return func(o *route.Options) { o.Depart, o.SpeedKMH = t, 8 }
		}
		whole, first := score(t, a, line, at(depart)), score(t, a, line[:2], at(depart))
		if !depart.IsZero() {
			depart = depart.Add(time.Duration(first.Hours * float64(time.Hour)))
		}
		second := score(t, a, line[1:], at(depart))
		for what, v := range map[string][2]float64{
			"hazard": {first.Hazard.Mean + second.Hazard.Mean, whole.Hazard.Mean}, "p_incident": {1 - (1-first.PIncident)*(1-second.PIncident), whole.PIncident},
			"p_detected": {1 - (1-first.PDetected)*(1-second.PDetected), whole.PDetected}, "length": {first.LengthM + second.LengthM, whole.LengthM},
		} {
			if !close(v[0], v[1], 1e-7) {
				t.Errorf("seed %d, round %d: %s of two parts %g, of the whole %g", seed, round, what, v[0], v[1])
			}
		}
		for _, j := range whole.Jurisdictions {
			lengthM, hazard := 0.0, 0.0
			for _, part := range []*route.Score{first, second} {
				for _, k := range part.Jurisdictions {
					if k.Authority == j.Authority {
						lengthM, hazard = lengthM+k.LengthM, hazard+k.HazardShare*part.Hazard.Mean
					}
				}
			}
			if !close(lengthM, j.LengthM, 1e-7) || !close(hazard, j.HazardShare*whole.Hazard.Mean, 1e-7) {
				t.Errorf("seed %d, round %d: %v has %g m and %g of two parts, %g and %g of the whole", seed, round, j.Authority, lengthM, hazard, j.LengthM, j.HazardShare*whole.Hazard.Mean)
			}
		}
	}
}
