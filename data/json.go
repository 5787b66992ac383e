package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads JSON (RFC 8259) from a window, token by token and strictly:
// UTF-8, the number grammar, bounded depth and lengths. The first fault ends
// it: failed is set, and every later call finds the end of the text.
type jsonReader struct {
	window
	limits Limits
	depth  int
	failed error
	keyBuf []byte
	lit    []byte // the last number as it was written
	mended int    // NULs and unpaired surrogates that were replaced
	rawMax int    // how long the buffer may grow in raw
	where  func() string
}

// fail ends the reading with a refusal that says where.
func (j *jsonReader) fail(status int, code, format string, args ...any) {
	if j.failed != nil {
		return
	}
	place := fmt.Sprintf("line %d, byte %d", j.lineNumber(), j.offset())
	if j.where != nil {
		if w := j.where(); w != "" {
			place += ", " + w
		}
	}
	j.failed = refuse(status, code, "%s: %s", place, fmt.Sprintf(format, args...))
	j.pos, j.err = j.end, io.EOF
}

// unexpected fails on what stands at pos, or on the end of the text, or on
// whatever kept the text from being read.
func (j *jsonReader) unexpected(wanted string) {
	switch {
	case j.failed != nil:
	case j.pos < j.end:
		c := j.buf[j.pos : j.pos+1]
		j.fail(400, "bad_json", "%s expected, found %s; the file is not valid JSON", wanted, show(c))
	case !errors.Is(j.err, io.EOF):
		j.failed = j.err
	default:
		j.fail(400, "bad_json", "the file ends where %s is expected; it was cut off", wanted)
	}
}

// peek skips white space and returns the next byte without using it; 0 at the
// end of the text.
func (j *jsonReader) peek() byte {
	for {
		for j.pos < j.end {
			switch c := j.buf[j.pos]; c {
			case ' ', '\n', '\t', '\r':
				j.pos++
			default:
				return c
			}
		}
		if !j.more() {
			return 0
		}
	}
}

// enter uses the bracket that opens a container.
func (j *jsonReader) enter() {
	j.pos++
	if j.depth++; j.depth > j.limits.Depth {
		j.fail(422, "too_deep", "more than %d levels of nesting; flatten the file", j.limits.Depth)
	}
}

// next moves to the next item of a container, or uses its closing bracket and
// returns false.
func (j *jsonReader) next(first bool, closing byte) bool {
	c := j.peek()
	if c == closing {
		j.pos++
		j.depth--
		return false
	}
	if first {
		return j.failed == nil
	}
	if c != ',' {
		j.unexpected("a comma or " + string(closing))
		return false
	}
	j.pos++
	if j.peek() == closing {
		j.unexpected("another item after the comma")
	}
	return j.failed == nil
}

// key uses a member's name and its colon; the name is valid until the next key.
func (j *jsonReader) key() []byte {
	if j.peek() != '"' {
		j.unexpected("a name in quotes")
		return nil
	}
	j.keyBuf = j.text(j.keyBuf[:0], maxNameBytes)
	if j.peek() != ':' {
		j.unexpected("a colon")
		return nil
	}
	j.pos++
	return j.keyBuf
}

// plainByte marks what stands for itself in a JSON string.
var plainByte = func() (t [256]bool) {
	for c := 0x20; c < 256; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// text uses a string and appends what it stands for to dst.
func (j *jsonReader) text(dst []byte, limit int) []byte {
	j.pos++
	start := len(dst)
	seen := byte(0) // of all bytes, or'ed: from 0x80 on the text is not ASCII
	for {
		buf, i := j.buf[:j.end], j.pos
		for i < len(buf) && plainByte[buf[i]] {
			seen |= buf[i]
			i++
		}
		dst = append(dst, buf[j.pos:i]...)
		j.pos = i
		if len(dst)-start > limit {
			j.fail(413, "value_too_long", "a text is longer than %d bytes", limit)
			return dst
		}
		if i == len(buf) {
			if !j.more() {
				j.unexpected("the end of a text")
				return dst
			}
			continue
		}
		switch buf[i] {
		case '"':
			j.pos++
			if seen >= utf8.RuneSelf && !utf8.Valid(dst[start:]) {
				j.fail(400, "encoding", "a text is not valid UTF-8; save the file as UTF-8")
			}
			return dst
		case '\\':
			dst = j.escape(dst)
			if j.failed != nil {
				return dst
			}
		default:
			j.unexpected("an escape in place of a control character")
			return dst
		}
	}
}

// escape uses one escape of a string and appends its meaning.
func (j *jsonReader) escape(dst []byte) []byte {
	j.need(12)
	rest := j.rest()
	if len(rest) < 2 {
		j.pos = j.end
		j.unexpected("the end of a text")
		return dst
	}
	j.pos += 2
	switch c := rest[1]; c {
	case '"', '\\', '/':
		return append(dst, c)
	case 'b':
		return append(dst, '\b')
	case 'f':
		return append(dst, '\f')
	case 'n':
		return append(dst, '\n')
	case 'r':
		return append(dst, '\r')
	case 't':
		return append(dst, '\t')
	case 'u':
		r, ok := hex4(rest[2:])
		if !ok {
			j.fail(400, "bad_json", "an escape \\u without four hexadecimal digits")
			return dst
		}
		j.pos += 4
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if len(rest) >= 12 && rest[6] == '\\' && rest[7] == 'u' {
				low, _ = hex4(rest[8:])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				j.pos += 6
			} else {
				j.mended++
			}
		} else if r == 0 {
			r = utf8.RuneError
			j.mended++
		}
		return utf8.AppendRune(dst, r)
	}
	j.pos--
	j.unexpected("a known escape")
	return dst
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number uses a number; j.lit is how it was written, until more is called.
func (j *jsonReader) number() float64 {
	const most = 400
	j.need(32)
	v, n, ok := scanNumber(j.rest())
	if n == j.end-j.pos && j.err == nil {
		j.need(most)
		v, n, ok = scanNumber(j.rest())
	}
	j.lit = j.rest()[:n]
	switch {
	case n >= most:
		j.fail(400, "bad_json", "a number of more than %d characters", most)
	case !ok && (n == 0 || n == j.end-j.pos):
		j.pos += n
		j.unexpected("a value")
	case !ok:
		j.fail(400, "bad_json", "%s is not a number in JSON", show(j.rest()[:n+1]))
	case math.IsInf(v, 0):
		j.fail(422, "number_overflow", "the number %s is too large", show(j.lit))
	default:
		j.pos += n
	}
	return v
}

var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// scanNumber reads a JSON number at the start of b and returns its value, how
// long it is, and whether it is one; an overflow is an infinity. A mantissa
// below 2^53 with a power of ten up to 22 is exact in one operation (Clinger,
// How to read floating point numbers accurately, 1990).
func scanNumber(b []byte) (v float64, n int, ok bool) {
	i := 0
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	var mantissa uint64
	digits, exp := 0, 0
	start := i
	for ; i < len(b) && b[i]-'0' < 10; i++ {
		mantissa = mantissa*10 + uint64(b[i]-'0')
	}
	if i == start || b[start] == '0' && i > start+1 {
		return 0, i, false
	}
	digits = i - start
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for ; i < len(b) && b[i]-'0' < 10; i++ {
			mantissa = mantissa*10 + uint64(b[i]-'0')
		}
		if i == point {
			return 0, i, false
		}
		exp = point - i
		digits += i - point
	}
	simple := true
	if i < len(b) && b[i]|0x20 == 'e' {
		simple = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		power := i
		for ; i < len(b) && b[i]-'0' < 10; i++ {
		}
		if i == power {
			return 0, i, false
		}
	}
	if simple && digits <= 19 && mantissa < 1<<53 && -exp < len(pow10) {
		v = float64(mantissa) / pow10[-exp]
		if negative {
			v = -v
		}
		return v, i, true
	}
	v, _ = strconv.ParseFloat(string(b[:i]), 64) // an overflow comes back as an infinity
	return v, i, true
}

// literal uses true, false or null.
func (j *jsonReader) literal(word string) {
	j.need(len(word))
	rest := j.rest()
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		j.unexpected("a value")
		return
	}
	j.pos += len(word)
}

// skip uses a value of any kind.
func (j *jsonReader) skip() {
	switch c := j.peek(); c {
	case '{', '[':
		j.enter()
		for first := true; j.next(first, c+2); first = false {
			if c == '{' {
				j.key()
			}
			j.skip()
		}
	case '"':
		j.keyBuf = j.text(j.keyBuf[:0], j.limits.ValueBytes)
	case 't':
		j.literal("true")
	case 'f':
		j.literal("false")
	case 'n':
		j.literal("null")
	default:
		j.number()
	}
}

// rawLook sees the names and texts inside a nested value.
type rawLook struct {
	name func([]byte)
	text func([]byte)
}

// raw uses a value of any kind and appends it to dst without white space.
func (j *jsonReader) raw(dst []byte, depth int, look rawLook) []byte {
	switch c := j.peek(); c {
	case '{', '[':
		if depth >= j.limits.PropertyDepth {
			j.fail(422, "too_deep", "more than %d levels of nesting inside properties", j.limits.PropertyDepth)
			return dst
		}
		j.enter()
		dst = append(dst, c)
		first := true
		for ; j.next(first, c+2); first = false {
			if !first {
				dst = append(dst, ',')
			}
			if c == '{' {
				name := j.key()
				look.name(name)
				dst = append(appendQuoted(dst, name), ':')
			}
			dst = j.raw(dst, depth+1, look)
			if len(dst) > j.rawMax {
				j.fail(413, "value_too_long", "a nested value is longer than %d bytes", j.limits.ValueBytes)
			}
		}
		return append(dst, c+2)
	case '"':
		j.keyBuf = j.text(j.keyBuf[:0], j.limits.ValueBytes)
		look.text(j.keyBuf)
		return appendQuoted(dst, j.keyBuf)
	case 't':
		j.literal("true")
		return append(dst, "true"...)
	case 'f':
		j.literal("false")
		return append(dst, "false"...)
	case 'n':
		j.literal("null")
		return append(dst, "null"...)
	default:
		j.number()
		return append(dst, j.lit...)
	}
}
