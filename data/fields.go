package data

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"
)

// fieldValue turns a value into what the schema wants of its field.
func (im *importer) fieldValue(t *target, c *cell) (any, *valueFault) {
	if c.kind == cellText && len(bytes.TrimSpace(c.text)) == 0 {
		return nil, nil
	}
	switch t.field.Type {
	case TypeCode:
		return im.codeValue(t, c.written()), nil
	case TypeCodes:
		return im.codesValue(t, c)
	case TypeInteger, TypeNumber:
		return im.numberValue(t.field, c)
	case TypeCount:
		return im.countValue(t.field, c)
	case TypeCounts:
		return countsValue(t.field, c)
	case TypeBoolean:
		return booleanValue(c)
	case TypeSpells:
		return im.spellsValue(c)
	default:
		return im.instantValue(t, c)
	}
}

// codeValue returns the code for a text, unknown for one that the list lacks.
func (im *importer) codeValue(t *target, text []byte) any {
	k, ok := t.known[string(text)]
	if !ok {
		if code, found := t.field.code(im.inCodes(t.field.Name, string(text))); found {
			k.value = code
		} else {
			k.value, k.unknown = "unknown", im.unknownOf(t.field.Name, text)
		}
		if len(t.known) < maxKnown {
			t.known[string(text)] = k
		}
	}
	if k.unknown != nil {
		k.unknown.count++
	}
	return k.value
}

// inCodes returns the code that the profile gives a word, or the word.
func (im *importer) inCodes(field, word string) string {
	words := im.opts.Values[field]
	if words == nil {
		return word
	}
	key := strings.ToLower(strings.TrimSpace(word))
	other, hasOther := "", false
	for from, code := range words {
		switch {
		case strings.ToLower(from) == key:
			return code
		case from == "*":
			other, hasOther = code, true
		}
	}
	if _, known := im.schema[field].code(word); hasOther && !known {
		return other
	}
	return word
}

func (im *importer) unknownOf(field string, text []byte) *unknownCode {
	u := im.unknown[field]
	if u == nil {
		u = &unknownCode{field: field, first: show(text)}
		if personal(text, true) != "" {
			u.first = "a value that is not repeated here"
		}
		im.unknown[field] = u
	}
	return u
}

// codesValue takes an array of codes, or a text with codes between ; | or commas.
func (im *importer) codesValue(t *target, c *cell) (any, *valueFault) {
	var texts []string
	if c.kind == cellNested {
		if json.Unmarshal(c.text, &texts) != nil {
			return nil, &valueFault{"bad_codes", "is not a list of codes"}
		}
	} else {
		texts = strings.FieldsFunc(strings.Trim(string(c.written()), "[] "), func(r rune) bool { return strings.ContainsRune(";|,", r) })
	}
	out := []byte{'['}
	var seen []string
	for _, s := range texts {
		code := im.codeValue(t, []byte(strings.Trim(s, `" `))).(string)
		if slices.Contains(seen, code) {
			continue
		}
		if seen = append(seen, code); len(out) > 1 {
			out = append(out, ',')
		}
		out = appendQuoted(out, code)
	}
	if len(seen) == 0 {
		return nil, nil
	}
	return json.RawMessage(append(out, ']')), nil
}

// parseNumber reads a number that may be text, with a decimal comma where the
// file uses semicolons.
func (im *importer) parseNumber(c *cell) (float64, bool) {
	switch c.kind {
	case cellNumber:
		return c.num, true
	case cellText:
		s := bytes.TrimPrefix(bytes.TrimSpace(c.text), []byte("+"))
		if im.decimalComma && bytes.Count(s, []byte{','}) == 1 {
			s = bytes.Replace(s, []byte{','}, []byte{'.'}, 1)
			im.counts.decimalComma++
		}
		v, n, ok := scanNumber(s)
		return v, ok && n == len(s) && !math.IsInf(v, 0)
	}
	return 0, false
}

func (im *importer) numberValue(f *Field, c *cell) (any, *valueFault) {
	v, ok := im.parseNumber(c)
	switch {
	case !ok:
		return nil, &valueFault{"not_a_number", "is not a number"}
	case f.Type == TypeInteger && v != math.Trunc(v):
		return nil, &valueFault{"not_an_integer", "is not a whole number"}
	case f.Min != nil && v < *f.Min || f.Max != nil && v > *f.Max:
		message := "is less than " + string(appendNumber(nil, *f.Min))
		if f.Max != nil {
			message = "is not in the range " + string(appendNumber(nil, *f.Min)) + " to " + string(appendNumber(nil, *f.Max))
		}
		return nil, &valueFault{"out_of_range", message}
	}
	return v, nil
}

var countBands = []string{"2-4", "5-9", "10-19", "20-49", "50+"}

func (im *importer) countValue(f *Field, c *cell) (any, *valueFault) {
	if v, ok := im.parseNumber(c); ok {
		if v < 0 || v != math.Trunc(v) {
			return nil, &valueFault{"bad_count", "is not a whole number of at least 0"}
		}
		return v, nil
	}
	band := strings.ReplaceAll(strings.ReplaceAll(string(c.written()), "–", "-"), " ", "")
	if slices.Contains(countBands, band) {
		return band, nil
	}
	return nil, &valueFault{"bad_count", "is neither a number nor one of the bands " + strings.Join(countBands, ", ")}
}

func countsValue(f *Field, c *cell) (any, *valueFault) {
	var counts map[string]int
	if json.Unmarshal(c.text, &counts) != nil {
		return nil, &valueFault{"bad_counts", "is not an object of whole numbers"}
	}
	for k, v := range counts {
		if v < 0 || !slices.Contains(f.Codes, k) {
			return nil, &valueFault{"bad_counts", "is not an object of counts by " + strings.Join(f.Codes, ", ")}
		}
	}
	return json.RawMessage(bytes.Clone(c.text)), nil
}

func booleanValue(c *cell) (any, *valueFault) {
	switch strings.ToLower(strings.TrimSpace(string(c.written()))) {
	case "true", "yes", "y", "ya", "1":
		return true, nil
	case "false", "no", "n", "tidak", "0":
		return false, nil
	}
	return nil, &valueFault{"not_a_boolean", "is not true or false"}
}

// mostSpells bounds what one feature may have: an outage a day for three years.
const mostSpells = 1000

// spellsValue takes times start/end between semicolons, or an array of them,
// and stores them as one text in UTC. A day stands for the whole of it.
func (im *importer) spellsValue(c *cell) (any, *valueFault) {
	texts := strings.Split(string(c.written()), ";")
	if c.kind == cellNested && json.Unmarshal(c.text, &texts) != nil {
		return nil, &valueFault{"bad_interval", "is not a list of intervals start/end"}
	}
	if len(texts) > mostSpells {
		return nil, &valueFault{"bad_interval", "has more than " + itoa(mostSpells) + " intervals"}
	}
	var out []string
	for _, text := range texts {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		start, end, ok := strings.Cut(text, "/")
		if !ok || strings.Contains(end, "/") {
			return nil, &valueFault{"bad_interval", "is not an interval start/end with dates of the form YYYY-MM-DDThh:mm:ssZ"}
		}
		from, fromText, f := im.spellEnd(start)
		if f != nil {
			return nil, f
		}
		to, toText, f := im.spellEnd(end)
		if f != nil {
			return nil, f
		}
		if !from.from.IsZero() && !to.to.IsZero() && to.to.Before(from.from) {
			return nil, &valueFault{"interval_reversed", "ends before it begins"}
		}
		if to.precision != instant {
			toText = to.to.Format(time.RFC3339)
		}
		out = append(out, fromText+"/"+toText)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return strings.Join(out, ";"), nil
}

// spellEnd reads one end of an interval; an open one is the zero stamp.
func (im *importer) spellEnd(text string) (stamp, string, *valueFault) {
	if text = strings.TrimSpace(text); text == ".." {
		return stamp{}, text, nil
	}
	st, f := im.dates.read([]byte(text))
	switch {
	case f != nil:
		return st, "", f
	case st.ambiguous:
		return st, "", &valueFault{"bad_interval", "has a date that is not of the form YYYY-MM-DD"}
	case st.unzoned:
		im.counts.unzoned++
	}
	return st, st.from.Format(time.RFC3339), nil
}

// instantValue takes a time that is not one of the feature's two, and stores
// it as text in UTC: its day when that is all that is known.
func (im *importer) instantValue(t *target, c *cell) (any, *valueFault) {
	text := c.written()
	st, f := im.dates.read(text)
	if f != nil {
		return nil, f
	}
	if st.ambiguous {
		im.noteAmbiguous(text)
		im.row.unsure = append(im.row.unsure, unsureValue{t.name, string(text)})
	} else if t.name != "valid_until" && im.isFuture(st.from) {
		return nil, &valueFault{"in_the_future", "is more than 24 hours ahead"}
	}
	if st.unzoned && st.precision == instant {
		im.noteZone(st)
	}
	return im.showStamp(st), nil
}

func (im *importer) showStamp(st stamp) string {
	switch st.precision {
	case day:
		return st.from.In(im.dates.zone).Format(time.DateOnly)
	case month:
		return st.from.In(im.dates.zone).Format("2006-01")
	}
	return st.from.Format(time.RFC3339)
}
