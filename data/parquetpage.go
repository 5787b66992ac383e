package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

const (
	maxParquetHeader = 1 << 20  // of a page, which may hold the least and the greatest value
	maxParquetPage   = 64 << 20 // of its values, unpacked
	pageHeaderRoom   = 1 << 20

	oldDictionary = format.Encoding(2) // PLAIN_DICTIONARY, as older programs still write
)

// parquetSource is a file whose pages are read: what they declare is held
// against the limits before there is memory for it.
type parquetSource struct {
	file   io.ReaderAt
	size   int64
	limits Limits
	n      int64 // unpacked, as declared, so far
	packed []byte
	zstd   *zstd.Decoder
}

// claim counts bytes that are to be unpacked or handed on.
func (s *parquetSource) claim(n int64) error {
	s.n += n
	if most := s.limits.UnpackedBytes; most > 0 && s.n > most {
		return refuse(413, "unpacked_too_large", "the file is larger than %d bytes when unpacked; split it", most)
	}
	return nil
}

// chunk reads the values of one column of one group of rows.
type chunk struct {
	src      *parquetSource
	leaf     *parquetLeaf
	codec    format.CompressionCodec
	at, end  int64 // in the file
	levels   hybrid
	values   int // of the page that are left, nulls included
	data     []byte
	head     []byte
	encoding format.Encoding
	indices  hybrid // into the dictionary
	bit      int    // of booleans, or the number of a value
	ints     *delta
	texts    *deltaLengths
	prefixed *deltaTexts
	scratch  []byte // of the value at hand

	dictionary    []byte
	starts        []uint32 // of the dictionary's texts
	hasDictionary bool
}

func badParquet(text string, args ...any) *Refusal {
	return refuse(400, "bad_parquet", "the Parquet file is damaged or cut off: "+text+"; send it again", args...)
}

func (c *chunk) damaged(what string) error {
	return badParquet("the column %s %s", show(c.leaf.name), what)
}

// next returns the bytes of the next value as Parquet writes them, nil for a
// null. They are valid until the next call.
func (c *chunk) next() ([]byte, error) {
	for c.values == 0 {
		if err := c.page(); err != nil {
			return nil, err
		}
	}
	c.values--
	if c.leaf.optional {
		level, ok := c.levels.next()
		if !ok || level > 1 {
			return nil, c.damaged("has fewer values than it declares")
		}
		if level == 0 {
			return nil, nil
		}
	}
	v, ok := c.value()
	if !ok {
		return nil, c.damaged("has fewer values than it declares, or one out of its range")
	}
	if c.leaf.physical == format.ByteArray {
		if err := c.src.claim(int64(len(v))); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// page goes to the next page of values.
func (c *chunk) page() error {
	for c.at < c.end {
		var h format.PageHeader
		if err := c.header(&h); err != nil {
			return err
		}
		body, err := c.body(&h)
		if err != nil {
			return err
		}
		switch h.Type {
		case format.DictionaryPage:
			err = c.readDictionary(body, &h)
		case format.DataPage:
			return c.version1(body, &h)
		case format.DataPageV2:
			return c.version2(body, &h)
		}
		if err != nil {
			return err
		}
	}
	return c.damaged("has fewer values than rows")
}

// header reads what stands before a page and leaves the place behind it.
func (c *chunk) header(h *format.PageHeader) error {
	for size := int64(256); ; size *= 8 {
		size = min(size, c.end-c.at, maxParquetHeader)
		c.head = append(c.head[:0], make([]byte, size)...)
		if _, err := c.src.file.ReadAt(c.head, c.at); err != nil && err != io.EOF {
			return err
		}
		if n, ok := readThrift(c.head, pageHeaderRoom, h); ok {
			c.at += int64(n)
			break
		}
		if size == c.end-c.at || size == maxParquetHeader {
			return c.damaged("has a page that does not begin like one")
		}
		*h = format.PageHeader{}
	}
	packed, size := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || size < 0 || packed > c.end-c.at {
		return c.damaged("has a page that is longer than the file")
	}
	if size > maxParquetPage {
		return refuse(413, "page_too_large", "a page of the column %s has more than %d bytes; write the file with smaller pages", show(c.leaf.name), maxParquetPage)
	}
	if c.src.n+size > 1<<20 && c.src.n+size > c.src.limits.Ratio*c.src.size {
		return refuse(413, "compression_ratio", "the file unpacks to more than %d times its size; write it without compression", c.src.limits.Ratio)
	}
	return c.src.claim(size)
}

// body reads a page and unpacks it.
func (c *chunk) body(h *format.PageHeader) ([]byte, error) {
	n := int64(h.CompressedPageSize)
	c.src.packed = append(c.src.packed[:0], make([]byte, n)...)
	packed := c.src.packed
	if _, err := c.src.file.ReadAt(packed, c.at); err != nil && (err != io.EOF || n == 0) {
		return nil, c.damaged("has a page that breaks off")
	}
	c.at += n
	size := int(h.UncompressedPageSize)
	plain := 0 // bytes before what is packed
	codec := c.codec
	if v2 := h.DataPageHeaderV2; h.Type == format.DataPageV2 {
		if v2.V.DefinitionLevelsByteLength < 0 || v2.V.RepetitionLevelsByteLength < 0 {
			return nil, c.damaged("has a page of negative length")
		}
		plain = int(v2.V.DefinitionLevelsByteLength) + int(v2.V.RepetitionLevelsByteLength)
		if v2.V.IsCompressed.Valid && !v2.V.IsCompressed.V {
			codec = format.Uncompressed
		}
	}
	if plain > len(packed) || plain > size {
		return nil, c.damaged("has a page that is shorter than it says")
	}
	out := append([]byte(nil), packed[:plain]...)
	rest, err := c.src.unpack(codec, packed[plain:], size-plain)
	if err != nil {
		return nil, err
	}
	if rest == nil && size > plain {
		return nil, c.damaged("has a page that cannot be unpacked, or is not as long as it says")
	}
	if plain == 0 {
		return rest, nil
	}
	return append(out, rest...), nil
}

// unpack returns size bytes on their own memory, nil when the packed ones are
// damaged or others in number.
func (s *parquetSource) unpack(codec format.CompressionCodec, packed []byte, size int) ([]byte, error) {
	if codec == format.Uncompressed {
		if len(packed) != size {
			return nil, nil
		}
		return bytes.Clone(packed), nil
	}
	var src io.Reader
	switch codec {
	case format.Snappy:
		if n, err := snappy.DecodedLen(packed); err != nil || n != size {
			return nil, nil
		}
		out, err := snappy.Decode(nil, packed)
		if err != nil {
			return nil, nil
		}
		return out, nil
	case format.Gzip:
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, nil
		}
		src = z
	case format.Zstd:
		if s.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxParquetPage))
			if err != nil {
				return nil, err
			}
			s.zstd = z
		}
		if s.zstd.Reset(bytes.NewReader(packed)) != nil {
			return nil, nil
		}
		src = s.zstd
	default:
		return nil, refuse(422, "compression", "the file is compressed with %s, which is not read; write it with snappy, gzip, zstd or none", codec)
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(src, out); err != nil {
		return nil, nil
	}
	if n, err := src.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return nil, nil
	}
	return out, nil
}

func (s *parquetSource) close() {
	if s.zstd != nil {
		s.zstd.Close()
	}
}

// readDictionary keeps a dictionary, and where each of its texts begins.
func (c *chunk) readDictionary(body []byte, h *format.PageHeader) error {
	d := h.DictionaryPageHeader.V
	if !h.DictionaryPageHeader.Valid || c.hasDictionary || d.NumValues < 0 || d.Encoding != format.Plain && d.Encoding != oldDictionary {
		return c.damaged("has a dictionary that is not one")
	}
	c.hasDictionary, c.dictionary = true, body
	if c.leaf.physical != format.ByteArray {
		return nil
	}
	for range d.NumValues { // of at least four bytes
		c.starts = append(c.starts, uint32(len(c.dictionary)-len(body)))
		_, rest, ok := c.leaf.plain(body)
		if !ok {
			return c.damaged("has a dictionary that breaks off")
		}
		body = rest
	}
	return nil
}

// entry returns a value of the dictionary.
func (c *chunk) entry(i uint32) ([]byte, bool) {
	at := uint64(i) * uint64(c.leaf.width)
	if c.leaf.physical == format.ByteArray {
		if int64(i) >= int64(len(c.starts)) {
			return nil, false
		}
		at = uint64(c.starts[i])
	}
	if at >= uint64(len(c.dictionary)) {
		return nil, false
	}
	v, _, ok := c.leaf.plain(c.dictionary[at:])
	return v, ok
}

func (c *chunk) version1(body []byte, h *format.PageHeader) error {
	d := h.DataPageHeader.V
	if !h.DataPageHeader.Valid || d.NumValues < 0 {
		return c.damaged("has a page without a head")
	}
	if c.leaf.optional {
		if d.DefinitionLevelEncoding != format.RLE {
			return refuse(422, "encoding", "the nulls of the column %s are in the encoding %s, which is not read; write the file with a newer program", show(c.leaf.name), d.DefinitionLevelEncoding)
		}
		if len(body) < 4 || uint64(binary.LittleEndian.Uint32(body)) > uint64(len(body)-4) {
			return c.damaged("has a page that breaks off")
		}
		n := 4 + int(binary.LittleEndian.Uint32(body))
		c.levels = hybrid{b: body[4:n], width: 1}
		body = body[n:]
	}
	return c.begin(int(d.NumValues), d.Encoding, body)
}

func (c *chunk) version2(body []byte, h *format.PageHeader) error {
	d := h.DataPageHeaderV2.V
	if !h.DataPageHeaderV2.Valid || d.NumValues < 0 {
		return c.damaged("has a page without a head")
	}
	from := int(d.RepetitionLevelsByteLength) // of a column without lists there are none
	to := from + int(d.DefinitionLevelsByteLength)
	if c.leaf.optional {
		c.levels = hybrid{b: body[from:to], width: 1}
	}
	return c.begin(int(d.NumValues), d.Encoding, body[to:])
}

// begin settles how the values of a page are read.
func (c *chunk) begin(values int, encoding format.Encoding, data []byte) error {
	c.values, c.encoding, c.data, c.bit = values, encoding, data, 0
	ok := true
	switch kind := c.leaf.physical; {
	case encoding == format.Plain:
	case encoding == oldDictionary || encoding == format.RLEDictionary:
		c.encoding = format.RLEDictionary
		if len(data) == 0 { // all are null
			c.indices = hybrid{}
			break
		}
		if ok = data[0] <= 32 && c.hasDictionary; ok {
			c.indices = hybrid{b: data[1:], width: int(data[0])}
		}
	case encoding == format.RLE && kind == format.Boolean:
		if ok = len(data) >= 4; ok {
			c.indices = hybrid{b: data[4:], width: 1}
		}
	case len(data) == 0:
	case encoding == format.DeltaBinaryPacked && (kind == format.Int32 || kind == format.Int64):
		c.ints, ok = newDelta(data, values)
	case encoding == format.DeltaLengthByteArray && kind == format.ByteArray:
		c.texts, ok = newDeltaLengths(data, values)
	case encoding == format.DeltaByteArray && (kind == format.ByteArray || kind == format.FixedLenByteArray):
		c.prefixed, ok = newDeltaTexts(data, values)
	case encoding == format.ByteStreamSplit && c.leaf.width > 0:
		ok = len(data)%c.leaf.width == 0
	default:
		return refuse(422, "encoding", "the column %s is in the encoding %s, which is not read; write the file with another", show(c.leaf.name), encoding)
	}
	if !ok {
		return c.damaged("has a page that does not begin like one")
	}
	return nil
}

// value returns the next value that is not null.
func (c *chunk) value() (v []byte, ok bool) {
	switch c.encoding {
	case format.RLEDictionary:
		i, ok := c.indices.next()
		if !ok {
			return nil, false
		}
		return c.entry(i)
	case format.RLE:
		i, ok := c.indices.next()
		return []byte{byte(i & 1)}, ok
	}
	if len(c.data) == 0 {
		return nil, false
	}
	switch c.encoding {
	case format.DeltaBinaryPacked:
		n, ok := c.ints.next()
		c.scratch = binary.LittleEndian.AppendUint64(c.scratch[:0], uint64(n))
		return c.scratch[:c.leaf.width], ok
	case format.DeltaLengthByteArray:
		return c.texts.next()
	case format.DeltaByteArray:
		v, ok = c.prefixed.next()
		return v, ok && (c.leaf.width == 0 || len(v) == c.leaf.width)
	case format.ByteStreamSplit:
		count := len(c.data) / c.leaf.width
		if c.bit >= count {
			return nil, false
		}
		c.scratch = c.scratch[:0]
		for i := range c.leaf.width {
			c.scratch = append(c.scratch, c.data[i*count+c.bit])
		}
		c.bit++
		return c.scratch, true
	}
	if c.leaf.physical == format.Boolean {
		if c.bit >= 8*len(c.data) {
			return nil, false
		}
		v = append(c.scratch[:0], c.data[c.bit/8]>>(c.bit%8)&1)
		c.bit++
		return v, true
	}
	v, c.data, ok = c.leaf.plain(c.data)
	return v, ok
}
