package main

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/route"
)

// wholeBorder is the built-in layers with a month of invented patrols.
func wholeBorder(b *testing.B) *risk.Assessment {
	b.Helper()
	asOf := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	demo, err := layers.Demo(layers.DemoOptions{AsOf: asOf, Days: 30})
	if err != nil {
		b.Fatal(err)
	}
	all := append([]*geo.Layer{}, demo...)
	for _, info := range layers.Builtin() {
		l, err := layers.Load(info.ID)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, l)
	}
	a, err := risk.Assess(context.Background(), risk.Inputs{Layers: all, Now: asOf}, risk.DefaultModel())
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkRouteWholeBorder times every stage over the default domain at 1 km.
func BenchmarkRouteWholeBorder(b *testing.B) {
	ctx := context.Background()
	a := wholeBorder(b)
	g, err := route.NewGraph(ctx, a, route.DefaultGraphOptions())
	if err != nil {
		b.Fatal(err)
	}
	nodes, landings := g.Nodes()
	b.Logf("%d nodes, %d landings, box %v", nodes, landings, g.Box())
	west, east := orb.Point{109.3, 1.3}, orb.Point{117.6, 4.2}
	sumatra := orb.Point{98.7, 3.7}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			before := cpuTime()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
	run("graph", func() error { _, err := route.NewGraph(ctx, a, route.DefaultGraphOptions()); return err })
	for _, q := range []struct {
		name  string
		query route.Query
	}{
		{"foot", route.Query{From: west, To: east, Modes: []string{"foot"}}},
		{"motorcycle", route.Query{From: west, To: east, Modes: []string{"motorcycle"}}},
		{"all", route.Query{From: sumatra, To: east, Modes: []string{"foot", "motorcycle", "river_boat", "sea_boat"}}},
	} {
		for theta, name := range map[float64]string{0: "fastest", 100: "100", math.Inf(1): "least_met"} {
			query := q.query
			query.Theta = theta
			run("find/"+q.name+"/"+name, func() error { _, err := g.Find(ctx, query); return err })
		}
		query := q.query
		query.Theta = 100
		run("alternatives/"+q.name, func() error {
			w, err := g.Alternatives(ctx, query, route.DefaultAlternatives())
			if err == nil && len(w.Ways) < 5 {
				b.Logf("%s: %d ways", q.name, len(w.Ways))
			}
			return err
		})
		atHour := query
		atHour.Depart = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
		run("find_by_hour/"+q.name, func() error { _, err := g.Find(ctx, atHour); return err })
		run("corridor/"+q.name, func() error { _, err := g.Corridor(ctx, query, route.DefaultCorridor()); return err })
	}
	ends := route.MatrixQuery{Origins: []orb.Point{west, {109.0, 0.9}}, Destinations: []orb.Point{{110.35, 1.55}, {111.5, 2}}, Modes: []string{"foot", "motorcycle", "sea_boat"}, Theta: 100, Stretch: 1.5}
	run("matrix", func() error { _, err := g.Matrix(ctx, ends); return err })
	post := geo.NewBuilder(geo.LayerInfo{ID: "thought", Kind: geo.KindPost})
	post.Add(geo.Feature{Geometry: orb.Point{109.65, 1.6}, Properties: map[string]any{"country": "ID"}})
	change := risk.Change{Add: []*geo.Layer{post.Layer()}}
	run("what_if", func() error { _, err := route.WhatIf(ctx, a, change, route.WhatIfOptions{}); return err })
	coarse := route.DefaultGraphOptions()
	coarse.CellM = 2500
	wide, err := route.NewGraph(ctx, a, coarse)
	if err != nil {
		b.Fatal(err)
	}
	for name, g := range map[string]*route.Graph{"1km": g, "2.5km": wide} {
		before, err := g.Matrix(ctx, ends)
		if err != nil {
			b.Fatal(err)
		}
		run("what_if_displacement/"+name, func() error {
			_, err := route.WhatIf(ctx, a, change, route.WhatIfOptions{Graph: g, Ways: ends, Spread: 0.1, Before: before})
			return err
		})
	}
}

// BenchmarkRouteScoreWholeBorder scores lines of 200 km with 41 vertices anywhere
// along the border on Borneo; the blocks of cells are made before.
func BenchmarkRouteScoreWholeBorder(b *testing.B) {
	ctx := context.Background()
	a := wholeBorder(b)
	r := rand.New(rand.NewPCG(1, 0))
	lines := make([]orb.LineString, 10_000)
	for i := range lines {
		west, south := 109.5+6*r.Float64(), 1+3*r.Float64()
		for k := range 41 {
			lines[i] = append(lines[i], orb.Point{west + 1.78*float64(k)/40, south + 0.05*r.Float64()})
		}
	}
	if _, err := route.ScoreAll(ctx, a, lines, route.DefaultOptions()); err != nil {
		b.Fatal(err)
	}
	near := orb.LineString{}
	for k := range 41 {
		near = append(near, orb.Point{109.65 + 1.78*float64(k)/40, 1.2 + 0.05*r.Float64()})
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			if _, err := route.ScoreLine(ctx, a, near, route.DefaultOptions()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("10000", func(b *testing.B) {
		before := cpuTime()
		defer func() { b.ReportMetric(float64((cpuTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }()
		for b.Loop() {
			if _, err := route.ScoreAll(ctx, a, lines, route.DefaultOptions()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
