package data

import (
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/geo"
)

func TestReadDate(t *testing.T) {
	jakarta, err := ParseZone("Asia/Jakarta")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, from, to string // UTC; to "" is the same
		code           string
	}{
		{"2022-11-05T04:00:00Z", "2022-11-05T04:00:00Z", "", ""},
		{" 2022-11-05T04:00 ", "2022-11-04T21:00:00Z", "", ""},
		{"2022-11-05 04:00:30", "2022-11-04T21:00:30Z", "", ""},
		{"2022-11-05T04:00:00+08:00", "2022-11-04T20:00:00Z", "", ""},
		{"2022-11-05T04:00:00.250+0800", "2022-11-04T20:00:00.25Z", "", ""},
		{"2022-11-05T04:00:00-03", "2022-11-05T07:00:00Z", "", ""},
		{"2022-11-05 14.30 WITA", "2022-11-05T06:30:00Z", "", ""},
		{"5 November 2022 2:05 pm MYT", "2022-11-05T06:05:00Z", "", ""},
		{"2022-11-05", "2022-11-04T17:00:00Z", "2022-11-05T16:59:59Z", ""},
		{"2022/11/05", "2022-11-04T17:00:00Z", "2022-11-05T16:59:59Z", ""},
		{"20221105", "2022-11-04T17:00:00Z", "2022-11-05T16:59:59Z", ""},
		{"30/07/2022", "2022-07-29T17:00:00Z", "2022-07-30T16:59:59Z", ""},
		{"30.7.2022 07:00 WIB", "2022-07-30T00:00:00Z", "", ""},
		{"5 Ogos 2022", "2022-08-04T17:00:00Z", "2022-08-05T16:59:59Z", ""},
		{"5 Agustus 2022", "2022-08-04T17:00:00Z", "2022-08-05T16:59:59Z", ""},
		{"05-Dis-2022", "2022-12-04T17:00:00Z", "2022-12-05T16:59:59Z", ""},
		{"March 5, 2022", "2022-03-04T17:00:00Z", "2022-03-05T16:59:59Z", ""},
		{"2024-02", "2024-01-31T17:00:00Z", "2024-02-29T16:59:59Z", ""},
		{"Mei 2022", "2022-04-30T17:00:00Z", "2022-05-31T16:59:59Z", ""},
		{"5 Agt 2022 10:00 WIB", "2022-08-05T03:00:00Z", "", ""},
		{"5 Julai 2022", "2022-07-04T17:00:00Z", "2022-07-05T16:59:59Z", ""},
		{"12 Mac 2022 jam 08:00 MYT", "2022-03-12T00:00:00Z", "", ""},
		{"Senin, 7 November 2022 pukul 14.30 WIT", "2022-11-07T05:30:00Z", "", ""},
		{"Jum'at 4 Nopember 2022", "2022-11-03T17:00:00Z", "2022-11-04T16:59:59Z", ""},
		{"Isnin 30/07/2022", "2022-07-29T17:00:00Z", "2022-07-30T16:59:59Z", ""},
		{"2022-11-05 04:00 UTC+8", "2022-11-04T20:00:00Z", "", ""},
		{"2022-11-05 04:00 (UTC+08:00)", "2022-11-04T20:00:00Z", "", ""},
		{"2022-11-05 04:00 GMT-3:30", "2022-11-05T07:30:00Z", "", ""},
		{"2022-11-05 04:00 UTC", "2022-11-05T04:00:00Z", "", ""},
		{"2022-11-05 04:00 (WITA)", "2022-11-04T20:00:00Z", "", ""},
		{"2022-11-05 04:00 UTC+15", "", "", "bad_zone"},
		{"2022-11-05 04:00 (", "", "", "bad_zone"},
		{"Senin", "", "", "bad_date"},
		{"2023-02-29", "", "", "bad_date"},
		{"2022-13-01", "", "", "bad_date"},
		{"0001-01-01", "", "", "bad_date"},
		{"31/31/2022", "", "", "bad_date"},
		{"04/05/22", "", "", "two_digit_year"},
		{"5 Nov 22", "", "", "two_digit_year"},
		{"44870", "", "", "excel_serial"},
		{"44870.5", "", "", "excel_serial"},
		{"1667620800", "", "", "unix_time"},
		{"1667620800000", "", "", "unix_time"},
		{"T09:55:59Z", "", "", "time_without_date"},
		{"09:55", "", "", "time_without_date"},
		{"2022-11-05T25:00:00Z", "", "", "bad_time"},
		{"2022-11-05T04:00:00 Mars", "", "", "bad_zone"},
		{"yesterday", "", "", "bad_date"},
		{"12", "", "", "bad_date"},
	} {
		d := dateReader{zone: jakarta, row: 1}
		st, f := d.read([]byte(c.text))
		if c.code != "" {
			if f == nil || f.code != c.code {
				t.Errorf("%q: fault %+v, expected %s", c.text, f, c.code)
			}
			continue
		}
		if f != nil {
			t.Errorf("%q: %+v", c.text, f)
			continue
		}
		to := c.to
		if to == "" {
			to = c.from
		}
		if st.from.Format(time.RFC3339Nano) != c.from || st.to.Format(time.RFC3339Nano) != to {
			t.Errorf("%q: %v to %v", c.text, st.from, st.to)
		}
	}
}

func TestParseZone(t *testing.T) {
	for _, name := range []string{"", "UTC", "Z", "wib", "WITA", "Asia/Kuching", "+07:00", "-0330", "+8:00x", "Local", "../etc/passwd", "Mars/Olympus", "+99:00"} {
		_, err := ParseZone(name)
		bad := strings.ContainsAny(name, "xL.M9")
		if (err != nil) != bad {
			t.Errorf("%q: %v", name, err)
		}
	}
}

const dateHead = "lat,lon,occurred_from,occurred_to\n"

func dateTable(dates ...string) string {
	var b strings.Builder
	b.WriteString(dateHead)
	for _, d := range dates {
		from, to, _ := strings.Cut(d, "|")
		b.WriteString("1.45,112.2," + from + "," + to + "\n")
	}
	return b.String()
}

func froms(l *geo.Layer) string {
	var out []string
	for row := range l.Len() {
		from, _ := l.Times(row)
		out = append(out, from.Format("0102"))
	}
	return strings.Join(out, " ")
}

func TestDateOrder(t *testing.T) {
	order := func(o DateOrder) func(*ImportOptions) {
		return func(opts *ImportOptions) { opts.DateOrder, opts.TZ = o, "UTC" }
	}
	for _, c := range []struct {
		name     string
		order    DateOrder
		dates    []string
		want     string
		warned   int
		rejected int
	}{
		{"default is day first", "", []string{"04/05/2022", "06/07/2022"}, "0504 0706", 2, 0},
		{"same either way", "", []string{"05/05/2022"}, "0505", 0, 0},
		{"proven day first", "", []string{"04/05/2022", "30/07/2022", "06/07/2022"}, "0504 0730 0706", 0, 0},
		{"proven month first, the first rows follow", "", []string{"04/05/2022", "07/30/2022", "06/07/2022"}, "0405 0730 0607", 0, 0},
		{"a row that contradicts the proof", "", []string{"07/30/2022", "30/07/2022"}, "0730", 0, 1},
		{"declared month first", MDY, []string{"04/05/2022"}, "0405", 0, 0},
		{"declared, contradicted", DMY, []string{"04/05/2022", "07/30/2022"}, "0504", 0, 1},
		{"declared year first", YMD, []string{"2022/05/04", "04/05/2022"}, "0504", 0, 1},
		{"interval turned round by the proof", "", []string{"04/05/2022|05/04/2022", "07/30/2022"}, "0405 0730", 0, 0},
		{"interval reversed in the order settled on", "", []string{"04/05/2022|05/04/2022", "30/07/2022"}, "0730", 0, 1},
		{"future in the order settled on", "", []string{"02/12/2026", "01/02/2022"}, "0201", 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := mustImport(t, dateTable(c.dates...), geo.KindIncident, order(c.order))
			if got := froms(l); got != c.want {
				t.Errorf("dates %s, expected %s", got, c.want)
			}
			if _, n := warning(r, "date_order"); n != c.warned || r.Quarantined != c.rejected || r.Accepted != l.Len() {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestDateOrderOfProperties(t *testing.T) {
	text := collection(
		feature(`"occurred_from":"2022-01-01T00:00:00Z","reported_at":"04/05/2022"`),
		feature(`"occurred_from":"2022-01-01T00:00:00Z","reported_at":"07/30/2022"`))
	l, _ := mustImport(t, text, geo.KindIncident)
	if a, b := l.Text(0, "reported_at"), l.Text(1, "reported_at"); a != "2022-04-05" || b != "2022-07-30" {
		t.Errorf("%s, %s", a, b)
	}
}

func TestTimesOfIncidents(t *testing.T) {
	l, r := mustImport(t, collection(
		feature(`"occurred_from":"2022-11-05"`),
		feature(`"occurred_from":"2022-11","occurred_to":null`),
		feature(`"occurred_from":"2022-11-05T04:00:00Z","occurred_to":"2022-11-06"`),
		feature(`"occurred_from":""`),
		feature(`"occurred_from":"2022-11-06","occurred_to":"2022-11-05"`),
		feature(`"occurred_from":"2026-11-22T23:00:00Z"`),
		feature(`"occurred_from":"2026-11-23T01:00:00Z"`),
		feature(`"occurred_from":1667620800`),
	), geo.KindIncident, func(o *ImportOptions) { o.TZ = "WITA" })
	if l.Len() != 5 || r.Quarantined != 3 {
		t.Fatalf("%+v", r)
	}
	from, to := l.Times(0)
	if from.Format(time.RFC3339) != "2022-11-04T16:00:00Z" || to.Format(time.RFC3339) != "2022-11-05T15:59:59Z" || l.Text(0, "date_precision") != "day" {
		t.Error(from, to)
	}
	if l.Text(1, "date_precision") != "month" || l.Text(2, "date_precision") != "" {
		t.Error("precision")
	}
	if _, _, dated := l.TimesMS(3); dated {
		t.Error("an empty date counts")
	}
	for i, code := range []string{"interval_reversed", "in_the_future", "unix_time"} {
		if r.Rows[i].Code != code {
			t.Errorf("fault %d: %+v", i, r.Rows[i])
		}
	}
	if _, n := warning(r, "undated"); n != 1 {
		t.Errorf("%+v", r.Warnings)
	}
	if w, _ := warning(r, "no_zone"); w != nil {
		t.Error("a declared zone warns")
	}
}

func TestPlacesKeepOddTimes(t *testing.T) {
	l, r := mustImport(t, collection(feature(`"from":"Batam","to":"Johor"`), feature(`"from":"2020-01-01","to":"9999-12-31"`)), geo.KindCrossing)
	if l.Text(0, "from") != "Batam" || l.Text(0, "to") != "Johor" {
		t.Error("places lost")
	}
	if _, n := warning(r, "not_a_time"); n != 2 {
		t.Errorf("%+v", r.Warnings)
	}
	if _, to := l.Times(1); to.Year() != 9999 {
		t.Error(to)
	}
}
