package data

import (
	"slices"
	"strings"

	"github.com/sempadan/sempadan/geo"
)

// FieldType says what a field's values are.
type FieldType string

// The field types.
const (
	TypeText    FieldType = "text"
	TypeInteger FieldType = "integer"
	TypeNumber  FieldType = "number"
	TypeBoolean FieldType = "boolean"
	TypeCode    FieldType = "code"    // one of Codes
	TypeCodes   FieldType = "codes"   // several of Codes
	TypeInstant FieldType = "instant" // RFC 3339
	TypeCount   FieldType = "count"   // an integer of at least 0, or a band such as 5-9
	TypeCounts  FieldType = "counts"  // an object of counts by Codes
	// TypeSpells are times between semicolons, each start/end as RFC 3339,
	// ".." for an open end.
	TypeSpells FieldType = "spells"
)

// Field describes one field of a layer's schema.
type Field struct {
	Name     string    `json:"name"`
	Type     FieldType `json:"type"`
	Codes    []string  `json:"codes,omitempty"`
	Required bool      `json:"required,omitempty"` // filled with Default when missing
	Default  string    `json:"default,omitempty"`
	Class    string    `json:"class,omitempty"` // P public in aggregate, J joint team, N originating country
	Min      *float64  `json:"minimum,omitempty"`
	Max      *float64  `json:"maximum,omitempty"`
	Unit     string    `json:"unit,omitempty"`
	Note     string    `json:"note,omitempty"`

	requiredFor string            // the beginning of the kinds for which it is required
	aliases     map[string]string // other spellings of codes, lower case
}

func unknownTo(codes ...string) []string { return append(codes, "unknown") }

var (
	zero, one, five = 0.0, 1.0, 5.0
	// farthestSightM bounds what one post can watch; a radar reaches that far.
	farthestSightM = 100_000.0
	fullTurnDeg    = 360.0

	incidentKinds = unknownTo("tip.confirmed", "tip.presumed", "tip.child", "tip.recruitment_fraud",
		"som.attempt", "som.transport", "som.facilitator_found", "irr.exit", "irr.entry", "irr.nonprocedural_worker",
		"irr.refused_departure", "doc.forged", "doc.fraudulently_obtained", "doc.imposter", "lab.forced",
		"lab.underpayment_confinement", "mar.interception", "mar.distress_sinking", "mar.landing", "res.rescue",
		"res.recovered_body", "obs.safehouse", "obs.hidden_boat", "obs.new_path", "obs.suspicious_movement",
		"int.collusion", "ret.deportation_arrival", "agg.statistic")
	crossingKinds = unknownTo("plbn", "icqs", "plb_traditional", "jalan_tikus", "river_ford", "water_crossing",
		"ferry_port_official", "pelabuhan_tikus", "jeti_unregistered", "beach_landing", "airport")
	crossingAliases = map[string]string{"official_land": "plbn", "planned_land": "plbn", "ciqs": "icqs",
		"traditional_land": "plb_traditional", "official_ferry": "ferry_port_official", "official_port": "ferry_port_official"}
	crossingStatus = unknownTo("open", "closed", "seasonal", "blocked", "planned", "reported")
	victimStatus   = unknownTo("not_assessed", "presumed", "identified", "rejected", "not_applicable")
	agencies       = unknownTo("POLRI", "POLAIRUD", "IMI", "TNI", "TNI-PAMTAS", "TNI-AL", "BAKAMLA", "BC", "BNPP", "BPPD",
		"KP2MI/BP3MI", "KPPPA", "GT-PP-TPPO", "KJRI", "PDRM", "PGA", "PPM", "JIM", "APMM/MMEA", "ATM-TDM", "ESSCOM",
		"KASTAM", "MAPO", "JTK", "AKPS", "NGO", "IOM", "UNODC", "HOTLINE", "OTHER")
	agencyAliases = map[string]string{"apmm": "APMM/MMEA", "mmea": "APMM/MMEA", "kp2mi": "KP2MI/BP3MI", "bp3mi": "KP2MI/BP3MI",
		"bp2mi": "KP2MI/BP3MI", "tdm": "ATM-TDM", "satgas_pamtas": "TNI-PAMTAS", "imigrasi": "IMI", "imigresen": "JIM",
		"customs": "KASTAM", "bea_cukai": "BC", "simfoni_ppa": "KPPPA"}
	trackModes     = unknownTo("foot", "motorcycle", "vehicle", "river_boat", "sea_boat", "aircraft", "drone", "fixed")
	countries      = unknownTo("ID", "MY", "ID-MY", "BN", "SG", "PH", "TH", "other")
	countryAliases = map[string]string{"idn": "ID", "indonesia": "ID", "mys": "MY", "malaysia": "MY", "my-id": "ID-MY",
		"brn": "BN", "brunei": "BN", "sgp": "SG", "singapore": "SG", "singapura": "SG", "phl": "PH", "philippines": "PH", "tha": "TH", "thailand": "TH"}
	tlpAliases = map[string]string{"tlp_red": "TLP:RED", "tlp_amber": "TLP:AMBER", "tlp_green": "TLP:GREEN", "tlp_clear": "TLP:CLEAR",
		"tlp_white": "TLP:CLEAR", "red": "TLP:RED", "amber": "TLP:AMBER", "green": "TLP:GREEN", "clear": "TLP:CLEAR"}
)

// incidentFields follows domain SCHEMA.md, section 3. The geometry and the two
// times are not among the properties of a stored feature.
var incidentFields = []Field{
	{Name: "id", Type: TypeText, Class: "J"},
	{Name: "external_id", Type: TypeText, Class: "N"},
	{Name: "source_system", Type: TypeText, Class: "N"},
	{Name: "kind", Type: TypeCode, Codes: incidentKinds, Required: true, Default: "unknown", Class: "P"},
	{Name: "kind_confidence", Type: TypeCode, Codes: unknownTo("confirmed", "probable", "possible"), Required: true, Default: "possible", Class: "P"},
	{Name: "occurred_from", Type: TypeInstant, Class: "J", Note: "an undated incident takes no part in time-windowed figures"},
	{Name: "occurred_to", Type: TypeInstant, Class: "J"},
	{Name: "date_precision", Type: TypeCode, Codes: unknownTo("minute", "hour", "day", "month", "quarter"), Class: "P"},
	{Name: "reported_at", Type: TypeInstant, Class: "J"},
	{Name: "location_precision_m", Type: TypeNumber, Min: &zero, Unit: "m", Class: "J", Note: "a kernel is never narrower"},
	{Name: "admin_code", Type: TypeText, Class: "P"},
	{Name: "section_id", Type: TypeText, Class: "J"},
	{Name: "crossing_id", Type: TypeText, Class: "J"},
	{Name: "route_id", Type: TypeText, Class: "J"},
	{Name: "medium", Type: TypeCode, Codes: unknownTo("land_path", "road", "river", "sea", "port", "airport", "other"), Required: true, Default: "unknown", Class: "P"},
	{Name: "direction", Type: TypeCode, Codes: unknownTo("id_to_my", "my_to_id", "internal_id", "internal_my", "transit_third"), Required: true, Default: "unknown", Class: "P"},
	{Name: "stage", Type: TypeCode, Codes: unknownTo("recruitment", "transport_in_origin", "at_border", "transit", "destination", "return_deportation"), Required: true, Default: "unknown", Class: "P"},
	{Name: "discovery", Type: TypeCode, Codes: unknownTo("patrol", "checkpoint", "sensor", "intelligence_led", "reported_victim", "reported_public",
		"reported_ngo", "hotline", "other_agency", "media"), Required: true, Default: "unknown", Class: "J"},
	{Name: "acts", Type: TypeCodes, Codes: unknownTo("recruit", "transport", "transfer", "harbour", "receive", "send", "provide"), Class: "J"},
	{Name: "means", Type: TypeCodes, Codes: unknownTo("threat", "force", "abduction", "confinement", "document_forgery", "fraud_deception",
		"abuse_power", "abuse_vulnerability", "debt_bondage", "payment_benefit", "none_child"), Class: "J"},
	{Name: "exploitation", Type: TypeCodes, Codes: unknownTo("sexual", "forced_labour_plantation", "forced_labour_domestic", "forced_labour_fishing",
		"forced_labour_construction", "forced_labour_other", "begging", "forced_criminality_online_scam", "forced_criminality_other",
		"forced_marriage", "organ_tissue", "illegal_adoption", "slavery_servitude", "intended_not_yet"), Class: "J"},
	{Name: "legal_basis", Type: TypeCodes, Codes: unknownTo("ID-UU21-2007", "ID-UU18-2017", "ID-UU6-2011", "ID-UU35-2014", "MY-ACT670-TIP",
		"MY-ACT670-SOM", "MY-IMM1959", "MY-PASS1966", "MY-CHILD2001", "other", "none"), Class: "J"},
	{Name: "status_id", Type: TypeCode, Codes: victimStatus, Required: true, Default: "unknown", Class: "J", Note: "set by Indonesia only"},
	{Name: "status_my", Type: TypeCode, Codes: victimStatus, Required: true, Default: "unknown", Class: "J", Note: "set by Malaysia only"},
	{Name: "status_basis_id", Type: TypeText, Class: "J"},
	{Name: "status_basis_my", Type: TypeText, Class: "J"},
	{Name: "persons_total", Type: TypeCount, Class: "J"},
	{Name: "persons_by_sex", Type: TypeCounts, Codes: []string{"female", "male", "other_unknown"}, Class: "J"},
	{Name: "persons_by_age", Type: TypeCounts, Codes: unknownTo("0-11", "12-17", "18-24", "25-59", "60+"), Class: "J"},
	{Name: "deaths", Type: TypeInteger, Min: &zero, Class: "J"},
	{Name: "missing", Type: TypeInteger, Min: &zero, Class: "J"},
	{Name: "injured", Type: TypeInteger, Min: &zero, Class: "J"},
	{Name: "nationality_group", Type: TypeCode, Codes: unknownTo("ID", "MY", "other_ASEAN", "other"), Class: "J"},
	{Name: "origin_province", Type: TypeText, Class: "J"},
	{Name: "severity", Type: TypeInteger, Min: &one, Max: &five, Class: "P"},
	{Name: "source_grade", Type: TypeCode, Codes: unknownTo("A", "B", "C", "D", "E"), Class: "N"},
	{Name: "info_grade", Type: TypeCode, Codes: unknownTo("1", "2", "3", "4", "5"), Class: "N"},
	{Name: "release", Type: TypeCode, Codes: unknownTo("national", "bilateral", "joint_plus_ngo", "public_aggregate"), Required: true, Default: "national"},
	{Name: "handling", Type: TypeCode, Codes: unknownTo("TLP:RED", "TLP:AMBER", "TLP:GREEN", "TLP:CLEAR"), Required: true, Default: "TLP:AMBER", aliases: tlpAliases},
	{Name: "reporter_agency", Type: TypeCode, Codes: agencies, Required: true, Default: "unknown", Class: "J", aliases: agencyAliases},
	{Name: "referral", Type: TypeCode, Codes: unknownTo("none", "needed", "made", "declined"), Default: "unknown", Class: "J", requiredFor: "tip."},
	{Name: "collusion_flag", Type: TypeBoolean, Class: "N"},
	{Name: "protect", Type: TypeBoolean, Note: "snaps the place to a 10 km cell before any exchange"},
	{Name: "valid_until", Type: TypeInstant},
	{Name: "retention_class", Type: TypeText},
}

const outagesNote = "when the device was out of order, which counts as no data: start/end; start/end, an end .. is open"

var placeFields = []Field{
	{Name: "name", Type: TypeText},
	{Name: "country", Type: TypeCode, Codes: countries, aliases: countryAliases},
	{Name: "kind", Type: TypeCode, Codes: crossingKinds, aliases: crossingAliases},
	{Name: "status", Type: TypeCode, Codes: crossingStatus},
	{Name: "location_precision_m", Type: TypeNumber, Min: &zero, Unit: "m"},
	{Name: "from", Type: TypeInstant},
	{Name: "to", Type: TypeInstant},
}

var trackFields = []Field{
	{Name: "track_id", Type: TypeText},
	{Name: "time", Type: TypeInstant, Note: "of a fix, when a track comes as rows"},
	{Name: "agency", Type: TypeText},
	{Name: "country", Type: TypeCode, Codes: countries, aliases: countryAliases},
	{Name: "mode", Type: TypeCode, Codes: trackModes, Required: true, Default: "unknown"},
	{Name: "sweep_width_m", Type: TypeNumber, Min: &zero, Unit: "m"},
	{Name: "target", Type: TypeCode, Codes: unknownTo("person", "small_boat", "vehicle")},
	{Name: "terrain", Type: TypeCode, Codes: unknownTo("forest", "open", "road", "river", "sea")},
	{Name: "wind_kt", Type: TypeNumber, Min: &zero, Unit: "kt"},
	{Name: "sea_ft", Type: TypeNumber, Min: &zero, Unit: "ft", Note: "height of the waves"},
	{Name: "fatigued", Type: TypeBoolean, Note: "a crew that is tired sees less"},
	{Name: "outages", Type: TypeSpells, Note: outagesNote},
	{Name: "time_from", Type: TypeInstant, Note: "of a track whose vertices have no times"},
	{Name: "time_to", Type: TypeInstant},
}

var postFields = []Field{
	{Name: "name", Type: TypeText},
	{Name: "agency", Type: TypeText},
	{Name: "country", Type: TypeCode, Codes: countries, aliases: countryAliases},
	{Name: "radius_m", Type: TypeNumber, Min: &zero, Max: &farthestSightM, Unit: "m"},
	{Name: "bearing_deg", Type: TypeNumber, Unit: "degrees", Note: "where a camera looks, clockwise from north"},
	{Name: "fov_deg", Type: TypeNumber, Min: &zero, Max: &fullTurnDeg, Unit: "degrees", Note: "how wide it sees"},
	{Name: "outages", Type: TypeSpells, Note: outagesNote},
	{Name: "from", Type: TypeInstant},
	{Name: "to", Type: TypeInstant},
}

var areaFields = []Field{
	{Name: "name", Type: TypeText},
	{Name: "agency", Type: TypeText},
	{Name: "country", Type: TypeCode, Codes: countries, aliases: countryAliases},
	{Name: "powers", Type: TypeText},
	{Name: "from", Type: TypeInstant},
	{Name: "to", Type: TypeInstant},
}

var otherFields = []Field{
	{Name: "from", Type: TypeInstant},
	{Name: "to", Type: TypeInstant},
}

// Fields returns the schema of a kind of layer, with its code lists.
func Fields(kind geo.LayerKind) []Field {
	var table []Field
	switch kind {
	case geo.KindIncident:
		table = incidentFields
	case geo.KindPatrolTrack:
		table = trackFields
	case geo.KindCrossing, geo.KindWaterCrossing, geo.KindIllegalPort:
		table = placeFields
	case geo.KindPost:
		table = postFields
	case geo.KindArea:
		table = areaFields
	default:
		table = otherFields
	}
	out := slices.Clone(table)
	for i := range out {
		out[i].Codes = slices.Clone(out[i].Codes)
	}
	return out
}

// hasSchema tells whether a kind has fields of its own.
func hasSchema(kind geo.LayerKind) bool { return kind != geo.KindOther && kind != geo.KindBoundary }

// code returns the code that a text stands for: letter case, spaces and dashes
// do not matter.
func (f *Field) code(text string) (string, bool) {
	key := codeKey(text)
	for _, c := range f.Codes {
		if codeKey(c) == key {
			return c, true
		}
	}
	c, ok := f.aliases[strings.ToLower(strings.TrimSpace(text))]
	if !ok {
		c, ok = f.aliases[key]
	}
	return c, ok
}

func codeKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-' || r == ':':
			return '_'
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, strings.TrimSpace(s))
}

// fieldKey is the form in which a column's name is compared with a field's.
func fieldKey(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(s)))
}
