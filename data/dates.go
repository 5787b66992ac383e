package data

import (
	"bytes"
	"strings"
	"time"
)

// DateOrder says how a date such as 04/05/2022 is to be read.
type DateOrder string

// The date orders; "" means DMY unless the data prove another.
const (
	DMY DateOrder = "dmy"
	MDY DateOrder = "mdy"
	YMD DateOrder = "ymd"
)

// ParseZone returns the time zone that a name stands for: an IANA name, an
// offset such as +08:00, or WIB, WITA, WIT, MYT, SGT, UTC. "" is UTC.
func ParseZone(name string) (*time.Location, error) {
	if s, rest, ok := cutZone([]byte(strings.TrimSpace(name))); ok && len(rest) == 0 {
		return s, nil
	}
	if name == "" {
		return time.UTC, nil
	}
	if name != "Local" {
		if loc, err := time.LoadLocation(name); err == nil {
			return loc, nil
		}
	}
	return nil, refuse(422, "unknown_zone", "the time zone %s is not known; use a name such as Asia/Pontianak, an offset such as +08:00, or UTC", show(name))
}

// precision is how finely a time was given.
type precision byte

const (
	instant precision = iota // to the minute or better
	day
	month
)

// stamp is a time read from text.
type stamp struct {
	from, to  time.Time // the first and the last second it can mean; equal for an instant
	precision precision
	unzoned   bool // no zone was given with it
	skipped   bool // the clocks of the zone never showed it
	repeated  bool // and showed it twice
	ambiguous bool // day and month could be the other way round
	dayless   bool // a time of day, to which date= gave the date
}

// valueFault says why a value cannot be taken; its message follows the value.
type valueFault struct{ code, message string }

// dateReader reads times as people write them, and learns the order of day
// and month from the first date that can only be read one way.
type dateReader struct {
	order    DateOrder // as declared or proven; "" while neither
	declared bool
	provenAt int // the row that proved the order
	zone     *time.Location
	day      []byte // supplies the date of a time of day
	row      int    // the row being read
}

// read returns the time that s stands for.
func (d *dateReader) read(s []byte) (stamp, *valueFault) {
	s = bytes.TrimSpace(s)
	if st, ok := d.readISO(s); ok {
		return st, nil
	}
	if f := serialFault(s); f != nil {
		return stamp{}, f
	}
	s = cutWeekday(s)
	dayless := isTimeOfDay(s)
	if dayless {
		if len(d.day) == 0 {
			return stamp{}, &valueFault{"time_without_date", "is a time of day without a date; give the date with date=YYYY-MM-DD"}
		}
		s = append(append(append([]byte{}, d.day...), 'T'), bytes.TrimPrefix(s, []byte("T"))...)
	}
	y, m, dd, rest, ambiguous, f := d.calendar(s)
	if f != nil {
		return stamp{}, f
	}
	st := stamp{precision: day, ambiguous: ambiguous, dayless: dayless}
	if dd == 0 {
		st.precision, dd = month, 1
	}
	if y < 1900 || y > 9999 {
		return stamp{}, &valueFault{"bad_date", "is not in the years 1900 to 9999"}
	}
	if m < 1 || m > 12 || dd < 1 || dd > daysIn(y, m) {
		return stamp{}, &valueFault{"bad_date", "is not a day of the calendar"}
	}
	rest = cutHourWord(bytes.TrimLeft(rest, " ,T"))
	if len(rest) == 0 {
		st.unzoned = true
		return st.whole(y, m, dd, d.zone), nil
	}
	clock, zone, f := readClock(rest)
	if f != nil {
		return stamp{}, f
	}
	st.precision = instant
	if zone == nil {
		zone, st.unzoned = d.zone, true
	}
	st.clock(time.Date(y, time.Month(m), dd, clock.h, clock.m, clock.s, clock.ns, time.UTC), zone)
	return st, nil
}

// clock makes the stamp the instant at which the clocks of a zone showed what
// wall does in UTC. Of two such instants it is the first, before the clocks were
// put back; what they skipped is read by the clock before it was put forward.
func (st *stamp) clock(wall time.Time, zone *time.Location) {
	at := wall
	if zone != time.UTC {
		y, m, d := wall.Date()
		at = time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
		before := offsetS(at.Add(-24 * time.Hour))
		if after := offsetS(at.Add(24 * time.Hour)); before != after {
			early := wall.Add(-time.Duration(before) * time.Second)
			late := wall.Add(-time.Duration(after) * time.Second)
			fitsEarly, fitsLate := offsetS(early.In(zone)) == before, offsetS(late.In(zone)) == after
			st.skipped, st.repeated = !fitsEarly && !fitsLate, fitsEarly && fitsLate
			if at = late; fitsEarly || st.skipped {
				at = early
			}
		}
	}
	st.from = at.UTC()
	st.to = st.from
}

func offsetS(t time.Time) int {
	_, offset := t.Zone()
	return offset
}

// whole makes the stamp cover its day or month.
func (st stamp) whole(y, m, d int, zone *time.Location) stamp {
	last := d
	if st.precision == month {
		last = daysIn(y, m)
	}
	st.from = time.Date(y, time.Month(m), d, 0, 0, 0, 0, zone).UTC()
	st.to = time.Date(y, time.Month(m), last, 23, 59, 59, 0, zone).UTC()
	return st
}

// readISO is the short way for 2006-01-02[T15:04[:05][Z]].
func (d *dateReader) readISO(s []byte) (stamp, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return stamp{}, false
	}
	y, ok1 := number4(s)
	m, ok2 := number2(s[5:])
	dd, ok3 := number2(s[8:])
	if !ok1 || !ok2 || !ok3 || y < 1900 || m < 1 || m > 12 || dd < 1 || dd > daysIn(y, m) {
		return stamp{}, false
	}
	if len(s) == 10 {
		return stamp{precision: day, unzoned: true}.whole(y, m, dd, d.zone), true
	}
	if len(s) < 16 || s[10] != 'T' && s[10] != ' ' || s[13] != ':' {
		return stamp{}, false
	}
	h, ok1 := number2(s[11:])
	min, ok2 := number2(s[14:])
	sec, ok3 := 0, true
	rest := s[16:]
	if len(rest) >= 3 && rest[0] == ':' {
		sec, ok3 = number2(rest[1:])
		rest = rest[3:]
	}
	if !ok1 || !ok2 || !ok3 || h > 23 || min > 59 || sec > 59 {
		return stamp{}, false
	}
	st := stamp{}
	zone := d.zone
	switch {
	case len(rest) == 0:
		st.unzoned = true
	case len(rest) == 1 && rest[0] == 'Z':
		zone = time.UTC
	default:
		return stamp{}, false
	}
	st.clock(time.Date(y, time.Month(m), dd, h, min, sec, 0, time.UTC), zone)
	return st, true
}

func number2(s []byte) (int, bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int(a)*10 + int(b), a < 10 && b < 10
}

func number4(s []byte) (int, bool) {
	a, ok1 := number2(s)
	b, ok2 := number2(s[2:])
	return a*100 + b, ok1 && ok2
}

func daysIn(y, m int) int { return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// serialFault explains bare numbers: counts of seconds and spreadsheet days
// look alike to a person, so none is taken for a date.
func serialFault(s []byte) *valueFault {
	v, n, ok := scanNumber(s)
	if !ok || n != len(s) {
		return nil
	}
	switch {
	case len(s) == 8 && v >= 19000101 && v <= 99991231: // 20221105
		return nil
	case v >= 1e8 && v < 1e11:
		return &valueFault{"unix_time", "looks like unix seconds; write it as a date such as 2022-11-05T04:00:00Z"}
	case v >= 1e11 && v < 1e14:
		return &valueFault{"unix_time", "looks like unix milliseconds; write it as a date such as 2022-11-05T04:00:00Z"}
	case v >= 20000 && v < 80000:
		return &valueFault{"excel_serial", "looks like a spreadsheet's day number; format the column as a date, YYYY-MM-DD"}
	}
	return &valueFault{"bad_date", "is a number, not a date; write it as YYYY-MM-DD"}
}

// weekdayNames are the days of the week in English, Indonesian and Malay; what
// they say beside a date is not checked.
var weekdayNames = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "wed", "thu", "fri", "sat", "sun",
	"senin", "selasa", "rabu", "kamis", "jumat", "jum'at", "sabtu", "minggu", "ahad", "sen", "sel", "rab", "kam", "jum", "sab", "min",
	"isnin", "khamis", "jumaat", "isn", "kha"}

// cutWeekday takes a day of the week off the front of a date.
func cutWeekday(s []byte) []byte {
	n := 0
	for n < len(s) && (s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || s[n] == '\'') {
		n++
	}
	if n < 3 || n > 9 || n == len(s) || strings.IndexByte(", .", s[n]) < 0 {
		return s
	}
	word := strings.ToLower(string(s[:n]))
	for _, name := range weekdayNames {
		if name == word {
			return bytes.TrimLeft(s[n:], ", .")
		}
	}
	return s
}

// cutHourWord takes the word for o'clock off the front of a time of day.
func cutHourWord(s []byte) []byte {
	for _, word := range []string{"pukul ", "pkl. ", "pkl ", "jam ", "at "} {
		if len(s) > len(word) && strings.EqualFold(string(s[:len(word)]), word) {
			return bytes.TrimLeft(s[len(word):], " ")
		}
	}
	return s
}

func isTimeOfDay(s []byte) bool {
	s = bytes.TrimPrefix(s, []byte("T"))
	n := 0
	for n < len(s) && s[n]-'0' < 10 {
		n++
	}
	return n > 0 && n <= 2 && n < len(s) && s[n] == ':'
}

var notADate = &valueFault{"bad_date", "is not a date; write it as YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ"}

// calendar reads the date at the start of s; a zero day means a whole month.
func (d *dateReader) calendar(s []byte) (y, m, dd int, rest []byte, ambiguous bool, f *valueFault) {
	a, na, s1 := cutNumber(s)
	if na == 8 {
		return a / 10000, a / 100 % 100, a % 100, s1, false, nil
	}
	if na == 0 || na <= 2 && startsMonth(s1) {
		return namedMonth(s, a, na, s1)
	}
	if len(s1) == 0 || strings.IndexByte("-/.", s1[0]) < 0 {
		return 0, 0, 0, nil, false, notADate
	}
	b, nb, s2 := cutNumber(s1[1:])
	if nb == 0 || nb > 2 {
		return 0, 0, 0, nil, false, notADate
	}
	if len(s2) == 0 && na == 4 && s1[0] == '-' {
		return a, b, 0, nil, false, nil
	}
	if len(s2) == 0 || s2[0] != s1[0] {
		return 0, 0, 0, nil, false, notADate
	}
	c, nc, s3 := cutNumber(s2[1:])
	switch {
	case na == 4 && (nc == 1 || nc == 2):
		return a, b, c, s3, false, nil
	case na <= 2 && nc == 4:
		dd, m, ambiguous, f = d.dayMonth(a, b)
		return c, m, dd, s3, ambiguous, f
	case na <= 2 && nc == 2:
		return 0, 0, 0, nil, false, &valueFault{"two_digit_year", "has a year of two digits; write it as YYYY-MM-DD"}
	}
	return 0, 0, 0, nil, false, notADate
}

// dayMonth decides which of two numbers is the day.
func (d *dateReader) dayMonth(a, b int) (dd, m int, ambiguous bool, f *valueFault) {
	if a < 1 || b < 1 || a > 31 || b > 31 || a > 12 && b > 12 {
		return 0, 0, false, notADate
	}
	only := DateOrder("")
	if a > 12 {
		only = DMY
	} else if b > 12 {
		only = MDY
	}
	if only != "" && d.order == "" {
		d.order, d.provenAt = only, d.row
	}
	switch {
	case d.order == YMD || only != "" && only != d.order:
		why := "declared"
		if !d.declared {
			why = "proven by row " + itoa(d.provenAt)
		}
		return 0, 0, false, &valueFault{"date_order", "does not fit the date order " + string(d.order) + " that is " + why + "; declare date_order or write dates as YYYY-MM-DD"}
	case d.order == MDY:
		return b, a, false, nil
	}
	return a, b, d.order == "" && a != b, nil
}

func cutNumber(s []byte) (v, n int, rest []byte) {
	for n < len(s) && n < 9 && s[n]-'0' < 10 {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n, s[n:]
}

// monthNames are the beginnings of the names of months in English, Indonesian
// and Malay, longest first where one begins another.
var monthNames = []struct {
	name  string
	month int
}{
	{"jan", 1}, {"feb", 2}, {"mar", 3}, {"mac", 3}, {"apr", 4}, {"may", 5}, {"mei", 5}, {"jun", 6}, {"jul", 7},
	{"aug", 8}, {"agu", 8}, {"ags", 8}, {"agt", 8}, {"ogo", 8}, {"ogs", 8}, {"sep", 9}, {"oct", 10}, {"okt", 10}, {"nov", 11}, {"nop", 11},
	{"dec", 12}, {"des", 12}, {"dis", 12}, {"peb", 2},
}

func startsMonth(s []byte) bool {
	_, _, ok := cutMonth(bytes.TrimLeft(s, " -/."))
	return ok
}

func cutMonth(s []byte) (m int, rest []byte, ok bool) {
	n := 0
	for n < len(s) && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
		n++
	}
	if n < 3 || n > 9 {
		return 0, nil, false
	}
	word := strings.ToLower(string(s[:3]))
	for _, e := range monthNames {
		if e.name == word {
			return e.month, s[n:], true
		}
	}
	return 0, nil, false
}

// namedMonth reads 5 Nov 2022, 05-Nov-2022 and November 5, 2022.
func namedMonth(s []byte, dd, n int, rest []byte) (y, m, day int, after []byte, ambiguous bool, f *valueFault) {
	const between = " -/.,"
	if n == 0 {
		var ok bool
		if m, rest, ok = cutMonth(s); !ok {
			return 0, 0, 0, nil, false, notADate
		}
		dd, n, rest = cutNumber(bytes.TrimLeft(rest, between))
		if n == 4 && len(bytes.TrimSpace(rest)) == 0 {
			return dd, m, 0, nil, false, nil
		}
	} else {
		m, rest, _ = cutMonth(bytes.TrimLeft(rest, between))
	}
	y, ny, rest := cutNumber(bytes.TrimLeft(rest, between))
	if ny == 2 {
		return 0, 0, 0, nil, false, &valueFault{"two_digit_year", "has a year of two digits; write it as YYYY-MM-DD"}
	}
	if n == 0 || n > 2 || ny != 4 {
		return 0, 0, 0, nil, false, notADate
	}
	return y, m, dd, rest, false, nil
}

type clockTime struct{ h, m, s, ns int }

// readClock reads 15:04[:05[.000]] [pm] [zone].
func readClock(s []byte) (c clockTime, zone *time.Location, f *valueFault) {
	bad := &valueFault{"bad_time", "has a time of day that is not hh:mm[:ss] with an optional zone"}
	h, n, s := cutNumber(s)
	if n == 0 || n > 2 || len(s) < 3 || s[0] != ':' && s[0] != '.' {
		return c, nil, bad
	}
	m, n, s := cutNumber(s[1:])
	if n != 2 {
		return c, nil, bad
	}
	c.h, c.m = h, m
	if len(s) > 2 && s[0] == ':' {
		if c.s, n, s = cutNumber(s[1:]); n != 2 {
			return c, nil, bad
		}
		if len(s) > 1 && (s[0] == '.' || s[0] == ',') {
			v, n, rest := cutNumber(s[1:])
			if n == 0 {
				return c, nil, bad
			}
			for ; n < 9; n++ {
				v *= 10
			}
			c.ns, s = v, bytes.TrimLeft(rest, "0123456789")
		}
	}
	s = bytes.TrimLeft(s, " ")
	if len(s) >= 2 && s[1]|0x20 == 'm' && (s[0]|0x20 == 'a' || s[0]|0x20 == 'p') {
		if c.h < 1 || c.h > 12 {
			return c, nil, bad
		}
		c.h %= 12
		if s[0]|0x20 == 'p' {
			c.h += 12
		}
		s = bytes.TrimLeft(s[2:], " ")
	}
	if c.h > 23 || c.m > 59 || c.s > 59 {
		return c, nil, bad
	}
	if len(s) == 0 {
		return c, nil, nil
	}
	if s[0] == '(' && s[len(s)-1] == ')' {
		s = s[1 : len(s)-1]
	}
	zone, rest, ok := cutZone(s)
	if !ok || len(rest) > 0 {
		return c, nil, &valueFault{"bad_zone", "has a time zone that is not Z, +hh:mm, UTC+h, WIB, WITA, WIT or MYT"}
	}
	return c, zone, nil
}

// cutZone reads a zone at the start of s.
func cutZone(s []byte) (*time.Location, []byte, bool) {
	n := 0
	for n < len(s) && s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' {
		n++
	}
	if n > 0 {
		hours := 0
		switch strings.ToUpper(string(s[:n])) {
		case "Z":
			return time.UTC, s[n:], true
		case "UTC", "GMT":
			if rest := bytes.TrimLeft(s[n:], " "); len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') {
				return cutOffset(rest)
			}
			return time.UTC, s[n:], true
		case "WIB":
			hours = 7
		case "WITA", "MYT", "SGT", "BNT", "PHT":
			hours = 8
		case "WIT":
			hours = 9
		default:
			return nil, s, false
		}
		return time.FixedZone("", hours*3600), s[n:], true
	}
	return cutOffset(s)
}

// cutOffset reads +08:00, +0800, +08 or +8 at the start of s.
func cutOffset(s []byte) (*time.Location, []byte, bool) {
	if len(s) == 2 && s[1]-'0' < 10 { // UTC+8
		s = []byte{s[0], '0', s[1]}
	}
	if len(s) > 2 && s[1]-'0' < 10 && s[2] == ':' { // UTC+8:00
		s = append([]byte{s[0], '0'}, s[1:]...)
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return nil, s, false
	}
	h, ok := number2(s[1:])
	m, rest := 0, s[3:]
	if len(rest) > 0 && ok {
		digits := bytes.TrimPrefix(rest, []byte(":"))
		if len(digits) < 2 {
			return nil, s, false
		}
		m, ok = number2(digits)
		rest = digits[2:]
	}
	if !ok || h > 14 || m > 59 {
		return nil, s, false
	}
	offset := h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	if offset == 0 {
		return time.UTC, rest, true
	}
	return time.FixedZone("", offset), rest, true
}
