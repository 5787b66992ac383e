package geo

import "strings"

// What is on record of collusion by officials is restricted: it is only ever
// told as a count for a country, never of a place.
const (
	// CollusionKind is the kind of incident that never enters a surface, a
	// tile or an answer about a place.
	CollusionKind = "int.collusion"
	// CollusionField marks incidents of other kinds; it never leaves with them.
	CollusionField = "collusion_flag"
)

// OfCollusion reports whether a row is an incident of CollusionKind.
func (l *Layer) OfCollusion(row int) bool {
	return l.Info.Kind == KindIncident && l.Text(row, "kind") == CollusionKind
}

// MayTellOfCollusion reports whether any row may be OfCollusion.
func (l *Layer) MayTellOfCollusion() bool {
	if l.Info.Kind != KindIncident {
		return false
	}
	for _, c := range l.chunks {
		if col := c.column("kind"); col != nil && strings.Contains(col.dict.all, `"`+CollusionKind+`"`) {
			return true
		}
	}
	return false
}
