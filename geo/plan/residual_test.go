package plan_test

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
)

// line is a border of n pieces of 1 km where only ID may act, and one unit of MY.
func line(n int) plan.Problem {
	p := plan.Problem{Options: plan.DefaultOptions(start)}
	p.Options.WindowDays, p.Options.ExplorationShare = 1, 0
	for i := range n {
		b := plan.Piece{Section: []string{"west", "east"}[2*i/n], Line: orb.LineString{{110 + 0.009*float64(i), 1}, {110 + 0.009*float64(i+1), 1}}, LengthKM: 1, AreaKM2: 5,
			Medium: risk.Land, Countries: []string{"ID"}, TransientH: 3, Profile: make([]float64, 24), Expected: risk.Estimate{Mean: 1, Lo80: 0.5, Hi80: 2}}
		for h := range b.Profile {
			b.Profile[h] = 1.0 / 24
		}
		p.Pieces = append(p.Pieces, b)
	}
	p.Units = []plan.Unit{{ID: "M", Country: "MY", Base: orb.Point{110, 1}, Mode: "vehicle", Hours: 8, EnduranceH: 8, SpeedKMH: 30, SweepWidthM: 100}}
	return p
}

// A joint corridor by area: what has its middle inside, and nothing else.
func TestJointAreas(t *testing.T) {
	p := line(10)
	if got := make1(t, p); len(got.Sorties) != 0 || got.Unused[0].Reason != plan.NoMandate {
		t.Fatalf("without a corridor: %+v", got.Unused)
	}
	east := orb.Bound{Min: orb.Point{110.045, 0.9}, Max: orb.Point{110.2, 1.1}} // from the sixth piece on
	p.Options.JointAreas = []orb.Geometry{east.ToPolygon()}
	got := make1(t, p)
	if len(got.Sorties) == 0 {
		t.Fatalf("with one: %+v", got.Unused)
	}
	for _, s := range got.Sorties {
		if !s.Joint || len(s.Sections) != 1 || s.Sections[0] != "east" {
			t.Errorf("%+v", s)
		}
	}
}

// A bracket of the sweep width widens the interval of what is left and moves no
// mean; one without width changes nothing.
func TestSweepBracket(t *testing.T) {
	p := line(10)
	p.Options.JointSections = []string{"west", "east"}
	sure := make1(t, p)
	p.Units[0].SweepLowM, p.Units[0].SweepHighM = 50, 200
	got := make1(t, p)
	near(t, "mean", got.After.Mean, sure.After.Mean, 1e-12)
	if !(got.After.Lo80 < sure.After.Lo80 && got.After.Hi80 > sure.After.Hi80) {
		t.Errorf("bracketed %+v, certain %+v", got.After, sure.After)
	}
	p.Units[0].SweepLowM, p.Units[0].SweepHighM = 100, 100
	same := make1(t, p)
	near(t, "lower end", same.After.Lo80, sure.After.Lo80, 1e-12)
	near(t, "upper end", same.After.Hi80, sure.After.Hi80, 1e-12)
	// Met is concave in the width: twice of it meets less than twice as much.
	met, high := sure.Before.Lo80-sure.After.Lo80, got.Before.Lo80-got.After.Lo80
	low := got.Before.Hi80 - got.After.Hi80
	if !(high > met && high < 2*met && low > (sure.Before.Hi80-sure.After.Hi80)/2) {
		t.Errorf("met %g at the mid width, %g at twice, %g at half", met, high, low)
	}
	before, after := 0.0, 0.0
	for _, r := range got.Residuals {
		before, after = before+r.Before.Mean, after+r.After.Mean
	}
	near(t, "sections before", before, got.Before.Mean, 1e-12)
	near(t, "sections after", after, got.After.Mean, 1e-12)
	if len(got.Residuals) != 2 || math.IsNaN(after) {
		t.Errorf("%+v", got.Residuals)
	}
}
