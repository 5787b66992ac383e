package route_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func layer(info geo.LayerInfo, features ...geo.Feature) *geo.Layer {
	info.Version = 1
	b := geo.NewBuilder(info)
	for _, f := range features {
		b.Add(f)
	}
	return b.Layer()
}

func box(w, s, e, n float64) orb.Polygon {
	return orb.Polygon{{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}}}
}

// walk is a patrol at noon along a parallel.
func walk(from, to, lat float64, daysAgo int, country string) geo.Feature {
	f := geo.Feature{Properties: map[string]any{"mode": "foot", "country": country, "agency": "A", "sweep_width_m": 500.0}}
	line := orb.LineString{}
	at := now.AddDate(0, 0, -daysAgo).Add(4 * time.Hour)
	for lon := from; lon <= to+1e-9; lon += 0.01 {
		line = append(line, orb.Point{lon, lat})
		f.VertexTimes = append(f.VertexTimes, at)
		at = at.Add(15 * time.Minute)
	}
	f.Geometry, f.From, f.To = line, f.VertexTimes[0], f.VertexTimes[len(line)-1]
	return f
}

// layers are a border of 200 km along latitude 1 with incidents, patrols in its
// western half, two official crossings and two jurisdictions.
func layers(seed uint64, n int) []*geo.Layer {
	r := rand.New(rand.NewPCG(seed, 0))
	var incidents, tracks []geo.Feature
	for range n {
		at := now.Add(-time.Duration(r.IntN(900*24)) * time.Hour)
		incidents = append(incidents, geo.Feature{Geometry: orb.Point{110 + 1.8*r.Float64(), 0.9 + 0.2*r.Float64()}, From: at, To: at,
			Properties: map[string]any{"kind": "irr.exit"}})
	}
	for day := range 20 {
		tracks = append(tracks, walk(110.1, 110.9, 0.99+0.001*float64(day), day+1, "ID"))
	}
	crossing := func(lon float64, name, kind string) geo.Feature {
		return geo.Feature{Geometry: orb.Point{lon, 1}, Properties: map[string]any{"name": name, "kind": kind}}
	}
	return []*geo.Layer{
		layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary},
			geo.Feature{Geometry: orb.LineString{{110, 1}, {111.8, 1}}, Properties: map[string]any{"countries": "IDN-MYS"}}),
		layer(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident}, incidents...),
		layer(geo.LayerInfo{ID: "patrols", Kind: geo.KindPatrolTrack}, tracks...),
		layer(geo.LayerInfo{ID: "posts", Kind: geo.KindCrossing}, crossing(110.3, "West", "plbn"), crossing(111.4, "East", "plbn"), crossing(110.8, "Path", "jalan_tikus")),
		layer(geo.LayerInfo{ID: "areas", Kind: geo.KindArea},
			geo.Feature{Geometry: box(109, 0, 113, 1), Properties: map[string]any{"agency": "BC", "country": "ID", "powers": "customs"}},
			geo.Feature{Geometry: box(109, 1, 113, 2), Properties: map[string]any{"agency": "JIM", "country": "MY", "powers": "immigration"}}),
	}
}

func assess(t testing.TB, layers []*geo.Layer, change func(*risk.Model)) *risk.Assessment {
	t.Helper()
	m := risk.DefaultModel()
	m.Coasts = nil
	if change != nil {
		change(&m)
	}
	a, err := risk.Assess(context.Background(), risk.Inputs{Layers: layers, AsOf: now, Now: now}, m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func close(a, b, relative float64) bool {
	return math.Abs(a-b) <= relative*max(math.Abs(a), math.Abs(b), 1e-12)
}
