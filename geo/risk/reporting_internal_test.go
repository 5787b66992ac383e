package risk

import (
	"math"
	"testing"
)

// By hand: where patrols meet a tenth and of the records 20 were found and 60
// reported, q = ρ·0.9/(0.1 + ρ·0.9) = 3/4, so ρ = 1/3.
func TestReportingRateByHand(t *testing.T) {
	cells := []weighted{{channels{met: 0.1, found: 15, reported: 40}, 1}, {channels{met: 0.1, found: 5, reported: 20}, 1}}
	got := fitRate(cells, ReportingRate{0.15, 1e9})
	if math.Abs(got.Mean-1.0/3) > 1e-3 {
		t.Errorf("rate %.4f, by hand 0.3333", got.Mean)
	}
	if sd := math.Sqrt(1 / (80 * 0.75 * 0.25)); math.Abs(got.CV-math.Sqrt(math.Expm1(sd*sd))) > 1e-3 {
		t.Errorf("cv %.4f of a logarithm that is known to %.4f", got.CV, sd)
	}
	if got := fitRate(nil, ReportingRate{0.15, 0.45}); math.Abs(got.Mean-0.15) > 1e-12 || math.Abs(got.CV-0.45) > 1e-9 {
		t.Errorf("without records %+v, want the rate beforehand", got)
	}
	if got := fitRate([]weighted{{channels{met: 0.5, reported: 1e6}, 1}}, ReportingRate{0.15, 0.45}); got.Mean > 1 {
		t.Errorf("rate %g above 1", got.Mean)
	}
	if got := fitRate(cells, ReportingRate{0.2, 0}); got.Mean != 0.2 || got.CV != 0 {
		t.Errorf("%+v, want the rate that is known", got)
	}
}

// Two estimates that are as good as each other meet in the geometric mean.
func TestReportingRatesTogether(t *testing.T) {
	got := ReportingRate{0.1, 0.4}.and(ReportingRate{0.4, 0.4})
	if math.Abs(got.Mean-0.2) > 1e-12 || math.Abs(got.CV-0.4/math.Sqrt2) > 1e-12 {
		t.Errorf("got %+v", got)
	}
	if got := (ReportingRate{0.1, 0}).and(ReportingRate{0.4, 0.4}); math.Abs(got.Mean-0.1) > 1e-12 {
		t.Errorf("what is known without error gives way: %+v", got)
	}
}
