package surface_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sempadan/sempadan/geo/surface"
)

func viewerRule() surface.ReleaseRule {
	return surface.ReleaseRule{Levels: []int{13, 12, 11}, Least: 10}
}

// someRecords is records round some centres, most of them alone.
func someRecords(seed uint64, n int) (out []surface.ReleaseRecord) {
	r := rand.New(rand.NewPCG(seed, 9))
	for range n {
		lon, lat, spread := 109+2*r.Float64(), 1+r.Float64(), 0.001
		if r.IntN(3) > 0 {
			lon, lat, spread = 109+float64(r.IntN(6))/4, 1.5, 0.08
		}
		out = append(out, surface.ReleaseRecord{Lon: lon + spread*r.NormFloat64(), Lat: lat + spread*r.NormFloat64(),
			Day: int32(r.IntN(900)), Kind: "irr.exit", Source: []string{"A", "B", "C"}[r.IntN(3)]})
	}
	return out
}

// Against the definition, on random records: a cell that is shown has enough
// incidents that no cell inside it that is shown has, and what is not shown
// would nowhere be enough.
func TestReleaseAgainstDefinition(t *testing.T) {
	for seed := range uint64(30) {
		rule := viewerRule()
		records := someRecords(seed, 40+int(seed)*40)
		shown := rule.Apply(rule.Groups(records))
		cellsOf := func(e surface.ReleaseRecord) (out []surface.ReleaseCell) {
			for _, level := range rule.Levels {
				g := surface.ReleaseRule{Levels: []int{level}}.Groups([]surface.ReleaseRecord{e})
				out = append(out, g[0].Cell)
			}
			return out
		}
		left := map[surface.ReleaseCell]int{}
		counted := map[surface.ReleaseCell]int{}
		has := map[surface.ReleaseCell]int{}
		for _, g := range shown {
			has[g.Cell] = g.N
		}
		for _, e := range records {
			cells := cellsOf(e)
			at := slices.IndexFunc(cells, func(c surface.ReleaseCell) bool { return has[c] > 0 })
			if at < 0 {
				left[cells[len(cells)-1]]++
				continue
			}
			counted[cells[at]]++
		}
		for _, g := range shown {
			if g.N < rule.Least || counted[g.Cell] != g.N {
				t.Errorf("seed %d: %+v shows %d, of which %d are in no cell inside", seed, g.Cell, g.N, counted[g.Cell])
			}
		}
		for c, n := range left {
			if n >= rule.Least {
				t.Errorf("seed %d: %d incidents of %+v are dropped", seed, n, c)
			}
		}
	}
}

// A rule for fewer roles shows sums of what the rule for more shows: taking one
// from the other leaves none or enough.
func TestReleaseIsNestedAcrossRoles(t *testing.T) {
	partner := surface.ReleaseRule{Levels: []int{13, 12, 11}, Least: 5}
	for seed := range uint64(20) {
		fine := partner.Apply(partner.Groups(someRecords(seed, 300)))
		for _, g := range viewerRule().Apply(fine) {
			rest := g.N
			for _, f := range fine {
				if f.Cell == g.Cell {
					rest -= f.N
				}
			}
			if rest != 0 && rest < partner.Least {
				t.Errorf("seed %d: %+v less what the partner sees of it is %d", seed, g.Cell, rest)
			}
		}
	}
}

func TestReleaseNeedsSourcesOrDays(t *testing.T) {
	rule := viewerRule()
	same := make([]surface.ReleaseRecord, 30)
	for i := range same {
		same[i] = surface.ReleaseRecord{Lon: 110 + 0.0001*float64(i), Lat: 1.2, Day: 5, Source: "A"}
	}
	if shown := rule.Apply(rule.Groups(same)); len(shown) != 0 {
		t.Errorf("one source on one day is shown: %+v", shown)
	}
	same[7].Source = "B"
	if shown := rule.Apply(rule.Groups(same)); len(shown) != 1 || shown[0].N != 30 {
		t.Errorf("two sources: %+v", shown)
	}
	twice := append(slices.Clone(same[:9]), same[:9]...) // nine incidents, each uploaded twice
	twice[0].Day, twice[9].Day = 6, 6
	if shown := rule.Apply(rule.Groups(twice)); len(shown) != 0 {
		t.Errorf("copies count: %+v", shown)
	}
}

// Over 24 releases with incidents trickling in, no cell ever changes by fewer
// than the rule's number.
func TestReleaseIsSteady(t *testing.T) {
	rule := viewerRule()
	all := someRecords(4, 2400)
	var before map[surface.ReleaseCell]int
	changes := 0
	for k := range 24 {
		now := rule.Steady(rule.Apply(rule.Groups(all[:100*(k+1)])), before)
		for c, n := range now {
			if d := n - before[c]; d != 0 {
				changes++
				if d < rule.Least && -d < rule.Least {
					t.Errorf("release %d: %+v goes from %d to %d", k, c, before[c], n)
				}
			}
		}
		for c, was := range before {
			if now[c] == 0 && was < rule.Least {
				t.Errorf("release %d: %+v told of %d", k, c, was)
			}
		}
		before = now
	}
	if changes < 10 {
		t.Errorf("only %d changes: nothing is tested", changes)
	}
}

func TestBands(t *testing.T) {
	for n, want := range map[int]surface.ReleaseBand{5: {5, 9, 7}, 9: {5, 9, 7}, 10: {10, 19, 14}, 19: {10, 19, 14}, 20: {20, 49, 32}, 50: {50, 99, 70},
		99: {50, 99, 70}, 100: {100, 199, 140}, 4999: {2000, 4999, 3200}} {
		if got := surface.BandOf(n); got != want {
			t.Errorf("%d is told as %+v, want %+v", n, got, want)
		}
	}
}
