package surface_test

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

func postLayer(posts ...geo.Feature) *geo.Layer {
	b := geo.NewBuilder(geo.LayerInfo{ID: "posts", Kind: geo.KindPost})
	for _, f := range posts {
		b.Add(f)
	}
	return b.Layer()
}

// A camera of ten days that was out of order for some of them has looked for
// the others only; its field is no data for the rest, and where it never worked
// it is not known whether anyone was there.
func TestOutagesOfPost(t *testing.T) {
	at, day := orb.Point{110.35, 1.0}, 24*time.Hour
	begin := asOf.Add(-10 * day)
	for name, c := range map[string]struct {
		outages  string
		downDays float64
		outs     int
		is       surface.Knowledge
	}{
		"none":                {"", 0, 0, surface.Visited},
		"two days":            {"2026-11-14T00:00:00Z/2026-11-16T00:00:00Z", 2, 1, surface.Visited},
		"in another zone":     {"2026-11-14T08:00:00+08:00/2026-11-16T08:00:00+08:00", 2, 1, surface.Visited},
		"twice, one overlaps": {"2026-11-18T00:00:00Z/2026-11-18T12:00:00Z; 2026-11-14T00:00:00Z/2026-11-16T00:00:00Z;2026-11-15T00:00:00Z/2026-11-16T00:00:00Z", 2.5, 2, surface.Visited},
		"two as one":          {"2026-11-15T00:00:00Z/2026-11-17T00:00:00Z;2026-11-14T00:00:00Z/2026-11-16T00:00:00Z", 3, 1, surface.Visited},
		"still":               {"2026-11-20T00:00:00Z/..", 2, 1, surface.Visited},
		"until":               {"../2026-11-13T00:00:00Z", 1, 1, surface.Visited},
		"always":              {"../..", 10, 1, surface.NoData},
		"before it was there": {"2026-11-01T00:00:00Z/2026-11-02T00:00:00Z", 0, 0, surface.Visited},
		"in the future":       {"2026-12-01T00:00:00Z/2026-12-02T00:00:00Z", 0, 0, surface.Visited},
		"not to be read":      {"yesterday;2026-11-14/2026-11-16;2026-11-16T00:00:00Z/2026-11-14T00:00:00Z;/;..", 0, 0, surface.Visited},
	} {
		upMS, downMS := map[surface.Cell]int64{}, map[surface.Cell]int64{}
		got := surface.NewCoverage(surface.CoverageInputs{AsOf: asOf,
			Visit:     func(p surface.Pass) { upMS[p.Cell] += p.EndMS - p.StartMS },
			VisitHole: func(h surface.Hole) { downMS[h.Cell] += h.EndMS - h.StartMS },
			Posts: []*geo.Layer{postLayer(geo.Feature{Geometry: at, From: begin, To: asOf,
				Properties: map[string]any{"country": "MY", "radius_m": 5000.0, "outages": c.outages}})}}, surface.DefaultCoverageModel())
		if want := math.Pi * 25e6 * 24 * (10 - c.downDays); math.Abs(sumSwept(got)-want) > 0.01*math.Pi*25e6*240 {
			t.Errorf("%s: %g m² swept, want %g", name, sumSwept(got), want)
		}
		if got.NoDataS != c.downDays*86400 || got.Outages != c.outs || got.Knowledge(surface.CellAt(at)) != c.is {
			t.Errorf("%s: %g s in %d outages, knowledge %v", name, got.NoDataS, got.Outages, got.Knowledge(surface.CellAt(at)))
		}
		if q := got.Cells().At(surface.CellAt(at)).Presence[0]; q > 1 || (q > 0) != (c.is == surface.Visited) {
			t.Errorf("%s: a presence of %g", name, q)
		}
		sum := 0.0
		got.Cells().Each(func(cell surface.Cell, e *surface.Effort) {
			sum += e.NoDataS
			if e.SweptM2[surface.Malaysia] == 0 && e.NoDataLegs == 0 {
				return
			}
			if ms := int64(10 * day / time.Millisecond); upMS[cell]+downMS[cell] != ms || float64(downMS[cell]) != c.downDays*86.4e6 {
				t.Errorf("%s, %v: up for %d ms and down for %d, want %d together", name, cell, upMS[cell], downMS[cell], ms)
			}
		})
		if math.Abs(sum-got.NoDataS) > 1e-6*got.NoDataS {
			t.Errorf("%s: the cells have %g s, want %g", name, sum, got.NoDataS)
		}
	}
}

// The legs of a drone while its receiver was out of order are no data, though
// the file has fixes; a drone that stands is as a post.
func TestOutagesOfTrack(t *testing.T) {
	line := orb.LineString{{110.300, 1.004}, {110.302, 1.004}, {110.402, 1.004}, {110.404, 1.004}}
	props := map[string]any{"country": "ID", "sweep_width_m": 100.0,
		"outages": "2026-11-20T04:15:00Z/2026-11-20T04:20:00Z;2020-01-01T00:00:00Z/2020-01-02T00:00:00Z"}
	c := cover(trackLayer(track(line, noon, 10*time.Minute, props), geo.Feature{Geometry: line[0], From: noon, To: noon.Add(time.Hour), Properties: props}), nil)
	alone := geo.Feature{Geometry: line[2], From: noon.Add(16 * time.Minute), To: noon.Add(16 * time.Minute), Properties: props}
	if c := cover(trackLayer(alone), nil); c.Outages != 1 || c.Knowledge(surface.CellAt(line[2])) != surface.NoData {
		t.Errorf("a fix during an outage: %d outages, %v", c.Outages, c.Knowledge(surface.CellAt(line[2])))
	}
	want := geo.DistanceM(line[0], line[1]) + geo.DistanceM(line[2], line[3])
	if math.Abs(c.LengthM-want) > 1e-3 || c.SilentLegs != 0 || c.Jumps != 0 || c.Outages != 2 || c.NoDataS != 600+300 {
		t.Errorf("%g m, %d silent, %d jumps, %d outages, %g s no data", c.LengthM, c.SilentLegs, c.Jumps, c.Outages, c.NoDataS)
	}
	for p, want := range map[orb.Point]surface.Knowledge{line[0]: surface.Visited, {110.35, 1.004}: surface.NoData, line[3]: surface.Visited} {
		if got := c.Knowledge(surface.CellAt(p)); got != want {
			t.Errorf("%v: %v, want %v", p, got, want)
		}
	}
}
