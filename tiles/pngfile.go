package tiles

import (
	"encoding/binary"
	"hash/crc32"
	"image/color"
)

// A PNG file as of ISO/IEC 15948: a signature, then chunks of a length, a kind
// of four letters, data and a checksum. image/png writes the same, but with the
// deflate of the standard library, which takes twice as long.

// chunkExtra is what a chunk takes beside its data.
const chunkExtra = 12

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngHead returns a file of size × size pixels, eight bits each into a palette,
// up to where the pixels begin.
func pngHead(size int, p color.Palette) []byte {
	header := binary.BigEndian.AppendUint32(nil, uint32(size))
	header = binary.BigEndian.AppendUint32(header, uint32(size))
	header = append(header, 8, 3, 0, 0, 0) // depth, indexed; the only compression and filters; not interlaced
	var colours, opacity []byte
	for _, c := range p {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		colours, opacity = append(colours, n.R, n.G, n.B), append(opacity, n.A)
	}
	out := appendChunk([]byte(pngSignature), "IHDR", header)
	out = appendChunk(out, "PLTE", colours)
	return appendChunk(out, "tRNS", opacity)
}

func appendChunk(dst []byte, kind string, data []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	start := len(dst)
	dst = append(append(dst, kind...), data...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}
