package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

func TestAngles(t *testing.T) {
	for _, c := range []struct {
		text  string
		axis  byte
		want  float64 // NaN: a fault
		comma bool
	}{
		{"112.2", 'x', 112.2, false},
		{`1°23'45.6"N`, 'y', 1.396, false},
		{`1° 23' 45.6" S`, 'y', -1.396, false},
		{`1°23′45.6″N`, 'y', 1.396, false},
		{"1 23 45 N", 'y', 1 + 23./60 + 45./3600, false},
		{"01:23:45", 'y', 1 + 23./60 + 45./3600, false},
		{"1 23.5", 'y', 1 + 23.5/60, false},
		{"N1.2345", 'y', 1.2345, false},
		{"N 1.2345°", 'y', 1.2345, false},
		{"109,5 E", 'x', 109.5, true},
		{"109°30'00''BT", 'x', 109.5, false},
		{"109 30 Bujur Timur", 'x', 109.5, false},
		{"1 30 LU", 'y', 1.5, false},
		{"1 30 ls", 'y', -1.5, false},
		{"1,5 selatan", 'y', -1.5, true},
		{"0°30'0\"S", 'y', -0.5, false},
		{"-0 30 0", 'y', -0.5, false},
		{"+1 30", 'y', 1.5, false},
		{"12.5W", 'x', -12.5, false},
		{"112.2 N", 'x', math.NaN(), false}, // a latitude
		{"-1.5 S", 'y', math.NaN(), false},
		{"1 60 0", 'y', math.NaN(), false},
		{"1.5 30", 'y', math.NaN(), false},
		{"1 -30", 'y', math.NaN(), false},
		{"1 2 3 4", 'y', math.NaN(), false},
		{"01-Apr", 'y', math.NaN(), false},
		{"1d23m45s", 'y', 1.3958333333333333, false}, // the s is no hemisphere
		{"", 'y', math.NaN(), false},
		{"N", 'y', math.NaN(), false},
		{"1,5", 'y', math.NaN(), false},
		{"0x10", 'y', math.NaN(), false},
	} {
		got, fault := parseAngle([]byte(c.text), c.axis, c.comma)
		if (fault != "") != (c.want != c.want) || fault == "" && math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%q: %v %q, expected %v", c.text, got, fault, c.want)
		}
	}
}

// Every way of writing an angle gives it back.
func TestAnglesRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	for range 2000 {
		want := math.Round((rnd.Float64()*360-180)*36e5) / 36e5 // milliseconds of arc
		side := "E"
		if want < 0 {
			side = "W"
		}
		ms := int(math.Round(math.Abs(want) * 36e5))
		d, m, s := ms/3600000, ms/60000%60, float64(ms%60000)/1000
		for _, text := range []string{
			fmt.Sprintf("%.9f", want), fmt.Sprintf("%d°%02d'%06.3f\"%s", d, m, s, side), fmt.Sprintf("%s %d %d %.3f", side, d, m, s),
			fmt.Sprintf("%.9f %s", math.Abs(want), side), fmt.Sprintf("%d:%02d:%06.3f %s", d, m, s, strings.ToLower(side)),
			strings.ReplaceAll(fmt.Sprintf("%d %02d %06.3f%s", d, m, s, side), ".", ","),
		} {
			if got, fault := parseAngle([]byte(text), 'x', strings.Contains(text, ",")); fault != "" || math.Abs(got-want) > 2e-9 {
				t.Fatalf("%q: %v %s, expected %v", text, got, fault, want)
			}
		}
	}
}

func TestCoordinateColumns(t *testing.T) {
	want := orb.Point{112.25, 1.5}
	for _, c := range []struct{ text, mapping string }{
		{"lat,lon\n1°30'N,112°15'E\n", ""},
		{"lat;lon\n1,5;112,25\n", ""},
		{"lat\tlon\nN1.5\tE112.25\n", ""},
		{"lat|lon\n1 30 0 N|112 15 0 E\n", ""},
		{"lat,lon\n\"1,5\",\"112,25 BT\"\n", ""},
		{"tempat,x\n\"1.5, 112.25\",a\n", "latlon:tempat"},
		{"tempat,x\n\"112.25, 1.5\",a\n", "lonlat:tempat"},
		{"tempat;x\n(1,5; 112,25);a\n", ""},
		{"tempat;x\n1.5 112.25;a\n", "latlon:tempat"},
		{"tempat,x\n1°30'N 112°15'E,a\n", "latlon:tempat"},
		{"koordinat,x\n\"1.5, 112.25\",a\n\"1.6, 112.3\",b\n", ""}, // only one order fits
		{"wkt,x\nPOINT(112.25 1.5),a\n", ""},
	} {
		if c.mapping == "" && strings.HasPrefix(c.text, "tempat") {
			mustRefuse(t, 422, "no_place_column", c.text, geo.KindOther)
			continue
		}
		l, r := mustImport(t, c.text, geo.KindOther, withMapping(t, c.mapping))
		if p, _ := l.Point(0); p != want || l.Len() != r.Accepted || r.Quarantined > 0 {
			t.Errorf("%q: %v %+v", c.text, p, r)
		}
	}
	_, r, err := importText("lat,lon\n112°15'E,1°30'N\n", geo.KindOther)
	if err == nil || !strings.Contains(r.Rows[0].Message, "wrong way round") {
		t.Errorf("%+v", r)
	}
	// Both orders fit: nothing is guessed.
	mustRefuse(t, 422, "no_place_column", "coordinates\n\"1.5, 12.25\"\n", geo.KindOther)
}

func FuzzAngle(f *testing.F) {
	for _, s := range []string{`1°23'45.6"N`, "N1.2345", "109,5 E", "1 23 45 LU", "-0 30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, axis := range []byte{'x', 'y'} {
			v, fault := parseAngle([]byte(s), axis, true)
			if fault == "" && (v != v || v == 0 && strings.ContainsAny(s, "123456789") && !strings.ContainsAny(s, "eE0")) {
				t.Fatalf("%q: %v", s, v)
			}
		}
		parsePair([]byte(s), true)
	})
}
