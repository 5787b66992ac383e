package tiles

import (
	"fmt"
	"image"
	"image/png"
	"io"
)

// Grid is values of any size, row by row.
type Grid struct {
	Values     []float64
	Columns    int
	SouthFirst bool // the first row is the southernmost
}

// DrawPNG draws a grid as one image, a pixel a value.
func DrawPNG(w io.Writer, s Scale, r Ramp, g Grid) error {
	if err := s.Check(); err != nil {
		return err
	}
	if g.Columns < 1 || len(g.Values)%g.Columns != 0 {
		return fmt.Errorf("draw a grid of %d values in %d columns: the rows must be whole", len(g.Values), g.Columns)
	}
	rows := len(g.Values) / g.Columns
	img := image.NewPaletted(image.Rect(0, 0, g.Columns, rows), s.colours(r))
	index := newIndexer(s)
	for i, v := range g.Values {
		row := i / g.Columns
		if g.SouthFirst {
			row = rows - 1 - row
		}
		img.Pix[row*img.Stride+i%g.Columns] = index.index(v)
	}
	return png.Encode(w, img)
}
