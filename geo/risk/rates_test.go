package risk_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// The rates of a cell are what At says of its middle, with the intervals of the
// distribution itself.
func TestRatesAgreeWithAt(t *testing.T) {
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	var some []geo.Feature
	for range 60 {
		some = append(some, incident(110+0.9*r.Float64(), 0.9+0.2*r.Float64(), now.AddDate(0, 0, -r.IntN(900)), nil))
	}
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...), patrols(sweep(110, 110.4, 5, "ID")...)}}
	for name, change := range map[string]func(*risk.Model){"corrected": nil, "uncorrected": uncorrected} {
		a := assess(t, in, change)
		read := a.Rates().Reader()
		known, worst := 0, 0.0
		for range 400 {
			c := surface.CellAt(orb.Point{109.4 + 2.2*r.Float64(), 0.4 + 1.2*r.Float64()})
			got, want := read.At(c), a.At(c.Center())
			if !got.Known {
				if want.Hazard.Mean != 0 {
					t.Fatalf("%s, seed %d: cell %v has the hazard %g, but nothing is known", name, seed, c, want.Hazard.Mean)
				}
				continue
			}
			known++
			for k, v := range [][2]float64{{got.Hazard.Mean, want.Hazard.Mean}, {got.Hazard.Lo80, want.Hazard.Lo80}, {got.Hazard.Hi80, want.Hazard.Hi80},
				{got.Hazard.Lo90, want.Hazard.Lo90}, {got.Hazard.Hi90, want.Hazard.Hi90}} {
				// The lower ends of wide distributions are next to nothing.
				off := math.Abs(v[0]-v[1]) / max(v[1], 1e-6*want.Hazard.Mean, 1e-30)
				if worst = max(worst, off); off > 1e-5 {
					t.Fatalf("%s, seed %d, cell %v: value %d is %g, want %g", name, seed, c, k, v[0], v[1])
				}
			}
			pod := a.Model.Coverage.POD(got.Mid * a.Model.Coverage.WindowDays * 24)
			if math.Abs(pod-want.SearchCoverage) > 1e-6 {
				t.Fatalf("%s, cell %v: swept %g an hour is a search coverage of %g, want %g", name, c, got.Mid, pod, want.SearchCoverage)
			}
			if got.Low > got.Mid || got.High < got.Mid || got.Watched != (want.Knowledge >= a.Model.KnownPOD) {
				t.Fatalf("%s, cell %v: %+v, knowledge %g", name, c, got, want.Knowledge)
			}
		}
		if known < 50 {
			t.Fatalf("only %d cells were compared", known)
		}
		t.Logf("%s: %d cells, worst relative difference %.1e", name, known, worst)
	}
}

func TestRatesKnowWhoMayActAndWhereOfficialCrossingsAre(t *testing.T) {
	box := func(w, s, e, n float64) orb.Polygon { return orb.Polygon{{{w, s}, {e, s}, {e, n}, {w, n}, {w, s}}} }
	areas := layer(geo.LayerInfo{ID: "areas", Kind: geo.KindArea, Version: 1},
		geo.Feature{Geometry: box(109, 0, 112, 1), Properties: map[string]any{"agency": "BC", "country": "ID", "powers": "customs"}},
		geo.Feature{Geometry: box(110.5, 0, 112, 2), Properties: map[string]any{"agency": "APMM", "country": "MY", "powers": "sea"}})
	posts := places(geo.KindCrossing, place(110.2, 1, "Official", "plbn"), place(110.3, 1, "Path", "jalan_tikus"))
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), areas, posts}}, nil)
	rates := a.Rates()
	if len(rates.Official) != 1 || rates.Official[0].Name != "Official" {
		t.Errorf("official crossings %+v", rates.Official)
	}
	read := rates.Reader()
	for _, c := range []struct {
		at   orb.Point
		want string
	}{{orb.Point{110.2, 0.95}, "BC"}, {orb.Point{110.7, 0.95}, "BC APMM"}, {orb.Point{110.7, 1.05}, "APMM"}, {orb.Point{110.2, 1.05}, ""}, {orb.Point{10, 50}, ""}} {
		got := ""
		for i, w := range rates.Authorities(read.At(surface.CellAt(c.at)).Authorities) {
			if i > 0 {
				got += " "
			}
			got += w.Agency
		}
		if got != c.want {
			t.Errorf("at %v: %q, want %q", c.at, got, c.want)
		}
	}
}

// 240 records, twice as many in each month of the second half of the year: χ² and
// the shrinkage by hand, with the months' days.
func TestSeason(t *testing.T) {
	var some []geo.Feature
	for m := 1; m <= 12; m++ {
		n := 27
		if m <= 6 {
			n = 13
		}
		for k := range n {
			some = append(some, incident(110.45, 1, time.Date(2025, time.Month(m), 1+k, 12, 0, 0, 0, time.UTC), nil))
		}
	}
	some = append(some, incident(110.45, 1, time.Date(2024, 11, 1, 0, 0, 0, 0, time.UTC), nil)) // not in the two whole years
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...)}}, nil)
	s := a.Season()
	chi2, total := 0.0, 240.0+1
	expected := func(m int) float64 {
		return total * float64(time.Date(2001, time.Month(m+1), 0, 0, 0, 0, 0, time.UTC).Day()) / 365
	}
	n := 0
	for m := 1; m <= 12; m++ {
		n += s.Counts[m-1]
		e := expected(m)
		chi2 += (float64(s.Counts[m-1]) - e) * (float64(s.Counts[m-1]) - e) / e
	}
	if n != 241 && n != 240 {
		t.Fatalf("%d records", n)
	}
	w := 1 - 11/chi2
	if math.Abs(s.Weight-w) > 0.02 || s.Factors[0] > 0.8 || s.Factors[11] < 1.15 {
		t.Errorf("%+v, want the weight %g", s, w)
	}
	mean := 0.0
	for m, f := range s.Factors {
		mean += f * expected(m+1) / total
	}
	if math.Abs(mean-1) > 1e-9 {
		t.Errorf("the factors have the mean %g", mean)
	}
	few := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some[:3]...)}}, nil).Season()
	if few.Weight != 0 || few.Factors[3] != 1 || few.Why == "" {
		t.Errorf("three records tell of a season: %+v", few)
	}
	if day := a.Day(); day.Weight < 0.9 || day.Factors[19] < 20 {
		t.Errorf("all records at 12 UTC, 19 here: %+v", day)
	}
}

// A patrol that always comes at noon makes noon more watched, and the week's mean
// stays.
func TestWeekOf(t *testing.T) {
	var tracks []geo.Feature
	for day := range 28 {
		tracks = append(tracks, walk(110.4, 110.5, day+1, "ID"))
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), patrols(tracks...)}}, nil)
	id := a.At(orb.Point{110.45, 1}).SectionID
	for i := range a.Sections {
		week, zone := a.WeekOf(i)
		sum := 0.0
		for _, d := range week {
			for _, v := range d {
				sum += v
			}
		}
		if math.Abs(sum-168) > 1e-9 || zone != 7 {
			t.Errorf("%s: sum %g, zone %d", a.Sections[i].ID, sum, zone)
		}
		if a.Sections[i].ID == id && (week[2][12] < 1.5 || week[2][3] > 0.7) {
			t.Errorf("noon %g, 3 at night %g", week[2][12], week[2][3])
		}
	}
}

func BenchmarkRatesBlock(b *testing.B) {
	var some []geo.Feature
	r := rand.New(rand.NewPCG(1, 0))
	for range 500 {
		some = append(some, incident(110+0.9*r.Float64(), 0.9+0.2*r.Float64(), now.AddDate(0, 0, -r.IntN(900)), nil))
	}
	a := assess(b, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...)}}, nil)
	c := surface.CellAt(orb.Point{110.45, 1})
	for b.Loop() {
		a.FreshRates().Reader().At(c)
	}
}
