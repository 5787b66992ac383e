package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// clustered is n incidents with the properties of an upload, in hot spots along
// a thousand kilometres of border.
func clustered(n int) *geo.Layer {
	r := rand.New(rand.NewPCG(7, 7))
	b := geo.NewBuilder(geo.LayerInfo{ID: "points", Kind: geo.KindIncident, Classification: "public", Version: 1})
	kinds := []string{"irr.entry", "irr.exit", "som.attempt", "som.transport", "mar.interception", "obs.hidden_boat"}
	var spots []orb.Point
	for range 60 {
		spots = append(spots, orb.Point{109.6 + 8*r.Float64(), 1 + r.Float64()})
	}
	for i := range n {
		s := spots[r.IntN(len(spots))]
		p := orb.Point{s[0] + .1*r.NormFloat64(), s[1] + .1*r.NormFloat64()}
		at := clock.Add(-time.Duration(r.IntN(3*365*24*60)) * time.Minute)
		b.Add(geo.Feature{Geometry: p, From: at, To: at, Properties: map[string]any{
			"kind": kinds[r.IntN(len(kinds))], "severity": float64(1 + r.IntN(5)), "external_id": fmt.Sprintf("INC-%07d", i), "medium": "land_path", "release": "national",
			"direction": "unknown", "stage": "unknown", "discovery": "unknown", "handling": "TLP:AMBER", "kind_confidence": "possible", "deaths": float64(r.IntN(3)),
		}})
	}
	return b.Layer()
}

// boxes are boxes of about a thousand of n features.
func boxes(l *geo.Layer, n int) (out []string) {
	r := rand.New(rand.NewPCG(1, 2))
	for len(out) < n {
		p, _ := l.Point(r.IntN(l.Len()))
		w := 0.001
		for ; ; w *= 1.3 {
			if b := (orb.Bound{Min: orb.Point{p[0] - w, p[1] - w}, Max: orb.Point{p[0] + w, p[1] + w}}); len(l.Window(b)) > 900 {
				out = append(out, fmt.Sprintf("%.6f,%.6f,%.6f,%.6f", b.Min[0], b.Min[1], b.Max[0], b.Max[1]))
				break
			}
		}
	}
	return out
}

// benchFeatures answers the addresses one after the other.
func benchFeatures(b *testing.B, h http.Handler, paths []string) {
	b.Helper()
	for i := range paths {
		serve(b, h, paths[i])
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		serve(b, h, paths[i%len(paths)])
	}
}

// BenchmarkFeatures asks a layer of a million points what dashboards ask.
func BenchmarkFeatures(b *testing.B) {
	l := clustered(1_000_000)
	h := handler(b, 1, l)
	var v1, ogc, near, within, filtered []string
	for _, box := range boxes(l, 50) {
		v1 = append(v1, "/v1/layers/points/features?limit=1000&bbox="+box)
		ogc = append(ogc, "/ogc/collections/points/items?limit=1000&bbox="+box)
		filtered = append(filtered, "/ogc/collections/points/items?limit=1000&bbox="+box+"&filter=severity%3E2+AND+kind+LIKE+%27irr.%25%27")
	}
	for i := range 50 {
		p, _ := l.Point(i * 19_999)
		near = append(near, fmt.Sprintf("/v1/layers/points/near?lon=%.6f&lat=%.6f&k=20", p[0], p[1]))
		within = append(within, fmt.Sprintf("/v1/layers/points/within?lon=%.6f&lat=%.6f&radius_m=2000&limit=1000", p[0], p[1]))
	}
	b.Run("bbox", func(b *testing.B) { benchFeatures(b, h, v1) })
	b.Run("items", func(b *testing.B) { benchFeatures(b, h, ogc) })
	b.Run("filtered", func(b *testing.B) { benchFeatures(b, h, filtered) })
	b.Run("near", func(b *testing.B) { benchFeatures(b, h, near) })
	b.Run("within", func(b *testing.B) { benchFeatures(b, h, within) })
	b.Run("page", func(b *testing.B) { benchFeatures(b, h, []string{"/ogc/collections/points/items?limit=1000"}) })
	b.Run("scan", func(b *testing.B) {
		var paths []string
		for i := range 40 {
			paths = append(paths, fmt.Sprintf("/ogc/collections/points/items?limit=10&filter=severity%%3E2+AND+kind+LIKE+%%27irr.%%25%%27+AND+deaths+%%3C+%d", 10+i))
		}
		benchFeatures(b, h, paths)
	})
}
