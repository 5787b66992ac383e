package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
)

// Raster is a grid of numbers, what they mean and where they lie.
type Raster struct {
	Width, Height int // cells

	// Rows fills dst with len(dst)/Width whole rows, from the row y0 on; row 0
	// is the northernmost. NaN is no data. It is asked for each row once, from
	// the north, some hundreds at a time; an error of it ends the writing.
	Rows func(y0 int, dst []float32) error

	// OriginX and OriginY are the upper left corner of the upper left cell,
	// CellX and CellY the size of a cell, above 0: in degrees with EPSG 4326,
	// else in metres of the reference system.
	OriginX, OriginY, CellX, CellY float64

	EPSG   int     // 3857, 4326, or 0 for a plane in metres of nowhere
	NoData float32 // stands in the file for NaN, and must not be a value; NaN will do

	Unit, Description string            // of the values; empty: not said
	Metadata          map[string]string // further items, for people
}

// SurfaceNoData is what the raster of a surface holds where nothing is known: no
// surface is negative.
const SurfaceNoData = -9999

// RowsOf returns the Rows of a grid in memory, width columns wide; southFirst
// says that its first row is the southernmost.
func RowsOf[T float32 | float64](values []T, width int, southFirst bool) func(y0 int, dst []float32) error {
	return func(y0 int, dst []float32) error {
		height, rows := len(values)/width, len(dst)/width
		if y0+rows > height {
			return fmt.Errorf("the grid has %d rows of %d columns; row %d was asked for", height, width, y0+rows-1)
		}
		for i := range rows {
			from := y0 + i
			if southFirst {
				from = height - 1 - from
			}
			row := dst[i*width : (i+1)*width]
			for x, v := range values[from*width : (from+1)*width] {
				row[x] = float32(v)
			}
		}
		return nil
	}
}

const (
	maxRasterSide = 1 << 18   // cells; a strip of the widest raster is 512 MB
	maxClassic    = 1<<32 - 1 // bytes; a larger file is a BigTIFF
	spoolMemory   = 16 << 20  // bytes of a level held in memory, the rest in a file
	tileEncoders  = 2         // goroutines; a server has other things to do
)

// WriteGeoTIFF writes a raster as a Cloud Optimized GeoTIFF: float32, tiles of
// 512 cells (256 if all fit into one), Deflate with the floating-point
// predictor, overviews of half the size down to one tile. Equal rasters give
// equal bytes. A file past 4 GiB is a BigTIFF.
//
// A cell of an overview is the mean of those of its four cells that are known.
//
// An infinite value and one that equals NoData are errors, as is a raster of
// more than 262,144 cells a side. Until all rows are there nothing is written
// to w. Tiles wait for that in memory and, past 16 MiB a level, in a temporary
// file. Memory: up to 6 KiB per column for the rows at work, and those 16 MiB.
//
// Layout: TIFF 6.0; Adobe TIFF Technical Note 3 (predictor 3); OGC 19-008r4
// (GeoTIFF 1.1); OGC 21-026 (COG); GDAL's COG driver (structural metadata,
// block leaders and trailers).
func WriteGeoTIFF(w io.Writer, r Raster) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	g := newGeoTIFF(r, spoolMemory)
	defer g.close()
	if err := g.encode(); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	if err := g.write(w, maxClassic); err != nil {
		return fmt.Errorf("write GeoTIFF: %w", err)
	}
	return nil
}

func (r *Raster) check() error {
	if r.Width < 1 || r.Height < 1 || r.Width > maxRasterSide || r.Height > maxRasterSide {
		return fmt.Errorf("%d × %d cells: give 1 to %d a side", r.Width, r.Height, maxRasterSide)
	}
	if r.Rows == nil {
		return errors.New("the raster has no Rows to read its values from")
	}
	for _, v := range []float64{r.OriginX, r.OriginY, r.CellX, r.CellY} {
		if math.IsNaN(v - v) {
			return fmt.Errorf("origin %g, %g with cells of %g × %g: give finite numbers", r.OriginX, r.OriginY, r.CellX, r.CellY)
		}
	}
	if r.CellX <= 0 || r.CellY <= 0 {
		return fmt.Errorf("cells of %g × %g: give sizes above 0", r.CellX, r.CellY)
	}
	if math.IsInf(float64(r.NoData), 0) {
		return errors.New("no data cannot be infinite: give a number or NaN")
	}
	if geoKeys(r.EPSG) == nil {
		return fmt.Errorf("EPSG %d is not written: use 3857, 4326, or 0 for a plane in metres", r.EPSG)
	}
	return nil
}

// geoTIFF is a file in the making. Rows come in from the north; each level
// keeps those of one row of tiles, encodes them when that is full, and hands
// their means to the next level.
type geoTIFF struct {
	Raster
	tile     int          // cells a side
	levels   []*tiffLevel // the raster itself, then its overviews
	encoders []*tileEncoder
	blocks   [][]byte // of the row of tiles at work
}

type tiffLevel struct {
	width, height int
	strip         []float32 // rows not yet encoded
	rows          int       // in the strip
	done          int       // rows encoded
	blocks        spool
	offsets       []int64 // of each tile in blocks
	sizes         []uint32
}

func newGeoTIFF(r Raster, memory int) *geoTIFF {
	g := &geoTIFF{Raster: r, tile: 512}
	if max(r.Width, r.Height) <= 256 {
		g.tile = 256
	}
	for width, height := r.Width, r.Height; ; width, height = (width+1)/2, (height+1)/2 {
		g.levels = append(g.levels, &tiffLevel{
			width: width, height: height,
			strip:  make([]float32, width*min(height, g.tile)),
			blocks: spool{limit: memory},
		})
		if max(width, height) <= g.tile {
			break
		}
	}
	across := tilesOver(r.Width, g.tile)
	g.blocks = make([][]byte, across)
	for range min(tileEncoders, across) {
		g.encoders = append(g.encoders, newTileEncoder(g.tile, r.NoData))
	}
	return g
}

func tilesOver(cells, tile int) int { return (cells + tile - 1) / tile }

// encode reads all rows into the spools of the levels.
func (g *geoTIFF) encode() error {
	l := g.levels[0]
	for y := 0; y < g.Height; y += g.tile {
		l.rows = min(g.tile, g.Height-y)
		strip := l.strip[:l.rows*g.Width]
		if err := g.Rows(y, strip); err != nil {
			return fmt.Errorf("rows from %d on: %w", y, err)
		}
		for i, v := range strip {
			if v == g.NoData || math.IsInf(float64(v), 0) {
				return g.badValue(v, i%g.Width, y+i/g.Width)
			}
		}
		if err := g.flush(0); err != nil {
			return err
		}
	}
	return nil
}

func (g *geoTIFF) badValue(v float32, column, row int) error {
	if v == g.NoData {
		return fmt.Errorf("the value %g in column %d, row %d is the one that stands for no data; give another NoData, such as NaN", v, column, row)
	}
	return fmt.Errorf("the value in column %d, row %d is infinite, or too large for 32 bits", column, row)
}

// flush encodes the rows in the strip of a level and passes their means on.
func (g *geoTIFF) flush(at int) error {
	l := g.levels[at]
	if err := g.encodeStrip(l); err != nil {
		return err
	}
	if at+1 < len(g.levels) {
		next := g.levels[at+1]
		halve(next.strip[next.rows*next.width:], l.strip[:l.rows*l.width], l.width, g.NoData)
		next.rows += (l.rows + 1) / 2
		if next.rows == g.tile || next.done+next.rows == next.height {
			if err := g.flush(at + 1); err != nil {
				return err
			}
		}
	}
	l.done += l.rows
	l.rows = 0
	return nil
}

// encodeStrip encodes one row of tiles, several at a time; each tile is a
// function of its values alone, so that the bytes do not depend on who did it.
func (g *geoTIFF) encodeStrip(l *tiffLevel) error {
	across := tilesOver(l.width, g.tile)
	var taken atomic.Int64
	var workers sync.WaitGroup
	for _, e := range g.encoders {
		workers.Go(func() {
			for i := int(taken.Add(1)) - 1; i < across; i = int(taken.Add(1)) - 1 {
				g.blocks[i] = e.encode(g.blocks[i], l, i*g.tile)
			}
		})
	}
	workers.Wait()
	for _, block := range g.blocks[:across] {
		l.offsets = append(l.offsets, l.blocks.size+blockLeader)
		l.sizes = append(l.sizes, uint32(len(block)-blockLeader-blockTrailer))
		if _, err := l.blocks.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// write writes the head, then the tiles from the smallest level up.
func (g *geoTIFF) write(w io.Writer, limit int64) error {
	var size int64
	for _, l := range g.levels {
		size += l.blocks.size
	}
	f := tiffFormat{}
	if size+int64(len(g.head(f, 0))) > limit {
		f.big = true
	}
	start := int64(len(g.head(f, 0)))
	if _, err := w.Write(g.head(f, start)); err != nil {
		return err
	}
	for i := len(g.levels) - 1; i >= 0; i-- {
		if _, err := g.levels[i].blocks.WriteTo(w); err != nil {
			return err
		}
	}
	return nil
}

func (g *geoTIFF) close() {
	for _, l := range g.levels {
		l.blocks.close()
	}
}
