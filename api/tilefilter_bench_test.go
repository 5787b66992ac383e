package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/tiles"
)

// BenchmarkFilteredTile makes a tile of 100,000 points without a filter, with one
// that people ask for, and with the dearest that is let in.
func BenchmarkFilteredTile(b *testing.B) {
	l := geo.NewBuilder(geo.LayerInfo{ID: "cases", Kind: geo.KindIncident})
	for i := range 100_000 {
		at := clock.AddDate(0, 0, -i%1000)
		l.Add(geo.Feature{Geometry: orb.Point{109.7 + float64(i%317)/1000, 0.7 + float64(i%211)/1000}, From: at, To: at, Properties: map[string]any{
			"kind": []string{"irr.exit", "irr.entry", "mar.landing"}[i%3], "severity": float64(1 + i%5), "ref": fmt.Sprintf("ref-%07d", i)}})
	}
	layer := l.Layer()
	v, fields := tiles.NewVector(layer), data.FilterFields(data.Queryables(layer))
	for name, text := range map[string]string{
		"none": "", "usual": "kind IN ('irr.exit','mar.landing') AND severity >= 4 AND occurred_from > DATE('2025-01-01')",
		"dearest": strings.Repeat("ref LIKE '%9%9%9%x' OR ", 4) + "ref IN ('" + strings.Repeat("x','", 40) + "x') OR severity = 9",
	} {
		opt := tiles.DefaultMVTOptions()
		var filter *geo.Filter
		if text != "" {
			for i := range strings.Count(text, "x'") { // each another, or they are one
				text = strings.Replace(text, "x'", fmt.Sprintf("%d'", 1000+i), 1)
			}
			x, err := data.ParseFilter(data.CQL2Text, text, nil)
			if err == nil {
				x, err = data.TileFilter(x)
			}
			if err == nil {
				filter, err = geo.NewFilter(x, fields)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if filter != nil {
					opt.Keep = filter.Bind(layer)
				}
				if _, _, err := v.Tile(b.Context(), tiles.Tile{Z: 8, X: 206, Y: 127}, opt); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
