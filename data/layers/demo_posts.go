package layers

import (
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// postPlan is a post to invent: where it looks over, and for how long.
type postPlan struct {
	country, agency, near string
	at                    orb.Point
	radiusM               float64
	openedDaysAgo         int
	closedDaysAgo         int // 0: still open
}

func postPlans() []postPlan {
	const land, coast = 1200, 6000
	areas := map[string]orb.Point{}
	for _, a := range Areas() {
		areas[a.ID] = a.Point
		areas[a.Counterpart.Name] = a.Counterpart.Point
	}
	batam, johor, kukup := orb.Point{104.10, 1.19}, orb.Point{104.09, 1.37}, orb.Point{103.44, 1.32}
	tarempa := orb.Point{106.22, 3.21}
	klang, asahan, dumai := orb.Point{101.39, 3.0}, orb.Point{99.8, 2.97}, orb.Point{101.44, 1.67}
	return []postPlan{
		{"ID", "TNI-PAMTAS", "Entikong", areas["entikong"], land, 900, 0},
		{"ID", "IMI", "Entikong", areas["entikong"], land, 1500, 0},
		{"MY", "ATM-TDM", "Tebedu", areas["Tebedu"], land, 900, 0},
		{"MY", "PGA", "Tebedu", areas["Tebedu"], land, 700, 0},
		{"ID", "TNI-PAMTAS", "Aruk", areas["aruk"], land, 900, 0},
		{"MY", "PGA", "Biawak", areas["Biawak"], land, 20, 0},
		{"ID", "TNI-PAMTAS", "Jagoi Babang", areas["jagoi-babang"], land, 800, 0},
		{"ID", "TNI-PAMTAS", "Nanga Badau", areas["nanga-badau"], land, 1100, 60},
		{"MY", "ATM-TDM", "Lubok Antu", areas["Lubok Antu"], land, 600, 0},
		{"ID", "TNI-PAMTAS", "Long Midang", areas["long-midang"], land, 800, 0},
		{"MY", "ATM-TDM", "Ba'kelalan", areas["Ba'kelalan"], land, 800, 0},
		{"ID", "POLAIRUD", "Nunukan", areas["nunukan"], coast, 1000, 0},
		{"ID", "TNI-AL", "Sei Nyamuk", areas["sei-nyamuk"], coast, 1000, 0},
		{"MY", "PPM", "Tawau", areas["Tawau"], coast, 1200, 0},
		{"MY", "ESSCOM", "Tawau", areas["Tawau"], coast, 1200, 0},
		{"ID", "POLAIRUD", "Batam", batam, coast, 1000, 0},
		{"MY", "APMM/MMEA", "Tanjung Pengelih", johor, coast, 1000, 0},
		{"MY", "PPM", "Kukup", kukup, coast, 1000, 0},
		{"MY", "APMM/MMEA", "Port Klang", klang, coast, 1000, 0},
		{"ID", "POLAIRUD", "Asahan", asahan, coast, 1000, 0},
		{"ID", "TNI-AL", "Dumai", dumai, coast, 1000, 0},
		{"ID", "TNI-AL", "Tarempa", tarempa, coast, 1000, 0},
	}
}

// posts places each post on the nearest ground of its own country, a little
// off the named point. An open post is valid up to AsOf.
func (d *demo) posts() iter.Seq[geo.Feature] {
	return func(yield func(geo.Feature) bool) {
		rng := d.random(streamPosts)
		for i, p := range postPlans() {
			own := func(q orb.Point) bool { return d.land.At(q) == p.country }
			at, found := near(move(p.at, rng.Float64()*360, 1.5*math.Sqrt(rng.Float64())), 20, own)
			if !found {
				continue
			}
			f := geo.Feature{
				ID:       fmt.Sprintf("demo-post-%03d", i+1),
				Geometry: at,
				From:     daysBefore(d.opts.AsOf, p.openedDaysAgo),
				To:       daysBefore(d.opts.AsOf, p.closedDaysAgo),
				Properties: map[string]any{
					"name":   fmt.Sprintf("%s post near %s (synthetic)", p.agency, p.near),
					"agency": p.agency, "country": p.country, "radius_m": p.radiusM, "synthetic": true,
				},
			}
			if !yield(f) {
				return
			}
		}
	}
}

func daysBefore(t time.Time, days int) time.Time { return t.AddDate(0, 0, -days) }
