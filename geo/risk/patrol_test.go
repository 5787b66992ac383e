package risk_test

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

// The report says how much was seen, by whom, and how long receivers were
// silent.
func TestReportOfPatrols(t *testing.T) {
	f := walk(110.2, 110.3, 3, "ID")
	last := len(f.VertexTimes) - 1
	f.VertexTimes[last] = f.VertexTimes[last].Add(45 * 60e9) // a hole of an hour
	f.To = f.VertexTimes[last]
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	b.Add(f)
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), b.Layer()}}, nil)
	x := a.Annex()
	if math.Abs(x.NoDataHours-1) > 1e-9 || x.SilentLegs != 1 || x.SeenKM2 <= 0 || x.SeenUnmergedKM2 <= 0 {
		t.Errorf("%+v", x)
	}
	if len(x.Effort) != 1 || x.Effort[0].Country != "ID" || x.Effort[0].Agency != "A" || math.Abs(x.Effort[0].KM2-x.SeenUnmergedKM2) > 1e-6 {
		t.Errorf("effort %+v, want %g km²", x.Effort, x.SeenUnmergedKM2)
	}
	hours, visible := 0.0, 0
	for _, s := range a.Sections {
		hours += s.NoDataHours
		if s.PercentVisible > 0 {
			visible++
		}
		if math.Abs(s.PercentVisible+s.PercentBlind-100) > 1e-9 {
			t.Errorf("section %s: %g %% visible, %g %% blind", s.ID, s.PercentVisible, s.PercentBlind)
		}
	}
	if math.Abs(hours-1) > 1e-9 || visible == 0 || visible == len(a.Sections) {
		t.Errorf("%g hours of no data, %d sections seen", hours, visible)
	}
}

// Parallel sweeps find more with the same effort.
func TestPODLawOfModel(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{ID: "tracks", Kind: geo.KindPatrolTrack})
	f := walk(110.2, 110.3, 3, "ID")
	f.Properties["sweep_width_m"] = 1000.0
	b.Add(f)
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), b.Layer()}}
	at := f.Geometry.Bound().Center()
	random := assess(t, in, nil).At(at).SearchCoverage
	parallel := assess(t, in, func(m *risk.Model) { m.Coverage.PODLaw = surface.ParallelLaw }).At(at).SearchCoverage
	c := -math.Log1p(-random)
	if math.Abs(parallel-math.Erf(math.Sqrt(math.Pi)/2*c)) > 1e-9 || parallel <= random {
		t.Errorf("coverage %g: %g at random, %g in parallel", c, random, parallel)
	}
}

func TestCoverageModelIsChecked(t *testing.T) {
	if err := risk.DefaultModel().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*surface.CoverageModel){
		"law":     func(c *surface.CoverageModel) { c.PODLaw = "definite" },
		"still":   func(c *surface.CoverageModel) { c.StillM = -1 },
		"fatigue": func(c *surface.CoverageModel) { c.Fatigue = 2 },
		"weather": func(c *surface.CoverageModel) { c.Weather[1].Small = math.NaN() },
		"target":  func(c *surface.CoverageModel) { c.SweepWidths[0].Target = "whale" },
		"terrain": func(c *surface.CoverageModel) { c.SweepWidths[0].Terrain = "moon" },
	} {
		m := risk.DefaultModel()
		change(&m.Coverage)
		if m.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Coverage speaks of the next full hour: an incident later in the hour leaves
// it, one after the hour does not, and a start from nothing agrees.
func TestCoverageOfTheHour(t *testing.T) {
	tracks := patrols(sweep(110.2, 110.4, 3, "ID")...)
	at := func(minutes int, previous *risk.Assessment) *risk.Assessment {
		when := now.AddDate(0, 0, -1).Add(time.Duration(minutes) * time.Minute)
		return assess(t, risk.Inputs{Previous: previous, Layers: []*geo.Layer{border(), tracks,
			layer(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident, Version: int64(minutes)}, incident(110.45, 1, when, nil))}}, nil)
	}
	first := at(1, nil)
	full := now.AddDate(0, 0, -1).Add(time.Hour)
	if !first.Coverage.AsOf.Equal(full) || !first.Annex().CoverageAsOf.Equal(full) || !first.AsOf.Equal(full.Add(-59*time.Minute)) {
		t.Fatalf("coverage as of %v for an assessment as of %v", first.Coverage.AsOf, first.AsOf)
	}
	for minutes, same := range map[int]bool{17: true, 60: true, 61: false} {
		lent, anew := at(minutes, first), at(minutes, nil)
		if (lent.Coverage == first.Coverage) != same || lent.AsOf.Equal(first.AsOf) {
			t.Errorf("after %d minutes: the same coverage is %v", minutes, !same)
		}
		for i, s := range anew.Sections {
			if !reflect.DeepEqual(s.Cover, lent.Sections[i].Cover) || s.Profile != lent.Sections[i].Profile {
				t.Errorf("after %d minutes, section %s: lent %+v, anew %+v", minutes, s.ID, lent.Sections[i].Cover, s.Cover)
			}
		}
	}
}

// Where a device was silent or out of order, and nobody else was, the section
// has no report: it is neither unpatrolled nor a place without hours.
func TestSilenceIsNoAbsence(t *testing.T) {
	f := walk(110.25, 110.75, 3, "ID")
	f.Geometry = orb.LineString{f.Geometry.(orb.LineString)[0], f.Geometry.(orb.LineString)[50]}
	f.VertexTimes = []time.Time{f.From, f.From.Add(5 * time.Hour)} // 12 to 17 h local, one leg of 55 km
	f.To = f.VertexTimes[1]
	down := geo.Feature{Geometry: orb.Point{110.05, 1}, From: now.AddDate(0, -1, -1), To: now, Properties: map[string]any{
		"country": "MY", "agency": "P", "radius_m": 1500.0, "outages": "2020-01-01T00:00:00Z/.."}}
	var some []geo.Feature
	for range 10 {
		some = append(some, incident(110.5, 1, now, nil), incident(110.86, 1, now, nil))
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), patrols(f),
		layer(geo.LayerInfo{ID: "posts", Kind: geo.KindPost, Version: 1}, down), incidents(some...)}}, nil)
	for lon, want := range map[float64]risk.Class{110.5: risk.NoReport, 110.05: risk.NoReport, 110.86: risk.BlindSpotPriority} {
		p := a.At(orb.Point{lon, 1})
		s, ok := a.Section(p.SectionID)
		if !ok || p.Class != want || s.Class != want || s.DaysSince != nil || (s.NoDataHours > 0) != (want == risk.NoReport) {
			t.Errorf("at %g: %s, section %s, %g hours of no data, %v days, want %s", lon, p.Class, s.Class, s.NoDataHours, s.DaysSince, want)
		}
	}
	s, _ := a.Section(a.At(orb.Point{110.5, 1}).SectionID)
	day := (int(f.From.Weekday()) + 6) % 7
	for d := range 7 {
		for h := range 24 {
			want := 0.0
			if d == day && h >= 11 && h <= 16 {
				want = 0.25 // one of four such weekdays, or of five
			}
			if got := s.Profile.NoData[d][h]; math.Abs(got-want) > 0.06 || s.Profile.Coverage[d][h] != 0 {
				t.Errorf("weekday %d, %d h: no data %g, want %g", d, h, got, want)
			}
		}
	}
	found := false
	for _, g := range a.Gaps(risk.GapFilter{}) {
		if g.Section.ID != s.ID {
			continue
		}
		found = true
		hours := 0
		for _, h := range g.Hours {
			hours += h.To - h.From
		}
		if hours != 168-6 || !slices.Contains(g.Section.Also, risk.BlindSpotPriority) {
			t.Errorf("%d hours without a patrol, want 162: %v; also %v", hours, g.Hours, g.Section.Also)
		}
	}
	if x := a.Annex(); !found || x.Outages != 1 || x.Classes[risk.NoReport] < 5 || math.Abs(x.NoDataHours-5-30*24) > 1e-9 || x.BlindKM < 99 {
		t.Errorf("found %v, %+v", found, x)
	}
}

// The effort of a section is told by country and agency; the parts add up to
// that of its cells, and no track is needed to show their union.
func TestEffortOfSectionsAdds(t *testing.T) {
	var tracks []geo.Feature
	for i, agency := range []string{"A", "B", "C", "A"} {
		f := walk(110.2, 110.2+0.1*float64(i+1), 3+i, []string{"ID", "MY"}[i%2])
		f.Properties["agency"], f.Properties["sweep_width_m"] = agency, 100.0
		tracks = append(tracks, f)
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), patrols(tracks...)}}, nil)
	sections, all := map[string]float64{}, map[string]float64{}
	for _, s := range a.Sections {
		sum := 0.0
		for k, e := range s.Effort {
			sum += e.KM2
			sections[e.Country+e.Agency] += e.KM2
			if k > 0 && e.KM2 > s.Effort[k-1].KM2 {
				t.Errorf("section %s: not in order: %+v", s.ID, s.Effort)
			}
		}
		if union := 0.1 * s.LengthKM * 4; sum > union*1.001 || (sum > 0) != (s.SearchPOD > 0) {
			t.Errorf("section %s: %g km² swept in %g km", s.ID, sum, s.LengthKM)
		}
	}
	for _, e := range a.Annex().Effort {
		all[e.Country+e.Agency] = e.KM2
	}
	for by, want := range map[string]float64{"IDA": 0.1, "IDC": 0.3, "MYB": 0.2, "MYA": 0.4} {
		want *= 111.32 * 0.1 // km of track, 100 m wide
		if math.Abs(all[by]/want-1) > 1e-3 || math.Abs(sections[by]/all[by]-1) > 1e-9 {
			t.Errorf("%s: %g km² in all, %g in sections, want %g", by, all[by], sections[by], want)
		}
	}
	if len(all) != 4 || len(sections) != 4 {
		t.Errorf("%v, %v", all, sections)
	}
}
