package surface_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// A straight day patrol of 10 km and 800 m: a strip with two half discs. Twice
// the same way doubles the unmerged area only.
func TestSwathByHand(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	line := orb.LineString{}
	for i := range 101 {
		line = append(line, orb.Point{110.3 + float64(i)*0.0009, 1 + float64(i)*0.000371})
	}
	props := map[string]any{"country": "ID", "sweep_width_m": 800.0}
	one := track(line, day, time.Minute, props)
	lengthM := geo.LengthM(line)
	want := 800*lengthM + math.Pi*400*400
	once, twice := cover(trackLayer(one), nil), cover(trackLayer(one, one), nil)
	if got := once.TotalSwath(); math.Abs(got.MergedM2/want-1) > 0.005 || math.Abs(got.UnmergedM2/(800*lengthM)-1) > 1e-6 {
		t.Errorf("%+v, want %g merged, %g unmerged", got, want, 800*lengthM)
	}
	a, b := once.TotalSwath(), twice.TotalSwath()
	if a.MergedM2 != b.MergedM2 || math.Abs(b.UnmergedM2/a.UnmergedM2-2) > 1e-9 {
		t.Errorf("once %+v, twice %+v", a, b)
	}
	cell := surface.CellAt(line[50])
	s := once.Swath(slices.Values([]surface.Cell{cell, {X: 1, Y: 1}}))
	if math.Abs(s.PercentVisible()+s.PercentBlind()-100) > 1e-12 || s.PercentVisible() <= 0 || math.Abs(s.AreaM2-cell.AreaM2()-surface.Cell{X: 1, Y: 1}.AreaM2()) > 1e-6 {
		t.Errorf("%+v", s)
	}
	if none := (surface.Swath{}); none.PercentVisible() != 0 || none.PercentBlind() != 100 {
		t.Error("no area is not blind")
	}
	old := cover(trackLayer(track(line, day.AddDate(0, 0, -40), time.Minute, props)), nil)
	if got := old.TotalSwath(); got != (surface.Swath{}) {
		t.Errorf("before the window: %+v", got)
	}
}

// The brute-force twin: the middle of every place near the tracks against its
// distance to each leg.
func TestSwathAgainstDistances(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 5))
	day := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	for _, job := range []struct {
		widthM, stepDeg float64
		legs            int
		turn            float64 // at most so much from leg to leg, radians; 0: any way
		tolerance       float64 // dense fixes and gentle bends are drawn with some slack
	}{
		{60, .02, 12, 0, .004}, {300, .02, 12, 0, .001}, {2500, .02, 12, 0, .001},
		{60, .0004, 80, 0, .05}, {300, .0004, 80, 0, .02}, {2500, .0004, 80, 0, .01},
		{2000, .005, 12, .2, .006}, {2000, .005, 12, .6, .006}, {400, .001, 60, .2, .01}, {2000, .001, 60, .1, .012},
		{2500, .01, 60, 0, .0003}, // over the same ground again and again
	} {
		widthM := job.widthM
		var tracks []geo.Feature
		reach := orb.Bound{Min: orb.Point{180, 90}, Max: orb.Point{-180, -90}}
		for range 3 {
			line := orb.LineString{{110.3 + r.Float64()*.03, 1.3 + r.Float64()*.03}}
			heading := 1.0
			for range job.legs {
				p := line[len(line)-1]
				if job.turn > 0 {
					heading += (2*r.Float64() - 1) * job.turn
					line = append(line, orb.Point{p[0] + job.stepDeg*math.Cos(heading), p[1] + job.stepDeg*math.Sin(heading)})
					continue
				}
				line = append(line, orb.Point{p[0] + (r.Float64()-.5)*job.stepDeg, p[1] + (r.Float64()-.5)*job.stepDeg})
			}
			reach = reach.Union(line.Bound())
			tracks = append(tracks, track(line, day, 10*time.Minute, map[string]any{"sweep_width_m": widthM}))
		}
		c := cover(trackLayer(tracks...), nil)
		wrong, seen, sum := 0.0, 0.0, 0.0
		c.Cells().Each(func(cell surface.Cell, _ *surface.Effort) {
			b := cell.Bound()
			if !b.Intersects(reach.Pad(widthM / 2 / 110_000)) {
				return
			}
			hits := 0.0
			const n = 32
			for i := range n * n {
				p := orb.Point{b.Min[0] + (float64(i%n)+.5)/n*(b.Max[0]-b.Min[0]), b.Min[1] + (float64(i/n)+.5)/n*(b.Max[1]-b.Min[1])}
				if slices.ContainsFunc(tracks, func(f geo.Feature) bool { return nearLine(p, f.Geometry.(orb.LineString), widthM/2) }) {
					hits++
				}
			}
			got := c.Swath(slices.Values([]surface.Cell{cell}))
			seen += hits / n / n * cell.AreaM2()
			sum += got.MergedM2
			wrong += math.Abs(got.MergedM2 - hits/n/n*cell.AreaM2())
		})
		t.Logf("width %g m, legs of %g°: %.3f km² seen, %.4f %% of it differs", widthM, job.stepDeg, seen/1e6, 100*wrong/seen)
		if total := c.TotalSwath().MergedM2; seen == 0 || wrong > job.tolerance*seen || math.Abs(total/sum-1) > 1e-9 {
			t.Errorf("width %g m: %g m² seen, %g differ, %g in total", widthM, seen, wrong, total)
		}
	}
}

// nearLine measures on the plane of metres about p.
func nearLine(p orb.Point, line orb.LineString, radiusM float64) bool {
	lonM, latM := geo.MetresPerDegree(p[1])
	for i := 1; i < len(line); i++ {
		ax, ay := (line[i-1][0]-p[0])*lonM, (line[i-1][1]-p[1])*latM
		bx, by := (line[i][0]-p[0])*lonM, (line[i][1]-p[1])*latM
		dx, dy := bx-ax, by-ay
		t := max(0, min(1, -(ax*dx+ay*dy)/max(dx*dx+dy*dy, 1e-12)))
		if math.Hypot(ax+t*dx, ay+t*dy) <= radiusM {
			return true
		}
	}
	return false
}

// A strip over the dateline and one at the end of the map.
func TestSwathAtEdges(t *testing.T) {
	day := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	props := map[string]any{"sweep_width_m": 2000.0}
	line := orb.LineString{{179.98, 2}, {-179.98, 2}}
	c := cover(trackLayer(track(line, day, 20*time.Minute, props)), nil)
	want := 2000*geo.DistanceM(line[0], line[1]) + math.Pi*1e6
	if got := c.TotalSwath().MergedM2; math.Abs(got/want-1) > 0.005 {
		t.Errorf("%g m² over the dateline, want %g", got, want)
	}
	for _, lat := range []float64{85.05, -85.05, 89.99, -90} {
		c := cover(trackLayer(track(orb.LineString{{10, lat}, {10.001, lat}}, day, 20*time.Minute, map[string]any{"sweep_width_m": 1e12})), nil)
		if s := c.TotalSwath(); !(s.MergedM2 >= 0) || s.MergedM2 > s.AreaM2*(1+1e-9) {
			t.Errorf("at %g°: %+v", lat, s)
		}
	}
}

// A post sees its disc once, however long it stands.
func TestSwathOfPost(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "posts", Kind: geo.KindPost})
	b.Add(geo.Feature{Geometry: orb.Point{110.35, 1.0}, From: asOf.AddDate(0, 0, -10), To: asOf, Properties: map[string]any{"country": "MY", "agency": "P", "radius_m": 5000.0}})
	c := cover(nil, b.Layer())
	want := math.Pi * 25e6
	if s := c.TotalSwath(); math.Abs(s.MergedM2/want-1) > 0.01 || math.Abs(s.UnmergedM2/s.MergedM2-1) > 1e-9 {
		t.Errorf("%+v, want %g m²", s, want)
	}
	if s := c.Swath(slices.Values([]surface.Cell{surface.CellAt(orb.Point{110.35, 1})})); math.Abs(s.PercentVisible()-100) > 1e-9 {
		t.Errorf("the cell of the post: %g %% visible", s.PercentVisible())
	}
	if a := c.Agencies(); len(a) != 1 || a[0].Agency != "P" || math.Abs(a[0].SweptM2/(want*240)-1) > 0.01 {
		t.Errorf("%+v", a)
	}
}

// A camera that faces north-west sees a quarter of the disc, and nothing in the
// south-east.
func TestCameraSeesItsSector(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "posts", Kind: geo.KindPost})
	at := orb.Point{110.35, 1.0}
	b.Add(geo.Feature{Geometry: at, From: asOf.AddDate(0, 0, -1), To: asOf,
		Properties: map[string]any{"country": "MY", "radius_m": 8000.0, "bearing_deg": 315.0, "fov_deg": 90.0}})
	c := cover(nil, b.Layer())
	if got, want := c.TotalSwath().MergedM2, math.Pi*64e6/4; math.Abs(got/want-1) > 0.02 {
		t.Errorf("%g m², want %g", got, want)
	}
	for _, p := range []struct {
		dx, dy float64
		seen   bool
	}{{-.03, .03, true}, {.03, -.03, false}, {.03, .03, false}, {-.03, -.03, false}} {
		if total, _ := c.Search(surface.CellAt(orb.Point{at[0] + p.dx, at[1] + p.dy})); (total > 0) != p.seen {
			t.Errorf("%+v: coverage %g", p, total)
		}
	}
}

func ExampleSwath() {
	s := surface.Swath{MergedM2: 250, UnmergedM2: 400, AreaM2: 1000}
	fmt.Println(s.PercentVisible(), s.PercentBlind())
	// Output: 25 75
}
