package risk_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/sempadan/sempadan/geo/risk"
)

// testdata/pai.json was computed by other tools.
func TestGoldenPAI(t *testing.T) {
	raw, err := os.ReadFile("testdata/pai.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Tolerance float64 `json:"abs_tolerance"`
		Cases     []struct {
			Name         string
			Risk, Actual []float64
			Areas        []float64 `json:"area_km2"`
			Rows         []struct {
				K        int `json:"k_cells"`
				Selected []int
				Area     float64 `json:"area_fraction"`
				Hits     float64
				HitRate  *float64 `json:"hit_rate"`
				PAI, PEI *float64
			}
		}
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	same := func(got float64, want *float64) bool {
		if want == nil {
			return math.IsNaN(got)
		}
		return math.Abs(got-*want) <= golden.Tolerance
	}
	for _, c := range golden.Cases {
		for _, row := range c.Rows {
			chosen, got := risk.JudgeCells(c.Risk, c.Actual, c.Areas, row.K)
			if !slices.Equal(chosen, row.Selected) {
				t.Errorf("%s, %d cells: %v; want %v", c.Name, row.K, chosen, row.Selected)
			}
			if !same(got.AreaShare, &row.Area) || !same(got.Hits, &row.Hits) || !same(got.HitRate, row.HitRate) || !same(got.PAI, row.PAI) || !same(got.PEI, row.PEI) {
				t.Errorf("%s, %d cells: %+v; want %+v", c.Name, row.K, got, row)
			}
		}
	}
}

// Worked by hand: ten cells with 4 incidents in all.
func TestExpectedHits(t *testing.T) {
	incidents := []float64{3, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	flat := make([]float64, 10)
	three := []float64{1, 1, 1, 0, 0, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		name                 string
		scores, shares, want []float64
	}{
		{"all equal: the expected value of a random choice", flat, []float64{0.1, 0.5, 1}, []float64{0.4, 2, 4}},
		{"half of a cell gives half of what is in it", incidents, []float64{0.05, 0.1, 0.2, 0.5}, []float64{1.5, 3, 4, 4}},
		{"a third of three equal cells", three, []float64{0.1, 0.3}, []float64{4. / 3, 4}},
	} {
		got := risk.ExpectedHits(c.scores, incidents, c.shares)
		for k := range got {
			if math.Abs(got[k]-c.want[k]) > 1e-12 {
				t.Errorf("%s: %v; want %v", c.name, got, c.want)
			}
		}
	}
}

// The order of the cells changes nothing, and no scores hit more than the
// incidents themselves.
func TestExpectedHitsProperties(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		n := 1 + rng.IntN(300)
		scores, incidents := make([]float64, n), make([]float64, n)
		for i := range scores {
			scores[i], incidents[i] = float64(rng.IntN(5))/3, float64(rng.IntN(4))
		}
		before := risk.ExpectedHits(scores, incidents, risk.AreaShares())
		oracle := risk.ExpectedHits(incidents, incidents, risk.AreaShares())
		rng.Shuffle(n, func(i, j int) {
			scores[i], scores[j] = scores[j], scores[i]
			incidents[i], incidents[j] = incidents[j], incidents[i]
		})
		after := risk.ExpectedHits(scores, incidents, risk.AreaShares())
		for k := range before {
			if math.Abs(before[k]-after[k]) > 1e-9 || before[k] > oracle[k]+1e-9 {
				t.Fatalf("seed %d: %v, shuffled %v, at most %v", seed, before, after, oracle)
			}
		}
	}
}
