package api

import (
	"fmt"
	"net/http"
	"testing"
)

// Nobody reads more rows than the budget by asking for few at a time, or for the
// tiles of low zooms: each way is charged, and ends at the budget.
func TestNoReadEvadesTheBudget(t *testing.T) {
	x, y, _, _ := tileAt([2]float64{109.6, 1.1}, 3)
	low := fmt.Sprintf("3/%d/%d", x, y)
	for _, path := range []string{
		"/v1/layers/cases/features?limit=100", "/v1/layers/cases/features?bbox=109.5,1.0,109.6,1.2", "/v1/layers/cases/near?lon=109.5&lat=1.1&k=100",
		"/v1/layers/cases/within?lon=109.55&lat=1.1&radius_m=5000&limit=100", "/v1/layers/cases/features/M7",
		"/tiles/layers/cases/" + low + ".mvt", "/tiles/layers/cases/0/0/0.mvt",
		fmt.Sprintf("/ogc/collections/cases/tiles/WebMercatorQuad/3/%d/%d", y, x), fmt.Sprintf("/ogc/tiles/WebMercatorQuad/3/%d/%d", y, x),
		"/v1/layers/cases/features?format=csv&bbox=109.5,1.0,109.6,1.2",
	} {
		g := newAudited(t, AuditOptions{Budget: ReadBudget{Hour: 2000, Day: 4000}})
		g.want(201, "polri", "PUT", "/v1/layers/cases?kind=incident", manyRows(900))
		first := g.do("polri", "GET", path, "")
		entries := g.log()
		rows := entries[len(entries)-1].Count
		if first.Code != http.StatusOK || rows < 1 {
			t.Errorf("%s: %d, charged %d", path, first.Code, rows)
			continue
		}
		asked := 1
		if rows == 1 { // of many requests for one row the last are told here
			g.s.audit.budgets.take(entries[len(entries)-1].Actor, 1997, g.now)
		}
		for ; asked < 40; asked++ {
			if w := g.do("polri", "GET", path, ""); w.Code == http.StatusTooManyRequests {
				break
			}
		}
		if limit := 2000/int(rows) + 1; asked == 40 || rows > 1 && asked > limit {
			t.Errorf("%s: %d requests of %d rows each came through", path, asked, rows)
		}
		t.Logf("%s: %d rows each, refused after %d", path, rows, asked)
		g.want(429, "polri", "GET", "/v1/layers/cases/features?limit=1000", "")
	}
}
