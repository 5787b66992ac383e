package data

import (
	"encoding/binary"
	"math"
)

// flatTable reads a table of a FlatBuffer (FlatBuffers internals, "Binary
// format"). Unlike the generated code it believes no offset: what does not lie
// in the buffer reads as absent, and sets bad.
type flatTable struct {
	buf    []byte
	pos    int    // of the table
	vtable []byte // offsets of its fields
	bad    *bool  // shared by all tables of a buffer
}

// flatRoot returns the root table of a buffer.
func flatRoot(buf []byte) (flatTable, bool) {
	bad := false
	t := flatTable{buf: buf, bad: &bad}
	if len(buf) < 8 {
		return t, false
	}
	t = t.at(0)
	return t, !bad
}

// at returns the table to which the offset at pos points.
func (t flatTable) at(pos int) flatTable {
	none := flatTable{buf: t.buf, bad: t.bad}
	p, ok := t.follow(pos)
	if !ok || p+4 > len(t.buf) {
		*t.bad = true
		return none
	}
	v := int64(p) - int64(int32(binary.LittleEndian.Uint32(t.buf[p:])))
	if v < 0 || v+4 > int64(len(t.buf)) {
		*t.bad = true
		return none
	}
	n := int64(binary.LittleEndian.Uint16(t.buf[v:]))
	if n < 4 || v+n > int64(len(t.buf)) {
		*t.bad = true
		return none
	}
	return flatTable{buf: t.buf, pos: p, vtable: t.buf[v+4 : v+n], bad: t.bad}
}

// follow returns where the offset at pos points.
func (t flatTable) follow(pos int) (int, bool) {
	if pos < 0 || pos+4 > len(t.buf) {
		return 0, false
	}
	p := int64(pos) + int64(binary.LittleEndian.Uint32(t.buf[pos:]))
	return int(p), p < int64(len(t.buf))
}

// field returns where field k of size bytes is; false when it is absent.
func (t flatTable) field(k, size int) (int, bool) {
	if 2*k+2 > len(t.vtable) {
		return 0, false
	}
	off := int(binary.LittleEndian.Uint16(t.vtable[2*k:]))
	if off == 0 {
		return 0, false
	}
	if t.pos+off+size > len(t.buf) {
		*t.bad = true
		return 0, false
	}
	return t.pos + off, true
}

func (t flatTable) uint8(k int) byte {
	if p, ok := t.field(k, 1); ok {
		return t.buf[p]
	}
	return 0
}

func (t flatTable) uint16(k int, usual uint16) uint16 {
	if p, ok := t.field(k, 2); ok {
		return binary.LittleEndian.Uint16(t.buf[p:])
	}
	return usual
}

func (t flatTable) int32(k int) int32 {
	if p, ok := t.field(k, 4); ok {
		return int32(binary.LittleEndian.Uint32(t.buf[p:]))
	}
	return 0
}

func (t flatTable) uint64(k int) uint64 {
	if p, ok := t.field(k, 8); ok {
		return binary.LittleEndian.Uint64(t.buf[p:])
	}
	return 0
}

// table returns the table that field k points to; false when it is absent.
func (t flatTable) table(k int) (flatTable, bool) {
	p, ok := t.field(k, 4)
	if !ok {
		return flatTable{buf: t.buf, bad: t.bad}, false
	}
	return t.at(p), true
}

// vector returns the bytes of a vector's elements of the given size.
func (t flatTable) vector(k, size int) []byte {
	from, to := t.span(k, size)
	return t.buf[from:to]
}

// span returns where the elements of a vector begin and end.
func (t flatTable) span(k, size int) (from, to int) {
	p, ok := t.field(k, 4)
	if !ok {
		return 0, 0
	}
	p, ok = t.follow(p)
	if !ok || p+4 > len(t.buf) {
		*t.bad = true
		return 0, 0
	}
	n := int64(binary.LittleEndian.Uint32(t.buf[p:])) * int64(size)
	if n > int64(len(t.buf)-p-4) {
		*t.bad = true
		return 0, 0
	}
	return p + 4, p + 4 + int(n)
}

func (t flatTable) text(k int) string { return string(t.vector(k, 1)) }

// tables returns the tables of a vector of them; of one that claims more than
// most none.
func (t flatTable) tables(k, most int) []flatTable {
	from, to := t.span(k, 4)
	if (to-from)/4 > most {
		*t.bad = true
		return nil
	}
	out := make([]flatTable, 0, (to-from)/4)
	for at := from; at < to; at += 4 {
		out = append(out, t.at(at))
	}
	return out
}

// floats is a vector of doubles.
type floats []byte

func (f floats) len() int { return len(f) / 8 }

func (f floats) at(i int) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(f[8*i:]))
}
