package risk_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
	"github.com/sempadan/sempadan/geo/surface"
)

var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func layer(info geo.LayerInfo, features ...geo.Feature) *geo.Layer {
	b := geo.NewBuilder(info)
	for _, f := range features {
		b.Add(f)
	}
	return b.Layer()
}

func incident(lon, lat float64, at time.Time, props map[string]any) geo.Feature {
	if props == nil {
		props = map[string]any{"kind": "irr.exit"}
	}
	return geo.Feature{Geometry: orb.Point{lon, lat}, From: at, To: at, Properties: props}
}

func incidents(features ...geo.Feature) *geo.Layer {
	return layer(geo.LayerInfo{ID: "incidents", Kind: geo.KindIncident, Version: 1}, features...)
}

// border is a straight line of about 100 km along latitude 1.
func border() *geo.Layer {
	return layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: orb.LineString{{110, 1}, {110.9, 1}}, Properties: map[string]any{"countries": "IDN-MYS"}})
}

func patrols(tracks ...geo.Feature) *geo.Layer {
	return layer(geo.LayerInfo{ID: "patrols", Kind: geo.KindPatrolTrack, Version: 1}, tracks...)
}

// sweep is patrols side by side that see the whole strip.
func sweep(from, to float64, daysAgo int, country string) (out []geo.Feature) {
	for _, lat := range []float64{.98, .99, 1, 1.01, 1.02} {
		f := walk(from, to, daysAgo, country)
		for i := range f.Geometry.(orb.LineString) {
			f.Geometry.(orb.LineString)[i][1] = lat
		}
		out = append(out, f)
	}
	return out
}

// walk is a patrol at noon along latitude 1 with wide eyes, so that its search
// coverage of the cells that it passes is high.
func walk(from, to float64, daysAgo int, country string) geo.Feature {
	f := geo.Feature{Properties: map[string]any{"mode": "foot", "country": country, "agency": "A", "sweep_width_m": 20_000.0}}
	line := orb.LineString{}
	at := now.AddDate(0, 0, -daysAgo).Add(4 * time.Hour)
	for lon := from; lon <= to+1e-9; lon += 0.01 {
		line = append(line, orb.Point{lon, 1})
		f.VertexTimes = append(f.VertexTimes, at)
		at = at.Add(15 * time.Minute)
	}
	f.Geometry, f.From, f.To = line, f.VertexTimes[0], f.VertexTimes[len(line)-1]
	return f
}

// uncorrected is the hazard of the incidents on record.
func uncorrected(m *risk.Model) { m.Hazard.Correction = risk.CorrectNone }

// unfitted leaves out what is fitted once for several assessments.
func unfitted(m *risk.Model) { m.Hazard.Access = risk.AccessNone }

func assess(t testing.TB, in risk.Inputs, change func(*risk.Model)) *risk.Assessment {
	t.Helper()
	m := risk.DefaultModel()
	m.Coasts = nil
	if change != nil {
		change(&m)
	}
	if in.Now.IsZero() {
		in.Now = now
	}
	a, err := risk.Assess(context.Background(), in, m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// One incident of today, nobody on patrol: every number by hand.
func TestOneIncidentByHand(t *testing.T) {
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(incident(110.45, 1, now, nil))}}, uncorrected)
	const h = 5.0 // km
	years := 365 / math.Ln2 * (1 - math.Exp2(-1096.0/365)) / 365.25
	peak := 3 / math.Pi / (h * h)
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance*math.Abs(want) {
			t.Errorf("%s: %g, want %g", what, got, want)
		}
	}
	p := a.At(orb.Point{110.45, 1})
	near("density", p.Density, peak, 1e-9)
	near("hazard", p.Hazard.Mean, peak/years, 1e-9)
	near("residual", p.Residual.Mean, peak/years*30/365.25, 1e-9)
	if p.SearchCoverage != 0 || p.InterceptionPOD != 0 || p.Class != risk.BlindSpotPriority || p.SectionID == "" {
		t.Errorf("%+v", p)
	}
	if p.Hazard.Lo80 > p.Hazard.Mean || p.Hazard.Hi80 < p.Hazard.Mean || p.Hazard.Lo90 > p.Hazard.Lo80 || p.Hazard.Hi90 < p.Hazard.Hi80 {
		t.Errorf("interval %+v", p.Hazard)
	}
	// 2 km to the north: (1 - 4/25)².
	d := geo.DistanceM(orb.Point{110.45, 1}, orb.Point{110.45, 1.018}) / 1000
	near("hazard 2 km off", a.At(orb.Point{110.45, 1.018}).Hazard.Mean, peak/years*math.Pow(1-d*d/h/h, 2), 1e-5)

	if len(a.Sections) != 10 {
		t.Fatalf("%d sections of 100 km, want 10", len(a.Sections))
	}
	weight := 0.0
	for _, s := range a.Sections {
		near("length of "+s.ID, s.LengthKM, geo.DistanceM(orb.Point{110, 1}, orb.Point{110.9, 1})/1e4, 1e-3)
		weight += s.Incidents
		if s.AnnualRate.Lo80 > s.AnnualRate.Mean || s.AnnualRate.Hi80 < s.AnnualRate.Mean {
			t.Errorf("%s: %+v", s.ID, s.AnnualRate)
		}
	}
	near("weight of all sections", weight, 1, 0.02) // cells of 1.2 km sum a kernel of 5 km
	// Shrinking towards the mean keeps the sections' order.
	best := slices.MaxFunc(a.Sections, func(x, y risk.Section) int {
		return map[bool]int{true: 1, false: -1}[x.Undetected.Mean > y.Undetected.Mean]
	})
	if best.Line.Bound().Min[0] > 110.46 || best.Line.Bound().Max[0] < 110.44 {
		t.Errorf("the most is expected in %s at %v", best.ID, best.Line)
	}
}

// A patrol lowers the residual risk by its interception probability, and that
// is not its search coverage.
func TestPatrolLowersResidual(t *testing.T) {
	bare := []*geo.Layer{border(), incidents(incident(110.45, 1, now, nil))}
	without := assess(t, risk.Inputs{AsOf: now, Layers: bare}, uncorrected).At(orb.Point{110.45, 1})
	with := assess(t, risk.Inputs{AsOf: now, Layers: append(bare, patrols(walk(110, 110.9, 3, "ID")))}, uncorrected).At(orb.Point{110.45, 1})
	if with.SearchCoverage < 0.9 || with.InterceptionPOD <= 0 || with.InterceptionPOD > 0.2 {
		t.Fatalf("search %g, interception %g", with.SearchCoverage, with.InterceptionPOD)
	}
	c := -math.Log1p(-with.SearchCoverage)
	if want := -math.Expm1(-c * 3 / 720); math.Abs(with.InterceptionPOD-want) > 1e-9 {
		t.Errorf("interception %g, want %g", with.InterceptionPOD, want)
	}
	if want := without.Residual.Mean * (1 - with.InterceptionPOD); math.Abs(with.Residual.Mean-want) > 1e-12 {
		t.Errorf("residual %g, want %g", with.Residual.Mean, want)
	}
	if with.Hazard != without.Hazard {
		t.Error("a patrol changed the hazard")
	}
}

func classAt(t *testing.T, a *risk.Assessment, lon float64) risk.Section {
	t.Helper()
	id := a.At(orb.Point{lon, 1}).SectionID
	s, ok := a.Section(id)
	if !ok {
		t.Fatalf("no section at %g", lon)
	}
	return s
}

func TestClasses(t *testing.T) {
	in := []*geo.Layer{
		border(),
		incidents(incident(110.05, 1, now, nil), incident(110.05, 1, now, nil), incident(110.85, 1, now, nil), incident(110.85, 1, now, nil)),
		patrols(slices.Concat(
			sweep(110.0, 110.08, 3, "ID"), sweep(110.0, 110.08, 3, "MY"), // busy and patrolled
			sweep(110.28, 110.35, 3, "ID"),  // one side only
			sweep(110.46, 110.53, 40, "MY"), // only in the window before
			sweep(110.64, 110.71, 3, "ID"), sweep(110.64, 110.71, 3, "MY"),
		)...),
	}
	a := assess(t, risk.Inputs{AsOf: now, Layers: in}, nil)
	for lon, want := range map[float64]risk.Class{
		110.05: risk.Gap, 110.85: risk.BlindSpotPriority, 110.31: risk.Mismatch, 110.5: risk.Fading, 110.67: risk.Quiet, 110.22: risk.BlindSpot,
	} {
		if s := classAt(t, a, lon); s.Class != want {
			t.Errorf("at %g: %s, want %s (search %g by %v, before; undetected %g)", lon, s.Class, want, s.SearchPOD, s.SearchBySide, s.Undetected.Mean)
		}
	}
	s := classAt(t, a, 110.05)
	if s.DaysSince == nil || math.Abs(*s.DaysSince-2.7) > 0.3 || len(s.DaysSinceBySide) != 2 {
		t.Errorf("days since presence %v %v", s.DaysSince, s.DaysSinceBySide)
	}
	hours := 0.0
	for _, day := range s.Profile.Coverage {
		for _, share := range day {
			hours += share
		}
	}
	if hours <= 0 {
		t.Error("no hours in the week's profile")
	}
	rows := a.Gaps(risk.GapFilter{})
	for i, r := range rows {
		if r.Rank != i+1 || (i > 0 && r.Section.Undetected.Mean > rows[i-1].Section.Undetected.Mean) {
			t.Errorf("row %d has rank %d", i, r.Rank)
		}
		if r.Section.Class == risk.Quiet || r.Section.Class == risk.BlindSpot {
			t.Errorf("%s is a gap", r.Section.Class)
		}
		if r.Effect.SearchAfter <= r.Effect.SearchBefore || r.Effect.ResidualAfter >= r.Effect.ResidualBefore {
			t.Errorf("the effect of a patrol: %+v", r.Effect)
		}
	}
	if len(rows) < 4 {
		t.Errorf("%d gaps", len(rows))
	}
}

// Kinds that tell of enforcement, base map layers and the future stay out.
func TestWhatDoesNotCount(t *testing.T) {
	base := layer(geo.LayerInfo{ID: "old", Kind: geo.KindIncident, Base: true}, incident(110.1, 1, now, nil))
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), base, incidents(
		incident(110.3, 1, now, map[string]any{"kind": "ret.deportation_arrival"}),
		incident(110.5, 1, now.Add(time.Hour), nil),
		geo.Feature{Geometry: orb.Point{110.7, 1}, Properties: map[string]any{"kind": "irr.exit"}}, // undated
		incident(110.8, 1, now.AddDate(-5, 0, 0), nil),
	)}}, nil)
	none := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border()}}, nil)
	for lon, dense := range map[float64]bool{110.1: false, 110.3: false, 110.5: false, 110.7: true, 110.8: true} {
		p, without := a.At(orb.Point{lon, 1}), none.At(orb.Point{lon, 1})
		if (p.Density > 0) != dense || p.Hazard != without.Hazard || !(p.Hazard.Hi90 > 2*p.Hazard.Mean) {
			t.Errorf("at %g: density %g, hazard %+v, %+v with nothing on record", lon, p.Density, p.Hazard, without.Hazard)
		}
	}
	x := a.Annex()
	if x.Incidents != 3 || x.ExcludedByKind != 1 || x.Undated != 1 || x.OutsideWindow != 2 {
		t.Errorf("annex %+v", x)
	}
}

func TestAsOfIsTheEndOfTheData(t *testing.T) {
	old := now.AddDate(-15, 0, 0)
	a := assess(t, risk.Inputs{Layers: []*geo.Layer{incidents(incident(-90.2, 38.6, old, nil), incident(-90.2, 38.6, now.AddDate(1, 0, 0), nil))}}, nil)
	if !a.AsOf.Equal(now) { // the future record is no end
		t.Errorf("as of %v with a record in the future", a.AsOf)
	}
	a = assess(t, risk.Inputs{Layers: []*geo.Layer{incidents(incident(-90.2, 38.6, old, nil))}}, nil)
	if !a.AsOf.Equal(old) || a.At(orb.Point{-90.2, 38.6}).Hazard.Mean <= 0 {
		t.Errorf("as of %v", a.AsOf)
	}
	if a = assess(t, risk.Inputs{}, nil); !a.AsOf.Equal(now) || len(a.Sections) != 0 || a.Scales.Density != 0 {
		t.Errorf("nothing at all: %+v", a.AsOf)
	}
}

// agree holds an assessment to another of the same inputs: sums to 1e-9 of the
// peak, what is decided by them to the letter.
func agree(t *testing.T, got, want *risk.Assessment) {
	t.Helper()
	if got.Version != want.Version || len(got.Sections) != len(want.Sections) {
		t.Fatalf("version %s with %d sections, want %s with %d", got.Version, len(got.Sections), want.Version, len(want.Sections))
	}
	near := func(a, b, scale float64) bool { return math.Abs(a-b) <= 1e-9*scale }
	for i, s := range want.Sections {
		g := got.Sections[i]
		if g.ID != s.ID || g.Class != s.Class || g.Level != s.Level || !near(g.Incidents, s.Incidents, 1+s.Incidents) ||
			!near(g.Undetected.Mean, s.Undetected.Mean, 1+s.Undetected.Mean) || g.Profile != s.Profile {
			t.Fatalf("section %s differs: %+v, want %+v", s.ID, g, s)
		}
	}
	const n = 256
	for _, level := range []int{12, 16, 19} {
		x, y := surface.PixelAt(level, orb.Point{110.4, 1})
		px, py := int(x)-n/2, int(y)-n/2
		for name, tile := range map[string]func(*risk.Assessment) []float64{
			"density": func(a *risk.Assessment) []float64 { return a.DensityTile(a.DefaultView(), level, px, py, n) },
			"hazard":  func(a *risk.Assessment) []float64 { return a.HazardTile(level, px, py, n) },
			"risk":    func(a *risk.Assessment) []float64 { return a.RiskTile(level, px, py, n) },
		} {
			g, w := tile(got), tile(want)
			peak := 0.0
			for _, v := range w {
				if v > peak {
					peak = v
				}
			}
			for i := range w {
				if math.IsNaN(g[i]) && w[i] < 1e-9*peak || math.IsNaN(w[i]) && g[i] < 1e-13*peak {
					continue // next to nothing may become nothing
				}
				if math.IsNaN(g[i]) != math.IsNaN(w[i]) || math.Abs(g[i]-w[i]) > 1e-9*peak {
					t.Fatalf("%s, level %d, pixel %d: %g, want %g, peak %g", name, level, i, g[i], w[i], peak)
				}
			}
		}
	}
	for _, p := range []orb.Point{{110.4, 1}, {110.2, 1.01}} {
		g, w := got.At(p), want.At(p)
		if !near(g.Hazard.Mean, w.Hazard.Mean, w.Hazard.Mean) || len(g.Because) != len(w.Because) {
			t.Fatalf("at %v: %+v, want %+v", p, g, w)
		}
	}
	if !near(got.Scales.Hazard, want.Scales.Hazard, want.Scales.Hazard) {
		t.Fatalf("scales %+v, want %+v", got.Scales, want.Scales)
	}
}

// Assessments made each from the one before, through edits of the layer and the
// passing of time, agree with those made from nothing.
func TestFromPreviousIsTheSame(t *testing.T) {
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 4))
	at := now.AddDate(0, -2, 0)
	some := func(n int) (out []geo.Feature) {
		for range n {
			props := map[string]any{"kind": []string{"irr.exit", "som.attempt", "ret.deportation_arrival"}[r.IntN(3)]}
			if r.IntN(4) == 0 {
				props["location_precision_m"] = float64(3000 * r.IntN(5))
			}
			when := at.Add(time.Duration(r.Float64() * -1300 * 24 * float64(time.Hour)))
			if r.IntN(8) == 0 {
				when = time.Time{}
			}
			out = append(out, incident(110+.9*r.Float64(), .95+.1*r.Float64(), when, props))
		}
		return out
	}
	version := int64(1)
	stamp := func(l *geo.Layer) *geo.Layer {
		version++
		info := l.Info
		info.Version = version
		return l.WithInfo(info)
	}
	layer := incidents(some(400)...)
	tracks := patrols(walk(110.1, 110.4, 3, "ID"))
	var before *risk.Assessment
	for step := range 40 {
		switch r.IntN(5) {
		case 0:
			gone := map[int64]bool{}
			for range 1 + r.IntN(20) {
				gone[layer.FID(r.IntN(layer.Len()))] = true
			}
			layer = stamp(layer.Without(gone))
		case 1: // some change, one is new
			b := geo.NewBuilder(layer.Info)
			for _, f := range some(5) {
				f.FID = layer.FID(r.IntN(layer.Len()))
				b.Add(f)
			}
			b.Add(some(1)[0])
			layer = stamp(layer.Upsert(b.Layer()))
		case 2:
			at = at.Add(time.Duration(r.IntN(15)) * 24 * time.Hour)
		default:
			b := geo.NewBuilder(layer.Info)
			for _, f := range some(1 + r.IntN(12)) {
				b.Add(f)
			}
			layer = stamp(layer.Append(b.Layer()))
		}
		in := risk.Inputs{AsOf: at, Layers: []*geo.Layer{border(), layer, tracks}, Previous: before}
		if step == 25 {
			in.AsOf = at.AddDate(0, -1, 0) // and back again
		}
		before = assess(t, in, unfitted)
		in.Previous = nil
		if step%3 == 0 || step > 24 && step < 28 {
			agree(t, before, assess(t, in, unfitted))
		}
		if t.Failed() {
			t.Fatalf("seed %d, step %d", seed, step)
		}
	}
}

// An assessment of any instant, made from the newest, agrees with one made from
// nothing: of long ago, of times to come, and with a short half-life.
func TestAnyInstantFromPrevious(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 4))
	var some []geo.Feature
	for range 300 {
		some = append(some, incident(110+.9*r.Float64(), .95+.1*r.Float64(), now.AddDate(0, 0, -r.IntN(1500)), nil))
	}
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...)}}
	for _, halfLife := range []float64{365, 10} {
		model := func(m *risk.Model) { m.HalfLifeDays, m.Hazard.Access = halfLife, risk.AccessNone }
		newest := assess(t, in, model)
		newest.HazardTile(16, 825*64, 508*64, 64)
		for _, days := range []int{-40_000, -3000, -900, -1, 1, 150, 900, 60_000} {
			at := in
			at.AsOf, at.Previous = now.AddDate(0, 0, days), newest
			got := assess(t, at, model)
			at.Previous = nil
			agree(t, got, assess(t, at, model))
		}
	}
}

// Many precisions, each its own: what was appended is what a restart reads.
func TestManyPrecisionsFromPrevious(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 4))
	some := func(n int, first float64) (out []geo.Feature) {
		for i := range n {
			out = append(out, incident(110+.9*r.Float64(), .95+.1*r.Float64(), now.AddDate(0, 0, -r.IntN(900)),
				map[string]any{"kind": "irr.exit", "location_precision_m": first + 123.4*float64(i)}))
		}
		return out
	}
	base := incidents(some(60, 5011)...)
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), base}}
	in.Previous = assess(t, in, unfitted)
	b := geo.NewBuilder(base.Info)
	for _, f := range some(60, 5077) {
		b.Add(f)
	}
	more := base.Append(b.Layer())
	more.Info.Version = 2
	in.Layers = []*geo.Layer{border(), more}
	got := assess(t, in, unfitted)
	in.Previous = nil
	agree(t, got, assess(t, in, unfitted))
}

// Another layer in place of the first, most of it the same.
func TestReplacedLayer(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var some []geo.Feature
	for range 200 {
		some = append(some, incident(110+.9*r.Float64(), .95+.1*r.Float64(), now.AddDate(0, 0, -r.IntN(900)), nil))
	}
	tracks := patrols(walk(110.1, 110.4, 3, "ID"))
	first := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some[:150]...), tracks}}, unfitted)
	more := incidents(some...)
	more.Info.Version = 2
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), more, tracks}}
	fresh := assess(t, in, unfitted)
	in.Previous = first
	after := assess(t, in, unfitted)
	if after.Version == first.Version {
		t.Errorf("version %s stays", first.Version)
	}
	agree(t, after, fresh)
}

// Neither the order of layers nor that of rows changes a result.
func TestOrderDoesNotMatter(t *testing.T) {
	a := []geo.Feature{incident(110.2, 1, now, nil), incident(110.3, 1.01, now.AddDate(0, -3, 0), nil), incident(110.31, 1.02, now.AddDate(-1, 0, 0), nil)}
	b := slices.Clone(a)
	slices.Reverse(b)
	one := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(a...)}}, nil)
	two := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{incidents(b...), border()}}, nil)
	for i := range one.Sections {
		x, y := one.Sections[i], two.Sections[i]
		if x.ID != y.ID || math.Abs(x.Undetected.Mean-y.Undetected.Mean) > 1e-12 || x.Class != y.Class || x.Level != y.Level {
			t.Errorf("%s: %v and %v", x.ID, x.Undetected, y.Undetected)
		}
	}
}

// What nobody looked at is never drawn as safe.
func TestUnknownIsNotZero(t *testing.T) {
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(incident(110.05, 1, now, nil)), patrols(walk(110.6, 110.9, 2, "ID"))}}, nil)
	at := func(tile []float64, level, px, py int, lon, lat float64) float64 {
		side := math.Exp2(float64(level))
		s := math.Sin(lat * math.Pi / 180)
		x := int((lon/360+.5)*side) - px
		y := int((0.5-math.Log((1+s)/(1-s))/(4*math.Pi))*side) - py
		return tile[y*256+x]
	}
	const level = 16
	px, py := 52792, 32768-256+20
	riskTile, coverage := a.RiskTile(level, px, py, 256), a.CoverageTile(level, px, py, 256)
	if v := at(riskTile, level, px, py, 110.05, 1); !(v > 0) {
		t.Errorf("at the incident: %g", v)
	}
	if v := at(riskTile, level, px, py, 110.4, 1); !math.IsNaN(v) {
		t.Errorf("where nobody looked: %g", v)
	}
	if v := at(riskTile, level, px, py, 110.7, 1); !(v > 0 && v < at(riskTile, level, px, py, 110.05, 1)/2) {
		t.Errorf("where a patrol looked and nothing is on record: %g", v)
	}
	if v := at(coverage, level, px, py, 110.4, 1); !math.IsNaN(v) {
		t.Errorf("coverage where nobody was: %g", v)
	}
	if v := at(coverage, level, px, py, 110.7, 1); !(v > 0.5) {
		t.Errorf("coverage on the track: %g", v)
	}
}

func TestModelIsChecked(t *testing.T) {
	if err := risk.DefaultModel().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*risk.Model){
		"bandwidth": func(m *risk.Model) { m.BandwidthM = 0 },
		"rule":      func(m *risk.Model) { m.BandwidthRule = "best" },
		"kernel":    func(m *risk.Model) { m.Kernel = "cone" },
		"window":    func(m *risk.Model) { m.WindowDays = -1 },
		"section":   func(m *risk.Model) { m.SectionKM = math.NaN() },
		"widths": func(m *risk.Model) {
			m.Coverage.SweepWidths = []surface.SweepWidth{{Mode: "foot", LowM: 2, MidM: 1, HighM: 3}}
		},
		"cuts":  func(m *risk.Model) { m.LevelCuts = [3]float64{.5, .4, .6} },
		"coast": func(m *risk.Model) { m.Coasts = []risk.Coast{{Name: "x", West: 2, East: 1}} },
	} {
		m := risk.DefaultModel()
		spoil(&m)
		if _, err := risk.Assess(context.Background(), risk.Inputs{Now: now}, m); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := risk.Assess(ctx, risk.Inputs{Now: now}, risk.DefaultModel()); err == nil {
		t.Error("a cancelled assessment was made")
	}
}

// Every cell belongs to the section whose line is nearest, within half a cell.
func TestDomainAgainstBruteForce(t *testing.T) {
	line := orb.LineString{{110, 1}, {110.2, 1.15}, {110.35, 0.95}, {110.6, 1.1}, {110.62, 1.4}}
	b := layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary}, geo.Feature{Geometry: line})
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{b}}, nil)
	r := rand.New(rand.NewPCG(8, 8))
	inside := 0
	for range 1500 {
		p := surface.CellAt(orb.Point{109.7 + 1.2*r.Float64(), 0.6 + 1.2*r.Float64()}).Center()
		best := math.Inf(1)
		for _, s := range a.Sections {
			best = min(best, geo.NearestOnLine(p, s.Line).DistanceM)
		}
		id := a.At(p).SectionID
		if id == "" {
			if best < 24_000 {
				t.Errorf("%v is %g m from the line and has no section", p, best)
			}
			continue
		}
		inside++
		s, _ := a.Section(id)
		if got := geo.NearestOnLine(p, s.Line).DistanceM; got > best+700 || best > 25_000 {
			t.Errorf("%v: section %s at %g m, the nearest is %g m away", p, id, got, best)
		}
	}
	if inside < 500 {
		t.Errorf("only %d places inside", inside)
	}
}

func BenchmarkAssess(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var some []geo.Feature
	for range 20_000 {
		some = append(some, incident(110+.9*r.Float64(), .9+.2*r.Float64(), now.AddDate(0, 0, -r.IntN(900)), nil))
	}
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...), patrols(walk(110.1, 110.4, 3, "ID"))}}
	b.Run("from nothing", func(b *testing.B) {
		for b.Loop() {
			assess(b, in, nil)
		}
	})
	in.Previous = assess(b, in, nil)
	in.AsOf = now
	b.Run("after an upload", func(b *testing.B) {
		for b.Loop() {
			in.Layers[1] = incidents(some...)
			in.Layers[1].Info.Version = 2
			assess(b, in, nil)
		}
	})
}

// The rule of the model chooses the bandwidth, and the report says which and why.
func TestBandwidthRule(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	var some []geo.Feature
	for range 400 { // six places, half a kilometre wide
		some = append(some, incident(110+.15*float64(r.IntN(6))+.005*r.NormFloat64(), 1+.005*r.NormFloat64(), now, nil))
	}
	in := risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some...)}}
	fixed := assess(t, in, nil)
	if fixed.Bandwidth.BandwidthM != 5000 || fixed.Bandwidth.Rule != surface.RuleFixed || fixed.Bandwidth.Why == "" {
		t.Errorf("fixed: %+v", fixed.Bandwidth)
	}
	for _, rule := range []surface.Rule{surface.RuleCV, surface.RuleDiggle, surface.RuleScott} {
		a := assess(t, in, func(m *risk.Model) { m.BandwidthRule = rule })
		b := a.Annex().Bandwidth
		if b.Rule != rule || b.Why == "" || b.BandwidthM == 5000 || a.Version == fixed.Version {
			t.Errorf("%s: %+v", rule, b)
		}
		if rule != surface.RuleScott && (b.BandwidthM < 400 || b.BandwidthM > 4000) {
			t.Errorf("%s chose %g m for clouds of half a kilometre", rule, b.BandwidthM)
		}
		want := a.Density(risk.View{BandwidthM: b.BandwidthM}).At(110, 1)
		if got := a.Density(risk.View{}).At(110, 1); got != want {
			t.Errorf("%s: density %g, want %g", rule, got, want)
		}
	}
	few := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(some[:2]...)}}, func(m *risk.Model) { m.BandwidthRule = surface.RuleCV })
	if few.Bandwidth.Rule == surface.RuleCV || few.Bandwidth.Why == "" {
		t.Errorf("two incidents: %+v", few.Bandwidth)
	}
}

// Values that mean nothing are refused, each by its name.
func TestModelsThatMeanNothing(t *testing.T) {
	for name, edit := range map[string]func(*risk.Model){
		"level_cuts": func(m *risk.Model) { m.LevelCuts = [3]float64{-5, 0, 100} },
		"coast": func(m *risk.Model) {
			m.Coasts = []risk.Coast{{Name: "x", West: -500, South: -200, East: 500, North: 900}}
		},
		"coverage.sweep_widths":  func(m *risk.Model) { m.Coverage.SweepWidths = nil },
		"border_countries":       func(m *risk.Model) { m.BorderCountries = "IDN" },
		"domain_km":              func(m *risk.Model) { m.DomainKM = 200 },
		"hazard.reporting is":    func(m *risk.Model) { m.Hazard.Reporting = "guessed" },
		"hazard.reporting_rate":  func(m *risk.Model) { m.Hazard.ReportingRate = 2 },
		"hazard.most_per_found":  func(m *risk.Model) { m.Hazard.MostPerFound = 0 },
		"reporting_bandwidth_m":  func(m *risk.Model) { m.Hazard.ReportingBandwidthM = 1 },
		"hazard.prior_weight is": func(m *risk.Model) { m.Hazard.PriorWeight = 0 },
	} {
		m := risk.DefaultModel()
		edit(&m)
		if err := m.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := risk.DefaultModel().Validate(); err != nil {
		t.Error(err)
	}
}

// A line that says it runs along a strait is one of water, and both sides of
// a strait are named on either coast.
func TestBorderInAStrait(t *testing.T) {
	line := border()
	f := line.Feature(0)
	f.FID, f.Properties = 0, map[string]any{"countries": "IDN-MYS", "medium": "strait"}
	sides := layer(geo.LayerInfo{ID: "sides", Kind: geo.KindArea, Version: 1},
		geo.Feature{Geometry: orb.Bound{Min: orb.Point{109, 0}, Max: orb.Point{112, 0.9}}.ToPolygon(), Properties: map[string]any{"agency": "BAKAMLA", "country": "ID"}},
		geo.Feature{Geometry: orb.Bound{Min: orb.Point{109, 1.1}, Max: orb.Point{112, 2}}.ToPolygon(), Properties: map[string]any{"agency": "MMEA", "country": "MY"}})
	a := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{layer(line.Info, f), sides}}, nil)
	if len(a.Sections) == 0 || slices.Contains(a.Annex().Missing, risk.NoSections) || !slices.Contains(a.Annex().Missing, risk.NoLandBorder) {
		t.Fatalf("%d sections, missing %v", len(a.Sections), a.Annex().Missing)
	}
	for _, s := range a.Sections {
		if s.Medium != risk.Shore || s.ID[0] != 'W' || !slices.Equal(s.Agencies, []string{"BAKAMLA", "MMEA"}) {
			t.Errorf("%s: %s, %v", s.ID, s.Medium, s.Agencies)
		}
	}
}
