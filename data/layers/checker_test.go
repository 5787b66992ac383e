package layers

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sempadan/sempadan/data"
	"github.com/sempadan/sempadan/geo"
)

func TestCheckerOnKnownPlaces(t *testing.T) {
	check := Checker()
	incident := func(lon, lat float64, medium, kind, direction, code string, precisionM int) string {
		return fmt.Sprintf("lon,lat,medium,kind,direction,admin_code,location_precision_m\n%g,%g,%s,%s,%s,%s,%d\n", lon, lat, medium, kind, direction, code, precisionM)
	}
	for _, c := range []struct {
		name, text, want string
	}{
		{"a road in Kuching", incident(110.3441, 1.5572, "road", "irr.exit", "", "", 100), ""},
		{"a road in the South China Sea", incident(110.5012, 3.5012, "road", "irr.exit", "", "", 100), data.CheckAtSea},
		{"a path at sea, but it may be 400 km off", incident(110.5012, 3.5012, "land_path", "irr.exit", "", "", 400_000), ""},
		{"a boat off Kuching", incident(110.5012, 3.5012, "sea", "mar.interception", "", "", 100), ""},
		{"a boat in the hills", incident(115.2012, 3.5012, "sea", "mar.interception", "", "", 100), data.CheckOnLand},
		{"a boat in the hills by its kind", incident(115.2012, 3.5012, "", "mar.distress_sinking", "", "", 100), data.CheckOnLand},
		{"a port", incident(115.2012, 3.5012, "port", "irr.exit", "", "", 100), ""},
		{"Kuching as internal to Indonesia", incident(110.3441, 1.5572, "road", "irr.exit", "internal_id", "", 100), data.CheckWrongSide},
		{"Kuching as internal to Malaysia", incident(110.3441, 1.5572, "road", "irr.exit", "internal_my", "", 100), ""},
		{"Kuching by a code of Kalimantan", incident(110.3441, 1.5572, "road", "irr.exit", "", "61.01", 100), data.CheckWrongSide},
		{"Pontianak by a code of Kalimantan", incident(109.3431, -0.0261, "road", "irr.exit", "", "61.71", 100), ""},
		{"a place outside the map", incident(-74.0061, 40.7127, "sea", "irr.exit", "internal_id", "", 100), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := codes(t, c.text, geo.KindIncident, check); got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
	post := "name,lon,lat,country\nA,110.3441,1.5572,%s\n"
	if got := codes(t, fmt.Sprintf(post, "ID"), geo.KindPost, check); got != data.CheckWrongSide {
		t.Errorf("a post: %q", got)
	}
	if got := codes(t, fmt.Sprintf(post, "MY"), geo.KindPost, check); got != "" {
		t.Errorf("a post: %q", got)
	}
}

// codes returns the codes of the checks that a file is warned of.
func codes(t *testing.T, text string, kind geo.LayerKind, check func(data.Candidate) []data.Finding) string {
	t.Helper()
	_, r, err := data.Import(context.Background(), strings.NewReader(text), data.ImportOptions{
		Info: geo.LayerInfo{ID: "t", Kind: kind}, Check: check, Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, w := range r.Warnings {
		if w.Rows != nil {
			out = append(out, w.Code)
		}
	}
	return strings.Join(out, " ")
}

// What the public record says of its places must fit the map: the checks are
// not there to cry wolf.
func TestCheckerAgreesWithTheRecord(t *testing.T) {
	for _, id := range []string{"reported_incidents", "official_crossings", "informal_paths", "illegal_ports", "water_crossings"} {
		l := load(t, id)
		var text bytes.Buffer
		if err := data.Write(&text, data.FormatGeoJSON, l, nil); err != nil {
			t.Fatal(err)
		}
		_, r, err := data.Import(context.Background(), &text, data.ImportOptions{Info: geo.LayerInfo{ID: id, Kind: l.Info.Kind}, Check: Checker()})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range r.Warnings {
			if w.Rows != nil {
				t.Logf("%s: %s %d of %d: %s %v", id, w.Code, w.Count, l.Len(), w.Message, w.Rows)
			}
			if (w.Code == data.CheckAtSea || w.Code == data.CheckOnLand || w.Code == data.CheckWrongSide) && w.Count > l.Len()/20 {
				t.Errorf("%s: %d of %d are %s", id, w.Count, l.Len(), w.Code)
			}
		}
	}
}

func BenchmarkChecker(b *testing.B) {
	land := NewLocator(load(b, "land"), "country")
	claim := placeClaim{land: true, country: "ID", slackM: 500}
	l := load(b, "reported_incidents")
	i := 0
	for b.Loop() {
		p, _ := l.Point(i % l.Len())
		judgePlace(land, p, claim)
		i++
	}
}
