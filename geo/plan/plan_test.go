package plan_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo/plan"
	"gonum.org/v1/gonum/stat/distuv"
)

// small is bigProblem's first pieces and four units.
func small() plan.Problem {
	p := bigProblem(1)
	p.Pieces, p.Options.Rounds = p.Pieces[:300], 6
	var units []plan.Unit
	for k := range 4 {
		u := p.Units[5+k%3]
		u.ID, u.Base = string(rune('A'+k)), p.Pieces[40+60*k].Line[0]
		units = append(units, u)
	}
	p.Units = units
	return p
}

func make1(t *testing.T, p plan.Problem) *plan.Plan {
	t.Helper()
	got, err := plan.Make(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Each unit keeps to its hours, endurance, rest, country and one place at a time; the
// same problem gives the same plan; what is met and what is left add up.
func TestPlanKeepsTheRules(t *testing.T) {
	p := small()
	for i := 100; i < 200; i++ {
		p.Pieces[i].Countries = []string{"ID"}
	}
	p.Options.JointSections = []string{"S015"}
	got := make1(t, p)
	if again := make1(t, p); !reflect.DeepEqual(got.Sorties, again.Sorties) {
		t.Error("the same problem gives two plans")
	}
	near(t, "before - met", got.Before.Mean-got.Met, got.After.Mean, 1e-9)
	near(t, "curve", got.Curve[len(got.Curve)-1].Residual, got.After.Mean, 1e-9)
	spent := map[string]float64{}
	last := map[string]plan.Sortie{}
	for _, s := range got.Sorties {
		u := unit(p, s.Unit)
		spent[s.Unit] += s.Returns.Sub(s.Departs).Hours()
		if s.Returns.Sub(s.Departs).Hours() > u.EnduranceH {
			t.Errorf("%s is out for %v", s.Unit, s.Returns.Sub(s.Departs))
		}
		if before, ok := last[s.Unit]; ok && s.Departs.Sub(before.Returns).Hours() < p.Options.RestH {
			t.Errorf("%s rests for %v", s.Unit, s.Departs.Sub(before.Returns))
		}
		last[s.Unit] = s
		for _, b := range p.Pieces {
			for _, section := range s.Sections {
				if b.Section == section && section != "S015" && u.Country == "MY" && len(b.Countries) == 1 {
					t.Errorf("%s of MY is sent to %s", s.Unit, section)
				}
			}
		}
		line, times := got.Track(s, 5000)
		if len(line) != len(times) || line[0] != u.Base || line[len(line)-1] != u.Base || times[0] != s.Departs || times[len(times)-1] != s.Returns {
			t.Errorf("track of %d places and %d times", len(line), len(times))
		}
		for i := 1; i < len(times); i++ {
			if times[i].Before(times[i-1]) {
				t.Fatalf("the track goes back in time at %d of %d", i, len(times))
			}
		}
	}
	for id, h := range spent {
		if h > unit(p, id).Hours {
			t.Errorf("%s is on duty for %g h", id, h)
		}
	}
	if got.GapPercent > 5 || got.Exploration.Hours < got.Exploration.WantedH {
		t.Errorf("gap %g %%, %+v", got.GapPercent, got.Exploration.Hours)
	}
}

func unit(p plan.Problem, id string) plan.Unit {
	for _, u := range p.Units {
		if u.ID == id {
			return u
		}
	}
	return plan.Unit{}
}

func TestUnitsThatCannotBeUsed(t *testing.T) {
	for want, spoil := range map[plan.Reason]func(*plan.Problem, *plan.Unit){
		plan.NoHours:     func(_ *plan.Problem, u *plan.Unit) { u.Hours = 0 },
		plan.NoBase:      func(_ *plan.Problem, u *plan.Unit) { u.Base = orb.Point{} },
		plan.NoSpeed:     func(_ *plan.Problem, u *plan.Unit) { u.SpeedKMH = math.NaN() },
		plan.NoSight:     func(_ *plan.Problem, u *plan.Unit) { u.SweepWidthM = -1 },
		plan.NoEndurance: func(_ *plan.Problem, u *plan.Unit) { u.EnduranceH = 0.5 },
		plan.NoMedium:    func(_ *plan.Problem, u *plan.Unit) { u.Mode = "sea_boat" },
		plan.NoMandate:   func(_ *plan.Problem, u *plan.Unit) { u.Country = "SG" },
		plan.TooFar:      func(_ *plan.Problem, u *plan.Unit) { u.Base = orb.Point{50, 50} },
		plan.ForeignBase: func(p *plan.Problem, u *plan.Unit) {
			p.Options.CountriesAt = func(at orb.Point) []string {
				if at == u.Base {
					return []string{"XX"}
				}
				return nil
			}
		},
	} {
		p := small()
		spoil(&p, &p.Units[0])
		got := make1(t, p)
		if len(got.Unused) != 1 || got.Unused[0].Reason != want || got.Unused[0].Text == "" || !got.Partial {
			t.Errorf("%s: %+v, partial %v", want, got.Unused, got.Partial)
		}
	}
	p := small()
	p.Units = nil
	if _, err := plan.Make(t.Context(), p); err == nil {
		t.Error("a plan without units")
	}
	p = small()
	p.Options.WindowDays = 15
	if _, err := plan.Make(t.Context(), p); err == nil {
		t.Error("a plan for 15 days")
	}
}

// Draws have the frequencies of the marginals.
func TestDrawsHaveTheMarginals(t *testing.T) {
	got := make1(t, small())
	const seed, windows = 3, 400
	count := map[string]float64{}
	key := func(s plan.Sortie) string {
		return s.Unit + s.Departs.String() + s.Returns.String() + s.OnBeat.String() + s.Sections[0]
	}
	for _, week := range got.Draw(windows, seed) {
		for _, s := range week {
			count[key(s)]++
		}
	}
	want := map[string]float64{}
	for _, m := range got.Marginals() {
		want[key(m.Sortie)] += m.Chance * windows
	}
	chi2, n := 0.0, 0
	for k, w := range want {
		chi2 += (count[k] - w) * (count[k] - w) / w
		n++
	}
	p := 1 - distuv.ChiSquared{K: float64(n)}.CDF(chi2)
	t.Logf("seed %d: chi-square %.1f of %d sorties, p %.3f", seed, chi2, n, p)
	if p < 0.001 || len(want) < 10 {
		t.Errorf("the draws of %d sorties do not have their marginals: p %g", len(want), p)
	}
}

// Each position of a comb's draw has the chances of the shares.
func TestComb(t *testing.T) {
	shares := []float64{0.5, 0.2, 0.2, 0.1}
	r := rand.New(rand.NewPCG(5, 5))
	var first [4]float64
	const draws = 20_000
	for range draws {
		got := plan.Comb(shares, 5, r)
		var n [4]int
		for _, k := range got {
			n[k]++
		}
		for k, s := range shares {
			if math.Abs(float64(n[k])-5*s) >= 1 {
				t.Fatalf("%v has %d of item %d", got, n[k], k)
			}
		}
		first[got[0]]++
	}
	chi2 := 0.0
	for k, s := range shares {
		chi2 += (first[k] - s*draws) * (first[k] - s*draws) / (s * draws)
	}
	if p := 1 - (distuv.ChiSquared{K: 3}).CDF(chi2); p < 0.001 {
		t.Errorf("chi-square %g, p %g: %v", chi2, p, first)
	}
}

func TestRespond(t *testing.T) {
	got := make1(t, small())
	near(t, "who does not look", got.Respond(0).Fixed, got.Met, 1e-9*got.Met)
	last := math.Inf(1)
	for _, gamma := range []float64{0, 1, 4, 16} {
		r := got.Respond(gamma)
		if r.Fixed > last {
			t.Errorf("gamma %g: %+v", gamma, r)
		}
		last = r.Fixed
	}
	if r := got.Respond(4); r.Randomised <= r.Fixed {
		t.Errorf("randomising does not help: %+v", r)
	}
}

func TestPlanOfDemoSize(t *testing.T) {
	p := bigProblem(0)
	got := make1(t, p)
	t.Logf("%d sorties of %d units meet %.3f of %.1f; bounds %+v, gap %.2f %%; %+v", len(got.Sorties), len(got.Units), got.Met, got.Before.Mean, got.Bounds, got.GapPercent, got.Respond(4))
	if got.GapPercent > 5 {
		t.Errorf("gap %.2f %%", got.GapPercent)
	}
}

func BenchmarkPlan(b *testing.B) {
	p := bigProblem(1)
	for b.Loop() {
		if _, err := plan.Make(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
