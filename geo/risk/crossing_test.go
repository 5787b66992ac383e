package risk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"gonum.org/v1/gonum/stat/distuv"
)

func places(kind geo.LayerKind, features ...geo.Feature) *geo.Layer {
	return layer(geo.LayerInfo{ID: string(kind), Kind: kind, Version: 1}, features...)
}

func place(lon, lat float64, name, kind string) geo.Feature {
	return geo.Feature{Geometry: orb.Point{lon, lat}, Properties: map[string]any{"name": name, "kind": kind, "country": "ID"}}
}

// Three records at one crossing, none at the other, one at an informal path:
// every number by hand.
func TestCrossingsByHand(t *testing.T) {
	of := func(kind string) map[string]any { return map[string]any{"kind": kind, "location_precision_m": 500.0} }
	far := map[string]any{"kind": "irr.exit", "location_precision_m": 20_000.0}
	in := []*geo.Layer{
		border(),
		places(geo.KindCrossing, place(110.2, 1, "A", "plbn"), place(110.5, 1, "B", ""), place(110.8, 1, "path", "jalan_tikus"),
			geo.Feature{Geometry: orb.Point{110.2, 1}, Properties: map[string]any{"name": "planned", "kind": "plbn", "status": "planned"}}),
		incidents(
			incident(110.2, 1, now, of("irr.refused_departure")), incident(110.22, 1, now, of("doc.forged")), incident(110.24, 1.01, now, far),
			incident(110.2, 1.06, now, of("irr.exit")),                // 6.6 km away
			incident(110.2, 1, now.AddDate(-4, 0, 0), of("irr.exit")), // before the window
			incident(110.2, 1, now, of("ret.deportation_arrival")),    // never counts
			incident(110.2, 1, now, of("int.collusion")),              // restricted
			incident(110.8, 1, now.Add(-time.Hour), of("obs.suspicious_movement")),
		),
		patrols(sweep(110.1, 110.3, 3, "ID")...),
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: in}, nil)
	got := a.Crossings()
	if len(got) != 3 {
		t.Fatalf("%d places", len(got))
	}
	years := 1096 / 365.25
	rate := func(n, mean float64) risk.Estimate {
		g := distuv.Gamma{Alpha: 0.1 + n, Beta: 0.1/mean + years}
		return risk.Estimate{Mean: (0.1 + n) / (0.1/mean + years), Lo80: g.Quantile(0.1), Hi80: g.Quantile(0.9)}
	}
	for i, want := range []struct {
		name     string
		official bool
		counts   risk.CrossingCounts
		rate     risk.Estimate
	}{
		{"A", true, risk.CrossingCounts{Total: 3, Refused: 1, Documents: 1, Other: 1, Imprecise: 1}, rate(3, 1.5/years)},
		{"path", false, risk.CrossingCounts{Total: 1, Other: 1}, rate(1, 1/years)},
		{"B", true, risk.CrossingCounts{}, rate(0, 1.5/years)},
	} {
		c := got[i]
		if c.Rank != i+1 || c.Name != want.name || c.Official != want.official || c.Incidents != want.counts {
			t.Errorf("%d: %+v, want %+v", i, c, want)
		}
		for _, pair := range [][2]float64{{c.Rate.Mean, want.rate.Mean}, {c.Rate.Lo80, want.rate.Lo80}, {c.Rate.Hi80, want.rate.Hi80}} {
			if math.Abs(pair[0]-pair[1]) > 1e-9*max(1e-3, pair[1]) {
				t.Errorf("%s: rate %+v, want %+v", c.Name, c.Rate, want.rate)
			}
		}
	}
	if got[0].SearchPOD < 0.3 || got[0].SearchBySide["ID"] < 0.3 || got[0].DaysSince == nil || got[2].SearchPOD != 0 || got[2].DaysSince != nil {
		t.Errorf("coverage of A %g %v, of B %g %v", got[0].SearchPOD, got[0].DaysSince, got[2].SearchPOD, got[2].DaysSince)
	}
	s := classAt(t, a, 110.79)
	if s.Crossing == nil || s.Crossing.Name != "B" {
		t.Errorf("the nearest official crossing is %+v: an informal path is none", s.Crossing)
	}
}

// Counts agree with a look at every record, and nothing on record anywhere
// still leaves an upper bound.
func TestCrossingsBruteForce(t *testing.T) {
	const seed = 9
	r := rand.New(rand.NewPCG(seed, 1))
	var ports, records []geo.Feature
	for i := range 40 {
		ports = append(ports, place(110+r.Float64(), 0.8+0.4*r.Float64(), fmt.Sprint(i), "beach_landing"))
	}
	for range 400 {
		records = append(records, incident(110+r.Float64(), 0.8+0.4*r.Float64(), now.AddDate(0, 0, -r.IntN(900)), nil))
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), places(geo.KindIllegalPort, ports...), incidents(records...)}}, nil)
	before := math.Inf(1)
	for _, c := range a.Crossings() {
		n := 0
		for _, f := range records {
			if geo.DistanceM(c.At, f.Geometry.(orb.Point)) <= 5000 {
				n++
			}
		}
		if c.Incidents.Total != n || c.Rate.Mean > before || c.Rate.Lo80 > c.Rate.Mean || c.Official {
			t.Errorf("seed %d: %+v, counted %d", seed, c, n)
		}
		before = c.Rate.Mean
	}
	none := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), places(geo.KindIllegalPort, ports...)}}, nil)
	if c := none.Crossings()[0]; c.Incidents.Total != 0 || c.Rate.Hi80 <= 0 {
		t.Errorf("%+v", c)
	}
	if empty := assess(t, risk.Inputs{AsOf: now}, nil); len(empty.Crossings()) != 0 || len(empty.Collusion()) != 2 {
		t.Error("an empty border has crossings")
	}
}

func TestCollusionInBands(t *testing.T) {
	for n, want := range map[int]string{0: "suppressed", 9: "suppressed", 10: "10-19", 19: "10-19", 20: "20-49", 50: "50+"} {
		var records []geo.Feature
		for i := range n { // of every age: neither window nor as_of matter
			records = append(records, incident(110.2, 1, now.AddDate(0, -3*i, 0), map[string]any{"kind": "int.collusion", "country": "MY"}))
		}
		records = append(records, incident(110.2, 1, now, map[string]any{"kind": "int.collusion", "country": "unknown"}))
		a := assess(t, risk.Inputs{AsOf: now.AddDate(-1, 0, 0), Layers: []*geo.Layer{border(), incidents(records...)}}, nil)
		if got := fmt.Sprint(a.Collusion()); got != "[{ID suppressed} {MY "+want+"}]" {
			t.Errorf("%d: %s", n, got)
		}
		if a.Incidents.Len() != 0 || a.Annex().ExcludedByKind != 0 {
			t.Errorf("%d: collusion counts elsewhere", n)
		}
	}
}
