package tiles

import (
	"bytes"
	"fmt"
	"image/color"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// Raster makes the raster tiles of one scale and ramp. It is safe for
// concurrent use.
type Raster struct {
	scale   Scale
	indexer *indexer
	palette color.Palette
	hatched [256]uint8     // the colour of the lines over each index, 0: none
	heads   map[int][]byte // of the files, by size
	sheets  sync.Pool      // of *pngSheet
}

// pngSheet is the memory of one tile being made.
type pngSheet struct {
	lines  []byte // each begins with the number of its filter: 0, none
	packed bytes.Buffer
	packer *zlib.Writer
}

// packLevel makes smaller files than level 1 in about the same time.
const packLevel = 2

// NewRaster returns a maker of tiles, or what is wrong with the scale.
func NewRaster(s Scale, r Ramp) (*Raster, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	out := &Raster{scale: s, indexer: newIndexer(s), palette: s.colours(r)}
	out.hatched[noDataGround] = noDataInk
	for i, c := range s.Categories {
		if c.Hatched {
			out.hatched[i+1] = uint8(i + 1 + inkOffset)
		}
	}
	out.heads = map[int][]byte{256: pngHead(256, out.palette), 512: pngHead(512, out.palette)}
	return out, nil
}

// PNG returns the tile of size×size values, row by row from the north-west,
// as a paletted PNG; blank is true when all of it is transparent. The size is
// 256 or 512. NaN is drawn hatched. Equal values give equal bytes.
func (r *Raster) PNG(values []float64, size int) (data []byte, blank bool, err error) {
	head := r.heads[size]
	if head == nil || len(values) != size*size {
		return nil, false, fmt.Errorf("raster tile of %d pixels with %d values: the size is 256 or 512, with a value for each pixel", size, len(values))
	}
	s, _ := r.sheets.Get().(*pngSheet)
	if s == nil {
		s = &pngSheet{}
		if s.packer, err = zlib.NewWriterLevel(&s.packed, packLevel); err != nil {
			return nil, false, fmt.Errorf("png: %w", err)
		}
	}
	defer r.sheets.Put(s)
	if len(s.lines) != size*(size+1) {
		s.lines = make([]byte, size*(size+1))
	}
	blank = r.paint(s.lines, values, size)
	s.packed.Reset()
	s.packer.Reset(&s.packed)
	if _, err = s.packer.Write(s.lines); err == nil {
		err = s.packer.Close()
	}
	if err != nil {
		return nil, false, fmt.Errorf("png: %w", err)
	}
	data = make([]byte, 0, len(head)+s.packed.Len()+2*chunkExtra)
	data = appendChunk(append(data, head...), "IDAT", s.packed.Bytes())
	return appendChunk(data, "IEND", nil), blank, nil
}

// paint fills the lines with palette indices and reports whether all are
// transparent. The hatching is fixed to the pixels of the world, whose tiles
// are a whole number of its periods wide, so it runs on from tile to tile.
func (r *Raster) paint(lines []byte, values []float64, size int) (blank bool) {
	blank = true
	for y := range size {
		row := lines[y*(size+1)+1:][:size]
		seen, other := r.indexer.row(row, values[y*size:])
		blank = blank && seen == 0
		if !other {
			continue
		}
		for x, i := range row {
			if ink := r.hatched[i]; ink != 0 && onHatch(x, y, size) {
				row[x] = ink
			}
		}
	}
	return blank
}

// onHatch reports whether a pixel is on a line of the hatching: lines rising
// to the right, 8 pixels apart and 2 wide on a tile of 256.
func onHatch(x, y, size int) bool {
	unit := size / 256
	return (x/unit+y/unit)&7 < 2
}
