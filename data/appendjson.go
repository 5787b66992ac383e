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
	left := uint64(max(n, -n))
	unit := [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}[decimals]
	dst = strconv.AppendUint(dst, left/unit, 10)
	if left %= unit; left == 0 {
		return dst
	}
	for ; left%10 == 0; decimals-- {
		left /= 10
	}
	var digits [10]byte
	at := len(digits)
	for ; decimals > 1; decimals -= 2 {
		two := left % 100 * 2
		left /= 100
		at -= 2
		digits[at], digits[at+1] = hundred[two], hundred[two+1]
	}
	if decimals == 1 {
		at--
		digits[at] = byte('0' + left)
	}
	at--
	digits[at] = '.'
	return append(dst, digits[at:]...)
}

// hundred is 00 to 99.
const hundred = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849" +
	"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"
