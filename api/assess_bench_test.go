package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// defaultBorder is the built-in layers with the demo's incidents and patrols,
// those repeated an hour later until there are so many tracks.
func defaultBorder(b *testing.B, incidents, tracks int) (in risk.Inputs, demo *geo.Layer) {
	b.Helper()
	in.AsOf = clock
	for _, info := range layers.Builtin() {
		l, err := layers.Load(info.ID)
		if err != nil {
			b.Fatal(err)
		}
		in.Layers = append(in.Layers, l)
	}
	all, err := layers.Demo(layers.DemoOptions{Seed: 1, Incidents: incidents, AsOf: clock})
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range all {
		switch l.Info.Kind {
		case geo.KindPatrolTrack:
			more := geo.NewBuilder(l.Info)
			for k := 0; k < tracks; k++ {
				f := l.Feature(k % l.Len())
				late := -time.Duration(k/l.Len()) * time.Hour
				f.FID, f.ID, f.From, f.To = 0, "", f.From.Add(late), f.To.Add(late)
				times := make([]time.Time, len(f.VertexTimes))
				for i, t := range f.VertexTimes {
					times[i] = t.Add(late)
				}
				f.VertexTimes = times
				more.Add(f)
			}
			l = more.Layer()
		case geo.KindIncident:
			demo = l
		}
		in.Layers = append(in.Layers, l)
	}
	return in, demo
}

// BenchmarkAssessBorder is an assessment of the default domain with 100,000
// incidents and 10,000 patrol tracks, from nothing and after an upload of 100.
func BenchmarkAssessBorder(b *testing.B) {
	in, demo := defaultBorder(b, 100_000, 10_000)
	assess := func() *risk.Assessment {
		a, err := risk.Assess(context.Background(), in, risk.DefaultModel())
		if err != nil {
			b.Fatal(err)
		}
		return a
	}
	b.Run("from nothing", func(b *testing.B) {
		for b.Loop() {
			assess()
		}
	})
	b.Run("after 100 more", func(b *testing.B) {
		in.Previous = assess()
		at := 0
		for i, l := range in.Layers {
			if l == demo {
				at = i
			}
		}
		for b.Loop() {
			b.StopTimer()
			info := demo.Info
			info.Version, info.NextFID = in.Layers[at].Info.Version+1, int64(in.Layers[at].Len()+1)
			more := geo.NewBuilder(info)
			for k := range 100 {
				f := demo.Feature(k * 7)
				f.FID, f.ID = 0, ""
				more.Add(f)
			}
			in.Layers[at] = in.Layers[at].Append(more.Layer())
			b.StartTimer()
			in.Previous = assess()
		}
	})
}
