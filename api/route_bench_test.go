package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/api"
)

// BenchmarkRoutesOverHTTP times questions about routes through the handlers, over
// the built-in layers and the demo's patrols.
func BenchmarkRoutesOverHTTP(b *testing.B) {
	s := startWith(b, "", true, func(o *api.Options) { o.MaxBody = 64 << 20 })
	h := s.server.Handler()
	ask := func(path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Host = "localhost"
		if strings.Contains(body, "\n") {
			r.Header.Set("Content-Type", "application/geo+json-seq")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	run := func(name, path, body string) {
		b.Run(name, func(b *testing.B) {
			if w := ask(path, body); w.Code != 200 {
				b.Fatalf("%d %.300s", w.Code, w.Body)
			}
			for b.Loop() {
				ask(path, body)
			}
		})
	}
	r := rand.New(rand.NewPCG(1, 0))
	line := func(west, south float64) string {
		var points []string
		for k := range 41 {
			points = append(points, fmt.Sprintf("[%.5f,%.5f]", west+1.78*float64(k)/40, south+0.05*r.Float64()))
		}
		return `{"type":"LineString","coordinates":[` + strings.Join(points, ",") + `]}`
	}
	run("score_200km", "/v1/routes/score", line(109.65, 1.2))
	run("score_200km_summary", "/v1/routes/score?parts=false", line(109.65, 1.2))
	var batch strings.Builder
	for range 500 {
		batch.WriteString(line(109.5+6*r.Float64(), 1+3*r.Float64()) + "\n")
	}
	run("score_500_lines", "/v1/routes/score", batch.String())
	for range 9500 {
		batch.WriteString(line(109.5+6*r.Float64(), 1+3*r.Float64()) + "\n")
	}
	b.Run("score_10000_lines_job", func(b *testing.B) {
		for b.Loop() {
			w := ask("/v1/routes/score", batch.String())
			if w.Code != http.StatusAccepted {
				b.Fatalf("%d %.300s", w.Code, w.Body)
			}
			for done := false; !done; {
				time.Sleep(5 * time.Millisecond)
				got := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, w.Header().Get("Location"), nil)
				r.Host = "localhost"
				h.ServeHTTP(got, r)
				done = strings.Contains(got.Body.String(), `"status":"done"`)
			}
		}
	})
	far := `"from":[109.3,1.3],"to":[117.6,4.2]`
	run("find_across", "/v1/routes/find", `{`+far+`,"theta":"inf"}`)
	run("find_across_foot", "/v1/routes/find", `{`+far+`,"mode":"foot","theta":"inf"}`)
	run("find_k5", "/v1/routes/find", `{`+far+`,"k":5}`)
	run("find_front", "/v1/routes/find", `{"from":[110.2,0.9],"to":[110.6,1.3],"front":true}`)
	run("whatif", "/v1/routes/whatif", `{"add":{"posts":[{"at":[109.65,1.6],"country":"ID"}]}}`)
	run("whatif_displacement", "/v1/routes/whatif", `{"add":{"posts":[{"at":[109.65,1.6],"country":"ID"}]},"ways":{"origins":[[109.3,1.3],[109,0.9]],"destinations":[[110.35,1.55],[111.5,2]],"mode":["foot","motorcycle"]}}`)
}
