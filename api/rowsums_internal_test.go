package api

import (
	"fmt"
	"net/http"
	"testing"
)

// Many small reads take a second person as one large one does, whatever way they
// go; the same rows again are no more.
func TestSmallReadsAddUp(t *testing.T) {
	g := newGuarded(t)
	g.want(201, "polri", "PUT", "/v1/layers/many?kind=incident", manyRows(1800))
	box := func(k int) string {
		return fmt.Sprintf("bbox=109,%.3f,111,%.3f", 1.095+0.01*float64(k), 1.105+0.01*float64(k))
	}
	for range 3 {
		g.want(200, "polri", "GET", "/v1/layers/many/features?"+box(0), "") // 900 rows
	}
	g.want(200, "polri", "GET", "/v1/layers/many/near?lon=109.5&lat=1.11&k=100", "")
	for _, path := range []string{
		"/v1/layers/many/features?" + box(1), "/v1/layers/many/features?limit=900&" + box(1), "/ogc/collections/many/items?limit=900&" + box(1),
		"/v1/layers/many/within?lon=110&lat=1.11&radius_m=40000", "/tiles/layers/many/8/206/127.mvt", "/ogc/collections/many/tiles/WebMercatorQuad/8/127/206",
	} {
		if w := g.do("polri", "GET", path, ""); w.Code != http.StatusAccepted {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	g.want(200, "imi", "GET", "/v1/layers/many/features?"+box(1), "") // each person for themselves
	// One approval opens the map for a day.
	ask := g.held("polri", "GET", "/tiles/layers/many/8/206/127.mvt", "")
	g.want(200, "imi", "POST", "/v1/approvals/"+ask, yes)
	g.want(200, "polri", "GET", "/tiles/layers/many/8/206/127.mvt", "")
	g.want(200, "polri", "GET", "/tiles/layers/many/7/103/63.mvt", "")
	g.now = g.now.Add(drawWithin)
	if again := g.held("polri", "GET", "/tiles/layers/many/8/206/127.mvt", ""); again == ask {
		t.Error("the map is open for more than a day")
	}
	g.want(200, "polri", "GET", "/v1/layers/many/features?"+box(1), "")
}
