package plan

import (
	"math"

	"github.com/sempadan/sempadan/geo/risk"
)

// Residual is what is left of a section before and after a plan, in expected
// incidents of the window.
type Residual struct {
	Section string        `json:"section_id"`
	Before  risk.Estimate `json:"before"`
	After   risk.Estimate `json:"after"`
}

// residuals adds up what is left, by section in the order of the pieces. The
// lower end after the plan is that of the pieces with the high sweep widths, the
// upper end that with the low ones.
func (r *roster) residuals() []Residual {
	low := r.exposed(func(u Unit) float64 { return u.SweepLowM })
	high := r.exposed(func(u Unit) float64 { return u.SweepHighM })
	at := map[string]int{}
	out := []Residual{}
	for i, p := range r.Pieces {
		k, seen := at[p.Section]
		if !seen {
			k = len(out)
			at[p.Section] = k
			out = append(out, Residual{Section: p.Section})
		}
		out[k].Before = plus(out[k].Before, p.Expected)
		out[k].After = plus(out[k].After, risk.Estimate{
			Mean: p.Expected.Mean * r.share(i, r.exposure),
			Lo80: p.Expected.Lo80 * r.share(i, high),
			Hi80: p.Expected.Hi80 * r.share(i, low),
		})
	}
	return out
}

// share is the share of a piece's incidents that exposures leave unmet.
func (r *roster) share(piece int, exposure []float64) float64 {
	left, expected := 0.0, 0.0
	exposed := r.row(exposure, piece)
	for h, v := range r.row(r.expected, piece) {
		left += v * math.Exp(-exposed[h])
		expected += v
	}
	if expected == 0 {
		return 1
	}
	return left / expected
}

// exposed is the roster's exposure with other sweep widths; 0 keeps a unit's own.
func (r *roster) exposed(widthM func(Unit) float64) []float64 {
	out := make([]float64, len(r.exposure))
	for _, s := range r.sorties {
		u := r.Units[r.teams[s.team].unit]
		factor := 1.0
		if w := widthM(u); w > 0 {
			factor = w / u.SweepWidthM
		}
		r.expose(s, func(i int, e float64) { out[i] += factor * e })
	}
	return out
}
