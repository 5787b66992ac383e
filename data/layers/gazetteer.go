package layers

import (
	"strings"
	"unicode"

	"github.com/paulmach/orb"
)

// Place is a named locality with its spellings.
type Place struct {
	Name       string    `json:"name"`
	Variants   []string  `json:"variants,omitempty"` // other spellings and usual names
	Country    string    `json:"country"`            // ID or MY
	Point      orb.Point `json:"point"`
	PrecisionM float64   `json:"location_precision_m"` // how far Point may be off, metres
	Verified   bool      `json:"verified"`             // a gazetteer's point; else an estimate
	Source     string    `json:"source"`
}

// Area is a weak area of the border that the literature names, with the place
// across the line.
type Area struct {
	ID string `json:"id"`
	Place
	Counterpart Place  `json:"counterpart"`
	Medium      string `json:"medium"` // code of the incident schema: land_path or sea
	Note        string `json:"note,omitempty"`
}

const (
	fromEstimate = "estimate, on the border line of OpenStreetMap"
	fromGeoNames = "GeoNames settlement point (CC BY 4.0)"
	fromRecord   = "estimate from public reports"
)

// Areas returns the named areas of the border from west to east: the seven of
// Oktavian et al., Jurnal Hukum 42(1), and Nunukan, which they call a hub of
// transit. The order and content are fixed.
func Areas() []Area {
	tawau := Place{Name: "Tawau", Country: "MY", Point: orb.Point{117.89115, 4.24482}, PrecisionM: 2000, Verified: true, Source: fromGeoNames}
	return []Area{
		{ID: "aruk", Medium: "land_path",
			Place: Place{Name: "Aruk", Variants: []string{"PLBN Aruk", "Sajingan", "Sajingan Besar", "Sebunga"}, Country: "ID",
				Point: orb.Point{109.67795, 1.61218}, PrecisionM: 3000, Source: fromEstimate},
			Counterpart: Place{Name: "Biawak", Variants: []string{"Kampung Biawak", "Kg. Biawak", "ICQS Biawak"}, Country: "MY",
				Point: orb.Point{109.69, 1.62}, PrecisionM: 5000, Source: fromRecord}},
		{ID: "jagoi-babang", Medium: "land_path",
			Place: Place{Name: "Jagoi Babang", Variants: []string{"Jagoi", "Jagoibabang", "PLBN Jagoi Babang"}, Country: "ID",
				Point: orb.Point{109.97017, 1.33504}, PrecisionM: 3000, Source: fromEstimate},
			Counterpart: Place{Name: "Serikin", Variants: []string{"Kampung Serikin", "Kg. Serikin"}, Country: "MY",
				Point: orb.Point{109.99, 1.35}, PrecisionM: 5000, Source: fromRecord}},
		{ID: "entikong", Medium: "land_path",
			Place: Place{Name: "Entikong", Variants: []string{"PLBN Entikong"}, Country: "ID",
				Point: orb.Point{110.35578, 0.98702}, PrecisionM: 1500, Source: fromEstimate},
			Counterpart: Place{Name: "Tebedu", Variants: []string{"ICQS Tebedu", "Kampung Tebedu"}, Country: "MY",
				Point: orb.Point{110.36331, 1.02656}, PrecisionM: 2000, Verified: true, Source: fromGeoNames}},
		{ID: "sei-kelik", Medium: "land_path",
			Place: Place{Name: "Sei Kelik", Variants: []string{"Sungai Kelik", "S. Kelik", "PLBN Sungai Kelik"}, Country: "ID",
				Point: orb.Point{111.34975, 1.03489}, PrecisionM: 20000, Source: fromEstimate},
			Counterpart: Place{Name: "Batu Lintang", Variants: []string{"Kampung Batu Lintang"}, Country: "MY",
				Point: orb.Point{111.57, 1.05}, PrecisionM: 20000, Source: fromRecord},
			Note: "No counterpart is agreed: regional news of 2022 said that the Sarawak side prefers Batu Lintang, about 30 km away."},
		{ID: "nanga-badau", Medium: "land_path",
			Place: Place{Name: "Nanga Badau", Variants: []string{"Badau", "PLBN Badau", "Nanga Badau (PLBN)"}, Country: "ID",
				Point: orb.Point{111.87447, 1.02898}, PrecisionM: 6000, Source: fromEstimate},
			Counterpart: Place{Name: "Lubok Antu", Variants: []string{"Lubuk Antu", "ICQS Lubok Antu"}, Country: "MY",
				Point: orb.Point{111.83398, 1.04186}, PrecisionM: 2000, Verified: true, Source: fromGeoNames}},
		{ID: "long-midang", Medium: "land_path",
			Place: Place{Name: "Long Midang", Variants: []string{"Longmidang", "Krayan", "PLBN Long Midang"}, Country: "ID",
				Point: orb.Point{115.63798, 3.96072}, PrecisionM: 4000, Source: fromEstimate},
			Counterpart: Place{Name: "Ba'kelalan", Variants: []string{"Bakelalan", "Ba Kelalan", "Ba' Kelalan"}, Country: "MY",
				Point: orb.Point{115.62, 3.98}, PrecisionM: 6000, Source: fromRecord}},
		{ID: "nunukan", Medium: "sea",
			Place: Place{Name: "Nunukan", Variants: []string{"Tunon Taka", "Pulau Nunukan"}, Country: "ID",
				Point: orb.Point{117.6507, 4.13841}, PrecisionM: 2500, Verified: true, Source: fromGeoNames},
			Counterpart: tawau, Note: "A hub of transit rather than a weak area."},
		{ID: "sei-nyamuk", Medium: "sea",
			Place: Place{Name: "Sei Nyamuk", Variants: []string{"Sungai Nyamuk", "S. Nyamuk", "Sei Pancang", "Sungai Pancang", "Sebatik"}, Country: "ID",
				Point: orb.Point{117.91087, 4.14383}, PrecisionM: 2500, Verified: true, Source: fromGeoNames},
			Counterpart: tawau},
	}
}

// FindArea returns the area that has this name, variant or identifier on
// either side of the line; case, spaces and punctuation do not count, and Sei,
// S. and Sungai are one word. Tawau answers with its first area, Nunukan.
func FindArea(name string) (Area, bool) {
	want := foldName(name)
	if want == "" {
		return Area{}, false
	}
	for _, a := range Areas() {
		names := append([]string{a.ID, a.Name, a.Counterpart.Name}, a.Variants...)
		for _, n := range append(names, a.Counterpart.Variants...) {
			if foldName(n) == want {
				return a, true
			}
		}
	}
	return Area{}, false
}

func foldName(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return r != '\'' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for i, w := range words {
		switch w {
		case "sei", "s", "sg":
			words[i] = "sungai"
		case "kg":
			words[i] = "kampung"
		}
	}
	return strings.ReplaceAll(strings.Join(words, ""), "'", "")
}
