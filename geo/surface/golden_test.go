package surface_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

func golden(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

type kdeCase struct {
	Kernel     string    `json:"kernel"`
	BandwidthM float64   `json:"bandwidth_m"`
	Truncate   float64   `json:"truncate_at_bandwidths"`
	Sum        []float64 `json:"sum"`
	Intensity  []float64 `json:"intensity_per_m2"`
}

type gridSpec struct {
	X0    float64 `json:"x0"`
	Y0    float64 `json:"y0"`
	CellM float64 `json:"cell_m"`
	NX    int     `json:"nx"`
	NY    int     `json:"ny"`
}

func (g gridSpec) lattice() surface.Lattice {
	return surface.PlanarLattice(g.X0, g.Y0, g.CellM, g.NX, g.NY)
}

// worst returns the largest difference as a share of the largest wanted value.
func worst(got, want []float64) float64 {
	peak, diff := 0.0, 0.0
	for i := range want {
		peak = max(peak, want[i])
		diff = max(diff, math.Abs(got[i]-want[i]))
	}
	return diff / peak
}

func TestKernelDensityPlanarGolden(t *testing.T) {
	var g struct {
		Grid   gridSpec     `json:"grid"`
		Points [][2]float64 `json:"points"`
		Cases  []kdeCase    `json:"cases"`
	}
	golden(t, "kde_planar", &g)
	var events []surface.Event
	for _, p := range g.Points {
		events = append(events, surface.Event{Lon: p[0], Lat: p[1], Weight: 1})
	}
	points := surface.NewPoints(events, true)
	for _, c := range g.Cases {
		if c.Kernel == "gaussian" && c.Truncate == 0 {
			continue // the product's Gaussian is the cut one
		}
		d, err := surface.NewDensity(points, surface.Kernel(c.Kernel), c.BandwidthM)
		if err != nil {
			t.Fatal(err)
		}
		got := d.Raster(g.Grid.lattice(), 1)
		if e := worst(got, c.Intensity); e > 1e-9 {
			t.Errorf("%s %g m: %g of the peak away", c.Kernel, c.BandwidthM, e)
		}
		for i, want := range c.Intensity {
			x, y := g.Grid.X0+(float64(i%g.Grid.NX)+0.5)*g.Grid.CellM, g.Grid.Y0+(float64(i/g.Grid.NX)+0.5)*g.Grid.CellM
			if at := d.At(x, y); math.Abs(at-want) > 1e-9*maxOf(c.Intensity) {
				t.Fatalf("%s %g m at %g,%g: %g, want %g", c.Kernel, c.BandwidthM, x, y, at, want)
			}
		}
	}
}

func maxOf(v []float64) float64 {
	m := 0.0
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

func TestKernelDensityWeightedTemporalGolden(t *testing.T) {
	var g struct {
		AsOf   float64  `json:"as_of"`
		Grid   gridSpec `json:"grid"`
		Events []struct{ X, Y, Severity, T float64 }
		Cases  []struct {
			kdeCase
			UseSeverity bool `json:"use_severity"`
			Temporal    struct {
				Type      string  `json:"type"`
				HalfLifeS float64 `json:"half_life_s"`
				HalfLife  float64 `json:"half_life"`
				HalfLifeD float64 `json:"half_life_days"`
			} `json:"temporal"`
		}
	}
	golden(t, "kde_weighted_temporal", &g)
	ran := 0
	for _, c := range g.Cases {
		var halfLife float64
		switch c.Temporal.Type {
		case "none":
		case "exp_halflife":
			halfLife = c.Temporal.HalfLifeS + c.Temporal.HalfLife + 86400*c.Temporal.HalfLifeD
			if halfLife == 0 {
				t.Fatalf("no half-life in %+v", c.Temporal)
			}
		default:
			continue
		}
		var events []surface.Event
		for _, e := range g.Events {
			w := 1.0
			if c.UseSeverity {
				w = e.Severity
			}
			if halfLife > 0 {
				w *= surface.Recency(g.AsOf-e.T, halfLife)
			}
			events = append(events, surface.Event{Lon: e.X, Lat: e.Y, Weight: w})
		}
		d, err := surface.NewDensity(surface.NewPoints(events, true), surface.Kernel(c.Kernel), c.BandwidthM)
		if err != nil {
			t.Fatal(err)
		}
		limit := 1e-9
		if c.Kernel == "gaussian" { // the file's is not cut: exp(-8) of the mass may differ
			limit = math.Exp(-8)
		}
		if e := worst(d.Raster(g.Grid.lattice(), 2), c.Intensity); e > limit {
			t.Errorf("%s %g m %+v: %g of the peak away", c.Kernel, c.BandwidthM, c.Temporal, e)
		}
		ran++
	}
	if ran < 10 {
		t.Fatalf("only %d cases ran", ran)
	}
}

func TestKernelDensityGeodesicGolden(t *testing.T) {
	var g struct {
		Regions []struct {
			Name   string
			Points [][2]float64 `json:"points_lat_lon"`
			Centre [][2]float64 `json:"centres_lat_lon"`
			NX     int          `json:"nx"`
			NY     int          `json:"ny"`
			Cases  []kdeCase
		}
	}
	golden(t, "kde_geodesic", &g)
	for _, r := range g.Regions {
		var events []surface.Event
		for _, p := range r.Points {
			events = append(events, surface.Event{Lon: p[1], Lat: p[0], Weight: 1})
		}
		points := surface.NewPoints(events, false)
		l := surface.Lattice{Lon0: r.Centre[0][1], DLon: math.Mod(r.Centre[1][1]-r.Centre[0][1]+540, 360) - 180, NX: r.NX}
		for y := range r.NY {
			l.Lats = append(l.Lats, r.Centre[y*r.NX][0])
		}
		for _, c := range r.Cases {
			d, err := surface.NewDensity(points, surface.Kernel(c.Kernel), c.BandwidthM)
			if err != nil {
				t.Fatal(err)
			}
			e := worst(d.Raster(l, 1), c.Intensity)
			if c.Kernel == "gaussian" && c.Truncate == 0 {
				if e > 1e-3 {
					t.Errorf("%s gaussian %g m: %g", r.Name, c.BandwidthM, e)
				}
				continue
			}
			if e > 2e-5 {
				t.Errorf("%s %s %g m: %g of the peak away", r.Name, c.Kernel, c.BandwidthM, e)
			}
		}
	}
}

func TestPODGolden(t *testing.T) {
	var g struct {
		POD []struct {
			W        float64 `json:"sweep_width_m"`
			L        float64 `json:"track_length_m"`
			A        float64 `json:"area_m2"`
			Random   float64 `json:"pod_random"`
			Parallel float64 `json:"pod_inverse_cube_parallel"`
		} `json:"pod"`
		Cumulative []struct {
			PODs []float64 `json:"pods"`
			Want float64   `json:"cumulative_pod"`
		} `json:"cumulative"`
	}
	golden(t, "koopman", &g)
	// Coverages add: the sum finds what searches one after the other find.
	for _, c := range g.Cumulative {
		coverage := 0.0
		for _, pod := range c.PODs {
			coverage -= math.Log1p(-pod)
		}
		if got := surface.RandomSearchPOD(coverage); math.Abs(got-c.Want) > 1e-12 {
			t.Errorf("cumulative %v: %v, want %v", c.PODs, got, c.Want)
		}
	}
	for _, c := range g.POD {
		coverage := c.W * c.L / c.A
		if got := surface.RandomSearchPOD(coverage); math.Abs(got-c.Random) > 1e-12 {
			t.Errorf("random %+v: %v", c, got)
		}
		if got := surface.ParallelSweepPOD(coverage); math.Abs(got-c.Parallel) > 1e-12 {
			t.Errorf("parallel %+v: %v", c, got)
		}
	}
	if len(g.POD) == 0 || len(g.Cumulative) == 0 {
		t.Fatal("no cases")
	}
}

// METHODS section 6 works these by hand.
func TestInterceptionWorkedExamples(t *testing.T) {
	if got := surface.InterceptionPOD(1, 2, 30*24); math.Abs(got-0.0028) > 5e-5 {
		t.Errorf("one search in 30 days, 2 h: %v", got)
	}
	if got := surface.InterceptionPOD(4, 3, 7*24); math.Abs(got-0.069) > 5e-4 {
		t.Errorf("weekly effort 4, 3 h: %v", got)
	}
}
