package data

import (
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func TestIncidentDefaults(t *testing.T) {
	l, r := mustImport(t, collection(feature(``), feature(`"kind":"tip.presumed","medium":"sea"`)), geo.KindIncident)
	want := map[string]string{"kind": "unknown", "kind_confidence": "possible", "medium": "unknown", "direction": "unknown", "stage": "unknown",
		"discovery": "unknown", "status_id": "unknown", "status_my": "unknown", "release": "national", "handling": "TLP:AMBER", "reporter_agency": "unknown"}
	for name, v := range want {
		if got := l.Text(0, name); got != v {
			t.Errorf("%s is %q", name, got)
		}
		if !slices.Contains(r.Defaults, name) {
			t.Errorf("%s is not listed: %v", name, r.Defaults)
		}
	}
	if l.Text(0, "referral") != "" || l.Text(1, "referral") != "unknown" || l.Text(1, "medium") != "sea" {
		t.Error(l.Feature(1))
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Code != "undated" || r.Warnings[0].Count != 2 {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestUndatedHint(t *testing.T) {
	_, r := mustImport(t, "lon,lat,tanggal\n1,2,2022-01-01\n", geo.KindIncident)
	if w, _ := warning(r, "undated"); len(w) != 1 || !strings.Contains(w[0].Message, "map=occurred_from:tanggal") {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestIncidentValues(t *testing.T) {
	for _, c := range []struct {
		properties string
		want       string // name=literal
		code       string // of the row fault
	}{
		{`"kind":"IRR.Exit"`, `kind="irr.exit"`, ""},
		{`"kind":" som.transport "`, `kind="som.transport"`, ""},
		{`"reporter_agency":"mmea"`, `reporter_agency="APMM/MMEA"`, ""},
		{`"reporter_agency":"TNI PAMTAS"`, `reporter_agency="TNI-PAMTAS"`, ""},
		{`"handling":"tlp:red"`, `handling="TLP:RED"`, ""},
		{`"handling":"TLP GREEN"`, `handling="TLP:GREEN"`, ""},
		{`"info_grade":3`, `info_grade="3"`, ""},
		{`"Severity":3`, `severity=3`, ""},
		{`"severity":"4"`, `severity=4`, ""},
		{`"severity":5.0`, `severity=5`, ""},
		{`"severity":null`, ``, ""},
		{`"severity":""`, ``, ""},
		{`"severity":0`, ``, "out_of_range"},
		{`"severity":6`, ``, "out_of_range"},
		{`"severity":2.5`, ``, "not_an_integer"},
		{`"severity":"bad"`, ``, "not_a_number"},
		{`"severity":true`, ``, "not_a_number"},
		{`"severity":[2]`, ``, "not_a_number"},
		{`"deaths":"26"`, `deaths=26`, ""},
		{`"deaths":-1`, ``, "out_of_range"},
		{`"missing":1.5`, ``, "not_an_integer"},
		{`"persons_total":12`, `persons_total=12`, ""},
		{`"persons_total":"5–9"`, `persons_total="5-9"`, ""},
		{`"persons_total":"many"`, ``, "bad_count"},
		{`"persons_total":-3`, ``, "bad_count"},
		{`"location_precision_m":2500`, `location_precision_m=2500`, ""},
		{`"location_precision_m":-1`, ``, "out_of_range"},
		{`"acts":["recruit","Transport","recruit"]`, `acts=["recruit","transport"]`, ""},
		{`"acts":"recruit; transport"`, `acts=["recruit","transport"]`, ""},
		{`"acts":["flying"]`, `acts=["unknown"]`, ""},
		{`"acts":{"a":1}`, ``, "bad_codes"},
		{`"persons_by_sex":{"female":3,"male":2}`, `persons_by_sex={"female":3,"male":2}`, ""},
		{`"persons_by_sex":{"Siti":3}`, ``, "bad_counts"},
		{`"protect":"ya"`, `protect=true`, ""},
		{`"protect":0`, `protect=false`, ""},
		{`"protect":"perhaps"`, ``, "not_a_boolean"},
		{`"reported_at":"2022-11-05T04:00:00+08:00"`, `reported_at="2022-11-04T20:00:00Z"`, ""},
		{`"reported_at":"soon"`, ``, "bad_date"},
		{`"reported_at":"2151-01-01T00:00:00Z"`, ``, "in_the_future"},
		{`"valid_until":"2151-01-01"`, `valid_until="2151-01-01"`, ""},
		{`"unmapped":"kept"`, `unmapped="kept"`, ""},
	} {
		good := feature(`"occurred_from":"2022-01-01T00:00:00Z"`)
		l, r, err := importText(collection(good, feature(`"occurred_from":"2022-01-01T00:00:00Z",`+c.properties)), geo.KindIncident)
		if err != nil {
			t.Errorf("%s: %v", c.properties, err)
			continue
		}
		if c.code != "" {
			if r.Quarantined != 1 || r.Rows[0].Code != c.code {
				t.Errorf("%s: %+v", c.properties, r)
			}
			continue
		}
		name, want, _ := strings.Cut(c.want, "=")
		got := ""
		l.Literals(1, func(n, literal string) {
			if n == name {
				got = literal
			}
		})
		if r.Quarantined != 0 || got != want {
			t.Errorf("%s: %s, %+v", c.properties, got, r)
		}
	}
}

func TestUnknownCodesAreCounted(t *testing.T) {
	l, r := mustImport(t, collection(feature(`"medium":"tunnel"`), feature(`"medium":"tunnel","stage":"middle"`), feature(`"medium":"hole"`), feature(`"medium":"unknown"`)), geo.KindIncident)
	w, n := warning(r, "unknown_code")
	if len(w) != 2 || n != 4 || w[0].Count != 3 || !strings.Contains(w[0].Message, "medium") || !strings.Contains(w[0].Message, "tunnel") {
		t.Errorf("%+v", w)
	}
	for row := range l.Len() {
		if l.Text(row, "medium") != "unknown" {
			t.Error(l.Feature(row))
		}
	}
}

func TestMapping(t *testing.T) {
	text := "id,date,dead,lon,lat,cause,kind\nmm-1,2014-06-18,9,112.2,1.45,Drowning,x\n"
	l, r := mustImport(t, text, geo.KindIncident, withMapping(t, "occurred_from:date,deaths:dead,kind:=mar.distress_sinking,severity:=4,batch:=7"))
	if l.Text(0, "kind") != "mar.distress_sinking" || l.Number(0, "deaths") != 9 || l.Number(0, "severity") != 4 || l.Number(0, "batch") != 7 || l.ID(0) != "mm-1" {
		t.Error(l.Feature(0).Properties)
	}
	if l.Value(0, "dead") != nil || l.Value(0, "date") != nil || l.Text(0, "cause") != "Drowning" {
		t.Error(l.Feature(0).Properties)
	}
	if w, _ := warning(r, "column_overridden"); len(w) != 1 {
		t.Errorf("%+v", r.Warnings)
	}
	if _, _, dated := l.TimesMS(0); !dated {
		t.Error("undated")
	}
	for _, bad := range []string{"kind:=nonsense", "severity:=9", "deaths:=-1"} {
		mustRefuse(t, 422, "bad_mapping", text, geo.KindIncident, withMapping(t, bad))
	}
	refusal := mustRefuse(t, 422, "unknown_column", collection(feature(`"a":1`)), geo.KindIncident, withMapping(t, "deaths:dead"))
	if !strings.Contains(refusal.Message, "the properties are: a") {
		t.Error(refusal.Message)
	}
}

func TestParseMapping(t *testing.T) {
	m, err := ParseMapping(" occurred_from:date, kind:=mar.landing ,note:=a:b")
	if err != nil || len(m) != 3 || m[0] != (MappedField{Field: "occurred_from", Column: "date"}) || m[1] != (MappedField{Field: "kind", Constant: "mar.landing"}) || m[2].Constant != "a:b" {
		t.Errorf("%+v %v", m, err)
	}
	if m.Map()["kind"] != "=mar.landing" || m.Map()["occurred_from"] != "date" {
		t.Error(m.Map())
	}
	for _, bad := range []string{"a", "a:", ":b", "a:=", "a:b,,c:d", "a:b,a:c", strings.Repeat("x", 300) + ":y"} {
		if _, err := ParseMapping(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	m, err = ParseMapping(`deaths:"Dead, total" ,missing: "The ""lost"", too",kind:="a, b",note:x"y`)
	if err != nil || len(m) != 4 || m[0].Column != "Dead, total" || m[1].Column != `The "lost", too` || m[2].Constant != "a, b" || m[3].Column != `x"y` {
		t.Errorf("%+v %v", m, err)
	}
	for _, bad := range []string{`a:"b`, `a:"b"c`, `a:""`, `a:"b" c,d:e`, `a:="`} {
		if _, err := ParseMapping(bad); codeOf(err) != "bad_mapping" {
			t.Errorf("%q is taken", bad)
		}
	}
	l, _ := mustImport(t, "\"Dead, total\",lon,lat,kind\n3,110,1,mar.landing\n", geo.KindIncident, withMapping(t, `deaths:"Dead, total"`))
	if l.Number(0, "deaths") != 3 {
		t.Error(l.Feature(0).Properties)
	}
	if m, err := ParseMapping(""); m != nil || err != nil {
		t.Error(m, err)
	}
}

func TestUpsert(t *testing.T) {
	b := geo.NewBuilder(geo.LayerInfo{Kind: geo.KindOther})
	b.Add(geo.Feature{FID: 7, ID: "a", Geometry: orb.Point{1, 1}})
	stored := b.Layer()
	fidOf := func(o *ImportOptions) {
		o.Info.NextFID = 100
		o.Upsert, o.Stored = true, stored
	}
	l, r := mustImport(t, "id,lon,lat\na,1,2\nb,3,4\na,5,6\n", geo.KindOther, fidOf)
	if l.Len() != 2 || l.FID(0) != 7 || l.FID(1) != 100 || r.Quarantined != 1 || r.Rows[0].Code != "duplicate_id" {
		t.Errorf("%+v", r)
	}
	_, r = mustImport(t, "id,lon,lat\na,1,2\nb,3,4\na,5,6\n", geo.KindOther)
	if _, n := warning(r, "duplicate_id"); n != 1 || r.Accepted != 3 {
		t.Errorf("%+v", r)
	}
}

func TestFields(t *testing.T) {
	for _, kind := range geo.LayerKinds() {
		from, to := kind.TimeFields()
		names := map[string]bool{}
		for _, f := range Fields(kind) {
			if names[f.Name] {
				t.Errorf("%s: %s twice", kind, f.Name)
			}
			names[f.Name] = true
			if f.Type == TypeCode && (!slices.Contains(f.Codes, "unknown") || f.Default != "" && !slices.Contains(f.Codes, f.Default)) {
				t.Errorf("%s: %s %v %q", kind, f.Name, f.Codes, f.Default)
			}
			for alias, code := range f.aliases {
				if !slices.Contains(f.Codes, code) {
					t.Errorf("%s: %s stands for %s", f.Name, alias, code)
				}
			}
			if (f.Required || f.requiredFor != "") && f.Default == "" {
				t.Errorf("%s: %s has no default", kind, f.Name)
			}
			if kind == geo.KindIncident && judgeName(f.Name) == nameForbidden {
				t.Errorf("the schema's own %s is forbidden", f.Name)
			}
		}
		if !names[from] || !names[to] {
			t.Errorf("%s has no %s or %s", kind, from, to)
		}
	}
	Fields(geo.KindIncident)[3].Codes[0] = "changed"
	if Fields(geo.KindIncident)[3].Codes[0] == "changed" {
		t.Error("the table can be changed from outside")
	}
}

func TestProgress(t *testing.T) {
	var last Progress
	calls := 0
	text := string(benchCSV())
	mustImport(t, text, geo.KindOther, func(o *ImportOptions) {
		o.Progress = func(p Progress) {
			if p.Rows < last.Rows || p.Bytes < last.Bytes {
				t.Error("went back", last, p)
			}
			last, calls = p, calls+1
		}
	})
	if calls < 20 || last.Rows != benchRows || last.Bytes != int64(len(text)) {
		t.Error(calls, last)
	}
}

// Rows in the form of a police record: local times, a code with a leading zero.
func TestLocalTimes(t *testing.T) {
	l, r := mustImport(t, "id,datetime,lon,lat,category,crime_code\nstl-1,2008-01-01T00:01,-90.228759,38.663981,other,021000\nstl-2,2008-07-01T00:01,-90.21,38.61,other,179210\n",
		geo.KindIncident, withMapping(t, "occurred_from:datetime"), func(o *ImportOptions) { o.TZ = "America/Chicago" })
	winter, _ := l.Times(0)
	summer, _ := l.Times(1)
	if winter.Format("15:04") != "06:01" || summer.Format("15:04") != "05:01" || l.Text(0, "crime_code") != "021000" || l.Text(1, "crime_code") != "179210" {
		t.Error(winter, summer, l.Feature(0))
	}
	if len(r.Warnings) > 0 {
		t.Errorf("%+v", r.Warnings)
	}
}
