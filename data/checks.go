package data

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/sempadan/sempadan/geo"
)

// The checks on meaning. What they find is a warning that names the rows,
// unless ImportOptions.Hard makes it a fault of the row.
const (
	CheckAtSea              = "at_sea"               // a place at sea of something that happened on land
	CheckOnLand             = "on_land"              // and the reverse
	CheckWrongSide          = "wrong_side"           // in another country than it says
	CheckDuplicateID        = "duplicate_id"         // an identifier that stands in the file before
	CheckDuplicatePlaceTime = "duplicate_place_time" // an incident of the same place, time and kind as one before
	CheckAlreadyStored      = "already_stored"       // an append of what the layer has
	CheckPrecisionCoarse    = "precision_coarse"     // coordinates of few digits, and no precision stated
	CheckPrecisionDoubtful  = "precision_doubtful"   // a stated precision finer than the coordinates' digits
)

// CheckCodes lists the checks on meaning.
func CheckCodes() []string {
	return []string{CheckAtSea, CheckOnLand, CheckWrongSide, CheckDuplicateID, CheckDuplicatePlaceTime, CheckAlreadyStored,
		CheckPrecisionCoarse, CheckPrecisionDoubtful}
}

// Finding is something odd in the meaning of a row. Message follows the row's
// number and says what to do.
type Finding struct{ Code, Field, Message string }

// Candidate is a row that is about to be taken.
type Candidate struct {
	Kind     geo.LayerKind
	Geometry orb.Geometry
	im       *importer
}

// Value returns a property of the row as geo.Feature.Properties holds it, nil
// when it has none.
func (c Candidate) Value(name string) any {
	if slot, known := c.im.slotOf[name]; known {
		return c.im.values[slot]
	}
	return nil
}

// Text returns a text property of the row, "" when it has none.
func (c Candidate) Text(name string) string {
	s, _ := c.Value(name).(string)
	return s
}

// Number returns a numeric property of the row, 0 when it has none.
func (c Candidate) Number(name string) float64 {
	v, _ := c.Value(name).(float64)
	return v
}

// checkHard refuses names that are not of a check.
func checkHard(codes []string) error {
	for _, code := range codes {
		if !slices.Contains(CheckCodes(), code) {
			return refuse(422, "unknown_check", "%s is not a check that can be made hard; these are: %s", show(code), strings.Join(CheckCodes(), ", "))
		}
	}
	return nil
}

// check looks at the meaning of the row, which may give it a fault.
func (im *importer) check(r *rowState, f geo.Feature) {
	c := Candidate{im.kind, f.Geometry, im}
	if im.kind == geo.KindIncident {
		im.checkPrecision(r, c)
		im.checkPlaceTime(r, f)
	}
	if im.opts.Check == nil {
		return
	}
	for _, found := range im.opts.Check(c) {
		im.found(r, found)
	}
}

// found reports a finding.
func (im *importer) found(r *rowState, f Finding) {
	if slices.Contains(im.opts.Hard, f.Code) {
		r.refuseRow(f.Field, f.Code, f.Message)
		return
	}
	im.report.warnRow(r.number, f.Code, "row %d %s", r.number, f.Message)
}

// duplicate reports an identifier or incident that was met before: in the
// file, or in the stored layer that the file is appended to.
func (im *importer) duplicate(r *rowState, stored bool, f Finding) {
	if stored && r.stored {
		return
	}
	if stored {
		r.stored = true
		f.Code = CheckAlreadyStored
		f.Message += " in the layer already; upsert instead of append, or take the row out"
	} else {
		f.Message += " in the file before"
	}
	im.found(r, f)
}

// checkPrecision holds the stated precision against the digits of the place.
func (im *importer) checkPrecision(r *rowState, c Candidate) {
	p, isPoint := c.Geometry.(orb.Point)
	if !isPoint || im.toWGS84 != nil {
		return
	}
	stated := c.Number("location_precision_m")
	digits := max(decimals(p[0]), decimals(p[1]))
	byDigits := precisionOfDigitsM(digits)
	switch {
	case stated <= 0 && digits <= 1:
		im.found(r, Finding{CheckPrecisionCoarse, "location_precision_m",
			"has coordinates that are good to about " + roundM(byDigits) + " and states no location_precision_m; state it"})
	case stated > 0 && digits <= 3 && stated < byDigits/2:
		im.found(r, Finding{CheckPrecisionDoubtful, "location_precision_m",
			"states a location_precision_m of " + roundM(stated) + ", but its coordinates are good to about " + roundM(byDigits) + "; state that, or give more digits"})
	}
}

// decimals returns how many decimals a coordinate has, at most 7.
func decimals(v float64) int {
	scale := 1.0
	for n := range 7 {
		if x := math.Abs(v) * scale; math.Abs(x-math.Round(x)) < 1e-7*scale/10 {
			return n
		}
		scale *= 10
	}
	return 7
}

// precisionOfDigitsM is how far a place may be off whose two coordinates were
// rounded to so many decimals: half a unit in both directions, at the equator.
func precisionOfDigitsM(digits int) float64 {
	const degreeM = 111_320
	return degreeM / math.Sqrt2 * math.Pow10(-digits)
}

func roundM(m float64) string {
	if m >= 1000 {
		return string(appendNumber(nil, math.Round(m/100)/10)) + " km"
	}
	return string(appendNumber(nil, math.Round(m))) + " m"
}

// checkPlaceTime finds a dated incident of the same place, time and kind.
func (im *importer) checkPlaceTime(r *rowState, f geo.Feature) {
	p, isPoint := f.Geometry.(orb.Point)
	if !isPoint || f.From.IsZero() {
		return
	}
	kind, _ := im.values[im.kindSlot].(string)
	if met, stored := im.seenPlaces.meet(im.placeTime(p, f.From.UnixMilli(), kind)); met {
		im.duplicate(r, stored, Finding{CheckDuplicatePlaceTime, "geometry", "has the place, time and kind of an incident"})
	}
}

func (im *importer) placeTime(p orb.Point, fromMS int64, kind string) uint64 {
	const unit = 1e5 // about a metre
	b := binary.LittleEndian.AppendUint64(im.placeKey[:0], uint64(int64(math.Round(p[0]*unit))))
	b = binary.LittleEndian.AppendUint64(b, uint64(int64(math.Round(p[1]*unit))))
	b = binary.LittleEndian.AppendUint64(b, uint64(fromMS))
	im.placeKey = append(b, kind...)
	return maphash.Bytes(im.hashSeed, im.placeKey)
}

// recall notes the identifiers and incidents of the layer that the file is
// appended to.
func (im *importer) recall(l *geo.Layer) {
	for row := range l.Len() {
		if id := l.ID(row); id != "" && im.kind != geo.KindPatrolTrack {
			im.seenIDs.recall(maphash.String(im.hashSeed, storedKey(l, row)))
		}
		if im.kind != geo.KindIncident {
			continue
		}
		p, isPoint := l.Point(row)
		if from, _, dated := l.TimesMS(row); isPoint && dated {
			im.seenPlaces.recall(im.placeTime(p, from, l.Text(row, "kind")))
		}
	}
}
