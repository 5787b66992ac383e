package geo

import (
	"time"

	"github.com/paulmach/orb"
)

// Feature is one thing on the map: where it is, when it was, and what is
// known of it. Coordinates are WGS 84 longitude, latitude in degrees.
type Feature struct {
	// FID is the feature's number in its layer: positive, unique, stable
	// for its life, never used again. Zero until a Builder assigns it.
	FID int64
	// ID is the identifier that the source gave the feature, or "".
	ID string
	// Geometry is never nil in a layer.
	Geometry orb.Geometry
	// From and To bound when it happened or was valid, in UTC; both zero
	// when undated. An instant has To equal to From.
	From, To time.Time
	// VertexTimes holds, for a patrol track, one instant per vertex of its
	// LineString; nil for everything else.
	VertexTimes []time.Time
	// Properties holds what else is known: string, float64, bool,
	// json.Number (integers beyond 2^53) or json.RawMessage (arrays and
	// objects). A nil value is the same as an absent one.
	Properties map[string]any
}

// HeightsField is the property that holds the heights of a geometry in metres:
// a number for a point, else a JSON array with one number or null for each
// vertex in the order of the geometry.
const HeightsField = "heights_m"

// FixFields are the properties of a patrol track that hold a value for each of
// its fixes, in the form of HeightsField: the speed over ground in knots and the
// course in degrees.
var FixFields = [...]string{"sog_kn", "cog_deg"}

// LayerKind says what the features of a layer are, and so what they count for.
type LayerKind string

// The kinds of layer.
const (
	KindIncident      LayerKind = "incident"
	KindCrossing      LayerKind = "crossing"
	KindWaterCrossing LayerKind = "water_crossing"
	KindIllegalPort   LayerKind = "illegal_port"
	KindPatrolTrack   LayerKind = "patrol_track"
	KindPost          LayerKind = "post"
	KindBoundary      LayerKind = "boundary"
	KindArea          LayerKind = "area"
	KindOther         LayerKind = "other"
)

// LayerKinds lists every kind in the order in which people see them.
func LayerKinds() []LayerKind {
	return []LayerKind{KindIncident, KindCrossing, KindWaterCrossing, KindIllegalPort,
		KindPatrolTrack, KindPost, KindBoundary, KindArea, KindOther}
}

// TimeFields names the properties that show a feature's From and To to
// people and files.
func (k LayerKind) TimeFields() (from, to string) {
	switch k {
	case KindIncident:
		return "occurred_from", "occurred_to"
	case KindPatrolTrack:
		return "time_from", "time_to"
	default:
		return "from", "to"
	}
}

// LayerInfo describes a layer without its features.
type LayerInfo struct {
	ID             string    `json:"id"`
	Title          string    `json:"title"`
	Kind           LayerKind `json:"kind"`
	Owner          string    `json:"owner"`
	Classification string    `json:"classification"` // public, internal, restricted, secret
	Builtin        bool      `json:"builtin"`        // ships with the program
	Base           bool      `json:"base"`           // base map: never a risk input
	Synthetic      bool      `json:"synthetic"`      // invented, not observed
	Licence        string    `json:"licence,omitempty"`
	Source         string    `json:"source,omitempty"`
	Note           string    `json:"note,omitempty"`
	Version        int64     `json:"version"` // 1 for the first content, then counting
	UpdatedAt      time.Time `json:"updated_at"`
	NextFID        int64     `json:"-"` // the FID that the next new feature gets
	// Mark says, of a layer that is written to a file, who took it.
	Mark ExportMark `json:"-"`
}

// ExportMark tells where a file comes from: the ID by which the export is known
// and a sentence for people.
type ExportMark struct{ ID, Text string }

// OpenStart stands for a beginning that is not known. It is not the zero time,
// which says that a feature has no date, and the importer can read it.
func OpenStart() time.Time { return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC) }

// OpenEnd stands for an end that is not known, such as that of a post that is
// still there.
func OpenEnd() time.Time { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }
