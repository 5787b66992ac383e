package geo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkb"
)

// A snapshot is a layer's columns as they lie in memory, for a store to load
// at the speed of the disk. It is for the same program on the same machine,
// beside data that can be read without it: whoever reads one makes sure by a
// checksum that it is what was written.

var errSnapshot = errors.New("not a snapshot of a layer")

// maxSnapshotBytes bounds what a damaged length can ask for.
const maxSnapshotBytes = 1 << 31

// ByFID returns the layer with its rows in the order of their FIDs.
func (l *Layer) ByFID() *Layer {
	rows := make([]int, l.n)
	for row := range rows {
		rows[row] = row
	}
	byFID := func(a, b int) int { return cmp.Compare(l.FID(a), l.FID(b)) }
	if slices.IsSortedFunc(rows, byFID) {
		return l
	}
	slices.SortFunc(rows, byFID)
	var chunks []*chunk
	for part := range slices.Chunk(rows, chunkRows) {
		w := newChunkWriter()
		for _, row := range part {
			c, i := l.at(row)
			w.copyRow(c, i)
		}
		chunks = append(chunks, w.finish())
	}
	return newLayer(l.Info, chunks, indexOf(chunks))
}

// WriteSnapshot writes the layer with its description.
func (l *Layer) WriteSnapshot(w io.Writer) error {
	info, err := json.Marshal(l.Info)
	if err != nil {
		return err
	}
	s := snapshotWriter{w: w}
	s.text(string(info))
	s.number(uint64(l.Info.NextFID))
	s.number(uint64(len(l.chunks)))
	for _, c := range l.chunks {
		if err := s.chunk(c); err != nil {
			return err
		}
	}
	return s.err
}

// snapshotWriter keeps the first error.
type snapshotWriter struct {
	w   io.Writer
	buf []byte
	err error
}

func (s *snapshotWriter) write(b []byte) {
	if s.err == nil {
		_, s.err = s.w.Write(b)
	}
}

func (s *snapshotWriter) number(v uint64) {
	s.write(binary.LittleEndian.AppendUint64(s.buf[:0], v))
}

func (s *snapshotWriter) text(v string) {
	s.number(uint64(len(v)))
	s.write([]byte(v))
}

// numbers writes a slice; nil is told from empty.
func numbers[T any](s *snapshotWriter, values []T, bits func(T) uint64) {
	if values == nil {
		s.number(0)
		return
	}
	s.number(uint64(len(values)) + 1)
	s.buf = s.buf[:0]
	for _, v := range values {
		s.buf = binary.LittleEndian.AppendUint64(s.buf, bits(v))
	}
	s.write(s.buf)
}

func intBits(v int64) uint64 { return uint64(v) }

// texts writes texts as their lengths and one text.
func (s *snapshotWriter) texts(t texts) {
	var lengths []int
	for i := range t.len() {
		lengths = append(lengths, len(t.at(i)))
	}
	numbers(s, lengths, func(n int) uint64 { return uint64(n) })
	s.write([]byte(t.all))
}

func (s *snapshotWriter) chunk(c *chunk) error {
	numbers(s, c.fids, intBits)
	s.texts(c.allIDs())
	flat := make([]float64, 0, 2*len(c.points))
	for _, p := range c.points {
		flat = append(flat, p[0], p[1])
	}
	numbers(s, flat, math.Float64bits)
	s.number(uint64(len(c.shapes)))
	for _, g := range c.shapes {
		if g == nil {
			s.number(0)
			continue
		}
		raw, err := wkb.Marshal(g)
		if err != nil {
			return fmt.Errorf("snapshot: %w", err)
		}
		s.text(string(raw))
	}
	numbers(s, c.from, intBits)
	numbers(s, c.to, intBits)
	s.number(uint64(len(c.vertexTimes)))
	for _, times := range c.vertexTimes {
		numbers(s, times, intBits)
	}
	numbers(s, []float64{c.widestDeg, c.bound.Min[0], c.bound.Min[1], c.bound.Max[0], c.bound.Max[1]}, math.Float64bits)
	s.number(uint64(len(c.columns)))
	for _, col := range c.columns {
		s.text(col.name)
		s.text(col.kind)
		numbers(s, col.numbers(), math.Float64bits)
		codes := col.codes
		for i := range col.sequence {
			codes = append(codes, col.code(i))
		}
		numbers(s, codes, func(v uint32) uint64 { return uint64(v) })
		short := col.short
		switch {
		case col.few != nil:
			short = nil
		case col.uniform > 0:
			short = bytes.Repeat([]byte{noCode + 1}, col.uniform)
		}
		s.text(string(short))
		s.texts(col.dict)
	}
	return s.err
}

// allIDs are the IDs that the rows came with.
func (c *chunk) allIDs() texts {
	if c.idsOf == nil {
		return c.ids
	}
	list := make([]string, c.len())
	for i := range list {
		list[i] = c.id(i)
	}
	return newTexts(list)
}

// ReadSnapshot reads what WriteSnapshot wrote. It errs on anything else that it
// notices; what it does not notice, a checksum must.
func ReadSnapshot(r io.Reader) (*Layer, error) {
	s := snapshotReader{r: r}
	var info LayerInfo
	if err := json.Unmarshal(s.bytes(), &info); err != nil {
		return nil, errors.Join(errSnapshot, s.err)
	}
	info.NextFID = int64(s.number())
	var chunks []*chunk
	for range s.count(1) {
		c := s.chunk()
		if s.err != nil {
			return nil, s.err
		}
		chunks = append(chunks, c)
	}
	if s.err != nil {
		return nil, s.err
	}
	return newLayer(info, chunks, indexOf(chunks)), nil
}

// snapshotReader keeps the first error, after which all it gives is empty.
type snapshotReader struct {
	r    io.Reader
	buf  []byte
	word [8]byte
	err  error
}

func (s *snapshotReader) number() uint64 {
	if s.err == nil {
		_, s.err = io.ReadFull(s.r, s.word[:])
	}
	if s.err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(s.word[:])
}

// count reads a length of things that take some bytes each.
func (s *snapshotReader) count(size uint64) int {
	n := s.number()
	if n > maxSnapshotBytes/size {
		s.fail()
		return 0
	}
	return int(n)
}

func (s *snapshotReader) fail() {
	if s.err == nil {
		s.err = errSnapshot
	}
}

// bytes reads a text into memory that is used again.
func (s *snapshotReader) bytes() []byte { return s.block(s.count(1)) }

// block reads n bytes piece by piece, so that a false length costs no memory
// that is not there to be read.
func (s *snapshotReader) block(n int) []byte {
	const piece = 1 << 20
	s.buf = s.buf[:0]
	for n > 0 && s.err == nil {
		k := min(n, piece)
		at := len(s.buf)
		if cap(s.buf) < at+k {
			s.buf = append(make([]byte, 0, max(2*cap(s.buf), at+k)), s.buf...)
		}
		s.buf = s.buf[:at+k]
		_, s.err = io.ReadFull(s.r, s.buf[at:])
		n -= k
	}
	if s.err != nil {
		return nil
	}
	return s.buf
}

func readNumbers[T any](s *snapshotReader, value func(uint64) T) []T {
	n := s.count(8)
	if n == 0 {
		return nil
	}
	raw := s.block(8 * (n - 1))
	if s.err != nil {
		return nil
	}
	out := make([]T, n-1)
	for i := range out {
		out[i] = value(binary.LittleEndian.Uint64(raw[8*i:]))
	}
	return out
}

func bitsInt(v uint64) int64 { return int64(v) }

func (s *snapshotReader) texts() (t texts) {
	lengths := readNumbers(s, bitsInt)
	if lengths == nil {
		return t
	}
	total := int64(0)
	ends := make([]uint32, len(lengths))
	for i, n := range lengths {
		if n < 0 || n > maxSnapshotBytes-total {
			s.fail()
			return t
		}
		total += n
		ends[i] = uint32(total)
	}
	all := string(s.block(int(total)))
	if s.err != nil {
		return t
	}
	return packTexts(all, ends)
}

func (s *snapshotReader) chunk() *chunk {
	c := &chunk{fids: readNumbers(s, bitsInt), ids: s.texts()}
	flat := readNumbers(s, math.Float64frombits)
	for i := 0; i+1 < len(flat); i += 2 {
		if c.points == nil {
			c.points = make([]orb.Point, 0, len(flat)/2)
		}
		c.points = append(c.points, orb.Point{flat[i], flat[i+1]})
	}
	for range s.count(1) {
		raw := s.bytes()
		var g orb.Geometry
		if len(raw) > 0 {
			var err error
			if g, err = wkb.Unmarshal(raw); err != nil {
				s.fail()
			}
		}
		if s.err != nil {
			return nil
		}
		c.shapes = append(c.shapes, g)
	}
	if c.from, c.to = readNumbers(s, bitsInt), readNumbers(s, bitsInt); slices.Equal(c.from, c.to) {
		c.to = c.from
	}
	for range s.count(1) {
		c.vertexTimes = append(c.vertexTimes, readNumbers(s, bitsInt))
		if s.err != nil {
			return nil
		}
	}
	c.shapes, c.vertexTimes = exact(c.shapes), exact(c.vertexTimes)
	if b := readNumbers(s, math.Float64frombits); len(b) == 5 {
		c.widestDeg, c.bound = b[0], orb.Bound{Min: orb.Point{b[1], b[2]}, Max: orb.Point{b[3], b[4]}}
	} else {
		s.fail()
	}
	for range s.count(1) {
		col := s.column()
		if s.err != nil {
			return nil
		}
		c.columns = append(c.columns, col)
	}
	if !c.consistent() {
		s.fail()
		return nil
	}
	c.settle()
	return c
}

func (s *snapshotReader) column() *column {
	col := &column{}
	col.name = string(s.bytes())
	col.kind = string(s.bytes())
	col.nums = readNumbers(s, math.Float64frombits)
	col.codes = readNumbers(s, func(v uint64) uint32 { return uint32(v) })
	if short := s.bytes(); len(short) > 0 {
		col.short = append([]uint8(nil), short...)
	}
	if col.dict = s.texts(); col.numeric() && col.short == nil && s.err == nil {
		col.shrinkNumbers()
	}
	col.settle()
	return col
}

// consistent reports whether no method of a layer can go out of bounds in c.
func (c *chunk) consistent() bool {
	n := c.len()
	fits := func(have int) bool { return have == 0 || have == n }
	if n == 0 || len(c.points) != n || !fits(c.ids.len()) || !fits(len(c.shapes)) || !fits(len(c.from)) ||
		len(c.to) != len(c.from) || !fits(len(c.vertexTimes)) {
		return false
	}
	for _, col := range c.columns {
		if len(col.nums) > n || len(col.codes) > n || len(col.short) > n || col.uniform > n || col.sequence > n {
			return false
		}
		if col.counted > n || len(col.few) > 0 && len(col.short) > n {
			return false
		}
		if col.few != nil { // they came from nums
			continue
		}
		for i := range max(len(col.codes), len(col.short), col.sequence) {
			if int(col.code(i)) >= col.dict.len() {
				return false
			}
		}
		for k := range col.dict.len() {
			if (col.dict.at(k) == "") != (k == noCode) {
				return false
			}
		}
	}
	return true
}
