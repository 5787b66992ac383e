package data

import (
	"encoding/json"
	"math"
	"slices"
)

// Cells of the readers whose files say little about types.

// textCell adds a text to the row; none when it is empty.
func (im *importer) textCell(r *rowState, name string, text []byte) {
	if len(text) == 0 || r.fault != nil {
		return
	}
	switch {
	case len(name) > maxNameBytes:
		r.refuseRow(name, "name_too_long", "is a name longer than "+itoa(maxNameBytes)+" bytes")
		return
	case len(text) > im.limits.ValueBytes:
		r.refuseRow(name, "value_too_long", "is longer than "+itoa(im.limits.ValueBytes)+" bytes")
		return
	}
	c, err := im.column(name)
	if err != nil {
		r.refuseRow(name, "too_many_columns", err.Error())
		return
	}
	if !c.dropped {
		r.cells = append(r.cells, cell{col: c, kind: cellText, text: text})
	}
}

// numberCell adds a number, or a text that is none as it stands.
func (im *importer) numberCell(r *rowState, name string, text []byte) {
	n := len(r.cells)
	im.textCell(r, name, text)
	if v, used, ok := scanNumber(text); len(r.cells) > n && ok && used == len(text) && !math.IsInf(v, 0) {
		c := &r.cells[n]
		c.kind, c.num, c.text = cellNumber, v, exactNumber(nil, v, text)
	}
}

// typedCell adds a value whose type stands beside it.
func (im *importer) typedCell(r *rowState, name, kind string, text []byte) {
	switch kind {
	case "number", "int", "uint", "short", "ushort", "float", "double":
		im.numberCell(r, name, text)
		return
	}
	n := len(r.cells)
	im.textCell(r, name, text)
	if len(r.cells) == n {
		return
	}
	c := &r.cells[n]
	switch {
	case (kind == "boolean" || kind == "bool") && (string(text) == "true" || string(text) == "1"):
		c.kind = cellTrue
	case (kind == "boolean" || kind == "bool") && (string(text) == "false" || string(text) == "0"):
		c.kind = cellFalse
	case kind == "json" && im.isPlainJSON(text):
		c.kind = cellNested
	}
}

// isPlainJSON tells whether a text is a JSON array or object that may be kept
// as it is: bounded in depth, and nothing inside that the privacy rules forbid.
func (im *importer) isPlainJSON(text []byte) bool {
	if !json.Valid(text) || len(text) == 0 || text[0] != '[' && text[0] != '{' {
		return false
	}
	var v any
	return json.Unmarshal(text, &v) == nil && im.isPlain(v, im.limits.PropertyDepth)
}

func (im *importer) isPlain(v any, depth int) bool {
	if depth == 0 {
		return false
	}
	switch v := v.(type) {
	case string:
		return !hasKey([]byte(v)) && (!im.scrutiny || personal([]byte(v), true) == "")
	case []any:
		return !slices.ContainsFunc(v, func(v any) bool { return !im.isPlain(v, depth-1) })
	case map[string]any:
		for name, inner := range v {
			if im.scrutiny && judgeName(name) == nameForbidden || !im.isPlain(inner, depth-1) {
				return false
			}
		}
	}
	return true
}

// isSource tells whether the mapping takes a field from the column.
func (im *importer) isSource(column string) bool {
	return slices.ContainsFunc(im.opts.Mapping, func(m MappedField) bool { return m.matches(column) })
}

// identify gives the row the identifier of its source, unless it looks like a
// person's.
func (im *importer) identify(r *rowState, id []byte) {
	if what := personal(id, false); what != "" && (im.scrutiny || hasKey(id)) {
		im.report.warn("column_not_stored", "id of features", "the identifiers of features that look like %s are not stored", what)
		return
	}
	r.id = string(id)
}
