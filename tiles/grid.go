package tiles

import (
	"fmt"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// MaxZoom is the deepest zoom level with tiles.
const MaxZoom = 22

// Tile names one square of the Web Mercator pyramid (EPSG:3857, XYZ scheme):
// at zoom Z there are 2^Z columns from west to east and 2^Z rows from north
// to south.
type Tile struct{ Z, X, Y uint32 }

// Parse reads the three numbers of a tile path. They must be plain decimal
// digits without sign or leading zeros and name a tile that exists.
func Parse(z, x, y string) (Tile, error) {
	var n [3]uint32
	for i, s := range [3]string{z, x, y} {
		v, err := strconv.ParseUint(s, 10, 32)
		if err != nil || s[0] == '+' || (len(s) > 1 && s[0] == '0') {
			return Tile{}, fmt.Errorf("tile %s/%s/%s: give zoom, column and row as whole numbers", z, x, y)
		}
		n[i] = uint32(v)
	}
	t := Tile{n[0], n[1], n[2]}
	if !t.Valid() {
		return Tile{}, fmt.Errorf("tile %s: zoom is at most %d, column and row are below 2^zoom", t, MaxZoom)
	}
	return t, nil
}

// Valid reports whether the tile exists.
func (t Tile) Valid() bool {
	return t.Z <= MaxZoom && t.X < 1<<t.Z && t.Y < 1<<t.Z
}

func (t Tile) String() string { return fmt.Sprintf("%d/%d/%d", t.Z, t.X, t.Y) }

// Bound returns the tile's box in degrees.
func (t Tile) Bound() orb.Bound { return t.buffered(0) }

// Lons returns the longitude in degrees of the centres of a tile's pixel
// columns, west to east, for a tile of size pixels.
func (t Tile) Lons(size int) []float64 {
	return centres(t.Z, t.X, size, lonOf)
}

// Lats returns the latitude in degrees of the centres of a tile's pixel rows,
// north to south, for a tile of size pixels.
func (t Tile) Lats(size int) []float64 {
	return centres(t.Z, t.Y, size, latOf)
}

func centres(z, k uint32, size int, degrees func(float64) float64) []float64 {
	out := make([]float64, size)
	for i := range out {
		out[i] = degrees((float64(k) + (float64(i)+0.5)/float64(size)) / float64(uint32(1)<<z))
	}
	return out
}

// buffered returns the box of the tile grown on each side by a share of its
// width. It may reach beyond longitude 180.
func (t Tile) buffered(share float64) orb.Bound {
	n := float64(uint32(1) << t.Z)
	x, y := float64(t.X), float64(t.Y)
	return orb.Bound{
		Min: orb.Point{lonOf((x - share) / n), latOf((y + 1 + share) / n)},
		Max: orb.Point{lonOf((x + 1 + share) / n), latOf((y - share) / n)},
	}
}

// World coordinates are Web Mercator scaled to the unit square: x grows east
// from longitude -180, y grows south from latitude 85.0511.

func lonOf(x float64) float64 { return x*360 - 180 }

func latOf(y float64) float64 { return math.Atan(math.Sinh(math.Pi*(1-2*y))) * 180 / math.Pi }

// maxSine keeps the poles at a finite distance, outside of every tile.
const maxSine = 0.9999

// world returns the world coordinates of a position in degrees.
func world(p orb.Point) orb.Point {
	s := math.Sin(p[1] * (math.Pi / 180))
	s = min(max(s, -maxSine), maxSine)
	return orb.Point{p[0]/360 + 0.5, 0.5 - math.Log((1+s)/(1-s))/(4*math.Pi)}
}
