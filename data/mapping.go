package data

import (
	"regexp"
	"slices"
	"strings"
)

// Mapping says which column of a file feeds each field.
type Mapping []MappedField

// MappedField is one entry of a Mapping: a source column, or a constant.
type MappedField struct {
	Field    string
	Column   string // "" with a constant
	Constant string
	// Optional says that the file need not have the column, whose name is
	// compared without letter case and signs; of several for one field the
	// first counts.
	Optional bool
}

// matches tells whether a column of the file is the source.
func (m MappedField) matches(name string) bool {
	return m.Column == name || m.Optional && m.Column != "" && (headerKey(m.Column) == headerKey(name) || headerKey(m.Column) == headerKey(headerZone.ReplaceAllString(name, "")))
}

// headerZone is the zone that some tools put behind the name of a column of
// times: Reported At (GMT+8:0).
var headerZone = regexp.MustCompile(`(?i)\s*\((?:GMT|UTC)([+-])(\d{1,2})(?::(\d{1,2}))?\)\s*$`)

// zoneOfHeader returns the zone that a column's name states, as ParseZone
// reads it; "" when there is none.
func zoneOfHeader(name string) string {
	m := headerZone.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	two := func(s string) string { return ("00" + s)[len(s):] }
	return m[1] + two(m[2]) + ":" + two(m[3])
}

// settled returns the mapping for a table with these columns: of what is
// optional, only what is there.
func (m Mapping) settled(names []string) Mapping {
	var out Mapping
	done := map[string]bool{}
	for _, f := range m {
		if f.Optional {
			at := slices.IndexFunc(names, f.matches)
			if at < 0 || done[f.Field] {
				continue
			}
			f.Column, f.Optional = names[at], false
		}
		done[f.Field] = true
		out = append(out, f)
	}
	return out
}

// ParseMapping reads field:column and field:=constant, comma separated:
//
//	occurred_from:date,deaths:dead,kind:=mar.distress_sinking
func ParseMapping(s string) (Mapping, error) {
	var m Mapping
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(s, ",") {
		field, source, ok := strings.Cut(part, ":")
		field = strings.TrimSpace(field)
		constant, isConstant := strings.CutPrefix(source, "=")
		source, constant = strings.TrimSpace(source), strings.TrimSpace(constant)
		switch {
		case !ok || field == "" || isConstant && constant == "" || !isConstant && source == "":
			return nil, refuse(422, "bad_mapping", "the mapping %s is not field:column or field:=value", show(part))
		case len(field) > maxNameBytes || len(source) > maxNameBytes:
			return nil, refuse(422, "bad_mapping", "the mapping %s is longer than %d bytes", show(part), maxNameBytes)
		case seen[field]:
			return nil, refuse(422, "bad_mapping", "the mapping gives %s twice", show(field))
		}
		seen[field] = true
		if isConstant {
			m = append(m, MappedField{Field: field, Constant: validText(constant)})
		} else {
			m = append(m, MappedField{Field: field, Column: source})
		}
	}
	return m, nil
}

// Map returns the mapping as it is kept with a version of a layer.
func (m Mapping) Map() map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for _, f := range m {
		switch {
		case f.Column == "":
			out[f.Field] = "=" + f.Constant
		case f.Optional && out[f.Field] != "":
			out[f.Field] += "|" + f.Column
		default:
			out[f.Field] = f.Column
		}
	}
	return out
}
