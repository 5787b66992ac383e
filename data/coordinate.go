package data

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"unicode/utf8"
)

// parseAngle reads one coordinate in degrees as people write it: a decimal
// number, with a hemisphere before or behind, or degrees, minutes and seconds
// with signs or spaces between them (1°23'45.6"N, S 1 23 45, 109,5 E). axis is
// 'x' for a longitude, 'y' for a latitude: a hemisphere of the other axis is a
// fault. comma says that a comma may stand for the decimal point.
func parseAngle(text []byte, axis byte, comma bool) (deg float64, fault string) {
	text, fault = degreeLetters(text, axis)
	if fault != "" {
		return 0, fault
	}
	side, body, fault := cutHemisphere(text, axis)
	if fault != "" {
		return 0, fault
	}
	parts, fault := angleParts(body, comma)
	if fault != "" {
		return 0, fault
	}
	negative := parts[0] < 0 || math.Signbit(parts[0])
	if negative && side != 0 {
		return 0, "has a sign and a hemisphere; leave one out"
	}
	deg = math.Abs(parts[0])
	for i, v := range parts[1:] {
		if v < 0 || math.Signbit(v) || v >= 60 || parts[i] != math.Trunc(parts[i]) {
			return 0, "has minutes or seconds that are not 0 to 59, or a fraction before them"
		}
		deg += v / math.Pow(60, float64(i+1))
	}
	if negative || side == 'S' || side == 'W' {
		deg = -deg
	}
	return deg, ""
}

// lettered is an angle whose units are letters: 110d30m15sE, 1 deg 30 min N.
var lettered = regexp.MustCompile(`^(?i)([a-z ]*[+-]?\s*\d+(?:[.,]\d+)?)\s*d(?:eg)?\s*(?:(\d+(?:[.,]\d+)?)\s*m(?:in)?\s*(?:(\d+(?:[.,]\d+)?)\s*(s(?:ec)?)?\s*)?)?([a-z ]*)$`)

// degreeLetters puts signs for the letters of degrees, minutes and seconds. An S
// at the end of a latitude could be south too, unless it is small as they are.
func degreeLetters(text []byte, axis byte) (out []byte, fault string) {
	text = bytes.TrimSpace(text)
	if len(text) > 64 || bytes.IndexByte(bytes.ToLower(text), 'd') < 0 {
		return text, ""
	}
	m := lettered.FindSubmatch(text)
	if m == nil {
		return text, ""
	}
	if axis == 'y' && string(m[4]) == "S" && len(m[5]) == 0 {
		return nil, "ends with an S that may be seconds or south; write sS, sN or signs"
	}
	out = append(append(out, m[1]...), "°"...)
	if len(m[2]) > 0 {
		out = append(append(out, m[2]...), '\'')
	}
	if len(m[3]) > 0 {
		out = append(append(out, m[3]...), '"')
	}
	return append(out, m[5]...), ""
}

// hemispheres are the words for the half of the globe in English, Indonesian
// and Malay, longest first. T is timur, B barat, U utara.
func hemispheres() []struct {
	word string
	side byte
} {
	return []struct {
		word string
		side byte
	}{{"lintang utara", 'N'}, {"lintang selatan", 'S'}, {"bujur timur", 'E'}, {"bujur barat", 'W'}, {"selatan", 'S'}, {"utara", 'N'},
		{"timur", 'E'}, {"barat", 'W'}, {"north", 'N'}, {"south", 'S'}, {"east", 'E'}, {"west", 'W'},
		{"lu", 'N'}, {"ls", 'S'}, {"bt", 'E'}, {"bb", 'W'}, {"n", 'N'}, {"s", 'S'}, {"e", 'E'}, {"w", 'W'}, {"u", 'N'}, {"t", 'E'}, {"b", 'W'}}
}

// cutHemisphere takes the hemisphere off a coordinate; side is 0 without one.
func cutHemisphere(text []byte, axis byte) (side byte, body []byte, fault string) {
	body = bytes.TrimSpace(text)
	lower := bytes.ToLower(body)
	for _, h := range hemispheres() {
		switch {
		case bytes.HasPrefix(lower, []byte(h.word)):
			body = body[len(h.word):]
		case bytes.HasSuffix(lower, []byte(h.word)):
			body = body[:len(body)-len(h.word)]
		default:
			continue
		}
		rest := bytes.TrimSpace(body)
		if len(rest) == 0 || letterAt(rest, 0) || letterAt(rest, len(rest)-1) { // a word such as NaN
			return 0, bytes.TrimSpace(text), ""
		}
		if (h.side == 'N' || h.side == 'S') != (axis == 'y') {
			return 0, nil, "is of the other axis; are longitude and latitude the wrong way round?"
		}
		return h.side, bytes.TrimSpace(body), ""
	}
	return 0, body, ""
}

func letterAt(s []byte, i int) bool { return s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' }

// angleParts splits a coordinate into degrees, minutes and seconds; only the
// last may have a fraction.
func angleParts(text []byte, comma bool) (parts []float64, fault string) {
	const wanted = "is not a decimal number of degrees, nor degrees, minutes and seconds"
	if len(text) == 0 || len(text) > 64 {
		return nil, wanted
	}
	if comma {
		text = bytes.ReplaceAll(text, []byte{','}, []byte{'.'})
	}
	marks := []string{"°º˚:", "'′’´:", "\"″”"}
	for len(text) > 0 {
		if len(parts) == 3 {
			return nil, wanted
		}
		v, n, ok := scanNumber(plusCut(text))
		if !ok || math.IsInf(v, 0) {
			return nil, wanted
		}
		text = plusCut(text)[n:]
		parts = append(parts, v)
		gap := len(text) - len(bytes.TrimLeft(text, " "))
		text = text[gap:]
		r, size := utf8.DecodeRune(text)
		switch {
		case len(text) == 0:
		case strings.ContainsRune(marks[len(parts)-1], r):
			text = text[size:]
			text = bytes.TrimLeft(text, " ")
		case len(parts) == 3 && bytes.HasPrefix(text, []byte("''")):
			text = bytes.TrimLeft(text[2:], " ")
		case gap == 0:
			return nil, wanted
		}
	}
	return parts, ""
}

func plusCut(text []byte) []byte {
	text = bytes.TrimPrefix(text, []byte{'+'})
	for len(text) > 1 && text[0] == '0' && text[1]-'0' < 10 { // 01°23'
		text = text[1:]
	}
	return text
}

// parsePair reads both coordinates of one text: parted by a comma, a semicolon
// or white space, or by their hemispheres. latFirst says which comes first.
func parsePair(text []byte, latFirst bool) (lon, lat float64, fault string) {
	text = bytes.Trim(bytes.TrimSpace(text), "()[] ")
	first, second, ok := cutPair(text)
	if !ok {
		return 0, 0, "is not two coordinates"
	}
	comma := bytes.IndexByte(first, ',') >= 0 || bytes.IndexByte(second, ',') >= 0
	axes := [2]byte{'x', 'y'}
	if latFirst {
		axes = [2]byte{'y', 'x'}
	}
	a, fault := parseAngle(first, axes[0], comma)
	if fault != "" {
		return 0, 0, fault
	}
	b, fault := parseAngle(second, axes[1], comma)
	if fault != "" {
		return 0, 0, fault
	}
	if latFirst {
		return b, a, ""
	}
	return a, b, ""
}

// cutPair finds where one coordinate ends and the other begins.
func cutPair(text []byte) (first, second []byte, ok bool) {
	for _, sep := range []string{";", ", ", ","} {
		if bytes.Count(text, []byte(sep)) == 1 {
			first, second, _ = bytes.Cut(text, []byte(sep))
			return bytes.TrimSpace(first), bytes.TrimSpace(second), true
		}
	}
	if fields := bytes.Fields(text); len(fields) == 2 {
		return fields[0], fields[1], true
	}
	lower := bytes.ToLower(text)
	for _, letter := range []byte("nsew") { // behind the hemisphere of the first
		if k := bytes.IndexByte(lower, letter); k > 0 && k < len(text)-1 {
			return bytes.TrimSpace(text[:k+1]), bytes.TrimSpace(text[k+1:]), true
		}
	}
	return nil, nil, false
}
