package tiles

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sempadan/sempadan/geo"
)

// The Protocol Buffers wire types that vector tiles use.
const (
	varintWire  = 0
	fixed64Wire = 1
	bytesWire   = 2
)

func appendTag(b []byte, field, wire uint64) []byte {
	return append(b, byte(field<<3|wire))
}

func appendBytes(b []byte, field uint64, data []byte) []byte {
	b = binary.AppendUvarint(appendTag(b, field, bytesWire), uint64(len(data)))
	b = slices.Grow(b, len(data))
	return append(b, data...)
}

func uvarintLen(x uint64) int {
	n := 1
	for ; x >= 0x80; x >>= 7 {
		n++
	}
	return n
}

// table is a tile's list of property names or values, each written once.
type table struct {
	buf   []byte // the entries as they stand in the tile, then one to look up
	ends  []int  // of the entries in buf
	slots []slot // open addressing; the length is a power of two
	used  int
	round uint32
	seed  maphash.Seed
}

// slot is in use when round is the table's.
type slot struct{ round, hash, entry uint32 }

func (t *table) reset() {
	t.buf, t.ends, t.used = t.buf[:0], t.ends[:0], 0
	if t.round++; t.round == 0 || t.slots == nil {
		t.slots, t.round = make([]slot, 256), 1
	}
}

func (t *table) start(entry uint32) int {
	if entry == 0 {
		return 0
	}
	return t.ends[entry-1]
}

// add returns the number of the entry that was appended to buf.
func (t *table) add() uint32 {
	t.ends = append(t.ends, len(t.buf))
	return uint32(len(t.ends) - 1)
}

// intern is add, but takes the entry off again when it was there before.
func (t *table) intern() uint32 {
	start := t.start(uint32(len(t.ends)))
	added := t.buf[start:]
	h := uint32(maphash.Bytes(t.seed, added))
	mask := uint32(len(t.slots) - 1)
	k := h & mask
	for ; t.slots[k].round == t.round; k = (k + 1) & mask {
		s := t.slots[k]
		if s.hash == h && bytes.Equal(t.buf[t.start(s.entry):t.ends[s.entry]], added) {
			t.buf = t.buf[:start]
			return s.entry
		}
	}
	entry := t.add()
	t.slots[k] = slot{t.round, h, entry}
	if t.used++; 2*t.used > len(t.slots) {
		t.grow()
	}
	return entry
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, 4*len(old))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.round != t.round {
			continue
		}
		k := s.hash & mask
		for t.slots[k].round == t.round {
			k = (k + 1) & mask
		}
		t.slots[k] = s
	}
}

// memo remembers numbers by key, until it is reset.
type memo struct {
	slots []memoSlot // open addressing; the length is a power of two
	used  int
	round uint32
}

// memoSlot is in use when round is the memo's.
type memoSlot struct {
	key          uint64
	round, value uint32
}

func (m *memo) reset() {
	m.used = 0
	if m.round++; m.round == 0 || m.slots == nil {
		m.slots, m.round = make([]memoSlot, 256), 1
	}
}

func (m *memo) find(key uint64) *memoSlot {
	mask := uint64(len(m.slots) - 1)
	k := hash(key) & mask
	for m.slots[k].round == m.round && m.slots[k].key != key {
		k = (k + 1) & mask
	}
	return &m.slots[k]
}

func (m *memo) get(key uint64) (value uint32, ok bool) {
	s := m.find(key)
	return s.value, s.round == m.round
}

func (m *memo) put(key uint64, value uint32) {
	*m.find(key) = memoSlot{key, m.round, value}
	if m.used++; 2*m.used > len(m.slots) {
		old := m.slots
		m.slots = make([]memoSlot, 4*len(old))
		for _, s := range old {
			if s.round == m.round {
				*m.find(s.key) = s
			}
		}
	}
}

// appendCell appends a Layer.values entry for a cell.
func appendCell(b []byte, c geo.Cell) []byte {
	if c.Literal != "" {
		return appendValue(b, c.Literal)
	}
	b = appendTag(b, 4, bytesWire)
	if v := c.Number; v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return appendInteger(b, int64(v))
	}
	return appendDouble(b, c.Number)
}

// appendInteger appends a value as int, or as sint when it is negative.
func appendInteger(b []byte, i int64) []byte {
	field, u := uint64(4), uint64(i)
	if i < 0 {
		field, u = 6, uint64(i)<<1^uint64(i>>63)
	}
	b = append(b, byte(1+uvarintLen(u)))
	return binary.AppendUvarint(appendTag(b, field, varintWire), u)
}

func appendDouble(b []byte, x float64) []byte {
	b = appendTag(append(b, 9), 3, fixed64Wire)
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

// appendValue appends a Layer.values entry: text as it reads, numbers as int,
// sint or double, true and false, and arrays and objects as their JSON.
func appendValue(b []byte, literal string) []byte {
	b = appendTag(b, 4, bytesWire)
	switch literal[0] {
	case '"':
		return appendText(b, unquote(literal))
	case 't', 'f':
		return append(b, 2, 7<<3|varintWire, byte(boolBit(literal[0] == 't')))
	case '{', '[':
		return appendText(b, literal)
	}
	if i, err := strconv.ParseInt(literal, 10, 64); err == nil {
		return appendInteger(b, i)
	}
	x, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return appendText(b, literal)
	}
	return appendDouble(b, x)
}

func appendText[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(1+uvarintLen(uint64(len(s)))+len(s)))
	b = binary.AppendUvarint(appendTag(b, 1, bytesWire), uint64(len(s)))
	return append(b, s...)
}

// unquote returns the text of a JSON string. A zero byte, which readers in C
// would take for the end, becomes U+FFFD.
func unquote(literal string) string {
	if !strings.ContainsRune(literal, '\\') {
		return strings.ToValidUTF8(literal[1:len(literal)-1], "\uFFFD")
	}
	var s string
	if json.Unmarshal([]byte(literal), &s) != nil {
		return literal
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

func boolBit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// appendInstant appends a Layer.values entry with an instant in RFC 3339, to
// the second or, if need be, the millisecond.
func appendInstant(b []byte, ms int64) []byte {
	const layout = "2006-01-02T15:04:05.000Z"
	var text [32]byte
	t := time.UnixMilli(ms).UTC()
	if ms%1000 == 0 {
		return appendText(appendTag(b, 4, bytesWire), t.AppendFormat(text[:0], time.RFC3339))
	}
	return appendText(appendTag(b, 4, bytesWire), t.AppendFormat(text[:0], layout))
}
