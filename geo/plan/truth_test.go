package plan_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/plan"
	"github.com/sempadan/sempadan/geo/risk"
)

func layer(info geo.LayerInfo, features []geo.Feature) *geo.Layer {
	b := geo.NewBuilder(info)
	for _, f := range features {
		b.Add(f)
	}
	return b.Layer()
}

const trueYears = 3

func trueLine(lon float64) float64 { return 1.2 + 0.25*math.Sin(2.1*lon) }

// trueHour is how incidents spread over the hours of a day, by local time: most by
// night.
func trueHour(h float64) float64 { return (1 + 0.9*math.Cos(2*math.Pi*(h-1)/24)) / 24 }

// trueWorld is a border of 450 km whose incidents are known, with what of them gets
// on record: where a few bases patrol every night, and what districts report.
func trueWorld(seed uint64) (layers []*geo.Layer, rate func(lon float64) float64) {
	r := rand.New(rand.NewPCG(seed, 12))
	type bump struct{ lon, size, width float64 }
	var bumps []bump
	for range 8 {
		bumps = append(bumps, bump{109.1 + 3.8*r.Float64(), math.Exp(r.NormFloat64()), 0.04 + 0.12*r.Float64()})
	}
	rate = func(lon float64) float64 { // per km and year
		v := 0.1
		for _, b := range bumps {
			d := (lon - b.lon) / b.width
			v += 3 * b.size * math.Exp(-d*d/2)
		}
		return v
	}
	var line orb.LineString
	for lon := 109.0; lon <= 113; lon += 0.01 {
		line = append(line, orb.Point{lon, trueLine(lon)})
	}
	var bases [5]float64
	for i := range bases {
		bases[i] = 109.2 + 3.6*r.Float64()
	}
	var tracks, records []geo.Feature
	for day := range trueYears * 365 {
		for k, base := range bases {
			if day%3 != k%3 {
				continue
			}
			at := start.AddDate(0, 0, -day-1).Add(time.Duration(24*r.Float64()) * time.Hour)
			f := geo.Feature{Properties: map[string]any{"country": []string{"ID", "MY"}[k%2], "agency": "P", "mode": "vehicle", "sweep_width_m": 1500.0}}
			way := orb.LineString{}
			for step := range 20 {
				x := base + 0.01*float64(step-10)
				way = append(way, orb.Point{x, trueLine(x)})
				f.VertexTimes = append(f.VertexTimes, at.Add(time.Duration(step)*10*time.Minute))
			}
			f.Geometry, f.From, f.To = way, f.VertexTimes[0], f.VertexTimes[19]
			tracks = append(tracks, f)
		}
	}
	var districts [8]float64
	for i := range districts {
		districts[i] = 0.03 + 0.4*r.Float64()*r.Float64()
	}
	for lon := 109.0; lon < 113; lon += 0.01 {
		for n := poisson(r, rate(lon)*1.11*trueYears); n > 0; n-- {
			found := ""
			for _, base := range bases {
				if math.Abs(lon-base) < 0.1 && r.Float64() < 0.04 {
					found = "patrol"
				}
			}
			if found == "" && r.Float64() < districts[int(2*(lon-109))%8] {
				found = "reported_public"
			}
			if found == "" {
				continue
			}
			at := start.AddDate(0, 0, -1-r.IntN(trueYears*365)).Add(time.Duration((trueDraw(r) - 7) * float64(time.Hour)))
			records = append(records, geo.Feature{Geometry: orb.Point{lon + 0.01*r.Float64(), trueLine(lon) + 0.03*r.NormFloat64()}, From: at, To: at,
				Properties: map[string]any{"kind": "irr.exit", "discovery": found}})
		}
	}
	return []*geo.Layer{
		layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1}, []geo.Feature{{Geometry: line, Properties: map[string]any{"countries": "IDN-MYS"}}}),
		layer(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident, Version: 1}, records),
		layer(geo.LayerInfo{ID: "patrols", Kind: geo.KindPatrolTrack, Version: 1}, tracks),
	}, rate
}

func trueDraw(r *rand.Rand) float64 {
	for {
		if h := 24 * r.Float64(); r.Float64()*2/24 < trueHour(h) {
			return h
		}
	}
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for p := r.Float64(); p > math.Exp(-mean); n++ {
		p *= r.Float64()
	}
	return n
}

// On borders whose truth is known, a plan meets at least 15 % more incidents than the
// same units that go where and when incidents were, or everywhere alike; see RivalMet.
func TestPlanAgainstTruth(t *testing.T) {
	const worlds = 5
	var sum [5]float64
	t.Log("incidents met a week: plan; where incidents were; evenly; where incidents were, told how long a beat is best; plan that knows the truth")
	for seed := range uint64(worlds) {
		layers, rate := trueWorld(seed)
		m := risk.DefaultModel()
		a, err := risk.Assess(t.Context(), risk.Inputs{Layers: layers, AsOf: start, Now: start}, m)
		if err != nil {
			t.Fatal(err)
		}
		o := plan.DefaultOptions(start)
		p := plan.Problem{Pieces: plan.Pieces(a, o, 1), Options: o}
		r := rand.New(rand.NewPCG(seed, 4))
		for k := range 8 {
			lon := 109.3 + 3.4*r.Float64()
			p.Units = append(p.Units, plan.Unit{ID: fmt.Sprintf("U%d", k), Country: []string{"ID", "MY"}[k%2], Base: orb.Point{lon, trueLine(lon)}, Mode: "vehicle",
				Hours: 40, EnduranceH: 8, SpeedKMH: 30, SweepWidthM: 400})
		}
		got, err := plan.Make(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		truth, records := make([]float64, len(p.Pieces)), make([]float64, len(p.Pieces))
		for i, b := range p.Pieces {
			truth[i] = rate(b.Line[0].Lon()) * b.LengthKM * 7 / 365.25
		}
		for row := range layers[1].Len() {
			at, _ := layers[1].Point(row)
			best, i0 := math.Inf(1), 0
			for i, b := range p.Pieces {
				if d := math.Abs(b.Line[0].Lon() - at.Lon()); d < best {
					best, i0 = d, i
				}
			}
			records[i0]++
		}
		var profile []float64
		for h := range 168 {
			profile = append(profile, trueHour(float64((h+7)%24)+0.5)/7)
		}
		known := p
		known.Pieces = slices.Clone(p.Pieces)
		for i := range known.Pieces {
			known.Pieces[i].Expected, known.Pieces[i].Profile = risk.Estimate{Mean: truth[i]}, profile
		}
		best, err := plan.Make(t.Context(), known)
		if err != nil {
			t.Fatal(err)
		}
		met := [5]float64{got.MetOf(truth, profile), got.RivalMet(8, records, truth, profile), got.RivalMet(8, nil, truth, profile),
			got.RivalMet(0, records, truth, profile), best.MetOf(truth, profile)}
		t.Logf("seed %d: %.3f; gap %.2f %%, exploring %.0f h", seed, met, got.GapPercent, got.Exploration.Hours)
		for i := range sum {
			sum[i] += met[i] / worlds
		}
	}
	t.Logf("mean: %.3f; %+.0f %%, %+.0f %% and %+.0f %%", sum, 100*(sum[0]/sum[1]-1), 100*(sum[0]/sum[2]-1), 100*(sum[0]/sum[3]-1))
	if sum[0] < 0.95*sum[3] {
		t.Errorf("the plan meets %.4f, a rival that is told the best length %.4f", sum[0], sum[3])
	}
	for i, rival := range []string{"where incidents were", "evenly"} {
		if sum[0] < 1.15*sum[i+1] {
			t.Errorf("the plan meets %.4f, patrols %s %.4f", sum[0], rival, sum[i+1])
		}
	}
}
