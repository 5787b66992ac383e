package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
)

var start = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC) // a Monday

// bigProblem is 2,000 pieces of 1 km, three quarters of them land, 40 units of two
// countries and a week.
func bigProblem(seed uint64) plan.Problem {
	r := rand.New(rand.NewPCG(seed, 5))
	p := plan.Problem{Options: plan.DefaultOptions(start)}
	p.Options.Seed = seed
	rates := make([]float64, 2000)
	for range 60 {
		at, width, size := 2000*r.Float64(), 3+15*r.Float64(), math.Exp(1.2*r.NormFloat64())
		for i := range rates {
			d := (float64(i) - at) / width
			rates[i] += size * math.Exp(-d*d/2)
		}
	}
	var profiles [200][]float64
	for s := range profiles {
		profiles[s] = make([]float64, 168)
		peak, sum := 18+8*r.Float64(), 0.0
		for h := range profiles[s] {
			profiles[s][h] = 0.3 + math.Exp(2*math.Cos(2*math.Pi*(float64(h)-peak)/24))
			sum += profiles[s][h]
		}
		for h := range profiles[s] {
			profiles[s][h] /= sum
		}
	}
	at := func(i int) orb.Point {
		x := float64(i) * 0.009
		return orb.Point{100 + x, 1 + 0.5*math.Sin(x)}
	}
	for i := range rates {
		mean := 0.001 + 0.02*rates[i]
		b := plan.Piece{Section: fmt.Sprintf("S%03d", i/10), Line: orb.LineString{at(i), at(i + 1)}, LengthKM: 1, AreaKM2: 5, Medium: risk.Land,
			Countries: []string{"ID", "MY"}, TransientH: 3, Profile: profiles[i/10], Unknown: mean * r.ExpFloat64(), Blind: r.IntN(10) == 0,
			Expected: risk.Estimate{Mean: mean, Lo80: mean / 2, Hi80: 2 * mean}}
		if i/100%4 == 3 {
			b.Medium, b.TransientH, b.Countries = risk.Shore, 2, [][]string{{"ID"}, {"MY"}}[i/400%2]
		}
		p.Pieces = append(p.Pieces, b)
	}
	modes := []struct {
		mode          string
		speed, widthM float64
		endurance     float64
	}{{"foot", 4, 100, 10}, {"motorcycle", 20, 200, 8}, {"vehicle", 30, 400, 8}, {"sea_boat", 30, 2000, 12}, {"drone", 50, 1000, 4}}
	for k := range 40 {
		m := modes[k%len(modes)]
		base := at(r.IntN(2000))
		if m.mode == "foot" {
			base = at(100*(4*r.IntN(5)) + r.IntN(300))
		}
		if m.mode == "sea_boat" {
			base = at([2][]int{{350, 1150}, {750, 1550}}[k/5%2][r.IntN(2)])
		}
		p.Units = append(p.Units, plan.Unit{ID: fmt.Sprintf("U%02d", k), Country: []string{"ID", "MY"}[k/5%2], Mode: m.mode, Base: base, Hours: 40,
			EnduranceH: m.endurance, SpeedKMH: m.speed, SweepWidthM: m.widthM})
	}
	return p
}
