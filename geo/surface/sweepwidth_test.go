package surface_test

import (
	"math"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

// Rows by hand: the best fitting row, then night, weather (JP 3-50) and
// fatigue.
func TestWidthsByHand(t *testing.T) {
	m := surface.DefaultCoverageModel()
	nan := math.NaN()
	for name, c := range map[string]struct {
		in   surface.Conditions
		want float64
	}{
		"foot":                    {surface.Conditions{Mode: "foot"}, 100},
		"foot in forest":          {surface.Conditions{Mode: "foot", Terrain: "forest"}, 100},
		"foot in the open":        {surface.Conditions{Mode: "foot", Terrain: "open"}, 200},
		"vehicle in the open":     {surface.Conditions{Mode: "foot", Terrain: "open", Target: "vehicle"}, 400},
		"terrain without target":  {surface.Conditions{Mode: "drone", Terrain: "forest", Target: "person"}, 100},
		"target without terrain":  {surface.Conditions{Mode: "foot", Target: "vehicle"}, 100},
		"person at sea":           {surface.Conditions{Mode: "sea_boat", Terrain: "sea", Target: "person"}, 600},
		"at night":                {surface.Conditions{Mode: "sea_boat", Night: true}, 600},
		"unknown mode":            {surface.Conditions{Mode: "camel"}, 100},
		"nothing stated":          {surface.Conditions{Mode: "sea_boat", WindKT: nan, SeaFT: nan}, 2000},
		"waves somewhere":         {surface.Conditions{Mode: "sea_boat", Terrain: "unknown", Target: "unknown", SeaFT: 5}, 500},
		"15 kt":                   {surface.Conditions{Mode: "sea_boat", WindKT: 15}, 2000},
		"16 kt":                   {surface.Conditions{Mode: "sea_boat", WindKT: 16, SeaFT: nan}, 1000},
		"26 kt":                   {surface.Conditions{Mode: "sea_boat", WindKT: 26}, 500},
		"2 ft":                    {surface.Conditions{Mode: "sea_boat", WindKT: nan, SeaFT: 2}, 1000},
		"4 ft":                    {surface.Conditions{Mode: "sea_boat", SeaFT: 4}, 1000},
		"5 ft":                    {surface.Conditions{Mode: "sea_boat", SeaFT: 5}, 500},
		"26 kt for a large one":   {surface.Conditions{Mode: "sea_boat", Target: "vehicle", WindKT: 26}, 1800},
		"wind on land":            {surface.Conditions{Mode: "foot", WindKT: 40}, 100},
		"drone over open land":    {surface.Conditions{Mode: "drone", Terrain: "open", WindKT: 40}, 1000},
		"tired at night in waves": {surface.Conditions{Mode: "sea_boat", Night: true, SeaFT: 3, Fatigued: true}, 2000 * .3 * .5 * .9},
	} {
		got := m.WidthsIn(c.in)
		if math.Abs(got.MidM-c.want) > 1e-9 || math.Abs(got.LowM-c.want/2) > 1e-9 || math.Abs(got.HighM-2*c.want) > 1e-9 {
			t.Errorf("%s: %+v, want mid %g, half and double", name, got, c.want)
		}
	}
	if m.Width("foot", 12) != 100 || m.Width("foot", 5) != 50 || m.Width("foot", 18) != 50 {
		t.Error("width by hour")
	}
	m.SweepWidths = nil
	if m.Width("foot", 12) != 0 {
		t.Error("an empty table sees something")
	}
	m.Weather = [2]surface.WeatherFactor{}
	if w := m.WidthsIn(surface.Conditions{Mode: "sea_boat", SeaFT: 9}); w != (surface.Widths{}) {
		t.Error(w)
	}
}

// METHODS section 6: C = 1 finds 63 % at random, 79 % in parallel sweeps.
func TestPODLaw(t *testing.T) {
	for law, want := range map[string]float64{"": 0.632, surface.RandomLaw: 0.632, surface.ParallelLaw: 0.790} {
		m := surface.CoverageModel{PODLaw: law}
		if got := m.POD(1); math.Abs(got-want) > 5e-4 {
			t.Errorf("%q: %g, want %g", law, got, want)
		}
	}
}
