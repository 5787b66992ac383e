package geo

import "time"

// appendInstant appends a JSON string of RFC 3339, with milliseconds where
// there are any.
func appendInstant(dst []byte, ms int64) []byte {
	day, rest := ms/86_400_000, ms%86_400_000
	if rest < 0 {
		day, rest = day-1, rest+86_400_000
	}
	year, month, date := civil(day)
	if year < 0 || year > 9999 {
		return append(time.UnixMilli(ms).UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.999Z"), '"')
	}
	two := func(v int64, sign byte) { dst = append(dst, sign, byte('0'+v/10), byte('0'+v%10)) }
	two(year/100, '"')
	dst = append(dst, byte('0'+year/10%10), byte('0'+year%10))
	two(month, '-')
	two(date, '-')
	two(rest/3_600_000, 'T')
	two(rest/60_000%60, ':')
	two(rest/1000%60, ':')
	if milli := rest % 1000; milli != 0 {
		two(milli/10, '.')
		dst = append(dst, byte('0'+milli%10))
	}
	return append(dst, 'Z', '"')
}

// civil returns the date of a day, counted from 1970-01-01, in the Gregorian
// calendar: in years that begin in March the leap day comes last (Richards,
// Explanatory Supplement to the Astronomical Almanac, 3rd ed., section 15.11).
func civil(day int64) (year, month, date int64) {
	day += 719_468 // from 0000-03-01
	era := day / 146_097
	if day < 0 {
		era = (day - 146_096) / 146_097
	}
	ofEra := day - era*146_097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36_524 - ofEra/146_096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*ofYear + 2) / 153
	month = m + 3
	if m >= 10 {
		month = m - 9
	}
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, ofYear - (153*m+2)/5 + 1
}
