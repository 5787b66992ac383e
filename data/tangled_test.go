package data

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sempadan/sempadan/geo"
)

// An outline that crosses itself all over is named as a bad row; one with as many
// vertices that does not is taken.
func TestTangledOutlines(t *testing.T) {
	ring := func(n, step int) string {
		var b strings.Builder
		for k := range n + 1 {
			at := 2 * math.Pi * float64(k*step%n) / float64(n)
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "[%.7f,%.7f]", 110+5*math.Cos(at), 2+4.5*math.Sin(at))
		}
		return `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[` + b.String() + `]]}}`
	}
	const n = 20_011 // a prime
	for name, c := range map[string]struct {
		step  int
		taken bool
	}{"star": {n / 2, false}, "circle": {1, true}} {
		file := `{"type":"FeatureCollection","features":[` + ring(n, c.step) + `,{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[110,1]}}]}`
		l, report := mustImport(t, file, geo.KindArea)
		if got := l.Len() == 2; got != c.taken {
			t.Errorf("%s: %d rows taken, %+v", name, l.Len(), report.Rows)
		}
		if !c.taken && (len(report.Rows) != 1 || report.Rows[0].Code != "bad_geometry" || report.Rows[0].Row != 1) {
			t.Errorf("%s: %+v", name, report.Rows)
		}
	}
}
