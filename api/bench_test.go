package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sempadan/sempadan/api"
	"github.com/sempadan/sempadan/data/gpkg"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// city is n incidents in and round forty centres within a quarter of a degree,
// a third of them at repeated addresses.
func city(n int) *geo.Layer {
	r := rand.New(rand.NewPCG(1, 1))
	b := geo.NewBuilder(geo.LayerInfo{ID: "city", Kind: geo.KindIncident, Classification: "public", Version: 1})
	var centres []orb.Point
	for range 40 {
		centres = append(centres, orb.Point{-90.26 + .2*(r.Float64()-.5), 38.65 + .2*(r.Float64()-.5)})
	}
	var seen []orb.Point
	for range n {
		c := centres[r.IntN(len(centres))]
		p := orb.Point{c[0] + .01*r.NormFloat64(), c[1] + .01*r.NormFloat64()}
		if len(seen) > 0 && r.IntN(3) == 0 {
			p = seen[r.IntN(len(seen))]
		}
		seen = append(seen, p)
		b.Add(geo.Feature{Geometry: p, From: clock, To: clock, Properties: map[string]any{"kind": "irr.exit"}})
	}
	return b.Layer()
}

func handler(b *testing.B, cacheBytes int64, ls ...*geo.Layer) http.Handler {
	b.Helper()
	store, err := gpkg.Open(context.Background(), filepath.Join(b.TempDir(), "s.gpkg"), gpkg.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	s, err := api.New(context.Background(), api.Options{
		Store: store, Builtin: ls, Model: risk.DefaultModel(), Now: func() time.Time { return clock },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry(), TileCacheBytes: cacheBytes,
	})
	if err != nil {
		b.Fatal(err)
	}
	return s.Handler()
}

// tilePaths are the density tiles with a radius of 20 pixels, true metres, that
// the city touches, zoom 8 to 14.
func tilePaths() (out []string) {
	for z := 8; z <= 14; z++ {
		n := math.Exp2(float64(z))
		at := func(lon, lat float64) (int, int) {
			s := math.Sin(lat * math.Pi / 180)
			return int((lon/360 + .5) * n), int((0.5 - math.Log((1+s)/(1-s))/(4*math.Pi)) * n)
		}
		x0, y0 := at(-90.36, 38.75)
		x1, y1 := at(-90.16, 38.55)
		radius := 20 * 2 * math.Pi * 6378137 / n / 256 * math.Cos(38.65*math.Pi/180)
		for x := x0; x <= x1; x++ {
			for y := y0; y <= y1; y++ {
				out = append(out, fmt.Sprintf("/tiles/density/%d/%d/%d.png?bandwidth_m=%.3f", z, x, y, radius))
			}
		}
	}
	return out
}

func serve(b *testing.B, h http.Handler, path string) time.Duration {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	w := httptest.NewRecorder()
	start := time.Now()
	h.ServeHTTP(w, r)
	took := time.Since(start)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return took
}

// BenchmarkColdTile draws tiles that are in no cache over 182,860 incidents;
// the median and the slowest are reported beside the mean.
func BenchmarkColdTile(b *testing.B) {
	h := handler(b, 1, city(182_860))
	paths := tilePaths()
	for _, p := range paths {
		serve(b, h, p) // the aggregates of each zoom are resident
	}
	var all []time.Duration
	b.ResetTimer()
	for i := range b.N {
		all = append(all, serve(b, h, paths[i*37%len(paths)]))
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(all[len(all)-1].Microseconds())/1000, "slowest-ms")
}

func BenchmarkCachedTile(b *testing.B) {
	h := handler(b, 0, city(182_860))
	path := tilePaths()[0]
	serve(b, h, path)
	b.ResetTimer()
	for range b.N {
		serve(b, h, path)
	}
}

// BenchmarkUploadToTile is one upload of a thousand incidents beside 182,860,
// to the changed tile.
func BenchmarkUploadToTile(b *testing.B) {
	h := handler(b, 0, city(182_860))
	body := incidentsCSV(1000)
	b.ResetTimer()
	for i := range b.N {
		r := httptest.NewRequest(http.MethodPut, fmt.Sprintf("/v1/layers/new%d?kind=incident", i%3), nil)
		r.Body = io.NopCloser(strings.NewReader(body))
		r.Header.Set("Content-Type", "text/csv")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 300 {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
		serve(b, h, "/tiles/density/8/206/127.png")
	}
}
