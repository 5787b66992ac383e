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

// ParseMapping reads field:column and field:=constant, comma separated. A
// column or a constant with a comma stands in double quotes, within which two
// stand for one:
//
//	occurred_from:date,deaths:"Dead, total",kind:=mar.distress_sinking
func ParseMapping(s string) (Mapping, error) {
	var m Mapping
	seen := map[string]bool{}
	for more := strings.TrimSpace(s) != ""; more; {
		part, field, ok := s, "", false
		if k := strings.IndexAny(s, ":,"); k >= 0 && s[k] == ':' {
			field, s, ok = strings.TrimSpace(s[:k]), s[k+1:], true
		}
		text, isConstant := strings.CutPrefix(s, "=")
		text, rest, closed := cutQuoted(text)
		part = strings.TrimSpace(part[:len(part)-len(rest)])
		if rest, more = strings.CutPrefix(rest, ","); !more && rest != "" {
			closed = false
		}
		s = rest
		switch {
		case !closed:
			return nil, refuse(422, "bad_mapping", "a quotation mark of the mapping %s is not closed, or something follows it; write field:\"column, with comma\" and a mark within as two", show(part))
		case !ok || field == "" || text == "":
			return nil, refuse(422, "bad_mapping", "the mapping %s is not field:column or field:=value", show(part))
		case len(field) > maxNameBytes || len(text) > maxNameBytes:
			return nil, refuse(422, "bad_mapping", "the mapping %s is longer than %d bytes", show(part), maxNameBytes)
		case seen[field]:
			return nil, refuse(422, "bad_mapping", "the mapping gives %s twice", show(field))
		}
		seen[field] = true
		if isConstant {
			m = append(m, MappedField{Field: field, Constant: validText(text)})
		} else {
			m = append(m, MappedField{Field: field, Column: text})
		}
	}
	return m, nil
}

// cutQuoted returns what stands before the next comma, or between quotation
// marks, and the text behind it.
func cutQuoted(s string) (text, rest string, ok bool) {
	body, quoted := strings.CutPrefix(strings.TrimLeft(s, " "), `"`)
	if !quoted {
		k := strings.IndexByte(s, ',')
		if k < 0 {
			k = len(s)
		}
		return strings.TrimSpace(s[:k]), s[k:], true
	}
	var b strings.Builder
	for {
		k := strings.IndexByte(body, '"')
		if k < 0 {
			return "", "", false
		}
		b.WriteString(body[:k])
		if body = body[k+1:]; !strings.HasPrefix(body, `"`) {
			return strings.TrimSpace(b.String()), strings.TrimLeft(body, " "), true
		}
		b.WriteByte('"')
		body = body[1:]
	}
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
