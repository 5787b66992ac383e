package gpkg

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

// benchRows is the size of the real incident file that the service is measured with.
const benchRows = 182_860

// points returns a layer of n dated points with six properties.
func points(n int) *geo.Layer {
	r := rand.New(rand.NewPCG(1, 2))
	b := geo.NewBuilder(geo.LayerInfo{ID: "incidents", Title: "Incidents", Kind: geo.KindIncident, Synthetic: true})
	t0 := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := t0.Add(time.Duration(r.IntN(3*365*24*3600)) * time.Second)
		b.Add(geo.Feature{
			ID:       fmt.Sprintf("case-%07d", i),
			Geometry: orb.Point{109 + 10*r.Float64(), -4 + 8*r.Float64()},
			From:     at, To: at,
			Properties: map[string]any{
				"kind":       [...]string{"mar.distress_sinking", "smg.goods", "tip.transport", "unknown"}[r.IntN(4)],
				"severity":   float64(1 + r.IntN(5)),
				"weight":     r.Float64(),
				"synthetic":  true,
				"precision":  [...]string{"exact", "day", "month"}[r.IntN(3)],
				"source_ref": fmt.Sprintf("report %d", r.IntN(20_000)),
			},
		})
	}
	return b.Layer()
}

func openBench(b *testing.B) *Store {
	s, err := Open(context.Background(), filepath.Join(b.TempDir(), "bench.gpkg"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

func commitBench(b *testing.B, s *Store, l *geo.Layer, mode data.Mode) {
	if _, err := s.Commit(context.Background(), data.Change{Info: l.Info, Mode: mode, Rows: l}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{benchRows, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := points(n)
			s := openBench(b)
			b.ResetTimer()
			for range b.N {
				commitBench(b, s, l, data.Replace)
				b.StopTimer()
				if err := s.Delete(context.Background(), l.Info.ID); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkReplace has a version to move to history and, from the fourth on,
// one to purge.
func BenchmarkReplace(b *testing.B) {
	l := points(benchRows)
	s := openBench(b)
	s.opts.KeepVersions = 3
	for range 3 {
		commitBench(b, s, l, data.Replace)
	}
	b.ResetTimer()
	for range b.N {
		commitBench(b, s, l, data.Replace)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openBench(b)
			l := points(benchRows)
			commitBench(b, s, l, data.Replace)
			next := int64(benchRows) + 1
			more := points(n)
			b.ResetTimer()
			for range b.N {
				rows := geo.NewBuilder(geo.LayerInfo{ID: l.Info.ID, NextFID: next})
				for row := range more.Len() {
					f := more.Feature(row)
					f.FID = 0
					next = rows.Add(f) + 1
				}
				commitBench(b, s, rows.Layer(), data.Append)
			}
		})
	}
}

// BenchmarkUpsert replaces rows of a layer of 182,860.
func BenchmarkUpsert(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openBench(b)
			commitBench(b, s, points(benchRows), data.Replace)
			more := points(n)
			b.ResetTimer()
			for range b.N {
				commitBench(b, s, more, data.Upsert)
			}
		})
	}
}

func BenchmarkRollback(b *testing.B) {
	s := openBench(b)
	commitBench(b, s, points(benchRows), data.Replace)
	b.ResetTimer()
	for version := range int64(b.N) {
		if _, err := s.Rollback(context.Background(), "incidents", version+1, data.Provenance{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{benchRows, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := openBench(b)
			commitBench(b, s, points(n), data.Replace)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				l, err := s.Load(context.Background(), "incidents")
				if err != nil || l.Len() != n {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "open.gpkg")
	for i := range b.N + 1 {
		s, err := Open(context.Background(), path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			commitBench(b, s, points(benchRows), data.Replace)
			b.ResetTimer()
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
