package data

import (
	"encoding/binary"

	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// Types of values in Thrift's compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt64  = 6 // as are those before it: a varint
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 16
)

const (
	maxThriftDepth   = 24
	thriftStructRoom = 512 // bytes that an item of a list may take once decoded
	thriftItemRoom   = 24
)

// readThrift decodes the structure at the beginning of b into v and returns
// its length. The library makes room for as many items as a list declares, so
// the lengths are held against what is there, and against room, before.
func readThrift(b []byte, room int, v any) (int, bool) {
	s := thriftScan{b: b, room: room}
	s.structure(0)
	if s.bad {
		return 0, false
	}
	n := len(b) - len(s.b)
	return n, thrift.Unmarshal(&thrift.CompactProtocol{}, b[:n], v) == nil
}

// thriftScan passes over values; bad is set at the first fault, for good.
type thriftScan struct {
	b    []byte
	room int
	bad  bool
}

func (s *thriftScan) byte() byte {
	if len(s.b) == 0 {
		s.bad = true
		return 0
	}
	c := s.b[0]
	s.b = s.b[1:]
	return c
}

func (s *thriftScan) varint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.bad = true
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *thriftScan) skip(n uint64) {
	if n > uint64(len(s.b)) {
		s.bad = true
		return
	}
	s.b = s.b[n:]
}

func (s *thriftScan) structure(depth int) {
	if depth > maxThriftDepth {
		s.bad = true
	}
	for !s.bad {
		head := s.byte()
		if head == 0 { // the end
			return
		}
		if head>>4 == 0 { // the field's number follows
			s.varint()
		}
		if kind := head & 0xf; kind != thriftTrue && kind != thriftFalse { // which are the value
			s.value(kind, depth)
		}
	}
}

func (s *thriftScan) value(kind byte, depth int) {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		s.byte()
	case 4, 5, thriftInt64:
		s.varint()
	case thriftDouble:
		s.skip(8)
	case thriftBinary:
		s.skip(s.varint())
	case thriftList, thriftSet:
		head := s.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = s.varint()
		}
		s.items(n, head&0xf, depth)
	case thriftMap:
		n := s.varint()
		if n == 0 || s.bad {
			return
		}
		kinds := s.byte()
		s.take(n, 2*thriftItemRoom)
		for ; n > 0 && !s.bad; n-- {
			s.value(kinds>>4, depth+1)
			s.value(kinds&0xf, depth+1)
		}
	case thriftStruct:
		s.structure(depth + 1)
	case thriftUUID:
		s.skip(16)
	default:
		s.bad = true
	}
}

func (s *thriftScan) items(n uint64, kind byte, depth int) {
	if depth >= maxThriftDepth {
		s.bad = true
		return
	}
	if kind == thriftStruct {
		s.take(n, thriftStructRoom)
	} else {
		s.take(n, thriftItemRoom)
	}
	for ; n > 0 && !s.bad; n-- {
		s.value(kind, depth+1)
	}
}

// take claims the room of n items, each of which has at least one byte.
func (s *thriftScan) take(n uint64, each int) {
	if n > uint64(len(s.b)) || n*uint64(each) > uint64(s.room) {
		s.bad = true
		return
	}
	s.room -= int(n) * each
}
