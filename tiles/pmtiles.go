package tiles

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// PMTiles is what a PMTiles archive holds beside its tiles (version 3 of the
// specification, github.com/protomaps/PMTiles): one file with a tile set, to be
// read offline or from a plain file server.
type PMTiles struct {
	Vector  bool // tiles are MVT, packed with gzip; else PNG
	Bound   orb.Bound
	MaxZoom int
	// Metadata becomes the archive's JSON: name, attribution, vector_layers.
	Metadata map[string]any
}

// MaxPMTiles is the most tiles in an archive.
const MaxPMTiles = 200_000

// CountTiles returns how many tiles of zoom 0 to maxZoom a box touches.
func CountTiles(b orb.Bound, maxZoom int) int {
	n := 0
	for z := range maxZoom + 1 {
		l := LimitsOf(b, z)
		n += int(l.MaxTileCol-l.MinTileCol+1) * int(l.MaxTileRow-l.MinTileRow+1)
	}
	return n
}

// pmRoot is the most bytes of the header and the root directory together: what
// a reader fetches first.
const (
	pmHeader  = 127
	pmRoot    = 16384
	pmLeaf    = 4096 // entries of a leaf directory
	pmGzip    = 2
	pmNone    = 1
	pmMVT     = 1
	pmPNG     = 2
	pmVersion = 3
)

// pmEntry is a run of tiles with the same content.
type pmEntry struct {
	id, offset  uint64
	length, run uint32
}

// Write makes the tiles of an archive with draw, which returns nil for a tile
// with nothing in it, and writes the archive. The tiles wait in spool, which is
// empty at first. Equal tiles are kept once; the same tiles give the same bytes.
func (p PMTiles) Write(w io.Writer, spool io.ReadWriteSeeker, draw func(Tile) ([]byte, error)) error {
	if n := CountTiles(p.Bound, p.MaxZoom); n > MaxPMTiles {
		return fmt.Errorf("%d tiles to zoom %d, at most %d fit: ask for a smaller maxzoom", n, p.MaxZoom, MaxPMTiles)
	}
	var entries []pmEntry
	kept := map[[sha256.Size]byte]pmEntry{}
	size, addressed := uint64(0), uint64(0)
	for id, t := range tilesInOrder(p.Bound, p.MaxZoom) {
		body, err := draw(t)
		if err != nil {
			return fmt.Errorf("tile %s: %w", t, err)
		}
		if len(body) == 0 {
			continue
		}
		addressed++
		sum := sha256.Sum256(body)
		at, have := kept[sum]
		if !have {
			if p.Vector {
				if body, err = packed(body); err != nil {
					return err
				}
			}
			if _, err := spool.Write(body); err != nil {
				return fmt.Errorf("spool tile %s: %w", t, err)
			}
			at = pmEntry{offset: size, length: uint32(len(body))}
			kept[sum] = at
			size += uint64(len(body))
		}
		if n := len(entries); n > 0 && entries[n-1].offset == at.offset && entries[n-1].id+uint64(entries[n-1].run) == id {
			entries[n-1].run++
			continue
		}
		entries = append(entries, pmEntry{id, at.offset, at.length, 1})
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the spooled tiles: %w", err)
	}
	head, err := p.head(entries, pmCounts{addressed, uint64(len(entries)), uint64(len(kept)), size})
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	if _, err := io.CopyN(w, spool, int64(size)); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

type pmCounts struct{ addressed, entries, contents, bytes uint64 }

// head returns all that comes before the tiles: header, root directory,
// metadata and leaf directories.
func (p PMTiles) head(entries []pmEntry, n pmCounts) ([]byte, error) {
	root, leaves, err := directories(entries)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(p.Metadata)
	if err != nil {
		return nil, fmt.Errorf("metadata of the archive: %w", err)
	}
	meta, err := packed(text)
	if err != nil {
		return nil, err
	}
	h := append(make([]byte, 0, pmHeader), "PMTiles"...)
	h = append(h, pmVersion)
	at := uint64(pmHeader)
	for _, length := range []int{len(root), len(meta), len(leaves)} {
		h = binary.LittleEndian.AppendUint64(h, at)
		h = binary.LittleEndian.AppendUint64(h, uint64(length))
		at += uint64(length)
	}
	for _, v := range []uint64{at, n.bytes, n.addressed, n.entries, n.contents} {
		h = binary.LittleEndian.AppendUint64(h, v)
	}
	compression, kind := byte(pmNone), byte(pmPNG)
	if p.Vector {
		compression, kind = pmGzip, pmMVT
	}
	h = append(h, 1, pmGzip, compression, kind, 0, byte(p.MaxZoom))
	j := newTileJSON("", p.Bound, p.MaxZoom)
	for _, degrees := range j.Bounds {
		h = binary.LittleEndian.AppendUint32(h, uint32(int32(math.Round(degrees*1e7))))
	}
	h = append(h, byte(j.Center[2]))
	for _, degrees := range j.Center[:2] {
		h = binary.LittleEndian.AppendUint32(h, uint32(int32(math.Round(degrees*1e7))))
	}
	return slices.Concat(h, root, meta, leaves), nil
}

// directories packs the entries into the root, or into leaves that the root
// points to when it would be too large.
func directories(entries []pmEntry) (root, leaves []byte, err error) {
	if root, err = directory(entries); err != nil || len(root) <= pmRoot-pmHeader {
		return root, nil, err
	}
	for size := pmLeaf; ; size *= 2 {
		var pointers []pmEntry
		leaves = leaves[:0]
		for part := range slices.Chunk(entries, size) {
			leaf, err := directory(part)
			if err != nil {
				return nil, nil, err
			}
			pointers = append(pointers, pmEntry{part[0].id, uint64(len(leaves)), uint32(len(leaf)), 0})
			leaves = append(leaves, leaf...)
		}
		if root, err = directory(pointers); err != nil || len(root) <= pmRoot-pmHeader {
			return root, leaves, err
		}
	}
}

// directory encodes entries, column by column.
func directory(entries []pmEntry) ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(len(entries)))
	last := uint64(0)
	for _, e := range entries {
		b = binary.AppendUvarint(b, e.id-last)
		last = e.id
	}
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(e.run))
	}
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(e.length))
	}
	for i, e := range entries {
		if i > 0 && e.offset == entries[i-1].offset+uint64(entries[i-1].length) {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, e.offset+1)
	}
	return packed(b)
}

func packed(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	return out.Bytes(), nil
}

// tilesInOrder yields the tiles that a box touches by their number in an
// archive: zoom after zoom, each along a Hilbert curve.
func tilesInOrder(b orb.Bound, maxZoom int) iter.Seq2[uint64, Tile] {
	return func(yield func(uint64, Tile) bool) {
		for z := range maxZoom + 1 {
			l := LimitsOf(b, z)
			type numbered struct {
				id   uint64
				tile Tile
			}
			var level []numbered
			for y := l.MinTileRow; y <= l.MaxTileRow; y++ {
				for x := l.MinTileCol; x <= l.MaxTileCol; x++ {
					t := Tile{uint32(z), x, y}
					level = append(level, numbered{hilbertID(t), t})
				}
			}
			slices.SortFunc(level, func(a, b numbered) int {
				if a.id < b.id {
					return -1
				}
				return 1
			})
			for _, n := range level {
				if !yield(n.id, n.tile) {
					return
				}
			}
		}
	}
}

// hilbertID is the number of a tile in an archive: the tiles of the zooms
// above, then its place on the Hilbert curve of its zoom.
func hilbertID(t Tile) uint64 {
	id := (uint64(1)<<(2*t.Z) - 1) / 3
	x, y := t.X, t.Y
	for s := uint32(1) << t.Z >> 1; s > 0; s >>= 1 {
		rx, ry := b2u(x&s > 0), b2u(y&s > 0)
		id += uint64(s) * uint64(s) * uint64((3*rx)^ry)
		if ry == 0 {
			if rx == 1 {
				x, y = s-1-x&(s-1), s-1-y&(s-1)
			}
			x, y = y, x
		}
	}
	return id
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
