package layers

import (
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

func TestAreas(t *testing.T) {
	g := ground(t)
	var ids []string
	for _, a := range Areas() {
		ids = append(ids, a.ID)
		if a.Country != "ID" || a.Counterpart.Country != "MY" || len(a.Variants) == 0 {
			t.Errorf("%s: %+v", a.ID, a)
		}
		for _, p := range []Place{a.Place, a.Counterpart} {
			if !(p.PrecisionM > 0) || p.Source == "" || p.Name == "" {
				t.Errorf("%s: %+v", a.ID, p)
			}
			if d := planeKM(p.Point, g.border.at(g.border.nearestKM(p.Point))); d > 45 {
				t.Errorf("%s lies %.0f km from the border", p.Name, d)
			}
		}
		if a.Medium != "land_path" && a.Medium != "sea" {
			t.Errorf("%s: medium %q", a.ID, a.Medium)
		}
	}
	want := []string{"aruk", "jagoi-babang", "entikong", "sei-kelik", "nanga-badau", "long-midang", "nunukan", "sei-nyamuk"}
	if !slices.Equal(ids, want) {
		t.Errorf("areas %v, want %v", ids, want)
	}
}

// Positions that the official crossings have must be the same there.
func TestAreasMatchCrossings(t *testing.T) {
	l := load(t, "official_crossings")
	at := map[string]orb.Point{}
	for row := range l.Len() {
		at[l.ID(row)], _ = l.Point(row)
	}
	for area, crossing := range map[string]string{
		"aruk": "land-aruk-biawak", "jagoi-babang": "land-jagoibabang-serikin", "entikong": "land-entikong-tebedu",
		"sei-kelik": "land-seikelik", "nanga-badau": "land-badau-lubokantu", "long-midang": "land-longmidang-bakelalan",
		"nunukan": "ferry-nunukan", "sei-nyamuk": "ferry-seinyamuk",
	} {
		a, ok := FindArea(area)
		if !ok || a.ID != area || a.Point != at[crossing] {
			t.Errorf("%s is at %v, %s at %v", area, a.Point, crossing, at[crossing])
		}
	}
}

func TestFindArea(t *testing.T) {
	for name, want := range map[string]string{
		"Entikong": "entikong", "  ENTIKONG ": "entikong", "Badau": "nanga-badau", "nanga badau": "nanga-badau",
		"Sungai Nyamuk": "sei-nyamuk", "S. Nyamuk": "sei-nyamuk", "Sei Kelik": "sei-kelik", "sungai kelik": "sei-kelik",
		"Tebedu": "entikong", "Ba'kelalan": "long-midang", "Bakelalan": "long-midang", "Kg. Serikin": "jagoi-babang",
		"Tawau": "nunukan", "": "", "Sungai": "", "Jakarta": "",
	} {
		if got, ok := FindArea(name); got.ID != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", name, got.ID, want)
		}
	}
}
