package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// parquetLeaf is a column that is not nested.
type parquetLeaf struct {
	name     string
	physical format.Type
	width    int // bytes of a value, 0 for texts and booleans
	optional bool
	form     parquetForm
	scale    int
	local    bool // times are of no zone
	unit     time.Duration
	signed   bool
	crs      string // of a geometry, as the schema has it
	at       int    // among the columns of the file
}

// parquetForm is what the bytes of a value stand for.
type parquetForm byte

const (
	formSkipped parquetForm = iota // not read
	formGeometry
	formText
	formJSON
	formInteger
	formReal
	formBoolean
	formDate
	formTime  // of day
	formStamp // date and time
	formLegacyStamp
	formDecimal
	formUUID
)

// plain cuts the next value off bytes in the encoding PLAIN.
func (l *parquetLeaf) plain(b []byte) (v, rest []byte, ok bool) {
	n := l.width
	if l.physical == format.ByteArray {
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, nil, false
		}
		n, b = int(binary.LittleEndian.Uint32(b)), b[4:]
	}
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

// newParquetLeaf reads what the schema says of a column.
func newParquetLeaf(e *format.SchemaElement) *parquetLeaf {
	l := &parquetLeaf{name: e.Name, physical: e.Type.V, optional: e.RepetitionType.V == format.Optional, signed: true}
	switch l.physical {
	case format.Boolean:
		l.form = formBoolean
	case format.Int32:
		l.width, l.form = 4, formInteger
	case format.Int64:
		l.width, l.form = 8, formInteger
	case format.Int96:
		l.width, l.form = 12, formLegacyStamp
	case format.Float:
		l.width, l.form = 4, formReal
	case format.Double:
		l.width, l.form = 8, formReal
	case format.FixedLenByteArray:
		if l.width = int(e.TypeLength.V); l.width <= 0 || l.width > 1<<16 {
			return nil
		}
	case format.ByteArray:
	default:
		return nil
	}
	if e.LogicalType.Value != nil {
		l.logical(e.LogicalType.Value)
	} else if e.ConvertedType.Valid {
		l.converted(e)
	}
	return l
}

func (l *parquetLeaf) integers() bool {
	return l.physical == format.Int32 || l.physical == format.Int64
}

func (l *parquetLeaf) logical(value format.LogicalTypeValue) {
	texts := l.physical == format.ByteArray
	switch v := value.(type) {
	case *format.StringType, *format.EnumType:
		if texts {
			l.form = formText
		}
	case *format.JsonType:
		if texts {
			l.form = formJSON
		}
	case *format.UUIDType:
		if l.width == 16 {
			l.form = formUUID
		}
	case *format.Float16Type:
		if l.width == 2 {
			l.form = formReal
		}
	case *format.DateType:
		if l.physical == format.Int32 {
			l.form = formDate
		}
	case *format.IntType:
		l.signed = v.IsSigned
	case *format.DecimalType:
		l.decimal(v.Scale)
	case *format.TimestampType:
		if l.physical == format.Int64 && v.Unit.Value != nil {
			l.form, l.local, l.unit = formStamp, !v.IsAdjustedToUTC, v.Unit.Value.Duration()
		}
	case *format.TimeType:
		if l.integers() && v.Unit.Value != nil {
			l.form, l.unit = formTime, v.Unit.Value.Duration()
		}
	case *format.GeometryType:
		if texts {
			l.form, l.crs = formGeometry, v.CRS
		}
	case *format.GeographyType:
		if texts {
			l.form, l.crs = formGeometry, v.CRS
		}
	}
}

// converted is logical for the older way of saying it.
func (l *parquetLeaf) converted(e *format.SchemaElement) {
	texts := l.physical == format.ByteArray
	switch c := e.ConvertedType.V; {
	case texts && (c == deprecated.UTF8 || c == deprecated.Enum):
		l.form = formText
	case texts && c == deprecated.Json:
		l.form = formJSON
	case c == deprecated.Decimal:
		l.decimal(e.Scale.V)
	case l.physical == format.Int32 && c == deprecated.Date:
		l.form = formDate
	case l.physical == format.Int32 && c == deprecated.TimeMillis:
		l.form, l.unit = formTime, time.Millisecond
	case l.physical == format.Int64 && c == deprecated.TimeMicros:
		l.form, l.unit = formTime, time.Microsecond
	case l.physical == format.Int64 && c == deprecated.TimestampMillis:
		l.form, l.unit = formStamp, time.Millisecond
	case l.physical == format.Int64 && c == deprecated.TimestampMicros:
		l.form, l.unit = formStamp, time.Microsecond
	case c == deprecated.Uint8 || c == deprecated.Uint16 || c == deprecated.Uint32 || c == deprecated.Uint64:
		l.signed = false
	}
}

func (l *parquetLeaf) decimal(scale int32) {
	if l.physical != format.Float && l.physical != format.Double && l.physical != format.Boolean && scale >= 0 && scale <= 76 {
		l.form, l.scale = formDecimal, int(scale)
	}
}

// integer returns a whole number of four or eight bytes.
func (l *parquetLeaf) integer(b []byte) int64 {
	if len(b) == 4 {
		return int64(int32(binary.LittleEndian.Uint32(b)))
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// set gives column i of the row the value.
func (l *parquetLeaf) set(t *typedRows, i int, b []byte) error {
	switch l.form {
	case formText:
		return t.text(i, b)
	case formJSON:
		return t.nested(i, b)
	case formBoolean:
		t.boolean(i, b[0] != 0)
	case formInteger:
		switch {
		case l.signed:
			t.integer(i, l.integer(b))
		case len(b) == 4:
			t.unsigned(i, uint64(binary.LittleEndian.Uint32(b)))
		default:
			t.unsigned(i, binary.LittleEndian.Uint64(b))
		}
	case formReal:
		t.real(i, realOf(b))
	case formDecimal:
		l.setDecimal(t, i, b)
	case formUUID:
		return t.text(i, fmt.Appendf(nil, "%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]))
	default:
		return l.setTime(t, i, b)
	}
	return nil
}

// number returns a value of a number as such, NaN when it is none.
func (l *parquetLeaf) number(b []byte) float64 {
	switch l.form {
	case formInteger:
		return float64(l.integer(b))
	case formDecimal:
		if v, err := strconv.ParseFloat(l.decimalText(b), 64); err == nil {
			return v
		}
		return nan
	}
	return realOf(b)
}

func realOf(b []byte) float64 {
	switch len(b) {
	case 2:
		return halfFloat(binary.LittleEndian.Uint16(b))
	case 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// halfFloat is a number of IEEE 754's binary16.
func halfFloat(h uint16) float64 {
	exponent, fraction := int(h>>10&0x1f), float64(h&0x3ff)/1024
	v := math.Ldexp(1+fraction, exponent-15)
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -14)
	case 0x1f:
		v = math.NaN() // or infinite: no value either
	}
	if h>>15 == 1 {
		return -v
	}
	return v
}

// maxDecimalBytes bounds the numbers of decimals: the format's own bound is
// lower in all programs that write it.
const maxDecimalBytes = 64

// decimalText writes a number of so many decimals, "" for one that is too long.
func (l *parquetLeaf) decimalText(b []byte) string {
	n := new(big.Int)
	switch {
	case l.integers():
		n.SetInt64(l.integer(b))
	case len(b) > maxDecimalBytes:
		return ""
	default:
		n.SetBytes(b)
		if len(b) > 0 && b[0]&0x80 != 0 { // two's complement
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
	}
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	digits := n.String()
	if l.scale == 0 {
		return sign + digits
	}
	if short := l.scale + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	point := len(digits) - l.scale
	return sign + digits[:point] + "." + digits[point:]
}

// setDecimal gives a number of so many decimals, exactly.
func (l *parquetLeaf) setDecimal(t *typedRows, i int, b []byte) {
	text := l.decimalText(b)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.fault(l.name, "bad_number", "is a decimal of "+itoa(len(b))+" bytes, which is not read")
		return
	}
	c := cell{kind: cellNumber, num: v}
	if len(text) > 15 { // up to 15 digits a float64 says it as well
		from := len(t.arena)
		t.arena = append(t.arena, text...)
		c.text = t.arena[from:len(t.arena):len(t.arena)]
	}
	t.cell(i, c)
}

// setTime gives a date, a time of day or both as text.
func (l *parquetLeaf) setTime(t *typedRows, i int, b []byte) error {
	var at time.Time
	layout := "2006-01-02T15:04:05.999999999Z07:00"
	switch l.form {
	case formDate:
		at, layout = time.Unix(l.integer(b)*86400, 0), time.DateOnly
	case formTime:
		n := l.integer(b)
		if n < 0 || n >= int64(24*time.Hour/l.unit) {
			t.fault(l.name, "bad_time", "is no time of day")
			return nil
		}
		at, layout = time.Unix(0, n*int64(l.unit)), "15:04:05.999999999"
	case formStamp:
		perSecond := int64(time.Second / l.unit)
		n := l.integer(b)
		seconds := n / perSecond
		at = time.Unix(seconds, (n-seconds*perSecond)*int64(l.unit))
		if l.local {
			layout = "2006-01-02T15:04:05.999999999"
		}
	case formLegacyStamp:
		const julianOf1970 = 2440588
		days := int64(binary.LittleEndian.Uint32(b[8:])) - julianOf1970
		at = time.Unix(days*86400, int64(binary.LittleEndian.Uint64(b)))
	default:
		return nil
	}
	if at = at.UTC(); at.Year() < 1 || at.Year() > 9999 {
		t.fault(l.name, "bad_time", "is a time outside the years 1 to 9999")
		return nil
	}
	return t.text(i, at.AppendFormat(nil, layout))
}
