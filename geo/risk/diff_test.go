package risk_test

import (
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
	"github.com/sempadan/sempadan/geo/risk"
)

func compare(from, to *risk.Assessment, f risk.GapFilter) risk.Diff {
	return risk.CompareGaps(risk.Side{Assessment: from}, risk.Side{Assessment: to}, f)
}

// Between two days a gap opens where incidents came, one closes where others
// grew old, and a patrol lowers the residual of a third.
func TestCompareGaps(t *testing.T) {
	var records []geo.Feature
	for range 4 {
		records = append(records,
			incident(110.85, 1, now.AddDate(0, 0, -2), nil), // only later
			incident(110.05, 1, now.AddDate(0, 0, -90), nil),
			incident(110.45, 1, now.AddDate(0, 0, -90), nil),
			incident(110.45, 1, now.AddDate(0, 0, -1), nil), incident(110.45, 1, now.AddDate(0, 0, -91), nil))
	}
	in := []*geo.Layer{border(), incidents(records...), patrols(sweep(110.42, 110.48, 3, "ID")...)}
	change := func(m *risk.Model) { m.BandwidthM, m.TopShare, m.WindowDays, m.HalfLifeDays = 2000, 0.4, 100, 20 }
	early := assess(t, risk.Inputs{AsOf: now.AddDate(0, 0, -10), Layers: in}, change)
	late := assess(t, risk.Inputs{AsOf: now, Layers: in}, change)
	d := compare(early, late, risk.GapFilter{Limit: 1, MinLevel: risk.Critical})
	byPlace := map[string]risk.GapDiff{}
	for _, c := range d.Changes {
		byPlace[c.Section.ID] = c
		if sum := c.Incidents + c.Coverage; math.Abs(sum-c.Residual.Mean) > 1e-12 {
			t.Errorf("%s: %g because of incidents and %g of coverage, together %g", c.Section.ID, c.Incidents, c.Coverage, c.Residual.Mean)
		}
		if c.Residual.Lo > c.Residual.Mean || c.Residual.Hi < c.Residual.Mean || c.Residual.Mean != c.To.Residual.Mean-c.From.Residual.Mean {
			t.Errorf("%s: %+v", c.Section.ID, c.Residual)
		}
		if (c.Change == risk.Opened) != (c.From.Rank == 0) || (c.Change == risk.Closed) != (c.To.Rank == 0) || c.Row == nil {
			t.Errorf("%+v", c)
		}
	}
	at := func(lon float64) risk.GapDiff { return byPlace[late.At(orb.Point{lon, 1}).SectionID] }
	if c := at(110.85); c.Change != risk.Opened || c.Incidents <= 0 || math.Abs(c.Coverage) > 1e-12 {
		t.Errorf("where incidents came: %+v", c)
	}
	if c := at(110.45); c.Coverage >= 0 {
		t.Errorf("where a patrol went: %+v", c)
	}
	// By hand: the split of one section from its rates and chances.
	a, _ := early.Section(late.At(orb.Point{110.45, 1}).SectionID)
	b, _ := late.Section(a.ID)
	want := (a.InterceptionPOD - b.InterceptionPOD) * (a.AnnualRate.Mean + b.AnnualRate.Mean) / 2 * 30 / 365.25
	if c := at(110.45); math.Abs(c.Coverage-want) > 1e-12 {
		t.Errorf("coverage %g, want %g", c.Coverage, want)
	}
	back := compare(late, early, risk.GapFilter{})
	if len(back.Changes) != len(d.Changes) || back.Unchanged != d.Unchanged {
		t.Errorf("%d changes there, %d back", len(d.Changes), len(back.Changes))
	}
	for _, c := range back.Changes {
		f := byPlace[c.Section.ID]
		if c.From.Rank != f.To.Rank || math.Abs(c.Residual.Mean+f.Residual.Mean) > 1e-12 || math.Abs(c.Incidents+f.Incidents) > 1e-12 {
			t.Errorf("back: %+v", c)
		}
	}
	if same := compare(late, late, risk.GapFilter{}); len(same.Changes) != 0 || same.Unchanged != len(late.Gaps(risk.GapFilter{})) {
		t.Errorf("with itself: %+v", same.Changes)
	}
}

func TestFeedsAndMissing(t *testing.T) {
	by := func(daysAgo int, agency string) geo.Feature {
		return incident(110.3, 1, now.AddDate(0, 0, -daysAgo), map[string]any{"kind": "irr.exit", "reporter_agency": agency, "country": "ID", "discovery": "hotline"})
	}
	// BUSY: every day, 30 days to 5 days ago. GONE: every day until 20 days
	// ago. RARE: every 100 days. ONCE: 91 days ago.
	var f []geo.Feature
	for d := 5; d <= 30; d++ {
		f = append(f, by(d, "BUSY"), by(d+15, "GONE"))
	}
	f = append(f, by(60, "RARE"), by(160, "RARE"), by(91, "ONCE"), by(12, "LATELY"))
	in := []*geo.Layer{border(), incidents(f...), patrols(walk(110, 110.5, 3, "MY"))}
	x := assess(t, risk.Inputs{AsOf: now, Layers: in}, nil).Annex()
	silent := map[string]bool{}
	for _, feed := range x.Feeds {
		silent[feed.Agency] = feed.Silent
		if feed.Agency == "GONE" && (feed.Records != 26 || math.Abs(feed.Days-20) > 1e-9 || math.Abs(*feed.UsualDays-1) > 1e-9) {
			t.Errorf("%+v", feed)
		}
	}
	for agency, want := range map[string]bool{"BUSY": false, "GONE": true, "RARE": false, "ONCE": true, "LATELY": false, "A": false} {
		if got, there := silent[agency]; !there || got != want {
			t.Errorf("%s: silent %v, want %v", agency, got, want)
		}
	}
	if x.SilentFeeds != 2 {
		t.Errorf("%d silent feeds", x.SilentFeeds)
	}
	want := []risk.Missing{risk.NoPatrolsID, risk.AllReported, risk.NoJurisdiction}
	if !slices.Equal(x.Missing, want) {
		t.Errorf("missing %v, want %v", x.Missing, want)
	}
	if none := assess(t, risk.Inputs{AsOf: now}, nil).Annex(); !slices.Equal(none.Missing, []risk.Missing{risk.NoSections, risk.NoIncidents, risk.NoPatrols}) {
		t.Errorf("of nothing: %v", none.Missing)
	}
	off := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), patrols(walk(100, 100.2, 3, "MY"))}}, nil).Annex()
	if !slices.Contains(off.Missing, risk.PatrolsOutside) {
		t.Errorf("patrols elsewhere: %v", off.Missing)
	}
}

func TestAnnexShares(t *testing.T) {
	at := func(precision float64) geo.Feature {
		return incident(110.3, 1, now, map[string]any{"kind": "irr.exit", "location_precision_m": precision})
	}
	undated := geo.Feature{Geometry: orb.Point{110.3, 1}, Properties: map[string]any{"kind": "irr.exit"}}
	x := assess(t, risk.Inputs{AsOf: now, Layers: []*geo.Layer{border(), incidents(at(100), at(5000), at(5001), undated)}}, nil).Annex()
	if math.Abs(x.SharePrecise-2.0/3) > 1e-12 || x.WithoutPrecision != 1 || x.ShareWithoutTime != 0.25 || x.PossibleDuplicates != 2 || x.ShareDuplicates != 0.5 || x.ShareBlind != 1 {
		t.Errorf("%+v", x)
	}
}
