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
		{"hotspots", Words{"Significant hot spots", "Titik rawan yang signifikan", "Titik panas yang signifikan"},
			Words{"more or fewer incidents around than chance explains (Getis-Ord Gi*)",
				"kejadian di sekitar lebih atau kurang daripada kebetulan (Getis-Ord Gi*)",
				"insiden di sekitar lebih atau kurang daripada kebetulan (Getis-Ord Gi*)"}, "inferno", Classes, false},
	}
}

// BySeverity is the surface whose incidents count by their severity.
func (s Surface) BySeverity() Surface {
	switch s.ID {
	case "risk", "density", "hazard":
		s.Unit = Words{"severity-weighted " + s.Unit.EN, s.Unit.ID + ", menurut tingkat keparahan", s.Unit.MS + ", mengikut tahap keterukan"}
	}
	return s
}

// NumberUnit says in English what the numbers of the surface's raster are.
func (s Surface) NumberUnit() string {
	if s.ID == "hotspots" {
		return "3, 2, 1: hot at 99, 95, 90 %; 0: not significant; -1, -2, -3: cold at 90, 95, 99 % (Gi*, Benjamini-Hochberg)"
	}
	return s.Unit.In(English)
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
		classes := GapClasses()
		if s.ID == "hotspots" {
			classes = HotSpotClasses()
		}
		return Scale{Kind: Classes, Min: 1, Max: float64(len(classes)), Categories: classes}
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

// HotSpotClasses are the classes of the surface "hotspots", as GapClasses. The
// colours diverge from red over grey to blue, apart for people with any common
// colour deficiency; none is green: few incidents on record are not safety.
func HotSpotClasses() []Category {
	return []Category{
		{"hot_99", Words{"hot spot, 99 %", "titik rawan, 99 %", "titik panas, 99 %"}, color.NRGBA{165, 15, 43, 225}, false},
		{"hot_95", Words{"hot spot, 95 %", "titik rawan, 95 %", "titik panas, 95 %"}, color.NRGBA{226, 104, 78, 215}, false},
		{"hot_90", Words{"hot spot, 90 %", "titik rawan, 90 %", "titik panas, 90 %"}, color.NRGBA{246, 178, 145, 205}, false},
		{"not_significant", Words{"not significant", "tidak signifikan", "tidak signifikan"}, color.NRGBA{186, 186, 186, 110}, false},
		{"cold_90", Words{"fewer on record, 90 %", "lebih sedikit tercatat, 90 %", "lebih sedikit direkodkan, 90 %"}, color.NRGBA{160, 202, 227, 205}, false},
		{"cold_95", Words{"fewer on record, 95 %", "lebih sedikit tercatat, 95 %", "lebih sedikit direkodkan, 95 %"}, color.NRGBA{76, 148, 197, 215}, false},
		{"cold_99", Words{"fewer on record, 99 %", "lebih sedikit tercatat, 99 %", "lebih sedikit direkodkan, 99 %"}, color.NRGBA{30, 88, 156, 225}, false},
		{"not_enough_data", Words{"not enough data", "data belum cukup", "data tidak mencukupi"}, inkColour(), true},
	}
}

// HotSpotIndices turns the numbers of a raster of hot spots, 3 (hot) to -3
// (cold), into the places of HotSpotClasses; 0 where there is no number.
func HotSpotIndices(bins []float64) []float64 {
	out := make([]float64, len(bins))
	for i, v := range bins {
		if v >= -3 && v <= 3 {
			out[i] = 4 - v
		}
	}
	return out
}

// noDataWords is the label of what is not known.
func noDataWords() Words {
	return Words{"no data: blind spot", "tanpa data: titik buta", "tiada data: titik buta"}
}
