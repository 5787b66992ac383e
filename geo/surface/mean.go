package surface

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/sempadan/sempadan/geo"
)

// addMeans adds the exact means of the kernels over each pixel of a window, per
// m²: the mass of an event's kernel inside the pixel by the pixel's area on the
// ellipsoid. The sum of mean · area over all pixels is the weight of the events.
// The metric of a kernel is that of its event's latitude.
func addMeans(dst []float64, w tileWindow, k Kernel, s *pointSet, hM float64, yield func(func(i int, shift float64))) {
	perPixel := make([]float64, w.ny)
	for r := range perPixel {
		perPixel[r] = 1 / pixelAreaM2(w.level, w.py+r)
	}
	side := math.Exp2(float64(w.level))
	reachM := hM * k.Reach()
	var m massGrid
	yield(func(i int, shift float64) {
		lonM, latM := geo.MetresPerDegree(s.lat[i])
		m.rx = reachM / max(lonM*360/side, 1e-9)
		m.ry = reachM / (latM * math.Cos(s.lat[i]*math.Pi/180) * 360 / side)
		m.x = worldX(s.lon[i]+shift)*side - float64(w.px)
		m.y = worldY(s.lat[i])*side - float64(w.py)
		m.add(dst, w, k, s.weight[i], perPixel)
	})
}

// pixelAreaM2 is the area of the pixels of a row of the world raster.
func pixelAreaM2(level, row int) float64 {
	side := math.Exp2(float64(level))
	south, north := latOf(float64(row+1)/side), latOf(float64(row)/side)
	return geo.CellAreaM2(orb.Bound{Min: orb.Point{0, south}, Max: orb.Point{360 / side, north}})
}

// massGrid cuts the ellipse of a kernel, centred at x, y with the radii rx, ry
// in pixels of the window, along the lines between pixels.
type massGrid struct {
	x, y, rx, ry float64
	columns      []massEdge
	below, here  []float64 // mass west of each column's edge, up to the last and this line
}

// massEdge is a line between pixels: its distance from the centre in reaches,
// at most 1. Of a line between columns arc is the mass under the arc of the
// disc as far as its distance; of one between rows top is where the arc meets
// it, and arc the mass as far as that.
type massEdge struct{ sign, distance, top, arc float64 }

func columnEdge(k Kernel, at float64) massEdge {
	d := min(math.Abs(at), 1)
	return massEdge{sign: math.Copysign(1, at), distance: d, arc: k.arcMass(d)}
}

func rowEdge(k Kernel, at float64) massEdge {
	d := min(math.Abs(at), 1)
	top := math.Sqrt(1 - d*d)
	return massEdge{math.Copysign(1, at), d, top, k.arcMass(top)}
}

func (m *massGrid) add(dst []float64, w tileWindow, k Kernel, weight float64, perPixel []float64) {
	c0, c1 := int(math.Floor(m.x-m.rx)), int(math.Floor(m.x+m.rx))
	r0, r1 := int(math.Floor(m.y-m.ry)), int(math.Floor(m.y+m.ry))
	if c1 < 0 || r1 < 0 || c0 >= w.nx || r0 >= w.ny {
		return
	}
	if c0 == c1 && r0 == r1 {
		dst[r0*w.nx+c0] += weight * k.mass() * perPixel[r0]
		return
	}
	c0, r0 = max(c0, 0), max(r0, 0)
	c1, r1 = min(c1, w.nx-1), min(r1, w.ny-1)
	m.columns = m.columns[:0]
	for c := c0; c <= c1+1; c++ {
		m.columns = append(m.columns, columnEdge(k, (float64(c)-m.x)/m.rx))
	}
	m.below = m.cut(m.below, k, float64(r0))
	for r := r0; r <= r1; r++ {
		m.here = m.cut(m.here, k, float64(r+1))
		for c := c0; c <= c1; c++ {
			i := c - c0
			if mass := m.here[i+1] - m.here[i] - m.below[i+1] + m.below[i]; mass > 0 {
				dst[r*w.nx+c] += weight * mass * perPixel[r]
			}
		}
		m.below, m.here = m.here, m.below
	}
}

// cut fills a slice with the mass between the centre and each corner on a line.
func (m *massGrid) cut(into []float64, k Kernel, line float64) []float64 {
	into = into[:0]
	y := rowEdge(k, (line-m.y)/m.ry)
	for i := range m.columns {
		x := &m.columns[i]
		into = append(into, x.sign*y.sign*k.quadrantMass(x, &y))
	}
	return into
}

// mass is the kernel's whole mass: 1, but for what the Gaussian's cut loses.
func (k Kernel) mass() float64 {
	if k == Gaussian {
		return -math.Expm1(-GaussianCut * GaussianCut / 2)
	}
	return 1
}

// quadrantMass returns the mass of the kernel over the rectangle from its
// centre to the edges x and y.
//
// With the unit disc's height s(t) = √(1-t²) and k = (1-r²)^p, the part under
// the arc is ∫∫ k = B_p ∫ s^(2p+1) dt with B_p = 1, 2/3, 8/15 for p = 0, 1, 2;
// the rest is a polynomial, and for the triangular kernel 1 - r the integral of
// the distance over rectangles and triangles. The Gaussian's arc is summed by
// Gauss-Legendre with 16 nodes.
func (k Kernel) quadrantMass(x, y *massEdge) float64 {
	if x.distance*x.distance+y.distance*y.distance <= 1 {
		return k.rectangleMass(x.distance, y.distance)
	}
	return k.rectangleMass(y.top, y.distance) + x.arc - y.arc
}

// rectangleMass is quadrantMass for a corner inside the disc.
func (k Kernel) rectangleMass(x, y float64) float64 {
	x2, y2 := x*x, y*y
	switch k {
	case Uniform:
		return x * y / math.Pi
	case Epanechnikov:
		return 2 / math.Pi * x * y * (1 - (x2+y2)/3)
	case Quartic:
		return 3 / math.Pi * x * y * (1 - 2*(x2+y2)/3 + (x2*x2+y2*y2)/5 + 2*x2*y2/9)
	case Triangular:
		return 3 / math.Pi * (x*y - rectangleDistance(x, y))
	default:
		const reach = GaussianCut / math.Sqrt2
		return math.Erf(x*reach) * math.Erf(y*reach) / 4
	}
}

// arcMass is the mass over 0 ≤ t ≤ x under the arc of the unit circle.
func (k Kernel) arcMass(x float64) float64 {
	switch k {
	case Uniform:
		return arcIntegral(x, 1) / math.Pi
	case Epanechnikov:
		return 2 / math.Pi * 2 / 3 * arcIntegral(x, 3)
	case Quartic:
		return 3 / math.Pi * 8 / 15 * arcIntegral(x, 5)
	case Triangular:
		return 3 / math.Pi * arcTriangular(x)
	default:
		return arcGaussian(x)
	}
}

// arcIntegral is ∫ (1-t²)^(n/2) dt from 0 to x, for n = 1, 3, 5.
func arcIntegral(x float64, n int) float64 {
	s := math.Sqrt(max(0, 1-x*x))
	v, power := (x*s+math.Asin(x))/2, s
	for k := 3; k <= n; k += 2 {
		power *= s * s
		v = (x*power + float64(k)*v) / float64(k+1)
	}
	return v
}

// rectangleDistance is ∫∫ √(t²+u²) over [0, x] × [0, y].
func rectangleDistance(x, y float64) float64 {
	if x == 0 || y == 0 {
		return 0
	}
	r := math.Hypot(x, y)
	return x*y*r/3 + (x*x*x*math.Log((y+r)/x)+y*y*y*math.Log((x+r)/y))/6
}

// arcTriangular is ∫∫ (1-r) over 0 ≤ t ≤ x under the unit circle: a sector and
// the triangle beside it.
func arcTriangular(x float64) float64 {
	s := math.Sqrt(max(0, 1-x*x))
	sector := math.Asin(x) / 6
	distance := 0.0
	if x > 0 {
		distance = x * (s + x*x*math.Asinh(s/x)) / 6
	}
	return sector + x*s/2 - distance
}

// arcGaussian is ∫ φ(t) · erf(√(R²-t²)/√2)/2 dt from 0 to x·R, R the cut.
func arcGaussian(x float64) float64 {
	nodes := [...]float64{0.0950125098376374, 0.2816035507792589, 0.4580167776572274, 0.6178762444026438,
		0.7554044083550030, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499}
	weights := [...]float64{0.1894506104550685, 0.1826034150449236, 0.1691565193950025, 0.1495959888165767,
		0.1246289712555339, 0.0951585116824928, 0.0622535239386479, 0.0271524594117541}
	half := math.Asin(x) / 2 // t = R sin θ takes the root away from the end
	sum := 0.0
	f := func(θ float64) float64 {
		sin, cos := math.Sincos(θ)
		t := sin * GaussianCut
		return math.Exp(-t*t/2) * math.Erf(cos*GaussianCut/math.Sqrt2) * cos
	}
	for i, node := range nodes {
		sum += weights[i] * (f(half-half*node) + f(half+half*node))
	}
	return sum * half * GaussianCut / (2 * math.Sqrt(2*math.Pi))
}
