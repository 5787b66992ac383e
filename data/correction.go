package data

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// maxReason bounds the reason of a correction.
const maxReason = 500

// CheckReason refuses a reason that is missing, too long, or looks like it
// names somebody: it is kept for good.
func CheckReason(reason string) error {
	switch {
	case reason == "":
		return refuse(400, "no_reason", "give the reason of the change")
	case len(reason) > maxReason:
		return refuse(400, "reason_too_long", "the reason is longer than %d bytes", maxReason)
	}
	if what := personal([]byte(reason), false); what != "" {
		return refuse(400, "forbidden_reason", "the reason looks like %s; say why without naming anyone", what)
	}
	return nil
}

// LooksPersonal reports whether a text looks like something that must not be
// stored: a number of a person's document or telephone, an address of e-mail.
func LooksPersonal(text string) bool { return personal([]byte(text), true) != "" }

// Correction changes one record of a layer.
type Correction struct {
	Row    int
	Patch  json.RawMessage // a GeoJSON feature to merge in (RFC 7396): geometry, properties
	Whole  bool            // Patch is the whole feature, not merged
	Reason string
	User   string
	Now    time.Time
	Limits Limits
}

// Change makes the change of a corrected record, which has passed all that an
// upload must pass, and the report. stored is false for a layer that only
// ships with the program.
func (c Correction) Change(ctx context.Context, old *geo.Layer, stored bool) (Change, *Report, error) {
	if err := CheckReason(c.Reason); err != nil {
		return Change{}, nil, err
	}
	feature, err := c.merged(old)
	if err != nil {
		return Change{}, nil, err
	}
	v := Revision{ID: old.Info.ID, Mode: Append, User: c.User, correcting: true, Import: ImportOptions{Format: FormatGeoJSON, Strict: true, Now: c.Now, Limits: c.Limits}}
	rows, report, err := v.Read(ctx, bytes.NewReader(feature), old)
	if err != nil {
		return Change{}, report, err
	}
	if rows.Len() != 1 || report.Quarantined > 0 {
		return Change{}, report, &Refusal{Status: 422, Code: "not_one_record", Message: fmt.Sprintf("the corrected record makes %d records, not one", rows.Len()), Report: report}
	}
	f := rows.Feature(0)
	f.FID, f.ID = old.FID(c.Row), old.OwnID(c.Row)
	b := geo.NewBuilder(rows.Info)
	b.Add(f)
	v.Mode = Upsert
	change, err := v.Change(old, stored, b.Layer(), report)
	change.Provenance.Action, change.Provenance.Reason = "correct", c.Reason
	return change, report, err
}

// Withdrawal makes the change that takes a record out.
func (c Correction) Withdrawal(old *geo.Layer, stored bool) (Change, error) {
	if err := CheckReason(c.Reason); err != nil {
		return Change{}, err
	}
	info := old.Info
	info.Builtin = false
	info.UpdatedAt = c.Now.UTC().Truncate(time.Millisecond)
	fid := old.FID(c.Row)
	change := Change{Info: info, Mode: Append, Rows: geo.NewBuilder(info).Layer(), Withdrawn: []int64{fid},
		Provenance: Provenance{At: c.Now.UTC(), User: c.User, Action: "withdraw", Reason: c.Reason}}
	if !stored {
		change.Mode, change.Rows, change.Withdrawn = Replace, old.Without(map[int64]bool{fid: true}), nil
	}
	return change, nil
}

// After is a layer (nil: there is none) after a change.
func (c Change) After(old *geo.Layer) *geo.Layer {
	if len(c.Withdrawn) == 0 || old == nil || c.Mode == Replace {
		return Merged(old, c.Rows, c.Mode)
	}
	gone := map[int64]bool{}
	for _, fid := range c.Withdrawn {
		gone[fid] = true
	}
	left := old.Without(gone)
	if c.Rows.Len() == 0 {
		return left
	}
	return Merged(left, c.Rows, c.Mode)
}

// merged merges the members geometry and properties of the patch into the
// feature: a geometry whole, with or without heights, of properties those that
// are named; null removes.
func (c Correction) merged(old *geo.Layer) ([]byte, error) {
	if c.Whole {
		return c.Patch, nil
	}
	var f struct {
		Type       string                     `json:"type"`
		ID         json.RawMessage            `json:"id"`
		Geometry   json.RawMessage            `json:"geometry"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(AppendFeature(nil, old, c.Row), &f); err != nil {
		return nil, err
	}
	var p struct {
		Geometry   json.RawMessage            `json:"geometry"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	dec := json.NewDecoder(bytes.NewReader(c.Patch))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, refuse(400, "invalid_body", "the body is not {\"geometry\":…,\"properties\":{…},\"reason\":\"…\"}: %v", err)
	}
	if string(p.Geometry) == "null" {
		p.Geometry = nil
	}
	if p.Geometry == nil && len(p.Properties) == 0 {
		return nil, refuse(400, "empty_correction", "name what to change: geometry, properties or both")
	}
	if p.Geometry != nil {
		f.Geometry = p.Geometry
		delete(f.Properties, geo.HeightsField)
		for _, name := range geo.FixFields { // of the vertices that were
			if strings.HasPrefix(string(f.Properties[name]), "[") {
				delete(f.Properties, name)
			}
		}
	} else if _, named := p.Properties[geo.HeightsField]; named {
		f.Geometry = AppendGeometry(nil, old.Geometry(c.Row))
	}
	for name, value := range p.Properties {
		if string(value) == "null" {
			delete(f.Properties, name)
		} else {
			f.Properties[name] = value
		}
	}
	return json.Marshal(f)
}
