package tiles

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"sync"
)

// Raster makes the raster tiles of one scale and ramp. It is safe for
// concurrent use.
type Raster struct {
	scale   Scale
	indexer *indexer
	palette color.Palette
	hatched [256]uint8 // the colour of the lines over each index, 0: none
	images  sync.Pool
	encoder png.Encoder
}

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
	out.encoder = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &bufferPool{}}
	return out, nil
}

// PNG returns the tile of size×size values, row by row from the north-west,
// as a paletted PNG; blank is true when all of it is transparent. The size is
// 256 or 512. NaN is drawn hatched.
func (r *Raster) PNG(values []float64, size int) (data []byte, blank bool, err error) {
	if size != 256 && size != 512 || len(values) != size*size {
		return nil, false, fmt.Errorf("raster tile of %d pixels with %d values: the size is 256 or 512, with a value for each pixel", size, len(values))
	}
	img, _ := r.images.Get().(*image.Paletted)
	if img == nil || img.Rect.Dx() != size {
		img = image.NewPaletted(image.Rect(0, 0, size, size), r.palette)
	}
	defer r.images.Put(img)
	blank = r.paint(img, values)
	var b bytes.Buffer
	b.Grow(size * size / 8)
	if err := r.EncodePNG(&b, img); err != nil {
		return nil, false, err
	}
	return b.Bytes(), blank, nil
}

// EncodePNG writes an image as PNG.
func (r *Raster) EncodePNG(w io.Writer, img *image.Paletted) error {
	if err := r.encoder.Encode(w, img); err != nil {
		return fmt.Errorf("png: %w", err)
	}
	return nil
}

// paint fills the image with palette indices and reports whether all are
// transparent. The hatching is fixed to the pixels of the world, whose tiles
// are a whole number of its periods wide, so it runs on from tile to tile.
func (r *Raster) paint(img *image.Paletted, values []float64) (blank bool) {
	size := img.Rect.Dx()
	blank = true
	for y := range size {
		row := img.Pix[y*img.Stride : y*img.Stride+size]
		for x, v := range values[y*size : (y+1)*size] {
			i := r.indexer.index(v)
			if ink := r.hatched[i]; ink != 0 && onHatch(x, y, size) {
				i = ink
			}
			row[x] = i
			blank = blank && i == 0
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

// bufferPool lends the encoder's buffers.
type bufferPool struct{ sync.Pool }

func (p *bufferPool) Get() *png.EncoderBuffer {
	b, _ := p.Pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *bufferPool) Put(b *png.EncoderBuffer) { p.Pool.Put(b) }
