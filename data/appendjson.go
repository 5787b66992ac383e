package data

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// appendQuoted appends valid UTF-8 as a JSON string.
func appendQuoted[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plainByte[c] && c != 0xe2 {
			continue
		}
		if c == 0xe2 { // U+2028 and U+2029 end a line in JavaScript
			if i+2 >= len(s) || s[i+1] != 0x80 || s[i+2]|1 != 0xa9 {
				continue
			}
			dst = append(dst, s[from:i]...)
			dst = append(dst, `\u202`...)
			dst = append(dst, hex[s[i+2]&15])
			i += 2
			from = i + 1
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// validText returns s with invalid UTF-8 replaced.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// appendNumber appends a finite number: whole ones without a point.
func appendNumber(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// appendDegrees appends an ordinate with at most seven decimals, about a
// centimetre, without trailing zeros.
func appendDegrees(dst []byte, v float64) []byte {
	const unit = 10_000_000
	if !(math.Abs(v) < 1e8) {
		return strconv.AppendFloat(dst, v, 'f', 7, 64)
	}
	return appendDecimal(dst, int64(math.Round(v*unit)), 7)
}

// appendDecimal appends a number given in units of 10 to the power of -decimals,
// at most nine, without trailing zeros.
func appendDecimal(dst []byte, n int64, decimals int) []byte {
	if n < 0 {
		dst = append(dst, '-')
	}
	var digits [24]byte
	at := len(digits)
	left := uint64(max(n, -n))
	for k := 0; k <= decimals || left > 0; k++ {
		if k == decimals && at < len(digits) {
			at--
			digits[at] = '.'
		}
		digit := byte('0' + left%10)
		left /= 10
		if k >= decimals || digit != '0' || at < len(digits) { // no zeros at the end
			at--
			digits[at] = digit
		}
	}
	return append(dst, digits[at:]...)
}
