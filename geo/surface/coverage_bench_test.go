package surface_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/surface"
)

// patrols makes a layer of tracks with a fix every ten seconds, 5,000 to a
// track, that wander at a speed from the Strait of Malacca to Sabah.
func patrols(mode string, speedMS float64, vertices int) *geo.Layer {
	const perTrack = 5000
	r := rand.New(rand.NewPCG(2, 2))
	box := orb.Bound{Min: orb.Point{99, -2}, Max: orb.Point{119, 8}}
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	stepDeg := speedMS * 10 / 111e3
	for k := range vertices / perTrack {
		at := orb.Point{box.Min[0] + 20*r.Float64(), box.Min[1] + 10*r.Float64()}
		heading := 2 * math.Pi * r.Float64()
		line := make(orb.LineString, perTrack)
		for i := range line {
			line[i] = at
			heading += (r.Float64() - .5) * .3
			next := orb.Point{at[0] + stepDeg*math.Cos(heading), at[1] + stepDeg*math.Sin(heading)}
			if !box.Contains(next) { // back into the box
				heading = math.Atan2(3-at[1], 109-at[0])
				next = orb.Point{at[0] + stepDeg*math.Cos(heading), at[1] + stepDeg*math.Sin(heading)}
			}
			at = next
		}
		start := asOf.Add(-time.Duration(24+r.IntN(600)) * time.Hour)
		b.Add(track(line, start, 10*time.Second, map[string]any{"mode": mode, "country": []string{"ID", "MY"}[k%2], "agency": fmt.Sprint(k % 5)}))
	}
	return b.Layer()
}

// Ten times the vertices over the same ground take nothing more from the heap,
// not even for a while.
func TestCoverageMemory(t *testing.T) {
	tracks := patrols("sea_boat", 12, 100_000)
	took := func(times int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		cells := 0
		surface.NewCoverage(surface.CoverageInputs{AsOf: asOf, Tracks: slices.Repeat([]*geo.Layer{tracks}, times)},
			surface.DefaultCoverageModel()).Cells().Each(func(surface.Cell, *surface.Effort) { cells++ })
		runtime.ReadMemStats(&after)
		if cells == 0 {
			t.Fatal("nothing was covered")
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	once, often := took(1), took(10)
	t.Logf("100,000 vertices: %.1f MB; 1,000,000: %.1f MB", float64(once)/1e6, float64(often)/1e6)
	if float64(often) > 1.02*float64(once) {
		t.Errorf("%d bytes for 100,000 vertices, %d for ten times as many", once, often)
	}
}

// Coverage of a million and of ten million vertices by mode, with what is kept
// of the heap; run with -benchtime 1x. B/op and heap-MB are of the cells passed
// or seen: where a mode has been nearly everywhere, they do not grow.
func BenchmarkCoverageVertices(b *testing.B) {
	for _, vertices := range []int{1_000_000, 10_000_000} {
		for _, patrol := range []struct {
			mode    string
			speedMS float64
		}{{"foot", 1.2}, {"vehicle", 15}, {"sea_boat", 12}, {"aircraft", 55}} {
			b.Run(fmt.Sprintf("%s/%dM", patrol.mode, vertices/1_000_000), func(b *testing.B) {
				tracks := patrols(patrol.mode, patrol.speedMS, vertices)
				var c *surface.Coverage
				before := heapBytes()
				b.ReportAllocs()
				cpu := cpuSeconds(b)
				for b.Loop() {
					c = cover(tracks, nil)
				}
				b.ReportMetric((cpuSeconds(b)-cpu)/float64(b.N), "cpu-s")
				b.ReportMetric(float64(heapBytes()-before)/1e6, "heap-MB")
				runtime.KeepAlive(c)
				runtime.KeepAlive(tracks)
			})
		}
	}
}

// cpuSeconds is what the process has used of all processors.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
