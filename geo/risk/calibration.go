package risk

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// ScoreBand is a tenth of the cells by forecast score, over all folds: what
// was expected there and what came.
type ScoreBand struct {
	Band     int     `json:"band"` // 1: the lowest tenth, 10: the highest
	Cells    int     `json:"cells"`
	Expected float64 `json:"expected"` // incidents
	Observed float64 `json:"observed"`
	// Low95 and High95 bound the observed number by the Poisson distribution.
	Low95  float64 `json:"low95"`
	High95 float64 `json:"high95"`
}

const bandCount = 10

// calibration collects expected and observed incidents by score.
type calibration struct{ sums [bandCount]ScoreBand }

func newCalibration() *calibration { return &calibration{} }

// add ranks the cells of one forecast into tenths; cells of equal score share
// what came to them.
func (c *calibration) add(f forecast, incidents []float64) {
	order := byScore(f.share)
	slices.Reverse(order)
	n := len(order)
	for start := 0; start < n; {
		end, came := start, 0.0
		for ; end < n && f.share[order[end]] == f.share[order[start]]; end++ {
			came += incidents[order[end]]
		}
		for at := start; at < end; at++ {
			b := &c.sums[min(bandCount-1, at*bandCount/n)]
			b.Cells++
			b.Expected += f.share[order[at]] * f.Chosen.Expected
			b.Observed += came / float64(end-start)
		}
		start = end
	}
}

func (c *calibration) bands() []ScoreBand {
	out := make([]ScoreBand, 0, bandCount)
	for i, b := range c.sums {
		b.Band = i + 1
		b.Low95, b.High95 = poissonInterval(b.Observed)
		out = append(out, b)
	}
	return out
}

// poissonInterval returns the 95 % interval of a Poisson mean of which n were
// seen: the 2.5 % point of Gamma(n) and the 97.5 % point of Gamma(n+1).
//
// Source: F. Garwood, Biometrika 28 (1936).
func poissonInterval(n float64) (low, high float64) {
	if n > 0 {
		low = distuv.Gamma{Alpha: n, Beta: 1}.Quantile(0.025)
	}
	return low, distuv.Gamma{Alpha: math.Max(n, 0) + 1, Beta: 1}.Quantile(0.975)
}
