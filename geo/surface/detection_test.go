package surface_test

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/surface"
)

func TestDetectionGolden(t *testing.T) {
	var g struct {
		Tolerance  float64 `json:"abs_tolerance"`
		Most       float64 `json:"cap"`
		BandwidthM float64 `json:"bandwidth_m"`
		Grid       gridSpec
		Incidents  []struct{ X, Y, POD float64 }
		Weights    []float64
		Estimate   []float64    `json:"cell_ht_estimate"`
		Variance   []float64    `json:"cell_ht_variance"`
		Total      float64      `json:"total_ht"`
		Centres    [][2]float64 `json:"centres"`
		Sum        []float64    `json:"kde_sum_epanechnikov"`
		Controls   [][2]float64 `json:"control_points"`
		Risk       []float64    `json:"relative_risk"`
		Worked     []struct {
			Count, Estimate float64
			POD             float64
		}
	}
	golden(t, "bias_correction", &g)
	cells := make([][]float64, g.Grid.NX*g.Grid.NY)
	var cases, controls, corrected []surface.Event
	var all []float64
	for i, e := range g.Incidents {
		w := surface.DetectionWeight(e.POD, g.Most)
		if math.Abs(w-g.Weights[i]) > g.Tolerance {
			t.Errorf("incident %d, POD %g: weight %g, want %g", i, e.POD, w, g.Weights[i])
		}
		at := int((e.Y-g.Grid.Y0)/g.Grid.CellM)*g.Grid.NX + int((e.X-g.Grid.X0)/g.Grid.CellM)
		cells[at], all = append(cells[at], w), append(all, w)
		cases = append(cases, surface.Event{Lon: e.X, Lat: e.Y, Weight: 1})
		corrected = append(corrected, surface.Event{Lon: e.X, Lat: e.Y, Weight: w})
	}
	for i, weights := range cells {
		n, v := surface.CorrectedTotal(weights)
		if math.Abs(n-g.Estimate[i]) > g.Tolerance || math.Abs(v-g.Variance[i]) > g.Tolerance {
			t.Errorf("cell %d: %g with variance %g, want %g with %g", i, n, v, g.Estimate[i], g.Variance[i])
		}
	}
	if n, _ := surface.CorrectedTotal(all); math.Abs(n-g.Total) > g.Tolerance {
		t.Errorf("in all %g, want %g", n, g.Total)
	}
	density, err := surface.NewDensity(surface.NewPoints(corrected, true), surface.Epanechnikov, g.BandwidthM)
	if err != nil {
		t.Fatal(err)
	}
	sums := density.Raster(g.Grid.lattice(), 1)
	for i := range sums {
		sums[i] *= g.BandwidthM * g.BandwidthM / surface.Epanechnikov.Constant()
	}
	if e := worst(sums, g.Sum); e > g.Tolerance {
		t.Errorf("kernel sums of corrected incidents are %g of the peak off", e)
	}
	for _, p := range g.Controls {
		controls = append(controls, surface.Event{Lon: p[0], Lat: p[1], Weight: 1})
	}
	r := surface.Relative{Cases: cases, Controls: controls, BandwidthM: g.BandwidthM, Planar: true}
	for i, c := range g.Centres {
		if got := r.At(orb.Point(c)); math.Abs(got-g.Risk[i]) > g.Tolerance {
			t.Errorf("relative risk at %v: %.12g, want %.12g", c, got, g.Risk[i])
		}
	}
	for _, w := range g.Worked {
		if got := w.Count * surface.DetectionWeight(w.POD, g.Most); got != w.Estimate {
			t.Errorf("%g found where %g are: %g, want %g", w.Count, w.POD, got, w.Estimate)
		}
	}
}

// By hand on the ellipsoid: two cases at the place, the controls one bandwidth
// off, across the 180th meridian.
func TestRelativeByHand(t *testing.T) {
	at := orb.Point{179.999, 0}
	off := 1000 / (math.Pi * 6378137 / 180) // degrees along the equator
	r := surface.Relative{BandwidthM: 1000,
		Cases:    []surface.Event{{Lon: 179.999, Weight: 2}, {Lon: 0, Weight: 2}},
		Controls: []surface.Event{{Lon: 179.999 + off - 360, Weight: 5}}}
	if got, want := r.At(at), 0.5*math.Exp(0.5); math.Abs(got-want) > 1e-9 {
		t.Errorf("relative risk %.12g, by hand %.12g", got, want)
	}
	if got := r.At(orb.Point{0, 0}); !math.IsNaN(got) {
		t.Errorf("%g where there is no control, want NaN", got)
	}
}
