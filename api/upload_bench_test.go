package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// Small layers come in one after the other, as from many posts.
func BenchmarkUploadOfSmallLayers(b *testing.B) {
	s := start(b, "", false)
	var rows strings.Builder
	for i := range 50 {
		fmt.Fprintf(&rows, ",{\"type\":\"Feature\",\"id\":\"E%d\",\"geometry\":{\"type\":\"Point\",\"coordinates\":[%g,%g]},\"properties\":{\"kind\":\"irr.exit\",\"severity\":2,\"occurred_from\":\"2026-01-01T03:00:00Z\"}}", i, 110+float64(i)/10, 1+float64(i)/20)
	}
	body := `{"type":"FeatureCollection","features":[` + rows.String()[1:] + "]}"
	n := 0
	for b.Loop() {
		n++
		if a := s.put(fmt.Sprintf("/v1/layers/small-%d?kind=incident", n), "application/geo+json", body); a.status != 201 {
			b.Fatalf("%s", a.body)
		}
	}
}
