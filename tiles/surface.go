package tiles

import "image/color"

// Lang is a language of labels: English, Indonesian or Malay (Malaysia).
type Lang string

// The languages.
const (
	English    Lang = "en"
	Indonesian Lang = "id"
	Malay      Lang = "ms"
)

// Words is a text in the three languages.
type Words struct{ EN, ID, MS string }

// In returns the text in a language; English for an unknown one.
func (w Words) In(l Lang) string {
	switch l {
	case Indonesian:
		return w.ID
	case Malay:
		return w.MS
	}
	return w.EN
}

// Surface is a kind of raster map: its words and usual colours.
type Surface struct {
	ID    string
	Title Words
	Unit  Words
	// Ramp names the usual colours.
	Ramp string
	// Scale is the usual kind of scale; FitScale makes it from the peak.
	Scale ScaleKind
	// Share marks values from 0 to 1 that people read as per cent.
	Share bool
}

// Surfaces lists the raster maps in the order in which people see them.
func Surfaces() []Surface {
	return []Surface{
		{"risk", Words{"Residual risk", "Risiko sisa", "Baki risiko"},
			Words{"undetected incidents per km² in 30 days", "kejadian tak terdeteksi per km² dalam 30 hari", "insiden tidak dikesan setiap km² dalam 30 hari"},
			"inferno", Log, false},
		{"coverage", Words{"Patrol coverage", "Cakupan patroli", "Liputan rondaan"},
			Words{"probability of detection", "peluang deteksi", "kebarangkalian pengesanan"}, "blues", Linear, true},
		{"density", Words{"Incident density", "Kepadatan kejadian", "Kepadatan insiden"},
			Words{"incidents per km²", "kejadian per km²", "insiden setiap km²"}, "viridis", Log, false},
		{"hazard", Words{"Estimated incidents", "Perkiraan kejadian", "Anggaran insiden"},
			Words{"incidents per km² in a year", "kejadian per km² dalam setahun", "insiden setiap km² dalam setahun"}, "magma", Log, false},
		{"knowledge", Words{"How well an area is known", "Seberapa dikenal suatu wilayah", "Sejauh mana kawasan diketahui"},
			Words{"search coverage and reporting", "cakupan pencarian dan pelaporan", "liputan carian dan pelaporan"}, "slate", Linear, true},
		{"gaps", Words{"Patrol gaps and blind spots", "Celah patroli dan titik buta", "Jurang rondaan dan titik buta"},
			Words{}, "inferno", Classes, false},
	}
}

// SurfaceByID returns a surface; ok is false when there is none.
func SurfaceByID(id string) (s Surface, ok bool) {
	for _, s := range Surfaces() {
		if s.ID == id {
			return s, true
		}
	}
	return Surface{}, false
}

// DefaultScale returns the surface's scale for values up to peak. Shares run
// from 1 to 100 per cent whatever the peak, classes are fixed.
func (s Surface) DefaultScale(peak float64) Scale {
	switch {
	case s.Scale == Classes:
		return Scale{Kind: Classes, Min: 1, Max: float64(len(GapClasses())), Categories: GapClasses()}
	case s.Share:
		return Scale{Kind: Linear, Min: 0.01, Max: 1, Limits: []float64{0.01, 0.2, 0.4, 0.6, 0.8, 1}}
	}
	return FitScale(s.Scale, peak)
}

// GapClasses are the classes of the surface "gaps"; class k has the value k,
// counting from 1. Blind spots are hatched and nothing is green: an area that
// nobody has looked at must not look safe.
func GapClasses() []Category {
	return []Category{
		{"gap", Words{"patrol gap", "celah patroli", "jurang rondaan"}, color.NRGBA{138, 21, 56, 225}, false},
		{"blind_spot_priority", Words{"blind spot, look here first", "titik buta, prioritas", "titik buta, keutamaan"}, color.NRGBA{196, 78, 22, 230}, true},
		{"blind_spot", Words{"blind spot", "titik buta", "titik buta"}, inkColour(), true},
		{"quiet", Words{"known and quiet", "diketahui dan tenang", "diketahui dan tenang"}, color.NRGBA{165, 190, 214, 150}, false},
		{"fading", Words{"coverage is fading", "cakupan menurun", "liputan merosot"}, color.NRGBA{232, 180, 74, 205}, false},
		{"mismatch", Words{"one side only", "satu pihak saja", "satu pihak sahaja"}, color.NRGBA{122, 92, 168, 205}, false},
		{"no_report", Words{"no report received", "laporan tidak diterima", "laporan tidak diterima"}, color.NRGBA{46, 92, 150, 190}, true},
	}
}

// noDataWords is the label of what is not known.
func noDataWords() Words {
	return Words{"no data: blind spot", "tanpa data: titik buta", "tiada data: titik buta"}
}
