package geo

// SeverityTable weighs kinds of incident against each other. It is data: the
// version and date travel with every result that used it.
type SeverityTable struct {
	Version string             `json:"version"`
	Date    string             `json:"date"`    // of the table, YYYY-MM-DD
	Weights map[string]float64 `json:"weights"` // by kind code; an irregular crossing is 1
	Default float64            `json:"default"` // for kinds not listed
}

// DefaultSeverityTable returns a table to start from. Its weights are
// placeholders: both countries have to agree on theirs, by preference from the
// minimum terms in their statutes (UU 21/2007, Act 670), and the unweighted map
// belongs beside every weighted one.
//
// The proposal behind it weighs child trafficking and a death or sinking in
// transit 10, trafficking 8, forced labour 6, migrant smuggling 4, document
// fraud 2, an irregular crossing 1, a rescue 1 as a sign of the place, and a
// suspicious observation 0.3. A kind takes the weight of the words that cover
// it; kinds that no words cover take 1. A return through a port and a
// statistic without a place say nothing of harm at a spot and take 0.
//
// Source for weighing by harm: L. Sherman, P. W. Neyroud and E. Neyroud, The
// Cambridge Crime Harm Index, Policing 10 (2016).
func DefaultSeverityTable() SeverityTable {
	return SeverityTable{
		Version: "placeholder-1",
		Date:    "2026-11-22",
		Default: 1,
		Weights: map[string]float64{
			"tip.child":             10,
			"mar.distress_sinking":  10,
			"res.recovered_body":    10,
			"tip.confirmed":         8,
			"tip.presumed":          8,
			"tip.recruitment_fraud": 8,

			"lab.forced":                   6,
			"lab.underpayment_confinement": 6,

			"som.attempt":           4,
			"som.transport":         4,
			"som.facilitator_found": 4,

			"doc.forged":                2,
			"doc.fraudulently_obtained": 2,
			"doc.imposter":              2,
			"int.collusion":             1,
			"irr.exit":                  1,
			"irr.entry":                 1,
			"irr.nonprocedural_worker":  1,
			"irr.refused_departure":     1,
			"mar.interception":          1,
			"mar.landing":               1,
			"res.rescue":                1,
			"obs.safehouse":             0.3,
			"obs.hidden_boat":           0.3,
			"obs.new_path":              0.3,
			"obs.suspicious_movement":   0.3,
			"ret.deportation_arrival":   0,
			"agg.statistic":             0,
		},
	}
}

// Weight returns the weight of a kind of incident, without unit.
func (t SeverityTable) Weight(kind string) float64 {
	if w, ok := t.Weights[kind]; ok {
		return w
	}
	return t.Default
}

// Severity returns the severity of a kind from 1 to 5, which is how people
// write it: by weight, under 1, 4, 6 and 10, and from there.
func (t SeverityTable) Severity(kind string) int {
	switch w := t.Weight(kind); {
	case w < 1:
		return 1
	case w < 4:
		return 2
	case w < 6:
		return 3
	case w < 10:
		return 4
	default:
		return 5
	}
}
