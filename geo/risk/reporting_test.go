package risk_test

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

// twoDistricts is a border whose west reports five times as much as its east;
// patrols go along all of it every six hours for three months.
func twoDistricts(reportedWest, reportedEast int) risk.Inputs {
	var line orb.LineString
	for lon := 110.0; lon <= 114; lon += 0.01 {
		line = append(line, orb.Point{lon, 1.2})
	}
	border := layer(geo.LayerInfo{ID: "border", Kind: geo.KindBoundary, Version: 1},
		geo.Feature{Geometry: line, Properties: map[string]any{"countries": "IDN-MYS"}})
	var tracks, records []geo.Feature
	for n := range 360 {
		start := now.Add(-time.Duration(n) * 6 * time.Hour)
		var way orb.LineString
		var times []time.Time
		for lon := 110.0; lon <= 114; lon += 0.05 {
			way = append(way, orb.Point{lon, 1.2})
			times = append(times, start.Add(time.Duration((lon-110)*float64(time.Hour))))
		}
		tracks = append(tracks, geo.Feature{Geometry: way, From: times[0], To: times[len(times)-1], VertexTimes: times,
			Properties: map[string]any{"country": "ID", "agency": "P", "mode": "vehicle", "sweep_width_m": 1500.0}})
	}
	add := func(lon float64, discovery string, n int) {
		for i := range n {
			records = append(records, incident(lon+0.002*float64(i%5), 1.2, now.Add(-time.Duration(1+i)*time.Hour),
				map[string]any{"kind": "irr.exit", "discovery": discovery}))
		}
	}
	for _, lon := range []float64{110.5, 110.8, 111.1} {
		add(lon, "patrol", 20)
		add(lon, "reported_public", reportedWest)
		add(lon+2, "patrol", 20)
		add(lon+2, "hotline", reportedEast)
	}
	return risk.Inputs{AsOf: now, Layers: []*geo.Layer{border, incidents(records...), patrols(tracks...)}}
}

// Where more of what patrols also meet is reported, more of all is: as many
// incidents on record mean fewer incidents.
func TestReportingRateBySection(t *testing.T) {
	in := twoDistricts(50, 10)
	a := assess(t, in, nil)
	if a.Reporting.Why != "" {
		t.Fatalf("not fitted: %s", a.Reporting.Why)
	}
	rate := func(lon float64) float64 { return a.At(orb.Point{lon, 1.2}).ReportingRate.Mean }
	west, east := rate(110.8), rate(112.8)
	if ratio := west / east; ratio < 2.5 || ratio > 5 {
		t.Errorf("rates %.3f and %.3f: %.2f times as much, want most of 5", west, east, ratio)
	}
	for _, s := range a.Sections {
		if !(s.ReportingRate.Mean > 0 && s.ReportingRate.Mean <= 1 && s.ReportingRate.CV > 0) {
			t.Errorf("section %s: %+v", s.ID, s.ReportingRate)
		}
	}
	fixed := assess(t, in, func(m *risk.Model) { m.Hazard.Reporting = risk.ReportingFixed })
	if fixed.Reporting.Why == "" || fixed.At(orb.Point{110.8, 1.2}).ReportingRate.Mean != fixed.Model.Hazard.ReportingRate {
		t.Errorf("fixed: %+v", fixed.Reporting)
	}
	if fitted, plain := a.At(orb.Point{112.8, 1.2}).Hazard.Mean, fixed.At(orb.Point{112.8, 1.2}).Hazard.Mean; !(fitted > plain) {
		t.Errorf("hazard in the east %.3g, %.3g with one rate for all: want more", fitted, plain)
	}
	// Nothing of it outlives its records.
	none := assess(t, twoDistricts(0, 0), nil)
	if none.Reporting.Why == "" {
		t.Errorf("fitted without reports: %+v", none.Reporting.Rate)
	}
}

// Places outside the domain report at the model's rate, whatever sections do.
func TestReportingOutsideTheDomain(t *testing.T) {
	in := twoDistricts(50, 10)
	far := incident(112, 3.5, now.Add(-time.Hour), map[string]any{"kind": "irr.exit"})
	in.Layers = append(in.Layers, layer(geo.LayerInfo{ID: "far", Kind: geo.KindIncident, Version: 1}, far))
	no := func(m *risk.Model) { m.Hazard.Access = risk.AccessNone }
	fitted := assess(t, in, no)
	fixed := assess(t, in, func(m *risk.Model) { no(m); m.Hazard.Reporting = risk.ReportingFixed })
	p := orb.Point{112, 3.5}
	got, want := fitted.At(p).Hazard.Mean, fixed.At(p).Hazard.Mean
	if math.Abs(got-want) > 0.1*want {
		t.Errorf("hazard %g far off, %g with one rate for all", got, want)
	}
}

// By hand: three sections' records where patrols meet P of the incidents stand
// for 1/P each, and the density of found against reported records says where
// the record is bent.
func TestFoundInSections(t *testing.T) {
	a := assess(t, twoDistricts(50, 10), nil)
	records, corrected := 0, 0.0
	for _, s := range a.Sections {
		f := a.FoundIn(s.ID)
		records += f.Records
		corrected += f.Corrected
		if f.Records > 0 && !(f.Corrected > float64(f.Records) && f.SD > 0) {
			t.Errorf("section %s: %+v", s.ID, f)
		}
	}
	if records != 120 || corrected > 120*a.Model.Hazard.MostPerFound {
		t.Errorf("%d records stand for %.0f incidents, want 120 records", records, corrected)
	}
	west, east := a.At(orb.Point{110.8, 1.2}).PatrolBias, a.At(orb.Point{112.8, 1.2}).PatrolBias
	if west == nil || east == nil {
		t.Fatal("no bias where there are records of both kinds")
	}
	// Shares: 1/2 found against 5/6 reported in the west, 1/2 against 1/6 in the east.
	if math.Abs(*west-0.6) > 0.01 || math.Abs(*east-3) > 0.05 {
		t.Errorf("bias %.3f and %.3f, by hand 0.6 and 3", *west, *east)
	}
	if b := a.At(orb.Point{100, -5}).PatrolBias; b != nil {
		t.Errorf("bias %g where nothing is on record", *b)
	}
}

// Patrols that come after the incidents count as if they had been there first,
// and numbers that differ have versions that do.
func TestFitFollowsTheOrderOfUploads(t *testing.T) {
	in := twoDistricts(50, 10)
	fresh := assess(t, in, nil)
	without := assess(t, risk.Inputs{AsOf: now, Layers: in.Layers[:2]}, nil)
	in.Previous = without
	after := assess(t, in, nil)
	if after.Reporting.Why != "" || after.Version != fresh.Version {
		t.Fatalf("after the patrols came: %+v, version %s; from nothing %s", after.Reporting, after.Version, fresh.Version)
	}
	p := orb.Point{112.8, 1.2}
	if got, want := after.At(p).Hazard.Mean, fresh.At(p).Hazard.Mean; math.Abs(got-want) > 1e-9*want {
		t.Errorf("hazard %g, %g from nothing", got, want)
	}
	// One record more keeps the fit, and says so by its version.
	more := in
	more.Layers = append(append([]*geo.Layer(nil), in.Layers...), layer(geo.LayerInfo{ID: "more", Kind: geo.KindIncident, Version: 1},
		incident(112, 1.2, now.Add(-time.Hour), map[string]any{"kind": "irr.exit"})))
	more.Previous = fresh
	kept := assess(t, more, nil)
	more.Previous = nil
	anew := assess(t, more, nil)
	if kept.Reporting != fresh.Reporting || anew.Reporting == fresh.Reporting {
		t.Fatal("the fit was not kept, or not made anew")
	}
	if kept.At(p).Hazard.Mean != anew.At(p).Hazard.Mean && kept.Version == anew.Version {
		t.Errorf("two numbers of one version: %g and %g", kept.At(p).Hazard.Mean, anew.At(p).Hazard.Mean)
	}
}
