package surface_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

func choose(t testing.TB, events []surface.Event, planar bool, rule surface.Rule, o surface.BandwidthOptions) surface.Choice {
	t.Helper()
	c, err := surface.SelectBandwidth(surface.NewPoints(events, planar), surface.Gaussian, rule, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mixture returns n events in equal normal clouds of sdM on a coarse grid of
// far apart centres.
func mixture(seed uint64, n, clouds int, sdM float64) []surface.Event {
	r := rand.New(rand.NewPCG(seed, 2))
	out := make([]surface.Event, n)
	for i := range out {
		c := i % clouds
		out[i] = surface.Event{
			Lon: float64(c%4)*40*sdM + sdM*r.NormFloat64(), Lat: float64(c/4)*40*sdM + sdM*r.NormFloat64(), Weight: 1,
		}
	}
	return out
}

func TestKernelSDIsItsSecondMoment(t *testing.T) {
	for _, k := range []surface.Kernel{surface.Uniform, surface.Triangular, surface.Epanechnikov, surface.Quartic, surface.Gaussian} {
		const n = 200_000 // rings; x² averages to r²/2 on each
		sum, reach := 0.0, k.Reach()
		if k == surface.Gaussian {
			reach = 4 // what is cut has 0.15 % of the variance and more
		}
		for i := range n {
			r := (float64(i) + 0.5) / n * reach
			sum += r * r / 2 * k.Constant() * k.At(r*r) * 2 * math.Pi * r * reach / n
		}
		limit := 1e-6
		if k == surface.Gaussian {
			limit = 0.002
		}
		if got := math.Sqrt(sum); math.Abs(got-k.SD()) > limit {
			t.Errorf("%s: sd %v, from its moment %v", k, k.SD(), got)
		}
	}
	if got := surface.ConvertBandwidthM(1000, surface.Gaussian, surface.Quartic); math.Abs(got-2828.4271) > 1e-3 {
		t.Errorf("1 km Gaussian as quartic: %v", got)
	}
}

// Four corners of a square of side 2: each axis has Σ(x-1)² = 4 over n-1 = 3,
// so σ² = 4/3; 4^(-1/6) = 0.7937; Gaussian: 1.1547 · 0.7937 = 0.9165 m.
func TestScottByHand(t *testing.T) {
	square := []surface.Event{{0, 0, 1, 0}, {2, 0, 1, 0}, {0, 2, 1, 0}, {2, 2, 1, 0}}
	want := math.Sqrt(4.0/3) * math.Pow(4, -1.0/6)
	if c := choose(t, square, true, surface.RuleScott, surface.BandwidthOptions{}); c.Rule != surface.RuleScott || math.Abs(c.BandwidthM-want) > 1e-12 || math.Abs(want-0.9165) > 1e-4 {
		t.Errorf("%+v, want %v", c, want)
	}
	// Weights of 7 are no more events than weights of 1.
	for i := range square {
		square[i].Weight = 7
	}
	if c := choose(t, square, true, surface.RuleScott, surface.BandwidthOptions{}); math.Abs(c.BandwidthM-want) > 1e-12 {
		t.Errorf("equal weights: %+v", c)
	}
	c, err := surface.SelectBandwidth(surface.NewPoints(square, true), surface.Quartic, surface.RuleScott, surface.BandwidthOptions{})
	if err != nil || math.Abs(c.BandwidthM-want*math.Sqrt(8)) > 1e-12 {
		t.Errorf("quartic: %+v %v", c, err)
	}
	// The same on the globe, across the dateline and on the equator.
	lonM, latM := geo.MetresPerDegree(0)
	for i := range square {
		square[i].Lon, square[i].Lat = (square[i].Lon-1)*1000/lonM, (square[i].Lat-1)*1000/latM
		square[i].Lon += 180
		if square[i].Lon >= 180 {
			square[i].Lon -= 360
		}
	}
	if c := choose(t, square, false, surface.RuleScott, surface.BandwidthOptions{}); math.Abs(c.BandwidthM/1000/want-1) > 1e-5 {
		t.Errorf("dateline: %+v, want %v km", c, want)
	}
}

// placesOf merges events of one position, as the rules do.
func placesOf(events []surface.Event) []surface.Event {
	index := map[[2]float64]int{}
	var out []surface.Event
	for _, e := range events {
		at := [2]float64{e.Lon, e.Lat}
		if k, ok := index[at]; ok {
			out[k].Weight += e.Weight
			continue
		}
		index[at] = len(out)
		out = append(out, e)
	}
	return out
}

// bruteLikelihood is leave-one-out cross-validation over every pair, the
// background over a disc of the standard deviation spreadM. The normal density
// ends at cut standard deviations.
func bruteLikelihood(places []surface.Event, sdM, spreadM, cut float64, distance func(a, b surface.Event) float64) float64 {
	total, squares, sum := 0.0, 0.0, 0.0
	for _, p := range places {
		total += p.Weight
		squares += p.Weight * p.Weight
	}
	odd := squares / (total * total)
	for i, p := range places {
		f := 0.0
		for j, q := range places {
			if d := distance(p, q) / sdM; i != j && d <= cut {
				f += q.Weight / (total - p.Weight) * math.Exp(-d*d/2) / (2 * math.Pi * sdM * sdM)
			}
		}
		sum += p.Weight / total * math.Log((1-odd)*f+odd/(4*math.Pi*spreadM*spreadM))
	}
	return -sum
}

// widestOf returns where the search began: the spread of the events.
func widestOf(c surface.Choice) float64 { return c.Candidates[len(c.Candidates)-1].BandwidthM }

func planarDistance(a, b surface.Event) float64 { return math.Hypot(a.Lon-b.Lon, a.Lat-b.Lat) }

func localDistance(a, b surface.Event) float64 {
	return geo.LocalDistanceM(orb.Point{a.Lon, a.Lat}, orb.Point{b.Lon, b.Lat})
}

func withDuplicatesAndWeights(events []surface.Event, seed uint64) []surface.Event {
	r := rand.New(rand.NewPCG(seed, 3))
	for i := range events {
		events[i].Weight = 0.2 + r.Float64()
		if i%5 == 0 {
			events[i].Lon, events[i].Lat = events[i/2].Lon, events[i/2].Lat
		}
	}
	return events
}

func TestLikelihoodMatchesBruteForce(t *testing.T) {
	globe := withDuplicatesAndWeights(clustered(11, 300, 179.95, 1.4, 0.5), 11)
	for i := range globe {
		globe[i].Lon = math.Mod(globe[i].Lon+540, 360) - 180
	}
	for _, c := range []struct {
		name     string
		events   []surface.Event
		planar   bool
		limit    float64
		distance func(a, b surface.Event) float64
	}{
		{"plane", withDuplicatesAndWeights(mixture(5, 300, 6, 700), 5), true, 1e-12, planarDistance},
		{"dateline", globe, false, 1e-4, localDistance},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := choose(t, c.events, c.planar, surface.RuleCV, surface.BandwidthOptions{})
			if got.Rule != surface.RuleCV || len(got.Candidates) < 25 {
				t.Fatalf("%+v", got)
			}
			places := placesOf(c.events)
			spreadM := widestOf(got)
			best := math.Inf(1)
			for h := got.BandwidthM / 4; h < got.BandwidthM*4; h *= 1.02 {
				best = min(best, bruteLikelihood(places, h, spreadM, math.Inf(1), c.distance))
			}
			if v := bruteLikelihood(places, got.BandwidthM, spreadM, math.Inf(1), c.distance); v > best+1e-4 {
				t.Errorf("%g m scores %v, the best is %v", got.BandwidthM, v, best)
			}
			for _, k := range got.Candidates {
				want := bruteLikelihood(places, k.BandwidthM, spreadM, 5, c.distance)
				if math.Abs(k.Score-want) > c.limit*math.Abs(want) {
					t.Errorf("%g m: %v, brute force %v", k.BandwidthM, k.Score, want)
				}
			}
		})
	}
}

// bruteDiggle is Berman and Diggle's formula by way of Ripley's K with the
// translation correction, the double integral by the area two discs share.
func bruteDiggle(places []surface.Event, side, r float64) float64 {
	area := side * side
	total, squares := 0.0, 0.0
	for _, p := range places {
		total += p.Weight
		squares += p.Weight * p.Weight
	}
	kAtR, integral := 0.0, 0.0
	for i, p := range places {
		for j, q := range places {
			if i == j {
				continue
			}
			dx, dy := math.Abs(p.Lon-q.Lon), math.Abs(p.Lat-q.Lat)
			dK := area * area / (total * total) * p.Weight * q.Weight / ((side - dx) * (side - dy))
			d := math.Hypot(dx, dy)
			if d <= r {
				kAtR += dK
			}
			if d < 2*r {
				lens := 2*r*r*math.Acos(d/(2*r)) - d/2*math.Sqrt(4*r*r-d*d)
				integral += dK * lens
			}
		}
	}
	disc := math.Pi * r * r
	return area*squares/(total*total)/disc - 2*kAtR/disc + integral/(disc*disc)
}

func TestDiggleMatchesBruteForceOnASquare(t *testing.T) {
	const side = 10_000.0
	r := rand.New(rand.NewPCG(21, 1))
	var events []surface.Event
	for range 25 { // a cluster process, cut at the window
		x, y := side*r.Float64(), side*r.Float64()
		for range 12 {
			e := surface.Event{Lon: x + 300*r.NormFloat64(), Lat: y + 300*r.NormFloat64(), Weight: 1}
			events = append(events, e)
		}
	}
	events = withDuplicatesAndWeights(events, 21)
	window := orb.Bound{Max: orb.Point{side, side}}
	got := choose(t, events, true, surface.RuleDiggle, surface.BandwidthOptions{Window: window})
	if got.Rule != surface.RuleDiggle {
		t.Fatalf("%+v", got)
	}
	var inside []surface.Event
	for _, e := range events {
		if window.Contains(orb.Point{e.Lon, e.Lat}) {
			inside = append(inside, e)
		}
	}
	places := placesOf(inside)
	least := bruteDiggle(places, side, 2*got.BandwidthM)
	for _, k := range got.Candidates {
		want := bruteDiggle(places, side, 2*k.BandwidthM)
		if math.Abs(k.Score-want) > 1e-9*math.Abs(want) {
			t.Errorf("%g m: %v, brute force %v", k.BandwidthM, k.Score, want)
		}
		if k.Score < least-1e-9*math.Abs(least) {
			t.Errorf("%g m is better than the choice %g m", k.BandwidthM, got.BandwidthM)
		}
	}
}

// Of K far apart normal clouds the asymptotically best standard deviation is
// sd·(n/K)^(-1/6) (Scott 1992, 6.41); Scott's rule takes them for one.
func TestCrossValidationFindsKnownOptimum(t *testing.T) {
	for _, n := range []int{600, 12_000} {
		for _, c := range []struct {
			rule   surface.Rule
			factor float64
		}{{surface.RuleCV, 1.3}, {surface.RuleDiggle, 1.8}} {
			for seed := range uint64(2) {
				want := 800 * math.Pow(float64(n)/12, -1.0/6)
				events := mixture(seed, n, 12, 800)
				got := choose(t, events, true, c.rule, surface.BandwidthOptions{})
				ratio := got.BandwidthM / want
				t.Logf("%s n %d seed %d: %.0f m, %.2f of the optimum", c.rule, n, seed, got.BandwidthM, ratio)
				if got.Rule != c.rule || ratio > c.factor || ratio < 1/c.factor {
					t.Errorf("%s n %d seed %d: %+v, want about %.0f m", c.rule, n, seed, got, want)
				}
				if scott := choose(t, events, true, surface.RuleScott, surface.BandwidthOptions{}); scott.BandwidthM < 5*want {
					t.Errorf("Scott's rule should be too smooth here: %g m", scott.BandwidthM)
				}
			}
		}
	}
}

// Above scoredPlaces, places are sampled and merged: the choice must be as
// good as the exact one.
func TestSampledLikelihoodIsAsGood(t *testing.T) {
	events := mixture(31, 3000, 12, 800)
	for i := range events { // clouds of different size
		if i%2 == 0 {
			events[i].Lon *= 0.3
		}
	}
	got := choose(t, events, true, surface.RuleCV, surface.BandwidthOptions{})
	if !strings.Contains(got.Why, "2000 of 3000") {
		t.Error(got.Why)
	}
	at := bruteLikelihood(events, got.BandwidthM, widestOf(got), math.Inf(1), planarDistance)
	for _, f := range []float64{0.7, 0.9, 1.1, 1.4} {
		if v := bruteLikelihood(events, got.BandwidthM*f, widestOf(got), math.Inf(1), planarDistance); v < at-2e-3 {
			t.Errorf("%.0f m scores %v, %g times that %v", got.BandwidthM, at, f, v)
		}
	}
	t.Logf("%.0f m: %s", got.BandwidthM, got.Why)
}

// A place that repeats a hundred times must not draw the bandwidth to nothing.
// One that has most of the weight leaves too little to learn from.
func TestCrossValidationWithOddEvents(t *testing.T) {
	for _, rule := range []surface.Rule{surface.RuleCV, surface.RuleDiggle} {
		events := mixture(9, 600, 12, 800)
		plain := choose(t, events, true, rule, surface.BandwidthOptions{})
		for range 100 {
			events = append(events, events[17])
		}
		repeated := choose(t, events, true, rule, surface.BandwidthOptions{})
		if r := repeated.BandwidthM / plain.BandwidthM; repeated.Rule != rule || r > 2 || r < 0.5 {
			t.Errorf("%s with a repeated place: %g m, without %g m", rule, repeated.BandwidthM, plain.BandwidthM)
		}
		for range 1000 {
			events = append(events, events[17])
		}
		if c := choose(t, events, true, rule, surface.BandwidthOptions{}); c.Rule != surface.RuleScott {
			t.Errorf("%s with one place of most of the weight: %+v", rule, c)
		}
		far := append(mixture(9, 600, 12, 800), surface.Event{Lon: 5e6, Lat: 5e6, Weight: 1})
		c := choose(t, far, true, rule, surface.BandwidthOptions{})
		t.Logf("%s with an outlier at 7,000 km: %.0f m, without %.0f m", rule, c.BandwidthM, plain.BandwidthM)
		if r := c.BandwidthM / plain.BandwidthM; c.Rule != rule || r > 2 || r < 0.5 {
			t.Errorf("%s with an outlier: %+v", rule, c)
		}
	}
}

func TestBandwidthFallsBack(t *testing.T) {
	one := surface.Event{Lon: 110, Lat: 1, Weight: 1}
	same := make([]surface.Event, 40)
	for i := range same {
		same[i] = one
	}
	few := clustered(3, 5, 110, 1, 0.2)
	nearlySame := clustered(3, 60, 110, 1, 0.2)
	for _, e := range nearlySame[:60] { // pairs a metre apart
		e.Lat += 1e-5
		nearlySame = append(nearlySame, e)
	}
	heavy := append(clustered(3, 60, 110, 1, 0.2), surface.Event{Lon: 110, Lat: 1, Weight: 1e30})
	for _, c := range []struct {
		name   string
		events []surface.Event
		asked  surface.Rule
		rule   surface.Rule
		why    string
	}{
		{"fixed", few, surface.RuleFixed, surface.RuleFixed, "as given"},
		{"empty", nil, surface.RuleCV, surface.RuleFixed, "no events"},
		{"empty", nil, surface.RuleScott, surface.RuleFixed, "no events"},
		{"one", []surface.Event{one}, surface.RuleDiggle, surface.RuleFixed, "one place"},
		{"equal", same, surface.RuleCV, surface.RuleFixed, "one place"},
		{"equal", same, surface.RuleScott, surface.RuleFixed, "one place"},
		{"few", few, surface.RuleCV, surface.RuleScott, "needs 10 places"},
		{"few", few, surface.RuleDiggle, surface.RuleScott, "needs 10 places"},
		{"near repeats", nearlySame, surface.RuleDiggle, surface.RuleScott, "positions nearly repeat"},
		{"one heavy", heavy, surface.RuleCV, surface.RuleFixed, "all the weight"},
		{"no weight", []surface.Event{{110, 1, math.NaN(), 0}, {111, 1, 0, 0}}, surface.RuleCV, surface.RuleFixed, "no events"},
	} {
		got := choose(t, c.events, false, c.asked, surface.BandwidthOptions{FixedM: 1234})
		t.Logf("%s, %s asked: %s, %.0f m: %s", c.name, c.asked, got.Rule, got.BandwidthM, got.Why)
		if got.Rule != c.rule || !strings.Contains(got.Why, c.why) || (got.Rule == surface.RuleFixed && got.BandwidthM != 1234) || !(got.BandwidthM > 0) {
			t.Errorf("%s %s: %+v", c.name, c.asked, got)
		}
	}
	p := surface.NewPoints(few, false)
	for _, bad := range []func() error{
		func() error {
			_, err := surface.SelectBandwidth(p, "cone", surface.RuleCV, surface.BandwidthOptions{})
			return err
		},
		func() error {
			_, err := surface.SelectBandwidth(p, surface.Quartic, "best", surface.BandwidthOptions{})
			return err
		},
		func() error {
			_, err := surface.SelectBandwidth(p, surface.Quartic, surface.RuleCV, surface.BandwidthOptions{FixedM: -1})
			return err
		},
		func() error {
			_, err := surface.SelectBandwidth(p, surface.Quartic, surface.RuleCV, surface.BandwidthOptions{Window: orb.Bound{Min: orb.Point{2, 2}}})
			return err
		},
	} {
		if bad() == nil {
			t.Error("no error")
		}
	}
}

// Huge coordinates, weights and spreads give some positive bandwidth.
func TestBandwidthIsAlwaysUsable(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 4))
		scale := math.Exp2(r.Float64()*80 - 30)
		planar := seed%2 == 0
		events := make([]surface.Event, 10+r.IntN(60))
		for i := range events {
			events[i] = surface.Event{Lon: scale * r.NormFloat64(), Lat: scale * r.NormFloat64(), Weight: math.Exp2(r.Float64()*40 - 20)}
			if !planar {
				events[i].Lon, events[i].Lat = 360*r.Float64()-180, 178*r.Float64()-89
			}
		}
		for _, rule := range []surface.Rule{surface.RuleScott, surface.RuleCV, surface.RuleDiggle} {
			c := choose(t, events, planar, rule, surface.BandwidthOptions{})
			if !(c.BandwidthM > 0 && c.BandwidthM <= surface.MaxBandwidthM) {
				t.Errorf("seed %d %s: %+v", seed, rule, c)
			}
		}
	}
}

// One far position makes the keys of all others equal; the work stays bounded
// because those are merged.
func TestBandwidthWithAllKeysEqual(t *testing.T) {
	events := append(mixture(13, 30_000, 12, 800), surface.Event{Lon: 1e15, Lat: 1e15, Weight: 1e-9})
	for _, rule := range []surface.Rule{surface.RuleCV, surface.RuleDiggle} {
		if c := choose(t, events, true, rule, surface.BandwidthOptions{}); !(c.BandwidthM > 0) {
			t.Errorf("%+v", c)
		}
	}
	if _, err := surface.NewAdaptiveDensity(surface.NewPoints(events, true), surface.Quartic, 500); err != nil {
		t.Error(err)
	}
}

func BenchmarkSelectBandwidth(b *testing.B) {
	for _, n := range []int{2000, 100_000, 1_000_000} {
		points := surface.NewPoints(clustered(1, n, 110, 1, 4), false)
		for _, rule := range []surface.Rule{surface.RuleScott, surface.RuleCV, surface.RuleDiggle} {
			b.Run(fmt.Sprintf("%s/%dk", rule, n/1000), func(b *testing.B) {
				for b.Loop() {
					c, err := surface.SelectBandwidth(points, surface.Quartic, rule, surface.BandwidthOptions{})
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(c.BandwidthM, "m")
				}
			})
		}
	}
}
