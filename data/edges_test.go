package data

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// Lines that end with CR alone are lines, whatever their number, and a CR
// within quotes is a character.
func TestCarriageReturnLines(t *testing.T) {
	text := "name,lon,lat\r" + strings.Repeat("a,110,1\r", 60_000) // more than a window holds
	l, r := mustImport(t, text, geo.KindOther)
	if _, n := warning(r, "cr_line_ends"); l.Len() != 60_000 || n != 1 {
		t.Errorf("%d rows, %+v", l.Len(), r.Warnings)
	}
	_, r, err := importText("name,lon,lat\ra,110,1\rb,NaN,1", geo.KindOther)
	if err != nil || r.Accepted != 1 || r.Rows[0].Row != 3 {
		t.Errorf("%v %+v", err, r)
	}
	l, r = mustImport(t, "\"na\rme\",lon,lat\r\na,110,1\r\n", geo.KindOther)
	if _, n := warning(r, "cr_line_ends"); n != 0 || l.Len() != 1 {
		t.Errorf("%+v", r.Warnings)
	}
}

// What is no number is called so, not a hemisphere.
func TestNoNumberAsCoordinate(t *testing.T) {
	for _, word := range []string{"NaN", "nan", "null", "None", "N/A", "-", "Inf", "south", "E", "tidak ada"} {
		_, r, err := importText("lon,lat\n110,1\n"+word+",1\n", geo.KindOther)
		if err != nil || len(r.Rows) != 1 || r.Rows[0].Code != "bad_coordinate" || strings.Contains(r.Rows[0].Message, "wrong way") || !strings.Contains(r.Rows[0].Message, "is not a decimal number") {
			t.Errorf("%s: %v %+v", word, err, r.Rows)
		}
	}
}

func TestLetteredAngles(t *testing.T) {
	for text, want := range map[string]float64{
		"110d30m15sE": 110.50416666666667, "110D30M15SE": 110.50416666666667, "110d 30m 15s W": -110.50416666666667, "110 deg 30 min E": 110.5, "-110d30m": -110.5, "110d": 110,
		"E 110d30.5m": 110.50833333333334, "110d30m15.5s": 110.50430555555556, "110.5d E": 110.5, "110d30m15": 110.50416666666667, "110d30m15S": 110.50416666666667, "110d30m15s BT": 110.50416666666667,
	} {
		if got, fault := parseAngle([]byte(text), 'x', false); fault != "" || math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v %s", text, got, fault)
		}
	}
	for text, want := range map[string]float64{"1d30m15sN": 1.5041666666666667, "1d30m15sS": -1.5041666666666667, "1d30m15s": 1.5041666666666667, "1d30mS": -1.5, "S1d30m15S": -1.5041666666666667} {
		if got, fault := parseAngle([]byte(text), 'y', false); (fault != "" || math.Abs(got-want) > 1e-9) && text != "S1d30m15S" {
			t.Errorf("%s: %v %s", text, got, fault)
		}
	}
	for _, bad := range []string{"1d30m15S", "1d61mN", "1.5d30mN", "1d30m15sE", "d30m", "1dd30m", "1d30m15s15N"} {
		if got, fault := parseAngle([]byte(bad), 'y', false); fault == "" {
			t.Errorf("%s is %v", bad, got)
		}
	}
	l, _ := mustImport(t, "posisi,n\n1d30m15sN 110d30m15sE,1\n0d30m15sS 110d30m16sE,2\n", geo.KindOther)
	if p, _ := l.Point(1); p[1] > -0.5 || p[0] < 110.5 {
		t.Error(p)
	}
}

// Hours that the clocks of a zone skip or show twice: New York 2024, on
// 10 March at 2 and on 3 November at 2; Lord Howe moves by half an hour.
func TestTimesOfClockChanges(t *testing.T) {
	for _, c := range []struct {
		zone, text, utc   string
		skipped, repeated bool
	}{
		{"America/New_York", "2024-03-10T01:59:59", "2024-03-10T06:59:59Z", false, false},
		{"America/New_York", "2024-03-10T02:30", "2024-03-10T07:30:00Z", true, false},
		{"America/New_York", "2024-03-10T03:00", "2024-03-10T07:00:00Z", false, false},
		{"America/New_York", "2024-11-03T00:59:59", "2024-11-03T04:59:59Z", false, false},
		{"America/New_York", "2024-11-03T01:00", "2024-11-03T05:00:00Z", false, true},
		{"America/New_York", "03/11/2024 01:59", "2024-11-03T05:59:00Z", false, true},
		{"America/New_York", "2024-11-03T02:00", "2024-11-03T07:00:00Z", false, false},
		{"America/New_York", "2024-11-03T01:30-05:00", "2024-11-03T06:30:00Z", false, false},
		{"Australia/Lord_Howe", "2024-04-07T01:45", "2024-04-06T14:45:00Z", false, true},
		{"Asia/Kuala_Lumpur", "1981-12-31T23:45", "1981-12-31T16:15:00Z", true, false},
		{"Asia/Kuching", "2024-11-03T01:30", "2024-11-02T17:30:00Z", false, false},
	} {
		zone, err := ParseZone(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		d := dateReader{zone: zone, order: DMY}
		st, f := d.read([]byte(c.text))
		if f != nil || st.from.Format(time.RFC3339) != c.utc || !st.to.Equal(st.from) || st.skipped != c.skipped || st.repeated != c.repeated {
			t.Errorf("%s in %s: %+v %v", c.text, c.zone, st, f)
		}
	}
	_, r := mustImport(t, "kind,occurred_from,lon,lat\nmar.landing,2024-03-10T02:30,110,1\nmar.landing,2024-11-03T01:30,110,1.1\nmar.landing,2024-11-03T01:31,110,1.1\n", geo.KindIncident,
		func(o *ImportOptions) { o.TZ = "America/New_York" })
	for code, n := range map[string]int{"time_skipped": 1, "time_repeated": 2} {
		if _, got := warning(r, code); got != n {
			t.Errorf("%s %d times: %+v", code, got, r.Warnings)
		}
	}
}
