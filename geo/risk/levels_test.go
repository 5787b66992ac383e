package risk_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// A section's index day by day, and the level proposed on each, by hand.
func TestReviewByHand(t *testing.T) {
	m := risk.DefaultModel()
	death := []risk.CriticalSign{risk.DeathSign}
	type on struct {
		day   int
		index float64
		signs []risk.CriticalSign
		want  risk.Level
	}
	for name, days := range map[string][]on{
		"rises at once, falls after two reviews": {
			{1, 0.3, nil, risk.Elevated}, {2, 0.5, nil, risk.High}, {3, 0.44, nil, risk.High}, {4, 0.44, nil, risk.Elevated},
		},
		"inside the hysteresis it stays": {
			{1, 0.5, nil, risk.High}, {2, 0.46, nil, risk.High}, {3, 0.46, nil, risk.High}, {4, 0.451, nil, risk.High},
		},
		"a review in between begins anew": {
			{1, 0.5, nil, risk.High}, {2, 0.1, nil, risk.High}, {3, 0.47, nil, risk.High}, {4, 0.1, nil, risk.High}, {5, 0.1, nil, risk.Low},
		},
		"falls to the highest that the reviews found": {
			{1, 0.5, nil, risk.High}, {2, 0.3, nil, risk.High}, {3, 0.05, nil, risk.Elevated}, {4, 0.05, nil, risk.Elevated}, {5, 0.05, nil, risk.Low},
		},
		"later assessments of a day are no reviews": {
			{1, 0.5, nil, risk.High}, {2, 0.1, nil, risk.High}, {2, 0.1, nil, risk.High}, {2, 0.95, nil, risk.High}, {3, 0.1, nil, risk.Low},
		},
		"but they can raise": {
			{1, 0.1, nil, risk.Low}, {1, 0.6, nil, risk.High}, {1, 0.1, nil, risk.High},
		},
		"critical needs an index and a sign": {
			{1, 0.95, nil, risk.High}, {2, 0.85, death, risk.High}, {3, 0.9, death, risk.Critical},
			{4, 0.86, death, risk.Critical}, {5, 0.99, nil, risk.Critical}, {6, 0.99, nil, risk.High},
		},
		"time that goes back is no review": {
			{5, 0.5, nil, risk.High}, {4, 0.1, nil, risk.High}, {3, 0.1, nil, risk.High}, {6, 0.1, nil, risk.High}, {7, 0.1, nil, risk.Low},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var memory risk.LevelMemory
			for _, d := range days {
				at := time.Date(2026, 11, d.day, 3, 0, 0, 0, time.UTC)
				memory = m.Review(memory, risk.Section{Index: d.index, CriticalSigns: d.signs}, at)
				if memory.Proposed != d.want {
					t.Fatalf("day %d, index %g: %s, want %s", d.day, d.index, memory.Proposed, d.want)
				}
			}
		})
	}
}

// Whatever the index does: the level is never below that of the index, and
// falls only to one that the index of the last two days allows.
func TestReviewProperties(t *testing.T) {
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 1))
	m := risk.DefaultModel()
	rank := func(l risk.Level) int { return slices.Index(risk.Levels(), l) }
	plain := func(index float64) risk.Level {
		return m.Review(risk.LevelMemory{}, risk.Section{Index: index}, now).Proposed
	}
	for range 200 {
		var memory risk.LevelMemory
		last := 0.0
		for day := range 60 {
			index := r.Float64()
			before := memory
			memory = m.Review(memory, risk.Section{Index: index}, now.AddDate(0, 0, day))
			if rank(memory.Proposed) < rank(plain(index)) {
				t.Fatalf("seed %d: %s for an index of %g", seed, memory.Proposed, index)
			}
			if day > 0 && rank(memory.Proposed) < rank(before.Proposed) {
				if want := max(rank(plain(index+0.05)), rank(plain(last+0.05))); rank(memory.Proposed) != want {
					t.Fatalf("seed %d: fell from %s to %s after %g, %g", seed, before.Proposed, memory.Proposed, last, index)
				}
			}
			last = index
		}
	}
}

func TestCriticalSigns(t *testing.T) {
	ago := func(days float64) time.Time { return now.Add(-time.Duration(days * 24 * float64(time.Hour))) }
	with := func(lon, days float64, name string, value any) geo.Feature {
		return incident(lon, 1, ago(days), map[string]any{"kind": "irr.exit", name: value})
	}
	features := []geo.Feature{
		with(110.05, 5, "deaths", 1.0), with(110.15, 31, "deaths", 2.0), with(110.25, 3, "persons_total", "10-19"),
		with(110.35, 3, "persons_total", 9.0), with(110.45, 29, "persons_total", 10.0), with(110.55, 3, "persons_total", "5-9"),
		incident(110.75, 1, ago(2), map[string]any{"kind": "res.recovered_body"}),
	}
	for i := range 6 { // doubles at 110.65: 3 before, 6 now; only 5 now at 110.85
		features = append(features, incident(110.65, 1, ago(float64(i)), nil))
		if i < 3 {
			features = append(features, incident(110.65, 1, ago(float64(40+i)), nil))
		}
		if i < 5 {
			features = append(features, incident(110.85, 1, ago(float64(i)), nil))
		}
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(features...)}}, nil)
	for lon, want := range map[float64]string{
		110.05: "[death]", 110.15: "[]", 110.25: "[mass_event]", 110.35: "[]", 110.45: "[mass_event]", 110.55: "[]",
		110.65: "[doubling]", 110.75: "[death]", 110.85: "[]",
	} {
		s, _ := a.Section(a.At(orb.Point{lon, 1}).SectionID)
		if got := fmt.Sprint(s.CriticalSigns); got != want {
			t.Errorf("at %g: %s, want %s", lon, got, want)
		}
	}
}

// Months and halves are those of the records, through a whole assessment.
func TestTrendOfASection(t *testing.T) {
	var features []geo.Feature
	for month := range 24 { // the newest month 0 has 12, the oldest 1
		for range (24-month)/2 + 1 {
			f := incident(110.45, 1, now.Add(-time.Duration((float64(month)+0.5)*30.4375*24*float64(time.Hour))), nil)
			f.Properties = map[string]any{"kind": "irr.exit", "discovery": "patrol"}
			features = append(features, f)
		}
	}
	features = append(features, incident(110.05, 1, now.AddDate(-3, 0, 0), nil)) // so that all 24 months are on record
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(features...)}}, nil)
	s := classAt(t, a, 110.45)
	older, newer := 0, 0
	for i, n := range s.Trend.Months {
		if i < 12 {
			older += n
		} else {
			newer += n
		}
	}
	if len(s.Trend.Months) != 24 || s.Trend.Months[23] != 13 || s.Trend.Months[0] != 1 || s.Trend.Class != risk.Rising ||
		s.Trend.Incidents != len(features)-1 || math.Abs(*s.Trend.ChangePercent-100*float64(newer-older)/float64(older)) > 1e-9 {
		t.Errorf("%+v", s.Trend)
	}
	if s.TrendReported.Class != risk.TooFewToTell || s.TrendReported.Incidents != 0 {
		t.Errorf("patrols found them all: %+v", s.TrendReported)
	}
}

func TestLevelModelIsChecked(t *testing.T) {
	for name, change := range map[string]func(*risk.Model){
		"levels.hysteresis":               func(m *risk.Model) { m.Levels.Hysteresis = -0.1 },
		"levels.reviews_to_fall":          func(m *risk.Model) { m.Levels.ReviewsToFall = 0 },
		"levels.critical_index":           func(m *risk.Model) { m.Levels.CriticalIndex = math.NaN() },
		"levels.recent_days":              func(m *risk.Model) { m.Levels.RecentDays = 0 },
		"levels.mass_persons":             func(m *risk.Model) { m.Levels.MassPersons = 0 },
		"levels.doubling_least_incidents": func(m *risk.Model) { m.Levels.DoublingLeast = 1 },
		"trend_least_incidents":           func(m *risk.Model) { m.TrendLeast = 0 },
		"crossing_radius_m":               func(m *risk.Model) { m.CrossingRadiusM = math.Inf(1) },
	} {
		m := risk.DefaultModel()
		change(&m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
