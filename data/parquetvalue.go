package data

import (
	"encoding/binary"
)

// Decoders of Parquet's encodings (apache/parquet-format, Encodings.md) that
// give one value at a time: no number in a file makes them take memory. After
// a fault, ok is false.

// hybrid reads runs of repeated and of bit-packed integers.
type hybrid struct {
	b      []byte
	width  int // bits of a value, at most 32
	run    uint64
	value  uint32
	packed bool
	pool   uint64 // bits of a packed run, the next ones lowest
	filled int
}

func (h *hybrid) next() (v uint32, ok bool) {
	for h.run == 0 {
		if !h.begin() {
			return 0, false
		}
	}
	h.run--
	if !h.packed {
		return h.value, true
	}
	for h.filled < h.width {
		if len(h.b) == 0 {
			return 0, false
		}
		h.pool |= uint64(h.b[0]) << h.filled
		h.b, h.filled = h.b[1:], h.filled+8
	}
	v = uint32(h.pool & (1<<h.width - 1))
	h.pool >>= h.width
	h.filled -= h.width
	return v, true
}

// begin reads what stands before a run.
func (h *hybrid) begin() bool {
	head, n := binary.Uvarint(h.b)
	if n <= 0 {
		return false
	}
	h.b = h.b[n:]
	h.pool, h.filled = 0, 0
	if h.packed = head&1 == 1; h.packed {
		h.run = min(head>>1, 1<<40) * 8
		return true
	}
	h.run = head >> 1
	size := (h.width + 7) / 8
	if len(h.b) < size {
		return false
	}
	h.value = 0
	for i := size - 1; i >= 0; i-- {
		h.value = h.value<<8 | uint32(h.b[i])
	}
	h.b = h.b[size:]
	return true
}

// delta reads integers of which each is given by its distance from the last.
type delta struct {
	b         []byte
	minis     int // parts of a block
	perMini   int // values of a part
	left      uint64
	last      int64
	first     bool // the last value is still to be given
	minDelta  int64
	widths    []byte // of the parts of the block that are to come
	inMini    int    // values left in the part
	width     int
	at        int    // bits of the part that are read
	part      []byte // the part
	exhausted bool
}

// newDelta reads the head of a list of at most so many integers.
func newDelta(b []byte, most int) (*delta, bool) {
	d := &delta{b: b, first: true}
	block, minis, count := d.uvarint(), d.uvarint(), d.uvarint()
	d.last = d.varint()
	if d.exhausted || count > uint64(most) || block == 0 || block > 1<<16 || block%128 != 0 || minis == 0 || minis > block/32 || block%minis != 0 || block/minis%32 != 0 {
		return nil, false
	}
	d.minis, d.perMini, d.left = int(minis), int(block/minis), count
	return d, true
}

func (d *delta) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.exhausted = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *delta) varint() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *delta) next() (v int64, ok bool) {
	if d.left == 0 {
		return 0, false
	}
	d.left--
	if d.first {
		d.first = false
		return d.last, true
	}
	if d.inMini == 0 && !d.begin() {
		return 0, false
	}
	d.inMini--
	d.last += d.minDelta + int64(packedBits(d.part, d.at, d.width))
	d.at += d.width
	return d.last, true
}

// begin goes to the next part, and to the next block after the last one.
func (d *delta) begin() bool {
	if len(d.widths) == 0 {
		d.minDelta = d.varint()
		if d.exhausted || len(d.b) < d.minis {
			return false
		}
		d.widths, d.b = d.b[:d.minis], d.b[d.minis:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	size := d.perMini / 8 * d.width
	if d.width > 64 || size > len(d.b) {
		return false
	}
	d.part, d.b = d.b[:size], d.b[size:]
	d.inMini, d.at = d.perMini, 0
	return true
}

// rest returns what follows the list once all its values are read.
func (d *delta) rest() []byte { return d.b }

// packedBits returns the integer of width bits at bit at.
func packedBits(b []byte, at, width int) (v uint64) {
	for got := 0; got < width; {
		c := uint64(b[at/8]) >> (at % 8)
		n := min(8-at%8, width-got)
		v |= c & (1<<n - 1) << got
		got, at = got+n, at+n
	}
	return v
}

// deltaLengths reads texts that stand one behind another after their lengths.
type deltaLengths struct {
	lengths *delta
	b       []byte
}

func newDeltaLengths(b []byte, most int) (*deltaLengths, bool) {
	lengths, ok := newDelta(b, most)
	if !ok {
		return nil, false
	}
	passed := *lengths
	for {
		if _, more := passed.next(); !more {
			break
		}
	}
	return &deltaLengths{lengths, passed.rest()}, passed.left == 0
}

func (d *deltaLengths) next() ([]byte, bool) {
	n, ok := d.lengths.next()
	if !ok || n < 0 || n > int64(len(d.b)) {
		return nil, false
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v, true
}

// deltaTexts reads texts of which each begins as the last did.
type deltaTexts struct {
	prefixes *delta
	suffixes *deltaLengths
	last     []byte
}

func newDeltaTexts(b []byte, most int) (*deltaTexts, bool) {
	prefixes, ok := newDelta(b, most)
	if !ok {
		return nil, false
	}
	passed := *prefixes
	for {
		if _, more := passed.next(); !more {
			break
		}
	}
	suffixes, ok := newDeltaLengths(passed.rest(), most)
	return &deltaTexts{prefixes: prefixes, suffixes: suffixes}, ok && passed.left == 0
}

// next returns a text that is valid until the next one.
func (d *deltaTexts) next() ([]byte, bool) {
	n, ok := d.prefixes.next()
	suffix, more := d.suffixes.next()
	if !ok || !more || n < 0 || n > int64(len(d.last)) {
		return nil, false
	}
	d.last = append(d.last[:n], suffix...)
	return d.last, true
}
