package data

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func starter(t testing.TB, name string) func(*ImportOptions) {
	t.Helper()
	for _, p := range StarterProfiles() {
		if p.Name == name {
			return func(o *ImportOptions) { p.Apply(o) }
		}
	}
	t.Fatalf("there is no profile %s", name)
	return nil
}

func TestStarterProfilesAreSound(t *testing.T) {
	for _, p := range StarterProfiles() {
		if err := p.Check(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		raw, _ := json.Marshal(p)
		var again Profile
		if err := json.Unmarshal(raw, &again); err != nil || len(again.Map) != len(p.Map) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

func TestMissingMigrantsProfile(t *testing.T) {
	old := "id,date,lon,lat,region,dead,missing,dead_and_missing,survivors,cause,location,route,source_quality\n" +
		"mm-1,2014-01-06,101.2345,2.3456,Southeast Asia,1,4,5,2,Drowning,Strait of Malacca,,5\n" +
		"mm-2,2014-01-12,110.1234,1.2345,Southeast Asia,2,,2,,Vehicle accident,Sarawak,,3\n"
	official := "Main ID,Incident Date,Number of Dead,Minimum Estimated Number of Missing,Cause of Death,Coordinates\n" +
		"2014.MMP1,2014-01-06,1,4,Presumed drowning,\"2.3456, 101.2345\"\n2014.MMP2,2014-01-12,2,,Sickness,\"1.2345, 110.1234\"\n"
	for _, text := range []string{old, official} {
		l, r := mustImport(t, text, geo.KindIncident, starter(t, "missing_migrants"))
		if l.Len() != 2 || l.Text(0, "kind") != "mar.distress_sinking" || l.Text(1, "kind") != "res.recovered_body" || l.Number(0, "deaths") != 1 ||
			l.Number(0, "missing") != 4 || l.Text(0, "reporter_agency") != "IOM" || l.Text(0, "source_system") != "iom_missing_migrants" || l.Text(0, "date_precision") != "day" {
			t.Errorf("%+v\n%+v", r, l.Feature(0))
		}
		if p, _ := l.Point(0); p != (orb.Point{101.2345, 2.3456}) || !strings.Contains(l.ID(0), "1") {
			t.Errorf("%v %s", p, l.ID(0))
		}
	}
	// What is asked for by name comes before the profile.
	l, _ := mustImport(t, old, geo.KindIncident, withMapping(t, "kind:=mar.landing,deaths:dead_and_missing"), starter(t, "missing_migrants"))
	if l.Text(1, "kind") != "mar.landing" || l.Number(0, "deaths") != 5 {
		t.Errorf("%+v", l.Feature(1))
	}
}

func TestSMARTAndEarthRangerProfiles(t *testing.T) {
	smart := "Patrol ID,Waypoint ID,Waypoint Date,Waypoint Time,X,Y,Observer,Observation Category 0\n" +
		"P1,7,05/11/2022,14:30:05,110.1234,1.2345,Budi Santoso,Hidden Boat\nP1,8,30/11/2022,06:00:00,110.2234,1.2345,Budi Santoso,Campsite\n"
	own := Profile{Name: "own", Values: map[string]map[string]string{"kind": {"Hidden boat": "obs.hidden_boat", "*": "obs.suspicious_movement"}}}
	l, r := mustImport(t, smart, geo.KindIncident, starter(t, "smart"), func(o *ImportOptions) { o.TZ, o.Values = "Asia/Kuching", own.Values })
	from, to := l.Times(0)
	if from.Format("2006-01-02T15:04:05Z07:00") != "2022-11-05T06:30:05Z" || !to.Equal(from) || l.Text(0, "kind") != "obs.hidden_boat" || l.Text(1, "kind") != "obs.suspicious_movement" ||
		l.Text(0, "discovery") != "patrol" || l.ID(0) != "7" {
		t.Errorf("%v %+v\n%+v", from, l.Feature(0), r)
	}
	if strings.Contains(written(t, FormatGeoJSON, l), "Budi") {
		t.Error("the observer is stored")
	}
	ranger := `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[110.1234,1.2345]},"properties":{"serial_number":4711,"event_type":"obs.new_path","time":"2022-11-05T06:30:05.123+00:00","reported_by":"Budi"}}]}`
	l, _ = mustImport(t, ranger, geo.KindIncident, starter(t, "earthranger"))
	if strings.Contains(written(t, FormatGeoJSON, l), "Budi") {
		t.Error("who reported is stored")
	}
	if from, _ := l.Times(0); l.ID(0) != "4711" || from.Hour() != 6 || l.Text(0, "kind") != "obs.new_path" || l.Text(0, "source_system") != "earthranger" {
		t.Errorf("%+v", l.Feature(0))
	}
	table := "Report Id,Report Type Internal Value,Reported At,Latitude,Longitude\n12,obs.safehouse,2022-11-05 06:30,1.2345,110.1234\n"
	if l, _ = mustImport(t, table, geo.KindIncident, starter(t, "earthranger")); l.ID(0) != "12" || l.Text(0, "kind") != "obs.safehouse" {
		t.Errorf("%+v", l.Feature(0))
	}
}

// Counts of areas have no place, come back without one, and are in no box.
func TestAggregateStatistics(t *testing.T) {
	text := "area,admin_code,month,measure,value\nNunukan,65.70,2022-11,deportation_arrivals,282\nNunukan,65.70,2022-12,deportation_arrivals,518\n"
	l, r := mustImport(t, text, geo.KindIncident, starter(t, "aggregate_statistics"))
	if l.Len() != 2 || r.Bounds != nil || !l.Bound().IsEmpty() || l.Index().Len() != 0 || l.Text(0, "kind") != "agg.statistic" || l.Number(1, "count") != 518 ||
		l.Text(0, "admin_code") != "65.70" || l.Text(0, "date_precision") != "month" {
		t.Fatalf("%+v %+v", r, l.Feature(0))
	}
	if from, to := l.Times(0); from.Day() != 1 || to.Day() != 30 {
		t.Errorf("%v %v", from, to)
	}
	if _, n := warning(r, "unplaced"); n != 2 {
		t.Errorf("%+v", r.Warnings)
	}
	for _, format := range []string{FormatGeoJSON, FormatGeoJSONSeq, FormatCSV, FormatKML} {
		text := written(t, format, l)
		again, r := mustImport(t, text, geo.KindIncident)
		if again.Len() != 2 || again.Number(0, "count") != 282 || !again.Bound().IsEmpty() {
			t.Errorf("%s: %+v\n%s", format, r, text)
		}
	}
	mustRefuse(t, 422, "no_place_column", text, geo.KindIncident)
	// An incident without a place stays a fault.
	_, r = mustImport(t, "lon,lat,kind,admin_code\n,,irr.exit,65\n,,agg.statistic,65\n112.25,1.25,irr.exit,65\n", geo.KindIncident)
	if r.Accepted != 2 || len(r.Rows) != 1 || r.Rows[0].Code != "no_geometry" || r.Rows[0].Row != 2 {
		t.Errorf("%+v", r)
	}
}

func TestAggregateCountIsNotNegative(t *testing.T) {
	for _, values := range [][2]string{{"-1", "3"}, {"-1", "+3"}} { // a column of numbers, and one of texts
		text := "area,month,measure,value\nNunukan,2022-11,arrivals," + values[0] + "\nNunukan,2022-12,arrivals," + values[1] + "\n"
		_, r := mustImport(t, text, geo.KindIncident, starter(t, "aggregate_statistics"))
		if r.Accepted != 1 || len(r.Rows) != 1 || r.Rows[0].Code != "bad_count" || r.Rows[0].Row != 2 {
			t.Errorf("%v: %+v", values, r)
		}
	}
}

func TestEarthRangerProfileTakesTheZoneOfItsHeader(t *testing.T) {
	for zone, hour := range map[string]int{"GMT+8:0": 22, "GMT+0:0": 6, "GMT-3:30": 10} {
		table := "Report Id,Report Type Internal Value,Reported At (" + zone + "),Latitude,Longitude\n12,obs.safehouse,2022-11-05 06:30,1.2345,110.1234\n"
		l, r := mustImport(t, table, geo.KindIncident, starter(t, "earthranger"))
		if from, _ := l.Times(0); from.Hour() != hour {
			t.Errorf("%s: %v %+v", zone, from, r)
		}
		if _, n := warning(r, "no_zone"); n != 0 {
			t.Errorf("%s: %+v", zone, r.Warnings)
		}
	}
}

func TestProfileCheck(t *testing.T) {
	good := Profile{Name: "a", Kind: geo.KindIncident, Map: map[string]Sources{"deaths": {"dead"}}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*Profile){
		func(p *Profile) { p.Name = "A b" },
		func(p *Profile) { p.Kind = "no" },
		func(p *Profile) { p.TZ = "Mars" },
		func(p *Profile) { p.CRS = "EPSG:1" },
		func(p *Profile) { p.DateOrder = "dym" },
		func(p *Profile) { p.Map = map[string]Sources{"deaths": {}} },
		func(p *Profile) { p.Map = map[string]Sources{"deathz": {"dead"}} },
		func(p *Profile) { p.Map = map[string]Sources{"deaths": {"=1", "dead"}} },
		func(p *Profile) { p.Map = map[string]Sources{"deaths": {"=+62 812 3456 7890"}} },
		func(p *Profile) { p.Values = map[string]map[string]string{"deaths": {"a": "b"}} },
		func(p *Profile) { p.Values = map[string]map[string]string{"kind": {"a": "no.such"}} },
		func(p *Profile) { p.Title = "call +62 812 3456 7890" },
	} {
		p := good
		change(&p)
		var r *Refusal
		if err := p.Check(); !errors.As(err, &r) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// A profile without a kind is held against all kinds: what fits none is told.
func TestProfileWithoutKind(t *testing.T) {
	for what, c := range map[string]struct {
		p  Profile
		ok bool
	}{
		"any column":        {Profile{Map: map[string]Sources{"anything": {"A"}}}, true},
		"code of a kind":    {Profile{Map: map[string]Sources{"mode": {"=foot"}, "kind": {"=mar.landing"}}}, true},
		"code of none":      {Profile{Map: map[string]Sources{"mode": {"=hovercraft"}}}, false},
		"words of a kind":   {Profile{Values: map[string]map[string]string{"kind": {"Drowning": "mar.distress_sinking"}}}, true},
		"words of none":     {Profile{Values: map[string]map[string]string{"kind": {"Drowning": "mar.nonsense"}}}, false},
		"no field of codes": {Profile{Values: map[string]map[string]string{"deaths": {"two": "2"}}}, false},
		"nothing dropped":   {Profile{Drop: []string{""}}, false},
	} {
		c.p.Name = "p"
		if err := c.p.Check(); err == nil != c.ok || err != nil && codeOf(err) != "bad_profile" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A profile's columns need not all be there, whatever the format.
func TestProfileOfTypedFormats(t *testing.T) {
	l, _ := mustImport(t, "dead,lon,lat\n3,110,1\n", geo.KindOther)
	for _, format := range []string{FormatFlatGeobuf, FormatGeoParquet, FormatShapefile} {
		got, _ := importBytes(t, exported(t, format, l), starter(t, "missing_migrants"), func(o *ImportOptions) { o.Info.Kind = geo.KindIncident })
		if got.Number(0, "deaths") != 3 || got.Text(0, "reporter_agency") != "IOM" {
			t.Errorf("%s: %v", format, got.Feature(0).Properties)
		}
	}
}
