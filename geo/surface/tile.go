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
//   - Where the bandwidth is at least two pixels, a pixel has the density at
//     its centre; below that the mean over the pixel.
//   - Where the bandwidth is more than 32 pixels, the surface is evaluated at
//     1/16 of the bandwidth or finer and interpolated by cubic convolution
//     (Keys 1981).
func (d *Density) Tile(level, px, py, n int) []float64 {
	dst := make([]float64, n*n)
	for i := range d.points.sets {
		h := d.bandwidth(&d.points.sets[i])
		fine := d.fineLevel(i)
		reachPX := h / (equatorM / math.Exp2(float64(level)))
		switch {
		case reachPX < 2 && d.Kernel != Gaussian:
			d.addMeans(dst, i, tileWindow{level, px, py, n})
		case level <= fine:
			d.addCentres(dst, i, fine, tileWindow{level, px, py, n})
		default:
			d.addInterpolated(dst, i, fine, tileWindow{level, px, py, n})
		}
	}
	return dst
}

// DisplayError bounds how far a Tile is from Raster, as a share of the
// surface's peak, where the bandwidth is at least two pixels.
const DisplayError = 0.002

type tileWindow struct{ level, px, py, n int }

// equatorM is the length of the WGS 84 equator.
const equatorM = 2 * math.Pi * 6378137.0

// fineLevel is the coarsest world raster whose pixels, where the events lie,
// are at most 1/16 of the bandwidth.
func (d *Density) fineLevel(set int) int {
	s := &d.points.sets[set]
	widestM := equatorM * math.Cos(s.leastLat*math.Pi/180)
	return max(0, min(keyLevel, int(math.Ceil(math.Log2(16*widestM/d.bandwidth(s))))))
}

// aggregated returns the events of a set merged to a level, made once.
func (d *Density) aggregated(set, level int) *pointSet {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := coarseKey{set, level}
	s := d.coarse[key]
	if s == nil {
		merged := d.points.sets[set].aggregate(level)
		s = &merged
		d.coarse[key] = s
	}
	return s
}

func (d *Density) addCentres(dst []float64, set, fine int, w tileWindow) {
	s := d.aggregated(set, fine)
	l := TileLattice(w.level, w.px, w.py, w.n)
	h := d.bandwidth(s)
	sumKernels(dst, l, d.Kernel, d.gather(s, l, h), sumJob{hM: h})
}

// addInterpolated evaluates at the fine level, which is coarser than the tile.
func (d *Density) addInterpolated(dst []float64, set, fine int, w tileWindow) {
	scale := math.Exp2(float64(fine - w.level)) // fine pixels per tile pixel, below 1
	const margin = 2
	ox := int(math.Floor(float64(w.px)*scale)) - margin
	oy := int(math.Floor(float64(w.py)*scale)) - margin
	size := int(math.Ceil(float64(w.n)*scale)) + 2*margin + 1
	patch := make([]float64, size*size)
	d.addCentres(patch, set, fine, tileWindow{fine, ox, oy, size})
	cols, rows := cubicTaps(w.px, w.n, ox, scale), cubicTaps(w.py, w.n, oy, scale)
	line := make([]float64, size)
	for r, tap := range rows {
		for c := range line {
			line[c] = 0
			for k, weight := range tap.weight {
				line[c] += weight * patch[(tap.first+k)*size+c]
			}
		}
		out := dst[r*w.n : (r+1)*w.n]
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
		out[i] = taps{int(k) - 1, [4]float64{
			t * (-0.5 + t*(1-0.5*t)),
			1 + t*t*(-2.5+1.5*t),
			t * (0.5 + t*(2-1.5*t)),
			t * t * (-0.5 + 0.5*t),
		}}
	}
	return out
}

// addMeans spreads each event over its kernel in a few nodes and counts what
// falls in each pixel: mass is conserved and nothing is missed between
// centres.
func (d *Density) addMeans(dst []float64, set int, w tileWindow) {
	h := d.bandwidth(&d.points.sets[set])
	s := d.aggregated(set, min(d.fineLevel(set), w.level+4))
	l := TileLattice(w.level, w.px, w.py, w.n)
	side := math.Exp2(float64(w.level))
	nodes := kernelNodes(d.Kernel, h/(equatorM/side))
	density := make([]float64, len(l.Lats)) // per unit of weight in a pixel of the row
	for r := range density {
		y := float64(w.py + r)
		metric := newRowMetric(l.Lats[r], false)
		density[r] = 1 / (math.Sqrt(metric.east[0]*metric.south[0]) * l.DLon * (latOf(y/side) - latOf((y+1)/side)))
	}
	d.near(s, l, h+equatorM/side, func(k int, shift float64) {
		x := worldX(s.lon[k]+shift)*side - float64(w.px)
		y := worldY(s.lat[k])*side - float64(w.py)
		stretch := 1 / math.Cos(s.lat[k]*math.Pi/180)
		for _, node := range nodes {
			c, r := math.Floor(x+node.x*stretch), math.Floor(y+node.y*stretch)
			if c >= 0 && r >= 0 && c < float64(w.n) && r < float64(w.n) {
				dst[int(r)*w.n+int(c)] += s.weight[k] * node.share * density[int(r)]
			}
		}
	})
}

// kernelNode is a part of a kernel's mass, placed in equatorial pixels.
type kernelNode struct{ x, y, share float64 }

// kernelNodes cuts the kernel's square into parts of about a quarter pixel.
func kernelNodes(k Kernel, reachPX float64) []kernelNode {
	m := max(1, min(16, int(math.Ceil(8*reachPX))))
	var nodes []kernelNode
	total := 0.0
	for i := range m {
		for j := range m {
			u := (2*float64(i)+1)/float64(m) - 1
			v := (2*float64(j)+1)/float64(m) - 1
			if share := k.At(u*u + v*v); share > 0 {
				nodes = append(nodes, kernelNode{u * reachPX, v * reachPX, share})
				total += share
			}
		}
	}
	for i := range nodes {
		nodes[i].share /= total
	}
	return nodes
}
