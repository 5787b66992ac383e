package risk

import (
	"cmp"
	"math"
	"slices"
)

// Accuracy judges a choice of cells by the incidents that came after.
type Accuracy struct {
	AreaShare float64 `json:"area_share"` // a/A
	Hits      float64 `json:"hits"`       // n, incidents in the chosen cells
	// HitRate is n/N, PAI (n/N)/(a/A), the prediction accuracy index; NaN
	// without incidents.
	HitRate float64 `json:"hit_rate"`
	PAI     float64 `json:"pai"`
	// PEI, the prediction efficiency index, is n over the most that as many
	// cells of equal area could hit; NaN with unequal areas.
	PEI float64 `json:"pei"`
}

// JudgeCells chooses the k cells of highest score, of equal ones the earlier,
// and judges the choice. areas are in any one unit.
//
// Source: S. Chainey, L. Tompson, S. Uhlig, The utility of hotspot mapping for
// predicting spatial patterns of crime, Security Journal 21 (2008) for PAI;
// J. Hunt, Do crime hot spots move?, thesis, American University (2016) for PEI.
func JudgeCells(scores, incidents, areas []float64, k int) (chosen []int, a Accuracy) {
	order := byScore(scores)
	chosen = order[:min(k, len(order))]
	total, area, chosenArea := 0.0, 0.0, 0.0
	equal := true
	for i, n := range incidents {
		total += n
		area += areas[i]
		equal = equal && areas[i] == areas[0]
	}
	for _, c := range chosen {
		a.Hits += incidents[c]
		chosenArea += areas[c]
	}
	a.AreaShare = chosenArea / area
	a.HitRate, a.PAI, a.PEI = math.NaN(), math.NaN(), math.NaN()
	if total == 0 {
		return chosen, a
	}
	a.HitRate = a.Hits / total
	a.PAI = a.HitRate / a.AreaShare
	if equal {
		most := 0.0
		for _, c := range byScore(incidents)[:len(chosen)] {
			most += incidents[c]
		}
		a.PEI = a.Hits / most
	}
	return chosen, a
}

// byScore orders cells by falling score, equal ones by number.
func byScore(scores []float64) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	return order
}

// ExpectedHits returns the incidents that each share of equal cells hits when
// the cells of highest score are chosen first: with n cells a share s is s × n
// cells, the last in part, and a group of equal scores that is chosen in part
// gives that part of its incidents, the expected value of a random choice.
// Scores are equal that agree to 1e-12 of the top one. The result does not
// depend on the order of the cells. O(n log n).
func ExpectedHits(scores, incidents, shares []float64) []float64 {
	top := 0.0
	for _, v := range scores {
		top = max(top, math.Abs(v))
	}
	if top == 0 {
		top = 1
	}
	rounded := make([]float64, len(scores))
	for i, v := range scores {
		rounded[i] = math.RoundToEven(v / top * 1e12)
	}
	order := byScore(rounded)
	hits := make([]float64, len(shares))
	for start := 0; start < len(order); {
		end, inGroup := start, 0.0
		for ; end < len(order) && rounded[order[end]] == rounded[order[start]]; end++ {
			inGroup += incidents[order[end]]
		}
		for k, s := range shares {
			part := (s*float64(len(order)) - float64(start)) / float64(end-start)
			hits[k] += inGroup * min(1, max(0, part))
		}
		start = end
	}
	return hits
}
