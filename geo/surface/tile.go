package surface

import (
	"math"
)

// Tile returns the density of the n × n pixels of the world raster of 2^level
// pixels a side (Web Mercator) whose upper left pixel is px, py; per m²,
// row-major from the north. A 256-pixel tile z/x/y is Tile(z+8, 256x, 256y,
// 256). It is for looking at: fast whatever the number of events, and within
// DisplayError of Raster; neighbouring tiles agree to rounding.
//
//   - Events are merged into cells of at most 1/16 of the bandwidth, at their
//     weighted mean position; merged events lie on one world raster, so every
//     tile sees the same ones.
//   - Where the kernel reaches at least two pixels, a pixel has the density at
//     its centre; below that the exact mean over the pixel.
//   - Where the bandwidth is more than 32 pixels, the surface is evaluated at
//     1/16 of the bandwidth or finer and interpolated by cubic convolution
//     (Keys 1981).
func (d *Density) Tile(level, px, py, n int) []float64 {
	dst := make([]float64, n*n)
	w := tileWindow{level, px, py, n, n}
	for i := range d.points.sets {
		s := &d.points.sets[i]
		fine := fineLevel(d.bandwidth(s), s.leastLat)
		switch {
		case d.narrow(s, level):
			d.addMeans(dst, s.mergedTo(min(fine, level+4)), w)
		case level <= fine:
			d.addCentres(dst, s, w)
		default:
			addInterpolated(dst, fine, w, func(patch []float64, of tileWindow) { d.addCentres(patch, s, of) })
		}
	}
	return dst
}

// narrow reports whether a kernel reaches less than two pixels of a level.
func (d *Density) narrow(s *pointSet, level int) bool {
	return d.bandwidth(s)*d.Kernel.Reach() < 2*equatorM/math.Exp2(float64(level))
}

// DisplayError bounds how far a Tile is from Raster, as a share of the
// surface's peak, where the bandwidth is at least two pixels.
const DisplayError = 0.002

// tileWindow is a part of the world raster of 2^level pixels a side.
type tileWindow struct{ level, px, py, nx, ny int }

func (w *tileWindow) lattice() Lattice { return WindowLattice(w.level, w.px, w.py, w.nx, w.ny) }

// equatorM is the length of the WGS 84 equator.
const equatorM = 2 * math.Pi * 6378137.0

// fineLevel is the coarsest world raster whose pixels, at a latitude, are at
// most 1/16 of a bandwidth.
func fineLevel(hM, lat float64) int {
	widestM := equatorM * math.Cos(lat*math.Pi/180)
	return max(0, min(keyLevel, int(math.Ceil(math.Log2(16*widestM/hM)))))
}

// addCentres adds the sums at the pixels' centres, of events merged to the fine
// level.
func (d *Density) addCentres(dst []float64, s *pointSet, w tileWindow) {
	fine := fineLevel(d.bandwidth(s), s.leastLat)
	d.sumNear(dst, w.lattice(), s.mergedTo(fine), fine, 1)
}

func (d *Density) addMeans(dst []float64, s *pointSet, w tileWindow) {
	h := d.bandwidth(s)
	margin := 2 * equatorM / math.Exp2(float64(w.level)) // a mean reaches from pixel to pixel
	addMeans(dst, w, d.Kernel, s, h, func(yield func(int, float64)) { d.near(s, w.lattice(), h+margin, yield) })
}

// addInterpolated adds the pixels of a window from the values at the centres of
// a coarser level, which fill puts into a patch of it.
func addInterpolated(dst []float64, fine int, w tileWindow, fill func(patch []float64, of tileWindow)) {
	scale := math.Exp2(float64(fine - w.level)) // fine pixels per tile pixel, below 1
	const margin = 2
	size := func(n int) int { return int(math.Ceil(float64(n)*scale)) + 2*margin + 1 }
	of := tileWindow{
		level: fine, px: int(math.Floor(float64(w.px)*scale)) - margin, py: int(math.Floor(float64(w.py)*scale)) - margin,
		nx: size(w.nx), ny: size(w.ny),
	}
	patch := make([]float64, of.nx*of.ny)
	fill(patch, of)
	cols, rows := cubicTaps(w.px, w.nx, of.px, scale), cubicTaps(w.py, w.ny, of.py, scale)
	line := make([]float64, of.nx)
	for r, tap := range rows {
		for c := range line {
			line[c] = 0
			for k, weight := range tap.weight {
				line[c] += weight * patch[(tap.first+k)*of.nx+c]
			}
		}
		out := dst[r*w.nx : (r+1)*w.nx]
		for c, tap := range cols {
			f := line[tap.first : tap.first+4]
			if v := tap.weight[0]*f[0] + tap.weight[1]*f[1] + tap.weight[2]*f[2] + tap.weight[3]*f[3]; v > 0 {
				out[c] += v
			}
		}
	}
}

// taps are four neighbours and their weights in a cubic convolution.
type taps struct {
	first  int
	weight [4]float64
}

func cubicTaps(p0, n, origin int, scale float64) []taps {
	out := make([]taps, n)
	for i := range out {
		at := (float64(p0+i)+0.5)*scale - 0.5 - float64(origin)
		k := math.Floor(at)
		t := at - k
		out[i] = taps{int(k) - 1, cubicWeights(t)}
	}
	return out
}
