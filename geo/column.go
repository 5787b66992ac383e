package geo

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// column holds one property of the features of a chunk: float64 values while
// every value is a number, else codes into a dictionary of JSON literals, in
// which repeated values cost one to four bytes. NaN and code 0 mean absent.
// Where the numbers are few, they have codes as well.
type column struct {
	name string
	kind string // typeName
	nums []float64
	few  []float64 // in place of nums: the numbers by code
	// counted is the number of rows when each has the number after that of the
	// row before, in place of nums: identifiers often count.
	counted int
	least   float64
	codes   []uint32
	short   []uint8 // in place of codes, where there are few values
	// uniform is the number of rows when all have the one value of the
	// dictionary: no codes are kept then. Defaults fill whole columns.
	uniform int
	// sequence is the number of rows when each has the next code: no codes are
	// kept then either. What is different in every row is so.
	sequence int
	dict     texts  // empty for numbers
	key      string // the name as a JSON member, between comma and colon, once the column is written
}

const noCode = 0

func (c *column) numeric() bool { return c.dict.len() == 0 }

// code returns the code of row i, noCode when absent.
func (c *column) code(i int) uint32 {
	switch {
	case i < c.uniform:
		return noCode + 1
	case i < len(c.short):
		return uint32(c.short[i])
	case i < len(c.codes):
		return c.codes[i]
	case i < c.sequence:
		return noCode + 1 + uint32(i)
	}
	return noCode
}

// number returns row i of a column of numbers, NaN when absent.
func (c *column) number(i int) float64 {
	switch {
	case c.few != nil:
		return c.few[c.code(i)]
	case i < len(c.nums):
		return c.nums[i]
	case i < c.counted:
		return c.least + float64(i)
	}
	return math.NaN()
}

// shrink takes off what only writing needed: spare room, and long codes or whole
// numbers for few values.
func (c *column) shrink() {
	defer c.settle()
	if c.numeric() {
		c.shrinkNumbers()
		return
	}
	if c.dict.len()-1 > math.MaxUint8 {
		c.codes = exact(c.codes)
		return
	}
	if c.codes == nil {
		return
	}
	c.short = make([]uint8, len(c.codes))
	for i, code := range c.codes {
		c.short[i] = uint8(code)
	}
	c.codes = nil
}

// settle works out what only reading needs.
func (c *column) settle() {
	c.key = string(append(appendQuoted([]byte{','}, c.name), ':'))
	if c.dict.len() == 2 && len(c.short) > 0 && !slices.Contains(c.short, noCode) {
		c.uniform, c.short = len(c.short), nil
	}
	for i, code := range c.codes {
		if code != noCode+1+uint32(i) {
			return
		}
	}
	c.sequence, c.codes = len(c.codes), nil
}

// shrinkNumbers drops numbers that count, and gives few numbers codes; of equal ones the bits are the same, so
// that -0 stays what it is.
func (c *column) shrinkNumbers() {
	if counts(c.nums) {
		c.counted, c.least, c.nums = len(c.nums), c.nums[0], nil
		return
	}
	codeOf, few := map[uint64]uint8{}, []float64{math.NaN()}
	short := make([]uint8, len(c.nums))
	for i, v := range c.nums {
		if math.IsNaN(v) {
			continue
		}
		code, seen := codeOf[math.Float64bits(v)]
		if !seen {
			if len(few) > math.MaxUint8 {
				c.nums = exact(c.nums)
				return
			}
			code = uint8(len(few))
			codeOf[math.Float64bits(v)], few = code, append(few, v)
		}
		short[i] = code
	}
	c.nums, c.few, c.short = nil, few, short
}

// counts reports whether whole numbers go up by one.
func counts(nums []float64) bool {
	if len(nums) < 2 || nums[0] != math.Trunc(nums[0]) || math.Abs(nums[0]) > maxExactInteger/2 || math.Signbit(nums[0]) {
		return false
	}
	for i, v := range nums {
		if v != nums[0]+float64(i) {
			return false
		}
	}
	return true
}

// numbers returns the values of a column of numbers one by one.
func (c *column) numbers() []float64 {
	if c.few == nil && c.counted == 0 {
		return c.nums
	}
	out := make([]float64, max(len(c.short), c.counted))
	for i := range out {
		out[i] = c.number(i)
	}
	return out
}

// exact returns a slice without spare room.
func exact[T any](s []T) []T {
	if cap(s) <= len(s)+len(s)/16 {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// literal returns row i as a JSON literal, "" when absent.
func (c *column) literal(i int) string {
	if !c.numeric() {
		return c.dict.at(int(c.code(i))) // "" for noCode
	}
	if v := c.number(i); !math.IsNaN(v) {
		return formatNumber(v)
	}
	return ""
}

func (c *column) has(i int) bool {
	if !c.numeric() {
		return c.code(i) != noCode
	}
	return !math.IsNaN(c.number(i))
}

// value returns row i decoded, nil when absent.
func (c *column) value(i int) any {
	if !c.has(i) {
		return nil
	}
	if c.numeric() {
		return c.number(i)
	}
	return decodeLiteral(c.dict.at(int(c.code(i))))
}

const maxExactInteger = 1 << 53

func formatNumber(v float64) string { return string(appendNumber(nil, v)) }

func appendNumber(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < maxExactInteger {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

// decodeLiteral turns a compact JSON literal into string, float64, bool,
// json.Number (integers from 2^53, and what float64 cannot hold) or
// json.RawMessage.
func decodeLiteral(lit string) any {
	switch lit[0] {
	case '"':
		if strings.IndexByte(lit, '\\') < 0 { // nothing is escaped
			return lit[1 : len(lit)-1]
		}
		var s string
		if json.Unmarshal([]byte(lit), &s) == nil {
			return s
		}
	case 't':
		return true
	case 'f':
		return false
	case '{', '[':
		return json.RawMessage(lit)
	}
	if v, err := strconv.ParseFloat(lit, 64); err == nil && formatNumber(v) == lit {
		return v
	}
	return json.Number(lit)
}

// encode turns a property into a number or, when lit is not "", a JSON literal.
// It is the inverse of decodeLiteral; ok is false for nil and for values that
// JSON cannot hold.
func encode(v any) (number float64, lit string, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, "", false
	case float64:
		return v, "", !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		return 0, quoteJSON(v), true
	case bool:
		return 0, strconv.FormatBool(v), true
	case json.Number:
		return encodeRaw([]byte(v))
	case json.RawMessage:
		return encodeRaw(v)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return 0, "", false
	}
	return encodeRaw(raw)
}

// encodeRaw is encode for JSON text, which it checks and makes compact.
func encodeRaw(raw []byte) (number float64, lit string, ok bool) {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Len() == 0 {
		return 0, "", false
	}
	lit = b.String()
	switch lit[0] {
	case 'n':
		return 0, "", false
	case '"', 't', 'f', '{', '[':
		if s, isText := decodeLiteral(lit).(string); isText {
			lit = quoteJSON(s) // one literal for one text
		}
		return 0, lit, true
	}
	number, err := strconv.ParseFloat(lit, 64)
	if err != nil {
		return 0, lit, true // a number beyond float64
	}
	if math.Abs(number) >= maxExactInteger && !strings.ContainsAny(lit, ".eE") {
		return 0, lit, true
	}
	return number, "", true
}

// quoteJSON is json.Marshal for strings without HTML escaping, so that text
// comes back as it was given; each sink escapes for itself.
func quoteJSON(s string) string {
	if isPlain(s) {
		return `"` + s + `"`
	}
	return string(appendQuoted(nil, s))
}

// isPlain reports whether a text stands for itself in JSON.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	if isPlain(s) {
		return append(append(dst, s...), '"')
	}
	for _, r := range s { // invalid UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		case r < 0x20 || r == '\u2028' || r == '\u2029':
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}

// typeName returns the one type of the column's values, "mixed" when they
// differ.
func (c *column) typeName() string {
	if c.numeric() {
		return "number"
	}
	t := ""
	for k := 1; k < c.dict.len(); k++ {
		this := "number"
		switch c.dict.at(k)[0] {
		case '"':
			this = "text"
		case 't', 'f':
			this = "boolean"
		case '{', '[':
			this = "json"
		}
		if t != "" && t != this {
			return "mixed"
		}
		t = this
	}
	return t
}

// sortColumns fixes the order of a chunk's columns, which maps do not.
func sortColumns(cols []*column) {
	slices.SortFunc(cols, func(a, b *column) int { return strings.Compare(a.name, b.name) })
}
