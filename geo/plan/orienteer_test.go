package plan_test

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/sempadan/sempadan/geo/plan"
)

// chao reads the places of problem 4 of Chao, Golden and Wasil.
func chao(t testing.TB) (places [][2]float64, profit []float64) {
	t.Helper()
	f, err := os.Open("testdata/chao_p4.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var x, y, p float64
		if _, err := fmt.Sscan(lines.Text(), &x, &y, &p); err != nil {
			t.Fatal(err)
		}
		places, profit = append(places, [2]float64{x, y}), append(profit, p)
	}
	return places, profit
}

func distances(places [][2]float64) [][]float64 {
	out := make([][]float64, len(places))
	for i, p := range places {
		for _, q := range places {
			out[i] = append(out[i], math.Hypot(p[0]-q[0], p[1]-q[1]))
		}
	}
	return out
}

// The best known profits are those that the literature reports for instances p4.2.a,
// b, d, h, n, t and p4.3.b, d, h.
func TestOrienteeringAgainstBestKnown(t *testing.T) {
	places, profit := chao(t)
	travel := distances(places)
	cases := []struct {
		tours        int
		budget, best float64
	}{{2, 25, 206}, {2, 30, 341}, {2, 40, 531}, {2, 60, 835}, {2, 90, 1174}, {2, 120, 1306}, {3, 20, 38}, {3, 26.7, 335}, {3, 40, 729}}
	mean := 0.0
	for _, c := range cases {
		o := plan.Orienteering{Profit: profit, Travel: travel, End: len(places) - 1, Tours: c.tours, Budget: c.budget, Seed: 1}
		got, err := o.Solve()
		if err != nil {
			t.Fatal(err)
		}
		checkVisits(t, o, got)
		below := 100 * (1 - got.Profit/c.best)
		mean += below / float64(len(cases))
		t.Logf("%d tours of %g: %g of %g, %.2f %% below", c.tours, c.budget, got.Profit, c.best, below)
		if below > 3 || below < 0 {
			t.Errorf("%d tours of %g: %g, best known %g", c.tours, c.budget, got.Profit, c.best)
		}
	}
	t.Logf("mean %.2f %% below", mean)
}

// checkVisits adds up tours anew.
func checkVisits(t *testing.T, o plan.Orienteering, v plan.Visits) {
	t.Helper()
	seen, profit := map[int]bool{}, 0.0
	for k, way := range v.Tours {
		at, time := o.Start, 0.0
		for i, p := range way {
			if seen[p] || p == o.Start || p == o.End {
				t.Errorf("place %d is visited twice", p)
			}
			seen[p] = true
			profit += o.Profit[p]
			time += o.Travel[at][p] + v.Stay[k][i]
			if o.Stay != nil && v.Stay[k][i] < o.Stay[p]-1e-9 {
				t.Errorf("a stay of %g at place %d", v.Stay[k][i], p)
			}
			at = p
		}
		if time += o.Travel[at][o.End]; time > o.Budget+1e-6 {
			t.Errorf("tour %d takes %g of %g", k, time, o.Budget)
		}
	}
	near(t, "profit", v.Profit, profit, 1e-6)
}

// The twin tries every order of every choice of places, for one tour.
func TestOrienteeringBruteForce(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		n := 8
		places, o := make([][2]float64, n), plan.Orienteering{End: n - 1, Tours: 1, Budget: 1 + r.Float64(), Iterations: 200, Seed: seed}
		for i := range places {
			places[i] = [2]float64{r.Float64(), r.Float64()}
			o.Profit = append(o.Profit, float64(1+r.IntN(9)))
			o.Stay = append(o.Stay, 0.1*r.Float64())
		}
		o.Profit[0], o.Profit[n-1] = 0, 0
		o.Travel = distances(places)
		best := 0.0
		var try func(at int, time, profit float64, used int)
		try = func(at int, time, profit float64, used int) {
			if time+o.Travel[at][o.End] > o.Budget {
				return
			}
			best = max(best, profit)
			for p := 1; p < n-1; p++ {
				if used>>p&1 == 0 {
					try(p, time+o.Travel[at][p]+o.Stay[p], profit+o.Profit[p], used|1<<p)
				}
			}
		}
		try(0, 0, 0, 0)
		got, err := o.Solve()
		if err != nil {
			t.Fatal(err)
		}
		checkVisits(t, o, got)
		near(t, fmt.Sprintf("seed %d", seed), got.Profit, best, 1e-9)
	}
}

// One place 1 h away, 4 h in all: the 2 h that are left are spent there.
func TestOrienteeringStays(t *testing.T) {
	o := plan.Orienteering{Profit: []float64{0, 5}, Rate: []float64{0, 1}, Travel: [][]float64{{0, 1}, {1, 0}}, Tours: 1, Budget: 4, Iterations: 5}
	got, err := o.Solve()
	if err != nil {
		t.Fatal(err)
	}
	checkVisits(t, o, got)
	near(t, "stay", got.Stay[0][0], 2, 1e-9)
	o.Budget = -1
	if _, err := o.Solve(); err == nil {
		t.Error("a budget below 0 is taken")
	}
}

func BenchmarkOrienteering(b *testing.B) {
	places, profit := chao(b)
	o := plan.Orienteering{Profit: profit, Travel: distances(places), End: len(places) - 1, Tours: 2, Budget: 60, Iterations: 100}
	for b.Loop() {
		if _, err := o.Solve(); err != nil {
			b.Fatal(err)
		}
	}
}
