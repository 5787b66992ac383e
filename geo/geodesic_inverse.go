package geo

import (
	"math"

	"github.com/paulmach/orb"
)

// solution is a solved inverse problem.
type solution struct {
	distanceM float64
	from, to  angle // azimuths at the two ends, in the direction of travel
	// What the area under the geodesic needs: the problem as it was solved.
	ends
	α1, α2  angle   // azimuths of the solved problem
	σ12     float64 // its arc, and
	ω12     angle   // its longitude difference on the auxiliary sphere
	turned  float64 // -1 when its area has the other sign, else 1
	special bool    // the line is a meridian or the equator
}

// ends holds the reduced latitudes of the problem as it is solved: point 1 is
// in the south and the farther from the equator.
type ends struct {
	β1, β2   angle
	dn1, dn2 float64 // sqrt(1 + e'² sin²β)
}

// solveInverse finds the shortest geodesic from p to q. By reflection and
// exchange the problem becomes one with λ12 in [0, π] and
// φ1 <= 0, φ1 <= φ2 <= -φ1 (Karney 2013, section 4).
func solveInverse(p, q orb.Point) solution {
	λ12, east := wrapDeg(q[0]-p[0]), 1.0
	if λ12 < 0 || λ12 == 0 && math.Signbit(λ12) {
		λ12, east = -λ12, -1
	}
	lat1, lat2 := p[1], q[1]
	exchanged := math.Abs(lat1) < math.Abs(lat2)
	if exchanged {
		lat1, lat2 = lat2, lat1
	}
	south := 1.0
	if lat1 > 0 {
		lat1, lat2, south = -lat1, -lat2, -1
	}
	g := solution{turned: east * south}
	g.β1, g.β2 = reduced(lat1), reduced(lat2)
	if g.β1.cos < -g.β1.sin { // make equal latitudes exactly equal
		if g.β2.cos == g.β1.cos {
			g.β2.sin = math.Copysign(g.β1.sin, g.β2.sin)
		}
	} else if math.Abs(g.β2.sin) == -g.β1.sin {
		g.β2.cos = g.β1.cos
	}
	g.dn1 = math.Sqrt(1 + ep2*g.β1.sin*g.β1.sin)
	g.dn2 = math.Sqrt(1 + ep2*g.β2.sin*g.β2.sin)

	λ := direction(λ12)
	λ12 *= degree
	switch {
	case (λ.sin == 0 || lat1 == -90) && g.alongMeridian(λ):
	case lat1 == 0 && λ12 <= (1-Flattening)*math.Pi:
		g.alongEquator(λ12)
	default:
		g.general(λ12, λ)
	}

	g.from, g.to = g.α1, g.α2
	if exchanged {
		g.from, g.to = angle{g.α2.sin, -g.α2.cos}, angle{g.α1.sin, -g.α1.cos}
	}
	g.from = angle{g.from.sin * east, g.from.cos * south}
	g.to = angle{g.to.sin * east, g.to.cos * south}
	return g
}

// alongMeridian solves for points on one meridian, the way over the pole
// included; it reports false when that is not the shortest way.
func (g *solution) alongMeridian(λ angle) bool {
	g.α1, g.α2 = λ, angle{0, 1}
	if λ.sin == 0 {
		g.α1 = angle{0, λ.cos}
	}
	σ1 := angle{g.β1.sin, g.α1.cos * g.β1.cos}
	σ2 := angle{g.β2.sin, g.β2.cos}
	σ12 := arc(σ1, σ2)
	length, reducedLength := g.lengths(epsilon(angle{0, 1}), σ1, σ2, σ12)
	if σ12 >= 1 && reducedLength < 0 {
		return false
	}
	g.distanceM, g.ω12, g.special = length*polarRadiusM, λ, true
	return true
}

func (g *solution) alongEquator(λ12 float64) {
	g.α1, g.α2 = angle{1, 0}, angle{1, 0}
	g.distanceM = EquatorialRadiusM * λ12
	s, c := math.Sincos(λ12 / (1 - Flattening))
	g.ω12, g.special = angle{s, c}, true
}

// general solves every other problem.
func (g *solution) general(λ12 float64, λ angle) {
	// The first guess is the great circle. On a sphere that fits the mean
	// latitude (48-51) it is exact enough for points very close together.
	if λ12 < nearbyRad {
		w := math.Sqrt(1 - e2*math.Pow((g.β1.cos+g.β2.cos)/2, 2))
		s, c := math.Sincos(λ12 / w)
		α1, α2, σ12 := g.greatCircle(angle{s, c}, λ12/w)
		if σ12 < shortArc {
			g.α1, g.α2, g.σ12, g.ω12 = α1, α2, σ12, angle{s, c}
			if σ12 > 1e6*tiny { // else a pole and itself
				g.distanceM = σ12 * w * EquatorialRadiusM
			}
			return
		}
		g.newton(λ12, α1)
		return
	}
	α1, _, σ12 := g.greatCircle(λ, λ12)
	if λ.cos < 0 && math.Pi-σ12 < 6*third*math.Pi*g.β1.cos*g.β1.cos {
		α1 = g.antipodalGuess(λ12)
	}
	g.newton(λ12, α1)
}

// shortArc is where the error of the spherical solution, of third order in
// the arc, falls below the rounding of the general one.
const (
	shortArc  = 1e-6
	nearbyRad = 0.5
)

// greatCircle solves the spherical triangle of the reduced latitudes and ω12:
// the azimuths and the arc (49-51). Half-angle forms keep short arcs exact.
func (g *solution) greatCircle(ω angle, ω12 float64) (α1, α2 angle, σ12 float64) {
	half := math.Sin(ω12 / 2)
	versin := 2 * half * half // 1 - cos ω12
	dβ := g.β2.sin*g.β1.cos - g.β2.cos*g.β1.sin
	α1 = angle{g.β2.cos * ω.sin, dβ + g.β2.cos*g.β1.sin*versin}
	α2 = angle{g.β1.cos * ω.sin, dβ - g.β1.cos*g.β2.sin*versin}
	if ω.cos < 0 { // the same, for ω12 near π
		α1.cos = g.β2.sin*g.β1.cos + g.β2.cos*g.β1.sin - g.β2.cos*g.β1.sin*(1+ω.cos)
		α2.cos = -(g.β2.sin*g.β1.cos + g.β2.cos*g.β1.sin) + g.β1.cos*g.β2.sin*(1+ω.cos)
	}
	σ12 = math.Atan2(math.Hypot(α1.sin, α1.cos), g.β1.sin*g.β2.sin+g.β1.cos*g.β2.cos*ω.cos)
	if α1.sin == 0 && α1.cos == 0 {
		return angle{0, 1}, angle{0, 1}, 0
	}
	return α1.unit(), α2.unit(), σ12
}

// antipodalGuess starts nearly antipodal problems, where the great circle is
// no guide: the geodesics that leave the point opposite envelop an astroid,
// and in its scaled plane the azimuth follows from the root κ of
// (x/(1+κ))² + (y/κ)² = 1 (52-57).
func (g *solution) antipodalGuess(λ12 float64) angle {
	ε := epsilon(angle{0, -g.β1.sin})
	scaleλ := Flattening * g.β1.cos * a3(ε) * math.Pi
	x := (λ12 - math.Pi) / scaleλ
	y := (g.β2.sin*g.β1.cos + g.β2.cos*g.β1.sin) / (scaleλ * g.β1.cos)
	if y > -1e-13 && x > -1-1e-6 { // on the cut: several geodesics meet
		s := math.Min(1, -x)
		return angle{s, -math.Sqrt(1 - s*s)}
	}
	κ := astroid(x, y)
	s, c := math.Sincos(math.Pi - scaleλ*-x*κ/(1+κ)) // (57)
	α1, _, _ := g.greatCircle(angle{s, c}, math.Atan2(s, c))
	if α1.sin > 0 {
		return α1
	}
	return angle{1, 0}
}

// astroid returns the positive root κ of (x/(1+κ))² + (y/κ)² = 1. The left
// side falls and is convex, so Newton's method from below cannot overshoot.
func astroid(x, y float64) float64 {
	p, q := x*x, y*y
	κ := math.Max(math.Abs(y), math.Abs(x)-1)
	if κ <= 0 {
		return 0
	}
	for range 50 {
		u := 1 + κ
		h := p/(u*u) + q/(κ*κ) - 1
		step := h / (2 * (p/(u*u*u) + q/(κ*κ*κ)))
		κ += step
		if step < 1e-6*κ {
			break
		}
	}
	return κ
}

// newton finds the azimuth α1 whose geodesic meets point 2's meridian at λ12.
// The longitude grows with α1, so the root stays bracketed.
func (g *solution) newton(λ12 float64, α1 angle) {
	const (
		exact = 1e-15 // radians: 6 nm
		most  = 120   // 20 steps of Newton, then halving to the last bit
	)
	low, high := angle{tiny, 1}, angle{tiny, -1}
	t := g.tryAzimuth(α1)
	for i := range most {
		miss := t.λ12 - λ12
		if math.Abs(miss) <= exact || math.IsNaN(miss) {
			break
		}
		if miss > 0 {
			high = t.α1
		} else {
			low = t.α1
		}
		next := angle{(low.sin + high.sin) / 2, (low.cos + high.cos) / 2}.unit()
		if slope := t.slope(g); slope > 0 && i < 20 {
			s, c := math.Sincos(-miss / slope)
			n := t.α1.plus(angle{s, c}).unit()
			if math.Abs(miss) < slope && n.sin > 0 && n.minus(low).sin > 0 && high.minus(n).sin > 0 {
				next = n
			}
		}
		if next == low || next == high {
			break
		}
		t = g.tryAzimuth(next)
	}
	length, _ := g.lengths(t.ε, t.σ1, t.σ2, t.σ12)
	g.distanceM = length * polarRadiusM
	g.α1, g.α2, g.σ12, g.ω12 = t.α1, t.α2, t.σ12, t.ω12.unit()
}

// trial is the geodesic that leaves point 1 at α1 and reaches the latitude of
// point 2.
type trial struct {
	α1, α2, σ1, σ2, ω12 angle
	σ12, λ12, ε         float64
}

func (g *solution) tryAzimuth(α1 angle) trial {
	if g.β1.sin == 0 && α1.cos == 0 {
		α1.cos = -tiny // the equator itself is treated elsewhere
	}
	t := trial{α1: α1}
	α0 := angle{α1.sin * g.β1.cos, math.Hypot(α1.cos, α1.sin*g.β1.sin)}
	t.σ1 = angle{g.β1.sin, α1.cos * g.β1.cos}
	ω1 := angle{α0.sin * g.β1.sin, t.σ1.cos}
	t.σ1 = t.σ1.unit()

	t.α2 = angle{α1.sin, math.Abs(α1.cos)}
	if g.β2.cos != g.β1.cos {
		t.α2.sin = α0.sin / g.β2.cos
	}
	if g.β2.cos != g.β1.cos || math.Abs(g.β2.sin) != -g.β1.sin {
		d := (g.β2.cos - g.β1.cos) * (g.β1.cos + g.β2.cos)
		if g.β1.cos >= -g.β1.sin {
			d = (g.β1.sin - g.β2.sin) * (g.β1.sin + g.β2.sin)
		}
		t.α2.cos = math.Sqrt(math.Max(0, α1.cos*g.β1.cos*α1.cos*g.β1.cos+d)) / g.β2.cos
	}
	t.σ2 = angle{g.β2.sin, t.α2.cos * g.β2.cos}
	ω2 := angle{α0.sin * g.β2.sin, t.σ2.cos}
	t.σ2 = t.σ2.unit()
	t.σ12 = arc(t.σ1, t.σ2)
	t.ω12 = ω2.minus(ω1)
	t.ω12.sin = math.Max(0, t.ω12.sin)
	t.ε = epsilon(α0)
	c3 := c3(t.ε)
	t.λ12 = t.ω12.rad() -
		Flattening*α0.sin*a3(t.ε)*(t.σ12+c3.sine(t.σ2)-c3.sine(t.σ1))
	return t
}

// slope returns dλ12/dα1 (46, 47).
func (t *trial) slope(g *solution) float64 {
	if t.α2.cos == 0 {
		return -2 * (1 - Flattening) * g.dn1 / g.β1.sin
	}
	_, m12 := g.lengths(t.ε, t.σ1, t.σ2, t.σ12)
	return m12 * (1 - Flattening) / (t.α2.cos * g.β2.cos)
}

// arc returns σ2-σ1 in [0, π].
func arc(σ1, σ2 angle) float64 {
	d := σ2.minus(σ1)
	return math.Atan2(math.Max(0, d.sin), d.cos)
}

// lengths returns the distance and the reduced length between two points of a
// geodesic, in units of the polar radius (7, 38, 40).
func (e *ends) lengths(ε float64, σ1, σ2 angle, σ12 float64) (s12, m12 float64) {
	A1, C1, A2, C2 := a1(ε), c1(ε), a2(ε), c2(ε)
	b1 := C1.sine(σ2) - C1.sine(σ1)
	b2 := C2.sine(σ2) - C2.sine(σ1)
	s12 = A1 * (σ12 + b1)
	j12 := (A1-A2)*σ12 + A1*b1 - A2*b2
	m12 = e.dn2*(σ1.cos*σ2.sin) - e.dn1*(σ1.sin*σ2.cos) - σ1.cos*σ2.cos*j12
	return s12, m12
}
